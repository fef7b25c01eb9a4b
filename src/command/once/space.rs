//! From a snapshot to the rows of `once storage`, `files`, `tempdb`, `txlog`, `memory` and `grants`: pure, as `rows` is.

use super::rows::{Column, Scoped, grid_with_holes, of_instance, squeeze};
use crate::{
    cli::What,
    command::output::{Cell, Grid},
    model::{
        fold::snapshot::InstanceSnapshot,
        poll::{
            clerks::{ClerkRow, ClerkTable},
            files::FileRow,
            grants::GrantRow,
            log_use::LogUseRow,
            logs::LogRow,
            space::{FileSpace, Fits, Growth, Most},
            tempdb::TempdbSession,
            volumes::VolumeRow,
        },
    },
};

/// The rows of one of these subjects; None: it is another one.
pub fn rows(what: What, scope: Scoped<'_>) -> Option<Grid> {
    Some(match what {
        What::Storage => storage(scope),
        What::Files => files(scope),
        What::Tempdb => tempdb(scope),
        What::Txlog => txlog(scope),
        What::Memory => memory(scope),
        What::Grants => grants(scope),
        _ => return None,
    })
}

/// A row a volume.
fn storage(scope: Scoped<'_>) -> Grid {
    let rows = scope.iter().flat_map(|i| of_instance(i, &i.facts.volumes, |v| v.iter().collect()));
    grid_with_holes(&storage_columns(), rows)
}

/// The columns of volumes.
pub fn storage_columns<'a>() -> [Column<&'a VolumeRow>; 5] {
    [
        ("volume", |v| Cell::text(v.mount.as_deref())),
        ("size_kb", |v| Cell::int(v.total_bytes.map(|bytes| bytes / 1024))),
        ("free_kb", |v| Cell::int(v.free_bytes.map(|bytes| bytes / 1024))),
        ("free_pct", |v| {
            let total = v.total_bytes.filter(|bytes| *bytes > 0);
            Cell::real(total.zip(v.free_bytes).map(|(all, free)| free as f64 / all as f64 * 100.0))
        }),
        ("full_in_ms", |v| Cell::int(v.full_in_ms)),
    ]
}

/// A file with its instance.
type FileOf<'a> = (&'a InstanceSnapshot, &'a FileRow);

/// A row a file, slowest first.
fn files(scope: Scoped<'_>) -> Grid {
    let rows = scope
        .iter()
        .flat_map(|i| of_instance(i, &i.facts.files, |t| t.files.iter().map(|file| (*i, file)).collect()));
    grid_with_holes(&files_columns(), rows)
}

fn room<'a>((i, row): &FileOf<'a>) -> Option<&'a FileSpace> {
    i.facts.space.get()?.of(row.file.ids())
}

fn fits(file: &FileOf<'_>) -> Option<Fits> {
    let (i, row) = file;
    let volumes = i.facts.volumes.get().map_or(&[][..], |rows| &rows[..]);
    room(file)?.fits(row.size_bytes.map(|bytes| bytes / 1024), volumes)
}

/// The columns of files.
pub fn files_columns<'a>() -> [Column<FileOf<'a>>; 17] {
    [
        ("database", |(_, f)| Cell::text(f.file.database.as_deref())),
        ("file", |(_, f)| Cell::text(f.file.name.as_deref())),
        ("type", |(_, f)| Cell::text(f.file.kind.as_deref())),
        ("read_ms", |(_, f)| Cell::real(f.read_ms)),
        ("write_ms", |(_, f)| Cell::real(f.write_ms)),
        ("reads_per_s", |(_, f)| Cell::real(f.reads_per_s)),
        ("writes_per_s", |(_, f)| Cell::real(f.writes_per_s)),
        ("read_bytes_per_s", |(_, f)| Cell::real(f.read_bytes_per_s)),
        ("write_bytes_per_s", |(_, f)| Cell::real(f.write_bytes_per_s)),
        ("pending_ios", |(_, f)| Cell::int(f.pending_ios)),
        ("size_kb", |(_, f)| Cell::int(f.size_bytes.map(|bytes| bytes / 1024))),
        ("used_kb", |(i, f)| Cell::int(i.facts.room.get().and_then(|room| room.of(f.file.ids())?.used_kb))),
        ("growth", |file| {
            Cell::text(
                room(file)
                    .and_then(|room| match room.growth {
                        Growth::Unknown => None,
                        Growth::Fixed => Some("fixed".to_owned()),
                        Growth::ByKb(kb) => Some(format!("{kb} KB")),
                        Growth::ByPct(pct) => Some(format!("{pct} %")),
                    })
                    .as_deref(),
            )
        }),
        ("next_kb", |file| {
            let size_kb = file.1.size_bytes.map(|bytes| bytes / 1024);
            Cell::int(room(file).and_then(|room| room.next_kb(size_kb)))
        }),
        ("next_fits", |file| Cell::text(fits(file).map(Fits::word))),
        ("max_kb", |file| {
            Cell::int(room(file).and_then(|room| match room.most {
                Most::Kb(kb) => Some(kb),
                Most::Unknown | Most::Unlimited => None,
            }))
        }),
        ("path", |(_, f)| Cell::text(f.file.path.as_deref())),
    ]
}

/// A session with its instance.
type SessionOf<'a, S> = (&'a InstanceSnapshot, &'a S);

/// What a session runs, if the activity poll knows it.
fn statement(i: &InstanceSnapshot, session_id: i32) -> Cell {
    let requests = i.facts.activity.get().map_or(&[][..], |activity| &activity.requests[..]);
    let request = requests.iter().find(|request| request.session_id == session_id);
    let text = request.and_then(|request| request.statement.as_ref());
    Cell::text(text.map(|text| squeeze(text.as_str())).as_deref())
}

/// A row a session that holds tempdb, the greatest first.
fn tempdb(scope: Scoped<'_>) -> Grid {
    let rows = scope.iter().flat_map(|i| {
        of_instance(i, &i.facts.tempdb_use, |t| t.sessions.iter().map(|session| (*i, session)).collect())
    });
    grid_with_holes(&tempdb_columns(), rows)
}

/// The columns of sessions in tempdb.
pub fn tempdb_columns<'a>() -> [Column<SessionOf<'a, TempdbSession>>; 9] {
    [
        ("session_id", |(_, s)| Cell::Int(s.session_id.into())),
        ("total_kb", |(_, s)| Cell::int(s.total_kb())),
        ("user_objects_kb", |(_, s)| Cell::int(s.user_kb)),
        ("internal_objects_kb", |(_, s)| Cell::int(s.internal_kb)),
        ("status", |(_, s)| Cell::text(s.status.as_deref())),
        ("login", |(_, s)| Cell::text(s.who.login.as_deref())),
        ("host", |(_, s)| Cell::text(s.who.host.as_deref())),
        ("program", |(_, s)| Cell::text(s.who.program.as_deref())),
        ("statement", |(i, s)| statement(i, s.session_id)),
    ]
}

/// The log of a database with its instance.
type LogOf<'a> = (&'a InstanceSnapshot, LogRow);

/// A row a database, the fullest log first.
fn txlog(scope: Scoped<'_>) -> Grid {
    let rows = scope.iter().flat_map(|i| {
        of_instance(i, &i.facts.logs, |logs| {
            // Volumes may have told later than the first poll of the logs.
            let volumes = i.facts.volumes.get().map_or(&[][..], |rows| &rows[..]);
            let sized = |log: &LogRow| LogRow {
                capacity_kb: log.capacity_kb.or_else(|| log.capacity_on(volumes)),
                ..log.clone()
            };
            let mut logs: Vec<LogOf<'_>> = logs.iter().map(|log| (*i, sized(log))).collect();
            let full = |log: &LogRow| log.used_pct().unwrap_or(-1.0);
            logs.sort_by(|(_, a), (_, b)| full(b).total_cmp(&full(a)));
            logs
        })
    });
    grid_with_holes(&txlog_columns(), rows)
}

fn structure<'a>((i, log): &LogOf<'a>) -> Option<&'a LogUseRow> {
    i.facts.log_use.get()?.of(log.database.as_deref()?)
}

/// The columns of transaction logs.
pub fn txlog_columns<'a>() -> [Column<LogOf<'a>>; 17] {
    [
        ("database", |(_, l)| Cell::text(l.database.as_deref())),
        ("used_pct", |(_, l)| Cell::real(l.of_files_pct())),
        ("of_max_pct", |(_, l)| Cell::real(l.used_pct())),
        ("used_kb", |(_, l)| Cell::int(l.used_kb)),
        ("size_kb", |(_, l)| Cell::int(l.size_kb)),
        ("capacity_kb", |(_, l)| Cell::int(l.capacity_kb)),
        ("waits_for", |(_, l)| Cell::text(l.reuse_wait.as_deref())),
        ("holder_session_id", |(_, l)| {
            let session = l.holder.as_ref().and_then(|holder| holder.session_id);
            Cell::int(session.map(i64::from))
        }),
        ("holder_login", |(_, l)| {
            Cell::text(l.holder.as_ref().and_then(|holder| holder.who.login.as_deref()))
        }),
        ("holder_log_kb", |(_, l)| {
            Cell::int(l.holder.as_ref().and_then(|holder| holder.log_bytes).map(|bytes| bytes / 1024))
        }),
        ("next_growth_kb", |(_, l)| Cell::int(l.next_growth_kb)),
        ("next_fits", |(_, l)| Cell::text(l.fits().map(Fits::word))),
        ("full_in_ms", |(_, l)| Cell::int(l.full_in_ms)),
        ("vlfs", |log| Cell::int(structure(log).and_then(|log| log.vlfs))),
        ("active_vlfs", |log| Cell::int(structure(log).and_then(|log| log.active_vlfs))),
        ("since_backup_kb", |log| Cell::int(structure(log).and_then(|log| log.since_backup_kb))),
        ("path", |(_, l)| Cell::text(l.path.as_deref())),
    ]
}

/// A clerk type with all of its instance.
type ClerkOf<'a> = (&'a ClerkTable, &'a ClerkRow);

/// A row a type of memory clerk, the largest first.
fn memory(scope: Scoped<'_>) -> Grid {
    let rows = scope.iter().flat_map(|i| {
        of_instance(i, &i.facts.clerks, |table| table.clerks.iter().map(|clerk| (&**table, clerk)).collect())
    });
    grid_with_holes(&memory_columns(), rows)
}

/// The columns of memory clerks.
pub fn memory_columns<'a>() -> [Column<ClerkOf<'a>>; 6] {
    [
        ("clerk", |(_, c)| Cell::Text(c.kind.to_string())),
        ("size_kb", |(_, c)| Cell::int(c.pages_kb)),
        ("share_pct", |(table, c)| Cell::real(table.share_pct(c))),
        ("grown_kb", |(_, c)| Cell::int(c.grown_kb)),
        ("virtual_kb", |(_, c)| Cell::int(c.virtual_kb)),
        ("clerks", |(_, c)| Cell::int(c.clerks)),
    ]
}

/// A row a request that holds or awaits a memory grant, those that wait first.
fn grants(scope: Scoped<'_>) -> Grid {
    let rows = scope.iter().flat_map(|i| {
        of_instance(i, &i.facts.grants, |t| t.grants.iter().map(|grant| (*i, grant)).collect())
    });
    grid_with_holes(&grants_columns(), rows)
}

/// The columns of memory grants.
pub fn grants_columns<'a>() -> [Column<SessionOf<'a, GrantRow>>; 12] {
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
