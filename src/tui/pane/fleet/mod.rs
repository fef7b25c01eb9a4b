//! The fleet: a row an instance, worst first, with the reason in words. `v` shows a cell an instance instead.

use super::{Pane, Part};
use crate::model::{
    base::figure,
    fold::{scope::Scope, snapshot::InstanceSnapshot},
    inventory::instance::InstanceId,
    judge::health::Level,
};
use crate::tui::{
    action::Action,
    filter::FilterSlot,
    id::{PaneId, RowKey},
    view::View,
    widget::{
        canvas::{Canvas, width},
        document::Document,
        table::{Rows, Table},
    },
    wish::{Look, Wish},
};
use std::sync::Arc;

mod about;
pub mod columns;
mod groups;
mod heat;

use columns::{InstanceRow, Instances};

/// The part that has the cursor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Section {
    Rows,
    Groups,
}

/// State of the pane.
#[derive(Debug)]
pub struct FleetPane {
    table: Table<Instances>,
    rows: Vec<u32>,
    before: usize,
    filter: FilterSlot,
    heat: bool,
    heat_map: heat::Heat,
    section: Section,
    groups: groups::Groups,
}

impl Default for FleetPane {
    fn default() -> Self {
        Self {
            table: Table::new(columns::COLUMNS).with_sets(columns::SETS),
            rows: Vec::new(),
            before: 0,
            filter: FilterSlot::new(columns::COLUMNS, &[]),
            heat: false,
            heat_map: heat::Heat::default(),
            section: Section::Rows,
            groups: groups::Groups::default(),
        }
    }
}

struct FleetRows<'a> {
    rows: &'a [u32],
    view: &'a View<'a>,
}

impl FleetRows<'_> {
    fn at(&self, i: usize) -> Option<&Arc<InstanceSnapshot>> {
        self.rows.get(i).and_then(|r| self.view.instance(*r))
    }
}

impl Rows<Instances> for FleetRows<'_> {
    fn len(&self) -> usize {
        self.rows.len()
    }

    fn key(&self, i: usize) -> RowKey {
        RowKey::Instance(self.at(i).map_or_else(|| InstanceId::new(""), |s| s.id().clone()))
    }

    fn get(&self, i: usize) -> Option<InstanceRow<'_>> {
        Some(InstanceRow { instance: self.at(i)?, view: self.view })
    }
}

impl FleetPane {
    fn order(&mut self, view: &View<'_>) {
        if self.heat {
            heat::order(&mut self.rows, view);
            return;
        }
        let row = |n| Some(InstanceRow { instance: view.instance(n)?, view });
        if !self.table.order(&mut self.rows, row) {
            view.snapshot.sort_worst_first(&mut self.rows);
        }
    }

    fn open(&mut self, view: &View<'_>, wishes: &mut Vec<Wish>) {
        if self.section == Section::Groups {
            if let Some(g) = self.groups.selected() {
                self.section = Section::Rows;
                wishes.push(Wish::Go {
                    pane: PaneId::Fleet,
                    scope: Some(Scope::Group(g)),
                    focus: None,
                    look: None,
                });
            }
            return;
        }
        let marked = self.marked(view);
        if marked.len() > 1 {
            self.clear_marks();
            let name = format!("{} marked", marked.len()).into();
            let scope = Some(Scope::Chosen { name, ids: marked.into() });
            wishes.push(Wish::Go { pane: PaneId::Fleet, scope, focus: None, look: None });
        } else if let Some(RowKey::Instance(id)) = self.table.selected().cloned() {
            let scope = Some(Scope::Instance(id));
            wishes.push(Wish::Go {
                pane: PaneId::Instance,
                scope,
                focus: Some(RowKey::Reason(0)),
                look: None,
            });
        }
    }

    /// `f`: all, critical, warning, unknown, well, all …
    fn next_health(&mut self) {
        const CYCLE: [&str; 5] = ["", "health=critical", "health=warning", "health=unknown", "health=ok"];
        let at = CYCLE.iter().position(|t| *t == self.filter.text());
        let next = at.map_or(CYCLE[1], |i| CYCLE[(i + 1) % CYCLE.len()]);
        // The texts above are good filters.
        let _ = self.filter.set(next);
    }
}

impl Pane for FleetPane {
    fn rebuild(&mut self, view: &View<'_>) {
        self.filter.learn(view);
        self.rows.clear();
        self.before = 0;
        for (i, s) in view.instances() {
            self.before += 1;
            if self.filter.keeps(&InstanceRow { instance: s, view }) {
                self.rows.push(i);
            }
        }
        self.order(view);
        let insecure = |i: &InstanceSnapshot| if i.info.tls.is_insecure() { 2 } else { 0 };
        let longest = self
            .rows
            .iter()
            .filter_map(|r| view.instance(*r))
            .map(|i| width(i.id().as_str()) + insecure(i))
            .max();
        self.table.set_width(columns::INSTANCE, longest.map(|w| w.clamp(10, 28) as u16));
        for picture in columns::PICTURES {
            self.table.hide(picture, view.low_bandwidth);
        }
        self.table.sync(&FleetRows { rows: &self.rows, view });
        self.groups.rebuild(view);
        if self.groups.len() < 2 && self.section == Section::Groups {
            self.section = Section::Rows;
        }
        if self.heat {
            self.heat_map.rebuild(&self.rows, view);
        }
    }

    fn title(&self, view: &View<'_>, out: &mut Vec<(Part, String)>) {
        let n = self.rows.len();
        let text = if n == self.before {
            figure::counted(n, "instance")
        } else {
            format!("{n} of {} instances", self.before)
        };
        out.push((Part::Plain, text));
        let mut order = String::new();
        if self.heat {
            order.push_str("heat map");
        } else {
            self.table.order_name("worst first", &mut order);
        }
        out.push((Part::Plain, order));
        out.extend(self.table.set_name().map(|set| (Part::Accent, format!("columns: {set}"))));
        let marked = self.marked(view).len();
        if marked > 0 {
            out.push((Part::Accent, format!("{marked} marked")));
        }
    }

    fn render(&mut self, view: &View<'_>, canvas: &mut Canvas<'_>) {
        let (w, h) = (canvas.width(), canvas.height());
        if self.rows.is_empty() {
            return about::empty(view, self.filter.text(), self.before, canvas);
        }
        let bars =
            if h >= 14 && self.groups.len() > 1 { self.groups.lines(w).min((h / 9).clamp(1, 4)) } else { 0 };
        let below = if bars > 0 { bars + 1 } else { 0 };
        let rows = FleetRows { rows: &self.rows, view };
        let active = self.section == Section::Rows;
        let mut body = canvas.part(0, 0, w, h - below);
        if self.heat {
            self.heat_map.render(view, &mut body, self.table.cursor(), &self.rows);
        } else {
            self.table.render(&mut body, view.theme, &rows, active);
        }
        if below > 0 {
            self.groups.render(view, &mut canvas.part(0, h - below, w, below), !active);
        }
    }

    fn act(&mut self, action: Action, view: &View<'_>, wishes: &mut Vec<Wish>) -> bool {
        if self.section == Section::Groups && self.groups.act(action) {
            return true;
        }
        match action {
            Action::Enter => self.open(view, wishes),
            Action::Details => wishes.extend(self.table.selected().cloned().map(Wish::Details)),
            Action::ToQuery => {
                let id = self.table.selected().and_then(RowKey::instance).cloned();
                wishes.extend(id.map(|id| Wish::Go {
                    pane: PaneId::Queries,
                    scope: Some(Scope::Instance(id)),
                    focus: None,
                    look: Some(Look::Sort("cpu")),
                }));
            }
            Action::HeatMap => self.heat = !self.heat,
            Action::HealthFilter => self.next_health(),
            Action::NextSection | Action::PrevSection if self.groups.len() > 1 => {
                self.section = if self.section == Section::Rows { Section::Groups } else { Section::Rows };
            }
            Action::Copy if self.section == Section::Groups => {
                wishes.push(Wish::Copy(self.groups.copy()));
            }
            Action::Copy => {
                let rows = FleetRows { rows: &self.rows, view };
                wishes.push(Wish::Copy(self.table.copy_chosen(&rows)));
            }
            Action::Refresh => {
                let mut ids = self.marked(view);
                if ids.is_empty() {
                    ids.extend(self.table.selected().and_then(RowKey::instance).cloned());
                }
                wishes.push(Wish::Refresh(ids));
            }
            Action::Out if !self.table.marks.is_empty() => self.clear_marks(),
            Action::Out if self.section == Section::Groups => self.section = Section::Rows,
            _ => {
                let rows = FleetRows { rows: &self.rows, view };
                if self.heat
                    && let Some(i) = self.heat_map.step(action, self.table.cursor())
                {
                    self.table.move_to(i, &rows);
                    return true;
                }
                return self.table.act(action, &rows);
            }
        }
        true
    }

    fn next_problem(&mut self, back: bool, round: bool, view: &View<'_>) -> bool {
        let rows = FleetRows { rows: &self.rows, view };
        let is_problem = |i| rows.at(i).is_some_and(|s| s.health.level >= Level::Warning);
        self.section = Section::Rows;
        self.table.move_to_next((back, round), &rows, is_problem)
    }

    fn focus(&mut self, key: RowKey) {
        self.table.select(key);
    }

    fn selected(&self) -> Option<RowKey> {
        self.table.selected().cloned()
    }

    fn marked(&self, view: &View<'_>) -> Vec<InstanceId> {
        // Every frame asks, and mostly there are none.
        if self.table.marks.is_empty() {
            return Vec::new();
        }
        let id = |r: &u32| view.instance(*r).map(|i| i.id().clone());
        let ids = self.rows.iter().filter_map(id);
        ids.filter(|id| self.table.marks.contains(&RowKey::Instance(id.clone()))).collect()
    }

    fn under_cursor(&self) -> Option<InstanceId> {
        let row = self.table.selected().filter(|_| self.section == Section::Rows);
        row.and_then(RowKey::instance).cloned()
    }

    fn chosen(&self, view: &View<'_>) -> Option<Scope> {
        let marked = self.marked(view);
        let (name, ids) = if !marked.is_empty() {
            (format!("{} marked", marked.len()), marked)
        } else if !self.filter.text().is_empty() {
            let all = self.rows.iter().filter_map(|r| view.instance(*r).map(|i| i.id().clone()));
            (format!("/{}", self.filter.text()), all.collect())
        } else {
            return None;
        };
        Some(Scope::Chosen { name: name.into(), ids: ids.into() })
    }

    fn clear_marks(&mut self) {
        self.table.marks.clear();
    }

    fn details(&self, key: &RowKey, view: &View<'_>) -> Option<Document> {
        let RowKey::Instance(id) = key else { return None };
        view.snapshot.find(id).map(|i| super::instance::document(i, view))
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
        if self.heat { None } else { self.table.position() }
    }

    fn sort_by(&mut self, column: &str) -> Result<(), String> {
        self.heat = false;
        self.table.sort_by(column)
    }

    fn left(&mut self) {
        self.table.scroll_back();
    }

    fn counts(&self) -> (usize, usize) {
        (self.rows.len(), self.before)
    }

    fn click(&mut self, x: u16, y: u16, view: &View<'_>, wishes: &mut Vec<Wish>) {
        if !self.heat && self.table.click_head(x, y) {
            return;
        }
        let rows = FleetRows { rows: &self.rows, view };
        let hit = if self.heat { self.heat_map.at(x, y) } else { self.table.row_at(y, &rows) };
        let Some(i) = hit else { return };
        self.section = Section::Rows;
        if i == self.table.cursor() {
            self.open(view, wishes);
        } else {
            self.table.move_to(i, &rows);
        }
    }
}
