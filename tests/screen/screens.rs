//! Every pane at four sizes in four states; and none panics, whatever the size, data and keys.
//!
//! One snapshot file a pane and state, the sizes one below the other. `INSTA_UPDATE=always cargo test --test screen screens`
//! takes new ones: look at them before you commit them.

use crate::{fixture, stage::Stage};
use dbtop::model::fold::snapshot::FleetSnapshot;
use proptest::prelude::*;
use std::fmt::Write as _;

const SIZES: [(u16, u16); 4] = [(40, 10), (80, 24), (120, 40), (200, 60)];

/// Keys that lead to each pane from the start.
const PANES: [(&str, &str); 21] = [
    ("fleet", ""),
    ("instance", "enter"),
    ("activity", "2"),
    ("waits", "3"),
    ("blocking", "4"),
    ("deadlocks", ": deadlocks enter"),
    ("queries", "5"),
    ("modules", ": modules enter"),
    ("query_store", ": querystore enter"),
    ("regressed", ": querystore enter b"),
    ("stores", ": querystore enter b b b b"),
    ("storage", "6"),
    ("volumes", "6 b b"),
    ("growths", "6 b b b"),
    ("memory", ": memory enter"),
    ("tempdb", ": tempdb enter"),
    ("txlog", ": txlog enter"),
    ("grants", ": grants enter"),
    ("databases", ": databases enter"),
    ("groups", ": groups enter"),
    ("labels", ": labels enter"),
];

fn states() -> [(&'static str, FleetSnapshot); 4] {
    [
        ("empty", fixture::empty()),
        ("small", fixture::small()),
        ("500", fixture::large(500)),
        ("errors", fixture::errors(24)),
    ]
}

#[test]
fn every_pane_at_every_size_in_every_state() {
    for (state, snapshot) in states() {
        for (pane, keys) in PANES {
            let mut all = String::new();
            for (w, h) in SIZES {
                let text = Stage::new(snapshot.clone(), w, h).keys(keys).text();
                let _ = writeln!(all, "{w}x{h}\n{text}\n");
            }
            insta::assert_snapshot!(format!("{pane}_{state}"), all);
        }
    }
}

#[test]
fn layers_over_a_pane() {
    let stage = |keys: &str| Stage::new(fixture::small(), 80, 24).keys(keys).text();
    insta::assert_snapshot!("heat_map", Stage::new(fixture::large(500), 120, 40).keys("v").text());
    insta::assert_snapshot!("details", stage("2 down enter"));
    insta::assert_snapshot!(
        "details_wide",
        Stage::new(fixture::small(), 160, 45).keys("2 down enter").text()
    );
    insta::assert_snapshot!("why", stage("d"));
    insta::assert_snapshot!("help", stage("4 ?"));
    insta::assert_snapshot!("palette", stage(": wai"));
    insta::assert_snapshot!("filter", stage("/ cpu>20"));
    insta::assert_snapshot!("filter_mistake", stage("/ cpuu>20"));
    insta::assert_snapshot!("jump", stage("ctrl-g 01"));
    insta::assert_snapshot!("overlay", stage("f12"));
    insta::assert_snapshot!("grouped", stage("2 b b"));
    insta::assert_snapshot!("narrowed", stage("down enter 2"));
}

#[test]
fn nothing_of_a_server_that_was_never_reached_is_verified() {
    let text = Stage::new(fixture::errors(5), 130, 45).keys("d").text();
    assert!(text.contains("once it is reached"), "{text}");
    let reached = Stage::new(fixture::small(), 130, 45).keys("d").text();
    assert!(!reached.contains("once it is reached"), "{reached}");
}

#[test]
fn before_any_data_the_screen_says_so() {
    let text = Stage::new(FleetSnapshot::default(), 80, 24).text();
    assert!(text.contains("Connecting to the fleet"), "{text}");
    assert!(!text.contains("No instances yet"), "{text}");
}

#[test]
fn a_tiny_terminal_is_told_its_size() {
    let text = Stage::new(fixture::small(), 39, 9).text().replace('\n', "");
    assert!(text.contains("terminal too small: 39×9"), "{text}");
}

#[test]
fn no_colour_theme_sends_no_colour() {
    use ratatui::style::Color;
    for (_, keys) in PANES {
        let mut stage = Stage::with_theme(fixture::small(), 120, 40, "mono");
        let buf = stage.keys(keys).buffer();
        for cell in buf.content() {
            assert!(matches!((cell.fg, cell.bg), (Color::Reset, Color::Reset)), "{keys}: {cell:?}");
        }
    }
}

fn any_state() -> impl Strategy<Value = FleetSnapshot> {
    prop_oneof![
        Just(fixture::empty()),
        Just(fixture::small()),
        Just(fixture::large(60)),
        Just(fixture::errors(9)),
        Just(FleetSnapshot::default()),
        Just(fixture::snapshot(vec![fixture::hostile(fixture::NOW)], fixture::NOW)),
    ]
}

fn any_key() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec![
        "1",
        "2",
        "3",
        "4",
        "5",
        "6",
        "enter",
        "esc",
        "-",
        "tab",
        "shift-tab",
        "/",
        "n",
        "N",
        ":",
        "ctrl-g",
        "ctrl-z",
        "p",
        "r",
        "?",
        "f12",
        "q",
        "up",
        "down",
        "pgup",
        "pgdn",
        "home",
        "end",
        "left",
        "right",
        "space",
        "ctrl-space",
        "<",
        ">",
        "o",
        "y",
        "d",
        "v",
        "f",
        "w",
        "g",
        "s",
        "i",
        "m",
        "b",
        "x",
        "backspace",
        "ctrl-u",
        "a",
        "t",
        "[",
        "]",
        "{",
        "T",
        "02:14",
    ])
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 150, ..ProptestConfig::default() })]

    #[test]
    fn any_size_any_data_any_keys(
        first in any_state(), second in any_state(), w in 1_u16..230, h in 1_u16..70,
        tiny in any::<bool>(), keys in prop::collection::vec(any_key(), 0..25), theme in 0_usize..5,
    ) {
        let (w, h) = if tiny { (w % 44 + 1, h % 14 + 1) } else { (w, h) };
        let name = dbtop::tui::theme::BUILT_IN[theme].0;
        let mut stage = Stage::with_theme(first, w, h, name);
        for (n, key) in keys.iter().enumerate() {
            stage.keys(key);
            if n % 3 == 0 {
                for line in stage.lines() {
                    prop_assert!(!line.chars().any(|c| c.is_control() || c == '\u{202e}'), "{line:?}");
                }
            }
            if n == 12 {
                stage.ingest(second.clone()).wait_ms(7_000);
            }
        }
        stage.lines();
    }
}
