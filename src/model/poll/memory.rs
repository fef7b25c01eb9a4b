//! Memory of machine and process, and the queue for memory grants.

use super::{
    id::{Emit, Metric, ProbeId, SeriesId, rounded, whole},
    names::Visit,
    outcome::Outcome,
};
use serde::{Deserialize, Serialize};

/// Memory of machine and process.
/// In files by position: fields are only appended, each with a default; variants keep their names.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct MemoryNow {
    /// in use of the machine, %
    pub used_pct: Option<f64>,
    /// physical memory of the machine (or container), KB
    pub physical_kb: Option<i64>,
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
    /// everybody on the machine was told that physical memory is low
    pub machine_low: Option<bool>,
}

impl MemoryNow {
    /// Memory of the machine that is free, KB.
    pub fn free_kb(&self) -> Option<f64> {
        Some(self.physical_kb? as f64 * (100.0 - self.used_pct?) / 100.0)
    }
}

impl Outcome for MemoryNow {
    fn points(&self, _probe: ProbeId, emit: Emit<'_>) {
        emit(SeriesId::Memory.into(), "", self.used_pct);
        emit(Metric::ProcessMemory, "", whole(self.process_kb));
        emit(Metric::GrantWaiters, "", whole(self.grant_waiters));
        emit(Metric::Granted, "", whole(self.granted_kb));
    }

    fn each_name_mut(&mut self, _visit: Visit<'_>) {}
}

/// The share of physical memory that is in use, %.
pub fn used_pct(physical_kb: Option<i64>, available_kb: Option<i64>) -> Option<f64> {
    let physical = physical_kb.filter(|all| *all > 0)?;
    Some(rounded((100.0 - available_kb? as f64 / physical as f64 * 100.0).clamp(0.0, 100.0)))
}
