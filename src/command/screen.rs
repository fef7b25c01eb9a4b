//! `dbtop` without a command: the screen over a live fleet.

use super::{config, effects, keeper, log, open, signals, source};
use crate::{
    cli::{Screen, Source, Tenancy},
    collect,
    config::{Config, secret},
    model::time::Timestamp,
    tds::Roots,
    tui::{
        self, Settings, Setup,
        effect::{EFFECTS, REPLIES, VaultState},
        theme::{Depth, Theme},
    },
};
use std::{path::PathBuf, sync::Arc};
use tokio::sync::mpsc;

/// Shows the fleet until the user quits.
///
/// # Errors
/// No terminal, no inventory, an unknown theme.
pub async fn run(source: Source, tenancy: &Tenancy, screen: &Screen) -> anyhow::Result<()> {
    let config = config::load(&source, screen)?;
    let settings = looks(&config)?;
    let cancel = signals::listen();
    let is_sealed = source.demo.is_none() && source.inventory.is_none();
    let fleet = if is_sealed {
        // What needs no key is told before the terminal is taken.
        if tenancy.tenant.is_some() {
            source::refuse_suspended(&open::locked(tenancy)?)?;
        }
        source::Source {
            targets: Vec::new(),
            title: tenancy.tenant.clone().unwrap_or_else(|| "no tenant".to_owned()),
            sim: None,
        }
    } else {
        source::open(&source, tenancy).await?
    };
    // A demo leaves nothing behind, so its log lives in a folder that goes with it.
    let demo_log = if fleet.sim.is_some() { Some(tempfile::tempdir()?) } else { None };
    let folder = demo_log.as_ref().map_or_else(|| log::folder(&config.log), |d| PathBuf::from(d.path()));
    let _log = log::start(&config.log, &folder)?;
    let collector =
        collect::start(fleet.targets, source::settings(&config), Arc::new(secret::resolve), Roots::load());
    let (effects, wishes) = mpsc::channel(EFFECTS);
    let (replies, answers) = mpsc::channel(REPLIES);
    let keeper =
        if is_sealed { Some(keeper::start(tenancy, collector.commands.clone(), replies)?) } else { None };
    let worker = tokio::spawn(effects::carry_out(wishes, collector.commands.clone(), keeper));
    let setup = Setup {
        settings: Settings {
            tenant: fleet.title,
            vault: if is_sealed { VaultState::Opening } else { VaultState::Plain },
            ..settings
        },
        snapshots: collector.snapshots.clone(),
        effects,
        replies: answers,
        cancel,
        clock: Arc::new(|| Timestamp::from_ms(chrono::Utc::now().timestamp_millis())),
    };
    let shown = tui::run(setup).await;
    worker.abort();
    if !collector.shutdown().await {
        tracing::warn!("the collector did not end within three seconds");
    }
    Ok(shown?)
}

/// How the screen looks by this configuration.
fn looks(config: &Config) -> anyhow::Result<Settings> {
    let var = |name| std::env::var(name).ok().filter(|v| !v.is_empty());
    let depth = Depth::detect(var("COLORTERM").as_deref(), var("TERM").as_deref());
    Ok(Settings {
        tenant: String::new(),
        theme: Theme::load(&config.ui.theme, depth)?,
        depth,
        low_bandwidth: config.ui.low_bandwidth,
        mouse: config.ui.mouse,
        vault: VaultState::Plain,
        lock_after_ms: lock_after_ms(config.vault.lock_after_min),
    })
}

/// 0: never.
fn lock_after_ms(minutes: u32) -> Option<i64> {
    (minutes > 0).then(|| i64::from(minutes) * 60_000)
}
