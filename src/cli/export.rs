//! Clap types of `dbtop export`: reports on a stretch of time. `dbtop --export WHAT` is an older spelling of the same.

use super::Format;
use clap::{Args, ValueEnum};
use std::path::PathBuf;

/// `dbtop export`.
#[derive(Debug, Args)]
pub struct Export {
    /// The report
    // It has the id of the older spelling's option, which all other options require.
    #[arg(id = "export", value_name = "WHAT", value_enum)]
    pub what: Exported,

    /// Of what, and into which file
    #[command(flatten)]
    pub options: Options,
}

/// `dbtop --export`.
#[derive(Debug, Args)]
#[command(next_help_heading = "Export, as `dbtop export WHAT`")]
pub struct Alias {
    /// Write a report on a stretch of time, instead of a command
    #[arg(long, value_name = "WHAT", value_enum)]
    pub export: Option<Exported>,

    /// Of what, and into which file
    #[command(flatten)]
    pub options: Options,
}

impl Alias {
    /// The sub-command that it stands for; None: it was not used.
    pub fn command(self) -> Option<Export> {
        Some(Export { what: self.export?, options: self.options })
    }
}

/// Options of both spellings.
#[derive(Debug, Args)]
pub struct Options {
    /// From when, by the clock of ui.time_zone: 2026-11-20 02:00, yesterday 14:00, 14:00 UTC, -3h; default: an hour before the end
    #[arg(long, allow_hyphen_values = true, requires = "export")]
    pub from: Option<String>,

    /// Until when; default: now
    #[arg(long, allow_hyphen_values = true, requires = "export")]
    pub to: Option<String>,

    /// Names of instances; default: all
    #[arg(long = "instance", value_name = "NAME", requires = "export")]
    pub instances: Vec<String>,

    /// @group, label=value, or an instance; default: all
    #[arg(long, value_name = "SCOPE", requires = "export", conflicts_with = "instances")]
    pub scope: Option<String>,

    /// Replace names of hosts, instances, logins, programs, databases, addresses and literals in statements (incident)
    #[arg(long, requires = "export")]
    pub scrub: bool,

    /// The file to write, - for standard output (cost); an incident's recording goes beside it
    #[arg(long, value_name = "FILE", requires = "export")]
    pub out: Option<PathBuf>,

    /// Replace files that are there already
    #[arg(long, requires = "export")]
    pub force: bool,

    /// This history, which is not sealed (a recording); default: that of the tenant, or of --inventory
    #[arg(long, value_name = "FILE", requires = "export")]
    pub history: Option<PathBuf>,

    /// Output format
    #[arg(short = 'o', long = "output", value_enum, default_value_t = Format::Table)]
    pub output: Format,
}

/// The reports.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Exported {
    /// an incident: a page for people (HTML), and a recording
    Incident,
    /// the average cost of dbtop itself on each instance
    Cost,
}
