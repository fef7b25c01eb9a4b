//! The health of the history's disk and file, and when the writer tries again: a full disk, a read-only one, one that
//! fails, a damaged file. Pure: the writer holds it, and every screen may show it.

use crate::store::disk::DiskTrouble;
use std::time::Duration;

/// The health of the history.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum StoreHealth {
    /// all is written
    #[default]
    Fine,
    /// the disk or the cap is full
    Full(String),
    /// there is room, and a limit of another kind is reached
    Limited(DiskTrouble, String),
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
    /// True if readings are being written.
    pub const fn is_fine(&self) -> bool {
        matches!(self, Self::Fine)
    }

    /// The problem in two words, for a place that shows it for as long as it lasts. Empty without a problem.
    pub const fn sign(&self) -> &'static str {
        match self {
            Self::Fine => "",
            Self::Full(_) => "disk full",
            Self::Limited(trouble, _) => trouble.sign(),
            Self::ReadOnly(_) => "disk read-only",
            Self::Failing(_) => "disk fails",
            Self::Damaged(_) => "file damaged",
            Self::Busy(_) => "file busy",
            Self::Refused(_) => "file refused",
        }
    }

    /// In words. Empty without a problem.
    pub fn words(&self) -> &str {
        match self {
            Self::Fine => "",
            Self::Full(words)
            | Self::Limited(_, words)
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

    #[test]
    fn tries_get_rarer_and_begin_anew_when_it_works() {
        let mut patience = Patience::default();
        let waits: Vec<u64> = (0..7).map(|_| patience.failed().as_secs()).collect();
        assert_eq!(waits, [1, 2, 4, 8, 15, 15, 15]);
        assert!(patience.is_failing());
        patience.worked();
        assert!(!patience.is_failing());
        assert_eq!(patience.failed().as_secs(), 1);
    }
}
