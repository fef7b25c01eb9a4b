//! Blocking: the chains of all instances in scope as trees, worst first. A chain stays whole under sort and filter. Below
//! the tree stand the facts and the statement of the session that the cursor is on.

use super::{Pane, Part, objects, request};
use crate::model::{
    base::figure,
    fold::snapshot::InstanceSnapshot,
    inventory::instance::InstanceId,
    judge::health::Level,
    poll::{
        blocking::{BlockNode, Chain},
        statement::Statement,
    },
};
use crate::tui::{
    action::Action,
    filter::FilterSlot,
    id::{PaneId, RowKey},
    view::View,
    widget::{
        canvas::{Canvas, width},
        column::number,
        document::Document,
        sort::sort_rows,
        sqlview::SqlView,
        table::{Rows, Table},
    },
    wish::Wish,
};
use std::{fmt::Write as _, sync::Arc};

mod columns;

/// The key of all that is waited for, added up by object.
const OBJECTS: &str = "objects";

use super::activity::filter_slot;
use columns::Sessions;

/// A row: which node of which chain of which instance, and whether the filter found it.
#[derive(Debug, Clone, Copy)]
struct Line {
    instance: u32,
    chain: u32,
    node: u32,
    matches: bool,
}

/// A row with everything that it refers to.
#[derive(Clone, Copy)]
pub struct Node<'a> {
    /// for styles and ages
    view: &'a View<'a>,
    instance: &'a InstanceSnapshot,
    chain: &'a Chain,
    session: &'a BlockNode,
    matches: bool,
}

impl Node<'_> {
    /// Appends the tree guides before the session id: `│ ├ `.
    fn push_guides(&self, out: &mut String) {
        let mut up = Vec::new();
        let mut at = self.session.parent;
        // A parent always stands before its children; a broken link ends the walk.
        while let Some(n) = at.and_then(|p| self.chain.nodes.get(p)) {
            if n.depth == 0 || up.len() > 64 {
                break;
            }
            up.push(n.last_child);
            at = n.parent;
        }
        for last in up.iter().rev() {
            out.push_str(if *last { "  " } else { "│ " });
        }
        out.push_str(if self.session.last_child { "└ " } else { "├ " });
    }
}

struct Lines<'a> {
    lines: &'a [Line],
    view: &'a View<'a>,
}

fn node<'a>(view: &'a View<'_>, l: &Line) -> Option<Node<'a>> {
    let instance = view.instance(l.instance)?;
    let chain = instance.facts.blocking.get()?.chains.get(l.chain as usize)?;
    Some(Node { view, instance, chain, session: chain.nodes.get(l.node as usize)?, matches: l.matches })
}

impl Rows<Sessions> for Lines<'_> {
    fn len(&self) -> usize {
        self.lines.len()
    }

    fn key(&self, i: usize) -> RowKey {
        self.get(i).map_or_else(
            || RowKey::Session(InstanceId::new(""), 0, 0),
            |n| RowKey::Session(n.instance.id().clone(), n.session.request.session_id, 0),
        )
    }

    fn get(&self, i: usize) -> Option<Node<'_>> {
        node(self.view, self.lines.get(i)?)
    }
}

/// State of the pane.
#[derive(Debug)]
pub struct BlockingPane {
    table: Table<Sessions>,
    lines: Vec<Line>,
    filter: FilterSlot,
    chains: usize,
    chains_before: usize,
    victims: u64,
    lost_ms: i64,
    cycles: u64,
    /// the statement below the tree, kept while the cursor stays on it
    text: Option<(Statement, SqlView)>,
    /// keys scroll the statement
    reading: bool,
}

impl Default for BlockingPane {
    fn default() -> Self {
        Self {
            table: Table::new(columns::COLUMNS),
            lines: Vec::new(),
            filter: filter_slot(),
            chains: 0,
            chains_before: 0,
            victims: 0,
            lost_ms: 0,
            cycles: 0,
            text: None,
            reading: false,
        }
    }
}

impl BlockingPane {
    /// Collects the chains that have at least one session that the filter keeps.
    fn collect(&mut self, view: &View<'_>) -> Vec<Vec<Line>> {
        let mut chains = Vec::new();
        (self.chains, self.chains_before, self.victims, self.lost_ms, self.cycles) = (0, 0, 0, 0, 0);
        for (i, instance) in view.instances() {
            let Some(blocking) = instance.facts.blocking.get() else { continue };
            self.cycles += u64::from(blocking.cycles_cut);
            for (c, chain) in blocking.chains.iter().enumerate() {
                self.chains_before += 1;
                let mut lines = Vec::with_capacity(chain.nodes.len());
                for (n, node) in chain.nodes.iter().enumerate() {
                    let row = request::RequestRow {
                        instance,
                        request: &node.request,
                        statement: node.statement.as_ref(),
                        view,
                    };
                    let matches = self.filter.keeps(&row);
                    lines.push(Line { instance: i, chain: c as u32, node: n as u32, matches });
                }
                if lines.iter().any(|l| l.matches) {
                    self.chains += 1;
                    self.victims += u64::from(chain.victims);
                    self.lost_ms = self.lost_ms.saturating_add(chain.lost_ms.max(0));
                    chains.push(lines);
                }
            }
        }
        chains
    }

    fn selected_node<'a>(&self, view: &'a View<'_>) -> Option<Node<'a>> {
        self.lines.get(self.table.cursor()).and_then(|l| node(view, l))
    }

    /// The text that `y` copies: the marked rows, else the statement under the cursor, or its row if it has none.
    fn copy(&self, view: &View<'_>) -> String {
        let here = self.selected_node(view).filter(|_| self.table.marks.is_empty());
        let statement = here.and_then(|n| n.session.statement.as_ref()?.to_copy());
        statement.map_or_else(|| self.table.copy_chosen(&Lines { lines: &self.lines, view }), str::to_owned)
    }

    /// The facts of the selected session in one line.
    fn facts(&self, view: &View<'_>) -> Option<(String, String)> {
        let n = self.selected_node(view)?;
        let r = &n.session.request;
        let mut name = String::new();
        request::push_blocker(&mut name, r.session_id);
        let mut facts: Vec<String> = Vec::new();
        let mut add = |write: &dyn Fn(&mut String)| {
            let mut s = String::new();
            write(&mut s);
            if !s.is_empty() {
                facts.push(s);
            }
        };
        add(&|s| n.session.statement.iter().for_each(|statement| request::push_module(s, statement)));
        add(&|s| {
            if let (Some("sleeping"), Some(at)) = (r.status.as_deref(), r.started_at) {
                s.push_str("idle since ");
                view.zone.push_since(s, at, view.now);
            }
        });
        add(&|s| {
            if let Some(at) = r.transaction_at {
                s.push_str("open transaction ");
                figure::push_wait(s, (view.now - at) as f64);
                if let Some(b) = r.log_bytes {
                    s.push_str(", ");
                    figure::push_size(s, b as f64);
                    s.push_str(" of log");
                }
            }
        });
        add(&|s| s.push_str(r.isolation.as_deref().unwrap_or("")));
        add(&|s| {
            if let Some(h) = &r.host {
                let _ = write!(s, "host {h}");
            }
        });
        add(&|s| {
            if let Some(b) = r.blocked_by.filter(|b| *b != 0) {
                s.push_str("waits for ");
                request::push_blocker(s, b);
            }
        });
        add(&|s| {
            if n.session.cycle_cut {
                s.push_str("a cycle was cut here: a deadlock in the making, or two polls mixed");
            }
        });
        Some((name, facts.join(", ")))
    }

    fn render_text(&mut self, view: &View<'_>, canvas: &mut Canvas<'_>) {
        let (theme, w) = (view.theme, canvas.width());
        canvas.repeat(0, 0, w, "─", theme.rule);
        let Some((name, facts)) = self.facts(view) else { return };
        let mut x = 1 + canvas.put(
            1,
            0,
            w,
            &format!(" {name} "),
            if self.reading { theme.accent } else { theme.strong },
        );
        x += 1;
        x += canvas.put(x, 0, w.saturating_sub(x + 2), &format!(" {facts}"), theme.dim);
        canvas.put(x, 0, 1, " ", theme.dim);
        let statement = self.selected_node(view).and_then(|n| n.session.statement.clone());
        let Some(s) = statement else {
            self.text = None;
            canvas.put(2, 1, w, "no text: not fetched yet, or the server has none", theme.dim);
            return;
        };
        let same = self.text.as_ref().is_some_and(|(old, _)| {
            Arc::ptr_eq(&old.text, &s.text) && (old.start, old.end) == (s.start, s.end)
        });
        if !same {
            let sql = SqlView::new(Arc::clone(&s.text.batch), Some(s.start..s.end), false);
            self.text = Some((s, sql));
        }
        if let Some((_, sql)) = &mut self.text {
            let h = canvas.height().saturating_sub(1);
            sql.draw(&mut canvas.part(2, 1, w.saturating_sub(3), h), theme);
        }
    }

    fn scroll_text(&mut self, action: Action) -> bool {
        let Some((_, sql)) = &mut self.text else { return false };
        match action {
            Action::Up => sql.scroll(-1),
            Action::Down => sql.scroll(1),
            Action::HalfUp => sql.half_page(-1),
            Action::HalfDown => sql.half_page(1),
            Action::PageUp => sql.page(-1),
            Action::PageDown => sql.page(1),
            Action::Home => sql.home(),
            Action::End => sql.end(),
            _ => return false,
        }
        true
    }
}

impl Pane for BlockingPane {
    fn rebuild(&mut self, view: &View<'_>) {
        self.filter.learn(view);
        let chains = self.collect(view);
        let mut order: Vec<u32> = (0..chains.len() as u32).collect();
        let head = |c: u32| node(view, chains.get(c as usize)?.first()?);
        if !self.table.order(&mut order, head) {
            let weight = |n: Node<'_>| f64::from(n.chain.victims) * n.chain.lost_ms as f64;
            sort_rows(&mut order, true, |c, keys| keys.add(number(head(c).map(weight))));
        }
        self.lines.clear();
        for c in order {
            self.lines.extend_from_slice(chains.get(c as usize).map_or(&[], Vec::as_slice));
        }
        self.table.hide(columns::INSTANCE, view.single().is_some());
        let longest = self.lines.iter().filter(|l| l.node == 0).filter_map(|l| view.instance(l.instance));
        let longest = longest.map(|i| width(i.id().as_str())).max();
        self.table.set_width(columns::INSTANCE, longest.map(|w| w.clamp(8, 24) as u16));
        let deepest =
            self.lines.iter().filter_map(|l| node(view, l)).map(|n| n.session.depth).max().unwrap_or(0);
        self.table.set_width(columns::SESSION, Some((deepest * 2 + 8).clamp(20, 36)));
        self.table.sync(&Lines { lines: &self.lines, view });
    }

    fn title(&self, view: &View<'_>, out: &mut Vec<(Part, String)>) {
        let plural = |n: u64, one: &str, many: &str| format!("{n} {}", if n == 1 { one } else { many });
        if self.chains > 0 {
            let mut text = if self.chains == self.chains_before {
                plural(self.chains as u64, "chain", "chains")
            } else {
                format!("{} of {} chains", self.chains, self.chains_before)
            };
            let _ = write!(text, ", {} blocked, ", plural(self.victims, "session", "sessions"));
            figure::push_wait(&mut text, self.lost_ms as f64);
            text.push_str(" total wait");
            out.push((Part::Plain, text));
        }
        if let Some(i) = view.single() {
            super::reading::push_sampled(out, &i.facts.blocking, view.now);
        }
        if self.table.sort.is_some() {
            let mut order = String::new();
            self.table.order_name("", &mut order);
            out.push((Part::Plain, order));
        }
        if self.cycles > 0 {
            out.push((
                Part::Level(Level::Warning),
                format!("▲ {} cut", plural(self.cycles, "cycle", "cycles")),
            ));
        }
        super::reading::push_unknown(out, view, |f| &f.blocking);
    }

    fn render(&mut self, view: &View<'_>, canvas: &mut Canvas<'_>) {
        if self.lines.is_empty() {
            let lines = columns::empty_lines(view, self.chains_before > 0);
            return super::reading::empty(&lines, view, canvas);
        }
        let (w, h) = (canvas.width(), canvas.height());
        let below = if h >= 12 { (h / 4).clamp(4, 12) } else { 0 };
        let rows = Lines { lines: &self.lines, view };
        self.table.render(&mut canvas.part(0, 0, w, h - below), view.theme, &rows, !self.reading);
        if below > 0 {
            self.render_text(view, &mut canvas.part(0, h - below, w, below));
        }
    }

    fn act(&mut self, action: Action, view: &View<'_>, wishes: &mut Vec<Wish>) -> bool {
        if self.reading && self.scroll_text(action) {
            return true;
        }
        match action {
            Action::NextSection | Action::PrevSection => self.reading = !self.reading && self.text.is_some(),
            Action::Out if self.reading => self.reading = false,
            Action::Enter | Action::Details => {
                wishes.extend(self.table.selected().cloned().map(Wish::Details));
            }
            Action::Plan | Action::SessionWaits | Action::SessionInput => {
                request::demand(action, self.table.selected(), wishes);
            }
            Action::ByObject => wishes.push(Wish::Details(RowKey::Group(OBJECTS.into()))),
            Action::Copy => wishes.push(Wish::Copy(self.copy(view))),
            Action::Narrow => {
                wishes.extend(super::reading::narrow(PaneId::Blocking, self.table.selected(), view));
            }
            Action::Out if !self.table.marks.is_empty() => self.table.marks.clear(),
            _ => return self.table.act(action, &Lines { lines: &self.lines, view }),
        }
        true
    }

    fn next_problem(&mut self, back: bool, round: bool, view: &View<'_>) -> bool {
        let rows = Lines { lines: &self.lines, view };
        self.reading = false;
        self.table.move_to_next((back, round), &rows, |i| self.lines.get(i).is_some_and(|l| l.node == 0))
    }

    fn focus(&mut self, key: RowKey) {
        self.reading = false;
        self.table.select(key);
    }

    fn selected(&self) -> Option<RowKey> {
        self.table.selected().cloned()
    }

    fn details(&self, key: &RowKey, view: &View<'_>) -> Option<Document> {
        if matches!(key, RowKey::Group(name) if &**name == OBJECTS) {
            return Some(objects::document(view));
        }
        let RowKey::Session(id, session, _) = key else { return None };
        let instance = view.snapshot.find(id)?;
        let chains = &instance.facts.blocking.get()?.chains;
        let n = chains.iter().flat_map(|c| &c.nodes).find(|n| n.request.session_id == *session)?;
        let statement = n.statement.as_ref();
        let row = request::RequestRow { instance, request: &n.request, statement, view };
        Some(request::document(row, n.resource.as_ref()))
    }

    fn set_filter(&mut self, text: &str) -> Result<(), String> {
        self.filter.set(text)
    }

    fn filter(&self) -> &str {
        self.filter.text()
    }

    fn reset_columns(&mut self) {
        self.table.reset_columns();
    }

    fn position(&self) -> Option<(usize, usize, usize)> {
        self.table.position()
    }

    fn sort_by(&mut self, column: &str) -> Result<(), String> {
        self.table.sort_by(column)
    }

    fn left(&mut self) {
        self.table.scroll_back();
    }

    fn counts(&self) -> (usize, usize) {
        (self.chains, self.chains_before)
    }

    fn click(&mut self, x: u16, y: u16, view: &View<'_>, wishes: &mut Vec<Wish>) {
        if self.table.click_head(x, y) {
            return;
        }
        let rows = Lines { lines: &self.lines, view };
        let Some(i) = self.table.row_at(y, &rows) else { return };
        self.reading = false;
        if i == self.table.cursor() {
            wishes.extend(self.table.selected().cloned().map(Wish::Details));
        } else {
            self.table.move_to(i, &rows);
        }
    }
}
