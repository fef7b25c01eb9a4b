//! Knowledge of one server between polls: clock, rights, capabilities, names, texts, and what failed for good.
//! Owned by the instance's task; `run` writes it, `plan` and decoders read it.

use super::{
    batch::Sets,
    clock::{Clock, Shift},
    job::JobNames,
    module::ModuleMemory,
    object::ObjectNames,
    progress::{Heard, News, Watermarks},
    query::QueryMemory,
    script::{Event, Script},
    text::TextCache,
};
use crate::model::{
    base::time::Timestamp,
    inventory::record::PollSettings,
    poll::{
        Sample, State,
        databases::DatabaseRow,
        deadlocks::DeadlockPattern,
        id::ProbeId,
        properties::{Hosting, Platform, Properties},
        reading::Unavailable,
        rights::Rights,
    },
};
use std::{any::Any, collections::HashMap, sync::Arc};

/// For how many polls a probe that broke a batch goes alone.
const ISOLATED_POLLS: u32 = 30;

/// A skew that moves less than this is the same one: it is measured over a network. Times by our clock must not move, they
/// are part of what identifies a request.
const SKEW_GRAIN_MS: i64 = 1_000;

/// What the polls know of a server, for another connection to it: what that would ask first.
#[derive(Debug, Clone, Default)]
pub struct Known {
    properties: Properties,
    rights: Arc<Rights>,
    databases: HashMap<i32, Arc<str>>,
    offset_min: i32,
    skew_ms: i64,
    started_at: Option<Timestamp>,
}

/// Knowledge of one server. Survives reconnects.
#[derive(Debug)]
pub struct ProbeContext {
    /// our wall clock
    now: fn() -> Timestamp,
    focused: bool,
    transport: Option<Arc<str>>,
    properties: Option<Properties>,
    /// the login's rights, once polled
    pub(super) rights: Option<Arc<Rights>>,
    /// names of databases by their id
    pub(super) databases: HashMap<i32, Arc<str>>,
    clock: Option<(Timestamp, i32)>,
    /// the last change of its offset
    shift: Option<Shift>,
    skew_ms: Option<i64>,
    /// start of the instance by its clock
    started_at: Option<Timestamp>,
    verdicts: Vec<(&'static str, Unavailable)>,
    /// scripts of the answer that is being decoded that gave nothing
    lacking: Vec<(&'static str, Unavailable)>,
    /// probes that broke a batch, and for how many polls more they go alone
    solo: Vec<(ProbeId, u32)>,
    /// how far what grows was read
    pub(super) read: Watermarks,
    /// whether there are deadlocks that were not read
    deadlocks: News,
    /// texts by handle
    pub(super) texts: TextCache,
    /// names of locked objects
    pub(super) objects: ObjectNames,
    /// names of Agent jobs that were at work
    pub(super) jobs: JobNames,
    /// statements of queries, and when they were polled
    pub(super) queries: QueryMemory,
    /// names of modules, and when they were polled
    pub(super) modules: ModuleMemory,
    /// the databases that could not be asked when a probe asked one after another, and why
    pub(super) problems: HashMap<i32, Unavailable>,
    /// which databases are looked at; None: all
    wanted: Option<Arc<PollSettings>>,
}

impl ProbeContext {
    /// Nothing known yet. `now` is our wall clock, which the server's is compared with.
    pub fn new(now: fn() -> Timestamp) -> Self {
        Self {
            now,
            focused: false,
            transport: None,
            properties: None,
            rights: None,
            databases: HashMap::new(),
            clock: None,
            shift: None,
            skew_ms: None,
            started_at: None,
            verdicts: Vec::new(),
            lacking: Vec::new(),
            solo: Vec::new(),
            read: Watermarks::default(),
            deadlocks: News::default(),
            texts: TextCache::default(),
            objects: ObjectNames::default(),
            jobs: JobNames::default(),
            queries: QueryMemory::default(),
            modules: ModuleMemory::default(),
            problems: HashMap::new(),
            wanted: None,
        }
    }

    /// Now, by our wall clock.
    pub(super) fn now(&self) -> Timestamp {
        (self.now)()
    }

    /// The instance is on screen (more columns, faster polls) or not.
    pub const fn set_focused(&mut self, focused: bool) {
        self.focused = focused;
    }

    /// True while the instance is on screen.
    pub const fn is_focused(&self) -> bool {
        self.focused
    }

    /// How far what grows was read.
    pub const fn watermarks(&self) -> &Watermarks {
        &self.read
    }

    /// Goes on reading where an earlier connection ended.
    pub fn resume(&mut self, read: Watermarks) {
        self.read = read;
    }

    /// What another connection need not ask. None: not all of it was told yet.
    pub fn known(&self) -> Option<Known> {
        let (_, offset_min) = self.clock?;
        Some(Known {
            properties: self.properties.clone()?,
            rights: self.rights.clone()?,
            databases: self.databases.clone(),
            offset_min,
            skew_ms: self.skew_ms?,
            started_at: self.started_at,
        })
    }

    /// Takes what the polls know, instead of asking. After the session set-up, which forgets the clock.
    pub fn introduce(&mut self, known: Known) {
        let Known { properties, rights, databases, offset_min, skew_ms, started_at } = known;
        (self.properties, self.rights, self.databases) = (Some(properties), Some(rights), databases);
        (self.skew_ms, self.started_at) = (Some(skew_ms), started_at);
        self.clock = Some((self.now().plus_ms(skew_ms), offset_min));
    }

    /// Why a database was not asked, or refused, when a probe asked one after another.
    pub(super) fn problem(&self, database_id: i32) -> Option<&Unavailable> {
        self.problems.get(&database_id)
    }

    /// Leaves databases out that the instance's settings leave out.
    pub fn want_databases(&mut self, settings: Arc<PollSettings>) {
        self.wanted = Some(settings);
    }

    /// A database is looked at.
    pub(crate) fn wants_database(&self, name: &str) -> bool {
        self.wanted.as_ref().is_none_or(|settings| settings.wants_database(name))
    }

    /// The headline was polled: the server's counter of deadlocks, if it told it.
    pub(crate) const fn hear_of_deadlocks(&mut self, counter: Option<i64>) {
        self.deadlocks.hear(counter);
    }

    /// There may be deadlocks that nobody has read.
    pub(super) fn has_new_deadlocks(&self) -> bool {
        self.deadlocks.are_there(self.focused, self.now())
    }

    /// A probe was handed to the on-demand lane.
    pub fn handed_over(&mut self, id: ProbeId) {
        if id == ProbeId::Deadlocks {
            self.deadlocks.asked();
        }
    }

    /// How a reading over the on-demand lane ended that is made when there is news.
    pub fn heard(&mut self, how: Heard) {
        let now = self.now();
        self.deadlocks.ended(how, now);
    }

    /// Such readings that failed, one after another.
    pub const fn failures(&self) -> u32 {
        self.deadlocks.failures()
    }

    /// Somebody wants everything anew.
    pub fn wanted_anew(&mut self) {
        self.deadlocks.wanted();
    }

    /// The login's rights, once polled.
    pub fn rights(&self) -> Option<&Rights> {
        self.rights.as_deref()
    }

    /// The properties of the server, once polled.
    pub(super) const fn properties(&self) -> Option<&Properties> {
        self.properties.as_ref()
    }

    /// The server's major version (16 = 2022), once polled.
    pub fn major(&self) -> Option<i32> {
        self.properties.as_ref().and_then(|p| p.major)
    }

    /// The platform, once polled.
    pub fn platform(&self) -> Platform {
        self.properties.as_ref().map_or(Platform::Unknown, |p| p.platform)
    }

    /// Who runs it.
    pub fn hosting(&self) -> Hosting {
        let edition = self.properties.as_ref().and_then(|p| p.engine_edition);
        Hosting::of(edition, self.databases.values().map(|name| &**name))
    }

    /// The server's offset from UTC in minutes, by its last answer that told it.
    pub fn offset_min(&self) -> Option<i32> {
        self.clock.map(|(_, offset)| offset)
    }

    /// The server's clock in the answer that is being decoded: what may be believed of times and durations.
    pub fn clock(&self) -> Clock {
        Clock {
            now: self.clock.map(|(now, _)| now),
            offset_min: self.offset_min(),
            skew_ms: self.skew_ms.unwrap_or(0),
            started_at: self.started_at,
            shift: self.shift,
        }
    }

    /// The server's clock minus ours, ms.
    pub const fn skew_ms(&self) -> Option<i64> {
        self.skew_ms
    }

    /// How the connection is protected.
    pub fn transport(&self) -> Option<Arc<str>> {
        self.transport.clone()
    }

    /// A database's name; `db 7` if it is hidden from us; None for no database.
    pub fn database(&self, id: Option<i32>) -> Option<Arc<str>> {
        match id? {
            0 => None,
            32_767 => Some("resource".into()),
            id => Some(self.databases.get(&id).cloned().unwrap_or_else(|| format!("db {id}").into())),
        }
    }

    /// True if an optional object (`dm_os_host_info`) or column (`dm_exec_requests.dop`) is there; None if not known.
    pub fn has(&self, name: &str) -> Option<bool> {
        let present = &self.rights.as_ref()?.present;
        (!present.is_empty()).then(|| present.iter().any(|p| &**p == name))
    }

    /// A new connection: rights may have changed, and what failed may work.
    pub(super) fn connected(&mut self, transport: &str) {
        self.transport = Some(transport.into());
        self.clock = None;
        self.verdicts.clear();
    }

    /// A script will fail the same way until rights are read anew.
    pub(super) fn remember(&mut self, script: Script, verdict: Unavailable) {
        if self.verdict(script).is_none() {
            self.verdicts.push((script.name, verdict));
        }
    }

    /// Why a script is not asked again.
    pub(super) fn verdict(&self, script: Script) -> Option<&Unavailable> {
        self.verdicts.iter().find(|(n, _)| *n == script.name).map(|(_, v)| v)
    }

    /// These scripts gave nothing in the answer that is decoded next.
    pub(super) fn note_problems(&mut self, problems: &[(&'static str, Unavailable)]) {
        self.lacking = problems.to_vec();
    }

    /// Why a script has no result in the answer that is being decoded.
    pub(super) fn why_not(&self, script: Script) -> Option<&Unavailable> {
        let now = self.lacking.iter().find(|(name, _)| *name == script.name).map(|(_, why)| why);
        now.or_else(|| self.verdict(script))
    }

    /// A probe that broke a whole batch goes alone for a while.
    pub(super) fn isolate(&mut self, id: ProbeId) {
        self.solo.retain(|(i, _)| *i != id);
        self.solo.push((id, ISOLATED_POLLS));
    }

    /// A probe was polled: one step closer to the end of its isolation.
    pub(super) fn count_poll(&mut self, id: ProbeId) {
        for (_, left) in self.solo.iter_mut().filter(|(i, _)| *i == id) {
            *left = left.saturating_sub(1);
        }
        self.solo.retain(|(_, left)| *left > 0);
    }

    /// True while a probe goes alone for having broken a batch.
    pub(super) fn is_isolated(&self, id: ProbeId) -> bool {
        self.solo.iter().any(|(i, _)| *i == id)
    }

    /// Whether the login sees more than its own session; None if its rights are not known.
    pub fn sees_all(&self) -> Option<bool> {
        self.rights().and_then(Rights::sees_performance)
    }

    /// Reads the clock out of an answer. `ours` is the middle of its round trip by our clock.
    pub(super) fn note_clock(&mut self, sets: &Sets, ours: Timestamp) {
        let told = sets.iter().find_map(|s| s.first()?.instant("server_time"));
        if let Some((now, offset)) = told {
            let skew_ms = now - ours;
            if self.skew_ms.is_none_or(|known| (known.saturating_sub(skew_ms)).abs() > SKEW_GRAIN_MS) {
                self.skew_ms = Some(skew_ms);
            }
            if let Some((_, before)) = self.clock.filter(|(_, before)| *before != offset) {
                self.shift = Some(Shift::between(now, before));
            }
            self.clock = Some((now, offset));
        }
    }

    /// Learns from a sample.
    pub(super) fn absorb(&mut self, sample: &Sample) {
        match sample {
            Sample::Known(State::Properties(p)) => {
                // Nobody asks for the options here, and the fold shares them among the fleet while nobody else holds them.
                self.properties = Some(Properties { options: None, ..(**p).clone() });
            }
            Sample::Headline(h) => {
                self.started_at = h.started_at.or(self.started_at);
                self.hear_of_deadlocks(h.deadlocks);
            }
            Sample::Known(State::Rights(r)) => {
                self.rights = Some(Arc::clone(r));
                self.verdicts.clear();
                self.objects.forget_failures();
                self.jobs.forget();
            }
            Sample::Known(State::QueryStore(table)) => {
                let problems = &self.problems;
                self.read.note_stores(table, self.focused, |id| problems.contains_key(&id));
            }
            Sample::Known(State::Databases(rows)) => {
                self.databases =
                    rows.iter().filter_map(|d: &DatabaseRow| Some((d.id, d.name.clone()?))).collect();
            }
            Sample::Known(State::Growths(table)) => {
                let local_now = self.clock.map(|(now, offset)| now.plus_ms(i64::from(offset) * 60_000).ms());
                self.read.note_growths(table.read_to, local_now);
            }
            Sample::Known(State::Deadlocks(table)) if table.is_from_memory => {
                let newest = table.patterns.iter().map(DeadlockPattern::last_at).max();
                let now = self.now();
                self.read.recording_mut(Event::Deadlock).ring_told(newest, now);
            }
            Sample::Counters(counters) => {
                let counters: &dyn Any = &**counters;
                if let Some(queries) = counters.downcast_ref() {
                    self.queries.learn(queries);
                }
                if let Some(modules) = counters.downcast_ref() {
                    self.modules.learn(modules);
                }
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hidden_databases_have_a_number() {
        let mut ctx = ProbeContext::new(Timestamp::default);
        let sales = DatabaseRow { id: 5, name: Some("Sales".into()), ..DatabaseRow::default() };
        ctx.absorb(&Sample::Known(State::Databases(Arc::new(vec![sales]))));
        assert_eq!(ctx.database(Some(5)).as_deref(), Some("Sales"));
        assert_eq!(ctx.database(Some(7)).as_deref(), Some("db 7"));
        assert_eq!(ctx.database(Some(0)), None);
        assert_eq!(ctx.database(None), None);
    }

    #[test]
    fn another_connection_hears_what_the_polls_know_once_they_know_all_of_it() {
        const OURS: i64 = 1_800_000_000_000;
        let now = || Timestamp::from_ms(OURS);
        let mut polls = ProbeContext::new(now);
        let sales = DatabaseRow { id: 5, name: Some("Sales".into()), ..DatabaseRow::default() };
        let properties = Properties { major: Some(16), ..Properties::default() };
        let rights = Rights { present: vec!["dm_os_host_info".into()], ..Rights::default() };
        let told = [
            State::Databases(vec![sales].into()),
            State::Properties(properties.into()),
            State::Rights(rights.into()),
        ];
        for sample in told {
            assert!(polls.known().is_none(), "not all is known");
            polls.absorb(&Sample::Known(sample));
        }
        assert!(polls.known().is_none(), "nor the clock");
        polls.clock = Some((Timestamp::from_ms(OURS - 90_000), 120));
        polls.skew_ms = Some(-60_000);
        let mut lane = ProbeContext::new(now);
        lane.connected("TLS");
        lane.introduce(polls.known().unwrap());
        assert_eq!((lane.major(), lane.has("dm_os_host_info")), (Some(16), Some(true)));
        assert_eq!(lane.database(Some(5)).as_deref(), Some("Sales"));
        let clock = lane.clock();
        assert_eq!(
            clock.now,
            Some(Timestamp::from_ms(OURS - 60_000)),
            "its clock of now, not of the last answer"
        );
        assert_eq!((clock.offset_min, clock.skew_ms), (Some(120), -60_000));
    }
}
