//! Which procedure, trigger or function costs: sums over the cached plans of each. Asked as queries are, at the same pace.

use super::counts::counts;
use crate::{
    model::poll::{
        Sample,
        cost::Tier,
        id::ProbeId,
        modules::{ModuleCounter, ModuleKind, ModulesSample},
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
    let clock = ctx.clock();
    Some(ModuleCounter {
        id,
        kind: match row.raw_text("kind").map(str::trim) {
            Some("P") => ModuleKind::Procedure,
            Some("TR") => ModuleKind::Trigger,
            Some("FN") => ModuleKind::Function,
            _ => ModuleKind::Unknown,
        },
        counts: counts(row),
        cached_at: clock.at(row, "cached_time").map(|at| clock.ours(at)),
        database: ctx.database(Some(id.database_id)),
        name: ctx.modules.name(id, row, &ctx.texts),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        model::base::time::Timestamp,
        probe::fixture::{set, sets, text},
    };

    fn told(columns: &[&str], rows: Vec<Vec<Cell>>) -> ModulesSample {
        sample(&sets(vec![set("modules", columns, rows)]), &ProbeContext::new(Timestamp::default)).unwrap()
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
        assert_eq!(
            (sample.modules[0].counts.all[1], sample.modules[0].database.as_deref()),
            (None, Some("db 5"))
        );
        assert_eq!(told(&columns, Vec::new()).total, Some(0));
    }
}
