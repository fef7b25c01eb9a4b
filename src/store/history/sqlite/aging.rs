//! The time by which the engine seals and deletes. `model::base::age` has the rule; here is its state, which the file keeps
//! for the next process. Part of the engine: `housekeeping` feeds it.

use crate::{
    model::base::{
        age::{AgeClock, Judged, LEEWAY, Moment, Remembered},
        time::Timestamp,
    },
    store::StoreError,
};
use rusqlite::{Connection, OptionalExtension, params};
use std::{path::Path, time::Duration};

/// The time as an engine knows it.
#[derive(Debug, Default)]
pub(super) struct Aging {
    /// the state that the last writer left
    left: Option<Remembered>,
    /// None: [`Aging::judge`] was not called yet, and all rows are believed
    clock: Option<AgeClock>,
    /// what the wall clock said first
    began: Option<Timestamp>,
    pub remembered_at: Option<Duration>,
    /// rows that say that they are later are in doubt
    believed_until: Option<Timestamp>,
    /// the first of the rows in doubt
    first_doubted: Option<i64>,
    /// how far the clock is ahead of the believed time, ms; None: it is not
    pub ahead_ms: Option<u64>,
}

impl Aging {
    /// Loads the state that the last writer of the file left.
    pub fn load(connection: &Connection, path: &Path) -> Result<Self, StoreError> {
        let left = connection
            .query_row("SELECT believed, wall, doubted FROM clock", [], |row| {
                let doubted: i64 = row.get(2)?;
                Ok(Remembered {
                    believed: Timestamp::from_ms(row.get(0)?),
                    wall: Timestamp::from_ms(row.get(1)?),
                    doubted: Duration::from_millis(doubted.max(0).unsigned_abs()),
                })
            })
            .optional()
            .map_err(StoreError::sqlite("reading the clock of the history", path))?;
        Ok(Self { left, ..Self::default() })
    }

    /// No row of the last writer can be later, unless its clock was ahead and went back.
    pub fn newest_possible(&self) -> i64 {
        self.left.map_or(i64::MAX, |left| left.wall.plus_ms(LEEWAY.as_millis() as i64).ms())
    }

    /// Takes the newest reading of the clocks; new rows are believed up to the returned times.
    pub fn judge(&mut self, newest_row: Option<i64>, now: Moment) -> Judged {
        let left = self.left;
        let newest = newest_row.map(Timestamp::from_ms);
        self.began.get_or_insert(now.wall);
        let clock = self.clock.get_or_insert_with(|| AgeClock::resume(left, newest, now));
        let judged = clock.judge(now);
        self.believed_until = Some(judged.windows.plus_ms(LEEWAY.as_millis() as i64));
        self.ahead_ms = judged.ahead_ms;
        judged
    }

    /// Windows that end before this are over: by the time that is believed, and those in which an earlier process wrote. A run
    /// that is too short for its clock to be believed seals these, or the write buffer would grow for ever.
    pub fn closed(&self, judged: Judged, now: Moment) -> Timestamp {
        self.began.map_or(judged.windows, |began| judged.windows.max(began.min(now.wall)))
    }

    /// When the rows began of which this is the newest: some before it may have been in doubt. None: it is in doubt itself.
    pub fn first_of(&mut self, at: i64) -> Option<i64> {
        if self.believed_until.is_some_and(|until| at > until.ms()) {
            self.first_doubted.get_or_insert(at);
            return None;
        }
        // Rows in doubt that are later than this one were of a clock that has gone back.
        Some(self.first_doubted.take().filter(|first| *first <= at).unwrap_or(at))
    }

    /// Writes down which time is believed, for the next writer.
    pub fn remember(&self, to: &Connection, path: &Path) -> Result<(), StoreError> {
        let Some(left) = self.clock.as_ref().map(AgeClock::remember) else { return Ok(()) };
        let doubted = i64::try_from(left.doubted.as_millis()).unwrap_or(i64::MAX);
        to.prepare_cached("INSERT OR REPLACE INTO clock VALUES (1, ?1, ?2, ?3)")
            .and_then(|mut insert| insert.execute(params![left.believed.ms(), left.wall.ms(), doubted]))
            .map(drop)
            .map_err(StoreError::sqlite("writing the clock of the history", path))
    }
}
