//! Running requests and sleeping transactions. Grants, transactions, addresses and tempdb come as sets of their own and are
//! joined in here by session.

use crate::{
    model::poll::{
        Sample,
        activity::{Activity, Grant, Request, SessionCounts, blocker},
        cost::Tier,
        id::ProbeId,
        reading::Unavailable,
    },
    probe::{
        batch::Sets,
        clock::Clock,
        context::ProbeContext,
        descriptor::{Probe, needed, optional},
        query,
        script::{Needs, Script, When, script},
    },
    tds::Row,
};
use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

const SESSIONS: Script = script!("sessions", Nothing, one row);
const ACTIVITY: Script = script!("activity", Nothing, by "session_id" "request_id");
const SLEEPERS: Script = script!("sleepers", Nothing, by "session_id");
const GRANTS: Script = script!("grants", Performance, by "session_id" "request_id");
/// Open transactions by session; blocking asks it too.
pub(super) const TRANSACTIONS: Script = script!("transactions", Performance, by "session_id");
/// Client addresses and last statements by session; blocking asks it too.
pub(super) const CONNECTIONS: Script = script!("connections", Security, by "session_id");
const TEMPDB: Script = script!("tempdb", Performance, by "session_id");
const WAITING_TASKS: Script = script!("waiting_tasks", Performance, by "session_id");

/// The rows that `activity` and `sleepers` send at most.
const ACTIVITY_ROWS: i64 = 500;
const SLEEPER_ROWS: i64 = 200;

/// Longest wait resource that is kept, in characters (the column's own limit).
const RESOURCE_CHARS: usize = 256;

/// See the module. Without its right the server shows our own session alone and no error: that is no activity.
pub(super) static PROBE: Probe = Probe {
    parts: &[
        needed(SESSIONS),
        needed(ACTIVITY),
        optional(SLEEPERS, &[]),
        optional(GRANTS, &[]),
        optional(TRANSACTIONS, &[When::Focused]),
        optional(CONNECTIONS, &[When::Focused]),
        optional(TEMPDB, &[When::Focused]),
        optional(WAITING_TASKS, &[When::Focused]),
    ],
    rate: true,
    unknown_without: &[
        (Needs::Performance, "the sessions of others"),
        (Needs::Security, "client addresses"),
        (Needs::Security, "the last statement of sleeping sessions"),
    ],
    panes: &["activity"],
    ..Probe::new(ProbeId::Activity, Tier::Fast, decode)
};

/// `sessions`, `activity`, `sleepers`, and the optional ones.
fn decode(sets: &Sets, ctx: &ProbeContext) -> Result<Sample, Unavailable> {
    let counts = sets.one("sessions")?;
    let seen = counts.count("sessions_seen");
    // Rights decide. Where they are not known: a server always has sessions of its own.
    if ctx.sees_all().map_or(seen.is_some_and(|n| n <= 1), |sees| !sees) {
        return Err(Unavailable::NoRight(Needs::Performance.right(ctx.major()).into()));
    }
    let extras = Extras::of(sets);
    let mut requests: Vec<_> = sets.many("activity")?.filter_map(|row| request(row, &extras, ctx)).collect();
    // A request may end, and its session fall asleep, between the two scripts.
    let running: HashSet<i32> = requests.iter().map(|r| r.session_id).collect();
    let sleepers = sets.all("sleepers").filter_map(|row| request(row, &extras, ctx));
    requests.extend(sleepers.filter(|sleeper| !running.contains(&sleeper.session_id)));
    let left_out =
        beyond(sets, "activity", ACTIVITY_ROWS).saturating_add(beyond(sets, "sleepers", SLEEPER_ROWS));
    Ok(Sample::Activity(Activity {
        requests,
        sessions: SessionCounts {
            total: counts.count("user_sessions"),
            active: counts.count("active_sessions"),
            sleeping: counts.count("sleeping_sessions"),
            sleeping_open: counts.count("sleeping_open_sessions"),
        },
        only_own: false,
        left_out,
    }))
}

/// The rows that a script left out, of those that it counted.
fn beyond(sets: &Sets, set: &str, most: i64) -> u32 {
    let total = sets.all(set).next().and_then(|row| row.count("total_rows")).unwrap_or(0);
    u32::try_from(total.saturating_sub(most)).unwrap_or(0)
}

/// The optional sets, by session.
#[derive(Default)]
pub(super) struct Extras<'a> {
    grants: HashMap<(i32, i32), Grant>,
    transactions: HashMap<i32, Row<'a>>,
    connections: HashMap<i32, Row<'a>>,
    tempdb: HashMap<i32, Row<'a>>,
    waiting_tasks: HashMap<i32, Row<'a>>,
}

impl<'a> Extras<'a> {
    /// Of the sets that came.
    pub(super) fn of(sets: &'a Sets) -> Self {
        let by_session = |name| {
            let mut rows = HashMap::new();
            for row in sets.all(name) {
                if let Some(session) = row.i32("session_id") {
                    // Several connections of one session (MARS): the first one counts.
                    rows.entry(session).or_insert(row);
                }
            }
            rows
        };
        let grants = sets.all("grants").filter_map(|row| {
            let grant = Grant {
                requested_kb: row.count("requested_memory_kb"),
                granted_kb: row.count("granted_memory_kb"),
                used_kb: row.count("used_memory_kb"),
                waited_ms: row.i64("wait_time_ms"),
            };
            Some(((row.i32("session_id")?, row.i32("request_id").unwrap_or(0)), grant))
        });
        Self {
            grants: grants.collect(),
            transactions: by_session("transactions"),
            connections: by_session("connections"),
            tempdb: by_session("tempdb"),
            waiting_tasks: by_session("waiting_tasks"),
        }
    }

    /// The handle of a session's last statement.
    pub(super) fn last_handle(&self, session_id: i32) -> Option<&'a [u8]> {
        self.connections.get(&session_id)?.bytes("most_recent_sql_handle")
    }
}

/// One row of `activity`, `sleepers` or `chain`. None without a session id.
pub(super) fn request(row: Row<'_>, extras: &Extras<'_>, ctx: &ProbeContext) -> Option<Request> {
    let session_id = row.i32("session_id").filter(|id| *id > 0)?;
    let request_id = row.i32("request_id");
    let program = row.name("program_name");
    let job = row.raw_text("program_name").and_then(|program| ctx.jobs.of(program));
    let clock = ctx.clock();
    let began = clock.at(row, "start_time").or_else(|| clock.at(row, "last_request_end_time"));
    let elapsed_ms = clock.elapsed(row.i64("total_elapsed_time"), began);
    let ours = |at| clock.ours(at);
    let transaction = extras.transactions.get(&session_id);
    let tempdb = extras.tempdb.get(&session_id);
    let wait_type = row.line("wait_type", 60);
    let wait_ms = clock.within(row.i64("wait_time").filter(|_| wait_type.is_some()), elapsed_ms);
    let told = row.i32("blocking_session_id");
    let blocked_by = blocker(session_id, told, wait_type.as_deref(), wait_ms);
    let statement = row.bytes("sql_handle").and_then(|handle| {
        ctx.texts.statement(handle, row.i64("statement_start_offset"), row.i64("statement_end_offset"))
    });
    Some(Request {
        session_id,
        request_id,
        status: row.name("status"),
        command: row.name("command"),
        database: ctx.database(row.i32("database_id")),
        login: row.name("login_name"),
        host: row.name("host_name"),
        program: if job.is_some() { Some("SQLAgent".into()) } else { program },
        address: extras.connections.get(&session_id).and_then(|r| r.name("client_net_address")),
        job,
        login_at: clock.at(row, "login_time").map(ours),
        started_at: began.map(ours),
        elapsed_ms,
        cpu_ms: row.count("cpu_time"),
        logical_reads: row.count("logical_reads"),
        reads: row.count("reads"),
        writes: row.count("writes"),
        rows: row.count("row_count"),
        wait_type,
        wait_ms,
        last_wait_type: row.line("last_wait_type", 60),
        wait_resource: row.line("wait_resource", RESOURCE_CHARS),
        waiting_tasks: extras.waiting_tasks.get(&session_id).and_then(|r| r.small("waiting_tasks")),
        blocked_by,
        blocks: 0,
        grant: request_id
            .and_then(|request| extras.grants.get(&(session_id, request)))
            .map(|grant| Grant { waited_ms: clock.within(grant.waited_ms, elapsed_ms), ..*grant }),
        dop: row.small("dop").filter(|n| *n > 0),
        open_transactions: row.small("open_transaction_count"),
        transaction_at: transaction.and_then(|r| clock.at(*r, "transaction_begin_time")).map(ours),
        log_bytes: transaction.and_then(|r| r.count("log_bytes")),
        isolation: row.i32("transaction_isolation_level").and_then(isolation),
        percent: row.f64("percent_complete").filter(|p| *p > 0.0 && *p <= 100.0),
        eta_ms: Clock::span(row.i64("estimated_completion_time")).filter(|ms| *ms > 0),
        tempdb_alloc_pages: tempdb.and_then(|r| r.count("alloc_pages")),
        tempdb_now_pages: tempdb.and_then(|r| r.balance("now_pages")).map(|n| n.max(0)),
        query_hash: query::hash(row, "query_hash"),
        statement,
        cpu_delta_ms: None,
        reads_delta: None,
    })
}

/// The documented values of `transaction_isolation_level`.
fn isolation(level: i32) -> Option<Arc<str>> {
    let words = match level {
        1 => "read uncommitted",
        2 => "read committed",
        3 => "repeatable read",
        4 => "serializable",
        5 => "snapshot",
        _ => return None,
    };
    Some(words.into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        model::{
            base::time::Timestamp,
            poll::{
                State,
                rights::{Right, Rights},
            },
        },
        probe::fixture::{set, sets, text},
        tds::{Cell, ResultSet},
    };

    const NOON: i64 = 1_700_000_000_000;

    fn sessions(seen: i64) -> ResultSet {
        set(
            "sessions",
            &["server_time", "sessions_seen", "user_sessions"],
            vec![vec![Cell::Instant { utc_ms: NOON, offset_min: 60 }, Cell::Int(seen), Cell::Int(4)]],
        )
    }

    fn decoded(parts: Vec<ResultSet>) -> Activity {
        let sets = sets(parts);
        let mut ctx = ProbeContext::new(Timestamp::default);
        ctx.note_clock(&sets, Timestamp::from_ms(NOON));
        match decode(&sets, &ctx).unwrap() {
            Sample::Activity(a) => a,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_request_is_joined_with_its_extras() {
        let hour = 3_600_000;
        let columns = [
            "session_id",
            "request_id",
            "start_time",
            "total_elapsed_time",
            "wait_type",
            "wait_time",
            "total_rows",
            "query_hash",
        ];
        let row = vec![
            Cell::Int(57),
            Cell::Int(0),
            Cell::Local(NOON + hour - 5_000),
            Cell::Int(-9),
            text("LCK_M_X"),
            Cell::Int(4_000),
            Cell::Int(502),
            Cell::Bytes(vec![0, 0, 0, 0, 0, 0, 1, 2]),
        ];
        let grant = vec![Cell::Int(57), Cell::Int(0), Cell::Int(1024), Cell::Null];
        let a = decoded(vec![
            sessions(60),
            set("activity", &columns, vec![row]),
            set(
                "grants",
                &["session_id", "request_id", "requested_memory_kb", "granted_memory_kb"],
                vec![grant],
            ),
            set(
                "connections",
                &["session_id", "client_net_address"],
                vec![vec![Cell::Int(57), text("10.1.2.3")]],
            ),
        ]);
        let r = &a.requests[0];
        assert_eq!(r.started_at, Some(Timestamp::from_ms(NOON - 5_000)), "server-local time made UTC");
        assert_eq!(r.elapsed_ms, Some(5_000), "a wrapped figure is replaced by the clock's");
        assert_eq!(r.grant.and_then(|g| g.requested_kb), Some(1024));
        assert_eq!(r.address.as_deref(), Some("10.1.2.3"));
        assert_eq!(r.query_hash, Some(0x102));
        assert_eq!((a.left_out, a.only_own), (2, false));
    }

    #[test]
    fn durations_are_measured_by_the_clock_where_they_cannot_be() {
        let row = |id, began_s: i64, told: Cell, wait: &str, waited| {
            let began = Cell::Local(NOON + 3_600_000 - began_s * 1_000);
            vec![Cell::Int(id), Cell::Int(0), began, told, text(wait), waited]
        };
        let columns =
            ["session_id", "request_id", "start_time", "total_elapsed_time", "wait_type", "wait_time"];
        let wrapped = Cell::Int(1_546_560_000);
        let requests = vec![
            row(60, 2, wrapped.clone(), "LCK_M_S", Cell::Int(i64::from(i32::MAX))),
            row(61, 90, Cell::Null, "", Cell::Int(7)),
            row(62, -7_300, wrapped, "X", Cell::Int(7)),
        ];
        let began = vec![vec![Cell::Int(60), Cell::Local(NOON + 3_600_000 + 9_000_000)]];
        let a = decoded(vec![
            sessions(60),
            set("activity", &columns, requests),
            set("transactions", &["session_id", "transaction_begin_time"], began),
        ]);
        let told = |n: usize| {
            let r = &a.requests[n];
            (r.started_at.is_some(), r.elapsed_ms, r.wait_ms)
        };
        assert_eq!(told(0), (true, Some(2_000), Some(2_000)), "17.9 days, for two seconds");
        assert_eq!(told(1), (true, Some(90_000), None), "no wait without its type");
        assert!(!told(2).0, "it begins in two hours");
        assert_eq!(a.requests[0].transaction_at, None, "so does the transaction");
    }

    #[test]
    fn times_are_shown_by_our_clock() {
        let start = Cell::Local(NOON + 3_600_000 - 5_000);
        let parts = sets(vec![
            sessions(60),
            set("activity", &["session_id", "start_time"], vec![vec![Cell::Int(57), start]]),
        ]);
        let mut ctx = ProbeContext::new(Timestamp::default);
        // Its clock is ten minutes ahead, as measured over a network: now a bit more, now a bit less.
        for jitter in [0, 700, -200] {
            ctx.note_clock(&parts, Timestamp::from_ms(NOON - 600_000 + jitter));
            let Ok(Sample::Activity(a)) = decode(&parts, &ctx) else { panic!() };
            assert_eq!(a.requests[0].started_at, Some(Timestamp::from_ms(NOON - 605_000)));
            assert_eq!(a.requests[0].elapsed_ms, Some(5_000));
        }
    }

    #[test]
    fn of_the_connections_of_a_session_the_first_counts_and_who_is_awake_does_not_sleep() {
        let connection = |id, address: &str| vec![Cell::Int(id), text(address)];
        let a = decoded(vec![
            sessions(60),
            set(
                "activity",
                &["session_id", "request_id"],
                vec![vec![Cell::Int(57), Cell::Int(0)], vec![Cell::Int(57), Cell::Int(1)]],
            ),
            set("sleepers", &["session_id"], vec![vec![Cell::Int(57)], vec![Cell::Int(58)]]),
            set(
                "connections",
                &["session_id", "client_net_address"],
                vec![connection(57, "10.1.2.3"), connection(57, "10.9.9.9")],
            ),
        ]);
        let told: Vec<_> = a.requests.iter().map(|r| (r.session_id, r.request_id)).collect();
        assert_eq!(told, [(57, Some(0)), (57, Some(1)), (58, None)]);
        assert_eq!(a.requests[0].address.as_deref(), Some("10.1.2.3"));
    }

    #[test]
    fn who_sees_only_itself_does_not_say_that_nothing_runs() {
        let told = |seen, held: Option<Option<bool>>| {
            let sets = sets(vec![sessions(seen), set("activity", &["session_id"], vec![])]);
            let mut ctx = ProbeContext::new(Timestamp::default);
            if let Some(held) = held {
                let rights = vec![Right { name: "VIEW SERVER STATE".into(), held, gives: "".into() }];
                ctx.absorb(&Sample::Known(State::Rights(Arc::new(Rights { rights, present: vec![] }))));
            }
            decode(&sets, &ctx).map(|_| ())
        };
        let refused = Err(Unavailable::NoRight("VIEW SERVER STATE".into()));
        assert_eq!(told(60, Some(Some(false))), refused, "rights decide where they are known");
        assert_eq!(told(1, Some(Some(true))), Ok(()));
        for unknown in [None, Some(None)] {
            assert_eq!(told(1, unknown), refused, "a server always has sessions of its own");
            assert_eq!(told(60, unknown), Ok(()));
        }
    }

    #[test]
    fn a_sleeper_is_as_old_as_its_silence() {
        let columns = ["session_id", "status", "last_request_end_time", "open_transaction_count"];
        let row = vec![Cell::Int(88), text("sleeping"), Cell::Local(NOON + 3_600_000 - 90_000), Cell::Int(1)];
        let none = set("activity", &["session_id"], vec![]);
        let a = decoded(vec![sessions(60), none, set("sleepers", &columns, vec![row])]);
        assert_eq!(a.requests[0].elapsed_ms, Some(90_000));
        assert_eq!(a.requests[0].command, None);
    }

    /// A request of session 57 with one column more, and what else is known of it.
    fn one(column: &str, cell: Cell, more: Vec<ResultSet>) -> Request {
        let row = vec![Cell::Int(57), Cell::Int(0), cell];
        let requests = set("activity", &["session_id", "request_id", column], vec![row]);
        decoded([vec![sessions(60), requests], more].concat()).requests.remove(0)
    }

    #[test]
    fn every_figure_stands_in_its_own_field() {
        type Field = fn(&Request) -> Option<i64>;
        type Words = fn(&Request) -> Option<&str>;
        let fields: [(&str, Field); 8] = [
            ("cpu_time", |r| r.cpu_ms),
            ("logical_reads", |r| r.logical_reads),
            ("reads", |r| r.reads),
            ("writes", |r| r.writes),
            ("row_count", |r| r.rows),
            ("dop", |r| r.dop.map(Into::into)),
            ("open_transaction_count", |r| r.open_transactions.map(Into::into)),
            ("estimated_completion_time", |r| r.eta_ms),
        ];
        for (column, _) in fields {
            let request = one(column, Cell::Int(7), vec![]);
            for (other, field) in fields {
                assert_eq!(field(&request), (other == column).then_some(7), "{other} from {column}");
            }
        }
        let words: [(&str, Words); 8] = [
            ("status", |r| r.status.as_deref()),
            ("command", |r| r.command.as_deref()),
            ("login_name", |r| r.login.as_deref()),
            ("host_name", |r| r.host.as_deref()),
            ("program_name", |r| r.program.as_deref()),
            ("wait_type", |r| r.wait_type.as_deref()),
            ("last_wait_type", |r| r.last_wait_type.as_deref()),
            ("wait_resource", |r| r.wait_resource.as_deref()),
        ];
        for (column, _) in words {
            let request = one(column, text("x"), vec![]);
            for (other, field) in words {
                assert_eq!(field(&request), (other == column).then_some("x"), "{other} from {column}");
            }
        }
    }

    #[test]
    fn figures_that_mean_nothing_are_none() {
        let dop = |n| one("dop", Cell::Int(n), vec![]).dop;
        assert_eq!([-1, 0, 1].map(dop), [None, None, Some(1)]);
        let open = |n| one("open_transaction_count", Cell::Int(n), vec![]).open_transactions;
        assert_eq!([-1, 0, 1].map(open), [None, Some(0), Some(1)], "none is a count, too");
        let percent = |p| one("percent_complete", Cell::Float(p), vec![]).percent;
        let told = [-0.5, 0.0, 0.5, 100.0, 100.5, f64::NAN].map(percent);
        assert_eq!(told, [None, None, Some(0.5), Some(100.0), None, None], "0 % is: it does not report any");
        let eta = |ms| one("estimated_completion_time", Cell::Int(ms), vec![]).eta_ms;
        assert_eq!([-1, 0, 1].map(eta), [None, None, Some(1)]);
        let hash = |bytes: Vec<u8>| one("query_hash", Cell::Bytes(bytes), vec![]).query_hash;
        assert_eq!([vec![0; 8], vec![1; 7], vec![]].map(hash), [None; 3]);
        let isolation = |n| one("transaction_isolation_level", Cell::Int(n), vec![]).isolation;
        let told: Vec<_> = (0..=6).map(isolation).collect();
        let words =
            ["read uncommitted", "read committed", "repeatable read", "serializable", "snapshot"].map(Some);
        let told: Vec<_> = told.iter().map(Option::as_deref).collect();
        assert_eq!(told, [&[None], &words[..], &[None]].concat());
    }

    #[test]
    fn what_other_views_know_is_of_the_same_session_and_request() {
        let extra = |name, columns: &[&str], mine: Vec<Cell>, other: Vec<Cell>| {
            let columns: Vec<_> = std::iter::once("session_id").chain(columns.iter().copied()).collect();
            let row = |id, cells| std::iter::once(Cell::Int(id)).chain(cells).collect();
            set(name, &columns, vec![row(56, other), row(57, mine)])
        };
        let ints = |n: &[i64]| n.iter().map(|n| Cell::Int(*n)).collect::<Vec<_>>();
        let r = one(
            "total_elapsed_time",
            Cell::Int(60_000),
            vec![
                extra("tempdb", &["alloc_pages", "now_pages"], ints(&[90, -3]), ints(&[1, 1])),
                extra("transactions", &["log_bytes"], ints(&[4_096]), ints(&[1])),
                extra("waiting_tasks", &["waiting_tasks"], ints(&[4]), ints(&[1])),
                extra(
                    "grants",
                    &[
                        "request_id",
                        "requested_memory_kb",
                        "granted_memory_kb",
                        "used_memory_kb",
                        "wait_time_ms",
                    ],
                    ints(&[0, 300, 200, 100, 50]),
                    ints(&[0, 1, 1, 1, 1]),
                ),
            ],
        );
        assert_eq!(
            (r.tempdb_alloc_pages, r.tempdb_now_pages),
            (Some(90), Some(0)),
            "less than nothing is none"
        );
        assert_eq!((r.log_bytes, r.waiting_tasks), (Some(4_096), Some(4)));
        let grant =
            Grant { requested_kb: Some(300), granted_kb: Some(200), used_kb: Some(100), waited_ms: Some(50) };
        assert_eq!(r.grant, Some(grant));
        let of_another =
            extra("grants", &["request_id", "requested_memory_kb"], ints(&[1, 300]), ints(&[0, 1]));
        assert_eq!(one("reads", Cell::Null, vec![of_another]).grant, None, "of another request");
    }

    #[test]
    fn the_last_statement_is_of_the_sessions_own_connection() {
        let columns = ["session_id", "most_recent_sql_handle"];
        let row = |id, handle: &[u8]| vec![Cell::Int(id), Cell::Bytes(handle.to_vec())];
        let sets = sets(vec![set("connections", &columns, vec![row(56, &[1]), row(57, &[2])])]);
        let extras = Extras::of(&sets);
        assert_eq!([56, 57, 58].map(|id| extras.last_handle(id)), [Some(&[1][..]), Some(&[2]), None]);
    }
}
