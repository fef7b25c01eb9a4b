//! Answers about sessions and requests: sessions, activity, sleepers, grants, transactions, connections, tempdb.

use super::{
    asked::{Answer, Asked},
    handle::Handle,
    table::{Table, int, int4, local, opt, text},
};
use crate::sim::{
    backend::{
        ColumnType::{BigInt, Binary, DateTime, DateTimeOffset, Int, NVarChar, Real, SmallInt, VarBinary},
        Value,
    },
    world::work::Work,
};

/// The scripts that are answered here.
pub const ANSWERS: &[Answer] = &[
    ("activity", activity),
    ("chain", chain),
    ("connections", connections),
    ("cost", cost),
    ("grants", grants),
    ("sessions", sessions),
    ("sleepers", sleepers),
    ("tempdb", tempdb),
    ("transactions", transactions),
    ("waiting_tasks", waiting_tasks),
];

const SYSNAME: crate::sim::backend::ColumnType = NVarChar(128);

impl Asked<'_> {
    /// The working user sessions that the login can see; without the right only itself.
    pub(super) fn visible(&self) -> &[Work] {
        if self.rights.performance { self.moment.work() } else { &[] }
    }

    pub(super) fn running(&self) -> impl Iterator<Item = &Work> {
        self.visible().iter().filter(|w| w.slept_since_ms.is_none())
    }

    /// A moment as `datetime`.
    pub(super) fn datetime(&self, at_ms: i64) -> Value {
        local(self.moment.local_ns(at_ms))
    }

    /// SYSDATETIMEOFFSET().
    pub(super) fn now(&self) -> Value {
        Value::Time {
            local_ns: self.moment.local_ns(self.moment.at_ms),
            offset_min: self.moment.profile.utc_offset_min,
        }
    }
}

/// Sessions by state.
pub fn sessions(q: &Asked<'_>) -> Table {
    let work = q.visible();
    let active = q.running().count() as i64 + 1;
    let asleep_open = work.iter().filter(|w| w.slept_since_ms.is_some()).count() as i64;
    let (engine, user) = if q.rights.performance {
        (
            30 + i64::from(q.moment.profile.cpus),
            q.moment.connections().max(active + asleep_open) + q.connected,
        )
    } else {
        (0, 1)
    };
    Table::one(vec![
        ("server_time", DateTimeOffset(7), q.now()),
        ("sessions_seen", Int, int(engine + user)),
        ("user_sessions", Int, int(user)),
        ("active_sessions", Int, int(active)),
        ("sleeping_sessions", Int, int(user - active)),
        ("sleeping_open_sessions", Int, int(asleep_open)),
    ])
}

/// Columns that a request and a sleeper share.
const REQUEST: [(&str, crate::sim::backend::ColumnType); 34] = [
    ("total_rows", Int),
    ("session_id", SmallInt),
    ("request_id", Int),
    ("status", NVarChar(30)),
    ("command", NVarChar(32)),
    ("database_id", SmallInt),
    ("login_name", SYSNAME),
    ("host_name", SYSNAME),
    ("program_name", SYSNAME),
    ("login_time", DateTime),
    ("last_request_end_time", DateTime),
    ("start_time", DateTime),
    ("total_elapsed_time", Int),
    ("cpu_time", Int),
    ("logical_reads", BigInt),
    ("reads", BigInt),
    ("writes", BigInt),
    ("row_count", BigInt),
    ("wait_type", NVarChar(60)),
    ("wait_time", Int),
    ("last_wait_type", NVarChar(60)),
    ("wait_resource", NVarChar(256)),
    ("blocking_session_id", SmallInt),
    ("open_transaction_count", Int),
    ("transaction_id", BigInt),
    ("transaction_isolation_level", SmallInt),
    ("dop", Int),
    ("percent_complete", Real),
    ("estimated_completion_time", BigInt),
    ("query_hash", Binary(8)),
    ("sql_handle", VarBinary(64)),
    ("statement_start_offset", Int),
    ("statement_end_offset", Int),
    ("page_resource", Binary(8)),
];

/// One row of [`REQUEST`]. A sleeper has no request: its columns are NULL.
fn request(q: &Asked<'_>, w: &Work, total: i64) -> Vec<Value> {
    let runs = w.slept_since_ms.is_none();
    let of_request = |value: Value| if runs { value } else { Value::Null };
    let elapsed_ms = q.moment.at_ms - w.started_ms;
    let handle = Handle { text: w.text, database_id: w.database_id };
    let (start, end) = handle.offsets(q.moment);
    let eta = if w.percent > 0.5 { (elapsed_ms as f64 * (100.0 / w.percent - 1.0)) as i64 } else { 0 };
    let hash = q.query_hash(w.text.template);
    vec![
        int(total),
        int(w.spid),
        of_request(int(0)),
        text(w.status),
        of_request(text(w.command)),
        int(w.database_id),
        text(&*w.login),
        text(&*w.host),
        text(&*w.program),
        q.datetime(w.login_ms),
        q.datetime(w.slept_since_ms.unwrap_or(w.started_ms - 40)),
        of_request(q.datetime(w.started_ms)),
        of_request(int4(elapsed_ms)),
        int4(w.cpu_ms),
        int(w.logical_reads),
        int(w.reads),
        int(w.writes),
        int(w.rows),
        opt(w.wait.as_ref(), |wait| text(&*wait.kind)),
        of_request(int4(w.wait.as_ref().map_or(0, |wait| wait.ms))),
        of_request(text(w.last_wait)),
        of_request(text(w.wait.as_ref().map_or("", |wait| &wait.resource))),
        of_request(int(w.wait.as_ref().map_or(0, |wait| wait.blocked_by))),
        int(i64::from(w.transaction.is_some())),
        of_request(int(w.transaction.map_or(0, |t| t.id))),
        int(w.isolation),
        of_request(int(w.dop)),
        of_request(Value::Float(w.percent)),
        of_request(int(eta)),
        of_request(Value::Bytes(hash.to_vec())),
        of_request(Value::Bytes(handle.bytes(q.moment))),
        of_request(int(start)),
        of_request(int(end)),
        Value::Null,
    ]
}

/// Running requests, longest first.
pub fn activity(q: &Asked<'_>) -> Table {
    let total = q.running().count() as i64;
    Table::new(&REQUEST).with(q.running().take(500).map(|w| request(q, w, total)))
}

/// Sleeping sessions with a transaction.
pub fn sleepers(q: &Asked<'_>) -> Table {
    let asleep: Vec<&Work> = q.visible().iter().filter(|w| w.slept_since_ms.is_some()).collect();
    let total = asleep.len() as i64;
    Table::new(&REQUEST).with(asleep.into_iter().take(200).map(|w| request(q, w, total)))
}

/// Sessions of blocking chains: the waiting ones, and the ones that they wait for.
pub fn chain(q: &Asked<'_>) -> Table {
    let blockers: Vec<i32> = q.visible().iter().filter_map(blocker).collect();
    let in_chain = q.visible().iter().filter(|w| blocker(w).is_some() || blockers.contains(&w.spid));
    Table::new(&REQUEST).with(in_chain.map(|w| request(q, w, 0)))
}

/// The session that a session waits for, as the WHERE of the scripts has it: never itself, no latch without an owner, no
/// page that is being read, no brief latch.
pub(super) fn blocker(w: &Work) -> Option<i32> {
    let wait = w.wait.as_ref()?;
    let is_one = wait.blocked_by != w.spid && (wait.blocked_by > 0 || matches!(wait.blocked_by, -2 | -3));
    let is_brief = wait.kind.contains("LATCH") && (wait.kind.contains("IOLATCH") || wait.ms < 1_000);
    (is_one && !is_brief).then_some(wait.blocked_by)
}

/// Memory grants.
pub fn grants(q: &Asked<'_>) -> Table {
    let columns = [
        ("session_id", SmallInt),
        ("request_id", Int),
        ("requested_memory_kb", BigInt),
        ("granted_memory_kb", BigInt),
        ("used_memory_kb", BigInt),
        ("wait_time_ms", BigInt),
    ];
    let rows = q.running().filter_map(|w| {
        let g = w.grant?;
        let waits_ms = g.granted_kb.is_none().then_some(q.moment.at_ms - g.asked_ms);
        Some(vec![
            int(w.spid),
            int(0),
            int(g.requested_kb),
            opt(g.granted_kb, int),
            int(g.used_kb),
            opt(waits_ms, int),
        ])
    });
    Table::new(&columns).with(rows)
}

/// Sessions in user transactions.
pub fn transactions(q: &Asked<'_>) -> Table {
    let columns = [("session_id", Int), ("transaction_begin_time", DateTime), ("log_bytes", BigInt)];
    let rows = q.visible().iter().filter_map(|w| {
        let t = w.transaction?;
        Some(vec![int(w.spid), q.datetime(t.began_ms), int(t.log_bytes)])
    });
    Table::new(&columns).with(rows)
}

/// Client addresses and last handles.
pub fn connections(q: &Asked<'_>) -> Table {
    let columns = [
        ("session_id", Int),
        ("client_net_address", NVarChar(48)),
        ("most_recent_sql_handle", VarBinary(64)),
    ];
    let rows = q.visible().iter().map(|w| {
        let handle = Handle { text: w.text, database_id: w.database_id };
        vec![int(w.spid), text(&*w.address), Value::Bytes(handle.bytes(q.moment))]
    });
    Table::new(&columns).with(rows)
}

/// Pages in tempdb by session.
pub fn tempdb(q: &Asked<'_>) -> Table {
    let rows = q
        .visible()
        .iter()
        .filter(|w| w.tempdb_alloc > 0)
        .map(|w| vec![int(w.spid), int(w.tempdb_alloc), int(w.tempdb_alloc - w.tempdb_dealloc)]);
    Table::new(&[("session_id", SmallInt), ("alloc_pages", BigInt), ("now_pages", BigInt)]).with(rows)
}

/// Waiting tasks by session.
pub fn waiting_tasks(q: &Asked<'_>) -> Table {
    let waiting = q.running().filter(|w| w.wait.is_some());
    Table::new(&[("session_id", SmallInt), ("waiting_tasks", Int)])
        .with(waiting.map(|w| vec![int(w.spid), int(w.waiting_tasks.max(1))]))
}

/// Our own session's cost.
pub fn cost(q: &Asked<'_>) -> Table {
    Table::one(vec![
        ("server_time", DateTimeOffset(7), q.now()),
        ("session_id", SmallInt, int(q.session.spid)),
        ("cpu_time", Int, int4(q.own.cpu_us / 1000)),
        ("logical_reads", BigInt, int(q.own.logical_reads)),
        ("login_time", DateTime, q.datetime(q.own.login_ms)),
    ])
}
