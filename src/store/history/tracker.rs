//! From what happened, one thing after another, to events: episodes of blocking with their length and cost, changes of
//! health, lost connections, deadlocks, changed configuration. Pure; the writer feeds it and writes what comes out.
//!
//! An event that goes on is given out again with the same number whenever it grew; the newest one counts.

use super::{
    event::{Episode, Event},
    incident::Incidents,
};
use crate::{
    model::{
        base::time::Timestamp,
        judge::health::{Health, Level, Topic},
        poll::{
            State,
            blocking::{Blocking, Chain},
            databases::DatabaseRow,
            headline::Headline,
            id::ProbeId,
            link::Link,
            properties::Properties,
            rights::Rights,
        },
        timeline::{
            chart::MarkKind,
            kept::{Happened, Kept},
        },
    },
    vault,
};
use std::{collections::HashMap, mem::discriminant, sync::Arc};

/// A chain that nobody saw for so long is over: two polls were missed.
const LOST_MS: i64 = 180_000;
/// Changes that are named in one event; more are counted.
const NAMED: usize = 5;
/// Episodes of one instance that are followed at once, the worst first.
const MAX_EPISODES: usize = 64;

/// What is known of each instance so far.
#[derive(Default)]
pub(super) struct Tracker {
    instances: HashMap<Arc<str>, Watch>,
}

#[derive(Default)]
struct Watch {
    episodes: HashMap<i32, Event>,
    verdict: Option<(Level, Vec<(Topic, Level)>)>,
    down: Option<Event>,
    incidents: Incidents,
    properties: Option<Arc<Properties>>,
    rights: Option<Arc<Rights>>,
    databases: Option<Arc<Vec<DatabaseRow>>>,
    headline_at: Option<Timestamp>,
}

/// A number for a new event: random, so that two processes can write events without asking each other.
pub(super) fn event_no() -> i64 {
    let bytes = vault::random_id().map(|id| *id.as_bytes()).unwrap_or_default();
    let mut number = [0; 8];
    number.copy_from_slice(&bytes[..8]);
    i64::from_le_bytes(number) & i64::MAX
}

impl Tracker {
    /// Goes on with what was open when the last writer ended.
    pub fn resume(&mut self, open: Vec<Event>) {
        for event in open {
            let Some(uid) = event.uid.clone() else { continue };
            let watch = self.instances.entry(uid).or_default();
            match (&event.kind, &event.episode) {
                (MarkKind::Blocking, Some(episode)) => drop(watch.episodes.insert(episode.head, event)),
                (MarkKind::Connection, _) => watch.down = Some(event),
                (MarkKind::Incident, _) => watch.incidents.resume(event),
                _ => {}
            }
        }
    }

    /// Takes an incident that somebody froze; gives what is to be written of it.
    pub fn freeze(&mut self, event: Event) -> Event {
        match event.uid.clone() {
            Some(uid) => self.instances.entry(uid).or_default().incidents.freeze(event),
            None => event,
        }
    }

    /// Takes the next thing that happened.
    pub fn follow(&mut self, kept: &Kept, emit: &mut dyn FnMut(Event)) {
        if !self.instances.contains_key(&kept.info.uid) {
            self.instances.insert(kept.info.uid.clone(), Watch::default());
        }
        let Some(watch) = self.instances.get_mut(&kept.info.uid) else { return };
        let scene = Scene { uid: &kept.info.uid, at: kept.at };
        match &kept.what {
            Happened::Link { link, since, .. } => watch.link(scene, link, *since, emit),
            Happened::Health { health, .. } => {
                watch.incidents.follow(scene.uid, scene.at, health, emit);
                watch.health(scene, health, emit);
            }
            Happened::Reading { state: Ok(state), probe, .. } => watch.state(scene, *probe, state, emit),
            Happened::Reading { .. } | Happened::Pace { .. } => {}
        }
    }
}

/// Whose, when.
#[derive(Clone, Copy)]
struct Scene<'a> {
    uid: &'a Arc<str>,
    at: Timestamp,
}

impl Scene<'_> {
    fn event(self, kind: MarkKind, words: impl Into<Arc<str>>) -> Event {
        Event {
            no: event_no(),
            uid: Some(self.uid.clone()),
            kind,
            at: self.at,
            to: None,
            words: words.into(),
            episode: None,
        }
    }
}

impl Watch {
    fn state(&mut self, scene: Scene<'_>, probe: ProbeId, state: &State, emit: &mut dyn FnMut(Event)) {
        match state {
            State::Blocking(blocking) => self.blocking(scene, blocking, emit),
            State::Headline(headline) if probe == ProbeId::Headline => self.deadlocks(scene, headline, emit),
            State::Properties(now) => {
                let before = self.properties.replace(now.clone());
                changed(scene, before.map(|before| properties_changed(&before, now)), emit);
            }
            State::Rights(now) => {
                let before = self.rights.replace(now.clone());
                changed(scene, before.map(|before| rights_changed(&before, now)), emit);
            }
            State::Databases(now) => {
                let before = self.databases.replace(now.clone());
                changed(scene, before.map(|before| databases_changed(&before, now)), emit);
            }
            _ => {}
        }
    }

    fn link(&mut self, scene: Scene<'_>, link: &Link, since: Timestamp, emit: &mut dyn FnMut(Event)) {
        match link {
            Link::Down { failure, .. } => {
                let words: Arc<str> = failure.to_string().into();
                match &mut self.down {
                    Some(event) if event.words == words => {}
                    Some(event) => {
                        event.words = words;
                        emit(event.clone());
                    }
                    None => {
                        let mut event = scene.event(MarkKind::Connection, words);
                        event.at = since.min(scene.at);
                        emit(event.clone());
                        self.down = Some(event);
                    }
                }
            }
            Link::Up => {
                if let Some(mut event) = self.down.take() {
                    event.to = Some(scene.at.max(event.at));
                    emit(event);
                }
            }
            Link::Idle | Link::Connecting => {}
        }
    }

    /// A change is another level, or other topics: that the figures within a reason change is no news.
    fn health(&mut self, scene: Scene<'_>, health: &Health, emit: &mut dyn FnMut(Event)) {
        let mut topics: Vec<(Topic, Level)> =
            health.reasons.iter().map(|reason| (reason.topic, reason.level)).collect();
        let same = |one: &[(Topic, Level)], other: &[(Topic, Level)]| {
            let has = |list: &[(Topic, Level)], (topic, level): &(Topic, Level)| {
                list.iter().any(|(t, l)| discriminant(t) == discriminant(topic) && l == level)
            };
            one.iter().all(|topic| has(other, topic)) && other.iter().all(|topic| has(one, topic))
        };
        topics.dedup();
        let before = self.verdict.replace((health.level, topics.clone()));
        let Some((level, old)) = before else { return };
        if level == health.level && same(&old, &topics) {
            return;
        }
        let mut words = format!("{} -> {}", level.word(), health.level.word());
        for (nth, reason) in health.reasons.iter().take(NAMED).enumerate() {
            words.push_str(if nth == 0 { ": " } else { "; " });
            words.push_str(&reason.text);
        }
        let mut event = scene.event(MarkKind::Health, words);
        event.to = Some(scene.at);
        emit(event);
    }

    fn deadlocks(&mut self, scene: Scene<'_>, headline: &Headline, emit: &mut dyn FnMut(Event)) {
        let before = self.headline_at.replace(scene.at);
        let rate = headline.deadlocks_per_min.unwrap_or_default();
        if rate <= 0.0 {
            return;
        }
        let minutes = before.map_or(0.5, |before| scene.at.ms_since(before) as f64 / 60_000.0);
        let count = (rate * minutes).round().clamp(1.0, 1e6) as u64;
        let words = if count == 1 { "1 deadlock".to_owned() } else { format!("{count} deadlocks") };
        let mut event = scene.event(MarkKind::Deadlock, words);
        event.at = before.unwrap_or(scene.at).min(scene.at);
        event.to = Some(scene.at);
        emit(event);
    }

    fn blocking(&mut self, scene: Scene<'_>, blocking: &Blocking, emit: &mut dyn FnMut(Event)) {
        let mut before = std::mem::take(&mut self.episodes);
        for chain in blocking.chains.iter().take(MAX_EPISODES) {
            let Some(head) = chain.nodes.first() else { continue };
            let known = before.remove(&head.request.session_id).filter(|event| {
                let seen = event.episode.as_ref().map_or(event.at, |episode| episode.seen_at);
                scene.at - seen <= LOST_MS
            });
            let mut event = known.unwrap_or_else(|| begin(scene, chain, head.request.session_id));
            grow(&mut event, scene.at, chain);
            emit(event.clone());
            self.episodes.insert(head.request.session_id, event);
        }
        for (_, mut event) in before {
            let seen = event.episode.as_ref().map_or(event.at, |episode| episode.seen_at);
            // It ended between the poll that saw it last and this one; after a gap only the former is known.
            event.to = Some(if scene.at - seen <= LOST_MS { scene.at.max(seen) } else { seen });
            emit(event);
        }
    }
}

fn begin(scene: Scene<'_>, chain: &Chain, head: i32) -> Event {
    let mut event = scene.event(MarkKind::Blocking, "");
    // The longest wait says since when it lasts.
    let began = scene.at.plus_ms(-chain.max_wait_ms.clamp(0, 86_400_000));
    event.at = began;
    event.episode =
        Some(Episode { head, lost_ms: chain.lost_ms.max(0), seen_at: scene.at, ..Episode::default() });
    event
}

fn grow(event: &mut Event, at: Timestamp, chain: &Chain) {
    let Some(episode) = &mut event.episode else { return };
    let since = i64::try_from(at.ms_since(episode.seen_at)).unwrap_or(0).min(LOST_MS);
    episode.lost_ms = episode.lost_ms.saturating_add(since.saturating_mul(chain.victims.into()));
    episode.longest_ms = episode.longest_ms.max(chain.max_wait_ms);
    episode.seen_at = episode.seen_at.max(at);
    if chain.victims >= episode.peak_victims {
        (episode.peak_victims, episode.peak_at) = (chain.victims, at);
    }
    if let Some(head) = chain.nodes.first() {
        if let Some(statement) = &head.statement {
            episode.text = Some(statement.text.id());
            episode.statement = Some((statement.start, statement.end));
        }
        episode.login = head.request.login.clone().or_else(|| episode.login.take());
        episode.program = head.request.program.clone().or_else(|| episode.program.take());
        episode.database = head.request.database.clone().or_else(|| episode.database.take());
    }
    let resource = chain.nodes.iter().filter(|node| node.depth == 1).find_map(|node| node.resource.as_ref());
    if let Some(resource) = resource {
        let object = resource.object.as_deref().or(resource.database.as_deref()).unwrap_or("");
        episode.resource = Some(format!("{} {object}", resource.kind).trim_end().into());
    }
    event.words = format!(
        "{} blocked by session {}{}, {} s lost",
        sessions(episode.peak_victims),
        episode.head,
        episode.resource.as_ref().map(|resource| format!(" on {resource}")).unwrap_or_default(),
        episode.lost_ms / 1000
    )
    .into();
}

fn sessions(count: u32) -> String {
    if count == 1 { "1 session".to_owned() } else { format!("{count} sessions") }
}

fn changed(scene: Scene<'_>, changes: Option<Vec<String>>, emit: &mut dyn FnMut(Event)) {
    let Some(changes) = changes.filter(|changes| !changes.is_empty()) else { return };
    let mut words = changes.iter().take(NAMED).cloned().collect::<Vec<_>>().join("; ");
    if changes.len() > NAMED {
        words = format!("{words}; and {} more", changes.len() - NAMED);
    }
    let mut event = scene.event(MarkKind::Configuration, words);
    event.to = Some(scene.at);
    emit(event);
}

fn properties_changed(before: &Properties, now: &Properties) -> Vec<String> {
    let mut changes = Vec::new();
    let mut text = |name: &str, before: &Option<Arc<str>>, now: &Option<Arc<str>>| {
        if let (Some(before), Some(now)) = (before, now)
            && before != now
        {
            changes.push(format!("{name} {before} -> {now}"));
        }
    };
    text("server name", &before.server_name, &now.server_name);
    text("machine", &before.machine_name, &now.machine_name);
    text("edition", &before.edition, &now.edition);
    text("version", &before.version, &now.version);
    text("update", &before.update_level, &now.update_level);
    text("collation", &before.collation, &now.collation);
    let mut number = |name: &str, before: Option<i64>, now: Option<i64>| {
        if let (Some(before), Some(now)) = (before, now)
            && before != now
        {
            changes.push(format!("{name} {before} -> {now}"));
        }
    };
    number("CPUs", before.cpu_count.map(i64::from), now.cpu_count.map(i64::from));
    number("physical memory KB", before.physical_memory_kb, now.physical_memory_kb);
    number("max worker threads", before.max_workers.map(i64::from), now.max_workers.map(i64::from));
    number(
        "always on availability groups",
        before.hadr_enabled.map(i64::from),
        now.hadr_enabled.map(i64::from),
    );
    for (name, before, now) in before.changed_options(now) {
        changes.push(format!("{name} {before} -> {now}"));
    }
    // The server's start is told through its clock: a second is no restart.
    if let (Some(before), Some(now)) = (before.started_at, now.started_at)
        && now - before > 30_000
    {
        changes.push("restarted".to_owned());
    }
    changes
}

fn rights_changed(before: &Rights, now: &Rights) -> Vec<String> {
    let lost = |right: &str| match (before.held(right), now.held(right)) {
        (Some(true), Some(false)) => Some(format!("right {right} lost")),
        (Some(false), Some(true)) => Some(format!("right {right} gained")),
        _ => None,
    };
    now.rights.iter().filter_map(|right| lost(&right.name)).collect()
}

fn databases_changed(before: &[DatabaseRow], now: &[DatabaseRow]) -> Vec<String> {
    let named = |rows: &[DatabaseRow]| -> HashMap<Arc<str>, Arc<str>> {
        let state = |row: &DatabaseRow| row.state.clone().unwrap_or_else(|| "?".into());
        rows.iter().filter_map(|row| Some((row.name.clone()?, state(row)))).collect()
    };
    let (old, new) = (named(before), named(now));
    let mut changes: Vec<String> = Vec::new();
    for (name, state) in &new {
        match old.get(name) {
            None => changes.push(format!("database {name} is new")),
            Some(before) if before != state => changes.push(format!("database {name} {before} -> {state}")),
            Some(_) => {}
        }
    }
    changes.extend(
        old.keys().filter(|name| !new.contains_key(*name)).map(|name| format!("database {name} is gone")),
    );
    changes.sort();
    changes
}
