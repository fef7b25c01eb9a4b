//! Answers about the plan cache: queries by their hash, and the CPU of all sessions.

use super::{
    asked::{Answer, Asked},
    handle::Handle,
    table::{Table, int, opt},
};
use crate::sim::{
    backend::{
        ColumnType::{self, BigInt, Binary, DateTime, Int, VarBinary},
        Value,
    },
    world::{
        queries::{self, Figures, Query},
        texts::{Sort, TEXTS},
        totals::Meter,
        work::TextRef,
    },
};

/// The scripts that are answered here.
pub const ANSWERS: &[Answer] = &[
    ("modules", procedures),
    ("module_triggers", triggers),
    ("module_functions", functions),
    ("plan_databases", plan_databases),
    ("queries", queries),
    ("queries_2016", queries),
    ("workload", workload),
];

/// The part of the process's CPU that the engine takes for itself.
const INTERNAL: f64 = 0.03;

/// A figure with its columns: of all plans, of new ones, of the last runs of older ones.
type Sum = ([&'static str; 3], fn(&Figures) -> i64);

const SUMS: [Sum; 12] = [
    (["executions", "new_executions", "last_executions"], |f| f.runs),
    (["cpu_us", "new_cpu_us", "last_cpu_us"], |f| f.cpu_us),
    (["elapsed_us", "new_elapsed_us", "last_elapsed_us"], |f| f.elapsed_us),
    (["reads", "new_reads", "last_reads"], |f| f.reads),
    (["physical_reads", "new_physical_reads", "last_physical_reads"], |f| f.physical_reads),
    (["writes", "new_writes", "last_writes"], |f| f.writes),
    (["row_count", "new_row_count", "last_row_count"], |f| f.rows),
    (["grant_kb", "new_grant_kb", "last_grant_kb"], |f| f.grant_kb),
    (["used_kb", "new_used_kb", "last_used_kb"], |f| f.used_kb),
    (["ideal_kb", "new_ideal_kb", "last_ideal_kb"], |f| f.ideal_kb),
    (["dop", "new_dop", "last_dop"], |f| f.dop),
    (["spills", "new_spills", "last_spills"], |f| f.spills),
];

const OTHERS: [(&str, ColumnType); 13] = [
    ("polled_at", DateTime),
    ("total_hashes", Int),
    ("query_hash", Binary(8)),
    ("plans", Int),
    ("old_plans", Int),
    ("old_compiled_at", DateTime),
    ("min_elapsed_us", BigInt),
    ("max_elapsed_us", BigInt),
    ("query_plan_hash", VarBinary(8)),
    ("statement_start_offset", Int),
    ("statement_end_offset", Int),
    ("plan_handle", VarBinary(64)),
    ("sql_handle", VarBinary(64)),
];

/// The CPU of all sessions since the start of the service.
pub fn workload(q: &Asked<'_>) -> Table {
    let cpu_ms = q.moment.totals().exact(Meter::Cpu) * (1.0 - INTERNAL);
    Table::one(vec![
        ("polled_at", DateTime, q.datetime(q.moment.at_ms)),
        ("workload_cpu_ms", BigInt, int(cpu_ms as i64)),
        ("statistics_start_time", DateTime, q.datetime(q.moment.started_ms())),
    ])
}

/// The procedures among the queries: each has one statement that counts, and its own overhead.
fn procedures(q: &Asked<'_>) -> Table {
    let is_module = |query: &Query| TEXTS.get(usize::from(query.template)).is_some_and(|t| t.proc.is_some());
    modules(q, q.moment.queries().into_iter().filter(is_module).collect())
}

/// Triggers.
fn triggers(q: &Asked<'_>) -> Table {
    modules(q, within(q, Sort::Trigger))
}

/// Scalar functions.
fn functions(q: &Asked<'_>) -> Table {
    modules(q, within(q, Sort::Function))
}

fn within(q: &Asked<'_>, sort: Sort) -> Vec<Query> {
    let is_of = |query: &Query| TEXTS.get(usize::from(query.template)).is_some_and(|text| text.sort == sort);
    q.moment.modules_within().into_iter().filter(is_of).collect()
}

/// Those that ran since the moment that is asked for, the ones that moved most of something first.
fn modules(q: &Asked<'_>, all: Vec<Query>) -> Table {
    const OTHERS: [(&str, ColumnType); 11] = [
        ("polled_at", DateTime),
        ("total_modules", Int),
        ("database_id", Int),
        ("object_id", Int),
        ("plans", Int),
        ("old_plans", Int),
        ("old_compiled_at", DateTime),
        ("min_elapsed_us", BigInt),
        ("max_elapsed_us", BigInt),
        ("cached_time", DateTime),
        ("sql_handle", VarBinary(64)),
    ];
    const COUNTED: usize = 6;
    let (since, most) = window(q);
    let found = first_moved(q, all, since);
    let total = found.len() as i64;
    let columns: Vec<_> = SUMS[..COUNTED]
        .iter()
        .flat_map(|(names, _)| names.map(|name| (name, of_sum(name))))
        .chain(OTHERS)
        .collect();
    let rows = found.iter().take(most.unwrap_or(found.len())).map(|query| {
        let is_new = local_ms(q, query.created_ms) >= since;
        let handle =
            Handle { text: TextRef { template: query.template, variant: 0 }, database_id: query.database_id };
        let sums = SUMS[..COUNTED].iter().flat_map(|(_, of)| sums(*of, query, is_new));
        let others = [
            q.datetime(q.moment.at_ms),
            int(total),
            int(query.database_id),
            opt(handle.server_text(q.moment).object_id, int),
            int(1),
            int(i64::from(!is_new)),
            old_compiled_at(q, query, is_new),
            int(query.run.elapsed_us / 3),
            int(query.run.elapsed_us.saturating_mul(7)),
            q.datetime(query.created_ms),
            Value::Bytes(handle.bytes(q.moment)),
        ];
        sums.map(int).chain(others).collect()
    });
    Table::new(&columns).with(rows)
}

/// When the plan was compiled, if it is an older one.
fn old_compiled_at(q: &Asked<'_>, query: &Query, is_new: bool) -> Value {
    if is_new { Value::Null } else { q.datetime(query.created_ms) }
}

/// All runs, those of new plans, the last run of older ones.
fn sums(of: fn(&Figures) -> i64, query: &Query, is_new: bool) -> [i64; 3] {
    let (all, last) = (of(&query.total), of(&query.run));
    if is_new { [all, all, 0] } else { [all, 0, last] }
}

fn local_ms(q: &Asked<'_>, at_ms: i64) -> i64 {
    (q.moment.local_ns(at_ms) / 1_000_000) as i64
}

/// The moment since which, and how many rows are wanted.
fn window(q: &Asked<'_>) -> (i64, Option<usize>) {
    let param = |name: &str| {
        let found = q.params.iter().find(|p| p.name.eq_ignore_ascii_case(name))?;
        if let Value::Int(n) = found.value { Some(n) } else { None }
    };
    let since = param("@P1").unwrap_or_else(|| local_ms(q, q.moment.at_ms) - 300_000);
    (since, param("@P2").and_then(|n| usize::try_from(n).ok()))
}

/// Those that ran since a moment of the server's clock, the ones that moved most first.
fn moved_since(q: &Asked<'_>, mut found: Vec<Query>, since: i64) -> Vec<Query> {
    let has_run = |query: &Query| local_ms(q, query.last_ms) + query.run.elapsed_us / 1_000 >= since;
    found.retain(has_run);
    let by_cpu = |query: &Query| moved(q, query, since, |figures| figures.cpu_us);
    found.sort_by(|a, b| by_cpu(b).total_cmp(&by_cpu(a)));
    found
}

/// The same, in turn with those that moved most of something else.
fn first_moved(q: &Asked<'_>, all: Vec<Query>, since: i64) -> Vec<Query> {
    in_turn(moved_since(q, all, since), |query, of| moved(q, query, since, of))
}

/// How much of something a query moved, by its average and its last run.
fn moved(q: &Asked<'_>, query: &Query, since: i64, of: fn(&Figures) -> i64) -> f64 {
    let age_ms = (q.moment.at_ms - query.created_ms).max(1) as f64;
    let window_ms = (local_ms(q, q.moment.at_ms) - since).max(1) as f64;
    of(&query.run) as f64 + of(&query.total) as f64 / age_ms * window_ms
}

/// Of those that moved most CPU first: twice as many of them in turn with those that ran longest, read and wrote most.
fn in_turn<T>(by_cpu: Vec<T>, moved: impl Fn(&T, fn(&Figures) -> i64) -> f64) -> Vec<T> {
    let others: [fn(&Figures) -> i64; 3] = [|f| f.elapsed_us, |f| f.reads, |f| f.writes];
    let mut best: Vec<usize> = (1..=by_cpu.len()).map(|place| place / 2).collect();
    for of in others {
        let mut order: Vec<(usize, f64)> = by_cpu.iter().map(|query| moved(query, of)).enumerate().collect();
        order.sort_by(|(_, a), (_, b)| b.total_cmp(a));
        for (place, (n, _)) in (1..).zip(order) {
            if let Some(best) = best.get_mut(n) {
                *best = place.min(*best);
            }
        }
    }
    let mut found: Vec<(usize, T)> = best.into_iter().zip(by_cpu).collect();
    found.sort_by_key(|(place, _)| *place);
    found.into_iter().map(|(_, query)| query).collect()
}

/// Queries that ran since the moment that is asked for, those that moved most of something first.
pub fn queries(q: &Asked<'_>) -> Table {
    let (since, most) = window(q);
    let found = first_moved(q, q.moment.queries(), since);
    let total = found.len() as i64;
    let most = most.unwrap_or(found.len());
    let columns: Vec<_> =
        SUMS.iter().flat_map(|(names, _)| names.map(|name| (name, of_sum(name)))).chain(OTHERS).collect();
    let rows =
        found.iter().take(most).map(|query| row(q, query, local_ms(q, query.created_ms) >= since, total));
    Table::new(&columns).with(rows)
}

/// The type of a sum; how many plans ran last is a count of rows.
fn of_sum(name: &str) -> ColumnType {
    if name == "last_executions" { Int } else { BigInt }
}

fn row(q: &Asked<'_>, query: &Query, is_new: bool, total: i64) -> Vec<Value> {
    let p = q.moment.profile;
    let handle =
        Handle { text: TextRef { template: query.template, variant: 0 }, database_id: query.database_id };
    let (start, end) = handle.offsets(q.moment);
    let sums = SUMS.iter().flat_map(|(_, of)| sums(*of, query, is_new));
    let others = [
        q.datetime(q.moment.at_ms),
        int(total),
        Value::Bytes(queries::hash(p, query.template).to_vec()),
        int(query.plans),
        int(if is_new { 0 } else { query.plans }),
        old_compiled_at(q, query, is_new),
        int(query.run.elapsed_us / 3),
        int(query.run.elapsed_us.saturating_mul(7)),
        Value::Bytes(queries::plan_hash(p, query).to_vec()),
        int(start),
        int(end),
        Value::Bytes(plan_handle(q, query)),
        Value::Bytes(handle.bytes(q.moment)),
    ];
    sums.map(int).chain(others).collect()
}

/// A plan handle: 5 for a module's plan, 6 for that of a batch, the database, then what finds the query again.
fn plan_handle(q: &Asked<'_>, query: &Query) -> Vec<u8> {
    let dice = q.moment.profile.dice.of("plan handle").at(i64::from(query.template)).at(query.created_ms);
    let is_module = TEXTS[usize::from(query.template)].proc.is_some();
    let mut bytes = vec![if is_module { 5 } else { 6 }, 0];
    bytes.extend((query.database_id as u16).to_le_bytes());
    bytes.extend(query.template.to_be_bytes());
    bytes.push(query.plan);
    bytes.extend(dice.bytes::<25>());
    bytes
}

/// The databases of the plans in the parameters, by their handles.
fn plan_databases(q: &Asked<'_>) -> Table {
    let handles = q.params.iter().filter_map(|p| match &p.value {
        Value::Bytes(bytes) => Some(bytes),
        _ => None,
    });
    let rows = handles.map(|handle| {
        let id = handle.get(2..4).and_then(|bytes| bytes.try_into().ok()).map(u16::from_le_bytes);
        vec![Value::Bytes(handle.clone()), opt(id, int)]
    });
    Table::new(&[("plan_handle", VarBinary(64)), ("database_id", Int)]).with(rows)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_waits_or_reads_most_is_among_the_first_however_little_cpu_it_takes() {
        let figures = |n: i64, elapsed_us, reads| Figures {
            cpu_us: 1_000 - n,
            elapsed_us,
            reads,
            ..Figures::default()
        };
        let mut all: Vec<Figures> = (0..40).map(|n| figures(n, 100 - n, 100 - n)).collect();
        all.push(figures(900, 5_000, 0));
        all.push(figures(901, 0, 5_000));
        let told = in_turn(all, |figures, of| of(figures) as f64);
        let first: Vec<i64> = told.iter().take(5).map(|figures| 1_000 - figures.cpu_us).collect();
        assert!(first.contains(&900) && first.contains(&901), "{first:?}");
        assert_eq!((told.len(), first[0]), (42, 0), "the most expensive one stays the first");
    }
}
