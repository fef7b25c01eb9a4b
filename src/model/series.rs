//! The numbers that history keeps for charts: which there are, what they count, how finely they are kept, and how they come
//! out of what the fold gave. `store` keeps them and draws from them; `fleet` fills the last fifteen minutes with them.
//!
//! A number is kept in whole *steps* of its metric: what the screen shows is never finer, and whole numbers pack well.

use super::{
    code::codes,
    history::SeriesId,
    kept::{Happened, State},
    sample::ProbeId,
    snapshot::{Blocking, CpuNow, Headline, MemoryNow},
    wait::{WaitCategory, WaitTable},
};
use std::{collections::BTreeMap, sync::Arc};

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

/// Calls `emit` with every number in it: metric, key (empty without), value; None: the poll did not know. A poll that gave
/// nothing at all emits nothing: it is a gap in all series of its probe.
pub fn points(happened: &Happened, emit: &mut dyn FnMut(Metric, &str, Option<f64>)) {
    match happened {
        Happened::Health { health, polled: true } => {
            emit(SeriesId::Score.into(), "", health.score.map(f64::from));
        }
        Happened::Reading { probe, state: Ok(state), .. } => of_state(*probe, state, emit),
        _ => {}
    }
}

fn whole(n: Option<i64>) -> Option<f64> {
    n.map(|n| n as f64)
}

fn of_state(probe: ProbeId, state: &State, emit: &mut dyn FnMut(Metric, &str, Option<f64>)) {
    match state {
        State::Headline(h) => headline(h, emit),
        State::Cpu(c) => cpu(probe, c, emit),
        State::Memory(m) => memory(m, emit),
        State::Waits(table) => waits(table, emit),
        State::Cost(c) => {
            emit(SeriesId::Cost.into(), "", c.cpu_ms_per_s);
            emit(Metric::CostReads, "", c.reads_per_s);
        }
        State::Activity(a) => {
            emit(Metric::Requests, "", Some(a.requests.len() as f64));
            emit(Metric::Sessions, "", whole(a.sessions.total));
            emit(Metric::SleepingOpen, "", whole(a.sessions.sleeping_open));
        }
        State::Blocking(b) => blocking(b, emit),
        State::Volumes(rows) => {
            for row in rows.iter() {
                let Some(mount) = row.mount.as_deref() else { continue };
                emit(Metric::VolumeFree, mount, whole(row.free_bytes.map(|b| b / 1024)));
                emit(Metric::VolumeSize, mount, whole(row.total_bytes.map(|b| b / 1024)));
            }
        }
        State::Availability(rows) => {
            // A group may list a database twice; the worse counts.
            let mut worst: BTreeMap<String, [Option<i64>; 3]> = BTreeMap::new();
            for row in rows.iter() {
                let name = |n: &Option<Arc<str>>| n.clone().unwrap_or_else(|| Arc::from("?"));
                let key = format!("{}/{}/{}", name(&row.group), name(&row.replica), name(&row.database));
                let known = worst.entry(key).or_default();
                let now = [row.lag_s, row.send_queue_kb, row.redo_queue_kb];
                for (known, now) in known.iter_mut().zip(now) {
                    *known = (*known).max(now);
                }
            }
            for (key, [lag, send, redo]) in worst {
                emit(Metric::ReplicaLag, &key, whole(lag));
                emit(Metric::SendQueue, &key, whole(send));
                emit(Metric::RedoQueue, &key, whole(redo));
            }
        }
        State::Jobs(rows) => emit(Metric::FailedJobs, "", Some(rows.len() as f64)),
        State::Properties(_) | State::Rights(_) | State::Databases(_) => {}
    }
}

fn headline(h: &Headline, emit: &mut dyn FnMut(Metric, &str, Option<f64>)) {
    let numbers: [(Metric, Option<f64>); 20] = [
        (SeriesId::Cpu.into(), h.cpu_pct),
        (SeriesId::Batches.into(), h.batches_per_s),
        (SeriesId::Logins.into(), h.logins_per_s),
        (SeriesId::Transactions.into(), h.transactions_per_s),
        (SeriesId::Connections.into(), whole(h.connections)),
        (SeriesId::Blocked.into(), whole(h.blocked)),
        (SeriesId::PageLife.into(), whole(h.page_life_s)),
        (SeriesId::LogFlush.into(), h.log_flush_ms),
        (SeriesId::GrantsPending.into(), whole(h.grants_pending)),
        (SeriesId::Tempdb.into(), h.tempdb_used_pct),
        (SeriesId::Deadlocks.into(), h.deadlocks_per_min),
        (SeriesId::PollMs.into(), Some(f64::from(h.round_trip_ms))),
        (Metric::Compilations, h.compilations_per_s),
        (Metric::Recompilations, h.recompilations_per_s),
        (Metric::LogFlushes, h.log_flushes_per_s),
        (Metric::LazyWrites, h.lazy_writes_per_s),
        (Metric::GrantsOutstanding, whole(h.grants_outstanding)),
        (Metric::TotalMemory, whole(h.total_memory_kb)),
        (Metric::TargetMemory, whole(h.target_memory_kb)),
        (Metric::TempdbSize, whole(h.tempdb_size_kb)),
    ];
    for (metric, value) in numbers {
        emit(metric, "", value);
    }
}

/// Two probes feed the CPU: each tells its own part.
fn cpu(probe: ProbeId, c: &CpuNow, emit: &mut dyn FnMut(Metric, &str, Option<f64>)) {
    if probe == ProbeId::CpuRing {
        return emit(SeriesId::CpuOther.into(), "", c.other_pct);
    }
    emit(SeriesId::Runnable.into(), "", whole(c.runnable));
    emit(Metric::Queued, "", whole(c.queued));
    emit(Metric::Workers, "", whole(c.workers));
    emit(Metric::ActiveWorkers, "", whole(c.active_workers));
    emit(Metric::PendingIo, "", whole(c.pending_io));
}

fn memory(m: &MemoryNow, emit: &mut dyn FnMut(Metric, &str, Option<f64>)) {
    emit(SeriesId::Memory.into(), "", m.used_pct);
    emit(Metric::ProcessMemory, "", whole(m.process_kb));
    emit(Metric::GrantWaiters, "", whole(m.grant_waiters));
    emit(Metric::Granted, "", whole(m.granted_kb));
}

/// Types that are benign are left out: nobody charts them.
fn waits(table: &WaitTable, emit: &mut dyn FnMut(Metric, &str, Option<f64>)) {
    emit(SeriesId::Waits.into(), "", Some(table.total_ms_per_s));
    emit(Metric::SignalWaits, "", Some(table.signal_ms_per_s));
    for category in &table.categories {
        emit(SeriesId::Wait(category.category).into(), "", Some(category.ms_per_s));
    }
    let reads = table.categories.iter().find(|c| c.category == WaitCategory::BufferIo);
    let avg = reads.filter(|r| r.tasks_per_s > 0.0).map(|r| r.ms_per_s / r.tasks_per_s);
    emit(SeriesId::PageRead.into(), "", avg);
    for wait in table.types.iter().filter(|t| !t.benign) {
        emit(Metric::WaitType, &wait.name, Some(wait.ms_per_s));
    }
}

fn blocking(b: &Blocking, emit: &mut dyn FnMut(Metric, &str, Option<f64>)) {
    emit(Metric::Victims, "", Some(b.chains.iter().map(|c| f64::from(c.victims)).sum()));
    let longest = b.chains.iter().map(|c| c.max_wait_ms).max().unwrap_or_default();
    emit(Metric::LongestBlocked, "", Some(longest as f64));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::code::released;

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
