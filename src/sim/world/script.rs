//! The troubles of a scenario, sorted by instance: the events that each one sees, and the sessions that were killed.

use super::{fleet::Fleet, profile::Profile};
use crate::sim::scenario::{Cut, Event, Kind, Scenario, Selector, Span};

/// An event as it concerns one instance.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Happening {
    /// kind
    pub kind: Kind,
    /// time
    pub span: Span,
    /// amount
    pub amount: f64,
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
            let hits = |s: &Selector| s.hits(profile.index, &profile.name, &groups);
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
