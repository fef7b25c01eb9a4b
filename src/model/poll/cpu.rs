//! CPU and schedulers. Two probes feed one reading: the schedulers, and the ring buffer, which adds other processes.

use super::{
    id::{Emit, Metric, ProbeId, SeriesId, whole},
    names::Visit,
    outcome::Outcome,
};
use serde::{Deserialize, Serialize};

/// Schedulers of one poll.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct SchedulerSample {
    /// visible online schedulers
    pub schedulers: Option<i64>,
    /// tasks that wait for a CPU
    pub runnable: Option<i64>,
    /// schedulers on which any of them wait
    pub busy: Option<i64>,
    /// tasks that wait for a worker
    pub queued: Option<i64>,
    /// workers now
    pub workers: Option<i64>,
    /// workers that do something
    pub active_workers: Option<i64>,
    /// maximum number of workers
    pub max_workers: Option<i64>,
    /// I/Os in flight
    pub pending_io: Option<i64>,
}

/// CPU of the machine, from the newest ring buffer record (one a minute).
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct CpuRingSample {
    /// SQL Server's share, %
    pub sql_pct: Option<f64>,
    /// idle, %; None where the record cannot be believed (Linux up to 2022 always says 0)
    pub idle_pct: Option<f64>,
    /// age of the record, ms
    pub age_ms: Option<i64>,
}

/// CPU and schedulers.
/// In files by position: fields are only appended, each with a default; variants keep their names.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct CpuNow {
    /// other processes %, where it can be known
    pub other_pct: Option<f64>,
    /// tasks that wait for a CPU
    pub runnable: Option<i64>,
    /// tasks that wait for a worker
    pub queued: Option<i64>,
    /// workers
    pub workers: Option<i64>,
    /// workers that do something
    pub active_workers: Option<i64>,
    /// maximum
    pub max_workers: Option<i64>,
    /// I/Os in flight
    pub pending_io: Option<i64>,
    /// schedulers
    pub schedulers: Option<i64>,
    /// of which on so many tasks wait for a CPU
    pub busy: Option<i64>,
}

impl Outcome for CpuNow {
    fn points(&self, probe: ProbeId, emit: Emit<'_>) {
        if probe == ProbeId::CpuRing {
            return emit(SeriesId::CpuOther.into(), "", self.other_pct);
        }
        emit(SeriesId::Runnable.into(), "", whole(self.runnable));
        emit(Metric::Queued, "", whole(self.queued));
        emit(Metric::Workers, "", whole(self.workers));
        emit(Metric::ActiveWorkers, "", whole(self.active_workers));
        emit(Metric::PendingIo, "", whole(self.pending_io));
    }

    fn each_name_mut(&mut self, _visit: Visit<'_>) {}
}
