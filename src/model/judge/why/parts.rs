//! What the reasons of `why` are made of beside names and figures: a holder, an instant, the CPUs that may be used, the trouble of a
//! database. Kept in history with them.

use super::spell::{grouped, size, wait};
use crate::model::base::time::Timestamp;
use serde::{Deserialize, Serialize};
use std::fmt;

/// A session, and how much of something it holds.
/// In files by position: fields are only appended, each with a default; variants keep their names.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Holder {
    /// session id
    pub session: i32,
    /// %
    pub pct: f64,
    /// they are row versions, which its transaction keeps from being cleaned up
    #[serde(default)]
    pub versions: bool,
}

/// The CPUs of a machine, not all of which an instance may run on: its edition, its affinity.
/// In files by position: fields are only appended, each with a default; variants keep their names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct CpusInUse {
    /// schedulers that run user work
    pub may_run: i64,
    /// CPUs of the machine
    pub all: i64,
}

impl CpusInUse {
    /// Of the schedulers that may run; None if those are all CPUs, or one of the two is not known.
    pub fn of(schedulers: Option<i64>, cpus: Option<i32>) -> Option<Self> {
        let (may_run, all) = (schedulers.filter(|n| *n > 0)?, i64::from(cpus?));
        (may_run < all).then_some(Self { may_run, all })
    }
}

impl fmt::Display for CpusInUse {
    /// `4 of 16 CPUs`
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} of {} CPUs", self.may_run, self.all)
    }
}

/// An instant, told with its date if that was a day ago when it was told.
/// In files by position: fields are only appended, each with a default; variants keep their names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Since {
    /// the instant
    pub at: Timestamp,
    /// with its date
    pub is_dated: bool,
}

/// Workers of an instance.
/// In files by position: fields are only appended, each with a default; variants keep their names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Workers {
    /// so many do nothing
    pub free: i64,
    /// so many may be
    pub of: i64,
}

/// What is wrong with a database of an availability group.
/// In files by position: fields are only appended, each with a default; variants keep their names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Trouble {
    /// somebody or something stopped its movement of data
    Suspended,
    /// it is not synchronizing
    NotSynchronizing,
    /// it is so many seconds behind
    Behind(i64),
    /// a failed over replica goes back to where the new primary began
    Reverting,
    /// it is being seeded, or caught up before it can be used
    Initializing,
    /// so much log waits to be sent to it, KB
    ToSend(i64),
    /// so much log waits to be redone there, KB
    ToRedo(i64),
}

impl Trouble {
    /// A state, which explains figures.
    pub const fn is_state(&self) -> bool {
        matches!(self, Self::Suspended | Self::NotSynchronizing | Self::Reverting | Self::Initializing)
    }
}

impl Since {
    /// As it is told now.
    pub fn told(at: Timestamp, now: Timestamp) -> Self {
        Self { at, is_dated: now.ms_since(at) >= 86_400_000 }
    }
}

impl Workers {
    pub(super) fn free(self, what: &str) -> String {
        format!("{} of {}{what} free", grouped(self.free), grouped(self.of))
    }
}

impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Suspended => f.write_str("suspended"),
            Self::NotSynchronizing => f.write_str("not synchronizing"),
            Self::Behind(s) => write!(f, "{} behind", wait(*s as f64 * 1000.0)),
            Self::Reverting => f.write_str("reverting"),
            Self::Initializing => f.write_str("initializing"),
            Self::ToSend(kb) => write!(f, "{} to send", size(*kb)),
            Self::ToRedo(kb) => write!(f, "{} to redo", size(*kb)),
        }
    }
}
