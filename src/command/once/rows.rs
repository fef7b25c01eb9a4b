//! From a snapshot to the rows of `once`: one function a subject, pure.

use crate::app::attach::heartbeat::{Heartbeat, StoreFigures};
use crate::command::output::{Cell, Grid, PROBLEM};
use crate::model::{
    base::{time::Timestamp, zone::Zone},
    fold::snapshot::{FleetSnapshot, InstanceSnapshot},
    poll::{
        activity::Request,
        blocking::{BlockNode, Blocking, Chain},
        cost::CostNow,
        counts::{Measure, Ran},
        properties::Properties,
        queries::{QueryRow, QueryTable},
        reading::{Reading, Unavailable},
        resource::Resource,
        statement::Statement,
        waits::WaitRate,
    },
};

/// A column of rows that are made from `R`: its name and its cell.
pub(super) type Column<R> = (&'static str, fn(&R) -> Cell);

/// The first column of every subject.
const INSTANCE: &str = "instance";

pub(super) fn names<R>(columns: &[Column<R>]) -> Vec<&'static str> {
    columns.iter().map(|(name, _)| *name).collect()
}

pub(super) fn names_with_holes<R>(columns: &[Column<R>]) -> Vec<&'static str> {
    [&[INSTANCE], names(columns).as_slice(), &[PROBLEM]].concat()
}

fn grid<R>(columns: &[Column<R>], rows: impl IntoIterator<Item = R>) -> Grid {
    let cells = |row: R| columns.iter().map(|(_, cell)| cell(&row)).collect();
    Grid { columns: names(columns), rows: rows.into_iter().map(cells).collect() }
}

/// Rows of instances. An instance without a value has one row that says why.
pub(super) fn grid_with_holes<'a, R>(
    columns: &[Column<R>],
    rows: impl IntoIterator<Item = (&'a str, Result<R, String>)>,
) -> Grid {
    let cells = |(instance, row): (&str, Result<R, String>)| {
        let mut cells = vec![Cell::Text(instance.to_owned())];
        cells.extend(columns.iter().map(|(_, cell)| row.as_ref().map_or(Cell::text(None), cell)));
        cells.push(row.err().map_or(Cell::text(None), Cell::Text));
        cells
    };
    Grid { columns: names_with_holes(columns), rows: rows.into_iter().map(cells).collect() }
}

/// Why a reading has no value: its problem in words.
fn problem<T>(reading: &Reading<T>) -> Option<String> {
    reading.problem.as_ref().map(ToString::to_string)
}

/// The same as a whole sentence, for a column of its own: the attempt, the answer, what to do next.
fn told<T>(reading: &Reading<T>) -> Option<String> {
    match &reading.problem {
        Some(Unavailable::Failed(failure)) => Some(failure.to_string()),
        _ => problem(reading),
    }
}

/// The instances of the scope.
pub type Scoped<'a> = &'a [&'a InstanceSnapshot];

/// All instances, worst first, as on the screen. Every subject has its rows in this order.
pub fn worst_first(snapshot: &FleetSnapshot) -> Vec<&InstanceSnapshot> {
    let mut order: Vec<&InstanceSnapshot> = snapshot.instances.iter().map(AsRef::as_ref).collect();
    order.sort_by(|a, b| a.worst_first(b));
    order
}

/// A row an instance.
pub fn fleet(scope: Scoped<'_>, snapshot: &FleetSnapshot, zone: &Zone) -> Grid {
    grid(&fleet_columns(), scope.iter().map(|i| (*i, snapshot.at, zone)))
}

pub(super) fn fleet_columns<'a>() -> [Column<(&'a InstanceSnapshot, Timestamp, &'a Zone)>; 13] {
    [
        (INSTANCE, |(i, _, _)| Cell::Text(i.info.id.to_string())),
        ("level", |(i, _, _)| Cell::Text(i.health.level.word().into())),
        ("score", |(i, _, _)| Cell::int(i.health.score.map(i64::from))),
        ("why", |(i, _, zone)| {
            let reasons = i.health.reasons.iter().map(|reason| reason.told_alone(zone));
            Cell::Text(reasons.collect::<Vec<_>>().join("; "))
        }),
        ("cpu_pct", |(i, _, _)| of(&i.facts.headline, |h| Cell::real(h.cpu_pct))),
        ("batches_per_s", |(i, _, _)| of(&i.facts.headline, |h| Cell::real(h.batches_per_s))),
        ("waits_ms_per_s", |(i, _, _)| of(&i.facts.waits, |w| Cell::real(Some(w.total_ms_per_s)))),
        ("top_wait", |(i, _, _)| {
            of(&i.facts.waits, |w| Cell::text(w.categories.first().map(|c| c.category.name())))
        }),
        ("blocked", |(i, _, _)| of(&i.facts.headline, |h| Cell::int(h.blocked))),
        ("page_life_s", |(i, _, _)| of(&i.facts.headline, |h| Cell::int(h.page_life_s))),
        ("version", |(i, _, _)| of(&i.facts.properties, |p| Cell::Text(version(p)))),
        ("age_s", |(i, now, _)| Cell::real(i.facts.last_good_at.map(|at| now.ms_since(at) as f64 / 1000.0))),
        (PROBLEM, |(i, _, _)| Cell::text(problems(i).as_deref())),
    ]
}

/// Why cells of the row are not known, each reason once.
fn problems(i: &InstanceSnapshot) -> Option<String> {
    let mut all: Vec<String> = [told(&i.facts.headline), told(&i.facts.waits), told(&i.facts.properties)]
        .into_iter()
        .flatten()
        .collect();
    all.dedup();
    (!all.is_empty()).then(|| all.join("; "))
}

/// A part of a reading, or why it is not known.
fn of<T>(reading: &Reading<T>, part: impl FnOnce(&T) -> Cell) -> Cell {
    reading.get().map_or(Cell::text(None), part).because(problem(reading).as_deref())
}

/// `2019 CU27`.
fn version(p: &Properties) -> String {
    let year = p.year().map_or_else(|| p.version.as_deref().unwrap_or("?").to_owned(), |y| y.to_string());
    match p.update_level.as_deref().or(p.level.as_deref()) {
        Some(level) => format!("{year} {level}"),
        None => year,
    }
}

/// The rows of one instance: those that `rows` makes from the reading, or one that says why there is none.
pub(super) fn of_instance<'a, T, R>(
    instance: &'a InstanceSnapshot,
    reading: &'a Reading<T>,
    rows: impl FnOnce(&'a T) -> Vec<R>,
) -> Vec<(&'a str, Result<R, String>)> {
    let name = instance.info.id.as_str();
    match reading.get() {
        Some(value) => rows(value).into_iter().map(|row| (name, Ok(row))).collect(),
        None => vec![(name, Err(told(reading).unwrap_or_else(|| "not polled yet".into())))],
    }
}

/// A row a request, longest first; an instance without any reading has one row that says why.
pub fn activity(scope: Scoped<'_>) -> Grid {
    let rows = scope.iter().flat_map(|i| of_instance(i, &i.facts.activity, |a| a.requests.iter().collect()));
    grid_with_holes(&activity_columns(), rows)
}

pub(super) fn activity_columns<'a>() -> [Column<&'a Request>; 20] {
    [
        ("session_id", |r| Cell::Int(r.session_id.into())),
        ("status", |r| Cell::text(r.status.as_deref())),
        ("elapsed_ms", |r| Cell::int(r.elapsed_ms)),
        ("command", |r| Cell::text(r.command.as_deref())),
        ("database", |r| Cell::text(r.database.as_deref())),
        ("login", |r| Cell::text(r.login.as_deref())),
        ("host", |r| Cell::text(r.host.as_deref())),
        ("program", |r| Cell::text(r.job.as_deref().or(r.program.as_deref()))),
        ("wait_type", |r| Cell::text(r.wait_type.as_deref())),
        ("wait_ms", |r| Cell::int(r.wait_ms)),
        ("wait_resource", |r| Cell::text(r.wait_resource.as_deref())),
        ("blocked_by", |r| Cell::int(r.blocked_by.map(i64::from))),
        ("blocks", |r| Cell::Int(r.blocks.into())),
        ("cpu_ms", |r| Cell::int(r.cpu_ms)),
        ("logical_reads", |r| Cell::int(r.logical_reads)),
        ("writes", |r| Cell::int(r.writes)),
        ("grant_kb", |r| Cell::int(r.grant.and_then(|g| g.granted_kb))),
        ("open_transactions", |r| Cell::int(r.open_transactions.map(i64::from))),
        ("percent", |r| Cell::real(r.percent)),
        ("statement", |r| statement(r.statement.as_ref())),
    ]
}

/// A row a wait type that counts, heaviest first.
pub fn waits(scope: Scoped<'_>) -> Grid {
    let count = |w: &&WaitRate| !w.benign;
    let rows =
        scope.iter().flat_map(|i| of_instance(i, &i.facts.waits, |w| w.types.iter().filter(count).collect()));
    grid_with_holes(&waits_columns(), rows)
}

pub(super) fn waits_columns<'a>() -> [Column<&'a WaitRate>; 8] {
    [
        ("wait_type", |w| Cell::Text(w.name.to_string())),
        ("category", |w| Cell::Text(w.category.name().into())),
        ("ms_per_s", |w| Cell::Real(w.ms_per_s)),
        ("signal_ms_per_s", |w| Cell::Real(w.signal_ms_per_s)),
        ("waits_per_s", |w| Cell::Real(w.tasks_per_s)),
        ("avg_ms", |w| Cell::real(w.avg_ms)),
        ("max_ms", |w| Cell::Int(w.max_ms)),
        ("poison", |w| Cell::Flag(w.poison)),
    ]
}

/// A row a session of a chain, in tree order.
pub fn blocking(scope: Scoped<'_>) -> Grid {
    let rows = scope.iter().flat_map(|i| of_instance(i, &i.facts.blocking, |b| sessions(b)));
    grid_with_holes(&blocking_columns(), rows)
}

/// The sessions of all chains, each with the number of its chain.
fn sessions(blocking: &Blocking) -> Vec<Blocker<'_>> {
    let numbered = blocking.chains.iter().zip(1..);
    numbered.flat_map(|(chain, n)| chain.nodes.iter().map(move |node| (n, chain, node))).collect()
}

/// A session of a chain: the number of the chain, the chain, the session.
type Blocker<'a> = (usize, &'a Chain, &'a BlockNode);

pub(super) fn blocking_columns<'a>() -> [Column<Blocker<'a>>; 16] {
    [
        ("chain", |(chain, ..)| Cell::Int(*chain as i64)),
        ("depth", |(_, _, n)| Cell::Int(n.depth.into())),
        ("session_id", |(_, _, n)| Cell::Int(n.request.session_id.into())),
        ("blocked_by", |(_, _, n)| Cell::int(n.request.blocked_by.map(i64::from))),
        ("victims", |(_, _, n)| Cell::Int(n.victims.into())),
        // Of the head: since when somebody waits behind it.
        ("blocking_ms", |(_, chain, n)| Cell::int((n.depth == 0).then_some(chain.max_wait_ms))),
        ("status", |(_, _, n)| Cell::text(n.request.status.as_deref())),
        ("wait_type", |(_, _, n)| Cell::text(n.request.wait_type.as_deref())),
        ("wait_ms", |(_, _, n)| Cell::int(n.request.wait_ms)),
        ("resource", |(_, _, n)| Cell::text(n.resource.as_ref().map(resource).as_deref())),
        ("held_mode", |(_, _, n)| Cell::text(n.resource.as_ref().and_then(|x| x.held_mode.as_deref()))),
        ("login", |(_, _, n)| Cell::text(n.request.login.as_deref())),
        ("host", |(_, _, n)| Cell::text(n.request.host.as_deref())),
        ("program", |(_, _, n)| Cell::text(n.request.job.as_deref().or(n.request.program.as_deref()))),
        ("open_transactions", |(_, _, n)| Cell::int(n.request.open_transactions.map(i64::from))),
        ("statement", |(_, _, n)| statement(n.statement.as_ref())),
    ]
}

fn resource(x: &Resource) -> String {
    let parts = [Some(&x.kind), x.database.as_ref(), x.object.as_ref(), x.detail.as_ref()];
    parts.into_iter().flatten().map(|p| &**p).collect::<Vec<_>>().join(" ")
}

/// A row a query, most CPU first.
pub fn queries(scope: Scoped<'_>) -> Grid {
    let rows = scope.iter().flat_map(|i| {
        of_instance(i, &i.facts.queries, |table| table.queries.iter().map(|q| (&**table, q)).collect())
    });
    grid_with_holes(&queries_columns(), rows)
}

pub(super) fn queries_columns<'a>() -> [Column<(&'a QueryTable, &'a QueryRow)>; 31] {
    const US: f64 = 1_000.0;
    [
        ("query_hash", |(_, q)| Cell::Text(format!("0x{:016X}", q.hash))),
        ("cpu_ms_per_s", |(t, q)| Cell::real(t.cpu_ms_per_s(q))),
        ("share_cpu_pct", |(t, q)| Cell::real(t.share_pct(q, Measure::Cpu))),
        ("runs_per_s", |(t, q)| Cell::real(t.of_query_per_s(q, q.runs))),
        ("avg_ms", |(_, q)| Cell::real(q.avg_ms())),
        ("min_ms", |(_, q)| Cell::real(q.min_us.map(|us| us as f64 / US))),
        ("max_ms", |(_, q)| Cell::real(q.max_us.map(|us| us as f64 / US))),
        ("reads_per_s", |(t, q)| Cell::real(t.of_query_per_s(q, q.reads))),
        ("physical_reads_per_s", |(t, q)| Cell::real(t.of_query_per_s(q, q.physical_reads))),
        ("writes_per_s", |(t, q)| Cell::real(t.of_query_per_s(q, q.writes))),
        ("rows_per_run", |(_, q)| Cell::real(q.per_run(q.rows))),
        ("grant_kb_per_run", |(_, q)| Cell::real(q.per_run(q.grant_kb))),
        ("used_kb_per_run", |(_, q)| Cell::real(q.per_run(q.used_kb))),
        ("spilled_pages_per_s", |(t, q)| Cell::real(t.of_query_per_s(q, q.spills))),
        ("share_runs_pct", |(t, q)| Cell::real(t.share_pct(q, Measure::Runs))),
        ("share_duration_pct", |(t, q)| Cell::real(t.share_pct(q, Measure::Elapsed))),
        ("share_reads_pct", |(t, q)| Cell::real(t.share_pct(q, Measure::Reads))),
        ("share_physical_reads_pct", |(t, q)| Cell::real(t.share_pct(q, Measure::PhysicalReads))),
        ("share_writes_pct", |(t, q)| Cell::real(t.share_pct(q, Measure::Writes))),
        ("share_rows_pct", |(t, q)| Cell::real(t.share_pct(q, Measure::Rows))),
        ("share_grant_pct", |(t, q)| Cell::real(t.share_pct(q, Measure::Grant))),
        ("share_spilled_pages_pct", |(t, q)| Cell::real(t.share_pct(q, Measure::Spills))),
        ("dop", |(_, q)| Cell::real(q.per_run(q.dop))),
        ("plans", |(_, q)| Cell::int(q.plans)),
        ("plan_hash", |(_, q)| Cell::text(q.plan_hash.map(|hash| format!("0x{hash:016X}")).as_deref())),
        ("plan_changed", |(_, q)| Cell::Flag(q.old_plan_hash.is_some())),
        ("at_least", |(_, q)| Cell::Flag(q.at_least)),
        ("database", |(_, q)| Cell::text(q.database.as_deref())),
        ("other_databases", |(_, q)| other_databases(q)),
        ("module", |(_, q)| Cell::text(q.module.as_deref())),
        ("statement", |(_, q)| statement(q.statement.as_ref())),
    ]
}

/// The subject of one row of the cost.
pub(super) enum Costs<'a> {
    /// an instance that is watched
    Instance(&'a InstanceSnapshot),
    /// a process of ours
    Process { name: &'static str, cpu_pct: f64, rss_bytes: u64, store: Option<&'a StoreFigures> },
}

/// The cost of dbtop: a row for each instance, then one for this process, and one for this fleet's collector if one runs, which
/// owns the store.
pub fn cost(scope: Scoped<'_>, snapshot: &FleetSnapshot, collector: Option<&Heartbeat>) -> Grid {
    let own = &snapshot.collector;
    let here = Costs::Process {
        name: "(this process)",
        cpu_pct: own.process_cpu_pct.into(),
        rss_bytes: own.process_rss_bytes,
        store: None,
    };
    let collector = collector.map(|beat| Costs::Process {
        name: "(collector)",
        cpu_pct: beat.process.cpu_pct.into(),
        rss_bytes: beat.process.rss_bytes,
        store: beat.store.as_ref(),
    });
    let instances = scope.iter().map(|i| Costs::Instance(i));
    grid(&cost_columns(), instances.chain([here]).chain(collector))
}

pub(super) fn cost_columns<'a>() -> [Column<Costs<'a>>; 12] {
    [
        (INSTANCE, |c| match c {
            Costs::Instance(i) => Cell::Text(i.info.id.to_string()),
            Costs::Process { name, .. } => Cell::Text((*name).to_owned()),
        }),
        ("cpu_ms_per_s", |c| Cell::real(c.of_instance().and_then(|c| c.cpu_ms_per_s))),
        ("reads_per_s", |c| Cell::real(c.of_instance().and_then(|c| c.reads_per_s))),
        ("cpu_ms_total", |c| Cell::int(c.of_instance().and_then(|c| c.cpu_ms_total))),
        ("round_trip_ms", |c| match c {
            Costs::Instance(i) => Cell::int(i.facts.headline.get().map(|h| h.round_trip_ms.into())),
            Costs::Process { .. } => Cell::text(None),
        }),
        ("process_cpu_pct", |c| Cell::real(c.of_process().map(|(cpu_pct, _)| cpu_pct))),
        ("process_rss_kb", |c| Cell::int(c.of_process().map(|(_, rss_bytes)| (rss_bytes / 1024) as i64))),
        ("store_rows_per_s", |c| Cell::real(c.of_store().map(|s| s.rows_per_s))),
        ("store_lag_ms", |c| Cell::int(c.of_store().map(|s| s.lag_ms as i64))),
        ("store_lost", |c| Cell::int(c.of_store().map(|s| s.samples_lost as i64))),
        ("store_size_kb", |c| Cell::int(c.of_store().map(|s| (s.size_bytes / 1024) as i64))),
        (PROBLEM, |c| match c {
            Costs::Instance(i) => Cell::text(told(&i.facts.cost).as_deref()),
            Costs::Process { store, .. } => Cell::text(store.and_then(|s| s.problem.as_deref())),
        }),
    ]
}

impl<'a> Costs<'a> {
    fn of_instance(&self) -> Option<&'a CostNow> {
        match self {
            Self::Instance(i) => i.facts.cost.get(),
            Self::Process { .. } => None,
        }
    }

    /// CPU in percent and memory in bytes. Unknown where the system does not tell.
    const fn of_process(&self) -> Option<(f64, u64)> {
        match self {
            Self::Process { cpu_pct, rss_bytes, .. } if *rss_bytes > 0 => Some((*cpu_pct, *rss_bytes)),
            _ => None,
        }
    }

    const fn of_store(&self) -> Option<&'a StoreFigures> {
        match self {
            Self::Process { store, .. } => *store,
            Self::Instance(_) => None,
        }
    }
}

/// Databases of a query but that of its newest plan.
pub(super) fn other_databases(query: &QueryRow) -> Cell {
    Cell::text(Some(query.other_databases.join(", ")).filter(|names| !names.is_empty()).as_deref())
}

pub(super) fn statement(s: Option<&Statement>) -> Cell {
    Cell::text(s.map(|s| squeeze(s.as_str())).as_deref())
}

/// One line, at most 400 characters: enough to know a statement by.
pub(super) fn squeeze(sql: &str) -> String {
    crate::sql::normalize::squeeze(sql, 400)
}
