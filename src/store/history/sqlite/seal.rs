//! Empties the write buffer: every 15 minutes the rows of an instance become one state block, and its points one open chunk for
//! each probe. Every 2 hours the open chunks become one, and go into the roll-ups. Instances take turns: their windows end at
//! different seconds. Each step is one transaction: a killed process leaves all of it or nothing.

use super::{
    engine::Engine,
    failure::Trouble,
    progress::Sealed,
    windows::{BLOCK_MS, CHUNK_MS, boundary},
};
use crate::store::history::{
    api::SealedNow,
    codec::{
        blobs::{Blobs, Of},
        block::{self, Block, Entry, MAX_BYTES, MAX_ENTRIES, Press},
        chunk::Window,
        numbers::{Garbled, checked, unchecked},
        points,
        rollup::{Row, Tier},
    },
};
use crate::{
    model::{base::time::Timestamp, poll::id::ProbeId},
    store::StoreError,
};
use rusqlite::{Connection, OptionalExtension, Transaction, TransactionBehavior, params};
use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

/// Sealing waits so long for late rows, ms.
const GRACE_MS: i64 = 15_000;

impl Engine {
    /// Seals the windows that are over, for about `budget` at most. `now` is the time by which windows end
    /// ([`Engine::judge`]).
    ///
    /// # Errors
    /// As [`Engine::commit`]; a row that cannot be read.
    pub fn seal(&mut self, now: Timestamp, budget: Duration) -> Result<SealedNow, StoreError> {
        let started = Instant::now();
        let mut done = SealedNow::default();
        let mut instances: Vec<u32> = self.names.instances().collect();
        instances.sort_unstable();
        for instance in instances {
            let due = now.ms() - GRACE_MS;
            let (blocks, chunks) = (boundary(instance, BLOCK_MS, due), boundary(instance, CHUNK_MS, due));
            let known = self.sealed.get(&instance).copied().unwrap_or_default();
            if known.blocks == blocks && known.chunks == chunks {
                continue;
            }
            if started.elapsed() > budget {
                done.more = true;
                break;
            }
            self.seal_instance(instance, (blocks, chunks), &mut done)
                .map_err(Trouble::at("sealing the history", &self.path))?;
            self.sealed.insert(instance, Sealed { blocks, chunks });
        }
        Ok(done)
    }

    fn seal_instance(
        &mut self,
        instance: u32,
        (blocks, chunks): (i64, i64),
        done: &mut SealedNow,
    ) -> Result<(), Trouble> {
        loop {
            let transaction = self.connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
            let sealed = seal_block(&transaction, (&self.blobs, &mut self.press), instance, blocks)?;
            transaction.commit()?;
            if !sealed {
                break;
            }
            done.blocks += 1;
        }
        loop {
            let transaction = self.connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
            let sealed = seal_chunks(&transaction, instance, chunks)?;
            transaction.commit()?;
            done.chunks += sealed;
            if sealed == 0 {
                return Ok(());
            }
        }
    }
}

/// A row of the write buffer.
struct Buffered {
    no: i64,
    entry: Entry,
    points: Option<Vec<u8>>,
}

/// Seals the oldest window of buffered rows before `until`. False: there is none.
fn seal_block(
    to: &Transaction<'_>,
    (blobs, press): (&Blobs, &mut Press),
    instance: u32,
    until: i64,
) -> Result<bool, Trouble> {
    let oldest: Option<i64> = to
        .prepare_cached("SELECT min(at) FROM hot WHERE instance = ?1 AND at < ?2")?
        .query_row(params![instance, until], |row| row.get(0))?;
    let Some(oldest) = oldest else { return Ok(false) };
    let mut end = boundary(instance, BLOCK_MS, oldest) + BLOCK_MS;
    let rows = buffered_rows(to, blobs, instance, end)?;
    if let Some(next) = rows.1 {
        end = next;
    }
    let rows = rows.0;
    let entries: Vec<Entry> = rows.iter().map(|row| row.entry.clone()).collect();
    let keyframe = keyframe(to, (blobs, press), instance, oldest)?;
    let plain = block::encode(&keyframe, &entries, press).map_err(Trouble::Packing)?;
    let blob = blobs.close(Of::State(instance, oldest), &plain)?;
    to.prepare_cached("INSERT INTO state(instance, start, end, n, blob) VALUES (?1, ?2, ?3, ?4, ?5)")?
        .execute(params![instance, oldest, end, entries.len() as i64, blob])?;
    for (probe, window) in windows(&rows)? {
        let blob = checked(&window.encode(true));
        put_chunk(to, (instance, probe), (oldest, end), true, window.points(), &blob)?;
    }
    let mut delete = to.prepare_cached("DELETE FROM hot WHERE no = ?1")?;
    for row in &rows {
        delete.execute([row.no])?;
    }
    Ok(true)
}

/// Buffered rows before `end` in the order of time, and where to stop instead if they are too many for one block. A row that cannot
/// be opened becomes empty: it is damaged, and must not stop sealing for ever.
fn buffered_rows(
    from: &Connection,
    blobs: &Blobs,
    instance: u32,
    end: i64,
) -> Result<(Vec<Buffered>, Option<i64>), Trouble> {
    let mut statement = from.prepare_cached(
        "SELECT no, at, slot, blob, points FROM hot WHERE instance = ?1 AND at < ?2 ORDER BY at, no",
    )?;
    let mut rows = statement.query(params![instance, end])?;
    let (mut found, mut bytes) = (Vec::new(), 0);
    while let Some(row) = rows.next()? {
        let (no, at, slot, blob): (i64, i64, u8, Vec<u8>) =
            (row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?);
        let plain = blobs.open(Of::Buffered(instance, at), &blob).unwrap_or_default();
        bytes += plain.len();
        if found.len() >= MAX_ENTRIES || bytes > MAX_BYTES && !found.is_empty() {
            return Ok((found, Some(at)));
        }
        found.push(Buffered { no, entry: Entry { slot, at, bytes: plain }, points: row.get(4)? });
    }
    Ok((found, None))
}

/// The newest of every slot before `at`, from the block before.
fn keyframe(
    from: &Connection,
    (blobs, press): (&Blobs, &mut Press),
    instance: u32,
    at: i64,
) -> Result<Vec<Entry>, Trouble> {
    let before: Option<(i64, Vec<u8>)> = from
        .prepare_cached(
            "SELECT start, blob FROM state WHERE instance = ?1 AND start < ?2 ORDER BY start DESC, no DESC LIMIT 1",
        )?
        .query_row(params![instance, at], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?;
    let Some((start, blob)) = before else { return Ok(Vec::new()) };
    // A damaged block before this one costs its keyframe, not this one.
    let mut newest = |blob: &[u8]| -> Result<Vec<Entry>, Garbled> {
        let plain = blobs.open(Of::State(instance, start), blob)?;
        Block::read(&plain)?.newest_at(at - 1, press)
    };
    Ok(newest(&blob).unwrap_or_default())
}

/// The points of rows, by their probe. A poll without values is a time without values.
fn windows(rows: &[Buffered]) -> Result<BTreeMap<u8, Window>, Trouble> {
    let mut windows: BTreeMap<u8, Window> = BTreeMap::new();
    for row in rows {
        let Some(points) = &row.points else { continue };
        let Some(probe) = points::probe_of(row.entry.slot).map(ProbeId::code) else { continue };
        let points = points::decode(points).map_err(|Garbled| Trouble::Damaged("a row of points"))?;
        windows.entry(probe).or_default().push(row.entry.at.div_euclid(1000), points.into_iter());
    }
    Ok(windows)
}

fn put_chunk(
    to: &Connection,
    (instance, probe): (u32, u8),
    (start, end): (i64, i64),
    open: bool,
    points: usize,
    blob: &[u8],
) -> Result<(), Trouble> {
    to.prepare_cached(
        "INSERT INTO chunk(instance, probe, start, end, open, n, blob) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
    )?
    .execute(params![instance, probe, start, end, open, points as i64, blob])?;
    Ok(())
}

/// Merges the open chunks of the oldest 2 hours before `until` into one for each probe. Returns how many open chunks it
/// merged; 0: none is due.
fn seal_chunks(to: &Transaction<'_>, instance: u32, until: i64) -> Result<u64, Trouble> {
    let oldest: Option<i64> = to
        .prepare_cached("SELECT min(end) FROM chunk WHERE instance = ?1 AND open = 1 AND end <= ?2")?
        .query_row(params![instance, until], |row| row.get(0))?;
    let Some(oldest) = oldest else { return Ok(0) };
    // The window in which the oldest ends; its own end belongs to it.
    let end = boundary(instance, CHUNK_MS, oldest - 1) + CHUNK_MS;
    let mut parts: BTreeMap<u8, (i64, i64, Vec<Window>)> = BTreeMap::new();
    let mut used = Vec::new();
    {
        let mut statement = to.prepare_cached(
            "SELECT no, probe, start, end, blob FROM chunk WHERE instance = ?1 AND open = 1 AND end <= ?2 ORDER BY no",
        )?;
        let mut rows = statement.query(params![instance, end])?;
        while let Some(row) = rows.next()? {
            let (no, probe, start, end): (i64, u8, i64, i64) =
                (row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?);
            let blob = row.get_ref(4)?.as_blob().map_err(rusqlite::Error::from)?;
            used.push(no);
            // A damaged part is lost; the others are not.
            let Ok(window) = unchecked(blob).and_then(Window::decode) else { continue };
            let part = parts.entry(probe).or_insert_with(|| (start, end, Vec::new()));
            (part.0, part.1) = (part.0.min(start), part.1.max(end));
            part.2.push(window);
        }
    }
    for (probe, (start, end, windows)) in &parts {
        let window = Window::merge(windows);
        put_chunk(
            to,
            (instance, *probe),
            (*start, *end),
            false,
            window.points(),
            &checked(&window.encode(false)),
        )?;
        for tier in Tier::ALL {
            for (start, row) in Row::of(&window, tier) {
                add_to_rollup(to, (instance, *probe), tier, start, row)?;
            }
        }
    }
    let mut delete = to.prepare_cached("DELETE FROM chunk WHERE no = ?1")?;
    for no in &used {
        delete.execute([no])?;
    }
    Ok(used.len() as u64)
}

fn add_to_rollup(
    to: &Connection,
    (instance, probe): (u32, u8),
    tier: Tier,
    start: i64,
    row: Row,
) -> Result<(), Trouble> {
    let there: Option<(i64, Vec<u8>)> = to
        .prepare_cached(
            "SELECT no, blob FROM rollup WHERE instance = ?1 AND probe = ?2 AND tier = ?3 AND start = ?4",
        )?
        .query_row(params![instance, probe, tier.code(), start], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?;
    match there {
        None => {
            to.prepare_cached(
                "INSERT INTO rollup(instance, probe, tier, start, blob) VALUES (?1, ?2, ?3, ?4, ?5)",
            )?
            .execute(params![instance, probe, tier.code(), start, checked(&row.encode())])?;
        }
        Some((no, blob)) => {
            // A damaged row begins anew: its contents are still in the chunks and in the other tiers.
            let mut merged = unchecked(&blob).and_then(Row::decode).unwrap_or_default();
            merged.merge(row);
            to.prepare_cached("UPDATE rollup SET blob = ?2 WHERE no = ?1")?
                .execute(params![no, checked(&merged.encode())])?;
        }
    }
    Ok(())
}
