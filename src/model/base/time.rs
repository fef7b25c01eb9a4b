//! One point in time, as the whole program counts it. No clock in here: callers pass the time in.

use serde::{Deserialize, Serialize};
use std::{
    ops::Sub,
    time::{SystemTime, UNIX_EPOCH},
};

/// Milliseconds since 1970-01-01 00:00 UTC, by the clock of the machine that dbtop runs on unless a name says
/// `server`. May go backwards when that clock is set; differences saturate at zero.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Timestamp(i64);

impl Timestamp {
    /// From milliseconds since the epoch.
    pub const fn from_ms(ms: i64) -> Self {
        Self(ms)
    }

    /// Milliseconds since the epoch.
    pub const fn ms(self) -> i64 {
        self.0
    }

    /// A moment as events and logs write it: `2031-05-28T08:26:24.698Z`. `None` for anything else, a time without a zone
    /// included.
    pub fn parse(text: &str) -> Option<Self> {
        let at = chrono::DateTime::parse_from_rfc3339(text.trim()).ok()?;
        Some(Self(at.timestamp_millis()))
    }

    /// The day in UTC: `2031-05-28`. Empty for a time that no calendar has.
    pub fn day(self) -> String {
        let day = chrono::DateTime::from_timestamp_millis(self.0);
        day.map_or_else(String::new, |at| at.format("%Y-%m-%d").to_string())
    }

    /// Milliseconds from `earlier` to `self`; 0 if the clock went back.
    pub const fn ms_since(self, earlier: Self) -> u64 {
        let d = self.0.saturating_sub(earlier.0);
        if d < 0 { 0 } else { d as u64 }
    }

    /// This instant moved by `ms`, saturating.
    #[must_use]
    pub const fn plus_ms(self, ms: i64) -> Self {
        Self(self.0.saturating_add(ms))
    }
}

impl From<SystemTime> for Timestamp {
    /// By the wall clock that a layer read. A time before 1970 is the epoch.
    fn from(time: SystemTime) -> Self {
        let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
        Self(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
    }
}

impl Sub for Timestamp {
    type Output = i64;
    /// Signed difference in milliseconds.
    fn sub(self, other: Self) -> i64 {
        self.0.saturating_sub(other.0)
    }
}

/// True if two readings of one local time are apart as a change of daylight saving makes it: a multiple of a quarter of an
/// hour, up to two hours, give or take `slack_ms`.
pub const fn is_zone_shift(apart_ms: i64, slack_ms: i64) -> bool {
    const QUARTER_MS: i64 = 900_000;
    const MAX_SHIFT_MS: i64 = 2 * 3_600_000;
    let apart = apart_ms.saturating_abs();
    let off = apart % QUARTER_MS;
    let near = if off < QUARTER_MS - off { off } else { QUARTER_MS - off };
    apart > slack_ms && apart <= MAX_SHIFT_MS + slack_ms && near <= slack_ms
}
