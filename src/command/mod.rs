//! One file per sub-command: wires the layers together. The only place that sees the configuration and the command
//! line at once. `main` calls [`run`]; nothing else may depend on this module.

mod ask;
mod audit;
mod bookmark;
mod check;
mod collect;
mod config;
mod effects;
mod export;
mod group;
mod healthcheck;
mod historian;
mod instance;
mod keeper;
mod label;
mod log;
mod once;
mod open;
mod output;
mod quiet;
mod saved;
mod screen;
mod signals;
mod sim;
mod source;
mod status;
mod store;
mod tenant;
mod vault;

use crate::cli::{
    Cli, Command,
    inventory::{Instance, InstanceCommand},
};
use anyhow::{Context, bail};
use std::process::ExitCode;

/// Runs what the command line asks for. Starts the async runtime; everything below runs in it.
///
/// # Errors
/// What kept the program from doing its job, in words. Failures of instances are data, not errors.
pub fn run(cli: Cli) -> anyhow::Result<ExitCode> {
    // Before the first secret is read.
    crate::vault::harden();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .context("starting the async runtime")?;
    let code = runtime.block_on(dispatch(cli));
    // Tasks that are still stuck in a connect or a name look-up are not waited for.
    runtime.shutdown_background();
    code
}

async fn dispatch(cli: Cli) -> anyhow::Result<ExitCode> {
    let command = match cli.alias.command() {
        Some(_) if cli.command.is_some() => bail!("--export stands alone: leave out the command"),
        Some(export) => Some(Command::Export(export)),
        None => cli.command,
    };
    match command {
        None => screen::run(cli.source, &cli.tenancy, &cli.screen).await.map(|()| ExitCode::SUCCESS),
        Some(Command::Collect(args)) => {
            collect::run(&args, &cli.source, &cli.tenancy).await.map(|()| ExitCode::SUCCESS)
        }
        Some(Command::Status(args)) => {
            status::run(&args, &cli.source, &cli.tenancy).map(|()| ExitCode::SUCCESS)
        }
        Some(Command::Healthcheck(args)) => healthcheck::run(&args, &cli.source, &cli.tenancy),
        Some(Command::Metrics) => status::metrics(&cli.source, &cli.tenancy).map(|()| ExitCode::SUCCESS),
        Some(Command::Once(args)) => {
            let config = config::load(&cli.source, &cli.screen)?;
            once::run(args, cli.source, &cli.tenancy, config).await
        }
        Some(Command::Doctor(args)) => check::doctor(args, cli.source, &cli.tenancy).await,
        Some(Command::Sim(args)) => sim::run(args, cli.source.seed).await.map(|()| ExitCode::SUCCESS),
        Some(Command::Vault(args)) => vault::run(args, &cli.tenancy).map(|()| ExitCode::SUCCESS),
        Some(Command::Tenant(args)) => tenant::run(args, &cli.tenancy),
        Some(Command::Store(args)) => store::run(&args, &cli.source, &cli.tenancy, &cli.screen),
        Some(Command::Export(args)) => export::run(&args, &cli.source, &cli.tenancy, &cli.screen),
        Some(Command::Bookmark(args)) => bookmark::run(&args, &cli.source, &cli.tenancy),
        Some(Command::Audit(args)) => audit::run(args, &cli.tenancy),
        Some(Command::Instance(Instance { command: InstanceCommand::Test(args), output })) => {
            check::test(args, output, cli.source, &cli.tenancy).await
        }
        Some(Command::Instance(args)) => instance::run(args, &cli.tenancy).await.map(|()| ExitCode::SUCCESS),
        Some(Command::Group(args)) => group::run(args, &cli.tenancy).map(|()| ExitCode::SUCCESS),
        Some(Command::Label(args)) => label::run(args, &cli.tenancy).map(|()| ExitCode::SUCCESS),
        Some(Command::Filter(args)) => saved::run(args, &cli.tenancy).map(|()| ExitCode::SUCCESS),
        Some(Command::Config(args)) => config::run(&args, &cli.source, &cli.tenancy, &cli.screen),
        Some(Command::Keys) => output::print(&crate::tui::keymap::markdown()).map(|()| ExitCode::SUCCESS),
    }
}
