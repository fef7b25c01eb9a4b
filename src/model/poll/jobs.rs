//! Agent jobs that failed within the last day.

use crate::model::base::time::Timestamp;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// A job whose last outcome within a day was a failure.
/// In files by position: fields are only appended, each with a default; variants keep their names.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct FailedJobRow {
    /// job name
    pub job: Option<Arc<str>>,
    /// step that failed
    pub step: Option<Arc<str>>,
    /// when, server-local converted to UTC
    pub at: Option<Timestamp>,
    /// message
    pub message: Option<Arc<str>>,
}
