//! `dbtop status`: which fleets are collected, by which process, and how it is. Reads locks and heartbeats only: nothing
//! is opened, asked or made. And `dbtop metrics`, which prints the figures that lie beside them.

use super::{
    collect::{
        heartbeat::{self, Heartbeat, Standing},
        lock::{self, Held, Holder},
        place::Place,
    },
    open,
    output::{self, Cell, Grid},
    source,
};
use crate::{
    cli::{Format, Source, Status, Tenancy},
    model::base::time::Timestamp,
};
use anyhow::{Context, bail};
use std::io::stdout;

/// A beat older than this, ms, comes from a collector that hangs.
pub const FRESH_MS: u64 = 10_000;

/// Opening an inventory takes no longer, ms.
pub const STARTS_WITHIN_MS: u64 = 60_000;

/// What is seen of one fleet's collector from outside.
pub struct Seen {
    /// whose
    pub place: Place,
    /// the process that holds the lock
    pub held: Held,
    /// its last beat, or that of the one before
    pub beat: Option<Heartbeat>,
    /// when this was seen
    pub at: Timestamp,
}

impl Seen {
    /// Looks at lock and heartbeat.
    ///
    /// # Errors
    /// They cannot be read.
    pub fn look(place: Place) -> anyhow::Result<Self> {
        let failed = || format!("looking at the collector's files in {}", place.folder.display());
        let held = lock::look(&place.folder).with_context(failed)?;
        let beat = heartbeat::read(&place.folder).with_context(failed)?;
        let at = Timestamp::from_ms(chrono::Utc::now().timestamp_millis());
        Ok(Self { place, held, beat, at })
    }

    /// True while a process holds the lock.
    pub fn is_held(&self) -> bool {
        self.held != Held::Free
    }

    /// The last beat, if the process that holds the lock made it.
    pub fn living_beat(&self) -> Option<&Heartbeat> {
        let Held::By(holder) = &self.held else { return None };
        let same = |beat: &&Heartbeat| holder.as_ref().is_none_or(|holder| holder.pid == beat.pid);
        self.beat.as_ref().filter(same)
    }

    /// Age of the last beat of the process that holds the lock, ms.
    pub fn beat_age_ms(&self) -> Option<u64> {
        self.living_beat().map(|beat| beat.age_ms(self.at))
    }

    /// How long the lock is held, as far as its holder has said so, ms.
    pub fn held_for_ms(&self) -> u64 {
        match &self.held {
            Held::By(Some(holder)) => self.at.ms_since(Timestamp::from_ms(holder.started_ms)),
            Held::By(None) | Held::Free => 0,
        }
    }

    /// One word: how the collector is.
    pub fn word(&self) -> &'static str {
        if matches!(&self.held, Held::By(Some(holder)) if holder.screen) {
            return "screen";
        }
        match (self.is_held(), self.living_beat(), &self.beat) {
            (true, None, _) if self.held_for_ms() > STARTS_WITHIN_MS => "hangs",
            (true, None, _) => Standing::Starting.name(),
            (true, Some(_), _) if self.beat_age_ms().is_some_and(|age| age > FRESH_MS) => "hangs",
            (true, Some(beat), _) => beat.standing.name(),
            (false, _, None) => "none",
            (false, _, Some(beat)) if beat.standing == Standing::Stopped => Standing::Stopped.name(),
            (false, _, Some(_)) => "killed",
        }
    }
}

/// Prints a row a fleet.
///
/// # Errors
/// There is no such fleet, or its files cannot be read.
pub fn run(args: &Status, source: &Source, tenancy: &Tenancy) -> anyhow::Result<()> {
    let seen = places(source, tenancy)?.into_iter().map(Seen::look).collect::<anyhow::Result<Vec<_>>>()?;
    let mut grid = Grid { columns: COLUMNS.to_vec(), rows: seen.iter().map(row).collect() };
    if args.output == Format::Table {
        narrow(&mut grid);
    }
    if seen.is_empty() {
        super::ask::say(
            "there is no tenant here: name a plain inventory with --inventory FILE, or make a tenant",
        );
    }
    grid.print(args.output, &mut stdout().lock())
}

/// `dbtop metrics`: prints what the collector wrote last.
///
/// # Errors
/// There is no such fleet, or nobody collects it.
pub fn metrics(source: &Source, tenancy: &Tenancy) -> anyhow::Result<()> {
    let seen = Seen::look(Place::find(source, tenancy)?)?;
    let title = &seen.place.title;
    if !seen.is_held() {
        bail!("nobody collects {title}: start `dbtop collect`");
    }
    let file = seen.place.folder.join(heartbeat::METRICS_FILE);
    let text = std::fs::read_to_string(&file)
        .with_context(|| format!("reading {}: the collector has just started", file.display()))?;
    output::print(&text)
}

/// The fleet that is named; of none, every tenant's.
fn places(source: &Source, tenancy: &Tenancy) -> anyhow::Result<Vec<Place>> {
    if source.demo.is_some() || source.inventory.is_some() || tenancy.tenant.is_some() {
        return Ok(vec![Place::find(source, tenancy)?]);
    }
    if source::tenants_there()?.is_empty() {
        return Ok(Vec::new());
    }
    let listed = open::tenants()?.list()?;
    Ok(listed.iter().filter_map(|one| one.tenant.as_ref().ok()).map(Place::of_tenant).collect())
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

fn row(seen: &Seen) -> Vec<Cell> {
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
        Cell::text(since.map(second).as_deref()),
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
        Cell::text(beat.map(|b| b.words.as_str()).filter(|words| !words.is_empty())),
        Cell::text(holder.map(|holder| holder.version.as_str())),
    ]
}

fn store_word(beat: &Heartbeat) -> &str {
    match &beat.store {
        None => "off",
        Some(store) => store.problem.as_deref().unwrap_or(if store.writable { "ok" } else { "read-only" }),
    }
}

/// `2026-11-21 02:14:05Z`.
fn second(at: Timestamp) -> String {
    let at = chrono::DateTime::from_timestamp_millis(at.ms()).unwrap_or_default();
    at.format("%Y-%m-%d %H:%M:%SZ").to_string()
}
