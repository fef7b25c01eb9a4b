//! Columns of the blocking pane.

use super::super::{reading, request};
use super::Node;
use crate::model::figure;
use crate::tui::{
    view::View,
    widget::{
        columns::Column,
        table::{CellText, SortKey},
    },
};
use ratatui::style::Style;

/// Instance: only where several are in scope.
pub const INSTANCE: usize = 0;
/// Tree.
pub const SESSION: usize = 1;

/// The columns.
pub const COLUMNS: [Column; 16] = [
    Column::text("INSTANCE", 12, 0).at_least(8).frozen(),
    Column::text("SESSION", 20, 0).at_least(12).frozen(),
    Column::text("WAIT", 12, 1).at_least(10),
    Column::number("FOR", 7, 0),
    Column::text("RESOURCE", 36, 3).at_least(18).growing(),
    Column::text("LOGIN", 12, 6),
    Column::text("PROGRAM", 16, 7),
    Column::text("STATEMENT", 36, 2).at_least(20).growing().roomy(60),
    Column::number("BLOCKS", 6, 5),
    Column::text("HOST", 12, 10),
    Column::text("DB", 12, 11),
    Column::number("TRAN", 6, 12),
    Column::number("LOG", 8, 13),
    Column::text("ISOLATION", 18, 14),
    Column::number("CPU", 8, 15),
    Column::number("READS", 7, 16),
];

/// Fills a cell.
pub fn cell(node: &Node<'_>, column: usize, view: &View<'_>, out: &mut CellText) {
    let (t, n, r) = (view.theme, node.session, &node.session.request);
    let stale = node.instance.facts.blocking.is_stale(view.now);
    let base = if stale || !node.matches { t.dim } else { t.base };
    let head = n.depth == 0;
    match column {
        INSTANCE if head => out.put(if stale { t.dim } else { t.strong }, node.instance.id().as_str()),
        SESSION => session(node, view, base, out),
        2 => match &r.wait_type {
            Some(w) => out.put(base, w),
            None => out.put(t.dim, "–"),
        },
        3 => match r.wait_ms.filter(|_| !head || r.blocked_by.is_some()) {
            Some(ms) => out.with(age_style(ms, base, view), |s| figure::push_wait(s, ms as f64)),
            None => out.put(t.dim, "–"),
        },
        4 => resource(node, view, base, out),
        5 => text(out, base, t.dim, r.login.as_deref()),
        6 => text(out, base, t.dim, r.job.as_deref().or(r.program.as_deref())),
        7 => request::push_statement(out, n.statement.as_ref(), n.statement_is_last, base, t.dim),
        8 if n.victims > 0 => out.fmt(if head { t.strong } else { base }, format_args!("{}", n.victims)),
        9 => text(out, base, t.dim, r.host.as_deref()),
        10 => text(out, base, t.dim, r.database.as_deref()),
        11 => {
            if let Some(at) = r.transaction_at {
                out.with(base, |s| figure::push_span(s, view.now - at));
            }
        }
        12 => {
            if let Some(b) = r.log_bytes {
                out.with(base, |s| figure::push_size(s, b as f64));
            }
        }
        13 => text(out, base, t.dim, r.isolation.as_deref()),
        14 => {
            if let Some(ms) = r.cpu_ms {
                out.with(base, |s| figure::push_wait(s, ms as f64));
            }
        }
        15 => {
            if let Some(v) = r.logical_reads {
                out.with(base, |s| figure::push_count(s, v as f64));
            }
        }
        _ => {}
    }
}

fn text(out: &mut CellText, base: Style, dim: Style, v: Option<&str>) {
    match v {
        Some(v) if !v.is_empty() => out.put(base, v),
        _ => out.put(dim, "–"),
    }
}

/// Long waits stand out: the thresholds are those of the score (warning 30 s, critical 120 s).
fn age_style(ms: i64, base: Style, view: &View<'_>) -> Style {
    if base == view.theme.dim || ms < 30_000 {
        base
    } else if ms < 120_000 {
        view.theme.warning
    } else {
        view.theme.critical
    }
}

/// `88 sleeping`, `│ ├ 97`.
fn session(node: &Node<'_>, view: &View<'_>, base: Style, out: &mut CellText) {
    let (t, n, r) = (view.theme, node.session, &node.session.request);
    if n.depth > 0 {
        out.with(t.dim, |s| node.push_guides(s));
    }
    let style = if n.depth == 0 { t.strong } else { base };
    if r.session_id < 0 {
        out.with(style, |s| request::push_blocker(s, r.session_id));
        return;
    }
    out.fmt(style, format_args!("{}", r.session_id));
    if n.cycle_cut {
        out.put(t.warning, " ▲");
    }
    let status = r.status.as_deref().unwrap_or("");
    if n.depth == 0 {
        out.fmt(if status == "sleeping" { t.warning } else { t.dim }, format_args!(" {status}"));
        if r.open_transactions.unwrap_or(0) > 0 {
            out.put(t.dim, " in tran");
        }
    } else if status != "suspended" {
        out.fmt(t.dim, format_args!(" {status}"));
    }
}

/// What a victim waits for; for a head, what it holds as its first victim sees it.
fn resource(node: &Node<'_>, view: &View<'_>, base: Style, out: &mut CellText) {
    let t = view.theme;
    if node.session.depth > 0 {
        return match &node.session.resource {
            Some(r) => out.with(base, |s| request::push_resource(s, r)),
            None => out.put(t.dim, "–"),
        };
    }
    let held = node.chain.nodes.iter().filter(|n| n.depth == 1).find_map(|n| n.resource.as_ref());
    match held {
        Some(r) => {
            out.put(t.dim, "holds ");
            if let Some(m) = &r.held_mode {
                out.fmt(base, format_args!("{m} "));
            }
            out.put(t.dim, "on ");
            out.with(base, |s| match (&r.database, &r.object) {
                (Some(_), Some(_)) => request::push_object(s, r),
                _ => request::push_resource(s, r),
            });
        }
        None => out.put(t.dim, "–"),
    }
}

/// What a whole chain sorts by: figures take the worst of the chain, names those of its head.
pub fn sort_key(node: &Node<'_>, column: usize, view: &View<'_>) -> SortKey {
    let (chain, r) = (node.chain, &node.session.request);
    let most = |f: fn(&crate::model::session::Request) -> Option<i64>| {
        chain.nodes.iter().filter_map(|n| f(&n.request)).max()
    };
    match column {
        INSTANCE => Some(node.instance.id().as_str()).into(),
        SESSION => Some(i64::from(r.session_id)).into(),
        2 => chain.nodes.iter().find_map(|n| n.request.wait_type.as_deref()).into(),
        3 => Some(chain.max_wait_ms).into(),
        4 => chain.nodes.iter().find_map(|n| n.resource.as_ref()).and_then(|r| r.object.as_deref()).into(),
        5 => r.login.as_deref().into(),
        6 => r.program.as_deref().into(),
        7 => node.session.statement.as_ref().map(crate::model::session::Statement::as_str).into(),
        8 => Some(i64::from(chain.victims)).into(),
        9 => r.host.as_deref().into(),
        10 => r.database.as_deref().into(),
        11 => r.transaction_at.map(|at| view.now - at).into(),
        12 => most(|r| r.log_bytes).into(),
        13 => r.isolation.as_deref().into(),
        14 => most(|r| r.cpu_ms).into(),
        15 => most(|r| r.logical_reads).into(),
        _ => SortKey::None,
    }
}

/// What stands where there is nothing blocked: what is known of whom.
pub fn empty_lines(view: &View<'_>, filtered: bool) -> Vec<String> {
    if filtered {
        return vec!["No chain matches the filter.".to_owned(), "Esc clears it.".to_owned()];
    }
    reading::absence("Who blocks whom", "Nothing is blocked", view, |f| &f.blocking)
}
