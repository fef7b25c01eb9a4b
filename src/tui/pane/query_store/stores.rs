//! Rows of Query Store: the store of a database each, those in trouble first, then the fullest.

use super::super::{
    figure::Figure,
    parts::{self, By, Line, Parts, Words, bytes, text},
};
use crate::{
    model::{
        base::{figure, filter::Value},
        inventory::instance::InstanceId,
        poll::{
            Facts,
            query_store::{QueryStoreTable, StoreRow, StoreState},
            reading::Reading,
        },
    },
    tui::{
        id::{PaneId, RowKey},
        widget::{
            cell::CellText,
            column::{self, Kind, number, size, whole, words},
            document::Document,
        },
    },
};
use std::sync::Arc;

const MB: f64 = 1_048_576.0;

/// Rows: a store each.
#[derive(Debug)]
pub enum Stores {}

impl Kind for Stores {
    type Row<'a> = Line<'a, Self>;
}

impl Parts for Stores {
    type Table = QueryStoreTable;
    type Part = StoreRow;
    const PANE: PaneId = PaneId::QueryStore;
    const COLUMNS: &'static [Column] = COLUMNS;
    const NAME: &'static str = "db";
    const ORDER: &'static [By<StoreRow>] =
        &[StoreRow::used_pct, |store| Some(f64::from(store.is_problem() || store.is_unread()))];
    const FIGURES: &'static [Figure] = &[];
    const WORDS: Words = Words {
        order: "those in trouble first",
        left_out: "more databases have one",
        no_match: "No store matches the filter.",
        unknown: "Which databases have a Query Store",
        nothing: "No database has a Query Store that is on",
        nameless: "a database that the login may not see",
    };

    fn reading(facts: &Facts) -> &Reading<Arc<QueryStoreTable>> {
        &facts.query_store
    }

    fn parts(table: &QueryStoreTable) -> (&[StoreRow], u64) {
        (&table.stores, table.stores_left_out)
    }

    fn key(instance: &InstanceId, store: &StoreRow) -> RowKey {
        RowKey::Database(instance.clone(), store.database_id)
    }

    fn is_problem(store: &StoreRow) -> bool {
        store.is_problem() || store.is_unread()
    }

    fn texts<'p>(store: &'p StoreRow, with: &mut dyn FnMut(&'p str)) {
        [&store.database, &store.problem, &store.capture].into_iter().flatten().for_each(|text| with(text));
    }

    fn more(line: &Line<'_, Self>, d: &mut Document) {
        let (store, t) = (line.part, line.view.theme);
        if let Some(why) = store.why_words() {
            d.head("why it is read-only");
            d.text(why, t.warning);
        }
        if store.is_full() {
            let advice = "It records nothing until there is room: raise MAX_STORAGE_SIZE_MB, let it clean up by itself \
                          (SIZE_BASED_CLEANUP_MODE = AUTO), or capture less (QUERY_CAPTURE_MODE = AUTO); then set it to \
                          READ_WRITE again.";
            d.text(advice, line.style());
        }
        if let Some(problem) = &store.problem {
            d.head("not read");
            d.text(problem.to_string(), if store.is_unread() { t.warning } else { line.style() });
        }
    }
}

type Column = column::Column<Stores>;

/// The columns. A filter may ask for those that end in `filter`.
const COLUMNS: &[Column] = &[
    parts::instance(),
    Column::text("db", "DATABASE", 20, 0)
        .at_least(10)
        .value(|s| words(s.part.database.as_deref()))
        .cell(text)
        .filter()
        .also(&["database"]),
    Column::text("state", "STATE", 14, 0)
        .at_least(10)
        .value(|s| words(s.part.state().map(StoreState::words)))
        .cell(|s, v, out| match v {
            Some(Value::Text(state)) if s.part.is_problem() && !s.is_stale() => {
                out.put(s.view.theme.warning, state);
            }
            v => text(s, v, out),
        })
        .filter(),
    Column::number("size", "SIZE", 8, 1).value(|s| size(s.part.size_mb, MB)).cell(bytes).filter(),
    Column::number("cap", "CAP", 8, 2).value(|s| size(s.part.cap_mb, MB)).cell(bytes).filter(),
    Column::number("used", "USED", 6, 0)
        .value(|s| number(s.part.used_pct()))
        .cell(|s, v, out| s.put(v, out, figure::push_pct))
        .filter(),
    Column::text("why", "WHY", 40, 1).at_least(20).growing().cell(why).filter_by(|s, visit| {
        if let Some(problem) = s.part.problem.as_deref() {
            visit(Value::Text(problem));
        }
        if let Some(reason) = s.part.why_words() {
            visit(Value::Text(&reason));
        }
    }),
    Column::text("capture", "CAPTURES", 9, 4).value(|s| words(s.part.capture.as_deref())).cell(text).filter(),
    Column::text("cleanup", "CLEANS UP", 9, 4)
        .value(|s| words(s.part.cleanup.as_deref()))
        .cell(text)
        .filter(),
    Column::number("interval", "INTERVAL", 8, 5)
        .value(|s| s.part.interval_min.map(|min| Value::Ms(min as f64 * 60_000.0)))
        .cell(|s, v, out| s.put(v, out, figure::push_wait))
        .filter(),
    Column::number("queries", "QUERIES", 7, 3)
        .value(|s| whole(s.part.total))
        .cell(|s, v, out| s.put(v, out, figure::push_count))
        .filter(),
    Column::number("forced", "FORCED", 6, 3)
        .value(|s| whole(s.part.forced))
        .cell(|s, v, out| s.put(v, out, figure::push_count))
        .filter(),
    Column::number("failing", "FAILING", 7, 3)
        .value(|s| whole(s.part.failing))
        .cell(|s, v, out| s.put(v, out, figure::push_count))
        .filter(),
];

/// Why it was not read, else why it does not record.
fn why(s: &Line<'_, Stores>, _: Option<Value<'_>>, out: &mut CellText) {
    let t = s.view.theme;
    match (s.part.problem.as_deref(), s.part.why_words()) {
        (Some(problem), _) => out.put(if s.part.is_unread() { t.warning } else { t.dim }, problem),
        (None, Some(reason)) => out.put(if s.part.is_problem() { t.warning } else { s.style() }, &reason),
        (None, None) => {}
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn each_name_stands_for_one_column() {
        assert_eq!(crate::tui::widget::column::ambiguous(super::COLUMNS), [""; 0]);
    }
}
