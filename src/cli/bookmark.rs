//! `dbtop bookmark`.

use super::Format;
use clap::{Args, Subcommand};
use std::path::PathBuf;

/// `dbtop bookmark`.
#[derive(Debug, Args)]
pub struct Bookmark {
    /// What to do
    #[command(subcommand)]
    pub command: BookmarkCommand,

    /// In this history, which is not sealed (a recording); default: that of the tenant, or of --inventory
    #[arg(long, value_name = "FILE", global = true)]
    pub history: Option<PathBuf>,

    /// Output format
    #[arg(short = 'o', long = "output", value_enum, default_value_t = Format::Table, global = true)]
    pub output: Format,
}

/// Where on the time line, and of whom.
#[derive(Debug, Args)]
pub struct Spot {
    /// When: 2026-11-20 02:00 (UTC), 02:14, or -3h; default: now
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
        /// Where
        #[command(flatten)]
        spot: Spot,

        /// What to remember
        #[arg(long)]
        note: String,
    },
    /// Keep an incident: ten minutes before the instant and five after stay as long as events do
    Keep {
        /// Where; names at least one instance
        #[command(flatten)]
        spot: Spot,

        /// What to remember
        #[arg(long, default_value = "kept by hand")]
        note: String,
    },
    /// List bookmarks and incidents, oldest first
    List {
        /// Names of instances; default: all
        #[arg(long = "instance", value_name = "NAME")]
        instances: Vec<String>,
    },
    /// Take a bookmark or an incident away, by its number in the list
    Remove {
        /// Its number
        number: i64,
    },
}
