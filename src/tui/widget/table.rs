//! A virtualised table: draws only the rows in sight, keeps its selection by key, scrolls sideways by whole columns behind
//! the frozen ones, and writes cells through one reused scratch text.

use super::{
    canvas::{self, Canvas},
    cell::CellText,
    column::{Column, Content, Kind, Shape},
    cursor::moved,
    layout::Layout,
    sort::sort_rows,
};
use crate::tui::{action::Action, id::RowKey, theme::Theme};
use std::collections::HashSet;

/// The rows that a table shows, in display order.
pub trait Rows<K: Kind> {
    /// How many.
    fn len(&self) -> usize;
    /// The key of row `i`.
    fn key(&self, i: usize) -> RowKey;
    /// The data that the cells of row `i` are made from; None if it is not there (any more).
    fn get(&self, i: usize) -> Option<K::Row<'_>>;
}

/// The order of the rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sort {
    /// id of the column
    pub column: &'static str,
    /// greatest first
    pub descending: bool,
}

/// Columns that are looked at together, by their ids. A table shows those of the chosen set first.
#[derive(Debug, Clone, Copy)]
pub struct Set {
    /// for the title
    pub name: &'static str,
    /// which
    pub columns: &'static [&'static str],
}

/// The rank of a column that the chosen set does not have: behind all that have one.
const BEHIND: u8 = 40;

/// A column as the table has it now.
#[derive(Debug)]
struct Shown<K: Kind> {
    column: &'static Column<K>,
    hidden: bool,
    /// the width it wants, if the pane found one to fit its data
    ideal: Option<u16>,
    /// another title for now
    title: Option<&'static str>,
}

impl<K: Kind> Shown<K> {
    fn shape(&self) -> Shape {
        let declared = self.column.shape;
        Shape { ideal: self.ideal.unwrap_or(declared.ideal), ..declared }
    }
}

/// State of a table: everything that lasts from frame to frame.
#[derive(Debug)]
pub struct Table<K: Kind> {
    columns: Vec<Shown<K>>,
    /// None: the pane's own order
    pub sort: Option<Sort>,
    /// marked rows
    pub marks: HashSet<RowKey>,
    selected: Option<RowKey>,
    anchor: Option<RowKey>,
    touched: bool,
    /// rows at the last sync
    count: usize,
    cursor: usize,
    top: usize,
    left: usize,
    page: usize,
    body_at: (u16, u16),
    scratch: CellText,
    sets: &'static [Set],
    /// the chosen set; None: as the columns are declared
    set: Option<usize>,
    /// columns in sight at the last frame: place on the screen, and which
    in_sight: Vec<(u16, u16, &'static str)>,
}

impl<K: Kind> Table<K> {
    /// An empty table with these columns.
    pub fn new(columns: &'static [Column<K>]) -> Self {
        let shown = |column| Shown { column, hidden: false, ideal: None, title: None };
        Self {
            columns: columns.iter().map(shown).collect(),
            sort: None,
            marks: HashSet::new(),
            selected: None,
            anchor: None,
            touched: false,
            count: 0,
            cursor: 0,
            top: 0,
            left: 0,
            page: 1,
            body_at: (0, 0),
            scratch: CellText::default(),
            sets: &[],
            set: None,
            in_sight: Vec::new(),
        }
    }

    /// With sets of columns to choose from.
    #[must_use]
    pub const fn with_sets(mut self, sets: &'static [Set]) -> Self {
        self.sets = sets;
        self
    }

    /// Shows the next set of columns; after the last one all as they are declared.
    fn next_set(&mut self) {
        let next = self.set.map_or(0, |set| set + 1);
        self.set = Some(next).filter(|set| *set < self.sets.len());
        self.left = 0;
    }

    /// Shows the first set that has this column.
    pub fn show_column(&mut self, id: &str) {
        self.set = self.sets.iter().position(|set| set.columns.contains(&id));
        self.left = 0;
    }

    /// The columns as they are declared again.
    pub const fn reset_columns(&mut self) {
        self.set = None;
        self.left = 0;
    }

    /// The name of the chosen set of columns.
    pub fn set_name(&self) -> Option<&'static str> {
        self.set.and_then(|set| self.sets.get(set)).map(|set| set.name)
    }

    /// The place of the rows in sight: first, last, and how many there are; None where all are.
    pub fn position(&self) -> Option<(usize, usize, usize)> {
        (self.count > self.page).then(|| (self.top + 1, (self.top + self.page).min(self.count), self.count))
    }

    /// A click on the head line: sorts by that column, and turns the order round the second time. False beside it.
    pub fn click_head(&mut self, x: u16, y: u16) -> bool {
        if y.checked_add(1) != Some(self.body_at.0) {
            return false;
        }
        let at = self.in_sight.iter().find(|(from, to, _)| (*from..*to).contains(&x)).map(|(.., id)| *id);
        match at {
            Some(id) if self.sort.is_some_and(|s| s.column == id) => self.reverse(),
            Some(id) => drop(self.sort_by(id)),
            None => {}
        }
        true
    }

    fn shape(&self, c: &Shown<K>) -> Shape {
        let mut shape = c.shape();
        // What the rows are ordered by is always in sight.
        if self.sort.is_some_and(|sort| sort.column == c.column.id) {
            shape.rank = 0;
        }
        let Some(set) = self.set.and_then(|set| self.sets.get(set)) else { return shape };
        let rank = match shape.rank {
            rank if set.columns.contains(&c.column.id) => rank.min(1),
            0 => 0,
            rank => rank.saturating_add(BEHIND),
        };
        Shape { rank, ..shape }
    }

    fn column(&mut self, id: &str) -> Option<&mut Shown<K>> {
        self.columns.iter_mut().find(|c| c.column.id == id)
    }

    /// Hides a column, or shows it again.
    pub fn hide(&mut self, id: &str, hidden: bool) {
        if let Some(c) = self.column(id) {
            c.hidden = hidden;
        }
    }

    /// Shows of columns that belong to another one those whose other one the rows are ordered by, and those of the chosen set. The
    /// first one belongs to the pane's own order.
    pub fn show_beside(&mut self, beside: &[(&'static str, &str)]) {
        let set = self.set.and_then(|set| self.sets.get(set));
        let by = self.sort.map(|sort| sort.column);
        for (n, (id, of)) in beside.iter().enumerate() {
            let is_beside = by.map_or(n == 0, |by| by == *of || by == *id);
            self.hide(id, !is_beside && set.is_none_or(|set| !set.columns.contains(id)));
        }
    }

    /// Sets the width that fits the data of a column; None: the declared one.
    pub fn set_width(&mut self, id: &str, ideal: Option<u16>) {
        if let Some(c) = self.column(id) {
            c.ideal = ideal;
        }
    }

    /// Gives a column another title.
    pub fn set_title(&mut self, id: &str, title: &'static str) {
        if let Some(c) = self.column(id) {
            c.title = Some(title);
        }
    }

    /// Puts row numbers into the order that was chosen; false if none was, so that the pane's own order holds.
    pub fn order<'r>(&self, rows: &mut [u32], row: impl Fn(u32) -> Option<K::Row<'r>>) -> bool {
        self.sort.is_some_and(|sort| self.order_by(sort.column, sort.descending, rows, row))
    }

    /// Puts row numbers into the order of a column; false if it has none.
    pub fn order_by<'r>(
        &self,
        id: &str,
        descending: bool,
        rows: &mut [u32],
        row: impl Fn(u32) -> Option<K::Row<'r>>,
    ) -> bool {
        let column = self.columns.iter().map(|c| c.column).find(|c| c.id == id);
        let Some(read) = column.and_then(|c| c.sort) else { return false };
        sort_rows(rows, descending, |n, keys| match row(n) {
            Some(r) => keys.add(read(&r)),
            None => keys.add(None),
        });
        true
    }

    /// Appends the cells of a row with tabs between them and a line end, hidden columns too, drawings not.
    pub fn copy(&self, row: &K::Row<'_>, out: &mut String) {
        let mut cell = CellText::default();
        for c in self.columns.iter().map(|c| c.column).filter(|c| c.shape.content != Content::Picture) {
            cell.clear();
            (c.cell)(row, (c.value)(row), &mut cell);
            out.push_str(cell.as_str().trim());
            out.push('\t');
        }
        out.truncate(out.trim_end_matches('\t').len());
        out.push('\n');
    }

    /// The text of the marked rows that are shown; without one that of the row under the cursor.
    pub fn copy_chosen(&self, rows: &dyn Rows<K>) -> String {
        let marked = |i: &usize| !self.marks.is_empty() && self.marks.contains(&rows.key(*i));
        let mut chosen: Vec<usize> = (0..rows.len()).filter(marked).collect();
        if chosen.is_empty() {
            chosen.push(self.cursor);
        }
        let mut text = String::new();
        for row in chosen.into_iter().filter_map(|i| rows.get(i)) {
            self.copy(&row, &mut text);
        }
        text
    }

    /// The row that the cursor is on; None where no row is shown: what nobody sees can neither be opened nor changed.
    pub const fn selected(&self) -> Option<&RowKey> {
        if self.count == 0 { None } else { self.selected.as_ref() }
    }

    /// Its place.
    pub const fn cursor(&self) -> usize {
        self.cursor
    }

    /// Puts the cursor on a row by key, now or as soon as it appears.
    pub fn select(&mut self, key: RowKey) {
        self.selected = Some(key);
        self.touched = true;
    }

    /// Forgets the selection: the cursor goes to the first row and stays there until it is moved.
    pub fn release(&mut self) {
        self.selected = None;
        self.touched = false;
        self.cursor = 0;
    }

    /// Scrolls back to the first columns.
    pub const fn scroll_back(&mut self) {
        self.left = 0;
    }

    /// Finds the selection again after the rows changed. If its row is gone, the cursor stays in its place; a cursor that
    /// was never moved stays on the first row, so that the worst one is always selected.
    pub fn sync(&mut self, rows: &dyn Rows<K>) {
        let n = rows.len();
        self.count = n;
        if !self.touched {
            self.cursor = 0;
        } else if let Some(key) = &self.selected {
            let here = self.cursor < n && rows.key(self.cursor) == *key;
            if !here && let Some(i) = (0..n).find(|i| rows.key(*i) == *key) {
                self.cursor = i;
            }
        }
        self.cursor = self.cursor.min(n.saturating_sub(1));
        self.selected = if n == 0 { self.selected.take() } else { Some(rows.key(self.cursor)) };
    }

    /// Moves the cursor to row `i`.
    pub fn move_to(&mut self, i: usize, rows: &dyn Rows<K>) {
        self.touched = true;
        self.cursor = i.min(rows.len().saturating_sub(1));
        self.selected = (self.cursor < rows.len()).then(|| rows.key(self.cursor));
    }

    /// Moves the cursor to the next row of which `is` is true, or to the one before; beyond the last one it begins anew if
    /// `round`. False: there is none.
    pub fn move_to_next(
        &mut self,
        (back, round): (bool, bool),
        rows: &dyn Rows<K>,
        is: impl Fn(usize) -> bool,
    ) -> bool {
        let (from, n) = (self.cursor.min(rows.len()), rows.len());
        let rest = if round { n } else { 0 };
        let found = if back {
            (0..from).rev().chain((from..rest).rev()).find(|i| is(*i))
        } else {
            (from + 1..n).chain(0..rest.min(from + 1)).find(|i| is(*i))
        };
        if let Some(i) = found {
            self.move_to(i, rows);
        }
        found.is_some()
    }

    /// Carries out the actions of any table; false if it is none of them. Sorting returns true and leaves it to
    /// the pane to rebuild its rows.
    pub fn act(&mut self, action: Action, rows: &dyn Rows<K>) -> bool {
        if let Some(to) = moved(action, self.cursor, rows.len(), self.page) {
            self.move_to(to, rows);
            return true;
        }
        match action {
            Action::Left => self.left = self.left.saturating_sub(1),
            Action::Right => self.left += 1,
            Action::Mark => self.mark(rows),
            Action::MarkRange => self.mark_range(rows),
            Action::SortLeft => self.sort_by_neighbour(false),
            Action::SortRight => self.sort_by_neighbour(true),
            Action::SortReverse => self.reverse(),
            Action::Columns if !self.sets.is_empty() => self.next_set(),
            _ => return false,
        }
        true
    }

    fn mark(&mut self, rows: &dyn Rows<K>) {
        if self.cursor >= rows.len() {
            return;
        }
        let key = rows.key(self.cursor);
        if !self.marks.remove(&key) {
            self.marks.insert(key.clone());
        }
        self.anchor = Some(key);
        self.move_to(self.cursor + 1, rows);
    }

    fn mark_range(&mut self, rows: &dyn Rows<K>) {
        let anchor = self
            .anchor
            .as_ref()
            .filter(|_| !self.marks.is_empty())
            .and_then(|k| (0..rows.len()).find(|i| rows.key(*i) == *k));
        let from = anchor.unwrap_or(self.cursor);
        let (a, b) = (from.min(self.cursor), from.max(self.cursor));
        for i in a..=b {
            if i < rows.len() {
                self.marks.insert(rows.key(i));
            }
        }
        self.anchor = self.selected.clone();
    }

    /// Walks the columns in sight. The natural order comes before the first one and after the last one.
    fn sort_by_neighbour(&mut self, right: bool) {
        let sorts = |c: &&Shown<K>| c.column.sort.is_some() && !c.hidden;
        let can = || self.columns.iter().filter(sorts).map(|c| c.column);
        let seen = self.in_sight.iter().filter_map(|(.., id)| can().find(|c| c.id == *id));
        let mut can: Vec<&Column<K>> = seen.collect();
        if can.is_empty() {
            // Before the first frame.
            can = self.columns.iter().filter(sorts).map(|c| c.column).collect();
        }
        let place = self.sort.and_then(|s| can.iter().position(|c| c.id == s.column));
        let next = match (place, right) {
            (None, true) => Some(0),
            (None, false) => can.len().checked_sub(1),
            (Some(i), true) => Some(i + 1),
            (Some(i), false) => i.checked_sub(1),
        };
        let descending = |c: &Column<K>| c.shape.content == Content::Number;
        self.sort = next.and_then(|i| can.get(i)).map(|c| Sort { column: c.id, descending: descending(c) });
    }

    /// Sorts by the column of this id or title, in its natural direction.
    ///
    /// # Errors
    /// There is no such column, or it has no order: names those that have.
    pub fn sort_by(&mut self, name: &str) -> Result<(), String> {
        let can = || self.columns.iter().map(|c| c.column).filter(|c| c.sort.is_some());
        let names = |c: &Column<K>| [c.id, c.title, c.short].map(str::to_ascii_lowercase);
        let name = name.trim().to_ascii_lowercase();
        let found = can().find(|c| names(c).contains(&name)).or_else(|| {
            let mut begin = can().filter(|c| names(c).iter().any(|n| n.starts_with(&name)));
            begin.next().filter(|_| begin.next().is_none())
        });
        let Some(column) = found else {
            let all: Vec<&str> = can().map(|c| c.id).collect();
            return Err(format!("no column is called {name}: {}", all.join(" ")));
        };
        self.sort = Some(Sort { column: column.id, descending: column.shape.content == Content::Number });
        Ok(())
    }

    fn reverse(&mut self) {
        if let Some(s) = &mut self.sort {
            s.descending = !s.descending;
        }
    }

    /// Writes `by CPU` or the name of the natural order.
    pub fn order_name(&self, natural: &str, out: &mut String) {
        match self.sort {
            None => out.push_str(natural),
            Some(s) => {
                let found = self.columns.iter().find(|c| c.column.id == s.column);
                let title = found.map_or("", |c| c.column.title);
                out.push_str("by");
                // A title may have blanks in it that are for the head line only.
                for word in title.split_whitespace() {
                    out.push(' ');
                    out.push_str(word);
                }
                out.push_str(if s.descending { " ▾" } else { " ▴" });
            }
        }
    }

    /// Draws the head line and the rows in sight.
    pub fn render(&mut self, canvas: &mut Canvas<'_>, theme: &Theme, rows: &dyn Rows<K>, active: bool) {
        let height = usize::from(canvas.height().saturating_sub(1));
        self.page = height.max(1);
        self.top = self.top.min(self.cursor);
        if self.cursor >= self.top + self.page {
            self.top = self.cursor + 1 - self.page;
        }
        self.top = self.top.min(rows.len().saturating_sub(self.page));
        self.body_at = (canvas.area().y + 1, canvas.height().saturating_sub(1));
        let shown: Vec<&Shown<K>> = self.columns.iter().filter(|c| !c.hidden).collect();
        let wants: Vec<Shape> = shown.iter().map(|c| self.shape(c)).collect();
        let (layout, left) = Layout::fit(&wants, canvas.width(), self.left);
        self.left = left;
        head(canvas, theme, &layout, &shown, self.sort);
        let x = canvas.area().x;
        let place = |p: &super::layout::Place| (x + p.x, x + p.x + p.width, shown[p.slot].column.id);
        self.in_sight = layout.places.iter().map(place).collect();
        let mut scratch = std::mem::take(&mut self.scratch);
        for (y, i) in (self.top..rows.len()).take(height).enumerate() {
            let y = y as u16 + 1;
            if let Some(row) = rows.get(i) {
                for p in &layout.places {
                    let column = shown[p.slot].column;
                    scratch.clear();
                    scratch.room = usize::from(p.width);
                    (column.cell)(&row, (column.value)(&row), &mut scratch);
                    scratch.draw(canvas, p.x, y, p.width, column.shape.content == Content::Number);
                }
            }
            if !self.marks.is_empty() && self.marks.contains(&rows.key(i)) {
                canvas.glyph(0, y, "▌", theme.accent);
            }
            if i == self.cursor && active {
                canvas.select(0, y, canvas.width(), theme.selection);
            } else if i == self.cursor {
                canvas.glyph(0, y, "▏", theme.accent);
                canvas.stand(0, y);
            }
        }
        self.scratch = scratch;
    }

    /// The row drawn at this line of the screen.
    pub fn row_at(&self, y: u16, rows: &dyn Rows<K>) -> Option<usize> {
        let line = y.checked_sub(self.body_at.0).filter(|l| *l < self.body_at.1)?;
        Some(self.top + usize::from(line)).filter(|i| *i < rows.len())
    }
}

/// Draws the head line, with a mark at the column that rows are ordered by.
fn head<K: Kind>(
    canvas: &mut Canvas<'_>,
    theme: &Theme,
    layout: &Layout,
    shown: &[&Shown<K>],
    sort: Option<Sort>,
) {
    for p in &layout.places {
        let (column, other) = (shown[p.slot].column, shown[p.slot].title);
        let sorted = sort.filter(|s| s.column == column.id);
        let style = if sorted.is_some() { theme.accent } else { theme.dim };
        let mark = sorted.map_or("", |s| if s.descending { "▾" } else { "▴" });
        let title = other.unwrap_or_else(|| column.title_within(p.width));
        let w = canvas::width(title) as u16;
        let gap = u16::from(sorted.is_some());
        if column.shape.content == Content::Number {
            let x = p.x + p.width.saturating_sub(w + gap);
            canvas.put(x, 0, 1, mark, style);
            canvas.put(x + gap, 0, p.width.min(w), title, style);
        } else {
            let used = canvas.put(p.x, 0, p.width, title, style);
            canvas.put(p.x + used, 0, p.width.saturating_sub(used), mark, style);
        }
    }
    if layout.more_left {
        canvas.glyph(0, 0, "‹", theme.accent);
    }
    if layout.more_right && canvas.width() > 0 {
        canvas.glyph(canvas.width() - 1, 0, "›", theme.accent);
    }
}

#[cfg(test)]
mod tests;
