//! One file, or folder, for a sub-command: it reads its options, calls `app` and prints. Clap types end here. `main` calls
//! [`run`]; nothing else may depend on this module.

mod alone;
mod ask;
mod audit;
mod bookmark;
mod check;
mod collect;
mod config;
mod deadlock;
mod export;
mod files;
mod group;
mod healthcheck;
mod instance;
mod invocation;
mod label;
mod once;
mod output;
mod plain;
mod plan;
mod probes;
mod quiet;
mod saved;
mod screen;
mod select;
mod sim;
mod status;
mod store;
mod tenant;
mod theme;
mod vault;
mod when;

use crate::cli::{Cli, Command};
use anyhow::{Context, bail};
use invocation::Invocation;
use std::process::ExitCode;

/// Runs the command of the command line. Starts the async runtime; everything below runs in it.
///
/// # Errors
/// The reason why the program could not do its job. Failures of instances are data, not errors.
pub fn run(cli: Cli) -> anyhow::Result<ExitCode> {
    // Before the first secret is read.
    crate::vault::harden();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .context("starting the async runtime")?;
    let code = runtime.block_on(dispatch(cli));
    // Does not wait for tasks that are stuck in a connect or a name look-up.
    runtime.shutdown_background();
    code
}

/// A sub-command is `run(its options, the invocation) -> anyhow::Result<ExitCode>`, async if it waits for anything.
/// Exceptions: `doctor` is in `check` with `instance test`, `metrics` is in `status`, and `keys` is one call.
async fn dispatch(cli: Cli) -> anyhow::Result<ExitCode> {
    crate::app::signals::survive_file_size_limit();
    let invocation = &Invocation::new(cli.source, cli.tenancy, cli.screen);
    let command = match cli.alias.command() {
        Some(_) if cli.command.is_some() => bail!("--export stands alone: leave out the command"),
        Some(export) => Some(Command::Export(export)),
        None => cli.command,
    };
    match command {
        None => screen::run(invocation).await,
        Some(Command::Collect(args)) => collect::run(args, invocation).await,
        Some(Command::Status(args)) => status::run(args, invocation),
        Some(Command::Healthcheck(args)) => healthcheck::run(args, invocation),
        Some(Command::Metrics) => status::metrics(invocation),
        Some(Command::Once(args)) => once::run(args, invocation).await,
        Some(Command::Sim(args)) => sim::run(args, invocation).await,
        Some(Command::Doctor(args)) => check::doctor(args, invocation).await,
        Some(Command::Vault(args)) => vault::run(args, invocation),
        Some(Command::Tenant(args)) => tenant::run(args, invocation),
        Some(Command::Store(args)) => store::run(args, invocation),
        Some(Command::Export(args)) => export::run(args, invocation),
        Some(Command::Bookmark(args)) => bookmark::run(args, invocation),
        Some(Command::Audit(args)) => audit::run(args, invocation),
        Some(Command::Instance(args)) => instance::run(args, invocation).await,
        Some(Command::Group(args)) => group::run(args, invocation),
        Some(Command::Label(args)) => label::run(args, invocation),
        Some(Command::Filter(args)) => saved::run(args, invocation),
        Some(Command::Config(args)) => config::run(args, invocation),
        Some(Command::Plan(args)) if args.screen => alone::show(plan::alone(&args)?, invocation).await,
        Some(Command::Plan(args)) => plan::run(&args),
        Some(Command::Deadlock(args)) if args.screen => {
            alone::show(deadlock::alone(&args, invocation)?, invocation).await
        }
        Some(Command::Deadlock(args)) => deadlock::run(&args, invocation),
        Some(Command::Probes(args)) => probes::run(args, invocation),
        Some(Command::Keys) => output::print(&crate::tui::keymap::markdown()).map(|()| ExitCode::SUCCESS),
    }
}
