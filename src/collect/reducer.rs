//! The reducer: the one task that owns the [`Fleet`], takes updates in batches and publishes snapshots.

use super::meter::{Meter, ProcessReader};
use crate::model::{fleet::Fleet, sample::Update, snapshot::FleetSnapshot, time::Timestamp};
use std::{sync::Arc, time::Duration};
use tokio::{
    sync::{mpsc, watch},
    time::{Instant, sleep_until},
};

/// Updates taken at once.
const BATCH: usize = 256;
/// Without any update, time itself may still change verdicts, and the figures of this process move.
const TICK: Duration = Duration::from_secs(1);
/// Ticks between two readings of the process figures.
const PROCESS_EVERY: u32 = 5;

/// What the task owns.
pub(super) struct Reducer {
    pub fleet: Fleet,
    pub snapshots: watch::Sender<Arc<FleetSnapshot>>,
    pub meter: Arc<Meter>,
    pub clock: fn() -> Timestamp,
    pub publish_every: Duration,
}

impl Reducer {
    /// Runs until all senders of updates are gone, then publishes what is left.
    pub async fn run(mut self, mut updates: mpsc::Receiver<Update>) {
        let mut process = ProcessReader::default();
        let mut figures = process.read();
        let mut batch = Vec::with_capacity(BATCH);
        let mut next_tick = Instant::now() + TICK;
        let mut next_publish = Instant::now();
        let mut ticks: u32 = 0;
        let mut dirty = true;
        loop {
            let wake = if dirty { next_publish.min(next_tick) } else { next_tick };
            let open = tokio::select! {
                biased;
                () = sleep_until(wake) => true,
                taken = updates.recv_many(&mut batch, BATCH) => taken > 0,
            };
            dirty |= !batch.is_empty();
            for update in batch.drain(..) {
                self.fleet.apply(update);
            }
            let now = Instant::now();
            if now >= next_tick {
                next_tick = now + TICK;
                ticks = ticks.wrapping_add(1);
                if ticks == 1 || ticks.is_multiple_of(PROCESS_EVERY) {
                    figures = process.read();
                }
                self.meter.tick();
                self.fleet.apply(Update::Stats(self.meter.read(figures, updates.len())));
                dirty = true;
            }
            if (dirty && now >= next_publish) || !open {
                let snapshot = self.fleet.snapshot((self.clock)());
                self.snapshots.send_if_modified(|last| {
                    let changed = !Arc::ptr_eq(last, &snapshot);
                    *last = snapshot;
                    changed
                });
                next_publish = now + self.publish_every;
                dirty = false;
            }
            if !open {
                return;
            }
        }
    }
}
