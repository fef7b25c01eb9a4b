//! A disk that answers with an errno under a collector: it goes on polling, every check from outside says what is wrong, and
//! afterwards nothing is missing.

use super::{Collector, PATIENCE, healthcheck, until};
use crate::harness::{
    Home,
    fault::Fault,
    find,
    process::{SimProcess, dbtop, run},
};
use serde_json::Value;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// What the check of this name says, once it says that status; and the exit code.
#[track_caller]
fn check(fleet: &[&str], home: &Home, name: &str, status: &str) -> (String, Option<i32>) {
    let started = Instant::now();
    let roomy = ["--disk-warning", "0", "--disk-critical", "0", "-o", "json"];
    loop {
        let ended = healthcheck(&[fleet, &roomy].concat(), home);
        let answer: Value = serde_json::from_str(&ended.stdout).unwrap();
        let checks = answer["checks"].as_array().unwrap();
        let check = checks.iter().find(|check| check["name"] == name).unwrap();
        if check["status"] == status {
            return (check["words"].as_str().unwrap().to_owned(), ended.code);
        }
        assert!(started.elapsed() < PATIENCE, "{name} is never {status}: {answer:#?}");
        std::thread::sleep(Duration::from_millis(300));
    }
}

fn now_ms() -> i64 {
    i64::try_from(SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis()).unwrap()
}

#[test]
fn a_disk_that_fails_stops_no_polls_and_costs_no_sample() {
    // What is unwell is polled every other second.
    let unwell = (1..=4).map(|n| format!("[[event]]\non = '#{n}'\nkind = 'blocking_storm'\nfrom_s = -600\n"));
    let (sim, home) = (SimProcess::start(4, 0, Some(&unwell.collect::<String>())), Home::new());
    let fault = Fault::new(&home);
    let inventory = sim.inventory();
    let fleet = ["--inventory", inventory.as_str()];
    let mut collector = Collector::start_with(&fleet, &home, |command| {
        command.envs(fault.environment());
    });
    collector.hears("READY=1");
    until(&fleet, &home, "all up", |row| row["up"] == 4);
    assert_eq!(check(&fleet, &home, "store", "ok").1, Some(0));

    let mut stretches = vec![(0, now_ms())];
    for (how, words) in [("EIO", "the disk fails"), ("EROFS", "mounted read-only")] {
        let began = now_ms();
        fault.begin(how);
        let (said, code) = check(&fleet, &home, "store", "critical");
        assert_eq!(code, Some(2), "{how}: {said}");
        assert!(said.contains(" the history ") && said.contains(words), "{how}: {said}");
        let before = super::status(&fleet, &home)["polls_ok"].as_u64().unwrap();
        // What the status counts is a second old: the last of so many are surely of this time.
        let many = before + 12;
        // And so long that every instance is polled again in it.
        until(&fleet, &home, "polling on", |row| {
            row["polls_ok"].as_u64() > Some(many) && row["up"] == 4 && now_ms() > began + 4000
        });
        stretches.push((began + 1000, now_ms()));
        fault.end();
        assert_eq!(check(&fleet, &home, "store", "ok").1, Some(0), "it recovers by itself");
    }
    let beat = std::fs::read_to_string(find(&home.path(), "collector.json")).unwrap();
    let beat: Value = serde_json::from_str(&beat).unwrap();
    assert_eq!(beat["store"]["samples_lost"], 0, "{beat:#?}");
    collector.terminate();
    assert!(collector.stderr().contains("history is kept again"), "{}", collector.stderr());

    let file = find(&home.path(), "history.db");
    let checked = run(&mut dbtop(&["store", "--history", file.to_str().unwrap(), "check"], &home));
    assert_eq!(checked.code, Some(0), "{checked:?}");
    let history = rusqlite::Connection::open(file).unwrap();
    for (from, to) in stretches {
        let sql = "SELECT count(*) FROM hot WHERE at >= ?1 AND at < ?2";
        let readings: i64 = history.query_row(sql, [from, to], |row| row.get(0)).unwrap();
        assert!(readings > 0, "none from {from} to {to}");
    }
}
