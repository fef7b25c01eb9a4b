//! Volumes that hold database files. Known to be slow on some servers: a round trip of its own.

use crate::{
    model::poll::{Sample, State, cost::Tier, id::ProbeId, reading::Unavailable, volumes::VolumeRow},
    probe::{
        batch::Sets,
        context::ProbeContext,
        descriptor::{Company, Probe, needed},
        script::{Needs, Script, script},
    },
};
use std::sync::Arc;

const VOLUMES: Script = script!("volumes", Performance, by "volume_mount_point");

/// See the module.
pub(super) static PROBE: Probe = Probe {
    parts: &[needed(VOLUMES)],
    company: Company::Alone,
    timeout_ms: 20_000,
    unknown_without: &[(Needs::Performance, "volumes"), (Needs::Definition, "volumes")],
    panes: &["volumes"],
    ..Probe::new(ProbeId::Volumes, Tier::Slow, decode)
};

/// Every instance has files: no row means that we may not see them.
fn decode(sets: &Sets, ctx: &ProbeContext) -> Result<Sample, Unavailable> {
    let rows: Vec<_> = sets
        .many("volumes")?
        .map(|row| {
            // A volume of no bytes is one of which nothing is known, and not a full one.
            let total_bytes = row.count("total_bytes").filter(|b| *b > 0);
            VolumeRow {
                mount: row.line("volume_mount_point", 260),
                total_bytes,
                free_bytes: total_bytes.and(row.count("available_bytes")),
                ..VolumeRow::default()
            }
        })
        .collect();
    if rows.is_empty() {
        return Err(Unavailable::NoRight(Needs::Definition.right(ctx.major()).into()));
    }
    Ok(Sample::Known(State::Volumes(Arc::new(rows))))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        probe::fixture::{set, sets},
        tds::Cell,
    };

    #[test]
    fn a_volume_of_no_bytes_has_no_size() {
        let columns = ["volume_mount_point", "total_bytes", "available_bytes"];
        let row =
            |mount, total, free| vec![Cell::Text(String::from(mount)), Cell::Int(total), Cell::Int(free)];
        let told =
            sets(vec![set("volumes", &columns, vec![row("/a", 0, 0), row("/b", -1, -1), row("/c", 9, 4)])]);
        let ctx = ProbeContext::new(crate::model::base::time::Timestamp::default);
        let Ok(Sample::Known(State::Volumes(rows))) = decode(&told, &ctx) else { panic!() };
        let sizes: Vec<_> = rows.iter().map(|v| (v.total_bytes, v.free_bytes)).collect();
        assert_eq!(sizes, [(None, None), (None, None), (Some(9), Some(4))]);
    }

    #[test]
    fn no_volume_at_all_is_a_missing_right() {
        let empty = sets(vec![set("volumes", &["volume_mount_point"], vec![])]);
        let refused =
            decode(&empty, &ProbeContext::new(crate::model::base::time::Timestamp::default)).unwrap_err();
        assert_eq!(refused, Unavailable::NoRight("VIEW ANY DEFINITION".into()));
    }
}
