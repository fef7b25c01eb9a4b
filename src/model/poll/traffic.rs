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
    /// bytes read and written per second
    pub bytes: Option<f64>,
    /// average time of a read, ms
    pub read_ms: Option<f64>,
    /// average time of a write, ms
    pub write_ms: Option<f64>,
    /// I/Os in flight
    pub pending: Option<i64>,
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
            add(&mut sums.bytes, f.read_bytes_per_s);
            add(&mut sums.bytes, f.write_bytes_per_s);
            weigh(&mut read, f.read_ms, f.reads_per_s);
            weigh(&mut written, f.write_ms, f.writes_per_s);
            sums.pending = sums.pending.into_iter().chain(f.pending_ios).reduce(i64::saturating_add);
        }
        sums.read_ms = mean(read);
        sums.write_ms = mean(written);
        sums
    }

    /// Reads and writes per second.
    pub fn ops(&self) -> Option<f64> {
        self.reads.into_iter().chain(self.writes).reduce(f64::add)
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
        assert_eq!((sums.writes, sums.write_ms, sums.bytes, sums.ops()), (None, None, None, Some(40.0)));
        assert_eq!(Traffic::of(&files[2..]).reads, None);
    }
}
