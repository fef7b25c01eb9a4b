//! Our own cost: counters of our own session on that server. The cost limiter measures with it, so it is never slowed.

use crate::{
    model::poll::{
        Sample,
        cost::{CostSample, Slowed, Tier},
        id::ProbeId,
        reading::Unavailable,
    },
    probe::{
        batch::Sets,
        context::ProbeContext,
        descriptor::{Probe, Start, needed},
        script::{Script, script},
    },
};

const COST: Script = script!("cost", Nothing, one row);

/// See the module.
pub(super) static PROBE: Probe = Probe {
    parts: &[needed(COST)],
    rate: true,
    start: Start::AtOnce,
    never_slowed: true,
    ..Probe::new(ProbeId::Cost, Tier::Detail, decode)
};

fn decode(sets: &Sets, ctx: &ProbeContext) -> Result<Sample, Unavailable> {
    let row = sets.one("cost")?;
    Ok(Sample::Cost(CostSample {
        session_id: row.i32("session_id"),
        cpu_ms: row.count("cpu_time"),
        logical_reads: row.count("logical_reads"),
        login_at: ctx.clock().at(row, "login_time"),
        slowed: Slowed::default(),
    }))
}
