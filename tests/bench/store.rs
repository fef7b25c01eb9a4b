//! What history costs: `cargo bench --bench store` prints the table of docs/performance.md. Beside the store runs the naive
//! layout over the same readings in the same run: one row a sample in an indexed table, and, since every pane must be able to go
//! back, the reading itself as JSON in a second one. Trust the ratios more than the times.
//!
//! `cargo bench --bench store -- travel ingest` makes these parts alone. A month of 500 instances polled every 30 s takes hours
//! to make: without more words the month has few instances, and the table says so; `DBTOP_BENCH_INSTANCES=500
//! DBTOP_BENCH_STEP=300 cargo bench --bench store -- month` makes one that is polled every five minutes (`=30`: all of it), in
//! `DBTOP_BENCH_FOLDER` if that is set, where the file stays.

#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a benchmark stops at the first error and prints"
)]

#[path = "support.rs"]
mod support;
#[path = "../fixture/world.rs"]
mod world;

use dbtop::{
    model::{
        base::time::Timestamp,
        judge::health::Thresholds,
        poll::id::{Metric, SeriesId, SeriesKey},
        timeline::record::Record,
    },
    store::history::{Engine, Options, Reader, Recent, fleet_at},
};
use rusqlite::Connection;
use std::{
    path::Path,
    sync::Arc,
    time::{Duration, Instant},
};
use support::{figures, percentile};
use world::{START, World, name, uid};

const LONG: Duration = Duration::from_hours(1);
const HOUR: i64 = 3600;
const DAY: i64 = 24 * HOUR;

fn at(second: i64) -> Timestamp {
    START.plus_ms(second * 1000)
}

fn setting(name: &str, otherwise: i64) -> i64 {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(otherwise)
}

fn line(what: &str, found: &str, target: &str, naive: &str) {
    println!("| {what} | {found} | {target} | {naive} |");
}

/// What one layout took in.
#[derive(Default)]
struct Run {
    busy: Duration,
    samples: u64,
    kept: u64,
}

impl Run {
    fn per_s(&self) -> f64 {
        self.samples as f64 / self.busy.as_secs_f64()
    }
}

/// What was made in an earlier run in the same folder, and how.
fn made_before(path: &Path) -> Option<Run> {
    let text = std::fs::read_to_string(path.with_extension("run")).ok()?;
    let mut numbers = text.split_whitespace().filter_map(|word| word.parse::<u64>().ok());
    let (ms, samples, kept) = (numbers.next()?, numbers.next()?, numbers.next()?);
    Some(Run { busy: Duration::from_millis(ms), samples, kept })
}

/// Feeds rounds of `step` seconds; making them up is not timed. What an earlier run left is not made again.
fn feed(path: &Path, instances: usize, seconds: i64, step: i64, mut naive: Option<&mut Naive>) -> Run {
    if naive.is_none()
        && let Some(run) = made_before(path)
    {
        return run;
    }
    let mut engine = Engine::open(path, None, Options { day_days: 3650, ..forever() }).unwrap();
    let (mut world, mut run) = (World::new(instances), Run::default());
    for second in (0..seconds).step_by(step as usize) {
        let batch = world.round(second);
        if let Some(naive) = naive.as_deref_mut() {
            naive.take(&batch);
        }
        let started = Instant::now();
        engine.take(batch);
        let done = engine.commit().unwrap();
        engine.seal(at(second + 30), LONG).unwrap();
        run.busy += started.elapsed();
        run.samples += done.points;
        run.kept += done.rows;
    }
    engine.close().unwrap();
    let words = format!("{} {} {}", run.busy.as_millis(), run.samples, run.kept);
    std::fs::write(path.with_extension("run"), words).unwrap();
    run
}

/// Nothing goes by age or size while a benchmark makes its file.
fn forever() -> Options {
    Options {
        raw_days: 3650,
        state_days: 3650,
        five_min_days: 3650,
        hour_days: 3650,
        events_days: 3650,
        max_bytes: 1 << 40,
        ..Options::default()
    }
}

/// One row a sample, a row id and an index on server and time: the obvious table. Beside it what the panes show, as JSON.
struct Naive {
    connection: Connection,
    /// points alone
    run: Run,
    /// the readings
    readings: Duration,
}

impl Naive {
    fn new(path: &Path) -> Self {
        let connection = Connection::open(path).unwrap();
        connection
            .execute_batch(
                "PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL;
                 CREATE TABLE sample(server TEXT, metric TEXT, key TEXT, ts INTEGER, value REAL);
                 CREATE INDEX sample_when ON sample(server, ts);
                 CREATE TABLE reading(server TEXT, ts INTEGER, body TEXT);
                 CREATE INDEX reading_when ON reading(server, ts);",
            )
            .unwrap();
        Self { connection, run: Run::default(), readings: Duration::ZERO }
    }

    fn take(&mut self, batch: &[Record]) {
        let mut rows: Vec<(Arc<str>, String, String, i64, f64)> = Vec::new();
        for kept in batch {
            kept.what.points(&mut |metric, key, value| {
                if let Some(value) = value {
                    let row =
                        (kept.info.uid.clone(), format!("{metric:?}"), key.to_owned(), kept.at.ms(), value);
                    rows.push(row);
                }
            });
        }
        let started = Instant::now();
        let transaction = self.connection.transaction().unwrap();
        {
            let mut put =
                transaction.prepare_cached("INSERT INTO sample VALUES (?1, ?2, ?3, ?4, ?5)").unwrap();
            for (server, metric, key, ts, value) in &rows {
                put.execute(rusqlite::params![server, metric, key, ts, value]).unwrap();
            }
        }
        transaction.commit().unwrap();
        self.run.busy += started.elapsed();
        self.run.samples += rows.len() as u64;
        let started = Instant::now();
        let transaction = self.connection.transaction().unwrap();
        {
            let mut put = transaction.prepare_cached("INSERT INTO reading VALUES (?1, ?2, ?3)").unwrap();
            for kept in batch {
                let body = serde_json::to_string(&kept.what).unwrap();
                put.execute(rusqlite::params![kept.info.uid, kept.at.ms(), body]).unwrap();
            }
        }
        transaction.commit().unwrap();
        self.readings += started.elapsed();
    }

    /// A series over a stretch of time, ms; median of several.
    fn chart_ms(&self, from: i64, to: i64) -> f64 {
        median_ms(9, |_| {
            let mut read = self
                .connection
                .prepare_cached(
                    "SELECT ts, value FROM sample WHERE server = ?1 AND ts BETWEEN ?2 AND ?3 AND metric = ?4",
                )
                .unwrap();
            let metric = format!("{:?}", Metric::from(SeriesId::Cpu));
            let found: Vec<(i64, f64)> = read
                .query_map(rusqlite::params![uid(&name(1)), at(from).ms(), at(to).ms(), metric], |row| {
                    Ok((row.get(0)?, row.get(1)?))
                })
                .unwrap()
                .collect::<Result<_, _>>()
                .unwrap();
            assert!(!found.is_empty());
        })
    }
}

fn median_ms(times: usize, mut work: impl FnMut(usize)) -> f64 {
    let mut took: Vec<f64> = (0..times)
        .map(|nth| {
            let started = Instant::now();
            work(nth);
            started.elapsed().as_secs_f64() * 1000.0
        })
        .collect();
    took.sort_by(f64::total_cmp);
    percentile(&took, 0.5)
}

fn size(path: &Path) -> u64 {
    std::fs::metadata(path).unwrap().len()
}

/// Bytes of one kind of blob, as SQLite tells their lengths.
fn blobs(path: &Path, sql: &str) -> f64 {
    let connection = Connection::open(path).unwrap();
    connection.query_row(sql, [], |row| row.get::<_, Option<f64>>(0)).unwrap().unwrap_or(0.0)
}

fn chart_ms(path: &Path, key: &SeriesKey, from: i64, to: i64, buckets: u32) -> (f64, usize) {
    let reader = Reader::open(path, None).unwrap();
    let mut n = 0;
    let ms = median_ms(25, |_| {
        let drawn = reader.charts().draw(&uid(&name(1)), key, at(from), at(to), buckets).unwrap();
        n = drawn.line.buckets.len();
    });
    assert!(n > 0);
    (ms, n)
}

fn ingest(folder: &Path) {
    let (instances, hours) = (100, setting("DBTOP_BENCH_HOURS", 6));
    let mut naive = Naive::new(&folder.join("naive.db"));
    let path = folder.join("ingest.db");
    let run = feed(&path, instances, hours * HOUR, 30, Some(&mut naive));
    let all = naive.run.samples as f64 / (naive.run.busy + naive.readings).as_secs_f64();
    let scale =
        format!("{instances} instances x {hours} h, {} samples in {} readings", run.samples, run.kept);
    line(
        &format!("ingest on one core, sealing included ({scale})"),
        &format!(
            "{:.0} k samples/s, {:.1} k readings/s",
            run.per_s() / 1e3,
            run.kept as f64 / run.busy.as_secs_f64() / 1e3
        ),
        ">= 1,000 k/s, >= 5 x naive",
        &format!(
            "points alone {:.0} k/s, ratio {:.1}; with readings {:.0} k/s, ratio {:.1}",
            naive.run.per_s() / 1e3,
            run.per_s() / naive.run.per_s(),
            all / 1e3,
            run.per_s() / all
        ),
    );
    let of = |name: &str| {
        let sql = format!("SELECT sum(pgsize) * 1.0 FROM dbstat WHERE name LIKE '{name}%'");
        naive.connection.query_row(&sql, [], |row| row.get::<_, f64>(0)).unwrap_or(f64::NAN)
    };
    let (points, readings) = (of("sample") / naive.run.samples as f64, of("reading") / run.kept as f64);
    let (ms, n) = chart_ms(&path, &SeriesKey::of(SeriesId::Cpu), 0, 3 * HOUR, 360);
    line(
        &format!("chart of 3 h as measured, {n} buckets"),
        &format!("{ms:.2} ms"),
        "-",
        &format!("{:.1} ms; ratio {:.0}", naive.chart_ms(0, 3 * HOUR), naive.chart_ms(0, 3 * HOUR) / ms),
    );
    println!(
        "| (size of the naive tables) | | | {points:.1} bytes a sample, {readings:.0} bytes a reading |"
    );
}

/// What lies in the file, by the sample and by the reading.
fn sizes(path: &Path, run: &Run, instance_days: f64) {
    let samples = run.samples as f64;
    let chunks = blobs(path, "SELECT sum(length(blob)) * 1.0 FROM chunk");
    let rollups = blobs(path, "SELECT sum(length(blob)) * 1.0 FROM rollup");
    let states = blobs(path, "SELECT sum(length(blob)) * 1.0 FROM state");
    line("points as measured, bytes a sample", &format!("{:.2}", chunks / samples), "<= 2.0", "see above");
    line("with roll-ups", &format!("{:.2}", (chunks + rollups) / samples), "<= 2.0", "-");
    line(
        "states of all panes, bytes a reading",
        &format!(
            "{:.0} ({:.0} MB a day for 500 instances)",
            states / run.kept as f64,
            states / 1e6 / instance_days * 500.0
        ),
        "-",
        "not kept",
    );
    line(
        "the file, everything in it, bytes a sample",
        &format!("{:.2} ({:.0} MB)", size(path) as f64 / samples, size(path) as f64 / 1e6),
        "(<= 2.5 without states)",
        "-",
    );
}

fn month(folder: &Path) {
    let instances = setting("DBTOP_BENCH_INSTANCES", 8) as usize;
    let days = setting("DBTOP_BENCH_DAYS", 30);
    let path = folder.join("month.db");
    let started = Instant::now();
    let step = setting("DBTOP_BENCH_STEP", 30);
    let run = feed(&path, instances, days * DAY, step, None);
    let scale = format!(
        "{instances} instances x {days} days, a round every {step} s, {:.1} M samples",
        run.samples as f64 / 1e6
    );
    println!(
        "| ({scale}: made in {:.0} s, of which {:.0} s writing) | | | |",
        started.elapsed().as_secs_f64(),
        run.busy.as_secs_f64()
    );
    sizes(&path, &run, days as f64 * instances as f64);
    let end = days * DAY - HOUR;
    for (what, from, buckets, target) in [
        ("chart of 24 h as measured", end - DAY, 1440, "<= 1 ms"),
        ("chart of 24 h, as wide as a screen", end - DAY, 240, "<= 1 ms"),
        ("chart of 30 days", end - 30 * DAY, 240, "<= 5 ms"),
    ] {
        let (ms, n) = chart_ms(&path, &SeriesKey::of(SeriesId::Cpu), from.max(0), end, buckets);
        line(&format!("{what}, {n} buckets"), &format!("{ms:.2} ms"), target, "-");
        let (ms, n) =
            chart_ms(&path, &SeriesKey::with(Metric::WaitType, "WRITELOG"), from.max(0), end, buckets);
        line(&format!("the same of one wait type, {n} buckets"), &format!("{ms:.2} ms"), target, "-");
    }
    let wanted = if instances == 500 { "<= 50 ms" } else { "-" };
    let moments: Vec<i64> = (1..=15).map(|nth| end - nth * (days * DAY / 17)).collect();
    back_in_time(&path, instances, &moments, &format!("{instances} instances anywhere in it"), wanted);
    let _ = std::fs::remove_file(folder.join("copy.db"));
    let started = Instant::now();
    Connection::open(&path)
        .unwrap()
        .execute("VACUUM INTO ?1", [folder.join("copy.db").to_string_lossy()])
        .unwrap();
    let took = started.elapsed().as_secs_f64();
    line(
        "copy before a migration (the migration itself adds milliseconds)",
        &format!("{took:.1} s, {:.0} MB/s", size(&path) as f64 / 1e6 / took),
        "-",
        "-",
    );
    retention(&folder.join("copy.db"), days);
}

/// The fleet as it was: what every pane needs, and with it what the fold makes of it.
fn back_in_time(path: &Path, instances: usize, moments: &[i64], what: &str, target: &str) {
    let infos = World::new(instances).infos();
    let uids: Vec<Arc<str>> = infos.iter().map(|info| info.uid.clone()).collect();
    let mut reader = Reader::open(path, None).unwrap();
    let started = Instant::now();
    let kept = reader.states().at(&uids, at(moments[0])).unwrap().kept.len();
    let first = started.elapsed().as_secs_f64() * 1e3;
    let ms = median_ms(moments.len(), |nth| {
        assert!(!reader.states().at(&uids, at(moments[nth])).unwrap().kept.is_empty());
    });
    let label = format!("state of {what} ({kept} readings; the first time {first:.0} ms)");
    line(&label, &format!("{ms:.1} ms"), target, "cannot");
    let alone = median_ms(moments.len(), |nth| {
        for uids in uids.chunks(32) {
            reader.states().at(uids, at(moments[nth])).unwrap();
        }
    });
    line("the same by one thread", &format!("{alone:.1} ms"), "-", "cannot");
    let limits = Thresholds::default();
    let whole = median_ms(moments.len(), |nth| {
        fleet_at(&mut reader, &infos, &limits, at(moments[nth]), Recent::OfTheList).unwrap();
    });
    line(
        "the same folded for the screen, with the lines of the list",
        &format!("{whole:.1} ms"),
        "-",
        "cannot",
    );
}

/// One day of every tier becomes too old.
fn retention(path: &Path, days: i64) {
    let keep = (days - 1).max(1) as u32;
    let options = Options { raw_days: keep, state_days: keep, ..forever() };
    let mut engine = Engine::open(path, None, options).unwrap();
    let started = Instant::now();
    let done = engine.clean_up(at(days * DAY), LONG).unwrap();
    line(
        "retention: one day of points and states goes, pages given back",
        &format!("{:.0} ms for {} rows", started.elapsed().as_secs_f64() * 1e3, done.old),
        "-",
        "-",
    );
}

fn year(folder: &Path) {
    let path = folder.join("year.db");
    let run = feed(&path, 2, 365 * DAY, 300, None);
    let (ms, n) = chart_ms(&path, &SeriesKey::of(SeriesId::Cpu), 0, 365 * DAY, 240);
    line(
        &format!(
            "chart of a year, {n} buckets (2 instances polled every 5 min, {:.1} M samples)",
            run.samples as f64 / 1e6
        ),
        &format!("{ms:.2} ms"),
        "<= 10 ms",
        "-",
    );
    let (ms, n) = chart_ms(&path, &SeriesKey::of(SeriesId::Cpu), 0, 365 * DAY, 9000);
    // No screen is so wide: what it costs to go over all of it.
    line(&format!("chart of a year by the hour, {n} buckets"), &format!("{ms:.2} ms"), "-", "-");
}

fn travel(folder: &Path) {
    let path = folder.join("fleet.db");
    let before = figures(std::process::id()).1;
    let run = feed(&path, 500, 3 * HOUR, 30, None);
    let moments: Vec<i64> = (0..15).map(|nth| 1000 + nth * 611).collect();
    back_in_time(&path, 500, &moments, "500 instances at an instant", "<= 50 ms");
    let mut engine = Engine::open(&path, None, forever()).unwrap();
    let series = engine.series_count();
    let mut world = World::new(500);
    for second in (3 * HOUR..3 * HOUR + 1800).step_by(30) {
        engine.take(world.round(second));
        engine.commit().unwrap();
        engine.seal(at(second + 30), LONG).unwrap();
    }
    let after = figures(std::process::id()).1;
    line(
        &format!(
            "memory of the writer with {series} series (growth of the process, its made-up fleet included)"
        ),
        &format!("{} MB", after.saturating_sub(before) / 1024),
        "<= 60 MB at 20,000",
        "-",
    );
    assert!(run.samples > 0);
}

fn main() {
    let temporary = tempfile::tempdir().unwrap();
    let folder = std::env::var_os("DBTOP_BENCH_FOLDER").map_or(temporary.path().to_owned(), Into::into);
    println!("| what | found | target | naive table |");
    println!("|---|---|---|---|");
    let wanted: Vec<String> = std::env::args().skip(1).filter(|word| !word.starts_with('-')).collect();
    for (name, part) in
        [("travel", travel as fn(&Path)), ("ingest", ingest), ("year", year), ("month", month)]
    {
        if wanted.is_empty() || wanted.iter().any(|word| word == name) {
            part(&folder);
        }
    }
}
