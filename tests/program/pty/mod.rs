//! The real program in a real pseudo-terminal: what a person sees and types, and what is left of the terminal whatever
//! ends the program. Nothing waits for a time; each step waits until the screen shows what it should.
//!
//! | what | file |
//! |---|---|
//! | the first screen: the demo, no inventory, no colour, no terminal | `start.rs` |
//! | a tour by keys: panes, links, filter, palette, heat map, marks, themes, clipboard | `keys.rs` |
//! | from each kind of trouble to its cause, in two keys | `causes.rs` |
//! | the mouse, where it is wanted | `mouse.rs` |
//! | the window's size, down to one cell and back; what an idle screen sends | `window.rs` |
//! | the sealed inventory: its dialog, its lock, other processes and tenants | `vault.rs` |
//! | every end: keys, signals, a lost line, panics | `ends.rs` |
//! | job control (`fg`) and all other signals | `signals.rs` |
//! | a recording that is played: every pane, no way out of it, nothing written | `replay.rs` |
//! | a disk that is full, failing or read-only under history | `disk.rs` |
//! | a history with damaged bytes, looked at | `damage.rs` |
//! | a disk that answers with an errno, while history is written and while it is read | `fault.rs` |
//! | a sealed fleet handed on: page and recording, with and without names | `export.rs` |
//! | a plan of a file, without a fleet: keys, the editor, the file that is written | `plan.rs` |
//! | the demo's plan regression: from the fleet to the guilty operator in five keys | `regression.rs` |
//! | another configuration while it runs: the file, SIGHUP | `reload.rs` |
#![cfg(unix)]

mod causes;
mod damage;
mod disk;
mod ends;
mod export;
#[cfg(target_os = "linux")]
mod fault;
mod keys;
mod mouse;
mod plain;
mod plan;
mod regression;
mod reload;
mod replay;
mod signals;
mod start;
mod vault;
mod window;

use crate::harness::{Home, screen::Screen};

/// Keys as a terminal sends them.
mod key {
    pub const ENTER: &[u8] = b"\r";
    pub const ESC: &[u8] = b"\x1b";
    pub const TAB: &[u8] = b"\t";
    pub const DOWN: &[u8] = b"\x1b[B";
    pub const HOME: &[u8] = b"\x1b[H";
    pub const F11: &[u8] = b"\x1b[23~";
    pub const F12: &[u8] = b"\x1b[24~";
    pub const CTRL_C: &[u8] = b"\x03";
    pub const CTRL_G: &[u8] = b"\x07";
    pub const CTRL_Z: &[u8] = b"\x1a";
}

/// The demo with six instances, whose fleet is on the screen.
#[track_caller]
fn demo(home: &Home) -> Screen {
    demo_of(home, 100)
}

/// The same, so many columns wide.
#[track_caller]
fn demo_of(home: &Home, cols: u16) -> Screen {
    let mut s = Screen::start(&["--demo=6"], cols, 30, home);
    s.until("instances", |t| t.contains("6 instances") && t.contains("sqlprd-001"));
    s
}

/// It ended well: the terminal is as it was before, and nothing stays behind.
#[track_caller]
fn in_good_order(mut s: Screen, home: &Home) {
    assert_eq!(s.ended(), 0);
    s.assert_restored();
    home.assert_nothing_left();
}

/// What is in the user's log.
fn log(home: &Home) -> String {
    let folder = home.path().join("log");
    let files = crate::harness::names(&folder).into_iter().map(|name| folder.join(name));
    files.map(|file| std::fs::read_to_string(file).expect("the log")).collect()
}

/// Waits until the frame around a pane of this name is there: its name stands in the third row, after a rule.
#[track_caller]
fn until_pane(s: &mut Screen, name: &str) {
    let shows = |row: &str| {
        let behind = row.trim_start_matches(['─', '━', ' ']).strip_prefix(name);
        behind.is_some_and(|rest| rest.is_empty() || rest.starts_with(' '))
    };
    s.until(&format!("the pane {name}"), |screen| screen.lines().nth(2).is_some_and(shows));
}
