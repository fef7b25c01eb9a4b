//! The names of rights, for `HAS_PERMS_BY_NAME`, which returns NULL, not 0, for a name that a version does not know.

/// The securable of a right: the second argument of `HAS_PERMS_BY_NAME`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Securable {
    /// the server (NULL, NULL)
    Server,
    /// a database
    Database,
    /// a table, view, function or procedure
    Object,
}

/// Rights on the server that 2016 knows.
#[rustfmt::skip]
const SERVER_2016: &[&str] = &[
    "ADMINISTER BULK OPERATIONS", "ALTER ANY AVAILABILITY GROUP", "ALTER ANY CONNECTION", "ALTER ANY CREDENTIAL",
    "ALTER ANY DATABASE", "ALTER ANY ENDPOINT", "ALTER ANY EVENT NOTIFICATION", "ALTER ANY EVENT SESSION",
    "ALTER ANY LINKED SERVER", "ALTER ANY LOGIN", "ALTER ANY SERVER AUDIT", "ALTER ANY SERVER ROLE",
    "ALTER RESOURCES", "ALTER SERVER STATE", "ALTER SETTINGS", "ALTER TRACE", "AUTHENTICATE SERVER",
    "CONNECT ANY DATABASE", "CONNECT SQL", "CONTROL SERVER", "CREATE ANY DATABASE", "CREATE AVAILABILITY GROUP",
    "CREATE DDL EVENT NOTIFICATION", "CREATE ENDPOINT", "CREATE SERVER ROLE",
    "CREATE TRACE EVENT NOTIFICATION", "EXTERNAL ACCESS ASSEMBLY", "IMPERSONATE ANY LOGIN",
    "SELECT ALL USER SECURABLES", "SHUTDOWN", "UNSAFE ASSEMBLY", "VIEW ANY DATABASE", "VIEW ANY DEFINITION",
    "VIEW SERVER STATE",
];

/// Rights on the server that came with 2022.
#[rustfmt::skip]
const SERVER_2022: &[&str] = &[
    "ADD ANY EVENT SESSION EVENT", "ADD ANY EVENT SESSION TARGET", "ALTER ANY EVENT SESSION DISABLE",
    "ALTER ANY EVENT SESSION DROP EVENT", "ALTER ANY EVENT SESSION DROP TARGET", "ALTER ANY EVENT SESSION ENABLE",
    "ALTER ANY EVENT SESSION OPTION", "CREATE ANY EVENT SESSION", "CREATE LOGIN", "DROP ANY EVENT SESSION",
    "VIEW ANY CRYPTOGRAPHICALLY SECURED DEFINITION", "VIEW ANY ERROR LOG", "VIEW ANY PERFORMANCE DEFINITION",
    "VIEW ANY SECURITY DEFINITION", "VIEW SERVER PERFORMANCE STATE", "VIEW SERVER SECURITY AUDIT",
    "VIEW SERVER SECURITY STATE",
];

/// Rights on a database that 2016 knows; the ones that a monitor may ask about.
#[rustfmt::skip]
const DATABASE_2016: &[&str] = &[
    "ALTER", "ALTER ANY DATABASE AUDIT", "ALTER ANY DATABASE EVENT SESSION", "ALTER ANY ROLE", "ALTER ANY SCHEMA",
    "ALTER ANY USER", "BACKUP DATABASE", "BACKUP LOG", "CHECKPOINT", "CONNECT", "CONTROL", "CREATE FUNCTION",
    "CREATE PROCEDURE", "CREATE TABLE", "CREATE VIEW", "DELETE", "EXECUTE", "INSERT", "KILL DATABASE CONNECTION",
    "REFERENCES", "SELECT", "SHOWPLAN", "TAKE OWNERSHIP", "UNMASK", "UPDATE", "VIEW DATABASE STATE",
    "VIEW DEFINITION",
];

/// Rights on a database that came with 2022.
#[rustfmt::skip]
const DATABASE_2022: &[&str] = &[
    "VIEW DATABASE PERFORMANCE STATE", "VIEW DATABASE SECURITY AUDIT", "VIEW DATABASE SECURITY STATE",
    "VIEW PERFORMANCE DEFINITION", "VIEW SECURITY DEFINITION",
];

/// Rights on an object.
#[rustfmt::skip]
const OBJECT: &[&str] = &[
    "ALTER", "CONTROL", "DELETE", "EXECUTE", "INSERT", "RECEIVE", "REFERENCES", "SELECT", "TAKE OWNERSHIP",
    "UPDATE", "VIEW CHANGE TRACKING", "VIEW DEFINITION",
];

/// True if the version of that year knows a right of this name on this kind of securable; compared without case.
/// `HAS_PERMS_BY_NAME` returns NULL for an unknown name.
pub fn known_permission(on: Securable, name: &str, year: u16) -> bool {
    let (always, since_2022): (&[&str], &[&str]) = match on {
        Securable::Server => (SERVER_2016, SERVER_2022),
        Securable::Database => (DATABASE_2016, DATABASE_2022),
        Securable::Object => (OBJECT, &[]),
    };
    let has = |list: &[&str]| list.iter().any(|known| known.eq_ignore_ascii_case(name.trim_end()));
    has(always) || (year >= 2022 && has(since_2022))
}
