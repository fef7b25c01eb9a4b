//! Sessions, requests and their texts, as the activity and blocking probes see them. Names and texts in here are
//! already sanitized: `probe` does it while decoding.

use super::{
    id::{Emit, Metric, ProbeId, whole},
    names::{Field, Kind, Visit, Where, maybe},
    outcome::Outcome,
    statement::Statement,
};
use crate::model::base::time::Timestamp;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// Memory grant of a request.
/// In files by position: fields are only appended, each with a default; variants keep their names.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Grant {
    /// requested KB
    pub requested_kb: Option<i64>,
    /// granted KB; None while queueing
    pub granted_kb: Option<i64>,
    /// used KB
    pub used_kb: Option<i64>,
    /// waiting for it, ms
    pub waited_ms: Option<i64>,
}

/// One running request of a user session, or a sleeping session that holds a transaction (then `command` is None).
/// In files by position: fields are only appended, each with a default; variants keep their names.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Request {
    /// session id
    pub session_id: i32,
    /// request id within the session (MARS)
    pub request_id: Option<i32>,
    /// `running`, `suspended`, `runnable`, `sleeping` …
    pub status: Option<Arc<str>>,
    /// `SELECT`, `BACKUP DATABASE` …
    pub command: Option<Arc<str>>,
    /// database name, or `db 7` if the name is hidden from us
    pub database: Option<Arc<str>>,
    /// login
    pub login: Option<Arc<str>>,
    /// client host
    pub host: Option<Arc<str>>,
    /// client program; Agent jobs decoded into `job`
    pub program: Option<Arc<str>>,
    /// client address
    pub address: Option<Arc<str>>,
    /// Agent job step, such as `job 6F9619FF-… step 2`, decoded from the program name
    pub job: Option<Arc<str>>,
    /// start of the session (identity: session ids are reused)
    pub login_at: Option<Timestamp>,
    /// start of the request; for a sleeper the end of its last one
    pub started_at: Option<Timestamp>,
    /// elapsed time of the request, ms; for a sleeper the time since its last request
    pub elapsed_ms: Option<i64>,
    /// CPU ms so far
    pub cpu_ms: Option<i64>,
    /// logical reads, pages
    pub logical_reads: Option<i64>,
    /// physical reads, pages
    pub reads: Option<i64>,
    /// writes, pages
    pub writes: Option<i64>,
    /// rows returned
    pub rows: Option<i64>,
    /// wait now
    pub wait_type: Option<Arc<str>>,
    /// for how long, ms
    pub wait_ms: Option<i64>,
    /// the wait before
    pub last_wait_type: Option<Arc<str>>,
    /// raw wait resource
    pub wait_resource: Option<Arc<str>>,
    /// tasks of this request that wait
    pub waiting_tasks: Option<i32>,
    /// who blocks it: see [`self::blocker`]; negative ids: see [`self::special_blocker`]
    pub blocked_by: Option<i32>,
    /// how many it blocks, directly or not (filled by the fold)
    pub blocks: u32,
    /// memory grant
    pub grant: Option<Grant>,
    /// degree of parallelism
    pub dop: Option<i32>,
    /// open transactions
    pub open_transactions: Option<i32>,
    /// start of the oldest transaction
    pub transaction_at: Option<Timestamp>,
    /// log bytes of its transactions
    pub log_bytes: Option<i64>,
    /// isolation level in words
    pub isolation: Option<Arc<str>>,
    /// percent complete, only for commands that report it
    pub percent: Option<f64>,
    /// estimated completion, ms
    pub eta_ms: Option<i64>,
    /// tempdb pages allocated so far by session and tasks
    pub tempdb_alloc_pages: Option<i64>,
    /// tempdb pages held now
    pub tempdb_now_pages: Option<i64>,
    /// query hash
    pub query_hash: Option<u64>,
    /// the statement; None until its text came or if there is none
    pub statement: Option<Statement>,
    /// CPU ms since the previous poll of the same request (filled by the fold)
    pub cpu_delta_ms: Option<i64>,
    /// logical reads since the previous poll (filled by the fold)
    pub reads_delta: Option<i64>,
}

/// A latch that a session has held others up with for so long is no everyday one: those last some milliseconds.
const LATCH_MS: i64 = 1_000;

/// The blocker of a request or task, of what the server says in `blocking_session_id`. None: it waits for itself, or for
/// what nobody can be asked to end. That is a latch without a known owner (−4, −5: any task may release it), a page that
/// is being read (the "owner" is who asked for it), and a latch that is waited for briefly. The scripts have the same
/// rule, so that none of it costs a question.
pub fn blocker(who: i32, told: Option<i32>, wait_type: Option<&str>, wait_ms: Option<i64>) -> Option<i32> {
    let is_brief_latch = |wait: &str| {
        wait.contains("LATCH") && (wait.starts_with("PAGEIOLATCH") || wait_ms.unwrap_or(0) < LATCH_MS)
    };
    told.filter(|id| is_blocker(who, *id) && !wait_type.is_some_and(is_brief_latch))
}

/// True for another session, and for a transaction without one that holds locks all the same (−2, −3).
pub const fn is_blocker(who: i32, id: i32) -> bool {
    id != who && (id > 0 || matches!(id, -2 | -3))
}

/// The meaning of a negative blocking session id (documented values of `blocking_session_id`). Only −2 and −3 come from
/// polls ([`is_blocker`]); older records have the others.
pub const fn special_blocker(id: i32) -> Option<&'static str> {
    match id {
        -2 => Some("orphaned distributed transaction"),
        -3 => Some("deferred recovery transaction"),
        -4 => Some("latch owner not determined"),
        -5 => Some("latch owner not tracked"),
        _ => None,
    }
}

/// Sessions by state, for the header of the activity pane.
/// In files by position: fields are only appended, each with a default; variants keep their names.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct SessionCounts {
    /// user sessions
    pub total: Option<i64>,
    /// running or with a request
    pub active: Option<i64>,
    /// sleeping
    pub sleeping: Option<i64>,
    /// sleeping with an open transaction
    pub sleeping_open: Option<i64>,
}

/// One poll of the activity of an instance.
/// In files by position: fields are only appended, each with a default; variants keep their names.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Activity {
    /// requests, longest first
    pub requests: Vec<Request>,
    /// session counts
    pub sessions: SessionCounts,
    /// true when the login saw only its own session; in records of before that was n/a
    pub only_own: bool,
    /// rows beyond the probe's cap that were left out
    pub left_out: u32,
}

impl Request {
    /// The places of names.
    pub(super) fn each_name_mut(&mut self, visit: Visit<'_>) {
        maybe(visit, Field::Name(Kind::Database), &mut self.database);
        maybe(visit, Field::Name(Kind::Login), &mut self.login);
        maybe(visit, Field::Name(Kind::Host), &mut self.host);
        maybe(visit, Field::Name(Kind::Program), &mut self.program);
        maybe(visit, Field::Name(Kind::Address), &mut self.address);
        maybe(visit, Field::Name(Kind::Job), &mut self.job);
        maybe(visit, Field::Words(Where::Code), &mut self.wait_resource);
    }
}

impl Outcome for Activity {
    fn points(&self, _probe: ProbeId, emit: Emit<'_>) {
        emit(Metric::Requests, "", Some(self.requests.len() as f64));
        emit(Metric::Sessions, "", whole(self.sessions.total));
        emit(Metric::SleepingOpen, "", whole(self.sessions.sleeping_open));
    }

    fn each_name_mut(&mut self, visit: Visit<'_>) {
        self.requests.iter_mut().for_each(|r| r.each_name_mut(visit));
    }

    fn each_statement(&self, with: &mut dyn FnMut(&Statement)) {
        self.requests.iter().filter_map(|r| r.statement.as_ref()).for_each(with);
    }

    fn each_statement_mut(&mut self, with: &mut dyn FnMut(&mut Statement)) {
        self.requests.iter_mut().filter_map(|r| r.statement.as_mut()).for_each(with);
    }

    fn rows(&self) -> usize {
        self.requests.len() * 8
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_who_can_let_go_is_a_blocker() {
        let lock = |told| blocker(57, Some(told), Some("LCK_M_S"), Some(5));
        assert_eq!([88, -2, -3].map(lock), [Some(88), Some(-2), Some(-3)]);
        assert_eq!([0, 57, -1, -4, -5, -6, i32::MIN].map(lock), [None; 7]);
        assert_eq!(blocker(57, None, Some("LCK_M_S"), Some(5)), None);
        assert_eq!(blocker(57, Some(88), None, None), Some(88), "a wait that is not named may be a lock");
        let latch = |wait, ms| blocker(57, Some(88), Some(wait), ms);
        for wait in ["PAGELATCH_EX", "LATCH_SH", "TRAN_MARKLATCH_SH"] {
            assert_eq!([None, Some(3), Some(999)].map(|ms| latch(wait, ms)), [None; 3], "{wait}");
            assert_eq!(latch(wait, Some(1_000)), Some(88), "{wait}");
        }
        assert_eq!(latch("PAGEIOLATCH_SH", Some(60_000)), None, "it waits for a disk");
    }
}
