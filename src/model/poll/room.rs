//! What is in use of the data files of an instance. Only its own database tells of a file, so databases are asked one after another, and
//! one that is not asked in a poll keeps what it told before.

use super::{
    databases::DatabaseRow,
    id::{Emit, Metric, ProbeId},
    names::{Field, Kind, Visit, maybe},
    outcome::Outcome,
};
use serde::{Deserialize, Serialize};
use std::{collections::BTreeMap, sync::Arc};

/// Databases of an instance that have a series of what is free inside of their files: as many as have series of reads and writes. Those
/// with the most in use: by its share one that has just grown would lose its place, and its line would end where it is asked for.
const CHARTED: usize = 8;

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

/// The data files of a database together.
/// In files by position: fields are only appended, each with a default; variants keep their names.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Inside {
    /// its name
    pub database: Arc<str>,
    /// allocated of them, KB
    pub used_kb: i64,
    /// free inside of them, KB
    pub free_kb: i64,
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
    /// the databases that have a series, those with the most in use first; the fold says so
    pub charted: Vec<Inside>,
}

impl RoomTable {
    /// Adds up the files of each database, and chooses those that have a series. One with a file of which something is not known has none.
    pub(in crate::model) fn add_up(&mut self, databases: &[DatabaseRow]) {
        let mut sums: BTreeMap<i32, Option<(i64, i64)>> = BTreeMap::new();
        for file in &self.files {
            let sum = sums.entry(file.ids.0).or_insert(Some((0, 0)));
            let more = file.used_kb.zip(file.free_kb());
            *sum =
                sum.zip(more).map(|(sum, more)| (sum.0.saturating_add(more.0), sum.1.saturating_add(more.1)));
        }
        let named = sums.into_iter().filter_map(|(id, sum)| {
            let (used_kb, free_kb) = sum?;
            let database = databases.iter().find(|row| row.id == id)?.name.clone()?;
            Some(Inside { database, used_kb, free_kb })
        });
        self.charted = named.collect();
        self.charted.sort_by_key(|inside| std::cmp::Reverse(inside.used_kb));
        self.charted.truncate(CHARTED);
    }

    /// What is free inside of the files of this database has a series.
    pub fn is_charted(&self, database: &str) -> bool {
        self.charted.iter().any(|inside| &*inside.database == database)
    }

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
    fn points(&self, _probe: ProbeId, emit: Emit<'_>) {
        for inside in &self.charted {
            emit(Metric::InsideFree, &inside.database, Some(inside.free_kb as f64));
        }
    }

    fn each_name_mut(&mut self, visit: Visit<'_>) {
        for silent in &mut self.silent {
            maybe(visit, Field::Name(Kind::Database), &mut silent.database);
            visit(Field::Message, &mut silent.why);
        }
        for inside in &mut self.charted {
            visit(Field::Name(Kind::Database), &mut inside.database);
        }
    }

    fn rows(&self) -> usize {
        self.files.len() / 2 + self.silent.len() + self.charted.len()
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
        let before = RoomTable { files: vec![file((5, 1), 10), file((6, 1), 20)], ..RoomTable::default() };
        let silent = |database_id, waits| Silent { database_id, waits, ..Silent::default() };
        let silent = vec![silent(5, true), silent(6, false)];
        let mut now = RoomTable { files: vec![file((7, 1), 30)], silent, ..RoomTable::default() };
        now.join(&before);
        assert_eq!(now.files, [file((5, 1), 10), file((7, 1), 30)], "6 refused, or is gone");
        assert_eq!(now.of((5, 1)).and_then(FileUse::free_kb), Some(990));
        assert_eq!(now.of((5, 2)), None);
    }

    #[test]
    fn the_databases_with_the_most_in_use_have_a_series_of_what_is_free_in_them() {
        let named = |id, name: &str| DatabaseRow::in_state(id, name, "ONLINE");
        let mut databases: Vec<_> = (5..15).map(|id| named(id, &format!("db{id}"))).collect();
        databases.push(DatabaseRow { name: None, ..named(20, "") });
        let mut files: Vec<_> = (5..15).map(|id| file((id, 1), i64::from(id) * 10)).collect();
        // A second file; one of which nobody knows the size; one without a name; one that is gone.
        files.extend([file((14, 3), 100), file((13, 3), 5), file((20, 1), 900), file((21, 1), 900)]);
        files[11].size_kb = None;
        let mut table = RoomTable { files, ..RoomTable::default() };
        table.add_up(&databases);
        let mut points = Vec::new();
        table.points(ProbeId::Room, &mut |metric, key, value| points.push((metric, key.to_owned(), value)));
        assert_eq!(points.len(), CHARTED);
        assert_eq!(
            points[0],
            (Metric::InsideFree, "db14".to_owned(), Some(1_760.0)),
            "both files: {points:?}"
        );
        let told: Vec<&str> = points.iter().map(|(_, key, _)| &**key).collect();
        assert_eq!(
            told,
            ["db14", "db12", "db11", "db10", "db9", "db8", "db7", "db6"],
            "of db13 not all is known"
        );
        assert!(table.is_charted("db6") && !table.is_charted("db5") && !table.is_charted("db13"));
        table.add_up(&[]);
        assert!(table.charted.is_empty(), "nobody knows what they are called");
    }

    #[test]
    fn a_size_that_means_nothing_is_no_share() {
        let of = |size_kb, used_kb| FileUse { ids: (5, 1), size_kb, used_kb }.free_pct();
        assert_eq!(of(Some(200), Some(150)), Some(25.0));
        assert_eq!(of(Some(200), Some(900)), Some(0.0), "it grew in between");
        assert_eq!([of(Some(0), Some(0)), of(None, Some(1)), of(Some(1), None)], [None; 3]);
    }
}
