//! Waits: raw rows, rates, categories. Category names are those of the Query Store, so that both line up.

use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// One row of `sys.dm_os_wait_stats`: counters since the instance started (or since someone cleared them).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WaitCounter {
    /// wait type
    pub name: Arc<str>,
    /// waits
    pub tasks: i64,
    /// total ms, signal included
    pub wait_ms: i64,
    /// longest ms
    pub max_ms: i64,
    /// of which waiting for a CPU, ms
    pub signal_ms: i64,
}

/// A wait category, as the Query Store names them.
/// In files by name: fields and variants keep their names, a new field has a default.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the names are the documentation")]
pub enum WaitCategory {
    Cpu,
    WorkerThread,
    Lock,
    Latch,
    BufferLatch,
    BufferIo,
    Compilation,
    SqlClr,
    Mirroring,
    Transaction,
    Idle,
    Preemptive,
    ServiceBroker,
    TranLogIo,
    NetworkIo,
    Parallelism,
    Memory,
    UserWait,
    Tracing,
    FullTextSearch,
    OtherDiskIo,
    Replication,
    LogRateGovernor,
    Unknown,
}

impl WaitCategory {
    /// All of them, in a fixed order: the order of colours and of ties.
    pub const ALL: [Self; 24] = [
        Self::Cpu,
        Self::WorkerThread,
        Self::Lock,
        Self::Latch,
        Self::BufferLatch,
        Self::BufferIo,
        Self::Compilation,
        Self::SqlClr,
        Self::Mirroring,
        Self::Transaction,
        Self::Idle,
        Self::Preemptive,
        Self::ServiceBroker,
        Self::TranLogIo,
        Self::NetworkIo,
        Self::Parallelism,
        Self::Memory,
        Self::UserWait,
        Self::Tracing,
        Self::FullTextSearch,
        Self::OtherDiskIo,
        Self::Replication,
        Self::LogRateGovernor,
        Self::Unknown,
    ];

    /// The name, as the Query Store prints it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Cpu => "CPU",
            Self::WorkerThread => "Worker Thread",
            Self::Lock => "Lock",
            Self::Latch => "Latch",
            Self::BufferLatch => "Buffer Latch",
            Self::BufferIo => "Buffer IO",
            Self::Compilation => "Compilation",
            Self::SqlClr => "SQL CLR",
            Self::Mirroring => "Mirroring",
            Self::Transaction => "Transaction",
            Self::Idle => "Idle",
            Self::Preemptive => "Preemptive",
            Self::ServiceBroker => "Service Broker",
            Self::TranLogIo => "Tran Log IO",
            Self::NetworkIo => "Network IO",
            Self::Parallelism => "Parallelism",
            Self::Memory => "Memory",
            Self::UserWait => "User Wait",
            Self::Tracing => "Tracing",
            Self::FullTextSearch => "Full Text Search",
            Self::OtherDiskIo => "Other Disk IO",
            Self::Replication => "Replication",
            Self::LogRateGovernor => "Log Rate Governor",
            Self::Unknown => "Unknown",
        }
    }
}

/// The rate of one wait type between two polls.
/// In files by position: fields are only appended, each with a default; variants keep their names.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct WaitRate {
    /// wait type
    pub name: Arc<str>,
    /// its category
    pub category: WaitCategory,
    /// on the ignore list: hidden unless asked for, never counted
    pub benign: bool,
    /// sustained values mean trouble by themselves (THREADPOOL …)
    pub poison: bool,
    /// ms of waiting per second of wall time
    pub ms_per_s: f64,
    /// of which signal
    pub signal_ms_per_s: f64,
    /// waits per second
    pub tasks_per_s: f64,
    /// average ms a wait in this interval; None if none ended
    pub avg_ms: Option<f64>,
    /// longest ever, ms (since the counters were cleared)
    pub max_ms: i64,
}

/// A category's sum.
/// In files by position: fields are only appended, each with a default; variants keep their names.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CategoryRate {
    /// category
    pub category: WaitCategory,
    /// ms of waiting per second
    pub ms_per_s: f64,
    /// of which signal
    pub signal_ms_per_s: f64,
    /// waits per second
    pub tasks_per_s: f64,
}

/// Waits of one instance over the last interval.
/// In files by position: fields are only appended, each with a default; variants keep their names.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct WaitTable {
    /// types with any wait in the interval, heaviest first, benign ones included and flagged
    pub types: Vec<WaitRate>,
    /// categories without the benign ones, heaviest first
    pub categories: Vec<CategoryRate>,
    /// sum without the benign ones, ms per second
    pub total_ms_per_s: f64,
    /// signal part of that sum, ms per second
    pub signal_ms_per_s: f64,
    /// length of the interval, ms
    pub over_ms: u64,
}
