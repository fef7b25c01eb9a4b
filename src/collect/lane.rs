//! The on-demand lane: a second connection to an instance, for what somebody asked for, so that no plan delays a headline
//! number. It is opened with the first question, answers one after another, and is closed after a minute without one (at once where
//! nobody looks at the instance), or when another instance waits for its place: at most [`PLACES`] are open at once, however large
//! the fleet. What is due together shares one opening, and what the polls know of the server it does not ask. A question can be
//! cancelled at any moment; its connection is closed then, which ends the statement on the server.
//!
//! [`Lanes`] belongs to the manager. Each lane is a task of its own; it shares permits for connects with the polls, and nothing else. What
//! it costs a server has a budget of its own ([`Ledger`]): a probe that is due when that is used up is deferred, and says so.

use super::{
    connect,
    driver::{Driver, Session},
    limiter::ledger::Ledger,
    live_config::LiveConfig,
    permits::Priority,
    secrets::SecretCell,
    shared::{Due, Shared},
};
use crate::{
    model::{
        base::{
            failure::{Failure, FailureKind},
            figure,
        },
        fold::update::Update,
        inventory::{
            instance::{InstanceId, Target},
            record::PollSettings,
        },
        poll::{
            Sample,
            demand::{Demand, Outcome, Step},
            id::ProbeId,
            reading::Unavailable,
        },
    },
    probe::{Heard, Known, Polled, ProbeContext, Watermarks, descriptor::Worth, probe, wait_ms},
};
use std::{collections::HashMap, sync::Arc, time::Duration};
use tokio::{
    sync::{
        Notify, OwnedSemaphorePermit, Semaphore,
        mpsc::{self, error::TrySendError},
    },
    task::JoinSet,
    time::{Instant, sleep},
};
use tokio_util::sync::CancellationToken;

/// Lanes that are open at once.
pub const PLACES: usize = 64;
/// A lane without a question is closed after this.
const IDLE: Duration = Duration::from_mins(1);
/// The same where nobody looks at the instance: what is due there together comes together, and the rest an hour later.
const IDLE_IN_FLEET: Duration = Duration::from_secs(1);
/// Questions that wait for one instance; who asks more is told so.
const QUESTIONS: usize = 8;
/// What must be known of a server before it is asked anything, unless the polls know it: version, rights, names, its clock.
const INTRODUCTION: [ProbeId; 4] =
    [ProbeId::Rights, ProbeId::Properties, ProbeId::Databases, ProbeId::Headline];

/// A question, and who hears the answer.
#[derive(Debug, Clone)]
pub struct Asked {
    /// comes back with every word
    pub ticket: u64,
    /// whom
    pub instance: InstanceId,
    /// what
    pub demand: Demand,
    /// ends it; then no word comes any more
    pub cancel: CancellationToken,
    /// hears of it. A step that finds it full is left out, the outcome waits for room
    pub tell: mpsc::Sender<Told>,
}

/// A word about a question.
#[derive(Debug, Clone, PartialEq)]
pub struct Told {
    /// of which question
    pub ticket: u64,
    /// what
    pub word: Word,
}

/// What is told of a question.
#[derive(Debug, Clone, PartialEq)]
pub enum Word {
    /// it is so far
    Step(Step),
    /// the last word
    Done(Outcome),
}

/// Something for a lane to do.
pub(super) enum Job {
    /// somebody asked
    Asked(Box<Asked>),
    /// probes are due
    Probes {
        /// which
        due: Due,
        /// CPU time that the lane may take within an hour; zero: no limit
        budget: Duration,
        /// the settings of the instance as they are now: an open lane began with those of then
        settings: Arc<PollSettings>,
    },
}

impl Job {
    /// Ends it without an answer. Probes come again.
    pub fn refuse(self, failure: Failure) {
        if let Self::Asked(asked) = self {
            tokio::spawn(async move { asked.done(Outcome { found: Err(failure), cost_ms: None }).await });
        }
    }

    /// Cancelled when nobody wants an answer any more.
    fn cancel(&self) -> CancellationToken {
        match self {
            Self::Asked(asked) => asked.cancel.clone(),
            Self::Probes { .. } => CancellationToken::new(),
        }
    }
}

impl Asked {
    fn step(&self, step: Step) {
        // Nobody misses a step that a full channel leaves out.
        let _ = self.tell.try_send(Told { ticket: self.ticket, word: Word::Step(step) });
    }

    async fn done(&self, outcome: Outcome) {
        // Who asked may have gone.
        let _ = self.tell.send(Told { ticket: self.ticket, word: Word::Done(outcome) }).await;
    }
}

/// The places of open lanes.
struct Places {
    free: Arc<Semaphore>,
    /// somebody waits for a place: an idle lane closes
    wanted: Notify,
}

impl Places {
    async fn take(&self) -> Option<OwnedSemaphorePermit> {
        if let Ok(place) = Arc::clone(&self.free).try_acquire_owned() {
            return Some(place);
        }
        self.wanted.notify_one();
        // It is never closed.
        Arc::clone(&self.free).acquire_owned().await.ok()
    }
}

/// The lanes of a fleet. Dropping them ends all.
pub(super) struct Lanes<D> {
    shared: Arc<Shared<D>>,
    places: Arc<Places>,
    started: HashMap<InstanceId, (Arc<Target>, mpsc::Sender<Job>)>,
    /// what each lane left to the next one of its instance
    left: HashMap<InstanceId, Left>,
    tasks: JoinSet<(InstanceId, Left)>,
}

/// What a lane leaves to the next one.
#[derive(Debug, Clone, Default)]
struct Left {
    /// how far the server was read
    read: Watermarks,
    /// what it cost there
    ledger: Ledger,
}

impl<D: Driver> Lanes<D> {
    pub fn new(shared: Arc<Shared<D>>) -> Self {
        let places = Places { free: Arc::new(Semaphore::new(PLACES)), wanted: Notify::new() };
        Self {
            shared,
            places: Arc::new(places),
            started: HashMap::new(),
            left: HashMap::new(),
            tasks: JoinSet::new(),
        }
    }

    /// Asks over the lane of an instance; starts it if there is none, or if the instance is reached in another way now.
    pub fn ask(
        &mut self,
        instance: InstanceId,
        job: Job,
        target: &Arc<Target>,
        secret: SecretCell,
        way_in: (Arc<LiveConfig>, Priority),
    ) {
        while let Some(ended) = self.tasks.try_join_next() {
            if let Ok((instance, left)) = ended {
                // The queue of a lane that has ended is not kept: a fleet would have thousands.
                if self.started.get(&instance).is_some_and(|(_, jobs)| jobs.is_closed()) {
                    self.started.remove(&instance);
                }
                self.left.insert(instance, left);
            }
        }
        let job = match self.started.get(&instance) {
            Some((of, jobs)) if of.is_reached_like(target) => match jobs.try_send(job) {
                Ok(()) => return,
                Err(TrySendError::Full(job)) => {
                    let text = format!("{QUESTIONS} questions to {instance} wait already: try again");
                    return job.refuse(Failure::new(FailureKind::Config, text));
                }
                // It has just closed.
                Err(TrySendError::Closed(job)) => job,
            },
            _ => job,
        };
        let (jobs, taken) = mpsc::channel(QUESTIONS);
        self.started.insert(instance.clone(), (Arc::clone(target), jobs.clone()));
        let lane = Lane {
            shared: Arc::clone(&self.shared),
            target: Arc::clone(target),
            secret,
            way_in,
            places: Arc::clone(&self.places),
            jobs: taken,
            idle: IDLE,
            left: self.left.get(&instance).cloned().unwrap_or_default(),
        };
        self.tasks.spawn(async move { (instance, lane.run().await) });
        // There is room: the lane is new.
        let _ = jobs.try_send(job);
    }

    /// Ends the lanes of instances that are gone, once they have answered.
    pub fn retain(&mut self, is_there: impl Fn(&InstanceId) -> bool) {
        self.started.retain(|id, _| is_there(id));
        self.left.retain(|id, _| is_there(id));
    }

    /// Ends all.
    pub async fn shutdown(&mut self) {
        self.started.clear();
        self.tasks.shutdown().await;
    }
}

struct Lane<D: Driver> {
    shared: Arc<Shared<D>>,
    target: Arc<Target>,
    secret: SecretCell,
    way_in: (Arc<LiveConfig>, Priority),
    places: Arc<Places>,
    jobs: mpsc::Receiver<Job>,
    /// closed after so long without a question
    idle: Duration,
    left: Left,
}

/// An open lane, and what is known of the server.
struct Open<S> {
    session: S,
    context: ProbeContext,
    /// what it has used and was billed, ms of CPU
    billed_ms: i64,
    _place: Option<OwnedSemaphorePermit>,
}

impl<D: Driver> Lane<D> {
    /// Runs until it has been idle for long enough; says what it leaves to the next one.
    async fn run(mut self) -> Left {
        let mut open = None;
        while let Some(mut job) = self.next(open.is_some()).await {
            let is_watched = !matches!(&job, Job::Probes { due, .. } if !due.focused);
            self.idle = if is_watched { IDLE } else { IDLE_IN_FLEET };
            let cancel = job.cancel();
            let began = Instant::now();
            let is_done = tokio::select! {
                biased;
                () = cancel.cancelled() => false,
                () = self.carry_out(&mut job, &mut open) => true,
            };
            if let Some(Open { context, .. }) = &open {
                self.left.read = context.watermarks().clone();
            }
            if !is_done {
                // The statement ends with its connection, and nobody says what it has cost.
                self.left.ledger.bill(began.elapsed(), Instant::now());
                open = None;
            }
        }
        self.left
    }

    /// The next job; None: it is time to close.
    async fn next(&mut self, is_open: bool) -> Option<Job> {
        tokio::select! {
            biased;
            job = self.jobs.recv() => return job,
            () = sleep(self.idle) => {}
            () = self.places.wanted.notified(), if is_open => {}
        }
        // One that came in this moment is answered still.
        self.jobs.close();
        self.jobs.recv().await
    }

    async fn carry_out(&mut self, job: &mut Job, open: &mut Option<Open<D::Session>>) {
        match job {
            Job::Asked(asked) => {
                tracing::info!(
                    instance = self.target.info.log_name(),
                    what = %asked.demand,
                    "asked on demand"
                );
                let was_open = open.is_some();
                let mut outcome = self.answer(asked, open).await;
                let is_closed =
                    outcome.found.as_ref().is_err_and(|failure| failure.kind == FailureKind::Unreachable);
                if was_open && is_closed {
                    // It had been idle, and something on the way forgot it.
                    *open = None;
                    outcome = self.answer(asked, open).await;
                }
                asked.done(outcome).await;
            }
            Job::Probes { due, budget, settings } => self.poll(due, (*budget, &*settings), open).await,
        }
    }

    /// Polls one probe after another, as long as the budget lasts.
    async fn poll(
        &mut self,
        due: &mut Due,
        (budget, settings): (Duration, &Arc<PollSettings>),
        open: &mut Option<Open<D::Session>>,
    ) {
        let mut unreachable = None;
        for (probe, every_ms) in std::mem::take(&mut due.probes) {
            let began = Instant::now();
            let mut polled = if let Some(over) = self.left.ledger.over(budget, began) {
                vec![none(probe, Unavailable::SwitchedOff(over.words().into()))]
            } else if let Some(failure) = &unreachable {
                vec![none(probe, Unavailable::Failed(Failure::clone(failure)))]
            } else {
                match self.opened(None, due.known.as_deref(), open).await {
                    Ok(Open { session, context, .. }) => {
                        context.set_focused(due.focused);
                        context.want_databases(Arc::clone(settings));
                        let polled = session.poll(&[probe], context).await;
                        self.bill(open, began).await;
                        polled
                    }
                    Err(failure) => {
                        let polled = none(probe, Unavailable::Failed(failure.clone()));
                        unreachable = Some(failure);
                        vec![polled]
                    }
                }
            };
            tell_news(&mut polled, due);
            self.report(polled, every_ms).await;
        }
    }

    /// Bills what the session has used since the last bill, and forgets it if it is closed.
    async fn bill(&mut self, open: &mut Option<Open<D::Session>>, began: Instant) {
        let Some(Open { session, context, billed_ms, .. }) = open else { return };
        let used_ms = if session.is_open() { cpu_ms(session, context).await } else { None };
        self.left.ledger.bill(since(billed_ms, used_ms, began), Instant::now());
        if !session.is_open() {
            *open = None;
        }
    }

    /// Tells the reducer what a probe said.
    async fn report(&self, polled: Vec<Polled>, every_ms: u32) {
        let at = (self.shared.clock)();
        for Polled { probe, took_ms, outcome } in polled {
            tracing::debug!(
                instance = self.target.info.log_name(),
                probe = probe.name(),
                took_ms,
                "polled over the on-demand lane"
            );
            let instance = self.target.info.id.clone();
            let update = Update::Polled { instance, probe, at, took_ms, every_ms, outcome };
            // The reducer outlives the lanes.
            let _ = self.shared.updates.send(update).await;
        }
    }

    async fn answer(&mut self, asked: &Asked, open: &mut Option<Open<D::Session>>) -> Outcome {
        let began = Instant::now();
        let Open { session, context, billed_ms, .. } = match self.opened(Some(asked), None, open).await {
            Ok(open) => open,
            Err(failure) => return Outcome { found: Err(failure), cost_ms: None },
        };
        asked.step(Step::Asks);
        let before = cpu_ms(session, context).await;
        let found = session.demand(asked.demand, context).await;
        let after = if session.is_open() { cpu_ms(session, context).await } else { None };
        self.left.ledger.bill(since(billed_ms, after, began), Instant::now());
        if !session.is_open() {
            *open = None;
        }
        let cost_ms = after.zip(before).map(|(after, before)| after.saturating_sub(before).max(0));
        Outcome { found, cost_ms }
    }

    /// The open connection; connects if there is none. `known`: what it need not ask then.
    async fn opened<'o>(
        &self,
        asked: Option<&Asked>,
        known: Option<&Known>,
        open: &'o mut Option<Open<D::Session>>,
    ) -> Result<&'o mut Open<D::Session>, Failure> {
        let opened = if let Some(opened) = open.take() {
            opened
        } else {
            let step = |step| asked.into_iter().for_each(|asked| asked.step(step));
            step(Step::Waits);
            let place = self.places.take().await;
            step(Step::Connects);
            self.connect(place, known).await?
        };
        Ok(open.insert(opened))
    }

    async fn connect(
        &self,
        place: Option<OwnedSemaphorePermit>,
        known: Option<&Known>,
    ) -> Result<Open<D::Session>, Failure> {
        let mut context = ProbeContext::new(self.shared.clock);
        context.resume(self.left.read.clone());
        context.want_databases(Arc::clone(&self.target.info.poll));
        let way_in = (Arc::clone(&self.way_in.0), self.way_in.1);
        let connected = connect::connect(&self.shared, &self.target, &self.secret, way_in, &mut context);
        let mut session = connected.await?;
        if let Some(known) = known {
            context.introduce(known.clone());
            return Ok(Open { session, context, billed_ms: 0, _place: place });
        }
        let polled = session.poll(&INTRODUCTION, &mut context).await;
        if session.is_open() {
            return Ok(Open { session, context, billed_ms: 0, _place: place });
        }
        Err(super::instance::broken_by(&polled))
    }
}

/// Tells how it went with what is asked when there is news, and says in its failure when it is asked again.
fn tell_news(polled: &mut [Polled], due: &mut Due) {
    let news = polled.iter_mut().find(|polled| matches!(probe(polled.probe).worth, Worth::News(_)));
    let Some(polled) = news else { return };
    let Some(heard) = due.heard.take() else { return };
    let how = match &mut polled.outcome {
        Ok(_) => Heard::Told,
        Err(Unavailable::Failed(failure)) => {
            let mut text = failure.text.to_string();
            text.push_str("; asked again after ");
            figure::push_span(&mut text, wait_ms(due.failures.saturating_add(1)));
            failure.text = text.into();
            Heard::Failed
        }
        // It was not asked.
        Err(Unavailable::SwitchedOff(_)) => return,
        Err(_) => Heard::Refused,
    };
    // Its instance may be gone.
    let _ = heard.send(how);
}

/// A probe that told nothing.
const fn none(probe: ProbeId, why: Unavailable) -> Polled {
    Polled { probe, took_ms: 0, outcome: Err(why) }
}

/// CPU time since the last bill; `used_ms`: that of the session. One that is closed does not say: no statement of ours takes more CPU than
/// time.
fn since(billed_ms: &mut i64, used_ms: Option<i64>, began: Instant) -> Duration {
    used_ms.map_or_else(
        || began.elapsed(),
        |used_ms| {
            let more_ms = used_ms.saturating_sub(std::mem::replace(billed_ms, used_ms));
            Duration::from_millis(u64::try_from(more_ms).unwrap_or_default())
        },
    )
}

/// The CPU that a session has used so far, ms; None if the server does not say.
async fn cpu_ms<S: Session>(session: &mut S, context: &mut ProbeContext) -> Option<i64> {
    let polled: Vec<Polled> = session.poll(&[ProbeId::Cost], context).await;
    polled.into_iter().find_map(|polled| match polled.outcome {
        Ok(Sample::Cost(cost)) => cost.cpu_ms,
        _ => None,
    })
}
