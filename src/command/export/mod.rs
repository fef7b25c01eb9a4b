//! `dbtop --export`: what history knows of a stretch of time, to be carried away. `cost` is a table; `incident` is a page and
//! a recording. Results go to standard output or into the file of `--out`, advice to standard error.

mod charts;
mod cost;
mod gather;
mod html;
mod incident;
mod page;
mod scrub;
mod sections;
mod svg;

use super::{ask, config, output::Grid, store};
use crate::{
    cli::{
        self, Source, Tenancy,
        export::{Export, Exported},
    },
    model::{
        figure,
        fleet::Fleet,
        health::Thresholds,
        instance::InstanceInfo,
        past::{self, When},
        sample::Update,
        scope::Scope,
        time::Timestamp,
    },
    store::history::Reader,
};
use anyhow::{Context, bail};
use chrono::Utc;
use std::{io::Write as _, path::Path, process::ExitCode, sync::Arc};

/// Without `--from`: so long before the end, ms.
const LENGTH_MS: i64 = 3_600_000;

/// The stretch of time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Period {
    from: Timestamp,
    to: Timestamp,
}

/// Writes what is asked for.
///
/// # Errors
/// In sentences: no history, nothing in it of that time, a file that is there already or cannot be written.
pub fn run(
    what: Exported,
    args: &Export,
    source: &Source,
    tenancy: &Tenancy,
    screen: &cli::Screen,
) -> anyhow::Result<ExitCode> {
    let now = Timestamp::from_ms(Utc::now().timestamp_millis());
    let period = period(args.from.as_deref(), args.to.as_deref(), now)?;
    let config = config::load(source, screen)?;
    let target = store::target(args.history.as_deref(), source, tenancy)?;
    let mut reader = target.read()?;
    let infos = meant(&mut reader, args)?;
    match what {
        Exported::Cost => {
            let grid = cost::grid(&mut reader, &infos, period)?;
            ask::say(cost::HOW);
            print(&grid, args)?;
        }
        Exported::Incident => {
            let grid = incident::run(&mut reader, &infos, period, args, &config.health)?;
            grid.print(args.output, &mut std::io::stdout().lock())?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn period(from: Option<&str>, to: Option<&str>, now: Timestamp) -> anyhow::Result<Period> {
    let instant = |text: &str| match past::parse(text, now, 0) {
        Ok(When::At(at)) => Ok(at),
        Ok(When::Live) => Ok(now),
        Err(error) => Err(error).with_context(|| format!("reading the time {text:?}")),
    };
    let to = to.map_or(Ok(now), instant)?;
    let from = from.map_or(Ok(to.plus_ms(-LENGTH_MS)), instant)?;
    if from >= to {
        bail!("the stretch ends before it begins: --from must be before --to");
    }
    Ok(Period { from, to })
}

/// The instances that are meant, in the order of the history.
fn meant(reader: &mut Reader, args: &Export) -> anyhow::Result<Vec<Arc<InstanceInfo>>> {
    let known = reader.instances()?;
    if known.is_empty() {
        bail!("there is nothing in {} yet", reader.path().display());
    }
    if let Some(scope) = &args.scope {
        let mut fleet = Fleet::new(Thresholds::default());
        fleet.apply(Update::Inventory(known.clone()));
        let snapshot = fleet.snapshot(Timestamp::default());
        let scope = Scope::parse(scope, &snapshot).with_context(|| format!("reading the scope {scope:?}"))?;
        let inside = snapshot.instances.iter().filter(|i| scope.as_ref().is_none_or(|s| s.holds(i)));
        return Ok(inside.map(|i| Arc::clone(&i.info)).collect());
    }
    if args.instances.is_empty() {
        return Ok(known);
    }
    let find = |name: &String| {
        let found = known.iter().find(|info| info.id.as_str().eq_ignore_ascii_case(name));
        found.cloned().with_context(|| format!("history knows no instance {name}"))
    };
    args.instances.iter().map(find).collect()
}

/// How far history reaches, for the end of an error.
fn reach(reader: &Reader) -> String {
    match reader.span() {
        Ok(Some((oldest, newest))) => {
            format!(": states are kept from {} to {} UTC", moment(oldest), moment(newest))
        }
        _ => ": there is nothing yet".into(),
    }
}

/// `2026-11-20 02:14:00`, UTC.
fn moment(at: Timestamp) -> String {
    let mut out = String::new();
    figure::push_date(&mut out, at);
    out.push(' ');
    figure::push_clock(&mut out, at);
    out
}

/// Into the file of `--out`, or to standard output.
fn print(grid: &Grid, args: &Export) -> anyhow::Result<()> {
    let Some(path) = &args.out else {
        return grid.print(args.output, &mut std::io::stdout().lock());
    };
    let mut bytes = Vec::new();
    grid.print(args.output, &mut bytes)?;
    write(path, &bytes, args.force)
}

/// Writes a file that only its owner can read, all of it or nothing.
fn write(path: &Path, bytes: &[u8], force: bool) -> anyhow::Result<()> {
    refuse_existing(path, force)?;
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let doing = || format!("writing {}", path.display());
    let mut file = tempfile::NamedTempFile::new_in(folder).with_context(doing)?;
    file.write_all(bytes).with_context(doing)?;
    file.as_file().sync_all().with_context(doing)?;
    if force {
        file.persist(path).with_context(doing)?;
    } else {
        file.persist_noclobber(path).with_context(doing)?;
    }
    Ok(())
}

fn refuse_existing(path: &Path, force: bool) -> anyhow::Result<()> {
    if !force && path.exists() {
        bail!("{} is there already: take another name with --out, or --force", path.display());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_ms(1_795_181_400_000);

    #[test]
    fn a_stretch_is_an_hour_up_to_now_unless_it_is_said() {
        let of = |from, to| period(from, to, NOW).map_err(|e| format!("{e:#}"));
        assert_eq!(of(None, None), Ok(Period { from: NOW.plus_ms(-LENGTH_MS), to: NOW }));
        let two = NOW.plus_ms(-2 * LENGTH_MS);
        assert_eq!(of(None, Some("-1h")), Ok(Period { from: two, to: NOW.plus_ms(-LENGTH_MS) }));
        assert_eq!(of(Some("-2h"), None), Ok(Period { from: two, to: NOW }));
        assert!(of(Some("-1h"), Some("-2h")).is_err_and(|e| e.contains("before")));
        assert!(of(Some("soon"), None).is_err_and(|e| e.contains("is no time")));
    }
}
