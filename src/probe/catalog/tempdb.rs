//! tempdb: its sessions, files, version stores and the pages that tasks queue for.

use super::who::who;
use crate::{
    model::poll::{
        Sample, State,
        cost::Tier,
        id::ProbeId,
        reading::Unavailable,
        tempdb::{
            Contention, PageKind, TempdbFile, TempdbSession, TempdbTable, VersionHolder, VersionStore,
            page_of,
        },
    },
    probe::{
        batch::Sets,
        clock::Clock,
        context::ProbeContext,
        descriptor::{Pace, Probe, needed, optional},
        script::{Needs, Script, When, script},
    },
};
use std::sync::Arc;

const SESSIONS: Script = script!("tempdb_sessions", Performance, by "session_id");
const FILES: Script = script!("tempdb_files", Performance, by "file_id");
const WAITS: Script = script!("tempdb_waits", Performance, by "resource_description");
const STORE: Script = script!("version_store", Performance, by "database_id");
const HOLDERS: Script = script!("version_holders", Performance, by "session_id");
const PERSISTENT: Script = script!("persistent_versions", Performance, by "database_id");

/// See the module.
pub(super) static PROBE: Probe = Probe {
    parts: &[
        needed(SESSIONS),
        optional(FILES, &[]),
        optional(WAITS, &[]),
        optional(HOLDERS, &[]),
        optional(STORE, &[When::Has("dm_tran_version_store_space_usage")]),
        optional(PERSISTENT, &[When::Has("dm_tran_persistent_version_store_stats")]),
    ],
    pace: Pace::Seldom(5),
    unknown_without: &[(Needs::Performance, "who holds tempdb")],
    panes: &["tempdb"],
    ..Probe::new(ProbeId::TempdbUse, Tier::Detail, decode)
};

/// KB of so many pages.
fn kb(pages: Option<i64>) -> Option<i64> {
    pages.and_then(|n| n.checked_mul(8))
}

/// A row without its id is left out.
fn decode(sets: &Sets, ctx: &ProbeContext) -> Result<Sample, Unavailable> {
    let mut total = None;
    let mut sessions: Vec<TempdbSession> = sets
        .many("tempdb_sessions")?
        .filter_map(|row| {
            total = total.max(row.count("total_rows"));
            Some(TempdbSession {
                session_id: row.i32("session_id")?,
                user_kb: kb(row.balance("user_pages")),
                internal_kb: kb(row.balance("internal_pages")),
                who: who(row, ctx),
                status: row.line("status", 30),
            })
        })
        .collect();
    sessions.sort_by_key(|s| (std::cmp::Reverse(s.total_kb()), s.session_id));
    let total = total.and_then(|n| usize::try_from(n).ok()).unwrap_or(sessions.len());
    let mut table = TempdbTable {
        left_out: total.saturating_sub(sessions.len()) as u64,
        sessions,
        contention: contention(sets, &ctx.clock()),
        holders: holders(sets, ctx),
        stores: stores(sets, ctx),
        ..TempdbTable::default()
    };
    for row in sets.all("tempdb_files") {
        let Some(file_id) = row.i32("file_id") else { continue };
        let (size_kb, free_kb) = (kb(row.count("total_pages")), kb(row.count("free_pages")));
        let add = |sum: &mut Option<i64>, column: &str| {
            let is_first = table.files.is_empty();
            *sum = match (*sum, kb(row.count(column))) {
                (Some(sum), Some(more)) => sum.checked_add(more),
                (None, Some(first)) if is_first => Some(first),
                _ => None,
            };
        };
        add(&mut table.user_kb, "user_pages");
        add(&mut table.internal_kb, "internal_pages");
        add(&mut table.version_kb, "version_pages");
        add(&mut table.mixed_kb, "mixed_pages");
        table.files.push(TempdbFile { file_id, size_kb, free_kb });
    }
    Ok(Sample::Known(State::from(Arc::new(table))))
}

/// The waiting tasks by the kind of their page; None where they were not told.
fn contention(sets: &Sets, clock: &Clock) -> Option<Vec<Contention>> {
    let mut found = Vec::new();
    for row in sets.get("tempdb_waits")?.rows() {
        let page = row.raw_text("resource_description").and_then(page_of);
        let (Some((_, page)), Some(tasks @ 1..)) = (page, row.count("tasks")) else { continue };
        let kind = PageKind::of(page);
        let at = found.iter().position(|c: &Contention| c.kind == kind).unwrap_or_else(|| {
            found.push(Contention { kind, ..Contention::default() });
            found.len() - 1
        });
        if let Some(sum) = found.get_mut(at) {
            sum.tasks = sum.tasks.saturating_add(tasks);
            sum.longest_ms = sum.longest_ms.max(clock.duration(row.i64("longest_ms")));
        }
    }
    found.sort_by_key(|c| c.kind);
    Some(found)
}

fn holders(sets: &Sets, ctx: &ProbeContext) -> Vec<VersionHolder> {
    let clock = ctx.clock();
    let mut holders: Vec<VersionHolder> = sets
        .all("version_holders")
        .filter_map(|row| {
            Some(VersionHolder {
                session_id: row.i32("session_id")?,
                is_snapshot: row.i64("is_snapshot").map(|n| n != 0),
                for_ms: clock.duration(row.i64("elapsed_time_seconds").and_then(|s| s.checked_mul(1000))),
                who: who(row, ctx),
            })
        })
        .collect();
    holders.sort_by_key(|h| (std::cmp::Reverse(h.for_ms), h.session_id));
    holders
}

/// What databases have in tempdb, and what they keep themselves.
fn stores(sets: &Sets, ctx: &ProbeContext) -> Vec<VersionStore> {
    let mut stores: Vec<VersionStore> = Vec::new();
    let mut of = |database_id: i32, change: &dyn Fn(&mut VersionStore)| {
        let at = stores.iter().position(|s| s.database_id == database_id).unwrap_or_else(|| {
            let database = ctx.database(Some(database_id));
            stores.push(VersionStore { database_id, database, ..VersionStore::default() });
            stores.len() - 1
        });
        stores.get_mut(at).into_iter().for_each(change);
    };
    for row in sets.all("version_store") {
        let Some(id) = row.i32("database_id") else { continue };
        of(id, &|store| store.tempdb_kb = row.count("reserved_space_kb"));
    }
    for row in sets.all("persistent_versions") {
        let Some(id) = row.i32("database_id") else { continue };
        of(id, &|store| {
            store.own_kb = row.count("persistent_version_store_size_kb");
            store.aborted = row.count("current_aborted_transaction_count");
            store.oldest_session = row.i32("oldest_session_id");
            store.snapshot_session = row.i32("snapshot_session_id");
        });
    }
    stores.sort_by_key(|s| (std::cmp::Reverse(s.tempdb_kb.max(s.own_kb)), s.database_id));
    stores
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        probe::fixture::{set, sets, text},
        tds::{Cell, ResultSet},
    };

    fn decoded(answer: Vec<ResultSet>) -> TempdbTable {
        let context = ProbeContext::new(crate::model::base::time::Timestamp::default);
        match decode(&sets(answer), &context) {
            Ok(Sample::Known(State::TempdbUse(table))) => Arc::unwrap_or_clone(table),
            other => panic!("{other:?}"),
        }
    }

    fn session(id: Cell, user: Cell, internal: Cell, login: &str) -> Vec<Cell> {
        vec![Cell::Int(70), id, user, internal, text(login)]
    }

    fn sessions(rows: Vec<Vec<Cell>>) -> ResultSet {
        set(
            "tempdb_sessions",
            &["total_rows", "session_id", "user_pages", "internal_pages", "login_name"],
            rows,
        )
    }

    #[test]
    fn a_session_has_what_the_server_says_and_nothing_else() {
        let table = decoded(vec![sessions(vec![
            session(Cell::Int(61), Cell::Int(-16), Cell::Int(200), "app"),
            session(Cell::Null, Cell::Int(1), Cell::Int(1), "nobody"),
            session(Cell::Int(77), Cell::Int(i64::MAX), Cell::Int(1), "evil\u{1b}[31m"),
            session(Cell::Int(80), Cell::Int(4_000), Cell::Int(0), ""),
        ])]);
        let ids: Vec<_> = table.sessions.iter().map(|s| (s.session_id, s.total_kb())).collect();
        assert_eq!(ids, [(80, Some(32_000)), (61, Some(1_472)), (77, None)]);
        assert_eq!((table.left_out, table.sessions[0].who.login.as_deref()), (67, None));
        assert!(!table.sessions[2].who.login.as_deref().unwrap().contains('\u{1b}'));
        assert_eq!((table.size_kb(), table.contention), (None, None), "nobody told");
    }

    #[test]
    fn pages_that_tasks_wait_for_are_told_by_kind() {
        let waits = |rows| set("tempdb_waits", &["resource_description", "tasks", "longest_ms"], rows);
        let row = |resource: &str, tasks: i64, ms: Cell| vec![text(resource), Cell::Int(tasks), ms];
        let rows = vec![
            row("2:1:1", 5, Cell::Int(20)),
            row("2:3:8088", 2, Cell::Int(90)),
            row("2:1:3", 1, Cell::Null),
            row("5:1:1", 9, Cell::Int(1)),
            row("2:4:118", -3, Cell::Int(1)),
            row("nonsense", 1, Cell::Int(1)),
        ];
        let table = decoded(vec![sessions(vec![]), waits(rows)]);
        let pfs = Contention { kind: PageKind::Pfs, tasks: 7, longest_ms: Some(90) };
        let sgam = Contention { kind: PageKind::Sgam, tasks: 1, longest_ms: None };
        assert_eq!(table.contention, Some(vec![pfs, sgam]));
        assert_eq!(decoded(vec![sessions(vec![]), waits(vec![])]).contention, Some(vec![]), "none waits");
    }

    #[test]
    fn files_are_summed_and_a_hole_makes_no_sum() {
        let columns = ["file_id", "total_pages", "free_pages", "version_pages", "user_pages"];
        let row =
            |id, version: Cell| vec![Cell::Int(id), Cell::Int(1_000), Cell::Int(10), version, Cell::Int(5)];
        let rows = vec![row(1, Cell::Int(100)), row(3, Cell::Null), row(4, Cell::Int(100))];
        let table = decoded(vec![sessions(vec![]), set("tempdb_files", &columns, rows)]);
        assert_eq!((table.size_kb(), table.free_kb()), (Some(24_000), Some(240)));
        assert_eq!((table.user_kb, table.version_kb, table.internal_kb), (Some(120), None, None));
    }

    #[test]
    fn version_stores_are_told_once_per_database_and_the_oldest_holder_first() {
        let store = set(
            "version_store",
            &["database_id", "reserved_space_kb"],
            vec![vec![Cell::Int(5), Cell::Int(100)], vec![Cell::Int(6), Cell::Int(900)]],
        );
        let own = set(
            "persistent_versions",
            &[
                "database_id",
                "persistent_version_store_size_kb",
                "current_aborted_transaction_count",
                "oldest_session_id",
                "snapshot_session_id",
            ],
            vec![vec![Cell::Int(5), Cell::Int(5_000), Cell::Int(3), Cell::Int(71), Cell::Int(72)]],
        );
        let holder = |id, s: Cell| vec![Cell::Int(id), Cell::Int(1), s];
        let holders = set(
            "version_holders",
            &["session_id", "is_snapshot", "elapsed_time_seconds"],
            vec![holder(70, Cell::Null), holder(71, Cell::Int(i64::MAX)), holder(72, Cell::Int(30))],
        );
        let table = decoded(vec![sessions(vec![]), store, own, holders]);
        let stores: Vec<_> =
            table.stores.iter().map(|s| (s.database_id, s.tempdb_kb, s.own_kb, s.aborted)).collect();
        assert_eq!(stores, [(5, Some(100), Some(5_000), Some(3)), (6, Some(900), None, None)]);
        assert_eq!(table.stores[0].holders().collect::<Vec<_>>(), [71, 72]);
        let ages: Vec<_> = table.holders.iter().map(|h| (h.session_id, h.for_ms)).collect();
        assert_eq!(ages, [(72, Some(30_000)), (70, None), (71, None)]);
    }
}
