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
    /// List the tenants; opens none of them
    List,
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
    /// Delete a tenant with everything in it
    Delete {
        /// The tenant
        name: String,

        /// Do not ask
        #[arg(long)]
        yes: bool,
    },
    /// Rename a tenant
    Move {
        /// The tenant
        name: String,
        /// Its new name
        to: String,
    },
    /// Write a tenant into one encrypted file
    Backup {
        /// The tenant
        name: String,
        /// A file that is not there yet; default: one with the tenant's name and the time in the folder `backups` of dbtop's data
        file: Option<PathBuf>,
    },
    /// Bring a tenant back from a backup, with any of its key slots
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
