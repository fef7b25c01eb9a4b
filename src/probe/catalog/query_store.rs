//! Query Store of each database: its state with every poll, its queries when an interval has closed since the one before. Over the
//! on-demand lane, since it is slow where a store is large. Off the screen once an hour, as intervals usually close, and for fewer
//! queries: so that findings, history and a collector without a screen have them, at 20 s an hour at the most.
//!
//! What is read is an hour up to the end of the newest closed interval. Hours that no poll read (slow databases ended it, the server was
//! out of reach) are read with it, as one stretch from the interval behind the one that was read last: so one poll catches up, and costs
//! what another costs. It goes [six hours](stretch) back at the most, the newest ones, since the rest of the day is what they are
//! compared with; older ones are lost. A process that has begun knows of none, and begins with the newest hour.

use crate::{
    model::{
        base::{text::sanitize_line, time::Timestamp},
        poll::{
            Sample, State,
            cost::Tier,
            id::ProbeId,
            query_store::{ForcedPlan, QueryStoreTable, ReplicaRuns, StoreRow, StoredQuery, Stretch},
            reading::Unavailable,
            statement::{SqlText, Statement},
        },
    },
    probe::{
        batch::Sets,
        clock::Clock,
        context::ProbeContext,
        descriptor::{Company, EachDatabase, Lane, Pace, Probe, needed, optional},
        each,
        query::hash,
        script::{Needs, Script, When, script},
        text::statement_of,
    },
    tds::Row,
};
use std::{
    cmp::Reverse,
    collections::{HashMap, HashSet},
    sync::Arc,
};

const STORES: Script = script!("query_stores", Nothing, by "database_id");
const STORE: Script = script!("query_store", Performance, by "database_id");
const FORCED: Script = script!("query_store_forced", Performance, by "database_id" "plan_id");
const QUERIES: Script = script!("query_store_queries", Performance, by "database_id" "query_id");
const WAITS: Script =
    script!("query_store_waits", Performance, by "database_id" "query_id" "wait_category_desc");
pub(in crate::probe) const VARIANTS: Script =
    script!("query_store_variants", Performance, by "database_id" "query_variant_query_id");
const REPLICAS: Script =
    script!("query_store_replicas", Performance, by "database_id" "query_id" "replica_group_id");
const HINTS: Script = script!("query_store_hints", Performance, by "database_id" "query_id" "hint");
const FEEDBACK: Script =
    script!("query_store_feedback", Performance, by "database_id" "plan_id" "feature_id");

/// Of each order so many queries of a database are sent: on the screen, and off it.
const QUERIES_SENT: [i64; 2] = [15, 5];
/// Queries of an instance that are kept: on the screen, and off it.
const MOST: [usize; 2] = [100, 30];
/// Wait categories of a query that are kept.
const MOST_WAITS: usize = 4;
/// Replicas of a query that are kept.
const MOST_REPLICAS: usize = 10;
/// Bytes of a page, in KB.
const PAGE_KB: f64 = 8.0;

/// See the module.
pub(super) static PROBE: Probe = Probe {
    parts: &[needed(STORES)],
    pace: Pace::Seldom(4),
    company: Company::Alone,
    lane: Lane::OnDemand,
    unknown_without: &[(Needs::Performance, "what Query Store recorded")],
    panes: &["query store"],
    each: Some(&EACH),
    ..Probe::new(ProbeId::QueryStore, Tier::Slow, decode)
};

static EACH: EachDatabase = EachDatabase {
    of: STORES.name,
    first: &[needed(STORE), needed(FORCED)],
    then: &[
        needed(QUERIES),
        optional(WAITS, &[When::Has("query_store_wait_stats")]),
        optional(VARIANTS, &[When::Has("query_store_query_variant")]),
        optional(HINTS, &[When::Has("query_store_query_hints")]),
        optional(FEEDBACK, &[When::Has("query_store_plan_feedback")]),
        optional(REPLICAS, &[When::Has("query_store_runtime_stats.replica_group_id")]),
    ],
    more,
};

/// What is read of a store.
struct Asked {
    /// its first interval
    now: i64,
    /// its last one
    last: i64,
    /// when it begins
    from: Option<Timestamp>,
}

/// The newest closed hour, and what was missed before it: the script says how far back that is told. None: there is no closed interval.
fn stretch(row: Row<'_>, known: Option<&StoreRow>, ctx: &ProbeContext) -> Option<Asked> {
    let at = |column: &str| row.instant(column).map(|(at, _)| ctx.clock().ours(at));
    let last = row.i64("interval_id")?;
    let (hour, begins) = (row.i64("now_id").unwrap_or(last).min(last), at("from_time"));
    let (reach, reaches) = row.i64("reach_id").filter(|id| *id < hour).zip(at("reach_time")).unzip();
    let next = known.and_then(|store| Some((store.interval_id?.saturating_add(1), store.to)));
    let (now, from) = match (next.filter(|(id, _)| *id < hour), reach) {
        (Some((id, _)), Some(reach)) if id <= reach => (reach, reaches),
        // Where numbers began anew an end may be of another time.
        (Some((id, to)), Some(_)) => (id, to.max(reaches).min(begins)),
        _ => (hour, begins),
    };
    Some(Asked { now, last, from })
}

/// The first interval of the day before, the first of the stretch, the last one, and how many queries. None: there is no closed
/// interval, or it is the one that was read already. An interval is known by its number and its end: after a restore, or when a
/// store was emptied, numbers come again.
fn more(sets: &Sets, database_id: i32, ctx: &ProbeContext) -> Option<Vec<i64>> {
    let row = of(sets, STORE, database_id).next()?;
    let known = ctx.read.query_store.as_ref().and_then(|table| table.store(database_id));
    let asked = stretch(row, known, ctx)?;
    let is_read = known.is_some_and(|store| {
        let to = row.instant("end_time").map(|(at, _)| ctx.clock().ours(at));
        let is_same = store.to.zip(to).is_some_and(|(a, b)| (a - b).abs() < 30_000);
        store.interval_id == Some(asked.last) && is_same
    });
    // Somebody looks, and what is there was read for nobody.
    let is_enough = is_read && !(ctx.is_focused() && ctx.read.briefly.contains(&database_id));
    let before = row.i64("before_id").unwrap_or(asked.now).min(asked.now);
    (!is_enough).then(|| vec![before, asked.now, asked.last, on_screen(ctx, QUERIES_SENT)])
}

/// The first on the screen, the second off it.
fn on_screen<T>(ctx: &ProbeContext, [on, off]: [T; 2]) -> T {
    if ctx.is_focused() { on } else { off }
}

/// The rows of a database.
fn of(sets: &Sets, script: Script, database_id: i32) -> impl Iterator<Item = Row<'_>> {
    sets.all(script.name).filter(move |row| row.i32("database_id") == Some(database_id))
}

fn decode(sets: &Sets, ctx: &ProbeContext) -> Result<Sample, Unavailable> {
    Ok(Sample::Known(State::from(Arc::new(table(sets, ctx)?))))
}

fn table(sets: &Sets, ctx: &ProbeContext) -> Result<QueryStoreTable, Unavailable> {
    let before = ctx.read.query_store.as_deref();
    let (mut total, mut seen) = (0, HashSet::new());
    let mut table = QueryStoreTable::default();
    let told: HashSet<i32> = sets.all(QUERIES.name).filter_map(|row| row.i32("database_id")).collect();
    for row in sets.many(STORES.name)? {
        total = total.max(row.count("total_rows").unwrap_or(0));
        let Some((id, _)) = each::place(row, ctx).filter(|(id, _)| seen.insert(*id)) else { continue };
        let known = before.and_then(|table| table.store(id));
        if listed_off(row) && !holds_rows(sets, id, known) {
            continue;
        }
        let mut store = store(sets, (id, row), known, ctx);
        let has_failed = ctx.problem(id).is_some();
        let is_asked = of(sets, STORE, id).next().is_some();
        // An interval without a run has no row, and is read all the same.
        let is_new = told.contains(&id) || is_asked && more(sets, id, ctx).is_some();
        if is_new && !has_failed {
            table.queries.extend(queries(sets, &mut store, ctx));
        } else {
            let kept = before.into_iter().flat_map(|table| table.of(id)).cloned();
            table.queries.extend(kept.map(|query| kept_of(query, has_failed)).filter(is_worth));
            // The interval that was read, not the one that is there.
            let read = known.cloned().unwrap_or_default();
            (store.interval_id, store.from, store.to) = (read.interval_id, read.from, read.to);
            store.total = read.total;
        }
        if has_failed {
            (store.forced, store.failing) = known.map_or((None, None), |known| (known.forced, known.failing));
        } else if is_asked {
            force(sets, &mut store, before, &mut table.queries);
        }
        table.stores.push(store);
    }
    table.stores_left_out = usize::try_from(total).unwrap_or(0).saturating_sub(seen.len()) as u64;
    table.queries.sort_by_key(|query| (Reverse(query.now.cpu_us), query.database_id, query.query_id));
    keep_most(&mut table.queries, on_screen(ctx, MOST));
    let ran: i64 = table.stores.iter().filter_map(|store| store.total).fold(0, i64::saturating_add);
    table.left_out = u64::try_from(ran).unwrap_or(0).saturating_sub(table.queries.len() as u64);
    Ok(table)
}

/// A query of an interval that was read before. Its forced plan is told anew, but where the database failed.
fn kept_of(query: StoredQuery, has_failed: bool) -> StoredQuery {
    let forced = query.forced.clone().filter(|_| has_failed);
    StoredQuery { forced: forced.map(|plan| ForcedPlan { new_failures: None, ..plan }), ..query }
}

/// It ran, or its plan is forced.
fn is_worth(query: &StoredQuery) -> bool {
    query.now.runs.is_some() || query.forced.is_some()
}

/// Its store is off: it was listed since it belongs to an availability group.
fn listed_off(row: Row<'_>) -> bool {
    row.bool("is_query_store_on") == Some(false)
}

/// A store that says it is off may hold rows all the same, as on a secondary replica.
fn holds_rows(sets: &Sets, id: i32, known: Option<&StoreRow>) -> bool {
    let holds = of(sets, STORE, id).next().map(|row| row.i64("interval_id").is_some());
    holds.unwrap_or_else(|| known.is_some_and(|store| store.interval_id.is_some()))
}

/// The most expensive ones, and as many of those that a person would look for.
fn keep_most(queries: &mut Vec<StoredQuery>, most: usize) {
    let (mut place, mut notable) = (0, 0);
    queries.retain(|query| {
        let is_notable = query.is_regressed() || query.is_varying() || query.forced.is_some();
        place += 1;
        notable += usize::from(is_notable);
        place <= most / 2 || is_notable && notable <= most / 2
    });
}

fn store(
    sets: &Sets,
    (id, listed): (i32, Row<'_>),
    known: Option<&StoreRow>,
    ctx: &ProbeContext,
) -> StoreRow {
    let database = listed.name("database_name").or_else(|| ctx.database(Some(id)));
    let problem = ctx.problem(id).map(|why| match why {
        Unavailable::Failed(failure) => failure.to_string().into(),
        Unavailable::SwitchedOff(why) => why.clone(),
        why => why.to_string().into(),
    });
    let is_later = matches!(ctx.problem(id), Some(Unavailable::SwitchedOff(_)));
    let Some(row) = of(sets, STORE, id).next() else {
        // What was known before stays, with the reason beside it.
        let before = known.cloned().unwrap_or_default();
        let is_secondary = is_secondary(listed);
        return StoreRow { database_id: id, database, problem, is_later, is_secondary, ..before };
    };
    let at = |column: &str| row.instant(column).map(|(at, _)| ctx.clock().ours(at));
    StoreRow {
        database_id: id,
        database,
        state: row.i64("actual_state"),
        desired_state: row.i64("desired_state"),
        readonly_reason: row.i64("readonly_reason"),
        size_mb: row.count("current_storage_size_mb"),
        cap_mb: row.count("max_storage_size_mb"),
        interval_min: row.count("interval_length_minutes"),
        capture: row.line("query_capture_mode_desc", 60),
        cleanup: row.line("size_based_cleanup_mode_desc", 60),
        interval_id: row.i64("interval_id"),
        from: stretch(row, known, ctx).and_then(|asked| asked.from),
        to: at("end_time"),
        forced: None,
        failing: None,
        total: None,
        problem,
        is_later,
        is_secondary: is_secondary(listed),
    }
}

/// The database is a secondary replica: nobody may write to it, and nobody set it so. One that is of no availability group is none, and
/// is not asked.
fn is_secondary(listed: Row<'_>) -> Option<bool> {
    if listed.bool("may_be_secondary") == Some(false) {
        return Some(false);
    }
    let is_closed = match &*listed.line("updateability", 60)? {
        "READ_ONLY" => true,
        "READ_WRITE" => false,
        _ => return None,
    };
    Some(is_closed && !listed.bool("is_read_only")? && !listed.bool("is_in_standby")?)
}

/// The queries of a database, variants under their parent.
fn queries(sets: &Sets, store: &mut StoreRow, ctx: &ProbeContext) -> Vec<StoredQuery> {
    let id = store.database_id;
    let over_ms = store.from.zip(store.to).and_then(|(from, to)| Clock::span(Some(to - from)));
    let over_ms = over_ms.map_or(0, i64::unsigned_abs);
    let mut rows: Vec<StoredQuery> = of(sets, QUERIES, id)
        .filter_map(|row| {
            store.total = store.total.max(row.count("total_queries"));
            query(row, store.database.clone(), over_ms)
        })
        .collect();
    if store.total.is_none() && ctx.problem(id).is_none() {
        store.total = Some(0);
    }
    let mut places: HashMap<i64, usize> =
        rows.iter().enumerate().map(|(at, query)| (query.query_id, at)).collect();
    let place = |query_id: Option<i64>| query_id.and_then(|query_id| places.get(&query_id).copied());
    for row in of(sets, WAITS, id) {
        let (Some(at), Some(category), Some(ms)) =
            (place(row.i64("query_id")), row.line("wait_category_desc", 60), row.count("wait_ms"))
        else {
            continue;
        };
        rows[at].waits.push((category, ms));
    }
    for row in of(sets, REPLICAS, id) {
        if let Some(at) = place(row.i64("query_id")).filter(|at| rows[*at].replicas.len() < MOST_REPLICAS) {
            rows[at].replicas.push(ReplicaRuns {
                role: row.count("role_type"),
                name: row.name("replica_name"),
                runs: runs(row, "runs", "sum_cpu_us", "elapsed_us"),
            });
        }
    }
    for row in of(sets, HINTS, id) {
        if let Some(at) = place(row.i64("query_id")) {
            rows[at].hint = row.line("hint", 400);
            rows[at].hint_failures = row.count("query_hint_failure_count");
        }
    }
    for row in of(sets, FEEDBACK, id) {
        if let Some(at) = place(row.i64("query_id")).filter(|at| rows[*at].feedback.is_none()) {
            rows[at].feedback = feedback(row);
        }
    }
    for query in &mut rows {
        query.waits.sort_by_key(|(_, ms)| Reverse(*ms));
        query.waits.truncate(MOST_WAITS);
    }
    fold_variants(sets, id, &mut rows, &mut places);
    rows
}

/// Adds variants up under the query that they are of.
fn fold_variants(sets: &Sets, id: i32, rows: &mut Vec<StoredQuery>, places: &mut HashMap<i64, usize>) {
    let pair = |row: Row<'_>| row.i64("query_variant_query_id").zip(row.i64("parent_query_id"));
    let mut told: Vec<(i64, i64)> = of(sets, VARIANTS, id).filter_map(pair).collect();
    let mut seen = HashSet::new();
    told.retain(|(variant, parent)| variant != parent && seen.insert(*variant));
    let parents: HashMap<i64, i64> = told.iter().copied().collect();
    let mut folded = HashSet::new();
    for (variant, _) in told {
        // Variants that name each other have no parent, and stay what they are.
        let (Some(parent), Some(at)) = (origin(variant, &parents), places.get(&variant).copied()) else {
            continue;
        };
        folded.insert(variant);
        let variant = rows[at].clone();
        let to = *places.entry(parent).or_insert_with(|| {
            rows.push(StoredQuery {
                query_id: parent,
                database_id: variant.database_id,
                database: variant.database.clone(),
                ..StoredQuery::default()
            });
            rows.len() - 1
        });
        rows[to].take_variant(&variant);
    }
    rows.retain(|query| !folded.contains(&query.query_id));
}

/// The query that a variant is of, through variants of variants. None: it is its own.
fn origin(variant: i64, parents: &HashMap<i64, i64>) -> Option<i64> {
    let mut seen = HashSet::from([variant]);
    let mut at = *parents.get(&variant)?;
    while seen.insert(at) {
        match parents.get(&at) {
            Some(parent) => at = *parent,
            None => return Some(at),
        }
    }
    None
}

/// A row without a number is left out: nothing could be said of it.
fn query(row: Row<'_>, database: Option<Arc<str>>, over_ms: u64) -> Option<StoredQuery> {
    let whole = |column: &str| row.amount(column).map(|n| n as i64);
    let now = runs(row, "runs", "sum_cpu_us", "elapsed_us");
    Some(StoredQuery {
        database_id: row.i32("database_id")?,
        database,
        query_id: row.i64("query_id")?,
        hash: hash(row, "query_hash"),
        now,
        before: runs(row, "before_runs", "before_cpu_us", "before_elapsed_us"),
        aborted: row.count("aborted"),
        failed: row.count("failed"),
        min_us: Clock::span_us(row.i64("min_us")),
        max_us: Clock::span_us(row.i64("max_us")),
        stdev_us: stdev(row, now),
        reads: whole("sum_reads"),
        physical_reads: whole("physical_reads"),
        writes: whole("sum_writes"),
        rows: whole("sum_rows"),
        memory_kb: row.amount("memory_pages").map(|pages| (pages * PAGE_KB) as i64),
        plans: row.count("plans"),
        over_ms,
        module: module(row),
        statement: statement(row),
        ..StoredQuery::default()
    })
}

/// Runs of a stretch, by its columns.
fn runs(row: Row<'_>, runs: &str, cpu_us: &str, elapsed_us: &str) -> Stretch {
    let whole = |column: &str| row.amount(column).map(|n| n as i64);
    Stretch { runs: row.count(runs), cpu_us: whole(cpu_us), elapsed_us: whole(elapsed_us) }
}

/// The deviation of all runs, by the sum of their squares.
fn stdev(row: Row<'_>, now: Stretch) -> Option<i64> {
    let runs = now.runs.filter(|n| *n > 0)? as f64;
    let avg = now.elapsed_us? as f64 / runs;
    let variance = row.f64("squares_us")? / runs - avg * avg;
    let us = variance.max(0.0).sqrt() as i64;
    Some(us).filter(|us| *us <= now.elapsed_us.unwrap_or(i64::MAX))
}

fn module(row: Row<'_>) -> Option<Arc<str>> {
    let name = row.raw_text("object_name")?;
    let schema = row.raw_text("schema_name").unwrap_or("?");
    Some(sanitize_line(&format!("{schema}.{name}"), 256))
}

fn statement(row: Row<'_>) -> Option<Statement> {
    if row.bool("is_part_of_encrypted_module") == Some(true) {
        let text = SqlText::new("".into(), None, None, true);
        return Some(Statement { text: Arc::new(text), start: 0, end: 0 });
    }
    row.raw_text("query_text").filter(|text| !text.is_empty()).map(|text| statement_of(text, None))
}

fn feedback(row: Row<'_>) -> Option<Arc<str>> {
    let about = match row.i64("feature_id")? {
        1 => "cardinality estimate",
        2 => "memory grant",
        3 => "degree of parallelism",
        4 => "lock after qualification",
        _ => "feedback",
    };
    let state = row.line("state_desc", 60).unwrap_or_else(|| "?".into());
    Some(format!("{about}: {}", state.to_lowercase().replace('_', " ")).into())
}

/// Marks the queries whose plan is forced; one that did not run gets a row of its own.
fn force(
    sets: &Sets,
    store: &mut StoreRow,
    before: Option<&QueryStoreTable>,
    queries: &mut Vec<StoredQuery>,
) {
    let id = store.database_id;
    (store.forced, store.failing) = (Some(0), Some(0));
    for row in of(sets, FORCED, id) {
        store.forced = store.forced.max(row.count("total_plans"));
        let (Some(plan_id), Some(query_id)) = (row.i64("plan_id"), row.i64("query_id")) else { continue };
        let failures = row.count("force_failure_count");
        let known = before.into_iter().flat_map(|table| table.of(id));
        let mut known =
            known.filter_map(|query| query.forced.as_ref()).filter(|plan| plan.plan_id == plan_id);
        // It begins anew when the plan is forced again: a smaller number is all new.
        let new_failures = known.next().and_then(|plan| {
            let (old, now) = (plan.failures?, failures?);
            Some(if now < old { now } else { now - old })
        });
        store.failing = store.failing.map(|n| n + i64::from(failures.is_some_and(|n| n > 0)));
        let plan = ForcedPlan {
            plan_id,
            plan_hash: hash(row, "query_plan_hash"),
            failures,
            new_failures,
            reason: row.i64("last_force_failure_reason"),
        };
        let is_it = |query: &&mut StoredQuery| {
            query.database_id == id && query.query_id == query_id && query.forced.is_none()
        };
        match queries.iter_mut().find(is_it) {
            Some(query) => query.forced = Some(plan),
            None => queries.push(StoredQuery {
                database_id: id,
                database: store.database.clone(),
                query_id,
                hash: hash(row, "query_hash"),
                forced: Some(plan),
                module: module(row),
                statement: statement(row),
                ..StoredQuery::default()
            }),
        }
    }
}

#[cfg(test)]
mod tests;
