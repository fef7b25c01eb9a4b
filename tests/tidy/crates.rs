//! Which external crate belongs to which module, and that each is named with its reason.

use std::collections::BTreeSet;

use crate::project::{assert_none, line_of, production, read};

/// Crates that any module may use: they carry no I/O and tie nothing to a driver, a terminal or a protocol.
const EVERYWHERE: &[&str] = &["serde", "thiserror"];

/// Every other crate and the modules that may use it, so that it can be replaced in one place.
const BELONGS_TO: &[(&str, &[&str])] = &[
    ("aes-gcm", &["vault"]),
    ("anyhow", &["app", "command", "main"]),
    ("argon2", &["vault"]),
    ("base64", &["collect", "tui"]),
    ("bytes", &["sim", "tds"]),
    ("chrono", &["command", "exchange", "model", "probe", "sim", "tds"]),
    ("clap", &["cli"]),
    ("crossterm", &["tui"]),
    ("csv", &["command", "exchange"]),
    ("directories", &["app", "store"]),
    ("fastrand", &["collect", "sim"]),
    ("foldhash", &["model", "probe", "store"]),
    ("futures-util", &["sim", "tds", "tui"]),
    ("getrandom", &["vault"]),
    ("hkdf", &["vault"]),
    ("hmac", &["vault"]),
    ("jiff", &["config", "model"]),
    ("keyring-core", &["vault"]),
    ("linux-keyutils-keyring-store", &["vault"]),
    ("nucleo-matcher", &["tui"]),
    ("pco", &["store"]),
    ("prometheus-client", &["app"]),
    ("quick-xml", &["exchange", "xml"]),
    ("ratatui", &["tui"]),
    ("rcgen", &["sim"]),
    ("regex", &["command", "model", "tui"]),
    ("region", &["vault"]),
    ("rlimit", &["app"]),
    ("rmp-serde", &["store"]),
    ("rustix", &["app", "command", "store", "vault"]),
    ("rpassword", &["command"]),
    ("rusqlite", &["store"]),
    ("rustls-native-certs", &["tds"]),
    ("serde_json", &["app", "collect", "command", "exchange", "store"]),
    ("sha2", &["store", "tds", "vault"]),
    ("strsim", &["config"]),
    ("tempfile", &["app", "command", "sim"]),
    ("tiberius", &["tds"]),
    ("tokio", &["app", "collect", "command", "sim", "store", "tds", "tui"]),
    ("tokio-rustls", &["sim", "tds"]),
    ("tokio-util", &["app", "collect", "sim", "tds", "tui"]),
    ("toml", &["app", "command", "config", "exchange", "sim", "tui"]),
    ("toml_edit", &["config"]),
    ("tracing", &["app", "collect", "probe", "sim", "tds", "tui"]),
    ("tracing-appender", &["app"]),
    ("tracing-subscriber", &["app"]),
    ("tui-input", &["tui"]),
    ("unicode-segmentation", &["command", "model", "tui"]),
    ("unicode-width", &["command", "model", "plan", "tui"]),
    ("webpki-roots", &["tds"]),
    ("x25519-dalek", &["vault"]),
    ("x509-parser", &["tds"]),
    ("zbus-secret-service-keyring-store", &["vault"]),
    ("zeroize", &["collect", "command", "config", "model", "store", "tds", "vault"]),
    ("zstd", &["model", "store"]),
];

#[test]
fn each_crate_stays_in_its_modules() {
    let mut offences = Vec::new();
    // Unit tests may use any crate: they are not what a replacement would have to rewrite.
    for (file, code) in production() {
        let Some(module) = file.module() else { continue };
        for (name, modules) in BELONGS_TO.iter().filter(|(_, modules)| !modules.contains(&module)) {
            for at in places(&code, &name.replace('-', "_")) {
                let line = line_of(&code, at);
                let homes = modules.join(", ");
                offences.push(format!("{}:{line}: `{name}` belongs to {homes}, not to {module}", file.path));
            }
        }
    }
    assert_none("one external crate, one module (tests/tidy/crates.rs)", &offences);
}

#[test]
fn every_crate_is_listed_and_has_its_reason() {
    let architecture = read("docs/ARCHITECTURE.md").unwrap_or_default();
    let rows: BTreeSet<&str> = architecture
        .lines()
        .filter_map(|line| line.strip_prefix("| ")?.split(" |").next())
        .flat_map(|cell| cell.split(", "))
        .collect();
    let mut offences = Vec::new();
    for name in dependencies("[dependencies]") {
        let listed =
            EVERYWHERE.contains(&name.as_str()) || BELONGS_TO.iter().any(|(known, _)| *known == name);
        if !listed {
            offences.push(format!(
                "Cargo.toml: `{name}` has no line in tests/tidy/crates.rs: which module is it for?"
            ));
        }
        if !rows.contains(name.as_str()) {
            offences.push(format!("docs/ARCHITECTURE.md: no row says why `{name}` is a dependency"));
        }
    }
    for name in dependencies("[dev-dependencies]") {
        if !architecture.contains(name.as_str()) {
            offences.push(format!(
                "docs/ARCHITECTURE.md: nothing says why `{name}` is a dependency of the tests"
            ));
        }
    }
    assert_none("a dependency is named with its reason", &offences);
}

#[test]
fn the_table_has_no_leftovers() {
    let known = dependencies("[dependencies]");
    let offences: Vec<String> = EVERYWHERE
        .iter()
        .chain(BELONGS_TO.iter().map(|(name, _)| name))
        .filter(|name| !known.iter().any(|known| known == **name))
        .map(|name| format!("`{name}` is no dependency any more: take its line out of tests/tidy/crates.rs"))
        .collect();
    assert_none("the crate table follows Cargo.toml", &offences);
}

/// The names of a section of `Cargo.toml`.
fn dependencies(section: &str) -> Vec<String> {
    read("Cargo.toml")
        .unwrap_or_default()
        .lines()
        .scan(false, |within, line| {
            // A section, and the sections of the same name for one platform.
            if line.starts_with('[') {
                *within = line.trim() == section || line.ends_with(&format!(".{}", &section[1..]));
            }
            Some((*within).then_some(line))
        })
        .flatten()
        .filter_map(|line| line.split_once('='))
        .map(|(name, _)| name.trim().to_owned())
        .filter(|name| !name.starts_with(['#', '[']))
        .collect()
}

/// Where `code` names the crate `name`: `name::…`, `use name;`, `name!`.
fn places(code: &str, name: &str) -> Vec<usize> {
    code.match_indices(name)
        .filter(|(at, _)| {
            let before = code[..*at].trim_end_matches("::").len();
            let path = before != *at && code[..before].ends_with(|c: char| c.is_alphanumeric() || c == '_');
            let word = code[..*at].ends_with(|c: char| c.is_alphanumeric() || c == '_' || c == '.');
            let after = &code[at + name.len()..];
            let used = after.starts_with("::")
                || after.starts_with('!') && !after.starts_with("!=")
                || (after.starts_with(';') && code[..*at].ends_with("use "));
            !path && !word && used
        })
        .map(|(at, _)| at)
        .collect()
}

#[test]
fn the_scan_sees_crates_and_not_their_namesakes() {
    let code = "use csv::Writer; ::csv::x; self::csv::y; my_csv::z; x.csv::a; csv_b::c; use csv; csv!()";
    assert_eq!(places(code, "csv").len(), 4);
}
