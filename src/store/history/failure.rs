//! What the writer says of the disk, and when it tries again: a full disk, a read-only one, one that fails, a damaged file.
//! Pure; the writer holds it and everybody may show it.

use crate::store::StoreError;
use rusqlite::ErrorCode;
use std::time::Duration;

/// How history fares.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum StoreHealth {
    /// all is written
    #[default]
    Fine,
    /// the disk or the cap is full
    Full(String),
    /// the file system is read-only, or the file is not ours to write
    ReadOnly(String),
    /// the disk fails
    Failing(String),
    /// the file is damaged: trying again does not help, a backup does
    Damaged(String),
    /// another process holds the file
    Busy(String),
    /// anything else
    Refused(String),
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

    /// True if what happens is being written.
    pub const fn is_fine(&self) -> bool {
        matches!(self, Self::Fine)
    }

    /// What is the matter in two words, for a place that shows it for as long as it lasts; empty when it is fine.
    pub const fn sign(&self) -> &'static str {
        match self {
            Self::Fine => "",
            Self::Full(_) => "disk full",
            Self::ReadOnly(_) => "disk read-only",
            Self::Failing(_) => "disk fails",
            Self::Damaged(_) => "file damaged",
            Self::Busy(_) => "file busy",
            Self::Refused(_) => "file refused",
        }
    }

    /// In words; empty when it is fine.
    pub fn words(&self) -> &str {
        match self {
            Self::Fine => "",
            Self::Full(words)
            | Self::ReadOnly(words)
            | Self::Failing(words)
            | Self::Damaged(words)
            | Self::Busy(words)
            | Self::Refused(words) => words,
        }
    }
}

/// Waits longer after each failure in a row.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Patience {
    failures: u32,
}

impl Patience {
    /// The longest wait: a disk that works again is noticed within so long.
    const LONGEST: Duration = Duration::from_secs(15);

    /// After one more failure: how long to wait.
    pub fn failed(&mut self) -> Duration {
        let wait = Duration::from_secs(1 << self.failures.min(4)).min(Self::LONGEST);
        self.failures = self.failures.saturating_add(1);
        wait
    }

    /// It worked.
    pub const fn worked(&mut self) {
        self.failures = 0;
    }

    /// True if the newest try failed.
    pub const fn is_failing(self) -> bool {
        self.failures > 0
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

    #[test]
    fn tries_get_rarer_and_begin_anew_when_it_works() {
        let mut patience = Patience::default();
        let waits: Vec<u64> = (0..7).map(|_| patience.failed().as_secs()).collect();
        assert_eq!(waits, [1, 2, 4, 8, 15, 15, 15]);
        patience.worked();
        assert!(!patience.is_failing());
        assert_eq!(patience.failed().as_secs(), 1);
    }
}
