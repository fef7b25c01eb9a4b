//! One writer at a time: a lock of the operating system on a file, which ends with the process. Called by everything that
//! writes. The file holds the process id of the holder and nothing else.

use super::StoreError;
use std::{
    fs::{File, OpenOptions, TryLockError},
    io::{Read, Seek, Write},
    path::Path,
    time::{Duration, Instant},
};

/// The time that a second writer waits.
pub(super) const PATIENCE: Duration = Duration::from_secs(5);
const BETWEEN_TRIES: Duration = Duration::from_millis(20);

/// Held while something is written; dropping it releases the lock.
pub(super) struct WriteLock {
    _file: File,
}

impl WriteLock {
    /// Takes the lock at `path`; waits up to `patience` for another holder. The error names `what`.
    pub(super) fn take(path: &Path, what: &str, patience: Duration) -> Result<Self, StoreError> {
        let started = Instant::now();
        let mut file = open(path)?;
        loop {
            match file.try_lock() {
                Ok(()) => break,
                Err(TryLockError::WouldBlock) if started.elapsed() < patience => {
                    std::thread::sleep(BETWEEN_TRIES);
                }
                Err(TryLockError::WouldBlock) => {
                    return Err(StoreError::Busy { what: what.to_owned(), pid: holder(&mut file) });
                }
                Err(TryLockError::Error(source)) => return Err(StoreError::io("locking", path)(source)),
            }
        }
        // Without the process id the lock is held all the same: the id is only for messages.
        let _ = file.set_len(0).and_then(|()| file.write_all(std::process::id().to_string().as_bytes()));
        Ok(Self { _file: file })
    }
}

fn open(path: &Path) -> Result<File, StoreError> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path).map_err(StoreError::io("opening the lock", path))
}

fn holder(file: &mut File) -> Option<u32> {
    let mut text = String::new();
    file.rewind().ok()?;
    file.take(16).read_to_string(&mut text).ok()?;
    text.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_second_is_told_who_has_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("tenant.lock");
        let first = WriteLock::take(&path, "tenant a", Duration::ZERO).unwrap();
        let error = WriteLock::take(&path, "tenant a", Duration::from_millis(50)).err().unwrap();
        let text = error.to_string();
        assert!(
            text.contains(&format!("process {}", std::process::id())) && text.contains("tenant a"),
            "{text}"
        );
        drop(first);
        assert!(WriteLock::take(&path, "tenant a", Duration::ZERO).is_ok());
    }
}
