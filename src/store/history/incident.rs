//! Incidents of the flight recorder: a stretch of time of one instance that is kept whole, from ten minutes before its
//! health became critical, or a user pressed a key, to five minutes after. Pure: `tracker` feeds it, `marks` merges the
//! incidents that another process freezes, `retain` spares the rows within.
//!
//! One trouble is one incident: while the health is critical, or becomes so again before the end, the incident grows, up to
//! [`MOST_MS`]. A health that is critical when the polls begin, or begin again after an outage, is no change.

use super::event::{Event, event_no};
use crate::model::{
    base::time::Timestamp,
    judge::health::{Health, Level},
    timeline::{
        chart::{INCIDENT_BEFORE_MS, MarkKind},
        event::{Cause, What},
    },
};
use std::sync::Arc;

/// An incident begins so long before it was noticed, ms …
pub const BEFORE_MS: i64 = INCIDENT_BEFORE_MS;
/// … and ends so long after, ms.
pub const AFTER_MS: i64 = 5 * 60_000;
/// No incident is longer, ms: of a trouble that lasts for days the beginning is kept.
pub(super) const MOST_MS: i64 = BEFORE_MS + 60 * 60_000;
/// All probes have answered so long after the first, ms: their first findings are no change of health.
const SETTLED_MS: i64 = 20_000;
/// An incident that grows is written so often, ms.
const STEP_MS: i64 = 30_000;

/// The state of one instance.
#[derive(Debug, Default)]
pub(super) struct Incidents {
    /// since when there is a verdict by its figures
    known_since: Option<Timestamp>,
    critical: bool,
    newest: Option<Event>,
}

impl Incidents {
    /// Goes on with the incident that the last writer left.
    pub fn resume(&mut self, event: Event) {
        self.newest = Some(event);
    }

    /// Takes a verdict.
    pub fn follow(&mut self, uid: &Arc<str>, at: Timestamp, health: &Health, emit: &mut dyn FnMut(Event)) {
        if matches!(health.level, Level::Unknown | Level::Offline) {
            (self.known_since, self.critical) = (None, false);
            return;
        }
        let since = *self.known_since.get_or_insert(at);
        let was_critical = std::mem::replace(&mut self.critical, health.level == Level::Critical);
        if !self.critical {
            return;
        }
        if let Some(event) = self.newest.as_mut().filter(|event| is_within(event, at)) {
            let to = at.plus_ms(AFTER_MS).min(event.at.plus_ms(MOST_MS));
            if event.to.is_some_and(|before| to - before >= STEP_MS) {
                event.to = Some(to);
                emit(event.clone());
            }
            return;
        }
        if !was_critical && at - since >= SETTLED_MS {
            let why = health.reasons.first().map(|reason| Cause::Verdict(reason.why().clone()));
            let event = Event::incident(uid.clone(), at, why.unwrap_or(Cause::Level(Level::Critical)));
            emit(event.clone());
            self.newest = Some(event);
        }
    }

    /// Takes an incident that a user froze. Returns the event to write: that one, or the one that it prolongs.
    pub fn freeze(&mut self, event: Event) -> Event {
        let event = self.newest.as_ref().and_then(|newest| newest.with(&event)).unwrap_or(event);
        self.newest = Some(event.clone());
        event
    }
}

fn is_within(event: &Event, at: Timestamp) -> bool {
    at >= event.at && event.to.is_some_and(|to| at <= to)
}

impl Event {
    /// An incident of an instance, noticed `at`.
    pub fn incident(uid: Arc<str>, at: Timestamp, why: Cause) -> Self {
        Self {
            no: event_no(),
            uid: Some(uid),
            kind: MarkKind::Incident,
            at: at.plus_ms(-BEFORE_MS),
            to: Some(at.plus_ms(AFTER_MS)),
            what: What::Kept(vec![why]),
            episode: None,
        }
    }

    /// Two incidents that overlap, as one. None: they do not, or it would become too long.
    pub(super) fn with(&self, other: &Self) -> Option<Self> {
        let (mine, theirs) = (self.to?, other.to?);
        let (at, to) = (self.at.min(other.at), mine.max(theirs));
        let overlap = self.at <= theirs && other.at <= mine;
        if !overlap || to - at > MOST_MS {
            return None;
        }
        let mut causes = causes(&self.what);
        for cause in self::causes(&other.what) {
            // Other figures may read the same.
            let words = cause.to_string();
            if causes.iter().all(|known| known.to_string() != words) {
                causes.push(cause);
            }
        }
        Some(Self { at, to: Some(to), what: What::Kept(causes), ..self.clone() })
    }
}

/// Why an incident is kept.
fn causes(what: &What) -> Vec<Cause> {
    match what {
        What::Kept(causes) => causes.clone(),
        What::Incident(reasons) => reasons.iter().cloned().map(Cause::Sentence).collect(),
        What::Note(note) => vec![Cause::Note(note.clone())],
        other => vec![Cause::Sentence(other.to_string().into())],
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::judge::{
        health::{Reason, Topic},
        why::Why,
    };

    fn at(s: i64) -> Timestamp {
        Timestamp::from_ms(1_790_000_000_000 + s * 1000)
    }

    /// Plays levels at seconds. Returns every version of every incident: number, beginning and end in seconds, words.
    fn play(incidents: &mut Incidents, levels: &[(i64, Level)]) -> Vec<(i64, i64, i64, Arc<str>)> {
        let mut told = Vec::new();
        for (second, level) in levels {
            let reason = Reason::new(*level, Topic::Cpu, 50, Why::Sentence("CPU 99 %".into()));
            let health = Health { score: Some(50), level: *level, reasons: vec![reason] };
            incidents.follow(&"a".into(), at(*second), &health, &mut |event| {
                let s = |at: Timestamp| (at - self::at(0)) / 1000;
                told.push((event.no, s(event.at), s(event.to.unwrap()), event.what.to_string().into()));
            });
        }
        told
    }

    use Level::{Critical, Offline, Ok, Unknown, Warning};

    #[test]
    fn a_change_to_critical_is_one_incident_however_often_it_comes_back() {
        let mut incidents = Incidents::default();
        let mut levels = vec![(0, Ok), (1000, Critical)];
        // The level changes for ten minutes, each time within five of the last.
        levels.extend((1..=5).flat_map(|n| [(1000 + n * 120 - 60, Warning), (1000 + n * 120, Critical)]));
        levels.extend([(1700, Ok), (1901, Ok), (2600, Critical)]);
        let told = play(&mut incidents, &levels);
        assert_eq!((told[0].1, told[0].2, &*told[0].3), (400, 1300, "CPU 99 %"));
        let first = told[0].0;
        let grown = told.iter().filter(|t| t.0 == first).max_by_key(|t| t.2).unwrap();
        assert_eq!((grown.1, grown.2), (400, 1900), "five minutes after it was critical last");
        let other: Vec<_> = told.iter().filter(|t| t.0 != first).collect();
        assert_eq!(other.len(), 1, "{told:?}");
        assert_eq!((other[0].1, other[0].2), (2000, 2900));
    }

    #[test]
    fn what_stays_critical_has_its_first_hour_kept() {
        let mut incidents = Incidents::default();
        let levels: Vec<_> =
            [(0, Ok)].into_iter().chain((0..5000).map(|n| (1000 + n * 2, Critical))).collect();
        let told = play(&mut incidents, &levels);
        let last = told.last().unwrap();
        assert!(told.iter().all(|t| t.0 == last.0), "one");
        assert_eq!((last.1, last.2), (400, 400 + MOST_MS / 1000));
        assert!(told.len() < 130, "it is not written with every poll: {}", told.len());
    }

    #[test]
    fn what_is_so_when_the_watching_begins_is_no_change() {
        let start = |from| [(from, Unknown), (from + 1, Ok), (from + 3, Critical), (from + 60, Critical)];
        assert_eq!(play(&mut Incidents::default(), &start(0)), []);
        let mut incidents = Incidents::default();
        assert_eq!(
            play(&mut incidents, &[(0, Ok), (60, Warning), (600, Offline)]),
            [],
            "nothing is to be had"
        );
        assert_eq!(play(&mut incidents, &start(900)), [], "it came back as it was");
        assert_eq!(play(&mut incidents, &[(1000, Ok), (1001, Critical)]).len(), 1);
        // A killed collector goes on with the incident it had.
        let mut next = Incidents::default();
        next.resume(incidents.newest.clone().unwrap());
        let told = play(&mut next, &start(1100));
        assert_eq!((told.len(), told[0].1, told[1].2), (2, 401, 1460), "{told:?}");
    }

    #[test]
    fn what_a_key_freezes_within_an_incident_prolongs_it() {
        let mut incidents = Incidents::default();
        let first = play(&mut incidents, &[(0, Ok), (1000, Critical)]);
        let frozen = incidents.freeze(Event::incident("a".into(), at(1200), Cause::ByHand));
        assert_eq!((frozen.no, frozen.at, frozen.to), (first[0].0, at(400), Some(at(1500))));
        assert_eq!(frozen.what.to_string(), "CPU 99 % · kept by hand");
        let again = incidents.freeze(Event::incident("a".into(), at(1210), Cause::ByHand));
        assert_eq!(again.what.to_string(), "CPU 99 % · kept by hand");
        let later = incidents.freeze(Event::incident("a".into(), at(9000), Cause::ByHand));
        assert_ne!(later.no, frozen.no);
        assert_eq!(play(&mut incidents, &[(9100, Critical)])[0].0, later.no, "and the other way round");
    }

    #[test]
    fn incidents_that_touch_are_one_unless_it_would_become_too_long() {
        let lasting = |from, to| {
            let event = Event::incident("a".into(), at(0), Cause::ByHand);
            Event { at: at(from), to: Some(at(to)), ..event }
        };
        let joined = |one: &Event, other: &Event| one.with(other).map(|e| (e.no, e.at, e.to));
        let first = lasting(0, 100);
        for (from, to) in [(100, 200), (-100, 0), (20, 30), (-50, 300)] {
            let other = lasting(from, to);
            let wanted = (at(from.min(0)), Some(at(to.max(100))));
            assert_eq!(joined(&first, &other), Some((first.no, wanted.0, wanted.1)), "{from} to {to}");
            assert_eq!(joined(&other, &first), Some((other.no, wanted.0, wanted.1)), "{from} to {to}");
        }
        for (from, to) in [(101, 200), (-100, -1)] {
            assert_eq!(joined(&first, &lasting(from, to)), None, "{from} to {to}");
            assert_eq!(joined(&lasting(from, to), &first), None, "{from} to {to}");
        }
        let most = MOST_MS / 1000;
        assert!(first.with(&lasting(50, most)).is_some());
        assert!(first.with(&lasting(50, most + 1)).is_none());
        assert!(first.with(&Event { to: None, ..lasting(50, 60) }).is_none());
    }
}
