//! Blocking: who waits for whom, as it is polled, and as the trees that `fold::blocking` makes of it.

use super::{
    activity::Request,
    id::{Emit, Metric, ProbeId},
    names::Visit,
    outcome::Outcome,
    reading::Unavailable,
    resource::Resource,
    statement::Statement,
};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// One waiting task of a blocking poll.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct BlockedTask {
    /// who waits
    pub session_id: i32,
    /// for whom (negative: see [`super::activity::special_blocker`])
    pub blocked_by: i32,
    /// wait type
    pub wait_type: Option<Arc<str>>,
    /// ms
    pub wait_ms: Option<i64>,
    /// raw description, such as `keylock hobtid=72057594043105280 dbid=7 id=lock1f mode=X associatedObjectId=…`
    pub resource: Option<Arc<str>>,
    /// name of the locked table or index where it could be learned, such as `dbo.orders.pk_orders`
    pub object: Option<Arc<str>>,
    /// why its name could not be had
    pub unnamed: Option<Unavailable>,
}

/// A session that is part of a chain, head blockers included.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ChainSession {
    /// like a request; `status` `sleeping` for an idle head
    pub request: Request,
    /// last statement, for a sleeper
    pub last_statement: Option<Statement>,
}

/// One session in a blocking tree, in display order (depth first).
/// In files by position: fields are only appended, each with a default; variants keep their names.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct BlockNode {
    /// the session, or a stand-in for a negative blocker or one that has gone
    pub request: Request,
    /// 0 for a head
    pub depth: u16,
    /// index of the parent within the chain's nodes; None for the head
    pub parent: Option<usize>,
    /// true for the last child of its parent (drawn └ instead of ├)
    pub last_child: bool,
    /// direct and indirect victims below
    pub victims: u32,
    /// what it waits for
    pub resource: Option<Resource>,
    /// statement to show: the running one, or the last one of a sleeper
    pub statement: Option<Statement>,
    /// true if the statement is the last one of a sleeping session
    pub statement_is_last: bool,
    /// the data had a cycle that was cut here (a deadlock in the making, or two polls mixed)
    pub cycle_cut: bool,
}

/// A head blocker with all below.
/// In files by position: fields are only appended, each with a default; variants keep their names.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Chain {
    /// head first, depth first; victims with the longest wait first among siblings
    pub nodes: Vec<BlockNode>,
    /// sessions blocked in it
    pub victims: u32,
    /// longest wait, ms
    pub max_wait_ms: i64,
    /// sum of all waits, ms: time lost so far
    pub lost_ms: i64,
    /// deepest level below the head
    pub depth: u16,
}

/// All chains of an instance, worst first (by victims × time lost).
/// In files by position: fields are only appended, each with a default; variants keep their names.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Blocking {
    /// chains
    pub chains: Vec<Chain>,
    /// cycles that were cut
    pub cycles_cut: u32,
}

impl Outcome for Blocking {
    fn points(&self, _probe: ProbeId, emit: Emit<'_>) {
        emit(Metric::Victims, "", Some(self.chains.iter().map(|c| f64::from(c.victims)).sum()));
        let longest = self.chains.iter().map(|c| c.max_wait_ms).max().unwrap_or_default();
        emit(Metric::LongestBlocked, "", Some(longest as f64));
    }

    fn each_name_mut(&mut self, visit: Visit<'_>) {
        for node in self.chains.iter_mut().flat_map(|c| &mut c.nodes) {
            node.request.each_name_mut(visit);
            if let Some(resource) = &mut node.resource {
                resource.each_name_mut(visit);
            }
        }
    }

    fn each_statement(&self, with: &mut dyn FnMut(&Statement)) {
        for node in self.chains.iter().flat_map(|c| &c.nodes) {
            node.statement.iter().chain(&node.request.statement).for_each(&mut *with);
        }
    }

    fn each_statement_mut(&mut self, with: &mut dyn FnMut(&mut Statement)) {
        for node in self.chains.iter_mut().flat_map(|c| &mut c.nodes) {
            node.statement.iter_mut().chain(&mut node.request.statement).for_each(&mut *with);
        }
    }

    fn rows(&self) -> usize {
        self.chains.iter().map(|chain| chain.nodes.len() * 10).sum()
    }
}
