//! The clocks of the collector: the wall clock, which is the clock of [`Settings`](super::Settings) unless a test brings its
//! own, the time since the machine was started, and the sleep of the machine, as it shows in two clocks. Nothing else in
//! here, in `probe` or in `tds` reads the wall clock: they are given this one.

use crate::model::base::time::Timestamp;
use std::{
    sync::OnceLock,
    time::{Duration, SystemTime},
};
use tokio::time::Instant;

/// The clocks are never so far apart by themselves.
const AWAKE: Duration = Duration::from_secs(10);

/// Now, by the clock of this machine.
pub fn now() -> Timestamp {
    Timestamp::from(SystemTime::now())
}

/// Since the first call of this process. It stands still while the machine sleeps.
pub fn up() -> Duration {
    static START: OnceLock<std::time::Instant> = OnceLock::new();
    START.get_or_init(std::time::Instant::now).elapsed()
}

/// Whether the machine slept: meanwhile the wall clock ran on and timers stood still (CLOCK_MONOTONIC of Linux does not count a
/// suspend, clock_gettime(2)). A wall clock that was set forward looks the same.
pub(super) struct Sleep {
    wall: Timestamp,
    timer: Instant,
}

impl Sleep {
    /// From now on.
    pub fn since(wall: Timestamp, timer: Instant) -> Self {
        Self { wall, timer }
    }

    /// How long it slept since the last call; None: it did not.
    pub fn slept(&mut self, wall: Timestamp, timer: Instant) -> Option<Duration> {
        let by_wall = Duration::from_millis((wall - self.wall).max(0).unsigned_abs());
        let asleep = by_wall.saturating_sub(timer - self.timer);
        (self.wall, self.timer) = (wall, timer);
        (asleep > AWAKE).then_some(asleep)
    }
}
