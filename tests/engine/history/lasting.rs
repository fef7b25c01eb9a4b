//! Events that last: an outage of months is on the time line for as long as it goes on, and its age counts from its end.

use crate::world::{LONG, Stage, World, at, blocking, feed, name, text, uid};
use dbtop::{
    model::{
        base::failure::{Failure, FailureKind},
        poll::{State, id::ProbeId, link::Link},
        timeline::{
            chart::MarkKind,
            record::{Record, Recorded},
        },
    },
    store::history::{Engine, Event, EventFilter, Marks, Options, Reader},
};

const DAY: i64 = 86_400;

/// What an instance tells of its connection.
fn link(second: i64, is_up: bool) -> Record {
    let failure = Failure::new(FailureKind::Unreachable, "no route to host");
    let link = if is_up { Link::Up } else { Link::Down { failure, attempts: 3, next_at: at(second + 30) } };
    let what = Recorded::Link { link, since: at(second), was_down: is_up };
    Record { info: crate::world::info(&name(0)), at: at(second), what }
}

fn tell(engine: &mut Engine, second: i64, is_up: bool) {
    engine.take(vec![link(second, is_up)]);
    engine.commit().unwrap();
}

fn outages(stage: &Stage) -> Vec<Event> {
    let reader = Reader::open(&stage.path(), None).unwrap();
    let filter = EventFilter { uids: vec![uid(&name(0))], kinds: vec![MarkKind::Connection] };
    reader.events().list(&filter, at(0), at(2000 * DAY)).unwrap()
}

/// An instance that was reachable and is not any more, since second 60.
fn down() -> (Stage, Engine) {
    let stage = Stage::new();
    let mut engine = Engine::open(&stage.path(), None, Options::default()).unwrap();
    feed(&mut engine, &mut World::new(1), 0..60);
    tell(&mut engine, 60, false);
    (stage, engine)
}

#[test]
fn an_outage_is_deleted_by_its_end_and_never_while_it_lasts() {
    let (stage, mut engine) = down();
    engine.clean_up(at(500 * DAY), LONG).unwrap();
    let found = outages(&stage);
    assert_eq!(found.iter().map(|event| (event.at, event.to)).collect::<Vec<_>>(), [(at(60), None)]);
    tell(&mut engine, 500 * DAY, true);
    engine.clean_up(at(899 * DAY), LONG).unwrap();
    assert_eq!(outages(&stage)[0].to, Some(at(500 * DAY)), "it ended less than 400 days ago");
    engine.clean_up(at(901 * DAY), LONG).unwrap();
    assert_eq!(outages(&stage), []);
}

#[test]
fn an_outage_whose_row_is_gone_is_written_again_while_it_lasts() {
    let (stage, mut engine) = down();
    let written = outages(&stage);
    assert!(Marks::open(&stage.path(), None).unwrap().remove(written[0].no).unwrap());
    assert_eq!(outages(&stage), []);
    engine.clean_up(at(DAY), LONG).unwrap();
    engine.commit().unwrap();
    assert_eq!(outages(&stage), written);
    // The next writer goes on with it.
    engine.close().unwrap();
    let mut engine = Engine::open(&stage.path(), None, Options::default()).unwrap();
    engine.clean_up(at(500 * DAY), LONG).unwrap();
    assert_eq!(outages(&stage), written);
    tell(&mut engine, 500 * DAY, true);
    assert_eq!(outages(&stage)[0].to, Some(at(500 * DAY)));
}

/// A collector that ended while session 88 blocked, and finds it blocking an hour later.
#[test]
fn the_same_head_blocker_after_a_gap_is_another_episode_and_the_first_has_ended() {
    let stage = Stage::new();
    let mut engine = Engine::open(&stage.path(), None, Options::default()).unwrap();
    for second in [0, 30, 3600] {
        let blocked = State::Blocking(blocking(2, 5_000, &text(1)).into());
        let what = Recorded::Reading { probe: ProbeId::Blocking, every_ms: 30_000, state: Ok(blocked) };
        engine.take(vec![Record { info: crate::world::info(&name(0)), at: at(second), what }]);
        engine.commit().unwrap();
    }
    let reader = Reader::open(&stage.path(), None).unwrap();
    let filter = EventFilter { uids: vec![uid(&name(0))], kinds: vec![MarkKind::Blocking] };
    let episodes = reader.events().list(&filter, at(0), at(DAY)).unwrap();
    assert_eq!(episodes.iter().map(|event| event.to).collect::<Vec<_>>(), [Some(at(30)), None]);
}
