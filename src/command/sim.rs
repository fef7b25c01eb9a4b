//! `dbtop sim`: a simulated fleet as a process of its own.

use super::invocation::Invocation;
use crate::{
    app::{signals, sockets::allow_sockets},
    cli,
    model::poll::properties::Hosting,
    sim::{Sim, SimConfig, world::version::Version},
};
use anyhow::{Context, bail};
use std::{fs::File, io::Write, path::Path, process::ExitCode};

/// Runs until Ctrl-C, SIGTERM or SIGHUP.
///
/// # Errors
/// An unknown version, a port that is taken, a scenario or inventory file that cannot be read or written.
pub async fn run(args: cli::Sim, invocation: &Invocation) -> anyhow::Result<ExitCode> {
    let versions = args.versions.iter().map(|y| version(*y)).collect::<anyhow::Result<Vec<_>>>()?;
    let instances = args.instances as usize;
    allow_sockets(instances * 2);
    let demo = args.scenario.as_deref() == Some(Path::new("demo"));
    let config = SimConfig {
        instances,
        seed: invocation.selection.seed,
        versions,
        hosting: args.hosting.iter().copied().map(hosting).collect(),
        scenario: if demo { Sim::demo_script(instances) } else { SimConfig::default().scenario },
        scenario_file: args.scenario.filter(|_| !demo),
        port: Some(args.port),
        ..SimConfig::default()
    };
    let ended = signals::listen();
    let sim = Sim::start(config).await?;
    let (out, ca) = (&args.inventory_out, args.inventory_out.with_extension("ca.pem"));
    std::fs::copy(sim.ca_file(), &ca).with_context(|| format!("writing {}", ca.display()))?;
    let ca_path = std::path::absolute(&ca).context("the path of the CA file")?;
    let text = sim
        .inventory_toml()
        .replace(&*sim.ca_file().to_string_lossy(), &ca_path.to_string_lossy().replace('\\', "\\\\"));
    // Written whole or not at all: a reader that waits for the file reads all of it.
    let part = out.with_extension("part");
    private(&part)
        .and_then(|mut file| file.write_all(text.as_bytes()))
        .with_context(|| format!("writing {}", part.display()))?;
    std::fs::rename(&part, out).with_context(|| format!("writing {}", out.display()))?;
    let first = sim.address(0).map(|a| a.to_string()).unwrap_or_default();
    let _ = writeln!(
        std::io::stdout(),
        "{instances} simulated instances listen from {first} on; watch them with: dbtop --inventory {}\nCtrl-C ends them.",
        out.display()
    );
    ended.cancelled().await;
    Ok(ExitCode::SUCCESS)
}

const fn hosting(given: cli::Hosting) -> Hosting {
    match given {
        cli::Hosting::Own => Hosting::Own,
        cli::Hosting::Rds => Hosting::Rds,
        cli::Hosting::ManagedInstance => Hosting::ManagedInstance,
        cli::Hosting::AzureDatabase => Hosting::AzureDatabase,
    }
}

fn version(year: u16) -> anyhow::Result<Version> {
    Ok(match year {
        2016 => Version::V2016,
        2017 => Version::V2017,
        2019 => Version::V2019,
        2022 => Version::V2022,
        2025 => Version::V2025,
        other => bail!("--versions {other}: the simulator plays 2016, 2017, 2019, 2022 and 2025"),
    })
}

/// A new file that only its owner may read, for content with passwords.
fn private(path: &Path) -> std::io::Result<File> {
    let mut options = File::options();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    // A file left from before may have other rights.
    let _ = std::fs::remove_file(path);
    options.open(path)
}
