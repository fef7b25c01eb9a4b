//! `dbtop export`: reports on a stretch of time, as files. `report` makes them; this file reads the options,
//! opens the history and puts results in their places: on standard output, or in files that only their owner can read.

use super::{
    ask,
    invocation::Invocation,
    output::{self, Cell, Grid},
    when::Watch,
};
use crate::{
    app::{configuration, exported, history::file::HistoryFile},
    cli::export::{Export, Exported, Options},
    model::{
        base::{error::without_temporary, figure::counted, text, time::Timestamp, zone::Zone},
        fold::{Fleet, scope::Scope, update::Update},
        inventory::instance::InstanceInfo,
        judge::health::Thresholds,
    },
    report::{
        Period,
        cost::{self, Cost},
        incident::{self, Incident},
    },
    store::{Tenant, file_sha256, history::Reader, sha256},
};
use anyhow::{Context, bail};
use std::{
    fs,
    io::Write as _,
    path::{Path, PathBuf},
    process::ExitCode,
    sync::Arc,
};

/// The length of the stretch without `--from`, ms.
const LENGTH_MS: i64 = 3_600_000;
/// The file name that stands for standard output.
const STDOUT: &str = "-";
/// Most damaged parts of the history that are named.
const DAMAGED: usize = 10;

/// How the figures of `cost` were measured.
const HOW: &str = "cpu_ms_per_s: CPU of dbtop's own sessions on the server, by that server's counters, ms per second of wall time, \
     on average over the time that samples cover; a gap counts for nothing, not for zero";

/// Writes the report that is asked for.
///
/// # Errors
/// In sentences: no history, nothing in it of that time, a file that is there already or cannot be written.
pub fn run(args: Export, invocation: &Invocation) -> anyhow::Result<ExitCode> {
    let Export { what, options } = args;
    let watch = &Watch::of(invocation)?;
    let period = period(options.from.as_deref(), options.to.as_deref(), watch)?;
    let config = configuration::load(&invocation.given)?;
    let mut target =
        HistoryFile::find(options.history.as_deref(), &invocation.selection, &mut ask::Terminal::default())?;
    let mut reader = target.read()?;
    let infos = chosen(&mut reader, &options)?;
    match what {
        Exported::Cost => {
            let sha256 = print(&cost(&mut reader, &infos, period, watch)?, &options)?;
            let (file, of) = (file_of(&options), (&options, infos.len()));
            note(target.tenant.as_mut(), ("cost", file, &sha256), of, period)?;
        }
        Exported::Incident => {
            let (page, recording) = files(&options, period, &watch.zone)?;
            let to = (&*page, &*recording);
            let grid = incident(&mut reader, &infos, period, to, &options, (&config.health, watch))?;
            for (what, file) in [("incident", &page), ("recording", &recording)] {
                let sha256 = file_sha256(file)?;
                let written = (what, Some(&**file), &*sha256);
                note(target.tenant.as_mut(), written, (&options, infos.len()), period)?;
            }
            grid.print(options.output, &mut std::io::stdout().lock())?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn period(from: Option<&str>, to: Option<&str>, watch: &Watch) -> anyhow::Result<Period> {
    let instant = |text: &str| watch.instant(text);
    let to = to.map_or(Ok(watch.now), instant)?;
    let from = from.map_or(Ok(to.plus_ms(-LENGTH_MS)), instant)?;
    if from >= to {
        bail!("the stretch ends before it begins: --from must be before --to");
    }
    Ok(Period { from, to })
}

/// The instances that the options choose, in the order of the history.
fn chosen(reader: &mut Reader, options: &Options) -> anyhow::Result<Vec<Arc<InstanceInfo>>> {
    let known = reader.instances().all()?;
    if known.is_empty() {
        bail!("there is nothing in {} yet", reader.path().display());
    }
    if let Some(scope) = &options.scope {
        let mut fleet = Fleet::new(Thresholds::default());
        fleet.apply(Update::Inventory(known.clone()));
        let snapshot = fleet.snapshot(Timestamp::default());
        let scope = Scope::parse(scope, &snapshot).with_context(|| format!("reading the scope {scope:?}"))?;
        let inside = snapshot.instances.iter().filter(|i| scope.as_ref().is_none_or(|s| s.holds(i)));
        return Ok(inside.map(|i| Arc::clone(&i.info)).collect());
    }
    if options.instances.is_empty() {
        return Ok(known);
    }
    let find = |name: &String| {
        let found = known.iter().find(|info| info.id.as_str().eq_ignore_ascii_case(name));
        found.cloned().with_context(|| format!("history knows no instance {name}"))
    };
    options.instances.iter().map(find).collect()
}

/// The extent of the history, as the end of an error.
fn reach(reader: &Reader, watch: &Watch) -> String {
    match reader.stats().span() {
        Ok(Some((oldest, newest))) => {
            format!(": states are kept from {} to {}", watch.zone.instant(oldest), watch.zone.instant(newest))
        }
        _ => ": there is nothing yet".into(),
    }
}

/// A row for each instance, and one for all of them together.
fn cost(
    reader: &mut Reader,
    infos: &[Arc<InstanceInfo>],
    period: Period,
    watch: &Watch,
) -> anyhow::Result<Grid> {
    let mut costs = cost::of_each(reader, infos, period)?;
    if costs.iter().all(|cost| cost.cpu.samples == 0) {
        bail!("nothing is kept of what dbtop cost between these times{}", reach(reader, watch));
    }
    costs.push(cost::total(&costs));
    ask::say(HOW);
    let columns = vec![
        "instance",
        "cpu_ms_per_s",
        "peak_cpu_ms_per_s",
        "reads_per_s",
        "budget_ms_per_s",
        "within_budget",
        "covered_pct",
        "samples",
        "headline_polls",
    ];
    Ok(Grid { columns, rows: costs.into_iter().map(|cost| cost_cells(cost, period)).collect() })
}

fn cost_cells(cost: Cost, period: Period) -> Vec<Cell> {
    let thousandths = |value: f64| (value * 1000.0).round() / 1000.0;
    let covered = thousandths(cost.covered_pct(period));
    let is_within_budget = cost.is_within_budget();
    vec![
        Cell::Text(cost.name),
        Cell::real(cost.cpu.mean.map(thousandths)).because(Some("nothing kept of that time")),
        Cell::real(cost.cpu.peak.map(thousandths)),
        Cell::real(cost.reads.mean.map(thousandths)),
        Cell::real(cost.budget),
        is_within_budget.map_or(Cell::Unknown(String::new()), Cell::Flag),
        Cell::Real(covered),
        Cell::Int(cost.cpu.samples as i64),
        Cell::Int(cost.polls as i64),
    ]
}

/// Makes the page and its recording in temporary files and moves both into place when both are whole. A row for each file.
fn incident(
    reader: &mut Reader,
    infos: &[Arc<InstanceInfo>],
    period: Period,
    (page, recording): (&Path, &Path),
    options: &Options,
    (thresholds, watch): (&Thresholds, &Watch),
) -> anyhow::Result<Grid> {
    let folder = folder_of(page);
    let aside = tempfile::Builder::new()
        .prefix(".dbtop-export-")
        .tempdir_in(folder)
        .map_err(without_temporary)
        .with_context(|| format!("writing into the folder {}", folder.display()))?;
    let draft = aside.path().join("recording.dbtop");
    let report = incident::Options {
        period,
        zone: &watch.zone,
        thresholds,
        scrub: options.scrub,
        author: &std::env::var("USER").or_else(|_| std::env::var("LOGNAME")).unwrap_or_default(),
        recording_name: &recording.file_name().unwrap_or_default().to_string_lossy(),
    };
    let made = incident::make(reader, infos, &report, &draft).context("making the report")?;
    if made.is_empty {
        bail!(
            "nothing is kept of these instances between {} and {}{}",
            watch.zone.instant(period.from),
            watch.zone.instant(period.to),
            reach(reader, watch)
        );
    }
    write(page, made.page.as_bytes(), options.force)?;
    put(&draft, recording, options.force)?;
    advise(options, &made);
    let row = |what: &str, file: &Path| {
        let size = fs::metadata(file).map_or(0, |meta| meta.len() as i64);
        let path = text::sanitize_line(&file.to_string_lossy(), 500).to_string();
        vec![Cell::Text(what.into()), Cell::Text(path), Cell::Int(size)]
    };
    let rows = vec![row("page", page), row("recording", recording)];
    Ok(Grid { columns: vec!["what", "file", "bytes"], rows })
}

/// The audit log of the tenant tells of an export; the history of a plain inventory and of a recording has none.
fn note(
    tenant: Option<&mut Tenant>,
    (what, file, sha256): (&str, Option<&Path>, &str),
    (options, instances): (&Options, usize),
    period: Period,
) -> anyhow::Result<()> {
    let Some(tenant) = tenant else { return Ok(()) };
    let scrubbed = if options.scrub { ", names replaced" } else { "" };
    let of = options.scope.as_ref().map(|scope| format!(" of {scope}")).unwrap_or_default();
    let scope = format!("{}{of}{scrubbed}", counted(instances, "instance"));
    let period = Some((period.from, period.to));
    exported::Exported { what, scope: &scope, period, file, sha256 }
        .note(tenant)
        .context("it is written, but the audit log does not tell of it")
}

/// The page and, beside it, the recording; neither may be there.
fn files(options: &Options, period: Period, zone: &Zone) -> anyhow::Result<(PathBuf, PathBuf)> {
    if options.out.as_deref() == Some(Path::new(STDOUT)) {
        bail!(
            "--out -: an incident is two files, a page and its recording, and standard output takes one: name the page, such as \
             incident.html"
        );
    }
    let page = options.out.clone().unwrap_or_else(|| {
        let mut name = String::new();
        zone.push_moment(&mut name, period.from);
        format!("incident-{}.html", name.replace(':', "").replace(' ', "-")).into()
    });
    let recording = page.with_extension("dbtop");
    if recording == page || page.file_name().is_none() {
        bail!("--out names the page, such as incident.html: the recording goes beside it as incident.dbtop");
    }
    refuse_existing(&page, options.force)?;
    refuse_existing(&recording, options.force)?;
    Ok((page, recording))
}

/// Puts a finished recording in its place.
fn put(draft: &Path, to: &Path, force: bool) -> anyhow::Result<()> {
    refuse_existing(to, force)?;
    // SQLite must never apply the log of an older recording to the new one.
    for ending in ["-wal", "-shm"] {
        let mut name = to.as_os_str().to_owned();
        name.push(ending);
        let _ = fs::remove_file(PathBuf::from(name));
    }
    fs::rename(draft, to).with_context(|| format!("writing {}", to.display()))
}

/// Tells the person at the terminal who can read the files, and what is missing in them.
fn advise(options: &Options, made: &Incident) {
    if options.scrub {
        ask::say(
            "names of hosts, instances, logins, programs, databases and addresses, and literals in statements were replaced; names of tables, columns and procedures were not; notes, messages of jobs and sentences that an older version kept were left out: look through the page before you hand it on",
        );
    } else {
        ask::say(
            "neither file is sealed: who has them can read names, statements and logins in them (--scrub replaces them)",
        );
    }
    if made.readings == 0 {
        ask::say("no states are kept of that time any more: the page has charts and events only");
    }
    for words in made.damaged.iter().take(DAMAGED) {
        let words = if options.scrub { "a part of the history" } else { words };
        ask::say(&text::sanitize_line(&format!("damaged and missing: {words}"), 500));
    }
}

/// The file of `--out`; None: standard output, which `-` stands for.
fn file_of(options: &Options) -> Option<&Path> {
    options.out.as_deref().filter(|file| *file != Path::new(STDOUT))
}

/// Into the file of `--out`, or to standard output. Returns the SHA-256 of what was written.
fn print(grid: &Grid, options: &Options) -> anyhow::Result<String> {
    let mut bytes = Vec::new();
    grid.print(options.output, &mut bytes)?;
    match file_of(options) {
        Some(path) => write(path, &bytes, options.force)?,
        None => output::print(&String::from_utf8_lossy(&bytes))?,
    }
    Ok(sha256(&bytes))
}

/// Writes a file that only its owner can read, all of it or nothing.
fn write(path: &Path, bytes: &[u8], force: bool) -> anyhow::Result<()> {
    refuse_existing(path, force)?;
    let folder = folder_of(path);
    let doing = || format!("writing {}", path.display());
    let mut file = tempfile::NamedTempFile::new_in(folder).map_err(without_temporary).with_context(doing)?;
    file.write_all(bytes).with_context(doing)?;
    file.as_file().sync_all().with_context(doing)?;
    if force {
        file.persist(path).with_context(doing)?;
    } else {
        file.persist_noclobber(path).with_context(doing)?;
    }
    Ok(())
}

fn folder_of(file: &Path) -> &Path {
    file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
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
    use crate::model::base::zone::UTC;

    const NOW: Timestamp = Timestamp::from_ms(1_795_181_400_000);

    #[test]
    fn a_stretch_is_an_hour_up_to_now_unless_it_is_said() {
        let watch = Watch { zone: UTC.clone(), now: NOW };
        let of = |from, to| period(from, to, &watch).map_err(|e| format!("{e:#}"));
        assert_eq!(of(None, None), Ok(Period { from: NOW.plus_ms(-LENGTH_MS), to: NOW }));
        let two = NOW.plus_ms(-2 * LENGTH_MS);
        assert_eq!(of(None, Some("-1h")), Ok(Period { from: two, to: NOW.plus_ms(-LENGTH_MS) }));
        assert_eq!(of(Some("-2h"), None), Ok(Period { from: two, to: NOW }));
        assert!(of(Some("-1h"), Some("-2h")).is_err_and(|e| e.contains("before")));
        assert!(of(Some("soon"), None).is_err_and(|e| e.contains("is no time")));
    }

    #[test]
    fn the_recording_goes_beside_the_page() {
        let period = Period { from: NOW.plus_ms(-LENGTH_MS), to: NOW };
        let args = |args: &[&str]| {
            use clap::Parser as _;
            crate::cli::Cli::parse_from(args).alias.options
        };
        let (page, recording) = files(&args(&["dbtop", "--export", "incident"]), period, &UTC).unwrap();
        assert_eq!(page, Path::new("incident-2026-11-20-123000.html"));
        assert_eq!(recording, Path::new("incident-2026-11-20-123000.dbtop"));
        let two = files(&args(&["dbtop", "--export", "incident", "--out", "-"]), period, &UTC);
        assert!(two.unwrap_err().to_string().contains("an incident is two files"));
        let wrong = files(&args(&["dbtop", "--export", "incident", "--out", "x.dbtop"]), period, &UTC);
        assert!(wrong.unwrap_err().to_string().contains("beside"));
    }

    #[test]
    fn a_file_that_is_there_goes_only_by_force() {
        let there = tempfile::NamedTempFile::new().unwrap();
        assert!(refuse_existing(there.path(), false).unwrap_err().to_string().contains("--force"));
        assert!(refuse_existing(there.path(), true).is_ok());
        assert!(refuse_existing(&there.path().with_extension("other"), false).is_ok());
    }

    fn options(args: &[&str]) -> Options {
        use clap::Parser as _;
        let args = ["dbtop", "--export", "cost"].iter().chain(args);
        crate::cli::Cli::parse_from(args).alias.options
    }

    /// A history that knows these instances, and nothing else of them.
    fn history(folder: &Path, names: &[&str]) -> Reader {
        use crate::{
            model::{
                poll::link::Link,
                timeline::record::{Record, Recorded},
            },
            store::history::{Engine, Options},
        };
        let path = folder.join("history.db");
        let mut engine = Engine::open(&path, None, Options::default()).unwrap();
        let what = Recorded::Link { link: Link::Up, since: NOW, was_down: false };
        let of =
            |name: &&str| Record { info: Arc::new(InstanceInfo::named(name)), at: NOW, what: what.clone() };
        engine.take(names.iter().map(of).collect());
        engine.close().unwrap();
        Reader::open(&path, None).unwrap()
    }

    #[test]
    fn instances_are_chosen_by_name_by_scope_or_all() {
        let folder = tempfile::tempdir().unwrap();
        let mut reader = history(folder.path(), &["alpha", "beta", "gamma"]);
        let mut of = |args: &[&str]| {
            let infos = chosen(&mut reader, &options(args)).map_err(|e| format!("{e:#}"))?;
            Ok::<Vec<String>, String>(infos.iter().map(|info| info.id.to_string()).collect())
        };
        assert_eq!(of(&[]).unwrap(), ["alpha", "beta", "gamma"]);
        assert_eq!(of(&["--instance", "GAMMA", "--instance", "alpha"]).unwrap(), ["gamma", "alpha"]);
        assert_eq!(of(&["--scope", "beta"]).unwrap(), ["beta"]);
        assert!(of(&["--instance", "delta"]).is_err_and(|e| e.contains("knows no instance delta")));
        let empty = tempfile::tempdir().unwrap();
        let nothing = chosen(&mut history(empty.path(), &[]), &options(&[])).unwrap_err().to_string();
        assert!(nothing.contains("there is nothing in"), "{nothing}");
    }

    #[test]
    fn an_error_tells_how_far_the_history_reaches() {
        let watch = Watch { zone: UTC.clone(), now: NOW };
        let folder = tempfile::tempdir().unwrap();
        let told = reach(&history(folder.path(), &["alpha"]), &watch);
        assert!(told.starts_with(": states are kept from 2026-11-20 13:30"), "{told}");
        let empty = tempfile::tempdir().unwrap();
        assert_eq!(reach(&history(empty.path(), &[]), &watch), ": there is nothing yet");
    }

    #[test]
    fn a_cost_is_told_in_thousandths_and_unknown_is_no_zero() {
        use crate::report::cost::Measured;
        let period = Period { from: NOW.plus_ms(-LENGTH_MS), to: NOW };
        let of = |mean| Measured { mean, peak: Some(7.123_456), covered_ms: LENGTH_MS / 3, samples: 12 };
        let known = Cost {
            name: "alpha".into(),
            cpu: of(Some(1.234_567)),
            reads: of(Some(2.0)),
            polls: 9,
            budget: Some(20.0),
        };
        let cells = cost_cells(known.clone(), period);
        let shown: Vec<Cell> = vec![
            Cell::Text("alpha".into()),
            Cell::Real(1.235),
            Cell::Real(7.123),
            Cell::Real(2.0),
            Cell::Real(20.0),
            Cell::Flag(true),
            Cell::Real(33.333),
            Cell::Int(12),
            Cell::Int(9),
        ];
        assert_eq!(cells, shown);
        let unknown = Cost { cpu: of(None), budget: None, ..known };
        let cells = cost_cells(unknown, period);
        assert_eq!(cells[1], Cell::Unknown("nothing kept of that time".into()));
        assert_eq!([&cells[4], &cells[5]], [&Cell::Unknown(String::new()); 2]);
    }

    #[test]
    fn a_file_is_written_whole_for_its_owner_alone_and_over_another_by_force() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("cost.csv");
        let grid = Grid { columns: vec!["n"], rows: vec![vec![Cell::Int(7)]] };
        let out = path.to_string_lossy().into_owned();
        print(&grid, &options(&["--out", &out, "-o", "csv"])).unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "n\n7\n");
        // A dash is standard output, and no file is called so.
        assert_eq!(file_of(&options(&["--out", "-"])), None);
        assert_eq!(file_of(&options(&["--out", "./-"])), Some(Path::new("./-")));
        #[cfg(unix)]
        {
            let mode = std::os::unix::fs::PermissionsExt::mode(&fs::metadata(&path).unwrap().permissions());
            assert_eq!(mode & 0o777, 0o600);
        }
        let refused = write(&path, b"other", false).unwrap_err().to_string();
        assert!(refused.contains("--force"), "{refused}");
        assert_eq!(fs::read_to_string(&path).unwrap(), "n\n7\n");
        write(&path, b"other", true).unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "other");
        assert!(write(&folder.path().join("none/file"), b"x", true).is_err());
    }

    #[test]
    fn a_recording_that_is_put_in_its_place_takes_the_log_of_an_older_one_away() {
        let folder = tempfile::tempdir().unwrap();
        let (draft, to) = (folder.path().join("draft"), folder.path().join("a.dbtop"));
        let log = folder.path().join("a.dbtop-wal");
        for (path, text) in [(&draft, "new"), (&to, "old"), (&log, "old log")] {
            fs::write(path, text).unwrap();
        }
        assert!(put(&draft, &to, false).is_err());
        assert_eq!(
            (fs::read_to_string(&to).unwrap().as_str(), log.exists()),
            ("old", true),
            "nothing changed"
        );
        put(&draft, &to, true).unwrap();
        assert_eq!(
            (fs::read_to_string(&to).unwrap().as_str(), log.exists(), draft.exists()),
            ("new", false, false)
        );
    }
}
