//! Time travel from the user's side: type, answer as history would, then read the screen.

use crate::{
    fixture::{self, NOW},
    stage::Stage,
};
use dbtop::{
    model::{
        base::time::Timestamp,
        fold::{snapshot::FleetSnapshot, stats::CollectorStats},
    },
    protocol::{Effect, HistoryRequest, Reply, StoreNow},
};
use std::{fmt::Write as _, sync::Arc};

mod charts;
mod gone;
mod kept;
mod period;
mod review;
mod zone;

/// 02:14 of the day of the fixtures.
const THEN: Timestamp = Timestamp::from_ms(1_795_183_331_000 - 42_491_000);

fn small() -> Stage {
    Stage::new(fixture::small(), 120, 40)
}

/// The instants that were asked for, with their tickets.
fn instants(s: &mut Stage) -> Vec<(u64, Timestamp)> {
    let at = |r| if let HistoryRequest::At { ticket, at } = r { Some((ticket, at)) } else { None };
    s.asked().into_iter().filter_map(at).collect()
}

fn past(ticket: u64, at: Timestamp, snapshot: FleetSnapshot) -> Reply {
    let oldest = NOW.plus_ms(-7 * 86_400_000);
    Reply::Past { ticket, snapshot: Arc::new(snapshot), at, oldest, newest: NOW, damaged: Vec::new() }
}

/// Answers the open question as history would.
fn arrive(s: &mut Stage) -> Timestamp {
    // No question: nothing has ticket 0, and the screen stays what it was.
    let (ticket, at) = instants(s).pop().unwrap_or_default();
    s.reply(past(ticket, at, fixture::small_at(at)));
    at
}

/// A screen at 02:14.
fn at_night() -> Stage {
    let mut s = small();
    s.keys("t 02:14 enter");
    assert_eq!(arrive(&mut s), THEN);
    s
}

#[test]
fn a_time_is_typed_and_every_pane_shows_that_instant() {
    let mut s = small();
    s.keys("t");
    let foot = s.lines().pop().unwrap();
    assert!(foot.contains("go to time:") && foot.contains("yesterday 14:00"), "{foot}");
    s.keys("02:14");
    let foot = s.lines().pop().unwrap();
    assert!(foot.contains("2026-11-20 02:14:00 UTC, 11h48m ago"), "{foot}");
    s.keys("enter");
    let head = s.lines().remove(0);
    assert!(head.contains("LIVE") && head.contains("→ 02:14:00…"), "it says where it is going: {head}");
    s.keys("down");
    assert!(s.selected().contains("sqlprd-003"), "no key waits for the answer");
    arrive(&mut s);
    for keys in ["", "2", "3", "4", "1 home enter"] {
        let head = s.keys(keys).lines().remove(0);
        assert!(head.contains("◀ PAST 2026-11-20 02:14:00 UTC, 11h48m ago"), "{keys}: {head}");
        assert!(!head.contains("LIVE"), "{keys}: {head}");
    }
}

#[test]
fn the_bar_is_there_in_every_theme_and_at_every_width() {
    for (name, _) in dbtop::tui::theme::BUILT_IN {
        for (w, h) in [(40, 10), (80, 24), (120, 40), (200, 60)] {
            let mut s = Stage::with_theme(fixture::small(), w, h, name);
            s.keys("t 02:14 enter");
            arrive(&mut s);
            let head = s.lines().remove(0);
            assert!(head.contains("PAST ") && head.contains("11-20 02:14"), "{name} {w}: {head}");
            // Age and zone have room from 80 columns on.
            assert!(w < 80 || head.contains("02:14:00 UTC, 11h48m ago"), "{name} {w}: {head}");
            let buf = s.buffer();
            let first = (buf[(0, 0)].bg, buf[(0, 0)].modifier);
            assert!((0..w).all(|x| (buf[(x, 0)].bg, buf[(x, 0)].modifier) == first), "{name} {w}: one bar");
            assert_ne!(first, (buf[(0, h - 2)].bg, buf[(0, h - 2)].modifier), "{name} {w}: it stands out");
        }
    }
}

#[test]
fn damage_is_said_at_every_width_and_for_as_long_as_that_instant_is_shown() {
    let arrive = |s: &mut Stage, damaged: &[&str]| {
        let (ticket, at) = instants(s).pop().unwrap();
        let mut reply = past(ticket, at, fixture::small_at(at));
        if let Reply::Past { damaged: told, .. } = &mut reply {
            told.extend(damaged.iter().map(ToString::to_string));
        }
        s.reply(reply);
    };
    let (one, two) = (["15 min of sqlprd-001"], ["15 min of sqlprd-001", "a reading of sqlprd-014"]);
    for (w, h, damaged, words) in [
        (40, 10, &one[..], " damaged"),
        (80, 24, &one, " damaged: 15 min of sqlprd-001"),
        (80, 24, &two, " damaged: 15 min of sqlprd-001 and 1 more"),
        (120, 40, &two, " damaged: 15 min of sqlprd-001 and 1 more"),
        (160, 40, &two, "and 1 more, `dbtop store check` says all"),
    ] {
        let mut s = Stage::new(fixture::small(), w, h);
        s.keys("t 02:14 enter");
        arrive(&mut s, damaged);
        for keys in ["", "4", "1"] {
            let text = s.keys(keys).text();
            assert!(text.lines().nth(1).unwrap().contains(words), "{w} {keys}: {text}");
        }
        s.keys("[");
        arrive(&mut s, &[]);
        assert!(s.text().contains("PAST") && !s.text().contains("damaged"), "{}", s.text());
        s.keys("]");
        arrive(&mut s, damaged);
        assert!(s.text().contains("damaged"), "{}", s.text());
        assert!(!s.keys("T").text().contains("damaged"), "{}", s.text());
    }
}

#[test]
fn a_mistake_is_said_beside_the_line_and_keeps_it_open() {
    let mut s = small();
    s.keys("t 25:00 enter");
    assert!(s.lines().pop().unwrap().contains("there is no 25:00"), "{}", s.text());
    s.keys("ctrl-u enter");
    assert!(s.lines().pop().unwrap().contains("type a time"), "{}", s.text());
    s.keys("-1h enter");
    assert_eq!(instants(&mut s).len(), 1);
    s.keys(":").keys("at").keys("space").keys("soonish enter");
    assert!(s.text().contains("'soonish' is no time"), "{}", s.text());
}

#[test]
fn a_time_before_history_says_so() {
    let mut s = small();
    s.keys("t 2026-11-12 enter");
    arrive(&mut s);
    let text = s.text();
    assert!(
        text.contains("history begins 2026-11-13 14:02:11 UTC: nothing is kept of the time before"),
        "{text}"
    );
    assert!(
        text.contains("sqlprd-014") && !text.contains("not polled yet"),
        "no empty fleet is shown\n{text}"
    );
    assert_eq!(
        arrive(&mut s),
        NOW.plus_ms(10_000 - 7 * 86_400_000),
        "at its very beginning nothing was polled"
    );
    assert!(s.text().contains("PAST 2026-11-13 14:02:21"), "{}", s.text());
}

#[test]
fn live_data_goes_on_coming_and_is_shown_again_at_once() {
    let mut s = at_night();
    let before = s.text();
    let mut newer = fixture::small();
    newer.instances.truncate(3);
    newer.version = 9;
    s.wait_ms(4_000).ingest(newer);
    assert_eq!(s.text(), before, "the past does not move");
    s.keys("T");
    let text = s.text();
    assert!(text.contains("▶ LIVE") && text.contains("14:02:15"), "{text}");
    assert!(text.contains("3 instances"), "{text}");
}

#[test]
fn ages_are_told_by_the_instant_on_the_screen() {
    // The same fleet seen three hours later is stale all over.
    let mut s = small();
    s.keys("t 11:00 enter");
    let (ticket, at) = instants(&mut s).pop().unwrap();
    s.reply(past(ticket, at, fixture::small_at(at)));
    let fresh = s.keys("1").text();
    s.keys("T");
    s.keys("t 14:00 enter");
    let (ticket, later) = instants(&mut s).pop().unwrap();
    s.reply(past(ticket, later, fixture::small_at(at)));
    let stale = s.text();
    let ages = |text: &str| text.lines().filter(|l| l.ends_with("  3h")).count();
    assert_eq!((ages(&fresh), ages(&stale)), (0, 8), "{fresh}\n{stale}");
}

#[test]
fn late_answers_are_dropped() {
    let mut s = small();
    s.keys("t 02:14 enter");
    let (ticket, at) = instants(&mut s).pop().unwrap();
    s.keys("T");
    s.reply(past(ticket, at, fixture::small_at(at)));
    assert!(s.text().contains("▶ LIVE"), "it was called off: {}", s.text());
    s.keys("t 03:00 enter");
    s.reply(past(ticket, at, fixture::small_at(at)));
    assert!(s.text().contains("▶ LIVE"), "the answer to another question: {}", s.text());
    arrive(&mut s);
    assert!(s.text().contains("PAST 2026-11-20 03:00:00"), "{}", s.text());
}

#[test]
fn steps_are_whole_minutes_and_the_last_one_wins() {
    let mut s = small();
    s.keys("[");
    assert!(s.text().contains("steps of 1m:"), "{}", s.text());
    let (ticket, at) = instants(&mut s).pop().unwrap();
    assert_eq!(at, NOW.plus_ms(-11_000), "14:02:00: first the full minute");
    s.wait_ms(1_000).keys("[").wait_ms(1_000).keys("[");
    assert_eq!(instants(&mut s), [], "one question at a time");
    s.reply(past(ticket, at, fixture::small_at(at)));
    let (ticket, at) = instants(&mut s).pop().unwrap();
    assert_eq!(at, NOW.plus_ms(-131_000), "14:00:00");
    s.reply(past(ticket, at, fixture::small_at(at)));
    assert!(s.text().contains("PAST 2026-11-20 14:00:00"), "{}", s.text());
    s.keys("{");
    assert_eq!(arrive(&mut s), NOW.plus_ms(-131_000 - 3_600_000));
    s.keys("}");
    arrive(&mut s);
    s.wait_ms(1_000).keys("]");
    assert_eq!(arrive(&mut s), NOW.plus_ms(-71_000));
    s.keys("}");
    assert!(s.text().contains("▶ LIVE"), "beyond now it is live: {}", s.text());
    s.keys("]");
    assert!(s.text().contains("this is live"), "{}", s.text());
}

#[test]
fn a_held_key_takes_longer_steps_and_history_has_a_beginning() {
    let mut s = at_night();
    for _ in 0..11 {
        s.wait_ms(100).keys("[");
    }
    assert!(s.text().contains("steps of 5m:"), "{}", s.text());
    assert_eq!(arrive(&mut s), THEN.plus_ms(-60_000));
    let mut s = small();
    s.keys(":").keys("at").keys("space").keys("-1w enter");
    arrive(&mut s);
    s.keys("{");
    assert!(s.text().contains("history begins here: 2026-11-13 14:02:11"), "{}", s.text());
    assert_eq!(instants(&mut s), []);
}

#[test]
fn nothing_is_polled_or_changed_in_the_past() {
    let mut s = small();
    s.keys("down enter");
    s.app.take_effects();
    s.keys("t 02:14 enter");
    let mut effects = s.app.take_effects();
    let Some(Effect::History(request)) = effects.pop() else { panic!("a question") };
    let HistoryRequest::At { ticket, at } = *request else { panic!("about time") };
    s.reply(past(ticket, at, fixture::small_at(at)));
    let focused = |e: &Effect| matches!(e, Effect::Focus(ids) if ids.is_empty());
    assert!(s.app.take_effects().iter().any(focused), "nothing is polled fast any more");
    for key in ["r", "+", "i"] {
        s.keys("1").keys(key);
        assert!(s.text().contains("nothing is polled or changed here"), "{key}: {}", s.text());
    }
    s.keys(": backup enter");
    assert!(s.text().contains("nothing is polled or changed here"), "{}", s.text());
    assert!(s.app.take_effects().iter().all(|e| !matches!(e, Effect::Refresh(_) | Effect::Inventory(_))));
    s.keys("T");
    let again = |e: &Effect| matches!(e, Effect::Focus(ids) if ids.len() == 1);
    assert!(s.app.take_effects().iter().any(again), "live again, it is polled fast again");
}

#[test]
fn without_history_it_stays_where_it_is_and_says_why() {
    let mut s = small();
    s.keys("t 02:14 enter");
    let (ticket, _) = instants(&mut s).pop().unwrap();
    s.reply(Reply::NoHistory { ticket: Some(ticket), why: "history begins 2026-11-20 13:00".to_owned() });
    let text = s.text();
    assert!(text.contains("▶ LIVE") && text.contains("history begins 2026-11-20 13:00"), "{text}");
    assert!(!text.contains("→ 02:14"), "{text}");
    s.keys("t 02:14 enter").wait_ms(16_000);
    assert!(s.text().contains("history did not answer"), "{}", s.text());
}

#[test]
fn what_is_read_stays_open_on_the_way_through_time() {
    let mut s = small();
    s.keys("4 enter");
    assert!(s.text().contains("session 88"), "{}", s.text());
    s.keys("[");
    arrive(&mut s);
    let text = s.text();
    assert!(text.contains("session 88") && text.contains("PAST"), "{text}");
}

#[test]
fn who_polls_is_said_if_it_is_another_process() {
    let mut s = small();
    s.reply(Reply::Collector(Some("attached · collector pid 4711, 500/500".to_owned())));
    assert!(s.text().contains("attached · collector pid 4711, 500/500"), "{}", s.text());
    s.reply(Reply::Collector(None));
    assert!(!s.text().contains("attached"), "{}", s.text());
}

#[test]
fn that_history_is_not_kept_is_said_for_as_long_as_it_lasts() {
    let mut s = small();
    s.reply(Reply::Store(Some("disk full")));
    s.wait_ms(60_000);
    assert!(s.text().contains("HISTORY NOT KEPT: disk full"), "{}", s.text());
    s.keys("t 02:14 enter");
    arrive(&mut s);
    assert!(s.text().contains("NO HISTORY") && s.text().contains("PAST"), "{}", s.text());
    s.reply(Reply::Store(None));
    assert!(!s.text().contains("HISTORY"), "{}", s.text());
}

#[test]
fn the_overlay_tells_what_the_store_does_now_wherever_the_screen_is() {
    let mut s = Stage::new(fixture::small(), 120, 40);
    let row = |s: &mut Stage, name: &str| {
        let line = s.lines().into_iter().find(|line| line.contains(&format!("│ {name}")));
        line.map(|line| line.split('│').nth(1).unwrap_or_default().trim().to_owned()).unwrap_or_default()
    };
    s.keys("f12");
    assert!(
        s.asked().iter().any(|r| matches!(r, HistoryRequest::Growth)),
        "it is counted when somebody looks"
    );
    assert_eq!(row(&mut s, "store"), "store             no figures");
    let now = StoreNow {
        rows_per_s: 412.0,
        points_per_s: 31_400.0,
        committed_at: Some(NOW.plus_ms(-3_000)),
        backlog: 12_345,
        lost: 7,
        size_bytes: 5 << 30,
        max_bytes: 20 << 30,
    };
    s.reply(Reply::Stored(Some(now)));
    assert_eq!(row(&mut s, "store"), "store             412 rows/s, 31k points/s");
    assert_eq!(row(&mut s, "last commit"), "last commit       3s ago, 12k waiting");
    assert_eq!(row(&mut s, "readings lost"), "readings lost     7");
    assert_eq!(row(&mut s, "file"), "file              5.0 GB of 20 GB");
    assert_eq!(row(&mut s, "full in"), "full in           not known yet");
    s.reply(Reply::Growth(Some(64 << 20)));
    assert_eq!(row(&mut s, "full in"), "full in           240 days as it grows");
    // The figures are those of now, also while the past is on the screen.
    let process = row(&mut s, "process");
    s.keys("t 02:14 enter");
    let (ticket, at) = instants(&mut s).pop().unwrap();
    let then = FleetSnapshot { collector: CollectorStats::default(), ..fixture::small_at(at) };
    s.reply(past(ticket, at, then)).ingest(fixture::small());
    assert!(s.text().contains("PAST"), "{}", s.text());
    assert_eq!(row(&mut s, "process"), process);
    s.reply(Reply::Stored(Some(StoreNow { backlog: 0, ..now })));
    assert_eq!(row(&mut s, "last commit"), "last commit       3s ago, 0 waiting");
}

#[test]
fn the_past_at_four_sizes() {
    let mut all = String::new();
    for (w, h) in [(40, 10), (80, 24), (120, 40), (200, 60)] {
        let mut s = Stage::new(fixture::small(), w, h);
        s.keys("t 02:14 enter");
        arrive(&mut s);
        let _ = writeln!(all, "{w}x{h}\n{}\n", s.text());
        s.keys("t fri");
        let _ = writeln!(all, "{w}x{h} asked for a time\n{}\n", s.lines().pop().unwrap());
    }
    insta::assert_snapshot!("past", all);
}
