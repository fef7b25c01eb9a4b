//! Properties of an instance, and what the login may see: polled at connect and hourly.

use super::{
    id::{Emit, ProbeId},
    names::{Field, Kind, Visit, Where, maybe},
    outcome::Outcome,
};
use crate::model::base::{filter::Value, time::Timestamp};
use serde::{Deserialize, Serialize};
use std::{collections::HashMap, sync::Arc};

/// The operating system below the instance.
/// In files by name: fields and variants keep their names, a new field has a default.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum Platform {
    /// not known (no right, or the view is missing)
    #[default]
    Unknown,
    /// Windows
    Windows,
    /// Linux: `SystemIdle` of the ring buffer is not to be believed before 2025
    Linux,
}

/// Engine edition of Azure SQL Database.
pub const AZURE_DATABASE: i32 = 5;
/// Engine edition of a Managed Instance of Azure SQL.
pub const MANAGED_INSTANCE: i32 = 8;
/// The database that every instance of Amazon RDS has.
pub const OF_RDS: &str = "rdsadmin";

/// Who runs a server, as far as it decides what a DBA may do there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Hosting {
    /// those who own the machine
    #[default]
    Own,
    /// Amazon RDS
    Rds,
    /// a Managed Instance of Azure SQL
    ManagedInstance,
    /// Azure SQL Database
    AzureDatabase,
}

impl Hosting {
    /// By the engine edition and the names of the databases.
    pub fn of<'n>(engine_edition: Option<i32>, mut databases: impl Iterator<Item = &'n str>) -> Self {
        match engine_edition {
            Some(AZURE_DATABASE) => Self::AzureDatabase,
            Some(MANAGED_INSTANCE) => Self::ManagedInstance,
            _ if databases.any(|name| name.eq_ignore_ascii_case(OF_RDS)) => Self::Rds,
            _ => Self::Own,
        }
    }
}

/// Server properties. Every field is what the server said, or None.
/// In files by position: fields are only appended, each with a default; variants keep their names.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Properties {
    /// SERVERPROPERTY('ServerName')
    pub server_name: Option<Arc<str>>,
    /// MachineName
    pub machine_name: Option<Arc<str>>,
    /// Edition, such as `Enterprise Edition (64-bit)`
    pub edition: Option<Arc<str>>,
    /// EngineEdition: 2 Standard, 3 Enterprise, 4 Express, 5 Azure SQL DB, 8 Managed Instance …
    pub engine_edition: Option<i32>,
    /// ProductVersion, such as `15.0.4430.1`
    pub version: Option<Arc<str>>,
    /// ProductMajorVersion: 13 = 2016, 14 = 2017, 15 = 2019, 16 = 2022, 17 = 2025
    pub major: Option<i32>,
    /// ProductLevel, such as `RTM` or `SP2`
    pub level: Option<Arc<str>>,
    /// ProductUpdateLevel, such as `CU27`
    pub update_level: Option<Arc<str>>,
    /// Collation
    pub collation: Option<Arc<str>>,
    /// IsHadrEnabled
    pub hadr_enabled: Option<bool>,
    /// IsClustered
    pub clustered: Option<bool>,
    /// platform
    pub platform: Platform,
    /// distribution or Windows name, such as `Ubuntu` or `Windows Server 2022`
    pub os_name: Option<Arc<str>>,
    /// logical CPUs
    pub cpu_count: Option<i32>,
    /// NUMA nodes
    pub numa_nodes: Option<i32>,
    /// physical memory, KB
    pub physical_memory_kb: Option<i64>,
    /// memory target, KB
    pub target_memory_kb: Option<i64>,
    /// maximum number of workers
    pub max_workers: Option<i32>,
    /// start of the instance, UTC, from the server's clock
    pub started_at: Option<Timestamp>,
    /// the server's offset from UTC, minutes
    pub utc_offset_min: Option<i32>,
    /// the server's clock minus ours, milliseconds
    pub clock_skew_ms: Option<i64>,
    /// how the connection came to be protected, such as `TLS verified` (said by the driver layer)
    pub transport: Option<Arc<str>>,
    /// options of `sp_configure`, by name; None: not told
    pub options: Option<Arc<Vec<ServerOption>>>,
}

/// An option of `sp_configure`.
/// In files by position: fields are only appended, each with a default; variants keep their names.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ServerOption {
    /// such as `max server memory (MB)`
    pub name: Arc<str>,
    /// what is configured
    pub configured: Option<i64>,
    /// what is in use; another value waits for RECONFIGURE or a restart
    pub in_use: Option<i64>,
}

impl ServerOption {
    /// `4096`, or `4096, configured 8192` while that waits for RECONFIGURE or a restart. None: no figure is known.
    pub fn words(&self) -> Option<String> {
        match (self.in_use, self.configured) {
            (Some(now), Some(next)) if now != next => Some(format!("{now}, configured {next}")),
            (Some(one), _) => Some(one.to_string()),
            (None, Some(next)) => Some(format!("configured {next}")),
            (None, None) => None,
        }
    }
}

impl Properties {
    /// The options that are another one's and ours with another value, by name: before and now, in words. One that only
    /// one of the two knows (another version) is no change.
    pub fn changed_options(&self, now: &Self) -> Vec<(Arc<str>, String, String)> {
        let (Some(before), Some(now)) = (&self.options, &now.options) else { return Vec::new() };
        let known: HashMap<&str, &ServerOption> =
            before.iter().map(|option| (&*option.name, option)).collect();
        let changed = |option: &ServerOption| {
            let before = known.get(&*option.name)?.words()?;
            let now = option.words()?;
            (before != now).then(|| (Arc::clone(&option.name), before, now))
        };
        now.iter().filter_map(changed).collect()
    }

    /// Everything that a filter may call its version: the year and the full number (`version=2019`, `version=15.0.*`).
    pub fn versions(&self, visit: &mut dyn FnMut(Value<'_>)) {
        if let Some(year) = self.year() {
            visit(Value::Number(f64::from(year)));
        }
        if let Some(v) = &self.version {
            visit(Value::Text(v));
        }
    }

    /// The product's year, such as 2019, by major version.
    pub const fn year(&self) -> Option<u16> {
        match self.major {
            Some(13) => Some(2016),
            Some(14) => Some(2017),
            Some(15) => Some(2019),
            Some(16) => Some(2022),
            Some(17) => Some(2025),
            _ => None,
        }
    }
}

impl Outcome for Properties {
    fn points(&self, _probe: ProbeId, _emit: Emit<'_>) {}

    fn each_name_mut(&mut self, visit: Visit<'_>) {
        maybe(visit, Field::Name(Kind::Host), &mut self.server_name);
        maybe(visit, Field::Name(Kind::Host), &mut self.machine_name);
        maybe(visit, Field::Words(Where::Ours), &mut self.os_name);
        maybe(visit, Field::Words(Where::Theirs), &mut self.transport);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(options: &[(&str, i64, i64)]) -> Properties {
        let option = |(name, configured, in_use): &(&str, i64, i64)| ServerOption {
            name: (*name).into(),
            configured: Some(*configured),
            in_use: Some(*in_use),
        };
        Properties { options: Some(Arc::new(options.iter().map(option).collect())), ..Properties::default() }
    }

    #[test]
    fn an_option_changes_when_its_figures_do_and_not_when_a_version_brings_it() {
        let before = with(&[("max server memory (MB)", 8192, 8192), ("priority boost", 0, 0)]);
        let now =
            with(&[("max server memory (MB)", 4096, 8192), ("priority boost", 0, 0), ("new one", 1, 1)]);
        let told = before.changed_options(&now);
        assert_eq!(
            told,
            [("max server memory (MB)".into(), "8192".to_owned(), "8192, configured 4096".to_owned())]
        );
        assert!(Properties::default().changed_options(&now).is_empty(), "not told before is no change");
        assert!(now.changed_options(&Properties::default()).is_empty());
    }
}
