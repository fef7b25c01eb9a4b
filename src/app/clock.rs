//! The clock of the running program. Everything below takes times as arguments.

use crate::{model::base::time::Timestamp, store};

/// Now, by the wall.
pub fn now() -> Timestamp {
    store::clock::now()
}
