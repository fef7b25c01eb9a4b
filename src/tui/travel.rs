//! On the way from one moment to another: the target, the length of steps, and the newest state of the present
//! meanwhile. `moment` has the present place of the screen; the app shows the answers.
//!
//! One question is open at a time; a later target is asked for when the answer is there. An answer that
//! is not waited for any more is dropped by its ticket.

use super::moment::Moment;
use crate::{
    model::{
        base::time::Timestamp, fold::snapshot::FleetSnapshot, inventory::instance::InstanceId, timeline::past,
    },
    protocol::HistoryRequest,
};
use std::{collections::HashSet, sync::Arc};

/// History that has not answered after this time is not waited for any more, ms.
const PATIENCE_MS: u64 = 15_000;

const MINUTE_MS: i64 = 60_000;

/// Steps within this time of each other are the key being held, ms.
const HELD_MS: u64 = 700;

/// On the way to an instant.
#[derive(Debug, Clone, Copy)]
pub struct Going {
    ticket: u64,
    /// what was asked for
    asked: Timestamp,
    /// what is wanted by now
    wanted: Timestamp,
    since: Timestamp,
}

impl Going {
    /// The instant that is wanted instead by now.
    pub fn next(&self) -> Option<Timestamp> {
        (self.wanted != self.asked).then_some(self.wanted)
    }
}

/// A comparison that history was asked for.
#[derive(Debug, Clone)]
pub struct Comparison {
    ticket: u64,
    /// the other instant
    pub at: Timestamp,
    /// the instances that are compared
    pub ids: HashSet<InstanceId>,
}

/// Steps in a row.
#[derive(Debug, Clone, Copy)]
struct Steps {
    back: bool,
    in_a_row: u32,
    last: Timestamp,
}

/// The target of a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// to this instant
    To(Timestamp),
    /// to the present
    Live,
    /// nowhere: this is the end
    Nowhere,
}

/// The app's way through time.
pub struct Travel {
    /// the instant at which the present was paused
    pub paused: Option<Timestamp>,
    /// the newest state of the fleet that came while paused
    pub waiting: Option<Arc<FleetSnapshot>>,
    /// the newest state of the fleet while the past is shown
    pub live: Option<Arc<FleetSnapshot>>,
    /// parts that are missing at the instant of the past on the screen, for the file of history is damaged there
    pub damaged: Vec<String>,
    going: Option<Going>,
    comparison: Option<Comparison>,
    steps: Steps,
    tickets: u64,
}

impl Travel {
    /// In the present, going nowhere.
    pub const fn new() -> Self {
        Self {
            paused: None,
            waiting: None,
            live: None,
            damaged: Vec::new(),
            going: None,
            comparison: None,
            steps: Steps { back: true, in_a_row: 0, last: Timestamp::from_ms(0) },
            tickets: 0,
        }
    }

    /// A number that no other question has.
    pub const fn ticket(&mut self) -> u64 {
        self.tickets += 1;
        self.tickets
    }

    /// The target, if it is on the way.
    pub fn goal(&self) -> Option<Timestamp> {
        self.going.map(|g| g.wanted)
    }

    /// Snapshots that came while paused at this version.
    pub fn behind(&self, version: u64) -> u64 {
        self.waiting.as_ref().map_or(0, |w| w.version.saturating_sub(version))
    }

    /// Sets out for an instant. None if it is on the way elsewhere: this instant follows.
    pub fn set_out(&mut self, at: Timestamp, clock: Timestamp) -> Option<HistoryRequest> {
        if let Some(going) = &mut self.going {
            going.wanted = at;
            return None;
        }
        let ticket = self.ticket();
        self.going = Some(Going { ticket, asked: at, wanted: at, since: clock });
        Some(HistoryRequest::At { ticket, at })
    }

    /// An answer came. None if it is not waited for.
    pub fn arrive(&mut self, ticket: u64) -> Option<Going> {
        self.going.take_if(|g| g.ticket == ticket)
    }

    /// Stops waiting; true if it was on the way.
    pub fn turn_back(&mut self) -> bool {
        self.going.take().is_some()
    }

    /// Stops waiting for an answer that is late; true if there was one.
    pub fn give_up(&mut self, clock: Timestamp) -> bool {
        self.going.take_if(|g| clock.ms().abs_diff(g.since.ms()) > PATIENCE_MS).is_some()
    }

    /// Asks for another instant, to be compared with the one on the screen.
    pub fn ask_to_compare(&mut self, at: Timestamp, instances: Vec<InstanceId>) -> HistoryRequest {
        let ticket = self.ticket();
        self.comparison = Some(Comparison { ticket, at, ids: instances.iter().cloned().collect() });
        HistoryRequest::Compare { ticket, at, instances }
    }

    /// The other instant is there, or cannot be had. None if nobody waits for it.
    pub fn compared(&mut self, ticket: u64) -> Option<Comparison> {
        self.comparison.take_if(|c| c.ticket == ticket)
    }

    /// One step from the present place or target of the screen, and words about it. Steps are whole minutes and grow while
    /// the key is held; beyond now it is live.
    pub fn step(&mut self, moment: &Moment, back: bool, long_ms: Option<i64>) -> (Step, Option<String>) {
        let now = moment.clock;
        let (last, _) = moment.origin();
        let here = self.goal().or(moment.past.map(|p| p.at));
        let Some(from) = here.or(back.then_some(last)) else {
            return (Step::Nowhere, Some("this is live: [ goes back in time".to_owned()));
        };
        let steps = &mut self.steps;
        let held = steps.back == back && now.ms_since(steps.last) <= HELD_MS;
        let before_ms = past::step_ms(steps.in_a_row);
        steps.in_a_row = if held { steps.in_a_row.saturating_add(1) } else { 0 };
        (steps.back, steps.last) = (back, now);
        let step_ms = long_ms.unwrap_or_else(|| past::step_ms(steps.in_a_row));
        let tells_length = long_ms.is_none() && (here.is_none() || (held && step_ms != before_ms));
        let words = tells_length
            .then(|| format!("steps of {}: hold for longer ones, {{ }} for 1h", past::step_words(step_ms)));
        // From within a minute the first step leads to a whole one: back to its beginning, forward to its end.
        let minute = |at: Timestamp| Timestamp::from_ms(at.ms().div_euclid(MINUTE_MS) * MINUTE_MS);
        let to = match (back, long_ms) {
            (true, None) => minute(from.plus_ms(-1)).plus_ms(MINUTE_MS - step_ms),
            (true, Some(_)) => minute(from.plus_ms(-step_ms)),
            (false, _) => minute(from.plus_ms(step_ms)),
        };
        let oldest = moment.past.map(|past| past.oldest);
        match oldest.map(|oldest| (oldest, past::first(oldest, last))) {
            _ if !back && to >= last => (Step::Live, words),
            // Before its first polls history has no fleet to show.
            Some((oldest, first)) if back && to < first => {
                let mut text = String::from("history begins here: ");
                moment.zone.push_instant(&mut text, oldest);
                (if from <= first { Step::Nowhere } else { Step::To(first) }, Some(text))
            }
            _ => (Step::To(to), words),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tui::moment::Past;

    const NOW: Timestamp = Timestamp::from_ms(1_795_183_331_000);
    fn at(ms: i64) -> Moment {
        let at = Timestamp::from_ms(ms);
        let past = Past { at, oldest: NOW.plus_ms(-3 * MINUTE_MS), ticket: 1 };
        Moment { past: Some(past), ..Moment::new(NOW, None) }
    }

    #[test]
    fn one_way_is_open_at_a_time_and_the_last_wish_follows() {
        let mut travel = Travel::new();
        let (first, second) = (NOW.plus_ms(-1_000), NOW.plus_ms(-2_000));
        assert!(
            matches!(travel.set_out(first, NOW), Some(HistoryRequest::At { ticket: 1, at }) if at == first)
        );
        assert!(travel.set_out(second, NOW).is_none(), "the first answer is waited for");
        assert_eq!(travel.goal(), Some(second));
        assert!(travel.arrive(7).is_none(), "nobody asked that");
        assert_eq!(travel.arrive(1).and_then(|going| going.next()), Some(second));
        assert_eq!(travel.goal(), None);
    }

    #[test]
    fn a_late_answer_is_not_waited_for() {
        let mut travel = Travel::new();
        travel.set_out(NOW.plus_ms(-1_000), NOW);
        assert!(!travel.give_up(NOW.plus_ms(14_000)));
        assert!(travel.give_up(NOW.plus_ms(16_000)));
        assert!(travel.arrive(1).is_none());
    }

    #[test]
    fn who_turns_back_was_on_the_way() {
        let mut travel = Travel::new();
        assert!(!travel.turn_back());
        travel.set_out(NOW, NOW);
        assert!(travel.turn_back());
        assert_eq!((travel.goal(), travel.turn_back()), (None, false));
    }

    #[test]
    fn what_came_while_paused_is_counted() {
        let mut travel = Travel::new();
        assert_eq!(travel.behind(7), 0);
        travel.waiting = Some(Arc::new(FleetSnapshot { version: 9, ..FleetSnapshot::default() }));
        assert_eq!([travel.behind(7), travel.behind(9), travel.behind(12)], [2, 0, 0]);
    }

    /// Within a long history.
    fn deep(ms: i64) -> Moment {
        let past = Past { at: Timestamp::from_ms(ms), oldest: NOW.plus_ms(-86_400_000 * 30), ticket: 1 };
        Moment { past: Some(past), ..Moment::new(NOW, None) }
    }

    #[test]
    fn a_step_leads_first_to_the_whole_minute() {
        const HOUR: Option<i64> = Some(past::LONG_STEP_MS);
        let minute = NOW.ms().div_euclid(MINUTE_MS) * MINUTE_MS - 100 * MINUTE_MS;
        // seconds of the minute, back, long, minutes and seconds from that minute
        for (second, back, long, to) in [
            (27, true, None, 0),
            (1, true, None, 0),
            (0, true, None, -1),
            (27, false, None, 1),
            (0, false, None, 1),
            (59, false, None, 1),
            (27, true, HOUR, -60),
            (0, true, HOUR, -60),
            (27, false, HOUR, 60),
        ] {
            let from = deep(minute + second * 1000);
            let (step, _) = Travel::new().step(&from, back, long);
            let wanted = Timestamp::from_ms(minute + to * MINUTE_MS);
            assert_eq!(step, Step::To(wanted), "from second {second}, back {back}, {long:?}");
        }
    }

    #[test]
    fn steps_grow_while_the_key_is_held_and_a_turn_begins_anew() {
        let mut travel = Travel::new();
        let mut at = NOW.ms().div_euclid(MINUTE_MS) * MINUTE_MS - 10_000 * MINUTE_MS;
        let mut step = |back: bool, clock_ms: i64| {
            let moment = Moment { clock: NOW.plus_ms(clock_ms), ..deep(at) };
            let (Step::To(to), _) = travel.step(&moment, back, None) else { panic!("a step") };
            let by = (to.ms() - at) / MINUTE_MS;
            at = to.ms();
            by
        };
        let held: Vec<i64> = (0..12).map(|n| step(true, n * 30)).collect();
        assert_eq!(held, [-1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -5, -5]);
        assert_eq!(step(false, 12 * 30), 1, "the other way begins with a minute");
        assert_eq!(step(true, 13 * 30), -1, "and so does the way back");
        assert_eq!(step(true, 13 * 30 + 5_000), -1, "and a key that was let go");
    }

    #[test]
    fn steps_are_whole_minutes_and_end_at_both_ends() {
        let mut travel = Travel::new();
        let live = Moment::new(NOW, None);
        assert_eq!(travel.step(&live, false, None).0, Step::Nowhere);
        let (Step::To(first), Some(words)) = travel.step(&live, true, None) else { panic!("a step back") };
        assert_eq!(first.ms() % MINUTE_MS, 0);
        assert!(words.starts_with("steps of 1m:"), "{words}");
        assert_eq!(travel.step(&at(NOW.ms() - 1), false, None).0, Step::Live);
        let oldest = NOW.ms() - 3 * MINUTE_MS;
        let first = oldest + 10_000;
        let (step, words) = travel.step(&at(first + 1_000), true, None);
        assert_eq!(
            step,
            Step::To(Timestamp::from_ms(first)),
            "to the first polls: before them no fleet is there"
        );
        assert!(words.is_some_and(|words| words.starts_with("history begins here: ")));
        for from in [first, oldest + 1_000, oldest] {
            let (step, words) = travel.step(&at(from), true, None);
            assert_eq!((step, words.is_some()), (Step::Nowhere, true), "{from}");
        }
    }
}
