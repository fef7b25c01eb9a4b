//! The one place that reads the wall clock; everyone else gets the time as an argument.

use crate::model::time::Timestamp;
use std::time::{SystemTime, UNIX_EPOCH};

/// Now, by the clock of this machine.
pub fn now() -> Timestamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp::from_ms(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
}
