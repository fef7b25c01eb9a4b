//! The columns of the blocking pane, one row each. A chain is ordered as a whole: figures take the worst of the chain, names
//! those of its head.

use super::super::{reading, request};
use super::Node;
use crate::model::{
    base::{figure, filter::Value},
    judge::limits::Gauge,
    poll::{activity::Request, statement::Statement},
};
use crate::tui::{
    view::View,
    widget::{
        cell::CellText,
        column::{self, Kind, ms, size, whole, words},
    },
};
use ratatui::style::Style;

/// Name of the instance: only where several are in scope.
pub const INSTANCE: &str = "instance";
/// The tree.
pub const SESSION: &str = "session";

/// Rows of the blocking pane: a session of a chain each.
#[derive(Debug)]
pub enum Sessions {}

impl Kind for Sessions {
    type Row<'a> = Node<'a>;
}

type Column = column::Column<Sessions>;

/// The columns.
pub const COLUMNS: &[Column] = &[
    Column::text(INSTANCE, "INSTANCE", 12, 0)
        .at_least(8)
        .frozen()
        .value(|n| words(Some(n.instance.id().as_str())))
        .cell(|n, _, out| instance(n, out)),
    Column::text(SESSION, "SESSION", 20, 0)
        .at_least(12)
        .frozen()
        .sort(|n| whole(Some(n.request().session_id.into())))
        .cell(|n, _, out| session(n, out)),
    Column::text("wait", "WAIT", 12, 1)
        .at_least(10)
        .value(|n| words(n.request().wait_type.as_deref()))
        .sort(|n| words(n.chain.nodes.iter().find_map(|n| n.request.wait_type.as_deref())))
        .cell(text),
    Column::number("wait_time", "WAIT TIME", 9, 0)
        .or("WAITED", 7)
        .value(|n| ms(n.duration_ms()))
        .sort(|n| ms(Some(n.chain.max_wait_ms)))
        .cell(wait_time),
    Column::text("resource", "RESOURCE", 36, 3)
        .at_least(18)
        .growing()
        .sort(|n| words(n.chain.nodes.iter().find_map(|n| n.resource.as_ref())?.object.as_deref()))
        .cell(|n, _, out| resource(n, out)),
    Column::text("login", "LOGIN", 12, 6).value(|n| words(n.request().login.as_deref())).cell(text),
    Column::text("program", "PROGRAM", 16, 7)
        .value(|n| words(n.request().job.as_deref().or(n.request().program.as_deref())))
        .sort(|n| words(n.request().program.as_deref()))
        .cell(text),
    Column::text("sql", "STATEMENT", 36, 2)
        .at_least(20)
        .growing()
        .roomy(60)
        .value(|n| words(n.session.statement.as_ref().map(Statement::as_str)))
        .cell(|n, _, out| statement(n, out)),
    Column::number("blocks", "BLOCKS", 6, 5)
        .value(|n| whole(Some(n.session.victims.into())))
        .sort(|n| whole(Some(n.chain.victims.into())))
        .cell(|n, _, out| blocks(n, out)),
    Column::text("host", "HOST", 12, 10).value(|n| words(n.request().host.as_deref())).cell(text),
    Column::text("db", "DB", 12, 11).value(|n| words(n.request().database.as_deref())).cell(text),
    Column::number("tran_age", "TRAN", 6, 12)
        .value(|n| ms(n.request().transaction_at.map(|at| n.view.now - at)))
        .cell(|n, v, out| figure_cell(n, v, out, figure::push_wait)),
    Column::number("log", "LOG", 8, 13)
        .value(|n| size(n.request().log_bytes, 1.0))
        .sort(|n| size(n.most(|r| r.log_bytes), 1.0))
        .cell(|n, v, out| figure_cell(n, v, out, figure::push_size)),
    Column::text("isolation", "ISOLATION", 18, 14)
        .value(|n| words(n.request().isolation.as_deref()))
        .cell(text),
    Column::number("cpu", "CPU", 8, 15)
        .value(|n| ms(n.request().cpu_ms))
        .sort(|n| ms(n.most(|r| r.cpu_ms)))
        .cell(|n, v, out| figure_cell(n, v, out, figure::push_wait)),
    Column::number("reads", "READS", 7, 16)
        .value(|n| whole(n.request().logical_reads))
        .sort(|n| whole(n.most(|r| r.logical_reads)))
        .cell(|n, v, out| figure_cell(n, v, out, figure::push_count)),
];

impl<'a> Node<'a> {
    const fn request(&self) -> &'a Request {
        &self.session.request
    }

    const fn is_head(&self) -> bool {
        self.session.depth == 0
    }

    /// How long a session waits; for a head, how long it has been idle or else in its transaction.
    fn duration_ms(&self) -> Option<i64> {
        let r = self.request();
        if !self.is_head() || r.blocked_by.is_some() {
            return r.wait_ms;
        }
        let idle_ms = r.elapsed_ms.filter(|_| r.status.as_deref() == Some("sleeping"));
        idle_ms.or_else(|| r.transaction_at.map(|at| self.view.now - at)).or(r.elapsed_ms)
    }

    fn is_stale(&self) -> bool {
        self.instance.facts.blocking.is_stale(self.view.now)
    }

    fn base(&self) -> Style {
        let t = self.view.theme;
        if self.is_stale() || !self.matches { t.dim } else { t.base }
    }

    /// The greatest of the whole chain.
    fn most(&self, part: fn(&Request) -> Option<i64>) -> Option<i64> {
        self.chain.nodes.iter().filter_map(|n| part(&n.request)).max()
    }
}

fn instance(n: &Node<'_>, out: &mut CellText) {
    let t = n.view.theme;
    if n.is_head() {
        out.put(if n.is_stale() { t.dim } else { t.strong }, n.instance.id().as_str());
    }
}

fn text(n: &Node<'_>, v: Option<Value<'_>>, out: &mut CellText) {
    match v {
        Some(Value::Text(v)) if !v.is_empty() => out.put(n.base(), v),
        _ => out.put(n.view.theme.dim, "–"),
    }
}

/// A figure; nothing where it is not known.
fn figure_cell(n: &Node<'_>, v: Option<Value<'_>>, out: &mut CellText, draw: fn(&mut String, f64)) {
    if let Some(v) = v.and_then(Value::figure) {
        out.with(n.base(), |s| draw(s, v));
    }
}

/// Long waits stand out, by the limits of the score.
fn wait_time(n: &Node<'_>, v: Option<Value<'_>>, out: &mut CellText) {
    let (t, base) = (n.view.theme, n.base());
    let Some(ms) = v.and_then(Value::figure) else { return out.put(t.dim, "–") };
    let is_wait = !n.is_head() || n.request().blocked_by.is_some();
    let limits = n.view.snapshot.thresholds.limits(Gauge::Blocked).filter(|_| is_wait && base != t.dim);
    let style = match limits {
        Some(limits) if limits.is_critical(ms / 1000.0) => t.critical,
        Some(limits) if limits.is_warning(ms / 1000.0) => t.warning,
        _ => base,
    };
    out.with(style, |s| figure::push_wait(s, ms));
}

fn statement(n: &Node<'_>, out: &mut CellText) {
    let s = n.session;
    request::push_statement(out, s.statement.as_ref(), s.statement_is_last, n.base(), n.view.theme.dim);
}

fn blocks(n: &Node<'_>, out: &mut CellText) {
    if n.session.victims > 0 {
        let style = if n.is_head() { n.view.theme.strong } else { n.base() };
        out.fmt(style, format_args!("{}", n.session.victims));
    }
}

/// `88 sleeping`, `│ ├ 97`.
fn session(node: &Node<'_>, out: &mut CellText) {
    let (t, n, r) = (node.view.theme, node.session, node.request());
    if n.depth > 0 {
        out.with(t.dim, |s| node.push_guides(s));
    }
    let style = if n.depth == 0 { t.strong } else { node.base() };
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

/// The resource that a victim waits for; for a head, the one it holds as its first victim sees it.
fn resource(node: &Node<'_>, out: &mut CellText) {
    let (t, base) = (node.view.theme, node.base());
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

/// The words where nothing is blocked: how many instances are known, and how well.
pub fn empty_lines(view: &View<'_>, filtered: bool) -> Vec<String> {
    if filtered {
        return vec!["No chain matches the filter.".to_owned(), "Esc clears it.".to_owned()];
    }
    reading::absence("Who blocks whom", "Nothing is blocked", view, |f| &f.blocking)
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
