//! What is asked of one database after another: over one connection, by names of three parts, without USE. `run` calls it for a probe
//! whose descriptor has an [`EachDatabase`]; the probe's decoder gets the rows of all databases as one set for each script.
//!
//! A database has [`WITHIN`], an instance [`BUDGET`]; the next poll goes on behind the last one that was asked. What a database
//! refuses is kept for the decoder, which makes a row of it: one failed database hides no other. A deadline that passes closes
//! the connection, so that the server ends the statement: the poll ends there.

use super::{
    batch::{self, Sets},
    context::ProbeContext,
    descriptor::{EachDatabase, Part},
    plan::{self, Trip},
    script::Script,
};
use crate::{
    model::{
        base::{
            failure::{Failure, FailureKind},
            figure,
        },
        poll::{id::ProbeId, reading::Unavailable},
    },
    sql::ident,
    tds::{Ask, Param, Question, Row},
};
use std::{
    collections::HashMap,
    sync::{Arc, OnceLock},
    time::{Duration, Instant},
};

/// Longest that one database may take.
pub const WITHIN: Duration = Duration::from_secs(5);
/// Longest that all databases of an instance may take in one poll.
pub const BUDGET: Duration = Duration::from_secs(20);
/// Less than this is not worth a question.
const LEAST: Duration = Duration::from_millis(200);
/// The text that stands for the database in the scripts.
pub(super) const PLACEHOLDER: &str = "[$db$]";
/// The error of a login that may not enter a database.
const NO_ENTRY: i32 = 916;

/// Why a database was not asked in this poll.
pub const NEXT_TIME: &str = "its turn comes with the next poll";

/// A database to ask, or why it is not asked.
type Place = (i32, Result<Arc<str>, Unavailable>);

/// A row of the list as a database: those that the configuration leaves out are none.
pub fn place(row: Row<'_>, ctx: &ProbeContext) -> Option<Place> {
    let id = row.i32("database_id")?;
    let Some(raw) = row.raw_text("database_name") else {
        return Some((id, Err(Unavailable::NoRight("VIEW ANY DATABASE".into()))));
    };
    if !ctx.wants_database(raw) {
        return None;
    }
    let why: Option<Arc<str>> = match row.line("state_desc", 60) {
        Some(state) if &*state != "ONLINE" => Some(format!("the database is {state}").into()),
        _ => stays_out(row).map(Into::into),
    };
    // The name as the server spells it: it is quoted, and nobody is shown it.
    Some((id, why.map_or_else(|| Ok(raw.into()), |why| Err(Unavailable::NotHere(why)))))
}

/// Why nobody enters a database that is online: it would do something to the database, or stand in the way of somebody.
fn stays_out(row: Row<'_>) -> Option<&'static str> {
    let is = |column| row.bool(column) == Some(true);
    match row.line("user_access_desc", 60).as_deref() {
        Some("SINGLE_USER") => Some("SINGLE_USER: the question would take the only place in it"),
        _ if is("is_auto_close_on") => Some("AUTO_CLOSE: the question would open it"),
        _ if is("is_in_standby") => Some("STANDBY: the question would hold up its next restore"),
        _ => None,
    }
}

/// A clock that is never set, and the moment on it when time is up.
#[derive(Clone, Copy)]
struct Deadline {
    up: fn() -> Duration,
    end: Duration,
}

impl Deadline {
    fn after(up: fn() -> Duration, within: Duration) -> Self {
        Self { up, end: up() + within }
    }

    fn left(self) -> Duration {
        self.end.saturating_sub((self.up)())
    }
}

/// The time since this process asked first.
fn up() -> Duration {
    static START: OnceLock<Instant> = OnceLock::new();
    START.get_or_init(Instant::now).elapsed()
}

/// Asks one database after another, and adds their rows to `sets`. Returns the failure that broke the connection, if one did.
pub(super) async fn walk<C: Ask>(
    conn: &mut C,
    probe: ProbeId,
    each: &EachDatabase,
    ctx: &mut ProbeContext,
    sets: &mut Sets,
) -> Option<Failure> {
    walk_by(up, conn, (probe, each), ctx, sets).await
}

async fn walk_by<C: Ask>(
    up: fn() -> Duration,
    conn: &mut C,
    (probe, each): (ProbeId, &EachDatabase),
    ctx: &mut ProbeContext,
    sets: &mut Sets,
) -> Option<Failure> {
    let mut problems = HashMap::new();
    let places: Vec<Place> = sets.all(each.of).filter_map(|row| place(row, ctx)).collect();
    let budget = Deadline::after(up, BUDGET);
    let mut lost = None;
    for (id, name) in in_turn(places, ctx.read.turns.get(&probe).copied()) {
        let left = budget.left();
        let name = match name {
            Err(why) => {
                problems.insert(id, why);
                continue;
            }
            Ok(_) if lost.is_some() || left < LEAST => {
                problems.insert(id, Unavailable::SwitchedOff(NEXT_TIME.into()));
                continue;
            }
            Ok(name) => name,
        };
        ctx.read.turns.insert(probe, id);
        let mut found = Sets::default();
        let asked =
            ask(conn, each, (id, &name), Deadline::after(up, left.min(WITHIN)), ctx, &mut found).await;
        sets.append(found);
        if let Err((why, failure)) = asked {
            problems.insert(id, why);
            if !conn.is_open() {
                lost = Some(failure);
            }
        }
    }
    // Whatever a server says: each thing once.
    sets.keep_each_once(each.scripts());
    ctx.problems = problems;
    lost
}

/// The databases from the one behind the last that was asked on, then the others.
fn in_turn(mut places: Vec<Place>, last: Option<i32>) -> Vec<Place> {
    places.sort_by_key(|(id, _)| *id);
    places.dedup_by_key(|(id, _)| *id);
    let first = places.iter().position(|(id, _)| Some(*id) > last).unwrap_or(0);
    places.rotate_left(first);
    places
}

/// Why one database told nothing, and the failure behind it.
type Refused = (Unavailable, Failure);

/// Asks one database: both parts, together within its time. What came before a failure counts.
async fn ask<C: Ask>(
    conn: &mut C,
    each: &EachDatabase,
    (id, name): (i32, &str),
    end: Deadline,
    ctx: &ProbeContext,
    found: &mut Sets,
) -> Result<(), Refused> {
    let id_param = [Param::Int(id.into())];
    trip(conn, each.first, name, &id_param, end, ctx, found).await?;
    let Some(more) = (each.more)(found, id, ctx) else { return Ok(()) };
    let params: Vec<Param<'_>> = id_param.into_iter().chain(more.into_iter().map(Param::Int)).collect();
    trip(conn, each.then, name, &params, end, ctx, found).await
}

/// One round trip; scripts that an error of the server left without a set are asked one by one. One that only adds to the rest
/// may fail.
async fn trip<C: Ask>(
    conn: &mut C,
    parts: &[Part],
    name: &str,
    params: &[Param<'_>],
    end: Deadline,
    ctx: &ProbeContext,
    found: &mut Sets,
) -> Result<(), Refused> {
    let parts: Vec<Part> = parts.iter().copied().filter(|part| plan::holds(ctx, part, Trip::First)).collect();
    if parts.is_empty() {
        return Ok(());
    }
    let scripts: Vec<Script> = parts.iter().map(|part| part.script).collect();
    let mut error = send(conn, &scripts, name, params, end, found).await;
    if error.is_some() && conn.is_open() && scripts.len() > 1 {
        error = None;
        for part in parts.iter().filter(|part| !found.has(part.script.name)).copied().collect::<Vec<_>>() {
            let failed = send(conn, &[part.script], name, params, end, found).await;
            error = error.or(failed.filter(|_| part.needed || !conn.is_open()));
            if !conn.is_open() {
                break;
            }
        }
    }
    let missing = parts.iter().find(|part| part.needed && !found.has(part.script.name));
    match (error, missing) {
        (Some(failure), _) => Err((why_not(&failure, ctx), failure)),
        (None, Some(part)) => {
            let text = format!("the answer lacks the result set of {}", part.script.name);
            let failure = Failure::new(FailureKind::Protocol, text);
            Err((Unavailable::Failed(failure.clone()), failure))
        }
        (None, None) => Ok(()),
    }
}

async fn send<C: Ask>(
    conn: &mut C,
    scripts: &[Script],
    name: &str,
    params: &[Param<'_>],
    end: Deadline,
    found: &mut Sets,
) -> Option<Failure> {
    let sql = batch::text(scripts).replace(PLACEHOLDER, &ident::quote_name(name));
    let what = batch::names(scripts);
    let within = end.left().max(LEAST);
    let answer = conn.ask(Question { what: &what, sql: &sql, params, within }).await;
    found.merge(Sets::of(answer.sets, scripts));
    answer.error
}

/// A failure of one database in the terms of a cell.
pub(super) fn why_not(failure: &Failure, ctx: &ProbeContext) -> Unavailable {
    match failure.kind {
        FailureKind::Permission if failure.number == Some(NO_ENTRY) => {
            Unavailable::NoRight("CONNECT ANY DATABASE".into())
        }
        FailureKind::Permission => {
            let is_new = matches!(ctx.major(), Some(16..));
            let right = if is_new { "VIEW DATABASE PERFORMANCE STATE" } else { "VIEW DATABASE STATE" };
            Unavailable::NoRight(right.into())
        }
        FailureKind::MissingObject => {
            // The server quotes the name.
            let name = failure.text.split('\'').nth(1).unwrap_or(&failure.text);
            Unavailable::Missing(name.into())
        }
        FailureKind::Timeout => {
            let text = format!("no answer within {}: it is asked again in its turn", figure::limit(WITHIN));
            Unavailable::Failed(Failure::new(FailureKind::Timeout, text))
        }
        _ => Unavailable::Failed(failure.clone()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        model::base::time::Timestamp,
        probe::{
            descriptor::{needed, optional},
            fixture::{set, text},
            script::{Key, Needs, Takes},
        },
        tds::{Answer, Cell as Value, ResultSet},
    };
    use std::cell::Cell;

    const fn script(name: &'static str) -> Script {
        Script {
            name,
            over: None,
            text: "SELECT [$db$].x",
            needs: Needs::Nothing,
            key: Key::By(&["database_id"]),
            takes: Takes::Nothing,
        }
    }

    static EACH: EachDatabase = EachDatabase {
        of: "query_stores",
        first: &[needed(script("one"))],
        then: &[needed(script("two")), optional(script("three"), &[])],
        more: |sets, id, _| sets.all("one").any(|row| row.i32("database_id") == Some(id)).then(|| vec![7]),
    };

    thread_local! {
        /// What a clock would show: only questions let time pass.
        static NOW: Cell<Duration> = const { Cell::new(Duration::ZERO) };
    }

    fn now() -> Duration {
        NOW.get()
    }

    async fn walk(conn: &mut Server, ctx: &mut ProbeContext, sets: &mut Sets) -> Option<Failure> {
        walk_by(now, conn, (ProbeId::QueryStore, &EACH), ctx, sets).await
    }

    /// A server that takes some time over each question, and fails as it is told.
    struct Server {
        takes: Duration,
        asked: Vec<String>,
        fails: fn(&str) -> Option<Failure>,
        open: bool,
    }

    impl Server {
        fn new(takes_ms: u64, fails: fn(&str) -> Option<Failure>) -> Self {
            Self { takes: Duration::from_millis(takes_ms), asked: Vec::new(), fails, open: true }
        }
    }

    impl Ask for Server {
        async fn ask(&mut self, question: Question<'_>) -> Answer {
            assert!(self.open);
            let what =
                format!("{} {}", question.what, question.sql.replace("SELECT ", "").replace('\n', " "));
            self.asked.push(what.trim().to_owned());
            if self.takes > question.within {
                NOW.set(now() + question.within);
                self.open = false;
                return Answer { sets: Vec::new(), error: Some(Failure::new(FailureKind::Timeout, "late")) };
            }
            NOW.set(now() + self.takes);
            if let Some(error) = (self.fails)(&what) {
                return Answer { sets: Vec::new(), error: Some(error) };
            }
            let Some(Param::Int(id)) = question.params.first() else { panic!("no id") };
            let sets = question
                .what
                .split(", ")
                .map(|name| set(name, &["database_id"], vec![vec![Value::Int(*id)]]));
            Answer { sets: sets.collect(), error: None }
        }

        fn is_open(&self) -> bool {
            self.open
        }

        fn transport(&self) -> &'static str {
            ""
        }
    }

    fn list(rows: &[(i64, &str, &str)]) -> Sets {
        let row = |(id, name, state): &(i64, &str, &str)| vec![Value::Int(*id), text(name), text(state)];
        let columns = ["database_id", "database_name", "state_desc"];
        let told: ResultSet = set("query_stores", &columns, rows.iter().map(row).collect());
        Sets::of(vec![told], &[script("query_stores")])
    }

    #[tokio::test]
    async fn a_database_that_a_question_would_open_or_hold_up_is_left_alone_and_says_why() {
        let columns = [
            "database_id",
            "database_name",
            "state_desc",
            "user_access_desc",
            "is_auto_close_on",
            "is_in_standby",
        ];
        let row = |id, access: Value, closes, standby| {
            vec![Value::Int(id), text("a"), text("ONLINE"), access, Value::Bool(closes), Value::Bool(standby)]
        };
        let rows = vec![
            row(5, text("MULTI_USER"), true, false),
            row(6, text("SINGLE_USER"), false, false),
            row(7, text("MULTI_USER"), false, true),
            row(8, text("RESTRICTED_USER"), false, false),
            row(9, Value::Null, false, false),
        ];
        let (mut server, mut ctx) = (Server::new(10, |_| None), context());
        let mut sets = Sets::of(vec![set("query_stores", &columns, rows)], &[script("query_stores")]);
        walk(&mut server, &mut ctx, &mut sets).await;
        assert_eq!(ids(&sets, "one"), [8, 9], "only these are entered");
        let why = |id| ctx.problem(id).map(ToString::to_string).unwrap_or_default();
        assert_eq!(why(5), "n/a (AUTO_CLOSE: the question would open it)");
        assert!(why(6).contains("SINGLE_USER") && why(7).contains("restore"), "{} {}", why(6), why(7));
    }

    fn ids(sets: &Sets, name: &str) -> Vec<i64> {
        sets.all(name).filter_map(|row| row.i64("database_id")).collect()
    }

    fn context() -> ProbeContext {
        ProbeContext::new(Timestamp::default)
    }

    #[tokio::test]
    async fn rows_of_all_databases_come_together_and_one_that_is_not_online_is_not_asked() {
        let (mut server, mut ctx) = (Server::new(10, |_| None), context());
        let mut sets =
            list(&[(5, "a]b", "ONLINE"), (6, "old", "RESTORING"), (7, "c", "ONLINE"), (7, "c", "ONLINE")]);
        assert!(walk(&mut server, &mut ctx, &mut sets).await.is_none());
        assert_eq!(
            (ids(&sets, "one"), ids(&sets, "two"), ids(&sets, "three")),
            (vec![5, 7], vec![5, 7], vec![5, 7])
        );
        assert_eq!(server.asked[0], "one [a]]b].x", "the name is quoted");
        assert_eq!(server.asked.len(), 4, "two trips each");
        assert_eq!(ctx.problem(6).unwrap().to_string(), "n/a (the database is RESTORING)");
        assert!(ctx.problem(5).is_none());
    }

    #[tokio::test]
    async fn a_database_that_refuses_says_why_and_hides_no_other() {
        let fails = |what: &str| {
            let failure =
                |number| Failure { number: Some(number), ..Failure::new(FailureKind::Permission, "no") };
            match what {
                _ if what.contains("[a]") => Some(failure(916)),
                _ if what.contains("[b]") => Some(failure(262)),
                // The third script fails, and spoils the batch.
                _ if what.contains("three") => Some(failure(262)),
                _ => None,
            }
        };
        let (mut server, mut ctx) = (Server::new(10, fails), context());
        let mut sets = list(&[(5, "a", "ONLINE"), (6, "b", "ONLINE"), (7, "c", "ONLINE")]);
        assert!(walk(&mut server, &mut ctx, &mut sets).await.is_none());
        assert_eq!((ids(&sets, "two"), ids(&sets, "three")), (vec![7], Vec::new()), "asked one by one");
        let why = |id| ctx.problem(id).map(ToString::to_string);
        assert_eq!(why(5).as_deref(), Some("n/a (CONNECT ANY DATABASE)"));
        assert_eq!(why(6).as_deref(), Some("n/a (VIEW DATABASE STATE)"));
        assert_eq!(why(7), None);
    }

    #[tokio::test]
    async fn the_budget_ends_a_poll_and_the_next_one_goes_on_behind_it() {
        let names: Vec<String> = (5..25).map(|id| format!("db{id}")).collect();
        let rows: Vec<(i64, &str, &str)> =
            (5..).zip(&names).map(|(id, name)| (id, name.as_str(), "ONLINE")).collect();
        let (mut server, mut ctx) = (Server::new(2_000, |_| None), context());
        let mut first = list(&rows);
        let started = now();
        assert!(walk(&mut server, &mut ctx, &mut first).await.is_none());
        assert_eq!(now().saturating_sub(started), BUDGET);
        assert_eq!(ids(&first, "two"), [5, 6, 7, 8, 9], "four seconds each");
        assert_eq!(ctx.problem(10).unwrap().to_string(), format!("off ({NEXT_TIME})"));
        let mut second = list(&rows);
        walk(&mut server, &mut ctx, &mut second).await;
        assert_eq!(ids(&second, "two"), [10, 11, 12, 13, 14]);
        for _ in 0..2 {
            second = list(&rows);
            walk(&mut server, &mut ctx, &mut second).await;
        }
        assert_eq!(ids(&second, "two"), [20, 21, 22, 23, 24]);
        second = list(&rows);
        walk(&mut server, &mut ctx, &mut second).await;
        assert_eq!(ids(&second, "two"), [5, 6, 7, 8, 9], "round and round");
    }

    #[tokio::test]
    async fn a_database_that_takes_too_long_ends_the_poll_and_the_next_one_does_not_begin_with_it() {
        let (mut server, mut ctx) = (Server::new(9_000, |_| None), context());
        let rows = [(5, "a", "ONLINE"), (6, "b", "ONLINE")];
        let mut sets = list(&rows);
        let started = now();
        let lost = walk(&mut server, &mut ctx, &mut sets).await;
        assert_eq!(lost.unwrap().kind, FailureKind::Timeout);
        assert_eq!(now().saturating_sub(started), WITHIN);
        let Some(Unavailable::Failed(why)) = ctx.problem(5) else { panic!() };
        assert!(why.text.contains("within 5 s"), "{why:?}");
        assert!(matches!(ctx.problem(6), Some(Unavailable::SwitchedOff(_))));
        let (mut server, mut sets) = (Server::new(10, |_| None), list(&rows));
        walk(&mut server, &mut ctx, &mut sets).await;
        assert_eq!(ids(&sets, "one"), [6, 5]);
    }
}
