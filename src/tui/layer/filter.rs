//! `/`: the filter while it is typed. Every key applies it, Enter keeps it, Esc takes it back. It opens with the
//! old text selected, so that typing replaces it; `↑` brings earlier ones back.

use super::{
    Behind, Layer, Out,
    input::{Line, Recall, complain},
};
use crate::tui::{
    action::{Action, Context},
    key::Chord,
    widget::canvas::Canvas,
    wish::Wish,
};
use std::collections::VecDeque;

/// The layer.
#[derive(Debug)]
pub struct FilterBox {
    line: Line,
    /// the text to go back to
    before: String,
    /// why the text is no filter
    error: Option<String>,
    history: Recall,
}

impl FilterBox {
    /// Starts with the filter in force.
    pub fn new(text: &str, history: &VecDeque<String>) -> Self {
        let history = Recall::of(history);
        Self { line: Line::selected(text), before: text.to_owned(), error: None, history }
    }

    /// Applies the text; a text that is no filter hides nothing.
    fn apply(&mut self, behind: &mut Behind<'_>, out: &mut Out) {
        self.error = behind.pane.set_filter(self.line.text()).err();
        if self.error.is_some() {
            let _ = behind.pane.set_filter("");
        }
        out.has_changed_pane = true;
    }
}

impl Layer for FilterBox {
    fn context(&self) -> Context {
        Context::Input
    }

    fn act(&mut self, action: Action, behind: &mut Behind<'_>, out: &mut Out) {
        let text = match action {
            Action::Up | Action::Down => {
                if let Some(text) = self.history.step(action == Action::Up, self.line.text()) {
                    self.line.set(&text);
                    self.apply(behind, out);
                }
                return;
            }
            Action::Enter if self.error.is_none() => {
                // What its fields hold may be known only now.
                self.apply(behind, out);
                if self.error.is_some() {
                    return;
                }
                let text = self.line.text();
                if !text.trim().is_empty() {
                    out.wish(Wish::Filtered(text.trim().to_owned()));
                }
                out.close();
                return;
            }
            Action::Out => &self.before,
            // A text that is no filter is not kept, and not thrown away: its mistake is told beside it.
            _ => return,
        };
        // It was valid before.
        let _ = behind.pane.set_filter(text);
        out.close();
    }

    fn type_key(&mut self, chord: Chord, behind: &mut Behind<'_>, out: &mut Out) {
        if self.line.key(chord) {
            self.apply(behind, out);
        }
    }

    fn paste(&mut self, text: &str, behind: &mut Behind<'_>, out: &mut Out) {
        self.line.paste(text);
        self.apply(behind, out);
    }

    fn render(&mut self, screen: &mut Canvas<'_>, behind: &mut Behind<'_>) {
        let (w, h) = (screen.width(), screen.height());
        let theme = &behind.world.theme;
        let mut line = screen.part(0, h.saturating_sub(1), w, 1);
        line.clear(theme.input);
        let used = self.line.render(&mut line, 0, " /", theme) + 2;
        if let Some(e) = &self.error {
            complain(screen, used - 2, e, theme);
        } else {
            let (shown, before) = behind.pane.counts();
            let text = format!("{shown} of {before}   Enter keeps, Esc takes back");
            line.put(used, 0, w, &text, theme.dim);
        }
    }
}
