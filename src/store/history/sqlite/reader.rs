//! The reader of a history: owns the connections, and hands out one small type for each kind of question. Has no logic of its own.
//! Every question blocks: ask it outside of the async threads.

use super::{
    backup, charts::Charts, check, events::Events, file::HistoryFile, follow::Follow,
    instances::KnownInstances, pool::ReadPool, states::States, stats::Stats,
};
use crate::{
    model::poll::statement::{SqlText, TextId},
    store::{StoreError, history::api::Checked},
    vault::Sealer,
};
use std::{path::Path, sync::Arc};

/// A history, open for reading.
pub struct Reader {
    pool: ReadPool,
}

impl Reader {
    /// Opens the history at `path`.
    ///
    /// # Errors
    /// It is missing, damaged, of another version, of another program, or sealed with another key.
    pub fn open(path: &Path, sealer: Option<Sealer>) -> Result<Self, StoreError> {
        Ok(Self { pool: ReadPool::new(HistoryFile::open(path, sealer)?) })
    }

    const fn file(&self) -> &HistoryFile {
        &self.pool.first.file
    }

    /// The path of the file.
    pub fn path(&self) -> &Path {
        &self.file().path
    }

    /// The instances that history knows.
    pub const fn instances(&mut self) -> KnownInstances<'_> {
        KnownInstances { pool: &mut self.pool }
    }

    /// States at an instant, and readings between two.
    pub const fn states(&mut self) -> States<'_> {
        States { pool: &mut self.pool }
    }

    /// Series as charts and as points.
    pub const fn charts(&self) -> Charts<'_> {
        Charts { file: self.file() }
    }

    /// The time line.
    pub const fn events(&self) -> Events<'_> {
        Events { file: self.file() }
    }

    /// Readings that the collector has just written.
    pub const fn follow(&mut self) -> Follow<'_> {
        Follow { worker: &mut self.pool.first }
    }

    /// Sizes, and how far the history reaches.
    pub const fn stats(&self) -> Stats<'_> {
        Stats { file: self.file() }
    }

    /// The text of a statement by its identity. None: the history has none, or none any more.
    ///
    /// # Errors
    /// The file cannot be read.
    pub fn text(&mut self, id: TextId) -> Result<Option<Arc<SqlText>>, StoreError> {
        let worker = &mut self.pool.first;
        worker.file.reading(worker.texts.find(&worker.file, id))
    }

    /// Checks SQLite's own structure and every row. [`Checked::words`] also names a file that SQLite cannot walk.
    ///
    /// # Errors
    /// Not even the first page can be read.
    pub fn check(&self) -> Result<Checked, StoreError> {
        check::check(self.file())
    }

    /// Writes the whole history into the new file `to`, sealed as it is. Other processes may read and write meanwhile. Returns
    /// the size in bytes.
    ///
    /// # Errors
    /// The file exists already or cannot be written.
    pub fn backup(&self, to: &Path) -> Result<u64, StoreError> {
        backup::backup(self.file(), to)
    }
}
