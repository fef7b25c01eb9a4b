//! `dbtop audit`.

use super::Format;
use clap::{Args, Subcommand};
use std::path::PathBuf;

/// `dbtop audit`.
#[derive(Debug, Args)]
pub struct Audit {
    /// The sub-command
    #[command(subcommand)]
    pub command: AuditCommand,

    /// Output format
    #[arg(short = 'o', long = "output", value_enum, default_value_t = Format::Table, global = true)]
    pub output: Format,
}

/// The sub-commands of `dbtop audit`.
#[derive(Debug, Subcommand)]
pub enum AuditCommand {
    /// Show entries, oldest first
    List(AuditRows),
    /// Follow the chain of entries; exit code 2 names the first bad one
    Verify,
    /// Print number and hash of the last entry, to be kept where nobody can change them
    Head,
    /// Remove entries that are older than audit.keep_days, as a running dbtop does once a day; the rest can still be verified
    Prune,
    /// Write entries out
    Export {
        /// As CSV
        #[arg(long)]
        csv: bool,

        /// Into this file, which is not there yet
        #[arg(long, value_name = "FILE")]
        out: Option<PathBuf>,

        /// Which
        #[command(flatten)]
        rows: AuditRows,
    },
}

/// Which entries of the audit log.
#[derive(Debug, Args)]
pub struct AuditRows {
    /// This action only: add, edit, remove, restore, rotate, …
    #[arg(long)]
    pub action: Option<String>,

    /// This kind (instance, group, label, filter, slot, tenant) or this name only
    #[arg(long)]
    pub entity: Option<String>,

    /// This name only
    #[arg(long)]
    pub name: Option<String>,

    /// This text anywhere in it: who, action, entity, name, what changed, why it was refused
    #[arg(long, value_name = "TEXT")]
    pub search: Option<String>,

    /// Not before this day or time, by the clock of ui.time_zone: 2026-01-31, 2026-01-31T05:00:00Z, -7d
    #[arg(long, value_name = "DATE", allow_hyphen_values = true)]
    pub from: Option<String>,

    /// Before this day or time
    #[arg(long, value_name = "DATE", allow_hyphen_values = true)]
    pub until: Option<String>,

    /// The newest N of them
    #[arg(long, value_name = "N")]
    pub last: Option<usize>,
}
