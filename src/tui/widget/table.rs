//! A virtualised table: draws only the rows in sight, keeps its selection by key, scrolls sideways by whole columns behind
//! the frozen ones, and writes cells through one reused scratch text.

use super::{
    canvas::Canvas,
    columns::{Column, Layout},
};
use crate::tui::{action::Action, id::RowKey, theme::Theme};
use ratatui::style::Style;
use std::{
    collections::HashSet,
    fmt::{self, Write as _},
};

/// The text of one cell, in runs of one style each. Reused from cell to cell.
#[derive(Debug, Default)]
pub struct CellText {
    text: String,
    runs: Vec<(usize, Style)>,
    /// the last run is shown whole, what is before it is cut
    keeps_last: bool,
}

impl CellText {
    /// Adds a text in a style.
    pub fn put(&mut self, style: Style, text: &str) {
        self.text.push_str(text);
        self.close(style);
    }

    /// Adds a formatted text in a style: `cell.fmt(style, format_args!(…))` allocates nothing.
    pub fn fmt(&mut self, style: Style, args: fmt::Arguments<'_>) {
        // Writing to a String cannot fail.
        let _ = self.text.write_fmt(args);
        self.close(style);
    }

    /// Adds whatever `f` appends, in a style.
    pub fn with(&mut self, style: Style, f: impl FnOnce(&mut String)) {
        f(&mut self.text);
        self.close(style);
    }

    /// Adds a last text that stays when the cell is too narrow: what is before it is cut instead.
    pub fn keep(&mut self, style: Style, args: fmt::Arguments<'_>) {
        self.fmt(style, args);
        self.keeps_last = true;
    }

    /// The plain text so far.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Empties it, to be filled again.
    pub fn clear(&mut self) {
        self.text.clear();
        self.runs.clear();
        self.keeps_last = false;
    }

    fn close(&mut self, style: Style) {
        self.runs.push((self.text.len(), style));
    }

    /// Draws it at `x`, at most `max` columns.
    pub fn draw(&self, canvas: &mut Canvas<'_>, x: u16, y: u16, max: u16, right: bool) {
        let mut at = x;
        let end = x + max;
        if right {
            at += max.saturating_sub(super::canvas::width(&self.text).min(usize::from(max)) as u16);
        }
        let runs = self.runs.len();
        let body = if self.keeps_last { runs.saturating_sub(1) } else { runs };
        let tail_at = body.checked_sub(1).and_then(|i| self.runs.get(i)).map_or(0, |(stop, _)| *stop);
        let tail = super::canvas::width(self.text.get(tail_at..).unwrap_or(""));
        // A tail that would leave nothing of the rest is cut like any other text.
        let body_end = if usize::from(max) > tail * 2 { end - tail as u16 } else { end };
        let (mut start, mut cut) = (0, false);
        for (i, (stop, style)) in self.runs.iter().enumerate() {
            let piece = self.text.get(start..*stop).unwrap_or("");
            start = *stop;
            let room = if i < body { body_end } else { end }.saturating_sub(at);
            if room == 0 || (cut && i < body) {
                continue;
            }
            // A run that just fills the cell while more follows must show that something is cut.
            let more = i + 1 < body && tail_at > *stop;
            if more && super::canvas::width(piece) == usize::from(room) {
                // One column less makes it end in an ellipsis.
                at += canvas.put(at, y, room - 1, piece, *style);
                cut = true;
                continue;
            }
            at += canvas.put(at, y, room, piece, *style);
        }
    }
}

/// The rows that a table shows, in display order.
pub trait Rows {
    /// How many.
    fn len(&self) -> usize;
    /// What row `i` is.
    fn key(&self, i: usize) -> RowKey;
    /// Fills the text of a cell.
    fn cell(&self, i: usize, column: usize, cell: &mut CellText);
}

/// The order of the rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sort {
    /// column
    pub column: usize,
    /// greatest first
    pub descending: bool,
}

/// State of a table: everything that lasts from frame to frame.
#[derive(Debug)]
pub struct Table {
    /// columns
    pub columns: &'static [Column],
    /// widths that the pane found to fit its data; None: as declared
    pub widths: Vec<Option<u16>>,
    /// columns not to be shown now
    pub hidden: Vec<bool>,
    /// another head for one column
    pub renamed: Option<(usize, &'static str)>,
    /// None: the pane's own order
    pub sort: Option<Sort>,
    /// marked rows
    pub marks: HashSet<RowKey>,
    selected: Option<RowKey>,
    anchor: Option<RowKey>,
    touched: bool,
    cursor: usize,
    top: usize,
    left: usize,
    page: usize,
    body_at: (u16, u16),
    scratch: CellText,
}

impl Table {
    /// An empty table with these columns.
    pub fn new(columns: &'static [Column]) -> Self {
        Self {
            columns,
            widths: vec![None; columns.len()],
            hidden: vec![false; columns.len()],
            renamed: None,
            sort: None,
            marks: HashSet::new(),
            selected: None,
            anchor: None,
            touched: false,
            cursor: 0,
            top: 0,
            left: 0,
            page: 1,
            body_at: (0, 0),
            scratch: CellText::default(),
        }
    }

    /// The row that the cursor is on.
    pub const fn selected(&self) -> Option<&RowKey> {
        self.selected.as_ref()
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

    /// Finds the selection again after the rows changed. A row that has gone leaves the cursor where it was; a cursor that
    /// was never moved stays on the first row, so that the worst one is always selected.
    pub fn sync(&mut self, rows: &dyn Rows) {
        let n = rows.len();
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
    pub fn move_to(&mut self, i: usize, rows: &dyn Rows) {
        self.touched = true;
        self.cursor = i.min(rows.len().saturating_sub(1));
        self.selected = (self.cursor < rows.len()).then(|| rows.key(self.cursor));
    }

    /// Carries out what any table can do; false if the action means nothing here. Sorting returns true and leaves it to
    /// the pane to rebuild its rows.
    pub fn act(&mut self, action: Action, rows: &dyn Rows) -> bool {
        let page = self.page.max(1);
        match action {
            Action::Up => self.move_to(self.cursor.saturating_sub(1), rows),
            Action::Down => self.move_to(self.cursor + 1, rows),
            Action::PageUp => self.move_to(self.cursor.saturating_sub(page), rows),
            Action::PageDown => self.move_to(self.cursor + page, rows),
            Action::Home => self.move_to(0, rows),
            Action::End => self.move_to(rows.len().saturating_sub(1), rows),
            Action::Left => self.left = self.left.saturating_sub(1),
            Action::Right => self.left += 1,
            Action::Mark => self.mark(rows),
            Action::MarkRange => self.mark_range(rows),
            Action::SortLeft => self.sort_by_neighbour(false),
            Action::SortRight => self.sort_by_neighbour(true),
            Action::SortReverse => self.reverse(),
            _ => return false,
        }
        true
    }

    fn mark(&mut self, rows: &dyn Rows) {
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

    fn mark_range(&mut self, rows: &dyn Rows) {
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

    /// The natural order comes before the first column and after the last one.
    fn sort_by_neighbour(&mut self, right: bool) {
        let can: Vec<usize> = (0..self.columns.len())
            .filter(|c| !self.columns[*c].title.is_empty() && !self.hidden.get(*c).copied().unwrap_or(false))
            .collect();
        let place = self.sort.and_then(|s| can.iter().position(|c| *c == s.column));
        let next = match (place, right) {
            (None, true) => Some(0),
            (None, false) => can.len().checked_sub(1),
            (Some(i), true) => Some(i + 1).filter(|i| *i < can.len()),
            (Some(i), false) => i.checked_sub(1),
        };
        self.sort =
            next.and_then(|i| can.get(i)).map(|c| Sort { column: *c, descending: self.columns[*c].right });
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
                let title = self.columns.get(s.column).map_or("", |c| c.title);
                let _ = write!(out, "by {title} {}", if s.descending { "▾" } else { "▴" });
            }
        }
    }

    /// Draws the head line and the rows in sight.
    pub fn render(&mut self, canvas: &mut Canvas<'_>, theme: &Theme, rows: &dyn Rows, active: bool) {
        let height = usize::from(canvas.height().saturating_sub(1));
        self.page = height.max(1);
        self.top = self.top.min(self.cursor);
        if self.cursor >= self.top + self.page {
            self.top = self.cursor + 1 - self.page;
        }
        self.top = self.top.min(rows.len().saturating_sub(self.page));
        self.body_at = (canvas.area().y + 1, canvas.height().saturating_sub(1));
        let (layout, left) = Layout::fit(self.columns, &self.widths, &self.hidden, canvas.width(), self.left);
        self.left = left;
        self.head(canvas, theme, &layout);
        let mut scratch = std::mem::take(&mut self.scratch);
        for (y, i) in (self.top..rows.len()).take(height).enumerate() {
            let y = y as u16 + 1;
            for p in &layout.places {
                scratch.clear();
                rows.cell(i, p.column, &mut scratch);
                scratch.draw(canvas, p.x, y, p.width, self.columns[p.column].right);
            }
            if !self.marks.is_empty() && self.marks.contains(&rows.key(i)) {
                canvas.glyph(0, y, "▌", theme.accent);
            }
            if i == self.cursor && active {
                canvas.tint(0, y, canvas.width(), 1, theme.selection);
            } else if i == self.cursor {
                canvas.glyph(0, y, "▏", theme.accent);
            }
        }
        self.scratch = scratch;
    }

    fn head(&self, canvas: &mut Canvas<'_>, theme: &Theme, layout: &Layout) {
        for p in &layout.places {
            let column = &self.columns[p.column];
            let sorted = self.sort.filter(|s| s.column == p.column);
            let style = if sorted.is_some() { theme.accent } else { theme.dim };
            let mark = sorted.map_or("", |s| if s.descending { "▾" } else { "▴" });
            let title = self.renamed.filter(|(c, _)| *c == p.column).map_or(column.title, |(_, t)| t);
            let w = super::canvas::width(title) as u16;
            let gap = u16::from(sorted.is_some());
            if column.right {
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

    /// The row drawn at this line of the screen.
    pub fn row_at(&self, y: u16, rows: &dyn Rows) -> Option<usize> {
        let line = y.checked_sub(self.body_at.0).filter(|l| *l < self.body_at.1)?;
        Some(self.top + usize::from(line)).filter(|i| *i < rows.len())
    }
}

/// What rows are sorted by. Unknown values come last, whichever the direction.
#[derive(Debug, Clone, PartialEq)]
pub enum SortKey {
    /// not known
    None,
    /// a number
    Number(f64),
    /// a text, in lower case
    Text(String),
}

impl From<Option<f64>> for SortKey {
    fn from(v: Option<f64>) -> Self {
        v.filter(|v| !v.is_nan()).map_or(Self::None, Self::Number)
    }
}

impl From<Option<i64>> for SortKey {
    fn from(v: Option<i64>) -> Self {
        v.map_or(Self::None, |v| Self::Number(v as f64))
    }
}

impl From<Option<&str>> for SortKey {
    fn from(v: Option<&str>) -> Self {
        v.map_or(Self::None, |v| Self::Text(v.to_ascii_lowercase()))
    }
}

/// Sorts row numbers by a key, stable, unknown values last.
pub fn sort_rows(order: &mut [u32], descending: bool, mut key: impl FnMut(u32) -> SortKey) {
    use std::cmp::Ordering;
    let mut keyed: Vec<(SortKey, u32)> = order.iter().map(|i| (key(*i), *i)).collect();
    keyed.sort_by(|(a, _), (b, _)| {
        let known = match (a, b) {
            (SortKey::None, SortKey::None) => return Ordering::Equal,
            (SortKey::None, _) => return Ordering::Greater,
            (_, SortKey::None) => return Ordering::Less,
            (SortKey::Number(a), SortKey::Number(b)) => a.total_cmp(b),
            (SortKey::Text(a), SortKey::Text(b)) => a.cmp(b),
            (SortKey::Number(_), SortKey::Text(_)) => Ordering::Less,
            (SortKey::Text(_), SortKey::Number(_)) => Ordering::Greater,
        };
        if descending { known.reverse() } else { known }
    });
    for (slot, (_, i)) in order.iter_mut().zip(keyed) {
        *slot = i;
    }
}

#[cfg(test)]
mod cell_tests {
    use super::CellText;
    use crate::tui::widget::screen;
    use ratatui::style::Style;

    #[test]
    fn what_is_kept_is_seen_and_what_is_cut_says_so() {
        let plain = Style::new();
        let shown = |width: u16, kept: bool| {
            let mut cell = CellText::default();
            cell.put(plain, "14 sessions ");
            cell.put(plain, "blocked");
            if kept {
                cell.keep(plain, format_args!(" +2"));
            } else {
                cell.put(plain, " +2");
            }
            screen::drawn(width, 1, |c| cell.draw(c, 0, 0, width, false)).remove(0)
        };
        assert_eq!(shown(22, true), "14 sessions blocked +2");
        assert_eq!(shown(20, true), "14 sessions bloc… +2");
        assert_eq!(shown(15, true), "14 session… +2");
        assert_eq!(shown(12, true), "14 sessi… +2");
        assert_eq!(shown(5, true), "14 s…", "too narrow for both");
        assert_eq!(shown(20, false), "14 sessions blocked…");
    }
}
