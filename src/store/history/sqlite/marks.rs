//! Events that the user puts on the time line from another process than the one that collects: bookmarks, frozen incidents.

use super::{
    event_rows::{event_of, put_event},
    failure::Trouble,
    file::{HistoryFile, check_key},
    schema,
};
use crate::{
    model::timeline::chart::MarkKind,
    store::{
        StoreError,
        history::{codec::blobs::Blobs, event::Event},
    },
    vault::Sealer,
};
use rusqlite::{Connection, OptionalExtension, params};
use std::path::{Path, PathBuf};

/// Writes events of the user into a history that another process may be writing: one short transaction each.
pub struct Marks {
    path: PathBuf,
    connection: Connection,
    blobs: Blobs,
}

impl Marks {
    /// Opens the history at `path`, which exists already.
    ///
    /// # Errors
    /// As [`super::Reader::open`].
    pub fn open(path: &Path, sealer: Option<Sealer>) -> Result<Self, StoreError> {
        drop(HistoryFile::open(path, sealer.clone())?);
        let connection = schema::open_or_create(path, schema::STEPS)?;
        let blobs = Blobs::new(sealer);
        check_key(&connection, &blobs, path, false)?;
        Ok(Self { path: path.to_owned(), connection, blobs })
    }

    /// Puts an event on the time line, or a newer version of it. An incident prolongs the one that it overlaps. Returns the
    /// event as it was written.
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

    /// The newest incident of the instance, prolonged by this one. None: the two do not overlap.
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

    /// Takes an event away. False: the history has no such event.
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
