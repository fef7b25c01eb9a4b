//! Database files: counters of their reads and writes, and what lies between two samples of them.

use super::{
    id::{Emit, Metric, ProbeId, SeriesId, rounded},
    names::{Field, Kind, Visit, maybe},
    outcome::{Counters, Outcome},
    traffic::Traffic,
    volumes::{VolumeRow, volume_of},
};
use crate::model::fold::rate::{Interval, delta};
use serde::{Deserialize, Serialize};
use std::{
    collections::{BTreeMap, HashMap},
    ops::Add as _,
    sync::Arc,
};

/// Reads or writes per second below which a slow one is no sign of a slow disk.
pub const LEAST_PER_S: f64 = 1.0;

/// Files of an instance that have series of their own: those with the most reads and writes of a poll. As many databases have, and as
/// many volumes.
const CHARTED: usize = 8;

/// Files that health looks at: more of them than it ever names.
const JUDGED: usize = 4;

/// Which file it is.
/// In files by position: fields are only appended, each with a default; variants keep their names.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct DatabaseFile {
    /// database id
    pub database_id: i32,
    /// file id within it
    pub file_id: i32,
    /// name of the database
    pub database: Option<Arc<str>>,
    /// logical name
    pub name: Option<Arc<str>>,
    /// `ROWS`, `LOG`, `FILESTREAM` …
    pub kind: Option<Arc<str>>,
    /// path on the server
    pub path: Option<Arc<str>>,
}

/// One row of `sys.dm_io_virtual_file_stats`: counters since the file was opened.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FileCounter {
    /// which
    pub file: DatabaseFile,
    /// reads
    pub reads: Option<i64>,
    /// bytes read
    pub read_bytes: Option<i64>,
    /// waited for reads, ms
    pub read_stall_ms: Option<i64>,
    /// writes
    pub writes: Option<i64>,
    /// bytes written
    pub write_bytes: Option<i64>,
    /// waited for writes, ms
    pub write_stall_ms: Option<i64>,
    /// size on disk, bytes
    pub size_bytes: Option<i64>,
    /// I/Os in flight now
    pub pending_ios: Option<i64>,
    /// those of them that wait for the operating system; the others are done and wait to be noticed
    pub ios_at_os: Option<i64>,
    /// the oldest of them is so old, ms
    pub oldest_io_ms: Option<i64>,
}

/// Files as they are polled: those that were waited for longest.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FilesSample {
    /// the rows
    pub files: Vec<FileCounter>,
    /// files on the instance
    pub total: Option<i64>,
    /// counters of all of them together, those included that are not among the rows; without ids and names
    pub all: FileCounter,
}

/// One file over the last interval. A rate that is not known is None; without a read there is no time of one.
/// In files by position: fields are only appended, each with a default; variants keep their names.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct FileRow {
    /// which
    pub file: DatabaseFile,
    /// size on disk, bytes
    pub size_bytes: Option<i64>,
    /// reads per second
    pub reads_per_s: Option<f64>,
    /// bytes read per second
    pub read_bytes_per_s: Option<f64>,
    /// average time of a read, ms
    pub read_ms: Option<f64>,
    /// writes per second
    pub writes_per_s: Option<f64>,
    /// bytes written per second
    pub write_bytes_per_s: Option<f64>,
    /// average time of a write, ms
    pub write_ms: Option<f64>,
    /// I/Os in flight at the poll; None: none, or nobody knows
    pub pending_ios: Option<i64>,
    /// mount point of its volume, where volumes were polled before
    pub volume: Option<Arc<str>>,
    /// of the I/Os in flight those that wait for the operating system; the others are done and wait to be noticed
    pub ios_at_os: Option<i64>,
    /// the oldest I/O in flight is so old, ms; None: there is none, or nobody knows
    pub oldest_io_ms: Option<i64>,
}

/// The files of an instance over the last interval.
/// In files by position: fields are only appended, each with a default; variants keep their names.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct FileTable {
    /// the files, slowest first; those with less than [`LEAST_PER_S`] behind them, unknown ones last
    pub files: Vec<FileRow>,
    /// files that are not among them
    pub left_out: u64,
    /// average time of a read over all of them, ms
    pub read_ms: Option<f64>,
    /// average time of a write over all of them, ms
    pub write_ms: Option<f64>,
    /// bytes read and written per second
    pub bytes_per_s: Option<f64>,
    /// length of the interval, ms
    pub over_ms: u64,
}

impl DatabaseFile {
    /// Its database and its number there: the same file as long as the database is the same.
    pub const fn ids(&self) -> (i32, i32) {
        (self.database_id, self.file_id)
    }

    /// Shows the places of its names.
    pub(super) fn each_name_mut(&mut self, visit: Visit<'_>) {
        maybe(visit, Field::Name(Kind::Database), &mut self.database);
        maybe(visit, Field::Name(Kind::File), &mut self.name);
        maybe(visit, Field::Name(Kind::File), &mut self.path);
    }

    /// The key of its series: `database/file`. None: it has no name.
    pub fn series_key(&self) -> Option<String> {
        Some(format!("{}/{}", self.database.as_deref()?, self.name.as_deref()?))
    }
}

impl FileCounter {
    const COUNTERS: [fn(&Self) -> Option<i64>; 6] = [
        |f| f.reads,
        |f| f.read_bytes,
        |f| f.read_stall_ms,
        |f| f.writes,
        |f| f.write_bytes,
        |f| f.write_stall_ms,
    ];

    /// The file is another one than before, or was closed in between: nothing of it may be compared.
    fn is_anew(&self, old: &Self) -> bool {
        let is_elsewhere = matches!((&old.file.path, &self.file.path), (Some(a), Some(b)) if a != b);
        is_elsewhere || Self::COUNTERS.iter().any(|part| part(self).is_some() && part(self) < part(old))
    }
}

impl FileRow {
    /// The slower of its two times, ms.
    pub fn slowest_ms(&self) -> Option<f64> {
        self.read_ms.into_iter().chain(self.write_ms).reduce(f64::max)
    }

    /// The slower of its two times, ms, of those with more than a trickle of reads or writes: files are ranked by it. None: there is
    /// no such time.
    pub fn busy_ms(&self) -> Option<f64> {
        let busy =
            |ms: Option<f64>, per_s: Option<f64>| ms.filter(|_| per_s.is_some_and(|n| n >= LEAST_PER_S));
        let times = [busy(self.read_ms, self.reads_per_s), busy(self.write_ms, self.writes_per_s)];
        times.into_iter().flatten().reduce(f64::max)
    }

    /// Reads and writes per second.
    pub fn ops_per_s(&self) -> Option<f64> {
        self.reads_per_s.into_iter().chain(self.writes_per_s).reduce(f64::add)
    }

    /// Bytes read and written per second.
    pub fn bytes_per_s(&self) -> Option<f64> {
        self.read_bytes_per_s.into_iter().chain(self.write_bytes_per_s).reduce(f64::add)
    }

    /// Without a sample before it, or where nothing may be compared, only names and size are known.
    fn between(old: Option<&FileCounter>, now: &FileCounter, interval: Interval) -> Self {
        let old = old.filter(|old| !now.is_anew(old));
        let [reads, read_bytes, read_stall_ms, writes, write_bytes, write_stall_ms] =
            FileCounter::COUNTERS.map(|part| delta(part(old?), part(now)));
        let mean = |stall: Option<i64>, count: Option<i64>| match (stall, count) {
            (Some(stall), Some(count @ 1..)) => Some(rounded(stall as f64 / count as f64)),
            _ => None,
        };
        let per_s = |grown: Option<i64>| grown.and_then(|n| interval.believed_per_s(n)).map(rounded);
        Self {
            file: now.file.clone(),
            size_bytes: now.size_bytes,
            reads_per_s: per_s(reads),
            read_bytes_per_s: per_s(read_bytes),
            read_ms: mean(read_stall_ms, reads),
            writes_per_s: per_s(writes),
            write_bytes_per_s: per_s(write_bytes),
            write_ms: mean(write_stall_ms, writes),
            pending_ios: now.pending_ios,
            volume: None,
            ios_at_os: now.ios_at_os,
            oldest_io_ms: now.oldest_io_ms,
        }
    }
}

impl Counters for FilesSample {
    type Between = Arc<FileTable>;
    type Base = Self;

    fn base(self: Arc<Self>) -> Arc<Self> {
        self
    }

    fn between(old: &Self, now: &Self, interval: Interval) -> Arc<FileTable> {
        let before: HashMap<(i32, i32), &FileCounter> = old.files.iter().map(|f| (f.file.ids(), f)).collect();
        let old_of = |f: &FileCounter| before.get(&f.file.ids()).copied();
        let mut files: Vec<FileRow> =
            now.files.iter().map(|f| FileRow::between(old_of(f), f, interval)).collect();
        // The sums lose what a closed file had counted: their growth would be too small.
        let is_any_closed =
            now.total < old.total || now.files.iter().any(|f| old_of(f).is_some_and(|old| f.is_anew(old)));
        let all = FileRow::between((!is_any_closed).then_some(&old.all), &now.all, interval);
        let order = |by: fn(&FileRow) -> Option<f64>, a: &FileRow, b: &FileRow| {
            by(b).unwrap_or(-1.0).total_cmp(&by(a).unwrap_or(-1.0))
        };
        files.sort_by(|a, b| {
            order(FileRow::busy_ms, a, b)
                .then_with(|| order(FileRow::slowest_ms, a, b))
                .then(a.file.ids().cmp(&b.file.ids()))
        });
        let total = now.total.and_then(|total| usize::try_from(total).ok()).unwrap_or(files.len());
        Arc::new(FileTable {
            left_out: total.saturating_sub(files.len()) as u64,
            files,
            read_ms: all.read_ms,
            write_ms: all.write_ms,
            bytes_per_s: all.bytes_per_s(),
            over_ms: interval.ms,
        })
    }
}

impl FileTable {
    /// Says of each file on which volume it is.
    pub(in crate::model) fn place(&mut self, volumes: &[VolumeRow]) {
        for row in &mut self.files {
            row.volume = row.file.path.as_deref().and_then(|path| volume_of(volumes, path)?.mount.clone());
        }
    }

    /// The series of the busiest of those that share a name, such as the files of a database: read, write, operations, traffic.
    fn points_by<'t>(
        &'t self,
        name: fn(&'t FileRow) -> Option<&'t str>,
        metrics: [Metric; 4],
        emit: Emit<'_>,
    ) {
        let mut by_name: BTreeMap<&str, Vec<&FileRow>> = BTreeMap::new();
        for row in &self.files {
            if let Some(name) = name(row) {
                by_name.entry(name).or_default().push(row);
            }
        }
        let sums = by_name.into_iter().map(|(name, rows)| (name, Traffic::of(rows)));
        let busy = |traffic: &Traffic| traffic.ops().unwrap_or(-1.0);
        let mut busiest: Vec<_> = sums.filter(|(_, sums)| busy(sums) >= LEAST_PER_S).collect();
        busiest.sort_by(|(_, a), (_, b)| busy(b).total_cmp(&busy(a)));
        for (name, sums) in busiest.into_iter().take(CHARTED) {
            let values = [sums.read_ms, sums.write_ms, sums.ops(), megabytes(sums.bytes())];
            metrics.into_iter().zip(values).for_each(|(metric, value)| emit(metric, name, value));
        }
    }
}

fn megabytes(bytes: Option<f64>) -> Option<f64> {
    bytes.map(|bytes| bytes / 1_048_576.0)
}

impl Outcome for FileTable {
    /// Of all files together, and of the busiest files, databases and volumes.
    fn points(&self, _probe: ProbeId, emit: Emit<'_>) {
        emit(SeriesId::FileRead.into(), "", self.read_ms);
        emit(SeriesId::FileWrite.into(), "", self.write_ms);
        emit(SeriesId::FileBytes.into(), "", megabytes(self.bytes_per_s));
        let ops = |row: &FileRow| row.ops_per_s().unwrap_or(-1.0);
        let mut busiest: Vec<&FileRow> = self.files.iter().filter(|row| ops(row) >= LEAST_PER_S).collect();
        busiest.sort_by(|a, b| ops(b).total_cmp(&ops(a)));
        for row in busiest.into_iter().take(CHARTED) {
            let Some(key) = row.file.series_key() else { continue };
            emit(Metric::FileReadOf, &key, row.read_ms);
            emit(Metric::FileWriteOf, &key, row.write_ms);
            emit(Metric::FileOps, &key, row.ops_per_s());
            emit(Metric::FileBytesOf, &key, megabytes(row.bytes_per_s()));
        }
        let of_volume = [Metric::VolumeRead, Metric::VolumeWrite, Metric::VolumeOps, Metric::VolumeBytes];
        self.points_by(|row| row.volume.as_deref(), of_volume, emit);
        let of_database =
            [Metric::DatabaseRead, Metric::DatabaseWrite, Metric::DatabaseOps, Metric::DatabaseBytes];
        self.points_by(|row| row.file.database.as_deref(), of_database, emit);
    }

    fn each_name_mut(&mut self, visit: Visit<'_>) {
        for row in &mut self.files {
            row.file.each_name_mut(visit);
            if let Some(mount) = row.volume.as_mut().filter(|mount| mount.len() > 3) {
                visit(Field::Name(Kind::Volume), mount);
            }
        }
    }

    fn only_judged(&self) -> Option<Self> {
        // Those with the most time of a read or a write stand first. One that hangs may have none.
        let (first, others) = self.files.split_at(self.files.len().min(JUDGED));
        let oldest =
            others.iter().filter(|row| row.oldest_io_ms.is_some()).max_by_key(|row| row.oldest_io_ms);
        Some(Self { files: first.iter().chain(oldest).cloned().collect(), ..*self })
    }

    fn rows(&self) -> usize {
        self.files.len() * 3
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: Interval = Interval { ms: 60_000 };

    fn file(id: i32, path: &str, counters: [i64; 6]) -> FileCounter {
        let [reads, read_bytes, read_stall_ms, writes, write_bytes, write_stall_ms] = counters.map(Some);
        FileCounter {
            file: DatabaseFile {
                database_id: 5,
                file_id: id,
                path: Some(path.into()),
                ..DatabaseFile::default()
            },
            reads,
            read_bytes,
            read_stall_ms,
            writes,
            write_bytes,
            write_stall_ms,
            ..FileCounter::default()
        }
    }

    fn between(old: &[FileCounter], now: &[FileCounter]) -> Arc<FileTable> {
        let sample = |files: &[FileCounter]| sample(files, files, 9);
        FilesSample::between(&sample(old), &sample(now), MINUTE)
    }

    /// The rows, and the sums of all files.
    fn sample(rows: &[FileCounter], all: &[FileCounter], total: i64) -> FilesSample {
        let sum = |part: fn(&FileCounter) -> Option<i64>| {
            all.iter().try_fold(0_i64, |sum, f| part(f).map(|n| sum.saturating_add(n)))
        };
        let [reads, read_bytes, read_stall_ms, writes, write_bytes, write_stall_ms] =
            FileCounter::COUNTERS.map(sum);
        let all = FileCounter {
            reads,
            read_bytes,
            read_stall_ms,
            writes,
            write_bytes,
            write_stall_ms,
            ..FileCounter::default()
        };
        FilesSample { files: rows.to_vec(), total: Some(total), all }
    }

    #[test]
    fn the_sums_count_files_that_are_not_among_the_rows() {
        let at = |n: i64, of: i64| [file(1, "a", [n, n, n, n, n, n]), file(2, "b", [of; 6])];
        let table = |old: [FileCounter; 2], now: [FileCounter; 2], total: i64| {
            let (old, now) = (sample(&old[..1], &old, 2), sample(&now[..1], &now, total));
            let table = FilesSample::between(&old, &now, MINUTE);
            (table.bytes_per_s, table.read_ms, table.write_ms)
        };
        assert_eq!(table(at(0, 0), at(600, 6_000), 2), (Some(220.0), Some(1.0), Some(1.0)));
        let unknown = (None, None, None);
        assert_eq!(table(at(0, 9_000), at(600, 0), 2), unknown, "a sum that fell");
        assert_eq!(table(at(0, 300), at(600, 0), 1), unknown, "a database that was detached");
        assert_eq!(table(at(500, 0), at(3, 6_000), 2), unknown, "a file that was opened anew");
        let (old, now) = (FilesSample::default(), sample(&at(9, 9), &at(9, 9), 2));
        assert_eq!(FilesSample::between(&old, &now, MINUTE).bytes_per_s, None, "no sums before");
    }

    #[test]
    fn the_slowest_file_stands_first_and_the_instance_has_the_mean() {
        let old = [file(1, "a", [100, 0, 1_000, 10, 0, 50]), file(2, "b", [0; 6])];
        let now =
            [file(1, "a", [160, 6_000_000, 1_300, 10, 0, 50]), file(2, "b", [0, 0, 0, 600, 600_000, 24_000])];
        let table = between(&old, &now);
        let [log, data] = &table.files[..] else { panic!("{table:?}") };
        assert_eq!(
            (log.file.file_id, log.write_ms, log.read_ms, log.reads_per_s),
            (2, Some(40.0), None, Some(0.0))
        );
        assert_eq!((data.read_ms, data.reads_per_s, data.write_ms), (Some(5.0), Some(1.0), None));
        assert_eq!(data.read_bytes_per_s, Some(100_000.0));
        assert_eq!((table.read_ms, table.write_ms, table.left_out), (Some(5.0), Some(40.0), 7));
        assert_eq!(table.bytes_per_s, Some(110_000.0));
    }

    #[test]
    fn one_slow_write_a_minute_stands_behind_a_busy_file() {
        let old = [file(1, "idle", [0; 6]), file(2, "rare", [0; 6]), file(3, "busy", [0; 6])];
        let now = [
            file(1, "idle", [0; 6]),
            file(2, "rare", [0, 0, 0, 1, 8_192, 900]),
            file(3, "busy", [6_000, 0, 48_000, 6_000, 0, 24_000]),
            file(4, "new", [9; 6]),
        ];
        let ids: Vec<i32> = between(&old, &now).files.iter().map(|f| f.file.file_id).collect();
        assert_eq!(ids, [3, 2, 1, 4], "busy, rare, without a time");
    }

    #[test]
    fn the_busiest_databases_and_volumes_have_series_of_all_their_files() {
        let row = |database: usize, volume: &str, reads_per_s: f64, read_ms: f64| FileRow {
            file: DatabaseFile { database: Some(format!("db{database}").into()), ..DatabaseFile::default() },
            volume: Some(volume.into()),
            reads_per_s: Some(reads_per_s),
            read_ms: Some(read_ms),
            ..FileRow::default()
        };
        let mut files: Vec<FileRow> = (0..12).map(|n| row(n, "D:\\", 10.0 + n as f64, 2.0)).collect();
        files.extend([row(3, "L:\\", 90.0, 10.0), row(20, "X:\\", 0.4, 900.0)]);
        let table = FileTable { files, ..FileTable::default() };
        let mut points = Vec::new();
        table.points(ProbeId::Files, &mut |metric, key, value| points.push((metric, key.to_owned(), value)));
        let of = |wanted: Metric| -> Vec<(String, Option<f64>)> {
            let of_it = points.iter().filter(|(metric, ..)| *metric == wanted);
            of_it.map(|(_, key, value)| (key.clone(), *value)).collect()
        };
        let reads = of(Metric::DatabaseRead);
        assert_eq!((reads.len(), reads[0].0.as_str()), (8, "db3"), "{reads:?}");
        let mean = (13.0 * 2.0 + 90.0 * 10.0) / 103.0;
        assert!(reads[0].1.is_some_and(|ms| (ms - mean).abs() < 1e-9), "{reads:?}");
        assert_eq!(of(Metric::DatabaseWrite)[0].1, None, "nobody wrote");
        let ops: Vec<_> = of(Metric::VolumeOps);
        assert_eq!(
            ops,
            [("D:\\".to_owned(), Some(186.0)), ("L:\\".to_owned(), Some(90.0))],
            "X: has a trickle"
        );
    }

    #[test]
    fn the_busiest_files_have_series_of_their_own_and_idle_ones_none() {
        let row = |n: i32, writes_per_s: Option<f64>, name: Option<&str>| FileRow {
            file: DatabaseFile {
                file_id: n,
                database: Some("orders".into()),
                name: name.map(Into::into),
                ..DatabaseFile::default()
            },
            writes_per_s,
            write_ms: Some(4.0),
            write_bytes_per_s: Some(2_097_152.0),
            ..FileRow::default()
        };
        let mut files =
            vec![row(90, Some(0.9), Some("idle")), row(91, None, Some("new")), row(92, Some(9e9), None)];
        let names: Vec<String> = (0..12).map(|n| format!("f{n}")).collect();
        files.extend(
            names.iter().enumerate().map(|(n, name)| row(n as i32, Some(10.0 + n as f64), Some(name))),
        );
        let table = FileTable { files, ..FileTable::default() };
        let mut points = Vec::new();
        table.points(ProbeId::Files, &mut |metric, key, value| points.push((metric, key.to_owned(), value)));
        points.retain(|(_, key, _)| key.contains('/'));
        let files: Vec<&str> = points.iter().step_by(4).map(|(_, key, _)| key.as_str()).collect();
        let expected = [11, 10, 9, 8, 7, 6, 5].map(|n| format!("orders/f{n}"));
        assert_eq!(files, expected, "one without a name takes a place and has no series");
        let of_first: Vec<_> = points[..4].iter().map(|(metric, _, value)| (*metric, *value)).collect();
        assert_eq!(
            of_first,
            [
                (Metric::FileReadOf, None),
                (Metric::FileWriteOf, Some(4.0)),
                (Metric::FileOps, Some(21.0)),
                (Metric::FileBytesOf, Some(2.0)),
            ]
        );
    }

    #[test]
    fn what_is_judged_has_the_file_that_hangs_wherever_it_stands() {
        let row = |id: i32, oldest_io_ms| FileRow {
            file: DatabaseFile { file_id: id, ..DatabaseFile::default() },
            oldest_io_ms,
            ..FileRow::default()
        };
        let mut files: Vec<FileRow> = (0..9).map(|id| row(id, None)).collect();
        let judged = |files: &[FileRow]| {
            let table = FileTable { files: files.to_vec(), ..FileTable::default() };
            table.only_judged().unwrap().files.iter().map(|row| row.file.file_id).collect::<Vec<_>>()
        };
        assert_eq!(judged(&files), [0, 1, 2, 3]);
        (files[6].oldest_io_ms, files[8].oldest_io_ms) = (Some(9_000), Some(70));
        assert_eq!(judged(&files), [0, 1, 2, 3, 6]);
        assert_eq!(judged(&files[..2]), [0, 1]);
    }

    #[test]
    fn a_file_that_is_new_or_was_opened_anew_has_no_rates_rather_than_zeros() {
        let old = [file(1, "a", [100, 10, 1_000, 10, 0, 50]), file(2, "b", [5, 5, 5, 5, 5, 5])];
        let now = [
            file(1, "a", [120, 20, 3, 11, 0, 60]),
            file(2, "elsewhere", [900, 900, 900, 900, 900, 900]),
            file(3, "c", [7; 6]),
        ];
        let table = between(&old, &now);
        assert_eq!(table.files.len(), 3);
        for file in &table.files {
            let known =
                [file.reads_per_s, file.writes_per_s, file.read_ms, file.write_ms, file.read_bytes_per_s];
            assert_eq!(known, [None; 5], "{file:?}");
        }
        assert_eq!((table.read_ms, table.write_ms, table.bytes_per_s), (None, None, None));
    }

    #[test]
    fn what_the_server_does_not_say_is_not_known() {
        let mute = FileCounter { reads: None, write_stall_ms: None, ..file(1, "a", [9; 6]) };
        let table = between(std::slice::from_ref(&mute), std::slice::from_ref(&mute));
        let file = &table.files[0];
        assert_eq!((file.reads_per_s, file.read_ms, file.write_ms), (None, None, None));
        assert_eq!((file.writes_per_s, file.read_bytes_per_s), (Some(0.0), Some(0.0)));
        let huge = between(&[file_of(0)], &[file_of(i64::MAX), file_of(i64::MAX)]);
        assert_eq!((huge.bytes_per_s, huge.files[0].reads_per_s), (None, None), "no disk does that");
    }

    fn file_of(n: i64) -> FileCounter {
        file(1, "a", [n; 6])
    }
}
