//! Tests of the schema: it is consistent in itself, and it has the objects that dbtop asks for.

use super::*;
use crate::sql::ident::parse_name;

const YEARS: [u16; 5] = [2016, 2017, 2019, 2022, 2025];

#[test]
fn every_name_is_there_once_and_every_year_is_one_that_is_played() {
    let mut seen = std::collections::BTreeSet::new();
    for object in objects() {
        assert!(
            seen.insert((format!("{:?}", object.home), object.name.to_lowercase())),
            "{} twice",
            object.name
        );
        assert!(YEARS.contains(&object.since), "{}", object.name);
        assert!(object.columns_in(object.since).next().is_some(), "{} begins without columns", object.name);
        let mut columns = std::collections::BTreeSet::new();
        for column in object.columns {
            assert!(columns.insert(column.name.to_lowercase()), "{}.{} twice", object.name, column.name);
            assert!(YEARS.contains(&column.since), "{}.{}", object.name, column.name);
            assert!(
                column.since == 2016 || column.since > object.since,
                "{}.{} says what its object says",
                object.name,
                column.name
            );
        }
    }
    assert!(seen.len() > 200);
}

#[test]
fn names_are_found_as_a_server_finds_them() {
    let found = |name: &str, database: &str| find(&parse_name(name).unwrap(), database).map(|o| o.name);
    for (name, database, object) in [
        ("sys.dm_os_wait_stats", "Sales", "dm_os_wait_stats"),
        ("SYS.DM_OS_WAIT_STATS", "Sales", "dm_os_wait_stats"),
        ("[my db].sys.partitions", "master", "partitions"),
        ("msdb.dbo.sysjobs", "master", "sysjobs"),
        ("msdb..sysjobs", "master", "sysjobs"),
        ("dbo.sysjobs", "msdb", "sysjobs"),
        ("sysjobs", "MSDB", "sysjobs"),
        ("master..sysprocesses", "Sales", "sysprocesses"),
        ("information_schema.tables", "Sales", "TABLES"),
    ] {
        assert_eq!(found(name, database), Some(object), "{name} in {database}");
    }
    for (name, database) in [
        ("dm_os_wait_stats", "master"),
        ("dbo.databases", "master"),
        ("sysjobs", "master"),
        ("msdb.sys.sysjobs", "msdb"),
        ("other.sys.databases.x", "master"),
        ("srv.master.sys.databases", "master"),
        ("sys.dm_db_resource_stats", "master"),
    ] {
        assert_eq!(found(name, database), None, "{name} in {database}");
    }
}

#[test]
fn columns_come_and_go_with_the_versions() {
    let has =
        |object: &str, column: &str, year| get(Home::Sys, object).unwrap().column_in(column, year).is_some();
    assert!(!has("dm_exec_requests", "page_resource", 2017));
    assert!(has("dm_exec_requests", "Page_Resource", 2019));
    // Service Pack 2 brought these to 2016.
    assert!(has("dm_os_sys_info", "numa_node_count", 2016));
    assert!(has("dm_os_sys_info", "sql_memory_model_desc", 2016));
    assert!(has("dm_exec_query_stats", "total_spills", 2016));
    assert!(!has("dm_exec_procedure_stats", "total_spills", 2016));
    assert!(has("tables", "remote_data_archive_migration_state", 2016));
    assert!(!has("tables", "remote_data_archive_migration_state", 2017));
    let exists = |object: &str, year| get(Home::Sys, object).unwrap().exists_in(year);
    assert!(exists("dm_exec_input_buffer", 2016) && exists("dm_tran_version_store_space_usage", 2016));
    assert!(!exists("dm_os_host_info", 2016) && exists("dm_os_host_info", 2017));
    assert!(!exists("dm_db_page_info", 2017) && exists("dm_db_page_info", 2019));
}

#[test]
fn the_names_of_rights_depend_on_the_version() {
    for year in YEARS {
        assert!(known_permission(Securable::Server, "view server state", year));
        assert_eq!(known_permission(Securable::Server, "VIEW SERVER PERFORMANCE STATE", year), year >= 2022);
        assert_eq!(known_permission(Securable::Database, "VIEW DATABASE SECURITY STATE", year), year >= 2022);
        assert!(!known_permission(Securable::Database, "VIEW SERVER STATE", year));
        assert!(known_permission(Securable::Object, "SELECT", year));
        assert!(!known_permission(Securable::Server, "VIEW SERVER", year));
    }
}
