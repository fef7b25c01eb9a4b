//! The numbers that history keeps for charts: which there are, what they count, how finely they are kept, and how they come
//! out of what the fold gave. `store` keeps them and draws from them; `fleet` fills the last fifteen minutes with them.
//!
//! A number is kept in whole *steps* of its metric: what the screen shows is never finer, and whole numbers pack well.

use super::kept::Happened;
use crate::model::poll::{
    State,
    blocking::Blocking,
    cpu::CpuNow,
    headline::Headline,
    id::{Metric, ProbeId, SeriesId},
    memory::MemoryNow,
    wait_class::WaitCategory,
    waits::WaitTable,
};
use std::{collections::BTreeMap, sync::Arc};

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
