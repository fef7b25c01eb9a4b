//! Instances of the past that are not in the inventory any more.

use crate::world::{LONG, Stage, World, at, info, name, uid};
use dbtop::{
    model::{
        inventory::instance::{InstanceId, InstanceInfo},
        judge::health::{Level, Thresholds, Topic},
    },
    store::history::{Engine, Options, Reader, Recent, fleet_at},
};
use std::sync::Arc;

const HOUR: i64 = 3_600;

/// Five hours of three instances, and two of a fourth.
fn scene(stage: &Stage) -> Vec<Arc<InstanceInfo>> {
    let mut world = World::new(4);
    let mut engine = Engine::open(&stage.path(), None, Options::default()).unwrap();
    for second in (0..5 * HOUR).step_by(30) {
        let mut batch = world.round(second);
        batch.retain(|kept| second < 2 * HOUR || kept.info.uid != uid(&name(3)));
        engine.take(batch);
        engine.commit().unwrap();
        engine.seal(at(second + 30), LONG).unwrap();
    }
    world.infos()[..3].to_vec()
}

fn ids(infos: &[Arc<InstanceInfo>]) -> Vec<&str> {
    infos.iter().map(|info| info.id.as_str()).collect()
}

#[test]
fn who_was_removed_is_there_as_long_as_it_was_polled() {
    let stage = Stage::new();
    let inventory = scene(&stage);
    let mut reader = Reader::open(&stage.path(), None).unwrap();
    for (second, is_there) in [
        (-HOUR, false),
        (60, true),
        (HOUR, true),
        (2 * HOUR + 5 * 60, true),
        (2 * HOUR + 31 * 60, false),
        (4 * HOUR, false),
    ] {
        let gone = reader.instances().gone(&inventory, at(second)).unwrap();
        assert_eq!(ids(&gone) == [name(3)], is_there, "at {second} s: {gone:?}");
        assert_eq!(gone.is_empty(), !is_there, "at {second} s");
    }
    let all: Vec<_> = inventory.iter().cloned().chain([info(&name(3))]).collect();
    assert!(reader.instances().gone(&all, at(HOUR)).unwrap().is_empty(), "it is in the inventory");
    assert_eq!(reader.instances().gone(&[], at(4 * HOUR)).unwrap().len(), 3, "an inventory that was emptied");
}

#[test]
fn history_says_since_when_it_knows_an_instance() {
    let stage = Stage::new();
    scene(&stage);
    let mut reader = Reader::open(&stage.path(), None).unwrap();
    let since = reader.instances().known_since(&uid(&name(3))).unwrap().unwrap();
    assert!((0..30_000).contains(&(since - at(0))), "{since:?}");
    assert_eq!(reader.instances().known_since("nobody").unwrap(), None);
}

#[test]
fn an_instance_is_polled_only_while_it_answers_itself() {
    let stage = Stage::new();
    let mut world = World::new(2);
    let mut engine = Engine::open(&stage.path(), None, Options::default()).unwrap();
    // The second one is in maintenance from the third hour to the ninth: in roll-ups; and in the last ten minutes.
    for second in (0..12 * HOUR).step_by(30) {
        let mut batch = world.round(second);
        let is_out = (3 * HOUR..9 * HOUR).contains(&second) || second >= 12 * HOUR - 600;
        batch.retain(|kept| !is_out || kept.info.uid != uid(&name(1)));
        engine.take(batch);
        engine.commit().unwrap();
        engine.seal(at(second + 30), LONG).unwrap();
    }
    let mut reader = Reader::open(&stage.path(), None).unwrap();
    let mut polled = |n: usize, from, to| {
        let found = reader.instances().polled(&uid(&name(n)), at(from), at(to)).unwrap();
        found.iter().map(|span| ((span.from - at(0)) / 1000, (span.to - at(0)) / 1000)).collect::<Vec<_>>()
    };
    let (all, part) = (polled(0, 0, 12 * HOUR), polled(1, 0, 12 * HOUR));
    let [(from, to)] = all[..] else { panic!("{all:?}") };
    assert!(from <= 0 && to >= 12 * HOUR, "{all:?}");
    let [before, after] = part[..] else { panic!("{part:?}") };
    assert!(before.0 <= 0 && (0..=300).contains(&(before.1 - 3 * HOUR)), "{part:?}");
    assert!((0..=300).contains(&(9 * HOUR - after.0)), "{part:?}");
    assert!((-600..=-270).contains(&(after.1 - 12 * HOUR)), "{part:?}");
    assert!(polled(1, 4 * HOUR, 8 * HOUR).is_empty() && polled(7, 0, 12 * HOUR).is_empty());
}

#[test]
fn it_has_its_state_of_then_and_a_word_and_a_name_of_its_own() {
    let stage = Stage::new();
    let mut inventory = scene(&stage);
    // The same name again, as another record.
    inventory.push(Arc::new(InstanceInfo { uid: "uid-new".into(), ..InstanceInfo::clone(&info(&name(3))) }));
    let mut reader = Reader::open(&stage.path(), None).unwrap();
    let gone = reader.instances().gone(&inventory, at(HOUR)).unwrap();
    let removed = format!("{} (removed)", name(3));
    assert_eq!(ids(&gone), [removed.as_str()]);
    assert_eq!(gone[0].uid, uid(&name(3)));
    let infos: Vec<_> = inventory.iter().chain(&gone).cloned().collect();
    let mut fleet = fleet_at(&mut reader, &infos, &Thresholds::default(), at(HOUR), Recent::All).unwrap();
    let before = fleet.counts;
    Arc::make_mut(&mut fleet).mark_gone(&gone);
    let of = |id: &str| Arc::clone(fleet.find(&InstanceId::new(id)).unwrap());
    let (then, now, other) = (of(&removed), of(&name(3)), of(&name(0)));
    assert!(then.facts.headline.get().is_some() && then.facts.activity.get().is_some());
    assert!(now.facts.headline.get().is_none(), "the one of today was not there");
    let marked = |i: &dbtop::model::fold::snapshot::InstanceSnapshot| {
        i.health
            .reasons
            .iter()
            .any(|r| r.topic == Topic::Inventory && r.text() == "no longer in the inventory")
    };
    assert!(marked(&then) && !marked(&now) && !marked(&other));
    assert!(fleet.counts == before && then.health.level != Level::Unknown, "it is judged as it was");
}

#[test]
fn a_renamed_instance_has_one_history_under_its_new_name() {
    let stage = Stage::new();
    let mut world = World::new(2);
    let mut engine = Engine::open(&stage.path(), None, Options::default()).unwrap();
    for second in (0..2 * HOUR).step_by(30) {
        let mut batch = world.round(second);
        for kept in batch.iter_mut().filter(|kept| second >= HOUR && kept.info.uid == uid(&name(1))) {
            kept.info = Arc::new(InstanceInfo { id: InstanceId::new("billing"), ..(*kept.info).clone() });
        }
        engine.take(batch);
        engine.commit().unwrap();
        engine.seal(at(second + 30), LONG).unwrap();
    }
    let mut reader = Reader::open(&stage.path(), None).unwrap();
    assert_eq!(ids(&reader.instances().all().unwrap()), [name(0).as_str(), "billing"]);
    // Before and after it was renamed, by what identifies it.
    for second in [HOUR / 2, HOUR + HOUR / 2] {
        assert!(!reader.states().at(&[uid(&name(1))], at(second)).unwrap().kept.is_empty(), "at {second} s");
    }
    assert!(reader.instances().known_since(&uid(&name(1))).unwrap().unwrap() < at(60), "since its old name");
}
