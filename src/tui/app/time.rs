//! The moment on the screen: the present as it comes, the present when it was paused, or an instant of the past.
//!
//! In the past the live fleet goes on being received, and is shown again with `T`. All panes see one snapshot and one
//! time (`World::now`), so none can mix the two. Going somewhere blocks no key: the screen stays what it is until the
//! answer is there.
//!
//! A recording has no present: the screen stands in its past from the start, its end takes the place of now, and nothing
//! leads out of it.

use super::App;
use crate::{
    model::{
        base::time::Timestamp,
        fold::snapshot::FleetSnapshot,
        judge::health::Level,
        timeline::{
            past::{self, PastError},
            stretch,
        },
    },
    tui::{
        action::Action,
        id::PaneId,
        layer::prompt::{Asks, Prompt},
        moment::Past,
        travel::Step,
        wish::Look,
    },
};
use std::sync::Arc;

impl App {
    /// A new snapshot. While paused or in the past it is kept for later; a recording has no present to come.
    pub fn ingest(&mut self, snapshot: Arc<FleetSnapshot>) {
        if self.world.moment.recording.is_some() {
            return;
        }
        if self.world.moment.past.is_some() {
            self.travel.live = Some(snapshot);
        } else if self.travel.paused.is_some() {
            self.travel.waiting = Some(snapshot);
        } else {
            self.show(snapshot);
        }
    }

    fn show(&mut self, snapshot: Arc<FleetSnapshot>) {
        self.status.cost = snapshot.own_cost();
        self.world.snapshot = snapshot;
        self.refresh();
        self.follow_on_top();
    }

    /// Time goes on. In the past and while paused it stands still for the panes: a chart that goes on without new samples
    /// would show what nobody measured.
    pub(super) fn clock(&mut self, now: Timestamp) {
        self.world.moment.clock = now;
        if self.world.moment.past.is_none() && self.travel.paused.is_none() {
            self.world.now = now;
        }
        if self.travel.give_up(now) {
            self.say(Level::Warning, "history did not answer: try again".to_owned());
        }
    }

    /// Stops taking snapshots, or goes on.
    pub(super) fn pause(&mut self) {
        if self.world.moment.recording.is_some() {
            return self.say(Level::Ok, "a recording stands still by itself".to_owned());
        }
        if self.world.moment.past.is_some() {
            return self.say(Level::Ok, "the past stands still: T leads back to live".to_owned());
        }
        if self.travel.paused.take().is_none() {
            self.travel.paused = Some(self.world.snapshot.at);
            return;
        }
        self.world.now = self.world.moment.clock;
        if let Some(snapshot) = self.travel.waiting.take() {
            self.show(snapshot);
        }
    }

    /// Actions about time; false if it is another one.
    pub(super) fn act_on_time(&mut self, action: Action) -> bool {
        match action {
            Action::GoToTime => self.open_layer(Prompt::new(Asks::Time)),
            Action::StepBack => self.step(true, None),
            Action::StepOn => self.step(false, None),
            Action::LongBack => self.step(true, Some(past::LONG_STEP_MS)),
            Action::LongOn => self.step(false, Some(past::LONG_STEP_MS)),
            Action::Live => self.live(),
            _ => return false,
        }
        true
    }

    /// True, with a message, for an action that is refused at this moment: the past is neither polled nor changed, a recording not
    /// even written to.
    pub(super) fn refuses(&mut self, action: Action) -> bool {
        let why = self.world.moment.refuses(action.kind());
        if let Some(why) = why {
            self.say(Level::Warning, why.to_owned());
        }
        why.is_some()
    }

    /// Goes to an instant. A recording is not left.
    pub(super) fn go_to_time(&mut self, at: Timestamp) {
        let at = self.within_recording(at);
        if let Some(request) = self.travel.set_out(at, self.world.moment.clock) {
            self.ask(request);
        }
    }

    /// Shows what queries cost between two times, as typed; nothing typed: over the time of the charts.
    pub(super) fn go_to_period(&mut self, text: &str) {
        let (now, _) = self.world.moment.origin();
        let stretch = match stretch::parse(text, now, &self.world.moment.zone) {
            Ok((stretch, note)) => {
                if let Some(note) = note {
                    self.say(Level::Warning, note);
                }
                Some(stretch)
            }
            Err(PastError::Empty) => None,
            Err(e) => return self.say(Level::Warning, e.to_string()),
        };
        self.follow(PaneId::Queries, None, None, Some(Look::Period(stretch)));
    }

    /// The nearest instant of a recording: beyond its ends this is the end, with a message.
    pub(super) fn within_recording(&mut self, at: Timestamp) -> Timestamp {
        let (at, words) = self.world.moment.within_recording(at);
        if let Some(words) = words {
            self.say(Level::Ok, words);
        }
        at
    }

    fn step(&mut self, back: bool, long_ms: Option<i64>) {
        let (step, words) = self.travel.step(&self.world.moment, back, long_ms);
        if let Some(words) = words {
            self.say(Level::Ok, words);
        }
        match step {
            Step::To(at) => self.go_to_time(at),
            Step::Live => self.live(),
            Step::Nowhere => {}
        }
    }

    /// Back to the present, at once: the newest state has been kept.
    pub(super) fn live(&mut self) {
        if let Some(to) = self.world.moment.recording.as_ref().map(|r| r.to) {
            self.say(Level::Ok, "the recording's end: it has no live state".to_owned());
            let is_there = self.world.moment.past.is_some_and(|past| past.at == to);
            if self.travel.goal().is_some() || !is_there {
                self.go_to_time(to);
            }
            return;
        }
        let was_going = self.travel.turn_back();
        if self.world.moment.past.take().is_none() {
            if !was_going && self.travel.paused.is_some() {
                return self.pause();
            }
            if self.panes.get(self.place.pane).follow_now() {
                return self.say(Level::Ok, "the charts end now again".to_owned());
            }
            let text = if was_going { "stays live" } else { "this is live" };
            return self.say(Level::Ok, text.to_owned());
        }
        self.world.now = self.world.moment.clock;
        self.outbox.forget_focus();
        let live = self.travel.live.take().unwrap_or_default();
        self.show(live);
    }

    /// Shows the fleet as it was, if this is the answer that is waited for.
    /// History may answer twice: at once without all sparklines, and then in full.
    pub(super) fn arrive(&mut self, snapshot: Arc<FleetSnapshot>, past: Past, damaged: Vec<String>) {
        if self.world.moment.past.is_some_and(|shown| shown.ticket == past.ticket) {
            self.travel.damaged = damaged;
            return self.show(snapshot);
        }
        let Some(going) = self.travel.arrive(past.ticket) else { return };
        // Before history there is nothing to show: its first instant takes the place of what was asked for.
        if past.at < past.oldest && going.next().is_none() {
            let mut text = String::from("history begins ");
            self.world.moment.zone.push_instant(&mut text, past.oldest);
            text.push_str(": nothing is kept of the time before; these are its first polls");
            self.say(Level::Warning, text);
            return self.go_to_time(past::first(past.oldest, self.world.moment.origin().0));
        }
        if self.world.moment.past.is_none() {
            let shown = Arc::clone(&self.world.snapshot);
            self.travel.live = Some(self.travel.waiting.take().unwrap_or(shown));
            self.travel.paused = None;
        }
        self.world.moment.past = Some(past);
        self.travel.damaged = damaged;
        self.world.now = past.at;
        self.show(snapshot);
        if let Some(at) = going.next() {
            self.go_to_time(at);
        }
    }

    /// Another fleet: drops the past of the old one, and what was paused of it.
    pub(super) fn forget_past(&mut self) {
        self.travel.turn_back();
        if self.world.moment.past.take().is_some() {
            self.world.snapshot = self.travel.live.take().unwrap_or_default();
        } else if self.travel.paused.take().is_some() {
            self.world.snapshot = self.travel.waiting.take().unwrap_or_default();
        }
        self.world.now = self.world.moment.clock;
    }

    /// Asks for the history that the pane on the screen wants and does not have.
    pub(super) fn ask_for_charts(&mut self) {
        let wanted = self.panes.get(self.place.pane).wanted(&self.world.view());
        if wanted.is_empty() {
            return;
        }
        let (travel, now) = (&mut self.travel, self.world.moment.clock);
        for request in self.world.charts.missing(wanted, now, || travel.ticket()) {
            self.outbox.ask(request);
        }
    }
}
