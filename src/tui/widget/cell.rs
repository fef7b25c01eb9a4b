//! The text of one table cell, in runs of one style each. A table fills and draws every cell through one reused value.

use super::canvas::{self, Canvas};
use ratatui::style::Style;
use std::fmt::{self, Write as _};

/// The text of one cell, in runs of one style each. Reused from cell to cell.
#[derive(Debug, Default)]
pub struct CellText {
    text: String,
    runs: Vec<(usize, Style)>,
    /// the last run is shown whole, the text before it is cut
    keeps_last: bool,
    /// columns that the cell has; 0: as many as it needs
    pub room: usize,
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

    /// Adds a last text that stays when the cell is too narrow: the text before it is cut instead.
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
        self.room = 0;
    }

    fn close(&mut self, style: Style) {
        self.runs.push((self.text.len(), style));
    }

    /// Draws it at `x`, at most `max` columns.
    pub fn draw(&self, canvas: &mut Canvas<'_>, x: u16, y: u16, max: u16, right: bool) {
        let mut at = x;
        let end = x + max;
        if right {
            at += max.saturating_sub(canvas::width(&self.text).min(usize::from(max)) as u16);
        }
        let runs = self.runs.len();
        let body = if self.keeps_last { runs.saturating_sub(1) } else { runs };
        let tail_at = body.checked_sub(1).and_then(|i| self.runs.get(i)).map_or(0, |(stop, _)| *stop);
        let tail = canvas::width(self.text.get(tail_at..).unwrap_or(""));
        // A tail that leaves no room for the rest is cut like any other text.
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
            if more && canvas::width(piece) == usize::from(room) {
                // One column less makes it end in an ellipsis.
                at += canvas.put(at, y, room - 1, piece, *style);
                cut = true;
                continue;
            }
            at += canvas.put(at, y, room, piece, *style);
        }
    }
}

#[cfg(test)]
mod tests {
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
