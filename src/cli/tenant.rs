//! `dbtop tenant`.

use super::Format;
use clap::{Args, Subcommand};
use std::path::PathBuf;

/// `dbtop tenant`.
#[derive(Debug, Args)]
pub struct Tenant {
    /// The sub-command
    #[command(subcommand)]
    pub command: TenantCommand,

    /// Output format
    #[arg(short = 'o', long = "output", value_enum, default_value_t = Format::Table, global = true)]
    pub output: Format,
}

/// The sub-commands of `dbtop tenant`.
#[derive(Debug, Subcommand)]
pub enum TenantCommand {
    /// Make a tenant with its vault; asks for a new passphrase, or makes the file of --key-file
    Create {
        /// 3 to 50 of a to z, 0 to 9 and hyphens
        name: String,

        /// Take the operating system's keyring instead of a passphrase
        #[arg(long, conflicts_with = "key_file")]
        keyring: bool,
    },
    /// List the tenants with size, instances and state; limits are sealed, and shown where --key-file opens a tenant
    List {
        /// The deleted ones, which `tenant undelete` brings back
        #[arg(long)]
        deleted: bool,
    },
    /// Limit a tenant; a limit that is not named stays, 0 takes it away
    Limit {
        /// The tenant
        name: String,

        /// Instances at most
        #[arg(long, value_name = "N", required_unless_present = "history_gb")]
        instances: Option<u32>,

        /// History at most, GB, 0.1 to 10000: the oldest is deleted first
        #[arg(long, value_name = "GB")]
        history_gb: Option<f64>,
    },
    /// Stop polling and changing a tenant until it is resumed
    Suspend {
        /// The tenant
        name: String,
    },
    /// Go on with a suspended tenant
    Resume {
        /// The tenant
        name: String,
    },
    /// Delete a tenant with everything in it; `tenant undelete` brings it back for 30 days
    Delete {
        /// The tenant
        name: String,

        /// Do not ask
        #[arg(long)]
        yes: bool,
    },
    /// Bring a deleted tenant back
    Undelete {
        /// The name that it had
        name: String,

        /// When it was deleted, where several of this name were: as `tenant list --deleted` says it, or the beginning of that
        #[arg(long, value_name = "TIME")]
        deleted: Option<String>,

        /// Its new name; default: the one that it had
        #[arg(long = "as", value_name = "NAME")]
        to: Option<String>,
    },
    /// Rename a tenant
    #[command(visible_alias = "rename")]
    Move {
        /// The tenant
        name: String,
        /// Its new name
        to: String,
    },
    /// Write a tenant with its history into one encrypted file; a collector goes on meanwhile
    Backup {
        /// The tenant
        name: String,
        /// A file that is not there yet; default: one with the tenant's name and the time in the folder `backups` of dbtop's data
        file: Option<PathBuf>,
    },
    /// Bring a tenant back from a backup, with its history and any of its key slots; here or on another machine
    Restore {
        /// The backup
        file: PathBuf,
        /// Name; default: the one it had
        name: Option<String>,
    },
    /// Repair a damaged tenant: take out records that cannot be read, keep the rest
    Repair {
        /// The tenant
        name: String,
    },
    /// Migrate every tenant's file to the newest format; one that fails stays as it was
    Migrate,
}
