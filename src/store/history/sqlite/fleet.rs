//! The fleet at an instant: what the store remembers, folded by the reducer that folds what is polled. Asked by `command`.

use super::reader::Reader;
use crate::store::history::{
    api::{Charts, Past},
    health::StoreHealth,
};
use crate::{
    model::{
        base::time::Timestamp,
        fold::{Fleet, snapshot::FleetSnapshot, update::Update},
        inventory::instance::{InstanceId, InstanceInfo},
        judge::health::Thresholds,
        poll::id::SeriesId,
        timeline::history::{History, KEEP_MS},
    },
    store::StoreError,
};
use std::{collections::HashMap, sync::Arc};

/// What the list of the fleet and its verdicts need.
const OF_THE_LIST: [SeriesId; 3] = [SeriesId::Cpu, SeriesId::Batches, SeriesId::PageLife];

impl Reader {
    /// These instances as they were, judged by these limits. One that history does not know was not polled yet.
    ///
    /// # Errors
    /// The file cannot be read.
    pub fn fleet_at(
        &mut self,
        infos: &[Arc<InstanceInfo>],
        thresholds: &Thresholds,
        at: Timestamp,
        charts: Charts,
    ) -> Result<Arc<FleetSnapshot>, StoreError> {
        self.fleet_with_damage(infos, thresholds, at, charts).map(|(fleet, _)| fleet)
    }

    /// The same, and what is missing in it because the file is damaged there, in words.
    ///
    /// # Errors
    /// The file cannot be read at all.
    pub fn fleet_with_damage(
        &mut self,
        infos: &[Arc<InstanceInfo>],
        thresholds: &Thresholds,
        at: Timestamp,
        charts: Charts,
    ) -> Result<(Arc<FleetSnapshot>, Vec<String>), StoreError> {
        let by_uid: HashMap<&str, &Arc<InstanceInfo>> = infos.iter().map(|info| (&*info.uid, info)).collect();
        let mut fleet = Fleet::new(thresholds.clone());
        fleet.apply(Update::Inventory(infos.to_vec()));
        let parts = self.share(infos, |reader, infos| reader.told_of(infos, at, charts))?;
        let mut damaged = Vec::new();
        for (mut past, histories) in parts {
            for mut kept in past.kept {
                if let Some(info) = by_uid.get(&*kept.info.uid) {
                    // Its name may have been another one then.
                    kept.info = Arc::clone(info);
                    fleet.apply(Update::Remembered(Box::new(kept)));
                }
            }
            for (instance, history) in histories {
                fleet.apply(Update::History { instance, history: Arc::new(history) });
            }
            damaged.append(&mut past.damaged);
        }
        Ok((fleet.snapshot(at), damaged))
    }

    /// What the fold wants to know of a part of the fleet.
    fn told_of(
        &mut self,
        infos: &[Arc<InstanceInfo>],
        at: Timestamp,
        charts: Charts,
    ) -> Result<(Past, Vec<(InstanceId, History)>), StoreError> {
        let uids: Vec<Arc<str>> = infos.iter().map(|info| Arc::clone(&info.uid)).collect();
        let mut past = self.state_of(&uids, at)?;
        let mut histories = Vec::with_capacity(infos.len());
        for info in infos {
            let history = match charts {
                Charts::OfTheList => self.lines(&info.uid, &OF_THE_LIST, at.plus_ms(-KEEP_MS), at),
                Charts::All => self.history(&info.uid, at),
            };
            let history = match history {
                Err(error) if matches!(StoreHealth::of(&error), StoreHealth::Damaged(_)) => {
                    if !past.damaged.iter().any(|words| words.ends_with(info.id.as_str())) {
                        past.damaged.push(format!("sparklines of {}", info.id));
                    }
                    History::default()
                }
                history => history?,
            };
            histories.push((info.id.clone(), history));
        }
        Ok((past, histories))
    }

    /// The quarter of an hour before an instant, all series.
    ///
    /// # Errors
    /// The file cannot be read.
    pub fn history(&mut self, uid: &Arc<str>, at: Timestamp) -> Result<History, StoreError> {
        let mut history = History::default();
        for kept in self.between(uid, at.plus_ms(-KEEP_MS), at)?.kept {
            history.note(kept.at, &kept.what);
        }
        Ok(history)
    }
}
