//! The counters of cached plans as `queries` and `modules` select them: the same columns, of which modules have the first six.

use crate::{
    model::poll::counts::PlanCounts,
    probe::clock::Clock,
    tds::{Cell, Row},
};
use std::array::from_fn;

/// The columns, in the order of [`Measure`](crate::model::poll::counts::Measure): of all plans, of new ones, of the last runs of
/// older ones.
const COLUMNS: [[&str; 3]; 12] = [
    ["executions", "new_executions", "last_executions"],
    ["cpu_us", "new_cpu_us", "last_cpu_us"],
    ["elapsed_us", "new_elapsed_us", "last_elapsed_us"],
    ["reads", "new_reads", "last_reads"],
    ["physical_reads", "new_physical_reads", "last_physical_reads"],
    ["writes", "new_writes", "last_writes"],
    ["row_count", "new_row_count", "last_row_count"],
    ["grant_kb", "new_grant_kb", "last_grant_kb"],
    ["used_kb", "new_used_kb", "last_used_kb"],
    ["ideal_kb", "new_ideal_kb", "last_ideal_kb"],
    ["dop", "new_dop", "last_dop"],
    ["spills", "new_spills", "last_spills"],
];

/// The counters of a row. A single run that took longer than can be is left out.
pub(super) fn counts<const N: usize>(row: Row<'_>, clock: &Clock) -> PlanCounts<N> {
    let sums = |of: usize| from_fn(|measure| row.count(COLUMNS.get(measure)?.get(of)?));
    PlanCounts {
        plans: row.count("plans"),
        old_plans: row.count("old_plans"),
        old_compiled_at: local(row, "old_compiled_at"),
        all: sums(0),
        new: sums(1),
        last: sums(2),
        range_us: ["min_elapsed_us", "max_elapsed_us"].map(|column| clock.micros(row.i64(column))),
    }
}

/// A time as the server's clock shows it: it is only ever compared with others of that clock.
pub(super) fn local(row: Row<'_>, column: &str) -> Option<i64> {
    match row.cell(column) {
        Cell::Local(ms) => Some(*ms),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        model::{base::time::Timestamp, poll::counts::Measure},
        probe::{
            ProbeContext,
            fixture::{set, sets},
        },
        tds::Cell,
    };

    #[test]
    fn every_sum_stands_in_its_own_field() {
        for (n, names) in COLUMNS.iter().enumerate() {
            for (of, name) in names.iter().enumerate() {
                let told = sets(vec![set("queries", &[name], vec![vec![Cell::Int(7)]])]);
                let row = told.all("queries").next().unwrap();
                let clock = ProbeContext::new(Timestamp::default).clock();
                let (query, module) = (counts::<12>(row, &clock), counts::<6>(row, &clock));
                for (place, sums) in [query.all, query.new, query.last].iter().enumerate() {
                    for (field, value) in sums.iter().enumerate() {
                        assert_eq!(*value, (field == n && place == of).then_some(7), "{name}");
                    }
                }
                assert_eq!(
                    [module.all, module.new, module.last][of].get(n).copied().flatten(),
                    (n < 6).then_some(7)
                );
            }
        }
        assert_eq!(COLUMNS[Measure::Writes as usize][0], "writes");
        assert_eq!(COLUMNS[Measure::Rows as usize][0], "row_count");
        assert_eq!(COLUMNS[Measure::Spills as usize][0], "spills");
    }
}
