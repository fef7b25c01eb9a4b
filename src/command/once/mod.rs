//! `dbtop once`: poll, print, exit by the worst health. For pipes, cron and Nagios.

mod grid;
mod rows;

use super::{log, source};
use crate::{
    cli::{Once, Source, What},
    collect,
    config::{Config, secret},
    model::{
        filter::Filter,
        health::Level,
        reading::{Reading, Unavailable},
        sample::Link,
        scope::Scope,
        snapshot::{FleetSnapshot, InstanceSnapshot},
    },
    tds::Roots,
};
use anyhow::{Context, bail};
use grid::Grid;
use std::{collections::HashMap, io::stdout, process::ExitCode, sync::Arc, time::Duration};
use tokio::{sync::watch, time::Instant};

/// Polls what is in scope twice (rates need two samples), prints it, and returns the exit code: 0 fine, 1 warning or
/// not to be told, 2 critical.
///
/// # Errors
/// Nothing to watch, a scope or filter that means nothing, an output that cannot be written.
pub async fn run(once: Once, source: Source, config: Config) -> anyhow::Result<ExitCode> {
    let fleet = source::open(&source).await?;
    if fleet.targets.is_empty() {
        bail!("nothing to poll: name instances with --inventory FILE, or try --demo");
    }
    let temporary = if fleet.sim.is_some() { Some(tempfile::tempdir()?) } else { None };
    let folder = temporary.as_ref().map_or_else(|| log::folder(&config.log), |d| d.path().to_owned());
    let _log = log::start(&config.log, &folder)?;
    let sample = Duration::from_secs(once.sample.into());
    let settings = collect::Settings { warm_up: sample, ..source::settings(&config) };
    let limit = settings.connect_within + sample + Duration::from_secs(10);
    let wanted = restrict(fleet.targets, once.scope.as_deref())?;
    let collector = collect::start(wanted, settings, Arc::new(secret::resolve), Roots::load());
    let snapshot = settle(collector.snapshots.clone(), once.what, limit).await;
    let instances: Vec<&InstanceSnapshot> = snapshot.instances.iter().map(AsRef::as_ref).collect();
    let mut grid = match once.what {
        What::Fleet => rows::fleet(&instances, &snapshot),
        What::Activity => rows::activity(&instances),
        What::Waits => rows::waits(&instances),
        What::Blocking => rows::blocking(&instances),
        What::Cost => rows::cost(&instances, &snapshot),
    };
    if let Some(text) = &once.filter {
        filter(&mut grid, text, &snapshot)?;
    }
    grid.print(once.output, &mut stdout().lock())?;
    let worst = snapshot.instances.iter().map(|i| i.health.level).max().unwrap_or_default();
    collector.shutdown().await;
    Ok(exit_code(worst))
}

const fn code(worst: Level) -> u8 {
    match worst {
        Level::Ok => 0,
        Level::Unknown | Level::Warning => 1,
        Level::Critical | Level::Offline => 2,
    }
}

fn exit_code(worst: Level) -> ExitCode {
    ExitCode::from(code(worst))
}

/// The targets within the scope: nobody else is polled.
fn restrict(
    targets: Vec<crate::model::instance::Target>,
    scope: Option<&str>,
) -> anyhow::Result<Vec<crate::model::instance::Target>> {
    let Some(text) = scope else { return Ok(targets) };
    // The scope language asks a snapshot; one that was never polled knows groups, labels and names.
    let unpolled = |t: &crate::model::instance::Target| {
        Arc::new(InstanceSnapshot {
            info: Arc::clone(&t.info),
            facts: crate::model::snapshot::Facts::default(),
            history: Arc::default(),
            health: crate::model::health::Health::default(),
        })
    };
    let fleet =
        FleetSnapshot { instances: targets.iter().map(unpolled).collect(), ..FleetSnapshot::default() };
    let scope = Scope::parse(text, &fleet).with_context(|| format!("--scope {text}"))?;
    let held = |i: &InstanceSnapshot| scope.as_ref().is_none_or(|s| s.holds(i));
    Ok(targets.into_iter().zip(&fleet.instances).filter(|(_, i)| held(i)).map(|(t, _)| t).collect())
}

/// Waits until every instance has said all that `what` needs, or why it cannot, at most for `limit`.
async fn settle(
    mut snapshots: watch::Receiver<Arc<FleetSnapshot>>,
    what: What,
    limit: Duration,
) -> Arc<FleetSnapshot> {
    let end = Instant::now() + limit;
    loop {
        let snapshot = Arc::clone(&snapshots.borrow_and_update());
        let settled = snapshot.instances.iter().filter(|i| has_settled(i, what)).count();
        if settled == snapshot.instances.len() {
            return snapshot;
        }
        match tokio::time::timeout_at(end, snapshots.changed()).await {
            Ok(Ok(())) => {}
            // Time is up, or the collector is gone: what there is, with its holes named.
            Ok(Err(_)) | Err(_) => return Arc::clone(&snapshots.borrow()),
        }
    }
}

fn has_settled(i: &InstanceSnapshot, what: What) -> bool {
    let f = &i.facts;
    if matches!(f.link, Link::Down { .. }) {
        return true;
    }
    match what {
        What::Fleet => {
            is_final(&f.waits)
                && is_final(&f.activity)
                && is_final(&f.blocking)
                && is_final(&f.properties)
                && is_final(&f.headline)
        }
        What::Activity => is_final(&f.activity),
        What::Waits => is_final(&f.waits),
        What::Blocking => is_final(&f.blocking),
        What::Cost => is_final(&f.cost),
    }
}

/// True when the reading holds a value, or a problem that another second will not mend.
const fn is_final<T>(reading: &Reading<T>) -> bool {
    match &reading.problem {
        None => reading.value.is_some(),
        Some(problem) => !matches!(problem, Unavailable::NotYet | Unavailable::NeedsTwoSamples),
    }
}

/// Keeps the rows that the filter keeps. Fields are the columns, with or without their unit, and the labels.
fn filter(grid: &mut Grid, text: &str, snapshot: &FleetSnapshot) -> anyhow::Result<()> {
    let infos: HashMap<&str, &crate::model::instance::InstanceInfo> =
        snapshot.instances.iter().map(|i| (i.info.id.as_str(), &*i.info)).collect();
    let known = |key: &str| {
        grid.columns.iter().any(|c| grid::names(c, key))
            || infos.values().any(|i| i.labels.iter().any(|(k, _)| k.eq_ignore_ascii_case(key)))
    };
    let parsed = Filter::parse(text, &known)
        .with_context(|| format!("--filter {text}: fields are {}", grid.columns.join(", ")))?;
    let columns = grid.columns.clone();
    let mut scratch = String::new();
    grid.rows.retain(|cells| {
        let info = cells.first().and_then(grid::Cell::as_text).and_then(|name| infos.get(name).copied());
        parsed.keeps(&grid::GridRow { columns: &columns, cells, info }, &mut scratch)
    });
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::time::Timestamp;

    #[test]
    fn the_exit_code_is_the_worst_health() {
        let codes = [Level::Ok, Level::Unknown, Level::Warning, Level::Critical, Level::Offline].map(code);
        assert_eq!(codes, [0, 1, 1, 2, 2]);
    }

    #[test]
    fn a_reading_settles_with_a_value_or_a_lasting_problem() {
        let mut r: Reading<u8> = Reading::default();
        assert!(!is_final(&r));
        r.fail(Unavailable::NeedsTwoSamples);
        assert!(!is_final(&r));
        r.fail(Unavailable::NoRight("VIEW SERVER STATE".into()));
        assert!(is_final(&r));
        assert!(is_final(&Reading::good(1_u8, Timestamp::from_ms(1), 1000)));
    }
}
