//! Layers to read: the details of a row, and the keys.

use super::document::{Document, Line};
use crate::model::session::Statement;
use crate::tui::{
    action::Action,
    theme::Theme,
    widget::{
        canvas::{Canvas, width},
        sql::SqlView,
        table::RowKey,
    },
};
use ratatui::style::Style;
use std::sync::Arc;
use unicode_segmentation::UnicodeSegmentation;

/// Column where the values of fields start.
const VALUE_AT: usize = 16;

/// A scrolled document.
#[derive(Debug, Default)]
pub struct Reader {
    document: Document,
    /// (text, style, indent) by screen line
    wrapped: Vec<(String, Style, usize, bool)>,
    wrapped_for: (u16, usize),
    sql: Option<SqlView>,
    top: usize,
    page: usize,
    generation: usize,
}

impl Reader {
    /// From a document.
    pub fn new(document: Document) -> Self {
        let mut r = Self::default();
        r.set(document);
        r
    }

    /// Shows another state of the document and stays where it is. The statement is not analysed again while it is the same.
    pub fn set(&mut self, document: Document) {
        let same = |a: &Option<Statement>, b: &Statement| {
            a.as_ref().is_some_and(|a| Arc::ptr_eq(&a.text, &b.text) && a.start == b.start && a.end == b.end)
        };
        match &document.statement {
            None => self.sql = None,
            Some(s) if self.sql.is_some() && same(&self.document.statement, s) => {}
            Some(s) => self.sql = Some(SqlView::new(s.clone(), true)),
        }
        self.document = document;
        self.generation += 1;
    }

    /// The document.
    pub const fn document(&self) -> &Document {
        &self.document
    }

    /// Scrolls; false if the action means nothing here.
    pub fn act(&mut self, action: Action) -> bool {
        let page = self.page.max(2) - 1;
        self.top = match action {
            Action::Up => self.top.saturating_sub(1),
            Action::Down => self.top + 1,
            Action::PageUp => self.top.saturating_sub(page),
            Action::PageDown => self.top + page,
            Action::Home => 0,
            Action::End => usize::MAX,
            _ => return false,
        };
        true
    }

    /// Draws title and text over the whole canvas.
    pub fn render(&mut self, canvas: &mut Canvas<'_>, theme: &Theme) {
        canvas.clear(theme.base);
        let (w, h) = (canvas.width(), canvas.height());
        canvas.repeat(0, 0, w, "─", theme.rule);
        let used = canvas.put(1, 0, w.saturating_sub(2), " ", theme.base);
        let used = used + canvas.put(1 + used, 0, w.saturating_sub(4), &self.document.title, theme.strong);
        canvas.put(1 + used, 0, 1, " ", theme.base);
        let columns = w.saturating_sub(4);
        self.wrap(columns, theme);
        let sql_lines = self.sql.as_mut().map_or(0, |s| s.lay_out(columns));
        let total = self.wrapped.len() + sql_lines;
        self.page = usize::from(h.saturating_sub(1));
        self.top = self.top.min(total.saturating_sub(self.page));
        for y in 0..self.page {
            let n = self.top + y;
            let line_y = y as u16 + 1;
            if let Some((text, style, indent, head)) = self.wrapped.get(n) {
                if *head {
                    canvas.repeat(1, line_y, w.saturating_sub(2), "─", theme.rule);
                    let used = canvas.put(2, line_y, columns, text, theme.dim);
                    canvas.put(2 + used, line_y, 1, " ", theme.base);
                    canvas.put(1, line_y, 1, " ", theme.base);
                    continue;
                }
                let x = 2 + *indent as u16;
                if *indent > 0 && let Some((name, rest)) = text.split_once('\u{1}') {
                    canvas.put(2, line_y, VALUE_AT as u16 - 1, name, theme.dim);
                    canvas.put(x, line_y, w.saturating_sub(x + 1), rest, *style);
                } else {
                    canvas.put(x, line_y, w.saturating_sub(x + 1), text, *style);
                }
            } else if let Some(sql) = &self.sql {
                sql.render_line(&mut canvas.part(2, line_y, columns, 1), n - self.wrapped.len(), theme);
            }
        }
        if total > self.page {
            let last = (self.top + self.page).min(total);
            let place = format!(" {}–{last} of {total} ", self.top + 1);
            canvas.put_right(0, 0, w.saturating_sub(2), &place, theme.dim);
        }
    }

    fn wrap(&mut self, columns: u16, theme: &Theme) {
        if self.wrapped_for == (columns, self.generation) {
            return;
        }
        self.wrapped_for = (columns, self.generation);
        self.wrapped.clear();
        let columns = usize::from(columns).max(1);
        for line in &self.document.lines {
            match line {
                Line::Blank => self.wrapped.push((String::new(), theme.base, 0, false)),
                Line::Head(t) => self.wrapped.push((t.clone(), theme.dim, 0, true)),
                Line::Text(t, style) => {
                    self.wrapped.extend(fold(t, columns).into_iter().map(|l| (l, *style, 0, false)));
                }
                Line::Field(name, value, style) => {
                    let room = columns.saturating_sub(VALUE_AT).max(8);
                    for (n, part) in fold(value, room).into_iter().enumerate() {
                        let name = if n == 0 { name } else { "" };
                        self.wrapped.push((format!("{name}\u{1}{part}"), *style, VALUE_AT, false));
                    }
                }
            }
        }
        if self.document.statement.is_some() {
            self.wrapped.push((String::new(), theme.base, 0, false));
            self.wrapped.push(("statement".to_owned(), theme.dim, 0, true));
        }
    }
}

/// Breaks a text at blanks so that no line is wider than `columns`; a word that is too long is cut.
pub fn fold(text: &str, columns: usize) -> Vec<String> {
    let columns = columns.max(1);
    let mut lines = Vec::new();
    for raw in text.split('\n') {
        let mut line = String::new();
        let mut used = 0;
        for word in raw.split_word_bounds() {
            let w = width(word);
            if used + w > columns && used > 0 {
                lines.push(std::mem::take(&mut line));
                used = 0;
                if word.trim().is_empty() {
                    continue;
                }
            }
            if w <= columns {
                line.push_str(word);
                used += w;
                continue;
            }
            for g in word.graphemes(true) {
                let w = width(g);
                if used + w > columns && used > 0 {
                    lines.push(std::mem::take(&mut line));
                    used = 0;
                }
                line.push_str(g);
                used += w;
            }
        }
        lines.push(line);
    }
    lines
}

/// The details of one row; follows the row while it lives.
#[derive(Debug)]
pub struct Details {
    /// the row
    pub key: RowKey,
    /// the text
    pub reader: Reader,
    /// the row has gone: the text is its last state
    pub gone: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_folded_at_blanks() {
        assert_eq!(fold("one two three", 8), ["one two ", "three"]);
        assert_eq!(fold("abcdefghij", 4), ["abcd", "efgh", "ij"]);
        assert_eq!(fold("a\nb", 4), ["a", "b"]);
        assert_eq!(fold("", 4), [""]);
        for w in 0..12 {
            for line in fold("größere Dinge 日本語 and so on", w) {
                assert!(width(&line) <= w.max(2), "{line:?} in {w}");
            }
        }
    }
}
