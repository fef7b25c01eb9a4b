//! Volumes that hold database files. Known to be slow on some servers: a round trip of its own.
//!
//! Linux tells no mount points, but the folders of the files. Folders whose volumes are of one size and have nearly the same free space
//! are on one volume: two volumes that are so alike are shown as one until they differ, and each figure is right all the same. A volume is
//! named by the folder of its oldest database, which stays where it is while others come and go.

use crate::{
    model::poll::{Sample, State, cost::Tier, id::ProbeId, reading::Unavailable, volumes::VolumeRow},
    probe::{
        batch::Sets,
        context::ProbeContext,
        descriptor::{Company, Probe, Want, needed},
        script::{Needs, Script, script},
    },
    tds::Row,
};
use std::{
    collections::{BTreeSet, HashMap},
    sync::Arc,
};

const VOLUMES: Script = script!("volumes", Performance, by "volume_mount_point" "folder");

/// The free space of two folders of one volume differs by this part of its size at the most: something is written while it is read.
const MOVES: i64 = 100;
/// Folders by which a volume is known.
const MOST_FOLDERS: usize = 64;

/// See the module.
pub(super) static PROBE: Probe = Probe {
    parts: &[needed(VOLUMES)],
    company: Company::Alone,
    timeout_ms: 20_000,
    wants: &[Want::Volumes],
    unknown_without: &[(Needs::Performance, "volumes"), (Needs::Definition, "volumes")],
    panes: &["volumes"],
    ..Probe::new(ProbeId::Volumes, Tier::Slow, decode)
};

/// Every instance has files: no row means that we may not see them.
fn decode(sets: &Sets, ctx: &ProbeContext) -> Result<Sample, Unavailable> {
    let (mut rows, mut places) = (Vec::new(), Vec::new());
    for row in sets.many("volumes")? {
        let told = volume(row);
        match row.line("folder", 260).filter(|_| told.mount.is_none()) {
            Some(folder) => places.push(Place { folder, age: row.i32("first_database_id"), told }),
            None => rows.push(told),
        }
    }
    rows.extend(by_folders(places));
    if rows.is_empty() {
        return Err(Unavailable::NoRight(Needs::Definition.right(ctx.major()).into()));
    }
    Ok(Sample::Known(State::Volumes(Arc::new(rows))))
}

fn volume(row: Row<'_>) -> VolumeRow {
    // A volume of no bytes is one of which nothing is known, and not a full one.
    let total_bytes = row.count("total_bytes").filter(|b| *b > 0);
    VolumeRow {
        mount: row.line("volume_mount_point", 260),
        total_bytes,
        free_bytes: total_bytes.and(row.count("available_bytes")),
        ..VolumeRow::default()
    }
}

/// A folder with database files, on a volume without a name.
struct Place {
    folder: Arc<str>,
    /// the id of the oldest database in it
    age: Option<i32>,
    told: VolumeRow,
}

impl Place {
    /// They are on one volume, as far as their figures say.
    fn is_beside(&self, other: &Self) -> bool {
        let figures = |place: &Self| Some((place.told.total_bytes?, place.told.free_bytes?));
        let (Some((total, free)), Some((other_total, other_free))) = (figures(self), figures(other)) else {
            return false;
        };
        total == other_total && (free - other_free).abs() <= total / MOVES
    }
}

/// Folders as volumes, those with the oldest databases first.
fn by_folders(mut places: Vec<Place>) -> Vec<VolumeRow> {
    places.sort_by(|a, b| (a.age.is_none(), a.age, &a.folder).cmp(&(b.age.is_none(), b.age, &b.folder)));
    let mut volumes: Vec<Vec<Place>> = Vec::new();
    for place in places {
        match volumes.iter_mut().find(|volume| volume.first().is_some_and(|first| first.is_beside(&place))) {
            Some(volume) => volume.push(place),
            None => volumes.push(vec![place]),
        }
    }
    let owners = owners(&volumes);
    let row = |volume: &Vec<Place>| {
        let first = volume.first()?;
        let folders: BTreeSet<&str> = volume.iter().map(|place| widest(&place.folder, &owners)).collect();
        Some(VolumeRow {
            mount: Some(Arc::clone(&first.folder)),
            total_bytes: first.told.total_bytes,
            free_bytes: volume.iter().filter_map(|place| place.told.free_bytes).min(),
            folders: folders.into_iter().take(MOST_FOLDERS).map(Arc::from).collect(),
            ..VolumeRow::default()
        })
    };
    volumes.iter().filter_map(row).collect()
}

/// Of each folder and all above it: the only volume with files below it. None: several have some.
fn owners(volumes: &[Vec<Place>]) -> HashMap<&str, Option<usize>> {
    let mut owners: HashMap<&str, Option<usize>> = HashMap::new();
    for (n, places) in volumes.iter().enumerate() {
        for folder in places.iter().flat_map(|place| above(&place.folder)) {
            let owner = owners.entry(folder).or_insert(Some(n));
            if *owner != Some(n) {
                *owner = None;
            }
        }
    }
    owners
}

/// The widest folder around this one that is on one volume, as far as the files tell: a new one beside it is there, too.
fn widest<'f>(folder: &'f str, owners: &HashMap<&str, Option<usize>>) -> &'f str {
    above(folder).find(|around| owners.get(around).copied().flatten().is_some()).unwrap_or(folder)
}

/// `/`, `/var`, `/var/opt` and so on, the folder itself last.
fn above(folder: &str) -> impl Iterator<Item = &str> {
    let around = folder.match_indices('/').filter_map(move |(at, _)| folder.get(..at.max(1)));
    around.filter(move |around| *around != folder).chain([folder])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        model::poll::volumes::volume_of,
        probe::fixture::{set, sets},
        tds::Cell,
    };

    fn decoded(columns: &[&str], rows: Vec<Vec<Cell>>) -> Result<Arc<Vec<VolumeRow>>, Unavailable> {
        let ctx = ProbeContext::new(crate::model::base::time::Timestamp::default);
        match decode(&sets(vec![set("volumes", columns, rows)]), &ctx)? {
            Sample::Known(State::Volumes(rows)) => Ok(rows),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_volume_of_no_bytes_has_no_size() {
        let columns = ["volume_mount_point", "total_bytes", "available_bytes"];
        let row =
            |mount, total, free| vec![Cell::Text(String::from(mount)), Cell::Int(total), Cell::Int(free)];
        let rows = decoded(&columns, vec![row("/a", 0, 0), row("/b", -1, -1), row("/c", 9, 4)]).unwrap();
        let sizes: Vec<_> = rows.iter().map(|v| (v.total_bytes, v.free_bytes)).collect();
        assert_eq!(sizes, [(None, None), (None, None), (Some(9), Some(4))]);
    }

    #[test]
    fn no_volume_at_all_is_a_missing_right() {
        let refused = decoded(&["volume_mount_point"], vec![]).unwrap_err();
        assert_eq!(refused, Unavailable::NoRight("VIEW ANY DEFINITION".into()));
    }

    /// Folders of Linux as a server tells them: with the oldest database, the size and the free space of their volume, GB.
    fn linux(folders: &[(&str, i64, i64, f64)]) -> Arc<Vec<VolumeRow>> {
        const GB: i64 = 1 << 30;
        let columns = ["volume_mount_point", "folder", "first_database_id", "total_bytes", "available_bytes"];
        let row = |&(folder, id, total, free): &(&str, i64, i64, f64)| {
            let free = Cell::Int((free * GB as f64) as i64);
            vec![Cell::Null, Cell::Text(String::from(folder)), Cell::Int(id), Cell::Int(total * GB), free]
        };
        decoded(&columns, folders.iter().map(row).collect()).unwrap()
    }

    fn told(volumes: &[VolumeRow]) -> Vec<(&str, Option<i64>, Vec<&str>)> {
        let gb = |volume: &VolumeRow| volume.free_bytes.map(|bytes| bytes >> 30);
        volumes.iter().map(|v| (v.key(), gb(v), v.folders.iter().map(|f| &**f).collect())).collect()
    }

    #[test]
    fn volumes_of_linux_are_told_apart_and_each_file_is_on_its_own() {
        let volumes = linux(&[
            ("/mnt/log", 5, 500, 0.9),
            ("/var/opt/mssql/data", 1, 500, 390.0),
            ("/mnt/fast/tempdb", 2, 100, 60.0),
            ("/mnt/fast/more", 9, 100, 59.95),
        ]);
        assert_eq!(
            told(&volumes),
            [
                ("/var/opt/mssql/data", Some(390), vec!["/var"]),
                ("/mnt/fast/tempdb", Some(59), vec!["/mnt/fast"]),
                ("/mnt/log", Some(0), vec!["/mnt/log"]),
            ],
            "the full one is not hidden behind the large one, and two folders of one volume are one"
        );
        let on = |path: &str| volume_of(&volumes, path).map(VolumeRow::key);
        assert_eq!(on("/mnt/log/orders.ldf"), Some("/mnt/log"));
        assert_eq!(on("/mnt/fast/new/a.ndf"), Some("/mnt/fast/tempdb"), "a folder that was made since");
        assert_eq!(on("/mnt/other/a.ndf"), None, "nobody knows");
        let nested = linux(&[("/data", 1, 9, 4.0), ("/data/log", 5, 7, 1.0), ("/", 6, 5, 2.0)]);
        let on = |path: &str| volume_of(&nested, path).map(VolumeRow::key);
        assert_eq!(
            [on("/data/a.mdf"), on("/data/log/a.ldf"), on("/a.mdf")],
            [Some("/data"), Some("/data/log"), Some("/")]
        );
    }

    #[test]
    fn a_volume_of_linux_keeps_its_name_while_free_space_moves_and_databases_come_and_go() {
        let first = linux(&[("/var/opt/mssql/data", 1, 500, 390.0), ("/mnt/log", 5, 500, 100.0)]);
        // Other files fill both, a database in a folder of its own is new, and one that was there is gone.
        let later = linux(&[
            ("/mnt/crm", 7, 500, 12.0),
            ("/var/opt/mssql/data", 1, 500, 200.0),
            ("/mnt/log", 5, 500, 12.1),
            ("/a/first/by/name", 8, 500, 199.9),
        ]);
        let names = |volumes: &[VolumeRow]| volumes.iter().map(|v| v.key().to_owned()).collect::<Vec<_>>();
        assert_eq!(names(&first), ["/var/opt/mssql/data", "/mnt/log"]);
        assert_eq!(names(&later), names(&first));
        // Two volumes of one size with as much free: one, until they differ. What it says is true of both.
        let alike = linux(&[("/var/opt/mssql/data", 1, 500, 200.0), ("/mnt/log", 5, 500, 199.9)]);
        assert_eq!(told(&alike), [("/var/opt/mssql/data", Some(199), vec!["/"])]);
        // A file of 2 TB grew between the readings of two folders.
        let grown = linux(&[("/var/opt/mssql/data", 1, 2_000, 810.0), ("/mnt/log", 5, 2_000, 800.0)]);
        assert_eq!(names(&grown), ["/var/opt/mssql/data"]);
        let unknown = linux(&[("/a", 1, 0, 0.0), ("/b", 5, 0, 0.0)]);
        assert_eq!(names(&unknown), ["/a", "/b"], "nothing is known of either");
    }
}
