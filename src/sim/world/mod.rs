//! The simulated fleet as facts: who the instances are and what is true of each at any moment, as a pure function of
//! (seed, instance, time, scenario). `answer` turns the facts into rows; nothing in here knows T-SQL results or bytes.
//!
//! Times are milliseconds since the simulator's start unless a name says `utc`.

pub mod availability;
pub mod blocking;
pub mod dice;
pub mod gauges;
pub mod moment;
pub mod profile;
pub mod rhythm;
pub mod storage;
pub mod texts;
pub mod theme;
pub mod totals;
pub mod trouble;
pub mod version;
pub mod wait_types;
pub mod waits;
pub mod work;

use self::{
    dice::Dice,
    moment::{Happening, Moment},
    profile::Profile,
    version::Version,
};
use super::scenario::{Kind, Scenario};

/// All instances, and when they began to exist.
#[derive(Debug)]
pub struct Fleet {
    /// in order
    pub profiles: Vec<Profile>,
    /// the simulator's start, UTC ms since 1970
    pub utc_origin_ms: i64,
}

impl Fleet {
    /// Rolls a fleet. No versions means all of them.
    pub fn roll(seed: u64, instances: usize, versions: &[Version], utc_origin_ms: i64) -> Self {
        let root = Dice::new(seed);
        let profiles = (0..instances).map(|i| Profile::roll(root, i, instances, versions)).collect();
        Self { profiles, utc_origin_ms }
    }

    /// The state of an instance at a moment; None if there is no such instance.
    pub fn at<'a>(&'a self, script: &'a Script, index: usize, at_ms: i64) -> Option<Moment<'a>> {
        Some(Moment::new(self, script, self.profiles.get(index)?, at_ms))
    }
}

/// A scenario, sorted by instance: made when the scenario changes, read at every question.
#[derive(Debug, Default)]
pub struct Script {
    happenings: Vec<Box<[Happening]>>,
}

impl Script {
    /// Finds out which events hit which instance.
    pub fn compile(scenario: &Scenario, fleet: &Fleet) -> Self {
        let of = |profile: &Profile| {
            let groups = profile.groups();
            let hits = |s: &super::scenario::Selector| s.hits(profile.index, &profile.name, &groups);
            let hit = scenario.events.iter().filter(|event| event.on.iter().any(hits));
            hit.flat_map(|event| {
                let hostile = event.kind == Kind::Hostile;
                let parts = Kind::ALL
                    .into_iter()
                    .filter(move |k| if hostile { k.is_part_of_hostile() } else { *k == event.kind });
                parts.map(move |kind| Happening {
                    kind,
                    span: event.span,
                    amount: if hostile { kind.usual_amount() } else { event.amount },
                })
            })
            .collect()
        };
        Self { happenings: fleet.profiles.iter().map(of).collect() }
    }

    /// What happens on one instance, ever.
    pub fn of(&self, index: usize) -> &[Happening] {
        self.happenings.get(index).map_or(&[], |h| &**h)
    }
}
