//! What runs cost, told the same way of queries of the plan cache, of modules and of queries of Query Store: columns and lines of the
//! details. Each of these panes says in [`Costs`] where its figures are.

use super::{
    parts::{Line, Parts, text},
    request::NO_TEXT,
};
use crate::{
    model::{
        base::{figure, filter::Value},
        poll::{counts::Ran, statement::Statement},
    },
    tui::widget::{
        cell::CellText,
        column::{Column, in_ms, number, words},
        document::Document,
    },
};
use ratatui::style::Style;

const KB: f64 = 1024.0;

/// Rows of things that run.
pub trait Costs: Parts<Part: Ran> {
    /// The database of a row.
    fn database(part: &Self::Part) -> Option<&str>;
    /// So many per second of the stretch of time that a row is of.
    fn per_s(line: &Line<'_, Self>, n: Option<i64>) -> Option<f64>;
    /// There may have been more runs than are told.
    fn is_at_least(_part: &Self::Part) -> bool {
        false
    }
}

/// CPU, ms per s.
pub const fn cpu<P: Costs>() -> Column<P> {
    Column::<P>::number("cpu", "CPU MS/S", 8, 0)
        .value(|line| in_ms(P::per_s(line, line.part.took().cpu_us).map(|us| us / 1_000.0)))
        .cell(bound)
        .filter()
}

/// Runs per s.
pub const fn runs<P: Costs>(rank: u8) -> Column<P> {
    Column::<P>::number("runs", "RUNS/S", 7, rank)
        .value(|line| number(P::per_s(line, line.part.took().runs)))
        .cell(bound)
        .filter()
        .also(&["executions"])
}

/// The average duration of a run.
pub const fn avg<P: Costs>(rank: u8) -> Column<P> {
    Column::<P>::number("avg", "AVG", 8, rank)
        .value(|line| line.part.avg_ms().map(Value::Ms))
        .cell(mean)
        .filter()
        .also(&["duration"])
}

/// The shortest run.
pub const fn min<P: Costs>(rank: u8) -> Column<P> {
    Column::<P>::number("min", "MIN", 8, rank).value(|line| ms(line.part.took().min_us)).cell(mean).filter()
}

/// The longest run.
pub const fn max<P: Costs>(rank: u8) -> Column<P> {
    Column::<P>::number("max", "MAX", 8, rank).value(|line| ms(line.part.took().max_us)).cell(mean).filter()
}

/// Pages read from memory.
pub const fn reads<P: Costs>(rank: u8) -> Column<P> {
    Column::<P>::number("reads", "READS/S", 7, rank)
        .value(|line| number(P::per_s(line, line.part.took().reads)))
        .cell(rate)
        .filter()
}

/// Pages read from disk.
pub const fn disk<P: Costs>(rank: u8) -> Column<P> {
    Column::<P>::number("disk", "DISK/S", 7, rank)
        .value(|line| number(P::per_s(line, line.part.took().physical_reads)))
        .cell(rate)
        .filter()
        .also(&["physical"])
}

/// Pages written.
pub const fn writes<P: Costs>(rank: u8) -> Column<P> {
    Column::<P>::number("writes", "WRITES/S", 8, rank)
        .value(|line| number(P::per_s(line, line.part.took().writes)))
        .cell(rate)
        .filter()
}

/// The database.
pub const fn database<P: Costs>(width: u16, rank: u8) -> Column<P> {
    Column::<P>::text("db", "DATABASE", width, rank)
        .at_least(8)
        .value(|line| words(P::database(line.part)))
        .cell(text)
        .filter()
        .also(&["database"])
}

/// µs as a duration.
pub fn ms(us: Option<i64>) -> Option<Value<'static>> {
    us.map(|us| Value::Ms(us as f64 / 1_000.0))
}

/// A cell with an average duration.
pub fn mean<P: Parts>(line: &Line<'_, P>, v: Option<Value<'_>>, out: &mut CellText) {
    line.put(v, out, figure::push_mean);
}

fn rate<P: Parts>(line: &Line<'_, P>, v: Option<Value<'_>>, out: &mut CellText) {
    line.put(v, out, figure::push_rate);
}

/// A rate that is a lower bound says so.
fn bound<P: Costs>(line: &Line<'_, P>, v: Option<Value<'_>>, out: &mut CellText) {
    match v.and_then(Value::figure).filter(|_| P::is_at_least(line.part)) {
        // At least less than something would say nothing.
        Some(little) if little > 0.0 && little < 0.05 => {
            return out.fmt(line.style(), format_args!("≥{little:.3}"));
        }
        Some(_) => out.put(line.style(), "≥"),
        None => {}
    }
    rate(line, v, out);
}

/// The head of the figures of one run, and its CPU and duration.
pub fn one_run<P: Costs>(line: &Line<'_, P>, d: &mut Document) {
    d.head("one run, on average");
    per_run(line, d, "CPU", line.part.took().cpu_us, push_us);
}

/// The pages of one run.
pub fn pages<P: Costs>(line: &Line<'_, P>, d: &mut Document) {
    let took = line.part.took();
    per_run(line, d, "pages from memory", took.reads, figure::push_count);
    per_run(line, d, "pages from disk", took.physical_reads, figure::push_count);
    per_run(line, d, "pages written", took.writes, figure::push_count);
}

/// Something of an average run.
pub fn per_run<P: Costs>(
    line: &Line<'_, P>,
    d: &mut Document,
    name: &'static str,
    sum: Option<i64>,
    push: fn(&mut String, f64),
) {
    d.field(name, line.style(), |s| line.part.per_run(sum).into_iter().for_each(|n| push(s, n)));
}

/// That the figures of a row are of a time of its own.
pub fn own_time(d: &mut Document, own_ms: u64, base: Style) {
    if own_ms > 0 {
        d.head("average of a longer time");
        let mut why =
            "It was not among the first in the polls before: its figures are of the last ".to_owned();
        figure::push_span(&mut why, i64::try_from(own_ms).unwrap_or(i64::MAX));
        why.push_str(", and what is per second is their average.");
        d.text(why, base);
    }
}

/// µs as an average duration.
pub fn push_us(out: &mut String, us: f64) {
    figure::push_mean(out, us / 1_000.0);
}

/// KB as a size.
pub fn push_kb(out: &mut String, kb: f64) {
    figure::push_size(out, kb * KB);
}

/// The statement of a query, or why there is none.
pub fn statement(d: &mut Document, statement: Option<&Statement>, dim: Style) {
    match statement {
        Some(statement) if !statement.text.encrypted => d.statement = Some(statement.clone()),
        Some(_) => d.text("Its module is encrypted.", dim),
        None => d.text(NO_TEXT, dim),
    }
}
