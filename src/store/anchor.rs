//! What the audit log keeps of entries that are gone. `prune` makes it, `header` seals it, `audit` follows the chain from it.

use crate::model::base::time::Timestamp;
use serde::{Deserialize, Serialize};

/// What stands for the entries that were removed by their age. It is in the header, whose seal vouches for it.
/// In files by name: fields and variants keep their names, a new field has a default.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Anchor {
    /// the number of the last of them: so many are gone
    pub entries: u64,
    /// SHA-256 of the last of them
    pub hash: [u8; 32],
    /// when the last of them was written
    #[serde(rename = "at_ms")]
    pub at: Timestamp,
    /// when they were removed
    #[serde(rename = "removed_ms")]
    pub removed: Timestamp,
}
