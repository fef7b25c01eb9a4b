//! Databases: all databases of the scope, those in trouble first, then the largest; with state, recovery model, size,
//! compatibility level and owner. Enter opens the instance.

use super::parts::{self, By, Line, Parts, PartsPane, Words, bytes, text};
use crate::{
    model::{
        base::filter::Value,
        fold::scope::Scope,
        inventory::instance::InstanceId,
        poll::{Facts, databases::DatabaseRow, reading::Reading},
    },
    tui::{
        id::{PaneId, RowKey},
        pane::figure::Figure,
        widget::{
            cell::CellText,
            column::{self, Kind, size, whole, words},
        },
        wish::Wish,
    },
};
use std::{fmt::Write as _, sync::Arc};

/// The pane.
pub type DatabasesPane = PartsPane<Databases>;

/// Rows of the pane: a database each.
#[derive(Debug)]
pub enum Databases {}

impl Kind for Databases {
    type Row<'a> = Line<'a, Self>;
}

impl Parts for Databases {
    type Table = Vec<DatabaseRow>;
    type Part = DatabaseRow;
    const PANE: PaneId = PaneId::Databases;
    const COLUMNS: &'static [Column] = COLUMNS;
    const NAME: &'static str = "db";
    const ORDER: &'static [By<DatabaseRow>] =
        &[|d| d.size_bytes.map(|bytes| bytes as f64), |d| d.trouble().map(f64::from)];
    const FIGURES: &'static [Figure] = &[];
    const WORDS: Words = Words {
        order: "those in trouble first, then the largest",
        left_out: "more databases",
        no_match: "No database matches the filter.",
        unknown: "Which databases there are",
        nothing: "No database was seen",
        nameless: "a database that the login may not see",
    };

    fn reading(facts: &Facts) -> &Reading<Arc<Vec<DatabaseRow>>> {
        &facts.databases
    }

    fn parts(table: &Vec<DatabaseRow>) -> (&[DatabaseRow], u64) {
        (table, 0)
    }

    fn key(instance: &InstanceId, row: &DatabaseRow) -> RowKey {
        RowKey::Database(instance.clone(), row.id)
    }

    fn open(key: &RowKey) -> Wish {
        let scope = key.instance().cloned().map(Scope::Instance);
        Wish::Go { pane: PaneId::Instance, scope, focus: None, look: None }
    }

    fn is_problem(row: &DatabaseRow) -> bool {
        row.trouble().is_some_and(|how| how > 0)
    }

    fn texts<'p>(row: &'p DatabaseRow, with: &mut dyn FnMut(&'p str)) {
        for text in [&row.name, &row.state, &row.recovery, &row.owner].into_iter().flatten() {
            with(text);
        }
    }
}

type Column = column::Column<Databases>;

/// The columns. A filter may ask for those that end in `filter`.
const COLUMNS: &[Column] = &[
    parts::instance(),
    Column::text("db", "DATABASE", 22, 0)
        .at_least(12)
        .growing()
        .value(|d| words(d.part.name.as_deref()))
        .cell(|d, v, out| match v {
            Some(_) => text(d, v, out),
            None => out.fmt(d.view.theme.dim, format_args!("db {}", d.part.id)),
        })
        .filter()
        .also(&["database"]),
    Column::text("state", "STATE", 18, 0)
        .at_least(9)
        .value(|d| words(d.part.state.as_deref()))
        .cell(state)
        .filter(),
    Column::text("recovery", "RECOVERY", 11, 2)
        .value(|d| words(d.part.recovery.as_deref()))
        .cell(text)
        .filter(),
    Column::number("size", "SIZE", 8, 1).value(|d| size(d.part.size_bytes, 1.0)).cell(bytes).filter(),
    Column::number("log", "LOG", 8, 5).value(|d| size(d.part.log_bytes, 1.0)).cell(bytes).filter(),
    Column::number("compat", "COMPAT", 6, 3)
        .value(|d| whole(d.part.compatibility.map(i64::from)))
        .cell(|d, v, out| d.put(v, out, push_level))
        .filter()
        .also(&["compatibility"]),
    Column::text("owner", "OWNER", 18, 4)
        .at_least(8)
        .value(|d| words(d.part.owner.as_deref()))
        .cell(text)
        .filter(),
    Column::text("access", "ACCESS", 10, 7)
        .value(|d| words(d.part.is_read_only.map(|is| if is { "read-only" } else { "read-write" })))
        .cell(text)
        .filter(),
    Column::text("log_wait", "LOG WAITS FOR", 20, 8)
        .at_least(13)
        .value(|d| words(d.part.log_reuse_wait.as_deref()))
        .cell(text)
        .filter(),
];

fn push_level(out: &mut String, level: f64) {
    // Writing to a String cannot fail.
    let _ = write!(out, "{level:.0}");
}

/// A state in which nobody can use the database, and that nobody meant, is what the score calls critical.
fn state(d: &Line<'_, Databases>, v: Option<Value<'_>>, out: &mut CellText) {
    match v {
        Some(Value::Text(v)) if d.part.trouble() == Some(2) && !d.is_stale() => {
            out.fmt(d.view.theme.critical, format_args!("✖ {v}"));
        }
        _ => text(d, v, out),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tui::{
        action::Action,
        fixture,
        pane::{Pane, stage::Stage},
        widget::column::ambiguous,
    };

    #[test]
    fn each_name_stands_for_one_column() {
        assert_eq!(ambiguous(COLUMNS), [""; 0]);
    }

    #[test]
    fn a_database_in_trouble_stands_first_then_the_largest_and_an_unknown_size_last() {
        let stage = Stage::fleet(fixture::small());
        let mut pane = DatabasesPane::default();
        let lines = stage.draw(&mut pane, 120, 80);
        assert!(lines[1].contains("sqlprd-003") && lines[1].contains("✖ RECOVERY_PENDING"), "{lines:#?}");
        assert!(lines[2].contains("archive_2024") && lines[2].contains("GB"), "{}", lines[2]);
        let last = lines.iter().rfind(|l| l.contains("sql")).unwrap();
        assert!(last.contains("sqltst-004") && last.contains('–'), "no right, no size: {last}");
    }

    #[test]
    fn enter_opens_the_instance_and_no_row_opens_nothing() {
        let stage = Stage::fleet(fixture::small());
        let mut pane = DatabasesPane::default();
        let wishes = stage.act(&mut pane, &[Action::Enter]);
        let is_instance = |w: &Wish| {
            matches!(w, Wish::Go { pane: PaneId::Instance, scope: Some(Scope::Instance(id)), .. }
                if id.as_str() == "sqlprd-003")
        };
        assert!(wishes.iter().all(is_instance) && wishes.len() == 1, "{wishes:?}");
        pane.set_filter("zzz").unwrap();
        assert!(stage.act(&mut pane, &[Action::Enter]).is_empty());
    }

    #[test]
    fn filters_ask_for_what_a_dba_asks() {
        let stage = Stage::fleet(fixture::small());
        let mut pane = DatabasesPane::default();
        let mut kept = |filter: &str| {
            pane.set_filter(filter).unwrap();
            pane.rebuild(&stage.view());
            pane.counts().0
        };
        assert_eq!(kept("state=RECOVERY_PENDING"), 1);
        assert_eq!(kept("compat<130"), 8, "one on each instance");
        assert_eq!(kept("owner=sa recovery=FULL instance=sqlprd-001"), 2);
        assert!(kept("size>100GB") > 0 && kept("size>10000GB") == 0, "an unknown size is not large");
    }
}
