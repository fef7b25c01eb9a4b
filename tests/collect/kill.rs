//! kill -9 of the real collector, three times; `cargo bench --bench kill` does it a hundred times.

use crate::harness::{Home, PATIENCE, process::SimProcess};
use std::time::Duration;

#[path = "../harness/kill.rs"]
mod kill;

#[test]
fn a_killed_collector_leaves_a_whole_store_and_loses_at_most_the_last_second() {
    let (home, sim) = (Home::new(), SimProcess::start(60, 0, None));
    for round in 0..3 {
        let killed = kill::once(&sim, &home, Duration::from_millis(1_500 + round * 700));
        assert!(killed.clean && killed.rows > 100 && killed.restart < PATIENCE, "round {round}: {killed:?}");
        // The second between commits, the gap between two samples of a fleet this small, and a machine that does other things, too.
        assert!(killed.behind_ms <= 2_500, "round {round}: {killed:?}");
    }
}
