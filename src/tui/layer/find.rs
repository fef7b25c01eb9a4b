//! Looking for a text in a layer: `/`, and the text in the last line of the screen. The layer says what has it.

use super::input::Line;
use crate::{
    model::base::figure::counted,
    tui::{
        action::{Action, Context},
        key::Chord,
        theme::Theme,
        widget::canvas::Canvas,
    },
};

/// The text that is looked for.
#[derive(Debug, Default)]
pub struct Find {
    wanted: String,
    /// it is typed
    line: Option<Line>,
}

/// What an action was for the search.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Taken {
    /// nothing
    No,
    /// it was for the search, and the text is the same
    Same,
    /// there is another text
    Other,
}

impl Find {
    /// The context of its layer: that of text while it is typed.
    pub const fn context(&self, otherwise: Context) -> Context {
        if self.line.is_some() { Context::Input } else { otherwise }
    }

    /// The text; empty: everything is shown.
    pub const fn wanted(&self) -> &str {
        self.wanted.as_str()
    }

    /// True if a line has the text, in any case.
    pub fn has(&self, line: &str) -> bool {
        self.wanted.is_empty() || line.to_lowercase().contains(&self.wanted.to_lowercase())
    }

    /// Opens the line, keeps what is typed, or takes it back.
    pub fn act(&mut self, action: Action) -> Taken {
        match action {
            Action::Enter if self.line.take().is_some() => Taken::Same,
            Action::Out if self.line.take().is_some() || !self.wanted.is_empty() => {
                self.wanted.clear();
                Taken::Other
            }
            Action::Filter => {
                self.line = Some(Line::selected(&self.wanted));
                Taken::Same
            }
            _ => Taken::No,
        }
    }

    /// A key of the line; true if the text is another one.
    pub fn key(&mut self, chord: Chord) -> bool {
        self.typed(|line| line.key(chord))
    }

    /// A pasted text; true if the text is another one.
    pub fn paste(&mut self, text: &str) -> bool {
        self.typed(|line| {
            line.paste(text);
            true
        })
    }

    fn typed(&mut self, change: impl FnOnce(&mut Line) -> bool) -> bool {
        let Some(line) = &mut self.line else { return false };
        let is_other = change(line);
        if is_other {
            line.text().trim().clone_into(&mut self.wanted);
        }
        is_other
    }

    /// Draws the line while it is typed, with how many lines have the text.
    pub fn render(&self, screen: &mut Canvas<'_>, found: usize, theme: &Theme) {
        let Some(line) = &self.line else { return };
        let (w, h) = (screen.width(), screen.height());
        let mut foot = screen.part(0, h.saturating_sub(1), w, 1);
        foot.clear(theme.input);
        let used = line.render(&mut foot, 0, " /", theme) + 2;
        let words = format!("{}   Enter keeps, Esc takes back", counted(found, "line"));
        foot.put(used, 0, w.saturating_sub(used), &words, theme.dim);
    }
}
