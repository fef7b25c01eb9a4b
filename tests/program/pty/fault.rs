//! A disk that answers with an errno under a running screen: while history is written, and while somebody looks at the past.
//! The screen goes on, says what is the matter for as long as it lasts, and nothing of that time is lost afterwards.

use super::key;
use crate::harness::{
    Home,
    fault::Fault,
    find,
    process::{SimProcess, dbtop, run},
    screen::{self, Screen},
};
use std::{
    path::Path,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

/// Readings of what is on the screen come every two seconds: in so long there are some.
const SOME_POLLS: Duration = Duration::from_secs(5);

/// A screen over four simulated instances, on a disk that can fail.
fn screen(sim: &SimProcess, home: &Home, fault: &Fault) -> Screen {
    let mut command = screen::dbtop(&["--inventory", &sim.inventory()], home);
    for (name, value) in fault.environment() {
        command.env(name, value);
    }
    let mut s = Screen::start_command(command, 160, 30);
    s.until("all are polled", |t| t.contains("4/4 polled"));
    s
}

fn now_ms() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).expect("a clock");
    i64::try_from(since.as_millis()).expect("a clock")
}

/// It still does what it is told, and polls what it shows.
#[track_caller]
fn goes_on(s: &mut Screen) {
    s.keys(b"2");
    s.until("the pane of activity", |t| t.contains("─ Activity"));
    s.run_for(SOME_POLLS);
    s.keys(b"1");
    s.until("the pane of the fleet", |t| t.contains("─ Fleet"));
    assert!(s.text().contains("4/4 polled"), "{}", s.text());
}

#[track_caller]
fn ends(s: &mut Screen) {
    s.keys(b"q");
    assert_eq!(s.ended(), 0);
    s.assert_restored();
}

/// History is whole, and has readings from each of these stretches of time.
#[track_caller]
fn is_whole(home: &Home, stretches: &[(&str, i64, i64)]) {
    let file = find(&home.path(), "history.db");
    let path = file.to_str().expect("a path");
    let checked = run(&mut dbtop(&["store", "--history", path, "check"], home));
    assert_eq!(checked.code, Some(0), "{checked:?}");
    for (when, from, to) in stretches {
        assert!(readings(&file, *from, *to) > 0, "no reading {when}");
    }
}

fn readings(file: &Path, from: i64, to: i64) -> i64 {
    let history = rusqlite::Connection::open(file).expect("the history");
    let sql = "SELECT count(*) FROM hot WHERE at >= ?1 AND at < ?2";
    history.query_row(sql, [from, to], |row| row.get(0)).expect("counting readings")
}

/// The disk fails so while history is written: said as `sign`, with `words` once; over when it is over. Gives the log.
#[track_caller]
fn writing_fails(how: &str, sign: &str, words: &str) -> String {
    let (sim, home) = (SimProcess::start(4, 0, None), Home::new());
    let fault = Fault::new(&home);
    let mut s = screen(&sim, &home, &fault);
    goes_on(&mut s);
    let began = now_ms();
    fault.begin(how);
    s.until_shows(&format!("HISTORY NOT KEPT: {sign}"));
    goes_on(&mut s);
    assert!(s.text().contains(&format!("HISTORY NOT KEPT: {sign}")), "{}", s.text());
    let over = now_ms();
    fault.end();
    s.until("history is kept again", |t| !t.contains("HISTORY NOT KEPT"));
    goes_on(&mut s);
    assert!(!s.text().contains("HISTORY NOT KEPT"), "{}", s.text());
    ends(&mut s);
    let log = super::log(&home);
    assert!(log.contains(words) && log.contains("history is kept again"), "no {words:?} in {log}");
    let all = [
        ("before the fault", 0, began),
        ("during it", began + 1000, over),
        ("after it", over + 2000, i64::MAX),
    ];
    is_whole(&home, &all);
    log
}

#[test]
fn an_input_output_error_while_writing_costs_no_sample() {
    let log = writing_fails("EIO", "disk fails", "disk I/O error: the disk fails");
    assert!(!log.contains("read-only"), "{log}");
}

#[test]
fn a_disk_that_turns_read_only_while_it_runs_costs_no_sample() {
    let log = writing_fails("EROFS", "disk read-only", "mounted read-only");
    assert!(!log.contains("the disk fails"), "it is said as what it is at once: {log}");
}

#[test]
fn a_disk_that_says_full_costs_no_sample() {
    writing_fails("ENOSPC", "disk full", "the disk is full");
}

#[test]
fn a_quota_that_is_used_up_is_called_so() {
    let (sim, home) = (SimProcess::start(4, 0, None), Home::new());
    let fault = Fault::new(&home);
    fault.begin("EDQUOT");
    let mut s = screen(&sim, &home, &fault);
    s.until_shows("HISTORY NOT KEPT: quota used up");
    fault.end();
    s.until("history is kept", |t| !t.contains("HISTORY NOT KEPT"));
    ends(&mut s);
    let log = super::log(&home);
    assert!(log.contains("the quota of the user is used up (quota -s)"), "{log}");
}

/// Asks for the past; what comes is the test's matter.
#[track_caller]
fn to_the_past(s: &mut Screen) {
    s.keys(b"t-4s");
    s.until("when that is", |t| t.contains("4s ago"));
    s.keys(key::ENTER);
}

/// It says why there is no past, in words.
#[track_caller]
fn says_why(s: &mut Screen) {
    s.until("why there is no past", |t| {
        (t.contains("reading the history") || t.contains("opening the history"))
            && t.contains("the disk fails")
    });
}

#[test]
fn an_input_output_error_while_reading_the_past_is_said_and_over_when_it_is_over() {
    let (sim, home) = (SimProcess::start(4, 0, None), Home::new());
    let fault = Fault::new(&home);
    let mut s = screen(&sim, &home, &fault);
    goes_on(&mut s);
    to_the_past(&mut s);
    s.until("the past", |t| t.contains("◀ PAST") && t.contains("4 instances"));
    let past = s.row("◀ PAST").expect("the header");
    s.run_for(SOME_POLLS);
    fault.begin("read EIO");
    to_the_past(&mut s);
    says_why(&mut s);
    let instant = |row: &str| row.split("PAST ").nth(1).map(|at| at.chars().take(19).collect::<String>());
    let stays = s.row("◀ PAST").expect("the header");
    assert_eq!(instant(&stays), instant(&past), "it stays where it is");
    s.keys(b"T");
    s.until_shows("▶ LIVE");
    to_the_past(&mut s);
    says_why(&mut s);
    assert!(!s.text().contains("◀ PAST"), "it stays where it is: {}", s.text());
    goes_on(&mut s);
    fault.end();
    s.until("history is kept", |t| !t.contains("HISTORY NOT KEPT"));
    to_the_past(&mut s);
    s.until("the past", |t| t.contains("◀ PAST") && t.contains("4 instances"));
    s.keys(b"T");
    s.until_shows("▶ LIVE");
    ends(&mut s);
    is_whole(&home, &[("at all", 0, i64::MAX)]);
}
