//! The open history of one fleet: its file and its reader.

use super::file::Location;
use crate::store::{StoreError, history::Reader};

/// A history. Its reader is opened with the first question.
pub(super) struct Archive {
    /// where it lies
    pub location: Location,
    reader: Option<Reader>,
}

impl Archive {
    /// Opens nothing yet.
    pub const fn new(location: Location) -> Self {
        Self { location, reader: None }
    }

    /// The reader.
    pub fn reader(&mut self) -> Result<&mut Reader, StoreError> {
        let reader = match self.reader.take() {
            Some(reader) => reader,
            None => Reader::open(&self.location.file, self.location.sealer.clone())?,
        };
        Ok(self.reader.insert(reader))
    }

    /// Closes the reader: the file may be replaced soon.
    pub fn let_go(&mut self) {
        self.reader = None;
    }

    /// Why it could not be read. Opens the file anew, for two reasons: it may have been changed under the old reader, and an
    /// unreadable disk shows only then; in the middle of a statement SQLite takes it for a damaged file.
    pub fn unread(&mut self, error: StoreError) -> StoreError {
        self.let_go();
        self.reader().err().unwrap_or(error)
    }
}
