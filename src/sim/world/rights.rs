//! What the monitoring login of an instance may do. Most may all that dbtop asks for; a few lack something, as in life.

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
    /// SELECT on the tables of msdb
    pub msdb: bool,
}

impl Rights {
    /// Whether a need of the schema is met.
    pub fn held(self, need: Need<'_>) -> bool {
        match need {
            Need::ServerPerformanceState | Need::DatabasePerformanceState => self.performance,
            Need::ServerSecurityState => self.security,
            Need::AnyDefinition => self.definition,
            Need::AnyDatabase => true,
            Need::SelectInMsdb(_) => self.msdb,
            Need::Enter(database) => self.may_enter(database),
        }
    }

    /// Whether the login may enter a database: the system ones have a guest.
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
            return Rights {
                server_state: false,
                performance: false,
                security: false,
                definition: false,
                connect_any: false,
                kill: false,
                msdb: false,
            };
        }
        let dice = p.dice.of("rights");
        // on new servers some administrators grant only the half that performance needs
        let half = p.version >= Version::V2022 && dice.of("half").chance(0.2);
        Rights {
            server_state: !half,
            performance: true,
            security: !half,
            definition: true,
            connect_any: dice.of("connect").chance(0.9),
            kill: dice.of("kill").chance(0.8),
            msdb: dice.of("msdb").chance(0.9),
        }
    }
}
