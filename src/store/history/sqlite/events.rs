//! The time line, read: events by instance, kind and time.

use super::{event_rows::event_of, failure::Trouble, file::HistoryFile};
use crate::{
    model::base::time::Timestamp,
    store::{
        StoreError,
        history::{api::EventFilter, event::Event},
    },
};
use rusqlite::params;
use std::sync::Arc;

/// The newest events are returned, at most so many.
const MAX_EVENTS: usize = 20_000;

/// The events of a history.
pub struct Events<'a> {
    pub(super) file: &'a HistoryFile,
}

impl Events<'_> {
    /// Events that begin before `to` and end at or after `from` or not yet, in the order of time.
    ///
    /// # Errors
    /// The file cannot be read.
    pub fn list(
        self,
        filter: &EventFilter,
        from: Timestamp,
        to: Timestamp,
    ) -> Result<Vec<Event>, StoreError> {
        self.file.reading(read(self.file, filter, (from.ms(), to.ms())))
    }
}

fn read(from: &HistoryFile, filter: &EventFilter, (since, to): (i64, i64)) -> Result<Vec<Event>, Trouble> {
    let mut statement = from.connection.prepare_cached(
        "SELECT event.no, instance, uid, kind, start, end, blob FROM event LEFT JOIN instance ON instance.no = instance
            WHERE start < ?1 AND (end IS NULL OR end >= ?2) ORDER BY start DESC",
    )?;
    let kinds: Vec<u8> = filter.kinds.iter().map(|kind| kind.code()).collect();
    let mut rows = statement.query(params![to, since])?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        let (uid, kind): (Option<Arc<str>>, u8) = (row.get(2)?, row.get(3)?);
        let mine = filter.uids.is_empty() || uid.is_none_or(|uid| filter.uids.contains(&uid));
        if !mine || !kinds.is_empty() && !kinds.contains(&kind) {
            continue;
        }
        found.extend(event_of(row, &from.blobs)?);
        if found.len() == MAX_EVENTS {
            break;
        }
    }
    found.reverse();
    Ok(found)
}
