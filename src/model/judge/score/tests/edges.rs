//! Values at their limits, what is in force, and what real servers look like that are well, or are not.

use super::*;
use crate::model::poll::{
    logs::LogRow,
    properties::{Platform, Properties, ServerOption},
};

/// The verdict after one that was in force.
fn after(before: &Health, facts: &Facts) -> Health {
    assess(&PollSettings::default(), facts, &History::default(), &Thresholds::default(), before, NOW)
}

fn level(health: &Health) -> Level {
    health.level
}

#[test]
fn a_figure_is_graded_at_its_limits() {
    let high = Thresholds::default().limits(Gauge::Cpu).unwrap();
    let low = Thresholds::default().limits(Gauge::Volume).unwrap();
    let (ok, warning, critical) = (Level::Ok, Level::Warning, Level::Critical);
    // limits, value, in force, wanted
    let table = [
        (high, 80.0, ok, None),
        (high, 80.01, ok, Some((warning, 15))),
        (high, 94.99, ok, Some((warning, 39))),
        (high, 95.0, ok, Some((critical, 50))),
        (high, 190.0, ok, Some((critical, 65))),
        (high, f64::INFINITY, ok, Some((critical, 90))),
        (high, f64::NEG_INFINITY, critical, None),
        (high, f64::NAN, critical, None),
        (high, 75.01, warning, Some((warning, 15))),
        (high, 75.0, warning, None),
        (high, 89.1, critical, Some((critical, 50))),
        (high, 89.0, critical, Some((warning, 30))),
        (high, 75.0, critical, None),
        (low, 10.0, ok, None),
        (low, 9.99, ok, Some((warning, 15))),
        (low, 3.0, ok, Some((critical, 50))),
        (low, 0.0, ok, Some((critical, 90))),
        (low, 10.99, warning, Some((warning, 15))),
        (low, 11.0, warning, None),
        (low, 3.29, critical, Some((critical, 50))),
        (low, 3.31, critical, Some((warning, 38))),
        (low, f64::NAN, critical, None),
    ];
    for (limits, value, before, wanted) in table {
        assert_eq!(grade(&limits, value, before), wanted, "{value} after {before:?} by {limits:?}");
    }
    let same = Limits { warning: 0.0, critical: 0.0, clear: 0.0, calm: 0.0, low_is_bad: false };
    assert_eq!(grade(&same, 0.0, ok), Some((critical, 50)), "limits of 0 are limits, too");
}

#[test]
fn what_hovers_at_its_limit_begins_once_and_ends_once() {
    let mut before = Health::default();
    let mut changes = 0;
    for n in 0..300 {
        let ms = 20.0 + [0.4, -0.4, 3.0, -3.0, 0.0][n % 5];
        let reads = facts(|f| f.waits = waits("PAGEIOLATCH_SH", WaitCategory::BufferIo, ms * 100.0, 100.0));
        let health = after(&before, &reads);
        changes += u32::from(level(&health) != level(&before));
        before = health;
    }
    assert_eq!(changes, 1, "300 polls around 20 ms");
    assert_eq!(before.reasons[0].text(), "page reads take 20 ms");
    let quiet = facts(|f| f.waits = waits("PAGEIOLATCH_SH", WaitCategory::BufferIo, 1_400.0, 100.0));
    assert_eq!(level(&after(&before, &quiet)), Level::Ok);
}

#[test]
fn what_is_in_force_for_one_thing_says_nothing_of_another() {
    let volume = |mount: &str, free| VolumeRow {
        mount: Some(mount.into()),
        total_bytes: Some(1000),
        free_bytes: Some(free),
        ..VolumeRow::default()
    };
    let full = facts(|f| f.volumes = good(Arc::new(vec![volume("L:\\", 95)])));
    let before = judge(&full);
    let both = facts(|f| f.volumes = good(Arc::new(vec![volume("L:\\", 105), volume("D:\\", 105)])));
    let told: Vec<_> = after(&before, &both).reasons.iter().map(|r| r.text().to_owned()).collect();
    assert_eq!(told, ["volume L: 10 % free"], "D: has never been below its limit");
}

/// Sessions that wait for a head, the first of them for so long.
fn chain(head: i32, victims: i32, wait_ms: i64) -> Vec<BlockedTask> {
    let task = |n| BlockedTask {
        session_id: head * 1000 + n,
        blocked_by: head,
        wait_ms: Some(if n == 0 { wait_ms } else { 0 }),
        ..BlockedTask::default()
    };
    (0..victims).map(task).collect()
}

fn with_chains(tasks: &[Vec<BlockedTask>]) -> Facts {
    let built = blocking::build(&tasks.concat(), &[], DatabaseNames(&[]));
    facts(|f| f.blocking = good(Arc::new(built)))
}

#[test]
fn blocking_is_a_warning_from_fifteen_seconds() {
    let of = |ms| judge(&with_chains(&[chain(7, 4, ms)])).level;
    let table = [
        (0, Level::Ok),
        (15_000, Level::Ok),
        (15_001, Level::Warning),
        (119_999, Level::Warning),
        (120_000, Level::Critical),
    ];
    for (ms, wanted) in table {
        assert_eq!(of(ms), wanted, "{ms} ms");
    }
}

#[test]
fn a_longer_chain_of_warnings_does_not_hide_a_critical_one() {
    for chains in
        [vec![chain(7, 40, 20_000), chain(8, 1, 500_000)], vec![chain(8, 1, 500_000), chain(7, 40, 20_000)]]
    {
        let health = judge(&with_chains(&chains));
        assert_eq!((health.level, health.reasons[0].topic), (Level::Critical, Topic::Blocking(8)));
    }
}

/// A server with 16 CPUs of which SQL Server may run on four, all of them busy.
fn four_of_sixteen() -> Facts {
    facts(|f| {
        f.properties = good(Arc::new(Properties { cpu_count: Some(16), ..Properties::default() }));
        f.headline = good(Headline { cpu_pct: Some(100.0), ..Headline::default() });
        f.cpu = good(CpuNow { schedulers: Some(4), runnable: Some(45), ..CpuNow::default() });
    })
}

#[test]
fn four_busy_schedulers_of_sixteen_are_not_a_quarter_of_the_load() {
    assert_eq!(told(&four_of_sixteen()), "Critical 24: 45 tasks wait for 4 CPUs; CPU 100 % of 4 of 16 CPUs");
    let mut calm = four_of_sixteen();
    calm.headline = good(Headline { cpu_pct: Some(30.0), ..Headline::default() });
    assert_eq!(
        told(&calm),
        "Critical 48: 45 tasks wait for 4 CPUs",
        "tasks without a CPU are a reason of their own"
    );
    calm.cpu = good(CpuNow { schedulers: Some(4), runnable: Some(12), ..CpuNow::default() });
    assert_eq!(told(&calm), "Ok 100: ");
    for (schedulers, runnable) in
        [(None, Some(45)), (Some(0), Some(45)), (Some(4), None), (Some(-1), Some(1))]
    {
        calm.cpu = good(CpuNow { runnable, schedulers, ..CpuNow::default() });
        assert_eq!(told(&calm), "Ok 100: ", "{schedulers:?} {runnable:?}");
    }
}

#[test]
fn tasks_that_a_pool_holds_on_a_few_cpus_are_not_spread_over_all() {
    let told = |schedulers, busy, tasks| {
        let cpu = CpuNow { schedulers: Some(schedulers), runnable: Some(tasks), busy, ..CpuNow::default() };
        told(&facts(|f| f.cpu = good(cpu)))
    };
    assert_eq!(told(16, Some(4), 45), "Critical 48: 45 tasks wait for 4 of 16 CPUs");
    assert_eq!(told(16, Some(8), 45), "Warning 76: 45 tasks wait for 8 of 16 CPUs", "a full NUMA node");
    assert_eq!(told(16, Some(16), 45), "Ok 100: ");
    assert_eq!(told(16, Some(1), 3), "Ok 100: ", "one that had bad luck");
    assert_eq!(told(16, Some(1), 45), "Critical 33: 45 tasks wait for 1 of 16 CPUs");
    assert_eq!(told(1, Some(1), 5), "Warning 78: 5 tasks wait for 1 CPU");
    for nonsense in [None, Some(0), Some(-4), Some(17), Some(i64::MAX), Some(i64::MIN)] {
        assert_eq!(told(16, nonsense, 45), "Ok 100: ", "{nonsense:?}");
        assert_eq!(told(4, nonsense, 45), "Critical 48: 45 tasks wait for 4 CPUs", "{nonsense:?}");
    }
}

#[test]
fn one_poll_with_many_tasks_is_no_trouble() {
    let mut history = History::default();
    for (ago, tasks) in [(63_000, 2.0), (3_000, 45.0)] {
        history.record(SeriesId::Runnable, NOW.plus_ms(-ago), Some(tasks));
    }
    let facts = four_of_sixteen();
    let health = |history: &History| {
        assess(&PollSettings::default(), &facts, history, &Thresholds::default(), &Health::default(), NOW)
    };
    let about_tasks =
        |health: &Health| health.reasons.iter().any(|r| matches!(r.why(), Why::Runnable { .. }));
    assert!(!about_tasks(&health(&history)));
    history.record(SeriesId::Runnable, NOW.plus_ms(-1_000), Some(45.0));
    assert!(about_tasks(&health(&history)));
}

#[test]
fn a_dedicated_server_that_is_full_is_well() {
    for used in [93.0, 96.0, 98.9] {
        let memory = MemoryNow { used_pct: Some(used), physical_kb: Some(128 << 20), ..MemoryNow::default() };
        assert_eq!(told(&facts(|f| f.memory = good(memory))), "Ok 100: ", "{used} %");
    }
    let starved = MemoryNow { used_pct: Some(99.0), physical_kb: Some(16 << 20), ..MemoryNow::default() };
    assert_eq!(
        told(&facts(|f| f.memory = good(starved))),
        "Warning 69: 164 MB memory free, 1 % of the machine"
    );
    let low = |process_low, machine_low| {
        told(&facts(|f| f.memory = good(MemoryNow { process_low, machine_low, ..MemoryNow::default() })))
    };
    assert_eq!(low(Some(true), None), "Warning 70: physical memory low");
    assert_eq!(low(None, Some(true)), "Warning 65: memory of the machine low");
    assert_eq!(low(Some(true), Some(true)), "Warning 65: memory of the machine low", "one thing");
    assert_eq!(low(None, Some(false)), "Ok 100: ");
    let set = Thresholds { memory_warning_pct: 85.0, memory_critical_pct: 95.0, ..Thresholds::default() };
    let full = facts(|f| f.memory = good(MemoryNow { used_pct: Some(96.0), ..MemoryNow::default() }));
    let health = assess(&PollSettings::default(), &full, &History::default(), &set, &Health::default(), NOW);
    assert_eq!(health.reasons[0].text(), "memory 96 % of the machine", "whoever sets limits gets them");
}

#[test]
fn a_target_below_what_is_allowed_is_pressure_from_outside() {
    let server = |max_mb, target_gb: i64, edition: (i32, &str), up_ms: i64| {
        told(&facts(|f| {
            let option =
                ServerOption { name: "max server memory (MB)".into(), configured: max_mb, in_use: max_mb };
            f.properties = good(Arc::new(Properties {
                options: Some(Arc::new(vec![option])),
                physical_memory_kb: Some(128 << 20),
                engine_edition: Some(edition.0),
                edition: Some(edition.1.into()),
                ..Properties::default()
            }));
            f.headline = good(Headline {
                target_memory_kb: Some(target_gb << 20),
                started_at: Some(NOW.plus_ms(-up_ms)),
                ..Headline::default()
            });
        }))
    };
    let (enterprise, day) = ((3, "Enterprise Edition"), 86_400_000);
    let gb = |n: i64| Some(n * 1024);
    assert_eq!(server(gb(80), 40, enterprise, day), "Critical 50: memory target 40 GB of 80 GB allowed");
    assert_eq!(server(gb(80), 60, enterprise, day), "Warning 81: memory target 60 GB of 80 GB allowed");
    assert_eq!(server(gb(80), 80, enterprise, day), "Ok 100: ");
    assert_eq!(
        server(gb(120), 94, enterprise, day),
        "Ok 100: ",
        "more than the machine can give is no promise"
    );
    assert_eq!(server(gb(80), 40, enterprise, 1_200_000), "Ok 100: ", "it is still growing");
    assert_eq!(server(Some(i64::from(i32::MAX)), 40, enterprise, day), "Ok 100: ", "nobody said how much");
    assert_eq!(server(gb(80), 1, (4, "Express Edition"), day), "Ok 100: ", "the edition takes no more");
    assert_eq!(server(None, 1, enterprise, day), "Ok 100: ");
}

#[test]
fn page_life_is_not_blamed_for_a_restart() {
    let young = |up_s: i64, before_restart| {
        let f = with_headline(|h| {
            h.page_life_s = Some(6);
            h.started_at = Some(NOW.plus_ms(-up_s * 1000));
        });
        let mut history = History::default();
        if before_restart {
            history.entry(SeriesId::PageLife).push(NOW.plus_ms(-up_s * 1000 - 9_000), 23_134.0);
        } else {
            history.entry(SeriesId::PageLife).push(NOW.plus_ms(-300_000), 23_134.0);
        }
        history.entry(SeriesId::PageLife).push(NOW.plus_ms(-3_000), 6.0);
        let health =
            assess(&PollSettings::default(), &f, &history, &Thresholds::default(), &Health::default(), NOW);
        health.reasons.iter().map(|r| r.text().to_owned()).collect::<Vec<_>>().join("; ")
    };
    assert_eq!(young(10, true), "restarted 10 s ago");
    assert_eq!(young(850, true), "", "a buffer pool of a quarter of an hour is cold");
    assert_eq!(young(7_200, false), "page life 6 s, was 6h25m");
}

#[test]
fn a_restart_stands_before_what_follows_from_it() {
    let mut f = with_headline(|h| {
        h.started_at = Some(NOW.plus_ms(-40_000));
        h.cpu_pct = Some(99.0);
        h.deadlocks_recent = Some(9);
    });
    let texts = |f: &Facts| judge(f).reasons.iter().map(|r| r.text().to_owned()).collect::<Vec<_>>();
    assert_eq!(texts(&f), ["restarted 40 s ago", "CPU 99 %", "9 deadlocks in 15 min"]);
    assert_eq!(judge(&f).level, Level::Critical, "the order changes no level");
    f.blocking = with_chains(&[chain(7, 4, 500_000)]).blocking;
    assert_eq!(texts(&f)[..2], ["4 sessions blocked 8m20s by 7 (gone)", "restarted 40 s ago"]);
}

fn replica(change: impl FnOnce(&mut ReplicaRow)) -> ReplicaRow {
    let mut row = ReplicaRow {
        group: Some("ag".into()),
        database: Some("orders".into()),
        replica: Some("SQL02".into()),
        state: Some("SYNCHRONIZED".into()),
        ..ReplicaRow::default()
    };
    change(&mut row);
    row
}

#[test]
fn queues_and_states_of_replicas_are_judged() {
    let of = |rows: Vec<ReplicaRow>| told(&facts(|f| f.availability = good(Arc::new(rows))));
    let gb = |n: i64| Some(n << 20);
    let one = |change: fn(&mut ReplicaRow)| of(vec![replica(change)]);
    assert_eq!(of(vec![replica(|r| r.send_queue_kb = gb(50))]), "Critical 16: orders on SQL02 50 GB to send");
    assert_eq!(of(vec![replica(|r| r.redo_queue_kb = gb(2))]), "Warning 83: orders on SQL02 2.0 GB to redo");
    assert_eq!(of(vec![replica(|r| r.send_queue_kb = gb(1))]), "Ok 100: ", "at its limit");
    assert_eq!(one(|r| r.state = Some("REVERTING".into())), "Warning 65: orders on SQL02 reverting");
    assert_eq!(one(|r| r.state = Some("INITIALIZING".into())), "Warning 70: orders on SQL02 initializing");
    assert_eq!(
        one(|r| (r.lag_s, r.send_queue_kb, r.redo_queue_kb) = (Some(-5), Some(-1), Some(i64::MIN))),
        "Ok 100: "
    );
    let all = replica(|r| {
        (r.state, r.lag_s, r.send_queue_kb) = (Some("REVERTING".into()), None, gb(50));
    });
    assert_eq!(
        of(vec![all.clone(), all.clone()]),
        "Critical 16: orders on SQL02 50 GB to send",
        "each database once"
    );
    let other = replica(|r| (r.database, r.send_queue_kb) = (Some("crm".into()), gb(20)));
    assert_eq!(of(vec![other, all]), "Critical 16: orders on SQL02 50 GB to send, +1");
    assert_eq!(of(vec![ReplicaRow::default()]), "Ok 100: ", "NULL everywhere");
}

#[test]
fn one_thing_costs_its_points_once() {
    let volume = |mount: &str, free| VolumeRow {
        mount: Some(mount.into()),
        total_bytes: Some(1000),
        free_bytes: Some(free),
        ..VolumeRow::default()
    };
    let once = facts(|f| f.volumes = good(Arc::new(vec![volume("D:\\", 29)])));
    let thrice = vec![volume("D:\\", 30), volume("D:\\", 29), volume("D:", 31)];
    let thrice = facts(|f| f.volumes = good(Arc::new(thrice)));
    assert_eq!(told(&thrice), told(&once));
    let suspect = DatabaseRow::in_state(7, "orders", "SUSPECT");
    let twice = facts(|f| f.databases = good(Arc::new(vec![suspect.clone(), suspect])));
    assert_eq!(told(&twice), "Critical 40: database orders is SUSPECT");
    let job = FailedJobRow { job: Some("a".into()), at: Some(NOW), ..FailedJobRow::default() };
    let jobs = facts(|f| f.jobs = good(Arc::new(vec![job.clone(), job])));
    assert_eq!(told(&jobs), "Warning 85: job failed: a at 14:00:00");
    let mut poison = facts(|f| f.waits = waits("THREADPOOL", WaitCategory::WorkerThread, 2_100.0, 1.0));
    let single = told(&poison);
    let table = Arc::make_mut(poison.waits.value.as_mut().unwrap());
    table.types.push(table.types[0].clone());
    assert_eq!(told(&poison), single);
}

#[test]
fn tempdb_that_fills_says_when_it_is_full_and_who_fills_it() {
    let mut history = History::default();
    for n in 0..6_i64 {
        let used = 28.0 + 10.0 * n as f64;
        history.record(SeriesId::Tempdb, NOW.plus_ms((n - 5) * 30_000), Some(used));
    }
    let mut f = with_headline(|h| (h.tempdb_used_pct, h.tempdb_size_kb) = (Some(78.0), Some(8_000)));
    let verdict = |f: &Facts| {
        let health =
            assess(&PollSettings::default(), f, &history, &Thresholds::default(), &Health::default(), NOW);
        (health.level, health.reasons.iter().map(|r| r.text().to_owned()).collect::<Vec<_>>())
    };
    assert_eq!(verdict(&f), (Level::Critical, vec!["tempdb full in 1m, 22 % free".to_owned()]));
    let request =
        |session_id, pages| Request { session_id, tempdb_now_pages: Some(pages), ..Request::default() };
    let requests = vec![request(51, 9), request(60, 710)];
    f.activity = good(Arc::new(crate::model::poll::activity::Activity { requests, ..Default::default() }));
    assert_eq!(verdict(&f).1, ["tempdb full in 1m, session 60 holds 71 %"]);
    assert_eq!(judge(&f).level, Level::Ok, "without points nobody can tell");
}

#[test]
fn a_log_is_judged_by_what_it_may_take_and_names_who_holds_it() {
    let row = |used_kb, capacity_kb| LogRow {
        database: Some("orders".into()),
        reuse_wait: Some("LOG_BACKUP".into()),
        size_kb: Some(1_000),
        used_kb: Some(used_kb),
        capacity_kb,
        ..LogRow::default()
    };
    let of = |rows: Vec<LogRow>| facts(|f| f.logs = good(Arc::new(rows)));
    assert_eq!(told(&of(vec![row(1_000, Some(9_000))])), "Ok 100: ", "it can grow");
    assert_eq!(told(&of(vec![row(1_000, None)])), "Ok 100: ", "nobody knows how far");
    assert_eq!(told(&of(vec![LogRow::default()])), "Ok 100: ");
    let few = of(vec![row(920, Some(1_000)), row(920, Some(1_000))]);
    assert_eq!(told(&few), "Warning 78: log of orders 8 % free, waits for LOG_BACKUP", "each once");
    assert_eq!(level(&after(&judge(&few), &of(vec![row(890, Some(1_000))]))), Level::Warning, "not yet over");
    assert_eq!(level(&after(&judge(&few), &of(vec![row(870, Some(1_000))]))), Level::Ok);
    assert_eq!(level(&judge(&of(vec![row(980, Some(1_000))]))), Level::Critical);
    let mut filling = row(500, Some(1_000));
    (filling.full_in_ms, filling.reuse_wait) = (Some(240_000), Some("ACTIVE_TRANSACTION".into()));
    let mut f = of(vec![filling]);
    assert_eq!(told(&f), "Critical 26: log of orders full in 4m, waits for ACTIVE_TRANSACTION");
    let request = |session_id, database: &str, ago_s: i64| Request {
        session_id,
        database: Some(database.into()),
        transaction_at: Some(NOW.plus_ms(-ago_s * 1000)),
        ..Request::default()
    };
    let requests = vec![request(51, "orders", 9), request(60, "orders", 400), request(7, "crm", 900)];
    f.activity = good(Arc::new(crate::model::poll::activity::Activity { requests, ..Default::default() }));
    assert_eq!(told(&f), "Critical 26: log of orders full in 4m, session 60 holds it");
}

#[test]
fn workers_that_run_out_do_not_flap() {
    let of = |active| {
        facts(|f| {
            f.cpu =
                good(CpuNow { max_workers: Some(512), active_workers: Some(active), ..CpuNow::default() });
        })
    };
    assert_eq!(told(&of(486)), "Ok 100: ");
    let few = judge(&of(487));
    assert_eq!(few.reasons[0].text(), "25 of 512 workers free");
    assert_eq!(after(&few, &of(480)).level, Level::Warning, "32 of 512 are more than 5 % and less than 8");
    assert_eq!(after(&few, &of(470)).level, Level::Ok);
}

/// Facts in which everything that may be NULL is.
#[test]
fn null_everywhere_is_no_verdict_and_no_panic() {
    let f = facts(|f| {
        f.headline = good(Headline::default());
        f.cpu = good(CpuNow::default());
        f.memory = good(MemoryNow::default());
        f.volumes = good(Arc::new(vec![VolumeRow::default(), VolumeRow::default()]));
        f.databases = good(Arc::new(vec![DatabaseRow::default()]));
        f.availability = good(Arc::new(vec![ReplicaRow::default()]));
        f.properties = good(Arc::new(Properties::default()));
        f.blocking = with_chains(&[vec![BlockedTask::default()]]).blocking;
        f.waits = good(Arc::new(WaitTable::default()));
    });
    assert_eq!(told(&f), "Unknown –: no figures: every counter is NULL");
}

fn any_level() -> impl Strategy<Value = Level> {
    prop_oneof![Just(Level::Ok), Just(Level::Warning), Just(Level::Critical)]
}

proptest! {
    /// What is in force never makes a figure better, and a figure beyond its clear value is free of it.
    #[test]
    fn in_force_only_delays_the_end(v in 0.0f64..20_000.0, before in any_level(), nth in 0..Gauge::ALL.len()) {
        let Some(limits) = Thresholds::default().limits(Gauge::ALL[nth]) else { return Ok(()) };
        let (fresh, held) = (grade(&limits, v, Level::Ok), grade(&limits, v, before));
        prop_assert!(held >= fresh, "{fresh:?} {held:?}");
        prop_assert!(held.map_or(Level::Ok, |(level, _)| level) <= before.max(fresh.map_or(Level::Ok, |(level, _)| level)));
        if !limits.is_beyond(limits.clear, v) {
            prop_assert_eq!(held, None);
        }
        let points = held.map_or(0, |(_, points)| points);
        let band = match held.map(|(level, _)| level) {
            None => 0..=0,
            Some(Level::Warning) => 15..=40,
            _ => 50..=90,
        };
        prop_assert!(band.contains(&points), "{held:?}");
    }

    /// The score is what the reasons leave, and another reason never makes it better.
    #[test]
    fn another_reason_never_helps(cpu in 0.0f64..100.0, tempdb in 0.0f64..100.0, wait in 0i64..900_000) {
        let alone = with_headline(|h| h.cpu_pct = Some(cpu));
        let mut more = with_headline(|h| (h.cpu_pct, h.tempdb_used_pct) = (Some(cpu), Some(tempdb)));
        let (one, two) = (judge(&alone), judge(&more));
        more.blocking = with_chains(&[chain(7, 3, wait)]).blocking;
        let three = judge(&more);
        prop_assert!(one.score >= two.score && two.score >= three.score);
        prop_assert!(one.level <= two.level && two.level <= three.level);
        let left = three.reasons.iter().fold(100.0, |left, r| left * (100.0 - f64::from(r.points)) / 100.0);
        prop_assert_eq!(three.score, Some(left.round() as u8));
        prop_assert_eq!(three.level, three.reasons.iter().map(|r| r.level).max().unwrap_or(Level::Ok));
    }
}

#[test]
fn what_an_edition_and_a_platform_allow_is_no_pressure() {
    let server = |gb: i64, platform, edition: (i32, &str), target_gb: i64| {
        told(&facts(|f| {
            let max = Some(gb * 1024);
            let option = ServerOption { name: "max server memory (MB)".into(), configured: max, in_use: max };
            f.properties = good(Arc::new(Properties {
                platform,
                options: Some(Arc::new(vec![option])),
                physical_memory_kb: Some(256 << 20),
                engine_edition: Some(edition.0),
                edition: Some(edition.1.into()),
                ..Properties::default()
            }));
            let started_at = Some(NOW.plus_ms(-86_400_000));
            f.headline =
                good(Headline { target_memory_kb: Some(target_gb << 20), started_at, ..Headline::default() });
        }))
    };
    let (linux, windows) = (Platform::Linux, Platform::Windows);
    let (standard, enterprise, web) =
        ((2, "Standard Edition"), (3, "Enterprise Edition"), (2, "Web Edition"));
    assert_eq!(server(200, windows, standard, 64), "Critical 50: memory target 64 GB of 128 GB allowed");
    assert_eq!(server(200, windows, standard, 128), "Ok 100: ", "Standard takes 128 GB and no more");
    assert_eq!(server(200, windows, web, 64), "Ok 100: ", "nobody says what this one takes");
    assert_eq!(server(180, windows, enterprise, 90), "Critical 50: memory target 90 GB of 180 GB allowed");
    assert_eq!(server(193, windows, enterprise, 96), "Critical 50: memory target 96 GB of 192 GB allowed");
    assert_eq!(server(192, linux, enterprise, 96), "Critical 50: memory target 96 GB of 192 GB allowed");
    assert_eq!(server(193, linux, enterprise, 96), "Ok 100: ", "memory.memorylimitmb may be lower");
}

#[test]
fn page_life_stays_a_reason_until_it_is_well_again() {
    let poll = |best: f32, now_s: i64, before: &Health| {
        let f = with_headline(|h| h.page_life_s = Some(now_s));
        let mut history = History::default();
        history.entry(SeriesId::PageLife).push(NOW.plus_ms(-600_000), best);
        history.entry(SeriesId::PageLife).push(NOW.plus_ms(-3_000), now_s as f32);
        assess(&PollSettings::default(), &f, &history, &Thresholds::default(), before, NOW)
    };
    let told =
        |health: &Health| health.reasons.iter().map(|r| r.text().to_owned()).collect::<Vec<_>>().join("; ");
    let fell = poll(4_200.0, 180, &Health::default());
    assert_eq!(told(&fell), "page life 3m00s, was 1h10m");
    assert_eq!(told(&poll(180.0, 180, &Health::default())), "", "low as ever");
    let later = poll(180.0, 180, &fell);
    assert_eq!(told(&later), "page life 3m00s, was 1h10m", "a quarter of an hour later, too");
    assert_eq!(told(&poll(449.0, 449, &later)), "page life 7m29s, was 1h10m");
    assert_eq!(told(&poll(450.0, 450, &later)), "");
    assert_eq!(told(&poll(4_200.0, -1, &fell)), "", "a server that does not say");
}

#[test]
fn a_volume_that_fills_is_judged_by_its_hours() {
    let filling = |hours: f64| {
        told(&facts(|f| {
            let row = VolumeRow {
                mount: Some("D:".into()),
                total_bytes: Some(100 << 30),
                free_bytes: Some(50 << 30),
                full_in_ms: Some((hours * 3_600_000.0) as i64),
                ..VolumeRow::default()
            };
            f.volumes = good(Arc::new(vec![row]));
        }))
    };
    let limits = Thresholds::default().limits(Gauge::VolumeFull).unwrap();
    let level = |hours| filling(hours).split(' ').next().map(str::to_owned);
    let word = |word: &str| Some(word.to_owned());
    assert_eq!(level(limits.warning + 0.1), word("Ok"));
    assert_eq!(level(limits.warning - 0.1), word("Warning"));
    assert_eq!(level(limits.critical + 0.1), word("Warning"));
    assert_eq!(level(limits.critical - 0.1), word("Critical"));
}

#[test]
fn without_a_restart_the_heaviest_reason_comes_first_whatever_it_is_about() {
    let reason = |level, topic, points| Reason::new(level, topic, points, Why::Sentence("why".into()));
    let cpu = || reason(Level::Critical, Topic::Cpu, 60);
    let blocking = || reason(Level::Critical, Topic::Blocking(60), 50);
    let restart = || reason(Level::Warning, Topic::Restart, 20);
    let order = |reasons| verdict(reasons).reasons.iter().map(|r| r.points).collect::<Vec<_>>();
    assert_eq!(order(vec![blocking(), cpu()]), [60, 50]);
    assert_eq!(
        order(vec![restart(), cpu(), blocking()]),
        [50, 20, 60],
        "what a restart makes comes after it"
    );
}

#[test]
fn spans_end_when_they_say() {
    let up = |ms: i64| told(&with_headline(|h| h.started_at = Some(NOW.plus_ms(-ms))));
    assert_eq!(up(599_999), "Warning 80: restarted 9m59s ago");
    assert_eq!(up(600_000), "Ok 100: ");
    assert_eq!(up(-5_000), "Warning 80: restarted 0 ms ago", "two clocks differ");
    assert_eq!(up(-5_001), "Ok 100: ", "our clock was set back: that is no restart");
    let woken = |ms_ago: i64| {
        let stale = facts(|f| {
            f.last_good_at = Some(NOW.plus_ms(-90_000));
            f.headline = Reading::good(Headline::default(), NOW.plus_ms(-90_000), 30_000);
        });
        let poll = PollSettings { maintenance_until: Some(NOW.plus_ms(-ms_ago)), ..PollSettings::default() };
        let health =
            assess(&poll, &stale, &History::default(), &Thresholds::default(), &Health::default(), NOW);
        health.reasons.first().map(|r| r.text().to_owned())
    };
    assert_eq!([0, 9_999].map(woken), [None, None], "after maintenance the first poll is on its way");
    assert_eq!(woken(10_000).as_deref(), Some("no data for 1m30s"));
}

#[test]
fn where_no_clock_stands_beside_it_a_reason_says_whose_time_it_tells() {
    let why = Why::Jobs { failed: 1, name: None, at: Some(NOW) };
    let told = Reason::new(Level::Warning, Topic::Jobs, 1, why).told_alone(&UTC).into_owned();
    assert!(told.starts_with("job failed: ? at ") && told.ends_with(" UTC"), "{told}");
}
