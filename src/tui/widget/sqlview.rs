//! A SQL text to read: highlighted, wrapped, scrolled, with the running statement standing out of its batch. Called by the
//! details layer and by the panes that show a statement below their table.
//!
//! A text is lexed once when it is opened and wrapped once for a width; a frame touches the rows in sight only, so
//! 256,000 characters scroll like ten.

use super::canvas::{self, Canvas};
use crate::{
    sql::highlight::{self, Class},
    tui::theme::Theme,
};
use ratatui::style::Style;
use std::{fmt::Write as _, ops::Range, sync::Arc};
use unicode_segmentation::UnicodeSegmentation;

/// Columns from one tab stop to the next.
const TAB: usize = 4;

/// Columns by which the rest of a wrapped line is moved in, where there is room for it.
const HANG: u16 = 2;

/// The style of a piece of SQL.
pub const fn style_of(class: Class, theme: &Theme) -> Style {
    match class {
        Class::Keyword | Class::Type => theme.keyword,
        Class::Function | Class::System => theme.accent,
        Class::Text => theme.string,
        Class::Number | Class::Variable => theme.number,
        Class::Comment => theme.comment,
        Class::Plain | Class::Name | Class::Operator => theme.base,
    }
}

/// A row on the screen: a line of the text, or a part of one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Row {
    start: usize,
    end: usize,
    /// number of the line that starts here; None for the rest of a wrapped one
    line: Option<u32>,
}

/// A text and the place that is being looked at.
#[derive(Debug)]
pub struct SqlView {
    text: Arc<str>,
    /// bytes of the statement that runs; None if it is all of the text
    focus: Option<Range<usize>>,
    /// first bytes of the pieces, with their classes
    pieces: Vec<(usize, Class)>,
    numbers: bool,
    rows: Vec<Row>,
    /// columns that `rows` were made for
    wrapped_for: Option<u16>,
    /// the next frame scrolls to the running statement
    seek: bool,
    top: usize,
    page: usize,
}

impl SqlView {
    /// Opens a text. `focus` is the byte range of the statement that runs; the view starts there. With `numbers` the
    /// lines are numbered.
    pub fn new(text: Arc<str>, focus: Option<Range<usize>>, numbers: bool) -> Self {
        let pieces = highlight::classify(&text).map(|(class, token)| (token.start, class)).collect();
        let focus = focus.filter(|f| {
            let inside = text.get(f.clone()).is_some_and(|s| !s.trim().is_empty());
            let around = |r: Range<usize>| text.get(r).is_some_and(|s| !s.trim().is_empty());
            inside && (around(0..f.start) || around(f.end..text.len()))
        });
        let seek = focus.is_some();
        Self { text, focus, pieces, numbers, rows: Vec::new(), wrapped_for: None, seek, top: 0, page: 1 }
    }

    /// Moves down by rows, up by negative ones.
    pub const fn scroll(&mut self, by: isize) {
        self.top = self.top.saturating_add_signed(by);
        self.seek = false;
    }

    /// Moves by pages.
    pub const fn page(&mut self, by: isize) {
        self.scroll(by.saturating_mul(self.page as isize));
    }

    /// Moves by halves of a page.
    pub fn half_page(&mut self, by: isize) {
        self.scroll(by.saturating_mul((self.page / 2).max(1) as isize));
    }

    /// Puts a row at the top of the next frame.
    pub const fn show_from(&mut self, row: usize) {
        self.top = row;
        self.seek = false;
    }

    /// Number of rows when drawn this wide, gutter included.
    pub fn count(&mut self, width: u16) -> usize {
        let gutter = self.gutter();
        let inner = width - if width > gutter + 10 { gutter } else { 0 };
        if inner > 0 && self.wrapped_for != Some(inner) {
            self.wrap(inner);
        }
        self.rows.len()
    }

    /// To the first row.
    pub const fn home(&mut self) {
        self.scroll(isize::MIN + 1);
    }

    /// To the last page.
    pub const fn end(&mut self) {
        self.top = usize::MAX;
        self.seek = false;
    }

    /// Draws the rows in sight on the whole canvas.
    pub fn draw(&mut self, canvas: &mut Canvas<'_>, theme: &Theme) {
        let gutter = self.gutter();
        let gutter = if canvas.width() > gutter + 10 { gutter } else { 0 };
        let width = canvas.width() - gutter;
        if width == 0 || canvas.height() == 0 {
            return;
        }
        if self.wrapped_for != Some(width) {
            self.wrap(width);
        }
        self.page = usize::from(canvas.height());
        if self.seek {
            self.seek = false;
            self.top = self.focus_row().saturating_sub(self.page / 4);
        }
        self.top = self.top.min(self.rows.len().saturating_sub(self.page));
        let mut label = String::new();
        for (y, row) in self.rows.iter().skip(self.top).take(self.page).enumerate() {
            let y = y as u16;
            if gutter > 0 {
                self.draw_gutter(canvas, y, gutter, row, &mut label, theme);
            }
            let hang = if row.line.is_none() { hang(width) } else { 0 };
            self.draw_row(&mut canvas.part(gutter + hang, y, width - hang, 1), row, theme);
        }
    }

    /// Columns for the mark of the running statement and for line numbers.
    fn gutter(&self) -> u16 {
        let mark = if self.focus.is_some() { 2 } else { 0 };
        let digits = self.lines().checked_ilog10().unwrap_or(0) as u16 + 1;
        mark + if self.numbers { digits + 1 } else { 0 }
    }

    /// Lines of the text, known once it has been wrapped.
    fn lines(&self) -> usize {
        let known = self.rows.iter().rev().find_map(|r| r.line).map(|n| n as usize);
        known.unwrap_or_else(|| self.text.bytes().filter(|b| *b == b'\n').count() + 1)
    }

    /// The first row of the running statement.
    fn focus_row(&self) -> usize {
        let at = self.focus.as_ref().map_or(0, |f| f.start);
        let skipped = self.text.get(at..).map_or(0, |s| s.len() - s.trim_start().len());
        self.rows.partition_point(|r| r.start <= at + skipped).saturating_sub(1)
    }

    fn wrap(&mut self, width: u16) {
        self.wrapped_for = Some(width);
        self.rows.clear();
        let (mut start, mut line) = (0, 1);
        for text in self.text.split('\n') {
            wrap_line(text, start, line, width, &mut self.rows);
            start += text.len() + 1;
            line += 1;
        }
    }

    fn draw_gutter(
        &self,
        canvas: &mut Canvas<'_>,
        y: u16,
        gutter: u16,
        row: &Row,
        label: &mut String,
        theme: &Theme,
    ) {
        let mark = if self.focus.is_some() { 2 } else { 0 };
        if self.focus.as_ref().is_some_and(|f| self.trimmed(f).is_some_and(|f| touches(&f, row))) {
            canvas.glyph(0, y, "▌", theme.accent);
        }
        if let (true, Some(n)) = (self.numbers, row.line) {
            label.clear();
            // Writing to a String cannot fail.
            let _ = write!(label, "{n}");
            canvas.put_right(mark, y, gutter.saturating_sub(mark + 1), label, theme.rule);
        }
    }

    /// A range without the blanks at its ends.
    fn trimmed(&self, range: &Range<usize>) -> Option<Range<usize>> {
        let text = self.text.get(range.clone())?;
        let start = range.start + text.len() - text.trim_start().len();
        Some(start..start + text.trim().len())
    }

    fn draw_row(&self, canvas: &mut Canvas<'_>, row: &Row, theme: &Theme) {
        let mut i = self.pieces.partition_point(|(start, _)| *start <= row.start).saturating_sub(1);
        let (mut at, mut column) = (row.start, 0);
        while at < row.end && column < canvas.width() {
            let Some((_, class)) = self.pieces.get(i) else { return };
            let next = self.pieces.get(i + 1).map_or(self.text.len(), |(start, _)| *start);
            // A piece is cut where the running statement begins and ends.
            let edge = self.focus.iter().flat_map(|f| [f.start, f.end]).filter(|e| *e > at).min();
            let end = next.min(row.end).min(edge.unwrap_or(usize::MAX));
            let lit = self.focus.as_ref().is_none_or(|f| f.contains(&at));
            let style = if lit { style_of(*class, theme) } else { theme.dim };
            column = draw_piece(canvas, column, self.text.get(at..end).unwrap_or(""), style);
            if end >= next {
                i += 1;
            }
            at = end.max(at + 1);
        }
    }
}

fn touches(range: &Range<usize>, row: &Row) -> bool {
    row.start < range.end && range.start < row.end.max(row.start + 1)
}

const fn hang(width: u16) -> u16 {
    if width >= 24 { HANG } else { 0 }
}

/// Draws a piece with its tabs; returns the column after it.
fn draw_piece(canvas: &mut Canvas<'_>, mut column: u16, text: &str, style: Style) -> u16 {
    for (i, part) in text.split('\t').enumerate() {
        if i > 0 {
            column += (TAB - usize::from(column) % TAB) as u16;
        }
        let room = canvas.width().saturating_sub(column);
        column += canvas.put(column, 0, room, part, style);
    }
    column
}

/// Cuts one line into rows of at most `width` columns: after a blank or a comma if there is one in the second half of the
/// row, else where the row ends.
fn wrap_line(text: &str, start: usize, line: u32, width: u16, rows: &mut Vec<Row>) {
    let mut row = Row { start, end: start, line: Some(line) };
    let mut room = usize::from(width);
    let (mut column, mut break_at) = (0, None);
    let mut at = start;
    let plain = text.bytes().all(|b| (b' '..=b'~').contains(&b) || b == b'\t');
    let mut rest = text;
    while !rest.is_empty() {
        let piece = if plain { rest.get(..1) } else { rest.graphemes(true).next() }.unwrap_or(rest);
        let wide = match piece {
            "\t" => TAB - column % TAB,
            _ if plain => 1,
            _ => canvas::width(piece),
        };
        if column > 0 && column + wide > room {
            row.end = break_at.unwrap_or(at);
            rows.push(row);
            let skipped = text.get(row.end - start..).map_or(0, |s| s.len() - s.trim_start().len());
            at = row.end + skipped;
            rest = text.get(at - start..).unwrap_or("");
            room = usize::from(width - hang(width));
            (column, break_at) = (0, None);
            row = Row { start: at, end: at, line: None };
            continue;
        }
        column += wide;
        at += piece.len();
        rest = rest.get(piece.len()..).unwrap_or("");
        if column > room / 2 && matches!(piece, " " | "\t" | ",") {
            break_at = Some(at);
        }
    }
    row.end = at;
    if row.line.is_some() || row.end > row.start {
        rows.push(row);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tui::{
        theme::Depth,
        widget::screen::{buffer, drawn},
    };
    use proptest::prelude::*;

    fn theme() -> Theme {
        Theme::load("dark", Depth::True).unwrap()
    }

    fn show(text: &str, focus: Option<Range<usize>>, numbers: bool, w: u16, h: u16) -> Vec<String> {
        drawn(w, h, |c| SqlView::new(text.into(), focus, numbers).draw(c, &theme()))
    }

    #[test]
    fn long_lines_wrap_at_blanks_and_hang() {
        assert_eq!(
            show("SELECT a, b FROM dbo.[Order] WHERE OrderId = @p0\nGO", None, true, 32, 4),
            ["1 SELECT a, b FROM dbo.[Order]", "    WHERE OrderId = @p0", "2 GO", ""]
        );
        assert_eq!(show("abcdefgh", None, false, 3, 3), ["abc", "def", "gh"]);
        assert_eq!(show("日本語", None, false, 5, 2), ["日 本", "語"]);
    }

    #[test]
    fn tabs_and_empty_lines_keep_their_place() {
        assert_eq!(show("a\tb\n\n\tc", None, false, 20, 3), ["a   b", "", "    c"]);
    }

    #[test]
    fn pieces_have_the_colours_of_their_classes() {
        let t = theme();
        let buf = buffer(30, 1, |c| SqlView::new("SELECT N'x', 1 -- c".into(), None, false).draw(c, &t));
        let fg = |x: u16| Some(buf.cell((x, 0)).unwrap().fg);
        assert_eq!([fg(0), fg(7), fg(13), fg(15)], [t.keyword.fg, t.string.fg, t.number.fg, t.comment.fg]);
    }

    #[test]
    fn the_running_statement_stands_out_and_is_where_the_view_starts() {
        let text = (0..50).map(|i| format!("PRINT {i};")).collect::<Vec<_>>().join("\n");
        let start = text.find("PRINT 30").unwrap();
        let focus = start..start + 9;
        let shown = show(&text, Some(focus.clone()), false, 40, 8);
        assert_eq!(shown[..4], ["  PRINT 28;", "  PRINT 29;", "▌ PRINT 30;", "  PRINT 31;"]);
        let t = theme();
        let buf = buffer(40, 8, |c| SqlView::new(text.into(), Some(focus), false).draw(c, &t));
        let fg = |y: u16| Some(buf.cell((2, y)).unwrap().fg);
        assert_eq!([fg(1), fg(2)], [t.dim.fg, t.keyword.fg]);
    }

    #[test]
    fn a_statement_that_is_all_of_the_text_needs_no_mark() {
        assert_eq!(show(" SELECT 1 ", Some(1..9), false, 20, 1), [" SELECT 1"]);
        assert_eq!(
            show("SELECT 1", Some(3..900), false, 20, 1),
            ["SELECT 1"],
            "a range that is off is no focus"
        );
    }

    #[test]
    fn scrolling_stops_at_both_ends() {
        let text = (1..=20).map(|i| i.to_string()).collect::<Vec<_>>().join("\n");
        let mut view = SqlView::new(text.into(), None, false);
        let mut first = |f: &dyn Fn(&mut SqlView)| {
            f(&mut view);
            drawn(9, 5, |c| view.draw(c, &theme()))[0].clone()
        };
        assert_eq!(first(&|_| {}), "1");
        assert_eq!(first(&|v| v.scroll(-3)), "1");
        assert_eq!(first(&|v| v.page(1)), "6");
        assert_eq!(first(&SqlView::end), "16");
        assert_eq!(first(&|v| v.scroll(1)), "16");
        assert_eq!(first(&SqlView::home), "1");
    }

    #[test]
    fn a_string_that_began_above_is_still_a_string() {
        let t = theme();
        let mut view = SqlView::new("SELECT '\nSELECT\n'".into(), None, false);
        view.scroll(1);
        let buf = buffer(10, 1, |c| view.draw(c, &t));
        assert_eq!(Some(buf.cell((0, 0)).unwrap().fg), t.string.fg);
    }

    proptest! {
        #[test]
        fn every_visible_character_is_in_exactly_one_row(text in "[a-z ,'\t\n日é]{0,200}", w in 1_u16..60) {
            let mut rows = Vec::new();
            let mut start = 0;
            for line in text.split('\n') {
                wrap_line(line, start, 1, w, &mut rows);
                start += line.len() + 1;
            }
            let kept: String = rows.iter().map(|r| &text[r.start..r.end]).collect();
            let visible = |s: &str| s.chars().filter(|c| !c.is_whitespace()).collect::<String>();
            prop_assert_eq!(visible(&kept), visible(&text));
        }

        #[test]
        fn any_text_on_any_canvas_holds(
            text in "\\PC{0,80}|[ \t\n\u{1b}'\\[\\]a-z日-]{0,200}", w in 0_u16..80, h in 0_u16..20, a in 0_usize..300,
            n in 0_usize..300, by in -50_isize..50, numbers: bool,
        ) {
            let mut view = SqlView::new(text.into(), Some(a..a + n), numbers);
            drawn(w, h, |c| view.draw(c, &theme()));
            view.scroll(by);
            drawn(h, w, |c| view.draw(c, &theme()));
        }
    }
}
