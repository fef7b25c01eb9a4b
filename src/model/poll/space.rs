//! Database files: their sizes, how they grow, and whether the next growth has room.

use super::{
    files::DatabaseFile,
    id::{Emit, ProbeId},
    names::Visit,
    outcome::Outcome,
    volumes::{VolumeRow, volume_of},
};
use serde::{Deserialize, Serialize};

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
}

impl FileSpace {
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

/// The room of the files of an instance.
/// In files by position: fields are only appended, each with a default; variants keep their names.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct SpaceTable {
    /// the files, by database and number
    pub files: Vec<FileSpace>,
    /// files that are not among them
    pub left_out: u64,
}

impl SpaceTable {
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
    }

    fn only_judged(&self) -> Option<Self> {
        Some(Self::default())
    }

    fn rows(&self) -> usize {
        self.files.len() * 2
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(growth: Growth, most: Most) -> FileSpace {
        let file = DatabaseFile { path: Some("L:\\Log\\a.ldf".into()), ..DatabaseFile::default() };
        FileSpace { file, size_kb: Some(1_000), most, growth, used_kb: None }
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
        let table = SpaceTable { files: vec![at(1, 1), at(1, 2), at(5, 1)], left_out: 0 };
        assert_eq!(table.of((1, 2)).map(|f| f.file.ids()), Some((1, 2)));
        assert_eq!(table.of((5, 2)), None);
    }
}
