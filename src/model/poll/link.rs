//! The connection to an instance.

use crate::model::base::{failure::Failure, time::Timestamp};
use serde::{Deserialize, Serialize};

/// The connection to an instance, as its task sees it.
/// In files by position: fields are only appended, each with a default; variants keep their names.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum Link {
    /// waiting for the first attempt
    #[default]
    Idle,
    /// connecting
    Connecting,
    /// logged in
    Up,
    /// the last attempt failed; the next one is at `next_at`
    Down {
        /// why
        failure: Failure,
        /// attempts in a row that failed
        attempts: u32,
        /// when it is tried again
        next_at: Timestamp,
    },
}
