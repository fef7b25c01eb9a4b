//! The history service: one thread that owns the history of the fleet. It decides who polls and writes (`role`): this process
//! if nobody else does, else it `follow`s the other one. It owns the store's writer and reader, and `answer`s the
//! screen's questions about the past. The session starts it; the inventory service, or the session itself for a plain
//! inventory, tells it which fleet it is.
//!
//! Nothing here blocks polling or drawing: readings come by a bounded channel (`relay`), questions by another.
//!
//! ```text
//! lock free      -> take it; the collector polls, reducer -> Record -> relay -> writer's thread -> history.db
//! lock taken     -> Command::Follow(true): no task polls; what the other process writes is read and fed to our reducer
//!                   (Update::Remembered, Update::History), so every pane is live, a second later
//! lock free again-> poll ourselves
//! ```
//!
//! So a screen and a collector are the same program in two roles, and closing a screen never ends somebody else's polling. A slow
//! disk slows polling: the writer's channel is full, then the reducer waits, then the tasks do, and the heartbeat counts it. A disk
//! that fails is different: the writer keeps what comes in memory for a while, so the screen goes on.
//!
//! What takes long is read a little at a time, between other questions (`samples`, `spent`). Also here: the history of a fleet as a `file`,
//! its `transfer` into another one and back, and `recording`s that are played.

mod answer;
mod archive;
mod figures;
pub mod file;
mod follow;
mod recording;
mod relay;
mod role;
mod samples;
mod service;
pub mod spent;
mod transfer;
mod trouble;
mod watched;

pub use answer::outlook;
pub use file::Location;
pub use recording::Recording;
pub use service::{History, HistoryCommand, recorder, start};
