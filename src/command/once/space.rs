//! From a snapshot to the rows of `once storage`, `files` and `txlog`: pure, as `rows` is. What holds memory and tempdb is in `held`.

use super::{
    held,
    rows::{Column, Scoped, grid_with_holes, of_instance},
};
use crate::{
    cli::What,
    command::output::{Cell, Grid},
    model::{
        base::{time::Timestamp, zone::Zone},
        fold::{
            snapshot::InstanceSnapshot,
            together::{Sums, next_fits, oldest_transaction},
        },
        inventory::instance::InstanceId,
        poll::{
            files::FileRow,
            log_use::LogUseRow,
            logs::LogRow,
            space::{FileSpace, Fits, Growth, Most},
            volumes::VolumeRow,
        },
        timeline::forecast::Outlook,
    },
};
use std::{collections::HashMap, sync::Arc};

/// When volumes are full, by instance and mount point, as history says it.
pub type Outlooks = HashMap<(InstanceId, Arc<str>), Outlook>;

/// What rows need beside the snapshot.
pub struct Beside<'a> {
    /// for times of day
    pub zone: &'a Zone,
    /// of the snapshot
    pub now: Timestamp,
    /// when volumes are full; None: no history of this fleet is kept here
    pub outlooks: Option<&'a Outlooks>,
}

/// The rows of one of these subjects; None: it is another one.
pub fn rows(what: What, scope: Scoped<'_>, beside: &Beside<'_>) -> Option<Grid> {
    Some(match what {
        What::Storage => storage(scope, beside),
        What::Files => files(scope),
        What::Tempdb => held::tempdb(scope),
        What::Txlog => txlog(scope, beside),
        What::Memory => held::memory(scope, beside.zone),
        What::Grants => held::grants(scope),
        _ => return None,
    })
}

/// A volume, what the files on it do together, and when it is full by its last months.
pub(super) struct VolumeOf<'a> {
    volume: &'a VolumeRow,
    /// None: nothing is known of files
    sums: Option<Sums>,
    /// whether growths of files are known
    has_space: bool,
    /// None: no history of this fleet is kept here
    outlook: Option<Outlook>,
}

/// A row a volume.
fn storage(scope: Scoped<'_>, beside: &Beside<'_>) -> Grid {
    let row = |i: &InstanceSnapshot, volumes: &[VolumeRow], at: usize| {
        let volume = volumes.get(at)?;
        let key = volume.mount.as_ref().map(|mount| (i.id().clone(), Arc::clone(mount)));
        let outlook = beside.outlooks.zip(key).and_then(|(known, key)| known.get(&key).copied());
        Some((i.facts.files.get().map(|_| Sums::of_volume(i, volumes, volume)), outlook))
    };
    let rows = scope.iter().flat_map(|i| {
        of_instance(i, &i.facts.volumes, |volumes| {
            let has_space = i.facts.space.get().is_some();
            let told = volumes.iter().enumerate().filter_map(|(at, volume)| {
                let (sums, outlook) = row(i, volumes, at)?;
                Some(VolumeOf { volume, sums, has_space, outlook })
            });
            told.collect()
        })
    });
    grid_with_holes(&storage_columns(), rows)
}

/// The columns of volumes.
pub(super) fn storage_columns<'a>() -> [Column<VolumeOf<'a>>; 19] {
    [
        ("volume", |v| Cell::text(v.volume.mount.as_deref())),
        ("size_kb", |v| Cell::int(v.volume.total_bytes.map(|bytes| bytes / 1024))),
        ("free_kb", |v| Cell::int(v.volume.free_bytes.map(|bytes| bytes / 1024))),
        ("free_pct", |v| Cell::real(v.volume.free_pct())),
        ("full_in_ms", |v| Cell::int(v.volume.full_in_ms)),
        ("days_to_full", |v| match v.outlook {
            Some(Outlook::Full { likely, .. }) => Cell::real(Some(likely)),
            _ => Cell::text(None),
        }),
        ("no_date", |v| match v.outlook {
            Some(Outlook::Full { .. }) => Cell::text(None),
            Some(Outlook::NoDate(why)) => Cell::Text(why.words()),
            None => Cell::Text("no history is kept here".into()),
        }),
        ("files", |v| Cell::int(v.sums.map(|sums| sums.traffic.files))),
        ("read_ms", |v| Cell::real(v.sums.and_then(|sums| sums.traffic.read_ms))),
        ("write_ms", |v| Cell::real(v.sums.and_then(|sums| sums.traffic.write_ms))),
        ("reads_per_s", |v| Cell::real(v.sums.and_then(|sums| sums.traffic.reads))),
        ("writes_per_s", |v| Cell::real(v.sums.and_then(|sums| sums.traffic.writes))),
        ("read_bytes_per_s", |v| Cell::real(v.sums.and_then(|sums| sums.traffic.read_bytes))),
        ("write_bytes_per_s", |v| Cell::real(v.sums.and_then(|sums| sums.traffic.write_bytes))),
        ("read_stall_ms_per_s", |v| Cell::real(v.sums.and_then(|sums| sums.traffic.read_stall))),
        ("write_stall_ms_per_s", |v| Cell::real(v.sums.and_then(|sums| sums.traffic.write_stall))),
        ("pending_ios", |v| Cell::int(v.sums.and_then(|sums| sums.traffic.pending))),
        ("oldest_io_ms", |v| Cell::int(v.sums.and_then(|sums| sums.traffic.oldest_io_ms))),
        ("cannot_grow", |v| Cell::int(v.sums.filter(|_| v.has_space).map(|sums| sums.failing))),
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

/// The columns of files.
pub(super) fn files_columns<'a>() -> [Column<FileOf<'a>>; 21] {
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
        ("read_stall_ms_per_s", |(_, f)| Cell::real(f.read_stall())),
        ("write_stall_ms_per_s", |(_, f)| Cell::real(f.write_stall())),
        ("pending_ios", |(_, f)| Cell::int(f.pending_ios)),
        ("ios_at_os", |(_, f)| Cell::int(f.ios_at_os)),
        ("oldest_io_ms", |(_, f)| Cell::int(f.oldest_io_ms)),
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
        ("next_fits", |(i, f)| Cell::text(next_fits(i, f).map(Fits::word))),
        ("max_kb", |file| {
            Cell::int(room(file).and_then(|room| match room.most {
                Most::Kb(kb) => Some(kb),
                Most::Unknown | Most::Unlimited => None,
            }))
        }),
        ("path", |(_, f)| Cell::text(f.file.path.as_deref())),
    ]
}

/// The log of a database with its instance, and the clock.
type LogOf<'a> = (&'a InstanceSnapshot, LogRow, &'a Beside<'a>);

/// A row a database, the fullest log first.
fn txlog(scope: Scoped<'_>, beside: &Beside<'_>) -> Grid {
    let rows = scope.iter().flat_map(|i| {
        of_instance(i, &i.facts.logs, |logs| {
            // Volumes may have told later than the first poll of the logs.
            let volumes = i.facts.volumes.get().map_or(&[][..], |rows| &rows[..]);
            let sized = |log: &LogRow| LogRow {
                capacity_kb: log.capacity_kb.or_else(|| log.capacity_on(volumes)),
                ..log.clone()
            };
            let mut logs: Vec<LogOf<'_>> = logs.iter().map(|log| (*i, sized(log), beside)).collect();
            let full = |log: &LogRow| log.used_pct().unwrap_or(-1.0);
            logs.sort_by(|(_, a, _), (_, b, _)| full(b).total_cmp(&full(a)));
            logs
        })
    });
    grid_with_holes(&txlog_columns(), rows)
}

fn structure<'a>((i, log, _): &LogOf<'a>) -> Option<&'a LogUseRow> {
    i.facts.log_use.get()?.of(log.database.as_deref()?)
}

fn age_ms((_, _, beside): &LogOf<'_>, since: Timestamp) -> i64 {
    (beside.now - since).max(0)
}

/// The columns of transaction logs.
pub(super) fn txlog_columns<'a>() -> [Column<LogOf<'a>>; 21] {
    [
        ("database", |(_, l, _)| Cell::text(l.database.as_deref())),
        ("used_pct", |(_, l, _)| Cell::real(l.of_files_pct())),
        ("of_max_pct", |(_, l, _)| Cell::real(l.used_pct())),
        ("used_kb", |(_, l, _)| Cell::int(l.used_kb)),
        ("size_kb", |(_, l, _)| Cell::int(l.size_kb)),
        ("capacity_kb", |(_, l, _)| Cell::int(l.capacity_kb)),
        ("waits_for", |(_, l, _)| Cell::text(l.reuse_wait.as_deref())),
        ("holder_session_id", |(_, l, _)| {
            let session = l.holder.as_ref().and_then(|holder| holder.session_id);
            Cell::int(session.map(i64::from))
        }),
        ("holder_login", |(_, l, _)| {
            Cell::text(l.holder.as_ref().and_then(|holder| holder.who.login.as_deref()))
        }),
        ("holder_log_kb", |(_, l, _)| {
            Cell::int(l.holder.as_ref().and_then(|holder| holder.log_bytes).map(|bytes| bytes / 1024))
        }),
        ("held_for_ms", |log| Cell::int(log.1.held_since(structure(log)).map(|at| age_ms(log, at)))),
        ("oldest_transaction_ms", |log| {
            Cell::int(oldest_transaction(log.0, &log.1).map(|(_, at)| age_ms(log, at)))
        }),
        ("oldest_session_id", |(i, l, _)| {
            Cell::int(oldest_transaction(i, l).and_then(|(session, _)| session).map(i64::from))
        }),
        ("next_growth_kb", |(_, l, _)| Cell::int(l.next_growth_kb)),
        ("next_fits", |(_, l, _)| Cell::text(l.fits().map(Fits::word))),
        ("full_in_ms", |(_, l, _)| Cell::int(l.full_in_ms)),
        ("vlfs", |log| Cell::int(structure(log).and_then(|log| log.vlfs))),
        ("active_vlfs", |log| Cell::int(structure(log).and_then(|log| log.active_vlfs))),
        ("last_backup", |log| {
            let at = structure(log).and_then(|structure| structure.backup_at);
            Cell::text(at.map(|at| log.2.zone.rfc3339(at)).as_deref())
        }),
        ("since_backup_kb", |log| Cell::int(structure(log).and_then(|log| log.since_backup_kb))),
        ("path", |(_, l, _)| Cell::text(l.path.as_deref())),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::timeline::forecast::{NoDate, Tried};

    #[test]
    fn a_volume_has_a_date_or_the_reason_why_not() {
        let volume = VolumeRow::default();
        let told = |outlook| {
            let row = VolumeOf { volume: &volume, sums: None, has_space: false, outlook };
            let columns = storage_columns();
            ["days_to_full", "no_date"].map(|name| {
                let (_, cell) = columns.iter().find(|(column, _)| *column == name).unwrap();
                cell(&row).shown()
            })
        };
        let tried = Tried::default();
        let full = Outlook::Full { soonest: 38.0, likely: 41.0, latest: None, per_day: 1.0, tried };
        assert_eq!(told(Some(full)), ["41.0", "–"]);
        assert_eq!(told(Some(Outlook::NoDate(NoDate::Steady))), ["–", "does not grow"]);
        assert_eq!(told(None), ["–", "no history is kept here"]);
    }
}
