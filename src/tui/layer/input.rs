//! A one-line text input.

use crate::tui::{
    key::Chord,
    theme::Theme,
    widget::{
        canvas::{Canvas, width},
        fold::fold,
    },
};
use crossterm::event::KeyCode;
use std::collections::VecDeque;
use tui_input::{Input, InputRequest};

/// Longest text that an input takes: longer than any filter or command, shorter than a pasted file.
const MAX_CHARS: usize = 400;

/// A line being typed.
#[derive(Debug, Default)]
pub struct Line {
    input: Input,
    /// all of it is selected: typing replaces it, moving keeps it
    is_selected: bool,
}

impl Line {
    /// With a text in it, the cursor at its end.
    pub fn new(text: &str) -> Self {
        Self { input: Input::new(text.to_owned()), is_selected: false }
    }

    /// With a text in it that the next typed character replaces.
    pub fn selected(text: &str) -> Self {
        Self { is_selected: !text.is_empty(), ..Self::new(text) }
    }

    /// The text.
    pub fn text(&self) -> &str {
        self.input.value()
    }

    /// True if the cursor is behind the last character.
    pub fn at_end(&self) -> bool {
        self.input.cursor() >= self.text().chars().count()
    }

    /// Replaces the text.
    pub fn set(&mut self, text: &str) {
        *self = Self::new(text);
    }

    /// Takes a key; true if the text changed.
    pub fn key(&mut self, chord: Chord) -> bool {
        if std::mem::take(&mut self.is_selected) {
            let is_erased = matches!(chord.parts().0, KeyCode::Backspace | KeyCode::Delete);
            if is_erased || chord.typed().is_some() {
                self.set("");
            }
            if is_erased {
                return true;
            }
        }
        if let Some(c) = chord.typed() {
            if self.text().chars().count() >= MAX_CHARS {
                return false;
            }
            self.input.handle(InputRequest::InsertChar(c));
            return true;
        }
        let request = match chord.parts() {
            (KeyCode::Backspace, false, false) => InputRequest::DeletePrevChar,
            (KeyCode::Backspace, ..) | (KeyCode::Char('w'), true, _) => InputRequest::DeletePrevWord,
            (KeyCode::Delete, ..) | (KeyCode::Char('d'), true, _) => InputRequest::DeleteNextChar,
            (KeyCode::Left, false, _) => InputRequest::GoToPrevChar,
            (KeyCode::Right, false, _) => InputRequest::GoToNextChar,
            (KeyCode::Left, true, _) | (KeyCode::Char('b'), false, true) => InputRequest::GoToPrevWord,
            (KeyCode::Right, true, _) | (KeyCode::Char('f'), false, true) => InputRequest::GoToNextWord,
            (KeyCode::Home, ..) | (KeyCode::Char('a'), true, _) => InputRequest::GoToStart,
            (KeyCode::End, ..) | (KeyCode::Char('e'), true, _) => InputRequest::GoToEnd,
            (KeyCode::Char('u'), true, _) => InputRequest::DeleteFromStart,
            (KeyCode::Char('k'), true, _) => InputRequest::DeleteTillEnd,
            _ => return false,
        };
        self.input.handle(request).is_some_and(|change| change.value)
    }

    /// Takes pasted text: its first line.
    pub fn paste(&mut self, text: &str) {
        if self.is_selected {
            self.set("");
        }
        for c in text.lines().next().unwrap_or("").chars().filter(|c| !c.is_control()) {
            if self.text().chars().count() < MAX_CHARS {
                self.input.handle(InputRequest::InsertChar(c));
            }
        }
    }

    /// Draws `prompt` and the text with a block cursor; returns the columns used.
    pub fn render(&self, canvas: &mut Canvas<'_>, y: u16, prompt: &str, theme: &Theme) -> u16 {
        let x = canvas.put(0, y, canvas.width(), prompt, theme.accent);
        let room = canvas.width().saturating_sub(x + 1);
        let scroll = self.input.visual_scroll(usize::from(room));
        let mut skipped = 0;
        let visible: String = self
            .text()
            .chars()
            .skip_while(|c| {
                let skip = skipped < scroll;
                skipped += unicode_width::UnicodeWidthChar::width(*c).unwrap_or(1);
                skip
            })
            .collect();
        let used = canvas.put(x, y, room, &visible, theme.strong);
        if self.is_selected {
            canvas.tint(x, y, used, 1, theme.selection);
        }
        let cursor = x + self.input.visual_cursor().saturating_sub(scroll) as u16;
        canvas.stand(cursor, y);
        canvas.tint(
            cursor,
            y,
            1,
            1,
            ratatui::style::Style::new().add_modifier(ratatui::style::Modifier::REVERSED),
        );
        x + used + 1
    }
}

/// Says behind the text of the last line, of which `used` columns are taken, why it cannot be carried out; over the lines above it
/// where that has no room.
pub fn complain(screen: &mut Canvas<'_>, used: u16, why: &str, theme: &Theme) {
    let (w, h) = (screen.width(), screen.height());
    if usize::from(used) + 3 + width(why) <= usize::from(w) {
        screen.put(used + 2, h.saturating_sub(1), w, why, theme.input.patch(theme.critical));
        return;
    }
    let lines = fold(why, usize::from(w.saturating_sub(4)));
    let top = h.saturating_sub(1 + lines.len() as u16);
    for (y, text) in (top..h.saturating_sub(1)).zip(&lines) {
        let mut line = screen.part(0, y, w, 1);
        line.clear(theme.panel);
        line.put(2, 0, w.saturating_sub(3), text, theme.critical);
    }
}

/// Texts that were typed before, brought back one by one.
#[derive(Debug, Default)]
pub struct Recall {
    /// the newest first
    before: Vec<String>,
    /// how far back; 0: what is typed now
    at: usize,
    /// what was typed before going back
    typed: String,
}

impl Recall {
    /// Of these, the newest first.
    pub fn of(before: &VecDeque<String>) -> Self {
        Self { before: before.iter().cloned().collect(), ..Self::default() }
    }

    /// True while an older text is shown.
    pub const fn is_back(&self) -> bool {
        self.at > 0
    }

    /// The next older or newer text instead of the present one; None at the ends.
    pub fn step(&mut self, older: bool, present: &str) -> Option<String> {
        if self.at == 0 {
            present.clone_into(&mut self.typed);
        }
        let at = if older { self.at + 1 } else { self.at.checked_sub(1)? };
        let text = if at == 0 { &self.typed } else { self.before.get(at - 1)? };
        self.at = at;
        Some(text.clone())
    }
}

/// Puts a text in front of those that are remembered, once.
pub fn remember(texts: &mut VecDeque<String>, text: String) {
    /// Texts that are remembered.
    const MOST: usize = 50;
    texts.retain(|known| *known != text);
    texts.push_front(text);
    texts.truncate(MOST);
}
