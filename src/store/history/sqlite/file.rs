//! One read-only connection to a history: the file, and the seals of its blobs. Every question is asked of it. Short transactions
//! only, so that no reader stands in the way of the writer. `pool` holds as many as there are threads.

use super::{failure::Trouble, schema};
use crate::{
    store::{
        StoreError,
        clock::now,
        history::codec::blobs::{Blobs, Of},
    },
    vault::Sealer,
};
use rusqlite::{Connection, OptionalExtension, params};
use std::path::{Path, PathBuf};

/// An open history that is only read.
pub(super) struct HistoryFile {
    pub path: PathBuf,
    pub connection: Connection,
    pub blobs: Blobs,
}

impl HistoryFile {
    /// Opens the history at `path`.
    ///
    /// # Errors
    /// It is missing, damaged, of another version, of another program, or sealed with another key.
    pub fn open(path: &Path, sealer: Option<Sealer>) -> Result<Self, StoreError> {
        let connection = schema::open_to_read(path)?;
        let blobs = Blobs::new(sealer);
        check_key(&connection, &blobs, path, false)?;
        Ok(Self { path: path.to_owned(), connection, blobs })
    }

    /// One more connection to the same file.
    pub fn again(&self) -> Result<Self, StoreError> {
        let connection = schema::open_to_read(&self.path)?;
        Ok(Self { path: self.path.clone(), connection, blobs: self.blobs.clone() })
    }

    /// Adds to a failed read that this file was read.
    pub fn reading<T>(&self, read: Result<T, Trouble>) -> Result<T, StoreError> {
        read.map_err(|trouble| Trouble::at("reading the history", &self.path)(trouble))
    }

    /// The number of an instance in this file. None: history does not know it.
    pub fn number(&self, uid: &str) -> Result<Option<u32>, Trouble> {
        Ok(self
            .connection
            .prepare_cached("SELECT no FROM instance WHERE uid = ?1")?
            .query_row([uid], |row| row.get(0))
            .optional()?)
    }
}

const WORD: &[u8] = b"dbtop history";

/// Refuses a key that the file is not sealed with. A file without a known word gets one if `write` is true.
pub(super) fn check_key(
    connection: &Connection,
    blobs: &Blobs,
    path: &Path,
    write: bool,
) -> Result<(), StoreError> {
    let failed = || StoreError::sqlite("opening the history", path);
    let found: Option<(bool, Vec<u8>)> = connection
        .query_row("SELECT sealed, word FROM meta", [], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()
        .map_err(failed())?;
    let problem = match found {
        None if write => {
            let word = blobs.close(Of::Check, WORD)?;
            return connection
                .execute("INSERT INTO meta VALUES (1, ?1, ?2, ?3)", params![now().ms(), blobs.sealed(), word])
                .map(drop)
                .map_err(failed());
        }
        None => return Ok(()),
        Some((true, _)) if !blobs.sealed() => "it is sealed: name the tenant that it belongs to",
        Some((false, _)) if blobs.sealed() => {
            "it is not sealed and does not belong to this tenant: look at it without one"
        }
        Some((_, word)) if blobs.open(Of::Check, &word).is_ok_and(|word| word == WORD) => return Ok(()),
        Some((true, _)) => "it is sealed with the key of another tenant",
        Some((false, _)) => "its first page is damaged: put a backup in its place with `dbtop store restore`",
    };
    Err(StoreError::History { path: path.to_owned(), problem: problem.to_owned() })
}
