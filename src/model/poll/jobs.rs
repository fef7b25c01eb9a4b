//! Agent jobs that failed within the last day.

use super::{
    id::{Emit, Metric, ProbeId},
    names::{Field, Kind, Visit, maybe},
    outcome::Outcome,
};
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

impl Outcome for Vec<FailedJobRow> {
    fn points(&self, _probe: ProbeId, emit: Emit<'_>) {
        emit(Metric::FailedJobs, "", Some(self.len() as f64));
    }

    fn each_name_mut(&mut self, visit: Visit<'_>) {
        for row in self {
            maybe(visit, Field::Name(Kind::Job), &mut row.job);
            maybe(visit, Field::Name(Kind::Job), &mut row.step);
            maybe(visit, Field::Message, &mut row.message);
        }
    }

    fn cut(&mut self, most: usize) {
        self.truncate(most);
    }

    fn rows(&self) -> usize {
        self.len() * 4
    }
}
