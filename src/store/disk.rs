//! What a file system says of itself, so that an error which SQLite or the system words otherwise is told by its cause.

use std::path::Path;

/// Why nothing can be written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DiskTrouble {
    /// no room
    Full,
    /// mounted read-only
    ReadOnly,
}

impl DiskTrouble {
    /// In two words.
    pub const fn sign(self) -> &'static str {
        match self {
            Self::Full => "disk full",
            Self::ReadOnly => "disk read-only",
        }
    }
}

/// Less than this is no room, bytes: a page and what belongs to it.
#[cfg(unix)]
const ROOM: u64 = 16 * 1024;

/// The trouble of the file system that a file or folder lies on. None: there is room, or it does not say.
#[cfg(unix)]
pub fn trouble(path: &Path) -> Option<DiskTrouble> {
    let stat = path.ancestors().find_map(|there| rustix::fs::statvfs(there).ok())?;
    if stat.f_flag.contains(rustix::fs::StatVfsMountFlags::RDONLY) {
        return Some(DiskTrouble::ReadOnly);
    }
    let free = stat.f_bavail.saturating_mul(stat.f_frsize);
    (stat.f_blocks > 0 && free < ROOM).then_some(DiskTrouble::Full)
}

/// There it does not say.
#[cfg(not(unix))]
pub fn trouble(_: &Path) -> Option<DiskTrouble> {
    None
}
