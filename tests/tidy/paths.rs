//! What CONTRIBUTING names is there: each `file::item` of its paths, each file of its recipes.

use crate::project::{assert_none, read};

const KINDS: [&str; 9] = ["fn", "struct", "enum", "trait", "const", "static", "type", "mod", "macro_rules!"];

/// The texts between single backticks, with the number of their line.
fn quoted(text: &str) -> Vec<(usize, &str)> {
    let mut found = Vec::new();
    for (n, line) in text.lines().enumerate() {
        found.extend(line.split('`').skip(1).step_by(2).map(|word| (n + 1, word)));
    }
    found
}

/// True if the source has an item of this name.
fn defines(source: &str, item: &str) -> bool {
    let ends = |rest: &str| !rest.starts_with(|c: char| c.is_alphanumeric() || c == '_');
    KINDS.iter().any(|kind| {
        let definition = format!("{kind} {item}");
        source.match_indices(&definition).any(|(at, _)| ends(&source[at + definition.len()..]))
    })
}

#[test]
fn the_paths_of_contributing_lead_somewhere() {
    let guide = read("docs/CONTRIBUTING.md").unwrap_or_default();
    let mut offences = Vec::new();
    let mut steps = 0;
    for (line, word) in quoted(&guide) {
        let Some((file, item)) = word.split_once("::").filter(|(file, _)| file.strip_suffix(".rs").is_some())
        else {
            continue;
        };
        steps += 1;
        match read(file) {
            None => offences.push(format!("docs/CONTRIBUTING.md:{line}: there is no {file}")),
            Some(source) if !defines(&source, item) => {
                offences
                    .push(format!("docs/CONTRIBUTING.md:{line}: {file} has no {item}: name where it is now"));
            }
            Some(_) => {}
        }
    }
    if steps < 15 {
        offences.push(format!(
            "docs/CONTRIBUTING.md: three paths of `file::item` are missing, {steps} steps are there"
        ));
    }
    assert_none("the paths of CONTRIBUTING", &offences);
}

#[test]
fn the_files_that_contributing_names_are_there() {
    let guide = read("docs/CONTRIBUTING.md").unwrap_or_default();
    let is_file = |word: &str| {
        let starts = ["src/", "tests/", "tsql/"].iter().any(|folder| word.starts_with(folder));
        starts && !word.contains([' ', '*', '{', ':']) && !word.contains("NAME") && !word.ends_with('/')
    };
    let missing = |word: &str| !std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join(word).exists();
    let offences: Vec<String> = quoted(&guide)
        .into_iter()
        .filter(|(_, word)| is_file(word) && missing(word))
        .map(|(line, word)| format!("docs/CONTRIBUTING.md:{line}: there is no {word}"))
        .collect();
    assert_none("the files of CONTRIBUTING", &offences);
}

#[test]
fn an_item_is_found_by_its_whole_name() {
    let source = "pub(super) fn decode_all() {}\nstatic PROBE: u8 = 0;\nfn decode<T>() {}";
    assert!(defines(source, "decode") && defines(source, "PROBE") && !defines(source, "PRO"));
    assert!(!defines("fn decode_all() {}", "decode") && !defines("a decode of", "decode"));
}
