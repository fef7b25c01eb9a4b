//! Availability groups: several views, so a round trip of its own, not at the pace of waits.

use crate::{
    model::poll::{Sample, State, availability::ReplicaRow, cost::Tier, id::ProbeId, reading::Unavailable},
    probe::{
        batch::Sets,
        clock::Clock,
        context::ProbeContext,
        descriptor::{Company, Pace, Probe, Want, needed},
        script::{Needs, Script, script},
    },
};
use std::sync::Arc;

const AVAILABILITY: Script = script!("availability", Performance, by "replica_id" "group_database_id");

/// See the module.
pub(super) static PROBE: Probe = Probe {
    parts: &[needed(AVAILABILITY)],
    pace: Pace::Slower(3),
    company: Company::Alone,
    timeout_ms: 10_000,
    wants: &[Want::AvailabilityGroups],
    unknown_without: &[
        (Needs::Performance, "availability groups"),
        (Needs::Definition, "names of availability groups"),
    ],
    panes: &["availability"],
    ..Probe::new(ProbeId::Availability, Tier::Detail, decode)
};

fn decode(sets: &Sets, _ctx: &ProbeContext) -> Result<Sample, Unavailable> {
    let rows = sets.many("availability")?.map(|row| ReplicaRow {
        group: row.name("group_name"),
        database: row.name("database_name"),
        replica: row.name("replica_server_name"),
        is_local: row.bool("is_local"),
        role: row.name("role_desc"),
        state: row.name("synchronization_state_desc"),
        suspended: row.bool("is_suspended"),
        lag_s: Clock::span_s(row.i64("secondary_lag_seconds")),
        send_queue_kb: row.count("log_send_queue_size"),
        redo_queue_kb: row.count("redo_queue_size"),
    });
    Ok(Sample::Known(State::Availability(Arc::new(rows.collect()))))
}
