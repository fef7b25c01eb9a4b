//! From a snapshot to the rows of `once tempdb`, `memory` and `grants`: pure, as `rows` is. What a pane says above its rows are rows of
//! their own kind here, which the column `row` names.

use super::rows::{Column, Scoped, grid_with_holes, of_instance, squeeze};
use crate::{
    command::output::{Cell, Grid},
    model::{
        base::zone::Zone,
        fold::snapshot::InstanceSnapshot,
        poll::{
            clerks::{ClerkRow, ClerkTable},
            grants::{GrantRow, MemoryHealth, PlanKind},
            tempdb::{Contention, TempdbFile, TempdbSession, TempdbTable, VersionHolder, VersionStore},
            who::Who,
        },
    },
};

/// A session with its instance.
type SessionOf<'a, S> = (&'a InstanceSnapshot, &'a S);

/// What a session runs, if the activity poll knows it.
fn statement(i: &InstanceSnapshot, session_id: i32) -> Cell {
    let requests = i.facts.activity.get().map_or(&[][..], |activity| &activity.requests[..]);
    let request = requests.iter().find(|request| request.session_id == session_id);
    let text = request.and_then(|request| request.statement.as_ref());
    Cell::text(text.map(|text| squeeze(text.as_str())).as_deref())
}

/// What is told of tempdb.
pub(super) enum Tempdb<'a> {
    /// a part of what it is full of, KB
    Contents(&'static str, i64),
    /// a data file
    File(&'a TempdbFile),
    /// the row versions of a database
    Versions(&'a VersionStore),
    /// a session that keeps row versions from being cleaned up
    Holder(&'a VersionHolder),
    /// tasks that wait for pages of one kind
    Contention(&'a Contention),
    /// a session that holds some of it
    Session(SessionOf<'a, TempdbSession>),
}

/// What it is full of, its files, version stores and who holds them, who waits; then a row a session that holds some of it, the greatest
/// first.
pub(super) fn tempdb(scope: Scoped<'_>) -> Grid {
    let rows = scope.iter().flat_map(|i| of_instance(i, &i.facts.tempdb_use, |table| told(i, table)));
    grid_with_holes(&tempdb_columns(), rows)
}

fn told<'a>(i: &'a InstanceSnapshot, table: &'a TempdbTable) -> Vec<Tempdb<'a>> {
    let contents = [
        ("all", table.size_kb()),
        ("user objects", table.user_kb),
        ("user objects of no session now", table.user_of_nobody_kb()),
        ("internal objects", table.internal_kb),
        ("internal objects of no session now", table.internal_of_nobody_kb()),
        ("version store", table.version_kb),
        ("mixed extents", table.mixed_kb),
        ("free", table.free_kb()),
    ];
    let contents = contents.into_iter().filter_map(|(name, kb)| Some(Tempdb::Contents(name, kb?)));
    contents
        .chain(table.files.iter().map(Tempdb::File))
        .chain(table.stores.iter().map(Tempdb::Versions))
        .chain(table.holders.iter().map(Tempdb::Holder))
        .chain(table.contention.iter().flatten().map(Tempdb::Contention))
        .chain(table.sessions.iter().map(|session| Tempdb::Session((i, session))))
        .collect()
}

impl<'a> Tempdb<'a> {
    const fn row(&self) -> &'static str {
        match self {
            Self::Contents(..) => "contents",
            Self::File(_) => "file",
            Self::Versions(_) => "versions",
            Self::Holder(_) => "holder of versions",
            Self::Contention(_) => "contention",
            Self::Session(_) => "session",
        }
    }

    fn name(&self) -> Option<String> {
        match self {
            Self::Contents(name, _) => Some((*name).to_owned()),
            Self::File(file) => Some(format!("file {}", file.file_id)),
            Self::Versions(store) => {
                let id = || format!("db {}", store.database_id);
                Some(store.database.as_ref().map_or_else(id, ToString::to_string))
            }
            Self::Contention(waits) => Some(waits.kind.word().to_owned()),
            Self::Holder(_) | Self::Session(_) => None,
        }
    }

    fn session(&self) -> Option<&'a TempdbSession> {
        match self {
            Self::Session((_, session)) => Some(session),
            _ => None,
        }
    }

    fn store(&self) -> Option<&'a VersionStore> {
        match self {
            Self::Versions(store) => Some(store),
            _ => None,
        }
    }

    fn session_id(&self) -> Option<i32> {
        match self {
            Self::Session((_, session)) => Some(session.session_id),
            Self::Holder(holder) => Some(holder.session_id),
            // Who keeps the versions that the database has itself.
            Self::Versions(store) => store.holders().next(),
            _ => None,
        }
    }

    fn total_kb(&self) -> Option<i64> {
        match self {
            Self::Contents(_, kb) => Some(*kb),
            Self::File(file) => file.size_kb,
            Self::Versions(store) => store.tempdb_kb,
            Self::Session((_, session)) => session.total_kb(),
            Self::Holder(_) | Self::Contention(_) => None,
        }
    }

    fn for_ms(&self) -> Option<i64> {
        match self {
            Self::Holder(holder) => holder.for_ms,
            Self::Contention(waits) => waits.longest_ms,
            _ => None,
        }
    }

    fn who(&self) -> Option<&'a Who> {
        match self {
            Self::Session((_, session)) => Some(&session.who),
            Self::Holder(holder) => Some(&holder.who),
            _ => None,
        }
    }
}

/// The columns of tempdb.
pub(super) fn tempdb_columns<'a>() -> [Column<Tempdb<'a>>; 16] {
    [
        ("row", |t| Cell::text(Some(t.row()))),
        ("name", |t| Cell::text(t.name().as_deref())),
        ("session_id", |t| Cell::int(t.session_id().map(i64::from))),
        ("total_kb", |t| Cell::int(t.total_kb())),
        ("user_objects_kb", |t| Cell::int(t.session().and_then(|session| session.user_kb))),
        ("internal_objects_kb", |t| Cell::int(t.session().and_then(|session| session.internal_kb))),
        ("free_kb", |t| match t {
            Tempdb::File(file) => Cell::int(file.free_kb),
            _ => Cell::text(None),
        }),
        ("own_versions_kb", |t| Cell::int(t.store().and_then(|store| store.own_kb))),
        ("aborted", |t| Cell::int(t.store().and_then(|store| store.aborted))),
        ("tasks", |t| match t {
            Tempdb::Contention(waits) => Cell::Int(waits.tasks),
            _ => Cell::text(None),
        }),
        ("for_ms", |t| Cell::int(t.for_ms())),
        ("status", |t| Cell::text(t.session().and_then(|session| session.status.as_deref()))),
        ("login", |t| Cell::text(t.who().and_then(|who| who.login.as_deref()))),
        ("host", |t| Cell::text(t.who().and_then(|who| who.host.as_deref()))),
        ("program", |t| Cell::text(t.who().and_then(|who| who.program.as_deref()))),
        ("statement", |t| match t {
            Tempdb::Session((i, session)) => statement(i, session.session_id),
            _ => Cell::text(None),
        }),
    ]
}

/// What is told of memory.
pub(super) enum Memory<'a> {
    /// an amount of the instance, KB
    Amount(&'static str, i64),
    /// whether somebody was told that memory is low
    Low(&'static str, bool),
    /// page life, s; of a NUMA node, or of all
    PageLife(Option<u16>, i64),
    /// a part of the plan cache
    Plans(&'a PlanKind),
    /// a verdict of the engine
    Health(&'a MemoryHealth, &'a Zone),
    /// a clerk type with all of its instance
    Clerk(&'a ClerkTable, &'a ClerkRow),
}

/// What there is and who says that it is low, page life, what the plan cache is made of, the engine's verdicts; then a row a type of memory
/// clerk, the largest first.
pub(super) fn memory(scope: Scoped<'_>, zone: &Zone) -> Grid {
    let rows = scope.iter().flat_map(|i| {
        let name = i.info.id.as_str();
        let mut rows: Vec<_> = amounts(i).into_iter().map(|row| (name, Ok(row))).collect();
        rows.extend(of_instance(i, &i.facts.grants, |table| {
            let nodes = table.page_life.iter().map(|(node, s)| Memory::PageLife(Some(*node), *s));
            let plans = table.plans.iter().map(Memory::Plans);
            let health = table.health.iter().map(|health| Memory::Health(health, zone));
            nodes.chain(plans).chain(health).collect()
        }));
        let clerks = of_instance(i, &i.facts.clerks, |table| {
            table.clerks.iter().map(|clerk| Memory::Clerk(table, clerk)).collect()
        });
        // Both lack the same right where one is lacking: it is said once.
        let is_said = |why: &String| rows.iter().any(|(_, row)| row.as_ref().err() == Some(why));
        let clerks: Vec<_> =
            clerks.into_iter().filter(|(_, row)| !row.as_ref().err().is_some_and(is_said)).collect();
        rows.extend(clerks);
        rows
    });
    grid_with_holes(&memory_columns(), rows)
}

fn amounts<'a>(i: &InstanceSnapshot) -> Vec<Memory<'a>> {
    let (headline, memory) = (i.facts.headline.get(), i.facts.memory.get());
    let kb = [
        ("target", headline.and_then(|h| h.target_memory_kb)),
        ("total", headline.and_then(|h| h.total_memory_kb)),
        ("stolen", i.facts.clerks.get().and_then(|clerks| clerks.stolen_kb())),
        ("process", memory.and_then(|m| m.process_kb)),
        ("machine", memory.and_then(|m| m.physical_kb)),
    ];
    let low = [
        ("process", memory.and_then(|m| m.process_low)),
        ("operating system", memory.and_then(|m| m.machine_low)),
    ];
    let kb = kb.into_iter().filter_map(|(name, kb)| Some(Memory::Amount(name, kb?)));
    let low = low.into_iter().filter_map(|(name, is_low)| Some(Memory::Low(name, is_low?)));
    let life = headline.and_then(|h| h.page_life_s).map(|s| Memory::PageLife(None, s));
    kb.chain(low).chain(life).collect()
}

impl<'a> Memory<'a> {
    const fn row(&self) -> &'static str {
        match self {
            Self::Amount(..) => "amount",
            Self::Low(..) => "low memory",
            Self::PageLife(..) => "page life",
            Self::Plans(_) => "plan cache",
            Self::Health(..) => "health",
            Self::Clerk(..) => "clerk",
        }
    }

    fn name(&self) -> Option<String> {
        match self {
            Self::Amount(name, _) | Self::Low(name, _) => Some((*name).to_owned()),
            Self::PageLife(Some(node), _) => Some(format!("node {node}")),
            Self::PageLife(None, _) => Some("all".to_owned()),
            Self::Plans(kind) => Some(kind.name.to_string()),
            Self::Health(health, _) => health.severity.as_ref().map(ToString::to_string),
            Self::Clerk(_, clerk) => Some(clerk.kind.to_string()),
        }
    }

    fn size_kb(&self) -> Option<i64> {
        match self {
            Self::Amount(_, kb) => Some(*kb),
            Self::Plans(kind) => kind.pages_kb,
            Self::Clerk(_, clerk) => clerk.pages_kb,
            _ => None,
        }
    }

    fn clerk(&self) -> Option<&'a ClerkRow> {
        match self {
            Self::Clerk(_, clerk) => Some(clerk),
            _ => None,
        }
    }

    fn plans(&self) -> Option<&'a PlanKind> {
        match self {
            Self::Plans(kind) => Some(kind),
            _ => None,
        }
    }

    fn health(&self) -> Option<&'a MemoryHealth> {
        match self {
            Self::Health(health, _) => Some(health),
            _ => None,
        }
    }
}

/// The columns of memory.
pub(super) fn memory_columns<'a>() -> [Column<Memory<'a>>; 15] {
    const KB: i64 = 1024;
    [
        ("row", |m| Cell::text(Some(m.row()))),
        ("name", |m| Cell::text(m.name().as_deref())),
        ("size_kb", |m| Cell::int(m.size_kb())),
        ("share_pct", |m| match m {
            Memory::Clerk(table, clerk) => Cell::real(table.share_pct(clerk)),
            _ => Cell::text(None),
        }),
        ("virtual_kb", |m| Cell::int(m.clerk().and_then(|clerk| clerk.virtual_kb))),
        ("clerks", |m| Cell::int(m.clerk().and_then(|clerk| clerk.clerks))),
        ("plans", |m| Cell::int(m.plans().and_then(|kind| kind.plans))),
        ("plans_in_use", |m| Cell::int(m.plans().and_then(|kind| kind.in_use))),
        ("page_life_s", |m| match m {
            Memory::PageLife(_, s) => Cell::Int(*s),
            _ => Cell::text(None),
        }),
        ("is_low", |m| match m {
            Memory::Low(_, is_low) => Cell::Flag(*is_low),
            _ => Cell::text(None),
        }),
        ("at", |m| match m {
            Memory::Health(health, zone) => Cell::time(health.at, zone),
            _ => Cell::text(None),
        }),
        ("may_allocate_kb", |m| {
            Cell::int(m.health().and_then(|health| health.potential_mb?.checked_mul(KB)))
        }),
        ("reclaimable_kb", |m| {
            Cell::int(m.health().and_then(|health| health.reclaimable_mb?.checked_mul(KB)))
        }),
        ("out_of_memory", |m| Cell::int(m.health().and_then(|health| health.out_of_memory))),
        ("timed_out_grants", |m| Cell::int(m.health().and_then(|health| health.timeouts))),
    ]
}

/// A row a request that holds or awaits a memory grant, those that wait first.
pub(super) fn grants(scope: Scoped<'_>) -> Grid {
    let rows = scope.iter().flat_map(|i| {
        of_instance(i, &i.facts.grants, |t| t.grants.iter().map(|grant| (*i, grant)).collect())
    });
    grid_with_holes(&grants_columns(), rows)
}

/// The columns of memory grants.
pub(super) fn grants_columns<'a>() -> [Column<SessionOf<'a, GrantRow>>; 12] {
    [
        ("session_id", |(_, g)| Cell::Int(g.session_id.into())),
        ("state", |(_, g)| Cell::text(Some(if g.waits() { "waits" } else { "holds" }))),
        ("wait_ms", |(_, g)| Cell::int(g.waited_ms.filter(|_| g.waits()))),
        ("requested_kb", |(_, g)| Cell::int(g.wanted_kb)),
        ("granted_kb", |(_, g)| Cell::int(g.granted_kb)),
        ("used_kb", |(_, g)| Cell::int(g.used_kb)),
        ("ideal_kb", |(_, g)| Cell::int(g.ideal_kb)),
        ("dop", |(_, g)| Cell::int(g.dop)),
        ("login", |(_, g)| Cell::text(g.who.login.as_deref())),
        ("host", |(_, g)| Cell::text(g.who.host.as_deref())),
        ("program", |(_, g)| Cell::text(g.who.program.as_deref())),
        ("statement", |(i, g)| statement(i, g.session_id)),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{base::time::Timestamp, poll::tempdb::PageKind};

    /// What a row says in a column.
    fn cell<R>(columns: &[Column<R>], row: &R, name: &str) -> String {
        let (_, cell) = columns.iter().find(|(column, _)| *column == name).unwrap();
        cell(row).shown()
    }

    #[test]
    fn a_verdict_of_the_engine_tells_all_that_it_is_judged_by() {
        let health = MemoryHealth {
            at: Some(Timestamp::from_ms(0)),
            severity: Some("HIGH".into()),
            potential_mb: Some(3),
            reclaimable_mb: Some(1_024),
            out_of_memory: Some(2),
            timeouts: Some(7),
        };
        let utc = Zone::default();
        let (row, columns) = (Memory::Health(&health, &utc), memory_columns());
        let told = ["row", "name", "may_allocate_kb", "reclaimable_kb", "out_of_memory", "timed_out_grants"]
            .map(|name| cell(&columns, &row, name));
        assert_eq!(told, ["health", "HIGH", "3072", "1048576", "2", "7"]);
        assert!(cell(&columns, &row, "at").starts_with("1970-01-01T00:00:00"));
        assert_eq!(cell(&columns, &row, "size_kb"), "–");
    }

    fn told(row: &Tempdb<'_>, names: [&str; 5]) -> [String; 5] {
        names.map(|name| cell(&tempdb_columns(), row, name))
    }

    #[test]
    fn rows_of_tempdb_name_their_kind_and_who_keeps_versions() {
        let store = VersionStore {
            database_id: 5,
            tempdb_kb: Some(12),
            own_kb: Some(9_000),
            aborted: Some(3),
            snapshot_session: Some(71),
            ..VersionStore::default()
        };
        let waits = Contention { kind: PageKind::Pfs, tasks: 6, longest_ms: Some(31) };
        assert_eq!(
            told(&Tempdb::Versions(&store), ["row", "name", "total_kb", "own_versions_kb", "session_id"]),
            ["versions", "db 5", "12", "9000", "71"]
        );
        assert_eq!(
            told(&Tempdb::Contention(&waits), ["row", "name", "tasks", "for_ms", "session_id"]),
            ["contention", "PFS", "6", "31", "–"]
        );
    }
}
