//! The instances that history knows, and those of them that were polled at an instant and are not in the inventory any more: a server
//! that was removed this morning is in the fleet of last night.

use super::{
    asked::{Asked, seconds},
    failure::Trouble,
    file::HistoryFile,
    measured,
    pool::ReadPool,
    rolled_up,
    states::States,
};
use crate::{
    model::{
        base::time::Timestamp,
        inventory::instance::{InstanceId, InstanceInfo},
        poll::id::{SeriesId, SeriesKey},
        timeline::reach::{HOLD_MS, Span},
    },
    store::{StoreError, history::codec::rollup::Tier},
};
use rusqlite::params;
use std::{
    collections::{BTreeSet, HashMap, HashSet},
    sync::Arc,
};

/// Only states of the day before an instant, ms, say that an instance was polled then.
const KNOWN_FOR_MS: i64 = 86_400_000;
/// An instance whose last state is older than this at the instant, ms, had been removed by then. A block of states is as long.
const SILENT_FOR_MS: i64 = 15 * 60_000;

/// The series that every poll has that was answered.
const EACH_POLL: SeriesId = SeriesId::PollMs;

/// An instance with a state within `?2` ms before `?1`, and something later than `?3` ms before. The ends of four indexes.
const WAS_THERE: &str = "SELECT
    (EXISTS(SELECT 1 FROM hot WHERE instance = ?4 AND at > ?1 - ?2 AND at <= ?1) OR coalesce(?1 - ?2 <
        (SELECT end FROM state WHERE instance = ?4 AND start <= ?1 ORDER BY start DESC LIMIT 1), FALSE))
    AND (EXISTS(SELECT 1 FROM hot WHERE instance = ?4 AND at > ?1 - ?3) OR coalesce(?1 - ?3 <
        (SELECT end FROM state WHERE instance = ?4 ORDER BY start DESC LIMIT 1), FALSE))";

/// The instances of a history.
pub struct KnownInstances<'a> {
    pub(super) pool: &'a mut ReadPool,
}

impl KnownInstances<'_> {
    /// Every instance that history knows, in its newest version.
    ///
    /// # Errors
    /// The file cannot be read.
    pub fn all(self) -> Result<Vec<Arc<InstanceInfo>>, StoreError> {
        let worker = &mut self.pool.first;
        let (file, infos) = (&worker.file, &mut worker.infos);
        let mut read = || -> Result<Vec<Arc<InstanceInfo>>, Trouble> {
            let known: Vec<(u32, Arc<str>)> = file
                .connection
                .prepare_cached("SELECT no, uid FROM instance ORDER BY no")?
                .query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?
                .collect::<Result<_, _>>()?;
            known
                .into_iter()
                .filter_map(|(no, uid)| infos.then(file, no, &uid, i64::MAX).transpose())
                .collect()
        };
        file.reading(read())
    }

    /// The time of the first that history has of an instance. None: it does not know the instance.
    ///
    /// # Errors
    /// The file cannot be read.
    pub fn known_since(self, uid: &str) -> Result<Option<Timestamp>, StoreError> {
        let file = &self.pool.first.file;
        let first = || -> Result<Option<i64>, Trouble> {
            let sql =
                "SELECT min(since) FROM info JOIN instance ON instance.no = info.instance WHERE uid = ?1";
            Ok(file.connection.prepare_cached(sql)?.query_row([uid], |row| row.get(0))?)
        };
        Ok(file.reading(first())?.map(Timestamp::from_ms))
    }

    /// The stretches between two instants in which an instance answered, in the order of time: the buckets of the finest roll-up
    /// with a headline in them, and what its newest one tells of. No scan of the points as they were measured.
    ///
    /// # Errors
    /// The file cannot be read.
    pub fn polled(self, uid: &str, from: Timestamp, to: Timestamp) -> Result<Vec<Span>, StoreError> {
        let file = &self.pool.first.file;
        file.reading(polled(file, uid, seconds(from, to)))
    }

    /// The instances that were polled at an instant and are not in this inventory, as they were then. Names are unique on the
    /// screen: an instance whose name is in use again gets a word behind it.
    ///
    /// # Errors
    /// The file cannot be read.
    pub fn gone(
        self,
        inventory: &[Arc<InstanceInfo>],
        at: Timestamp,
    ) -> Result<Vec<Arc<InstanceInfo>>, StoreError> {
        let file = &self.pool.first.file;
        let uids = file.reading(unlisted(file, inventory, at))?;
        if uids.is_empty() {
            return Ok(Vec::new());
        }
        // Each state carries the version of the instance at that time.
        let kept = States { pool: self.pool }.at(&uids, at)?.kept;
        let infos: HashMap<&str, &Arc<InstanceInfo>> =
            kept.iter().map(|kept| (&*kept.info.uid, &kept.info)).collect();
        let mut taken: HashSet<InstanceId> = inventory.iter().map(|info| info.id.clone()).collect();
        let found = uids.iter().filter_map(|uid| infos.get(&**uid));
        Ok(found.map(|info| under_a_free_name(info, &mut taken)).collect())
    }
}

/// A damaged row is a stretch of which nothing is known.
fn polled(file: &HistoryFile, uid: &str, span: (i64, i64)) -> Result<Vec<Span>, Trouble> {
    let Some(instance) = file.number(uid)? else { return Ok(Vec::new()) };
    let Some(ask) = Asked::find(file, instance, &SeriesKey::of(EACH_POLL), span)? else {
        return Ok(Vec::new());
    };
    let (tier, damaged) = (Tier::FiveMinutes, &mut 0);
    let width_s = tier.bucket_s();
    let mut buckets: BTreeSet<i64> = rolled_up::read(file, &ask, tier, damaged)?.into_keys().collect();
    let newest = measured::one(file, &ask, true, damaged)?;
    buckets.extend(newest.iter().map(|(at, _)| at.div_euclid(width_s) * width_s));
    let mut spans: Vec<Span> = Vec::new();
    let mut add = |from: i64, ms: i64| {
        let from = Timestamp::from_ms(from * 1000);
        match spans.last_mut() {
            Some(before) if from <= before.to => before.to = before.to.max(from.plus_ms(ms)),
            _ => spans.push(Span { from, to: from.plus_ms(ms) }),
        }
    };
    for at in buckets {
        add(at, width_s * 1000);
    }
    if let Some((at, _)) = newest.last() {
        add(*at, HOLD_MS);
    }
    Ok(spans)
}

fn unlisted(
    from: &HistoryFile,
    inventory: &[Arc<InstanceInfo>],
    at: Timestamp,
) -> Result<Vec<Arc<str>>, Trouble> {
    let listed: HashSet<&str> = inventory.iter().map(|info| &*info.uid).collect();
    let mut all = from.connection.prepare_cached("SELECT no, uid FROM instance ORDER BY no")?;
    let mut was_there = from.connection.prepare_cached(WAS_THERE)?;
    let mut rows = all.query([])?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        let (no, uid): (u32, Arc<str>) = (row.get(0)?, row.get(1)?);
        if listed.contains(&*uid) {
            continue;
        }
        let known = was_there
            .query_row(params![at.ms(), KNOWN_FOR_MS, SILENT_FOR_MS, no], |row| row.get::<_, bool>(0));
        match known.map_err(Trouble::from) {
            // The page of this one is damaged; the others can be read.
            Err(trouble) if trouble.is_damage() => {}
            known => found.extend(known?.then_some(uid)),
        }
    }
    Ok(found)
}

fn under_a_free_name(info: &Arc<InstanceInfo>, taken: &mut HashSet<InstanceId>) -> Arc<InstanceInfo> {
    if taken.insert(info.id.clone()) {
        return Arc::clone(info);
    }
    let named = |n: usize| match n {
        1 => InstanceId::new(format!("{} (removed)", info.id)),
        n => InstanceId::new(format!("{} (removed {n})", info.id)),
    };
    let free = (1..=taken.len()).map(named).find(|id| taken.insert(id.clone()));
    Arc::new(InstanceInfo { id: free.unwrap_or_else(|| info.id.clone()), ..InstanceInfo::clone(info) })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::history::{Engine, Options};

    #[test]
    fn each_question_is_answered_from_an_index() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("history.db");
        drop(Engine::open(&path, None, Options::default()).unwrap());
        let file = HistoryFile::open(&path, None).unwrap();
        let mut plan = file.connection.prepare(&format!("EXPLAIN QUERY PLAN {WAS_THERE}")).unwrap();
        let steps: Vec<String> =
            plan.query_map([0, 0, 0, 1], |row| row.get(3)).unwrap().map(Result::unwrap).collect();
        assert_eq!(steps.iter().filter(|s| s.starts_with("SEARCH")).count(), 4, "{steps:#?}");
        assert!(!steps.iter().any(|s| s.starts_with("SCAN ") && *s != "SCAN CONSTANT ROW"), "{steps:#?}");
    }
}
