//! Files that a sub-command reads whole: a plan, a deadlock. At most one byte more than it may have, so that a wrong file costs
//! no memory; the reader of its content refuses it then.

use anyhow::{Context, bail};
use std::{
    fs::File,
    io::{Read as _, stdin},
    path::Path,
};

/// A file's content.
pub struct Input {
    /// How messages call it.
    pub name: String,
    /// What it holds.
    pub bytes: Vec<u8>,
}

/// Reads a file; `-` is standard input.
///
/// # Errors
/// The file is not there or cannot be read.
pub fn read(file: &Path, limit: usize) -> anyhow::Result<Input> {
    let mut bytes = Vec::new();
    let limit = limit as u64 + 1;
    let (name, read) = if file == Path::new("-") {
        ("standard input".to_owned(), stdin().lock().take(limit).read_to_end(&mut bytes))
    } else {
        (name(file), File::open(file).and_then(|open| open.take(limit).read_to_end(&mut bytes)))
    };
    read.with_context(|| format!("reading {name}"))?;
    Ok(Input { name, bytes })
}

/// The same for the screen, which reads keys from standard input.
///
/// # Errors
/// As [`read`], and for standard input.
pub fn read_beside_keys(file: &Path, limit: usize) -> anyhow::Result<Input> {
    if file == Path::new("-") {
        bail!("the screen reads keys from standard input: name a file");
    }
    read(file, limit)
}

/// A file as messages call it.
pub fn name(file: &Path) -> String {
    file.display().to_string()
}
