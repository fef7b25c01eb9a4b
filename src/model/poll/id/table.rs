//! A table of numbers that are charted, as [`SeriesId`](super::SeriesId) and [`Metric`](super::Metric) are: one row says
//! everything of one number, so that the compiler refuses a row in which something is missing.

use super::ProbeId;

/// Everything that is known of a metric besides its values.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Row {
    /// its number in files
    pub code: u16,
    /// its name on a chart
    pub title: &'static str,
    /// one of it, as an axis says it; empty for a plain count
    pub unit: &'static str,
    /// the finest difference that is kept
    pub step: f64,
    /// the probe that feeds it
    pub probe: ProbeId,
}

/// Makes an enum with `code`, `from_code` and `row` out of one table. One variant besides holds an enum that has these three
/// itself. The compiler refuses a code that stands in the table twice.
macro_rules! metrics {
    (
        $(#[$about:meta])* $type:ident, and $(#[$inner_about:meta])* $other:ident($inner:ty);
        $($code:literal $metric:ident $title:literal $unit:literal $step:literal $probe:ident $doc:literal,)+
    ) => {
        $(#[$about])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum $type {
            $(#[doc = $doc] $metric,)+
            $(#[$inner_about])* $other($inner),
        }

        impl $type {
            /// Every row of the table.
            #[cfg(test)]
            pub(super) const TABLE: &'static [Self] = &[$(Self::$metric),+];

            /// Its row of the table.
            pub(super) const fn row(self) -> $crate::model::poll::id::table::Row {
                let (code, title, unit, step, probe) = match self {
                    $(Self::$metric => ($code, $title, $unit, $step, ProbeId::$probe),)+
                    Self::$other(inner) => return inner.row(),
                };
                $crate::model::poll::id::table::Row { code, title, unit, step, probe }
            }

            /// From its number in files; None for a number of a newer version.
            pub fn from_code(code: u16) -> Option<Self> {
                match code {
                    $($code => Some(Self::$metric),)+
                    _ => <$inner>::from_code(code).map(Self::$other),
                }
            }
        }
    };
}

pub(super) use metrics;
