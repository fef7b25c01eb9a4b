//! Rates from cumulative counters: when two samples may be compared, and what lies between them.
//!
//! Used by the fold only. The rules are those that others paid for: a counter belongs to one start of the instance;
//! a value that fell was cleared; a gap of more than [`MAX_GAP_MS`] tells nothing about now.

use crate::model::base::time::{Timestamp, is_zone_shift};

/// Two samples further apart than this make no rate (PerformanceMonitor discards deltas over 300 s).
pub const MAX_GAP_MS: u64 = 300_000;

/// Two samples closer than this make no rate: the clock's grain would be larger than what is measured.
pub const MIN_GAP_MS: u64 = 100;

/// Start times within this of each other are the same start: they are computed from two clocks.
const SAME_START_MS: i64 = 5_000;

/// Clocks of two machines may step this far between two samples by their own adjustment (NTP slews 0.5 ms a second).
const CLOCK_GRAIN_MS: u64 = 200;

/// No rate of anything is above this: a TB a second, or the waits of a thousand million tasks.
const MOST_PER_S: f64 = 1e12;

/// When a sample was taken, and of which life of the instance.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Mark {
    /// our clock, when the answer was there
    pub at: Timestamp,
    /// the server's clock, when it read its counters; None if the script does not ask for it
    pub server_at: Option<Timestamp>,
    /// how long the answer took, ms: by this much the two clocks may disagree about an interval
    pub took_ms: u32,
    /// start of the instance as the server said it then; None if it did not say
    pub started_at: Option<Timestamp>,
}

/// The reason why two samples make no rate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NoRate {
    /// the instance restarted (or another one answers under this name): its counters began anew
    Restarted,
    /// our clock went back, or stood still
    ClockBack,
    /// too long ago to say anything about now
    Gap,
}

/// The time between two samples that may be compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Interval {
    /// length, ms; between [`MIN_GAP_MS`] and [`MAX_GAP_MS`]
    pub ms: u64,
}

impl Interval {
    /// Compares two marks.
    ///
    /// # Errors
    /// Says why the samples cannot be compared.
    pub fn between(before: Mark, now: Mark) -> Result<Self, NoRate> {
        if !same_start(before.started_at, now.started_at) {
            return Err(NoRate::Restarted);
        }
        let ms = now.at.ms_since(before.at);
        match ms {
            MIN_GAP_MS..=MAX_GAP_MS => Ok(Self { ms: by_the_server(before, now, ms) }),
            0..MIN_GAP_MS => Err(NoRate::ClockBack),
            _ => Err(NoRate::Gap),
        }
    }

    /// Units per second.
    pub fn per_s(self, delta: i64) -> f64 {
        delta as f64 * 1000.0 / self.ms as f64
    }

    /// Units per second, as far as they can be: a counter that jumped is no rate.
    pub fn believed_per_s(self, delta: i64) -> Option<f64> {
        Some(self.per_s(delta)).filter(|rate| rate.abs() <= MOST_PER_S)
    }

    /// The rate of a 64-bit counter; None if a value is missing, the counter was cleared or jumped further than it can.
    pub fn rate(self, before: Option<i64>, now: Option<i64>) -> Option<f64> {
        delta(before, now).and_then(|d| self.believed_per_s(d))
    }
}

/// The newest sample of counters, kept until the next one comes.
#[derive(Debug)]
pub struct Before<T>(Option<(Mark, T)>);

impl<T> Default for Before<T> {
    fn default() -> Self {
        Self(None)
    }
}

impl<T> Before<T> {
    /// The newest sample, if it is of the same life of the instance.
    pub fn of_life(&self, mark: Mark) -> Option<&T> {
        let (then, old) = self.0.as_ref()?;
        same_start(then.started_at, mark.started_at).then_some(old)
    }

    /// Takes a sample, and compares it with the one before. None without one, or where the two may not be compared.
    pub fn compare<R>(
        &mut self,
        mark: Mark,
        now: T,
        with: impl FnOnce(&T, &T, Interval) -> Option<R>,
    ) -> Option<R> {
        let before = self.0.replace((mark, now));
        let ((then, old), (_, now)) = (before?, self.0.as_ref()?);
        with(&old, now, Interval::between(then, mark).ok()?)
    }
}

/// Counters grow by the server's clock, while answers arrive late by what the network and our own load add. The
/// server's interval is taken if the two round trips explain its difference from ours; a clock that was set is not.
fn by_the_server(before: Mark, now: Mark, our_ms: u64) -> u64 {
    let (Some(then), Some(told)) = (before.server_at, now.server_at) else { return our_ms };
    let ms = told.ms_since(then);
    let explained_ms = u64::from(before.took_ms) + u64::from(now.took_ms) + CLOCK_GRAIN_MS;
    if ms >= MIN_GAP_MS && ms.abs_diff(our_ms) <= explained_ms { ms } else { our_ms }
}

/// True if both start times mean the same life of the instance. Start times arrive in the server's local time and
/// are turned into UTC with its current offset, so a change of daylight saving moves them by a multiple of a quarter
/// of an hour: that is not a restart. Unknown start times are believed to be the same.
pub fn same_start(a: Option<Timestamp>, b: Option<Timestamp>) -> bool {
    let (Some(a), Some(b)) = (a, b) else { return true };
    let apart = (a - b).saturating_abs();
    apart <= SAME_START_MS || is_zone_shift(apart, SAME_START_MS)
}

/// The growth of a 64-bit counter; None if a value is missing, or it fell: then it was cleared.
pub fn delta(before: Option<i64>, now: Option<i64>) -> Option<i64> {
    let d = now?.checked_sub(before?)?;
    (d >= 0).then_some(d)
}

/// As [`delta`], for counters that SQL Server keeps in a signed 32-bit number (`cpu_time` of sessions and requests):
/// a fall from close to the top to close to the bottom is a wrap, not a reset.
pub fn delta32(before: Option<i64>, now: Option<i64>) -> Option<i64> {
    const TOP: i64 = i32::MAX as i64;
    const BOTTOM: i64 = i32::MIN as i64;
    const NEAR: i64 = 1 << 27;
    let (b, n) = (before?, now?);
    if (TOP - NEAR + 1..=TOP).contains(&b) && (BOTTOM..BOTTOM + NEAR).contains(&n) {
        return Some(n - b + (1 << 32));
    }
    delta(before, now)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn mark(at_ms: i64, start_ms: Option<i64>) -> Mark {
        let started_at = start_ms.map(Timestamp::from_ms);
        Mark { at: Timestamp::from_ms(at_ms), server_at: None, took_ms: 0, started_at }
    }

    #[test]
    fn the_servers_interval_counts_if_the_round_trips_explain_it() {
        let told = |at, server, took_ms| Mark {
            server_at: Some(Timestamp::from_ms(server)),
            took_ms,
            ..mark(at, None)
        };
        let ms = |a, b| Interval::between(a, b).map(|i| i.ms);
        let before = told(10_000, 509_990, 10);
        assert_eq!(ms(before, told(12_900, 511_990, 900)), Ok(2_000), "the second answer was 0.9 s late");
        assert_eq!(
            ms(before, told(12_000, 571_990, 10)),
            Ok(2_000),
            "the server's clock was set: ours counts"
        );
        assert_eq!(ms(before, told(12_000, 400_000, 10)), Ok(2_000), "it went back: ours counts");
        assert_eq!(ms(before, mark(12_000, None)), Ok(2_000), "it did not say: ours counts");
    }

    #[test]
    fn a_restart_gives_no_rate() {
        let before = mark(1_000_000, Some(0));
        assert_eq!(Interval::between(before, mark(1_030_000, Some(1_010_000))), Err(NoRate::Restarted));
        assert_eq!(Interval::between(before, mark(1_030_000, Some(900))).map(|i| i.ms), Ok(30_000));
        assert_eq!(Interval::between(before, mark(1_030_000, None)).map(|i| i.ms), Ok(30_000));
    }

    #[test]
    fn a_change_of_daylight_saving_is_not_a_restart() {
        let before = mark(90_000_000, Some(0));
        assert!(Interval::between(before, mark(90_030_000, Some(3_600_400))).is_ok());
        assert!(Interval::between(before, mark(90_030_000, Some(-3_600_000))).is_ok());
        assert_eq!(Interval::between(before, mark(90_030_000, Some(3_000_000))), Err(NoRate::Restarted));
    }

    #[test]
    fn gaps_and_clocks_that_go_back_give_no_rate() {
        let before = mark(1_000_000, None);
        assert_eq!(Interval::between(before, mark(1_300_001, None)), Err(NoRate::Gap));
        assert_eq!(Interval::between(before, mark(1_000_000, None)), Err(NoRate::ClockBack));
        assert_eq!(Interval::between(before, mark(400_000, None)), Err(NoRate::ClockBack));
        assert_eq!(Interval::between(before, mark(1_300_000, None)).map(|i| i.ms), Ok(300_000));
    }

    #[test]
    fn a_counter_that_fell_was_cleared() {
        let i = Interval { ms: 2_000 };
        assert_eq!(i.rate(Some(100), Some(300)), Some(100.0));
        assert_eq!(i.rate(Some(300), Some(100)), None);
        assert_eq!(i.rate(None, Some(100)), None);
        assert_eq!(i.rate(Some(i64::MIN), Some(i64::MAX)), None);
    }

    #[test]
    fn a_wrapped_32_bit_counter_goes_on() {
        assert_eq!(delta32(Some(i64::from(i32::MAX) - 9), Some(i64::from(i32::MIN) + 10)), Some(20));
        assert_eq!(delta32(Some(i64::from(i32::MAX) - 9), Some(10)), None, "from the top to zero is a reset");
        let middle = Some(1_000_000_000);
        assert_eq!(delta32(middle, Some(i64::from(i32::MIN) + 10)), None, "and so from the middle");
        assert_eq!(delta32(Some(5), Some(9)), Some(4));
    }

    proptest! {
        #[test]
        fn rates_are_never_negative(a: i64, b: i64, x: i64, y: i64, s: Option<i64>, t: Option<i64>) {
            if let Ok(i) = Interval::between(mark(a, s), mark(b, t)) {
                prop_assert!(i.rate(Some(x), Some(y)).is_none_or(|r| r >= 0.0 && r.is_finite()));
            }
            prop_assert!(delta32(Some(x), Some(y)).is_none_or(|d| d >= 0));
        }
    }
}
