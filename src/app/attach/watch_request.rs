//! A screen that follows asks the polling process to watch some instances closely, by a file of its own in the fleet's folder,
//! beside the lock. The screen's history service writes it every second while there is something to ask for. The history service
//! of the polling process reads all such files once a second and polls their instances at the pace of the screen. A file holds
//! the ids of instances in history: random ones, for a plain inventory the names.
//!
//! A file counts while its writer holds a lock on it and wrote it lately, so a killed or stopped screen asks for nothing.
//! The content of a file is trusted within bounds only.

use super::heartbeat;
use serde::{Deserialize, Serialize};
use std::{
    collections::BTreeSet,
    fs::{File, FileTimes},
    io::Read,
    path::Path,
    sync::Arc,
    time::{Duration, SystemTime},
};
use tempfile::NamedTempFile;

/// Start of the file's name; the process id and random letters follow. The word is older than the name of this module, and
/// stays: processes of other versions find the files by it.
const PREFIX: &str = "focus.";
/// Age at which a file no longer counts: its writer renews it every second.
const FRESH_FOR: Duration = Duration::from_secs(10);
/// Most screens that count, in the order of their files' names.
const MOST_SCREENS: usize = 16;
/// Most instances that a screen may ask for; it shows four at most.
const MOST_INSTANCES: usize = 8;
/// No screen writes more than this, bytes.
const LONGEST: u64 = 4_096;

#[derive(Serialize, Deserialize)]
struct Said {
    uids: Vec<Arc<str>>,
}

/// The request of a screen. Dropping it removes the file.
pub struct WatchRequest {
    file: NamedTempFile,
    said: Vec<Arc<str>>,
}

impl WatchRequest {
    /// Asks for nothing yet. The file is readable for its owner alone.
    ///
    /// # Errors
    /// The file cannot be made.
    pub fn new(folder: &Path) -> std::io::Result<Self> {
        let prefix = format!("{PREFIX}{}.", std::process::id());
        let file = tempfile::Builder::new().prefix(&prefix).tempfile_in(folder)?;
        // Elsewhere a lock would keep readers out, so only the time counts there.
        if cfg!(unix) {
            file.as_file().try_lock()?;
        }
        Ok(Self { file, said: Vec::new() })
    }

    /// Asks for these instances. To be repeated every second.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn say(&mut self, uids: &[Arc<str>]) -> std::io::Result<()> {
        let file = self.file.as_file_mut();
        if self.said != uids {
            let bytes = serde_json::to_vec(&Said { uids: uids.to_vec() })?;
            heartbeat::overwrite(file, &bytes)?;
            self.said = uids.to_vec();
        }
        file.set_times(FileTimes::new().set_modified(SystemTime::now()))
    }
}

/// The instances that all other screens ask for. Removes files that nobody holds any more.
pub fn all(folder: &Path) -> BTreeSet<Arc<str>> {
    let mut asked = BTreeSet::new();
    // A folder that cannot be read holds no requests.
    let Ok(entries) = std::fs::read_dir(folder) else { return asked };
    let is_ours = |name: &std::ffi::OsStr| name.to_str().is_some_and(|name| name.starts_with(PREFIX));
    let mut names: Vec<_> = entries.flatten().map(|e| e.file_name()).filter(|name| is_ours(name)).collect();
    names.sort_unstable();
    for name in names.into_iter().take(MOST_SCREENS) {
        asked.extend(read(&folder.join(name)).unwrap_or_default());
    }
    asked
}

/// The instances that one file asks for. None: the file does not count.
fn read(path: &Path) -> Option<Vec<Arc<str>>> {
    let meta = std::fs::symlink_metadata(path).ok()?;
    if !meta.is_file() {
        return None;
    }
    // Writer and reader have one clock: a date in the future is from before the clock was set back.
    let age = meta.modified().ok()?.elapsed().unwrap_or_else(|ahead| ahead.duration());
    let file = File::open(path).ok()?;
    let is_held = !cfg!(unix) || file.try_lock_shared().is_err();
    if age > FRESH_FOR || !is_held {
        if age > FRESH_FOR && (!is_held || cfg!(not(unix))) {
            // Its writer was killed. If the file cannot be removed, it is passed over each time.
            let _ = std::fs::remove_file(path);
        }
        return None;
    }
    let mut text = String::new();
    file.take(LONGEST).read_to_string(&mut text).ok()?;
    let mut uids = serde_json::from_str::<Said>(&text).ok()?.uids;
    uids.truncate(MOST_INSTANCES);
    Some(uids)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(folder: &Path) -> Vec<String> {
        all(folder).iter().map(ToString::to_string).collect()
    }

    fn uids(names: &[&str]) -> Vec<Arc<str>> {
        names.iter().map(|name| Arc::from(*name)).collect()
    }

    #[test]
    fn what_screens_ask_for_is_merged_and_ends_with_them() {
        let folder = tempfile::tempdir().unwrap();
        assert!(names(folder.path()).is_empty());
        let (mut one, mut two) =
            (WatchRequest::new(folder.path()).unwrap(), WatchRequest::new(folder.path()).unwrap());
        one.say(&uids(&["a-long-name", "b"])).unwrap();
        two.say(&uids(&["b", "c"])).unwrap();
        assert_eq!(names(folder.path()), ["a-long-name", "b", "c"]);
        one.say(&uids(&["d"])).unwrap();
        assert_eq!(names(folder.path()), ["b", "c", "d"], "it looks at another one now");
        drop(two);
        assert_eq!(names(folder.path()), ["d"]);
        #[cfg(unix)]
        {
            let mode = std::os::unix::fs::PermissionsExt::mode(
                &std::fs::metadata(one.file.path()).unwrap().permissions(),
            );
            assert_eq!(mode & 0o777, 0o600);
        }
        drop(one);
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0, "nothing is left behind");
    }

    #[test]
    fn a_screen_that_does_not_say_so_again_asks_for_nothing_any_more() {
        let folder = tempfile::tempdir().unwrap();
        let mut wish = WatchRequest::new(folder.path()).unwrap();
        let set = |wish: &WatchRequest, to| wish.file.as_file().set_modified(to).unwrap();
        wish.say(&uids(&["a"])).unwrap();
        set(&wish, SystemTime::now() - Duration::from_secs(11));
        assert!(names(folder.path()).is_empty());
        set(&wish, SystemTime::now() + Duration::from_mins(1));
        assert!(names(folder.path()).is_empty(), "the clock was set back");
        wish.say(&uids(&["a"])).unwrap();
        assert_eq!(names(folder.path()), ["a"], "it is there again");
    }

    #[test]
    #[cfg(unix)]
    fn a_file_that_nobody_holds_is_passed_over_and_removed_when_it_is_old() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("focus.4711.abcdef");
        std::fs::write(&path, r#"{"uids":["a"]}"#).unwrap();
        assert!(names(folder.path()).is_empty() && path.exists(), "it may be about to be taken");
        let file = File::options().write(true).open(&path).unwrap();
        file.set_modified(SystemTime::now() - Duration::from_mins(1)).unwrap();
        assert!(names(folder.path()).is_empty() && !path.exists());
    }

    #[test]
    #[cfg(unix)]
    fn garbage_asks_for_nothing_and_nobody_asks_for_more_than_a_few() {
        let folder = tempfile::tempdir().unwrap();
        let held = |name: &str, bytes: &[u8]| {
            let path = folder.path().join(name);
            std::fs::write(&path, bytes).unwrap();
            let file = File::open(&path).unwrap();
            file.try_lock().unwrap();
            file
        };
        let mut files = vec![
            held("focus.1", b"\x00\xff{"),
            held("focus.2", b"{\"uids\":[1,2]}"),
            held("focus.3", b""),
            held("focus.4", format!("{{\"uids\":[\"{}\"]}}", "x".repeat(5_000)).as_bytes()),
        ];
        std::fs::create_dir(folder.path().join("focus.5")).unwrap();
        std::os::unix::fs::symlink("/dev/zero", folder.path().join("focus.6")).unwrap();
        assert!(names(folder.path()).is_empty());
        let many: Vec<String> = (0..100).map(|n| format!("\"{n:03}\"")).collect();
        files.push(held("focus.7", format!("{{\"uids\":[{}]}}", many.join(",")).as_bytes()));
        assert_eq!(names(folder.path()).len(), MOST_INSTANCES);
        for n in 0..MOST_SCREENS {
            files.push(held(&format!("focus.0{n:02}"), format!("{{\"uids\":[\"s{n}\"]}}").as_bytes()));
        }
        let seen = names(folder.path());
        assert_eq!(seen.len(), MOST_SCREENS, "{seen:?}");
        assert!(!seen.contains(&"000".to_owned()), "the last ones are not heard");
    }
}
