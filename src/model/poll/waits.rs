//! Waits: raw rows, rates, categories. Category names are those of the Query Store, so that both line up.

use super::{
    id::{Emit, Metric, ProbeId, SeriesId},
    names::Visit,
    outcome::Outcome,
    wait_class::WaitCategory,
};
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

impl Outcome for WaitTable {
    /// Types that are benign are left out: nobody charts them.
    fn points(&self, _probe: ProbeId, emit: Emit<'_>) {
        emit(SeriesId::Waits.into(), "", Some(self.total_ms_per_s));
        emit(Metric::SignalWaits, "", Some(self.signal_ms_per_s));
        for category in &self.categories {
            emit(SeriesId::Wait(category.category).into(), "", Some(category.ms_per_s));
        }
        let reads = self.categories.iter().find(|c| c.category == WaitCategory::BufferIo);
        let avg = reads.filter(|r| r.tasks_per_s > 0.0).map(|r| r.ms_per_s / r.tasks_per_s);
        emit(SeriesId::PageRead.into(), "", avg);
        for wait in self.types.iter().filter(|t| !t.benign) {
            emit(Metric::WaitType, &wait.name, Some(wait.ms_per_s));
        }
    }

    fn each_name_mut(&mut self, _visit: Visit<'_>) {}

    fn only_judged(&self) -> Option<Self> {
        let types = self.types.iter().filter(|wait| wait.poison).cloned().collect();
        Some(Self { types, categories: self.categories.clone(), ..*self })
    }

    fn rows(&self) -> usize {
        self.types.len()
    }
}
