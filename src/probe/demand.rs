//! Questions that somebody asks of one server, outside of all polls: their scripts, and what the answers mean. Called by
//! `collect::lane`, on a connection of its own, so that a slow one delays no headline number. A plan stays the text that the
//! server sent: who shows it reads it.

use super::{
    context::ProbeContext,
    query::hash,
    room,
    script::{Script, script},
    sent,
    single::ask,
    stored_plan,
};
use crate::{
    model::{
        base::{
            failure::{Failure, FailureKind},
            time::Timestamp,
        },
        poll::{
            demand::{Buffered, CachedKind, Demand, Found, FoundPlan, PlanSource, SessionWait},
            properties::Hosting,
        },
    },
    tds::{Ask, Param, Row},
};
use std::{sync::Arc, time::Duration};

pub(super) const CACHED: Script = script!("plans_cached", Performance, by "query_plan_hash");
pub(super) const LAST: Script = script!("plans_last", Performance, by "query_plan_hash");
pub(super) const LIVE: Script = script!("plan_live", Performance, by "request_id");
pub(super) const SESSION: Script = script!("plan_session", Performance, by "request_id");
pub(super) const WAITS: Script = script!("session_waits", Performance, by "wait_type");
pub(super) const BUFFERS: Script = script!("buffer_pool", Performance, by "database_id");
pub(super) const PLAN_CACHE: Script = script!("plan_cache", Performance, by "objtype" "cacheobjtype");

/// The scripts of this file.
pub(super) const SCRIPTS: [Script; 12] = [
    CACHED,
    LAST,
    LIVE,
    SESSION,
    WAITS,
    BUFFERS,
    PLAN_CACHE,
    room::DATABASES,
    room::FILES,
    sent::INPUT,
    stored_plan::PLANS,
    stored_plan::XML,
];

/// A plan cache of many GB takes seconds to be read once.
const PLANS_WITHIN: Duration = Duration::from_secs(20);
const SESSION_WITHIN: Duration = Duration::from_secs(10);
/// A row for each page in memory.
const BUFFERS_WITHIN: Duration = Duration::from_mins(1);
/// The first version that keeps last actual plans, and that profiles every query by itself.
const MAJOR_2019: i32 = 15;
/// The versions that profile only what they are told to.
const OLD: [i32; 2] = [13, 14];
/// What lacks there most often.
const UNPROFILED: &str = "the server counts nothing for requests: trace flag 7412 makes it do so";

/// Asks, and reads the answer.
///
/// # Errors
/// No right, no answer in time, or nothing there: in words.
pub async fn answer<C: Ask>(conn: &mut C, demand: Demand, ctx: &mut ProbeContext) -> Result<Found, Failure> {
    match demand {
        Demand::Plans { query_hash } => plans(conn, query_hash, ctx).await.map(Found::Plans),
        Demand::StoredPlans { database_id, query_id } => {
            stored_plan::of_query(conn, database_id, query_id, ctx).await.map(Found::Plans)
        }
        Demand::StoredPlan { database_id, plan_id } => {
            stored_plan::one(conn, database_id, plan_id, ctx).await.map(Found::Plans)
        }
        Demand::SessionPlan { session_id } => session_plans(conn, session_id, ctx).await.map(Found::Plans),
        Demand::SessionWaits { session_id } => {
            let params = [Param::Int(session_id.into())];
            let sets = ask(conn, WAITS, &params, SESSION_WITHIN, ctx).await?;
            Ok(Found::Waits(sets.all(WAITS.name).filter_map(|row| wait(row, ctx)).collect()))
        }
        Demand::SessionInput { session_id } => sent::by_session(conn, session_id, ctx).await.map(Found::Sent),
        Demand::BufferPool => {
            let sets = ask(conn, BUFFERS, &[], BUFFERS_WITHIN, ctx).await?;
            let mut rows: Vec<Buffered> = sets.all(BUFFERS.name).map(|row| buffered(row, ctx)).collect();
            rows.sort_by_key(|row| std::cmp::Reverse(row.pages));
            Ok(Found::Buffers(rows))
        }
        Demand::PlanCache => {
            let sets = ask(conn, PLAN_CACHE, &[], PLANS_WITHIN, ctx).await?;
            Ok(Found::PlanCache(sets.all(PLAN_CACHE.name).filter_map(kind).collect()))
        }
        Demand::FreeSpace { database_id } => room::free_space(conn, database_id, ctx).await.map(Found::Room),
    }
}

/// The cached plans of a query, and behind them the last actual ones where the server has such. Those are an extra: without
/// them the others stay.
async fn plans<C: Ask>(
    conn: &mut C,
    query_hash: u64,
    ctx: &mut ProbeContext,
) -> Result<Vec<FoundPlan>, Failure> {
    let hash = query_hash.to_be_bytes();
    let params = [Param::Bytes(&hash)];
    let sets = ask(conn, CACHED, &params, PLANS_WITHIN, ctx).await?;
    let mut plans: Vec<FoundPlan> = sets.all(CACHED.name).map(|row| cached(row, ctx)).collect();
    if plans.is_empty() {
        let text = format!(
            "the plan cache has no query 0x{query_hash:016X}: it was evicted, or runs with RECOMPILE and is never kept"
        );
        return Err(Failure::new(FailureKind::MissingObject, text));
    }
    if ctx.major().is_some_and(|major| major >= MAJOR_2019) {
        match ask(conn, LAST, &params, PLANS_WITHIN, ctx).await {
            Ok(sets) => {
                let last = sets.all(LAST.name).map(|row| last_actual(row, ctx));
                plans.extend(last.filter(|plan| plan.xml.is_some()));
            }
            Err(failure) if !conn.is_open() => return Err(failure),
            Err(_) => {}
        }
    }
    for plan in &mut plans {
        plan.query_hash = Some(query_hash);
    }
    Ok(plans)
}

/// What a session runs: with rows so far where the server has them, else as estimated.
async fn session_plans<C: Ask>(
    conn: &mut C,
    session_id: i32,
    ctx: &mut ProbeContext,
) -> Result<Vec<FoundPlan>, Failure> {
    let params = [Param::Int(session_id.into())];
    let sets = ask(conn, SESSION, &params, SESSION_WITHIN, ctx).await?;
    let mut plans: Vec<(Option<i64>, FoundPlan)> =
        sets.all(SESSION.name).map(|row| (row.i64("request_id"), running(row, ctx))).collect();
    if plans.is_empty() {
        let text = format!("session {session_id} runs nothing now");
        return Err(Failure::new(FailureKind::MissingObject, text));
    }
    let mut not_live = refusal(ctx);
    if not_live.is_none() {
        match ask(conn, LIVE, &params, SESSION_WITHIN, ctx).await {
            Ok(sets) => {
                for row in sets.all(LIVE.name) {
                    let request = row.i64("request_id");
                    let plan = plans.iter_mut().find(|(id, _)| *id == request);
                    if let (Some((_, plan)), Some(xml)) = (plan, xml(row)) {
                        plan.source = PlanSource::Live;
                        plan.xml = Some(xml);
                    }
                }
                not_live = ctx.major().filter(|major| OLD.contains(major)).map(|_| UNPROFILED.into());
            }
            Err(failure) if !conn.is_open() => return Err(failure),
            Err(failure) => not_live = Some(failure.text),
        }
    }
    for (_, plan) in plans.iter_mut().filter(|(_, plan)| plan.source != PlanSource::Live) {
        plan.not_live.clone_from(&not_live);
    }
    Ok(plans.into_iter().map(|(_, plan)| plan).collect())
}

/// Why a server is not asked for live plans, in words; None: it is. Azure tells a version of its own, and has them.
fn refusal(ctx: &ProbeContext) -> Option<Arc<str>> {
    if matches!(ctx.hosting(), Hosting::AzureDatabase | Hosting::ManagedInstance) {
        return None;
    }
    match ctx.properties().and_then(|known| known.version.as_deref()) {
        Some(version) => crashes(version).map(Into::into),
        None => Some("the version of the server is not known".into()),
    }
}

/// Why a build must not be asked for live plans. Those of 2016 and 2017 met access violations when they were asked until KB4078596,
/// which came with 2016 SP1 CU8 and 2017 CU6; all of SP2 has it.
fn crashes(version: &str) -> Option<String> {
    let mut parts = version.split('.').map(|part| part.parse::<u32>().unwrap_or(0));
    let (major, build) = (parts.next().unwrap_or(0), parts.nth(1).unwrap_or(0));
    let (first, since) = match major {
        15.. => return None,
        14 => (3_025, "2017 CU6"),
        13 => (4_474, "2016 SP1 CU8"),
        _ => return Some(format!("{version} has no live plans: they came with 2016 SP1")),
    };
    (build < first)
        .then(|| format!("{version} can crash when it is asked (KB4078596): since {since} it cannot"))
}

fn cached(row: Row<'_>, ctx: &ProbeContext) -> FoundPlan {
    FoundPlan {
        source: PlanSource::Cached,
        query_hash: None,
        plan_hash: hash(row, "query_plan_hash"),
        compiled_at: ctx.clock().certain(row, "creation_time").map(|at| ctx.clock().ours(at)),
        started_at: time(row, "last_execution_time", ctx),
        runs: row.count("execution_count"),
        cpu_ms: micros(row, "total_worker_time"),
        elapsed_ms: micros(row, "total_elapsed_time"),
        xml: xml(row),
        stored: None,
        not_live: None,
    }
}

fn last_actual(row: Row<'_>, ctx: &ProbeContext) -> FoundPlan {
    FoundPlan {
        source: PlanSource::LastActual,
        query_hash: None,
        plan_hash: hash(row, "query_plan_hash"),
        compiled_at: None,
        started_at: time(row, "last_execution_time", ctx),
        runs: Some(1),
        cpu_ms: micros(row, "last_worker_time"),
        elapsed_ms: ctx.clock().micros(row.i64("last_elapsed_time")).map(|us| us as f64 / 1_000.0),
        xml: xml(row),
        stored: None,
        not_live: None,
    }
}

fn running(row: Row<'_>, ctx: &ProbeContext) -> FoundPlan {
    let clock = ctx.clock();
    let began = clock.at(row, "start_time");
    FoundPlan {
        source: PlanSource::Cached,
        query_hash: hash(row, "query_hash"),
        plan_hash: hash(row, "query_plan_hash"),
        compiled_at: None,
        started_at: began.map(|at| clock.ours(at)),
        runs: None,
        cpu_ms: row.count("cpu_time").map(|ms| ms as f64),
        elapsed_ms: clock.elapsed(row.i64("total_elapsed_time"), began).map(|ms| ms as f64),
        xml: xml(row),
        stored: None,
        not_live: None,
    }
}

fn wait(row: Row<'_>, ctx: &ProbeContext) -> Option<SessionWait> {
    Some(SessionWait {
        name: row.line("wait_type", 60)?,
        count: row.count("waiting_tasks_count"),
        ms: row.count("wait_time_ms"),
        max_ms: ctx.clock().duration(row.i64("max_wait_time_ms")),
        signal_ms: row.count("signal_wait_time_ms"),
    })
}

fn buffered(row: Row<'_>, ctx: &ProbeContext) -> Buffered {
    Buffered {
        database: ctx.database(row.i32("database_id")).unwrap_or_else(|| "no database".into()),
        pages: row.count("pages"),
        modified: row.count("modified_pages"),
    }
}

fn kind(row: Row<'_>) -> Option<CachedKind> {
    let (of, kept) = (row.line("objtype", 60)?, row.line("cacheobjtype", 60));
    let name = match kept.as_deref() {
        None | Some("Compiled Plan") => of,
        Some(kept) => format!("{of}, {kept}").into(),
    };
    Some(CachedKind {
        name,
        plans: row.count("plans"),
        bytes: row.count("size_bytes"),
        single: row.count("single_plans"),
        single_bytes: row.count("single_bytes"),
    })
}

/// A time in the past, as our clock shows it.
fn time(row: Row<'_>, column: &str, ctx: &ProbeContext) -> Option<Timestamp> {
    let clock = ctx.clock();
    clock.at(row, column).map(|at| clock.ours(at))
}

/// A sum of many runs.
fn micros(row: Row<'_>, column: &str) -> Option<f64> {
    row.count(column).map(|us| us as f64 / 1_000.0)
}

fn xml(row: Row<'_>) -> Option<Arc<str>> {
    row.raw_text("query_plan").filter(|text| !text.trim().is_empty()).map(Into::into)
}

#[cfg(test)]
mod tests {
    use super::crashes;

    #[test]
    fn builds_that_can_crash_are_not_asked_for_live_plans_and_say_so() {
        for version in [
            "13.0.4474.0",
            "13.0.5026.0",
            "13.0.7037.1",
            "14.0.3025.34",
            "14.0.3456.2",
            "15.0.2000.5",
            "17.0.1000.7",
        ] {
            assert_eq!(crashes(version), None, "{version}");
        }
        for (version, words) in [
            ("13.0.1601.5", "2016 SP1 CU8"),
            ("13.0.4466.4", "2016 SP1 CU8"),
            ("13.0.4259.0", "2016 SP1 CU8"),
            ("14.0.1000.169", "2017 CU6"),
            ("14.0.3023.8", "2017 CU6"),
            // The branch of security updates alone.
            ("14.0.2056.2", "2017 CU6"),
            ("14", "2017 CU6"),
            ("12.0.6024.0", "no live plans"),
            ("", "no live plans"),
        ] {
            let told = crashes(version).unwrap_or_default();
            assert!(told.contains(words) && told.contains(version), "{version}: {told}");
        }
    }
}
