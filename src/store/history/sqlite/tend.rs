//! The housekeeping of the engine at one instant: sealing and deleting, by the time that can be believed. The writer calls
//! [`Engine::tend`] with the clocks of the machine, tests with theirs.

use super::engine::Engine;
use crate::store::history::api::{Cleaned, SealedNow};
use crate::{
    model::base::age::{Judged, Moment},
    store::StoreError,
};
use std::time::Duration;

/// The clock is written to the file so often.
const REMEMBER_EVERY: Duration = Duration::from_mins(1);

impl Engine {
    /// Seals and deletes by the time that can be believed, each for about `budget` at most.
    ///
    /// # Errors
    /// As [`Engine::commit`].
    pub fn tend(&mut self, now: Moment, budget: Duration) -> Result<(SealedNow, Cleaned), StoreError> {
        let judged = self.judge(now);
        let sealed = self.seal(judged.windows, budget)?;
        let cleaned = self.clean_up(judged.ages, budget)?;
        if self.aging.remembered_at.is_none_or(|at| now.up.saturating_sub(at) >= REMEMBER_EVERY) {
            self.aging.remember(&self.connection, &self.path)?;
            self.aging.remembered_at = Some(now.up);
        }
        Ok((sealed, cleaned))
    }

    /// The times by which to seal and to delete. New rows are believed up to then.
    pub fn judge(&mut self, now: Moment) -> Judged {
        self.aging.judge(self.newest_at, now)
    }
}
