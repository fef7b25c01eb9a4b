//! Figures of requests that only two polls, or all rows of one, can tell: growth since the poll before, and victims.

use super::{
    blocking::{Edge, victims_of},
    rate::{MAX_GAP_MS, delta, delta32},
    shared::MAX_ROWS,
};
use crate::model::{
    base::time::Timestamp,
    poll::{
        activity::{Activity, Request},
        blocking::Blocking,
    },
};
use std::collections::HashMap;

/// The identity of a request: session ids are reused, so its start and that of its session belong to it.
type Identity = (i32, Option<i32>, Option<Timestamp>, Option<Timestamp>);

fn identity(r: &Request) -> Identity {
    (r.session_id, r.request_id, r.login_at, r.started_at)
}

/// Sleeping blockers run nothing, so activity has no text for them; blocking has their last statement. The activity
/// with it, if that changes anything.
pub(super) fn lend_statements(activity: &Activity, blocking: &Blocking) -> Option<Activity> {
    let lenders = || blocking.chains.iter().flat_map(|c| &c.nodes).filter(|n| n.statement_is_last);
    let lender = |r: &Request| {
        let same = |o: &Request| (o.session_id, o.login_at) == (r.session_id, r.login_at);
        lenders().find(|n| r.statement.is_none() && same(&n.request))
    };
    if !activity.requests.iter().any(|r| lender(r).is_some()) {
        return None;
    }
    let mut full = activity.clone();
    for r in &mut full.requests {
        if let Some(node) = lender(r) {
            r.statement = node.statement.clone();
        }
    }
    Some(full)
}

/// Fills `blocks`, `cpu_delta_ms` and `reads_delta`.
pub(super) fn fold(
    now: &mut Activity,
    before: Option<&Activity>,
    before_at: Option<Timestamp>,
    at: Timestamp,
) {
    let too_many = now.requests.len().saturating_sub(MAX_ROWS);
    now.requests.truncate(MAX_ROWS);
    now.left_out = now.left_out.saturating_add(u32::try_from(too_many).unwrap_or(u32::MAX));

    let edges = now.requests.iter().filter_map(|r| {
        Some(Edge { who: r.session_id, blocker: r.blocked_by?, wait_ms: r.wait_ms.unwrap_or_default() })
    });
    let victims = victims_of(edges);
    let gap_ms = before_at.map_or(u64::MAX, |b| at.ms_since(b));
    let known: HashMap<Identity, &Request> = match before {
        Some(b) if (1..=MAX_GAP_MS).contains(&gap_ms) => {
            b.requests.iter().map(|r| (identity(r), r)).collect()
        }
        _ => HashMap::new(),
    };
    for r in &mut now.requests {
        r.blocks = victims.get(&r.session_id).copied().unwrap_or_default();
        if let Some(old) = known.get(&identity(r)) {
            r.cpu_delta_ms = delta32(old.cpu_ms, r.cpu_ms);
            r.reads_delta = delta(old.logical_reads, r.logical_reads);
        }
    }
}
