//! From two raw headline samples to figures per second.

use super::{
    rate::{Interval, Mark, delta},
    shared::Poll,
};
use crate::model::{
    base::{age::passed_ms, time::Timestamp},
    poll::{
        headline::{Headline, HeadlineSample},
        id::rounded,
    },
};
use std::collections::VecDeque;

/// Deadlocks are counted over this time.
const RECENT_MS: u64 = 15 * 60 * 1000;
/// Polls with deadlocks that are remembered: more than the fastest interval makes in that time.
const MAX_RECENT: usize = 1_000;
/// A start time that moves less than this did not move: it is the difference of two clocks.
const START_JITTER_MS: i64 = 5_000;

/// The CPUs as other probes told them.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Cpus {
    /// of the machine
    pub of_machine: Option<i32>,
    /// schedulers that run user work: fewer than CPUs where the edition or the affinity says so
    pub schedulers: Option<i64>,
}

impl Cpus {
    /// As many as SQL Server can be busy on: 100 % of its CPU is all of these.
    fn may_run(self, counted: Option<i32>) -> Option<f64> {
        let all = counted.or(self.of_machine).filter(|n| *n > 0).map(i64::from);
        let schedulers = self.schedulers.filter(|n| *n > 0);
        all.into_iter().chain(schedulers).min().map(|n| n as f64).filter(|_| all.is_some())
    }
}

/// The sample before, and what outlives it.
#[derive(Debug, Default)]
pub(super) struct HeadlineFold {
    before: Option<(Mark, HeadlineSample)>,
    /// (when, how many) of polls with deadlocks
    deadlocks: VecDeque<(Timestamp, u32)>,
    /// start of the instance by our clock, as it is shown
    shown_start: Option<Timestamp>,
}

impl HeadlineFold {
    /// Start of the instance as the server said it last: the key of all counters.
    pub fn started_at(&self) -> Option<Timestamp> {
        self.before.and_then(|(_, raw)| raw.started_at)
    }

    pub fn fold(&mut self, raw: &HeadlineSample, poll: &Poll, cpus: Cpus) -> Headline {
        let mark = Mark {
            at: poll.at,
            server_at: raw.server_time,
            took_ms: poll.took_ms,
            started_at: raw.started_at,
        };
        let compared = self
            .before
            .and_then(|(before, old)| Interval::between(before, mark).ok().map(|interval| (interval, old)));
        let mut h = gauges(raw, poll);
        h.started_at = self.start_by_our_clock(raw, poll.at);
        if let Some((interval, old)) = compared {
            rates(&mut h, interval, &old, raw, cpus);
            self.count_deadlocks(poll.at, delta(old.deadlocks, raw.deadlocks));
        }
        h.deadlocks_recent = self.recent_deadlocks(poll.at, raw.deadlocks.is_some());
        self.before = Some((mark, *raw));
        round(&mut h);
        h
    }

    /// The start is told by the server's clock, which may be wrong: what counts is how long ago it was there.
    fn start_by_our_clock(&mut self, raw: &HeadlineSample, at: Timestamp) -> Option<Timestamp> {
        let started_at = raw.started_at?;
        let up_ms = raw.server_time.map_or(at - started_at, |server| server - started_at);
        if up_ms < -START_JITTER_MS {
            return None; // a start in the future: not a restart of just now
        }
        let ours = at.plus_ms(-up_ms.max(0));
        let shown = match self.shown_start {
            Some(shown) if (shown - ours).abs() <= START_JITTER_MS => shown,
            _ => ours,
        };
        self.shown_start = Some(shown);
        Some(shown)
    }

    fn count_deadlocks(&mut self, at: Timestamp, new: Option<i64>) {
        if let Some(new) = new.filter(|n| *n > 0) {
            self.deadlocks.push_back((at, u32::try_from(new).unwrap_or(u32::MAX)));
        }
        while self.deadlocks.len() > MAX_RECENT {
            self.deadlocks.pop_front();
        }
    }

    fn recent_deadlocks(&mut self, at: Timestamp, known: bool) -> Option<u32> {
        self.deadlocks.retain_mut(|(since, _)| passed_ms(since, at) <= RECENT_MS);
        known.then(|| self.deadlocks.iter().fold(0u32, |sum, (_, n)| sum.saturating_add(*n)))
    }
}

/// The figures that need no second sample.
fn gauges(raw: &HeadlineSample, poll: &Poll) -> Headline {
    let tempdb_used_pct = match (raw.tempdb_size_kb, raw.tempdb_free_kb) {
        (Some(size), Some(free)) if size > 0 => {
            Some((100.0 - free as f64 / size as f64 * 100.0).clamp(0.0, 100.0))
        }
        _ => None,
    };
    Headline {
        connections: raw.connections,
        blocked: raw.blocked,
        page_life_s: raw.page_life_s,
        grants_pending: raw.grants_pending,
        grants_outstanding: raw.grants_outstanding,
        total_memory_kb: raw.total_memory_kb,
        target_memory_kb: raw.target_memory_kb,
        tempdb_used_pct,
        tempdb_size_kb: raw.tempdb_size_kb,
        round_trip_ms: poll.took_ms,
        ..Headline::default()
    }
}

/// More CPU than this cannot have been used, percent of what there is.
const MOST_PCT: f64 = 200.0;

fn rates(h: &mut Headline, interval: Interval, old: &HeadlineSample, new: &HeadlineSample, cpus: Cpus) {
    h.cpu_pct = match (interval.rate(old.process_cpu_ms, new.process_cpu_ms), cpus.may_run(new.cpu_count)) {
        // Two clocks measure: a little more than all of it is all of it, and much more is nonsense.
        (Some(ms_per_s), Some(cpus)) => {
            Some(ms_per_s / 10.0 / cpus).filter(|pct| *pct <= MOST_PCT).map(|pct| pct.min(100.0))
        }
        _ => None,
    };
    h.batches_per_s = interval.rate(old.batches, new.batches);
    h.logins_per_s = interval.rate(old.logins, new.logins);
    h.transactions_per_s = interval.rate(old.transactions, new.transactions);
    h.compilations_per_s = interval.rate(old.compilations, new.compilations);
    h.recompilations_per_s = interval.rate(old.recompilations, new.recompilations);
    h.log_flushes_per_s = interval.rate(old.log_flushes, new.log_flushes);
    h.lazy_writes_per_s = interval.rate(old.lazy_writes, new.lazy_writes);
    h.deadlocks_per_min = interval.rate(old.deadlocks, new.deadlocks).map(|r| r * 60.0);
    let flushes = delta(old.log_flushes, new.log_flushes).filter(|n| *n > 0);
    h.log_flush_ms = match (delta(old.log_flush_wait_ms, new.log_flush_wait_ms), flushes) {
        (Some(ms), Some(n)) => Some(ms as f64 / n as f64),
        _ => None,
    };
}

fn round(h: &mut Headline) {
    for rate in [
        &mut h.cpu_pct,
        &mut h.batches_per_s,
        &mut h.logins_per_s,
        &mut h.transactions_per_s,
        &mut h.compilations_per_s,
        &mut h.recompilations_per_s,
        &mut h.log_flushes_per_s,
        &mut h.log_flush_ms,
        &mut h.lazy_writes_per_s,
        &mut h.deadlocks_per_min,
        &mut h.tempdb_used_pct,
    ] {
        *rate = rate.map(rounded);
    }
}
