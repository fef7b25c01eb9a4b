//! A value that knows how old it is and why there is no newer one: what keeps a cell from lying.

use crate::model::base::{failure::Failure, time::Timestamp};
use serde::{Deserialize, Serialize};
use std::{fmt, sync::Arc};

/// Why a value is not to be had.
/// In files by position: fields are only appended, each with a default; variants keep their names.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum Unavailable {
    /// no poll has been tried yet
    #[default]
    NotYet,
    /// the login lacks this right, such as `VIEW SERVER STATE`
    NoRight(Arc<str>),
    /// this server has no such object or column
    Missing(Arc<str>),
    /// does not apply here, such as availability groups on a server without them
    NotHere(Arc<str>),
    /// switched off by configuration or by the cost budget; the text says by which
    SwitchedOff(Arc<str>),
    /// needs a second sample before a rate can be told
    NeedsTwoSamples,
    /// the poll failed
    Failed(Failure),
}

impl Unavailable {
    /// Another second will not mend it.
    pub const fn is_final(&self) -> bool {
        !matches!(self, Self::NotYet | Self::NeedsTwoSamples)
    }
}

impl fmt::Display for Unavailable {
    /// As a cell says it: `n/a (VIEW SERVER STATE)`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotYet => f.write_str("not polled yet"),
            Self::NoRight(right) => write!(f, "n/a ({right})"),
            Self::Missing(what) => write!(f, "n/a (no {what} here)"),
            Self::NotHere(why) => write!(f, "n/a ({why})"),
            Self::SwitchedOff(by) => write!(f, "off ({by})"),
            Self::NeedsTwoSamples => f.write_str("after the next poll"),
            Self::Failed(failure) => f.write_str(failure.kind.words()),
        }
    }
}

/// The last known value of something polled, when it was taken, how often it should come, and the problem that the
/// newest attempt met. `value` survives problems: it goes stale, it does not vanish.
#[derive(Debug, Clone)]
pub struct Reading<T> {
    /// last good value
    pub value: Option<T>,
    /// when that value was taken
    pub at: Option<Timestamp>,
    /// the interval at which a new one is due, in milliseconds; 0 if not polled
    pub every_ms: u32,
    /// why the newest attempt gave nothing; None if it succeeded
    pub problem: Option<Unavailable>,
    /// when the first one is due, of what comes later than the first polls; None: soon, or nobody told
    pub due: Option<Timestamp>,
}

impl<T> Default for Reading<T> {
    fn default() -> Self {
        Self { value: None, at: None, every_ms: 0, problem: Some(Unavailable::NotYet), due: None }
    }
}

impl<T> Reading<T> {
    /// A good value taken at `at`.
    pub const fn good(value: T, at: Timestamp, every_ms: u32) -> Self {
        Self { value: Some(value), at: Some(at), every_ms, problem: None, due: None }
    }

    /// Notes that an attempt failed; the old value stays and ages.
    pub fn fail(&mut self, problem: Unavailable) {
        self.problem = Some(problem);
    }

    /// Age of the value in milliseconds.
    pub fn age_ms(&self, now: Timestamp) -> Option<u64> {
        self.at.map(|at| now.ms_since(at))
    }

    /// All but the value.
    pub const fn meta(&self) -> Meta<'_> {
        Meta {
            has_value: self.value.is_some(),
            at: self.at,
            every_ms: self.every_ms,
            problem: self.problem.as_ref(),
            due: self.due,
        }
    }

    /// The parts that may change without a new value.
    pub const fn meta_mut(&mut self) -> MetaMut<'_> {
        MetaMut {
            at: &mut self.at,
            every_ms: &mut self.every_ms,
            problem: &mut self.problem,
            due: &mut self.due,
        }
    }

    /// True when the value is older than two and a half intervals: one poll may be late, two may not.
    pub fn is_stale(&self, now: Timestamp) -> bool {
        self.age_ms(now).is_some_and(|age| self.every_ms > 0 && age > u64::from(self.every_ms) * 5 / 2)
    }

    /// The value if it is fresh enough to be shown without an age.
    pub fn fresh(&self, now: Timestamp) -> Option<&T> {
        if self.is_stale(now) { None } else { self.value.as_ref() }
    }

    /// The value, fresh or stale.
    pub const fn get(&self) -> Option<&T> {
        self.value.as_ref()
    }
}

/// Everything that a reading says besides its value: the same for every probe.
#[derive(Debug, Clone, Copy, Default)]
pub struct Meta<'a> {
    /// there is a value, fresh or stale
    pub has_value: bool,
    /// see [`Reading::at`]
    pub at: Option<Timestamp>,
    /// see [`Reading::every_ms`]
    pub every_ms: u32,
    /// see [`Reading::problem`]
    pub problem: Option<&'a Unavailable>,
    /// see [`Reading::due`]
    pub due: Option<Timestamp>,
}

impl Meta<'_> {
    /// When the first reading is due, while there was none.
    pub fn first_due(self) -> Option<Timestamp> {
        let is_waited_for = matches!(self.problem, None | Some(Unavailable::NotYet));
        self.due.filter(|_| is_waited_for && !self.has_value)
    }

    /// When the value goes stale if no newer one comes.
    pub fn stale_at(self) -> Option<Timestamp> {
        self.at.filter(|_| self.every_ms > 0).map(|at| at.plus_ms(i64::from(self.every_ms) * 5 / 2))
    }

    /// True when there is a value, or a problem that another second will not mend.
    pub const fn is_final(self) -> bool {
        match self.problem {
            None => self.has_value,
            Some(problem) => problem.is_final(),
        }
    }
}

/// The parts of a reading that may change without a new value.
#[derive(Debug)]
pub struct MetaMut<'a> {
    /// see [`Reading::at`]
    pub at: &'a mut Option<Timestamp>,
    /// see [`Reading::every_ms`]
    pub every_ms: &'a mut u32,
    /// see [`Reading::problem`]
    pub problem: &'a mut Option<Unavailable>,
    /// see [`Reading::due`]
    pub due: &'a mut Option<Timestamp>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reading_settles_with_a_value_or_a_lasting_problem() {
        let mut r: Reading<u8> = Reading::default();
        assert!(!r.meta().is_final());
        r.fail(Unavailable::NeedsTwoSamples);
        assert!(!r.meta().is_final());
        r.fail(Unavailable::NoRight("VIEW SERVER STATE".into()));
        assert!(r.meta().is_final());
        assert!(Reading::good(1_u8, Timestamp::from_ms(1), 1000).meta().is_final());
    }
}
