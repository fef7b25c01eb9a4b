//! The time line, read: events by instance, kind and time. `reader` hands it out. Those of some instances are found by an index, so
//! that they cost what these instances have, not what the fleet has.

use super::{event_rows::event_of, failure::Trouble, file::HistoryFile};
use crate::{
    model::{base::time::Timestamp, timeline::chart::MarkKind},
    store::{
        StoreError,
        history::{api::EventFilter, event::Event},
    },
};
use rusqlite::params;
use std::sync::Arc;

/// The newest events are returned, at most so many.
pub const MAX_EVENTS: usize = 20_000;

/// The events of all instances, or of more than this, are read by time.
const MAX_INSTANCES: usize = 64;

/// Those that begin before ?1 and end from ?2 on, or not yet.
const BY_TIME: &str =
    "SELECT event.no, instance, uid, kind, start, end, blob FROM event LEFT JOIN instance ON instance.no = instance
        WHERE start < ?1 AND (end IS NULL OR end >= ?2) ORDER BY start DESC";

/// The same, of the instances ?3 and the kinds ?4. The index has all that is asked here, so only rows that are wanted are read.
const BY_INSTANCE: &str =
    "SELECT event.no, instance, uid, kind, start, end, blob FROM event LEFT JOIN instance ON instance.no = instance
        WHERE event.no IN (
            SELECT no FROM event WHERE instance IN (SELECT value FROM json_each(?3))
                AND kind IN (SELECT value FROM json_each(?4)) AND end >= ?2 AND start < ?1
            UNION ALL
            SELECT no FROM event WHERE instance IN (SELECT value FROM json_each(?3))
                AND kind IN (SELECT value FROM json_each(?4)) AND end IS NULL AND start < ?1)
        ORDER BY start DESC";

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
    let kinds: Vec<u8> = filter.kinds.iter().map(|kind| kind.code()).collect();
    let is_by_instance = (1..=MAX_INSTANCES).contains(&filter.uids.len());
    let mut statement = from.connection.prepare_cached(if is_by_instance { BY_INSTANCE } else { BY_TIME })?;
    let mut rows = if is_by_instance {
        // 0: events of the whole fleet are events of each instance.
        let mut instances = vec![0];
        for uid in &filter.uids {
            instances.extend(from.number(uid)?);
        }
        let every = MarkKind::ALL.map(MarkKind::code);
        let kinds = if kinds.is_empty() { &every[..] } else { &kinds[..] };
        statement.query(params![to, since, json(&instances), json(kinds)])?
    } else {
        statement.query(params![to, since])?
    };
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

/// Numbers as SQLite takes a list of them.
fn json<T: ToString>(numbers: &[T]) -> String {
    format!("[{}]", numbers.iter().map(T::to_string).collect::<Vec<_>>().join(","))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::history::{Engine, Options};

    #[test]
    fn the_events_of_an_instance_are_found_by_an_index() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("history.db");
        drop(Engine::open(&path, None, Options::default()).unwrap());
        let file = HistoryFile::open(&path, None).unwrap();
        let mut plan = file.connection.prepare(&format!("EXPLAIN QUERY PLAN {BY_INSTANCE}")).unwrap();
        let steps: Vec<String> = plan
            .query_map(params![0, 0, "[1,0]", "[3,4]"], |row| row.get(3))
            .unwrap()
            .map(Result::unwrap)
            .collect();
        let index = "COVERING INDEX event_of (instance=? AND kind=? AND end";
        assert_eq!(steps.iter().filter(|s| s.contains(index)).count(), 2, "{steps:#?}");
        assert!(!steps.iter().any(|s| s.starts_with("SCAN event")), "{steps:#?}");
    }
}
