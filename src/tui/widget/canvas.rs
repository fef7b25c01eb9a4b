//! A clipped piece of the screen to write on. Everything drawn goes through here, so nothing can be drawn outside,
//! no control character reaches the terminal, and every width is measured as the terminal measures it.

use crate::model::base::{ascii, text::is_harmful};
use ratatui::{
    buffer::{Buffer, Cell},
    layout::Rect,
    style::Style,
};
use unicode_segmentation::UnicodeSegmentation;
use unicode_width::UnicodeWidthStr;

/// Columns that a text takes on the screen once drawn by [`Canvas::put`].
pub fn width(text: &str) -> usize {
    if is_plain(text) { text.len() } else { text.graphemes(true).map(|g| cell_of(g).1).sum() }
}

/// Printable ASCII only: one byte, one column.
fn is_plain(text: &str) -> bool {
    text.bytes().all(|b| (0x20..0x7f).contains(&b))
}

/// The text that a grapheme is drawn as, and its width. Control characters, and the invisible ones that reorder or hide text,
/// become a dot that can be seen.
fn cell_of(grapheme: &str) -> (&str, usize) {
    if grapheme == "\t" {
        return (" ", 1);
    }
    // Private-use characters are drawn as anything; a terminal's width for them is a guess.
    let hidden = |c| is_harmful(c) || matches!(c, '\u{e000}'..='\u{f8ff}');
    if grapheme.chars().any(hidden) {
        return ("·", 1);
    }
    match grapheme.width() {
        0 => ("·", 1),
        n => (grapheme, n.min(2)),
    }
}

/// Puts an ASCII sign in the place of every other character, for terminals that know no others.
pub fn to_ascii(buf: &mut Buffer) {
    for cell in &mut buf.content {
        if let Some(first) = cell.symbol().chars().next().filter(|c| !c.is_ascii()) {
            cell.set_char(ascii::sign(first).unwrap_or(' '));
        }
    }
}

/// A rectangle of the buffer; coordinates are relative to its top left corner.
pub struct Canvas<'a> {
    buf: &'a mut Buffer,
    area: Rect,
    cursor: Option<&'a CursorPlace>,
}

/// Where the hardware cursor shall stand: readers of the screen follow it.
pub type CursorPlace = std::cell::Cell<Option<(u16, u16)>>;

impl<'a> Canvas<'a> {
    /// The part of `area` that lies in the buffer.
    pub fn new(buf: &'a mut Buffer, area: Rect) -> Self {
        let area = area.intersection(buf.area);
        Self { buf, area, cursor: None }
    }

    /// The same, with a place for the hardware cursor.
    pub fn with_cursor(buf: &'a mut Buffer, area: Rect, cursor: &'a CursorPlace) -> Self {
        Self { cursor: Some(cursor), ..Self::new(buf, area) }
    }

    /// Puts the hardware cursor here; what is drawn later may take it elsewhere.
    pub fn stand(&mut self, x: u16, y: u16) {
        if let Some(cursor) = self.cursor
            && x < self.area.width
            && y < self.area.height
        {
            cursor.set(Some((self.area.x + x, self.area.y + y)));
        }
    }

    /// Shows that columns of a line are selected, and puts the hardware cursor on the first.
    pub fn select(&mut self, x: u16, y: u16, width: u16, style: Style) {
        self.tint(x, y, width, 1, style);
        self.stand(x, y);
    }

    /// Columns.
    pub const fn width(&self) -> u16 {
        self.area.width
    }

    /// Rows.
    pub const fn height(&self) -> u16 {
        self.area.height
    }

    /// Where it lies on the screen.
    pub const fn area(&self) -> Rect {
        self.area
    }

    /// A piece of it, clipped.
    pub fn part(&mut self, x: u16, y: u16, width: u16, height: u16) -> Canvas<'_> {
        let x = x.min(self.area.width);
        let y = y.min(self.area.height);
        let area = Rect {
            x: self.area.x + x,
            y: self.area.y + y,
            width: width.min(self.area.width - x),
            height: height.min(self.area.height - y),
        };
        Canvas { buf: self.buf, area, cursor: self.cursor }
    }

    /// Writes a text from column `x`, at most `max` columns; a text that does not fit ends in `…`.
    /// Returns the columns used.
    pub fn put(&mut self, x: u16, y: u16, max: u16, text: &str, style: Style) -> u16 {
        let room = self.area.width.saturating_sub(x).min(max);
        if room == 0 || y >= self.area.height {
            return 0;
        }
        if is_plain(text) {
            self.put_plain(x, y, room, text.as_bytes(), style)
        } else {
            self.put_graphemes(x, y, room, text, style)
        }
    }

    fn put_plain(&mut self, x: u16, y: u16, room: u16, text: &[u8], style: Style) -> u16 {
        let cut = text.len() > usize::from(room);
        let shown = if cut { usize::from(room) - 1 } else { text.len() };
        for (cell, b) in self.cells(x, y, shown as u16).iter_mut().zip(text) {
            cell.set_char(char::from(*b)).set_style(style);
        }
        if cut {
            self.glyph(x + shown as u16, y, "…", style);
        }
        shown as u16 + u16::from(cut)
    }

    fn put_graphemes(&mut self, x: u16, y: u16, room: u16, text: &str, style: Style) -> u16 {
        let mut used = 0_u16;
        let mut graphemes = text.graphemes(true).peekable();
        while let Some(g) = graphemes.next() {
            let (shown, w) = cell_of(g);
            let w = w as u16;
            // The last column is kept for the ellipsis unless this grapheme is the last one.
            if used + w > room || (used + w == room && graphemes.peek().is_some()) {
                self.glyph(x + used, y, "…", style);
                return used + 1;
            }
            self.glyph(x + used, y, shown, style);
            if w == 2 {
                self.set(x + used + 1, y, |c| {
                    c.reset();
                    c.set_style(style);
                });
            }
            used += w;
        }
        used
    }

    /// Like [`Canvas::put`], but ending at column `x + max`.
    pub fn put_right(&mut self, x: u16, y: u16, max: u16, text: &str, style: Style) {
        let w = width(text).min(usize::from(max)) as u16;
        self.put(x + (max - w), y, w, text, style);
    }

    /// One glyph of width one.
    pub fn glyph(&mut self, x: u16, y: u16, glyph: &str, style: Style) {
        self.set(x, y, |c| {
            c.set_symbol(glyph).set_style(style);
        });
    }

    /// A run of the same glyph.
    pub fn repeat(&mut self, x: u16, y: u16, n: u16, glyph: &str, style: Style) {
        for i in 0..n.min(self.area.width.saturating_sub(x)) {
            self.glyph(x + i, y, glyph, style);
        }
    }

    /// Patches the style of a rectangle and leaves its text.
    pub fn tint(&mut self, x: u16, y: u16, width: u16, height: u16, style: Style) {
        let area = self.part(x, y, width, height).area;
        self.buf.set_style(area, style);
    }

    /// Blanks the whole canvas in this style.
    pub fn clear(&mut self, style: Style) {
        let mut blank = Cell::EMPTY;
        blank.set_style(style);
        for y in 0..self.area.height {
            self.cells(0, y, self.area.width).fill(blank.clone());
        }
    }

    /// The cells of a line from column `x` on, at most `n`.
    fn cells(&mut self, x: u16, y: u16, n: u16) -> &mut [Cell] {
        let n = n.min(self.area.width.saturating_sub(x));
        if n == 0 || y >= self.area.height {
            return &mut [];
        }
        let (left, line) = (self.area.x - self.buf.area.x + x, self.area.y - self.buf.area.y + y);
        let from = usize::from(line) * usize::from(self.buf.area.width) + usize::from(left);
        self.buf.content.get_mut(from..from + usize::from(n)).unwrap_or_default()
    }

    fn set(&mut self, x: u16, y: u16, f: impl FnOnce(&mut Cell)) {
        if x < self.area.width
            && y < self.area.height
            && let Some(cell) = self.buf.cell_mut((self.area.x + x, self.area.y + y))
        {
            f(cell);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn drawn(width: u16, text: &str, max: u16) -> String {
        let mut buf = Buffer::empty(Rect::new(0, 0, width, 1));
        Canvas::new(&mut buf, Rect::new(0, 0, width, 1)).put(0, 0, max, text, Style::default());
        buf.content().iter().map(Cell::symbol).collect()
    }

    #[test]
    fn a_long_text_ends_in_an_ellipsis() {
        assert_eq!(drawn(8, "sqlprd-014", 8), "sqlprd-…");
        assert_eq!(drawn(10, "sqlprd-014", 10), "sqlprd-014");
        assert_eq!(drawn(6, "größer", 6), "größer");
        assert_eq!(drawn(6, "größere", 6), "größe…");
        assert_eq!(drawn(3, "abc", 0), "   ");
    }

    #[test]
    fn wide_characters_take_two_columns() {
        assert_eq!(width("日本"), 4);
        assert_eq!(drawn(5, "日本語", 5), "日 本 …");
    }

    #[test]
    fn hostile_text_cannot_reach_the_terminal() {
        let d = drawn(20, "a\u{1b}[31mb\u{202e}c\nd\u{0}", 20);
        assert!(d.starts_with("a·[31mb·c·d·"), "{d}");
        assert_eq!(width("a\u{1b}b"), 3);
    }

    #[test]
    fn nothing_is_drawn_outside() {
        let mut buf = Buffer::empty(Rect::new(0, 0, 3, 2));
        let mut c = Canvas::new(&mut buf, Rect::new(1, 1, 50, 50));
        assert_eq!((c.width(), c.height()), (2, 1));
        c.put(0, 7, 9, "x", Style::default());
        c.put(9, 0, 9, "x", Style::default());
        c.put_right(0, 0, 40, "xyz", Style::default());
        c.part(5, 5, 5, 5).clear(Style::default());
    }

    #[test]
    fn a_part_is_cleared_and_nothing_beside_it() {
        let mut buf = Buffer::filled(Rect::new(2, 3, 4, 3), Cell::new("x"));
        let mut c = Canvas::new(&mut buf, Rect::new(3, 4, 2, 50));
        c.clear(Style::new().bold());
        c.put(1, 1, 9, "abc", Style::new());
        let text: String = buf.content().iter().map(Cell::symbol).collect();
        assert_eq!(text, "xxxxx  xx …x");
        assert!(buf.content().iter().all(|cell| (cell.symbol() == "x") == cell.modifier.is_empty()));
    }
}
