//! The rules of the score, one function a topic. Each reads fresh readings only: what is stale is said once, by
//! [`silence`], and never judged.

use super::{Case, RESTART_SHOWN_MS, above, below};
use crate::model::{
    base::{figure::told_span, time::Timestamp},
    judge::{
        health::{Level, Topic},
        why::{Since, Trouble, Why, Workers},
    },
    poll::{
        availability::ReplicaRow, blocking::Chain, id::SeriesId, link::Link, reading::Unavailable,
        wait_class::WaitCategory,
    },
    timeline::history::{KEEP_MS, Series},
};

/// Page life below this, s, is looked at …
const PAGE_LIFE_LOW_S: i64 = 300;
/// … and is a reason if it fell to this part of its best of the last fifteen minutes.
const PAGE_LIFE_FALL: f64 = 0.25;
/// Fewer reads or flushes than this a second say nothing about the disk.
const IO_MIN_PER_S: f64 = 1.0;
/// For this long after its maintenance an instance's old figures are not called old.
const WOKEN_MS: u64 = 10_000;
/// Grave reasons of one kind that are told one by one.
const MAX_OF_A_KIND: usize = 3;

/// Whether anybody wants to know. False if polling is stopped, or the instance is in maintenance: then nothing is
/// judged, and nothing is an alert.
pub(super) fn wanted(case: &mut Case<'_>) -> bool {
    let Some(pause) = case.poll.paused(case.now) else { return true };
    let until = case.poll.maintenance_until.filter(|until| *until > case.now);
    let left_ms = until.map(|until| told_span(until - case.now));
    case.add((Level::Unknown, 0), Topic::Link, Why::Paused { pause, left_ms });
    false
}

/// The connection. False if it is down: then nothing else is judged.
pub(super) fn link(case: &mut Case<'_>) -> bool {
    // An instance that is asked every ten minutes may be silent for as long: two intervals are one missed poll.
    let two_polls_ms = u64::from(case.facts.headline.every_ms).saturating_mul(2);
    let limit_ms = case.thresholds.offline_after_s.saturating_mul(1000).max(two_polls_ms);
    let facts = case.facts;
    if let Link::Down { failure, .. } = &facts.link {
        let since = facts.link_since;
        let silent_from = facts.last_good_at.or(since);
        let offline = silent_from.is_some_and(|at| case.now.ms_since(at) > limit_ms);
        let level = if offline { Level::Offline } else { Level::Critical };
        let why = Why::Down {
            kind: failure.kind,
            number: failure.number,
            obstacle: failure.obstacle,
            since: since.map(|at| Since::told(at, case.now)),
        };
        case.add((level, 100), Topic::Link, why);
        return false;
    }
    // While it was in maintenance nobody asked.
    match facts.last_good_at.map(|at| case.poll.maintenance_until.map_or(at, |until| at.max(until))) {
        Some(at) if case.now.ms_since(at) > limit_ms => {
            let why = Why::NoDataSince(Since::told(at, case.now));
            case.add((Level::Offline, 100), Topic::Link, why);
            false
        }
        _ if facts.headline.value.is_none() && facts.headline.problem == Some(Unavailable::NotYet) => {
            let why = if facts.link == Link::Idle { Why::NotPolled } else { Why::FirstPoll };
            case.add((Level::Unknown, 0), Topic::Link, why);
            false
        }
        _ => true,
    }
}

/// Without the right to see performance views nothing can be judged.
pub(super) fn rights(case: &mut Case<'_>) {
    let told = case.facts.rights.get().and_then(|r| r.sees_performance()) == Some(false);
    let refused = match &case.facts.headline.problem {
        Some(Unavailable::NoRight(right)) => Some(right.clone()),
        _ => None,
    };
    if told || refused.is_some() {
        let right = refused.unwrap_or_else(|| "VIEW SERVER STATE".into());
        case.add((Level::Unknown, 0), Topic::Rights, Why::Needs(right));
    }
}

/// Polls that stopped coming while the connection seems to stand, or that never brought a headline.
pub(super) fn silence(case: &mut Case<'_>) {
    // After maintenance the first poll comes within seconds.
    let woken = case.poll.maintenance_until.is_some_and(|until| case.now.ms_since(until) < WOKEN_MS);
    if woken {
        return;
    }
    let headline = &case.facts.headline;
    let failed = match &headline.problem {
        Some(Unavailable::Failed(f)) => Some(f.kind),
        _ => None,
    };
    if headline.is_stale(case.now) {
        let ms = told_wait(headline.age_ms(case.now).unwrap_or_default());
        case.add((Level::Warning, 25), Topic::Link, Why::Silent { ms, failed });
    } else if let Some(kind) = failed.filter(|_| headline.value.is_none()) {
        case.add((Level::Warning, 25), Topic::Link, Why::NoCounters(kind));
    }
}

/// A headline in which everything is NULL says nothing about the instance: that is not the same as "fine".
pub(super) fn emptiness(case: &mut Case<'_>) {
    let Some(h) = case.facts.headline.fresh(case.now) else { return };
    let figures =
        [h.connections, h.page_life_s, h.blocked, h.total_memory_kb, h.started_at.map(Timestamp::ms)];
    let rates = [h.cpu_pct, h.batches_per_s];
    if figures.iter().all(Option::is_none) && rates.iter().all(Option::is_none) {
        case.add((Level::Unknown, 0), Topic::Link, Why::AllNull);
    }
}

/// A time that grows, in the units in which it is told: seconds within the first hour.
fn told_wait(ms: u64) -> i64 {
    let ms = i64::try_from(ms).unwrap_or(i64::MAX);
    if ms < 3_600_000 { ms / 1000 * 1000 } else { told_span(ms) }
}

pub(super) fn cpu(case: &mut Case<'_>) {
    let Some(sql) = case.facts.headline.fresh(case.now).and_then(|h| h.cpu_pct) else { return };
    let other = case.facts.cpu.fresh(case.now).and_then(|c| c.other_pct).unwrap_or_default();
    let machine = (sql + other).min(100.0);
    let limits = case.thresholds;
    let Some(found) = above(machine, limits.cpu_warning_pct, limits.cpu_critical_pct) else { return };
    let busy = busy_ms(case, limits.cpu_warning_pct - other);
    let why = Why::Cpu {
        pct: machine,
        busy_ms: busy.map(told_span),
        // The time that history has forgotten may have been busy too.
        at_least: busy.is_some_and(|ms| ms > KEEP_MS - 60_000),
        other_pct: (other > 10.0).then_some(other),
    };
    case.add(found, Topic::Cpu, why);
}

/// For how long the CPU has been above this, from the last fifteen minutes; None under a minute.
fn busy_ms(case: &Case<'_>, above_pct: f64) -> Option<i64> {
    let points = case.history.get(SeriesId::Cpu)?.points().rev();
    let busy = points.take_while(|(_, v)| f64::from(*v) > above_pct);
    let ms = busy.last().map(|(at, _)| case.now - at)?;
    (ms >= 60_000).then_some(ms)
}

/// Poison waits, and workers running out.
pub(super) fn workers_and_poison(case: &mut Case<'_>) {
    let free = free_workers(case);
    let (warning, critical) =
        (case.thresholds.poison_warning_ms_per_s, case.thresholds.poison_critical_ms_per_s);
    let mut told_workers = false;
    if let Some(waits) = case.facts.waits.fresh(case.now).cloned() {
        let poison = waits.types.iter().filter(|w| w.poison);
        let found = poison.filter_map(|w| above(w.ms_per_s, warning, critical).map(|f| (w, f)));
        for (wait, found) in found.take(MAX_OF_A_KIND) {
            let of_workers = wait.category == WaitCategory::WorkerThread;
            let workers = free.filter(|_| of_workers);
            told_workers |= workers.is_some();
            let why = Why::Waits { name: wait.name.clone(), ms_per_s: wait.ms_per_s, workers };
            case.add(found, if of_workers { Topic::Workers } else { Topic::Waits }, why);
        }
    }
    if let Some(workers) = free.filter(|workers| !told_workers && workers.free < workers.of / 20) {
        let level = if workers.free == 0 { (Level::Critical, 60) } else { (Level::Warning, 30) };
        case.add(level, Topic::Workers, Why::Workers(workers));
    }
}

fn free_workers(case: &Case<'_>) -> Option<Workers> {
    let cpu = case.facts.cpu.fresh(case.now)?;
    let max = cpu.max_workers.filter(|m| *m > 0)?;
    let busy = cpu.active_workers.or(cpu.workers)?;
    Some(Workers { free: max.saturating_sub(busy).max(0), of: max })
}

/// The worst chain: how many wait, how long the longest, for whom.
pub(super) fn blocking(case: &mut Case<'_>) {
    let Some(blocking) = case.facts.blocking.fresh(case.now).cloned() else { return };
    let limits = case.thresholds;
    let judge = |c: &Chain| {
        let s = c.max_wait_ms as f64 / 1000.0;
        above(s, limits.blocked_warning_s as f64, limits.blocked_critical_s as f64)
    };
    let found = blocking.chains.iter().filter_map(|c| judge(c).map(|f| (c, f)));
    let Some((chain, (level, points))) = found.max_by_key(|(c, (level, _))| (*level, c.victims)) else {
        return;
    };
    let Some(head) = chain.nodes.first() else { return };
    let id = head.request.session_id;
    let why = Why::Blocked {
        sessions: chain.victims,
        longest_ms: chain.max_wait_ms,
        by: id,
        status: head.request.status.clone(),
    };
    // Many victims weigh more: one point for each doubling.
    let many = u8::try_from(chain.victims.max(1).ilog2()).unwrap_or_default();
    let cap = if level == Level::Critical { 90 } else { 49 };
    case.add((level, points.saturating_add(many).min(cap)), Topic::Blocking(id), why);
}

pub(super) fn memory(case: &mut Case<'_>) {
    let limits = case.thresholds;
    if let Some(m) = case.facts.memory.fresh(case.now).copied() {
        let used = m
            .used_pct
            .and_then(|p| above(p, limits.memory_warning_pct, limits.memory_critical_pct).map(|f| (p, f)));
        if let Some((pct, found)) = used {
            let is_low = m.process_low == Some(true);
            case.add(found, Topic::Memory, Why::Memory { pct, is_low });
        } else if m.process_low == Some(true) {
            case.add((Level::Warning, 30), Topic::Memory, Why::MemoryLow);
        }
    }
    let pending = case.facts.headline.fresh(case.now).and_then(|h| h.grants_pending);
    if let Some(n) = pending.filter(|n| *n > 0) {
        let points = 20 + u8::try_from(n.min(20)).unwrap_or_default();
        case.add((Level::Warning, points), Topic::Memory, Why::Grants(n));
    }
}

/// Page life that is low and was much higher a moment ago. After a restart it is low because it is young.
pub(super) fn page_life(case: &mut Case<'_>) {
    let Some(now_s) = case.facts.headline.fresh(case.now).and_then(|h| h.page_life_s) else { return };
    let best = case.history.get(SeriesId::PageLife).into_iter().flat_map(Series::points);
    let best = best.map(|(_, v)| f64::from(v)).filter(|v| !v.is_nan()).fold(0.0, f64::max);
    if (0..PAGE_LIFE_LOW_S).contains(&now_s) && (now_s as f64) <= best * PAGE_LIFE_FALL {
        let why = Why::PageLife { now_s, best_s: best as i64 };
        case.add((Level::Warning, 30), Topic::Memory, why);
    }
}

/// How long a page read and a log flush take.
pub(super) fn io(case: &mut Case<'_>) {
    let (facts, now) = (case.facts, case.now);
    let (warning, critical) = (case.thresholds.io_warning_ms, case.thresholds.io_critical_ms);
    let mut judge = |why: fn(f64) -> Why, per_s: f64, avg_ms: f64| {
        if per_s >= IO_MIN_PER_S
            && let Some(found) = above(avg_ms, warning, critical)
        {
            case.add(found, Topic::Io, why(avg_ms));
        }
    };
    if let Some(waits) = facts.waits.fresh(now)
        && let Some(read) = waits.categories.iter().find(|c| c.category == WaitCategory::BufferIo)
        && read.tasks_per_s > 0.0
    {
        judge(Why::PageReads, read.tasks_per_s, read.ms_per_s / read.tasks_per_s);
    }
    if let Some(h) = facts.headline.fresh(now)
        && let (Some(per_s), Some(ms)) = (h.log_flushes_per_s, h.log_flush_ms)
    {
        judge(Why::LogFlushes, per_s, ms);
    }
}

pub(super) fn deadlocks(case: &mut Case<'_>) {
    let recent = case.facts.headline.fresh(case.now).and_then(|h| h.deadlocks_recent).unwrap_or_default();
    if recent > 0 {
        let points = 15 + u8::try_from(recent.min(15)).unwrap_or_default();
        case.add((Level::Warning, points), Topic::Deadlocks, Why::Deadlocks(recent));
    }
}

/// Volumes and tempdb.
pub(super) fn space(case: &mut Case<'_>) {
    let limits = case.thresholds;
    if let Some(volumes) = case.facts.volumes.fresh(case.now).cloned() {
        let mut full: Vec<_> = volumes
            .iter()
            .filter_map(|v| {
                let (total, free) = (v.total_bytes.filter(|t| *t > 0)?, v.free_bytes?);
                let pct = (free as f64 / total as f64 * 100.0).clamp(0.0, 100.0);
                let found = below(pct, limits.volume_warning_pct, limits.volume_critical_pct)?;
                Some((pct, found, v.mount.clone()))
            })
            .collect();
        full.sort_by(|a, b| a.0.total_cmp(&b.0));
        for (free_pct, found, mount) in full.into_iter().take(MAX_OF_A_KIND) {
            case.add(found, Topic::Storage, Why::Volume { mount, free_pct });
        }
    }
    if let Some(used) = case.facts.headline.fresh(case.now).and_then(|h| h.tempdb_used_pct)
        && let Some(found) = below(100.0 - used, limits.tempdb_warning_pct, limits.tempdb_critical_pct)
    {
        case.add(found, Topic::Tempdb, Why::Tempdb(100.0 - used));
    }
}

/// Databases that cannot be used and are not meant to be: suspect, emergency, waiting for recovery.
pub(super) fn databases(case: &mut Case<'_>) {
    let Some(databases) = case.facts.databases.fresh(case.now).cloned() else { return };
    let broken = databases.iter().filter_map(|d| {
        let state = d.state.as_deref()?;
        matches!(state, "SUSPECT" | "EMERGENCY" | "RECOVERY_PENDING").then_some((d, state))
    });
    let (first, more) = first_and_more(broken);
    if let Some((d, state)) = first {
        let why = Why::Database { name: d.name.clone(), state: state.into(), more };
        case.add((Level::Critical, 60), Topic::Databases, why);
    }
}

/// The first, and how many more there are.
fn first_and_more<T>(mut all: impl Iterator<Item = T>) -> (Option<T>, u32) {
    let first = all.next();
    (first, u32::try_from(all.count()).unwrap_or(u32::MAX))
}

pub(super) fn availability(case: &mut Case<'_>) {
    let Some(rows) = case.facts.availability.fresh(case.now).cloned() else { return };
    let why = |r: &ReplicaRow, trouble, more| Why::Replica {
        database: r.database.clone(),
        replica: r.replica.clone(),
        trouble,
        more,
    };
    let (suspended, more) = first_and_more(rows.iter().filter(|r| r.suspended == Some(true)));
    if let Some(r) = suspended {
        case.add((Level::Critical, 50), Topic::Availability, why(r, Trouble::Suspended, more));
    }
    let apart =
        |r: &&ReplicaRow| r.suspended != Some(true) && r.state.as_deref() == Some("NOT SYNCHRONIZING");
    let (apart, more) = first_and_more(rows.iter().filter(apart));
    if let Some(r) = apart {
        case.add((Level::Critical, 55), Topic::Availability, why(r, Trouble::NotSynchronizing, more));
    }
    let (warning, critical) = (case.thresholds.lag_warning_s as f64, case.thresholds.lag_critical_s as f64);
    let latest = rows.iter().filter_map(|r| Some((r.lag_s?, r))).max_by_key(|(lag, _)| *lag);
    if let Some((lag, r)) = latest
        && let Some(found) = above(lag as f64, warning, critical)
    {
        case.add(found, Topic::Availability, why(r, Trouble::Behind(lag), 0));
    }
}

pub(super) fn jobs(case: &mut Case<'_>) {
    let Some(jobs) = case.facts.jobs.fresh(case.now).cloned() else { return };
    if jobs.is_empty() {
        return;
    }
    let points = 10 + u8::try_from(jobs.len().min(4) * 5).unwrap_or_default();
    let newest = jobs.iter().max_by_key(|j| j.at);
    let why = Why::Jobs {
        failed: u32::try_from(jobs.len()).unwrap_or(u32::MAX),
        name: newest.and_then(|j| j.job.clone()),
        at: newest.and_then(|j| j.at),
    };
    case.add((Level::Warning, points), Topic::Jobs, why);
}

pub(super) fn restart(case: &mut Case<'_>) {
    let Some(started_at) = case.facts.headline.fresh(case.now).and_then(|h| h.started_at) else { return };
    let up_ms = case.now.ms_since(started_at);
    if up_ms < RESTART_SHOWN_MS {
        case.add((Level::Warning, 20), Topic::Restart, Why::Restarted { ms: told_wait(up_ms) });
    }
}
