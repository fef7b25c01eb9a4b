//! `dbtop collect`: collects a fleet in the foreground without a screen. See [`crate::app::headless`].

use super::{ask::Terminal, invocation::Invocation};
use crate::{
    app::{configuration::Given, headless},
    cli::Collect,
};
use std::process::ExitCode;

/// Collects until SIGTERM or Ctrl-C.
///
/// # Errors
/// As [`headless::run`].
pub async fn run(args: Collect, invocation: &Invocation) -> anyhow::Result<ExitCode> {
    // The screen's options mean nothing here.
    let given = Given { file: invocation.given.file.clone(), ..Given::default() };
    headless::run(&invocation.selection, &given, args.metrics, &mut Terminal::default()).await?;
    Ok(ExitCode::SUCCESS)
}
