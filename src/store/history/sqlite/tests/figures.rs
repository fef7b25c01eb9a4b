//! What a history says of itself: sizes, growth, damage, names, and whose it is.

use super::*;
use crate::store::history::{api::TierStats, sqlite::Reader};

#[test]
fn the_figures_of_a_history_are_those_of_its_rows() {
    let stage = Stage::new();
    let reader = Reader::open(&stage.path(), None).unwrap();
    let empty = reader.stats().all().unwrap();
    assert_eq!((empty.bytes_a_point, empty.growth_a_day_bytes, empty.points), (None, None, 0));
    assert_eq!((empty.instances, empty.series, empty.sealed), (0, 0, false));
    let day = MIDNIGHT;
    stage.state(1, day, day + HOUR_MS, 700);
    stage.state(1, day + DAY_MS, day + DAY_MS + HOUR_MS, 40);
    stage.chunk(1, day, day + HOUR_MS, (false, 100, 500));
    stage.chunk(1, day + DAY_MS, day + DAY_MS + HOUR_MS, (false, 20, 100));
    stage.chunk(1, day + DAY_MS, day + DAY_MS + HOUR_MS, (true, 7, 60));
    // A row is a day, eight days and 64 days long; of each tier the newest counts.
    for (tier, bytes) in [(1, 300), (2, 800), (3, 6_400)] {
        stage.rollup(1, tier, 0, 9_999);
        stage.rollup(1, tier, day / 1000, bytes);
    }
    stage.run("INSERT INTO instance VALUES (1, 'a'), (2, 'b')", []);
    stage.run("INSERT INTO series VALUES (1, 1, 230, NULL), (2, 1, 231, NULL), (3, 2, 230, NULL)", []);
    let told = reader.stats().all().unwrap();
    assert_eq!((told.instances, told.series, told.points), (2, 3, 127));
    assert_eq!(told.bytes_a_point, Some(5.0), "600 bytes of 120 points in sealed chunks");
    assert_eq!(told.growth_a_day_bytes, Some(40 + 160 + 300 + 100 + 100));
    assert_eq!(reader.stats().growth_a_day().unwrap(), told.growth_a_day_bytes);
    let tier =
        |name: &str| -> TierStats { told.tiers.iter().find(|tier| tier.name == name).unwrap().clone() };
    let states = tier("states");
    assert_eq!((states.rows, states.items, states.bytes), (2, Some(20), 740));
    let ends = (Some(Timestamp::from_ms(day)), Some(Timestamp::from_ms(day + DAY_MS + HOUR_MS)));
    assert_eq!((states.oldest, states.newest), ends);
    assert_eq!(reader.stats().span().unwrap(), ends.0.zip(ends.1));
    let hours = tier("roll-ups of 1 h");
    assert_eq!((hours.rows, hours.items), (2, None));
    assert_eq!(hours.newest, Some(Timestamp::from_ms(day + 8 * DAY_MS)), "to the end of its row");
}

#[test]
fn less_than_a_day_is_no_growth_and_a_day_is() {
    let stage = Stage::new();
    let reader = Reader::open(&stage.path(), None).unwrap();
    let growth = || reader.stats().growth_a_day().unwrap();
    stage.state(1, MIDNIGHT, MIDNIGHT + 1_000, 500);
    stage.state(1, MIDNIGHT, MIDNIGHT + DAY_MS + 999, 70);
    assert_eq!(growth(), None);
    stage.state(1, MIDNIGHT, MIDNIGHT + DAY_MS + 1_000, 9);
    assert_eq!(growth(), Some(79));
}

#[test]
fn a_file_is_told_in_bytes_with_what_of_it_is_free() {
    let stage = Stage::new();
    stage.run("INSERT INTO text VALUES (x'01', 1, zeroblob(1000000))", []);
    let reader = Reader::open(&stage.path(), None).unwrap();
    let full = reader.stats().all().unwrap();
    assert!(full.file_bytes > 1_000_000 && full.free_bytes < 100_000, "{full:?}");
    stage.run("DELETE FROM text", []);
    let empty = reader.stats().all().unwrap();
    assert_eq!(empty.file_bytes, full.file_bytes, "its pages stay");
    assert!(empty.free_bytes > 900_000 && empty.free_bytes < empty.file_bytes, "{empty:?}");
}

#[test]
fn a_check_names_a_damaged_text_and_points_of_nobody() {
    let mut stage = Stage::new();
    stage.take(vec![polled("a", 0, 5.0)]);
    let reader = Reader::open(&stage.path(), None).unwrap();
    let clean = reader.check().unwrap();
    assert!(clean.is_clean(), "{clean:?}");
    stage.run("INSERT INTO text VALUES (zeroblob(16), 1, x'00'), (x'07', 1, x'00')", []);
    let found = reader.check().unwrap();
    assert_eq!((found.problems, found.rows), (2, clean.rows + 2), "{found:?}");
    assert_eq!(found.words, ["a text is damaged"; 2]);
    stage.run("DELETE FROM text", []);
    stage.chunk(77, 0, 1, (true, 0, 1));
    let found = reader.check().unwrap();
    assert!(found.words.iter().any(|words| words == "1 rows with points of no known instance"), "{found:?}");
    assert!(found.words.iter().any(|words| words.starts_with("row 1 of chunk")), "{found:?}");
}

#[test]
fn a_name_is_written_when_it_changes_and_not_at_every_start() {
    let folder = folder();
    let path = folder.path().join("history.db");
    let names = |record: Record| {
        let mut engine = Engine::open(&path, None, Options::default()).unwrap();
        engine.take(vec![record]);
        engine.commit().unwrap();
        let sql = "SELECT count(*) FROM info";
        engine.connection.query_row(sql, [], |row| row.get::<_, i64>(0)).unwrap()
    };
    assert_eq!([names(polled("a", 0, 1.0)), names(polled("a", 60, 1.0))], [1, 1]);
    let renamed = InstanceInfo { address: "moved".into(), ..InstanceInfo::named("a") };
    let moved = |s| Record { info: Arc::new(renamed.clone()), ..polled("a", s, 1.0) };
    assert_eq!([names(moved(120)), names(moved(180)), names(polled("a", 240, 1.0))], [2, 2, 3]);
    assert_eq!(names(polled("b", 300, 1.0)), 4);
}

#[test]
fn a_history_says_whose_it_is_to_who_comes_with_another_key_or_none() {
    let folder = folder();
    let (open, sealed) = (folder.path().join("open.db"), folder.path().join("sealed.db"));
    let mine = sealer(1);
    drop(Engine::open(&open, None, Options::default()).unwrap());
    drop(Engine::open(&sealed, Some(mine.clone()), Options::default()).unwrap());
    let told = |path: &PathBuf, key: Option<Sealer>| {
        HistoryFile::open(path, key).map(drop).map_err(|e| e.to_string())
    };
    assert_eq!([told(&open, None), told(&sealed, Some(mine.clone()))], [Ok(()), Ok(())]);
    for (path, key, words) in [
        (&sealed, None, "it is sealed: name the tenant"),
        (&sealed, Some(sealer(1)), "sealed with the key of another tenant"),
        (&open, Some(mine), "it is not sealed and does not belong to this tenant"),
    ] {
        let told = told(path, key);
        assert!(told.as_ref().is_err_and(|e| e.contains(words)), "{words}: {told:?}");
    }
    let writer = rusqlite::Connection::open(&open).unwrap();
    writer.execute("UPDATE meta SET word = x'00'", []).unwrap();
    let damaged = told(&open, None);
    assert!(damaged.as_ref().is_err_and(|e| e.contains("first page is damaged")), "{damaged:?}");
    // One that nobody has written yet has no word, and nothing to hide.
    writer.execute("DELETE FROM meta", []).unwrap();
    assert_eq!(told(&open, None), Ok(()));
}

#[test]
fn thousands_of_databases_leave_room_for_the_series_of_volumes() {
    use crate::model::poll::{id::Metric, logs::LogRow, volumes::VolumeRow};
    let mut stage = Stage::new();
    let polled = |s, probe, state| {
        let what = Recorded::Reading { probe, every_ms: 60_000, state: Ok(state) };
        vec![Record { info: info("a"), at: at(s), what }]
    };
    let log = |n: usize| LogRow {
        database: Some(format!("db{n}").into()),
        used_kb: Some(5),
        capacity_kb: Some(10),
        size_kb: Some(10),
        ..LogRow::default()
    };
    let logs: Vec<LogRow> = (0..5_000).map(log).collect();
    stage.take(polled(0, ProbeId::Logs, State::Logs(Arc::new(logs))));
    let volume = |n: usize| VolumeRow {
        mount: Some(format!("{n}:\\").into()),
        total_bytes: Some(1 << 40),
        free_bytes: Some(1 << 30),
        ..VolumeRow::default()
    };
    let volumes: Vec<VolumeRow> = (0..20).map(volume).collect();
    stage.take(polled(1, ProbeId::Volumes, State::Volumes(Arc::new(volumes))));
    let count = |metric: Metric| {
        stage.number(&format!("SELECT count(*) FROM series WHERE metric = {}", metric.code()))
    };
    assert_eq!([count(Metric::VolumeFree), count(Metric::VolumeSize)], [20, 20]);
    assert!(count(Metric::LogUsedSize) > 1_500, "{}", count(Metric::LogUsedSize));
    assert!(stage.number("SELECT count(*) FROM series") <= 4_096);
}
