//! The one root of the running program: collector, modules, the configuration in force. The screen and a collector without a
//! screen both start it, so that the same modules run under both. `dbtop once` is no session: it starts a collector alone.
//!
//! **A new module takes its line in [`Session::start`]**, beside the others. It hears of the fleet and of the configuration by
//! [`Links`], and is waited for in [`Session::stop`].

use super::{
    attach::run_folder::RunFolder,
    configuration, demand, effects,
    fleet::Opened,
    headless::systemd::Notifier,
    history::{self, History, HistoryCommand, Location, Recording, file::FILE},
    inventory,
    log::{self, LogGuard},
    module::{Links, Module},
    reload::{Reload, Reloader},
    selection::Selection,
    settings::Editor,
};
use crate::{
    collect::{self, Collector},
    config::{Config, secret},
    model::judge::health::Level,
    protocol::{Effect, InventoryRequest, Reply},
    sim::Sim,
    tds::Roots,
};
use std::{
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};
use tempfile::TempDir;
use tokio::{
    sync::{
        mpsc::{self, Receiver, Sender},
        watch,
    },
    task::{JoinHandle, JoinSet},
    time::Instant,
};

/// Time for the last records to be written once the collector has ended; what is left then is lost.
const END_WITHIN: Duration = Duration::from_secs(3);

/// The parts that a session is started with.
pub struct Start {
    /// which fleet
    pub selection: Selection,
    /// what is known of the fleet before its vault is open
    pub opened: Opened,
    /// a recording that is played; nothing is polled then
    pub recording: Option<Recording>,
    /// the configuration, which is followed from now on
    pub reloader: Reloader,
    /// the certificate authorities for TLS: a hundred files of the system, read in the background
    pub roots: JoinHandle<Roots>,
    /// who hears answers
    pub replies: Sender<Reply>,
    /// None: a screen is up
    pub headless: Option<Headless>,
}

/// A session without a screen.
pub struct Headless {
    /// the fleet's, whose lock is ours
    pub place: RunFolder,
    /// hears of reloads
    pub notifier: Arc<Notifier>,
}

/// The running program.
pub struct Session {
    /// the inventory service
    pub inventory: Sender<InventoryRequest>,
    /// the history service
    pub history: History,
    /// the collector
    pub collector: Collector,
    /// the configuration in force
    pub config: watch::Receiver<Arc<Config>>,
    /// None: there is none
    screen: Option<Sender<Reply>>,
    modules: Vec<Module>,
    tasks: JoinSet<()>,
    /// a demo leaves nothing behind: its log and its history go with this folder
    _temporary: Option<TempDir>,
    /// the simulated fleet of a demo
    _sim: Option<Sim>,
}

impl Session {
    /// Starts everything.
    ///
    /// # Errors
    /// No folder for the log or the history, or the system has no thread.
    pub async fn start(start: Start) -> anyhow::Result<Self> {
        let Start { selection, opened, recording, reloader, roots, replies, headless } = start;
        let Opened { targets, sim, .. } = opened;
        let config = Arc::new(reloader.config().clone());
        let (place, given, check) = reloader.reads();
        let editor = Editor { place, given, check };
        let temporary = if sim.is_some() { Some(tempfile::tempdir()?) } else { None };
        let log = start_log(&config, temporary.as_ref().map(TempDir::path), headless.as_ref())?;
        let is_sealed = recording.is_none() && selection.is_sealed();
        let plain = (!is_sealed).then(|| targets.clone());
        let (recorder, readings) = history::recorder();
        let settings = collect::Settings { charts: headless.is_none(), ..configuration::collector(&config) };
        let resolve = Arc::new(secret::resolve);
        let collector = collect::start(targets, settings, resolve, roots.await?, Some(recorder));
        let (publish, config) = watch::channel(config);
        let links = Links {
            collector: collector.commands.clone(),
            feed: collector.feed.clone(),
            fleet: collector.snapshots.clone(),
            config: config.clone(),
            screen: headless.is_none().then(|| replies.clone()),
        };
        let (history, keeps_history) = history::start(&links, readings)?;
        if headless.is_none() {
            // Until the history service has checked the lock, it is open who polls; a demo is polled by this process alone.
            collector.commands.send(collect::Command::Follow(temporary.is_none())).await?;
        }
        if let Some(recording) = recording {
            history.commands.send(HistoryCommand::Play(recording)).await?;
        } else if !is_sealed {
            let temporary = temporary.as_ref().map(TempDir::path);
            let location = plain_history(&selection, temporary, headless.as_ref())?;
            history.commands.send(HistoryCommand::Open(location)).await?;
        }
        let history_commands = history.commands.clone();
        let start = inventory::Start { selection, plain, replies, history: history_commands, editor };
        let (inventory, keeps_inventory) = inventory::start(&links, start)?;
        let notifier = headless.map(|headless| headless.notifier);
        let screen = links.screen.clone();
        let mut tasks = JoinSet::new();
        tasks.spawn(follow(reloader, publish, links, log, notifier));
        Ok(Self {
            inventory,
            history,
            collector,
            config,
            screen,
            modules: vec![keeps_history, keeps_inventory],
            tasks,
            _temporary: temporary,
            _sim: sim,
        })
    }

    /// Carries out the effects of the screen from now on.
    pub fn obey(&mut self, effects: Receiver<Effect>) {
        let (collector, inventory) = (self.collector.commands.clone(), self.inventory.clone());
        let (history, on_screen) = (self.history.commands.clone(), self.history.on_screen.clone());
        let (demands, asked) = mpsc::channel(demand::REQUESTS);
        if let Some(screen) = &self.screen {
            self.spawn(demand::carry_out(asked, collector.clone(), screen.clone()));
        }
        let screen = self.screen.clone();
        let to = effects::Services { collector, inventory, history, demands, on_screen, screen };
        self.spawn(effects::carry_out(effects, to));
    }

    /// Runs a task until the session ends.
    pub fn spawn(&mut self, task: impl Future<Output = ()> + Send + 'static) {
        self.tasks.spawn(task);
    }

    /// Ends everything in order: the tasks that ask, the collector, the modules.
    pub async fn stop(mut self) {
        // One of them has the log, whose last lines must reach the disk.
        self.tasks.shutdown().await;
        drop((self.inventory, self.history));
        if !self.collector.shutdown().await {
            tracing::warn!("the collector did not end within three seconds");
        }
        let end = Instant::now() + END_WITHIN;
        for Module { name, ended } in self.modules {
            if tokio::time::timeout_at(end, ended).await.is_err() {
                tracing::warn!("{name} did not come to its end in time");
            }
        }
    }
}

fn start_log(
    config: &Config,
    temporary: Option<&Path>,
    headless: Option<&Headless>,
) -> anyhow::Result<LogGuard> {
    let folder = temporary.map_or_else(|| log::folder(&config.log), PathBuf::from);
    let Some(headless) = headless else { return log::start(&config.log, &folder, log::FILE_ONLY) };
    let name = format!("{}.collector", headless.place.name);
    log::start(&config.log, &folder, log::Lines { name: &name, to_stderr: true })
}

/// The place of history for fleets without a tenant: a demo's is deleted with it.
fn plain_history(
    selection: &Selection,
    temporary: Option<&Path>,
    headless: Option<&Headless>,
) -> anyhow::Result<Location> {
    if let Some(temporary) = temporary {
        let folder = headless.map_or(temporary, |headless| &headless.place.folder).to_owned();
        return Ok(Location { folder, file: temporary.join(FILE), sealer: None, max_bytes: None });
    }
    match headless {
        Some(headless) => Location::plain(&headless.place),
        None => Location::plain(&RunFolder::find(selection)?),
    }
}

/// Applies every change of the configuration: to the log, the collector, and all that watch [`Session::config`]. Ends with
/// the collector or the screen.
async fn follow(
    mut reloader: Reloader,
    publish: watch::Sender<Arc<Config>>,
    links: Links,
    log: LogGuard,
    notifier: Option<Arc<Notifier>>,
) {
    loop {
        let reload = reloader.next().await;
        if let Some(notifier) = &notifier {
            notifier.reloading();
        }
        let text = reload.words();
        let level = if matches!(reload, Reload::Refused(_)) { Level::Warning } else { Level::Ok };
        if level == Level::Warning {
            tracing::warn!("{text}");
        } else {
            tracing::info!("{text}");
        }
        if let Reload::Changed { config, .. } = reload {
            log.set_level(&config.log.level);
            let settings = collect::Command::Settings(Box::new(configuration::collector(&config)));
            if links.collector.send(settings).await.is_err() {
                return;
            }
            publish.send_replace(Arc::new(*config));
        }
        if let Some(screen) = &links.screen
            && screen.send(Reply::Message { level, text }).await.is_err()
        {
            return;
        }
        if let Some(notifier) = &notifier {
            notifier.ready();
        }
    }
}
