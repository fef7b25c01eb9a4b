//! Counters of the collector itself. Made by `collect`, shown by header, overlay and `once cost`.

use crate::model::base::failure::FailureKind;

/// Counters of the collector itself, for the header, the overlay and `once cost`.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct CollectorStats {
    /// probe polls that gave a sample
    pub polls_ok: u64,
    /// probe polls that failed
    pub polls_failed: u64,
    /// polls not started because the one before still ran
    pub polls_skipped: u64,
    /// polls that started late: by more than a tenth of their interval
    pub polls_late: u64,
    /// samples that had to wait because the reducer's queue was full: polling slows down
    pub samples_waited: u64,
    /// readings that wait for the store
    pub history_waits: u32,
    /// connects tried
    pub connects: u64,
    /// failed polls and connects, by [`FailureKind::ALL`]
    pub errors: [u64; FailureKind::ALL.len()],
    /// queries running now
    pub in_flight: u32,
    /// instances connected now
    pub connected: u32,
    /// instances waiting for a connect or query permit now
    pub queued: u32,
    /// instances polled more slowly now because they cost more than their budget
    pub slowed: u32,
    /// updates waiting for the reducer now
    pub updates_queued: u32,
    /// 99th percentile of the start delay of due polls over the last minute, ms
    pub start_delay_p99_ms: u32,
    /// median round trip of a poll over the last minute, ms
    pub latency_p50_ms: u32,
    /// 95th percentile of it, ms
    pub latency_p95_ms: u32,
    /// 99th percentile of it, ms
    pub latency_p99_ms: u32,
    /// this process: CPU % of one core over the last seconds
    pub process_cpu_pct: f32,
    /// this process: resident memory, bytes
    pub process_rss_bytes: u64,
}
