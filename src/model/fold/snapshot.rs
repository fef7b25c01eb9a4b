//! The snapshot, which the screen draws: the whole fleet at one moment, immutable, shared by `Arc`. Made by the fold only.

use super::stats::CollectorStats;
use crate::model::{
    base::time::Timestamp,
    inventory::instance::{InstanceId, InstanceInfo},
    judge::{
        health::{Health, Level, Reason, Thresholds, Topic},
        why::Why,
    },
    poll::Facts,
    timeline::history::History,
};
use std::sync::Arc;

/// Rates of our cost over less than this, ms, say more about the first polls than about the habit.
const SETTLED_MS: u64 = 20_000;

/// Own cost on all servers together.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct FleetCost {
    /// CPU ms per second of wall time
    pub cpu_ms_per_s: f64,
    /// most of it is taken over long enough; else the first polls, which ask for everything, weigh too much
    pub settled: bool,
}

/// One instance in the snapshot.
#[derive(Debug, Clone)]
pub struct InstanceSnapshot {
    /// who it is
    pub info: Arc<InstanceInfo>,
    /// what is known
    pub facts: Facts,
    /// last fifteen minutes
    pub history: Arc<History>,
    /// verdict
    pub health: Health,
}

impl InstanceSnapshot {
    /// Identity.
    pub fn id(&self) -> &InstanceId {
        &self.info.id
    }
}

/// Instances by health.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// ●
    pub ok: u32,
    /// ▲
    pub warning: u32,
    /// ✖ critical and offline
    pub critical: u32,
    /// ○
    pub unknown: u32,
}

impl Counts {
    /// Adds one instance.
    pub const fn add(&mut self, level: Level) {
        match level {
            Level::Ok => self.ok += 1,
            Level::Warning => self.warning += 1,
            Level::Critical | Level::Offline => self.critical += 1,
            Level::Unknown => self.unknown += 1,
        }
    }

    /// All.
    pub const fn total(&self) -> u32 {
        self.ok + self.warning + self.critical + self.unknown
    }
}

/// The whole fleet at one moment.
#[derive(Debug, Clone, Default)]
pub struct FleetSnapshot {
    /// when it was folded
    pub at: Timestamp,
    /// grows by one with every publication
    pub version: u64,
    /// instances in inventory order
    pub instances: Vec<Arc<InstanceSnapshot>>,
    /// by health
    pub counts: Counts,
    /// instances with a good poll within `offline_after_s`
    pub polled: u32,
    /// the collector's own figures
    pub collector: CollectorStats,
    /// the limits that the verdicts were made with, for lines in charts and marks in tables
    pub thresholds: Thresholds,
}

impl FleetSnapshot {
    /// An instance by id: linear, for jumps; panes keep their own row order.
    pub fn find(&self, id: &InstanceId) -> Option<&Arc<InstanceSnapshot>> {
        self.instances.iter().find(|i| i.id() == id)
    }

    /// Says of these instances that they are not in the inventory any more. Their verdicts stay what they were.
    pub fn mark_gone(&mut self, gone: &[Arc<InstanceInfo>]) {
        for instance in &mut self.instances {
            if gone.iter().any(|info| info.uid == instance.info.uid) {
                Arc::make_mut(instance).health.reasons.push(Reason::new(
                    Level::Ok,
                    Topic::Inventory,
                    0,
                    Why::Gone,
                ));
            }
        }
    }

    /// Our cost on all servers together; None until a server has told twice.
    pub fn own_cost(&self) -> Option<FleetCost> {
        let (mut sum, mut known, mut settled) = (0.0, 0, 0);
        for cost in self.instances.iter().filter_map(|i| i.facts.cost.get()) {
            let Some(rate) = cost.cpu_ms_per_s else { continue };
            sum += rate;
            known += 1;
            settled += u32::from(cost.over_ms >= SETTLED_MS);
        }
        (known > 0).then_some(FleetCost { cpu_ms_per_s: sum, settled: settled * 10 >= known * 9 })
    }
}
