//! The permission doctor: which right each pane wants, after the descriptors of its probes; which of them a login has; and the
//! smallest script for each that it lacks. Called by `app::inventory::doctor` over a connection that was tested. It asks one
//! question and grants nothing: its scripts are for a person to read and run.

use super::{catalog, descriptor::Probe, job, object, script::Needs};
use crate::{
    model::{
        base::{
            failure::{Failure, FailureKind},
            text::sanitize_line,
        },
        inventory::{
            check::ServerFacts,
            doctor::{Cell, Diagnosis, Hole, Right, Row},
            instance::InstanceId,
        },
    },
    sql::ident::{quote_name, quote_text},
    tds::{self, Ask, Question},
};
use std::{fmt::Write as _, time::Duration};

const ASK: &str = include_str!("../../tsql/doctor.sql");
/// Permission functions only.
const WITHIN: Duration = Duration::from_secs(5);

/// The longest name that SQL Server has, in characters, doubled.
const MAX_NAME_CHARS: usize = 256;
/// Major version of 2022, which cut VIEW SERVER STATE in two.
const MAJOR_2022: i32 = 16;
const EXPRESS: i32 = 4;
const AZURE_DB: i32 = 5;
const MANAGED_INSTANCE: i32 = 8;

/// The job tables that the jobs probe reads, and their columns in `doctor.sql`.
const JOB_TABLES: [(&str, &str); 3] = [
    ("sysjobs", "msdb_sysjobs"),
    ("sysjobservers", "msdb_sysjobservers"),
    ("sysjobhistory", "msdb_sysjobhistory"),
];

/// Names behind locks are no probe's: they are asked for when a chain is on the screen.
const LOCKED_OBJECTS: (&str, &[Right]) = ("locked objects", &[Right::Definition, Right::Databases]);

/// The kind of server that grants are written for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Dialect {
    /// 2016 to 2019
    Old,
    /// 2022 and later, Managed Instance
    New,
    /// Azure SQL Database: rights in the database, by user
    Database,
}

/// Asks for the login's rights and reads them.
///
/// # Errors
/// The question was not answered; the sentence says why.
pub async fn examine(
    conn: &mut impl Ask,
    instance: &InstanceId,
    server: &ServerFacts,
) -> Result<Diagnosis, Failure> {
    let question = Question { what: "rights of the login", sql: ASK, params: &[], within: WITHIN };
    let answer = conn.ask(question).await;
    let row = answer.sets.first().filter(|set| set.complete).and_then(tds::ResultSet::first);
    let Some(row) = row else {
        let nothing = || {
            Failure::new(FailureKind::Protocol, "the server answers the question about rights with nothing")
        };
        return Err(answer.error.unwrap_or_else(nothing));
    };
    Ok(diagnose(instance, server, row))
}

fn diagnose(instance: &InstanceId, server: &ServerFacts, row: tds::Row<'_>) -> Diagnosis {
    let dialect = dialect(server);
    let cells = Right::ALL.map(|right| (right, held(right, dialect, server, row)));
    let of = |right: Right| cells.iter().find(|(r, _)| *r == right).map_or(Cell::Unknown, |(_, cell)| *cell);
    let panes = panes();
    let rows = panes.iter().map(|(pane, wanted)| Row {
        pane,
        cells: Right::ALL.map(|right| if wanted.contains(&right) { of(right) } else { Cell::NotUsed }),
    });
    // Names from a server are data: quoted for the script, harmless for the screen. Nothing is cut off a name that is
    // to be granted to, so that no other login is meant by mistake.
    let raw = |column: &str| row.raw_text(column).unwrap_or_default();
    let (login, user) = (raw("login_name"), raw("user_name"));
    let to = if dialect == Dialect::Database { user } else { login };
    let missing: Vec<Right> = Right::ALL.into_iter().filter(|right| of(*right) == Cell::Missing).collect();
    let mut holes = holes(&missing, dialect, to, row);
    // A name that a terminal would not show as it is could hide what is granted to whom.
    if to.is_empty() || *sanitize_line(to, MAX_NAME_CHARS) != *to {
        let by_hand = "-- the login has no name that can be printed: grant this by hand\n";
        for hole in &mut holes {
            hole.script = by_hand.into();
        }
    }
    Diagnosis {
        instance: instance.clone(),
        login: sanitize_line(login, MAX_NAME_CHARS),
        rows: rows.collect(),
        holes,
    }
}

/// Each pane and the rights that it wants: what the scripts of its probes need, and what is unknown in it without.
fn panes() -> Vec<(&'static str, Vec<Right>)> {
    let mut names: Vec<&'static str> = Vec::new();
    for name in catalog::probes().flat_map(|probe| probe.panes) {
        if !names.contains(name) {
            names.push(name);
        }
    }
    let wanted = |pane: &str| {
        let behind = || catalog::probes().filter(|probe| probe.panes.contains(&pane));
        Right::ALL.into_iter().filter(|right| behind().any(|probe| wants(probe, *right))).collect()
    };
    let of_probes = names.into_iter().map(|name| (name, wanted(name)));
    let (locked, rights) = LOCKED_OBJECTS;
    of_probes.chain([(locked, rights.to_vec())]).collect()
}

fn wants(probe: &Probe, right: Right) -> bool {
    let asked = probe.parts.iter().map(|part| part.script.needs);
    let shown = probe.unknown_without.iter().map(|(needs, _)| *needs);
    asked.chain(shown).any(|needs| right_of(needs) == Some(right))
}

fn dialect(server: &ServerFacts) -> Dialect {
    match (server.engine_edition, server.major) {
        (Some(AZURE_DB), _) => Dialect::Database,
        (Some(MANAGED_INSTANCE), _) | (_, Some(MAJOR_2022..)) => Dialect::New,
        _ => Dialect::Old,
    }
}

fn held(right: Right, dialect: Dialect, server: &ServerFacts, row: tds::Row<'_>) -> Cell {
    let any = |columns: &[&str]| {
        let told: Vec<bool> = columns.iter().filter_map(|column| row.bool(column)).collect();
        match (told.is_empty(), told.contains(&true)) {
            (true, _) => Cell::Unknown,
            (false, true) => Cell::Held,
            (false, false) => Cell::Missing,
        }
    };
    match (right, dialect) {
        (Right::Performance, Dialect::Database) => {
            any(&["view_database_performance_state", "view_database_state"])
        }
        (Right::Security, Dialect::Database) => any(&["view_database_security_state", "view_database_state"]),
        (Right::Definition, Dialect::Database) => any(&["view_definition"]),
        (Right::Jobs | Right::Databases | Right::Trace, Dialect::Database) => Cell::NotHere,
        (Right::Jobs, _) if server.engine_edition == Some(EXPRESS) => Cell::NotHere,
        (Right::Performance, _) => any(&["view_server_performance_state", "view_server_state"]),
        (Right::Security, _) => any(&["view_server_security_state", "view_server_state"]),
        (Right::Definition, _) => any(&["view_any_definition"]),
        (Right::Databases, _) => any(&["connect_any_database"]),
        (Right::Trace, _) => any(&["alter_trace"]),
        (Right::Jobs, _) => {
            let told: Vec<Option<bool>> = JOB_TABLES.iter().map(|(_, column)| row.bool(column)).collect();
            if told.iter().all(|held| *held == Some(true)) {
                Cell::Held
            } else if told.contains(&Some(false)) {
                Cell::Missing
            } else {
                Cell::Unknown
            }
        }
    }
}

/// The grants that are missing. Up to 2019 one right stands for two kinds.
fn holes(missing: &[Right], dialect: Dialect, to: &str, row: tds::Row<'_>) -> Vec<Hole> {
    let mut holes: Vec<Hole> = Vec::new();
    let panes = panes();
    for right in missing {
        let (name, script) = grant(*right, dialect, to, row);
        let panes = panes.iter().filter(|(_, wanted)| wanted.contains(right)).map(|(pane, _)| *pane);
        match holes.iter_mut().find(|hole| hole.name == name) {
            Some(known) => known.closes.push(*right),
            None => holes.push(Hole {
                closes: vec![*right],
                name,
                panes: panes.collect(),
                lost: lost(*right),
                script: script.into(),
            }),
        }
    }
    holes
}

/// The things that nobody knows without a right, after the descriptors of the probes.
fn lost(right: Right) -> String {
    if right == Right::Databases {
        return "cannot name locked objects in databases that the login may not enter".to_owned();
    }
    let of_probes = catalog::probes().flat_map(|probe| probe.unknown_without).copied();
    let mut names: Vec<&str> = Vec::new();
    for (needs, name) in of_probes.chain([object::UNKNOWN_WITHOUT, job::UNKNOWN_WITHOUT]) {
        if right_of(needs) == Some(right) && !names.contains(&name) {
            names.push(name);
        }
    }
    match names.split_last() {
        Some((last, rest)) if !rest.is_empty() => format!("cannot see {} and {last}", rest.join(", ")),
        _ => format!("cannot see {}", names.concat()),
    }
}

/// The kind of right that a script needs; None: none.
const fn right_of(needs: Needs) -> Option<Right> {
    match needs {
        Needs::Nothing => None,
        Needs::Trace => Some(Right::Trace),
        Needs::Performance => Some(Right::Performance),
        Needs::Security => Some(Right::Security),
        Needs::Definition => Some(Right::Definition),
        Needs::MsdbJobs => Some(Right::Jobs),
    }
}

/// The right's name, and the script that grants it and nothing else.
fn grant(right: Right, dialect: Dialect, to: &str, row: tds::Row<'_>) -> (&'static str, String) {
    let name = match (right, dialect) {
        (Right::Jobs, _) => return ("SELECT on msdb job tables", jobs_script(to, row)),
        (Right::Performance, Dialect::Database) => "VIEW DATABASE PERFORMANCE STATE",
        (Right::Security, Dialect::Database) => "VIEW DATABASE SECURITY STATE",
        (Right::Definition, Dialect::Database) => "VIEW DEFINITION",
        (Right::Performance, Dialect::New) => "VIEW SERVER PERFORMANCE STATE",
        (Right::Security, Dialect::New) => "VIEW SERVER SECURITY STATE",
        (Right::Performance | Right::Security, Dialect::Old) => "VIEW SERVER STATE",
        (Right::Definition, _) => "VIEW ANY DEFINITION",
        (Right::Databases, _) => "CONNECT ANY DATABASE",
        (Right::Trace, _) => "ALTER TRACE",
    };
    // The database of the connection is the right one in Azure SQL Database, where USE does not work.
    let place = if dialect == Dialect::Database { "" } else { "USE [master];\n" };
    // What else comes with it: a person decides whether knowing growths is worth it.
    let note =
        if right == Right::Trace { "-- this right also lets a login make and stop traces\n" } else { "" };
    (name, format!("{note}{place}GRANT {name} TO {};\nGO\n", quote_name(to)))
}

/// A user in msdb, if there is none, and SELECT on the tables that it cannot read yet.
fn jobs_script(to: &str, row: tds::Row<'_>) -> String {
    let (name, text) = (quote_name(to), quote_text(to));
    let mut script =
        format!("USE [msdb];\nIF USER_ID({text}) IS NULL CREATE USER {name} FOR LOGIN {name};\nGO\n");
    for (table, column) in JOB_TABLES {
        if row.bool(column) != Some(true) {
            let _ = writeln!(script, "GRANT SELECT ON [dbo].[{table}] TO {name};");
        }
    }
    script.push_str("GO\n");
    script
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tds::{Cell as Value, ResultSet};

    fn set(held: &[&str], known: impl Fn(&str) -> bool) -> ResultSet {
        let columns: Vec<String> = ASK
            .split(" AS ")
            .skip(2)
            .map(|rest| rest.split(|c: char| !c.is_alphanumeric() && c != '_').next().unwrap().to_owned())
            .collect();
        let value = |column: &String| match column.as_str() {
            "login_name" => Value::Text("a]b'c".into()),
            "user_name" => Value::Text("dbuser".into()),
            other if !known(other) => Value::Null,
            other => Value::Int(i64::from(held.contains(&other))),
        };
        let row = columns.iter().map(value).collect();
        ResultSet { columns, rows: vec![row], complete: true }
    }

    fn facts(major: i32, engine_edition: i32) -> ServerFacts {
        ServerFacts { major: Some(major), engine_edition: Some(engine_edition), ..ServerFacts::default() }
    }

    fn found(server: &ServerFacts, held: &[&str]) -> Diagnosis {
        let new = server.major >= Some(MAJOR_2022) || server.engine_edition == Some(AZURE_DB);
        let azure = server.engine_edition == Some(AZURE_DB);
        let set = set(held, |name| {
            let of_2022 = name.contains("performance") || name.contains("security");
            let on_server = name.contains("server") && !name.starts_with("msdb")
                || name.contains("any")
                || name == "alter_trace";
            (new || !of_2022) && !(azure && (on_server || name.starts_with("msdb")))
        });
        diagnose(&InstanceId::new("a"), server, set.first().unwrap())
    }

    fn names(of: &Diagnosis) -> Vec<&'static str> {
        of.holes.iter().map(|hole| hole.name).collect()
    }

    #[test]
    fn what_is_lost_is_what_the_probes_say() {
        assert_eq!(
            lost(Right::Definition),
            "cannot see the owners of databases and the size of their logs, names and paths of database files, how large a \
             transaction log may become, names of availability groups, volumes, how database files grow and names behind \
             locks"
        );
        assert_eq!(lost(Right::Jobs), "cannot see failed Agent jobs and names of jobs at work");
        let of_all = lost(Right::Performance);
        for probe in catalog::probes() {
            let wanted =
                probe.parts.iter().filter(|part| part.needed).find_map(|part| right_of(part.script.needs));
            let said = probe.unknown_without.iter().any(|(needs, _)| right_of(*needs) == wanted);
            assert!(wanted.is_none() || said, "{}: what is unknown without its right?", probe.id.name());
            for (_, name) in probe.unknown_without.iter().filter(|(needs, _)| *needs == Needs::Performance) {
                assert!(of_all.contains(name), "{name} in {of_all}");
            }
        }
    }

    #[test]
    fn up_to_2019_one_right_closes_two_holes() {
        let nothing = found(&facts(15, 3), &[]);
        let jobs = "SELECT on msdb job tables";
        assert_eq!(
            names(&nothing),
            ["VIEW SERVER STATE", "VIEW ANY DEFINITION", jobs, "CONNECT ANY DATABASE", "ALTER TRACE"]
        );
        assert_eq!(nothing.holes[4].lost, "cannot see when database files grew");
        assert_eq!(nothing.holes[0].closes, [Right::Performance, Right::Security]);
        let script = nothing.script().unwrap();
        assert!(script.contains("GRANT VIEW SERVER STATE TO [a]]b'c];"), "{script}");
        assert!(script.contains("USER_ID(N'a]b''c') IS NULL CREATE USER [a]]b'c]"), "{script}");
    }

    #[test]
    fn from_2022_on_the_smallest_rights_are_named() {
        let half = found(&facts(16, 3), &["view_server_performance_state", "view_any_definition"]);
        assert_eq!(
            names(&half),
            [
                "VIEW SERVER SECURITY STATE",
                "SELECT on msdb job tables",
                "CONNECT ANY DATABASE",
                "ALTER TRACE"
            ]
        );
        assert_eq!(half.holes[0].panes, ["activity", "blocking"]);
        let managed = found(&facts(12, MANAGED_INSTANCE), &["view_server_state"]);
        assert!(!names(&managed).iter().any(|name| name.contains("STATE")), "{:?}", names(&managed));
    }

    #[test]
    fn azure_sql_database_grants_in_the_database_to_the_user() {
        let azure = found(&facts(12, AZURE_DB), &[]);
        assert_eq!(
            names(&azure),
            ["VIEW DATABASE PERFORMANCE STATE", "VIEW DATABASE SECURITY STATE", "VIEW DEFINITION"]
        );
        let script = azure.script().unwrap();
        assert!(script.contains("TO [dbuser];") && !script.contains("USE "), "{script}");
        let jobs = azure.rows.iter().find(|row| row.pane == "jobs").unwrap();
        assert!(jobs.cells.contains(&Cell::NotHere) && !jobs.cells.contains(&Cell::Missing));
    }

    #[test]
    fn only_tables_that_cannot_be_read_are_granted_and_express_has_no_jobs() {
        let some = found(
            &facts(15, 3),
            &[
                "view_server_state",
                "view_any_definition",
                "connect_any_database",
                "msdb_sysjobs",
                "alter_trace",
            ],
        );
        let script = some.script().unwrap();
        assert!(!script.contains("[sysjobs]") && script.contains("[sysjobhistory]"), "{script}");
        let held = ["view_server_state", "view_any_definition", "connect_any_database", "alter_trace"];
        let express = found(&facts(15, EXPRESS), &held);
        assert_eq!(express.script(), None);
    }

    #[test]
    fn a_name_that_cannot_be_shown_gets_no_script() {
        let mut set = set(&[], |name| !name.contains("performance") && !name.contains("security"));
        let at = set.columns.iter().position(|c| c == "login_name").unwrap();
        set.rows[0][at] = Value::Text("x\u{1b}[2J".into());
        let found = diagnose(&InstanceId::new("a"), &facts(15, 3), set.first().unwrap());
        let script = found.script().unwrap();
        assert!(
            !script.contains('\u{1b}') && !script.contains("GRANT") && script.contains("by hand"),
            "{script}"
        );
    }

    #[test]
    fn each_pane_wants_the_rights_without_which_something_in_it_is_unknown() {
        use Right::{Databases, Definition, Jobs, Performance, Security, Trace};
        let expected: [(&str, &[Right]); 10] = [
            ("fleet", &[Performance]),
            ("instance", &[Performance]),
            ("activity", &[Performance, Security]),
            ("blocking", &[Performance, Security]),
            ("waits", &[Performance]),
            ("storage", &[Performance, Definition, Trace]),
            ("availability", &[Performance, Definition]),
            ("volumes", &[Performance, Definition]),
            ("jobs", &[Jobs]),
            ("locked objects", &[Definition, Databases]),
        ];
        let panes = panes();
        for (pane, wanted) in expected {
            let found = panes.iter().find(|(known, _)| *known == pane).map(|(_, wanted)| &wanted[..]);
            assert_eq!(found, Some(wanted), "{pane}");
        }
    }

    #[test]
    fn a_probe_that_needs_a_right_stands_behind_a_pane() {
        for probe in catalog::probes() {
            let needs = Right::ALL.into_iter().any(|right| wants(probe, right));
            assert!(!needs || !probe.panes.is_empty(), "{}: which pane is it behind?", probe.id.name());
        }
    }
}
