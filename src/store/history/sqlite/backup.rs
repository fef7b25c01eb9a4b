//! A copy of a whole history in one file, there when it is whole. `reader` and `transfer` call it.

use super::file::HistoryFile;
use crate::store::{
    StoreError,
    home::{private_file, whole_file},
};
use std::path::Path;

/// Writes the whole history into the new file `to`, sealed as it is. Other processes may read and write meanwhile. Returns the
/// size in bytes.
///
/// # Errors
/// The file exists already or cannot be written.
pub(super) fn backup(from: &HistoryFile, to: &Path) -> Result<u64, StoreError> {
    whole_file(to, |part| {
        drop(private_file(part)?);
        let copied = from.connection.execute("VACUUM INTO ?1", [part.to_string_lossy()]);
        copied.map_err(StoreError::sqlite("copying the history to", part))?;
        part.metadata().map(|meta| meta.len()).map_err(StoreError::io("writing the backup", part))
    })
}
