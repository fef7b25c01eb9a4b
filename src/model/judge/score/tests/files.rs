//! Tests of the rules about database files: what a person reads, and that one thing is told once.

use super::*;
use crate::model::poll::{
    files::{DatabaseFile, FileRow, FileTable},
    growths::{FileGrowth, GrowthTable},
    query_store::{QueryStoreTable, StoreRow},
    room::{FileUse, RoomTable},
    space::{SpaceTable, Tight},
};

pub(super) fn file(id: i32, kind: &str, read: (f64, f64), write: (f64, f64)) -> FileRow {
    FileRow {
        file: DatabaseFile {
            database_id: 5,
            file_id: id,
            database: Some("orders".into()),
            name: Some(format!("f{id}").into()),
            kind: Some(kind.into()),
            ..DatabaseFile::default()
        },
        reads_per_s: Some(read.0),
        read_ms: Some(read.1),
        writes_per_s: Some(write.0),
        write_ms: Some(write.1),
        ..FileRow::default()
    }
}

fn with_files(files: Vec<FileRow>, change: impl FnOnce(&mut Facts)) -> Facts {
    facts(|f| {
        f.files = good(Arc::new(FileTable { files, ..FileTable::default() }));
        change(f);
    })
}

fn page_reads(f: &mut Facts, ms: f64) {
    let category = CategoryRate {
        category: WaitCategory::BufferIo,
        ms_per_s: ms * 10.0,
        signal_ms_per_s: 0.0,
        tasks_per_s: 10.0,
    };
    f.waits = good(Arc::new(WaitTable { categories: vec![category], ..WaitTable::default() }));
}

#[test]
fn one_slow_file_among_fast_ones_is_a_reason() {
    let told = |rows: Vec<FileRow>| told(&with_files(rows, |_| {}));
    let fast = || file(1, "ROWS", (900.0, 2.0), (90.0, 1.0));
    assert_eq!(
        told(vec![file(3, "ROWS", (8.0, 240.0), (1.0, 2.0)), fast()]),
        "Warning 77: reads of orders/f3 take 240 ms"
    );
    assert_eq!(
        told(vec![fast(), file(3, "ROWS", (8.0, 1.0), (2.0, 500.0))]),
        "Critical 50: writes of orders/f3 take 500 ms"
    );
    assert_eq!(told(vec![file(3, "ROWS", (0.9, 900.0), (0.5, 900.0)), fast()]), "Ok 100: ", "a trickle");
    assert_eq!(told(vec![file(3, "ROWS", (8.0, 99.0), (8.0, 99.0))]), "Ok 100: ");
    let nobody_says = FileRow { reads_per_s: None, ..file(3, "ROWS", (0.0, 900.0), (0.0, 0.0)) };
    assert_eq!(told(vec![nobody_says]), "Ok 100: ");
}

#[test]
fn a_slow_file_and_the_average_that_it_makes_are_told_once() {
    let of = |rows: Vec<FileRow>, average: f64| told(&with_files(rows, |f| page_reads(f, average)));
    let slow = |ms| vec![file(3, "ROWS", (8.0, ms), (0.0, 0.0))];
    assert_eq!(of(slow(240.0), 60.0), "Warning 73: page reads take 60 ms", "as grave");
    assert_eq!(of(slow(900.0), 60.0), "Critical 38: reads of orders/f3 take 900 ms", "graver");
    assert_eq!(of(slow(900.0), 150.0), "Critical 42: page reads take 150 ms");
    let log = vec![file(2, "LOG", (0.0, 0.0), (9.0, 240.0))];
    assert_eq!(
        of(log.clone(), 60.0),
        "Warning 56: page reads take 60 ms; writes of orders/f2 take 240 ms",
        "writes of a log are no reads of pages"
    );
    let flushes = told(&with_files(log, |f| {
        let h = Headline {
            cpu_pct: Some(12.0),
            log_flush_ms: Some(40.0),
            log_flushes_per_s: Some(9.0),
            ..Headline::default()
        };
        f.headline = good(h);
    }));
    assert_eq!(flushes, "Warning 79: log flushes take 40 ms");
}

#[test]
fn an_io_that_hangs_is_a_reason_and_stays_one_until_it_clears() {
    let hangs = |id: i32, ms: i64| FileRow {
        oldest_io_ms: Some(ms),
        pending_ios: Some(14),
        ..file(id, "ROWS", (0.0, 0.0), (0.0, 0.0))
    };
    let of = |rows: Vec<FileRow>| told(&with_files(rows, |_| {}));
    assert_eq!(of(vec![hangs(3, 4_900)]), "Ok 100: ");
    let two = of(vec![hangs(1, 6_000), hangs(3, 9_400)]);
    assert!(
        two.starts_with("Warning") && two.ends_with(": an I/O of orders/f3 hangs for 9.0 s, 14 in flight"),
        "{two}"
    );
    let slow =
        |ms: f64, oldest: i64| FileRow { reads_per_s: Some(8.0), read_ms: Some(ms), ..hangs(3, oldest) };
    let graver = of(vec![slow(240.0, 20_000)]);
    assert!(graver.starts_with("Critical") && !graver.contains("240 ms"), "it tells of both: {graver}");
    let slower = of(vec![slow(900.0, 6_000)]);
    assert!(slower.contains("900 ms") && slower.contains("hangs for 6.0 s"), "{slower}");
    let poll = |ms: i64, before: &Health| {
        let f = with_files(vec![hangs(3, ms)], |_| {});
        assess(&PollSettings::default(), &f, &History::default(), &Thresholds::default(), before, NOW)
    };
    let first = poll(6_000, &Health::default());
    let later = poll(3_000, &first);
    assert_eq!((later.level, poll(1_900, &later).level), (Level::Warning, Level::Ok));
    // Another file whose I/O is older, and no reason by itself, does not end it.
    let both = with_files(vec![hangs(3, 3_000), hangs(1, 3_500)], |_| {});
    let both =
        assess(&PollSettings::default(), &both, &History::default(), &Thresholds::default(), &first, NOW);
    assert_eq!(both.level, Level::Warning);
}

#[test]
fn a_slow_file_stays_a_reason_until_it_clears() {
    let poll = |ms: f64, before: &Health| {
        let f = with_files(vec![file(3, "ROWS", (8.0, ms), (0.0, 0.0))], |_| {});
        assess(&PollSettings::default(), &f, &History::default(), &Thresholds::default(), before, NOW)
    };
    let first = poll(110.0, &Health::default());
    assert_eq!((first.level, poll(80.0, &Health::default()).level), (Level::Warning, Level::Ok));
    let later = poll(80.0, &first);
    assert_eq!((later.level, poll(74.0, &later).level), (Level::Warning, Level::Ok));
}

pub(super) fn tight(id: i32, mount: Option<&str>, next_kb: i64, room_kb: i64) -> Tight {
    Tight {
        ids: (5, id),
        database: Some("orders".into()),
        file: Some(format!("f{id}").into()),
        mount: mount.map(Into::into),
        next_kb,
        room_kb,
    }
}

fn with_room(tight: Vec<Tight>, change: impl FnOnce(&mut Facts)) -> Facts {
    facts(|f| {
        f.space = good(Arc::new(SpaceTable { tight, ..SpaceTable::default() }));
        change(f);
    })
}

#[test]
fn a_file_that_cannot_grow_is_a_reason_and_one_that_grew_today_is_critical() {
    const GB: i64 = 1 << 20;
    let of = |tight: Vec<Tight>| told(&with_room(tight, |_| {}));
    assert_eq!(of(vec![tight(1, Some("D:\\"), 4 * GB, 4 * GB)]), "Ok 100: ", "one more fits");
    assert_eq!(
        of(vec![tight(1, Some("D:\\"), 8 * GB, 2 * GB)]),
        "Warning 65: orders/f1 cannot grow 8.0 GB, 2.0 GB free"
    );
    assert_eq!(
        of(vec![tight(1, None, 8 * GB, 0), tight(3, None, 8 * GB, 0)]),
        "Warning 64: orders/f1 cannot grow 8.0 GB, 0 B to its limit; orders/f3 cannot grow 8.0 GB, 0 B to its limit",
        "nobody knows what is free inside of them"
    );
    let two = vec![tight(1, Some("D:\\"), 8 * GB, 2 * GB), tight(3, Some("D:\\"), 4 * GB, 2 * GB)];
    assert_eq!(of(two), "Warning 65: orders/f1 cannot grow 8.0 GB, 2.0 GB free", "one volume, one reason");
    let grew = |ago_ms: i64| {
        let growth = FileGrowth {
            at: NOW.plus_ms(-ago_ms),
            database: Some("orders".into()),
            file: Some("f1".into()),
            ..FileGrowth::default()
        };
        told(&with_room(vec![tight(1, Some("D:\\"), 8 * GB, 2 * GB)], |f| {
            f.growths = good(Arc::new(GrowthTable { growths: vec![growth], ..GrowthTable::default() }));
        }))
    };
    assert_eq!(grew(60_000), "Critical 50: orders/f1 cannot grow 8.0 GB, 2.0 GB free, grew 1x within a day");
    assert_eq!(grew(86_400_000), "Warning 65: orders/f1 cannot grow 8.0 GB, 2.0 GB free");
}

#[test]
fn a_volume_and_a_file_without_room_on_it_are_told_once() {
    let of = |free_pct: i64, room_kb: i64| {
        told(&with_room(vec![tight(1, Some("D:\\"), 100, room_kb)], |f| {
            let row = VolumeRow {
                mount: Some("D:\\".into()),
                total_bytes: Some(1_000),
                free_bytes: Some(free_pct * 10),
                ..VolumeRow::default()
            };
            f.volumes = good(Arc::new(vec![row]));
        }))
    };
    assert_eq!(of(50, 60), "Warning 74: orders/f1 cannot grow 100 KB, 60 KB free");
    assert_eq!(of(6, 60), "Warning 71: volume D: 6 % free", "the volume tells of both");
    assert_eq!(of(2, 60), "Critical 37: volume D: 2 % free");
    assert_eq!(of(6, 1), "Critical 14: orders/f1 cannot grow 100 KB, 1.0 KB free", "the file is graver");
}

#[test]
fn what_is_free_inside_of_a_file_that_cannot_grow_makes_it_grave() {
    let of = |tight: Tight, used_kb: Option<i64>| {
        told(&with_room(vec![tight], |f| {
            let files = vec![FileUse { ids: (5, 1), size_kb: Some(1_000), used_kb }];
            f.room = good(Arc::new(RoomTable { files, ..RoomTable::default() }));
        }))
    };
    let fixed = || tight(1, None, 0, 0);
    assert_eq!(of(fixed(), None), "Ok 100: ", "nobody knows what is in it");
    assert_eq!(of(fixed(), Some(800)), "Ok 100: ", "it was made as large as it has to be");
    assert_eq!(of(fixed(), Some(930)), "Warning 75: orders/f1 does not grow, 7 % free in it");
    assert_eq!(of(fixed(), Some(990)), "Critical 24: orders/f1 does not grow, 1 % free in it");
    let no_room = || tight(1, Some("D:\\"), 8 << 20, 2 << 20);
    assert_eq!(
        of(no_room(), Some(400)),
        "Warning 65: orders/f1 cannot grow 8.0 GB, 2.0 GB free, 60 % free in it"
    );
    assert_eq!(
        of(no_room(), Some(980)),
        "Critical 37: orders/f1 cannot grow 8.0 GB, 2.0 GB free, 2 % free in it"
    );
    assert_eq!(of(tight(1, Some("D:\\"), 10, 20), Some(999)), "Ok 100: ", "it can grow");
    let at_limit = || tight(1, None, 65_536, 0);
    assert_eq!(of(at_limit(), Some(100)), "Ok 100: ", "it was made as large as it may become");
    assert_eq!(
        of(at_limit(), Some(930)),
        "Warning 75: orders/f1 cannot grow 64 MB, 0 B to its limit, 7 % free in it"
    );
    assert_eq!(of(tight(1, None, 65_536, 70_000), Some(100)), "Ok 100: ", "nor with one growth left");
}

#[test]
fn a_query_store_that_records_nothing_says_why_and_a_full_one_is_told_once() {
    let store = |database: &str, state, readonly_reason| StoreRow {
        database: Some(database.into()),
        state: Some(state),
        desired_state: Some(2),
        readonly_reason,
        ..StoreRow::default()
    };
    let told = |stores: Vec<StoreRow>| {
        told(&facts(|f| {
            f.query_store = good(Arc::new(QueryStoreTable { stores, ..QueryStoreTable::default() }));
        }))
    };
    assert_eq!(
        told(vec![store("orders", 1, Some(131_072 | 524_288))]),
        "Warning 85: Query Store of orders is read-only: its statements reached the memory limit, the database reached its disk limit"
    );
    assert_eq!(
        told(vec![store("crm", 1, Some(262_144)), store("orders", 3, None)]),
        "Warning 85: Query Store of orders is in error, +1",
        "the graver one is named"
    );
    assert_eq!(
        told(vec![store("orders", 1, Some(65_536))]),
        "Warning 85: Query Store of orders is full: read-only"
    );
    let calm = [store("a", 1, Some(1)), store("b", 1, Some(8)), store("c", 2, None), store("d", 0, None)];
    assert_eq!(told(calm.into()), "Ok 100: ", "meant so, or nothing is wrong");
}
