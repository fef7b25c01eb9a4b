//! The world that all panes look at, and the panes themselves: the two halves of the state, apart so that one may be
//! borrowed while the other changes.

use super::{
    charts::Charts,
    id::PaneId,
    moment::Moment,
    pane::{
        Pane, activity::ActivityPane, blocking::BlockingPane, fleet::FleetPane, instance::InstancePane,
        waits::WaitsPane,
    },
    theme::Theme,
    view::{Sealed, View},
};
use crate::model::{base::time::Timestamp, fold::snapshot::FleetSnapshot};
use std::sync::Arc;

/// The world that all panes look at.
pub struct World {
    pub snapshot: Arc<FleetSnapshot>,
    pub scope: Vec<u32>,
    pub narrowed: bool,
    pub now: Timestamp,
    pub faults_only: bool,
    pub theme: Theme,
    pub low_bandwidth: bool,
    pub sealed: Sealed,
    pub charts: Charts,
    pub moment: Moment,
}

impl World {
    pub fn view(&self) -> View<'_> {
        View {
            snapshot: &self.snapshot,
            now: self.now,
            scope: &self.scope,
            narrowed: self.narrowed,
            faults_only: self.faults_only,
            theme: &self.theme,
            low_bandwidth: self.low_bandwidth,
            sealed: self.sealed,
            charts: &self.charts,
        }
    }
}

/// The panes with their view states, each in the place of its id.
pub struct Panes([Box<dyn Pane>; PaneId::ALL.len()]);

impl Default for Panes {
    fn default() -> Self {
        Self(PaneId::ALL.map(|id| -> Box<dyn Pane> {
            match id {
                PaneId::Fleet => Box::<FleetPane>::default(),
                PaneId::Instance => Box::<InstancePane>::default(),
                PaneId::Activity => Box::<ActivityPane>::default(),
                PaneId::Waits => Box::<WaitsPane>::default(),
                PaneId::Blocking => Box::<BlockingPane>::default(),
            }
        }))
    }
}

impl Panes {
    /// One of them.
    pub fn get(&mut self, id: PaneId) -> &mut dyn Pane {
        &mut *self.0[id as usize]
    }
}
