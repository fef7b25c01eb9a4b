//! The databases: names and states, recovery model, compatibility, owner, size.

use crate::{
    model::poll::{Sample, State, cost::Tier, databases::DatabaseRow, id::ProbeId, reading::Unavailable},
    probe::{
        batch::Sets,
        context::ProbeContext,
        descriptor::{Probe, Start, needed, optional},
        script::{Needs, Script, script},
    },
};
use std::{collections::HashMap, sync::Arc};

const DATABASES: Script = script!("databases", Nothing, by "database_id");
const SIZES: Script = script!("database_sizes", Performance, by "database_id");

/// See the module. Databases that the login may not see appear by their id.
pub(super) static PROBE: Probe = Probe {
    parts: &[needed(DATABASES), optional(SIZES, &[])],
    start: Start::AtOnce,
    unknown_without: &[
        (Needs::Performance, "the size of databases"),
        (Needs::Definition, "the owners of databases and the size of their logs"),
    ],
    panes: &["databases"],
    ..Probe::new(ProbeId::Databases, Tier::Slow, decode)
};

/// `databases`, with what `database_sizes` adds.
fn decode(sets: &Sets, _ctx: &ProbeContext) -> Result<Sample, Unavailable> {
    let sizes: HashMap<i32, (Option<i64>, Option<i64>)> = sets
        .all("database_sizes")
        .filter_map(|row| Some((row.i32("database_id")?, (row.count("size_bytes"), row.count("log_bytes")))))
        .collect();
    let rows = sets.many("databases")?.filter_map(|row| {
        let id = row.i32("database_id")?;
        let (size_bytes, log_bytes) = sizes.get(&id).copied().unwrap_or_default();
        Some(DatabaseRow {
            id,
            name: row.name("name"),
            state: row.name("state_desc"),
            recovery: row.line("recovery_model_desc", 60),
            compatibility: row.i32("compatibility_level"),
            is_read_only: row.bool("is_read_only"),
            log_reuse_wait: row.line("log_reuse_wait_desc", 60),
            owner: row.name("owner_name"),
            size_bytes,
            log_bytes,
        })
    });
    Ok(Sample::Known(State::Databases(Arc::new(rows.collect()))))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        probe::fixture::{set, sets, text},
        tds::Cell,
    };

    #[test]
    fn a_database_has_what_the_server_says_and_nothing_else() {
        let columns = ["database_id", "name", "state_desc", "compatibility_level", "owner_name"];
        let row = |id, name: &str, level, owner| vec![id, text(name), text("ONLINE"), level, owner];
        let rows = vec![
            row(Cell::Int(5), "orders", Cell::Int(150), text("sa\u{1b}[31m")),
            row(Cell::Null, "no id", Cell::Int(150), Cell::Null),
            row(Cell::Int(6), "crm", Cell::Null, Cell::Null),
            row(Cell::Int(7), "offline", Cell::Null, Cell::Null),
        ];
        let of_sizes = ["database_id", "size_bytes", "log_bytes"];
        let sizes = vec![
            vec![Cell::Int(5), Cell::Int(4_096), Cell::Int(1_024)],
            vec![Cell::Int(6), Cell::Int(4_096), Cell::Null],
            vec![Cell::Int(8), Cell::Int(1), Cell::Int(1)],
        ];
        let answer = sets(vec![set("databases", &columns, rows), set("database_sizes", &of_sizes, sizes)]);
        let context = ProbeContext::new(crate::model::base::time::Timestamp::default);
        let Ok(Sample::Known(State::Databases(found))) = decode(&answer, &context) else { panic!() };
        let [orders, crm, offline] = &found[..] else { panic!("{found:?}") };
        assert_eq!((orders.name.as_deref(), orders.compatibility), (Some("orders"), Some(150)));
        assert!(!orders.owner.as_deref().unwrap().contains('\u{1b}'), "{orders:?}");
        assert_eq!((orders.size_bytes, orders.log_bytes), (Some(4_096), Some(1_024)));
        assert_eq!((crm.size_bytes, crm.log_bytes), (Some(4_096), None), "its files have no names for us");
        assert_eq!((offline.size_bytes, offline.owner.as_deref()), (None, None));
    }
}
