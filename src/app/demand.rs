//! Questions of the screen to one server: hands them to the collector, reads the plans that come back, and tells the screen.
//! A task beside the screen, started by the session; `effects` hands it what the screen asks. Plans are read on a thread for
//! blocking work: a large one takes tens of milliseconds.

use crate::{
    collect::{Asked, Command, Told, Word},
    model::{
        base::failure::{Failure, FailureKind},
        poll::demand::{Found, FoundPlan, Outcome},
    },
    plan::Plan,
    protocol::{DemandRequest, DemandWord, Reply, Shown, ShownPlan},
};
use std::{collections::HashMap, sync::Arc};
use tokio::sync::mpsc::{self, Receiver, Sender};
use tokio_util::sync::CancellationToken;

/// Requests that may wait: more than a person asks at once.
pub const REQUESTS: usize = 16;
/// Words that may wait to be told.
const WORDS: usize = 64;

/// Carries out requests until the screen is gone; then it cancels what is open.
pub async fn carry_out(
    mut requests: Receiver<DemandRequest>,
    collector: Sender<Command>,
    screen: Sender<Reply>,
) {
    let (tell, mut told) = mpsc::channel(WORDS);
    let all = CancellationToken::new();
    let _ends_all = all.clone().drop_guard();
    let mut open: HashMap<u64, CancellationToken> = HashMap::new();
    loop {
        tokio::select! {
            request = requests.recv() => match request {
                Some(DemandRequest::Ask { ticket, instance, demand }) => {
                    let cancel = all.child_token();
                    open.insert(ticket, cancel.clone());
                    let asked = Asked { ticket, instance, demand, cancel, tell: tell.clone() };
                    if collector.send(Command::Ask(Box::new(asked))).await.is_err() {
                        return;
                    }
                }
                Some(DemandRequest::Cancel { ticket }) => {
                    if let Some(cancel) = open.remove(&ticket) {
                        cancel.cancel();
                    }
                }
                None => return,
            },
            Some(Told { ticket, word }) = told.recv() => {
                // One that was cancelled in the moment of its answer says nothing any more.
                if !open.contains_key(&ticket) {
                    continue;
                }
                let word = match word {
                    Word::Step(step) => DemandWord::Step(step),
                    Word::Done(Outcome { found, cost_ms }) => {
                        open.remove(&ticket);
                        DemandWord::Done { found: shown(found).await, cost_ms }
                    }
                };
                if screen.send(Reply::Demanded { ticket, word }).await.is_err() {
                    return;
                }
            }
        }
    }
}

/// The answer with its plans read.
async fn shown(found: Result<Found, Failure>) -> Result<Shown, Failure> {
    let plans = match found? {
        Found::Plans(plans) => plans,
        Found::Waits(waits) => return Ok(Shown::Waits(waits)),
        Found::Sent(sent) => return Ok(Shown::Sent(sent)),
        Found::Buffers(buffers) => return Ok(Shown::Buffers(buffers)),
        Found::Room(room) => return Ok(Shown::Room(room)),
        Found::PlanCache(kinds) => return Ok(Shown::PlanCache(kinds)),
    };
    let read = tokio::task::spawn_blocking(|| plans.into_iter().map(read).collect());
    let failed =
        |_| Failure::new(FailureKind::Protocol, "reading the plan met a bug in dbtop; the log says more");
    read.await.map(Shown::Plans).map_err(failed)
}

fn read(found: FoundPlan) -> ShownPlan {
    let plan = match found.xml.as_deref() {
        None => Err(found.words_without_xml()),
        Some(xml) => Plan::read(xml.as_bytes()).map(Arc::new).map_err(|error| error.to_string()),
    };
    ShownPlan { found, plan }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{
        inventory::instance::InstanceId,
        poll::demand::{Demand, PlanSource, Step},
    };

    fn found(xml: Option<&str>) -> FoundPlan {
        FoundPlan {
            source: PlanSource::Cached,
            query_hash: None,
            plan_hash: None,
            compiled_at: None,
            started_at: None,
            runs: None,
            cpu_ms: None,
            elapsed_ms: None,
            xml: xml.map(Into::into),
            stored: None,
            not_live: None,
        }
    }

    const PLAN: &str = "<ShowPlanXML><BatchSequence><Batch><Statements><StmtSimple/></Statements></Batch></BatchSequence></ShowPlanXML>";

    #[tokio::test]
    async fn a_question_is_told_step_by_step_and_a_cancelled_one_says_nothing() {
        let (ask, requests) = mpsc::channel(8);
        let (collector, mut commands) = mpsc::channel(8);
        let (screen, mut replies) = mpsc::channel(8);
        let task = tokio::spawn(carry_out(requests, collector, screen));
        let demand = Demand::Plans { query_hash: 7 };
        for ticket in [1, 2] {
            ask.send(DemandRequest::Ask { ticket, instance: InstanceId::new("a"), demand }).await.unwrap();
        }
        let mut asked = Vec::new();
        for _ in 0..2 {
            let Some(Command::Ask(question)) = commands.recv().await else { panic!("not asked") };
            asked.push(question);
        }
        ask.send(DemandRequest::Cancel { ticket: 1 }).await.unwrap();
        asked[0].cancel.cancelled().await;
        assert!(!asked[1].cancel.is_cancelled());
        let plans = vec![found(None), found(Some("<html/>")), found(Some(PLAN))];
        for (question, word) in [
            (&asked[0], Word::Done(Outcome { found: Ok(Found::Waits(Vec::new())), cost_ms: None })),
            (&asked[1], Word::Step(Step::Asks)),
            (&asked[1], Word::Done(Outcome { found: Ok(Found::Plans(plans)), cost_ms: Some(3) })),
        ] {
            question.tell.send(Told { ticket: question.ticket, word }).await.unwrap();
        }
        let Some(Reply::Demanded { ticket: 2, word: DemandWord::Step(Step::Asks) }) = replies.recv().await
        else {
            panic!("the cancelled one speaks")
        };
        let Some(Reply::Demanded { ticket: 2, word: DemandWord::Done { found, cost_ms } }) =
            replies.recv().await
        else {
            panic!("no answer")
        };
        assert_eq!(cost_ms, Some(3));
        let Ok(Shown::Plans(plans)) = found else { panic!("{found:?}") };
        assert!(plans[0].plan.as_ref().is_err_and(|why| why.contains("any more")));
        assert!(plans[1].plan.as_ref().is_err_and(|why| why.contains("<html>")), "{:?}", plans[1].plan);
        assert!(plans[2].plan.is_ok());
        // The screen is gone: what is open ends.
        ask.send(DemandRequest::Ask { ticket: 3, instance: InstanceId::new("a"), demand }).await.unwrap();
        let Some(Command::Ask(last)) = commands.recv().await else { panic!("not asked") };
        drop(ask);
        task.await.unwrap();
        last.cancel.cancelled().await;
    }
}
