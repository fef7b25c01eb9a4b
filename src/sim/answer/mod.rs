//! Turns the facts of a moment into the replies to a batch: our own scripts by their tag, and the few statements that
//! other clients send.
//!
//! `plan` takes a batch apart once (binding included), and the plan is kept for the next time; `run` answers it. The
//! scripts are known by the comment `/* dbtop:NAME */`, but only after `sim::bind` has found every object and column in
//! them. Their columns are taken from the text: a script may select fewer columns, or in another order. There is one file
//! for each family of scripts, with the list of those that it answers, and `expr` for statements without FROM.

mod asked;
mod blocking;
mod deadlocks;
mod expr;
mod handle;
mod hostile;
pub mod plan;
mod plans;
mod queries;
mod query_store;
mod room;
mod server;
mod sessions;
mod showplan;
mod slow;
mod table;
mod types;
mod views;

pub use asked::{Asked, Own};

use self::{
    plan::{Action, Plan, Planned},
    table::Table,
};
use super::{
    backend::{Column, Replies, Reply, ServerMessage, Value},
    scenario::Kind,
};
use std::time::Duration;

/// Answers a batch: the replies, and the database in which it leaves the session.
pub fn run(plan: &Plan, q: &Asked<'_>) -> (Replies, String) {
    let mut database = q.session.database.clone();
    let mut replies = Vec::new();
    if let Some(starved) = q.moment.active(Kind::Threadpool) {
        replies.push(Reply::Pause(Duration::from_millis(starved.amount.max(0.0) as u64)));
    }
    if let (Some(late), true) = (q.moment.active(Kind::LateAnswers), is_on_demand(plan)) {
        replies.push(Reply::Pause(Duration::from_millis(late.amount.max(0.0) as u64)));
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

/// True for a batch that asks about plans or single sessions.
fn is_on_demand(plan: &Plan) -> bool {
    let is_there = |name: &str| plans::ANSWERS.iter().any(|(known, _)| *known == name);
    plan.statements.iter().any(|s| matches!(&s.action, Action::Probe { name, .. } if is_there(name)))
}

/// Answers one statement. Some: the rest of the answer, which has no end.
fn answer(
    statement: &Planned,
    q: &Asked<'_>,
    database: &mut String,
    out: &mut Vec<Reply>,
) -> Option<Replies> {
    let line = statement.line;
    let set = |result: Result<ResultSet, String>, name: &str, out: &mut Vec<Reply>| match result {
        Ok((columns, rows)) => hostile::reply(q.moment, name, columns, rows, out),
        Err(problem) => {
            out.extend([Reply::Message(ServerMessage::error(50_000, problem, line)), Reply::Done(None)]);
            None
        }
    };
    let said = match &statement.action {
        Action::Probe { name, columns } => return set(probe(name, columns, q), name, out),
        Action::View { name, columns } => return set(views::view(name, columns, q), name, out),
        Action::Select => return set(expr::select(&statement.text, q, database), "", out),
        Action::Rows(count) => return Some(types::rows(*count)),
        Action::Types => {
            out.extend(types::every_type());
            return None;
        }
        Action::Nothing => None,
        Action::Wait(time) => Some(Reply::Pause(*time)),
        Action::Use(name) => Some(use_database(name, q, database, line)),
        Action::Print(text) => {
            let info = ServerMessage { number: 0, class: 0, state: 1, text: text.clone(), line };
            Some(Reply::Message(info))
        }
        Action::Kill(spid) => (q.kill)(*spid).err().map(|e| Reply::Message(ServerMessage { line, ..e })),
        Action::Grant(grant) => {
            (q.grant)(grant, database).err().map(|e| Reply::Message(ServerMessage { line, ..e }))
        }
        Action::Fail(number, text) => Some(Reply::Message(ServerMessage::error(*number, text.clone(), line))),
    };
    out.extend(said);
    out.push(Reply::Done(None));
    None
}

/// USE.
fn use_database(name: &str, q: &Asked<'_>, database: &mut String, line: u32) -> Reply {
    let found = q.moment.profile.databases.iter().find(|d| d.name.eq_ignore_ascii_case(name));
    match found {
        Some(d) if q.rights.may_enter(&d.name) => {
            database.clone_from(&d.name);
            Reply::Database(d.name.clone())
        }
        Some(_) => {
            let text = format!(
                "The server principal \"{}\" is not able to access the database \"{name}\" under the current security \
                 context.",
                q.session.user
            );
            Reply::Message(ServerMessage::error(916, text, line))
        }
        None => {
            let text =
                format!("Database '{name}' does not exist. Make sure that the name is entered correctly.");
            Reply::Message(ServerMessage::error(911, text, line))
        }
    }
}

/// Columns and rows.
type ResultSet = (Vec<Column>, Vec<Vec<Value>>);

/// Answers one of our scripts; the error says what the simulator does not know.
fn probe(name: &str, columns: &[String], q: &Asked<'_>) -> Result<ResultSet, String> {
    let table = table_of(name).ok_or_else(|| format!("the simulator has no answer for dbtop:{name}"))?;
    if let Some(refusal) = (name == "deadlocks").then(|| deadlocks::refusal(q)).flatten() {
        return Err(refusal);
    }
    let tag = format!("dbtop_{name}");
    let chosen = table(q).choose(columns, &tag);
    chosen.map_err(|unknown| format!("the simulator has no column {unknown} for dbtop:{name}"))
}

/// The function that answers a script: each family has a list of those that it knows.
fn table_of(name: &str) -> Option<fn(&Asked<'_>) -> Table> {
    let families = [
        server::ANSWERS,
        sessions::ANSWERS,
        blocking::ANSWERS,
        queries::ANSWERS,
        query_store::ANSWERS,
        slow::ANSWERS,
        plans::ANSWERS,
        room::ANSWERS,
        deadlocks::ANSWERS,
    ];
    families.into_iter().flatten().find(|(script, _)| *script == name).map(|(_, answer)| *answer)
}
