//! What is asked of one server on demand, and what was found: plans, waits of one session, the buffer pool. Asked by the
//! screen, answered by `probe::demand` over a connection of its own (`collect::lane`); never part of a poll.

use super::{query_store::failure_words, statement::Statement};
use crate::model::base::{failure::Failure, figure, time::Timestamp};
use std::{fmt, sync::Arc};

/// A question to one server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Demand {
    /// the plans of a query that the plan cache has, and the last actual ones where they are kept
    Plans {
        /// of the query with this hash
        query_hash: u64,
    },
    /// the plans of a query that a Query Store has
    StoredPlans {
        /// the store is of this database
        database_id: i32,
        /// the query's number in it
        query_id: i64,
    },
    /// a plan of a Query Store
    StoredPlan {
        /// the store is of this database
        database_id: i32,
        /// the plan's number in it
        plan_id: i64,
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
    /// what the client of a session sent last
    SessionInput {
        /// which
        session_id: i32,
    },
    /// which databases have the pages in memory. It reads a row for each page
    BufferPool,
    /// what the plan cache is made of, and how much of it ran once only. It reads a row for each plan
    PlanCache,
    /// what is free inside of files. Only each database tells
    FreeSpace {
        /// of this database; None: of all, one after another
        database_id: Option<i32>,
    },
}

impl fmt::Display for Demand {
    /// As messages name it: `the plans of query 0x…`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Plans { query_hash } => write!(f, "the plans of query 0x{query_hash:016X}"),
            Self::StoredPlans { database_id, query_id } => {
                write!(f, "the plans of query {query_id} in the Query Store of database {database_id}")
            }
            Self::StoredPlan { database_id, plan_id } => {
                write!(f, "plan {plan_id} in the Query Store of database {database_id}")
            }
            Self::SessionPlan { session_id } => write!(f, "the plan of session {session_id}"),
            Self::SessionWaits { session_id } => write!(f, "the waits of session {session_id}"),
            Self::SessionInput { session_id } => write!(f, "what session {session_id} sent"),
            Self::BufferPool => f.write_str("the buffer pool by database"),
            Self::PlanCache => f.write_str("what the plan cache is made of"),
            Self::FreeSpace { database_id: None } => f.write_str("what is free inside of files"),
            Self::FreeSpace { database_id: Some(id) } => {
                write!(f, "what is free inside of the files of database {id}")
            }
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
    /// a Query Store: estimates
    Stored,
}

impl PlanSource {
    /// As titles say it.
    pub const fn words(self) -> &'static str {
        match self {
            Self::Cached => "estimated",
            Self::LastActual => "last actual",
            Self::Live => "live",
            Self::Stored => "Query Store",
        }
    }
}

/// A plan as the server has it.
#[derive(Debug, Clone, PartialEq)]
pub struct FoundPlan {
    /// where it is from
    pub source: PlanSource,
    /// the hash of the query that it was asked for: the plan of a batch has other statements, too. None: it has but one
    pub query_hash: Option<u64>,
    /// its plan hash
    pub plan_hash: Option<u64>,
    /// when it was compiled
    pub compiled_at: Option<Timestamp>,
    /// the start of its last run; of a request that runs, its own
    pub started_at: Option<Timestamp>,
    /// runs since it was compiled; of a Query Store those of the last 25 hours
    pub runs: Option<i64>,
    /// CPU of all of them, ms; of one run for plans of one
    pub cpu_ms: Option<f64>,
    /// elapsed time of the same, ms
    pub elapsed_ms: Option<f64>,
    /// the XML as it came: hostile. None: the server has the plan no longer, or does not keep such plans
    pub xml: Option<Arc<str>>,
    /// what a Query Store says of it, if it is from there
    pub stored: Option<StoredPlan>,
    /// why it has no figures of the request that runs by it, in words
    pub not_live: Option<Arc<str>>,
}

impl FoundPlan {
    /// Why it has no XML, in words.
    pub fn words_without_xml(&self) -> String {
        match self.stored.as_ref().map(|stored| stored.xml_bytes) {
            None => "the server does not have it any more, or it is too deep to be shown".to_owned(),
            Some(Some(bytes @ 1..)) => {
                let mut words = "its XML has ".to_owned();
                figure::push_size(&mut words, bytes as f64);
                words.push_str(": more than is read of one answer");
                words
            }
            Some(_) => "Query Store has no XML of it: it is nested deeper than 128 levels, or was too large to be kept".to_owned(),
        }
    }
}

/// A plan as a Query Store has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredPlan {
    /// the database of the store
    pub database: Arc<str>,
    /// the number of its query
    pub query_id: i64,
    /// its own number
    pub plan_id: i64,
    /// its query is forced to run by it
    pub is_forced: bool,
    /// how often forcing it failed
    pub failures: Option<i64>,
    /// why the last time, by the server's number
    pub reason: Option<i64>,
    /// size of its XML on the server, bytes
    pub xml_bytes: Option<i64>,
}

impl StoredPlan {
    /// Whether it is forced, and if that works. None: it is not.
    pub fn forced_words(&self) -> Option<String> {
        if !self.is_forced {
            return None;
        }
        let Some(times) = self.failures.filter(|n| *n > 0) else { return Some("yes".to_owned()) };
        let why = self.reason.and_then(failure_words).map_or_else(String::new, |why| format!(": {why}"));
        Some(format!("yes, and it failed {}{why}", figure::counted(times as usize, "time")))
    }
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

/// What the client of a session sent last, for a request that it runs or the last one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sent {
    /// `Language Event`, `RPC Event`
    pub event: Option<Arc<str>>,
    /// parameters that came with it
    pub parameters: Option<i64>,
    /// the text: of a procedure that was called mostly its name. The statement that runs now is marked if it stands there once
    pub text: Option<Statement>,
    /// the statement that runs now, if it stands elsewhere: in a module, or several times in the text
    pub running: Option<Arc<str>>,
    /// literals are left out, because a secret may be among them
    pub is_covered: bool,
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

/// A kind of plans in the cache.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CachedKind {
    /// `Adhoc`, `Proc` …, and what is kept of them where that is no compiled plan
    pub name: Arc<str>,
    /// plans
    pub plans: Option<i64>,
    /// their size, bytes
    pub bytes: Option<i64>,
    /// plans that ran once only
    pub single: Option<i64>,
    /// their size, bytes
    pub single_bytes: Option<i64>,
}

/// A file, and what is in use of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileRoom {
    /// logical name
    pub name: Option<Arc<str>>,
    /// `ROWS`, `LOG` …
    pub kind: Option<Arc<str>>,
    /// size, KB
    pub size_kb: Option<i64>,
    /// in use of it, KB
    pub used_kb: Option<i64>,
}

/// The files of a database.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DatabaseRoom {
    /// the database
    pub database: Arc<str>,
    /// its files, or why nobody knows, in words
    pub files: Result<Vec<FileRoom>, Arc<str>>,
}

/// The answer to a [`Demand`].
#[derive(Debug, Clone, PartialEq)]
pub enum Found {
    /// the most expensive first
    Plans(Vec<FoundPlan>),
    /// the longest first
    Waits(Vec<SessionWait>),
    /// what a session sent
    Sent(Vec<Sent>),
    /// the largest first
    Buffers(Vec<Buffered>),
    /// the files of databases
    Room(Vec<DatabaseRoom>),
    /// the largest first
    PlanCache(Vec<CachedKind>),
}

/// What a question came to.
#[derive(Debug, Clone, PartialEq)]
pub struct Outcome {
    /// the answer, or why there is none
    pub found: Result<Found, Failure>,
    /// CPU that it took on the server, ms; None: not known
    pub cost_ms: Option<i64>,
}
