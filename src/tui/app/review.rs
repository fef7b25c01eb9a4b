//! Looking back: changes between two instants or two instances, bookmarks on the time line, incidents, and the cost of the
//! watching itself. `model::timeline::compare` and this file make the lists; layers show them.

use super::App;
use crate::{
    model::{
        base::{figure, time::Timestamp},
        fold::snapshot::FleetSnapshot,
        inventory::instance::InstanceId,
        judge::health::Level,
        poll::{id::ProbeId, reading::Unavailable},
        timeline::{chart::MarkKind, compare, past::When},
    },
    protocol::{HistoryRequest, Query},
    tui::{
        action::Action,
        layer::{
            bookmarks::Bookmarks,
            changes::Changes,
            details::Reading,
            prompt::{Asks, Prompt},
        },
        widget::document::Document,
        world::World,
    },
};
use std::sync::Arc;

/// Instances that `:cost` names.
const MOST_COSTLY: usize = 40;

impl App {
    /// Actions about looking back; false if it is another one.
    pub(super) fn act_on_review(&mut self, action: Action) -> bool {
        match action {
            Action::Compare => self.compare(),
            Action::Bookmark => self.open_layer(Prompt::new(Asks::Note(self.world.now))),
            Action::Bookmarks => {
                let ticket = self.travel.ticket();
                let moment = &self.world.moment;
                let list = Bookmarks::new(ticket, moment.clock, moment.recording.is_some());
                self.open_layer(list);
                self.ask(HistoryRequest::Bookmarks { ticket });
            }
            Action::Freeze => {
                if let Some(ids) = self.looked_into() {
                    self.ask(HistoryRequest::Freeze(ids));
                }
            }
            Action::Cost => {
                let document = cost(&self.world);
                self.open_layer(Reading::new(document));
            }
            _ => return false,
        }
        true
    }

    /// Lists the events of a kind on an instance, of a day up to the moment on the screen.
    pub(super) fn open_events(&mut self, instance: InstanceId, kind: MarkKind) {
        const DAY_MS: i64 = 86_400_000;
        let (ticket, now) = (self.travel.ticket(), self.world.now);
        self.open_layer(Bookmarks::of(kind, ticket, now));
        let query = Query::Marks { instance, from: now.plus_ms(-DAY_MS), to: now.plus_ms(1) };
        self.ask(HistoryRequest::Ask { ticket, query });
    }

    /// Compares two marked instances at once; else asks for the time to compare with.
    fn compare(&mut self) {
        let marked = self.panes.get(self.place.pane).marked(&self.world.view());
        match marked.as_slice() {
            [a, b] => {
                let found = self.world.snapshot.find(a).zip(self.world.snapshot.find(b));
                let differences =
                    found.map_or_else(Vec::new, |(a, b)| compare::instances(a, b, &self.world.moment.zone));
                let title = format!("What is different: {a} → {b}");
                self.open_layer(Changes::new(title, &differences, false));
            }
            [] | [_] => self.open_layer(Prompt::new(Asks::Compare)),
            _ => {
                self.say(
                    Level::Ok,
                    "mark two instances to compare them, or none to compare times".to_owned(),
                );
            }
        }
    }

    /// Asks for the other instant.
    pub(super) fn compare_with(&mut self, when: When) {
        let other = match when {
            When::At(at) => at,
            When::Live if self.world.moment.past.is_some() => self.world.moment.origin().0,
            When::Live => {
                return self.say(Level::Ok, "this is live: type another time, such as -1d".to_owned());
            }
        };
        let other = self.within_recording(other);
        if self.panes.get(self.place.pane).compare_with(other) {
            return self.refresh();
        }
        let ids: Vec<InstanceId> = self.world.view().instances().map(|(_, i)| i.id().clone()).collect();
        let request = self.travel.ask_to_compare(other, ids);
        self.ask(request);
        self.say(Level::Unknown, "asking history for the other time…".to_owned());
    }

    /// The other instant is there: it is compared with what is on the screen now.
    pub(super) fn compared(&mut self, ticket: u64, other: &FleetSnapshot) {
        let Some(asked) = self.travel.compared(ticket) else { return };
        let only = |s: &FleetSnapshot| FleetSnapshot {
            instances: s.instances.iter().filter(|i| asked.ids.contains(i.id())).map(Arc::clone).collect(),
            ..FleetSnapshot::default()
        };
        let (here, other) = (only(&self.world.snapshot), only(other));
        let (now, zone) = (self.world.now, &self.world.moment.zone);
        let (from, to, differences) = if asked.at <= now {
            (asked.at, now, compare::fleets(&other, &here, zone))
        } else {
            (now, asked.at, compare::fleets(&here, &other, zone))
        };
        let mut title = String::from("What changed from ");
        zone.push_instant(&mut title, from);
        title.push_str(" to ");
        zone.push_instant(&mut title, to);
        self.status.message = None;
        self.open_layer(Changes::new(title, &differences, asked.ids.len() > 1));
    }

    /// Puts a bookmark on the moment on the screen.
    pub(super) fn bookmark(&mut self, at: Timestamp, note: String) {
        let instances = self.world.view().single().map(|i| i.id().clone()).into_iter().collect();
        self.ask(HistoryRequest::Bookmark { at, note, instances });
    }
}

/// The cost of watching for the servers, by instance and by probe.
fn cost(world: &World) -> Document {
    let (s, t) = (&world.snapshot, &world.theme);
    let mut d = Document::new("Own cost over the fleet");
    let mut total = String::new();
    match s.own_cost() {
        Some(c) => {
            figure::push_count(&mut total, c.cpu_ms_per_s);
            total.push_str(" ms of CPU per second on all servers together");
            total.push_str(if c.settled { "" } else { "; measuring: the first polls ask for everything" });
        }
        None => total.push_str("not known yet: a server must have told twice"),
    }
    d.text(total, t.strong);
    if s.collector.slowed > 0 {
        let words = format!(
            "{} instances are polled more slowly now to stay within their budget",
            s.collector.slowed
        );
        d.text(words, t.warning);
    }
    d.head("Instances, the most expensive first: CPU ms/s, logical reads/s, CPU in all");
    let mut costs: Vec<_> = s.instances.iter().filter_map(|i| Some((i, *i.facts.cost.get()?))).collect();
    costs.sort_by(|a, b| b.1.cpu_ms_per_s.unwrap_or(-1.0).total_cmp(&a.1.cpu_ms_per_s.unwrap_or(-1.0)));
    for (i, c) in costs.iter().take(MOST_COSTLY) {
        let figure = |v: Option<f64>| {
            let mut text = String::new();
            figure::push_rate(&mut text, v.unwrap_or(f64::NAN));
            text
        };
        let mut all = String::new();
        match c.cpu_ms_total {
            Some(ms) => figure::push_wait(&mut all, ms as f64),
            None => all.push('–'),
        }
        let mut line = format!(
            "{:<24} {:>7} {:>9} {:>9}",
            i.id().as_str(),
            figure(c.cpu_ms_per_s),
            figure(c.reads_per_s),
            all
        );
        if i.facts.cost.is_stale(world.now) {
            line.push_str("  stale");
        }
        d.text(line, t.base);
    }
    let unknown = s.instances.len() - costs.len();
    if costs.len() > MOST_COSTLY || unknown > 0 {
        d.text(format!("{} more, {unknown} not known", costs.len().saturating_sub(MOST_COSTLY)), t.dim);
    }
    d.head("Probes, the most asked first: polls a second over the fleet, switched off on so many");
    for (probe, per_s, off) in probes(s) {
        let mut rate = String::new();
        figure::push_rate(&mut rate, per_s);
        let off = if off > 0 { format!("  off on {off}") } else { String::new() };
        d.text(format!("{:<24} {rate:>7}{off}", probe.name()), t.base);
    }
    d
}

/// How often each probe asks over the fleet, by the intervals in force, the most often first; and where it is off.
fn probes(s: &FleetSnapshot) -> Vec<(ProbeId, f64, usize)> {
    let mut all: Vec<_> = ProbeId::ALL.into_iter().map(|probe| (probe, 0.0, 0)).collect();
    for (probe, reading) in s.instances.iter().flat_map(|i| i.facts.readings()) {
        let Some((_, per_s, off)) = all.iter_mut().find(|(known, ..)| *known == probe) else { continue };
        if matches!(reading.problem, Some(Unavailable::SwitchedOff(_))) {
            *off += 1;
        } else if reading.every_ms > 0 {
            *per_s += 1000.0 / f64::from(reading.every_ms);
        }
    }
    all.sort_by(|a, b| b.1.total_cmp(&a.1));
    all
}
