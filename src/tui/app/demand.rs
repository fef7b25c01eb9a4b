//! Questions to one server: asked for by panes and layers, heard here. An answer opens where the question was asked, if the
//! user is still there; else one line says that it is there, and `:answer` shows it.

use super::App;
use crate::{
    model::{
        base::{failure::Failure, figure},
        inventory::instance::InstanceId,
        judge::health::Level,
        poll::demand::Demand,
    },
    protocol::DemandWord,
    tui::{
        demands::Ready,
        layer::{details::Reading, found},
    },
};

/// What reads a row for each page in memory is asked only if its key is pressed again within this time, ms.
const AGAIN_MS: u64 = 10_000;

impl App {
    /// Asks a server. What costs it more than a moment is asked at the second wish.
    pub(super) fn demand(&mut self, instance: InstanceId, demand: Demand) {
        let now = self.world.moment.clock;
        let wanted = (instance.clone(), demand);
        let is_again =
            self.wanted.take().is_some_and(|(before, at)| before == wanted && now.ms_since(at) <= AGAIN_MS);
        if let (Some(cost), false) = (cost(demand), is_again) {
            self.wanted = Some((wanted, now));
            return self.say(Level::Warning, format!("{cost}: the same key again asks {instance}"));
        }
        match self.demands.ask(instance, demand, self.place.clone(), now) {
            Ok(request) => self.ask(request),
            Err(why) => self.say(Level::Warning, why),
        }
    }

    /// Ends the newest question. False: none is open.
    pub(super) fn cancel_demand(&mut self) -> bool {
        let Some((request, open)) = self.demands.cancel() else { return false };
        self.ask(request);
        self.say(Level::Ok, format!("cancelled: {} of {}", open.demand, open.instance));
        true
    }

    /// A word about a question.
    pub(super) fn demanded(&mut self, ticket: u64, word: DemandWord) {
        let (found, cost_ms) = match word {
            DemandWord::Step(step) => return self.demands.reach(ticket, step),
            DemandWord::Done { found, cost_ms } => (found, cost_ms),
        };
        let Some(open) = self.demands.take(ticket) else { return };
        let shown = match found {
            Ok(shown) => shown,
            Err(failure) => return self.say_failed(&open.instance, open.demand, &failure),
        };
        if let Some(top) = self.layers.last_mut()
            && top.take_found(&open.instance, open.demand, &shown)
        {
            return;
        }
        let ready = Ready { instance: open.instance, demand: open.demand, shown };
        if !self.layers.is_empty() || self.place != open.from {
            let text = format!("{}: {} came; :answer shows it", ready.instance, ready.demand);
            self.ready = Some(ready);
            return self.say(Level::Ok, text);
        }
        self.show_found(&ready);
        self.ready = Some(ready);
        if let Some(ms) = cost_ms.filter(|ms| *ms >= 10) {
            let mut text = "it cost the server ".to_owned();
            figure::push_wait(&mut text, ms as f64);
            text.push_str(" of CPU");
            self.say(Level::Ok, text);
        }
    }

    fn say_failed(&mut self, instance: &InstanceId, demand: Demand, failure: &Failure) {
        self.say(Level::Warning, format!("{instance}: {demand}: {}", failure.text));
    }

    /// The newest answer, again.
    pub(super) fn show_answer(&mut self) {
        match self.ready.take() {
            Some(ready) => {
                self.show_found(&ready);
                self.ready = Some(ready);
            }
            None => self.say(
                Level::Ok,
                "no answer of a server is there: P asks for a plan in Activity and Queries".to_owned(),
            ),
        }
    }

    fn show_found(&mut self, ready: &Ready) {
        let (theme, zone) = (&self.world.theme, &self.world.moment.zone);
        let document = found::document(&ready.instance, ready.demand, &ready.shown, theme, zone);
        self.open_layer(Reading::new(document));
    }
}

/// What a question costs that is not to be asked by accident.
const fn cost(demand: Demand) -> Option<&'static str> {
    match demand {
        Demand::BufferPool => Some("this reads a row for each page in memory, about 1 s of CPU for 64 GB"),
        Demand::Plans { .. } | Demand::SessionPlan { .. } | Demand::SessionWaits { .. } => None,
    }
}
