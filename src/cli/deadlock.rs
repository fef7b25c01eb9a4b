//! Clap types of `dbtop deadlock`.

use super::Report;
use clap::Args;
use std::path::PathBuf;

/// `dbtop deadlock`.
#[derive(Debug, Args)]
pub struct Deadlock {
    /// A deadlock as SSMS saves it (`.xdl`), or the XML of its event; - reads standard input
    #[arg(value_name = "FILE")]
    pub file: PathBuf,

    /// Output format
    #[arg(short = 'o', long = "output", value_enum, default_value_t = Report::Text)]
    pub output: Report,

    /// Show it on the screen, with keys: the picture, sessions with their statements, the next deadlock of the file
    #[arg(long, conflicts_with = "output")]
    pub screen: bool,
}
