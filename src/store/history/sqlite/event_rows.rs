//! Events as rows: writing one, reading one, and those that the next writer goes on with. `engine`, `events` and `marks`
//! call it.

use super::failure::Trouble;
use crate::{
    model::{
        base::time::Timestamp,
        timeline::{chart::MarkKind, event::What},
    },
    store::history::{
        codec::blobs::{Blobs, Of},
        event::Event,
    },
};
use rusqlite::{Connection, params};
use std::sync::Arc;

/// Writes an event, or a newer version of it.
pub(super) fn put_event(to: &Connection, blobs: &Blobs, instance: u32, event: &Event) -> Result<(), Trouble> {
    let start = event.at.ms();
    let blob = blobs.close(Of::Event(instance, start), &event.body())?;
    to.prepare_cached("INSERT OR REPLACE INTO event VALUES (?1, ?2, ?3, ?4, ?5, ?6)")?.execute(params![
        event.no,
        instance,
        event.kind.code(),
        start,
        event.to.map(Timestamp::ms),
        blob
    ])?;
    Ok(())
}

/// Events that have begun and not ended, and incidents that had not ended at the newest row: the next writer goes on with
/// them.
pub(super) fn open_events(
    from: &Connection,
    blobs: &Blobs,
    newest_at: Option<i64>,
) -> Result<Vec<Event>, Trouble> {
    let mut statement = from.prepare(
        "SELECT event.no, instance, uid, kind, start, end, blob FROM event LEFT JOIN instance ON instance.no = instance
            WHERE end IS NULL AND kind IN (0, 3)
        UNION ALL
        SELECT event.no, instance, uid, kind, start, end, blob FROM event LEFT JOIN instance ON instance.no = instance
            WHERE kind = 6 AND end >= ?1 ORDER BY start",
    )?;
    let mut rows = statement.query([newest_at.unwrap_or(i64::MAX)])?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        found.extend(event_of(row, blobs)?);
    }
    Ok(found)
}

/// What was told of things that servers keep themselves, and that are asked for again after a start.
#[derive(Debug, Default)]
pub(super) struct Told {
    /// until when growths of files were, by instance
    pub growths: Vec<(Arc<str>, Timestamp)>,
    /// the events about deadlocks, the oldest first
    pub deadlocks: Vec<Event>,
}

/// What was told. Such as began before `since` does not count.
pub(super) fn told(from: &Connection, blobs: &Blobs, since: Timestamp) -> Result<Told, Trouble> {
    let mut told = Told::default();
    let mut statement = from.prepare(
        "SELECT uid, max(coalesce(end, start)) FROM event JOIN instance ON instance.no = instance
            WHERE start >= ?1 AND kind = ?2 GROUP BY instance",
    )?;
    let mut rows = statement.query(params![since.ms(), MarkKind::Growth.code()])?;
    while let Some(row) = rows.next()? {
        told.growths.push((row.get(0)?, Timestamp::from_ms(row.get(1)?)));
    }
    let mut statement = from.prepare(
        "SELECT event.no, instance, uid, kind, start, end, blob FROM event JOIN instance ON instance.no = instance
            WHERE start >= ?1 AND kind = ?2 ORDER BY start",
    )?;
    let mut rows = statement.query(params![since.ms(), MarkKind::Deadlock.code()])?;
    while let Some(row) = rows.next()? {
        told.deadlocks.extend(event_of(row, blobs)?);
    }
    Ok(told)
}

/// An event from a row of (no, instance, uid, kind, start, end, blob); None if it does not open.
pub(super) fn event_of(row: &rusqlite::Row<'_>, blobs: &Blobs) -> Result<Option<Event>, Trouble> {
    let (instance, start): (u32, i64) = (row.get(1)?, row.get(4)?);
    let blob: Vec<u8> = row.get(6)?;
    let end: Option<i64> = row.get(5)?;
    let Some(kind) = MarkKind::from_code(row.get(3)?) else { return Ok(None) };
    let event = Event {
        no: row.get(0)?,
        uid: row.get(2)?,
        kind,
        at: Timestamp::from_ms(start),
        to: end.map(Timestamp::from_ms),
        what: What::Sentence("".into()),
        episode: None,
    };
    let plain = blobs.open(Of::Event(instance, start), &blob);
    Ok(plain.and_then(|plain| event.with_body(&plain)).ok())
}
