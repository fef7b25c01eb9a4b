//! What is deleted, in which order, and what is not.

use super::*;
use crate::store::history::api::Cleaned;
use std::time::Duration;

const LONG: Duration = Duration::from_mins(1);

fn now(days: i64) -> Timestamp {
    Timestamp::from_ms(MIDNIGHT + days * DAY_MS)
}

/// The rows of the tables: hot, state, chunk, rollup, event.
fn rows(stage: &Stage) -> [i64; 5] {
    ["hot", "state", "chunk", "rollup", "event"]
        .map(|table| stage.number(&format!("SELECT count(*) FROM {table}")))
}

fn kept(state_days: u32, raw_days: u32, events_days: u32) -> Options {
    Options { raw_days, state_days, events_days, ..Options::default() }
}

#[test]
fn a_row_is_as_old_as_its_end_and_one_within_an_incident_of_its_instance_stays() {
    let mut stage = Stage::new();
    stage.engine.options = kept(10, 20, 400);
    let ends = |days_ago: i64| (MIDNIGHT - days_ago * DAY_MS - HOUR_MS, MIDNIGHT - days_ago * DAY_MS);
    for instance in [1, 2] {
        for days in [9, 11, 19, 21] {
            let (start, end) = ends(days);
            stage.state(instance, start, end, 1);
            stage.chunk(instance, start, end, (false, 1, 1));
        }
    }
    // It touches the end of a row of 21 days of instance 2, and nothing of instance 1.
    stage.incident(2, ends(21).1, ends(21).1 + 1);
    let done = stage.engine.clean_up(now(0), LONG).unwrap();
    assert_eq!(done, Cleaned { old: 3 + 2 + 1, ..Cleaned::default() }, "{done:?}");
    assert_eq!(rows(&stage), [0, 3, 7, 0, 1]);
    assert_eq!(stage.number("SELECT count(*) FROM chunk WHERE instance = 1"), 3);
}

#[test]
fn thousands_go_in_one_pass_and_a_pass_without_time_says_that_there_is_more() {
    let mut stage = Stage::new();
    stage.engine.options = kept(10, 20, 400);
    for n in 0..1_201 {
        stage.state(1, MIDNIGHT - 50 * DAY_MS + n, MIDNIGHT - 50 * DAY_MS + n + 1, 1);
    }
    let none = stage.engine.clean_up(now(0), Duration::ZERO).unwrap();
    assert_eq!((none, rows(&stage)[1]), (Cleaned { more: true, ..Cleaned::default() }, 1_201));
    let all = stage.engine.clean_up(now(0), LONG).unwrap();
    assert_eq!((all, rows(&stage)[1]), (Cleaned { old: 1_201, ..Cleaned::default() }, 0));
}

#[test]
fn rows_are_looked_for_every_minute_and_those_of_a_deleted_incident_within_a_day() {
    let mut stage = Stage::new();
    stage.engine.options = kept(10, 20, 400);
    let old = MIDNIGHT - 30 * DAY_MS;
    stage.state(1, old, old + 1, 1);
    stage.incident(1, old, old + 1);
    let clean = |stage: &mut Stage, ms: i64| stage.engine.clean_up(now(0).plus_ms(ms), LONG).unwrap().old;
    assert_eq!(clean(&mut stage, 0), 0);
    stage.run("DELETE FROM event", []);
    stage.state(2, MIDNIGHT - 10 * DAY_MS, MIDNIGHT - 10 * DAY_MS + 1, 1);
    assert_eq!([clean(&mut stage, 59_000), clean(&mut stage, -59_000)], [0, 0]);
    assert_eq!(clean(&mut stage, 60_000), 1, "that of instance 2; what lies further back was seen to stay");
    assert_eq!(clean(&mut stage, HOUR_MS), 0);
    assert_eq!(clean(&mut stage, DAY_MS), 1);
}

#[test]
fn an_event_is_as_old_as_its_end_and_frees_its_rows_in_the_same_pass() {
    let mut stage = Stage::new();
    stage.engine.options = kept(10, 20, 100);
    let (long_ago, limit) = (MIDNIGHT - 300 * DAY_MS, MIDNIGHT - 100 * DAY_MS);
    stage.incident(1, long_ago, limit - 1);
    stage.incident(2, long_ago, limit);
    for instance in [1, 2] {
        stage.state(instance, long_ago, long_ago + 1, 1);
    }
    let done = stage.engine.clean_up(now(0), LONG).unwrap();
    assert_eq!((done.old, rows(&stage)), (2, [0, 1, 0, 0, 1]));
    assert_eq!(stage.number("SELECT instance FROM state"), 2);
}

#[test]
fn the_cap_takes_the_oldest_first_then_what_incidents_keep_then_roll_ups() {
    let mut stage = Stage::new();
    let hour = |n: i64| MIDNIGHT + n * HOUR_MS;
    stage.buffered(1, hour(0));
    stage.chunk(1, hour(0), hour(2), (false, 1, 1));
    stage.state(1, hour(2), hour(4), 1);
    stage.chunk(1, hour(4), hour(6), (false, 1, 1));
    stage.chunk(1, hour(4), hour(6) + HOUR_MS / 2, (false, 1, 1));
    stage.state(2, hour(0), hour(1), 1);
    stage.incident(2, hour(0), hour(1));
    stage.rollup(1, 3, hour(0) / 1000, 1);
    // Whatever there is, it is too much; and there is time for one step.
    stage.engine.options.max_bytes = 0;
    let mut step = || {
        let done = stage.engine.clean_up(now(0), Duration::ZERO).unwrap();
        (done.evicted, done.more, rows(&stage), stage.engine.evicted_until_ms())
    };
    assert_eq!(step(), (1, true, [0, 2, 3, 1, 1], hour(0)), "what was never sealed");
    assert_eq!(step(), (1, true, [0, 2, 2, 1, 1], hour(3)), "points, with an hour behind them");
    assert_eq!(step(), (1, true, [0, 1, 2, 1, 1], hour(5)), "states");
    assert_eq!(step(), (2, true, [0, 1, 0, 1, 1], hour(7)), "both chunks end within an hour");
    assert_eq!(step(), (1, true, [0, 0, 0, 1, 1], hour(7)), "what an incident keeps");
    assert_eq!(step(), (1, true, [0, 0, 0, 0, 1], hour(7)), "roll-ups");
    let (evicted, _, left, _) = step();
    assert_eq!((evicted, left), (0, [0, 0, 0, 0, 1]), "nothing is left to delete, and it ends");
}

#[test]
fn with_time_the_cap_takes_all_that_is_too_much_in_one_pass() {
    let mut stage = Stage::new();
    for n in 0..5 {
        stage.state(1, MIDNIGHT + n * 3 * HOUR_MS, MIDNIGHT + n * 3 * HOUR_MS + 1, 1);
    }
    stage.buffered(1, MIDNIGHT + 90 * HOUR_MS);
    stage.engine.options.max_bytes = 0;
    let done = stage.engine.clean_up(now(0), LONG).unwrap();
    assert_eq!(done, Cleaned { evicted: 6, ..Cleaned::default() });
    assert_eq!(rows(&stage), [0; 5]);
    let again = stage.engine.clean_up(now(0), Duration::ZERO).unwrap();
    assert_eq!(again, Cleaned::default(), "nothing is left to delete: there is no more to do");
    stage.engine.options.max_bytes = 1 << 30;
    stage.buffered(1, MIDNIGHT);
    assert_eq!(stage.engine.clean_up(now(0), LONG).unwrap(), Cleaned::default(), "there is room");
}

#[test]
fn free_pages_go_back_to_the_disk_but_for_some() {
    let mut stage = Stage::new();
    stage.run("INSERT INTO text VALUES (x'01', 20000, zeroblob(9000000))", []);
    let pages = |stage: &Stage| super::super::retain::pages(&stage.engine.connection).unwrap();
    let full = pages(&stage).0;
    stage.run("DELETE FROM text", []);
    assert!(pages(&stage).1 > 1_000, "{:?}", pages(&stage));
    stage.engine.clean_up(now(0), LONG).unwrap();
    let (left, free, page) = pages(&stage);
    assert!(left < full - 700 && free <= left / 20 + 256 && free > 0, "{left} pages, {free} free");
    assert!(stage.engine.size_bytes() >= (left * page) as u64, "file and log");
}
