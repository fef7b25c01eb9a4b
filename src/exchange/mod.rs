//! Inventories of other programs, and ours as files: bytes in, records out, and back. Called by `command`; pure: no files,
//! no network, no clock. Every format is read into [`Draft`]s, texts by field, and one place turns a draft into a record
//! ([`Draft::record`]), so that an error has the same words in every format.
//!
//! | format | file |
//! |---|---|
//! | CSV, as Excel and people write it | `csv.rs` |
//! | JSON and TOML, ours and the one of `dbtop sim` | `tree.rs` |
//! | registered servers of SSMS, `.regsrvr` | `regsrvr.rs`, with `connection.rs` for its connection strings |
//! | rows of a Central Management Server | `cms.rs` |
//!
//! A [`Plan`] (`plan.rs`) holds the changes that a file would make in an inventory; it is shown before anything happens.

mod cms;
mod connection;
mod csv;
mod draft;
mod field;
mod plan;
mod regsrvr;
mod text;
mod tree;

pub use cms::{CmsGroup, CmsServer, SCRIPT as CMS_SCRIPT, rows as cms_rows};
pub use draft::Draft;
pub use field::{COLUMNS, Column, Field, Kind, Place, Value, column, set_text};
pub use plan::{Change, Counts, Entry, FieldChange, Plan, changes, plan};

use crate::model::inventory::record::{Auth, InstanceRecord, RecordError};

/// Formats of files.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// comma- or semicolon-separated, with a header
    Csv,
    /// an array of objects
    Json,
    /// `[[instance]]` tables; `dbtop sim` writes this, too
    Toml,
    /// registered servers of SQL Server Management Studio
    Regsrvr,
}

impl Format {
    /// By the file's extension.
    pub fn of_extension(extension: &str) -> Option<Self> {
        match extension.to_ascii_lowercase().as_str() {
            "csv" | "txt" | "tsv" => Some(Self::Csv),
            "json" => Some(Self::Json),
            "toml" => Some(Self::Toml),
            "regsrvr" | "xml" => Some(Self::Regsrvr),
            _ => None,
        }
    }
}

/// The treatment of the vault's passwords when an inventory is written to a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Secrets {
    /// they are left out; places outside (command, variable, file) are named
    Leave,
    /// they are written: everybody who can read the file can read them
    Write,
}

/// Defaults of a row.
#[derive(Clone, Default)]
pub struct Defaults {
    /// the login of rows without one
    pub auth: Option<Auth>,
}

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

impl RowProblem {
    fn new(line: usize, mistake: RecordError) -> Self {
        Self { line, field: mistake.field.to_owned(), reason: mistake.problem }
    }
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
                draft.record(defaults.auth.as_ref()).map_err(|mistake| RowProblem::new(row.line, mistake))
            })
            .collect()
    }
}

/// Reads a file. Never panics, whatever the bytes.
///
/// # Errors
/// [`FileProblem`] if it has no readable rows: not this format, no column for the host, cut in the middle. Errors in
/// single rows are in the rows.
pub fn read(format: Format, bytes: &[u8]) -> Result<Rows, FileProblem> {
    let text = text::decode(bytes)?;
    match format {
        Format::Csv => csv::read(&text),
        Format::Json => tree::read_json(&text),
        Format::Toml => tree::read_toml(&text),
        Format::Regsrvr => regsrvr::read(&text),
    }
}

/// Writes instances to a file's bytes. `.regsrvr` never has passwords: SSMS encrypts them for one Windows user.
///
/// # Errors
/// A sentence, if a record cannot be written in this format.
pub fn write(format: Format, records: &[InstanceRecord], secrets: Secrets) -> Result<Vec<u8>, String> {
    match format {
        Format::Csv => csv::write(records, secrets),
        Format::Json => tree::write_json(records, secrets),
        Format::Toml => tree::write_toml(records, secrets),
        Format::Regsrvr => Ok(regsrvr::write(records).into_bytes()),
    }
}
