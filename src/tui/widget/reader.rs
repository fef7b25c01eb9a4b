//! A document that is read: folded to the width there is, scrolled, with its statement beside or above it. Layers that show
//! a text hold one.

use super::{
    canvas::{Canvas, width},
    cursor::moved,
    document::{Document, Line},
    fold::fold,
    sqlview::SqlView,
};
use crate::model::poll::statement::Statement;
use crate::tui::{action::Action, theme::Theme};
use ratatui::style::Style;
use std::{borrow::Cow, sync::Arc};

/// Column where the values of fields start.
const VALUE_AT: u16 = 18;

/// From this width on the statement stands beside the fields, not above them.
pub const SIDE_BY_SIDE: u16 = 120;

/// Width of the fields beside a statement.
const FIELDS: u16 = 52;

/// A line ready to be drawn.
#[derive(Debug)]
struct Shown {
    name: Cow<'static, str>,
    text: String,
    style: Style,
    head: bool,
}

/// A scrolled document.
#[derive(Debug, Default)]
pub struct Reader {
    document: Document,
    lines: Vec<Shown>,
    /// width and generation that `lines` were made for
    made_for: (u16, usize),
    generation: usize,
    sql: Option<SqlView>,
    top: usize,
    page: usize,
}

impl Reader {
    /// From a document.
    pub fn new(document: Document) -> Self {
        let mut r = Self::default();
        r.set(document);
        r
    }

    /// Shows another state of the document and stays where it is. The statement is not analysed again while it is the
    /// same.
    pub fn set(&mut self, document: Document) {
        let same = |a: &Option<Statement>, b: &Statement| {
            a.as_ref().is_some_and(|a| Arc::ptr_eq(&a.text, &b.text) && a.start == b.start && a.end == b.end)
        };
        match &document.statement {
            None => self.sql = None,
            Some(s) if self.sql.is_some() && same(&self.document.statement, s) => {}
            Some(s) => self.sql = Some(SqlView::new(Arc::clone(&s.text.batch), Some(s.start..s.end), true)),
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
        // The last line is known when the text has been folded; one line of a page stays in sight.
        let Some(top) = moved(action, self.top, usize::MAX, self.page.saturating_sub(1)) else {
            return false;
        };
        self.top = top;
        true
    }

    /// Draws title and text over the whole canvas.
    pub fn render(&mut self, canvas: &mut Canvas<'_>, theme: &Theme) {
        canvas.clear(theme.screen);
        let (w, h) = (canvas.width(), canvas.height());
        self.page = usize::from(h.saturating_sub(1));
        let beside = w >= SIDE_BY_SIDE && self.sql.is_some();
        let columns = if beside { FIELDS } else { w.saturating_sub(2) };
        self.make_lines(columns, theme);
        let (lines, page) = (self.lines.len(), self.page);
        let sql_at =
            if beside { (columns + 3, w.saturating_sub(columns + 4)) } else { (1, w.saturating_sub(2)) };
        let sql_rows = self.sql.as_mut().map_or(0, |s| s.count(sql_at.1));
        // On a narrow screen the statement comes first: the row told the most important fields already.
        let above = if sql_rows > 0 && !beside { sql_rows + 1 } else { 0 };
        let total = if beside { lines.max(sql_rows) } else { above + lines };
        self.top = self.top.min(total.saturating_sub(page));
        let first =
            if beside { self.top.min(lines.saturating_sub(page)) } else { self.top.saturating_sub(above) };
        let y = if beside { 0 } else { above.saturating_sub(self.top) };
        for (n, line) in self.lines.iter().skip(first).take(page.saturating_sub(y)).enumerate() {
            draw_line(&mut canvas.part(1, (y + n) as u16 + 1, columns, 1), line, theme);
        }
        if let Some(sql) = &mut self.sql {
            let rows = if beside { page } else { sql_rows.saturating_sub(self.top).min(page) } as u16;
            sql.show_from(if beside { self.top.min(sql_rows.saturating_sub(page)) } else { self.top });
            if beside {
                for y in 1..h {
                    canvas.glyph(columns + 1, y, "│", theme.rule);
                }
            }
            if rows > 0 {
                sql.draw(&mut canvas.part(sql_at.0, 1, sql_at.1, rows), theme);
            }
        }
        let mut position = String::new();
        if total > page {
            position = format!(" {}–{} of {total} ", self.top + 1, (self.top + page).min(total));
        }
        // The title is cut before it: neither is drawn over the other.
        let room = w.saturating_sub(width(&position) as u16 + 2);
        canvas.repeat(0, 0, w, "─", theme.rule);
        head(&mut canvas.part(0, 0, room, 1), 0, &self.document.title, theme.strong, theme);
        canvas.put_right(0, 0, w.saturating_sub(2), &position, theme.dim);
    }

    fn make_lines(&mut self, columns: u16, theme: &Theme) {
        if self.made_for == (columns, self.generation) {
            return;
        }
        self.made_for = (columns, self.generation);
        self.lines.clear();
        let plain = |text: String, style: Style| Shown { name: "".into(), text, style, head: false };
        for line in &self.document.lines {
            match line {
                Line::Blank => self.lines.push(plain(String::new(), theme.base)),
                Line::Head(t) => {
                    self.lines.push(Shown { name: "".into(), text: t.clone(), style: theme.dim, head: true });
                }
                Line::Text(t, style) => {
                    self.lines.extend(fold(t, usize::from(columns)).into_iter().map(|l| plain(l, *style)));
                }
                Line::Field(name, value, style) => {
                    let room = usize::from(columns.saturating_sub(VALUE_AT).max(8));
                    for (n, text) in fold(value, room).into_iter().enumerate() {
                        // A blank name moves the rest of a long value below its start.
                        let name = if n == 0 { name.clone() } else { " ".into() };
                        self.lines.push(Shown { name, text, style: *style, head: false });
                    }
                }
            }
        }
    }
}

fn draw_line(canvas: &mut Canvas<'_>, line: &Shown, theme: &Theme) {
    let w = canvas.width();
    if line.head {
        head(canvas, 0, &line.text, theme.dim, theme);
    } else if line.name.is_empty() {
        canvas.put(0, 0, w, &line.text, line.style);
    } else {
        canvas.put(0, 0, VALUE_AT - 1, &line.name, theme.dim);
        canvas.put(VALUE_AT, 0, w.saturating_sub(VALUE_AT), &line.text, line.style);
    }
}

/// A rule with a title in it.
fn head(canvas: &mut Canvas<'_>, y: u16, text: &str, style: Style, theme: &Theme) {
    let w = canvas.width();
    canvas.repeat(0, y, w, "─", theme.rule);
    canvas.put(1, y, 1, " ", theme.base);
    let used = canvas.put(2, y, w.saturating_sub(4), text, style);
    canvas.put(2 + used, y, 1, " ", theme.base);
}
