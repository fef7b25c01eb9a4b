//! Waits: the waiting time in this scope, by category and by type, now and over the last minutes.
//!
//! With several instances in scope each row names its instance; `m` adds them up. Categories, chart and title always add
//! up. Enter on a type shows the requests that wait for it.

use super::{
    Pane, Part,
    range::{TimeLine, render_events},
};
use crate::{
    model::{
        fold::scope::Scope,
        judge::health::Level,
        timeline::{chart::Earlier, samples::Who},
    },
    protocol::Query,
    tui::{
        action::Action,
        filter::FilterSlot,
        id::{GroupBy, PaneId, RowKey},
        view::View,
        widget::{
            canvas::{self, Canvas},
            column::Kind,
            document::Document,
            table::Table,
        },
        wish::{Look, Wish},
    },
};

mod about;
mod categories;
mod meaning;
mod rows;
mod top;
mod types;

#[cfg(test)]
mod tests;

pub use top::{LOOK, Picture, series, total};

use categories::{Categories, CategoryRow, CategoryRows};
use rows::{Harvest, Row, Wanted};
use types::{TypeRow, TypeRows, Types};

/// The part that has the cursor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Section {
    Types,
    Categories,
}

/// State of the pane.
#[derive(Debug)]
pub struct WaitsPane {
    types: Table<Types>,
    categories: Table<Categories>,
    section: Section,
    filter: FilterSlot,
    harvest: Harvest,
    picture: Picture,
    line: TimeLine,
    benign: bool,
    merged: bool,
    /// first screen column of the categories and screen row below them, for clicks
    categories_at: (u16, u16),
}

impl Default for WaitsPane {
    fn default() -> Self {
        Self {
            types: Table::new(types::COLUMNS),
            categories: Table::new(categories::COLUMNS),
            section: Section::Types,
            filter: FilterSlot::new(types::COLUMNS, &types::MORE),
            harvest: Harvest::default(),
            picture: Picture::default(),
            line: TimeLine::default(),
            benign: false,
            merged: false,
            categories_at: (0, 0),
        }
    }
}

/// How the requests are shown that explain waits of a type: those that wait for it, except where the cause are others.
pub fn evidence_of(wait: &str) -> Look {
    match wait {
        // What waits for a worker has no session yet: who holds the workers is the answer.
        "THREADPOOL" => Look::Sort("tasks"),
        // Those that wait have no grant; those that have one are the cause.
        "RESOURCE_SEMAPHORE" => Look::Sort("grant"),
        // Compilations that wait are short and many: what is compiled over and over shows when equal statements are added up.
        "RESOURCE_SEMAPHORE_QUERY_COMPILE" => Look::Groups(GroupBy::Hash, "requests"),
        // Who yields, or is held back, is whoever happened to run; who burns the CPU shows in the same way.
        "SOS_SCHEDULER_YIELD" | "RESMGR_THROTTLED" | "CMEMTHREAD" => Look::Groups(GroupBy::Hash, "cpu_delta"),
        // A limit on I/O holds each for milliseconds: who takes most of it is the answer.
        "IO_QUEUE_LIMIT" | "IO_RETRY" => Look::Sort("phys"),
        // So does a limit on the log.
        log if log.contains("LOG_RATE_GOVERNOR") || log.starts_with("SE_REPL_") => Look::Sort("log"),
        // Of range locks many wait, and few hold them.
        range if range.starts_with("LCK_M_R") => Look::Sort("blocks"),
        other => Look::Filter(format!("wait={other}")),
    }
}

/// Puts `items` into the order that was chosen in their table, if one was.
fn reorder<T: Clone, K: Kind>(
    items: &mut Vec<T>,
    table: &Table<K>,
    view: &View<'_>,
    row: impl for<'r> Fn(&'r T, &'r View<'_>) -> K::Row<'r>,
) {
    let mut order: Vec<u32> = (0..items.len() as u32).collect();
    if table.order(&mut order, |i| Some(row(items.get(i as usize)?, view))) {
        *items = order.into_iter().filter_map(|i| items.get(i as usize).cloned()).collect();
    }
}

impl WaitsPane {
    /// Opens the requests that wait for the type under the cursor, or the types of its category.
    fn enter(&mut self, view: &View<'_>, wishes: &mut Vec<Wish>) {
        if self.section == Section::Categories {
            if let Some(c) = self.harvest.categories.get(self.categories.cursor()) {
                // The name of a category in quotes is a good filter.
                let _ = self.filter.set(&format!("category=\"{}\"", c.category.name()));
                self.section = Section::Types;
            }
            return;
        }
        let Some(row) = self.harvest.rows.get(self.types.cursor()) else { return };
        wishes.push(Wish::Go {
            pane: PaneId::Activity,
            scope: Self::scope_of(row, view),
            focus: None,
            look: Some(evidence_of(&row.rate.name)),
        });
    }

    /// The queries that were seen waiting for the type or category under the cursor, or that none was.
    fn to_queries(&self, view: &View<'_>) -> Option<Wish> {
        let (name, scope, of) = match self.section {
            Section::Types => {
                let row = self.harvest.rows.get(self.types.cursor())?;
                (&*row.rate.name, Self::scope_of(row, view), row.instance)
            }
            Section::Categories => {
                let category = self.harvest.categories.get(self.categories.cursor())?.category;
                (category.name(), None, None)
            }
        };
        let is_it = |who: &Who| who.wait.as_deref() == Some(name) || who.category().name() == name;
        let mut samples = view
            .instances()
            .filter(|(n, _)| of.is_none_or(|of| of == *n))
            .filter_map(|(_, i)| i.history.samples());
        let is_seen =
            samples.any(|samples| samples.slots().any(|slot| slot.seen.iter().any(|s| is_it(&s.who))));
        if !is_seen {
            let words = format!(
                "no request was seen waiting for {name} in the last 15 min: it is waited for briefly, or by tasks of the server"
            );
            return Some(Wish::Say(Level::Ok, words));
        }
        let look = Some(Look::Samples(format!("wait=\"{name}\"")));
        Some(Wish::Go { pane: PaneId::Queries, scope, focus: None, look })
    }

    /// The instance of a row, unless it is the only one in scope anyway.
    fn scope_of(row: &Row, view: &View<'_>) -> Option<Scope> {
        if view.single().is_some() {
            return None;
        }
        Some(Scope::Instance(view.instance(row.instance?)?.id().clone()))
    }

    fn render_top(&mut self, view: &View<'_>, canvas: &mut Canvas<'_>, split: top::Split) {
        let height = split.height.saturating_sub(1);
        let x = if split.chart > 0 { split.chart + 2 } else { 0 };
        if split.chart > 0 {
            let marks = view.single().map_or(&[][..], |i| self.line.marks(view, i.id()));
            let words = u16::from((!marks.is_empty() || self.line.cursor().is_some()) && height > 4);
            let before = view.single().and_then(|i| self.line.found_earlier(view, i.id(), &[total()]));
            let before = before.as_ref().and_then(|b| b.line(0));
            let mut part = canvas.part(1, 0, split.chart - 1, height - words);
            self.picture.render(view, &mut part, self.line, &LOOK, before);
            if self.line.cursor().is_some() || self.line.earlier() != Earlier::None {
                let x = LOOK.title.len() as u16 + 2;
                let mut part = part.part(x, 0, (split.chart - 1).saturating_sub(x), 1);
                self.picture.render_legend(view, &mut part, self.line, &LOOK);
            }
            if words > 0 {
                render_events(self.line, marks, view, &mut canvas.part(0, height - 1, split.chart, 1));
            }
        }
        let rows = CategoryRows { categories: &self.harvest.categories, view };
        let width = canvas.width().saturating_sub(x);
        // Columns that would have to be scrolled to are left out: the same figures stand with the types.
        for column in categories::WIDE {
            self.categories.hide(column, width < categories::LEAST_FOR_ALL);
        }
        let mut part = canvas.part(x, 0, width, height);
        self.categories_at = (part.area().x, part.area().bottom());
        self.categories.render(&mut part, view.theme, &rows, self.section == Section::Categories);
    }
}

impl Pane for WaitsPane {
    fn rebuild(&mut self, view: &View<'_>) {
        let single = view.single().is_some();
        let wanted = Wanted { benign: self.benign, merged: self.merged && !single };
        self.filter.learn(view);
        self.line.see(view);
        self.harvest = Harvest::gather(view, wanted, |row| self.filter.keeps(&TypeRow { row, view }));
        reorder(&mut self.harvest.rows, &self.types, view, |row, view| TypeRow { row, view });
        reorder(&mut self.harvest.categories, &self.categories, view, |rate, view| CategoryRow {
            rate,
            view,
        });
        self.types.hide(types::INSTANCE, single || wanted.merged);
        self.types.hide(types::ON, !wanted.merged);
        let names = self.harvest.rows.iter().filter_map(|r| view.instance(r.instance?));
        let longest = names.map(|i| canvas::width(i.id().as_str())).max();
        self.types.set_width(types::INSTANCE, longest.map(|w| w.clamp(10, 28) as u16));
        // The first rows decide; room for the mark of a poison type comes on top.
        let longest = self.harvest.rows.iter().take(40).map(|r| r.rate.name.len() + 2).max();
        self.types.set_width(types::TYPE, longest.map(|w| w.clamp(16, 40) as u16));
        self.types.sync(&TypeRows { rows: &self.harvest.rows, view });
        self.categories.sync(&CategoryRows { categories: &self.harvest.categories, view });
    }

    fn title(&self, view: &View<'_>, out: &mut Vec<(Part, String)>) {
        let mut range = String::new();
        self.line.push_name(&mut range, view.now, view.zone);
        out.push((self.line.part(), range));
        let (total, signal) = self.harvest.total();
        if total > 0.0 {
            let mut text = String::new();
            rows::push_rate(&mut text, total);
            text.push_str(" s/s, signal ");
            rows::push_share(&mut text, signal, total);
            out.push((Part::Plain, text));
        }
        if self.merged {
            out.push((Part::Accent, "added up".to_owned()));
        }
        if self.benign {
            out.push((Part::Accent, "benign too".to_owned()));
        }
        if self.types.sort.is_some() {
            let mut order = String::new();
            self.types.order_name("", &mut order);
            out.push((Part::Plain, order));
        }
    }

    fn render(&mut self, view: &View<'_>, canvas: &mut Canvas<'_>) {
        let (w, h) = (canvas.width(), canvas.height());
        let mut y = 0;
        if !self.harvest.poison.is_empty() && h >= 4 {
            top::render_banner(&self.harvest.poison, view, &mut canvas.part(0, 0, w, 1));
            y = 1;
        }
        let known = !self.harvest.categories.is_empty() || self.harvest.before > 0;
        let split = top::Split::fit(w, h - y);
        if known && split.height > 0 {
            self.render_top(view, &mut canvas.part(0, y, w, split.height), split);
            y += split.height;
        } else {
            self.categories_at = (0, 0);
        }
        let mut foot = String::new();
        if h - y >= 4 && !self.harvest.rows.is_empty() {
            about::push_foot(&mut foot, &self.harvest, view);
        }
        let below = u16::from(!foot.is_empty());
        let mut body = canvas.part(0, y, w, h - y - below);
        if self.harvest.rows.is_empty() {
            about::empty(&self.harvest, self.filter.text(), view, &mut body);
        } else {
            let rows = TypeRows { rows: &self.harvest.rows, view };
            self.types.render(&mut body, view.theme, &rows, self.section == Section::Types);
        }
        canvas.put(1, h.saturating_sub(1), w.saturating_sub(2), &foot, view.theme.dim);
    }

    fn wanted(&self, view: &View<'_>) -> Vec<Query> {
        view.single().map_or_else(Vec::new, |i| self.line.wanted(view, i.id(), &[series()], &[total()]))
    }

    fn refuses(&self, action: Action, view: &View<'_>) -> Option<String> {
        match action {
            Action::Merge if view.single().is_some() => {
                Some("one instance in scope: nothing to add up".to_owned())
            }
            _ => self.line.refuses(action, view),
        }
    }

    fn act(&mut self, action: Action, view: &View<'_>, wishes: &mut Vec<Wish>) -> bool {
        if self.line.act(action, view, wishes) {
            return true;
        }
        match action {
            Action::Enter => self.enter(view, wishes),
            Action::Details => wishes.extend(self.selected().map(Wish::Details)),
            Action::ToQuery => wishes.extend(self.to_queries(view)),
            Action::Benign => self.benign = !self.benign,
            Action::Merge => match self.refuses(action, view) {
                Some(why) => wishes.push(Wish::Say(Level::Ok, why)),
                None => self.merged = !self.merged,
            },
            Action::NextSection | Action::PrevSection => {
                self.section =
                    if self.section == Section::Types { Section::Categories } else { Section::Types };
            }
            Action::Narrow => {
                let row = self.harvest.rows.get(self.types.cursor());
                let scope = row.and_then(|row| Self::scope_of(row, view));
                wishes.extend(scope.map(|scope| Wish::Go {
                    pane: PaneId::Waits,
                    scope: Some(scope),
                    focus: None,
                    look: None,
                }));
            }
            Action::Copy if self.section == Section::Categories => {
                let rows = CategoryRows { categories: &self.harvest.categories, view };
                wishes.push(Wish::Copy(self.categories.copy_chosen(&rows)));
            }
            Action::Copy => {
                let rows = TypeRows { rows: &self.harvest.rows, view };
                wishes.push(Wish::Copy(self.types.copy_chosen(&rows)));
            }
            Action::Out if self.line.leave() => {}
            Action::Out if !self.types.marks.is_empty() => self.types.marks.clear(),
            Action::Out if self.section == Section::Categories => self.section = Section::Types,
            _ if self.section == Section::Categories => {
                return self
                    .categories
                    .act(action, &CategoryRows { categories: &self.harvest.categories, view });
            }
            _ => return self.types.act(action, &TypeRows { rows: &self.harvest.rows, view }),
        }
        true
    }

    fn next_problem(&mut self, back: bool, round: bool, view: &View<'_>) -> bool {
        self.section = Section::Types;
        let rows = &self.harvest.rows;
        // A poison type, or the longest wait of an instance that is not ok.
        let is_problem = |i: usize| {
            rows.get(i).is_some_and(|row| {
                let is_first = || rows.iter().position(|other| other.instance == row.instance) == Some(i);
                !row.stale && rows::poison_level(&row.rate, &view.snapshot.thresholds).is_some()
                    || row.instance.and_then(|n| view.instance(n)).is_some_and(|instance| {
                        view.single().is_none() && instance.health.level >= Level::Warning && is_first()
                    })
            })
        };
        self.types.move_to_next((back, round), &TypeRows { rows, view }, is_problem)
    }

    fn focus(&mut self, key: RowKey) {
        match key {
            RowKey::Category(_) => {
                self.section = Section::Categories;
                self.categories.select(key);
            }
            RowKey::Wait(..) => {
                self.section = Section::Types;
                self.types.select(key);
            }
            _ => {}
        }
    }

    fn selected(&self) -> Option<RowKey> {
        match self.section {
            Section::Types => self.types.selected().cloned(),
            Section::Categories => self.categories.selected().cloned(),
        }
    }

    fn details(&self, key: &RowKey, view: &View<'_>) -> Option<Document> {
        match key {
            RowKey::Wait(id, name) => about::type_document(id.as_ref(), name, view),
            RowKey::Category(category) => Some(about::category_document(*category, &self.harvest, view)),
            _ => None,
        }
    }

    fn set_filter(&mut self, text: &str) -> Result<(), String> {
        self.filter.set(text)
    }

    fn filter(&self) -> &str {
        self.filter.text()
    }

    fn reset_columns(&mut self) {
        self.types.reset_columns();
    }

    fn position(&self) -> Option<(usize, usize, usize)> {
        self.types.position()
    }

    fn sort_by(&mut self, column: &str) -> Result<(), String> {
        match self.section {
            Section::Types => self.types.sort_by(column),
            Section::Categories => self.categories.sort_by(column),
        }
    }

    fn left(&mut self) {
        self.line.leave();
        self.types.scroll_back();
        self.categories.scroll_back();
    }

    fn follow_now(&mut self) -> bool {
        self.line.leave()
    }

    fn counts(&self) -> (usize, usize) {
        (self.harvest.rows.len(), self.harvest.before)
    }

    fn click(&mut self, x: u16, y: u16, view: &View<'_>, wishes: &mut Vec<Wish>) {
        let categories = CategoryRows { categories: &self.harvest.categories, view };
        let types = TypeRows { rows: &self.harvest.rows, view };
        let (left, bottom) = self.categories_at;
        if x >= left && y < bottom {
            if let Some(i) = self.categories.row_at(y, &categories) {
                self.section = Section::Categories;
                self.categories.move_to(i, &categories);
            }
        } else if self.types.click_head(x, y) {
            self.section = Section::Types;
        } else if let Some(i) = self.types.row_at(y, &types) {
            let again = self.section == Section::Types && i == self.types.cursor();
            self.section = Section::Types;
            self.types.move_to(i, &types);
            if again {
                self.enter(view, wishes);
            }
        }
    }
}
