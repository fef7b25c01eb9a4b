//! The probes, as the model knows them: one file for each, with its sample, what the fold keeps of it, its numbers for charts
//! and the names in it. This file is the list of them: [`Sample`], [`State`] and [`Facts`] have one place for each probe.
//!
//! A new probe is a row of [`id::ProbeId`], a file beside this one, and its lines here; the compiler asks for the rest. Its
//! sample is [`Sample::Known`] unless it means something only together with those before it.

pub mod activity;
pub mod availability;
pub mod blocking;
pub mod cost;
pub mod cpu;
pub mod databases;
pub mod files;
pub mod headline;
pub mod id;
pub mod jobs;
pub mod link;
pub mod memory;
pub mod names;
pub mod properties;
pub mod reading;
pub mod resource;
pub mod rights;
pub mod statement;
pub mod volumes;
pub mod wait_class;
pub mod waits;

use self::{
    activity::Activity,
    availability::ReplicaRow,
    blocking::{BlockedTask, Blocking, ChainSession},
    cost::{CostNow, CostSample},
    cpu::{CpuNow, CpuRingSample, SchedulerSample},
    databases::DatabaseRow,
    files::{FileTable, FilesSample},
    headline::{Headline, HeadlineSample},
    id::{Emit, ProbeId},
    jobs::FailedJobRow,
    link::Link,
    memory::MemoryNow,
    names::Visit,
    properties::Properties,
    reading::{Meta, MetaMut, Reading},
    rights::Rights,
    statement::Statement,
    volumes::VolumeRow,
    waits::{WaitCounter, WaitTable},
};
use crate::model::base::time::Timestamp;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// The answer of a probe.
#[derive(Debug, Clone)]
pub enum Sample {
    /// what is known after it, whatever came before: the fold passes it through
    Known(State),
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
    /// cumulative counters of database files
    Files(FilesSample),
}

/// Everything known of one instance.
#[derive(Debug, Clone, Default)]
pub struct Facts {
    /// connection
    pub link: Link,
    /// when the link last became what it is
    pub link_since: Option<Timestamp>,
    /// last good poll of any probe
    pub last_good_at: Option<Timestamp>,
    /// properties
    pub properties: Reading<Arc<Properties>>,
    /// rights
    pub rights: Reading<Arc<Rights>>,
    /// databases
    pub databases: Reading<Arc<Vec<DatabaseRow>>>,
    /// headline
    pub headline: Reading<Headline>,
    /// CPU and schedulers
    pub cpu: Reading<CpuNow>,
    /// memory
    pub memory: Reading<MemoryNow>,
    /// waits
    pub waits: Reading<Arc<WaitTable>>,
    /// activity
    pub activity: Reading<Arc<Activity>>,
    /// blocking
    pub blocking: Reading<Arc<Blocking>>,
    /// availability groups
    pub availability: Reading<Arc<Vec<ReplicaRow>>>,
    /// volumes
    pub volumes: Reading<Arc<Vec<VolumeRow>>>,
    /// failed jobs
    pub jobs: Reading<Arc<Vec<FailedJobRow>>>,
    /// own cost
    pub cost: Reading<CostNow>,
    /// database files
    pub files: Reading<Arc<FileTable>>,
}

/// The reading that a probe feeds, by one of its methods. None for a probe that only adds to another's reading.
macro_rules! reading_of {
    ($facts:ident, $probe:expr, $method:ident) => {
        match $probe {
            ProbeId::Properties => Some($facts.properties.$method()),
            ProbeId::Rights => Some($facts.rights.$method()),
            ProbeId::Databases => Some($facts.databases.$method()),
            ProbeId::Headline => Some($facts.headline.$method()),
            ProbeId::Cost => Some($facts.cost.$method()),
            ProbeId::Activity => Some($facts.activity.$method()),
            ProbeId::Blocking => Some($facts.blocking.$method()),
            ProbeId::Waits => Some($facts.waits.$method()),
            ProbeId::Schedulers => Some($facts.cpu.$method()),
            ProbeId::CpuRing => None,
            ProbeId::Memory => Some($facts.memory.$method()),
            ProbeId::Availability => Some($facts.availability.$method()),
            ProbeId::Volumes => Some($facts.volumes.$method()),
            ProbeId::Jobs => Some($facts.jobs.$method()),
            ProbeId::Files => Some($facts.files.$method()),
        }
    };
}

impl Facts {
    /// Age, interval and problem of every reading, with the probe that feeds it.
    pub fn readings(&self) -> impl Iterator<Item = (ProbeId, Meta<'_>)> {
        ProbeId::ALL.into_iter().filter_map(|probe| Some((probe, reading_of!(self, probe, meta)?)))
    }

    /// Age, interval and problem of the reading that a probe feeds or, as the ring buffer does, adds to.
    pub fn meta(&self, probe: ProbeId) -> Meta<'_> {
        reading_of!(self, probe, meta).unwrap_or_else(|| self.cpu.meta())
    }

    /// Interval and problem of the reading that a probe feeds. None for a probe that only adds to another's reading.
    pub(in crate::model) const fn reading_mut(&mut self, probe: ProbeId) -> Option<MetaMut<'_>> {
        reading_of!(self, probe, meta_mut)
    }

    /// Takes what is known after a poll. The ring buffer only adds to what the schedulers told.
    pub(in crate::model) fn take(&mut self, probe: ProbeId, at: Timestamp, every_ms: u32, state: &State) {
        match state {
            State::Properties(p) => self.properties = Reading::good(Arc::clone(p), at, every_ms),
            State::Rights(r) => self.rights = Reading::good(Arc::clone(r), at, every_ms),
            State::Databases(d) => self.databases = Reading::good(Arc::clone(d), at, every_ms),
            State::Availability(r) => self.availability = Reading::good(Arc::clone(r), at, every_ms),
            State::Volumes(v) => self.volumes = Reading::good(Arc::clone(v), at, every_ms),
            State::Jobs(j) => self.jobs = Reading::good(Arc::clone(j), at, every_ms),
            State::Files(f) => self.files = Reading::good(Arc::clone(f), at, every_ms),
            State::Headline(h) => self.headline = Reading::good(**h, at, every_ms),
            State::Memory(m) => self.memory = Reading::good(**m, at, every_ms),
            State::Cost(c) => self.cost = Reading::good(*c, at, every_ms),
            State::Waits(w) => self.waits = Reading::good(Arc::clone(w), at, every_ms),
            State::Activity(a) => self.activity = Reading::good(Arc::clone(a), at, every_ms),
            State::Blocking(b) => self.blocking = Reading::good(Arc::clone(b), at, every_ms),
            State::Cpu(c) if probe == ProbeId::CpuRing => {
                self.cpu.value.get_or_insert_default().other_pct = c.other_pct;
                if self.cpu.at.is_none() {
                    self.cpu.at = Some(at);
                    self.cpu.every_ms = every_ms;
                }
            }
            State::Cpu(c) => self.cpu = Reading::good(**c, at, every_ms),
        }
    }
}

/// The value of a probe's reading after the fold.
/// In files by position: fields are only appended, each with a default; variants keep their names.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum State {
    /// properties
    Properties(Arc<Properties>),
    /// rights
    Rights(Arc<Rights>),
    /// databases
    Databases(Arc<Vec<DatabaseRow>>),
    /// headline
    Headline(Box<Headline>),
    /// activity
    Activity(Arc<Activity>),
    /// blocking
    Blocking(Arc<Blocking>),
    /// waits
    Waits(Arc<WaitTable>),
    /// CPU and schedulers; from the ring buffer's probe `other_pct` alone is news
    Cpu(Box<CpuNow>),
    /// memory
    Memory(Box<MemoryNow>),
    /// availability groups
    Availability(Arc<Vec<ReplicaRow>>),
    /// volumes
    Volumes(Arc<Vec<VolumeRow>>),
    /// failed jobs
    Jobs(Arc<Vec<FailedJobRow>>),
    /// own cost
    Cost(CostNow),
    /// database files
    Files(Arc<FileTable>),
}

/// The states that hold no statement.
macro_rules! without_statements {
    () => {
        Self::Properties(_)
            | Self::Rights(_)
            | Self::Databases(_)
            | Self::Headline(_)
            | Self::Waits(_)
            | Self::Cpu(_)
            | Self::Memory(_)
            | Self::Availability(_)
            | Self::Volumes(_)
            | Self::Jobs(_)
            | Self::Cost(_)
            | Self::Files(_)
    };
}

impl State {
    /// Calls `emit` with every number in it that charts show.
    pub fn points(&self, probe: ProbeId, emit: Emit<'_>) {
        match self {
            Self::Headline(h) => h.points(emit),
            Self::Cpu(c) => c.points(probe, emit),
            Self::Memory(m) => m.points(emit),
            Self::Waits(table) => table.points(emit),
            Self::Cost(c) => c.points(emit),
            Self::Activity(a) => a.points(emit),
            Self::Blocking(b) => b.points(emit),
            Self::Files(f) => f.points(emit),
            Self::Volumes(rows) => volumes::points(rows, emit),
            Self::Availability(rows) => availability::points(rows, emit),
            Self::Jobs(rows) => jobs::points(rows, emit),
            Self::Properties(_) | Self::Rights(_) | Self::Databases(_) => {}
        }
    }

    /// Shows `visit` every place in it where a name may stand, statements aside.
    pub fn each_name_mut(&mut self, visit: Visit<'_>) {
        match self {
            Self::Properties(p) => Arc::make_mut(p).each_name_mut(visit),
            Self::Databases(rows) => databases::each_name_mut(Arc::make_mut(rows).as_mut_slice(), visit),
            Self::Activity(a) => Arc::make_mut(a).each_name_mut(visit),
            Self::Blocking(b) => Arc::make_mut(b).each_name_mut(visit),
            Self::Files(f) => Arc::make_mut(f).each_name_mut(visit),
            Self::Availability(rows) => {
                availability::each_name_mut(Arc::make_mut(rows).as_mut_slice(), visit);
            }
            Self::Volumes(rows) => volumes::each_name_mut(Arc::make_mut(rows).as_mut_slice(), visit),
            Self::Jobs(rows) => jobs::each_name_mut(Arc::make_mut(rows).as_mut_slice(), visit),
            Self::Rights(_)
            | Self::Headline(_)
            | Self::Waits(_)
            | Self::Cpu(_)
            | Self::Memory(_)
            | Self::Cost(_) => {}
        }
    }

    /// Calls `with` for every statement in it.
    pub fn each_statement(&self, with: &mut dyn FnMut(&Statement)) {
        match self {
            Self::Activity(a) => a.each_statement(with),
            Self::Blocking(b) => b.each_statement(with),
            without_statements!() => {}
        }
    }

    /// Calls `with` for every statement in it, to be changed.
    pub fn each_statement_mut(&mut self, with: &mut dyn FnMut(&mut Statement)) {
        match self {
            Self::Activity(a) => Arc::make_mut(a).each_statement_mut(with),
            Self::Blocking(b) => Arc::make_mut(b).each_statement_mut(with),
            without_statements!() => {}
        }
    }

    /// Keeps the first rows of it, at most so many, where it is a list of rows as they came.
    pub(in crate::model) fn truncate(&mut self, most: usize) {
        fn cut<T: Clone>(rows: &mut Arc<Vec<T>>, most: usize) {
            if rows.len() > most {
                Arc::make_mut(rows).truncate(most);
            }
        }
        match self {
            Self::Databases(rows) => cut(rows, most),
            Self::Availability(rows) => cut(rows, most),
            Self::Volumes(rows) => cut(rows, most),
            Self::Jobs(rows) => cut(rows, most),
            Self::Properties(_)
            | Self::Rights(_)
            | Self::Headline(_)
            | Self::Activity(_)
            | Self::Blocking(_)
            | Self::Waits(_)
            | Self::Cpu(_)
            | Self::Memory(_)
            | Self::Files(_)
            | Self::Cost(_) => {}
        }
    }

    /// About how many rows of a hundred bytes it is in memory.
    pub fn rows(&self) -> usize {
        match self {
            Self::Activity(activity) => activity.requests.len() * 8,
            Self::Blocking(blocking) => blocking.chains.iter().map(|chain| chain.nodes.len() * 10).sum(),
            Self::Waits(table) => table.types.len(),
            Self::Files(table) => table.files.len() * 3,
            Self::Databases(rows) => rows.len(),
            Self::Availability(rows) => rows.len() * 2,
            Self::Volumes(rows) => rows.len(),
            Self::Jobs(rows) => rows.len() * 4,
            Self::Properties(_)
            | Self::Rights(_)
            | Self::Headline(_)
            | Self::Cpu(_)
            | Self::Memory(_)
            | Self::Cost(_) => 4,
        }
    }
}
