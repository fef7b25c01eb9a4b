//! Questions that take long, to the history service as it runs: each has its answer, whatever else is asked meanwhile.

use crate::world::{LONG, Stage, World, at, info, name};
use dbtop::{
    app::{
        history::{self, History, HistoryCommand, Recording},
        module::{Links, Module},
    },
    collect,
    config::Config,
    model::{
        fold::Fleet,
        inventory::instance::InstanceId,
        judge::health::Thresholds,
        poll::{
            State,
            id::ProbeId,
            queries::{QueryRow, QueryTable},
        },
        timeline::record::{Record, Recorded},
    },
    protocol::{Answer, HistoryRequest, Query, Reply},
    store::history::{Engine, Options},
};
use std::{collections::HashMap, path::Path, sync::Arc, time::Duration};
use tokio::sync::{mpsc, watch};

/// Two instances, of which an hour is kept.
const INSTANCES: usize = 2;
const HOUR: i64 = 3_600;

fn write(stage: &Stage) {
    let mut engine = Engine::open(&stage.path(), None, Options::default()).unwrap();
    let mut world = World::new(INSTANCES);
    for second in (0..HOUR).step_by(60) {
        let mut batch = world.round(second);
        batch.extend((0..INSTANCES).map(|n| poll(n, second)));
        engine.take(batch);
        engine.commit().unwrap();
    }
    engine.seal(at(HOUR), LONG).unwrap();
    engine.close().unwrap();
}

/// A poll of the plan cache.
fn poll(n: usize, second: i64) -> Record {
    let query = QueryRow { hash: 1, runs: Some(2), cpu_us: Some(90_000), ..QueryRow::default() };
    let table =
        QueryTable { cpu_us: query.cpu_us, queries: vec![query], over_ms: 60_000, ..QueryTable::default() };
    let state = Ok(State::Queries(Arc::new(table)));
    let what = Recorded::Reading { probe: ProbeId::Queries, every_ms: 60_000, state };
    Record { info: info(&name(n)), at: at(second), what }
}

/// A screen's view of a history service of its own.
struct Screen {
    history: History,
    ends: Module,
    replies: mpsc::Receiver<Reply>,
    /// the collector and the rest of the program, which have nothing to do
    _others: Box<dyn std::any::Any>,
}

impl Screen {
    /// One that plays this history.
    async fn of(file: &Path) -> Self {
        let (collector, commands) = mpsc::channel::<collect::Command>(64);
        let (feed, updates) = mpsc::channel(8);
        let (fleet, of_fleet) = watch::channel(Fleet::new(Thresholds::default()).snapshot(at(HOUR)));
        let (config, of_config) = watch::channel(Arc::new(Config::default()));
        let (screen, replies) = mpsc::channel(256);
        let links = Links {
            collector,
            feed: feed.downgrade(),
            fleet: of_fleet,
            config: of_config,
            screen: Some(screen),
        };
        let (_, readings) = history::recorder();
        let (history, ends) = history::start(&links, readings).unwrap();
        history.commands.send(HistoryCommand::Play(Recording::open(file).unwrap())).await.ok().unwrap();
        Self { history, ends, replies, _others: Box::new((commands, feed, updates, fleet, config)) }
    }

    async fn ask(&self, ticket: u64, query: Query) {
        let request = HistoryRequest::Ask { ticket, query };
        self.history.commands.send(HistoryCommand::Ask(request)).await.ok().unwrap();
    }

    /// The last word about each of so many questions.
    async fn hear(&mut self, questions: usize) -> HashMap<u64, Result<Answer, String>> {
        let mut heard = HashMap::new();
        while heard.len() < questions {
            let reply = tokio::time::timeout(Duration::from_mins(1), self.replies.recv()).await;
            match reply.unwrap_or_else(|_| panic!("{} of {questions} have a last word", heard.len())) {
                Some(Reply::Answer { ticket, answer }) if !answer.is_partial() => {
                    heard.insert(ticket, Ok(answer));
                }
                Some(Reply::NoHistory { ticket: Some(ticket), why }) => {
                    heard.insert(ticket, Err(why));
                }
                Some(_) => {}
                None => panic!("the service ended"),
            }
        }
        heard
    }

    async fn end(self) {
        drop(self.history);
        self.ends.ended.await;
    }
}

fn instances() -> Arc<[InstanceId]> {
    (0..INSTANCES).map(|n| InstanceId::new(name(n))).collect()
}

fn samples(minutes: i64) -> Query {
    let to = at(HOUR);
    Query::Samples { instances: instances(), from: to.plus_ms(-minutes * 60_000), to, slot_ms: 60_000 }
}

fn spent(minutes: i64) -> Query {
    let to = at(HOUR);
    Query::Spent { instances: instances(), from: to.plus_ms(-minutes * 60_000), to }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_several_panes_ask_at_once_is_answered_to_each() {
    let stage = Stage::new();
    write(&stage);
    let mut screens = [Screen::of(&stage.path()).await, Screen::of(&stage.path()).await];
    for screen in &screens {
        for (ticket, query) in [(1, samples(60)), (2, spent(60)), (3, samples(30)), (4, spent(30))] {
            screen.ask(ticket, query).await;
        }
    }
    for screen in &mut screens {
        let heard = screen.hear(4).await;
        for (ticket, minutes) in [(1, 60), (3, 30)] {
            let gathered = match &heard[&ticket] {
                Ok(Answer::Samples(gathered)) => gathered,
                // A screen shows one stretch of samples: what was asked before gives way.
                Err(why) if ticket == 1 && why.contains("newer questions") => continue,
                other => panic!("{other:?}"),
            };
            assert_eq!(gathered.begins, at(HOUR).plus_ms(-minutes * 60_000));
            assert!(gathered.of.len() == INSTANCES && gathered.of.iter().all(|(_, seen)| !seen.is_empty()));
        }
        for (ticket, minutes) in [(2, 60), (4, 30)] {
            let Ok(Answer::Spent(told)) = &heard[&ticket] else { panic!("{heard:?}") };
            // A poll of the first second tells of the minute before the hour.
            let polls = |n: usize| i64::from(told.of[n].1.polls);
            assert!((minutes - 1..=minutes).contains(&polls(0)) && polls(0) == polls(1), "{}", polls(0));
        }
    }
    for screen in screens {
        screen.end().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_too_many_questions_each_is_read_or_told_that_newer_ones_came_first() {
    let stage = Stage::new();
    write(&stage);
    let mut screen = Screen::of(&stage.path()).await;
    for ticket in 1..=24 {
        screen.ask(ticket, if ticket % 2 == 0 { samples(20 + ticket as i64) } else { spent(60) }).await;
    }
    let heard = screen.hear(24).await;
    for (ticket, last) in &heard {
        match last {
            Ok(_) => {}
            // The last four stay, but of samples the last one alone.
            Err(why) => {
                let gives_way = *ticket <= 20 || *ticket == 22;
                assert!(gives_way && why.contains("newer questions"), "{ticket}: {why}");
            }
        }
    }
    assert!(heard[&24].is_ok() && heard[&23].is_ok());
    screen.end().await;
}
