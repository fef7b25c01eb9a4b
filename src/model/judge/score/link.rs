//! Rules about the polls themselves: whether anybody wants to know, whether the instance answers, with what rights, since when.

use super::case::{Case, RESTART_SHOWN_MS};
use crate::model::{
    base::{failure::FailureKind, figure::told_span, time::Timestamp},
    judge::{
        health::{Level, Topic},
        why::{Since, Why},
    },
    poll::{link::Link, reading::Unavailable},
};
use std::sync::Arc;

/// For this long after its maintenance an instance's old figures are not called old.
const WOKEN_MS: u64 = 10_000;

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
            missing: (failure.kind == FailureKind::Config).then(|| Arc::clone(&failure.text)),
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

/// Until all that is judged has been answered once, or cannot be, an instance is not well: nobody knows yet.
pub(super) fn first_answers(case: &mut Case<'_>) {
    if case.reasons.is_empty() && case.facts.awaits_first_answers() {
        case.add((Level::Unknown, 0), Topic::Link, Why::FirstPoll);
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

pub(super) fn restart(case: &mut Case<'_>) {
    let started_at = case.facts.headline.fresh(case.now).and_then(|h| h.started_at);
    let up_ms = started_at.and_then(|at| case.up_ms(at));
    if let Some(up_ms) = up_ms.filter(|ms| *ms < RESTART_SHOWN_MS) {
        case.add((Level::Warning, 20), Topic::Restart, Why::Restarted { ms: told_wait(up_ms) });
    }
}
