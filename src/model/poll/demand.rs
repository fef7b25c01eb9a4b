//! What is asked of one server on demand, and what was found: plans, waits of one session, the buffer pool. Asked by the
//! screen, answered by `probe::demand` over a connection of its own (`collect::lane`); never part of a poll.

use crate::model::base::{failure::Failure, time::Timestamp};
use std::{fmt, sync::Arc};

/// A question to one server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Demand {
    /// the plans of a query that the plan cache has, and the last actual ones where they are kept
    Plans {
        /// of the query with this hash
        query_hash: u64,
    },
    /// what a session runs now, with rows so far where the server profiles it
    SessionPlan {
        /// which
        session_id: i32,
    },
    /// what a session has waited for
    SessionWaits {
        /// which
        session_id: i32,
    },
    /// which databases have the pages in memory. It reads a row for each page
    BufferPool,
}

impl fmt::Display for Demand {
    /// As messages name it: `the plans of query 0x…`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Plans { query_hash } => write!(f, "the plans of query 0x{query_hash:016X}"),
            Self::SessionPlan { session_id } => write!(f, "the plan of session {session_id}"),
            Self::SessionWaits { session_id } => write!(f, "the waits of session {session_id}"),
            Self::BufferPool => f.write_str("the buffer pool by database"),
        }
    }
}

/// How far a question is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// too many others are asked on demand, or an earlier question to the same server is still open
    Waits,
    /// it connects
    Connects,
    /// the server has the question
    Asks,
}

impl Step {
    /// As the screen says it.
    pub const fn words(self) -> &'static str {
        match self {
            Self::Waits => "waiting for its turn",
            Self::Connects => "connecting",
            Self::Asks => "asking",
        }
    }
}

/// Where a plan is from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PlanSource {
    /// the plan cache: estimates
    Cached,
    /// the last run that ended
    LastActual,
    /// a request that still runs
    Live,
}

impl PlanSource {
    /// As titles say it.
    pub const fn words(self) -> &'static str {
        match self {
            Self::Cached => "estimated",
            Self::LastActual => "last actual",
            Self::Live => "live",
        }
    }
}

/// A plan as the server has it.
#[derive(Debug, Clone, PartialEq)]
pub struct FoundPlan {
    /// where it is from
    pub source: PlanSource,
    /// its plan hash
    pub plan_hash: Option<u64>,
    /// when it was compiled
    pub compiled_at: Option<Timestamp>,
    /// the start of its last run; of a request that runs, its own
    pub started_at: Option<Timestamp>,
    /// runs since it was compiled
    pub runs: Option<i64>,
    /// CPU of all of them, ms; of one run for plans of one
    pub cpu_ms: Option<f64>,
    /// elapsed time of the same, ms
    pub elapsed_ms: Option<f64>,
    /// the XML as it came: hostile. None: the server has the plan no longer, or does not keep such plans
    pub xml: Option<Arc<str>>,
}

/// A wait type of a session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SessionWait {
    /// the type
    pub name: Arc<str>,
    /// tasks that waited
    pub count: Option<i64>,
    /// in all, ms
    pub ms: Option<i64>,
    /// the longest one, ms
    pub max_ms: Option<i64>,
    /// the part of it on the way to a CPU, ms
    pub signal_ms: Option<i64>,
}

/// Pages of a database in memory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Buffered {
    /// the database; its number where its name is hidden from us
    pub database: Arc<str>,
    /// pages of 8 KB
    pub pages: Option<i64>,
    /// those of them that are not on disk yet
    pub modified: Option<i64>,
}

/// The answer to a [`Demand`].
#[derive(Debug, Clone, PartialEq)]
pub enum Found {
    /// the most expensive first
    Plans(Vec<FoundPlan>),
    /// the longest first
    Waits(Vec<SessionWait>),
    /// the largest first
    Buffers(Vec<Buffered>),
}

/// What a question came to.
#[derive(Debug, Clone, PartialEq)]
pub struct Outcome {
    /// the answer, or why there is none
    pub found: Result<Found, Failure>,
    /// CPU that it took on the server, ms; None: not known
    pub cost_ms: Option<i64>,
}
