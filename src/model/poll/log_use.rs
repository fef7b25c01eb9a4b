//! The structure of transaction logs: virtual log files, and what was written since the last backup of each.

use super::{
    id::{Emit, Metric, ProbeId, whole},
    names::{Field, Kind, Visit, maybe},
    outcome::Outcome,
};
use crate::model::base::time::Timestamp;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// The log of a database.
/// In files by position: fields are only appended, each with a default; variants keep their names.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct LogUseRow {
    /// the database
    pub database: Option<Arc<str>>,
    /// virtual log files
    pub vlfs: Option<i64>,
    /// of them in use
    pub active_vlfs: Option<i64>,
    /// last backup of the log, by our clock; None: there was none, or nobody knows
    pub backup_at: Option<Timestamp>,
    /// log since then, KB
    pub since_backup_kb: Option<i64>,
}

/// The logs of an instance.
/// In files by position: fields are only appended, each with a default; variants keep their names.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct LogUseTable {
    /// by database, those with the most virtual log files first
    pub logs: Vec<LogUseRow>,
    /// databases that are not among them
    pub left_out: u64,
}

impl LogUseTable {
    /// The log of a database.
    pub fn of(&self, database: &str) -> Option<&LogUseRow> {
        self.logs.iter().find(|log| log.database.as_deref() == Some(database))
    }
}

impl Outcome for LogUseTable {
    fn points(&self, _probe: ProbeId, emit: Emit<'_>) {
        for log in &self.logs {
            if let Some(database) = log.database.as_deref() {
                emit(Metric::Vlfs, database, whole(log.vlfs));
            }
        }
    }

    fn each_name_mut(&mut self, visit: Visit<'_>) {
        for log in &mut self.logs {
            maybe(visit, Field::Name(Kind::Database), &mut log.database);
        }
    }

    fn only_judged(&self) -> Option<Self> {
        Some(Self::default())
    }

    fn rows(&self) -> usize {
        self.logs.len()
    }
}
