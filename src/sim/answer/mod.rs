//! Turns the facts of a moment into the replies to a batch: our own scripts by their tag, and the few statements that
//! other clients send.
//!
//! `plan` takes a batch apart once (binding included) and is kept for its next coming; `run` answers it. The scripts
//! are known by the comment `/* dbtop:NAME */`, but only after `sim::bind` has found every object and column in them.
//! Their columns are taken from the text: a script may select fewer columns, or in another order. One file per family
//! of scripts, `expr` for statements without FROM.

mod blocking;
mod expr;
mod handle;
mod hostile;
pub mod plan;
mod server;
mod sessions;
mod slow;
mod table;
mod types;

use self::{
    plan::{Action, Plan, Planned},
    table::Table,
};
use super::{
    backend::{Param, Reply, ServerMessage, Session},
    scenario::Kind,
    world::{moment::Moment, rights::Rights},
};
use std::time::Duration;

/// A batch's sender and circumstances.
pub struct Asked<'a> {
    /// the instance now
    pub moment: &'a Moment<'a>,
    /// what the login may do
    pub rights: Rights,
    /// who asks
    pub session: &'a Session,
    /// what our session has cost so far
    pub own: Own,
    /// real connections to this instance
    pub connected: i64,
    /// parameters
    pub params: &'a [Param],
    /// ends a session; the error if it cannot
    pub kill: &'a dyn Fn(i64) -> Result<(), ServerMessage>,
}

/// What a session has used.
#[derive(Debug, Clone, Copy, Default)]
pub struct Own {
    /// CPU µs
    pub cpu_us: i64,
    /// pages
    pub logical_reads: i64,
    /// login, ms since the simulator's start
    pub login_ms: i64,
}

/// The replies to a batch, in order.
pub type Replies = Box<dyn Iterator<Item = Reply> + Send>;

/// Answers a batch: the replies, and the database in which it leaves the session.
pub fn run(plan: &Plan, q: &Asked<'_>) -> (Replies, String) {
    let mut database = q.session.database.clone();
    let mut replies = Vec::new();
    if let Some(starved) = q.moment.active(Kind::Threadpool) {
        replies.push(Reply::Pause(Duration::from_millis(starved.amount.max(0.0) as u64)));
    }
    if !plan.refused.is_empty() {
        replies.extend(plan.refused.iter().cloned().map(Reply::Message));
        replies.push(Reply::Done(None));
        return (Box::new(replies.into_iter()), database);
    }
    for statement in &plan.statements {
        if statement.errors.is_empty() {
            if let Some(endless) = answer(statement, q, &mut database, &mut replies) {
                return (Box::new(replies.into_iter().chain(endless)), database);
            }
        } else {
            replies.extend(statement.errors.iter().cloned().map(Reply::Message));
            replies.push(Reply::Done(None));
        }
        if statement.ends_batch {
            break;
        }
    }
    if replies.is_empty() {
        replies.push(Reply::Done(None));
    }
    (Box::new(replies.into_iter()), database)
}

/// Answers one statement. Some: what comes then has no end.
fn answer(
    statement: &Planned,
    q: &Asked<'_>,
    database: &mut String,
    out: &mut Vec<Reply>,
) -> Option<Replies> {
    let fail = |number, text: String| error(number, text, statement.line);
    match &statement.action {
        Action::Nothing => out.push(Reply::Done(None)),
        Action::Probe { name, columns } => return probe(name, columns, q, statement.line, out),
        Action::Select => match expr::select(&statement.text, q, database) {
            Ok((columns, row)) => {
                out.extend([Reply::Columns(columns), Reply::Row(row), Reply::Done(Some(1))]);
            }
            Err(problem) => out.extend([Reply::Message(fail(50_000, problem)), Reply::Done(None)]),
        },
        Action::Use(name) => {
            match q.moment.profile.databases.iter().find(|d| d.name.eq_ignore_ascii_case(name)) {
                Some(d) if q.rights.may_enter(&d.name) => {
                    database.clone_from(&d.name);
                    out.extend([Reply::Database(d.name.clone()), Reply::Done(None)]);
                }
                Some(_) => {
                    let text = format!(
                        "The server principal \"{}\" is not able to access the database \"{name}\" under the current \
                     security context.",
                        q.session.user
                    );
                    out.extend([Reply::Message(fail(916, text)), Reply::Done(None)]);
                }
                None => {
                    let text = format!(
                        "Database '{name}' does not exist. Make sure that the name is entered correctly."
                    );
                    out.extend([Reply::Message(fail(911, text)), Reply::Done(None)]);
                }
            }
        }
        Action::Print(text) => {
            let info =
                ServerMessage { number: 0, class: 0, state: 1, text: text.clone(), line: statement.line };
            out.extend([Reply::Message(info), Reply::Done(None)]);
        }
        Action::Wait(time) => out.extend([Reply::Pause(*time), Reply::Done(None)]),
        Action::Kill(spid) => {
            out.extend(
                (q.kill)(*spid).err().map(|e| Reply::Message(ServerMessage { line: statement.line, ..e })),
            );
            out.push(Reply::Done(None));
        }
        Action::Types => out.extend(types::every_type()),
        Action::Rows(count) => return Some(types::rows(*count)),
        Action::Fail(number, text) => {
            out.extend([Reply::Message(fail(*number, text.clone())), Reply::Done(None)]);
        }
    }
    None
}

/// Answers one of our scripts.
fn probe(name: &str, columns: &[String], q: &Asked<'_>, line: u32, out: &mut Vec<Reply>) -> Option<Replies> {
    let Some(table) = table_of(name) else {
        let text = format!("the simulator has no answer for dbtop:{name}");
        out.extend([Reply::Message(error(50_000, text, line)), Reply::Done(None)]);
        return None;
    };
    let tag = format!("dbtop_{name}");
    match table(q).choose(columns, &tag) {
        Ok((described, rows)) => hostile::reply(q.moment, name, described, rows, out),
        Err(unknown) => {
            let text = format!("the simulator has no column {unknown} for dbtop:{name}");
            out.extend([Reply::Message(error(50_000, text, line)), Reply::Done(None)]);
            None
        }
    }
}

/// Who answers a script.
fn table_of(name: &str) -> Option<fn(&Asked<'_>) -> Table> {
    Some(match name {
        "activity" => sessions::activity,
        "availability" => slow::availability,
        "blocked" => blocking::blocked,
        "blocking" => blocking::blocking,
        "capabilities" => server::capabilities,
        "chain" => sessions::chain,
        "connections" => sessions::connections,
        "cost" => sessions::cost,
        "counters" => server::counters,
        "cpu_ring" => server::cpu_ring,
        "databases" => server::databases,
        "grants" => sessions::grants,
        "headline" | "sysinfo" => server::sysinfo,
        "host_2016" | "host_2017" => server::host,
        "input_buffers" => blocking::input_buffers,
        "jobs" => slow::jobs,
        "locks_of_chain" => blocking::locks_of_chain,
        "memory" => server::memory,
        "properties" => server::properties,
        "resolve_hobt" | "resolve_object" => blocking::resolve,
        "rights" => server::rights,
        "schedulers" => server::schedulers,
        "sessions" => sessions::sessions,
        "sleepers" => sessions::sleepers,
        "tempdb" => sessions::tempdb,
        "texts" => blocking::texts,
        "transactions" => sessions::transactions,
        "volumes" => slow::volumes,
        "waiting_tasks" => sessions::waiting_tasks,
        "waits" => server::waits,
        _ => return None,
    })
}

/// An error as servers send it: class 16 unless the number is known for another.
pub fn error(number: i32, text: String, line: u32) -> ServerMessage {
    let class = match number {
        102 | 156 => 15,
        916 | 6102 | 18_456 => 14,
        4060 => 11,
        _ => 16,
    };
    ServerMessage { number, class, state: 1, text, line }
}
