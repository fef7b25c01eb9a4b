//! Many hands: what is asked of many instances is read by several threads, each with a reader of its own. Called by `reader`
//! and `fleet`; who asks for a few gets one thread, and no other connection is opened.

use super::reader::Reader;
use crate::store::StoreError;
use std::{num::NonZero, thread};

/// So many instances are read by one thread in about the time in which another begins to be of use.
const ALONE: usize = 32;
/// More threads than these would take what the panes and the collector need.
const MOST_THREADS: usize = 4;

/// Threads for so many instances.
fn hands(items: usize) -> usize {
    let cores = thread::available_parallelism().map_or(1, NonZero::get);
    items.div_ceil(ALONE).clamp(1, cores.min(MOST_THREADS))
}

impl Reader {
    /// Does `work` for parts of `items` at the same time; what came of the parts, in the order of the items. The readers of
    /// the other threads stay open for the next time.
    ///
    /// # Errors
    /// The first error of `work`; the file cannot be opened once more.
    pub(super) fn share<T: Sync, R: Send>(
        &mut self,
        items: &[T],
        work: impl Fn(&mut Self, &[T]) -> Result<R, StoreError> + Sync,
    ) -> Result<Vec<R>, StoreError> {
        let hands = hands(items.len());
        while self.others.len() + 1 < hands {
            self.others.push(self.another()?);
        }
        let mut others = std::mem::take(&mut self.others);
        let mut parts = items.chunks(items.len().div_ceil(hands).max(1));
        let mine = parts.next().unwrap_or_default();
        let work = &work;
        let done = thread::scope(|scope| {
            let running: Vec<_> = others
                .iter_mut()
                .zip(parts)
                .map(|(other, part)| scope.spawn(move || work(other, part)))
                .collect();
            let mut done = vec![work(self, mine)];
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
        assert_eq!([hands(0), hands(1), hands(ALONE)], [1, 1, 1]);
        assert!(hands(5000) <= MOST_THREADS);
    }
}
