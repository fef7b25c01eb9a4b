//! Files added up: what they read and write together, and how long that takes.

use super::files::next_fits;
use crate::model::{
    fold::snapshot::InstanceSnapshot,
    poll::{files::FileRow, space::Fits},
};
use std::ops::Add as _;

/// What several files do together. None: of none of them is it known.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Sums {
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
    /// files whose next growth has no room
    pub failing: i64,
}

impl Sums {
    /// Of those files of an instance that `of` takes.
    pub fn of(i: &InstanceSnapshot, of: impl Fn(&FileRow) -> bool) -> Self {
        let mut sums = Self::default();
        let (mut read, mut written) = ((0.0, 0.0), (0.0, 0.0));
        let files = i.facts.files.get().map_or(&[][..], |table| &table.files[..]);
        for f in files.iter().filter(|f| of(f)) {
            sums.files += 1;
            add(&mut sums.reads, f.reads_per_s);
            add(&mut sums.writes, f.writes_per_s);
            add(&mut sums.bytes, f.read_bytes_per_s);
            add(&mut sums.bytes, f.write_bytes_per_s);
            weigh(&mut read, f.read_ms, f.reads_per_s);
            weigh(&mut written, f.write_ms, f.writes_per_s);
            sums.pending = sums.pending.into_iter().chain(f.pending_ios).reduce(i64::saturating_add);
            sums.failing += i64::from(next_fits(i, f).is_some_and(Fits::fails));
        }
        sums.read_ms = mean(read);
        sums.write_ms = mean(written);
        sums
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
    use crate::{
        model::poll::{files::FileTable, reading::Reading},
        tui::fixture,
    };
    use std::sync::Arc;

    #[test]
    fn times_are_weighed_and_what_nobody_knows_is_no_zero() {
        let mut i = (*fixture::small().instances[0]).clone();
        let row = |reads_per_s, read_ms, pending_ios| FileRow {
            reads_per_s,
            read_ms,
            pending_ios,
            ..FileRow::default()
        };
        let files = vec![
            row(Some(30.0), Some(2.0), Some(1)),
            row(Some(10.0), Some(10.0), Some(4)),
            row(None, None, None),
        ];
        i.facts.files = Reading::good(Arc::new(FileTable { files, ..FileTable::default() }), fixture::NOW, 1);
        let sums = Sums::of(&i, |_| true);
        assert_eq!((sums.files, sums.reads, sums.read_ms, sums.pending), (3, Some(40.0), Some(4.0), Some(5)));
        assert_eq!((sums.writes, sums.write_ms, sums.bytes), (None, None, None));
        assert_eq!(Sums::of(&i, |f| f.reads_per_s.is_none()).reads, None);
    }
}
