//! A history as a file to carry away: backed up and put back, a stretch of it as a recording, a recording taken in. For `dbtop store`.
//! The audit log of the tenant has an entry of each: what, of which time, and the SHA-256 of the file. Blocks for as long as the disk takes.

use super::file::HistoryFile;
use crate::{
    app::exported::Exported,
    model::base::{figure::counted, time::Timestamp},
    store::{
        file_sha256,
        history::{Copied, Reader, Stretch, copy, restore},
    },
};
use anyhow::{Context, bail};
use std::{
    fmt::Write as _,
    path::{Path, PathBuf},
};

type Period = Option<(Timestamp, Timestamp)>;

impl HistoryFile {
    /// Writes the whole history into a file that is not there yet. Returns its size.
    ///
    /// # Errors
    /// There is no history, the file is there already or cannot be written, or it has no entry in the audit log.
    pub fn back_up(&mut self, file: &Path) -> anyhow::Result<u64> {
        let reader = self.read()?;
        let size = reader.backup(file)?;
        let period = reader.stats().span().ok().flatten();
        self.note("backup", "history", "all of it", period, file)?;
        Ok(size)
    }

    /// Puts a backup in the place of the history. Returns where the old one is.
    ///
    /// # Errors
    /// The backup cannot be used, somebody writes the history, or it has no entry in the audit log.
    pub fn put_back(&mut self, file: &Path) -> anyhow::Result<Option<PathBuf>> {
        let old = restore(file, &self.path, self.sealer.clone())?;
        // It is done, so the log tells of it, whatever can be read of its time.
        let period = self.read().ok().and_then(|reader| reader.stats().span().ok().flatten());
        let scope = match &old {
            Some(old) => format!("all of it; the old one is {}", old.display()),
            None => "all of it".to_owned(),
        };
        self.note("restore", "history", &scope, period, file)?;
        Ok(old)
    }

    /// Copies a stretch of time into a recording that is not sealed.
    ///
    /// # Errors
    /// The file is there already or cannot be written, or it has no entry in the audit log.
    pub fn record(&mut self, reader: &mut Reader, stretch: &Stretch, file: &Path) -> anyhow::Result<Copied> {
        if file.exists() {
            bail!("{} is there already: take another name", file.display());
        }
        let done = copy(reader, file, None, stretch, &mut |_| {}, &mut |_| {})?;
        let scope = counted(done.instances as usize, "instance");
        self.note("export", "recording", &scope, Some((stretch.from, stretch.to)), file)?;
        Ok(done)
    }

    /// Takes a recording in.
    ///
    /// # Errors
    /// It cannot be read or is empty, somebody writes the history, or it has no entry in the audit log.
    pub fn take_in(&mut self, file: &Path) -> anyhow::Result<Copied> {
        let mut recording = Reader::open(file, None)?;
        let Some((from, to)) = recording.stats().span()? else {
            bail!("there is nothing in {}", file.display())
        };
        let stretch = Stretch { uids: Vec::new(), from, to };
        let (path, sealer) = (&self.path, self.sealer.clone());
        let done = copy(&mut recording, path, sealer, &stretch, &mut |_| {}, &mut |_| {})?;
        let mut scope = counted(done.instances as usize, "instance");
        if !done.left_out.is_empty() {
            let _ = write!(scope, ", {} left out", done.left_out.len());
        }
        self.note("import", "recording", &scope, Some((from, to)), file)?;
        Ok(done)
    }

    /// A plain history and a recording have no audit log.
    fn note(
        &mut self,
        action: &str,
        what: &str,
        scope: &str,
        period: Period,
        file: &Path,
    ) -> anyhow::Result<()> {
        let Some(tenant) = &mut self.tenant else { return Ok(()) };
        let sha256 = file_sha256(file)?;
        Exported { what, scope, period, file: Some(file), sha256: &sha256 }
            .note_as(action, tenant)
            .context("it is done, but the audit log does not tell of it")
    }
}
