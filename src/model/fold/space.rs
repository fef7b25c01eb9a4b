//! What grew on each volume in the last hours: the sizes of files now, beside those of some hours ago.

use crate::model::{
    base::time::Timestamp,
    poll::{
        growths::{FileGrowth, GrowthTable},
        space::{FileSpace, Grown, SpaceTable, VolumeGrown},
        tempdb,
        volumes::{VolumeRow, volume_of},
    },
};
use std::{collections::BTreeMap, sync::Arc};

/// Sizes are compared with those of so long ago, up to twice that.
const SPAN_MS: i64 = 3 * 3_600_000;

/// The files of an instance at two polls. A restart of the collector begins anew.
#[derive(Debug, Default)]
pub(super) struct SpaceFold {
    old: Option<Sizes>,
    new: Option<Sizes>,
}

/// The sizes at a poll.
#[derive(Debug)]
struct Sizes {
    at: Timestamp,
    /// by database and file id
    kb: Vec<((i32, i32), i64)>,
    /// a file that is not among them was not there
    is_whole: bool,
}

/// A database on a volume: by how much it grew, and which files of it.
#[derive(Default)]
struct Sum<'a> {
    kb: i64,
    files: Vec<&'a FileSpace>,
}

impl SpaceFold {
    /// Says what grew on each volume. `growths`: those of tempdb, whose sizes are not told with the others.
    pub fn fold(
        &mut self,
        table: &mut SpaceTable,
        volumes: &[VolumeRow],
        growths: Option<&GrowthTable>,
        at: Timestamp,
    ) {
        // What a clock that went back dates later is no past.
        self.old.take_if(|sizes| sizes.at >= at);
        self.new.take_if(|sizes| sizes.at >= at);
        if let Some(before) = self.old.as_ref().or(self.new.as_ref()) {
            table.grown = before.grown(table, volumes, growths);
        }
        if self.new.as_ref().is_none_or(|sizes| at - sizes.at >= SPAN_MS) {
            self.old = self.new.replace(Sizes::of(table, at));
        }
    }
}

impl Sizes {
    fn of(table: &SpaceTable, at: Timestamp) -> Self {
        let mut kb: Vec<_> =
            table.files.iter().filter_map(|file| Some((file.file.ids(), file.size_kb?))).collect();
        kb.sort_unstable();
        kb.shrink_to_fit();
        Self { at, kb, is_whole: table.left_out == 0 }
    }

    fn grown(
        &self,
        table: &SpaceTable,
        volumes: &[VolumeRow],
        growths: Option<&GrowthTable>,
    ) -> Vec<VolumeGrown> {
        let mut by_volume: BTreeMap<&Arc<str>, BTreeMap<i32, Sum<'_>>> = BTreeMap::new();
        for file in &table.files {
            let by_kb = match file.size_kb {
                Some(_) => self.by_kb(file),
                None => growths.map_or(0, |growths| self.of_tempdb(file, growths)),
            };
            let volume = file.file.path.as_deref().and_then(|path| volume_of(volumes, path));
            let (Some(mount), 1..) = (volume.and_then(|volume| volume.mount.as_ref()), by_kb) else {
                continue;
            };
            let sum = by_volume.entry(mount).or_default().entry(file.file.database_id).or_default();
            sum.kb = sum.kb.saturating_add(by_kb);
            sum.files.push(file);
        }
        by_volume
            .into_iter()
            .filter_map(|(mount, databases)| {
                let more = u32::try_from(databases.len() - 1).unwrap_or(u32::MAX);
                let most = databases.into_values().max_by_key(|sum| sum.kb)?;
                let first = &most.files.first()?.file;
                let file = if most.files.len() == 1 { first.name.clone() } else { None };
                let grown = Grown { database: first.database.clone(), file, by_kb: most.kb, more };
                Some(VolumeGrown { mount: Some(Arc::clone(mount)), grown })
            })
            .collect()
    }

    /// By how much a file grew since.
    fn by_kb(&self, file: &FileSpace) -> i64 {
        let Some(now) = file.size_kb else { return 0 };
        match self.kb.binary_search_by_key(&file.file.ids(), |(ids, _)| *ids) {
            Ok(found) => self.kb.get(found).map_or(0, |(_, before)| now.saturating_sub(*before)),
            // It was made since, or another one had its place among those that are told.
            Err(_) => {
                if self.is_whole {
                    now
                } else {
                    0
                }
            }
        }
    }

    /// By how much a file of tempdb grew since, by the growths that the server noted.
    fn of_tempdb(&self, file: &FileSpace, growths: &GrowthTable) -> i64 {
        let of = &file.file;
        if of.database_id != tempdb::DATABASE_ID || of.name.is_none() {
            return 0;
        }
        let is_it = |growth: &&FileGrowth| {
            growth.at > self.at && growth.file == of.name && growth.database == of.database
        };
        let noted = growths.growths.iter().filter(is_it);
        noted.filter_map(|growth| growth.by_kb).fold(0, i64::saturating_add)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::poll::files::DatabaseFile;

    const HOUR: i64 = 3_600_000;

    fn volumes() -> Vec<VolumeRow> {
        let volume = |mount: &str| VolumeRow { mount: Some(mount.into()), ..VolumeRow::default() };
        vec![volume("D:\\"), volume("L:\\")]
    }

    fn file(ids: (i32, i32), name: &str, path: &str, size_kb: Option<i64>) -> FileSpace {
        let file = DatabaseFile {
            database_id: ids.0,
            file_id: ids.1,
            database: Some(format!("db{}", ids.0).into()),
            name: Some(name.into()),
            path: Some(path.into()),
            ..DatabaseFile::default()
        };
        FileSpace { file, size_kb, ..FileSpace::default() }
    }

    /// `L: db5/log 300, +1`, after a poll of these files.
    fn poll(
        fold: &mut SpaceFold,
        hours: i64,
        files: Vec<FileSpace>,
        growths: Option<&GrowthTable>,
    ) -> Vec<String> {
        let mut table = SpaceTable { files, ..SpaceTable::default() };
        fold.fold(&mut table, &volumes(), growths, Timestamp::from_ms(hours * HOUR));
        let told = |on: &VolumeGrown| {
            let Grown { database, file, by_kb, more } = &on.grown;
            let words =
                [on.mount.as_deref(), database.as_deref(), file.as_deref()].map(|word| word.unwrap_or("?"));
            format!("{} {}/{} {by_kb} +{more}", words[0], words[1], words[2])
        };
        table.grown.iter().map(told).collect()
    }

    #[test]
    fn a_volume_says_which_database_grew_most_on_it_and_nothing_of_another_volume() {
        let files = |log, data, other, far| {
            vec![
                file((5, 1), "data", "L:\\a.mdf", Some(data)),
                file((5, 2), "log", "L:\\a.ldf", Some(log)),
                file((6, 1), "crm", "l:\\crm.mdf", Some(other)),
                file((7, 1), "far", "D:\\far.mdf", Some(far)),
                file((8, 1), "nowhere", "X:\\x.mdf", Some(log)),
            ]
        };
        let mut fold = SpaceFold::default();
        assert_eq!(poll(&mut fold, 0, files(100, 100, 100, 100), None), [""; 0], "one look is no growth");
        assert_eq!(poll(&mut fold, 1, files(100, 100, 100, 100), None), [""; 0]);
        assert_eq!(
            poll(&mut fold, 2, files(400, 100, 100, 900), None),
            ["D:\\ db7/far 800 +0", "L:\\ db5/log 300 +0"]
        );
        assert_eq!(poll(&mut fold, -1, files(900, 900, 900, 900), None), [""; 0], "the clock went back");
        let mut fold = SpaceFold::default();
        poll(&mut fold, 0, files(100, 100, 100, 100), None);
        assert_eq!(
            poll(&mut fold, 1, files(400, 150, 110, 50), None),
            ["L:\\ db5/? 350 +1"],
            "two files of it; one shrank"
        );
    }

    #[test]
    fn what_grew_long_ago_is_not_told() {
        let mut fold = SpaceFold::default();
        let mut at =
            |hours, kb| poll(&mut fold, hours, vec![file((5, 1), "data", "L:\\a.mdf", Some(kb))], None);
        assert_eq!(at(0, 100), [""; 0]);
        assert_eq!(at(2, 150), ["L:\\ db5/data 50 +0"]);
        assert_eq!(at(3, 150), ["L:\\ db5/data 50 +0"]);
        assert_eq!(at(5, 160), ["L:\\ db5/data 60 +0"], "beside the first look still");
        assert_eq!(at(6, 160), ["L:\\ db5/data 60 +0"]);
        assert_eq!(at(7, 160), ["L:\\ db5/data 10 +0"], "beside the one of three hours");
        assert_eq!(at(9, 160), ["L:\\ db5/data 10 +0"]);
        assert_eq!(at(10, 160), [""; 0], "beside the one of six hours");
    }

    #[test]
    fn a_new_file_grew_from_nothing_where_all_files_are_told() {
        let one = || file((5, 1), "data", "L:\\a.mdf", Some(100));
        let two = || vec![one(), file((9, 1), "restored", "L:\\r.mdf", Some(7_000))];
        let mut fold = SpaceFold::default();
        poll(&mut fold, 0, vec![one()], None);
        assert_eq!(poll(&mut fold, 1, two(), None), ["L:\\ db9/restored 7000 +0"]);
        let mut fold = SpaceFold::default();
        let mut first = SpaceTable { files: vec![one()], left_out: 1, ..SpaceTable::default() };
        fold.fold(&mut first, &volumes(), None, Timestamp::from_ms(0));
        assert_eq!(poll(&mut fold, 1, two(), None), [""; 0], "it may have been left out before");
    }

    #[test]
    fn tempdb_grows_by_what_the_server_noted() {
        let files = || vec![file((2, 1), "tempdev", "L:\\t.mdf", None), file((5, 1), "a", "L:\\a.mdf", None)];
        let growth = |hours: i64, name: &str, database: &str| FileGrowth {
            at: Timestamp::from_ms(hours * HOUR + 1),
            by_kb: Some(64),
            database: Some(database.into()),
            file: Some(name.into()),
            ..FileGrowth::default()
        };
        let growths = vec![
            growth(1, "tempdev", "db2"),
            growth(0, "tempdev", "db2"),
            growth(-1, "tempdev", "db2"),
            growth(1, "tempdev", "other"),
            growth(1, "a", "db5"),
        ];
        let table = GrowthTable { growths, ..GrowthTable::default() };
        let mut fold = SpaceFold::default();
        poll(&mut fold, 0, files(), Some(&table));
        assert_eq!(poll(&mut fold, 2, files(), Some(&table)), ["L:\\ db2/tempdev 128 +0"]);
        assert_eq!(poll(&mut fold, 2, files(), None), [""; 0]);
    }

    #[test]
    fn absurd_sizes_are_no_panic() {
        let files = |kb| vec![file((5, 1), "a", "L:\\a", Some(kb)), file((5, 2), "b", "L:\\b", Some(kb))];
        let mut fold = SpaceFold::default();
        poll(&mut fold, 0, files(i64::MIN), None);
        assert_eq!(poll(&mut fold, 1, files(i64::MAX), None), [format!("L:\\ db5/? {} +0", i64::MAX)]);
    }
}
