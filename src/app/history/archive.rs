//! The open history of one fleet: where it lies, and who reads it.

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

    /// Who reads it.
    pub fn reader(&mut self) -> Result<&mut Reader, StoreError> {
        let reader = match self.reader.take() {
            Some(reader) => reader,
            None => Reader::open(&self.location.file, self.location.sealer.clone())?,
        };
        Ok(self.reader.insert(reader))
    }

    /// Closes the reader: the file may be another one soon.
    pub fn let_go(&mut self) {
        self.reader = None;
    }

    /// Why it could not be read. The file is opened anew: it may have been changed under the old reader. And a disk that cannot
    /// be read says so only there: in the middle of a statement SQLite takes it for a damaged file.
    pub fn unread(&mut self, error: StoreError) -> StoreError {
        self.let_go();
        self.reader().err().unwrap_or(error)
    }
}
