//! Roll-ups of a series, and the choice of the one that fits a chart. `charts` calls it.

use super::{asked::Asked, buckets::Totals, failure::Trouble, file::HistoryFile, windows::CHUNK_MS};
use crate::store::history::codec::{
    numbers::unchecked,
    rollup::{POLLS, Row, Tier, Total},
};
use rusqlite::{OptionalExtension, params};

const CHUNK_AT: &str =
    "SELECT start FROM chunk WHERE instance = ?1 AND probe = ?2 AND start <= ?3 AND start > ?4
    AND end >= ?3 ORDER BY start DESC LIMIT 1";
const OLDEST: &str = "SELECT start FROM chunk WHERE instance = ?1 AND probe = ?2 ORDER BY start LIMIT 1";
/// The oldest chunk that no incident keeps.
const OLDEST_LOOSE: &str = "SELECT start FROM chunk AS it WHERE instance = ?1 AND probe = ?2 AND NOT EXISTS(SELECT 1 FROM event
    WHERE kind = 6 AND event.instance = it.instance AND event.start <= it.end AND event.end >= it.start) ORDER BY start LIMIT 1";

/// The coarsest roll-up that is fine enough. If its past is gone, the next coarser one that reaches further back. None: the points
/// as they were measured.
pub(super) fn tier(file: &HistoryFile, ask: &Asked, bucket_ms: i64) -> Result<Option<Tier>, Trouble> {
    let fits = Tier::ALL.into_iter().rev().find(|tier| tier.bucket_s() * 1000 <= bucket_ms);
    let mut best: (Option<Tier>, i64) = (fits, reaches_back(file, ask, fits)?);
    for tier in Tier::ALL.into_iter().filter(|tier| Some(*tier) > fits) {
        if best.1 <= ask.from {
            break;
        }
        let oldest = reaches_back(file, ask, Some(tier))?;
        // A bucket that starts a little earlier reaches no further back.
        if oldest.saturating_add(tier.row_s()) < best.1 {
            best = (Some(tier), oldest);
        }
    }
    Ok(best.0)
}

fn reaches_back(file: &HistoryFile, ask: &Asked, tier: Option<Tier>) -> Result<i64, Trouble> {
    let oldest: Option<i64> = match tier {
        None => points_reach_back(file, ask)?,
        Some(tier) => file
            .connection
            .prepare_cached("SELECT min(start) FROM rollup WHERE instance = ?1 AND probe = ?2 AND tier = ?3")?
            .query_row(params![ask.instance, ask.probe.code(), tier.code()], |row| row.get(0))?,
    };
    Ok(oldest.unwrap_or(i64::MAX))
}

/// The points that an incident keeps reach back only for a chart within them.
fn points_reach_back(file: &HistoryFile, ask: &Asked) -> Result<Option<i64>, Trouble> {
    let one = |sql: &str, values: &[i64]| -> Result<Option<i64>, Trouble> {
        let key = [ask.instance.into(), ask.probe.code().into()];
        let asked = rusqlite::params_from_iter(key.iter().chain(values));
        Ok(file.connection.prepare_cached(sql)?.query_row(asked, |row| row.get(0)).optional()?)
    };
    let (from, to) = (ask.from.saturating_mul(1000), ask.to.saturating_mul(1000));
    let has = |at: i64| one(CHUNK_AT, &[at, at.saturating_sub(2 * CHUNK_MS)]);
    let oldest = match (has(from)?, has(to)?) {
        (Some(start), Some(_)) => Some(start),
        _ => one(OLDEST_LOOSE, &[])?.map_or_else(|| one(OLDEST, &[]), |start| Ok(Some(start)))?,
    };
    Ok(oldest.map(|ms| ms.div_euclid(1000)))
}

/// The totals of a roll-up. `damaged` counts the rows that cannot be read.
pub(super) fn read(
    file: &HistoryFile,
    ask: &Asked,
    tier: Tier,
    damaged: &mut u32,
) -> Result<Totals, Trouble> {
    let mut statement = file.connection.prepare_cached(
        "SELECT blob FROM rollup WHERE instance = ?1 AND probe = ?2 AND tier = ?3 AND start > ?4 AND start < ?5
            ORDER BY start",
    )?;
    let first = ask.from - tier.row_s();
    let mut rows = statement.query(params![ask.instance, ask.probe.code(), tier.code(), first, ask.to])?;
    let mut totals = Totals::new();
    while let Some(row) = rows.next()? {
        let blob = row.get_ref(0)?.as_blob().map_err(rusqlite::Error::from)?;
        let read = |plain: &[u8]| {
            let polls = if ask.zero { Row::series(plain, POLLS)? } else { Vec::new() };
            Ok((polls, Row::series(plain, ask.series)?))
        };
        let Ok((polls, found)) = unchecked(blob).and_then(read) else {
            *damaged += 1;
            continue;
        };
        let mut row: Totals = found.into_iter().collect();
        for (bucket, polls) in polls {
            let total = row.get(&bucket).copied();
            let absent = polls.n.saturating_sub(total.map_or(0, |total| total.n));
            if absent > 0 {
                let zeros = Total { n: absent, ..Total::of(0) };
                let zeros = Total { sum: 0, ..zeros };
                row.insert(bucket, total.map_or(zeros, |total| total.with(zeros)));
            }
        }
        let width = tier.bucket_s();
        let inside = row.into_iter().map(|(bucket, total)| (bucket * width, total));
        totals.extend(inside.filter(|(at, _)| *at + width > ask.from && *at < ask.to));
    }
    Ok(totals)
}
