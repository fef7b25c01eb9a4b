//! Activity: requests that run now on the instances in scope, and sessions that sleep with an open transaction. Blockers
//! first, then the longest. `b` adds requests up by what they have in common.

use super::{Pane, Part, reading, request};
use crate::model::{
    base::figure,
    fold::{scope::Scope, snapshot::InstanceSnapshot},
    inventory::instance::InstanceId,
    judge::health::Level,
    poll::activity::{Request, SessionCounts},
};
use crate::tui::{
    action::Action,
    filter::FilterSlot,
    id::{GroupBy, PaneId, RowKey},
    view::View,
    widget::{
        canvas::{Canvas, width},
        column::whole,
        document::Document,
        sort::sort_rows,
        table::{Rows, Table},
    },
    wish::{Look, Wish},
};
use std::sync::Arc;

pub(super) mod columns;
pub(super) mod groups;

use columns::Requests;
pub use columns::filter_slot;
use groups::{Group, GroupRow, GroupRows, Groups};
use request::RequestRow;

/// A row: which request of which instance.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Line {
    instance: u32,
    request: u32,
}

impl Line {
    fn request<'a>(self, view: &View<'a>) -> Option<(&'a InstanceSnapshot, &'a Request)> {
        let i = view.instance(self.instance)?;
        Some((i, i.facts.activity.get()?.requests.get(self.request as usize)?))
    }

    fn get<'a>(self, view: &'a View<'_>) -> Option<RequestRow<'a>> {
        self.request(view).map(|(i, r)| row(i, r, view))
    }
}

const fn row<'a>(instance: &'a InstanceSnapshot, request: &'a Request, view: &'a View<'_>) -> RequestRow<'a> {
    RequestRow { instance, request, statement: request.statement.as_ref(), view }
}

struct Lines<'a> {
    lines: &'a [Line],
    view: &'a View<'a>,
}

impl Rows<Requests> for Lines<'_> {
    fn len(&self) -> usize {
        self.lines.len()
    }

    fn key(&self, i: usize) -> RowKey {
        let nobody = || RowKey::Session(InstanceId::new(""), 0, 0);
        self.get(i).map_or_else(nobody, |r| request::key(r.instance, r.request))
    }

    fn get(&self, i: usize) -> Option<RequestRow<'_>> {
        self.lines.get(i)?.get(self.view)
    }
}

/// State of the pane.
#[derive(Debug)]
pub struct ActivityPane {
    table: Table<Requests>,
    lines: Vec<Line>,
    before: usize,
    filter: FilterSlot,
    group_by: Option<GroupBy>,
    /// the one group whose requests are shown
    inside: Option<(GroupBy, Arc<str>)>,
    group_table: Table<Groups>,
    groups: Vec<Group>,
    totals: Totals,
    /// order and groups came with a link, and go when the pane is left
    is_linked: bool,
}

/// The words of the title.
#[derive(Debug, Default)]
struct Totals {
    sessions: SessionCounts,
    left_out: u64,
    only_own: usize,
    /// instances with an answer
    told: usize,
}

impl Default for ActivityPane {
    fn default() -> Self {
        Self {
            table: Table::new(columns::COLUMNS).with_sets(columns::SETS),
            lines: Vec::new(),
            before: 0,
            filter: filter_slot(),
            group_by: None,
            inside: None,
            group_table: Table::new(groups::COLUMNS),
            groups: Vec::new(),
            totals: Totals::default(),
            is_linked: false,
        }
    }
}

fn sum(a: &mut Option<i64>, b: Option<i64>) {
    if let Some(b) = b {
        *a = Some(a.unwrap_or(0).saturating_add(b));
    }
}

impl ActivityPane {
    /// The query of the row under the cursor, in the plan cache.
    fn to_query(&self, view: &View<'_>) -> Option<Wish> {
        let (hash, of) = if self.grouped() {
            let group = self.groups.get(self.group_table.cursor())?;
            (group.name.starts_with("0x").then(|| group.name.to_string()), None)
        } else {
            let row = self.lines.get(self.table.cursor())?.get(view)?;
            (row.request.query_hash.map(|hash| format!("0x{hash:016X}")), Some(row.instance.id().clone()))
        };
        let Some(hash) = hash else {
            return Some(Wish::Say(Level::Ok, "no query hash: it runs no query that is cached".into()));
        };
        Some(Wish::Go {
            pane: PaneId::Queries,
            scope: of.filter(|_| view.single().is_none()).map(Scope::Instance),
            focus: None,
            look: Some(Look::Filter(format!("hash={hash}"))),
        })
    }

    const fn grouped(&self) -> bool {
        self.group_by.is_some() && self.inside.is_none()
    }

    fn collect(&mut self, view: &View<'_>) {
        self.lines.clear();
        self.before = 0;
        self.totals = Totals::default();
        for (n, i) in view.instances() {
            let Some(a) = i.facts.activity.get() else { continue };
            self.totals.told += 1;
            self.totals.only_own += usize::from(a.only_own);
            self.totals.left_out += u64::from(a.left_out);
            let s = &mut self.totals.sessions;
            sum(&mut s.total, a.sessions.total);
            sum(&mut s.active, a.sessions.active);
            sum(&mut s.sleeping, a.sessions.sleeping);
            sum(&mut s.sleeping_open, a.sessions.sleeping_open);
            for (k, r) in a.requests.iter().enumerate() {
                self.before += 1;
                let inside = self.inside.as_ref().is_none_or(|(by, name)| by.of(i, r) == *name);
                if inside && self.filter.keeps(&row(i, r, view)) {
                    self.lines.push(Line { instance: n, request: k as u32 });
                }
            }
        }
    }

    fn order(&mut self, view: &View<'_>) {
        let mut order: Vec<u32> = (0..self.lines.len() as u32).collect();
        let line = |n: u32| self.lines.get(n as usize);
        if !self.table.order(&mut order, |n| line(n)?.get(view)) {
            // Blockers by the number of their victims, then what works, then what sleeps; the longest first.
            order.sort_by_cached_key(|n| {
                line(*n)?.request(view).map(|(_, r)| {
                    let asleep = r.status.as_deref() == Some("sleeping");
                    (std::cmp::Reverse(r.blocks), asleep, std::cmp::Reverse(r.elapsed_ms.unwrap_or(-1)))
                })
            });
        }
        self.lines = order.iter().filter_map(|n| self.lines.get(*n as usize).copied()).collect();
    }

    fn order_groups(&mut self, view: &View<'_>) {
        let mut order: Vec<u32> = (0..self.groups.len() as u32).collect();
        let at = |n: u32| self.groups.get(n as usize);
        if !self.group_table.order(&mut order, |n| Some(GroupRow { group: at(n)?, view })) {
            sort_rows(&mut order, true, |n, keys| keys.add(whole(at(n).map(Group::requests))));
        }
        let mut old: Vec<Option<Group>> = std::mem::take(&mut self.groups).into_iter().map(Some).collect();
        self.groups = order.iter().filter_map(|n| old.get_mut(*n as usize).and_then(Option::take)).collect();
    }

    /// The text that `y` copies: the marked rows, else the statement under the cursor, or its row if it has none.
    fn copy(&self, view: &View<'_>) -> String {
        if self.grouped() {
            return self.group_table.copy_chosen(&GroupRows { groups: &self.groups, view });
        }
        let here = self.lines.get(self.table.cursor()).filter(|_| self.table.marks.is_empty());
        let statement = here.and_then(|line| line.get(view)?.statement?.to_copy());
        statement.map_or_else(|| self.table.copy_chosen(&Lines { lines: &self.lines, view }), str::to_owned)
    }

    fn enter(&mut self, wishes: &mut Vec<Wish>) {
        if self.grouped() {
            if let (Some(by), Some(RowKey::Group(name))) = (self.group_by, self.group_table.selected()) {
                self.inside = Some((by, Arc::clone(name)));
                self.table.release();
            }
        } else {
            wishes.extend(self.table.selected().cloned().map(Wish::Details));
        }
    }

    fn out(&mut self) -> bool {
        if !self.table.marks.is_empty() {
            self.table.marks.clear();
        } else if self.is_linked && self.inside.is_none() {
            // The groups came with the link, and go with it.
            return false;
        } else if self.inside.take().is_none() && self.group_by.take().is_none() {
            return false;
        }
        true
    }

    fn empty(&self, view: &View<'_>, canvas: &mut Canvas<'_>) {
        let mut lines = if self.before > 0 {
            vec!["No request matches the filter.".to_owned(), "Esc clears it.".to_owned()]
        } else {
            reading::absence("What runs", "Nothing runs", view, |f| &f.activity)
        };
        if self.totals.only_own > 0 {
            lines.push("Without VIEW SERVER STATE only the own session can be seen.".to_owned());
        }
        reading::empty(&lines, view, canvas);
    }
}

impl Pane for ActivityPane {
    fn rebuild(&mut self, view: &View<'_>) {
        self.filter.learn(view);
        // With one instance in scope there is nothing to group by instance.
        if view.single().is_some() && self.group_by == Some(GroupBy::Instance) {
            self.group_by = None;
            self.inside = None;
        }
        self.collect(view);
        self.table.hide(columns::INSTANCE, view.single().is_some());
        // The requests of an instance still stand together, so each name is measured once.
        let of_one = self.lines.chunk_by(|a, b| a.instance == b.instance);
        let names = of_one.filter_map(|lines| view.instance(lines.first()?.instance));
        let longest = names.map(|i| width(i.id().as_str())).max();
        self.table.set_width(columns::INSTANCE, longest.map(|w| w.clamp(8, 24) as u16));
        if let (Some(by), true) = (self.group_by, self.grouped()) {
            self.group_table.set_title(groups::NAME, by.title());
            self.groups = groups::collect(&self.lines, by, view);
            self.order_groups(view);
            let longest = self.groups.iter().map(Group::name_width).max();
            self.group_table.set_width(groups::NAME, longest.map(|w| w.clamp(12, 40) as u16));
            self.group_table.sync(&GroupRows { groups: &self.groups, view });
        } else {
            self.order(view);
            self.table.sync(&Lines { lines: &self.lines, view });
        }
    }

    fn title(&self, view: &View<'_>, out: &mut Vec<(Part, String)>) {
        let shown = if self.grouped() { self.before } else { self.lines.len() };
        let mut text = String::new();
        if self.totals.told == 0 {
            // No instance answered, so the number is unknown, which is not zero.
            text.push_str("not known");
        } else if shown == self.before {
            figure::push_grouped(&mut text, shown as i64);
            text.push_str(if shown == 1 { " request" } else { " requests" });
        } else {
            figure::push_grouped(&mut text, shown as i64);
            text.push_str(" of ");
            figure::push_grouped(&mut text, self.before as i64);
            text.push_str(" requests");
        }
        out.push((Part::Plain, text));
        // On a narrow screen the last parts have no room: first come the rows left out and the order.
        if let Some((by, name)) = &self.inside {
            out.push((Part::Accent, format!("{} = {name}", by.name())));
        } else if let Some(by) = self.group_by {
            out.push((Part::Accent, format!("by {}", by.name())));
        } else {
            let mut order = String::new();
            self.table.order_name("blockers first", &mut order);
            out.push((Part::Plain, order));
            out.extend(self.table.set_name().map(|set| (Part::Accent, format!("columns: {set}"))));
        }
        let s = &self.totals.sessions;
        if let Some(total) = s.total {
            let mut text = String::new();
            figure::push_grouped(&mut text, total);
            text.push_str(" sessions");
            if let Some(open) = s.sleeping_open.filter(|n| *n > 0) {
                text.push_str(", ");
                figure::push_grouped(&mut text, open);
                text.push_str(" asleep in a transaction");
            }
            out.push((Part::Plain, text));
        }
        reading::push_unknown(out, view, |f| &f.activity);
        if let Some(i) = view.single() {
            reading::push_sampled(out, &i.facts.activity, view.now);
        }
        if self.totals.left_out > 0 {
            out.push((Part::Level(Level::Warning), format!("▲ {} left out", self.totals.left_out)));
        }
    }

    fn render(&mut self, view: &View<'_>, canvas: &mut Canvas<'_>) {
        if self.lines.is_empty() {
            return self.empty(view, canvas);
        }
        if self.grouped() {
            let rows = GroupRows { groups: &self.groups, view };
            self.group_table.render(canvas, view.theme, &rows, true);
        } else {
            self.table.render(canvas, view.theme, &Lines { lines: &self.lines, view }, true);
        }
    }

    fn act(&mut self, action: Action, view: &View<'_>, wishes: &mut Vec<Wish>) -> bool {
        match action {
            Action::Enter => self.enter(wishes),
            Action::Details => wishes.extend(self.selected().map(Wish::Details)),
            Action::GroupBy => {
                let from = if self.inside.take().is_some() { None } else { self.group_by };
                self.group_by = GroupBy::after(from, view.single().is_some());
                self.is_linked = false;
                self.group_table.release();
            }
            Action::Plan | Action::SessionWaits | Action::SessionInput => {
                request::demand(action, self.selected().as_ref(), wishes);
            }
            Action::ToQuery => wishes.extend(self.to_query(view)),
            Action::Copy => wishes.push(Wish::Copy(self.copy(view))),
            Action::Narrow if !self.grouped() => {
                wishes.extend(reading::narrow(PaneId::Activity, self.table.selected(), view));
            }
            Action::Out => return self.out(),
            _ if self.grouped() => {
                return self.group_table.act(action, &GroupRows { groups: &self.groups, view });
            }
            _ => return self.table.act(action, &Lines { lines: &self.lines, view }),
        }
        true
    }

    fn next_problem(&mut self, back: bool, round: bool, view: &View<'_>) -> bool {
        if self.grouped() {
            let is_blocked = |i: usize| self.groups.get(i).is_some_and(Group::has_problem);
            let rows = GroupRows { groups: &self.groups, view };
            return self.group_table.move_to_next((back, round), &rows, is_blocked);
        }
        let rows = Lines { lines: &self.lines, view };
        let is_problem =
            |i| rows.get(i).is_some_and(|r| r.request.blocks > 0 || r.request.blocked_by.unwrap_or(0) != 0);
        self.table.move_to_next((back, round), &rows, is_problem)
    }

    fn focus(&mut self, key: RowKey) {
        self.inside = None;
        if matches!(key, RowKey::Group(_)) {
            return self.group_table.select(key);
        }
        self.group_by = None;
        self.table.select(key);
    }

    fn selected(&self) -> Option<RowKey> {
        if self.grouped() { self.group_table.selected().cloned() } else { self.table.selected().cloned() }
    }

    fn details(&self, key: &RowKey, view: &View<'_>) -> Option<Document> {
        if let RowKey::Group(name) = key {
            let group = self.groups.iter().find(|g| g.name == *name).filter(|_| self.grouped())?;
            return Some(group.document(self.group_by?, &self.lines, view));
        }
        let RowKey::Session(id, session, number) = key else { return None };
        let instance = view.snapshot.find(id)?;
        let requests = &instance.facts.activity.get()?.requests;
        let r = requests.iter().find(|r| r.session_id == *session && r.request_id.unwrap_or(0) == *number)?;
        Some(request::document(row(instance, r, view), None))
    }

    fn set_filter(&mut self, text: &str) -> Result<(), String> {
        self.filter.set(text)
    }

    fn filter(&self) -> &str {
        self.filter.text()
    }

    fn reset_columns(&mut self) {
        self.table.reset_columns();
        self.group_table.reset_columns();
    }

    fn position(&self) -> Option<(usize, usize, usize)> {
        if self.grouped() { self.group_table.position() } else { self.table.position() }
    }

    fn sort_by(&mut self, column: &str) -> Result<(), String> {
        if self.grouped() { self.group_table.sort_by(column) } else { self.table.sort_by(column) }
    }

    fn show(&mut self, look: &Look) {
        (self.group_by, self.inside) = (None, None);
        self.is_linked = true;
        match look {
            Look::Filter(_) | Look::Samples(_) | Look::Period(_) | Look::Own => return,
            // The columns of panes are what links are written for.
            Look::Sort(column) => {
                drop(self.table.sort_by(column));
                self.table.show_column(column);
            }
            Look::Groups(by, column) => {
                self.group_by = Some(*by);
                drop(self.group_table.sort_by(column));
            }
        }
        self.table.release();
        self.group_table.release();
    }

    fn left(&mut self) {
        if std::mem::take(&mut self.is_linked) {
            (self.group_by, self.inside) = (None, None);
            (self.table.sort, self.group_table.sort) = (None, None);
            self.table.reset_columns();
        }
        self.table.scroll_back();
        self.group_table.scroll_back();
    }

    fn counts(&self) -> (usize, usize) {
        (self.lines.len(), self.before)
    }

    fn click(&mut self, x: u16, y: u16, view: &View<'_>, wishes: &mut Vec<Wish>) {
        let is_head =
            if self.grouped() { self.group_table.click_head(x, y) } else { self.table.click_head(x, y) };
        if is_head {
            return;
        }
        if self.grouped() {
            let rows = GroupRows { groups: &self.groups, view };
            match self.group_table.row_at(y, &rows) {
                Some(i) if i == self.group_table.cursor() => self.enter(wishes),
                Some(i) => self.group_table.move_to(i, &rows),
                None => {}
            }
            return;
        }
        let rows = Lines { lines: &self.lines, view };
        match self.table.row_at(y, &rows) {
            Some(i) if i == self.table.cursor() => self.enter(wishes),
            Some(i) => self.table.move_to(i, &rows),
            None => {}
        }
    }
}
