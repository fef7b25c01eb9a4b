//! The probes, as the model knows them: one file for each, with its sample, what the fold keeps of it, its numbers for charts
//! and the names in it. This file is the list of them: [`Sample`], [`State`] and [`Facts`] have one place for each probe.
//!
//! A new probe is a variant of [`id::ProbeId`], a file beside this one, and its lines here; the compiler asks for the rest.

pub mod activity;
pub mod availability;
pub mod blocking;
pub mod cost;
pub mod cpu;
pub mod databases;
pub mod headline;
pub mod id;
pub mod jobs;
pub mod link;
pub mod memory;
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
    headline::{Headline, HeadlineSample},
    id::ProbeId,
    jobs::FailedJobRow,
    link::Link,
    memory::{MemoryNow, MemorySample},
    properties::Properties,
    reading::{Reading, Unavailable},
    rights::Rights,
    volumes::VolumeRow,
    waits::{WaitCounter, WaitTable},
};
use crate::model::base::time::Timestamp;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// The payload of a probe.
#[derive(Debug, Clone)]
pub enum Sample {
    /// see [`Properties`]
    Properties(Box<Properties>),
    /// see [`Rights`]
    Rights(Rights),
    /// databases
    Databases(Vec<DatabaseRow>),
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
    /// memory
    Memory(MemorySample),
    /// availability groups
    Availability(Vec<ReplicaRow>),
    /// volumes
    Volumes(Vec<VolumeRow>),
    /// failed jobs of the last day
    Jobs(Vec<FailedJobRow>),
    /// own cost
    Cost(CostSample),
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
}

impl Facts {
    /// Lets `change` see the problem of every reading.
    pub(in crate::model) fn each_problem(&mut self, mut change: impl FnMut(&mut Option<Unavailable>)) {
        for probe in ProbeId::ALL {
            if let Some((problem, _)) = self.problem_of(probe) {
                change(problem);
            }
        }
    }

    /// Problem and interval of the reading that a probe feeds. None for a probe that only adds to another's reading.
    pub(in crate::model) fn problem_of(
        &mut self,
        probe: ProbeId,
    ) -> Option<(&mut Option<Unavailable>, &mut u32)> {
        fn of<T>(r: &mut Reading<T>) -> (&mut Option<Unavailable>, &mut u32) {
            (&mut r.problem, &mut r.every_ms)
        }
        Some(match probe {
            ProbeId::Properties => of(&mut self.properties),
            ProbeId::Rights => of(&mut self.rights),
            ProbeId::Databases => of(&mut self.databases),
            ProbeId::Headline => of(&mut self.headline),
            ProbeId::Cost => of(&mut self.cost),
            ProbeId::Activity => of(&mut self.activity),
            ProbeId::Blocking => of(&mut self.blocking),
            ProbeId::Waits => of(&mut self.waits),
            ProbeId::Schedulers => of(&mut self.cpu),
            ProbeId::CpuRing => return None,
            ProbeId::Memory => of(&mut self.memory),
            ProbeId::Availability => of(&mut self.availability),
            ProbeId::Volumes => of(&mut self.volumes),
            ProbeId::Jobs => of(&mut self.jobs),
        })
    }

    /// When the readings that the score looks at go stale.
    pub(in crate::model) fn stale_times(&self) -> [Option<Timestamp>; 9] {
        [
            self.headline.stale_at(),
            self.cpu.stale_at(),
            self.memory.stale_at(),
            self.waits.stale_at(),
            self.blocking.stale_at(),
            self.databases.stale_at(),
            self.availability.stale_at(),
            self.volumes.stale_at(),
            self.jobs.stale_at(),
        ]
    }
}

/// What a probe's reading holds after the fold.
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
}
