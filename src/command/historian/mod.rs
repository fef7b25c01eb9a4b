//! The historian: the thread that has the history of the fleet. It decides who polls (this process if nobody else does, else
//! it follows what the other one writes), owns the store's writer and reader, and answers what the screen asks of the past.
//! `screen` and `collect` start it; the keeper, or who opened a plain inventory, tells it which fleet it is.
//!
//! Nothing here is in the way of polling or drawing: readings come by a bounded channel ([`relay`]), questions by another.

mod answer;
mod figures;
mod recording;
mod relay;
mod watched;

pub use recording::Recording;

use self::watched::Watched;
use super::collect::{heartbeat, lock, place::Place};
use crate::{
    collect::{Collector, Command, Recorder},
    config::Config,
    model::{
        base::{error::with_causes, time::Timestamp},
        fold::{snapshot::FleetSnapshot, update::Update},
        inventory::instance::{InstanceId, InstanceInfo},
        judge::health::Level,
        timeline::kept::Kept,
    },
    store::{
        Home, StoreError,
        history::{Options, QUEUE, Reader, StoreHealth, Writer, WriterHandle, WriterStats},
    },
    tui::effect::{EFFECTS, Reply, Request},
    vault::Sealer,
};
use anyhow::Context;
use std::{
    collections::HashMap,
    path::{Path, PathBuf},
    sync::Arc,
    thread::JoinHandle,
    time::{Duration, Instant},
};
use tokio::{
    runtime::Handle,
    sync::{
        mpsc::{self, Receiver, Sender, WeakSender},
        watch,
    },
};

/// The file of a fleet's history, in its folder.
pub const FILE: &str = "history.db";
/// How often it looks who polls, and takes what is new.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// Writing what was recorded last takes no longer, or is given up.
pub const END_WITHIN: Duration = Duration::from_secs(3);
/// A heartbeat older than this, ms, says nothing about now.
const BEAT_MS: u64 = 10_000;
/// Before a screen polls by itself it waits so long for the next collector: one that is updated or restarted is soon back.
const WAIT_FOR_COLLECTOR: Duration = Duration::from_secs(4);

/// In two words: nobody knows who collects.
const CANNOT_BE_TAKEN: &str = "no lock";

/// What the historian is told.
pub enum Order {
    /// this is the fleet from now on
    Open(Fleet),
    /// it is not any more: the tenant changes
    Close,
    /// there is no fleet: this recording is played
    Play(Recording),
    /// the configuration changed: it is kept so from now on
    Keep(Options),
    /// a question of the screen
    Ask(Request),
}

/// Whose history.
pub struct Fleet {
    /// where the collector's lock and heartbeat are
    pub folder: PathBuf,
    /// the file
    pub file: PathBuf,
    /// None: it is kept in the open, as a plain inventory is
    pub sealer: Option<Sealer>,
}

impl Fleet {
    /// That of an inventory file: the state of its collector is gone with the session, its history is not.
    ///
    /// # Errors
    /// No folder for data.
    pub fn plain(place: &Place) -> anyhow::Result<Self> {
        let folder = Home::find()?.data().join("plain").join(&place.name);
        super::log::make(&folder).with_context(|| format!("making the folder {}", folder.display()))?;
        Ok(Self { folder: place.folder.clone(), file: folder.join(FILE), sealer: None })
    }
}

/// What the historian is connected to.
pub struct Ties {
    /// the collector's
    pub commands: Sender<Command>,
    /// the collector's
    pub feed: WeakSender<Update>,
    /// the collector's
    pub snapshots: watch::Receiver<Arc<FleetSnapshot>>,
    /// the screen's; None: there is none, and this process has taken the collector's lock itself
    pub replies: Option<Sender<Reply>>,
    /// how history is kept
    pub options: Options,
}

impl Ties {
    /// To this collector.
    pub fn of(collector: &Collector, replies: Option<Sender<Reply>>, config: &Config) -> Self {
        Self {
            commands: collector.commands.clone(),
            feed: collector.feed.clone(),
            snapshots: collector.snapshots.clone(),
            replies,
            options: options(config),
        }
    }
}

/// How history is kept by this configuration.
pub fn options(config: &Config) -> Options {
    let history = &config.history;
    Options {
        raw_days: history.raw_days,
        state_days: history.state_days,
        five_min_days: history.five_min_days,
        hour_days: history.hour_days,
        day_days: history.day_days,
        events_days: history.events_days,
        max_bytes: u64::from(history.max_store_gb) << 30,
        ..Options::default()
    }
}

/// The running historian.
pub struct Historian {
    /// see [`Order`]
    pub orders: Sender<Order>,
    /// the writer's figures, while this process writes
    pub figures: watch::Receiver<Option<WriterStats>>,
    /// the instances on the screen; who polls is asked for them if that is another process
    pub looked_at: watch::Sender<Vec<InstanceId>>,
    thread: JoinHandle<()>,
    relay: tokio::task::JoinHandle<()>,
}

/// Makes the channel that the collector records to; [`start`] takes the other end. Full: the reducer waits.
pub fn recorder() -> (Recorder, Receiver<Vec<Kept>>) {
    mpsc::channel(QUEUE)
}

/// Starts it. Must be called within the runtime.
///
/// # Errors
/// The system has no thread for it.
pub fn start(ties: Ties, recorded: Receiver<Vec<Kept>>) -> anyhow::Result<Historian> {
    // Full: the screen says that it is busy.
    let (orders, taken) = mpsc::channel(EFFECTS);
    let (tell, figures) = watch::channel(None);
    let (looked_at, looks) = watch::channel(Vec::new());
    let (switch, to) = watch::channel(None);
    let runtime = Handle::current();
    let relay = runtime.spawn(relay::run(recorded, to));
    let work = Work {
        ties,
        runtime,
        switch,
        tell,
        fleet: None,
        role: Role::Idle,
        reader: None,
        said: None,
        watched: Watched::new(looks),
        theirs: None,
        counting: None,
        gone: Vec::new(),
    };
    let thread = std::thread::Builder::new().name("historian".into()).spawn(move || work.run(taken))?;
    Ok(Historian { orders, figures, looked_at, thread, relay })
}

impl Historian {
    /// Waits until all that was recorded is on the disk. The collector must have ended, and everyone who gives orders. False if
    /// that took longer than `within`.
    pub async fn join(self, within: Duration) -> bool {
        let all = async {
            let _ = self.relay.await;
            drop((self.orders, self.looked_at));
            // A panic was told by the hook.
            let _ = tokio::task::spawn_blocking(|| self.thread.join()).await;
        };
        tokio::time::timeout(within, all).await.is_ok()
    }
}

/// Who polls.
enum Role {
    /// no fleet yet, or one that cannot be kept
    Idle,
    /// we do, and write
    Collecting { writer: WriterHandle, lock: Option<lock::Lock> },
    /// another process does, and we read what it writes; the cursor is -1 before anything was read, and nobody has the lock
    /// since then
    Following { cursor: i64, free_since: Option<Instant> },
    /// nobody does: a recording is played, of these instances
    Playing { infos: Vec<Arc<InstanceInfo>> },
}

struct Work {
    ties: Ties,
    runtime: Handle,
    switch: watch::Sender<Option<Recorder>>,
    tell: watch::Sender<Option<WriterStats>>,
    fleet: Option<Fleet>,
    role: Role,
    reader: Option<Reader>,
    /// the trouble that was said last
    said: Option<String>,
    watched: Watched,
    /// what the collector that we follow said of its store last
    theirs: Option<heartbeat::StoreFigures>,
    /// the growth of the store is being counted
    counting: Option<JoinHandle<()>>,
    /// instances of the past on the screen that are not in the inventory any more
    gone: Vec<Arc<InstanceInfo>>,
}

impl Work {
    fn run(mut self, mut orders: Receiver<Order>) {
        let mut looked = Instant::now();
        loop {
            let runtime = self.runtime.clone();
            let wait = LOOK_EVERY.saturating_sub(looked.elapsed());
            match runtime.block_on(async { tokio::time::timeout(wait, orders.recv()).await }) {
                Ok(Some(order)) => self.carry_out(order),
                Ok(None) => return self.close(),
                Err(_) => {}
            }
            // Also while one question follows the other.
            if looked.elapsed() >= LOOK_EVERY {
                self.look();
                self.exchange_looks();
                self.tell_figures();
                looked = Instant::now();
            }
        }
    }

    fn carry_out(&mut self, order: Order) {
        match order {
            Order::Open(fleet) => {
                self.close();
                self.fleet = Some(fleet);
                self.take_role();
            }
            Order::Close => self.close(),
            Order::Play(recording) => self.play(recording),
            Order::Keep(options) => {
                if let Role::Collecting { writer, .. } = &self.role {
                    writer.keep(options.clone());
                }
                self.ties.options = options;
            }
            Order::Ask(request) => self.answer(request),
        }
    }

    fn say(&self, reply: Reply) {
        if let Some(replies) = &self.ties.replies {
            // Nobody listens: the screen is gone, and so shall we be.
            let _ = replies.blocking_send(reply);
        }
    }

    fn command(&self, command: Command) {
        // The collector is gone only when the program ends.
        let _ = self.ties.commands.blocking_send(command);
    }

    /// Says once what is the matter with history, and shows two words of it for as long as it lasts; None: nothing.
    fn trouble(&mut self, trouble: Option<(&'static str, String)>) {
        let (sign, words) = trouble.unzip();
        if self.said == words {
            return;
        }
        if let Some(text) = words.clone() {
            tracing::warn!("{text}");
            self.say(Reply::Message { level: Level::Warning, text });
        } else {
            tracing::info!("history is kept again");
            self.say(Reply::Message { level: Level::Ok, text: "history is kept again".into() });
        }
        self.say(Reply::Store(sign));
        self.said = words;
    }

    /// Polls and writes, or follows who does.
    fn take_role(&mut self) {
        let Some(fleet) = &self.fleet else { return };
        let lock = if self.ties.replies.is_none() {
            Ok(None)
        } else {
            match take_lock(fleet) {
                Ok(lock::Taken::Ours(lock)) => Ok(Some(lock)),
                Ok(lock::Taken::Theirs(_)) => return self.begin_to_follow(),
                Err(e) => Err((CANNOT_BE_TAKEN, with_causes(&*e))),
            }
        };
        let started = lock.and_then(|lock| {
            let writer = Writer::start(&fleet.file, fleet.sealer.clone(), self.ties.options.clone());
            let refused = |e: StoreError| (StoreHealth::of(&e).sign(), e.to_string());
            writer.map(|(recorder, writer)| (lock, recorder, writer)).map_err(refused)
        });
        match started {
            Ok((lock, recorder, writer)) => {
                self.reader = None;
                self.role = Role::Collecting { writer, lock };
                self.switch.send_replace(Some(recorder));
                self.command(Command::Follow(false));
                self.say(Reply::Collector(None));
                self.trouble(None);
            }
            Err((sign, e)) => {
                // It polls all the same: what is on the screen needs no history.
                self.command(Command::Follow(false));
                self.trouble(Some((sign, format!("no history is kept: {e}"))));
            }
        }
    }

    /// Once a second.
    fn look(&mut self) {
        match &mut self.role {
            Role::Idle => self.take_role(),
            Role::Collecting { writer, lock } => {
                let is_wanted =
                    lock.is_some() && self.fleet.as_ref().is_some_and(|f| lock::is_wanted(&f.folder));
                if is_wanted {
                    return self.make_way();
                }
                let stats = writer.stats.borrow_and_update().clone();
                let trouble =
                    (!stats.health.is_fine()).then(|| (stats.health.sign(), stats.health.words().to_owned()));
                figures::warn_of_clock(self.tell.borrow().as_ref(), &stats);
                self.tell.send_replace(Some(stats));
                self.trouble(trouble);
            }
            Role::Following { .. } => self.follow(),
            Role::Playing { .. } => {}
        }
    }

    /// Nothing is polled, locked or written: there is the file to be read, no more.
    fn play(&mut self, recording: Recording) {
        self.close();
        self.fleet = Some(Fleet { folder: PathBuf::new(), file: recording.file, sealer: None });
        self.role = Role::Playing { infos: recording.infos };
    }

    /// Writes to the end, lets go of the lock, and follows whoever takes it.
    fn make_way(&mut self) {
        tracing::info!("a collector asks for the lock: making way");
        self.command(Command::Follow(true));
        self.stop_writing(Role::Following { cursor: -1, free_since: Some(Instant::now()) });
        let text = "a collector has started: it polls now, this screen follows it".to_owned();
        self.say(Reply::Message { level: Level::Ok, text });
    }

    /// Ends the writer, if there is one; then the lock is let go.
    fn stop_writing(&mut self, next: Role) {
        self.switch.send_replace(None);
        self.reader = None;
        if let Role::Collecting { writer, lock } = std::mem::replace(&mut self.role, next) {
            if let Err(e) = writer.join() {
                tracing::error!("writing the end of the history: {e}");
            }
            drop(lock);
        }
        self.tell.send_replace(None);
    }

    fn begin_to_follow(&mut self) {
        self.command(Command::Follow(true));
        self.role = Role::Following { cursor: -1, free_since: None };
        self.follow();
    }

    /// Takes what is new to the reducer, and says who collects. When nobody does any more, we do.
    fn follow(&mut self) {
        let Some(fleet) = &self.fleet else { return };
        let held = lock::look(&fleet.folder);
        if let Role::Following { free_since, .. } = &mut self.role {
            if matches!(held, Ok(lock::Held::Free)) {
                let since = free_since.get_or_insert_with(Instant::now);
                if since.elapsed() >= WAIT_FOR_COLLECTOR {
                    self.role = Role::Idle;
                    return self.take_role();
                }
            } else {
                *free_since = None;
            }
        }
        let now = now();
        let words = attached(held, &fleet.folder, now);
        let beat = heartbeat::read(&fleet.folder).ok().flatten();
        let fresh = beat.filter(|beat| beat.age_ms(now) <= BEAT_MS);
        self.say(Reply::Collector(Some(words)));
        let done = self.take_new(now);
        self.theirs = fresh.and_then(|beat| beat.store);
        let theirs = self.theirs.as_ref().and_then(|store| store.problem.clone());
        let theirs = theirs.map(|why| ("the collector says why", why));
        let ours = done.err().map(|e| self.unread(e));
        let ours = ours.map(|e| (StoreHealth::of(&e).sign(), format!("following the collector: {e}")));
        self.trouble(ours.or(theirs));
    }

    fn take_new(&mut self, now: Timestamp) -> Result<(), StoreError> {
        let Role::Following { cursor, free_since } = self.role else { return Ok(()) };
        let infos = self.infos();
        let reader = self.reader()?;
        let mut cursor = cursor;
        let mut news = Vec::new();
        let mut histories = Vec::new();
        if cursor >= 0 {
            loop {
                let followed = reader.follow(cursor)?;
                cursor = followed.cursor;
                news.extend(followed.kept);
                if followed.missed {
                    cursor = -1;
                }
                if followed.missed || !followed.more {
                    break;
                }
            }
        }
        if cursor < 0 {
            cursor = reader.cursor()?;
            let uids: Vec<Arc<str>> = infos.keys().cloned().collect();
            news = reader.state_at(&uids, now)?.kept;
            for (uid, info) in &infos {
                histories.push((info.id.clone(), reader.history(uid, now)?));
            }
        }
        self.role = Role::Following { cursor, free_since };
        let Some(feed) = self.ties.feed.upgrade() else { return Ok(()) };
        for mut kept in news {
            let Some(info) = infos.get(&kept.info.uid) else { continue };
            // Its name may be another one by now.
            kept.info = Arc::clone(info);
            let _ = feed.blocking_send(Update::Remembered(Box::new(kept)));
        }
        for (instance, history) in histories {
            let _ = feed.blocking_send(Update::History { instance, history: Arc::new(history) });
        }
        Ok(())
    }

    /// The instances of the inventory, or of the recording.
    fn instances(&self) -> Vec<Arc<InstanceInfo>> {
        if let Role::Playing { infos } = &self.role {
            return infos.clone();
        }
        let snapshot = Arc::clone(&self.ties.snapshots.borrow());
        snapshot.instances.iter().map(|i| Arc::clone(&i.info)).collect()
    }

    /// The same by what history knows them by.
    fn infos(&self) -> HashMap<Arc<str>, Arc<InstanceInfo>> {
        self.instances().into_iter().map(|info| (Arc::clone(&info.uid), info)).collect()
    }

    /// Who reads the history of this fleet; opened with the first question.
    fn reader(&mut self) -> Result<&mut Reader, StoreError> {
        if self.reader.is_none()
            && let Some(fleet) = &self.fleet
        {
            self.reader = Some(Reader::open(&fleet.file, fleet.sealer.clone())?);
        }
        self.reader.as_mut().ok_or_else(|| StoreError::NoTenant { name: String::new(), known: Vec::new() })
    }

    /// Why it could not be read. The file is opened anew: it may have been changed under the old reader. And a disk that cannot
    /// be read says so only there: in the middle of a statement SQLite takes it for a damaged file.
    fn unread(&mut self, error: StoreError) -> StoreError {
        self.reader = None;
        self.reader().err().unwrap_or(error)
    }

    /// Writes what was recorded, and lets go of the file. Until it is decided who polls the next fleet, nobody does.
    fn close(&mut self) {
        if self.fleet.take().is_some() {
            self.command(Command::Follow(true));
        }
        self.stop_writing(Role::Idle);
        self.watched.drop_wish();
        self.gone.clear();
        self.said = None;
    }
}

/// Who polls, in words for the header.
fn attached(held: std::io::Result<lock::Held>, folder: &Path, now: Timestamp) -> String {
    let holder = match held {
        Ok(lock::Held::Free) => return "attached · no collector runs: waiting for one".to_owned(),
        Ok(lock::Held::By(holder)) => holder,
        Err(e) => {
            tracing::warn!("looking who collects: {e}");
            None
        }
    };
    // The beat may be that of a collector before this one.
    let of_holder = |b: &heartbeat::Heartbeat| holder.as_ref().is_none_or(|holder| holder.pid == b.pid);
    match (heartbeat::read(folder).ok().flatten().filter(of_holder), &holder) {
        (Some(b), _) if b.age_ms(now) <= BEAT_MS => {
            format!("attached · collector pid {}, {}/{}", b.pid, b.instances.up, b.instances.total)
        }
        (Some(b), _) => format!("attached · collector pid {} does not answer", b.pid),
        (None, Some(holder)) if holder.screen => format!("attached · screen pid {}", holder.pid),
        (None, Some(holder)) => format!("attached · collector pid {} starts", holder.pid),
        (None, None) => "attached · another dbtop collects".to_owned(),
    }
}

fn now() -> Timestamp {
    Timestamp::from_ms(chrono::Utc::now().timestamp_millis())
}

fn take_lock(fleet: &Fleet) -> anyhow::Result<lock::Taken> {
    super::log::make(&fleet.folder)?;
    let version = env!("CARGO_PKG_VERSION").to_owned();
    let holder = lock::Holder { pid: std::process::id(), started_ms: now().ms(), version, screen: true };
    lock::take(&fleet.folder, &holder)
}
