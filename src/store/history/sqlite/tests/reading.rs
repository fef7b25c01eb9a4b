//! What a chart and a pane of the past read: the series that fits, and what is damaged.

use super::*;
use crate::{
    model::poll::id::{Metric, SeriesId, SeriesKey},
    store::history::{
        api::Past,
        codec::{
            chunk::Window,
            numbers::checked,
            rollup::{Tier, Total},
        },
        sqlite::{
            asked::Asked,
            buckets::{Totals, buckets, typical_gap_ms},
            measured, moment, rolled_up,
            windows::{BLOCK_MS, CHUNK_MS},
            worker::Worker,
        },
    },
};

/// Cpu of instance 1 between two instants, ms.
fn asked(from: i64, to: i64) -> Asked {
    let span = (from.div_euclid(1000), to.div_euclid(1000));
    Asked { instance: 1, probe: ProbeId::Headline, series: 1, zero: false, from: span.0, to: span.1 }
}

#[test]
fn buckets_begin_at_the_chart_and_those_of_a_roll_up_stay_where_they_are() {
    let cpu = Metric::from(SeriesId::Cpu);
    let steps = cpu.to_steps(50.0).unwrap();
    let starts = |times: &[i64], from, bucket_ms, width_ms| -> Vec<(i64, u32)> {
        let totals: Totals = times.iter().map(|time| (*time, Total::of(steps))).collect();
        buckets(&totals, cpu, from, bucket_ms, width_ms).iter().map(|b| (b.at.ms(), b.n)).collect()
    };
    assert_eq!(starts(&[1, 2, 3], 500, 1_000, 1_000), [(500, 1), (1_500, 1), (2_500, 1)], "as measured");
    assert_eq!(starts(&[300, 600], 1_000, 300_000, 300_000), [(300_000, 1), (600_000, 1)]);
    assert_eq!(starts(&[0], 1_000, 300_000, 300_000), [(0, 1)], "it began before the chart");
    assert_eq!(starts(&[300, 600, 900], 1_000, 600_000, 300_000), [(1_000, 2), (601_000, 1)], "merged");
    assert_eq!(
        starts(&[0, 300], 1_000, 600_000, 300_000),
        [(1_000, 2)],
        "in the first bucket, not before it"
    );
    let one = |totals: Totals| buckets(&totals, cpu, 0, 10_000, 1_000).remove(0);
    let low = Total::of(cpu.to_steps(10.0).unwrap());
    let both = one([(0, low), (1, Total::of(steps))].into_iter().collect());
    assert_eq!((both.min, both.avg, both.max, both.n), (10.0, 30.0, 50.0, 2));
    let nothing = one([(0, Total { n: 0, ..low })].into_iter().collect());
    assert_eq!((nothing.n, nothing.avg), (0, 10.0), "it divides by nothing");
}

#[test]
fn the_usual_distance_is_the_middle_one() {
    let gap = |times: &[i64]| typical_gap_ms(&times.iter().map(|time| (*time, Total::of(1))).collect());
    assert_eq!([gap(&[]), gap(&[5]), gap(&[5, 7])], [0, 0, 2_000]);
    assert_eq!(gap(&[0, 2, 4, 6, 900]), 2_000, "a long one is no rule");
    assert_eq!(gap(&[0, 30, 60, 62]), 30_000);
}

#[test]
fn each_chunk_and_each_row_that_cannot_be_read_is_counted() {
    let mut stage = Stage::new();
    stage.take(vec![polled("a", 0, 20.0), polled("a", 1, 40.0), polled("a", 2, 60.0)]);
    let file = stage.file();
    let key = SeriesKey::of(SeriesId::Cpu);
    let ask = Asked::find(&file, 1, &key, (at(0).ms() / 1000, at(90).ms() / 1000)).unwrap().unwrap();
    let read = || {
        let mut damaged = 0;
        let points = measured::one(&file, &ask, false, &mut damaged).unwrap();
        (points.len(), damaged)
    };
    assert_eq!(read(), (3, 0));
    stage.run("UPDATE hot SET points = x'ff' WHERE at = ?1", [at(1).ms()]);
    assert_eq!(read(), (2, 1));
    stage.chunk(1, at(10).ms(), at(20).ms(), (true, 5, 9));
    stage.chunk(1, at(20).ms(), at(30).ms(), (false, 5, 9));
    assert_eq!(read(), (2, 3));
    let mut window = Window::default();
    window.push(at(40).ms() / 1000, [(ask.series, 700)].into_iter());
    let blob = checked(&window.encode(true));
    let sql =
        "INSERT INTO chunk(instance, probe, start, end, open, n, blob) VALUES (1, ?1, ?2, ?3, 1, 1, ?4)";
    stage.run(sql, (ProbeId::Headline.code(), at(40).ms(), at(41).ms(), blob));
    assert_eq!(read(), (3, 3));
    let mut damaged = 0;
    let chart = Asked { from: at(40).ms() / 1000, to: at(41).ms() / 1000, ..ask };
    assert_eq!(measured::one(&file, &chart, false, &mut damaged).unwrap(), [(at(40).ms() / 1000, 700)]);
    assert_eq!(damaged, 0, "the others are elsewhere");
}

#[test]
fn damage_costs_one_instance_and_a_file_that_cannot_be_asked_costs_all() {
    let mut stage = Stage::new();
    stage.take(vec![polled("a", 0, 20.0)]);
    stage.state(1, MIDNIGHT, MIDNIGHT + 1, 4_000);
    // The root page of the states, as a bad disk gives it back.
    let (page, size) = (
        stage.number("SELECT rootpage FROM sqlite_master WHERE name = 'state_when'"),
        stage.number("SELECT page_size FROM pragma_page_size"),
    );
    let path = stage.path();
    let Stage { folder: _folder, engine } = stage;
    engine.close().unwrap();
    let whole = std::fs::read(&path).unwrap();
    let mut bytes = whole.clone();
    let from = ((page - 1) * size) as usize;
    bytes[from..from + size as usize].fill(0xee);
    std::fs::write(&path, bytes).unwrap();
    let read = || {
        let mut worker = Worker::new(HistoryFile::open(&path, None).unwrap());
        let mut past = Past::default();
        let done = moment::read(&mut worker, &"a".into(), at(5).ms(), &mut past);
        (done.map_err(|e| e.to_string()), past.damaged, past.kept.len())
    };
    assert_eq!(read(), (Ok(()), vec!["all of a".to_owned()], 0));
    std::fs::write(&path, whole).unwrap();
    rusqlite::Connection::open(&path).unwrap().execute_batch("DROP TABLE hot").unwrap();
    let (done, damaged, _) = read();
    assert!(done.is_err_and(|e| e.contains("no such table")));
    assert!(!damaged.contains(&"all of a".to_owned()), "{damaged:?}");
}

#[test]
fn a_chart_takes_the_finest_that_reaches_back_to_its_beginning() {
    let stage = Stage::new();
    let file = stage.file();
    let fits = |ask: &Asked, bucket_ms| rolled_up::tier(&file, ask, bucket_ms).unwrap();
    let month = asked(MIDNIGHT - 30 * DAY_MS, MIDNIGHT);
    assert_eq!(fits(&month, 1_000), None, "nothing reaches further");
    stage.chunk(1, MIDNIGHT - 2 * DAY_MS, MIDNIGHT - 2 * DAY_MS + HOUR_MS, (false, 1, 1));
    stage.rollup(1, 1, (MIDNIGHT - 10 * DAY_MS) / 1000, 1);
    stage.rollup(1, 2, (MIDNIGHT - 20 * DAY_MS) / 1000, 1);
    stage.rollup(1, 3, (MIDNIGHT - 90 * DAY_MS) / 1000, 1);
    assert_eq!(fits(&asked(MIDNIGHT - 2 * DAY_MS, MIDNIGHT), 1_000), None, "the points are there");
    assert_eq!(fits(&asked(MIDNIGHT - 9 * DAY_MS, MIDNIGHT), 1_000), Some(Tier::FiveMinutes));
    assert_eq!(fits(&asked(MIDNIGHT - 9 * DAY_MS, MIDNIGHT), 300_000), Some(Tier::FiveMinutes));
    assert_eq!(fits(&asked(MIDNIGHT - 19 * DAY_MS, MIDNIGHT), 300_000), Some(Tier::Hour));
    assert_eq!(fits(&month, 1_000), Some(Tier::Day));
    assert_eq!(fits(&asked(MIDNIGHT - DAY_MS, MIDNIGHT), 3_600_000), Some(Tier::Hour), "fine enough");
}

#[test]
fn the_points_that_an_incident_keeps_are_for_charts_within_it() {
    let stage = Stage::new();
    let file = stage.file();
    let (began, ended) = (MIDNIGHT - 60 * DAY_MS, MIDNIGHT - 60 * DAY_MS + 4 * HOUR_MS);
    stage.incident(1, began, ended);
    // As long as a chunk may be.
    let middle = began + CHUNK_MS + BLOCK_MS / 2;
    stage.chunk(1, began, middle, (false, 1, 1));
    stage.chunk(1, middle, ended, (false, 1, 1));
    stage.chunk(1, MIDNIGHT - HOUR_MS, MIDNIGHT, (false, 1, 1));
    stage.rollup(1, 1, (MIDNIGHT - 90 * DAY_MS) / 1000, 1);
    let tier = |from, to| rolled_up::tier(&file, &asked(from, to), 1_000).unwrap();
    assert_eq!(tier(middle - 1_000, ended - 1_000), None, "the end of a long chunk, and the next one");
    assert_eq!(tier(began + 1_000, middle), None);
    assert_eq!(tier(began - HOUR_MS, ended), Some(Tier::FiveMinutes), "it begins before");
    assert_eq!(tier(began + 1_000, ended + HOUR_MS), Some(Tier::FiveMinutes), "it ends behind");
    assert_eq!(tier(began + 1_000, MIDNIGHT), None, "both ends have points, whatever lies between");
    assert_eq!(tier(MIDNIGHT - HOUR_MS, MIDNIGHT), None);
}
