//! What a tenant may have at most.

use serde::{Deserialize, Serialize};
use std::fmt;

/// The limits of a tenant; None: none.
/// In files by name: fields and variants keep their names, a new field has a default.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Limits {
    /// instances that are not removed
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_instances: Option<u32>,
    /// of its history, beside `[history] max_store_gb`: the smaller one counts
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_history_bytes: Option<u64>,
}

impl fmt::Display for Limits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.max_instances {
            Some(most) => write!(f, "instances {most}")?,
            None => f.write_str("instances without limit")?,
        }
        match self.max_history_bytes {
            Some(most) => write!(f, ", history {:.2} GB", most as f64 / 1e9),
            None => f.write_str(", history without limit"),
        }
    }
}
