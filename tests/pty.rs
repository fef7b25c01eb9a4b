//! The real program in a real pseudo-terminal: what a person sees and types, and what is left of the terminal whatever
//! ends the program. Nothing waits for a time; each step waits until the screen shows what it should.
//!
//! | what | file |
//! |---|---|
//! | the first screen: the demo, no inventory, no colour, no terminal | `pty/start.rs` |
//! | a tour by keys: panes, links, filter, palette, heat map, marks, themes, clipboard | `pty/keys.rs` |
//! | the mouse, where it is wanted | `pty/mouse.rs` |
//! | the window's size, down to one cell and back; what an idle screen sends | `pty/window.rs` |
//! | the sealed inventory: its dialog, its lock, other processes and tenants | `pty/vault.rs` |
//! | every end: keys, signals, a lost line, panics | `pty/ends.rs` |
//! | a recording that is played: every pane, no way out of it, nothing written | `pty/replay.rs` |
//! | a disk that is full, failing or read-only under history | `pty/disk.rs` |
//! | a history with damaged bytes, looked at | `pty/damage.rs` |
//! | a disk that answers with an errno, while history is written and while it is read | `pty/fault.rs` |
//! | a sealed fleet handed on: page and recording, with and without names | `pty/export.rs` |
//! | another configuration while it runs: the file, SIGHUP | `pty/reload.rs` |
#![cfg(unix)]
#![expect(
    clippy::expect_used,
    clippy::print_stderr,
    reason = "helpers of tests fail like tests, and say what cannot be tested here"
)]

#[path = "pty/damage.rs"]
mod damage;
#[path = "pty/disk.rs"]
mod disk;
#[path = "pty/ends.rs"]
mod ends;
#[path = "pty/export.rs"]
mod export;
#[cfg(target_os = "linux")]
#[path = "pty/fault.rs"]
mod fault;
#[path = "harness/mod.rs"]
#[expect(dead_code, reason = "shared with other tests and the benchmarks")]
mod harness;
#[path = "pty/keys.rs"]
mod keys;
#[path = "pty/mouse.rs"]
mod mouse;
#[path = "pty/reload.rs"]
mod reload;
#[path = "pty/replay.rs"]
mod replay;
#[path = "pty/start.rs"]
mod start;
#[path = "pty/vault.rs"]
mod vault;
#[path = "pty/window.rs"]
mod window;
#[path = "history/world.rs"]
mod world;

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

/// What is in the user's log.
fn log(home: &harness::Home) -> String {
    let folder = home.path().join("log");
    let files = harness::names(&folder).into_iter().map(|name| folder.join(name));
    files.map(|file| std::fs::read_to_string(file).expect("the log")).collect()
}

/// Waits until the frame around a pane of this name is there: its name stands in the third row, after a rule.
#[track_caller]
fn until_pane(s: &mut harness::screen::Screen, name: &str) {
    let shows = |row: &str| row.trim_start_matches(['─', '━', ' ']).split(' ').next() == Some(name);
    s.until(&format!("the pane {name}"), |screen| screen.lines().nth(2).is_some_and(shows));
}
