//! Wait statistics, cumulative.

use crate::{
    model::poll::{Sample, cost::Tier, id::ProbeId, reading::Unavailable, waits::WaitCounter},
    probe::{
        batch::Sets,
        context::ProbeContext,
        descriptor::{Probe, Start, needed},
        script::{Needs, Script, script},
    },
};

const WAITS: Script = script!("waits", Performance, by "wait_type");

/// See the module.
pub(super) static PROBE: Probe = Probe {
    parts: &[needed(WAITS)],
    rate: true,
    start: Start::AtOnce,
    unknown_without: &[(Needs::Performance, "waits")],
    panes: &["waits"],
    ..Probe::new(ProbeId::Waits, Tier::Detail, decode)
};

/// Rows without a name or with a negative counter are left out.
fn decode(sets: &Sets, ctx: &ProbeContext) -> Result<Sample, Unavailable> {
    let clock = ctx.clock();
    let rows = sets.many("waits")?.filter_map(|row| {
        Some(WaitCounter {
            name: row.line("wait_type", 60)?,
            tasks: row.count("waiting_tasks_count")?,
            wait_ms: row.count("wait_time_ms")?,
            max_ms: clock.duration(row.i64("max_wait_time_ms")).unwrap_or(0),
            signal_ms: row.count("signal_wait_time_ms")?,
        })
    });
    Ok(Sample::Waits(rows.collect()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        probe::fixture::{set, sets, text},
        tds::Cell,
    };

    #[test]
    fn negative_waits_are_left_out() {
        let columns =
            ["wait_type", "waiting_tasks_count", "wait_time_ms", "max_wait_time_ms", "signal_wait_time_ms"];
        let row = |name, ms| vec![text(name), Cell::Int(1), Cell::Int(ms), Cell::Int(5), Cell::Int(0)];
        let answer = set("waits", &columns, vec![row("LCK_M_X", 10), row("BAD", -10), row("", 3)]);
        let Ok(Sample::Waits(w)) =
            decode(&sets(vec![answer]), &ProbeContext::new(crate::model::base::time::Timestamp::default))
        else {
            panic!()
        };
        assert_eq!(w.iter().map(|w| &*w.name).collect::<Vec<_>>(), ["LCK_M_X"]);
    }
}
