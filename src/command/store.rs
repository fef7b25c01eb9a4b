//! `dbtop store`: what is in a history and whether it is whole; backup and restore; recordings out and in. Results go to standard
//! output in the format of `-o`, advice to standard error.

use super::{
    ask,
    collect::place::Place,
    config,
    historian::{FILE, options},
    open,
    output::{Cell, Grid},
};
use crate::{
    cli::{self, Source, Tenancy, store::StoreCommand},
    model::{
        base::{text, time::Timestamp},
        timeline::past::{self, When},
    },
    store::{
        Home, current_author,
        history::{Copied, Reader, StoreStats, Stretch, copy, restore},
    },
    vault::Sealer,
};
use anyhow::{Context, bail};
use chrono::{DateTime, Utc};
use std::{
    path::{Path, PathBuf},
    process::ExitCode,
    sync::Arc,
};

/// The widest text of a cell.
const WIDEST: usize = 500;

/// A history, and what opens it.
pub(super) struct Target {
    /// the file
    pub path: PathBuf,
    /// None: it is in the open
    pub sealer: Option<Sealer>,
}

/// Runs one of the sub-commands. The code is 2 if something is damaged.
///
/// # Errors
/// In sentences that say the way out: see `store::StoreError`.
pub fn run(
    args: &cli::store::Store,
    source: &Source,
    tenancy: &Tenancy,
    screen: &cli::Screen,
) -> anyhow::Result<ExitCode> {
    let target = target(args.history.as_deref(), source, tenancy)?;
    let mut code = ExitCode::SUCCESS;
    let grid = match &args.command {
        StoreCommand::Stats => {
            let options = options(&config::load(source, screen)?);
            stats(&target.read()?.stats()?, options.max_bytes)
        }
        StoreCommand::Check => {
            let checked = target.read()?.check()?;
            if !checked.is_clean() {
                code = ExitCode::from(2);
            }
            for words in &checked.words {
                ask::say(&line(words));
            }
            pairs(vec![
                ("rows", Cell::Int(checked.rows as i64)),
                ("problems", Cell::Int(checked.problems as i64)),
                ("whole", Cell::Flag(checked.is_clean())),
            ])
        }
        StoreCommand::Backup { file } => {
            let size = target.read()?.backup(file)?;
            pairs(vec![("backup", path_cell(file)), ("bytes", Cell::Int(size as i64))])
        }
        StoreCommand::Restore { file } => {
            let old = restore(file, &target.path, target.sealer.clone())?;
            pairs(vec![
                ("restored", path_cell(&target.path)),
                ("put_aside", old.map_or(Cell::Unknown(String::new()), |old| path_cell(&old))),
            ])
        }
        StoreCommand::ExportRange { from, to, instances, file } => {
            if file.exists() {
                bail!("{} is there already: take another name", file.display());
            }
            let mut reader = target.read()?;
            let stretch = stretch(&mut reader, from, to.as_deref(), instances)?;
            let done = copy(&mut reader, file, None, &stretch, &mut |_| {}, &mut |_| {})?;
            ask::say(
                "the recording is not sealed: who has the file can read names, statements and logins in it",
            );
            copied(&done, file)
        }
        StoreCommand::Import { file } => {
            let mut recording = Reader::open(file, None)?;
            let Some((from, to)) = recording.span()? else { bail!("there is nothing in {}", file.display()) };
            let stretch = Stretch { uids: Vec::new(), from, to };
            let done = copy(
                &mut recording,
                &target.path,
                target.sealer.clone(),
                &stretch,
                &mut |_| {},
                &mut |_| {},
            )?;
            copied(&done, &target.path)
        }
    };
    grid.print(args.output, &mut std::io::stdout().lock())?;
    Ok(code)
}

impl Target {
    /// Opens it.
    ///
    /// # Errors
    /// There is none yet; those of [`Reader::open`].
    pub fn read(&self) -> anyhow::Result<Reader> {
        if !self.path.exists() {
            bail!("there is no history at {} yet: it is made when a fleet is collected", self.path.display());
        }
        Ok(Reader::open(&self.path, self.sealer.clone())?)
    }
}

/// The history that is meant: this file, that of an inventory file, or that of the tenant, whose vault is opened.
///
/// # Errors
/// No such tenant, or its vault stays closed; a demo has none.
pub(super) fn target(history: Option<&Path>, source: &Source, tenancy: &Tenancy) -> anyhow::Result<Target> {
    if let Some(path) = history {
        return Ok(Target { path: path.to_owned(), sealer: None });
    }
    if source.demo.is_some() {
        bail!("the history of a demo ends with it: name a tenant, --inventory or --history");
    }
    if source.inventory.is_some() {
        let place = Place::find(source, tenancy)?;
        let folder = Home::find()?.data().join("plain").join(&place.name);
        return Ok(Target { path: folder.join(FILE), sealer: None });
    }
    let mut tenant = open::unlocked(tenancy)?;
    let folder = tenant.path().parent().context("a tenant's file lies in a folder")?.to_owned();
    let sealer = tenant.history_key(&current_author())?;
    Ok(Target { path: folder.join(FILE), sealer: Some(sealer) })
}

fn stretch(reader: &mut Reader, from: &str, to: Option<&str>, names: &[String]) -> anyhow::Result<Stretch> {
    let (from, to) = (instant(from)?, instant(to.unwrap_or("now"))?);
    if from >= to {
        bail!("the stretch ends before it begins");
    }
    Ok(Stretch { uids: uids(reader, names)?, from, to })
}

/// A time as people say it.
///
/// # Errors
/// It is none.
pub(super) fn instant(words: &str) -> anyhow::Result<Timestamp> {
    let now = Timestamp::from_ms(Utc::now().timestamp_millis());
    if words == "now" {
        return Ok(now);
    }
    match past::parse(words, now, 0) {
        Ok(When::At(at)) => Ok(at),
        Ok(When::Live) => Ok(now),
        Err(error) => Err(error).with_context(|| format!("reading the time {words:?}")),
    }
}

/// What history knows these instances by.
///
/// # Errors
/// It does not know one of them.
pub(super) fn uids(reader: &mut Reader, names: &[String]) -> anyhow::Result<Vec<Arc<str>>> {
    let known = reader.instances()?;
    let find = |name: &String| {
        let found = known.iter().find(|info| info.id.as_str().eq_ignore_ascii_case(name));
        found.map(|info| info.uid.clone()).with_context(|| format!("history knows no instance {name}"))
    };
    names.iter().map(find).collect()
}

fn stats(stats: &StoreStats, max_bytes: u64) -> Grid {
    let mut rows: Vec<Vec<Cell>> = stats
        .tiers
        .iter()
        .map(|tier| {
            let items = tier.items.map(|items| items as i64);
            let bytes_each = tier.items.filter(|n| *n > 0).map(|n| tier.bytes as f64 / n as f64);
            vec![
                Cell::Text(tier.name.to_owned()),
                Cell::Int(tier.rows as i64),
                Cell::int(items),
                Cell::Int(tier.bytes as i64),
                Cell::real(bytes_each),
                say_instant(tier.oldest),
                say_instant(tier.newest),
            ]
        })
        .collect();
    let unknown = || Cell::Unknown(String::new());
    let mut total = |name: &str, items: Cell, bytes: Cell| {
        rows.push(vec![
            Cell::Text(name.to_owned()),
            unknown(),
            items,
            bytes,
            unknown(),
            unknown(),
            unknown(),
        ]);
    };
    total("instances", Cell::Int(stats.instances as i64), unknown());
    total("series", Cell::Int(stats.series as i64), unknown());
    total("file", unknown(), Cell::Int(stats.file_bytes as i64));
    total("of which free", unknown(), Cell::Int(stats.free_bytes as i64));
    total("growth a day", unknown(), Cell::int(stats.growth_a_day_bytes.map(|bytes| bytes as i64)));
    total("cap", unknown(), Cell::Int(max_bytes as i64));
    total("days until the cap", Cell::real(stats.days_until(max_bytes)), unknown());
    Grid { columns: vec!["what", "rows", "items", "bytes", "bytes_an_item", "oldest", "newest"], rows }
}

fn copied(done: &Copied, file: &Path) -> Grid {
    for words in &done.damaged {
        ask::say(&line(&format!("damaged and missing: {words}")));
    }
    for name in &done.left_out {
        ask::say(&line(&format!("left out, there is something of it at that time already: {name}")));
    }
    pairs(vec![
        ("file", path_cell(file)),
        ("instances", Cell::Int(done.instances as i64)),
        ("readings", Cell::Int(done.readings as i64)),
        ("events", Cell::Int(done.events as i64)),
        ("left_out", Cell::Int(done.left_out.len() as i64)),
        ("damaged", Cell::Int(done.damaged.len() as i64)),
    ])
}

/// One row, each column with its value.
fn pairs(values: Vec<(&'static str, Cell)>) -> Grid {
    let (columns, row) = values.into_iter().unzip();
    Grid { columns, rows: vec![row] }
}

/// An instant as a cell.
pub(super) fn say_instant(at: Option<Timestamp>) -> Cell {
    let at = at.and_then(|at| DateTime::from_timestamp_millis(at.ms()));
    at.map_or(Cell::Unknown(String::new()), |at| Cell::Text(at.format("%Y-%m-%d %H:%M:%S").to_string()))
}

fn path_cell(path: &Path) -> Cell {
    Cell::Text(line(&path.to_string_lossy()))
}

fn line(words: &str) -> String {
    text::sanitize_line(words, WIDEST).to_string()
}
