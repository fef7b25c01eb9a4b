//! The rights of an instance's monitoring login. Most have all that dbtop asks for; a few lack one, as in real life.

use super::{moment::Moment, version::Version};
use crate::sim::{
    scenario::Kind,
    schema::{Need, Securable, known_permission},
};

/// The login's rights.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[expect(clippy::struct_excessive_bools, reason = "rights are independent yes-or-no facts")]
pub struct Rights {
    /// VIEW SERVER STATE
    pub server_state: bool,
    /// VIEW SERVER PERFORMANCE STATE, by itself or as part of VIEW SERVER STATE
    pub performance: bool,
    /// VIEW SERVER SECURITY STATE, by itself or as part of VIEW SERVER STATE
    pub security: bool,
    /// VIEW ANY DEFINITION
    pub definition: bool,
    /// CONNECT ANY DATABASE
    pub connect_any: bool,
    /// ALTER ANY CONNECTION: KILL
    pub kill: bool,
    /// ALTER TRACE: the files of traces
    pub trace: bool,
    /// SELECT on tables of msdb: a bit for each of [`MSDB_TABLES`], and [`MSDB_ALL`] for every table there is
    pub msdb: u8,
    /// a user in msdb
    pub msdb_user: bool,
    /// sysadmin: may everything, and grant it
    pub admin: bool,
}

/// The tables of msdb that rights are granted on one by one.
pub const MSDB_TABLES: [&str; 3] = ["sysjobs", "sysjobservers", "sysjobhistory"];
/// SELECT on everything in msdb, as db_datareader has it.
pub const MSDB_ALL: u8 = 0b1000_0111;

/// A login of the simulated fleet beside the monitoring one.
#[derive(Debug, Clone)]
pub struct Login {
    /// name
    pub user: String,
    /// password
    pub password: String,
    /// its rights at the start, on every instance
    pub rights: Rights,
}

/// A right that is given to a login or user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Grant {
    /// GRANT of a right on the server
    Server {
        /// its name
        right: String,
        /// to which login
        to: String,
    },
    /// GRANT SELECT on a table of the current database
    Select {
        /// which
        table: String,
        /// to which user
        to: String,
    },
    /// CREATE USER of that name for the login of that name in the current database
    User(String),
}

impl Rights {
    /// None at all.
    pub const NONE: Self = Self {
        server_state: false,
        performance: false,
        security: false,
        definition: false,
        connect_any: false,
        kill: false,
        trace: false,
        msdb: 0,
        msdb_user: false,
        admin: false,
    };
    /// The rights of a sysadmin.
    pub const ADMIN: Self = Self {
        server_state: true,
        performance: true,
        security: true,
        definition: true,
        connect_any: true,
        kill: true,
        trace: true,
        msdb: MSDB_ALL,
        msdb_user: true,
        admin: true,
    };

    /// True if SELECT on this table of msdb is held.
    pub fn selects_in_msdb(self, table: &str) -> bool {
        let known = MSDB_TABLES.iter().position(|name| name.eq_ignore_ascii_case(table));
        known.map_or(self.msdb == MSDB_ALL, |bit| self.msdb & (1 << bit) != 0)
    }

    /// These rights with those of `grant`. The error is the server's: number and text.
    ///
    /// # Errors
    /// The right is not known in that version, or the grant is made in the wrong database.
    pub fn with(mut self, grant: &Grant, database: &str, version: Version) -> Result<Self, (i32, String)> {
        let in_msdb = database.eq_ignore_ascii_case("msdb");
        match grant {
            Grant::Server { right, .. } => {
                if !known_permission(Securable::Server, right, version.year()) {
                    return Err((102, format!("Incorrect syntax near '{right}'.")));
                }
                if !database.eq_ignore_ascii_case("master") {
                    let text = "Permissions at the server scope can only be granted when the current database is master";
                    return Err((4621, text.to_owned()));
                }
                match right.to_ascii_uppercase().as_str() {
                    "VIEW SERVER STATE" => {
                        (self.server_state, self.performance, self.security) = (true, true, true);
                    }
                    "VIEW SERVER PERFORMANCE STATE" => self.performance = true,
                    "VIEW SERVER SECURITY STATE" => self.security = true,
                    "VIEW ANY DEFINITION" => self.definition = true,
                    "CONNECT ANY DATABASE" => self.connect_any = true,
                    "ALTER ANY CONNECTION" => self.kill = true,
                    "ALTER TRACE" => self.trace = true,
                    _ => {}
                }
            }
            Grant::Select { table, to } => {
                if in_msdb && !self.msdb_user {
                    let text = format!(
                        "Cannot find the user '{to}', because it does not exist or you do not have permission."
                    );
                    return Err((15_151, text));
                }
                let here = |name: &&str| in_msdb && name.eq_ignore_ascii_case(table);
                let Some(bit) = MSDB_TABLES.iter().position(here) else {
                    let text = format!(
                        "Cannot find the object '{table}', because it does not exist or you do not have permission."
                    );
                    return Err((15_151, text));
                };
                self.msdb |= 1 << bit;
            }
            Grant::User(_) => self.msdb_user |= in_msdb,
        }
        Ok(self)
    }

    /// True if a need of the schema is met.
    pub fn held(self, need: Need<'_>) -> bool {
        match need {
            Need::ServerPerformanceState | Need::DatabasePerformanceState => self.performance,
            Need::ServerSecurityState => self.security,
            Need::AnyDefinition => self.definition,
            Need::AnyDatabase => true,
            Need::SelectInMsdb(table) => self.selects_in_msdb(table),
            Need::Enter(database) => self.may_enter(database),
        }
    }

    /// True if the login may enter a database: the system ones have a guest.
    pub fn may_enter(self, database: &str) -> bool {
        let guest = ["master", "tempdb", "msdb"].iter().any(|db| db.eq_ignore_ascii_case(database));
        self.connect_any || guest
    }

    /// HAS_PERMS_BY_NAME for the server: None where the version does not know the name.
    pub fn on_server(self, right: &str, version: Version) -> Option<bool> {
        if !known_permission(Securable::Server, right, version.year()) {
            return None;
        }
        let is = |name: &str| name.eq_ignore_ascii_case(right.trim_end());
        Some(
            (is("VIEW SERVER STATE") && self.server_state)
                || (is("VIEW SERVER PERFORMANCE STATE") && self.performance)
                || (is("VIEW SERVER SECURITY STATE") && self.security)
                || (is("VIEW ANY DEFINITION") && self.definition)
                || (is("CONNECT ANY DATABASE") && self.connect_any)
                || (is("ALTER ANY CONNECTION") && self.kill)
                || (is("ALTER TRACE") && self.trace)
                || is("VIEW ANY DATABASE")
                || is("CONNECT SQL"),
        )
    }
}

impl Moment<'_> {
    /// The monitoring login's rights here and now.
    pub fn rights(&self) -> Rights {
        let p = self.profile;
        if self.is(Kind::NoRights) {
            return Rights::NONE;
        }
        let dice = p.dice.of("rights");
        // on new servers some administrators grant only the half that performance needs
        let half = p.version >= Version::V2022 && dice.of("half").chance(0.2);
        let msdb = dice.of("msdb").chance(0.9);
        Rights {
            server_state: !half,
            performance: true,
            security: !half,
            definition: true,
            connect_any: dice.of("connect").chance(0.9),
            kill: dice.of("kill").chance(0.8),
            trace: dice.of("trace").chance(0.8),
            msdb: if msdb { MSDB_ALL } else { 0 },
            msdb_user: msdb,
            admin: false,
        }
    }
}
