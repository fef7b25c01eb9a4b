//! A step of the clock makes nothing older: the engine with the test's clock, over real files. No wrong clock may
//! cost any data; data that is really old is deleted in the end.

use crate::world::{LONG, START, Stage, World, at, feed, name, uid};
use dbtop::{
    model::{
        base::{age::Moment, time::Timestamp},
        poll::id::{SeriesId, SeriesKey},
        timeline::chart::MarkKind,
    },
    store::history::{Engine, EventFilter, Options, Reader},
};
use std::time::Duration;

const HOUR: i64 = 3_600;
const DAY: i64 = 24 * HOUR;
/// So long the collector wrote before anything happens.
const WROTE: i64 = 4 * HOUR;

/// Both clocks, in seconds.
fn moment(wall: i64, up: i64) -> Moment {
    Moment { wall: at(wall), up: Duration::from_secs(up as u64) }
}

/// A collector of one instance: its engine, its world, its uptime.
struct Collector {
    stage: Stage,
    engine: Engine,
    world: World,
    up: i64,
}

impl Collector {
    /// That has written for four hours, with the right clock. Its states, points and events are sealed.
    fn new() -> Self {
        let stage = Stage::new();
        let engine = Engine::open(&stage.path(), None, Options::default()).unwrap();
        let mut collector = Self { stage, engine, world: World::new(1), up: 0 };
        collector.run(0, WROTE);
        assert!(collector.rows("states") > 12 && collector.rows("points, sealed chunks") > 5);
        collector
    }

    /// Collects and tends for so many seconds, from this second of the wall clock on.
    fn run(&mut self, wall: i64, seconds: i64) {
        for second in (0..seconds).step_by(60) {
            self.engine.judge(moment(wall + second, self.up + second)).unwrap();
            self.engine.take(self.world.round(wall + second));
            self.engine.commit().unwrap();
            self.engine.housekeep(moment(wall + second, self.up + second), LONG).unwrap();
        }
        self.up += seconds;
    }

    /// A new process; `seconds` later, with a monotonic clock that begins anew.
    fn restart(mut self) -> Self {
        self.engine.close().unwrap();
        self.engine = Engine::open(&self.stage.path(), None, Options::default()).unwrap();
        self.up = 1000;
        self
    }

    fn rows(&self, tier: &str) -> u64 {
        let stats = Reader::open(&self.stage.path(), None).unwrap().stats().all().unwrap();
        stats.tiers.iter().find(|one| one.name == tier).unwrap().rows
    }

    /// States, sealed points and events of before the step.
    fn of_before(&self) -> (usize, usize) {
        let mut reader = Reader::open(&self.stage.path(), None).unwrap();
        let past = reader.states().between(&uid(&name(0)), at(-1), at(WROTE - 60)).unwrap();
        let key = SeriesKey::of(SeriesId::Cpu);
        (past.kept.len(), reader.charts().points(&uid(&name(0)), &key, at(0), at(WROTE - 60)).unwrap().len())
    }

    fn gaps(&self) -> Vec<(i64, i64)> {
        let reader = Reader::open(&self.stage.path(), None).unwrap();
        let filter = EventFilter { kinds: vec![MarkKind::Gap], ..EventFilter::default() };
        let found = reader.events().list(&filter, at(0), at(500 * DAY)).unwrap();
        let second = |at: Timestamp| (at - START) / 1000;
        found.iter().map(|gap| (second(gap.at), gap.to.map_or(0, second))).collect()
    }
}

#[test]
fn a_step_ahead_of_seconds_takes_nothing_and_is_no_gap() {
    for days in [20, 40, 500] {
        let mut collector = Collector::new();
        let before = collector.of_before();
        assert!(before.0 > 500 && before.1 > 200, "{before:?}");
        collector.run(WROTE + days * DAY, 120);
        assert_eq!(collector.of_before(), before, "{days} days ahead");
        collector.run(WROTE + 120, HOUR);
        assert_eq!(collector.of_before(), before);
        assert_eq!(collector.gaps(), []);
        // Nor for the next process, which finds the rows of the future.
        let mut collector = collector.restart();
        collector.run(WROTE + HOUR + 180, HOUR);
        assert_eq!((collector.of_before(), collector.gaps()), (before, vec![]));
        assert!(Reader::open(&collector.stage.path(), None).unwrap().check().unwrap().is_clean());
    }
}

#[test]
fn a_clock_that_stays_ahead_is_the_time_after_hours() {
    let mut collector = Collector::new();
    let before = collector.of_before();
    collector.run(WROTE + 20 * DAY, 5 * HOUR);
    assert_eq!(collector.of_before(), before);
    collector.run(WROTE + 5 * HOUR + 20 * DAY, 2 * HOUR);
    let after = collector.of_before();
    assert_eq!(after.0, 0, "states are kept for 14 days");
    assert_eq!(after.1, before.1, "points for 30");
    let gaps = collector.gaps();
    assert_eq!(gaps.len(), 1, "{gaps:?}");
    assert!(gaps[0].0 < WROTE && (gaps[0].1 - WROTE - 20 * DAY).abs() < 60, "{gaps:?}");
}

#[test]
fn a_clock_that_was_ahead_for_an_hour_leaves_no_gap_in_the_future() {
    for restarted in [false, true] {
        let mut collector = Collector::new();
        collector.run(WROTE + 20 * DAY, HOUR);
        assert_eq!(collector.gaps().len(), 1, "by now it may be the time");
        if restarted {
            collector = collector.restart();
        }
        collector.run(WROTE + HOUR, HOUR);
        let ends = |gaps: &[(i64, i64)]| gaps.iter().map(|gap| gap.1).max().unwrap_or(0);
        let gaps = collector.gaps();
        assert!(gaps.len() <= 1 && ends(&gaps) < WROTE + HOUR + 60, "{gaps:?}");
        // A real one is noted as ever.
        collector.up += HOUR;
        collector.run(WROTE + 3 * HOUR, HOUR);
        let noted = collector.gaps();
        assert_eq!(noted.len(), gaps.len() + 1, "{noted:?}");
        assert!((ends(&noted) - WROTE - 3 * HOUR).abs() < 60, "{noted:?}");
    }
}

#[test]
fn a_step_back_takes_no_gap() {
    let mut collector = Collector::new();
    collector.up += HOUR;
    collector.run(WROTE + HOUR, HOUR);
    let gaps = collector.gaps();
    assert_eq!(gaps.len(), 1);
    collector.run(WROTE - 40 * DAY, 8 * HOUR);
    assert_eq!(collector.gaps(), gaps, "not even of a clock that is believed by now");
}

#[test]
fn a_step_back_takes_nothing_and_the_way_back_neither() {
    let mut collector = Collector::new();
    let before = collector.of_before();
    collector.run(WROTE - 40 * DAY, HOUR);
    assert_eq!(collector.of_before(), before);
    collector.run(WROTE + HOUR, HOUR);
    assert_eq!(collector.of_before(), before);
}

#[test]
fn a_process_that_starts_with_a_wrong_clock_again_and_again_takes_nothing() {
    let mut collector = Collector::new();
    let before = collector.of_before();
    let mut wall = WROTE + 20 * DAY;
    for _ in 0..90 {
        collector = collector.restart();
        collector.run(wall, 5 * 60);
        wall += 5 * 60 + 10;
    }
    assert_eq!(collector.of_before(), before, "seven and a half hours, five minutes each");
    collector = collector.restart();
    collector.run(WROTE + 8 * HOUR, HOUR);
    assert_eq!(collector.of_before(), before, "and the clock is right again");
}

#[test]
fn after_weeks_without_a_process_what_is_old_goes_some_hours_later() {
    let collector = Collector::new();
    let before = collector.of_before();
    let mut collector = collector.restart();
    collector.run(WROTE + 30 * DAY, 5 * HOUR);
    assert_eq!(collector.of_before(), before);
    assert!(collector.rows("not sealed yet") < 400, "windows close all the same");
    collector.run(WROTE + 5 * HOUR + 30 * DAY, 2 * HOUR);
    assert_eq!(collector.of_before().0, 0);
    assert_eq!(collector.gaps().len(), 1);
}

#[test]
fn an_hour_a_day_cleans_up_in_the_end() {
    let mut collector = Collector::new();
    for day in 1..40 {
        collector = collector.restart();
        collector.run(WROTE + day * DAY, HOUR);
    }
    assert_eq!(collector.of_before(), (0, 0), "after 39 days neither states nor points");
    let oldest = Reader::open(&collector.stage.path(), None).unwrap().stats().span().unwrap().unwrap().0;
    let days = (at(WROTE + 39 * DAY) - oldest) / 86_400_000;
    assert!((14..=21).contains(&days), "the oldest state is {days} days old");
}

#[test]
fn runs_of_five_minutes_a_day_seal_what_the_runs_before_wrote() {
    let mut collector = Collector::new();
    let mut waiting = Vec::new();
    for day in 1..20 {
        collector = collector.restart();
        collector.run(WROTE + day * DAY, 5 * 60);
        waiting.push(collector.rows("not sealed yet"));
    }
    assert!(waiting[0] > 0 && waiting.iter().all(|rows| *rows <= waiting[0]), "{waiting:?}");
    let mut reader = Reader::open(&collector.stage.path(), None).unwrap();
    let states = reader.states().between(&uid(&name(0)), at(WROTE + DAY - 1), at(WROTE + 19 * DAY)).unwrap();
    assert!(states.kept.len() > 18 * 5, "and they can be read: {}", states.kept.len());
    assert!(reader.check().unwrap().is_clean());
}

#[test]
fn a_store_of_another_machine_is_judged_by_the_time_of_that_one() {
    // Written three weeks behind, carried to a machine with the right time, and the other way round.
    let mut collector = Collector::new();
    let before = collector.of_before();
    let reader = Reader::open(&collector.stage.path(), None).unwrap();
    let copy = collector.stage.folder.path().join("copy.db");
    collector.engine.commit().unwrap();
    reader.backup(&copy).unwrap();
    for days in [21, -21] {
        let stage = Stage::new();
        std::fs::copy(&copy, stage.path()).unwrap();
        let engine = Engine::open(&stage.path(), None, Options::default()).unwrap();
        let mut here = Collector { stage, engine, world: World::new(1), up: 77 };
        here.run(WROTE + days * DAY, 5 * HOUR);
        assert_eq!(here.of_before().1, before.1, "{days}");
        assert!(here.of_before().0 >= before.0, "{days}");
    }
}

#[test]
fn a_machine_that_was_suspended_has_aged_meanwhile() {
    let mut collector = Collector::new();
    // Its monotonic clock counts a suspend: 20 days on both.
    collector.up += 20 * DAY;
    collector.run(WROTE + 20 * DAY, 60);
    assert_eq!(collector.of_before().0, 0, "they are really old");
    assert_eq!(collector.gaps().len(), 1);
}

#[test]
fn a_store_of_before_learns_the_time_from_its_newest_row() {
    let stage = Stage::new();
    let mut engine = Engine::open(&stage.path(), None, Options::default()).unwrap();
    feed(&mut engine, &mut World::new(1), 0..WROTE);
    engine.close().unwrap();
    let engine = Engine::open(&stage.path(), None, Options::default()).unwrap();
    let mut collector = Collector { stage, engine, world: World::new(1), up: 0 };
    let before = collector.of_before();
    collector.run(WROTE + 20 * DAY, HOUR);
    assert_eq!(collector.of_before(), before);
}
