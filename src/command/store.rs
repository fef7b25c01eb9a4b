//! `dbtop store`: the content of a history and whether it is whole; backup and restore; recordings out and in. Results go
//! to standard output in the format of `-o`, advice to standard error.

use super::{
    ask,
    invocation::Invocation,
    output::{Cell, Grid},
    when::Watch,
};
use crate::{
    app::{
        configuration,
        history::file::{HistoryFile, uids},
    },
    cli::{self, store::StoreCommand},
    model::base::text,
    store::history::{Copied, Reader, StoreStats, Stretch},
};
use anyhow::bail;
use std::{path::Path, process::ExitCode};

/// The widest text of a cell.
const WIDEST: usize = 500;

/// Runs one of the sub-commands. The code is 2 if something is damaged.
///
/// # Errors
/// In sentences that say the way out: see `store::StoreError`.
pub fn run(args: cli::store::Store, invocation: &Invocation) -> anyhow::Result<ExitCode> {
    let mut target =
        HistoryFile::find(args.history.as_deref(), &invocation.selection, &mut ask::Terminal::default())?;
    let mut code = ExitCode::SUCCESS;
    let grid = match args.command {
        StoreCommand::Stats => {
            let options = configuration::history(&configuration::load(&invocation.given)?);
            stats(&target.read()?.stats().all()?, options.max_bytes, &Watch::of(invocation)?)
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
            let size = target.back_up(&file)?;
            pairs(vec![("backup", path_cell(&file)), ("bytes", Cell::Int(size as i64))])
        }
        StoreCommand::Restore { file } => {
            let old = target.put_back(&file)?;
            pairs(vec![
                ("restored", path_cell(&target.path)),
                ("put_aside", old.map_or(Cell::Unknown(String::new()), |old| path_cell(&old))),
            ])
        }
        StoreCommand::ExportRange { from, to, instances, file } => {
            let mut reader = target.read()?;
            let stretch = stretch(&mut reader, (&from, to.as_deref()), &instances, &Watch::of(invocation)?)?;
            let done = target.record(&mut reader, &stretch, &file)?;
            ask::say(
                "the recording is not sealed: who has the file can read names, statements and logins in it",
            );
            copied(&done, &file)
        }
        StoreCommand::Import { file } => {
            let done = target.take_in(&file)?;
            copied(&done, &target.path)
        }
    };
    grid.print(args.output, &mut std::io::stdout().lock())?;
    Ok(code)
}

fn stretch(
    reader: &mut Reader,
    (from, to): (&str, Option<&str>),
    names: &[String],
    watch: &Watch,
) -> anyhow::Result<Stretch> {
    let (from, to) = (watch.instant(from)?, watch.instant(to.unwrap_or("now"))?);
    if from >= to {
        bail!("the stretch ends before it begins");
    }
    Ok(Stretch { uids: uids(reader, names)?, from, to })
}

fn stats(stats: &StoreStats, max_bytes: u64, watch: &Watch) -> Grid {
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
                Cell::Size(tier.bytes as i64),
                Cell::real(bytes_each),
                watch.cell(tier.oldest),
                // The last window of an average goes on.
                watch.cell(tier.newest.map(|newest| newest.min(watch.now))),
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
    total("file", unknown(), Cell::Size(stats.file_bytes as i64));
    total("of which free", unknown(), Cell::Size(stats.free_bytes as i64));
    total(
        "growth a day",
        unknown(),
        stats.growth_a_day_bytes.map_or_else(unknown, |bytes| Cell::Size(bytes as i64)),
    );
    total("cap", unknown(), Cell::Size(max_bytes as i64));
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

fn path_cell(path: &Path) -> Cell {
    Cell::Text(line(&path.to_string_lossy()))
}

fn line(words: &str) -> String {
    text::sanitize_line(words, WIDEST).to_string()
}
