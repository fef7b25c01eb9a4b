//! Panes: each turns (snapshot, its own view state) into rows and draws them. A pane never waits for anything.

use super::{
    action::Action,
    charts::{Charts, Wanted},
    keymap::Context,
    layer::document::Document,
    place::Scope,
    theme::Theme,
    widget::{canvas::Canvas, table::RowKey},
};
use crate::model::{
    failure::Failure,
    health::Level,
    instance::{InstanceId, InstanceInfo},
    snapshot::{FleetSnapshot, InstanceSnapshot},
    time::Timestamp,
};
use std::{fmt::Write as _, sync::Arc};

pub mod activity;
pub mod blocking;
pub mod fleet;
pub mod instance;
pub mod range;
pub mod reading;
pub mod request;
pub mod waits;

#[cfg(test)]
mod stage;

/// The panes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum PaneId {
    /// all instances in scope
    Fleet,
    /// one instance: takes the place of the fleet while it is in scope
    Instance,
    /// active requests
    Activity,
    /// wait statistics
    Waits,
    /// blocking chains
    Blocking,
}

impl PaneId {
    /// All, in the order of their storage.
    pub const ALL: [Self; 5] = [Self::Fleet, Self::Instance, Self::Activity, Self::Waits, Self::Blocking];

    /// Name in tabs, titles and the palette.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Fleet => "Fleet",
            Self::Instance => "Instance",
            Self::Activity => "Activity",
            Self::Waits => "Waits",
            Self::Blocking => "Blocking",
        }
    }

    /// Its own keys.
    pub const fn context(self) -> Context {
        match self {
            Self::Fleet => Context::Fleet,
            Self::Instance => Context::Instance,
            Self::Activity => Context::Activity,
            Self::Waits => Context::Waits,
            Self::Blocking => Context::Blocking,
        }
    }
}

/// What may be shown of the inventory.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Sealed {
    /// all of it
    #[default]
    Shown,
    /// it is being opened
    Opening,
    /// a recording is being opened
    Reading,
    /// no tenant is chosen
    Choose,
    /// it is locked: what is polled is shown, where that is, is not
    Locked,
}

/// What a pane may look at.
#[derive(Clone, Copy)]
pub struct View<'a> {
    /// the fleet
    pub snapshot: &'a FleetSnapshot,
    /// time of this frame
    pub now: Timestamp,
    /// instances in scope, as indices into the snapshot
    pub scope: &'a [u32],
    /// the scope is one instance, not a set that happens to hold one
    pub narrowed: bool,
    /// hide what is well
    pub faults_only: bool,
    /// styles
    pub theme: &'a Theme,
    /// a slow line: no sparklines, and charts that stand still for a while
    pub low_bandwidth: bool,
    /// what may be shown of the inventory
    pub sealed: Sealed,
    /// what history said for the charts of longer times
    pub charts: &'a Charts,
}

impl<'a> View<'a> {
    /// The instances in scope, in inventory order; with faults only, those that are not well.
    pub fn instances(&self) -> impl Iterator<Item = (u32, &'a Arc<InstanceSnapshot>)> + use<'a> {
        let (snapshot, faults_only) = (self.snapshot, self.faults_only && !self.narrowed);
        self.scope
            .iter()
            .filter_map(move |i| snapshot.instances.get(*i as usize).map(|s| (*i, s)))
            .filter(move |(_, s)| !faults_only || s.health.level != Level::Ok)
    }

    /// Where an instance is, unless that is sealed.
    pub fn address<'i>(&self, info: &'i InstanceInfo) -> &'i str {
        if self.sealed == Sealed::Locked { "locked" } else { &info.address }
    }

    /// Why a connection failed. The whole sentence names the host, so a locked screen says only the class.
    pub fn failure<'f>(&self, failure: &'f Failure) -> &'f str {
        if self.sealed == Sealed::Locked { failure.kind.words() } else { &failure.text }
    }

    /// Appends the same with its class and number.
    pub fn push_failure(&self, out: &mut String, failure: &Failure) {
        match failure.number {
            _ if self.sealed != Sealed::Locked => drop(write!(out, "{failure}")),
            Some(n) => drop(write!(out, "{} ({n})", failure.kind.words())),
            None => out.push_str(failure.kind.words()),
        }
    }

    /// Instance number `i` of the snapshot.
    pub fn instance(&self, i: u32) -> Option<&'a Arc<InstanceSnapshot>> {
        self.snapshot.instances.get(i as usize)
    }

    /// The end of a chart over this range: now, or on slow lines the last twentieth of the range that is over, so that a
    /// chart moves that seldom and not with every poll.
    pub const fn chart_end(&self, range_ms: i64) -> Timestamp {
        let step_ms = range_ms / 20;
        if self.low_bandwidth && step_ms > 0 {
            Timestamp::from_ms(self.now.ms().div_euclid(step_ms) * step_ms)
        } else {
            self.now
        }
    }

    /// The one instance in scope.
    pub fn single(&self) -> Option<&'a Arc<InstanceSnapshot>> {
        if self.narrowed { self.scope.first().and_then(|i| self.instance(*i)) } else { None }
    }
}

/// What a pane asks of the app.
#[derive(Debug)]
pub enum Wish {
    /// go to a pane: narrow the scope first, select a row there
    Go {
        /// where
        pane: PaneId,
        /// narrower scope to add
        scope: Option<Scope>,
        /// row to select
        focus: Option<RowKey>,
        /// filter to set there
        filter: Option<String>,
    },
    /// show all about a row
    Details(RowKey),
    /// put a text on the clipboard
    Copy(String),
    /// one line for the user
    Say(Level, String),
    /// poll these now
    Refresh(Vec<InstanceId>),
}

/// One part of a pane's title line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// plain
    Plain,
    /// coloured by level
    Level(Level),
    /// an active restriction: filter, faults only
    Accent,
}

/// A pane. The app calls `rebuild` when data, scope or filter changed, then `render` for every frame.
pub trait Pane {
    /// Computes the rows.
    fn rebuild(&mut self, view: &View<'_>);
    /// Adds parts to the title line, between the pane's name and the filter.
    fn title(&self, view: &View<'_>, out: &mut Vec<(Part, String)>);
    /// What it wants of history, after a rebuild.
    fn wanted(&self, _view: &View<'_>) -> Vec<Wanted> {
        Vec::new()
    }
    /// Draws below the title line.
    fn render(&mut self, view: &View<'_>, canvas: &mut Canvas<'_>);
    /// Carries out an action; false hands it on to the app.
    fn act(&mut self, action: Action, view: &View<'_>, wishes: &mut Vec<Wish>) -> bool;
    /// Selects a row, now or when it appears.
    fn focus(&mut self, key: RowKey);
    /// The row that the cursor is on.
    fn selected(&self) -> Option<RowKey>;
    /// All about a row; None if it is not there (any more).
    fn details(&self, key: &RowKey, view: &View<'_>) -> Option<Document>;
    /// Sets or clears the filter. Ok tells whether the pane can filter at all.
    ///
    /// # Errors
    /// What is wrong with the text, for the user.
    fn set_filter(&mut self, text: &str) -> Result<(), String>;
    /// The filter's text; empty without one.
    fn filter(&self) -> &str;
    /// Rows shown and rows before the filter.
    fn counts(&self) -> (usize, usize);
    /// A click at a place of the screen.
    fn click(&mut self, x: u16, y: u16, view: &View<'_>, wishes: &mut Vec<Wish>);
}
