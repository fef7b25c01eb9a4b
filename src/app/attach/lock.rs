//! One collector a fleet: a lock of the operating system on a file, gone when the process is, however it ended. The file
//! says who holds it and stays when nobody does. Taken by `collect` and by a screen that collects by itself; a screen yields
//! the lock when a collector asks for it, by a file beside it.

use super::heartbeat;
use crate::{
    app::{clock, log::make_folder},
    model::base::time::Timestamp,
    store,
};
use anyhow::Context;
use serde::{Deserialize, Serialize};
use std::{
    fs::{File, OpenOptions, TryLockError},
    io::{ErrorKind, Read, Seek},
    path::Path,
    time::{Duration, Instant},
};

/// The file in the state folder.
const FILE: &str = "collector.lock";
/// The file beside it that asks for the lock.
const WANTED: &str = "collector.wanted";
/// Age of a request for the lock, ms: an asker repeats it, so an older one was given up.
const WANTED_FOR: Duration = Duration::from_secs(15);
/// Time for which a taker tries: a process that only reads the state holds the lock for microseconds.
const PATIENCE: Duration = Duration::from_millis(500);
const BETWEEN_TRIES: Duration = Duration::from_millis(20);
/// No holder writes more than this, bytes.
const LONGEST: u64 = 4_096;

/// The process that collects.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Holder {
    /// process
    pub pid: u32,
    /// since, ms since 1970 UTC
    pub started_ms: i64,
    /// the same by the clock that nobody sets, ms since the system started; None: this system has none
    #[serde(default)]
    pub started_up_ms: Option<u64>,
    /// which start of the system that clock counts from
    #[serde(default)]
    pub boot: Option<String>,
    /// version of dbtop
    pub version: String,
    /// it has a screen, and yields the lock to one that has none
    #[serde(default)]
    pub screen: bool,
}

impl Holder {
    /// This process, from now on.
    pub fn this_process(screen: bool) -> Self {
        let version = env!("CARGO_PKG_VERSION").to_owned();
        Self {
            pid: std::process::id(),
            started_ms: clock::now().ms(),
            started_up_ms: heartbeat::up_ms(),
            boot: store::clock::boot(),
            version,
            screen,
        }
    }

    /// How long it holds the lock at `now`, ms. A step of the wall clock does not count.
    pub fn age_ms(&self, now: Timestamp) -> u64 {
        heartbeat::age_ms(now, self.started_ms, self.started_up_ms, self.boot.as_deref())
    }
}

/// Held while a fleet is collected; let go when dropped.
pub struct Lock {
    _file: File,
}

/// The outcome of [`take`].
pub enum Taken {
    /// it is ours
    Ours(Lock),
    /// it is this process's; None: it has not said yet who it is
    Theirs(Option<Holder>),
}

/// Takes the lock of a state folder, which must be there. Waits half a second at most.
///
/// # Errors
/// The file cannot be made or locked.
pub fn take(folder: &Path, holder: &Holder) -> anyhow::Result<Taken> {
    let path = folder.join(FILE);
    let failed = || format!("taking the collector's lock {}", path.display());
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(&path).with_context(failed)?;
    let started = Instant::now();
    loop {
        match file.try_lock() {
            Ok(()) => break,
            Err(TryLockError::WouldBlock) if started.elapsed() < PATIENCE => {
                std::thread::sleep(BETWEEN_TRIES);
            }
            Err(TryLockError::WouldBlock) => return Ok(Taken::Theirs(said(&mut file))),
            Err(TryLockError::Error(error)) => return Err(error).with_context(failed),
        }
    }
    // The lock is held even if its holder cannot write its name: the name is for messages only.
    let _ = serde_json::to_vec(holder)
        .map_err(Into::into)
        .and_then(|bytes| heartbeat::overwrite(&mut file, &bytes));
    Ok(Taken::Ours(Lock { _file: file }))
}

/// Takes the lock for a screen, which yields it to a collector. Makes the folder if that is our task.
///
/// # Errors
/// As [`take`]; the folder cannot be made.
pub fn take_for_screen(folder: &Path) -> anyhow::Result<Taken> {
    make_folder(folder)?;
    take(folder, &Holder::this_process(true))
}

/// Whether somebody collects this fleet now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Held {
    /// nobody does
    Free,
    /// this process does; None: it has not said yet who it is
    By(Option<Holder>),
}

/// Reads the state of the lock without taking it.
///
/// # Errors
/// The file cannot be opened.
pub fn look(folder: &Path) -> std::io::Result<Held> {
    let mut file = match File::open(folder.join(FILE)) {
        Ok(file) => file,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Held::Free),
        Err(error) => return Err(error),
    };
    // Shared: two readers do not take each other for a holder.
    match file.try_lock_shared() {
        Ok(()) => Ok(Held::Free),
        Err(TryLockError::WouldBlock) => Ok(Held::By(said(&mut file))),
        Err(TryLockError::Error(error)) => Err(error),
    }
}

/// Asks the screen that holds the lock to yield it. The caller repeats this until it has the lock, then withdraws it.
///
/// # Errors
/// The file cannot be written.
pub fn ask_to_yield(folder: &Path) -> std::io::Result<()> {
    match std::fs::write(folder.join(WANTED), std::process::id().to_string()) {
        // It is there, and that says it: the number is for people.
        Err(error) if heartbeat::is_full(&error) && folder.join(WANTED).exists() => Ok(()),
        done => done,
    }
}

/// Withdraws the request.
pub fn stop_asking(folder: &Path) {
    // There is none, or it is soon too old to count.
    let _ = std::fs::remove_file(folder.join(WANTED));
}

/// True while somebody asks for the lock.
pub fn is_wanted(folder: &Path) -> bool {
    let asked = std::fs::metadata(folder.join(WANTED)).and_then(|meta| meta.modified());
    // After the clock went back a request can be dated in the future: it counts.
    asked.is_ok_and(|at| at.elapsed().is_ok_and(|age| age < WANTED_FOR) || at.elapsed().is_err())
}

fn said(file: &mut File) -> Option<Holder> {
    let mut text = String::new();
    file.rewind().ok()?;
    file.take(LONGEST).read_to_string(&mut text).ok()?;
    serde_json::from_str(&text).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn holder() -> Holder {
        Holder {
            pid: 4711,
            started_ms: 1_000,
            started_up_ms: None,
            boot: None,
            version: "1.2.3".to_owned(),
            screen: false,
        }
    }

    #[test]
    fn a_lock_is_wanted_while_somebody_asks() {
        let folder = tempfile::tempdir().unwrap();
        assert!(!is_wanted(folder.path()));
        ask_to_yield(folder.path()).unwrap();
        assert!(is_wanted(folder.path()));
        let file = File::options().write(true).open(folder.path().join(WANTED)).unwrap();
        file.set_modified(std::time::SystemTime::now() - Duration::from_mins(1)).unwrap();
        assert!(!is_wanted(folder.path()), "who asked has given up");
        stop_asking(folder.path());
        stop_asking(folder.path());
        assert!(!is_wanted(folder.path()));
    }

    #[test]
    fn the_second_is_told_who_has_it_and_a_dropped_lock_is_free() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(look(folder.path()).unwrap(), Held::Free, "never collected");
        let Taken::Ours(lock) = take(folder.path(), &holder()).unwrap() else { panic!("ours") };
        assert_eq!(look(folder.path()).unwrap(), Held::By(Some(holder())));
        let second = take(folder.path(), &Holder { pid: 1, ..holder() }).unwrap();
        assert!(matches!(second, Taken::Theirs(Some(by)) if by == holder()));
        drop(lock);
        assert_eq!(look(folder.path()).unwrap(), Held::Free);
        assert!(matches!(take(folder.path(), &holder()).unwrap(), Taken::Ours(_)));
    }

    #[test]
    fn a_lock_file_with_nonsense_in_it_is_still_a_lock() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join(FILE), "{\u{1}").unwrap();
        assert!(matches!(take(folder.path(), &holder()).unwrap(), Taken::Ours(_)));
    }
}
