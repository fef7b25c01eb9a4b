//! The simulator refuses what a real server refuses: our own T-SQL, altered copies of it, and logins without rights.
#![expect(clippy::unwrap_used, reason = "helpers of tests fail like tests")]

use dbtop::model::poll::properties::Hosting;
use dbtop::sim::{
    bind::{Bound, Caller, check_batch},
    schema::Need,
};
use proptest::prelude::*;
use std::{fs, ops::RangeInclusive, path::Path};

const YEARS: [u16; 5] = [2016, 2017, 2019, 2022, 2025];

/// Every script under `tsql/`: name, text, the versions that its header allows.
fn scripts() -> Vec<(String, String, RangeInclusive<u16>)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tsql");
    let mut scripts: Vec<_> = [root.clone(), root.join("probe")]
        .iter()
        .flat_map(|folder| fs::read_dir(folder).unwrap())
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "sql"))
        .map(|path| {
            let text = fs::read_to_string(&path).unwrap();
            let header = text.lines().find(|line| line.starts_with("-- dbtop:")).unwrap();
            let year = |key: &str| {
                let value = header.split_whitespace().find_map(|word| word.strip_prefix(key)).unwrap();
                value.parse().unwrap()
            };
            let years = year("min=")..=year("max=");
            (path.file_stem().unwrap().to_str().unwrap().to_owned(), text, years)
        })
        .collect();
    scripts.sort_by(|a, b| a.0.cmp(&b.0));
    assert!(scripts.len() > 30);
    scripts
}

fn script(wanted: &str) -> String {
    scripts().into_iter().find(|(name, ..)| name == wanted).unwrap().1
}

fn check(text: &str, year: u16, held: impl Fn(Need<'_>) -> bool) -> Bound<'_> {
    check_batch(
        text,
        &Caller { year, hosting: Hosting::Own, user: "monitor", database: "master", held: &held },
    )
}

/// All errors of a batch for a login that may do everything, refusals first.
fn faults(text: &str, year: u16) -> Vec<(i32, String)> {
    let bound = check(text, year, |_| true);
    let all = bound.refused.into_iter().chain(bound.statements.into_iter().flat_map(|it| it.errors));
    all.map(|error| (error.number, error.text)).collect()
}

#[test]
fn every_script_binds_on_each_version_that_it_is_for() {
    for (name, text, years) in scripts() {
        for year in YEARS.into_iter().filter(|year| years.contains(year)) {
            assert_eq!(faults(&text, year), [], "{name} on {year}");
        }
    }
}

#[test]
fn every_script_for_newer_versions_fails_on_older_ones() {
    let mut tried = 0;
    for (name, text, years) in scripts() {
        for year in YEARS.into_iter().filter(|year| year < years.start()) {
            let faults = faults(&text, year);
            assert!(matches!(faults[0].0, 207 | 208), "{name} on {year}: {faults:?}");
            tried += 1;
        }
    }
    assert!(tried > 0);
}

#[test]
fn a_probe_altered_to_name_a_newer_column_fails_on_the_versions_without_it() {
    for (probe, before, column, first) in [
        ("activity", "r.dop,", "page_resource", 2019),
        ("chain", "r.dop,", "is_resumable", 2017),
        ("sysinfo", "i.cpu_count,", "process_physical_affinity", 2017),
        ("databases", "d.name,", "is_ledger_on", 2022),
        ("schedulers", "SUM(s.work_queue_count)", "cpu_time_ms", 9999),
    ] {
        let alias = before.split('.').next().unwrap().trim_start_matches("SUM(");
        let altered = script(probe).replace(before, &format!("{alias}.{column} AS added, {before}"));
        for year in YEARS {
            let expected = (year < first).then(|| (207, format!("Invalid column name '{column}'.")));
            assert_eq!(faults(&altered, year), Vec::from_iter(expected), "{probe} on {year}");
        }
    }
}

#[test]
fn a_text_that_comes_again_is_judged_anew_for_each_caller() {
    let text = script("host_2017");
    for _ in 0..2 {
        assert_eq!(faults(&text, 2016)[0].0, 208);
        assert_eq!(faults(&text, 2017), []);
        assert!(check("SELECT * FROM sys.dm_os_wait_stats", 2022, |_| true).statements[0].errors.is_empty());
        assert!(
            !check("SELECT * FROM sys.dm_os_wait_stats", 2022, |_| false).statements[0].errors.is_empty()
        );
        // More texts than are remembered.
        for number in 0..200 {
            let other = format!("SELECT {number} AS n, nothing_{number}");
            assert_eq!(faults(&other, 2022), [(207, format!("Invalid column name 'nothing_{number}'."))]);
        }
    }
}

#[test]
fn an_unknown_column_stops_the_whole_batch_before_it_runs() {
    let batch = "SELECT 1 AS a;\nSELECT w.wait_type FROM sys.dm_os_wait_stats AS w;\n\
                 SELECT w.nothing,\n    x.y FROM sys.dm_os_wait_stats AS w";
    let bound = check(batch, 2022, |_| true);
    assert!(bound.statements.is_empty());
    let said: Vec<_> = bound.refused.iter().map(|e| (e.number, e.class, e.line, e.text.as_str())).collect();
    assert_eq!(
        said,
        [
            (207, 16, 3, "Invalid column name 'nothing'."),
            (4104, 16, 4, "The multi-part identifier \"x.y\" could not be bound."),
        ]
    );
}

#[test]
fn an_unknown_object_fails_when_its_turn_comes_and_ends_the_batch() {
    let batch = "SELECT 1 AS a;\nSELECT h.no_column FROM\n sys.dm_os_host_info AS h;\nSELECT 2 AS b";
    let bound = check(batch, 2016, |_| true);
    assert_eq!(bound.refused, []);
    let texts: Vec<_> = bound.statements.iter().map(|s| (s.text, s.line, s.ends_batch)).collect();
    assert_eq!(
        texts,
        [
            ("SELECT 1 AS a", 1, false),
            ("SELECT h.no_column FROM\n sys.dm_os_host_info AS h", 2, true),
            ("SELECT 2 AS b", 4, false),
        ]
    );
    let error = &bound.statements[1].errors[0];
    assert_eq!((error.number, error.class, error.line), (208, 16, 2));
    assert_eq!(error.text, "Invalid object name 'sys.dm_os_host_info'.");
    // The same on a version that has the view: now its column counts.
    assert_eq!(faults(batch, 2017), [(207, "Invalid column name 'no_column'.".to_owned())]);
}

#[test]
fn functions_and_views_are_not_mistaken_for_each_other() {
    let text = "SELECT * FROM sys.dm_os_wait_stats(1)";
    assert_eq!(faults(text, 2022)[0].0, 215);
    let text = "SELECT * FROM sys.dm_exec_sql_text AS t";
    let expected = "Parameters were not supplied for the function 'sys.dm_exec_sql_text'.";
    assert_eq!(faults(text, 2022), [(216, expected.to_owned())]);
}

/// What a login gets that holds nothing: the first error of the statement that selects from `from`.
fn without_rights(from: &str, year: u16) -> Option<(i32, u8, String)> {
    let text = format!("SELECT *\nFROM {from}");
    let bound = check(&text, year, |need| matches!(need, Need::Enter(_)));
    assert_eq!(bound.refused, []);
    let statement = &bound.statements[0];
    assert!(!statement.ends_batch, "a missing right fails its statement only");
    statement.errors.first().map(|error| {
        assert_eq!(error.line, 1);
        (error.number, error.class, error.text.clone())
    })
}

#[test]
fn a_missing_right_shows_as_the_server_shows_it() {
    let server = |right: &str| {
        Some((300, 14, format!("{right} permission was denied on object 'server', database 'master'.")))
    };
    for view in ["dm_os_wait_stats", "dm_tran_locks", "dm_os_sys_info", "dm_exec_input_buffer(1, NULL)"] {
        let view = format!("sys.{view}");
        assert_eq!(without_rights(&view, 2019), server("VIEW SERVER STATE"), "{view}");
        assert_eq!(without_rights(&view, 2022), server("VIEW SERVER PERFORMANCE STATE"), "{view}");
    }
    assert_eq!(without_rights("sys.dm_server_services", 2025), server("VIEW SERVER SECURITY STATE"));
    for view in ["sys.dm_exec_connections", "sys.dm_exec_sql_text(0x01)"] {
        assert_eq!(without_rights(view, 2016), server("VIEW SERVER STATE"), "{view}");
        let (number, class, text) = without_rights(view, 2022).unwrap();
        assert_eq!((number, class), (371, 14), "{view}");
        assert!(text.ends_with("or permission 'VIEW SERVER PERFORMANCE STATE' to perform this action."));
    }
    let database = |right: &str| Some((262, 14, format!("{right} permission denied in database 'master'.")));
    for view in ["sys.dm_hadr_database_replica_states", "sys.dm_db_partition_stats"] {
        assert_eq!(without_rights(view, 2019), database("VIEW DATABASE STATE"));
        assert_eq!(without_rights(view, 2022), database("VIEW DATABASE PERFORMANCE STATE"));
    }
    let table = "The SELECT permission was denied on the object 'sysjobs', database 'msdb', schema 'dbo'.";
    assert_eq!(without_rights("msdb.dbo.sysjobs", 2022), Some((229, 14, table.to_owned())));
    for open in ["dm_exec_sessions", "dm_exec_requests", "dm_os_host_info", "databases", "master_files"] {
        assert_eq!(without_rights(&format!("sys.{open}"), 2022), None, "{open}");
    }
}

#[test]
fn the_batch_goes_on_after_a_missing_right() {
    let batch = "SELECT 1 AS a; SELECT * FROM sys.dm_os_wait_stats AS w; SELECT 2 AS b";
    let bound = check(batch, 2022, |_| false);
    let numbers: Vec<Vec<i32>> =
        bound.statements.iter().map(|s| s.errors.iter().map(|e| e.number).collect()).collect();
    assert_eq!(numbers, [vec![], vec![300, 297], vec![]]);
}

#[test]
fn rights_that_include_others_are_enough() {
    let performance = |need: Need<'_>| need == Need::ServerPerformanceState;
    let errors = |from: &str| {
        let text = format!("SELECT * FROM {from}");
        let bound = check(&text, 2022, performance);
        bound.statements[0].errors.iter().map(|error| error.number).collect::<Vec<_>>()
    };
    assert_eq!(errors("sys.dm_os_wait_stats"), Vec::<i32>::new());
    assert_eq!(errors("sys.dm_db_partition_stats"), Vec::<i32>::new());
    assert_eq!(errors("sys.dm_exec_sql_text(0x01)"), Vec::<i32>::new());
    // The other half of VIEW SERVER STATE.
    assert_eq!(errors("sys.dm_server_services"), [300, 297]);
    assert_eq!(errors("sys.dm_exec_connections"), [371]);
}

#[test]
fn a_database_that_the_login_may_not_enter_is_refused_by_name() {
    let text = script("resolve_hobt").replace("[$db$]", "[Pay roll]");
    let bound = check(&text, 2022, |need| need != Need::Enter("Pay roll"));
    let error = &bound.statements[0].errors[0];
    assert_eq!(error.number, 916);
    assert!(
        error
            .text
            .starts_with("The server principal \"monitor\" is not able to access the database \"Pay roll\"")
    );
}

#[test]
fn all_probes_in_one_batch_keep_their_tags_and_lines() {
    let scripts: Vec<_> = scripts().into_iter().filter(|(name, ..)| name != "session").collect();
    let batch: String = scripts.iter().map(|(_, text, _)| text.as_str()).collect();
    let bound = check(&batch, 2025, |_| true);
    assert_eq!(bound.refused, []);
    assert_eq!(bound.statements.len(), scripts.len());
    for (statement, (name, ..)) in bound.statements.iter().zip(&scripts) {
        assert!(statement.text.starts_with(&format!("SELECT /* dbtop:{name} */")), "{}", statement.text);
        let line = batch.lines().nth(usize::try_from(statement.line).unwrap() - 1).unwrap();
        assert_eq!(Some(line), statement.text.lines().next());
    }
}

proptest! {
    #[test]
    fn any_text_is_answered(
        text in r"(SELECT |FROM |WITH |AS |\(|\)|,|\.|a|\*|sys\.|msdb\.dbo\.|dm_exec_requests |sysjobs |session_id|JOIN |ON |= |;|\n|INSERT |IF |'|\[|@t |#t |UNION |\PC){0,40}",
        year in prop::sample::select(&YEARS[..]),
        rights: bool,
    ) {
        let bound = check(&text, year, |_| rights);
        prop_assert!(bound.refused.is_empty() || bound.statements.is_empty());
        for statement in &bound.statements {
            prop_assert!(text.contains(statement.text));
        }
    }
}
