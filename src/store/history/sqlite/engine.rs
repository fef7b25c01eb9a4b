//! The engine takes readings and commits them to the write buffer, with their points, texts and events, all or nothing.
//! Time is an argument, so tests and generators choose their own; `writer` runs the engine on a thread with the clock of
//! the machine. `seal`, `retain` and `housekeeping` are the rest of it.
//!
//! Readings that were not committed stay in [`Engine::backlog`], up to a bound. Beyond it the oldest are dropped and
//! counted.

use super::{
    aging::Aging,
    event_rows::{Told, open_events, put_event, told},
    failure::Trouble,
    file::check_key,
    names::Names,
    progress::{Cleaning, Sealed},
    schema,
};
use crate::store::history::{
    api::{Committed, Options},
    codec::{
        blobs::{Blobs, Of},
        block::Press,
        pack, points,
    },
    event::{Event, event_no},
    tracker::Tracker,
};
use crate::{
    model::{
        base::time::Timestamp,
        poll::id::Metric,
        timeline::{
            chart::MarkKind,
            event::What,
            record::{Record, Slot},
        },
    },
    store::StoreError,
    vault::Sealer,
};
use rusqlite::{Connection, Transaction, TransactionBehavior, params};
use std::{
    collections::{HashMap, VecDeque},
    path::{Path, PathBuf},
    sync::Arc,
};

/// Rows of one transaction. More are split, so that readers of the log are never far behind.
const MAX_ROWS: usize = 20_000;
/// A time without rows that is longer than this, ms, was without a collector.
const GAP_MS: i64 = 180_000;

/// What servers keep of the past is read again after a start, so far back: the default trace has some weeks.
const READ_AGAIN_MS: i64 = 40 * 86_400_000;

/// The history's writer. One a file ([`Engine::open`] sees to it).
pub struct Engine {
    pub(super) path: PathBuf,
    pub(super) connection: Connection,
    pub(super) blobs: Blobs,
    pub(super) press: Press,
    pub(super) options: Options,
    pub(super) names: Names,
    pub(super) sealed: HashMap<u32, Sealed>,
    pub(super) cleaning: Cleaning,
    pub(super) aging: Aging,
    /// the names are those of a transaction that failed
    stale: bool,
    pub(super) tracker: Tracker,
    backlog: VecDeque<Record>,
    backlog_bytes: usize,
    pub(super) events: Vec<Event>,
    pub(super) newest_at: Option<i64>,
    /// events come from elsewhere
    copying: bool,
    /// readings that were lost because the disk failed for too long
    pub lost: u64,
    _lock: crate::store::lock::WriteLock,
}

impl Engine {
    /// Opens or makes the history at `path`. With a sealer, names, readings, texts and events are sealed.
    ///
    /// # Errors
    /// [`StoreError::Busy`] if another process writes it; it is sealed with another key, or in the open and a key is given, or
    /// the other way round; those of opening.
    pub fn open(path: &Path, sealer: Option<Sealer>, options: Options) -> Result<Self, StoreError> {
        let lock = lock(path)?;
        let connection = schema::open_or_create(path, schema::STEPS)?;
        let blobs = Blobs::new(sealer);
        check_key(&connection, &blobs, path, true)?;
        let mut engine = Self {
            path: path.to_owned(),
            connection,
            blobs,
            press: Press::default(),
            options,
            names: Names::default(),
            sealed: HashMap::new(),
            cleaning: Cleaning::default(),
            aging: Aging::default(),
            stale: true,
            tracker: Tracker::default(),
            backlog: VecDeque::new(),
            backlog_bytes: 0,
            events: Vec::new(),
            newest_at: None,
            copying: false,
            lost: 0,
            _lock: lock,
        };
        engine.limit_size()?;
        engine.refresh()?;
        engine.aging = Aging::load(&engine.connection, path)?;
        engine.newest_at = engine.newest_row(engine.aging.newest_possible())?;
        engine.resume_episodes()?;
        Ok(engine)
    }

    /// The hard cap, with room for what is sealed before anything can be evicted.
    fn limit_size(&self) -> Result<(), StoreError> {
        let failed = || StoreError::sqlite("opening the history", &self.path);
        let page: i64 =
            self.connection.query_row("PRAGMA page_size", [], |row| row.get(0)).map_err(failed())?;
        let most = i64::try_from(self.options.max_bytes).unwrap_or(i64::MAX);
        let pages = (most / page.max(1)).clamp(64, i64::from(u32::MAX - 1));
        self.connection
            .query_row(&format!("PRAGMA max_page_count = {pages}"), [], |_| Ok(()))
            .map_err(failed())
    }

    /// Uses these options from now on.
    ///
    /// # Errors
    /// The new cap cannot be set.
    pub fn take_options(&mut self, options: Options) -> Result<(), StoreError> {
        self.options = options;
        self.cleaning = Cleaning::default();
        self.limit_size()
    }

    /// Opens the file anew: after an error of the disk the old handle may be of no use any more.
    ///
    /// # Errors
    /// As [`Engine::open`].
    pub fn reopen(&mut self) -> Result<(), StoreError> {
        self.connection = schema::open_or_create(&self.path, schema::STEPS)?;
        check_key(&self.connection, &self.blobs, &self.path, true)?;
        self.limit_size()?;
        self.stale = true;
        Ok(())
    }

    fn refresh(&mut self) -> Result<(), StoreError> {
        if self.stale {
            self.names = Names::load(&self.connection, &self.blobs, &self.path)?;
            self.stale = false;
        }
        Ok(())
    }

    /// The time of the newest row up to `until`: not one of a clock that was ahead for a while.
    pub(super) fn newest_row(&self, until: i64) -> Result<Option<i64>, StoreError> {
        self.connection
            .query_row(
                "SELECT max(at) FROM (SELECT max(at) AS at FROM hot WHERE at <= ?1
                    UNION ALL SELECT max(end) FROM state WHERE end <= ?1)",
                [until],
                |row| row.get(0),
            )
            .map_err(StoreError::sqlite("reading the history", &self.path))
    }

    /// Episodes and incidents that were open when the last writer ended go on, or end when they were seen last.
    fn resume_episodes(&mut self) -> Result<(), StoreError> {
        let doing = "reading open episodes of the history";
        let open = open_events(&self.connection, &self.blobs, self.newest_at)
            .map_err(Trouble::at(doing, &self.path))?;
        self.tracker.resume(open);
        if let Some(newest) = self.newest_at {
            let doing = "reading what the history told last";
            let since = Timestamp::from_ms(newest).plus_ms(-READ_AGAIN_MS);
            let Told { growths, deadlocks } =
                told(&self.connection, &self.blobs, since).map_err(Trouble::at(doing, &self.path))?;
            self.tracker.was_told(growths, &deadlocks);
        }
        Ok(())
    }

    /// The number of readings that wait for a commit.
    pub fn backlog(&self) -> usize {
        self.backlog.len()
    }

    /// The number of series.
    pub fn series_count(&self) -> usize {
        self.names.series_count()
    }

    /// From now on it takes copies of another history: events are copied, too, and not made anew.
    pub(super) fn only_copies(&mut self) {
        self.copying = true;
    }

    /// The cap of the file, bytes.
    pub fn max_bytes(&self) -> u64 {
        self.options.max_bytes
    }

    /// How far the clock is ahead of the believed time, ms. None: it is not in doubt.
    pub fn clock_ahead_ms(&self) -> Option<u64> {
        self.aging.ahead_ms
    }

    /// Takes readings. [`Engine::commit`] writes them.
    pub fn take(&mut self, batch: Vec<Record>) {
        for kept in batch {
            if !self.copying {
                self.note_gap(kept.at.ms());
                self.tracker.follow(&kept, &mut |event| self.events.push(event));
            }
            self.backlog_bytes += kept.what.weight_bytes();
            self.backlog.push_back(kept);
        }
        while self.backlog_bytes > self.options.backlog_bytes
            && let Some(oldest) = self.backlog.pop_front()
        {
            self.backlog_bytes = self.backlog_bytes.saturating_sub(oldest.what.weight_bytes());
            self.lost += 1;
        }
    }

    /// Puts an event on the time line; written with the next commit.
    pub fn note(&mut self, event: Event) {
        let is_incident = event.kind == MarkKind::Incident && !self.copying;
        self.events.push(if is_incident { self.tracker.freeze(event) } else { event });
    }

    fn note_gap(&mut self, at: i64) {
        let Some(began) = self.aging.first_of(at) else { return };
        if let Some(newest) = self.newest_at
            && began.saturating_sub(newest) > GAP_MS
        {
            self.events.push(Event {
                no: event_no(),
                uid: None,
                kind: MarkKind::Gap,
                at: Timestamp::from_ms(newest),
                to: Some(Timestamp::from_ms(began)),
                what: What::Gap(began - newest),
                episode: None,
            });
        }
        self.newest_at = self.newest_at.max(Some(at));
    }

    /// Writes all waiting readings, in transactions of a bounded size. Those that were not written stay for the next try.
    ///
    /// # Errors
    /// The disk is full, read-only, broken, or the file is damaged.
    pub fn commit(&mut self) -> Result<Committed, StoreError> {
        let mut done = Committed::default();
        while !self.backlog.is_empty() || !self.events.is_empty() {
            self.refresh()?;
            let rows = self.backlog.len().min(MAX_ROWS);
            match self.write(rows) {
                Ok(points) => {
                    done.rows += rows as u64;
                    done.points += points;
                    for kept in self.backlog.drain(..rows) {
                        self.backlog_bytes = self.backlog_bytes.saturating_sub(kept.what.weight_bytes());
                    }
                    self.events.clear();
                }
                Err(trouble) => {
                    self.stale = true;
                    return Err(Trouble::at("writing the history", &self.path)(trouble));
                }
            }
        }
        Ok(done)
    }

    fn write(&mut self, rows: usize) -> Result<u64, Trouble> {
        let transaction = self.connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let mut points = 0;
        for kept in self.backlog.iter().take(rows) {
            points += write_row(&transaction, &mut self.names, &self.blobs, kept)?;
        }
        for event in &self.events {
            let instance = event.uid.as_ref().and_then(|uid| self.names.number(uid)).unwrap_or(0);
            put_event(&transaction, &self.blobs, instance, event)?;
        }
        transaction.commit()?;
        Ok(points)
    }

    /// Ends in order: commits, and brings the log into the file.
    ///
    /// # Errors
    /// As [`Engine::commit`].
    pub fn close(mut self) -> Result<(), StoreError> {
        self.commit()?;
        self.aging.remember(&self.connection, &self.path)?;
        let _ = self.connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()));
        self.connection
            .close()
            .map_err(|(_, error)| StoreError::sqlite("closing the history", &self.path)(error))
    }
}

fn write_row(to: &Transaction<'_>, names: &mut Names, blobs: &Blobs, kept: &Record) -> Result<u64, Trouble> {
    let at = kept.at.ms();
    let instance = names.instance(to, blobs, &kept.info, at)?;
    let points = points_of(to, names, blobs, kept)?;
    let mut texts: Vec<Arc<_>> = Vec::new();
    kept.what.each_statement(&mut |statement| texts.push(statement.text.clone()));
    for text in texts {
        names.text(to, blobs, &text, at)?;
    }
    let blob = blobs.close(Of::Buffered(instance, at), &pack::bytes(&kept.what))?;
    let (count, points) = points.map_or((0, None), |(count, points)| (count, Some(points)));
    to.prepare_cached("INSERT INTO hot(instance, at, slot, blob, points) VALUES (?1, ?2, ?3, ?4, ?5)")?
        .execute(params![instance, at, kept.what.slot().code(), blob, points])?;
    Ok(count)
}

/// The points of a row: their number, and their bytes. None: the row has no place in a chart.
fn points_of(
    to: &Transaction<'_>,
    names: &mut Names,
    blobs: &Blobs,
    kept: &Record,
) -> Result<Option<(u64, Vec<u8>)>, Trouble> {
    if !matches!(kept.what.slot(), Slot::Value(_) | Slot::Health) {
        return Ok(None);
    }
    let Some(mut series) = names.series_of(&kept.info.uid) else { return Ok(None) };
    let mut numbers: Vec<(u32, i64)> = Vec::with_capacity(32);
    let (mut trouble, mut told) = (None, false);
    kept.what.points(&mut |metric: Metric, key, value| {
        told = true;
        let Some(steps) = value.and_then(|value| metric.to_steps(value)) else { return };
        match series.number(to, blobs, metric, key) {
            Ok(Some(series)) => numbers.push((series, steps)),
            Ok(None) => {}
            Err(error) => trouble = Some(error),
        }
    });
    if let Some(trouble) = trouble {
        return Err(trouble);
    }
    // A poll whose figures were all unknown is a time without values. A reading without figures is none.
    if !told || numbers.is_empty() && kept.what.slot() == Slot::Health {
        return Ok(None);
    }
    numbers.sort_unstable_by_key(|(series, _)| *series);
    Ok(Some((numbers.len() as u64, points::encode(&numbers))))
}

/// Takes the lock of a history: one writer, whatever the process. The lock ends with its holder.
pub(super) fn lock(path: &Path) -> Result<crate::store::lock::WriteLock, StoreError> {
    let file = lock_file(path);
    let what = format!("the history {}", path.display());
    crate::store::lock::WriteLock::take(&file, &what, std::time::Duration::from_millis(500))
}

/// The path of the lock of a history.
pub(super) fn lock_file(path: &Path) -> PathBuf {
    path.with_extension("lock")
}
