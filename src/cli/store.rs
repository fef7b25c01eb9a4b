//! Clap types of `dbtop store`: the history as a file.

use super::Format;
use clap::{Args, Subcommand};
use std::path::PathBuf;

/// `dbtop store`.
#[derive(Debug, Args)]
pub struct Store {
    /// The sub-command
    #[command(subcommand)]
    pub command: StoreCommand,

    /// This history, which is not sealed (a recording); default: that of the tenant, or of --inventory
    #[arg(long, value_name = "FILE", global = true)]
    pub history: Option<PathBuf>,

    /// Output format
    #[arg(short = 'o', long = "output", value_enum, default_value_t = Format::Table, global = true)]
    pub output: Format,
}

/// The sub-commands of `dbtop store`.
#[derive(Debug, Subcommand)]
pub enum StoreCommand {
    /// Show statistics: rows and bytes by tier, oldest and newest, growth a day, days until the cap
    Stats,
    /// Check every page and every blob: 0 if all is whole, 2 if something is damaged
    Check,
    /// Write the history into one file, sealed as it is; collecting goes on meanwhile
    Backup {
        /// A file that is not there yet
        file: PathBuf,
    },
    /// Replace the history by a backup; the old one stays beside it
    Restore {
        /// The backup
        file: PathBuf,
    },
    /// Copy a stretch of time into a history of its own: a recording, NOT sealed
    ExportRange {
        /// From when, by the clock of ui.time_zone: 2026-11-20 02:00, 14:00 UTC, or -3h
        #[arg(long, allow_hyphen_values = true)]
        from: String,

        /// Until when; default: now
        #[arg(long, allow_hyphen_values = true)]
        to: Option<String>,

        /// Names of instances; default: all
        #[arg(long = "instance", value_name = "NAME")]
        instances: Vec<String>,

        /// A file that is not there yet
        file: PathBuf,
    },
    /// Take a recording into the history; instances that have something at that time already are left out
    Import {
        /// The recording
        file: PathBuf,
    },
}
