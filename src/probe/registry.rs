//! All probes, as data: scripts, conditions, intervals, time-outs, rights, decoders. Read by `run`, `collect` (intervals)
//! and the screen's help (rights and what is shown without them).

use super::{batch::Sets, context::ProbeContext, decode};
use crate::model::{
    reading::Unavailable,
    sample::{ProbeId, Sample},
};

/// The right that a script needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Needs {
    /// none
    Nothing,
    /// VIEW SERVER STATE; from 2022 on VIEW SERVER PERFORMANCE STATE is enough
    Performance,
    /// VIEW SERVER STATE; from 2022 on VIEW SERVER SECURITY STATE is enough
    Security,
    /// VIEW ANY DEFINITION
    Definition,
    /// SELECT on the job tables of msdb
    MsdbJobs,
}

impl Needs {
    /// The right's name on a server of major version `major` (16 = 2022).
    pub const fn right(self, major: Option<i32>) -> &'static str {
        let new = matches!(major, Some(16..));
        match self {
            Self::Nothing => "none",
            Self::Performance if new => "VIEW SERVER PERFORMANCE STATE",
            Self::Security if new => "VIEW SERVER SECURITY STATE",
            Self::Performance | Self::Security => "VIEW SERVER STATE",
            Self::Definition => "VIEW ANY DEFINITION",
            Self::MsdbJobs => "SELECT on msdb job tables",
        }
    }
}

/// One script: one SELECT, one result set whose first column is named `dbtop_<name>`.
#[derive(Debug, Clone, Copy)]
pub struct Script {
    /// file name without folder and ending
    pub name: &'static str,
    /// the file
    pub text: &'static str,
    /// its right
    pub needs: Needs,
}

/// When a script is part of a poll. All conditions of a part must hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum When {
    /// the instance is on screen
    Focused,
    /// this object or column exists, by the capabilities script
    Has(&'static str),
    /// it does not, and the capabilities are known
    Lacks(&'static str),
    /// in a second round trip, only if something is blocked
    Blocked,
}

/// A script's place in a probe.
#[derive(Debug, Clone, Copy)]
pub struct Part {
    /// which
    pub script: Script,
    /// when
    pub when: &'static [When],
    /// without its result set there is no sample
    pub needed: bool,
}

/// Makes a sample of a probe's result sets. Needed sets are there.
pub type Decoder = fn(&Sets, &ProbeContext) -> Result<Sample, Unavailable>;

/// One probe.
#[derive(Debug, Clone, Copy)]
pub struct Probe {
    /// which
    pub id: ProbeId,
    /// its scripts, in the order of the batch
    pub parts: &'static [Part],
    /// interval with the instance in the fleet, ms
    pub fleet_every_ms: u32,
    /// interval with the instance on screen, ms
    pub focused_every_ms: u32,
    /// until the whole answer is there, ms
    pub timeout_ms: u32,
    /// known to be slow on some servers: a round trip of its own, after the others
    pub alone: bool,
    /// what is shown without its right, in words
    pub without: &'static str,
    /// rows to sample
    pub decode: Decoder,
}

macro_rules! script {
    ($name:literal, $needs:ident) => {
        Script {
            name: $name,
            text: include_str!(concat!("../../tsql/probe/", $name, ".sql")),
            needs: Needs::$needs,
        }
    };
}

/// Texts of eight handles; asked by `text`, not by a probe.
pub const TEXTS: Script = script!("texts", Performance);
/// Name of a heap or B-tree, with `[$db$]` replaced; asked by `object`.
pub const RESOLVE_HOBT: Script = script!("resolve_hobt", Definition);
/// Name of a table, with `[$db$]` replaced; asked by `object`.
pub const RESOLVE_OBJECT: Script = script!("resolve_object", Definition);
/// Session set-up, sent once after each login.
pub const SESSION: &str = include_str!("../../tsql/session.sql");

const PROPERTIES: Script = script!("properties", Nothing);
const CONFIGURATION: Script = script!("configuration", Nothing);
const SYSINFO: Script = script!("sysinfo", Performance);
const HOST_2017: Script = script!("host_2017", Nothing);
const HOST_2016: Script = script!("host_2016", Performance);
const RIGHTS: Script = script!("rights", Nothing);
const CAPABILITIES: Script = script!("capabilities", Nothing);
const DATABASES: Script = script!("databases", Nothing);
const HEADLINE: Script = script!("headline", Performance);
const COUNTERS: Script = script!("counters", Performance);
const COST: Script = script!("cost", Nothing);
const SESSIONS: Script = script!("sessions", Nothing);
const ACTIVITY: Script = script!("activity", Nothing);
const SLEEPERS: Script = script!("sleepers", Nothing);
const GRANTS: Script = script!("grants", Performance);
const TRANSACTIONS: Script = script!("transactions", Performance);
const CONNECTIONS: Script = script!("connections", Security);
const TEMPDB: Script = script!("tempdb", Performance);
const WAITING_TASKS: Script = script!("waiting_tasks", Performance);
const BLOCKED: Script = script!("blocked", Nothing);
const BLOCKING: Script = script!("blocking", Performance);
const CHAIN: Script = script!("chain", Performance);
const INPUT_BUFFERS: Script = script!("input_buffers", Performance);
const WAITS: Script = script!("waits", Performance);
const SCHEDULERS: Script = script!("schedulers", Performance);
const CPU_RING: Script = script!("cpu_ring", Performance);
const MEMORY: Script = script!("memory", Performance);
const AVAILABILITY: Script = script!("availability", Performance);
const VOLUMES: Script = script!("volumes", Performance);
const JOBS: Script = script!("jobs", MsdbJobs);

const fn needed(script: Script) -> Part {
    Part { script, when: &[], needed: true }
}

const fn optional(script: Script, when: &'static [When]) -> Part {
    Part { script, when, needed: false }
}

const SECOND: u32 = 1_000;
const MINUTE: u32 = 60 * SECOND;
const HOUR: u32 = 60 * MINUTE;

/// All probes, in the order of [`ProbeId::ALL`].
pub static PROBES: [Probe; 14] = [
    Probe {
        id: ProbeId::Properties,
        parts: &[
            needed(PROPERTIES),
            optional(SYSINFO, &[]),
            optional(CONFIGURATION, &[]),
            optional(HOST_2017, &[When::Has("dm_os_host_info")]),
            optional(HOST_2016, &[When::Lacks("dm_os_host_info")]),
        ],
        fleet_every_ms: HOUR,
        focused_every_ms: HOUR,
        timeout_ms: 5 * SECOND,
        alone: false,
        without: "without CPUs, memory and workers; the start is taken from tempdb",
        decode: decode::properties,
    },
    Probe {
        id: ProbeId::Rights,
        parts: &[needed(RIGHTS), optional(CAPABILITIES, &[])],
        fleet_every_ms: HOUR,
        focused_every_ms: HOUR,
        timeout_ms: 5 * SECOND,
        alone: false,
        without: "needs no right",
        decode: decode::rights,
    },
    Probe {
        id: ProbeId::Databases,
        parts: &[needed(DATABASES)],
        fleet_every_ms: 15 * MINUTE,
        focused_every_ms: 5 * MINUTE,
        timeout_ms: 5 * SECOND,
        alone: false,
        without: "databases that the login may not see appear by their id",
        decode: decode::databases,
    },
    Probe {
        id: ProbeId::Headline,
        parts: &[needed(HEADLINE), needed(COUNTERS)],
        fleet_every_ms: 30 * SECOND,
        focused_every_ms: 2 * SECOND,
        timeout_ms: 5 * SECOND,
        alone: false,
        without: "CPU, batches, connections and memory counters are unknown",
        decode: decode::headline,
    },
    Probe {
        id: ProbeId::Activity,
        parts: &[
            needed(SESSIONS),
            needed(ACTIVITY),
            optional(SLEEPERS, &[]),
            optional(GRANTS, &[]),
            optional(TRANSACTIONS, &[When::Focused]),
            optional(CONNECTIONS, &[When::Focused]),
            optional(TEMPDB, &[When::Focused]),
            optional(WAITING_TASKS, &[When::Focused]),
        ],
        fleet_every_ms: 30 * SECOND,
        focused_every_ms: 2 * SECOND,
        timeout_ms: 5 * SECOND,
        alone: false,
        without: "only our own session is seen, and it is said so",
        decode: decode::activity,
    },
    Probe {
        id: ProbeId::Blocking,
        parts: &[
            needed(BLOCKED),
            Part { script: BLOCKING, when: &[When::Blocked], needed: true },
            Part { script: CHAIN, when: &[When::Blocked], needed: true },
            optional(TRANSACTIONS, &[When::Blocked]),
            optional(CONNECTIONS, &[When::Blocked]),
            optional(INPUT_BUFFERS, &[When::Blocked, When::Has("dm_exec_input_buffer")]),
        ],
        fleet_every_ms: 30 * SECOND,
        focused_every_ms: 2 * SECOND,
        timeout_ms: 5 * SECOND,
        alone: false,
        without: "blocking is unknown",
        decode: decode::blocking,
    },
    Probe {
        id: ProbeId::Waits,
        parts: &[needed(WAITS)],
        fleet_every_ms: MINUTE,
        focused_every_ms: 5 * SECOND,
        timeout_ms: 5 * SECOND,
        alone: false,
        without: "waits are unknown",
        decode: decode::waits,
    },
    Probe {
        id: ProbeId::Schedulers,
        parts: &[needed(SCHEDULERS)],
        fleet_every_ms: MINUTE,
        focused_every_ms: 5 * SECOND,
        timeout_ms: 5 * SECOND,
        alone: false,
        without: "runnable tasks and workers are unknown",
        decode: decode::schedulers,
    },
    Probe {
        id: ProbeId::CpuRing,
        parts: &[needed(CPU_RING)],
        fleet_every_ms: MINUTE,
        focused_every_ms: MINUTE,
        timeout_ms: 5 * SECOND,
        alone: false,
        without: "the CPU of other processes is unknown",
        decode: decode::cpu_ring,
    },
    Probe {
        id: ProbeId::Memory,
        parts: &[needed(MEMORY)],
        fleet_every_ms: MINUTE,
        focused_every_ms: 5 * SECOND,
        timeout_ms: 5 * SECOND,
        alone: false,
        without: "memory of machine and process is unknown",
        decode: decode::memory,
    },
    Probe {
        id: ProbeId::Availability,
        parts: &[needed(AVAILABILITY)],
        fleet_every_ms: MINUTE,
        focused_every_ms: 15 * SECOND,
        timeout_ms: 10 * SECOND,
        alone: true,
        without: "availability groups are unknown; without VIEW ANY DEFINITION they have no names",
        decode: decode::availability,
    },
    Probe {
        id: ProbeId::Volumes,
        parts: &[needed(VOLUMES)],
        fleet_every_ms: 30 * MINUTE,
        focused_every_ms: 30 * MINUTE,
        timeout_ms: 20 * SECOND,
        alone: true,
        without: "volumes are unknown; VIEW ANY DEFINITION is needed too",
        decode: decode::volumes,
    },
    Probe {
        id: ProbeId::Jobs,
        parts: &[needed(JOBS)],
        fleet_every_ms: 5 * MINUTE,
        focused_every_ms: MINUTE,
        timeout_ms: 10 * SECOND,
        alone: true,
        without: "failed jobs are unknown",
        decode: decode::jobs,
    },
    Probe {
        id: ProbeId::Cost,
        parts: &[needed(COST)],
        fleet_every_ms: MINUTE,
        focused_every_ms: 5 * SECOND,
        timeout_ms: 5 * SECOND,
        alone: false,
        without: "needs no right",
        decode: decode::cost,
    },
];

/// A probe by its id.
pub fn probe(id: ProbeId) -> &'static Probe {
    // Every id has its probe (a test holds this); the first one stands in, so that nothing can panic here.
    PROBES.iter().find(|p| p.id == id).unwrap_or(&PROBES[0])
}

impl Probe {
    /// The rights that its scripts need on a server of this major version, most important first.
    pub fn rights(&self, major: Option<i32>) -> Vec<&'static str> {
        let mut rights = Vec::new();
        for needs in self.parts.iter().map(|p| p.script.needs).filter(|n| *n != Needs::Nothing) {
            let right = needs.right(major);
            if !rights.contains(&right) {
                rights.push(right);
            }
        }
        rights
    }

    /// The interval, ms.
    pub const fn every_ms(&self, focused: bool) -> u32 {
        if focused { self.focused_every_ms } else { self.fleet_every_ms }
    }
}

/// Every script of every probe, and those asked on demand.
pub fn scripts() -> impl Iterator<Item = Script> {
    let parts = PROBES.iter().flat_map(|p| p.parts).map(|p| p.script);
    parts.chain([TEXTS, RESOLVE_HOBT, RESOLVE_OBJECT])
}

/// A right that the program can make use of: name, its column in `rights.sql` (several: all of them), and what is
/// shown only with it.
pub const RIGHTS_IN_WORDS: [(&str, &[&str], &str); 7] = [
    (
        "VIEW SERVER STATE",
        &["view_server_state"],
        "everything that is polled of the server's state, and client addresses",
    ),
    (
        "VIEW SERVER PERFORMANCE STATE",
        &["view_server_performance_state"],
        "CPU, memory, waits, activity, blocking, availability (2022 and later)",
    ),
    (
        "VIEW SERVER SECURITY STATE",
        &["view_server_security_state"],
        "client addresses and last statements of connections (2022 and later)",
    ),
    (
        "VIEW ANY DEFINITION",
        &["view_any_definition"],
        "volumes, names of availability groups, names behind locks",
    ),
    (
        "SELECT on msdb job tables",
        &["msdb_access", "msdb_sysjobs", "msdb_sysjobservers", "msdb_sysjobhistory"],
        "failed Agent jobs",
    ),
    ("CONNECT ANY DATABASE", &["connect_any_database"], "names of locked objects in every database"),
    ("ALTER ANY CONNECTION", &["alter_any_connection"], "ending sessions"),
];
