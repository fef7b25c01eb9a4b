//! Tests of the sentences.

use super::*;
use crate::model::base::zone::{UTC, tests::named};

const AT: Timestamp = Timestamp::from_ms(1_795_168_000_000);

/// Every reason with the sentence that the version before said of it.
fn told() -> Vec<(Why, &'static str)> {
    let mut all = told_of_polls();
    all.extend(told_of_figures());
    all.extend(told_of_things());
    all
}

fn told_of_polls() -> Vec<(Why, &'static str)> {
    let since = |is_dated| Since { at: AT, is_dated };
    let down = |kind, number, obstacle| Why::Down { kind, number, obstacle, since: Some(since(false)) };
    vec![
        (Why::Sentence("3 blocked by 7".into()), "3 blocked by 7"),
        (Why::Paused { pause: Pause::Stopped, left_ms: None }, "stopped"),
        (Why::Paused { pause: Pause::Maintenance, left_ms: Some(60_000) }, "in maintenance for 1m"),
        (down(FailureKind::Timeout, None, None), "unreachable since 09:46:40 (timed out)"),
        (
            down(FailureKind::Unreachable, None, Some(Obstacle::NoRoute)),
            "unreachable since 09:46:40 (no route)",
        ),
        (
            down(FailureKind::Unreachable, None, Some(Obstacle::Refused)),
            "unreachable since 09:46:40 (refused)",
        ),
        (down(FailureKind::Tls, None, Some(Obstacle::HungUp)), "TLS failed since 09:46:40 (hung up)"),
        (down(FailureKind::Login, Some(18456), None), "login refused (18456) since 09:46:40"),
        (Why::NoDataSince(since(true)), "no data since 2026-11-20 09:46:40 UTC"),
        (Why::NotPolled, "not polled yet"),
        (Why::FirstPoll, "first poll under way"),
        (Why::Needs("VIEW SERVER STATE".into()), "needs VIEW SERVER STATE"),
        (Why::Silent { ms: 76_000, failed: None }, "no data for 1m16s"),
        (Why::Silent { ms: 76_000, failed: Some(FailureKind::Timeout) }, "no data for 1m16s (timed out)"),
        (Why::NoCounters(FailureKind::Protocol), "no counters (bad answer)"),
        (Why::AllNull, "no figures: every counter is NULL"),
        (Why::Gone, "no longer in the inventory"),
        (Why::Restarted { ms: 10_000 }, "restarted 10 s ago"),
    ]
}

fn told_of_figures() -> Vec<(Why, &'static str)> {
    let some = |text: &str| Some(Arc::<str>::from(text));
    vec![
        (Why::Cpu { pct: 97.0, busy_ms: None, at_least: false, other_pct: None, cpus: None }, "CPU 97 %"),
        (
            Why::Cpu {
                pct: 97.0,
                busy_ms: Some(360_000),
                at_least: false,
                other_pct: Some(20.0),
                cpus: None,
            },
            "CPU 97 % for 6m, other processes 20 %",
        ),
        (
            Why::Cpu { pct: 97.0, busy_ms: Some(840_000), at_least: true, other_pct: None, cpus: None },
            "CPU 97 % for over 14m",
        ),
        (
            Why::Cpu {
                pct: 100.0,
                busy_ms: Some(360_000),
                at_least: false,
                other_pct: None,
                cpus: CpusInUse::of(Some(4), Some(16)),
            },
            "CPU 100 % of 4 of 16 CPUs for 6m",
        ),
        (Why::Runnable { tasks: 45, schedulers: 4 }, "45 tasks wait for 4 CPUs"),
        (Why::MachineMemoryLow, "memory of the machine low"),
        (Why::MemoryFree { free_kb: 262_144, pct: 1.5 }, "256 MB memory free, 1.5 % of the machine"),
        (
            Why::MemoryTarget { target_kb: 12 << 20, allowed_kb: 100 << 20 },
            "memory target 12 GB of 100 GB allowed",
        ),
        (
            Why::Waits { name: "RESOURCE_SEMAPHORE".into(), ms_per_s: 1500.0, workers: None },
            "RESOURCE_SEMAPHORE waits 1.5 s/s",
        ),
        (
            Why::Waits {
                name: "THREADPOOL".into(),
                ms_per_s: 15.0,
                workers: Some(Workers { free: 2, of: 1472 }),
            },
            "THREADPOOL waits 15 ms/s; 2 of 1,472 free",
        ),
        (Why::Workers(Workers { free: 0, of: 512 }), "0 of 512 workers free"),
        (
            Why::Blocked { sessions: 14, longest_ms: 312_000, by: 88, status: some("sleeping") },
            "14 sessions blocked 5m12s by 88 (sleeping)",
        ),
        (
            Why::Blocked { sessions: 1, longest_ms: 40_000, by: 88, status: None },
            "1 session blocked 40 s by 88",
        ),
        (Why::Memory { pct: 91.2, is_low: false }, "memory 91 % of the machine"),
        (Why::Memory { pct: 91.2, is_low: true }, "memory 91 % of the machine, running low"),
        (Why::MemoryLow, "physical memory low"),
        (Why::Grants(1), "1 query waits for a memory grant"),
        (Why::Grants(3), "3 queries wait for a memory grant"),
        (Why::PageLife { now_s: 180, best_s: 4200 }, "page life 3m00s, was 1h10m"),
        (Why::PageReads(25.0), "page reads take 25 ms"),
        (Why::LogFlushes(25.0), "log flushes take 25 ms"),
        (Why::Deadlocks(1), "1 deadlock in 15 min"),
        (Why::Deadlocks(2), "2 deadlocks in 15 min"),
    ]
}

fn told_of_things() -> Vec<(Why, &'static str)> {
    let some = |text: &str| Some(Arc::<str>::from(text));
    let replica =
        |trouble, more| Why::Replica { database: some("crm"), replica: some("SQL2"), trouble, more };
    vec![
        (Why::Volume { mount: some("E:\\Payroll\\"), free_pct: 2.14 }, "volume E:\\Payroll 2.1 % free"),
        (Why::Volume { mount: None, free_pct: 2.14 }, "volume ? 2.1 % free"),
        (Why::Tempdb(4.0), "tempdb 4 % free"),
        (log(None, None, None), "log of orders 6 % free"),
        (log(Some(240_000), Some("LOG_BACKUP"), None), "log of orders full in 4m, waits for LOG_BACKUP"),
        (
            log(Some(240_000), Some("ACTIVE_TRANSACTION"), Some(60)),
            "log of orders full in 4m, session 60 holds it",
        ),
        (
            Why::TempdbFilling {
                full_in_ms: 240_000,
                free_pct: 22.0,
                holder: Some(Holder { session: 60, pct: 71.0 }),
            },
            "tempdb full in 4m, session 60 holds 71 %",
        ),
        (
            Why::TempdbFilling { full_in_ms: 240_000, free_pct: 22.0, holder: None },
            "tempdb full in 4m, 22 % free",
        ),
        (
            Why::VolumeFilling { mount: some("L:\\"), full_in_ms: 10_800_000, free_pct: 12.0 },
            "volume L: full in 3h00m, 12 % free",
        ),
        (Why::Database { name: some("crm"), state: "SUSPECT".into(), more: 0 }, "database crm is SUSPECT"),
        (Why::Database { name: None, state: "EMERGENCY".into(), more: 3 }, "database ? is EMERGENCY, +3"),
        (slow(true, 240.0), "writes of orders/orders_2 take 240 ms"),
        (slow(false, 1_500.0), "reads of orders/orders_2 take 1.5 s"),
        (stalled(14), "an I/O of orders/orders_2 hangs for 12 s, 14 in flight"),
        (stalled(1), "an I/O of orders/orders_2 hangs for 12 s"),
        (cannot_grow(some("D:\\"), 0), "orders/orders_2 cannot grow 8.0 GB, 2.0 GB free"),
        (
            cannot_grow(some("D:\\"), 6),
            "orders/orders_2 cannot grow 8.0 GB, 2.0 GB free, grew 6x within a day",
        ),
        (cannot_grow(None, 0), "orders/orders_2 cannot grow 8.0 GB, 2.0 GB to its limit"),
        (fixed(4.0), "orders/orders_2 does not grow, 4 % free in it"),
        (replica(Trouble::Suspended, 0), "crm on SQL2 suspended"),
        (replica(Trouble::NotSynchronizing, 2), "crm on SQL2 not synchronizing, +2"),
        (replica(Trouble::Behind(45), 0), "crm on SQL2 45 s behind"),
        (replica(Trouble::Reverting, 0), "crm on SQL2 reverting"),
        (replica(Trouble::Initializing, 0), "crm on SQL2 initializing"),
        (replica(Trouble::ToSend(50 << 20), 1), "crm on SQL2 50 GB to send, +1"),
        (replica(Trouble::ToRedo(3 << 20), 0), "crm on SQL2 3.0 GB to redo"),
        (Why::Jobs { failed: 1, name: some("Backup"), at: Some(AT) }, "job failed: Backup at 09:46:40"),
        (Why::Jobs { failed: 3, name: None, at: None }, "3 jobs failed: ?"),
    ]
}

fn slow(writes: bool, ms: f64) -> Why {
    let (database, file) = (Some("orders".into()), Some("orders_2".into()));
    Why::SlowFile { ids: (5, 3), database, file, writes, ms }
}

fn stalled(pending: i64) -> Why {
    let (database, file) = (Some("orders".into()), Some("orders_2".into()));
    Why::StalledIo { ids: (5, 3), database, file, oldest_ms: 12_000, pending: Some(pending) }
}

fn cannot_grow(mount: Option<Arc<str>>, grew: u32) -> Why {
    let (database, file) = (Some("orders".into()), Some("orders_2".into()));
    Why::CannotGrow {
        ids: (5, 3),
        database,
        file,
        mount,
        next_kb: 8 << 20,
        room_kb: 2 << 20,
        grew,
        inside_pct: None,
    }
}

fn fixed(free_pct: f64) -> Why {
    let (database, file) = (Some("orders".into()), Some("orders_2".into()));
    let (mount, inside_pct) = (None, Some(free_pct));
    Why::CannotGrow { ids: (5, 3), database, file, mount, next_kb: 0, room_kb: 0, grew: 0, inside_pct }
}

fn log(full_in_ms: Option<i64>, reuse_wait: Option<&str>, session: Option<i32>) -> Why {
    let reuse_wait = reuse_wait.map(Into::into);
    Why::Log { database: Some("orders".into()), full_in_ms, free_pct: 6.0, reuse_wait, session }
}

#[test]
fn a_reason_is_told_as_it_always_was() {
    for (why, wanted) in told() {
        assert_eq!(why.told(&UTC).to_string(), wanted, "{why:?}");
    }
}

/// A name in a place that nobody visits would leave the house.
#[test]
fn every_text_from_a_server_is_visited() {
    let ours = ["SUSPECT", "EMERGENCY", "THREADPOOL", "RESOURCE_SEMAPHORE"];
    for (mut why, _) in told() {
        why.each_name_mut(&mut |_, text| *text = "x".into());
        let data = format!("{why:?}");
        let texts = data.split('"').skip(1).step_by(2);
        let left: Vec<&str> = texts.filter(|text| *text != "x" && !ours.contains(text)).collect();
        assert!(left.is_empty(), "{left:?} in {data}");
    }
}

#[test]
fn a_time_is_told_by_the_readers_clock_and_says_utc_to_nobody_in_particular() {
    let since = Some(Since { at: AT, is_dated: false });
    let down = Why::Down { kind: FailureKind::Unreachable, number: None, obstacle: None, since };
    let kathmandu = named("Asia/Kathmandu");
    assert_eq!(down.told(&kathmandu).to_string(), "unreachable since 15:31:40");
    assert_eq!(down.told_alone(&kathmandu).to_string(), "unreachable since 15:31:40 +05:45");
    assert_eq!(down.to_string(), "unreachable since 09:46:40 UTC");
    let old = Why::NoDataSince(Since { at: AT, is_dated: true });
    assert_eq!(old.told(&kathmandu).to_string(), "no data since 2026-11-20 15:31:40 +05:45");
    let job = Why::Jobs { failed: 1, name: None, at: Some(AT) };
    assert_eq!(job.told(&named("Europe/Berlin")).to_string(), "job failed: ? at 10:46:40");
    assert_eq!(job.told_alone(&named("Europe/Berlin")).to_string(), "job failed: ? at 10:46:40 CET");
    for (why, _) in told() {
        let differs = why.told(&UTC).to_string() != why.told(&kathmandu).to_string();
        assert_eq!(why.has_time(), differs, "a reason that forgets to say that it has a time: {why:?}");
    }
}
