//! The headline: liveness, headline counters and CPU time. Raw as they are polled, and as figures per second.

use super::{
    id::{Emit, Metric, ProbeId, SeriesId, whole},
    names::Visit,
    outcome::Outcome,
};
use crate::model::base::time::Timestamp;
use serde::{Deserialize, Serialize};

/// Raw headline figures of one poll. Counters marked *cumulative* are turned into rates by the fold.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct HeadlineSample {
    /// the server's clock, UTC ms
    pub server_time: Option<Timestamp>,
    /// start of the instance, UTC: a change is a restart
    pub started_at: Option<Timestamp>,
    /// CPU ms of the SQL Server process, kernel + user, cumulative (right on Linux too)
    pub process_cpu_ms: Option<i64>,
    /// logical CPUs that time is spread over
    pub cpu_count: Option<i32>,
    /// batch requests, cumulative
    pub batches: Option<i64>,
    /// logins, cumulative
    pub logins: Option<i64>,
    /// transactions of all databases, cumulative
    pub transactions: Option<i64>,
    /// compilations, cumulative
    pub compilations: Option<i64>,
    /// recompilations, cumulative
    pub recompilations: Option<i64>,
    /// log flushes of all databases, cumulative
    pub log_flushes: Option<i64>,
    /// log flush wait ms of all databases, cumulative
    pub log_flush_wait_ms: Option<i64>,
    /// lazy writes, cumulative
    pub lazy_writes: Option<i64>,
    /// deadlocks of all resources, cumulative
    pub deadlocks: Option<i64>,
    /// user connections now
    pub connections: Option<i64>,
    /// requests that a session blocks now, by the rule of [`super::activity::blocker`]
    pub blocked: Option<i64>,
    /// page life expectancy now, s
    pub page_life_s: Option<i64>,
    /// memory grants pending now
    pub grants_pending: Option<i64>,
    /// memory grants outstanding now
    pub grants_outstanding: Option<i64>,
    /// Total Server Memory, KB
    pub total_memory_kb: Option<i64>,
    /// Target Server Memory, KB
    pub target_memory_kb: Option<i64>,
    /// free space in tempdb, KB
    pub tempdb_free_kb: Option<i64>,
    /// size of tempdb's data files, KB
    pub tempdb_size_kb: Option<i64>,
}

/// Headline figures as rates over the last interval. None: not known (yet).
/// In files by position: fields are only appended, each with a default; variants keep their names.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Headline {
    /// CPU % of the SQL Server process over the CPUs that it may run on
    pub cpu_pct: Option<f64>,
    /// batch requests per second
    pub batches_per_s: Option<f64>,
    /// logins per second
    pub logins_per_s: Option<f64>,
    /// transactions per second
    pub transactions_per_s: Option<f64>,
    /// compilations per second
    pub compilations_per_s: Option<f64>,
    /// recompilations per second
    pub recompilations_per_s: Option<f64>,
    /// log flushes per second
    pub log_flushes_per_s: Option<f64>,
    /// average log flush, ms
    pub log_flush_ms: Option<f64>,
    /// lazy writes per second
    pub lazy_writes_per_s: Option<f64>,
    /// deadlocks per minute
    pub deadlocks_per_min: Option<f64>,
    /// deadlocks in the last fifteen minutes, as far as polled
    pub deadlocks_recent: Option<u32>,
    /// user connections
    pub connections: Option<i64>,
    /// processes blocked
    pub blocked: Option<i64>,
    /// page life expectancy, s
    pub page_life_s: Option<i64>,
    /// grants pending
    pub grants_pending: Option<i64>,
    /// grants outstanding
    pub grants_outstanding: Option<i64>,
    /// Total Server Memory, KB
    pub total_memory_kb: Option<i64>,
    /// Target Server Memory, KB
    pub target_memory_kb: Option<i64>,
    /// tempdb in use, %
    pub tempdb_used_pct: Option<f64>,
    /// tempdb size, KB
    pub tempdb_size_kb: Option<i64>,
    /// start of the instance, by our clock whatever the server's says
    pub started_at: Option<Timestamp>,
    /// round trip of this poll, ms
    pub round_trip_ms: u32,
}

impl Outcome for Headline {
    fn points(&self, _probe: ProbeId, emit: Emit<'_>) {
        let numbers: [(Metric, Option<f64>); 20] = [
            (SeriesId::Cpu.into(), self.cpu_pct),
            (SeriesId::Batches.into(), self.batches_per_s),
            (SeriesId::Logins.into(), self.logins_per_s),
            (SeriesId::Transactions.into(), self.transactions_per_s),
            (SeriesId::Connections.into(), whole(self.connections)),
            (SeriesId::Blocked.into(), whole(self.blocked)),
            (SeriesId::PageLife.into(), whole(self.page_life_s)),
            (SeriesId::LogFlush.into(), self.log_flush_ms),
            (SeriesId::GrantsPending.into(), whole(self.grants_pending)),
            (SeriesId::Tempdb.into(), self.tempdb_used_pct),
            (SeriesId::Deadlocks.into(), self.deadlocks_per_min),
            (SeriesId::PollMs.into(), Some(f64::from(self.round_trip_ms))),
            (Metric::Compilations, self.compilations_per_s),
            (Metric::Recompilations, self.recompilations_per_s),
            (Metric::LogFlushes, self.log_flushes_per_s),
            (Metric::LazyWrites, self.lazy_writes_per_s),
            (Metric::GrantsOutstanding, whole(self.grants_outstanding)),
            (Metric::TotalMemory, whole(self.total_memory_kb)),
            (Metric::TargetMemory, whole(self.target_memory_kb)),
            (Metric::TempdbSize, whole(self.tempdb_size_kb)),
        ];
        for (metric, value) in numbers {
            emit(metric, "", value);
        }
    }

    fn each_name_mut(&mut self, _visit: Visit<'_>) {}
}
