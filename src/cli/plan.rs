//! Clap types of `dbtop plan`.

use clap::{Args, ValueEnum};
use std::path::PathBuf;

/// `dbtop plan`.
#[derive(Debug, Args)]
pub struct Plan {
    /// A plan as SSMS saves it (`.sqlplan`), or the XML of a column; - reads standard input
    #[arg(value_name = "FILE")]
    pub file: PathBuf,

    /// A second plan: show both side by side
    #[arg(long, value_name = "FILE", conflicts_with_all = ["output", "by", "fold"])]
    pub compare: Option<PathBuf>,

    /// Output format
    #[arg(short = 'o', long = "output", value_enum, default_value_t = Output::Text)]
    pub output: Output,

    /// Compare operators by this; default: time if the plan has it, else cost
    #[arg(long, value_enum, value_name = "METRIC")]
    pub by: Option<By>,

    /// Fold away what takes less than 1 % with all below it
    #[arg(long)]
    pub fold: bool,

    /// Show it on the screen, with keys: the tree, findings, details of operators; with --compare, = puts the other plan beside it
    #[arg(long, conflicts_with_all = ["output", "by", "fold", "width"])]
    pub screen: bool,

    /// Cut lines after so many columns; default: the terminal's, and not at all in a file or a pipe
    #[arg(long, value_name = "COLUMNS", value_parser = clap::value_parser!(u16).range(20..))]
    pub width: Option<u16>,
}

/// Formats of a plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Output {
    /// for people
    Text,
    /// one JSON object: all that was read, with own times and findings
    Json,
    /// a page that stands alone
    Html,
}

/// By what operators are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum By {
    /// own time
    Time,
    /// own CPU
    Cpu,
    /// pages read from memory
    Reads,
    /// rows returned
    Rows,
    /// the optimizer's estimate
    Cost,
}
