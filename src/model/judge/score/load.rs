//! Rules about the load: CPU, workers, waits, blocking, deadlocks.

use super::case::{Case, MAX_OF_A_KIND, Seen};
use crate::model::{
    base::figure::told_span,
    judge::{
        health::{Level, Topic},
        limits::Gauge,
        why::{CpusInUse, Why, Workers},
    },
    poll::{blocking::Chain, id::SeriesId, wait_class::WaitCategory},
    timeline::history::KEEP_MS,
};

/// Other processes that use more of the machine than this, %, are named.
const OTHERS_NAMED_PCT: f64 = 10.0;
/// Two polls this far apart say nothing about the time between them, ms.
const APART_MS: i64 = 300_000;

/// SQL Server is judged by its share of the CPUs that it may run on, and the machine by what all processes use of it: the worse
/// of the two counts. The reason tells SQL Server's share as the column CPU does, and others beside it.
pub(super) fn cpu(case: &mut Case<'_>) {
    let Some(h) = case.facts.headline.fresh(case.now) else { return };
    let Some(sql) = h.cpu_pct else { return };
    let cpu = case.facts.cpu.fresh(case.now);
    let other = cpu.and_then(|c| c.other_pct).unwrap_or_default();
    let may_use = CpusInUse::of(cpu.and_then(|c| c.schedulers), case.cpu_count());
    let of_machine = may_use.map_or(sql, |cpus| sql * cpus.may_run as f64 / cpus.all as f64);
    let worse = (of_machine + other).min(100.0).max(sql);
    let Some(found) = case.grade(Gauge::Cpu, worse, |why| matches!(why, Why::Cpu { .. })) else { return };
    let busy = case.thresholds.limits(Gauge::Cpu).and_then(|l| busy_ms(case, l.warning - other));
    let why = Why::Cpu {
        pct: sql,
        busy_ms: busy.map(told_span),
        // The time that history has forgotten may have been busy too.
        at_least: busy.is_some_and(|ms| ms > KEEP_MS - 60_000),
        other_pct: (other > OTHERS_NAMED_PCT).then_some(other),
        cpus: may_use,
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

/// Tasks that could run and have no CPU, by the CPUs for which they wait: a resource pool, an affinity or a full NUMA node holds
/// them on a few while the others idle. One poll is a moment: the lower of two polls one after another counts, and a queue on one
/// CPU for half.
pub(super) fn runnable(case: &mut Case<'_>) {
    let Some(cpu) = case.facts.cpu.fresh(case.now) else { return };
    let (Some(tasks), Some(schedulers)) = (cpu.runnable, cpu.schedulers.filter(|n| *n > 0)) else { return };
    let mut series = case.history.get(SeriesId::Runnable).into_iter().flat_map(|s| s.points().rev());
    let before = series.nth(1).filter(|(at, v)| !v.is_nan() && case.now - *at < APART_MS);
    let steady = before.map_or(tasks as f64, |(_, v)| f64::from(v).min(tasks as f64));
    let is = |why: &Why| matches!(why, Why::Runnable { .. });
    let busy = cpu.busy.filter(|busy| (1..schedulers).contains(busy));
    let share = busy.map_or(schedulers, |busy| busy.max(2)).min(schedulers);
    let Some(found) = case.grade(Gauge::Runnable, steady / share as f64, is) else { return };
    case.add(found, Topic::Cpu, Why::Runnable { tasks: steady as i64, schedulers, busy });
}

/// Poison waits, and workers running out.
pub(super) fn workers_and_poison(case: &mut Case<'_>) {
    let free = free_workers(case);
    let (mut told_workers, mut told) = (false, 0);
    if let Some(waits) = case.facts.waits.fresh(case.now).cloned() {
        let mut seen = Seen::default();
        for wait in waits.types.iter().filter(|w| w.poison && seen.is_first(&w.name)) {
            let is = |why: &Why| matches!(why, Why::Waits { name, .. } if *name == wait.name);
            let Some(found) = case.grade(Gauge::Poison, wait.ms_per_s, is) else { continue };
            told += 1;
            if told > MAX_OF_A_KIND {
                break;
            }
            let of_workers = wait.category == WaitCategory::WorkerThread;
            let workers = free.filter(|_| of_workers);
            told_workers |= workers.is_some();
            let why = Why::Waits { name: wait.name.clone(), ms_per_s: wait.ms_per_s, workers };
            case.add(found, if of_workers { Topic::Workers } else { Topic::Waits }, why);
        }
    }
    if let Some(workers) = free.filter(|_| !told_workers) {
        let pct = workers.free as f64 / workers.of as f64 * 100.0;
        let Some((level, _)) = case.grade(Gauge::Workers, pct, |why| matches!(why, Why::Workers(_))) else {
            return;
        };
        let points = if level >= Level::Critical { 60 } else { 30 };
        case.add((level, points), Topic::Workers, Why::Workers(workers));
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
    let judge = |c: &Chain| {
        let head = c.nodes.first()?.request.session_id;
        let is = |why: &Why| matches!(why, Why::Blocked { by, .. } if *by == head);
        case.grade(Gauge::Blocked, c.max_wait_ms as f64 / 1000.0, is)
    };
    let found = blocking.chains.iter().filter_map(|c| Some((c, judge(c)?)));
    // Level first: a long chain of short waits does not hide a short one of long waits.
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

pub(super) fn deadlocks(case: &mut Case<'_>) {
    let recent = case.facts.headline.fresh(case.now).and_then(|h| h.deadlocks_recent).unwrap_or_default();
    if recent > 0 {
        let points = 15 + u8::try_from(recent.min(15)).unwrap_or_default();
        case.add((Level::Warning, points), Topic::Deadlocks, Why::Deadlocks(recent));
    }
}
