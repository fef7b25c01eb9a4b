//! When something will be full, from how it filled so far. Pure: called by the rules of `score` and by the fold of volumes.
//!
//! # The estimator
//! Theil–Sen: the median of the slopes between all pairs of points. A third of the points may be anything (a spike, a backup that
//! came and went) without moving it, and it needs no assumption about the noise. A median alone would still take a step for a
//! slope, and a sawtooth for whichever part of it is in sight. So a trend is one only if
//! - there are enough points over enough time ([`Window`]), and it filled by more than noise,
//! - most moves go up, and all that it gave back is little beside what it took,
//! - the newer half goes on about as fast as the whole.
//!
//! A time is told no further ahead than the time that was seen allows, and never one that is over.

use crate::model::base::time::Timestamp;

/// What a series must have to show a trend, and how far it can be trusted.
#[derive(Debug, Clone, Copy)]
pub struct Window {
    /// least points
    pub points: usize,
    /// least time between the first and the last, ms
    pub span_ms: i64,
    /// nothing older than this before the last counts, ms
    pub past_ms: i64,
    /// least rise from the first to the last, % of what it can hold
    pub rise_pct: f64,
}

/// For what is polled with the headline: two minutes of it.
pub const MINUTES: Window = Window { points: 5, span_ms: 110_000, past_ms: 600_000, rise_pct: 4.0 };
/// For what is polled every quarter of an hour or more slowly.
pub const HOURS: Window = Window { points: 4, span_ms: 40 * 60_000, past_ms: 6 * 3_600_000, rise_pct: 0.5 };

/// Most points that are compared, evenly taken: pairs grow with their square.
const MOST: usize = 40;
/// Of all moves, at least this part goes up.
const RISING: f64 = 0.6;
/// What was given back is at most this part of what was taken.
const GIVEN_BACK: f64 = 0.25;
/// The newer half fills at least at this part of the pace of all.
const STILL: f64 = 0.5;
/// A time is told ahead by at most so many times the time that was seen.
const AHEAD: f64 = 8.0;

/// The time until something that was filled to these percentages, in the order of time, is full, ms. None: it does not fill, or
/// nobody can tell.
pub fn full_in_ms(points: impl Iterator<Item = (Timestamp, f64)>, window: Window) -> Option<i64> {
    let points: Vec<(i64, f64)> =
        points.map(|(at, pct)| (at.ms(), pct)).filter(|(_, pct)| pct.is_finite()).collect();
    let (newest, used) = *points.last()?;
    let points: Vec<(i64, f64)> = points
        .into_iter()
        .filter(|(at, _)| (0..=window.past_ms).contains(&newest.saturating_sub(*at)))
        .collect();
    let (oldest, first) = *points.first()?;
    let seen_ms = newest - oldest;
    if points.len() < window.points
        || seen_ms < window.span_ms
        || used - first < window.rise_pct
        || used >= 100.0
    {
        return None;
    }
    let points: Vec<(i64, f64)> = thinned(&points);
    if !keeps_rising(&points) {
        return None;
    }
    let slope = theil_sen(&points)?;
    let newer = theil_sen(&points[points.len() / 2..]).unwrap_or(slope);
    if slope <= 0.0 || newer < slope * STILL {
        return None;
    }
    // As fast as it fills now, if that is faster.
    let ms = (100.0 - used) / slope.max(newer);
    (ms.is_finite() && ms >= 0.0 && ms <= seen_ms as f64 * AHEAD).then_some(ms as i64)
}

/// At most [`MOST`] of them, the newest among them.
fn thinned(points: &[(i64, f64)]) -> Vec<(i64, f64)> {
    let step = points.len().div_ceil(MOST).max(1);
    let mut some: Vec<_> = points.iter().rev().step_by(step).copied().collect();
    some.reverse();
    some
}

/// Most moves go up, and little is given back.
fn keeps_rising(points: &[(i64, f64)]) -> bool {
    let moves: Vec<f64> = points.windows(2).map(|pair| pair[1].1 - pair[0].1).collect();
    let up = moves.iter().filter(|by| **by > 0.0).count() as f64;
    let taken: f64 = moves.iter().filter(|by| **by > 0.0).sum();
    let given: f64 = moves.iter().filter(|by| **by < 0.0).map(|by| -by).sum();
    up >= moves.len() as f64 * RISING && given <= taken * GIVEN_BACK
}

/// The median slope between two points, % a ms.
fn theil_sen(points: &[(i64, f64)]) -> Option<f64> {
    let mut slopes: Vec<f64> = Vec::with_capacity(points.len() * points.len() / 2);
    for (n, (at, pct)) in points.iter().enumerate() {
        let later = points[n + 1..].iter().filter(|(t, _)| t > at);
        slopes.extend(later.map(|(t, p)| (p - pct) / (t - at) as f64));
    }
    slopes.sort_by(f64::total_cmp);
    slopes.get(slopes.len() / 2).copied()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Percentages every 30 s.
    fn every_30_s(pct: impl IntoIterator<Item = f64>) -> Vec<(Timestamp, f64)> {
        pct.into_iter().enumerate().map(|(n, pct)| (Timestamp::from_ms(n as i64 * 30_000), pct)).collect()
    }

    fn full(pct: impl IntoIterator<Item = f64>) -> Option<i64> {
        full_in_ms(every_30_s(pct).into_iter(), MINUTES)
    }

    #[test]
    fn what_fills_is_full_in_time() {
        // 20 % a minute, at 78 %: 66 s.
        assert_eq!(full([38.0, 48.0, 58.0, 68.0, 78.0]), Some(66_000));
        assert_eq!(full((0..12).map(|n| 10.0 + f64::from(n))), Some(79 * 30_000));
        let noisy = (0..16).map(|n| 20.0 + 2.0 * f64::from(n) + [0.4, -0.4, 0.1][n as usize % 3]);
        // 50 % are left at 4 % a minute: 750 s.
        let ms = full(noisy).unwrap();
        assert!((600_000..=870_000).contains(&ms), "{ms}");
        let spike = [40.0, 44.0, 48.0, 52.0, 53.0, 60.0, 64.0, 68.0];
        // 240 s at the pace of the whole; the newer half is a little faster, and that counts.
        assert!((180_000..=240_000).contains(&full(spike).unwrap()));
    }

    #[test]
    fn what_does_not_fill_is_no_alarm() {
        let step = |at: usize| (0..20).map(move |n| if n < at { 20.0 } else { 80.0 });
        for at in 0..20 {
            assert_eq!(full(step(at)), None, "a step at {at}");
        }
        for period in [2, 3, 5, 7, 10] {
            let saw = (0..20).map(|n| 20.0 + 50.0 * f64::from(n % period) / f64::from(period));
            assert_eq!(full(saw), None, "a sawtooth of {period}");
        }
        assert_eq!(full([50.0; 20]), None, "flat");
        assert_eq!(full((0..20).map(|n| 90.0 - f64::from(n))), None, "it empties");
        assert_eq!(full([10.0, 30.0, 50.0, 70.0]), None, "too few polls");
        assert_eq!(full([60.0, 61.0, 62.0, 63.0, 63.5]), None, "too little");
        assert_eq!(full((0..20).map(|n| 20.0 + f64::from(n.min(9)) * 7.0)), None, "it has stopped");
        assert_eq!(full([60.0, 70.0, 80.0, 90.0, 100.0]), None, "it is full");
        assert_eq!(
            full((0..20).map(|n| 1.0 + f64::from(n) * 0.22)),
            None,
            "further ahead than anybody can see"
        );
        assert_eq!(full([f64::NAN; 20]), None);
        assert_eq!(full([]), None);
    }

    #[test]
    fn a_volume_is_told_in_hours() {
        let quarter = 15 * 60_000;
        let points = (0..6).map(|n| (Timestamp::from_ms(n * quarter), 80.0 + n as f64));
        assert_eq!(full_in_ms(points, HOURS), Some(15 * quarter));
    }

    proptest! {
        #[test]
        fn a_time_is_never_negative_nor_absurd(points in prop::collection::vec((any::<i32>(), -50.0f64..300.0), 0..60)) {
            let times = points.iter().map(|(at, pct)| (Timestamp::from_ms(i64::from(*at)), *pct));
            for window in [MINUTES, HOURS] {
                if let Some(ms) = full_in_ms(times.clone(), window) {
                    prop_assert!((0..=8 * window.past_ms).contains(&ms), "{ms}");
                }
            }
        }

        #[test]
        fn a_faster_fill_is_full_sooner(slow in 0.5f64..2.0, more in 1.0f64..2.0) {
            let fill = |by: f64| full((0..16).map(|n| 20.0 + by * f64::from(n)));
            let (slow, fast) = (fill(slow), fill(slow * more));
            prop_assert!(slow.is_none() || fast.is_none() || fast <= slow);
        }
    }

    #[test]
    fn a_trend_needs_its_points_its_time_and_its_rise() {
        let rising = |polls: usize, every_ms: i64, by: f64| {
            let points = (0..polls).map(|n| (Timestamp::from_ms(n as i64 * every_ms), 80.0 + by * n as f64));
            full_in_ms(points, MINUTES)
        };
        assert!(rising(5, 27_500, 1.0).is_some(), "just enough of each");
        assert_eq!(rising(4, 60_000, 2.0), None, "too few polls");
        assert_eq!(rising(5, 27_499, 1.0), None, "too short a time");
        assert_eq!(rising(20, 1_000, 1.0), None, "many polls do not make it longer");
        assert_eq!(rising(5, 27_500, 0.99), None, "too little");
        assert_eq!(rising(40, 10_000, 0.1), None, "a long time does not make it more");
    }

    #[test]
    fn what_gives_back_a_quarter_of_what_it_took_does_not_fill() {
        // Every third move goes down by this much; the others go up by 6.
        let saw = |down: f64| {
            let mut used = 10.0;
            full((0..13).map(|n| {
                used += if n % 3 == 2 { -down } else { 6.0 };
                used
            }))
        };
        assert!(saw(2.9).is_some());
        assert_eq!(saw(3.1), None);
    }

    #[test]
    fn what_is_older_than_the_window_counts_for_nothing() {
        let points = |first_s: i64| {
            let old = std::iter::once((Timestamp::from_ms(-first_s * 1000), 1.0));
            old.chain((0..4).map(|n| (Timestamp::from_ms(n * 30_000), 50.0 + 5.0 * n as f64)))
        };
        assert!(full_in_ms(points(30), MINUTES).is_some());
        assert_eq!(full_in_ms(points(511), MINUTES), None, "four polls are left");
    }
}
