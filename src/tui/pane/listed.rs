//! A pane whose rows are things of the inventory, such as groups: everything that is the same for each such pane. Its own file says
//! in [`Listed`] which things they are, in which columns and words, and what is asked before one is made, changed or deleted. What it
//! shows comes with the snapshot and with what the inventory service told ([`View::lists`]); every change is a question to it.

use super::{Pane, Part, reading};
use crate::{
    model::base::filter::{self, Value},
    protocol::ListId,
    tui::{
        action::Action,
        ask::{Ask, Tone},
        filter::FilterSlot,
        id::RowKey,
        view::{Sealed, View},
        widget::{
            canvas::Canvas,
            cell::CellText,
            column::{Column, Content, Kind, visit_values},
            document::Document,
            fold::fold,
            table::{Rows, Table},
        },
        wish::Wish,
    },
};
use ratatui::style::Style;
use std::fmt::Debug;

/// What a pane of things of the inventory says of itself.
pub trait Listed: for<'a> Kind<Row<'a> = Line<'a, Self>> + Debug + Sized {
    /// one of them, with all that its cells say
    type Record: Debug;
    /// what the inventory service is asked for
    const LIST: Option<ListId>;
    /// the columns
    const COLUMNS: &'static [Column<Self>];
    /// the column with the name of a thing: it heads the details
    const NAME: &'static str;
    /// the words
    const WORDS: Words;
    /// the things are sealed with the inventory
    const NEEDS_KEY: bool = true;

    /// The things, in the pane's own order.
    fn records(view: &View<'_>) -> Vec<Self::Record>;
    /// What identifies one.
    fn key(record: &Self::Record) -> RowKey;
    /// Calls `with` for every text that a filter without a field searches.
    fn texts<'r>(record: &'r Self::Record, with: &mut dyn FnMut(&'r str));
    /// Where Enter leads.
    fn open(record: &Self::Record) -> Wish {
        Wish::Details(Self::key(record))
    }
    /// The question before an action on the marked things, or on the one under the cursor. None: the action is not one of this pane.
    ///
    /// # Errors
    /// Why it cannot be done, in words.
    fn ask(_action: Action, _on: &[&Self::Record], _view: &View<'_>) -> Option<Result<Ask, String>> {
        None
    }
    /// What the foot of the pane says of the thing under the cursor, whole, where its columns are cut; None: no foot.
    fn foot(_record: &Self::Record) -> Option<&str> {
        None
    }
    /// This action is about all rows that are shown, unless some are marked.
    const OF_ALL: Option<Action> = None;
    /// what stands before the name at the head of the details, where the name alone says nothing
    const HEAD: &'static str = "";
    /// Adds to the details what no column says.
    fn tell(_line: &Line<'_, Self>, _document: &mut Document) {}
    /// Adds to the title.
    fn title(_records: &[Self::Record], _view: &View<'_>, _out: &mut Vec<(Part, String)>) {}
}

/// The words of a pane of things of the inventory.
#[derive(Debug, Clone, Copy)]
pub struct Words {
    /// the order of the rows: `by name`
    pub order: &'static str,
    /// when a filter keeps no row
    pub no_match: &'static str,
    /// when there is none: what it is good for, and how to make one
    pub none: &'static [&'static str],
    /// what cannot be seen while the inventory is locked: `Saved filters are`
    pub locked: &'static str,
}

/// A thing with all that its cells are made from.
pub struct Line<'a, L: Listed> {
    /// what is looked at
    pub view: &'a View<'a>,
    /// it
    pub record: &'a L::Record,
}

impl<L: Listed> Line<'_, L> {
    /// Plain text.
    pub fn style(&self) -> Style {
        self.view.theme.base
    }
}

impl<L: Listed> filter::Row for Line<'_, L> {
    fn text(&self, out: &mut String) {
        let mut separator = "";
        L::texts(self.record, &mut |text| {
            out.push_str(separator);
            out.push_str(text);
            separator = " ";
        });
    }

    fn values(&self, key: &str, visit: &mut dyn FnMut(Value<'_>)) {
        visit_values(L::COLUMNS, self, key, visit);
    }
}

/// Said before a group or a label gets another name.
pub fn renamed(filters: &[String]) -> Vec<(Tone, String)> {
    let words = format!("Saved filters that name it get the new name, too: {}.", filters.join(", "));
    if filters.is_empty() { Vec::new() } else { vec![(Tone::Aside, words)] }
}

/// Said before a group or a label is deleted.
pub fn lost(filters: &[String]) -> Option<(Tone, String)> {
    let words = format!("Saved filters name it: {}.", filters.join(", "));
    (!filters.is_empty()).then_some((Tone::Warning, words))
}

/// A cell with a text.
pub fn text<L: Listed>(line: &Line<'_, L>, v: Option<Value<'_>>, out: &mut CellText) {
    match v {
        Some(Value::Text(v)) if !v.is_empty() => out.put(line.style(), v),
        _ => out.put(line.view.theme.dim, "–"),
    }
}

/// A cell with a name: it stands out.
pub fn name<L: Listed>(line: &Line<'_, L>, v: Option<Value<'_>>, out: &mut CellText) {
    if let Some(Value::Text(v)) = v {
        out.put(line.view.theme.strong, v);
    }
}

/// A cell with a number of things.
pub fn count<L: Listed>(line: &Line<'_, L>, v: Option<Value<'_>>, out: &mut CellText) {
    match v.and_then(Value::figure) {
        Some(0.0) => out.put(line.view.theme.dim, "0"),
        Some(n) => out.fmt(line.style(), format_args!("{n:.0}")),
        None => out.put(line.view.theme.dim, "–"),
    }
}

struct Lines<'a, L: Listed> {
    records: &'a [L::Record],
    order: &'a [u32],
    view: &'a View<'a>,
}

impl<L: Listed> Lines<'_, L> {
    fn record(&self, i: usize) -> Option<&L::Record> {
        self.records.get(*self.order.get(i)? as usize)
    }
}

impl<L: Listed> Rows<L> for Lines<'_, L> {
    fn len(&self) -> usize {
        self.order.len()
    }

    fn key(&self, i: usize) -> RowKey {
        self.record(i).map_or_else(|| RowKey::Group("".into()), L::key)
    }

    fn get(&self, i: usize) -> Option<Line<'_, L>> {
        Some(Line { view: self.view, record: self.record(i)? })
    }
}

/// State of such a pane.
#[derive(Debug)]
pub struct ListPane<L: Listed> {
    table: Table<L>,
    records: Vec<L::Record>,
    /// the records that pass the filter, in display order
    order: Vec<u32>,
    filter: FilterSlot,
}

impl<L: Listed> Default for ListPane<L> {
    fn default() -> Self {
        Self {
            table: Table::new(L::COLUMNS),
            records: Vec::new(),
            order: Vec::new(),
            filter: FilterSlot::of_columns(L::COLUMNS),
        }
    }
}

impl<L: Listed> ListPane<L> {
    /// The marked things in display order; without marks the one under the cursor.
    fn chosen(&self) -> Vec<&L::Record> {
        let shown = || self.order.iter().filter_map(|n| self.records.get(*n as usize));
        if self.table.marks.is_empty() {
            return shown().nth(self.table.cursor()).into_iter().collect();
        }
        shown().filter(|record| self.table.marks.contains(&L::key(record))).collect()
    }

    /// What an action is about.
    fn meant(&self, action: Action) -> Vec<&L::Record> {
        if L::OF_ALL == Some(action) && self.table.marks.is_empty() {
            return self.order.iter().filter_map(|n| self.records.get(*n as usize)).collect();
        }
        self.chosen()
    }

    fn open(&self, wishes: &mut Vec<Wish>) {
        let at = self.order.get(self.table.cursor()).and_then(|n| self.records.get(*n as usize));
        wishes.extend(at.map(L::open));
    }

    /// Why there is no row.
    fn absence(&self, view: &View<'_>) -> Vec<String> {
        if !self.records.is_empty() {
            return vec![L::WORDS.no_match.to_owned(), "Esc clears it.".to_owned()];
        }
        match view.sealed {
            Sealed::Locked if L::LIST.is_some() && L::NEEDS_KEY => {
                vec![
                    format!("{} locked with the inventory.", L::WORDS.locked),
                    ":unlock opens it.".to_owned(),
                ]
            }
            Sealed::Opening if L::LIST.is_some() && L::NEEDS_KEY => {
                vec!["The inventory is being opened …".to_owned()]
            }
            _ => L::WORDS.none.iter().map(|line| (*line).to_owned()).collect(),
        }
    }
}

impl<L: Listed> Pane for ListPane<L> {
    fn rebuild(&mut self, view: &View<'_>) {
        self.records = L::records(view);
        let line = |n: u32| self.records.get(n as usize).map(|record| Line::<L> { view, record });
        let mut order: Vec<u32> = Vec::with_capacity(self.records.len());
        for n in 0..self.records.len() as u32 {
            if line(n).is_some_and(|line| self.filter.keeps(&line)) {
                order.push(n);
            }
        }
        self.table.order(&mut order, line);
        self.order = order;
        self.table.sync(&Lines::<L> { records: &self.records, order: &self.order, view });
    }

    fn title(&self, view: &View<'_>, out: &mut Vec<(Part, String)>) {
        L::title(&self.records, view, out);
        if self.order.len() < self.records.len() {
            out.push((Part::Accent, format!("{} of {} shown", self.order.len(), self.records.len())));
        }
        if !self.order.is_empty() {
            let mut order = String::new();
            self.table.order_name(L::WORDS.order, &mut order);
            out.push((Part::Plain, order));
        }
        if !self.table.marks.is_empty() {
            out.push((Part::Accent, format!("{} marked", self.table.marks.len())));
        }
    }

    fn list(&self) -> Option<ListId> {
        L::LIST
    }

    fn render(&mut self, view: &View<'_>, canvas: &mut Canvas<'_>) {
        if self.order.is_empty() {
            return reading::empty(&self.absence(view), view, canvas);
        }
        let rows = Lines::<L> { records: &self.records, order: &self.order, view };
        let (w, h) = (canvas.width(), canvas.height());
        let here = self.order.get(self.table.cursor()).and_then(|n| self.records.get(*n as usize));
        let (words, room) = (here.and_then(L::foot).unwrap_or_default(), usize::from(w.saturating_sub(3)));
        // Room for the longest of them, so that the rows stand still while the cursor moves.
        let longest = self.records.iter().filter_map(L::foot).map(|words| fold(words, room).len()).max();
        let foot = if words.is_empty() { 0 } else { longest.unwrap_or(0) as u16 + 1 };
        let foot = foot.min(h / 3);
        self.table.render(&mut canvas.part(0, 0, w, h - foot), view.theme, &rows, true);
        if foot > 0 {
            canvas.repeat(0, h - foot, w, "─", view.theme.rule);
            for (y, line) in (h - foot + 1..h).zip(fold(words, room)) {
                canvas.put(2, y, w, &line, view.theme.base);
            }
        }
    }

    fn act(&mut self, action: Action, view: &View<'_>, wishes: &mut Vec<Wish>) -> bool {
        match L::ask(action, &self.meant(action), view) {
            Some(Ok(ask)) => {
                wishes.push(Wish::Ask(Box::new(ask)));
                return true;
            }
            Some(Err(words)) => {
                wishes.push(Wish::Say(crate::model::judge::health::Level::Warning, words));
                return true;
            }
            None => {}
        }
        let rows = Lines::<L> { records: &self.records, order: &self.order, view };
        match action {
            Action::Enter => self.open(wishes),
            Action::Details if !self.order.is_empty() => {
                wishes.extend(self.table.selected().cloned().map(Wish::Details));
            }
            Action::Copy if !self.order.is_empty() => wishes.push(Wish::Copy(self.table.copy_chosen(&rows))),
            Action::Details | Action::Copy => {}
            Action::Out if !self.table.marks.is_empty() => self.table.marks.clear(),
            _ => return self.table.act(action, &rows),
        }
        true
    }

    fn focus(&mut self, key: RowKey) {
        self.table.select(key);
    }

    fn selected(&self) -> Option<RowKey> {
        self.table.selected().cloned()
    }

    fn clear_marks(&mut self) {
        self.table.marks.clear();
    }

    fn details(&self, key: &RowKey, view: &View<'_>) -> Option<Document> {
        let record = self.records.iter().find(|record| L::key(record) == *key)?;
        Some(document(&Line::<L> { view, record }))
    }

    fn marks(&self) -> usize {
        self.table.marks.len()
    }

    fn set_filter(&mut self, text: &str) -> Result<(), String> {
        self.filter.set(text)
    }

    fn filter(&self) -> &str {
        self.filter.text()
    }

    fn left(&mut self) {
        self.table.scroll_back();
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

    fn counts(&self) -> (usize, usize) {
        (self.order.len(), self.records.len())
    }

    fn click(&mut self, x: u16, y: u16, view: &View<'_>, wishes: &mut Vec<Wish>) {
        if self.table.click_head(x, y) {
            return;
        }
        let rows = Lines::<L> { records: &self.records, order: &self.order, view };
        let Some(i) = self.table.row_at(y, &rows) else { return };
        if i == self.table.cursor() {
            self.open(wishes);
        } else {
            self.table.move_to(i, &rows);
        }
    }
}

/// All about a thing: every column, under its name, and what it tells besides.
fn document<L: Listed>(line: &Line<'_, L>) -> Document {
    let mut cell = CellText::default();
    let mut fill = |column: &Column<L>| {
        cell.clear();
        (column.cell)(line, (column.value)(line), &mut cell);
        cell.as_str().trim().to_owned()
    };
    let (mut named, mut fields) = (String::new(), Vec::new());
    for column in L::COLUMNS.iter().filter(|column| column.shape.content != Content::Picture) {
        if column.id == L::NAME {
            named = fill(column);
        } else if column.shape.content != Content::Sign {
            // A sign before a title is for the eye of one who looks at a table.
            let name = column.title.trim_start_matches(|c: char| !c.is_ascii_alphabetic());
            fields.push((name.to_lowercase(), fill(column)));
        }
    }
    let mut document = Document::new(format!("{}{named}", L::HEAD));
    for (name, text) in fields {
        document.field(name, line.style(), |s| s.push_str(&text));
    }
    L::tell(line, &mut document);
    document
}
