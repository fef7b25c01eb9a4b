//! The meaning of a wait type: its category, whether it is idle noise, whether it is trouble by itself. Data only.
//!
//! Categories follow the table that Microsoft documents for `sys.query_store_wait_stats`, so that live waits and the
//! Query Store line up; types that came later (CXCONSUMER, PARALLEL_REDO_*) go where their relatives are.
//! Everything not named here is in category Unknown and counts.

use self::WaitCategory as C;
use crate::model::base::code::codes;
use serde::{Deserialize, Serialize};

/// Exact names that a rule by prefix would put elsewhere, or that follow no prefix. Sorted.
const EXACT: [(&str, C); 70] = [
    ("ASYNC_IO_COMPLETION", C::OtherDiskIo),
    ("ASYNC_NETWORK_IO", C::NetworkIo),
    ("BACKUPIO", C::OtherDiskIo),
    ("BROKER_RECEIVE_WAITFOR", C::UserWait),
    ("CHECKPOINT_QUEUE", C::Idle),
    ("CHKPT", C::TranLogIo),
    ("CMEMPARTITIONED", C::Memory),
    ("CMEMTHREAD", C::Memory),
    ("CXCONSUMER", C::Parallelism),
    ("CXPACKET", C::Parallelism),
    ("CXROWSET_SYNC", C::Parallelism),
    ("CXSYNC_CONSUMER", C::Parallelism),
    ("CXSYNC_PORT", C::Parallelism),
    ("DIRTY_PAGE_TABLE_LOCK", C::Replication),
    ("DPT_ENTRY_LOCK", C::Replication),
    ("EE_PMOLOCK", C::Memory),
    ("EXCHANGE", C::Parallelism),
    ("EXTERNAL_SCRIPT_NETWORK_IO", C::NetworkIo),
    ("EXTERNAL_SCRIPT_NETWORK_IOF", C::NetworkIo),
    ("FCB_REPLICA_READ", C::Replication),
    ("FCB_REPLICA_WRITE", C::Replication),
    ("FT_COMPROWSET_RWLOCK", C::FullTextSearch),
    ("FT_IFTSHC_MUTEX", C::FullTextSearch),
    ("FT_IFTSISM_MUTEX", C::FullTextSearch),
    ("FT_IFTS_RWLOCK", C::FullTextSearch),
    ("FT_IFTS_SCHEDULER_IDLE_WAIT", C::Idle),
    ("FT_MASTER_MERGE", C::FullTextSearch),
    ("FT_MASTER_MERGE_COORDINATOR", C::FullTextSearch),
    ("FT_METADATA_MUTEX", C::FullTextSearch),
    ("FT_PROPERTYLIST_CACHE", C::FullTextSearch),
    ("FT_RESTART_CRAWL", C::FullTextSearch),
    ("FULLTEXT GATHERER", C::FullTextSearch),
    ("HADR_THROTTLE_LOG_RATE_GOVERNOR", C::LogRateGovernor),
    ("INSTANCE_LOG_RATE_GOVERNOR", C::LogRateGovernor),
    ("IO_COMPLETION", C::OtherDiskIo),
    ("IO_QUEUE_LIMIT", C::OtherDiskIo),
    ("IO_RETRY", C::OtherDiskIo),
    ("LAZYWRITER_SLEEP", C::Idle),
    ("LOGBUFFER", C::TranLogIo),
    ("LOGMGR", C::TranLogIo),
    ("LOGMGR_FLUSH", C::TranLogIo),
    ("LOGMGR_PMM_LOG", C::TranLogIo),
    ("LOGMGR_QUEUE", C::Idle),
    ("LOGMGR_RESERVE_APPEND", C::TranLogIo),
    ("LOG_RATE_GOVERNOR", C::LogRateGovernor),
    ("MEMORY_ALLOCATION_EXT", C::Memory),
    ("MEMORY_GRANT_UPDATE", C::Memory),
    ("MSSEARCH", C::FullTextSearch),
    ("NET_WAITFOR_PACKET", C::NetworkIo),
    ("ONDEMAND_TASK_QUEUE", C::Idle),
    ("POOL_LOG_RATE_GOVERNOR", C::LogRateGovernor),
    ("PROXY_NETWORK_IO", C::NetworkIo),
    ("PWAIT_RESOURCE_SEMAPHORE_FT_PARALLEL_QUERY_SYNC", C::FullTextSearch),
    ("QUERY_TRACEOUT", C::Tracing),
    ("REPLICA_WRITES", C::Replication),
    ("REQUEST_FOR_DEADLOCK_SEARCH", C::Idle),
    ("RESERVED_MEMORY_ALLOCATION_EXT", C::Memory),
    ("RESOURCE_SEMAPHORE", C::Memory),
    ("RESOURCE_SEMAPHORE_QUERY_COMPILE", C::Compilation),
    ("SOS_SCHEDULER_YIELD", C::Cpu),
    ("SOS_WORK_DISPATCHER", C::Idle),
    ("SQLTRACE_BUFFER_FLUSH", C::Idle),
    ("SQLTRACE_INCREMENTAL_FLUSH_SLEEP", C::Idle),
    ("SQLTRACE_WAIT_ENTRIES", C::Idle),
    ("THREADPOOL", C::WorkerThread),
    ("TRANSACTION_MUTEX", C::Transaction),
    ("WAITFOR", C::UserWait),
    ("WAIT_FOR_RESULTS", C::UserWait),
    ("WRITELOG", C::TranLogIo),
    ("WRITE_COMPLETION", C::OtherDiskIo),
];

/// Families by prefix; asked after [`EXACT`], first match wins.
const FAMILIES: [(&str, C); 28] = [
    ("LCK_M_", C::Lock),
    ("PAGEIOLATCH_", C::BufferIo),
    ("PAGELATCH_", C::BufferLatch),
    ("LATCH_", C::Latch),
    ("PREEMPTIVE_", C::Preemptive),
    ("HADR_", C::Replication),
    ("PWAIT_HADR", C::Replication),
    ("SE_REPL_", C::Replication),
    ("REPL_", C::Replication),
    ("PARALLEL_REDO_", C::Replication),
    ("BROKER_", C::ServiceBroker),
    ("CLR", C::SqlClr),
    ("SQLCLR", C::SqlClr),
    ("DBMIRROR", C::Mirroring),
    ("XACT", C::Transaction),
    ("DTC", C::Transaction),
    ("TRAN_MARKLATCH_", C::Transaction),
    ("MSQL_XACT_", C::Transaction),
    ("SLEEP_", C::Idle),
    ("XE_DISPATCHER_WAIT", C::Idle),
    ("XE_TIMER_EVENT", C::Idle),
    ("SQLTRACE_", C::Tracing),
    ("TRACEWRITE", C::Tracing),
    ("TRACE_EVTNOTIF", C::Tracing),
    // Old endpoints; all others that begin so are hash tables of batch mode that several threads share.
    ("HTTP_", C::Unknown),
    ("HT", C::Parallelism),
    ("BMP", C::Parallelism),
    ("BP", C::Parallelism),
];

/// Idle noise: 43 types that the ignore lists of four monitoring tools have in common, and 36 that three of the four
/// have. The 65 that only one or two ignore stay visible: some are symptoms (PARALLEL_REDO_FLOW_CONTROL). Sorted.
const BENIGN: [&str; 79] = [
    "BROKER_EVENTHANDLER",
    "BROKER_RECEIVE_WAITFOR",
    "BROKER_TASK_STOP",
    "BROKER_TO_FLUSH",
    "BROKER_TRANSMITTER",
    "CHECKPOINT_QUEUE",
    "CHKPT",
    "CLR_AUTO_EVENT",
    "CLR_MANUAL_EVENT",
    "CLR_SEMAPHORE",
    "DBMIRRORING_CMD",
    "DBMIRROR_DBM_EVENT",
    "DBMIRROR_EVENTS_QUEUE",
    "DBMIRROR_WORKER_QUEUE",
    "DIRTY_PAGE_POLL",
    "DISPATCHER_QUEUE_SEMAPHORE",
    "FSAGENT",
    "FT_IFTSHC_MUTEX",
    "FT_IFTS_SCHEDULER_IDLE_WAIT",
    "HADR_CLUSAPI_CALL",
    "HADR_FABRIC_CALLBACK",
    "HADR_FILESTREAM_IOMGR_IOCOMPLETION",
    "HADR_LOGCAPTURE_WAIT",
    "HADR_NOTIFICATION_DEQUEUE",
    "HADR_TIMER_TASK",
    "HADR_WORK_QUEUE",
    "KSOURCE_WAKEUP",
    "LAZYWRITER_SLEEP",
    "LOGMGR_QUEUE",
    "MEMORY_ALLOCATION_EXT",
    "ONDEMAND_TASK_QUEUE",
    "PARALLEL_REDO_DRAIN_WORKER",
    "PARALLEL_REDO_LOG_CACHE",
    "PARALLEL_REDO_TRAN_LIST",
    "PARALLEL_REDO_WORKER_SYNC",
    "PARALLEL_REDO_WORKER_WAIT_WORK",
    "PREEMPTIVE_HADR_LEASE_MECHANISM",
    "PREEMPTIVE_SP_SERVER_DIAGNOSTICS",
    "PREEMPTIVE_XE_CALLBACKEXECUTE",
    "PREEMPTIVE_XE_DISPATCHER",
    "PREEMPTIVE_XE_GETTARGETSTATE",
    "PREEMPTIVE_XE_SESSIONCOMMIT",
    "PREEMPTIVE_XE_TARGETFINALIZE",
    "PREEMPTIVE_XE_TARGETINIT",
    "PWAIT_ALL_COMPONENTS_INITIALIZED",
    "PWAIT_DIRECTLOGCONSUMER_GETNEXT",
    "QDS_ASYNC_QUEUE",
    "QDS_CLEANUP_STALE_QUERIES_TASK_MAIN_LOOP_SLEEP",
    "QDS_PERSIST_TASK_MAIN_LOOP_SLEEP",
    "REDO_THREAD_PENDING_WORK",
    "REQUEST_FOR_DEADLOCK_SEARCH",
    "RESOURCE_QUEUE",
    "SERVER_IDLE_CHECK",
    "SLEEP_DBSTARTUP",
    "SLEEP_DCOMSTARTUP",
    "SLEEP_MASTERDBREADY",
    "SLEEP_MASTERMDREADY",
    "SLEEP_MASTERUPGRADED",
    "SLEEP_MSDBSTARTUP",
    "SLEEP_SYSTEMTASK",
    "SLEEP_TASK",
    "SLEEP_TEMPDBSTARTUP",
    "SNI_HTTP_ACCEPT",
    "SOS_WORK_DISPATCHER",
    "SP_SERVER_DIAGNOSTICS_SLEEP",
    "SQLTRACE_BUFFER_FLUSH",
    "SQLTRACE_INCREMENTAL_FLUSH_SLEEP",
    "SQLTRACE_WAIT_ENTRIES",
    "WAITFOR",
    "WAITFOR_TASKSHUTDOWN",
    "WAIT_FOR_RESULTS",
    "WAIT_XTP_CKPT_CLOSE",
    "WAIT_XTP_HOST_WAIT",
    "WAIT_XTP_OFFLINE_CKPT_NEW_LOG",
    "XE_BUFFERMGR_ALLPROCESSED_EVENT",
    "XE_DISPATCHER_JOIN",
    "XE_DISPATCHER_WAIT",
    "XE_LIVE_TARGET_TVF",
    "XE_TIMER_EVENT",
];

/// Trouble by themselves when they last: no worker, no memory grant, throttled log or I/O. The first three are those
/// of PerformanceMonitor, the rest First Responder Kit adds. Sorted.
const POISON: [&str; 14] = [
    "IO_QUEUE_LIMIT",
    "IO_RETRY",
    "LOG_RATE_GOVERNOR",
    "POOL_LOG_RATE_GOVERNOR",
    "PREEMPTIVE_DEBUG",
    "RESMGR_THROTTLED",
    "RESOURCE_SEMAPHORE",
    "RESOURCE_SEMAPHORE_QUERY_COMPILE",
    "SE_REPL_CATCHUP_THROTTLE",
    "SE_REPL_COMMIT_ACK",
    "SE_REPL_COMMIT_TURN",
    "SE_REPL_ROLLBACK_ACK",
    "SE_REPL_SLOW_SECONDARY_THROTTLE",
    "THREADPOOL",
];

/// Poison waits, each kind of them at least once.
#[cfg(test)]
pub fn poison() -> impl Iterator<Item = &'static str> {
    POISON.into_iter().chain(["CMEMTHREAD", "LCK_M_RS_S", "LCK_M_RX_X", "LCK_M_RIn_NL"])
}

/// NUMA nodes from which CMEMTHREAD counts as poison: contention on memory objects that are not partitioned by node.
const MANY_NUMA_NODES: i32 = 4;

/// The category of a wait type.
pub fn category(name: &str) -> C {
    if let Ok(i) = EXACT.binary_search_by_key(&name, |(n, _)| n)
        && let Some((_, category)) = EXACT.get(i)
    {
        return *category;
    }
    FAMILIES.iter().find(|(prefix, _)| name.starts_with(prefix)).map_or(C::Unknown, |(_, c)| *c)
}

/// Background threads that fewer lists name but that wait by the clock, about a second each second, on a server where
/// nothing is wrong: counted, they would be the top wait of every calm instance.
const BY_THE_CLOCK: [&str; 2] = ["PVS_PREALLOCATE", "QDS_SHUTDOWN_QUEUE"];

/// True for idle noise: hidden unless asked for, never counted. The Query Store's own category Idle belongs to it.
pub fn is_benign(name: &str) -> bool {
    BENIGN.binary_search(&name).is_ok() || BY_THE_CLOCK.contains(&name) || category(name) == C::Idle
}

/// True for waits that are trouble by themselves when they last. Serializable range locks (`LCK_M_R…`) belong to
/// them, and CMEMTHREAD on a server with many NUMA nodes.
pub fn is_poison(name: &str, numa_nodes: Option<i32>) -> bool {
    POISON.binary_search(&name).is_ok()
        || name.starts_with("LCK_M_R")
        || (name == "CMEMTHREAD" && numa_nodes.is_some_and(|n| n >= MANY_NUMA_NODES))
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

/// The compiler refuses a category without a row, and a row or a code that stands here twice.
macro_rules! categories {
    ($($code:literal $category:ident $name:literal,)+) => {
        impl WaitCategory {
            /// All of them, in a fixed order: the order of colours and of ties.
            pub const ALL: [Self; [$($code),+].len()] = [$(Self::$category),+];

            /// The name, as the Query Store prints it.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$category => $name,)+ }
            }
        }

        codes!(WaitCategory as u16 { $($code => $category,)+ });
    };
}

categories! {
    // code of its series in files, category, name
    100 Cpu             "CPU",
    101 WorkerThread    "Worker Thread",
    102 Lock            "Lock",
    103 Latch           "Latch",
    104 BufferLatch     "Buffer Latch",
    105 BufferIo        "Buffer IO",
    106 Compilation     "Compilation",
    107 SqlClr          "SQL CLR",
    108 Mirroring       "Mirroring",
    109 Transaction     "Transaction",
    110 Idle            "Idle",
    111 Preemptive      "Preemptive",
    112 ServiceBroker   "Service Broker",
    113 TranLogIo       "Tran Log IO",
    114 NetworkIo       "Network IO",
    115 Parallelism     "Parallelism",
    116 Memory          "Memory",
    117 UserWait        "User Wait",
    118 Tracing         "Tracing",
    119 FullTextSearch  "Full Text Search",
    120 OtherDiskIo     "Other Disk IO",
    121 Replication     "Replication",
    122 LogRateGovernor "Log Rate Governor",
    123 Unknown         "Unknown",
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tables_are_sorted_and_without_doubles() {
        assert!(EXACT.is_sorted_by(|a, b| a.0 < b.0));
        assert!(BENIGN.is_sorted_by(|a, b| a < b));
        assert!(POISON.is_sorted_by(|a, b| a < b));
    }

    #[test]
    fn categories_as_the_query_store_documents_them() {
        for (name, expected) in [
            ("SOS_SCHEDULER_YIELD", C::Cpu),
            ("THREADPOOL", C::WorkerThread),
            ("LCK_M_SCH_M_LOW_PRIORITY", C::Lock),
            ("LATCH_EX", C::Latch),
            ("PAGELATCH_UP", C::BufferLatch),
            ("PAGEIOLATCH_SH", C::BufferIo),
            ("RESOURCE_SEMAPHORE_QUERY_COMPILE", C::Compilation),
            ("SQLCLR_QUANTUM_PUNISHMENT", C::SqlClr),
            ("DBMIRROR_SEND", C::Mirroring),
            ("MSQL_XACT_MUTEX", C::Transaction),
            ("SLEEP_BPOOL_FLUSH", C::Idle),
            ("PREEMPTIVE_OS_WRITEFILE", C::Preemptive),
            ("BROKER_TASK_SUBMIT", C::ServiceBroker),
            ("BROKER_RECEIVE_WAITFOR", C::UserWait),
            ("WRITELOG", C::TranLogIo),
            ("ASYNC_NETWORK_IO", C::NetworkIo),
            ("CXPACKET", C::Parallelism),
            ("HTBUILD", C::Parallelism),
            ("HTDELETE", C::Parallelism),
            ("HTMEMO", C::Parallelism),
            ("HTREINIT", C::Parallelism),
            ("HTREPARTITION", C::Parallelism),
            ("BMPALLOCATION", C::Parallelism),
            ("BPSORT", C::Parallelism),
            ("HTTP_START", C::Unknown),
            ("RESOURCE_SEMAPHORE", C::Memory),
            ("SQLTRACE_LOCK", C::Tracing),
            ("SQLTRACE_BUFFER_FLUSH", C::Idle),
            ("FT_MASTER_MERGE", C::FullTextSearch),
            ("IO_COMPLETION", C::OtherDiskIo),
            ("HADR_SYNC_COMMIT", C::Replication),
            ("HADR_THROTTLE_LOG_RATE_GOVERNOR", C::LogRateGovernor),
            ("SOMETHING_OF_2031", C::Unknown),
            ("", C::Unknown),
        ] {
            assert_eq!(category(name), expected, "{name}");
        }
    }

    #[test]
    fn symptoms_are_not_hidden() {
        for name in
            ["PARALLEL_REDO_FLOW_CONTROL", "CXCONSUMER", "VDI_CLIENT_OTHER", "PREEMPTIVE_OS_WRITEFILE"]
        {
            assert!(!is_benign(name), "{name}");
        }
        assert!(
            is_benign("XE_TIMER_EVENT") && is_benign("PVS_PREALLOCATE") && is_benign("SLEEP_BPOOL_FLUSH")
        );
    }

    #[test]
    fn nothing_is_both_benign_and_poison() {
        assert!(BENIGN.iter().all(|n| !is_poison(n, Some(64))));
        assert!(poison().all(|n| is_poison(n, Some(64))));
        assert!(is_poison("LCK_M_RX_X", None) && !is_poison("LCK_M_X", None));
        assert!(is_poison("CMEMTHREAD", Some(8)) && !is_poison("CMEMTHREAD", Some(1)));
    }
}
