//! Totals of a series into the buckets of a chart. Pure. `charts` calls it.

use crate::{
    model::{base::time::Timestamp, poll::id::Metric, timeline::chart::Bucket},
    store::history::codec::rollup::Total,
};
use std::collections::BTreeMap;

/// Totals by their time, seconds since 1970.
pub(super) type Totals = BTreeMap<i64, Total>;

/// The usual distance of two points, ms: the middle one of all distances.
pub(super) fn typical_gap_ms(totals: &Totals) -> i64 {
    let times: Vec<i64> = totals.keys().copied().collect();
    let mut gaps: Vec<i64> = times.windows(2).map(|pair| pair[1] - pair[0]).collect();
    if gaps.is_empty() {
        return 0;
    }
    let middle = gaps.len() / 2;
    *gaps.select_nth_unstable(middle).1 * 1000
}

/// Totals into buckets of `bucket_ms` that start at `from`. A total that is `width_ms` wide itself belongs to the bucket of
/// its start.
pub(super) fn buckets(
    totals: &Totals,
    metric: Metric,
    from: i64,
    bucket_ms: i64,
    width_ms: i64,
) -> Vec<Bucket> {
    let mut grouped: BTreeMap<i64, Total> = BTreeMap::new();
    for (time, total) in totals {
        let at = (time * 1000).max(from);
        // Buckets of a roll-up stay where they are if none are merged.
        let start = if bucket_ms == width_ms && width_ms > 1000 {
            time * 1000
        } else {
            from + (at - from).div_euclid(bucket_ms) * bucket_ms
        };
        grouped.entry(start).and_modify(|known| *known = known.with(*total)).or_insert(*total);
    }
    grouped
        .into_iter()
        .map(|(at, total)| Bucket {
            at: Timestamp::from_ms(at),
            min: metric.from_steps(total.min) as f32,
            avg: (total.sum as f64 / f64::from(total.n.max(1)) * metric.step()) as f32,
            max: metric.from_steps(total.max) as f32,
            n: total.n,
        })
        .collect()
}
