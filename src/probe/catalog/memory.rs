//! Memory of machine and process, and the queue for memory grants.

use crate::{
    model::poll::{
        Sample, State,
        cost::Tier,
        id::ProbeId,
        memory::{MemoryNow, used_pct},
        reading::Unavailable,
    },
    probe::{
        batch::Sets,
        context::ProbeContext,
        descriptor::{Probe, needed},
        script::{Needs, Script, script},
    },
};

const MEMORY: Script = script!("memory", Performance, one row);

/// See the module.
pub(super) static PROBE: Probe = Probe {
    parts: &[needed(MEMORY)],
    unknown_without: &[(Needs::Performance, "memory")],
    panes: &["instance"],
    ..Probe::new(ProbeId::Memory, Tier::Detail, decode)
};

fn decode(sets: &Sets, _ctx: &ProbeContext) -> Result<Sample, Unavailable> {
    let row = sets.one("memory")?;
    let physical_kb = row.count("total_physical_memory_kb");
    let now = MemoryNow {
        used_pct: used_pct(physical_kb, row.count("available_physical_memory_kb")),
        physical_kb,
        process_kb: row.count("physical_memory_in_use_kb"),
        process_low: row.bool("process_physical_memory_low"),
        machine_low: row.bool("system_low_memory_signal_state"),
        grant_waiters: row.count("waiter_count"),
        granted_kb: row.count("granted_memory_kb"),
        grantable_kb: row.count("available_memory_kb"),
    };
    Ok(Sample::Known(State::Memory(Box::new(now))))
}
