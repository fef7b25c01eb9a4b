//! The one who reads: a read-only connection with short transactions, which never stands in the writer's way. States at an
//! instant, what happened between two, texts, what is new for an attached screen. `chart` draws from it, `events` lists.
//! Blocks: call it off the async threads.

use super::{engine::check_key, names::Trouble, schema, seal::BLOCK_MS};
use crate::store::history::{
    api::{Followed, Past},
    codec::{
        blobs::{Blobs, Of},
        block::{Block, Entry, Press},
        numbers::Garbled,
        pack,
    },
};
use crate::{
    model::{
        base::time::Timestamp,
        inventory::instance::InstanceInfo,
        poll::statement::{SqlText, TextId},
        timeline::kept::{Happened, Kept},
    },
    store::StoreError,
    vault::Sealer,
};
use rusqlite::{Connection, OptionalExtension, params};
use std::{
    collections::{BTreeMap, HashMap},
    path::{Path, PathBuf},
    sync::Arc,
};

/// Texts that are kept unpacked; then the oldest go, all together.
const MAX_TEXTS: usize = 8192;
/// Rows that [`Reader::follow`] gives at once.
const FOLLOW_ROWS: usize = 5000;

/// A history, to be read.
pub struct Reader {
    pub(super) path: PathBuf,
    pub(super) connection: Connection,
    pub(super) blobs: Blobs,
    press: Press,
    texts: HashMap<TextId, Option<Arc<SqlText>>>,
    infos: HashMap<(u32, i64), Arc<InstanceInfo>>,
    /// for `crowd`
    pub(super) others: Vec<Self>,
}

impl Reader {
    /// Opens the history at `path`.
    ///
    /// # Errors
    /// It is not there, not ours, of another version, damaged, or sealed with another key.
    pub fn open(path: &Path, sealer: Option<Sealer>) -> Result<Self, StoreError> {
        let connection = schema::open_to_read(path)?;
        let blobs = Blobs::new(sealer);
        check_key(&connection, &blobs, path, false)?;
        Ok(Self::new(path, connection, blobs))
    }

    fn new(path: &Path, connection: Connection, blobs: Blobs) -> Self {
        let (texts, infos, press) = (HashMap::new(), HashMap::new(), Press::default());
        Self { path: path.to_owned(), connection, blobs, press, texts, infos, others: Vec::new() }
    }

    /// One more of the same file.
    pub(super) fn another(&self) -> Result<Self, StoreError> {
        let connection = schema::open_to_read(&self.path)?;
        Ok(Self::new(&self.path, connection, self.blobs.clone()))
    }

    /// The file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    pub(super) fn failed(&self) -> impl FnOnce(Trouble) -> StoreError {
        Trouble::at("reading the history", &self.path)
    }

    pub(super) fn number(&self, uid: &str) -> Result<Option<u32>, Trouble> {
        Ok(self
            .connection
            .prepare_cached("SELECT no FROM instance WHERE uid = ?1")?
            .query_row([uid], |row| row.get(0))
            .optional()?)
    }

    /// Every instance that history knows, as it was last.
    ///
    /// # Errors
    /// The file cannot be read.
    pub fn instances(&mut self) -> Result<Vec<Arc<InstanceInfo>>, StoreError> {
        let read = |reader: &mut Self| -> Result<Vec<Arc<InstanceInfo>>, Trouble> {
            let known: Vec<(u32, Arc<str>)> = reader
                .connection
                .prepare_cached("SELECT no, uid FROM instance ORDER BY no")?
                .query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?
                .collect::<Result<_, _>>()?;
            known.into_iter().filter_map(|(no, uid)| reader.info(no, &uid, i64::MAX).transpose()).collect()
        };
        read(self).map_err(Trouble::at("reading the history", &self.path))
    }

    /// An instance as it was then; as it was first, if that was later.
    fn info(&mut self, no: u32, uid: &Arc<str>, at: i64) -> Result<Option<Arc<InstanceInfo>>, Trouble> {
        let since: Option<i64> = self
            .connection
            .prepare_cached(
                "SELECT coalesce((SELECT max(since) FROM info WHERE instance = ?1 AND since <= ?2),
                    (SELECT min(since) FROM info WHERE instance = ?1))",
            )?
            .query_row(params![no, at], |row| row.get(0))?;
        let Some(since) = since else { return Ok(None) };
        if let Some(info) = self.infos.get(&(no, since)) {
            return Ok(Some(info.clone()));
        }
        let blob: Vec<u8> = self
            .connection
            .prepare_cached("SELECT blob FROM info WHERE instance = ?1 AND since = ?2")?
            .query_row(params![no, since], |row| row.get(0))?;
        let plain = self.blobs.open(Of::Info(no, since), &blob);
        let Ok(info) = plain.and_then(|plain| pack::info(uid.clone(), &plain)) else { return Ok(None) };
        let info = Arc::new(info);
        self.infos.insert((no, since), info.clone());
        Ok(Some(info))
    }

    /// The state of instances at an instant: of every slot the newest at or before it, in the order of time for each
    /// instance. Texts are in their places. An instance that history does not know gives nothing.
    ///
    /// # Errors
    /// The file cannot be read at all. What is damaged in it is in [`Past::damaged`].
    pub fn state_at(&mut self, uids: &[Arc<str>], at: Timestamp) -> Result<Past, StoreError> {
        let parts = self.share(uids, |reader, uids| reader.state_of(uids, at))?;
        let mut past = Past::default();
        for mut part in parts {
            past.kept.append(&mut part.kept);
            past.damaged.append(&mut part.damaged);
        }
        Ok(past)
    }

    /// The same by this reader alone.
    pub(super) fn state_of(&mut self, uids: &[Arc<str>], at: Timestamp) -> Result<Past, StoreError> {
        let mut past = Past::default();
        let read = |reader: &mut Self, past: &mut Past| -> Result<(), Trouble> {
            // One snapshot of the file for all of them: nothing is sealed away between two questions.
            reader.connection.execute_batch("BEGIN")?;
            let done = uids.iter().try_for_each(|uid| reader.moment_of(uid, at.ms(), past));
            // Nothing was written. To commit would tell an error of before once more, and after one there may be nothing to end.
            let _ = reader.connection.execute_batch("ROLLBACK");
            done
        };
        read(self, &mut past).map_err(Trouble::at("reading the history", &self.path))?;
        Ok(past)
    }

    /// What is on a damaged page is missing; the others' is not.
    fn moment_of(&mut self, uid: &Arc<str>, at: i64, past: &mut Past) -> Result<(), Trouble> {
        let Err(trouble) = self.moment(uid, at, past) else { return Ok(()) };
        if !trouble.is_damage() {
            return Err(trouble);
        }
        let no = self.number(uid).ok().flatten();
        let info = no.and_then(|no| self.info(no, uid, at).ok().flatten());
        let name = info.map_or_else(|| format!("instance {uid}"), |info| info.id.to_string());
        past.damaged.push(format!("all of {name}"));
        Ok(())
    }

    fn moment(&mut self, uid: &Arc<str>, at: i64, past: &mut Past) -> Result<(), Trouble> {
        let Some(no) = self.number(uid)? else { return Ok(()) };
        let Some(info) = self.info(no, uid, at)? else {
            past.damaged.push(format!("the name of instance {uid}"));
            return Ok(());
        };
        let mut newest: BTreeMap<u8, Entry> = BTreeMap::new();
        match self.sealed_moment(no, at)? {
            Ok(entries) => newest.extend(entries.into_iter().map(|entry| (entry.slot, entry))),
            Err(Garbled) => past.damaged.push(format!("15 min of {}", info.id)),
        }
        let (hot, garbled) = self.hot_moment(no, at)?;
        past.damaged.extend((0..garbled).map(|_| format!("a reading of {}", info.id)));
        for entry in hot {
            if newest.get(&entry.slot).is_none_or(|sealed| sealed.at <= entry.at) {
                newest.insert(entry.slot, entry);
            }
        }
        let mut entries: Vec<Entry> = newest.into_values().collect();
        entries.sort_by_key(|entry| entry.at);
        self.unpack(&info, entries, past)
    }

    fn unpack(
        &mut self,
        info: &Arc<InstanceInfo>,
        entries: Vec<Entry>,
        past: &mut Past,
    ) -> Result<(), Trouble> {
        for entry in entries {
            match pack::happened(&entry.bytes) {
                Ok(mut what) => {
                    self.lend(&mut what)?;
                    past.kept.push(Kept { info: info.clone(), at: Timestamp::from_ms(entry.at), what });
                }
                Err(Garbled) => past.damaged.push(format!("a reading of {}", info.id)),
            }
        }
        Ok(())
    }

    fn sealed_moment(&mut self, no: u32, at: i64) -> Result<Result<Vec<Entry>, Garbled>, Trouble> {
        let found: Option<(i64, Vec<u8>)> = self
            .connection
            .prepare_cached(
                "SELECT start, blob FROM state WHERE instance = ?1 AND start <= ?2 ORDER BY start DESC, no DESC LIMIT 1",
            )?
            .query_row(params![no, at], |row| Ok((row.get(0)?, row.get(1)?)))
            .optional()?;
        let Some((start, blob)) = found else { return Ok(Ok(Vec::new())) };
        let plain = self.blobs.open(Of::State(no, start), &blob);
        Ok(plain.and_then(|plain| Block::read(&plain)?.newest_at(at, &mut self.press)))
    }

    /// The newest of each slot, and how many of them cannot be opened: the sealed one before stands in.
    fn hot_moment(&self, no: u32, at: i64) -> Result<(Vec<Entry>, usize), Trouble> {
        let mut newest: BTreeMap<u8, i64> = BTreeMap::new();
        let mut statement = self.connection.prepare_cached(
            "SELECT slot, no FROM hot WHERE instance = ?1 AND at <= ?2 ORDER BY at DESC, no DESC",
        )?;
        let mut rows = statement.query(params![no, at])?;
        while let Some(row) = rows.next()? {
            let row_no = row.get(1)?;
            newest.entry(row.get(0)?).or_insert(row_no);
        }
        let mut one = self.connection.prepare_cached("SELECT at, blob FROM hot WHERE no = ?1")?;
        let (mut found, mut garbled) = (Vec::with_capacity(newest.len()), 0);
        for (slot, row) in newest {
            let (at, blob): (i64, Vec<u8>) = one.query_row([row], |row| Ok((row.get(0)?, row.get(1)?)))?;
            match self.blobs.open(Of::Hot(no, at), &blob) {
                Ok(bytes) => found.push(Entry { slot, at, bytes }),
                Err(Garbled) => garbled += 1,
            }
        }
        Ok((found, garbled))
    }

    /// Everything that happened to an instance later than `after` and not later than `until`, in the order of time.
    ///
    /// # Errors
    /// As [`Reader::state_at`].
    pub fn between(
        &mut self,
        uid: &Arc<str>,
        after: Timestamp,
        until: Timestamp,
    ) -> Result<Past, StoreError> {
        let mut past = Past::default();
        let read = |reader: &mut Self, past: &mut Past| -> Result<(), Trouble> {
            reader.connection.execute_batch("BEGIN")?;
            let done = reader.read_between(uid, (after.ms(), until.ms()), past);
            let _ = reader.connection.execute_batch("ROLLBACK");
            done
        };
        read(self, &mut past).map_err(Trouble::at("reading the history", &self.path))?;
        Ok(past)
    }

    fn read_between(
        &mut self,
        uid: &Arc<str>,
        (after, until): (i64, i64),
        past: &mut Past,
    ) -> Result<(), Trouble> {
        let Some(no) = self.number(uid)? else { return Ok(()) };
        let Some(info) = self.info(no, uid, until)? else {
            past.damaged.push(format!("the name of instance {uid}"));
            return Ok(());
        };
        let mut entries = Vec::new();
        // What lies on a damaged page is missing; the rest is not.
        let mut told = |read: Result<(), Trouble>, of: &str| match read {
            Err(trouble) if trouble.is_damage() => {
                past.damaged.push(format!("{of} of {}", info.id));
                Ok(())
            }
            read => read,
        };
        for block in self.blocks_between(no, after, until)? {
            told(self.block_between(no, block, (after, until), &mut entries), "15 min")?;
        }
        told(self.hot_between(no, (after, until), &mut entries), "the newest readings")?;
        entries.sort_by_key(|entry| entry.at);
        self.unpack(&info, entries, past)
    }

    fn blocks_between(&self, no: u32, after: i64, until: i64) -> Result<Vec<i64>, Trouble> {
        // Told by the index alone, so that a damaged row hides none of the others. No block is longer than this.
        let sql =
            "SELECT no FROM state WHERE instance = ?1 AND start <= ?2 AND start > ?3 ORDER BY start, no";
        let mut statement = self.connection.prepare_cached(sql)?;
        let first = after.saturating_sub(BLOCK_MS);
        let found = statement.query_map(params![no, until, first], |row| row.get(0))?;
        Ok(found.collect::<Result<_, _>>()?)
    }

    fn block_between(
        &mut self,
        no: u32,
        block: i64,
        (after, until): (i64, i64),
        entries: &mut Vec<Entry>,
    ) -> Result<(), Trouble> {
        let garbled = || Trouble::Damaged("a block of states");
        let (start, blob): (i64, Vec<u8>) = self
            .connection
            .prepare_cached("SELECT start, blob FROM state WHERE no = ?1")?
            .query_row([block], |row| Ok((row.get(0)?, row.get(1)?)))
            .optional()?
            .ok_or_else(garbled)?;
        let plain = self.blobs.open(Of::State(no, start), &blob);
        // The keyframe is from before the block: it was told by the one before.
        let read = plain
            .and_then(|plain| Block::read(&plain)?.between(after.max(start - 1), until, &mut self.press));
        entries.extend(read.map_err(|Garbled| garbled())?);
        Ok(())
    }

    fn hot_between(
        &self,
        no: u32,
        (after, until): (i64, i64),
        entries: &mut Vec<Entry>,
    ) -> Result<(), Trouble> {
        let mut statement = self.connection.prepare_cached(
            "SELECT at, slot, blob FROM hot WHERE instance = ?1 AND at > ?2 AND at <= ?3 ORDER BY at, no",
        )?;
        let mut rows = statement.query(params![no, after, until])?;
        let mut garbled = false;
        while let Some(row) = rows.next()? {
            let (at, slot, blob): (i64, u8, Vec<u8>) = (row.get(0)?, row.get(1)?, row.get(2)?);
            match self.blobs.open(Of::Hot(no, at), &blob) {
                Ok(bytes) => entries.push(Entry { slot, at, bytes }),
                Err(Garbled) => garbled = true,
            }
        }
        if garbled { Err(Trouble::Damaged("a reading")) } else { Ok(()) }
    }

    /// Where [`Reader::follow`] starts from: what is written from now on.
    ///
    /// # Errors
    /// The file cannot be read.
    pub fn cursor(&self) -> Result<i64, StoreError> {
        self.connection
            .query_row("SELECT coalesce(max(seq), 0) FROM sqlite_sequence WHERE name = 'hot'", [], |row| {
                row.get(0)
            })
            .map_err(|error| self.failed()(error.into()))
    }

    /// What was written since `cursor`.
    ///
    /// # Errors
    /// The file cannot be read.
    pub fn follow(&mut self, cursor: i64) -> Result<Followed, StoreError> {
        self.read_new(cursor).map_err(Trouble::at("reading the history", &self.path))
    }

    fn read_new(&mut self, cursor: i64) -> Result<Followed, Trouble> {
        type Row = (i64, u32, Arc<str>, i64, Vec<u8>);
        let rows: Vec<Row> = self
            .connection
            .prepare_cached(
                "SELECT hot.no, instance, uid, at, blob FROM hot JOIN instance ON instance.no = hot.instance
                    WHERE hot.no > ?1 ORDER BY hot.no LIMIT ?2",
            )?
            .query_map(params![cursor, FOLLOW_ROWS as i64], |row| {
                Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?, row.get(4)?))
            })?
            .collect::<Result<_, _>>()?;
        let mut found = Followed { cursor, more: rows.len() == FOLLOW_ROWS, ..Followed::default() };
        for (no, instance, uid, at, blob) in rows {
            found.missed |= no != found.cursor + 1;
            found.cursor = no;
            let plain = self.blobs.open(Of::Hot(instance, at), &blob);
            let Ok(mut what) = plain.and_then(|plain| pack::happened(&plain)) else { continue };
            let Some(info) = self.info(instance, &uid, at)? else { continue };
            self.lend(&mut what)?;
            found.kept.push(Kept { info, at: Timestamp::from_ms(at), what });
        }
        Ok(found)
    }

    /// A text by its identity; None: it is not kept (any more).
    ///
    /// # Errors
    /// The file cannot be read.
    pub fn text(&mut self, id: TextId) -> Result<Option<Arc<SqlText>>, StoreError> {
        self.find_text(id).map_err(Trouble::at("reading the history", &self.path))
    }

    fn find_text(&mut self, id: TextId) -> Result<Option<Arc<SqlText>>, Trouble> {
        if let Some(text) = self.texts.get(&id) {
            return Ok(text.clone());
        }
        let key = pack::text_id(id);
        let blob: Option<Vec<u8>> = self
            .connection
            .prepare_cached("SELECT blob FROM text WHERE id = ?1")?
            .query_row([key], |row| row.get(0))
            .optional()?;
        let plain = blob.and_then(|blob| self.blobs.open(Of::Text(key), &blob).ok());
        let text = plain.and_then(|plain| pack::text(&plain).ok()).map(Arc::new);
        if self.texts.len() >= MAX_TEXTS {
            self.texts.clear();
        }
        // One that is not there yet may come.
        if text.is_some() {
            self.texts.insert(id, text.clone());
        }
        Ok(text)
    }

    fn lend(&mut self, what: &mut Happened) -> Result<(), Trouble> {
        let mut wanted = Vec::new();
        what.each_statement(&mut |statement| wanted.push(statement.text.id()));
        let mut texts = HashMap::new();
        for id in wanted {
            if let Some(text) = self.find_text(id)? {
                texts.insert(id, text);
            }
        }
        if !texts.is_empty() {
            what.lend_texts(&mut |id| texts.get(&id).cloned());
        }
        Ok(())
    }

    /// The first and the last instant that states are known of; None: of none.
    ///
    /// # Errors
    /// The file cannot be read.
    pub fn span(&self) -> Result<Option<(Timestamp, Timestamp)>, StoreError> {
        let ends = |first: &str| {
            let sql = format!(
                "SELECT min(first), max(last) FROM (
                    SELECT ({first}) AS first, (SELECT max(end) FROM state) AS last
                    UNION ALL SELECT min(at), max(at) FROM hot)"
            );
            self.connection.prepare_cached(&sql)?.query_row([], |row| Ok((row.get(0)?, row.get(1)?)))
        };
        let (oldest, newest): (Option<i64>, Option<i64>) =
            match ends("SELECT start FROM state ORDER BY end LIMIT 1").map_err(Trouble::from) {
                // The oldest row lies on a damaged page: the index knows when it ends, which is minutes later.
                Err(trouble) if trouble.is_damage() => {
                    ends("SELECT min(end) FROM state").map_err(Trouble::from)
                }
                found => found,
            }
            .map_err(self.failed())?;
        Ok(oldest
            .zip(newest)
            .map(|(oldest, newest)| (Timestamp::from_ms(oldest), Timestamp::from_ms(newest))))
    }
}
