//! A recording that is played: a history that is not sealed, opened for reading only. It is checked before the terminal is
//! taken, so that an error can be read. `screen` and `once` open it.

use crate::{
    app::selection::Selection,
    model::{base::time::Timestamp, inventory::instance::InstanceInfo},
    store::{StoreError, history::Reader},
};
use anyhow::{Context, bail};
use std::{
    ffi::OsStr,
    fs::File,
    io::{ErrorKind, Read},
    path::{Path, PathBuf},
    sync::Arc,
};

/// The first bytes of every SQLite file (<https://www.sqlite.org/fileformat.html>).
const MAGIC: &[u8; 16] = b"SQLite format 3\0";

/// A recording that was checked and can be read.
pub struct Recording {
    /// the file
    pub file: PathBuf,
    /// the first instant that states are known of
    pub from: Timestamp,
    /// and the last
    pub to: Timestamp,
    /// the instances, as they were at the end
    pub infos: Vec<Arc<InstanceInfo>>,
}

impl Recording {
    /// The recording that the command line names. A fleet named beside it is refused; one in the environment is the everyday
    /// default and is ignored.
    ///
    /// # Errors
    /// Two are named; and those of [`Recording::open`].
    pub fn named(file: Option<&Path>, selection: &Selection) -> anyhow::Result<Option<Self>> {
        let Some(file) = file else { return Ok(None) };
        let is_usual = |name: &str, value: &OsStr| std::env::var_os(name).is_some_and(|usual| usual == value);
        let inventory = selection.inventory.as_ref().map(|file| file.as_os_str());
        let tenant = selection.tenant.as_ref().map(OsStr::new);
        if inventory.is_some_and(|file| !is_usual("DBTOP_INVENTORY", file))
            || tenant.is_some_and(|name| !is_usual("DBTOP_TENANT", name))
        {
            bail!("--replay shows what is in {}: leave --inventory and --tenant out", file.display());
        }
        Self::open(file).map(Some)
    }

    /// Opens the file of `dbtop store export-range`, or any other history that is not sealed.
    ///
    /// # Errors
    /// It is not there, no history of dbtop, sealed, damaged, of another version, or there is nothing in it.
    pub fn open(file: &Path) -> anyhow::Result<Self> {
        if !file.is_file() {
            bail!("there is no recording {}: `dbtop store export-range` makes one", file.display());
        }
        let mut head = [0; MAGIC.len()];
        let read = File::open(file).and_then(|mut file| file.read_exact(&mut head));
        match read {
            Err(e) if e.kind() != ErrorKind::UnexpectedEof => {
                return Err(e).with_context(|| format!("opening the recording {}", file.display()));
            }
            Ok(()) if head == *MAGIC => {}
            _ => bail!("{} is no recording of dbtop, or its first page is damaged", file.display()),
        }
        let open = || -> anyhow::Result<Self> {
            let mut reader = Reader::open(file, None)?;
            let infos = reader.instances().all()?;
            let Some((from, to)) = reader.stats().span()?.filter(|_| !infos.is_empty()) else {
                bail!("there is nothing in {}", file.display());
            };
            // The screen starts at the end, so the end must be readable.
            let uids: Vec<Arc<str>> = infos.iter().map(|info| Arc::clone(&info.uid)).collect();
            let last = reader.states().at(&uids, to)?;
            if let Some(first) = last.damaged.first().filter(|_| last.kept.is_empty()) {
                bail!("{} is damaged: {first} cannot be read", file.display());
            }
            // A state block may end later by its window than by its last reading.
            let to = last.kept.iter().map(|kept| kept.at).max().unwrap_or(to);
            Ok(Self { file: file.to_owned(), from, to, infos })
        };
        open().context("opening the recording")
    }

    /// The reader.
    ///
    /// # Errors
    /// It has gone since.
    pub fn reader(&self) -> Result<Reader, StoreError> {
        Reader::open(&self.file, None)
    }

    /// Its file's name.
    pub fn name(&self) -> String {
        self.file.file_name().unwrap_or_default().to_string_lossy().into_owned()
    }
}
