//! Schedulers and workers.

use crate::{
    model::poll::{Sample, cost::Tier, cpu::SchedulerSample, id::ProbeId, reading::Unavailable},
    probe::{
        batch::Sets,
        context::ProbeContext,
        descriptor::{Probe, needed},
        script::{Needs, Script, script},
    },
};

const SCHEDULERS: Script = script!("schedulers", Performance, one row);

/// See the module.
pub(super) static PROBE: Probe = Probe {
    parts: &[needed(SCHEDULERS)],
    unknown_without: &[(Needs::Performance, "runnable tasks")],
    panes: &["instance"],
    ..Probe::new(ProbeId::Schedulers, Tier::Detail, decode)
};

fn decode(sets: &Sets, _ctx: &ProbeContext) -> Result<Sample, Unavailable> {
    let row = sets.one("schedulers")?;
    Ok(Sample::Schedulers(SchedulerSample {
        schedulers: row.count("schedulers"),
        runnable: row.count("runnable_tasks"),
        busy: row.count("busy_schedulers"),
        queued: row.count("queued_tasks"),
        workers: row.count("workers"),
        active_workers: row.count("active_workers"),
        max_workers: row.count("max_workers"),
        pending_io: row.count("pending_io"),
    }))
}
