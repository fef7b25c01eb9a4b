//! From a snapshot to the rows of `once`: one function a subject, pure.

use crate::command::output::{Cell, Grid, PROBLEM};
use crate::model::{
    fold::snapshot::{FleetSnapshot, InstanceSnapshot},
    judge::health::Level,
    poll::{
        activity::Request,
        blocking::BlockNode,
        reading::{Reading, Unavailable},
    },
};
use crate::{
    cli::What,
    command::collect::heartbeat::{Heartbeat, StoreFigures},
};

/// The word for a level, as exit codes and JSON use it.
pub const fn level_word(level: Level) -> &'static str {
    match level {
        Level::Ok => "ok",
        Level::Unknown => "unknown",
        Level::Warning => "warning",
        Level::Critical => "critical",
        Level::Offline => "offline",
    }
}

/// The columns of each subject: what `--filter` may name.
pub const fn columns(what: What) -> &'static [&'static str] {
    match what {
        What::Fleet => &FLEET,
        What::Activity => &ACTIVITY,
        What::Waits => &WAITS,
        What::Blocking => &BLOCKING,
        What::Cost => &COST,
    }
}

/// Why a reading has no value: its problem in words.
fn problem<T>(reading: &Reading<T>) -> Option<String> {
    reading.problem.as_ref().map(ToString::to_string)
}

/// The same in a whole sentence, for a column of its own: what was tried, what came back, what to do.
fn told<T>(reading: &Reading<T>) -> Option<String> {
    match &reading.problem {
        Some(Unavailable::Failed(failure)) => Some(failure.to_string()),
        _ => problem(reading),
    }
}

/// The instances of the scope.
pub type Scoped<'a> = &'a [&'a InstanceSnapshot];

/// A row an instance, worst first.
pub fn fleet(scope: Scoped<'_>, snapshot: &FleetSnapshot) -> Grid {
    let mut order: Vec<&InstanceSnapshot> = scope.to_vec();
    order.sort_by(|a, b| {
        let rank = |i: &InstanceSnapshot| (std::cmp::Reverse(i.health.level), i.health.score.unwrap_or(101));
        rank(a).cmp(&rank(b)).then_with(|| a.info.id.cmp(&b.info.id))
    });
    let rows = order.into_iter().map(|i| fleet_row(i, snapshot)).collect();
    Grid { columns: FLEET.to_vec(), rows }
}

const FLEET: [&str; 12] = [
    "instance",
    "level",
    "score",
    "why",
    "cpu_pct",
    "batches_per_s",
    "waits_ms_per_s",
    "top_wait",
    "blocked",
    "page_life_s",
    "version",
    "age_s",
];

fn fleet_row(i: &InstanceSnapshot, snapshot: &FleetSnapshot) -> Vec<Cell> {
    let f = &i.facts;
    let head = f.headline.get();
    let why = problem(&f.headline);
    let why = why.as_deref();
    let waits = f.waits.get();
    let no_waits = problem(&f.waits);
    let version = f.properties.get().map(|p| {
        let year = p.year().map_or_else(|| p.version.as_deref().unwrap_or("?").to_owned(), |y| y.to_string());
        match p.update_level.as_deref().or(p.level.as_deref()) {
            Some(level) => format!("{year} {level}"),
            None => year,
        }
    });
    vec![
        Cell::Text(i.info.id.to_string()),
        Cell::Text(level_word(i.health.level).into()),
        Cell::int(i.health.score.map(i64::from)),
        Cell::Text(i.health.reasons.iter().map(|r| &*r.text).collect::<Vec<_>>().join("; ")),
        Cell::real(head.and_then(|h| h.cpu_pct)).because(why),
        Cell::real(head.and_then(|h| h.batches_per_s)).because(why),
        Cell::real(waits.map(|w| w.total_ms_per_s)).because(no_waits.as_deref()),
        Cell::text(waits.and_then(|w| w.categories.first()).map(|c| c.category.name()))
            .because(no_waits.as_deref()),
        Cell::int(head.and_then(|h| h.blocked)).because(why),
        Cell::int(head.and_then(|h| h.page_life_s)).because(why),
        Cell::text(version.as_deref()).because(problem(&f.properties).as_deref()),
        Cell::real(f.last_good_at.map(|at| snapshot.at.ms_since(at) as f64 / 1000.0)),
    ]
}

/// A row a request, longest first; an instance without any reading gives one row that says why.
pub fn activity(scope: Scoped<'_>) -> Grid {
    let mut rows = Vec::new();
    for i in scope {
        let name = i.info.id.as_str();
        match i.facts.activity.get() {
            Some(a) => rows.extend(a.requests.iter().map(|r| request_row(name, r))),
            None => rows.push(hole(name, told(&i.facts.activity), ACTIVITY.len())),
        }
    }
    Grid { columns: ACTIVITY.to_vec(), rows }
}

const ACTIVITY: [&str; 22] = [
    "instance",
    "session_id",
    "status",
    "elapsed_ms",
    "command",
    "database",
    "login",
    "host",
    "program",
    "wait_type",
    "wait_ms",
    "wait_resource",
    "blocked_by",
    "blocks",
    "cpu_ms",
    "logical_reads",
    "writes",
    "grant_kb",
    "open_transactions",
    "percent",
    "statement",
    PROBLEM,
];

fn request_row(instance: &str, r: &Request) -> Vec<Cell> {
    vec![
        Cell::Text(instance.into()),
        Cell::Int(r.session_id.into()),
        Cell::text(r.status.as_deref()),
        Cell::int(r.elapsed_ms),
        Cell::text(r.command.as_deref()),
        Cell::text(r.database.as_deref()),
        Cell::text(r.login.as_deref()),
        Cell::text(r.host.as_deref()),
        Cell::text(r.job.as_deref().or(r.program.as_deref())),
        Cell::text(r.wait_type.as_deref()),
        Cell::int(r.wait_ms),
        Cell::text(r.wait_resource.as_deref()),
        Cell::int(r.blocked_by.map(i64::from)),
        Cell::Int(r.blocks.into()),
        Cell::int(r.cpu_ms),
        Cell::int(r.logical_reads),
        Cell::int(r.writes),
        Cell::int(r.grant.and_then(|g| g.granted_kb)),
        Cell::int(r.open_transactions.map(i64::from)),
        Cell::real(r.percent),
        Cell::text(r.statement.as_ref().map(|s| squeeze(s.as_str())).as_deref()),
        Cell::text(None),
    ]
}

/// A row a wait type that counts, heaviest first.
pub fn waits(scope: Scoped<'_>) -> Grid {
    let mut rows = Vec::new();
    for i in scope {
        let name = i.info.id.as_str();
        let Some(table) = i.facts.waits.get() else {
            rows.push(hole(name, told(&i.facts.waits), WAITS.len()));
            continue;
        };
        rows.extend(table.types.iter().filter(|w| !w.benign).map(|w| {
            vec![
                Cell::Text(name.into()),
                Cell::Text(w.name.to_string()),
                Cell::Text(w.category.name().into()),
                Cell::Real(w.ms_per_s),
                Cell::Real(w.signal_ms_per_s),
                Cell::Real(w.tasks_per_s),
                Cell::real(w.avg_ms),
                Cell::Int(w.max_ms),
                Cell::Flag(w.poison),
                Cell::text(None),
            ]
        }));
    }
    Grid { columns: WAITS.to_vec(), rows }
}

const WAITS: [&str; 10] = [
    "instance",
    "wait_type",
    "category",
    "ms_per_s",
    "signal_ms_per_s",
    "waits_per_s",
    "avg_ms",
    "max_ms",
    "poison",
    PROBLEM,
];

/// A row a session of a chain, in tree order.
pub fn blocking(scope: Scoped<'_>) -> Grid {
    let mut rows = Vec::new();
    for i in scope {
        let name = i.info.id.as_str();
        match i.facts.blocking.get() {
            Some(b) => {
                for (n, chain) in b.chains.iter().enumerate() {
                    rows.extend(chain.nodes.iter().map(|node| node_row(name, n, node)));
                }
            }
            None => rows.push(hole(name, told(&i.facts.blocking), BLOCKING.len())),
        }
    }
    Grid { columns: BLOCKING.to_vec(), rows }
}

const BLOCKING: [&str; 17] = [
    "instance",
    "chain",
    "depth",
    "session_id",
    "blocked_by",
    "victims",
    "status",
    "wait_type",
    "wait_ms",
    "resource",
    "held_mode",
    "login",
    "host",
    "program",
    "open_transactions",
    "statement",
    PROBLEM,
];

fn node_row(instance: &str, chain: usize, n: &BlockNode) -> Vec<Cell> {
    let r = &n.request;
    let resource = n.resource.as_ref().map(|x| {
        let parts = [Some(&x.kind), x.database.as_ref(), x.object.as_ref(), x.detail.as_ref()];
        parts.into_iter().flatten().map(|p| &**p).collect::<Vec<_>>().join(" ")
    });
    vec![
        Cell::Text(instance.into()),
        Cell::Int(chain as i64 + 1),
        Cell::Int(n.depth.into()),
        Cell::Int(r.session_id.into()),
        Cell::int(r.blocked_by.map(i64::from)),
        Cell::Int(n.victims.into()),
        Cell::text(r.status.as_deref()),
        Cell::text(r.wait_type.as_deref()),
        Cell::int(r.wait_ms),
        Cell::text(resource.as_deref()),
        Cell::text(n.resource.as_ref().and_then(|x| x.held_mode.as_deref())),
        Cell::text(r.login.as_deref()),
        Cell::text(r.host.as_deref()),
        Cell::text(r.job.as_deref().or(r.program.as_deref())),
        Cell::int(r.open_transactions.map(i64::from)),
        Cell::text(n.statement.as_ref().map(|s| squeeze(s.as_str())).as_deref()),
        Cell::text(None),
    ]
}

/// What dbtop cost: a row an instance, then one for this process, and one for the collector of this fleet if one runs: that one
/// has the store.
pub fn cost(scope: Scoped<'_>, snapshot: &FleetSnapshot, collector: Option<&Heartbeat>) -> Grid {
    let mut rows: Vec<Vec<Cell>> = scope.iter().map(|i| cost_of(i)).collect();
    let own = &snapshot.collector;
    rows.push(cost_here("(this process)", own.process_cpu_pct.into(), own.process_rss_bytes, None));
    if let Some(beat) = collector {
        let (cpu_pct, rss_bytes) = (beat.process.cpu_pct.into(), beat.process.rss_bytes);
        rows.push(cost_here("(collector)", cpu_pct, rss_bytes, beat.store.as_ref()));
    }
    Grid { columns: COST.to_vec(), rows }
}

fn cost_of(i: &InstanceSnapshot) -> Vec<Cell> {
    let c = i.facts.cost.get();
    let why = told(&i.facts.cost);
    let mut cells = vec![
        Cell::Text(i.info.id.to_string()),
        Cell::real(c.and_then(|c| c.cpu_ms_per_s)),
        Cell::real(c.and_then(|c| c.reads_per_s)),
        Cell::int(c.and_then(|c| c.cpu_ms_total)),
        Cell::int(i.facts.headline.get().map(|h| h.round_trip_ms.into())),
    ];
    cells.resize_with(COST.len() - 1, || Cell::text(None));
    cells.push(Cell::text(why.as_deref()));
    cells
}

/// A process of ours. It has no memory where the system does not tell.
fn cost_here(name: &str, cpu_pct: f64, rss_bytes: u64, store: Option<&StoreFigures>) -> Vec<Cell> {
    let told = rss_bytes > 0;
    let mut cells = vec![Cell::Text(name.into())];
    cells.resize_with(5, || Cell::text(None));
    cells.extend([
        Cell::real(told.then_some(cpu_pct)),
        Cell::int(told.then_some((rss_bytes / 1024) as i64)),
        Cell::real(store.map(|s| s.rows_per_s)),
        Cell::int(store.map(|s| s.lag_ms as i64)),
        Cell::int(store.map(|s| s.samples_lost as i64)),
        Cell::int(store.map(|s| (s.size_bytes / 1024) as i64)),
        Cell::text(store.and_then(|s| s.problem.as_deref())),
    ]);
    cells
}

const COST: [&str; 12] = [
    "instance",
    "cpu_ms_per_s",
    "reads_per_s",
    "cpu_ms_total",
    "round_trip_ms",
    "process_cpu_pct",
    "process_rss_kb",
    "store_rows_per_s",
    "store_lag_ms",
    "store_lost",
    "store_size_kb",
    PROBLEM,
];

/// An instance without a value: its name, and why.
fn hole(instance: &str, why: Option<String>, columns: usize) -> Vec<Cell> {
    let why = why.unwrap_or_else(|| "not polled yet".into());
    let mut row = vec![Cell::Unknown(String::new()); columns];
    row[0] = Cell::Text(instance.into());
    row[columns - 1] = Cell::Text(why);
    row
}

/// One line, at most 400 characters: enough to know a statement by.
fn squeeze(sql: &str) -> String {
    crate::sql::normalize::squeeze(sql, 400)
}
