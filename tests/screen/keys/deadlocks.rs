//! From the pane of deadlocks to their pictures and files.

use super::small;
use crate::{fixture, stage::Stage};
use dbtop::protocol::{Effect, InventoryRequest};

#[test]
fn enter_draws_the_newest_one_and_another_key_the_older_ones_of_its_pattern() {
    let mut s = small();
    s.keys(": deadlocks enter");
    assert!(s.selected().contains("key lookup") && s.selected().contains("≥41"), "{}", s.text());
    s.keys("enter");
    let text = s.text();
    assert!(text.contains("╭▶") && text.contains("deadlock 1 of 3"), "{text}");
    assert!(text.contains("2026-11-20 14:00:54") && text.contains("×41 since 2026-11-20 00:00:54"), "{text}");
    s.keys("=");
    assert!(s.text().contains("deadlock 2 of 3") && s.text().contains("2026-11-20 13:39:54"), "{}", s.text());
    s.app.take_effects();
    s.keys("e enter");
    let asked = |effect| if let Effect::Inventory(request) = effect { Some(*request) } else { None };
    let written = s.app.take_effects().into_iter().filter_map(asked).find_map(|request| match request {
        InventoryRequest::WriteFile { text, .. } => Some(text),
        _ => None,
    });
    let written = written.unwrap_or_else(|| panic!("{}", s.text()));
    assert!(written.starts_with("<deadlock>") && written.ends_with("</deadlock>"), "SSMS opens graphs alone");
    s.keys("esc esc");
    assert!(s.selected().contains("key lookup"), "back on its row: {}", s.text());
    s.keys("d");
    assert!(
        s.text().contains("session 62 (report, WEB-03)") && s.text().contains("and 29 before"),
        "{}",
        s.text()
    );
}

#[test]
fn what_is_not_known_is_said_in_the_pane() {
    let mut s = Stage::new(fixture::errors(3), 120, 40);
    s.keys(": deadlocks enter");
    assert!(s.text().contains("Which deadlocks there were"), "{}", s.text());
    let mut s = small();
    s.keys(": deadlocks enter / nobody enter");
    assert!(s.text().contains("No deadlock matches the filter."), "{}", s.text());
}
