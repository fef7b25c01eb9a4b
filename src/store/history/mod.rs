//! History: what happened to every instance, in one SQLite file that is cheap to write, small, and quick to ask. `command`
//! starts the writer and asks the reader; nothing here polls, folds or draws.
//!
//! | file | what it owns |
//! |---|---|
//! | `writer` | the thread that writes: a commit a second, sealing, retention, what happens when the disk fails |
//! | `engine` | one transaction: rows, points, names, texts, events |
//! | `seal`, `retain` | hot rows to blocks, chunks and roll-ups; what is too old or too much goes |
//! | `tend`, `aging` | by which time both judge: a step of the clock is no age |
//! | `tracker`, `incident`, `event` | from what happened to what is on the time line |
//! | `reader`, `fleet`, `gone`, `chart`, `events` | states at an instant, the fleet made of them, who was in it then, charts from the tier that fits, the time line |
//! | `stats`, `check`, `carry` | what is in it; whether it is whole; backup, restore, recordings |
//! | `block`, `chunk`, `rollup` | the blobs: states, points, totals |
//! | `names`, `pack`, `blobs`, `digits` | numbers of names; readings to bytes; seals and sums; numbers to bytes |
//! | `schema` | tables and migrations |

mod aging;
mod blobs;
mod block;
mod carry;
mod chart;
mod check;
mod chunk;
mod crowd;
mod digits;
mod engine;
mod event;
mod events;
mod failure;
mod fleet;
mod gone;
mod incident;
mod names;
mod pack;
mod reader;
mod retain;
mod rollup;
mod schema;
mod seal;
mod stats;
mod tend;
mod tracker;
mod writer;

pub use carry::{Copied, Stretch, copy, restore};
pub use chart::Drawn;
pub use check::Checked;
pub use engine::{Committed, Engine, Options};
pub use event::{Episode, Event};
pub use events::{EventFilter, Marks};
pub use failure::StoreHealth;
pub use fleet::Charts;
pub use incident::{AFTER_MS, BEFORE_MS};
pub use reader::{Followed, Past, Reader};
pub use retain::Cleaned;
pub use rollup::{Tier, Total};
pub use seal::SealedNow;
pub use stats::{StoreStats, TierStats};
pub use writer::{QUEUE, Recorder, Writer, WriterHandle, WriterStats};
