//! The catalog of probes holds together: every probe has its scripts, every script file is in it and keeps the house rules,
//! and the declared columns are the ones that the scripts return.

use super::{
    columns::{COLUMNS, Kind, columns},
    room_columns::ROOM,
    store_columns::STORED,
};
use dbtop::{
    model::poll::id::ProbeId,
    probe::{
        SESSION, batch,
        catalog::{probes, scripts},
        probe,
        script::{Key, Script},
    },
    sql::{lexer, readonly},
};
use std::{collections::BTreeSet, path::Path};

fn every_script() -> Vec<Script> {
    let mut seen = BTreeSet::new();
    scripts().filter(|s| seen.insert(s.name)).collect()
}

#[test]
fn every_probe_has_its_own_descriptor_and_is_always_asked_something() {
    for id in ProbeId::ALL {
        assert_eq!(probe(id).id, id);
    }
    for p in probes() {
        assert!(
            p.parts.iter().any(|part| part.when.is_empty()) && p.parts.iter().any(|part| part.needed),
            "{} is always asked for",
            p.id.name()
        );
    }
}

#[test]
fn every_pane_of_the_screen_has_a_probe_that_stands_behind_it() {
    let keys = dbtop::tui::keymap::markdown();
    let parts = keys.split("\n## ").filter(|part| part.contains("It has the keys of: "));
    let panes: Vec<String> = parts.map(|part| part.lines().next().unwrap().to_lowercase()).collect();
    assert!(panes.len() > 5, "{panes:?}");
    // Of the inventory no server is asked.
    let of_inventory = ["groups", "labels", "filters", "audit", "settings", "tenants", "vault"];
    for pane in panes.iter().filter(|pane| !of_inventory.contains(&pane.as_str())) {
        let is_known = probes().any(|probe| probe.panes.contains(&pane.as_str()));
        assert!(is_known, "{pane}: without a probe behind it the permission doctor does not know it");
    }
}

#[test]
fn every_file_is_registered_and_every_script_is_a_file() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tsql/probe");
    let files = std::fs::read_dir(folder).unwrap().map(|f| f.unwrap().file_name().into_string().unwrap());
    let files: BTreeSet<String> = files.map(|f| f.trim_end_matches(".sql").to_owned()).collect();
    let registered: BTreeSet<String> =
        scripts().map(|s| s.over.map_or(s.name, |over| over.file).to_owned()).collect();
    assert_eq!(files, registered);
}

/// What is asked of further views goes through the T-SQL gate as `tests/expand_scripts.sh` writes it.
#[test]
fn a_text_over_further_views_is_written_for_the_gate_as_it_is_asked() {
    let folder = tempfile::tempdir().unwrap();
    let tool = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/expand_scripts.sh");
    if cfg!(unix) {
        assert!(std::process::Command::new(tool).arg(folder.path()).status().unwrap().success());
        let written: BTreeSet<String> = std::fs::read_dir(folder.path())
            .unwrap()
            .map(|file| file.unwrap().file_name().into_string().unwrap())
            .collect();
        let asked: Vec<Script> = every_script().into_iter().filter(|s| s.over.is_some()).collect();
        assert_eq!(written, asked.iter().map(|s| format!("{}.sql", s.name)).collect());
        assert_eq!(asked.len(), 3);
        for script in asked {
            let file = std::fs::read_to_string(folder.path().join(format!("{}.sql", script.name))).unwrap();
            assert_eq!(file, script.sql());
            assert!(batch::statement(&file).contains(script.over.unwrap().view), "{file}");
        }
    }
}

#[test]
fn every_script_says_what_tells_its_rows_apart() {
    for script in every_script() {
        let columns: Vec<_> = columns(script.name).iter().map(|(name, _)| *name).collect();
        let Key::By(key) = script.key else { continue };
        assert!(!key.is_empty() && key.iter().all(|k| columns.contains(k)), "{}: {key:?}", script.name);
    }
}

#[test]
fn every_script_keeps_the_house_rules() {
    for script in every_script() {
        let name = script.name;
        let text = script.sql();
        let (header, body) = text.split_at(text.len() - batch::statement(&text).len());
        assert!(header.starts_with("-- dbtop: min="), "{name}: first line");
        for word in ["Right", "Cost"] {
            assert!(header.contains(&format!("{word}: ")), "{name}: the header says nothing about {word}");
        }
        assert!(body.starts_with(&format!("SELECT /* dbtop:{name} */ ")), "{name}: tag");
        assert!(body.contains(&format!("1 AS dbtop_{name},")), "{name}: first column");
        assert!(body.trim_end().ends_with(';'), "{name}: a batch is made of ended statements");
        let words: Vec<_> = lexer::code(body).map(|t| t.text.to_ascii_uppercase()).collect();
        let has = |word: &str| words.iter().any(|w| w == word);
        // A value that moves while it is read makes two rows of one: rows have keys (`probe::script::Key`).
        for banned in ["DISTINCT", "RECOMPILE", "NOLOCK", "DM_EXEC_QUERY_PLAN", "INTO", "EXEC"] {
            assert!(!has(banned), "{name}: {banned}");
        }
        let calls = words
            .windows(2)
            .filter(|w| w[1] == "(")
            .any(|w| ["OBJECT_NAME", "OBJECT_SCHEMA_NAME"].contains(&&*w[0]));
        assert!(!calls, "{name}: OBJECT_NAME() takes schema locks at any isolation level");
        // Host information is one row, and takes no hint on every platform.
        assert!(
            has("MAXDOP") || !has("FROM") || ["host_2016", "host_2017", "properties"].contains(&name),
            "{name}: MAXDOP"
        );
        readonly::prove(&body.replace("[$db$]", "[some]")).unwrap_or_else(|e| panic!("{name}: {e}"));
    }
}

/// What hands over the XML of a plan, by every name that a server has for it.
const PLAN_XML: [&str; 5] = [
    "DM_EXEC_QUERY_PLAN",
    "DM_EXEC_TEXT_QUERY_PLAN",
    "DM_EXEC_QUERY_PLAN_STATS",
    "DM_EXEC_QUERY_STATISTICS_XML",
    "QUERY_STORE_PLAN.QUERY_PLAN",
];

/// The first of them that a script asks for. A Query Store has the XML in a column beside others.
fn plan_xml(sql: &str) -> Option<&'static str> {
    let words: Vec<String> = lexer::code(sql).map(|token| token.text.to_ascii_uppercase()).collect();
    let has = |word: &str| words.iter().any(|known| known.trim_matches(['[', ']']) == word);
    PLAN_XML.into_iter().find(|name| match name.split_once('.') {
        Some((view, column)) => has(view) && has(column),
        None => has(name),
    })
}

#[test]
fn no_part_of_a_probe_asks_for_the_xml_of_a_plan() {
    for part in probes().flat_map(|probe| probe.parts) {
        let name = part.script.name;
        assert_eq!(
            plan_xml(batch::statement(part.script.text)),
            None,
            "{name}: a plan is asked for, never polled"
        );
    }
    // The names are found where they stand: in what is asked on demand.
    let asked: BTreeSet<_> = scripts().filter_map(|s| plan_xml(batch::statement(s.text))).collect();
    assert_eq!(asked, PLAN_XML[1..].iter().copied().collect());
}

#[test]
fn set_up_is_made_of_single_statements() {
    let body = batch::statement(SESSION);
    assert!(!body.contains("--"));
    for statement in body.split_inclusive(";\n") {
        assert!(statement.starts_with("SET ") && statement.trim_end().ends_with(';'), "{statement}");
    }
}

#[test]
fn declared_columns_are_those_of_the_select_list_in_order() {
    assert_eq!(COLUMNS.len() + ROOM.len() + STORED.len(), every_script().len());
    for script in every_script() {
        let declared: Vec<_> = columns(script.name).iter().map(|(n, _)| (*n).to_owned()).collect();
        let mut selected = select_list(batch::statement(&script.sql()));
        assert_eq!(selected.remove(0), format!("dbtop_{}", script.name));
        assert_eq!(declared, selected, "{}", script.name);
    }
}

/// The names of the outermost select list: the last name of each item.
fn select_list(sql: &str) -> Vec<String> {
    let mut names = Vec::new();
    let mut depth = 0;
    let mut last = String::new();
    for token in lexer::code(sql) {
        match token.text {
            "(" => depth += 1,
            ")" => depth -= 1,
            "," if depth == 0 => names.push(std::mem::take(&mut last)),
            word if depth == 0 && word.eq_ignore_ascii_case("from") => break,
            ";" => break,
            word if depth == 0 && token.is_name() => word.trim_matches(['[', ']']).clone_into(&mut last),
            _ => {}
        }
    }
    names.push(last);
    names
}

/// `tests/catalog_check.sh` writes what the gate prints with `--describe` to a file and names it here: types as the views have
/// them. Without it nothing is compared, and it is said so.
#[test]
fn declared_kinds_are_those_of_the_system_views() {
    let Some(file) = std::env::var_os("DBTOP_DESCRIBED") else {
        println!("skipped: DBTOP_DESCRIBED names no output of the T-SQL gate");
        return;
    };
    let mut compared = 0;
    for line in std::fs::read_to_string(file).unwrap().lines().filter(|l| l.starts_with('{')) {
        let described: serde_json::Value = serde_json::from_str(line).unwrap();
        let name =
            Path::new(described["file"].as_str().unwrap()).file_stem().unwrap().to_str().unwrap().to_owned();
        let of_views = described["columns"].as_array().unwrap().iter().skip(1);
        for (column, (declared, kind)) in of_views.zip(columns(&name)) {
            assert_eq!(column[0].as_str(), Some(*declared), "{name}");
            let Some(sql_type) = column[1].as_str() else { continue };
            assert_eq!(kind_of(sql_type), *kind, "{name}.{declared} is {sql_type}");
            compared += 1;
        }
    }
    assert!(compared > 150, "only {compared} columns compared");
}

fn kind_of(sql_type: &str) -> Kind {
    match sql_type.split('(').next().unwrap() {
        "tinyint" | "smallint" | "int" | "bigint" => Kind::Int,
        "bit" => Kind::Bit,
        "real" | "float" => Kind::Float,
        "datetime" => Kind::Local,
        "datetimeoffset" => Kind::Instant,
        "binary" | "varbinary" => Kind::Bytes,
        "sysname" | "nvarchar" => Kind::Text,
        other => panic!("{other} must be cast: the driver or a collation may not take it"),
    }
}
