//! What is said of the memory of one instance above the rows of Memory and Grants: what it has and may have, page life per NUMA node,
//! what the plan cache is made of, and whether anybody says that memory is low.

use super::Part;
use crate::{
    model::{
        base::figure,
        fold::snapshot::InstanceSnapshot,
        judge::health::Level,
        poll::grants::{GrantTable, MemoryHealth},
    },
    tui::view::View,
};
use std::{fmt::Write as _, sync::Arc};

/// Writes KB as a size.
pub fn push_kb(out: &mut String, kb: i64) {
    figure::push_size(out, kb as f64 * 1024.0);
}

/// `target 64 GB · total 60 GB · stolen 9 GB · process 62 GB`, of what is known.
pub fn amounts(i: &InstanceSnapshot) -> Vec<(Part, String)> {
    let (headline, memory) = (i.facts.headline.get(), i.facts.memory.get());
    let known = [
        ("target", headline.and_then(|h| h.target_memory_kb)),
        ("total", headline.and_then(|h| h.total_memory_kb)),
        ("stolen from the buffer pool", i.facts.clerks.get().and_then(|clerks| clerks.stolen_kb())),
        ("process", memory.and_then(|m| m.process_kb)),
        ("machine", memory.and_then(|m| m.physical_kb)),
    ];
    let told = |(name, kb): (&str, Option<i64>)| {
        let mut text = format!("{name} ");
        push_kb(&mut text, kb?);
        Some((Part::Plain, text))
    };
    known.into_iter().filter_map(told).collect()
}

/// Page life of each NUMA node, where there are several.
pub fn page_life(table: &GrantTable) -> Vec<(Part, String)> {
    if table.page_life.len() < 2 {
        return Vec::new();
    }
    let mut text = String::from("page life by NUMA node:");
    for (n, (node, seconds)) in table.page_life.iter().enumerate() {
        let _ = write!(text, "{} {node}: ", if n == 0 { "" } else { "," });
        figure::push_wait(&mut text, *seconds as f64 * 1_000.0);
    }
    vec![(Part::Plain, text)]
}

/// What the plan cache is made of.
pub fn plans(table: &GrantTable) -> Vec<(Part, String)> {
    let mut line = Vec::new();
    for kind in table.plans.iter().filter(|kind| kind.pages_kb.is_some_and(|kb| kb > 0)).take(4) {
        let mut text = String::from(if line.is_empty() { "plan cache: " } else { "" });
        text.push_str(&kind.name);
        text.push(' ');
        push_kb(&mut text, kind.pages_kb.unwrap_or_default());
        if let Some(plans) = kind.plans {
            text.push_str(" in ");
            figure::push_grouped(&mut text, plans);
        }
        if let Some(in_use) = kind.in_use {
            let _ = write!(text, " ({in_use} in use)");
        }
        line.push((Part::Plain, text));
    }
    line
}

/// What process and operating system were told, and from 2025 on the engine's own verdict.
pub fn state_of_memory(i: &InstanceSnapshot, view: &View<'_>) -> Vec<(Part, String)> {
    let mut line = Vec::new();
    let low = |told: Option<bool>, whom: &str| {
        told.map(|is_low| {
            if is_low {
                (Part::Level(Level::Warning), format!("{whom}: memory is low"))
            } else {
                (Part::Plain, format!("{whom}: memory is not low"))
            }
        })
    };
    if let Some(memory) = i.facts.memory.get() {
        line.extend(low(memory.process_low, "process"));
        line.extend(low(memory.machine_low, "operating system"));
    }
    let health = i.facts.grants.get().map_or(&[][..], |table| &table.health[..]);
    if let Some(newest) = health.first() {
        let mut text = String::from("the engine says ");
        text.push_str(newest.severity.as_deref().unwrap_or("nothing"));
        if let Some(at) = newest.at {
            text.push_str(" at ");
            view.zone.push_clock(&mut text, at);
        }
        let calm = |severity: &Option<Arc<str>>| severity.as_deref().is_none_or(|s| s == "LOW");
        let worse = health.iter().filter(|health| !calm(&health.severity)).count();
        let part = if worse > 0 { Part::Level(Level::Warning) } else { Part::Plain };
        if worse > 0 {
            let _ = write!(text, ", worse than LOW {worse} of the last {} times", health.len());
        }
        line.push((part, text));
        line.extend(judged_by(health));
    }
    line
}

/// What the engine judged its memory by, from its newest verdict; of what it counts, the most in any that it still has.
fn judged_by(health: &[MemoryHealth]) -> Vec<(Part, String)> {
    let newest = health.first();
    let mut line = Vec::new();
    let sizes = [
        (newest.and_then(|health| health.potential_mb), "may still be allocated"),
        (newest.and_then(|health| health.reclaimable_mb), "in caches that can shrink"),
    ];
    for (mb, words) in sizes {
        let Some(mb) = mb else { continue };
        let mut text = String::new();
        push_kb(&mut text, mb.saturating_mul(1024));
        let _ = write!(text, " {words}");
        line.push((Part::Plain, text));
    }
    let most = |count: fn(&MemoryHealth) -> Option<i64>| health.iter().filter_map(count).max();
    let part = |n: i64| if n > 0 { Part::Level(Level::Warning) } else { Part::Plain };
    if let Some(n) = most(|health| health.out_of_memory) {
        line.push((part(n), format!("out of memory {}", figure::counted(n.max(0) as usize, "time"))));
    }
    if let Some(n) = most(|health| health.timeouts) {
        line.push((part(n), figure::counted(n.max(0) as usize, "grant that timed out")));
    }
    line
}
