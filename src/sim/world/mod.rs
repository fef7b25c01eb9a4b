//! The simulated fleet as facts: the instances, and the state of each at any moment, as a pure function of (seed, instance,
//! time, scenario). `answer` turns the facts into rows; nothing in here knows T-SQL results or bytes.
//!
//! Times are milliseconds since the simulator's start unless a name says `utc`.

pub mod availability;
pub mod blocking;
pub mod dice;
pub mod gauges;
pub mod moment;
pub mod people;
pub mod profile;
pub mod rhythm;
pub mod rights;
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
use super::scenario::{Cut, Event, Kind, Scenario};

/// All instances, and the time at which they began to exist.
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

/// A session that was ended by KILL.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Killed {
    /// instance, from 0
    pub index: usize,
    /// session
    pub spid: i32,
    /// when, ms
    pub at_ms: i64,
}

/// A scenario, sorted by instance: made when the scenario changes, read at every question.
#[derive(Debug, Clone, Default)]
pub struct Script {
    happenings: Vec<Box<[Happening]>>,
    /// sessions that were killed, oldest first
    pub killed: Vec<Killed>,
}

impl Script {
    /// Sorts the events by the instances that they hit.
    pub fn compile(scenario: &Scenario, fleet: &Fleet) -> Self {
        let of = |profile: &Profile| {
            let groups = profile.groups();
            let hits = |s: &super::scenario::Selector| s.hits(profile.index, &profile.name, &groups);
            let hit = scenario.events.iter().filter(|event| event.on.iter().any(hits));
            let mut all: Vec<Happening> = hit.flat_map(happenings).collect();
            for cut in scenario.cuts.iter().filter(|c| c.index == profile.index) {
                all = all.into_iter().flat_map(|h| end_at(h, *cut)).collect();
            }
            all.into_boxed_slice()
        };
        Self { happenings: fleet.profiles.iter().map(of).collect(), killed: Vec::new() }
    }

    /// All events of one instance.
    pub fn of(&self, index: usize) -> &[Happening] {
        self.happenings.get(index).map_or(&[], |h| &**h)
    }
}

/// An event as one instance sees it; `hostile` stands for several.
fn happenings(event: &Event) -> impl Iterator<Item = Happening> {
    let hostile = event.kind == Kind::Hostile;
    let parts = Kind::ALL
        .into_iter()
        .filter(move |k| if hostile { k.is_part_of_hostile() } else { *k == event.kind });
    parts.map(move |kind| Happening {
        kind,
        span: event.span,
        amount: if hostile { kind.usual_amount() } else { event.amount },
    })
}

fn end_at(happening: Happening, cut: Cut) -> impl Iterator<Item = Happening> {
    let running = happening.kind == cut.kind && happening.span.active_at(cut.at_ms).is_some();
    let (before, after) = if running { happening.span.cut_at(cut.at_ms) } else { (happening.span, None) };
    [Some(before), after].into_iter().flatten().map(move |span| Happening { span, ..happening })
}
