//! When database files grew by themselves, and how long everybody waited for it.

use super::{
    id::{Emit, Metric, ProbeId},
    names::{Field, Kind, Visit, Where, maybe},
    outcome::Outcome,
    who::Who,
};
use crate::model::base::time::Timestamp;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// Growths of an instance that are remembered, the newest.
const MOST: usize = 200;

/// A growth that was told twice differs by so much at most where the server's time of it is not known: our clock and the server's are
/// compared anew, ms.
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
    /// when it began, by the server's own clock, ms since 1970 by its zone: it tells a growth from others, whatever our clock was set to
    pub server_ms: Option<i64>,
}

impl FileGrowth {
    fn is_same(&self, other: &Self) -> bool {
        let is_at_once = match (self.server_ms, other.server_ms) {
            (Some(one), Some(other)) => one == other,
            _ => self.at.ms().abs_diff(other.at.ms()) <= SAME_MS.unsigned_abs(),
        };
        is_at_once
            && (&self.database, &self.file, self.by_kb, self.took_ms)
                == (&other.database, &other.file, other.by_kb, other.took_ms)
    }

    /// `LOG` or `ROWS`, as the catalogue calls files; None: not known.
    pub fn kind(&self) -> Option<&'static str> {
        self.is_log.map(|is_log| if is_log { "LOG" } else { "ROWS" })
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
    /// the session of Extended Events that told them; empty: the default trace did
    pub session: Arc<str>,
    /// it told them out of its memory, which forgets, and not out of a file
    pub is_from_memory: bool,
}

impl GrowthTable {
    /// Adds those that were known before: a poll tells what came since, and some of what came before it.
    pub(in crate::model) fn join(&mut self, before: &Self) {
        // Of what is older than all that is remembered nobody knows whether it was told.
        let oldest = before.growths.iter().map(|growth| growth.at).min();
        let oldest = oldest.filter(|_| before.growths.len() >= MOST);
        self.growths.retain(|growth| {
            let is_forgotten = oldest.is_some_and(|oldest| growth.at < oldest);
            !is_forgotten && !before.growths.iter().any(|known| known.is_same(growth))
        });
        self.new = self.growths.len() as u64;
        self.growths.extend(before.growths.iter().cloned());
        self.growths.truncate(MOST);
        self.read_to = self.read_to.max(before.read_to);
    }

    /// Where they were read, where that is not the default trace.
    pub fn source_words(&self) -> Option<String> {
        let session = Some(&*self.session).filter(|session| !session.is_empty())?;
        Some(if self.is_from_memory {
            format!("read out of the memory of session {session}: older ones are gone")
        } else {
            format!("read out of the file of session {session}")
        })
    }

    /// Those that were not known at the poll before.
    pub fn newest(&self) -> &[FileGrowth] {
        let new = usize::try_from(self.new).unwrap_or(usize::MAX).min(self.growths.len());
        self.growths.get(..new).unwrap_or_default()
    }
}

impl Outcome for GrowthTable {
    fn points(&self, _probe: ProbeId, emit: Emit<'_>) {
        emit(Metric::GrowthsTold, "", Some(self.newest().len() as f64));
    }

    fn each_name_mut(&mut self, visit: Visit<'_>) {
        visit(Field::Words(Where::Ours), &mut self.session);
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
    fn what_was_told_and_forgotten_is_not_told_again_after_a_restart() {
        let all: Vec<FileGrowth> = (0..300).rev().map(|n| growth(n * 10, "a")).collect();
        let mut first = table(all.clone(), 2);
        first.join(&GrowthTable::default());
        assert_eq!((first.growths.len(), first.newest().len()), (MOST, MOST));
        let mut again = table(all, 2);
        again.join(&first);
        assert_eq!(again.newest().len(), 0, "the older hundred are no news");
        assert_eq!(again.growths, first.growths);
    }

    #[test]
    fn a_growth_is_the_same_by_the_clock_of_the_server_whatever_ours_was_set_to() {
        let by_server = |s: i64, ms: i64| FileGrowth { server_ms: Some(ms), ..growth(s, "a") };
        let before = table(vec![by_server(100, 7)], 100);
        let mut now = table(vec![by_server(3_700, 7), by_server(101, 8)], 100);
        now.join(&before);
        let told: Vec<_> = now.newest().iter().map(|growth| growth.server_ms).collect();
        assert_eq!(
            told,
            [Some(8)],
            "an hour later by our clock it is the same, a moment later by the server's another"
        );
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
