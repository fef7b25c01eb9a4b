//! Memory grants and the semaphores behind them, page life per NUMA node, the plan cache by kind, and from 2025 on the engine's own
//! verdict on its memory.

use super::who::who;
use crate::{
    model::poll::{
        Sample, State,
        cost::Tier,
        grants::{GrantRow, GrantTable, MemoryHealth, PlanKind, Semaphore},
        id::ProbeId,
        reading::Unavailable,
    },
    probe::{
        batch::Sets,
        clock::Clock,
        context::ProbeContext,
        descriptor::{Pace, Probe, needed, optional},
        script::{Needs, Script, When, script},
    },
    tds::Row,
};
use std::sync::Arc;

const QUEUE: Script = script!("grant_queue", Performance, by "session_id" "request_id");
const SEMAPHORES: Script = script!("semaphores", Performance, by "pool_id" "resource_semaphore_id");
const COUNTERS: Script = script!("memory_counters", Performance, by "counter_name" "instance_name");
const HEALTH: Script = script!("memory_health", Performance, by "snapshot_time");

/// What no degree of parallelism can be above.
const MOST_DOP: i64 = 1 << 16;

/// See the module.
pub(super) static PROBE: Probe = Probe {
    parts: &[
        needed(QUEUE),
        optional(SEMAPHORES, &[]),
        optional(COUNTERS, &[]),
        optional(HEALTH, &[When::Has("dm_os_memory_health_history")]),
    ],
    pace: Pace::Seldom(5),
    unknown_without: &[(Needs::Performance, "memory grants")],
    panes: &["grants"],
    ..Probe::new(ProbeId::Grants, Tier::Detail, decode)
};

/// A row without a session is left out.
fn decode(sets: &Sets, ctx: &ProbeContext) -> Result<Sample, Unavailable> {
    let mut total = None;
    let rows = sets.many("grant_queue")?.filter_map(|row| {
        total = total.max(row.count("total_rows"));
        grant(row, ctx)
    });
    let grants: Vec<GrantRow> = rows.collect();
    let total = total.and_then(|n| usize::try_from(n).ok()).unwrap_or(grants.len());
    let (page_life, plans) = counters(sets);
    Ok(Sample::Known(State::from(Arc::new(GrantTable {
        left_out: total.saturating_sub(grants.len()) as u64,
        grants,
        semaphores: sets.all("semaphores").map(semaphore).collect(),
        page_life,
        plans,
        health: sets.all("memory_health").map(|row| health(row, ctx)).collect(),
    }))))
}

fn grant(row: Row<'_>, ctx: &ProbeContext) -> Option<GrantRow> {
    Some(GrantRow {
        session_id: row.i32("session_id")?,
        request_id: row.i32("request_id").unwrap_or_default(),
        dop: row.count("dop").filter(|dop| *dop <= MOST_DOP),
        wanted_kb: row.count("requested_memory_kb"),
        granted_kb: row.count("granted_memory_kb"),
        used_kb: row.count("used_memory_kb"),
        max_used_kb: row.count("max_used_memory_kb"),
        ideal_kb: row.count("ideal_memory_kb"),
        waited_ms: ctx.clock().elapsed(row.i64("wait_time_ms"), None),
        timeout_ms: Clock::span_s(row.count("timeout_sec")).map(|s| s * 1_000),
        queue: row.count("queue_id"),
        place: row.count("wait_order"),
        pool_id: row.count("pool_id"),
        who: who(row, ctx),
    })
}

fn semaphore(row: Row<'_>) -> Semaphore {
    Semaphore {
        pool_id: row.count("pool_id"),
        number: row.count("resource_semaphore_id"),
        target_kb: row.count("target_memory_kb"),
        available_kb: row.count("available_memory_kb"),
        granted_kb: row.count("granted_memory_kb"),
        used_kb: row.count("used_memory_kb"),
        grantees: row.count("grantee_count"),
        waiters: row.count("waiter_count"),
        timeouts: row.count("timeout_error_count"),
        forced: row.count("forced_grant_count"),
    }
}

fn health(row: Row<'_>, ctx: &ProbeContext) -> MemoryHealth {
    let clock = ctx.clock();
    MemoryHealth {
        at: clock.at(row, "snapshot_time").map(|at| clock.ours(at)),
        severity: row.line("severity_level_desc", 60),
        potential_mb: row.count("allocation_potential_memory_mb"),
        reclaimable_mb: row.count("reclaimable_cache_memory_mb"),
        out_of_memory: row.count("out_of_memory_event_count"),
        timeouts: row.count("memgrant_timeout_count"),
    }
}

/// Page life by node, and the plan cache by kind.
fn counters(sets: &Sets) -> (Vec<(u16, i64)>, Vec<PlanKind>) {
    let (mut nodes, mut plans) = (Vec::new(), Vec::<PlanKind>::new());
    for row in sets.all("memory_counters") {
        let (Some(counter), Some(instance)) = (row.line("counter_name", 128), row.line("instance_name", 128))
        else {
            continue;
        };
        let (counter, instance) = (counter.trim(), instance.trim());
        let value = row.count_of("cntr_value", counter);
        if counter == "Page life expectancy" {
            nodes.extend(instance.parse().ok().zip(Clock::span_s(value)));
            continue;
        }
        if instance == "_Total" {
            continue;
        }
        let at = plans.iter().position(|p| &*p.name == instance).unwrap_or_else(|| {
            plans.push(PlanKind { name: instance.into(), ..PlanKind::default() });
            plans.len() - 1
        });
        let Some(kind) = plans.get_mut(at) else { continue };
        match counter {
            "Cache Pages" => kind.pages_kb = value.and_then(|pages| pages.checked_mul(8)),
            "Cache Object Counts" => kind.plans = value,
            "Cache Objects in use" => kind.in_use = value,
            _ => {}
        }
    }
    nodes.sort_unstable();
    plans.sort_by(|a, b| b.pages_kb.cmp(&a.pages_kb).then_with(|| a.name.cmp(&b.name)));
    (nodes, plans)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        probe::fixture::{set, sets, text},
        tds::{Cell, ResultSet},
    };

    fn decoded(answer: Vec<ResultSet>) -> GrantTable {
        let context = ProbeContext::new(crate::model::base::time::Timestamp::default);
        match decode(&sets(answer), &context) {
            Ok(Sample::Known(State::Grants(table))) => Arc::unwrap_or_clone(table),
            other => panic!("{other:?}"),
        }
    }

    fn queue(rows: Vec<Vec<Cell>>) -> ResultSet {
        let columns =
            ["total_rows", "session_id", "granted_memory_kb", "used_memory_kb", "wait_time_ms", "login_name"];
        set("grant_queue", &columns, rows)
    }

    #[test]
    fn an_agent_job_is_called_as_requests_call_it() {
        let program = "SQLAgent - TSQL JobStep (Job 0xFF19966F868B11D0B42D00C04FC964FF : Step 2)";
        let columns = ["session_id", "granted_memory_kb", "program_name"];
        let row = |id: i64, program: &str| vec![Cell::Int(id), Cell::Int(900), text(program)];
        let table =
            decoded(vec![set("grant_queue", &columns, vec![row(61, program), row(62, "Report Server")])]);
        let program = |n: usize| table.grants[n].who.program.as_deref().unwrap();
        assert!(program(0).starts_with("job 6F9619FF-") && program(0).ends_with(" step 2"), "{}", program(0));
        assert_eq!(program(1), "Report Server");
    }

    #[test]
    fn a_grant_has_what_the_server_says_and_nothing_else() {
        let row = |id: Cell, granted: Cell, waited: Cell, login: &str| {
            vec![Cell::Int(40), id, granted, Cell::Int(-4), waited, text(login)]
        };
        let table = decoded(vec![queue(vec![
            row(Cell::Int(61), Cell::Null, Cell::Int(5_000), "etl\u{1b}[31m"),
            row(Cell::Int(62), Cell::Int(900), Cell::Null, "app"),
            row(Cell::Null, Cell::Int(1), Cell::Int(1), ""),
        ])]);
        let [waits, holds] = &table.grants[..] else { panic!("{table:?}") };
        assert!(waits.waits() && !holds.waits() && table.left_out == 38);
        assert_eq!((holds.granted_kb, holds.used_kb, waits.waited_ms), (Some(900), None, Some(5_000)));
        assert!(!waits.who.login.as_deref().unwrap().contains('\u{1b}'));
    }

    #[test]
    fn a_time_out_of_millions_of_years_is_not_known() {
        let columns = ["session_id", "granted_memory_kb", "timeout_sec", "dop"];
        let row = |id, s, dop| vec![Cell::Int(id), Cell::Null, Cell::Int(s), Cell::Int(dop)];
        let rows = vec![row(61, 1_500, 8), row(62, 1 << 50, 1 << 40), row(63, -1, -1)];
        let table = decoded(vec![set("grant_queue", &columns, rows)]);
        let told: Vec<_> = table.grants.iter().map(|grant| (grant.timeout_ms, grant.dop)).collect();
        assert_eq!(told, [(Some(1_500_000), Some(8)), (None, None), (None, None)]);
    }

    #[test]
    fn counters_are_told_by_node_and_by_kind_of_plan() {
        let row = |counter: &str, instance: &str, value: Cell| vec![text(counter), text(instance), value];
        let counters = set(
            "memory_counters",
            &["counter_name", "instance_name", "cntr_value"],
            vec![
                row("Page life expectancy   ", "001  ", Cell::Int(90)),
                row("Page life expectancy", "000", Cell::Int(900)),
                row("Page life expectancy", "evil", Cell::Int(7)),
                row("Page life expectancy", "002", Cell::Int(1 << 50)),
                row("Cache Pages", "SQL Plans", Cell::Int(100)),
                row("Cache Object Counts", "SQL Plans", Cell::Int(50)),
                row("Cache Pages", "Object Plans", Cell::Int(200)),
                row("Cache Objects in use", "Object Plans", Cell::Int(-1)),
                row("Cache Pages", "_Total", Cell::Int(300)),
            ],
        );
        let table = decoded(vec![queue(vec![]), counters]);
        assert_eq!(table.page_life, [(0, 900), (1, 90)]);
        let plans: Vec<_> = table.plans.iter().map(|p| (&*p.name, p.pages_kb, p.plans, p.in_use)).collect();
        assert_eq!(
            plans,
            [("Object Plans", Some(1_600), None, None), ("SQL Plans", Some(800), Some(50), None)]
        );
    }
}
