//! A session of Extended Events that records deadlocks, as a script for a DBA: dbtop changes no server, so it makes none itself. Who
//! runs the server decides what such a session may look like.

use crate::model::poll::properties::Hosting;

/// Its name in the scripts.
const NAME: &str = "dbtop_deadlocks";

/// The script, with its reasons as comments, to be looked at before it is run.
pub fn script(hosting: Hosting) -> String {
    let (head, scope, event, target) = match hosting {
        Hosting::Own => (SYSTEM_HEALTH, "SERVER", SERVER_EVENT, FILE),
        Hosting::Rds => (RDS, "SERVER", SERVER_EVENT, RDS_FILE),
        Hosting::ManagedInstance => (MANAGED, "SERVER", SERVER_EVENT, MEMORY),
        Hosting::AzureDatabase => (AZURE, "DATABASE", DATABASE_EVENT, MEMORY),
    };
    format!(
        "{head}\
         CREATE EVENT SESSION {NAME} ON {scope}\n\
         ADD EVENT sqlserver.{event}\n\
         ADD TARGET {target}\n\
         WITH (EVENT_RETENTION_MODE = ALLOW_SINGLE_EVENT_LOSS, MAX_DISPATCH_LATENCY = 10 SECONDS, STARTUP_STATE = ON);\n\
         \n\
         ALTER EVENT SESSION {NAME} ON {scope} STATE = START;\n\
         \n\
         -- To take it away again: DROP EVENT SESSION {NAME} ON {scope};\n"
    )
}

const SERVER_EVENT: &str = "xml_deadlock_report";
const DATABASE_EVENT: &str = "database_xml_deadlock_report";

const FILE: &str =
    "package0.event_file (SET filename = N'dbtop_deadlocks.xel', max_file_size = 20, max_rollover_files = 5)";
const RDS_FILE: &str = "package0.event_file (SET filename = N'D:\\rdsdbdata\\log\\dbtop_deadlocks.xel', max_file_size = 20, max_rollover_files = 5)";
const MEMORY: &str = "package0.ring_buffer (SET max_memory = 4096)";

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
