//! The collector's own figures: counters that all tasks write and the reducer reads, and what the operating system says
//! of this process.

use super::histogram::Histogram;
use crate::model::{base::failure::FailureKind, fold::stats::CollectorStats};
use std::{
    sync::{
        Arc,
        atomic::{AtomicU32, AtomicU64, Ordering::Relaxed},
    },
    time::Duration,
};

/// Counters. Each stands alone, so relaxed order is enough.
#[derive(Debug, Default)]
pub struct Meter {
    polls_ok: AtomicU64,
    polls_failed: AtomicU64,
    polls_skipped: AtomicU64,
    samples_waited: AtomicU64,
    history_waits: AtomicU32,
    connects: AtomicU64,
    in_flight: AtomicU32,
    connected: AtomicU32,
    queued: AtomicU32,
    polls_late: AtomicU64,
    /// failed polls and connects, by class
    errors: [AtomicU64; FailureKind::ALL.len()],
    /// instances that are polled more slowly because they cost too much
    slowed: AtomicU32,
    /// how late due polls started
    delays: Histogram,
    /// round trips of whole polls
    latency: Histogram,
    /// seconds that the reducer has lived through
    ticks: AtomicU64,
}

/// Counts something that is going on for as long as it lives.
#[derive(Debug)]
pub struct Going<'a>(&'a AtomicU32);

impl<'a> Going<'a> {
    fn start(counter: &'a AtomicU32) -> Self {
        counter.fetch_add(1, Relaxed);
        Self(counter)
    }
}

impl Drop for Going<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Relaxed);
    }
}

/// See [`Meter::slowed`].
#[derive(Debug)]
pub struct SlowedGuard(Arc<Meter>);

impl Drop for SlowedGuard {
    fn drop(&mut self) {
        self.0.slowed.fetch_sub(1, Relaxed);
    }
}

impl Meter {
    /// A connect is tried.
    pub fn connect(&self) {
        self.connects.fetch_add(1, Relaxed);
    }

    /// Probes ended.
    pub fn polled(&self, ok: u64, failed: u64) {
        self.polls_ok.fetch_add(ok, Relaxed);
        self.polls_failed.fetch_add(failed, Relaxed);
    }

    /// Polls were not started because the one before still ran.
    pub fn skipped(&self, polls: u64) {
        self.polls_skipped.fetch_add(polls, Relaxed);
    }

    /// A sample found the reducer's queue full.
    pub fn waited(&self) {
        self.samples_waited.fetch_add(1, Relaxed);
    }

    /// So many readings wait for the store.
    pub fn history_waits(&self, readings: usize) {
        self.history_waits.store(u32::try_from(readings).unwrap_or(u32::MAX), Relaxed);
    }

    /// Something waits for a permit.
    pub fn queue(&self) -> Going<'_> {
        Going::start(&self.queued)
    }

    /// A poll is under way.
    pub fn flight(&self) -> Going<'_> {
        Going::start(&self.in_flight)
    }

    /// An instance is connected.
    pub fn connection(&self) -> Going<'_> {
        Going::start(&self.connected)
    }

    /// A due poll of so many probes started this late; `limit` is what still counts as on time.
    pub fn start_delay(&self, late: Duration, limit: Duration, probes: usize) {
        self.delays.record(late);
        if late > limit {
            self.polls_late.fetch_add(probes as u64, Relaxed);
        }
    }

    /// A poll was over after this time, whatever came of it.
    pub fn took(&self, took: Duration) {
        self.latency.record(took);
    }

    /// A probe or a connect failed.
    pub fn error(&self, kind: FailureKind) {
        self.errors[kind as usize].fetch_add(1, Relaxed);
    }

    /// An instance is polled more slowly because it costs too much, for as long as the returned guard lives.
    pub fn slowed(self: &Arc<Self>) -> SlowedGuard {
        self.slowed.fetch_add(1, Relaxed);
        SlowedGuard(Arc::clone(self))
    }

    /// A second went by. Called by the reducer, and by nobody else: who sees no ticks knows that it hangs.
    pub fn tick(&self) {
        let ticks = self.ticks.fetch_add(1, Relaxed) + 1;
        if ticks.is_multiple_of(60) {
            self.delays.next_minute();
            self.latency.next_minute();
        }
    }

    /// See [`Meter::tick`].
    pub fn ticks(&self) -> u64 {
        self.ticks.load(Relaxed)
    }

    /// Round trips of whole polls.
    pub const fn latency(&self) -> &Histogram {
        &self.latency
    }

    /// All figures now; `updates_queued` are waiting for the reducer.
    pub fn read(&self, process: Process, updates_queued: usize) -> CollectorStats {
        CollectorStats {
            polls_ok: self.polls_ok.load(Relaxed),
            polls_failed: self.polls_failed.load(Relaxed),
            polls_skipped: self.polls_skipped.load(Relaxed),
            polls_late: self.polls_late.load(Relaxed),
            samples_waited: self.samples_waited.load(Relaxed),
            history_waits: self.history_waits.load(Relaxed),
            connects: self.connects.load(Relaxed),
            errors: std::array::from_fn(|i| self.errors[i].load(Relaxed)),
            in_flight: self.in_flight.load(Relaxed),
            connected: self.connected.load(Relaxed),
            queued: self.queued.load(Relaxed),
            slowed: self.slowed.load(Relaxed),
            updates_queued: u32::try_from(updates_queued).unwrap_or(u32::MAX),
            start_delay_p99_ms: self.delays.quantile_ms(10),
            latency_p50_ms: self.latency.quantile_ms(500),
            latency_p95_ms: self.latency.quantile_ms(50),
            latency_p99_ms: self.latency.quantile_ms(10),
            process_cpu_pct: process.cpu_pct,
            process_rss_bytes: process.rss_bytes,
        }
    }
}

/// The figures of this process, from the operating system.
#[derive(Debug, Clone, Copy, Default)]
pub struct Process {
    /// CPU since the reading before, % of one core
    pub cpu_pct: f32,
    /// resident memory, bytes
    pub rss_bytes: u64,
}

/// Reads [`Process`] again and again. Linux only; elsewhere all is zero, and the screen leaves zeros out.
#[derive(Debug, Default)]
pub struct ProcessReader {
    before: Option<(std::time::Instant, u64)>,
    last: Process,
}

/// CPU times in `/proc` are in hundredths of a second on every architecture that Linux runs SQL tools on (USER_HZ).
const TICKS_PER_S: f32 = 100.0;

impl ProcessReader {
    /// The figures now. Two small reads of `/proc`, which is memory: it does not block.
    pub fn read(&mut self) -> Process {
        let now = std::time::Instant::now();
        if let Some(ticks) = std::fs::read_to_string("/proc/self/stat").ok().and_then(|s| cpu_ticks(&s)) {
            if let Some((then, before)) = self.before {
                let seconds = (now - then).as_secs_f32().max(0.001);
                self.last.cpu_pct = ticks.saturating_sub(before) as f32 / TICKS_PER_S / seconds * 100.0;
            }
            self.before = Some((now, ticks));
        }
        if let Some(kb) = std::fs::read_to_string("/proc/self/status").ok().and_then(|s| rss_kb(&s)) {
            self.last.rss_bytes = kb * 1024;
        }
        self.last
    }
}

/// User and system time of `/proc/self/stat`: fields 14 and 15, counted behind the name, which may hold spaces.
fn cpu_ticks(stat: &str) -> Option<u64> {
    let (_, rest) = stat.rsplit_once(')')?;
    let mut fields = rest.split_whitespace().skip(11);
    let user: u64 = fields.next()?.parse().ok()?;
    let system: u64 = fields.next()?.parse().ok()?;
    Some(user + system)
}

fn rss_kb(status: &str) -> Option<u64> {
    status.lines().find_map(|l| l.strip_prefix("VmRSS:"))?.split_whitespace().next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_slowest_hundredth_is_told_and_the_late_ones_are_counted() {
        let (meter, limit) = (Meter::default(), Duration::from_millis(500));
        for _ in 0..980 {
            meter.start_delay(Duration::from_micros(200), limit, 3);
        }
        for _ in 0..20 {
            meter.start_delay(Duration::from_millis(700), limit, 3);
        }
        let stats = meter.read(Process::default(), 0);
        assert_eq!((stats.start_delay_p99_ms, stats.polls_late), (768, 60));
        (0..60).for_each(|_| meter.tick());
        assert_eq!(meter.read(Process::default(), 0).start_delay_p99_ms, 768, "the minute before counts");
        (0..60).for_each(|_| meter.tick());
        assert_eq!(meter.read(Process::default(), 0).start_delay_p99_ms, 0);
    }

    #[test]
    fn what_goes_on_is_counted_while_it_goes_on() {
        let meter = Meter::default();
        let a = meter.flight();
        let b = meter.flight();
        drop(a);
        assert_eq!(meter.read(Process::default(), 0).in_flight, 1);
        drop(b);
        assert_eq!(meter.read(Process::default(), 0).in_flight, 0);
    }

    #[test]
    fn proc_files_are_read_whatever_the_name() {
        let stat = "42 (a b) c) S 1 42 42 0 -1 4194560 100 0 0 0 250 50 0 0 20 0 4 0 100 1000 200 18446744073709551615";
        assert_eq!(cpu_ticks(stat), Some(300));
        assert_eq!(rss_kb("Name:\tx\nVmRSS:\t  1234 kB\n"), Some(1234));
        assert_eq!(cpu_ticks(""), None);
    }
}
