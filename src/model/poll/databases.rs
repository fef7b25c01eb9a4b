//! Names and states of the databases.

use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// A database of the instance.
/// In files by position: fields are only appended, each with a default; variants keep their names.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct DatabaseRow {
    /// database id
    pub id: i32,
    /// name
    pub name: Option<Arc<str>>,
    /// `ONLINE` …
    pub state: Option<Arc<str>>,
}
