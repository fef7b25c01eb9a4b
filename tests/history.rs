//! History with real files: what is written comes back, what is too old goes, what fails is told, what is killed is whole.

#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "helpers of tests fail like tests")]

#[path = "history/carry.rs"]
mod carry;
#[path = "history/cli.rs"]
mod cli;
#[path = "history/export.rs"]
mod export;
#[path = "history/fail.rs"]
mod fail;
#[path = "history/gone.rs"]
mod gone;
#[path = "history/incident.rs"]
mod incident;
#[path = "history/keep.rs"]
mod keep;
#[path = "history/kill.rs"]
mod kill;
#[path = "history/scrub.rs"]
mod scrub;
#[path = "history/world.rs"]
mod world;
