//! What the on-demand lane of an instance cost it within the last hour, held against the lane's budget. The lane bills it with what
//! its session used there, and asks it before each probe; what a person asks is billed and never held up. It outlives the lane.

use crate::model::base::figure::{limit, push_span};
use std::{collections::VecDeque, time::Duration};
use tokio::time::Instant;

/// The budget is one of so long.
const HOUR: Duration = Duration::from_hours(1);
/// Bills so near to each other are one.
const GRAIN: Duration = Duration::from_mins(1);

/// CPU time by when it was used, the oldest first; at most a bill a minute.
#[derive(Debug, Clone, Default)]
pub struct Ledger(VecDeque<(Instant, Duration)>);

/// The budget is used up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Over {
    /// so much within the last hour
    pub spent: Duration,
    /// of this
    pub budget: Duration,
    /// there is room again after this
    pub free_in: Duration,
}

impl Over {
    /// Why a probe waits, for its cell.
    pub fn words(self) -> String {
        // Whole minutes, so that the cell is not another one with each look.
        let minutes = self.free_in.as_secs().div_ceil(60).max(1);
        let seconds = |time: Duration| limit(Duration::from_secs(time.as_secs()));
        let (spent, budget) = (seconds(self.spent), seconds(self.budget));
        let mut left = String::new();
        push_span(&mut left, i64::try_from(minutes * 60_000).unwrap_or(i64::MAX));
        format!("deferred {left}: slow probes took {spent} of CPU within an hour, budget {budget}")
    }
}

impl Ledger {
    /// So much was used.
    pub fn bill(&mut self, cpu: Duration, now: Instant) {
        self.forget(now);
        match self.0.back_mut() {
            Some((at, bill)) if now - *at < GRAIN => *bill += cpu,
            _ => self.0.push_back((now, cpu)),
        }
    }

    /// More was used than the budget allows; a budget of nothing is none.
    pub fn over(&mut self, budget: Duration, now: Instant) -> Option<Over> {
        self.forget(now);
        let spent: Duration = self.0.iter().map(|(_, cpu)| *cpu).sum();
        if budget.is_zero() || spent < budget {
            return None;
        }
        let mut left = spent;
        let frees = self.0.iter().find(|(_, cpu)| {
            left -= *cpu;
            left < budget
        });
        let free_in = frees.map_or(HOUR, |(at, _)| (*at + HOUR).saturating_duration_since(now));
        Some(Over { spent, budget, free_in })
    }

    fn forget(&mut self, now: Instant) {
        while self.0.front().is_some_and(|(at, _)| now.saturating_duration_since(*at) >= HOUR) {
            self.0.pop_front();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_an_hour_old_is_free_again() {
        let (mut ledger, start) = (Ledger::default(), Instant::now());
        let at = |minutes: u64| start + Duration::from_mins(minutes);
        let (s, budget) = (Duration::from_secs, Duration::from_mins(1));
        assert_eq!(ledger.over(budget, at(0)), None);
        ledger.bill(s(40), at(0));
        ledger.bill(s(19), at(20));
        assert_eq!(ledger.over(budget, at(20)), None, "59 of 60");
        ledger.bill(s(3), at(30));
        let over = ledger.over(budget, at(40)).unwrap();
        assert_eq!((over.spent, over.free_in), (s(62), Duration::from_mins(20)));
        let words = "deferred 20m: slow probes took 1m02s of CPU within an hour, budget 1m00s";
        assert_eq!(over.words(), words);
        assert_eq!(ledger.over(Duration::ZERO, at(40)), None, "no limit");
        assert_eq!(ledger.over(budget, at(60)), None, "22 of 60");
        ledger.bill(s(500), at(60));
        assert_eq!(ledger.over(budget, at(119)).unwrap().free_in, Duration::from_mins(1));
        assert_eq!(ledger.over(budget, at(120)), None);
    }

    #[test]
    fn it_stays_small() {
        let (mut ledger, start) = (Ledger::default(), Instant::now());
        for n in 0..20_000 {
            ledger.bill(Duration::from_millis(10), start + Duration::from_secs(n));
        }
        assert!(ledger.0.len() <= 61, "{}", ledger.0.len());
        let over = ledger.over(Duration::from_secs(30), start + Duration::from_secs(20_000)).unwrap();
        assert!((35..=36).contains(&over.spent.as_secs()), "{over:?}");
    }
}
