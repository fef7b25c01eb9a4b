//! `dbtop --export cost`: what dbtop itself cost each instance on average over a stretch of time, from the history of its own
//! sessions' counters there. A gap is no zero: the average is over the time that samples cover, and that share is told.

use super::Period;
use crate::{
    command::output::{Cell, Grid},
    model::{
        chart::ChartLine,
        history::SeriesId,
        instance::InstanceInfo,
        kept::{Happened, State},
        series::{Metric, SeriesKey},
        time::Timestamp,
    },
    store::history::Reader,
};
use anyhow::bail;
use std::sync::Arc;

/// Buckets are about so long: as finely as history is asked, ms …
const BUCKET_MS: i64 = 60_000;
/// … but there are no more than this.
const MOST_BUCKETS: i64 = 20_000;
/// The budget is looked at so often over the stretch: it is another one while somebody looks at the instance.
const LOOKS: i64 = 24;

/// What the figures are, for who reads them.
pub(super) const HOW: &str = "cpu_ms_per_s: CPU of dbtop's own sessions on the server, by that server's counters, ms per second of wall time, \
     on average over the time that samples cover; a gap counts for nothing, not for zero";

/// What is known of one series over the stretch.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
struct Measured {
    /// average over the time that samples cover; None: there are none
    mean: Option<f64>,
    /// greatest sample
    peak: Option<f64>,
    /// time that samples cover, ms
    covered_ms: i64,
    /// samples
    samples: u64,
}

/// One instance.
struct Row {
    name: String,
    cpu: Measured,
    reads: Measured,
    polls: u64,
    budget: Option<f64>,
}

impl Row {
    fn kept(&self) -> Option<bool> {
        let budget = self.budget?;
        Some(budget <= 0.0 || self.cpu.mean? <= budget)
    }

    fn cells(self, period: Period) -> Vec<Cell> {
        let kept = self.kept();
        let share = self.cpu.covered_ms as f64 * 100.0 / (period.to - period.from).max(1) as f64;
        let nothing = "nothing kept of that time";
        vec![
            Cell::Text(self.name),
            Cell::real(self.cpu.mean.map(thousandths)).because(Some(nothing)),
            Cell::real(self.cpu.peak.map(thousandths)),
            Cell::real(self.reads.mean.map(thousandths)),
            Cell::real(self.budget),
            kept.map_or(Cell::Unknown(String::new()), Cell::Flag),
            Cell::Real(thousandths(share.clamp(0.0, 100.0))),
            Cell::Int(self.cpu.samples as i64),
            Cell::Int(self.polls as i64),
        ]
    }
}

fn thousandths(value: f64) -> f64 {
    (value * 1000.0).round() / 1000.0
}

/// A row an instance, the costliest first, and one for all of them together.
///
/// # Errors
/// The history cannot be read; there is nothing of that time in it.
pub(super) fn grid(reader: &mut Reader, infos: &[Arc<InstanceInfo>], period: Period) -> anyhow::Result<Grid> {
    let points = ((period.to - period.from) / BUCKET_MS).clamp(1, MOST_BUCKETS) as u32;
    let mut rows = Vec::with_capacity(infos.len());
    for info in infos {
        let chart =
            |metric: Metric| reader.chart(&info.uid, &SeriesKey::of(metric), period.from, period.to, points);
        let cpu = mean(&chart(SeriesId::Cost.into())?.line, period);
        let reads = mean(&chart(Metric::CostReads)?.line, period);
        let polls = chart(SeriesId::PollMs.into())?.line.buckets.iter().map(|b| u64::from(b.n)).sum();
        let budget = budget(reader, info, period)?;
        rows.push(Row { name: info.id.to_string(), cpu, reads, polls, budget });
    }
    if rows.iter().all(|row| row.cpu.samples == 0) {
        bail!("nothing is kept of what dbtop cost between these times{}", super::reach(reader));
    }
    rows.sort_by(|a, b| b.cpu.mean.unwrap_or(-1.0).total_cmp(&a.cpu.mean.unwrap_or(-1.0)));
    let all = total(&rows);
    let columns = vec![
        "instance",
        "cpu_ms_per_s",
        "peak_cpu_ms_per_s",
        "reads_per_s",
        "budget_ms_per_s",
        "within_budget",
        "covered_pct",
        "samples",
        "headline_polls",
    ];
    let rows = rows.into_iter().chain([all]).map(|row| row.cells(period)).collect();
    Ok(Grid { columns, rows })
}

/// All of them: sums of the averages, the mean of the shares. Its budget is the sum of theirs, if each has one.
fn total(rows: &[Row]) -> Row {
    let known = || rows.iter().filter(|row| row.cpu.mean.is_some());
    let count = rows.len().max(1) as i64;
    let sum = |of: fn(&Row) -> Option<f64>| known().filter_map(of).sum::<f64>();
    let cpu = Measured {
        mean: Some(sum(|row| row.cpu.mean)),
        peak: None,
        covered_ms: rows.iter().map(|row| row.cpu.covered_ms).sum::<i64>() / count,
        samples: rows.iter().map(|row| row.cpu.samples).sum(),
    };
    let reads = Measured { mean: Some(sum(|row| row.reads.mean)), ..Measured::default() };
    let budgets: Option<Vec<f64>> = known().map(|row| row.budget.filter(|b| *b > 0.0)).collect();
    Row {
        name: "(all)".into(),
        cpu,
        reads,
        polls: rows.iter().map(|row| row.polls).sum(),
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

/// What it was held to on average, CPU ms per s; 0: to nothing; None: not known (any more).
fn budget(reader: &mut Reader, info: &Arc<InstanceInfo>, period: Period) -> anyhow::Result<Option<f64>> {
    let step_ms = (period.to - period.from) / LOOKS;
    let (mut sum, mut count, mut free) = (0.0, 0_u32, false);
    let mut last: Option<Timestamp> = None;
    for look in 1..=LOOKS {
        let at = period.from.plus_ms(step_ms * look);
        for kept in reader.state_at(std::slice::from_ref(&info.uid), at)?.kept {
            let Happened::Reading { state: Ok(State::Cost(cost)), .. } = kept.what else { continue };
            // The same reading as at the look before says nothing about the time since.
            if kept.at >= period.from && last.replace(kept.at) != Some(kept.at) {
                // Without a limit it was held to nothing then: that is no budget of zero.
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
    use crate::model::chart::Bucket;

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
            Row { name: String::new(), cpu, reads: Measured::default(), polls: 0, budget }.kept()
        };
        assert_eq!(of(Some(4.9), Some(5.0)), Some(true));
        assert_eq!(of(Some(5.1), Some(5.0)), Some(false));
        assert_eq!(of(Some(5.1), Some(0.0)), Some(true), "no limit is kept");
        assert_eq!(of(None, Some(5.0)), None);
        assert_eq!(of(Some(5.1), None), None);
    }
}
