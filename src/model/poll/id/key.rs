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

/// As precise as it is shown and kept: 13 binary digits, so off by 0.012 % at most. More digits are noise of the moment of the poll, and
/// noise does not pack: a reading of files with 24 digits takes twice the room in history (`cargo bench --bench day`).
pub fn rounded(value: f64) -> f64 {
    /// digits that go, of the 52 behind the first one
    const LOST: u32 = f64::MANTISSA_DIGITS - 13;
    let bits = value.to_bits();
    let nearest = f64::from_bits(bits.wrapping_add(1 << (LOST - 1)) >> LOST << LOST);
    if nearest.is_finite() { nearest } else { value }
}

#[cfg(test)]
mod tests {
    use super::rounded;
    use proptest::prelude::*;

    #[test]
    fn what_people_read_stays_as_it_is() {
        for exact in [0.0, -0.0, 1.0, 0.5, 99.5, 100.0, 4_095.0, 8_191.0, f64::INFINITY, f64::NEG_INFINITY] {
            assert_eq!(rounded(exact).to_bits(), exact.to_bits(), "{exact}");
        }
        assert!(rounded(f64::NAN).is_nan());
        for (value, kept) in [(f64::MAX, f64::MAX), (8_193.0, 8_194.0), (-99.999, -100.0)] {
            assert_eq!(rounded(value).to_bits(), kept.to_bits(), "{value}");
        }
    }

    proptest! {
        #[test]
        fn it_is_off_by_next_to_nothing_and_once_is_enough(value in -1e300..1e300_f64) {
            let kept = rounded(value);
            prop_assert!((kept - value).abs() <= value.abs() / 8_192.0);
            prop_assert_eq!(rounded(kept).to_bits(), kept.to_bits());
        }
    }
}
