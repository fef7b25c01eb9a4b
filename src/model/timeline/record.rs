//! The records of history: the outcome of the fold, one poll at a time. The fold returns it and takes it back, `store` keeps it.
//!
//! It is what was on the screen, not what came over the wire: rates, tables and trees. So a past instant needs the newest
//! of each [`Slot`] alone, no polls before it, and shows what was shown. The fold rounds rates to
//! 13 digits ([`rounded`](crate::model::poll::id)), so that a text made of what was kept is the text that was on the screen.
//!
//! Fields of everything in here are only ever appended, each with a default: files of older versions stay readable.

use crate::model::{
    base::time::Timestamp,
    inventory::instance::InstanceInfo,
    judge::health::Health,
    poll::{
        State,
        id::{Emit, ProbeId, SeriesId},
        link::Link,
        reading::Unavailable,
        statement::{SqlText, Statement, TextId},
    },
};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// One record of history: one thing that happened to one instance.
#[derive(Debug, Clone)]
pub struct Record {
    /// whose
    pub info: Arc<InstanceInfo>,
    /// when, by our clock
    pub at: Timestamp,
    /// what
    pub what: Recorded,
}

/// The thing that happened.
/// In files by position: fields are only appended, each with a default; variants keep their names.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Recorded {
    /// the link changed, or another attempt failed
    Link {
        /// to what
        link: Link,
        /// since when it is so, attempts aside
        since: Timestamp,
        /// it was down before: what was known then is not known to be so now
        was_down: bool,
    },
    /// a probe ended
    Reading {
        /// which
        probe: ProbeId,
        /// the interval then, ms
        every_ms: u32,
        /// what is known now, or why nothing
        state: Result<State, Unavailable>,
    },
    /// the interval of a probe changed before its next poll
    Pace {
        /// which
        probe: ProbeId,
        /// the interval from now on, ms
        every_ms: u32,
    },
    /// the verdict changed, or a headline was judged
    Health {
        /// the verdict
        health: Health,
        /// a headline came: the score is a point of its series
        polled: bool,
    },
}

/// The place that a thing takes: a newer one replaces the older one of the same slot. The state of an instance at T is the
/// newest of each slot at or before T, taken in the order of time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Slot {
    /// the link
    Link,
    /// the verdict
    Health,
    /// a probe's value
    Value(ProbeId),
    /// a probe's problem
    Problem(ProbeId),
    /// a probe's interval
    Pace(ProbeId),
}

/// As many numbers as the probes have in the slots of one kind.
const BAND: u8 = 32;

impl Slot {
    /// Its number in files: what is of a probe has a band of its own, and the probe's number within it.
    pub const fn code(self) -> u8 {
        match self {
            Self::Link => 0,
            Self::Health => 1,
            Self::Value(probe) => BAND + probe.code(),
            Self::Problem(probe) => 2 * BAND + probe.code(),
            Self::Pace(probe) => 3 * BAND + probe.code(),
        }
    }

    /// From its number; None for a number of a newer version.
    pub fn from_code(code: u8) -> Option<Self> {
        let probe = || ProbeId::from_code(code % BAND);
        match code / BAND {
            0 if code == 0 => Some(Self::Link),
            0 if code == 1 => Some(Self::Health),
            1 => probe().map(Self::Value),
            2 => probe().map(Self::Problem),
            3 => probe().map(Self::Pace),
            _ => None,
        }
    }
}

impl Recorded {
    /// See [`Slot`].
    pub const fn slot(&self) -> Slot {
        match self {
            Self::Link { .. } => Slot::Link,
            Self::Health { .. } => Slot::Health,
            Self::Reading { probe, state: Ok(_), .. } => Slot::Value(*probe),
            Self::Reading { probe, state: Err(_), .. } => Slot::Problem(*probe),
            Self::Pace { probe, .. } => Slot::Pace(*probe),
        }
    }

    /// Calls `emit` with every number in it. A poll that gave nothing at all emits nothing: it is a gap in all series of its
    /// probe.
    pub fn points(&self, emit: Emit<'_>) {
        match self {
            Self::Health { health, polled: true } => {
                emit(SeriesId::Score.into(), "", health.score.map(f64::from));
            }
            Self::Reading { probe, state: Ok(state), .. } => state.points(*probe, emit),
            Self::Health { .. } | Self::Reading { .. } | Self::Link { .. } | Self::Pace { .. } => {}
        }
    }

    /// The bytes of memory that it takes, about.
    pub fn weight_bytes(&self) -> usize {
        let rows = match self {
            Self::Reading { state: Ok(state), .. } => state.rows(),
            Self::Health { health, .. } => health.reasons.len(),
            Self::Reading { .. } | Self::Link { .. } | Self::Pace { .. } => 1,
        };
        200 + rows * 100
    }

    /// Calls `with` for every statement in it.
    pub fn each_statement(&self, with: &mut dyn FnMut(&Statement)) {
        if let Self::Reading { state: Ok(state), .. } = self {
            state.each_statement(with);
        }
    }

    /// Calls `with` for every statement in it, to be changed.
    pub fn each_statement_mut(&mut self, with: &mut dyn FnMut(&mut Statement)) {
        if let Self::Reading { state: Ok(state), .. } = self {
            state.each_statement_mut(with);
        }
    }

    /// Puts texts back where only their identities were read; `lend` knows them. A statement that it does not know stays without text.
    pub fn lend_texts(&mut self, lend: &mut dyn FnMut(TextId) -> Option<Arc<SqlText>>) {
        self.each_statement_mut(&mut |statement| {
            if let Some(text) = lend(statement.text.id()) {
                statement.text = text;
            }
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::base::code::released;

    #[test]
    fn a_probe_keeps_its_number_wherever_it_stands_in_the_list() {
        for (code, name) in released("probe") {
            let probe = ProbeId::from_code(code as u8).unwrap();
            assert_eq!((probe.name(), u16::from(probe.code())), (name, code));
        }
        for probe in ProbeId::ALL {
            assert_eq!(ProbeId::from_code(probe.code()), Some(probe));
            assert!(
                probe.code() < BAND,
                "{}: a slot is one byte, in which probes have {BAND} numbers",
                probe.name()
            );
        }
    }

    #[test]
    fn a_slot_keeps_its_number() {
        assert_eq!((Slot::Link.code(), Slot::Health.code()), (0, 1));
        for (code, name) in released("probe") {
            let probe = ProbeId::ALL.into_iter().find(|probe| probe.name() == name).unwrap();
            let slots = [Slot::Value(probe), Slot::Problem(probe), Slot::Pace(probe)];
            let expected = [32, 64, 96].map(|first| first + code as u8);
            assert_eq!(slots.map(Slot::code), expected, "{name}");
        }
        let known: Vec<Slot> = (0..=u8::MAX).filter_map(Slot::from_code).collect();
        assert_eq!(known.len(), 2 + 3 * ProbeId::ALL.len(), "a number of a newer version is none of ours");
        assert!(known.iter().all(|slot| Slot::from_code(slot.code()) == Some(*slot)));
    }
}
