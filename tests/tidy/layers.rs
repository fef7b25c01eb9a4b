//! Allowed imports between modules: the DAG of the architecture, and the purity of its lowest layers.

use crate::project::{self, assert_none, code_of, files, line_of, production};

/// Each module of the crate and the modules that it may use. A new module takes its line here and in
/// `docs/ARCHITECTURE.md`, in the same commit.
const MAY_USE: &[(&str, &[&str])] = &[
    ("model", &[]),
    ("sql", &[]),
    ("xml", &["model"]),
    ("plan", &["model", "sql", "xml"]),
    ("deadlock", &["model", "sql", "xml"]),
    ("config", &["model"]),
    ("exchange", &["model"]),
    ("vault", &["model"]),
    ("tds", &["model"]),
    ("store", &["model", "vault"]),
    ("report", &["model", "sql", "store", "plan"]),
    ("probe", &["model", "sql", "tds", "deadlock", "xml"]),
    ("collect", &["model", "probe", "tds"]),
    ("sim", &["model", "sql"]),
    ("protocol", &["model", "plan", "deadlock"]),
    ("tui", &["model", "sql", "protocol", "plan", "deadlock"]),
    (
        "app",
        &[
            "model", "config", "exchange", "vault", "tds", "store", "probe", "collect", "sim", "protocol",
            "plan", "deadlock",
        ],
    ),
    ("cli", &[]),
    (
        "command",
        &[
            "model", "sql", "config", "exchange", "vault", "tds", "probe", "collect", "sim", "app", "tui",
            "cli", "store", "report", "protocol", "plan", "deadlock",
        ],
    ),
    ("main", &["cli", "command", "model"]),
    ("lib", &[]),
];

/// What has no place in the modules of pure data and functions, and where it belongs.
const IMPURE: &[(&str, &str)] = &[
    ("std::fs", "files are read by config, app and tui::theme"),
    ("std::net::Tcp", "sockets belong to tds and sim"),
    ("std::process", "processes are started by config and app"),
    ("std::env", "the environment is read by config and app"),
    ("std::thread", "model and sql do not run anything"),
    ("Instant::now", "time is an argument"),
    ("SystemTime::now", "time is an argument"),
    ("Utc::now", "time is an argument"),
    ("Local::now", "time is an argument"),
    ("tokio", "model and sql are not async"),
    ("tracing", "model and sql do not log"),
];

#[test]
fn modules_use_only_what_their_layer_allows() {
    let mut offences = Vec::new();
    for file in files("src", ".rs") {
        let code = code_of(&file.text);
        let Some(module) = file.module() else { continue };
        let Some((_, allowed)) = MAY_USE.iter().find(|(name, _)| *name == module) else {
            offences.push(format!(
                "{}: module `{module}` has no line in MAY_USE of tests/tidy/layers.rs",
                file.path
            ));
            continue;
        };
        for (at, used) in uses(&code) {
            let is_read_back = IN_TESTS.contains(&(file.path.as_str(), used.as_str()));
            if used != module && !is_read_back && !allowed.contains(&used.as_str()) {
                let line = line_of(&code, at);
                offences.push(format!("{}:{line}: {module} may not use `{used}`", file.path));
            }
        }
        offences.extend(climbs(&file.path, &code));
    }
    assert_none("the layers of docs/ARCHITECTURE.md", &offences);
}

#[test]
fn layers_have_no_circle() {
    let offences: Vec<String> = circle(MAY_USE)
        .iter()
        .map(|name| format!("{name}: MAY_USE lets it use itself through others"))
        .collect();
    assert_none("MAY_USE of tests/tidy/layers.rs has no circle", &offences);
    assert_eq!(circle(&[("a", &["b", "c"]), ("b", &["c"]), ("c", &[])]), [""; 0]);
    assert_eq!(circle(&[("a", &["b"]), ("b", &["c"]), ("c", &["b"])]), ["b", "c"]);
}

/// The modules of `layers` that are on a circle of uses: what is left when modules that use none of the others, and modules
/// that none of the others uses, are taken away until there are no more of them.
fn circle<'a>(layers: &[(&'a str, &'a [&'a str])]) -> Vec<&'a str> {
    let mut left = layers.to_vec();
    loop {
        let before = left.clone();
        left.retain(|(name, used)| {
            let is_used = before.iter().any(|(_, used)| used.contains(name));
            is_used && before.iter().any(|(other, _)| used.contains(other))
        });
        if left.len() == before.len() {
            return left.into_iter().map(|(name, _)| name).collect();
        }
    }
}

/// Tests that read with one module what another one wrote.
const IN_TESTS: &[(&str, &str)] = &[("src/sim/answer/showplan/tests.rs", "plan")];

/// Who reads the wall clock; all others are given a time, or one of these clocks.
const CLOCKS: &[&str] = &[
    "src/collect/clock.rs",
    "src/sim/clock.rs",
    "src/store/clock.rs",
    // The time of a file, which is compared with other times of files.
    "src/app/attach/watch_request.rs",
];

#[test]
fn the_wall_clock_is_read_in_one_place_of_a_layer() {
    let mut offences = Vec::new();
    for (file, code) in production().iter().filter(|(file, _)| !CLOCKS.contains(&file.path.as_str())) {
        for clock in ["SystemTime::now", "UNIX_EPOCH.elapsed", "Utc::now", "Local::now"] {
            let places = code.match_indices(clock);
            offences.extend(places.map(|(at, _)| format!("{}:{}: `{clock}`", file.path, line_of(code, at))));
        }
    }
    assert_none("the clocks of tests/tidy/layers.rs", &offences);
}

#[test]
fn the_lowest_layers_are_pure() {
    let mut offences = Vec::new();
    for (file, code) in production().iter().filter(|(file, _)| matches!(file.module(), Some("model" | "sql")))
    {
        for (pattern, instead) in IMPURE {
            for (at, _) in code.match_indices(pattern) {
                offences.push(format!("{}:{}: `{pattern}`: {instead}", file.path, line_of(code, at)));
            }
        }
    }
    assert_none("model and sql have no I/O, no clock and nothing async", &offences);
}

#[test]
fn application_code_has_no_locks() {
    let mut offences = Vec::new();
    // The simulator plays servers that many connections change at once; it is not application code.
    for (file, code) in production().iter().filter(|(file, _)| file.module() != Some("sim")) {
        for lock in ["Mutex<", "RwLock<", "Mutex::new", "RwLock::new"] {
            for (at, _) in code.match_indices(lock) {
                let line = line_of(code, at);
                offences.push(format!(
                    "{}:{line}: `{lock}`: give the state one owner and send it messages",
                    file.path
                ));
            }
        }
    }
    assert_none("ownership, not locks", &offences);
}

#[test]
fn every_module_is_on_the_maps() {
    let mut offences = Vec::new();
    let (lib, map) = (project::read("src/lib.rs"), project::read("docs/ARCHITECTURE.md"));
    for (module, _) in MAY_USE.iter().filter(|(module, _)| !matches!(*module, "main" | "lib")) {
        let exists = files("src", ".rs").iter().any(|file| file.module() == Some(module));
        if exists && !lib.as_deref().unwrap_or_default().contains(&format!("[`{module}`]")) {
            offences.push(format!("src/lib.rs: the map does not name `{module}`"));
        }
        let named = [format!("{module}/ "), format!("{module}.rs ")];
        if exists && !named.iter().any(|name| map.as_deref().unwrap_or_default().contains(name)) {
            offences.push(format!("docs/ARCHITECTURE.md: the map does not name `{module}`"));
        }
    }
    assert_none("a newcomer finds every module on the map", &offences);
}

/// Every module named as `crate::x`, `dbtop::x` or in `crate::{x, y}`, with its place.
fn uses(code: &str) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    for root in ["crate::", "dbtop::"] {
        for (at, _) in code.match_indices(root) {
            let before = code[..at].chars().next_back();
            if before.is_some_and(|c| c.is_alphanumeric() || c == '_' || c == ':' || c == '$') {
                continue;
            }
            let rest = &code[at + root.len()..];
            let names = rest.strip_prefix('{').map_or_else(|| vec![first_word(rest)], group_heads);
            // Types and functions of lib.rs itself are no modules: there are none, and `self` is the crate.
            found.extend(names.into_iter().filter(|name| !name.is_empty()).map(|name| (at, name)));
        }
    }
    found
}

fn first_word(text: &str) -> String {
    text.trim_start().chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect()
}

/// The first words of the entries of a `{…}` whose inside starts `text`.
fn group_heads(text: &str) -> Vec<String> {
    let (mut heads, mut depth, mut from) = (Vec::new(), 0_usize, 0);
    for (at, c) in text.char_indices() {
        match c {
            '{' => depth += 1,
            ',' if depth == 0 => {
                heads.push(first_word(&text[from..at]));
                from = at + 1;
            }
            '}' if depth == 0 => {
                heads.push(first_word(&text[from..at]));
                break;
            }
            '}' => depth -= 1,
            _ => {}
        }
    }
    heads
}

/// Chains of `super::` that leave the module by its roof, where the scan for `crate::` would not see them.
fn climbs(path: &str, code: &str) -> Vec<String> {
    let within = path.trim_start_matches("src/").trim_end_matches(".rs").trim_end_matches("/mod");
    let levels = within.split('/').count();
    let tests_at = code.find("mod tests {").unwrap_or(code.len());
    let mut found = Vec::new();
    let mut at = 0;
    while let Some(next) = code[at..].find("super::") {
        let start = at + next;
        let mut end = start;
        while code[end..].starts_with("super::") {
            end += "super::".len();
        }
        let climbed = (end - start) / "super::".len();
        if climbed >= levels + usize::from(start > tests_at) {
            found.push(format!(
                "{path}:{}: write `crate::` instead of climbing out of the module",
                line_of(code, start)
            ));
        }
        at = end;
    }
    found
}

#[test]
fn the_scan_sees_every_spelling() {
    let code = "use crate::{\n  model::{a, b},\n  sql,\n};\nlet x = crate::tds::y(); dbtop::cli::z; my_crate::no; a::crate::no";
    let names: Vec<_> = uses(code).into_iter().map(|(_, name)| name).collect();
    assert_eq!(names, ["model", "sql", "tds", "cli"]);
    assert_eq!(climbs("src/tui/pane/fleet.rs", "super::super::theme").len(), 0);
    assert_eq!(climbs("src/tui/pane/fleet.rs", "super::super::super::model").len(), 1);
    assert_eq!(climbs("src/cli.rs", "mod tests { use super::*; }").len(), 0);
}
