//! The world that all panes look at. The panes themselves are the other half of the state, apart so that one may be borrowed
//! while the other changes.

use super::{
    charts::Charts,
    fetched::Fetched,
    lists::Lists,
    moment::Moment,
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
    pub lists: Lists,
    pub fetched: Fetched,
    pub moment: Moment,
}

impl World {
    pub fn view(&self) -> View<'_> {
        View {
            snapshot: &self.snapshot,
            now: self.now,
            zone: &self.moment.zone,
            scope: &self.scope,
            narrowed: self.narrowed,
            faults_only: self.faults_only,
            theme: &self.theme,
            low_bandwidth: self.low_bandwidth,
            sealed: self.sealed,
            charts: &self.charts,
            lists: &self.lists,
            fetched: &self.fetched,
        }
    }
}
