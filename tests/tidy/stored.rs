//! Rules for what is written to files: every serialized type says how it stands there, and what a released version wrote keeps
//! its place. `tests/fixture/released/VERSION/layout.txt` has the fields of each type in their order, as that version had them.
//! A type is known by its path, since two may have one name; [`PLACES`] says where the types are today that the first release
//! named alone, and what was renamed or moved since a release that named paths.

use crate::project::{File, assert_none, files, line_of, production};
use std::collections::BTreeMap;

/// What a type in MessagePack says of itself.
const BY_POSITION: &str =
    "/// In files by position: fields are only appended, each with a default; variants keep their names.";
/// What a type in JSON or TOML says of itself, and one that is nothing but a name.
const BY_NAME: &str =
    "/// In files by name: fields and variants keep their names, a new field has a default.";

/// Where the types of released layouts are today: the module, and their released names; `Name=Today` was renamed.
const PLACES: &[(&str, &str)] = &[
    ("model::base::failure", "Failure FailureKind"),
    ("model::judge::health", "Health Level Reason=StoredReason Topic"),
    ("model::poll", "State"),
    ("model::poll::activity", "Activity Grant Request SessionCounts"),
    ("model::poll::availability", "ReplicaRow"),
    ("model::poll::blocking", "BlockNode Blocking Chain"),
    ("model::poll::cost", "CostNow Slowed"),
    ("model::poll::cpu", "CpuNow"),
    ("model::poll::databases", "DatabaseRow"),
    ("model::poll::headline", "Headline"),
    ("model::poll::id::probe", "ProbeId"),
    ("model::poll::jobs", "FailedJobRow"),
    ("model::poll::link", "Link"),
    ("model::poll::memory", "MemoryNow"),
    ("model::poll::properties", "Platform Properties ServerOption"),
    ("model::poll::reading", "Unavailable"),
    ("model::poll::resource", "Resource ResourceTarget"),
    ("model::poll::rights", "Right Rights"),
    ("model::poll::statement", "Statement TextId"),
    ("model::poll::volumes", "VolumeRow"),
    ("model::poll::wait_class", "WaitCategory"),
    ("model::poll::waits", "CategoryRate WaitRate WaitTable"),
    ("model::timeline::record", "Happened=Recorded"),
    ("store::history::codec::pack", "Portrait Words"),
    ("store::history::event", "Body Episode"),
];

/// The path of a part of a released layout today: `Link::Down` to `model::poll::link::Link::Down`. One that no place names is
/// a path itself.
fn today(released: &str) -> String {
    let places = PLACES.iter().flat_map(|(module, names)| names.split(' ').map(move |name| (module, name)));
    for (module, name) in places {
        let (old, new) = name.split_once('=').unwrap_or((name, name));
        let rest = released.strip_prefix(old);
        if let Some(rest) = rest.filter(|rest| rest.is_empty() || rest.starts_with("::")) {
            return format!("{module}::{new}{rest}");
        }
    }
    released.to_owned()
}

/// The path of the module that a file is: `src/model/poll/mod.rs` is `model::poll`.
fn module_path(file: &str) -> String {
    let path = file.strip_prefix("src/").unwrap_or(file).trim_end_matches(".rs");
    path.strip_suffix("/mod").unwrap_or(path).replace('/', "::")
}

/// A struct, or one variant of an enum: its fields in their order, and whether a file may lack each.
type Fields = Vec<(String, bool)>;

/// A serialized type: where it stands, its doc comments and attributes, its parts by path (`model::poll::link::Link::Down`).
struct Type {
    place: String,
    head: Vec<String>,
    parts: Vec<(String, Fields)>,
}

/// The types of `file` that are both written to files and read back.
fn types(file: &File) -> Vec<Type> {
    let lines: Vec<&str> = file.text.lines().collect();
    let is_head = |line: &str| line.starts_with("///") || line.starts_with("#[");
    let mut found = Vec::new();
    for (at, line) in lines.iter().enumerate() {
        if !line.starts_with("#[derive(") || !line.contains("Serialize, Deserialize") {
            continue;
        }
        let first = (0..at).rev().take_while(|n| is_head(lines[*n])).last().unwrap_or(at);
        let Some(opens) = (at..lines.len()).find(|n| !is_head(lines[*n])) else { continue };
        let head: Vec<String> = lines[first..opens].iter().map(|line| (*line).to_owned()).collect();
        let mut words = lines[opens].split_whitespace().filter(|word| !word.starts_with("pub"));
        let (kind, name) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
        let name = name.trim_end_matches(|c: char| !c.is_alphanumeric());
        let name = name.split(['(', '<']).next().unwrap_or(name);
        let name = format!("{}::{name}", module_path(&file.path));
        let body = lines[opens + 1..].iter().take_while(|line| !line.starts_with('}')).copied();
        let body: Vec<&str> = if lines[opens].ends_with('{') { body.collect() } else { Vec::new() };
        let all_default = head.iter().any(|line| line.starts_with("#[serde(") && line.contains("default"));
        let parts = match kind {
            "enum" => variants(&name, &body),
            _ => vec![(name, fields(&body, 4, all_default))],
        };
        found.push(Type { place: format!("{}:{}", file.path, opens + 1), head, parts });
    }
    found
}

/// The named fields that stand `indent` deep.
fn fields(body: &[&str], indent: usize, all_default: bool) -> Fields {
    let mut has_default = all_default;
    let mut found = Vec::new();
    for line in body.iter().filter_map(|line| line.get(indent..)) {
        if line.starts_with("#[serde(") && line.contains("default") {
            has_default = true;
        } else if let Some((name, _)) = line.split_once(": ")
            && !line.starts_with([' ', '/', '#'])
        {
            let name = name.rsplit(' ').next().unwrap_or(name);
            found.push((name.to_owned(), has_default));
            has_default = all_default;
        }
    }
    found
}

/// The variants of an enum; one without named fields has none.
fn variants(of: &str, body: &[&str]) -> Vec<(String, Fields)> {
    let starts = |line: &&str| line.starts_with("    ") && line[4..].starts_with(char::is_uppercase);
    let mut found = Vec::new();
    for (at, line) in body.iter().enumerate().filter(|(_, line)| starts(line)) {
        let name = line.trim().split(|c: char| !c.is_alphanumeric()).next().unwrap_or_default();
        let inside = body[at + 1..].iter().take_while(|line| !line.starts_with("    }"));
        let inner: Vec<&str> = if line.ends_with('{') { inside.copied().collect() } else { Vec::new() };
        found.push((format!("{of}::{name}"), fields(&inner, 8, false)));
    }
    found
}

/// The types that are made of the rows of `probes!`: the ids of the probes, and their states.
fn of_probes(files: &[(File, String)]) -> Vec<Type> {
    let text = |path: &str| files.iter().find(|(file, _)| file.path == path).map(|(file, _)| &*file.text);
    let list = "src/model/poll/mod.rs";
    let rows = text(list).and_then(|text| text.split_once("$make! {")?.1.split_once("\n        }\n"));
    let rows: Vec<&str> = rows.map_or_else(Vec::new, |(rows, _)| rows.lines().map(str::trim).collect());
    let name =
        |words: &str| words.split(|c: char| !c.is_alphanumeric()).next().unwrap_or_default().to_owned();
    let probes = rows.iter().filter_map(|row| Some(name(row.split_once(' ')?.1)));
    let states = rows.iter().filter_map(|row| Some(name(row.split_once("=> ")?.1)));
    let made = |of: &str, file: &str, parts: Vec<String>| {
        let says = |line: &&str| [BY_POSITION, BY_NAME].contains(line);
        let head = text(file).and_then(|text| text.lines().map(str::trim).find(says)).map(str::to_owned);
        let parts = parts.into_iter().filter(|part| !part.is_empty());
        let of_module = module_path(file);
        let parts = parts.map(|part| (format!("{of_module}::{of}::{part}"), Fields::new())).collect();
        Type { place: format!("{file}: {of}"), head: head.into_iter().collect(), parts }
    };
    vec![
        made("ProbeId", "src/model/poll/id/probe.rs", probes.collect()),
        made("State", list, states.collect()),
    ]
}

/// All serialized types of what is stored.
fn stored() -> Vec<Type> {
    let owns = |file: &File| matches!(file.module(), Some("model" | "store" | "vault"));
    let all = production();
    let mut found: Vec<Type> =
        all.iter().map(|(file, _)| file).filter(|file| owns(file)).flat_map(types).collect();
    found.extend(of_probes(&all));
    found
}

#[test]
fn every_stored_type_says_how_it_stands_in_files() {
    let mut offences = Vec::new();
    for found in stored() {
        // What is written as something else, whole, has no layout of its own.
        let is_other = |line: &String| line.contains("serde(transparent") || line.contains("serde(from");
        let says = |line: &String| line == BY_POSITION || line == BY_NAME;
        if !found.head.iter().any(is_other) && !found.head.iter().any(says) {
            offences
                .push(format!("{}: say how it is written:\n    {BY_POSITION}\n    {BY_NAME}", found.place));
        }
    }
    assert_none("stored types say so", &offences);
}

#[test]
fn what_was_released_keeps_its_place() {
    // By name, the order of fields is free.
    let by_name = |found: &Type| found.head.iter().any(|line| line == BY_NAME) && found.parts.len() == 1;
    let now = by_path(stored().into_iter().filter(|found| !by_name(found)));
    let mut offences = Vec::new();
    let layouts = files("tests/fixture/released", "layout.txt");
    assert!(!layouts.is_empty(), "no released layout is there to compare with");
    for layout in layouts {
        offences.extend(moved(&layout, &now));
    }
    assert_none("released types only grow at their end", &offences);
}

#[test]
fn a_number_in_a_file_is_no_position_in_a_list() {
    let mut offences = Vec::new();
    for (file, code) in production() {
        // One statement may go over several lines.
        for statement in code.split(';').filter(|statement| statement.contains("::ALL")) {
            if statement.contains(".position(") {
                let line = line_of(&code, statement.as_ptr() as usize - code.as_ptr() as usize);
                offences.push(format!(
                    "{}:{line}: `ALL` is an order and may change: give the type numbers (`model::code`)",
                    file.path
                ));
            }
        }
    }
    assert_none("numbers in files are given out, not counted", &offences);
}

/// The parts of these types by path, each with the place of its type.
fn by_path(types: impl Iterator<Item = Type>) -> BTreeMap<String, (String, Fields)> {
    types
        .flat_map(|found| {
            found.parts.into_iter().map(move |(path, fields)| (path, (found.place.clone(), fields)))
        })
        .collect()
}

/// The same, of files.
fn parts(files: &[File]) -> BTreeMap<String, (String, Fields)> {
    by_path(files.iter().flat_map(types))
}

/// What is not any more where a released version had it.
fn moved(layout: &File, now: &BTreeMap<String, (String, Fields)>) -> Vec<String> {
    let mut offences = Vec::new();
    for line in layout.text.lines().filter(|line| !line.starts_with('#')) {
        let (name, released) = line.split_once(' ').unwrap_or((line, ""));
        let Some((place, fields)) = now.get(&today(name)) else {
            offences.push(format!(
                "{}: `{name}` is gone: files that have it cannot be read any more",
                layout.path
            ));
            continue;
        };
        let released: Vec<&str> = released.split_whitespace().collect();
        let same = fields.iter().zip(&released).all(|((name, _), old)| name == old);
        if !same || fields.len() < released.len() {
            offences.push(format!(
                "{place}: the fields of `{name}` began with {released:?}: append new ones at the end"
            ));
        }
        for (field, _) in fields.iter().skip(released.len()).filter(|(_, has_default)| !has_default) {
            offences
                .push(format!("{place}: `{field}` is missing in older files: give it `#[serde(default)]`"));
        }
    }
    offences
}

#[test]
fn a_field_that_moved_is_found() {
    let file = |fields: &str| File {
        path: "src/model/a.rs".into(),
        text: format!("/// A.\n#[derive(Serialize, Deserialize)]\npub struct A {{\n{fields}}}\n"),
    };
    let released = File { path: "layout.txt".into(), text: "model::a::A one two".into() };
    let found = |fields: &str| moved(&released, &parts(&[file(fields)])).len();
    assert_eq!(found("    /// one\n    pub one: u8,\n    two: u8,\n"), 0);
    assert_eq!(found("    one: u8,\n    two: u8,\n    #[serde(default)]\n    three: u8,\n"), 0);
    assert_eq!(found("    two: u8,\n    one: u8,\n"), 1, "a field moved");
    assert_eq!(found("    one: u8,\n"), 1, "a field is gone");
    assert_eq!(found("    one: u8,\n    two: u8,\n    three: u8,\n"), 1, "an older file has no third field");
}

#[test]
fn types_of_one_name_are_not_taken_for_each_other() {
    let file = |path: &str, fields: &str| File {
        path: path.into(),
        text: format!("/// B.\n#[derive(Serialize, Deserialize)]\nstruct Body {{\n{fields}}}\n"),
    };
    let released = File { path: "layout.txt".into(), text: "Body words episode".into() };
    let stored = "    words: u8,\n    #[serde(default)]\n    episode: u8,\n";
    let one = |event: &str, header: &str| {
        let files = [file("src/store/history/event.rs", event), file("src/store/header.rs", header)];
        moved(&released, &parts(&files)).len()
    };
    assert_eq!(one(stored, "    key: u8,\n"), 0, "the other is another type");
    assert_eq!(one("    key: u8,\n", stored), 1, "the other does not stand for it");
    assert_eq!(module_path("src/model/poll/mod.rs"), "model::poll");
    assert_eq!(today("Reason"), "model::judge::health::StoredReason");
    assert_eq!(today("Link::Down"), "model::poll::link::Link::Down");
    assert_eq!(today("model::poll::link::Link"), "model::poll::link::Link", "a path is a path");
}
