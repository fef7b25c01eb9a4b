//! History: what happened to every instance, in one SQLite file that is cheap to write, small, and quick to ask.

mod blobs;
mod block;
mod bytes;
mod chunk;
mod rollup;

pub use rollup::{Tier, Total};
