//! Looking back: comparisons, bookmarks, incidents, own cost.

use super::{THEN, arrive, small};
use crate::{
    fixture::{self, NOW, past},
    stage::Stage,
};
use dbtop::{
    model::{fold::snapshot::FleetSnapshot, judge::health::Health},
    protocol::{HistoryRequest, Reply},
};
use std::sync::Arc;

/// The fleet when it was calm: every instance like sqlprd-001.
fn calm() -> FleetSnapshot {
    let mut fleet = fixture::small();
    let model = Arc::clone(&fleet.instances[4]);
    for i in &mut fleet.instances {
        let mut quiet = (**i).clone();
        quiet.facts = model.facts.clone();
        quiet.health = Health { score: Some(98), ..model.health.clone() };
        *i = Arc::new(quiet);
    }
    fleet
}

fn answer(s: &mut Stage) -> usize {
    let asked = s.asked();
    asked.iter().filter_map(past::answer).for_each(|reply| s.app.reply(reply));
    asked.len()
}

#[test]
fn what_changed_since_another_time_is_told_the_heaviest_first() {
    let mut s = small();
    s.keys("=");
    assert!(s.lines().pop().unwrap().contains("compare with:"), "{}", s.text());
    s.keys("-1d enter");
    let asked = s.asked().into_iter().find_map(|r| match r {
        HistoryRequest::Compare { ticket, at, instances } => Some((ticket, at, instances.len())),
        _ => None,
    });
    let (ticket, at, n) = asked.unwrap();
    assert_eq!((at, n), (NOW.plus_ms(-86_400_000), 8));
    s.reply(Reply::Compared { ticket, snapshot: Arc::new(calm()) });
    let text = s.text();
    assert!(text.contains("What changed from 2026-11-19 14:02:11 UTC to 2026-11-20 14:02:11 UTC"), "{text}");
    let line = |words: &str| {
        text.lines().position(|l| l.contains(words)).unwrap_or_else(|| panic!("no {words}: {text}"))
    };
    let critical = line("sqlprd-014       ▲ ok 98 → critical 21: 14 sessions blocked");
    let wait = line("new wait LCK_M_S 39.80 s/s");
    assert!(critical < wait, "{text}");
    assert!(text.contains("0 → 14 sessions blocked, head 88"), "{text}");
    s.keys("esc");
    assert!(!s.text().contains("What changed"), "{}", s.text());
}

/// A comparison with yesterday, answered.
fn compared(width: u16, height: u16, theme: &str) -> Stage {
    let mut s = Stage::with_theme(fixture::small(), width, height, theme);
    s.keys("= -1d enter");
    let ticket = s.asked().into_iter().find_map(|r| match r {
        HistoryRequest::Compare { ticket, .. } => Some(ticket),
        _ => None,
    });
    s.reply(Reply::Compared { ticket: ticket.unwrap(), snapshot: Arc::new(calm()) });
    s
}

#[test]
fn a_change_leads_to_the_pane_that_shows_it() {
    let mut s = compared(120, 40, "dark");
    assert!(s.selected().contains("sqlprd-014"), "{}", s.text());
    s.keys("enter");
    assert!(s.lines()[0].contains("› sqlprd-014") && s.lines()[2].contains("Instance"), "{}", s.text());
    let mut s = compared(120, 40, "dark");
    s.keys("/ LCK_M_S enter");
    assert!(s.selected().contains("new wait LCK_M_S"), "{}", s.text());
    s.keys("enter");
    assert!(s.lines()[0].contains("› sqlprd-014") && s.lines()[2].contains("Waits"), "{}", s.text());
    let mut s = compared(120, 40, "dark");
    assert!(s.keys("/ qqqq enter").text().contains("nothing found for \"qqqq\""), "{}", s.text());
}

#[test]
fn the_place_in_the_list_is_not_drawn_over_the_times() {
    for theme in ["dark", "mono"] {
        let mut s = compared(80, 24, theme);
        let head = s.lines().remove(2);
        assert!(
            head.contains(" from 2026-11-19 14:02:11 UTC to 2026-11-20 14:02:11 UTC "),
            "{theme}: {head}"
        );
        assert!(head.contains(" 1–") && head.contains(" of "), "{theme}: {head}");
    }
}

#[test]
fn one_instance_is_compared_with_its_own_past() {
    let mut s = small();
    s.keys("enter t 02:14 enter");
    arrive(&mut s);
    s.keys("= now enter");
    let asked = s.asked().into_iter().find_map(|r| match r {
        HistoryRequest::Compare { ticket, at, instances } => Some((ticket, at, instances)),
        _ => None,
    });
    let (ticket, at, ids) = asked.unwrap();
    assert_eq!((at, ids.len()), (NOW, 1));
    s.reply(Reply::Compared { ticket, snapshot: Arc::new(calm()) });
    let text = s.text();
    assert!(text.contains("What changed from 2026-11-20 02:14:00 UTC to 2026-11-20 14:02:11 UTC"), "{text}");
    assert!(text.contains("▽ critical 21 → ok 98"), "later it is better: {text}");
    s.reply(Reply::Compared { ticket, snapshot: Arc::new(calm()) });
    s.keys("esc");
    assert!(!s.text().contains("What changed"), "a second answer is dropped: {}", s.text());
}

#[test]
fn two_marked_instances_are_compared_at_once() {
    let mut s = small();
    s.keys("space down down down space =");
    let text = s.text();
    assert!(text.contains("What is different: sqlprd-014 → sqlprd-001"), "{text}");
    assert!(text.contains("CPU 97 %"), "{text}");
    assert_eq!(s.asked().iter().filter(|r| matches!(r, HistoryRequest::Compare { .. })).count(), 0);
}

#[test]
fn history_that_cannot_compare_says_why() {
    let mut s = small();
    s.keys("= -1d enter");
    let ticket = s.asked().iter().find_map(HistoryRequest::ticket);
    s.reply(Reply::NoHistory { ticket, why: "nothing is kept of that time".to_owned() });
    assert!(s.text().contains("nothing is kept of that time"), "{}", s.text());
}

#[test]
fn a_bookmark_has_a_note_and_is_jumped_to() {
    let mut s = small();
    s.keys("enter t 02:14 enter");
    arrive(&mut s);
    s.keys("B");
    assert!(s.lines().pop().unwrap().contains("a note for 2026-11-20 02:14:00"), "{}", s.text());
    s.keys("deploy enter");
    let asked = s.asked();
    let set = asked.iter().any(|r| {
        matches!(r, HistoryRequest::Bookmark { at, note, instances } if *at == THEN && note == "deploy" && instances.len() == 1)
    });
    assert!(set, "at the instant on the screen");
    asked.iter().filter_map(past::answer).for_each(|reply| s.app.reply(reply));
    assert!(s.text().contains("bookmark set: deploy"), "{}", s.text());
    s.keys("T '");
    assert!(s.text().contains("asking history…"), "{}", s.text());
    assert_eq!(answer(&mut s), 1, "the bookmarks, and nothing else");
}

#[test]
fn the_list_of_bookmarks_leads_to_their_instants() {
    let mut s = small();
    s.keys("'");
    answer(&mut s);
    let text = s.text();
    assert!(text.contains("2026-11-20 12:00:00 UTC  2h02m ago   sqlprd-014  deployed 4.2"), "{text}");
    assert!(
        !text.contains("sessions blocked by 88, 312 s lost"),
        "events of other kinds are not listed: {text}"
    );
    let listed = |s: &mut Stage| s.lines().iter().filter(|line| line.contains(" ago ")).count();
    let all = listed(&mut s);
    s.keys("/").keys("deployed");
    assert!(listed(&mut s) == 1 && s.text().contains("deployed 4.2"), "{}", s.text());
    s.keys("xyz enter");
    assert!(s.text().contains("nothing found: Esc shows all again") && listed(&mut s) == 0, "{}", s.text());
    s.keys("esc");
    assert_eq!(listed(&mut s), all, "the first Esc takes the search away\n{}", s.text());
    s.keys("/").keys("DEPLOYED enter enter");
    assert_eq!(arrive(&mut s), NOW.plus_ms(-7_331_000));
    s.keys("'");
    for request in s.asked() {
        s.reply(Reply::NoHistory { ticket: request.ticket(), why: "the store is damaged".to_owned() });
    }
    assert!(s.text().contains("the store is damaged"), "{}", s.text());
}

#[test]
fn the_flight_recorder_keeps_what_is_meant() {
    let mut s = small();
    // In the fleet, and on a row of any other pane.
    for pane in ["1", "4"] {
        s.keys(pane).keys("F");
        let kept = s
            .asked()
            .into_iter()
            .find_map(|r| if let HistoryRequest::Freeze(ids) = r { Some(ids) } else { None });
        assert_eq!(kept.map(|ids| ids[0].to_string()).as_deref(), Some("sqlprd-014"), "{}", s.text());
    }
}

#[test]
fn own_cost_is_ranked_by_instance_and_by_probe() {
    let mut s = small();
    s.keys(":").keys("cost enter");
    let text = s.text();
    assert!(text.contains("Own cost over the fleet") && text.contains("sqlprd-021"), "{text}");
    assert!(text.contains("headline"), "{text}");
    insta::assert_snapshot!("cost", text);
}

#[test]
fn a_second_answer_fills_in_what_the_first_left_out() {
    let mut s = small();
    s.keys("t 02:14 enter");
    let ticket = s.asked().iter().find_map(HistoryRequest::ticket).unwrap();
    let mut first = fixture::small_at(THEN);
    first.instances.truncate(2);
    s.reply(super::past(ticket, THEN, first));
    assert!(s.text().contains("2 instances"), "{}", s.text());
    s.reply(super::past(ticket, THEN, fixture::small_at(THEN)));
    assert!(s.text().contains("8 instances") && s.text().contains("PAST"), "{}", s.text());
    s.keys("T");
    s.reply(super::past(ticket, THEN, fixture::small_at(THEN)));
    assert!(s.text().contains("▶ LIVE"), "{}", s.text());
}
