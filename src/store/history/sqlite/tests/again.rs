//! What servers keep of the past is read again after a start: it is on the time line once.

use super::*;
use crate::model::poll::{
    deadlocks::{DeadlockReport, DeadlockTable},
    growths::{FileGrowth, GrowthTable},
};

fn reading(s: i64, probe: ProbeId, state: State) -> Record {
    let what = Recorded::Reading { probe, every_ms: 60_000, state: Ok(state) };
    Record { info: info("a"), at: at(s), what }
}

/// A first reading of what there is: growths and deadlocks that began at these seconds.
fn first(s: i64, seconds: &[i64]) -> Vec<Record> {
    let growth = |s: &i64| FileGrowth { at: at(*s), file: Some("data".into()), ..FileGrowth::default() };
    let growths: Vec<FileGrowth> = seconds.iter().map(growth).collect();
    let grown = GrowthTable { new: growths.len() as u64, growths, ..GrowthTable::default() };
    let mut table = DeadlockTable::default();
    for s in seconds {
        let report = DeadlockReport { at: at(*s), hash: *s as u64, ..DeadlockReport::default() };
        table.pattern(7, "key lookup").push(report);
    }
    vec![
        reading(s, ProbeId::Growths, State::Growths(Arc::new(grown))),
        reading(s, ProbeId::Deadlocks, State::Deadlocks(Arc::new(table))),
    ]
}

#[test]
fn what_is_read_again_after_a_start_is_on_the_time_line_once() {
    let mut stage = Stage::new();
    let events = |stage: &Stage| {
        [9, 1].map(|kind| stage.number(&format!("SELECT count(*) FROM event WHERE kind = {kind}")))
    };
    stage.take(first(100, &[90, 80]));
    assert_eq!(events(&stage), [1, 2], "one of a file, one of each deadlock");
    let Stage { folder, engine } = stage;
    engine.close().unwrap();
    let engine = Engine::open(&folder.path().join("history.db"), None, Options::default()).unwrap();
    let mut stage = Stage { folder, engine };
    stage.take(first(300, &[90, 80]));
    assert_eq!(events(&stage), [1, 2], "nothing came meanwhile");
    stage.take(first(310, &[305]));
    assert_eq!(events(&stage), [2, 3], "from then on all is news that is told as such");
    let Stage { folder, engine } = stage;
    engine.close().unwrap();
    let engine = Engine::open(&folder.path().join("history.db"), None, Options::default()).unwrap();
    let mut stage = Stage { folder, engine };
    stage.take(first(500, &[400, 305, 90]));
    assert_eq!(events(&stage), [3, 4], "what came while nobody looked");
}

#[test]
fn a_deadlock_that_was_only_counted_before_a_stop_is_told_by_its_report_after_it() {
    let mut stage = Stage::new();
    let headline = |s: i64, per_min: f64| {
        let figures = Headline { deadlocks_per_min: Some(per_min), ..Headline::default() };
        reading(s, ProbeId::Headline, State::Headline(Box::new(figures)))
    };
    stage.take(first(100, &[90]));
    stage.take(vec![headline(280, 0.0), headline(310, 2.0)]);
    let Stage { folder, engine } = stage;
    engine.close().unwrap();
    let engine = Engine::open(&folder.path().join("history.db"), None, Options::default()).unwrap();
    let mut stage = Stage { folder, engine };
    let told = |stage: &Stage| stage.number("SELECT count(*) FROM event WHERE kind = 1");
    let before = told(&stage);
    assert_eq!(before, 2, "one that was reported, one that was counted");
    stage.take(first(400, &[300, 90]));
    assert_eq!(told(&stage), 2, "the report takes the place of what was counted");
    let starts = stage.number("SELECT max(start) FROM event WHERE kind = 1");
    assert_eq!(starts, at(300).ms(), "at its own time");
}
