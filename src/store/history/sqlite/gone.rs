//! Instances that history knows and the inventory does not (any more): those that were there at an instant. Asked by `command`
//! for time travel, so that a server that was removed this morning is there last night.

use super::{names::Trouble, reader::Reader};
use crate::{
    model::{
        base::time::Timestamp,
        inventory::instance::{InstanceId, InstanceInfo},
    },
    store::StoreError,
};
use rusqlite::params;
use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

/// A state of before this, ms, says nothing of an instant: the day before it.
const KNOWN_FOR_MS: i64 = 86_400_000;
/// Who was heard of last longer before the instant than this, ms, had been removed by then: a block of states is as long.
const SILENT_FOR_MS: i64 = 15 * 60_000;

/// An instance with a state within `?2` ms before `?1`, and something later than `?3` ms before. The ends of four indexes.
const WAS_THERE: &str = "SELECT
    (EXISTS(SELECT 1 FROM hot WHERE instance = ?4 AND at > ?1 - ?2 AND at <= ?1) OR coalesce(?1 - ?2 <
        (SELECT end FROM state WHERE instance = ?4 AND start <= ?1 ORDER BY start DESC LIMIT 1), FALSE))
    AND (EXISTS(SELECT 1 FROM hot WHERE instance = ?4 AND at > ?1 - ?3) OR coalesce(?1 - ?3 <
        (SELECT end FROM state WHERE instance = ?4 ORDER BY start DESC LIMIT 1), FALSE))";

impl Reader {
    /// The instances that were polled at an instant and are not in this inventory, as they were then. One whose name belongs to
    /// another one by now has a word behind it: names are unique on the screen.
    ///
    /// # Errors
    /// The file cannot be read.
    pub fn gone(
        &mut self,
        inventory: &[Arc<InstanceInfo>],
        at: Timestamp,
    ) -> Result<Vec<Arc<InstanceInfo>>, StoreError> {
        let uids = self.unlisted(inventory, at).map_err(|trouble| self.failed()(trouble))?;
        if uids.is_empty() {
            return Ok(Vec::new());
        }
        // As it was then stands with what it told then.
        let told = self.state_at(&uids, at)?.kept;
        let infos: HashMap<&str, &Arc<InstanceInfo>> =
            told.iter().map(|kept| (&*kept.info.uid, &kept.info)).collect();
        let mut taken: HashSet<InstanceId> = inventory.iter().map(|info| info.id.clone()).collect();
        let found = uids.iter().filter_map(|uid| infos.get(&**uid));
        Ok(found.map(|info| under_a_free_name(info, &mut taken)).collect())
    }

    fn unlisted(&self, inventory: &[Arc<InstanceInfo>], at: Timestamp) -> Result<Vec<Arc<str>>, Trouble> {
        let listed: HashSet<&str> = inventory.iter().map(|info| &*info.uid).collect();
        let mut all = self.connection.prepare_cached("SELECT no, uid FROM instance ORDER BY no")?;
        let mut was_there = self.connection.prepare_cached(WAS_THERE)?;
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
                // On a damaged page: the others can be told.
                Err(trouble) if trouble.is_damage() => {}
                known => found.extend(known?.then_some(uid)),
            }
        }
        Ok(found)
    }
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
        let reader = Reader::open(&path, None).unwrap();
        let mut plan = reader.connection.prepare(&format!("EXPLAIN QUERY PLAN {WAS_THERE}")).unwrap();
        let steps: Vec<String> =
            plan.query_map([0, 0, 0, 1], |row| row.get(3)).unwrap().map(Result::unwrap).collect();
        assert_eq!(steps.iter().filter(|s| s.starts_with("SEARCH")).count(), 4, "{steps:#?}");
        assert!(!steps.iter().any(|s| s.starts_with("SCAN ") && *s != "SCAN CONSTANT ROW"), "{steps:#?}");
    }
}
