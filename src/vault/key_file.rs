//! Key files, and the same text handed over as a systemd credential: one line, `dbtop-key-v1:` and 64 hexadecimal digits.

use super::{
    VaultError,
    keys::{self, Key},
};
use std::{
    fs::{self, File, OpenOptions},
    io::{ErrorKind, Read, Write},
    path::Path,
};
use zeroize::Zeroizing;

const MARK: &str = "dbtop-key-v1:";
const DIGITS: usize = 64;
/// The most bytes that are read: a longer file is the wrong one.
const MOST_BYTES: u64 = 4096;

/// The guard of a file's permissions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Guard {
    /// its own mode: nobody but the owner, who must be us
    Mode,
    /// systemd, which keeps credentials in a folder of the service, with access lists that a mode cannot show
    Systemd,
}

/// Reads a key.
///
/// # Errors
/// [`VaultError::NoKeyFile`], [`VaultError::WideKeyFile`], [`VaultError::ForeignKeyFile`], [`VaultError::BadKeyFile`],
/// [`VaultError::KeyFileIo`].
pub(super) fn read(path: &Path, guard: Guard) -> Result<Key, VaultError> {
    let failed = |source: std::io::Error| match source.kind() {
        ErrorKind::NotFound => VaultError::NoKeyFile { path: path.to_owned() },
        _ => VaultError::KeyFileIo { doing: "reading", path: path.to_owned(), source },
    };
    let bad = |why| VaultError::BadKeyFile { path: path.to_owned(), why };
    // Opening a pipe would wait for its writer.
    if !fs::metadata(path).map_err(failed)?.is_file() {
        return Err(bad("it is no regular file"));
    }
    let file = File::open(path).map_err(failed)?;
    // The permissions of the open file, so that nobody can exchange it in between.
    check_access(path, &file.metadata().map_err(failed)?, guard)?;
    let mut text = Zeroizing::new(Vec::with_capacity(MOST_BYTES as usize + 1));
    file.take(MOST_BYTES + 1).read_to_end(&mut text).map_err(failed)?;
    parse(&text).map_err(bad)
}

/// Reads the key of a new slot, or makes its file if there is none.
///
/// # Errors
/// As [`read`] and [`create`].
pub(super) fn read_or_create(path: &Path) -> Result<Key, VaultError> {
    if path.exists() { read(path, Guard::Mode) } else { create(path) }
}

/// Makes a key file with a new random key. It must not exist yet; only its owner can read it.
///
/// # Errors
/// [`VaultError::KeyFileIo`], also if the file exists.
fn create(path: &Path) -> Result<Key, VaultError> {
    let failed = |source| VaultError::KeyFileIo { doing: "writing", path: path.to_owned(), source };
    let key = keys::random_key()?;
    let mut text = Zeroizing::new(String::with_capacity(MARK.len() + DIGITS + 1));
    text.push_str(MARK);
    for byte in key.iter() {
        for digit in [byte >> 4, byte & 15] {
            text.push(char::from_digit(u32::from(digit), 16).unwrap_or('0'));
        }
    }
    text.push('\n');
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path).map_err(failed)?;
    file.write_all(text.as_bytes()).and_then(|()| file.sync_all()).map_err(|e| {
        // Half a key opens nothing; leave no such file behind.
        let _ = fs::remove_file(path);
        failed(e)
    })?;
    Ok(key)
}

fn parse(text: &[u8]) -> Result<Key, &'static str> {
    let text = std::str::from_utf8(text).map_err(|_| "it is no text")?;
    let digits = text.trim().strip_prefix(MARK).ok_or("it does not start with `dbtop-key-v1:`")?;
    if digits.len() != DIGITS {
        return Err("it is cut off or has too much in it");
    }
    let mut key = Key::default();
    for (byte, pair) in key.iter_mut().zip(digits.as_bytes().chunks_exact(2)) {
        for digit in pair {
            let value = char::from(*digit)
                .to_digit(16)
                .ok_or("it has something else than hexadecimal digits in it")?;
            *byte = *byte << 4 | value as u8;
        }
    }
    Ok(key)
}

#[cfg(unix)]
fn check_access(path: &Path, metadata: &fs::Metadata, guard: Guard) -> Result<(), VaultError> {
    use std::os::unix::fs::MetadataExt;
    let mode = metadata.mode() & 0o7777;
    let forbidden = if guard == Guard::Mode { 0o077 } else { 0o007 };
    if mode & forbidden != 0 {
        return Err(VaultError::WideKeyFile { path: path.to_owned(), mode });
    }
    if guard == Guard::Mode && metadata.uid() != rustix::process::geteuid().as_raw() {
        return Err(VaultError::ForeignKeyFile { path: path.to_owned(), owner: metadata.uid() });
    }
    Ok(())
}

/// Elsewhere the folder's access list decides; a mode does not exist.
#[cfg(not(unix))]
fn check_access(_: &Path, _: &fs::Metadata, _: Guard) -> Result<(), VaultError> {
    Ok(())
}
