//! The fold: updates of the collectors go in, an immutable snapshot comes out. The only writer of snapshots; owned by
//! the reducer task, so no lock. Pure: time is an argument.
//!
//! One `entry` an instance: its facts, the previous raw counters that rates need, and its history. A snapshot
//! rebuilds only the instances that changed; the others share their `Arc` with the snapshot before. Memory per
//! instance is bounded: readings replace each other, histories keep fifteen minutes, lists are cut at 5,000 rows.

mod activity;
mod asleep;
pub mod blocking;
mod cost;
pub mod doubt;
mod entry;
mod filling;
mod headline;
mod logs;
pub mod rate;
pub mod scope;
mod shared;
pub mod snapshot;
mod space;
pub mod stats;
pub mod together;
pub mod update;
mod volumes;
mod waits;

use self::{
    asleep::Asleep,
    doubt::Doubt,
    entry::Entry,
    shared::{Keep, Names, Poll},
};
use self::{
    snapshot::{Counts, FleetSnapshot},
    stats::CollectorStats,
    update::Update,
};
use crate::model::{
    base::time::Timestamp,
    inventory::instance::{InstanceId, InstanceInfo},
    judge::health::Thresholds,
    timeline::{history::History, record::Record},
};
use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

/// The state of the whole fleet between two snapshots.
#[derive(Debug)]
pub struct Fleet {
    thresholds: Thresholds,
    /// in inventory order
    entries: Vec<Entry>,
    index: HashMap<InstanceId, usize>,
    names: Names,
    stats: CollectorStats,
    keep: Keep,
    /// what each instance begins with
    history: Arc<History>,
    asleep: Asleep,
    doubt: Doubt,
    /// entries or stats changed since `last`
    changed: bool,
    last: Arc<FleetSnapshot>,
}

impl Fleet {
    /// An empty fleet; the first update is the inventory.
    pub fn new(thresholds: Thresholds) -> Self {
        Self {
            thresholds,
            entries: Vec::new(),
            index: HashMap::new(),
            names: Names::default(),
            stats: CollectorStats::default(),
            keep: None,
            history: Arc::default(),
            asleep: Asleep::default(),
            doubt: Doubt::default(),
            changed: false,
            last: Arc::default(),
        }
    }

    /// Nobody looks: of the last minutes and of the newest readings only what health and the fold read is remembered. History gets
    /// everything all the same. To be called before the inventory.
    pub fn remember_only_judged(&mut self) {
        self.history = Arc::new(History::only_judged());
    }

    /// From now on everything is kept that history wants, until [`Self::drain_kept`] takes it.
    pub fn keep(&mut self) {
        self.keep.get_or_insert_default();
    }

    /// Everything that happened since the last call, in order; empty without [`Self::keep`].
    pub fn drain_kept(&mut self) -> Vec<Record> {
        self.keep.as_mut().map(std::mem::take).unwrap_or_default()
    }

    /// What is known of our clock now.
    pub const fn doubt(&mut self, doubt: Doubt) {
        self.doubt = doubt;
    }

    /// Takes one update. An update for an instance that is not in the inventory (any more) is ignored.
    pub fn apply(&mut self, update: Update) {
        match update {
            Update::Inventory(infos) => self.take_inventory(infos),
            Update::Stats(stats) => {
                self.changed |= self.stats != stats;
                self.stats = stats;
            }
            Update::Thresholds(thresholds) => {
                self.thresholds = *thresholds;
                self.entries.iter_mut().for_each(Entry::judge_anew);
                self.changed = true;
            }
            Update::Link { instance, at, link } => {
                if let Some(entry) = self.index.get(&instance).and_then(|i| self.entries.get_mut(*i)) {
                    entry.take_link(at, link, &mut self.keep);
                }
            }
            Update::Pace { instance, probe, at, every_ms } => {
                if let Some(entry) = self.index.get(&instance).and_then(|i| self.entries.get_mut(*i)) {
                    entry.take_pace(probe, at, every_ms, &mut self.keep);
                }
            }
            Update::Due { instance, probe, at } => {
                if let Some(entry) = self.entry(&instance) {
                    entry.take_due(probe, at);
                }
            }
            Update::Remembered(kept) => {
                if let Some(entry) = self.entry(&kept.info.id) {
                    entry.remember(&kept);
                }
            }
            Update::History { instance, history } => {
                if let Some(entry) = self.entry(&instance) {
                    entry.take_history(history);
                }
            }
            Update::Polled { instance, probe, at, took_ms, every_ms, outcome } => {
                if let Some(i) = self.index.get(&instance).copied()
                    && let Some(entry) = self.entries.get_mut(i)
                {
                    match outcome {
                        Ok(sample) => {
                            let poll = Poll { at, took_ms, every_ms };
                            entry.take(probe, sample, &poll, &mut self.names, &mut self.keep);
                        }
                        Err(problem) => entry.miss(probe, at, every_ms, problem, &mut self.keep),
                    }
                }
            }
        }
    }

    fn entry(&mut self, instance: &InstanceId) -> Option<&mut Entry> {
        self.index.get(instance).and_then(|i| self.entries.get_mut(*i))
    }

    /// Keeps what is known of instances that stay, forgets those that left.
    fn take_inventory(&mut self, infos: Vec<Arc<InstanceInfo>>) {
        let mut known: HashMap<InstanceId, Entry> =
            self.entries.drain(..).map(|e| (e.id().clone(), e)).collect();
        let mut seen = HashSet::new();
        self.entries.reserve_exact(infos.len());
        for info in infos {
            if !seen.insert(info.id.clone()) {
                continue;
            }
            self.entries.push(match known.remove(&info.id) {
                Some(mut entry) => {
                    entry.take_info(info);
                    entry
                }
                None => Entry::new(info, Arc::clone(&self.history)),
            });
        }
        self.index = self.entries.iter().enumerate().map(|(i, e)| (e.id().clone(), i)).collect();
        self.changed = true;
    }

    /// For so long, until `now`, nobody measured: no instance was silent then. To be called before the snapshot of that time.
    pub fn slept(&mut self, now: Timestamp, ms: i64) {
        self.asleep.note(now, ms);
    }

    /// The fleet at `now`. Costs what changed: verdicts of quiet instances are looked at again only when time itself
    /// could change them. Without any change it is the same `Arc` as before.
    pub fn snapshot(&mut self, now: Timestamp) -> Arc<FleetSnapshot> {
        let mut changed = self.changed;
        self.asleep.look(now);
        for entry in &mut self.entries {
            changed |= entry.refresh(&self.thresholds, self.doubt, &self.asleep, now, &mut self.keep);
        }
        let limit_ms = self.thresholds.offline_after_s.saturating_mul(1000);
        let polled =
            self.entries.iter().filter(|e| e.polled_within(limit_ms, &self.asleep, now)).count() as u32;
        if changed || polled != self.last.polled {
            let mut counts = Counts::default();
            for entry in &self.entries {
                counts.add(entry.level());
            }
            self.changed = false;
            self.last = Arc::new(FleetSnapshot {
                at: now,
                version: self.last.version + 1,
                instances: self.entries.iter().map(Entry::shown).collect(),
                counts,
                polled,
                collector: self.stats,
                thresholds: self.thresholds.clone(),
            });
        }
        Arc::clone(&self.last)
    }
}

#[cfg(test)]
mod tests;
