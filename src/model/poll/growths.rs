//! When database files grew by themselves, and how long everybody waited for it.

use super::{
    id::{Emit, ProbeId},
    names::{Field, Kind, Visit, maybe},
    outcome::Outcome,
    who::Who,
};
use crate::model::base::time::Timestamp;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// Growths of an instance that are remembered, the newest.
const MOST: usize = 200;

/// A growth that was told twice, as after a restart of dbtop, differs by so much at most: our clock and the server's are compared
/// anew, ms.
const SAME_MS: i64 = 2_000;

/// A growth of this length stands out: who writes to the file waits for it, ms.
pub const LONG_MS: i64 = 1_000;

/// A file grew.
/// In files by position: fields are only appended, each with a default; variants keep their names.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct FileGrowth {
    /// when it began, by our clock
    pub at: Timestamp,
    /// for so long, ms
    pub took_ms: Option<i64>,
    /// by so much, KB
    pub by_kb: Option<i64>,
    /// of which database
    pub database: Option<Arc<str>>,
    /// logical name
    pub file: Option<Arc<str>>,
    /// it is a log, not data; None: not known
    pub is_log: Option<bool>,
    /// whose session it met
    pub who: Who,
}

impl FileGrowth {
    fn is_same(&self, other: &Self) -> bool {
        self.at.ms().abs_diff(other.at.ms()) <= SAME_MS.unsigned_abs()
            && (&self.database, &self.file, self.by_kb, self.took_ms)
                == (&other.database, &other.file, other.by_kb, other.took_ms)
    }

    /// Long enough to be felt.
    pub fn is_long(&self) -> bool {
        self.took_ms.is_some_and(|ms| ms >= LONG_MS)
    }
}

/// The growths of an instance.
/// In files by position: fields are only appended, each with a default; variants keep their names.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct GrowthTable {
    /// the growths, the newest first
    pub growths: Vec<FileGrowth>,
    /// so many of them, the first ones, were not known at the poll before
    pub new: u64,
    /// growths of this poll that are not among them
    pub left_out: u64,
    /// how far the trace was read: a time of the server's own clock, ms since 1970 by its zone
    pub read_to: Option<i64>,
}

impl GrowthTable {
    /// Adds those that were known before: a poll tells only what came since.
    pub(in crate::model) fn join(&mut self, before: &Self) {
        self.growths.retain(|growth| !before.growths.iter().any(|known| known.is_same(growth)));
        self.new = self.growths.len() as u64;
        self.growths.extend(before.growths.iter().cloned());
        self.growths.truncate(MOST);
        self.read_to = self.read_to.max(before.read_to);
    }

    /// Those that were not known at the poll before.
    pub fn newest(&self) -> &[FileGrowth] {
        let new = usize::try_from(self.new).unwrap_or(usize::MAX).min(self.growths.len());
        self.growths.get(..new).unwrap_or_default()
    }
}

impl Outcome for GrowthTable {
    fn points(&self, _probe: ProbeId, _emit: Emit<'_>) {}

    fn each_name_mut(&mut self, visit: Visit<'_>) {
        for growth in &mut self.growths {
            maybe(visit, Field::Name(Kind::Database), &mut growth.database);
            maybe(visit, Field::Name(Kind::File), &mut growth.file);
            growth.who.each_name_mut(visit);
        }
    }

    fn rows(&self) -> usize {
        self.growths.len() * 2
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn growth(s: i64, file: &str) -> FileGrowth {
        FileGrowth {
            at: Timestamp::from_ms(s * 1_000),
            by_kb: Some(65_536),
            file: Some(file.into()),
            ..FileGrowth::default()
        }
    }

    fn table(growths: Vec<FileGrowth>, read_to: i64) -> GrowthTable {
        GrowthTable { growths, read_to: Some(read_to), ..GrowthTable::default() }
    }

    #[test]
    fn a_poll_adds_what_is_new_and_tells_nothing_twice() {
        let before = table(vec![growth(100, "a"), growth(90, "a")], 100);
        let mut now = table(vec![growth(130, "a"), growth(101, "a"), growth(101, "b")], 130);
        now.join(&before);
        let told: Vec<_> =
            now.growths.iter().map(|g| (g.at.ms() / 1_000, g.file.as_deref().unwrap())).collect();
        assert_eq!(told, [(130, "a"), (101, "b"), (100, "a"), (90, "a")], "the second of a is told before");
        assert_eq!((now.newest().len(), now.read_to), (2, Some(130)));
        let mut nothing = table(Vec::new(), 120);
        nothing.join(&now);
        assert_eq!((nothing.growths.len(), nothing.newest().len(), nothing.read_to), (4, 0, Some(130)));
    }

    #[test]
    fn only_so_many_are_remembered_the_newest() {
        let many = |from: i64| (0..150).rev().map(|n| growth(from + n * 10, "a")).collect();
        let mut now = table(many(10_000), 2);
        now.join(&table(many(0), 1));
        assert_eq!((now.growths.len(), now.growths[0].at.ms()), (MOST, 11_490_000));
        let torn = GrowthTable { new: 9, ..table(vec![growth(1, "a")], 1) };
        assert_eq!(torn.newest().len(), 1, "a file may say anything");
    }
}
