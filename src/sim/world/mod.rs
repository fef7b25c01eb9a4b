//! The simulated fleet as facts: the instances, and the state of each at any moment, as a pure function of (seed, instance,
//! time, scenario). `answer` turns the facts into rows; nothing in here knows T-SQL results or bytes.
//!
//! Times are milliseconds since the simulator's start unless a name says `utc`.

pub mod availability;
pub mod blocking;
pub mod deadlocks;
pub mod dice;
mod fleet;
pub mod gauges;
pub mod moment;
pub mod people;
pub mod profile;
pub mod queries;
pub mod query_store;
pub mod rhythm;
pub mod rights;
mod script;
pub mod storage;
pub mod texts;
pub mod theme;
pub mod totals;
pub mod trouble;
pub mod version;
pub mod wait_types;
pub mod waits;
pub mod work;

pub use fleet::Fleet;
pub use script::{Killed, Script};
