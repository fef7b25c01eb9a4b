//! What an error of SQLite or of the disk means for history.

use crate::store::{StoreError, history::health::StoreHealth};
use rusqlite::ErrorCode;

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
            StoreError::Io { source, .. } => match source.kind() {
                std::io::ErrorKind::StorageFull | std::io::ErrorKind::FileTooLarge => Self::Full(words),
                std::io::ErrorKind::ReadOnlyFilesystem | std::io::ErrorKind::PermissionDenied => {
                    Self::ReadOnly(words)
                }
                _ => Self::Failing(words),
            },
            StoreError::Busy { .. } => Self::Busy(words),
            StoreError::History { .. } | StoreError::NotOurs { .. } => Self::Damaged(words),
            _ => Self::Refused(words),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;

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
        let source = std::io::Error::from(std::io::ErrorKind::StorageFull);
        assert!(matches!(
            StoreHealth::of(&StoreError::io("x", Path::new("/x"))(source)),
            StoreHealth::Full(_)
        ));
    }
}
