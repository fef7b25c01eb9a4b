//! Readings that the collector has just written, for an attached screen. They come from the write buffer, in the order in which they
//! were written.

use super::{failure::Trouble, worker::Worker};
use crate::{
    model::{base::time::Timestamp, timeline::record::Record},
    store::{
        StoreError,
        history::{
            api::Followed,
            codec::{blobs::Of, pack},
        },
    },
};
use rusqlite::params;
use std::sync::Arc;

/// Rows that [`Follow::since`] returns at most.
const FOLLOW_ROWS: usize = 5000;

/// The newest end of a history.
pub struct Follow<'a> {
    pub(super) worker: &'a mut Worker,
}

impl Follow<'_> {
    /// The cursor from which [`Follow::since`] returns readings that are not written yet.
    ///
    /// # Errors
    /// The file cannot be read.
    pub fn cursor(self) -> Result<i64, StoreError> {
        let file = &self.worker.file;
        let newest = file.connection.query_row(
            "SELECT coalesce(max(seq), 0) FROM sqlite_sequence WHERE name = 'hot'",
            [],
            |row| row.get(0),
        );
        file.reading(newest.map_err(Trouble::from))
    }

    /// The readings that were written since `cursor`.
    ///
    /// # Errors
    /// The file cannot be read.
    pub fn since(self, cursor: i64) -> Result<Followed, StoreError> {
        let read = read_new(self.worker, cursor);
        self.worker.file.reading(read)
    }
}

fn read_new(worker: &mut Worker, cursor: i64) -> Result<Followed, Trouble> {
    type Row = (i64, u32, Arc<str>, i64, Vec<u8>);
    let rows: Vec<Row> = worker
        .file
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
        let plain = worker.file.blobs.open(Of::Buffered(instance, at), &blob);
        let Ok(mut what) = plain.and_then(|plain| pack::happened(&plain)) else { continue };
        let Some(info) = worker.infos.then(&worker.file, instance, &uid, at)? else { continue };
        worker.texts.lend(&worker.file, &mut what)?;
        found.kept.push(Record { info, at: Timestamp::from_ms(at), what });
    }
    Ok(found)
}
