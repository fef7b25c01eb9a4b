//! The real program from the command line: as a process, against a real `dbtop sim` process of its own port and folder.
//!
//! | what | file |
//! |---|---|
//! | `once`: subjects, formats, scope, filter, exit codes, closed pipes | `once.rs` |
//! | `once` over a fleet of which much is broken, with hostile servers | `faults.rs` |
//! | `probes`: intervals, rights | `probes.rs` |
//! | errors in inventories, configuration and options; where passwords come from | `mistakes.rs` |
//! | `sim`: its files, its ends; `keys` | `sim.rs` |
#![cfg(unix)]

mod deadlock;
mod faults;
mod mistakes;
mod once;
mod plan;
mod probes;
mod sim;

use crate::harness::{
    Home,
    process::{Ended, SimProcess, dbtop, run},
};
use std::{sync::Mutex, thread};

/// The subjects of `once`, each of them: a new one is tested, too.
fn subjects() -> impl Iterator<Item = String> {
    dbtop::cli::What::all().iter().map(|what| what.word())
}

/// Does `check` with each subject of `once`, a few at a time: a run mostly waits for its second poll.
fn for_every_subject(check: impl Fn(&str) + Sync) {
    let left = Mutex::new(subjects().collect::<Vec<_>>());
    let next = || left.lock().unwrap().pop();
    thread::scope(|scope| {
        for _ in 0..6 {
            scope.spawn(|| {
                while let Some(subject) = next() {
                    check(&subject);
                }
            });
        }
    });
}

/// Runs `dbtop once` over a simulated fleet.
#[track_caller]
fn once(sim: &SimProcess, args: &[&str]) -> Ended {
    let home = Home::new();
    run(dbtop(&["once"], &home).args(args).args(["--inventory", &sim.inventory()]))
}

/// Text that a terminal shows as it is: no control characters but the ends of lines.
#[track_caller]
fn assert_harmless(text: &str) {
    let bad = text.lines().find(|line| line.chars().any(char::is_control));
    assert!(bad.is_none(), "control characters in: {bad:?}");
}

/// The objects of a JSON answer.
#[track_caller]
fn objects(json: &str) -> Vec<serde_json::Map<String, serde_json::Value>> {
    serde_json::from_str(json).unwrap_or_else(|e| panic!("an array of objects: {e}\n{json}"))
}

/// Header and rows of a CSV answer; all rows are as long as the header.
#[track_caller]
fn records(text: &str) -> (Vec<String>, Vec<Vec<String>>) {
    let mut reader = csv::Reader::from_reader(text.as_bytes());
    let words = |r: &csv::StringRecord| r.iter().map(str::to_owned).collect::<Vec<_>>();
    let header = words(reader.headers().unwrap());
    let rows = reader.records().map(|r| words(&r.unwrap_or_else(|e| panic!("{e}\n{text}")))).collect();
    (header, rows)
}
