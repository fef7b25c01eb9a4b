//! The command line: clap types only. `command` reads them and decides what an option means.

pub mod bookmark;
pub mod export;
pub mod inventory;
pub mod store;

use clap::{Args, Parser, Subcommand, ValueEnum};
use std::path::PathBuf;

/// A full-screen terminal console for SQL Server fleets.
#[derive(Debug, Parser)]
#[command(name = "dbtop", version, about, max_term_width = 100)]
pub struct Cli {
    /// The command; without one: the screen.
    #[command(subcommand)]
    pub command: Option<Command>,

    /// The fleet to watch.
    #[command(flatten)]
    pub source: Source,

    /// The tenant, and how its vault is opened.
    #[command(flatten)]
    pub tenancy: Tenancy,

    /// The screen.
    #[command(flatten)]
    pub screen: Screen,

    /// An older spelling of `dbtop export`.
    #[command(flatten)]
    pub alias: export::Alias,
}

/// Parses the command line. Like clap, it prints help or a usage error and exits by itself.
pub fn parse() -> Cli {
    Cli::parse()
}

/// The fleet to watch, and its configuration.
#[derive(Debug, Clone, Args)]
pub struct Source {
    /// Watch a simulated fleet of N instances that runs inside dbtop
    #[arg(long, value_name = "N", num_args = 0..=1, default_missing_value = "40", require_equals = true, global = true,
          conflicts_with = "inventory", value_parser = clap::value_parser!(u32).range(1..=2000))]
    pub demo: Option<u32>,

    /// Seed of the simulated fleet: the same seed gives the same fleet
    #[arg(long, value_name = "SEED", default_value_t = 7, global = true)]
    pub seed: u64,

    /// Watch the instances in this TOML file
    #[arg(long, value_name = "FILE", env = "DBTOP_INVENTORY", global = true)]
    pub inventory: Option<PathBuf>,

    /// Configuration file
    #[arg(long, value_name = "FILE", env = "DBTOP_CONFIG", global = true)]
    pub config: Option<PathBuf>,
}

/// The tenant, and the key that opens its vault without a question. A passphrase is asked for on the terminal, and is never
/// an option.
#[derive(Debug, Clone, Args)]
pub struct Tenancy {
    /// Tenant; default: the only one there is
    #[arg(long, value_name = "NAME", env = "DBTOP_TENANT", global = true)]
    pub tenant: Option<String>,

    /// Open the vault with this key file instead of asking for a passphrase [env: DBTOP_KEY_FILE]
    #[arg(long, value_name = "FILE", global = true)]
    pub key_file: Option<PathBuf>,
}

/// Options of the screen.
#[derive(Debug, Clone, Args)]
pub struct Screen {
    /// Show a recording of `dbtop store export-range`, or any history that is not sealed: no server is asked
    #[arg(long, value_name = "FILE", conflicts_with = "demo")]
    pub replay: Option<PathBuf>,

    /// dark, light, high-contrast, ansi16, mono, or a theme file
    #[arg(long, value_name = "THEME")]
    pub theme: Option<String>,

    /// Let the mouse select rows and scroll
    #[arg(long)]
    pub mouse: bool,

    /// Halve the frame rate and drop sparklines, for slow lines
    #[arg(long)]
    pub low_bandwidth: bool,
}

/// The sub-commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Collect a fleet without a screen until SIGTERM: for systemd, and for machines without a person
    Collect(Collect),
    /// Show which fleets are collected, by which process, and its state
    Status(Status),
    /// Check a collector for Nagios and similar tools; exit with 0 (fine), 1 (warning), 2 (critical) or 3 (unknown)
    Healthcheck(Healthcheck),
    /// Print the figures of a running collector for Prometheus, at most 15 seconds old
    Metrics,
    /// Poll once, print, and exit with 0 (fine), 1 (warning), 2 (critical) or 3 (unknown)
    Once(Once),
    /// Run a simulated SQL Server fleet on loopback until Ctrl-C
    Sim(Sim),
    /// Show the rights that the logins lack, and the scripts that grant them
    Doctor(Doctor),
    /// The vault that seals the inventory: make it, show it, change the secrets that open it
    Vault(Vault),
    /// Tenants: make, list, suspend, rename, delete, back up and restore them
    Tenant(Tenant),
    /// The history as a file: statistics, check, backup, restore, recordings
    Store(store::Store),
    /// Reports on a stretch of time: an incident as a page with a recording, the cost of dbtop itself
    Export(export::Export),
    /// Bookmarks and incidents on the time line: add, keep, list, remove
    Bookmark(bookmark::Bookmark),
    /// The log of every change: list, verify, export it
    Audit(Audit),
    /// The instances of the inventory: add, edit, list, import, export
    Instance(inventory::Instance),
    /// Groups of instances
    Group(inventory::Group),
    /// Labels of instances, and their colours
    Label(inventory::Label),
    /// Saved filters
    Filter(inventory::Filter),
    /// The configuration: check it, show it
    Config(Configuration),
    /// Print all keys as Markdown
    Keys,
}

/// `dbtop collect`.
#[derive(Debug, Clone, Copy, Args)]
pub struct Collect {
    /// Answer here with figures for Prometheus, such as 127.0.0.1:9399; stronger than `[metrics] listen`
    #[arg(long, value_name = "ADDRESS")]
    pub metrics: Option<std::net::SocketAddr>,
}

/// `dbtop status`.
#[derive(Debug, Clone, Copy, Args)]
pub struct Status {
    /// Output format
    #[arg(short = 'o', long = "output", value_enum, default_value_t = Format::Table)]
    pub output: Format,
}

/// `dbtop healthcheck`.
#[derive(Debug, Clone, Copy, Args)]
pub struct Healthcheck {
    /// Output format
    #[arg(short = 'o', long = "output", value_enum, default_value_t = Report::Text)]
    pub output: Report,

    /// Age of the newest good poll, seconds: warning
    #[arg(long, value_name = "SECONDS", default_value_t = 120)]
    pub poll_warning: u32,

    /// and critical
    #[arg(long, value_name = "SECONDS", default_value_t = 300)]
    pub poll_critical: u32,

    /// Delay of polls behind their time-table, and of history behind the polls, seconds: warning
    #[arg(long, value_name = "SECONDS", default_value_t = 5)]
    pub lag_warning: u32,

    /// and critical
    #[arg(long, value_name = "SECONDS", default_value_t = 30)]
    pub lag_critical: u32,

    /// Free space on the collector's disk, %: warning
    #[arg(long, value_name = "PERCENT", default_value_t = 10, value_parser = clap::value_parser!(u32).range(0..=100))]
    pub disk_warning: u32,

    /// and critical
    #[arg(long, value_name = "PERCENT", default_value_t = 5, value_parser = clap::value_parser!(u32).range(0..=100))]
    pub disk_critical: u32,
}

/// `dbtop once`.
#[derive(Debug, Args)]
pub struct Once {
    /// The subject to print
    #[arg(value_enum)]
    pub what: What,

    /// @group, label=value, or an instance; default: the whole fleet
    #[arg(long, value_name = "SCOPE")]
    pub scope: Option<String>,

    /// Rows to keep, as `/` on the screen: text, regex, !inverse, cpu>80
    #[arg(long, value_name = "EXPR")]
    pub filter: Option<String>,

    /// Output format
    #[arg(short = 'o', long = "output", value_enum, default_value_t = Format::Table)]
    pub output: Format,

    /// Print what this recording knows instead of polling
    #[arg(long, value_name = "FILE", conflicts_with = "demo")]
    pub replay: Option<PathBuf>,

    /// At this time of the recording: 2026-11-20 02:14 (UTC), or -30m before its end; default: its end
    #[arg(long, value_name = "TIME", requires = "replay", allow_hyphen_values = true)]
    pub at: Option<String>,

    /// Seconds between the two samples that rates are made of
    #[arg(long, value_name = "SECONDS", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=60))]
    pub sample: u32,
}

/// The subjects of `once`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum What {
    /// a row an instance: score, reason, headline figures
    Fleet,
    /// a row a running request
    Activity,
    /// a row a wait type
    Waits,
    /// a row a session in a blocking chain
    Blocking,
    /// the cost of dbtop itself: a row an instance, and this process
    Cost,
}

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

/// `dbtop doctor`.
#[derive(Debug, Args)]
pub struct Doctor {
    /// @group, label=value, or an instance; default: the whole fleet
    #[arg(long, value_name = "SCOPE")]
    pub scope: Option<String>,

    /// Output format
    #[arg(short = 'o', long = "output", value_enum, default_value_t = Report::Text)]
    pub output: Report,
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

/// `dbtop sim`.
#[derive(Debug, Args)]
pub struct Sim {
    /// Number of instances
    #[arg(long, default_value_t = 40, value_parser = clap::value_parser!(u32).range(1..=2000))]
    pub instances: u32,

    /// File of troubles and their times (TOML); re-read when it changes. Default: no trouble. `demo`: the script of --demo
    #[arg(long, value_name = "FILE")]
    pub scenario: Option<PathBuf>,

    /// Versions to play, such as 2016,2019,2022
    #[arg(long, value_name = "LIST", value_delimiter = ',')]
    pub versions: Vec<u16>,

    /// Port to listen on; each instance has a loopback address of its own
    #[arg(long, default_value_t = 14330)]
    pub port: u16,

    /// Write the inventory for --inventory to this file (its CA goes beside it)
    #[arg(long, value_name = "FILE")]
    pub inventory_out: PathBuf,
}

/// `dbtop config`.
#[derive(Debug, Clone, Copy, Args)]
pub struct Configuration {
    /// The sub-command
    #[command(subcommand)]
    pub command: ConfigCommand,

    /// Output format
    #[arg(short = 'o', long = "output", value_enum, default_value_t = Format::Table, global = true)]
    pub output: Format,
}

/// The sub-commands of `dbtop config`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Subcommand)]
pub enum ConfigCommand {
    /// Show every error with file, line and option, and warnings about insecure or costly settings; exit with 0 (nothing), 1
    /// (warnings) or 2 (errors)
    Check,
    /// Print every option with its value and its origin
    Show,
}

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
}

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
        /// A file that is not there yet
        file: PathBuf,
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

    /// Not before this day or time (UTC)
    #[arg(long, value_name = "DATE")]
    pub from: Option<String>,

    /// Before this day or time (UTC)
    #[arg(long, value_name = "DATE")]
    pub until: Option<String>,

    /// The newest N of them
    #[arg(long, value_name = "N")]
    pub last: Option<usize>,
}
