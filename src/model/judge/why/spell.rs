//! The figures and times of a reason's sentence, as `base::figure` and `base::zone` spell them. Used by the sentences alone.

use super::{
    Why,
    parts::{Since, Trouble, Workers},
};
use crate::model::base::{
    figure::{push_grouped, push_pct, push_size, push_span, push_wait},
    zone::Zone,
};
use std::fmt;

/// A figure, as the writers of `base::figure` spell it.
pub(super) struct Spelled<T>(fn(&mut String, T), T);

impl<T: Copy> fmt::Display for Spelled<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut out = String::new();
        (self.0)(&mut out, self.1);
        f.write_str(&out)
    }
}

pub(super) const fn pct(value: f64) -> Spelled<f64> {
    Spelled(push_pct, value)
}

pub(super) const fn wait(ms: f64) -> Spelled<f64> {
    Spelled(push_wait, ms)
}

/// Of so many KB.
pub(super) fn size(kb: i64) -> Spelled<f64> {
    Spelled(push_size, kb as f64 * 1024.0)
}

pub(super) const fn grouped(value: i64) -> Spelled<i64> {
    Spelled(push_grouped, value)
}

pub(super) const fn span(ms: i64) -> Spelled<i64> {
    Spelled(push_span, ms)
}

/// The clock that the times of a sentence are told by.
#[derive(Debug, Clone, Copy)]
pub(super) enum Clock<'a> {
    /// the zone stands beside the text, as in the head line of the screen
    Beside(&'a Zone),
    /// nothing else says the zone
    Alone(&'a Zone),
}

/// The time of day of the job that failed, or since when.
pub(super) struct At<'a>(pub Since, pub Clock<'a>);

impl fmt::Display for At<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Since { at, is_dated } = self.0;
        let (Clock::Beside(zone) | Clock::Alone(zone)) = self.1;
        let mut out = String::new();
        if is_dated {
            zone.push_instant(&mut out, at);
        } else {
            zone.push_clock(&mut out, at);
            if let Clock::Alone(zone) = self.1 {
                out.push(' ');
                zone.push_label(&mut out, at);
            }
        }
        f.write_str(&out)
    }
}

/// A text if there is one, between two others.
pub(super) struct Maybe<T>(pub &'static str, pub Option<T>, pub &'static str);

impl<T: fmt::Display> fmt::Display for Maybe<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.1.as_ref().map_or(Ok(()), |found| write!(f, "{}{found}{}", self.0, self.2))
    }
}

/// A name, where the server told it.
pub(super) fn known(name: Option<&str>) -> &str {
    name.unwrap_or("?")
}

/// `, +3` if there are more than the one that is named.
pub(super) fn others(more: u32) -> Maybe<u32> {
    Maybe(", +", (more > 0).then_some(more), "")
}

/// A reason as it is told to a person whose clock shows times of a zone.
#[derive(Debug, Clone, Copy)]
pub struct Told<'a>(pub(super) &'a Why, pub(super) Clock<'a>);

impl fmt::Display for Told<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt_in(f, self.1)
    }
}

impl Workers {
    pub(super) fn free(self, what: &str) -> String {
        format!("{} of {}{what} free", grouped(self.free), grouped(self.of))
    }
}

impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Suspended => f.write_str("suspended"),
            Self::NotSynchronizing => f.write_str("not synchronizing"),
            Self::Behind(s) => write!(f, "{} behind", wait(*s as f64 * 1000.0)),
            Self::Reverting => f.write_str("reverting"),
            Self::Initializing => f.write_str("initializing"),
            Self::ToSend(kb) => write!(f, "{} to send", size(*kb)),
            Self::ToRedo(kb) => write!(f, "{} to redo", size(*kb)),
        }
    }
}
