//! Questions of the screen to one server, and what it hears of them. They are answered over a connection of their own
//! (`collect::lane`), while the polls go on.

use crate::{
    model::{
        base::failure::Failure,
        inventory::instance::InstanceId,
        poll::demand::{Buffered, CachedKind, DatabaseRoom, Demand, FoundPlan, Sent, SessionWait, Step},
    },
    plan::Plan,
};
use std::sync::Arc;

/// A question to a server, or its end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DemandRequest {
    /// ask. Answered by [`crate::protocol::Reply::Demanded`], several times: the last one is [`DemandWord::Done`]
    Ask {
        /// comes back with every answer
        ticket: u64,
        /// whom
        instance: InstanceId,
        /// what
        demand: Demand,
    },
    /// the answer is not wanted any more: the statement ends on the server, and no answer comes
    Cancel {
        /// of which question
        ticket: u64,
    },
}

/// What is told of a question.
#[derive(Debug, Clone)]
pub enum DemandWord {
    /// it is so far
    Step(Step),
    /// the answer
    Done {
        /// it, or why there is none
        found: Result<Shown, Failure>,
        /// CPU that it took on the server, ms; None: not known
        cost_ms: Option<i64>,
    },
}

/// An answer as the screen shows it.
#[derive(Debug, Clone)]
pub enum Shown {
    /// plans, the most expensive first
    Plans(Vec<ShownPlan>),
    /// waits of a session
    Waits(Vec<SessionWait>),
    /// what a session sent
    Sent(Vec<Sent>),
    /// the buffer pool by database
    Buffers(Vec<Buffered>),
    /// what is free inside of files
    Room(Vec<DatabaseRoom>),
    /// what the plan cache is made of
    PlanCache(Vec<CachedKind>),
}

/// A plan, read.
#[derive(Debug, Clone)]
pub struct ShownPlan {
    /// where it is from, with its XML
    pub found: FoundPlan,
    /// it; or why there is none, in words
    pub plan: Result<Arc<Plan>, String>,
}
