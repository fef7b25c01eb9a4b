//! Texts of statements by their identity, kept unpacked after the first read. Each worker of the read pool has its own.

use super::{failure::Trouble, file::HistoryFile};
use crate::{
    model::{
        poll::statement::{SqlText, TextId},
        timeline::record::Recorded,
    },
    store::history::codec::{blobs::Of, pack},
};
use rusqlite::OptionalExtension;
use std::{collections::HashMap, sync::Arc};

/// Texts that are kept unpacked. When there are so many, all are dropped.
const MAX_TEXTS: usize = 8192;
/// A longer text is read again each time, bytes: long reports of deadlocks.
const MAX_BYTES: usize = 64 << 10;

/// The texts that were read.
#[derive(Default)]
pub(super) struct Texts {
    known: HashMap<TextId, Arc<SqlText>>,
}

impl Texts {
    /// A text by its identity. None: the file has none, or none any more. The next call asks the file again.
    pub fn find(&mut self, from: &HistoryFile, id: TextId) -> Result<Option<Arc<SqlText>>, Trouble> {
        if let Some(text) = self.known.get(&id) {
            return Ok(Some(text.clone()));
        }
        let key = pack::text_id(id);
        let blob: Option<Vec<u8>> = from
            .connection
            .prepare_cached("SELECT blob FROM text WHERE id = ?1")?
            .query_row([key], |row| row.get(0))
            .optional()?;
        let plain = blob.and_then(|blob| from.blobs.open(Of::Text(key), &blob).ok());
        let text = plain.and_then(|plain| pack::text(&plain).ok()).map(Arc::new);
        if self.known.len() >= MAX_TEXTS {
            self.known.clear();
        }
        if let Some(text) = text.as_ref().filter(|text| text.batch.len() <= MAX_BYTES) {
            self.known.insert(id, text.clone());
        }
        Ok(text)
    }

    /// Puts the texts that the file has into their places.
    pub fn lend(&mut self, from: &HistoryFile, what: &mut Recorded) -> Result<(), Trouble> {
        let mut wanted = Vec::new();
        what.each_statement(&mut |statement| wanted.push(statement.text.id()));
        let mut texts = HashMap::new();
        for id in wanted {
            if let Some(text) = self.find(from, id)? {
                texts.insert(id, text);
            }
        }
        if !texts.is_empty() {
            what.lend_texts(&mut |id| texts.get(&id).cloned());
        }
        Ok(())
    }
}
