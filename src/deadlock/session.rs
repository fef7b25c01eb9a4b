//! Sessions of Extended Events that record what dbtop reads, as scripts for a DBA: dbtop changes no server, so it makes none itself. Who
//! runs the server decides what such a session may look like. Most are for deadlocks; one for growths of files differs in what it records.

use crate::model::poll::properties::Hosting;

/// The session for deadlocks, with its reasons as comments, to be looked at before it is run.
pub fn script(hosting: Hosting) -> String {
    let (head, event) = match hosting {
        Hosting::Own => (SYSTEM_HEALTH, SERVER_EVENT),
        Hosting::Rds => (RDS, SERVER_EVENT),
        Hosting::ManagedInstance => (MANAGED, SERVER_EVENT),
        Hosting::AzureDatabase => (AZURE, DATABASE_EVENT),
    };
    format!("{head}{}", session("dbtop_deadlocks", event, hosting))
}

/// The same for times that files grow by themselves.
pub fn of_growths(hosting: Hosting) -> String {
    let head = match hosting {
        Hosting::Own | Hosting::Rds => GROWTHS,
        Hosting::ManagedInstance | Hosting::AzureDatabase => GROWTHS_IN_MEMORY,
    };
    format!("{head}{}", session("dbtop_growths", GROWTH_EVENT, hosting))
}

/// Makes and starts a session with one event.
fn session(name: &str, event: &str, hosting: Hosting) -> String {
    let file = |folder: &str| {
        format!(
            "package0.event_file (SET filename = N'{folder}{name}.xel', max_file_size = 20, max_rollover_files = 5)"
        )
    };
    let (scope, target) = match hosting {
        Hosting::Own => ("SERVER", file("")),
        Hosting::Rds => ("SERVER", file("D:\\rdsdbdata\\log\\")),
        Hosting::ManagedInstance => ("SERVER", MEMORY.to_owned()),
        Hosting::AzureDatabase => ("DATABASE", MEMORY.to_owned()),
    };
    format!(
        "CREATE EVENT SESSION {name} ON {scope}\n\
         ADD EVENT sqlserver.{event}\n\
         ADD TARGET {target}\n\
         WITH (EVENT_RETENTION_MODE = ALLOW_SINGLE_EVENT_LOSS, MAX_DISPATCH_LATENCY = 10 SECONDS, STARTUP_STATE = ON);\n\
         \n\
         ALTER EVENT SESSION {name} ON {scope} STATE = START;\n\
         \n\
         -- To take it away again: DROP EVENT SESSION {name} ON {scope};\n"
    )
}

const SERVER_EVENT: &str = "xml_deadlock_report";
const DATABASE_EVENT: &str = "database_xml_deadlock_report";
const GROWTH_EVENT: &str = "database_file_size_change (\n    \
    SET collect_database_name = (1)\n    \
    ACTION (sqlserver.client_app_name, sqlserver.client_hostname, sqlserver.username)\n    \
    WHERE (is_automatic = (1)))";

const MEMORY: &str = "package0.ring_buffer (SET max_memory = 4096)";

const GROWTHS: &str = "\
-- A session that keeps the times at which files grew: 100 MB at most in the server's log folder, on RDS in
-- D:\\rdsdbdata\\log. Where the default trace was switched off, switching it on is another way:
-- EXEC sp_configure 'default trace enabled', 1; RECONFIGURE; Right: ALTER ANY EVENT SESSION.
";

const GROWTHS_IN_MEMORY: &str = "\
-- A session that keeps the times at which files grew in memory, until the next failover; dbtop keeps what it has read.
-- On Azure SQL Database it tells of the database that dbtop is connected to: run it there.
-- Right: ALTER ANY EVENT SESSION, on Azure SQL Database ALTER ANY DATABASE EVENT SESSION.
";

const SYSTEM_HEALTH: &str = "\
-- The server records deadlocks by itself, in its session system_health. If that was stopped, start it again:
ALTER EVENT SESSION system_health ON SERVER STATE = START;

-- Or a session for deadlocks alone: 100 MB at most in the server's log folder. Right: ALTER ANY EVENT SESSION.
";

const RDS: &str = "\
-- On RDS a session that keeps deadlocks in files of its own: 100 MB at most in D:\\rdsdbdata\\log, where the
-- login that dbtop uses may read them. Right: ALTER ANY EVENT SESSION, which the master user has.
";

const MANAGED: &str = "\
-- On a Managed Instance a session that keeps deadlocks in memory, 4 MB of them until the next failover; dbtop keeps what
-- it has read. A file in Azure storage (a URL as its filename, with a credential) keeps more. Right: ALTER ANY EVENT SESSION.
";

const AZURE: &str = "\
-- On Azure SQL Database each database has sessions of its own, and dbtop reads those of the database that it is connected
-- to: run this there. It keeps 4 MB of deadlocks in memory until the next failover; dbtop keeps what it has read.
-- In master, sys.fn_xe_telemetry_blob_target_read_file('dl', NULL, NULL, NULL) has the deadlocks of all databases; reading
-- it takes minutes, so dbtop does not. Right: ALTER ANY DATABASE EVENT SESSION.
";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_server_has_a_script_that_fits_it() {
        let of = |hosting, words: &[&str]| {
            let script = script(hosting);
            for word in words {
                assert!(script.contains(word), "{hosting:?}: {word} in\n{script}");
            }
            assert!(script.lines().all(|line| line.chars().count() <= 160), "{script}");
            assert!(!script.contains('\\') || hosting == Hosting::Rds);
            let growths = of_growths(hosting);
            for word in
                ["dbtop_growths ON", "sqlserver.database_file_size_change", "WHERE (is_automatic = (1))"]
            {
                assert!(growths.contains(word), "{hosting:?}: {word} in\n{growths}");
            }
            assert_eq!(growths.contains("ring_buffer"), script.contains("ring_buffer"), "{growths}");
        };
        of(
            Hosting::Own,
            &["ON SERVER STATE = START", "event_file", "system_health", "sqlserver.xml_deadlock_report"],
        );
        of(Hosting::Rds, &[r"N'D:\rdsdbdata\log\dbtop_deadlocks.xel'", "ON SERVER"]);
        of(Hosting::ManagedInstance, &["ring_buffer", "ON SERVER", "sqlserver.xml_deadlock_report"]);
        of(
            Hosting::AzureDatabase,
            &["ring_buffer", "ON DATABASE\n", "sqlserver.database_xml_deadlock_report", "'dl'"],
        );
    }
}
