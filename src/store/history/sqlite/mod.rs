//! History in one SQLite file. The only place of `store::history` that names SQL (`tests/tidy/history.rs`): another engine would
//! stand beside this folder and share `api`, `codec`, `fleet` and the rules of events.
//!
//! | file | what it owns |
//! |---|---|
//! | `schema` | how the file is opened; tables and migrations |
//! | `engine`, `names`, `event_rows` | one transaction: rows, points, names, texts, events |
//! | `housekeeping`, `aging` | sealing and deleting at an instant, by a time that a step of the clock does not move |
//! | `seal`, `windows`, `retain`, `progress` | the write buffer becomes blocks, chunks and roll-ups; old or surplus rows are deleted |
//! | `reader` | hands out the types of the next lines; owns the connections |
//! | `file`, `pool`, `worker`, `infos`, `texts` | a connection; the read pool; a thread's connection with its caches |
//! | `states`, `moment`, `passage`, `instances`, `follow` | states at an instant, readings between two, instances of that time, new readings |
//! | `charts`, `asked`, `measured`, `rolled_up`, `buckets` | charts from the points or the roll-up that fits |
//! | `events`, `marks` | the time line, read; events of the user, written |
//! | `stats`, `check`, `backup`, `transfer` | contents in figures; damage; backup, restore, recordings |
//! | `failure` | the meaning of an error |

mod aging;
mod asked;
mod backup;
mod buckets;
mod charts;
mod check;
mod engine;
mod event_rows;
mod events;
mod failure;
mod file;
mod follow;
mod housekeeping;
mod infos;
mod instances;
mod marks;
mod measured;
mod moment;
mod names;
mod passage;
mod pool;
mod progress;
mod reader;
mod retain;
mod rolled_up;
mod schema;
mod seal;
mod states;
mod stats;
mod texts;
mod transfer;
mod windows;
mod worker;

#[cfg(test)]
mod tests;

pub use charts::Charts;
pub use engine::Engine;
pub use events::{Events, MAX_EVENTS};
pub use follow::Follow;
pub use instances::KnownInstances;
pub use marks::Marks;
pub use reader::Reader;
pub use states::States;
pub use stats::Stats;
pub use transfer::{copy, restore};
