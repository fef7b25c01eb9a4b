//! The shell's job control and every other signal that a terminal, a shell or a person sends: the terminal is as it was before for
//! as long as the program is stopped and once it ends, and all is there again when it goes on.

use super::{demo, in_good_order, key, until_pane};
use crate::harness::{
    Home, PATIENCE,
    process::signal,
    screen::{Screen, dbtop},
};
use std::time::{Duration, Instant};

/// Waits until the system says that it is stopped, or that it is not any more.
#[track_caller]
fn until_stopped(s: &mut Screen, pid: u32, wanted: bool) {
    let since = Instant::now();
    let is_stopped = || {
        let ps = std::process::Command::new("ps").args(["-o", "state=", "-p", &pid.to_string()]).output();
        ps.is_ok_and(|out| out.stdout.starts_with(b"T"))
    };
    while is_stopped() != wanted {
        assert!(since.elapsed() < PATIENCE, "stopped: {wanted}\n{}", s.text());
        s.pump(Duration::from_millis(5));
    }
    while s.pump(Duration::from_millis(20)) {}
}

/// Waits until these bytes came, on whichever screen.
#[track_caller]
fn until_came(s: &mut Screen, from: usize, bytes: &[u8]) {
    let since = Instant::now();
    while !s.raw[from..].windows(bytes.len()).any(|w| w == bytes) {
        assert!(since.elapsed() < PATIENCE, "in vain for {:?}\n{}", String::from_utf8_lossy(bytes), s.text());
        s.pump(Duration::from_millis(20));
    }
}

/// Waits until all is painted anew, then tries that keys reach it and that it paints what they ask for.
#[track_caller]
fn is_alive(s: &mut Screen, painted_since: usize) {
    until_came(s, painted_since, b"\x1b[2J");
    s.until("a whole frame", |t| {
        let (first, last) = (t.lines().next().unwrap_or(""), t.lines().last().unwrap_or(""));
        first.contains("LIVE") && last.contains("help")
    });
    assert!(s.is_alternate() && s.look().bracketed_paste(), "the screen is ours");
    // The frame of a resize may come before raw mode is taken anew, which goes by way of the mode that was there before.
    let since = Instant::now();
    while s.modes().contains("ICANON") {
        assert!(since.elapsed() < PATIENCE, "raw mode: {}", s.modes());
        s.pump(Duration::from_millis(5));
    }
    for (pane, name) in [(b"2", "Activity"), (b"1", "Fleet")] {
        s.keys(pane);
        until_pane(s, name);
    }
}

fn quits(mut s: Screen, home: &Home) {
    s.keys(b"\x03\x03");
    in_good_order(s, home);
}

#[test]
fn stopped_it_gives_the_terminal_back_and_continued_it_paints_the_size_of_now() {
    let home = Home::new();
    let mut s = demo(&home);
    let pid = s.pid();
    for (cols, rows) in [(80, 24), (140, 40), (140, 40)] {
        signal(pid, "TSTP");
        until_stopped(&mut s, pid, true);
        s.assert_restored();
        let from = s.raw.len();
        // The window changes while nobody looks.
        s.resize(cols, rows);
        signal(pid, "CONT");
        until_stopped(&mut s, pid, false);
        is_alive(&mut s, from);
        let widest = s.text().lines().map(|l| l.chars().count()).max();
        assert_eq!(widest, Some(usize::from(cols)), "{}", s.text());
    }
    quits(s, &home);
}

#[test]
fn with_the_mouse_it_takes_the_mouse_again() {
    let home = Home::new();
    let mut s = Screen::start(&["--demo=6", "--mouse"], 100, 30, &home);
    s.until_shows("6 instances");
    let before = s.look().mouse_protocol_mode();
    assert_ne!(before, vt100::MouseProtocolMode::None);
    let pid = s.pid();
    signal(pid, "TSTP");
    until_stopped(&mut s, pid, true);
    s.assert_restored();
    let from = s.raw.len();
    signal(pid, "CONT");
    is_alive(&mut s, from);
    assert_eq!(s.look().mouse_protocol_mode(), before);
    quits(s, &home);
}

#[test]
fn a_stop_that_cannot_be_caught_is_mended_when_it_goes_on() {
    let home = Home::new();
    let mut s = demo(&home);
    let pid = s.pid();
    signal(pid, "STOP");
    until_stopped(&mut s, pid, true);
    let from = s.raw.len();
    s.resize(90, 25);
    signal(pid, "CONT");
    is_alive(&mut s, from);
    // And a SIGCONT for nothing.
    let from = s.raw.len();
    signal(pid, "CONT");
    is_alive(&mut s, from);
    quits(s, &home);
}

#[test]
fn a_stop_and_what_continues_it_at_once_leave_it_running() {
    let home = Home::new();
    let mut s = demo(&home);
    let pid = s.pid();
    for _ in 0..5 {
        let from = s.raw.len();
        let both = format!("kill -TSTP {pid}; kill -CONT {pid}");
        assert!(std::process::Command::new("sh").args(["-c", &both]).status().is_ok_and(|s| s.success()));
        is_alive(&mut s, from);
    }
    quits(s, &home);
}

#[test]
fn an_end_that_comes_while_it_is_stopped_finds_the_terminal_given_back() {
    for name in ["TERM", "HUP", "INT"] {
        let home = Home::new();
        let mut s = demo(&home);
        let pid = s.pid();
        signal(pid, "TSTP");
        until_stopped(&mut s, pid, true);
        // A hang-up asks to read the configuration again while the terminal is there.
        signal(pid, name);
        let from = s.raw.len();
        signal(pid, "CONT");
        if name == "HUP" {
            is_alive(&mut s, from);
            quits(s, &home);
        } else {
            assert_eq!(s.ended(), 0, "SIG{name}");
            s.assert_restored();
            home.assert_nothing_left();
        }
    }
}

#[test]
fn every_signal_that_would_end_a_program_ends_it_in_good_order() {
    for name in ["TERM", "INT", "QUIT", "USR1", "USR2", "ALRM", "VTALRM", "PROF", "XCPU", "IO", "PWR"] {
        let home = Home::new();
        let mut s = demo(&home);
        signal(s.pid(), name);
        assert_eq!(s.ended(), 0, "SIG{name}");
        s.assert_restored();
        home.assert_nothing_left();
    }
}

#[test]
fn signals_that_say_nothing_do_nothing() {
    let home = Home::new();
    let mut s = demo(&home);
    for name in ["WINCH", "CHLD", "URG", "PIPE", "XFSZ"] {
        let before = s.raw.len();
        signal(s.pid(), name);
        s.keys(b"2");
        until_pane(&mut s, "Activity");
        s.keys(b"1");
        until_pane(&mut s, "Fleet");
        assert!(s.raw.len() > before, "SIG{name}");
    }
    quits(s, &home);
}

/// A key that comes in the same instant as a signal of the window is not kept back until the next key.
#[test]
fn a_key_at_the_instant_of_a_resize_is_heard_at_once() {
    let home = Home::new();
    let mut s = demo(&home);
    for _ in 0..40 {
        for (pane, name) in [(b"2", "Activity"), (b"1", "Fleet")] {
            signal(s.pid(), "WINCH");
            s.keys(pane);
            until_pane(&mut s, name);
        }
    }
    quits(s, &home);
}

#[test]
fn in_a_shell_ctrl_z_of_another_kind_and_fg_bring_it_back() {
    let home = Home::new();
    let mut command = dbtop(&[], &home);
    *command.get_argv_mut() = ["sh", "-i"].map(Into::into).to_vec();
    command.env("PS1", "shell> ");
    let mut s = Screen::start_command(command, 100, 30);
    s.until_shows("shell> ");
    let file = home.path().join("pid");
    let start = format!("sh -c 'echo $$ >{}; exec {} --demo=6'\r", file.display(), crate::harness::DBTOP);
    s.keys(start.as_bytes());
    s.until("instances", |t| t.contains("6 instances") && t.contains("sqlprd-001"));
    let pid: u32 = std::fs::read_to_string(&file).expect("its id").trim().parse().expect("an id");
    for (stop, cols) in [("TSTP", 120), ("STOP", 90)] {
        let from = s.raw.len();
        signal(pid, stop);
        until_stopped(&mut s, pid, true);
        until_came(&mut s, from, b"shell> ");
        if stop == "TSTP" {
            assert!(!s.is_alternate() && !s.look().hide_cursor(), "{}", s.text());
        }
        s.resize(cols, 30);
        let from = s.raw.len();
        s.keys(b"fg\n");
        is_alive(&mut s, from);
    }
    // In the background it waits for the foreground, and draws nothing over what the shell shows.
    let from = s.raw.len();
    signal(pid, "TSTP");
    until_stopped(&mut s, pid, true);
    until_came(&mut s, from, b"shell> ");
    let from = s.raw.len();
    s.keys(b"bg\n");
    until_came(&mut s, from, b"shell> ");
    s.keys(b"echo ov''er\n");
    until_came(&mut s, from, b"over");
    until_stopped(&mut s, pid, true);
    assert!(!s.is_alternate(), "{}", s.text());
    let from = s.raw.len();
    s.keys(b"fg\n");
    is_alive(&mut s, from);
    s.keys(b"\x03\x03");
    s.until("the shell again", |t| t.trim_end().ends_with("shell>"));
    assert!(!s.is_alternate() && !s.look().hide_cursor() && !s.look().bracketed_paste(), "{}", s.text());
    s.keys(b"exit\n");
    s.ended();
    home.assert_nothing_left();
}

#[test]
fn a_question_for_a_passphrase_gives_the_echo_back_while_it_is_stopped() {
    let home = Home::new();
    let mut s = Screen::start(&["vault", "init"], 100, 30, &home);
    s.until_shows("New passphrase");
    let asked = |t: &str| t.matches("New passphrase").count();
    let echoes = |s: &Screen| s.modes().contains("ECHO |");
    assert!(!echoes(&s));
    let pid = s.pid();
    signal(pid, "TSTP");
    until_stopped(&mut s, pid, true);
    assert!(echoes(&s), "{}", s.modes());
    signal(pid, "CONT");
    s.until("the question again", |t| asked(t) == 2);
    assert!(!echoes(&s), "{}", s.modes());
    for name in ["QUIT", "USR1"] {
        let home = Home::new();
        let mut s = Screen::start(&["vault", "init"], 100, 30, &home);
        s.until_shows("New passphrase");
        // As long as a person thinks: it listens still.
        s.run_for(Duration::from_secs(3));
        signal(s.pid(), name);
        s.until_shows("broken off");
        s.ended();
        s.assert_restored();
    }
    s.keys(key::CTRL_C);
    s.until_shows("broken off");
    s.ended();
    s.assert_restored();
}
