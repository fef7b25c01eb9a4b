//! A panic on purpose, so that `tests/program/pty/ends.rs` can see what a real one leaves of the terminal. In debug builds
//! only, and only when asked for: with `DBTOP_TEST_PANIC=screen` F11 panics in the loop, with `task` in a task beside it.

use crossterm::event::{KeyCode, KeyEvent};

/// Called with every key before it is looked up.
#[expect(clippy::panic, reason = "that is what it is for")]
pub fn key(key: KeyEvent) {
    if key.code != KeyCode::F(11) {
        return;
    }
    match std::env::var("DBTOP_TEST_PANIC").as_deref() {
        Ok("screen") => panic!("the screen panicked on purpose"),
        Ok("task") => drop(tokio::spawn(async { panic!("a task panicked on purpose") })),
        _ => {}
    }
}
