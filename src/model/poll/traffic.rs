//! Files added up: what those of a database or a volume read and write together, and how long that takes. For charts
//! (`poll::files`) and for the panes that add files up. It knows neither databases nor volumes: who calls it chooses the files.

use super::files::FileRow;
use std::ops::Add as _;

/// What several files do together. None: of none of them is it known.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Traffic {
    /// files
    pub files: i64,
    /// reads per second
    pub reads: Option<f64>,
    /// writes per second
    pub writes: Option<f64>,
    /// bytes read per second
    pub read_bytes: Option<f64>,
    /// bytes written per second
    pub write_bytes: Option<f64>,
    /// waited for reads, ms per second
    pub read_stall: Option<f64>,
    /// waited for writes, ms per second
    pub write_stall: Option<f64>,
    /// average time of a read, ms
    pub read_ms: Option<f64>,
    /// average time of a write, ms
    pub write_ms: Option<f64>,
    /// I/Os in flight
    pub pending: Option<i64>,
    /// the oldest of them, ms
    pub oldest_io_ms: Option<i64>,
}

impl Traffic {
    /// Of these files.
    pub fn of<'f>(files: impl IntoIterator<Item = &'f FileRow>) -> Self {
        let mut sums = Self::default();
        let (mut read, mut written) = ((0.0, 0.0), (0.0, 0.0));
        for f in files {
            sums.files += 1;
            add(&mut sums.reads, f.reads_per_s);
            add(&mut sums.writes, f.writes_per_s);
            add(&mut sums.read_bytes, f.read_bytes_per_s);
            add(&mut sums.write_bytes, f.write_bytes_per_s);
            add(&mut sums.read_stall, f.read_stall());
            add(&mut sums.write_stall, f.write_stall());
            weigh(&mut read, f.read_ms, f.reads_per_s);
            weigh(&mut written, f.write_ms, f.writes_per_s);
            sums.pending = sums.pending.into_iter().chain(f.pending_ios).reduce(i64::saturating_add);
            sums.oldest_io_ms = sums.oldest_io_ms.max(f.oldest_io_ms);
        }
        sums.read_ms = mean(read);
        sums.write_ms = mean(written);
        sums
    }

    /// Reads and writes per second.
    pub fn ops(&self) -> Option<f64> {
        self.reads.into_iter().chain(self.writes).reduce(f64::add)
    }

    /// Bytes read and written per second.
    pub fn bytes(&self) -> Option<f64> {
        self.read_bytes.into_iter().chain(self.write_bytes).reduce(f64::add)
    }
}

impl FileRow {
    /// Waited for its reads, ms per second: a stall of more than 1,000 is several that wait at a time.
    pub fn read_stall(&self) -> Option<f64> {
        stall(self.reads_per_s, self.read_ms)
    }

    /// Waited for its writes, ms per second.
    pub fn write_stall(&self) -> Option<f64> {
        stall(self.writes_per_s, self.write_ms)
    }
}

/// The time of each, as often as there was one. What did not happen was not waited for.
fn stall(per_s: Option<f64>, ms: Option<f64>) -> Option<f64> {
    match (per_s?, ms) {
        (per_s, Some(ms)) => Some(per_s * ms),
        (per_s, None) => (per_s <= 0.0).then_some(0.0),
    }
}

fn add(sum: &mut Option<f64>, more: Option<f64>) {
    *sum = (*sum).into_iter().chain(more).reduce(f64::add);
}

/// A time counts as often as there was one.
fn weigh(sum: &mut (f64, f64), ms: Option<f64>, per_s: Option<f64>) {
    if let (Some(ms), Some(per_s)) = (ms, per_s) {
        sum.0 += ms * per_s;
        sum.1 += per_s;
    }
}

fn mean((sum, count): (f64, f64)) -> Option<f64> {
    (count > 0.0).then(|| sum / count)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_weighed_and_what_nobody_knows_is_no_zero() {
        let row = |reads_per_s, read_ms, pending_ios| FileRow {
            reads_per_s,
            read_ms,
            pending_ios,
            ..FileRow::default()
        };
        let files = [
            row(Some(30.0), Some(2.0), Some(1)),
            row(Some(10.0), Some(10.0), Some(4)),
            row(None, None, None),
        ];
        let sums = Traffic::of(&files);
        assert_eq!((sums.files, sums.reads, sums.read_ms, sums.pending), (3, Some(40.0), Some(4.0), Some(5)));
        assert_eq!((sums.writes, sums.write_ms, sums.bytes(), sums.ops()), (None, None, None, Some(40.0)));
        assert_eq!(Traffic::of(&files[2..]).reads, None);
        assert_eq!((sums.read_stall, sums.write_stall), (Some(160.0), None), "30 of 2 ms and 10 of 10 ms");
    }

    #[test]
    fn reads_and_writes_are_told_apart_and_no_read_is_no_stall() {
        let row = |reads, read_ms, writes, write_ms| FileRow {
            reads_per_s: reads,
            read_ms,
            read_bytes_per_s: reads.map(|n| n * 8_192.0),
            writes_per_s: writes,
            write_ms,
            write_bytes_per_s: writes.map(|n| n * 512.0),
            ..FileRow::default()
        };
        let idle = row(Some(0.0), None, Some(4.0), Some(250.0));
        assert_eq!((idle.read_stall(), idle.write_stall()), (Some(0.0), Some(1_000.0)));
        assert_eq!(
            row(Some(3.0), None, None, Some(9.0)).read_stall(),
            None,
            "nobody told how long they took"
        );
        let sums = Traffic::of(&[idle, row(Some(10.0), Some(3.0), None, None)]);
        assert_eq!((sums.read_stall, sums.write_stall), (Some(30.0), Some(1_000.0)));
        assert_eq!((sums.read_bytes, sums.write_bytes), (Some(81_920.0), Some(2_048.0)));
        assert_eq!(sums.bytes(), Some(83_968.0));
    }
}
