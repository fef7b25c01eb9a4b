//! States of instances at an instant, and their readings between two. Every pane shows the past from them.

use super::{charts::Charts, moment, passage, pool::ReadPool, worker::Worker};
use crate::{
    model::{
        base::time::Timestamp,
        inventory::instance::{InstanceId, InstanceInfo},
        poll::id::{ProbeId, SeriesId},
        timeline::{
            history::{History, KEEP_MS},
            record::Slot,
        },
    },
    store::{
        StoreError,
        history::{
            api::{Past, Recent, Remembered},
            health::StoreHealth,
        },
    },
};
use std::sync::Arc;

/// The series that the fleet list and its verdicts need.
const OF_THE_LIST: [SeriesId; 3] = [SeriesId::Cpu, SeriesId::Batches, SeriesId::PageLife];

/// States and readings of a history.
pub struct States<'a> {
    pub(super) pool: &'a mut ReadPool,
}

impl States<'_> {
    /// The state of instances at an instant: of every slot the newest reading at or before it, in the order of time for each
    /// instance. Texts are in their places. An instance that history does not know has none.
    ///
    /// # Errors
    /// The file cannot be read at all. Damaged parts are named in [`Past::damaged`].
    pub fn at(self, uids: &[Arc<str>], at: Timestamp) -> Result<Past, StoreError> {
        let parts = self.pool.share(uids, |worker, uids| state_of(worker, uids, at))?;
        let mut past = Past::default();
        for mut part in parts {
            past.kept.append(&mut part.kept);
            past.damaged.append(&mut part.damaged);
        }
        Ok(past)
    }

    /// The readings of an instance later than `after` and not later than `until`, in the order of time.
    ///
    /// # Errors
    /// As [`States::at`].
    pub fn between(self, uid: &Arc<str>, after: Timestamp, until: Timestamp) -> Result<Past, StoreError> {
        between(&mut self.pool.first, uid, None, (after, until))
    }

    /// The same of the good answers of one probe: of what else was kept then nothing is unpacked.
    ///
    /// # Errors
    /// As [`States::at`].
    pub fn of_probe(
        self,
        uid: &Arc<str>,
        probe: ProbeId,
        after: Timestamp,
        until: Timestamp,
    ) -> Result<Past, StoreError> {
        between(&mut self.pool.first, uid, Some(Slot::Value(probe)), (after, until))
    }

    /// All series of the quarter of an hour before an instant.
    ///
    /// # Errors
    /// The file cannot be read.
    pub fn recent(self, uid: &Arc<str>, at: Timestamp) -> Result<History, StoreError> {
        recent(&mut self.pool.first, uid, at)
    }

    /// States of instances at an instant with their recent series: all that a fleet is folded from. Parts of the fleet, in its
    /// order.
    ///
    /// # Errors
    /// As [`States::at`].
    pub fn remembered(
        self,
        infos: &[Arc<InstanceInfo>],
        at: Timestamp,
        wanted: Recent,
    ) -> Result<Vec<Remembered>, StoreError> {
        self.pool.share(infos, |worker, infos| remembered_of(worker, infos, at, wanted))
    }
}

fn state_of(worker: &mut Worker, uids: &[Arc<str>], at: Timestamp) -> Result<Past, StoreError> {
    let mut past = Past::default();
    worker.in_one_snapshot(|worker| {
        uids.iter().try_for_each(|uid| moment::read(worker, uid, at.ms(), &mut past))
    })?;
    Ok(past)
}

fn between(
    worker: &mut Worker,
    uid: &Arc<str>,
    slot: Option<Slot>,
    (after, until): (Timestamp, Timestamp),
) -> Result<Past, StoreError> {
    let mut past = Past::default();
    let (slot, within) = (slot.map(Slot::code), (after.ms(), until.ms()));
    worker.in_one_snapshot(|worker| passage::read(worker, uid, slot, within, &mut past))?;
    Ok(past)
}

fn recent(worker: &mut Worker, uid: &Arc<str>, at: Timestamp) -> Result<History, StoreError> {
    let mut history = History::default();
    for kept in between(worker, uid, None, (at.plus_ms(-KEEP_MS), at))?.kept {
        history.note(kept.at, &kept.what);
    }
    Ok(history)
}

fn remembered_of(
    worker: &mut Worker,
    infos: &[Arc<InstanceInfo>],
    at: Timestamp,
    wanted: Recent,
) -> Result<Remembered, StoreError> {
    let uids: Vec<Arc<str>> = infos.iter().map(|info| Arc::clone(&info.uid)).collect();
    let mut past = state_of(worker, &uids, at)?;
    let mut histories: Vec<(InstanceId, History)> = Vec::with_capacity(infos.len());
    for info in infos {
        let history = match wanted {
            Recent::OfTheList => {
                let charts = Charts { file: &worker.file };
                charts.recent(&info.uid, &OF_THE_LIST, at.plus_ms(-KEEP_MS), at)
            }
            Recent::All => recent(worker, &info.uid, at),
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
    Ok(Remembered { past, histories })
}
