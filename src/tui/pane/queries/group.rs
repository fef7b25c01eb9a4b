//! What was seen at work, added up: the rows and columns of it, and how waits are said.

use super::super::request;
use crate::{
    model::{
        base::{
            figure,
            filter::{self, Value},
        },
        poll::{
            statement::Statement,
            wait_class::{WaitCategory, category},
        },
        timeline::samples::{By, Group, Mix, Sums},
    },
    tui::{
        id::RowKey,
        view::View,
        widget::{
            cell::CellText,
            column::{self, Kind, number, visit_values, whole, words},
            document::Document,
            stack,
            table::Rows,
        },
    },
};
use ratatui::style::Style;
use std::{collections::HashSet, fmt::Write as _, sync::Arc};

/// The value that the requests of a group share.
pub const NAME: &str = "name";
/// Columns that not every grouping has.
pub const QUERIES: &str = "queries";
/// The module of a statement.
pub const MODULE: &str = "module";
/// The statement of a group that is none itself.
pub const STATEMENT: &str = "sql";
/// How many instances it was seen on.
pub const ON: &str = "on";

/// Waits that a cell names.
const MOST_WAITS: usize = 3;
/// Waits that the details name.
const MOST_TOLD: usize = 12;

/// Rows of what was seen at work: a group each.
#[derive(Debug)]
pub enum Groups {}

impl Kind for Groups {
    type Row<'a> = GroupRow<'a>;
}

/// A group with its statement and module.
#[derive(Debug, Clone)]
pub struct Told {
    /// sums
    pub group: Group,
    /// of the query that was at work longest
    pub statement: Option<Statement>,
    /// the module of that
    pub module: Option<Arc<str>>,
}

/// A group as a row.
#[derive(Clone, Copy)]
pub struct GroupRow<'a> {
    /// the group
    pub told: &'a Told,
    /// all of them together
    pub sums: &'a Sums,
    /// by what they are added up
    pub by: By,
    /// for styles
    pub view: &'a View<'a>,
}

impl GroupRow<'_> {
    /// Requests at work on average.
    pub fn active(&self) -> Option<f64> {
        average(self.told.group.mix.ms, self.sums.covered_ms)
    }

    fn share_pct(&self) -> Option<f64> {
        (self.sums.ms > 0).then(|| self.told.group.mix.ms as f64 * 100.0 / self.sums.ms as f64)
    }

    fn cpu_pct(&self) -> Option<f64> {
        let mix = &self.told.group.mix;
        (mix.ms > 0).then(|| mix.cpu_ms as f64 * 100.0 / mix.ms as f64)
    }
}

/// Requests at work on average; None where nothing is covered.
pub fn average(ms: u64, covered_ms: u64) -> Option<f64> {
    (covered_ms > 0).then(|| ms as f64 / covered_ms as f64)
}

impl filter::Row for GroupRow<'_> {
    fn text(&self, out: &mut String) {
        out.push_str(&self.told.group.name);
        let parts = [self.told.module.as_deref(), self.told.statement.as_ref().map(Statement::as_str)];
        for part in parts.into_iter().flatten() {
            out.push(' ');
            out.push_str(part);
        }
    }

    fn values(&self, key: &str, visit: &mut dyn FnMut(Value<'_>)) {
        visit_values(COLUMNS, self, key, visit);
    }
}

type Column = column::Column<Groups>;

/// The columns.
pub const COLUMNS: &[Column] = &[
    Column::text(NAME, "NAME", 40, 0)
        .at_least(16)
        .growing()
        .value(|r| words(Some(&r.told.group.name)))
        .cell(name)
        .filter()
        .also(&["hash", "login", "program"]),
    Column::number("active", "ACTIVE", 6, 0)
        .value(|r| number(r.active()))
        .cell(|r, v, out| put(r, v, out, push_active))
        .filter(),
    Column::number("share", "SHARE", 6, 1)
        .value(|r| number(r.share_pct()))
        .cell(|r, v, out| put(r, v, out, figure::push_pct))
        .filter(),
    Column::picture("mix", 12, 2).cell(picture),
    Column::number("cpu", "ON CPU", 6, 2)
        .value(|r| number(r.cpu_pct()))
        .cell(|r, v, out| put(r, v, out, figure::push_pct))
        .filter(),
    Column::text("wait", "WAITS", 40, 1)
        .at_least(18)
        .value(|r| words(r.told.group.mix.waits.first().map(|(wait, _)| &**wait)))
        .cell(|r, _, out| out.with(r.view.theme.base, |s| push_waits(s, &r.told.group.mix)))
        .filter_by(|r, visit| visit_waits(&r.told.group.mix, visit))
        .also(&["waits"]),
    Column::number("time", "AT WORK", 8, 3)
        .value(|r| Some(Value::Ms(r.told.group.mix.ms as f64)))
        .cell(|r, v, out| put(r, v, out, figure::push_wait))
        .filter(),
    Column::number(QUERIES, "QUERIES", 7, 4)
        .value(|r| whole(i64::try_from(r.told.group.queries).ok()))
        .cell(|r, v, out| put(r, v, out, figure::push_count))
        .filter(),
    Column::number(ON, "ON", 4, 4)
        .value(|r| whole(i64::try_from(r.told.group.on.len()).ok()))
        .cell(|r, v, out| put(r, v, out, figure::push_count)),
    Column::text(MODULE, "MODULE", 22, 3)
        .at_least(12)
        .value(|r| words(r.told.module.as_deref()))
        .cell(text)
        .filter()
        .also(&["procedure"]),
    Column::text("db", "DATABASE", 14, 5)
        .at_least(8)
        .value(|r| words(r.told.group.database.as_deref()))
        .cell(text)
        .filter()
        .also(&["database"]),
    Column::text(STATEMENT, "LONGEST STATEMENT", 44, 2)
        .at_least(20)
        .growing()
        .value(|r| words(r.told.statement.as_ref().map(Statement::as_str)))
        .cell(|r, _, out| {
            let t = r.view.theme;
            request::push_statement(out, r.told.statement.as_ref(), false, t.dim, t.dim);
        })
        .filter()
        .also(&["statement"]),
];

fn name(r: &GroupRow<'_>, _: Option<Value<'_>>, out: &mut CellText) {
    let t = r.view.theme;
    match (&r.told.statement, r.by) {
        (Some(statement), By::Statement) => {
            request::push_statement(out, Some(statement), false, t.base, t.dim);
        }
        _ => out.put(t.base, &r.told.group.name),
    }
}

fn put(r: &GroupRow<'_>, v: Option<Value<'_>>, out: &mut CellText, push: fn(&mut String, f64)) {
    match v.and_then(Value::figure) {
        Some(figure) => out.with(r.view.theme.base, |s| push(s, figure)),
        None => out.put(r.view.theme.dim, "–"),
    }
}

fn text(r: &GroupRow<'_>, v: Option<Value<'_>>, out: &mut CellText) {
    match v {
        Some(Value::Text(v)) if !v.is_empty() => out.put(r.view.theme.base, v),
        _ => out.put(r.view.theme.dim, "–"),
    }
}

/// Requests at work on average: two decimals below ten.
pub fn push_active(out: &mut String, active: f64) {
    if active.is_finite() && active.abs() < 9.995 {
        // Writing to a String cannot fail.
        let _ = write!(out, "{active:.2}");
    } else {
        figure::push_count(out, active);
    }
}

/// A bar of what it did, in the colours of the chart: each category has its part of the cells.
fn picture(r: &GroupRow<'_>, _: Option<Value<'_>>, out: &mut CellText) {
    const CELLS: u64 = 12;
    let all = r.told.group.mix.ms.max(1);
    let mut left = CELLS;
    let categories = &r.told.group.categories;
    // What rounding leaves over is the longest one's.
    let told: u64 = categories.iter().map(|(_, ms)| (ms.saturating_mul(CELLS) / all).max(1)).sum();
    let mut over = CELLS.saturating_sub(told);
    for (category, ms) in categories {
        let cells = ((ms.saturating_mul(CELLS) / all).max(1) + std::mem::take(&mut over)).min(left);
        let (glyph, style) = stack::swatch(stack::band(*category), r.view.theme);
        for _ in 0..cells {
            out.put(style, glyph);
        }
        left -= cells;
    }
}

/// `LCK_M_X 62 % · CPU 30 %`: the longest first.
pub fn push_waits(out: &mut String, mix: &Mix) {
    let all = mix.ms.max(1) as f64;
    let mut parts: Vec<(&str, u64)> =
        mix.waits.iter().take(MOST_WAITS).map(|(wait, ms)| (&**wait, *ms)).collect();
    if mix.cpu_ms > 0 {
        parts.push(("CPU", mix.cpu_ms));
    }
    parts.sort_by_key(|(_, ms)| std::cmp::Reverse(*ms));
    for (n, (wait, ms)) in parts.into_iter().take(MOST_WAITS).enumerate() {
        out.push_str(if n > 0 { " · " } else { "" });
        out.push_str(wait);
        out.push(' ');
        figure::push_pct(out, ms as f64 * 100.0 / all);
    }
}

/// A filter asks for wait types, their categories, and CPU.
pub fn visit_waits(mix: &Mix, visit: &mut dyn FnMut(Value<'_>)) {
    if mix.cpu_ms > 0 {
        visit(Value::Text(WaitCategory::Cpu.name()));
    }
    let mut known = HashSet::new();
    for (wait, _) in &mix.waits {
        visit(Value::Text(wait));
        let category = category(wait);
        if known.insert(category) {
            visit(Value::Text(category.name()));
        }
    }
}

/// What it did, for whom.
pub fn tell_mix(mix: &Mix, base: Style, d: &mut Document) {
    let all = mix.ms.max(1) as f64;
    d.field("at work", base, |s| figure::push_wait(s, mix.ms as f64));
    let cpu = (mix.cpu_ms > 0).then_some(("CPU", mix.cpu_ms));
    let mut parts: Vec<(&str, u64)> = mix.waits.iter().map(|(wait, ms)| (&**wait, *ms)).chain(cpu).collect();
    parts.sort_by_key(|(_, ms)| std::cmp::Reverse(*ms));
    for (wait, ms) in parts.iter().take(MOST_TOLD) {
        d.field((*wait).to_owned(), base, |s| {
            figure::push_wait(s, *ms as f64);
            s.push_str(" · ");
            figure::push_pct(s, *ms as f64 * 100.0 / all);
        });
    }
    d.field("logins", base, |s| s.push_str(&mix.logins.join(", ")));
    d.field("programs", base, |s| s.push_str(&mix.programs.join(", ")));
}

/// Groups in display order.
pub struct GroupRows<'a> {
    /// the groups
    pub groups: &'a [Told],
    /// all of them together
    pub sums: &'a Sums,
    /// those that are shown
    pub shown: &'a [u32],
    /// by what they are added up
    pub by: By,
    /// for styles
    pub view: &'a View<'a>,
}

impl Rows<Groups> for GroupRows<'_> {
    fn len(&self) -> usize {
        self.shown.len()
    }

    fn key(&self, i: usize) -> RowKey {
        RowKey::Group(self.get(i).map_or_else(|| "".into(), |row| Arc::clone(&row.told.group.name)))
    }

    fn get(&self, i: usize) -> Option<GroupRow<'_>> {
        let told = self.groups.get(*self.shown.get(i)? as usize)?;
        Some(GroupRow { told, sums: self.sums, by: self.by, view: self.view })
    }
}
