//! How much of a stretch of time an instance was reachable: from the outages that history keeps and from what is known of that
//! time at all. Pure; the history service collects the facts, the page of the instance shows the outcome.
//!
//! Unknown time is counted neither way: before history knew the instance, while nobody collected, while the instance itself was
//! neither polled nor reported as down (in maintenance, stopped, not in the inventory), and after the newest poll.

use crate::model::base::{figure, time::Timestamp, zone::Zone};
use std::fmt::Write as _;

/// A poll tells of so long after it, ms. A collector that ended, with none after it for longer, left a gap.
pub const HOLD_MS: i64 = 180_000;

/// A stretch of time, its end exclusive. One that ends before it begins is empty.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span {
    /// first instant
    pub from: Timestamp,
    /// end
    pub to: Timestamp,
}

/// An outage: when it began, and when it ended; None: it goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Outage {
    /// the last good answer was before this
    pub at: Timestamp,
    /// it was reached again
    pub to: Option<Timestamp>,
}

/// The facts that history has about an instance's connection.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Facts {
    /// from the first to the newest poll that is kept, of whatever instance; None: there is none
    pub known: Option<Span>,
    /// stretches in which this instance answered polls
    pub polled: Vec<Span>,
    /// stretches without a collector
    pub gaps: Vec<Span>,
    /// in any order; they may overlap
    pub outages: Vec<Outage>,
}

/// The outcome for one stretch of time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reached {
    /// length of the stretch, ms
    pub length_ms: i64,
    /// of which it is known whether the instance was reachable, ms
    pub known_ms: i64,
    /// of which it was not, ms
    pub down_ms: i64,
    /// the newest outage in it
    pub last: Option<Outage>,
}

/// The stretch of which anything can be known of an instance: between the oldest and the newest poll that are kept, from its own
/// first one on, and no longer back than outages are kept.
pub fn known(
    (oldest, newest): (Timestamp, Timestamp),
    since: Timestamp,
    outages_since: Option<Timestamp>,
) -> Span {
    let from = oldest.max(since);
    Span { from: outages_since.map_or(from, |kept| from.max(kept)), to: newest.plus_ms(HOLD_MS) }
}

impl Facts {
    /// How it was from `from` to `to`.
    pub fn reached(&self, from: Timestamp, to: Timestamp) -> Reached {
        let length_ms = (to - from).max(0);
        let nothing = Reached { length_ms, known_ms: 0, down_ms: 0, last: None };
        let Some(known) = self.known.and_then(|known| known.within(Span { from, to })) else {
            return nothing;
        };
        let of_outage = |outage: &Outage| Span { from: outage.at, to: outage.to.unwrap_or(known.to) };
        let gaps = joined(&self.gaps, known);
        let outages = joined(&self.outages.iter().map(of_outage).collect::<Vec<_>>(), known);
        let observed = joined(&[self.polled.as_slice(), &outages].concat(), known);
        let without_gaps_ms = |spans: &[Span]| -> i64 {
            let hidden = |span: &Span| total_ms(gaps.iter().filter_map(|gap| gap.within(*span)));
            spans.iter().map(|span| span.ms() - hidden(span)).sum()
        };
        let seen = |outage: &&Outage| of_outage(outage).within(known).is_some();
        Reached {
            length_ms,
            known_ms: without_gaps_ms(&observed),
            down_ms: without_gaps_ms(&outages),
            last: self.outages.iter().filter(seen).max_by_key(|outage| outage.at).copied(),
        }
    }
}

impl Reached {
    /// The share in which it was reachable, percent; None: nothing is known. Only what never failed is 100.
    pub fn pct(&self) -> Option<f64> {
        if self.known_ms <= 0 {
            return None;
        }
        let share = (self.known_ms - self.down_ms).max(0) as f64 / self.known_ms as f64;
        // Rounded down: one second of a week is no 100 %.
        Some((share * 10_000.0).floor() / 100.0)
    }

    /// A longer stretch that ends with this one tells nothing else: all that is known of it lies in this one.
    pub const fn is_all_of(&self, longer: &Self) -> bool {
        self.known_ms == longer.known_ms && self.down_ms == longer.down_ms
    }

    /// `100 % of the 24s known`; `not known yet`: of a stretch whose length does not matter.
    pub fn push_known(&self, out: &mut String) {
        let Some(pct) = self.pct() else { return out.push_str("not known yet") };
        // Writing to a String cannot fail.
        let _ = write!(out, "{pct} % of the ");
        figure::push_span(out, self.known_ms);
        out.push_str(" known");
    }

    /// `99.98 % of 7 d`; `100 % of the 3h20m that are known of 7 d`; `not known for 7 d`. `length` is the stretch in words.
    pub fn push(&self, out: &mut String, length: &str) {
        match self.pct() {
            None => out.push_str("not known for "),
            // Writing to a String cannot fail.
            Some(pct) => drop(write!(out, "{pct} % of ")),
        }
        if (1..self.length_ms).contains(&self.known_ms) {
            out.push_str("the ");
            figure::push_span(out, self.known_ms);
            out.push_str(" that are known of ");
        }
        out.push_str(length);
    }
}

impl Outage {
    /// `last outage 14:02:10, 3m12s`; `down since 14:02:10`.
    pub fn push(&self, out: &mut String, now: Timestamp, zone: &Zone) {
        out.push_str(if self.to.is_some() { "last outage " } else { "down since " });
        zone.push_since(out, self.at, now);
        if let Some(to) = self.to {
            out.push_str(", ");
            figure::push_wait(out, (to - self.at).max(0) as f64);
        }
    }
}

impl Span {
    fn ms(self) -> i64 {
        (self.to - self.from).max(0)
    }

    /// The part of it that lies in another one; None: no part does.
    fn within(self, other: Self) -> Option<Self> {
        let part = Self { from: self.from.max(other.from), to: self.to.min(other.to) };
        (part.from < part.to).then_some(part)
    }
}

fn total_ms(spans: impl Iterator<Item = Span>) -> i64 {
    spans.map(Span::ms).sum()
}

/// The parts of these that lie in `known`, in the order of time, without overlaps.
fn joined(spans: &[Span], known: Span) -> Vec<Span> {
    let mut parts: Vec<Span> = spans.iter().filter_map(|span| span.within(known)).collect();
    parts.sort_by_key(|part| part.from);
    let mut joined: Vec<Span> = Vec::with_capacity(parts.len());
    for part in parts {
        match joined.last_mut() {
            Some(before) if part.from <= before.to => before.to = before.to.max(part.to),
            _ => joined.push(part),
        }
    }
    joined
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::base::zone::UTC;
    use proptest::prelude::*;

    const fn at(s: i64) -> Timestamp {
        Timestamp::from_ms(1_795_181_400_000 + s * 1000)
    }

    const fn span(from_s: i64, to_s: i64) -> Span {
        Span { from: at(from_s), to: at(to_s) }
    }

    fn facts(known: Option<Span>, gaps: &[Span], outages: &[(i64, Option<i64>)]) -> Facts {
        let outage = |&(from_s, to_s): &(i64, Option<i64>)| Outage { at: at(from_s), to: to_s.map(at) };
        let polled = known.into_iter().collect();
        Facts { known, polled, gaps: gaps.to_vec(), outages: outages.iter().map(outage).collect() }
    }

    /// Known and down, s, of 1,000 s.
    fn of(facts: &Facts) -> (i64, i64) {
        let reached = facts.reached(at(0), at(1000));
        (reached.known_ms / 1000, reached.down_ms / 1000)
    }

    fn words(facts: &Facts) -> String {
        let mut out = String::new();
        facts.reached(at(0), at(1000)).push(&mut out, "1,000 s");
        out
    }

    #[test]
    fn what_nobody_knows_is_counted_neither_way() {
        let all = Some(span(-50, 2000));
        for (known, gaps, outages, expected) in [
            (None, vec![], vec![(0, None)], (0, 0)),
            (all, vec![], vec![], (1000, 0)),
            (all, vec![], vec![(100, Some(300))], (1000, 200)),
            (all, vec![], vec![(-100, Some(300))], (1000, 300)),
            (all, vec![], vec![(900, None)], (1000, 100)),
            (all, vec![], vec![(900, Some(5000))], (1000, 100)),
            (all, vec![], vec![(-200, Some(-100))], (1000, 0)),
            (all, vec![], vec![(100, Some(100))], (1000, 0)),
            (all, vec![], vec![(300, Some(100))], (1000, 0)),
            (all, vec![], vec![(100, Some(300)), (200, Some(400))], (1000, 300)),
            (all, vec![span(100, 300)], vec![], (800, 0)),
            (all, vec![span(100, 300)], vec![(0, Some(200))], (800, 100)),
            (all, vec![span(100, 300), span(200, 400)], vec![(100, Some(500))], (700, 100)),
            (all, vec![span(-10, 2000)], vec![(0, None)], (0, 0)),
            (Some(span(600, 700)), vec![], vec![(650, None)], (100, 50)),
            (Some(span(2000, 3000)), vec![], vec![(0, None)], (0, 0)),
            (Some(span(700, 600)), vec![], vec![(0, None)], (0, 0)),
        ] {
            let facts = facts(known, &gaps, &outages);
            assert_eq!(of(&facts), expected, "{facts:?}");
        }
    }

    #[test]
    fn an_instance_that_was_not_polled_is_not_known_though_the_fleet_is() {
        let of_polled = |polled: &[Span], outages: &[(i64, Option<i64>)]| Facts {
            polled: polled.to_vec(),
            ..facts(Some(span(-50, 2000)), &[span(50, 100)], outages)
        };
        // In maintenance but for the last part; removed, and restored; polled again after an outage without a poll in it.
        for (polled, outages, expected) in [
            (vec![span(900, 2000)], vec![], (100, 0)),
            (vec![span(-50, 200), span(800, 2000)], vec![], (350, 0)),
            (vec![span(0, 300), span(500, 600)], vec![(250, Some(520))], (550, 270)),
            (vec![], vec![(900, None)], (100, 100)),
            (vec![], vec![], (0, 0)),
        ] {
            let facts = of_polled(&polled, &outages);
            assert_eq!(of(&facts), expected, "{facts:?}");
        }
        assert_eq!(words(&of_polled(&[], &[])), "not known for 1,000 s");
    }

    #[test]
    fn nothing_is_known_from_before_the_outages_that_are_kept() {
        let (fleet, to_s) = ((at(0), at(820)), 820 + HOLD_MS / 1000);
        for (since_s, kept_s, from_s) in [(-5, None, 0), (7, None, 7), (7, Some(400), 400), (7, Some(3), 7)] {
            assert_eq!(known(fleet, at(since_s), kept_s.map(at)), span(from_s, to_s));
        }
    }

    #[test]
    fn only_what_never_failed_is_a_hundred_percent() {
        let week = |outages| facts(Some(span(0, 604_800)), &[], outages).reached(at(0), at(604_800)).pct();
        assert_eq!(week(&[]), Some(100.0));
        assert_eq!(week(&[(5, Some(6))]), Some(99.99));
        assert_eq!(week(&[(0, None)]), Some(0.0));
        assert_eq!(facts(None, &[], &[]).reached(at(0), at(10)).pct(), None);
        assert_eq!(facts(Some(span(0, 10)), &[], &[]).reached(at(10), at(0)).pct(), None, "no time at all");
    }

    #[test]
    fn unknown_time_is_said() {
        assert_eq!(words(&facts(Some(span(0, 1000)), &[], &[(100, Some(300))])), "80 % of 1,000 s");
        assert_eq!(
            words(&facts(Some(span(820, 1000)), &[], &[])),
            "100 % of the 3m that are known of 1,000 s"
        );
        assert_eq!(words(&facts(None, &[], &[])), "not known for 1,000 s");
    }

    #[test]
    fn the_newest_outage_in_sight_is_told_with_its_length() {
        let known = Some(span(0, 1000));
        let last = |outages: &[(i64, Option<i64>)]| {
            let mut out = String::new();
            let last = facts(known, &[], outages).reached(at(0), at(1000)).last;
            last.inspect(|outage| outage.push(&mut out, at(1000), &UTC));
            out.split_once(|c: char| c.is_ascii_digit()).map(|(words, rest)| format!("{words}{}", &rest[7..]))
        };
        assert_eq!(last(&[(10, Some(20)), (100, Some(292)), (30, Some(40))]).unwrap(), "last outage , 3m12s");
        assert_eq!(last(&[(10, Some(20)), (900, None)]).unwrap(), "down since ");
        assert_eq!(last(&[(-20, Some(-10)), (1000, Some(1010))]), None, "outside of the time that is known");
    }

    proptest! {
        #[test]
        fn never_more_than_there_is(
            known in (-100_i64..1100, 0_i64..1200),
            gaps in prop::collection::vec((-100_i64..1100, -10_i64..500), 0..6),
            outages in prop::collection::vec((-100_i64..1100, prop::option::of(-10_i64..500)), 0..6),
        ) {
            let gaps: Vec<Span> = gaps.into_iter().map(|(from, s)| span(from, from + s)).collect();
            let outages: Vec<_> = outages.into_iter().map(|(from, s)| (from, s.map(|s| from + s))).collect();
            let (known_s, down_s) = of(&facts(Some(span(known.0, known.0 + known.1)), &gaps, &outages));
            prop_assert!((0..=1000).contains(&known_s) && (0..=known_s).contains(&down_s), "{known_s} {down_s}");
        }
    }
}
