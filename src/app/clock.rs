//! The clock of the running program. Everything below takes times as arguments.

use crate::{
    model::{
        base::time::Timestamp,
        timeline::past::{self, When},
    },
    store,
};
use anyhow::Context;

/// Now, by the wall.
pub fn now() -> Timestamp {
    store::clock::moment().wall
}

/// Reads a time as people write it.
///
/// # Errors
/// The text is no time.
pub fn instant(words: &str) -> anyhow::Result<Timestamp> {
    let now = now();
    if words == "now" {
        return Ok(now);
    }
    match past::parse(words, now, 0) {
        Ok(When::At(at)) => Ok(at),
        Ok(When::Live) => Ok(now),
        Err(error) => Err(error).with_context(|| format!("reading the time {words:?}")),
    }
}
