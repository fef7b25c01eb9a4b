//! What all tasks of the collector share: the driver, clocks, counters and the way to the reducer.

use super::meter::Meter;
use crate::{
    model::{
        base::{age::Moment, time::Timestamp},
        fold::update::Update,
        inventory::instance::InstanceId,
        poll::id::ProbeId,
    },
    probe::{Heard, Known},
};
use std::{sync::Arc, time::Duration};
use tokio::sync::{mpsc, oneshot};

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

/// Probes of an instance that are due over its on-demand lane.
#[derive(Debug)]
pub(super) struct Heavy {
    pub instance: InstanceId,
    pub due: Due,
}

/// What is due.
#[derive(Debug)]
pub(super) struct Due {
    /// the instance is on the screen: some probes tell more then
    pub focused: bool,
    /// each with its interval, ms
    pub probes: Vec<(ProbeId, u32)>,
    /// what the polls know of the server; None: the lane asks
    pub known: Option<Box<Known>>,
    /// readings before this one that failed, one after another
    pub failures: u32,
    /// hears how it went with what is asked when there is news; dropped without a word: it was never asked
    pub heard: Option<oneshot::Sender<Heard>>,
}
