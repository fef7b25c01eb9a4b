//! The last fifteen minutes of an instance, in memory, for sparklines and charts, and what its requests did meanwhile. A missed
//! poll is a gap, stored as a gap, never interpolated.

use super::{
    record::Recorded,
    samples::{SLOT_MS, Samples},
};
use crate::model::{
    base::time::Timestamp,
    poll::{
        State,
        id::{Metric, ProbeId, SeriesId},
        link::Link,
        wait_class::WaitCategory,
    },
};
use std::{collections::VecDeque, sync::Arc};

/// Two points further apart than this have a gap between them: the slowest headline poll twice and a half.
pub const HOLE_MS: i64 = 150_000;

/// Most points of a series: the fastest interval makes half as many in [`KEEP_MS`].
const MAX_POINTS: usize = 1_000;

/// How long points are kept, ms.
pub const KEEP_MS: i64 = 15 * 60 * 1000;

/// Points in time order. A NaN value is a gap.
///
/// A fleet of 5,000 has some 18 million of them, so that a point is eight bytes: its time counts from `base`.
#[derive(Debug, Clone, Default)]
pub struct Series {
    base: Timestamp,
    points: VecDeque<(u32, f32)>,
}

impl Series {
    /// Appends a point and drops what is older than [`KEEP_MS`] before it. A point that is not later than the last
    /// one (the clock went back) clears what lies in its future first.
    pub fn push(&mut self, at: Timestamp, value: f32) {
        while self.newest().is_some_and(|t| t >= at) {
            self.points.pop_back();
        }
        while self.oldest().is_some_and(|t| at - t > KEEP_MS) || self.points.len() >= MAX_POINTS {
            self.points.pop_front();
        }
        let Ok(after) = u32::try_from(at - self.base) else {
            self.count_from(self.oldest().unwrap_or(at));
            return self.push(at, value);
        };
        self.points.push_back((after, value));
    }

    /// Lets the times count from `base`, which is not later than any of them.
    fn count_from(&mut self, base: Timestamp) {
        let moved = base - self.base;
        self.base = base;
        for (after, _) in &mut self.points {
            *after = u32::try_from(i64::from(*after) - moved).unwrap_or_default();
        }
    }

    fn oldest(&self) -> Option<Timestamp> {
        self.points().next().map(|(t, _)| t)
    }

    fn newest(&self) -> Option<Timestamp> {
        self.points().next_back().map(|(t, _)| t)
    }

    /// Notes that a poll is missing at `at`. Several gaps in a row are kept as one.
    pub fn gap(&mut self, at: Timestamp) {
        if self.points.back().is_some_and(|(_, v)| !v.is_nan()) {
            self.push(at, f32::NAN);
        }
    }

    /// All points, gaps as NaN.
    pub fn points(&self) -> impl DoubleEndedIterator<Item = (Timestamp, f32)> + ExactSizeIterator + '_ {
        self.points.iter().map(|(after, value)| (self.base.plus_ms(i64::from(*after)), *value))
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
    /// None: no activity was polled
    samples: Option<Arc<Samples>>,
    only_judged: bool,
    /// when the newest headline numbers came, and how often they are due, ms
    headline: Option<(Timestamp, u32)>,
}

impl History {
    /// One that keeps what health looks back on, and nothing else: nobody draws charts.
    pub const fn only_judged() -> Self {
        Self { series: Vec::new(), samples: None, only_judged: true, headline: None }
    }

    /// See [`Self::only_judged`].
    pub const fn is_only_judged(&self) -> bool {
        self.only_judged
    }

    /// A series, if it has ever had a point.
    pub fn get(&self, id: SeriesId) -> Option<&Series> {
        debug_assert!(!self.only_judged || id.is_judged(), "{id:?} is not kept without charts");
        self.find(id)
    }

    fn find(&self, id: SeriesId) -> Option<&Series> {
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
        if self.only_judged && !id.is_judged() {
            return;
        }
        let Some(value) = value else {
            if let Ok(i) = self.series.binary_search_by_key(&id, |(k, _)| *k) {
                self.series[i].1.gap(at);
            }
            return;
        };
        let series = self.entry(id);
        if let Some(last) = series.newest().filter(|last| at - *last > HOLE_MS) {
            series.gap(last.plus_ms(1));
        }
        series.push(at, ((value / id.step()).round() * id.step()) as f32);
    }

    /// Takes the points and gaps of what happened. A wait category that has points and was not waited for is zero, not a gap.
    pub fn note(&mut self, at: Timestamp, what: &Recorded) {
        self.mark_silence(at, what);
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
                    if self.find(id).is_some() {
                        self.record(id, at, Some(0.0));
                    }
                }
            }
            Recorded::Link { link: Link::Down { .. }, .. } => self.gap_all(at),
            Recorded::Reading { state: Ok(State::Activity(activity)), every_ms, .. } if !self.only_judged => {
                let none = || Arc::new(Samples::new(SLOT_MS, KEEP_MS));
                Arc::make_mut(self.samples.get_or_insert_with(none)).take(at, activity, *every_ms);
            }
            _ => {}
        }
    }

    /// Marks where the headline numbers went stale before this came: the screen of then showed a gap there.
    fn mark_silence(&mut self, at: Timestamp, what: &Recorded) {
        let stale_at = |(since, every_ms): (Timestamp, u32)| since.plus_ms(i64::from(every_ms) * 5 / 2);
        let known = self.headline.filter(|(_, every_ms)| *every_ms > 0).map(stale_at);
        if let Some(stale_at) = known.filter(|stale_at| at > *stale_at) {
            self.gap_probe(ProbeId::Headline, stale_at.plus_ms(1));
        }
        match (what, &mut self.headline) {
            (Recorded::Reading { probe: ProbeId::Headline, every_ms, state: Ok(_) }, headline) => {
                *headline = Some((at, *every_ms));
            }
            (
                Recorded::Reading { probe: ProbeId::Headline, every_ms, .. }
                | Recorded::Pace { probe: ProbeId::Headline, every_ms },
                Some((_, every)),
            ) => *every = *every_ms,
            _ => {}
        }
    }

    /// What its requests did. None: no activity was polled.
    pub fn samples(&self) -> Option<&Samples> {
        self.samples.as_deref()
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::poll::headline::Headline;
    use proptest::prelude::*;

    proptest! {
        /// The clock may jump by any time and back.
        #[test]
        fn a_series_is_in_order_young_and_ends_with_what_came_last(
            jumps in prop::collection::vec((-5_000_000_000_i64..5_000_000_000, any::<bool>()), 1..60),
        ) {
            let (mut series, mut at) = (Series::default(), 1_700_000_000_000);
            for (n, (jump, is_far)) in jumps.iter().enumerate() {
                at += if *is_far { *jump } else { jump / 100_000 };
                series.push(Timestamp::from_ms(at), n as f32);
                let points: Vec<_> = series.points().collect();
                prop_assert!(points.windows(2).all(|w| w[0].0 < w[1].0));
                prop_assert!(points.iter().all(|(t, _)| at - t.ms() <= KEEP_MS));
                prop_assert_eq!(points.last().copied(), Some((Timestamp::from_ms(at), n as f32)));
            }
        }
    }

    #[test]
    fn a_poll_that_comes_late_leaves_the_gap_that_was_shown_meanwhile() {
        let reading = |every_ms| {
            let headline = Headline { page_life_s: Some(7), ..Headline::default() };
            let state = Ok(State::Headline(Box::new(headline)));
            Recorded::Reading { probe: ProbeId::Headline, every_ms, state }
        };
        let mut history = History::default();
        for (at, what) in [
            (0, reading(2_000)),
            (5_000, reading(2_000)),
            (10_500, reading(2_000)),
            (11_000, Recorded::Pace { probe: ProbeId::Headline, every_ms: 10_000 }),
            (20_000, reading(10_000)),
        ] {
            history.note(Timestamp::from_ms(at), &what);
        }
        let series = history.get(SeriesId::PageLife).unwrap();
        let points: Vec<(i64, bool)> = series.points().map(|(at, value)| (at.ms(), value.is_nan())).collect();
        let known = |at| (at, false);
        assert_eq!(points, [known(0), known(5_000), (10_001, true), known(10_500), known(20_000)]);
    }

    #[test]
    fn without_charts_only_what_is_judged_is_kept() {
        let mut history = History::only_judged();
        history.record(SeriesId::Cpu, Timestamp::from_ms(1000), Some(97.0));
        history.record(SeriesId::Batches, Timestamp::from_ms(1000), Some(5.0));
        assert_eq!(history.iter().map(|(id, _)| id).collect::<Vec<_>>(), [SeriesId::Cpu]);
    }
}
