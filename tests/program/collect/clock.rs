//! The real collector while the clock of its machine is set ahead for six seconds. libfaketime (Debian: `faketime`) sets it;
//! without it the test says so.

use crate::{
    harness::{
        Home, PATIENCE, find,
        process::{SimProcess, dbtop, signal, wait},
    },
    world::{START, World},
};
use dbtop::store::history::{Engine, Options, Reader};
use std::{
    path::{Path, PathBuf},
    process::{Child, Stdio},
    thread::sleep,
    time::{Duration, Instant, SystemTime},
};

const HOUR_MS: i64 = 3_600_000;
const DAY_MS: i64 = 24 * HOUR_MS;

fn library() -> Option<PathBuf> {
    let folders = std::fs::read_dir("/usr/lib").ok()?.flatten().map(|entry| entry.path());
    folders.map(|folder| folder.join("faketime/libfaketimeMT.so.1")).find(|file| file.exists())
}

fn now_ms() -> i64 {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap().as_millis() as i64
}

/// Sets the clock of a process that was started with this file.
fn set(file: &Path, offset: &str) {
    let next = file.with_extension("next");
    std::fs::write(&next, offset).unwrap();
    std::fs::rename(next, file).unwrap();
}

fn collect(sim: &SimProcess, home: &Home, clock: Option<(&Path, &Path)>) -> Child {
    let mut command = dbtop(&["collect", "--inventory", &sim.inventory()], home);
    if let Some((library, file)) = clock {
        command.env("LD_PRELOAD", library).env("FAKETIME_TIMESTAMP_FILE", file);
        for name in
            ["FAKETIME_NO_CACHE", "FAKETIME_DONT_FAKE_MONOTONIC", "DONT_FAKE_MONOTONIC", "NO_FAKE_STAT"]
        {
            command.env(name, "1");
        }
    }
    command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("starting dbtop collect")
}

fn end(mut collector: Child) {
    signal(collector.id(), "TERM");
    assert!(wait(&mut collector, PATIENCE).is_some());
}

/// Waits until the newest row is of this time or later.
fn until_row(home: &Home, ms: i64) {
    let started = Instant::now();
    let newest = || {
        let mut folders = std::fs::read_dir(home.path().join("plain")).ok()?.flatten();
        let reader = Reader::open(&folders.next()?.path().join("history.db"), None).ok()?;
        reader.stats().span().ok().flatten().map(|(_, newest)| newest.ms())
    };
    while newest().is_none_or(|newest| newest < ms) {
        assert!(started.elapsed() < PATIENCE, "nothing is written");
        sleep(Duration::from_millis(50));
    }
}

/// States and points of some hours that ended an hour ago, as a collector left them.
fn write_a_past(file: &Path) {
    let mut engine = Engine::open(file, None, Options::default()).unwrap();
    let mut world = World::new(2);
    let shift = now_ms() - 4 * HOUR_MS - START.ms();
    for second in (0..3 * 3600).step_by(30) {
        let mut batch = world.round(second);
        for kept in &mut batch {
            kept.at = kept.at.plus_ms(shift);
        }
        engine.take(batch);
        engine.commit().unwrap();
    }
    let end = dbtop::model::base::time::Timestamp::from_ms(now_ms() - HOUR_MS / 4);
    engine.seal(end, Duration::from_mins(1)).unwrap();
    engine.close().unwrap();
}

fn rows(file: &Path) -> (u64, u64) {
    let stats = Reader::open(file, None).unwrap().stats().all().unwrap();
    let rows = |name: &str| stats.tiers.iter().find(|tier| tier.name == name).unwrap().rows;
    (rows("states"), rows("points, sealed chunks"))
}

#[test]
fn six_seconds_of_a_clock_that_is_weeks_ahead_take_nothing() {
    let Some(library) = library() else {
        eprintln!("not tested here: no libfaketime (Debian: faketime)");
        return;
    };
    let (home, sim) = (Home::new(), SimProcess::start(2, 0, None));
    let first = collect(&sim, &home, None);
    until_row(&home, 0);
    end(first);
    let file = find(&home.path(), "history.db");
    write_a_past(&file);
    let before = rows(&file);
    assert!(before.0 > 20 && before.1 > 5, "{before:?}");
    let clock = home.file("clock", "+0");
    let collector = collect(&sim, &home, Some((&library, &clock)));
    until_row(&home, now_ms());
    for days in [20, 40] {
        set(&clock, &format!("+{days}d"));
        until_row(&home, now_ms() + (days - 1) * DAY_MS);
        sleep(Duration::from_secs(6));
        set(&clock, "+0");
        sleep(Duration::from_secs(2));
        let after = rows(&file);
        assert!(after.0 >= before.0 && after.1 >= before.1, "{days} days ahead: {before:?}, {after:?}");
    }
    end(collector);
}
