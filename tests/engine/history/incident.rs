//! Incidents: records within one stay when older ones are deleted, in panes and charts, and are deleted with the incident.

use crate::world::{LONG, Stage, World, at, feed, name, uid};
use dbtop::{
    model::{
        judge::{
            health::{Health, Level, Reason, Topic},
            why::Why,
        },
        poll::id::{SeriesId, SeriesKey},
        timeline::{
            chart::MarkKind,
            event::Cause,
            record::{Record, Recorded},
        },
    },
    store::history::{Engine, Event, EventFilter, Marks, Options, Reader},
};
use std::time::Instant;

const DAY: i64 = 86_400;
/// When it was noticed, seconds.
const NOTICED: i64 = 27 * 3600;

fn rows(reader: &Reader, name: &str) -> u64 {
    reader.stats().all().unwrap().tiers.iter().find(|tier| tier.name == name).unwrap().rows
}

fn incidents(reader: &Reader) -> Vec<Event> {
    let filter = EventFilter { uids: Vec::new(), kinds: vec![MarkKind::Incident] };
    reader.events().list(&filter, at(0), at(2 * DAY)).unwrap()
}

fn readings_at(reader: &mut Reader, second: i64) -> usize {
    let past = reader.states().at(&[uid(&name(0))], at(second)).unwrap();
    past.kept.iter().filter(|kept| kept.at >= at(second - 120)).count()
}

/// Thirty hours of an instance, with an incident near their end.
fn kept(stage: &Stage, options: Options) -> Engine {
    let mut engine = Engine::open(&stage.path(), None, options).unwrap();
    feed(&mut engine, &mut World::new(1), 0..30 * 3600);
    engine.note(Event::incident(uid(&name(0)), at(NOTICED), Cause::Note("CPU 99 %".into())));
    engine.commit().unwrap();
    engine.seal(at(2 * DAY), LONG).unwrap();
    engine
}

#[test]
fn what_lies_within_an_incident_outlives_its_neighbours_and_goes_with_it() {
    let stage = Stage::new();
    let mut engine = kept(&stage, Options::default());
    let mut reader = Reader::open(&stage.path(), None).unwrap();
    engine.clean_up(at(60 * DAY), LONG).unwrap();
    assert!(
        (1..=3).contains(&rows(&reader, "states")),
        "{} blocks of a quarter of an hour",
        rows(&reader, "states")
    );
    let chunks = rows(&reader, "points, sealed chunks");
    assert!((1..=24).contains(&chunks), "two hours of each probe, or four: {chunks}");
    assert!(readings_at(&mut reader, NOTICED - 540) > 5 && readings_at(&mut reader, NOTICED + 240) > 5);
    assert_eq!(readings_at(&mut reader, NOTICED + 3600), 0);
    // A chart within it has its points; one around it the means, which reach further back.
    let cpu = SeriesKey::of(SeriesId::Cpu);
    let chart =
        |from, to, points| reader.charts().draw(&uid(&name(0)), &cpu, at(from), at(to), points).unwrap();
    let within = chart(NOTICED - 600, NOTICED + 300, 900);
    assert!(within.tier.is_none() && within.line.buckets.len() > 25, "{}", within.line.buckets.len());
    let around = chart(600, 29 * 3600, 5000);
    assert!(around.tier.is_some() && around.line.buckets.len() > 50, "{}", around.line.buckets.len());
    engine.clean_up(at(402 * DAY), LONG).unwrap();
    assert_eq!((rows(&reader, "states"), rows(&reader, "points, sealed chunks")), (0, 0));
    assert!(reader.check().unwrap().is_clean());
}

#[test]
fn the_cap_takes_what_an_incident_keeps_last() {
    let stage = Stage::new();
    drop(kept(&stage, Options::default()));
    let bytes = std::fs::metadata(stage.path()).unwrap().len();
    let shrink = |to: u64| {
        let options = Options { max_bytes: to, ..Options::default() };
        let mut engine = Engine::open(&stage.path(), None, options).unwrap();
        assert!(engine.clean_up(at(2 * DAY), LONG).unwrap().evicted > 0);
    };
    let mut reader = Reader::open(&stage.path(), None).unwrap();
    let all = rows(&reader, "states");
    shrink(bytes / 2);
    assert!(rows(&reader, "states") < all / 2 && readings_at(&mut reader, NOTICED) > 5);
    shrink(200_000);
    assert_eq!((rows(&reader, "states"), rows(&reader, "points, sealed chunks")), (0, 0), "the cap is hard");
}

#[test]
fn many_incidents_do_not_make_a_pass_slow() {
    let stage = Stage::new();
    let mut engine = Engine::open(&stage.path(), None, Options::default()).unwrap();
    feed(&mut engine, &mut World::new(20), 0..6 * 3600);
    for instance in 0..20 {
        for quarter in 1..20 {
            engine.note(Event::incident(
                uid(&name(instance)),
                at(quarter * 1000),
                Cause::Note("so it was".into()),
            ));
        }
    }
    engine.commit().unwrap();
    engine.seal(at(DAY), LONG).unwrap();
    let reader = Reader::open(&stage.path(), None).unwrap();
    let mut pass = |minute: i64| {
        let started = Instant::now();
        let cleaned = engine.clean_up(at(60 * DAY + minute * 60), LONG).unwrap();
        println!("pass {minute}: {cleaned:?} in {:.2} ms", started.elapsed().as_secs_f64() * 1000.0);
    };
    pass(0);
    let left = (rows(&reader, "states"), rows(&reader, "points, sealed chunks"));
    assert!(left.0 > 300, "nearly all of it is kept: {left:?}");
    pass(2);
    assert_eq!((rows(&reader, "states"), rows(&reader, "points, sealed chunks")), left);
}

fn critical(second: i64, level: Level) -> Record {
    let why = Why::Sentence("blocked 300 s by 71".into());
    let reason = Reason::new(level, Topic::Blocking(71), 60, why);
    let health = Health { score: Some(40), level, reasons: vec![reason] };
    Record {
        info: crate::world::info(&name(1)),
        at: at(second),
        what: Recorded::Health { health, polled: true },
    }
}

#[test]
fn a_change_to_critical_is_on_the_time_line_and_a_key_prolongs_it_from_any_process() {
    let stage = Stage::new();
    let mut engine = Engine::open(&stage.path(), None, Options::default()).unwrap();
    engine.take(vec![critical(0, Level::Ok), critical(1000, Level::Critical)]);
    engine.commit().unwrap();
    let reader = Reader::open(&stage.path(), None).unwrap();
    let found = incidents(&reader);
    assert_eq!(found.len(), 1, "{found:?}");
    assert_eq!(
        (found[0].at, found[0].to, &*found[0].what.to_string()),
        (at(400), Some(at(1300)), "blocked 300 s by 71")
    );
    drop(engine);
    // The next collector, killed or not, goes on with it.
    let mut engine = Engine::open(&stage.path(), None, Options::default()).unwrap();
    engine.take(vec![critical(1100, Level::Unknown), critical(1101, Level::Critical)]);
    engine.note(Event::incident(uid(&name(1)), at(1200), Cause::ByHand));
    engine.commit().unwrap();
    // And another process beside it.
    Marks::open(&stage.path(), None)
        .unwrap()
        .put(&Event::incident(uid(&name(1)), at(1260), Cause::ByHand))
        .unwrap();
    let now = incidents(&reader);
    assert_eq!((now.len(), now[0].no), (1, found[0].no), "{now:?}");
    assert_eq!((now[0].at, now[0].to), (at(400), Some(at(1560))));
    assert_eq!(now[0].what.to_string(), "blocked 300 s by 71 · kept by hand");
}
