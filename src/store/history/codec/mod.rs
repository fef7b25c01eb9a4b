//! Readings, points and totals as bytes, and back. Pure: no files, no SQL. Every engine writes the same blobs.
//!
//! | file | what it owns |
//! |---|---|
//! | `numbers` | numbers to bytes, and sums that tell damage |
//! | `pack`, `points` | readings, names and texts to bytes; points of one row |
//! | `block`, `chunk`, `rollup` | states of a quarter of an hour, points of a probe, totals |
//! | `blobs` | seals: each blob opens at its own place only |

pub(super) mod blobs;
pub(super) mod block;
pub(super) mod chunk;
pub(super) mod numbers;
pub(super) mod pack;
pub(super) mod points;
pub(super) mod rollup;
