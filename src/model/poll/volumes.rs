//! Volumes that hold database files.

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
    /// mount point
    pub mount: Option<Arc<str>>,
    /// size, bytes
    pub total_bytes: Option<i64>,
    /// free, bytes
    pub free_bytes: Option<i64>,
    /// it is full in so long if it goes on filling as in the last hours, ms; the fold says so
    pub full_in_ms: Option<i64>,
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
}

/// A mount point, whose last separator is spelled or not.
pub fn key_of(mount: &str) -> &str {
    mount.trim_end_matches('\\')
}

/// The volume where a file is. Mount points nest: the longest one that its path begins with. Paths of Windows do not tell upper from
/// lower case.
pub fn volume_of<'v>(volumes: &'v [VolumeRow], path: &str) -> Option<&'v VolumeRow> {
    let holds = |volume: &&VolumeRow| {
        let begin = |mount: &str| Some(path.get(..mount.len())?.eq_ignore_ascii_case(mount));
        volume.mount.as_deref().and_then(begin) == Some(true)
    };
    volumes.iter().filter(holds).max_by_key(|volume| volume.mount.as_deref().map(str::len))
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
        for mount in self.iter_mut().filter_map(|row| row.mount.as_mut()).filter(|mount| mount.len() > 3) {
            visit(Field::Name(Kind::Volume), mount);
        }
    }

    fn cut(&mut self, most: usize) {
        self.truncate(most);
    }

    fn rows(&self) -> usize {
        self.len()
    }
}
