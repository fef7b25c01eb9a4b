//! Memory grants: who holds and who waits for one, the semaphores behind them, page life per NUMA node, and what the plan cache is made
//! of.

use super::{
    id::{Emit, Metric, ProbeId, whole},
    names::Visit,
    outcome::Outcome,
    who::Who,
};
use crate::model::base::time::Timestamp;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// A request that holds or awaits a memory grant.
/// In files by position: fields are only appended, each with a default; variants keep their names.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct GrantRow {
    /// session id
    pub session_id: i32,
    /// request id
    pub request_id: i32,
    /// degree of parallelism
    pub dop: Option<i64>,
    /// asked for, KB
    pub wanted_kb: Option<i64>,
    /// granted, KB; None: it waits
    pub granted_kb: Option<i64>,
    /// in use of it, KB
    pub used_kb: Option<i64>,
    /// the most that was in use, KB
    pub max_used_kb: Option<i64>,
    /// what it would take to keep all in memory, KB
    pub ideal_kb: Option<i64>,
    /// waits for so long, ms; None: it does not wait
    pub waited_ms: Option<i64>,
    /// gives up after so long, ms
    pub timeout_ms: Option<i64>,
    /// its queue
    pub queue: Option<i64>,
    /// its place in the queue
    pub place: Option<i64>,
    /// resource pool
    pub pool_id: Option<i64>,
    /// who it is
    pub who: Who,
}

impl GrantRow {
    /// It waits for its grant.
    pub const fn waits(&self) -> bool {
        self.granted_kb.is_none() && self.waited_ms.is_some()
    }

    /// In use of what was granted, %.
    pub fn used_pct(&self) -> Option<f64> {
        let granted = self.granted_kb.filter(|kb| *kb > 0)?;
        Some(super::id::rounded(self.max_used_kb.or(self.used_kb)? as f64 / granted as f64 * 100.0))
    }
}

/// A semaphore of memory grants.
/// In files by position: fields are only appended, each with a default; variants keep their names.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Semaphore {
    /// resource pool
    pub pool_id: Option<i64>,
    /// 0: for all, 1: for small queries
    pub number: Option<i64>,
    /// may be granted in all, KB
    pub target_kb: Option<i64>,
    /// may still be granted, KB
    pub available_kb: Option<i64>,
    /// granted, KB
    pub granted_kb: Option<i64>,
    /// in use of that, KB
    pub used_kb: Option<i64>,
    /// who hold a grant
    pub grantees: Option<i64>,
    /// who wait for one
    pub waiters: Option<i64>,
    /// gave up, since the start
    pub timeouts: Option<i64>,
    /// got less than the least, since the start
    pub forced: Option<i64>,
}

/// A part of the plan cache.
/// In files by position: fields are only appended, each with a default; variants keep their names.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct PlanKind {
    /// `SQL Plans`, `Object Plans` …
    pub name: Arc<str>,
    /// its pages, KB
    pub pages_kb: Option<i64>,
    /// plans
    pub plans: Option<i64>,
    /// of them in use
    pub in_use: Option<i64>,
}

/// The engine's own verdict on its memory, from 2025 on.
/// In files by position: fields are only appended, each with a default; variants keep their names.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct MemoryHealth {
    /// when, by our clock
    pub at: Option<Timestamp>,
    /// `LOW`, `MEDIUM`, `HIGH`
    pub severity: Option<Arc<str>>,
    /// may still be allocated, MB
    pub potential_mb: Option<i64>,
    /// caches would give back, MB
    pub reclaimable_mb: Option<i64>,
    /// times that memory ran out
    pub out_of_memory: Option<i64>,
    /// grants that timed out
    pub timeouts: Option<i64>,
}

/// The memory grants of an instance, and what belongs to them.
/// In files by position: fields are only appended, each with a default; variants keep their names.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct GrantTable {
    /// who waits in order, then who holds, the greatest first
    pub grants: Vec<GrantRow>,
    /// grants that are not among them
    pub left_out: u64,
    /// the semaphores, the greatest first
    pub semaphores: Vec<Semaphore>,
    /// page life expectancy by NUMA node, s
    pub page_life: Vec<(u16, i64)>,
    /// the plan cache by kind of plan, the greatest first
    pub plans: Vec<PlanKind>,
    /// the engine's verdicts on its memory, the newest first
    pub health: Vec<MemoryHealth>,
}

impl Outcome for GrantTable {
    fn points(&self, _probe: ProbeId, emit: Emit<'_>) {
        for (node, seconds) in &self.page_life {
            emit(Metric::NodePageLife, &format!("{node:03}"), whole(Some(*seconds)));
        }
        for plans in &self.plans {
            emit(Metric::PlanCache, &plans.name, whole(plans.pages_kb));
        }
    }

    fn each_name_mut(&mut self, visit: Visit<'_>) {
        for grant in &mut self.grants {
            grant.who.each_name_mut(visit);
        }
    }

    fn only_judged(&self) -> Option<Self> {
        Some(Self::default())
    }

    fn rows(&self) -> usize {
        self.grants.len() * 2 + self.semaphores.len() + self.plans.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_waits_has_no_share_in_use() {
        let waits = GrantRow { waited_ms: Some(5), used_kb: Some(0), ..GrantRow::default() };
        assert!(waits.waits() && waits.used_pct().is_none());
        let holds = GrantRow { granted_kb: Some(200), used_kb: Some(10), ..GrantRow::default() };
        assert_eq!((holds.waits(), holds.used_pct()), (false, Some(5.0)));
        let most = GrantRow { max_used_kb: Some(100), ..holds };
        assert_eq!(most.used_pct(), Some(50.0));
        assert_eq!(GrantRow { granted_kb: Some(0), ..most }.used_pct(), None);
    }
}
