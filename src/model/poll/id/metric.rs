//! The table of all numbers that are charted. A number is kept in whole *steps* of its metric: the screen shows nothing finer,
//! and whole numbers pack well.

use super::{ProbeId, SeriesId, table::metrics};

metrics! {
    /// A number that is charted.
    Metric, and
    /// one of the headline series, which the last fifteen minutes keep too
    Headline(SeriesId);

    // code, title, unit, step, probe, exactly
    200 Compilations      "Compilations"         "/s"   0.1 Headline     "compilations per second",
    201 Recompilations    "Recompilations"       "/s"   0.1 Headline     "recompilations per second",
    202 LogFlushes        "Log flushes"          "/s"   0.1 Headline     "log flushes per second",
    203 LazyWrites        "Lazy writes"          "/s"   0.1 Headline     "lazy writes per second",
    204 GrantsOutstanding "Grants outstanding"   ""     1.0 Headline     "memory grants outstanding",
    205 TotalMemory       "Total server memory"  "KB"   1.0 Headline     "Total Server Memory, KB",
    206 TargetMemory      "Target server memory" "KB"   1.0 Headline     "Target Server Memory, KB",
    207 TempdbSize        "tempdb data files"    "KB"   1.0 Headline     "tempdb's data files, KB",
    208 Queued            "Queued tasks"         ""     1.0 Schedulers   "tasks that wait for a worker",
    209 Workers           "Workers"              ""     1.0 Schedulers   "workers",
    210 ActiveWorkers     "Active workers"       ""     1.0 Schedulers   "workers that do something",
    211 PendingIo         "I/Os in flight"       ""     1.0 Schedulers   "I/Os in flight",
    212 ProcessMemory     "Process memory"       "KB"   1.0 Memory       "memory of the process, KB",
    213 GrantWaiters      "Grant waiters"        ""     1.0 Memory       "waiters in the grant queue",
    214 Granted           "Granted memory"       "KB"   1.0 Memory       "granted memory, KB",
    215 SignalWaits       "Signal waits"         "ms/s" 0.1 Waits        "signal part of all waits that count, ms per second",
    216 WaitType          "Wait type"            "ms/s" 0.1 Waits        "one wait type, ms per second; key: the type",
    217 CostReads         "Own logical reads"    "/s"   0.1 Cost         "own logical reads there per second",
    218 Requests          "Requests"             ""     1.0 Activity     "requests that run, or sleepers with a transaction",
    219 Sessions          "Sessions"             ""     1.0 Activity     "user sessions",
    220 SleepingOpen      "Sleeping with a transaction" "" 1.0 Activity  "user sessions that sleep with an open transaction",
    221 Victims           "Blocked sessions"     ""     1.0 Blocking     "sessions blocked, over all chains",
    222 LongestBlocked    "Longest blocked"      "ms"   1.0 Blocking     "longest wait in a chain, ms",
    223 VolumeFree        "Free on the volume"   "KB"   1.0 Volumes      "free space of a volume, KB; key: the mount point",
    224 VolumeSize        "Size of the volume"   "KB"   1.0 Volumes      "size of a volume, KB; key: the mount point",
    225 ReplicaLag        "Replica lag"          "s"    1.0 Availability "availability replica behind its primary, s; key: `group/replica/database`",
    226 SendQueue         "Send queue"           "KB"   1.0 Availability "log not sent yet, KB; key as above",
    227 RedoQueue         "Redo queue"           "KB"   1.0 Availability "log not redone yet, KB; key as above",
    229 LogUsed           "Log in use"           "%"    0.1 Logs         "transaction log of a database in use, % of what it may take; key: the database",
    230 QueryCoverage     "CPU of queries, of all" "%"   0.1 Queries      "CPU that the queries of the plan cache account for, % of all sessions'",
    250 DatabaseSize      "Database files of"    "KB"   1.0 Databases    "all files of a database, KB; key: the database",
    251 DatabaseLogSize   "Log files of"         "KB"   1.0 Databases    "log files of a database, KB; key: the database",
    252 VersionStoreOf    "Version store of"     "KB"   1.0 TempdbUse    "row versions of a database in tempdb, KB; key: the database",
    253 PersistentVersions "Persistent version store" "KB" 1.0 TempdbUse "row versions that a database keeps itself, KB; key: the database",
    254 Vlfs              "Virtual log files"    ""     1.0 LogUse       "virtual log files of a database; key: the database",
    255 NodePageLife      "Page life of a node"  "s"    1.0 Grants       "page life expectancy of a NUMA node, s; key: the node",
    256 PlanCache         "Plan cache"           "KB"   1.0 Grants       "a kind of plans in the cache, KB; key: the kind",
    270 QueryStoreSize    "Query Store"         "MB"   1.0 QueryStore   "size of the Query Store of a database, MB; key: the database",
    260 FileReadOf        "Read of a file"       "ms"   0.01 Files       "average read of a file, ms; key: `database/file`",
    261 FileWriteOf       "Write of a file"      "ms"   0.01 Files       "average write of a file, ms; key as above",
    262 FileOps           "Reads and writes of a file" "/s" 0.1 Files    "reads and writes of a file per second; key as above",
    263 FileBytesOf       "Traffic of a file"    "MB/s" 0.01 Files       "read from and written to a file, MB per second; key as above",
    271 VolumeRead        "Read of a volume"     "ms"   0.01 Files       "average read of the files on a volume, ms; key: the mount point",
    272 VolumeWrite       "Write of a volume"    "ms"   0.01 Files       "average write of the files on a volume, ms; key as above",
    273 VolumeOps         "Reads and writes of a volume" "/s" 0.1 Files  "reads and writes of the files on a volume per second; key as above",
    274 VolumeBytes       "Traffic of a volume"  "MB/s" 0.01 Files       "read from and written to the files on a volume, MB per second; key as above",
    275 DatabaseRead      "Read of a database"   "ms"   0.01 Files       "average read of the files of a database, ms; key: the database",
    276 DatabaseWrite     "Write of a database"  "ms"   0.01 Files       "average write of the files of a database, ms; key as above",
    277 DatabaseOps       "Reads and writes of a database" "/s" 0.1 Files "reads and writes of the files of a database per second; key as above",
    278 DatabaseBytes     "Traffic of a database" "MB/s" 0.01 Files      "read from and written to the files of a database, MB per second; key as above",
    264 ClerkPages        "Memory clerk"         "KB"   1.0 Clerks       "pages of a clerk type, KB; key: the type",
    265 LogUsedSize       "Log in use of"        "KB"   1.0 Logs         "transaction log of a database in use, KB; key: the database",
    280 DeadlocksOf       "Deadlocks of a pattern" ""  1.0 Deadlocks    "deadlocks of a pattern, counted by the events of the time line and not kept as points; key: the fingerprint",
    281 InsideFree        "Free inside files of" "KB"  1.0 Room         "free inside of the data files of a database, KB; key: the database",
    282 GrowthsTold       "Growths told"         ""    1.0 Growths      "growths of files that a poll told for the first time: its points say when they were read",
    283 GrowthsOf         "Growths of files"     ""    1.0 Growths      "times that files grew, counted by the events of the time line and not kept as points; key: the database, or nothing for all",
    228 FailedJobs        "Failed jobs"          ""     1.0 Jobs         "jobs whose last outcome within a day was a failure",
}

impl Metric {
    /// Its number in files.
    pub const fn code(self) -> u16 {
        self.row().code
    }

    /// Its name on a chart.
    pub const fn title(self) -> &'static str {
        self.row().title
    }

    /// The probe that feeds it: its polls are the times of the series, and a missed one is a gap in it.
    pub const fn probe(self) -> ProbeId {
        self.row().probe
    }

    /// The finest difference that is kept.
    pub const fn step(self) -> f64 {
        self.row().step
    }

    /// One of it, as an axis says it; empty for a plain count.
    pub const fn unit(self) -> &'static str {
        self.row().unit
    }

    /// A wait that nobody waited is zero, not unknown, in a poll that told of others.
    pub const fn absent_is_zero(self) -> bool {
        matches!(self, Self::WaitType | Self::Headline(SeriesId::Wait(_)))
    }

    /// A value in whole steps; None for what is no number.
    pub fn to_steps(self, value: f64) -> Option<i64> {
        value.is_finite().then(|| (value / self.step()).round() as i64)
    }

    /// The value of so many steps.
    pub fn from_steps(self, steps: i64) -> f64 {
        steps as f64 * self.step()
    }
}

impl From<SeriesId> for Metric {
    fn from(id: SeriesId) -> Self {
        Self::Headline(id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{base::code::released, poll::wait_class::WaitCategory};
    use std::collections::HashSet;

    #[test]
    fn a_metric_keeps_its_number() {
        for (code, name) in released("metric") {
            let metric = Metric::from_code(code).unwrap();
            assert_eq!((format!("{metric:?}").as_str(), metric.code()), (name, code));
        }
    }

    fn all() -> impl Iterator<Item = Metric> {
        let categories = WaitCategory::ALL.into_iter().map(SeriesId::Wait);
        let headline = SeriesId::TABLE.iter().copied().chain(categories).map(Metric::Headline);
        headline.chain(Metric::TABLE.iter().copied())
    }

    #[test]
    fn every_metric_has_a_number_of_its_own() {
        for metric in all() {
            assert_eq!(Metric::from_code(metric.code()), Some(metric), "{}", metric.code());
        }
        assert_eq!((0..=u16::MAX).filter_map(Metric::from_code).count(), all().count());
    }

    #[test]
    fn no_two_charts_have_the_same_title() {
        let is_category = |metric: &Metric| matches!(metric, Metric::Headline(SeriesId::Wait(_)));
        let titles: Vec<_> = all().filter(|metric| !is_category(metric)).map(Metric::title).collect();
        assert_eq!(titles.iter().collect::<HashSet<_>>().len(), titles.len());
    }

    #[test]
    fn steps_keep_what_is_shown() {
        let cpu = Metric::from(SeriesId::Cpu);
        assert_eq!(cpu.to_steps(97.26), Some(973));
        assert!((cpu.from_steps(973) - 97.3).abs() < 1e-9);
        assert_eq!(cpu.to_steps(f64::NAN), None);
        assert_eq!(Metric::Sessions.to_steps(12.0), Some(12));
    }
}
