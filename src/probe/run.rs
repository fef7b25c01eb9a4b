//! One poll: what is due, asked in as few round trips as possible, taken apart again. Called by `collect`.

use super::{
    batch::{self, Sets},
    context::ProbeContext,
    registry::{self, Needs, Probe, Script},
};
use crate::{
    model::{
        failure::{Failure, FailureKind},
        reading::Unavailable,
        sample::{ProbeId, Sample},
        time::Timestamp,
    },
    tds::{Ask, Question},
};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// How long session set-up may take.
const SET_UP_WITHIN: Duration = Duration::from_secs(5);

/// The outcome of one probe.
#[derive(Debug)]
pub struct Polled {
    /// which
    pub probe: ProbeId,
    /// its round trips, ms; 0 if it was not asked
    pub took_ms: u32,
    /// the sample, or why there is none
    pub outcome: Result<Sample, Unavailable>,
}

/// Sets a new session up. To be called once after each login, before the first [`poll`] on that connection.
///
/// # Errors
/// What broke the connection. Statements that the server does not take are passed over.
pub async fn prepare<C: Ask>(conn: &mut C, ctx: &mut ProbeContext) -> Result<(), Failure> {
    ctx.connected(conn.transport());
    let whole = batch::statement(registry::SESSION);
    if set_up(conn, whole).await?.is_none() {
        return Ok(());
    }
    for statement in whole.split_inclusive(";\n") {
        if let Some(refused) = set_up(conn, statement).await? {
            tracing::info!(%refused, statement = statement.trim(), "session set-up passed over");
        }
    }
    Ok(())
}

/// Sends one piece of the set-up: None if it worked, the error if only the statement failed.
async fn set_up<C: Ask>(conn: &mut C, sql: &str) -> Result<Option<Failure>, Failure> {
    let question = Question { what: "session set-up", sql, params: &[], within: SET_UP_WITHIN };
    let error = conn.ask(question).await.error;
    match error {
        Some(broken) if !conn.is_open() => Err(broken),
        other => Ok(other),
    }
}

/// Polls the probes that are due on one connection, one round trip after another, and gives one outcome for each, in
/// the order of `due`.
///
/// Each round trip has its own deadline (the longest among its probes); the caller needs no other. After it the caller
/// looks at `conn.is_open()`: if it is false, the connection must be dropped and made anew; what was not reached has
/// the failure as its outcome. Nothing is retried in here. Dropping the future closes the connection.
///
/// Ask for [`ProbeId::Rights`], [`ProbeId::Properties`] and [`ProbeId::Databases`] in the first poll after a connect:
/// they tell which scripts fit this server. `ctx.set_focused` decides about the costlier columns.
pub async fn poll<C: Ask>(conn: &mut C, due: &[ProbeId], ctx: &mut ProbeContext) -> Vec<Polled> {
    let mut polled = Vec::with_capacity(due.len());
    for group in groups(due, ctx) {
        poll_group(conn, &group, ctx, &mut polled).await;
    }
    polled.sort_by_key(|p| due.iter().position(|d| *d == p.probe));
    polled
}

/// Rights first if they are not known (they choose between scripts), then all that goes together, then the slow ones
/// one by one.
fn groups(due: &[ProbeId], ctx: &ProbeContext) -> Vec<Vec<&'static Probe>> {
    let mut probes: Vec<_> =
        ProbeId::ALL.into_iter().filter(|id| due.contains(id)).map(registry::probe).collect();
    let first = probes.iter().position(|p| p.id == ProbeId::Rights && ctx.rights().is_none());
    let mut groups: Vec<_> = first.map(|i| vec![probes.remove(i)]).into_iter().collect();
    let (alone, together): (Vec<_>, Vec<_>) = probes.into_iter().partition(|p| ctx.is_alone(p));
    groups.push(together);
    groups.extend(alone.into_iter().map(|p| vec![p]));
    groups.retain(|g| !g.is_empty());
    groups
}

async fn poll_group<C: Ask>(
    conn: &mut C,
    group: &[&Probe],
    ctx: &mut ProbeContext,
    polled: &mut Vec<Polled>,
) {
    let started = Instant::now();
    let mut asked = Vec::new();
    let mut scripts = Vec::new();
    for probe in group {
        match ctx.plan(probe, false) {
            Ok(parts) => {
                asked.push(*probe);
                scripts.extend(parts);
            }
            Err(why) => polled.push(Polled { probe: probe.id, took_ms: 0, outcome: Err(why) }),
        }
    }
    let within = asked.iter().map(|p| p.timeout_ms).max().unwrap_or(0);
    let mut gathered = Gathered::default();
    gather(conn, &scripts, within, ctx, &mut gathered).await;
    if let Some(probe) = asked.iter().find(|p| p.id == ProbeId::Blocking)
        && super::decode::is_blocked(&gathered.sets)
    {
        match ctx.plan(probe, true) {
            Ok(parts) => {
                let new: Vec<_> = parts.into_iter().filter(|s| !gathered.sets.has(s.name)).collect();
                gather(conn, &new, probe.timeout_ms, ctx, &mut gathered).await;
            }
            Err(why) => gathered.problems.extend(probe.parts.iter().map(|p| (p.script.name, why.clone()))),
        }
    }
    super::text::fetch(conn, &gathered.sets, ctx).await;
    let took_ms = u32::try_from(started.elapsed().as_millis()).unwrap_or(u32::MAX);
    for probe in &asked {
        ctx.count_poll(probe.id);
    }
    blame(&asked, &gathered, conn.is_open(), ctx);
    for probe in asked {
        let outcome = outcome(probe, &gathered, ctx);
        if let Ok(sample) = &outcome {
            ctx.absorb(sample);
        }
        polled.push(Polled { probe: probe.id, took_ms, outcome });
    }
}

/// What came of a group's round trips.
#[derive(Default)]
struct Gathered {
    sets: Sets,
    /// scripts without a set, and why
    problems: Vec<(&'static str, Unavailable)>,
}

/// Asks for scripts in one batch; those that a server error left without a set, one by one.
async fn gather<C: Ask>(
    conn: &mut C,
    scripts: &[Script],
    within_ms: u32,
    ctx: &mut ProbeContext,
    gathered: &mut Gathered,
) {
    if scripts.is_empty() {
        return;
    }
    let (sets, error) = ask(conn, scripts, within_ms, ctx).await;
    let Some(error) = error else {
        for script in batch::unanswered(scripts, &sets, false) {
            let text = format!("the answer lacks the result set of {}", script.name);
            gathered
                .problems
                .push((script.name, Unavailable::Failed(Failure::new(FailureKind::Protocol, text))));
        }
        gathered.sets.merge(sets);
        return;
    };
    let again = batch::unanswered(scripts, &sets, conn.is_open());
    if again.len() < scripts.len() {
        gathered.sets.merge(sets);
    }
    let mut broken = if conn.is_open() { None } else { Some(error.clone()) };
    for script in again {
        let failed = match &broken {
            Some(error) => error.clone(),
            // Alone in its batch already: the error is its own.
            None if scripts.len() == 1 => error.clone(),
            None => {
                let (sets, error) = ask(conn, &[script], within_ms, ctx).await;
                let Some(error) = error else {
                    gathered.sets.merge(sets);
                    continue;
                };
                if !conn.is_open() {
                    broken = Some(error.clone());
                }
                error
            }
        };
        let why = unavailable(failed, script, ctx);
        if matches!(why, Unavailable::NoRight(_) | Unavailable::Missing(_)) {
            ctx.remember(script, why.clone());
        }
        gathered.problems.push((script.name, why));
    }
}

async fn ask<C: Ask>(
    conn: &mut C,
    scripts: &[Script],
    within_ms: u32,
    ctx: &mut ProbeContext,
) -> (Sets, Option<Failure>) {
    let sql = batch::text(scripts);
    let what = batch::names(scripts);
    let before = now();
    let within = Duration::from_millis(within_ms.into());
    let answer = conn.ask(Question { what: &what, sql: &sql, params: &[], within }).await;
    let ours = before.plus_ms((now() - before) / 2);
    let (sets, error) = batch::take_apart(answer);
    ctx.note_clock(&sets, ours);
    (sets, error)
}

/// A failure in the terms of a cell.
fn unavailable(failure: Failure, script: Script, ctx: &ProbeContext) -> Unavailable {
    match failure.kind {
        FailureKind::Permission if script.needs != Needs::Nothing => {
            Unavailable::NoRight(script.needs.right(ctx.major()).into())
        }
        FailureKind::MissingObject => {
            // The server quotes the name.
            let name = failure.text.split('\'').nth(1).unwrap_or(&failure.text);
            Unavailable::Missing(name.into())
        }
        _ => Unavailable::Failed(failure),
    }
}

/// If a batch of several probes broke the connection, the first one without its sets goes alone from now on: the others
/// must not suffer for it.
fn blame(asked: &[&Probe], gathered: &Gathered, is_open: bool, ctx: &mut ProbeContext) {
    if is_open || asked.len() < 2 {
        return;
    }
    let unanswered = |p: &&&Probe| p.parts.iter().any(|part| gathered.problem(part.script).is_some());
    if let Some(first) = asked.iter().find(unanswered) {
        ctx.isolate(first.id);
    }
}

impl Gathered {
    fn problem(&self, script: Script) -> Option<&Unavailable> {
        self.problems.iter().find(|(n, _)| *n == script.name).map(|(_, why)| why)
    }
}

fn outcome(probe: &Probe, gathered: &Gathered, ctx: &ProbeContext) -> Result<Sample, Unavailable> {
    let problem = probe.parts.iter().filter(|p| p.needed).find_map(|p| gathered.problem(p.script));
    match problem {
        Some(why) => Err(why.clone()),
        None => (probe.decode)(&gathered.sets, ctx),
    }
}

fn now() -> Timestamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp::from_ms(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
}
