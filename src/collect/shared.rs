//! What all tasks of the collector share: the driver, clocks, counters and the way to the reducer.

use super::meter::Meter;
use crate::model::{
    base::{age::Moment, time::Timestamp},
    fold::update::Update,
    inventory::instance::InstanceId,
    poll::id::ProbeId,
};
use std::{sync::Arc, time::Duration};
use tokio::sync::mpsc;

/// Everything that all instance tasks share.
pub(super) struct Shared<D> {
    pub driver: D,
    pub clock: fn() -> Timestamp,
    pub up: fn() -> Duration,
    pub meter: Arc<Meter>,
    /// Probes that are due over the on-demand lane. Bounded; what finds it full stays due.
    pub heavy: mpsc::Sender<Heavy>,
    /// Bounded. A task that finds it full waits for room; samples are counted then.
    pub updates: mpsc::Sender<Update>,
}

impl<D> Shared<D> {
    /// Now, by both clocks.
    pub fn moment(&self) -> Moment {
        Moment { wall: (self.clock)(), up: (self.up)() }
    }
}

/// Probes of an instance that are due over its on-demand lane, each with its interval, ms.
#[derive(Debug, Clone)]
pub(super) struct Heavy {
    pub instance: InstanceId,
    /// it is on the screen: some probes tell more then
    pub focused: bool,
    pub probes: Vec<(ProbeId, u32)>,
}
