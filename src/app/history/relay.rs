//! From the collector to the present writer: the writer changes with the tenant, the collector's channel does not. Until it is
//! decided whether there is a writer, readings are held: the collector polls already while the file is opened. Started by the
//! history service; [`super::role`] decides. It reads and writes no file.

use crate::{
    collect::Recorder,
    model::{judge::health::Level, timeline::record::Record},
    protocol::Reply,
};
use std::{collections::VecDeque, time::Duration};
use tokio::{
    sync::{
        mpsc::{Receiver, Sender},
        watch,
    },
    time::timeout,
};

/// Time for a decision once the collector has ended. Shorter than the session waits for its modules.
const DECIDED_WITHIN: Duration = Duration::from_secs(2);

/// Where readings go.
#[derive(Debug, Clone)]
enum Destination {
    /// not decided yet: they are held
    Undecided,
    /// to this writer
    Writer(Recorder),
    /// nowhere: another process writes, or no history can be kept
    Nobody,
}

/// The decision about the present fleet.
#[derive(Debug, Clone)]
struct Decision {
    /// counts fleets: what is held for one never goes to the writer of another
    fleet: u64,
    to: Destination,
}

/// Decides where readings go. At first nothing is decided.
pub(super) struct Decider(watch::Sender<Decision>);

/// Hears of each decision.
pub(super) struct Decided(watch::Receiver<Decision>);

/// The two ends of the decision.
pub(super) fn decision() -> (Decider, Decided) {
    let (tell, heard) = watch::channel(Decision { fleet: 0, to: Destination::Undecided });
    (Decider(tell), Decided(heard))
}

impl Decider {
    /// A writer may be there soon. What is held already stays so.
    pub fn undecided(&self) {
        self.0.send_if_modified(|now| {
            let is_new = !matches!(now.to, Destination::Undecided);
            if is_new {
                *now = Decision { fleet: now.fleet + 1, to: Destination::Undecided };
            }
            is_new
        });
    }

    /// This writer takes what was held and what comes.
    pub fn writer(&self, recorder: Recorder) {
        self.0.send_modify(|now| now.to = Destination::Writer(recorder));
    }

    /// Nobody takes anything, and what was held is dropped.
    pub fn nobody(&self) {
        self.0.send_modify(|now| now.to = Destination::Nobody);
    }
}

/// Passes batches on until the collector is gone. A full queue of the writer slows the collector; what is held takes about
/// `most_bytes`, beyond that the oldest readings are dropped, counted, and told in the log and on the screen.
pub(super) async fn run(
    mut recorded: Receiver<Vec<Record>>,
    Decided(mut decided): Decided,
    most_bytes: usize,
    screen: Option<Sender<Reply>>,
) {
    let mut held = Held { fleet: 0, readings: VecDeque::new(), bytes: 0, most_bytes, lost: 0 };
    loop {
        let batch = tokio::select! {
            biased;
            Ok(()) = decided.changed() => Some(Vec::new()),
            batch = recorded.recv() => batch,
        };
        let Some(batch) = batch else { break };
        let now = decided.borrow_and_update().clone();
        held.pass(batch, now, screen.as_ref()).await;
    }
    // A run that was shorter than the opening of the file is kept, too.
    if !held.readings.is_empty() {
        let is_decided = |now: &Decision| !matches!(now.to, Destination::Undecided);
        let _ = timeout(DECIDED_WITHIN, decided.wait_for(is_decided)).await.map(drop);
        let now = decided.borrow().clone();
        held.pass(Vec::new(), now, screen.as_ref()).await;
    }
    if !held.readings.is_empty() {
        tracing::warn!(
            readings = held.readings.len(),
            "the run ended before its history was open: they are lost"
        );
    }
}

/// Readings that wait for the decision.
struct Held {
    /// see [`Decision::fleet`]
    fleet: u64,
    readings: VecDeque<Record>,
    bytes: usize,
    most_bytes: usize,
    /// dropped for want of room
    lost: u64,
}

impl Held {
    /// Takes a batch the way that is decided now, behind what is held.
    async fn pass(&mut self, batch: Vec<Record>, now: Decision, screen: Option<&Sender<Reply>>) {
        if self.fleet != now.fleet {
            self.fleet = now.fleet;
            self.drop_all();
        }
        match now.to {
            Destination::Undecided => self.hold(batch),
            Destination::Nobody => self.drop_all(),
            Destination::Writer(writer) => {
                let lost = self.lost;
                let all = match Vec::from(std::mem::take(&mut self.readings)) {
                    held if held.is_empty() => batch,
                    mut held => {
                        held.extend(batch);
                        held
                    }
                };
                self.drop_all();
                if !all.is_empty() {
                    // A writer that ended reports it itself.
                    let _ = writer.send(all).await;
                }
                tell(lost, screen).await;
            }
        }
    }

    fn hold(&mut self, batch: Vec<Record>) {
        for kept in batch {
            self.bytes += kept.what.weight_bytes();
            self.readings.push_back(kept);
        }
        while self.bytes > self.most_bytes
            && let Some(oldest) = self.readings.pop_front()
        {
            self.bytes = self.bytes.saturating_sub(oldest.what.weight_bytes());
            self.lost += 1;
        }
    }

    fn drop_all(&mut self) {
        self.readings.clear();
        (self.bytes, self.lost) = (0, 0);
    }
}

async fn tell(lost: u64, screen: Option<&Sender<Reply>>) {
    if lost == 0 {
        return;
    }
    let text = format!("history took long to open: the first {lost} readings are not in it");
    tracing::warn!("{text}");
    if let Some(screen) = screen {
        // Nobody listens: the screen is gone, and this ends soon.
        let _ = screen.send(Reply::Message { level: Level::Warning, text }).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{
        base::time::Timestamp, inventory::instance::InstanceInfo, poll::link::Link,
        timeline::record::Recorded,
    };
    use std::sync::Arc;
    use tokio::{sync::mpsc, task::JoinHandle};

    fn reading(n: i64) -> Record {
        let at = Timestamp::from_ms(n);
        Record {
            info: Arc::new(InstanceInfo::named("a")),
            at,
            what: Recorded::Link { link: Link::Up, since: at, was_down: false },
        }
    }

    struct Stage {
        collector: Sender<Vec<Record>>,
        decider: Decider,
        screen: Receiver<Reply>,
        relay: JoinHandle<()>,
    }

    /// A relay that holds so many readings.
    fn stage(most: usize) -> Stage {
        let (collector, recorded) = mpsc::channel(8);
        let (decider, heard) = decision();
        let (replies, screen) = mpsc::channel(8);
        let most_bytes = most * reading(0).what.weight_bytes();
        let relay = tokio::spawn(run(recorded, heard, most_bytes, Some(replies)));
        Stage { collector, decider, screen, relay }
    }

    impl Stage {
        async fn tells(&self, readings: impl IntoIterator<Item = i64>) {
            self.collector.send(readings.into_iter().map(reading).collect()).await.unwrap();
            // The relay takes it before the next decision.
            while self.collector.capacity() < self.collector.max_capacity() {
                tokio::task::yield_now().await;
            }
        }

        /// Ends the collector, and returns the readings that came to this writer.
        async fn written(self, mut writer: Receiver<Vec<Record>>) -> Vec<i64> {
            drop((self.collector, self.decider));
            self.relay.await.unwrap();
            let mut all = Vec::new();
            while let Some(batch) = writer.recv().await {
                all.extend(batch.iter().map(|kept| kept.at.ms()));
            }
            all
        }
    }

    #[tokio::test]
    async fn what_comes_while_the_history_opens_is_written_first() {
        let s = stage(100);
        s.tells([1, 2]).await;
        s.decider.undecided();
        s.tells([3]).await;
        let (recorder, writer) = mpsc::channel(8);
        s.decider.writer(recorder);
        s.tells([4]).await;
        assert_eq!(s.written(writer).await, [1, 2, 3, 4]);
    }

    #[tokio::test]
    async fn a_run_that_ends_before_the_history_is_open_is_kept() {
        let s = stage(100);
        s.tells([1]).await;
        let (recorder, mut writer) = mpsc::channel(8);
        drop(s.collector);
        tokio::task::yield_now().await;
        s.decider.writer(recorder);
        s.relay.await.unwrap();
        assert_eq!(writer.recv().await.unwrap().len(), 1);
    }

    #[tokio::test]
    async fn what_is_held_is_bounded_and_its_loss_is_told() {
        let mut s = stage(3);
        s.tells(1..=5).await;
        let (recorder, writer) = mpsc::channel(8);
        s.decider.writer(recorder);
        let Some(Reply::Message { text, .. }) = s.screen.recv().await else { panic!("nothing is told") };
        assert!(text.contains("the first 2 readings"), "{text}");
        assert_eq!(s.written(writer).await, [3, 4, 5]);
    }

    #[tokio::test]
    async fn what_was_held_for_one_fleet_is_not_written_to_another() {
        let s = stage(100);
        s.tells([1]).await;
        s.decider.nobody();
        s.tells([2]).await;
        s.decider.undecided();
        s.tells([3]).await;
        // Before the relay has seen any of it: the fleet changes twice.
        s.decider.nobody();
        s.decider.undecided();
        let (recorder, writer) = mpsc::channel(8);
        s.decider.writer(recorder);
        s.tells([4]).await;
        assert_eq!(s.written(writer).await, [4]);
    }
}
