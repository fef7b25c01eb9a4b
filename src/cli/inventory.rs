//! Clap types of the commands over the inventory: `instance`, `group`, `label`, `filter`.

use super::Format;
use clap::{ArgGroup, Args, Subcommand, ValueEnum};
use std::path::PathBuf;

/// What says where a password is: a blank one would be found missing only when it is needed.
fn place(text: &str) -> Result<String, String> {
    if text.trim().is_empty() { Err("it names nothing".into()) } else { Ok(text.to_owned()) }
}

/// `dbtop instance`.
#[derive(Debug, Args)]
pub struct Instance {
    /// The sub-command
    #[command(subcommand)]
    pub command: InstanceCommand,

    /// Output format
    #[arg(short = 'o', long = "output", value_enum, default_value_t = Format::Table, global = true)]
    pub output: Format,
}

/// `dbtop instance test`.
#[derive(Debug, Args)]
pub struct InstanceTest {
    /// Names of instances
    #[arg(value_name = "NAME", required_unless_present = "all", conflicts_with = "all")]
    pub names: Vec<String>,

    /// All instances
    #[arg(long)]
    pub all: bool,
}

/// The sub-commands of `dbtop instance`.
#[derive(Debug, Subcommand)]
pub enum InstanceCommand {
    /// Add an instance; it is tested first
    Add(Box<Add>),
    /// Change one instance, or all of a scope or filter
    Edit(Box<Edit>),
    /// Test connections step by step, and the rights of the logins: 0 if all work, 2 if one does not
    Test(InstanceTest),
    /// List instances
    List {
        /// Which ones; default: all
        #[command(flatten)]
        which: Which,

        /// List the removed ones instead
        #[arg(long)]
        removed: bool,
    },
    /// Show all fields of one instance, but no password
    Show {
        /// Its name
        name: String,
    },
    /// Remove instances; they can be restored
    Remove {
        /// Which ones
        #[command(flatten)]
        which: Which,

        /// Do not ask
        #[arg(long)]
        yes: bool,
    },
    /// Bring a removed instance back
    Restore {
        /// Its name
        name: String,
    },
    /// Import instances from a file; without --yes it only shows the changes
    Import(Import),
    /// Write instances to a file or to standard output, without passwords
    Export(Export),
}

/// Which instances.
#[derive(Debug, Clone, Default, Args)]
pub struct Which {
    /// Names
    #[arg(value_name = "NAME")]
    pub names: Vec<String>,

    /// @group, label=value, or all
    #[arg(long, value_name = "SCOPE")]
    pub scope: Option<String>,

    /// Those that pass, as `/` on the screen: text, regex, !inverse, tls=insecure
    #[arg(long, value_name = "EXPR")]
    pub filter: Option<String>,

    /// Those that pass a saved filter
    #[arg(long, value_name = "NAME")]
    pub saved: Option<String>,
}

/// `dbtop instance add`.
#[derive(Debug, Args)]
pub struct Add {
    /// Its name: unique, for people
    pub name: String,

    /// Its fields.
    #[command(flatten)]
    pub fields: Fields,

    /// Save it without testing the connection
    #[arg(long)]
    pub no_test: bool,

    /// Also where another instance watches this server with another login
    #[arg(long)]
    pub second_login: bool,
}

/// `dbtop instance edit`.
#[derive(Debug, Args)]
pub struct Edit {
    /// Also where another instance watches that server with another login
    #[arg(long)]
    pub second_login: bool,

    /// Which ones
    #[command(flatten)]
    pub which: Which,

    /// Give it another name
    #[arg(long, value_name = "NAME")]
    pub rename: Option<String>,

    /// The fields to change.
    #[command(flatten)]
    pub fields: Fields,

    /// Take these out of their groups
    #[arg(long, value_name = "GROUP")]
    pub ungroup: Vec<String>,

    /// Take labels of this key off
    #[arg(long, value_name = "KEY")]
    pub unlabel: Vec<String>,

    /// Put a field back to its default, such as port, database, every_s, action_user
    #[arg(long, value_name = "FIELD")]
    pub unset: Vec<String>,

    /// Do not ask before changing several
    #[arg(long)]
    pub yes: bool,
}

/// The fields of an instance, as options.
#[derive(Debug, Default, Args)]
pub struct Fields {
    /// host, host,port or host\instance
    #[arg(long)]
    pub host: Option<String>,
    /// Port, if it is not 1433 and SQL Browser does not know it
    #[arg(long)]
    pub port: Option<u16>,
    /// Named instance
    #[arg(long, value_name = "NAME")]
    pub instance: Option<String>,
    /// Database to open
    #[arg(long, value_name = "NAME")]
    pub database: Option<String>,
    /// sql, entra, kerberos or ntlm
    #[arg(long, value_name = "KIND")]
    pub auth: Option<String>,
    /// Login name; its password is asked for
    #[arg(long, value_name = "LOGIN")]
    pub user: Option<String>,
    /// The place of the password or token.
    #[command(flatten)]
    pub secret: SecretFrom,
    /// Login for actions that change something
    #[arg(long, value_name = "LOGIN")]
    pub action_user: Option<String>,
    /// Read its password from standard input; with --password-stdin it is the second line
    #[arg(long, group = "action_secret")]
    pub action_password_stdin: bool,
    /// Its password: the first line that this command prints
    #[arg(long, value_name = "COMMAND", group = "action_secret", value_parser = place)]
    pub action_secret_command: Option<String>,
    /// Its password: this environment variable
    #[arg(long, value_name = "VARIABLE", group = "action_secret", value_parser = place)]
    pub action_secret_env: Option<String>,
    /// Its password: the first line of this file
    #[arg(long, value_name = "FILE", group = "action_secret", value_parser = place)]
    pub action_secret_file: Option<String>,
    /// verify, pin, strict or insecure
    #[arg(long, value_name = "MODE")]
    pub tls: Option<String>,
    /// SHA-256 of the certificate; implies --tls pin
    #[arg(long, value_name = "HEX")]
    pub tls_pin: Option<String>,
    /// Authorities to trust (PEM)
    #[arg(long, value_name = "FILE")]
    pub ca_file: Option<String>,
    /// Name in the certificate, where it is not the host
    #[arg(long, value_name = "NAME")]
    pub host_in_certificate: Option<String>,
    /// Read-only application intent
    #[arg(long, value_name = "YES|NO", num_args = 0..=1, require_equals = true, default_missing_value = "yes")]
    pub read_only_intent: Option<String>,
    /// Try all addresses of the name at once
    #[arg(long, value_name = "YES|NO", num_args = 0..=1, require_equals = true, default_missing_value = "yes")]
    pub multi_subnet_failover: Option<String>,
    /// Put it into this group as well
    #[arg(long, value_name = "GROUP")]
    pub group: Vec<String>,
    /// Set a label
    #[arg(long, value_name = "KEY=VALUE")]
    pub label: Vec<String>,
    /// For people
    #[arg(long, value_name = "TEXT")]
    pub notes: Option<String>,
    /// Its collection.
    #[command(flatten)]
    pub poll: Poll,
}

/// The place of a password or token, which is never on the command line itself.
#[derive(Debug, Clone, Default, Args)]
#[command(group = ArgGroup::new("secret").multiple(false))]
pub struct SecretFrom {
    /// Read the password from the first line of standard input
    #[arg(long, group = "secret")]
    pub password_stdin: bool,
    /// The first line that this command prints, at each start
    #[arg(long, value_name = "COMMAND", group = "secret", value_parser = place)]
    pub secret_command: Option<String>,
    /// This environment variable, at each start
    #[arg(long, value_name = "VARIABLE", group = "secret", value_parser = place)]
    pub secret_env: Option<String>,
    /// The first line of this file, at each start
    #[arg(long, value_name = "FILE", group = "secret", value_parser = place)]
    pub secret_file: Option<String>,
    /// Asked for at each start
    #[arg(long, group = "secret")]
    pub secret_ask: bool,
}

/// Collection of an instance.
#[derive(Debug, Clone, Default, Args)]
#[group(id = "collection")]
pub struct Poll {
    /// Seconds between polls, 30 to 3600
    #[arg(long, value_name = "SECONDS")]
    pub every: Option<u32>,
    /// Seconds between polls of details, 30 to 3600
    #[arg(long, value_name = "SECONDS")]
    pub detail_every: Option<u32>,
    /// Never ask this probe
    #[arg(long, value_name = "PROBE")]
    pub probe_off: Vec<String>,
    /// Ask this probe again
    #[arg(long, value_name = "PROBE")]
    pub probe_on: Vec<String>,
    /// Only these databases
    #[arg(long, value_name = "LIST", value_delimiter = ',')]
    pub databases: Vec<String>,
    /// None of these databases
    #[arg(long, value_name = "LIST", value_delimiter = ',')]
    pub databases_out: Vec<String>,
    /// Neither polls nor alerts for this long: 30m, 2h, 1d; off ends it
    #[arg(long, value_name = "TIME")]
    pub maintenance: Option<String>,
    /// Stop polling
    #[arg(long, conflicts_with = "start")]
    pub stop: bool,
    /// Poll again
    #[arg(long)]
    pub start: bool,
}

/// Formats of files.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum FileFormat {
    /// comma- or semicolon-separated, with a header
    Csv,
    /// an array of objects
    Json,
    /// `[[instance]]` tables, as `dbtop sim` writes them
    Toml,
    /// registered servers of SQL Server Management Studio
    Regsrvr,
}

/// `dbtop instance import`.
#[derive(Debug, Args)]
pub struct Import {
    /// The file; - for standard input
    #[arg(required_unless_present = "cms")]
    pub file: Option<PathBuf>,

    /// Its format; default: by its extension
    #[arg(long, value_enum)]
    pub format: Option<FileFormat>,

    /// Take the servers of the Central Management Server on this instance of the inventory
    #[arg(long, value_name = "NAME", conflicts_with = "file")]
    pub cms: Option<String>,

    /// Login of rows that name none
    #[arg(long, value_name = "LOGIN")]
    pub user: Option<String>,

    /// The place of its password.
    #[command(flatten)]
    pub secret: SecretFrom,

    /// Do it
    #[arg(long)]
    pub yes: bool,

    /// A row with another login for a server that is there: skip it, replace the login that is there, or watch with both
    #[arg(long, value_enum, value_name = "WHAT")]
    pub on_conflict: Option<OnConflict>,

    /// Import the good rows although there are bad ones
    #[arg(long)]
    pub skip_bad: bool,
}

/// What becomes of a second login on one server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum OnConflict {
    /// the row is left out
    Skip,
    /// the instance that is there gets the row's login
    Replace,
    /// both stand in the inventory
    Both,
}

/// `dbtop instance export`.
#[derive(Debug, Args)]
pub struct Export {
    /// Which ones; default: all
    #[command(flatten)]
    pub which: Which,

    /// Write to this file instead of standard output; it must not be there yet
    #[arg(long, value_name = "FILE")]
    pub to: Option<PathBuf>,

    /// Its format; default: by the extension of --to, else csv
    #[arg(long, value_enum)]
    pub format: Option<FileFormat>,

    /// Write passwords: everybody who can read the file can read them; needs --to
    #[arg(long, requires = "to")]
    pub with_secrets: bool,

    /// Do not ask
    #[arg(long)]
    pub yes: bool,
}

/// `dbtop group`.
#[derive(Debug, Args)]
pub struct Group {
    /// The sub-command
    #[command(subcommand)]
    pub command: GroupCommand,

    /// Output format
    #[arg(short = 'o', long = "output", value_enum, default_value_t = Format::Table, global = true)]
    pub output: Format,
}

/// The sub-commands of `dbtop group`.
#[derive(Debug, Subcommand)]
pub enum GroupCommand {
    /// Add a group
    Add {
        /// Its name
        name: String,
        /// For people
        #[arg(long, default_value = "")]
        description: String,
    },
    /// Change a group's name or description
    Edit {
        /// Its name
        name: String,
        /// Its new name
        #[arg(long, value_name = "NAME")]
        rename: Option<String>,
        /// For people
        #[arg(long)]
        description: Option<String>,
    },
    /// List groups
    List,
    /// Add a group with the members of another one
    Copy {
        /// Its name
        name: String,
        /// The name of the new one
        to: String,
    },
    /// Remove a group; its instances stay. What hangs on it is told first
    Remove {
        /// Its name
        name: String,
        /// Do not ask, also where instances or saved filters hang on it
        #[arg(long, short = 'y')]
        yes: bool,
    },
    /// Bring a removed group back
    Restore {
        /// Its name
        name: String,
    },
    /// Members of a group
    #[command(subcommand)]
    Members(MembersCommand),
}

/// The sub-commands of `dbtop group members`.
#[derive(Debug, Subcommand)]
pub enum MembersCommand {
    /// Put instances into a group
    Add {
        /// The group
        group: String,
        /// Which instances
        #[command(flatten)]
        which: Which,

        /// Do not ask before changing several
        #[arg(long)]
        yes: bool,
    },
    /// Take instances out of a group
    Remove {
        /// The group
        group: String,
        /// Which instances
        #[command(flatten)]
        which: Which,

        /// Do not ask before changing several
        #[arg(long)]
        yes: bool,
    },
}

/// `dbtop label`.
#[derive(Debug, Args)]
pub struct Label {
    /// The sub-command
    #[command(subcommand)]
    pub command: LabelCommand,

    /// Output format
    #[arg(short = 'o', long = "output", value_enum, default_value_t = Format::Table, global = true)]
    pub output: Format,
}

/// The sub-commands of `dbtop label`.
#[derive(Debug, Subcommand)]
pub enum LabelCommand {
    /// Set a label on instances
    Set {
        /// key=value
        label: String,
        /// Which instances
        #[command(flatten)]
        which: Which,

        /// Do not ask before changing several
        #[arg(long)]
        yes: bool,
    },
    /// Take labels of a key off instances
    Unset {
        /// key
        key: String,
        /// Which instances
        #[command(flatten)]
        which: Which,

        /// Do not ask before changing several
        #[arg(long)]
        yes: bool,
    },
    /// List labels
    List,
    /// Add a label that no instance carries yet
    Add {
        /// key=value
        label: String,
        /// gray, blue, cyan, green, yellow, orange, magenta or red
        #[arg(long, default_value = "blue")]
        color: String,
    },
    /// Give a label another name, on every instance that carries it
    Rename {
        /// key=value
        label: String,
        /// key=value as it shall be
        to: String,
    },
    /// Make labels one: their instances carry the other one then
    Merge {
        /// key=value, one or more
        #[arg(required = true)]
        labels: Vec<String>,
        /// key=value of the label that stays; made if it is not there
        #[arg(long, value_name = "LABEL")]
        into: String,
    },
    /// Take a label off every instance, with its colour and its collection. What hangs on it is told first
    Remove {
        /// key=value
        label: String,
        /// Do not ask, also where instances, saved filters or settings hang on it
        #[arg(long, short = 'y')]
        yes: bool,
    },
    /// Give a label a colour
    Color {
        /// key=value
        label: String,
        /// gray, blue, cyan, green, yellow, orange, magenta or red
        color: String,
    },
    /// Collection of all instances that carry a label
    Poll {
        /// key=value
        label: String,
        /// Its collection.
        #[command(flatten)]
        poll: Box<Poll>,
    },
}

/// `dbtop filter`.
#[derive(Debug, Args)]
pub struct Filter {
    /// The sub-command
    #[command(subcommand)]
    pub command: FilterCommand,

    /// Output format
    #[arg(short = 'o', long = "output", value_enum, default_value_t = Format::Table, global = true)]
    pub output: Format,
}

/// The sub-commands of `dbtop filter`.
#[derive(Debug, Subcommand)]
pub enum FilterCommand {
    /// Save a filter; asks before it replaces a saved one
    Save {
        /// Its name
        name: String,
        /// As `/` on the screen
        expression: String,
        /// For people; default: as it is
        #[arg(long)]
        description: Option<String>,
        /// Replace the saved filter of this name without asking
        #[arg(long, visible_alias = "replace")]
        yes: bool,
    },
    /// Give a saved filter another name
    Rename {
        /// Its name
        name: String,
        /// Its new name
        to: String,
    },
    /// List saved filters
    List,
    /// Remove a saved filter
    Remove {
        /// Its name
        name: String,
    },
}
