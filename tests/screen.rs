//! The screen without a terminal: a snapshot and keys go in, text and effects come out. `cargo test --test screen keys::` runs
//! one of its parts; `INSTA_UPDATE=always cargo test --test screen screens::` writes the snapshot files anew.
//!
//! | part | tests |
//! |---|---|
//! | `screens` | each pane in each state at four sizes, as snapshot files |
//! | `keys` | what keys do, and what they ask for |
//! | `hostile` | what no server should say, from the answer to the screen |
//! | `onboard` | the wizard, the form for many, removal |
//! | `time` | time travel as its user sees it |
//! | `travel` | the past out of a real history is what the screen showed then |
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "helpers of tests fail like tests"
)]

mod fixture;
#[path = "screen/hostile/mod.rs"]
mod hostile;
#[path = "screen/keys/mod.rs"]
mod keys;
#[path = "fixture/lists.rs"]
mod lists;
#[path = "screen/onboard/mod.rs"]
mod onboard;
#[path = "screen/screens.rs"]
mod screens;
#[path = "fixture/stage.rs"]
mod stage;
#[path = "screen/time/mod.rs"]
mod time;
#[path = "screen/travel.rs"]
mod travel;
#[path = "fixture/views.rs"]
mod views;
