//! `dbtop bookmark`.

use super::Format;
use clap::{Args, Subcommand};
use std::path::PathBuf;

/// `dbtop bookmark`.
#[derive(Debug, Args)]
pub struct Bookmark {
    /// The sub-command
    #[command(subcommand)]
    pub command: BookmarkCommand,

    /// In this history, which is not sealed (a recording); default: that of the tenant, or of --inventory
    #[arg(long, value_name = "FILE", global = true)]
    pub history: Option<PathBuf>,

    /// Output format
    #[arg(short = 'o', long = "output", value_enum, default_value_t = Format::Table, global = true)]
    pub output: Format,
}

/// A place on the time line, and its instances.
#[derive(Debug, Args)]
pub struct Spot {
    /// When, by the clock of ui.time_zone: 2026-11-20 02:00, 02:14, 14:00 UTC, or -3h; default: now
    #[arg(long, allow_hyphen_values = true)]
    pub at: Option<String>,

    /// Names of instances
    #[arg(long = "instance", value_name = "NAME")]
    pub instances: Vec<String>,
}

/// The sub-commands of `dbtop bookmark`.
#[derive(Debug, Subcommand)]
pub enum BookmarkCommand {
    /// Put a note on the time line: of the instances, or of the whole fleet
    Add {
        /// The place
        #[command(flatten)]
        spot: Spot,

        /// The note
        #[arg(long)]
        note: String,
    },
    /// Keep an incident: ten minutes before the instant and five after stay as long as events do
    Keep {
        /// The place, with at least one instance
        #[command(flatten)]
        spot: Spot,

        /// The note; default: kept by hand
        #[arg(long)]
        note: Option<String>,
    },
    /// List bookmarks and incidents, oldest first
    List {
        /// Names of instances; default: all
        #[arg(long = "instance", value_name = "NAME")]
        instances: Vec<String>,
    },
    /// Remove a bookmark or an incident, by its number in the list
    Remove {
        /// Its number
        number: i64,
    },
}
