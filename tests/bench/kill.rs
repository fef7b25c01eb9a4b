//! kill -9 of `dbtop collect` under load, again and again: at most a second of samples may be lost each time, and
//! `dbtop store check` must find the store whole.
//!
//! `cargo bench --bench kill [-- ROUNDS [INSTANCES]]` prints a table; default: 100 rounds, 200 instances.

#![expect(
    clippy::expect_used,
    clippy::print_stdout,
    reason = "a benchmark prints its table, and fails like a test"
)]

#[path = "../harness/mod.rs"]
#[expect(dead_code, reason = "shared with the tests, which look at more")]
mod harness;
#[path = "../harness/kill.rs"]
mod kill;
#[expect(dead_code, reason = "shared with benchmarks that measure a process")]
mod support;

use harness::{Home, process::SimProcess};
use std::time::Duration;
use support::percentile;

fn main() {
    let numbers: Vec<u32> = std::env::args().skip(1).filter_map(|a| a.parse().ok()).collect();
    let rounds = numbers.first().copied().unwrap_or(100);
    let instances = numbers.get(1).copied().unwrap_or(200);
    let (home, sim) = (Home::new(), SimProcess::start(instances, 0, None));
    let mut behind = Vec::new();
    let mut restarts = Vec::new();
    let (mut clean, mut rows) = (0, 0);
    for round in 1..=rounds {
        // While it connects and warms up, samples come all the time; then there are seconds without any.
        let works = Duration::from_millis(fastrand::u64(700..2_000));
        let killed = kill::once(&sim, &home, works);
        println!(
            "round {round}: worked {works:?}, newest sample {} ms before the kill, {} rows, clean: {}",
            killed.behind_ms, killed.rows, killed.clean
        );
        behind.push(killed.behind_ms as f64);
        restarts.push(killed.restart.as_secs_f64() * 1000.0);
        clean += u32::from(killed.clean);
        rows = killed.rows;
    }
    behind.sort_by(f64::total_cmp);
    restarts.sort_by(f64::total_cmp);
    println!("\n{rounds} kills of a collector of {instances} instances, {rows} rows in the end");
    println!("{:<52} {:>10} {:>10}", "what", "measured", "target");
    let row = |what: &str, measured: f64, target: f64, unit: &str| {
        println!("{what:<52} {measured:>7.0} {unit:<2} {target:>7.0} {unit}");
    };
    row("newest sample before the kill: median", percentile(&behind, 0.5), 1000.0, "ms");
    row("newest sample before the kill: worst", percentile(&behind, 1.0), 1000.0, "ms");
    row("`dbtop store check` clean", clean.into(), rounds.into(), "");
    row("start to the first sample on the disk: median", percentile(&restarts, 0.5), 2000.0, "ms");
    row("start to the first sample on the disk: worst", percentile(&restarts, 1.0), 2000.0, "ms");
}
