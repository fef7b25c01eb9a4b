//! The simulator's time: milliseconds since its start, perhaps faster than real ones.

use std::time::{Instant, SystemTime, UNIX_EPOCH};

/// A clock that begins at 0 when it is made.
#[derive(Debug, Clone, Copy)]
pub struct Clock {
    started: Instant,
    speed: f64,
}

impl Clock {
    /// A clock whose seconds take 1/`speed` real seconds.
    pub fn start(speed: f64) -> Self {
        Self { started: Instant::now(), speed: speed.max(0.0) }
    }

    /// Milliseconds since the start.
    pub fn now_ms(&self) -> i64 {
        (self.started.elapsed().as_secs_f64() * self.speed * 1000.0) as i64
    }
}

/// Real time, UTC ms since 1970.
pub fn utc_ms() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or_default()
}
