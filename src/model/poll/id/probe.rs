//! The probes, and the table with all that is said of one outside of its own file.

use crate::model::base::code::codes;
use serde::{Deserialize, Serialize};

/// The probes, by what they feed. One probe may have several scripts for different servers.
/// In files by name: fields and variants keep their names, a new field has a default.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum ProbeId {
    /// server properties and operating system
    Properties,
    /// rights and capabilities
    Rights,
    /// names and states of the databases
    Databases,
    /// liveness, headline counters, CPU time
    Headline,
    /// active requests and session counts
    Activity,
    /// blocking chains
    Blocking,
    /// wait statistics
    Waits,
    /// schedulers, workers
    Schedulers,
    /// CPU of other processes, from the ring buffer
    CpuRing,
    /// process and machine memory, grant queues
    Memory,
    /// availability groups
    Availability,
    /// volumes
    Volumes,
    /// failed Agent jobs
    Jobs,
    /// own cost
    Cost,
    /// reads and writes of database files
    Files,
}

/// The compiler refuses a probe without a row, and a row or a code that stands here twice.
macro_rules! probes {
    ($($code:literal $probe:ident $name:literal $judged:literal,)+) => {
        impl ProbeId {
            /// All, in the order in which they run when several are due. An order and no more: see [`Self::code`].
            pub const ALL: [Self; [$($code),+].len()] = [$(Self::$probe),+];

            /// Its name in scripts, logs and `once cost`.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$probe => $name,)+ }
            }

            /// The score reads its reading: a verdict is due again when that goes stale.
            pub const fn is_judged(self) -> bool {
                match self { $(Self::$probe => $judged,)+ }
            }
        }

        codes!(ProbeId as u8 { $($code => $probe,)+ });
    };
}

probes! {
    // code in files, probe, name, whether the score reads it; in the order in which they run
     0 Properties   "properties"   false,
     1 Rights       "rights"       false,
     2 Databases    "databases"    true,
     3 Headline     "headline"     true,
     4 Activity     "activity"     false,
     5 Blocking     "blocking"     true,
     6 Waits        "waits"        true,
     7 Schedulers   "schedulers"   true,
     8 CpuRing      "cpu_ring"     false,
     9 Memory       "memory"       true,
    14 Files        "files"        false,
    10 Availability "availability" true,
    11 Volumes      "volumes"      true,
    12 Jobs         "jobs"         true,
    13 Cost         "cost"         false,
}
