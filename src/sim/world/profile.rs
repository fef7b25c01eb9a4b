//! The fixed facts of each simulated instance, which time and scenario do not change.

use super::{
    dice::Dice,
    rhythm::Rhythm,
    theme::{THEMES, Theme},
    version::{Build, Version},
};
use crate::model::poll::properties::{AZURE_DATABASE, Hosting, MANAGED_INSTANCE, OF_RDS};
use std::net::Ipv4Addr;

/// The kind of work of an instance; also its first group.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Role {
    /// production, mostly short transactions
    Prod,
    /// reporting, long queries
    Reporting,
    /// test, little of everything
    Test,
}

impl Role {
    /// Name of the group.
    pub const fn group(self) -> &'static str {
        match self {
            Self::Prod => "prod",
            Self::Reporting => "reporting",
            Self::Test => "test",
        }
    }
}

/// A database of an instance.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Database {
    /// database id
    pub id: i32,
    /// name
    pub name: String,
    /// data size, MB
    pub size_mb: i64,
    /// true for one that an availability group replicates
    pub replicated: bool,
}

/// Membership in an availability group.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Membership {
    /// position of the group's first member in the fleet; the group's identity
    pub first: usize,
    /// members
    pub size: usize,
    /// own place, 0 is the primary
    pub place: usize,
}

/// One instance.
#[derive(Debug, Clone)]
pub struct Profile {
    /// position in the fleet, from 0
    pub index: usize,
    /// server name, such as `sqlprd-014`
    pub name: String,
    /// root of its random facts
    pub dice: Dice,
    /// role
    pub role: Role,
    /// business area
    pub theme: &'static Theme,
    /// version
    pub version: Version,
    /// build
    pub build: Build,
    /// who runs it
    pub hosting: Hosting,
    /// runs on Linux
    pub linux: bool,
    /// Enterprise (else Standard)
    pub enterprise: bool,
    /// logical CPUs
    pub cpus: i32,
    /// physical memory, MB
    pub memory_mb: i64,
    /// server collation
    pub collation: &'static str,
    /// minutes east of UTC
    pub utc_offset_min: i16,
    /// how long it had been up when the simulator started, ms
    pub uptime_ms: i64,
    /// databases, system ones first
    pub databases: Vec<Database>,
    /// availability group, if any
    pub membership: Option<Membership>,
    /// how busy it is: mean CPU share, 0 to 1
    pub busy: f64,
    /// how the load varies
    pub load: Rhythm,
    /// how the I/O varies
    pub io: Rhythm,
}

/// The share of the first instances that are production and reporting: 24 and 6 of 40.
pub fn role_at(index: usize, fleet: usize) -> (Role, usize) {
    let prod = (fleet * 24).div_ceil(40);
    let reporting = fleet * 6 / 40;
    if index < prod {
        (Role::Prod, index)
    } else if index < prod + reporting {
        (Role::Reporting, index - prod)
    } else {
        (Role::Test, index - prod - reporting)
    }
}

/// Each 20 production servers begin with a group of three and a group of two; a fleet under five has none.
fn membership(role: Role, place: usize, fleet_prod: usize, index: usize) -> Option<Membership> {
    let block = place / 20 * 20;
    if role != Role::Prod || fleet_prod < block + 5 {
        return None;
    }
    let base = index - (place - block);
    match place - block {
        n @ 0..=2 => Some(Membership { first: base, size: 3, place: n }),
        n @ 3..=4 => Some(Membership { first: base + 3, size: 2, place: n - 3 }),
        _ => None,
    }
}

impl Profile {
    /// Rolls the instance at `index` of a fleet of `fleet` that plays `versions` (not empty; empty means all).
    pub fn roll(root: Dice, index: usize, fleet: usize, versions: &[Version]) -> Self {
        let (role, place) = role_at(index, fleet);
        let prod = (fleet * 24).div_ceil(40);
        let membership = membership(role, place, prod, index);
        let dice = root.of("instance").at(index as i64);
        // replicas of one group are alike in what a group demands
        let alike = membership.map_or(dice, |m| root.of("group").at(m.first as i64));
        let version = roll_version(alike, versions);
        let linux = version > Version::V2016 && alike.of("linux").chance(0.22);
        let enterprise = membership.is_some() || dice.of("edition").chance(0.45);
        let cpus =
            *alike.of("cpus").pick(if enterprise { &[8, 16, 16, 24, 32, 48] } else { &[4, 8, 8, 12, 16] });
        let theme = &THEMES[membership.map_or(index, |m| m.first) % THEMES.len()];
        let prefix = match role {
            Role::Prod => "sqlprd",
            Role::Reporting => "sqlrep",
            Role::Test => "sqltst",
        };
        let busy = match role {
            Role::Prod => dice.of("busy").between(0.08, 0.36),
            Role::Reporting => dice.of("busy").between(0.12, 0.42),
            Role::Test => dice.of("busy").between(0.01, 0.09),
        };
        Self {
            index,
            name: format!("{prefix}-{:03}", place + 1),
            dice,
            role,
            theme,
            version,
            build: version.build(alike),
            hosting: Hosting::Own,
            linux,
            enterprise,
            cpus,
            memory_mb: i64::from(cpus) * *alike.of("memory").pick(&[4_096, 8_192, 8_192, 16_384]),
            collation: *alike.of("collation").pick(&[
                "SQL_Latin1_General_CP1_CI_AS",
                "SQL_Latin1_General_CP1_CI_AS",
                "Latin1_General_CI_AS",
                "Latin1_General_100_CI_AS_SC_UTF8",
                "German_PhoneBook_CI_AS",
            ]),
            utc_offset_min: *alike.of("zone").pick(&[0, 0, 60, 60, 120, -300, 330]),
            uptime_ms: dice.of("uptime").skewed(2.0 * 86_400e3, 190.0 * 86_400e3) as i64,
            databases: databases(dice, theme, membership),
            membership,
            busy,
            load: Rhythm::new(dice.of("load"), if role == Role::Test { 0.3 } else { 0.55 }),
            io: Rhythm::new(dice.of("io"), 0.4),
        }
    }

    /// The loopback address it listens on: 127.1.0.1 and up, 250 a row.
    pub const fn address(&self) -> Ipv4Addr {
        Ipv4Addr::new(127, 1, (self.index / 250) as u8, (self.index % 250 + 1) as u8)
    }

    /// Groups, the role first.
    pub fn groups(&self) -> Vec<String> {
        let own = [self.role.group(), self.theme.team].map(str::to_owned);
        own.into_iter().chain(self.group_name()).collect()
    }

    /// Name of its availability group.
    pub fn group_name(&self) -> Option<String> {
        let m = self.membership?;
        let team = self.theme.team;
        Some(if m.first < 20 { format!("ag-{team}") } else { format!("ag-{team}-{}", m.first / 20 + 1) })
    }

    /// `16.0.4175.1`
    pub fn product_version(&self) -> String {
        if self.is_azure() {
            // Whatever they are inside, they say this.
            return "12.0.2000.8".to_owned();
        }
        format!("{}.0.{}.{}", self.version.major(), self.build.build, self.build.revision)
    }

    /// ProductMajorVersion.
    pub const fn product_major(&self) -> u8 {
        if self.is_azure() { 12 } else { self.version.major() }
    }

    const fn is_azure(&self) -> bool {
        matches!(self.hosting, Hosting::AzureDatabase | Hosting::ManagedInstance)
    }

    /// EngineEdition.
    pub const fn engine_edition(&self) -> i32 {
        match self.hosting {
            Hosting::AzureDatabase => AZURE_DATABASE,
            Hosting::ManagedInstance => MANAGED_INSTANCE,
            Hosting::Own | Hosting::Rds if self.enterprise => 3,
            Hosting::Own | Hosting::Rds => 2,
        }
    }

    /// The same instance where somebody else runs it: on Windows, and on RDS with a database of Amazon's.
    pub fn host(&mut self, hosting: Hosting) {
        self.hosting = hosting;
        self.linux &= hosting == Hosting::Own;
        if hosting == Hosting::Rds {
            let id = self.databases.len() as i32 + 1;
            self.databases.push(Database { id, name: OF_RDS.to_owned(), size_mb: 40, replicated: false });
        }
    }

    /// `Enterprise Edition: Core-based Licensing (64-bit)`
    pub const fn edition(&self) -> &'static str {
        if self.is_azure() {
            "SQL Azure"
        } else if self.enterprise {
            "Enterprise Edition: Core-based Licensing (64-bit)"
        } else {
            "Standard Edition (64-bit)"
        }
    }

    /// Distribution or Windows name, with its release.
    pub fn os(&self) -> (&'static str, &'static str) {
        if self.linux {
            *self.dice.of("os").pick(&[
                ("Ubuntu", "22.04"),
                ("Red Hat Enterprise Linux", "9.4"),
                ("SUSE Linux Enterprise Server", "15 SP5"),
            ])
        } else if self.version >= Version::V2022 {
            ("Windows Server 2022 Datacenter", "10.0")
        } else {
            *self
                .dice
                .of("os")
                .pick(&[("Windows Server 2019 Standard", "10.0"), ("Windows Server 2016 Standard", "10.0")])
        }
    }

    /// Configured maximum of memory, KB, as Target Server Memory shows it.
    pub const fn target_memory_kb(&self) -> i64 {
        self.memory_mb * 1024 / 100 * 72
    }

    /// Workers that this many CPUs get on 64 bits (sys.dm_os_sys_info.max_workers_count's documented rule).
    pub const fn max_workers(&self) -> i32 {
        match self.cpus {
            ..=4 => 512,
            5..=64 => 512 + (self.cpus - 4) * 16,
            _ => 512 + (self.cpus - 4) * 32,
        }
    }

    /// The database of this id.
    pub fn database(&self, id: i32) -> Option<&Database> {
        self.databases.iter().find(|d| d.id == id)
    }

    /// User databases.
    pub fn user_databases(&self) -> &[Database] {
        self.databases.get(4..).unwrap_or_default()
    }
}

fn roll_version(dice: Dice, versions: &[Version]) -> Version {
    // shares as in the field
    const USUAL: [Version; 20] = {
        use Version::{V2016, V2017, V2019, V2022, V2025};
        [
            V2016, V2016, V2017, V2017, V2017, V2019, V2019, V2019, V2019, V2019, V2019, V2019, V2022, V2022,
            V2022, V2022, V2022, V2022, V2025, V2025,
        ]
    };
    let allowed: Vec<Version> =
        USUAL.into_iter().filter(|v| versions.is_empty() || versions.contains(v)).collect();
    *dice.of("version").pick(&allowed)
}

fn databases(dice: Dice, theme: &Theme, membership: Option<Membership>) -> Vec<Database> {
    let system = ["master", "tempdb", "model", "msdb"];
    let own = theme.databases.iter().copied().chain(["dba"]);
    system
        .into_iter()
        .map(|name| (name, dice.of(name).skewed(8.0, 4_000.0) as i64, false))
        .chain(own.enumerate().map(|(i, name)| {
            let size = dice.of(name).skewed(600.0, 900_000.0) as i64;
            (name, size, membership.is_some() && i < 2)
        }))
        .enumerate()
        .map(|(i, (name, size_mb, replicated))| Database {
            id: i as i32 + 1,
            name: name.to_owned(),
            size_mb,
            replicated,
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fleet(seed: u64, n: usize) -> Vec<Profile> {
        (0..n).map(|i| Profile::roll(Dice::new(seed), i, n, &[])).collect()
    }

    #[test]
    fn forty_instances_have_the_promised_shape() {
        let fleet = fleet(7, 40);
        let count = |role| fleet.iter().filter(|p| p.role == role).count();
        assert_eq!((count(Role::Prod), count(Role::Reporting), count(Role::Test)), (24, 6, 10));
        let groups: std::collections::BTreeSet<_> = fleet.iter().filter_map(Profile::group_name).collect();
        assert_eq!(groups.len(), 2, "{groups:?}");
        assert_eq!(fleet[13].name, "sqlprd-014");
        assert!(fleet.iter().all(|p| !(p.linux && p.version == Version::V2016)));
        let versions: std::collections::BTreeSet<_> = fleet.iter().map(|p| p.version).collect();
        assert!(versions.len() >= 4, "{versions:?}");
    }

    #[test]
    fn the_same_seed_gives_the_same_fleet_and_another_one_another() {
        let print = |fleet: Vec<Profile>| format!("{fleet:?}");
        assert_eq!(print(fleet(7, 12)), print(fleet(7, 12)));
        assert_ne!(print(fleet(7, 12)), print(fleet(8, 12)));
    }

    #[test]
    fn members_of_a_group_are_alike() {
        let fleet = fleet(11, 40);
        for member in fleet.iter().filter_map(|p| p.membership.map(|m| (p, m))) {
            let primary = &fleet[member.1.first];
            assert_eq!((member.0.version, member.0.linux), (primary.version, primary.linux));
            assert_eq!(member.0.group_name(), primary.group_name());
            assert!(member.0.enterprise);
        }
    }

    #[test]
    fn names_and_addresses_are_unique_in_a_large_fleet() {
        let fleet = fleet(1, 10_000);
        let names: std::collections::HashSet<_> = fleet.iter().map(|p| p.name.clone()).collect();
        let addresses: std::collections::HashSet<_> = fleet.iter().map(Profile::address).collect();
        assert_eq!((names.len(), addresses.len()), (10_000, 10_000));
    }

    #[test]
    fn only_the_wanted_versions_are_played() {
        let all: Vec<_> =
            (0..30).map(|i| Profile::roll(Dice::new(2), i, 30, &[Version::V2016]).version).collect();
        assert!(all.iter().all(|v| *v == Version::V2016));
    }
}
