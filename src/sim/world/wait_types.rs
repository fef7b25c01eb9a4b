//! The wait types that simulated servers have, by the cause that drives them. Names and meanings are those of
//! sys.dm_os_wait_stats; shares and durations are believable, not measured.

use super::version::Version;

/// A cause of waiting: all types below it grow together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(usize)]
pub enum Driver {
    /// tasks that have used up their quantum and wait for a CPU
    Cpu,
    /// data file reads and writes
    Io,
    /// log writes
    Log,
    /// clients that fetch slowly
    Network,
    /// everyday locks
    Lock,
    /// latches
    Latch,
    /// allocation pages of tempdb
    TempdbLatch,
    /// parallel plans
    Parallel,
    /// memory objects
    Memory,
    /// calls into the operating system
    Preemptive,
    /// availability group commits
    Hadr,
    /// availability group housekeeping: idle
    HadrIdle,
    /// backups
    Backup,
    /// background threads: idle
    Idle,
    /// once in a while
    Rare,
    /// readers behind a lock
    LockS,
    /// updaters behind a lock
    LockU,
    /// writers behind a lock
    LockX,
    /// inserters behind a table lock
    LockIx,
    /// workers used up
    Threadpool,
    /// memory grants queueing
    Grants,
}

impl Driver {
    /// The number of causes.
    pub const COUNT: usize = Self::Grants as usize + 1;
}

/// One wait type.
#[derive(Debug, Clone, Copy)]
pub struct WaitType {
    /// its name
    pub name: &'static str,
    /// cause
    pub driver: Driver,
    /// share of the cause's waiting time
    pub share: f64,
    /// usual length of one wait, ms
    pub avg_ms: f64,
    /// part of it that is waiting for a CPU, 0 to 1
    pub signal: f64,
    /// first version that has it
    pub since: Version,
}

const fn of(driver: Driver, name: &'static str, share: f64, avg_ms: f64, signal: f64) -> WaitType {
    WaitType { name, driver, share, avg_ms, signal, since: Version::V2016 }
}

const fn since(since: Version, wait: WaitType) -> WaitType {
    WaitType { since, ..wait }
}

use Driver::{
    Backup, Cpu, Grants, Hadr, HadrIdle, Idle, Io, Latch, Lock, LockIx, LockS, LockU, LockX, Log, Memory,
    Network, Parallel, Preemptive, Rare, TempdbLatch, Threadpool,
};

/// Types that a workload causes.
pub const WORK: &[WaitType] = &[
    of(Cpu, "SOS_SCHEDULER_YIELD", 1.0, 0.4, 1.0),
    of(Io, "PAGEIOLATCH_SH", 0.58, 3.4, 0.02),
    of(Io, "PAGEIOLATCH_EX", 0.16, 3.1, 0.02),
    of(Io, "PAGEIOLATCH_UP", 0.04, 2.8, 0.02),
    of(Io, "IO_COMPLETION", 0.14, 2.2, 0.01),
    of(Io, "ASYNC_IO_COMPLETION", 0.05, 48.0, 0.0),
    of(Io, "WRITE_COMPLETION", 0.03, 1.9, 0.01),
    of(Log, "WRITELOG", 0.86, 1.6, 0.06),
    of(Log, "LOGBUFFER", 0.10, 2.4, 0.04),
    of(Log, "LOGMGR", 0.01, 5.0, 0.0),
    of(Log, "LOGMGR_FLUSH", 0.03, 1.1, 0.02),
    of(Network, "ASYNC_NETWORK_IO", 0.97, 4.1, 0.02),
    of(Network, "NET_WAITFOR_PACKET", 0.03, 9.0, 0.0),
    of(Lock, "LCK_M_S", 0.34, 64.0, 0.01),
    of(Lock, "LCK_M_U", 0.22, 38.0, 0.01),
    of(Lock, "LCK_M_X", 0.20, 44.0, 0.01),
    of(Lock, "LCK_M_IX", 0.10, 57.0, 0.01),
    of(Lock, "LCK_M_IS", 0.06, 31.0, 0.01),
    of(Lock, "LCK_M_SCH_S", 0.03, 120.0, 0.01),
    of(Lock, "LCK_M_SCH_M", 0.02, 300.0, 0.01),
    of(Lock, "LCK_M_RS_S", 0.01, 41.0, 0.01),
    of(Lock, "LCK_M_RIn_NL", 0.01, 36.0, 0.01),
    of(Lock, "LCK_M_BU", 0.01, 90.0, 0.01),
    of(LockS, "LCK_M_S", 1.0, 30_000.0, 0.0),
    of(LockU, "LCK_M_U", 1.0, 30_000.0, 0.0),
    of(LockX, "LCK_M_X", 1.0, 30_000.0, 0.0),
    of(LockIx, "LCK_M_IX", 1.0, 30_000.0, 0.0),
    of(Latch, "LATCH_EX", 0.30, 0.9, 0.08),
    of(Latch, "LATCH_SH", 0.18, 0.7, 0.08),
    of(Latch, "PAGELATCH_EX", 0.24, 0.6, 0.10),
    of(Latch, "PAGELATCH_SH", 0.20, 0.5, 0.12),
    of(Latch, "PAGELATCH_KP", 0.02, 0.4, 0.10),
    of(Latch, "LATCH_UP", 0.02, 0.8, 0.05),
    of(Latch, "LATCH_KP", 0.01, 0.8, 0.05),
    of(Latch, "TRAN_MARKLATCH_EX", 0.01, 1.1, 0.0),
    of(TempdbLatch, "PAGELATCH_UP", 0.7, 0.8, 0.08),
    of(TempdbLatch, "PAGELATCH_EX", 0.3, 0.8, 0.08),
    of(Parallel, "CXPACKET", 0.42, 6.1, 0.05),
    since(Version::V2017, of(Parallel, "CXCONSUMER", 0.33, 4.9, 0.03)),
    since(Version::V2022, of(Parallel, "CXSYNC_PORT", 0.08, 2.1, 0.05)),
    since(Version::V2022, of(Parallel, "CXSYNC_CONSUMER", 0.03, 1.7, 0.05)),
    of(Parallel, "CXROWSET_SYNC", 0.02, 1.8, 0.04),
    of(Parallel, "EXECSYNC", 0.02, 3.0, 0.02),
    since(Version::V2017, of(Parallel, "HTBUILD", 0.04, 7.0, 0.03)),
    since(Version::V2017, of(Parallel, "HTDELETE", 0.02, 3.3, 0.03)),
    since(Version::V2017, of(Parallel, "HTMEMO", 0.01, 2.9, 0.03)),
    since(Version::V2017, of(Parallel, "HTREINIT", 0.02, 5.0, 0.03)),
    since(Version::V2017, of(Parallel, "BPSORT", 0.02, 4.4, 0.03)),
    since(Version::V2017, of(Parallel, "BMPBUILD", 0.01, 1.2, 0.03)),
    of(Memory, "CMEMTHREAD", 0.34, 0.2, 0.35),
    of(Memory, "SOS_RESERVEDMEMBLOCKLIST", 0.08, 0.6, 0.1),
    of(Memory, "RESOURCE_SEMAPHORE_QUERY_COMPILE", 0.02, 40.0, 0.0),
    of(Memory, "MEMORY_ALLOCATION_EXT", 0.30, 0.02, 0.0),
    of(Memory, "RESERVED_MEMORY_ALLOCATION_EXT", 0.18, 0.02, 0.0),
    of(Memory, "SOS_PHYS_PAGE_CACHE", 0.04, 0.1, 0.2),
    of(Memory, "UTIL_PAGE_ALLOC", 0.04, 0.5, 0.1),
    of(Preemptive, "PREEMPTIVE_OS_AUTHENTICATIONOPS", 0.16, 0.5, 0.0),
    of(Preemptive, "PREEMPTIVE_OS_QUERYREGISTRY", 0.06, 0.05, 0.0),
    of(Preemptive, "PREEMPTIVE_OS_FILEOPS", 0.08, 0.9, 0.0),
    of(Preemptive, "PREEMPTIVE_OS_WRITEFILE", 0.12, 1.4, 0.0),
    of(Preemptive, "PREEMPTIVE_OS_WRITEFILEGATHER", 0.09, 30.0, 0.0),
    of(Preemptive, "PREEMPTIVE_OS_GETPROCADDRESS", 0.02, 0.02, 0.0),
    of(Preemptive, "PREEMPTIVE_OS_CRYPTOPS", 0.05, 0.1, 0.0),
    of(Preemptive, "PREEMPTIVE_OS_CRYPTACQUIRECONTEXT", 0.05, 0.3, 0.0),
    of(Preemptive, "PREEMPTIVE_OS_LOOKUPACCOUNTSID", 0.06, 0.7, 0.0),
    of(Preemptive, "PREEMPTIVE_OS_REVERTTOSELF", 0.02, 0.02, 0.0),
    of(Preemptive, "PREEMPTIVE_OS_WAITFORSINGLEOBJECT", 0.12, 1.2, 0.0),
    of(Preemptive, "PREEMPTIVE_OS_DEVICEOPS", 0.02, 0.3, 0.0),
    of(Preemptive, "PREEMPTIVE_OS_GETDISKFREESPACE", 0.02, 0.4, 0.0),
    of(Preemptive, "PREEMPTIVE_OS_CLOSEHANDLE", 0.01, 0.1, 0.0),
    of(Preemptive, "PREEMPTIVE_OS_CREATEFILE", 0.02, 0.6, 0.0),
    of(Preemptive, "PREEMPTIVE_OS_FLUSHFILEBUFFERS", 0.03, 1.0, 0.0),
    of(Preemptive, "PREEMPTIVE_OS_SQMLAUNCH", 0.01, 0.9, 0.0),
    of(Preemptive, "PREEMPTIVE_COM_GETDATA", 0.02, 0.2, 0.0),
    of(Preemptive, "PREEMPTIVE_OLEDBOPS", 0.02, 0.5, 0.0),
    of(Preemptive, "OLEDB", 0.02, 0.05, 0.0),
    of(Hadr, "HADR_SYNC_COMMIT", 0.92, 2.6, 0.04),
    of(Hadr, "HADR_GROUP_COMMIT", 0.03, 1.0, 0.01),
    of(Hadr, "HADR_DATABASE_FLOW_CONTROL", 0.02, 6.0, 0.0),
    of(Hadr, "HADR_TRANSPORT_FLOW_CONTROL", 0.01, 3.0, 0.0),
    of(Hadr, "HADR_TRANSPORT_SESSION", 0.01, 0.4, 0.0),
    of(Hadr, "HADR_AR_CRITICAL_SECTION_ENTRY", 0.01, 0.7, 0.0),
    of(Backup, "BACKUPIO", 0.52, 9.0, 0.0),
    of(Backup, "BACKUPBUFFER", 0.24, 7.0, 0.01),
    of(Backup, "BACKUPTHREAD", 0.22, 900.0, 0.0),
    of(Backup, "MSQL_XP", 0.02, 200.0, 0.0),
    of(Threadpool, "THREADPOOL", 1.0, 900.0, 0.0),
    of(Grants, "RESOURCE_SEMAPHORE", 1.0, 25_000.0, 0.0),
];

/// Background threads that wait for something to do. `share` is the number of such threads.
pub const IDLE: &[WaitType] = &[
    of(Idle, "LAZYWRITER_SLEEP", 1.0, 998.0, 0.0),
    of(Idle, "SQLTRACE_INCREMENTAL_FLUSH_SLEEP", 1.0, 4_006.0, 0.0),
    of(Idle, "DIRTY_PAGE_POLL", 1.0, 104.0, 0.0),
    of(Idle, "REQUEST_FOR_DEADLOCK_SEARCH", 1.0, 5_004.0, 1.0),
    of(Idle, "LOGMGR_QUEUE", 2.0, 110.0, 0.0),
    of(Idle, "CHECKPOINT_QUEUE", 1.0, 88_000.0, 0.0),
    of(Idle, "XE_TIMER_EVENT", 1.0, 4_990.0, 1.0),
    of(Idle, "XE_DISPATCHER_WAIT", 1.0, 60_000.0, 0.0),
    of(Idle, "BROKER_TO_FLUSH", 1.0, 1_025.0, 0.0),
    of(Idle, "BROKER_TASK_STOP", 2.0, 9_980.0, 0.0),
    of(Idle, "BROKER_EVENTHANDLER", 1.0, 300_000.0, 0.0),
    of(Idle, "BROKER_TRANSMITTER", 2.0, 600_000.0, 0.0),
    of(Idle, "BROKER_RECEIVE_WAITFOR", 0.4, 60_000.0, 0.0),
    of(Idle, "SLEEP_TASK", 4.0, 60.0, 0.01),
    of(Idle, "SLEEP_SYSTEMTASK", 0.1, 30_000.0, 0.0),
    of(Idle, "SP_SERVER_DIAGNOSTICS_SLEEP", 1.0, 300_000.0, 1.0),
    of(Idle, "DISPATCHER_QUEUE_SEMAPHORE", 6.0, 20_000.0, 0.0),
    of(Idle, "CLR_AUTO_EVENT", 2.0, 800_000.0, 0.0),
    of(Idle, "CLR_MANUAL_EVENT", 0.2, 200_000.0, 0.0),
    of(Idle, "CLR_SEMAPHORE", 0.1, 100_000.0, 0.0),
    of(Idle, "FT_IFTS_SCHEDULER_IDLE_WAIT", 1.0, 60_010.0, 0.0),
    of(Idle, "FT_IFTSHC_MUTEX", 0.01, 40.0, 0.0),
    of(Idle, "QDS_PERSIST_TASK_MAIN_LOOP_SLEEP", 1.0, 60_000.0, 0.0),
    of(Idle, "QDS_ASYNC_QUEUE", 1.0, 9_000.0, 0.0),
    of(Idle, "QDS_CLEANUP_STALE_QUERIES_TASK_MAIN_LOOP_SLEEP", 0.1, 600_000.0, 0.0),
    of(Idle, "ONDEMAND_TASK_QUEUE", 1.0, 700_000.0, 0.0),
    of(Idle, "WAITFOR", 0.3, 5_000.0, 0.0),
    of(Idle, "WAITFOR_TASKSHUTDOWN", 0.01, 500.0, 0.0),
    of(Idle, "SOS_WORK_DISPATCHER", 9.0, 2_300.0, 0.0),
    of(Idle, "PWAIT_DIRECTLOGCONSUMER_GETNEXT", 0.6, 300_000.0, 0.0),
    of(Idle, "PREEMPTIVE_XE_DISPATCHER", 0.4, 120_000.0, 0.0),
    of(Idle, "WAIT_XTP_HOST_WAIT", 1.0, 5_000.0, 0.0),
    of(Idle, "WAIT_XTP_OFFLINE_CKPT_NEW_LOG", 1.0, 4_950.0, 0.0),
    of(Idle, "WAIT_XTP_CKPT_CLOSE", 0.02, 30.0, 0.0),
    of(Idle, "XE_LIVE_TARGET_TVF", 0.1, 4_000.0, 0.0),
    of(Idle, "SQLTRACE_BUFFER_FLUSH", 0.1, 4_000.0, 0.0),
    of(Idle, "SERVER_IDLE_CHECK", 0.01, 900.0, 0.0),
    of(Idle, "KSOURCE_WAKEUP", 1.0, 86_400_000.0, 0.0),
    of(Idle, "RESOURCE_QUEUE", 0.2, 8_000.0, 0.0),
    of(Idle, "WAIT_FOR_RESULTS", 0.05, 600.0, 0.0),
    of(Idle, "SLEEP_BPOOL_FLUSH", 0.02, 4.0, 0.2),
    of(Idle, "SLEEP_BUFFERPOOL_HELPLW", 0.01, 6.0, 0.1),
    of(Idle, "PARALLEL_REDO_WORKER_WAIT_WORK", 0.01, 5.0, 0.0),
    of(HadrIdle, "HADR_FILESTREAM_IOMGR_IOCOMPLETION", 1.0, 500.0, 0.0),
    of(HadrIdle, "HADR_TIMER_TASK", 2.0, 4_000.0, 0.0),
    of(HadrIdle, "HADR_WORK_QUEUE", 8.0, 900.0, 0.0),
    of(HadrIdle, "HADR_LOGCAPTURE_WAIT", 2.0, 12.0, 0.01),
    of(HadrIdle, "HADR_NOTIFICATION_DEQUEUE", 2.0, 60_000.0, 0.0),
    of(HadrIdle, "HADR_CLUSAPI_CALL", 0.01, 2.0, 0.0),
    of(HadrIdle, "HADR_BACKUP_BULK_LOCK", 0.001, 1.0, 0.0),
    of(HadrIdle, "PREEMPTIVE_HADR_LEASE_MECHANISM", 0.01, 1.0, 0.0),
    of(HadrIdle, "REDO_THREAD_PENDING_WORK", 2.0, 100.0, 0.0),
    of(HadrIdle, "PARALLEL_REDO_DRAIN_WORKER", 0.02, 3.0, 0.0),
    of(HadrIdle, "PARALLEL_REDO_TRAN_LIST", 0.01, 0.4, 0.0),
    of(HadrIdle, "DBMIRROR_EVENTS_QUEUE", 0.1, 1_000.0, 0.0),
    of(HadrIdle, "DBMIRRORING_CMD", 0.1, 1_000.0, 0.0),
];

/// Types that occur now and then on any server; each gets a share of a trickle.
pub const RARE: &[&str] = &[
    "ASSEMBLY_LOAD",
    "ASYNC_DISKPOOL_LOCK",
    "AUDIT_GROUPCACHE_LOCK",
    "BROKER_CONNECTION_RECEIVE_TASK",
    "BROKER_DISPATCHER",
    "BROKER_ENDPOINT_STATE_MUTEX",
    "BROKER_INIT",
    "BROKER_MASTERSTART",
    "BROKER_REGISTERALLENDPOINTS",
    "BROKER_SERVICE",
    "BROKER_SHUTDOWN",
    "BROKER_START",
    "BROKER_TASK_SHUTDOWN",
    "BROKER_TRANSMISSION_TABLE",
    "CHECK_SCANNER_MUTEX",
    "CHECK_TABLES_INITIALIZATION",
    "CHECK_TABLES_SINGLE_SCAN",
    "CHECK_TABLES_THREAD_BARRIER",
    "CHKPT",
    "CLR_CRST",
    "CLR_JOIN",
    "CLR_MONITOR",
    "CLR_TASK_START",
    "COMMIT_TABLE",
    "CONNECTION_ENDPOINT_LOCK",
    "DAC_INIT",
    "DBSEEDING_FLOWCONTROL",
    "DEADLOCK_ENUM_MUTEX",
    "DEADLOCK_TASK_SEARCH",
    "DLL_LOADING_MUTEX",
    "DPT_ENTRY_LOCK",
    "DROP_DATABASE_TIMER_TASK",
    "DROPTEMP",
    "DTC_STATE",
    "DUMP_LOG_COORDINATOR",
    "ENABLE_VERSIONING",
    "ERROR_REPORTING_MANAGER",
    "FCB_REPLICA_READ",
    "FCB_REPLICA_WRITE",
    "FS_GARBAGE_COLLECTOR_SHUTDOWN",
    "FSAGENT",
    "FT_COMPROWSET_RWLOCK",
    "FT_IFTS_RWLOCK",
    "FT_METADATA_MUTEX",
    "GHOSTCLEANUPSYNCMGR",
    "GUARDIAN",
    "HTTP_ENUMERATION",
    "IMPPROV_IOWAIT",
    "INTERNAL_TESTING",
    "LATCH_DT",
    "LOGPOOL_CACHESIZE",
    "LOGPOOL_CONSUMERSET",
    "LOGPOOL_FREEPOOLS",
    "LOGPOOL_MGRSET",
    "LOGPOOL_REPLACEMENTSET",
    "LOG_POOL_SCAN",
    "METADATA_LAZYCACHE_RWLOCK",
    "MISCELLANEOUS",
    "MSQL_DQ",
    "NODE_CACHE_MUTEX",
    "PAGELATCH_DT",
    "PAGEIOLATCH_KP",
    "PERFORMANCE_COUNTERS_RWLOCK",
    "PREEMPTIVE_ABR",
    "PREEMPTIVE_CLOSEBACKUPMEDIA",
    "PREEMPTIVE_CLUSAPI_CLUSTERRESOURCECONTROL",
    "PREEMPTIVE_COM_COCREATEINSTANCE",
    "PREEMPTIVE_COM_QUERYINTERFACE",
    "PREEMPTIVE_COM_RELEASE",
    "PREEMPTIVE_CREATEPARAM",
    "PREEMPTIVE_DTC_BEGINTRANSACTION",
    "PREEMPTIVE_FILESIZEGET",
    "PREEMPTIVE_FSRECOVER_UNCONDITIONALUNDO",
    "PREEMPTIVE_GETRMINFO",
    "PREEMPTIVE_LOCKMONITOR",
    "PREEMPTIVE_ODBCOPS",
    "PREEMPTIVE_OS_AUTHORIZATIONOPS",
    "PREEMPTIVE_OS_COMOPS",
    "PREEMPTIVE_OS_CRYPTIMPORTKEY",
    "PREEMPTIVE_OS_DECRYPTMESSAGE",
    "PREEMPTIVE_OS_DELETESECURITYCONTEXT",
    "PREEMPTIVE_OS_DIRSVC_NETWORKOPS",
    "PREEMPTIVE_OS_DISCONNECTNAMEDPIPE",
    "PREEMPTIVE_OS_DOMAINSERVICESOPS",
    "PREEMPTIVE_OS_ENCRYPTMESSAGE",
    "PREEMPTIVE_OS_GENERICOPS",
    "PREEMPTIVE_OS_GETFILEATTRIBUTES",
    "PREEMPTIVE_OS_GETFILESIZE",
    "PREEMPTIVE_OS_GETVOLUMEPATHNAME",
    "PREEMPTIVE_OS_LIBRARYOPS",
    "PREEMPTIVE_OS_LOADLIBRARY",
    "PREEMPTIVE_OS_LOGONUSER",
    "PREEMPTIVE_OS_NETVALIDATEPASSWORDPOLICY",
    "PREEMPTIVE_OS_OPENDIRECTORY",
    "PREEMPTIVE_OS_PROCESSOPS",
    "PREEMPTIVE_OS_QUERYCONTEXTATTRIBUTES",
    "PREEMPTIVE_OS_REPORTEVENT",
    "PREEMPTIVE_OS_SECURITYOPS",
    "PREEMPTIVE_OS_SERVICEOPS",
    "PREEMPTIVE_OS_SETFILEVALIDDATA",
    "PREEMPTIVE_OS_VERIFYTRUST",
    "PREEMPTIVE_SETRMINFO",
    "PREEMPTIVE_STARTRM",
    "PREEMPTIVE_XE_CALLBACKEXECUTE",
    "PREEMPTIVE_XE_GETTARGETSTATE",
    "PREEMPTIVE_XE_SESSIONCOMMIT",
    "PREEMPTIVE_XE_TARGETFINALIZE",
    "PREEMPTIVE_XE_TARGETINIT",
    "PWAIT_ALL_COMPONENTS_INITIALIZED",
    "QDS_CTXS",
    "QDS_DB_DISK",
    "QDS_LOADDB",
    "QDS_SHUTDOWN_QUEUE",
    "QDS_STMT",
    "QRY_MEM_GRANT_INFO_MUTEX",
    "QUERY_EXECUTION_INDEX_SORT_EVENT_OPEN",
    "QUERY_TRACEOUT",
    "RECOVER_CHANGEDB",
    "REPLICA_WRITES",
    "SECURITY_CRYPTO_CONTEXT_MUTEX",
    "SECURITY_MUTEX",
    "SESSION_WAIT_STATS_CHILDREN",
    "SHUTDOWN",
    "SLEEP_DBSTARTUP",
    "SLEEP_DCOMSTARTUP",
    "SLEEP_MASTERDBREADY",
    "SLEEP_MASTERMDREADY",
    "SLEEP_MASTERUPGRADED",
    "SLEEP_MSDBSTARTUP",
    "SLEEP_TEMPDBSTARTUP",
    "SLEEP_WORKSPACE_ALLOCATEPAGE",
    "SNI_CRITICAL_SECTION",
    "SNI_HTTP_ACCEPT",
    "SNI_TASK_COMPLETION",
    "SOS_LOCALALLOCATORLIST",
    "SOS_PROCESS_AFFINITY_MUTEX",
    "SOS_SYNC_TASK_ENQUEUE_EVENT",
    "SQLTRACE_FILE_BUFFER",
    "SQLTRACE_FILE_READ_IO_COMPLETION",
    "SQLTRACE_FILE_WRITE_IO_COMPLETION",
    "SQLTRACE_SHUTDOWN",
    "TRACEWRITE",
    "TRANSACTION_MUTEX",
    "TRAN_MARKLATCH_SH",
    "VDI_CLIENT_OTHER",
    "WAIT_SCRIPTDEPLOYMENT_REQUEST",
    "WAIT_XTP_RECOVERY",
    "XACTLOCKINFO",
    "XACTWORKSPACE_MUTEX",
    "XE_BUFFERMGR_ALLPROCESSED_EVENT",
    "XE_DISPATCHER_JOIN",
    "XE_SERVICES_RWLOCK",
    "XTPPROC_CACHE_ACCESS",
];

/// The cause of [`RARE`] types.
pub const TRICKLE: Driver = Rare;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_of_a_working_cause_add_up_to_one() {
        for driver in [Cpu, Io, Log, Network, Lock, Latch, TempdbLatch, Memory, Hadr, Backup] {
            let sum: f64 = WORK.iter().filter(|w| w.driver == driver).map(|w| w.share).sum();
            assert!((0.97..=1.03).contains(&sum), "{driver:?} {sum}");
        }
    }

    #[test]
    fn there_are_about_as_many_types_as_on_a_real_server() {
        let count = WORK.len() + IDLE.len() + RARE.len();
        assert!((250..=400).contains(&count), "{count}");
    }
}
