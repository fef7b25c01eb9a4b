//! Counts of durations that many tasks write and one reader asks for quantiles of the last minute or two, and for all that
//! ever was. Four buckets to each power of two: a quantile is right within a quarter.

use std::{
    sync::atomic::{AtomicU32, AtomicU64, Ordering::Relaxed},
    time::Duration,
};

/// Buckets: 0 to 3 ms each have their own, then four to each power of two up to about 17 minutes.
const BUCKETS: usize = 80;

/// The histogram. Each counter stands alone, so relaxed order is enough.
#[derive(Debug)]
pub struct Histogram {
    /// this minute and the one before
    minutes: [[AtomicU32; BUCKETS]; 2],
    /// which of the two is this minute's
    minute: AtomicU32,
    /// since the start
    all: [AtomicU64; BUCKETS],
    sum_ms: AtomicU64,
}

impl Default for Histogram {
    fn default() -> Self {
        let minute = || std::array::from_fn(|_| AtomicU32::default());
        Self {
            minutes: [minute(), minute()],
            minute: AtomicU32::default(),
            all: std::array::from_fn(|_| AtomicU64::default()),
            sum_ms: AtomicU64::default(),
        }
    }
}

impl Histogram {
    /// Counts one.
    pub fn record(&self, took: Duration) {
        let ms = u64::try_from(took.as_millis()).unwrap_or(u64::MAX);
        let bucket = bucket(ms);
        let minute = self.minute.load(Relaxed) as usize % 2;
        self.minutes[minute][bucket].fetch_add(1, Relaxed);
        self.all[bucket].fetch_add(1, Relaxed);
        self.sum_ms.fetch_add(ms, Relaxed);
    }

    /// Forgets the minute before last. Called once a minute.
    pub fn next_minute(&self) {
        let next = self.minute.load(Relaxed).wrapping_add(1) % 2;
        for bucket in &self.minutes[next as usize] {
            bucket.store(0, Relaxed);
        }
        self.minute.store(next, Relaxed);
    }

    /// Of the last one to two minutes: the time, ms, that no more than `above` in a thousand took longer than. The upper
    /// end of its bucket; 0 for "within the millisecond" and without any.
    pub fn quantile_ms(&self, above: u64) -> u32 {
        let count = |i: usize| self.minutes.iter().map(|m| u64::from(m[i].load(Relaxed))).sum::<u64>();
        let total: u64 = (0..BUCKETS).map(count).sum();
        let mut left = total.saturating_mul(above) / 1000;
        for i in (0..BUCKETS).rev() {
            let here = count(i);
            if here > left {
                return if i == 0 { 0 } else { end_ms(i) };
            }
            left -= here;
        }
        0
    }

    /// Since the start: how many took less than each power of two of ms, the sum in ms, and how many there were.
    pub fn totals(&self) -> Totals {
        let mut below = Vec::with_capacity(BUCKETS / 4);
        let mut count = 0;
        for (i, bucket) in self.all.iter().enumerate() {
            count += bucket.load(Relaxed);
            let end = end_ms(i);
            if end.is_power_of_two() {
                below.push((end, count));
            }
        }
        Totals { below, sum_ms: self.sum_ms.load(Relaxed), count }
    }
}

/// See `Histogram::totals`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Totals {
    /// upper bounds, ms, growing, each with how many took less
    pub below: Vec<(u32, u64)>,
    /// all of them together, ms
    pub sum_ms: u64,
    /// how many
    pub count: u64,
}

fn bucket(ms: u64) -> usize {
    if ms < 4 {
        return ms as usize;
    }
    let power = ms.ilog2() as usize;
    let quarter = (ms >> (power - 2)) as usize & 3;
    (4 * (power - 1) + quarter).min(BUCKETS - 1)
}

/// The first ms that is not in the bucket any more.
fn end_ms(bucket: usize) -> u32 {
    if bucket < 4 {
        return bucket as u32 + 1;
    }
    let (power, quarter) = (bucket / 4 + 1, bucket as u32 % 4);
    (5 + quarter) << (power - 2)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_duration_is_within_a_quarter_of_its_bucket() {
        for ms in [0, 1, 3, 4, 5, 7, 8, 100, 699, 700, 1_000, 30_000, 600_000] {
            let (i, ms_f) = (bucket(ms), ms as f64);
            assert!(u64::from(end_ms(i)) > ms, "{ms}");
            assert!(i == 0 || u64::from(end_ms(i - 1)) <= ms, "{ms}");
            assert!(ms < 4 || f64::from(end_ms(i)) <= ms_f * 1.25 + 1.0, "{ms}: {}", end_ms(i));
        }
        assert_eq!(bucket(u64::MAX), BUCKETS - 1);
        assert!((1..BUCKETS).all(|i| end_ms(i) > end_ms(i - 1)));
    }

    #[test]
    fn quantiles_are_of_the_last_minutes_and_totals_of_all() {
        let h = Histogram::default();
        for ms in 1..=100 {
            h.record(Duration::from_millis(ms));
        }
        assert_eq!((h.quantile_ms(500), h.quantile_ms(50), h.quantile_ms(10)), (56, 96, 112));
        h.next_minute();
        h.next_minute();
        assert_eq!(h.quantile_ms(500), 0, "forgotten");
        let totals = h.totals();
        assert_eq!((totals.count, totals.sum_ms), (100, 5_050));
        let below = |end| totals.below.iter().find(|(e, _)| *e == end).map(|(_, n)| *n);
        assert_eq!((below(1), below(64), below(128)), (Some(0), Some(63), Some(100)));
    }
}
