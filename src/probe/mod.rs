//! The questions to a server, and what its answers mean.
//!
//! A probe is data ([`descriptor`]): its scripts under `tsql/probe/`, how often, with whom and under which conditions it is
//! asked, and its decoder, in one file of [`catalog`]. `collect` decides when; it calls [`prepare`] once after each login and [`poll`] with what is due, and gets one
//! [`Polled`] per probe. A server's abilities and our rights there are learned by asking and kept in a [`ProbeContext`], which
//! lives as long as the instance's task, over reconnects.
//!
//! How one poll goes: the scripts of all due probes are sent as one batch ([`batch`]), the result sets find their way
//! back by the name of their first column (`dbtop_waits`), texts of statements never seen are fetched by handle
//! ([`text`]), and each probe's decoder makes a sample of its sets. If the server answers with an error, the scripts
//! without a result are asked one by one, so that each failure is told of its own probe; what fails for a missing right
//! or object is not asked again until the rights are read anew. Nothing in here knows about time-tables, retries or
//! screens.

pub mod batch;
pub mod catalog;
pub mod clock;
pub mod context;
mod demand;
pub mod descriptor;
pub mod doctor;
pub mod each;
#[cfg(test)]
mod fixture;
mod job;
mod module;
mod object;
mod plan;
mod progress;
mod query;
mod recorded;
mod room;
mod run;
pub mod script;
mod sent;
mod single;
mod stored_plan;
pub mod text;

pub use catalog::probe;
pub use context::{Known, ProbeContext};
pub use demand::answer as demand;
pub use descriptor::{Lane, Pace, Probe};
pub use progress::{Heard, Watermarks, wait_ms};
pub use run::{Polled, SESSION, poll, prepare};
