//! A one-line text input.

use crate::tui::{key::Chord, theme::Theme, widget::canvas::Canvas};
use crossterm::event::KeyCode;
use tui_input::{Input, InputRequest};

/// Longest text that an input takes: longer than any filter or command, shorter than a pasted file.
const MAX_CHARS: usize = 400;

/// A line being typed.
#[derive(Debug, Default)]
pub struct Line {
    input: Input,
}

impl Line {
    /// With a text in it, the cursor at its end.
    pub fn new(text: &str) -> Self {
        Self { input: Input::new(text.to_owned()) }
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
        self.input = Input::new(text.to_owned());
    }

    /// Takes a key; true if the text changed.
    pub fn key(&mut self, chord: Chord) -> bool {
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
