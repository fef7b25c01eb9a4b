//! The rows of a file that was read, whatever its format, and how they become new instances.

use super::{draft::Draft, problem::RowProblem};
use crate::model::inventory::record::{Auth, InstanceRecord};

/// One row of a file.
#[derive(Clone)]
pub struct Row {
    /// line of the file, from 1
    pub line: usize,
    /// its values
    pub draft: Result<Draft, RowProblem>,
    /// a remark for people, such as that a password cannot be read
    pub remark: Option<String>,
}

/// A file that was read.
#[derive(Clone, Default)]
pub struct Rows {
    /// its rows, in order
    pub rows: Vec<Row>,
    /// remarks for people on the file as a whole
    pub remarks: Vec<String>,
}

impl Rows {
    /// Each row as a new instance.
    pub fn records(&self, defaults: &Defaults) -> Vec<Result<InstanceRecord, RowProblem>> {
        self.rows
            .iter()
            .map(|row| {
                let draft = row.draft.as_ref().map_err(Clone::clone)?;
                draft.record(defaults.auth.as_ref()).map_err(|mistake| draft.problem(row.line, mistake))
            })
            .collect()
    }
}

/// Defaults of a row.
#[derive(Clone, Default)]
pub struct Defaults {
    /// the login of rows without one
    pub auth: Option<Auth>,
}
