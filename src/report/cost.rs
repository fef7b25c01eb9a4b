//! The report on cost: the CPU time that dbtop itself took of each instance on average over a stretch of time, from the
//! history of its own sessions' counters there. A gap is no zero: the average is over the time that samples cover, and the
//! report says which share of the stretch that is.

use super::period::Period;
use crate::{
    model::{
        base::time::Timestamp,
        inventory::instance::InstanceInfo,
        poll::{
            State,
            id::{Metric, SeriesId, SeriesKey},
        },
        timeline::{chart::ChartLine, record::Recorded},
    },
    store::{StoreError, history::Reader},
};
use std::sync::Arc;

/// The length of a bucket, ms, unless there would be too many of them.
const BUCKET_MS: i64 = 60_000;
/// The most buckets that one chart is asked for.
const MOST_BUCKETS: i64 = 20_000;
/// The budget is read so often over the stretch: it is another one while somebody looks at the instance.
const LOOKS: i64 = 24;

/// One series over the stretch.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Measured {
    /// average over the time that samples cover; None: there are none
    pub mean: Option<f64>,
    /// greatest sample
    pub peak: Option<f64>,
    /// time that samples cover, ms
    pub covered_ms: i64,
    /// samples
    pub samples: u64,
}

/// The cost of watching one instance, or all of them.
#[derive(Debug, Clone, PartialEq)]
pub struct Cost {
    /// name of the instance
    pub name: String,
    /// CPU of dbtop's sessions, ms per s
    pub cpu: Measured,
    /// their reads, per s
    pub reads: Measured,
    /// good headline polls
    pub polls: u64,
    /// average limit of CPU, ms per s; 0: there was none; None: not known
    pub budget: Option<f64>,
}

impl Cost {
    /// True if the CPU stayed within its limit; None if one of the two is not known.
    pub fn is_within_budget(&self) -> Option<bool> {
        let budget = self.budget?;
        Some(budget <= 0.0 || self.cpu.mean? <= budget)
    }

    /// The share of the stretch that samples cover, %.
    pub fn covered_pct(&self, period: Period) -> f64 {
        period.share_pct(self.cpu.covered_ms as f64).clamp(0.0, 100.0)
    }
}

/// The cost of each instance, the costliest first.
///
/// # Errors
/// The history cannot be read.
pub fn of_each(
    reader: &mut Reader,
    infos: &[Arc<InstanceInfo>],
    period: Period,
) -> Result<Vec<Cost>, StoreError> {
    let points = ((period.to - period.from) / BUCKET_MS).clamp(1, MOST_BUCKETS) as u32;
    let mut costs = Vec::with_capacity(infos.len());
    for info in infos {
        let chart = |metric: Metric| {
            reader.charts().draw(&info.uid, &SeriesKey::of(metric), period.from, period.to, points)
        };
        let cpu = mean(&chart(SeriesId::Cost.into())?.line, period);
        let reads = mean(&chart(Metric::CostReads)?.line, period);
        let polls = chart(SeriesId::PollMs.into())?.line.buckets.iter().map(|b| u64::from(b.n)).sum();
        let budget = budget(reader, info, period)?;
        costs.push(Cost { name: info.id.to_string(), cpu, reads, polls, budget });
    }
    costs.sort_by(|a, b| b.cpu.mean.unwrap_or(-1.0).total_cmp(&a.cpu.mean.unwrap_or(-1.0)));
    Ok(costs)
}

/// All of them together: the sum of their averages, the mean of the time that samples cover. Its budget is the sum of
/// theirs, if each has one.
pub fn total(costs: &[Cost]) -> Cost {
    let known = || costs.iter().filter(|cost| cost.cpu.mean.is_some());
    let count = costs.len().max(1) as i64;
    let sum = |of: fn(&Cost) -> Option<f64>| known().filter_map(of).sum::<f64>();
    let cpu = Measured {
        mean: Some(sum(|cost| cost.cpu.mean)),
        peak: None,
        covered_ms: costs.iter().map(|cost| cost.cpu.covered_ms).sum::<i64>() / count,
        samples: costs.iter().map(|cost| cost.cpu.samples).sum(),
    };
    let reads = Measured { mean: Some(sum(|cost| cost.reads.mean)), ..Measured::default() };
    let budgets: Option<Vec<f64>> = known().map(|cost| cost.budget.filter(|b| *b > 0.0)).collect();
    Cost {
        name: "(all)".into(),
        cpu,
        reads,
        polls: costs.iter().map(|cost| cost.polls).sum(),
        budget: budgets.map(|budgets| budgets.iter().sum()),
    }
}

/// Each bucket counts for the time up to the next one, or for as long as a value is good if none comes.
fn mean(line: &ChartLine, period: Period) -> Measured {
    let mut found = Measured::default();
    let mut weighted = 0.0;
    let ends = line.buckets.iter().skip(1).map(|next| next.at).chain([period.to]);
    for (bucket, end) in line.buckets.iter().zip(ends).filter(|(bucket, _)| bucket.n > 0) {
        let lasts_ms = (end - bucket.at.max(period.from)).clamp(0, line.hold_ms.max(line.bucket_ms));
        weighted += f64::from(bucket.avg) * lasts_ms as f64;
        found.covered_ms += lasts_ms;
        found.samples += u64::from(bucket.n);
        found.peak = Some(found.peak.unwrap_or(f64::MIN).max(f64::from(bucket.max)));
    }
    found.mean = (found.covered_ms > 0).then(|| weighted / found.covered_ms as f64);
    found
}

/// The average limit of CPU over the stretch, ms per s; 0: there was none; None: not known any more.
fn budget(reader: &mut Reader, info: &Arc<InstanceInfo>, period: Period) -> Result<Option<f64>, StoreError> {
    let step_ms = (period.to - period.from) / LOOKS;
    let (mut sum, mut count, mut free) = (0.0, 0_u32, false);
    let mut last: Option<Timestamp> = None;
    for look in 1..=LOOKS {
        let at = period.from.plus_ms(step_ms * look);
        for kept in reader.states().at(std::slice::from_ref(&info.uid), at)?.kept {
            let Recorded::Reading { state: Ok(State::Cost(cost)), .. } = kept.what else { continue };
            // A reading that was counted already says nothing about the time since.
            if kept.at >= period.from && last.replace(kept.at) != Some(kept.at) {
                // A budget of 0 says that there was no limit: it is left out of the average.
                free |= cost.slowed.budget_us_per_s == 0;
                sum += f64::from(cost.slowed.budget_us_per_s) / 1000.0;
                count += u32::from(cost.slowed.budget_us_per_s > 0);
            }
        }
    }
    Ok(if count > 0 { Some(sum / f64::from(count)) } else { free.then_some(0.0) })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::timeline::chart::Bucket;

    fn bucket(at_s: i64, avg: f32, n: u32) -> Bucket {
        Bucket { at: Timestamp::from_ms(at_s * 1000), min: avg, avg, max: avg * 2.0, n }
    }

    #[test]
    fn a_gap_is_no_zero() {
        let period = Period { from: Timestamp::from_ms(0), to: Timestamp::from_ms(1_000_000) };
        let buckets = vec![bucket(0, 2.0, 1), bucket(60, 4.0, 1), bucket(900, 6.0, 1)];
        let line = ChartLine { buckets, bucket_ms: 60_000, hold_ms: 150_000 };
        let found = mean(&line, period);
        // 60 s of 2, 150 s of 4, 100 s of 6.
        assert_eq!(found.covered_ms, 310_000);
        assert!((found.mean.unwrap() - (2.0 * 60.0 + 4.0 * 150.0 + 6.0 * 100.0) / 310.0).abs() < 1e-9);
        assert_eq!((found.peak, found.samples), (Some(12.0), 3));
        assert_eq!(mean(&ChartLine::default(), period), Measured::default());
    }

    #[test]
    fn the_verdict_needs_both_figures() {
        let of = |mean: Option<f64>, budget| {
            let cpu = Measured { mean, ..Measured::default() };
            Cost { name: String::new(), cpu, reads: Measured::default(), polls: 0, budget }.is_within_budget()
        };
        assert_eq!(of(Some(4.9), Some(5.0)), Some(true));
        assert_eq!(of(Some(5.1), Some(5.0)), Some(false));
        assert_eq!(of(Some(5.1), Some(0.0)), Some(true), "no limit is kept");
        assert_eq!(of(None, Some(5.0)), None);
        assert_eq!(of(Some(5.1), None), None);
    }
}
