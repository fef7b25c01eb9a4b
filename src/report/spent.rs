//! What runs cost over a stretch of time, added up poll by poll: of a query, a module, a query of Query Store. `queries`, `modules` and
//! `query_store` have it in their rows.

use super::words::{count, span, wait};
use crate::model::poll::counts::Ran;

/// A sum of what is known.
#[derive(Debug, Clone, Default)]
pub(super) struct Spent {
    /// CPU, µs
    pub cpu_us: i64,
    /// runs that ended
    pub runs: i64,
    /// their duration, µs
    pub elapsed_us: i64,
    /// the longest run that was told, µs
    max_us: i64,
    /// pages read from memory
    reads: i64,
    /// plans went: there may have been more
    at_least: bool,
}

impl Spent {
    /// The columns of [`Self::cells`].
    pub const COLUMNS: [&str; 5] = ["#CPU", "#runs", "#average", "#max", "#reads"];

    /// Adds what a poll told.
    pub fn take(&mut self, ran: &impl Ran, at_least: bool) {
        let took = ran.took();
        let add = |to: &mut i64, n: Option<i64>| *to = to.saturating_add(n.unwrap_or(0));
        add(&mut self.cpu_us, took.cpu_us);
        add(&mut self.runs, took.runs);
        add(&mut self.elapsed_us, took.elapsed_us);
        add(&mut self.reads, took.reads);
        self.max_us = self.max_us.max(took.max_us.unwrap_or(0));
        self.at_least |= at_least;
    }

    /// Something ran.
    pub const fn is_some(&self) -> bool {
        self.runs > 0 || self.cpu_us > 0
    }

    /// The average duration of a run.
    pub fn avg_ms(&self) -> Option<f64> {
        (self.runs > 0).then(|| self.elapsed_us as f64 / 1_000.0 / self.runs as f64)
    }

    /// CPU, runs, average and longest duration, reads.
    pub fn cells(&self) -> [String; 5] {
        let of = |words: String| if self.at_least { format!("≥{words}") } else { words };
        [
            of(span(self.cpu_us / 1_000)),
            of(count(self.runs as f64)),
            self.avg_ms().map_or_else(|| "–".to_owned(), wait),
            wait(self.max_us as f64 / 1_000.0),
            of(count(self.reads as f64)),
        ]
    }
}
