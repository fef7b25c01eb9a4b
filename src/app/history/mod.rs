//! The history service: one thread that has the history of the fleet. It decides who polls and writes ([`role`]): this process
//! if nobody else does, else it [`follow`]s what the other one writes. It owns the store's writer and reader, and [`answer`]s
//! what the screen asks of the past. The session starts it; the inventory service, or the session itself for a plain inventory,
//! tells it which fleet it is.
//!
//! Nothing here is in the way of polling or drawing: readings come by a bounded channel ([`relay`]), questions by another.
//!
//! Also here: the history of a fleet as a [`file`], and [`recording`]s that are played.

mod answer;
mod archive;
mod figures;
pub mod file;
mod follow;
mod recording;
mod relay;
mod role;
mod service;
mod trouble;
mod watched;

pub use file::Location;
pub use recording::Recording;
pub use service::{History, Order, recorder, start};
