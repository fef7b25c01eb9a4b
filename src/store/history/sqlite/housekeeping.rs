//! The housekeeping of the engine at one instant: sealing and deleting, by the time that can be believed. The writer calls
//! [`Engine::housekeep`] with the clocks of the machine, tests with theirs.

use super::engine::Engine;
use crate::store::history::api::{Cleaned, SealedNow};
use crate::{
    model::{
        base::{
            age::{Judged, LEEWAY, Moment},
            time::Timestamp,
        },
        timeline::chart::MarkKind,
    },
    store::StoreError,
};
use rusqlite::params;
use std::time::Duration;

/// The clock is written to the file so often.
const REMEMBER_EVERY: Duration = Duration::from_mins(1);

impl Engine {
    /// Seals and deletes by the time that can be believed, each for about `budget` at most.
    ///
    /// # Errors
    /// As [`Engine::commit`].
    pub fn housekeep(&mut self, now: Moment, budget: Duration) -> Result<(SealedNow, Cleaned), StoreError> {
        let judged = self.judge(now)?;
        let sealed = self.seal(self.aging.closed(judged, now), budget)?;
        let cleaned = self.clean_up(judged.ages, budget)?;
        if self.aging.remembered_at.is_none_or(|at| now.up.saturating_sub(at) >= REMEMBER_EVERY) {
            self.aging.remember(&self.connection, &self.path)?;
            self.aging.remembered_at = Some(now.up);
        }
        Ok((sealed, cleaned))
    }

    /// The times by which to seal and to delete. New rows are believed up to then.
    ///
    /// # Errors
    /// A gap that a clock made which went back cannot be taken back.
    pub fn judge(&mut self, now: Moment) -> Result<Judged, StoreError> {
        let judged = self.aging.judge(self.newest_at, now);
        let until = judged.latest.plus_ms(LEEWAY.as_millis() as i64).ms();
        if self.newest_at.is_some_and(|newest| newest > until) {
            self.forget_later_than(until)?;
        }
        Ok(judged)
    }

    /// After a clock that went back: its rows are not the newest any more, and a gap from before until its time was none.
    fn forget_later_than(&mut self, until: i64) -> Result<(), StoreError> {
        let ends_later = |to: Timestamp| to.ms() > until;
        self.events.retain(|event| event.kind != MarkKind::Gap || !event.to.is_some_and(ends_later));
        self.connection
            .execute(
                "DELETE FROM event WHERE kind = ?1 AND start <= ?2 AND end > ?2",
                params![MarkKind::Gap.code(), until],
            )
            .map_err(StoreError::sqlite("taking back a gap of the history", &self.path))?;
        self.newest_at = self.newest_row(until)?;
        Ok(())
    }
}
