//! Once a second, without a screen: writes the heartbeat, tells systemd how the collector stands, and withholds the watchdog's
//! word when the reducer hangs. Runs until the end.

use super::{inventory::Stand, metrics::Figures, systemd::Notifier};
use crate::{
    app::attach::{
        heartbeat::{self, Heartbeat, METRICS_FILE, Standing, StoreFigures},
        run_folder::RunFolder,
    },
    collect::Gauge,
    model::fold::snapshot::FleetSnapshot,
    store::history::WriterStats,
};
use std::{
    fmt::Write as _,
    io::ErrorKind,
    sync::Arc,
    time::{Duration, Instant},
};
use tokio::{sync::watch, task::JoinHandle, time::MissedTickBehavior};
use tokio_util::sync::CancellationToken;

/// Time without a tick after which the reducer counts as hanging; it makes one a second.
const HANGS_AFTER: Duration = Duration::from_secs(5);
/// Beats between two writings of the figures for `dbtop metrics`, which has the whole fleet in it.
const METRICS_EVERY: u32 = 15;
/// Beats between two words for `systemctl status`.
const STATUS_EVERY: u32 = 5;

/// Everything that a beat reads or writes.
pub struct Monitor {
    /// where the heartbeat goes
    pub place: RunFolder,
    /// the service manager
    pub notifier: Arc<Notifier>,
    /// the fleet
    pub snapshots: watch::Receiver<Arc<FleetSnapshot>>,
    /// whether the reducer lives
    pub gauge: Gauge,
    /// how the collector stands
    pub stand: watch::Receiver<Stand>,
    /// how the store is
    pub store: watch::Receiver<Option<WriterStats>>,
    /// the last beat
    pub beat: Heartbeat,
}

/// Why it ended.
#[derive(Debug, PartialEq, Eq)]
pub enum Ended {
    /// it was told to
    Told,
    /// the folder of the fleet is not there any more
    Gone,
}

impl Monitor {
    /// Beats until it is cancelled, or until the folder is gone.
    pub async fn run(&mut self, cancel: &CancellationToken) -> Ended {
        let every = Duration::from_millis(heartbeat::EVERY_MS);
        let mut seconds = tokio::time::interval(every);
        seconds.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut watchdog = Watchdog::new(self.notifier.watchdog_every());
        let mut writing: Option<JoinHandle<std::io::Result<()>>> = None;
        let (mut beats, mut was_ready, mut complained) = (0_u32, false, false);
        loop {
            tokio::select! {
                () = cancel.cancelled() => return Ended::Told,
                _ = seconds.tick() => {}
            }
            self.fill();
            if !was_ready && self.beat.standing != Standing::Starting {
                was_ready = true;
                self.notifier.ready();
            }
            if watchdog.is_due(self.gauge.ticks(), Instant::now()) {
                self.notifier.watchdog();
            }
            if beats.is_multiple_of(STATUS_EVERY) {
                self.notifier.status(&self.words());
            }
            beats = beats.wrapping_add(1);
            // A hanging disk must not stop the watchdog: the next beat waits for it, this loop does not.
            if writing.as_ref().is_some_and(|writing| !writing.is_finished()) {
                continue;
            }
            match written(writing.take()).await {
                Err(error) if error.kind() == ErrorKind::NotFound => return Ended::Gone,
                Err(error) if !complained => {
                    complained = true;
                    tracing::warn!(%error, "the heartbeat cannot be written: `dbtop status` will not see us");
                }
                Err(_) => {}
                Ok(()) => complained = false,
            }
            let (folder, beat) = (self.place.folder.clone(), self.beat.clone());
            let figures = (beats % METRICS_EVERY == 1).then(|| self.figures());
            writing = Some(tokio::task::spawn_blocking(move || {
                // The beat first: it is written on a full disk, too.
                heartbeat::write(&folder, &beat)?;
                figures.map_or(Ok(()), |figures| heartbeat::put(&folder, METRICS_FILE, figures().as_bytes()))
            }));
        }
    }

    /// The figures for Prometheus at the moment of asking.
    pub fn figures(&self) -> impl Fn() -> String + Send + Sync + 'static {
        let (snapshots, gauge) = (self.snapshots.clone(), self.gauge.clone());
        let (stand, store, beat) = (self.stand.clone(), self.store.clone(), self.beat.clone());
        move || {
            let mut beat = beat.clone();
            let fleet = Arc::clone(&snapshots.borrow());
            beat.take(&fleet, &stand.borrow(), store.borrow().as_ref());
            Figures { fleet, beat, latency: gauge.latency() }.text()
        }
    }

    /// The last beat of all.
    pub fn stop(&mut self) {
        self.fill();
        self.beat.standing = Standing::Stopped;
        self.beat.words.clear();
        // An error has no reader any more: the lock is released in any case.
        let _ = heartbeat::write(&self.place.folder, &self.beat);
    }

    fn fill(&mut self) {
        let fleet = Arc::clone(&self.snapshots.borrow());
        self.beat.take(&fleet, &self.stand.borrow(), self.store.borrow().as_ref());
    }

    /// One line.
    fn words(&self) -> String {
        let Heartbeat { instances, polls, standing, words, .. } = &self.beat;
        if *standing == Standing::Waiting {
            return format!("waiting: {words}");
        }
        let mut line = format!("{}/{} up", instances.up, instances.total);
        for (n, what) in [(instances.critical, "critical"), (instances.warning, "warning")] {
            if n > 0 {
                let _ = write!(line, ", {n} {what}");
            }
        }
        let _ = write!(line, "; polls {} ok, {} late, {} failed", polls.ok, polls.late, polls.failed);
        match &self.beat.store {
            Some(StoreFigures { problem: Some(problem), .. }) => line + "; store: " + problem,
            _ if words.is_empty() => line,
            _ => line + "; " + words,
        }
    }
}

impl Heartbeat {
    /// A beat with all that is known now.
    fn take(&mut self, fleet: &FleetSnapshot, (standing, words): &Stand, store: Option<&WriterStats>) {
        self.fill(fleet);
        self.standing = *standing;
        self.words.clone_from(words);
        self.store = store.map(StoreFigures::from);
        self.stamp();
    }
}

async fn written(writing: Option<JoinHandle<std::io::Result<()>>>) -> std::io::Result<()> {
    match writing {
        Some(writing) => writing.await.map_err(std::io::Error::other)?,
        None => Ok(()),
    }
}

/// When the watchdog is to be told that all is well.
struct Watchdog {
    every: Option<Duration>,
    told: Option<Instant>,
    ticks: u64,
    moved: Option<Instant>,
}

impl Watchdog {
    const fn new(every: Option<Duration>) -> Self {
        Self { every, told: None, ticks: 0, moved: None }
    }

    /// True if it is time for it and the reducer lives.
    fn is_due(&mut self, ticks: u64, now: Instant) -> bool {
        let Some(every) = self.every else { return false };
        if ticks != self.ticks || self.moved.is_none() {
            self.ticks = ticks;
            self.moved = Some(now);
        }
        let lives = self.moved.is_some_and(|at| now - at <= HANGS_AFTER);
        // One second less, because it is checked only once a second.
        let every = every.saturating_sub(Duration::from_millis(heartbeat::EVERY_MS));
        let due = self.told.is_none_or(|at| now - at >= every);
        if lives && due {
            self.told = Some(now);
        }
        lives && due
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_watchdog_hears_nothing_from_a_reducer_that_hangs() {
        let (start, s) = (Instant::now(), Duration::from_secs);
        let mut watchdog = Watchdog::new(Some(s(15)));
        let mut told = Vec::new();
        for second in 0..120_u64 {
            // It hangs from the 60th second to the 90th.
            let ticks = if (60..90).contains(&second) { 60 } else { second };
            if watchdog.is_due(ticks, start + s(second)) {
                told.push(second);
            }
        }
        assert_eq!(told, [0, 14, 28, 42, 56, 90, 104, 118]);
        assert!(!Watchdog::new(None).is_due(1, start), "nobody wants to hear");
    }
}
