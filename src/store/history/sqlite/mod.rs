//! History in one SQLite file. The only place of `store::history` that names SQL (`tests/tidy/history.rs`): another engine would
//! stand beside this folder and share `api`, `codec` and the rules of events.
//!
//! | file | what it owns |
//! |---|---|
//! | `schema` | how the file is opened; tables and migrations |
//! | `engine`, `names`, `event_rows` | one transaction: rows, points, names, texts, events |
//! | `tend`, `aging` | what is due at an instant, and by which time: a step of the clock is no age |
//! | `seal`, `retain`, `progress` | the write buffer to blocks, chunks and roll-ups; rows that are too old or too many go |
//! | `reader`, `gone`, `fleet`, `pool` | states at an instant, who was in the fleet then, the fleet made of them, by several threads |
//! | `chart`, `events` | charts from the tier that fits; the time line |
//! | `stats`, `check`, `carry`, `failure` | what is in it; whether it is whole; backup, restore, recordings; what an error means |

mod aging;
mod carry;
mod chart;
mod check;
mod engine;
mod event_rows;
mod events;
mod failure;
mod fleet;
mod gone;
mod names;
mod pool;
mod progress;
mod reader;
mod retain;
mod schema;
mod seal;
mod stats;
mod tend;

pub use carry::{copy, restore};
pub use engine::Engine;
pub use events::Marks;
pub use reader::Reader;
