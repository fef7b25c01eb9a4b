//! What probes and numbers are called, here and in files: [`ProbeId`], [`SeriesId`], [`Metric`]. Codes are only ever appended to.
//! A number is kept in whole *steps* of its metric: what the screen shows is never finer, and whole numbers pack well.

use super::wait_class::WaitCategory;
use crate::model::base::code::codes;
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

impl ProbeId {
    /// The score looks at its reading: a verdict is due again when that goes stale.
    pub const fn is_judged(self) -> bool {
        match self {
            Self::Headline
            | Self::Schedulers
            | Self::Memory
            | Self::Waits
            | Self::Blocking
            | Self::Databases
            | Self::Availability
            | Self::Volumes
            | Self::Jobs => true,
            Self::Properties | Self::Rights | Self::Cost | Self::Activity | Self::CpuRing => false,
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

/// The headline series of an instance.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum SeriesId {
    /// CPU % of the SQL Server process
    Cpu,
    /// CPU % of other processes (absent where it cannot be known)
    CpuOther,
    /// memory in use of the machine, %
    Memory,
    /// batch requests per second
    Batches,
    /// logins per second
    Logins,
    /// transactions per second
    Transactions,
    /// user connections
    Connections,
    /// blocked requests
    Blocked,
    /// page life expectancy, s
    PageLife,
    /// average log flush, ms
    LogFlush,
    /// average wait for a page from disk, ms
    PageRead,
    /// runnable tasks waiting for a CPU
    Runnable,
    /// memory grants pending
    GrantsPending,
    /// all waits that count, ms per second
    Waits,
    /// tempdb space used, %
    Tempdb,
    /// deadlocks per minute
    Deadlocks,
    /// round trip of the headline poll, ms
    PollMs,
    /// own cost on the server, CPU ms per second
    Cost,
    /// health score
    Score,
    /// one wait category, ms per second
    Wait(WaitCategory),
}

impl SeriesId {
    /// The finest difference that is kept, here and in the store.
    pub const fn step(self) -> f64 {
        match self {
            Self::Cpu
            | Self::CpuOther
            | Self::Memory
            | Self::Tempdb
            | Self::Deadlocks
            | Self::Batches
            | Self::Logins
            | Self::Transactions
            | Self::Waits
            | Self::Wait(_) => 0.1,
            Self::LogFlush | Self::PageRead | Self::Cost => 0.01,
            _ => 1.0,
        }
    }

    /// The probe that feeds it.
    pub const fn probe(self) -> ProbeId {
        match self {
            Self::CpuOther => ProbeId::CpuRing,
            Self::Memory => ProbeId::Memory,
            Self::Runnable => ProbeId::Schedulers,
            Self::Waits | Self::PageRead | Self::Wait(_) => ProbeId::Waits,
            Self::Cost => ProbeId::Cost,
            _ => ProbeId::Headline,
        }
    }
}

/// What a series measures.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Metric {
    /// one of the headline series, which the last fifteen minutes keep too
    Headline(SeriesId),
    /// compilations per second
    Compilations,
    /// recompilations per second
    Recompilations,
    /// log flushes per second
    LogFlushes,
    /// lazy writes per second
    LazyWrites,
    /// memory grants outstanding
    GrantsOutstanding,
    /// Total Server Memory, KB
    TotalMemory,
    /// Target Server Memory, KB
    TargetMemory,
    /// tempdb's data files, KB
    TempdbSize,
    /// tasks that wait for a worker
    Queued,
    /// workers
    Workers,
    /// workers that do something
    ActiveWorkers,
    /// I/Os in flight
    PendingIo,
    /// memory of the process, KB
    ProcessMemory,
    /// waiters in the grant queue
    GrantWaiters,
    /// granted memory, KB
    Granted,
    /// signal part of all waits that count, ms per second
    SignalWaits,
    /// one wait type, ms per second; key: the type
    WaitType,
    /// own logical reads there per second
    CostReads,
    /// requests that run, or sleepers with a transaction
    Requests,
    /// user sessions
    Sessions,
    /// user sessions that sleep with an open transaction
    SleepingOpen,
    /// sessions blocked, over all chains
    Victims,
    /// longest wait in a chain, ms
    LongestBlocked,
    /// free space of a volume, KB; key: the mount point
    VolumeFree,
    /// size of a volume, KB; key: the mount point
    VolumeSize,
    /// availability replica behind its primary, s; key: `group/replica/database`
    ReplicaLag,
    /// log not sent yet, KB; key as above
    SendQueue,
    /// log not redone yet, KB; key as above
    RedoQueue,
    /// jobs whose last outcome within a day was a failure
    FailedJobs,
}

codes!(Metric as u16 {
    0 => Headline(SeriesId::Cpu),
    1 => Headline(SeriesId::CpuOther),
    2 => Headline(SeriesId::Memory),
    3 => Headline(SeriesId::Batches),
    4 => Headline(SeriesId::Logins),
    5 => Headline(SeriesId::Transactions),
    6 => Headline(SeriesId::Connections),
    7 => Headline(SeriesId::Blocked),
    8 => Headline(SeriesId::PageLife),
    9 => Headline(SeriesId::LogFlush),
    10 => Headline(SeriesId::PageRead),
    11 => Headline(SeriesId::Runnable),
    12 => Headline(SeriesId::GrantsPending),
    13 => Headline(SeriesId::Waits),
    14 => Headline(SeriesId::Tempdb),
    15 => Headline(SeriesId::Deadlocks),
    16 => Headline(SeriesId::PollMs),
    17 => Headline(SeriesId::Cost),
    18 => Headline(SeriesId::Score),
    100 => Headline(SeriesId::Wait(WaitCategory::Cpu)),
    101 => Headline(SeriesId::Wait(WaitCategory::WorkerThread)),
    102 => Headline(SeriesId::Wait(WaitCategory::Lock)),
    103 => Headline(SeriesId::Wait(WaitCategory::Latch)),
    104 => Headline(SeriesId::Wait(WaitCategory::BufferLatch)),
    105 => Headline(SeriesId::Wait(WaitCategory::BufferIo)),
    106 => Headline(SeriesId::Wait(WaitCategory::Compilation)),
    107 => Headline(SeriesId::Wait(WaitCategory::SqlClr)),
    108 => Headline(SeriesId::Wait(WaitCategory::Mirroring)),
    109 => Headline(SeriesId::Wait(WaitCategory::Transaction)),
    110 => Headline(SeriesId::Wait(WaitCategory::Idle)),
    111 => Headline(SeriesId::Wait(WaitCategory::Preemptive)),
    112 => Headline(SeriesId::Wait(WaitCategory::ServiceBroker)),
    113 => Headline(SeriesId::Wait(WaitCategory::TranLogIo)),
    114 => Headline(SeriesId::Wait(WaitCategory::NetworkIo)),
    115 => Headline(SeriesId::Wait(WaitCategory::Parallelism)),
    116 => Headline(SeriesId::Wait(WaitCategory::Memory)),
    117 => Headline(SeriesId::Wait(WaitCategory::UserWait)),
    118 => Headline(SeriesId::Wait(WaitCategory::Tracing)),
    119 => Headline(SeriesId::Wait(WaitCategory::FullTextSearch)),
    120 => Headline(SeriesId::Wait(WaitCategory::OtherDiskIo)),
    121 => Headline(SeriesId::Wait(WaitCategory::Replication)),
    122 => Headline(SeriesId::Wait(WaitCategory::LogRateGovernor)),
    123 => Headline(SeriesId::Wait(WaitCategory::Unknown)),
    200 => Compilations,
    201 => Recompilations,
    202 => LogFlushes,
    203 => LazyWrites,
    204 => GrantsOutstanding,
    205 => TotalMemory,
    206 => TargetMemory,
    207 => TempdbSize,
    208 => Queued,
    209 => Workers,
    210 => ActiveWorkers,
    211 => PendingIo,
    212 => ProcessMemory,
    213 => GrantWaiters,
    214 => Granted,
    215 => SignalWaits,
    216 => WaitType,
    217 => CostReads,
    218 => Requests,
    219 => Sessions,
    220 => SleepingOpen,
    221 => Victims,
    222 => LongestBlocked,
    223 => VolumeFree,
    224 => VolumeSize,
    225 => ReplicaLag,
    226 => SendQueue,
    227 => RedoQueue,
    228 => FailedJobs,
});

impl Metric {
    /// The probe that feeds it: its polls are the times of the series, and a missed one is a gap in it.
    pub const fn probe(self) -> ProbeId {
        match self {
            Self::Headline(id) => id.probe(),
            Self::Queued | Self::Workers | Self::ActiveWorkers | Self::PendingIo => ProbeId::Schedulers,
            Self::ProcessMemory | Self::GrantWaiters | Self::Granted => ProbeId::Memory,
            Self::SignalWaits | Self::WaitType => ProbeId::Waits,
            Self::CostReads => ProbeId::Cost,
            Self::Requests | Self::Sessions | Self::SleepingOpen => ProbeId::Activity,
            Self::Victims | Self::LongestBlocked => ProbeId::Blocking,
            Self::VolumeFree | Self::VolumeSize => ProbeId::Volumes,
            Self::ReplicaLag | Self::SendQueue | Self::RedoQueue => ProbeId::Availability,
            Self::FailedJobs => ProbeId::Jobs,
            _ => ProbeId::Headline,
        }
    }

    /// The finest difference that is kept.
    pub const fn step(self) -> f64 {
        match self {
            Self::Headline(id) => id.step(),
            Self::Compilations
            | Self::Recompilations
            | Self::LogFlushes
            | Self::LazyWrites
            | Self::SignalWaits
            | Self::WaitType
            | Self::CostReads => 0.1,
            _ => 1.0,
        }
    }

    /// What one of it is, as an axis says it; empty for a plain count.
    pub const fn unit(self) -> &'static str {
        match self {
            Self::Headline(id) => match id {
                SeriesId::Cpu | SeriesId::CpuOther | SeriesId::Memory | SeriesId::Tempdb => "%",
                SeriesId::Batches | SeriesId::Logins | SeriesId::Transactions => "/s",
                SeriesId::PageLife => "s",
                SeriesId::LogFlush | SeriesId::PageRead | SeriesId::PollMs => "ms",
                SeriesId::Waits | SeriesId::Wait(_) | SeriesId::Cost => "ms/s",
                SeriesId::Deadlocks => "/min",
                _ => "",
            },
            Self::Compilations
            | Self::Recompilations
            | Self::LogFlushes
            | Self::LazyWrites
            | Self::CostReads => "/s",
            Self::SignalWaits | Self::WaitType => "ms/s",
            Self::LongestBlocked => "ms",
            Self::ReplicaLag => "s",
            Self::TotalMemory
            | Self::TargetMemory
            | Self::TempdbSize
            | Self::ProcessMemory
            | Self::Granted
            | Self::VolumeFree
            | Self::VolumeSize
            | Self::SendQueue
            | Self::RedoQueue => "KB",
            _ => "",
        }
    }

    /// A wait that nobody waited is zero, not unknown, in a poll that told of others.
    pub const fn absent_is_zero(self) -> bool {
        matches!(self, Self::WaitType | Self::Headline(SeriesId::Wait(_)))
    }

    /// A value in whole steps; None for what is no number.
    pub fn to_steps(self, value: f64) -> Option<i64> {
        value.is_finite().then(|| (value / self.step()).round() as i64)
    }

    /// The value of so many steps.
    pub fn from_steps(self, steps: i64) -> f64 {
        steps as f64 * self.step()
    }
}

impl From<SeriesId> for Metric {
    fn from(id: SeriesId) -> Self {
        Self::Headline(id)
    }
}

/// One series of an instance.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SeriesKey {
    /// what
    pub metric: Metric,
    /// of which wait type, volume or replica; empty for the instance as a whole
    pub key: Arc<str>,
}

impl SeriesKey {
    /// Of the instance as a whole.
    pub fn of(metric: impl Into<Metric>) -> Self {
        Self { metric: metric.into(), key: Arc::from("") }
    }

    /// Of a part of it.
    pub fn with(metric: Metric, key: impl Into<Arc<str>>) -> Self {
        Self { metric, key: key.into() }
    }
}

/// Takes a number for charts: metric, key (empty without), value; None: the poll did not know.
pub type Emit<'a> = &'a mut dyn FnMut(Metric, &str, Option<f64>);

/// A whole number as charts take it.
pub(super) fn whole(n: Option<i64>) -> Option<f64> {
    n.map(|n| n as f64)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::base::code::released;

    #[test]
    fn a_metric_keeps_its_number() {
        for (code, name) in released("metric") {
            let metric = Metric::from_code(code).unwrap();
            assert_eq!((format!("{metric:?}").as_str(), metric.code()), (name, code));
        }
    }

    #[test]
    fn every_number_means_one_metric() {
        let known: Vec<Metric> = (0..=u16::MAX).filter_map(Metric::from_code).collect();
        assert!(known.iter().all(|metric| Metric::from_code(metric.code()) == Some(*metric)));
        let different: std::collections::HashSet<_> = known.iter().collect();
        assert_eq!(different.len(), known.len());
    }

    #[test]
    fn steps_keep_what_is_shown() {
        let cpu = Metric::from(SeriesId::Cpu);
        assert_eq!(cpu.to_steps(97.26), Some(973));
        assert!((cpu.from_steps(973) - 97.3).abs() < 1e-9);
        assert_eq!(cpu.to_steps(f64::NAN), None);
        assert_eq!(Metric::Sessions.to_steps(12.0), Some(12));
    }
}
