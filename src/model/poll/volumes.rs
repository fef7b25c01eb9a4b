//! Volumes that hold database files.

use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// A volume that holds database files.
/// In files by position: fields are only appended, each with a default; variants keep their names.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct VolumeRow {
    /// mount point
    pub mount: Option<Arc<str>>,
    /// size, bytes
    pub total_bytes: Option<i64>,
    /// free, bytes
    pub free_bytes: Option<i64>,
}
