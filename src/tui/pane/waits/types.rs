//! The wait types as a table: its columns, one row each, and the other filter fields of a type.

use super::{
    super::reading,
    rows::{Row, poison_level, push_rate, push_share, waiters},
};
use crate::{
    model::{
        base::{
            figure,
            filter::{self, Value},
        },
        fold::snapshot::InstanceSnapshot,
        poll::reading::Reading,
    },
    tui::{
        filter::instance_values,
        id::RowKey,
        view::View,
        widget::{
            cell::CellText,
            column::{self, Kind, ms, number, visit_values, whole, words},
            stack,
            table::Rows,
        },
    },
};
use ratatui::style::Style;
use std::sync::Arc;

/// Name of the instance: only where several are in scope and not added up.
pub const INSTANCE: &str = "instance";
/// The wait type.
pub const TYPE: &str = "type";
/// Number of instances that a row adds up.
pub const ON: &str = "on";

/// Rows of the waits: a wait type each, of an instance or of all of them added up.
#[derive(Debug)]
pub enum Types {}

impl Kind for Types {
    type Row<'a> = TypeRow<'a>;
}

/// A wait type as a row.
#[derive(Clone, Copy)]
pub struct TypeRow<'a> {
    /// its rates
    pub row: &'a Row,
    /// for names and styles
    pub view: &'a View<'a>,
}

type Column = column::Column<Types>;

/// The columns. A filter may ask for those that end in `filter`.
pub const COLUMNS: &[Column] = &[
    Column::text(INSTANCE, "INSTANCE", 16, 0)
        .at_least(10)
        .frozen()
        .value(|r| words(r.instance().map(|i| i.id().as_str())))
        .cell(|r, _, out| out.put(r.view.theme.strong, r.instance().map_or("", |i| i.id().as_str()))),
    Column::text(TYPE, "TYPE", 34, 0)
        .at_least(21)
        .value(|r| words(Some(&r.row.rate.name)))
        .cell(|r, _, out| name(r, out))
        .filter(),
    Column::text("category", "CATEGORY", 15, 5)
        .value(|r| words(Some(r.row.rate.category.name())))
        .cell(|r, _, out| category(r, out))
        .filter(),
    Column::number("rate", "S/S", 7, 0)
        .value(|r| number(Some(r.row.rate.ms_per_s / 1000.0)))
        .cell(|r, _, out| {
            let t = r.view.theme;
            out.with(if r.row.stale { t.dim } else { t.strong }, |s| push_rate(s, r.row.rate.ms_per_s));
        })
        .filter(),
    Column::number("signal", "SIGNAL", 6, 6)
        .value(|r| {
            let rate = &r.row.rate;
            number((rate.ms_per_s > 0.0).then(|| rate.signal_ms_per_s / rate.ms_per_s * 100.0))
        })
        .cell(|r, _, out| {
            out.with(r.style(), |s| push_share(s, r.row.rate.signal_ms_per_s, r.row.rate.ms_per_s));
        })
        .filter(),
    Column::number("waits", "WAITS/S", 7, 3)
        .value(|r| number(Some(r.row.rate.tasks_per_s)))
        .cell(|r, _, out| out.with(r.style(), |s| figure::push_rate(s, r.row.rate.tasks_per_s)))
        .filter(),
    Column::number("avg", "AVG", 8, 2)
        .value(|r| r.row.rate.avg_ms.map(Value::Ms))
        .cell(|r, _, out| match r.row.rate.avg_ms {
            Some(avg) => out.with(r.style(), |s| figure::push_mean(s, avg)),
            None => out.put(r.view.theme.dim, "–"),
        })
        .filter(),
    Column::number(ON, "ON", 4, 3)
        .value(|r| whole(Some(r.row.on.into())))
        .cell(|r, _, out| out.with(r.style(), |s| figure::push_count(s, f64::from(r.row.on)))),
    Column::number("max", "MAX", 8, 4)
        .value(|r| ms(Some(r.row.rate.max_ms)))
        .cell(|r, _, out| out.with(r.style(), |s| figure::push_wait(s, r.row.rate.max_ms as f64)))
        .filter(),
    Column::text("who", "WHO (NOW)", 14, 1)
        .at_least(12)
        .growing()
        .sort(|r| whole(r.instance().map(|i| waiters(i, &r.row.rate.name).count() as i64)))
        .cell(|r, _, out| r.who(out)),
];

/// The fields of a wait type for filters, besides its columns.
pub const MORE: [&str; 2] = ["benign", "poison"];

fn name(r: &TypeRow<'_>, out: &mut CellText) {
    let t = r.view.theme;
    let level = poison_level(&r.row.rate, &r.view.snapshot.thresholds);
    if let Some(level) = level {
        out.put(reading::level_style(t, level), reading::glyph(level));
        out.put(t.base, " ");
    }
    out.put(level.map_or_else(|| r.style(), |l| reading::level_style(t, l)), &r.row.rate.name);
}

fn category(r: &TypeRow<'_>, out: &mut CellText) {
    let (t, rate) = (r.view.theme, &r.row.rate);
    let (glyph, colour) = stack::swatch(stack::band(rate.category), t);
    out.put(if rate.benign { t.dim } else { colour }, if rate.benign { "·" } else { glyph });
    out.put(t.base, " ");
    out.put(t.dim, rate.category.name());
}

impl<'a> TypeRow<'a> {
    fn instance(&self) -> Option<&'a InstanceSnapshot> {
        self.view.instance(self.row.instance?).map(|i| &**i)
    }

    const fn style(&self) -> Style {
        if self.row.stale || self.row.rate.benign { self.view.theme.dim } else { self.view.theme.base }
    }

    /// Sessions that wait for it now, and the program of the first: `91, 97, +11 · report on WEB-07`.
    fn who(&self, out: &mut CellText) {
        let t = self.view.theme;
        let Some(i) = self.instance() else {
            return self.how_many(out);
        };
        let activity: &Reading<_> = &i.facts.activity;
        if activity.get().is_none() {
            return out.put(t.dim, reading::short(activity.problem.as_ref()));
        }
        let style = reading::value_style(t, activity, self.view.now);
        let (mut n, mut first) = (0, None);
        for r in waiters(i, &self.row.rate.name) {
            n += 1;
            match n {
                1 => {
                    out.fmt(style, format_args!("{}", r.session_id));
                    first = Some(r);
                }
                2 => out.fmt(style, format_args!(", {}", r.session_id)),
                _ => {}
            }
        }
        if n > 2 {
            out.fmt(style, format_args!(", +{}", n - 2));
        }
        if let Some((login, host)) = first.and_then(|r| r.login.as_ref().zip(r.host.as_ref())) {
            out.fmt(t.dim, format_args!(" · {login} on {host}"));
        }
    }

    /// Sessions and instances of a row that adds up: `13 on 4`.
    fn how_many(&self, out: &mut CellText) {
        let (mut sessions, mut on) = (0, 0);
        for (_, i) in self.view.instances() {
            let n = waiters(i, &self.row.rate.name).count();
            sessions += n;
            on += usize::from(n > 0);
        }
        if sessions > 0 {
            out.fmt(self.view.theme.base, format_args!("{sessions} on {on}"));
        }
    }
}

impl filter::Row for TypeRow<'_> {
    fn text(&self, out: &mut String) {
        if let Some(i) = self.instance() {
            out.push_str(i.id().as_str());
            out.push(' ');
        }
        out.push_str(&self.row.rate.name);
        out.push(' ');
        out.push_str(self.row.rate.category.name());
    }

    fn values(&self, key: &str, visit: &mut dyn FnMut(Value<'_>)) {
        let word = |yes| Value::Text(if yes { "yes" } else { "no" });
        match key {
            "benign" => visit(word(self.row.rate.benign)),
            "poison" => visit(word(self.row.rate.poison)),
            _ if visit_values(COLUMNS, self, key, visit) => {}
            _ => self.instance().into_iter().for_each(|i| instance_values(&i.info, key, visit)),
        }
    }
}

/// The types in display order.
pub struct TypeRows<'a> {
    /// the types
    pub rows: &'a [Row],
    /// for names and styles
    pub view: &'a View<'a>,
}

impl Rows<Types> for TypeRows<'_> {
    fn len(&self) -> usize {
        self.rows.len()
    }

    fn key(&self, i: usize) -> RowKey {
        let row = self.rows.get(i);
        let id = row.and_then(|r| self.view.instance(r.instance?)).map(|i| i.id().clone());
        RowKey::Wait(id, row.map_or_else(|| "".into(), |r| Arc::clone(&r.rate.name)))
    }

    fn get(&self, i: usize) -> Option<TypeRow<'_>> {
        Some(TypeRow { row: self.rows.get(i)?, view: self.view })
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
