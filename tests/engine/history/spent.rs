//! What queries cost between two instants, out of a file that the engine wrote, sealed and closed.

use crate::world::{LONG, Stage, World, at, info, name, uid};
use dbtop::{
    app::history::reading::read_spent,
    model::{
        base::time::Timestamp,
        inventory::instance::InstanceId,
        poll::{
            State,
            counts::Measure,
            id::ProbeId,
            queries::{QueryRow, QueryTable},
        },
        timeline::{
            record::{Record, Recorded},
            spent::{Became, Told, Walk, became},
        },
    },
    store::history::{Engine, Options, Reader},
};
use std::sync::Arc;

const HOUR: i64 = 3_600;
/// Between two polls of a fleet that nobody looks at, s.
const EVERY: i64 = 225;

/// A poll of instance `n` at a second: a page that became slow in the third hour, and a load that came with it.
fn poll(n: usize, second: i64) -> Record {
    let query = |hash, cpu_us: i64, statement: u64| {
        let text = crate::world::text(statement);
        let end = text.batch.len();
        QueryRow {
            hash,
            runs: Some(10),
            cpu_us: Some(cpu_us),
            elapsed_us: Some(cpu_us * 2),
            reads: Some(1_000),
            plan_hash: Some(if cpu_us > 100_000 { 8 } else { 7 }),
            statement: Some(dbtop::model::poll::statement::Statement { text, start: 0, end }),
            ..QueryRow::default()
        }
    };
    let is_late = second > 2 * HOUR;
    let mut queries = vec![query(1, if is_late { 900_000 } else { 90_000 }, 1)];
    if is_late {
        queries.push(query(2, 300_000, 2));
    }
    let told = |measure| queries.iter().filter_map(|q| q.of(measure)).reduce(|a, b| a + b);
    let table = QueryTable {
        cpu_us: told(Measure::Cpu),
        runs: told(Measure::Runs),
        workload_us: told(Measure::Cpu).map(|us| us * 2),
        over_ms: EVERY as u64 * 1_000,
        sums: Measure::ALL.map(told).into(),
        queries,
        ..QueryTable::default()
    };
    let state = Ok(State::Queries(Arc::new(table)));
    let what = Recorded::Reading { probe: ProbeId::Queries, every_ms: EVERY as u32 * 1_000, state };
    Record { info: info(&name(n)), at: at(second), what }
}

/// Four hours of two instances; nobody collected from 1:00 to 1:30, and of the second one nothing is told after 3:00.
fn written(stage: &Stage) -> Reader {
    let mut engine = Engine::open(&stage.path(), None, Options::default()).unwrap();
    let mut world = World::new(2);
    for second in (0..4 * HOUR).step_by(15) {
        let is_off = (HOUR..HOUR + HOUR / 2).contains(&second);
        if is_off {
            continue;
        }
        let mut batch = if second % 60 == 0 { world.round(second) } else { Vec::new() };
        if second % EVERY == 0 && second > 0 && second != HOUR + HOUR / 2 {
            batch.push(poll(0, second));
            if second < 3 * HOUR {
                batch.push(poll(1, second));
            }
        }
        engine.take(batch);
        engine.commit().unwrap();
        if second % 600 == 0 {
            engine.seal(at(second), LONG).unwrap();
        }
    }
    engine.close().unwrap();
    Reader::open(&stage.path(), None).unwrap()
}

fn told(reader: &mut Reader, from: i64, to: i64) -> Told {
    let ids: Vec<InstanceId> = (0..2).map(|n| InstanceId::new(name(n))).collect();
    let uids: Vec<_> = (0..2).map(|n| uid(&name(n))).collect();
    let mut walk = Walk::new(&ids, at(from), at(to));
    while read_spent(&mut walk, reader, &uids).unwrap() {}
    walk.told(reader.stats().span().unwrap())
}

fn minutes(from: Timestamp) -> i64 {
    (from - at(0)) / 60_000
}

#[test]
fn sums_shares_and_holes_come_out_of_a_file_as_they_were_told() {
    let stage = Stage::new();
    let mut reader = written(&stage);
    let hour = told(&mut reader, 0, HOUR);
    let (_, spent) = &hour.of[0];
    assert_eq!((spent.polls, spent.gaps.len()), (15, 1), "{:?}", spent.gaps);
    let first = spent.find(1).unwrap();
    assert_eq!((first.cpu_us, first.runs, first.reads), (Some(15 * 90_000), Some(150), Some(15_000)));
    assert_eq!(spent.table.share_pct(first, Measure::Cpu), Some(50.0));
    assert_eq!(spent.table.share_pct(first, Measure::Reads), Some(100.0));
    assert!(first.statement.as_ref().unwrap().as_str().contains("SELECT"), "texts are in their places");
    // Nobody collected for half an hour.
    let with_hole = told(&mut reader, 45 * 60, 2 * HOUR);
    let (_, spent) = &with_hole.of[0];
    let holes: Vec<_> = spent.gaps.iter().map(|gap| (minutes(gap.from), minutes(gap.to))).collect();
    assert_eq!(holes, [(56, 90)], "from the last poll on");
    assert!(spent.covered_ms < 45 * 60_000, "{}", spent.covered_ms);
    let (_, nothing) = &told(&mut reader, 3 * HOUR + 600, 4 * HOUR).of[1];
    assert_eq!((nothing.polls, nothing.covered_ms), (0, 0), "of the second one nothing is told");
    let (oldest, newest) = hour.kept.unwrap();
    assert!(minutes(oldest) == 0 && minutes(newest) > 230, "what history keeps is told beside it");
}

#[test]
fn two_stretches_of_a_file_are_compared_by_the_time_that_they_cover() {
    let stage = Stage::new();
    let mut reader = written(&stage);
    // Half of the first one is a hole.
    let (before, after) =
        (told(&mut reader, HOUR / 2, HOUR + HOUR / 2), told(&mut reader, 3 * HOUR, 4 * HOUR));
    let (then, now) = (&before.of[0].1, &after.of[0].1);
    let Became::Times(times) = became((then, then.find(1)), (now, now.find(1))) else {
        panic!("it is in both")
    };
    assert!((times - 10.0).abs() < 1e-6, "{times}");
    assert_eq!(became((then, then.find(2)), (now, now.find(2))), Became::New);
    assert_eq!(now.find(1).unwrap().plan_hash, Some(8));
}
