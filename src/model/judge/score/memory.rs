//! Rules about memory: what SQL Server and Windows say of it, and whether there is enough. Memory in use is no trouble by itself.

use super::case::Case;
use crate::model::{
    base::time::Timestamp,
    judge::{
        health::{Level, Topic},
        limits::Gauge,
        why::Why,
    },
    poll::{id::SeriesId, memory::MemoryNow, properties::Platform},
    timeline::history::Series,
};

/// Free memory of the machine is little only where it is less than this, too, KB: 2 % of a terabyte is plenty.
const MUCH_FREE_KB: f64 = 1024.0 * 1024.0;
/// What is in force ends with so much free, KB.
const MUCH_FREE_AGAIN_KB: f64 = 1.25 * MUCH_FREE_KB;
/// Whatever `max server memory` says, this part of the machine's memory is all that SQL Server can be expected to get.
const MOST_OF_MACHINE: f64 = 0.75;
/// The most that Standard Edition takes for its buffer pool, KB.
const STANDARD_KB: f64 = 128.0 * 1024.0 * 1024.0;
/// For this long after a start memory is only being filled.
const WARM_MS: u64 = 30 * 60_000;
/// Page life below this, s, is looked at …
const PAGE_LIFE_LOW_S: i64 = 300;
/// … and is a reason if it fell to this part of its best of the last fifteen minutes.
const PAGE_LIFE_FALL: f64 = 0.25;

pub(super) fn memory(case: &mut Case<'_>) {
    if let Some(m) = case.facts.memory.fresh(case.now).copied() {
        signals(case, &m);
        shares(case, &m);
    }
    target(case);
    let pending = case.facts.headline.fresh(case.now).and_then(|h| h.grants_pending);
    if let Some(n) = pending.filter(|n| *n > 0) {
        let points = 20 + u8::try_from(n.min(20)).unwrap_or_default();
        case.add((Level::Warning, points), Topic::Memory, Why::Grants(n));
    }
}

/// What the operating system told: SQL Server, or everybody.
fn signals(case: &mut Case<'_>, m: &MemoryNow) {
    match (m.process_low == Some(true), m.machine_low == Some(true)) {
        (_, true) => case.add((Level::Warning, 35), Topic::Memory, Why::MachineMemoryLow),
        (true, false) => case.add((Level::Warning, 30), Topic::Memory, Why::MemoryLow),
        (false, false) => {}
    }
}

/// How much of the machine is free, and in use where somebody set limits for that.
fn shares(case: &mut Case<'_>, m: &MemoryNow) {
    let Some(pct) = m.used_pct else { return };
    let is_low = m.process_low == Some(true) || m.machine_low == Some(true);
    let is = |why: &Why| matches!(why, Why::Memory { .. });
    if let Some(found) = case.grade(Gauge::Memory, pct, is) {
        return case.add(found, Topic::Memory, Why::Memory { pct, is_low });
    }
    let is = |why: &Why| matches!(why, Why::MemoryFree { .. });
    let much = if case.was(is).is_some() { MUCH_FREE_AGAIN_KB } else { MUCH_FREE_KB };
    let Some(free_kb) = m.free_kb().filter(|kb| *kb < much) else { return };
    if let Some(found) = case.grade(Gauge::MemoryFree, 100.0 - pct, is) {
        let why = Why::MemoryFree { free_kb: free_kb as i64, pct: 100.0 - pct };
        case.add(found, Topic::Memory, why);
    }
}

/// A target below what the configuration allows: something else on the machine makes SQL Server give memory back. Judged only
/// where somebody configured `max server memory`, and after the warm-up, in which the target may still grow.
fn target(case: &mut Case<'_>) {
    let Some(target_kb) = case.facts.headline.fresh(case.now).and_then(|h| h.target_memory_kb) else {
        return;
    };
    if target_kb <= 0 || is_warming(case) {
        return;
    }
    let Some(allowed_kb) = allowed_kb(case) else { return };
    let pct = target_kb as f64 / allowed_kb * 100.0;
    let is = |why: &Why| matches!(why, Why::MemoryTarget { .. });
    if let Some(found) = case.grade(Gauge::MemoryTarget, pct, is) {
        let why = Why::MemoryTarget { target_kb, allowed_kb: allowed_kb as i64 };
        case.add(found, Topic::Memory, why);
    }
}

/// What SQL Server may take, KB; None if nobody limited it or its edition may limit it in another way.
fn allowed_kb(case: &Case<'_>) -> Option<f64> {
    let p = case.facts.properties.get()?;
    let options = p.options.as_ref()?;
    let max_mb = options.iter().find(|o| &*o.name == "max server memory (MB)")?.in_use?;
    let is_limited = (1..i64::from(i32::MAX)).contains(&max_mb);
    let physical_kb = case.facts.memory.get().and_then(|m| m.physical_kb).or(p.physical_memory_kb)?;
    let machine_kb = physical_kb as f64 * MOST_OF_MACHINE;
    let edition_kb = match p.engine_edition {
        Some(3) => f64::INFINITY,
        Some(2) if p.edition.as_deref().is_some_and(|e| e.starts_with("Standard")) => STANDARD_KB,
        _ => return None,
    };
    // On Linux memory.memorylimitmb may be lower still, and nobody tells.
    if p.platform == Platform::Linux && max_mb as f64 * 1024.0 > machine_kb {
        return None;
    }
    is_limited.then_some((max_mb as f64 * 1024.0).min(machine_kb).min(edition_kb))
}

/// Whether the instance started so lately that its memory is only being filled.
fn is_warming(case: &Case<'_>) -> bool {
    case.started_at().and_then(|at| case.up_ms(at)).is_some_and(|ms| ms < WARM_MS)
}

/// Page life that is low and was much higher a moment ago. After a restart it is low because it is young.
pub(super) fn page_life(case: &mut Case<'_>) {
    let Some(now_s) = case.facts.headline.fresh(case.now).and_then(|h| h.page_life_s) else { return };
    if is_warming(case) || now_s < 0 {
        return;
    }
    let started_at = case.started_at().unwrap_or(Timestamp::from_ms(i64::MIN));
    let best = case.history.get(SeriesId::PageLife).into_iter().flat_map(Series::points);
    let best = best.filter(|(at, v)| *at >= started_at && !v.is_nan()).map(|(_, v)| f64::from(v));
    let best = best.fold(0.0, f64::max);
    // Once it is a reason it stays one until page life is well again: the best of a quarter of an hour ago is soon forgotten.
    let before = case.was(|why| matches!(why, Why::PageLife { .. }));
    let best_before = before.and_then(|why| match why {
        Why::PageLife { best_s, .. } => Some(*best_s as f64),
        _ => None,
    });
    let fell = now_s < PAGE_LIFE_LOW_S && now_s as f64 <= best * PAGE_LIFE_FALL;
    let still = best_before.is_some() && now_s < PAGE_LIFE_LOW_S * 3 / 2;
    if fell || still {
        let best_s = best.max(best_before.unwrap_or_default()) as i64;
        case.add((Level::Warning, 30), Topic::Memory, Why::PageLife { now_s, best_s });
    }
}
