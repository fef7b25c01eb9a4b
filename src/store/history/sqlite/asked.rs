//! A series over a stretch of time, in the numbers of the file. `charts` makes it, `measured` and `rolled_up` read it.

use super::{failure::Trouble, file::HistoryFile};
use crate::{
    model::{
        base::time::Timestamp,
        poll::id::{ProbeId, SeriesKey},
    },
    store::history::codec::blobs::Of,
};
use rusqlite::params;

/// A series that is asked for.
pub(super) struct Asked {
    pub instance: u32,
    pub probe: ProbeId,
    pub series: u32,
    /// a poll without the series counts as zero
    pub zero: bool,
    /// seconds, this one included
    pub from: i64,
    /// seconds, this one not included
    pub to: i64,
}

impl Asked {
    /// Finds the series of an instance by its number. None: the file has no such series.
    pub fn find(
        file: &HistoryFile,
        instance: u32,
        key: &SeriesKey,
        (from, to): (i64, i64),
    ) -> Result<Option<Self>, Trouble> {
        let mut statement = file
            .connection
            .prepare_cached("SELECT no, key FROM series WHERE instance = ?1 AND metric = ?2 ORDER BY no")?;
        let mut rows = statement.query(params![instance, key.metric.code()])?;
        while let Some(row) = rows.next()? {
            let (no, sealed): (u32, Option<Vec<u8>>) = (row.get(0)?, row.get(1)?);
            let same = match sealed {
                None => key.key.is_empty(),
                Some(sealed) => {
                    file.blobs.open(Of::Series(no), &sealed).is_ok_and(|name| name == key.key.as_bytes())
                }
            };
            if same {
                let probe = key.metric.probe();
                let zero = key.metric.absent_is_zero();
                return Ok(Some(Self { instance, probe, series: no, zero, from, to }));
            }
        }
        Ok(None)
    }
}

/// A stretch of time in whole seconds, its last one included.
pub(super) fn seconds(from: Timestamp, to: Timestamp) -> (i64, i64) {
    (from.ms().div_euclid(1000), to.ms().saturating_add(999).div_euclid(1000))
}
