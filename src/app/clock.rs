//! The clock of the running program. Everything below takes times as arguments.

use crate::{
    model::{base::time::Timestamp, timeline::past},
    store,
};
use anyhow::Context;

/// Now, by the wall.
pub fn now() -> Timestamp {
    store::clock::now()
}

/// Reads a time as people write it.
///
/// # Errors
/// The words are no time that has been.
pub fn instant(words: &str) -> anyhow::Result<Timestamp> {
    past::instant(words, now()).with_context(|| format!("reading the time {words:?}"))
}
