//! One poll: what is due, asked in as few round trips as possible, taken apart again. Called by `collect`.

use super::{
    batch::{self, Sets},
    catalog,
    context::ProbeContext,
    descriptor::{Company, Probe},
    each, job, object,
    plan::{self, Trip},
    plan_database,
    script::{Event, Needs, Script, Takes},
    text,
};
use crate::{
    model::{
        base::failure::{Failure, FailureKind},
        poll::{Sample, id::ProbeId, properties::Hosting, reading::Unavailable},
    },
    tds::{Ask, Param, Question},
};
use std::time::{Duration, Instant};

/// Session set-up, sent once after each login.
pub const SESSION: &str = include_str!("../../tsql/session.sql");
/// How long it may take.
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
/// The failure that broke the connection. Statements that the server does not take are passed over.
pub async fn prepare<C: Ask>(conn: &mut C, ctx: &mut ProbeContext) -> Result<(), Failure> {
    ctx.connected(conn.transport());
    let whole = batch::statement(SESSION);
    if set_up(conn, whole).await?.is_none() {
        return Ok(());
    }
    for statement in whole.split_inclusive(";\n") {
        if let Some(refused) = set_up(conn, statement).await? {
            tracing::info!(
                refused = refused.number,
                statement = statement.trim(),
                "session set-up passed over"
            );
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

/// Polls the probes that are due on one connection, one round trip after another, and returns one outcome for each, in
/// the order of `due`.
///
/// Each round trip has its own deadline (the longest among its probes); the caller needs no other. After it the caller
/// reads `conn.is_open()`: if it is false, the connection must be dropped and made anew; what was not reached has
/// the failure as its outcome. Nothing is retried in here. Dropping the future closes the connection.
///
/// Ask for what starts [`Start::AtOnce`](super::descriptor::Start) in the first poll after a connect: it tells which scripts fit this server. `ctx.set_focused` decides about the costlier columns.
pub async fn poll<C: Ask>(conn: &mut C, due: &[ProbeId], ctx: &mut ProbeContext) -> Vec<Polled> {
    let mut polled = Vec::with_capacity(due.len());
    let mut lost = None;
    for group in groups(due, ctx) {
        match &lost {
            None => lost = poll_group(conn, &group, ctx, &mut polled).await,
            Some(failure) => polled.extend(group.iter().map(|p| not_reached(p, failure))),
        }
    }
    polled.sort_by_key(|p| due.iter().position(|d| *d == p.probe));
    polled
}

/// Rights first if they are not known (they choose between scripts), then all that goes together, then the slow ones
/// one by one.
fn groups(due: &[ProbeId], ctx: &ProbeContext) -> Vec<Vec<&'static Probe>> {
    let mut probes: Vec<_> = catalog::probes().filter(|p| due.contains(&p.id)).collect();
    let first = probes.iter().position(|p| p.id == ProbeId::Rights && ctx.rights().is_none());
    let mut groups: Vec<_> = first.map(|i| vec![probes.remove(i)]).into_iter().collect();
    let (alone, together): (Vec<_>, Vec<_>) =
        probes.into_iter().partition(|p| p.company == Company::Alone || ctx.is_isolated(p.id));
    groups.push(together);
    groups.extend(alone.into_iter().map(|p| vec![p]));
    groups.retain(|g| !g.is_empty());
    groups
}

fn not_reached(probe: &Probe, lost: &Failure) -> Polled {
    Polled { probe: probe.id, took_ms: 0, outcome: Err(Unavailable::Failed(lost.clone())) }
}

/// Polls probes that go together. Returns the failure that broke the connection, if one did.
async fn poll_group<C: Ask>(
    conn: &mut C,
    group: &[&Probe],
    ctx: &mut ProbeContext,
    polled: &mut Vec<Polled>,
) -> Option<Failure> {
    let started = Instant::now();
    let mut asked = Vec::new();
    let mut scripts = Vec::new();
    for probe in group {
        match plan::scripts(ctx, probe, Trip::First) {
            Ok(parts) => {
                asked.push(*probe);
                // Two probes may ask the same script: it is sent once.
                for part in parts {
                    if scripts.iter().all(|s: &Script| s.name != part.name) {
                        scripts.push(part);
                    }
                }
            }
            Err(why) => polled.push(Polled { probe: probe.id, took_ms: 0, outcome: Err(why) }),
        }
    }
    let within = asked.iter().map(|p| p.timeout_ms).max().unwrap_or(0);
    let mut gathered = Gathered::default();
    gather(conn, &scripts, within, ctx, &mut gathered).await;
    for probe in &asked {
        second_trip(conn, probe, ctx, &mut gathered).await;
        if gathered.lost.is_none()
            && let Some(of_each) = probe.each
        {
            gathered.lost = each::walk(conn, probe.id, of_each, ctx, &mut gathered.sets).await;
        }
    }
    name(conn, ctx, &mut gathered).await;
    let took_ms = u32::try_from(started.elapsed().as_millis()).unwrap_or(u32::MAX);
    for probe in &asked {
        ctx.count_poll(probe.id);
    }
    blame(&asked, &gathered, ctx);
    ctx.note_problems(&gathered.problems);
    for probe in asked {
        let outcome = outcome(probe, &gathered, ctx);
        match &outcome {
            Ok(sample) => ctx.absorb(sample),
            // Who may not see the counters is told by the question itself that deadlocks are out of reach, too.
            Err(Unavailable::NoRight(_) | Unavailable::Missing(_)) if probe.id == ProbeId::Headline => {
                ctx.hear_of_deadlocks(None);
            }
            Err(_) => {}
        }
        polled.push(Polled { probe: probe.id, took_ms, outcome });
    }
    gathered.lost
}

/// Asks for what the answers name by numbers and handles alone, as far as it was not asked for before.
async fn name<C: Ask>(conn: &mut C, ctx: &mut ProbeContext, gathered: &mut Gathered) {
    let focused = ctx.is_focused();
    let Gathered { sets, lost, .. } = gathered;
    if lost.is_none() {
        *lost = object::fetch(conn, sets, &ctx.databases, ctx.rights.as_deref(), &mut ctx.objects).await;
    }
    if lost.is_none() {
        *lost = job::fetch(conn, sets, ctx.rights.as_deref(), &mut ctx.jobs).await;
    }
    if lost.is_none() {
        *lost = plan_database::fetch(conn, sets, &mut ctx.plan_databases, focused).await;
    }
    if lost.is_none() {
        let mut handles = ctx.queries.handles(sets);
        handles.extend(ctx.modules.handles(sets));
        *lost = text::fetch(conn, sets, &mut ctx.texts, &handles, focused).await;
    }
}

/// Asks for the rest of a probe whose first answer is worth it.
async fn second_trip<C: Ask>(conn: &mut C, probe: &Probe, ctx: &mut ProbeContext, gathered: &mut Gathered) {
    let is_worth = |sets| probe.second_trip.is_some_and(|is_worth| is_worth(sets));
    if gathered.lost.is_some() || !is_worth(&gathered.sets) {
        return;
    }
    match plan::scripts(ctx, probe, Trip::Second) {
        Ok(parts) => {
            let new: Vec<_> = parts.into_iter().filter(|s| !gathered.sets.has(s.name)).collect();
            gather(conn, &new, probe.timeout_ms, ctx, gathered).await;
        }
        Err(why) => gathered.problems.extend(probe.parts.iter().map(|p| (p.script.name, why.clone()))),
    }
}

/// The results of a group's round trips.
#[derive(Default)]
struct Gathered {
    sets: Sets,
    /// scripts without a set, and why
    problems: Vec<(&'static str, Unavailable)>,
    /// what broke the connection
    lost: Option<Failure>,
}

/// Asks for scripts in one batch; those that a server error left without a set, one by one. If none of these fails
/// again, the error cut a set short that looks whole, and nobody knows which: then the others are asked again too.
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
    let (whole, missing): (Vec<_>, Vec<_>) = scripts.iter().copied().partition(|s| sets.has(s.name));
    match error {
        None => {
            for script in missing {
                let text = format!("the answer lacks the result set of {}", script.name);
                gathered.fail(script, Failure::new(FailureKind::Protocol, text), ctx);
            }
            gathered.sets.merge(sets);
        }
        Some(error) if !conn.is_open() => {
            for script in missing {
                gathered.fail(script, error.clone(), ctx);
            }
            gathered.sets.merge(sets);
            gathered.lost = Some(error);
        }
        // Alone in its batch: the error is its own.
        Some(error) if scripts.len() == 1 => gathered.fail(scripts[0], error, ctx),
        Some(_) => {
            if ask_singly(conn, &missing, within_ms, ctx, gathered).await > 0 {
                gathered.sets.merge(sets);
            } else {
                ask_singly(conn, &whole, within_ms, ctx, gathered).await;
            }
        }
    }
}

/// Asks for scripts one by one; says how many failed.
async fn ask_singly<C: Ask>(
    conn: &mut C,
    scripts: &[Script],
    within_ms: u32,
    ctx: &mut ProbeContext,
    gathered: &mut Gathered,
) -> usize {
    let mut failed = 0;
    for script in scripts {
        let mut error = gathered.lost.clone();
        if error.is_none() {
            let (sets, failed) = ask(conn, &[*script], within_ms, ctx).await;
            error = failed;
            if error.is_none() {
                gathered.sets.merge(sets);
            } else if !conn.is_open() {
                gathered.lost.clone_from(&error);
            }
        }
        if let Some(error) = error {
            gathered.fail(*script, error, ctx);
            failed += 1;
        }
    }
    failed
}

async fn ask<C: Ask>(
    conn: &mut C,
    scripts: &[Script],
    within_ms: u32,
    ctx: &mut ProbeContext,
) -> (Sets, Option<Failure>) {
    let hosting = ctx.hosting();
    let sql = batch::of_hosting(batch::text(scripts), hosting);
    let what = batch::names(scripts);
    let before = ctx.now();
    let within = Duration::from_millis(within_ms.into());
    let params = params(scripts, ctx);
    let answer = conn.ask(Question { what: &what, sql: &sql, params: &params, within }).await;
    let ours = before.plus_ms((ctx.now() - before) / 2);
    let sets = Sets::of(answer.sets, scripts);
    ctx.note_clock(&sets, ours);
    let now = ctx.now();
    ctx.read.note(&sets, hosting == Hosting::ManagedInstance, now);
    (sets, answer.error)
}

/// The parameters of a batch: all its scripts share them.
fn params<'c>(scripts: &[Script], ctx: &'c ProbeContext) -> Vec<Param<'c>> {
    let takes = |what| scripts.iter().any(|script| script.takes == what);
    if takes(Takes::Since) {
        ctx.queries.params(ctx.is_focused()).into()
    } else if takes(Takes::SinceModules) {
        ctx.modules.params(ctx.is_focused()).into()
    } else if takes(Takes::GrowthsSince) {
        ctx.read.of_growths().into()
    } else if takes(Takes::AllDatabases) {
        vec![Param::Null]
    } else if let Some(event) = scripts.iter().find_map(|script| script.takes.recorded()) {
        ctx.read.recording(event).params().into()
    } else {
        Vec::new()
    }
}

/// A failure in the terms of a cell.
fn unavailable(failure: Failure, script: Script, ctx: &ProbeContext) -> Unavailable {
    match failure.kind {
        FailureKind::Permission
            if script.needs == Needs::Performance && ctx.hosting() == Hosting::AzureDatabase =>
        {
            Unavailable::NoRight("VIEW DATABASE PERFORMANCE STATE".into())
        }
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
fn blame(asked: &[&Probe], gathered: &Gathered, ctx: &mut ProbeContext) {
    if gathered.lost.is_none() || asked.len() < 2 {
        return;
    }
    let unanswered = |p: &&&Probe| p.parts.iter().any(|part| gathered.problem(part.script).is_some());
    if let Some(first) = asked.iter().find(unanswered) {
        ctx.isolate(first.id);
    }
}

impl Gathered {
    /// A script gave no set. A failure that will come again is remembered.
    fn fail(&mut self, script: Script, failure: Failure, ctx: &mut ProbeContext) {
        if let Some(event) = script.takes.recorded()
            && is_refusal(event, &failure)
        {
            // The file up to which it was read is gone, files are out of reach at all, or there is too much in them.
            let now = ctx.now();
            ctx.read.recording_mut(event).refuse(now);
            return self.problems.push((script.name, unavailable(failure, script, ctx)));
        }
        let why = unavailable(failure, script, ctx);
        if matches!(why, Unavailable::NoRight(_) | Unavailable::Missing(_)) {
            ctx.remember(script, why.clone());
        }
        self.problems.push((script.name, why));
    }

    fn problem(&self, script: Script) -> Option<&Unavailable> {
        self.problems.iter().find(|(n, _)| *n == script.name).map(|(_, why)| why)
    }
}

/// What a session recorded would not be read the next time either. Growths are seldom: the place up to which they were read does not move
/// on while a busy session writes GBs of other events, and these take too long each time.
fn is_refusal(event: Event, failure: &Failure) -> bool {
    match failure.kind {
        FailureKind::Timeout => event == Event::Growth,
        FailureKind::Server | FailureKind::Permission | FailureKind::MissingObject => {
            !failure.number.is_some_and(is_of_the_moment)
        }
        _ => false,
    }
}

/// Errors of a server that has no memory, locks or time at the moment: the next try may go well.
const fn is_of_the_moment(number: i32) -> bool {
    matches!(number, 701 | 802 | 1204 | 1205 | 1222 | 8628 | 8645 | 8651 | 8657 | 8902)
}

/// Of scripts that stand for each other none is needed by itself: the reason of the one that was asked says more than that its set is
/// not there.
fn better_reason(probe: &Probe, why: Unavailable, ctx: &ProbeContext) -> Unavailable {
    let is_lacking = matches!(&why, Unavailable::Failed(failure) if failure.kind == FailureKind::Protocol);
    let known = || probe.parts.iter().find_map(|part| ctx.why_not(part.script)).cloned();
    if is_lacking { known().unwrap_or(why) } else { why }
}

fn outcome(probe: &Probe, gathered: &Gathered, ctx: &ProbeContext) -> Result<Sample, Unavailable> {
    let problem = probe.parts.iter().filter(|p| p.needed).find_map(|p| gathered.problem(p.script));
    match problem {
        Some(why) => Err(why.clone()),
        None => (probe.decode)(&gathered.sets, ctx).map_err(|why| better_reason(probe, why, ctx)),
    }
}
