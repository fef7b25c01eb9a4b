//! The types that the simulator announces against what Microsoft's parser and the catalogue of real engines say of our
//! scripts. `tests/catalog_check.sh` says where that is in `DBTOP_DESCRIBED`; without it this test says that it skips.

use super::asking::script;
use dbtop::sim::{
    Sim,
    answer::{
        self, Asked, Own,
        plan::{Plan, Sender},
    },
    backend::{ColumnType, Reply, Session},
    world::{Fleet, Script, version::Version},
};
use serde::Deserialize;
use std::path::Path;

#[derive(Deserialize)]
struct Described {
    file: String,
    columns: Vec<(String, Option<String>)>,
}

/// The columns that the simulator announces for a script on 2025.
fn announced(name: &str) -> Vec<(String, String)> {
    let fleet = Fleet::roll(7, 4, &[Version::V2025], 1_772_442_000_000);
    let script_of_demo = Script::compile(&Sim::demo_script(4), &fleet);
    let moment = fleet.at(&script_of_demo, 0, 1_000).unwrap();
    let rights = moment.rights();
    let (user, database) = ("dbtop", "master");
    let plan = Plan::of(
        &script(name),
        &Sender { version: moment.profile.version, hosting: moment.profile.hosting, rights, user, database },
    );
    let session = Session {
        spid: 300,
        user: user.into(),
        database: database.into(),
        program: "dbtop".into(),
        host: "here".into(),
    };
    let asked = Asked {
        moment: &moment,
        rights,
        session: &session,
        own: Own::default(),
        connected: 1,
        params: &[],
        grant: &|_, _| Ok(()),
        kill: &|_| Ok(()),
    };
    let columns = answer::run(&plan, &asked).0.find_map(|reply| match reply {
        Reply::Columns(columns) => Some(columns),
        _ => None,
    });
    let columns = columns.unwrap_or_else(|| panic!("{name} gives no columns: {plan:?}"));
    columns.into_iter().map(|c| (c.name, spelled(c.kind))).collect()
}

/// The type as T-SQL writes it.
fn spelled(kind: ColumnType) -> String {
    match kind {
        ColumnType::NVarChar(n) => format!("nvarchar({n})"),
        ColumnType::NVarCharMax => "nvarchar(max)".into(),
        ColumnType::VarBinary(n) => format!("varbinary({n})"),
        ColumnType::Binary(n) => format!("binary({n})"),
        ColumnType::DateTimeOffset(n) => format!("datetimeoffset({n})"),
        other => format!("{other:?}").to_lowercase(),
    }
}

#[test]
fn answers_have_the_types_that_real_engines_give_them() {
    let Ok(path) = std::env::var("DBTOP_DESCRIBED") else {
        println!("skipped: DBTOP_DESCRIBED is not set; run tests/catalog_check.sh");
        return;
    };
    let mut faults = Vec::new();
    let mut checked = 0;
    for line in std::fs::read_to_string(path).unwrap().lines() {
        let described: Described = serde_json::from_str(line).unwrap();
        let name = Path::new(&described.file).file_stem().unwrap().to_str().unwrap().to_owned();
        let ours = announced(&name);
        let names = |all: Vec<&String>| all.into_iter().cloned().collect::<Vec<_>>();
        let theirs = names(described.columns.iter().map(|(column, _)| column).collect());
        assert_eq!(names(ours.iter().map(|(column, _)| column).collect()), theirs, "{name}");
        for ((column, ours), (_, theirs)) in ours.iter().zip(&described.columns) {
            // the tool does not know every expression, and no length of a SUBSTRING
            let Some(theirs) = theirs else { continue };
            let theirs = match theirs.as_str() {
                "sysname" => "nvarchar(128)",
                "datetimeoffset" => "datetimeoffset(7)",
                other => other,
            };
            checked += 1;
            let is_cut = ["nvarchar", "varbinary"].contains(&theirs) && ours.starts_with(theirs);
            if ours != theirs && !is_cut {
                faults.push(format!("{name}: {column} is {theirs}, the simulator announces {ours}"));
            }
        }
    }
    println!("{checked} columns compared");
    assert!(checked > 150, "{checked}");
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}
