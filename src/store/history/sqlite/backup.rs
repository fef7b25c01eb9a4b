//! A copy of a whole history in one file. `reader` and `transfer` call it.

use super::file::HistoryFile;
use crate::store::{StoreError, home::private_file};
use std::{fs, path::Path};

/// Writes the whole history into the new file `to`, sealed as it is. Other processes may read and write meanwhile. Returns the
/// size in bytes.
///
/// # Errors
/// The file exists already or cannot be written.
pub(super) fn backup(from: &HistoryFile, to: &Path) -> Result<u64, StoreError> {
    drop(private_file(to)?);
    let copied = from.connection.execute("VACUUM INTO ?1", [to.to_string_lossy()]);
    if let Err(error) = copied {
        let _ = fs::remove_file(to);
        return Err(StoreError::sqlite("copying the history to", to)(error));
    }
    let file = fs::File::open(to).map_err(StoreError::io("writing the backup", to))?;
    file.sync_all().map_err(StoreError::io("writing the backup", to))?;
    file.metadata().map(|meta| meta.len()).map_err(StoreError::io("writing the backup", to))
}
