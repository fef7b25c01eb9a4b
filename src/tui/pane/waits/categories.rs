//! The wait categories as a table: its columns, one row each.

use super::rows::{push_rate, push_share};
use crate::{
    model::{
        base::{figure, filter::Value},
        poll::{wait_class::WaitCategory, waits::CategoryRate},
    },
    tui::{
        id::RowKey,
        view::View,
        widget::{
            cell::CellText,
            column::{self, Kind, number, words},
            stack,
            table::Rows,
        },
    },
};

/// Columns that a narrow table leaves out.
pub const WIDE: [&str; 2] = [WAITS, AVG];
const WAITS: &str = "waits";
const AVG: &str = "avg";

/// Columns of the screen from which on the categories have all their figures.
pub const LEAST_FOR_ALL: u16 = 52;

/// Rows of the categories of all instances in scope together: one each.
#[derive(Debug)]
pub enum Categories {}

impl Kind for Categories {
    type Row<'a> = CategoryRow<'a>;
}

/// A category as a row.
#[derive(Clone, Copy)]
pub struct CategoryRow<'a> {
    /// its rates
    pub rate: &'a CategoryRate,
    /// for styles
    pub view: &'a View<'a>,
}

type Column = column::Column<Categories>;

/// The columns.
pub const COLUMNS: &[Column] = &[
    Column::sign("swatch", 1, 0).frozen().cell(|r, _, out| {
        let (glyph, style) = stack::swatch(stack::band(r.rate.category), r.view.theme);
        out.put(style, glyph);
    }),
    Column::text("category", "CATEGORY", 17, 0)
        .at_least(12)
        .growing()
        .value(|r| words(Some(r.rate.category.name())))
        .cell(|r, _, out| out.put(r.view.theme.base, r.rate.category.name())),
    Column::number("rate", "S/S", 7, 0)
        .value(|r| number(Some(r.rate.ms_per_s)))
        .cell(|r, _, out| out.with(r.view.theme.strong, |s| push_rate(s, r.rate.ms_per_s))),
    Column::number("signal", "SIGNAL", 6, 1)
        .value(|r| number((r.rate.ms_per_s > 0.0).then(|| r.rate.signal_ms_per_s / r.rate.ms_per_s)))
        .cell(|r, _, out| {
            out.with(r.view.theme.base, |s| push_share(s, r.rate.signal_ms_per_s, r.rate.ms_per_s));
        }),
    Column::number(WAITS, "WAITS/S", 7, 2)
        .value(|r| number(Some(r.rate.tasks_per_s)))
        .cell(|r, _, out| out.with(r.view.theme.base, |s| figure::push_rate(s, r.rate.tasks_per_s))),
    Column::number(AVG, "AVG", 8, 3)
        .value(|r| number((r.rate.tasks_per_s > 0.0).then(|| r.rate.ms_per_s / r.rate.tasks_per_s)))
        .cell(mean),
];

fn mean(r: &CategoryRow<'_>, v: Option<Value<'_>>, out: &mut CellText) {
    match v.and_then(Value::figure) {
        Some(avg) => out.with(r.view.theme.base, |s| figure::push_mean(s, avg)),
        None => out.put(r.view.theme.dim, "–"),
    }
}

/// The categories in display order.
pub struct CategoryRows<'a> {
    /// the categories
    pub categories: &'a [CategoryRate],
    /// for styles
    pub view: &'a View<'a>,
}

impl Rows<Categories> for CategoryRows<'_> {
    fn len(&self) -> usize {
        self.categories.len()
    }

    fn key(&self, i: usize) -> RowKey {
        let unknown = WaitCategory::Unknown;
        RowKey::Category(self.categories.get(i).map_or(unknown, |c| c.category))
    }

    fn get(&self, i: usize) -> Option<CategoryRow<'_>> {
        Some(CategoryRow { rate: self.categories.get(i)?, view: self.view })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tui::widget::column::ambiguous;

    #[test]
    fn each_name_stands_for_one_column() {
        assert_eq!(ambiguous(COLUMNS), [""; 0]);
    }
}
