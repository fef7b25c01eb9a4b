//! The names of probes and numbers, here and in files. Each kind is one table with a row for each: [`ProbeId`] for probes,
//! [`SeriesId`] for the headline series, [`Metric`] for all numbers that are charted. The code of a row is its number in
//! files: a new row takes the next free one, and no number ever means another thing.

mod key;
mod metric;
mod probe;
mod series;
mod table;

pub(super) use self::key::whole;
pub use self::{
    key::{Emit, SeriesKey, rounded},
    metric::Metric,
    probe::{ProbeId, ProbeSet},
    series::SeriesId,
};
