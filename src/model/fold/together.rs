//! What several readings of an instance tell together: files added up and whether they can grow, the oldest transaction of a log. For the
//! panes and for `dbtop once`.

use super::snapshot::InstanceSnapshot;
use crate::model::{
    base::time::Timestamp,
    poll::{
        files::FileRow,
        logs::LogRow,
        space::Fits,
        traffic::Traffic,
        volumes::{VolumeRow, volume_of},
    },
};

/// What several files do together, and how many of them have no room for their next growth.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Sums {
    /// what they do
    pub traffic: Traffic,
    /// files whose next growth has no room
    pub failing: i64,
}

impl Sums {
    /// Of those files of an instance that `of` takes.
    pub fn of(i: &InstanceSnapshot, of: impl Fn(&FileRow) -> bool) -> Self {
        let files = i.facts.files.get().map_or(&[][..], |table| &table.files[..]);
        let taken: Vec<&FileRow> = files.iter().filter(|file| of(file)).collect();
        let failing = taken.iter().filter(|file| next_fits(i, file).is_some_and(Fits::fails)).count() as i64;
        Self { traffic: Traffic::of(taken), failing }
    }

    /// Of the files on a volume, one of these. Mount points nest: a file is on one volume only.
    pub fn of_volume(i: &InstanceSnapshot, volumes: &[VolumeRow], volume: &VolumeRow) -> Self {
        Self::of(i, |file| {
            let own = file.file.path.as_deref().and_then(|path| volume_of(volumes, path));
            own.is_some_and(|own| own.key() == volume.key())
        })
    }
}

/// Whether the next growth of a file has room.
pub fn next_fits(i: &InstanceSnapshot, row: &FileRow) -> Option<Fits> {
    let volumes = i.facts.volumes.get().map_or(&[][..], |rows| &rows[..]);
    let size_kb = row.size_bytes.map(|bytes| bytes / 1024);
    i.facts.space.get()?.of(row.file.ids())?.fits(size_kb, volumes)
}

/// The oldest transaction that wrote to a log, with its session and since when, whatever the log waits for: as the poll of logs told, or
/// the poll of activity of the sessions that are in its database. None: neither knows one.
pub fn oldest_transaction(i: &InstanceSnapshot, log: &LogRow) -> Option<(Option<i32>, Timestamp)> {
    if let Some(oldest) = log.oldest() {
        return Some((oldest.session_id, oldest.since?));
    }
    let database = log.database.as_ref()?;
    let requests = &i.facts.activity.get()?.requests;
    let writers = requests
        .iter()
        .filter(|r| r.database.as_ref() == Some(database) && r.log_bytes.is_some_and(|bytes| bytes > 0));
    let oldest = writers.filter_map(|r| Some((r.transaction_at?, r.session_id))).min()?;
    Some((Some(oldest.1), oldest.0))
}
