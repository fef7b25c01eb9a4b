//! The election of the process that polls and writes; the others follow it. That process has the collector's lock. A
//! screen takes the lock if it is free, yields it to a collector that asks, and takes it again when none has it for
//! some seconds.

use super::{
    archive::Archive,
    follow,
    relay::Decider,
    trouble::{self, Trouble},
};
use crate::{
    app::{
        attach::{heartbeat, lock},
        clock, configuration,
        module::Links,
    },
    collect::Command,
    model::{base::error::with_causes, inventory::instance::InstanceInfo, judge::health::Level},
    protocol::Reply,
    store::{
        StoreError, disk,
        history::{Event, Marks, Options, StoreHealth, Writer, WriterHandle, WriterStats},
    },
};
use std::{
    sync::Arc,
    time::{Duration, Instant},
};
use tokio::sync::watch;

/// Time that a screen waits for the next collector before it polls itself: one that is updated or restarted is soon back.
const WAIT_FOR_COLLECTOR: Duration = Duration::from_secs(4);

/// The trouble in two words: the lock cannot be read.
const CANNOT_BE_TAKEN: &str = "no lock";

/// The part that this process has.
pub(super) enum Role {
    /// no fleet yet, or one that cannot be kept
    Idle,
    /// we poll and write
    Collecting { writer: WriterHandle, lock: Option<lock::Lock> },
    /// another process does, and we read its writes; the cursor is -1 before anything was read, and nobody has the lock
    /// since then
    Following { cursor: i64, free_since: Option<Instant> },
    /// nobody does: a recording is played, of these instances
    Playing { infos: Vec<Arc<InstanceInfo>> },
}

/// Decides on the [`Role`] and owns its resources.
pub(super) struct Election {
    links: Links,
    role: Role,
    /// where readings go
    readings: Decider,
    /// see [`super::History::figures`]
    tell: watch::Sender<Option<WriterStats>>,
    trouble: Trouble,
    /// the last figures of the store from the collector that we follow
    theirs: Option<heartbeat::StoreFigures>,
}

impl Election {
    /// Idle.
    pub fn new(links: Links, readings: Decider, tell: watch::Sender<Option<WriterStats>>) -> Self {
        Self { links, role: Role::Idle, readings, tell, trouble: Trouble::default(), theirs: None }
    }

    /// The part that this process has.
    pub const fn role(&self) -> &Role {
        &self.role
    }

    /// Polls and writes, or follows the process that does.
    pub fn stand(&mut self, archive: &mut Archive) {
        self.readings.undecided();
        let lock = if self.links.screen.is_none() {
            Ok(None)
        } else {
            match lock::take_for_screen(&archive.location.folder) {
                Ok(lock::Taken::Ours(lock)) => Ok(Some(lock)),
                Ok(lock::Taken::Theirs(_)) => return self.begin_to_follow(archive),
                Err(e) => Err((CANNOT_BE_TAKEN, with_causes(&*e))),
            }
        };
        let started = lock.and_then(|lock| {
            let options = archive.location.within(configuration::history(&self.links.config.borrow()));
            let writer = Writer::start(&archive.location.file, archive.location.sealer.clone(), options);
            let refused = |e: StoreError| (StoreHealth::of(&e).sign(), e.to_string());
            writer.map(|(recorder, writer)| (lock, recorder, writer)).map_err(refused)
        });
        match started {
            Ok((lock, recorder, writer)) => {
                archive.let_go();
                self.role = Role::Collecting { writer, lock };
                self.readings.writer(recorder);
                self.links.command(Command::Follow(false));
                self.links.say(Reply::Collector(None));
                self.trouble.tell(None, &self.links);
            }
            Err((sign, e)) => {
                self.readings.nobody();
                // It polls all the same: the screen needs no history for the present.
                self.links.command(Command::Follow(false));
                self.trouble.tell(Some((sign, format!("no history is kept: {e}"))), &self.links);
            }
        }
    }

    /// Plays a recording: polls, locks and writes nothing.
    pub fn play(&mut self, infos: Vec<Arc<InstanceInfo>>) {
        self.readings.nobody();
        self.role = Role::Playing { infos };
    }

    /// The fleet has no history.
    pub fn keep_nothing(&self) {
        self.readings.nobody();
    }

    /// The configuration changed: keeps history by these settings from now on.
    pub fn keep(&self, options: Options) {
        if let Role::Collecting { writer, .. } = &self.role {
            writer.keep(options);
        }
    }

    /// Once a second.
    pub fn look(&mut self, archive: &mut Archive) {
        match &mut self.role {
            Role::Idle => self.stand(archive),
            Role::Collecting { writer, lock } => {
                if lock.is_some() && lock::is_wanted(&archive.location.folder) {
                    return self.yield_lock(archive);
                }
                let stats = writer.stats.borrow_and_update().clone();
                let trouble =
                    (!stats.health.is_fine()).then(|| (stats.health.sign(), stats.health.words().to_owned()));
                trouble::warn_of_clock(self.tell.borrow().as_ref(), &stats);
                self.tell.send_replace(Some(stats));
                self.trouble.tell(trouble, &self.links);
            }
            Role::Following { .. } => self.follow(archive),
            Role::Playing { .. } => {}
        }
    }

    /// Ends what this process does for the fleet.
    pub fn end(&mut self, archive: &mut Archive) {
        self.stop_writing(archive, Role::Idle);
        self.trouble = Trouble::default();
    }

    /// Writes to the end, releases the lock, and follows the process that takes it.
    fn yield_lock(&mut self, archive: &mut Archive) {
        tracing::info!("a collector asks for the lock: making way");
        self.links.command(Command::Follow(true));
        self.stop_writing(archive, Role::Following { cursor: -1, free_since: Some(Instant::now()) });
        let text = "a collector has started: it polls now, this screen follows it".to_owned();
        self.links.say(Reply::Message { level: Level::Ok, text });
    }

    /// Ends the writer, if there is one; then releases the lock.
    fn stop_writing(&mut self, archive: &mut Archive, next: Role) {
        self.readings.nobody();
        archive.let_go();
        if let Role::Collecting { writer, lock } = std::mem::replace(&mut self.role, next) {
            if let Err(e) = writer.join() {
                tracing::error!("writing the end of the history: {e}");
            }
            drop(lock);
        }
        self.tell.send_replace(None);
    }

    fn begin_to_follow(&mut self, archive: &mut Archive) {
        self.links.command(Command::Follow(true));
        self.readings.nobody();
        self.role = Role::Following { cursor: -1, free_since: None };
        self.follow(archive);
    }

    /// Hands new writes to the reducer and tells who collects. Starts to poll when nobody does any more.
    fn follow(&mut self, archive: &mut Archive) {
        let Role::Following { cursor, free_since } = &mut self.role else { return };
        let folder = archive.location.folder.clone();
        let held = lock::look(&folder);
        if matches!(held, Ok(lock::Held::Free)) {
            let since = free_since.get_or_insert_with(Instant::now);
            if since.elapsed() >= WAIT_FOR_COLLECTOR {
                self.role = Role::Idle;
                return self.stand(archive);
            }
        } else {
            *free_since = None;
        }
        let now = clock::now();
        let beat = heartbeat::read(&folder).ok().flatten();
        self.links.say(Reply::Collector(Some(follow::attached(
            held,
            beat.as_ref(),
            disk::trouble(&folder),
            now,
        ))));
        let done = follow::take_new(archive, &self.links, *cursor, now);
        let done = done.map(|read| *cursor = read);
        let fresh = beat.filter(|beat| follow::is_fresh(beat, now));
        self.theirs = fresh.and_then(|beat| beat.store);
        let theirs = self.theirs.as_ref().and_then(|store| store.problem.clone());
        let theirs = theirs.map(|why| ("the collector says why", why));
        let ours = done.err().map(|e| archive.unread(e));
        let ours = ours.map(|e| (StoreHealth::of(&e).sign(), format!("following the collector: {e}")));
        self.trouble.tell(ours.or(theirs), &self.links);
    }

    /// The figures of the store, whoever writes it. Those of a collector that we follow are returned once.
    pub fn figures(&mut self) -> Option<heartbeat::StoreFigures> {
        match &self.role {
            Role::Collecting { writer, .. } => Some(heartbeat::StoreFigures::from(&*writer.stats.borrow())),
            Role::Following { .. } => self.theirs.take(),
            Role::Idle | Role::Playing { .. } => None,
        }
    }

    /// Writes an event: by the writer if this process has it, else beside the other's.
    pub fn note(&self, archive: &Archive, event: &Event) -> Result<(), StoreError> {
        if let Role::Collecting { writer, .. } = &self.role
            && writer.note(event.clone())
        {
            return Ok(());
        }
        Marks::open(&archive.location.file, archive.location.sealer.clone())?.put(event).map(drop)
    }

    /// The instances of the inventory, or of the recording.
    pub fn instances(&self) -> Vec<Arc<InstanceInfo>> {
        match &self.role {
            Role::Playing { infos } => infos.clone(),
            _ => self.links.instances(),
        }
    }
}
