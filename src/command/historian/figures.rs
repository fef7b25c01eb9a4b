//! What the store does, for the screen: told every second, whoever writes it. How fast it grows only when it is asked for, and
//! beside the historian: a large file takes seconds. Part of the historian.

use super::{Role, Work};
use crate::{
    command::collect::heartbeat::StoreFigures,
    model::base::time::Timestamp,
    store::history::{Reader, WriterStats},
    tui::effect::{Reply, StoreNow},
};

impl Work {
    /// Once a second. Those of a collector that we follow are in its heartbeat.
    pub(super) fn tell_figures(&mut self) {
        let figures = match &self.role {
            Role::Collecting { writer, .. } => Some(StoreFigures::from(&*writer.stats.borrow())),
            Role::Following { .. } => self.theirs.take(),
            Role::Idle | Role::Playing { .. } => None,
        };
        self.say(Reply::Stored(figures.as_ref().map(now)));
    }

    /// Answers by itself when it is counted; one count at a time.
    pub(super) fn tell_growth(&mut self) {
        let (Some(fleet), Some(replies)) = (&self.fleet, &self.ties.replies) else { return };
        if self.counting.as_ref().is_some_and(|counting| !counting.is_finished()) {
            return;
        }
        let (file, sealer, replies) = (fleet.file.clone(), fleet.sealer.clone(), replies.clone());
        // A thread of its own, which ends with the program: quitting does not wait for it.
        let counting = std::thread::Builder::new().name("growth".into()).spawn(move || {
            match Reader::open(&file, sealer).and_then(|reader| reader.growth_a_day()) {
                // The screen is gone: nobody wants to know.
                Ok(bytes) => drop(replies.blocking_send(Reply::Growth(bytes))),
                Err(e) => tracing::debug!("counting how the history grows: {e}"),
            }
        });
        self.counting = counting.ok();
    }
}

/// Says in the log when the clock begins to be in doubt.
pub(super) fn warn_of_clock(before: Option<&WriterStats>, now: &WriterStats) {
    let known = before.is_some_and(|before| before.clock_ahead_ms.is_some());
    if let Some(ahead) = now.clock_ahead_ms.filter(|_| !known) {
        tracing::warn!(
            hours = ahead / 3_600_000,
            "the clock is so far ahead of history: nothing is deleted by it before it has gone evenly for 6 h (it is wrong, or \
             nobody was collecting)"
        );
    }
}

fn now(figures: &StoreFigures) -> StoreNow {
    StoreNow {
        rows_per_s: figures.rows_per_s,
        points_per_s: figures.points_per_s,
        committed_at: (figures.committed_ms > 0).then(|| Timestamp::from_ms(figures.committed_ms)),
        backlog: figures.backlog,
        lost: figures.samples_lost,
        size_bytes: figures.size_bytes,
        max_bytes: figures.max_bytes,
    }
}
