//! Instants as the screen speaks of them: the one of the past that is shown, the two ends of a recording, and how they are
//! written.

use crate::model::base::{figure, time::Timestamp};

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

/// `2026-11-20 02:14:00`.
pub fn push_instant(out: &mut String, at: Timestamp) {
    figure::push_date(out, at);
    out.push(' ');
    figure::push_clock(out, at);
}

/// `9h12m ago`.
pub fn push_ago(out: &mut String, at: Timestamp, now: Timestamp) {
    figure::push_span(out, now - at);
    out.push_str(" ago");
}
