//! `dbtop vault`.

use super::Format;
use clap::{Args, Subcommand};
use std::path::PathBuf;

/// `dbtop vault`.
#[derive(Debug, Args)]
pub struct Vault {
    /// The sub-command
    #[command(subcommand)]
    pub command: VaultCommand,

    /// Output format
    #[arg(short = 'o', long = "output", value_enum, default_value_t = Format::Table, global = true)]
    pub output: Format,
}

/// The sub-commands of `dbtop vault`.
#[derive(Debug, Subcommand)]
pub enum VaultCommand {
    /// Make a tenant with its vault; asks for a new passphrase, or makes the file of --key-file
    Init {
        /// Take the operating system's keyring instead of a passphrase
        #[arg(long, conflicts_with = "key_file")]
        keyring: bool,
    },
    /// Show the tenant of the vault, its slots, and whether it opens here without a question
    Status,
    /// The slots: the secrets that open the vault
    #[command(subcommand)]
    Slot(SlotCommand),
    /// Make a new data key and seal every record anew; asks for no slot's secret
    Rotate,
    /// Show how well this machine protects keys in memory, and its keyrings
    LockCheck,
}

/// The sub-commands of `dbtop vault slot`.
#[derive(Debug, Subcommand)]
pub enum SlotCommand {
    /// List the slots
    List,
    /// Add a slot; the vault is opened first
    Add {
        /// The secret that shall open the vault
        #[command(subcommand)]
        slot: NewSlot,

        /// A name for the slot; it is sealed
        #[arg(long, global = true, default_value = "")]
        label: String,
    },
    /// Remove a slot by the start of its id
    Remove {
        /// At least 4 digits of the id that `slot list` shows
        id: String,

        /// Rotate the data key as well, to lock out everybody with a copy of it
        #[arg(long)]
        rotate: bool,
    },
}

/// Kinds of new slots.
#[derive(Debug, Subcommand)]
pub enum NewSlot {
    /// A passphrase, asked for twice
    Passphrase,
    /// A key file; made if it is not there
    KeyFile {
        /// The file
        file: PathBuf,
    },
    /// A key that systemd will hand over as $CREDENTIALS_DIRECTORY/dbtop-TENANT; made like a key file
    Credential {
        /// The key in plain, as it will be handed over
        file: PathBuf,
    },
    /// The operating system's keyring
    Keyring,
    /// A program that unwraps a key: for a KMS, HashiCorp Vault, a TPM. vault.unwrap in the configuration names it
    Command {
        /// The wrapped key: whatever the program turns into a secret, such as 32 random bytes
        #[arg(long, value_name = "FILE")]
        wrapped: PathBuf,
    },
}
