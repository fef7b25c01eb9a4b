//! The vocabulary: plain data and pure functions. Everyone uses it; it uses nobody.
//!
//! No I/O, no async, no screen, no clock in here: time is an argument. In reading order:
//!
//! | part | what it owns |
//! |---|---|
//! | [`base`] | time, texts, secrets, failures, figures, filters |
//! | [`inventory`] | instances and how they are reached; the records that a tenant keeps |
//! | [`poll`] | one file for each probe: its sample, what is known after it, its numbers for charts |
//! | [`fold`] | samples go in, the immutable snapshot that the screen draws comes out |
//! | [`timeline`] | what history keeps and what is asked of it: recent points, charts, comparisons, scrubbing |
//! | [`judge`] | health: the score and its reasons |

pub mod base;
pub mod fold;
pub mod inventory;
pub mod judge;
pub mod poll;
pub mod timeline;
