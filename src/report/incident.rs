//! The report on an incident. The recording is made first, scrubbed if that is asked for, and the page from the recording:
//! a name that is not in the one is not in the other. Only the figures of charts come from the history itself, which
//! reaches further back than states do (`charts`).

use super::{
    charts::charts,
    gather::{Story, gather},
    page,
    period::Period,
    scrub::Scrubber,
};
use crate::{
    model::{base::zone::Zone, inventory::instance::InstanceInfo, judge::health::Thresholds},
    store::{
        StoreError,
        history::{Copied, Reader, Stretch, copy},
    },
};
use std::{cell::RefCell, path::Path, sync::Arc};

/// The options of a report.
#[derive(Debug, Clone)]
pub struct Options<'a> {
    /// the stretch of time
    pub period: Period,
    /// whose clock times are told by
    pub zone: &'a Zone,
    /// states are judged by these
    pub thresholds: &'a Thresholds,
    /// names and literals are replaced, in the page and in the recording
    pub scrub: bool,
    /// who made the page; empty: the page does not say. Scrubbing leaves it out
    pub author: &'a str,
    /// the file name of the recording, as the page calls it
    pub recording_name: &'a str,
}

/// A finished report; the recording is in its file.
#[derive(Debug)]
pub struct Incident {
    /// the page, HTML
    pub page: String,
    /// readings in the recording; 0: states of that time are not kept any more
    pub readings: u64,
    /// nothing at all is kept of that time: no state, no event, no figure
    pub is_empty: bool,
    /// parts of the history that could not be read
    pub damaged: Vec<String>,
}

/// Makes the report on these instances: writes the recording to `recording`, a new file, and returns the page.
///
/// # Errors
/// The history cannot be read, or the recording cannot be written.
pub fn make(
    reader: &mut Reader,
    infos: &[Arc<InstanceInfo>],
    options: &Options<'_>,
    recording: &Path,
) -> Result<Incident, StoreError> {
    let period = options.period;
    let scrubber = if options.scrub { Some(Scrubber::learn(reader, infos, period)?) } else { None };
    let scrubber = RefCell::new(scrubber);
    let copied = record(reader, recording, infos, period, &scrubber)?;
    let story = tell(recording, infos, options, &scrubber)?;
    let volume = |mount: &str| match &mut *scrubber.borrow_mut() {
        Some(scrubber) => scrubber.volume(mount),
        None => mount.into(),
    };
    let draw = |n: usize| {
        let source = story.instances.get(n).map_or("", |instance| &*instance.source);
        charts(reader, source, period, &volume)
    };
    let facts = page::Facts {
        // A person's name is a name, too.
        author: if options.scrub { "" } else { options.author },
        scrubbed: options.scrub,
        recording: options.recording_name,
        readings: copied.readings,
    };
    let page = page::page(&story, &facts, &draw)?;
    let mut damaged = copied.damaged;
    damaged.extend(story.damaged);
    Ok(Incident {
        page: page.text,
        readings: copied.readings,
        is_empty: copied.readings == 0 && copied.events == 0 && !page.has_charts,
        damaged,
    })
}

fn record(
    reader: &mut Reader,
    file: &Path,
    infos: &[Arc<InstanceInfo>],
    period: Period,
    scrubber: &RefCell<Option<Scrubber>>,
) -> Result<Copied, StoreError> {
    let uids = infos.iter().map(|info| Arc::clone(&info.uid)).collect();
    let stretch = Stretch { uids, from: period.from, to: period.to };
    copy(
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
    )
}

/// The story that the recording tells of these instances, under the names that they have there.
fn tell(
    recording: &Path,
    infos: &[Arc<InstanceInfo>],
    options: &Options<'_>,
    scrubber: &RefCell<Option<Scrubber>>,
) -> Result<Story, StoreError> {
    let shown = |info: &Arc<InstanceInfo>| match &mut *scrubber.borrow_mut() {
        Some(scrubber) => scrubber.info(info),
        None => Arc::clone(info),
    };
    let infos = infos.iter().map(|info| (shown(info), Arc::clone(&info.uid))).collect();
    gather(&mut Reader::open(recording, None)?, infos, options.thresholds, options.period, options.zone)
}
