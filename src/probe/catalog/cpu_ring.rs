//! CPU of other processes, from the newest record of a ring buffer: one record a minute.

use crate::{
    model::poll::{
        Sample, cost::Tier, cpu::CpuRingSample, id::ProbeId, properties::Platform, reading::Unavailable,
    },
    probe::{
        batch::Sets,
        context::ProbeContext,
        descriptor::{Pace, Probe, needed},
        script::{Needs, Script, script},
    },
};

const CPU_RING: Script = script!("cpu_ring", Performance, by "record_ticks");

/// A record that is older than this says nothing of now, ms: there is one a minute.
const OLDEST_MS: i64 = 300_000;

/// First major version whose ring buffer tells the idle time on Linux (2025).
const LINUX_IDLE_SINCE: i32 = 17;

/// See the module.
pub(super) static PROBE: Probe = Probe {
    parts: &[needed(CPU_RING)],
    pace: Pace::NotFaster,
    unknown_without: &[(Needs::Performance, "the CPU of other processes")],
    panes: &["instance"],
    ..Probe::new(ProbeId::CpuRing, Tier::Detail, decode)
};

/// The newest record that can be read.
fn decode(sets: &Sets, ctx: &ProbeContext) -> Result<Sample, Unavailable> {
    let believed = |pct: f64| (0.0..=100.0).contains(&pct);
    // Linux before 2025 always says 0 idle.
    let idle_is_told =
        ctx.platform() != Platform::Linux || ctx.major().is_some_and(|m| m >= LINUX_IDLE_SINCE);
    let sample = sets.many("cpu_ring")?.find_map(|row| {
        let record = row.raw_text("record")?;
        let ticks = row.i64("ms_ticks").zip(row.i64("record_ticks"));
        let age_ms = ticks.map(|(now, then)| now.saturating_sub(then)).filter(|age| *age >= 0);
        if age_ms.is_some_and(|age| age > OLDEST_MS) {
            return None;
        }
        Some(CpuRingSample {
            sql_pct: Some(element(record, "ProcessUtilization")?).filter(|p| believed(*p)),
            idle_pct: element(record, "SystemIdle").filter(|p| believed(*p) && idle_is_told),
            age_ms,
        })
    });
    sample
        .map(Sample::CpuRing)
        .ok_or_else(|| Unavailable::NotHere("the ring buffer has no record of the last minutes".into()))
}

/// The number inside of a small XML element without attributes.
fn element(xml: &str, name: &str) -> Option<f64> {
    let (_, rest) = xml.split_once(&format!("<{name}>"))?;
    let (value, _) = rest.split_once('<')?;
    value.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        model::poll::{State, properties::Properties},
        probe::fixture::{set, sets, text},
        tds::Cell,
    };
    use std::sync::Arc;

    fn ring(record: &str, platform: Platform, major: i32) -> Result<Sample, Unavailable> {
        let mut ctx = ProbeContext::new(crate::model::base::time::Timestamp::default);
        let properties = Properties { platform, major: Some(major), ..Properties::default() };
        ctx.absorb(&Sample::Known(State::Properties(Arc::new(properties))));
        let row = vec![Cell::Int(1_000), Cell::Int(31_000), text(record)];
        decode(&sets(vec![set("cpu_ring", &["record_ticks", "ms_ticks", "record"], vec![row])]), &ctx)
    }

    #[test]
    fn the_ring_buffers_idle_is_not_believed_on_old_linux() {
        let xml = "<Record id = \"7\"><SchedulerMonitorEvent><SystemHealth><ProcessUtilization>41</ProcessUtilization>\
                   <SystemIdle>0</SystemIdle></SystemHealth></SchedulerMonitorEvent></Record>";
        let Ok(Sample::CpuRing(on_linux)) = ring(xml, Platform::Linux, 16) else { panic!() };
        assert_eq!(on_linux, CpuRingSample { sql_pct: Some(41.0), idle_pct: None, age_ms: Some(30_000) });
        let Ok(Sample::CpuRing(on_windows)) = ring(xml, Platform::Windows, 16) else { panic!() };
        assert_eq!(on_windows.idle_pct, Some(0.0));
        assert!(ring("<garbage", Platform::Windows, 16).is_err());
    }

    #[test]
    fn a_record_of_long_ago_says_nothing_of_now() {
        let xml = "<ProcessUtilization>41</ProcessUtilization><SystemIdle>9</SystemIdle>";
        let columns = ["record_ticks", "ms_ticks", "record"];
        let age = |then, now| {
            let row = vec![Cell::Int(then), Cell::Int(now), text(xml)];
            let ctx = ProbeContext::new(crate::model::base::time::Timestamp::default);
            match decode(&sets(vec![set("cpu_ring", &columns, vec![row])]), &ctx) {
                Ok(Sample::CpuRing(sample)) => Some(sample.age_ms),
                _ => None,
            }
        };
        assert_eq!(age(0, 300_000), Some(Some(300_000)));
        assert_eq!((age(0, 300_001), age(i64::MIN, i64::MAX)), (None, None));
        assert_eq!(age(9, 0), Some(None), "ticks that go back");
    }
}
