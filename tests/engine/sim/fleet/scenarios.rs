//! Each scenario shows where a real server would show it, and in all such places at once.

use super::asking::{ask, connect, counter, fleet, int, row, rows, script, text, try_connect, wait};
use dbtop::sim::{Sim, SimConfig, scenario::Kind};
use std::{collections::HashSet, time::Duration};
use tokio::time::{sleep, timeout};

fn since(kind: &str, seconds: i64) -> String {
    format!("[[event]]\non = '#1'\nkind = '{kind}'\nfrom_s = -{seconds}")
}

#[tokio::test]
async fn blocking_shows_in_requests_tasks_counters_waits_and_transactions() {
    let sim = fleet(1, &[2022], &since("blocking_storm", 300)).await;
    let mut client = connect(&sim, 0).await;
    let blocked = int(&row(&mut client, "blocked").await["blocked_requests"]);
    assert_eq!(blocked, Some(14));
    let tasks = rows(&mut client, "blocking").await;
    assert_eq!(tasks.len(), 14);
    let ids = |column: &str| -> HashSet<i64> { tasks.iter().filter_map(|r| int(&r[column])).collect() };
    let heads: Vec<i64> = ids("blocking_session_id").difference(&ids("session_id")).copied().collect();
    assert_eq!(heads.len(), 1, "one head");
    let chain = rows(&mut client, "chain").await;
    let head = chain.iter().find(|r| int(&r["session_id"]) == Some(heads[0])).unwrap();
    assert_eq!((text(&head["status"]).as_str(), int(&head["request_id"])), ("sleeping", None));
    let sleepers = rows(&mut client, "sleepers").await;
    assert!(sleepers.iter().any(|r| int(&r["session_id"]) == Some(heads[0])));
    let transactions = rows(&mut client, "transactions").await;
    assert!(transactions.iter().any(|r| int(&r["session_id"]) == Some(heads[0])));
    let last = rows(&mut client, "input_buffers").await;
    assert!(text(&last[0]["event_info"]).contains("UPDATE"), "{last:?}");
    // waiting goes on: about 14 s of it a second
    let locked = |rows: &[super::asking::Row]| -> i64 {
        ["LCK_M_S", "LCK_M_U", "LCK_M_X", "LCK_M_IX"].iter().map(|name| wait(rows, name).1).sum()
    };
    let before = locked(&rows(&mut client, "waits").await);
    sleep(Duration::from_secs(1)).await;
    let grown = locked(&rows(&mut client, "waits").await) - before;
    assert!((12_000..30_000).contains(&grown), "{grown} ms");
}

#[tokio::test]
async fn killing_the_head_ends_the_storm() {
    let sim = fleet(2, &[2019], &since("blocking_storm", 300).replace("#1", "*")).await;
    for index in 0..2 {
        let mut client = connect(&sim, index).await;
        if int(&row(&mut client, "rights").await["alter_any_connection"]) != Some(1) {
            continue;
        }
        let sleeper = int(&rows(&mut client, "sleepers").await[0]["session_id"]).unwrap();
        ask(&mut client, &format!("KILL {sleeper}")).await.unwrap();
        assert_eq!(int(&row(&mut client, "blocked").await["blocked_requests"]), Some(0));
        assert_eq!(ask(&mut client, &format!("KILL {sleeper}")).await, Err(6106));
        return;
    }
    panic!("no login of this seed may kill: choose another seed");
}

#[tokio::test]
async fn a_cpu_storm_shows_in_process_time_schedulers_signal_waits_and_requests() {
    let sim = fleet(1, &[2019], &since("cpu_storm", 120)).await;
    let mut client = connect(&sim, 0).await;
    let first = row(&mut client, "headline").await;
    let before = rows(&mut client, "waits").await;
    sleep(Duration::from_millis(1500)).await;
    let second = row(&mut client, "headline").await;
    let after = rows(&mut client, "waits").await;
    let cpu = |r: &super::asking::Row| {
        int(&r["process_kernel_time_ms"]).unwrap() + int(&r["process_user_time_ms"]).unwrap()
    };
    let cpus = int(&first["cpu_count"]).unwrap();
    let busy = (cpu(&second) - cpu(&first)) as f64 / cpus as f64 / 1500.0;
    assert!((0.9..1.15).contains(&busy), "{busy}");
    let schedulers = row(&mut client, "schedulers").await;
    assert!(int(&schedulers["runnable_tasks"]).unwrap() > cpus / 2, "{schedulers:?}");
    let signal = wait(&after, "SOS_SCHEDULER_YIELD").2 - wait(&before, "SOS_SCHEDULER_YIELD").2;
    assert!(signal > 500 * cpus, "{signal}");
    let busy_requests = rows(&mut client, "activity").await;
    let burning =
        busy_requests.iter().filter(|r| text(&r["last_wait_type"]) == "SOS_SCHEDULER_YIELD").count();
    assert!(burning >= 4, "{burning}");
    let ring = text(&rows(&mut client, "cpu_ring").await[0]["record"]);
    assert!(ring.contains("<ProcessUtilization>9"), "{ring}");
}

#[tokio::test]
async fn an_io_stall_makes_page_waits_long() {
    let sim = fleet(1, &[2022], &since("io_stall", 100)).await;
    let mut client = connect(&sim, 0).await;
    let before = wait(&rows(&mut client, "waits").await, "PAGEIOLATCH_SH");
    sleep(Duration::from_millis(1500)).await;
    let after = wait(&rows(&mut client, "waits").await, "PAGEIOLATCH_SH");
    let average = (after.1 - before.1) as f64 / (after.0 - before.0) as f64;
    assert!((95.0..320.0).contains(&average), "{average} ms a read");
    assert!(int(&row(&mut client, "schedulers").await["pending_io"]).unwrap() >= 40);
}

#[tokio::test]
async fn queues_for_memory_workers_and_tempdb_show() {
    let scenario = [("grant_queue", 1), ("threadpool", 2), ("tempdb_fill", 3)]
        .map(|(kind, n)| since(kind, 400).replace("#1", &format!("#{n}")))
        .join("\n");
    let sim = fleet(3, &[2022], &scenario).await;
    let mut grants = connect(&sim, 0).await;
    let counters = rows(&mut grants, "counters").await;
    assert_eq!(counter(&counters, "Memory Grants Pending"), 9);
    assert_eq!(int(&row(&mut grants, "memory").await["waiter_count"]), Some(9));
    let queued = rows(&mut grants, "grants").await;
    assert_eq!(queued.iter().filter(|r| int(&r["granted_memory_kb"]).is_none()).count(), 9);
    assert!(wait(&rows(&mut grants, "waits").await, "RESOURCE_SEMAPHORE").1 > 1_000_000);
    let mut starved = connect(&sim, 1).await;
    let schedulers = row(&mut starved, "schedulers").await;
    assert_eq!(int(&schedulers["workers"]), int(&schedulers["max_workers"]));
    assert!(int(&schedulers["queued_tasks"]).unwrap() > 3);
    assert!(wait(&rows(&mut starved, "waits").await, "THREADPOOL").1 > 1_000_000);
    let mut full = connect(&sim, 2).await;
    let counters = rows(&mut full, "counters").await;
    let free = counter(&counters, "Free Space in tempdb (KB)") as f64;
    assert!(free / (counter(&counters, "Data File(s) Size (KB)") as f64) < 0.05);
    let eater = rows(&mut full, "tempdb").await.iter().filter_map(|r| int(&r["now_pages"])).max();
    assert!(eater.unwrap() > 50_000);
}

#[tokio::test]
async fn deadlocks_failed_jobs_and_full_volumes_show() {
    let scenario = [("deadlocks", 60), ("failed_job", 600), ("disk_fill", 3_600)]
        .map(|(kind, seconds)| since(kind, seconds).replace("#1", "*"))
        .join("\n");
    let sim = fleet(4, &[2019], &scenario).await;
    let mut client = connect(&sim, 0).await;
    assert!((5..=7).contains(&counter(&rows(&mut client, "counters").await, "Number of Deadlocks/sec")));
    let volumes = rows(&mut client, "volumes").await;
    let worst = volumes
        .iter()
        .map(|r| int(&r["available_bytes"]).unwrap() as f64 / int(&r["total_bytes"]).unwrap() as f64)
        .fold(1.0, f64::min);
    assert!((0.015..0.03).contains(&worst), "{worst}");
    for index in 0..4 {
        let mut client = connect(&sim, index).await;
        if int(&row(&mut client, "rights").await["msdb_sysjobs"]) == Some(1) {
            let jobs = rows(&mut client, "jobs").await;
            assert_eq!(text(&jobs[0]["job_name"]), "Load warehouse");
            assert!(text(&jobs[0]["message"]).contains("2627"));
            return;
        }
    }
    panic!("no login of this seed reads msdb: choose another seed");
}

#[tokio::test]
async fn a_replica_that_lags_or_is_gone_shows_on_its_primary() {
    let scenario =
        "[[event]]\non = '#2'\nkind = 'ag_lag'\nfrom_s = -120\n[[event]]\non = '#3'\nkind = 'down'";
    let sim = fleet(10, &[2022], scenario).await;
    let replicas = rows(&mut connect(&sim, 0).await, "availability").await;
    let of = |name: &str| {
        let row = replicas.iter().find(|r| text(&r["replica_server_name"]) == name).unwrap();
        (text(&row["synchronization_state_desc"]), int(&row["secondary_lag_seconds"]))
    };
    assert_eq!(of("sqlprd-001"), ("SYNCHRONIZED".into(), None));
    let (state, lag) = of("sqlprd-002");
    assert_eq!(state, "SYNCHRONIZING");
    assert!((75..100).contains(&lag.unwrap()), "{lag:?}");
    assert_eq!(of("sqlprd-003"), ("NOT SYNCHRONIZING".into(), None));
    let own = rows(&mut connect(&sim, 1).await, "availability").await;
    assert!(own.iter().all(|r| int(&r["is_local"]) == Some(1)), "a secondary knows itself only");
}

#[tokio::test]
async fn a_restart_resets_counters_and_moves_the_start() {
    let sim = fleet(1, &[2022], "").await;
    let mut client = connect(&sim, 0).await;
    let before = counter(&rows(&mut client, "counters").await, "Batch Requests/sec");
    let started = format!("{:?}", row(&mut client, "headline").await["sqlserver_start_time"]);
    sim.set("#1", Kind::Restart, Some(1.0));
    let gone = timeout(Duration::from_secs(5), async {
        while client.simple_query("select 1").await.is_ok() {
            sleep(Duration::from_millis(100)).await;
        }
    });
    assert!(gone.await.is_ok(), "connections end with the service");
    let mut client = loop {
        sleep(Duration::from_millis(200)).await;
        if let Ok(client) = try_connect(&sim, 0).await {
            break client;
        }
    };
    assert!(counter(&rows(&mut client, "counters").await, "Batch Requests/sec") < before / 100);
    assert_ne!(format!("{:?}", row(&mut client, "headline").await["sqlserver_start_time"]), started);
}

#[tokio::test]
async fn scenarios_are_switched_while_the_fleet_runs() {
    let sim = fleet(2, &[2022], "").await;
    let mut client = connect(&sim, 1).await;
    let refused = |error: tiberius::error::Error| error.code();
    sim.set("#1", Kind::LoginRefused, None);
    assert_eq!(try_connect(&sim, 0).await.map(|_| ()).map_err(refused), Err(Some(18_456)));
    sim.clear("#1", Kind::LoginRefused);
    assert!(try_connect(&sim, 0).await.is_ok());
    sim.set("#2", Kind::BlockingStorm, Some(3.0));
    sleep(Duration::from_millis(1300)).await;
    assert_eq!(int(&row(&mut client, "blocked").await["blocked_requests"]), Some(1), "it grows from now on");
    sim.clear("#2", Kind::BlockingStorm);
    assert_eq!(int(&row(&mut client, "blocked").await["blocked_requests"]), Some(0));
    assert!(ask(&mut client, &script("waits")).await.is_ok());
}

#[tokio::test]
async fn a_scenario_file_is_read_again_when_it_changes() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("trouble.toml");
    std::fs::write(&file, "").unwrap();
    let config =
        SimConfig { instances: 1, port: Some(0), scenario_file: Some(file.clone()), ..SimConfig::default() };
    let sim = Sim::start(config).await.unwrap();
    let mut client = connect(&sim, 0).await;
    assert_eq!(int(&row(&mut client, "blocked").await["blocked_requests"]), Some(0));
    std::fs::write(&file, since("blocking_storm", 600)).unwrap();
    let blocked = timeout(Duration::from_secs(20), async {
        while int(&row(&mut client, "blocked").await["blocked_requests"]) != Some(14) {
            sleep(Duration::from_millis(100)).await;
        }
    });
    assert!(blocked.await.is_ok(), "the file was not read again");
    // a mistake in the file changes nothing
    std::fs::write(&file, "[[event]]\non = 7").unwrap();
    sleep(Duration::from_millis(1500)).await;
    assert_eq!(int(&row(&mut client, "blocked").await["blocked_requests"]), Some(14));
}

#[tokio::test]
async fn what_holds_room_shows_in_all_places_at_once() {
    let scenario = [
        ("log_hold", 1),
        ("version_store_hold", 2),
        ("grant_hog", 3),
        ("autogrowth", 4),
        ("io_slow_file", 5),
    ]
    .map(|(kind, n)| since(kind, 400).replace("#1", &format!("#{n}")))
    .join("\n");
    let sim = fleet(5, &[2022], &scenario).await;
    let mut held = connect(&sim, 0).await;
    let log = rows(&mut held, "log_space").await;
    let log = log.iter().find(|r| text(&r["log_reuse_wait_desc"]) == "ACTIVE_TRANSACTION").unwrap();
    let used = int(&log["used_kb"]).unwrap() as f64 / int(&log["size_kb"]).unwrap() as f64;
    assert!((0.65..0.75).contains(&used), "{used}");
    let holder = int(&rows(&mut held, "log_holders").await[0]["session_id"]);
    let sleepers = rows(&mut held, "sleepers").await;
    assert!(sleepers.iter().any(|r| int(&r["session_id"]) == holder), "it sleeps: {holder:?}");
    let mut versions = connect(&sim, 1).await;
    let files = rows(&mut versions, "tempdb_files").await;
    let sum = |column: &str| files.iter().filter_map(|r| int(&r[column])).sum::<i64>() as f64;
    assert!((0.35..0.45).contains(&(sum("version_pages") / sum("total_pages"))), "{files:?}");
    let free = counter(&rows(&mut versions, "counters").await, "Free Space in tempdb (KB)") as f64;
    assert!((free / 8.0 - sum("free_pages")).abs() < free / 500.0, "the counter says the same");
    let holder = int(&rows(&mut versions, "version_holders").await[0]["session_id"]);
    let sleepers = rows(&mut versions, "sleepers").await;
    let holder = sleepers.iter().find(|r| int(&r["session_id"]) == holder).unwrap();
    assert_eq!(int(&holder["transaction_isolation_level"]), Some(5));
    let mut hog = connect(&sim, 2).await;
    let queue = rows(&mut hog, "grant_queue").await;
    let most = queue.iter().filter_map(|r| int(&r["granted_memory_kb"])).max().unwrap();
    let semaphore = row(&mut hog, "semaphores").await;
    assert!(most * 2 > int(&semaphore["target_memory_kb"]).unwrap(), "{semaphore:?}");
    let mut grown = connect(&sim, 3).await;
    let of = |rows: &[super::asking::Row], file: i64| {
        let found =
            rows.iter().find(|r| (int(&r["database_id"]), int(&r["file_id"])) == (Some(5), Some(file)));
        found.unwrap().clone()
    };
    let file = of(&rows(&mut grown, "space").await, 1);
    let volumes = rows(&mut grown, "volumes").await;
    let path = text(&file["physical_name"]);
    // Linux tells folders, and no mount point.
    let is_there = |told: &str| !told.is_empty() && path.starts_with(told);
    let names = ["volume_mount_point", "folder"];
    let volume = volumes.iter().find(|r| names.iter().any(|name| is_there(&text(&r[*name])))).unwrap();
    let next_bytes = int(&file["growth"]).unwrap() * 8_192;
    assert!(next_bytes > int(&volume["available_bytes"]).unwrap(), "{next_bytes} in {volume:?}");
    let sizes = of(&rows(&mut grown, "files").await, 1);
    assert_eq!(int(&sizes["size_on_disk_bytes"]).map(|n| n / 8_192), int(&file["size_pages"]));
    let mut slow = connect(&sim, 4).await;
    let before = of(&rows(&mut slow, "files").await, 1);
    sleep(Duration::from_millis(1500)).await;
    let after = of(&rows(&mut slow, "files").await, 1);
    let grown = |column: &str| (int(&after[column]).unwrap() - int(&before[column]).unwrap()) as f64;
    assert!(
        grown("io_stall_read_ms") / (grown("num_of_bytes_read") / 65_536.0) > 150.0,
        "{before:?} {after:?}"
    );
}
