//! Volumes that hold database files. Linux tells no mount points: there a volume has the name of a folder on it, that of its oldest
//! database, and knows its files by their folders.

use super::{
    id::{Emit, Metric, ProbeId, whole},
    names::{Field, Kind, Visit},
    outcome::Outcome,
};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// A volume that holds database files.
/// In files by position: fields are only appended, each with a default; variants keep their names.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct VolumeRow {
    /// mount point; on Linux the folder of the oldest database on it
    pub mount: Option<Arc<str>>,
    /// size, bytes
    pub total_bytes: Option<i64>,
    /// free, bytes
    pub free_bytes: Option<i64>,
    /// it is full in so long if it goes on filling as in the last hours, ms; the fold says so
    pub full_in_ms: Option<i64>,
    /// where nobody tells its mount point: the folders that are on it, with all below them. Empty: it is known by its mount point
    pub folders: Vec<Arc<str>>,
}

impl VolumeRow {
    /// The volume that it is about. Rows with one key are one volume.
    pub fn key(&self) -> &str {
        key_of(self.mount.as_deref().unwrap_or("?"))
    }

    /// Free, %.
    pub fn free_pct(&self) -> Option<f64> {
        let total = self.total_bytes.filter(|bytes| *bytes > 0)?;
        Some((self.free_bytes? as f64 / total as f64 * 100.0).clamp(0.0, 100.0))
    }

    /// How long the longest of its folders is that a path lies in, bytes.
    fn holds(&self, path: &str) -> Option<usize> {
        let mount = self.mount.iter().filter(|_| self.folders.is_empty());
        mount.chain(&self.folders).filter(|folder| is_in(path, folder)).map(|folder| folder.len()).max()
    }
}

/// A path lies in a folder: it goes on behind it with a separator. Paths of Windows do not tell upper from lower case, those of Linux do.
fn is_in(path: &str, folder: &str) -> bool {
    let is_separator = |c: char| matches!(c, '/' | '\\');
    let Some((begin, rest)) = path.split_at_checked(folder.len()) else { return false };
    let is_same = if folder.starts_with('/') { begin == folder } else { begin.eq_ignore_ascii_case(folder) };
    !folder.is_empty() && is_same && (folder.ends_with(is_separator) || rest.starts_with(is_separator))
}

/// A mount point, whose last separator is spelled or not.
pub fn key_of(mount: &str) -> &str {
    mount.trim_end_matches('\\')
}

/// The volume where a file is. Volumes nest: the one with the longest folder that its path begins with.
pub fn volume_of<'v>(volumes: &'v [VolumeRow], path: &str) -> Option<&'v VolumeRow> {
    let holding = volumes.iter().filter_map(|volume| Some((volume.holds(path)?, volume)));
    holding.max_by_key(|(length, _)| *length).map(|(_, volume)| volume)
}

impl Outcome for Vec<VolumeRow> {
    fn points(&self, _probe: ProbeId, emit: Emit<'_>) {
        for row in self {
            let Some(mount) = row.mount.as_deref() else { continue };
            emit(Metric::VolumeFree, mount, whole(row.free_bytes.map(|b| b / 1024)));
            emit(Metric::VolumeSize, mount, whole(row.total_bytes.map(|b| b / 1024)));
        }
    }

    /// `C:\\` and `/` are everybody's.
    fn each_name_mut(&mut self, visit: Visit<'_>) {
        let names = self.iter_mut().flat_map(|row| row.mount.iter_mut().chain(&mut row.folders));
        for name in names.filter(|name| name.len() > 3) {
            visit(Field::Name(Kind::Volume), name);
        }
    }

    fn cut(&mut self, most: usize) {
        self.truncate(most);
    }

    fn rows(&self) -> usize {
        self.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_on_the_volume_whose_folder_it_lies_in_and_not_beside_it() {
        let mounted = |mount: &str| VolumeRow { mount: Some(mount.into()), ..VolumeRow::default() };
        let on = |volumes: &[VolumeRow], path: &str| {
            volume_of(volumes, path).map(|volume| volume.key().to_owned()).unwrap_or_default()
        };
        let windows = [mounted("C:\\"), mounted("C:\\Data"), mounted("C:\\Data\\Log\\"), mounted("")];
        for (path, key) in [
            ("c:\\data\\a.mdf", "C:\\Data"),
            ("C:\\Database\\a.mdf", "C:"),
            ("C:\\DATA\\LOG\\a.ldf", "C:\\Data\\Log"),
            ("D:\\a.mdf", ""),
            ("C:\\Datä\\a.mdf", "C:"),
        ] {
            assert_eq!(on(&windows, path), key, "{path}");
        }
        let linux = [mounted("/"), mounted("/data"), mounted("/Data")];
        for (path, key) in [("/database/x.ldf", "/"), ("/data/x.mdf", "/data"), ("/Data/x.mdf", "/Data")] {
            assert_eq!(on(&linux, path), key, "{path}");
        }
        let folders = |name: &str, all: &[&str]| {
            let folders = all.iter().map(|folder| Arc::from(*folder)).collect();
            VolumeRow { folders, ..mounted(name) }
        };
        let told = [folders("/a/x", &["/a/x", "/b"]), folders("/a", &["/a", "/c/d"])];
        for (path, key) in [
            ("/a/x/1.mdf", "/a/x"),
            ("/a/xy/1.mdf", "/a"),
            ("/b/c/1.mdf", "/a/x"),
            ("/c/d/1.mdf", "/a"),
            ("/c/1.mdf", ""),
        ] {
            assert_eq!(on(&told, path), key, "{path}");
        }
    }
}
