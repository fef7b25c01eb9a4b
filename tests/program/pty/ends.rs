//! However the program ends, the terminal is as it was before, and nothing stays behind.

use super::{demo, in_good_order, key, until_pane};
use crate::harness::{
    Home, PATIENCE,
    process::signal,
    screen::{Screen, dbtop},
};
use std::time::{Duration, Instant};

#[test]
fn ctrl_c_twice_quits_from_anywhere_and_once_only_warns() {
    let home = Home::new();
    let mut s = demo(&home);
    s.keys(key::CTRL_C);
    s.until_shows("Ctrl-c again quits");
    // another key in between: they do not count as two
    s.keys(b"2");
    until_pane(&mut s, "Activity");
    s.keys(key::CTRL_C);
    s.keys(b":");
    s.until_shows("─ go to ─");
    // now twice, within an input line
    s.keys(b"\x03\x03");
    in_good_order(s, &home);
}

#[test]
fn q_goes_back_and_quits_at_the_top() {
    let home = Home::new();
    let mut s = demo(&home);
    s.keys(key::ENTER);
    s.until_shows("1 Instance");
    s.keys(b"q");
    s.until("back at the fleet", |t| t.contains("1 Fleet") && t.contains("6 instances"));
    s.keys(b"q");
    in_good_order(s, &home);
}

#[test]
fn a_signal_during_the_start_leaves_nothing_behind() {
    let home = Home::new();
    let mut s = Screen::start(&["--demo=200"], 100, 30, &home);
    let since = Instant::now();
    while crate::harness::names(&home.tmp()).is_empty() {
        assert!(since.elapsed() < PATIENCE, "the demo makes its folder");
        s.pump(Duration::from_millis(1));
    }
    signal(s.pid(), "TERM");
    in_good_order(s, &home);
}

#[test]
fn a_lost_line_ends_it() {
    let home = Home::new();
    let mut s = demo(&home);
    s.hang_up();
    // Nobody is there to see why, but whoever waits for it sees that it is no crash: a signal, or a failed frame.
    let code = s.ended();
    assert!([0, 3].contains(&code), "{code}");
    home.assert_nothing_left();
}

#[test]
#[cfg(target_os = "linux")]
fn a_lost_line_ends_it_without_a_signal_too() {
    let home = Home::new();
    let mut command = dbtop(&[], &home);
    // In a session of its own: the system tells only those whose terminal it is.
    let shell = ["sh", "-c", "trap '' HUP; setsid --wait \"$0\" --demo=6", crate::harness::DBTOP];
    *command.get_argv_mut() = shell.map(Into::into).to_vec();
    let mut s = Screen::start_command(command, 100, 30);
    s.until("instances", |t| t.contains("6 instances") && t.contains("sqlprd-001"));
    s.hang_up();
    assert_eq!(s.ended(), 3, "it could not draw");
    home.assert_nothing_left();
}

#[test]
fn it_reads_keys_from_the_terminal_when_stdin_is_something_else() {
    for stdin in ["</dev/null", "<&-"] {
        let home = Home::new();
        let mut command = dbtop(&[], &home);
        let shell = ["sh", "-c", &format!("exec \"$0\" --demo=2 {stdin}"), crate::harness::DBTOP];
        *command.get_argv_mut() = shell.map(Into::into).to_vec();
        let mut s = Screen::start_command(command, 100, 30);
        s.until("instances", |t| t.contains("2 instances"));
        s.keys(b"2");
        until_pane(&mut s, "Activity");
        s.keys(b"\x03\x03");
        assert_eq!(s.ended(), 0, "stdin {stdin}");
        s.assert_restored();
        home.assert_nothing_left();
    }
}

#[test]
fn a_panic_of_the_screen_gives_the_terminal_back_with_its_message() {
    let home = Home::new();
    let mut command = dbtop(&["--demo=6"], &home);
    command.env("DBTOP_TEST_PANIC", "screen");
    let mut s = Screen::start_command(command, 100, 30);
    s.until_shows("6 instances");
    s.keys(key::F11);
    assert_ne!(s.ended(), 0, "scripts see that it failed");
    s.assert_restored();
    let text = s.text();
    assert!(text.contains("panicked") && text.contains("on purpose"), "the message can be read:\n{text}");
    let last = text.trim_end().lines().count() - 1;
    assert!(usize::from(s.look().cursor_position().0) > last, "the prompt comes below it:\n{text}");
    home.assert_nothing_left();
}

#[test]
fn a_panic_of_a_task_neither_ends_the_program_nor_spoils_the_screen() {
    let home = Home::new();
    let inventory = home.file("fleet.toml", "");
    let mut command = dbtop(&["--inventory", &inventory.to_string_lossy()], &home);
    command.env("DBTOP_TEST_PANIC", "task");
    let mut s = Screen::start_command(command, 100, 30);
    s.until_shows("No instances yet");
    s.keys(key::F11);
    s.keys(b"?");
    s.until_shows("Keys");
    s.keys(key::ESC);
    s.until_shows("No instances yet");
    assert!(s.is_alternate() && !s.modes().contains("ICANON"), "the screen is still ours");
    assert!(!s.text().contains("panicked"), "{}", s.text());
    s.keys(b"q");
    assert_eq!(s.ended(), 0);
    s.assert_restored();
    let logged = super::log(&home);
    assert!(logged.contains("a task panicked on purpose"), "the log says it: {logged}");
}
