//! The story of an incident, gathered from its recording: one instance after the other, an hour at a time, so that a night
//! of five hundred instances needs no more memory than its sums.

use super::{
    deadlocks::Deadlocks, memory::Memory, modules::Modules, period::Period, queries::Queries,
    query_store::QueryStore, storage::Storage,
};
use crate::{
    model::{
        base::{time::Timestamp, zone::Zone},
        inventory::instance::InstanceInfo,
        judge::health::{Health, Level, Thresholds},
        poll::{
            State,
            databases::DatabaseRow,
            id::ProbeId,
            link::Link,
            properties::Properties,
            rights::Rights,
            statement::{SqlText, TextId},
            wait_class::WaitCategory,
        },
        timeline::{
            ash::Ash,
            chart::MarkKind,
            compare::{self, Difference},
            record::{Record, Recorded},
        },
    },
    store::{
        StoreError,
        history::{Event, EventFilter, Reader, Recent, fleet_at},
    },
};
use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
};

/// The longest time that a verdict counts without a newer one, ms: after that the instance was not polled.
const VERDICT_MS: i64 = 180_000;
/// Instances that are told in full, with charts and options, the worst first; the others are in the tables.
pub(super) const IN_FULL: usize = 12;
/// Instances whose change is told in words.
const COMPARED: usize = 5;
/// Differences of each.
const DIFFERENCES: usize = 12;

/// A wait type over the stretch.
#[derive(Debug, Clone, Copy)]
pub(super) struct Waited {
    /// its category
    pub category: WaitCategory,
    /// waited, ms
    pub ms: f64,
    /// of which for a CPU, ms
    pub signal_ms: f64,
    /// waits
    pub tasks: f64,
}

/// The story of one instance.
pub(super) struct InstanceStory {
    /// its name and address, as the page shows them
    pub info: Arc<InstanceInfo>,
    /// its identity in the history that charts come from
    pub source: Arc<str>,
    /// the worst verdict, and when it was given first
    pub worst: Option<(Timestamp, Health)>,
    /// the last moment before that at which it was well, or the start
    pub before: Timestamp,
    /// time by level, ms: well, unknown, warning, critical, offline
    pub level_ms: [i64; 5],
    /// good headline polls, and others
    pub polls: (u64, u64),
    /// properties, as they were last
    pub properties: Option<Arc<Properties>>,
    /// rights, as they were last
    pub rights: Option<Arc<Rights>>,
    /// databases, as they were last
    pub databases: Option<Arc<Vec<DatabaseRow>>>,
    /// own cost: sum of rates, rates, budget
    pub cost: (f64, u32, u32),
    /// probes without a result at the end, and the reason
    pub missing: BTreeMap<&'static str, String>,
    verdict: Option<(Timestamp, Level)>,
    well_at: Option<Timestamp>,
}

/// The story of all instances.
pub(super) struct Story {
    /// of this time
    pub period: Period,
    /// whose clock times are told by
    pub zone: Zone,
    /// the worst first
    pub instances: Vec<InstanceStory>,
    /// activity, by login, program and more
    pub ash: Ash,
    /// wait types over all instances
    pub waits: BTreeMap<Arc<str>, Waited>,
    /// what queries cost, and whose plans changed
    pub queries: Queries,
    /// what modules cost
    pub modules: Modules,
    /// what Query Store recorded
    pub query_store: QueryStore,
    /// machine, process, clerks, grants
    pub memory: Memory,
    /// files, volumes, growths, logs, tempdb
    pub storage: Storage,
    /// deadlocks by pattern
    pub deadlocks: Deadlocks,
    /// in the order of time
    pub events: Vec<Event>,
    /// texts of head blockers
    pub texts: HashMap<TextId, Arc<SqlText>>,
    /// of the worst instances: before, worst moment, what changed most
    pub changes: Vec<(Arc<InstanceInfo>, Timestamp, Timestamp, Vec<Difference>)>,
    /// parts of the history that could not be read
    pub damaged: Vec<String>,
}

/// Gathers the story. `infos`: each instance as the page shows it, and its identity in the history that charts come from.
///
/// # Errors
/// The recording cannot be read.
pub(super) fn gather(
    recording: &mut Reader,
    infos: Vec<(Arc<InstanceInfo>, Arc<str>)>,
    thresholds: &Thresholds,
    period: Period,
    zone: &Zone,
) -> Result<Story, StoreError> {
    let uids: Vec<Arc<str>> = infos.iter().map(|(info, _)| Arc::clone(&info.uid)).collect();
    let events = recording.events().list(&EventFilter { uids, kinds: Vec::new() }, period.from, period.to)?;
    let mut story = Story {
        period,
        zone: zone.clone(),
        instances: Vec::new(),
        ash: Ash::default(),
        waits: BTreeMap::new(),
        queries: Queries::default(),
        modules: Modules::default(),
        query_store: QueryStore::default(),
        memory: Memory::default(),
        storage: Storage::default(),
        deadlocks: Deadlocks::default(),
        events,
        texts: HashMap::new(),
        changes: Vec::new(),
        damaged: Vec::new(),
    };
    for (info, source) in infos {
        let instance = story.instance(recording, &info, source)?;
        story.instances.push(instance);
    }
    story.instances.sort_by(|a, b| b.badness().cmp(&a.badness()).then_with(|| a.info.id.cmp(&b.info.id)));
    for event in &story.events {
        if let Some(id) = event.episode.as_ref().and_then(|episode| episode.text)
            && let Some(text) = recording.text(id)?
        {
            story.texts.insert(id, text);
        }
    }
    for instance in story.instances.iter().take(COMPARED) {
        let Some((worst_at, health)) = &instance.worst else { continue };
        if health.level < Level::Warning {
            continue;
        }
        let then = |recording: &mut Reader, at| {
            fleet_at(recording, std::slice::from_ref(&instance.info), thresholds, at, Recent::OfTheList)
        };
        let (before, after) = (then(recording, instance.before)?, then(recording, *worst_at)?);
        if let (Some(before), Some(after)) = (before.instances.first(), after.instances.first()) {
            let mut differences = compare::instances(before, after, zone);
            differences.truncate(DIFFERENCES);
            story.changes.push((Arc::clone(&instance.info), instance.before, *worst_at, differences));
        }
    }
    Ok(story)
}

impl Story {
    /// `2026-11-20 02:14:00 CET`.
    pub fn at(&self, at: Timestamp) -> String {
        self.zone.instant(at)
    }

    fn instance(
        &mut self,
        recording: &mut Reader,
        info: &Arc<InstanceInfo>,
        source: Arc<str>,
    ) -> Result<InstanceStory, StoreError> {
        let mut instance = InstanceStory {
            info: Arc::clone(info),
            source,
            worst: None,
            before: self.period.from,
            level_ms: [0; 5],
            polls: (0, 0),
            properties: None,
            rights: None,
            databases: None,
            cost: (0.0, 0, 0),
            missing: BTreeMap::new(),
            verdict: None,
            well_at: None,
        };
        let mut past = recording.states().at(std::slice::from_ref(&info.uid), self.period.from)?;
        self.damaged.append(&mut past.damaged);
        for kept in past.kept {
            // Reports are read when there is news: without, what was known before still is.
            match &kept.what {
                Recorded::Reading { state: Ok(State::Deadlocks(table)), .. } => {
                    self.deadlocks.take(&info.id, table);
                }
                Recorded::Reading { state: Ok(State::QueryStore(table)), .. } => self.query_store.take(table),
                _ => {}
            }
            instance.take(kept.what, self.period.from);
        }
        for (from, to) in self.period.parts() {
            let mut past = recording.states().between(&info.uid, from, to)?;
            self.damaged.append(&mut past.damaged);
            for kept in past.kept {
                self.sum(&kept);
                instance.count(&kept.what);
                instance.take(kept.what, kept.at);
            }
        }
        instance.last(self.period.to);
        self.queries.end(&info.id);
        self.modules.end(&info.id);
        self.query_store.end(&info.id);
        self.memory.end(&info.id);
        self.storage.end(&info.id, (self.period.from, self.period.to));
        Ok(instance)
    }

    /// Adds to the sums over all instances.
    fn sum(&mut self, kept: &Record) {
        let Recorded::Reading { every_ms, state: Ok(state), .. } = &kept.what else { return };
        self.storage.take(kept.at, *every_ms, state);
        self.memory.take(kept.at, state);
        match state {
            State::Activity(activity) => self.ash.take(&kept.info.id, activity, *every_ms),
            State::Queries(table) => self.queries.take(&kept.info.id, kept.at, table),
            State::Modules(table) => self.modules.take(table),
            State::QueryStore(table) => self.query_store.take(table),
            State::Deadlocks(table) => self.deadlocks.take(&kept.info.id, table),
            State::Waits(table) => {
                let seconds = table.over_ms as f64 / 1000.0;
                for wait in table.types.iter().filter(|wait| !wait.benign) {
                    let nothing = Waited { category: wait.category, ms: 0.0, signal_ms: 0.0, tasks: 0.0 };
                    let waited = self.waits.entry(Arc::clone(&wait.name)).or_insert(nothing);
                    waited.ms += wait.ms_per_s * seconds;
                    waited.signal_ms += wait.signal_ms_per_s * seconds;
                    waited.tasks += wait.tasks_per_s * seconds;
                }
            }
            _ => {}
        }
    }

    /// Events of a kind.
    pub fn events_of(&self, kind: MarkKind) -> impl Iterator<Item = &Event> {
        self.events.iter().filter(move |event| event.kind == kind)
    }

    /// The name of an event's instance.
    pub fn name(&self, event: &Event) -> String {
        let Some(uid) = &event.uid else { return "all instances".into() };
        let found = self.instances.iter().find(|instance| instance.info.uid == *uid);
        found.map_or_else(
            || "an instance that is not in this page".into(),
            |instance| instance.info.id.to_string(),
        )
    }

    /// Instances by their worst level: well, unknown, warning, critical, offline.
    pub fn by_level(&self) -> [usize; 5] {
        let mut counts = [0; 5];
        for instance in &self.instances {
            let level = instance.worst.as_ref().map_or(Level::Unknown, |(_, health)| health.level);
            counts[level as usize] += 1;
        }
        counts
    }
}

impl InstanceStory {
    /// Takes over the newest state, known as of `at`.
    fn take(&mut self, what: Recorded, at: Timestamp) {
        match what {
            Recorded::Health { health, .. } => self.verdict(health, at),
            Recorded::Reading { state: Ok(state), probe, .. } => {
                self.missing.remove(probe.name());
                match state {
                    State::Properties(p) => self.properties = Some(p),
                    State::Rights(r) => self.rights = Some(r),
                    State::Databases(rows) => self.databases = Some(rows),
                    _ => {}
                }
            }
            Recorded::Reading { state: Err(problem), probe, .. } => {
                self.missing.insert(probe.name(), problem.to_string());
            }
            Recorded::Link { link: Link::Down { failure, .. }, .. } => {
                self.missing.insert("link", failure.to_string());
            }
            Recorded::Link { link: Link::Up, .. } => drop(self.missing.remove("link")),
            Recorded::Link { .. } | Recorded::Pace { .. } => {}
        }
    }

    /// Counts a poll within the stretch.
    fn count(&mut self, what: &Recorded) {
        let Recorded::Reading { probe, state, .. } = what else { return };
        match (probe, state) {
            (ProbeId::Headline, Ok(_)) => self.polls.0 += 1,
            (ProbeId::Headline, Err(_)) => self.polls.1 += 1,
            (_, Ok(State::Cost(cost))) => {
                if let Some(rate) = cost.cpu_ms_per_s {
                    self.cost.0 += rate;
                    self.cost.1 += 1;
                }
                self.cost.2 = cost.slowed.budget_us_per_s;
            }
            _ => {}
        }
    }

    fn verdict(&mut self, health: Health, at: Timestamp) {
        self.last(at);
        self.verdict = Some((at, health.level));
        if health.level == Level::Ok {
            self.well_at = Some(at);
        }
        // Before its first poll an instance is unknown: any verdict says more.
        let bad = |health: &Health| {
            (health.level != Level::Unknown, health.level, 100 - health.score.unwrap_or(100).min(100))
        };
        if self.worst.as_ref().is_none_or(|(_, worst)| bad(&health) > bad(worst)) {
            self.before = self.well_at.unwrap_or(self.before);
            self.worst = Some((at, health));
        }
    }

    /// Adds the time of the verdict so far, which held until then.
    fn last(&mut self, until: Timestamp) {
        if let Some((since, level)) = self.verdict {
            self.level_ms[level as usize] += (until - since).clamp(0, VERDICT_MS);
        }
    }

    fn badness(&self) -> (Level, u8, i64) {
        let [_, _, warning, critical, offline] = self.level_ms;
        let worst = self.worst.as_ref().map(|(_, health)| health);
        // An instance without a verdict is the least interesting.
        let level = worst.map(|health| health.level).filter(|level| *level != Level::Unknown);
        let level = level.unwrap_or(Level::Ok);
        (level, 100 - worst.and_then(|h| h.score).unwrap_or(100).min(100), warning + critical + offline)
    }
}
