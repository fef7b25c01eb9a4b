//! One series of one instance, and how a poll tells its numbers.

use super::Metric;
use std::sync::Arc;

/// One series of an instance.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SeriesKey {
    /// the number
    pub metric: Metric,
    /// of which wait type, volume or replica; empty for the instance as a whole
    pub key: Arc<str>,
}

impl SeriesKey {
    /// Of the instance as a whole.
    pub fn of(metric: impl Into<Metric>) -> Self {
        Self { metric: metric.into(), key: Arc::from("") }
    }

    /// Of a part of it.
    pub fn with(metric: Metric, key: impl Into<Arc<str>>) -> Self {
        Self { metric, key: key.into() }
    }
}

/// Takes a number for charts: metric, key (empty without), value; None: the poll did not know.
pub type Emit<'a> = &'a mut dyn FnMut(Metric, &str, Option<f64>);

/// A whole number as charts take it.
pub(in crate::model::poll) fn whole(n: Option<i64>) -> Option<f64> {
    n.map(|n| n as f64)
}

/// As precise as it is kept: 24 binary digits.
pub fn rounded(value: f64) -> f64 {
    f64::from(value as f32)
}
