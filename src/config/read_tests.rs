//! Tests of reading files and variables, and of every error in them.

use super::{super::load, *};

fn env(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    pairs.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect()
}

#[test]
fn the_example_file_is_the_defaults() {
    let text = include_str!("../../config.example.toml");
    let example: Config = toml::from_str(text).unwrap();
    assert_eq!(example, Config::default());
    // and it names every option
    let named: Table = text.parse().unwrap();
    let all = Table::try_from(Config::default()).unwrap();
    for (section, options) in &all {
        for option in options.as_table().unwrap().keys() {
            assert!(
                named[section].get(option).is_some(),
                "[{section}] {option} is not in config.example.toml"
            );
        }
    }
}

#[test]
fn environment_beats_file_beats_default() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("c.toml");
    std::fs::write(&file, "[ui]\ntheme = \"light\"\n[poll]\nfleet_s = 45\n").unwrap();
    let c = load(Some(&file), env(&[("DBTOP_UI_THEME", "mono"), ("DBTOP_HEALTH_CPU_WARNING_PCT", "70")]))
        .unwrap();
    assert_eq!((c.ui.theme.as_str(), c.poll.fleet_s, c.poll.focused_s), ("mono", 45, 2));
    assert!((c.health.cpu_warning_pct - 70.0).abs() < f64::EPSILON);
}

#[test]
fn errors_name_their_place() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("c.toml");
    std::fs::write(&file, "[ui]\n\ntheem = \"light\"\n").unwrap();
    let e = load(Some(&file), env(&[])).unwrap_err().to_string();
    assert!(
        e.contains("c.toml") && e.contains("line 3") && e.contains("theem") && e.contains("theme"),
        "{e}"
    );
    let e = load(None, env(&[("DBTOP_POLL_FLEET_S", "soon")])).unwrap_err().to_string();
    assert!(e.contains("DBTOP_POLL_FLEET_S"), "{e}");
    let e = load(None, env(&[("DBTOP_POLL_FOCUSED_S", "1")])).unwrap_err().to_string();
    assert!(e.contains("focused_s = 1") && e.contains("2 to 3600"), "{e}");
    let e = load(None, env(&[("DBTOP_HEALTH_CPU_WARNING_PCT", "99")])).unwrap_err().to_string();
    assert!(e.contains("DBTOP_HEALTH_CPU_WARNING_PCT") && e.contains("cpu_warning_pct = 99"), "{e}");
    let e = load(None, env(&[("DBTOP_VAULT_LOCK_AFTER_MIN", "1441")])).unwrap_err().to_string();
    assert!(e.contains("[vault] lock_after_min = 1441") && e.contains("0 to 1440"), "{e}");
    std::fs::write(&file, "[ui]\nmouse = true\n[poll]\n\n\"fleet_s\" = 5\n").unwrap();
    let e = load(Some(&file), env(&[])).unwrap_err().to_string();
    assert!(e.contains("c.toml: line 5: [poll] fleet_s = 5") && e.contains("30 to 3600"), "{e}");
    // the environment beats the file, so it is the one to blame
    let e = load(Some(&file), env(&[("DBTOP_POLL_FLEET_S", "6")])).unwrap_err().to_string();
    assert!(e.starts_with("DBTOP_POLL_FLEET_S: [poll] fleet_s = 6"), "{e}");
}

/// Reads a text as the file `c.toml`.
fn read_text(text: &str) -> Read {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("c.toml");
    std::fs::write(&file, text).unwrap();
    read(Some(&file), env(&[]))
}

/// Line, option and words of each error.
fn errors(text: &str) -> Vec<(usize, String, String)> {
    let told = |m: Invalid| match m.at {
        Origin::File { line, .. } => (line.unwrap_or(0), m.option, format!("{}; {}", m.problem, m.advice)),
        other => panic!("{other}"),
    };
    read_text(text).errors.into_iter().map(told).collect()
}

#[test]
fn all_errors_of_a_file_are_named_in_its_order() {
    let found = errors(
        "[ui]\ntheem = \"light\"\nmouse = \"yes\"\n\n[pol]\nfleet_s = 60\n\n[log]\nlevel = \"wran\"\n\n[poll]\nfleet_s = 29\nfocused_s = -1\n",
    );
    let expected = [
        (2, "ui.theem", "did you mean `theme`?"),
        (3, "ui.mouse", "\"yes\" is not true or false"),
        (5, "pol", "did you mean `poll`?"),
        (9, "log.level", "did you mean \"warn\"?"),
        (12, "poll.fleet_s", "not within 30 to 3600"),
        (13, "poll.focused_s", "-1 is below 0"),
    ];
    assert_eq!(found.len(), expected.len(), "{found:#?}");
    for ((line, option, words), (at, name, said)) in found.iter().zip(expected) {
        assert_eq!((*line, option.as_str()), (at, name), "{found:#?}");
        assert!(words.contains(said), "{words}");
    }
}

#[test]
fn an_option_in_the_wrong_place_is_told_its_home() {
    for (text, said) in [
        ("fleet_s = 60\n", "below the line [poll]"),
        ("[ui]\nfleet_s = 60\n", "below the line [poll]"),
        ("ui = 3\n", "`ui` is a section"),
        ("[[ui]]\n", "`ui` is a section"),
        ("[colour]\n", "budget, collect, health, history, log, "),
        ("[ui]\ncolour = 3\n", "glyphs, low_bandwidth, mouse, plain, theme"),
    ] {
        let found = errors(text);
        assert!(found.len() == 1 && found[0].2.contains(said), "{text}: {found:?}");
    }
}

#[test]
fn what_is_no_toml_is_told_by_line_and_brings_no_other_errors() {
    let found = errors("[ui\nfleet_s = 60\n[poll]\nfleet_s = = 3\n");
    let lines: Vec<usize> = found.iter().map(|(line, ..)| *line).collect();
    assert_eq!(lines, [1, 4], "{found:?}");
    assert_eq!(errors("[ui]\nmouse = true\nmouse = false\n")[0].0, 3, "a key twice");
    assert_eq!(errors("[poll]\nfleet_s = 99999999999999999999\n")[0].1, "poll.fleet_s");
}

#[test]
fn an_error_keeps_the_other_options_and_the_origin_of_each_is_known() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("c.toml");
    std::fs::write(&file, "[poll]\nfleet_s = 60\nslow_s = true\n[ui]\nmouse = true\n").unwrap();
    let read = read(Some(&file), env(&[("DBTOP_UI_MOUSE", "0"), ("DBTOP_HOME", "x"), ("HOME", "y")]));
    assert_eq!((read.config.poll.fleet_s, read.config.poll.slow_s, read.config.ui.mouse), (60, 900, false));
    assert_eq!(read.origins["poll.fleet_s"], Origin::File { path: file, line: Some(2) });
    assert_eq!(read.origins["ui.mouse"], Origin::Variable("DBTOP_UI_MOUSE".into()));
    assert_eq!(read.origins.len(), 2, "{:?}", read.origins);
    assert_eq!(read.errors.len(), 1);
}

#[test]
fn every_option_can_be_set_by_its_variable() {
    for (section, values) in &options() {
        for (option, value) in values.as_table().unwrap() {
            let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            let read = read(None, env(&[(&variable(section, option), &text)]));
            assert_eq!(read.errors, [], "{section}.{option}");
            assert_eq!(read.origins.len(), 1, "{section}.{option}");
        }
    }
}

#[test]
fn yes_and_no_in_the_environment_are_what_they_say() {
    for (text, meant) in [("true", true), ("1", true), ("false", false), ("0", false)] {
        let config = load(None, env(&[("DBTOP_UI_MOUSE", text), ("DBTOP_UI_LOW_BANDWIDTH", text)])).unwrap();
        assert_eq!((config.ui.mouse, config.ui.low_bandwidth), (meant, meant), "{text}");
    }
    for text in ["yes", "TRUE", "on", "2", ""] {
        let e = load(None, env(&[("DBTOP_UI_MOUSE", text)])).unwrap_err().to_string();
        assert!(e.contains("DBTOP_UI_MOUSE"), "{text:?}: {e}");
    }
}

proptest::proptest! {
    #[test]
    fn no_text_is_too_strange(text in "([a-z_]{1,8}|ui|poll|fleet_s|theme|[\\[\\]={}.,\"'\\\\#0-9-]|\n| |é|\u{0})*") {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("c.toml");
        std::fs::write(&file, &text).unwrap();
        let read = read(Some(&file), env(&[("DBTOP_UI_THEME", &text)]));
        let lines = text.matches('\n').count() + 1;
        for error in &read.errors {
            let words = error.to_string();
            assert!(!words.chars().any(char::is_control), "{words:?}");
            if let Origin::File { line: Some(line), .. } = error.at {
                assert!((1..=lines).contains(&line), "{words}");
            }
        }
        assert_eq!(load(Some(&file), env(&[("DBTOP_UI_THEME", &text)])).is_ok(), read.errors.is_empty());
    }
}
