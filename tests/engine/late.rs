//! Servers that are late with the answer to what a person asks: over real TDS, by the collector's on-demand lane and the task that the
//! screen asks. The polls have a connection of their own and go on meanwhile.

use dbtop::{
    app::demand,
    collect::{self, Collector, Settings},
    config,
    model::{
        base::{failure::FailureKind, time::Timestamp},
        inventory::instance::InstanceId,
        poll::demand::{Demand, Step},
    },
    protocol::{DemandRequest, DemandWord, Reply, Shown},
    sim::{
        Sim, SimConfig,
        scenario::{Kind, Scenario},
    },
    tds::Roots,
};
use std::{
    collections::BTreeSet,
    sync::Arc,
    time::{Duration, Instant},
};
use tokio::sync::mpsc::{self, Receiver, Sender};

const DEMAND: Demand = Demand::SessionWaits { session_id: 57 };
/// Longer than anything here waits.
const LATE_MS: f64 = 120_000.0;
const PATIENCE: Duration = Duration::from_mins(1);

/// A server that is late for demands, its collector, and who asks.
struct Asker {
    sim: Sim,
    collector: Collector,
    requests: Sender<DemandRequest>,
    replies: Receiver<Reply>,
}

impl Asker {
    async fn new() -> Self {
        let config =
            SimConfig { instances: 1, port: Some(0), scenario: Scenario::default(), ..SimConfig::default() };
        let sim = Sim::start(config).await.unwrap();
        sim.set("*", Kind::LateAnswers, Some(LATE_MS));
        let targets = config::inventory::parse(&sim.inventory_toml()).unwrap();
        let settings = Settings { fleet_every_ms: 1_000, ..Settings::default() };
        let resolver = Arc::new(config::secret::resolve);
        let collector = collect::start(targets, settings, resolver, Roots::public(), None);
        let (requests, heard) = mpsc::channel(demand::REQUESTS);
        let (screen, replies) = mpsc::channel(64);
        tokio::spawn(demand::carry_out(heard, collector.commands.clone(), screen));
        let mut asker = Self { sim, collector, requests, replies };
        while asker.headline_at().is_none() {
            asker.collector.snapshots.changed().await.unwrap();
        }
        asker
    }

    /// When the headline numbers on the screen were read.
    fn headline_at(&mut self) -> Option<Timestamp> {
        let snapshot = Arc::clone(&self.collector.snapshots.borrow_and_update());
        let headline = &snapshot.instances[0].facts.headline;
        headline.get().and(headline.at)
    }

    fn instance(&self) -> InstanceId {
        self.collector.snapshots.borrow().instances[0].id().clone()
    }

    async fn ask(&self, ticket: u64) {
        let request = DemandRequest::Ask { ticket, instance: self.instance(), demand: DEMAND };
        self.requests.send(request).await.unwrap();
    }

    /// The next word about a question, and the times of the headline numbers that came meanwhile.
    async fn hear(&mut self, ticket: u64, headlines: &mut BTreeSet<Timestamp>) -> DemandWord {
        let until = tokio::time::Instant::now() + PATIENCE;
        loop {
            tokio::select! {
                reply = self.replies.recv() => match reply {
                    Some(Reply::Demanded { ticket: of, word }) if of == ticket => return word,
                    Some(Reply::Demanded { ticket: of, .. }) => panic!("a word about {of}, which was cancelled"),
                    _ => {}
                },
                changed = self.collector.snapshots.changed() => {
                    changed.unwrap();
                    headlines.extend(self.headline_at());
                }
                () = tokio::time::sleep_until(until) => panic!("no word about {ticket}"),
            }
        }
    }

    /// Its last word, with the steps before it.
    async fn end(
        &mut self,
        ticket: u64,
        headlines: &mut BTreeSet<Timestamp>,
    ) -> (Vec<Step>, Result<Shown, dbtop::model::base::failure::Failure>) {
        let mut steps = Vec::new();
        loop {
            match self.hear(ticket, headlines).await {
                DemandWord::Step(step) => steps.push(step),
                DemandWord::Done { found, .. } => return (steps, found),
            }
        }
    }

    async fn stop(self) {
        drop(self.requests);
        assert!(self.collector.shutdown().await);
        self.sim.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_question_that_is_answered_too_late_says_so_while_the_polls_go_on_and_the_next_one_works() {
    let mut asker = Asker::new().await;
    let mut headlines = BTreeSet::new();
    let began = Instant::now();
    asker.ask(1).await;
    let (steps, found) = asker.end(1, &mut headlines).await;
    assert_eq!(steps, [Step::Waits, Step::Connects, Step::Asks]);
    let failure = found.unwrap_err();
    assert_eq!(failure.kind, FailureKind::Timeout, "{failure:?}");
    // What, how long, and what next; the screen says before it which question to whom.
    assert!(failure.text.contains("no whole answer to session_waits within 10 s"), "{failure:?}");
    assert!(failure.text.ends_with("the polls go on: ask again"), "{failure:?}");
    assert!(began.elapsed() >= Duration::from_secs(10));
    assert!(headlines.len() >= 3, "headline numbers of {headlines:?}");
    let ended = Instant::now();
    while asker.sim.cancelled() == 0 {
        assert!(ended.elapsed() < PATIENCE, "the server works on for nobody");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    asker.sim.clear("*", Kind::LateAnswers);
    asker.ask(2).await;
    let (_, found) = asker.end(2, &mut headlines).await;
    assert!(matches!(found, Ok(Shown::Waits(_))), "{found:?}");
    asker.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_question_that_is_cancelled_ends_on_the_server_at_once_and_the_next_one_works() {
    let mut asker = Asker::new().await;
    let mut headlines = BTreeSet::new();
    asker.ask(1).await;
    while !matches!(asker.hear(1, &mut headlines).await, DemandWord::Step(Step::Asks)) {}
    // The server has the question by now, or soon.
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert_eq!(asker.sim.cancelled(), 0);
    let began = Instant::now();
    asker.requests.send(DemandRequest::Cancel { ticket: 1 }).await.unwrap();
    while asker.sim.cancelled() == 0 {
        assert!(began.elapsed() < Duration::from_secs(9), "before it would have been too late anyway");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    asker.sim.clear("*", Kind::LateAnswers);
    asker.ask(2).await;
    let (_, found) = asker.end(2, &mut headlines).await;
    assert!(matches!(found, Ok(Shown::Waits(_))), "{found:?}");
    assert_eq!(asker.sim.cancelled(), 1, "nothing else was cancelled: the polls go on");
    let before = asker.headline_at();
    while asker.headline_at() == before {
        assert!(began.elapsed() < PATIENCE, "no newer headline numbers");
        let _ = tokio::time::timeout(Duration::from_millis(200), asker.collector.snapshots.changed()).await;
    }
    asker.stop().await;
}
