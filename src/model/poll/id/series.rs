//! The table of the headline series.

use super::{
    ProbeId,
    table::{Row, metrics},
};
use crate::model::poll::wait_class::WaitCategory;

metrics! {
    /// The headline series of an instance: those that the last fifteen minutes in memory keep.
    SeriesId, and
    /// one wait category, ms per second
    Wait(WaitCategory);

    // code, title, unit, step, probe, exactly
     0 Cpu           "CPU"                    "%"    0.1  Headline   "CPU % of the SQL Server process",
     1 CpuOther      "CPU of other processes" "%"    0.1  CpuRing    "CPU % of other processes (absent where it cannot be known)",
     2 Memory        "Memory in use"          "%"    0.1  Memory     "memory in use of the machine, %",
     3 Batches       "Batches"                "/s"   0.1  Headline   "batch requests per second",
     4 Logins        "Logins"                 "/s"   0.1  Headline   "logins per second",
     5 Transactions  "Transactions"           "/s"   0.1  Headline   "transactions per second",
     6 Connections   "Connections"            ""     1.0  Headline   "user connections",
     7 Blocked       "Blocked requests"       ""     1.0  Headline   "blocked requests",
     8 PageLife      "Page life"              "s"    1.0  Headline   "page life expectancy, s",
     9 LogFlush      "Log flush"              "ms"   0.01 Headline   "average log flush, ms",
    10 PageRead      "Page read"              "ms"   0.01 Waits      "average wait for a page from disk, ms",
    11 Runnable      "Runnable tasks"         ""     1.0  Schedulers "runnable tasks waiting for a CPU",
    12 GrantsPending "Grants pending"         ""     1.0  Headline   "memory grants pending",
    13 Waits         "Waits"                  "ms/s" 0.1  Waits      "all waits that count, ms per second",
    14 Tempdb        "tempdb used"            "%"    0.1  Headline   "tempdb space used, %",
    15 Deadlocks     "Deadlocks"              "/min" 0.1  Headline   "deadlocks per minute",
    16 PollMs        "Round trip"             "ms"   1.0  Headline   "round trip of the headline poll, ms",
    17 Cost          "Own cost"               "ms/s" 0.01 Cost       "own cost on the server, CPU ms per second",
    18 Score         "Health score"           ""     1.0  Headline   "health score",
    19 FileRead      "File read"              "ms"   0.01 Files      "average read of a database file, ms",
    20 FileWrite     "File write"             "ms"   0.01 Files      "average write of a database file, ms",
    21 FileBytes     "File traffic"           "MB/s" 0.01 Files      "read from and written to database files, MB per second",
    22 BufferPool    "Buffer pool"            "GB"   0.01 Clerks     "pages of the buffer pool, GB",
    23 Stolen        "Stolen memory"          "GB"   0.01 Clerks     "pages of all other memory clerks, GB",
    24 TempdbUser    "tempdb user objects"     "GB" 0.01 TempdbUse  "user objects in tempdb, GB",
    25 TempdbInternal "tempdb internal objects" "GB" 0.01 TempdbUse "internal objects in tempdb, GB",
    26 VersionStore  "Version store"           "GB" 0.01 TempdbUse  "row versions in tempdb, GB",
    27 DatabaseFiles "Database files"          "GB" 0.01 Databases  "files of all databases, GB",
    28 QueryCpu      "CPU of queries"         "ms/s" 0.1  Queries    "CPU that the queries of the plan cache account for, ms per second",
    29 QueryRuns     "Query runs"             "/s"   0.1  Queries    "runs of queries that ended, per second",
    30 MapWaits              "Allocation waits of tempdb" "" 1.0 TempdbUse "tasks that wait for a PFS, GAM or SGAM page of tempdb",
    31 PageWaits             "Page waits of tempdb" ""   1.0  TempdbUse  "tasks that wait for any other page of tempdb in memory",
}

impl SeriesId {
    /// The finest difference that is kept, here and in the store.
    pub const fn step(self) -> f64 {
        self.row().step
    }

    /// The probe that feeds it.
    pub const fn probe(self) -> ProbeId {
        self.row().probe
    }

    /// True if health looks back on it.
    pub const fn is_judged(self) -> bool {
        matches!(self, Self::Cpu | Self::Runnable | Self::Tempdb | Self::PageLife | Self::PollMs)
    }
}

impl WaitCategory {
    /// Its row among the headline series.
    const fn row(self) -> Row {
        Row { code: self.code(), title: self.name(), unit: "ms/s", step: 0.1, probe: ProbeId::Waits }
    }
}
