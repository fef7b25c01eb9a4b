//! Which changes of health last: what flickers is no event. `store::history` feeds it every verdict and writes what it returns.
//!
//! Each topic is followed by itself, so that one which flickers does not hide another that lasts. A topic that got worse must
//! stay worse for [`WORSE_MS`], one that got better must stay better for [`BETTER_MS`]; then the change is told with the time
//! at which it really began. What still waits when the collector ends is not told by the next run, which begins with the
//! verdict that it finds.

use crate::model::{
    base::time::Timestamp,
    judge::health::{Health, Level, Topic},
};
use std::{
    collections::HashMap,
    mem::{Discriminant, discriminant},
};

/// Something that got worse lasts for so long before it is an event, ms: the next poll of the fleet confirms it.
pub const WORSE_MS: i64 = 20_000;
/// Something that got better lasts for so long, ms: what comes back within it never ended.
pub const BETTER_MS: i64 = 120_000;

/// A change that lasted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lasting {
    /// when it began
    pub at: Timestamp,
    /// the level before
    pub before: Level,
    /// the level since then
    pub after: Level,
}

/// The health of one instance as its events tell it.
#[derive(Debug, Default)]
pub struct Dwell {
    topics: HashMap<Discriminant<Topic>, Watched>,
    is_started: bool,
}

/// One topic. Without a reason its level is ok.
#[derive(Debug)]
struct Watched {
    /// as it was told
    told: Level,
    /// as it is
    now: Level,
    /// since when
    since: Timestamp,
    /// it has not been as it was told since then, and was never closer to it than this level
    away: Option<(Timestamp, Level)>,
}

impl Watched {
    /// Takes its level now. Some: since when the change lasts that is told now.
    fn follow(&mut self, at: Timestamp, level: Level) -> Option<Timestamp> {
        if level != self.now {
            (self.now, self.since) = (level, at);
        }
        if level == self.told {
            self.away = None;
            return None;
        }
        let is_worse = level > self.told;
        self.away = Some(match self.away {
            // Still on the same side: the change is the smaller of all that it was.
            Some((from, least)) if (least > self.told) == is_worse => {
                (from, if is_worse { least.min(level) } else { least.max(level) })
            }
            _ => (at, level),
        });
        let (from, least) = self.away?;
        let due_ms = if is_worse { WORSE_MS } else { BETTER_MS };
        if at - from < due_ms {
            return None;
        }
        self.told = least;
        self.away = (self.now != least).then_some((self.since, self.now));
        Some(from)
    }
}

impl Dwell {
    /// Takes the next verdict.
    pub fn follow(&mut self, at: Timestamp, health: &Health) -> Option<Lasting> {
        if !self.is_started && health.is_before_the_first() {
            return None;
        }
        let mut levels: HashMap<Discriminant<Topic>, Level> = HashMap::new();
        for reason in &health.reasons {
            let level = levels.entry(discriminant(&reason.topic)).or_insert(reason.level);
            *level = reason.level.max(*level);
        }
        let before = self.level();
        for topic in levels.keys() {
            // What an instance has when it is first seen is told as it is.
            let told = if self.is_started { Level::Ok } else { levels[topic] };
            self.topics.entry(*topic).or_insert(Watched { told, now: told, since: at, away: None });
        }
        let mut began: Option<Timestamp> = None;
        for (topic, watched) in &mut self.topics {
            let level = levels.get(topic).copied().unwrap_or(Level::Ok);
            if let Some(from) = watched.follow(at, level) {
                began = Some(began.map_or(from, |other| other.min(from)));
            }
        }
        self.topics.retain(|_, watched| watched.told != Level::Ok || watched.now != Level::Ok);
        self.is_started = true;
        began.map(|at| Lasting { at, before, after: self.level() })
    }

    /// As it was told.
    fn level(&self) -> Level {
        self.topics.values().map(|watched| watched.told).max().unwrap_or(Level::Ok)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::judge::{health::Reason, why::Why};
    use Level::{Critical, Ok, Warning};

    fn at(s: i64) -> Timestamp {
        Timestamp::from_ms(s * 1000)
    }

    fn health(reasons: &[(Topic, Level)]) -> Health {
        let reasons = reasons.iter().map(|(topic, level)| Reason::new(*level, *topic, 15, Why::MemoryLow));
        let reasons: Vec<Reason> = reasons.collect();
        let level = reasons.iter().map(|r| r.level).max().unwrap_or(Ok);
        Health { score: Some(50), level, reasons }
    }

    /// (second it is told, second it began, before, after) of one topic whose level at each second is said.
    fn told(of: impl Fn(i64) -> Level, seconds: i64, step: usize) -> Vec<(i64, i64, Level, Level)> {
        let mut dwell = Dwell::default();
        let mut found = Vec::new();
        for s in (0..seconds).step_by(step) {
            let level = of(s);
            let now = if level == Ok { health(&[]) } else { health(&[(Topic::Io, level)]) };
            if let Some(change) = dwell.follow(at(s), &now) {
                found.push((s, change.at.ms() / 1000, change.before, change.after));
            }
        }
        found
    }

    #[test]
    fn a_change_is_told_when_it_lasted_with_its_true_begin() {
        let of = |s| if (100..300).contains(&s) { Warning } else { Ok };
        assert_eq!(told(of, 600, 2), [(120, 100, Ok, Warning), (420, 300, Warning, Ok)]);
        // The polls of a fleet come every 30 s.
        assert_eq!(told(of, 600, 30), [(150, 120, Ok, Warning), (420, 300, Warning, Ok)]);
    }

    #[test]
    fn what_flickers_is_at_most_one_begin_and_one_end() {
        for (on, off) in [(2, 2), (10, 5), (40, 60), (25, 110), (4, 30)] {
            let of = move |s| if (60..660).contains(&s) && (s - 60) % (on + off) < on { Warning } else { Ok };
            let events = told(of, 1_200, 2);
            assert!(events.len() <= 2, "{on} s on, {off} s off: {events:?}");
        }
        let of = |s| {
            if s < 60 {
                Ok
            } else if s / 10 % 2 == 0 {
                Warning
            } else {
                Critical
            }
        };
        assert_eq!(
            told(of, 900, 2),
            [(80, 60, Ok, Warning)],
            "now critical, now a warning: a warning that lasts"
        );
    }

    #[test]
    fn it_gets_worse_while_it_lasts() {
        let of = |s| match s {
            0..60 => Ok,
            60..75 => Warning,
            _ => Critical,
        };
        assert_eq!(told(of, 200, 1), [(80, 60, Ok, Warning), (95, 75, Warning, Critical)]);
    }

    #[test]
    fn one_topic_that_flickers_does_not_hide_another() {
        let mut dwell = Dwell::default();
        let mut found = Vec::new();
        for s in 0..200 {
            let mut reasons = Vec::new();
            if s % 2 == 0 {
                reasons.push((Topic::Io, Warning));
            }
            if s >= 50 {
                reasons.push((Topic::Tempdb, Critical));
            }
            found.extend(dwell.follow(at(s), &health(&reasons)).map(|c| (c.at, c.after)));
        }
        assert_eq!(found, [(at(50), Critical)]);
    }

    #[test]
    fn an_instance_begins_as_it_is() {
        assert_eq!(told(|_| Critical, 300, 2), [], "it was so when somebody first looked");
        let mut dwell = Dwell::default();
        let first = Health {
            reasons: vec![Reason::new(Level::Unknown, Topic::Link, 0, Why::FirstPoll)],
            ..Health::default()
        };
        assert_eq!(dwell.follow(at(0), &first), None);
        for s in 1..300 {
            assert_eq!(dwell.follow(at(s), &health(&[])), None, "an answer is no change");
        }
    }

    #[test]
    fn a_clock_that_goes_back_tells_nothing() {
        let mut dwell = Dwell::default();
        assert_eq!(dwell.follow(at(1000), &health(&[])), None);
        assert_eq!(dwell.follow(at(1010), &health(&[(Topic::Io, Warning)])), None);
        assert_eq!(dwell.follow(at(10), &health(&[(Topic::Io, Warning)])), None);
        assert!(dwell.follow(at(1031), &health(&[(Topic::Io, Warning)])).is_some());
    }
}
