//! A question that only a typed word answers, for actions that must not happen by accident.

use super::input::Line;
use crate::tui::{
    key::Chord,
    theme::Theme,
    widget::{canvas::Canvas, fold::fold},
};
use ratatui::style::Style;

/// The question.
pub struct Confirm {
    /// what is at stake, a sentence each
    lines: Vec<(Style, String)>,
    /// what to type
    word: String,
    typed: Line,
    /// Enter was pressed with another text
    wrong: bool,
}

impl Confirm {
    /// With what is at stake and the word that means yes.
    pub fn new(lines: Vec<(Style, String)>, word: impl Into<String>) -> Self {
        Self { lines, word: word.into(), typed: Line::default(), wrong: false }
    }

    /// True if Enter means yes now; else it says what to type.
    pub fn is_answered(&mut self) -> bool {
        let answered = self.typed.text().trim().eq_ignore_ascii_case(&self.word);
        self.wrong = !answered;
        answered
    }

    /// Takes a key.
    pub fn key(&mut self, chord: Chord) {
        self.wrong &= !self.typed.key(chord);
    }

    /// The number of lines on a canvas of this width.
    pub fn height(&self, width: u16) -> u16 {
        let room = usize::from(width.saturating_sub(4));
        self.lines.iter().map(|(_, text)| fold(text, room).len() as u16).sum::<u16>() + 3
    }

    /// Draws it over the whole canvas.
    pub fn render(&self, canvas: &mut Canvas<'_>, theme: &Theme) {
        canvas.clear(theme.panel);
        let (w, h) = (canvas.width(), canvas.height());
        canvas.repeat(0, 0, w, "─", theme.rule);
        let mut y = 1;
        let room = usize::from(w.saturating_sub(4));
        for (style, text) in &self.lines {
            for line in fold(text, room) {
                // The last line is for the answer.
                if y + 2 < h {
                    canvas.put(2, y, w.saturating_sub(4), &line, *style);
                    y += 1;
                }
            }
        }
        let y = h.saturating_sub(1);
        let prompt = format!("Type {} and Enter; Esc is no: ", self.word);
        let mut line = canvas.part(2, y, w.saturating_sub(2), 1);
        line.clear(theme.input);
        let used = self.typed.render(&mut line, 0, &prompt, theme);
        if self.wrong {
            line.put(used + 2, 0, w, "that is not it: nothing was done", theme.critical);
        }
    }
}
