//! Deadlocks on the time line. The counter of the server tells at once that there were some; minutes later their reports tell which,
//! and the event says so from then on. Part of `tracker`.

use super::{
    event::Event,
    tracker::{Scene, TOLD_SLACK_MS},
};
use crate::model::{
    base::time::Timestamp,
    poll::deadlocks::{DeadlockPattern, DeadlockTable},
    timeline::{chart::MarkKind, event::What},
};
use std::collections::VecDeque;

/// Events of the counter that wait for their reports.
const WAITING: usize = 32;
/// A report may be this far outside of the poll that counted it: its time is the server's, ms.
const SLACK_MS: i64 = 5_000;
/// Older deadlocks of a first reading are in the table, and not on the time line, ms.
const OLDEST_MS: i64 = 86_400_000;
/// Events that one reading makes at most, of the newest deadlocks.
const MOST: usize = 50;

/// What the counter told of one instance, and no report yet.
#[derive(Debug, Default)]
pub(super) struct Deadlocks {
    waiting: VecDeque<Event>,
    /// until when deadlocks were told before this writer began, until reports are read
    told: Option<Timestamp>,
}

impl Deadlocks {
    /// An event that was told before this writer began. What was only counted waits for its report still.
    pub fn was_told(&mut self, event: &Event) {
        match event.what {
            What::Deadlocks(_) => self.counted(event),
            _ => self.told = self.told.max(Some(event.to.unwrap_or(event.at))),
        }
    }

    /// The counter moved.
    pub fn counted(&mut self, event: &Event) {
        if self.waiting.len() >= WAITING {
            self.waiting.pop_front();
        }
        self.waiting.push_back(event.clone());
    }

    /// Reports were read.
    pub fn reported(&mut self, scene: Scene<'_>, table: &DeadlockTable, emit: &mut dyn FnMut(Event)) {
        let mut news = table.news();
        news.retain(|(at, _)| scene.at - *at <= OLDEST_MS && *at - scene.at <= OLDEST_MS);
        if let Some(told) = self.told.take() {
            news.retain(|(at, _)| *at > told.plus_ms(TOLD_SLACK_MS));
        }
        news.drain(..news.len().saturating_sub(MOST));
        self.waiting.retain(|counted| {
            let (from, to) =
                (counted.at.plus_ms(-SLACK_MS), counted.to.unwrap_or(counted.at).plus_ms(SLACK_MS));
            let of_it: Vec<_> = news.extract_if(.., |(at, _)| (from..=to).contains(at)).collect();
            let is_told = !of_it.is_empty();
            tell(&of_it, Some(counted), scene, emit);
            !is_told
        });
        for one in &news {
            tell(std::slice::from_ref(one), None, scene, emit);
        }
    }
}

/// An event for each pattern; the first takes the place of what was counted.
fn tell(
    news: &[(Timestamp, &DeadlockPattern)],
    counted: Option<&Event>,
    scene: Scene<'_>,
    emit: &mut dyn FnMut(Event),
) {
    let mut told: Vec<u64> = Vec::new();
    for (at, pattern) in news {
        if told.contains(&pattern.fingerprint) {
            continue;
        }
        let alike = || news.iter().filter(|(_, other)| other.fingerprint == pattern.fingerprint);
        let what = what(pattern, alike().count() as u64);
        let mut event = match counted.filter(|_| told.is_empty()) {
            Some(counted) => Event { what, ..counted.clone() },
            None => scene.event(MarkKind::Deadlock, what),
        };
        event.at = *at;
        event.to = alike().map(|(at, _)| *at).max();
        told.push(pattern.fingerprint);
        emit(event);
    }
}

fn what(pattern: &DeadlockPattern, count: u64) -> What {
    let victim = pattern.victim();
    What::Reported {
        count,
        kind: pattern.kind.clone(),
        fingerprint: pattern.fingerprint,
        objects: pattern.newest().map(|report| report.objects.clone()).unwrap_or_default(),
        session_id: victim.and_then(|party| party.session_id),
        login: victim.and_then(|party| party.who.login.clone()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::poll::deadlocks::{DeadlockParty, DeadlockReport};
    use std::sync::Arc;

    fn at(s: i64) -> Timestamp {
        Timestamp::from_ms(s * 1_000)
    }

    fn table(reports: &[(u64, i64)]) -> DeadlockTable {
        let mut table = DeadlockTable::default();
        for (nth, (fingerprint, s)) in reports.iter().enumerate() {
            let party = DeadlockParty { session_id: Some(62), is_victim: true, ..DeadlockParty::default() };
            table.pattern(*fingerprint, "key lookup").push(DeadlockReport {
                at: at(*s),
                hash: nth as u64,
                parties: vec![party],
                objects: vec!["orders.dbo.Order".into()],
                ..DeadlockReport::default()
            });
        }
        table
    }

    /// The events of a reading at 100,000 s after the counter moved from 99,900 to 99,930 s.
    fn told(reports: &[(u64, i64)]) -> (i64, Vec<Event>) {
        let uid: Arc<str> = "a".into();
        let scene = Scene { uid: &uid, at: at(100_000) };
        let mut counted = scene.event(MarkKind::Deadlock, What::Deadlocks(2));
        (counted.at, counted.to) = (at(99_900), Some(at(99_930)));
        let mut deadlocks = Deadlocks::default();
        deadlocks.counted(&counted);
        let mut events = Vec::new();
        deadlocks.reported(scene, &table(reports), &mut |event| events.push(event));
        deadlocks.reported(scene, &DeadlockTable::default(), &mut |event| panic!("{event:?}"));
        (counted.no, events)
    }

    #[test]
    fn a_report_takes_the_place_of_what_was_counted() {
        let (no, events) = told(&[(7, 99_905), (7, 99_929), (9, 99_910)]);
        let words: Vec<_> = events.iter().map(|event| event.what.to_string()).collect();
        let rest = "key lookup on orders.dbo.Order; rolled back: session 62";
        assert_eq!(words, [format!("2 deadlocks: {rest}"), format!("1 deadlock: {rest}")]);
        assert_eq!((events[0].no, events[0].at, events[0].to), (no, at(99_905), Some(at(99_929))));
        assert_ne!(events[1].no, no, "another pattern is another event");
    }

    #[test]
    fn what_nobody_counted_is_told_at_its_time_unless_it_is_older_than_a_day() {
        let (no, events) = told(&[(7, 50_000), (7, 10_000), (7, 100_001 + 86_400)]);
        let [event] = &events[..] else { panic!("{events:?}") };
        assert_eq!((event.at, event.kind), (at(50_000), MarkKind::Deadlock));
        assert_ne!(event.no, no);
        let many: Vec<_> = (0..80).map(|n| (n, 50_000 + n as i64)).collect();
        assert_eq!(told(&many).1.len(), MOST);
    }
}
