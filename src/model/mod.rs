//! The vocabulary: plain data and pure functions. Everyone uses it; it uses nobody.
//!
//! No I/O, no async, no screen, no clock in here: time is an argument. The way of the data is
//! [`sample`] (what one probe saw) → [`fleet`]-fold → [`snapshot`] (what the screen draws).

pub mod ash;
pub mod blocking;
pub mod chart;
pub mod check;
pub(crate) mod code;
pub mod compare;
pub mod doctor;
pub mod error;
pub mod failure;
pub mod figure;
pub mod filter;
pub mod fleet;
pub mod health;
pub mod history;
pub mod instance;
pub mod kept;
pub mod past;
pub mod properties;
pub mod rate;
pub mod reading;
pub mod record;
pub mod resource;
pub mod sample;
pub mod scope;
pub mod score;
pub mod scrub;
pub mod secret;
pub mod series;
pub mod session;
pub mod snapshot;
pub mod text;
pub mod time;
pub mod wait;
pub mod wait_class;
