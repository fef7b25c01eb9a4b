//! The clock of a server, and what may be believed of the durations and times that it tells. Every decoder that tells a
//! duration, an age or a time asks here ([`ProbeContext::clock`](super::ProbeContext::clock)), none reads such a column by
//! itself.
//!
//! Servers tell nonsense: `total_elapsed_time` is an int of ms that wraps after 24 days and was seen at 17.9 days for a
//! request of two seconds; a wait is older than its request; a time lies in the future because the clock was set, or since
//! local times of before a change of daylight saving are read with the offset of after it. Rules, in this order: what a clock
//! shows counts more than a duration that differs by more than seconds; what is inside of a thing cannot be older than
//! the thing; nothing is older than the instance; what is left over is unknown, never zero.

use crate::{
    model::base::time::{Timestamp, is_zone_shift},
    tds::Row,
};

/// Two ways to measure one thing may differ by so much: start times are rounded, and reading an answer takes time.
const SLACK_MS: i64 = 5_000;

/// Longest duration that is believed where the start of the instance is not known: ten years.
const LONGEST_MS: i64 = 10 * 366 * 24 * 3_600_000;

/// What is known of a server's clock when an answer is decoded.
#[derive(Debug, Clone, Copy, Default)]
pub struct Clock {
    /// the server's time in the answer
    pub now: Option<Timestamp>,
    /// the server's offset from UTC, minutes
    pub offset_min: Option<i32>,
    /// the server's clock minus ours, ms
    pub skew_ms: i64,
    /// start of the instance by its own clock, where it was told
    pub started_at: Option<Timestamp>,
    /// the last change of the server's offset that was seen
    pub shift: Option<Shift>,
}

/// The server's local time was moved, as summer begins or ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shift {
    /// when, UTC by the server's clock
    pub at: Timestamp,
    /// the offset from UTC before it, minutes
    pub before_min: i32,
}

impl Shift {
    /// Between two looks at a server's clock its offset changed. Zones change at whole quarters of an hour.
    pub fn between(now: Timestamp, before_min: i32) -> Self {
        Self { at: Timestamp::from_ms(now.ms() - now.ms().rem_euclid(QUARTER_MS)), before_min }
    }
}

const QUARTER_MS: i64 = 900_000;

impl Clock {
    /// A time in the server's zone, by the server's clock. None for one that lies in the future, as far as a change of
    /// daylight saving does not explain it.
    pub fn at(&self, row: Row<'_>, column: &str) -> Option<Timestamp> {
        row.local(column, self.offset_min).filter(|at| self.is_past(*at))
    }

    /// A time in the server's zone of something that may be old, such as a cached plan: with the offset of its own time, where a change was
    /// seen. None in the hour that comes twice when summer ends, as long as nobody can tell which of the two it was, and for one that
    /// lies in the future.
    pub fn certain(&self, row: Row<'_>, column: &str) -> Option<Timestamp> {
        let is_over = |at: &Timestamp| self.now.is_none_or(|now| *at - now <= SLACK_MS);
        let late = row.local(column, self.offset_min);
        let Some(shift) = self.shift else { return late.filter(is_over) };
        let late = late.filter(|at| *at >= shift.at).filter(is_over);
        let early = row.local(column, Some(shift.before_min)).filter(|at| *at < shift.at);
        match (early, late) {
            (Some(_), Some(_)) => None,
            (early, late) => early.or(late),
        }
    }

    /// True for a time that is over, by the server's clock.
    pub fn is_past(&self, at: Timestamp) -> bool {
        self.now.is_none_or(|now| at - now <= SLACK_MS || is_zone_shift(at - now, SLACK_MS))
    }

    /// A time by the server's clock, as our clock shows it.
    pub fn ours(&self, at: Timestamp) -> Timestamp {
        at.plus_ms(self.skew_ms.saturating_neg())
    }

    /// The time since something began by the server's clock, ms. None if it did not begin yet.
    pub fn since(&self, began: Timestamp) -> Option<i64> {
        let ms = self.now? - began;
        (ms >= -SLACK_MS).then_some(ms.max(0))
    }

    /// How long something has gone on, ms: as the server counted it, unless the clock says otherwise.
    pub fn elapsed(&self, told: Option<i64>, began: Option<Timestamp>) -> Option<i64> {
        let Some(began) = began else { return self.duration(told) };
        match (told.filter(|ms| *ms >= 0), self.since(began)) {
            (Some(told), Some(clock)) => {
                let apart = told.saturating_sub(clock);
                let agree = apart.abs() <= SLACK_MS || is_zone_shift(apart, SLACK_MS);
                Some(if agree { told } else { clock })
            }
            (told, None) => self.duration(told),
            (None, clock) => clock,
        }
    }

    /// A duration without a begin, ms. None if it is longer than the instance runs.
    pub fn duration(&self, told: Option<i64>) -> Option<i64> {
        told.filter(|ms| (0..=self.longest_ms()).contains(ms))
    }

    /// A duration within something that has gone on for `whole` ms: it cannot be longer.
    pub fn within(&self, told: Option<i64>, whole: Option<i64>) -> Option<i64> {
        match (told.filter(|ms| *ms >= 0), whole) {
            (Some(told), Some(whole)) if told > whole.saturating_add(SLACK_MS) => Some(whole),
            (told, Some(_)) => told,
            (told, None) => self.duration(told),
        }
    }

    /// A duration that may begin before the instance did, or end in the future.
    pub fn span(told: Option<i64>) -> Option<i64> {
        told.filter(|ms| (0..=LONGEST_MS).contains(ms))
    }

    /// A duration of something that began then and is over, ms. None if it would not be over yet.
    pub fn over(&self, told: Option<i64>, began: Timestamp) -> Option<i64> {
        let age = self.since(began).unwrap_or(LONGEST_MS);
        Self::span(told).filter(|ms| *ms <= age.saturating_add(SLACK_MS))
    }

    /// True for the time of something that a server noted lately: it is over, and no older than anything can be.
    pub fn is_noted(&self, at: Timestamp) -> bool {
        self.is_past(at) && self.now.is_none_or(|now| now - at <= LONGEST_MS)
    }

    /// As [`Self::duration`], in microseconds.
    pub fn micros(&self, told: Option<i64>) -> Option<i64> {
        told.filter(|us| *us >= 0 && self.duration(Some(us / 1_000)).is_some())
    }

    /// As [`Self::span`], in microseconds.
    pub fn span_us(told: Option<i64>) -> Option<i64> {
        told.filter(|us| *us >= 0 && Self::span(Some(us / 1_000)).is_some())
    }

    /// As [`Self::span`], in seconds.
    pub fn span_s(told: Option<i64>) -> Option<i64> {
        told.filter(|s| Self::span(s.checked_mul(1_000)).is_some())
    }

    fn longest_ms(&self) -> i64 {
        let up_ms = self.started_at.and_then(|at| self.since(at));
        // The offset of its start may be that of the other half of the year.
        up_ms.map_or(LONGEST_MS, |up| up.saturating_add(2 * 3_600_000 + SLACK_MS))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        probe::fixture::{set, sets},
        tds::Cell,
    };
    use proptest::prelude::*;

    const NOW: i64 = 1_700_000_000_000;
    const HOUR: i64 = 3_600_000;
    const WRAPPED: i64 = 1_546_560_000;

    fn at(ago_ms: i64) -> Timestamp {
        Timestamp::from_ms(NOW - ago_ms)
    }

    fn clock() -> Clock {
        let started_at = Some(at(48 * HOUR));
        Clock { now: Some(at(0)), offset_min: Some(0), skew_ms: 0, started_at, shift: None }
    }

    #[test]
    fn what_is_old_has_the_offset_of_its_own_time_and_the_hour_that_comes_twice_is_not_guessed() {
        // 2026-10-25 03:00 of Berlin is 01:00 UTC: the clock goes back to 02:00.
        let utc = |text: &str| Timestamp::parse(text).unwrap();
        let shift = Shift::between(utc("2026-10-25T01:00:20Z"), 120);
        assert_eq!(shift.at, utc("2026-10-25T01:00:00Z"));
        let told = |local: &str, now: &str, shift: Option<Shift>| {
            let now = Some(utc(now));
            let clock = Clock { now, offset_min: Some(60), shift, ..Clock::default() };
            let cells = vec![vec![Cell::Local(utc(local).ms())]];
            let sets = sets(vec![set("modules", &["cached_time"], cells)]);
            clock.certain(sets.all("modules").next().unwrap(), "cached_time")
        };
        let seen = Some(shift);
        let of = |text: &str| Some(utc(text));
        assert_eq!(told("2026-10-24T10:00:00Z", "2026-10-25T05:00:00Z", seen), of("2026-10-24T08:00:00Z"));
        assert_eq!(told("2026-10-25T04:30:00Z", "2026-10-25T05:00:00Z", seen), of("2026-10-25T03:30:00Z"));
        assert_eq!(told("2026-10-25T02:30:00Z", "2026-10-25T05:00:00Z", seen), None, "either of two");
        // It is 02:10 for the second time: 02:30 was before.
        assert_eq!(told("2026-10-25T02:30:00Z", "2026-10-25T01:10:00Z", seen), of("2026-10-25T00:30:00Z"));
        assert_eq!(told("2026-10-25T02:30:00Z", "2026-10-25T01:10:00Z", None), None, "never in the future");
        assert_eq!(told("2026-10-25T01:30:00Z", "2026-10-25T05:00:00Z", None), of("2026-10-25T00:30:00Z"));
    }

    #[test]
    fn the_clock_counts_where_a_duration_differs_from_it_by_more_than_seconds() {
        for (told, began, expected, why) in [
            (Some(2_300), Some(2_000), Some(2_300), "as told"),
            (Some(WRAPPED), Some(2_000), Some(2_000), "17.9 days for two seconds"),
            (Some(-9), Some(2_000), Some(2_000), "wrapped"),
            (Some(0), Some(90_000), Some(90_000), "a counter that does not run"),
            (None, Some(90_000), Some(90_000), "not told"),
            (Some(5_000), Some(5_000 + HOUR), Some(5_000), "daylight saving began meanwhile"),
            (Some(9_000), Some(9_000 - HOUR), Some(9_000), "it ended meanwhile: a begin in the future"),
            (Some(9_000), Some(-50_000_000), Some(9_000), "the clock was set back"),
            (Some(WRAPPED), Some(-50_000_000), None, "longer than the instance runs"),
            (Some(i64::MAX), None, None, "no begin"),
            (Some(7), None, Some(7), "no begin"),
            (None, Some(-50_000_000), None, "did not begin"),
            (None, None, None, "nothing"),
        ] {
            assert_eq!(clock().elapsed(told, began.map(at)), expected, "{why}");
        }
        let blind = Clock::default();
        assert_eq!(blind.elapsed(Some(7), Some(at(0))), Some(7), "no clock at all");
    }

    #[test]
    fn a_part_is_no_longer_than_the_whole() {
        assert_eq!(clock().within(Some(3_000), Some(2_000)), Some(3_000), "read a little later");
        assert_eq!(clock().within(Some(i64::MAX), Some(2_000)), Some(2_000));
        assert_eq!(clock().within(Some(-1), Some(2_000)), None);
        assert_eq!(clock().within(None, Some(2_000)), None);
        assert_eq!(clock().within(Some(49 * HOUR), None), Some(49 * HOUR), "within an hour of the start");
        assert_eq!(clock().within(Some(i64::from(i32::MAX)), None), None, "older than the instance");
        assert_eq!(
            (Clock::span(Some(i64::MAX)), Clock::span(Some(-1)), Clock::span(None)),
            (None, None, None)
        );
        assert_eq!([Some(i64::MAX), Some(-1), Some(90)].map(Clock::span_s), [None, None, Some(90)]);
        let micros = [Some(-1), Some(0), Some(9), Some(HOUR * 1_000), Some(i64::MAX), None];
        let believed = [None, Some(0), Some(9), Some(HOUR * 1_000), None, None];
        assert_eq!(
            micros.map(|us| clock().micros(us)),
            believed,
            "a single run is no older than the instance"
        );
    }

    #[test]
    fn what_is_over_took_no_longer_than_since_it_began() {
        let over = |told: i64, began_ago: i64| clock().over(Some(told), at(began_ago));
        assert_eq!([over(0, 0), over(900, 60_000), over(-1, 60_000)], [Some(0), Some(900), None]);
        assert_eq!(
            [over(65_000, 60_000), over(65_001, 60_000)],
            [Some(65_000), None],
            "it would go on still"
        );
        assert_eq!(
            [over(LONGEST_MS, LONGEST_MS), over(LONGEST_MS + 1, LONGEST_MS)],
            [Some(LONGEST_MS), None]
        );
        assert_eq!(
            Clock::default().over(Some(LONGEST_MS + 1), at(0)),
            None,
            "no clock, and longer than ten years"
        );
        assert_eq!(clock().over(None, at(9)), None);
        let spans =
            [Some(-1), Some(LONGEST_MS * 1_000), Some((LONGEST_MS + 1) * 1_000), Some(i64::MAX), None];
        assert_eq!(spans.map(Clock::span_us), [None, Some(LONGEST_MS * 1_000), None, None, None]);
    }

    #[test]
    fn what_was_noted_is_over_and_no_older_than_anything() {
        let noted = |ago: i64| clock().is_noted(at(ago));
        assert!(noted(0) && noted(LONGEST_MS));
        assert!(!noted(LONGEST_MS + 1) && !noted(-60_000));
        assert!(!clock().is_noted(Timestamp::from_ms(-62_135_596_800_000)), "the year 1");
    }

    #[test]
    fn a_time_in_the_future_is_none() {
        assert!(clock().is_past(at(0)) && clock().is_past(at(-4_000)) && clock().is_past(at(-HOUR)));
        assert!(!clock().is_past(at(-60_000)) && !clock().is_past(at(-30 * HOUR)));
        let ahead = Clock { skew_ms: 600_000, ..clock() };
        assert_eq!(ahead.ours(at(0)), at(600_000), "ten minutes ahead of us");
    }

    proptest! {
        #[test]
        fn no_duration_is_negative_or_older_than_ten_years(
            told: Option<i64>, began: Option<i64>, now: Option<i64>, start: Option<i64>, whole in proptest::option::of(0..LONGEST_MS)
        ) {
            let ts = |ms: Option<i64>| ms.map(Timestamp::from_ms);
            let clock = Clock { now: ts(now), started_at: ts(start), ..Clock::default() };
            prop_assert!(clock.elapsed(told, ts(began)).is_none_or(|ms| ms >= 0));
            prop_assert!(clock.duration(told).is_none_or(|ms| ms >= 0));
            let part = clock.within(told, whole);
            prop_assert!(part.is_none_or(|ms| ms >= 0 && whole.is_none_or(|w| ms <= w.saturating_add(SLACK_MS))));
        }
    }
}
