//! Decoders of figures: headline, waits, schedulers, ring buffer, memory, own cost.

use super::{many, one};
use crate::{
    model::{
        properties::Platform,
        reading::Unavailable,
        sample::{CostSample, CpuRingSample, HeadlineSample, MemorySample, Sample, SchedulerSample, Slowed},
        wait::WaitCounter,
    },
    probe::{batch::Sets, context::ProbeContext},
};

/// First major version whose ring buffer tells the idle time on Linux (2025).
const LINUX_IDLE_SINCE: i32 = 17;

/// `headline` and `counters`.
pub fn headline(sets: &Sets, ctx: &ProbeContext) -> Result<Sample, Unavailable> {
    let row = one(sets, "headline")?;
    let cpu = |column| row.count(column);
    let mut sample = HeadlineSample {
        server_time: row.instant("server_time").map(|(now, _)| now),
        started_at: row.local("sqlserver_start_time", ctx.offset_min()),
        process_cpu_ms: cpu("process_kernel_time_ms")
            .zip(cpu("process_user_time_ms"))
            .and_then(|(kernel, user)| kernel.checked_add(user)),
        cpu_count: row.i32("cpu_count").filter(|n| *n > 0),
        ..HeadlineSample::default()
    };
    for row in many(sets, "counters")? {
        let (name, instance) = (row.raw_text("counter_name"), row.raw_text("instance_name"));
        let field = name.and_then(|n| counter(&mut sample, n.trim(), instance.unwrap_or("").trim()));
        if let Some(field) = field {
            *field = row.count("cntr_value");
        }
    }
    Ok(Sample::Headline(Box::new(sample)))
}

/// Where a counter goes. Its object is not asked for: its prefix differs by instance.
fn counter<'a>(sample: &'a mut HeadlineSample, name: &str, instance: &str) -> Option<&'a mut Option<i64>> {
    Some(match (name, instance) {
        ("Batch Requests/sec", "") => &mut sample.batches,
        ("Logins/sec", "") => &mut sample.logins,
        ("SQL Compilations/sec", "") => &mut sample.compilations,
        ("SQL Re-Compilations/sec", "") => &mut sample.recompilations,
        ("Lazy writes/sec", "") => &mut sample.lazy_writes,
        ("User Connections", "") => &mut sample.connections,
        ("Processes blocked", "") => &mut sample.blocked,
        ("Page life expectancy", "") => &mut sample.page_life_s,
        ("Memory Grants Pending", "") => &mut sample.grants_pending,
        ("Memory Grants Outstanding", "") => &mut sample.grants_outstanding,
        ("Total Server Memory (KB)", "") => &mut sample.total_memory_kb,
        ("Target Server Memory (KB)", "") => &mut sample.target_memory_kb,
        ("Free Space in tempdb (KB)", "") => &mut sample.tempdb_free_kb,
        ("Data File(s) Size (KB)", "tempdb") => &mut sample.tempdb_size_kb,
        ("Transactions/sec", "_Total") => &mut sample.transactions,
        ("Log Flushes/sec", "_Total") => &mut sample.log_flushes,
        ("Log Flush Wait Time", "_Total") => &mut sample.log_flush_wait_ms,
        ("Number of Deadlocks/sec", "_Total") => &mut sample.deadlocks,
        _ => return None,
    })
}

/// `waits`: rows without a name or with a negative counter are left out.
pub fn waits(sets: &Sets, _ctx: &ProbeContext) -> Result<Sample, Unavailable> {
    let rows = many(sets, "waits")?.filter_map(|row| {
        Some(WaitCounter {
            name: row.line("wait_type", 60)?,
            tasks: row.count("waiting_tasks_count")?,
            wait_ms: row.count("wait_time_ms")?,
            max_ms: row.count("max_wait_time_ms").unwrap_or(0),
            signal_ms: row.count("signal_wait_time_ms")?,
        })
    });
    Ok(Sample::Waits(rows.collect()))
}

/// `schedulers`.
pub fn schedulers(sets: &Sets, _ctx: &ProbeContext) -> Result<Sample, Unavailable> {
    let row = one(sets, "schedulers")?;
    Ok(Sample::Schedulers(SchedulerSample {
        schedulers: row.count("schedulers"),
        runnable: row.count("runnable_tasks"),
        queued: row.count("queued_tasks"),
        workers: row.count("workers"),
        active_workers: row.count("active_workers"),
        max_workers: row.count("max_workers"),
        pending_io: row.count("pending_io"),
    }))
}

/// `cpu_ring`: the newest record that can be read.
pub fn cpu_ring(sets: &Sets, ctx: &ProbeContext) -> Result<Sample, Unavailable> {
    let believed = |pct: f64| (0.0..=100.0).contains(&pct);
    // Linux before 2025 always says 0 idle.
    let idle_is_told =
        ctx.platform() != Platform::Linux || ctx.major().is_some_and(|m| m >= LINUX_IDLE_SINCE);
    let sample = many(sets, "cpu_ring")?.find_map(|row| {
        let record = row.raw_text("record")?;
        Some(CpuRingSample {
            sql_pct: Some(element(record, "ProcessUtilization")?).filter(|p| believed(*p)),
            idle_pct: element(record, "SystemIdle").filter(|p| believed(*p) && idle_is_told),
            age_ms: row
                .i64("ms_ticks")
                .zip(row.i64("record_ticks"))
                .map(|(now, then)| now.saturating_sub(then))
                .filter(|a| *a >= 0),
        })
    });
    sample
        .map(Sample::CpuRing)
        .ok_or_else(|| Unavailable::NotHere("the ring buffer has no record yet".into()))
}

/// The number inside of a small XML element without attributes.
fn element(xml: &str, name: &str) -> Option<f64> {
    let (_, rest) = xml.split_once(&format!("<{name}>"))?;
    let (value, _) = rest.split_once('<')?;
    value.trim().parse().ok()
}

/// `memory`.
pub fn memory(sets: &Sets, _ctx: &ProbeContext) -> Result<Sample, Unavailable> {
    let row = one(sets, "memory")?;
    Ok(Sample::Memory(MemorySample {
        physical_kb: row.count("total_physical_memory_kb"),
        available_kb: row.count("available_physical_memory_kb"),
        process_kb: row.count("physical_memory_in_use_kb"),
        process_low: row.bool("process_physical_memory_low"),
        grant_waiters: row.count("waiter_count"),
        granted_kb: row.count("granted_memory_kb"),
        grantable_kb: row.count("available_memory_kb"),
    }))
}

/// `cost`.
pub fn cost(sets: &Sets, ctx: &ProbeContext) -> Result<Sample, Unavailable> {
    let row = one(sets, "cost")?;
    Ok(Sample::Cost(CostSample {
        session_id: row.i32("session_id"),
        cpu_ms: row.count("cpu_time"),
        logical_reads: row.count("logical_reads"),
        login_at: row.local("login_time", ctx.offset_min()),
        slowed: Slowed::default(),
    }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        model::properties::Properties,
        probe::decode::fixture::{set, sets, text},
        tds::Cell,
    };

    fn headline_of(counters: Vec<Vec<Cell>>) -> HeadlineSample {
        let first = set(
            "headline",
            &["process_kernel_time_ms", "process_user_time_ms"],
            vec![vec![Cell::Int(400), Cell::Int(600)]],
        );
        let counters = set("counters", &["counter_name", "instance_name", "cntr_value"], counters);
        match headline(&sets(vec![first, counters]), &ProbeContext::new()).unwrap() {
            Sample::Headline(h) => *h,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn counters_find_their_fields_padded_or_not() {
        let h = headline_of(vec![
            vec![text(&format!("{:128}", "Batch Requests/sec")), text(&" ".repeat(128)), Cell::Int(12)],
            vec![text("Transactions/sec"), text("_Total"), Cell::Int(34)],
            vec![text("Transactions/sec"), text("Sales"), Cell::Int(99)],
            vec![text("Page life expectancy"), text(""), Cell::Int(-1)],
        ]);
        assert_eq!(h.process_cpu_ms, Some(1_000));
        assert_eq!(h.batches, Some(12));
        assert_eq!(h.transactions, Some(34), "only the total");
        assert_eq!(h.page_life_s, None, "a negative count is not known");
        assert_eq!(h.connections, None, "a counter that did not come is not zero");
    }

    #[test]
    fn every_counter_that_is_asked_for_has_a_field() {
        let script = include_str!("../../../tsql/probe/counters.sql");
        let names = script.split("N'").skip(1).filter_map(|s| s.split('\'').next());
        let mut found = 0;
        for name in names.filter(|n| !["", "_Total", "tempdb"].contains(n)) {
            let mut sample = HeadlineSample::default();
            let known = ["", "_Total", "tempdb"].iter().any(|i| counter(&mut sample, name, i).is_some());
            assert!(known, "{name} is asked for and thrown away");
            found += 1;
        }
        assert_eq!(found, 18);
    }

    fn ring(record: &str, platform: Platform, major: i32) -> Result<Sample, Unavailable> {
        let mut ctx = ProbeContext::new();
        let properties = Properties { platform, major: Some(major), ..Properties::default() };
        ctx.absorb(&Sample::Properties(Box::new(properties)));
        let row = vec![Cell::Int(1_000), Cell::Int(31_000), text(record)];
        cpu_ring(&sets(vec![set("cpu_ring", &["record_ticks", "ms_ticks", "record"], vec![row])]), &ctx)
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
    fn negative_waits_are_left_out() {
        let columns =
            ["wait_type", "waiting_tasks_count", "wait_time_ms", "max_wait_time_ms", "signal_wait_time_ms"];
        let row = |name, ms| vec![text(name), Cell::Int(1), Cell::Int(ms), Cell::Int(5), Cell::Int(0)];
        let answer = set("waits", &columns, vec![row("LCK_M_X", 10), row("BAD", -10), row("", 3)]);
        let Ok(Sample::Waits(w)) = waits(&sets(vec![answer]), &ProbeContext::new()) else { panic!() };
        assert_eq!(w.iter().map(|w| &*w.name).collect::<Vec<_>>(), ["LCK_M_X"]);
    }
}
