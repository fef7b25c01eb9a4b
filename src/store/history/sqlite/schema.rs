//! The history's file: how it is opened, its tables, its migrations. The only place with `CREATE` of history. The table
//! `hot` is the write buffer: files keep its old name.
//!
//! | table | a row is | sealed, if there is a key |
//! |---|---|---|
//! | `meta` | the file itself | a known word |
//! | `instance`, `info` | an instance by its uid; names, address, groups, labels since then | all but the uid |
//! | `series` | a metric of an instance, by its code | its key: a wait type, a volume |
//! | `hot` | the write buffer: a reading not older than about 15 minutes; its points beside it | the reading |
//! | `state` | 15 minutes of an instance, as a `block` | all |
//! | `chunk` | the points of a probe over 15 minutes (`open`), then over 2 hours | no |
//! | `rollup` | the same over 5 minutes, an hour, a day | no |
//! | `text` | a statement's text, once | all |
//! | `event` | an episode, a change, a bookmark | its contents |
//! | `clock` | the time that the last writer believed in | no |
//!
//! Rows are written in the order of time and deleted from their old end, so pages come free in runs.

use crate::store::StoreError;
use rusqlite::{Connection, ErrorCode, OpenFlags, TransactionBehavior, config::DbConfig};
use std::{
    path::{Path, PathBuf},
    time::Duration,
};

/// Marks a file as a history of ours: "dbth".
const APPLICATION_ID: i32 = 0x6462_7468;
/// Rows are some 2 to 60 KB: a page twice the usual size halves the chains behind them.
const PAGE_BYTES: u32 = 8192;
/// The log is cut when it is longer, bytes.
const LOG_BYTES: u32 = 16 << 20;
const PATIENCE: Duration = Duration::from_secs(5);

/// One step for each version; never changed once released.
pub const STEPS: &[&str] = &["
    CREATE TABLE meta(one INTEGER PRIMARY KEY CHECK(one = 1), made_at INTEGER NOT NULL, sealed INTEGER NOT NULL,
        word BLOB NOT NULL) STRICT;
    CREATE TABLE instance(no INTEGER PRIMARY KEY, uid TEXT NOT NULL UNIQUE) STRICT;
    CREATE TABLE info(instance INTEGER NOT NULL, since INTEGER NOT NULL, blob BLOB NOT NULL,
        PRIMARY KEY(instance, since)) STRICT, WITHOUT ROWID;
    CREATE TABLE series(no INTEGER PRIMARY KEY, instance INTEGER NOT NULL, metric INTEGER NOT NULL, key BLOB) STRICT;
    CREATE INDEX series_of ON series(instance, metric);
    CREATE TABLE hot(no INTEGER PRIMARY KEY AUTOINCREMENT, instance INTEGER NOT NULL, at INTEGER NOT NULL,
        slot INTEGER NOT NULL, blob BLOB NOT NULL, points BLOB) STRICT;
    CREATE INDEX hot_when ON hot(instance, at, slot);
    CREATE TABLE state(no INTEGER PRIMARY KEY, instance INTEGER NOT NULL, start INTEGER NOT NULL, end INTEGER NOT NULL,
        n INTEGER NOT NULL, blob BLOB NOT NULL) STRICT;
    CREATE INDEX state_when ON state(instance, start);
    CREATE INDEX state_end ON state(end);
    CREATE TABLE chunk(no INTEGER PRIMARY KEY, instance INTEGER NOT NULL, probe INTEGER NOT NULL,
        start INTEGER NOT NULL, end INTEGER NOT NULL, open INTEGER NOT NULL, n INTEGER NOT NULL, blob BLOB NOT NULL) STRICT;
    CREATE INDEX chunk_when ON chunk(instance, probe, start);
    CREATE INDEX chunk_end ON chunk(end);
    CREATE INDEX chunk_open ON chunk(instance, end) WHERE open = 1;
    CREATE TABLE rollup(no INTEGER PRIMARY KEY, instance INTEGER NOT NULL, probe INTEGER NOT NULL, tier INTEGER NOT NULL,
        start INTEGER NOT NULL, blob BLOB NOT NULL) STRICT;
    CREATE UNIQUE INDEX rollup_when ON rollup(instance, probe, tier, start);
    CREATE INDEX rollup_start ON rollup(tier, start);
    CREATE TABLE text(id BLOB PRIMARY KEY, seen INTEGER NOT NULL, blob BLOB NOT NULL) STRICT;
    CREATE INDEX text_seen ON text(seen);
    CREATE TABLE event(no INTEGER PRIMARY KEY, instance INTEGER NOT NULL, kind INTEGER NOT NULL, start INTEGER NOT NULL,
        end INTEGER, blob BLOB NOT NULL) STRICT;
    CREATE INDEX event_when ON event(start);
    CREATE INDEX event_open ON event(kind) WHERE end IS NULL;
",
    // Rows within an incident stay: retention asks for every row that it would delete.
    "CREATE INDEX event_incident ON event(instance, start) WHERE kind = 6;"];

/// Not one of the steps: no reader needs it, and an older dbtop ignores it.
const CLOCK: &str =
    "CREATE TABLE IF NOT EXISTS clock(one INTEGER PRIMARY KEY CHECK(one = 1), believed INTEGER NOT NULL,
    wall INTEGER NOT NULL, doubted INTEGER NOT NULL) STRICT";

/// Not one of the steps either: a question asked without it has the same answer, later. A step would keep recordings of before from
/// being played, because nobody writes them. An older dbtop keeps it up to date without knowing of it.
const EVENTS_OF_AN_INSTANCE: &str =
    "CREATE INDEX IF NOT EXISTS event_of ON event(instance, kind, end, start)";

/// Opens a history to write it. A missing one is made; an older version becomes the newest, and a copy of the file before
/// stays beside it until the next migration.
///
/// # Errors
/// It is no history, a newer dbtop wrote it, or the disk fails.
pub(super) fn open_or_create(path: &Path, steps: &[&str]) -> Result<Connection, StoreError> {
    if !path.exists() {
        create(path)?;
    }
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let mut connection = open(path, flags)?;
    let failed = || StoreError::sqlite("opening the history", path);
    // A killed process loses the rows that it had not committed. Only a failing machine could lose the last seconds.
    let pragmas = format!(
        "PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA journal_size_limit = {LOG_BYTES}; PRAGMA cache_size = -8192;"
    );
    connection.execute_batch(&pragmas).map_err(failed())?;
    migrate(&mut connection, path, steps)?;
    for sql in [CLOCK, EVENTS_OF_AN_INSTANCE] {
        connection.execute_batch(sql).map_err(failed())?;
    }
    Ok(connection)
}

/// Nothing can be written there.
fn is_refused(error: &StoreError) -> bool {
    match error {
        StoreError::Disk { .. } => true,
        StoreError::Sqlite { source, .. } => matches!(
            source.sqlite_error_code(),
            Some(ErrorCode::CannotOpen | ErrorCode::ReadOnly | ErrorCode::DiskFull)
        ),
        _ => false,
    }
}

/// Opens a history to read it. Another process may write it meanwhile.
///
/// # Errors
/// As [`open_or_create`]. An older version is refused, too: only a writer migrates it.
pub(super) fn open_to_read(path: &Path) -> Result<Connection, StoreError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = match open(path, flags) {
        // Where nothing can be written, SQLite cannot make its index of the log. Without a log it needs none.
        Err(error) if is_refused(&error) && path.exists() && !has_log(path) => {
            open(&unchanging(path), flags | OpenFlags::SQLITE_OPEN_URI)?
        }
        opened => opened?,
    };
    let failed = || StoreError::sqlite(READING, path);
    connection.execute_batch("PRAGMA cache_size = -8192;").map_err(failed())?;
    let (found, known) = (version(&connection, path)?, STEPS.len() as u32);
    match found.cmp(&known) {
        std::cmp::Ordering::Greater => Err(StoreError::Newer { path: path.to_owned(), found, known }),
        std::cmp::Ordering::Less => Err(StoreError::History {
            path: path.to_owned(),
            problem: format!(
                "it is of an older dbtop (format {found}, this one knows {known}): start the collector once, it takes the file along"
            ),
        }),
        std::cmp::Ordering::Equal => Ok(connection),
    }
}

fn has_log(path: &Path) -> bool {
    let mut log = path.as_os_str().to_owned();
    log.push("-wal");
    std::fs::metadata(log).is_ok_and(|meta| meta.len() > 0)
}

/// The path as SQLite takes it for a file that no process changes (<https://www.sqlite.org/uri.html>).
fn unchanging(path: &Path) -> PathBuf {
    let escaped = path.to_string_lossy().replace('%', "%25").replace('?', "%3f").replace('#', "%23");
    format!("file:{escaped}?immutable=1").into()
}

/// What a reader was doing: nothing is written beside its file ([`StoreError::sqlite`]).
const READING: &str = "reading the history";

fn open(path: &Path, flags: OpenFlags) -> Result<Connection, StoreError> {
    let is_read = flags.contains(OpenFlags::SQLITE_OPEN_READ_ONLY);
    let failed = || StoreError::sqlite(if is_read { READING } else { "opening the history" }, path);
    let connection = Connection::open_with_flags(path, flags).map_err(failed())?;
    connection.busy_timeout(PATIENCE).map_err(failed())?;
    connection.set_prepared_statement_cache_capacity(64);
    // Without this promise SQLite may parse a statement anew when other values are bound to it: a third of the time that the
    // state of a fleet took (<https://www.sqlite.org/queryplanner-ng.html#qpstab>).
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true).map_err(failed())?;
    let pragmas = "PRAGMA temp_store = MEMORY; PRAGMA trusted_schema = OFF; PRAGMA cell_size_check = ON; PRAGMA mmap_size = 0;";
    connection.execute_batch(pragmas).map_err(failed())?;
    let id: i32 = connection.query_row("PRAGMA application_id", [], |row| row.get(0)).map_err(failed())?;
    if id == APPLICATION_ID {
        return Ok(connection);
    }
    Err(StoreError::History {
        path: path.to_owned(),
        problem: "it is no history of dbtop, or its first page is damaged: put a backup in its place with `dbtop store restore`"
            .to_owned(),
    })
}

/// Makes a history that is not open one plain file: SQLite makes no file beside it for a reader.
///
/// # Errors
/// Another process has it open, or the disk fails.
pub(super) fn make_plain(path: &Path) -> Result<(), StoreError> {
    let connection = open(path, OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
    connection
        .query_row("PRAGMA journal_mode = DELETE", [], |_| Ok(()))
        .map_err(StoreError::sqlite("closing the recording", path))
}

/// Makes an empty file under another name and renames it, so that no other process opens half a file.
fn create(path: &Path) -> Result<(), StoreError> {
    let temporary = path.with_extension("db.new");
    let _ = std::fs::remove_file(&temporary);
    let failed = || StoreError::sqlite("making the history", path);
    drop(crate::store::home::private_file(&temporary)?);
    let connection = Connection::open(&temporary).map_err(failed())?;
    connection
        .execute_batch(&format!(
            "PRAGMA page_size = {PAGE_BYTES}; PRAGMA auto_vacuum = INCREMENTAL; PRAGMA journal_mode = WAL;"
        ))
        .map_err(failed())?;
    connection.pragma_update(None, "application_id", APPLICATION_ID).map_err(failed())?;
    connection.close().map_err(|(_, error)| failed()(error))?;
    std::fs::rename(&temporary, path).map_err(StoreError::io("making the history", path))
}

/// The version of a file's tables.
pub(super) fn version(connection: &Connection, path: &Path) -> Result<u32, StoreError> {
    connection
        .query_row("PRAGMA user_version", [], |row| row.get(0))
        .map_err(StoreError::sqlite("reading the version of the history", path))
}

/// The path of the copy from before the migration to `version`.
pub(super) fn copy_of(path: &Path, version: usize) -> PathBuf {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    path.with_file_name(format!("{name}.before-v{version}"))
}

fn migrate(connection: &mut Connection, path: &Path, steps: &[&str]) -> Result<(), StoreError> {
    let failed = || StoreError::sqlite("migrating the history", path);
    let (found, known) = (version(connection, path)?, steps.len() as u32);
    if found > known {
        return Err(StoreError::Newer { path: path.to_owned(), found, known });
    }
    if found == known {
        return Ok(());
    }
    if found > 0 {
        let copy = copy_of(path, steps.len());
        let _ = std::fs::remove_file(&copy);
        drop(crate::store::home::private_file(&copy)?);
        connection
            .execute("VACUUM INTO ?1", [copy.to_string_lossy()])
            .map_err(StoreError::sqlite("copying the history before its migration to", &copy))?;
    }
    let transaction =
        connection.transaction_with_behavior(TransactionBehavior::Immediate).map_err(failed())?;
    for step in steps.iter().skip(version(&transaction, path)? as usize) {
        transaction.execute_batch(step).map_err(failed())?;
    }
    transaction.pragma_update(None, "user_version", known).map_err(failed())?;
    transaction.commit().map_err(failed())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_migration_keeps_a_copy_and_happens_whole_or_not_at_all() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("history.db");
        let connection = open_or_create(&path, STEPS).unwrap();
        connection.execute("INSERT INTO instance VALUES (1, 'a')", []).unwrap();
        drop(connection);
        let mut steps = STEPS.to_vec();
        steps.push("ALTER TABLE instance ADD COLUMN note TEXT; CREATE TABLE instance(x)");
        assert!(open_or_create(&path, &steps).is_err(), "the second statement cannot work");
        let connection = open_or_create(&path, STEPS).unwrap();
        drop(connection);
        steps.pop();
        steps.push("ALTER TABLE instance ADD COLUMN note TEXT");
        let connection = open_or_create(&path, &steps).unwrap();
        let uid: String = connection
            .query_row("SELECT uid FROM instance WHERE note IS NULL", [], |row| row.get(0))
            .unwrap();
        assert_eq!(uid, "a");
        let before = open_to_read(&copy_of(&path, STEPS.len() + 1)).unwrap();
        let rows: u32 = before.query_row("SELECT count(*) FROM instance", [], |row| row.get(0)).unwrap();
        assert_eq!(rows, 1, "the copy is the file as it was");
        drop(connection);
        assert!(open_or_create(&path, STEPS).unwrap_err().to_string().contains("newer dbtop"));
    }

    #[test]
    fn another_file_is_refused_in_words() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("history.db");
        std::fs::write(&path, b"not a database, but long enough to be looked at as one").unwrap();
        assert!(open_or_create(&path, STEPS).is_err());
        let other = folder.path().join("other.db");
        Connection::open(&other).unwrap().execute_batch("CREATE TABLE t(x)").unwrap();
        assert!(open_or_create(&other, STEPS).unwrap_err().to_string().contains("no history of dbtop"));
    }
}
