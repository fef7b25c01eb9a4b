//! `dbtop bookmark`: bookmarks and incidents for scripts, as the keys of the screen make them. Works beside a running collector.

use super::{
    ask::Terminal,
    invocation::Invocation,
    output::{Cell, Grid},
    when::Watch,
};
use crate::{
    app::history::file::{HistoryFile, uids},
    cli::bookmark::{Bookmark, BookmarkCommand, Spot},
    model::{
        base::time::Timestamp,
        timeline::{chart::MarkKind, event::Cause},
    },
    store::history::{AFTER_MS, Event, EventFilter, Marks, Reader},
};
use anyhow::bail;
use std::{collections::HashMap, process::ExitCode, sync::Arc};

/// Runs one of the sub-commands.
///
/// # Errors
/// In sentences that say the way out: see `store::StoreError`.
pub fn run(args: Bookmark, invocation: &Invocation) -> anyhow::Result<ExitCode> {
    let file = HistoryFile::find(args.history.as_deref(), &invocation.selection, &mut Terminal::default())?;
    let mut reader = file.read()?;
    let watch = &Watch::of(invocation)?;
    let changed: Vec<Event> = match args.command {
        BookmarkCommand::Add { spot, note } => {
            let (at, uids) = find(&mut reader, &spot, watch)?;
            let uids: Vec<Option<Arc<str>>> =
                if uids.is_empty() { vec![None] } else { uids.into_iter().map(Some).collect() };
            uids.into_iter().map(|uid| Event::bookmark(uid, at, &note)).collect()
        }
        BookmarkCommand::Keep { spot, note } => {
            let (at, uids) = find(&mut reader, &spot, watch)?;
            if uids.is_empty() {
                bail!("an incident is one of an instance: name it with --instance");
            }
            let cause = note.map_or(Cause::ByHand, |note| Cause::Note(note.into()));
            uids.into_iter().map(|uid| Event::incident(uid, at, cause.clone())).collect()
        }
        BookmarkCommand::List { instances } => {
            let found = list(&mut reader, &instances, watch)?;
            grid(&mut reader, &found, watch)?.print(args.output, &mut std::io::stdout().lock())?;
            return Ok(ExitCode::SUCCESS);
        }
        BookmarkCommand::Remove { number } => {
            let found = list(&mut reader, &[], watch)?;
            let Some(event) = found.into_iter().find(|event| event.no == number) else {
                bail!("no bookmark or incident has the number {number}: `dbtop bookmark list` shows them");
            };
            marks(&file)?.remove(number)?;
            grid(&mut reader, &[event], watch)?.print(args.output, &mut std::io::stdout().lock())?;
            return Ok(ExitCode::SUCCESS);
        }
    };
    let marks = marks(&file)?;
    let mut put: Vec<Event> = Vec::new();
    for event in &changed {
        put.push(marks.put(event)?);
    }
    grid(&mut reader, &put, watch)?.print(args.output, &mut std::io::stdout().lock())?;
    Ok(ExitCode::SUCCESS)
}

fn marks(file: &HistoryFile) -> anyhow::Result<Marks> {
    Ok(Marks::open(&file.path, file.sealer.clone())?)
}

fn find(reader: &mut Reader, spot: &Spot, watch: &Watch) -> anyhow::Result<(Timestamp, Vec<Arc<str>>)> {
    Ok((watch.instant(spot.at.as_deref().unwrap_or("now"))?, uids(reader, &spot.instances)?))
}

/// Bookmarks and incidents of these instances, or of all, in the order of time.
fn list(reader: &mut Reader, instances: &[String], watch: &Watch) -> anyhow::Result<Vec<Event>> {
    let uids = uids(reader, instances)?;
    let filter = EventFilter { uids, kinds: vec![MarkKind::Bookmark, MarkKind::Incident] };
    // An incident may not be over yet.
    let to = watch.now.plus_ms(AFTER_MS);
    Ok(reader.events().list(&filter, Timestamp::from_ms(0), to)?)
}

fn grid(reader: &mut Reader, events: &[Event], watch: &Watch) -> anyhow::Result<Grid> {
    let known = reader.instances().all()?;
    let names: HashMap<&str, &str> = known.iter().map(|info| (&*info.uid, info.id.as_str())).collect();
    let row = |event: &Event| {
        let uid = event.uid.as_deref();
        let name = uid.map_or("", |uid| names.get(uid).copied().unwrap_or(uid));
        let kind = if event.kind == MarkKind::Incident { "incident" } else { "bookmark" };
        vec![
            // It has 63 bits; many readers of JSON keep only 53 bits of a number.
            Cell::Text(event.no.to_string()),
            Cell::Text(kind.to_owned()),
            watch.cell(Some(event.at)),
            watch.cell(event.to),
            Cell::Text(name.to_owned()),
            Cell::Text(event.what.told(&watch.zone).to_string()),
        ]
    };
    let columns = vec!["number", "kind", "from", "to", "instance", "note"];
    Ok(Grid { columns, rows: events.iter().map(row).collect() })
}
