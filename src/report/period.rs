//! The stretch of time that a report is about.

use crate::model::base::time::Timestamp;

/// The part of one instance's history that is in memory at once, ms.
const PART_MS: i64 = 3_600_000;

/// A stretch of time; it begins before it ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Period {
    /// its start
    pub from: Timestamp,
    /// its end
    pub to: Timestamp,
}

impl Period {
    /// Its length, ms; at least 1.
    pub fn length_ms(self) -> i64 {
        (self.to - self.from).max(1)
    }

    /// The share that `ms` are of it, %.
    pub(super) fn share_pct(self, ms: f64) -> f64 {
        ms * 100.0 / self.length_ms() as f64
    }

    /// The same in parts that fit in memory, one after the other.
    pub(super) fn parts(self) -> impl Iterator<Item = (Timestamp, Timestamp)> {
        let count = (self.to - self.from + PART_MS - 1) / PART_MS;
        (0..count).map(move |n| {
            let from = self.from.plus_ms(n * PART_MS);
            (from, from.plus_ms(PART_MS).min(self.to))
        })
    }
}
