//! Queries over a stretch of time: the rows and columns of it, alone or beside another stretch. `period` has the state.

use super::{super::request, shares};
use crate::{
    model::{
        base::{
            figure,
            filter::{self, Value},
        },
        inventory::instance::InstanceId,
        poll::{
            counts::{Measure, Ran as _},
            queries::QueryRow,
            statement::Statement,
        },
        timeline::spent::{Became, In, Spent, became, change_ms_per_s},
    },
    tui::{
        id::RowKey,
        view::View,
        widget::{
            cell::CellText,
            column::{self, Kind, in_ms, number, visit_values, whole, words},
            table::{Rows, Set},
        },
    },
};
use ratatui::style::Style;
use std::fmt::Write as _;

/// The column of the instance.
pub const INSTANCE: &str = "instance";
/// Columns of one stretch alone.
pub const ALONE: [&str; 9] = ["cpu", "runs", "avg", "time", "max", "reads", "disk", "writes", "rows"];
/// Columns of two stretches beside each other.
pub const BESIDE: [&str; 9] = [
    "change",
    "cpu_before",
    "cpu_after",
    "avg_before",
    "avg_after",
    "runs_before",
    "runs_after",
    "reads_before",
    "reads_after",
];
/// Shares, and the columns that they stand beside.
pub const SHARES: &[(&str, &str)] = &[
    ("share", "cpu"),
    ("share_runs", "runs"),
    ("share_duration", "time"),
    ("share_reads", "reads"),
    ("share_disk", "disk"),
    ("share_writes", "writes"),
    ("share_rows", "rows"),
    ("share_grant", "grant"),
    ("share_spills", "spills"),
];
/// Sets of columns.
pub const SETS: &[Set] = shares::SETS;

/// Queries of stretches.
#[derive(Debug)]
pub enum Spents {}

impl Kind for Spents {
    type Row<'a> = SpentRow<'a>;
}

/// A query over a stretch, or over two.
#[derive(Clone, Copy)]
pub struct SpentRow<'a> {
    /// whose
    pub id: &'a InstanceId,
    /// it, as the later stretch tells it, or the only one; else as the earlier one does
    pub query: &'a QueryRow,
    /// the later stretch, or the only one
    pub after: In<'a>,
    /// the earlier one
    pub before: Option<In<'a>>,
    /// for styles
    pub view: &'a View<'a>,
}

impl SpentRow<'_> {
    /// How it is drawn.
    pub const fn style(&self) -> Style {
        self.view.theme.base
    }

    /// What became of it; None: there is one stretch only.
    pub fn became(&self) -> Option<Became> {
        Some(became(self.before?, self.after))
    }

    /// How much more CPU it takes, or less, ms per s.
    pub fn change(&self) -> Option<f64> {
        change_ms_per_s(self.before?, self.after)
    }

    fn put(&self, v: Option<Value<'_>>, out: &mut CellText, push: fn(&mut String, f64)) {
        match v.and_then(Value::figure) {
            Some(figure) => out.with(self.style(), |s| push(s, figure)),
            None => out.put(self.view.theme.dim, "–"),
        }
    }

    /// A figure that is a lower bound says so.
    fn bound(&self, v: Option<Value<'_>>, out: &mut CellText, push: fn(&mut String, f64)) {
        if v.is_some() && self.query.at_least {
            out.put(self.style(), "≥");
        }
        self.put(v, out, push);
    }

    fn average(&self, sum: Option<i64>) -> Option<f64> {
        self.query.per_run(sum)
    }
}

impl filter::Row for SpentRow<'_> {
    fn text(&self, out: &mut String) {
        out.push_str(self.id.as_str());
        let statement = self.query.statement.as_ref().map(Statement::as_str);
        let parts = [self.query.module.as_deref(), statement].into_iter().flatten();
        for part in self.query.databases().map(|name| &**name).chain(parts) {
            out.push(' ');
            out.push_str(part);
        }
    }

    fn values(&self, key: &str, visit: &mut dyn FnMut(Value<'_>)) {
        if !visit_values(COLUMNS, self, key, visit) && key == INSTANCE {
            visit(Value::Text(self.id.as_str()));
        }
    }
}

type Column = column::Column<Spents>;

/// The sum of a measure.
const fn sum<const M: usize>(id: &'static str, title: &'static str, width: u16, rank: u8) -> Column {
    Column::number(id, title, width, rank)
        .value(|r| whole(Measure::ALL.get(M).and_then(|measure| r.query.of(*measure))))
        .cell(|r, v, out| r.bound(v, out, figure::push_count))
        .filter()
}

/// The sum of a measure of time.
const fn time<const M: usize>(id: &'static str, title: &'static str, rank: u8) -> Column {
    Column::number(id, title, 9, rank)
        .value(|r| {
            let us = Measure::ALL.get(M).and_then(|measure| r.query.of(*measure));
            us.map(|us| Value::Ms(us as f64 / 1_000.0))
        })
        .cell(|r, v, out| r.bound(v, out, figure::push_wait))
        .filter()
}

/// Its share of all.
const fn share<const M: usize>(id: &'static str, title: &'static str) -> Column {
    Column::number(id, title, 8, 1)
        .value(|r| {
            let table = &r.after.0.table;
            number(Measure::ALL.get(M).and_then(|measure| table.share_pct(r.query, *measure)))
        })
        .cell(|r, v, out| r.bound(v, out, figure::push_pct))
        .filter()
}

/// Something of it in one stretch.
fn of(side: Option<In<'_>>, read: fn(&Spent, &QueryRow) -> Option<f64>) -> Option<f64> {
    let (spent, query) = side?;
    read(spent, query?)
}

fn cpu_of(side: Option<In<'_>>) -> Option<Value<'static>> {
    side.and_then(|(spent, query)| in_ms(spent.cpu_ms_per_s(query)))
}

fn avg_of(side: Option<In<'_>>) -> Option<Value<'static>> {
    of(side, |_, query| query.avg_ms()).map(Value::Ms)
}

fn runs_of(side: Option<In<'_>>) -> Option<Value<'static>> {
    number(of(side, |spent, query| spent.table.per_s(query.runs)))
}

fn reads_of(side: Option<In<'_>>) -> Option<Value<'static>> {
    number(of(side, |spent, query| spent.table.per_s(query.reads)))
}

/// The columns. A filter may ask for those that end in `filter`.
pub const COLUMNS: &[Column] = &[
    Column::text(INSTANCE, "INSTANCE", 16, 0)
        .at_least(10)
        .frozen()
        .value(|r| words(Some(r.id.as_str())))
        .cell(|r, _, out| out.put(r.view.theme.strong, r.id.as_str())),
    Column::number("change", "CHANGE", 7, 0)
        .value(|r| match r.became() {
            Some(Became::Times(times)) => number(Some(times)),
            _ => None,
        })
        .sort(|r| number(r.change()))
        .cell(|r, _, out| change(r, out))
        .filter_by(|r, visit| match r.became() {
            Some(Became::Times(times)) => visit(Value::Number(times)),
            Some(Became::New) => visit(Value::Text("new")),
            Some(Became::Gone) => visit(Value::Text("gone")),
            Some(Became::NotKnown) | None => {}
        }),
    Column::text("query", "QUERY", 44, 0)
        .at_least(20)
        .growing()
        .value(|r| words(r.query.statement.as_ref().map(Statement::as_str)))
        .cell(|r, _, out| {
            if r.query.old_plan_hash.is_some() {
                out.put(r.view.theme.warning, "▲ ");
            }
            request::push_statement(out, r.query.statement.as_ref(), false, r.style(), r.view.theme.dim);
        })
        .filter()
        .also(&["sql", "statement", "text"]),
    time::<{ Measure::Cpu as usize }>("cpu", "CPU", 0),
    share::<{ Measure::Cpu as usize }>("share", "CPU %").also(&["share_cpu"]),
    sum::<{ Measure::Runs as usize }>("runs", "RUNS", 7, 1).also(&["executions"]),
    share::<{ Measure::Runs as usize }>("share_runs", "RUNS %"),
    Column::number("avg", "AVG", 8, 2)
        .value(|r| r.query.avg_ms().map(Value::Ms))
        .cell(|r, v, out| r.put(v, out, figure::push_mean))
        .filter()
        .also(&["duration"]),
    time::<{ Measure::Elapsed as usize }>("time", "TIME", 5),
    share::<{ Measure::Elapsed as usize }>("share_duration", "TIME %"),
    Column::number("max", "MAX", 8, 6)
        .value(|r| r.query.max_us.map(|us| Value::Ms(us as f64 / 1_000.0)))
        .cell(|r, v, out| r.put(v, out, figure::push_mean))
        .filter(),
    sum::<{ Measure::Reads as usize }>("reads", "READS", 7, 2),
    share::<{ Measure::Reads as usize }>("share_reads", "READS %"),
    sum::<{ Measure::PhysicalReads as usize }>("disk", "DISK", 7, 7).also(&["physical"]),
    share::<{ Measure::PhysicalReads as usize }>("share_disk", "DISK %"),
    sum::<{ Measure::Writes as usize }>("writes", "WRITES", 7, 5),
    share::<{ Measure::Writes as usize }>("share_writes", "WRITES %"),
    sum::<{ Measure::Rows as usize }>("rows", "ROWS", 7, 7),
    share::<{ Measure::Rows as usize }>("share_rows", "ROWS %"),
    Column::number("grant", "GRANT", 7, 8)
        .value(|r| r.average(r.query.grant_kb).map(|kb| Value::Bytes(kb * 1024.0)))
        .cell(|r, v, out| r.put(v, out, figure::push_size))
        .filter(),
    share::<{ Measure::Grant as usize }>("share_grant", "GRANT %"),
    Column::number("spills", "SPILLED", 8, 8)
        .value(|r| r.query.spills.map(|pages| Value::Bytes(pages as f64 * request::PAGE_BYTES)))
        .cell(|r, v, out| r.bound(v, out, figure::push_size))
        .filter(),
    share::<{ Measure::Spills as usize }>("share_spills", "SPILL %"),
    Column::number("cpu_before", "CPU BEFORE", 10, 0)
        .or("CPU B", 7)
        .value(|r| cpu_of(r.before))
        .cell(|r, v, out| r.put(v, out, figure::push_rate))
        .filter(),
    Column::number("cpu_after", "CPU AFTER", 10, 0)
        .or("CPU A", 7)
        .value(|r| cpu_of(Some(r.after)))
        .cell(|r, v, out| r.put(v, out, figure::push_rate))
        .filter(),
    Column::number("avg_before", "AVG BEFORE", 10, 1)
        .or("AVG B", 8)
        .value(|r| avg_of(r.before))
        .cell(|r, v, out| r.put(v, out, figure::push_mean))
        .filter(),
    Column::number("avg_after", "AVG AFTER", 10, 1)
        .or("AVG A", 8)
        .value(|r| avg_of(Some(r.after)))
        .cell(|r, v, out| r.put(v, out, figure::push_mean))
        .filter(),
    Column::number("runs_before", "RUNS/S BEFORE", 13, 2)
        .or("RUNS B", 7)
        .value(|r| runs_of(r.before))
        .cell(|r, v, out| r.put(v, out, figure::push_rate))
        .filter(),
    Column::number("runs_after", "RUNS/S AFTER", 12, 2)
        .or("RUNS A", 7)
        .value(|r| runs_of(Some(r.after)))
        .cell(|r, v, out| r.put(v, out, figure::push_rate))
        .filter(),
    Column::number("reads_before", "READS/S BEFORE", 14, 3)
        .or("READS B", 7)
        .value(|r| reads_of(r.before))
        .cell(|r, v, out| r.put(v, out, figure::push_rate))
        .filter(),
    Column::number("reads_after", "READS/S AFTER", 13, 3)
        .or("READS A", 7)
        .value(|r| reads_of(Some(r.after)))
        .cell(|r, v, out| r.put(v, out, figure::push_rate))
        .filter(),
    Column::text("db", "DATABASE", 14, 3)
        .at_least(8)
        .value(|r| words(r.query.database.as_deref()))
        .cell(|r, _, out| shares::put_databases(r.query, r.style(), r.view.theme.dim, out))
        .filter_by(|r, visit| shares::visit_databases(r.query, visit))
        .also(&["database"]),
    Column::text("module", "MODULE", 24, 4)
        .at_least(12)
        .value(|r| words(r.query.module.as_deref()))
        .cell(text)
        .filter()
        .also(&["procedure"]),
    Column::text("hash", "QUERY HASH", 18, 10)
        .cell(|r, _, out| out.fmt(r.style(), format_args!("0x{:016X}", r.query.hash)))
        .filter_by(|r, visit| {
            let mut text = String::new();
            // Writing to a String cannot fail.
            let _ = write!(text, "0x{:016X}", r.query.hash);
            visit(Value::Text(&text));
        }),
];

fn text(r: &SpentRow<'_>, v: Option<Value<'_>>, out: &mut CellText) {
    match v {
        Some(Value::Text(v)) if !v.is_empty() => out.put(r.style(), v),
        _ => out.put(r.view.theme.dim, "–"),
    }
}

/// `new`, `gone`, `×2.3`, `÷4`.
pub fn push_change(out: &mut String, became: Became) {
    let (sign, factor) = match became {
        Became::New => return out.push_str("new"),
        Became::Gone => return out.push_str("gone"),
        Became::NotKnown => return out.push('–'),
        Became::Times(times) if times >= 1.0 => ('×', times),
        Became::Times(times) => ('÷', 1.0 / times),
    };
    // Writing to a String cannot fail.
    let _ = match factor {
        _ if factor < 1.05 => write!(out, "same"),
        _ if factor < 9.95 => write!(out, "{sign}{factor:.1}"),
        _ if factor < 9_999.5 => write!(out, "{sign}{factor:.0}"),
        _ => write!(out, "{sign}>9999"),
    };
}

fn change(r: &SpentRow<'_>, out: &mut CellText) {
    let (Some(became), t) = (r.became(), r.view.theme) else { return };
    let style = match became {
        Became::New => t.warning,
        Became::Times(times) if times >= 1.5 => t.warning,
        Became::Gone => t.ok,
        Became::Times(times) if times <= 0.67 => t.ok,
        Became::Times(_) | Became::NotKnown => t.base,
    };
    out.with(style, |s| push_change(s, became));
}

/// Rows in display order: instance, place in the later table, place in the earlier one.
pub type Place = (u32, Option<u32>, Option<u32>);

/// The stretches with all that is in them.
#[derive(Clone, Copy)]
pub struct Both<'a> {
    /// the later one, or the only one
    pub after: &'a [(InstanceId, Spent)],
    /// the earlier one
    pub before: Option<&'a [(InstanceId, Spent)]>,
    /// for styles
    pub view: &'a View<'a>,
}

impl<'a> Both<'a> {
    /// A row.
    pub fn row(self, (n, after, before): Place) -> Option<SpentRow<'a>> {
        let (id, spent) = self.after.get(n as usize)?;
        let query = |spent: &'a Spent, place: Option<u32>| spent.table.queries.get(place? as usize);
        let after = (spent, query(spent, after));
        let before = match self.before {
            Some(all) => {
                let (_, spent) = all.get(n as usize)?;
                Some((spent, query(spent, before)))
            }
            None => None,
        };
        let told = after.1.or_else(|| before?.1)?;
        Some(SpentRow { id, query: told, after, before, view: self.view })
    }
}

/// Rows of a table.
pub struct SpentRows<'a> {
    /// where they come from
    pub both: Both<'a>,
    /// which
    pub places: &'a [Place],
}

impl Rows<Spents> for SpentRows<'_> {
    fn len(&self) -> usize {
        self.places.len()
    }

    fn key(&self, i: usize) -> RowKey {
        self.get(i)
            .map_or_else(|| RowKey::Group("".into()), |row| RowKey::Query(row.id.clone(), row.query.hash))
    }

    fn get(&self, i: usize) -> Option<SpentRow<'_>> {
        self.both.row(*self.places.get(i)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tui::widget::column::ambiguous;

    #[test]
    fn each_name_stands_for_one_column() {
        assert_eq!(ambiguous(COLUMNS), [""; 0]);
        let is_column = |id: &str| COLUMNS.iter().any(|column| column.id == id);
        assert!(ALONE.iter().chain(&BESIDE).all(|id| is_column(id)));
        assert!(SHARES.iter().all(|(share, of)| is_column(share) && is_column(of)));
    }

    #[test]
    fn a_change_is_said_by_its_factor() {
        let words = |became| {
            let mut out = String::new();
            push_change(&mut out, became);
            out
        };
        let told = [Became::New, Became::Gone, Became::NotKnown, Became::Times(2.34), Became::Times(0.05)]
            .map(words);
        assert_eq!(told, ["new", "gone", "–", "×2.3", "÷20"]);
        assert_eq!(
            [Became::Times(1.0), Became::Times(0.0), Became::Times(1e9)].map(words),
            ["same", "÷>9999", "×>9999"]
        );
    }
}
