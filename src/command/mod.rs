//! One file per sub-command: reads its options, calls `app`, prints. Clap types end here. `main` calls [`run`]; nothing else may
//! depend on this module.

mod ask;
mod audit;
mod bookmark;
mod check;
mod collect;
mod config;
mod export;
mod group;
mod healthcheck;
mod instance;
mod label;
mod once;
mod output;
mod quiet;
mod saved;
mod screen;
mod sim;
mod status;
mod store;
mod tenant;
mod vault;

use crate::{
    app::{
        configuration::{self, Given},
        selection::Selection,
    },
    cli::{
        Cli, Command, Screen, Source, Tenancy,
        inventory::{Instance, InstanceCommand},
    },
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
    let (fleet, given) = (selection(&cli.source, cli.tenancy), given(cli.source, &cli.screen));
    let command = match cli.alias.command() {
        Some(_) if cli.command.is_some() => bail!("--export stands alone: leave out the command"),
        Some(export) => Some(Command::Export(export)),
        None => cli.command,
    };
    let done = |()| ExitCode::SUCCESS;
    match command {
        None => screen::run(&fleet, &given, cli.screen.replay.as_deref()).await.map(done),
        Some(Command::Collect(args)) => collect::run(&args, &fleet, &given).await.map(done),
        Some(Command::Status(args)) => status::run(&args, &fleet).map(done),
        Some(Command::Healthcheck(args)) => healthcheck::run(&args, &fleet),
        Some(Command::Metrics) => status::metrics(&fleet).map(done),
        Some(Command::Once(args)) => once::run(args, &fleet, configuration::load(&given)?).await,
        Some(Command::Doctor(args)) => check::doctor(args, &fleet).await,
        Some(Command::Sim(args)) => sim::run(args, fleet.seed).await.map(done),
        Some(Command::Vault(args)) => vault::run(args, &fleet).map(done),
        Some(Command::Tenant(args)) => tenant::run(args, &fleet),
        Some(Command::Store(args)) => store::run(&args, &fleet, &given),
        Some(Command::Export(args)) => export::run(&args, &fleet, &given),
        Some(Command::Bookmark(args)) => bookmark::run(&args, &fleet),
        Some(Command::Audit(args)) => audit::run(args, &fleet),
        Some(Command::Instance(Instance { command: InstanceCommand::Test(args), output })) => {
            check::test(args, output, &fleet).await
        }
        Some(Command::Instance(args)) => instance::run(args, &fleet).await.map(done),
        Some(Command::Group(args)) => group::run(args, &fleet).map(done),
        Some(Command::Label(args)) => label::run(args, &fleet).map(done),
        Some(Command::Filter(args)) => saved::run(args, &fleet).map(done),
        Some(Command::Config(args)) => config::run(&args, &fleet, &given),
        Some(Command::Keys) => output::print(&crate::tui::keymap::markdown()).map(done),
    }
}

/// The fleet that the options name.
fn selection(source: &Source, tenancy: Tenancy) -> Selection {
    Selection {
        demo: source.demo,
        seed: source.seed,
        inventory: source.inventory.clone(),
        tenant: tenancy.tenant,
        key_file: tenancy.key_file,
    }
}

/// The options that belong to the configuration.
fn given(source: Source, screen: &Screen) -> Given {
    Given {
        file: source.config,
        theme: screen.theme.clone(),
        mouse: screen.mouse,
        low_bandwidth: screen.low_bandwidth,
    }
}
