//! The probes, as the model knows them: one file for each, with its sample, what the fold keeps of it, its numbers for charts
//! and the names in it. This file is the list of them: [`id::ProbeId`], [`State`] and [`Facts`] are made of its rows.
//!
//! A new probe is a file beside this one, its `mod` line and its row; the compiler asks for the rest. Its sample is
//! [`Sample::Known`], or [`Sample::Counters`] where only what lies between two polls means something. A variant of its own in
//! [`Sample`] is for what the fold makes out of more than that.

/// A row for each probe, in the order in which they run when several are due. `probes!(name)` hands the rows to the macro
/// `name`. A row says: its number in files, the probe, its name, whether the score reads it; the state that it feeds and
/// its place in [`Facts`]; what it is. A number is given out once: a new row takes the next free one, wherever it stands.
macro_rules! probes {
    ($make:ident) => {
        $make! {
             0 Properties   "properties"   false => Properties(Arc<Properties>) in properties: "server properties and operating system";
             1 Rights       "rights"       false => Rights(Arc<Rights>) in rights: "rights and capabilities";
             2 Databases    "databases"    true  => Databases(Arc<Vec<DatabaseRow>>) in databases: "the databases";
             3 Headline     "headline"     true  => Headline(Box<Headline>) in headline: "liveness, headline counters, CPU time";
             4 Activity     "activity"     false => Activity(Arc<Activity>) in activity: "active requests and session counts";
             5 Blocking     "blocking"     true  => Blocking(Arc<Blocking>) in blocking: "blocking chains";
             6 Waits        "waits"        true  => Waits(Arc<WaitTable>) in waits: "wait statistics";
             7 Schedulers   "schedulers"   true  => Cpu(Box<CpuNow>) in cpu: "schedulers, workers";
             8 CpuRing      "cpu_ring"     false: "CPU of other processes, from the ring buffer: it adds to what the schedulers told";
             9 Memory       "memory"       true  => Memory(Box<MemoryNow>) in memory: "process and machine memory, grant queues";
            15 Clerks       "clerks"       false => Clerks(Arc<ClerkTable>) in clerks: "memory clerks";
            14 Files        "files"        true  => Files(Arc<FileTable>) in files: "reads and writes of database files";
            16 Logs         "logs"         true  => Logs(Arc<Vec<LogRow>>) in logs: "transaction logs";
            20 TempdbUse    "tempdb_use"   false => TempdbUse(Arc<TempdbTable>) in tempdb_use: "who holds tempdb";
            22 Grants       "grants"       false => Grants(Arc<GrantTable>) in grants: "memory grants, page life by node, plan cache";
            10 Availability "availability" true  => Availability(Arc<Vec<ReplicaRow>>) in availability: "availability groups";
            11 Volumes      "volumes"      true  => Volumes(Arc<Vec<VolumeRow>>) in volumes: "volumes";
            19 Space        "space"        true  => Space(Arc<SpaceTable>) in space: "how database files grow";
            27 Growths      "growths"      false => Growths(Arc<GrowthTable>) in growths: "when database files grew";
            28 Room         "room"         false => Room(Arc<RoomTable>) in room: "what is in use of data files";
            21 LogUse       "log_use"      false => LogUse(Arc<LogUseTable>) in log_use: "virtual log files, log backups";
            12 Jobs         "jobs"         true  => Jobs(Arc<Vec<FailedJobRow>>) in jobs: "failed Agent jobs";
            17 Queries      "queries"      false => Queries(Arc<QueryTable>) in queries: "queries of the plan cache";
            18 Modules      "modules"      false => Modules(Arc<ModuleTable>) in modules: "procedures, triggers and functions of the plan cache";
            24 QueryStore   "query_store"  false => QueryStore(Arc<QueryStoreTable>) in query_store: "Query Store of each database";
            23 Deadlocks    "deadlocks"    false => Deadlocks(Arc<DeadlockTable>) in deadlocks: "deadlocks, by what recurs";
            13 Cost         "cost"         false => Cost(CostNow) in cost: "own cost";
        }
    };
}

pub mod activity;
pub mod availability;
pub mod blocking;
pub mod clerks;
pub mod cost;
pub mod counts;
pub mod cpu;
pub mod databases;
pub mod deadlocks;
pub mod demand;
pub mod files;
pub mod grants;
pub mod growths;
pub mod headline;
pub mod id;
pub mod jobs;
pub mod link;
pub mod log_use;
pub mod logs;
pub mod memory;
pub mod modules;
pub mod names;
pub mod outcome;
pub mod properties;
pub mod queries;
pub mod query_store;
pub mod reading;
pub mod report_text;
pub mod resource;
pub mod rights;
pub mod room;
pub mod share;
pub mod space;
pub mod statement;
pub mod tempdb;
pub mod traffic;
pub mod volumes;
pub mod wait_class;
pub mod waits;
pub mod who;

use self::{
    activity::Activity,
    availability::ReplicaRow,
    blocking::{BlockedTask, Blocking, ChainSession},
    clerks::ClerkTable,
    cost::{CostNow, CostSample},
    cpu::{CpuNow, CpuRingSample, SchedulerSample},
    databases::DatabaseRow,
    deadlocks::DeadlockTable,
    files::FileTable,
    grants::GrantTable,
    growths::GrowthTable,
    headline::{Headline, HeadlineSample},
    id::{Emit, ProbeId, ProbeSet},
    jobs::FailedJobRow,
    link::Link,
    log_use::LogUseTable,
    logs::LogRow,
    memory::MemoryNow,
    modules::ModuleTable,
    names::Visit,
    outcome::{Counters, Held, Outcome},
    properties::Properties,
    queries::QueryTable,
    query_store::QueryStoreTable,
    reading::{Meta, MetaMut, Reading},
    rights::Rights,
    room::RoomTable,
    space::SpaceTable,
    statement::Statement,
    tempdb::TempdbTable,
    volumes::VolumeRow,
    waits::{WaitCounter, WaitTable},
};
use crate::model::{base::time::Timestamp, fold::rate::Interval};
use serde::{Deserialize, Serialize};
use std::{any::Any, fmt::Debug, sync::Arc};

/// The answer of a probe.
#[derive(Debug, Clone)]
pub enum Sample {
    /// what is known after it, whatever came before: the fold passes it through
    Known(State),
    /// what is known after it and the one before it: the fold keeps the newest, and compares
    Counters(Arc<dyn AnyCounters>),
    /// headline
    Headline(Box<HeadlineSample>),
    /// activity; `blocks` and deltas still empty
    Activity(Activity),
    /// blocking; both empty when nothing is blocked
    Blocking {
        /// who waits for whom
        tasks: Vec<BlockedTask>,
        /// the sessions in it
        sessions: Vec<ChainSession>,
    },
    /// cumulative wait counters, zero rows left out
    Waits(Vec<WaitCounter>),
    /// schedulers
    Schedulers(SchedulerSample),
    /// ring buffer
    CpuRing(CpuRingSample),
    /// own cost
    Cost(CostSample),
}

/// The counters of some probe, whichever it is.
pub trait AnyCounters: Any + Debug + Send + Sync {
    /// What the next poll is compared with, and what is kept on of what this one is compared with.
    fn base(self: Arc<Self>, before: Option<&(dyn Any + Send + Sync)>) -> Arc<dyn Any + Send + Sync>;

    /// What lies between the poll before, by what was kept of it, and these. None: that is of another probe.
    fn since(&self, before: &(dyn Any + Send + Sync), over: Interval) -> Option<State>;
}

impl<T: Counters<Between: Into<State>>> AnyCounters for T {
    fn base(self: Arc<Self>, before: Option<&(dyn Any + Send + Sync)>) -> Arc<dyn Any + Send + Sync> {
        Counters::base(self, before.and_then(|before| before.downcast_ref()))
    }

    fn since(&self, before: &(dyn Any + Send + Sync), over: Interval) -> Option<State> {
        Some(T::between(before.downcast_ref()?, self, over).into())
    }
}

macro_rules! states {
    ($($code:literal $probe:ident $name:literal $judged:literal
        $(=> $state:ident($held:ty) in $reading:ident)?: $about:literal;)+) => {
        /// Everything known of one instance.
        #[derive(Debug, Clone, Default)]
        pub struct Facts {
            /// connection
            pub link: Link,
            /// when the link last became what it is
            pub link_since: Option<Timestamp>,
            /// last good poll of any probe
            pub last_good_at: Option<Timestamp>,
            /// the probes that answered or failed at least once, whatever became of the connection since
            pub heard_of: ProbeSet,
            $($(#[doc = $about] pub $reading: Reading<<$held as Held>::Shown>,)?)+
        }

        /// The value of a probe's reading after the fold.
        /// In files by position: fields are only appended, each with a default; variants keep their names.
        #[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
        pub enum State {
            $($(#[doc = $about] $state($held),)?)+
        }

        impl Facts {
            /// What the reading that a probe feeds says besides its value. None for a probe that only adds to another's.
            fn own_meta(&self, probe: ProbeId) -> Option<Meta<'_>> {
                match probe {
                    $($(ProbeId::$probe => Some(self.$reading.meta()),)?)+
                    ProbeId::CpuRing => None,
                }
            }

            /// Interval and problem of the reading that a probe feeds. None for a probe that only adds to another's.
            pub const fn reading_mut(&mut self, probe: ProbeId) -> Option<MetaMut<'_>> {
                match probe {
                    $($(ProbeId::$probe => Some(self.$reading.meta_mut()),)?)+
                    ProbeId::CpuRing => None,
                }
            }

            /// Makes a state the newest of its reading.
            fn set(&mut self, at: Timestamp, every_ms: u32, state: &State) {
                match state {
                    $($(State::$state(held) => self.$reading = Reading::good(held.shown(), at, every_ms),)?)+
                }
            }
        }

        impl State {
            /// What its probe's file says of it.
            fn outcome(&self) -> &dyn Outcome {
                match self { $($(Self::$state(held) => held,)?)+ }
            }

            /// The same, to be changed.
            fn outcome_mut(&mut self) -> &mut dyn Outcome {
                match self { $($(Self::$state(held) => held,)?)+ }
            }

            /// What health and the fold read of it, where that is much less than all of it: enough where nobody looks.
            pub(in crate::model) fn only_judged(&self) -> Option<Self> {
                match self { $($(Self::$state(held) => held.only_judged().map(Self::$state),)?)+ }
            }
        }

        $($(impl From<$held> for State {
            fn from(held: $held) -> Self {
                Self::$state(held)
            }
        })?)+
    };
}

probes!(states);

impl Facts {
    /// Something that the score reads has never been answered, and the answer is on its way.
    pub fn awaits_first_answers(&self) -> bool {
        let mut judged = self.readings().filter(|(probe, _)| probe.is_judged());
        judged.any(|(probe, reading)| {
            !reading.has_value && !reading.is_final() && !self.heard_of.contains(probe)
        })
    }

    /// Age, interval and problem of every reading, with the probe that feeds it.
    pub fn readings(&self) -> impl Iterator<Item = (ProbeId, Meta<'_>)> {
        ProbeId::ALL.into_iter().filter_map(|probe| Some((probe, self.own_meta(probe)?)))
    }

    /// Age, interval and problem of the reading that a probe feeds or, as the ring buffer does, adds to.
    pub fn meta(&self, probe: ProbeId) -> Meta<'_> {
        self.own_meta(probe).unwrap_or_else(|| self.cpu.meta())
    }

    /// Takes what is known after a poll. The ring buffer only adds to what the schedulers told.
    pub(in crate::model) fn take(&mut self, probe: ProbeId, at: Timestamp, every_ms: u32, state: &State) {
        match state {
            State::Cpu(c) if probe == ProbeId::CpuRing => {
                self.cpu.value.get_or_insert_default().other_pct = c.other_pct;
                if self.cpu.at.is_none() {
                    self.cpu.at = Some(at);
                    self.cpu.every_ms = every_ms;
                }
            }
            _ => self.set(at, every_ms, state),
        }
    }
}

impl State {
    /// Calls `emit` with every number in it that charts show.
    pub fn points(&self, probe: ProbeId, emit: Emit<'_>) {
        self.outcome().points(probe, emit);
    }

    /// Shows `visit` every place in it where a name may stand, statements aside.
    pub fn each_name_mut(&mut self, visit: Visit<'_>) {
        self.outcome_mut().each_name_mut(visit);
    }

    /// Calls `with` for every statement in it.
    pub fn each_statement(&self, with: &mut dyn FnMut(&Statement)) {
        self.outcome().each_statement(with);
    }

    /// Calls `with` for every statement in it, to be changed.
    pub fn each_statement_mut(&mut self, with: &mut dyn FnMut(&mut Statement)) {
        self.outcome_mut().each_statement_mut(with);
    }

    /// Keeps the first rows of it, at most so many, where it is a list of rows as they came.
    pub(in crate::model) fn truncate(&mut self, most: usize) {
        self.outcome_mut().cut(most);
    }

    /// About how many rows of a hundred bytes it is in memory.
    pub fn rows(&self) -> usize {
        self.outcome().rows()
    }
}
