//! From the pane of deadlocks to their pictures and files.

use super::small;
use crate::{fixture, stage::Stage};
use dbtop::{
    model::{
        base::failure::{Failure, FailureKind},
        fold::snapshot::FleetSnapshot,
        poll::{
            Facts,
            properties::{AZURE_DATABASE, MANAGED_INSTANCE},
            reading::{Reading, Unavailable},
        },
    },
    protocol::{Effect, InventoryRequest},
};
use std::sync::Arc;

/// The small fleet with other facts on each instance.
fn with(change: impl Fn(&mut Facts)) -> FleetSnapshot {
    let mut fleet = fixture::small();
    fleet.instances.iter_mut().for_each(|i| change(&mut Arc::make_mut(i).facts));
    fleet
}

fn withheld(problem: &Unavailable, engine_edition: i32) -> Stage {
    let fleet = with(|facts| {
        facts.deadlocks = Reading { problem: Some(problem.clone()), ..Reading::default() };
        let properties = facts.properties.value.get_or_insert_default();
        Arc::make_mut(properties).engine_edition = Some(engine_edition);
    });
    let mut s = Stage::new(fleet, 160, 40);
    s.keys(": deadlocks enter");
    s
}

#[test]
fn enter_draws_the_newest_one_and_another_key_the_older_ones_of_its_pattern() {
    let mut s = small();
    s.keys(": deadlocks enter");
    assert!(s.selected().contains("key lookup") && s.selected().contains("≥41"), "{}", s.text());
    s.keys("enter");
    let text = s.text();
    assert!(text.contains("╭▶") && text.contains("deadlock 1 of 3"), "{text}");
    assert!(text.contains("2026-11-20 14:00:54") && text.contains("×41 since 2026-11-20 00:00:54"), "{text}");
    let footer = text.trim_end().lines().next_back().unwrap_or_default().to_owned();
    // A key for the next ring is offered where there is one.
    assert!(footer.contains("next") && footer.contains("cycle") == text.contains("cycle 1 of "), "{text}");
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

#[test]
fn where_nothing_records_deadlocks_a_key_shows_a_script_that_fits_the_server() {
    for (edition, words) in
        [(3, "ON SERVER"), (MANAGED_INSTANCE, "package0.ring_buffer"), (AZURE_DATABASE, "ON DATABASE")]
    {
        let mut s = withheld(&Unavailable::Missing("running session that records deadlocks".into()), edition);
        s.keys("S");
        assert!(s.text().contains("s leads to one"), "the script depends on the server: {}", s.text());
        s.keys("/ esc esc");
        let mut s = withheld(&Unavailable::Missing("running session that records deadlocks".into()), edition);
        s.keys("1 enter : deadlocks enter");
        let text = s.text();
        assert!(
            text.contains("no running session that records deadlocks") && text.contains("S shows a script"),
            "{text}"
        );
        s.keys("S");
        assert!(s.text().contains("CREATE EVENT SESSION") && s.text().contains(words), "{}", s.text());
        s.app.take_effects();
        s.keys("y");
        let copied = s.app.take_copies().pop().unwrap_or_default();
        assert!(copied.starts_with("-- ") && copied.contains(words), "all of it, and nothing else: {copied}");
    }
}

#[test]
fn a_reading_that_failed_says_why_and_when_it_is_made_again() {
    let text = "the log file name is invalid; asked again after 1m";
    let failed = Unavailable::Failed(Failure::new(FailureKind::Server, text));
    let mut s = withheld(&failed, 3);
    s.keys("1 enter : deadlocks enter");
    assert!(s.text().contains(text), "{}", s.text());
    // What was known stays, and the same is said above it.
    let fleet = with(|facts| facts.deadlocks.problem = Some(failed.clone()));
    let mut s = Stage::new(fleet, 160, 40);
    s.keys("/ sqlprd-014 enter enter : deadlocks enter");
    assert!(s.text().contains(text) && s.text().contains("key lookup"), "{}", s.text());
}
