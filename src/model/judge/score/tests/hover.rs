//! Figures that hover at a limit: each begins once. Every row of the table of limits is here; a new one does not compile without.

use super::*;
use crate::model::poll::{
    files::{FileRow, FileTable},
    logs::LogRow,
    properties::{Properties, ServerOption},
    room::{FileUse, RoomTable},
    space::{SpaceTable, Tight},
};

fn volume(free_pct: f64, hours: Option<f64>) -> VolumeRow {
    VolumeRow {
        mount: Some("L:".into()),
        total_bytes: Some(1 << 40),
        free_bytes: Some((free_pct / 100.0 * (1_u64 << 40) as f64) as i64),
        full_in_ms: hours.map(|hours| (hours * 3_600_000.0) as i64),
    }
}

fn log(free_pct: f64, minutes: Option<f64>) -> LogRow {
    LogRow {
        database: Some("orders".into()),
        size_kb: Some(1 << 30),
        capacity_kb: Some(1 << 30),
        used_kb: Some(((100.0 - free_pct) / 100.0 * f64::from(1 << 30)) as i64),
        full_in_ms: minutes.map(|minutes| (minutes * 60_000.0) as i64),
        ..LogRow::default()
    }
}

fn replica(change: &dyn Fn(&mut ReplicaRow)) -> Reading<Arc<Vec<ReplicaRow>>> {
    let mut row = ReplicaRow { database: Some("orders".into()), ..ReplicaRow::default() };
    change(&mut row);
    good(Arc::new(vec![row]))
}

/// A memory target of so many per cent of what is allowed.
fn target(f: &mut Facts, pct: f64) {
    let limit = Some(80 * 1024);
    let option = ServerOption { name: "max server memory (MB)".into(), configured: limit, in_use: limit };
    f.properties = good(Arc::new(Properties {
        options: Some(Arc::new(vec![option])),
        physical_memory_kb: Some(128 << 20),
        engine_edition: Some(3),
        ..Properties::default()
    }));
    let target_memory_kb = Some((pct / 100.0 * f64::from(80 << 20)) as i64);
    f.headline = good(Headline { cpu_pct: Some(12.0), target_memory_kb, ..Headline::default() });
}

fn files_of(row: FileRow) -> Reading<Arc<FileTable>> {
    good(Arc::new(FileTable { files: vec![row], ..FileTable::default() }))
}

fn space(tight: Tight) -> Reading<Arc<SpaceTable>> {
    good(Arc::new(SpaceTable { tight: vec![tight], ..SpaceTable::default() }))
}

/// What an instance looks like whose figure is so, and its past.
fn with(gauge: Gauge, value: f64) -> (Facts, History) {
    let mut history = History::default();
    let mb = |mb: f64| Some((mb * 1024.0) as i64);
    let facts = facts(|f| match gauge {
        Gauge::Cpu => f.headline = good(Headline { cpu_pct: Some(value), ..Headline::default() }),
        Gauge::Runnable => {
            let runnable = Some((value * 100.0) as i64);
            f.cpu = good(CpuNow { schedulers: Some(100), runnable, ..CpuNow::default() });
        }
        Gauge::Workers => {
            let active_workers = Some(100_000 - (value * 1_000.0) as i64);
            f.cpu = good(CpuNow { max_workers: Some(100_000), active_workers, ..CpuNow::default() });
        }
        Gauge::Memory => f.memory = good(MemoryNow { used_pct: Some(value), ..MemoryNow::default() }),
        Gauge::MemoryFree => {
            let used_pct = Some(100.0 - value);
            f.memory = good(MemoryNow { used_pct, physical_kb: Some(16 << 20), ..MemoryNow::default() });
        }
        Gauge::MemoryTarget => target(f, value),
        Gauge::Blocked => {
            let wait_ms = Some((value * 1_000.0) as i64);
            let task = BlockedTask { session_id: 61, blocked_by: 60, wait_ms, ..BlockedTask::default() };
            f.blocking = good(Arc::new(blocking::build(&[task], &[], DatabaseNames(&[]))));
        }
        Gauge::Poison => f.waits = waits("RESOURCE_SEMAPHORE", WaitCategory::Memory, value, 1.0),
        Gauge::Volume => f.volumes = good(Arc::new(vec![volume(value, None)])),
        Gauge::VolumeFull => f.volumes = good(Arc::new(vec![volume(50.0, Some(value))])),
        Gauge::Tempdb => {
            let tempdb_used_pct = Some(100.0 - value);
            f.headline = good(Headline { cpu_pct: Some(12.0), tempdb_used_pct, ..Headline::default() });
        }
        Gauge::TempdbFull => {
            let tempdb_used_pct = Some(50.0);
            f.headline = good(Headline { cpu_pct: Some(12.0), tempdb_used_pct, ..Headline::default() });
            // A trend is told ahead by eight times the time that was seen.
            for n in (0..=20_i32).rev() {
                let used = 50.0 - 50.0 / value * f64::from(n) / 2.0;
                history.record(SeriesId::Tempdb, NOW.plus_ms(i64::from(n) * -30_000), Some(used));
            }
        }
        Gauge::Log => f.logs = good(Arc::new(vec![log(value, None)])),
        Gauge::LogFull => f.logs = good(Arc::new(vec![log(50.0, Some(value))])),
        Gauge::Lag => f.availability = replica(&|row| row.lag_s = Some(value as i64)),
        Gauge::SendQueue => f.availability = replica(&|row| row.send_queue_kb = mb(value)),
        Gauge::RedoQueue => f.availability = replica(&|row| row.redo_queue_kb = mb(value)),
        Gauge::Io => f.waits = waits("PAGEIOLATCH_SH", WaitCategory::BufferIo, value * 100.0, 100.0),
        Gauge::FileIo => f.files = files_of(files::file(3, "ROWS", (8.0, value), (0.0, 0.0))),
        Gauge::PendingIo => {
            let oldest_io_ms = Some((value * 1_000.0) as i64);
            f.files = files_of(FileRow { oldest_io_ms, ..files::file(3, "ROWS", (8.0, 1.0), (0.0, 0.0)) });
        }
        Gauge::Room => f.space = space(files::tight(1, Some("D:\\"), 1_000_000, (value * 1e6) as i64)),
        Gauge::Inside => {
            let used_kb = Some(1_000_000 - (value * 1e4) as i64);
            let files = vec![FileUse { ids: (5, 1), size_kb: Some(1_000_000), used_kb }];
            f.room = good(Arc::new(RoomTable { files, ..RoomTable::default() }));
            f.space = space(files::tight(1, None, 0, 0));
        }
    });
    (facts, history)
}

/// The usual ones. Memory in use is judged for itself only: it would hide how much is free.
fn thresholds(gauge: Gauge) -> Thresholds {
    let mut thresholds = Thresholds::default();
    if gauge == Gauge::Memory {
        (thresholds.memory_warning_pct, thresholds.memory_critical_pct) = (85.0, 95.0);
    }
    thresholds
}

/// The levels that the polls change to, one after another, from the first that is not ok.
fn levels(gauge: Gauge, polls: impl Iterator<Item = (Facts, History)>) -> Vec<Level> {
    let (mut before, thresholds) = (Health::default(), thresholds(gauge));
    let mut found = vec![Level::Ok];
    for (facts, history) in polls {
        before = assess(&PollSettings::default(), &facts, &history, &thresholds, &before, NOW);
        if found.last() != Some(&before.level) {
            found.push(before.level);
        }
    }
    found
}

/// Values around a limit, that reach as far to its good side as to its bad one.
fn around(limit: f64, by: f64) -> impl Iterator<Item = f64> {
    (0..60).map(move |n| limit + by * [0.9, -0.9, 0.2, -0.5, 0.0, -0.1][n % 6])
}

#[test]
fn every_figure_that_hovers_at_a_limit_begins_once() {
    for gauge in Gauge::ALL {
        let limits = thresholds(gauge).limits(gauge).unwrap();
        let (clear, calm) = ((limits.clear - limits.warning).abs(), (limits.calm - limits.critical).abs());
        let at_warning = levels(gauge, around(limits.warning, clear * 0.8).map(|value| with(gauge, value)));
        assert_eq!(at_warning.len(), 2, "{gauge:?} at its warning: {at_warning:?}");
        assert_eq!(at_warning.last(), Some(&Level::Warning), "{gauge:?}");
        let at_critical = levels(gauge, around(limits.critical, calm * 0.8).map(|value| with(gauge, value)));
        assert!(at_critical.len() <= 3, "{gauge:?} at its critical limit: {at_critical:?}");
        assert_eq!(at_critical.last(), Some(&Level::Critical), "{gauge:?}");
        // And it ends.
        let past = limits.warning + (limits.clear - limits.warning) * 3.0;
        let ended = levels(gauge, [limits.critical, past, past].into_iter().map(|value| with(gauge, value)));
        assert_eq!(ended.last(), Some(&Level::Ok), "{gauge:?} at {past}");
    }
}

#[test]
fn what_is_little_of_a_machine_does_not_come_and_go_at_a_gigabyte() {
    let free = |mb: f64| {
        let physical_kb = 64 << 20;
        let used_pct = Some(100.0 - mb / (64.0 * 1024.0) * 100.0);
        let memory = MemoryNow { used_pct, physical_kb: Some(physical_kb), ..MemoryNow::default() };
        (facts(|f| f.memory = good(memory)), History::default())
    };
    let hovers = levels(Gauge::MemoryFree, around(1024.0, 150.0).map(free));
    assert_eq!(hovers, [Level::Ok, Level::Warning], "between 0.9 and 1.1 GB of 64 GB");
    assert_eq!(
        levels(Gauge::MemoryFree, [1_000.0, 1_300.0].into_iter().map(free)).last(),
        Some(&Level::Ok),
        "enough"
    );
    assert_eq!(
        levels(Gauge::MemoryFree, [1_100.0].into_iter().map(free)),
        [Level::Ok],
        "it has not been little yet"
    );
}

#[test]
fn an_average_of_few_does_not_come_and_go_with_their_number() {
    let reads = |per_s: f64| {
        let waits = waits("PAGEIOLATCH_SH", WaitCategory::BufferIo, per_s * 60.0, per_s);
        (facts(|f| f.waits = waits), History::default())
    };
    let flushes = |per_s: f64| {
        let of = |h: &mut Headline| (h.log_flushes_per_s, h.log_flush_ms) = (Some(per_s), Some(60.0));
        (with_headline(of), History::default())
    };
    let hovers = || around(1.0, 0.3);
    assert_eq!(levels(Gauge::Io, hovers().map(reads)), [Level::Ok, Level::Warning]);
    assert_eq!(levels(Gauge::Io, hovers().map(flushes)), [Level::Ok, Level::Warning]);
    assert_eq!(
        levels(Gauge::Io, [2.0, 0.4].into_iter().map(reads)).last(),
        Some(&Level::Ok),
        "hardly any read is left"
    );
    assert_eq!(levels(Gauge::Io, [0.9].into_iter().map(reads)), [Level::Ok]);
}
