//! Instants on the screen: the one of the past that is shown, the two ends of a recording, and how they are
//! written.

use super::action::Kind;
use crate::model::base::{figure, time::Timestamp, zone::Zone};

/// A recording that is looked at instead of a fleet that lives.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recording {
    /// the name of its file
    pub file: String,
    /// the first instant that it knows
    pub from: Timestamp,
    /// and the last
    pub to: Timestamp,
}

/// An instant of the past on the screen.
#[derive(Debug, Clone, Copy)]
pub struct Past {
    /// when
    pub at: Timestamp,
    /// where history begins
    pub oldest: Timestamp,
    /// of which question it is the answer
    pub ticket: u64,
}

/// The time, and the moment that is on the screen instead of now.
#[derive(Debug, Clone)]
pub struct Moment {
    /// the clock by the wall
    pub clock: Timestamp,
    /// whose clock times are told by
    pub zone: Zone,
    /// the instant that is shown; None: the present
    pub past: Option<Past>,
    /// what is played; None: a fleet that lives
    pub recording: Option<Recording>,
}

impl Moment {
    /// The present, by a clock that shows UTC.
    pub fn new(clock: Timestamp, recording: Option<Recording>) -> Self {
        Self { clock, zone: Zone::default(), past: None, recording }
    }

    /// The time from which typed spans are counted, and its name: now, or the end of the recording.
    pub fn origin(&self) -> (Timestamp, &'static str) {
        self.recording.as_ref().map_or((self.clock, " ago"), |r| (r.to, " before its end"))
    }

    /// Why an action is refused at this moment; None: it is not.
    pub fn refuses(&self, kind: Kind) -> Option<&'static str> {
        match (&self.recording, self.past) {
            (Some(_), _) => kind.refused_in_recording(),
            (None, Some(_)) => kind.refused_in_past(),
            (None, None) => None,
        }
    }

    /// The nearest instant that exists; with a message if that is an end of the recording.
    pub fn within_recording(&self, at: Timestamp) -> (Timestamp, Option<String>) {
        let Some(recording) = &self.recording else { return (at, None) };
        let (end, words) = if at < recording.from {
            (recording.from, "the recording begins here: ")
        } else if at > recording.to {
            (recording.to, "the recording ends here: ")
        } else {
            return (at, None);
        };
        let mut text = String::from(words);
        self.zone.push_instant(&mut text, end);
        (end, Some(text))
    }
}

/// `9h12m ago`.
pub fn push_ago(out: &mut String, at: Timestamp, now: Timestamp) {
    figure::push_span(out, now - at);
    out.push_str(" ago");
}
