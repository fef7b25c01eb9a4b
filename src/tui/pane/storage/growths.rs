//! The times that database files grew by themselves, the newest first: by how much, and for how long everybody waited for it.

use super::{
    super::{
        Part,
        figure::Figure,
        kept::Kept,
        parts::{self, By, Line, Parts, Words, bytes, text},
        who::duration,
    },
    databases::SIZES,
    files::LATENCY,
    free::free_space,
    recorded::session_of_growths,
};
use crate::{
    model::{
        base::{figure, filter::Value},
        fold::snapshot::InstanceSnapshot,
        inventory::instance::InstanceId,
        poll::{
            Facts,
            growths::{FileGrowth, GrowthTable},
            id::{Metric, SeriesKey},
            reading::{Reading, Unavailable},
        },
    },
    tui::{
        action::Action,
        id::{PaneId, RowKey},
        view::View,
        widget::{
            cell::CellText,
            column::{self, Kind, ms, size, words},
        },
        wish::Wish,
    },
};
use std::sync::Arc;

/// Rows: a growth each.
#[derive(Debug)]
pub enum Growths {}

impl Kind for Growths {
    type Row<'a> = Line<'a, Self>;
}

impl Parts for Growths {
    type Table = GrowthTable;
    type Part = FileGrowth;
    const PANE: PaneId = PaneId::Storage;
    const COLUMNS: &'static [Column] = COLUMNS;
    const NAME: &'static str = "file";
    const ORDER: &'static [By<FileGrowth>] = &[|growth| Some(growth.at.ms() as f64)];
    const FIGURES: &'static [Figure] = &[SIZES, LATENCY];
    const WORDS: Words = Words {
        order: "newest first",
        left_out: "more growths",
        no_match: "No growth matches the filter.",
        unknown: "When files grew",
        nothing: "No file grew by itself in the last 31 days, as far as what the server keeps of it reaches",
        nameless: "a file without a name",
    };

    fn reading(facts: &Facts) -> &Reading<Arc<GrowthTable>> {
        &facts.growths
    }

    fn parts(table: &GrowthTable) -> (&[FileGrowth], u64) {
        (&table.growths, table.left_out)
    }

    fn key(instance: &InstanceId, growth: &FileGrowth) -> RowKey {
        let file = growth.file.clone().unwrap_or_default();
        RowKey::Growth(instance.clone(), growth.at, file)
    }

    fn about(_: &InstanceSnapshot, table: &GrowthTable, _: &View<'_>) -> Vec<Vec<(Part, String)>> {
        table.source_words().map(|words| vec![(Part::Plain, words)]).into_iter().collect()
    }

    fn look(action: Action, view: &View<'_>) -> Option<Wish> {
        session_of_growths(action, view)
    }

    fn advice(view: &View<'_>) -> Vec<String> {
        let Some(i) = view.single() else { return Vec::new() };
        match &i.facts.growths.problem {
            Some(Unavailable::Missing(_) | Unavailable::SwitchedOff(_) | Unavailable::NoRight(_)) => vec![
                "No running session of Extended Events that can be read records them, either.".to_owned(),
                "S shows a script for one; dbtop makes none itself.".to_owned(),
            ],
            _ => Vec::new(),
        }
    }

    /// How often files of the database grew, and how often any did.
    fn kept(line: &Line<'_, Self>) -> Vec<Kept> {
        let of = |name: &str, key: &str| {
            Kept::of_events(format!("growths of {name}"), SeriesKey::with(Metric::GrowthsOf, key))
        };
        let database = line.part.database.as_deref().map(|name| of(name, name));
        database.into_iter().chain([of("all files", "")]).collect()
    }

    fn is_problem(growth: &FileGrowth) -> bool {
        growth.is_long()
    }

    fn act(action: Action, row: Option<&RowKey>, instance: Option<&InstanceId>) -> Option<Wish> {
        free_space(action, row, instance)
    }

    fn texts<'p>(growth: &'p FileGrowth, with: &mut dyn FnMut(&'p str)) {
        [&growth.database, &growth.file].into_iter().flatten().for_each(|text| with(text));
        growth.who.texts(with);
    }
}

type Column = column::Column<Growths>;

const KB: f64 = 1024.0;

/// The columns. A filter may ask for those that end in `filter`.
const COLUMNS: &[Column] = &[
    parts::instance(),
    Column::number("at", "GREW AT", 19, 0)
        .value(|g| ms(Some(g.part.at.ms())))
        .cell(|g, _, out| out.with(g.style(), |s| g.view.zone.push_moment(s, g.part.at)))
        .filter_by(|g, visit| visit(Value::Text(&g.view.zone.instant(g.part.at)))),
    Column::text("db", "DATABASE", 18, 0)
        .at_least(10)
        .value(|g| words(g.part.database.as_deref()))
        .cell(text)
        .filter()
        .also(&["database"]),
    Column::text("file", "FILE", 22, 0)
        .at_least(10)
        .growing()
        .value(|g| words(g.part.file.as_deref()))
        .cell(text)
        .filter(),
    Column::text("type", "TYPE", 5, 3).value(|g| words(g.part.kind())).cell(text).filter(),
    Column::number("grown", "GREW BY", 8, 0).value(|g| size(g.part.by_kb, KB)).cell(bytes).filter(),
    Column::number("took", "TOOK", 7, 1).value(|g| ms(g.part.took_ms)).cell(took).filter(),
    Column::text("login", "LOGIN", 18, 4)
        .at_least(8)
        .value(|g| words(g.part.who.login.as_deref()))
        .cell(text)
        .filter(),
    Column::text("program", "PROGRAM", 20, 6)
        .at_least(10)
        .value(|g| words(g.part.who.program.as_deref()))
        .cell(text)
        .filter(),
    Column::text("host", "HOST", 14, 7)
        .at_least(8)
        .value(|g| words(g.part.who.host.as_deref()))
        .cell(text)
        .filter(),
];

/// One that was felt stands out.
fn took(g: &Line<'_, Growths>, v: Option<Value<'_>>, out: &mut CellText) {
    match v.and_then(Value::figure) {
        Some(ms) if g.part.is_long() && !g.is_stale() => {
            out.with(g.view.theme.warning, |s| figure::push_wait(s, ms));
        }
        _ => duration(g, v, out),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tui::{
        fixture,
        pane::{Pane, sights::SightsPane, stage::Stage, storage},
        widget::column::ambiguous,
    };

    fn stage(reading: &Reading<Arc<GrowthTable>>) -> (Stage, SightsPane) {
        let mut fleet = fixture::small();
        for i in &mut fleet.instances {
            Arc::make_mut(i).facts.growths = reading.clone();
        }
        let stage = Stage::one(fleet, "sqlprd-001");
        let mut pane = storage::pane();
        stage.act(&mut pane, &[Action::GroupBy, Action::GroupBy, Action::GroupBy]);
        (stage, pane)
    }

    #[test]
    fn each_name_stands_for_one_column() {
        assert_eq!(ambiguous(COLUMNS), [""; 0]);
    }

    #[test]
    fn the_newest_growth_stands_first_and_one_that_was_felt_is_a_problem() {
        let growth = |minutes: i64, file: &str, took_ms| FileGrowth {
            at: fixture::NOW.plus_ms(-minutes * 60_000),
            took_ms: Some(took_ms),
            by_kb: Some(65_536),
            database: Some("orders".into()),
            file: Some(file.into()),
            is_log: Some(true),
            ..FileGrowth::default()
        };
        let growths = vec![growth(90, "orders_log", 4_100), growth(5, "orders_log_2", 90)];
        let table = GrowthTable { growths, left_out: 3, ..GrowthTable::default() };
        let (stage, mut pane) = stage(&Reading::good(Arc::new(table), fixture::NOW, 900_000));
        let title = stage.title(&mut pane);
        assert!(title.contains("growths") && title.contains("3 more growths"), "{title}");
        let lines = stage.draw(&mut pane, 120, 30);
        let at = |words: &str| {
            lines.iter().position(|l| l.contains(words)).unwrap_or_else(|| panic!("{lines:#?}"))
        };
        assert!(at("orders_log_2") < at("4.1 s"), "{lines:#?}");
        assert!(lines[at("4.1 s")].contains("64 MB") && lines[at("4.1 s")].contains("LOG"), "{lines:#?}");
        assert!(pane.next_problem(false, true, &stage.view()));
        assert!(matches!(pane.selected(), Some(RowKey::Growth(_, _, file)) if &*file == "orders_log"));
        pane.set_filter("took>2s").unwrap();
        pane.rebuild(&stage.view());
        assert_eq!(pane.counts(), (1, 2));
    }

    #[test]
    fn why_there_are_none_is_said() {
        let mut off = Reading::default();
        off.fail(Unavailable::SwitchedOff("default trace enabled".into()));
        let (stage, mut pane) = stage(&off);
        let text = stage.draw(&mut pane, 120, 30).join("\n");
        assert!(text.contains("When files grew") && text.contains("default trace enabled"), "{text}");
        assert!(text.contains("No running session") && text.contains("S shows a script"), "{text}");
        let mut wishes = Vec::new();
        assert!(pane.act(Action::RecordGrowths, &stage.view(), &mut wishes));
        let [Wish::Read(script)] = &wishes[..] else { panic!("{wishes:?}") };
        let told = script.statement.as_ref().map(|statement| statement.text.batch.to_string());
        assert!(told.is_some_and(|told| told.contains("sqlserver.database_file_size_change")), "{wishes:?}");
        let ring = GrowthTable { session: "grow".into(), is_from_memory: true, ..GrowthTable::default() };
        let (stage, mut pane) = self::stage(&Reading::good(Arc::new(ring), fixture::NOW, 900_000));
        let text = stage.draw(&mut pane, 120, 30).join("\n");
        assert!(text.contains("memory of session grow"), "{text}");
        let calm = Reading::good(Arc::new(GrowthTable::default()), fixture::NOW, 900_000);
        let (stage, mut pane) = self::stage(&calm);
        let text = stage.draw(&mut pane, 120, 30).join("\n");
        assert!(text.contains("No file grew by itself"), "{text}");
    }
}
