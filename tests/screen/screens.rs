//! Every view of every pane at four sizes in six states; and none panics, whatever the size, data and keys.
//!
//! One snapshot file a view and state, the sizes one below the other. `INSTA_UPDATE=always cargo test --test screen screens`
//! takes new ones: look at them before you commit them.

use crate::{fixture, lists, stage::Stage, views};
use dbtop::model::fold::snapshot::FleetSnapshot;
use proptest::prelude::*;
use std::fmt::Write as _;

const SIZES: [(u16, u16); 4] = [(40, 10), (80, 24), (120, 40), (200, 60)];

/// A state of the fleet, and whether it is one of the past.
struct State {
    name: &'static str,
    fleet: FleetSnapshot,
    is_past: bool,
}

fn states() -> Vec<State> {
    let live = |name, fleet| State { name, fleet, is_past: false };
    vec![
        live("empty", fixture::empty()),
        live("small", fixture::small()),
        live("500", fixture::large(500)),
        live("errors", fixture::errors(24)),
        live("no_right", fixture::no_right(6)),
        State { name: "past", fleet: fixture::small(), is_past: true },
    ]
}

/// Answers as history and an open inventory would.
fn answer(stage: &mut Stage) {
    for request in stage.asked() {
        if let Some(reply) = fixture::past::answer(&request) {
            stage.reply(reply);
        }
    }
}

/// A screen with a view on it, when all that it asked for has come.
fn shown(of: &State, keys: &str, w: u16, h: u16) -> String {
    let mut stage = Stage::new(of.fleet.clone(), w, h);
    if of.is_past {
        stage.keys("t 02:14 enter");
        answer(&mut stage);
    }
    stage.keys(keys);
    stage.text();
    if of.name == "small" {
        lists::answer(&mut stage);
    }
    stage.text()
}

#[test]
fn every_view_of_every_pane_at_every_size_in_every_state() {
    let views = views::all(|| Stage::new(fixture::small(), 120, 40));
    for state in states() {
        for view in &views {
            // Without instances all views of a pane say the same; what has no past is refused or the same there.
            if (state.name == "empty" && !view.is_first()) || (state.is_past && !view.has_past()) {
                continue;
            }
            let mut all = String::new();
            for (w, h) in SIZES {
                let _ = writeln!(all, "{w}x{h}\n{}\n", shown(&state, &view.keys, w, h));
            }
            insta::assert_snapshot!(format!("{}_{}", view.name, state.name), all);
        }
    }
    // None is lost: a pane with views has them, and each view is called by a title of its own.
    let of = |name: &str| views.iter().filter(|view| view.name.split('_').next() == Some(name)).count();
    for (pane, least) in [("queries", 6), ("storage", 4), ("querystore", 5), ("activity", 5), ("fleet", 2)] {
        assert!(of(pane) >= least, "{pane}: {}", of(pane));
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
    for keys in views::all(|| Stage::new(fixture::small(), 120, 40)).iter().map(|view| view.keys.as_str()) {
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
        Just(fixture::no_right(3)),
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
