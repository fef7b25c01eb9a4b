//! A line at the foot that asks for one thing: a time to go to, a time to compare with, a note. It shows the result
//! while the text is typed; an error is shown beside it and keeps it open.

use super::{Behind, Layer, Out, input::Line};
use crate::{
    model::{
        base::{figure, time::Timestamp},
        judge::health::Level,
        timeline::past::{self, PastError, Typed, When},
    },
    tui::{
        action::{Action, Context},
        key::Chord,
        moment::Moment,
        widget::canvas::Canvas,
        wish::Wish,
    },
};

/// The question.
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
    line: Line,
    /// what for
    asks: Asks,
    /// why Enter did nothing
    error: Option<String>,
}

impl Prompt {
    /// An empty line.
    pub fn new(asks: Asks) -> Self {
        Self::with(asks, "")
    }

    /// A line with a text that was typed before.
    pub fn with(asks: Asks, text: &str) -> Self {
        Self { line: Line::new(text), asks, error: None }
    }

    /// The typed time; shows an error. A time after the end of a recording means that end.
    fn when(&mut self, moment: &Moment) -> Option<Typed> {
        let (now, _) = moment.origin();
        match past::parse(self.line.text(), now, &moment.zone) {
            Ok(typed) => Some(typed),
            Err(PastError::Future) if moment.recording.is_some() => {
                Some(Typed { when: When::At(now.plus_ms(1)), note: None })
            }
            Err(e) => {
                self.error = Some(e.to_string());
                None
            }
        }
    }
}

impl Layer for Prompt {
    fn context(&self) -> Context {
        Context::Input
    }

    fn act(&mut self, action: Action, behind: &mut Behind<'_>, out: &mut Out) {
        match (action, self.asks) {
            (Action::Enter, Asks::Note(at)) => {
                out.wish(Wish::Bookmark { at, note: self.line.text().trim().to_owned() });
                out.close();
            }
            (Action::Enter, asks) => {
                let Some(Typed { when, note }) = self.when(&behind.world.moment) else { return };
                if let Some(note) = note {
                    out.say(Level::Warning, note);
                }
                out.wish(if asks == Asks::Compare { Wish::Compare(when) } else { Wish::Travel(when) });
                out.close();
            }
            (Action::Out, _) => out.close(),
            _ => {}
        }
    }

    fn type_key(&mut self, chord: Chord, _: &mut Behind<'_>, _: &mut Out) {
        if self.line.key(chord) {
            self.error = None;
        }
    }

    fn paste(&mut self, text: &str, _: &mut Behind<'_>, _: &mut Out) {
        self.line.paste(text);
        self.error = None;
    }

    /// It is the last line of the screen.
    fn render(&mut self, canvas: &mut Canvas<'_>, behind: &mut Behind<'_>) {
        let (moment, theme, zone) = (&behind.world.moment, &behind.world.theme, &behind.world.moment.zone);
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
            zone.push_instant(&mut words, at);
            line.put(x, 0, room, &words, theme.dim);
            return;
        }
        if text.trim().is_empty() {
            line.put(x, 0, room, past::EXAMPLES, theme.dim);
            return;
        }
        let mut words = String::new();
        let (now, since) = moment.origin();
        match past::parse(text, now, zone) {
            Ok(Typed { when: When::Live, .. }) if moment.recording.is_some() => words.push_str("its end"),
            Ok(Typed { when: When::Live, .. }) => words.push_str("live"),
            Ok(Typed { when: When::At(at), note }) => {
                zone.push_instant(&mut words, at);
                words.push_str(", ");
                figure::push_span(&mut words, now - at);
                words.push_str(since);
                if let Some(note) = note {
                    words.push_str("; ");
                    words.push_str(&note);
                }
            }
            // More of it may follow, but none of that makes it a time that there is.
            Err(error @ PastError::Skipped { .. }) => words.push_str(&error.to_string()),
            // An incomplete time is no error yet.
            Err(_) => words.push('…'),
        }
        line.put(x, 0, room, &words, theme.dim);
    }
}
