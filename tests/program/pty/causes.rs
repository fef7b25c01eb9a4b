//! From each kind of trouble to the row that explains it: real keys, a real server for each. A way takes two keys from the
//! row of the fleet, and none ends in nothing.

use super::{key, until_pane};
use crate::harness::{Home, process::SimProcess, screen::Screen};

/// A trouble: its kind, its amount, the reason, the pane or layer that the reason leads to, and a piece of the evidence.
type Case = (&'static str, &'static str, &'static str, &'static str, &'static str);

const CASES: [Case; 10] = [
    ("blocking_storm", "", "sessions blocked", "Blocking", "sleeping in tran"),
    ("cpu_storm", "", "CPU 9", "Queries", "by CPU"),
    ("failed_job", "", "job failed", "", "jobs that failed within a day"),
    ("disk_fill", "", "volume L:", "", "─ volumes ─"),
    ("grant_queue", "", "RESOURCE_SEMAPHORE waits", "Grants", "waits 1"),
    ("io_stall", "", "page reads take", "Storage", "slowest first"),
    ("threadpool", "", "THREADPOOL waits", "Activity", "by TASKS"),
    ("down", "", "unreachable since", "", "─ server ─"),
    ("no_rights", "", "needs VIEW SERVER STATE", "", "─ rights ─"),
    ("blocking_storm", "amount = 6\n", "6 sessions blocked", "Blocking", "sleeping in tran"),
];

#[test]
fn every_trouble_leads_to_its_cause_in_two_keys() {
    let events = CASES.iter().enumerate().map(|(n, (kind, amount, ..))| {
        let from_s = if matches!(*kind, "disk_fill" | "failed_job") { -3_000 } else { -300 };
        format!("[[event]]\non = '#{}'\nkind = '{kind}'\nfrom_s = {from_s}\n{amount}", n + 1)
    });
    let sim = SimProcess::start(CASES.len() as u32, 0, Some(&events.collect::<String>()));
    let home = Home::new();
    let mut s = Screen::start(&["--inventory", &sim.inventory()], 160, 50, &home);
    s.until("all are judged", |t| t.contains("10/10 polled") || t.contains("9/10 polled"));
    let inventory = std::fs::read_to_string(sim.inventory()).expect("the inventory");
    let names: Vec<&str> =
        inventory.lines().filter_map(|line| line.strip_prefix("name = \"")?.strip_suffix('"')).collect();
    assert_eq!(names.len(), CASES.len());
    for (name, (kind, _, reason, pane, evidence)) in names.into_iter().zip(CASES) {
        // Only to put the cursor on the row.
        s.keys(key::CTRL_G);
        s.keys(name.as_bytes());
        s.keys(key::ENTER);
        until_pane(&mut s, "Instance");
        s.until(&format!("{kind}: its reason"), |t| {
            t.lines().next().is_some_and(|line| line.contains(name)) && t.contains(reason)
        });
        // The reason may have company: what is under the cursor is the one that is asked for.
        let row = |t: &str| t.lines().skip(3).position(|line| line.contains(reason));
        for _ in 0..row(&s.text()).unwrap_or(0) {
            s.keys(key::DOWN);
        }
        s.keys(key::ENTER);
        if !pane.is_empty() {
            until_pane(&mut s, pane);
        }
        s.until(&format!("{kind}: its evidence"), |t| t.contains(evidence));
        s.keys(key::ESC);
        until_pane(&mut s, "Instance");
        s.keys(key::ESC);
        until_pane(&mut s, "Fleet");
    }
    s.keys(b"\x03\x03");
    assert_eq!(s.ended(), 0);
}
