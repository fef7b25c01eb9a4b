//! Memory clerks: which parts of SQL Server hold its memory.

use super::{
    id::{Emit, Metric, ProbeId, SeriesId, rounded, whole},
    names::Visit,
    outcome::Outcome,
};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// The clerk of the data pages. What all others hold is stolen from it.
pub const BUFFER_POOL: &str = "MEMORYCLERK_SQLBUFFERPOOL";

/// Types of an instance that have series of their own: the largest.
const CHARTED: usize = 10;

/// All clerks of one type, over all memory nodes.
/// In files by position: fields are only appended, each with a default; variants keep their names.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ClerkRow {
    /// the type, such as `CACHESTORE_SQLCP`
    pub kind: Arc<str>,
    /// clerks of it
    pub clerks: Option<i64>,
    /// pages, KB
    pub pages_kb: Option<i64>,
    /// memory that it committed beside the pages, KB
    pub virtual_kb: Option<i64>,
    /// pages more than at the poll before, KB; the fold says so. None: there is none to compare with
    pub grown_kb: Option<i64>,
}

/// The memory clerks of an instance.
/// In files by position: fields are only appended, each with a default; variants keep their names.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ClerkTable {
    /// the types, the largest first
    pub clerks: Vec<ClerkRow>,
    /// types that are not among them
    pub left_out: u64,
    /// pages of all types, those included that are not among the rows, KB
    pub all_kb: Option<i64>,
}

impl ClerkTable {
    /// The share of a clerk type in the pages of all, %.
    pub fn share_pct(&self, clerk: &ClerkRow) -> Option<f64> {
        let all = self.all_kb.filter(|all| *all > 0)?;
        Some(rounded(clerk.pages_kb? as f64 / all as f64 * 100.0))
    }

    /// Says by how much each has grown since the poll before.
    pub(in crate::model) fn compare(&mut self, before: &Self) {
        for clerk in &mut self.clerks {
            let old = before.clerks.iter().find(|old| old.kind == clerk.kind);
            clerk.grown_kb = old.and_then(|old| clerk.pages_kb?.checked_sub(old.pages_kb?));
        }
    }

    /// Pages of the buffer pool, KB.
    pub fn buffer_pool_kb(&self) -> Option<i64> {
        self.clerks.iter().find(|clerk| &*clerk.kind == BUFFER_POOL)?.pages_kb
    }

    /// Pages of all others, KB: stolen memory.
    pub fn stolen_kb(&self) -> Option<i64> {
        self.all_kb?.checked_sub(self.buffer_pool_kb()?).filter(|kb| *kb >= 0)
    }
}

impl Outcome for ClerkTable {
    fn points(&self, _probe: ProbeId, emit: Emit<'_>) {
        let gb = |kb: Option<i64>| kb.map(|kb| kb as f64 / 1_048_576.0);
        emit(SeriesId::BufferPool.into(), "", gb(self.buffer_pool_kb()));
        emit(SeriesId::Stolen.into(), "", gb(self.stolen_kb()));
        for clerk in self.clerks.iter().take(CHARTED) {
            emit(Metric::ClerkPages, &clerk.kind, whole(clerk.pages_kb));
        }
    }

    /// Types are names of SQL Server, the same everywhere.
    fn each_name_mut(&mut self, _visit: Visit<'_>) {}

    fn only_judged(&self) -> Option<Self> {
        Some(Self { clerks: Vec::new(), ..*self })
    }

    fn rows(&self) -> usize {
        self.clerks.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn clerk(kind: &str, pages_kb: Option<i64>) -> ClerkRow {
        ClerkRow { kind: kind.into(), pages_kb, ..ClerkRow::default() }
    }

    fn table(all_kb: Option<i64>, clerks: &[ClerkRow]) -> ClerkTable {
        ClerkTable { clerks: clerks.to_vec(), left_out: 0, all_kb }
    }

    #[test]
    fn stolen_is_what_the_buffer_pool_does_not_have() {
        let plans = clerk("CACHESTORE_SQLCP", Some(1 << 20));
        let full = table(Some(5 << 20), &[clerk(BUFFER_POOL, Some(3 << 20)), plans.clone()]);
        assert_eq!((full.buffer_pool_kb(), full.stolen_kb()), (Some(3 << 20), Some(2 << 20)));
        assert_eq!(full.share_pct(&plans), Some(20.0));
        let mut points = Vec::new();
        full.points(ProbeId::Clerks, &mut |metric, _, value| points.push((metric, value)));
        assert_eq!(points[1], (SeriesId::Stolen.into(), Some(2.0)));
    }

    #[test]
    fn a_clerk_says_by_how_much_it_grew_if_it_was_there() {
        let mut now = table(Some(9), &[clerk("A", Some(5)), clerk("B", Some(4)), clerk("C", None)]);
        now.compare(&table(Some(9), &[clerk("A", Some(7)), clerk("C", Some(2))]));
        let grown: Vec<_> = now.clerks.iter().map(|clerk| clerk.grown_kb).collect();
        assert_eq!(grown, [Some(-2), None, None]);
    }

    #[test]
    fn an_amount_that_is_not_known_makes_no_zero() {
        let plans = clerk("CACHESTORE_SQLCP", Some(1));
        let unknown = table(None, &[clerk(BUFFER_POOL, Some(8_000)), plans.clone()]);
        assert_eq!((unknown.stolen_kb(), unknown.share_pct(&plans)), (None, None));
        let no_pool = table(Some(10), &[plans.clone(), clerk("X", None)]);
        assert_eq!((no_pool.buffer_pool_kb(), no_pool.stolen_kb()), (None, None), "not among the rows");
        assert_eq!(no_pool.share_pct(&no_pool.clerks[1]), None);
        assert_eq!(table(Some(0), &[]).share_pct(&plans), None, "no share of nothing");
        let odd = table(Some(5), &[clerk(BUFFER_POOL, Some(i64::MAX))]);
        assert_eq!(odd.stolen_kb(), None, "sums that disagree");
    }
}
