//! What one probe saw once: the unit that travels from the collector to the reducer. Raw counters, not rates; rates
//! are the fold's business. Texts and names are sanitized already.

use super::{
    code::codes,
    failure::{Failure, FailureKind},
    health::Thresholds,
    history::History,
    instance::{InstanceId, InstanceInfo},
    kept::Kept,
    properties::{Properties, Rights},
    reading::Unavailable,
    session::{Activity, Statement},
    time::Timestamp,
    wait::WaitCounter,
};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// The probes, by what they feed. One probe may have several scripts for different servers.
/// In files by name: fields and variants keep their names, a new field has a default.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum ProbeId {
    /// server properties and operating system
    Properties,
    /// rights and capabilities
    Rights,
    /// names and states of the databases
    Databases,
    /// liveness, headline counters, CPU time
    Headline,
    /// own cost
    Cost,
    /// active requests and session counts
    Activity,
    /// blocking chains
    Blocking,
    /// wait statistics
    Waits,
    /// schedulers, workers
    Schedulers,
    /// CPU of other processes, from the ring buffer
    CpuRing,
    /// process and machine memory, grant queues
    Memory,
    /// availability groups
    Availability,
    /// volumes
    Volumes,
    /// failed Agent jobs
    Jobs,
}

impl ProbeId {
    /// All, in the order in which they run when several are due. An order and no more: see [`Self::code`].
    pub const ALL: [Self; 14] = [
        Self::Properties,
        Self::Rights,
        Self::Databases,
        Self::Headline,
        Self::Activity,
        Self::Blocking,
        Self::Waits,
        Self::Schedulers,
        Self::CpuRing,
        Self::Memory,
        Self::Availability,
        Self::Volumes,
        Self::Jobs,
        Self::Cost,
    ];

    /// Its name in scripts, logs and `once cost`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Properties => "properties",
            Self::Rights => "rights",
            Self::Databases => "databases",
            Self::Headline => "headline",
            Self::Cost => "cost",
            Self::Activity => "activity",
            Self::Blocking => "blocking",
            Self::Waits => "waits",
            Self::Schedulers => "schedulers",
            Self::CpuRing => "cpu_ring",
            Self::Memory => "memory",
            Self::Availability => "availability",
            Self::Volumes => "volumes",
            Self::Jobs => "jobs",
        }
    }
}

codes!(ProbeId as u8 {
    0 => Properties,
    1 => Rights,
    2 => Databases,
    3 => Headline,
    4 => Activity,
    5 => Blocking,
    6 => Waits,
    7 => Schedulers,
    8 => CpuRing,
    9 => Memory,
    10 => Availability,
    11 => Volumes,
    12 => Jobs,
    13 => Cost,
});

/// Raw headline figures of one poll. Counters marked *cumulative* are turned into rates by the fold.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct HeadlineSample {
    /// the server's clock, UTC ms
    pub server_time: Option<Timestamp>,
    /// start of the instance, UTC: a change is a restart
    pub started_at: Option<Timestamp>,
    /// CPU ms of the SQL Server process, kernel + user, cumulative (right on Linux too)
    pub process_cpu_ms: Option<i64>,
    /// logical CPUs that time is spread over
    pub cpu_count: Option<i32>,
    /// batch requests, cumulative
    pub batches: Option<i64>,
    /// logins, cumulative
    pub logins: Option<i64>,
    /// transactions of all databases, cumulative
    pub transactions: Option<i64>,
    /// compilations, cumulative
    pub compilations: Option<i64>,
    /// recompilations, cumulative
    pub recompilations: Option<i64>,
    /// log flushes of all databases, cumulative
    pub log_flushes: Option<i64>,
    /// log flush wait ms of all databases, cumulative
    pub log_flush_wait_ms: Option<i64>,
    /// lazy writes, cumulative
    pub lazy_writes: Option<i64>,
    /// deadlocks of all resources, cumulative
    pub deadlocks: Option<i64>,
    /// user connections now
    pub connections: Option<i64>,
    /// processes blocked now
    pub blocked: Option<i64>,
    /// page life expectancy now, s
    pub page_life_s: Option<i64>,
    /// memory grants pending now
    pub grants_pending: Option<i64>,
    /// memory grants outstanding now
    pub grants_outstanding: Option<i64>,
    /// Total Server Memory, KB
    pub total_memory_kb: Option<i64>,
    /// Target Server Memory, KB
    pub target_memory_kb: Option<i64>,
    /// free space in tempdb, KB
    pub tempdb_free_kb: Option<i64>,
    /// size of tempdb's data files, KB
    pub tempdb_size_kb: Option<i64>,
}

/// Schedulers of one poll.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct SchedulerSample {
    /// visible online schedulers
    pub schedulers: Option<i64>,
    /// tasks that wait for a CPU
    pub runnable: Option<i64>,
    /// tasks that wait for a worker
    pub queued: Option<i64>,
    /// workers now
    pub workers: Option<i64>,
    /// workers that do something
    pub active_workers: Option<i64>,
    /// maximum number of workers
    pub max_workers: Option<i64>,
    /// I/Os in flight
    pub pending_io: Option<i64>,
}

/// CPU of the machine, from the newest ring buffer record (one a minute).
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct CpuRingSample {
    /// SQL Server's share, %
    pub sql_pct: Option<f64>,
    /// idle, %; None where the record cannot be believed (Linux up to 2022 always says 0)
    pub idle_pct: Option<f64>,
    /// age of the record, ms
    pub age_ms: Option<i64>,
}

/// Memory of one poll.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct MemorySample {
    /// physical memory of the machine (or container), KB
    pub physical_kb: Option<i64>,
    /// available of it, KB
    pub available_kb: Option<i64>,
    /// in use by the process, KB
    pub process_kb: Option<i64>,
    /// the process was told that physical memory is low
    pub process_low: Option<bool>,
    /// grant queue: waiters over all semaphores
    pub grant_waiters: Option<i64>,
    /// grant queue: KB granted
    pub granted_kb: Option<i64>,
    /// grant queue: KB still available
    pub grantable_kb: Option<i64>,
}

/// One waiting task of a blocking poll.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct BlockedTask {
    /// who waits
    pub session_id: i32,
    /// for whom (negative: see [`super::session::special_blocker`])
    pub blocked_by: i32,
    /// wait type
    pub wait_type: Option<Arc<str>>,
    /// ms
    pub wait_ms: Option<i64>,
    /// raw description, such as `keylock hobtid=72057594043105280 dbid=7 id=lock1f mode=X associatedObjectId=…`
    pub resource: Option<Arc<str>>,
    /// name of the locked table or index where it could be learned, such as `dbo.orders.pk_orders`
    pub object: Option<Arc<str>>,
}

/// A session that is part of a chain, head blockers included.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ChainSession {
    /// like a request; `status` `sleeping` for an idle head
    pub request: super::session::Request,
    /// last statement, for a sleeper
    pub last_statement: Option<Statement>,
}

/// One availability replica's database, as this instance sees it.
/// In files by position: fields are only appended, each with a default; variants keep their names.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct ReplicaRow {
    /// group name
    pub group: Option<Arc<str>>,
    /// database
    pub database: Option<Arc<str>>,
    /// replica's server name
    pub replica: Option<Arc<str>>,
    /// local to this instance
    pub is_local: Option<bool>,
    /// role of the replica: `PRIMARY` …
    pub role: Option<Arc<str>>,
    /// `SYNCHRONIZED`, `SYNCHRONIZING`, `NOT SYNCHRONIZING` …
    pub state: Option<Arc<str>>,
    /// data movement is suspended
    pub suspended: Option<bool>,
    /// seconds behind the primary
    pub lag_s: Option<i64>,
    /// log not sent yet, KB
    pub send_queue_kb: Option<i64>,
    /// log not redone yet, KB
    pub redo_queue_kb: Option<i64>,
}

/// A volume that holds database files.
/// In files by position: fields are only appended, each with a default; variants keep their names.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct VolumeRow {
    /// mount point
    pub mount: Option<Arc<str>>,
    /// size, bytes
    pub total_bytes: Option<i64>,
    /// free, bytes
    pub free_bytes: Option<i64>,
}

/// A job whose last outcome within a day was a failure.
/// In files by position: fields are only appended, each with a default; variants keep their names.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct FailedJobRow {
    /// job name
    pub job: Option<Arc<str>>,
    /// step that failed
    pub step: Option<Arc<str>>,
    /// when, server-local converted to UTC
    pub at: Option<Timestamp>,
    /// message
    pub message: Option<Arc<str>>,
}

/// A database of the instance.
/// In files by position: fields are only appended, each with a default; variants keep their names.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct DatabaseRow {
    /// database id
    pub id: i32,
    /// name
    pub name: Option<Arc<str>>,
    /// `ONLINE` …
    pub state: Option<Arc<str>>,
}

/// Probes that are polled together, and slowed together. Their numbers are the places of [`Slowed::doubled`], which history
/// keeps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tier {
    /// the heartbeat, and what changes from second to second
    Fast = 0,
    /// rates and gauges
    Detail = 1,
    /// what changes within hours, or is costly
    Slow = 2,
    /// what the server is and what the login may see
    Identity = 3,
}

impl Tier {
    /// All, fastest first.
    pub const ALL: [Self; 4] = [Self::Fast, Self::Detail, Self::Slow, Self::Identity];

    /// What slows down with it, in words. Of the fast tier the headline does not.
    pub const fn words(self) -> &'static str {
        match self {
            Self::Fast => "activity and blocking",
            Self::Detail => "waits and details",
            Self::Slow => "databases, volumes and jobs",
            Self::Identity => "properties and rights",
        }
    }
}

/// How much more slowly an instance is polled because we cost it more than our budget there. Decided by the collector, and
/// told with the cost.
/// In files by position: fields are only appended, each with a default; variants keep their names.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Slowed {
    /// how many times the intervals of each of [`Tier::ALL`] were doubled
    pub doubled: [u8; Tier::ALL.len()],
    /// the budget, CPU µs per s of wall time; 0: no limit
    pub budget_us_per_s: u32,
}

impl Slowed {
    /// True if anything is slowed.
    pub fn is_any(&self) -> bool {
        self.doubled.iter().any(|n| *n > 0)
    }

    /// `waits and details ×4 (own cost above 5 ms/s)`; empty if nothing is slowed.
    pub fn words(&self) -> String {
        let slowed = Tier::ALL.iter().zip(self.doubled).filter(|(_, n)| *n > 0);
        let factor = |n: u8| 1_u32 << n.min(31);
        let parts: Vec<String> = slowed.map(|(tier, n)| format!("{} ×{}", tier.words(), factor(n))).collect();
        if parts.is_empty() {
            return String::new();
        }
        format!("{} (own cost above {} ms/s)", parts.join(", "), f64::from(self.budget_us_per_s) / 1000.0)
    }
}

/// Own cost: counters of our own session on that server, cumulative since its login.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct CostSample {
    /// our session there; a change starts the counters anew
    pub session_id: Option<i32>,
    /// CPU ms
    pub cpu_ms: Option<i64>,
    /// logical reads
    pub logical_reads: Option<i64>,
    /// login time of our session
    pub login_at: Option<Timestamp>,
    /// what the collector made of it: no server says this
    pub slowed: Slowed,
}

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

/// The connection to an instance, as its task sees it.
/// In files by position: fields are only appended, each with a default; variants keep their names.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum Link {
    /// waiting for the first attempt
    #[default]
    Idle,
    /// connecting
    Connecting,
    /// logged in
    Up,
    /// the last attempt failed; the next one is at `next_at`
    Down {
        /// why
        failure: Failure,
        /// attempts in a row that failed
        attempts: u32,
        /// when it is tried again
        next_at: Timestamp,
    },
}

/// Counters of the collector itself, for the header, the overlay and `once cost`.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct CollectorStats {
    /// probe polls that gave a sample
    pub polls_ok: u64,
    /// probe polls that failed
    pub polls_failed: u64,
    /// polls not started because the one before still ran
    pub polls_skipped: u64,
    /// polls that started late: by more than a tenth of their interval
    pub polls_late: u64,
    /// samples that had to wait because the reducer's queue was full: polling slows down
    pub samples_waited: u64,
    /// readings that wait for the store
    pub history_waits: u32,
    /// connects tried
    pub connects: u64,
    /// failed polls and connects, by [`FailureKind::ALL`]
    pub errors: [u64; FailureKind::ALL.len()],
    /// queries running now
    pub in_flight: u32,
    /// instances connected now
    pub connected: u32,
    /// instances waiting for a connect or query permit now
    pub queued: u32,
    /// instances polled more slowly now because they cost more than their budget
    pub slowed: u32,
    /// updates waiting for the reducer now
    pub updates_queued: u32,
    /// 99th percentile of the start delay of due polls over the last minute, ms
    pub start_delay_p99_ms: u32,
    /// median round trip of a poll over the last minute, ms
    pub latency_p50_ms: u32,
    /// 95th percentile of it, ms
    pub latency_p95_ms: u32,
    /// 99th percentile of it, ms
    pub latency_p99_ms: u32,
    /// this process: CPU % of one core over the last seconds
    pub process_cpu_pct: f32,
    /// this process: resident memory, bytes
    pub process_rss_bytes: u64,
}

/// What travels to the reducer.
#[derive(Debug, Clone)]
pub enum Update {
    /// the inventory (at start and when it changes), in order
    Inventory(Vec<Arc<InstanceInfo>>),
    /// the link of an instance changed
    Link {
        /// whose
        instance: InstanceId,
        /// when
        at: Timestamp,
        /// to what
        link: Link,
    },
    /// the interval of a probe changed before its next poll
    Pace {
        /// whose
        instance: InstanceId,
        /// which probe
        probe: ProbeId,
        /// when
        at: Timestamp,
        /// interval from now on, ms
        every_ms: u32,
    },
    /// history gives back what was kept, in the order of time for each instance
    Remembered(Box<Kept>),
    /// and the last fifteen minutes of an instance before that
    History {
        /// whose
        instance: InstanceId,
        /// its series
        history: Arc<History>,
    },
    /// a probe ended
    Polled {
        /// whose
        instance: InstanceId,
        /// which probe
        probe: ProbeId,
        /// when the answer was there, by our clock
        at: Timestamp,
        /// round trip, ms
        took_ms: u32,
        /// interval at which it is polled now, ms
        every_ms: u32,
        /// what came
        outcome: Result<Sample, Unavailable>,
    },
    /// the collector's own figures
    Stats(CollectorStats),
    /// health is judged by these from now on
    Thresholds(Box<Thresholds>),
}
