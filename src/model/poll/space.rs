//! Database files: their sizes, how they grow, and whether the next growth has room.

use super::{
    databases::DatabaseRow,
    files::DatabaseFile,
    id::{Emit, ProbeId},
    names::{Field, Kind, Visit, maybe},
    outcome::Outcome,
    tempdb,
    volumes::{VolumeRow, key_of, volume_of},
};
use serde::{Deserialize, Serialize};
use std::{collections::BTreeMap, sync::Arc};

/// A data file with room for so many growths is not looked at any more closely.
const AMPLE: f64 = 4.0;

/// Files with little room that are remembered: more of them than health ever names.
const MOST_TIGHT: usize = 256;

/// How a file grows.
/// In files by name: fields and variants keep their names, a new field has a default.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Growth {
    /// nobody knows
    #[default]
    Unknown,
    /// not at all
    Fixed,
    /// by so many KB
    ByKb(i64),
    /// by so many percent of its size
    ByPct(i64),
}

/// How large a file may become.
/// In files by name: fields and variants keep their names, a new field has a default.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Most {
    /// nobody knows
    #[default]
    Unknown,
    /// as its volume lets it
    Unlimited,
    /// so many KB
    Kb(i64),
}

/// Whether the next growth of a file has room.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fits {
    /// it has
    Yes,
    /// its limit is nearer
    PastLimit,
    /// its volume has less free space
    NoRoom,
    /// it does not grow
    Fixed,
}

impl Fits {
    /// The word for it.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Yes => "yes",
            Self::PastLimit => "at limit",
            Self::NoRoom => "no room",
            Self::Fixed => "fixed",
        }
    }

    /// The next growth fails.
    pub const fn fails(self) -> bool {
        matches!(self, Self::PastLimit | Self::NoRoom)
    }
}

/// The room of a file.
/// In files by position: fields are only appended, each with a default; variants keep their names.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct FileSpace {
    /// which
    pub file: DatabaseFile,
    /// size, KB; None for a file of tempdb, of which only the size after a restart is known here
    pub size_kb: Option<i64>,
    /// how large it may become
    pub most: Most,
    /// how it grows
    pub growth: Growth,
    /// in use of it, KB. Only its own database tells: no poll of the fleet asks there, so None until somebody did
    pub used_kb: Option<i64>,
    /// number of its filegroup; None: nobody knows
    pub filegroup: Option<i32>,
}

/// A data file with little room to grow.
/// In files by position: fields are only appended, each with a default; variants keep their names.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Tight {
    /// database id, file id
    pub ids: (i32, i32),
    /// of this database
    pub database: Option<Arc<str>>,
    /// logical name
    pub file: Option<Arc<str>>,
    /// the volume that has little room; None: its own limit is in the way
    pub mount: Option<Arc<str>>,
    /// by so much it grows next, KB; 0: not at all
    pub next_kb: i64,
    /// for so much there is room, KB
    pub room_kb: i64,
}

impl Tight {
    /// For how many growths there is room.
    pub fn growths(&self) -> f64 {
        self.room_kb.max(0) as f64 / self.next_kb.max(1) as f64
    }

    /// Somebody told it not to grow.
    pub const fn is_fixed(&self) -> bool {
        self.next_kb <= 0
    }

    /// More of it is known the more room it has; one that grows says more than one that does not.
    fn is_less_than(&self, other: &Self) -> bool {
        (self.growths(), !self.is_fixed()) < (other.growths(), !other.is_fixed())
    }
}

impl FileSpace {
    /// Its room, where that is known: on its volume, or up to its limit, whichever is less. One that does not grow has none.
    fn room(&self, volumes: &[VolumeRow]) -> Option<Tight> {
        if self.growth == Growth::Fixed {
            let DatabaseFile { database, name: file, .. } = self.file.clone();
            return Some(Tight { ids: self.file.ids(), database, file, ..Tight::default() });
        }
        let next_kb = self.next_kb(None).filter(|kb| *kb > 0)?;
        let volume = self.file.path.as_deref().and_then(|path| volume_of(volumes, path));
        let on_volume = volume.and_then(|v| Some((v.free_bytes? / 1024, v.mount.clone())));
        let to_limit = match (self.most, self.size_kb) {
            (Most::Kb(most), Some(size)) => Some((most.saturating_sub(size).max(0), None)),
            _ => None,
        };
        let (room_kb, mount) = on_volume.into_iter().chain(to_limit).min_by_key(|(kb, _)| *kb)?;
        let DatabaseFile { database, name: file, .. } = self.file.clone();
        Some(Tight { ids: self.file.ids(), database, file, mount, next_kb, room_kb })
    }

    /// It is a data file whose room somebody has to look after. Logs are judged by what they have in use, and so is tempdb.
    fn is_looked_after(&self) -> bool {
        self.file.kind.as_deref() == Some("ROWS") && self.file.database_id != tempdb::DATABASE_ID
    }

    /// By how much it grows next, KB; the size where this one is not known: `size_kb`.
    pub fn next_kb(&self, size_kb: Option<i64>) -> Option<i64> {
        match self.growth {
            Growth::ByKb(kb) => Some(kb),
            Growth::ByPct(pct) => Some((self.size_kb.or(size_kb)? as f64 * pct as f64 / 100.0) as i64),
            Growth::Unknown | Growth::Fixed => None,
        }
    }

    /// Whether that has room, by its limit and by the free space of its volume. None: nobody knows.
    pub fn fits(&self, size_kb: Option<i64>, volumes: &[VolumeRow]) -> Option<Fits> {
        if self.growth == Growth::Fixed {
            return Some(Fits::Fixed);
        }
        let next_kb = self.next_kb(size_kb)?;
        let after_kb = self.size_kb.or(size_kb).map(|kb| kb.saturating_add(next_kb));
        if let (Most::Kb(most), Some(after)) = (self.most, after_kb)
            && after > most
        {
            return Some(Fits::PastLimit);
        }
        let free_kb = volume_of(volumes, self.file.path.as_deref()?)?.free_bytes? / 1024;
        Some(if next_kb > free_kb { Fits::NoRoom } else { Fits::Yes })
    }
}

/// What grew on a volume lately.
/// In files by position: fields are only appended, each with a default; variants keep their names.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Grown {
    /// the database whose files grew most there
    pub database: Option<Arc<str>>,
    /// logical name of its file, where no other one of it grew there
    pub file: Option<Arc<str>>,
    /// by so much, KB
    pub by_kb: i64,
    /// so many other databases grew there, too
    pub more: u32,
}

impl Grown {
    /// Shows the places of its names.
    pub(in crate::model) fn each_name_mut(&mut self, visit: Visit<'_>) {
        maybe(visit, Field::Name(Kind::Database), &mut self.database);
        maybe(visit, Field::Name(Kind::File), &mut self.file);
    }
}

/// A volume, and what grew there.
/// In files by position: fields are only appended, each with a default; variants keep their names.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct VolumeGrown {
    /// where it is mounted
    pub mount: Option<Arc<str>>,
    /// what grew
    pub grown: Grown,
}

/// The room of the files of an instance.
/// In files by position: fields are only appended, each with a default; variants keep their names.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct SpaceTable {
    /// the files, by database and number
    pub files: Vec<FileSpace>,
    /// files that are not among them
    pub left_out: u64,
    /// data files with little room, the tightest first; the fold says so. Of a filegroup the one with the most room: as long as that
    /// grows, the others need not
    pub tight: Vec<Tight>,
    /// what grew in the last hours on each volume where something did; the fold says so
    pub grown: Vec<VolumeGrown>,
}

impl SpaceTable {
    /// What grew on a volume.
    pub fn grown_on(&self, mount: Option<&str>) -> Option<&Grown> {
        let mount = mount.map(key_of)?;
        self.grown.iter().find(|on| on.mount.as_deref().map(key_of) == Some(mount)).map(|on| &on.grown)
    }

    /// Looks which data files have little room. Those of databases that cannot be written to need none.
    pub(in crate::model) fn look_for_room(&mut self, volumes: &[VolumeRow], databases: &[DatabaseRow]) {
        let mut groups: BTreeMap<(i32, i32, i32), Tight> = BTreeMap::new();
        let is_written =
            |id: i32| !databases.iter().any(|row| row.id == id && row.is_read_only == Some(true));
        let looked_after = |file: &&FileSpace| file.is_looked_after() && is_written(file.file.database_id);
        for file in self.files.iter().filter(looked_after) {
            let Some(room) = file.room(volumes) else { continue };
            let (database, number) = file.file.ids();
            // Without its filegroup a file stands for itself.
            let key = file.filegroup.map_or((database, -1, number), |group| (database, group, 0));
            let best = groups.entry(key).or_insert_with(|| room.clone());
            if best.is_less_than(&room) {
                *best = room;
            }
        }
        self.tight = groups.into_values().filter(|room| room.growths() < AMPLE).collect();
        self.tight.sort_by(|a, b| {
            let fixed_last = a.is_fixed().cmp(&b.is_fixed());
            fixed_last.then(a.growths().total_cmp(&b.growths())).then(b.next_kb.cmp(&a.next_kb))
        });
        self.tight.truncate(MOST_TIGHT);
    }

    /// One of them, by its database and its number there.
    pub fn of(&self, ids: (i32, i32)) -> Option<&FileSpace> {
        let at = self.files.binary_search_by_key(&ids, |f| f.file.ids()).ok()?;
        self.files.get(at)
    }
}

impl Outcome for SpaceTable {
    fn points(&self, _probe: ProbeId, _emit: Emit<'_>) {}

    fn each_name_mut(&mut self, visit: Visit<'_>) {
        for row in &mut self.files {
            row.file.each_name_mut(visit);
        }
        for tight in &mut self.tight {
            maybe(visit, Field::Name(Kind::Database), &mut tight.database);
            maybe(visit, Field::Name(Kind::File), &mut tight.file);
            if let Some(mount) = tight.mount.as_mut().filter(|mount| mount.len() > 3) {
                visit(Field::Name(Kind::Volume), mount);
            }
        }
        for on in &mut self.grown {
            if let Some(mount) = on.mount.as_mut().filter(|mount| mount.len() > 3) {
                visit(Field::Name(Kind::Volume), mount);
            }
            on.grown.each_name_mut(visit);
        }
    }

    fn only_judged(&self) -> Option<Self> {
        Some(Self { tight: self.tight.clone(), grown: self.grown.clone(), ..Self::default() })
    }

    fn rows(&self) -> usize {
        self.files.len() * 2 + self.tight.len() + self.grown.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(growth: Growth, most: Most) -> FileSpace {
        let file = DatabaseFile { path: Some("L:\\Log\\a.ldf".into()), ..DatabaseFile::default() };
        FileSpace { file, size_kb: Some(1_000), most, growth, ..FileSpace::default() }
    }

    /// A data file of a database on a volume, which grows by a megabyte.
    fn data(ids: (i32, i32), volume: &str, most: Most) -> FileSpace {
        let path = format!("{volume}Data\\{}.ndf", ids.1);
        let file = DatabaseFile {
            database_id: ids.0,
            file_id: ids.1,
            kind: Some("ROWS".into()),
            path: Some(path.as_str().into()),
            ..DatabaseFile::default()
        };
        FileSpace { file, filegroup: Some(1), size_kb: Some(9_000), most, ..file_by_mb() }
    }

    fn file_by_mb() -> FileSpace {
        FileSpace { growth: Growth::ByKb(1_024), ..FileSpace::default() }
    }

    #[test]
    fn a_filegroup_is_tight_when_none_of_its_files_has_room() {
        let volumes = |d_kb: i64, e_kb: i64| {
            [("D:\\", d_kb), ("E:\\", e_kb)].map(|(mount, kb)| VolumeRow {
                mount: Some(mount.into()),
                free_bytes: Some(kb * 1024),
                ..VolumeRow::default()
            })
        };
        let tight = |files: Vec<FileSpace>, d_kb, e_kb| {
            let mut table = SpaceTable { files, ..SpaceTable::default() };
            table.look_for_room(&volumes(d_kb, e_kb), &[]);
            table.tight.iter().map(|t| (t.ids, t.room_kb, t.mount.is_some())).collect::<Vec<_>>()
        };
        let two = || vec![data((5, 1), "D:\\", Most::Unlimited), data((5, 3), "E:\\", Most::Unlimited)];
        assert_eq!(tight(two(), 100, 9_000), [], "the other one grows");
        assert_eq!(tight(two(), 100, 500), [((5, 3), 500, true)], "neither does");
        let limited = || vec![data((5, 1), "D:\\", Most::Kb(9_500))];
        assert_eq!(tight(limited(), 90_000, 0), [((5, 1), 500, false)], "its own limit");
        assert_eq!(tight(limited(), 100, 0), [((5, 1), 100, true)], "the volume is nearer");
        let past = vec![data((5, 1), "D:\\", Most::Kb(10))];
        assert_eq!(tight(past, 90_000, 0), [((5, 1), 0, false)], "made smaller than it is");
        let apart = |n| FileSpace { filegroup: None, ..data((5, n), "D:\\", Most::Unlimited) };
        assert_eq!(tight(vec![apart(1), apart(3)], 100, 0).len(), 2, "each for itself");
        let tempdb = data((2, 1), "D:\\", Most::Unlimited);
        let fixed = FileSpace { growth: Growth::Fixed, ..data((6, 1), "D:\\", Most::Unlimited) };
        let mut log = data((6, 2), "D:\\", Most::Unlimited);
        log.file.kind = Some("LOG".into());
        let elsewhere = data((6, 3), "X:\\", Most::Unlimited);
        assert_eq!(tight(vec![tempdb, log, elsewhere], 0, 0), [], "nobody knows, or nobody asks");
        let grows = data((6, 4), "D:\\", Most::Unlimited);
        assert_eq!(tight(vec![fixed.clone()], 0, 0), [((6, 1), 0, false)], "it does not grow");
        assert_eq!(tight(vec![fixed.clone(), grows.clone()], 9_000, 0), [], "another one of them grows");
        assert_eq!(tight(vec![fixed, grows], 0, 0), [((6, 4), 0, true)], "the one that would grow tells");
    }

    #[test]
    fn what_nobody_writes_to_needs_no_room() {
        let volumes = [VolumeRow { mount: Some("D:\\".into()), free_bytes: Some(0), ..VolumeRow::default() }];
        let tight = |is_read_only| {
            let databases = [DatabaseRow { id: 5, is_read_only, ..DatabaseRow::default() }];
            let files = vec![data((5, 1), "D:\\", Most::Unlimited)];
            let mut table = SpaceTable { files, ..SpaceTable::default() };
            table.look_for_room(&volumes, &databases);
            table.tight.len()
        };
        assert_eq!([tight(Some(true)), tight(Some(false)), tight(None)], [0, 1, 1]);
    }

    #[test]
    fn the_next_growth_has_room_or_the_reason_why_not() {
        let free = |kb: i64| {
            [VolumeRow { mount: Some("L:\\".into()), free_bytes: Some(kb * 1024), ..VolumeRow::default() }]
        };
        let table = [
            (file(Growth::ByKb(100), Most::Unlimited), 100, Some(Fits::Yes)),
            (file(Growth::ByKb(101), Most::Unlimited), 100, Some(Fits::NoRoom)),
            (file(Growth::ByKb(100), Most::Kb(1_099)), 9_000, Some(Fits::PastLimit)),
            (file(Growth::ByKb(100), Most::Kb(1_100)), 9_000, Some(Fits::Yes)),
            (file(Growth::ByPct(10), Most::Unlimited), 99, Some(Fits::NoRoom)),
            (file(Growth::Fixed, Most::Kb(1_000)), 0, Some(Fits::Fixed)),
            (file(Growth::Unknown, Most::Unlimited), 9_000, None),
        ];
        for (file, free_kb, fits) in table {
            assert_eq!(file.fits(None, &free(free_kb)), fits, "{file:?} with {free_kb} KB free");
        }
        let elsewhere = file(Growth::ByKb(1), Most::Unlimited);
        assert_eq!(elsewhere.fits(None, &[]), None, "its volume is not known");
        let tempdb = FileSpace { size_kb: None, ..file(Growth::ByPct(10), Most::Unlimited) };
        assert_eq!((tempdb.next_kb(None), tempdb.next_kb(Some(50))), (None, Some(5)));
    }

    #[test]
    fn a_file_is_found_by_its_numbers() {
        let at = |database_id, file_id| FileSpace {
            file: DatabaseFile { database_id, file_id, ..DatabaseFile::default() },
            ..FileSpace::default()
        };
        let table = SpaceTable { files: vec![at(1, 1), at(1, 2), at(5, 1)], ..SpaceTable::default() };
        assert_eq!(table.of((1, 2)).map(|f| f.file.ids()), Some((1, 2)));
        assert_eq!(table.of((5, 2)), None);
    }
}
