//! The state of one instance at an instant: of every slot the newest reading at or before it, from one block and the write buffer.
//! `states` calls it.

use super::{failure::Trouble, file::HistoryFile, worker::Worker};
use crate::store::history::{
    api::Past,
    codec::{
        blobs::Of,
        block::{Block, Entry},
        numbers::Garbled,
    },
};
use rusqlite::{OptionalExtension, params};
use std::{collections::BTreeMap, sync::Arc};

/// Adds the state of an instance to `past`. A damaged page costs this instance only.
pub(super) fn read(worker: &mut Worker, uid: &Arc<str>, at: i64, past: &mut Past) -> Result<(), Trouble> {
    let Err(trouble) = read_whole(worker, uid, at, past) else { return Ok(()) };
    if !trouble.is_damage() {
        return Err(trouble);
    }
    let no = worker.file.number(uid).ok().flatten();
    let info = no.and_then(|no| worker.infos.then(&worker.file, no, uid, at).ok().flatten());
    let name = info.map_or_else(|| format!("instance {uid}"), |info| info.id.to_string());
    past.damaged.push(format!("all of {name}"));
    Ok(())
}

fn read_whole(worker: &mut Worker, uid: &Arc<str>, at: i64, past: &mut Past) -> Result<(), Trouble> {
    let Some(no) = worker.file.number(uid)? else { return Ok(()) };
    let Some(info) = worker.info_then((no, uid), at, past)? else { return Ok(()) };
    let mut newest: BTreeMap<u8, Entry> = BTreeMap::new();
    match sealed(worker, no, at)? {
        Ok(entries) => newest.extend(entries.into_iter().map(|entry| (entry.slot, entry))),
        Err(Garbled) => past.damaged.push(format!("15 min of {}", info.id)),
    }
    let (buffered, garbled) = buffered(&worker.file, no, at)?;
    past.damaged.extend((0..garbled).map(|_| format!("a reading of {}", info.id)));
    for entry in buffered {
        if newest.get(&entry.slot).is_none_or(|sealed| sealed.at <= entry.at) {
            newest.insert(entry.slot, entry);
        }
    }
    let mut entries: Vec<Entry> = newest.into_values().collect();
    entries.sort_by_key(|entry| entry.at);
    worker.unpack(&info, entries, past)
}

/// From the block that the instant is in, or the last one before it.
fn sealed(worker: &mut Worker, no: u32, at: i64) -> Result<Result<Vec<Entry>, Garbled>, Trouble> {
    let found: Option<(i64, Vec<u8>)> = worker
        .file
        .connection
        .prepare_cached(
            "SELECT start, blob FROM state WHERE instance = ?1 AND start <= ?2 ORDER BY start DESC, no DESC LIMIT 1",
        )?
        .query_row(params![no, at], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?;
    let Some((start, blob)) = found else { return Ok(Ok(Vec::new())) };
    let plain = worker.file.blobs.open(Of::State(no, start), &blob);
    Ok(plain.and_then(|plain| Block::read(&plain)?.newest_at(at, &mut worker.press)))
}

/// From the write buffer: the newest of each slot, and the number of them that cannot be opened. The sealed one stands in for those.
fn buffered(from: &HistoryFile, no: u32, at: i64) -> Result<(Vec<Entry>, usize), Trouble> {
    let mut newest: BTreeMap<u8, i64> = BTreeMap::new();
    let mut statement = from.connection.prepare_cached(
        "SELECT slot, no FROM hot WHERE instance = ?1 AND at <= ?2 ORDER BY at DESC, no DESC",
    )?;
    let mut rows = statement.query(params![no, at])?;
    while let Some(row) = rows.next()? {
        let row_no = row.get(1)?;
        newest.entry(row.get(0)?).or_insert(row_no);
    }
    let mut one = from.connection.prepare_cached("SELECT at, blob FROM hot WHERE no = ?1")?;
    let (mut found, mut garbled) = (Vec::with_capacity(newest.len()), 0);
    for (slot, row) in newest {
        let (at, blob): (i64, Vec<u8>) = one.query_row([row], |row| Ok((row.get(0)?, row.get(1)?)))?;
        match from.blobs.open(Of::Buffered(no, at), &blob) {
            Ok(bytes) => found.push(Entry { slot, at, bytes }),
            Err(Garbled) => garbled += 1,
        }
    }
    Ok((found, garbled))
}
