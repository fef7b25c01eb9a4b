//! Modules: what each procedure, trigger and function of the plan cache costs, the one that takes most CPU first. What a module
//! calls is in its own figures: they are not added up.

use super::{
    Part,
    costs::{self, Costs},
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
            column::{self, Kind, whole, words},
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
        costs::one_run(line, d);
        costs::pages(line, d);
        d.text("What it calls is in these figures, too.", line.view.theme.dim);
        if m.at_least {
            d.head("at least");
            let why = "Its plans left the cache, or what it had before is not known: there may have been more runs.";
            d.text(why, base);
        }
        costs::own_time(d, m.own_ms, base);
    }
}

impl Costs for Modules {
    fn database(m: &ModuleRow) -> Option<&str> {
        m.database.as_deref()
    }

    fn per_s(line: &Line<'_, Self>, n: Option<i64>) -> Option<f64> {
        line.table.of_module_per_s(line.part, n)
    }

    fn is_at_least(m: &ModuleRow) -> bool {
        m.at_least
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
    costs::database(16, 1),
    costs::cpu(),
    costs::runs(0),
    costs::avg(1),
    costs::min(6),
    costs::max(2),
    costs::reads(2),
    costs::disk(5),
    costs::writes(4),
    Column::number("plans", "PLANS", 5, 6)
        .value(|m| whole(m.part.plans))
        .cell(|m, v, out| m.put(v, out, figure::push_count))
        .filter(),
    Column::number("cached", "CACHED", 8, 5)
        .value(|m| m.part.cached_at.map(|at| Value::Ms(m.view.now.ms_since(at) as f64)))
        .cell(|m, v, out| m.put(v, out, figure::push_wait))
        .filter(),
];

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
