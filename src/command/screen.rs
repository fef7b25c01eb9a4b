//! `dbtop` without a command: the screen over a live fleet.

use super::{
    collect::place::Place,
    config::{
        self,
        reload::{Reload, Reloader},
    },
    effects,
    historian::{self, Recording},
    keeper, log, open, signals, source,
};
use crate::{
    cli::{Screen, Source, Tenancy},
    collect,
    config::{Config, secret},
    model::{base::time::Timestamp, judge::health::Level},
    tds::Roots,
    tui::{
        self, Settings, Setup, Subject,
        effect::{EFFECTS, REPLIES, Reply, VaultState},
        theme::{Depth, Theme},
    },
};
use std::{path::PathBuf, sync::Arc};
use tokio::sync::{
    mpsc::{self, Sender},
    watch,
};

/// Shows the fleet until the user quits.
///
/// # Errors
/// No terminal, no inventory, an unknown theme.
pub async fn run(source: Source, tenancy: &Tenancy, screen: &Screen) -> anyhow::Result<()> {
    let (cancel, wishes) = signals::listen_for_reload(signals::terminal_is_there);
    let reloader = Reloader::open(&source, screen, config::theme_mistake, wishes)?;
    let config = reloader.config().clone();
    let settings = looks(&config)?;
    // A hundred files of the system; they are read while the fleet is opened, for the first paint waits for both.
    let roots = tokio::task::spawn_blocking(Roots::load);
    let recording = Recording::named(screen.replay.as_deref(), &source, tenancy)?;
    let is_sealed = recording.is_none() && source.demo.is_none() && source.inventory.is_none();
    let fleet = open_fleet(&source, tenancy, recording.as_ref(), is_sealed).await?;
    // A demo leaves nothing behind, so its log lives in a folder that goes with it.
    let demo_log = if fleet.sim.is_some() { Some(tempfile::tempdir()?) } else { None };
    let folder = demo_log.as_ref().map_or_else(|| log::folder(&config.log), |d| PathBuf::from(d.path()));
    let log = Arc::new(log::start(&config.log, &folder, log::FILE_ONLY)?);
    let plain = (!is_sealed).then(|| fleet.targets.clone());
    let (recorder, readings) = historian::recorder();
    let played = recording.as_ref().map(played);
    let collector = collect::start(
        fleet.targets,
        source::settings(&config),
        Arc::new(secret::resolve),
        roots.await?,
        Some(recorder),
    );
    let (effects, wishes) = mpsc::channel(EFFECTS);
    let (replies, answers) = mpsc::channel(REPLIES);
    let history =
        historian::start(historian::Ties::of(&collector, Some(replies.clone()), &config), readings)?;
    let (looks, settings) = watch::channel(settings);
    let told = (collector.commands.clone(), history.orders.clone(), replies.clone(), looks);
    let follower = tokio::spawn(follow(reloader, told, Arc::clone(&log)));
    // Until the historian has looked, nobody knows who polls; but nobody else polls a demo.
    collector.commands.send(collect::Command::Follow(demo_log.is_none())).await?;
    if let Some(recording) = recording {
        history.orders.send(historian::Order::Play(recording)).await?;
    } else if !is_sealed {
        let open = plain_history(&source, tenancy, demo_log.as_ref())?;
        history.orders.send(historian::Order::Open(open)).await?;
    }
    let keeper = keeper::start(tenancy, plain, collector.commands.clone(), replies, history.orders.clone())?;
    let worker = tokio::spawn(effects::carry_out(
        wishes,
        collector.commands.clone(),
        keeper,
        history.orders.clone(),
        history.looked_at.clone(),
    ));
    let setup = Setup {
        settings,
        subject: Subject {
            tenant: fleet.title,
            vault: if is_sealed { VaultState::Opening } else { VaultState::Plain },
            recording: played,
        },
        snapshots: collector.snapshots.clone(),
        effects,
        replies: answers,
        cancel,
        clock: Arc::new(|| Timestamp::from_ms(chrono::Utc::now().timestamp_millis())),
    };
    let shown = tui::run(setup).await;
    worker.abort();
    follower.abort();
    // It has the log, too: what is written last must come to the disk.
    let _ = (worker.await, follower.await);
    if !collector.shutdown().await {
        tracing::warn!("the collector did not end within three seconds");
    }
    if !history.join(historian::END_WITHIN).await {
        tracing::warn!("the history was not written to its end in time");
    }
    Ok(shown?)
}

/// The fleet as far as it is known before the terminal is taken: that of a recording has nobody to poll, that of a tenant is
/// told by the keeper.
async fn open_fleet(
    source: &Source,
    tenancy: &Tenancy,
    recording: Option<&Recording>,
    is_sealed: bool,
) -> anyhow::Result<source::Source> {
    let unpolled = |title: String| source::Source { targets: Vec::new(), title, sim: None };
    if recording.is_some() {
        return Ok(unpolled("replay".to_owned()));
    }
    if !is_sealed {
        return source::open(source, tenancy).await;
    }
    // What needs no key is told before the terminal is taken.
    if tenancy.tenant.is_some() {
        source::refuse_suspended(&open::locked(tenancy)?)?;
    }
    Ok(unpolled(tenancy.tenant.clone().unwrap_or_else(|| "no tenant".to_owned())))
}

/// What the screen says of a recording.
fn played(recording: &Recording) -> tui::Recording {
    tui::Recording { file: recording.name(), from: recording.from, to: recording.to }
}

/// Where the history of what has no tenant lies: a demo's goes with it.
fn plain_history(
    source: &Source,
    tenancy: &Tenancy,
    demo: Option<&tempfile::TempDir>,
) -> anyhow::Result<historian::Fleet> {
    if let Some(folder) = demo {
        let folder = folder.path().to_owned();
        return Ok(historian::Fleet { file: folder.join(historian::FILE), folder, sealer: None });
    }
    let place = Place::find(source, tenancy)?;
    historian::Fleet::plain(&place)
}

/// Takes every reload of the configuration to the collector, the history, the log and the screen. Ends with one of them.
async fn follow(
    mut reloader: Reloader,
    (collector, history, replies, screen): (
        Sender<collect::Command>,
        Sender<historian::Order>,
        Sender<Reply>,
        watch::Sender<Settings>,
    ),
    log: Arc<log::LogGuard>,
) {
    loop {
        let reload = reloader.next().await;
        let text = reload.words();
        let level = if matches!(reload, Reload::Refused(_)) { Level::Warning } else { Level::Ok };
        if level == Level::Warning {
            tracing::warn!("{text}");
        } else {
            tracing::info!("{text}");
        }
        if let Reload::Changed { config, .. } = reload {
            log.set_level(&config.log.level);
            let settings = collect::Command::Settings(Box::new(source::settings(&config)));
            let keep = historian::Order::Keep(historian::options(&config));
            if collector.send(settings).await.is_err() || history.send(keep).await.is_err() {
                return;
            }
            // Its theme was checked by the reload.
            if let Ok(settings) = looks(&config) {
                screen.send_replace(settings);
            }
        }
        if replies.send(Reply::Message { level, text }).await.is_err() {
            return;
        }
    }
}

/// How the screen looks by this configuration.
fn looks(config: &Config) -> anyhow::Result<Settings> {
    let var = |name| std::env::var(name).ok().filter(|v| !v.is_empty());
    let depth = Depth::detect(var("COLORTERM").as_deref(), var("TERM").as_deref());
    Ok(Settings {
        theme: Theme::load(&config.ui.theme, depth)?,
        depth,
        low_bandwidth: config.ui.low_bandwidth,
        mouse: config.ui.mouse,
        lock_after_ms: lock_after_ms(config.vault.lock_after_min),
    })
}

/// 0: never.
fn lock_after_ms(minutes: u32) -> Option<i64> {
    (minutes > 0).then(|| i64::from(minutes) * 60_000)
}
