//! What the rules of the score share: the facts of one instance with the reasons found so far, and the grade of a figure.

use crate::model::{
    base::time::Timestamp,
    inventory::record::PollSettings,
    judge::{
        health::{Health, Level, Reason, Thresholds, Topic},
        limits::{Gauge, Limits},
        why::Why,
    },
    poll::Facts,
    timeline::history::History,
};
use std::collections::HashSet;

/// For this long after its start an instance is said to have restarted.
pub(super) const RESTART_SHOWN_MS: u64 = 600_000;
/// A start that is later than now by more than this is of a clock that was set back since, ms.
const AHEAD_MS: i64 = 5_000;
/// Grave reasons of one kind that are told one by one.
pub(super) const MAX_OF_A_KIND: usize = 3;

/// The facts that the rules read, and the reasons they have found.
pub(super) struct Case<'a> {
    pub poll: &'a PollSettings,
    pub facts: &'a Facts,
    pub history: &'a History,
    pub thresholds: &'a Thresholds,
    /// the verdict in force
    pub before: &'a Health,
    pub now: Timestamp,
    pub reasons: Vec<Reason>,
}

impl<'a> Case<'a> {
    pub fn add(&mut self, (level, points): (Level, u8), topic: Topic, why: Why) {
        self.reasons.push(Reason::new(level, topic, points, why));
    }

    /// The reason of this kind that is in force.
    pub fn was(&self, is: impl Fn(&Why) -> bool) -> Option<&'a Why> {
        self.before.reasons.iter().map(Reason::why).find(|why| is(why))
    }

    /// Level and points of a figure; `is` knows the reason that it makes, which may be in force.
    pub fn grade(&self, gauge: Gauge, value: f64, is: impl Fn(&Why) -> bool) -> Option<(Level, u8)> {
        let limits = self.thresholds.limits(gauge)?;
        let of_it = self.before.reasons.iter().filter(|reason| is(reason.why()));
        let before = of_it.map(|reason| reason.level).max().unwrap_or(Level::Ok);
        grade(&limits, value, before)
    }

    /// When the instance started, by our clock as far as known.
    pub fn started_at(&self) -> Option<Timestamp> {
        let told = self.facts.properties.get().and_then(|p| p.started_at);
        self.facts.headline.get().and_then(|h| h.started_at).or(told)
    }

    /// For how long it has run since this start, ms. None: nobody knows, our clock was set back since.
    pub fn up_ms(&self, started_at: Timestamp) -> Option<u64> {
        (self.now - started_at >= -AHEAD_MS).then(|| self.now.ms_since(started_at))
    }

    /// CPUs of the machine.
    pub fn cpu_count(&self) -> Option<i32> {
        self.facts.properties.get().and_then(|p| p.cpu_count)
    }
}

/// The names of a list so far: what is listed twice is one thing.
#[derive(Default)]
pub(super) struct Seen<'a>(HashSet<&'a str>);

impl<'a> Seen<'a> {
    pub fn is_first(&mut self, name: &'a str) -> bool {
        self.0.insert(name)
    }
}

/// Level and points of a figure within its limits, `before` being the level in force.
pub(super) fn grade(limits: &Limits, value: f64, before: Level) -> Option<(Level, u8)> {
    let Limits { warning, critical, clear, calm, low_is_bad } = *limits;
    if limits.is_critical(value) || before >= Level::Critical && limits.is_beyond(calm, value) {
        let points = if low_is_bad {
            40.0 * ((critical - value) / critical.max(f64::MIN_POSITIVE)).clamp(0.0, 1.0)
        } else {
            15.0 * (value / critical.max(f64::MIN_POSITIVE)).log2().clamp(0.0, 10.0)
        };
        Some((Level::Critical, (50.0 + points).min(90.0) as u8))
    } else if limits.is_warning(value) || before >= Level::Warning && limits.is_beyond(clear, value) {
        let part = ((value - warning) / (critical - warning)).clamp(0.0, 1.0);
        Some((Level::Warning, (15.0 + 25.0 * part) as u8))
    } else {
        None
    }
}
