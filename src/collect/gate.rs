//! Permits: how many polls, handshakes and TCP connects run at once. A permit is for the work at the start, not for the
//! waiting: whoever has waited for a silent server for [`Gate::hold`] gives it back and waits on. So sixty black holes
//! cost the healthy ones nothing but one short turn.

use super::meter::Meter;
use std::{future::Future, sync::Arc, time::Duration};
use tokio::sync::{Semaphore, SemaphorePermit};

/// A number of permits, first come first served.
#[derive(Debug)]
pub struct Gate {
    permits: Semaphore,
    places: usize,
    hold: Duration,
    meter: Arc<Meter>,
}

impl Gate {
    /// `places` at once, each held for at most `hold`.
    pub fn new(places: usize, hold: Duration, meter: Arc<Meter>) -> Self {
        Self { permits: Semaphore::new(places.clamp(1, Semaphore::MAX_PERMITS)), places, hold, meter }
    }

    /// True if a new one of these would be the same.
    pub fn is_like(&self, places: usize, hold: Duration) -> bool {
        self.places == places && self.hold == hold
    }

    /// Waits for a place.
    pub async fn enter(&self) -> Place<'_> {
        let waiting = self.meter.queue();
        // The semaphore is never closed; without a permit the work would run all the same.
        let permit = self.permits.acquire().await.ok();
        drop(waiting);
        Place { permit, hold: self.hold }
    }
}

/// A place at the gate.
#[derive(Debug)]
pub struct Place<'a> {
    permit: Option<SemaphorePermit<'a>>,
    hold: Duration,
}

impl Place<'_> {
    /// Runs the work; the place is free again when it is done, or after the hold time.
    pub async fn run<F: Future>(self, work: F) -> F::Output {
        let mut work = std::pin::pin!(work);
        tokio::select! {
            biased;
            done = &mut work => return done,
            () = tokio::time::sleep(self.hold) => {}
        }
        drop(self.permit);
        work.await
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::time::{Instant, sleep};

    fn gate(places: usize) -> Arc<Gate> {
        Arc::new(Gate::new(places, Duration::from_secs(1), Arc::new(Meter::default())))
    }

    #[tokio::test(start_paused = true)]
    async fn sixty_that_wait_for_ever_let_the_next_one_through() {
        let gate = gate(16);
        for _ in 0..60 {
            let gate = Arc::clone(&gate);
            tokio::spawn(async move { gate.enter().await.run(std::future::pending::<()>()).await });
        }
        tokio::task::yield_now().await;
        let before = Instant::now();
        gate.enter().await.run(async {}).await;
        assert!(before.elapsed() <= Duration::from_secs(4), "{:?}", before.elapsed());
    }

    #[tokio::test(start_paused = true)]
    async fn no_more_than_its_places_run_at_once() {
        let gate = gate(2);
        let before = Instant::now();
        let work = (0..6).map(|_| {
            let gate = Arc::clone(&gate);
            tokio::spawn(async move { gate.enter().await.run(sleep(Duration::from_millis(100))).await })
        });
        for task in work.collect::<Vec<_>>() {
            task.await.unwrap();
        }
        assert_eq!(before.elapsed().as_millis(), 300);
    }
}
