//! The file of a fleet's history and the key that opens it: for the service that keeps it, and the sub-commands that read it.

use crate::{
    app::{
        attach::run_folder::RunFolder,
        inventory::open::{locked, unlock_unasked, unlocked},
        log::make_folder,
        prompt::Prompt,
        selection::Selection,
    },
    store::{
        Home, Tenant, current_author,
        history::{Options, Reader},
    },
    vault::Sealer,
};
use anyhow::{Context, bail};
use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

pub use crate::store::HISTORY_FILE as FILE;

/// Where the history service finds what belongs to a fleet.
pub struct Location {
    /// where the collector's lock and heartbeat are
    pub folder: PathBuf,
    /// the history
    pub file: PathBuf,
    /// None: it is not sealed, as a plain inventory is not
    pub sealer: Option<Sealer>,
    /// the tenant's limit, beside that of the configuration
    pub max_bytes: Option<u64>,
}

impl Location {
    /// These options, within the tenant's limit.
    pub fn within(&self, mut options: Options) -> Options {
        options.max_bytes = self.max_bytes.map_or(options.max_bytes, |most| most.min(options.max_bytes));
        options
    }

    /// Those of an inventory file. Its collector's state goes with the session, its history stays.
    ///
    /// # Errors
    /// No folder for data.
    pub fn plain(place: &RunFolder) -> anyhow::Result<Self> {
        let folder = plain_folder(place)?;
        make_folder(&folder).with_context(|| format!("making the folder {}", folder.display()))?;
        Ok(Self { folder: place.folder.clone(), file: folder.join(FILE), sealer: None, max_bytes: None })
    }

    /// Those of an open tenant.
    pub fn of_tenant(file: &Path, sealer: Sealer, max_bytes: Option<u64>) -> Self {
        let folder = file.parent().map_or_else(PathBuf::default, Path::to_path_buf);
        Self { file: folder.join(FILE), folder, sealer: Some(sealer), max_bytes }
    }

    /// Those of a recording, which nobody collects.
    pub const fn of_recording(file: PathBuf) -> Self {
        Self { folder: PathBuf::new(), file, sealer: None, max_bytes: None }
    }
}

fn plain_folder(place: &RunFolder) -> anyhow::Result<PathBuf> {
    Ok(Home::find()?.data().join("plain").join(&place.name))
}

/// A history's file and its key.
pub struct HistoryFile {
    /// the file
    pub path: PathBuf,
    /// None: it is not sealed
    pub sealer: Option<Sealer>,
    /// whose it is: its audit log tells of exports; None: nobody's
    pub tenant: Option<Tenant>,
}

impl HistoryFile {
    /// The selected history: this file, an inventory file's, or the tenant's, whose vault is opened.
    ///
    /// # Errors
    /// No such tenant, or its vault stays closed; a demo has none.
    pub fn find(
        named: Option<&Path>,
        selection: &Selection,
        prompt: &mut dyn Prompt,
    ) -> anyhow::Result<Self> {
        if let Some(path) = named {
            return Ok(Self { path: path.to_owned(), sealer: None, tenant: None });
        }
        if selection.demo.is_some() {
            bail!("the history of a demo ends with it: name a tenant, --inventory or --history");
        }
        if selection.inventory.is_some() {
            let folder = plain_folder(&RunFolder::find(selection)?)?;
            return Ok(Self { path: folder.join(FILE), sealer: None, tenant: None });
        }
        let mut tenant = unlocked(selection, prompt)?;
        let folder = tenant.path().parent().context("a tenant's file lies in a folder")?.to_owned();
        let sealer = tenant.history_key(&current_author())?;
        Ok(Self { path: folder.join(FILE), sealer: Some(sealer), tenant: Some(tenant) })
    }

    /// Opens it.
    ///
    /// # Errors
    /// There is none yet; those of [`Reader::open`].
    pub fn read(&self) -> anyhow::Result<Reader> {
        if !self.path.exists() {
            bail!("there is no history at {} yet: it is made when a fleet is collected", self.path.display());
        }
        Ok(Reader::open(&self.path, self.sealer.clone())?)
    }
}

/// The history of the selected fleet, for a command that can do without it: nobody is asked for a passphrase, and nothing is made. None:
/// there is none, or it does not open.
pub fn beside(selection: &Selection) -> Option<Reader> {
    if selection.demo.is_some() {
        return None;
    }
    if selection.inventory.is_some() {
        let file = plain_folder(&RunFolder::find(selection).ok()?).ok()?.join(FILE);
        return if file.exists() { Reader::open(&file, None).ok() } else { None };
    }
    let locked = locked(selection).ok()?;
    let file = locked.folder().join(FILE);
    if !file.exists() {
        return None;
    }
    let sealer = unlock_unasked(selection, &locked).ok()?.history_key(&current_author()).ok()?;
    Reader::open(&file, Some(sealer)).ok()
}

/// The ids of these instances in history.
///
/// # Errors
/// It does not know one of them.
pub fn uids(reader: &mut Reader, names: &[String]) -> anyhow::Result<Vec<Arc<str>>> {
    let known = reader.instances().all()?;
    let find = |name: &String| {
        let found = known.iter().find(|info| info.id.as_str().eq_ignore_ascii_case(name));
        found.map(|info| info.uid.clone()).with_context(|| format!("history knows no instance {name}"))
    };
    names.iter().map(find).collect()
}
