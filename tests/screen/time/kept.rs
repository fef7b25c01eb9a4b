//! Charts of the part under the cursor, which are asked of history: a file, a log, a clerk; and when a volume is full by its months.

use crate::{
    fixture::{self, past},
    stage::Stage,
};
use dbtop::{
    model::{
        poll::{
            id::Metric,
            reading::{Reading, Unavailable},
        },
        timeline::chart::{ChartData, ChartLine},
    },
    protocol::{Answer, HistoryRequest, Query, Reply},
};
use std::sync::Arc;

/// Answers everything as history would; returns the keyed series that were asked for.
fn answer(s: &mut Stage) -> Vec<(Metric, String)> {
    let asked = s.asked();
    asked.iter().filter_map(past::answer).for_each(|reply| s.app.reply(reply));
    let series = asked.into_iter().filter_map(|request| match request {
        HistoryRequest::Ask { query: Query::Chart(query), .. } => Some(query.series),
        _ => None,
    });
    let keyed = series.flatten().filter(|key| !key.key.is_empty());
    keyed.map(|key| (key.metric, key.key.to_string())).collect()
}

fn one(instance: &str, keys: &str) -> Stage {
    let mut s = Stage::new(fixture::small(), 200, 50);
    s.keys(&format!("/ {instance} enter enter {keys}"));
    s
}

#[test]
fn the_file_under_the_cursor_has_its_charts_and_they_follow_it() {
    let mut s = one("sqlprd-014", "6");
    let first = answer(&mut s);
    let of_file = |metric, asked: &[(Metric, String)]| {
        asked.iter().find(|(m, _)| *m == metric).map(|(_, key)| key.clone()).unwrap_or_default()
    };
    let key = of_file(Metric::FileReadOf, &first);
    let (database, file) = key.split_once('/').unwrap_or_else(|| panic!("{first:?}"));
    assert!(!database.is_empty());
    let text = s.text();
    assert!(text.contains(&format!("{file} ms · last 1 hour")), "what is not in memory has an hour: {text}");
    assert!(text.contains(&format!("{file} read and written MB/s")), "{text}");
    assert!(text.contains("nothing is kept of this time"), "its traffic was never kept here: {text}");
    s.keys("down");
    let next = of_file(Metric::FileReadOf, &answer(&mut s));
    assert!(!next.is_empty() && next != key, "{next}");
    s.keys("w w w w w");
    answer(&mut s);
    let text = s.text();
    assert!(text.contains("last 1 day") && !text.contains("ms · last"), "one range for all: {text}");
    s.keys("up");
    assert_eq!(of_file(Metric::FileReadOf, &answer(&mut s)), key);
}

#[test]
fn logs_clerks_databases_and_tempdb_have_charts_of_what_history_keeps() {
    for (keys, expected) in [
        (": txlog enter", &[Metric::LogUsed, Metric::LogUsedSize, Metric::DatabaseLogSize, Metric::Vlfs][..]),
        (": memory enter", &[Metric::ClerkPages]),
        (": tempdb enter", &[Metric::VersionStoreOf, Metric::PersistentVersions]),
        (": grants enter", &[Metric::NodePageLife, Metric::PlanCache]),
        ("6", &[Metric::FileReadOf, Metric::FileBytesOf, Metric::InsideFree]),
        ("6 b", &[Metric::DatabaseSize, Metric::DatabaseLogSize, Metric::DatabaseRead, Metric::InsideFree]),
        ("6 b b b", &[Metric::GrowthsOf]),
        ("6 b b", &[Metric::VolumeFree, Metric::VolumeRead, Metric::VolumeWrite, Metric::VolumeBytes]),
    ] {
        // Of the others nobody knows the volumes.
        let mut s = one(if keys == "6 b b" { "sqlprd-003" } else { "sqlprd-014" }, keys);
        let asked = answer(&mut s);
        for metric in expected {
            assert!(asked.iter().any(|(m, _)| m == metric), "{keys}: {metric:?} is not among {asked:?}");
        }
    }
    let mut fleet = Stage::new(fixture::small(), 200, 50);
    fleet.keys("6");
    assert_eq!(answer(&mut fleet), [], "charts are of one instance");
}

#[test]
fn growths_are_counted_over_any_time_and_waits_for_pages_are_drawn_without_a_row() {
    let mut s = one("sqlprd-014", "6 b b b");
    let asked = answer(&mut s);
    assert_eq!(
        asked.last(),
        Some(&(Metric::GrowthsOf, "orders".to_owned())),
        "beside that of all: {asked:?}"
    );
    assert!(s.text().contains("growths of orders per 30 s"), "{}", s.text());
    assert!(s.text().contains("growths of all files per 30 s"), "{}", s.text());
    s.keys("w w w w w w w w w w w w");
    answer(&mut s);
    assert!(s.text().contains("growths of orders per week"), "{}", s.text());
    let mut s = one("sqlprd-014", ": tempdb enter");
    answer(&mut s);
    assert!(s.text().contains("tasks that wait for pages"), "{}", s.text());
}

#[test]
fn a_pattern_of_deadlocks_has_a_chart_of_how_often_it_came_over_any_time() {
    let mut s = one("sqlprd-014", ": deadlocks enter");
    let first = answer(&mut s);
    assert_eq!(first, [(Metric::DeadlocksOf, "3f2a11c055aa0007".to_owned())], "the last one");
    let text = s.text();
    assert!(text.contains("key lookup 3f2a11c0 per 30 s"), "fifteen minutes: {text}");
    s.keys("down");
    assert_eq!(answer(&mut s), [(Metric::DeadlocksOf, "9d01000077771234".to_owned())]);
    assert!(s.text().contains("conversion 9d010000 per 30 s"), "{}", s.text());
    for (key, slot) in [("W", "10 s"), ("W", "5 s")] {
        s.keys(key);
        answer(&mut s);
        assert!(s.text().contains(&format!("conversion 9d010000 per {slot}")), "{}", s.text());
    }
    s.keys("w w w w w w w w w w w w");
    answer(&mut s);
    assert!(s.text().contains("per week") && s.text().contains("last 1 year"), "{}", s.text());
    s.keys("shift-left");
    answer(&mut s);
    assert!(
        s.text().contains("per week") && s.text().contains("1 year to "),
        "of another time: {}",
        s.text()
    );
}

#[test]
fn a_volume_says_when_it_is_full_by_its_months_or_why_there_is_no_date() {
    let mut s = one("sqlprd-003", "6 b b");
    let asked = s.asked();
    let is_asked =
        |r: &HistoryRequest| matches!(r, HistoryRequest::Ask { query: Query::Outlooks { .. }, .. });
    assert_eq!(asked.iter().filter(|r| is_asked(r)).count(), 1, "{}", s.text());
    asked.iter().filter_map(past::answer).for_each(|reply| s.app.reply(reply));
    let line = |s: &mut Stage, mount: &str| {
        s.lines()
            .into_iter()
            .find(|l| l.contains(mount) && l.contains('%'))
            .unwrap_or_else(|| panic!("{}", s.text()))
    };
    assert!(line(&mut s, "D:\\").contains(" 34 "), "{}", line(&mut s, "D:\\"));
    assert!(line(&mut s, "L:\\").contains("steady"), "{}", line(&mut s, "L:\\"));
    s.keys("/ days<40 enter d");
    let text = s.text();
    assert!(text.contains("Full in 34 days, with 80 % probability in 21 to 60 days"), "{text}");
    assert!(text.contains("it grows by 3.0 GB a day"), "{text}");
    assert!(text.contains("Full means 3 % free"), "{text}");
    assert!(text.contains("off by 6 %; 9 of 11 lay within the 80 %"), "{text}");
}

#[test]
fn each_volume_of_a_fleet_has_a_date_of_its_own_asked_some_at_a_time() {
    let mut fleet = fixture::small();
    let volumes = fleet.instances.iter().find_map(|i| i.facts.volumes.get().cloned()).expect("some volumes");
    for i in &mut fleet.instances {
        Arc::make_mut(i).facts.volumes = Reading::good(Arc::clone(&volumes), fixture::NOW, 900_000);
    }
    let mut s = Stage::new(fleet, 200, 50);
    s.keys("6 b b");
    let mut asked = 0;
    for round in 0.. {
        let questions: Vec<_> = s.asked();
        let of = |r: &HistoryRequest| match r {
            HistoryRequest::Ask { query: Query::Outlooks { of, .. }, .. } => of.len(),
            _ => 0,
        };
        let volumes: usize = questions.iter().map(of).sum();
        if volumes == 0 {
            break;
        }
        assert!(volumes <= 24 && round < 9, "{volumes} at once, round {round}");
        asked += volumes;
        questions.iter().filter_map(past::answer).for_each(|reply| s.app.reply(reply));
        s.text();
    }
    let rows: Vec<String> = s.lines().into_iter().filter(|l| l.contains(":\\") && l.contains('%')).collect();
    assert!(asked >= rows.len() && rows.len() > 4, "{asked} {}", s.text());
    assert!(rows.iter().all(|l| l.contains("steady") || l.contains(" 34 ")), "{rows:#?}");
    s.keys("d");
    assert!(s.text().contains("by the last months"), "{}", s.text());
}

#[test]
fn a_chart_without_a_point_says_which_right_it_lacks() {
    let mut fleet = fixture::small();
    let instance = fleet.instances.iter_mut().find(|i| i.id().as_str() == "sqlprd-003").unwrap();
    let files = &mut Arc::make_mut(instance).facts.files;
    *files =
        Reading { problem: Some(Unavailable::NoRight("VIEW SERVER STATE".into())), ..Reading::default() };
    let mut s = Stage::new(fleet, 200, 50);
    s.keys("/ sqlprd-003 enter enter 6 b b");
    for request in s.asked() {
        if let HistoryRequest::Ask { ticket, query: Query::Chart(query) } = request {
            let lines = vec![ChartLine::default(); query.series.len()];
            let answer = Answer::Chart(ChartData { lines, tier: "as measured" });
            s.app.reply(Reply::Answer { ticket, answer });
        }
    }
    let text = s.text();
    assert!(text.matches("n/a (VIEW SERVER STATE)").count() >= 3, "in memory and out of history: {text}");
    assert!(
        text.contains("nothing is kept of this time"),
        "its free space is no matter of that right: {text}"
    );
}
