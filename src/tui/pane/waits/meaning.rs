//! The meaning of a wait type for a person, in one sentence. Shown in the details of a type; types not named here speak through
//! their category.

use crate::model::poll::wait_class::WaitCategory;

/// Types by the start of their name; the longest start wins because it comes first.
const TYPES: [(&str, &str); 30] = [
    (
        "ASYNC_NETWORK_IO",
        "The client does not fetch its rows fast enough. Look at the client, not at the server.",
    ),
    ("BACKUP", "A backup reads, writes or waits for its device."),
    ("CMEMTHREAD", "Threads queue for one memory object. With many NUMA nodes this can need a trace flag."),
    ("CXCONSUMER", "A parallel plan waits for rows of its own workers. Mostly harmless."),
    ("CX", "A parallel plan waits for its slowest worker: skew, or too many workers for a small query."),
    ("DTC", "Waits for the distributed transaction coordinator."),
    (
        "HADR_SYNC_COMMIT",
        "A commit waits until a synchronous replica has written the log. Look at its disk and network.",
    ),
    ("HADR_THROTTLE", "Transactions are slowed down because a replica cannot keep up."),
    ("IO_COMPLETION", "Waits for an I/O that is not a data page: sorts, logs of restores, bitmaps."),
    ("LATCH_", "Waits for a latch that is not on a page: an inner structure is in demand."),
    ("LCK_M_R", "Waits for a range lock: a serializable transaction holds a range of keys."),
    ("LCK_M_SCH_M", "A schema change waits until nobody uses the object. All later users wait behind it."),
    ("LCK_M_SCH_S", "A query waits to compile or read while the object's schema is being changed."),
    ("LCK_", "Waits for a lock that another session holds. See Blocking for who."),
    ("LOGBUFFER", "Waits for room in the log buffer: the log cannot be written fast enough."),
    ("LOG_RATE_GOVERNOR", "The log rate of this service tier is used up."),
    ("OLEDB", "Waits for a linked server or another provider."),
    (
        "PAGEIOLATCH_",
        "Waits for a data page from disk: slow storage, too little memory, or a scan without an index.",
    ),
    ("PAGELATCH_", "Waits for a page in memory that others change: hot last page, or allocation in tempdb."),
    ("PREEMPTIVE_OS_", "Runs code of the operating system, outside of the scheduler."),
    ("RESOURCE_SEMAPHORE_QUERY_COMPILE", "Too many large compilations at once: they queue for memory."),
    (
        "RESOURCE_SEMAPHORE",
        "A query waits for its memory grant. Sorts and hashes ask for more than there is.",
    ),
    ("RESMGR_THROTTLED", "The resource governor holds requests back."),
    ("SLEEP_BPOOL_FLUSH", "A checkpoint slows itself down so that it does not flood the disk."),
    (
        "SOS_SCHEDULER_YIELD",
        "Used up its time slice and waits for a CPU again: plenty of work in memory, or too few CPUs.",
    ),
    (
        "THREADPOOL",
        "No worker thread is free: new requests and logins hang. Often the end of a long blocking chain.",
    ),
    ("TRACEWRITE", "A trace cannot be read fast enough. Look for someone running Profiler."),
    ("WRITELOG", "A commit waits until the log is on disk: slow log disk, or many tiny transactions."),
    ("WRITE_COMPLETION", "Waits for a page to be written."),
    ("XACT", "Waits for another transaction's state."),
];

/// One sentence about a wait type.
pub fn of_type(name: &str, category: WaitCategory) -> &'static str {
    TYPES
        .iter()
        .find(|(start, _)| name.starts_with(start))
        .map_or_else(|| of_category(category), |(_, says)| says)
}

/// One sentence about a category.
pub const fn of_category(category: WaitCategory) -> &'static str {
    match category {
        WaitCategory::Cpu => "Ready to run, waiting for a CPU.",
        WaitCategory::WorkerThread => "Waiting for a worker thread.",
        WaitCategory::Lock => "Waiting for locks that other sessions hold.",
        WaitCategory::Latch | WaitCategory::BufferLatch => "Waiting for short locks on structures in memory.",
        WaitCategory::BufferIo => "Waiting for data pages from disk.",
        WaitCategory::OtherDiskIo => "Waiting for I/O other than data pages.",
        WaitCategory::TranLogIo => "Waiting for the transaction log to be written.",
        WaitCategory::NetworkIo => "Waiting for clients or the network.",
        WaitCategory::Parallelism => "Workers of parallel plans waiting for each other.",
        WaitCategory::Memory => "Waiting for memory.",
        WaitCategory::Compilation => "Waiting for compilations.",
        WaitCategory::Replication => "Availability groups and replication.",
        WaitCategory::LogRateGovernor => "Held back by a limit of the log rate.",
        WaitCategory::Preemptive => "Running code outside of the scheduler.",
        WaitCategory::Idle | WaitCategory::UserWait => "Idle, or told to wait.",
        _ => "",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_start_wins() {
        for (i, (long, _)) in TYPES.iter().enumerate() {
            let hidden = TYPES.iter().take(i).find(|(short, _)| long.starts_with(short));
            assert!(hidden.is_none(), "{long} is never reached: {hidden:?} comes first");
        }
        assert!(of_type("LCK_M_SCH_M", WaitCategory::Lock).starts_with("A schema change"));
        assert!(of_type("LCK_M_IX", WaitCategory::Lock).starts_with("Waits for a lock"));
        assert_eq!(of_type("NO_SUCH_WAIT", WaitCategory::BufferIo), of_category(WaitCategory::BufferIo));
    }
}
