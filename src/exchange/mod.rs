//! Inventories of other programs, and ours as files: bytes in, records out, and back. Called by `command` and
//! `app::inventory`; pure: no files, no network, no clock. Every format is read into [`Draft`]s, texts by field, and one
//! place turns a draft into a record ([`Draft::record`]), so that an error has the same words in every format.
//!
//! | format | file |
//! |---|---|
//! | CSV, as Excel and people write it | `csv.rs` |
//! | JSON and TOML, ours and the one of `dbtop sim` | `tree.rs` |
//! | registered servers of SSMS, `.regsrvr` | `regsrvr.rs` |
//! | rows of a Central Management Server | `cms.rs` |
//!
//! A [`Plan`] (`plan.rs`) holds the changes that a file would make in an inventory; it is shown before anything happens.

pub mod audit;
mod cms;
mod csv;
mod draft;
mod field;
mod plan;
mod problem;
mod regsrvr;
mod rows;
mod text;
mod tree;

pub use cms::{CmsGroup, CmsServer, SCRIPT as CMS_SCRIPT, rows as cms_rows};
pub use draft::{Draft, Secrets};
pub use field::{COLUMNS, Column, Field, Kind, Place, Value, column, set_text};
pub use plan::{Change, Conflict, Counts, Entry, FieldChange, Plan, changes, plan};
pub use problem::{FileProblem, RowProblem};
pub use rows::{Defaults, Row, Rows};

use crate::model::inventory::record::InstanceRecord;

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
