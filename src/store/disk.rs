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
    let is_read_only = stat.f_flag.contains(rustix::fs::StatVfsMountFlags::RDONLY);
    told(is_read_only, stat.f_blocks, stat.f_bavail.saturating_mul(stat.f_frsize))
}

/// A file system without blocks is none of a disk: it is never full.
#[cfg(unix)]
fn told(is_read_only: bool, blocks: u64, free_bytes: u64) -> Option<DiskTrouble> {
    if is_read_only {
        return Some(DiskTrouble::ReadOnly);
    }
    (blocks > 0 && free_bytes < ROOM).then_some(DiskTrouble::Full)
}

/// There it does not say.
#[cfg(not(unix))]
pub fn trouble(_: &Path) -> Option<DiskTrouble> {
    None
}

#[cfg(unix)]
#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_disk_is_full_with_less_than_a_page_and_what_belongs_to_it() {
        assert_eq!(told(false, 1_000, ROOM), None);
        assert_eq!(told(false, 1_000, ROOM - 1), Some(DiskTrouble::Full));
        assert_eq!(told(false, 0, 0), None, "as /proc");
        for (blocks, free) in [(1_000, ROOM), (1_000, 0), (0, 0)] {
            assert_eq!(told(true, blocks, free), Some(DiskTrouble::ReadOnly), "{blocks} {free}");
        }
    }

    #[test]
    fn a_file_that_is_not_there_yet_lies_on_the_disk_of_its_folder() {
        let folder = tempfile::tempdir().unwrap();
        let there = trouble(folder.path());
        assert_eq!([trouble(&folder.path().join("a/b/c")), there], [None, None]);
    }
}
