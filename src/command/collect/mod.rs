//! `dbtop collect`: collects a fleet in the foreground without a screen, for systemd and for machines that nobody looks
//! at. One for each fleet: the [`lock`] says so. [`tend`] follows the inventory, [`pulse`] writes the [`heartbeat`] that
//! `status`, `healthcheck` and screens read, [`focus`] hears what those look at, [`notify`] tells systemd.

pub mod focus;
pub mod heartbeat;
pub mod lock;
mod metrics;
mod notify;
pub mod place;
mod pulse;
mod serve;
mod tend;

use self::{
    heartbeat::{Heartbeat, Standing},
    lock::{Holder, Lock, Taken},
    notify::Notifier,
    place::Place,
    pulse::{Ended, Pulse},
    tend::Stand,
};
use super::{
    ask,
    config::reload::{Reload, Reloader},
    historian, keeper, log, open, signals, source,
};
use crate::{
    cli::{self, Screen, Tenancy},
    collect::{self, Collector},
    config::{inventory, secret},
    model::inventory::instance::Target,
    sim::Sim,
    tds::Roots,
    tui::effect::REPLIES,
};
use anyhow::{Context, bail};
use std::{
    path::PathBuf,
    sync::Arc,
    time::{Duration, Instant},
};
use tokio::{
    sync::{
        mpsc::{self, Sender},
        watch,
    },
    task::JoinSet,
};
use tokio_util::sync::CancellationToken;

/// Collects until SIGTERM or Ctrl-C.
///
/// # Errors
/// No inventory, a vault that does not open without a question, a collector that is there already, a mistake in the
/// configuration; or the fleet's folder went away.
pub async fn run(args: &cli::Collect, source: &cli::Source, tenancy: &Tenancy) -> anyhow::Result<()> {
    let (cancel, wishes) = signals::listen_for_reload(|| true);
    let reloader = Reloader::open(source, &Screen::none(), |_| None, wishes)?;
    let config = reloader.config().clone();
    let port = match serve::address(args.metrics, &config.metrics)? {
        Some(at) => Some(serve::listen(at).await?),
        None => None,
    };
    let roots = tokio::task::spawn_blocking(Roots::load);
    let notifier = Arc::new(Notifier::of_process());
    let place = Place::find(source, tenancy)?;
    let (_lock, holder) = take_lock(&place, &cancel).await?;
    let fleet = open_fleet(source, tenancy).await?;
    let demo_log = if fleet.sim.is_some() { Some(tempfile::tempdir()?) } else { None };
    let folder = demo_log.as_ref().map_or_else(|| log::folder(&config.log), |d| PathBuf::from(d.path()));
    let name = format!("{}.collector", place.name);
    let log = Arc::new(log::start(&config.log, &folder, log::Lines { name: &name, to_stderr: true })?);
    tracing::info!(version = holder.version, fleet = place.name, "collecting");
    let (recorder, readings) = historian::recorder();
    let collector = collect::start(
        fleet.targets,
        source::settings(&config),
        Arc::new(secret::resolve),
        roots.await?,
        Some(recorder),
    );
    let history = historian::start(historian::Ties::of(&collector, None, &config), readings)?;
    let (stand, standing) = watch::channel((Standing::Starting, String::new()));
    let mut tasks = JoinSet::new();
    let (commands, orders) = (collector.commands.clone(), history.orders.clone());
    tasks.spawn(reconfigure(reloader, commands, orders, Arc::clone(&log), Arc::clone(&notifier)));
    tend_inventory(source, tenancy, &collector, &history.orders, stand, &mut tasks)?;
    if source.demo.is_some() || source.inventory.is_some() {
        let mut open = historian::Fleet::plain(&place)?;
        if let Some(folder) = &demo_log {
            open.file = folder.path().join(historian::FILE);
        }
        history.orders.send(historian::Order::Open(open)).await?;
    }
    let mut pulse = Pulse {
        beat: first_beat(&holder, &place),
        place,
        notifier: Arc::clone(&notifier),
        snapshots: collector.snapshots.clone(),
        gauge: collector.gauge.clone(),
        stand: standing,
        store: history.figures.clone(),
    };
    if let Some(port) = port {
        tasks.spawn(serve::answer(port, pulse.figures()));
    }
    let ended = pulse.run(&cancel).await;
    tracing::info!("ending");
    notifier.stopping();
    tasks.shutdown().await;
    if !collector.shutdown().await {
        tracing::warn!("the collector did not end within three seconds");
    }
    if !history.join(historian::END_WITHIN).await {
        tracing::warn!("the history was not written to its end in time");
    }
    if ended == Ended::Gone {
        let folder = pulse.place.folder.display();
        bail!("the folder {folder} is gone: the tenant was renamed or deleted");
    }
    pulse.stop();
    Ok(())
}

/// Now, ms since 1970 UTC.
fn now_ms() -> i64 {
    chrono::Utc::now().timestamp_millis()
}

/// A screen that is asked for the lock makes way within this time, or not at all.
const MAKES_WAY_WITHIN: Duration = Duration::from_secs(15);

/// Takes the fleet's lock for this process. A screen that collects is asked to make way: who starts a service means it.
///
/// # Errors
/// Another collector has it, or a screen that does not make way; we are ended meanwhile.
async fn take_lock(place: &Place, cancel: &CancellationToken) -> anyhow::Result<(Lock, Holder)> {
    place.make()?;
    let version = env!("CARGO_PKG_VERSION").to_owned();
    let holder = Holder { pid: std::process::id(), started_ms: now_ms(), version, screen: false };
    let started = Instant::now();
    let mut asked = false;
    let taken = loop {
        match lock::take(&place.folder, &holder)? {
            Taken::Ours(lock) => break Ok((lock, holder)),
            Taken::Theirs(Some(by)) if by.screen && started.elapsed() < MAKES_WAY_WITHIN => {
                if !asked {
                    ask::say(&format!(
                        "a screen collects {}, process {}: asking it to make way",
                        place.title, by.pid
                    ));
                }
                asked = true;
                lock::ask(&place.folder).context("asking a screen to make way")?;
            }
            Taken::Theirs(by) => break Err(anyhow::anyhow!("{}", refused(&place.title, by.as_ref()))),
        }
        if cancel.is_cancelled() {
            break Err(anyhow::anyhow!("ended while a screen was asked to make way"));
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    };
    if asked {
        lock::stop_asking(&place.folder);
    }
    taken
}

/// Why there is nothing to collect.
fn refused(title: &str, by: Option<&Holder>) -> String {
    let who = match by {
        Some(by) if by.screen => format!("the screen of process {}, which does not make way", by.pid),
        Some(by) => format!("process {}", by.pid),
        None => "another process".to_owned(),
    };
    format!("{title} is collected already, by {who}: see `dbtop status`")
}

fn first_beat(holder: &Holder, place: &Place) -> Heartbeat {
    Heartbeat {
        pid: holder.pid,
        version: holder.version.clone(),
        title: place.title.clone(),
        started_ms: holder.started_ms,
        written_ms: holder.started_ms,
        written_up_ms: None,
        standing: Standing::Starting,
        words: String::new(),
        instances: heartbeat::Instances::default(),
        polls: heartbeat::Polls::default(),
        newest_poll_ms: None,
        lag_ms: 0,
        latency: heartbeat::Latency::default(),
        queues: heartbeat::Queues::default(),
        samples_waited: 0,
        process: heartbeat::Process::default(),
        store: None,
    }
}

/// What is known before the first poll.
struct Fleet {
    targets: Vec<Target>,
    /// keeps the demo alive
    sim: Option<Sim>,
}

/// Opens what needs no keeper. Of a sealed inventory it only sees that it will open, so that a wrong key ends us at once and
/// in words; the keeper reads it.
async fn open_fleet(source: &cli::Source, tenancy: &Tenancy) -> anyhow::Result<Fleet> {
    if source.demo.is_some() {
        let opened = source::open(source, tenancy).await?;
        return Ok(Fleet { targets: opened.targets, sim: opened.sim });
    }
    if let Some(file) = &source.inventory {
        let targets = inventory::load(file)?;
        source::allow_sockets(targets.len() * 2);
        return Ok(Fleet { targets, sim: None });
    }
    let locked = open::locked(tenancy)?;
    // A suspended tenant is waited for: it may be resumed tonight.
    if !locked.is_suspended() {
        let opened = locked.unlock_any(&open::env(tenancy, &locked));
        drop(opened.context(
            "nobody is asked for a passphrase here: give --key-file FILE, a credential or the keyring",
        )?);
    }
    Ok(Fleet { targets: Vec::new(), sim: None })
}

/// Follows the inventory, whatever it is, and says how it stands.
fn tend_inventory(
    source: &cli::Source,
    tenancy: &Tenancy,
    collector: &Collector,
    historian: &Sender<historian::Order>,
    stand: watch::Sender<Stand>,
    tasks: &mut JoinSet<()>,
) -> anyhow::Result<()> {
    let commands = collector.commands.clone();
    if source.demo.is_none() && source.inventory.is_none() {
        let (replies, answers) = mpsc::channel(REPLIES);
        let keeper = keeper::start(tenancy, None, commands, replies, historian.clone())?;
        tasks.spawn(tend::sealed(answers, keeper, stand));
        return Ok(());
    }
    // Nobody listens only at the end.
    let _ = stand.send((Standing::Collecting, String::new()));
    if let (None, Some(file)) = (source.demo, &source.inventory) {
        tasks.spawn(tend::plain(file.clone(), commands));
    }
    Ok(())
}

/// Takes every reload of the configuration to the collector, the history and the log.
async fn reconfigure(
    mut reloader: Reloader,
    collector: Sender<collect::Command>,
    history: Sender<historian::Order>,
    log: Arc<log::LogGuard>,
    notifier: Arc<Notifier>,
) {
    loop {
        let reload = reloader.next().await;
        notifier.reloading();
        if matches!(reload, Reload::Refused(_)) {
            tracing::warn!("{}", reload.words());
        } else {
            tracing::info!("{}", reload.words());
        }
        if let Reload::Changed { config, .. } = reload {
            log.set_level(&config.log.level);
            let settings = Box::new(source::settings(&config));
            let keep = historian::Order::Keep(historian::options(&config));
            if collector.send(collect::Command::Settings(settings)).await.is_err()
                || history.send(keep).await.is_err()
            {
                return;
            }
        }
        notifier.ready();
    }
}
