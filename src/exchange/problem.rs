//! Errors of a file that is read, and of its rows.

/// An error in a row: it is no instance.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {field}: {reason}")]
pub struct RowProblem {
    /// line of the file, from 1; for rows of a server their number
    pub line: usize,
    /// the field
    pub field: String,
    /// what to change
    pub reason: String,
}

/// An error in a whole file: it could not be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {reason}")]
pub struct FileProblem {
    /// line, from 1
    pub line: usize,
    /// what is wrong, and what to do
    pub reason: String,
}
