//! Files added up, with what only an instance tells of them: how many cannot grow.

use super::files::next_fits;
use crate::model::{
    fold::snapshot::InstanceSnapshot,
    poll::{files::FileRow, space::Fits, traffic::Traffic},
};

/// What several files do together, and how many of them have no room for their next growth.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Sums {
    /// what they do
    pub traffic: Traffic,
    /// files whose next growth has no room
    pub failing: i64,
}

impl Sums {
    /// Of those files of an instance that `of` takes.
    pub fn of(i: &InstanceSnapshot, of: impl Fn(&FileRow) -> bool) -> Self {
        let files = i.facts.files.get().map_or(&[][..], |table| &table.files[..]);
        let taken: Vec<&FileRow> = files.iter().filter(|file| of(file)).collect();
        let failing = taken.iter().filter(|file| next_fits(i, file).is_some_and(Fits::fails)).count() as i64;
        Self { traffic: Traffic::of(taken), failing }
    }
}
