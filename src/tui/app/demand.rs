//! Questions to one server: asked for by panes and layers, heard here. An answer opens where the question was asked, if the
//! user is still there; else one line says that it is there, and `:answer` shows it.

use super::App;
use crate::{
    model::{
        base::{
            failure::{Failure, FailureKind},
            figure,
            time::Timestamp,
            zone::Zone,
        },
        inventory::instance::InstanceId,
        judge::health::Level,
        poll::demand::{Demand, FoundPlan, PlanSource as PlanFrom},
    },
    protocol::{DemandWord, Shown},
    tui::{
        action::Context,
        charts::Charts,
        demands::Ready,
        fetched::Fetched,
        layer::{
            details::Reading,
            found,
            plan::{PlanSource, Request},
        },
    },
};
use std::{borrow::Cow, fmt::Write as _, sync::Arc};

/// What costs a server more than a moment is asked only if its key is pressed again within this time, ms.
const AGAIN_MS: u64 = 10_000;
/// A live plan on the screen is asked for again after this, ms.
const RENEW_MS: u64 = 5_000;

impl App {
    /// Asks a server. What costs it more than a moment is asked at the second wish.
    pub(super) fn demand(&mut self, instance: InstanceId, demand: Demand) {
        let now = self.world.moment.clock;
        let wanted = (instance.clone(), demand);
        let is_again =
            self.wanted.take().is_some_and(|(before, at)| before == wanted && now.ms_since(at) <= AGAIN_MS);
        let pool_kb = self.buffer_pool_kb(&instance);
        if let (Some(cost), false) = (cost(demand, pool_kb), is_again) {
            self.wanted = Some((wanted, now));
            return self.say(Level::Warning, format!("{cost}: the same key again asks {instance}"));
        }
        match self.demands.ask(instance, demand, self.place.clone(), now, false) {
            Ok(request) => self.ask(request),
            Err(why) => self.say(Level::Warning, why),
        }
    }

    /// Another fleet: drops the answers of history and of servers, and ends what is still asked of the old one.
    pub(super) fn forget_answers(&mut self) {
        self.world.charts = Charts::default();
        self.world.fetched = Fetched::default();
        for request in self.demands.forget() {
            self.ask(request);
        }
        (self.ready, self.live, self.wanted) = (None, None, None);
        // They name instances, too.
        self.commands.clear();
        self.filters.clear();
    }

    /// The pages in the memory of an instance, KB, by its clerks.
    fn buffer_pool_kb(&self, instance: &InstanceId) -> Option<i64> {
        let view = self.world.view();
        view.snapshot.find(instance)?.facts.clerks.get()?.buffer_pool_kb()
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
            Err(failure) if open.is_renewal && failure.kind == FailureKind::MissingObject => {
                return self.end_live();
            }
            Err(failure) => {
                self.live = None;
                return self.say_failed(&open.instance, open.demand, &failure);
            }
        };
        self.world.fetched.keep(&open.instance, open.demand, &shown, self.world.moment.clock);
        if open.is_renewal {
            return self.renew(Ready { instance: open.instance, demand: open.demand, shown });
        }
        let ready = Ready { instance: open.instance, demand: open.demand, shown };
        if !self.layers.is_empty() || self.place != open.from {
            let text = format!("{}: {} came; :answer shows it", ready.instance, ready.demand);
            self.ready = Some(ready);
            return self.say(Level::Ok, text);
        }
        self.show_found(&ready);
        let unread = unread(&ready);
        self.ready = Some(ready);
        if let Some(words) = unread {
            self.say(Level::Warning, words);
        } else if let Some(ms) = cost_ms.filter(|ms| *ms >= 10) {
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

    /// Newer figures of the live plan on the screen; nobody waits for them if it was closed.
    fn renew(&mut self, ready: Ready) {
        if sources(&ready, &self.world.moment.zone).iter().any(|plan| self.renew_plan(plan)) {
            self.live = Some(self.world.moment.clock);
            self.ready = Some(ready);
        } else {
            self.end_live();
        }
    }

    /// The request of the live plan on the screen runs no more: its last state stays, and says so.
    fn end_live(&mut self) {
        self.live = None;
        if self.layers.iter_mut().rev().any(|layer| layer.end_live()) {
            self.say(Level::Ok, "the request has ended: this is its last state".to_owned());
        }
    }

    /// Asks for newer figures of the live plan on the screen, from time to time.
    pub(super) fn keep_live(&mut self) {
        let now = self.world.moment.clock;
        let is_due = self.live.is_some_and(|at| now.ms_since(at) >= RENEW_MS);
        if !is_due || self.world.moment.past.is_some() {
            return;
        }
        self.live = None;
        let Some(Ready { instance, demand, .. }) = &self.ready else { return };
        if self.layers.last().is_some_and(|top| top.context() == Context::Plan) {
            let asked = self.demands.ask(instance.clone(), *demand, self.place.clone(), now, true);
            if let Ok(request) = asked {
                self.ask(request);
            }
        }
    }

    fn show_found(&mut self, ready: &Ready) {
        let mut plans = sources(ready, &self.world.moment.zone);
        if !plans.is_empty() {
            let first = plans.remove(0);
            self.live = first.live.is_some().then_some(self.world.moment.clock);
            return self.show_plan(first, plans);
        }
        let (theme, zone) = (&self.world.theme, &self.world.moment.zone);
        let document = found::document(&ready.instance, ready.demand, &ready.shown, theme, zone);
        self.open_layer(Reading::new(document));
    }
}

/// The plans of an answer that could be read. One that ran stands before the same one as estimated.
fn sources(ready: &Ready, zone: &Zone) -> Vec<PlanSource> {
    let Shown::Plans(plans) = &ready.shown else { return Vec::new() };
    let mut sources: Vec<(bool, PlanSource)> = plans
        .iter()
        .filter_map(|shown| {
            let source = PlanSource {
                title: title(ready, &shown.found),
                instance: Some(ready.instance.clone()),
                facts: facts(&shown.found, zone),
                raw: shown.found.xml.clone()?,
                plan: Arc::clone(shown.plan.as_ref().ok()?),
                query_hash: shown.found.query_hash,
                live: request(ready, &shown.found),
            };
            Some((shown.found.source == PlanFrom::Cached, source))
        })
        .collect();
    sources.sort_by_key(|(is_estimated, _)| *is_estimated);
    sources.into_iter().map(|(_, source)| source).collect()
}

/// What is known of a plan beside it: what a Query Store says of it, or why it is not live.
fn facts(found: &FoundPlan, zone: &Zone) -> Vec<(String, String)> {
    let Some(stored) = &found.stored else {
        let not_live = found.not_live.iter().map(|why| ("not live".to_owned(), why.to_string()));
        return not_live.collect();
    };
    let at = |at: Option<Timestamp>| at.map(|at| zone.instant(at));
    let facts = [
        ("forced", stored.forced_words()),
        ("ran last", at(found.started_at)),
        ("compiled", at(found.compiled_at)),
    ];
    facts.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))).collect()
}

/// Of several plans some can be shown: why the first of the others cannot.
fn unread(ready: &Ready) -> Option<String> {
    let Shown::Plans(plans) = &ready.shown else { return None };
    if plans.iter().all(|shown| shown.plan.is_err()) {
        return None;
    }
    plans.iter().find_map(|shown| {
        let which = match &shown.found.stored {
            Some(stored) => format!("plan {}", stored.plan_id),
            None => format!("one plan, {},", shown.found.source.words()),
        };
        Some(format!("{which} cannot be shown: {}", shown.plan.as_ref().err()?))
    })
}

/// The request that runs a plan still.
fn request(ready: &Ready, found: &FoundPlan) -> Option<Request> {
    let (Demand::SessionPlan { session_id }, PlanFrom::Live) = (ready.demand, found.source) else {
        return None;
    };
    Some(Request { instance: ready.instance.clone(), session_id, started_at: found.started_at })
}

/// `sqlprd-014 · 0x8A3F… · plan 0x12AB… · estimated · 400 runs, avg 9.0 ms`.
fn title(ready: &Ready, found: &FoundPlan) -> String {
    let mut title = ready.instance.to_string();
    let _ = match ready.demand {
        Demand::Plans { query_hash } => write!(title, " · query 0x{query_hash:016X}"),
        Demand::SessionPlan { session_id } => write!(title, " · session {session_id}"),
        Demand::StoredPlans { .. } | Demand::StoredPlan { .. } => match &found.stored {
            Some(stored) => {
                write!(title, " · {} query {} · plan {}", stored.database, stored.query_id, stored.plan_id)
            }
            None => Ok(()),
        },
        Demand::SessionWaits { .. }
        | Demand::SessionInput { .. }
        | Demand::BufferPool
        | Demand::PlanCache
        | Demand::FreeSpace { .. } => Ok(()),
    };
    if let Some(hash) = found.plan_hash.filter(|_| found.stored.is_none()) {
        let _ = write!(title, " · plan 0x{hash:016X}");
    }
    title.push_str(" · ");
    title.push_str(found.source.words());
    if let Some(stored) = found.stored.as_ref().filter(|stored| stored.is_forced) {
        let is_failing = stored.failures.is_some_and(|n| n > 0);
        title.push_str(if is_failing { ", forcing fails" } else { ", forced" });
    }
    if let (Some(runs @ 1..), Some(ms)) = (found.runs, found.elapsed_ms) {
        title.push_str(" · ");
        figure::push_grouped(&mut title, runs);
        title.push_str(if runs == 1 { " run" } else { " runs" });
        title.push_str(", avg ");
        figure::push_mean(&mut title, ms / runs as f64);
    }
    title
}

/// Pages of which a server needs more than a moment to list them: 8 GB.
const MANY_PAGES: f64 = 1_048_576.0;

/// What listing all pages in memory costs. Nobody can say the seconds of a server that he does not know: its pages are known.
fn pages_words(pool_kb: Option<i64>) -> String {
    let Some(kb) = pool_kb.filter(|kb| *kb > 0) else {
        return "this reads a row for each page in memory: many seconds where that is large, 60 s at most"
            .to_owned();
    };
    let pages = kb as f64 / 8.0;
    let mut words = figure::size(kb as f64 * 1024.0);
    words.push_str(" are ");
    figure::push_count(&mut words, pages);
    words.push_str(" page descriptors to read: ");
    words.push_str(if pages < MANY_PAGES { "seconds" } else { "many seconds" });
    words.push_str(", 60 s at most");
    words
}

/// What a question costs that is not to be asked by accident.
fn cost(demand: Demand, pool_kb: Option<i64>) -> Option<Cow<'static, str>> {
    let words = match demand {
        Demand::BufferPool => return Some(pages_words(pool_kb).into()),
        Demand::PlanCache => "this reads a row for each cached plan, some 10 ms of CPU per 1,000",
        Demand::FreeSpace { database_id: Some(_) } => {
            "this reads the allocation maps of the database, a page for each 4 GB"
        }
        Demand::FreeSpace { database_id: None } => {
            "this asks every database in turn for its allocation maps, a page for each 4 GB, 60 s at most"
        }
        Demand::Plans { .. }
        | Demand::StoredPlans { .. }
        | Demand::StoredPlan { .. }
        | Demand::SessionPlan { .. }
        | Demand::SessionWaits { .. }
        | Demand::SessionInput { .. } => return None,
    };
    Some(words.into())
}

#[cfg(test)]
mod tests {
    use super::pages_words;

    #[test]
    fn the_cost_of_the_buffer_pool_is_that_of_its_pages() {
        let words = |gb: i64| pages_words(Some(gb << 20));
        assert_eq!(words(38), "38 GB are 5.0M page descriptors to read: many seconds, 60 s at most");
        assert_eq!(words(2), "2.0 GB are 262k page descriptors to read: seconds, 60 s at most");
        for unknown in [None, Some(0), Some(-1)] {
            let words = pages_words(unknown);
            assert!(words.contains("a row for each page") && words.contains("60 s at most"), "{words}");
        }
    }
}
