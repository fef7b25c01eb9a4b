//! The command line: clap types only. `command` reads them and decides what an option means.

mod audit;
pub mod bookmark;
pub mod deadlock;
pub mod export;
mod format;
pub mod inventory;
pub mod plan;
pub mod store;
mod tenant;
mod vault;

pub use audit::{Audit, AuditCommand, AuditRows};
pub use format::{Format, Report};
pub use tenant::{Tenant, TenantCommand};
pub use vault::{NewSlot, SlotCommand, Vault, VaultCommand};

use clap::{
    Args, CommandFactory, FromArgMatches, Parser, Subcommand, ValueEnum,
    builder::Resettable,
    error::{ContextKind, ErrorKind},
};
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

/// Parses the command line.
///
/// # Errors
/// A usage error; help and version are errors, too, to be printed as they are.
pub fn parse() -> Result<Cli, clap::Error> {
    let mut command = command();
    let matches =
        command.try_get_matches_from_mut(std::env::args_os()).map_err(|e| in_words(e, &mut command))?;
    Cli::from_arg_matches(&matches).map_err(|e| e.format(&mut command))
}

/// A number that is none is told in our words, and not in those of the library that reads it.
fn in_words(error: clap::Error, command: &mut clap::Command) -> clap::Error {
    use std::error::Error as _;
    let words = match error.source().map(ToString::to_string).as_deref() {
        Some("invalid digit found in string" | "cannot parse integer from empty string") => {
            "write a whole number"
        }
        Some("number too large to fit in target type" | "number too small to fit in target type") => {
            "the number is too great, or below 0"
        }
        Some("invalid float literal" | "cannot parse float from empty string") => "write a number",
        _ => return error,
    };
    let told = |kind| error.get(kind).map(ToString::to_string).unwrap_or_default();
    let (option, value) = (told(ContextKind::InvalidArg), told(ContextKind::InvalidValue));
    command.error(ErrorKind::ValueValidation, format!("{option}: {value:?} is no such value: {words}"))
}

/// What follows the help of every command.
const EXIT_CODES: &str = "Exit code 3: wrong arguments, or the command could not do its work. 0, 1 and 2 are its result: fine, a warning, critical; \
     3 as well where a command that tells health does not know all of it.";

/// Sub-commands of the sealed inventory, and those that poll nothing: which fleet is watched means nothing to them.
const WITHOUT_FLEET: [&str; 11] =
    ["sim", "vault", "tenant", "audit", "instance", "group", "label", "filter", "config", "probes", "keys"];
/// Options of [`Source`] that say which fleet is watched.
const FLEET: [&str; 2] = ["demo", "inventory"];

/// The command line; the help of each sub-command lists only options that mean something to it.
fn command() -> clap::Command {
    let mut command = Cli::command().after_help(EXIT_CODES).mut_args(without_empty);
    // Options of all commands are in each of them only once it is built.
    command.build();
    for name in WITHOUT_FLEET {
        if let Some(sub) = command.find_subcommand_mut(name) {
            without_fleet(sub);
        }
    }
    command
}

/// A variable that is set to nothing is not set: service managers and containers write such lines.
fn without_empty(arg: clap::Arg) -> clap::Arg {
    let is_empty = |name| std::env::var_os(name).is_some_and(|value| value.is_empty());
    if arg.get_env().is_some_and(is_empty) { arg.env(Resettable::Reset) } else { arg }
}

fn without_fleet(command: &mut clap::Command) {
    let is_of_fleet = |arg: &clap::Arg| FLEET.contains(&arg.get_id().as_str());
    *command = std::mem::take(command).mut_args(|arg| if is_of_fleet(&arg) { arg.hide(true) } else { arg });
    command.get_subcommands_mut().for_each(without_fleet);
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

    /// Say lines instead of drawing a screen: for screen readers, braille lines and TERM=dumb. Reads words from standard input; help lists them
    #[arg(long)]
    pub plain: bool,
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
    /// List what is asked of servers: every probe with its intervals, rights, and what is unknown without them
    Probes(Probes),
    /// Read a plan from a file: operators with their own times, and what is wrong; exit with 1 if something is grave
    Plan(plan::Plan),
    /// Read deadlocks from a file: who waited for whom, and what usually helps
    Deadlock(deadlock::Deadlock),
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

/// `dbtop probes`.
#[derive(Debug, Clone, Copy, Args)]
pub struct Probes {
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

    /// At this time of the recording, by the clock of ui.time_zone: 2026-11-20 02:14, 14:00 UTC, or -30m before its end; default: its end
    #[arg(long, value_name = "TIME", requires = "replay", allow_hyphen_values = true)]
    pub at: Option<String>,

    /// With queries: what they cost from this time on, added up out of the fleet's history, or out of a recording with --replay
    #[arg(
        long,
        value_name = "TIME",
        conflicts_with = "at",
        conflicts_with = "demo",
        allow_hyphen_values = true
    )]
    pub from: Option<String>,

    /// With --from: up to this time; default: now, or the end of the recording
    #[arg(long, value_name = "TIME", requires = "from", allow_hyphen_values = true)]
    pub to: Option<String>,

    /// With --from: beside the same length of time from here on, the largest change first
    #[arg(long, value_name = "TIME", requires = "from", allow_hyphen_values = true)]
    pub beside: Option<String>,

    /// With plans: this plan of the Query Store of a database, as `once querystore` and the screen number it, instead of the plans of
    /// what takes most CPU
    #[arg(long, value_name = "DATABASE:PLAN_ID", value_parser = stored_plan)]
    pub query_store: Option<StoredPlan>,

    /// Seconds between the two samples that rates are made of
    #[arg(long, value_name = "SECONDS", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=60))]
    pub sample: u32,
}

/// A plan of a Query Store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredPlan {
    /// the database
    pub database: String,
    /// the plan's number in its store
    pub plan_id: i64,
}

/// `orders:77`. A name may have colons in it.
fn stored_plan(text: &str) -> Result<StoredPlan, String> {
    let parts = text.rsplit_once(':').filter(|(database, _)| !database.is_empty());
    let (database, plan_id) =
        parts.ok_or("name the database and the number of the plan, such as orders:77")?;
    let plan_id = plan_id
        .parse()
        .map_err(|_| format!("{plan_id} is no number of a plan, such as the 77 of orders:77"))?;
    Ok(StoredPlan { database: database.to_owned(), plan_id })
}

/// The subjects of `once`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum What {
    /// one row per instance: score, reason, headline figures
    Fleet,
    /// one row per running request
    Activity,
    /// one row per wait type
    Waits,
    /// one row per session in a blocking chain
    Blocking,
    /// one row per pattern of deadlocks: when it happened last, how often, what about, who was rolled back
    Deadlocks,
    /// one row per query of the plan cache that ran: what it costs, and its share of all CPU
    Queries,
    /// one row per procedure, trigger or function that ran: what it costs
    Modules,
    /// one row per query of Query Store: its newest closed hour beside the day before
    Querystore,
    /// one row per Query Store: state, size, forced plans
    Stores,
    /// one row per finding in the plans of the three queries of an instance that take most CPU; asked of the servers
    Plans,
    /// the cost of dbtop itself: one row per instance, and this process
    Cost,
    /// one row per database: state, recovery model, size, compatibility, owner
    Databases,
    /// one row per volume: size, free space, when it is full
    Storage,
    /// one row per database file: latency, growth, whether the next growth has room
    Files,
    /// one row per time that a database file grew by itself, out of the default trace
    Growths,
    /// one row per session that holds tempdb
    Tempdb,
    /// one row per transaction log: use, who holds it, growth
    Txlog,
    /// one row per type of memory clerk
    Memory,
    /// one row per memory grant, held or awaited
    Grants,
}

impl What {
    /// All subjects, in the order of the help.
    pub fn all() -> &'static [Self] {
        Self::value_variants()
    }

    /// Its word on the command line.
    pub fn word(self) -> String {
        self.to_possible_value().map(|value| value.get_name().to_owned()).unwrap_or_default()
    }
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

/// `dbtop sim`.
#[derive(Debug, Args)]
pub struct Sim {
    /// Number of instances
    #[arg(long, default_value_t = 40, value_parser = clap::value_parser!(u32).range(1..=60_000))]
    pub instances: u32,

    /// File of troubles and their times (TOML); re-read when it changes. Default: no trouble. `demo`: the script of --demo
    #[arg(long, value_name = "FILE")]
    pub scenario: Option<PathBuf>,

    /// Versions to play, such as 2016,2019,2022
    #[arg(long, value_name = "LIST", value_delimiter = ',')]
    pub versions: Vec<u16>,

    /// Who runs the instances, in turn: own, rds, managed-instance, azure-database. Default: own
    #[arg(long, value_name = "LIST", value_delimiter = ',', value_enum)]
    pub hosting: Vec<Hosting>,

    /// Port to listen on; each instance has a loopback address of its own
    #[arg(long, default_value_t = 14330)]
    pub port: u16,

    /// Write the inventory for --inventory to this file (its CA goes beside it)
    #[arg(long, value_name = "FILE")]
    pub inventory_out: PathBuf,
}

/// Who runs a simulated instance.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Hosting {
    /// those who own the machine
    Own,
    /// Amazon RDS
    Rds,
    /// a Managed Instance of Azure SQL
    ManagedInstance,
    /// Azure SQL Database
    AzureDatabase,
}

/// `dbtop config`.
#[derive(Debug, Clone, Args)]
pub struct Configuration {
    /// The sub-command
    #[command(subcommand)]
    pub command: ConfigCommand,

    /// Output format
    #[arg(short = 'o', long = "output", value_enum, default_value_t = Format::Table, global = true)]
    pub output: Format,
}

/// The sub-commands of `dbtop config`.
#[derive(Debug, Clone, PartialEq, Eq, Subcommand)]
pub enum ConfigCommand {
    /// Show every error with file, line and option, and warnings about insecure or costly settings; exit with 0 (nothing), 1
    /// (warnings) or 2 (errors)
    Check,
    /// Print every option with its value, its origin and what it means
    #[command(visible_alias = "list")]
    Show,
    /// Set an option in the configuration file, whose comments stay; a running dbtop takes it over. The tenant's audit log has the entry
    Set {
        /// Such as history.raw_days
        key: String,

        /// Its new value
        #[arg(required_unless_present = "unset", conflicts_with = "unset", allow_hyphen_values = true)]
        value: Option<String>,

        /// Take the option out of the file, so that its default counts
        #[arg(long)]
        unset: bool,
    },
}

#[cfg(test)]
mod tests {
    use super::*;

    /// All options of all sub-commands, with the words by which each is reached.
    fn options(command: &clap::Command, path: &str, visit: &mut dyn FnMut(&str, &clap::Arg)) {
        let path = format!("{path} {}", command.get_name());
        command.get_arguments().for_each(|arg| visit(&path, arg));
        command.get_subcommands().for_each(|sub| options(sub, &path, visit));
    }

    #[test]
    fn a_time_before_now_may_be_given_as_every_help_says() {
        let mut seen = 0;
        options(&command(), "", &mut |path, arg| {
            let help = arg.get_help().map(ToString::to_string).unwrap_or_default();
            if [" -7d", " -3h", " -30m"].iter().any(|time| help.contains(time)) {
                seen += 1;
                assert!(arg.is_allow_hyphen_values_set(), "{path} --{}: {help}", arg.get_id());
            }
        });
        assert!(seen >= 4, "{seen}");
        let parsed = Cli::try_parse_from(["dbtop", "audit", "list", "--from", "-7d", "--until", "-1d"]);
        assert!(parsed.is_ok(), "{parsed:?}");
    }

    #[test]
    fn a_password_that_comes_from_nowhere_is_refused() {
        for option in ["--secret-env", "--secret-command", "--secret-file", "--action-secret-env"] {
            let parsed = |place| Cli::try_parse_from(["dbtop", "instance", "add", "x", option, place]);
            assert!(parsed("PW").is_ok() && parsed(" ").is_err() && parsed("").is_err(), "{option}");
        }
    }

    #[test]
    fn a_variable_that_is_not_set_stays_what_an_option_is_read_from() {
        let arg = without_empty(clap::Arg::new("config").env("DBTOP_NO_SUCH_VARIABLE"));
        assert_eq!(arg.get_env().and_then(|name| name.to_str()), Some("DBTOP_NO_SUCH_VARIABLE"));
    }
}
