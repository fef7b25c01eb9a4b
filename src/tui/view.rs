//! Everything that a pane may read to make and draw its rows: the fleet, the time, the scope, and answers of history.
//! `world` makes a [`View`] for every frame; a view borrows everything and changes nothing.

use super::{charts::Charts, fetched::Fetched, lists::Lists, theme::Theme};
use crate::{
    model::{
        base::{failure::Failure, time::Timestamp, zone::Zone},
        fold::snapshot::{FleetSnapshot, InstanceSnapshot},
        inventory::instance::InstanceInfo,
        judge::health::Level,
    },
    protocol::VaultState,
};
use std::{fmt::Write as _, sync::Arc};

/// The part of the inventory that may be shown.
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
    /// it is locked: polled values are shown, addresses are not
    Locked,
}

impl Sealed {
    /// The part that may be shown while the inventory is in this state.
    pub const fn of(state: &VaultState) -> Self {
        match state {
            VaultState::Plain | VaultState::Absent | VaultState::Open => Self::Shown,
            VaultState::Choose => Self::Choose,
            VaultState::Opening => Self::Opening,
            VaultState::Locked { .. } => Self::Locked,
        }
    }
}

/// Everything that a pane may read.
#[derive(Clone, Copy)]
pub struct View<'a> {
    /// the fleet
    pub snapshot: &'a FleetSnapshot,
    /// time of this frame
    pub now: Timestamp,
    /// whose clock times are told by
    pub zone: &'a Zone,
    /// instances in scope, as indices into the snapshot
    pub scope: &'a [u32],
    /// the scope is one instance, not a set that happens to hold one
    pub narrowed: bool,
    /// hide instances that are well
    pub faults_only: bool,
    /// styles
    pub theme: &'a Theme,
    /// a slow line: no sparklines, and charts that stand still for a while
    pub low_bandwidth: bool,
    /// what may be shown of the inventory
    pub sealed: Sealed,
    /// what history said for the charts of longer times
    pub charts: &'a Charts,
    /// what the inventory service told of groups, labels, saved filters
    pub lists: &'a Lists,
    /// what servers said of single sessions
    pub fetched: &'a Fetched,
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

    /// The address of an instance, unless it is sealed and locked.
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

    /// The end of a chart over this range: now, or on slow lines the last twentieth of the range that is over, at least a quarter
    /// of a minute, so that a chart moves that seldom and not with every poll: to move nine of them costs 4 KB.
    pub fn chart_end(&self, range_ms: i64) -> Timestamp {
        let step_ms = (range_ms / 20).max(15_000);
        if self.low_bandwidth {
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
