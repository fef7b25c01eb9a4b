//! House rules over the text of files: module docs, paths of one machine, loose ends, documents.

use crate::project::{assert_none, files, line_of, read};

#[test]
fn every_file_says_what_it_is_for() {
    let offences: Vec<String> = files("src", ".rs")
        .into_iter()
        .chain(files("tests", ".rs"))
        .filter(|file| !file.text.trim_start().starts_with("//!"))
        .map(|file| {
            format!("{}:1: open with `//!` lines: what it owns, who calls it, what it must not do", file.path)
        })
        .collect();
    assert_none("module docs", &offences);
}

#[test]
fn a_todo_has_a_reason() {
    let marks = ["TO", "FIX", "XX"].map(|start| match start {
        "TO" => format!("{start}DO"),
        "FIX" => format!("{start}ME"),
        _ => format!("{start}X "),
    });
    let mut offences = Vec::new();
    for folder in ["src", "tests", "tsql", "docs", "themes", ".ci"] {
        for file in files(folder, "") {
            for mark in &marks {
                for (at, _) in file.text.match_indices(mark.as_str()) {
                    if !file.text[at + mark.len()..].starts_with("(#") {
                        let line = line_of(&file.text, at);
                        offences.push(format!(
                            "{}:{line}: do it, or name its issue: `{mark}(#12): why`",
                            file.path
                        ));
                    }
                }
            }
        }
    }
    assert_none("no loose ends without a reason", &offences);
}

/// True if the file's name has this extension.
fn ends_in(file: &str, extension: &str) -> bool {
    std::path::Path::new(file).extension().is_some_and(|found| found == extension)
}

#[test]
fn no_file_knows_one_machine() {
    // Spelled in two halves, so that this file does not offend itself.
    let paths = [("/wo", "rk/"), ("/ro", "ot/"), ("/ho", "me/"), ("/Us", "ers/"), ("C:\\Us", "ers\\")]
        .map(|(a, b)| format!("{a}{b}"));
    let mut offences = Vec::new();
    for file in files("", "") {
        if ends_in(&file.path, "lock") {
            continue;
        }
        for path in &paths {
            for (at, _) in file.text.match_indices(path.as_str()) {
                let line = line_of(&file.text, at);
                offences.push(format!("{}:{line}: `{path}` is a path of one machine", file.path));
            }
        }
    }
    assert_none("nothing of one machine in the project", &offences);
}

#[test]
fn the_top_level_is_what_it_says() {
    const VISIBLE: &[&str] = &[
        "Cargo.lock",
        "Cargo.toml",
        "LICENSE-APACHE",
        "LICENSE-MIT",
        "README.md",
        "config.example.toml",
        "docs",
        "src",
        "target",
        "tests",
        "themes",
        "tsql",
    ];
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    let offences: Vec<String> = std::fs::read_dir(root)
        .into_iter()
        .flatten()
        .flatten()
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .filter(|name| !name.starts_with('.') && !VISIBLE.contains(&name.as_str()))
        .filter(|name| !name.starts_with("proptest") && !ends_in(name, "log"))
        .map(|name| {
            format!(
                "{name}: the top level has a fixed set of entries; docs go to docs/, the rest below tests/"
            )
        })
        .collect();
    assert_none("the top level", &offences);
}

#[test]
fn every_built_in_theme_is_there_and_embedded() {
    let Some(theme) = read("src/tui/theme.rs") else { return };
    let themes = files("themes", ".toml");
    let mut offences = Vec::new();
    for name in ["dark", "light", "high-contrast", "ansi16", "mono"] {
        if !themes.iter().any(|file| file.path == format!("themes/{name}.toml")) {
            offences.push(format!("themes/{name}.toml is missing"));
        }
    }
    for file in &themes {
        if !theme.contains(&format!("include_str!(\"../../{}\")", file.path)) {
            offences.push(format!("{}: src/tui/theme.rs does not embed it", file.path));
        }
    }
    assert_none("the built-in themes", &offences);
}

#[test]
fn the_keys_are_documented() {
    let Some(keymap) = read("src/tui/keymap.rs") else { return };
    let mut offences = Vec::new();
    if read("docs/keys.md").is_none() {
        offences.push("docs/keys.md is missing: run `cargo run -- keys > docs/keys.md`".to_owned());
    }
    if !keymap.contains("docs/keys.md") {
        offences.push("src/tui/keymap.rs: no test compares docs/keys.md with the key table".to_owned());
    }
    assert_none("docs/keys.md is made from the key table", &offences);
}

#[test]
fn the_readme_names_the_test_command_that_ci_runs() {
    let (Some(readme), Some(ci)) = (read("README.md"), read(".ci/run")) else { return };
    let mut offences = Vec::new();
    for (name, text) in [("README.md", readme), (".ci/run", ci)] {
        if !text.contains("cargo test") {
            offences.push(format!("{name}: it must say `cargo test`"));
        }
    }
    assert_none("what the README promises is what CI runs", &offences);
}
