//! Availability groups, as the instance sees them.

use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// One availability replica's database, as this instance sees it.
/// In files by position: fields are only appended, each with a default; variants keep their names.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct ReplicaRow {
    /// group name
    pub group: Option<Arc<str>>,
    /// database
    pub database: Option<Arc<str>>,
    /// replica's server name
    pub replica: Option<Arc<str>>,
    /// local to this instance
    pub is_local: Option<bool>,
    /// role of the replica: `PRIMARY` …
    pub role: Option<Arc<str>>,
    /// `SYNCHRONIZED`, `SYNCHRONIZING`, `NOT SYNCHRONIZING` …
    pub state: Option<Arc<str>>,
    /// data movement is suspended
    pub suspended: Option<bool>,
    /// seconds behind the primary
    pub lag_s: Option<i64>,
    /// log not sent yet, KB
    pub send_queue_kb: Option<i64>,
    /// log not redone yet, KB
    pub redo_queue_kb: Option<i64>,
}
