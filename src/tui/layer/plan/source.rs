//! A plan that is shown, with where it is from. Whoever has read one makes it.

use crate::{
    model::{base::time::Timestamp, inventory::instance::InstanceId},
    plan::{Plan, Query, Statement, find::Judged},
};
use std::sync::Arc;

/// A plan, and where it is from.
#[derive(Clone, Debug)]
pub struct PlanSource {
    /// where it is from, for the title: `sqlprd-014 · orders · 0x8A3F… · cache`
    pub title: String,
    /// the instance, which is polled fast while the plan is on the screen
    pub instance: Option<InstanceId>,
    /// what its source says of it beside the plan, for the head: names and values
    pub facts: Vec<(String, String)>,
    /// as the server wrote it, for the file
    pub raw: Arc<str>,
    /// as it was read
    pub plan: Arc<Plan>,
    /// what was concluded from it where nobody waited, of each query of each statement; what is not there is concluded when it is opened
    pub judged: Arc<Vec<Vec<Judged>>>,
    /// the query that was asked for: the plan of a batch has others beside it. None: all of it was asked for
    pub query_hash: Option<u64>,
    /// the request that runs it still: newer figures of it come. None: nobody runs it, as far as is known
    pub live: Option<Request>,
}

impl PlanSource {
    /// What was concluded from the query of a statement, by their places in the plan.
    pub(super) fn judged_at(&self, at: (usize, usize), (statement, query): (&Statement, &Query)) -> Judged {
        let known = self.judged.get(at.0).and_then(|queries| queries.get(at.1));
        known.cloned().unwrap_or_else(|| Judged::of(statement, query))
    }
}

/// A request, so that no other one is taken for it: session ids are used again, and a session runs one request after another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// where
    pub instance: InstanceId,
    /// its session
    pub session_id: i32,
    /// when it began; None: the server did not say
    pub started_at: Option<Timestamp>,
}
