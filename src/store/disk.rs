//! What a file system says of itself, and why it takes no more, so that an error which SQLite or the system words otherwise is
//! told by its cause.

use std::{
    fs::{self, File},
    io::{self, ErrorKind, Write},
    path::Path,
};

/// Why nothing can be written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DiskTrouble {
    /// no room
    Full,
    /// there is room, and no place for another file
    Inodes,
    /// the user's share of it is used up
    Quota,
    /// the file is as large as this process may make one
    FileSize,
    /// mounted read-only
    ReadOnly,
}

impl DiskTrouble {
    /// In two words or three.
    pub const fn sign(self) -> &'static str {
        match self {
            Self::Full => "disk full",
            Self::Inodes => "no inodes left",
            Self::Quota => "quota used up",
            Self::FileSize => "file size limit",
            Self::ReadOnly => "disk read-only",
        }
    }

    /// In a sentence that says what to do.
    pub const fn words(self) -> &'static str {
        match self {
            Self::Full => "the disk is full: nothing was changed; free some space and try again",
            Self::Inodes => {
                "no inodes left on the disk (df -i): nothing was changed; remove files that nobody needs and try again"
            }
            Self::Quota => {
                "the quota of the user is used up (quota -s): nothing was changed; remove files of this user, or have it raised"
            }
            Self::FileSize => {
                "the file has reached the file size limit of this process (ulimit -f): nothing was changed; start dbtop with a \
                 higher one"
            }
            Self::ReadOnly => {
                "it cannot be written: check who owns the file and whether the disk is mounted read-only"
            }
        }
    }

    /// The cause of an error of the system, where it is one of these.
    pub fn of(error: &io::Error, path: &Path) -> Option<Self> {
        match error.kind() {
            // The system has one word for both.
            ErrorKind::StorageFull if trouble(path) == Some(Self::Inodes) => Some(Self::Inodes),
            ErrorKind::StorageFull => Some(Self::Full),
            ErrorKind::QuotaExceeded => Some(Self::Quota),
            ErrorKind::FileTooLarge => Some(Self::FileSize),
            ErrorKind::ReadOnlyFilesystem => Some(Self::ReadOnly),
            _ => None,
        }
    }
}

/// Less than this is no room, bytes: the index of a log of SQLite has 32 KB, and pages come with it.
const ROOM: u64 = 64 * 1024;

/// Why a file that failed in some vague way takes no more. None: it would, or nobody says. Nothing is written beside a file that is only
/// read.
pub(super) fn cause(file: &Path, is_read: bool) -> Option<DiskTrouble> {
    trouble(file).or_else(|| limited(file)).or_else(|| if is_read { None } else { tried(file) })
}

/// What comes of writing beside a file: a quota shows nowhere else. What has that name already, a link too, is nobody's trial.
fn tried(file: &Path) -> Option<DiskTrouble> {
    let mut name = file.file_name()?.to_owned();
    name.push(format!("-room-{}", std::process::id()));
    let beside = file.with_file_name(name);
    let written = File::create_new(&beside).and_then(|mut made| {
        let written = made.write_all(&vec![1; ROOM as usize]).and_then(|()| made.sync_all());
        let _ = fs::remove_file(&beside);
        written
    });
    written.err().and_then(|error| DiskTrouble::of(&error, file))
}

/// The file, or the log beside it, is about as large as this process may make one.
#[cfg(unix)]
fn limited(file: &Path) -> Option<DiskTrouble> {
    let most = rustix::process::getrlimit(rustix::process::Resource::Fsize).current?;
    let mut log = file.as_os_str().to_owned();
    log.push("-wal");
    let size = |path: &Path| fs::metadata(path).map_or(0, |file| file.len());
    let largest = size(file).max(size(Path::new(&log)));
    (largest.saturating_add(ROOM) > most).then_some(DiskTrouble::FileSize)
}

/// There is no such limit.
#[cfg(not(unix))]
fn limited(_: &Path) -> Option<DiskTrouble> {
    None
}

/// Room of a file system, in bytes or in files: all of it, and what is free.
#[cfg(unix)]
type Room = (u64, u64);

/// The trouble of the file system that a file or folder lies on. None: there is room, or it does not say.
#[cfg(unix)]
pub fn trouble(path: &Path) -> Option<DiskTrouble> {
    let stat = path.ancestors().find_map(|there| rustix::fs::statvfs(there).ok())?;
    let is_read_only = stat.f_flag.contains(rustix::fs::StatVfsMountFlags::RDONLY);
    let bytes = (stat.f_blocks, stat.f_bavail.saturating_mul(stat.f_frsize));
    told(is_read_only, bytes, (stat.f_files, stat.f_favail))
}

/// A file system without blocks is none of a disk: it is never full. One that counts no files makes as many as there is room for.
#[cfg(unix)]
fn told(is_read_only: bool, (blocks, free_bytes): Room, (files, free_files): Room) -> Option<DiskTrouble> {
    if is_read_only {
        Some(DiskTrouble::ReadOnly)
    } else if blocks > 0 && free_bytes < ROOM {
        Some(DiskTrouble::Full)
    } else {
        (blocks > 0 && files > 0 && free_files == 0).then_some(DiskTrouble::Inodes)
    }
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
    fn a_disk_is_full_without_room_for_pages_and_what_belongs_to_them() {
        let many = (1_000, 10);
        assert_eq!(told(false, (1_000, ROOM), many), None);
        for free in [ROOM - 1, 32 * 1024, 0] {
            assert_eq!(told(false, (1_000, free), many), Some(DiskTrouble::Full), "{free}");
        }
        assert_eq!(told(false, (0, 0), (0, 0)), None, "as /proc");
        for (blocks, free) in [(1_000, ROOM), (1_000, 0), (0, 0)] {
            assert_eq!(told(true, (blocks, free), many), Some(DiskTrouble::ReadOnly), "{blocks} {free}");
        }
    }

    #[test]
    fn a_disk_with_room_may_have_no_place_for_another_file() {
        let room = (1_000, ROOM);
        assert_eq!(told(false, room, (1_000, 0)), Some(DiskTrouble::Inodes));
        assert_eq!(
            [told(false, room, (1_000, 1)), told(false, room, (0, 0))],
            [None; 2],
            "btrfs counts none"
        );
        assert_eq!(told(false, (1_000, 0), (1_000, 0)), Some(DiskTrouble::Full), "room comes first");
    }

    #[test]
    fn an_error_of_the_system_has_its_cause_and_a_way_out() {
        let folder = tempfile::tempdir().unwrap();
        let of = |kind: ErrorKind| DiskTrouble::of(&kind.into(), folder.path());
        for (kind, sign, way_out) in [
            (ErrorKind::StorageFull, "disk full", "free some space"),
            (ErrorKind::QuotaExceeded, "quota used up", "have it raised"),
            (ErrorKind::FileTooLarge, "file size limit", "ulimit -f"),
            (ErrorKind::ReadOnlyFilesystem, "disk read-only", "read-only"),
        ] {
            let trouble = of(kind).unwrap();
            assert_eq!(trouble.sign(), sign);
            assert!(trouble.words().contains(way_out), "{}", trouble.words());
        }
        assert_eq!([of(ErrorKind::PermissionDenied), of(ErrorKind::Other)], [None; 2]);
    }

    #[test]
    fn a_file_that_is_not_there_yet_lies_on_the_disk_of_its_folder() {
        let folder = tempfile::tempdir().unwrap();
        let there = trouble(folder.path());
        assert_eq!([trouble(&folder.path().join("a/b/c")), there], [None, None]);
    }

    #[test]
    fn a_trial_on_a_disk_with_room_finds_nothing_and_leaves_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let history = folder.path().join("history.db");
        assert_eq!(cause(&history, false), None);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
        // A link that somebody laid there is neither followed nor removed.
        let link = folder.path().join(format!("history.db-room-{}", std::process::id()));
        std::os::unix::fs::symlink(folder.path().join("theirs"), &link).unwrap();
        assert_eq!(cause(&history, false), None);
        assert!(link.is_symlink() && !folder.path().join("theirs").exists());
    }

    #[test]
    fn nothing_is_written_beside_a_file_that_is_only_read() {
        let folder = tempfile::tempdir().unwrap();
        let history = folder.path().join("history.db");
        let long_ago = std::time::UNIX_EPOCH + std::time::Duration::from_secs(1);
        File::open(folder.path()).unwrap().set_modified(long_ago).unwrap();
        let is_untouched = || fs::metadata(folder.path()).unwrap().modified().unwrap() == long_ago;
        assert!(cause(&history, true).is_none() && is_untouched());
        assert!(cause(&history, false).is_none() && !is_untouched(), "a trial leaves a trace in the folder");
    }
}
