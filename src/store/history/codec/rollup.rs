//! Roll-ups: smallest, largest, sum and count of a series over 5 minutes, an hour, a day, and how a row of them is written
//! and merged. Buckets are aligned to UTC. Called by the writer when it seals chunks and by the reader for long charts; no
//! files here.

use super::{
    chunk::{MAX_SERIES, Window},
    numbers::{Bytes, Garbled, column, put, put_column},
};
use crate::model::base::code::codes;
use std::collections::BTreeMap;

const FORMAT: u8 = 1;
/// No row of ours has more buckets.
const MAX_BUCKETS: usize = 4096;

/// How coarse.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Tier {
    /// 5 minutes
    FiveMinutes,
    /// an hour
    Hour,
    /// a day
    Day,
}

impl Tier {
    /// All, finest first.
    pub const ALL: [Self; 3] = [Self::FiveMinutes, Self::Hour, Self::Day];

    /// How long a bucket is, s.
    pub const fn bucket_s(self) -> i64 {
        match self {
            Self::FiveMinutes => 300,
            Self::Hour => 3600,
            Self::Day => 86_400,
        }
    }

    /// How long a row is, s: the larger, the better it packs; the smaller, the cheaper it is written anew every two hours.
    pub const fn row_s(self) -> i64 {
        match self {
            Self::FiveMinutes => 86_400,
            Self::Hour => 8 * 86_400,
            Self::Day => 64 * 86_400,
        }
    }

    /// Its name for people.
    pub const fn name(self) -> &'static str {
        match self {
            Self::FiveMinutes => "5 min",
            Self::Hour => "1 h",
            Self::Day => "1 day",
        }
    }
}

codes!(Tier as u8 {
    1 => FiveMinutes,
    2 => Hour,
    3 => Day,
});

/// A series over one bucket, in whole steps of its metric.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Total {
    /// values
    pub n: u32,
    /// smallest
    pub min: i64,
    /// largest
    pub max: i64,
    /// their sum, at most what an `i64` holds
    pub sum: i64,
}

impl Total {
    /// Of one value.
    pub const fn of(value: i64) -> Self {
        Self { n: 1, min: value, max: value, sum: value }
    }

    /// With another one.
    #[must_use]
    pub fn with(self, other: Self) -> Self {
        Self {
            n: self.n.saturating_add(other.n),
            min: self.min.min(other.min),
            max: self.max.max(other.max),
            sum: self.sum.saturating_add(other.sum),
        }
    }
}

/// Not a series but the number of polls in each bucket. A wait type that is missing from a poll had no waits, which is a
/// zero and no gap.
pub const POLLS: u32 = 0;

/// One row: series, then bucket (start in seconds divided by the length), to total.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Row(pub BTreeMap<u32, BTreeMap<i64, Total>>);

impl Row {
    /// The rows of a tier that a window adds to, by their start in seconds.
    pub fn of(window: &Window, tier: Tier) -> BTreeMap<i64, Self> {
        let mut rows: BTreeMap<i64, Self> = BTreeMap::new();
        let mut put = |series: u32, time: i64, value: i64| {
            let start = time.div_euclid(tier.row_s()) * tier.row_s();
            let totals = rows.entry(start).or_default().0.entry(series).or_default();
            add(totals, time.div_euclid(tier.bucket_s()), Total::of(value));
        };
        for time in &window.times {
            put(POLLS, *time, 0);
        }
        for column in &window.columns {
            for (at, value) in column.at.iter().zip(&column.values) {
                put(column.series, window.times[*at as usize], *value);
            }
        }
        rows
    }

    /// Takes another row into this one.
    pub fn merge(&mut self, other: Self) {
        for (series, totals) in other.0 {
            let mine = self.0.entry(series).or_default();
            for (bucket, total) in totals {
                add(mine, bucket, total);
            }
        }
    }

    /// As a blob: per series the buckets, the counts, the smallest, and how far largest and sum are above it.
    pub fn encode(&self) -> Vec<u8> {
        let mut out = vec![FORMAT];
        put(&mut out, self.0.len() as u64);
        let mut body = Vec::new();
        let mut before = 0;
        for (series, totals) in &self.0 {
            let start = body.len();
            let columns: [Vec<i64>; 5] = [
                totals.keys().copied().collect(),
                totals.values().map(|total| i64::from(total.n)).collect(),
                totals.values().map(|total| total.min).collect(),
                totals.values().map(|total| total.max.wrapping_sub(total.min)).collect(),
                totals.values().map(above).collect(),
            ];
            for column in &columns {
                put_column(&mut body, column, false);
            }
            put(&mut out, u64::from(series - before));
            before = *series;
            put(&mut out, totals.len() as u64);
            put(&mut out, (body.len() - start) as u64);
        }
        out.extend_from_slice(&body);
        out
    }

    /// From a blob.
    pub fn decode(blob: &[u8]) -> Result<Self, Garbled> {
        let mut row = Self::default();
        each(blob, |series, _, totals| {
            row.0.insert(series, totals()?.into_iter().collect());
            Ok(())
        })?;
        Ok(row)
    }

    /// One series of a blob, by bucket.
    pub fn series(blob: &[u8], wanted: u32) -> Result<Vec<(i64, Total)>, Garbled> {
        let mut found = Vec::new();
        each(blob, |series, _, totals| {
            if series == wanted {
                found = totals()?;
            }
            Ok(())
        })?;
        Ok(found)
    }
}

/// The sum beyond `n` times the smallest.
fn above(total: &Total) -> i64 {
    total.sum.wrapping_sub(i64::from(total.n).wrapping_mul(total.min))
}

fn add(totals: &mut BTreeMap<i64, Total>, bucket: i64, total: Total) {
    totals.entry(bucket).and_modify(|mine| *mine = mine.with(total)).or_insert(total);
}

type Totals<'t> = &'t dyn Fn() -> Result<Vec<(i64, Total)>, Garbled>;

/// Calls `see` for every series with the number of its buckets, and a function that reads them.
fn each(
    blob: &[u8],
    mut see: impl FnMut(u32, usize, Totals<'_>) -> Result<(), Garbled>,
) -> Result<(), Garbled> {
    let mut from = Bytes(blob);
    if from.byte()? != FORMAT {
        return Err(Garbled);
    }
    let count = from.count(MAX_SERIES)?;
    let mut lines = Vec::with_capacity(count.min(blob.len()));
    let mut series = 0_u32;
    for _ in 0..count {
        let step = u32::try_from(from.number()?).map_err(|_| Garbled)?;
        series = series.checked_add(step).ok_or(Garbled)?;
        lines.push((series, from.count(MAX_BUCKETS)?, from.count(blob.len())?));
    }
    for (series, count, length) in lines {
        let body = from.take(length)?;
        see(series, count, &|| totals(body, count))?;
    }
    Ok(())
}

fn totals(body: &[u8], count: usize) -> Result<Vec<(i64, Total)>, Garbled> {
    let mut from = Bytes(body);
    let [buckets, counts, smallest, spans, sums] = [(); 5].map(|()| column(&mut from, count));
    let (buckets, counts, smallest, spans, sums) = (buckets?, counts?, smallest?, spans?, sums?);
    let mut found = Vec::with_capacity(count);
    for nth in 0..count {
        let (n, min) = (u32::try_from(counts[nth]).map_err(|_| Garbled)?, smallest[nth]);
        let sum = sums[nth].wrapping_add(i64::from(n).wrapping_mul(min));
        found.push((buckets[nth], Total { n, min, max: min.wrapping_add(spans[nth]), sum }));
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn window(points: &[(u32, i64)]) -> Window {
        let (mut window, mut time) = (Window::default(), 1_900_000_123);
        for (step, value) in points {
            time += i64::from(*step);
            window.push(time, [(3, *value), (9, value / 2)].into_iter());
        }
        window
    }

    proptest! {
        #[test]
        fn rows_come_back_and_merge_like_their_points(
            first in prop::collection::vec((1_u32..4000, -9999_i64..9999), 0..60),
            second in prop::collection::vec((1_u32..4000, -9999_i64..9999), 0..60),
        ) {
            let (one, two) = (window(&first), window(&second));
            for tier in Tier::ALL {
                let mut rows = Row::of(&one, tier);
                for (start, row) in Row::of(&two, tier) {
                    let blob = rows.remove(&start).unwrap_or_default().encode();
                    let mut merged = Row::decode(&blob).unwrap();
                    merged.merge(row);
                    rows.insert(start, merged);
                }
                let n: u32 = rows.values().filter_map(|row| row.0.get(&3)).flat_map(|t| t.values()).map(|t| t.n).sum();
                prop_assert_eq!(n as usize, first.len() + second.len());
                let sum: i64 = rows.values().filter_map(|row| row.0.get(&3)).flat_map(|t| t.values()).map(|t| t.sum).sum();
                prop_assert_eq!(sum, first.iter().chain(&second).map(|p| p.1).sum::<i64>());
                for row in rows.values() {
                    let blob = row.encode();
                    prop_assert_eq!(&Row::decode(&blob).unwrap(), row);
                    let series: Vec<_> = row.0[&9].iter().map(|(b, t)| (*b, *t)).collect();
                    prop_assert_eq!(Row::series(&blob, 9).unwrap(), series);
                }
            }
        }

        #[test]
        fn a_damaged_row_is_no_panic(
            points in prop::collection::vec((1_u32..400, -99_i64..99), 1..60), at: prop::sample::Index, byte: u8,
        ) {
            for row in Row::of(&window(&points), Tier::FiveMinutes).values() {
                let mut blob = row.encode();
                let at = at.index(blob.len());
                blob[at] = byte;
                let _ = Row::decode(&blob);
                blob.truncate(at);
                let _ = Row::decode(&blob);
            }
        }
    }

    #[test]
    fn extremes_survive() {
        let total = Total { n: 2, min: i64::MIN, max: i64::MAX, sum: -1 };
        let row = Row(BTreeMap::from([(1, BTreeMap::from([(5, total)]))]));
        assert_eq!(Row::decode(&row.encode()).unwrap(), row);
        assert_eq!(Total::of(i64::MAX).with(Total::of(1)).sum, i64::MAX);
    }

    #[test]
    fn buckets_start_at_the_whole_hour() {
        let mut window = Window::default();
        window.push(7199, [(1, 10)].into_iter());
        window.push(7200, [(1, 30)].into_iter());
        let rows = Row::of(&window, Tier::Hour);
        let buckets: Vec<_> = rows[&0].0[&1].iter().map(|(bucket, total)| (*bucket, total.max)).collect();
        assert_eq!(buckets, [(1, 10), (2, 30)]);
        let polls: Vec<_> = rows[&0].0[&POLLS].iter().map(|(bucket, total)| (*bucket, total.n)).collect();
        assert_eq!(polls, [(1, 1), (2, 1)]);
    }

    #[test]
    fn a_row_is_filed_under_its_start() {
        for tier in Tier::ALL {
            let length = tier.row_s();
            let mut window = Window::default();
            for time in [length * 5 - 1, length * 5, length * 6 - 1, length * 6] {
                window.push(time, [(1, 10)].into_iter());
            }
            let rows = Row::of(&window, tier);
            let told: Vec<_> =
                rows.iter().map(|(start, row)| (*start, row.0[&1].values().map(|t| t.n).sum())).collect();
            assert_eq!(told, [(length * 4, 1), (length * 5, 2), (length * 6, 1)], "{tier:?}");
        }
    }
}
