//! The charts of an instance on a page: waits by category and by the heaviest types, the usual figures, and the volumes
//! whose free space changed. The figures come from the history itself; a name among them is shown as the recording has
//! it.

use super::{
    period::Period,
    svg::{COLUMNS, Chart},
};
use crate::{
    model::{
        poll::{
            id::{Metric, SeriesId, SeriesKey},
            wait_class::WaitCategory,
        },
        timeline::chart::ChartLine,
    },
    store::{StoreError, history::Reader},
};
use std::{borrow::Cow, sync::Arc};

/// The most wait categories in a chart.
const CATEGORIES: usize = 7;

/// The most wait types in a chart.
const TYPES: usize = 5;
/// The most volumes with a chart.
const VOLUMES: usize = 3;
/// The smallest change of a volume's free space that has a chart, as a share of its maximum.
const LEAST_CHANGE: f32 = 0.01;

/// Charts of an instance, after its waits.
const CHARTS: [Metric; 15] = [
    Metric::Headline(SeriesId::Cpu),
    Metric::Headline(SeriesId::CpuOther),
    Metric::Headline(SeriesId::Batches),
    Metric::Headline(SeriesId::Blocked),
    Metric::LongestBlocked,
    Metric::Requests,
    Metric::Headline(SeriesId::Connections),
    Metric::Headline(SeriesId::PageLife),
    Metric::Headline(SeriesId::Memory),
    Metric::Headline(SeriesId::GrantsPending),
    Metric::Headline(SeriesId::LogFlush),
    Metric::Headline(SeriesId::PageRead),
    Metric::Headline(SeriesId::Runnable),
    Metric::Headline(SeriesId::Tempdb),
    Metric::Headline(SeriesId::Cost),
];

/// The charts of an instance that are not empty. `volume`: the name under which a mount point is shown.
///
/// # Errors
/// The history cannot be read.
pub(super) fn charts(
    reader: &Reader,
    uid: &str,
    period: Period,
    volume: &dyn Fn(&str) -> Arc<str>,
) -> Result<Vec<Chart>, StoreError> {
    let line = |key: &SeriesKey| -> Result<ChartLine, StoreError> {
        Ok(reader.charts().draw(uid, key, period.from, period.to, COLUMNS)?.line)
    };
    let mut found = Vec::new();
    let mut categories = Vec::new();
    for category in WaitCategory::ALL {
        let key = SeriesKey::of(SeriesId::Wait(category));
        categories.push((Cow::Borrowed(category.name()), line(&key)?));
    }
    found.extend(stacked("Waits", categories, CATEGORIES));
    let (mut types, mut volumes) = (Vec::new(), Vec::new());
    for key in reader.charts().series_of(uid)? {
        match key.metric {
            Metric::WaitType if is_type(&key.key) => {
                types.push((Cow::Owned(key.key.to_string()), line(&key)?));
            }
            Metric::VolumeFree => volumes.push((line(&key)?, key.key)),
            _ => {}
        }
    }
    found.extend(stacked("Heaviest wait types", types, TYPES));
    for metric in CHARTS {
        let chart = single(metric.title().into(), metric, line(&SeriesKey::of(metric))?);
        // A figure that was zero all the time is told in words.
        let dull = chart.lines.iter().flat_map(|(_, line)| &line.buckets).all(|bucket| bucket.max == 0.0);
        if !chart.is_empty() && !dull {
            found.push(chart);
        }
    }
    volumes.retain(|(line, _)| change(line) >= LEAST_CHANGE);
    volumes.sort_by(|a, b| change(&b.0).total_cmp(&change(&a.0)));
    for (line, mount) in volumes.into_iter().take(VOLUMES) {
        found.push(single(format!("Free on {}", volume(&mount)).into(), Metric::VolumeFree, line));
    }
    // CPU first, as readers expect it.
    found.sort_by_key(|chart| chart.title != "CPU");
    Ok(found)
}

fn single(title: Cow<'static, str>, metric: Metric, line: ChartLine) -> Chart {
    Chart { title: title.clone(), unit: metric.unit(), lines: vec![(title, line)], stacked: false }
}

/// The heaviest of them on top of each other; None: there were no waits.
fn stacked(title: &'static str, lines: Vec<(Cow<'static, str>, ChartLine)>, most: usize) -> Option<Chart> {
    let weight =
        |line: &ChartLine| line.buckets.iter().map(|b| f64::from(b.avg) * f64::from(b.n)).sum::<f64>();
    let mut lines: Vec<_> = lines.into_iter().map(|(name, line)| (weight(&line), name, line)).collect();
    lines.retain(|(weight, ..)| *weight > 0.0);
    lines.sort_by(|a, b| b.0.total_cmp(&a.0));
    lines.truncate(most);
    let lines: Vec<_> = lines.into_iter().map(|(_, name, line)| (name, line)).collect();
    (!lines.is_empty()).then_some(Chart { title: title.into(), unit: "ms/s", lines, stacked: true })
}

/// True if `name` has the alphabet of wait types. Any other text may be a name that must be replaced.
fn is_type(name: &str) -> bool {
    name.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'_')
}

/// The difference between minimum and maximum, as a share of the maximum.
fn change(line: &ChartLine) -> f32 {
    let seen = || line.buckets.iter().filter(|bucket| bucket.n > 0);
    let least = seen().map(|bucket| bucket.min).fold(f32::MAX, f32::min);
    let most = seen().map(|bucket| bucket.max).fold(0.0, f32::max);
    if most > 0.0 { (most - least) / most } else { 0.0 }
}
