//! What is in use of the data files of an instance. Only its own database tells of a file, so databases are asked one after another, and
//! one that is not asked in a poll keeps what it told before.

use super::{
    id::{Emit, ProbeId},
    names::{Field, Kind, Visit, maybe},
    outcome::Outcome,
};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// What is in use of a data file.
/// In files by position: fields are only appended, each with a default; variants keep their names.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct FileUse {
    /// database id, file id
    pub ids: (i32, i32),
    /// size when it was asked, KB
    pub size_kb: Option<i64>,
    /// allocated of it, KB
    pub used_kb: Option<i64>,
}

impl FileUse {
    /// Free inside of it, KB.
    pub fn free_kb(&self) -> Option<i64> {
        Some(self.size_kb?.saturating_sub(self.used_kb?).max(0))
    }

    /// The same, %.
    pub fn free_pct(&self) -> Option<f64> {
        let size = self.size_kb.filter(|kb| *kb > 0)?;
        Some((self.free_kb()? as f64 / size as f64 * 100.0).clamp(0.0, 100.0))
    }
}

/// A database that told nothing.
/// In files by position: fields are only appended, each with a default; variants keep their names.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Silent {
    /// database id
    pub database_id: i32,
    /// its name
    pub database: Option<Arc<str>>,
    /// why, as a cell says it
    pub why: Arc<str>,
    /// it was not asked: its turn comes
    pub waits: bool,
}

/// What is in use of the data files of an instance.
/// In files by position: fields are only appended, each with a default; variants keep their names.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct RoomTable {
    /// the files, by database and number
    pub files: Vec<FileUse>,
    /// databases that told nothing
    pub silent: Vec<Silent>,
}

impl RoomTable {
    /// One of them, by its database and its number there.
    pub fn of(&self, ids: (i32, i32)) -> Option<&FileUse> {
        self.files.get(self.files.binary_search_by_key(&ids, |file| file.ids).ok()?)
    }

    /// Databases whose turn did not come keep what they told before.
    pub(in crate::model) fn join(&mut self, before: &Self) {
        let waits = |id: i32| self.silent.iter().any(|silent| silent.waits && silent.database_id == id);
        let kept: Vec<FileUse> = before.files.iter().filter(|file| waits(file.ids.0)).copied().collect();
        self.files.extend(kept);
        self.files.sort_by_key(|file| file.ids);
        self.files.dedup_by_key(|file| file.ids);
    }
}

impl Outcome for RoomTable {
    fn points(&self, _probe: ProbeId, _emit: Emit<'_>) {}

    fn each_name_mut(&mut self, visit: Visit<'_>) {
        for silent in &mut self.silent {
            maybe(visit, Field::Name(Kind::Database), &mut silent.database);
            visit(Field::Message, &mut silent.why);
        }
    }

    fn rows(&self) -> usize {
        self.files.len() / 2 + self.silent.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(ids: (i32, i32), used_kb: i64) -> FileUse {
        FileUse { ids, size_kb: Some(1_000), used_kb: Some(used_kb) }
    }

    #[test]
    fn a_database_whose_turn_did_not_come_keeps_what_it_told() {
        let before = RoomTable { files: vec![file((5, 1), 10), file((6, 1), 20)], silent: Vec::new() };
        let silent = |database_id, waits| Silent { database_id, waits, ..Silent::default() };
        let mut now =
            RoomTable { files: vec![file((7, 1), 30)], silent: vec![silent(5, true), silent(6, false)] };
        now.join(&before);
        assert_eq!(now.files, [file((5, 1), 10), file((7, 1), 30)], "6 refused, or is gone");
        assert_eq!(now.of((5, 1)).and_then(FileUse::free_kb), Some(990));
        assert_eq!(now.of((5, 2)), None);
    }

    #[test]
    fn a_size_that_means_nothing_is_no_share() {
        let of = |size_kb, used_kb| FileUse { ids: (5, 1), size_kb, used_kb }.free_pct();
        assert_eq!(of(Some(200), Some(150)), Some(25.0));
        assert_eq!(of(Some(200), Some(900)), Some(0.0), "it grew in between");
        assert_eq!([of(Some(0), Some(0)), of(None, Some(1)), of(Some(1), None)], [None; 3]);
    }
}
