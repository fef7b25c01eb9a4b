//! The databases: names and states, recovery model, compatibility, owner, size.

use super::{
    id::{Emit, Metric, ProbeId, SeriesId, whole},
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
    /// recovery model: `FULL` …
    pub recovery: Option<Arc<str>>,
    /// compatibility level: 150
    pub compatibility: Option<i32>,
    /// nothing can be changed in it
    pub is_read_only: Option<bool>,
    /// what keeps its log from being used again: `NOTHING`, `LOG_BACKUP` …
    pub log_reuse_wait: Option<Arc<str>>,
    /// login that owns it
    pub owner: Option<Arc<str>>,
    /// all its files, bytes on disk
    pub size_bytes: Option<i64>,
    /// its logs, bytes on disk
    pub log_bytes: Option<i64>,
}

impl DatabaseRow {
    /// A database of which only the state is known.
    pub fn in_state(id: i32, name: &str, state: &str) -> Self {
        Self { id, name: Some(name.into()), state: Some(state.into()), ..Self::default() }
    }

    /// How bad its state is: 2 nobody can use it and nobody meant that, 1 it is not online, 0 it is; None: not known.
    pub fn trouble(&self) -> Option<u8> {
        Some(match self.state.as_deref()? {
            "ONLINE" => 0,
            "SUSPECT" | "EMERGENCY" | "RECOVERY_PENDING" => 2,
            _ => 1,
        })
    }
}

impl Outcome for Vec<DatabaseRow> {
    fn points(&self, _probe: ProbeId, emit: Emit<'_>) {
        let kb = |bytes: Option<i64>| whole(bytes.map(|bytes| bytes / 1024));
        for row in self {
            if let Some(name) = row.name.as_deref() {
                emit(Metric::DatabaseSize, name, kb(row.size_bytes));
                emit(Metric::DatabaseLogSize, name, kb(row.log_bytes));
            }
        }
        // A database that is offline has no open files, and no size.
        let sizes = self.iter().filter_map(|row| row.size_bytes);
        let all = sizes.reduce(i64::saturating_add).map(|bytes| bytes as f64 / 1_073_741_824.0);
        emit(SeriesId::DatabaseFiles.into(), "", all);
    }

    fn each_name_mut(&mut self, visit: Visit<'_>) {
        for row in self {
            maybe(visit, Field::Name(Kind::Database), &mut row.name);
            maybe(visit, Field::Name(Kind::Login), &mut row.owner);
        }
    }

    fn cut(&mut self, most: usize) {
        self.truncate(most);
    }

    fn rows(&self) -> usize {
        self.len()
    }
}
