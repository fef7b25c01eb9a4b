//! How transaction logs filled in the last minutes, of what each may take: its limit, and the free space of the volume where it
//! lies.

use super::filling::Filling;
use crate::model::{
    base::time::Timestamp,
    judge::trend,
    poll::{logs::LogRow, volumes::VolumeRow},
};

/// Polls of a log that are remembered: ten minutes of a screen's pace are more than a trend reads.
const MOST: usize = 40;

/// Logs that are kept, the fullest.
const KEPT: usize = 20;

/// What was in use of each log, % of what it may take, by database.
#[derive(Debug, Default)]
pub(super) struct LogsFold(Filling<MOST>);

impl LogsFold {
    /// Says of each log what it may take, and when that is full. The fullest stay: how full one is that may grow only its volume tells.
    pub fn fold(&mut self, rows: &mut Vec<LogRow>, volumes: &[VolumeRow], at: Timestamp) {
        for row in rows.iter_mut() {
            row.capacity_kb = row.capacity_on(volumes);
        }
        let full = |row: &LogRow| row.used_pct().or_else(|| row.of_files_pct()).unwrap_or(-1.0);
        rows.sort_by(|a, b| full(b).total_cmp(&full(a)));
        rows.truncate(KEPT);
        self.0.retain(|database| rows.iter().any(|row| row.key() == database));
        for row in rows {
            let Some(used) = row.used_pct() else { continue };
            let points = self.0.push(row.key(), at, used);
            row.full_in_ms = trend::full_in_ms(points, trend::MINUTES);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn log(size_kb: i64, used_kb: i64, max_kb: Option<i64>, path: &str) -> LogRow {
        LogRow {
            database: Some("orders".into()),
            size_kb: Some(size_kb),
            used_kb: Some(used_kb),
            max_kb,
            path: Some(path.into()),
            ..LogRow::default()
        }
    }

    fn volume(mount: &str, free_kb: i64) -> VolumeRow {
        VolumeRow { mount: Some(mount.into()), free_bytes: Some(free_kb * 1024), ..VolumeRow::default() }
    }

    #[test]
    fn a_log_may_take_what_its_limit_and_its_volume_let_it() {
        let volumes = [volume("L:\\", 500), volume("L:\\big\\", 9_000), volume("/var/", 100)];
        let of = |row: LogRow| {
            let mut rows = vec![row];
            LogsFold::default().fold(&mut rows, &volumes, Timestamp::from_ms(0));
            (rows[0].capacity_kb, rows[0].used_pct())
        };
        assert_eq!(of(log(1_000, 900, None, "l:\\log\\a.ldf")), (Some(1_500), Some(60.0)), "it can grow");
        assert_eq!(of(log(1_000, 900, None, "L:\\big\\a.ldf")).0, Some(10_000), "mount points nest");
        assert_eq!(
            of(log(1_000, 900, Some(1_200), "L:\\a.ldf")),
            (Some(1_200), Some(75.0)),
            "its limit is nearer"
        );
        assert_eq!(of(log(1_000, 900, Some(10), "L:\\a.ldf")).0, Some(1_000), "limited below its size");
        assert_eq!(of(log(1_000, 900, None, "X:\\a.ldf")), (None, None), "nobody knows: not full");
        assert_eq!(of(log(1_000, 5_000, Some(1_000), "X:\\a.ldf")).1, Some(100.0));
        let unknown = LogRow { size_kb: None, ..log(1, 1, Some(9), "L:\\a.ldf") };
        assert_eq!(of(unknown), (None, None));
    }

    #[test]
    fn a_log_that_may_grow_on_a_full_volume_is_kept_among_many_that_are_full_by_their_files_alone() {
        let gb = 1 << 20;
        let mut rows: Vec<LogRow> = (0..40)
            .map(|n| LogRow {
                database: Some(format!("small{n}").into()),
                ..log(1_000, 995, None, "D:\\s.ldf")
            })
            .collect();
        rows.push(log(61 * gb, 60 * gb, None, "L:\\orders.ldf"));
        LogsFold::default().fold(
            &mut rows,
            &[volume("D:\\", 900 * gb), volume("L:\\", 100)],
            Timestamp::from_ms(0),
        );
        let first = rows.first().unwrap();
        assert_eq!((rows.len(), first.database.as_deref()), (KEPT, Some("orders")));
        assert!(first.used_pct() > Some(98.0), "{first:?}");
        let mut unknown = vec![log(1_000, 10, None, "X:\\a.ldf"), log(1_000, 990, None, "X:\\b.ldf")];
        LogsFold::default().fold(&mut unknown, &[], Timestamp::from_ms(0));
        assert_eq!(unknown[0].used_kb, Some(990), "without its volume a log is as full as its files");
    }

    #[test]
    fn a_log_that_fills_says_when_it_is_full() {
        let mut fold = LogsFold::default();
        let mut poll = |n: i64, used_kb| {
            // A log that is listed twice is one.
            let mut rows = vec![log(1_000, used_kb, Some(1_000), "L:\\a.ldf"); 2];
            fold.fold(&mut rows, &[], Timestamp::from_ms(n * 60_000));
            rows[1].full_in_ms
        };
        let told: Vec<_> = (0..6).map(|n| poll(n, 300 + n * 100)).collect();
        assert_eq!(told, [None, None, None, None, Some(180_000), Some(120_000)]);
        assert_eq!(poll(6, 50), None, "a backup of the log made room");
        fold.fold(&mut Vec::new(), &[], Timestamp::from_ms(0));
        assert!(fold.0.is_empty(), "a database that went is forgotten");
    }
}
