//! `dbtop store` as people and scripts run it.

use crate::world::{Stage, World, feed, name};
use dbtop::{
    model::inventory::record::TenantUid,
    store::history::{Engine, Options},
    vault::{Sealer, history_key},
};
use std::{
    path::Path,
    process::{Command, Output},
};

pub fn dbtop(home: &Path, args: &[&str]) -> (Output, String, String) {
    dbtop_in("UTC", home, args)
}

/// In a session whose clock shows this zone.
fn dbtop_in(zone: &str, home: &Path, args: &[&str]) -> (Output, String, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_dbtop"))
        .args(args)
        .env("DBTOP_HOME", home)
        .env("TZ", zone)
        .env_remove("DBTOP_TENANT")
        .env_remove("DBTOP_INVENTORY")
        .output()
        .unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let (out, err) = (text(&output.stdout), text(&output.stderr));
    (output, out, err)
}

#[test]
fn a_history_is_counted_checked_carried_and_taken_in() {
    let stage = Stage::new();
    let mut engine = Engine::open(&stage.path(), None, Options::default()).unwrap();
    feed(&mut engine, &mut World::new(2), 0..3 * 3600);
    engine.close().unwrap();
    let home = stage.folder.path().join("home");
    let path = stage.path().display().to_string();
    let run = |args: &[&str]| dbtop(&home, &[&["store", "--history", &path], args].concat());

    let (output, out, err) = run(&["stats", "-o", "json"]);
    assert!(output.status.success(), "{err}");
    let rows: Vec<serde_json::Value> = serde_json::from_str(&out).unwrap();
    let row =
        |what: &str| rows.iter().find(|row| row["what"] == what).unwrap_or_else(|| panic!("{what}: {out}"));
    assert_eq!(row("instances")["items"], 2);
    assert!(row("states")["rows"].as_i64().unwrap() > 20 && row("file")["bytes"].as_i64().unwrap() > 100_000);
    assert_eq!(row("cap")["bytes"], 20_i64 << 30);
    assert!(row("states")["oldest"].as_str().unwrap().starts_with("2026-10-01T00:00"));
    assert_eq!(row("growth a day")["bytes"], serde_json::Value::Null, "three hours are no day");

    let (output, out, _) = run(&["check"]);
    assert!(output.status.success() && out.contains("yes"), "{out}");

    let backup = stage.folder.path().join("backup.db").display().to_string();
    assert!(run(&["backup", &backup]).0.status.success());
    let (output, _, err) = run(&["backup", &backup]);
    assert!(!output.status.success() && err.contains("backup.db"), "{err}");

    let night = stage.folder.path().join("night.db").display().to_string();
    let range = [
        "export-range",
        "--from",
        "2026-10-01 01:00",
        "--to",
        "2026-10-01 02:00",
        "--instance",
        &name(1),
        &night,
    ];
    let (output, out, err) = run(&[&range[..], &["-o", "csv"]].concat());
    assert!(output.status.success(), "{err}");
    assert!(err.contains("is not sealed"), "{err}");
    assert!(out.lines().nth(1).unwrap().contains(",1,"), "one instance: {out}");
    let (output, _, err) = run(&range);
    assert!(!output.status.success() && err.contains("is there already"), "{err}");

    let other = stage.folder.path().join("other.db").display().to_string();
    let (output, _, err) = dbtop(&home, &["store", "--history", &other, "import", &night]);
    assert!(output.status.success(), "{err}");
    let (_, out, _) = dbtop(&home, &["store", "--history", &other, "stats", "-o", "csv"]);
    assert!(out.contains("instances,,1,"), "{out}");
    let (output, out, err) = dbtop(&home, &["store", "--history", &other, "restore", &backup]);
    assert!(output.status.success() && out.contains("before-restore"), "{out}{err}");
    let (_, out, _) = dbtop(&home, &["store", "--history", &other, "stats", "-o", "csv"]);
    assert!(out.contains("instances,,2,"), "{out}");
}

#[test]
fn what_is_not_there_or_not_whole_is_said_with_a_code() {
    let stage = Stage::new();
    let home = stage.folder.path().join("home");
    let path = stage.path().display().to_string();
    let run = |args: &[&str]| dbtop(&home, &[&["store", "--history", &path], args].concat());
    let (output, _, err) = run(&["stats"]);
    assert!(!output.status.success() && err.contains("there is no history at"), "{err}");
    let mut engine = Engine::open(&stage.path(), None, Options::default()).unwrap();
    feed(&mut engine, &mut World::new(4), 0..2 * 3600);
    engine.close().unwrap();
    // One byte of one block, as if a disk had turned it.
    let file = rusqlite::Connection::open(stage.path()).unwrap();
    let sql = "UPDATE state SET blob = CAST(substr(blob, 1, 99) || x'00' || substr(blob, 101) AS BLOB) WHERE no = 3";
    assert_eq!(file.execute(sql, []).unwrap(), 1);
    drop(file);
    let (output, _, err) = run(&["check"]);
    assert_eq!(output.status.code(), Some(2), "{err}");
    assert!(err.contains("row 3 of state") && err.contains("damaged"), "{err}");
}

/// Who plays a recording, and from where the fleet of every day is known.
fn replay(home: &Path, args: &[&str]) -> (Output, String, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_dbtop"))
        .args(args)
        .env("DBTOP_HOME", home)
        .env("TZ", "UTC")
        .env("DBTOP_TENANT", "every-day")
        .output()
        .unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let (out, err) = (text(&output.stdout), text(&output.stderr));
    (output, out, err)
}

#[test]
fn a_recording_is_printed_as_it_was_without_any_server() {
    let stage = Stage::new();
    let mut engine = Engine::open(&stage.path(), None, Options::default()).unwrap();
    feed(&mut engine, &mut World::new(3), 0..2 * 3600);
    engine.close().unwrap();
    let home = stage.folder.path().join("home");
    let path = stage.path().display().to_string();
    let once =
        |more: &[&str]| replay(&home, &[&["once", "fleet", "--replay", &path, "-o", "json"], more].concat());
    let names = |out: &str| -> Vec<String> {
        let rows: Vec<serde_json::Value> = serde_json::from_str(out).unwrap_or_else(|e| panic!("{e}: {out}"));
        rows.iter().map(|row| row["instance"].as_str().unwrap().to_owned()).collect()
    };
    let (_, end, err) = once(&[]);
    assert_eq!(names(&end).len(), 3, "{err}");
    let (_, then, _) = once(&["--at", "2026-10-01 01:00"]);
    assert_ne!(then, end, "another time is another state");
    let (_, same, _) = once(&["--at", "2026-10-01 01:00:00"]);
    assert_eq!(then, same);
    // Kathmandu is 05:45 ahead; a time with a zone is the same instant in any session.
    let there = |at: &str| {
        let args = ["once", "fleet", "--replay", &path, "-o", "json", "--at", at];
        dbtop_in("Asia/Kathmandu", &home, &args).1
    };
    assert_eq!(there("2026-10-01 06:45"), then);
    assert_eq!(there("2026-10-01 01:00 UTC"), then);
    assert_eq!(there("2026-10-01T03:00:00+02:00"), then);
    let (_, scoped, _) = once(&["--scope", &name(1)]);
    assert_eq!(names(&scoped), [name(1)]);
    let (output, out, err) = once(&["--at", "2026-09-30 01:00"]);
    assert_eq!((output.status.code(), out.as_str()), (Some(3), ""));
    assert!(err.contains("the recording begins at 2026-10-01 00:00"), "{err}");
    let (output, _, err) = once(&["--tenant", "other"]);
    assert!(output.status.code() == Some(3) && err.contains("leave --inventory and --tenant out"), "{err}");
}

#[test]
fn what_queries_cost_between_two_times_is_printed_alone_and_beside_another_time() {
    let stage = Stage::new();
    super::export::incident(&stage.path());
    let home = stage.folder.path().join("home");
    let path = stage.path().display().to_string();
    let once = |more: &[&str]| {
        let (output, out, err) =
            replay(&home, &[&["once", "queries", "--replay", &path, "-o", "json"], more].concat());
        let rows: Vec<serde_json::Value> =
            serde_json::from_str(&out).unwrap_or_else(|e| panic!("{e}: {out}{err}"));
        (output.status.code(), rows, err)
    };
    // Polls at 1:15:30, 1:16:30 and 1:17:30, a minute each; of the other instances none.
    let (code, rows, err) = once(&["--from", "2026-10-01 01:14", "--to", "2026-10-01 01:18"]);
    let of = |row: &serde_json::Value, name: &str| row[name].as_f64().unwrap_or(f64::NAN);
    assert_eq!((code, rows.len()), (Some(0), 3), "{err}{rows:#?}");
    let first = &rows[0];
    assert_eq!(first["query_hash"], "0x000000008A3F11C0");
    assert_eq!((of(first, "cpu_ms"), of(first, "runs"), of(first, "polls")), (7_245.0, 30.0, 3.0));
    assert_eq!((of(first, "share_cpu_pct"), of(first, "covered_pct")), (50.0, 75.0));
    assert!((of(first, "share_reads_pct") - 100.0).abs() < 1e-9, "{first:#?}");
    assert!(first["plan_changed"] == true && first["at_least"] == false, "{first:#?}");
    assert!(rows[1]["problem"].as_str().unwrap().contains("no poll of the plan cache"), "{rows:#?}");
    assert!(err.contains("3 polls, which cover 25 % of it"), "of three instances: {err}");
    // Beside the minute before.
    let (_, rows, err) =
        once(&["--from", "2026-10-01 01:16", "--to", "2026-10-01 01:17", "--beside", "2026-10-01 01:15"]);
    let first = &rows[0];
    assert_eq!(first["change"], "more", "{err}{rows:#?}");
    assert_eq!(
        (of(first, "times"), of(first, "before_avg_ms"), of(first, "after_avg_ms")),
        (80.0, 5.0, 400.0)
    );
    // Nobody has polled then, and what history keeps is said.
    let (code, rows, err) = once(&["--from", "2026-10-01 00:00", "--to", "2026-10-01 00:30"]);
    assert!(code == Some(1) && rows.len() == 3 && err.contains("0 polls"), "{code:?} {err}");
    let (_, rows, _) = once(&["--from", "2026-10-01 01:14", "--filter", "share_cpu>40"]);
    assert_eq!(rows.len(), 1);
    for (args, says) in [
        (&["--from", "2026-10-01 01:14", "--to", "2026-10-01 01:10"][..], "--from must be before --to"),
        (&["--from", "soon"], "--from soon"),
    ] {
        let (output, _, err) = replay(&home, &[&["once", "queries", "--replay", &path], args].concat());
        assert!(output.status.code() == Some(3) && err.contains(says), "{err}");
    }
    let (output, _, err) = replay(&home, &["once", "waits", "--replay", &path, "--from", "-1h"]);
    assert!(output.status.code() == Some(3) && err.contains("goes with `once queries`"), "{err}");
}

#[test]
fn what_is_no_recording_is_refused_before_the_terminal_is_taken() {
    let stage = Stage::new();
    let home = stage.folder.path().join("home");
    let file = |name: &str| stage.folder.path().join(name);
    let key = Sealer::of_history(TenantUid::from_bytes([9; 16]), &history_key().unwrap()).unwrap();
    for (name, key) in [("sealed.db", Some(key)), ("empty.db", None), ("cut.db", None)] {
        let mut engine = Engine::open(&file(name), key, Options::default()).unwrap();
        if name != "empty.db" {
            feed(&mut engine, &mut World::new(2), 0..1800);
        }
        engine.close().unwrap();
    }
    let whole = std::fs::read(file("cut.db")).unwrap();
    std::fs::write(file("cut.db"), &whole[..whole.len() / 3]).unwrap();
    std::fs::write(file("fleet.toml"), "[[instance]]\nname = \"a\"\n").unwrap();
    std::fs::write(file("nothing.db"), "").unwrap();
    rusqlite::Connection::open(file("other.db")).unwrap().execute_batch("CREATE TABLE t(x)").unwrap();
    for (name, words) in [
        ("missing.db", "there is no recording"),
        ("sealed.db", "it is sealed"),
        ("empty.db", "there is nothing in"),
        ("cut.db", "damaged"),
        ("fleet.toml", "is no recording of dbtop"),
        ("nothing.db", "is no recording of dbtop"),
        ("other.db", "no history of dbtop"),
    ] {
        let (output, out, err) = replay(&home, &["--replay", file(name).to_str().unwrap()]);
        assert_eq!((output.status.code(), out.as_str()), (Some(3), ""), "{name}: {err}");
        assert!(err.contains(words) && err.contains(name), "{name}: {err}");
        assert!(!err.contains("terminal"), "{name}: {err}");
    }
}

#[test]
fn bookmarks_and_incidents_are_put_listed_and_taken_away() {
    let stage = Stage::new();
    let mut engine = Engine::open(&stage.path(), None, Options::default()).unwrap();
    feed(&mut engine, &mut World::new(2), 0..3600);
    let home = stage.folder.path().join("home");
    let path = stage.path().display().to_string();
    // The collector has the file meanwhile.
    let run = |args: &[&str]| dbtop(&home, &[&["bookmark", "--history", &path, "-o", "json"], args].concat());
    let rows = |args: &[&str]| -> Vec<serde_json::Value> {
        let (output, out, err) = run(args);
        assert!(output.status.success(), "{args:?}: {err}");
        serde_json::from_str(&out).unwrap()
    };
    let put = rows(&["add", "--at", "2026-10-01 00:20", "--note", "the night job"]);
    assert_eq!((&put[0]["instance"], &put[0]["note"]), (&"".into(), &"the night job".into()));
    let one = ["--instance", &name(1), "--at", "2026-10-01 00:40"];
    rows(&[&["keep"], &one[..]].concat());
    // A few minutes later: the same incident, longer.
    rows(&["keep", "--instance", &name(1), "--at", "2026-10-01 00:44", "--note", "worse"]);
    let found = rows(&["list"]);
    let kinds: Vec<&str> = found.iter().map(|row| row["kind"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["bookmark", "incident"], "{found:?}");
    assert_eq!(
        (&found[1]["from"], &found[1]["to"]),
        (&"2026-10-01T00:30:00Z".into(), &"2026-10-01T00:49:00Z".into())
    );
    assert_eq!(found[1]["note"], "kept by hand · worse");
    assert_eq!(rows(&["list", "--instance", &name(0)]).len(), 1, "a note for the whole fleet is everybody's");
    rows(&["remove", found[1]["number"].as_str().unwrap()]);
    assert_eq!(rows(&["list"]).len(), 1);
    for (args, words) in [
        (&["remove", "7"][..], "no bookmark or incident has the number 7"),
        (&["keep"], "name it with --instance"),
        (&["keep", "--instance", "nobody"], "history knows no instance nobody"),
        (&["add", "--note", "x", "--at", "soonish"], "reading the time"),
    ] {
        let (output, _, err) = run(args);
        assert!(!output.status.success() && err.contains(words), "{args:?}: {err}");
    }
}

#[test]
fn what_is_done_to_a_history_with_files_is_in_the_audit_log() {
    let stage = Stage::new();
    let mut engine = Engine::open(&stage.path(), None, Options::default()).unwrap();
    feed(&mut engine, &mut World::new(2), 0..1800);
    engine.close().unwrap();
    let home = stage.folder.path().join("home");
    let file = |name: &str| stage.folder.path().join(name).display().to_string();
    let (key, backup, night) = (file("key"), file("backup.db"), file("night.dbtop"));
    let run = |args: &[&str]| {
        let (output, out, err) = dbtop(&home, &[args, &["--key-file", &key]].concat());
        assert!(output.status.success(), "{args:?}: {err}");
        out
    };
    run(&["tenant", "create", "acme"]);
    run(&["store", "import", &stage.path().display().to_string()]);
    run(&["store", "backup", &backup]);
    run(&["store", "export-range", "--from", "2026-10-01 00:00", "--to", "2026-10-01 00:20", &night]);
    run(&["store", "restore", &backup]);
    run(&["export", "cost", "--from", "2026-10-01 00:00", "--to", "2026-10-01 00:20"]);
    let log: serde_json::Value = serde_json::from_str(&run(&["audit", "list", "-o", "json"])).unwrap();
    let told: Vec<String> = log
        .as_array()
        .unwrap()
        .iter()
        .skip(1)
        .filter(|row| row["entity"] != "history key")
        .map(|row| format!("{} {} {}", row["action"], row["entity"], row["name"]).replace('"', ""))
        .collect();
    let wanted = [
        format!("import recording {}", stage.path().display()),
        format!("backup history {backup}"),
        format!("export recording {night}"),
        format!("restore history {backup}"),
        "export cost -".to_owned(),
    ];
    assert_eq!(told, wanted);
    for row in log.as_array().unwrap().iter().rev().take(5) {
        let detail = row["detail"].as_str().unwrap();
        assert!(detail.contains("; from 2026-10-01 00:0") && detail.contains(" UTC; SHA-256 "), "{detail}");
    }
}
