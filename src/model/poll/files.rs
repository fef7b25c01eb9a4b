//! Database files: counters of their reads and writes, and what lies between two samples of them.

use super::{
    id::{Emit, SeriesId, rounded},
    names::{Field, Kind, Visit, maybe},
};
use crate::model::fold::rate::{Interval, delta};
use serde::{Deserialize, Serialize};
use std::{collections::HashMap, sync::Arc};

/// One row of `sys.dm_io_virtual_file_stats`: counters since the file was opened.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FileCounter {
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
}

/// Files as they are polled: those that were waited for longest.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FilesSample {
    /// the rows
    pub files: Vec<FileCounter>,
    /// files on the instance
    pub total: Option<i64>,
}

/// One file over the last interval. A rate that is not known is None; without a read there is no time of one.
/// In files by position: fields are only appended, each with a default; variants keep their names.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct FileRow {
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
}

/// The files of an instance over the last interval.
/// In files by position: fields are only appended, each with a default; variants keep their names.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct FileTable {
    /// the files, slowest first
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

/// Growth of all files that could be compared.
#[derive(Default)]
struct Sums {
    reads: i64,
    read_stall_ms: i64,
    writes: i64,
    write_stall_ms: i64,
    bytes: Option<i64>,
}

impl FileRow {
    /// The slower of its two times, ms.
    pub fn slowest_ms(&self) -> Option<f64> {
        self.read_ms.into_iter().chain(self.write_ms).reduce(f64::max)
    }

    /// Without a sample before it, or where the file is another one than before, only names and size are known.
    fn between(old: Option<&FileCounter>, now: &FileCounter, interval: Interval, sums: &mut Sums) -> Self {
        let same = |old: &&FileCounter| match (&old.path, &now.path) {
            (Some(a), Some(b)) => a == b,
            _ => true,
        };
        let old = old.filter(same);
        let grown = |part: fn(&FileCounter) -> Option<i64>| delta(part(old?), part(now));
        // A file whose counters fell was opened anew: nothing of it may be compared.
        let parts: [fn(&FileCounter) -> Option<i64>; 6] = [
            |f| f.reads,
            |f| f.read_bytes,
            |f| f.read_stall_ms,
            |f| f.writes,
            |f| f.write_bytes,
            |f| f.write_stall_ms,
        ];
        let fell =
            old.is_some_and(|old| parts.iter().any(|part| part(now) < part(old) && part(now).is_some()));
        let [reads, read_bytes, read_stall_ms, writes, write_bytes, write_stall_ms] =
            parts.map(|part| grown(part).filter(|_| !fell));
        let mean = |stall: Option<i64>, count: Option<i64>| match (stall, count) {
            (Some(stall), Some(count @ 1..)) => Some(rounded(stall as f64 / count as f64)),
            _ => None,
        };
        if let (Some(count), Some(stall)) = (reads, read_stall_ms) {
            sums.reads = sums.reads.saturating_add(count);
            sums.read_stall_ms = sums.read_stall_ms.saturating_add(stall);
        }
        if let (Some(count), Some(stall)) = (writes, write_stall_ms) {
            sums.writes = sums.writes.saturating_add(count);
            sums.write_stall_ms = sums.write_stall_ms.saturating_add(stall);
        }
        for bytes in read_bytes.into_iter().chain(write_bytes) {
            sums.bytes = Some(sums.bytes.unwrap_or(0).saturating_add(bytes));
        }
        let per_s = |grown: Option<i64>| grown.map(|n| rounded(interval.per_s(n)));
        Self {
            database_id: now.database_id,
            file_id: now.file_id,
            database: now.database.clone(),
            name: now.name.clone(),
            kind: now.kind.clone(),
            path: now.path.clone(),
            size_bytes: now.size_bytes,
            reads_per_s: per_s(reads),
            read_bytes_per_s: per_s(read_bytes),
            read_ms: mean(read_stall_ms, reads),
            writes_per_s: per_s(writes),
            write_bytes_per_s: per_s(write_bytes),
            write_ms: mean(write_stall_ms, writes),
        }
    }
}

impl FileTable {
    /// The files of now after those of the sample before.
    pub(in crate::model) fn between(old: &FilesSample, now: &FilesSample, interval: Interval) -> Self {
        let before: HashMap<(i32, i32), &FileCounter> =
            old.files.iter().map(|f| ((f.database_id, f.file_id), f)).collect();
        let mut sums = Sums::default();
        let mut files: Vec<FileRow> = now
            .files
            .iter()
            .map(|f| {
                let old = before.get(&(f.database_id, f.file_id)).copied();
                FileRow::between(old, f, interval, &mut sums)
            })
            .collect();
        let time = |f: &FileRow| f.slowest_ms().unwrap_or(-1.0);
        files.sort_by(|a, b| {
            time(b).total_cmp(&time(a)).then((a.database_id, a.file_id).cmp(&(b.database_id, b.file_id)))
        });
        let mean = |stall: i64, count: i64| (count > 0).then(|| rounded(stall as f64 / count as f64));
        let total = now.total.and_then(|total| usize::try_from(total).ok()).unwrap_or(files.len());
        Self {
            left_out: total.saturating_sub(files.len()) as u64,
            files,
            read_ms: mean(sums.read_stall_ms, sums.reads),
            write_ms: mean(sums.write_stall_ms, sums.writes),
            bytes_per_s: sums.bytes.map(|bytes| rounded(interval.per_s(bytes))),
            over_ms: interval.ms,
        }
    }

    /// Its numbers for charts, of all files together.
    pub(super) fn points(&self, emit: Emit<'_>) {
        emit(SeriesId::FileRead.into(), "", self.read_ms);
        emit(SeriesId::FileWrite.into(), "", self.write_ms);
        emit(SeriesId::FileBytes.into(), "", self.bytes_per_s.map(|bytes| bytes / 1_048_576.0));
    }

    /// Shows every name in it.
    pub(super) fn each_name_mut(&mut self, visit: Visit<'_>) {
        for file in &mut self.files {
            maybe(visit, Field::Name(Kind::Database), &mut file.database);
            maybe(visit, Field::Name(Kind::File), &mut file.name);
            maybe(visit, Field::Name(Kind::File), &mut file.path);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: Interval = Interval { ms: 60_000 };

    fn file(id: i32, path: &str, counters: [i64; 6]) -> FileCounter {
        let [reads, read_bytes, read_stall_ms, writes, write_bytes, write_stall_ms] = counters.map(Some);
        FileCounter {
            database_id: 5,
            file_id: id,
            path: Some(path.into()),
            reads,
            read_bytes,
            read_stall_ms,
            writes,
            write_bytes,
            write_stall_ms,
            ..FileCounter::default()
        }
    }

    fn between(old: &[FileCounter], now: &[FileCounter]) -> FileTable {
        let sample = |files: &[FileCounter]| FilesSample { files: files.to_vec(), total: Some(9) };
        FileTable::between(&sample(old), &sample(now), MINUTE)
    }

    #[test]
    fn the_slowest_file_stands_first_and_the_instance_has_the_mean() {
        let old = [file(1, "a", [100, 0, 1_000, 10, 0, 50]), file(2, "b", [0; 6])];
        let now =
            [file(1, "a", [160, 6_000_000, 1_300, 10, 0, 50]), file(2, "b", [0, 0, 0, 600, 600_000, 24_000])];
        let table = between(&old, &now);
        let [log, data] = &table.files[..] else { panic!("{table:?}") };
        assert_eq!(
            (log.file_id, log.write_ms, log.read_ms, log.reads_per_s),
            (2, Some(40.0), None, Some(0.0))
        );
        assert_eq!((data.read_ms, data.reads_per_s, data.write_ms), (Some(5.0), Some(1.0), None));
        assert_eq!(data.read_bytes_per_s, Some(100_000.0));
        assert_eq!((table.read_ms, table.write_ms, table.left_out), (Some(5.0), Some(40.0), 7));
        assert_eq!(table.bytes_per_s, Some(110_000.0));
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
        assert!(huge.bytes_per_s.is_some_and(f64::is_finite), "{huge:?}");
    }

    fn file_of(n: i64) -> FileCounter {
        file(1, "a", [n; 6])
    }
}
