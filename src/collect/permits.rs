//! Permits: how many polls, handshakes and TCP connects run at once. A permit is for the work at the start, not for the
//! waiting: a task that has waited for a silent server for the hold time returns it and waits on. So sixty black holes
//! cost the healthy ones nothing but one short turn.
//!
//! When permits are scarce, who matters more goes first: see [`Priority`]. It is a head start and no more, so nobody waits
//! for ever. A task keeps the order of the waiting, [`hand_out`]; it has nothing to do while permits are free.

use super::meter::Meter;
use crate::model::{inventory::instance::InstanceInfo, judge::health::Level};
use std::{
    cmp::Ordering,
    collections::BinaryHeap,
    future::Future,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::Relaxed},
    },
    time::Duration,
};
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore, mpsc, oneshot},
    time::Instant,
};

/// Newcomers on their way into the line; more of them wait before it.
const LINE: usize = 4_096;

/// How much an instance matters when permits are scarce.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Priority {
    /// critical now: somebody watches it, or will
    Critical,
    /// labelled as production
    Production,
    /// neither
    #[default]
    Usual,
    /// labelled as a test
    Test,
}

impl Priority {
    /// That of an instance at this level of health. One that is offline is tried by the pace of its retries, not sooner.
    pub fn of(info: &InstanceInfo, level: Level) -> Self {
        match level {
            Level::Critical => Self::Critical,
            _ if info.is_production() => Self::Production,
            _ if is_test(info) => Self::Test,
            _ => Self::Usual,
        }
    }

    /// An instance of this priority waits for so much longer than a critical one, if both came in one moment.
    const fn later(self) -> Duration {
        Duration::from_secs(match self {
            Self::Critical => 0,
            Self::Production => 4,
            Self::Usual => 6,
            Self::Test => 10,
        })
    }
}

/// True for a label `env` or a group that says so.
fn is_test(info: &InstanceInfo) -> bool {
    const NAMES: [&str; 9] =
        ["test", "testing", "dev", "development", "qa", "uat", "stage", "staging", "sandbox"];
    let test = |s: &str| NAMES.iter().any(|name| s.eq_ignore_ascii_case(name));
    info.label("env").map_or_else(|| info.groups.iter().any(|g| test(g)), test)
}

/// A number of permits.
#[derive(Debug)]
pub struct Permits {
    semaphore: Arc<Semaphore>,
    count: usize,
    hold: Duration,
    meter: Arc<Meter>,
    /// instances that stand in line
    waiting: AtomicUsize,
    line: mpsc::Sender<Waiting>,
}

impl Permits {
    /// `count` at once, each held for at most `hold`. Must be called within a tokio runtime.
    pub fn new(count: usize, hold: Duration, meter: Arc<Meter>) -> Self {
        let semaphore = Arc::new(Semaphore::new(count.clamp(1, Semaphore::MAX_PERMITS)));
        let (line, newcomers) = mpsc::channel(LINE);
        tokio::spawn(hand_out(Arc::clone(&semaphore), newcomers));
        Self { semaphore, count, hold, meter, waiting: AtomicUsize::new(0), line }
    }

    /// True if a new one of these would be the same.
    pub fn is_like(&self, count: usize, hold: Duration) -> bool {
        self.count == count && self.hold == hold
    }

    /// Waits for a permit.
    pub async fn acquire(&self, priority: Priority) -> Permit {
        let hold = self.hold;
        if self.waiting.load(Relaxed) == 0
            && let Ok(permit) = Arc::clone(&self.semaphore).try_acquire_owned()
        {
            return Permit { permit: Some(permit), hold };
        }
        let _queued = self.meter.queue();
        let _in_line = InLine::stand(&self.waiting);
        let (turn, called) = oneshot::channel();
        // Neither the task nor the semaphore ends before these permits; without a permit the work would run all the same.
        let _ = self.line.send(Waiting { since: Instant::now() + priority.later(), turn }).await;
        Permit { permit: called.await.ok(), hold }
    }
}

/// Counts one who waits for as long as it lives.
struct InLine<'a>(&'a AtomicUsize);

impl<'a> InLine<'a> {
    fn stand(waiting: &'a AtomicUsize) -> Self {
        waiting.fetch_add(1, Relaxed);
        Self(waiting)
    }
}

impl Drop for InLine<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Relaxed);
    }
}

/// Somebody in line. The greatest is the one whose turn is next.
#[derive(Debug)]
struct Waiting {
    /// when they came, their priority reckoned in
    since: Instant,
    turn: oneshot::Sender<OwnedSemaphorePermit>,
}

impl Ord for Waiting {
    fn cmp(&self, other: &Self) -> Ordering {
        other.since.cmp(&self.since)
    }
}

impl PartialOrd for Waiting {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Waiting {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Waiting {}

/// Hands each permit to the first in line. Ends with the permits.
async fn hand_out(semaphore: Arc<Semaphore>, mut newcomers: mpsc::Receiver<Waiting>) {
    let mut line = BinaryHeap::new();
    loop {
        if line.is_empty() {
            match newcomers.recv().await {
                Some(newcomer) => line.push(newcomer),
                None => return,
            }
        }
        tokio::select! {
            biased;
            Some(newcomer) = newcomers.recv() => line.push(newcomer),
            Ok(permit) = Arc::clone(&semaphore).acquire_owned() => hand_over(permit, &mut line),
            else => return,
        }
    }
}

/// To the first who has not gone away.
fn hand_over(mut permit: OwnedSemaphorePermit, line: &mut BinaryHeap<Waiting>) {
    while let Some(next) = line.pop() {
        match next.turn.send(permit) {
            Ok(()) => return,
            Err(back) => permit = back,
        }
    }
}

/// One permit.
#[derive(Debug)]
pub struct Permit {
    permit: Option<OwnedSemaphorePermit>,
    hold: Duration,
}

impl Permit {
    /// Runs the work; the permit is free again when it is done, or after the hold time.
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
    use tokio::time::sleep;

    fn permits(count: usize) -> Arc<Permits> {
        Arc::new(Permits::new(count, Duration::from_secs(1), Arc::new(Meter::default())))
    }

    #[tokio::test(start_paused = true)]
    async fn sixty_that_wait_for_ever_let_the_next_one_through() {
        let permits = permits(16);
        for _ in 0..60 {
            let permits = Arc::clone(&permits);
            tokio::spawn(async move {
                permits.acquire(Priority::Usual).await.run(std::future::pending::<()>()).await;
            });
        }
        tokio::task::yield_now().await;
        let before = Instant::now();
        permits.acquire(Priority::Usual).await.run(async {}).await;
        assert!(before.elapsed() <= Duration::from_secs(4), "{:?}", before.elapsed());
    }

    #[tokio::test(start_paused = true)]
    async fn no_more_than_its_places_run_at_once() {
        let permits = permits(2);
        let before = Instant::now();
        let work = (0..6).map(|_| {
            let permits = Arc::clone(&permits);
            tokio::spawn(async move {
                permits.acquire(Priority::Usual).await.run(sleep(Duration::from_millis(100))).await;
            })
        });
        for task in work.collect::<Vec<_>>() {
            task.await.unwrap();
        }
        assert_eq!(before.elapsed().as_millis(), 300);
    }

    /// Has these wait for one permit, each after so many ms; each works for 900 ms. Returns the order.
    async fn order(all: &[(Priority, u64)]) -> Vec<usize> {
        let (permits, (done, mut came)) = (permits(1), mpsc::channel(all.len()));
        let first = permits.acquire(Priority::Usual).await;
        for (i, (priority, after_ms)) in all.iter().copied().enumerate() {
            let (permits, done) = (Arc::clone(&permits), done.clone());
            tokio::spawn(async move {
                sleep(Duration::from_millis(after_ms)).await;
                permits.acquire(priority).await.run(sleep(Duration::from_millis(900))).await;
                done.send(i).await
            });
        }
        sleep(Duration::from_millis(500)).await;
        drop((first, done));
        let mut order = Vec::new();
        while let Some(i) = came.recv().await {
            order.push(i);
        }
        order
    }

    #[tokio::test(start_paused = true)]
    async fn who_matters_more_goes_first() {
        use Priority::{Critical, Production, Test, Usual};
        let all = [(Test, 0), (Usual, 0), (Production, 0), (Critical, 0), (Critical, 0)];
        let order = order(&all).await;
        assert!(order[..2] == [3, 4] || order[..2] == [4, 3], "{order:?}");
        assert_eq!(order[2..], [2, 1, 0]);
    }

    #[tokio::test(start_paused = true)]
    async fn nobody_waits_for_ever_behind_those_who_matter_more() {
        // They come faster than they can go: the only place is never free.
        let mut all = vec![(Priority::Test, 0)];
        all.extend((0..60).map(|n| (Priority::Critical, n * 800)));
        let order = order(&all).await;
        let turn = order.iter().position(|i| *i == 0).unwrap();
        assert!((10..=15).contains(&turn), "{order:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn who_goes_away_while_waiting_loses_no_permit() {
        let permits = permits(1);
        let first = permits.acquire(Priority::Usual).await;
        let gone = tokio::spawn({
            let permits = Arc::clone(&permits);
            async move { drop(permits.acquire(Priority::Critical).await) }
        });
        tokio::task::yield_now().await;
        gone.abort();
        drop(first);
        let next = tokio::time::timeout(Duration::from_secs(1), permits.acquire(Priority::Test)).await;
        assert!(next.is_ok_and(|place| place.permit.is_some()));
    }

    #[test]
    fn labels_groups_and_health_say_who_matters() {
        let info = |labels: &[(&str, &str)], group: &str| {
            let info = crate::collect::fake::target("a").info;
            let labels = labels.iter().map(|(k, v)| ((*k).into(), (*v).into())).collect();
            InstanceInfo { labels, groups: vec![group.into()], ..InstanceInfo::clone(&info) }
        };
        assert_eq!(Priority::of(&info(&[("env", "PROD")], "x"), Level::Ok), Priority::Production);
        assert_eq!(Priority::of(&info(&[("env", "qa")], "prod"), Level::Warning), Priority::Test);
        assert_eq!(Priority::of(&info(&[], "Dev"), Level::Offline), Priority::Test);
        assert_eq!(Priority::of(&info(&[], "x"), Level::Ok), Priority::Usual);
        assert_eq!(Priority::of(&info(&[("env", "dev")], "x"), Level::Critical), Priority::Critical);
    }
}
