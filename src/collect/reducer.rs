//! The reducer: the one task that owns the [`Fleet`], takes updates in batches and publishes snapshots.

use super::{
    clock::Sleep,
    meter::{Meter, ProcessReader},
};
use crate::model::{
    base::{
        age::{AgeClock, Moment},
        time::Timestamp,
    },
    fold::{Fleet, doubt::Doubt, snapshot::FleetSnapshot, update::Update},
    timeline::record::Record,
};
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

/// The most readings that may wait for history; beyond that no more updates are taken, and polling slows down.
const MOST_WAITING: usize = 8_192;

/// Takes what history keeps. Its receiver is the store's writer; when it is full, we wait.
pub type Recorder = mpsc::Sender<Vec<Record>>;

/// Everything that the task owns.
pub(super) struct Reducer {
    pub fleet: Fleet,
    /// None: nothing is kept
    pub recorder: Option<Recorder>,
    pub snapshots: watch::Sender<Arc<FleetSnapshot>>,
    pub meter: Arc<Meter>,
    pub clock: fn() -> Timestamp,
    /// a clock that is never set
    pub up: fn() -> Duration,
    pub publish_every: Duration,
}

/// The two clocks of this machine, beside each other.
struct Clocks {
    age: AgeClock,
    sleep: Sleep,
}

impl Clocks {
    fn new(now: Moment) -> Self {
        Self { age: AgeClock::resume(None, None, now), sleep: Sleep::since(now.wall, Instant::now()) }
    }

    /// Says to the fold what is known of the wall clock now.
    fn look(&mut self, now: Moment, fleet: &mut Fleet) {
        if let Some(asleep) = self.sleep.slept(now.wall, Instant::now()) {
            fleet.slept(now.wall, i64::try_from(asleep.as_millis()).unwrap_or(i64::MAX));
        }
        let ahead_ms = self.age.judge(now).ahead_ms.unwrap_or_default();
        fleet.doubt(Doubt { ahead_ms: i64::try_from(ahead_ms).unwrap_or(i64::MAX) });
    }
}

impl Reducer {
    fn moment(&self) -> Moment {
        Moment { wall: (self.clock)(), up: (self.up)() }
    }

    /// Runs until all senders of updates are gone, then publishes what is left.
    pub async fn run(mut self, mut updates: mpsc::Receiver<Update>) {
        let mut waiting: Vec<Record> = Vec::new();
        let mut process = ProcessReader::default();
        let mut figures = process.read();
        let mut clocks = Clocks::new(self.moment());
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
                () = hand_over(&mut self.recorder, &mut waiting) => true,
                taken = updates.recv_many(&mut batch, BATCH), if waiting.len() < MOST_WAITING => taken > 0,
            };
            dirty |= !batch.is_empty();
            for update in batch.drain(..) {
                self.fleet.apply(update);
            }
            waiting.append(&mut self.fleet.drain_kept());
            let now = Instant::now();
            if now >= next_tick {
                next_tick = now + TICK;
                ticks = ticks.wrapping_add(1);
                if ticks == 1 || ticks.is_multiple_of(PROCESS_EVERY) {
                    figures = process.read();
                }
                self.meter.tick();
                self.meter.history_waits(waiting.len());
                self.fleet.apply(Update::Stats(self.meter.read(figures, updates.len())));
                dirty = true;
            }
            if (dirty && now >= next_publish) || !open {
                let moment = self.moment();
                clocks.look(moment, &mut self.fleet);
                let snapshot = self.fleet.snapshot(moment.wall);
                self.snapshots.send_if_modified(|last| {
                    let changed = !Arc::ptr_eq(last, &snapshot);
                    *last = snapshot;
                    changed
                });
                next_publish = now + self.publish_every;
                dirty = false;
            }
            if !open {
                waiting.append(&mut self.fleet.drain_kept());
                if self.recorder.is_some() && !waiting.is_empty() {
                    hand_over(&mut self.recorder, &mut waiting).await;
                }
                return;
            }
        }
    }
}

/// Hands the store what waits, once it has room; never ends if nothing waits. A store that is gone takes
/// nothing any more: that is its owner's to tell.
async fn hand_over(recorder: &mut Option<Recorder>, waiting: &mut Vec<Record>) {
    let Some(to) = recorder else {
        waiting.clear();
        return std::future::pending().await;
    };
    if waiting.is_empty() {
        return std::future::pending().await;
    }
    if let Ok(place) = to.reserve().await {
        place.send(std::mem::take(waiting));
        return;
    }
    *recorder = None;
}
