//! Which procedure, trigger or function costs: sums over the cached plans of each. Asked as queries are, at the same pace.

use super::counts::{counts, local};
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
        descriptor::{Company, Pace, Probe, needed, optional},
        module,
        script::{Needs, Script, Takes, script},
    },
    tds::Row,
};
use std::sync::Arc;

const PROCEDURES: Script =
    script!("modules", Performance, by "database_id" "object_id").taking(Takes::SinceModules);
/// The view that its file asks; triggers and functions have one of the same shape each.
const VIEW: &str = "sys.dm_exec_procedure_stats";
const TRIGGERS: Script = PROCEDURES.over("module_triggers", VIEW, "sys.dm_exec_trigger_stats");
const FUNCTIONS: Script = PROCEDURES.over("module_functions", VIEW, "sys.dm_exec_function_stats");

/// What each script tells of.
const KINDS: [(Script, ModuleKind); 3] =
    [(PROCEDURES, ModuleKind::Procedure), (TRIGGERS, ModuleKind::Trigger), (FUNCTIONS, ModuleKind::Function)];

/// See the module.
pub(super) static PROBE: Probe = Probe {
    parts: &[needed(PROCEDURES), optional(TRIGGERS, &[]), optional(FUNCTIONS, &[])],
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
    sets.many(PROCEDURES.name).map(drop)?;
    let mut sample = ModulesSample { total: Some(0), is_all: true, ..ModulesSample::default() };
    for (script, kind) in KINDS {
        let Some(set) = sets.get(script.name) else {
            let why =
                ctx.why_not(script).map_or_else(|| Unavailable::NotYet.to_string(), ToString::to_string);
            sample.lacking.push((kind, why.into()));
            sample.is_all = false;
            continue;
        };
        sample.modules.extend(set.rows().filter_map(|row| counter(row, kind, ctx)));
        let told = set.rows().find_map(|row| local(row, "polled_at"));
        // Of several moments the earliest: what was cached behind it is new at the next poll.
        sample.polled_at = told.into_iter().chain(sample.polled_at).min();
        let total = set.rows().filter_map(|row| row.count("total_modules")).max().unwrap_or(0);
        sample.total = sample.total.map(|all| all.saturating_add(total));
        sample.is_all &= set.rows().count() as i64 >= total;
    }
    sample.modules.shrink_to_fit();
    Ok(sample)
}

/// A row without an object is left out: nothing could be compared with it.
fn counter(row: Row<'_>, kind: ModuleKind, ctx: &ProbeContext) -> Option<ModuleCounter> {
    let id = module::id(row)?;
    let clock = ctx.clock();
    Some(ModuleCounter {
        id,
        kind,
        counts: counts(row, &clock),
        cached_at: clock.certain(row, "cached_time").map(|at| clock.ours(at)),
        handle: module::handle(row),
        database: ctx.database(Some(id.database_id)),
        name: ctx.modules.name(id, row, &ctx.texts),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        model::base::time::Timestamp,
        probe::fixture::{set, sets},
        tds::Cell,
    };

    fn told(columns: &[&str], rows: Vec<Vec<Cell>>) -> ModulesSample {
        let of_others = |name| set(name, columns, Vec::new());
        let all = sets(vec![
            set("modules", columns, rows),
            of_others("module_triggers"),
            of_others("module_functions"),
        ]);
        sample(&all, &ProbeContext::new(Timestamp::default)).unwrap()
    }

    #[test]
    fn a_set_says_what_its_modules_are_and_a_row_without_an_object_is_left_out() {
        let columns = ["database_id", "object_id", "plans", "cpu_us", "polled_at", "total_modules"];
        let row = |object: Cell, at: i64| {
            vec![Cell::Int(5), object, Cell::Int(2), Cell::Int(-4), Cell::Local(at), Cell::Int(12)]
        };
        let all = sets(vec![
            set("modules", &columns, vec![row(Cell::Int(1), 72), row(Cell::Null, 72)]),
            set("module_triggers", &columns, vec![row(Cell::Int(2), 70)]),
            set("module_functions", &columns, vec![row(Cell::Int(3), 71)]),
        ]);
        let sample = sample(&all, &ProbeContext::new(Timestamp::default)).unwrap();
        let kinds: Vec<_> = sample.modules.iter().map(|m| m.kind.word()).collect();
        assert_eq!(kinds, ["procedure", "trigger", "function"]);
        assert_eq!((sample.total, sample.polled_at, sample.is_all), (Some(36), Some(70), false));
        assert_eq!(
            (sample.modules[0].counts.all[1], sample.modules[0].database.as_deref()),
            (None, Some("db 5"))
        );
        let nothing = told(&columns, Vec::new());
        assert_eq!((nothing.total, nothing.is_all, sample.lacking.len()), (Some(0), true, 0));
    }

    #[test]
    fn a_kind_that_is_not_told_says_why_and_hides_no_other() {
        let mut ctx = ProbeContext::new(Timestamp::default);
        ctx.remember(FUNCTIONS, Unavailable::Missing("sys.dm_exec_function_stats".into()));
        ctx.note_problems(&[("module_triggers", Unavailable::NoRight("VIEW SERVER STATE".into()))]);
        let row = vec![Cell::Int(5), Cell::Int(1)];
        let sample =
            sample(&sets(vec![set("modules", &["database_id", "object_id"], vec![row])]), &ctx).unwrap();
        let why: Vec<_> =
            sample.lacking.iter().map(|(kind, why)| format!("{}: {why}", kind.word())).collect();
        assert_eq!(
            why,
            ["trigger: n/a (VIEW SERVER STATE)", "function: n/a (no sys.dm_exec_function_stats here)"]
        );
        assert_eq!(sample.modules.len(), 1);
    }
}
