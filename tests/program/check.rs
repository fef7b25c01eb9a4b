//! `dbtop instance test` and `dbtop doctor` as a person or a script runs them, against the demo's fleet.

#![cfg(unix)]

use crate::harness::{
    Home,
    process::{dbtop, run},
};
use serde_json::Value;

#[test]
fn an_instance_is_tested_by_name_and_the_report_is_json() {
    let home = Home::new();
    let all = run(&mut dbtop(&["instance", "test", "--all", "--demo=3", "--seed", "5", "-o", "json"], &home));
    let reports: Value = serde_json::from_str(&all.stdout).unwrap();
    let reports = reports.as_array().unwrap();
    assert_eq!(reports.len(), 3, "{}", all.stderr);
    let passed = |report: &Value| report["passed"] == true;
    assert_eq!(all.code, Some(if reports.iter().all(passed) { 0 } else { 2 }), "{}", all.stdout);
    let good = reports.iter().find(|report| passed(report)).unwrap();
    assert_eq!(good["tls_version"], "TLS 1.2");
    assert!(good["certificate"]["sha256"].as_str().unwrap().len() == 95);
    assert_eq!(good["steps"].as_array().unwrap().len(), 7);
    let name = good["instance"].as_str().unwrap();
    let one = run(&mut dbtop(&["instance", "test", name, "--demo=3", "--seed", "5"], &home));
    assert!(one.stdout.contains("tls      ok") && one.stdout.contains("pane"), "{}", one.stdout);
    let nobody = run(&mut dbtop(&["instance", "test", "nobody", "--demo=3"], &home));
    assert_eq!(nobody.code, Some(3));
    assert!(nobody.stderr.contains("no instance is called nobody"), "{}", nobody.stderr);
}

#[test]
fn the_doctor_says_what_is_missing_by_its_exit_code_too() {
    let home = Home::new();
    let found = run(&mut dbtop(&["doctor", "--demo=8", "--seed", "5", "-o", "json"], &home));
    let all: Value = serde_json::from_str(&found.stdout).unwrap();
    let all = all.as_array().unwrap();
    assert_eq!(all.len(), 8);
    let unknown = |one: &Value| one["rights"].is_null() || one["rights"].get("problem").is_some();
    let holes = |one: &Value| one["rights"]["holes"].as_array().is_some_and(|holes| !holes.is_empty());
    let expected = match (all.iter().any(unknown), all.iter().any(holes)) {
        (true, _) => 2,
        (false, true) => 1,
        (false, false) => 0,
    };
    assert_eq!(found.code, Some(expected));
    for hole in all.iter().filter_map(|one| one["rights"]["holes"].as_array()).flatten() {
        assert!(hole["script"].as_str().unwrap().contains("GRANT"), "{hole}");
    }
}
