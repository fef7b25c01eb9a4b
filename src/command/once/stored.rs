//! From a snapshot to the rows of `once modules`, `querystore` and `stores`: pure, as `rows` is.

use super::rows::{Column, Scoped, grid_with_holes, names_with_holes, of_instance, squeeze};
use crate::{
    cli::What,
    command::output::{Cell, Grid},
    model::poll::{
        counts::Ran,
        modules::{ModuleRow, ModuleTable},
        query_store::{ForcedPlan, StoreRow, StoreState, StoredQuery},
    },
};

/// The rows of one of these subjects; None: it is another one.
pub fn rows(what: What, scope: Scoped<'_>) -> Option<Grid> {
    Some(match what {
        What::Modules => modules(scope),
        What::Querystore => queries(scope),
        What::Stores => stores(scope),
        _ => return None,
    })
}

/// The names of the columns of one of these subjects, for `--filter`.
pub fn columns(what: What) -> Option<Vec<&'static str>> {
    Some(match what {
        What::Modules => names_with_holes(&modules_columns()),
        What::Querystore => names_with_holes(&queries_columns()),
        What::Stores => names_with_holes(&stores_columns()),
        _ => return None,
    })
}

/// µs of a column as ms.
fn ms(us: Option<i64>) -> Cell {
    Cell::real(us.map(|us| us as f64 / 1_000.0))
}

/// A row a module, most CPU first. A kind of modules that the server does not tell of has one that says why.
fn modules(scope: Scoped<'_>) -> Grid {
    let rows = scope.iter().flat_map(|i| {
        let name = i.info.id.as_str();
        let lacking = i.facts.modules.get().into_iter().flat_map(|table| &table.lacking);
        let lacking = lacking.map(move |(kind, why)| (name, Err(format!("{}s: {why}", kind.word()))));
        of_instance(i, &i.facts.modules, |table| table.modules.iter().map(|m| (&**table, m)).collect())
            .into_iter()
            .chain(lacking)
    });
    grid_with_holes(&modules_columns(), rows)
}

/// The columns of modules.
fn modules_columns<'a>() -> [Column<(&'a ModuleTable, &'a ModuleRow)>; 14] {
    [
        ("module", |(_, m)| Cell::text(m.name.as_deref())),
        ("kind", |(_, m)| Cell::Text(m.kind.word().into())),
        ("database", |(_, m)| Cell::text(m.database.as_deref())),
        ("object_id", |(_, m)| Cell::Int(m.object_id.into())),
        ("cpu_ms_per_s", |(t, m)| Cell::real(t.cpu_ms_per_s(m))),
        ("runs_per_s", |(t, m)| Cell::real(t.of_module_per_s(m, m.runs))),
        ("avg_ms", |(_, m)| Cell::real(m.avg_ms())),
        ("min_ms", |(_, m)| ms(m.min_us)),
        ("max_ms", |(_, m)| ms(m.max_us)),
        ("reads_per_s", |(t, m)| Cell::real(t.of_module_per_s(m, m.reads))),
        ("physical_reads_per_s", |(t, m)| Cell::real(t.of_module_per_s(m, m.physical_reads))),
        ("writes_per_s", |(t, m)| Cell::real(t.of_module_per_s(m, m.writes))),
        ("plans", |(_, m)| Cell::int(m.plans)),
        ("at_least", |(_, m)| Cell::Flag(m.at_least)),
    ]
}

/// A row a query of a store, most CPU first. A database that could not be read has one that says why.
fn queries(scope: Scoped<'_>) -> Grid {
    let rows = scope.iter().flat_map(|i| {
        let name = i.info.id.as_str();
        let unread = i.facts.query_store.get().into_iter().flat_map(|table| &table.stores);
        let unread = unread.filter_map(move |store| {
            let problem = store.problem.as_deref()?;
            let database = store.database.as_deref().unwrap_or("a database without a name");
            Some((name, Err(format!("{database}: {problem}"))))
        });
        of_instance(i, &i.facts.query_store, |table| table.queries.iter().collect()).into_iter().chain(unread)
    });
    grid_with_holes(&queries_columns(), rows)
}

/// The columns of queries of a store.
fn queries_columns<'a>() -> [Column<&'a StoredQuery>; 32] {
    [
        ("database", |q| Cell::text(q.database.as_deref())),
        ("query_id", |q| Cell::Int(q.query_id)),
        ("query_hash", |q| Cell::text(q.hash.map(|hash| format!("0x{hash:016X}")).as_deref())),
        ("cpu_ms_per_s", |q| Cell::real(q.cpu_ms_per_s())),
        ("runs", |q| Cell::int(q.now.runs)),
        ("avg_ms", |q| Cell::real(q.avg_ms())),
        ("avg_before_ms", |q| Cell::real(q.before.avg_ms())),
        ("times_slower", |q| Cell::real(q.slower())),
        ("lost_ms", |q| Cell::real(q.lost_ms())),
        ("regressed", |q| Cell::Flag(q.is_regressed())),
        ("varying", |q| Cell::Flag(q.is_varying())),
        ("min_ms", |q| ms(q.min_us)),
        ("max_ms", |q| ms(q.max_us)),
        ("deviation_ms", |q| ms(q.stdev_us)),
        ("aborted", |q| Cell::int(q.aborted)),
        ("failed", |q| Cell::int(q.failed)),
        ("reads_per_s", |q| Cell::real(q.per_s(q.reads))),
        ("physical_reads_per_s", |q| Cell::real(q.per_s(q.physical_reads))),
        ("writes_per_s", |q| Cell::real(q.per_s(q.writes))),
        ("rows_per_run", |q| Cell::real(q.per_run(q.rows))),
        ("memory_kb_per_run", |q| Cell::real(q.per_run(q.memory_kb))),
        ("waits_for", |q| Cell::text(q.waits.first().map(|(category, _)| &**category))),
        ("plans", |q| Cell::int(q.plans)),
        ("variants", |q| Cell::Int(q.variants.into())),
        ("forced_plan_id", |q| Cell::int(q.forced.as_ref().map(|plan| plan.plan_id))),
        ("force_failures", |q| Cell::int(q.forced.as_ref().and_then(|plan| plan.failures))),
        ("force_failure_reason", |q| Cell::text(q.forced.as_ref().and_then(ForcedPlan::reason_words))),
        ("hint", |q| Cell::text(q.hint.as_deref())),
        ("feedback", |q| Cell::text(q.feedback.as_deref())),
        ("replicas", |q| Cell::text(replicas(q).as_deref())),
        ("module", |q| Cell::text(q.module.as_deref())),
        ("statement", |q| Cell::text(q.statement.as_ref().map(|s| squeeze(s.as_str())).as_deref())),
    ]
}

/// `primary 900, secondary 300`: the runs on each replica.
fn replicas(query: &StoredQuery) -> Option<String> {
    let told = query.replicas.iter().map(|replica| {
        let runs = replica.runs.runs.map_or_else(|| "?".to_owned(), |runs| runs.to_string());
        let name = replica.name.as_deref().map_or_else(String::new, |name| format!(" {name}"));
        format!("{}{name} {runs}", replica.role_words())
    });
    (!query.replicas.is_empty()).then(|| told.collect::<Vec<_>>().join(", "))
}

/// A row a store.
fn stores(scope: Scoped<'_>) -> Grid {
    let rows = scope
        .iter()
        .flat_map(|i| of_instance(i, &i.facts.query_store, |table| table.stores.iter().collect()));
    grid_with_holes(&stores_columns(), rows)
}

/// The columns of stores.
fn stores_columns<'a>() -> [Column<&'a StoreRow>; 13] {
    [
        ("database", |s| Cell::text(s.database.as_deref())),
        ("state", |s| Cell::text(s.state().map(StoreState::words))),
        ("readonly_reason", |s| Cell::text(s.why_words().as_deref())),
        ("size_mb", |s| Cell::int(s.size_mb)),
        ("cap_mb", |s| Cell::int(s.cap_mb)),
        ("used_pct", |s| Cell::real(s.used_pct())),
        ("captures", |s| Cell::text(s.capture.as_deref())),
        ("cleans_up", |s| Cell::text(s.cleanup.as_deref())),
        ("interval_min", |s| Cell::int(s.interval_min)),
        ("queries", |s| Cell::int(s.total)),
        ("forced", |s| Cell::int(s.forced)),
        ("failing", |s| Cell::int(s.failing)),
        ("not_read", |s| Cell::text(s.problem.as_deref())),
    ]
}
