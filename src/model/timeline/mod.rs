//! The records of history, and what the screen and the exports ask of it. Plain data and pure functions; `store` does the keeping.

pub mod ash;
pub mod chart;
pub mod compare;
pub mod counted;
pub mod dwell;
pub mod event;
pub mod forecast;
pub mod gathered;
pub mod history;
pub mod past;
pub mod reach;
pub mod record;
pub mod samples;
pub mod scrub;
pub mod spent;
pub mod stretch;
