//! The readings of one instance between two instants, from the blocks and the write buffer. `states` calls it.

use super::{failure::Trouble, file::HistoryFile, windows::BLOCK_MS, worker::Worker};
use crate::store::history::{
    api::Past,
    codec::{
        blobs::Of,
        block::{Block, Entry},
        numbers::Garbled,
    },
};
use rusqlite::{OptionalExtension, params};
use std::sync::Arc;

/// Adds to `past` the readings later than `after` and not later than `until` (ms), in the order of time; of one slot alone if
/// `slot` names it.
pub(super) fn read(
    worker: &mut Worker,
    uid: &Arc<str>,
    slot: Option<u8>,
    (after, until): (i64, i64),
    past: &mut Past,
) -> Result<(), Trouble> {
    let Some(no) = worker.file.number(uid)? else { return Ok(()) };
    let Some(info) = worker.info_then((no, uid), until, past)? else { return Ok(()) };
    let mut entries = Vec::new();
    // A damaged page costs the readings on it only.
    let mut told = |read: Result<(), Trouble>, of: &str| match read {
        Err(trouble) if trouble.is_damage() => {
            past.damaged.push(format!("{of} of {}", info.id));
            Ok(())
        }
        read => read,
    };
    for block in blocks(&worker.file, no, after, until)? {
        told(sealed(worker, (no, block, slot), (after, until), &mut entries), "15 min")?;
    }
    told(buffered(&worker.file, (no, slot), (after, until), &mut entries), "the newest readings")?;
    entries.sort_by_key(|entry| entry.at);
    worker.unpack(&info, entries, past)
}

/// The numbers of the blocks that reach into the passage. The index alone has them, so a damaged row hides no other one.
fn blocks(from: &HistoryFile, no: u32, after: i64, until: i64) -> Result<Vec<i64>, Trouble> {
    let sql = "SELECT no FROM state WHERE instance = ?1 AND start <= ?2 AND start > ?3 ORDER BY start, no";
    let mut statement = from.connection.prepare_cached(sql)?;
    // No block is longer than this.
    let first = after.saturating_sub(BLOCK_MS);
    let found = statement.query_map(params![no, until, first], |row| row.get(0))?;
    Ok(found.collect::<Result<_, _>>()?)
}

fn sealed(
    worker: &mut Worker,
    (no, block, slot): (u32, i64, Option<u8>),
    (after, until): (i64, i64),
    entries: &mut Vec<Entry>,
) -> Result<(), Trouble> {
    let garbled = || Trouble::Damaged("a block of states");
    let (start, blob): (i64, Vec<u8>) = worker
        .file
        .connection
        .prepare_cached("SELECT start, blob FROM state WHERE no = ?1")?
        .query_row([block], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?
        .ok_or_else(garbled)?;
    let plain = worker.file.blobs.open(Of::State(no, start), &blob);
    // The keyframe is from before the block: the block before has it, too.
    let within = (after.max(start - 1), until);
    let read = plain.and_then(|plain| Block::read(&plain)?.between_of(slot, within, &mut worker.press));
    entries.extend(read.map_err(|Garbled| garbled())?);
    Ok(())
}

fn buffered(
    from: &HistoryFile,
    (no, wanted): (u32, Option<u8>),
    (after, until): (i64, i64),
    entries: &mut Vec<Entry>,
) -> Result<(), Trouble> {
    let mut statement = from.connection.prepare_cached(
        "SELECT at, slot, blob FROM hot WHERE instance = ?1 AND at > ?2 AND at <= ?3 AND (?4 IS NULL OR slot = ?4) ORDER BY at, no",
    )?;
    let mut rows = statement.query(params![no, after, until, wanted])?;
    let mut garbled = false;
    while let Some(row) = rows.next()? {
        let (at, slot, blob): (i64, u8, Vec<u8>) = (row.get(0)?, row.get(1)?, row.get(2)?);
        match from.blobs.open(Of::Buffered(no, at), &blob) {
            Ok(bytes) => entries.push(Entry { slot, at, bytes }),
            Err(Garbled) => garbled = true,
        }
    }
    if garbled { Err(Trouble::Damaged("a reading")) } else { Ok(()) }
}
