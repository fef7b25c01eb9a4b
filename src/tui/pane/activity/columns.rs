//! Columns of the activity pane: all that the probe brings, the most telling first.

use super::super::request;
use crate::model::{figure, session::Request, snapshot::InstanceSnapshot};
use crate::tui::{
    view::View,
    widget::{
        columns::Column,
        table::{CellText, SortKey},
    },
};
use ratatui::style::Style;
use std::{fmt::Write as _, sync::Arc};

/// Instance: only where several are in scope.
pub const INSTANCE: usize = 0;

/// The columns.
pub const COLUMNS: [Column; 37] = [
    Column::text("INSTANCE", 12, 0).at_least(8).frozen(),
    Column::number("SPID", 5, 0).frozen(),
    Column::text("STATUS", 9, 9),
    Column::number("ELAPSED", 7, 1),
    Column::text("WAIT", 19, 1).at_least(16),
    Column::number("FOR", 6, 2),
    Column::number("BY", 5, 2),
    Column::number("BLK", 4, 2),
    Column::number("CPU", 6, 5),
    Column::number("+CPU", 7, 11),
    Column::number("READS", 6, 8),
    Column::text("DB", 10, 6),
    Column::text("LOGIN", 12, 7),
    Column::text("PROGRAM", 16, 10),
    Column::text("STATEMENT", 25, 1).at_least(16).growing().roomy(56),
    Column::text("HOST", 12, 11),
    Column::text("COMMAND", 15, 12),
    Column::text("RESOURCE", 34, 13),
    Column::number("+READS", 7, 14),
    Column::number("PHYS", 6, 15),
    Column::number("WRITES", 7, 16),
    Column::number("ROWS", 6, 17),
    Column::number("GRANT", 8, 18),
    Column::number("USED", 8, 19),
    Column::number("DOP", 4, 20),
    Column::number("TRAN", 5, 21),
    Column::number("TRAN AGE", 9, 22),
    Column::number("LOG", 8, 23),
    Column::text("ISOLATION", 18, 24),
    Column::number("TEMPDB", 8, 25),
    Column::number("TDB ALL", 8, 26),
    Column::number("DONE", 6, 27),
    Column::number("ETA", 7, 28),
    Column::number("TASKS", 6, 29),
    Column::text("LAST WAIT", 18, 30),
    Column::text("QUERY HASH", 18, 31),
    Column::text("ADDRESS", 16, 32),
];

/// A figure that a cell shows and a column sorts by.
enum Figure {
    Count(Option<i64>),
    Wait(Option<i64>),
    Span(Option<i64>),
    Bytes(Option<f64>),
    Pct(Option<f64>),
}

fn kb(v: Option<i64>) -> Figure {
    Figure::Bytes(v.map(|kb| kb as f64 * 1024.0))
}

fn pages(v: Option<i64>) -> Figure {
    Figure::Bytes(v.map(|p| p as f64 * 8192.0))
}

/// The columns that are figures, apart from those that need care.
fn number(r: &Request, column: usize, view: &View<'_>) -> Option<Figure> {
    Some(match column {
        3 => Figure::Wait(r.elapsed_ms),
        5 => Figure::Wait(r.wait_type.as_ref().and(r.wait_ms)),
        8 => Figure::Wait(r.cpu_ms),
        9 => Figure::Wait(r.cpu_delta_ms),
        10 => Figure::Count(r.logical_reads),
        18 => Figure::Count(r.reads_delta),
        19 => Figure::Count(r.reads),
        20 => Figure::Count(r.writes),
        21 => Figure::Count(r.rows),
        22 => kb(r.grant.and_then(|g| g.granted_kb)),
        23 => kb(r.grant.and_then(|g| g.used_kb)),
        24 => Figure::Count(r.dop.map(i64::from)),
        25 => Figure::Count(r.open_transactions.map(i64::from)),
        26 => Figure::Span(r.transaction_at.map(|at| view.now - at)),
        27 => Figure::Bytes(r.log_bytes.map(|b| b as f64)),
        29 => pages(r.tempdb_now_pages),
        30 => pages(r.tempdb_alloc_pages),
        31 => Figure::Pct(r.percent.filter(|p| *p > 0.0)),
        32 => Figure::Span(r.eta_ms.filter(|_| r.percent.is_some_and(|p| p > 0.0))),
        33 => Figure::Count(r.waiting_tasks.map(i64::from)),
        _ => return None,
    })
}

fn words(r: &Request, column: usize) -> Option<&str> {
    let v: &Option<Arc<str>> = match column {
        2 => &r.status,
        4 => &r.wait_type,
        11 => &r.database,
        12 => &r.login,
        13 => return r.job.as_deref().or(r.program.as_deref()),
        15 => &r.host,
        16 => &r.command,
        28 => &r.isolation,
        34 => &r.last_wait_type,
        36 => &r.address,
        _ => return None,
    };
    v.as_deref()
}

/// Fills a cell.
pub fn cell(i: &InstanceSnapshot, r: &Request, column: usize, view: &View<'_>, out: &mut CellText) {
    let t = view.theme;
    let stale = i.facts.activity.is_stale(view.now);
    let asleep = r.status.as_deref() == Some("sleeping");
    // What sleeps is dim, unless it stands in the way of others: that is the row to look at.
    let base = if stale || (asleep && r.blocks == 0) { t.dim } else { t.base };
    match column {
        INSTANCE => out.put(base, i.id().as_str()),
        1 => out.fmt(if stale { t.dim } else { t.strong }, format_args!("{}", r.session_id)),
        6 => match r.blocked_by {
            Some(b) if b > 0 => out.fmt(t.warning, format_args!("{b}")),
            Some(b) if b < 0 => out.fmt(t.warning, format_args!("({b})")),
            _ => {}
        },
        4 if asleep && r.wait_type.is_none() => {
            out.put(if r.blocks > 0 { t.warning } else { t.dim }, "sleeping");
        }
        7 if r.blocks > 0 => out.fmt(t.critical, format_args!("{}", r.blocks)),
        7 => {}
        14 => request::push_statement(out, r.statement.as_ref(), asleep, base, t.dim),
        17 => {
            if let Some(found) = request::resource(i, r) {
                out.with(base, |s| request::push_resource(s, &found));
            }
        }
        35 => {
            if let Some(h) = r.query_hash {
                out.fmt(t.dim, format_args!("0x{h:016X}"));
            }
        }
        _ => match (number(r, column, view), words(r, column)) {
            (Some(f), _) => figure_cell(&f, base, t.dim, out),
            (None, Some(w)) if !w.is_empty() => out.put(base, w),
            _ => out.put(t.dim, "–"),
        },
    }
}

fn figure_cell(f: &Figure, base: Style, dim: Style, out: &mut CellText) {
    let quiet = |zero: bool| if zero { dim } else { base };
    match *f {
        Figure::Count(Some(v)) => out.with(quiet(v == 0), |s| figure::push_count(s, v as f64)),
        Figure::Wait(Some(v)) => out.with(quiet(v == 0), |s| figure::push_wait(s, v as f64)),
        Figure::Span(Some(v)) => out.with(base, |s| figure::push_span(s, v)),
        Figure::Bytes(Some(v)) => out.with(quiet(v == 0.0), |s| figure::push_size(s, v)),
        Figure::Pct(Some(v)) => out.with(base, |s| {
            let _ = write!(s, "{v:.0} %");
        }),
        _ => out.put(dim, "–"),
    }
}

/// What a column sorts by.
pub fn sort_key(i: &InstanceSnapshot, r: &Request, column: usize, view: &View<'_>) -> SortKey {
    match column {
        INSTANCE => Some(i.id().as_str()).into(),
        1 => Some(i64::from(r.session_id)).into(),
        6 => r.blocked_by.filter(|b| *b != 0).map(i64::from).into(),
        7 => Some(i64::from(r.blocks)).into(),
        14 => r.statement.as_ref().map(crate::model::session::Statement::as_str).into(),
        17 => r.wait_resource.as_deref().into(),
        35 => r.query_hash.map(|h| format!("{h:016x}")).as_deref().into(),
        _ => match (number(r, column, view), words(r, column)) {
            (Some(Figure::Count(v) | Figure::Wait(v) | Figure::Span(v)), _) => v.into(),
            (Some(Figure::Bytes(v) | Figure::Pct(v)), _) => v.into(),
            (None, w) => w.into(),
        },
    }
}
