//! Which fleet: the demo's, or the inventory file's. Used by the screen and by `once`.

use crate::{
    cli,
    config::{self, Config, inventory},
    model::instance::Target,
    sim::{Sim, SimConfig},
};
use anyhow::Context;

/// The instances to watch.
pub struct Source {
    /// what the inventory says
    pub targets: Vec<Target>,
    /// the first crumb: `demo`, or the inventory file's name
    pub title: String,
    /// keeps the simulated fleet alive; its temporary folder goes with it
    pub sim: Option<Sim>,
}

/// Opens what the command line names; without anything: no instances, and the screen says how to name some.
///
/// # Errors
/// The inventory cannot be read, or the simulator cannot start.
pub async fn open(source: &cli::Source) -> anyhow::Result<Source> {
    if let Some(n) = source.demo {
        let instances = n as usize;
        allow_sockets(instances * 3);
        let config = SimConfig {
            instances,
            seed: source.seed,
            scenario: Sim::demo_script(instances),
            ..SimConfig::default()
        };
        let sim = Sim::start(config).await.context("starting the demo")?;
        let targets = inventory::parse(&sim.inventory_toml())
            .map_err(anyhow::Error::msg)
            .context("the demo's inventory")?;
        return Ok(Source { targets, title: "demo".into(), sim: Some(sim) });
    }
    let Some(file) = &source.inventory else {
        return Ok(Source { targets: Vec::new(), title: "dbtop".into(), sim: None });
    };
    let targets = inventory::load(file)?;
    allow_sockets(targets.len() * 2);
    let title = file.file_stem().map_or_else(|| "fleet".into(), |s| s.to_string_lossy().into_owned());
    Ok(Source { targets, title, sim: None })
}

/// Raises the limit of open files as far as the system lets us, if `wanted` sockets need it. With too few, instances
/// say so in their cell; so this only warns.
pub fn allow_sockets(wanted: usize) {
    let wanted = wanted as u64 + 64;
    match rlimit::increase_nofile_limit(wanted.max(1024)) {
        Ok(limit) if limit < wanted => {
            tracing::warn!(limit, wanted, "too few open files for all instances: raise `ulimit -n`");
        }
        Ok(_) => {}
        Err(error) => tracing::warn!(%error, wanted, "raising the limit of open files"),
    }
}

/// The collector's settings out of the configuration.
pub fn settings(config: &Config) -> crate::collect::Settings {
    let poll: &config::Poll = &config.poll;
    let ms = |s: u32| s.saturating_mul(1000);
    crate::collect::Settings {
        fleet_every_ms: ms(poll.fleet_s),
        fleet_detail_every_ms: ms(poll.fleet_detail_s),
        focused_every_ms: ms(poll.focused_s),
        focused_detail_every_ms: ms(poll.focused_detail_s),
        slow_every_ms: ms(poll.slow_s),
        identity_every_ms: ms(poll.identity_s),
        connect_within: std::time::Duration::from_secs(poll.connect_timeout_s.into()),
        max_queries: poll.max_queries as usize,
        max_handshakes: poll.max_handshakes as usize,
        thresholds: config.health.clone(),
        ..crate::collect::Settings::default()
    }
}
