//! Queries over a stretch of time, by keys: added up, beside another time, and what is said where nothing is known.

use crate::{
    fixture::{self, NOW, past},
    stage::Stage,
};
use dbtop::{
    model::timeline::spent::Spent,
    protocol::{Answer, HistoryRequest, Query, Reply},
};

const HOUR_MS: i64 = 3_600_000;

/// Answers as history would; returns the stretches of queries that were asked for: from, to, instances.
fn answer(s: &mut Stage) -> Vec<(i64, i64, usize)> {
    let asked = s.asked();
    asked.iter().filter_map(past::answer).for_each(|reply| s.app.reply(reply));
    let stretches = asked.into_iter().filter_map(|request| match request {
        HistoryRequest::Ask { query: Query::Spent { instances, from, to }, .. } => {
            Some((NOW - from, NOW - to, instances.len()))
        }
        _ => None,
    });
    stretches.collect()
}

fn one(instance: &str, keys: &str, width: u16, height: u16) -> Stage {
    let mut s = Stage::new(fixture::small(), width, height);
    s.keys(&format!("/ {instance} enter enter 5 {keys}"));
    s
}

#[test]
fn u_adds_up_what_queries_cost_over_the_time_of_the_charts() {
    let mut s = one("sqlprd-014", "u", 200, 40);
    assert!(s.text().contains("asking history"), "{}", s.text());
    let asked = answer(&mut s);
    assert_eq!(asked.len(), 1);
    assert_eq!((asked[0].0 - asked[0].1, asked[0].2), (900_000, 1), "{asked:?}");
    let text = s.text();
    assert!(
        text.contains("added up, last 15m")
            && text.contains("explains 71 % of CPU")
            && text.contains(" since 13:4"),
        "{text}"
    );
    assert!(text.contains("usp_GetPage") && text.contains("CPU %") && text.contains("RUNS"), "{text}");
    assert!(
        text.contains("polls cover") && text.contains("not known:"),
        "nobody collected for a while: {text}"
    );
    // Longer, and earlier.
    s.keys("w");
    let asked = answer(&mut s);
    assert_eq!(asked.iter().map(|(from, to, _)| from - to).collect::<Vec<_>>(), [HOUR_MS], "{asked:?}");
    s.keys("shift-left");
    let asked = answer(&mut s);
    assert_eq!(asked[0].1, HOUR_MS / 2, "half of it back: {asked:?}");
    let text = s.text();
    assert!(text.contains("added up, 2026-11-20 12:32:11 – 13:32:11"), "{text}");
    assert!(text.contains(" from 12:32:11 to 13:32:11 "), "{text}");
    // The details tell every sum with its share.
    s.keys("d");
    let text = s.text();
    assert!(text.contains("pages from memory") && text.contains(" of ") && text.contains('%'), "{text}");
    s.keys("esc esc esc");
    assert!(!s.text().contains("added up"), "{}", s.text());
}

#[test]
fn a_stretch_is_typed_and_equals_puts_another_time_beside_it() {
    let mut s = Stage::new(fixture::small(), 280, 40);
    s.keys("/ sqlprd-014 enter enter");
    s.keys(": period space 10:00 space - space 10:30 enter");
    let asked = answer(&mut s);
    assert_eq!(asked.iter().map(|(from, to, _)| from - to).collect::<Vec<_>>(), [HOUR_MS / 2], "{asked:?}");
    assert!(s.text().contains("added up, 2026-11-20 10:00:00 – 10:30:00"), "{}", s.text());
    s.keys("= yesterday space 10:00 enter");
    let asked = answer(&mut s);
    assert_eq!(asked.len(), 1, "the other one is known: {asked:?}");
    assert_eq!(asked[0].0 - asked[0].1, HOUR_MS / 2);
    let text = s.text();
    assert!(text.contains("beside 2026-11-19 10:00:00 – 10:30:00"), "{text}");
    assert!(
        text.contains("largest change first") && text.contains("before: ") && text.contains("after: "),
        "{text}"
    );
    let row = |words: &str| text.lines().find(|line| line.contains(words)).unwrap_or_default().to_owned();
    assert!(row("usp_GetPage").contains("×20"), "{text}");
    assert!(row("LoadIncrement").contains("new"), "{text}");
    assert!(text.lines().any(|line| line.contains(" gone ")), "{text}");
    let first = text.lines().position(|line| line.contains("×20")).unwrap();
    let same = text.lines().position(|line| line.contains("same")).unwrap();
    assert!(first < same, "the largest change first: {text}");
    s.keys("d");
    assert!(s.text().contains("change of its CPU"), "{}", s.text());
    s.keys("esc esc");
    assert!(!s.text().contains("beside 2026") && s.text().contains("added up"), "{}", s.text());
    // The same by the key that puts charts beside an earlier day.
    s.keys("c");
    answer(&mut s);
    assert!(s.text().contains("beside 2026-11-19"), "{}", s.text());
}

#[test]
fn where_nothing_is_known_that_is_said_with_what_history_keeps() {
    let mut s = one("sqlrep-001", "u", 160, 30);
    answer(&mut s);
    let text = s.text();
    assert!(text.contains("No poll of the plan cache is kept from 2026-11-20 13:48"), "{text}");
    assert!(
        text.contains("History is kept from 2026-11-13") && text.contains("nobody collected then"),
        "{text}"
    );
    // History cannot be read.
    let mut s = one("sqlprd-014", "u", 160, 30);
    for request in s.asked() {
        let why = "history is busy".to_owned();
        s.reply(Reply::NoHistory { ticket: request.ticket(), why });
    }
    assert!(s.text().contains("history is busy"), "{}", s.text());
}

#[test]
fn beside_a_time_of_which_nothing_is_known_the_title_says_so_and_cpu_orders_the_rows() {
    let mut s = Stage::new(fixture::small(), 240, 40);
    s.keys("5 u c");
    for request in s.asked() {
        match past::answer(&request) {
            Some(Reply::Answer { ticket, answer: Answer::Spent(told) })
                if told.begins < NOW.plus_ms(-12 * HOUR_MS) =>
            {
                let mut told = (*told).clone();
                told.of.iter_mut().for_each(|(_, spent)| *spent = Spent::default());
                s.reply(Reply::Answer { ticket, answer: Answer::Spent(told.into()) });
            }
            reply => reply.into_iter().for_each(|reply| s.app.reply(reply)),
        }
    }
    let text = s.text();
    assert!(text.contains("before: nothing is known of that time"), "{text}");
    assert!(text.contains("most CPU first") && !text.contains("largest change first"), "{text}");
    // The dearest query of each instance, then the next one: not instance by instance.
    let rows: Vec<&str> = text.lines().filter(|line| line.contains("sqlprd-")).collect();
    let instance =
        |line: &str| line.split_whitespace().find(|word| word.contains("sqlprd-")).map(str::to_owned);
    assert!(rows.len() > 5 && instance(rows[0]) != instance(rows[1]), "{text}");
    assert!(rows[..3].iter().all(|line| line.contains("SELECT TOP (50)")), "{text}");
}

#[test]
fn many_instances_are_told_together_and_who_has_no_poll_is_counted() {
    let mut s = Stage::new(fixture::small(), 200, 40);
    s.keys("5 u");
    let asked = answer(&mut s);
    assert_eq!(asked[0].2, 8);
    let text = s.text();
    assert!(text.contains("none of 1 instance") && text.contains("sqlprd-021"), "{text}");
    s.keys("/ instance=sqlprd-021 enter");
    assert!(!s.text().contains("sqlprd-003"), "{}", s.text());
}

#[test]
fn a_stretch_at_three_sizes() {
    for (width, height) in [(80, 24), (120, 40), (200, 60)] {
        let mut s = one("sqlprd-014", "u", width, height);
        answer(&mut s);
        let alone = s.text();
        s.keys("c");
        answer(&mut s);
        insta::assert_snapshot!(format!("period_{width}"), format!("{alone}\n\n{}", s.text()));
    }
}
