//! Modules: what each procedure, trigger and function of the plan cache costs, the one that takes most CPU first. What a module
//! calls is in its own figures: they are not added up.

use super::{
    Part,
    figure::Figure,
    parts::{self, By, Line, Parts, PartsPane, Rank, Words, text},
};
use crate::{
    model::{
        base::{figure, filter::Value},
        fold::snapshot::InstanceSnapshot,
        inventory::instance::InstanceId,
        judge::health::Level,
        poll::{
            Facts,
            modules::{ModuleKind, ModuleRow, ModuleTable},
            reading::Reading,
        },
    },
    tui::{
        id::{PaneId, RowKey},
        view::View,
        widget::{
            cell::CellText,
            column::{self, Kind, in_ms, number, whole, words},
            document::Document,
        },
    },
};
use std::sync::Arc;

/// The pane.
pub type ModulesPane = PartsPane<Modules>;

/// Rows of the pane: a module of an instance each.
#[derive(Debug)]
pub enum Modules {}

impl Kind for Modules {
    type Row<'a> = Line<'a, Self>;
}

impl Parts for Modules {
    type Table = ModuleTable;
    type Part = ModuleRow;
    const PANE: PaneId = PaneId::Modules;
    const COLUMNS: &'static [Column] = COLUMNS;
    const NAME: &'static str = "module";
    const ORDER: &'static [By<ModuleRow>] = &[];
    // Instances on the screen are polled over another time than the fleet.
    const RANK: Option<Rank<Self>> = Some(ModuleTable::cpu_ms_per_s);
    const FIGURES: &'static [Figure] = &[];
    const WORDS: Words = Words {
        order: "most CPU first",
        left_out: "more took less",
        no_match: "No module matches the filter.",
        unknown: "Which procedure costs what",
        nothing: "No procedure, trigger or function ran",
        nameless: "a module whose text was not read yet",
    };

    fn reading(facts: &Facts) -> &Reading<Arc<ModuleTable>> {
        &facts.modules
    }

    fn parts(table: &ModuleTable) -> (&[ModuleRow], u64) {
        (&table.modules, table.left_out)
    }

    fn key(instance: &InstanceId, module: &ModuleRow) -> RowKey {
        RowKey::Module(instance.clone(), module.database_id, module.object_id)
    }

    fn texts<'p>(module: &'p ModuleRow, with: &mut dyn FnMut(&'p str)) {
        [&module.database, &module.name].into_iter().flatten().for_each(|text| with(text));
    }

    fn about(_: &InstanceSnapshot, table: &ModuleTable, _: &View<'_>) -> Vec<Vec<(Part, String)>> {
        let told = |(kind, why): &(ModuleKind, Arc<str>)| {
            vec![(Part::Level(Level::Warning), format!("{}s: {why}", kind.word()))]
        };
        table.lacking.iter().map(told).collect()
    }

    fn more(line: &Line<'_, Self>, d: &mut Document) {
        let (m, base) = (line.part, line.style());
        d.head("one run, on average");
        let per_run = |d: &mut Document, name: &'static str, sum: Option<i64>, push: fn(&mut String, f64)| {
            d.field(name, base, |s| m.per_run(sum).into_iter().for_each(|n| push(s, n)));
        };
        per_run(d, "CPU", m.cpu_us, |s, us| figure::push_mean(s, us / 1_000.0));
        per_run(d, "pages from memory", m.reads, figure::push_count);
        per_run(d, "pages from disk", m.physical_reads, figure::push_count);
        per_run(d, "pages written", m.writes, figure::push_count);
        d.text("What it calls is in these figures, too.", line.view.theme.dim);
        if m.at_least {
            d.head("at least");
            let why = "Its plans left the cache, or it was not among those told before: there may have been more runs.";
            d.text(why, base);
        }
    }
}

type Column = column::Column<Modules>;

/// The columns. A filter may ask for those that end in `filter`.
const COLUMNS: &[Column] = &[
    parts::instance(),
    Column::text("module", "MODULE", 32, 0)
        .at_least(16)
        .growing()
        .value(|m| words(m.part.name.as_deref()))
        .cell(|m, v, out| match v {
            Some(_) => text(m, v, out),
            None => out.fmt(m.view.theme.dim, format_args!("object {}", m.part.object_id)),
        })
        .filter()
        .also(&["procedure", "name"]),
    Column::text("kind", "KIND", 9, 3).value(|m| words(Some(m.part.kind.word()))).cell(text).filter(),
    Column::text("db", "DATABASE", 16, 1)
        .at_least(8)
        .value(|m| words(m.part.database.as_deref()))
        .cell(text)
        .filter()
        .also(&["database"]),
    Column::number("cpu", "CPU MS/S", 8, 0)
        .value(|m| in_ms(m.table.cpu_ms_per_s(m.part)))
        .cell(|m, v, out| bound(m, v, out, figure::push_rate))
        .filter(),
    Column::number("runs", "RUNS/S", 7, 0)
        .value(|m| number(m.table.per_s(m.part.runs)))
        .cell(|m, v, out| bound(m, v, out, figure::push_rate))
        .filter()
        .also(&["executions"]),
    Column::number("avg", "AVG", 8, 1)
        .value(|m| m.part.avg_ms().map(Value::Ms))
        .cell(mean)
        .filter()
        .also(&["duration"]),
    Column::number("min", "MIN", 8, 6)
        .value(|m| m.part.min_us.map(|us| Value::Ms(us as f64 / 1_000.0)))
        .cell(mean)
        .filter(),
    Column::number("max", "MAX", 8, 2)
        .value(|m| m.part.max_us.map(|us| Value::Ms(us as f64 / 1_000.0)))
        .cell(mean)
        .filter(),
    Column::number("reads", "READS/S", 7, 2)
        .value(|m| number(m.table.per_s(m.part.reads)))
        .cell(|m, v, out| m.put(v, out, figure::push_rate))
        .filter(),
    Column::number("disk", "DISK/S", 7, 5)
        .value(|m| number(m.table.per_s(m.part.physical_reads)))
        .cell(|m, v, out| m.put(v, out, figure::push_rate))
        .filter()
        .also(&["physical"]),
    Column::number("writes", "WRITES/S", 8, 4)
        .value(|m| number(m.table.per_s(m.part.writes)))
        .cell(|m, v, out| m.put(v, out, figure::push_rate))
        .filter(),
    Column::number("plans", "PLANS", 5, 6)
        .value(|m| whole(m.part.plans))
        .cell(|m, v, out| m.put(v, out, figure::push_count))
        .filter(),
    Column::number("cached", "CACHED", 8, 5)
        .value(|m| m.part.cached_at.map(|at| Value::Ms(m.view.now.ms_since(at) as f64)))
        .cell(|m, v, out| m.put(v, out, figure::push_wait))
        .filter(),
];

/// A figure that is a lower bound says so.
fn bound(m: &Line<'_, Modules>, v: Option<Value<'_>>, out: &mut CellText, push: fn(&mut String, f64)) {
    if m.part.at_least && v.is_some() {
        out.put(m.style(), "≥");
    }
    m.put(v, out, push);
}

/// An average duration.
fn mean(m: &Line<'_, Modules>, v: Option<Value<'_>>, out: &mut CellText) {
    m.put(v, out, figure::push_mean);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tui::{
        fixture,
        pane::{Pane, stage::Stage},
        widget::column::ambiguous,
    };

    #[test]
    fn each_name_stands_for_one_column() {
        assert_eq!(ambiguous(COLUMNS), [""; 0]);
    }

    #[test]
    fn most_cpu_stands_first_and_one_without_a_name_has_its_number() {
        let module = |object_id, cpu_us, name: Option<&str>| ModuleRow {
            database_id: 5,
            object_id,
            kind: ModuleKind::Procedure,
            cpu_us,
            runs: Some(120),
            elapsed_us: Some(2_400_000),
            name: name.map(Into::into),
            ..ModuleRow::default()
        };
        let modules = vec![
            module(7, Some(600_000), Some("dbo.usp_Settle")),
            ModuleRow { at_least: true, ..module(8, Some(6_000_000), None) },
            module(9, None, Some("dbo.usp_Unknown")),
        ];
        let mut fleet = fixture::small();
        for i in &mut fleet.instances {
            let table = ModuleTable {
                modules: modules.clone(),
                left_out: 3,
                over_ms: 60_000,
                lacking: vec![(ModuleKind::Function, "n/a (no sys.dm_exec_function_stats here)".into())],
            };
            Arc::make_mut(i).facts.modules = Reading::good(Arc::new(table), fixture::NOW, 20_000);
        }
        let stage = Stage::one(fleet, "sqlprd-001");
        let mut pane = ModulesPane::default();
        let words = stage.draw(&mut pane, 160, 30).join("\n");
        assert!(words.contains("functions: n/a (no sys.dm_exec_function_stats here)"), "{words}");
        let lines = stage.draw(&mut pane, 160, 16);
        let at = |name: &str| lines.iter().position(|line| line.contains(name)).unwrap();
        assert_eq!(["object 8", "usp_Settle", "usp_Unknown"].map(at), [1, 2, 3], "{lines:#?}");
        assert!(lines[1].contains("≥100") && lines[2].contains("20 ms"), "{lines:#?}");
        let text = pane.details(&pane.selected().unwrap(), &stage.view()).unwrap().to_copy();
        assert!(text.contains("there may have been more runs"), "{text}");
        pane.set_filter("module~settle").unwrap();
        pane.rebuild(&stage.view());
        assert_eq!(pane.counts().0, 1);
    }
}
