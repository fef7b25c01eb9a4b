//! Memory of machine and process, and the queue for memory grants.

use super::id::{Emit, Metric, SeriesId, whole};
use serde::{Deserialize, Serialize};

/// Memory of one poll.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct MemorySample {
    /// physical memory of the machine (or container), KB
    pub physical_kb: Option<i64>,
    /// available of it, KB
    pub available_kb: Option<i64>,
    /// in use by the process, KB
    pub process_kb: Option<i64>,
    /// the process was told that physical memory is low
    pub process_low: Option<bool>,
    /// grant queue: waiters over all semaphores
    pub grant_waiters: Option<i64>,
    /// grant queue: KB granted
    pub granted_kb: Option<i64>,
    /// grant queue: KB still available
    pub grantable_kb: Option<i64>,
}

/// Memory of machine and process.
/// In files by position: fields are only appended, each with a default; variants keep their names.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct MemoryNow {
    /// in use of the machine, %
    pub used_pct: Option<f64>,
    /// physical, KB
    pub physical_kb: Option<i64>,
    /// process, KB
    pub process_kb: Option<i64>,
    /// told to be low
    pub process_low: Option<bool>,
    /// waiters in the grant queue
    pub grant_waiters: Option<i64>,
    /// granted, KB
    pub granted_kb: Option<i64>,
    /// still to grant, KB
    pub grantable_kb: Option<i64>,
}

impl MemoryNow {
    /// The numbers for charts.
    pub(super) fn points(&self, emit: Emit<'_>) {
        emit(SeriesId::Memory.into(), "", self.used_pct);
        emit(Metric::ProcessMemory, "", whole(self.process_kb));
        emit(Metric::GrantWaiters, "", whole(self.grant_waiters));
        emit(Metric::Granted, "", whole(self.granted_kb));
    }
}
