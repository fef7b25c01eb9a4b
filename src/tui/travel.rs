//! Which moment is on the screen: the present as it comes, the present when it was paused, or an instant of the past.
//!
//! In the past the live fleet goes on being received, and is shown again with `T`. All panes see one snapshot and one
//! time (`World::now`), so none can mix the two. Going somewhere blocks no key: the screen stays what it is until the
//! answer is there, and an answer that is not waited for any more is dropped by its ticket.
//!
//! A recording has no present: the screen stands in its past from the start, its end takes the place of now, and nothing
//! leads out of it.

use super::{
    action::Action,
    app::App,
    effect::{Effect, Request},
    layer::{
        Layer,
        prompt::{Asks, Prompt},
    },
    moment::{Past, Recording, push_instant},
};
use crate::model::{
    base::time::Timestamp,
    fold::snapshot::FleetSnapshot,
    judge::health::Level,
    timeline::past::{self, When},
};
use std::sync::Arc;

/// History that has not answered after this time is not waited for any more, ms.
const PATIENCE_MS: u64 = 15_000;

/// Steps within this time of each other are the key being held, ms.
const HELD_MS: u64 = 700;

/// On the way to an instant.
#[derive(Debug, Clone, Copy)]
struct Going {
    ticket: u64,
    /// what was asked for
    asked: Timestamp,
    /// what is wanted by now
    wanted: Timestamp,
    since: Timestamp,
}

/// Steps in a row.
#[derive(Debug, Clone, Copy, Default)]
struct Steps {
    back: bool,
    in_a_row: u32,
    last: Timestamp,
}

/// What the app knows of time.
pub(super) struct Travel {
    /// what time it is; `World::now` is what time it is on the screen
    pub clock: Timestamp,
    /// the present is not on the screen
    pub past: Option<Past>,
    /// what is played; None: a fleet that lives
    pub recording: Option<Recording>,
    /// what is missing in that past, for the file of history is damaged there
    damaged: Vec<String>,
    going: Option<Going>,
    /// the newest state of the fleet while the past is shown
    pub live: Option<Arc<FleetSnapshot>>,
    steps: Steps,
    tickets: u64,
}

impl Travel {
    pub const fn new(now: Timestamp, recording: Option<Recording>) -> Self {
        Self {
            clock: now,
            past: None,
            recording,
            damaged: Vec::new(),
            going: None,
            live: None,
            steps: Steps { back: true, in_a_row: 0, last: Timestamp::from_ms(0) },
            tickets: 0,
        }
    }

    /// A number that no other question has.
    pub const fn ticket(&mut self) -> u64 {
        self.tickets += 1;
        self.tickets
    }

    /// What is missing at the instant on the screen because history is damaged there.
    pub fn damaged(&self) -> &[String] {
        if self.past.is_some() { &self.damaged } else { &[] }
    }

    /// Where it is going.
    pub fn goal(&self) -> Option<Timestamp> {
        self.going.map(|g| g.wanted)
    }

    /// What spans of time that are typed are counted from, and how to say so: now, or the end of the recording.
    pub fn origin(&self) -> (Timestamp, &'static str) {
        self.recording.as_ref().map_or((self.clock, " ago"), |r| (r.to, " before its end"))
    }
}

impl App {
    /// A new snapshot. While paused or in the past it is kept for later; a recording has no present to come.
    pub fn ingest(&mut self, snapshot: Arc<FleetSnapshot>) {
        if self.travel.recording.is_some() {
            return;
        }
        if self.travel.past.is_some() {
            self.travel.live = Some(snapshot);
        } else if self.paused.is_some() {
            self.waiting = Some(snapshot);
        } else {
            self.show(snapshot);
        }
    }

    fn show(&mut self, snapshot: Arc<FleetSnapshot>) {
        self.cost = snapshot.own_cost();
        self.world.snapshot = snapshot;
        self.refresh();
        self.follow_details();
    }

    /// Time goes on; in the past it stands still for the panes.
    pub(super) fn clock(&mut self, now: Timestamp) {
        self.travel.clock = now;
        if self.travel.past.is_none() {
            self.world.now = now;
        }
        if self.travel.going.is_some_and(|g| now.ms_since(g.since) > PATIENCE_MS) {
            self.travel.going = None;
            self.say(Level::Warning, "history did not answer: try again".to_owned());
        }
    }

    /// Stops taking snapshots, or goes on.
    pub(super) fn pause(&mut self) {
        if self.travel.recording.is_some() {
            return self.say(Level::Ok, "a recording stands still by itself".to_owned());
        }
        if self.travel.past.is_some() {
            return self.say(Level::Ok, "the past stands still: T leads back to live".to_owned());
        }
        if self.paused.take().is_none() {
            self.paused = Some(self.world.snapshot.at);
        } else if let Some(snapshot) = self.waiting.take() {
            self.show(snapshot);
        }
    }

    /// Snapshots that came while paused.
    pub(super) fn behind(&self) -> u64 {
        self.waiting.as_ref().map_or(0, |w| w.version.saturating_sub(self.world.snapshot.version))
    }

    /// Actions about time; false if it is another one.
    pub(super) fn act_on_time(&mut self, action: Action) -> bool {
        match action {
            Action::GoToTime => self.layers.push(Layer::Prompt(Prompt::new(Asks::Time))),
            Action::StepBack => self.step(true, None),
            Action::StepOn => self.step(false, None),
            Action::LongBack => self.step(true, Some(past::LONG_STEP_MS)),
            Action::LongOn => self.step(false, Some(past::LONG_STEP_MS)),
            Action::Live => self.live(),
            _ => return false,
        }
        true
    }

    /// True, with a word, for what cannot be done here: the past is neither polled nor changed, and a recording not even
    /// written to.
    pub(super) fn refuses(&mut self, action: Action) -> bool {
        let kind = action.kind();
        let why = match (&self.travel.recording, self.travel.past) {
            (Some(_), _) => kind.refused_in_recording(),
            (None, Some(_)) => kind.refused_in_past(),
            (None, None) => None,
        };
        if let Some(why) = why {
            self.say(Level::Warning, why.to_owned());
        }
        why.is_some()
    }

    /// `:at TEXT`; without a text the prompt asks for one.
    pub(super) fn at_text(&mut self, text: &str) {
        let mut prompt = Prompt::new(Asks::Time);
        prompt.line.set(text);
        if text.is_empty() {
            self.layers.push(Layer::Prompt(prompt));
        } else {
            self.answered(prompt);
        }
    }

    /// Enter in a prompt. A text that cannot be understood keeps it open.
    pub(super) fn answered(&mut self, mut prompt: Prompt) {
        if let Asks::Note(at) = prompt.asks {
            return self.bookmark(at, prompt.line.text());
        }
        match (prompt.asks, prompt.when(&self.travel)) {
            (Asks::Compare, Some(when)) => self.compare_with(when),
            (_, Some(When::Live)) => self.live(),
            (_, Some(When::At(at))) => self.go_to_time(at),
            (_, None) => self.layers.push(Layer::Prompt(prompt)),
        }
    }

    /// Goes to an instant. One question is open at a time; what is wanted meanwhile is asked for when its answer is there.
    /// A recording is not left.
    pub(super) fn go_to_time(&mut self, at: Timestamp) {
        let at = self.within_recording(at);
        if let Some(going) = &mut self.travel.going {
            going.wanted = at;
            return;
        }
        let ticket = self.travel.ticket();
        self.travel.going = Some(Going { ticket, asked: at, wanted: at, since: self.travel.clock });
        self.ask(Request::At { ticket, at });
    }

    /// An instant that is there: one beyond the ends of a recording is its end, with a word.
    pub(super) fn within_recording(&mut self, at: Timestamp) -> Timestamp {
        let Some(recording) = &self.travel.recording else { return at };
        let (end, words) = if at < recording.from {
            (recording.from, "the recording begins here: ")
        } else if at > recording.to {
            (recording.to, "the recording ends here: ")
        } else {
            return at;
        };
        let mut text = String::from(words);
        push_instant(&mut text, end);
        self.say(Level::Ok, text);
        end
    }

    /// One step from where the screen is, or is going. Steps are whole minutes; beyond now it is live.
    fn step(&mut self, back: bool, long_ms: Option<i64>) {
        let now = self.travel.clock;
        let (last, _) = self.travel.origin();
        let here = self.travel.goal().or(self.travel.past.map(|p| p.at));
        let Some(from) = here.or(back.then_some(last)) else {
            return self.say(Level::Ok, "this is live: [ goes back in time".to_owned());
        };
        let steps = &mut self.travel.steps;
        let held = steps.back == back && now.ms_since(steps.last) <= HELD_MS;
        let before_ms = past::step_ms(steps.in_a_row);
        steps.in_a_row = if held { steps.in_a_row.saturating_add(1) } else { 0 };
        (steps.back, steps.last) = (back, now);
        let step_ms = long_ms.unwrap_or_else(|| past::step_ms(steps.in_a_row));
        if long_ms.is_none() && (here.is_none() || (held && step_ms != before_ms)) {
            let text = format!("steps of {}: hold for longer ones, {{ }} for 1 h", past::step_words(step_ms));
            self.say(Level::Ok, text);
        }
        let to = from.plus_ms(if back { -step_ms } else { step_ms });
        // The first step back from now leads to a whole minute.
        let to = Timestamp::from_ms(to.ms().div_euclid(60_000) * 60_000);
        match self.travel.past {
            _ if !back && to >= last => self.live(),
            Some(past) if back && to < past.oldest && from <= past.oldest => {
                let mut text = String::from("history begins here: ");
                push_instant(&mut text, past.oldest);
                self.say(Level::Ok, text);
            }
            Some(past) if back && to < past.oldest => self.go_to_time(past.oldest),
            _ => self.go_to_time(to),
        }
    }

    /// Back to the present, at once: what came meanwhile is here.
    fn live(&mut self) {
        if let Some(recording) = &self.travel.recording {
            let to = recording.to;
            let text = "the recording's end: it has no live state";
            self.say(Level::Ok, text.to_owned());
            if self.travel.going.is_some() || self.travel.past.is_none_or(|past| past.at != to) {
                self.go_to_time(to);
            }
            return;
        }
        let was_going = self.travel.going.take().is_some();
        if self.travel.past.take().is_none() {
            if !was_going && self.paused.is_some() {
                return self.pause();
            }
            let text = if was_going { "stays live" } else { "this is live" };
            return self.say(Level::Ok, text.to_owned());
        }
        self.ask(Request::Live);
        self.world.now = self.travel.clock;
        self.focused.clear();
        let live = self.travel.live.take().unwrap_or_default();
        self.show(live);
    }

    /// The fleet as it was: shown if it is what is waited for.
    /// History may answer twice: at once without all sparklines, and then in full.
    pub(super) fn arrive(&mut self, snapshot: Arc<FleetSnapshot>, past: Past, damaged: Vec<String>) {
        if self.travel.past.is_some_and(|shown| shown.ticket == past.ticket) {
            self.travel.damaged = damaged;
            return self.show(snapshot);
        }
        let Some(going) = self.travel.going.filter(|g| g.ticket == past.ticket) else { return };
        self.travel.going = None;
        if self.travel.past.is_none() {
            let shown = Arc::clone(&self.world.snapshot);
            self.travel.live = Some(self.waiting.take().unwrap_or(shown));
            self.paused = None;
        }
        self.travel.past = Some(past);
        self.travel.damaged = damaged;
        self.world.now = past.at;
        self.show(snapshot);
        if past.at < past.oldest {
            let mut text = String::from("nothing is kept of that time: history begins ");
            push_instant(&mut text, past.oldest);
            self.say(Level::Warning, text);
        }
        if going.wanted != going.asked {
            self.go_to_time(going.wanted);
        }
    }

    /// History has no answer. True if it was for the way to an instant.
    pub(super) fn stay(&mut self, ticket: Option<u64>) -> bool {
        self.travel.going.take_if(|g| Some(g.ticket) == ticket).is_some()
    }

    /// A question could not be handed over.
    pub(super) fn forget_going(&mut self, request: &Request) {
        if matches!(request, Request::At { .. }) {
            self.travel.going = None;
        }
    }

    /// Another fleet: nothing of the old one's past.
    pub(super) fn forget_past(&mut self) {
        let clock = self.travel.clock;
        self.travel.going = None;
        if self.travel.past.take().is_some() {
            self.world.now = clock;
            self.world.snapshot = self.travel.live.take().unwrap_or_default();
            self.effects.push(Effect::Ask(Box::new(Request::Live)));
        }
    }

    /// Asks for what the pane on the screen wants to see of history and does not have.
    pub(super) fn ask_for_charts(&mut self) {
        let wanted = self.panes.get(self.place.pane).wanted(&self.world.view());
        if wanted.is_empty() {
            return;
        }
        let travel = &mut self.travel;
        for request in self.world.charts.missing(wanted, || travel.ticket()) {
            self.ask(request);
        }
    }
}
