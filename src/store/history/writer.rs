//! The thread that writes history. It takes batches of readings, commits about once a second, seals and cleans up in
//! between, and reports its figures. It names `sqlite::Engine` because there is one engine: another one would be chosen
//! here. When the disk fails it keeps the newest readings in memory, up to a bound, and tries again by itself. The polls go
//! on, whatever happens here.

use super::{api::Options, sqlite::Engine};
use super::{
    event::Event,
    health::{Patience, StoreHealth},
};
use crate::{
    model::timeline::record::Record,
    store::{
        StoreError,
        clock::{moment, now},
    },
    vault::Sealer,
};
use std::{
    path::Path,
    thread::JoinHandle,
    time::{Duration, Instant},
};
use tokio::{
    runtime,
    sync::{mpsc, watch},
    time::{sleep_until, timeout},
};

/// Batches that wait for the writer. When it is full the sender waits: that is the back-pressure that slows polling, and
/// nothing is dropped here.
pub const QUEUE: usize = 256;
/// Events that the user puts on the time line; one more than this a second is refused.
const NOTES: usize = 16;
/// A killed process loses the readings that were not committed: those of a second at most, the commit itself included.
const COMMIT_EVERY: Duration = Duration::from_millis(750);
/// Sealing and cleaning up stop after so long and go on with the next commit.
const SLICE: Duration = Duration::from_millis(150);

/// The way into the writer: batches of readings.
pub type Recorder = mpsc::Sender<Vec<Record>>;

/// The figures of the writer.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct WriterStats {
    /// the problem of the disk or the file
    pub health: StoreHealth,
    /// readings written since the start
    pub rows: u64,
    /// points of these readings
    pub points: u64,
    /// readings written in the last second
    pub rows_per_s: f64,
    /// points written in the last second
    pub points_per_s: f64,
    /// batches that wait
    pub queue: usize,
    /// readings that wait for the disk
    pub backlog: usize,
    /// readings that were lost because the disk failed for too long
    pub lost: u64,
    /// how long the newest commit took, ms
    pub commit_ms: f64,
    /// something waits for the disk since then
    pub waits_since: Option<Instant>,
    /// the newest commit; 0: none yet. Milliseconds since 1970
    pub committed_at_ms: i64,
    /// the file and its log, bytes
    pub size_bytes: u64,
    /// the cap, bytes
    pub max_bytes: u64,
    /// series
    pub series: usize,
    /// the cap deleted everything before this earlier than configured, ms since 1970; 0: nothing
    pub evicted_until_ms: i64,
    /// the clock is so far ahead of the history that nothing is deleted by it, ms; None: it is believed
    pub clock_ahead_ms: Option<u64>,
    /// sealing or cleaning up is behind
    pub behind: bool,
}

/// The running writer.
pub struct WriterHandle {
    /// its figures, new every second
    pub stats: watch::Receiver<WriterStats>,
    notes: mpsc::Sender<Event>,
    options: watch::Sender<Options>,
    thread: JoinHandle<Result<(), StoreError>>,
}

/// Starts writers.
pub struct Writer;

impl Writer {
    /// Opens or makes the history at `path` and starts its writer. It ends when all [`Recorder`]s are gone.
    ///
    /// # Errors
    /// Those of [`Engine::open`]; no thread can be had.
    pub fn start(
        path: &Path,
        sealer: Option<Sealer>,
        options: Options,
    ) -> Result<(Recorder, WriterHandle), StoreError> {
        let (wish, wanted) = watch::channel(options.clone());
        let mut engine = Engine::open(path, sealer, options)?;
        // Before the first row, because its clock may be in doubt.
        engine.judge(moment())?;
        let failed = || StoreError::io("starting the writer of", path);
        let runtime = runtime::Builder::new_current_thread().enable_time().build().map_err(failed())?;
        let (recorder, batches) = mpsc::channel(QUEUE);
        let (notes, from_user) = mpsc::channel(NOTES);
        let (tell, stats) = watch::channel(WriterStats::default());
        let work = Work {
            engine,
            batches,
            from_user,
            wanted,
            tell,
            stats: WriterStats::default(),
            patience: Patience::default(),
            next_try: Instant::now(),
        };
        let thread = std::thread::Builder::new()
            .name("history".to_owned())
            .spawn(move || runtime.block_on(work.run()))
            .map_err(failed())?;
        Ok((recorder, WriterHandle { stats, notes, options: wish, thread }))
    }
}

impl WriterHandle {
    /// Puts an event on the time line. False: too many wait already, or the writer has ended.
    pub fn note(&self, event: Event) -> bool {
        self.notes.try_send(event).is_ok()
    }

    /// Keeps history so from the next commit on.
    pub fn keep(&self, options: Options) {
        self.options.send_replace(options);
    }

    /// Waits until it has written everything and ended. Drop all [`Recorder`]s first.
    ///
    /// # Errors
    /// The readings that were taken last cannot be written.
    pub fn join(self) -> Result<(), StoreError> {
        drop(self.notes);
        self.thread.join().unwrap_or(Ok(()))
    }
}

struct Work {
    engine: Engine,
    batches: mpsc::Receiver<Vec<Record>>,
    from_user: mpsc::Receiver<Event>,
    wanted: watch::Receiver<Options>,
    tell: watch::Sender<WriterStats>,
    stats: WriterStats,
    patience: Patience,
    next_try: Instant,
}

impl Work {
    async fn run(mut self) -> Result<(), StoreError> {
        let mut due = Instant::now() + COMMIT_EVERY;
        loop {
            let open = self.collect(due).await;
            due = Instant::now() + COMMIT_EVERY;
            self.write();
            if !open {
                return self.end();
            }
        }
    }

    /// Takes batches until the next commit is due. False: all senders are gone.
    async fn collect(&mut self, due: Instant) -> bool {
        loop {
            match timeout(due.saturating_duration_since(Instant::now()), self.batches.recv()).await {
                Ok(Some(batch)) => {
                    self.engine.take(batch);
                    // A flood must not put the commit off: a reading is written within a second.
                    if Instant::now() >= due {
                        break;
                    }
                }
                Ok(None) => {
                    self.take_notes();
                    return false;
                }
                Err(_) => break,
            }
        }
        sleep_until(due.into()).await;
        self.take_notes();
        true
    }

    fn take_notes(&mut self) {
        while let Ok(event) = self.from_user.try_recv() {
            self.engine.note(event);
        }
    }

    /// Commits, seals, cleans up, and reports the result.
    fn write(&mut self) {
        let started = Instant::now();
        if started >= self.next_try {
            match self.try_twice() {
                Ok(()) => {
                    self.patience.worked();
                    self.stats.health = StoreHealth::Fine;
                }
                Err(error) => {
                    self.stats.health = StoreHealth::of(&error);
                    self.stats.rows_per_s = 0.0;
                    self.stats.points_per_s = 0.0;
                    self.next_try = Instant::now() + self.patience.failed();
                }
            }
        }
        self.stats.queue = self.batches.len();
        self.stats.backlog = self.engine.backlog();
        let since = self.stats.waits_since.unwrap_or(started);
        self.stats.waits_since = (self.stats.backlog > 0).then_some(since);
        self.stats.lost = self.engine.lost;
        self.stats.series = self.engine.series_count();
        self.stats.size_bytes = self.engine.size_bytes();
        self.stats.max_bytes = self.engine.max_bytes();
        self.stats.evicted_until_ms = self.engine.evicted_until_ms();
        self.stats.clock_ahead_ms = self.engine.clock_ahead_ms();
        self.tell.send_replace(self.stats.clone());
    }

    /// The first failure may be of the handle alone. A handle reports a file system that has become read-only as an error
    /// of input and output, and in the middle of a statement SQLite takes a disk that cannot be read for a damaged file. So
    /// the commit is tried again at once with a new handle, whose error says more.
    fn try_twice(&mut self) -> Result<(), StoreError> {
        let first = !self.patience.is_failing();
        match self.try_to_write() {
            Err(error)
                if first
                    && matches!(
                        StoreHealth::of(&error),
                        StoreHealth::Failing(_) | StoreHealth::Damaged(_)
                    ) =>
            {
                self.patience.failed();
                self.try_to_write()
            }
            done => done,
        }
    }

    fn try_to_write(&mut self) -> Result<(), StoreError> {
        if self.patience.is_failing() {
            // The old handle may be of a file that was deleted.
            self.engine.reopen()?;
        }
        if self.wanted.has_changed().unwrap_or(false) {
            let options = self.wanted.borrow_and_update().clone();
            self.engine.take_options(options)?;
        }
        let started = Instant::now();
        let done = match self.engine.commit() {
            // At the cap the oldest rows are deleted, which makes room. A full disk stays full.
            Err(error) if matches!(StoreHealth::of(&error), StoreHealth::Full(_)) => {
                self.engine.housekeep(moment(), SLICE)?;
                self.engine.commit()?
            }
            done => done?,
        };
        self.stats.commit_ms = started.elapsed().as_secs_f64() * 1000.0;
        self.stats.committed_at_ms = now().ms();
        self.stats.rows += done.rows;
        self.stats.points += done.points;
        self.stats.rows_per_s = done.rows as f64 / COMMIT_EVERY.as_secs_f64();
        self.stats.points_per_s = done.points as f64 / COMMIT_EVERY.as_secs_f64();
        let (sealed, cleaned) = self.engine.housekeep(moment(), SLICE)?;
        self.stats.behind = sealed.more || cleaned.more;
        Ok(())
    }

    fn end(mut self) -> Result<(), StoreError> {
        if self.patience.is_failing() {
            self.engine.reopen()?;
        }
        self.engine.close()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{
        base::time::Timestamp,
        inventory::instance::InstanceInfo,
        poll::{State, headline::Headline, id::ProbeId},
        timeline::record::Recorded,
    };
    use std::sync::Arc;

    fn polled(nth: i64) -> Record {
        let headline = Headline { cpu_pct: Some(5.0), batches_per_s: Some(7.0), ..Headline::default() };
        let state = Ok(State::Headline(Box::new(headline)));
        let what = Recorded::Reading { probe: ProbeId::Headline, every_ms: 1_000, state };
        let at = Timestamp::from_ms(now().ms() / 1000 * 1000 + nth);
        Record { info: Arc::new(InstanceInfo::named("a")), at, what }
    }

    /// A writer that works when it is told to.
    fn work(folder: &Path) -> Work {
        let engine = Engine::open(&folder.join("history.db"), None, Options::default()).unwrap();
        Work {
            engine,
            batches: mpsc::channel(QUEUE).1,
            from_user: mpsc::channel(NOTES).1,
            wanted: watch::channel(Options::default()).1,
            tell: watch::channel(WriterStats::default()).0,
            stats: WriterStats::default(),
            patience: Patience::default(),
            next_try: Instant::now(),
        }
    }

    #[test]
    fn what_is_written_is_told_in_all_and_by_the_second() {
        let folder = tempfile::tempdir().unwrap();
        let mut work = work(folder.path());
        work.engine.take((0..3).map(polled).collect());
        work.write();
        let told = work.stats.clone();
        let series = told.series as u64;
        assert!(series >= 2, "{told:?}");
        assert_eq!((told.rows, told.points, told.backlog), (3, 3 * series, 0));
        let points_per_s = 4.0 * told.series as f64;
        assert_eq!(
            (told.rows_per_s, told.points_per_s),
            (4.0, points_per_s),
            "in three quarters of a second"
        );
        assert!(told.health.is_fine() && told.committed_at_ms > 0 && told.size_bytes > 0, "{told:?}");
        work.engine.take(vec![polled(9)]);
        work.write();
        assert_eq!((work.stats.rows, work.stats.points, work.stats.waits_since), (4, 4 * series, None));
    }

    #[test]
    fn what_a_new_handle_does_not_help_is_not_tried_twice_at_once() {
        let folder = tempfile::tempdir().unwrap();
        let mut work = work(folder.path());
        work.engine.refuse_rows();
        work.engine.take(vec![polled(0)]);
        work.write();
        assert!(matches!(work.stats.health, StoreHealth::Refused(_)), "{:?}", work.stats.health);
        assert_eq!((work.stats.backlog, work.stats.rows), (1, 0));
        let since = work.stats.waits_since;
        assert!(since.is_some());
        work.write();
        assert_eq!((work.stats.backlog, work.stats.waits_since), (1, since), "it waits for its time");
        work.next_try = Instant::now();
        work.write();
        assert!(work.stats.health.is_fine(), "{:?}", work.stats.health);
        assert_eq!((work.stats.backlog, work.stats.rows, work.stats.waits_since), (0, 1, None));
    }
}
