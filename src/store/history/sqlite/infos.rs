//! Names, addresses, groups and labels of instances as they were at an instant, kept after the first read. Each worker of the read
//! pool has its own.

use super::{failure::Trouble, file::HistoryFile};
use crate::{
    model::inventory::instance::InstanceInfo,
    store::history::codec::{blobs::Of, pack},
};
use rusqlite::params;
use std::{collections::HashMap, sync::Arc};

/// The versions that were read: by number of the instance, and since when (ms).
#[derive(Default)]
pub(super) struct Infos {
    known: HashMap<(u32, i64), Arc<InstanceInfo>>,
}

impl Infos {
    /// An instance as it was at `at` (ms); its first version, if that is later. None: it cannot be read.
    pub fn then(
        &mut self,
        from: &HistoryFile,
        no: u32,
        uid: &Arc<str>,
        at: i64,
    ) -> Result<Option<Arc<InstanceInfo>>, Trouble> {
        let since: Option<i64> = from
            .connection
            .prepare_cached(
                "SELECT coalesce((SELECT max(since) FROM info WHERE instance = ?1 AND since <= ?2),
                    (SELECT min(since) FROM info WHERE instance = ?1))",
            )?
            .query_row(params![no, at], |row| row.get(0))?;
        let Some(since) = since else { return Ok(None) };
        if let Some(info) = self.known.get(&(no, since)) {
            return Ok(Some(info.clone()));
        }
        let blob: Vec<u8> = from
            .connection
            .prepare_cached("SELECT blob FROM info WHERE instance = ?1 AND since = ?2")?
            .query_row(params![no, since], |row| row.get(0))?;
        let plain = from.blobs.open(Of::Info(no, since), &blob);
        let Ok(info) = plain.and_then(|plain| pack::info(uid.clone(), &plain)) else { return Ok(None) };
        let info = Arc::new(info);
        self.known.insert((no, since), info.clone());
        Ok(Some(info))
    }
}
