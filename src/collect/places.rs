//! The places of open on-demand lanes: a few for the whole fleet, however large it is. Lanes take them, and the idle ones give theirs to
//! whoever waits.

use std::sync::Arc;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Lanes that are open at once.
pub const PLACES: usize = 64;
/// Of them polls may take all but these: a person does not wait behind a fleet.
const FOR_PEOPLE: usize = 4;

/// The places of open lanes.
pub(super) struct Places {
    free: Arc<Semaphore>,
    /// those of them that polls may take
    of_polls: Arc<Semaphore>,
    /// a permit for each that waits for a place: an idle lane takes one, and closes
    wanted: Semaphore,
}

/// A place of a lane.
pub(super) type Place = (Option<OwnedSemaphorePermit>, Option<OwnedSemaphorePermit>);

/// Somebody waits for a place. Dropped: they gave up.
struct Waits<'a>(&'a Places);

impl Drop for Waits<'_> {
    fn drop(&mut self) {
        // They gave up: no lane needs to close for them.
        if let Ok(permit) = self.0.wanted.try_acquire() {
            permit.forget();
        }
    }
}

impl Places {
    /// All are free.
    pub fn new() -> Self {
        Self {
            free: Arc::new(Semaphore::new(PLACES)),
            of_polls: Arc::new(Semaphore::new(PLACES - FOR_PEOPLE)),
            wanted: Semaphore::new(0),
        }
    }

    /// A place, for a person or for a poll.
    pub async fn take(&self, is_asked: bool) -> Place {
        let of_polls = if is_asked { None } else { self.permit(&self.of_polls).await };
        (self.permit(&self.free).await, of_polls)
    }

    async fn permit(&self, of: &Arc<Semaphore>) -> Option<OwnedSemaphorePermit> {
        if let Ok(permit) = Arc::clone(of).try_acquire_owned() {
            return Some(permit);
        }
        self.wanted.add_permits(1);
        let waits = Waits(self);
        // It is never closed.
        let permit = Arc::clone(of).acquire_owned().await.ok();
        // A lane closed for them. If one ended by itself instead, another closes a little early, and that is all.
        std::mem::forget(waits);
        permit
    }

    /// An idle lane shall close.
    pub async fn are_wanted(&self) {
        if let Ok(permit) = self.wanted.acquire().await {
            permit.forget();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;
    use tokio::time::timeout;

    async fn is_soon<T>(what: impl Future<Output = T>) -> bool {
        timeout(Duration::from_millis(1), what).await.is_ok()
    }

    #[tokio::test(start_paused = true)]
    async fn polls_leave_some_for_people_and_each_that_waits_is_let_in_by_one_that_closes() {
        let places = Arc::new(Places::new());
        let mut taken = Vec::new();
        for _ in 0..PLACES - FOR_PEOPLE {
            taken.push(places.take(false).await);
        }
        assert!(!is_soon(places.take(false)).await, "the rest is for people");
        assert!(!is_soon(places.are_wanted()).await, "who gave up waits no more");
        let person = places.take(true).await;
        let waiting: Vec<_> = (0..3)
            .map(|_| {
                let places = Arc::clone(&places);
                tokio::spawn(async move { places.take(false).await })
            })
            .collect();
        tokio::task::yield_now().await;
        for _ in 0..3 {
            assert!(is_soon(places.are_wanted()).await, "each of them asks for one");
        }
        assert!(!is_soon(places.are_wanted()).await, "and no more than that");
        taken.truncate(taken.len() - 3);
        for waits in waiting {
            assert!(is_soon(waits).await);
        }
        drop(person);
    }
}
