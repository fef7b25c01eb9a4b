//! Our own cost on a server: counters of our session there, rates of them, and what is polled more slowly for it.

use super::{
    id::{Emit, Metric, ProbeId, SeriesId},
    names::Visit,
    outcome::{Held, Outcome},
};
use crate::model::base::time::Timestamp;
use serde::{Deserialize, Serialize};

/// Probes that are polled together, and slowed together. Their numbers are the places of [`Slowed::doubled`], which history
/// keeps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tier {
    /// the heartbeat, and what changes from second to second
    Fast = 0,
    /// rates and gauges
    Detail = 1,
    /// what changes within hours, or is costly
    Slow = 2,
    /// what the server is and what the login may see
    Identity = 3,
}

impl Tier {
    /// All, fastest first.
    pub const ALL: [Self; 4] = [Self::Fast, Self::Detail, Self::Slow, Self::Identity];

    /// The probes that slow down with it, in words. The headline, of the fast tier, does not.
    pub const fn words(self) -> &'static str {
        match self {
            Self::Fast => "activity and blocking",
            Self::Detail => "waits and details",
            Self::Slow => "queries, databases, volumes and jobs",
            Self::Identity => "properties and rights",
        }
    }
}

/// How much more slowly an instance is polled because we cost it more than our budget there. Decided by the collector, and
/// told with the cost.
/// In files by position: fields are only appended, each with a default; variants keep their names.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Slowed {
    /// how many times the intervals of each of [`Tier::ALL`] were doubled
    pub doubled: [u8; Tier::ALL.len()],
    /// the budget, CPU µs per s of wall time; 0: no limit
    pub budget_us_per_s: u32,
}

impl Slowed {
    /// True if anything is slowed.
    pub fn is_any(&self) -> bool {
        self.doubled.iter().any(|n| *n > 0)
    }

    /// `waits and details ×4 (own cost above 5 ms/s)`; empty if nothing is slowed.
    pub fn words(&self) -> String {
        let slowed = Tier::ALL.iter().zip(self.doubled).filter(|(_, n)| *n > 0);
        let factor = |n: u8| 1_u32 << n.min(31);
        let parts: Vec<String> = slowed.map(|(tier, n)| format!("{} ×{}", tier.words(), factor(n))).collect();
        if parts.is_empty() {
            return String::new();
        }
        format!("{} (own cost above {} ms/s)", parts.join(", "), f64::from(self.budget_us_per_s) / 1000.0)
    }
}

/// Own cost: counters of our own session on that server, cumulative since its login.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct CostSample {
    /// our session there; a change starts the counters anew
    pub session_id: Option<i32>,
    /// CPU ms
    pub cpu_ms: Option<i64>,
    /// logical reads
    pub logical_reads: Option<i64>,
    /// login time of our session
    pub login_at: Option<Timestamp>,
    /// what the collector made of it: no server says this
    pub slowed: Slowed,
}

/// Own cost on that server over the last minute, or since we connected.
/// In files by position: fields are only appended, each with a default; variants keep their names.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct CostNow {
    /// CPU ms per second of wall time
    pub cpu_ms_per_s: Option<f64>,
    /// logical reads per second
    pub reads_per_s: Option<f64>,
    /// CPU ms since this program first connected
    pub cpu_ms_total: Option<i64>,
    /// what the rates are taken over, ms; 0 without rates
    pub over_ms: u64,
    /// what is polled more slowly for it
    pub slowed: Slowed,
}

impl Held for CostNow {
    type Shown = Self;

    fn shown(&self) -> Self {
        *self
    }
}

impl Outcome for CostNow {
    fn points(&self, _probe: ProbeId, emit: Emit<'_>) {
        emit(SeriesId::Cost.into(), "", self.cpu_ms_per_s);
        emit(Metric::CostReads, "", self.reads_per_s);
    }

    fn each_name_mut(&mut self, _visit: Visit<'_>) {}
}
