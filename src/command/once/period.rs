//! `dbtop once queries --from`: what queries cost between two times, out of history or a recording; with `--beside` next to the same
//! length of another time. Nothing is asked of a server.

use super::{
    keep, parse_filter_of,
    rows::{Column, grid_with_holes, names_with_holes},
};
use crate::{
    app::{
        configuration,
        history::{Recording, file::HistoryFile, reading::read_spent},
    },
    cli::Once,
    command::{
        ask::{self, Terminal},
        invocation::Invocation,
        output::{Cell, Grid},
        select::held_by,
        when::Watch,
    },
    config::Config,
    model::{
        base::{figure, time::Timestamp},
        fold::{Fleet, update::Update},
        inventory::instance::{InstanceId, InstanceInfo},
        judge::health::Thresholds,
        poll::{
            counts::{Measure, Ran as _},
            queries::QueryRow,
        },
        timeline::spent::{Became, In, Spent, Told, Walk, became, change_ms_per_s, pairs},
    },
    store::history::Reader,
};
use anyhow::{Context, bail};
use std::{io::stdout, process::ExitCode, sync::Arc};

/// Why an instance has no row.
const NO_POLL: &str = "no poll of the plan cache is kept of that time: nobody collected, it was not reachable, or its queries could not be read";

/// First instant and end.
type Stretch = (Timestamp, Timestamp);

/// Prints it. The exit code is 1 where nothing is kept of any instance.
///
/// # Errors
/// No history, times that are none, a filter that means nothing, an output that cannot be written.
pub fn run(
    once: &Once,
    recording: Option<&Recording>,
    invocation: &Invocation,
    config: &Config,
) -> anyhow::Result<ExitCode> {
    let zone = configuration::zone(config);
    let watch = Watch { now: recording.map_or_else(crate::app::clock::now, |recording| recording.to), zone };
    let (stretch, beside) = times(once, &watch)?;
    let mut reader = match recording {
        Some(recording) => recording.reader()?,
        None => HistoryFile::find(None, &invocation.selection, &mut Terminal::default())?.read()?,
    };
    let mut infos = reader.instances().all()?;
    if infos.is_empty() {
        bail!("there is nothing in {} yet", reader.path().display());
    }
    let columns =
        if beside.is_some() { names_with_holes(&beside_columns()) } else { names_with_holes(&columns()) };
    let filter = once.filter.as_deref().map(|text| parse_filter_of(text, columns, &infos)).transpose()?;
    let mut held = held_by(&infos, once.scope.as_deref())?.into_iter();
    infos.retain(|_| held.next().unwrap_or(true));
    let told = read(&mut reader, &infos, stretch)?;
    let other = beside.map(|beside| read(&mut reader, &infos, beside)).transpose()?;
    say(&told, stretch, &watch);
    let mut grid = match (&other, beside) {
        (Some(other), Some(beside)) => {
            say(other, beside, &watch);
            let (before, after) = if beside.0 <= stretch.0 { (other, &told) } else { (&told, other) };
            compared(before, after)
        }
        _ => alone(&told),
    };
    if let Some(filter) = &filter {
        let mut fleet = Fleet::new(Thresholds::default());
        fleet.apply(Update::Inventory(infos));
        keep(&mut grid, filter, &fleet.snapshot(watch.now))?;
    }
    grid.print(once.output, &mut stdout().lock())?;
    let is_known = told.of.iter().any(|(_, spent)| spent.polls > 0);
    Ok(ExitCode::from(u8::from(!is_known)))
}

/// The stretch, and the one beside it.
fn times(once: &Once, watch: &Watch) -> anyhow::Result<(Stretch, Option<Stretch>)> {
    let instant = |name: &str, text: &str| watch.instant(text).with_context(|| format!("{name} {text}"));
    let from = once.from.as_deref().map_or_else(|| Ok(watch.now), |text| instant("--from", text))?;
    let to = once.to.as_deref().map_or_else(|| Ok(watch.now), |text| instant("--to", text))?;
    if from >= to {
        bail!("the stretch ends before it begins: --from must be before --to");
    }
    let beside = once.beside.as_deref().map(|text| instant("--beside", text)).transpose()?;
    Ok(((from, to), beside.map(|begins| (begins, begins.plus_ms(to - from)))))
}

fn read(reader: &mut Reader, infos: &[Arc<InstanceInfo>], (from, to): Stretch) -> anyhow::Result<Told> {
    let ids: Vec<InstanceId> = infos.iter().map(|info| info.id.clone()).collect();
    let uids: Vec<Arc<str>> = infos.iter().map(|info| Arc::clone(&info.uid)).collect();
    let mut walk = Walk::new(&ids, from, to);
    while read_spent(&mut walk, reader, &uids).context("reading history")? {}
    Ok(walk.told(reader.stats().span()?))
}

/// Tells the person at the terminal what the sums are of.
fn say(told: &Told, (from, to): Stretch, watch: &Watch) {
    let polls: u64 = told.of.iter().map(|(_, spent)| u64::from(spent.polls)).sum();
    let mut words = format!("{} to {}: ", watch.zone.instant(from), watch.zone.instant(to));
    figure::push_counted(&mut words, polls, "poll");
    words.push_str(", which cover ");
    let covered: f64 = told.of.iter().map(|(_, spent)| spent.covered_ms as f64).sum();
    figure::push_pct(&mut words, covered * 100.0 / ((to - from) as f64 * told.of.len().max(1) as f64));
    words.push_str(" of it");
    if let Some((oldest, newest)) = told.kept.filter(|(oldest, newest)| from < *oldest || to > *newest) {
        words.push_str("; history is kept from ");
        watch.zone.push_instant(&mut words, oldest);
        words.push_str(" to ");
        watch.zone.push_instant(&mut words, newest);
    }
    ask::say(&words);
}

/// How much of a stretch is known, %.
fn covered_pct(spent: &Spent) -> f64 {
    spent.covered_ms as f64 * 100.0 / spent.of_ms.max(1) as f64
}

type One<'a> = (&'a Spent, &'a QueryRow);

fn alone(told: &Told) -> Grid {
    let mut rows: Vec<(&str, Result<One<'_>, String>)> = Vec::new();
    for (id, spent) in &told.of {
        if spent.polls == 0 {
            rows.push((id.as_str(), Err(NO_POLL.to_owned())));
        }
        rows.extend(spent.table.queries.iter().map(|query| (id.as_str(), Ok((spent, query)))));
    }
    grid_with_holes(&columns(), rows)
}

fn columns<'a>() -> [Column<One<'a>>; 30] {
    const US: f64 = 1_000.0;
    [
        ("query_hash", |(_, q)| Cell::Text(format!("0x{:016X}", q.hash))),
        ("cpu_ms", |(_, q)| Cell::real(q.cpu_us.map(|us| us as f64 / US))),
        ("share_cpu_pct", |(s, q)| Cell::real(s.table.share_pct(q, Measure::Cpu))),
        ("runs", |(_, q)| Cell::int(q.runs)),
        ("share_runs_pct", |(s, q)| Cell::real(s.table.share_pct(q, Measure::Runs))),
        ("avg_ms", |(_, q)| Cell::real(q.avg_ms())),
        ("max_ms", |(_, q)| Cell::real(q.max_us.map(|us| us as f64 / US))),
        ("duration_ms", |(_, q)| Cell::real(q.elapsed_us.map(|us| us as f64 / US))),
        ("share_duration_pct", |(s, q)| Cell::real(s.table.share_pct(q, Measure::Elapsed))),
        ("reads", |(_, q)| Cell::int(q.reads)),
        ("share_reads_pct", |(s, q)| Cell::real(s.table.share_pct(q, Measure::Reads))),
        ("physical_reads", |(_, q)| Cell::int(q.physical_reads)),
        ("share_physical_reads_pct", |(s, q)| Cell::real(s.table.share_pct(q, Measure::PhysicalReads))),
        ("writes", |(_, q)| Cell::int(q.writes)),
        ("share_writes_pct", |(s, q)| Cell::real(s.table.share_pct(q, Measure::Writes))),
        ("rows", |(_, q)| Cell::int(q.rows)),
        ("share_rows_pct", |(s, q)| Cell::real(s.table.share_pct(q, Measure::Rows))),
        ("grant_kb_per_run", |(_, q)| Cell::real(q.per_run(q.grant_kb))),
        ("share_grant_pct", |(s, q)| Cell::real(s.table.share_pct(q, Measure::Grant))),
        ("spilled_pages", |(_, q)| Cell::int(q.spills)),
        ("share_spilled_pages_pct", |(s, q)| Cell::real(s.table.share_pct(q, Measure::Spills))),
        ("plan_hash", |(_, q)| Cell::text(q.plan_hash.map(|hash| format!("0x{hash:016X}")).as_deref())),
        ("plan_changed", |(_, q)| Cell::Flag(q.old_plan_hash.is_some())),
        ("at_least", |(_, q)| Cell::Flag(q.at_least)),
        ("covered_pct", |(s, _)| Cell::Real(covered_pct(s))),
        ("polls", |(s, _)| Cell::Int(s.polls.into())),
        ("database", |(_, q)| Cell::text(q.database.as_deref())),
        ("other_databases", |(_, q)| super::rows::other_databases(q)),
        ("module", |(_, q)| Cell::text(q.module.as_deref())),
        ("statement", |(_, q)| super::rows::statement(q.statement.as_ref())),
    ]
}

/// A query in both stretches.
struct Pair<'a> {
    before: In<'a>,
    after: In<'a>,
}

impl Pair<'_> {
    fn told(&self) -> Option<&QueryRow> {
        self.after.1.or(self.before.1)
    }
}

/// The largest change first, over all instances.
fn compared(before: &Told, after: &Told) -> Grid {
    let mut rows: Vec<(&str, Result<Pair<'_>, String>)> = Vec::new();
    for ((id, then), (_, now)) in before.of.iter().zip(&after.of) {
        if then.polls == 0 && now.polls == 0 {
            rows.push((id.as_str(), Err(NO_POLL.to_owned())));
        }
        for (b, a) in pairs(then, now) {
            let before = (then, b.and_then(|place| then.table.queries.get(place as usize)));
            let after = (now, a.and_then(|place| now.table.queries.get(place as usize)));
            rows.push((id.as_str(), Ok(Pair { before, after })));
        }
    }
    let change = |row: &Result<Pair<'_>, String>| {
        row.as_ref().ok().and_then(|pair| change_ms_per_s(pair.before, pair.after)).unwrap_or(-1.0)
    };
    rows.sort_by(|a, b| change(&b.1).total_cmp(&change(&a.1)));
    grid_with_holes(&beside_columns(), rows)
}

fn beside_columns<'a>() -> [Column<Pair<'a>>; 19] {
    fn side(side: In<'_>, read: fn(&Spent, &QueryRow) -> Option<f64>) -> Cell {
        Cell::real(side.1.and_then(|query| read(side.0, query)))
    }
    [
        ("query_hash", |p| Cell::text(p.told().map(|q| format!("0x{:016X}", q.hash)).as_deref())),
        ("change", |p| Cell::Text(word(became(p.before, p.after)).to_owned())),
        ("times", |p| match became(p.before, p.after) {
            Became::Times(times) => Cell::Real(times),
            _ => Cell::real(None),
        }),
        ("before_cpu_ms_per_s", |p| Cell::real(p.before.0.cpu_ms_per_s(p.before.1))),
        ("after_cpu_ms_per_s", |p| Cell::real(p.after.0.cpu_ms_per_s(p.after.1))),
        ("before_share_cpu_pct", |p| side(p.before, |s, q| s.table.share_pct(q, Measure::Cpu))),
        ("after_share_cpu_pct", |p| side(p.after, |s, q| s.table.share_pct(q, Measure::Cpu))),
        ("before_runs_per_s", |p| side(p.before, |s, q| s.table.per_s(q.runs))),
        ("after_runs_per_s", |p| side(p.after, |s, q| s.table.per_s(q.runs))),
        ("before_avg_ms", |p| side(p.before, |_, q| q.avg_ms())),
        ("after_avg_ms", |p| side(p.after, |_, q| q.avg_ms())),
        ("before_reads_per_s", |p| side(p.before, |s, q| s.table.per_s(q.reads))),
        ("after_reads_per_s", |p| side(p.after, |s, q| s.table.per_s(q.reads))),
        ("before_covered_pct", |p| Cell::Real(covered_pct(p.before.0))),
        ("after_covered_pct", |p| Cell::Real(covered_pct(p.after.0))),
        ("database", |p| Cell::text(p.told().and_then(|q| q.database.as_deref()))),
        ("other_databases", |p| p.told().map_or(Cell::text(None), super::rows::other_databases)),
        ("module", |p| Cell::text(p.told().and_then(|q| q.module.as_deref()))),
        ("statement", |p| super::rows::statement(p.told().and_then(|q| q.statement.as_ref()))),
    ]
}

/// What became of a query, in a word.
fn word(became: Became) -> &'static str {
    match became {
        Became::New => "new",
        Became::Gone => "gone",
        Became::NotKnown => "not known",
        Became::Times(times) if times > 1.05 => "more",
        Became::Times(times) if times < 1.0 / 1.05 => "less",
        Became::Times(_) => "same",
    }
}
