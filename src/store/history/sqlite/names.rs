//! Instances, series and texts have small numbers in the file. The writer finds them here; a new name is written in the
//! transaction that needs it. After a failed transaction all of this is read from the file again.

use super::failure::Trouble;
use crate::store::history::codec::{
    blobs::{Blobs, Of},
    pack::{self, TextPress},
};
use crate::{
    model::{
        inventory::instance::InstanceInfo,
        poll::{
            id::Metric,
            statement::{SqlText, TextId},
        },
    },
    store::StoreError,
};
use foldhash::fast::RandomState;
use rusqlite::{Connection, params};
use std::{collections::HashMap, path::Path, sync::Arc};

/// An instance has at most so many series: keys come from the server.
const MAX_SERIES: usize = 4096;
/// The last of them are not for a metric that has so many already: what two thousand databases have each leaves room for volumes.
const RESERVED: usize = 512;
const MANY: usize = 64;
/// Texts that are remembered as written. When there are so many, all are forgotten, and the file is asked again.
const MAX_TEXTS: usize = 50_000;
/// One day: how finely it is kept when a text was seen last.
const DAY_MS: i64 = 86_400_000;

/// An instance as the writer knows it.
#[derive(Default)]
struct Known {
    no: u32,
    info: Option<Arc<InstanceInfo>>,
    /// its newest version in the file
    written: Vec<u8>,
    /// its series, with what each is of before it, in this order: a large fleet has a million of them
    series: Vec<(SeriesOf, u32)>,
    /// of which the file has so many: those of a newer version's metrics, too
    count: usize,
}

/// The code of the metric, and the number of the key.
type SeriesOf = (u16, u32);

/// Numbers of names.
#[derive(Default)]
pub(super) struct Names {
    instances: HashMap<Arc<str>, Known, RandomState>,
    next_instance: u32,
    next_series: u32,
    /// keys of series, numbered here and not in the file: a thousand instances have the same wait types
    keys: HashMap<Arc<str>, u32, RandomState>,
    texts: HashMap<TextId, i64>,
    press: TextPress,
}

/// The number of a series' key; 0 for none.
fn key_number(keys: &mut HashMap<Arc<str>, u32, RandomState>, key: &str) -> u32 {
    if key.is_empty() {
        return 0;
    }
    if let Some(no) = keys.get(key) {
        return *no;
    }
    let no = u32::try_from(keys.len()).unwrap_or(u32::MAX - 1) + 1;
    keys.insert(key.into(), no);
    no
}

impl Names {
    /// Reads the names of the file.
    pub fn load(connection: &Connection, blobs: &Blobs, path: &Path) -> Result<Self, StoreError> {
        let failed = || StoreError::sqlite("reading names of the history", path);
        let mut names = Self { next_instance: 1, next_series: 1, ..Self::default() };
        let mut by_no: HashMap<u32, Known> = HashMap::new();
        let mut statement = connection
            .prepare("SELECT no, instance, metric, key FROM series ORDER BY no")
            .map_err(failed())?;
        let mut rows = statement.query([]).map_err(failed())?;
        while let Some(row) = rows.next().map_err(failed())? {
            let (no, instance, metric): (u32, u32, u16) =
                (row.get(0).map_err(failed())?, row.get(1).map_err(failed())?, row.get(2).map_err(failed())?);
            let key: Option<Vec<u8>> = row.get(3).map_err(failed())?;
            names.next_series = names.next_series.max(no.saturating_add(1));
            // A metric of a newer version, or a key that does not open, has no new points.
            let Some(metric) = Metric::from_code(metric) else { continue };
            let known = by_no.entry(instance).or_default();
            known.count += 1;
            let key = match key {
                None => 0,
                Some(key) => {
                    let Ok(key) = blobs.open(Of::Series(no), &key) else { continue };
                    key_number(&mut names.keys, &String::from_utf8_lossy(&key))
                }
            };
            known.series.push(((metric.code(), key), no));
        }
        for known in by_no.values_mut() {
            known.series.sort_unstable();
            known.series.shrink_to_fit();
        }
        let mut statement = connection.prepare("SELECT no, uid FROM instance").map_err(failed())?;
        let mut rows = statement.query([]).map_err(failed())?;
        while let Some(row) = rows.next().map_err(failed())? {
            let (no, uid): (u32, Arc<str>) = (row.get(0).map_err(failed())?, row.get(1).map_err(failed())?);
            names.next_instance = names.next_instance.max(no.saturating_add(1));
            let known = by_no.remove(&no).unwrap_or_default();
            names.instances.insert(uid, Known { no, ..known });
        }
        Ok(names)
    }

    /// All instances.
    pub fn instances(&self) -> impl Iterator<Item = u32> {
        self.instances.values().map(|known| known.no)
    }

    /// The number of series.
    pub fn series_count(&self) -> usize {
        self.instances.values().map(|known| known.count).sum()
    }

    /// The number of an instance, if it is known.
    pub fn number(&self, uid: &str) -> Option<u32> {
        self.instances.get(uid).map(|known| known.no)
    }

    /// The number of an instance. A new version of it is written as known since `at`.
    pub fn instance(
        &mut self,
        to: &Connection,
        blobs: &Blobs,
        info: &Arc<InstanceInfo>,
        at: i64,
    ) -> Result<u32, Trouble> {
        if let Some(known) = self.instances.get_mut(&info.uid) {
            if known.info.as_ref().is_some_and(|old| Arc::ptr_eq(old, info)) {
                return Ok(known.no);
            }
            let (no, bytes) = (known.no, pack::info_bytes(info));
            if known.info.is_none() && known.written.is_empty() {
                known.written = last_info(to, blobs, no)?;
            }
            if known.written != bytes {
                put_info(to, blobs, no, at, &bytes)?;
                known.written = bytes;
            }
            known.info = Some(info.clone());
            return Ok(no);
        }
        let no = self.next_instance;
        to.prepare_cached("INSERT INTO instance VALUES (?1, ?2)")?.execute(params![no, info.uid])?;
        let written = pack::info_bytes(info);
        put_info(to, blobs, no, at, &written)?;
        self.next_instance += 1;
        let known = Known { no, info: Some(info.clone()), written, ..Known::default() };
        self.instances.insert(info.uid.clone(), known);
        Ok(no)
    }

    /// The series of an instance, by its uid.
    pub fn series_of(&mut self, uid: &str) -> Option<Series<'_>> {
        let known = self.instances.get_mut(uid)?;
        Some(Series { known, keys: &mut self.keys, next: &mut self.next_series })
    }

    /// Writes a text unless it is there; notes the day on which it was seen last.
    pub fn text(&mut self, to: &Connection, blobs: &Blobs, text: &SqlText, at: i64) -> Result<(), Trouble> {
        let day = at.div_euclid(DAY_MS);
        if text.is_lost() || self.texts.get(&text.id()).is_some_and(|seen| *seen >= day) {
            return Ok(());
        }
        let id = pack::text_id(text.id());
        let there = to
            .prepare_cached("UPDATE text SET seen = max(seen, ?2) WHERE id = ?1")?
            .execute(params![id, day])?;
        if there == 0 {
            let packed = self.press.bytes(text).map_err(Trouble::Packing)?;
            let blob = blobs.close(Of::Text(id), &packed)?;
            to.prepare_cached("INSERT INTO text VALUES (?1, ?2, ?3)")?.execute(params![id, day, blob])?;
        }
        if self.texts.len() >= MAX_TEXTS {
            self.texts.clear();
        }
        self.texts.insert(text.id(), day);
        Ok(())
    }
}

impl Known {
    /// Another series of this metric is taken.
    fn has_room(&self, metric: Metric) -> bool {
        let begin = self.series.partition_point(|((code, _), _)| *code < metric.code());
        let is_many = self.end_of((metric.code(), u32::MAX)) - begin >= MANY;
        self.count < if is_many { MAX_SERIES - RESERVED } else { MAX_SERIES }
    }

    /// The place behind the series of this.
    fn end_of(&self, of: SeriesOf) -> usize {
        self.series.partition_point(|(other, _)| *other <= of)
    }

    /// The number of a series; the newest if the file has several.
    fn find(&self, of: SeriesOf) -> Option<u32> {
        self.series[..self.end_of(of)].last().filter(|(found, _)| *found == of).map(|(_, no)| *no)
    }
}

/// The series of one instance.
pub(super) struct Series<'a> {
    known: &'a mut Known,
    keys: &'a mut HashMap<Arc<str>, u32, RandomState>,
    next: &'a mut u32,
}

impl Series<'_> {
    /// The number of a series; None if the instance has too many.
    pub fn number(
        &mut self,
        to: &Connection,
        blobs: &Blobs,
        metric: Metric,
        key: &str,
    ) -> Result<Option<u32>, Trouble> {
        let Self { known, keys, next } = self;
        let key_no = if key.is_empty() { Some(0) } else { keys.get(key).copied() };
        if let Some(no) = key_no.and_then(|key_no| known.find((metric.code(), key_no))) {
            return Ok(Some(no));
        }
        if !known.has_room(metric) {
            return Ok(None);
        }
        let no = **next;
        let sealed = match key {
            "" => None,
            key => Some(blobs.close(Of::Series(no), key.as_bytes())?),
        };
        to.prepare_cached("INSERT INTO series VALUES (?1, ?2, ?3, ?4)")?.execute(params![
            no,
            known.no,
            metric.code(),
            sealed
        ])?;
        **next += 1;
        known.count += 1;
        let of = (metric.code(), key_number(keys, key));
        known.series.insert(known.end_of(of), (of, no));
        Ok(Some(no))
    }
}

fn last_info(from: &Connection, blobs: &Blobs, no: u32) -> Result<Vec<u8>, Trouble> {
    let mut statement =
        from.prepare_cached("SELECT since, blob FROM info WHERE instance = ?1 ORDER BY since DESC LIMIT 1")?;
    let mut rows = statement.query([no])?;
    let Some(row) = rows.next()? else { return Ok(Vec::new()) };
    let (since, blob): (i64, Vec<u8>) = (row.get(0)?, row.get(1)?);
    Ok(blobs.open(Of::Info(no, since), &blob).unwrap_or_default())
}

fn put_info(to: &Connection, blobs: &Blobs, no: u32, at: i64, bytes: &[u8]) -> Result<(), Trouble> {
    let blob = blobs.close(Of::Info(no, at), bytes)?;
    to.prepare_cached("INSERT OR REPLACE INTO info VALUES (?1, ?2, ?3)")?.execute(params![no, at, blob])?;
    Ok(())
}
