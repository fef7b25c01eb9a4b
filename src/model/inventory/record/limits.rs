//! What a tenant may have at most.

use serde::{Deserialize, Serialize};
use std::fmt;

/// The limits of a tenant; None: none.
/// In files by name: fields and variants keep their names, a new field has a default.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Limits {
    /// instances that are not removed
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_instances: Option<u32>,
    /// of its history, beside `[history] max_store_gb`: the smaller one counts
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_history_bytes: Option<u64>,
}

impl Limits {
    /// The least and the most that the history of a tenant may be limited to, GB. Less has no room for a day of one instance.
    pub const HISTORY_GB: [f64; 2] = [0.1, 10_000.0];

    /// A limit of history in bytes; None: it is not within [`Limits::HISTORY_GB`].
    pub fn history_of_gb(gb: f64) -> Option<u64> {
        let [least, most] = Self::HISTORY_GB;
        (least..=most).contains(&gb).then(|| (gb * 1e9).round() as u64)
    }
}

impl fmt::Display for Limits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.max_instances {
            Some(most) => write!(f, "instances {most}")?,
            None => f.write_str("instances without limit")?,
        }
        match self.max_history_bytes {
            Some(most) => write!(f, ", history {:.2} GB", most as f64 / 1e9),
            None => f.write_str(", history without limit"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_limit_that_leaves_no_room_or_is_none_is_refused() {
        for (gb, bytes) in
            [(0.1, Some(100_000_000)), (20.0, Some(20_000_000_000)), (10_000.0, Some(10_000_000_000_000))]
        {
            assert_eq!(Limits::history_of_gb(gb), bytes, "{gb}");
        }
        for gb in [0.0, 1e-10, 0.099, -1.0, 10_001.0, f64::NAN, f64::INFINITY] {
            assert_eq!(Limits::history_of_gb(gb), None, "{gb}");
        }
    }
}
