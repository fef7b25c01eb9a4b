//! What is in use of data files: each database is asked for its own, over the on-demand lane and seldom. The scripts are those of the
//! question on demand (`probe::room`).

use crate::{
    model::poll::{
        Sample, State,
        cost::Tier,
        id::ProbeId,
        reading::Unavailable,
        room::{FileUse, RoomTable, Silent},
    },
    probe::{
        batch::Sets,
        context::ProbeContext,
        descriptor::{Company, EachDatabase, Lane, Pace, Probe, needed},
        each,
        room::{DATABASES, FILES},
        script::{Needs, Takes},
    },
};
use std::{collections::HashSet, sync::Arc};

/// See the module.
pub(super) static PROBE: Probe = Probe {
    parts: &[needed(DATABASES.taking(Takes::AllDatabases))],
    pace: Pace::Seldom(4),
    company: Company::Alone,
    lane: Lane::OnDemand,
    unknown_without: &[(Needs::Performance, "what is free inside of database files")],
    panes: &["storage"],
    each: Some(&EACH),
    ..Probe::new(ProbeId::Room, Tier::Slow, decode)
};

static EACH: EachDatabase =
    EachDatabase { of: DATABASES.name, first: &[needed(FILES)], then: &[], more: |_, _, _| None };

/// Logs are left out: what is in use of them other probes tell, and oftener. Where no database tells, the first says why.
fn decode(sets: &Sets, ctx: &ProbeContext) -> Result<Sample, Unavailable> {
    let (mut table, mut seen, mut first) = (RoomTable::default(), HashSet::new(), None);
    for row in sets.many(DATABASES.name)? {
        let Some((id, _)) = each::place(row, ctx).filter(|(id, _)| seen.insert(*id)) else { continue };
        let Some(why) = ctx.problem(id) else { continue };
        first.get_or_insert_with(|| why.clone());
        table.silent.push(Silent {
            database_id: id,
            database: row.name("database_name"),
            why: why.to_string().into(),
            waits: matches!(why, Unavailable::SwitchedOff(_)),
        });
    }
    let files = sets.all(FILES.name).filter_map(|row| {
        let kb = |column| row.count(column).and_then(|pages| pages.checked_mul(8));
        Some(FileUse {
            ids: (row.i32("database_id")?, row.i32("file_id")?),
            size_kb: kb("size_pages"),
            used_kb: Some(kb("used_pages")?),
        })
    });
    table.files = files.collect();
    table.files.sort_by_key(|file| file.ids);
    match first {
        Some(why @ (Unavailable::NoRight(_) | Unavailable::Missing(_))) if table.files.is_empty() => Err(why),
        _ => Ok(Sample::Known(State::from(Arc::new(table)))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        model::base::time::Timestamp,
        probe::fixture::{set, sets, text},
        tds::Cell,
    };

    #[test]
    fn files_stand_in_order_and_logs_are_left_out() {
        let list = set(
            "room_databases",
            &["database_id", "database_name", "state_desc"],
            vec![vec![Cell::Int(5), text("orders"), text("ONLINE")]],
        );
        let row = |file, used| vec![Cell::Int(5), Cell::Int(file), Cell::Int(100), used];
        let files = set(
            "room_files",
            &["database_id", "file_id", "size_pages", "used_pages"],
            vec![row(3, Cell::Int(90)), row(2, Cell::Null), row(1, Cell::Int(40)), row(4, Cell::Int(-1))],
        );
        let ctx = ProbeContext::new(Timestamp::default);
        let Ok(Sample::Known(State::Room(table))) = decode(&sets(vec![list, files]), &ctx) else { panic!() };
        let told: Vec<_> = table.files.iter().map(|file| (file.ids, file.free_kb())).collect();
        assert_eq!(told, [((5, 1), Some(480)), ((5, 3), Some(80))]);
    }
}
