//! Rules about reads and writes, and about database files: how long an average one takes, which file is slow while the average looks
//! fine, and which data file cannot grow. A slow file and the average that it makes are one thing, and so are a full volume and a file
//! that has no room on it: the graver of the two tells.

use super::case::{Case, MAX_OF_A_KIND};
use crate::model::{
    base::time::Timestamp,
    judge::{
        health::{Level, Topic},
        limits::Gauge,
        why::Why,
    },
    poll::{
        files::{FileRow, LEAST_PER_S},
        growths::{FileGrowth, GrowthTable},
        space::Tight,
        wait_class::WaitCategory,
    },
};
use std::sync::Arc;

/// Fewer reads or flushes than this a second say nothing about the disk.
const IO_MIN_PER_S: f64 = 1.0;
/// A file that grew within this time goes on growing, ms: what it cannot any more will fail.
const GROWS_MS: i64 = 86_400_000;
/// A file that grows and cannot any more is critical by so many points at least.
const FAILS: (Level, u8) = (Level::Critical, 50);

/// A file at its limit of which nobody knows what is free inside costs so many points at most.
const LIMIT_POINTS: u8 = 20;

/// Level and points.
type Grade = (Level, u8);

/// How long a page read and a log flush take, and a read or a write of the slowest file.
pub(super) fn io(case: &mut Case<'_>) {
    let (mut reads, mut flushes) = (page_reads(case), log_flushes(case));
    let mut slow = slow_file(case);
    // The average that the file is part of: of log writes that of flushes, of reads of data that of pages.
    let average = match &slow {
        Some((_, true, Why::SlowFile { writes: true, .. })) => Some(&mut flushes),
        Some((_, false, Why::SlowFile { writes: false, .. })) => Some(&mut reads),
        _ => None,
    };
    if let (Some((grade, ..)), Some(average)) = (&slow, average) {
        match average {
            Some(((level, _), _)) if *level >= grade.0 => slow = None,
            average => *average = None,
        }
    }
    let stalled = stalled_io(case);
    // A file that hangs is slow, too: the graver of the two tells.
    if let (Some((grade, _, Why::SlowFile { ids, .. })), Some((hangs, Why::StalledIo { ids: of, .. }))) =
        (&slow, &stalled)
        && ids == of
        && hangs >= grade
    {
        slow = None;
    }
    let slow = slow.map(|(grade, _, why)| (grade, why));
    let all = reads.into_iter().chain(flushes).chain(slow).chain(stalled);
    for (grade, why) in all {
        case.add(grade, Topic::Io, why);
    }
}

/// From so many a second on an average is judged. One that is in force stays so for half as many: they come and go.
fn least_io(case: &Case<'_>, is: impl Fn(&Why) -> bool) -> f64 {
    if case.was(is).is_some() { IO_MIN_PER_S / 2.0 } else { IO_MIN_PER_S }
}

fn page_reads(case: &Case<'_>) -> Option<(Grade, Why)> {
    let waits = case.facts.waits.fresh(case.now)?;
    let read = waits.categories.iter().find(|c| c.category == WaitCategory::BufferIo)?;
    let is = |why: &Why| matches!(why, Why::PageReads(_));
    let ms = read.ms_per_s / (read.tasks_per_s >= least_io(case, is)).then_some(read.tasks_per_s)?;
    let found = case.grade(Gauge::Io, ms, is)?;
    Some((found, Why::PageReads(ms)))
}

fn log_flushes(case: &Case<'_>) -> Option<(Grade, Why)> {
    let h = case.facts.headline.fresh(case.now)?;
    let is = |why: &Why| matches!(why, Why::LogFlushes(_));
    let ms = h.log_flushes_per_s.filter(|per_s| *per_s >= least_io(case, is)).and(h.log_flush_ms)?;
    let found = case.grade(Gauge::Io, ms, is)?;
    Some((found, Why::LogFlushes(ms)))
}

/// The slowest file that does more than a trickle, and whether it is a log.
fn slow_file(case: &Case<'_>) -> Option<(Grade, bool, Why)> {
    let table = case.facts.files.fresh(case.now)?;
    let sides = table.files.iter().flat_map(|row| {
        [(row, false, row.read_ms, row.reads_per_s), (row, true, row.write_ms, row.writes_per_s)]
    });
    let busy = sides.filter(|(.., per_s)| per_s.is_some_and(|n| n >= LEAST_PER_S));
    let found =
        busy.filter_map(|(row, writes, ms, _)| Some((side(case, row, writes, ms?)?, row, writes, ms?)));
    let (grade, row, writes, ms) = found.max_by(|(a, .., x), (b, .., y)| a.cmp(b).then(x.total_cmp(y)))?;
    let file = &row.file;
    let (database, name) = (file.database.clone(), file.name.clone());
    let why = Why::SlowFile { ids: file.ids(), database, file: name, writes, ms };
    Some((grade, file.kind.as_deref() == Some("LOG"), why))
}

/// The file whose I/O in flight is the gravest, each by what it was before. One that hangs has no time of any that ended.
fn stalled_io(case: &Case<'_>) -> Option<(Grade, Why)> {
    let table = case.facts.files.fresh(case.now)?;
    let graded = table.files.iter().filter_map(|row| {
        let is = |why: &Why| matches!(why, Why::StalledIo { ids, .. } if *ids == row.file.ids());
        let oldest_ms = row.oldest_io_ms?;
        Some((case.grade(Gauge::PendingIo, oldest_ms as f64 / 1_000.0, is)?, oldest_ms, row))
    });
    let (grade, oldest_ms, row) = graded.max_by_key(|(grade, ms, _)| (*grade, *ms))?;
    let (database, file) = (row.file.database.clone(), row.file.name.clone());
    // As coarse as it is told.
    let oldest_ms = oldest_ms / 1_000 * 1_000;
    Some((grade, Why::StalledIo { ids: row.file.ids(), database, file, oldest_ms, pending: row.pending_ios }))
}

/// How bad the reads, or the writes, of a file are.
fn side(case: &Case<'_>, row: &FileRow, writes: bool, ms: f64) -> Option<Grade> {
    let is = |why: &Why| matches!(why, Why::SlowFile { ids, writes: known, .. } if *ids == row.file.ids() && *known == writes);
    case.grade(Gauge::FileIo, ms, is)
}

/// Data files that cannot grow. Of those that lack room on one volume the tightest tells.
pub(super) fn room(case: &mut Case<'_>) {
    let Some(space) = case.facts.space.fresh(case.now).cloned() else { return };
    let growths = case.facts.growths.fresh(case.now).cloned();
    let mut told: Vec<(Grade, Why)> = Vec::new();
    for tight in &space.tight {
        let inside_pct = case.facts.room.fresh(case.now).and_then(|room| room.of(tight.ids)?.free_pct());
        let grew = growths.as_deref().map_or(0, |growths| grew(growths, tight, case.now));
        let Some(grade) = room_of(case, tight, inside_pct, grew) else { continue };
        if is_told(&told, tight) || is_told_by_volume(case, tight.mount.as_ref(), grade.0) {
            continue;
        }
        let Tight { ids, database, file, mount, next_kb, room_kb } = tight.clone();
        told.push((
            grade,
            Why::CannotGrow { ids, database, file, mount, next_kb, room_kb, grew, inside_pct },
        ));
    }
    told.sort_by_key(|(grade, _)| std::cmp::Reverse(*grade));
    for (grade, why) in told.into_iter().take(MAX_OF_A_KIND) {
        if let Why::CannotGrow { mount: Some(mount), .. } = &why {
            // A lesser reason about the volume gives way.
            case.reasons.retain(|reason| !is_of_volume(reason.why(), mount));
        }
        case.add(grade, Topic::Storage, why);
    }
}

/// By its room, and where it has none by what is free inside of it and by whether it grows. One that is told not to grow is judged by what
/// is inside alone, and so is one that somebody gave a limit: it is meant to be filled up to that. Where nobody knows what is inside, its
/// limit is no more than a warning.
fn room_of(case: &Case<'_>, tight: &Tight, inside_pct: Option<f64>, grew: u32) -> Option<Grade> {
    let is = |why: &Why| matches!(why, Why::CannotGrow { ids, .. } if *ids == tight.ids);
    let of_inside = || inside_pct.and_then(|pct| case.grade(Gauge::Inside, pct, is));
    if tight.is_fixed() {
        return of_inside();
    }
    let of_room = case.grade(Gauge::Room, tight.growths(), is);
    let fails = (grew > 0).then_some(FAILS);
    let is_limit = tight.mount.is_none();
    if tight.growths() >= 1.0 {
        return if is_limit && inside_pct.is_some() { of_inside() } else { of_room };
    }
    match (is_limit, inside_pct) {
        (true, Some(_)) => of_inside().max(fails),
        (true, None) => {
            of_room.map(|(level, points)| (level.min(Level::Warning), points.min(LIMIT_POINTS))).max(fails)
        }
        (false, _) => [of_room?.into(), of_inside(), fails].into_iter().max().flatten(),
    }
}

/// How often the file grew within a day, as far as somebody read that.
fn grew(growths: &GrowthTable, tight: &Tight, now: Timestamp) -> u32 {
    let is_it = |growth: &&FileGrowth| {
        growth.database == tight.database && growth.file == tight.file && growth.is_log != Some(true)
    };
    let lately = growths.growths.iter().filter(is_it).filter(|growth| now - growth.at < GROWS_MS);
    u32::try_from(lately.count()).unwrap_or(u32::MAX)
}

/// A tighter file tells of the same volume already.
fn is_told(told: &[(Grade, Why)], tight: &Tight) -> bool {
    tight.mount.is_some()
        && told.iter().any(|(_, why)| matches!(why, Why::CannotGrow { mount, .. } if *mount == tight.mount))
}

/// The volume itself is a reason as grave as this: it tells of the file, too.
fn is_told_by_volume(case: &Case<'_>, mount: Option<&Arc<str>>, level: Level) -> bool {
    let Some(mount) = mount else { return false };
    case.reasons.iter().any(|reason| reason.level >= level && is_of_volume(reason.why(), mount))
}

/// It is about what is free on this volume.
fn is_of_volume(why: &Why, mount: &Arc<str>) -> bool {
    match why {
        Why::Volume { mount: of, .. } | Why::VolumeFilling { mount: of, .. } => of.as_ref() == Some(mount),
        _ => false,
    }
}
