//! Which procedure, trigger or function costs: sums over the cached plans of each. Asked as queries are, at the same pace.

use crate::{
    model::poll::{
        Sample,
        cost::Tier,
        id::ProbeId,
        modules::{ModuleCounter, ModuleKind, ModulesSample, Sums},
        reading::Unavailable,
    },
    probe::{
        batch::Sets,
        context::ProbeContext,
        descriptor::{Company, Pace, Probe, needed},
        module,
        script::{Needs, Script, Takes, script},
    },
    tds::{Cell, Row},
};
use std::sync::Arc;

const MODULES: Script =
    script!("modules", Performance, by "kind" "database_id" "object_id").taking(Takes::SinceModules);

/// See the module.
pub(super) static PROBE: Probe = Probe {
    parts: &[needed(MODULES)],
    pace: Pace::Apart(4, 45),
    rate: true,
    company: Company::Alone,
    timeout_ms: 10_000,
    unknown_without: &[(Needs::Performance, "which procedure costs what")],
    panes: &["modules"],
    ..Probe::new(ProbeId::Modules, Tier::Slow, decode)
};

/// The columns, in the order of [`Sums`]: of all plans, of new ones, of the last runs of older ones.
const COLUMNS: [[&str; 3]; 6] = [
    ["executions", "new_executions", "last_executions"],
    ["cpu_us", "new_cpu_us", "last_cpu_us"],
    ["elapsed_us", "new_elapsed_us", "last_elapsed_us"],
    ["reads", "new_reads", "last_reads"],
    ["physical_reads", "new_physical_reads", "last_physical_reads"],
    ["writes", "new_writes", "last_writes"],
];

fn decode(sets: &Sets, ctx: &ProbeContext) -> Result<Sample, Unavailable> {
    Ok(Sample::Counters(Arc::new(sample(sets, ctx)?)))
}

fn sample(sets: &Sets, ctx: &ProbeContext) -> Result<ModulesSample, Unavailable> {
    let mut modules: Vec<ModuleCounter> =
        sets.many(module::SET)?.filter_map(|row| counter(row, ctx)).collect();
    modules.shrink_to_fit();
    let polled_at = sets.all(module::SET).find_map(|row| match row.cell("polled_at") {
        Cell::Local(ms) => Some(*ms),
        _ => None,
    });
    let total = sets.all(module::SET).filter_map(|row| row.count("total_modules")).max();
    Ok(ModulesSample { modules, total: total.or(Some(0)), polled_at })
}

/// A row without an object is left out: nothing could be compared with it.
fn counter(row: Row<'_>, ctx: &ProbeContext) -> Option<ModuleCounter> {
    let id = module::id(row)?;
    let sums = |of: usize| -> Sums { COLUMNS.map(|names| row.count(names[of])) };
    let clock = ctx.clock();
    Some(ModuleCounter {
        id,
        kind: match row.raw_text("kind").map(str::trim) {
            Some("P") => ModuleKind::Procedure,
            Some("TR") => ModuleKind::Trigger,
            Some("FN") => ModuleKind::Function,
            _ => ModuleKind::Unknown,
        },
        plans: row.count("plans"),
        old_plans: row.count("old_plans"),
        all: sums(0),
        new: sums(1),
        last: sums(2),
        range_us: ["min_elapsed_us", "max_elapsed_us"].map(|column| row.count(column)),
        cached_at: clock.at(row, "cached_time").map(|at| clock.ours(at)),
        database: ctx.database(Some(id.database_id)),
        name: ctx.modules.name(id, row, &ctx.texts),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        model::{base::time::Timestamp, poll::modules::Measure},
        probe::fixture::{set, sets, text},
    };

    fn told(columns: &[&str], rows: Vec<Vec<Cell>>) -> ModulesSample {
        sample(&sets(vec![set("modules", columns, rows)]), &ProbeContext::new(Timestamp::default)).unwrap()
    }

    #[test]
    fn every_sum_stands_in_its_own_field() {
        for (n, names) in COLUMNS.iter().enumerate() {
            for (of, name) in names.iter().enumerate() {
                let row = vec![text("P"), Cell::Int(5), Cell::Int(9), Cell::Int(7)];
                let sample = told(&["kind", "database_id", "object_id", name], vec![row]);
                let m = &sample.modules[0];
                for (place, sums) in [m.all, m.new, m.last].iter().enumerate() {
                    for (field, value) in sums.iter().enumerate() {
                        assert_eq!(*value, (field == n && place == of).then_some(7), "{name}");
                    }
                }
            }
        }
        assert_eq!(COLUMNS[Measure::Writes as usize][0], "writes");
    }

    #[test]
    fn a_row_says_what_it_is_and_one_without_an_object_is_left_out() {
        let columns = ["kind", "database_id", "object_id", "plans", "cpu_us", "polled_at", "total_modules"];
        let row = |kind: Cell, object: Cell| {
            vec![kind, Cell::Int(5), object, Cell::Int(2), Cell::Int(-4), Cell::Local(70), Cell::Int(12)]
        };
        let sample = told(
            &columns,
            vec![
                row(text("TR"), Cell::Int(1)),
                row(text("FN"), Cell::Int(2)),
                row(text("?\u{7}"), Cell::Int(3)),
                row(Cell::Null, Cell::Null),
            ],
        );
        let kinds: Vec<_> = sample.modules.iter().map(|m| m.kind.word()).collect();
        assert_eq!(kinds, ["trigger", "function", "module"]);
        assert_eq!((sample.total, sample.polled_at), (Some(12), Some(70)));
        assert_eq!((sample.modules[0].all[1], sample.modules[0].database.as_deref()), (None, Some("db 5")));
        assert_eq!(told(&columns, Vec::new()).total, Some(0));
    }
}
