//! How long each operator itself took. Called by `find`, `lines` and panes.
//!
//! SQL Server counts three ways: an operator in row mode counts itself and all below it, one in batch mode itself alone,
//! and an exchange counts the waiting of both its sides. Subtracting the children blindly gives wrong culprits; the rules
//! here were measured on public plans (`docs/performance.md` has the table), where the own times of most sum to the
//! elapsed time within 5 %.

use super::{Operator, Query};
use serde::Serialize;

/// The own share of each operator, in the order of [`Query::operators`].
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Own {
    /// Milliseconds from begin to end of the slowest worker; `None` where nothing was counted.
    pub elapsed_ms: Vec<Option<u64>>,
    /// Milliseconds of CPU of all workers.
    pub cpu_ms: Vec<Option<u64>>,
    /// Milliseconds of the operator with all below it, by which the slowest path is found.
    pub path_ms: Vec<u64>,
    /// What the threads of the plan waited for each other: within the root's time, and no operator's own.
    pub exchanges_ms: Option<u64>,
    /// What the query took beyond its operators: functions, the wait for a grant, the client. `None` without a total.
    pub outside_ms: Option<u64>,
}

/// Which of an operator's two clocks.
#[derive(Clone, Copy)]
enum Clock {
    Elapsed,
    Cpu,
}

impl Clock {
    fn of(self, operator: &Operator) -> Option<u64> {
        match self {
            Self::Elapsed => operator.elapsed_ms(),
            Self::Cpu => operator.cpu_ms(),
        }
    }
}

/// The own times of a query that ran; all `None` for one that did not.
pub fn own(query: &Query) -> Own {
    let (elapsed_ms, path_ms) = shares(query, Clock::Elapsed);
    let (cpu_ms, _) = shares(query, Clock::Cpu);
    let sum = elapsed_ms.iter().flatten().fold(0, |sum: u64, ms| sum.saturating_add(*ms));
    let timed = elapsed_ms.iter().any(Option::is_some);
    // An exchange at the root saw the whole run of the operators.
    let root = query.operators.first().filter(|root| root.is_exchange());
    let root = root.and_then(Operator::elapsed_ms).unwrap_or(0);
    let total = query.total.filter(|_| timed).map(|total| total.elapsed_ms);
    Own {
        elapsed_ms,
        cpu_ms,
        path_ms,
        exchanges_ms: total.map(|total| root.min(total).saturating_sub(sum)),
        outside_ms: total.map(|total| total.saturating_sub(root.max(sum))),
    }
}

/// Own time and time with all below, of each operator. From the last to the first, so that children come before what
/// holds them.
fn shares(query: &Query, clock: Clock) -> (Vec<Option<u64>>, Vec<u64>) {
    let count = query.operators.len();
    let (mut own, mut whole) = (vec![None; count], vec![0_u64; count]);
    for at in (0..count).rev() {
        let Some(operator) = query.operators.get(at) else { continue };
        let below = query.children(at).filter_map(|child| whole.get(child).copied());
        let time = clock.of(operator);
        let (mine, all) = match (time, operator.batch) {
            // An exchange owns nothing. Its producers run beside each other: what is above it waits for the slowest, and
            // spends none of their CPU.
            _ if operator.is_exchange() => match clock {
                Clock::Elapsed => (None, below.max().unwrap_or(0)),
                Clock::Cpu => (None, 0),
            },
            (None, _) => (None, below.fold(0, u64::saturating_add)),
            // A batch operator counts itself, and what is above an exchange does not wait for it again.
            (Some(time), true) => {
                let zone = query
                    .children(at)
                    .filter(|child| query.operators.get(*child).is_some_and(|child| !child.is_exchange()));
                let below = zone.filter_map(|child| whole.get(child).copied());
                (Some(time), below.fold(time, u64::saturating_add))
            }
            (Some(time), false) => (Some(time.saturating_sub(below.fold(0, u64::saturating_add))), time),
        };
        if let Some(slot) = own.get_mut(at) {
            *slot = mine;
        }
        if let Some(slot) = whole.get_mut(at) {
            *slot = all;
        }
    }
    (own, whole)
}

/// By what the operators of a plan are compared.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Metric {
    /// Own time.
    #[default]
    Time,
    /// Own CPU.
    Cpu,
    /// Pages read from memory.
    Reads,
    /// Rows returned.
    Rows,
    /// The optimizer's own estimate, which says nothing of what happened.
    Cost,
}

impl Metric {
    /// All, in the order in which a key walks them.
    pub const ALL: [Self; 5] = [Self::Time, Self::Cpu, Self::Reads, Self::Rows, Self::Cost];

    /// Its word.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Time => "time",
            Self::Cpu => "CPU",
            Self::Reads => "reads",
            Self::Rows => "rows",
            Self::Cost => "cost",
        }
    }

    /// The first that this query can show: time where it was counted, else what is known.
    pub fn best(query: &Query) -> Self {
        if query.is_timed() { Self::Time } else { Self::Cost }
    }

    /// Each operator's amount. `None` where it is not known.
    pub fn amounts(self, query: &Query, own: &Own) -> Vec<Option<f64>> {
        let of = |value: fn(&Operator) -> Option<f64>| query.operators.iter().map(value).collect();
        match self {
            Self::Time => own.elapsed_ms.iter().map(|ms| ms.map(|ms| ms as f64)).collect(),
            Self::Cpu => own.cpu_ms.iter().map(|ms| ms.map(|ms| ms as f64)).collect(),
            Self::Reads => of(|operator| Some(operator.actual.as_ref()?.logical_reads? as f64)),
            Self::Rows => of(|operator| {
                Some(operator.actual.as_ref().map_or(operator.estimated_rows, |a| a.rows as f64))
            }),
            Self::Cost => of(|operator| Some(operator.own_cost)),
        }
    }
}

/// What 100 % is: the larger of the whole and the sum of all parts, so that no share exceeds it.
pub fn whole(metric: Metric, query: &Query, amounts: &[Option<f64>]) -> f64 {
    let sum: f64 = amounts.iter().flatten().sum();
    match (metric, query.total) {
        (Metric::Time, Some(total)) => sum.max(total.elapsed_ms as f64),
        (Metric::Cpu, Some(total)) => sum.max(total.cpu_ms as f64),
        _ => sum,
    }
}

/// The path from the root along the slowest input: its operators, the root first. By cost where nothing was counted.
pub fn hot_path(query: &Query, own: &Own) -> Vec<usize> {
    let timed = query.is_timed();
    let weight = |at: usize| {
        if timed {
            own.path_ms.get(at).map_or(0.0, |ms| *ms as f64)
        } else {
            query.operators.get(at).map_or(0.0, |operator| operator.subtree_cost)
        }
    };
    let mut path = Vec::new();
    let mut at = (!query.operators.is_empty()).then_some(0);
    while let Some(here) = at {
        path.push(here);
        at = query
            .children(here)
            .max_by(|a, b| weight(*a).total_cmp(&weight(*b)).then(b.cmp(a)))
            .filter(|child| weight(*child) > 0.0);
    }
    path
}
