//! Reports on a stretch of time, made from a history: [`incident`] tells what happened, as a page (HTML) and a recording
//! beside it; [`cost`] tells what dbtop itself cost each instance.
//!
//! Data in, data out: the caller opens the history, chooses the instances, and puts the results where they belong. Nothing
//! in here knows the command line, the configuration, a clock or a terminal.
//!
//! An incident takes this way: [`store::history::copy`](crate::store::history::copy) makes the recording, and `scrub`
//! replaces names on the way → `gather` adds up what the recording has, an instance at a time → `page` writes the page
//! through `html`, with its tables from `sections` and the file of each subject, and its charts from `charts` and `svg`.
//!
//! The page is made from the recording, so what is not in the one is not in the other; only the figures of charts, which have no
//! names, come from the history itself. `html` is the only way into the page: it closes every element and escapes every text.

mod charts;
pub mod cost;
mod deadlocks;
mod gather;
mod html;
pub mod incident;
mod memory;
mod modules;
mod page;
mod parts;
mod period;
pub mod plan;
mod queries;
mod query_store;
mod scrub;
mod sections;
mod spent;
mod storage;
mod summary;
mod svg;
mod words;

pub use period::Period;
