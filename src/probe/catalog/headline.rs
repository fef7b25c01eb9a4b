//! The headline: liveness, headline counters, CPU time. The heartbeat of an instance.

use super::blocking::{BLOCKED, blocked_requests};
use crate::{
    model::poll::{Sample, cost::Tier, headline::HeadlineSample, id::ProbeId, reading::Unavailable},
    probe::{
        batch::Sets,
        clock::Clock,
        context::ProbeContext,
        descriptor::{Probe, needed, optional},
        script::{Needs, Script, script},
    },
};

const HEADLINE: Script = script!("headline", Performance, one row);
const COUNTERS: Script = script!("counters", Performance, by "counter_name" "instance_name");

/// See the module.
pub(super) static PROBE: Probe = Probe {
    parts: &[needed(HEADLINE), needed(COUNTERS), optional(BLOCKED, &[])],
    rate: true,
    vital: true,
    unknown_without: &[(Needs::Performance, "CPU")],
    panes: &["fleet", "instance"],
    ..Probe::new(ProbeId::Headline, Tier::Fast, decode)
};

/// `headline`, `counters`, and `blocked` where it came.
fn decode(sets: &Sets, ctx: &ProbeContext) -> Result<Sample, Unavailable> {
    let row = sets.one("headline")?;
    let cpu = |column| row.count(column);
    let mut sample = HeadlineSample {
        server_time: row.instant("server_time").map(|(now, _)| now),
        started_at: row.local("sqlserver_start_time", ctx.offset_min()),
        process_cpu_ms: cpu("process_kernel_time_ms")
            .zip(cpu("process_user_time_ms"))
            .and_then(|(kernel, user)| kernel.checked_add(user)),
        cpu_count: row.small("cpu_count").filter(|n| *n > 0),
        // The server's own counter counts waits for latches that nobody owns.
        blocked: blocked_requests(sets),
        ..HeadlineSample::default()
    };
    for row in sets.many("counters")? {
        let (name, instance) = (row.raw_text("counter_name"), row.raw_text("instance_name"));
        let field = name.and_then(|n| counter(&mut sample, n.trim(), instance.unwrap_or("").trim()));
        if let Some(field) = field {
            *field = row.count_of("cntr_value", name.unwrap_or_default().trim());
        }
    }
    sample.page_life_s = Clock::span_s(sample.page_life_s);
    Ok(Sample::Headline(Box::new(sample)))
}

/// The field that a counter fills. Its object is not asked for: its prefix differs by instance.
fn counter<'a>(sample: &'a mut HeadlineSample, name: &str, instance: &str) -> Option<&'a mut Option<i64>> {
    Some(match (name, instance) {
        ("Batch Requests/sec", "") => &mut sample.batches,
        ("Logins/sec", "") => &mut sample.logins,
        ("SQL Compilations/sec", "") => &mut sample.compilations,
        ("SQL Re-Compilations/sec", "") => &mut sample.recompilations,
        ("Lazy writes/sec", "") => &mut sample.lazy_writes,
        ("User Connections", "") => &mut sample.connections,
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        probe::fixture::{set, sets, text},
        tds::Cell,
    };

    fn headline_of(counters: Vec<Vec<Cell>>) -> HeadlineSample {
        let first = set(
            "headline",
            &["process_kernel_time_ms", "process_user_time_ms"],
            vec![vec![Cell::Int(400), Cell::Int(600)]],
        );
        let counters = set("counters", &["counter_name", "instance_name", "cntr_value"], counters);
        match decode(
            &sets(vec![first, counters]),
            &ProbeContext::new(crate::model::base::time::Timestamp::default),
        )
        .unwrap()
        {
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
    fn half_of_the_cpu_time_is_not_all_of_it() {
        let cpu = |kernel, user| {
            let columns = ["process_kernel_time_ms", "process_user_time_ms"];
            let parts =
                vec![set("headline", &columns, vec![vec![kernel, user]]), set("counters", &[], vec![])];
            let ctx = ProbeContext::new(crate::model::base::time::Timestamp::default);
            let Ok(Sample::Headline(h)) = decode(&sets(parts), &ctx) else { panic!() };
            h.process_cpu_ms
        };
        assert_eq!(cpu(Cell::Int(1), Cell::Int(2)), Some(3));
        assert_eq!([cpu(Cell::Int(1), Cell::Null), cpu(Cell::Null, Cell::Int(2))], [None; 2]);
        assert_eq!([cpu(Cell::Int(-1), Cell::Int(2)), cpu(Cell::Int(i64::MAX), Cell::Int(2))], [None; 2]);
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
        assert_eq!(found, 17);
    }

    #[test]
    fn every_counter_stands_in_its_own_field() {
        type Field = fn(&HeadlineSample) -> Option<i64>;
        let all: [(&str, &str, Field); 17] = [
            ("Batch Requests/sec", "", |h| h.batches),
            ("Logins/sec", "", |h| h.logins),
            ("SQL Compilations/sec", "", |h| h.compilations),
            ("SQL Re-Compilations/sec", "", |h| h.recompilations),
            ("Lazy writes/sec", "", |h| h.lazy_writes),
            ("User Connections", "", |h| h.connections),
            ("Page life expectancy", "", |h| h.page_life_s),
            ("Memory Grants Pending", "", |h| h.grants_pending),
            ("Memory Grants Outstanding", "", |h| h.grants_outstanding),
            ("Total Server Memory (KB)", "", |h| h.total_memory_kb),
            ("Target Server Memory (KB)", "", |h| h.target_memory_kb),
            ("Free Space in tempdb (KB)", "", |h| h.tempdb_free_kb),
            ("Data File(s) Size (KB)", "tempdb", |h| h.tempdb_size_kb),
            ("Transactions/sec", "_Total", |h| h.transactions),
            ("Log Flushes/sec", "_Total", |h| h.log_flushes),
            ("Log Flush Wait Time", "_Total", |h| h.log_flush_wait_ms),
            ("Number of Deadlocks/sec", "_Total", |h| h.deadlocks),
        ];
        for (name, instance, _) in all {
            let h = headline_of(vec![vec![text(name), text(instance), Cell::Int(7)]]);
            for (other, _, field) in all {
                assert_eq!(field(&h), (other == name).then_some(7), "{other} from {name}");
            }
        }
    }

    #[test]
    fn a_server_without_cpus_did_not_say_how_many_it_has() {
        let counted = |n| {
            let parts = vec![set("headline", &["cpu_count"], vec![vec![n]]), set("counters", &[], vec![])];
            let ctx = ProbeContext::new(crate::model::base::time::Timestamp::default);
            let Ok(Sample::Headline(h)) = decode(&sets(parts), &ctx) else { panic!() };
            h.cpu_count
        };
        assert_eq!(
            [Cell::Int(1), Cell::Int(0), Cell::Int(-1), Cell::Null].map(counted),
            [Some(1), None, None, None]
        );
    }
}
