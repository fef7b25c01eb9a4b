//! The snapshot, which the screen draws: the whole fleet at one moment, immutable, shared by `Arc`. Made by the fold only.

use super::stats::CollectorStats;
use crate::model::{
    base::time::Timestamp,
    inventory::instance::{InstanceId, InstanceInfo},
    judge::{
        health::{Health, Level, Reason, Thresholds, Topic},
        why::Why,
    },
    poll::{Facts, link::Link},
    timeline::history::History,
};
use std::{
    cmp::{Ordering, Reverse},
    sync::Arc,
};

/// Rates of our cost over less than this, ms, say more about the first polls than about the habit.
const SETTLED_MS: u64 = 20_000;

/// For so long a change of health is news, ms.
const NEWS_MS: i64 = 10_000;

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
    /// when the level became another one while it was watched; None: it has been this one since anybody looked
    pub level_since: Option<Timestamp>,
}

impl InstanceSnapshot {
    /// Identity.
    pub fn id(&self) -> &InstanceId {
        &self.info.id
    }

    /// Its level changed a moment ago. A clock that steps makes nothing new.
    pub fn is_news(&self, now: Timestamp) -> bool {
        self.level_since.is_some_and(|since| (0..NEWS_MS).contains(&(now - since)))
    }

    /// Nothing is known of it at present: it is down, or has been silent for too long.
    pub fn is_dead(&self) -> bool {
        let health = &self.health;
        match health.level {
            Level::Offline => true,
            Level::Critical => health.reasons.first().is_some_and(|r| r.topic == Topic::Link),
            _ => false,
        }
    }

    /// The order "worst first", wherever instances stand in it: the dead, then by level, score and points of the heaviest
    /// reason; equals by name.
    pub fn worst_first(&self, other: &Self) -> Ordering {
        self.badness().cmp(&other.badness()).then_with(|| self.info.id.cmp(&other.info.id))
    }

    fn badness(&self) -> (Reverse<bool>, Reverse<Level>, u8, Reverse<u8>) {
        let Health { level, score, reasons } = &self.health;
        let points = reasons.first().map_or(0, |r| r.points);
        let dead = self.is_dead();
        // Offline is what a failed link becomes with time: nothing to move a row for.
        let level = if dead { Level::Offline } else { *level };
        (Reverse(dead), Reverse(level), score.unwrap_or(0), Reverse(points))
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

    /// Puts instances, by their places in the snapshot, into the order "worst first".
    pub fn sort_worst_first(&self, places: &mut [u32]) {
        places.sort_by(|a, b| {
            let [a, b] = [a, b].map(|place| self.instances.get(*place as usize));
            a.zip(b).map_or(Ordering::Equal, |(a, b)| a.worst_first(b))
        });
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

    /// Our cost on all servers together; None until one has told twice. Of one that does not answer nobody waits for more than its
    /// first polls.
    pub fn own_cost(&self) -> Option<FleetCost> {
        let (mut sum, mut known, mut settled) = (0.0, 0, 0);
        for i in &self.instances {
            let Some((cost, rate)) = i.facts.cost.get().and_then(|cost| Some((cost, cost.cpu_ms_per_s?)))
            else {
                continue;
            };
            let is_settled = cost.over_ms >= SETTLED_MS;
            if !is_settled && matches!(i.facts.link, Link::Down { .. }) {
                continue;
            }
            sum += rate;
            known += 1;
            settled += u32::from(is_settled);
        }
        (known > 0).then_some(FleetCost { cpu_ms_per_s: sum, settled: settled * 10 >= known * 9 })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_dead_come_first_whatever_they_are_called() {
        let instance = |name: &str, level, score, topic, points| {
            let reasons = vec![Reason::new(level, topic, points, Why::Sentence("why".into()))];
            Arc::new(InstanceSnapshot {
                info: Arc::new(InstanceInfo::named(name)),
                facts: Facts::default(),
                history: Arc::default(),
                health: Health { score, level, reasons },
                level_since: None,
            })
        };
        let instances = vec![
            instance("ok", Level::Ok, Some(98), Topic::Rights, 2),
            instance("unknown", Level::Unknown, None, Topic::Link, 0),
            instance("warning", Level::Warning, Some(60), Topic::Cpu, 40),
            // Its figures are old: it is not dead yet.
            instance("silent", Level::Warning, Some(75), Topic::Link, 25),
            instance("critical", Level::Critical, Some(8), Topic::Blocking(60), 90),
            instance("z-down", Level::Critical, Some(0), Topic::Link, 100),
            instance("worst", Level::Critical, Some(8), Topic::Cpu, 92),
            instance("a-offline", Level::Offline, Some(0), Topic::Link, 100),
            instance("b-down", Level::Critical, Some(0), Topic::Link, 100),
        ];
        let mut places: Vec<u32> = (0..9).collect();
        let fleet = FleetSnapshot { instances, ..FleetSnapshot::default() };
        fleet.sort_worst_first(&mut places);
        let names: Vec<_> =
            places.iter().map(|place| fleet.instances[*place as usize].id().as_str()).collect();
        let dead = ["a-offline", "b-down", "z-down"];
        let others = ["worst", "critical", "warning", "silent", "unknown", "ok"];
        assert_eq!(names, [&dead[..], &others].concat());
    }

    #[test]
    fn only_who_left_the_inventory_is_said_to_be_gone() {
        let instance = |uid: &str| {
            let info = InstanceInfo { uid: uid.into(), ..InstanceInfo::named("same-name") };
            Arc::new(InstanceSnapshot {
                info: Arc::new(info),
                facts: Facts::default(),
                history: Arc::default(),
                health: Health { score: Some(60), level: Level::Warning, reasons: vec![] },
                level_since: None,
            })
        };
        let instances = vec![instance("here"), instance("left")];
        let mut fleet = FleetSnapshot { instances, ..FleetSnapshot::default() };
        let gone = [Arc::clone(&fleet.instances[1].info)];
        fleet.mark_gone(&gone);
        let told = |place: usize| {
            let health = &fleet.instances[place].health;
            (health.level, health.reasons.iter().map(|r| r.text().to_owned()).collect::<Vec<_>>())
        };
        assert_eq!(told(0), (Level::Warning, vec![]));
        assert_eq!(told(1), (Level::Warning, vec!["no longer in the inventory".to_owned()]));
    }
}
