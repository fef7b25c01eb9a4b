//! `dbtop status`: which fleets are collected, by which process, and how it is. Reads locks and heartbeats only: nothing
//! is opened, asked or made. And `dbtop metrics`, which prints the figures that lie beside them.

use super::{
    ask,
    invocation::Invocation,
    output::{self, Cell, Grid},
    when,
};
use crate::{
    app::{
        attach::{
            heartbeat::{self, Heartbeat},
            lock::{Held, Holder},
            run_folder::RunFolder,
            seen::Seen,
        },
        configuration,
        inventory::open::{tenants, tenants_there},
        selection::Selection,
    },
    cli::{Format, Status},
    model::base::{
        time::Timestamp,
        zone::{UTC, Zone},
    },
};
use anyhow::{Context, bail};
use std::{io::stdout, iter, process::ExitCode};

/// Prints a row a fleet. The code is 0 if each has a collector at work, 1 if one is about to collect or a screen polls in its place,
/// 2 if one has none that works, 3 if there is no fleet. A suspended tenant needs no collector.
///
/// # Errors
/// There is no such fleet, or its files cannot be read.
pub fn run(args: Status, invocation: &Invocation) -> anyhow::Result<ExitCode> {
    let (places, idle): (Vec<RunFolder>, Vec<bool>) = places(&invocation.selection)?.into_iter().unzip();
    let mut seen = places.into_iter().map(Seen::look).collect::<anyhow::Result<Vec<_>>>()?;
    let named = seen.len();
    if is_of_all(&invocation.selection) {
        // Of a plain inventory nobody knows whether it still is one: its fleet is told while it is collected.
        let others = RunFolder::of_inventories()?.into_iter().map(Seen::look);
        seen.extend(others.filter_map(Result::ok).filter(Seen::is_held));
    }
    let codes = seen
        .iter()
        .zip(idle.into_iter().chain(iter::repeat(false)))
        .enumerate()
        // A screen that somebody opened on a file of their own is told, and is no collector that is missing.
        .filter(|(n, (seen, _))| *n < named || seen.word() != "screen")
        .map(|(_, (seen, idle))| if idle && !seen.is_held() { 0 } else { code(seen.word()) });
    let code = codes.max().unwrap_or(if seen.is_empty() { 3 } else { 1 });
    // It tells of a collector whatever the file says: without a zone times are UTC.
    let zone =
        configuration::load(&invocation.given).map_or_else(|_| UTC.clone(), |c| configuration::zone(&c));
    let mut grid =
        Grid { columns: COLUMNS.to_vec(), rows: seen.iter().map(|seen| row(seen, &zone)).collect() };
    if args.output == Format::Table {
        narrow(&mut grid);
    }
    if seen.is_empty() {
        ask::say(
            "there is no tenant here, and nobody collects a plain inventory: name a plain inventory with --inventory FILE, or make a tenant",
        );
    }
    grid.print(args.output, &mut stdout().lock())?;
    Ok(ExitCode::from(code))
}

/// The exit code for how a collector is, as [`Seen::word`] says it.
fn code(word: &str) -> u8 {
    match word {
        "collecting" => 0,
        "starting" | "waiting" | "screen" => 1,
        _ => 2,
    }
}

/// `dbtop metrics`: prints the last figures that the collector wrote.
///
/// # Errors
/// There is no such fleet, or nobody collects it.
pub fn metrics(invocation: &Invocation) -> anyhow::Result<ExitCode> {
    let seen = Seen::look(RunFolder::find(&invocation.selection)?)?;
    let title = &seen.place.title;
    if !seen.is_held() {
        bail!("nobody collects {title}: start `dbtop collect`");
    }
    let file = seen.place.folder.join(heartbeat::METRICS_FILE);
    let text = std::fs::read_to_string(&file)
        .with_context(|| format!("reading {}: the collector has just started", file.display()))?;
    output::print(&text)?;
    Ok(ExitCode::SUCCESS)
}

/// No fleet is named.
const fn is_of_all(selection: &Selection) -> bool {
    selection.demo.is_none() && selection.inventory.is_none() && selection.tenant.is_none()
}

/// The named fleet, else those of all tenants; and whether each is suspended.
fn places(selection: &Selection) -> anyhow::Result<Vec<(RunFolder, bool)>> {
    if !is_of_all(selection) {
        return Ok(vec![(RunFolder::find(selection)?, false)]);
    }
    if tenants_there()?.is_empty() {
        return Ok(Vec::new());
    }
    let listed = tenants()?.list()?;
    Ok(listed
        .iter()
        .filter_map(|one| one.tenant.as_ref().ok())
        .map(|one| (RunFolder::of_tenant(one), one.is_suspended()))
        .collect())
}

const COLUMNS: [&str; 20] = [
    "fleet",
    "collector",
    "pid",
    "since",
    "up",
    "instances",
    "critical",
    "polls_ok",
    "polls_late",
    "polls_failed",
    "polls_skipped",
    "newest_poll_s",
    "lag_ms",
    "poll_p99_ms",
    "waited",
    "cpu_pct",
    "memory_kb",
    "store",
    "words",
    "version",
];

/// Columns that a table for people leaves out.
const WIDE: [&str; 6] = ["critical", "polls_skipped", "waited", "cpu_pct", "memory_kb", "version"];

fn narrow(grid: &mut Grid) {
    let keeps: Vec<bool> = grid.columns.iter().map(|name| !WIDE.contains(name)).collect();
    let keep = |i: usize| keeps.get(i).copied().unwrap_or(true);
    grid.columns = grid.columns.iter().enumerate().filter(|(i, _)| keep(*i)).map(|(_, c)| *c).collect();
    for row in &mut grid.rows {
        let mut i = 0;
        row.retain(|_| {
            i += 1;
            keep(i - 1)
        });
    }
}

fn row(seen: &Seen, zone: &Zone) -> Vec<Cell> {
    let holder = match &seen.held {
        Held::By(Some(holder)) => Some(holder),
        Held::By(None) | Held::Free => None,
    };
    let beat = seen.living_beat();
    let count = |n: Option<u64>| Cell::int(n.and_then(|n| i64::try_from(n).ok()));
    let of = |figure: fn(&Heartbeat) -> u64| count(beat.map(figure));
    let since = holder.map(|holder: &Holder| Timestamp::from_ms(holder.started_ms));
    vec![
        Cell::Text(seen.place.title.clone()),
        Cell::Text(seen.word().to_owned()),
        count(holder.map(|holder| holder.pid.into())),
        Cell::text(since.map(|at| when::seconds(zone, at)).as_deref()),
        of(|b| b.instances.up.into()),
        of(|b| b.instances.total.into()),
        of(|b| b.instances.critical.into()),
        of(|b| b.polls.ok),
        of(|b| b.polls.late),
        of(|b| b.polls.failed),
        of(|b| b.polls.skipped),
        count(beat.and_then(|b| b.newest_poll_age_ms(seen.at)).map(|ms| ms / 1000)),
        of(|b| b.lag_ms.into()),
        of(|b| b.latency.p99.into()),
        of(|b| b.samples_waited),
        Cell::real(beat.map(|b| b.process.cpu_pct.into())),
        of(|b| b.process.rss_bytes / 1024),
        Cell::text(beat.map(store_word)),
        Cell::text(beat.and_then(words)),
        Cell::text(holder.map(|holder| holder.version.as_str())),
    ]
}

fn store_word(beat: &Heartbeat) -> &str {
    match &beat.store {
        None => "off",
        Some(store) if !store.sign.is_empty() => &store.sign,
        Some(store) => store.problem.as_deref().unwrap_or(if store.writable { "ok" } else { "read-only" }),
    }
}

/// Why it waits, or what is wrong with its store.
fn words(beat: &Heartbeat) -> Option<&str> {
    let own = Some(beat.words.as_str()).filter(|words| !words.is_empty());
    own.or_else(|| beat.store.as_ref()?.problem.as_deref())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_code_says_whether_a_collector_is_at_work() {
        let codes =
            ["collecting", "starting", "waiting", "screen", "stopped", "killed", "hangs", "none"].map(code);
        assert_eq!(codes, [0, 1, 1, 1, 2, 2, 2, 2]);
    }
}
