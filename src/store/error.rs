//! Errors with files, tenants and records, in sentences that say the way out. Made by everything in `store`.

use super::{
    Damage,
    disk::{self, DiskTrouble},
};
use crate::{
    model::{
        base::{figure, time::Timestamp, zone::UTC},
        inventory::record::{RecordError, SlugError},
    },
    vault::VaultError,
};
use std::path::{Path, PathBuf};

/// A failure of the store.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// the platform names no folder for data
    #[error("no folder for data is known on this system: set DBTOP_HOME to a folder that only you can read")]
    NoHome,
    /// others may read or write it
    #[error("{} is open to others (mode {mode:03o}): run `chmod {wanted:o} {}`", path.display(), path.display())]
    Wide {
        /// file or folder
        path: PathBuf,
        /// its mode
        mode: u32,
        /// what it must be
        wanted: u32,
    },
    /// the file system refused
    #[error("{doing} {}: {source}", path.display())]
    Io {
        /// what was attempted
        doing: &'static str,
        /// on what
        path: PathBuf,
        /// why not
        source: std::io::Error,
    },
    /// the disk takes no more
    #[error("{doing} {}: {}", path.display(), trouble.words())]
    Disk {
        /// what was attempted
        doing: &'static str,
        /// on what
        path: PathBuf,
        /// why not
        trouble: DiskTrouble,
    },
    /// SQLite refused
    #[error("{doing} {}: {}", path.display(), way_out(source))]
    Sqlite {
        /// what was attempted
        doing: &'static str,
        /// on what
        path: PathBuf,
        /// why not
        source: rusqlite::Error,
    },
    /// a text that is no tenant's name
    #[error(transparent)]
    Slug(#[from] SlugError),
    /// no such tenant
    #[error("no tenant is called {name}{}", known_tenants(known))]
    NoTenant {
        /// as asked for
        name: String,
        /// those that there are
        known: Vec<String>,
    },
    /// no deleted tenant of this name
    #[error("no tenant called {name} was deleted within 30 days{}", if known.is_empty() { String::new() } else { format!(": there are {}", known.join(", ")) })]
    NotDeleted {
        /// as asked for
        name: String,
        /// those that there are
        known: Vec<String>,
    },
    /// some deleted tenants have this name
    #[error("{} tenants called {name} were deleted: {}; say which one comes back by its time of deletion", deleted.len(), listed(deleted))]
    SeveralDeleted {
        /// as asked for
        name: String,
        /// when each was deleted, and its bytes, the newest first
        deleted: Vec<(Timestamp, u64)>,
    },
    /// no tenant was chosen, or its vault is locked again
    #[error("no tenant is open: choose one and unlock it, then try again")]
    NotOpen,
    /// the name is in use
    #[error("a tenant called {0} is there already: take another name, or delete it first")]
    TenantExists(String),
    /// a folder of that name holds no tenant
    #[error("{} is there and holds no tenant, {holds}: move it away or delete it, then try again", path.display())]
    Leftover {
        /// the folder, or a file in its place
        path: PathBuf,
        /// what is in it
        holds: String,
    },
    /// the same tenant under another name
    #[error("{} holds tenant {uid}, which is here already as {slug}: delete that one first", path.display())]
    SameTenant {
        /// the backup
        path: PathBuf,
        /// identity
        uid: String,
        /// its name here
        slug: String,
    },
    /// the disk is too small
    #[error("there is no room for {}: {} free, {} needed; free some space or take another disk", path.display(), gb(*free), gb(*needed))]
    NoRoom {
        /// what was to be written
        path: PathBuf,
        /// bytes
        needed: u64,
        /// bytes
        free: u64,
    },
    /// another process writes
    #[error("{what} is being changed by {}: try again when it has ended", holder(*pid))]
    Busy {
        /// tenant or folder
        what: String,
        /// the holder of the lock, if it is known
        pid: Option<u32>,
    },
    /// made by a newer dbtop
    #[error("{} was written by a newer dbtop (format {found}, this one knows {known}): install that version", path.display())]
    Newer {
        /// the file
        path: PathBuf,
        /// its format
        found: u32,
        /// the newest known
        known: u32,
    },
    /// some other file
    #[error("{} is not a tenant of dbtop, or its first page is damaged: restore a backup with `dbtop tenant restore`", path.display())]
    NotOurs {
        /// the file
        path: PathBuf,
    },
    /// a problem with a history
    #[error("{}: {problem}", path.display())]
    History {
        /// the file
        path: PathBuf,
        /// the problem, and the way out
        problem: String,
    },
    /// the header cannot be trusted, so nothing may be written
    #[error("tenant {slug} cannot be changed: {damage}")]
    Damaged {
        /// tenant
        slug: String,
        /// what is wrong
        damage: Damage,
    },
    /// the data key was rotated by another process
    #[error("the data key of tenant {0} was changed by another process: unlock it again")]
    KeyChanged(String),
    /// suspended tenants do not change
    #[error("tenant {0} is suspended: run `dbtop tenant resume {0}` first")]
    Suspended(String),
    /// names are unique
    #[error("{kind} {name} is there already: take another name")]
    NameTaken {
        /// `instance`, …
        kind: &'static str,
        /// the name
        name: String,
    },
    /// the limit of the tenant
    #[error(
        "this tenant is limited to {most} instances and has {there}: remove one, or raise the limit with `dbtop tenant limit`"
    )]
    TooMany {
        /// allowed
        most: u32,
        /// there are
        there: usize,
    },
    /// no such record
    #[error("{kind} {name} is not there (any more): list what there is and try again")]
    NotFound {
        /// `instance`, …
        kind: &'static str,
        /// name or id
        name: String,
    },
    /// changed by somebody else meanwhile
    #[error(
        "{kind} {name} was changed by somebody else since you read it: read it again and repeat your change"
    )]
    Stale {
        /// `instance`, …
        kind: &'static str,
        /// the name
        name: String,
    },
    /// a label cannot be renamed: instances carry its text
    #[error("label {0} cannot be renamed: give the instances the other label, then remove this one")]
    LabelRename(String),
    /// an error in a record
    #[error(transparent)]
    Invalid(#[from] RecordError),
    /// records that cannot be re-sealed
    #[error("the data key of tenant {slug} cannot be rotated with {} damaged: {first}", count(*damaged))]
    RotateDamaged {
        /// tenant
        slug: String,
        /// how many
        damaged: usize,
        /// the first one
        first: Damage,
    },
    /// a backup that cannot be used
    #[error("{} cannot be restored: {problem}", path.display())]
    Backup {
        /// the file
        path: PathBuf,
        /// what is wrong
        problem: String,
    },
    /// keys and seals
    #[error(transparent)]
    Vault(#[from] VaultError),
}

impl StoreError {
    /// Wraps an error of the file system.
    pub(super) fn io(doing: &'static str, path: &Path) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.to_owned();
        move |source| match DiskTrouble::of(&source, &path) {
            Some(trouble) => Self::Disk { doing, path, trouble },
            None => Self::Io { doing, path, source },
        }
    }

    /// Wraps an error of SQLite. Who only reads says `reading …`.
    pub(super) fn sqlite(doing: &'static str, path: &Path) -> impl FnOnce(rusqlite::Error) -> Self {
        let path = path.to_owned();
        move |source| match is_vague(&source)
            .then(|| disk::cause(&path, doing.starts_with("reading")))
            .flatten()
        {
            Some(trouble) => Self::Disk { doing, path, trouble },
            None => Self::Sqlite { doing, path, source },
        }
    }
}

/// SQLite calls it an error of input and output, or a file that cannot be opened, when the files beside its own find no room, and
/// when a quota or a limit is reached: the disk itself says what it is. What cannot be read is no matter of room.
fn is_vague(error: &rusqlite::Error) -> bool {
    use rusqlite::{ErrorCode, ffi};
    let code = error.sqlite_error().map_or(0, |e| e.extended_code);
    matches!(error.sqlite_error_code(), Some(ErrorCode::SystemIoFailure | ErrorCode::CannotOpen))
        && !matches!(code, ffi::SQLITE_IOERR_READ | ffi::SQLITE_IOERR_SHORT_READ)
}

/// SQLite's reasons in words that help; in its own words if there is nothing to add.
fn way_out(error: &rusqlite::Error) -> String {
    use rusqlite::ErrorCode as Code;
    match error.sqlite_error_code() {
        Some(Code::DatabaseCorrupt | Code::NotADatabase) => {
            format!(
                "the file is damaged ({error}): restore a backup with `dbtop tenant restore`, a history with `dbtop store restore`"
            )
        }
        Some(Code::DiskFull) => DiskTrouble::Full.words().into(),
        Some(Code::ReadOnly | Code::CannotOpen | Code::PermissionDenied) => {
            format!("{error}: check who owns the file and whether the disk is mounted read-only")
        }
        Some(Code::DatabaseBusy | Code::DatabaseLocked) => {
            "another process holds the file: try again when it has ended".into()
        }
        Some(Code::SystemIoFailure) => {
            format!("{error}: the disk fails or is gone; the log of the operating system says more")
        }
        _ => error.to_string(),
    }
}

fn known_tenants(known: &[String]) -> String {
    if known.is_empty() {
        ": there is none yet, make one with `dbtop tenant create NAME`".into()
    } else {
        format!(": there are {}", known.join(", "))
    }
}

fn listed(deleted: &[(Timestamp, u64)]) -> String {
    let told = deleted.iter().map(|(at, bytes)| {
        let mut size = String::new();
        figure::push_size(&mut size, *bytes as f64);
        format!("{} ({size})", UTC.rfc3339(*at))
    });
    told.collect::<Vec<_>>().join(", ")
}

fn gb(bytes: u64) -> String {
    format!("{:.2} GB", bytes as f64 / 1e9)
}

fn holder(pid: Option<u32>) -> String {
    pid.map_or_else(|| "another process".into(), |pid| format!("another dbtop (process {pid})"))
}

fn count(records: usize) -> String {
    if records == 1 { "a record".into() } else { format!("{records} records") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rusqlite::ffi;

    #[test]
    fn what_sqlite_says_comes_with_a_way_out() {
        let told = |code| way_out(&rusqlite::Error::SqliteFailure(ffi::Error::new(code), None));
        for (code, help) in [
            (ffi::SQLITE_CORRUPT, "restore a backup"),
            (ffi::SQLITE_NOTADB, "restore a backup"),
            (ffi::SQLITE_FULL, "free some space"),
            (ffi::SQLITE_READONLY, "who owns the file"),
            (ffi::SQLITE_CANTOPEN, "who owns the file"),
            (ffi::SQLITE_BUSY, "another process"),
            (ffi::SQLITE_LOCKED, "another process"),
            (ffi::SQLITE_IOERR, "the disk fails"),
        ] {
            assert!(told(code).contains(help), "{code}: {}", told(code));
        }
        let other = rusqlite::Error::SqliteFailure(ffi::Error::new(ffi::SQLITE_TOOBIG), None);
        assert_eq!(way_out(&other), other.to_string());
    }

    #[test]
    fn a_vague_error_of_a_disk_with_room_stays_what_it_is() {
        let folder = tempfile::tempdir().unwrap();
        for code in [ffi::SQLITE_IOERR_WRITE, ffi::SQLITE_IOERR_READ, ffi::SQLITE_CANTOPEN, ffi::SQLITE_BUSY]
        {
            let error = rusqlite::Error::SqliteFailure(ffi::Error::new(code), None);
            let found = StoreError::sqlite("writing", &folder.path().join("history.db"))(error);
            assert!(
                matches!(&found, StoreError::Sqlite { source, .. }
                if source.sqlite_error().map(|e| e.extended_code) == Some(code)),
                "{found}"
            );
        }
    }

    #[test]
    fn what_the_system_says_of_a_disk_is_told_by_its_cause() {
        for (kind, words) in [
            (std::io::ErrorKind::QuotaExceeded, "writing /x/tenant.db: the quota of the user is used up"),
            (
                std::io::ErrorKind::FileTooLarge,
                "writing /x/tenant.db: the file has reached the file size limit",
            ),
            (std::io::ErrorKind::StorageFull, "writing /x/tenant.db: the disk is full"),
            (std::io::ErrorKind::NotFound, "writing /x/tenant.db: entity not found"),
        ] {
            let told = StoreError::io("writing", Path::new("/x/tenant.db"))(kind.into()).to_string();
            assert!(told.starts_with(words), "{told}");
        }
    }

    #[test]
    fn counts_and_names_are_told() {
        assert!(known_tenants(&[]).contains("dbtop tenant create"));
        assert_eq!(known_tenants(&["a".into(), "b".into()]), ": there are a, b");
        assert_eq!([count(1), count(0), count(2)], ["a record", "0 records", "2 records"]);
        assert_eq!(
            (holder(Some(7)), holder(None)),
            ("another dbtop (process 7)".into(), "another process".into())
        );
        assert_eq!(gb(1_500_000_000), "1.50 GB");
    }
}
