//! From each kind of trouble to the row that explains it: real keys, a real server for each. A way takes two keys from the
//! row of the fleet, and none ends in nothing.

use super::{key, until_pane};
use crate::harness::{Home, process::SimProcess, screen::Screen};

/// A trouble: its kind, its amount, the reason, the pane or layer that the reason leads to, and a piece of the evidence.
type Case = (&'static str, &'static str, &'static str, &'static str, &'static str);

const CASES: [Case; 11] = [
    ("blocking_storm", "", "sessions blocked", "Blocking", "sleeping in tran"),
    ("cpu_storm", "", "CPU 9", "Queries", "by CPU"),
    ("failed_job", "", "job failed", "", "jobs that failed within a day"),
    ("disk_fill", "", "volume L:", "", "─ volumes ─"),
    ("grant_queue", "", "RESOURCE_SEMAPHORE waits", "Grants", "waits 1"),
    ("io_stall", "", "page reads take", "Storage", "slowest first"),
    ("threadpool", "", "THREADPOOL waits", "Activity", "by TASKS"),
    ("down", "", "unreachable since", "", "─ server ─"),
    ("no_rights", "", "needs VIEW SERVER STATE", "", "─ rights ─"),
    ("deadlock_pattern", "amount = 60\n", "deadlocks in 15 min", "Deadlocks", "key lookup"),
    ("blocking_storm", "amount = 6\n", "6 sessions blocked", "Blocking", "sleeping in tran"),
];

/// Those of the first trial that need more than one instance, some minutes, or come and go. The first one happens to the secondary
/// replica, which is the second instance; its primary tells.
const MORE: [Case; 7] = [
    ("ag_queue", "amount = 50\n", "to send", "", "─ availability groups ─"),
    ("calm", "", "", "", ""),
    ("restart", "amount = 1\n", "restarted", "", "─ server ─"),
    ("tempdb_fill", "amount = 97\n", "tempdb ", "tempdb", "HOLDS"),
    ("log_fill", "amount = 98\n", "log of ", "Transaction logs", "session"),
    ("black_hole", "", "unreachable since", "", "─ server ─"),
    ("cpu_limit", "amount = 2\n", "tasks wait for 2 CPUs", "Queries", "by CPU"),
];

#[test]
fn every_trouble_leads_to_its_cause_in_two_keys() {
    walk(&CASES, 0);
}

#[test]
fn what_takes_minutes_or_a_second_instance_leads_to_its_cause_too() {
    walk(&MORE, 1);
}

/// `on_next`: so many of the first cases happen to the instance behind their own.
fn walk(cases: &[Case], on_next: usize) {
    let events = cases.iter().enumerate().map(|(n, (kind, amount, ..))| {
        let from_s = match *kind {
            "disk_fill" | "failed_job" => -3_000,
            "restart" => -30,
            _ => -300,
        };
        let on = if n < on_next { n + 2 } else { n + 1 };
        format!("[[event]]\non = '#{on}'\nkind = '{kind}'\nfrom_s = {from_s}\n{amount}")
    });
    let count = cases.len();
    let sim = SimProcess::start(count as u32, 0, Some(&events.collect::<String>()));
    let home = Home::new();
    let mut s = Screen::start(&["--inventory", &sim.inventory()], 160, 50, &home);
    let polled = [count, count - 1].map(|n| format!("{n}/{count} polled"));
    s.until("all are judged", |t| polled.iter().any(|words| t.contains(words.as_str())));
    let inventory = std::fs::read_to_string(sim.inventory()).expect("the inventory");
    let names: Vec<&str> =
        inventory.lines().filter_map(|line| line.strip_prefix("name = \"")?.strip_suffix('"')).collect();
    assert_eq!(names.len(), count);
    for (name, (kind, _, reason, pane, evidence)) in names.into_iter().zip(cases) {
        if reason.is_empty() {
            continue;
        }
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
