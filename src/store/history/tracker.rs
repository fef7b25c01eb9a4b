//! Turns readings, one after another, into events: episodes of blocking with their length and cost, changes of health, lost
//! connections, deadlocks, changed configuration. Pure: the writer feeds it and writes its events.
//!
//! An event that grows is returned again with the same number; the newest version counts.

use super::{
    deadlocks::Deadlocks,
    event::{Episode, Event, event_no},
    incident::Incidents,
    query_stores,
};
use crate::model::{
    base::time::Timestamp,
    judge::health::Health,
    poll::{
        State,
        blocking::{Blocking, Chain},
        databases::DatabaseRow,
        growths::{FileGrowth, GrowthTable},
        headline::Headline,
        id::ProbeId,
        link::Link,
        properties::Properties,
        queries::{QueryRow, QueryTable},
        query_store::QueryStoreTable,
        rights::Rights,
    },
    timeline::{
        chart::MarkKind,
        dwell::{Dwell, Lasting},
        event::{Awaited, Change, Subject, What},
        record::{Record, Recorded},
    },
};
use std::{collections::HashMap, sync::Arc};

/// A chain that no poll saw for so long is over, ms: two polls were missed.
const LOST_MS: i64 = 180_000;
/// Reasons of a verdict that an event names.
const NAMED: usize = 5;
/// Queries of one instance whose plans are remembered.
const MAX_QUERIES: usize = 1_000;
/// Plans of one query that are remembered, the newest.
const MAX_PLANS: usize = 8;
/// Our clock and that of a server are compared anew after a start: times of what it tells again differ by so much, ms.
pub(super) const TOLD_SLACK_MS: i64 = 2_000;
/// Files of one instance whose growths one poll tells of.
const MAX_FILES: usize = 20;
/// Episodes of one instance that are followed at once, the worst first.
const MAX_EPISODES: usize = 64;

/// The state of each instance so far.
#[derive(Default)]
pub(super) struct Tracker {
    instances: HashMap<Arc<str>, Watch>,
}

#[derive(Default)]
struct Watch {
    episodes: HashMap<i32, Event>,
    dwell: Dwell,
    down: Option<Event>,
    incidents: Incidents,
    properties: Option<Arc<Properties>>,
    rights: Option<Arc<Rights>>,
    databases: Option<Arc<Vec<DatabaseRow>>>,
    /// the plans that each query was seen with
    plans: HashMap<u64, Vec<u64>>,
    headline_at: Option<Timestamp>,
    stores: Option<Arc<QueryStoreTable>>,
    deadlocks: Deadlocks,
    /// until when growths were told before this writer began, until they are read
    grown_until: Option<Timestamp>,
}

impl Tracker {
    /// Goes on with the events that were open when the last writer ended.
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

    /// What was told when the last writer ended: of growths until when, by instance; of deadlocks the events. A server is asked for it
    /// again after a start: what is on the time line already is no news.
    pub fn was_told(&mut self, growths: Vec<(Arc<str>, Timestamp)>, deadlocks: &[Event]) {
        for (uid, until) in growths {
            self.instances.entry(uid).or_default().grown_until = Some(until);
        }
        for event in deadlocks {
            if let Some(uid) = &event.uid {
                self.instances.entry(Arc::clone(uid)).or_default().deadlocks.was_told(event);
            }
        }
    }

    /// The events that go on. Their rows must stay in the file for as long.
    pub fn open(&self) -> impl Iterator<Item = &Event> {
        self.instances.values().flat_map(|watch| watch.down.iter().chain(watch.episodes.values()))
    }

    /// Takes an incident that a user froze. Returns the event to write.
    pub fn freeze(&mut self, event: Event) -> Event {
        match event.uid.clone() {
            Some(uid) => self.instances.entry(uid).or_default().incidents.freeze(event),
            None => event,
        }
    }

    /// Takes the next reading.
    pub fn follow(&mut self, kept: &Record, emit: &mut dyn FnMut(Event)) {
        if !self.instances.contains_key(&kept.info.uid) {
            self.instances.insert(kept.info.uid.clone(), Watch::default());
        }
        let Some(watch) = self.instances.get_mut(&kept.info.uid) else { return };
        let scene = Scene { uid: &kept.info.uid, at: kept.at };
        match &kept.what {
            Recorded::Link { link, since, .. } => watch.link(scene, link, *since, emit),
            Recorded::Health { health, .. } => {
                watch.incidents.follow(scene.uid, scene.at, health, emit);
                watch.health(scene, health, emit);
            }
            Recorded::Reading { state: Ok(state), probe, .. } => watch.state(scene, *probe, state, emit),
            Recorded::Reading { .. } | Recorded::Pace { .. } => {}
        }
    }
}

/// The instance, and the time.
#[derive(Clone, Copy)]
pub(super) struct Scene<'a> {
    /// the instance's identity
    pub uid: &'a Arc<str>,
    /// when it was polled
    pub at: Timestamp,
}

impl Scene<'_> {
    /// An event of this moment.
    pub fn event(self, kind: MarkKind, what: What) -> Event {
        Event {
            no: event_no(),
            uid: Some(self.uid.clone()),
            kind,
            at: self.at,
            to: None,
            what,
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
            State::Queries(now) => self.plans(scene, now, emit),
            State::QueryStore(now) => {
                let Some(before) = self.stores.replace(now.clone()) else { return };
                tell(scene, MarkKind::Configuration, query_stores::states(&before, now), emit);
                tell(scene, MarkKind::Plan, query_stores::regressions(&before, now), emit);
            }
            State::Growths(now) => grown(scene, now, self.grown_until.take(), emit),
            State::Deadlocks(now) => self.deadlocks.reported(scene, now, emit),
            _ => {}
        }
    }

    /// A query that goes to and fro between two plans, as by other SET options, is told once for each.
    fn plans(&mut self, scene: Scene<'_>, table: &QueryTable, emit: &mut dyn FnMut(Event)) {
        if self.plans.len() > MAX_QUERIES {
            self.plans.clear();
        }
        let mut changes = Vec::new();
        for query in &table.queries {
            let Some(plan) = query.plan_hash else { continue };
            let seen = self.plans.entry(query.hash).or_default();
            if seen.contains(&plan) {
                continue;
            }
            if seen.len() >= MAX_PLANS {
                seen.remove(0);
            }
            seen.push(plan);
            changes.extend(query.old_plan_hash.map(|old| plan_changed(query, old, plan)));
        }
        tell(scene, MarkKind::Plan, changes, emit);
    }

    fn link(&mut self, scene: Scene<'_>, link: &Link, since: Timestamp, emit: &mut dyn FnMut(Event)) {
        match link {
            Link::Down { failure, .. } => {
                let what = What::Lost(failure.clone());
                match &mut self.down {
                    Some(event) if event.what == what => {}
                    Some(event) => {
                        event.what = what;
                        emit(event.clone());
                    }
                    None => {
                        let mut event = scene.event(MarkKind::Connection, what);
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

    /// A change is another level, or other topics, and lasts. New figures within a reason are none.
    fn health(&mut self, scene: Scene<'_>, health: &Health, emit: &mut dyn FnMut(Event)) {
        let Some(Lasting { at, before, after }) = self.dwell.follow(scene.at, health) else { return };
        let reasons = health.reasons.iter().take(NAMED).map(|reason| reason.why().clone()).collect();
        let mut event = scene.event(MarkKind::Health, What::Verdict { before, after, reasons });
        event.at = at.min(scene.at);
        event.to = Some(event.at);
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
        let mut event = scene.event(MarkKind::Deadlock, What::Deadlocks(count));
        event.at = before.unwrap_or(scene.at).min(scene.at);
        event.to = Some(scene.at);
        self.deadlocks.counted(&event);
        emit(event);
    }

    fn blocking(&mut self, scene: Scene<'_>, blocking: &Blocking, emit: &mut dyn FnMut(Event)) {
        let mut before = std::mem::take(&mut self.episodes);
        for chain in blocking.chains.iter().take(MAX_EPISODES) {
            let Some(head) = chain.nodes.first() else { continue };
            let mut event = match before.remove(&head.request.session_id) {
                Some(known) if scene.at - seen_at(&known) <= LOST_MS => known,
                lost => {
                    // The same session again, after a gap: another episode.
                    if let Some(lost) = lost {
                        emit(ended(scene, lost));
                    }
                    begin(scene, chain, head.request.session_id)
                }
            };
            grow(&mut event, scene.at, chain);
            emit(event.clone());
            self.episodes.insert(head.request.session_id, event);
        }
        for event in before.into_values() {
            emit(ended(scene, event));
        }
    }
}

/// One event for each file that grew since the poll before, from its first growth to its last; and behind what was told before.
fn grown(scene: Scene<'_>, table: &GrowthTable, told: Option<Timestamp>, emit: &mut dyn FnMut(Event)) {
    let mut files: Vec<Vec<&FileGrowth>> = Vec::new();
    let is_told = |growth: &&FileGrowth| told.is_some_and(|until| growth.at <= until.plus_ms(TOLD_SLACK_MS));
    for growth in table.newest().iter().filter(|growth| !is_told(growth)) {
        let of = |known: &&mut Vec<&FileGrowth>| {
            known.first().is_some_and(|one| (&one.database, &one.file) == (&growth.database, &growth.file))
        };
        let has_room = files.len() < MAX_FILES;
        match files.iter_mut().find(of) {
            Some(known) => known.push(growth),
            None if has_room => files.push(vec![growth]),
            None => {}
        }
    }
    for growths in files {
        let Some((last, first)) = growths.first().zip(growths.last()) else { continue };
        let what = What::Grown {
            database: last.database.clone(),
            file: last.file.clone(),
            times: u32::try_from(growths.len()).unwrap_or(u32::MAX),
            by_kb: growths.iter().filter_map(|growth| growth.by_kb).reduce(i64::saturating_add),
            longest_ms: growths.iter().filter_map(|growth| growth.took_ms).max(),
        };
        let mut event = scene.event(MarkKind::Growth, what);
        event.at = first.at.min(scene.at);
        event.to = Some(last.at.plus_ms(last.took_ms.unwrap_or(0)).clamp(event.at, scene.at.max(event.at)));
        emit(event);
    }
}

/// When a poll saw an episode last.
fn seen_at(event: &Event) -> Timestamp {
    event.episode.as_ref().map_or(event.at, |episode| episode.seen_at)
}

/// An episode that this poll does not see any more. It ended between the poll that saw it last and this one. After a gap only the
/// former is known.
fn ended(scene: Scene<'_>, mut event: Event) -> Event {
    let seen = seen_at(&event);
    event.to = Some(if scene.at - seen <= LOST_MS { scene.at.max(seen) } else { seen });
    event
}

fn begin(scene: Scene<'_>, chain: &Chain, head: i32) -> Event {
    let episode = Episode { head, lost_ms: chain.lost_ms.max(0), seen_at: scene.at, ..Episode::default() };
    let mut event = scene.event(MarkKind::Blocking, episode.what());
    // The longest wait tells when it began.
    event.at = scene.at.plus_ms(-chain.max_wait_ms.clamp(0, 86_400_000));
    event.episode = Some(episode);
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
        episode.on = Some(Awaited::of(resource));
    }
    event.what = episode.what();
}

fn changed(scene: Scene<'_>, changes: Option<Vec<Change>>, emit: &mut dyn FnMut(Event)) {
    tell(scene, MarkKind::Configuration, changes.unwrap_or_default(), emit);
}

/// Changes of this moment, if there are any.
fn tell(scene: Scene<'_>, kind: MarkKind, changes: Vec<Change>, emit: &mut dyn FnMut(Event)) {
    if changes.is_empty() {
        return;
    }
    let mut event = scene.event(kind, What::Changes(changes));
    event.to = Some(scene.at);
    emit(event);
}

/// The two as texts if they differ and both are known.
fn between<T: PartialEq + ToString>(before: Option<T>, now: Option<T>) -> Option<(Arc<str>, Arc<str>)> {
    let (before, now) = before.zip(now).filter(|(before, now)| before != now)?;
    Some((before.to_string().into(), now.to_string().into()))
}

fn plan_changed(query: &QueryRow, old: u64, new: u64) -> Change {
    let name = query.module.clone().unwrap_or_else(|| format!("query 0x{:016X}", query.hash).into());
    let plan = |hash: u64| Some(format!("0x{hash:016X}").into());
    Change::named(Subject::Plan, name, plan(old), plan(new))
}

fn properties_changed(before: &Properties, now: &Properties) -> Vec<Change> {
    let mut changes = Vec::new();
    let names = [
        (Subject::ServerName, &before.server_name, &now.server_name),
        (Subject::Machine, &before.machine_name, &now.machine_name),
    ];
    for (what, before, now) in names {
        changes.extend(between(before.clone(), now.clone()).map(|(old, new)| Change::of(what, old, new)));
    }
    let value = |what, name: &str, (old, new)| Change::named(what, name, Some(old), Some(new));
    let words = [
        ("edition", &before.edition, &now.edition),
        ("version", &before.version, &now.version),
        ("update", &before.update_level, &now.update_level),
        ("collation", &before.collation, &now.collation),
    ];
    for (name, before, now) in words {
        let found = between(before.clone(), now.clone());
        changes.extend(found.map(|values| value(Subject::Property, name, values)));
    }
    let numbers = [
        ("CPUs", before.cpu_count.map(i64::from), now.cpu_count.map(i64::from)),
        ("physical memory KB", before.physical_memory_kb, now.physical_memory_kb),
        ("max worker threads", before.max_workers.map(i64::from), now.max_workers.map(i64::from)),
        (
            "always on availability groups",
            before.hadr_enabled.map(i64::from),
            now.hadr_enabled.map(i64::from),
        ),
    ];
    for (name, before, now) in numbers {
        changes.extend(between(before, now).map(|values| value(Subject::Property, name, values)));
    }
    for (name, before, now) in before.changed_options(now) {
        changes.push(value(Subject::Setting, &name, (before.into(), now.into())));
    }
    // The server's start is computed from its clock: a second is no restart.
    if let (Some(before), Some(now)) = (before.started_at, now.started_at)
        && now - before > 30_000
    {
        changes.push(Change { what: Subject::Restart, name: None, before: None, after: None });
    }
    changes
}

fn rights_changed(before: &Rights, now: &Rights) -> Vec<Change> {
    let held = || Some("held".into());
    let change = |right: &Arc<str>| match (before.held(right), now.held(right)) {
        (Some(true), Some(false)) => Some(Change::named(Subject::Right, right.clone(), held(), None)),
        (Some(false), Some(true)) => Some(Change::named(Subject::Right, right.clone(), None, held())),
        _ => None,
    };
    now.rights.iter().filter_map(|right| change(&right.name)).collect()
}

fn databases_changed(before: &[DatabaseRow], now: &[DatabaseRow]) -> Vec<Change> {
    let named = |rows: &[DatabaseRow]| -> HashMap<Arc<str>, Arc<str>> {
        let state = |row: &DatabaseRow| row.state.clone().unwrap_or_else(|| "?".into());
        rows.iter().filter_map(|row| Some((row.name.clone()?, state(row)))).collect()
    };
    let (old, mut new) = (named(before), named(now));
    let mut changes: Vec<Change> = Vec::new();
    for (name, before) in old {
        let after = new.remove(&name);
        if after.as_ref() != Some(&before) {
            changes.push(Change::named(Subject::Database, name, Some(before), after));
        }
    }
    changes.extend(
        new.into_iter().map(|(name, state)| Change::named(Subject::Database, name, None, Some(state))),
    );
    changes.sort();
    changes
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::poll::rights::Right;

    #[test]
    fn a_lost_right_is_lost_and_an_unknown_one_is_neither() {
        let rights = |held| {
            let right = Right { name: "VIEW SERVER STATE".into(), held, gives: "".into() };
            Rights { rights: vec![right], present: vec![] }
        };
        let told = |before, now| -> Vec<String> {
            rights_changed(&rights(before), &rights(now)).iter().map(ToString::to_string).collect()
        };
        assert_eq!(told(Some(true), Some(false)), ["right VIEW SERVER STATE lost"]);
        assert_eq!(told(Some(false), Some(true)), ["right VIEW SERVER STATE gained"]);
        for (before, now) in
            [(None, Some(true)), (Some(true), None), (None, Some(false)), (Some(true), Some(true))]
        {
            assert!(told(before, now).is_empty(), "{before:?} {now:?}");
        }
    }

    #[test]
    fn growths_are_told_by_file_from_the_first_to_the_last_and_once() {
        let growth = |s: i64, file: &str| FileGrowth {
            at: Timestamp::from_ms(s * 1_000),
            took_ms: Some(s),
            by_kb: Some(1_024),
            file: Some(file.into()),
            ..FileGrowth::default()
        };
        let growths = vec![growth(90, "a"), growth(80, "b"), growth(70, "a"), growth(5, "old")];
        let uid: Arc<str> = "x".into();
        let scene = Scene { uid: &uid, at: Timestamp::from_ms(100_000) };
        let told = |new| {
            let mut told = Vec::new();
            let table = GrowthTable { growths: growths.clone(), new, ..GrowthTable::default() };
            grown(scene, &table, None, &mut |event| {
                let to = event.to.map_or(0, Timestamp::ms);
                told.push((event.kind, event.at.ms(), to, event.what.to_string()));
            });
            told
        };
        assert_eq!(
            told(3),
            [
                (
                    MarkKind::Growth,
                    70_000,
                    90_090,
                    "a grew 2 times by 2.0 MB, the longest took 90 ms".to_owned()
                ),
                (MarkKind::Growth, 80_000, 80_080, "b grew by 1.0 MB in 80 ms".to_owned()),
            ]
        );
        assert_eq!(told(0), []);
    }

    #[test]
    fn another_plan_is_told_once_by_the_name_of_its_module() {
        let query = |hash, plan, old| QueryRow {
            hash,
            plan_hash: Some(plan),
            old_plan_hash: old,
            module: (hash == 1).then(|| "dbo.usp_GetPage".into()),
            ..QueryRow::default()
        };
        let mut watch = Watch::default();
        let uid: Arc<str> = "a".into();
        let mut told = |queries: Vec<QueryRow>| {
            let mut words = Vec::new();
            let scene = Scene { uid: &uid, at: Timestamp::from_ms(5) };
            let table = QueryTable { queries, ..QueryTable::default() };
            watch.plans(scene, &table, &mut |event| {
                assert_eq!((event.kind, event.to), (MarkKind::Plan, Some(scene.at)));
                words.push(event.what.to_string());
            });
            words
        };
        assert!(told(vec![query(1, 10, None), query(2, 20, None)]).is_empty());
        let both = told(vec![query(1, 11, Some(10)), query(2, 21, Some(20))]);
        let page = "plan of dbo.usp_GetPage 0x000000000000000A → 0x000000000000000B";
        let other = "plan of query 0x0000000000000002 0x0000000000000014 → 0x0000000000000015";
        assert_eq!(both, [format!("{page}; {other}")]);
        assert!(told(vec![query(1, 10, Some(11))]).is_empty(), "back to one that was seen");
        assert!(told(vec![query(1, 11, Some(10))]).is_empty(), "and to the other");
        let many: Vec<_> = (0..MAX_QUERIES as u64 * 2).map(|hash| query(hash + 9, 1, None)).collect();
        assert!(told(many).is_empty() && told(vec![query(1, 10, None)]).is_empty());
        assert!(watch.plans.len() <= MAX_QUERIES, "{}", watch.plans.len());
    }

    #[test]
    fn a_query_that_became_slower_and_a_store_that_ends_to_record_are_events() {
        use crate::model::poll::query_store::{StoreRow, StoredQuery, Stretch};
        let table = |interval, state, ms: i64| {
            let stretch =
                |ms: i64| Stretch { runs: Some(100), cpu_us: Some(0), elapsed_us: Some(100_000 * ms) };
            let store = StoreRow {
                database_id: 5,
                database: Some("orders".into()),
                state: Some(state),
                interval_id: Some(interval),
                ..StoreRow::default()
            };
            let query = StoredQuery {
                database_id: 5,
                query_id: 7,
                now: stretch(ms),
                before: stretch(4),
                ..StoredQuery::default()
            };
            QueryStoreTable { stores: vec![store], queries: vec![query], ..QueryStoreTable::default() }
        };
        let (mut watch, uid): (_, Arc<str>) = (Watch::default(), "a".into());
        let mut told = |table| {
            let mut kinds = Vec::new();
            let scene = Scene { uid: &uid, at: Timestamp::from_ms(5) };
            let state = State::QueryStore(Arc::new(table));
            watch.state(scene, ProbeId::QueryStore, &state, &mut |event| kinds.push(event.kind));
            kinds
        };
        assert_eq!(told(table(70, 2, 4)), [], "the first reading is no news");
        assert_eq!(told(table(71, 2, 84)), [MarkKind::Plan]);
        assert_eq!(told(table(72, 1, 84)), [MarkKind::Configuration]);
    }
}
