//! Answers about Query Store: those of its own database each, which the scripts name by their first parameter.

use super::{
    asked::{Answer, Asked},
    handle::Handle,
    room,
    table::{Table, int, opt, text},
};
use crate::sim::{
    backend::{
        ColumnType::{
            self, BigInt, Binary, Bit, DateTimeOffset, Float, Int, NVarChar, NVarCharMax, SmallInt,
        },
        Value,
    },
    world::{
        queries,
        query_store::{Runs, Store},
        texts::TEXTS,
        version::Version,
        work::TextRef,
    },
};

/// The scripts that are answered here.
pub const ANSWERS: &[Answer] = &[
    ("query_stores", stores),
    ("query_store", store),
    ("query_store_forced", forced),
    ("query_store_queries", stored),
    ("query_store_waits", waits),
    ("query_store_replicas", replicas),
    ("query_store_variants", variants),
    ("query_store_hints", hints),
    ("query_store_feedback", feedback),
    ("query_store_plans", plans),
    ("query_store_plan", plan),
];

/// An hour, ms.
const HOUR: i64 = 3_600_000;

fn param(q: &Asked<'_>, name: &str) -> Option<i64> {
    let found = q.params.iter().find(|p| p.name.eq_ignore_ascii_case(name))?;
    if let Value::Int(n) = found.value { Some(n) } else { None }
}

/// The store that is asked.
fn asked(q: &Asked<'_>) -> Option<Store> {
    let id = param(q, "@P1")?;
    q.moment.stores().into_iter().find(|store| i64::from(store.database_id) == id)
}

/// The databases that have a store.
fn stores(q: &Asked<'_>) -> Table {
    let columns = [
        ("total_rows", Int),
        ("database_id", Int),
        ("database_name", NVarChar(128)),
        ("state_desc", NVarChar(60)),
        ("user_access_desc", NVarChar(60)),
        ("is_auto_close_on", Bit),
        ("is_in_standby", Bit),
        ("is_read_only", Bit),
        ("may_be_secondary", Bit),
        ("updateability", NVarChar(60)),
        ("is_query_store_on", Bit),
    ];
    let stores = q.moment.stores();
    let total = stores.len() as i64;
    let rows = stores.into_iter().filter_map(|store| {
        let database = q.moment.profile.database(store.database_id)?;
        let name = text(q.moment.database_name(database));
        let is_secondary =
            database.replicated && q.moment.profile.membership.is_some_and(|own| own.place != 0);
        let may_be = database.replicated && q.moment.profile.membership.is_some();
        let updateability = text(if is_secondary { "READ_ONLY" } else { "READ_WRITE" });
        let updateability = if may_be { updateability } else { Value::Null };
        let last = [Value::Bool(false), Value::Bool(may_be), updateability, Value::Bool(store.state != 0)];
        let row = [int(total), int(store.database_id), name, text("ONLINE")];
        Some(row.into_iter().chain(room::entered_by_all()).chain(last).collect())
    });
    Table::new(&columns).with(rows)
}

/// State and intervals of a store: the newest closed one, the first of the hour before its end, of six, and of the day
/// before that.
fn store(q: &Asked<'_>) -> Table {
    let columns = [
        ("database_id", Int),
        ("desired_state", SmallInt),
        ("actual_state", SmallInt),
        ("readonly_reason", Int),
        ("current_storage_size_mb", BigInt),
        ("max_storage_size_mb", BigInt),
        ("interval_length_minutes", BigInt),
        ("query_capture_mode_desc", NVarChar(60)),
        ("size_based_cleanup_mode_desc", NVarChar(60)),
        ("interval_id", BigInt),
        ("end_time", DateTimeOffset(7)),
        ("now_id", BigInt),
        ("from_time", DateTimeOffset(7)),
        ("reach_id", BigInt),
        ("reach_time", DateTimeOffset(7)),
        ("before_id", BigInt),
    ];
    let Some(store) = asked(q) else { return Table::new(&columns) };
    let last = store.interval_at(q.moment.utc_ms()) - 1;
    let end_ms = store.begin_ms(last + 1);
    let now = store.interval_at(end_ms - HOUR).min(last);
    let reach = store.interval_at(end_ms - 6 * HOUR).min(now);
    let before = store.interval_at(end_ms - 25 * HOUR).min(now);
    let time = |utc_ms: i64| Value::Time {
        local_ns: q.moment.local_ns(utc_ms - q.moment.utc_ms() + q.moment.at_ms),
        offset_min: q.moment.profile.utc_offset_min,
    };
    let capture = if q.moment.profile.version >= Version::V2019 { "AUTO" } else { "ALL" };
    Table::new(&columns).with(std::iter::once(vec![
        int(store.database_id),
        int(2),
        int(store.state),
        int(store.readonly_reason),
        int(store.size_mb),
        int(store.cap_mb),
        int(store.interval_min),
        text(capture),
        text(if store.cleans { "AUTO" } else { "OFF" }),
        int(last),
        time(end_ms),
        int(now),
        time(store.begin_ms(now)),
        int(reach),
        time(store.begin_ms(reach)),
        int(before),
    ]))
}

const MODULE: [(&str, ColumnType); 4] = [
    ("schema_name", NVarChar(128)),
    ("object_name", NVarChar(128)),
    ("is_part_of_encrypted_module", Bit),
    ("query_text", NVarCharMax),
];

/// Schema and name of the module, and the statement alone.
fn module(q: &Asked<'_>, template: u16, database_id: i32) -> [Value; 4] {
    let proc = TEXTS.get(usize::from(template)).and_then(|text| text.proc);
    let (schema, name) = proc.and_then(|name| name.split_once('.')).unzip();
    let handle = Handle { text: TextRef { template, variant: 0 }, database_id };
    let statement = handle.fill(q.moment).map(|filled| {
        let units: Vec<u16> = filled.text.encode_utf16().collect();
        let start = usize::try_from(filled.start / 2).unwrap_or(0).min(units.len());
        let end = usize::try_from(filled.end / 2 + 1).map_or(units.len(), |end| end.min(units.len()));
        let end = if filled.end < 0 { units.len() } else { end };
        String::from_utf16_lossy(units.get(start..end).unwrap_or_default())
    });
    [opt(schema, text), opt(name, text), Value::Bool(false), opt(statement, text)]
}

fn forced(q: &Asked<'_>) -> Table {
    let columns: Vec<_> = [
        ("database_id", Int),
        ("total_plans", Int),
        ("plan_id", BigInt),
        ("query_id", BigInt),
        ("query_plan_hash", Binary(8)),
        ("force_failure_count", BigInt),
        ("last_force_failure_reason", Int),
        ("query_hash", Binary(8)),
    ]
    .into_iter()
    .chain(MODULE)
    .collect();
    let Some(store) = asked(q) else { return Table::new(&columns) };
    let all = q.moment.forced(store.database_id);
    let total = all.len() as i64;
    let rows = all.into_iter().map(|plan| {
        let own = [
            int(store.database_id),
            int(total),
            int(plan.query * 10),
            int(plan.query),
            Value::Bytes(q.plan_hash(plan.template, 0).to_vec()),
            int(plan.failures),
            int(plan.reason),
            Value::Bytes(q.query_hash(plan.template).to_vec()),
        ];
        own.into_iter().chain(module(q, plan.template, store.database_id)).collect()
    });
    Table::new(&columns).with(rows)
}

/// The columns of a query that are numbers.
const FIGURES: [(&str, ColumnType); 20] = [
    ("database_id", Int),
    ("total_queries", Int),
    ("query_id", BigInt),
    ("plans", Int),
    ("runs", BigInt),
    ("aborted", BigInt),
    ("failed", BigInt),
    ("sum_cpu_us", Float),
    ("elapsed_us", Float),
    ("squares_us", Float),
    ("min_us", BigInt),
    ("max_us", BigInt),
    ("sum_reads", Float),
    ("physical_reads", Float),
    ("sum_writes", Float),
    ("sum_rows", Float),
    ("memory_pages", Float),
    ("before_runs", BigInt),
    ("before_cpu_us", Float),
    ("before_elapsed_us", Float),
];

/// What the queries of a database did in the stretch that is asked for.
fn stretch(q: &Asked<'_>) -> Option<(Store, Vec<Runs>, [i64; 3])> {
    let store = asked(q)?;
    let begin = |name: &str| param(q, name).map(|interval| store.begin_ms(interval));
    let (before, now, end) = (begin("@P2")?, begin("@P3")?, store.begin_ms(param(q, "@P4")? + 1));
    Some((store, q.moment.stored(store.database_id, now, end), [before, now, end]))
}

fn stored(q: &Asked<'_>) -> Table {
    let columns: Vec<_> = FIGURES.into_iter().chain([("query_hash", Binary(8))]).chain(MODULE).collect();
    let Some((store, mut all, [before, now, _])) = stretch(q) else { return Table::new(&columns) };
    all.sort_by_key(|runs| std::cmp::Reverse(runs.total.cpu_us));
    let earlier = q.moment.stored(store.database_id, before, now);
    let total = all.len() as i64;
    let most = param(q, "@P5").and_then(|n| usize::try_from(n).ok()).unwrap_or(all.len());
    let rows = all.iter().take(most).map(|runs| {
        let old =
            earlier.iter().find(|old| old.query_id == runs.query_id).map(|old| old.total).unwrap_or_default();
        let avg = runs.total.elapsed_us as f64 / runs.total.runs.max(1) as f64;
        let float = |n: i64| Value::Float(n as f64);
        let figures = [
            int(store.database_id),
            int(total),
            int(runs.query_id),
            int(1 + i64::from(runs.bad > 0 && runs.bad < runs.total.runs)),
            int(runs.total.runs),
            int(0),
            int(0),
            float(runs.total.cpu_us),
            float(runs.total.elapsed_us),
            Value::Float(avg * avg * runs.spread.mul_add(runs.spread, 1.0) * runs.total.runs as f64),
            int(avg as i64 / 3),
            int(runs.max_us.max(avg as i64)),
            float(runs.total.reads),
            float(runs.total.physical_reads),
            float(runs.total.writes),
            float(runs.total.rows),
            float(runs.total.grant_kb / 8),
            int(old.runs),
            float(old.cpu_us),
            float(old.elapsed_us),
        ];
        let hash = Value::Bytes(queries::hash(q.moment.profile, runs.template).to_vec());
        let module = module(q, runs.template, store.database_id);
        figures.into_iter().chain([hash]).chain(module).collect()
    });
    Table::new(&columns).with(rows)
}

/// A query waits for what it does not use the CPU for: disks where it reads from them, else other tasks or a lock.
fn waits(q: &Asked<'_>) -> Table {
    let columns = [
        ("database_id", Int),
        ("query_id", BigInt),
        ("wait_category_desc", NVarChar(128)),
        ("wait_ms", BigInt),
    ];
    let Some((store, all, _)) = stretch(q) else { return Table::new(&columns) };
    let rows = all.iter().flat_map(|runs| {
        let t = runs.total;
        let wait_ms = (t.elapsed_us - t.cpu_us / (t.dop / t.runs.max(1)).max(1)).max(0) / 1_000;
        let (first, second) = if t.dop > t.runs {
            ("Parallelism", "Buffer IO")
        } else if t.writes > 0 {
            ("Lock", "Tran Log IO")
        } else {
            ("Buffer IO", "CPU")
        };
        [(first, wait_ms * 2 / 3), (second, wait_ms / 3)].into_iter().filter(|(_, ms)| *ms > 0).map(
            move |(category, ms)| vec![int(store.database_id), int(runs.query_id), text(category), int(ms)],
        )
    });
    Table::new(&columns).with(rows)
}

/// A quarter of the runs of a replicated database is on its secondary replicas, where these record into the store of the primary.
fn replicas(q: &Asked<'_>) -> Table {
    let columns = [
        ("database_id", Int),
        ("query_id", BigInt),
        ("replica_group_id", BigInt),
        ("role_type", SmallInt),
        ("replica_name", NVarCharMax),
        ("runs", BigInt),
        ("sum_cpu_us", Float),
        ("elapsed_us", Float),
    ];
    let p = q.moment.profile;
    let is_told = |id: i32| {
        p.version >= Version::V2022
            && p.membership.is_some()
            && p.database(id).is_some_and(|database| database.replicated)
    };
    let Some((store, all, _)) = stretch(q).filter(|(store, ..)| is_told(store.database_id)) else {
        return Table::new(&columns);
    };
    let rows = all.iter().flat_map(|runs| {
        let t = runs.total;
        let row = move |role: i64, part: fn(i64) -> i64| {
            vec![
                int(store.database_id),
                int(runs.query_id),
                int(role),
                int(role),
                Value::Null,
                int(part(t.runs)),
                Value::Float(part(t.cpu_us) as f64),
                Value::Float(part(t.elapsed_us) as f64),
            ]
        };
        [row(1, |n| n - n / 4), row(2, |n| n / 4)]
    });
    Table::new(&columns).with(rows)
}

fn variants(q: &Asked<'_>) -> Table {
    let columns = [("database_id", Int), ("query_variant_query_id", BigInt), ("parent_query_id", BigInt)];
    let Some(store) = asked(q) else { return Table::new(&columns) };
    let rows = q
        .moment
        .variants(store.database_id)
        .into_iter()
        .map(|(variant, parent)| vec![int(store.database_id), int(variant), int(parent)]);
    Table::new(&columns).with(rows)
}

/// The query that somebody gave a hint: the second one.
fn hints(q: &Asked<'_>) -> Table {
    let columns = [
        ("database_id", Int),
        ("query_id", BigInt),
        ("hint", NVarCharMax),
        ("query_hint_failure_count", BigInt),
    ];
    let Some((store, all, _)) = stretch(q) else { return Table::new(&columns) };
    let single =
        all.iter().find(|runs| runs.query_id == crate::sim::world::query_store::number(runs.template));
    let rows = single
        .into_iter()
        .map(|runs| vec![int(store.database_id), int(runs.query_id), text("OPTION(MAXDOP 2)"), int(0)]);
    Table::new(&columns).with(rows)
}

/// Queries with a memory grant have feedback on it.
fn feedback(q: &Asked<'_>) -> Table {
    let columns = [
        ("database_id", Int),
        ("query_id", BigInt),
        ("plan_id", BigInt),
        ("feature_id", ColumnType::TinyInt),
        ("state_desc", NVarChar(120)),
    ];
    let Some((store, all, _)) = stretch(q) else { return Table::new(&columns) };
    let rows = all.iter().filter(|runs| runs.total.grant_kb > 0).map(|runs| {
        vec![
            int(store.database_id),
            int(runs.query_id),
            int(runs.query_id * 10),
            int(2),
            text("VERIFICATION_PASSED"),
        ]
    });
    Table::new(&columns).with(rows)
}

/// The plans of a query, or one by its number, the one that ran last first.
fn plans(q: &Asked<'_>) -> Table {
    let columns = [
        ("database_id", Int),
        ("plan_id", BigInt),
        ("query_id", BigInt),
        ("query_plan_hash", Binary(8)),
        ("is_forced_plan", Bit),
        ("force_failure_count", BigInt),
        ("last_force_failure_reason", Int),
        ("last_compile_start_time", DateTimeOffset(7)),
        ("last_execution_time", DateTimeOffset(7)),
        ("runs", BigInt),
        ("sum_cpu_us", Float),
        ("elapsed_us", Float),
    ];
    let Some(store) = asked(q) else { return Table::new(&columns) };
    let (query_id, plan_id) = (param(q, "@P2"), param(q, "@P3"));
    let forced = q.moment.forced(store.database_id);
    let mut all = q.moment.stored_plans(store.database_id);
    all.retain(|plan| Some(plan.query_id) == query_id || Some(plan.plan_id) == plan_id);
    all.sort_by_key(|plan| plan.idle_ms);
    let rows = all.into_iter().map(|plan| {
        let forced = forced.iter().find(|forced| forced.query == plan.query_id && plan.plan == 0);
        let ago = |ms: i64| Value::Time {
            local_ns: q.moment.local_ns(q.moment.at_ms - ms),
            offset_min: q.moment.profile.utc_offset_min,
        };
        let [runs, cpu_us, elapsed_us] = plan.ran;
        vec![
            int(store.database_id),
            int(plan.plan_id),
            int(plan.query_id),
            Value::Bytes(q.plan_hash(plan.template, plan.plan).to_vec()),
            Value::Bool(forced.is_some()),
            int(forced.map_or(0, |forced| forced.failures)),
            int(forced.map_or(0, |forced| forced.reason)),
            ago(plan.idle_ms + 1_200_000),
            ago(plan.idle_ms),
            int(runs),
            Value::Float(cpu_us as f64),
            Value::Float(elapsed_us as f64),
        ]
    });
    Table::new(&columns).with(rows)
}

/// The XML of a plan.
fn plan(q: &Asked<'_>) -> Table {
    let columns =
        [("database_id", Int), ("plan_id", BigInt), ("plan_bytes", BigInt), ("query_plan", NVarCharMax)];
    let (Some(store), Some(plan_id)) = (asked(q), param(q, "@P2")) else { return Table::new(&columns) };
    let found = q.moment.stored_plans(store.database_id).into_iter().find(|plan| plan.plan_id == plan_id);
    let rows = found.into_iter().map(|plan| {
        let handle =
            Handle { text: TextRef { template: plan.template, variant: 0 }, database_id: store.database_id };
        let xml = q.plan(handle, plan.plan, None);
        let bytes = xml.encode_utf16().count() as i64 * 2;
        vec![int(store.database_id), int(plan_id), int(bytes), text(xml)]
    });
    Table::new(&columns).with(rows)
}
