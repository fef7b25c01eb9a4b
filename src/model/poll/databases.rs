//! Names and states of the databases.

use super::names::{Field, Kind, Visit, maybe};
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

/// The places of names.
pub(super) fn each_name_mut(rows: &mut [DatabaseRow], visit: Visit<'_>) {
    for row in rows {
        maybe(visit, Field::Name(Kind::Database), &mut row.name);
    }
}
