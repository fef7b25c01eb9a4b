//! A tenant's file: opening it, its tables, and the migration of an older one. All of its tables are made here; those of
//! history are in `history::sqlite::schema`. Called by `tenants`, `tenant` and `backup`; the content of sealed columns is not
//! known here.
//!
//! | table | plain columns | sealed |
//! |---|---|---|
//! | `header` | tenant, generation of the data key, revision, suspended | digest of the slots, revisions of the contents, end of the audit log |
//! | `slot` | the key slots, as `vault` writes them (they are sealed in themselves) | |
//! | `record` | id, kind, revision, version of the content, deleted, HMAC of the name | the record |
//! | `contents` | kind, revision | id, revision, name of every record of the kind |
//! | `audit` | number | the entry and the SHA-256 of the one before |
//! | `history` | | the key of the history (`history_key`); made when it is first asked for |

use super::StoreError;
use rusqlite::{Connection, OpenFlags, TransactionBehavior};
use std::{path::Path, time::Duration};

/// Marks a file as ours: "dbtp".
const APPLICATION_ID: i32 = 0x6462_7470;

/// One step for each version of the tables: step `n` (from 0) makes version `n + 1`. A released step never changes; a new
/// version is a new step. Steps run without the key, so they never touch sealed columns, which have versions of their own.
pub const STEPS: &[&str] = &[
    "
    CREATE TABLE header(
        one INTEGER PRIMARY KEY CHECK(one = 1), tenant BLOB NOT NULL, generation INTEGER NOT NULL,
        revision INTEGER NOT NULL, suspended INTEGER NOT NULL, sealed BLOB NOT NULL) STRICT;
    CREATE TABLE slot(at INTEGER PRIMARY KEY, slot BLOB NOT NULL) STRICT;
    CREATE TABLE record(
        id BLOB PRIMARY KEY, kind TEXT NOT NULL, revision INTEGER NOT NULL, version INTEGER NOT NULL,
        deleted INTEGER NOT NULL, tag BLOB NOT NULL, sealed BLOB NOT NULL) STRICT;
    CREATE UNIQUE INDEX record_name ON record(kind, tag) WHERE deleted = 0;
    CREATE TABLE contents(kind TEXT PRIMARY KEY, revision INTEGER NOT NULL, sealed BLOB NOT NULL) STRICT;
    CREATE TABLE audit(seq INTEGER PRIMARY KEY, version INTEGER NOT NULL, sealed BLOB NOT NULL) STRICT;
",
    "
    CREATE TABLE history(one INTEGER PRIMARY KEY CHECK(one = 1), sealed BLOB NOT NULL) STRICT;
",
];

/// Opens a tenant's file. It must be there; it may be of an older version.
pub(super) fn open(path: &Path) -> Result<Connection, StoreError> {
    let failed = || StoreError::sqlite("opening", path);
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags).map_err(failed())?;
    connection.busy_timeout(Duration::from_secs(5)).map_err(failed())?;
    // Deleted and moved data is overwritten; nothing goes to temporary files; a crash loses nothing committed.
    let pragmas = "PRAGMA temp_store = MEMORY; PRAGMA secure_delete = ON; PRAGMA synchronous = FULL;
                   PRAGMA trusted_schema = OFF; PRAGMA cell_size_check = ON; PRAGMA mmap_size = 0;";
    connection.execute_batch(pragmas).map_err(failed())?;
    let id: i32 = connection.query_row("PRAGMA application_id", [], |row| row.get(0)).map_err(failed())?;
    if id != APPLICATION_ID {
        return Err(StoreError::NotOurs { path: path.to_owned() });
    }
    Ok(connection)
}

/// Makes the tables in an empty file.
pub(super) fn create(path: &Path) -> Result<Connection, StoreError> {
    let failed = || StoreError::sqlite("making", path);
    let connection = Connection::open(path).map_err(failed())?;
    connection
        .execute_batch("PRAGMA auto_vacuum = INCREMENTAL; PRAGMA journal_mode = WAL;")
        .map_err(failed())?;
    connection.pragma_update(None, "application_id", APPLICATION_ID).map_err(failed())?;
    drop(connection);
    let mut connection = open(path)?;
    migrate(&mut connection, path, STEPS)?;
    Ok(connection)
}

/// The version of a file's tables.
///
/// # Errors
/// [`StoreError::Sqlite`] if it cannot be read.
pub fn version(connection: &Connection, path: &Path) -> Result<u32, StoreError> {
    connection
        .query_row("PRAGMA user_version", [], |row| row.get(0))
        .map_err(StoreError::sqlite("reading the version of", path))
}

/// Migrates the file to version `steps.len()` in one transaction, all or nothing. True if there was something to do.
///
/// # Errors
/// [`StoreError::Newer`] if the file is of a later version; [`StoreError::Sqlite`] if a step fails, and then the file is
/// as it was.
pub fn migrate(connection: &mut Connection, path: &Path, steps: &[&str]) -> Result<bool, StoreError> {
    let failed = || StoreError::sqlite("migrating", path);
    let newest = steps.len() as u32;
    let transaction =
        connection.transaction_with_behavior(TransactionBehavior::Immediate).map_err(failed())?;
    let found = version(&transaction, path)?;
    if found > newest {
        return Err(StoreError::Newer { path: path.to_owned(), found, known: newest });
    }
    for step in steps.iter().skip(found as usize) {
        transaction.execute_batch(step).map_err(failed())?;
    }
    transaction.pragma_update(None, "user_version", newest).map_err(failed())?;
    transaction.commit().map_err(failed())?;
    Ok(found < newest)
}
