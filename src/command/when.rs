//! Times on the command line: read by the clock of `[ui] time_zone`, as the screen reads them behind `t`, and told by it.

use super::{ask, invocation::Invocation, output::Cell};
use crate::{
    app::{clock, configuration},
    model::{
        base::{time::Timestamp, zone::Zone},
        timeline::past::{self, Typed, When},
    },
};
use anyhow::Context;

/// The clock that a command tells and reads times by.
#[derive(Debug, Clone)]
pub struct Watch {
    /// its zone
    pub zone: Zone,
    /// now; of a recording its end
    pub now: Timestamp,
}

impl Watch {
    /// The configured zone, now.
    ///
    /// # Errors
    /// All errors in the configuration.
    pub fn of(invocation: &Invocation) -> anyhow::Result<Self> {
        let config = configuration::load(&invocation.given)?;
        Ok(Self { zone: configuration::zone(&config), now: clock::now() })
    }

    /// Reads a time that has been.
    ///
    /// # Errors
    /// The words are no time that has been.
    pub fn instant(&self, words: &str) -> anyhow::Result<Timestamp> {
        self.said(words, past::parse(words, self.now, &self.zone))
    }

    /// Reads a time that may come yet: the end of a list.
    ///
    /// # Errors
    /// The words are no time.
    pub fn limit(&self, words: &str) -> anyhow::Result<Timestamp> {
        self.said(words, past::read(words, self.now, &self.zone))
    }

    fn said(&self, words: &str, typed: Result<Typed, past::PastError>) -> anyhow::Result<Timestamp> {
        let Typed { when, note } = typed.with_context(|| format!("reading the time {words:?}"))?;
        if let Some(note) = note {
            ask::say(&note);
        }
        Ok(match when {
            When::Live => self.now,
            When::At(at) => at,
        })
    }

    /// An instant as a cell: RFC 3339 with the offset of the zone, so that it means the same to every reader; whole seconds.
    pub fn cell(&self, at: Option<Timestamp>) -> Cell {
        at.map_or(Cell::Unknown(String::new()), |at| Cell::Text(seconds(&self.zone, at)))
    }
}

/// RFC 3339 by this clock, in whole seconds.
pub fn seconds(zone: &Zone, at: Timestamp) -> String {
    zone.rfc3339(Timestamp::from_ms(at.ms().div_euclid(1000).saturating_mul(1000)))
}
