//! Which query costs: sums over the plans of each query hash, and the CPU of all sessions, of which they are a part.
//!
//! Fleet and screen ask the same question, at another pace and for fewer rows: so an instance that comes on the screen has a
//! poll to be compared with. Rows per plan would tell a little more of what is evicted between two polls, and cost ten times the
//! bytes; that older plans are fewer is seen in the sums, too.

use super::counts::{counts, local};
use crate::{
    model::poll::{
        Sample,
        cost::Tier,
        id::ProbeId,
        queries::{CachedPlan, QueriesSample, QueryCounter},
        reading::Unavailable,
    },
    probe::{
        batch::Sets,
        context::ProbeContext,
        descriptor::{Company, Pace, Probe, needed, optional},
        query,
        script::{Needs, Script, Takes, When, script},
    },
    tds::Row,
};
use std::sync::Arc;

const WORKLOAD: Script = script!("workload", Performance, one row);
const QUERIES: Script = script!("queries", Performance, by "query_hash").taking(Takes::Since);
const QUERIES_2016: Script = script!("queries_2016", Performance, by "query_hash").taking(Takes::Since);

/// The column by which a server is known to count spills.
const SPILLS: &str = "dm_exec_query_stats.total_spills";

/// See the module.
pub(super) static PROBE: Probe = Probe {
    parts: &[
        needed(WORKLOAD),
        optional(QUERIES, &[When::Has(SPILLS)]),
        optional(QUERIES_2016, &[When::Lacks(SPILLS)]),
    ],
    pace: Pace::Apart(4, 45),
    rate: true,
    company: Company::Alone,
    timeout_ms: 15_000,
    unknown_without: &[(Needs::Performance, "which query costs what")],
    panes: &["queries"],
    ..Probe::new(ProbeId::Queries, Tier::Slow, decode)
};

fn decode(sets: &Sets, ctx: &ProbeContext) -> Result<Sample, Unavailable> {
    Ok(Sample::Counters(Arc::new(sample(sets, ctx)?)))
}

fn sample(sets: &Sets, ctx: &ProbeContext) -> Result<QueriesSample, Unavailable> {
    let workload = sets.one("workload")?;
    if let [false, false] = query::SETS.map(|name| sets.has(name)) {
        // The one that was asked for, in words.
        drop(sets.many(query::SETS[0])?);
    }
    // What is compiled between the two statements is in the sums: the rows' own clock counts.
    let polled_at = query::rows(sets).next().and_then(|row| local(row, "polled_at"));
    let mut queries: Vec<QueryCounter> = query::rows(sets).filter_map(|row| counter(row, ctx)).collect();
    queries.shrink_to_fit();
    let total = query::rows(sets).filter_map(|row| row.count("total_hashes")).max().unwrap_or(0);
    Ok(QueriesSample {
        total: Some(total),
        is_all: query::rows(sets).count() as i64 >= total,
        queries,
        polled_at: polled_at.or_else(|| local(workload, "polled_at")),
        workload_ms: workload.count("workload_cpu_ms"),
        workload_since: local(workload, "statistics_start_time"),
    })
}

/// A row without a hash is left out: nothing could be compared with it.
fn counter(row: Row<'_>, ctx: &ProbeContext) -> Option<QueryCounter> {
    let hash = query::hash(row, "query_hash")?;
    let (statement, module) = ctx.queries.statement(hash, row, &ctx.texts).unzip();
    let database = ctx.database(ctx.plan_databases.of(row));
    Some(QueryCounter {
        hash,
        counts: counts(row, &ctx.clock()),
        plan_hash: query::hash(row, "query_plan_hash"),
        old_plan_hash: ctx.queries.plan(hash, database.as_ref()),
        plan: plan(row),
        other_databases: ctx.queries.other_databases(hash, database.as_ref()),
        database,
        module: module.flatten(),
        statement,
    })
}

fn plan(row: Row<'_>) -> Option<CachedPlan> {
    Some(CachedPlan {
        handle: row.bytes("plan_handle").filter(|handle| !handle.is_empty())?.into(),
        start: row.i32("statement_start_offset")?,
        end: row.i32("statement_end_offset")?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        model::base::time::Timestamp,
        probe::fixture::{set, sets},
        tds::{Cell, ResultSet},
    };

    const HASH: [u8; 8] = [0, 0, 0, 0, 0, 0, 1, 2];

    fn workload() -> ResultSet {
        let columns = ["polled_at", "workload_cpu_ms", "statistics_start_time"];
        set("workload", &columns, vec![vec![Cell::Local(70), Cell::Int(9_000), Cell::Local(3)]])
    }

    fn told(columns: &[&str], rows: Vec<Vec<Cell>>) -> QueriesSample {
        let answer = sets(vec![workload(), set("queries", columns, rows)]);
        sample(&answer, &ProbeContext::new(Timestamp::default)).unwrap()
    }

    #[test]
    fn a_row_has_what_the_server_says_and_one_without_a_hash_is_left_out() {
        let columns = [
            "query_hash",
            "polled_at",
            "total_hashes",
            "plans",
            "cpu_us",
            "query_plan_hash",
            "statement_start_offset",
            "statement_end_offset",
            "plan_handle",
        ];
        let row = |hash: Cell, cpu, handle| {
            vec![
                hash,
                Cell::Local(71),
                Cell::Int(400),
                Cell::Int(2),
                cpu,
                Cell::Bytes(vec![9; 8]),
                Cell::Int(0),
                Cell::Int(-1),
                handle,
            ]
        };
        let sample = told(
            &columns,
            vec![
                row(Cell::Bytes(HASH.to_vec()), Cell::Int(-1), Cell::Bytes(vec![5, 0])),
                row(Cell::Bytes(vec![0; 8]), Cell::Int(1), Cell::Null),
                row(Cell::Bytes(vec![1; 9]), Cell::Int(1), Cell::Null),
                row(Cell::Null, Cell::Int(1), Cell::Null),
                row(Cell::Bytes(vec![8; 8]), Cell::Int(i64::MAX), Cell::Bytes(Vec::new())),
            ],
        );
        let [one, other] = &sample.queries[..] else { panic!("{sample:?}") };
        assert_eq!((one.hash, one.counts.plans, one.counts.all[1]), (0x102, Some(2), None));
        assert_eq!((one.plan_hash, one.database.as_deref()), (Some(0x0909_0909_0909_0909), None));
        let plan = one.plan.as_ref().unwrap();
        assert_eq!((&*plan.handle, plan.start, plan.end), (&[5_u8, 0][..], 0, -1));
        assert_eq!((other.counts.all[1], other.plan.as_ref()), (None, None));
        assert_eq!((sample.total, sample.polled_at), (Some(400), Some(71)), "the clock of the rows");
        assert!(!sample.is_all, "five rows of 400");
        assert_eq!((sample.workload_ms, sample.workload_since), (Some(9_000), Some(3)));
    }

    #[test]
    fn where_nothing_ran_the_clock_is_that_of_the_workload() {
        let sample = told(&["query_hash"], Vec::new());
        assert_eq!((sample.polled_at, sample.total, sample.queries.len()), (Some(70), Some(0), 0));
        assert!(sample.is_all, "nothing ran, and that is all");
        let answer = sets(vec![workload()]);
        let refused = super::sample(&answer, &ProbeContext::new(Timestamp::default)).unwrap_err();
        assert!(matches!(&refused, Unavailable::Failed(why) if why.text.contains("queries")), "{refused:?}");
    }
}
