//! Errors of SQLite, of the disk and of damaged rows: as errors of the store, and as the health of the history.

use crate::store::{StoreError, disk::DiskTrouble, history::health::StoreHealth};
use rusqlite::ErrorCode;
use std::path::{Path, PathBuf};

/// Why SQLite or a row failed, before the file and the purpose are known.
#[derive(Debug, thiserror::Error)]
pub(super) enum Trouble {
    #[error(transparent)]
    Sqlite(#[from] rusqlite::Error),
    #[error(transparent)]
    Vault(#[from] crate::vault::VaultError),
    #[error("packing: {0}")]
    Packing(std::io::Error),
    /// a row that cannot be read: its kind
    #[error("{0} is damaged")]
    Damaged(&'static str),
}

impl Trouble {
    /// True if the file is damaged in one place: the rest of it may be whole.
    pub fn is_damage(&self) -> bool {
        match self {
            Self::Sqlite(error) => {
                is_lost_row(error) || error.sqlite_error_code() == Some(ErrorCode::DatabaseCorrupt)
            }
            Self::Damaged(_) => true,
            Self::Vault(_) | Self::Packing(_) => false,
        }
    }

    /// Adds what was attempted on which file.
    pub fn at(doing: &'static str, path: &Path) -> impl FnOnce(Self) -> StoreError {
        let path = path.to_owned();
        move |trouble| match trouble {
            Self::Sqlite(error) if is_lost_row(&error) => damaged(path, "a row that others point at"),
            Self::Sqlite(source) => StoreError::sqlite(doing, &path)(source),
            Self::Vault(error) => StoreError::Vault(error),
            Self::Packing(source) => StoreError::io(doing, &path)(source),
            Self::Damaged(what) => damaged(path, what),
        }
    }
}

/// True if a row is not there that must be: it lay on a damaged page.
fn is_lost_row(error: &rusqlite::Error) -> bool {
    matches!(error, rusqlite::Error::QueryReturnedNoRows)
}

fn damaged(path: PathBuf, what: &str) -> StoreError {
    let problem = format!("{what} is damaged: `dbtop store check` tells what else is");
    StoreError::History { path, problem }
}

impl StoreHealth {
    /// From an error of the store, with its words.
    pub fn of(error: &StoreError) -> Self {
        let words = error.to_string();
        match error {
            StoreError::Sqlite { source, .. } => match source.sqlite_error_code() {
                Some(ErrorCode::DiskFull) => Self::Full(words),
                Some(ErrorCode::ReadOnly | ErrorCode::CannotOpen | ErrorCode::PermissionDenied) => {
                    Self::ReadOnly(words)
                }
                Some(ErrorCode::SystemIoFailure) => Self::Failing(words),
                Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => Self::Damaged(words),
                Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => Self::Busy(words),
                _ => Self::Refused(words),
            },
            StoreError::Disk { trouble, .. } => match trouble {
                DiskTrouble::Full => Self::Full(words),
                DiskTrouble::ReadOnly => Self::ReadOnly(words),
                DiskTrouble::Inodes | DiskTrouble::Quota | DiskTrouble::FileSize => {
                    Self::Limited(*trouble, words)
                }
            },
            StoreError::Io { source, .. } if source.kind() == std::io::ErrorKind::PermissionDenied => {
                Self::ReadOnly(words)
            }
            StoreError::Io { .. } => Self::Failing(words),
            StoreError::Busy { .. } => Self::Busy(words),
            StoreError::History { .. } | StoreError::NotOurs { .. } => Self::Damaged(words),
            _ => Self::Refused(words),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sqlite(code: i32) -> StoreHealth {
        let source = rusqlite::Error::SqliteFailure(rusqlite::ffi::Error::new(code), None);
        StoreHealth::of(&StoreError::sqlite("writing the history", Path::new("/x/history.db"))(source))
    }

    #[test]
    fn each_failure_has_its_words() {
        use rusqlite::ffi;
        assert!(
            matches!(sqlite(ffi::SQLITE_FULL), StoreHealth::Full(words) if words.contains("disk is full"))
        );
        assert!(
            matches!(sqlite(ffi::SQLITE_READONLY), StoreHealth::ReadOnly(words) if words.contains("/x/history.db"))
        );
        assert!(matches!(sqlite(ffi::SQLITE_IOERR), StoreHealth::Failing(_)));
        assert!(
            matches!(sqlite(ffi::SQLITE_CORRUPT), StoreHealth::Damaged(words) if words.contains("dbtop store restore"))
        );
        assert!(matches!(sqlite(ffi::SQLITE_BUSY), StoreHealth::Busy(_)));
        let of =
            |kind: std::io::ErrorKind| StoreHealth::of(&StoreError::io("x", Path::new("/x"))(kind.into()));
        for (kind, sign) in [
            (std::io::ErrorKind::StorageFull, "disk full"),
            (std::io::ErrorKind::QuotaExceeded, "quota used up"),
            (std::io::ErrorKind::FileTooLarge, "file size limit"),
            (std::io::ErrorKind::ReadOnlyFilesystem, "disk read-only"),
            (std::io::ErrorKind::PermissionDenied, "disk read-only"),
            (std::io::ErrorKind::Other, "disk fails"),
        ] {
            let health = of(kind);
            assert_eq!(health.sign(), sign);
            assert!(!health.is_fine() && health.words().starts_with("x /x: "), "{health:?}");
        }
    }
}
