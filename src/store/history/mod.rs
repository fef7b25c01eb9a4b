//! History: what happened to every instance, in a file that is cheap to write, small, and quick to ask. `command`
//! starts the writer and asks the reader; nothing here polls, folds or draws.
//!
//! | file | what it owns |
//! |---|---|
//! | `api` | what is asked and what is answered, as data |
//! | `writer`, `health` | the thread that writes: a commit a second, sealing, retention; what happens when the disk fails |
//! | `tracker`, `incident`, `event` | from what happened to what is on the time line |
//! | `codec` | readings, points and totals as bytes |
//! | `sqlite` | the engine and the reader over one SQLite file: the only place with SQL |

mod api;
mod codec;
mod event;
mod health;
mod incident;
mod sqlite;
mod tracker;
mod writer;

pub use api::{
    Charts, Checked, Cleaned, Committed, Copied, Drawn, EventFilter, Followed, Options, Past, SealedNow,
    StoreStats, Stretch, TierStats,
};
pub use codec::rollup::{Tier, Total};
pub use event::{Episode, Event};
pub use health::StoreHealth;
pub use incident::{AFTER_MS, BEFORE_MS};
pub use sqlite::{Engine, Marks, Reader, copy, restore};
pub use writer::{QUEUE, Recorder, Writer, WriterHandle, WriterStats};
