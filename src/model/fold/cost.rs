//! Our cost on a server: growth of our own session's counters over the last minute.

use super::rate::{Interval, Mark, delta, delta32};
use crate::model::{
    base::time::Timestamp,
    poll::cost::{CostNow, CostSample},
};
use std::collections::VecDeque;

/// The time that rates are taken over, ms. Polls differ: the first one asks everything, others once an hour. Over one interval a
/// single heavy poll would look like a habit.
const WINDOW_MS: u64 = 60_000;

/// Samples kept at most: those of a minute at the fastest pace, and some.
const MOST: usize = 64;

/// The samples of the last minute, and the sum over all our sessions there.
#[derive(Debug, Default)]
pub(super) struct CostFold {
    recent: VecDeque<(Timestamp, CostSample)>,
    total_ms: i64,
}

impl CostFold {
    pub fn fold(&mut self, raw: CostSample, at: Timestamp) -> CostNow {
        let session = |c: &CostSample| (c.session_id, c.login_at);
        if self.recent.back().is_some_and(|(_, old)| session(old) != session(&raw)) {
            self.recent.clear();
        }
        let grown_ms = self.recent.back().map_or(raw.cpu_ms, |(_, old)| delta32(old.cpu_ms, raw.cpu_ms));
        self.total_ms = self.total_ms.saturating_add(grown_ms.unwrap_or_default().max(0));
        while self.recent.len() >= MOST
            || self.recent.get(1).is_some_and(|(second, _)| at.ms_since(*second) >= WINDOW_MS)
        {
            self.recent.pop_front();
        }
        let mut now = CostNow { slowed: raw.slowed, ..CostNow::default() };
        if let Some((then, old)) = self.recent.front() {
            let mark = |at| Mark { at, server_at: None, took_ms: 0, started_at: None };
            match Interval::between(mark(*then), mark(at)) {
                Ok(interval) => {
                    let grown_ms = delta32(old.cpu_ms, raw.cpu_ms);
                    now.cpu_ms_per_s = grown_ms.and_then(|ms| interval.believed_per_s(ms));
                    now.reads_per_s =
                        delta(old.logical_reads, raw.logical_reads).and_then(|n| interval.believed_per_s(n));
                    now.over_ms = interval.ms;
                }
                // A pause, or a clock that was set: what was before it says nothing about now.
                Err(_) => self.recent.clear(),
            }
        }
        self.recent.push_back((at, raw));
        now.cpu_ms_total = raw.cpu_ms.map(|_| self.total_ms);
        now
    }
}
