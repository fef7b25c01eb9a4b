//! Charts: a series over a stretch of time, from the points as they were measured or from the roll-up that is fine enough. The newest
//! two hours at most are in no roll-up: their points are added, so a chart always reaches the present.

use super::{
    asked::{Asked, seconds},
    buckets::{Totals, buckets, typical_gap_ms},
    failure::Trouble,
    file::HistoryFile,
    measured::{self, Points},
    rolled_up,
};
use crate::{
    model::{
        base::time::Timestamp,
        poll::id::{Metric, SeriesId, SeriesKey},
        timeline::{
            chart::{Bucket, ChartLine},
            history::History,
        },
    },
    store::{
        StoreError,
        history::{
            api::Drawn,
            codec::{
                blobs::Of,
                numbers::Garbled,
                rollup::{Tier, Total},
            },
        },
    },
};
use std::sync::Arc;

const DAY_MS: i64 = 86_400_000;

/// The series of a history.
#[derive(Clone, Copy)]
pub struct Charts<'a> {
    pub(super) file: &'a HistoryFile,
}

impl Charts<'_> {
    /// A series of an instance between two instants in at most `points` buckets; fewer where the roll-up is coarser. No buckets
    /// where nothing is kept.
    ///
    /// # Errors
    /// The file cannot be read at all.
    pub fn draw(
        self,
        uid: &str,
        key: &SeriesKey,
        from: Timestamp,
        to: Timestamp,
        points: u32,
    ) -> Result<Drawn, StoreError> {
        self.file.reading(draw(self.file, uid, key, (from.ms(), to.ms()), points.max(1).into()))
    }

    /// A series day by day, the last day ending at `to`: least, mean and greatest value of each; None where nothing is kept.
    ///
    /// # Errors
    /// The file cannot be read at all.
    pub fn days(
        self,
        uid: &str,
        key: &SeriesKey,
        to: Timestamp,
        days: usize,
    ) -> Result<Vec<Option<Bucket>>, StoreError> {
        let count = i64::try_from(days).unwrap_or(0);
        let from = to.plus_ms(-DAY_MS * count);
        // Parts of a day, so that no bucket lies in two.
        let line = self.draw(uid, key, from, to, u32::try_from(count * 4).unwrap_or(1))?.line;
        let day = |n: i64| line.within(from.plus_ms(n * DAY_MS), from.plus_ms((n + 1) * DAY_MS));
        Ok((0..count).map(day).collect())
    }

    /// The points of a series as they were measured: when, and the value in the metric's unit.
    ///
    /// # Errors
    /// The file cannot be read at all.
    pub fn points(
        self,
        uid: &str,
        key: &SeriesKey,
        from: Timestamp,
        to: Timestamp,
    ) -> Result<Vec<(Timestamp, f64)>, StoreError> {
        let file = self.file;
        let read = || -> Result<Points, Trouble> {
            let asked = ask(file, uid, key, seconds(from, to))?;
            asked.map_or(Ok(Points::new()), |ask| measured::one(file, &ask, false, &mut 0))
        };
        let points = file.reading(read())?;
        Ok(points
            .into_iter()
            .map(|(time, steps)| (Timestamp::from_ms(time * 1000), key.metric.from_steps(steps)))
            .collect())
    }

    /// Several headline series as they were measured, for the sparklines of a list.
    ///
    /// # Errors
    /// The file cannot be read at all.
    pub(super) fn recent(
        self,
        uid: &str,
        wanted: &[SeriesId],
        from: Timestamp,
        to: Timestamp,
    ) -> Result<History, StoreError> {
        let mut history = History::default();
        let file = self.file;
        let mut read = || -> Result<(), Trouble> {
            let Some(instance) = file.number(uid)? else { return Ok(()) };
            for together in wanted.chunk_by(|one, other| one.probe() == other.probe()) {
                let (mut ids, mut asks) = (Vec::new(), Vec::new());
                for id in together {
                    if let Some(ask) = Asked::find(file, instance, &SeriesKey::of(*id), seconds(from, to))? {
                        ids.push(*id);
                        asks.push(ask);
                    }
                }
                for (id, points) in ids.into_iter().zip(measured::together(file, &asks, false, &mut 0)?) {
                    for (time, steps) in points {
                        let value = Metric::from(id).from_steps(steps);
                        history.record(id, Timestamp::from_ms(time * 1000), Some(value));
                    }
                }
            }
            Ok(())
        };
        file.reading(read())?;
        Ok(history)
    }

    /// Every series of an instance.
    ///
    /// # Errors
    /// The file cannot be read.
    pub fn series_of(self, uid: &str) -> Result<Vec<SeriesKey>, StoreError> {
        let file = self.file;
        let read = || -> Result<Vec<SeriesKey>, Trouble> {
            let Some(instance) = file.number(uid)? else { return Ok(Vec::new()) };
            let mut statement =
                file.connection.prepare_cached("SELECT no, metric, key FROM series WHERE instance = ?1")?;
            let mut rows = statement.query([instance])?;
            let mut found = Vec::new();
            while let Some(row) = rows.next()? {
                let (no, sealed): (u32, Option<Vec<u8>>) = (row.get(0)?, row.get(2)?);
                let Some(metric) = Metric::from_code(row.get(1)?) else { continue };
                let key = match sealed {
                    None => Arc::from(""),
                    Some(sealed) => match file.blobs.open(Of::Series(no), &sealed) {
                        Ok(name) => String::from_utf8_lossy(&name).into(),
                        Err(Garbled) => continue,
                    },
                };
                found.push(SeriesKey { metric, key });
            }
            found.sort();
            Ok(found)
        };
        file.reading(read())
    }
}

fn draw(
    file: &HistoryFile,
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
    let Some(ask) = ask(file, uid, key, span)? else {
        return Ok(empty(bucket_ms));
    };
    let tier = rolled_up::tier(file, &ask, bucket_ms)?;
    let mut damaged = 0;
    let mut totals = match tier {
        None => Totals::new(),
        Some(tier) => rolled_up::read(file, &ask, tier, &mut damaged)?,
    };
    let width_s = tier.map_or(1, Tier::bucket_s);
    for (time, value) in measured::one(file, &ask, tier.is_some(), &mut damaged)? {
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

fn ask(file: &HistoryFile, uid: &str, key: &SeriesKey, span: (i64, i64)) -> Result<Option<Asked>, Trouble> {
    let Some(instance) = file.number(uid)? else { return Ok(None) };
    Asked::find(file, instance, key, span)
}
