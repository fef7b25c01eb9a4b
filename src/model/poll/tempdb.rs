//! tempdb: who holds it, what it is full of, the version stores and who keeps them from being cleaned up, and the pages that tasks
//! queue for.

use super::{
    id::{Emit, Metric, ProbeId, SeriesId, whole},
    names::{Field, Kind, Visit, maybe},
    outcome::Outcome,
    who::Who,
};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// The database that all share.
pub const DATABASE_ID: i32 = 2;

/// A session that holds pages of tempdb.
/// In files by position: fields are only appended, each with a default; variants keep their names.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct TempdbSession {
    /// session id
    pub session_id: i32,
    /// its temporary tables and table variables, KB
    pub user_kb: Option<i64>,
    /// its sorts, hashes and spools, KB
    pub internal_kb: Option<i64>,
    /// who it is
    pub who: Who,
    /// `running`, `sleeping` …
    pub status: Option<Arc<str>>,
}

impl TempdbSession {
    /// All that it holds, KB. Pages that others freed for it make one of the two less than nothing.
    pub fn total_kb(&self) -> Option<i64> {
        Some(self.user_kb?.checked_add(self.internal_kb?)?.max(0))
    }
}

/// A data file of tempdb.
/// In files by position: fields are only appended, each with a default; variants keep their names.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct TempdbFile {
    /// file id
    pub file_id: i32,
    /// size, KB
    pub size_kb: Option<i64>,
    /// free, KB
    pub free_kb: Option<i64>,
}

/// The row versions of a database.
/// In files by position: fields are only appended, each with a default; variants keep their names.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct VersionStore {
    /// database id
    pub database_id: i32,
    /// its name
    pub database: Option<Arc<str>>,
    /// versions in tempdb, KB
    pub tempdb_kb: Option<i64>,
    /// versions that it keeps itself, with accelerated recovery, KB
    pub own_kb: Option<i64>,
    /// aborted transactions that wait for the cleaner there
    pub aborted: Option<i64>,
    /// the session with the oldest transaction that its own versions are kept for; None: there is none, or nobody knows
    pub oldest_session: Option<i32>,
    /// the session with the oldest snapshot that they are kept for
    pub snapshot_session: Option<i32>,
}

impl VersionStore {
    /// The sessions that the versions of its own are kept for.
    pub fn holders(&self) -> impl Iterator<Item = i32> {
        let snapshot = self.snapshot_session.filter(|id| self.oldest_session != Some(*id));
        self.oldest_session.into_iter().chain(snapshot)
    }
}

/// A session whose transaction needs row versions.
/// In files by position: fields are only appended, each with a default; variants keep their names.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct VersionHolder {
    /// session id
    pub session_id: i32,
    /// it reads a snapshot; None: not known
    pub is_snapshot: Option<bool>,
    /// for so long, ms
    pub for_ms: Option<i64>,
    /// who it is
    pub who: Who,
}

/// What a page of a data file is for.
/// In files by name: fields and variants keep their names, a new field has a default.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum PageKind {
    /// page free space: how full each page is
    Pfs,
    /// global allocation map: which extents are free
    Gam,
    /// shared global allocation map: which mixed extents have free pages
    Sgam,
    /// any other page: of an object, or of metadata
    #[default]
    Other,
}

/// Pages that one PFS page covers.
const PFS_PAGES: u64 = 8_088;
/// Pages that one GAM or SGAM page covers.
const GAM_PAGES: u64 = 511_232;

impl PageKind {
    /// All, as they are told.
    pub const ALL: [Self; 4] = [Self::Pfs, Self::Gam, Self::Sgam, Self::Other];

    /// The kind of a page by its number: the first map of each kind stands in front of the file, the others at the begin of what they
    /// cover; the SGAM page behind its GAM page.
    pub const fn of(page: u64) -> Self {
        match page {
            1 => Self::Pfs,
            2 => Self::Gam,
            3 => Self::Sgam,
            0 => Self::Other,
            _ if page.is_multiple_of(PFS_PAGES) => Self::Pfs,
            _ if page.is_multiple_of(GAM_PAGES) => Self::Gam,
            _ if page % GAM_PAGES == 1 => Self::Sgam,
            _ => Self::Other,
        }
    }

    /// The word for it.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Pfs => "PFS",
            Self::Gam => "GAM",
            Self::Sgam => "SGAM",
            Self::Other => "other",
        }
    }
}

/// Reads `2:file:page`, with whatever stands behind it. None: no page of tempdb.
pub fn page_of(resource: &str) -> Option<(u32, u64)> {
    let mut parts = resource.split(':');
    if parts.next()?.trim() != "2" {
        return None;
    }
    let file = parts.next()?.trim().parse().ok()?;
    let page = parts.next()?.trim_start();
    let end = page.find(|c: char| !c.is_ascii_digit()).unwrap_or(page.len());
    Some((file, page.get(..end)?.parse().ok()?))
}

/// Tasks that wait for pages of one kind.
/// In files by position: fields are only appended, each with a default; variants keep their names.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Contention {
    /// the kind
    pub kind: PageKind,
    /// tasks that wait
    pub tasks: i64,
    /// the longest of them, ms
    pub longest_ms: Option<i64>,
}

/// tempdb of an instance.
/// In files by position: fields are only appended, each with a default; variants keep their names.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct TempdbTable {
    /// the sessions, the greatest first
    pub sessions: Vec<TempdbSession>,
    /// sessions that are not among them
    pub left_out: u64,
    /// its data files
    pub files: Vec<TempdbFile>,
    /// user objects, KB
    pub user_kb: Option<i64>,
    /// internal objects, KB
    pub internal_kb: Option<i64>,
    /// version store, KB
    pub version_kb: Option<i64>,
    /// mixed extents, KB
    pub mixed_kb: Option<i64>,
    /// row versions by database, the greatest first
    pub stores: Vec<VersionStore>,
    /// sessions that need row versions, the oldest first
    pub holders: Vec<VersionHolder>,
    /// tasks that wait for pages in memory, by kind; None: not known
    pub contention: Option<Vec<Contention>>,
}

impl TempdbTable {
    /// Size of the data files, KB. None: not of all of them is it known.
    pub fn size_kb(&self) -> Option<i64> {
        sum(self.files.iter().map(|f| f.size_kb))
    }

    /// Free in the data files, KB.
    pub fn free_kb(&self) -> Option<i64> {
        sum(self.files.iter().map(|f| f.free_kb))
    }

    /// User objects that are of no session now, KB. None: not known, as where more sessions hold some than are among the rows.
    pub fn user_of_nobody_kb(&self) -> Option<i64> {
        self.of_nobody_kb(self.user_kb, |session| session.user_kb)
    }

    /// The same of internal objects.
    pub fn internal_of_nobody_kb(&self) -> Option<i64> {
        self.of_nobody_kb(self.internal_kb, |session| session.internal_kb)
    }

    fn of_nobody_kb(&self, all: Option<i64>, of: fn(&TempdbSession) -> Option<i64>) -> Option<i64> {
        if self.left_out > 0 {
            return None;
        }
        let mut held = self.sessions.iter().map(|session| Some(of(session)?.max(0)));
        let held = held.try_fold(0_i64, |sum, part| sum.checked_add(part?))?;
        Some(all?.saturating_sub(held).max(0))
    }

    /// Tasks that wait for pages by which room is given out, and for any others. None: not known.
    pub fn page_waits(&self) -> Option<(i64, i64)> {
        let found = self.contention.as_ref()?;
        Some(found.iter().fold((0, 0), |(maps, others): (i64, i64), wait| match wait.kind {
            PageKind::Pfs | PageKind::Gam | PageKind::Sgam => (maps.saturating_add(wait.tasks), others),
            PageKind::Other => (maps, others.saturating_add(wait.tasks)),
        }))
    }

    /// Size of the smallest and the largest data file, KB: pages are spread evenly over files of one size only.
    pub fn file_sizes_kb(&self) -> Option<(i64, i64)> {
        let sizes = || self.files.iter().filter_map(|f| f.size_kb);
        Some((sizes().min()?, sizes().max()?))
    }
}

/// The sum of what is known; None if anything is not, or there is nothing.
fn sum(mut parts: impl Iterator<Item = Option<i64>>) -> Option<i64> {
    let first = parts.next()??;
    parts.try_fold(first, |sum, part| sum.checked_add(part?))
}

impl Outcome for TempdbTable {
    fn points(&self, _probe: ProbeId, emit: Emit<'_>) {
        let gb = |kb: Option<i64>| kb.map(|kb| kb as f64 / 1_048_576.0);
        emit(SeriesId::TempdbUser.into(), "", gb(self.user_kb));
        emit(SeriesId::TempdbInternal.into(), "", gb(self.internal_kb));
        emit(SeriesId::VersionStore.into(), "", gb(self.version_kb));
        let (maps, others) = self.page_waits().unzip();
        emit(SeriesId::MapWaits.into(), "", whole(maps));
        emit(SeriesId::PageWaits.into(), "", whole(others));
        for store in &self.stores {
            let Some(database) = store.database.as_deref() else { continue };
            emit(Metric::VersionStoreOf, database, whole(store.tempdb_kb));
            emit(Metric::PersistentVersions, database, whole(store.own_kb));
        }
    }

    fn each_name_mut(&mut self, visit: Visit<'_>) {
        for session in &mut self.sessions {
            session.who.each_name_mut(visit);
        }
        for holder in &mut self.holders {
            holder.who.each_name_mut(visit);
        }
        for store in &mut self.stores {
            maybe(visit, Field::Name(Kind::Database), &mut store.database);
        }
    }

    fn only_judged(&self) -> Option<Self> {
        Some(Self::default())
    }

    fn rows(&self) -> usize {
        self.sessions.len() + self.files.len() + self.stores.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_is_known_by_its_number() {
        let table: [(u64, PageKind); 17] = [
            (0, PageKind::Other),
            (1, PageKind::Pfs),
            (2, PageKind::Gam),
            (3, PageKind::Sgam),
            (4, PageKind::Other),
            (8_087, PageKind::Other),
            (8_088, PageKind::Pfs),
            (8_089, PageKind::Other),
            (16_176, PageKind::Pfs),
            (511_231, PageKind::Other),
            (511_232, PageKind::Gam),
            (511_233, PageKind::Sgam),
            (511_234, PageKind::Other),
            (1_022_464, PageKind::Gam),
            (1_022_465, PageKind::Sgam),
            (513, PageKind::Other),
            (u64::MAX, PageKind::Other),
        ];
        for (page, kind) in table {
            assert_eq!(PageKind::of(page), kind, "page {page}");
        }
    }

    #[test]
    fn a_resource_is_a_page_of_tempdb_or_nothing() {
        let table = [
            ("2:1:1", Some((1, 1))),
            ("2:5:8088", Some((5, 8_088))),
            ("2:1:118 (LATCH 0x0000)", Some((1, 118))),
            ("5:1:1", None),
            ("22:1:1", None),
            ("2:1", None),
            ("2:1:", None),
            ("2:x:1", None),
            ("", None),
            ("2:1:99999999999999999999999", None),
        ];
        for (resource, page) in table {
            assert_eq!(page_of(resource), page, "{resource}");
        }
    }

    #[test]
    fn waits_for_allocation_pages_are_told_from_others_and_none_is_zero_only_where_it_is_known() {
        let told = |contention: Option<Vec<Contention>>| {
            let mut points = Vec::new();
            let table = TempdbTable { contention, ..TempdbTable::default() };
            table.points(ProbeId::TempdbUse, &mut |metric, _, value| points.push((metric, value)));
            [SeriesId::MapWaits, SeriesId::PageWaits].map(|id| {
                points.iter().find(|(metric, _)| *metric == id.into()).and_then(|(_, value)| *value)
            })
        };
        let wait = |kind, tasks| Contention { kind, tasks, longest_ms: None };
        let found = [(PageKind::Pfs, 4), (PageKind::Gam, 2), (PageKind::Sgam, 1), (PageKind::Other, 9)];
        assert_eq!(told(Some(found.map(|(kind, tasks)| wait(kind, tasks)).to_vec())), [Some(7.0), Some(9.0)]);
        assert_eq!(told(Some(Vec::new())), [Some(0.0), Some(0.0)]);
        assert_eq!(told(None), [None, None]);
    }

    #[test]
    fn a_sum_with_a_hole_is_not_known() {
        let file = |size_kb| TempdbFile { size_kb, ..TempdbFile::default() };
        let of = |sizes: &[Option<i64>]| {
            let files = sizes.iter().map(|size| file(*size)).collect();
            TempdbTable { files, ..TempdbTable::default() }.size_kb()
        };
        assert_eq!(of(&[Some(8), Some(9)]), Some(17));
        assert_eq!((of(&[Some(8), None]), of(&[])), (None, None));
        assert_eq!(of(&[Some(i64::MAX), Some(1)]), None);
        let session = TempdbSession { user_kb: Some(-80), internal_kb: Some(8), ..TempdbSession::default() };
        assert_eq!(session.total_kb(), Some(0), "others freed its pages");
    }
}
