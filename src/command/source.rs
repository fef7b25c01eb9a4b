//! Which fleet: the demo's, the inventory file's, or the tenant's sealed inventory. Used by the screen and by `once`.

use super::{ask, open};
use crate::{
    cli,
    config::{self, Config, inventory},
    model::{
        base::secret::Secret,
        inventory::{
            instance::{InstanceInfo, Target},
            record::{Auth, InstanceRecord, LabelColor, RecordId, SecretRef, Slug},
        },
    },
    sim::{Sim, SimConfig},
    store::{Home, Inventory, LockedTenant},
};
use anyhow::{Context, bail};
use std::sync::Arc;

/// The instances to watch.
pub struct Source {
    /// what the inventory says
    pub targets: Vec<Target>,
    /// the first crumb: `demo`, or the inventory file's name
    pub title: String,
    /// keeps the simulated fleet alive; its temporary folder goes with it
    pub sim: Option<Sim>,
}

/// Opens what the command line names; without anything the tenant's sealed inventory, which may ask for a passphrase.
///
/// # Errors
/// The inventory cannot be read or opened, there is none yet, or the simulator cannot start.
pub async fn open(source: &cli::Source, tenancy: &cli::Tenancy) -> anyhow::Result<Source> {
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
        return sealed(tenancy);
    };
    let mut targets = inventory::load(file)?;
    ask_for_secrets(&mut targets)?;
    allow_sockets(targets.len() * 2);
    let title = file.file_stem().map_or_else(|| "fleet".into(), |s| s.to_string_lossy().into_owned());
    Ok(Source { targets, title, sim: None })
}

/// The tenants that there are. Nothing is made by looking: the first folder comes with `dbtop vault init`.
///
/// # Errors
/// The folder cannot be read, or others can enter it.
pub fn tenants_there() -> anyhow::Result<Vec<Slug>> {
    if !Home::find()?.data().join("tenants").exists() {
        return Ok(Vec::new());
    }
    Ok(open::tenants()?.slugs()?)
}

/// The tenant's inventory; without any tenant nothing to watch. An instance that this version cannot reach is said and left
/// out; the others are watched.
fn sealed(tenancy: &cli::Tenancy) -> anyhow::Result<Source> {
    if tenancy.tenant.is_none() && tenants_there()?.is_empty() {
        return Ok(Source { targets: Vec::new(), title: "dbtop".into(), sim: None });
    }
    refuse_suspended(&open::locked(tenancy)?)?;
    let tenant = open::unlocked(tenancy)?;
    let (mut targets, notes) = targets(&tenant.inventory()?);
    for note in &notes {
        ask::say(note);
    }
    ask_for_secrets(&mut targets)?;
    allow_sockets(targets.len() * 2);
    Ok(Source { targets, title: tenant.slug().to_string(), sim: None })
}

/// Nothing of a suspended tenant is polled.
///
/// # Errors
/// It is suspended.
pub fn refuse_suspended(tenant: &LockedTenant) -> anyhow::Result<()> {
    if tenant.is_suspended() {
        let slug = tenant.slug();
        bail!("tenant {slug} is suspended: nothing is polled until `dbtop tenant resume {slug}`");
    }
    Ok(())
}

/// What to poll, each instance with the settings of its labels under its own; and what is to be said: damaged records, and
/// instances that this version cannot reach.
pub fn targets(inventory: &Inventory) -> (Vec<Target>, Vec<String>) {
    let mut notes: Vec<String> = inventory.damage.iter().map(ToString::to_string).collect();
    let mut targets = Vec::with_capacity(inventory.instances.len());
    for entry in &inventory.instances {
        let record = &entry.record;
        let poll = inventory
            .labels
            .iter()
            .filter(|label| record.labels.get(&label.record.key) == Some(&label.record.value))
            .fold(record.poll.clone(), |poll, label| poll.over(&label.record.poll));
        let target = if poll == record.poll {
            Target::try_from(record)
        } else {
            Target::try_from(&InstanceRecord { poll, ..record.clone() })
        };
        match target {
            Ok(target) => {
                let tag = Some(log_tag(entry.id).into());
                let colors = record.labels.iter().map(|(key, value)| color(inventory, key, value)).collect();
                let uid = entry.id.to_string().into();
                let info = InstanceInfo { uid, tag, colors, ..InstanceInfo::clone(&target.info) };
                targets.push(Target { info: Arc::new(info), ..target });
            }
            Err(mistake) => notes.push(format!("{}: {mistake}; it is left out", record.name)),
        }
    }
    (targets, notes)
}

/// The colour of a label; names of labels are sorted and few.
fn color(inventory: &Inventory, key: &str, value: &str) -> LabelColor {
    let labels = inventory.labels.iter().map(|entry| &entry.record);
    let label = labels.into_iter().find(|label| label.key == key && label.value == value);
    label.map_or_else(|| LabelColor::for_label(key, value), |label| label.color)
}

/// What the log calls an instance of a sealed inventory: the start of its record's random identity.
pub fn log_tag(id: RecordId) -> String {
    id.to_string().chars().take(8).collect()
}

/// Whose secret it is, for who is asked: `dbtop (sql)`.
pub fn whose(auth: &Auth) -> String {
    format!("{} ({})", auth.who(), auth.kind())
}

/// Asks for the passwords and tokens that are to be asked for: once for each login, whatever number of instances has it.
/// They stay in memory.
///
/// # Errors
/// There is no terminal, or the question was broken off.
pub fn ask_for_secrets(targets: &mut [Target]) -> anyhow::Result<()> {
    let mut known: Vec<(String, Secret)> = Vec::new();
    for target in targets {
        let who = whose(&target.auth);
        let Some(secret) = target.auth.secret_mut().filter(|secret| matches!(secret, SecretRef::Ask)) else {
            continue;
        };
        let before = known.iter().find(|(whose, _)| *whose == who).map(|(_, answer)| answer.clone());
        let answer = if let Some(answer) = before {
            answer
        } else {
            let answer = ask::passphrase(&format!("Password of {who}: "))
                .with_context(|| format!("the password of {who}, first wanted by {}", target.info.id))?;
            known.push((who, answer.clone()));
            answer
        };
        *secret = SecretRef::Stored(answer);
    }
    Ok(())
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
        fleet_budget: config.budget.fleet_ms_per_s,
        focused_budget: config.budget.focused_ms_per_s,
        recorder_instances: config.collect.recorder_instances as usize,
        thresholds: config.health.clone(),
        ..crate::collect::Settings::default()
    }
}
