//! The folders of dbtop's files, which nobody else can read: folders 0700, files 0600. On Windows the profile's own rights
//! protect the files; modes are not checked there.

use super::StoreError;
use crate::{model::base::time::Timestamp, vault};
use sha2::{Digest, Sha256};
use std::{
    fs::{self, File, OpenOptions},
    io::{ErrorKind, Read},
    path::{Path, PathBuf},
};

/// The name of a history's file in its folder.
pub const HISTORY_FILE: &str = "history.db";

/// The folders of dbtop. `DBTOP_HOME` stands for all of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Home {
    config: PathBuf,
    data: PathBuf,
    log: PathBuf,
}

impl Home {
    /// `$DBTOP_HOME`, else the platform's folders.
    ///
    /// # Errors
    /// [`StoreError::NoHome`] if the platform names none.
    pub fn find() -> Result<Self, StoreError> {
        if let Some(folder) = std::env::var_os("DBTOP_HOME").filter(|folder| !folder.is_empty()) {
            return Ok(Self::at(Path::new(&folder)));
        }
        let platform = directories::ProjectDirs::from("", "", "dbtop").ok_or(StoreError::NoHome)?;
        Ok(Self {
            config: platform.config_dir().to_owned(),
            data: platform.data_local_dir().to_owned(),
            log: platform.state_dir().unwrap_or_else(|| platform.data_local_dir()).join("log"),
        })
    }

    /// One folder for everything.
    pub fn at(folder: &Path) -> Self {
        Self { config: folder.to_owned(), data: folder.to_owned(), log: folder.join("log") }
    }

    /// The folder of `config.toml`.
    pub fn config(&self) -> &Path {
        &self.config
    }

    /// The folder of data: the tenants.
    pub fn data(&self) -> &Path {
        &self.data
    }

    /// The folder of log files.
    pub fn log(&self) -> &Path {
        &self.log
    }

    /// The folder of the tenants; made, with the folders above it, if it is not there.
    ///
    /// # Errors
    /// [`StoreError::Wide`] if others can enter it, [`StoreError::Io`] if it cannot be made.
    pub fn tenants(&self) -> Result<PathBuf, StoreError> {
        private_folder(&self.data)?;
        let tenants = self.data.join("tenants");
        private_folder(&tenants)?;
        Ok(tenants)
    }

    /// The folder of backups that nobody gave a file; made as [`Home::tenants`] is.
    ///
    /// # Errors
    /// As [`Home::tenants`].
    pub fn backups(&self) -> Result<PathBuf, StoreError> {
        private_folder(&self.data)?;
        let backups = self.data.join("backups");
        private_folder(&backups)?;
        Ok(backups)
    }
}

/// Makes a folder that only its owner can enter; refuses one that others can.
pub(super) fn private_folder(path: &Path) -> Result<(), StoreError> {
    if !path.exists() {
        let mut builder = fs::DirBuilder::new();
        builder.recursive(true);
        #[cfg(unix)]
        std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
        builder.create(path).map_err(StoreError::io("making the folder", path))?;
    }
    check_mode(path, 0o700)
}

/// Makes a file that only its owner can read; it must not be there yet.
pub(super) fn private_file(path: &Path) -> Result<File, StoreError> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path).map_err(StoreError::io("making the file", path))
}

/// Makes a new file that is there whole or not at all. `write` fills another one beside it, which is brought to the disk and
/// renamed; a process that is killed leaves that one, whose name ends in `.part`.
///
/// # Errors
/// The file is there already; those of `write`; the disk fails. Then there is no file.
pub(super) fn whole_file<T>(
    path: &Path,
    write: impl FnOnce(&Path) -> Result<T, StoreError>,
) -> Result<T, StoreError> {
    let failed = || StoreError::io("writing", path);
    if path.exists() {
        return Err(failed()(ErrorKind::AlreadyExists.into()));
    }
    let mut part = path.as_os_str().to_owned();
    part.push(format!(".{}.part", vault::random_id()?.short()));
    let part = PathBuf::from(part);
    let written = write(&part).and_then(|value| {
        File::open(&part).and_then(|file| file.sync_all()).map_err(failed())?;
        fs::rename(&part, path).map_err(failed())?;
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
        if let Err(error) = sync_folder(folder.unwrap_or(Path::new("."))) {
            // It may be gone after a power cut, so it is not said to be there.
            let _ = fs::remove_file(path);
            return Err(error);
        }
        Ok(value)
    });
    if written.is_err() {
        let _ = fs::remove_file(&part);
    }
    written
}

/// Free bytes of the disk for this user. None: the system does not say.
pub(super) fn free_bytes(folder: &Path) -> Option<u64> {
    #[cfg(unix)]
    {
        let disk = rustix::fs::statvfs(folder).ok()?;
        Some(disk.f_bavail.saturating_mul(disk.f_frsize))
    }
    #[cfg(not(unix))]
    {
        let _ = folder;
        None
    }
}

/// Bytes of a tenant's files: all of its folder.
pub(super) fn size(folder: &Path) -> u64 {
    let files = fs::read_dir(folder).into_iter().flatten().flatten();
    files.filter_map(|file| file.metadata().ok()).filter(fs::Metadata::is_file).map(|meta| meta.len()).sum()
}

/// Bytes of the history in a tenant's folder, its log included. None: there is none.
pub(super) fn history_size(folder: &Path) -> Option<u64> {
    let bytes = |ending| fs::metadata(folder.join(format!("{HISTORY_FILE}{ending}"))).map(|meta| meta.len());
    Some(bytes("").ok()? + bytes("-wal").unwrap_or(0))
}

/// When a file of a tenant was written last, by the clock of the disk. Empty files are left out: SQLite makes them to read.
pub(super) fn written_last(folder: &Path) -> Option<Timestamp> {
    let files = [super::tenant::FILE, HISTORY_FILE]
        .iter()
        .flat_map(|file| ["", "-wal"].map(|end| format!("{file}{end}")));
    let written = files.filter_map(|file| {
        let meta = fs::metadata(folder.join(file)).ok().filter(|meta| meta.len() > 0)?;
        let since = meta.modified().ok()?.duration_since(std::time::UNIX_EPOCH).ok()?;
        i64::try_from(since.as_millis()).ok().map(Timestamp::from_ms)
    });
    written.max()
}

/// SHA-256 in hexadecimal.
pub fn sha256(bytes: &[u8]) -> String {
    hex(&Sha256::digest(bytes))
}

/// SHA-256 of a file, in hexadecimal.
///
/// # Errors
/// It cannot be read.
pub fn file_sha256(path: &Path) -> Result<String, StoreError> {
    let mut hash = Sha256::new();
    let failed = || StoreError::io("reading", path);
    let (mut file, mut piece) = (File::open(path).map_err(failed())?, vec![0; 1 << 16]);
    loop {
        match file.read(&mut piece).map_err(failed())? {
            0 => break,
            n => hash.update(&piece[..n]),
        }
    }
    Ok(hex(&hash.finalize()))
}

/// Bytes in hexadecimal.
pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(2 * bytes.len()), |mut text, byte| {
        use std::fmt::Write as _;
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// Refuses a file or folder that others can read or write.
pub(super) fn check_mode(path: &Path, wanted: u32) -> Result<(), StoreError> {
    #[cfg(unix)]
    {
        let meta = fs::metadata(path).map_err(StoreError::io("looking at", path))?;
        let mode = std::os::unix::fs::PermissionsExt::mode(&meta.permissions()) & 0o777;
        if mode & 0o077 != 0 {
            return Err(StoreError::Wide { path: path.to_owned(), mode, wanted });
        }
    }
    let _ = (path, wanted);
    Ok(())
}

/// Makes renames and new files in a folder survive a power cut.
pub(super) fn sync_folder(path: &Path) -> Result<(), StoreError> {
    if cfg!(unix) {
        File::open(path).and_then(|folder| folder.sync_all()).map_err(StoreError::io("writing", path))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_there_whole_or_not_at_all() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.backup");
        let names = || -> Vec<String> {
            let files = fs::read_dir(folder.path()).unwrap();
            files.map(|file| file.unwrap().file_name().into_string().unwrap()).collect()
        };
        let half = |part: &Path| -> Result<(), StoreError> {
            fs::write(part, b"half").unwrap();
            assert!(!path.exists() && part.to_string_lossy().ends_with(".part"), "{}", part.display());
            Err(StoreError::NotOpen)
        };
        assert!(whole_file(&path, half).is_err());
        assert_eq!(names(), [""; 0]);
        let whole = |part: &Path| fs::write(part, b"whole").map_err(StoreError::io("writing", part));
        whole_file(&path, whole).unwrap();
        assert_eq!(names(), ["a.backup"]);
        assert!(whole_file(&path, |_| Ok(())).is_err(), "never over an older one");
        assert_eq!(fs::read(&path).unwrap(), b"whole");
    }

    #[cfg(unix)]
    #[test]
    fn what_others_can_read_is_refused_with_the_command_that_mends_it() {
        use std::os::unix::fs::PermissionsExt;
        let home = tempfile::tempdir().unwrap();
        let data = home.path().join("d");
        let tenants = Home::at(&data).tenants().unwrap();
        assert_eq!(fs::metadata(&tenants).unwrap().permissions().mode() & 0o777, 0o700);
        fs::set_permissions(&data, fs::Permissions::from_mode(0o750)).unwrap();
        let error = Home::at(&data).tenants().unwrap_err().to_string();
        assert!(error.contains(&format!("chmod 700 {}", data.display())) && error.contains("750"), "{error}");
        let file = data.join("f");
        private_file(&file).unwrap();
        assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
        assert!(private_file(&file).is_err(), "an existing file is never taken over");
    }

    #[test]
    fn the_size_of_a_tenant_is_that_of_its_files() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!((size(folder.path()), history_size(folder.path())), (0, None));
        fs::write(folder.path().join(format!("{HISTORY_FILE}-wal")), [0; 10]).unwrap();
        assert_eq!(history_size(folder.path()), None, "a log alone is no history");
        fs::write(folder.path().join(HISTORY_FILE), [0; 300]).unwrap();
        fs::write(folder.path().join("other"), [0; 5]).unwrap();
        fs::create_dir(folder.path().join("folder")).unwrap();
        assert_eq!((size(folder.path()), history_size(folder.path())), (315, Some(310)));
        assert_eq!(size(&folder.path().join("nowhere")), 0);
    }
}
