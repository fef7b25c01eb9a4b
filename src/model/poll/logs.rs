//! The transaction logs of databases: how much of each is in use, and how much it may take.

use super::{
    id::{Emit, Metric, ProbeId, rounded},
    names::{Field, Kind, Visit, maybe},
    outcome::Outcome,
};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// The log of a database.
/// In files by position: fields are only appended, each with a default; variants keep their names.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct LogRow {
    /// the database
    pub database: Option<Arc<str>>,
    /// what keeps it from being used again: `LOG_BACKUP`, `ACTIVE_TRANSACTION` …
    pub reuse_wait: Option<Arc<str>>,
    /// size of its files, KB
    pub size_kb: Option<i64>,
    /// in use, KB
    pub used_kb: Option<i64>,
    /// size that its files may reach, KB; None: as their volume lets them, or not known
    pub max_kb: Option<i64>,
    /// path of its first file
    pub path: Option<Arc<str>>,
    /// it may take so much, KB, by its limit and by what its volume has; the fold says so. None: nobody knows
    pub capacity_kb: Option<i64>,
    /// it is full in so long if it goes on filling, ms; the fold says so
    pub full_in_ms: Option<i64>,
}

impl LogRow {
    /// The database that it is about.
    pub fn key(&self) -> &str {
        self.database.as_deref().unwrap_or("?")
    }

    /// In use, % of what it may take: a log that can grow is not full at the end of its files.
    pub fn used_pct(&self) -> Option<f64> {
        let capacity_kb = self.capacity_kb.filter(|kb| *kb > 0)?;
        let used_kb = self.used_kb.filter(|kb| *kb >= 0)?;
        Some(rounded((used_kb as f64 / capacity_kb as f64 * 100.0).clamp(0.0, 100.0)))
    }
}

impl Outcome for Vec<LogRow> {
    fn points(&self, _probe: ProbeId, emit: Emit<'_>) {
        for row in self {
            if let Some(database) = row.database.as_deref() {
                emit(Metric::LogUsed, database, row.used_pct());
            }
        }
    }

    fn each_name_mut(&mut self, visit: Visit<'_>) {
        for row in self {
            maybe(visit, Field::Name(Kind::Database), &mut row.database);
            maybe(visit, Field::Name(Kind::File), &mut row.path);
        }
    }

    fn cut(&mut self, most: usize) {
        self.truncate(most);
    }

    fn rows(&self) -> usize {
        self.len()
    }
}
