//! Exports of a sealed fleet: the page and the recording of an incident, with and without names,
//! read by somebody who has neither vault nor servers.

use super::{key, until_pane};
use crate::harness::{
    Home, PATIENCE, find,
    process::{SimProcess, dbtop, run, signal, wait},
    screen::Screen,
    vault::Stage,
};
use serde_json::Value;
use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
    process::Stdio,
    time::{Duration, Instant},
};

const STORM: &str = r##"
    [[event]]
    on = "#1"
    kind = "blocking_storm"
    from_s = -120
"##;

/// Collects a sealed fleet for a while; the servers are gone when it ends. Gives what must not be in any export.
fn collect(stage: &Stage) -> Vec<String> {
    let sim = SimProcess::start(4, 0, Some(STORM));
    stage.done(&["instance", "import", &sim.inventory(), "--yes"]);
    let mut command = dbtop(&["collect", "--key-file", stage.key()], &stage.home);
    let mut collector = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("a collector");
    let started = Instant::now();
    loop {
        let said = run(&mut dbtop(&["status", "-o", "json"], &stage.home));
        let rows: Vec<Value> = serde_json::from_str(&said.stdout).unwrap_or_default();
        if rows.first().is_some_and(|row| row["up"] == 4 && row["polls_ok"].as_u64() > Some(70)) {
            break;
        }
        assert!(started.elapsed() < 3 * PATIENCE, "it collects: {said:?}");
        std::thread::sleep(Duration::from_millis(300));
    }
    signal(collector.id(), "TERM");
    wait(&mut collector, PATIENCE).expect("the collector ends");
    let inventory: toml::Table =
        std::fs::read_to_string(&sim.inventory).expect("the inventory").parse().expect("TOML");
    let one = &inventory["instance"][0];
    let password = one["password"].as_str().expect("a password").to_owned();
    let key = std::fs::read(&stage.key).expect("the key file");
    vec![password, String::from_utf8_lossy(&key).trim().to_owned()]
}

/// The page and the recording beside it, made from the sealed fleet.
#[track_caller]
fn export(stage: &Stage, name: &str, more: &[&str]) -> (PathBuf, PathBuf) {
    let page = stage.home.tmp().join(name);
    let args = ["--export", "incident", "--from", "-1h", "--out", page.to_str().expect("a path")];
    let ended = stage.run(&[&args[..], more].concat());
    assert_eq!(ended.code, Some(0), "{ended:?}");
    let recording = page.with_extension("dbtop");
    (page, recording)
}

/// Rows of `dbtop once` from a recording, for who has nothing but the file.
#[track_caller]
fn rows(what: &str, recording: &Path) -> Vec<Value> {
    let stranger = Home::new();
    let path = recording.to_str().expect("a path");
    let ended = run(&mut dbtop(&["once", what, "-o", "json", "--replay", path], &stranger));
    assert!(matches!(ended.code, Some(0..=2)), "{ended:?}");
    serde_json::from_str(&ended.stdout).expect("JSON")
}

/// Every text in these columns.
fn texts(rows: &[Value], columns: &[&str]) -> BTreeSet<String> {
    let cells = rows.iter().flat_map(|row| columns.iter().filter_map(|column| row[*column].as_str()));
    cells.filter(|text| text.len() > 2).map(str::to_owned).collect()
}

/// How many literals there are in statements: numbers and quoted texts other than the stand-ins.
fn literals(rows: &[Value]) -> usize {
    let words = rows.iter().filter_map(|row| row["statement"].as_str()).flat_map(str::split_whitespace);
    let words = words.map(|word| word.trim_matches([',', ';', '(', ')']));
    let is_literal = |word: &&str| {
        word.parse::<f64>().is_ok()
            || (word.contains('\'') && !word.trim_start_matches('N').starts_with("'?'"))
    };
    words.filter(is_literal).count()
}

/// The bytes as they are, in small letters.
fn bytes(file: &Path) -> String {
    String::from_utf8_lossy(&std::fs::read(file).expect("the file")).to_lowercase()
}

#[track_caller]
fn holds_none(what: &str, text: &str, names: &BTreeSet<String>) {
    let small = text.to_lowercase();
    for name in names {
        assert!(!small.contains(&name.to_lowercase()), "{what} tells {name}");
    }
}

#[test]
fn a_sealed_fleet_is_handed_on_readable_by_anybody_and_without_names_if_wanted() {
    let stage = Stage::with_vault();
    let secrets = collect(&stage);
    let sealed = bytes(&find(&stage.home.path(), "history.db"));
    let page = stage.home.tmp().join("locked.html");
    let args = ["--export", "incident", "--from", "-1h", "--out", page.to_str().expect("a path")];
    let locked = run(&mut dbtop(&args, &stage.home));
    assert!(locked.code != Some(0) && !page.exists(), "nothing without the key: {locked:?}");

    let (page, recording) = export(&stage, "night.html", &[]);
    let (fleet, chain) = (rows("fleet", &recording), rows("blocking", &recording));
    let instances = texts(&fleet, &["instance"]);
    let names = texts(&chain, &["login", "host", "program"]);
    assert!(instances.len() == 4 && names.len() >= 3, "{fleet:#?} {chain:#?}");
    let shown = std::fs::read_to_string(&page).expect("the page");
    assert!(literals(&[chain, rows("activity", &recording)].concat()) > 0, "there is something to replace");
    for name in instances.iter().chain(&names) {
        assert!(shown.contains(name), "the page tells {name}");
    }
    holds_none("the sealed history", &sealed, &instances);
    let checked =
        run(&mut dbtop(&["store", "--history", recording.to_str().expect("a path"), "check"], &Home::new()));
    assert_eq!(checked.code, Some(0), "{checked:?}");
    let secrets: BTreeSet<String> = secrets.into_iter().collect();
    assert!(secrets.iter().all(|secret| secret.len() > 7), "there is something to look for");
    for file in [&page, &recording] {
        holds_none("an export", &bytes(file), &secrets);
    }

    let (page, recording) = export(&stage, "clean.html", &["--scrub"]);
    let statements = |file: &Path| [rows("blocking", file), rows("activity", file)].concat();
    assert_eq!(literals(&statements(&recording)), 0, "{:#?}", statements(&recording));
    // Names that everybody has stay.
    let ordinary = ["master", "sa", "prod", "test"];
    let mut real: BTreeSet<String> = instances.union(&names).cloned().collect();
    real.retain(|name| !ordinary.contains(&name.as_str()));
    for file in [&page, &recording] {
        holds_none("a clean export", &bytes(file), &real);
        holds_none("a clean export", &bytes(file), &secrets);
    }
    on_screen(&page, &recording, &real);
}

/// The stand-ins of the page are those of the panes, and nothing else is there.
#[track_caller]
fn on_screen(page: &Path, recording: &Path, real: &BTreeSet<String>) {
    let page = std::fs::read_to_string(page).expect("the page");
    let instances = texts(&rows("fleet", recording), &["instance"]);
    let chain = rows("blocking", recording);
    let heads = texts(&chain, &["login", "host", "program"]);
    assert!(
        instances.len() == 4 && instances.iter().all(|name| name.starts_with("instance-")),
        "{instances:?}"
    );
    let (stranger, file) = (Home::new(), recording.to_str().expect("a path"));
    let mut s = Screen::start(&["--replay", file], 200, 50, &stranger);
    s.until("the recording", |t| t.contains("◀ PAST") && t.contains("clean.dbtop · "));
    for name in &instances {
        assert!(page.contains(name), "the page tells {name}");
        s.until_shows(name);
    }
    let mut seen = vec![s.text()];
    s.keys(b"4");
    until_pane(&mut s, "Blocking");
    s.until("the chain", |t| t.contains("LCK_M_"));
    seen.push(s.text());
    let login = texts(&chain, &["login"]).into_iter().next().expect("a login");
    assert!(s.text().contains(&login) && page.contains(&login), "{login}: {}", s.text());
    s.keys(key::ENTER);
    s.until("its statement", |t| t.contains("UPDATE") || t.contains("SELECT") || t.contains("statement"));
    seen.push(s.text());
    s.keys(b"q2");
    until_pane(&mut s, "Activity");
    seen.push(s.text());
    s.keys(b"3");
    until_pane(&mut s, "Waits");
    seen.push(s.text());
    s.keys(b"1");
    until_pane(&mut s, "Fleet");
    s.keys(key::ENTER);
    until_pane(&mut s, "Instance");
    seen.push(s.text());
    s.keys(b"d");
    s.run_for(Duration::from_secs(1));
    seen.push(s.text());
    for text in &seen {
        holds_none("the screen", text, real);
    }
    for name in &heads {
        assert!(page.contains(name), "the page tells {name}, too");
    }
    s.keys(key::CTRL_C);
    s.until_shows("Ctrl-c again quits");
    s.keys(key::CTRL_C);
    assert_eq!(s.ended(), 0);
    s.assert_restored();
}
