//! The built program, from outside: its sub-commands as a script runs them, its screen in a pseudo-terminal as a person sees
//! it, over simulated fleets in other processes. `cargo test --test program pty::` runs one of its parts.
//!
//! | part | tests |
//! |---|---|
//! | `cli` | `once`, `sim` and `keys`; errors of use |
//! | `check` | `instance test` and `doctor` |
//! | `config` | `config check` and `config show` |
//! | `inventory`, `tenant`, `vault` | the sealed inventory by sub-commands |
//! | `history` | `store`, `bookmark` and exports of a recorded history |
//! | `collect` | the collector without a screen: systemd, metrics, signals, kill -9, bad disks |
//! | `attach`, `focus` | screens beside a collector: who polls, and how fast |
//! | `pty`, `onboard` | the screen in a terminal: every key, every end |
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stderr,
    reason = "helpers of tests fail and tell like tests"
)]

#[path = "fixture/again.rs"]
mod again;
#[path = "program/attach.rs"]
mod attach;
#[path = "program/check.rs"]
mod check;
#[path = "program/cli/mod.rs"]
mod cli;
#[path = "program/collect/mod.rs"]
mod collect;
#[path = "program/config.rs"]
mod config;
#[path = "program/focus.rs"]
mod focus;
#[expect(dead_code, reason = "shared with the benchmarks")]
mod harness;
#[path = "program/history/mod.rs"]
mod history;
#[path = "program/inventory.rs"]
mod inventory;
#[path = "program/onboard.rs"]
mod onboard;
#[path = "program/pty/mod.rs"]
mod pty;
#[path = "fixture/released.rs"]
mod released;
#[path = "program/tenant.rs"]
mod tenant;
#[path = "program/vault.rs"]
mod vault;
#[path = "fixture/world.rs"]
mod world;
