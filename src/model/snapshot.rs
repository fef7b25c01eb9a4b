//! What the screen draws: the whole fleet at one moment, immutable, shared by `Arc`. Made by the fold only.

use super::{
    health::{Health, Level, Reason, Thresholds, Topic},
    history::History,
    instance::{InstanceId, InstanceInfo},
    properties::{Properties, Rights},
    reading::{Reading, Unavailable},
    sample::{CollectorStats, DatabaseRow, FailedJobRow, Link, ProbeId, ReplicaRow, Slowed, VolumeRow},
    session::{Activity, Request, Resource, Statement},
    time::Timestamp,
    wait::WaitTable,
};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// Headline figures as rates over the last interval. None: not known (yet).
/// In files by position: fields are only appended, each with a default; variants keep their names.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Headline {
    /// CPU % of the SQL Server process over all logical CPUs
    pub cpu_pct: Option<f64>,
    /// batch requests per second
    pub batches_per_s: Option<f64>,
    /// logins per second
    pub logins_per_s: Option<f64>,
    /// transactions per second
    pub transactions_per_s: Option<f64>,
    /// compilations per second
    pub compilations_per_s: Option<f64>,
    /// recompilations per second
    pub recompilations_per_s: Option<f64>,
    /// log flushes per second
    pub log_flushes_per_s: Option<f64>,
    /// average log flush, ms
    pub log_flush_ms: Option<f64>,
    /// lazy writes per second
    pub lazy_writes_per_s: Option<f64>,
    /// deadlocks per minute
    pub deadlocks_per_min: Option<f64>,
    /// deadlocks in the last fifteen minutes, as far as polled
    pub deadlocks_recent: Option<u32>,
    /// user connections
    pub connections: Option<i64>,
    /// processes blocked
    pub blocked: Option<i64>,
    /// page life expectancy, s
    pub page_life_s: Option<i64>,
    /// grants pending
    pub grants_pending: Option<i64>,
    /// grants outstanding
    pub grants_outstanding: Option<i64>,
    /// Total Server Memory, KB
    pub total_memory_kb: Option<i64>,
    /// Target Server Memory, KB
    pub target_memory_kb: Option<i64>,
    /// tempdb in use, %
    pub tempdb_used_pct: Option<f64>,
    /// tempdb size, KB
    pub tempdb_size_kb: Option<i64>,
    /// start of the instance, by our clock whatever the server's says
    pub started_at: Option<Timestamp>,
    /// round trip of this poll, ms
    pub round_trip_ms: u32,
}

/// CPU and schedulers.
/// In files by position: fields are only appended, each with a default; variants keep their names.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct CpuNow {
    /// other processes %, where it can be known
    pub other_pct: Option<f64>,
    /// tasks that wait for a CPU
    pub runnable: Option<i64>,
    /// tasks that wait for a worker
    pub queued: Option<i64>,
    /// workers
    pub workers: Option<i64>,
    /// workers that do something
    pub active_workers: Option<i64>,
    /// maximum
    pub max_workers: Option<i64>,
    /// I/Os in flight
    pub pending_io: Option<i64>,
    /// schedulers
    pub schedulers: Option<i64>,
}

/// Memory of machine and process.
/// In files by position: fields are only appended, each with a default; variants keep their names.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct MemoryNow {
    /// in use of the machine, %
    pub used_pct: Option<f64>,
    /// physical, KB
    pub physical_kb: Option<i64>,
    /// process, KB
    pub process_kb: Option<i64>,
    /// told to be low
    pub process_low: Option<bool>,
    /// waiters in the grant queue
    pub grant_waiters: Option<i64>,
    /// granted, KB
    pub granted_kb: Option<i64>,
    /// still to grant, KB
    pub grantable_kb: Option<i64>,
}

/// Own cost on that server over the last minute, or since we connected.
/// In files by position: fields are only appended, each with a default; variants keep their names.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct CostNow {
    /// CPU ms per second of wall time
    pub cpu_ms_per_s: Option<f64>,
    /// logical reads per second
    pub reads_per_s: Option<f64>,
    /// CPU ms since this program first connected
    pub cpu_ms_total: Option<i64>,
    /// what the rates are taken over, ms; 0 without rates
    pub over_ms: u64,
    /// what is polled more slowly for it
    pub slowed: Slowed,
}

/// Rates of our cost over less than this, ms, say more about the first polls than about the habit.
const SETTLED_MS: u64 = 20_000;

/// Own cost on all servers together.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct FleetCost {
    /// CPU ms per second of wall time
    pub cpu_ms_per_s: f64,
    /// most of it is taken over long enough; else the first polls, which ask for everything, weigh too much
    pub settled: bool,
}

/// One session in a blocking tree, in display order (depth first).
/// In files by position: fields are only appended, each with a default; variants keep their names.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct BlockNode {
    /// the session, or a stand-in for a negative blocker or one that has gone
    pub request: Request,
    /// 0 for a head
    pub depth: u16,
    /// index of the parent within the chain's nodes; None for the head
    pub parent: Option<usize>,
    /// true for the last child of its parent (drawn └ instead of ├)
    pub last_child: bool,
    /// direct and indirect victims below
    pub victims: u32,
    /// what it waits for
    pub resource: Option<Resource>,
    /// statement to show: the running one, or the last one of a sleeper
    pub statement: Option<Statement>,
    /// true if the statement is the last one of a sleeping session
    pub statement_is_last: bool,
    /// the data had a cycle that was cut here (a deadlock in the making, or two polls mixed)
    pub cycle_cut: bool,
}

/// A head blocker with all below.
/// In files by position: fields are only appended, each with a default; variants keep their names.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Chain {
    /// head first, depth first; victims with the longest wait first among siblings
    pub nodes: Vec<BlockNode>,
    /// sessions blocked in it
    pub victims: u32,
    /// longest wait, ms
    pub max_wait_ms: i64,
    /// sum of all waits, ms: time lost so far
    pub lost_ms: i64,
    /// deepest level below the head
    pub depth: u16,
}

/// All chains of an instance, worst first (by victims × time lost).
/// In files by position: fields are only appended, each with a default; variants keep their names.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Blocking {
    /// chains
    pub chains: Vec<Chain>,
    /// cycles that were cut
    pub cycles_cut: u32,
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
    pub(super) fn each_problem(&mut self, mut change: impl FnMut(&mut Option<Unavailable>)) {
        for probe in ProbeId::ALL {
            if let Some((problem, _)) = self.problem_of(probe) {
                change(problem);
            }
        }
    }

    /// Problem and interval of the reading that a probe feeds. None for a probe that only adds to another's reading.
    pub(super) fn problem_of(&mut self, probe: ProbeId) -> Option<(&mut Option<Unavailable>, &mut u32)> {
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
    pub(super) fn stale_times(&self) -> [Option<Timestamp>; 9] {
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

/// One instance in the snapshot.
#[derive(Debug, Clone)]
pub struct InstanceSnapshot {
    /// who it is
    pub info: Arc<InstanceInfo>,
    /// what is known
    pub facts: Facts,
    /// last fifteen minutes
    pub history: Arc<History>,
    /// verdict
    pub health: Health,
}

impl InstanceSnapshot {
    /// Identity.
    pub fn id(&self) -> &InstanceId {
        &self.info.id
    }
}

/// Instances by health.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// ●
    pub ok: u32,
    /// ▲
    pub warning: u32,
    /// ✖ critical and offline
    pub critical: u32,
    /// ○
    pub unknown: u32,
}

impl Counts {
    /// Adds one instance.
    pub const fn add(&mut self, level: Level) {
        match level {
            Level::Ok => self.ok += 1,
            Level::Warning => self.warning += 1,
            Level::Critical | Level::Offline => self.critical += 1,
            Level::Unknown => self.unknown += 1,
        }
    }

    /// All.
    pub const fn total(&self) -> u32 {
        self.ok + self.warning + self.critical + self.unknown
    }
}

/// The whole fleet at one moment.
#[derive(Debug, Clone, Default)]
pub struct FleetSnapshot {
    /// when it was folded
    pub at: Timestamp,
    /// grows by one with every publication
    pub version: u64,
    /// instances in inventory order
    pub instances: Vec<Arc<InstanceSnapshot>>,
    /// by health
    pub counts: Counts,
    /// instances with a good poll within `offline_after_s`
    pub polled: u32,
    /// the collector's own figures
    pub collector: CollectorStats,
    /// the limits that the verdicts were made with, for lines in charts and marks in tables
    pub thresholds: Thresholds,
}

impl FleetSnapshot {
    /// An instance by id: linear, for jumps; panes keep their own row order.
    pub fn find(&self, id: &InstanceId) -> Option<&Arc<InstanceSnapshot>> {
        self.instances.iter().find(|i| i.id() == id)
    }

    /// Says of these instances that they are not in the inventory any more. Their verdicts stay what they were.
    pub fn mark_gone(&mut self, gone: &[Arc<InstanceInfo>]) {
        for instance in &mut self.instances {
            if gone.iter().any(|info| info.uid == instance.info.uid) {
                Arc::make_mut(instance).health.reasons.push(Reason {
                    level: Level::Ok,
                    topic: Topic::Inventory,
                    points: 0,
                    text: "no longer in the inventory".into(),
                });
            }
        }
    }

    /// What we cost all servers together; None until a server has told twice.
    pub fn own_cost(&self) -> Option<FleetCost> {
        let (mut sum, mut known, mut settled) = (0.0, 0, 0);
        for cost in self.instances.iter().filter_map(|i| i.facts.cost.get()) {
            let Some(rate) = cost.cpu_ms_per_s else { continue };
            sum += rate;
            known += 1;
            settled += u32::from(cost.over_ms >= SETTLED_MS);
        }
        (known > 0).then_some(FleetCost { cpu_ms_per_s: sum, settled: settled * 10 >= known * 9 })
    }
}
