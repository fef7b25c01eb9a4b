//! Procedures, triggers and functions of the plan cache: sums over the cached plans of each (`counts`), and what lies between two
//! samples of them. What a module calls is in its own figures, too: nothing in here adds modules up.

use super::{
    counts::{Bases, Measure, Own, PlanBase, PlanCounts, Ran, Took, within},
    id::{Emit, ProbeId},
    names::{Field, Kind, Visit, Where, maybe},
    outcome::{Counters, Outcome},
};
use crate::model::{base::time::Timestamp, fold::rate::Interval};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// What identifies a module on its server.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct ModuleId {
    /// the database's id
    pub database_id: i32,
    /// the object's id
    pub object_id: i32,
}

/// What a module is.
/// In files by name: fields and variants keep their names, a new field has a default.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum ModuleKind {
    /// nobody knows
    #[default]
    Unknown,
    /// a stored procedure
    Procedure,
    /// a trigger
    Trigger,
    /// a scalar function
    Function,
}

impl ModuleKind {
    /// In a word.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Unknown => "module",
            Self::Procedure => "procedure",
            Self::Trigger => "trigger",
            Self::Function => "function",
        }
    }
}

/// All cached plans of a module: sums since they were cached.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ModuleCounter {
    /// which
    pub id: ModuleId,
    /// what it is
    pub kind: ModuleKind,
    /// its cached plans
    pub counts: PlanCounts<6>,
    /// when the newest plan was cached, by our clock
    pub cached_at: Option<Timestamp>,
    /// tells the text of its newest plan from others; 0: not known
    pub handle: u64,
    /// its database
    pub database: Option<Arc<str>>,
    /// its name
    pub name: Option<Arc<str>>,
}

/// Modules as they are polled: those that ran, the most expensive ones.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ModulesSample {
    /// the rows
    pub modules: Vec<ModuleCounter>,
    /// modules that ran
    pub total: Option<i64>,
    /// all of them were told, of each kind
    pub is_all: bool,
    /// the server's clock, ms since 1970 by its own zone: what is cached later is new at the next poll
    pub polled_at: Option<i64>,
    /// kinds of modules that the server does not tell of, and why
    pub lacking: Vec<(ModuleKind, Arc<str>)>,
}

/// One module over the last interval: sums of the runs that ended in it. What is not known is None.
/// In files by position: fields are only appended, each with a default; variants keep their names.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ModuleRow {
    /// the database's id
    pub database_id: i32,
    /// the object's id
    pub object_id: i32,
    /// what it is
    pub kind: ModuleKind,
    /// its database
    pub database: Option<Arc<str>>,
    /// its name
    pub name: Option<Arc<str>>,
    /// runs that ended
    pub runs: Option<i64>,
    /// CPU, µs
    pub cpu_us: Option<i64>,
    /// duration, µs
    pub elapsed_us: Option<i64>,
    /// shortest run since its plans were cached, µs
    pub min_us: Option<i64>,
    /// longest run since then, µs
    pub max_us: Option<i64>,
    /// pages read from memory
    pub reads: Option<i64>,
    /// pages read from disk
    pub physical_reads: Option<i64>,
    /// pages written
    pub writes: Option<i64>,
    /// cached plans
    pub plans: Option<i64>,
    /// when the newest one was cached, by our clock
    pub cached_at: Option<Timestamp>,
    /// plans went, or nobody knows what the module had at the poll before: there may have been more
    pub at_least: bool,
    /// length of a time of its own that it is summed over, ms: it was not among the first in the polls between; 0: that of its table
    pub own_ms: u64,
}

impl Ran for ModuleRow {
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

impl ModuleRow {
    /// What may be said of a module without the poll before.
    fn named(now: &ModuleCounter) -> Self {
        let [min_us, max_us] = now.counts.range_us;
        Self {
            database_id: now.id.database_id,
            object_id: now.id.object_id,
            kind: now.kind,
            database: now.database.clone(),
            name: now.name.clone(),
            min_us,
            max_us,
            plans: now.counts.plans,
            cached_at: now.cached_at,
            ..Self::default()
        }
    }

    fn between((old, own): (Option<&PlanBase<6>>, Own), now: &ModuleCounter) -> Self {
        let grown = |measure| now.counts.grown(old, measure);
        Self {
            runs: grown(Measure::Runs),
            cpu_us: grown(Measure::Cpu),
            elapsed_us: grown(Measure::Elapsed),
            reads: grown(Measure::Reads),
            physical_reads: grown(Measure::PhysicalReads),
            writes: grown(Measure::Writes),
            at_least: now.counts.is_at_least(old),
            own_ms: own.ms(),
            ..Self::named(now)
        }
    }
}

/// The modules of an instance over the last interval.
/// In files by position: fields are only appended, each with a default; variants keep their names.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ModuleTable {
    /// the modules, most CPU first, unknown ones last
    pub modules: Vec<ModuleRow>,
    /// modules that ran and are not among them
    pub left_out: u64,
    /// length of the interval, ms
    pub over_ms: u64,
    /// kinds of modules that the server does not tell of, and why
    pub lacking: Vec<(ModuleKind, Arc<str>)>,
}

impl ModuleTable {
    /// So many per second.
    fn per_s(&self, n: Option<i64>) -> Option<f64> {
        Some(n? as f64 * 1000.0 / self.over_ms.max(1) as f64)
    }

    /// So many of a module per second.
    pub fn of_module_per_s(&self, module: &ModuleRow, n: Option<i64>) -> Option<f64> {
        self.per_s(within(n, module.own_ms, self.over_ms))
    }

    /// CPU of a module, ms per s.
    pub fn cpu_ms_per_s(&self, module: &ModuleRow) -> Option<f64> {
        self.of_module_per_s(module, module.cpu_us).map(|us| us / 1000.0)
    }
}

/// What is kept of a poll for the next one.
#[derive(Debug)]
pub struct ModulesBase {
    modules: Bases<ModuleId, 6>,
}

impl Counters for ModulesSample {
    type Between = Arc<ModuleTable>;
    type Base = ModulesBase;

    fn base(self: Arc<Self>, before: Option<&ModulesBase>) -> Arc<ModulesBase> {
        let told = self.modules.iter().map(|m| (m.id, &m.counts));
        let before = before.map(|before| &before.modules);
        Arc::new(ModulesBase { modules: Bases::after(before, self.polled_at, self.is_all, told) })
    }

    fn between(old: &ModulesBase, now: &Self, interval: Interval) -> Arc<ModuleTable> {
        // A clock that was set back: what is new is not known, and so nothing is.
        let is_set_back = now.polled_at < old.modules.polled_at();
        let before = old.modules.before(now.polled_at);
        let row = |m: &ModuleCounter| {
            if is_set_back { ModuleRow::named(m) } else { ModuleRow::between(before.of(m.id, &m.counts), m) }
        };
        // A run that has begun and not ended is none yet.
        let has_run = |m: &ModuleRow| m.runs != Some(0) || m.cpu_us.is_none_or(|us| us > 0);
        let mut modules: Vec<ModuleRow> = now.modules.iter().map(row).filter(has_run).collect();
        modules.sort_by(|a, b| {
            b.cpu_us.cmp(&a.cpu_us).then((a.database_id, a.object_id).cmp(&(b.database_id, b.object_id)))
        });
        let total = now.total.and_then(|total| usize::try_from(total).ok()).unwrap_or(0);
        let left_out = total.saturating_sub(now.modules.len()) as u64;
        Arc::new(ModuleTable { modules, left_out, over_ms: interval.ms, lacking: now.lacking.clone() })
    }
}

impl Outcome for ModuleTable {
    /// A sum over modules would count what they call twice.
    fn points(&self, _probe: ProbeId, _emit: Emit<'_>) {}

    fn each_name_mut(&mut self, visit: Visit<'_>) {
        self.lacking.iter_mut().for_each(|(_, why)| visit(Field::Words(Where::Ours), why));
        for module in &mut self.modules {
            maybe(visit, Field::Name(Kind::Database), &mut module.database);
            maybe(visit, Field::Words(Where::Code), &mut module.name);
        }
    }

    fn only_judged(&self) -> Option<Self> {
        Some(Self { modules: Vec::new(), ..self.clone() })
    }

    fn rows(&self) -> usize {
        self.modules.len() * 2
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: Interval = Interval { ms: 60_000 };

    fn module(object_id: i32, plans: i64, sum: i64) -> ModuleCounter {
        let counts = PlanCounts {
            plans: Some(plans),
            old_plans: Some(plans),
            all: [Some(sum); 6],
            new: [Some(0); 6],
            last: [Some(1); 6],
            ..PlanCounts::default()
        };
        ModuleCounter { id: ModuleId { database_id: 5, object_id }, counts, ..ModuleCounter::default() }
    }

    fn sample(modules: Vec<ModuleCounter>, polled_at: i64) -> ModulesSample {
        ModulesSample {
            total: Some(modules.len() as i64 + 2),
            modules,
            polled_at: Some(polled_at),
            ..ModulesSample::default()
        }
    }

    fn base(sample: ModulesSample) -> Arc<ModulesBase> {
        Arc::new(sample).base(None)
    }

    fn between(old: Vec<ModuleCounter>, now: Vec<ModuleCounter>) -> Arc<ModuleTable> {
        ModulesSample::between(&base(sample(old, 0)), &sample(now, 60_000), MINUTE)
    }

    #[test]
    fn a_module_has_what_its_counters_grew_by_and_the_most_cpu_stands_first() {
        let table =
            between(vec![module(1, 1, 100), module(2, 1, 5)], vec![module(1, 1, 160), module(2, 1, 905)]);
        let told: Vec<_> = table.modules.iter().map(|m| (m.object_id, m.cpu_us, m.at_least)).collect();
        assert_eq!(told, [(2, Some(900), false), (1, Some(60), false)]);
        assert_eq!((table.left_out, table.cpu_ms_per_s(&table.modules[0])), (2, Some(0.015)));
    }

    #[test]
    fn one_that_was_cached_anew_counts_from_then_on_and_says_at_least() {
        let (old_plans, new, last) = (Some(0), [Some(40); 6], [Some(0); 6]);
        let counts = PlanCounts { old_plans, new, last, ..module(1, 1, 40).counts };
        let again = ModuleCounter { counts, ..module(1, 1, 40) };
        let table = between(vec![module(1, 1, 100)], vec![again]);
        assert_eq!((table.modules[0].runs, table.modules[0].at_least), (Some(40), true));
    }

    #[test]
    fn one_that_was_not_told_before_has_its_last_run_alone_and_idle_ones_are_not_told() {
        let table = between(vec![module(2, 1, 7)], vec![module(1, 1, 9_000), module(2, 1, 7)]);
        let told: Vec<_> = table.modules.iter().map(|m| (m.object_id, m.cpu_us, m.at_least)).collect();
        assert_eq!(told, [(1, Some(1), true)]);
    }

    #[test]
    fn nothing_is_said_of_figures_over_a_clock_that_was_set_back() {
        let old = base(sample(vec![module(1, 1, 100)], 90_000));
        let table = ModulesSample::between(&old, &sample(vec![module(1, 1, 160)], 60_000), MINUTE);
        assert_eq!((table.modules[0].runs, table.modules[0].cpu_us), (None, None));
    }
}
