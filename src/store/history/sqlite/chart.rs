//! Charts: one series over a stretch of time, from the points as they were measured or from the roll-up that is fine enough,
//! whichever history still has. What is not rolled up yet (two hours at most) is added from the points, so the newest end is
//! always there.

use super::{
    names::Trouble,
    reader::Reader,
    seal::{CHUNK_MS, points_of, probe_of},
};
use crate::store::history::{
    api::Drawn,
    codec::{
        blobs::Of,
        chunk::Head,
        numbers::{Garbled, unchecked},
        rollup::{POLLS, Row, Tier, Total},
    },
};
use crate::{
    model::{
        base::time::Timestamp,
        poll::id::{Metric, ProbeId, SeriesId, SeriesKey},
        timeline::{
            chart::{Bucket, ChartLine},
            history::History,
            kept::Slot,
        },
    },
    store::StoreError,
};
use rusqlite::{OptionalExtension, params};
use std::{collections::BTreeMap, sync::Arc};

/// Seconds since 1970, and whole steps of the metric.
type Points = Vec<(i64, i64)>;

/// A point: when (seconds since 1970), and what came together there.
type Totals = BTreeMap<i64, Total>;

/// What is asked for, in the numbers of the file.
struct Ask {
    instance: u32,
    probe: ProbeId,
    series: u32,
    /// missing is zero
    zero: bool,
    /// seconds, from and before
    from: i64,
    to: i64,
}

const CHUNK_AT: &str =
    "SELECT start FROM chunk WHERE instance = ?1 AND probe = ?2 AND start <= ?3 AND start > ?4
    AND end >= ?3 ORDER BY start DESC LIMIT 1";
const OLDEST: &str = "SELECT start FROM chunk WHERE instance = ?1 AND probe = ?2 ORDER BY start LIMIT 1";
/// That no incident keeps.
const OLDEST_LOOSE: &str = "SELECT start FROM chunk AS it WHERE instance = ?1 AND probe = ?2 AND NOT EXISTS(SELECT 1 FROM event
    WHERE kind = 6 AND event.instance = it.instance AND event.start <= it.end AND event.end >= it.start) ORDER BY start LIMIT 1";

impl Reader {
    /// A series of an instance between two instants in at most `points` buckets (more where the roll-ups are coarser: then
    /// fewer). Without buckets where nothing is kept.
    ///
    /// # Errors
    /// The file cannot be read at all.
    pub fn chart(
        &self,
        uid: &str,
        key: &SeriesKey,
        from: Timestamp,
        to: Timestamp,
        points: u32,
    ) -> Result<Drawn, StoreError> {
        self.draw(uid, key, (from.ms(), to.ms()), points.max(1).into()).map_err(self.failed())
    }

    fn draw(
        &self,
        uid: &str,
        key: &SeriesKey,
        (from, to): (i64, i64),
        points: i64,
    ) -> Result<Drawn, Trouble> {
        let bucket_ms = (to.saturating_sub(from) / points).max(1);
        let empty = |bucket_ms: i64| Drawn {
            line: ChartLine { buckets: Vec::new(), bucket_ms, hold_ms: bucket_ms },
            tier: None,
            damaged: 0,
        };
        let span = seconds(Timestamp::from_ms(from), Timestamp::from_ms(to));
        let Some(ask) = self.ask(uid, key, span)? else {
            return Ok(empty(bucket_ms));
        };
        let tier = self.tier(&ask, bucket_ms)?;
        let mut damaged = 0;
        let mut totals = match tier {
            None => Totals::new(),
            Some(tier) => self.rolled_up(&ask, tier, &mut damaged)?,
        };
        let width_s = tier.map_or(1, Tier::bucket_s);
        for (time, value) in self.measured(&ask, tier.is_some(), &mut damaged)? {
            let total = Total::of(value);
            totals
                .entry(time.div_euclid(width_s) * width_s)
                .and_modify(|known| *known = known.with(total))
                .or_insert(total);
        }
        let bucket_ms = bucket_ms.max(width_s * 1000);
        let hold_ms = typical_gap_ms(&totals).saturating_mul(5) / 2;
        let line = ChartLine {
            buckets: buckets(&totals, key.metric, from, bucket_ms, width_s * 1000),
            bucket_ms,
            hold_ms: hold_ms.max(bucket_ms),
        };
        Ok(Drawn { line, tier, damaged })
    }

    fn ask(&self, uid: &str, key: &SeriesKey, span: (i64, i64)) -> Result<Option<Ask>, Trouble> {
        let Some(instance) = self.number(uid)? else { return Ok(None) };
        self.ask_of(instance, key, span)
    }

    fn ask_of(&self, instance: u32, key: &SeriesKey, (from, to): (i64, i64)) -> Result<Option<Ask>, Trouble> {
        let mut statement = self
            .connection
            .prepare_cached("SELECT no, key FROM series WHERE instance = ?1 AND metric = ?2 ORDER BY no")?;
        let mut rows = statement.query(params![instance, key.metric.code()])?;
        while let Some(row) = rows.next()? {
            let (no, sealed): (u32, Option<Vec<u8>>) = (row.get(0)?, row.get(1)?);
            let same = match sealed {
                None => key.key.is_empty(),
                Some(sealed) => {
                    self.blobs.open(Of::Series(no), &sealed).is_ok_and(|name| name == key.key.as_bytes())
                }
            };
            if same {
                let probe = key.metric.probe();
                let zero = key.metric.absent_is_zero();
                return Ok(Some(Ask { instance, probe, series: no, zero, from, to }));
            }
        }
        Ok(None)
    }

    /// The coarsest tier that is fine enough; if its past is gone, the next coarser one that reaches further back.
    fn tier(&self, ask: &Ask, bucket_ms: i64) -> Result<Option<Tier>, Trouble> {
        let fits = Tier::ALL.into_iter().rev().find(|tier| tier.bucket_s() * 1000 <= bucket_ms);
        let mut best: (Option<Tier>, i64) = (fits, self.reaches_back(ask, fits)?);
        for tier in Tier::ALL.into_iter().filter(|tier| Some(*tier) > fits) {
            if best.1 <= ask.from {
                break;
            }
            let oldest = self.reaches_back(ask, Some(tier))?;
            // A bucket that starts a little earlier is no older past.
            if oldest.saturating_add(tier.row_s()) < best.1 {
                best = (Some(tier), oldest);
            }
        }
        Ok(best.0)
    }

    fn reaches_back(&self, ask: &Ask, tier: Option<Tier>) -> Result<i64, Trouble> {
        let oldest: Option<i64> = match tier {
            None => self.points_reach_back(ask)?,
            Some(tier) => self
                .connection
                .prepare_cached(
                    "SELECT min(start) FROM rollup WHERE instance = ?1 AND probe = ?2 AND tier = ?3",
                )?
                .query_row(params![ask.instance, ask.probe.code(), tier.code()], |row| row.get(0))?,
        };
        Ok(oldest.unwrap_or(i64::MAX))
    }

    /// The points that an incident keeps reach back only for a chart within them.
    fn points_reach_back(&self, ask: &Ask) -> Result<Option<i64>, Trouble> {
        let one = |sql: &str, values: &[i64]| -> Result<Option<i64>, Trouble> {
            let key = [ask.instance.into(), ask.probe.code().into()];
            let asked = rusqlite::params_from_iter(key.iter().chain(values));
            Ok(self.connection.prepare_cached(sql)?.query_row(asked, |row| row.get(0)).optional()?)
        };
        let (from, to) = (ask.from.saturating_mul(1000), ask.to.saturating_mul(1000));
        let has = |at: i64| one(CHUNK_AT, &[at, at.saturating_sub(2 * CHUNK_MS)]);
        let oldest = match (has(from)?, has(to)?) {
            (Some(start), Some(_)) => Some(start),
            _ => one(OLDEST_LOOSE, &[])?.map_or_else(|| one(OLDEST, &[]), |start| Ok(Some(start)))?,
        };
        Ok(oldest.map(|ms| ms.div_euclid(1000)))
    }

    fn rolled_up(&self, ask: &Ask, tier: Tier, damaged: &mut u32) -> Result<Totals, Trouble> {
        let mut statement = self.connection.prepare_cached(
            "SELECT blob FROM rollup WHERE instance = ?1 AND probe = ?2 AND tier = ?3 AND start > ?4 AND start < ?5
                ORDER BY start",
        )?;
        let first = ask.from - tier.row_s();
        let mut rows =
            statement.query(params![ask.instance, ask.probe.code(), tier.code(), first, ask.to])?;
        let mut totals = Totals::new();
        while let Some(row) = rows.next()? {
            let blob = row.get_ref(0)?.as_blob().map_err(rusqlite::Error::from)?;
            let read = |plain: &[u8]| {
                let polls = if ask.zero { Row::series(plain, POLLS)? } else { Vec::new() };
                Ok((polls, Row::series(plain, ask.series)?))
            };
            let Ok((polls, found)) = unchecked(blob).and_then(read) else {
                *damaged += 1;
                continue;
            };
            let mut row: Totals = found.into_iter().collect();
            for (bucket, polls) in polls {
                let total = row.get(&bucket).copied();
                let absent = polls.n.saturating_sub(total.map_or(0, |total| total.n));
                if absent > 0 {
                    let zeros = Total { n: absent, ..Total::of(0) };
                    let zeros = Total { sum: 0, ..zeros };
                    row.insert(bucket, total.map_or(zeros, |total| total.with(zeros)));
                }
            }
            let width = tier.bucket_s();
            let inside = row.into_iter().map(|(bucket, total)| (bucket * width, total));
            totals.extend(inside.filter(|(at, _)| *at + width > ask.from && *at < ask.to));
        }
        Ok(totals)
    }

    /// The points as they were measured; `unrolled`: only those that are in no roll-up yet.
    fn measured(&self, ask: &Ask, unrolled: bool, damaged: &mut u32) -> Result<Points, Trouble> {
        let mut found = self.measured_together(std::slice::from_ref(ask), unrolled, damaged)?;
        Ok(found.pop().unwrap_or_default())
    }

    /// The same of several series that differ in nothing but their number: what they share is read once.
    fn measured_together(
        &self,
        asks: &[Ask],
        unrolled: bool,
        damaged: &mut u32,
    ) -> Result<Vec<Points>, Trouble> {
        let mut found = vec![Points::new(); asks.len()];
        let Some(ask) = asks.first() else { return Ok(found) };
        let (from, to) = (ask.from.saturating_mul(1000), ask.to.saturating_mul(1000));
        // A year has thousands of sealed chunks and a handful of open ones: `chunk_open` finds these without the others.
        let sql = if unrolled {
            "SELECT blob FROM chunk INDEXED BY chunk_open
                WHERE open = 1 AND instance = ?1 AND probe = ?2 AND start < ?3 AND start > ?4 AND end > ?5 ORDER BY start"
        } else {
            "SELECT blob FROM chunk WHERE instance = ?1 AND probe = ?2 AND start < ?3 AND start > ?4 AND end > ?5
                ORDER BY start"
        };
        let mut statement = self.connection.prepare_cached(sql)?;
        // No chunk is longer than its window, so an older one cannot reach in.
        let first = from.saturating_sub(CHUNK_MS + super::seal::BLOCK_MS);
        let mut rows = statement.query(params![ask.instance, ask.probe.code(), to, first, from])?;
        while let Some(row) = rows.next()? {
            let blob = row.get_ref(0)?.as_blob().map_err(rusqlite::Error::from)?;
            let add = |plain: &[u8]| {
                let head = Head::read(plain)?;
                asks.iter().zip(&mut found).try_for_each(|(ask, found)| points_in(&head, ask, found))
            };
            *damaged += u32::from(unchecked(blob).and_then(add).is_err());
        }
        let mut statement = self.connection.prepare_cached(
            "SELECT at, slot, points FROM hot WHERE instance = ?1 AND at >= ?2 AND at < ?3 AND slot IN (?4, ?5)
                AND points IS NOT NULL ORDER BY at, no",
        )?;
        let slots = [Slot::Value(ask.probe).code(), Slot::Health.code()];
        let mut rows = statement.query(params![ask.instance, from, to, slots[0], slots[1]])?;
        while let Some(row) = rows.next()? {
            let (at, slot): (i64, u8) = (row.get(0)?, row.get(1)?);
            if probe_of(slot) != Some(ask.probe) {
                continue;
            }
            let points = row.get_ref(2)?.as_blob().map_err(rusqlite::Error::from)?;
            let Ok(points) = points_of(points) else {
                *damaged += 1;
                continue;
            };
            for (ask, found) in asks.iter().zip(&mut found) {
                let value = points.iter().find(|(series, _)| *series == ask.series).map(|(_, value)| *value);
                found.extend(value.or(ask.zero.then_some(0)).map(|value| (at.div_euclid(1000), value)));
            }
        }
        for found in &mut found {
            found.retain(|(time, _)| (ask.from..ask.to).contains(time));
            found.sort_by_key(|(time, _)| *time);
        }
        Ok(found)
    }

    /// The points of a series as they were measured, with the metric's steps undone: when, and the value.
    ///
    /// # Errors
    /// The file cannot be read at all.
    pub fn points(
        &self,
        uid: &str,
        key: &SeriesKey,
        from: Timestamp,
        to: Timestamp,
    ) -> Result<Vec<(Timestamp, f64)>, StoreError> {
        let read = || -> Result<Points, Trouble> {
            let asked = self.ask(uid, key, seconds(from, to))?;
            asked.map_or(Ok(Points::new()), |ask| self.measured(&ask, false, &mut 0))
        };
        let points = read().map_err(self.failed())?;
        Ok(points
            .into_iter()
            .map(|(time, steps)| (Timestamp::from_ms(time * 1000), key.metric.from_steps(steps)))
            .collect())
    }

    /// Several headline series as they were measured, for the small lines of a list.
    ///
    /// # Errors
    /// The file cannot be read at all.
    pub(super) fn lines(
        &self,
        uid: &str,
        wanted: &[SeriesId],
        from: Timestamp,
        to: Timestamp,
    ) -> Result<History, StoreError> {
        let mut history = History::default();
        let mut read = || -> Result<(), Trouble> {
            let Some(instance) = self.number(uid)? else { return Ok(()) };
            for together in wanted.chunk_by(|one, other| one.probe() == other.probe()) {
                let (mut ids, mut asks) = (Vec::new(), Vec::new());
                for id in together {
                    if let Some(ask) = self.ask_of(instance, &SeriesKey::of(*id), seconds(from, to))? {
                        ids.push(*id);
                        asks.push(ask);
                    }
                }
                for (id, points) in ids.into_iter().zip(self.measured_together(&asks, false, &mut 0)?) {
                    for (time, steps) in points {
                        let value = Metric::from(id).from_steps(steps);
                        history.record(id, Timestamp::from_ms(time * 1000), Some(value));
                    }
                }
            }
            Ok(())
        };
        read().map_err(self.failed())?;
        Ok(history)
    }

    /// Every series of an instance.
    ///
    /// # Errors
    /// The file cannot be read.
    pub fn series_of(&self, uid: &str) -> Result<Vec<SeriesKey>, StoreError> {
        let read = || -> Result<Vec<SeriesKey>, Trouble> {
            let Some(instance) = self.number(uid)? else { return Ok(Vec::new()) };
            let mut statement =
                self.connection.prepare_cached("SELECT no, metric, key FROM series WHERE instance = ?1")?;
            let mut rows = statement.query([instance])?;
            let mut found = Vec::new();
            while let Some(row) = rows.next()? {
                let (no, sealed): (u32, Option<Vec<u8>>) = (row.get(0)?, row.get(2)?);
                let Some(metric) = Metric::from_code(row.get(1)?) else { continue };
                let key = match sealed {
                    None => Arc::from(""),
                    Some(sealed) => match self.blobs.open(Of::Series(no), &sealed) {
                        Ok(name) => String::from_utf8_lossy(&name).into(),
                        Err(Garbled) => continue,
                    },
                };
                found.push(SeriesKey { metric, key });
            }
            found.sort();
            Ok(found)
        };
        read().map_err(self.failed())
    }
}

/// Adds the points of one series in a chunk; with zeros where it is missing and that means zero.
fn points_in(head: &Head<'_>, ask: &Ask, found: &mut Points) -> Result<(), Garbled> {
    let points = head.points(ask.series)?;
    if !ask.zero || points.len() == head.times.len() {
        found.extend(points);
        return Ok(());
    }
    let mut points = points.into_iter().peekable();
    let mut value = |time: &i64| points.next_if(|(at, _)| at == time).map_or(0, |(_, value)| value);
    found.extend(head.times.iter().map(|time| (*time, value(time))));
    Ok(())
}

/// A stretch of time in whole seconds, its last one included.
fn seconds(from: Timestamp, to: Timestamp) -> (i64, i64) {
    (from.ms().div_euclid(1000), to.ms().saturating_add(999).div_euclid(1000))
}

/// What usually lies between two points, ms: the middle one of all distances.
fn typical_gap_ms(totals: &Totals) -> i64 {
    let times: Vec<i64> = totals.keys().copied().collect();
    let mut gaps: Vec<i64> = times.windows(2).map(|pair| pair[1] - pair[0]).collect();
    if gaps.is_empty() {
        return 0;
    }
    let middle = gaps.len() / 2;
    *gaps.select_nth_unstable(middle).1 * 1000
}

/// Totals into buckets of `bucket_ms` that start at `from`; what is `width_ms` wide itself goes where it starts.
fn buckets(totals: &Totals, metric: Metric, from: i64, bucket_ms: i64, width_ms: i64) -> Vec<Bucket> {
    let mut grouped: BTreeMap<i64, Total> = BTreeMap::new();
    for (time, total) in totals {
        let at = (time * 1000).max(from);
        // Buckets of a roll-up stay where they are if nothing is put together.
        let start = if bucket_ms == width_ms && width_ms > 1000 {
            time * 1000
        } else {
            from + (at - from).div_euclid(bucket_ms) * bucket_ms
        };
        grouped.entry(start).and_modify(|known| *known = known.with(*total)).or_insert(*total);
    }
    grouped
        .into_iter()
        .map(|(at, total)| Bucket {
            at: Timestamp::from_ms(at),
            min: metric.from_steps(total.min) as f32,
            avg: (total.sum as f64 / f64::from(total.n.max(1)) * metric.step()) as f32,
            max: metric.from_steps(total.max) as f32,
            n: total.n,
        })
        .collect()
}
