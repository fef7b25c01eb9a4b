//! The read pool: several threads read a large fleet, each with a connection of its own. `states` asks it. A question about a few
//! instances uses one thread and opens no other connection.

use super::{file::HistoryFile, worker::Worker};
use crate::store::StoreError;
use std::{num::NonZero, thread};

/// One thread reads so many instances in about the time that a second thread needs to start.
const ALONE: usize = 32;
/// More threads would slow the panes and the collector.
const MOST_THREADS: usize = 4;

/// Threads that read so many instances.
fn threads(items: usize) -> usize {
    let cores = thread::available_parallelism().map_or(1, NonZero::get);
    items.div_ceil(ALONE).clamp(1, cores.min(MOST_THREADS))
}

/// The workers of one reader. The first one answers the questions that one thread can answer.
pub(super) struct ReadPool {
    pub first: Worker,
    others: Vec<Worker>,
}

impl ReadPool {
    /// A pool of one worker.
    pub fn new(file: HistoryFile) -> Self {
        Self { first: Worker::new(file), others: Vec::new() }
    }

    /// Does `work` for parts of `items` at the same time. Returns the results in the order of the items. The connections of the
    /// other threads stay open for the next call.
    ///
    /// # Errors
    /// The first error of `work`; the file cannot be opened once more.
    pub fn share<T: Sync, R: Send>(
        &mut self,
        items: &[T],
        work: impl Fn(&mut Worker, &[T]) -> Result<R, StoreError> + Sync,
    ) -> Result<Vec<R>, StoreError> {
        let threads = threads(items.len());
        while self.others.len() + 1 < threads {
            self.others.push(Worker::new(self.first.file.again()?));
        }
        let mut others = std::mem::take(&mut self.others);
        let mut parts = items.chunks(items.len().div_ceil(threads).max(1));
        let mine = parts.next().unwrap_or_default();
        let work = &work;
        let done = thread::scope(|scope| {
            let running: Vec<_> = others
                .iter_mut()
                .zip(parts)
                .map(|(other, part)| scope.spawn(move || work(other, part)))
                .collect();
            let mut done = vec![work(&mut self.first, mine)];
            for one in running {
                done.push(one.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)));
            }
            done
        });
        self.others = others;
        done.into_iter().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_few_are_read_by_one_and_no_fleet_takes_more_than_four() {
        assert_eq!([threads(0), threads(1), threads(ALONE)], [1, 1, 1]);
        let cores = thread::available_parallelism().map_or(1, NonZero::get);
        assert_eq!(threads(ALONE + 1), cores.min(2));
        assert!(threads(5000) <= MOST_THREADS);
    }
}
