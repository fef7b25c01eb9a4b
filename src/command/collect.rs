//! `dbtop collect`: collects a fleet in the foreground without a screen. See [`crate::app::headless`].

use super::ask::Terminal;
use crate::{
    app::{configuration::Given, headless, selection::Selection},
    cli::Collect,
};

/// Collects until SIGTERM or Ctrl-C.
///
/// # Errors
/// As [`headless::run`].
pub async fn run(args: &Collect, selection: &Selection, given: &Given) -> anyhow::Result<()> {
    // The screen's options mean nothing here.
    let given = Given { file: given.file.clone(), ..Given::default() };
    headless::run(selection, &given, args.metrics, &mut Terminal::default()).await
}
