//! History with real files: what is written comes back, what is too old goes, what fails is told.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail like tests")]

#[path = "history/keep.rs"]
mod keep;
#[path = "history/world.rs"]
mod world;
