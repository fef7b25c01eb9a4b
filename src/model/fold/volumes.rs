//! How volumes filled in the last hours: their polls are too far apart for the fifteen minutes that charts have in memory.

use super::filling::Filling;
use crate::model::{base::time::Timestamp, judge::trend, poll::volumes::VolumeRow};

/// Polls of a volume that are remembered: six hours at the usual interval.
const MOST: usize = 24;

/// What was in use of each volume, %, by mount point.
#[derive(Debug, Default)]
pub(super) struct VolumesFold(Filling<MOST>);

impl VolumesFold {
    /// Says of each volume when it is full.
    pub fn fold(&mut self, rows: &mut [VolumeRow], at: Timestamp) {
        self.0.retain(|mount| rows.iter().any(|row| row.key() == mount));
        for row in rows {
            let (Some(total), Some(free)) = (row.total_bytes.filter(|t| *t > 0), row.free_bytes) else {
                continue;
            };
            let used = (100.0 - free as f64 / total as f64 * 100.0).clamp(0.0, 100.0);
            let points = self.0.push(row.key(), at, used);
            row.full_in_ms = trend::full_in_ms(points, trend::HOURS);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_volume_that_fills_says_when_it_is_full() {
        let mut fold = VolumesFold::default();
        let poll = |fold: &mut VolumesFold, n: i64, free| {
            let row = VolumeRow {
                mount: Some("L:\\".into()),
                total_bytes: Some(1000),
                free_bytes: Some(free),
                ..VolumeRow::default()
            };
            // A volume that is listed twice is one.
            let mut rows = vec![row.clone(), row];
            fold.fold(&mut rows, Timestamp::from_ms(n * 900_000));
            rows[1].full_in_ms
        };
        let told: Vec<_> = (0..5).map(|n| poll(&mut fold, n, 300 - n * 20)).collect();
        assert_eq!(told, [None, None, None, Some(12 * 900_000), Some(11 * 900_000)]);
        assert_eq!(poll(&mut fold, 5, 600), None, "somebody made room");
        fold.fold(&mut [], Timestamp::from_ms(0));
        assert!(fold.0.is_empty(), "a volume that went is forgotten");
    }
}
