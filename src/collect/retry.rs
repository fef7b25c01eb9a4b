//! When to try again after failures: a backoff with full jitter, and a circuit breaker on top. Pure: chance and time
//! are arguments. Owned by the instance's task.

use std::time::Duration;

/// Delays that double, up to a cap, each drawn evenly from zero to that envelope (full jitter), so that instances that
/// failed together do not come back together.
#[derive(Debug, Clone, Copy)]
pub struct Backoff {
    base: Duration,
    cap: Duration,
    /// part of the envelope that is always waited: 0 is full jitter
    least: f64,
}

impl Backoff {
    /// For what may heal by itself: 1 s, 2 s, 4 s … 30 s.
    pub const TRANSIENT: Self =
        Self { base: Duration::from_secs(1), cap: Duration::from_secs(30), least: 0.0 };
    /// For what someone must change (a refused login, a certificate): 30 s, 1 min … 10 min, at least half of it, so
    /// that our trying does not lock an account.
    pub const PERSISTENT: Self =
        Self { base: Duration::from_secs(30), cap: Duration::from_mins(10), least: 0.5 };

    /// The longest delay after `failures` failures in a row (from 1). Never falls as failures grow, never above the cap.
    pub fn envelope(self, failures: u32) -> Duration {
        let doublings = failures.saturating_sub(1).min(31);
        self.base.saturating_mul(1 << doublings).min(self.cap)
    }

    /// The delay itself; `chance` is from 0 to 1.
    pub fn delay(self, failures: u32, chance: f64) -> Duration {
        let part =
            self.least + (1.0 - self.least) * if chance.is_nan() { 0.5 } else { chance.clamp(0.0, 1.0) };
        self.envelope(failures).mul_f64(part)
    }
}

/// Failures in a row after which the circuit opens.
pub const OPENS_AFTER: u32 = 3;

/// The kinds of attempts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Attempt {
    /// everything that is due
    Full,
    /// the circuit is half open: one cheap poll first, the rest only if it works
    Trial,
}

/// Failures in a row and what follows from them.
#[derive(Debug, Clone, Copy, Default)]
pub struct Retry {
    failures: u32,
}

impl Retry {
    /// Failures since the last success.
    pub const fn failures(self) -> u32 {
        self.failures
    }

    /// A good answer came: the circuit is closed, the next failure starts anew.
    pub const fn succeeded(&mut self) {
        self.failures = 0;
    }

    /// An attempt failed; how long to wait before the next one.
    pub fn failed(&mut self, transient: bool, chance: f64) -> Duration {
        self.failures = self.failures.saturating_add(1);
        let backoff = if transient { Backoff::TRANSIENT } else { Backoff::PERSISTENT };
        backoff.delay(self.failures, chance)
    }

    /// The kind of the next attempt.
    pub const fn next_attempt(self) -> Attempt {
        if self.failures >= OPENS_AFTER { Attempt::Trial } else { Attempt::Full }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn the_envelope_grows_up_to_its_cap(n in 0u32..2_000, chance in any::<f64>()) {
            for backoff in [Backoff::TRANSIENT, Backoff::PERSISTENT] {
                prop_assert!(backoff.envelope(n) <= backoff.envelope(n + 1));
                prop_assert!(backoff.envelope(n) >= backoff.base && backoff.envelope(n) <= backoff.cap);
                let delay = backoff.delay(n, chance);
                prop_assert!(delay <= backoff.envelope(n) && delay >= backoff.envelope(n).mul_f64(backoff.least));
            }
        }
    }

    #[test]
    fn full_jitter_reaches_from_nothing_to_the_envelope() {
        assert_eq!(Backoff::TRANSIENT.delay(3, 0.0), Duration::ZERO);
        assert_eq!(Backoff::TRANSIENT.delay(3, 1.0), Duration::from_secs(4));
        assert_eq!(Backoff::TRANSIENT.envelope(99), Duration::from_secs(30));
    }

    #[test]
    fn the_circuit_opens_after_three_and_closes_with_one_success() {
        let mut retry = Retry::default();
        for _ in 0..2 {
            retry.failed(true, 0.5);
            assert_eq!(retry.next_attempt(), Attempt::Full);
        }
        retry.failed(true, 0.5);
        assert_eq!(retry.next_attempt(), Attempt::Trial);
        retry.succeeded();
        assert_eq!((retry.next_attempt(), retry.failures()), (Attempt::Full, 0));
        assert_eq!(retry.failed(true, 1.0), Duration::from_secs(1), "from the start again");
    }
}
