//! Formats of output that several commands share.

use clap::ValueEnum;

/// Output formats.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// aligned columns
    Table,
    /// one JSON array
    Json,
    /// comma-separated, with a header
    Csv,
}

/// Formats of reports that are no tables.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Report {
    /// for people
    #[value(alias = "table")]
    Text,
    /// one JSON array
    Json,
}
