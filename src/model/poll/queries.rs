//! Queries of the plan cache: sums over all plans of a query hash (`counts`), and what lies between two samples of them.

use super::{
    counts::{Bases, Measure, Own, PlanBase, PlanCounts, Ran, Took, within},
    id::{Emit, Metric, ProbeId, SeriesId, rounded},
    names::{Field, Kind, Visit, Where, maybe},
    outcome::{Counters, Outcome},
    statement::Statement,
};
use crate::model::fold::rate::{Interval, delta};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// Less than this part of everything that is summed, and a query is left out of the table.
const LEAST_PART: f64 = 0.01;

/// The most expensive ones stay, however little they are.
const ALWAYS: usize = 10;

/// Where a plan is in the cache: enough to ask for its XML while it is there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CachedPlan {
    /// plan handle
    pub handle: Arc<[u8]>,
    /// where the statement begins in its batch, in bytes of UTF-16
    pub start: i32,
    /// where it ends; -1: with the batch
    pub end: i32,
}

/// All plans of a query hash: sums since their compilations.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct QueryCounter {
    /// query hash
    pub hash: u64,
    /// its plans in the cache
    pub counts: PlanCounts<12>,
    /// hash of the newest plan
    pub plan_hash: Option<u64>,
    /// hash of the newest plan of its database when it was told before, however long ago
    pub old_plan_hash: Option<u64>,
    /// the newest plan
    pub plan: Option<CachedPlan>,
    /// the database of that plan
    pub database: Option<Arc<str>>,
    /// other databases that plans of it were of, when they were the newest
    pub other_databases: Vec<Arc<str>>,
    /// the module that its statement is of
    pub module: Option<Arc<str>>,
    /// its statement
    pub statement: Option<Statement>,
}

/// Queries as they are polled: those that ran, the most expensive ones.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct QueriesSample {
    /// the rows
    pub queries: Vec<QueryCounter>,
    /// query hashes that ran
    pub total: Option<i64>,
    /// all of them were told
    pub is_all: bool,
    /// the server's clock, ms since 1970 by its own zone: what is compiled later is new at the next poll
    pub polled_at: Option<i64>,
    /// CPU of all sessions, ms
    pub workload_ms: Option<i64>,
    /// since when that is counted, on the server's clock
    pub workload_since: Option<i64>,
}

/// One query over the last interval: sums of the runs that ended in it. What is not known is None.
/// In files by position: fields are only appended, each with a default; variants keep their names.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct QueryRow {
    /// query hash
    pub hash: u64,
    /// runs that ended
    pub runs: Option<i64>,
    /// CPU, µs
    pub cpu_us: Option<i64>,
    /// duration, µs
    pub elapsed_us: Option<i64>,
    /// shortest run since its plans were compiled, µs
    pub min_us: Option<i64>,
    /// longest run since then, µs
    pub max_us: Option<i64>,
    /// pages read from memory
    pub reads: Option<i64>,
    /// pages read from disk
    pub physical_reads: Option<i64>,
    /// pages written
    pub writes: Option<i64>,
    /// rows returned
    pub rows: Option<i64>,
    /// memory granted, KB
    pub grant_kb: Option<i64>,
    /// memory used of it, KB
    pub used_kb: Option<i64>,
    /// memory that would have been ideal, KB
    pub ideal_kb: Option<i64>,
    /// degrees of parallelism
    pub dop: Option<i64>,
    /// pages spilled to tempdb
    pub spills: Option<i64>,
    /// plans in the cache
    pub plans: Option<i64>,
    /// plans went, or nobody knows what the query had at the poll before: there may have been more
    pub at_least: bool,
    /// hash of the newest plan
    pub plan_hash: Option<u64>,
    /// hash of the newest plan of the same database when it was told before, if that was another one
    pub old_plan_hash: Option<u64>,
    /// database of the newest plan
    pub database: Option<Arc<str>>,
    /// module
    pub module: Option<Arc<str>>,
    /// statement
    pub statement: Option<Statement>,
    /// where the plan was when it was polled; nobody keeps it
    #[serde(skip)]
    pub plan: Option<CachedPlan>,
    /// length of a time of its own that it is summed over, ms: it was not among the first in the polls between; 0: that of its table
    pub own_ms: u64,
    /// other databases that plans of it were of, when they were the newest
    pub other_databases: Vec<Arc<str>>,
}

/// The queries of an instance over the last interval.
/// In files by position: fields are only appended, each with a default; variants keep their names.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct QueryTable {
    /// the queries, most CPU first, unknown ones last
    pub queries: Vec<QueryRow>,
    /// queries that ran and are not among them
    pub left_out: u64,
    /// CPU of all that were told, µs
    pub cpu_us: Option<i64>,
    /// their runs
    pub runs: Option<i64>,
    /// CPU of all sessions in the same time, µs
    pub workload_us: Option<i64>,
    /// length of the interval, ms
    pub over_ms: u64,
    /// what all that were told have together, those that were left out too: a sum for each of [`Measure::ALL`]. Older files have none
    pub sums: Vec<Option<i64>>,
}

impl Ran for QueryRow {
    fn took(&self) -> Took {
        Took {
            runs: self.runs,
            cpu_us: self.cpu_us,
            elapsed_us: self.elapsed_us,
            min_us: self.min_us,
            max_us: self.max_us,
            reads: self.reads,
            physical_reads: self.physical_reads,
            writes: self.writes,
        }
    }
}

impl QueryRow {
    /// What may be said of a query without the poll before.
    fn named(now: &QueryCounter) -> Self {
        let [min_us, max_us] = now.counts.range_us;
        Self {
            hash: now.hash,
            min_us,
            max_us,
            plans: now.counts.plans,
            plan_hash: now.plan_hash,
            database: now.database.clone(),
            other_databases: now.other_databases.clone(),
            module: now.module.clone(),
            statement: now.statement.clone(),
            plan: now.plan.clone(),
            ..Self::default()
        }
    }

    fn between((old, own): (Option<&PlanBase<12>>, Own), now: &QueryCounter) -> Self {
        let grown = |measure| now.counts.grown(old, measure);
        Self {
            runs: grown(Measure::Runs),
            cpu_us: grown(Measure::Cpu),
            elapsed_us: grown(Measure::Elapsed),
            reads: grown(Measure::Reads),
            physical_reads: grown(Measure::PhysicalReads),
            writes: grown(Measure::Writes),
            rows: grown(Measure::Rows),
            grant_kb: grown(Measure::Grant),
            used_kb: grown(Measure::Used),
            ideal_kb: grown(Measure::Ideal),
            dop: grown(Measure::Dop),
            spills: grown(Measure::Spills),
            at_least: now.counts.is_at_least(old),
            own_ms: own.ms(),
            old_plan_hash: now.old_plan_hash.filter(|old| now.plan_hash.is_some_and(|new| new != *old)),
            ..Self::named(now)
        }
    }

    /// The databases that it is known to be of, that of its newest plan first.
    pub fn databases(&self) -> impl Iterator<Item = &Arc<str>> {
        self.database.iter().chain(&self.other_databases)
    }

    /// What it has of a measure.
    pub const fn of(&self, measure: Measure) -> Option<i64> {
        match measure {
            Measure::Runs => self.runs,
            Measure::Cpu => self.cpu_us,
            Measure::Elapsed => self.elapsed_us,
            Measure::Reads => self.reads,
            Measure::PhysicalReads => self.physical_reads,
            Measure::Writes => self.writes,
            Measure::Rows => self.rows,
            Measure::Grant => self.grant_kb,
            Measure::Used => self.used_kb,
            Measure::Ideal => self.ideal_kb,
            Measure::Dop => self.dop,
            Measure::Spills => self.spills,
        }
    }

    /// What of a measure falls into an interval of its table, on the average.
    pub fn part(&self, measure: Measure, over_ms: u64) -> Option<i64> {
        within(self.of(measure), self.own_ms, over_ms)
    }

    /// Its parts of what is summed over all queries.
    fn sums(&self, over_ms: u64) -> [Option<i64>; 5] {
        [Measure::Cpu, Measure::Elapsed, Measure::Reads, Measure::Writes, Measure::Runs]
            .map(|measure| self.part(measure, over_ms))
    }
}

impl QueryTable {
    /// So many per second.
    pub fn per_s(&self, n: Option<i64>) -> Option<f64> {
        Some(n? as f64 * 1000.0 / self.over_ms.max(1) as f64)
    }

    /// So many of a query per second.
    pub fn of_query_per_s(&self, query: &QueryRow, n: Option<i64>) -> Option<f64> {
        self.per_s(within(n, query.own_ms, self.over_ms))
    }

    /// CPU of a query, ms per s.
    pub fn cpu_ms_per_s(&self, query: &QueryRow) -> Option<f64> {
        self.of_query_per_s(query, query.cpu_us).map(|us| us / 1000.0)
    }

    /// How much of the CPU of all sessions the queries account for, %. More than 100 where runs ended that began before.
    pub fn coverage_pct(&self) -> Option<f64> {
        let workload = self.workload_us.filter(|us| *us > 0)?;
        Some(self.cpu_us? as f64 * 100.0 / workload as f64)
    }

    /// What is less than a trifle of everything goes, but for the first ones.
    pub fn leave_trifles_out(&mut self) {
        let (mut all, over_ms) = ([0_i64; 5], self.over_ms);
        for query in &self.queries {
            for (sum, part) in all.iter_mut().zip(query.sums(over_ms)) {
                *sum = sum.saturating_add(part.unwrap_or(0));
            }
        }
        let is_some = |query: &QueryRow| {
            let mut parts = query.sums(over_ms).into_iter().zip(all);
            parts.any(|(part, all)| part.is_none_or(|n| n > 0 && n as f64 >= all as f64 * LEAST_PART))
        };
        let (mut place, before) = (0, self.queries.len());
        self.queries.retain(|query| {
            place += 1;
            place <= ALWAYS || query.old_plan_hash.is_some() || is_some(query)
        });
        self.left_out = self.left_out.saturating_add((before - self.queries.len()) as u64);
    }
}

/// A sum of what is known; None if nothing is.
fn sum(parts: impl Iterator<Item = Option<i64>>) -> Option<i64> {
    parts.flatten().reduce(i64::saturating_add)
}

/// What is kept of a poll for the next one.
#[derive(Debug)]
pub struct QueriesBase {
    workload_ms: Option<i64>,
    workload_since: Option<i64>,
    queries: Bases<u64, 12>,
}

impl Counters for QueriesSample {
    type Between = Arc<QueryTable>;
    type Base = QueriesBase;

    fn base(self: Arc<Self>, before: Option<&QueriesBase>) -> Arc<QueriesBase> {
        let Self { polled_at, is_all, workload_ms, workload_since, .. } = *self;
        let told = self.queries.iter().map(|q| (q.hash, &q.counts));
        let queries = Bases::after(before.map(|before| &before.queries), polled_at, is_all, told);
        Arc::new(QueriesBase { workload_ms, workload_since, queries })
    }

    fn between(old: &QueriesBase, now: &Self, interval: Interval) -> Arc<QueryTable> {
        // A clock that was set back: what is new is not known, and so nothing is.
        let is_set_back = now.polled_at < old.queries.polled_at();
        let before = old.queries.before(now.polled_at);
        let row = |q: &QueryCounter| {
            if is_set_back { QueryRow::named(q) } else { QueryRow::between(before.of(q.hash, &q.counts), q) }
        };
        // A run that has begun and not ended is none yet. Another plan is told at once: nobody tells it again.
        let has_run =
            |q: &QueryRow| q.runs != Some(0) || q.cpu_us.is_none_or(|us| us > 0) || q.old_plan_hash.is_some();
        let mut queries: Vec<QueryRow> = now.queries.iter().map(row).filter(has_run).collect();
        queries.sort_by(|a, b| b.cpu_us.cmp(&a.cpu_us).then(a.hash.cmp(&b.hash)));
        let is_same_count = !is_set_back && old.workload_since == now.workload_since;
        let workload = delta(old.workload_ms, now.workload_ms).filter(|_| is_same_count);
        let total = now.total.and_then(|total| usize::try_from(total).ok()).unwrap_or(0);
        // The whole is of this interval, whatever time of its own a query is told over.
        let all = |measure| sum(queries.iter().map(|q| q.part(measure, interval.ms)));
        let mut table = QueryTable {
            left_out: total.saturating_sub(now.queries.len()) as u64,
            cpu_us: all(Measure::Cpu),
            runs: all(Measure::Runs),
            workload_us: workload.map(|ms| ms.saturating_mul(1000)),
            over_ms: interval.ms,
            sums: Measure::ALL.map(all).into(),
            queries,
        };
        if !is_set_back && table.queries.is_empty() {
            // Nothing ran: that is known.
            (table.cpu_us, table.runs) = (Some(0), Some(0));
            table.sums = vec![Some(0); Measure::ALL.len()];
        }
        table.leave_trifles_out();
        Arc::new(table)
    }
}

impl Outcome for QueryTable {
    /// Of all queries together.
    fn points(&self, _probe: ProbeId, emit: Emit<'_>) {
        emit(SeriesId::QueryCpu.into(), "", self.per_s(self.cpu_us).map(|us| rounded(us / 1000.0)));
        emit(SeriesId::QueryRuns.into(), "", self.per_s(self.runs).map(rounded));
        emit(Metric::QueryCoverage, "", self.coverage_pct().map(rounded));
    }

    fn each_name_mut(&mut self, visit: Visit<'_>) {
        for query in &mut self.queries {
            maybe(visit, Field::Name(Kind::Database), &mut query.database);
            query.other_databases.iter_mut().for_each(|name| visit(Field::Name(Kind::Database), name));
            maybe(visit, Field::Words(Where::Code), &mut query.module);
        }
    }

    fn each_statement(&self, with: &mut dyn FnMut(&Statement)) {
        self.queries.iter().filter_map(|query| query.statement.as_ref()).for_each(with);
    }

    fn each_statement_mut(&mut self, with: &mut dyn FnMut(&mut Statement)) {
        self.queries.iter_mut().filter_map(|query| query.statement.as_mut()).for_each(with);
    }

    fn only_judged(&self) -> Option<Self> {
        Some(Self {
            queries: Vec::new(),
            left_out: self.left_out,
            cpu_us: self.cpu_us,
            runs: self.runs,
            workload_us: self.workload_us,
            over_ms: self.over_ms,
            sums: Vec::new(),
        })
    }

    fn rows(&self) -> usize {
        self.queries.len() * 5
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const MINUTE: Interval = Interval { ms: 60_000 };

    /// So many plans of that sum, none of them new.
    fn query(hash: u64, plans: i64, sum: i64) -> QueryCounter {
        let counts = PlanCounts {
            plans: Some(plans),
            old_plans: Some(plans),
            all: [Some(sum); 12],
            new: [Some(0); 12],
            last: [Some(1); 12],
            ..PlanCounts::default()
        };
        QueryCounter { hash, counts, plan_hash: Some(hash + 100), ..QueryCounter::default() }
    }

    fn sample(queries: Vec<QueryCounter>, workload_ms: i64) -> QueriesSample {
        QueriesSample {
            total: Some(queries.len() as i64),
            is_all: true,
            queries,
            polled_at: Some(workload_ms),
            workload_ms: Some(workload_ms),
            workload_since: Some(7),
        }
    }

    fn between(old: Vec<QueryCounter>, now: Vec<QueryCounter>) -> Arc<QueryTable> {
        since(&sample(old, 0), &sample(now, 60_000), MINUTE)
    }

    fn since(old: &QueriesSample, now: &QueriesSample, over: Interval) -> Arc<QueryTable> {
        QueriesSample::between(&Arc::new(old.clone()).base(None), now, over)
    }

    #[test]
    fn a_query_that_ran_is_told_with_what_its_plans_gained_and_an_idle_one_is_not() {
        let one = |old: Option<QueryCounter>, now: QueryCounter| {
            let table = between(old.into_iter().collect(), vec![now]);
            table.queries.first().map(|q| (q.cpu_us.unwrap(), q.at_least))
        };
        let before = Some(query(1, 2, 1_000));
        assert_eq!(one(before.clone(), query(1, 2, 1_400)), Some((400, false)), "it ran");
        assert_eq!(one(before.clone(), query(1, 1, 1_100)), Some((100, true)), "a plan of it went");
        assert_eq!(one(before.clone(), query(1, 1, 600)), None, "as if nothing had run");
        assert_eq!(one(before, query(1, 2, 1_000)), None, "a run that has not ended");
        let mut idle = query(1, 1, 99_000);
        idle.counts.last = [Some(250); 12];
        assert_eq!(one(None, idle), Some((250, true)), "it was idle at the poll before: its last run");
    }

    #[test]
    fn a_query_that_idled_is_told_with_all_its_runs_when_it_comes_back() {
        let told = |queries, minute: i64| Arc::new(sample(queries, minute * 60_000));
        let compiled = |mut query: QueryCounter| {
            query.counts.old_compiled_at = Some(-5);
            query
        };
        let mut base = told(vec![compiled(query(1, 1, 1_000)), compiled(query(2, 1, 0))], 1).base(None);
        for minute in 2..5 {
            base = told(vec![compiled(query(2, 1, minute))], minute).base(Some(&base));
        }
        let now = told(vec![compiled(query(1, 1, 1_600)), compiled(query(2, 1, 5))], 5);
        let table = QueriesSample::between(&base, &now, MINUTE);
        let rows: Vec<_> = table.queries.iter().map(|q| (q.hash, q.cpu_us, q.at_least)).collect();
        assert_eq!(rows, [(1, Some(600), false), (2, Some(1), false)]);
    }

    #[test]
    fn a_query_that_was_not_among_the_first_is_told_over_a_time_of_its_own() {
        let compiled = |sum| {
            let mut query = query(1, 1, sum);
            query.counts.old_compiled_at = Some(-5);
            query
        };
        let at = |queries, minute: i64| Arc::new(sample(queries, minute * 60_000));
        let few = Arc::new(QueriesSample { is_all: false, ..sample(vec![query(2, 1, 0)], 120_000) });
        let base = few.base(Some(&at(vec![compiled(1_000)], 1).base(None)));
        let table = QueriesSample::between(&base, &at(vec![compiled(61_000)], 3), MINUTE);
        let [query] = &table.queries[..] else { panic!("{table:?}") };
        assert_eq!((query.cpu_us, query.own_ms, query.at_least), (Some(60_000), 120_000, false));
        assert_eq!(table.cpu_ms_per_s(query), Some(0.5), "60 ms in two minutes");
        assert_eq!(
            (table.cpu_us, table.runs, table.coverage_pct()),
            (Some(30_000), Some(30_000), Some(0.05))
        );
        assert_eq!(table.share_pct(query, Measure::Runs), Some(100.0), "of this minute, like the whole");
    }

    #[test]
    fn what_the_server_does_not_say_is_not_known() {
        let mute = QueryCounter { hash: 1, ..QueryCounter::default() };
        let table = between(vec![query(1, 1, 5)], vec![mute.clone()]);
        let q = &table.queries[0];
        assert_eq!((q.runs, q.cpu_us, q.avg_ms(), q.spills), (None, None, None, None));
        assert_eq!(
            (table.cpu_us, table.coverage_pct(), table.share_pct(q, Measure::Cpu)),
            (None, None, None)
        );
        let mut no_spills = query(1, 1, 900);
        no_spills.counts.all[Measure::Spills as usize] = None;
        let table = between(vec![query(1, 1, 600)], vec![no_spills]);
        assert_eq!((table.queries[0].spills, table.queries[0].dop), (None, Some(300)));
        assert_eq!(between(vec![mute], vec![query(1, 1, 900)]).queries[0].cpu_us, None, "nothing before");
    }

    #[test]
    fn the_queries_explain_a_part_of_the_cpu_or_it_is_not_known() {
        let at = |since, ms| QueriesSample { workload_since: since, ..sample(vec![query(1, 1, ms)], ms) };
        let (old, now) = (at(Some(7), 1_000), at(Some(7), 41_000));
        let mut grown = now.clone();
        grown.queries[0].counts.all = [Some(1_000 + 30_000_000); 12];
        let table = since(&old, &grown, MINUTE);
        assert_eq!(
            (table.coverage_pct(), table.share_pct(&table.queries[0], Measure::Cpu)),
            (Some(75.0), Some(75.0))
        );
        assert_eq!(table.cpu_ms_per_s(&table.queries[0]), Some(500.0));
        let reset = since(&old, &at(Some(8), 41_000), MINUTE);
        assert_eq!(reset.coverage_pct(), None, "the statistics were reset");
        assert_eq!(since(&now, &old, MINUTE).coverage_pct(), None, "they fell");
        let mut huge = grown;
        huge.queries[0].counts.all = [Some(i64::MAX); 12];
        let table = since(&old, &huge, MINUTE);
        assert!(table.coverage_pct().is_some_and(|pct| pct > 100.0 && pct.is_finite()));
        assert_eq!(table.share_pct(&table.queries[0], Measure::Cpu), Some(100.0), "never more than all");
        let idle = between(Vec::new(), Vec::new());
        assert_eq!((idle.cpu_us, idle.runs, idle.coverage_pct()), (Some(0), Some(0), Some(0.0)));
    }

    #[test]
    fn a_clock_that_was_set_back_tells_names_only() {
        let (old, now) = (sample(vec![query(1, 1, 0)], 90_000), sample(vec![query(1, 1, 500)], 60_000));
        let table = since(&old, &now, MINUTE);
        assert_eq!(table.queries.len(), 1);
        assert_eq!((table.queries[0].cpu_us, table.queries[0].runs), (None, None));
        assert_eq!((table.cpu_us, table.workload_us), (None, None));
    }

    #[test]
    fn another_plan_is_told_where_one_was_told_before() {
        let changed = |plan_hash, old_plan_hash| {
            let now = QueryCounter { plan_hash, old_plan_hash, ..query(1, 1, 900) };
            between(Vec::new(), vec![now]).queries[0].old_plan_hash
        };
        assert_eq!(changed(Some(7), Some(101)), Some(101), "also of one that was idle at the poll before");
        assert_eq!(changed(Some(7), Some(7)), None);
        assert_eq!(changed(Some(7), None), None);
        assert_eq!(changed(None, Some(7)), None);
    }

    #[test]
    fn most_cpu_stands_first_and_trifles_are_counted() {
        let old: Vec<_> = (0..300).map(|hash| query(hash, 1, 0)).collect();
        let mut now: Vec<_> = (0..300).map(|hash| query(hash, 1, 1)).collect();
        for (n, q) in now.iter_mut().enumerate().take(20) {
            q.counts.all = [Some(1_000 - n as i64); 12];
        }
        // Little CPU, and much time: it waited. And one that has another plan.
        now[299].counts.all[Measure::Elapsed as usize] = Some(9_000);
        now[298].old_plan_hash = Some(1);
        let mut sample = (sample(old, 0), sample(now, 60_000));
        sample.1.total = Some(450);
        let table = since(&sample.0, &sample.1, MINUTE);
        let hashes: Vec<u64> = table.queries.iter().map(|q| q.hash).collect();
        assert_eq!(hashes, (0..20).chain([298, 299]).collect::<Vec<_>>());
        assert_eq!(table.left_out, 150 + 278);
        assert_eq!(table.runs, Some((0..20).map(|n| 1_000 - n).sum::<i64>() + 280), "all were counted");
    }

    #[test]
    fn of_two_rows_of_a_hash_nothing_is_lost_but_one() {
        let twice = vec![query(1, 1, 5), query(1, 1, 9)];
        let table = between(twice.clone(), twice);
        assert!(table.queries.iter().all(|q| q.cpu_us.is_some_and(|us| us >= 0)), "{table:?}");
    }

    proptest! {
        #[test]
        fn whatever_a_server_says_nothing_is_negative(
            old in proptest::collection::vec(any_query(), 0..6),
            now in proptest::collection::vec(any_query(), 0..6),
            ms in 100_u64..300_000,
            workload: [Option<i64>; 4],
        ) {
            let whole = |queries, at, ms| QueriesSample { queries, total: ms, is_all: true, polled_at: at, workload_ms: ms, workload_since: None };
            let table = since(
                &whole(old, workload[0], workload[1]),
                &whole(now, workload[2], workload[3]),
                Interval { ms },
            );
            for query in &table.queries {
                let parts = [query.runs, query.cpu_us, query.rows, query.spills, query.dop];
                prop_assert!(parts.iter().flatten().all(|n| *n >= 0));
                prop_assert!(table.share_pct(query, Measure::Cpu).is_none_or(|pct| (0.0..=100.1).contains(&pct)));
            }
            prop_assert!(table.coverage_pct().is_none_or(|pct| pct >= 0.0 && pct.is_finite()));
        }
    }

    fn any_query() -> impl Strategy<Value = QueryCounter> {
        let sums = || proptest::array::uniform12(any::<Option<i64>>());
        (0_u64..4, any::<[Option<i64>; 2]>(), sums(), sums(), sums()).prop_map(
            |(hash, [plans, old_plans], all, new, last)| {
                let counts = PlanCounts { plans, old_plans, all, new, last, ..PlanCounts::default() };
                QueryCounter { hash, counts, ..QueryCounter::default() }
            },
        )
    }
}
