//! A line at the foot that asks for one thing: a time to go to, a time to compare with, a note. What it leads to is said
//! while it is typed; a mistake is said beside it and keeps it open.

use super::input::Line;
use crate::{
    model::{
        base::{figure, time::Timestamp},
        timeline::past::{self, PastError, When},
    },
    tui::{moment::push_instant, theme::Theme, travel::Travel, widget::canvas::Canvas},
};

/// How far the user's clock is ahead of UTC, minutes: the whole screen speaks UTC, so what is typed is UTC, too.
pub const OFFSET_MIN: i32 = 0;

/// What is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Asks {
    /// where to go
    Time,
    /// what to compare with
    Compare,
    /// a note for a bookmark at this instant
    Note(Timestamp),
}

/// The layer.
#[derive(Debug)]
pub struct Prompt {
    /// what is typed
    pub line: Line,
    /// what for
    pub asks: Asks,
    /// why Enter did nothing
    error: Option<String>,
}

impl Prompt {
    /// An empty line.
    pub fn new(asks: Asks) -> Self {
        Self { line: Line::default(), asks, error: None }
    }

    /// The text changed.
    pub fn typed(&mut self) {
        self.error = None;
    }

    /// The time that is typed; a mistake is shown. What is later than the end of a recording leads there.
    pub fn when(&mut self, travel: &Travel) -> Option<When> {
        let (now, _) = travel.origin();
        match past::parse(self.line.text(), now, OFFSET_MIN) {
            Ok(when) => Some(when),
            Err(PastError::Future) if travel.recording.is_some() => Some(When::At(now.plus_ms(1))),
            Err(e) => {
                self.error = Some(e.to_string());
                None
            }
        }
    }

    /// Draws the line on the last line of the canvas.
    pub fn render(&self, canvas: &mut Canvas<'_>, travel: &Travel, theme: &Theme) {
        let (w, h) = (canvas.width(), canvas.height());
        let mut line = canvas.part(0, h.saturating_sub(1), w, 1);
        line.clear(theme.input);
        let prompt = match self.asks {
            Asks::Time => " go to time: ",
            Asks::Compare => " compare with: ",
            Asks::Note(_) => " bookmark: ",
        };
        let x = self.line.render(&mut line, 0, prompt, theme) + 2;
        let room = w.saturating_sub(x + 1);
        if let Some(error) = &self.error {
            line.put(x, 0, room, error, theme.critical);
            return;
        }
        let text = self.line.text();
        if let Asks::Note(at) = self.asks {
            let mut words = String::from("a note for ");
            push_instant(&mut words, at);
            line.put(x, 0, room, &words, theme.dim);
            return;
        }
        if text.trim().is_empty() {
            line.put(x, 0, room, past::EXAMPLES, theme.dim);
            return;
        }
        let mut words = String::new();
        let (now, since) = travel.origin();
        match past::parse(text, now, OFFSET_MIN) {
            Ok(When::Live) if travel.recording.is_some() => words.push_str("its end"),
            Ok(When::Live) => words.push_str("live"),
            Ok(When::At(at)) => {
                push_instant(&mut words, at);
                words.push_str(" UTC, ");
                figure::push_span(&mut words, now - at);
                words.push_str(since);
            }
            // Half of a time is no mistake yet.
            Err(_) => words.push('…'),
        }
        line.put(x, 0, room, &words, theme.dim);
    }
}
