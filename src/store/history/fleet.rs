//! The fleet at an instant: states of the history, folded by the reducer that also folds the polls. For time travel, `once` and
//! the reports.

use super::{
    api::{Recent, Remembered},
    sqlite::Reader,
};
use crate::{
    model::{
        base::time::Timestamp,
        fold::{Fleet, snapshot::FleetSnapshot, update::Update},
        inventory::instance::InstanceInfo,
        judge::health::Thresholds,
    },
    store::StoreError,
};
use std::{collections::HashMap, sync::Arc};

/// These instances as they were at an instant, judged by these limits. An instance that history does not know has no state.
///
/// # Errors
/// The file cannot be read.
pub fn fleet_at(
    reader: &mut Reader,
    infos: &[Arc<InstanceInfo>],
    thresholds: &Thresholds,
    at: Timestamp,
    recent: Recent,
) -> Result<Arc<FleetSnapshot>, StoreError> {
    fleet_with_damage(reader, infos, thresholds, at, recent).map(|(fleet, _)| fleet)
}

/// The same, and in words the parts that are missing because the file is damaged there.
///
/// # Errors
/// The file cannot be read at all.
pub fn fleet_with_damage(
    reader: &mut Reader,
    infos: &[Arc<InstanceInfo>],
    thresholds: &Thresholds,
    at: Timestamp,
    recent: Recent,
) -> Result<(Arc<FleetSnapshot>, Vec<String>), StoreError> {
    let by_uid: HashMap<&str, &Arc<InstanceInfo>> = infos.iter().map(|info| (&*info.uid, info)).collect();
    let mut fleet = Fleet::new(thresholds.clone());
    fleet.apply(Update::Inventory(infos.to_vec()));
    let mut damaged = Vec::new();
    for Remembered { mut past, histories } in reader.states().remembered(infos, at, recent)? {
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
