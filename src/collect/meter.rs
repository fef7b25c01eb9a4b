//! The collector's own figures: counters that all tasks write and the reducer reads, and what the operating system says
//! of this process.

use crate::model::sample::CollectorStats;
use std::{
    sync::atomic::{AtomicU32, AtomicU64, Ordering::Relaxed},
    time::Duration,
};

/// Upper bounds of the start-delay buckets are powers of two of ms: 1 ms to about 17 minutes.
const BUCKETS: usize = 21;

/// Counters. Each stands alone, so relaxed order is enough.
#[derive(Debug, Default)]
pub struct Meter {
    polls_ok: AtomicU64,
    polls_failed: AtomicU64,
    polls_skipped: AtomicU64,
    samples_dropped: AtomicU64,
    connects: AtomicU64,
    in_flight: AtomicU32,
    connected: AtomicU32,
    queued: AtomicU32,
    /// start delays of this minute and of the one before
    delays: [[AtomicU32; BUCKETS]; 2],
    /// which of the two is this minute's
    minute: AtomicU32,
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
    pub fn dropped(&self) {
        self.samples_dropped.fetch_add(1, Relaxed);
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

    /// A due poll started this late.
    pub fn start_delay(&self, late: Duration) {
        let ms = u64::try_from(late.as_millis()).unwrap_or(u64::MAX);
        let bucket = (u64::BITS - ms.leading_zeros()) as usize;
        let minute = self.minute.load(Relaxed) as usize % 2;
        self.delays[minute][bucket.min(BUCKETS - 1)].fetch_add(1, Relaxed);
    }

    /// Forgets the start delays of the minute before last. Called by the reducer once a minute.
    pub fn next_minute(&self) {
        let next = self.minute.load(Relaxed).wrapping_add(1) % 2;
        for bucket in &self.delays[next as usize] {
            bucket.store(0, Relaxed);
        }
        self.minute.store(next, Relaxed);
    }

    /// All figures now.
    pub fn read(&self, process: Process) -> CollectorStats {
        CollectorStats {
            polls_ok: self.polls_ok.load(Relaxed),
            polls_failed: self.polls_failed.load(Relaxed),
            polls_skipped: self.polls_skipped.load(Relaxed),
            samples_dropped: self.samples_dropped.load(Relaxed),
            connects: self.connects.load(Relaxed),
            in_flight: self.in_flight.load(Relaxed),
            connected: self.connected.load(Relaxed),
            queued: self.queued.load(Relaxed),
            start_delay_p99_ms: self.start_delay_p99_ms(),
            process_cpu_pct: process.cpu_pct,
            process_rss_bytes: process.rss_bytes,
        }
    }

    /// The bucket's upper bound; 0 for "within the millisecond".
    fn start_delay_p99_ms(&self) -> u32 {
        let count = |i: usize| self.delays.iter().map(|d| u64::from(d[i].load(Relaxed))).sum::<u64>();
        let total: u64 = (0..BUCKETS).map(count).sum();
        let mut above = total / 100;
        for i in (0..BUCKETS).rev() {
            let here = count(i);
            if here > above {
                return if i == 0 { 0 } else { 1u32 << i };
            }
            above -= here;
        }
        0
    }
}

/// What the operating system says of this process.
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
    fn the_slowest_hundredth_is_told() {
        let meter = Meter::default();
        for _ in 0..980 {
            meter.start_delay(Duration::from_micros(200));
        }
        for _ in 0..20 {
            meter.start_delay(Duration::from_millis(700));
        }
        assert_eq!(meter.read(Process::default()).start_delay_p99_ms, 1024);
        meter.next_minute();
        assert_eq!(meter.read(Process::default()).start_delay_p99_ms, 1024, "the minute before still counts");
        meter.next_minute();
        assert_eq!(meter.read(Process::default()).start_delay_p99_ms, 0);
    }

    #[test]
    fn what_goes_on_is_counted_while_it_goes_on() {
        let meter = Meter::default();
        let a = meter.flight();
        let b = meter.flight();
        drop(a);
        assert_eq!(meter.read(Process::default()).in_flight, 1);
        drop(b);
        assert_eq!(meter.read(Process::default()).in_flight, 0);
    }

    #[test]
    fn proc_files_are_read_whatever_the_name() {
        let stat = "42 (a b) c) S 1 42 42 0 -1 4194560 100 0 0 0 250 50 0 0 20 0 4 0 100 1000 200 18446744073709551615";
        assert_eq!(cpu_ticks(stat), Some(300));
        assert_eq!(rss_kb("Name:\tx\nVmRSS:\t  1234 kB\n"), Some(1234));
        assert_eq!(cpu_ticks(""), None);
    }
}
