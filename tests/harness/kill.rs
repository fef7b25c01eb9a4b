//! kill -9 of the real collector while it works: what was lost, whether the store is whole, how soon the next one writes.
//! For the benchmark `kill`, which kills often, and for a test, which kills a few times.

use crate::harness::{
    Home, PATIENCE,
    process::{SimProcess, dbtop, run, signal, wait},
};
use dbtop::store::history::Reader;
use std::{
    path::{Path, PathBuf},
    process::Stdio,
    thread::sleep,
    time::{Duration, Instant, SystemTime},
};

/// One kill.
#[derive(Debug, Clone, Copy)]
pub struct Killed {
    /// from the newest sample in the store to the kill, ms: what was lost, and at most the gap between two samples more
    pub behind_ms: i64,
    /// `dbtop store check` found nothing wrong
    pub clean: bool,
    /// rows that the check saw
    pub rows: i64,
    /// from the start of the process to its first sample on the disk
    pub restart: Duration,
}

fn clock_ms() -> i64 {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).expect("a clock after 1970");
    i64::try_from(since.as_millis()).expect("a clock before the year 292,278,994")
}

/// Where below a folder the history is.
fn history_below(folder: &Path) -> Option<PathBuf> {
    let entries = std::fs::read_dir(folder).ok()?.flatten().map(|entry| entry.path());
    entries.into_iter().find_map(|path| {
        if path.is_dir() { history_below(&path) } else { path.ends_with("history.db").then_some(path) }
    })
}

/// The time of the newest sample in the store, ms since 1970.
fn newest_ms(home: &Home) -> Option<i64> {
    let reader = Reader::open(&history_below(&home.path())?, None).ok()?;
    reader.stats().span().ok().flatten().map(|(_, newest)| newest.ms())
}

/// Starts `dbtop collect` over the simulator, lets it work for so long once it writes, kills it, and looks at what it left.
#[track_caller]
pub fn once(sim: &SimProcess, home: &Home, works: Duration) -> Killed {
    let inventory = sim.inventory();
    let fleet = ["--inventory", inventory.as_str()];
    let (started, began) = (Instant::now(), clock_ms());
    let mut child = dbtop(&["collect"], home)
        .args(fleet)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("starting dbtop collect");
    while newest_ms(home).is_none_or(|newest| newest < began) {
        assert!(started.elapsed() < PATIENCE, "nothing was written within {PATIENCE:?}");
        sleep(Duration::from_millis(20));
    }
    let restart = started.elapsed();
    sleep(works);
    let killed = clock_ms();
    signal(child.id(), "KILL");
    assert!(wait(&mut child, PATIENCE).is_some(), "it survived SIGKILL");
    let newest = newest_ms(home).expect("the history can be read");
    let check = run(dbtop(&["store", "check", "-o", "json"], home).args(fleet));
    let said: serde_json::Value = serde_json::from_str(&check.stdout).unwrap_or_default();
    Killed {
        behind_ms: killed - newest,
        clean: check.code == Some(0) && said[0]["whole"] == true,
        rows: said[0]["rows"].as_i64().unwrap_or(0),
        restart,
    }
}
