//! Charts of things that are counted and not measured: how many events of a kind lie in each slot of time, out of the time line. Pure;
//! `app::history` has the events, panes draw the line.

use super::{
    chart::{Bucket, ChartLine},
    event::What,
};
use crate::model::base::time::Timestamp;

const S: i64 = 1_000;
const MIN: i64 = 60 * S;
const HOUR: i64 = 60 * MIN;
const DAY: i64 = 24 * HOUR;

/// For charts up to so long: the length of a slot, and what one is.
const SLOTS: [(i64, i64, &str); 13] = [
    (MIN, 5 * S, "5 s"),
    (5 * MIN, 10 * S, "10 s"),
    (15 * MIN, 30 * S, "30 s"),
    (HOUR, MIN, "minute"),
    (3 * HOUR, 5 * MIN, "5 min"),
    (6 * HOUR, 10 * MIN, "10 min"),
    (12 * HOUR, 15 * MIN, "15 min"),
    (DAY, 30 * MIN, "30 min"),
    (3 * DAY, 2 * HOUR, "2 h"),
    (7 * DAY, 4 * HOUR, "4 h"),
    (30 * DAY, DAY, "day"),
    (90 * DAY, 2 * DAY, "2 days"),
    (i64::MAX, 7 * DAY, "week"),
];

fn slot(range_ms: i64) -> (i64, &'static str) {
    let found = SLOTS.iter().find(|(most, ..)| range_ms <= *most);
    found.map_or((7 * DAY, "week"), |(_, ms, name)| (*ms, name))
}

/// What a slot of a chart of this length is: `5 min`, `day`.
pub fn slot_name(range_ms: i64) -> &'static str {
    slot(range_ms).1
}

/// What is known of the things that are counted.
#[derive(Debug, Clone, Copy)]
pub struct Known<'a> {
    /// from here on
    pub from: Timestamp,
    /// up to here
    pub to: Timestamp,
    /// but not between these: nobody asked
    pub away: &'a [(Timestamp, Timestamp)],
    /// here some happened of which nobody knows which they were
    pub unread: &'a [Timestamp],
}

/// How many events lie in each slot of `[from, to)`. Slots outside of what is known have no count, and where nobody asked for half of a
/// slot, or does not know which events they were, it has none unless some are known; the others have one, if only 0. `range_ms`: the
/// length of the chart.
pub fn line(
    events: impl Iterator<Item = Counted>,
    range_ms: i64,
    (from, to): (Timestamp, Timestamp),
    known: Known<'_>,
) -> ChartLine {
    let (slot_ms, _) = slot(range_ms);
    let at = |at: Timestamp| at.ms().div_euclid(slot_ms);
    let (first, last) = (at(from.max(known.from)), at(to.min(known.to).plus_ms(-1)));
    // A hostile time asks for no more than a chart has.
    let many = usize::try_from(last.saturating_sub(first).saturating_add(1)).unwrap_or(0).min(MOST);
    let place = |slot: i64| slot.checked_sub(first).and_then(|place| usize::try_from(place).ok());
    let mut counts = vec![0.0_f32; many];
    for time in events.flat_map(Counted::times) {
        if let Some(count) = place(at(time)).and_then(|place| counts.get_mut(place)) {
            *count += 1.0;
        }
    }
    let mut unknown_ms = vec![0_i64; many];
    for (from, to) in known.away {
        let slots = at(*from).max(first)..=at(*to).min(first.saturating_add(many as i64));
        for slot in slots {
            let begins = slot.saturating_mul(slot_ms);
            let ms = to.ms().min(begins.saturating_add(slot_ms)).saturating_sub(from.ms().max(begins));
            if let Some(unknown) = place(slot).and_then(|place| unknown_ms.get_mut(place)) {
                *unknown = unknown.saturating_add(ms.max(0));
            }
        }
    }
    for time in known.unread {
        if let Some(unknown) = place(at(*time)).and_then(|place| unknown_ms.get_mut(place)) {
            *unknown = slot_ms;
        }
    }
    let bucket = |(n, (count, unknown)): (usize, (f32, i64))| {
        let at = Timestamp::from_ms((first + n as i64).saturating_mul(slot_ms));
        let is_known = count > 0.0 || unknown * 2 < slot_ms;
        is_known.then_some(Bucket { at, min: count, avg: count, max: count, n: 1 })
    };
    let buckets = counts.into_iter().zip(unknown_ms).enumerate().filter_map(bucket).collect();
    ChartLine { buckets, bucket_ms: slot_ms, hold_ms: slot_ms }
}

/// Slots of a chart at most.
const MOST: usize = 400;
/// Times of one event that are told apart.
const MOST_TIMES: u64 = 10_000;

/// Some things that happened between two moments.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Counted {
    /// the first
    pub at: Timestamp,
    /// the last
    pub to: Timestamp,
    /// how many
    pub count: u64,
}

impl Counted {
    /// The deadlocks of a pattern in an event of the time line, with its begin and end; None: it is about something else.
    pub fn deadlocks(at: Timestamp, to: Option<Timestamp>, what: &What, pattern: u64) -> Option<Self> {
        match what {
            What::Reported { count, fingerprint, .. } if *fingerprint == pattern => {
                Some(Self { at, to: to.unwrap_or(at), count: *count })
            }
            _ => None,
        }
    }

    /// The growths of files of a database in an event; of all if none is named.
    pub fn growths(at: Timestamp, to: Option<Timestamp>, what: &What, of: &str) -> Option<Self> {
        match what {
            What::Grown { database, times, .. } if of.is_empty() || database.as_deref() == Some(of) => {
                Some(Self { at, to: to.unwrap_or(at), count: (*times).into() })
            }
            _ => None,
        }
    }

    /// When each of them was: of those between the first and the last nobody knows it better than that.
    fn times(self) -> impl Iterator<Item = Timestamp> {
        let count = self.count.min(MOST_TIMES);
        let length_ms = (self.to - self.at).max(0);
        (0..count).map(move |n| {
            let part = i128::from(length_ms) * i128::from(n) / i128::from(count.saturating_sub(1).max(1));
            self.at.plus_ms(i64::try_from(part).unwrap_or(0))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::timeline::chart::LENGTHS;

    const NOW: Timestamp = Timestamp::from_ms(1_795_190_400_000);

    fn ago(ms: i64) -> Timestamp {
        NOW.plus_ms(-ms)
    }

    fn counted(from_ago: i64, to_ago: i64, count: u64) -> Counted {
        Counted { at: ago(from_ago), to: ago(to_ago), count }
    }

    fn all(from: Timestamp, to: Timestamp) -> Known<'static> {
        Known { from, to, away: &[], unread: &[] }
    }

    #[test]
    fn a_slot_that_nobody_asked_for_is_not_zero() {
        let away = [(ago(40 * MIN), ago(30 * MIN)), (ago(10 * MIN), ago(10 * MIN - 20 * S))];
        let (unread, known) = ([ago(5 * MIN)], all(ago(DAY), NOW));
        let known = Known { away: &away, unread: &unread, ..known };
        let events = [counted(35 * MIN, 35 * MIN, 2)];
        let line = line(events.into_iter(), HOUR, (ago(HOUR), NOW), known);
        let at =
            |minutes: i64| line.buckets.iter().find(|bucket| bucket.at == ago(minutes * MIN)).map(|b| b.avg);
        assert_eq!((at(41), at(40), at(31), at(30)), (Some(0.0), None, None, Some(0.0)));
        assert_eq!(at(35), Some(2.0), "what is known of that time is told");
        assert_eq!((at(10), at(5), at(4)), (Some(0.0), None, Some(0.0)), "a moment is no time");
        assert_eq!(line.buckets.len(), 60 - 9 - 1);
    }

    /// The counts of the last hour, a slot a minute.
    fn hour(events: &[Counted], known: (i64, i64)) -> Vec<f32> {
        let line = line(events.iter().copied(), HOUR, (ago(HOUR), NOW), all(ago(known.0), ago(known.1)));
        assert_eq!((line.bucket_ms, line.hold_ms), (MIN, MIN));
        assert!(line.buckets.windows(2).all(|pair| pair[1].at - pair[0].at == MIN));
        line.buckets.iter().map(|bucket| bucket.avg).collect()
    }

    #[test]
    fn each_slot_has_its_count_and_a_slot_without_any_is_zero_where_it_is_known() {
        let told = hour(&[counted(90 * S, 90 * S, 1), counted(3 * MIN - 1, MIN + 1, 3)], (2 * DAY, 0));
        assert_eq!(told.len(), 60);
        assert_eq!(told[56..], [0.0, 1.0, 3.0, 0.0], "three between the first and the last of them");
        assert!(told[..56].iter().all(|count| *count == 0.0));
        assert_eq!(hour(&[], (10 * MIN, 5 * MIN)).len(), 5, "before and behind nothing is known");
        let outside = hour(&[counted(2 * HOUR, 2 * HOUR, 9), counted(-MIN, -MIN, 9)], (DAY, 0));
        assert!(outside.iter().all(|count| *count == 0.0), "{outside:?}");
    }

    #[test]
    fn every_length_of_a_chart_has_slots_that_can_be_told_apart() {
        for (ms, name) in LENGTHS {
            let line = line(std::iter::once(counted(0, 0, 1)), ms, (ago(ms), NOW), all(ago(2 * ms), NOW));
            assert!(
                (10..=73).contains(&line.buckets.len()),
                "{name}: {} of {}",
                line.buckets.len(),
                slot_name(ms)
            );
        }
        assert_eq!((slot_name(HOUR), slot_name(i64::MAX)), ("minute", "week"));
    }

    #[test]
    fn absurd_times_and_counts_end() {
        let far = Timestamp::from_ms(i64::MAX);
        let near = Timestamp::from_ms(i64::MIN);
        let events = [
            Counted { at: near, to: far, count: u64::MAX },
            Counted { at: far, to: near, count: 3 },
            Counted { at: ago(MIN), to: ago(2 * MIN), count: 2 },
        ];
        let away = [(near, near.plus_ms(9)), (far, near)];
        let unread = [far, near];
        let all = |from, to| Known { away: &away, unread: &unread, ..all(from, to) };
        let told = line(events.into_iter(), HOUR, (ago(HOUR), NOW), all(near, far));
        assert!(told.buckets.iter().map(|bucket| bucket.avg).sum::<f32>() >= 2.0);
        assert!(line(events.into_iter(), 1, (near, far), all(near, far)).buckets.len() <= MOST);
        assert!(line(events.into_iter(), HOUR, (NOW, ago(HOUR)), all(near, far)).buckets.is_empty());
    }

    #[test]
    fn growths_count_for_their_database_and_for_all() {
        let what = What::Grown {
            database: Some("orders".into()),
            file: None,
            times: 3,
            by_kb: None,
            longest_ms: None,
        };
        let of = |name| Counted::growths(ago(MIN), Some(ago(0)), &what, name);
        assert_eq!(["orders", "", "crm"].map(of), [Some(counted(MIN, 0, 3)), Some(counted(MIN, 0, 3)), None]);
        assert_eq!(Counted::growths(ago(0), None, &What::Deadlocks(4), ""), None);
    }

    #[test]
    fn only_reports_of_the_pattern_count() {
        let what = |fingerprint| What::Reported {
            count: 4,
            kind: "ring".into(),
            fingerprint,
            objects: Vec::new(),
            session_id: None,
            login: None,
        };
        let of = |what: &What| Counted::deadlocks(ago(MIN), None, what, 7);
        assert_eq!(of(&what(7)), Some(counted(MIN, MIN, 4)));
        assert_eq!((of(&what(8)), of(&What::Deadlocks(4))), (None, None));
    }
}
