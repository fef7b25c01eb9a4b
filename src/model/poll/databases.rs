//! Names and states of the databases.

use super::{
    id::{Emit, ProbeId},
    names::{Field, Kind, Visit, maybe},
    outcome::Outcome,
};
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

impl Outcome for Vec<DatabaseRow> {
    fn points(&self, _probe: ProbeId, _emit: Emit<'_>) {}

    fn each_name_mut(&mut self, visit: Visit<'_>) {
        for row in self {
            maybe(visit, Field::Name(Kind::Database), &mut row.name);
        }
    }

    fn cut(&mut self, most: usize) {
        self.truncate(most);
    }

    fn rows(&self) -> usize {
        self.len()
    }
}
