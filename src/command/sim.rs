//! `dbtop sim`: a simulated fleet as a process of its own.

use super::source::allow_sockets;
use crate::{
    cli,
    sim::{Sim, SimConfig, world::version::Version},
};
use anyhow::{Context, bail};
use std::{io::Write, path::Path};

/// Runs until Ctrl-C or SIGTERM.
///
/// # Errors
/// An unknown version, a port that is taken, a scenario or inventory file that cannot be read or written.
pub async fn run(args: cli::Sim, seed: u64) -> anyhow::Result<()> {
    let versions = args.versions.iter().map(|y| version(*y)).collect::<anyhow::Result<Vec<_>>>()?;
    let instances = args.instances as usize;
    allow_sockets(instances * 2);
    let demo = args.scenario.as_deref() == Some(Path::new("demo"));
    let config = SimConfig {
        instances,
        seed,
        versions,
        scenario: if demo { Sim::demo_script(instances) } else { SimConfig::default().scenario },
        scenario_file: args.scenario.filter(|_| !demo),
        port: Some(args.port),
        ..SimConfig::default()
    };
    let sim = Sim::start(config).await?;
    let (out, ca) = (&args.inventory_out, args.inventory_out.with_extension("ca.pem"));
    std::fs::copy(sim.ca_file(), &ca).with_context(|| format!("writing {}", ca.display()))?;
    let ca_path = std::path::absolute(&ca).context("the path of the CA file")?;
    let text = sim
        .inventory_toml()
        .replace(&*sim.ca_file().to_string_lossy(), &ca_path.to_string_lossy().replace('\\', "\\\\"));
    // Written whole or not at all: whoever waits for the file reads all of it.
    let part = out.with_extension("part");
    std::fs::write(&part, text).with_context(|| format!("writing {}", part.display()))?;
    std::fs::rename(&part, out).with_context(|| format!("writing {}", out.display()))?;
    let first = sim.address(0).map(|a| a.to_string()).unwrap_or_default();
    let _ = writeln!(
        std::io::stdout(),
        "{instances} simulated instances listen from {first} on; watch them with: dbtop --inventory {}\nCtrl-C ends them.",
        out.display()
    );
    until_told().await
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

/// Ctrl-C, or SIGTERM where there is one.
async fn until_told() -> anyhow::Result<()> {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        let mut term = signal(SignalKind::terminate()).context("listening for SIGTERM")?;
        tokio::select! {
            done = tokio::signal::ctrl_c() => done.context("listening for Ctrl-C"),
            _ = term.recv() => Ok(()),
        }
    }
    #[cfg(not(unix))]
    tokio::signal::ctrl_c().await.context("listening for Ctrl-C")
}
