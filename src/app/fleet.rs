//! A fleet opened to be polled: the demo's, the inventory file's, or the tenant's sealed inventory. Used by everything that polls:
//! the screen, a collector without a screen, `once`, the doctor.

use super::{
    inventory::{
        open::{locked, refuse_suspended, tenants_there, unlock_unasked, unlocked},
        slots::{key_age_ms, old_key},
        targets::{targets, whose},
    },
    prompt::Prompt,
    selection::Selection,
    sockets::allow_sockets,
};
use crate::{
    config::inventory,
    model::{
        base::secret::Secret,
        inventory::{instance::Target, record::SecretRef},
    },
    sim::{Sim, SimConfig},
    store::clock::moment,
};
use anyhow::Context;

/// The instances to watch.
pub struct Opened {
    /// what the inventory says
    pub targets: Vec<Target>,
    /// the first crumb: `demo`, or the inventory file's name
    pub title: String,
    /// keeps the simulated fleet alive; its temporary folder goes with it
    pub sim: Option<Sim>,
    /// the warning about a data key that is too old
    pub old_key: Option<String>,
}

impl Opened {
    /// Nothing to poll yet.
    fn unpolled(title: &str) -> Self {
        Self { targets: Vec::new(), title: title.to_owned(), sim: None, old_key: None }
    }
}

/// Opens what the command line names; without anything the tenant's sealed inventory, which may ask for a passphrase.
///
/// # Errors
/// The inventory cannot be read or opened, there is none yet, or the simulator cannot start.
pub async fn open(selection: &Selection, prompt: &mut dyn Prompt) -> anyhow::Result<Opened> {
    if let Some(n) = selection.demo {
        let instances = n as usize;
        allow_sockets(instances * 3);
        let config = SimConfig {
            instances,
            seed: selection.seed,
            scenario: Sim::demo_script(instances),
            ..SimConfig::default()
        };
        let sim = Sim::start(config).await.context("starting the demo")?;
        let targets = inventory::parse(&sim.inventory_toml())
            .map_err(anyhow::Error::msg)
            .context("the demo's inventory")?;
        return Ok(Opened { targets, sim: Some(sim), ..Opened::unpolled("demo") });
    }
    let Some(file) = &selection.inventory else {
        return sealed(selection, prompt);
    };
    let mut targets = inventory::load(file)?;
    ask_for_secrets(&mut targets, prompt)?;
    allow_sockets(targets.len() * 2);
    let title = file.file_stem().map_or_else(|| "fleet".into(), |s| s.to_string_lossy().into_owned());
    Ok(Opened { targets, ..Opened::unpolled(&title) })
}

/// The fleet of a screen, as far as it is known before the terminal is taken: a recording's fleet is not polled, and a
/// tenant's comes from the inventory service later.
///
/// # Errors
/// As [`open`]; the tenant is suspended.
pub async fn open_for_screen(
    selection: &Selection,
    is_replay: bool,
    prompt: &mut dyn Prompt,
) -> anyhow::Result<Opened> {
    if is_replay {
        return Ok(Opened::unpolled("replay"));
    }
    if !selection.is_sealed() {
        return open(selection, prompt).await;
    }
    // Errors that need no key to be found are told before the terminal is taken.
    if selection.tenant.is_some() {
        refuse_suspended(&locked(selection)?)?;
    }
    Ok(Opened::unpolled(selection.tenant.as_deref().unwrap_or("no tenant")))
}

/// The fleet of a collector without a screen. A sealed inventory is only tried, so that a wrong key ends the program at once
/// and in words; the inventory service reads it.
///
/// # Errors
/// The inventory cannot be read, or its vault does not open without a question.
pub async fn open_unattended(selection: &Selection, prompt: &mut dyn Prompt) -> anyhow::Result<Opened> {
    if selection.demo.is_some() {
        return open(selection, prompt).await;
    }
    if let Some(file) = &selection.inventory {
        let targets = inventory::load(file)?;
        allow_sockets(targets.len() * 2);
        return Ok(Opened { targets, ..Opened::unpolled("") });
    }
    let tenant = locked(selection)?;
    // A suspended tenant is waited for: it may be resumed tonight.
    if !tenant.is_suspended() {
        let opened = unlock_unasked(selection, &tenant);
        drop(opened.context(
            "nobody is asked for a passphrase here: give --key-file FILE, a credential or the keyring",
        )?);
    }
    Ok(Opened::unpolled(""))
}

/// The tenant's inventory; empty without any tenant. An instance that this version cannot reach is reported and left
/// out; the others are watched.
fn sealed(selection: &Selection, prompt: &mut dyn Prompt) -> anyhow::Result<Opened> {
    if selection.tenant.is_none() && tenants_there()?.is_empty() {
        return Ok(Opened::unpolled("dbtop"));
    }
    refuse_suspended(&locked(selection)?)?;
    let tenant = unlocked(selection, prompt)?;
    let (mut targets, notes) = targets(&tenant.inventory()?);
    for note in &notes {
        prompt.say(note);
    }
    ask_for_secrets(&mut targets, prompt)?;
    allow_sockets(targets.len() * 2);
    let old_key = key_age_ms(&tenant, moment())?.and_then(old_key);
    Ok(Opened { targets, old_key, ..Opened::unpolled(tenant.slug().as_str()) })
}

/// Asks for the passwords and tokens that are not stored: once for each login, however many instances use it.
/// They stay in memory.
///
/// # Errors
/// There is no terminal, or the question was broken off.
fn ask_for_secrets(targets: &mut [Target], prompt: &mut dyn Prompt) -> anyhow::Result<()> {
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
            let answer = prompt
                .secret(&format!("Password of {who}: "))
                .with_context(|| format!("the password of {who}, first wanted by {}", target.info.id))?;
            known.push((who, answer.clone()));
            answer
        };
        *secret = SecretRef::Stored(answer);
    }
    Ok(())
}
