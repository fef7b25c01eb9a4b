//! Rules about the parts of an instance: databases, availability groups, Agent jobs. A part that is listed twice counts once.

use super::case::{Case, Seen};
use crate::model::{
    judge::{
        health::{Level, Topic},
        limits::Gauge,
        why::{Trouble, Why},
    },
    poll::{
        availability::ReplicaRow,
        query_store::{StoreRow, StoreState},
    },
};
use std::{collections::BTreeMap, mem::discriminant};

/// KB in a megabyte.
const KB_PER_MB: f64 = 1024.0;

/// Databases that cannot be used and are not meant to be: suspect, emergency, waiting for recovery.
pub(super) fn databases(case: &mut Case<'_>) {
    let Some(databases) = case.facts.databases.fresh(case.now).cloned() else { return };
    let mut seen = Seen::default();
    let mut broken = databases.iter().filter_map(|d| {
        let state = d.state.as_deref()?;
        let is_broken = matches!(state, "SUSPECT" | "EMERGENCY" | "RECOVERY_PENDING");
        (is_broken && seen.is_first(d.name.as_deref().unwrap_or_default())).then_some((d, state))
    });
    let Some((d, state)) = broken.next() else { return };
    let more = u32::try_from(broken.count()).unwrap_or(u32::MAX);
    let why = Why::Database { name: d.name.clone(), state: state.into(), more };
    case.add((Level::Critical, 60), Topic::Databases, why);
}

/// A Query Store that is full or records nothing for another reason, and plans whose forcing failed since the poll before: nobody else
/// tells.
pub(super) fn query_stores(case: &mut Case<'_>) {
    let Some(table) = case.facts.query_store.fresh(case.now).cloned() else { return };
    let others = |n: usize| u32::try_from(n.saturating_sub(1)).unwrap_or(u32::MAX);
    let full: Vec<_> = table.stores.iter().filter(|store| store.is_full() && store.is_problem()).collect();
    if let Some(first) = full.first() {
        let why = Why::StoreFull { database: first.database.clone(), more: others(full.len()) };
        case.add((Level::Warning, 15), Topic::QueryStore, why);
    }
    let is_stopped = |store: &&StoreRow| {
        let records_nothing = matches!(store.state(), Some(StoreState::Error | StoreState::ReadOnly));
        records_nothing && store.is_problem() && !store.is_full()
    };
    let stopped: Vec<_> = table.stores.iter().filter(is_stopped).collect();
    let broken = |store: &&&StoreRow| store.state() == Some(StoreState::Error);
    if let Some(first) = stopped.iter().find(broken).or_else(|| stopped.first()) {
        let why = Why::StoreStopped {
            database: first.database.clone(),
            is_broken: broken(&first),
            reason: first.readonly_reason.filter(|bits| *bits != 0),
            more: others(stopped.len()),
        };
        case.add((Level::Warning, 15), Topic::QueryStore, why);
    }
    let failing: Vec<_> = table.queries.iter().filter(|query| query.is_failing()).collect();
    if let Some((first, plan)) = failing.first().and_then(|query| Some((query, query.forced.as_ref()?))) {
        let why = Why::PlanForcing {
            database: first.database.clone(),
            query_id: first.query_id,
            failures: plan.new_failures.unwrap_or_default(),
            reason: plan.reason,
            more: others(failing.len()),
        };
        case.add((Level::Warning, 15), Topic::QueryStore, why);
    }
}

/// What is wrong with a database on a replica, the gravest first. One database on one replica is one thing: what holds up its
/// log makes queues and lag too, so only the first counts.
fn troubles(case: &Case<'_>, r: &ReplicaRow) -> Option<((Level, u8), Trouble)> {
    if r.suspended == Some(true) {
        return Some(((Level::Critical, 50), Trouble::Suspended));
    }
    let of_state = match r.state.as_deref() {
        Some("NOT SYNCHRONIZING") => Some(((Level::Critical, 55), Trouble::NotSynchronizing)),
        Some("REVERTING") => Some(((Level::Warning, 35), Trouble::Reverting)),
        Some("INITIALIZING") => Some(((Level::Warning, 30), Trouble::Initializing)),
        _ => None,
    };
    let was = |trouble: fn(&Trouble) -> bool| {
        move |why: &Why| {
            matches!(why, Why::Replica { database, replica, trouble: t, .. }
                if *database == r.database && *replica == r.replica && trouble(t))
        }
    };
    let mb = |kb: i64| kb.max(0) as f64 / KB_PER_MB;
    let figures = [
        r.lag_s.and_then(|s| {
            let found = case.grade(Gauge::Lag, s as f64, was(|t| matches!(t, Trouble::Behind(_))))?;
            Some((found, Trouble::Behind(s)))
        }),
        r.send_queue_kb.and_then(|kb| {
            let found = case.grade(Gauge::SendQueue, mb(kb), was(|t| matches!(t, Trouble::ToSend(_))))?;
            Some((found, Trouble::ToSend(kb)))
        }),
        r.redo_queue_kb.and_then(|kb| {
            let found = case.grade(Gauge::RedoQueue, mb(kb), was(|t| matches!(t, Trouble::ToRedo(_))))?;
            Some((found, Trouble::ToRedo(kb)))
        }),
    ];
    // Of what is as grave a state says more than a figure.
    let all = of_state.into_iter().chain(figures.into_iter().flatten());
    all.max_by_key(|(grade, trouble)| weight(*grade, trouble))
}

fn weight((level, points): (Level, u8), trouble: &Trouble) -> (Level, bool, u8) {
    (level, trouble.is_state(), points)
}

pub(super) fn availability(case: &mut Case<'_>) {
    let Some(rows) = case.facts.availability.fresh(case.now).cloned() else { return };
    // Each database on each replica, with the worst that any of its rows says.
    let mut worst: BTreeMap<_, ((Level, u8), Trouble, &ReplicaRow)> = BTreeMap::new();
    for row in rows.iter() {
        let Some((grade, trouble)) = troubles(case, row) else { continue };
        let key = (&row.group, &row.replica, &row.database);
        let known = worst.entry(key).or_insert((grade, trouble, row));
        if weight(grade, &trouble) > weight(known.0, &known.1) {
            *known = (grade, trouble, row);
        }
    }
    // One reason a kind of trouble: the worst, and how many others have it.
    let mut kinds: Vec<((Level, u8), Trouble, &ReplicaRow, u32)> = Vec::new();
    for (grade, trouble, row) in worst.into_values() {
        match kinds.iter_mut().find(|(_, known, ..)| discriminant(known) == discriminant(&trouble)) {
            Some(known) => {
                known.3 += 1;
                if grade > known.0 {
                    (known.0, known.1, known.2) = (grade, trouble, row);
                }
            }
            None => kinds.push((grade, trouble, row, 0)),
        }
    }
    for (grade, trouble, row, more) in kinds {
        let (database, replica) = (row.database.clone(), row.replica.clone());
        case.add(grade, Topic::Availability, Why::Replica { database, replica, trouble, more });
    }
}

pub(super) fn jobs(case: &mut Case<'_>) {
    let Some(jobs) = case.facts.jobs.fresh(case.now).cloned() else { return };
    let mut seen = Seen::default();
    let failed = jobs.iter().filter(|j| j.job.as_deref().is_none_or(|name| seen.is_first(name))).count();
    if failed == 0 {
        return;
    }
    let points = 10 + u8::try_from(failed.min(4) * 5).unwrap_or_default();
    let newest = jobs.iter().max_by_key(|j| j.at);
    let why = Why::Jobs {
        failed: u32::try_from(failed).unwrap_or(u32::MAX),
        name: newest.and_then(|j| j.job.clone()),
        at: newest.and_then(|j| j.at),
    };
    case.add((Level::Warning, points), Topic::Jobs, why);
}
