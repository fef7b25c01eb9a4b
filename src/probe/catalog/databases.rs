//! Names and states of the databases.

use crate::{
    model::poll::{Sample, State, cost::Tier, databases::DatabaseRow, id::ProbeId, reading::Unavailable},
    probe::{
        batch::Sets,
        context::ProbeContext,
        descriptor::{Probe, Start, needed},
        script::{Script, script},
    },
};
use std::sync::Arc;

const DATABASES: Script = script!("databases", Nothing, by "database_id");

/// See the module. Databases that the login may not see appear by their id.
pub(super) static PROBE: Probe = Probe {
    parts: &[needed(DATABASES)],
    start: Start::AtOnce,
    ..Probe::new(ProbeId::Databases, Tier::Slow, decode)
};

/// `databases`.
fn decode(sets: &Sets, _ctx: &ProbeContext) -> Result<Sample, Unavailable> {
    let rows = sets.many("databases")?.filter_map(|row| {
        Some(DatabaseRow {
            id: row.i32("database_id")?,
            name: row.name("name"),
            state: row.name("state_desc"),
        })
    });
    Ok(Sample::Known(State::Databases(Arc::new(rows.collect()))))
}
