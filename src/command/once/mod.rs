//! `dbtop once`: poll (or ask a recording), print, exit by the worst health. For pipes, cron and Nagios.

pub(super) mod deadlocks;
pub(super) mod growths;
mod held;
mod period;
mod plans;
pub(super) mod rows;
pub(super) mod space;
pub(super) mod stored;

use self::space::{Beside, Outlooks};
use super::{
    ask::Terminal,
    invocation::Invocation,
    output::{self, Cell, Grid},
    select::{held_by, restrict},
    when::Watch,
};
use crate::{
    app::{
        attach::{
            heartbeat::{self, Heartbeat, Standing},
            run_folder::RunFolder,
            seen::FRESH_MS,
        },
        clock, configuration, fleet,
        history::{self, Recording},
        log,
        selection::Selection,
        signals,
    },
    cli::{Once, What},
    collect,
    config::{Config, secret},
    model::{
        base::{filter::Filter, zone::Zone},
        fold::snapshot::{FleetSnapshot, InstanceSnapshot},
        inventory::instance::{InstanceInfo, Target},
        judge::{health::Level, limits::Gauge},
        poll::{id::ProbeId, link::Link},
        timeline::forecast,
    },
    probe::{self, Lane},
    store::history::{Reader, Recent, fleet_at},
    tds::Roots,
};
use anyhow::{Context, bail};
use std::{collections::HashMap, io::stdout, process::ExitCode, sync::Arc, time::Duration};
use tokio::{sync::watch, time::Instant};

/// Polls the scope twice (rates need two samples), prints it, and returns the exit code: 0 fine, 1 warning, 2 critical, 3 unknown.
///
/// # Errors
/// Nothing to watch, a scope or filter that means nothing, an output that cannot be written.
pub async fn run(once: Once, invocation: &Invocation) -> anyhow::Result<ExitCode> {
    // The parser lets it pass beside --demo, which excludes a recording.
    if once.at.is_some() && once.replay.is_none() {
        bail!("--at is a time of a recording: name one with --replay FILE, which no --demo goes with");
    }
    if once.query_store.is_some() && once.what != What::Plans {
        bail!("--query-store names a plan: it goes with `once plans`");
    }
    if once.from.is_some() && once.what != What::Queries {
        bail!("--from adds up what queries cost: it goes with `once queries`");
    }
    let config = configuration::load(&invocation.given)?;
    let recording = Recording::named(once.replay.as_deref(), &invocation.selection)?;
    if once.from.is_some() {
        return period::run(&once, recording.as_ref(), invocation, &config);
    }
    if let Some(recording) = recording {
        return replay(&once, &recording, &config);
    }
    // A demo has a temporary folder to remove; without one a signal may end the process at once.
    let ended = invocation.selection.demo.map(|_| signals::listen());
    let fleet = fleet::open(&invocation.selection, &mut Terminal::default()).await?;
    if fleet.targets.is_empty() {
        match &invocation.selection.inventory {
            Some(file) => bail!("nothing to poll: {} names no [[instance]]", file.display()),
            None => bail!(
                "nothing to poll: name instances with --inventory FILE, or try --demo; an inventory of your own starts with \
                 `dbtop vault init` and `dbtop instance add NAME --host HOST --user LOGIN`"
            ),
        }
    }
    let temporary = if fleet.sim.is_some() { Some(tempfile::tempdir()?) } else { None };
    let folder = temporary.as_ref().map_or_else(|| log::folder(&config.log), |d| d.path().to_owned());
    let _log = log::start(&config.log, &folder, log::FILE_ONLY)?;
    let sample = Duration::from_secs(once.sample.into());
    // What is asked behind the first poll and has rates needs a third one, and nobody waits half a minute for it.
    let fleet_every_ms = u32::try_from(sample.as_millis()).unwrap_or(u32::MAX).max(1_000);
    let settings = collect::Settings { warm_up: sample, fleet_every_ms, ..configuration::collector(&config) };
    let of_stores = matches!(once.what, What::Querystore | What::Stores);
    // All databases of an instance have twenty seconds.
    let patience = Duration::from_secs(if of_stores { 35 } else { 10 });
    let limit = settings.connect_within + sample + patience;
    let infos: Vec<Arc<InstanceInfo>> = fleet.targets.iter().map(|t| Arc::clone(&t.info)).collect();
    let filter = once.filter.as_deref().map(|text| parse_filter(text, once.what, &infos)).transpose()?;
    let mut wanted = restrict(fleet.targets, once.scope.as_deref())?;
    spare(&mut wanted, once.what);
    let collector = collect::start(wanted, settings, Arc::new(secret::resolve), Roots::load(), None);
    if is_of_lane(once.what) {
        // What goes over the on-demand lane is asked at once of instances on the screen. A collector that has ended says so by itself.
        let all = collector.snapshots.borrow().instances.iter().map(|i| i.info.id.clone()).collect();
        let _ = collector.commands.send(collect::Command::Focus(all)).await;
    }
    let snapshot = tokio::select! {
        snapshot = settle(collector.snapshots.clone(), once.what, limit) => snapshot,
        () = async { ended.unwrap_or_default().cancelled().await } => bail!("ended by a signal before all had answered"),
    };
    let beat = if once.what == What::Cost { beat(&invocation.selection) } else { None };
    let answers = if once.what == What::Plans {
        let scope = rows::worst_first(&snapshot);
        plans::ask(collector.commands.clone(), &scope, once.query_store.as_ref()).await
    } else {
        plans::Answers::new()
    };
    // A history that cannot be read is none for this: nothing else of the output depends on it.
    let mut kept =
        if once.what == What::Storage { history::file::beside(&invocation.selection) } else { None };
    let outlooks = kept.as_mut().and_then(|reader| outlooks(reader, &snapshot, &config).ok());
    let more = More { collector: beat.as_ref(), answers: &answers, outlooks: outlooks.as_ref() };
    let code = tell(&once, &snapshot, filter.as_ref(), &more, &configuration::zone(&config))?;
    collector.shutdown().await;
    Ok(code)
}

/// The last heartbeat of this fleet's collector; None: none runs.
fn beat(selection: &Selection) -> Option<Heartbeat> {
    let beat = heartbeat::read(&RunFolder::find(selection).ok()?.folder).ok()??;
    (beat.age_ms(clock::now()) <= FRESH_MS && beat.standing != Standing::Stopped).then_some(beat)
}

/// Prints an instant of a recording as if it had been polled then.
fn replay(once: &Once, recording: &Recording, config: &Config) -> anyhow::Result<ExitCode> {
    if once.what == What::Cost {
        bail!("what dbtop cost is not in a recording; every other subject is");
    }
    if once.what == What::Plans {
        bail!(
            "plans are asked of servers, and a recording has none; `dbtop plan FILE` reads one that was saved"
        );
    }
    let watch = Watch { zone: configuration::zone(config), now: recording.to };
    let at = match once.at.as_deref() {
        Some(text) => watch.instant(text).with_context(|| format!("--at {text}"))?,
        None => recording.to,
    };
    if at < recording.from {
        bail!(
            "--at {}: the recording begins at {}",
            once.at.as_deref().unwrap_or_default(),
            watch.zone.instant(recording.from)
        );
    }
    let mut infos = recording.infos.clone();
    let filter = once.filter.as_deref().map(|text| parse_filter(text, once.what, &infos)).transpose()?;
    let held = held_by(&infos, once.scope.as_deref())?;
    let mut held = held.into_iter();
    infos.retain(|_| held.next().unwrap_or(true));
    let mut reader = recording.reader()?;
    let snapshot = fleet_at(&mut reader, &infos, &config.health, at, Recent::OfTheList)?;
    let outlooks =
        if once.what == What::Storage { Some(outlooks(&mut reader, &snapshot, config)?) } else { None };
    let more = More { collector: None, answers: &plans::Answers::new(), outlooks: outlooks.as_ref() };
    tell(once, &snapshot, filter.as_ref(), &more, &watch.zone)
}

/// What some subjects tell that no snapshot has.
struct More<'a> {
    /// the collector of this fleet, for its cost
    collector: Option<&'a Heartbeat>,
    /// the plans that were asked for
    answers: &'a plans::Answers,
    /// when volumes are full; None: no history is kept here, or nobody asks
    outlooks: Option<&'a Outlooks>,
}

/// When the volumes of these instances are full, as their history says it.
fn outlooks(reader: &mut Reader, snapshot: &FleetSnapshot, config: &Config) -> anyhow::Result<Outlooks> {
    let reserve_pct = config.health.limits(Gauge::Volume).map_or(0.0, |limits| limits.critical);
    let mut told = Outlooks::new();
    for i in &snapshot.instances {
        for mount in
            i.facts.volumes.get().iter().flat_map(|rows| rows.iter()).filter_map(|row| row.mount.as_ref())
        {
            let of = (&*i.info.uid, mount);
            let outlook = history::outlook(reader, of, forecast::end_of_day(snapshot.at), reserve_pct)?;
            told.insert((i.info.id.clone(), Arc::clone(mount)), outlook);
        }
    }
    Ok(told)
}

/// Prints a state of the fleet and returns the exit code.
fn tell(
    once: &Once,
    snapshot: &FleetSnapshot,
    filter: Option<&Filter>,
    more: &More<'_>,
    zone: &Zone,
) -> anyhow::Result<ExitCode> {
    let instances = rows::worst_first(snapshot);
    let beside = Beside { zone, now: snapshot.at, outlooks: more.outlooks };
    let mut grid = match once.what {
        What::Fleet => rows::fleet(&instances, snapshot, zone),
        What::Activity => rows::activity(&instances),
        What::Waits => rows::waits(&instances),
        What::Blocking => rows::blocking(&instances),
        What::Queries => rows::queries(&instances),
        What::Deadlocks => deadlocks::rows(&instances, zone),
        What::Growths => growths::rows(&instances, zone),
        What::Cost => rows::cost(&instances, snapshot, more.collector),
        What::Plans => plans::grid(&instances, more.answers, once.query_store.as_ref()),
        other => space::rows(other, &instances, &beside)
            .or_else(|| stored::rows(other, &instances))
            .unwrap_or_default(),
    };
    if let Some(filter) = filter {
        keep(&mut grid, filter, snapshot)?;
    }
    grid.print(once.output, &mut stdout().lock())?;
    let worst = snapshot.instances.iter().map(|i| i.health.level).max().unwrap_or_default();
    let all_told = snapshot.instances.iter().all(|i| has_settled(i, once.what));
    Ok(ExitCode::from(code(worst, all_told)))
}

/// The exit code, as Nagios reads it. Of what did not answer in time nobody knows that it is fine; what is known to be bad says more.
const fn code(worst: Level, all_told: bool) -> u8 {
    match worst {
        Level::Ok if all_told => 0,
        Level::Ok | Level::Unknown => 3,
        Level::Warning => 1,
        Level::Critical | Level::Offline => 2,
    }
}

/// Waits at most `limit` until every instance has delivered all that `what` needs, or the reason why it cannot.
async fn settle(
    mut snapshots: watch::Receiver<Arc<FleetSnapshot>>,
    what: What,
    limit: Duration,
) -> Arc<FleetSnapshot> {
    let end = Instant::now() + limit;
    loop {
        let snapshot = Arc::clone(&snapshots.borrow_and_update());
        let settled = snapshot.instances.iter().filter(|i| has_settled(i, what)).count();
        // The first figures of this process come a second after its start.
        let own = what != What::Cost || snapshot.collector.connects > 0;
        if settled == snapshot.instances.len() && own {
            return snapshot;
        }
        match tokio::time::timeout_at(end, snapshots.changed()).await {
            Ok(Ok(())) => {}
            // Time is up, or the collector is gone: prints what there is and names the holes.
            Ok(Err(_)) | Err(_) => return Arc::clone(&snapshots.borrow()),
        }
    }
}

/// True when an instance has delivered all that its health is judged by, so that the exit code does not depend on what is
/// printed, all that is printed, and for the cost, a rate of it.
fn has_settled(i: &InstanceSnapshot, what: What) -> bool {
    let f = &i.facts;
    if matches!(f.link, Link::Down { .. }) {
        return true;
    }
    let has_rate = || f.cost.get().is_none_or(|c| c.cpu_ms_total.is_none() || c.cpu_ms_per_s.is_some());
    f.readings().filter(|(probe, _)| is_wanted(what, *probe)).all(|(_, reading)| reading.is_final())
        && (what != What::Cost || has_rate())
}

/// What is printed shows what this probe tells, or health is judged by it.
fn is_wanted(what: What, probe: ProbeId) -> bool {
    match probe {
        ProbeId::Cost => what == What::Cost,
        ProbeId::Queries => matches!(what, What::Queries | What::Plans),
        ProbeId::Modules => what == What::Modules,
        ProbeId::QueryStore => matches!(what, What::Querystore | What::Stores),
        ProbeId::Deadlocks => what == What::Deadlocks,
        ProbeId::Growths => what == What::Growths,
        ProbeId::Room => what == What::Files,
        ProbeId::TempdbUse => what == What::Tempdb,
        ProbeId::LogUse => what == What::Txlog,
        ProbeId::Clerks => what == What::Memory,
        ProbeId::Grants => matches!(what, What::Grants | What::Memory),
        ProbeId::Activity | ProbeId::Properties => true,
        other => other.is_judged(),
    }
}

/// Probes of the on-demand lane that nobody wants to see are not asked: each costs a server seconds, and what is wanted would wait for
/// them.
fn spare(targets: &mut [Target], what: What) {
    for target in targets {
        let info = Arc::make_mut(&mut target.info);
        Arc::make_mut(&mut info.poll).probes_off.extend(unwanted(what).map(|id| id.name().to_owned()));
    }
}

fn unwanted(what: What) -> impl Iterator<Item = ProbeId> {
    let of_lane = move |id: &ProbeId| probe::probe(*id).lane == Lane::OnDemand && !is_wanted(what, *id);
    ProbeId::ALL.into_iter().filter(of_lane)
}

/// Some of it goes over the on-demand lane.
fn is_of_lane(what: What) -> bool {
    ProbeId::ALL.into_iter().any(|id| is_wanted(what, id) && probe::probe(id).lane == Lane::OnDemand)
}

/// The names of the columns of each subject, for `--filter`.
fn columns(what: What) -> Vec<&'static str> {
    match what {
        What::Fleet => rows::names(&rows::fleet_columns()),
        What::Activity => rows::names_with_holes(&rows::activity_columns()),
        What::Waits => rows::names_with_holes(&rows::waits_columns()),
        What::Blocking => rows::names_with_holes(&rows::blocking_columns()),
        What::Queries => rows::names_with_holes(&rows::queries_columns()),
        What::Deadlocks => deadlocks::columns(),
        What::Growths => growths::columns(),
        // They are beside their rows.
        What::Modules | What::Querystore | What::Stores => stored::columns(what).unwrap_or_default(),
        What::Plans => plans::names(what).unwrap_or_default(),
        What::Cost => rows::names(&rows::cost_columns()),
        What::Databases => rows::names_with_holes(&space::database_columns()),
        What::Storage => rows::names_with_holes(&space::storage_columns()),
        What::Files => rows::names_with_holes(&space::files_columns()),
        What::Tempdb => rows::names_with_holes(&held::tempdb_columns()),
        What::Txlog => rows::names_with_holes(&space::txlog_columns()),
        What::Memory => rows::names_with_holes(&held::memory_columns()),
        What::Grants => rows::names_with_holes(&held::grants_columns()),
    }
}

/// Reads a filter. Fields are the columns, with or without their unit, and the labels of the instances.
pub(super) fn parse_filter(text: &str, what: What, infos: &[Arc<InstanceInfo>]) -> anyhow::Result<Filter> {
    parse_filter_of(text, columns(what), infos)
}

/// The same of rows with these columns.
fn parse_filter_of(
    text: &str,
    columns: Vec<&'static str>,
    infos: &[Arc<InstanceInfo>],
) -> anyhow::Result<Filter> {
    let is_label =
        |k: &str| infos.iter().flat_map(|info| &info.labels).any(|(l, _)| l.eq_ignore_ascii_case(k));
    let known = |key: &str| columns.iter().any(|c| output::names(c, key)) || is_label(key);
    let filter = Filter::parse(text, &known)
        .map_err(|e| anyhow::anyhow!("--filter {text}: {e}; fields are {}", columns.join(", ")))?;
    // What names tell is told before anybody is asked.
    let none = Grid { columns, rows: Vec::new() };
    match filter.misfit(&|key| output::kinds_of(key, &none)) {
        Some(misfit) => bail!("--filter {text}: {misfit}"),
        None => Ok(filter),
    }
}

/// Keeps the rows that the filter keeps.
///
/// # Errors
/// A figure in the filter is in a unit that its column does not have: no row could pass.
pub(super) fn keep(grid: &mut Grid, filter: &Filter, snapshot: &FleetSnapshot) -> anyhow::Result<()> {
    if let Some(misfit) = filter.misfit(&|key| output::kinds_of(key, grid)) {
        bail!("--filter: {misfit}");
    }
    let instances: HashMap<&str, &InstanceSnapshot> =
        snapshot.instances.iter().map(|i| (i.info.id.as_str(), &**i)).collect();
    let columns = grid.columns.clone();
    let mut scratch = String::new();
    grid.rows.retain(|cells| {
        let instance = cells.first().and_then(Cell::as_text).and_then(|name| instances.get(name));
        let info = instance.map(|i| &*i.info);
        let properties = instance.and_then(|i| i.facts.properties.get()).map(|p| &**p);
        filter.keeps(&output::GridRow { columns: &columns, cells, info, properties }, &mut scratch)
    });
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_the_slow_probes_only_those_that_are_printed_are_asked() {
        let asked = |what: What| {
            let is_slow = |id: &ProbeId| probe::probe(*id).lane == Lane::OnDemand;
            let is_on = |id: &ProbeId| !unwanted(what).any(|off| off == *id);
            ProbeId::ALL.into_iter().filter(|id| is_slow(id) && is_on(id)).collect::<Vec<_>>()
        };
        assert_eq!(asked(What::Txlog), [ProbeId::LogUse]);
        assert_eq!(asked(What::Deadlocks), [ProbeId::Deadlocks]);
        assert_eq!(asked(What::Fleet), []);
    }

    #[test]
    fn the_exit_code_is_the_worst_health() {
        let codes = [Level::Ok, Level::Unknown, Level::Warning, Level::Critical, Level::Offline];
        assert_eq!(codes.map(|worst| code(worst, true)), [0, 3, 1, 2, 2]);
        assert_eq!(codes.map(|worst| code(worst, false)), [3, 3, 1, 2, 2]);
    }
}
