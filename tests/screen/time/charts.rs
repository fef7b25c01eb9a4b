//! Charts of longer times: their questions, and the pictures of the answers.

use crate::{
    fixture::{
        self, NOW,
        past::{self, HOUR_MS},
    },
    stage::Stage,
};
use dbtop::{
    model::{
        base::time::Timestamp,
        timeline::reach::{Facts, Outage, Span},
    },
    protocol::{Answer, HistoryRequest, Query, Reply},
};

use std::fmt::Write as _;

/// Answers everything as history would; returns how many charts and events were asked for.
fn answer(s: &mut Stage) -> (usize, usize) {
    let asked = s.asked();
    asked.iter().filter_map(past::answer).for_each(|reply| s.app.reply(reply));
    let count = |is: fn(&HistoryRequest) -> bool| asked.iter().filter(|r| is(r)).count();
    (
        count(|r| matches!(r, HistoryRequest::Ask { query: Query::Chart(_), .. })),
        count(|r| matches!(r, HistoryRequest::Ask { query: Query::Marks { .. }, .. })),
    )
}

/// The instance with a day of charts.
fn day(w: u16, h: u16) -> Stage {
    let mut s = Stage::new(fixture::small(), w, h);
    s.keys("enter w w w w w");
    answer(&mut s);
    s
}

#[test]
fn the_last_minutes_are_drawn_without_asking() {
    let mut s = Stage::new(fixture::small(), 120, 40);
    s.keys("enter W w , , . .");
    assert_eq!(answer(&mut s), (0, 0));
    s.keys("w");
    assert!(s.lines()[2].contains("last 1 hour"), "{}", s.lines()[2]);
    assert!(s.text().contains("asking history…"), "{}", s.text());
    assert_eq!(answer(&mut s), (2, 1), "the figures, the waits and the events");
    assert!(!s.text().contains("asking history…"), "{}", s.text());
    s.keys("W");
    assert!(!s.lines()[2].contains("last"), "{}", s.lines()[2]);
}

#[test]
fn a_day_shows_its_gap_its_band_and_its_events() {
    let mut s = day(120, 42);
    let text = s.text();
    assert!(text.contains("last 1 day"), "{text}");
    assert!(text.contains("B blocking 1  H health 1  ★ bookmark 1"), "{text}");
    let lines = s.lines();
    let foot = lines.iter().position(|l| l.contains("─B─")).unwrap_or_else(|| panic!("{text}"));
    assert!(lines[foot].contains('H') && lines[foot].contains('★'), "{}", lines[foot]);
    let above = &lines[foot - 1];
    // The chart of the first reason: nobody was blocked for most of the day.
    let blocked: String = above.chars().take(58).collect();
    assert!(blocked.contains("─   ─"), "the gap stays a gap: {blocked}");
    let mut mono = Stage::with_theme(fixture::small(), 120, 40, "mono");
    mono.keys("enter w w w w w");
    answer(&mut mono);
    let text = mono.text();
    assert!(text.contains('░') && text.contains('▓'), "least, mean and greatest: {text}");
    assert!(lines[foot + 1].contains("11-20") && lines[foot + 1].contains("18:00"), "{}", lines[foot + 1]);
}

#[test]
fn the_cursor_tells_time_values_and_events() {
    let mut s = day(120, 40);
    // 24 minutes a step: 27 of them lead to 03:12.
    s.keys(&", ".repeat(28));
    let text = s.text();
    assert!(
        text.contains("03:12  ") && text.contains("B 03:00:00 blocking: 14 sessions blocked by 88"),
        "{text}"
    );
    s.keys(&". ".repeat(23));
    let text = s.text();
    assert!(text.contains("12:24  ") && text.contains(" (3"), "mean, least and greatest: {text}");
    s.keys("esc");
    assert!(s.lines()[2].contains("last 1 day") && s.text().contains("min "), "{}", s.text());
}

#[test]
fn charts_move_into_the_past_and_stand_beside_yesterday() {
    let mut s = day(120, 40);
    s.keys("shift-left");
    let query = s.asked().into_iter().find_map(|r| match r {
        HistoryRequest::Ask { query: Query::Chart(query), .. } => Some(query),
        _ => None,
    });
    let ends = query.map(|q| NOW - q.to);
    assert!(ends.is_some_and(|ms| (11 * HOUR_MS..13 * HOUR_MS).contains(&ms)), "{ends:?}");
    assert!(s.lines()[2].contains("1 day to 2026-11-20 02:02:11"), "{}", s.lines()[2]);
    s.keys("shift-right c");
    assert_eq!(answer(&mut s).0, 1, "what was known is not asked again, the day before is");
    let text = s.text();
    assert!(text.contains("last 1 day, beside a day earlier"), "{text}");
    assert!(text.contains("─ a day earlier"), "{text}");
    s.keys("c");
    assert!(s.text().contains("a week earlier"), "{}", s.text());
    s.keys("c");
    assert!(!s.text().contains("earlier"), "{}", s.text());
}

#[test]
fn charts_that_were_moved_end_now_again_by_t_by_esc_and_when_they_are_left() {
    let is_past = |s: &mut Stage| s.lines()[2].contains("1 day to 20");
    for keys in ["T", "esc", "2 -"] {
        let mut s = day(120, 40);
        s.keys("shift-left");
        assert!(is_past(&mut s), "{}", s.text());
        s.keys(keys);
        assert!(!is_past(&mut s), "after {keys}: {}", s.text());
        assert!(
            s.lines()[0].contains("sqlprd-") && s.lines()[2].contains("Instance"),
            "still the page of an instance after {keys}: {}",
            s.text()
        );
        assert!(s.lines()[0].contains("LIVE"), "after {keys}: {}", s.lines()[0]);
    }
}

#[test]
fn why_there_is_nothing_is_said_in_the_charts() {
    let mut s = Stage::new(fixture::small(), 120, 40);
    s.keys("enter w");
    for request in s.asked() {
        let why = "the store is being checked".to_owned();
        s.reply(Reply::NoHistory { ticket: request.ticket(), why });
    }
    assert!(s.text().contains("the store is being checked"), "{}", s.text());
}

#[test]
fn many_instances_say_that_one_is_needed() {
    let mut s = Stage::new(fixture::small(), 120, 40);
    s.keys("3 w");
    assert!(s.text().contains("earlier times are drawn of one instance"), "{}", s.text());
    s.keys("s w");
    assert_eq!(answer(&mut s), (1, 1));
    assert!(s.text().contains("last 1 hour"), "{}", s.text());
}

#[test]
fn in_the_past_charts_end_there() {
    let mut s = Stage::new(fixture::small(), 120, 40);
    s.keys("enter t 02:14 enter");
    super::arrive(&mut s);
    s.keys("w");
    let query = s.asked().into_iter().find_map(|r| match r {
        HistoryRequest::Ask { query: Query::Chart(query), .. } => Some(query),
        _ => None,
    });
    let after = query.map(|q| q.to - super::THEN);
    assert!(after.is_some_and(|ms| (0..=15_000).contains(&ms)), "{after:?}");
}

#[test]
fn charts_at_four_sizes() {
    let mut all = String::new();
    for (w, h) in [(40, 10), (80, 24), (120, 40), (200, 60)] {
        let mut s = day(w, h);
        s.keys("c");
        answer(&mut s);
        let _ = writeln!(all, "{w}x{h} instance\n{}\n", s.text());
        s.keys("3 w w w w w");
        answer(&mut s);
        s.keys(&", ".repeat(28));
        let _ = writeln!(all, "{w}x{h} waits\n{}\n", s.text());
    }
    insta::assert_snapshot!("charts", all);
}

/// The page of an instance with this answer of history about how it was reachable.
fn reached(s: &mut Stage, facts: impl FnOnce(Timestamp) -> Facts) {
    let asked = s.asked().into_iter().find_map(|r| match r {
        HistoryRequest::Ask { ticket, query: Query::Reach { to, .. } } => Some((ticket, to)),
        _ => None,
    });
    let (ticket, to) = asked.unwrap();
    s.reply(Reply::Answer { ticket, answer: Answer::Reach(facts(to)) });
}

#[test]
fn an_instance_that_is_down_never_says_a_hundred_percent() {
    let mut s = Stage::new(fixture::small(), 120, 40);
    s.keys("/ sqlrep-001 enter enter");
    // History has no event: the outage is older than it keeps, or younger than the answer.
    reached(&mut s, |to| {
        let known = Span { from: to.plus_ms(-8 * 24 * HOUR_MS), to: to.plus_ms(180_000) };
        Facts { known: Some(known), polled: vec![known], ..Facts::default() }
    });
    let text = s.text();
    assert!(text.contains("reached   99.9") && text.contains("down since "), "{text}");
    assert!(!text.contains("100 %"), "{text}");
}

#[test]
fn what_is_known_of_the_last_day_alone_is_said_once() {
    let line = |known_ms: i64| {
        let mut s = Stage::new(fixture::small(), 120, 40);
        s.keys("enter");
        reached(&mut s, |to| {
            let known = Span { from: to.plus_ms(-known_ms), to };
            Facts { known: Some(known), polled: vec![known], ..Facts::default() }
        });
        let lines = s.lines();
        let line = lines.iter().find(|line| line.contains("reached   ")).unwrap();
        line.split("reached   ").nth(1).unwrap().trim_end().to_owned()
    };
    // The question is of the last whole minute; it answered a poll ten seconds after that.
    assert_eq!(line(0), "100 % of the 10s known");
    assert_eq!(line(24_000), "100 % of the 34s known");
    assert_eq!(line(HOUR_MS * 30), "100 % of the 1d06h that are known of 7 d · 100 % of 24 h");
}

#[test]
fn what_is_polled_after_the_answer_counts_at_once() {
    let mut s = Stage::new(fixture::small(), 120, 40);
    s.keys("enter");
    reached(&mut s, |to| {
        let known = Span { from: to.plus_ms(-1_000), to };
        Facts { known: Some(known), polled: vec![known], ..Facts::default() }
    });
    let line = |s: &mut Stage| s.lines().into_iter().find(|line| line.contains("reached   ")).unwrap();
    assert!(line(&mut s).contains("100 % of the 11s known"), "{}", line(&mut s));
    let mut newer = fixture::small_at(NOW.plus_ms(40_000));
    for i in &mut newer.instances {
        std::sync::Arc::make_mut(i).facts.last_good_at = Some(NOW.plus_ms(39_000));
    }
    s.wait_ms(40_000).ingest(newer);
    assert!(line(&mut s).contains("100 % of the 51s known"), "{}", line(&mut s));
}

#[test]
fn an_instance_says_how_long_it_was_reachable_and_how_much_of_that_is_known() {
    let mut s = Stage::new(fixture::small(), 120, 40);
    s.keys("enter");
    assert!(!s.text().contains("reached   "), "nothing is said before history has answered: {}", s.text());
    let asked = s.asked().into_iter().find_map(|r| match r {
        HistoryRequest::Ask { ticket, query: Query::Reach { instance, from, to } } => {
            Some((ticket, instance, from, to))
        }
        _ => None,
    });
    let (ticket, instance, from, to) = asked.unwrap();
    assert_eq!((instance.as_str(), to - from), ("sqlprd-014", 7 * 24 * HOUR_MS));
    let outage = Outage { at: to.plus_ms(-HOUR_MS), to: Some(to.plus_ms(-HOUR_MS + 192_000)) };
    let known = Some(Span { from: to.plus_ms(-36 * HOUR_MS), to });
    let polled = known.into_iter().collect();
    let facts = Facts { known, polled, gaps: Vec::new(), outages: vec![outage] };
    s.reply(Reply::Answer { ticket, answer: Answer::Reach(facts) });
    let text = s.text();
    assert!(
        text.contains("reached   99.85 % of the 1d12h that are known of 7 d · 99.77 % of 24 h"),
        "{text}"
    );
    assert!(text.contains("last outage 13:02:00, 3m12s"), "{text}");
}
