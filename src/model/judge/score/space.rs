//! Rules about what fills up: volumes, tempdb and transaction logs. Each is judged by what is free and by when it will be full (`judge::trend`);
//! it is one thing, and costs once: what is worse of the two.

use super::case::{Case, MAX_OF_A_KIND, Seen};
use crate::model::{
    base::figure::told_span,
    judge::{
        health::{Level, Topic},
        limits::Gauge,
        trend,
        why::{Holder, Why},
    },
    poll::{headline::Headline, id::SeriesId, logs::LogRow, volumes::VolumeRow},
    timeline::history::Series,
};

/// A session is named that holds at least this part of tempdb, %.
const HOLDER_NAMED_PCT: f64 = 20.0;
/// KB of a page.
const PAGE_KB: f64 = 8.0;

pub(super) fn volumes(case: &mut Case<'_>) {
    let Some(volumes) = case.facts.volumes.fresh(case.now).cloned() else { return };
    let mut rows: Vec<_> = volumes
        .iter()
        .filter_map(|v| {
            let (total, free) = (v.total_bytes.filter(|t| *t > 0)?, v.free_bytes?);
            Some(((free as f64 / total as f64 * 100.0).clamp(0.0, 100.0), v))
        })
        .collect();
    // The fullest row of a volume tells for it.
    rows.sort_by(|(a, _), (b, _)| a.total_cmp(b));
    let mut seen = Seen::default();
    let first = rows.into_iter().filter(|(_, row)| seen.is_first(row.key()));
    let mut found: Vec<_> = first.filter_map(|(free_pct, row)| volume(case, row, free_pct)).collect();
    found.sort_by_key(|(grade, _)| std::cmp::Reverse(*grade));
    for (grade, why) in found.into_iter().take(MAX_OF_A_KIND) {
        case.add(grade, Topic::Storage, why);
    }
}

fn volume(case: &Case<'_>, row: &VolumeRow, free_pct: f64) -> Option<((Level, u8), Why)> {
    let mount = row.mount.clone();
    let is = |why: &Why| matches!(why, Why::Volume { mount: known, .. } if *known == mount);
    let of_free = case.grade(Gauge::Volume, free_pct, is);
    let is = |why: &Why| matches!(why, Why::VolumeFilling { mount: known, .. } if *known == mount);
    let of_trend = row.full_in_ms.and_then(|ms| {
        let found = case.grade(Gauge::VolumeFull, ms as f64 / 3_600_000.0, is)?;
        Some((found, told_span(ms)))
    });
    match of_trend {
        Some((found, full_in_ms)) => {
            let grown = case.facts.space.fresh(case.now).and_then(|s| s.grown_on(mount.as_deref())).cloned();
            let why = Why::VolumeFilling { mount, full_in_ms, free_pct, grown };
            Some((of_free.map_or(found, |f| f.max(found)), why))
        }
        None => of_free.map(|found| (found, Why::Volume { mount, free_pct })),
    }
}

pub(super) fn tempdb(case: &mut Case<'_>) {
    let Some(h) = case.facts.headline.fresh(case.now) else { return };
    let Some(used) = h.tempdb_used_pct else { return };
    let free_pct = 100.0 - used;
    let is = |why: &Why| matches!(why, Why::Tempdb(_) | Why::TempdbHeld { .. });
    let of_free = case.grade(Gauge::Tempdb, free_pct, is);
    let points = case.history.get(SeriesId::Tempdb).into_iter().flat_map(Series::points);
    let full_in = trend::full_in_ms(points.map(|(at, pct)| (at, f64::from(pct))), trend::MINUTES);
    let is = |why: &Why| matches!(why, Why::TempdbFilling { .. });
    let of_trend =
        full_in.and_then(|ms| Some((case.grade(Gauge::TempdbFull, ms as f64 / 60_000.0, is)?, ms)));
    match (of_trend, of_free) {
        (Some((found, ms)), of_free) => {
            let why = Why::TempdbFilling { full_in_ms: told_span(ms), free_pct, holder: holder(case, h) };
            case.add(of_free.map_or(found, |f| f.max(found)), Topic::Tempdb, why);
        }
        (None, Some(found)) => {
            let held = holder(case, h).map(|holder| Why::TempdbHeld { free_pct, holder });
            case.add(found, Topic::Tempdb, held.unwrap_or(Why::Tempdb(free_pct)));
        }
        (None, None) => {}
    }
}

/// Transaction logs, of what each may take: one that can grow is not full at the end of its files.
pub(super) fn logs(case: &mut Case<'_>) {
    let Some(logs) = case.facts.logs.fresh(case.now).cloned() else { return };
    let mut seen = Seen::default();
    let first = logs.iter().filter(|row| seen.is_first(row.key()));
    let mut found: Vec<_> = first.filter_map(|row| log(case, row)).collect();
    found.sort_by_key(|(grade, _)| std::cmp::Reverse(*grade));
    for (grade, why) in found.into_iter().take(MAX_OF_A_KIND) {
        case.add(grade, Topic::Log, why);
    }
}

fn log(case: &Case<'_>, row: &LogRow) -> Option<((Level, u8), Why)> {
    let free_pct = 100.0 - row.used_pct()?;
    let was = |fills: bool| {
        move |why: &Why| {
            matches!(why, Why::Log { database, full_in_ms, .. }
                if *database == row.database && full_in_ms.is_some() == fills)
        }
    };
    let of_free = case.grade(Gauge::Log, free_pct, was(false));
    let of_trend = row.full_in_ms.and_then(|ms| {
        let found = case.grade(Gauge::LogFull, ms as f64 / 60_000.0, was(true))?;
        Some((found, told_span(ms)))
    });
    let grade = of_trend.map(|(found, _)| found).max(of_free)?;
    let why = Why::Log {
        database: row.database.clone(),
        full_in_ms: of_trend.map(|(_, ms)| ms),
        free_pct,
        reuse_wait: row.reuse_wait.clone(),
        session: log_holder(case, row),
    };
    Some((grade, why))
}

/// The session with the oldest transaction in the log, if such a one holds it: as the poll of logs told, or else who runs there.
fn log_holder(case: &Case<'_>, row: &LogRow) -> Option<i32> {
    if row.reuse_wait.as_deref() != Some("ACTIVE_TRANSACTION") {
        return None;
    }
    if let Some(session) = row.holder.as_ref().and_then(|holder| holder.session_id) {
        return Some(session);
    }
    let requests = &case.facts.activity.fresh(case.now)?.requests;
    let there = requests.iter().filter(|r| r.database == row.database);
    let oldest = there.filter_map(|r| Some((r.transaction_at?, r.session_id))).min();
    oldest.map(|(_, session)| session)
}

/// The session that holds most of tempdb, where somebody asked who does: that is done for instances on the screen, and for the worst ones.
/// Those that sleep are in the answer of tempdb alone; the version store has no owner, but somebody it is kept for.
fn holder(case: &Case<'_>, h: &Headline) -> Option<Holder> {
    let size_kb = h.tempdb_size_kb.filter(|kb| *kb > 0)? as f64;
    let pct = |kb: f64| (kb / size_kb * 100.0).clamp(0.0, 100.0);
    let requests = case.facts.activity.fresh(case.now).map_or(&[][..], |activity| &activity.requests);
    let table = case.facts.tempdb_use.fresh(case.now);
    let of_requests =
        requests.iter().filter_map(|r| Some((r.tempdb_now_pages? as f64 * PAGE_KB, r.session_id)));
    let sessions = table.map_or(&[][..], |table| &table.sessions);
    let of_sessions = sessions.iter().filter_map(|s| Some((s.total_kb()? as f64, s.session_id)));
    let most = of_requests.chain(of_sessions).max_by(|(a, x), (b, y)| a.total_cmp(b).then(x.cmp(y)));
    let own = most.map(|(kb, session)| Holder { session, pct: pct(kb), versions: false });
    let of_versions = table.and_then(|table| {
        let (kb, oldest) = (table.version_kb?, table.holders.first()?);
        Some(Holder { session: oldest.session_id, pct: pct(kb as f64), versions: true })
    });
    let first = own.into_iter().chain(of_versions).max_by(|a, b| a.pct.total_cmp(&b.pct))?;
    (first.pct >= HOLDER_NAMED_PCT).then(|| Holder { pct: first.pct.round(), ..first })
}
