//! The time line: events asked for by instance, kind and time, and those that the user puts there from another process than
//! the one that collects.

use super::{
    engine::check_key,
    event_rows::{event_of, put_event},
    names::Trouble,
    reader::Reader,
    schema,
};
use crate::store::history::{api::EventFilter, codec::blobs::Blobs, event::Event};
use crate::{
    model::{
        base::time::Timestamp,
        timeline::{chart::MarkKind, event::What},
    },
    store::StoreError,
    vault::Sealer,
};
use rusqlite::{Connection, OptionalExtension, params};
use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

/// More events than this are not given at once: the newest are.
const MAX_EVENTS: usize = 20_000;

impl Reader {
    /// Events that begin before `to` and end at or after `from` or not yet, in the order of time.
    ///
    /// # Errors
    /// The file cannot be read.
    pub fn events(
        &self,
        filter: &EventFilter,
        from: Timestamp,
        to: Timestamp,
    ) -> Result<Vec<Event>, StoreError> {
        self.list(filter, from.ms(), to.ms()).map_err(self.failed())
    }

    fn list(&self, filter: &EventFilter, from: i64, to: i64) -> Result<Vec<Event>, Trouble> {
        let mut statement = self.connection.prepare_cached(
            "SELECT event.no, instance, uid, kind, start, end, blob FROM event LEFT JOIN instance ON instance.no = instance
                WHERE start < ?1 AND (end IS NULL OR end >= ?2) ORDER BY start DESC",
        )?;
        let kinds: Vec<u8> = filter.kinds.iter().map(|kind| kind.code()).collect();
        let mut rows = statement.query(params![to, from])?;
        let mut found = Vec::new();
        while let Some(row) = rows.next()? {
            let (uid, kind): (Option<Arc<str>>, u8) = (row.get(2)?, row.get(3)?);
            let mine = filter.uids.is_empty() || uid.is_none_or(|uid| filter.uids.contains(&uid));
            if !mine || !kinds.is_empty() && !kinds.contains(&kind) {
                continue;
            }
            found.extend(event_of(row, &self.blobs)?);
            if found.len() == MAX_EVENTS {
                break;
            }
        }
        found.reverse();
        Ok(found)
    }
}

/// Writes events of the user into a history that another process may be writing: one short transaction each.
pub struct Marks {
    path: PathBuf,
    connection: Connection,
    blobs: Blobs,
}

impl Marks {
    /// Opens the history at `path`, which is there already.
    ///
    /// # Errors
    /// As [`Reader::open`].
    pub fn open(path: &Path, sealer: Option<Sealer>) -> Result<Self, StoreError> {
        drop(Reader::open(path, sealer.clone())?);
        let connection = schema::open_or_create(path, schema::STEPS)?;
        let blobs = Blobs::new(sealer);
        check_key(&connection, &blobs, path, false)?;
        Ok(Self { path: path.to_owned(), connection, blobs })
    }

    /// Puts an event on the time line, or a newer version of it. An incident prolongs the one that it overlaps. Gives what
    /// was written.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn put(&self, event: &Event) -> Result<Event, StoreError> {
        self.write(event).map_err(Trouble::at("writing an event to the history", &self.path))
    }

    fn write(&self, event: &Event) -> Result<Event, Trouble> {
        let instance: Option<u32> = match &event.uid {
            None => Some(0),
            Some(uid) => self
                .connection
                .prepare_cached("SELECT no FROM instance WHERE uid = ?1")?
                .query_row([uid], |row| row.get(0))
                .optional()?,
        };
        let instance = instance.unwrap_or(0);
        let before = if event.kind == MarkKind::Incident { self.incident(instance, event)? } else { None };
        let event = before.unwrap_or_else(|| event.clone());
        put_event(&self.connection, &self.blobs, instance, &event)?;
        Ok(event)
    }

    /// The newest incident of the instance, prolonged by this one. None: they have nothing to do with each other.
    fn incident(&self, instance: u32, event: &Event) -> Result<Option<Event>, Trouble> {
        let mut statement = self.connection.prepare_cached(
            "SELECT event.no, instance, uid, kind, start, end, blob FROM event LEFT JOIN instance ON instance.no = instance
                WHERE kind = 6 AND instance = ?1 AND start <= ?2 AND event.no <> ?3 ORDER BY start DESC LIMIT 1",
        )?;
        let to = event.to.unwrap_or(event.at);
        let mut rows = statement.query(params![instance, to.ms(), event.no])?;
        let newest = rows.next()?.map(|row| event_of(row, &self.blobs)).transpose()?.flatten();
        Ok(newest.and_then(|newest| newest.with(event)))
    }

    /// Takes an event away. False: it was not there.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn remove(&self, no: i64) -> Result<bool, StoreError> {
        self.connection
            .execute("DELETE FROM event WHERE no = ?1", [no])
            .map(|gone| gone > 0)
            .map_err(StoreError::sqlite("writing the history", &self.path))
    }
}

impl Event {
    /// A note of the user, at an instant, for an instance or the whole fleet.
    pub fn bookmark(uid: Option<Arc<str>>, at: Timestamp, note: &str) -> Self {
        Self {
            no: crate::store::history::tracker::event_no(),
            uid,
            kind: MarkKind::Bookmark,
            at,
            to: Some(at),
            what: What::Note(note.into()),
            episode: None,
        }
    }
}
