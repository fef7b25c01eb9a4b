//! The flight recorder: who is polled at the pace of the screen because it is unwell, so that history has the minutes before
//! an incident in detail. Pure; time is an argument. Owned by the manager.
//!
//! Places are few. The worst instances have them. An instance keeps its place against its equals, and for [`HOLD`] after it
//! became well, so that its pace does not go to and fro with its health.

use crate::model::{
    fold::snapshot::{FleetSnapshot, InstanceSnapshot},
    inventory::instance::InstanceId,
    judge::health::Level,
    poll::link::Link,
};
use std::{cmp::Reverse, collections::HashMap, time::Duration};
use tokio::time::Instant;

/// A place is kept for so long after the instance became well.
const HOLD: Duration = Duration::from_mins(5);

/// The instances that have a place.
#[derive(Debug, Default)]
pub(super) struct FlightRecorder {
    /// with the time when it was unwell last
    places: HashMap<InstanceId, Instant>,
}

impl FlightRecorder {
    /// True if it is polled at the pace of the screen for being unwell.
    pub fn holds(&self, id: &InstanceId) -> bool {
        self.places.contains_key(id)
    }

    /// Hands out the places anew. An instance that is away or rests needs none: it has no figures. One with an interval of its own
    /// keeps that.
    pub fn look(&mut self, fleet: &FleetSnapshot, most: usize, now: Instant) {
        if most == 0 {
            return self.places.clear();
        }
        let before = std::mem::take(&mut self.places);
        let mut wanted: Vec<(Reverse<Level>, bool, u8, &InstanceId, Instant)> = Vec::new();
        for instance in &fleet.instances {
            let held = before.get(instance.id());
            let Some((level, last)) = wish(instance, held.copied(), now) else { continue };
            let score = instance.health.score.unwrap_or(u8::MAX);
            wanted.push((Reverse(level), held.is_none(), score, instance.id(), last));
        }
        wanted.sort_unstable();
        self.places = wanted.into_iter().take(most).map(|(.., id, last)| (id.clone(), last)).collect();
    }
}

/// How much it needs a place, and when it was unwell last. None: not at all.
fn wish(instance: &InstanceSnapshot, held: Option<Instant>, now: Instant) -> Option<(Level, Instant)> {
    let level = instance.health.level;
    let is_there = !matches!(instance.facts.link, Link::Down { .. } | Link::Idle);
    if instance.info.poll.every_s.is_some() {
        return None;
    }
    if is_there && matches!(level, Level::Warning | Level::Critical) {
        return Some((level, now));
    }
    held.filter(|last| now - *last < HOLD).map(|last| (Level::Ok, last))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        collect::fake::target,
        model::{
            base::time::Timestamp,
            fold::{Fleet, update::Update},
        },
    };
    use std::sync::Arc;

    fn fleet(levels: &[(&str, Level, u8)]) -> FleetSnapshot {
        let mut fleet = Fleet::new(crate::model::judge::health::Thresholds::default());
        fleet.apply(Update::Inventory(levels.iter().map(|(name, ..)| target(name).info).collect()));
        let mut snapshot = FleetSnapshot::clone(&fleet.snapshot(Timestamp::from_ms(1)));
        for instance in &mut snapshot.instances {
            let (_, level, score) = levels.iter().find(|l| instance.id().as_str() == l.0).unwrap();
            let instance = Arc::make_mut(instance);
            instance.facts.link = if *level == Level::Offline { Link::Idle } else { Link::Up };
            (instance.health.level, instance.health.score) = (*level, Some(*score));
        }
        snapshot
    }

    fn held(recorder: &FlightRecorder) -> Vec<&str> {
        let mut names: Vec<&str> = recorder.places.keys().map(InstanceId::as_str).collect();
        names.sort_unstable();
        names
    }

    #[test]
    fn the_worst_have_the_places_and_equals_do_not_push_each_other_out() {
        use Level::{Critical, Offline, Ok, Unknown, Warning};
        let (mut recorder, now) = (FlightRecorder::default(), Instant::now());
        let first = fleet(&[
            ("a", Warning, 70),
            ("b", Ok, 100),
            ("c", Warning, 60),
            ("d", Offline, 0),
            ("e", Unknown, 0),
        ]);
        recorder.look(&first, 9, now);
        assert_eq!(held(&recorder), ["a", "c"]);
        recorder.look(&first, 1, now);
        assert_eq!(held(&recorder), ["c"], "the lower score");
        recorder.look(&fleet(&[("a", Warning, 10), ("c", Warning, 60)]), 1, now);
        assert_eq!(held(&recorder), ["c"], "it has it already");
        recorder.look(&fleet(&[("a", Critical, 30), ("c", Warning, 60)]), 1, now);
        assert_eq!(held(&recorder), ["a"]);
        recorder.look(&first, 0, now);
        assert!(held(&recorder).is_empty(), "switched off");
    }

    #[test]
    fn a_place_is_kept_for_five_minutes_after_it_became_well_unless_somebody_needs_it() {
        let (mut recorder, now) = (FlightRecorder::default(), Instant::now());
        let at = |s| now + Duration::from_secs(s);
        recorder.look(&fleet(&[("a", Level::Critical, 0), ("b", Level::Ok, 100)]), 1, at(0));
        let well = fleet(&[("a", Level::Ok, 100), ("b", Level::Ok, 100)]);
        recorder.look(&well, 1, at(299));
        assert_eq!(held(&recorder), ["a"]);
        recorder.look(&fleet(&[("a", Level::Warning, 80), ("b", Level::Ok, 100)]), 1, at(299));
        recorder.look(&well, 1, at(598));
        assert_eq!(held(&recorder), ["a"], "counted from when it was unwell last");
        recorder.look(&well, 1, at(600));
        assert!(held(&recorder).is_empty());
        recorder.look(&fleet(&[("a", Level::Warning, 80), ("b", Level::Ok, 100)]), 1, at(601));
        recorder.look(&fleet(&[("a", Level::Ok, 100), ("b", Level::Warning, 80)]), 1, at(602));
        assert_eq!(held(&recorder), ["b"]);
    }
}
