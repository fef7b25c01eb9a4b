//! `dbtop --export incident`: first the recording is made (scrubbed if that is asked for), then the page from the recording.
//! Only the figures of charts come from the history itself, which reaches further back than states do (`charts`).
//! Both files are made aside and put in their places when both are whole.

use super::{
    Period,
    charts::charts,
    gather::{Story, gather},
    moment, page, reach, refuse_existing,
    scrub::Scrubber,
};
use crate::{
    cli::export::Export,
    command::{
        ask,
        output::{Cell, Grid},
    },
    model::{
        chart::{Mark, MarkKind},
        health::Thresholds,
        instance::InstanceInfo,
        text,
    },
    store::history::{Copied, Event, Reader, Stretch, copy},
};
use anyhow::{Context, bail};
use std::{
    cell::RefCell,
    fs,
    path::{Path, PathBuf},
    sync::Arc,
};

/// So many instances have charts, the worst first; the others are in the table.
pub(super) const CHARTED: usize = 12;
/// Makes both files; a row for each.
///
/// # Errors
/// Nothing is kept of that time; a file is there already or cannot be written; the history cannot be read.
pub(super) fn run(
    reader: &mut Reader,
    infos: &[Arc<InstanceInfo>],
    period: Period,
    args: &Export,
    thresholds: &Thresholds,
) -> anyhow::Result<Grid> {
    let (page_file, recording_file) = files(args, period)?;
    let folder = page_file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let aside = tempfile::Builder::new()
        .prefix(".dbtop-export-")
        .tempdir_in(folder)
        .with_context(|| format!("writing into the folder {}", folder.display()))?;
    let scrubber = if args.scrub { Some(Scrubber::learn(reader, infos, period)?) } else { None };
    let scrubber = RefCell::new(scrubber);
    let draft = aside.path().join("recording.dbtop");
    let done = record(reader, &draft, infos, period, &scrubber)?;
    let mut recording = Reader::open(&draft, None)?;
    let shown = |info: &Arc<InstanceInfo>| match &mut *scrubber.borrow_mut() {
        Some(scrubber) => scrubber.info(info),
        None => Arc::clone(info),
    };
    let infos = infos.iter().map(|info| (shown(info), Arc::clone(&info.uid))).collect();
    let story = gather(&mut recording, infos, thresholds, period)?;
    let volume = |mount: &str| match &mut *scrubber.borrow_mut() {
        Some(scrubber) => scrubber.volume(mount),
        None => mount.into(),
    };
    let draw =
        |tale: usize| charts(reader, story.tales.get(tale).map_or("", |tale| &*tale.source), period, &volume);
    let html = page::page(&story, &facts(args, &recording_file, &done), &draw)?;
    drop(recording);
    if done.readings == 0 && done.events == 0 && !html.has_charts {
        bail!(
            "nothing is kept of these instances between {} and {} UTC{}",
            moment(period.from),
            moment(period.to),
            reach(reader)
        );
    }
    super::write(&page_file, html.text.as_bytes(), args.force)?;
    put(&draft, &recording_file, args.force)?;
    tell(args, &story, &done);
    let row = |what: &str, file: &Path| -> anyhow::Result<Vec<Cell>> {
        let size = fs::metadata(file).map_or(0, |meta| meta.len() as i64);
        let path = text::sanitize_line(&file.to_string_lossy(), 500).to_string();
        Ok(vec![Cell::Text(what.into()), Cell::Text(path), Cell::Int(size)])
    };
    let rows = vec![row("page", &page_file)?, row("recording", &recording_file)?];
    Ok(Grid { columns: vec!["what", "file", "bytes"], rows })
}

/// The page and, beside it, the recording; neither may be there.
fn files(args: &Export, period: Period) -> anyhow::Result<(PathBuf, PathBuf)> {
    let page = args.out.clone().unwrap_or_else(|| {
        let name: String = moment(period.from).chars().filter(|c| *c != ':').collect();
        format!("incident-{}.html", name.replace(' ', "-")).into()
    });
    let recording = page.with_extension("dbtop");
    if recording == page || page.file_name().is_none() {
        bail!("--out names the page, such as incident.html: the recording goes beside it as incident.dbtop");
    }
    refuse_existing(&page, args.force)?;
    refuse_existing(&recording, args.force)?;
    Ok((page, recording))
}

fn record(
    reader: &mut Reader,
    file: &Path,
    infos: &[Arc<InstanceInfo>],
    period: Period,
    scrubber: &RefCell<Option<Scrubber>>,
) -> anyhow::Result<Copied> {
    let uids = infos.iter().map(|info| Arc::clone(&info.uid)).collect();
    let stretch = Stretch { uids, from: period.from, to: period.to };
    let copied = copy(
        reader,
        file,
        None,
        &stretch,
        &mut |kept| {
            if let Some(scrubber) = &mut *scrubber.borrow_mut() {
                scrubber.kept(kept);
            }
        },
        &mut |event| {
            if let Some(scrubber) = &mut *scrubber.borrow_mut() {
                scrubber.event(event);
            }
        },
    );
    copied.context("making the recording")
}

/// Puts a finished file in its place.
fn put(draft: &Path, to: &Path, force: bool) -> anyhow::Result<()> {
    refuse_existing(to, force)?;
    // What an older recording left beside itself must never meet the new one.
    for ending in ["-wal", "-shm"] {
        let mut name = to.as_os_str().to_owned();
        name.push(ending);
        let _ = fs::remove_file(PathBuf::from(name));
    }
    fs::rename(draft, to).with_context(|| format!("writing {}", to.display()))
}

fn facts(args: &Export, recording: &Path, done: &Copied) -> page::Facts {
    let author = std::env::var("USER").or_else(|_| std::env::var("LOGNAME")).unwrap_or_default();
    page::Facts {
        // A person's name is a name, too.
        author: if args.scrub { String::new() } else { author },
        scrubbed: args.scrub,
        recording: recording.file_name().unwrap_or_default().to_string_lossy().into_owned(),
        readings: done.readings,
    }
}

fn tell(args: &Export, story: &Story, done: &Copied) {
    if args.scrub {
        ask::say(
            "names of hosts, instances, logins, programs, databases and addresses, and literals in statements were replaced; names of tables, columns and procedures were not: look through the page before you hand it on",
        );
    } else {
        ask::say(
            "neither file is sealed: who has them can read names, statements and logins in them (--scrub replaces them)",
        );
    }
    if done.readings == 0 {
        ask::say("no states are kept of that time any more: the page has charts and events only");
    }
    for words in done.damaged.iter().chain(&story.damaged).take(10) {
        let words = if args.scrub { "a part of the history" } else { words };
        ask::say(&text::sanitize_line(&format!("damaged and missing: {words}"), 500));
    }
}

/// What is marked on the charts of an instance.
pub(super) fn marks(story: &Story, info: &InstanceInfo) -> Vec<Mark> {
    let mine = story.events.iter().filter(|event| event.uid.as_ref().is_none_or(|uid| *uid == info.uid));
    let shown = mine.filter(|event| event.at >= story.period.from && event.kind != MarkKind::Gap);
    let mark = |event: &Event| Mark {
        at: event.at,
        to: event.to,
        kind: event.kind,
        instance: None,
        words: Arc::clone(&event.words),
    };
    shown.map(mark).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_recording_goes_beside_the_page() {
        let period = Period {
            from: crate::model::time::Timestamp::from_ms(1_795_181_400_000),
            to: crate::model::time::Timestamp::from_ms(1_795_185_000_000),
        };
        let cli = |args: &[&str]| {
            use clap::Parser as _;
            crate::cli::Cli::parse_from(args).export
        };
        let (page, recording) = files(&cli(&["dbtop", "--export", "incident"]), period).unwrap();
        assert_eq!(page, Path::new("incident-2026-11-20-133000.html"));
        assert_eq!(recording, Path::new("incident-2026-11-20-133000.dbtop"));
        let wrong = files(&cli(&["dbtop", "--export", "incident", "--out", "x.dbtop"]), period);
        assert!(wrong.unwrap_err().to_string().contains("beside"));
    }
}
