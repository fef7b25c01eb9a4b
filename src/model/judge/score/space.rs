//! Rules about what fills up: volumes and tempdb. Each is one thing, and costs once.

use super::case::{Case, MAX_OF_A_KIND, Seen};
use crate::model::judge::{
    health::{Level, Topic},
    limits::Gauge,
    why::Why,
};

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
    let mut found: Vec<((Level, u8), Why)> = Vec::new();
    for (free_pct, row) in rows.into_iter().filter(|(_, row)| seen.is_first(row.key())) {
        let is = |why: &Why| matches!(why, Why::Volume { mount, .. } if *mount == row.mount);
        if let Some(grade) = case.grade(Gauge::Volume, free_pct, is) {
            found.push((grade, Why::Volume { mount: row.mount.clone(), free_pct }));
        }
    }
    found.sort_by_key(|(grade, _)| std::cmp::Reverse(*grade));
    for (grade, why) in found.into_iter().take(MAX_OF_A_KIND) {
        case.add(grade, Topic::Storage, why);
    }
}

pub(super) fn tempdb(case: &mut Case<'_>) {
    let Some(used) = case.facts.headline.fresh(case.now).and_then(|h| h.tempdb_used_pct) else { return };
    let free_pct = 100.0 - used;
    if let Some(found) = case.grade(Gauge::Tempdb, free_pct, |why| matches!(why, Why::Tempdb(_))) {
        case.add(found, Topic::Tempdb, Why::Tempdb(free_pct));
    }
}
