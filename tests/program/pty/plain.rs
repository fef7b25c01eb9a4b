//! Plain mode in a real terminal and in a pipe: lines that are appended, words that are typed, a passphrase that is not shown.

use super::vault::PASSPHRASE;
use crate::harness::{
    Home,
    process::{SimProcess, dbtop, run, wait},
    screen::{self, Screen},
    vault::Stage,
};
use std::{
    io::{BufRead, BufReader, Write},
    process::Stdio,
    time::Duration,
};

#[test]
fn a_pipe_gets_lines_and_no_escape() {
    let home = Home::new();
    let mut command = dbtop(&["--plain", "--demo=6"], &home);
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("starting dbtop");
    let mut input = child.stdin.take().expect("its input");
    input.write_all(b"fleet\nwaits sqlprd-001\n1\nlorem\nq\n").expect("typing");
    let output = BufReader::new(child.stdout.take().expect("its output"));
    let lines: Vec<String> = output.lines().map(|line| line.expect("UTF-8")).collect();
    assert_eq!(wait(&mut child, Duration::from_secs(20)).and_then(|s| s.code()), Some(0));
    let has = |words: &str| lines.iter().any(|line| line.starts_with(words));
    assert!(lines[0].starts_with("dbtop, demo: ") && lines[0].contains(" UTC, 6 instances"), "{lines:#?}");
    assert!(has("fleet, the whole fleet: 6 rows") && has("6 "), "{lines:#?}");
    assert!(has("waits, sqlprd-001: ") && has("wait type: "), "{lines:#?}");
    assert!(has("nothing is called lorem"), "{lines:#?}");
    assert!(lines.iter().all(|line| !line.contains('\u{1b}') && !line.contains('\r')), "{lines:#?}");
    home.assert_nothing_left();
}

#[test]
fn the_end_of_its_input_ends_it() {
    let home = Home::new();
    let ended = run(&mut dbtop(&["--plain", "--demo=2"], &home));
    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert!(ended.stdout.contains("fleet, the whole fleet: 2 rows"), "{ended:?}");
}

#[test]
fn a_terminal_that_can_do_no_more_gets_it_by_itself() {
    let home = Home::new();
    let mut command = screen::dbtop(&["--demo=6"], &home);
    command.env("TERM", "dumb");
    let mut s = Screen::start_command(command, 100, 40);
    s.until("the first answer", |t| t.contains("fleet, the whole fleet: 6 rows") && t.contains("> "));
    assert!(!s.is_alternate(), "no other screen");
    s.keys(b"1\r");
    s.until("its page", |t| {
        t.contains("instance, sql") && t.contains("CPU: ") && t.trim_end().ends_with('>')
    });
    s.keys(b"back\r");
    s.until("the fleet again", |t| t.matches("fleet, the whole fleet: 6 rows").count() == 2);
    assert!(s.text().contains("> back"), "what is typed is shown by the terminal: {}", s.text());
    s.keys(b"q\r");
    assert_eq!(s.ended(), 0);
    s.assert_restored();
    home.assert_nothing_left();
}

#[test]
fn a_passphrase_is_typed_unseen_and_the_terminal_is_given_back() {
    let sim = SimProcess::start(2, 0, None);
    let stage = Stage::watching(&sim);
    let mut s = Screen::start(&["--plain"], 120, 40, &stage.home);
    s.until_shows("passphrase, not shown: ");
    s.keys(format!("{PASSPHRASE}\r").as_bytes());
    s.until("the fleet", |t| t.contains("fleet, the whole fleet: 2 rows"));
    assert!(!s.text().contains("zebra"), "{}", s.text());
    s.keys(b"lock\r");
    s.until_shows("locked: polling goes on");
    s.keys(b"unlock\r");
    s.until("it is asked for again", |t| t.matches("passphrase, not shown: ").count() == 2);
    s.keys(b"\r");
    s.until_shows("it stays locked");
    s.keys(b"q\r");
    assert_eq!(s.ended(), 0);
    s.assert_restored();
}
