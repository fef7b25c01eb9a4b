//! From the start of the demo to the operator that makes a query slow: five keys at most. Then the plan as a file, written by the
//! program that has a fleet.

use super::{key, until_pane};
use crate::harness::{Home, screen::Screen};
use std::time::{Duration, Instant};

/// The demo's regression begins after 40 s, and is told with the next poll.
const NEWS_WITHIN: Duration = Duration::from_mins(3);

/// The row that the hardware cursor stands on.
fn under_cursor(s: &Screen) -> String {
    let (row, _) = s.look().cursor_position();
    s.text().lines().nth(row.into()).unwrap_or_default().to_owned()
}

#[test]
fn from_the_fleet_to_the_guilty_operator_of_the_demos_regression() {
    let home = Home::new();
    let mut s = Screen::start(&["--demo=4"], 140, 40, &home);
    s.until("the fleet", |t| t.contains("4 instances") && t.contains("sqlprd-001"));
    let mut keys = 0;
    let mut press = |s: &mut Screen, bytes: &[u8]| {
        keys += 1;
        assert!(keys <= 5, "more than five keys: {}", s.text());
        s.keys(bytes);
    };
    // To the queries of the whole fleet. A query whose plan changed is marked while that is news.
    press(&mut s, b"5");
    until_pane(&mut s, "Queries");
    let is_news = |t: &str| t.lines().skip(4).any(|line| line.contains('▲'));
    let came = s.wait(Instant::now(), NEWS_WITHIN, is_news);
    assert!(came.is_some(), "no plan changed: {}", s.text());
    // To the next problem: that query, or first the one of an instance that is not ok.
    while !under_cursor(&s).contains('▲') {
        press(&mut s, b"n");
        s.run_for(Duration::from_millis(500));
    }
    assert!(under_cursor(&s).contains("FETCH NEXT") || under_cursor(&s).contains("SELECT"), "{}", s.text());
    // Its plan, asked of the server. It opens at the operator that costs most.
    press(&mut s, b"P");
    s.until("the plan", |t| t.contains("OPERATOR") && t.contains("Clustered Index Scan"));
    let text = s.text();
    let guilty = under_cursor(&s);
    assert!(
        guilty.contains("Clustered Index Scan") && guilty.contains('┃'),
        "on the hot path: {guilty}\n{text}"
    );
    assert!(
        text.contains("P02") && text.contains("last actual"),
        "with what is wrong, and how long it took: {text}"
    );
    // Beside the plan of before.
    s.keys(b"=");
    s.until("both plans", |t| t.contains("Two plans"));
    s.keys(key::ESC);
    s.until("one plan", |t| t.contains("OPERATOR") && !t.contains("Two plans"));
    s.keys(b"e");
    s.until("its name", |t| t.contains(".sqlplan"));
    s.keys(key::ENTER);
    s.until("that it is written", |t| t.contains("plan written to"));
    let names = crate::harness::names(&home.path());
    let file = names.iter().find(|name| name.ends_with(".sqlplan")).expect("the file");
    let written = std::fs::read_to_string(home.path().join(file)).expect("it can be read");
    assert!(written.starts_with("<ShowPlanXML") && written.contains("ActualRows"), "{written}");
    s.keys(b"\x03\x03");
    assert_eq!(s.ended(), 0);
}
