//! For tests of panes: a fleet, a scope and a pane on a screen in memory.

use super::Pane;
use crate::{
    model::fold::snapshot::FleetSnapshot,
    tui::{
        action::Action,
        charts::Charts,
        fetched::Fetched,
        fixture,
        lists::Lists,
        moment::Moment,
        theme::{Depth, Theme},
        view::{Sealed, View},
        widget::screen,
        wish::Wish,
        world::World,
    },
};
use std::sync::Arc;

/// A screen for panes.
pub struct Stage {
    /// what the panes look at
    pub world: World,
}

impl Stage {
    /// All of a fleet.
    pub fn fleet(snapshot: FleetSnapshot) -> Self {
        let world = World {
            scope: (0..snapshot.instances.len() as u32).collect(),
            snapshot: Arc::new(snapshot),
            narrowed: false,
            now: fixture::NOW,
            faults_only: false,
            theme: Theme::load("dark", Depth::True).unwrap(),
            low_bandwidth: false,
            sealed: Sealed::Shown,
            charts: Charts::default(),
            lists: Lists::default(),
            fetched: Fetched::default(),
            moment: Moment::new(fixture::NOW, None),
        };
        Self { world }
    }

    /// One instance of a fleet, by name.
    pub fn one(snapshot: FleetSnapshot, name: &str) -> Self {
        let at = snapshot.instances.iter().position(|i| i.id().as_str() == name).unwrap();
        let mut stage = Self::fleet(snapshot);
        (stage.world.scope, stage.world.narrowed) = (vec![at as u32], true);
        stage
    }

    /// The view of the pane.
    pub fn view(&self) -> View<'_> {
        self.world.view()
    }

    /// The lines of the pane after it has been rebuilt.
    pub fn draw(&self, pane: &mut dyn Pane, width: u16, height: u16) -> Vec<String> {
        pane.rebuild(&self.view());
        screen::drawn(width, height, |c| pane.render(&self.view(), c))
    }

    /// Carries out actions and collects the wishes.
    pub fn act(&self, pane: &mut dyn Pane, actions: &[Action]) -> Vec<Wish> {
        let mut wishes = Vec::new();
        for action in actions {
            pane.rebuild(&self.view());
            pane.act(*action, &self.view(), &mut wishes);
        }
        pane.rebuild(&self.view());
        wishes
    }

    /// The parts of the title, joined.
    pub fn title(&self, pane: &mut dyn Pane) -> String {
        pane.rebuild(&self.view());
        let mut parts = Vec::new();
        pane.title(&self.view(), &mut parts);
        parts.into_iter().map(|(_, text)| text).collect::<Vec<_>>().join(" ─ ")
    }
}
