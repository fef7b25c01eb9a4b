//! A recording from end to end: collected from simulated servers by `dbtop collect`, carried away by `dbtop store
//! export-range`, and looked at when collector and servers are gone.

use super::{key, until_pane};
use crate::harness::{
    Home, PATIENCE, names,
    process::{SimProcess, dbtop, run, signal, wait},
    screen::Screen,
};
use std::{
    path::PathBuf,
    process::Stdio,
    time::{Duration, Instant},
};

const INCIDENT: &str = r##"
    [[event]]
    on = "#1"
    kind = "blocking_storm"
    from_s = -120
    [[event]]
    on = "#3"
    kind = "login_refused"
    from_s = -60
"##;

/// A recording of the incident, in a folder of its own. All that made it has ended.
fn record(home: &Home) -> PathBuf {
    let sim = SimProcess::start(4, 0, Some(INCIDENT));
    let inventory = sim.inventory();
    let fleet = ["--inventory", inventory.as_str()];
    let mut command = dbtop(&["collect"], home);
    command.args(fleet).stdout(Stdio::null()).stderr(Stdio::null());
    let mut collector = command.spawn().expect("starting the collector");
    let started = Instant::now();
    loop {
        // Twice of everything: rates need two polls, half a minute apart.
        let said = run(dbtop(&["status", "-o", "json"], home).args(fleet));
        let rows: Vec<serde_json::Value> = serde_json::from_str(&said.stdout).unwrap_or_default();
        if rows.first().is_some_and(|row| row["up"] == 3 && row["polls_ok"].as_u64() > Some(55)) {
            break;
        }
        assert!(started.elapsed() < 3 * PATIENCE, "it collects: {said:?}");
        std::thread::sleep(Duration::from_millis(300));
    }
    signal(collector.id(), "TERM");
    wait(&mut collector, PATIENCE).expect("the collector ends");
    let folder = home.tmp().join("recording");
    std::fs::create_dir(&folder).expect("a folder");
    let file = folder.join("night.db");
    let args = ["export-range", "--from", "-1h", file.to_str().expect("a path")];
    let exported = run(dbtop(&["store"], home).args(fleet).args(args));
    assert_eq!(exported.code, Some(0), "{exported:?}");
    file
}

/// All panes, through time and back, on a terminal of this size.
fn walk(file: &str, cols: u16, rows: u16, home: &Home) {
    let mut s = Screen::start(&["--replay", file], cols, rows, home);
    s.until("the end of the recording", |t| t.contains("◀ PAST") && t.contains("night.db · "));
    assert!(!s.text().contains("LIVE"), "{}", s.text());
    s.until("all instances", |t| t.contains("4 instances") && t.contains("sqlprd-001"));
    s.until_shows("login");
    s.keys(b"v");
    s.until("the heat map", |t| t.contains("by score") || t.contains("worst"));
    s.keys(b"v");
    s.keys(b"4");
    until_pane(&mut s, "Blocking");
    s.until("the chain", |t| t.contains("LCK_M_"));
    s.keys(b"2");
    until_pane(&mut s, "Activity");
    s.until("its head", |t| t.contains("sleeping"));
    s.keys(b"3");
    until_pane(&mut s, "Waits");
    s.until("waits", |t| t.contains("LCK_M_"));
    // What was at work, of all and of one: from the quarter of an hour before the instant, and over a longer time from its polls.
    s.keys(b"5b");
    s.until("what was at work", |t| {
        t.contains("by statement") && t.contains("LCK_M_") && t.contains(" cover ")
    });
    while !s.text().contains("last 1 hour") {
        s.keys(b"w");
        s.run_for(Duration::from_millis(200));
    }
    s.until("an hour of all", |t| t.contains("LCK_M_") && t.contains(" cover "));
    s.keys(key::CTRL_G);
    s.keys(b"sqlprd-001");
    s.keys(key::ENTER);
    s.until("of one", |t| t.lines().next().is_some_and(|line| line.contains("sqlprd-001")));
    s.until("an hour of it", |t| t.contains("LCK_M_") && t.contains(" cover "));
    // Back from the range, from the groups, and from the instance.
    for _ in 0..3 {
        s.keys(key::ESC);
        s.run_for(Duration::from_millis(300));
    }
    s.keys(b"1");
    until_pane(&mut s, "Fleet");
    s.keys(key::ENTER);
    until_pane(&mut s, "Instance");
    s.keys(b"1");
    // Out of it leads nothing, and each key says so.
    s.keys(b"T");
    s.until_shows("the recording's end: it has no live state");
    s.keys(b"t-2d");
    s.until_shows("before its end");
    s.keys(key::ENTER);
    s.until_shows("the recording begins here: ");
    s.keys(b"T");
    s.until_shows("the recording's end");
    s.keys(b"B");
    s.until_shows("a recording cannot be written");
    s.keys(b"r");
    s.until_shows("a recording: no server is there");
    s.keys(b"'");
    s.until_shows("no bookmark came with the recording");
    s.keys(b"q[");
    s.until("a step back", |t| !t.contains("no bookmark") && t.contains("PAST"));
    // Who polls nothing has no figures of it, not zeros.
    s.keys(key::F12);
    s.until("own figures", |t| t.contains("none: a recording") && !t.contains("0 ok"));
    s.keys(key::F12);
    s.keys(key::CTRL_C);
    s.until_shows("Ctrl-c again quits");
    s.keys(key::CTRL_C);
    assert_eq!(s.ended(), 0);
    s.assert_restored();
}

#[test]
fn a_recording_shows_every_pane_without_any_server_and_is_left_as_it_was() {
    let home = Home::new();
    let file = record(&home);
    let bytes = std::fs::read(&file).expect("the recording");
    let path = file.to_str().expect("a path");
    for (cols, rows) in [(80, 24), (120, 40)] {
        walk(path, cols, rows, &home);
    }
    assert_eq!(names(file.parent().expect("its folder")), ["night.db"], "nothing lies beside it");
    assert!(std::fs::read(&file).expect("the recording") == bytes, "it was not written");
}
