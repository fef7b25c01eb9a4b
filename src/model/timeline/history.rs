//! The last fifteen minutes of an instance, in memory, for sparklines and charts. A missed poll is a gap, stored as a
//! gap, never interpolated.

use super::record::Recorded;
use crate::model::{
    base::time::Timestamp,
    poll::{
        id::{Metric, ProbeId, SeriesId},
        link::Link,
        wait_class::WaitCategory,
    },
};
use std::collections::VecDeque;

/// Two points further apart than this have a gap between them: the slowest headline poll twice and a half.
pub const HOLE_MS: i64 = 150_000;

/// Most points of a series: the fastest interval makes half as many in [`KEEP_MS`].
const MAX_POINTS: usize = 1_000;

/// How long points are kept, ms.
pub const KEEP_MS: i64 = 15 * 60 * 1000;

/// Points in time order. A NaN value is a gap.
#[derive(Debug, Clone, Default)]
pub struct Series {
    points: VecDeque<(Timestamp, f32)>,
}

impl Series {
    /// Appends a point and drops what is older than [`KEEP_MS`] before it. A point that is not later than the last
    /// one (the clock went back) clears what lies in its future first.
    pub fn push(&mut self, at: Timestamp, value: f32) {
        while self.points.back().is_some_and(|(t, _)| *t >= at) {
            self.points.pop_back();
        }
        self.points.push_back((at, value));
        while self.points.front().is_some_and(|(t, _)| at - *t > KEEP_MS) || self.points.len() > MAX_POINTS {
            self.points.pop_front();
        }
    }

    /// Notes that a poll is missing at `at`. Several gaps in a row are kept as one.
    pub fn gap(&mut self, at: Timestamp) {
        if self.points.back().is_some_and(|(_, v)| !v.is_nan()) {
            self.push(at, f32::NAN);
        }
    }

    /// All points, gaps as NaN.
    pub fn points(&self) -> impl DoubleEndedIterator<Item = (Timestamp, f32)> + ExactSizeIterator + '_ {
        self.points.iter().copied()
    }

    /// The newest value that is not a gap.
    pub fn last(&self) -> Option<f32> {
        self.points.iter().rev().map(|(_, v)| *v).find(|v| !v.is_nan())
    }

    /// True without any point.
    pub fn is_empty(&self) -> bool {
        self.points.is_empty()
    }
}

/// The series of one instance, sparse, sorted by id.
#[derive(Debug, Clone, Default)]
pub struct History {
    series: Vec<(SeriesId, Series)>,
}

impl History {
    /// A series, if it has ever had a point.
    pub fn get(&self, id: SeriesId) -> Option<&Series> {
        self.series
            .binary_search_by_key(&id, |(k, _)| *k)
            .ok()
            .and_then(|i| self.series.get(i))
            .map(|(_, s)| s)
    }

    /// A series to write to.
    pub fn entry(&mut self, id: SeriesId) -> &mut Series {
        let i = match self.series.binary_search_by_key(&id, |(k, _)| *k) {
            Ok(i) => i,
            Err(i) => {
                self.series.insert(i, (id, Series::default()));
                i
            }
        };
        &mut self.series[i].1
    }

    /// Appends what a poll said: a value, or a gap if it did not know. A hole since the last point becomes a gap.
    pub fn record(&mut self, id: SeriesId, at: Timestamp, value: Option<f64>) {
        let Some(value) = value else {
            if let Ok(i) = self.series.binary_search_by_key(&id, |(k, _)| *k) {
                self.series[i].1.gap(at);
            }
            return;
        };
        let series = self.entry(id);
        let last = series.points().next_back().map(|(t, _)| t);
        if let Some(last) = last.filter(|last| at - *last > HOLE_MS) {
            series.gap(last.plus_ms(1));
        }
        series.push(at, ((value / id.step()).round() * id.step()) as f32);
    }

    /// Takes the points and gaps of what happened. A wait category that has points and was not waited for is zero, not a gap.
    pub fn note(&mut self, at: Timestamp, what: &Recorded) {
        let mut zero = WaitCategory::ALL.map(Some);
        what.points(&mut |metric, _, value| {
            let Metric::Headline(id) = metric else { return };
            self.record(id, at, value);
            if let SeriesId::Wait(category) = id {
                zero.iter_mut().filter(|z| **z == Some(category)).for_each(|z| *z = None);
            }
        });
        match what {
            Recorded::Reading { probe, state: Err(_), .. } => self.gap_probe(*probe, at),
            Recorded::Reading { probe: ProbeId::Waits, state: Ok(_), .. } => {
                for id in zero.into_iter().flatten().map(SeriesId::Wait) {
                    if self.get(id).is_some() {
                        self.record(id, at, Some(0.0));
                    }
                }
            }
            Recorded::Link { link: Link::Down { .. }, .. } => self.gap_all(at),
            _ => {}
        }
    }

    /// Marks a missed poll in the series that a probe feeds.
    pub fn gap_probe(&mut self, probe: ProbeId, at: Timestamp) {
        for (_, series) in self.series.iter_mut().filter(|(id, _)| id.probe() == probe) {
            series.gap(at);
        }
    }

    /// All series.
    pub fn iter(&self) -> impl Iterator<Item = (SeriesId, &Series)> {
        self.series.iter().map(|(k, s)| (*k, s))
    }

    /// Marks a missed poll in every series: the connection is gone.
    pub fn gap_all(&mut self, at: Timestamp) {
        for (_, s) in &mut self.series {
            s.gap(at);
        }
    }
}
