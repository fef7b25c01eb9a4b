//! `dbtop once`: its output, the parts it leaves out, and its exit code.

use super::{assert_harmless, for_every_subject, objects, once, records};
use crate::harness::{
    DBTOP, Home,
    process::{SimProcess, dbtop, run},
};
use std::process::{Command, Stdio};

const STORM: &str = "[[event]]\non = '#1'\nkind = 'blocking_storm'\nfrom_s = -300\n";
/// Deadlocks of one pattern for half an hour.
const DEADLOCKS: &str = "[[event]]\non = '#2'\nkind = 'deadlock_pattern'\nfrom_s = -1800\n";
/// A warning: 7 % of a volume are free after an hour.
const FULLER: &str = "[[event]]\non = '#1'\nkind = 'disk_fill'\nfrom_s = -4000\namount = 7\n";

/// A query that lost its seek: one plan, with what is wrong with it.
const REGRESSED: &str = "[[event]]\non = '#1'\nkind = 'plan_regression'\nfrom_s = -300\n";

#[test]
fn the_plans_of_what_takes_most_cpu_are_asked_for_and_judged() {
    let sim = SimProcess::start(2, 0, Some(REGRESSED));
    let found = objects(&once(&sim, &["plans", "-o", "json"]).stdout);
    let of = |row: &serde_json::Map<String, serde_json::Value>, key: &str| {
        row[key].as_str().unwrap_or_default().to_owned()
    };
    let queries: std::collections::BTreeSet<_> =
        found.iter().map(|row| (of(row, "instance"), of(row, "query_hash"))).collect();
    assert!((2..=6).contains(&queries.len()), "three of each instance at most: {queries:?}");
    assert!(found.iter().all(|row| row["problem"].is_null()), "{found:#?}");
    let lost =
        found.iter().find(|row| of(row, "finding") == "P02").expect("the conversion that loses the seek");
    assert!(of(lost, "plan_hash").starts_with("0x") && !of(lost, "advice").is_empty(), "{lost:?}");
    // Nobody has timed an estimated plan: what is found in it is not grave, however large its part of the cost.
    let is_grave = |row: &&serde_json::Map<String, serde_json::Value>| of(row, "weight") == "grave";
    assert!(found.iter().filter(is_grave).all(|row| of(row, "plan") != "estimated"), "{found:#?}");
    let weight = of(lost, "weight");
    let filter = format!("weight={weight}");
    let kept = objects(&once(&sim, &["plans", "--filter", &filter, "-o", "json"]).stdout);
    assert!(!kept.is_empty() && kept.iter().all(|row| of(row, "weight") == weight), "{kept:#?}");
}

#[test]
fn a_plan_of_a_query_store_is_asked_for_by_its_number() {
    let sim = SimProcess::start(1, 0, Some(REGRESSED));
    let stored = objects(&once(&sim, &["querystore", "-o", "json"]).stdout);
    let query =
        stored.iter().find(|row| row["query_id"].as_i64().is_some_and(|id| id < 1_000)).expect("a query");
    let (database, query_id) = (query["database"].as_str().unwrap(), query["query_id"].as_i64().unwrap());
    // As the simulator numbers the good plan of a query.
    let plan_id = query_id * 10;
    let named = format!("{}:{plan_id}", database.to_uppercase());
    let found = objects(&once(&sim, &["plans", "--query-store", &named, "-o", "json"]).stdout);
    assert!(!found.is_empty(), "a plan in which nothing is found has a row, too");
    for row in &found {
        assert_eq!(
            (row["plan"].as_str(), row["plan_id"].as_i64()),
            (Some("Query Store"), Some(plan_id)),
            "{row:?}"
        );
        assert_eq!((&row["query_hash"], &row["database"]), (&query["query_hash"], &query["database"]));
        assert!(
            row["statement"].as_str().is_some_and(|text| !text.is_empty()) && row["problem"].is_null(),
            "{row:?}"
        );
    }
    let problem = |named: &str| {
        let found = objects(&once(&sim, &["plans", "--query-store", named, "-o", "json"]).stdout);
        found[0]["problem"].as_str().unwrap_or_default().to_owned()
    };
    assert!(problem(&format!("{database}:999999")).contains("has no plan with the number 999999 any more"));
    assert!(problem("nowhere:1").contains("no database nowhere is there"));
    let refused = once(&sim, &["plans", "--query-store", "orders"]);
    assert!(refused.stderr.contains("such as orders:77"), "{}", refused.stderr);
    let refused = once(&sim, &["waits", "--query-store", "orders:1"]);
    assert!(refused.stderr.contains("it goes with `once plans`"), "{}", refused.stderr);
}

#[test]
fn every_subject_in_every_format_says_the_same() {
    let sim = SimProcess::start(3, 0, Some(&format!("{STORM}{DEADLOCKS}")));
    for_every_subject(|subject| {
        let table = once(&sim, &[subject]);
        let json = once(&sim, &[subject, "-o", "json"]);
        let csv = once(&sim, &[subject, "-o", "csv"]);
        for ended in [&table, &json, &csv] {
            assert_eq!((ended.code, ended.stderr.as_str()), (Some(2), ""), "{subject}: {}", ended.stdout);
            assert_harmless(&ended.stdout);
        }
        let (columns, rows) = records(&csv.stdout);
        assert_eq!(columns[0], "instance");
        // Who holds tempdb or a grant is another one each second, and may be nobody; which plans cost most changes, too.
        let moves = ["activity", "tempdb", "grants", "plans"].contains(&subject);
        assert!(!rows.is_empty() || moves && subject != "activity", "{subject}");
        let objects = objects(&json.stdout);
        for object in &objects {
            let mut keys: Vec<_> = object.keys().collect();
            let mut names: Vec<_> = columns.iter().collect();
            keys.sort_unstable();
            names.sort_unstable();
            assert_eq!(keys, names, "{subject}: JSON and CSV have the same columns");
        }
        let header = table.stdout.lines().next().unwrap();
        // Nothing is broken but for a right that few have, and no collector runs that had a store: the table has no columns for that.
        let is_whole = subject != "growths";
        let is_there =
            |column: &&String| (*column != "problem" || !is_whole) && !column.starts_with("store_");
        let shown = columns.iter().filter(is_there).map(|c| c.to_uppercase());
        assert!(header.split_whitespace().eq(shown), "{subject}: {header}");
        let instances = |names: &mut dyn Iterator<Item = String>| {
            let mut all: Vec<_> = names.collect();
            all.sort_unstable();
            all.dedup();
            all
        };
        let first = |line: &str| line.split("  ").next().unwrap_or_default().to_owned();
        let in_json = instances(&mut objects.iter().map(|o| o["instance"].as_str().unwrap().to_owned()));
        let in_csv = instances(&mut rows.iter().map(|r| r[0].clone()));
        let in_table = instances(&mut table.stdout.lines().skip(1).map(first));
        if moves && subject != "activity" {
            return;
        }
        if subject == "activity" {
            // Who has something running is another one each second, but for those who are blocked.
            assert!([in_json, in_csv, in_table].iter().all(|names| names[0] == "sqlprd-001"));
        } else {
            assert_eq!(in_json, in_csv, "{subject}");
            assert_eq!(in_json, in_table, "{subject}");
        }
    });
}

#[test]
fn the_figures_are_those_of_the_fleet() {
    let sim = SimProcess::start(3, 0, Some(STORM));
    let fleet = objects(&once(&sim, &["fleet", "-o", "json"]).stdout);
    let worst = &fleet[0];
    assert_eq!((worst["instance"].as_str(), worst["level"].as_str()), (Some("sqlprd-001"), Some("critical")));
    assert!(worst["why"].as_str().unwrap().contains("14 sessions blocked"), "{worst:?}");
    assert_eq!(worst["blocked"], 14);
    assert!(
        fleet.iter().all(|i| i["cpu_pct"].is_f64() && i["batches_per_s"].as_f64() > Some(0.0)),
        "{fleet:?}"
    );

    let blocking = objects(&once(&sim, &["blocking", "-o", "json"]).stdout);
    assert_eq!(blocking.len(), 15, "a head and 14 victims");
    let head = &blocking[0];
    assert_eq!((&head["depth"], &head["victims"]), (&0.into(), &14.into()));
    assert_eq!((head["status"].as_str(), &head["open_transactions"]), (Some("sleeping"), &1.into()));
    assert!(blocking[1..].iter().all(|n| n["blocked_by"].is_i64() && n["wait_ms"].as_i64() > Some(0)));
    assert!(
        blocking[1]["resource"].as_str().is_some_and(|r| r.contains("pay") || r.contains('.')),
        "{blocking:?}"
    );

    let waits = objects(&once(&sim, &["waits", "-o", "json"]).stdout);
    let locked = |w: &serde_json::Map<String, serde_json::Value>| {
        w["instance"] == "sqlprd-001" && w["category"] == "Lock" && w["ms_per_s"].as_f64() > Some(100.0)
    };
    assert!(waits.iter().any(locked), "{waits:?}");

    let activity = objects(&once(&sim, &["activity", "-o", "json"]).stdout);
    let blocked = activity.iter().filter(|r| r["blocked_by"].is_i64()).count();
    assert_eq!(blocked, 14);
    assert!(activity.iter().any(|r| r["statement"].as_str().is_some_and(|s| s.contains("SELECT"))));

    let cost = objects(&once(&sim, &["cost", "-o", "json"]).stdout);
    assert_eq!(cost.len(), 4, "three instances and this process");
    assert!(cost[..3].iter().all(|c| c["cpu_ms_per_s"].is_f64() && c["reads_per_s"].is_f64()), "{cost:?}");
    assert!(cost[3]["process_rss_kb"].as_i64() > Some(1_000), "{cost:?}");
}

#[test]
fn the_exit_code_is_the_worst_health_of_the_scope() {
    let storm = SimProcess::start(4, 0, Some(STORM));
    assert_eq!(once(&storm, &["fleet"]).code, Some(2));
    // Whatever is printed: the code is about health.
    assert_eq!(once(&storm, &["waits", "--filter", "poison=yes"]).code, Some(2));
    let calm = once(&storm, &["fleet", "--scope", "@test"]);
    assert_eq!(calm.code, Some(0), "{}", calm.stdout);
    let fuller = SimProcess::start(3, 0, Some(FULLER));
    let warning = once(&fuller, &["fleet"]);
    assert!(warning.stdout.contains("warning") && !warning.stdout.contains("critical"), "{}", warning.stdout);
    assert_eq!(warning.code, Some(1), "{}", warning.stdout);
}

#[test]
fn a_scope_is_a_group_a_label_or_an_instance_and_nobody_else_is_polled() {
    let sim = SimProcess::start(8, 0, Some("[[event]]\non = '#1'\nkind = 'down'\nfrom_s = -60\n"));
    let names = |scope: &str| {
        let ended = once(&sim, &["fleet", "--scope", scope, "-o", "json"]);
        assert_eq!(ended.stderr, "", "{scope}");
        let mut names: Vec<_> =
            objects(&ended.stdout).iter().map(|o| o["instance"].as_str().unwrap().to_owned()).collect();
        names.sort_unstable();
        (names.join(" "), ended.code)
    };
    assert_eq!(names("@test").0, "sqltst-001 sqltst-002");
    assert_eq!(names("env=report").0, "sqlrep-001");
    // case does not matter, and the fault of another instance is not ours
    let (one, code) = names("SQLTST-001");
    assert_eq!((one.as_str(), code), ("sqltst-001", Some(0)));
    assert_eq!(names("all").1, Some(2));
    for (scope, said) in [
        ("@nobody", "no group is called nobody"),
        ("env=nowhere", "no instance has the label env=nowhere"),
        ("sqlprd-999", "no instance is called sqlprd-999"),
    ] {
        let ended = once(&sim, &["fleet", "--scope", scope]);
        assert_eq!((ended.code, ended.stdout.as_str()), (Some(3), ""), "{scope}");
        assert_eq!(ended.stderr, format!("dbtop: --scope {scope}: {said}\n"));
    }
}

#[test]
fn a_filter_keeps_rows_as_on_the_screen() {
    let sim = SimProcess::start(8, 0, Some(STORM));
    let kept = |subject: &str, filter: &str| {
        let ended = once(&sim, &[subject, "--filter", filter, "-o", "json"]);
        assert_eq!(ended.stderr, "", "{filter}");
        objects(&ended.stdout)
    };
    let texts = |rows: &[serde_json::Map<String, serde_json::Value>], key: &str| -> Vec<String> {
        rows.iter().map(|r| r[key].as_str().unwrap().to_owned()).collect()
    };
    let blocked = kept("fleet", "blocked>3");
    assert_eq!(texts(&blocked, "instance"), ["sqlprd-001"]);
    let found = texts(&kept("fleet", "^sqltst"), "instance");
    assert!(found.len() == 2 && found.iter().all(|n| n.starts_with("sqltst")), "{found:?}");
    assert_eq!(kept("fleet", "!sqltst").len(), 6);
    assert!(texts(&kept("waits", "category=lock"), "category").iter().all(|c| c == "Lock"));
    // the filter sees milliseconds as a person writes them
    let long = kept("activity", "elapsed>2m env=prod");
    assert!(!long.is_empty() && long.iter().all(|r| r["elapsed_ms"].as_i64() > Some(120_000)), "{long:?}");
    assert!(kept("fleet", "no such text anywhere").is_empty());
    let ended = once(&sim, &["fleet", "--filter", "colour>3"]);
    assert_eq!((ended.code, ended.stdout.as_str()), (Some(3), ""));
    assert!(
        ended.stderr.contains("--filter colour>3: no field or label is called colour; fields are"),
        "{}",
        ended.stderr
    );
    assert!(ended.stderr.contains("cpu_pct"), "{}", ended.stderr);
    // A unit that the column does not have keeps no row, so it is said: by the name, or by what is in the column.
    for (filter, said) in [
        ("cpu>5GB", "--filter cpu>5GB: cpu is a plain figure, and 5GB is a size: write cpu>80 or >1.5k"),
        ("score<5m", "score is a plain figure, and 5m is a time"),
    ] {
        let ended = once(&sim, &["fleet", "--filter", filter]);
        assert_eq!((ended.code, ended.stdout.as_str()), (Some(3), ""), "{filter}");
        assert!(ended.stderr.contains(said), "{}", ended.stderr);
    }
}

#[test]
fn every_subject_takes_the_same_filters() {
    let sim = SimProcess::start(3, 0, Some(STORM));
    for_every_subject(|subject| {
        let kept = |filter: &str| {
            let ended = once(&sim, &[subject, "--filter", filter, "-o", "csv"]);
            assert_eq!((ended.stderr.as_str(), ended.code), ("", Some(2)), "{subject} {filter}");
            records(&ended.stdout).1
        };
        // By a column, by a text, by a label, by their opposites: of one instance, and of all others.
        for (filter, own) in
            [("instance=sqlprd-001 sqlprd", true), ("!instance=sqlprd-001", false), ("env=nowhere", false)]
        {
            let rows = kept(filter);
            assert!(rows.iter().all(|row| (row[0] == "sqlprd-001") == own), "{subject} {filter}: {rows:?}");
        }
        let ended = once(&sim, &[subject, "--filter", "colour>3"]);
        assert_eq!((ended.code, ended.stdout.as_str()), (Some(3), ""), "{subject}");
        assert!(ended.stderr.contains("fields are instance, "), "{subject}: {}", ended.stderr);
    });
}

#[test]
fn a_closed_pipe_ends_it_quietly() {
    // Enough of them for more than one buffer of output.
    let sim = SimProcess::start(12, 0, None);
    for format in ["table", "json", "csv"] {
        for reader in ["head -1", "true"] {
            let home = Home::new();
            let line = format!("\"$0\" once waits -o {format} --inventory \"$1\" | {reader}");
            let mut command = Command::new("bash");
            command.args(["-o", "pipefail", "-c", &line, DBTOP, &sim.inventory()]);
            command.env_clear().envs(home.environment()).stdin(Stdio::null());
            let ended = run(&mut command);
            assert_eq!(ended.stderr, "", "{format} | {reader}");
            assert!(ended.stdout.lines().count() <= 1, "{format} | {reader}");
            // The code stays that of the fleet's health, which a busy machine may not know in time.
            assert!(ended.code.is_some_and(|c| c <= 3), "{format} | {reader}: {:?}", ended.code);
        }
    }
}

#[test]
fn the_demo_can_be_asked_once_and_leaves_nothing_behind() {
    let home = Home::new();
    let ended = run(&mut dbtop(&["once", "fleet", "--demo=4", "-o", "csv"], &home));
    assert_eq!(ended.stderr, "");
    assert_eq!(records(&ended.stdout).1.len(), 4);
    home.assert_nothing_left();
}

#[test]
fn every_subject_has_the_worst_instance_first_in_few_columns() {
    let sim = SimProcess::start(6, 0, Some(&STORM.replace("#1", "#4")));
    let names = |ended: &str| -> Vec<String> {
        objects(ended).iter().map(|o| o["instance"].as_str().unwrap().to_owned()).collect()
    };
    let worst = names(&once(&sim, &["fleet", "-o", "json"]).stdout)[0].clone();
    for_every_subject(|subject| {
        let told = names(&once(&sim, &[subject, "-o", "json"]).stdout);
        // Who holds tempdb or a grant, or had deadlocks or files that grew, may be another instance.
        let others = ["tempdb", "grants", "deadlocks", "plans", "growths"];
        let is_there = told.contains(&worst) || !others.contains(&subject);
        assert!(!is_there || told[0] == worst, "{subject}: {told:?}");
    });
    let rights = SimProcess::start(3, 0, Some("[[event]]\non = '#2'\nkind = 'no_rights'\nfrom_s = -60\n"));
    let table = once(&rights, &["fleet"]).stdout;
    let header = table.lines().next().unwrap();
    assert!(header.contains("CPU_PCT  BATCHES_PER_S") && header.ends_with("PROBLEM"), "{table}");
    let row = table.lines().find(|row| row.matches("  n/a").count() > 2).expect("the one without rights");
    assert_eq!(row.matches("n/a (VIEW SERVER STATE)").count(), 1, "{table}");
    let csv = once(&sim, &["waits", "-o", "csv"]).stdout;
    for figure in csv.split([',', '\n']).filter(|cell| cell.parse::<f64>().is_ok()) {
        assert!(figure.trim_start_matches(['0', '.']).len() <= 12 && figure.len() <= 14, "{figure}");
        let decimals = figure.split_once('.').map_or(0, |(_, d)| d.trim_start_matches('0').len());
        assert!(decimals <= 4, "{figure}");
    }
}

/// What panes tell above their rows, and in columns of theirs.
#[test]
fn storage_tempdb_memory_and_logs_tell_what_their_panes_tell() {
    let troubles = ["tempdb_fill", "version_store_hold", "log_hold", "grant_hog"];
    let events = troubles.map(|kind| format!("[[event]]\non = '#1'\nkind = '{kind}'\nfrom_s = -300\n"));
    let sim = SimProcess::start(2, 0, Some(&events.concat()));
    let told = |subject: &str| {
        let rows = objects(&once(&sim, &[subject, "-o", "json"]).stdout);
        rows.into_iter().filter(|row| row["instance"] == "sqlprd-001").collect::<Vec<_>>()
    };
    let storage = told("storage");
    for column in [
        "read_ms",
        "write_ms",
        "reads_per_s",
        "writes_per_s",
        "read_bytes_per_s",
        "write_bytes_per_s",
        "read_stall_ms_per_s",
        "write_stall_ms_per_s",
    ] {
        assert!(storage.iter().any(|row| row[column].is_f64()), "{column}: {storage:#?}");
    }
    assert!(storage.iter().all(|row| row["no_date"] == "no history is kept here"), "{storage:#?}");

    let tempdb = told("tempdb");
    for kind in ["contents", "file", "versions", "holder of versions", "contention", "session"] {
        assert!(tempdb.iter().any(|row| row["row"] == kind), "{kind}: {tempdb:#?}");
    }
    let held = |row: &&serde_json::Map<String, serde_json::Value>| row["row"] == "holder of versions";
    let holder = tempdb.iter().find(held).unwrap();
    assert!(holder["for_ms"].is_i64() && holder["login"].is_string(), "{holder:?}");
    let kb =
        |name: &str| tempdb.iter().find(|row| row["name"] == name).and_then(|row| row["total_kb"].as_i64());
    assert!(kb("all") > kb("free") && kb("free").is_some(), "{tempdb:#?}");

    let memory = told("memory");
    for kind in ["amount", "low memory", "page life", "plan cache", "clerk"] {
        assert!(memory.iter().any(|row| row["row"] == kind), "{kind}: {memory:#?}");
    }
    for name in ["target", "total", "stolen", "process", "machine"] {
        let row = memory.iter().find(|row| row["row"] == "amount" && row["name"] == name);
        assert!(row.is_some_and(|row| row["size_kb"].as_i64() > Some(0)), "{name}: {memory:#?}");
    }
    assert!(memory.iter().all(|row| !row.contains_key("grown_kb")), "there is nothing to compare with");

    let logs = told("txlog");
    let held =
        logs.iter().find(|row| row["waits_for"] == "ACTIVE_TRANSACTION").expect("the log that is held");
    assert!(held["held_for_ms"].as_i64() > Some(0) && held["oldest_session_id"].is_i64(), "{held:?}");
    // From 2016 SP2 on.
    let is_told = logs.iter().any(|row| row["vlfs"].is_i64());
    assert_eq!(logs.iter().any(|row| row["last_backup"].is_string()), is_told, "{logs:#?}");
}
