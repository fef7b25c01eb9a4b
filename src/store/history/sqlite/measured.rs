//! The points of series as they were measured, from chunks and the write buffer. `charts` calls it.

use super::{
    asked::Asked,
    failure::Trouble,
    file::HistoryFile,
    windows::{BLOCK_MS, CHUNK_MS},
};
use crate::{
    model::timeline::record::Slot,
    store::history::codec::{
        chunk::Head,
        numbers::{Garbled, unchecked},
        points,
    },
};
use rusqlite::params;

/// Seconds since 1970, and whole steps of the metric.
pub(super) type Points = Vec<(i64, i64)>;

/// The points of one series; `unrolled`: only those that are in no roll-up yet.
pub(super) fn one(
    file: &HistoryFile,
    asked: &Asked,
    unrolled: bool,
    damaged: &mut u32,
) -> Result<Points, Trouble> {
    let mut found = together(file, std::slice::from_ref(asked), unrolled, damaged)?;
    Ok(found.pop().unwrap_or_default())
}

/// The points of several series of one probe over one stretch: rows that they share are read once.
pub(super) fn together(
    file: &HistoryFile,
    asks: &[Asked],
    unrolled: bool,
    damaged: &mut u32,
) -> Result<Vec<Points>, Trouble> {
    let mut found = vec![Points::new(); asks.len()];
    let Some(ask) = asks.first() else { return Ok(found) };
    let span = (ask.from.saturating_mul(1000), ask.to.saturating_mul(1000));
    *damaged += in_chunks(file, asks, (ask, span), unrolled, &mut found)?;
    *damaged += in_buffer(file, asks, (ask, span), &mut found)?;
    for found in &mut found {
        found.retain(|(time, _)| (ask.from..ask.to).contains(time));
        found.sort_by_key(|(time, _)| *time);
    }
    Ok(found)
}

/// Adds the points that are in chunks. Returns how many chunks cannot be read.
fn in_chunks(
    file: &HistoryFile,
    asks: &[Asked],
    (ask, (from, to)): (&Asked, (i64, i64)),
    unrolled: bool,
    found: &mut [Points],
) -> Result<u32, Trouble> {
    let mut damaged = 0;
    // A year has thousands of sealed chunks and a handful of open ones: `chunk_open` finds these without the others.
    let sql = if unrolled {
        "SELECT blob FROM chunk INDEXED BY chunk_open
            WHERE open = 1 AND instance = ?1 AND probe = ?2 AND start < ?3 AND start > ?4 AND end > ?5 ORDER BY start"
    } else {
        "SELECT blob FROM chunk WHERE instance = ?1 AND probe = ?2 AND start < ?3 AND start > ?4 AND end > ?5
            ORDER BY start"
    };
    let mut statement = file.connection.prepare_cached(sql)?;
    // No chunk is longer than its window, so an older one cannot reach in.
    let first = from.saturating_sub(CHUNK_MS + BLOCK_MS);
    let mut rows = statement.query(params![ask.instance, ask.probe.code(), to, first, from])?;
    while let Some(row) = rows.next()? {
        let blob = row.get_ref(0)?.as_blob().map_err(rusqlite::Error::from)?;
        let add = |plain: &[u8]| {
            let head = Head::read(plain)?;
            asks.iter().zip(found.iter_mut()).try_for_each(|(ask, found)| points_in(&head, ask, found))
        };
        damaged += u32::from(unchecked(blob).and_then(add).is_err());
    }
    Ok(damaged)
}

/// Adds the points that are in the write buffer. Returns how many rows cannot be read.
fn in_buffer(
    file: &HistoryFile,
    asks: &[Asked],
    (ask, (from, to)): (&Asked, (i64, i64)),
    found: &mut [Points],
) -> Result<u32, Trouble> {
    let mut damaged = 0;
    let mut statement = file.connection.prepare_cached(
        "SELECT at, slot, points FROM hot WHERE instance = ?1 AND at >= ?2 AND at < ?3 AND slot IN (?4, ?5)
            AND points IS NOT NULL ORDER BY at, no",
    )?;
    let slots = [Slot::Value(ask.probe).code(), Slot::Health.code()];
    let mut rows = statement.query(params![ask.instance, from, to, slots[0], slots[1]])?;
    while let Some(row) = rows.next()? {
        let (at, slot): (i64, u8) = (row.get(0)?, row.get(1)?);
        if points::probe_of(slot) != Some(ask.probe) {
            continue;
        }
        let points = row.get_ref(2)?.as_blob().map_err(rusqlite::Error::from)?;
        let Ok(points) = points::decode(points) else {
            damaged += 1;
            continue;
        };
        for (ask, found) in asks.iter().zip(&mut *found) {
            let value = points.iter().find(|(series, _)| *series == ask.series).map(|(_, value)| *value);
            found.extend(value.or(ask.zero.then_some(0)).map(|value| (at.div_euclid(1000), value)));
        }
    }
    Ok(damaged)
}

/// Adds the points of one series in a chunk, with zeros where a missing value means zero.
fn points_in(head: &Head<'_>, ask: &Asked, found: &mut Points) -> Result<(), Garbled> {
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
