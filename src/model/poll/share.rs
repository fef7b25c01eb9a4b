//! Shares: a query's part of what all queries of its instance have, of each measure that has a whole. Panes, details and `once` tell
//! them; all by this one function.
//!
//! Of CPU the whole is what all sessions took, which the server counts by itself. Of all else it is what was told of queries: what
//! never was in the plan cache is not in it.

use super::{
    counts::Measure,
    queries::{QueryRow, QueryTable},
};

/// A part of a whole.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Share {
    /// the part
    pub part: i64,
    /// the whole
    pub whole: i64,
}

impl Share {
    /// How much of the whole it is, %. A part that is greater than its whole is all of it.
    pub fn pct(self) -> f64 {
        (self.part as f64 * 100.0 / self.whole as f64).min(100.0)
    }
}

impl QueryTable {
    /// The whole of a measure. None: it is not known, or there is none, as of a degree of parallelism.
    pub fn whole(&self, measure: Measure) -> Option<i64> {
        let told = || {
            let sum = self.sums.get(measure as usize).copied().flatten();
            // What an older version kept has no sums. Where nothing was left out, the rows are all there is.
            sum.or_else(|| {
                let all = self.queries.iter().map(|query| query.of(measure));
                let all: Option<i64> = all.reduce(|a, b| a?.checked_add(b?)).flatten();
                all.filter(|_| self.sums.is_empty() && self.left_out == 0)
            })
        };
        match measure {
            Measure::Dop => None,
            Measure::Cpu => Some(self.workload_us?.max(self.cpu_us?)),
            Measure::Runs => self.runs.or_else(told),
            _ => told(),
        }
    }

    /// A query's part of the whole, in the time of the table. None: one of both is not known, or the whole is nothing.
    pub fn share(&self, query: &QueryRow, measure: Measure) -> Option<Share> {
        let part = query.part(measure, self.over_ms)?;
        let whole = self.whole(measure)?;
        (whole > 0 && part >= 0).then_some(Share { part, whole })
    }

    /// The same, %.
    pub fn share_pct(&self, query: &QueryRow, measure: Measure) -> Option<f64> {
        self.share(query, measure).map(Share::pct)
    }

    /// Queries among them that may have had more than is told: the whole of everything but CPU may be greater, too.
    pub fn lower_bounds(&self) -> usize {
        self.queries.iter().filter(|query| query.at_least).count()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn query(cpu_us: Option<i64>, reads: Option<i64>) -> QueryRow {
        QueryRow { runs: Some(10), cpu_us, reads, dop: Some(10), ..QueryRow::default() }
    }

    /// These queries; beside them others that were left out, with as much again.
    fn table(queries: Vec<QueryRow>, workload_us: Option<i64>) -> QueryTable {
        let told = |measure| queries.iter().filter_map(|q| q.of(measure)).reduce(|a, b| a + b);
        let sums: Vec<_> = Measure::ALL.map(|measure| told(measure).map(|n| n * 2)).into();
        QueryTable {
            cpu_us: told(Measure::Cpu).map(|n| n * 2),
            runs: told(Measure::Runs).map(|n| n * 2),
            workload_us,
            over_ms: 60_000,
            left_out: 7,
            sums,
            queries,
        }
    }

    #[test]
    fn a_share_is_of_all_sessions_for_cpu_and_of_all_queries_for_the_rest() {
        let t = table(vec![query(Some(300), Some(40)), query(Some(100), Some(60))], Some(2_000));
        let of = |measure| t.share_pct(&t.queries[0], measure);
        assert_eq!(
            (of(Measure::Cpu), of(Measure::Reads), of(Measure::Runs)),
            (Some(15.0), Some(20.0), Some(25.0))
        );
        assert_eq!(of(Measure::Dop), None, "degrees of parallelism make no sum");
        assert_eq!(of(Measure::Spills), None, "the server counts none");
        // Runs that ended began before the interval: no query took more than all.
        let t = table(vec![query(Some(900), None)], Some(100));
        assert_eq!(t.share_pct(&t.queries[0], Measure::Cpu), Some(50.0));
        let t = QueryTable { cpu_us: Some(5), workload_us: Some(5), ..t };
        assert_eq!(t.share_pct(&t.queries[0], Measure::Cpu), Some(100.0));
    }

    #[test]
    fn nothing_is_no_whole_and_what_is_not_known_has_no_share() {
        let nothing = table(vec![query(Some(0), Some(0))], Some(0));
        assert_eq!(nothing.share_pct(&nothing.queries[0], Measure::Cpu), None);
        assert_eq!(nothing.share_pct(&nothing.queries[0], Measure::Reads), None);
        let unknown = table(vec![query(None, Some(5)), query(Some(7), None)], None);
        let of = |n: usize, measure| unknown.share_pct(&unknown.queries[n], measure);
        assert_eq!((of(1, Measure::Cpu), of(0, Measure::Cpu)), (None, None), "all of CPU is not known");
        assert_eq!((of(0, Measure::Reads), of(1, Measure::Reads)), (Some(50.0), None));
        let odd = table(vec![QueryRow { reads: Some(-4), ..query(None, None) }, query(None, Some(9))], None);
        assert_eq!(odd.share_pct(&odd.queries[0], Measure::Reads), None);
    }

    #[test]
    fn one_query_is_all_of_it() {
        let one =
            QueryTable { left_out: 0, sums: vec![Some(9); 12], ..table(vec![query(Some(9), Some(9))], None) };
        assert_eq!(one.share_pct(&one.queries[0], Measure::Reads), Some(100.0));
    }

    #[test]
    fn what_an_older_version_kept_has_a_whole_where_nothing_was_left_out() {
        let queries = vec![query(Some(1), Some(30)), query(Some(1), Some(10))];
        let old = QueryTable { left_out: 0, sums: Vec::new(), ..table(queries, Some(4)) };
        assert_eq!(old.share_pct(&old.queries[0], Measure::Reads), Some(75.0));
        let with_trifles = QueryTable { left_out: 3, ..old.clone() };
        assert_eq!(with_trifles.share_pct(&with_trifles.queries[0], Measure::Reads), None);
        assert_eq!(
            with_trifles.share_pct(&with_trifles.queries[0], Measure::Cpu),
            Some(25.0),
            "that was kept"
        );
        let unknown = QueryTable { queries: vec![query(None, None), query(None, Some(3))], ..old };
        assert_eq!(unknown.whole(Measure::Reads), None, "one of them did not say");
    }

    #[test]
    fn queries_whose_plans_went_are_counted() {
        let evicted = QueryRow { at_least: true, ..query(Some(300), Some(40)) };
        let t = table(vec![evicted, query(Some(100), Some(60))], Some(2_000));
        assert_eq!((t.lower_bounds(), t.share_pct(&t.queries[0], Measure::Reads)), (1, Some(20.0)));
    }
}
