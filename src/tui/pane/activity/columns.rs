//! The columns of requests, one row each: all that the probe returns, the most important first; and the filter fields of a
//! request. The blocking pane asks its sessions by the same names.

use super::super::request::{self, PAGE_BYTES, RequestRow};
use crate::model::{
    base::{
        figure,
        filter::{self, Value},
    },
    poll::statement::Statement,
};
use crate::tui::{
    filter::{FilterSlot, instance_values},
    widget::{
        cell::CellText,
        column::{self, Kind, ms, number, size, visit_values, whole, words},
        table::Set,
    },
};
use ratatui::style::Style;
use std::fmt::Write as _;

/// Name of the instance: only where several are in scope.
pub const INSTANCE: &str = "instance";

/// Rows of the activity pane: a request each.
#[derive(Debug)]
pub enum Requests {}

impl Kind for Requests {
    type Row<'a> = RequestRow<'a>;
}

type Column = column::Column<Requests>;

const KB: f64 = 1024.0;

/// Sets of columns: what is far to the right on a narrow screen, by what it is looked at for.
pub const SETS: &[Set] = &[
    Set { name: "memory", columns: &["grant", "used", "dop", "tempdb", "tempdb_all"] },
    Set { name: "transactions", columns: &["tran", "tran_age", "log", "isolation"] },
    Set {
        name: "work",
        columns: &["cpu", "cpu_delta", "reads", "reads_delta", "writes", "rows", "tasks", "percent"],
    },
    Set { name: "clients", columns: &["db", "login", "program", "host", "client"] },
];

/// The columns. A filter may ask for those that end in `filter`.
pub const COLUMNS: &[Column] = &[
    Column::text(INSTANCE, "INSTANCE", 12, 0)
        .at_least(8)
        .frozen()
        .value(|r| words(Some(r.instance.id().as_str())))
        .cell(|r, _, out| out.put(base(r), r.instance.id().as_str())),
    Column::number("spid", "SPID", 5, 0)
        .frozen()
        .value(|r| whole(Some(r.request.session_id.into())))
        .cell(spid)
        .filter(),
    Column::text("status", "STATUS", 9, 9).value(|r| words(r.request.status.as_deref())).cell(text).filter(),
    Column::number("elapsed", "ELAPSED", 7, 1).value(|r| ms(r.request.elapsed_ms)).cell(wait).filter(),
    Column::text("wait", "WAIT", 19, 1)
        .at_least(16)
        .value(|r| words(r.request.wait_type.as_deref()))
        .cell(wait_type)
        .filter(),
    Column::number("wait_time", "WAIT TIME", 9, 2)
        .or("WAITED", 6)
        .value(|r| ms(r.request.wait_type.as_ref().and(r.request.wait_ms)))
        .cell(wait)
        .filter_by(|r, visit| ms(r.request.wait_ms).into_iter().for_each(visit))
        .also(&["for"]),
    Column::number("blocker", "BY", 5, 2)
        .value(|r| whole(r.request.blocked_by.filter(|b| *b != 0).map(i64::from)))
        .cell(blocker)
        .filter(),
    Column::number("blocks", "BLOCKS", 6, 2)
        .value(|r| whole(Some(r.request.blocks.into())))
        .cell(blocks)
        .filter(),
    Column::number("cpu", "CPU", 6, 5).value(|r| ms(r.request.cpu_ms)).cell(wait).filter(),
    Column::number("cpu_delta", "+CPU", 7, 11).value(|r| ms(r.request.cpu_delta_ms)).cell(wait),
    Column::number("reads", "READS", 6, 8).value(|r| whole(r.request.logical_reads)).cell(count).filter(),
    Column::text("db", "DB", 10, 6).value(|r| words(r.request.database.as_deref())).cell(text).filter(),
    Column::text("login", "LOGIN", 12, 7).value(|r| words(r.request.login.as_deref())).cell(text).filter(),
    Column::text("program", "PROGRAM", 16, 10)
        .value(|r| words(r.request.job.as_deref().or(r.request.program.as_deref())))
        .cell(text)
        .filter_by(|r, visit| words(r.request.program.as_deref()).into_iter().for_each(visit)),
    Column::text("sql", "STATEMENT", 25, 1)
        .at_least(16)
        .growing()
        .roomy(56)
        .value(|r| words(r.statement.map(Statement::as_str)))
        .cell(|r, _, out| request::push_statement(out, r.statement, asleep(r), base(r), r.view.theme.dim))
        .filter(),
    Column::text("host", "HOST", 12, 11).value(|r| words(r.request.host.as_deref())).cell(text).filter(),
    Column::text("command", "COMMAND", 15, 12)
        .value(|r| words(r.request.command.as_deref()))
        .cell(text)
        .filter(),
    Column::text("resource", "RESOURCE", 34, 13)
        .value(|r| words(r.request.wait_resource.as_deref()))
        .cell(resource),
    Column::number("reads_delta", "+READS", 7, 14).value(|r| whole(r.request.reads_delta)).cell(count),
    Column::number("phys", "PHYS", 6, 15).value(|r| whole(r.request.reads)).cell(count),
    Column::number("writes", "WRITES", 7, 16).value(|r| whole(r.request.writes)).cell(count).filter(),
    Column::number("rows", "ROWS", 6, 17).value(|r| whole(r.request.rows)).cell(count).filter(),
    Column::number("grant", "GRANT", 8, 18)
        .value(|r| size(r.request.grant?.granted_kb, KB))
        .cell(bytes)
        .filter(),
    Column::number("used", "USED", 8, 19).value(|r| size(r.request.grant?.used_kb, KB)).cell(bytes),
    Column::number("dop", "DOP", 4, 20).value(|r| whole(r.request.dop.map(i64::from))).cell(count).filter(),
    Column::number("tran", "TRAN", 5, 21)
        .value(|r| whole(r.request.open_transactions.map(i64::from)))
        .cell(count)
        .filter(),
    Column::number("tran_age", "TRAN AGE", 9, 22)
        .value(|r| ms(r.request.transaction_at.map(|at| r.view.now - at)))
        .cell(span),
    Column::number("log", "LOG", 8, 23).value(|r| size(r.request.log_bytes, 1.0)).cell(bytes).filter(),
    Column::text("isolation", "ISOLATION", 18, 24)
        .value(|r| words(r.request.isolation.as_deref()))
        .cell(text)
        .filter(),
    Column::number("tempdb", "TEMPDB", 8, 25)
        .value(|r| size(r.request.tempdb_now_pages, PAGE_BYTES))
        .cell(bytes)
        .filter(),
    Column::number("tempdb_all", "TDB ALL", 8, 26)
        .value(|r| size(r.request.tempdb_alloc_pages, PAGE_BYTES))
        .cell(bytes),
    Column::number("percent", "DONE", 6, 27)
        .value(|r| number(done(r)))
        .cell(percent)
        .filter_by(|r, visit| number(r.request.percent).into_iter().for_each(visit)),
    Column::number("eta", "ETA", 7, 28)
        .value(|r| ms(r.request.eta_ms.filter(|_| done(r).is_some())))
        .cell(span),
    Column::number("tasks", "TASKS", 6, 29)
        .value(|r| whole(r.request.waiting_tasks.map(i64::from)))
        .cell(count),
    Column::text("last_wait", "LAST WAIT", 18, 30)
        .value(|r| words(r.request.last_wait_type.as_deref()))
        .cell(text),
    Column::text("hash", "QUERY HASH", 18, 31)
        .sort(|r| number(r.request.query_hash.map(|h| h as f64)))
        .cell(hash)
        .filter_by(visit_hash),
    Column::text("client", "ADDRESS", 16, 32).value(|r| words(r.request.address.as_deref())).cell(text),
];

/// The fields of a request for filters, besides its columns.
const MORE: [&str; 1] = ["job"];

/// An empty filter of requests.
pub fn filter_slot() -> FilterSlot {
    FilterSlot::new(COLUMNS, &MORE)
}

impl filter::Row for RequestRow<'_> {
    fn text(&self, out: &mut String) {
        let r = self.request;
        let _ = write!(out, "{} {}", self.instance.id(), r.session_id);
        for t in [&r.status, &r.database, &r.login, &r.host, &r.program, &r.command, &r.wait_type, &r.job] {
            out.push(' ');
            out.push_str(t.as_deref().unwrap_or(""));
        }
        if let Some(s) = self.statement {
            out.push(' ');
            out.push_str(s.as_str());
        }
    }

    fn values(&self, key: &str, visit: &mut dyn FnMut(Value<'_>)) {
        match key {
            "job" => words(self.request.job.as_deref()).into_iter().for_each(visit),
            _ if visit_values(COLUMNS, self, key, visit) => {}
            _ => instance_values(&self.instance.info, key, visit),
        }
    }
}

fn visit_hash(r: &RequestRow<'_>, visit: &mut dyn FnMut(Value<'_>)) {
    if let Some(h) = r.request.query_hash {
        visit(Value::Text(&format!("0x{h:016X}")));
    }
}

/// Progress of a request that tells it.
fn done(r: &RequestRow<'_>) -> Option<f64> {
    r.request.percent.filter(|p| *p > 0.0)
}

fn asleep(r: &RequestRow<'_>) -> bool {
    r.request.status.as_deref() == Some("sleeping")
}

fn stale(r: &RequestRow<'_>) -> bool {
    r.instance.facts.activity.is_stale(r.view.now)
}

/// A sleeping session is dim, unless it blocks others: that is the row to see.
fn base(r: &RequestRow<'_>) -> Style {
    let t = r.view.theme;
    if stale(r) || (asleep(r) && r.request.blocks == 0) { t.dim } else { t.base }
}

fn spid(r: &RequestRow<'_>, _: Option<Value<'_>>, out: &mut CellText) {
    let t = r.view.theme;
    out.fmt(if stale(r) { t.dim } else { t.strong }, format_args!("{}", r.request.session_id));
}

fn wait_type(r: &RequestRow<'_>, v: Option<Value<'_>>, out: &mut CellText) {
    let t = r.view.theme;
    if v.is_none() && asleep(r) {
        out.put(if r.request.blocks > 0 { t.warning } else { t.dim }, "sleeping");
    } else {
        text(r, v, out);
    }
}

fn blocker(r: &RequestRow<'_>, _: Option<Value<'_>>, out: &mut CellText) {
    let t = r.view.theme;
    match r.request.blocked_by {
        Some(b) if b > 0 => out.fmt(t.warning, format_args!("{b}")),
        // The details say it in full.
        Some(-2) => out.put(t.warning, "DTC"),
        Some(-3) => out.put(t.warning, "recov"),
        _ => {}
    }
}

fn blocks(r: &RequestRow<'_>, _: Option<Value<'_>>, out: &mut CellText) {
    if r.request.blocks > 0 {
        out.fmt(r.view.theme.critical, format_args!("{}", r.request.blocks));
    }
}

fn resource(r: &RequestRow<'_>, _: Option<Value<'_>>, out: &mut CellText) {
    if let Some(found) = request::resource(r.instance, r.request) {
        out.with(base(r), |s| request::push_resource(s, &found));
    }
}

fn hash(r: &RequestRow<'_>, _: Option<Value<'_>>, out: &mut CellText) {
    if let Some(h) = r.request.query_hash {
        out.fmt(r.view.theme.dim, format_args!("0x{h:016X}"));
    }
}

fn text(r: &RequestRow<'_>, v: Option<Value<'_>>, out: &mut CellText) {
    match v {
        Some(Value::Text(w)) if !w.is_empty() => out.put(base(r), w),
        _ => out.put(r.view.theme.dim, "–"),
    }
}

/// A figure that is dim when it is zero.
fn figure_cell(r: &RequestRow<'_>, v: Option<Value<'_>>, out: &mut CellText, draw: fn(&mut String, f64)) {
    let dim = r.view.theme.dim;
    match v.and_then(Value::figure) {
        Some(v) => out.with(if v == 0.0 { dim } else { base(r) }, |s| draw(s, v)),
        None => out.put(dim, "–"),
    }
}

fn count(r: &RequestRow<'_>, v: Option<Value<'_>>, out: &mut CellText) {
    figure_cell(r, v, out, figure::push_count);
}

fn wait(r: &RequestRow<'_>, v: Option<Value<'_>>, out: &mut CellText) {
    figure_cell(r, v, out, figure::push_wait);
}

fn bytes(r: &RequestRow<'_>, v: Option<Value<'_>>, out: &mut CellText) {
    figure_cell(r, v, out, figure::push_size);
}

fn span(r: &RequestRow<'_>, v: Option<Value<'_>>, out: &mut CellText) {
    match v.and_then(Value::figure) {
        Some(ms) => out.with(base(r), |s| figure::push_wait(s, ms)),
        None => out.put(r.view.theme.dim, "–"),
    }
}

fn percent(r: &RequestRow<'_>, v: Option<Value<'_>>, out: &mut CellText) {
    match v.and_then(Value::figure) {
        Some(v) => out.fmt(base(r), format_args!("{v:.0} %")),
        None => out.put(r.view.theme.dim, "–"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tui::{
        fixture,
        pane::{Pane as _, activity::ActivityPane, stage::Stage},
        widget::column::ambiguous,
    };

    #[test]
    fn each_name_stands_for_one_column() {
        assert_eq!(ambiguous(COLUMNS), [""; 0]);
    }

    #[test]
    fn a_renamed_column_is_filtered_by_either_name() {
        let stage = Stage::fleet(fixture::small());
        let mut pane = ActivityPane::default();
        let all = stage.draw(&mut pane, 200, 40);
        let mut shown = |filter: &str| {
            pane.set_filter(filter).unwrap();
            stage.draw(&mut pane, 200, 40)
        };
        assert_eq!(shown("wait_time>5m"), shown("for>5m"));
        assert_ne!(shown("for>5m"), all, "the filter leaves rows out");
    }
}
