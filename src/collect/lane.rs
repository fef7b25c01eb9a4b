//! The on-demand lane: a second connection to an instance, for what somebody asked for, so that no plan delays a headline
//! number. It is opened with the first question, answers one after another, and is closed after a minute without one (at once where
//! nobody looks at the instance), or when another instance waits for its place: at most [`PLACES`] are open at once, however large
//! the fleet. What is due together shares one opening, and what the polls know of the server it does not ask. A question can be
//! cancelled at any moment; the server is told to end the statement then, and the connection is closed.
//!
//! [`Lanes`] belongs to the manager. Each lane is a task of its own; it shares permits for connects with the polls, and nothing else. What
//! it costs a server has a budget of its own ([`Ledger`]): a probe that is due when that is used up is deferred, and says so.

use super::{
    connect,
    driver::{Driver, Session},
    instance::Control,
    limiter::ledger::Ledger,
    live_config::LiveConfig,
    permits::Priority,
    places::{PLACES, Place, Places},
    secrets::SecretCell,
    shared::{Due, Shared},
};
use crate::{
    model::{
        base::{
            failure::{Failure, FailureKind},
            figure,
            time::Timestamp,
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
        mpsc::{self, error::TrySendError},
        watch,
    },
    task::JoinSet,
    time::{Instant, sleep_until, timeout},
};
use tokio_util::sync::CancellationToken;

/// A lane without a question is closed after this.
const IDLE: Duration = Duration::from_mins(1);
/// The same where nobody looks at the instance: what is due there together comes together, and the rest an hour later.
const IDLE_IN_FLEET: Duration = Duration::from_secs(1);
/// A person's question waits for a place for so long.
const PATIENCE: Duration = Duration::from_secs(30);
/// Questions that wait for one instance, and rounds of probes; who asks more is told so.
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

/// Probes that are due over a lane.
pub(super) struct Round {
    /// which
    pub due: Due,
    /// CPU time that the lane may take within an hour; zero: no limit
    pub budget: Duration,
    /// what the manager wants of the instance by now: an open lane began with the settings of then, and a round may have waited
    pub control: watch::Receiver<Control>,
}

impl Round {
    /// Nothing is to be asked of the instance meanwhile.
    fn is_off(&self, now: Timestamp) -> bool {
        let control = self.control.borrow();
        control.paused || control.poll.paused(now).is_some()
    }

    /// The settings of the instance as they are now.
    fn settings(&self) -> Arc<PollSettings> {
        Arc::clone(&self.control.borrow().poll)
    }

    /// Says of each of its probes that it was not asked.
    fn refuse(self, instance: InstanceId, failure: Failure, at: Timestamp, updates: mpsc::Sender<Update>) {
        tokio::spawn(async move {
            for (probe, every_ms) in self.due.probes {
                let outcome = Err(Unavailable::Failed(failure.clone()));
                let update =
                    Update::Polled { instance: instance.clone(), probe, at, took_ms: 0, every_ms, outcome };
                // The reducer outlives the lanes.
                let _ = updates.send(update).await;
            }
        });
    }
}

/// Something for a lane to do.
pub(super) enum Job {
    /// somebody asked
    Asked(Box<Asked>),
    /// probes are due
    Probes(Box<Round>),
}

impl Asked {
    fn step(&self, step: Step) {
        // Nobody misses a step that a full channel leaves out.
        let _ = self.tell.try_send(Told { ticket: self.ticket, word: Word::Step(step) });
    }

    /// Ends it without an answer.
    pub fn refuse(self, failure: Failure) {
        tokio::spawn(async move { self.done(Outcome { found: Err(failure), cost_ms: None }).await });
    }

    async fn done(&self, outcome: Outcome) {
        // Who asked may have gone.
        let _ = self.tell.send(Told { ticket: self.ticket, word: Word::Done(outcome) }).await;
    }
}

/// The lanes of a fleet. Dropping them ends all.
pub(super) struct Lanes<D> {
    shared: Arc<Shared<D>>,
    places: Arc<Places>,
    started: HashMap<InstanceId, (Arc<Target>, Doors)>,
    /// what each lane left to the next one of its instance
    left: HashMap<InstanceId, Left>,
    tasks: JoinSet<(InstanceId, Left)>,
}

/// The ways to a lane that runs: what a person asks does not stand behind the polls.
struct Doors {
    asked: mpsc::Sender<Box<Asked>>,
    rounds: mpsc::Sender<Box<Round>>,
}

impl Doors {
    fn send(&self, job: Job) -> Result<(), TrySendError<Job>> {
        fn back<T>(error: TrySendError<T>, job: fn(T) -> Job) -> TrySendError<Job> {
            match error {
                TrySendError::Full(of) => TrySendError::Full(job(of)),
                TrySendError::Closed(of) => TrySendError::Closed(job(of)),
            }
        }
        match job {
            Job::Asked(asked) => self.asked.try_send(asked).map_err(|error| back(error, Job::Asked)),
            Job::Probes(round) => self.rounds.try_send(round).map_err(|error| back(error, Job::Probes)),
        }
    }
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
        Self {
            shared,
            places: Arc::new(Places::new()),
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
                if self.started.get(&instance).is_some_and(|(_, doors)| doors.rounds.is_closed()) {
                    self.started.remove(&instance);
                }
                self.left.insert(instance, left);
            }
        }
        let job = match self.started.get(&instance) {
            Some((of, doors)) if of.is_reached_like(target) => match doors.send(job) {
                Ok(()) => return,
                Err(TrySendError::Full(job)) => {
                    let text = format!("{QUESTIONS} questions to {instance} wait already: try again");
                    return self.refuse(instance, job, Failure::new(FailureKind::Config, text));
                }
                // It has just closed.
                Err(TrySendError::Closed(job)) => job,
            },
            _ => job,
        };
        let (asked, of_people) = mpsc::channel(QUESTIONS);
        let (rounds, of_polls) = mpsc::channel(QUESTIONS);
        let doors = Doors { asked, rounds };
        // There is room: the lane is new.
        let _ = doors.send(job);
        self.started.insert(instance.clone(), (Arc::clone(target), doors));
        let lane = Lane {
            shared: Arc::clone(&self.shared),
            target: Arc::clone(target),
            secret,
            way_in,
            places: Arc::clone(&self.places),
            asked: of_people,
            rounds: of_polls,
            asks: None,
            until: Instant::now() + IDLE_IN_FLEET,
            left: self.left.get(&instance).cloned().unwrap_or_default(),
        };
        self.tasks.spawn(async move { (instance, lane.run().await) });
    }

    /// Ends a job without an answer, in words.
    pub fn refuse(&self, instance: InstanceId, job: Job, failure: Failure) {
        match job {
            Job::Asked(asked) => asked.refuse(failure),
            Job::Probes(round) => {
                let at = (self.shared.clock)();
                round.refuse(instance, failure, at, self.shared.updates.clone());
            }
        }
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
    asked: mpsc::Receiver<Box<Asked>>,
    rounds: mpsc::Receiver<Box<Round>>,
    /// since when the server is asked something that nobody has billed
    asks: Option<Instant>,
    /// it is open until then without a question
    until: Instant,
    left: Left,
}

/// An open lane, and what is known of the server.
struct Open<S> {
    session: S,
    context: ProbeContext,
    /// what it has used and was billed, ms of CPU
    billed_ms: i64,
    _place: Place,
}

impl<D: Driver> Lane<D> {
    /// Runs until it has been idle for long enough; says what it leaves to the next one.
    async fn run(mut self) -> Left {
        let mut open = None;
        while let Some(job) = self.next(open.is_some()).await {
            match job {
                Job::Asked(asked) => self.carry_out(&asked, &mut open).await,
                Job::Probes(mut round) => self.poll(&mut round, &mut open).await,
            }
        }
        self.left
    }

    /// The next job, of a person before those of polls; None: it is time to close.
    async fn next(&mut self, is_open: bool) -> Option<Job> {
        tokio::select! {
            biased;
            asked = self.asked.recv() => if let Some(asked) = asked { return Some(Job::Asked(asked)); },
            round = self.rounds.recv() => if let Some(round) = round { return Some(Job::Probes(round)); },
            () = sleep_until(self.until) => {}
            () = self.places.are_wanted(), if is_open => {}
        }
        // One that came in this moment is answered still.
        self.asked.close();
        self.rounds.close();
        match self.asked.recv().await {
            Some(asked) => Some(Job::Asked(asked)),
            None => self.rounds.recv().await.map(Job::Probes),
        }
    }

    /// Answers a person, unless they think better of it.
    async fn carry_out(&mut self, asked: &Asked, open: &mut Option<Open<D::Session>>) {
        tracing::info!(instance = self.target.info.log_name(), what = %asked.demand, "asked on demand");
        self.until = Instant::now() + IDLE;
        let is_done = tokio::select! {
            biased;
            () = asked.cancel.cancelled() => false,
            () = self.answer_or_say_why(asked, open) => true,
        };
        self.until = Instant::now() + IDLE;
        // While it waits or connects, nothing is asked, and what is open stays so.
        if let (false, Some(since)) = (is_done, self.asks.take()) {
            // The statement ends with its connection, and nobody says what it has cost.
            self.left.ledger.bill(since.elapsed(), Instant::now());
            *open = None;
        }
    }

    async fn answer_or_say_why(&mut self, asked: &Asked, open: &mut Option<Open<D::Session>>) {
        let was_open = open.is_some();
        let mut outcome = self.answer(asked, open).await;
        let is_closed = outcome.found.as_ref().is_err_and(|failure| failure.kind == FailureKind::Unreachable);
        if was_open && is_closed {
            // It had been idle, and something on the way forgot it.
            *open = None;
            outcome = self.answer(asked, open).await;
        }
        asked.done(outcome).await;
    }

    /// Polls one probe after another, as long as the budget lasts. A person goes first in between.
    async fn poll(&mut self, round: &mut Round, open: &mut Option<Open<D::Session>>) {
        let idle = if round.due.focused { IDLE } else { IDLE_IN_FLEET };
        let mut unreachable = None;
        for (probe, every_ms) in std::mem::take(&mut round.due.probes) {
            while let Ok(asked) = self.asked.try_recv() {
                self.carry_out(&asked, open).await;
            }
            if round.is_off((self.shared.clock)()) {
                return;
            }
            let mut polled = if let Some(over) = self.left.ledger.over(round.budget, Instant::now()) {
                vec![none(probe, Unavailable::SwitchedOff(over.words().into()))]
            } else if let Some(failure) = &unreachable {
                vec![none(probe, Unavailable::Failed(Failure::clone(failure)))]
            } else {
                match self.opened(None, round.due.known.as_deref(), open).await {
                    Ok(Open { session, context, .. }) => {
                        let began = Instant::now();
                        context.set_focused(round.due.focused);
                        context.want_databases(round.settings());
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
            tell_news(&mut polled, &mut round.due);
            self.report(polled, every_ms).await;
            // What a person asked lately keeps it open.
            self.until = self.until.max(Instant::now() + idle);
        }
    }

    /// Bills what the session has used since the last bill, and forgets it if it is closed; how far it read stays known.
    async fn bill(&mut self, open: &mut Option<Open<D::Session>>, began: Instant) {
        let Some(Open { session, context, billed_ms, .. }) = open else { return };
        let used_ms = if session.is_open() { cpu_ms(session, context).await } else { None };
        self.left.ledger.bill(since(billed_ms, used_ms, began), Instant::now());
        self.asks = None;
        self.left.read = context.watermarks().clone();
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
        let Open { session, context, billed_ms, .. } = match self.opened(Some(asked), None, open).await {
            Ok(open) => open,
            Err(failure) => return Outcome { found: Err(failure), cost_ms: None },
        };
        asked.step(Step::Asks);
        let began = Instant::now();
        self.asks = Some(began);
        let before = cpu_ms(session, context).await;
        let found = session.demand(asked.demand, context).await;
        let after = if session.is_open() { cpu_ms(session, context).await } else { None };
        self.left.ledger.bill(since(billed_ms, after, began), Instant::now());
        self.asks = None;
        self.left.read = context.watermarks().clone();
        if !session.is_open() {
            *open = None;
        }
        let cost_ms = after.zip(before).map(|(after, before)| after.saturating_sub(before).max(0));
        Outcome { found: found.map_err(advised), cost_ms }
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
            let place = match asked {
                Some(_) => timeout(PATIENCE, self.places.take(true)).await.map_err(|_| all_taken())?,
                None => self.places.take(false).await,
            };
            step(Step::Connects);
            self.connect(place, known).await?
        };
        Ok(open.insert(opened))
    }

    async fn connect(&self, place: Place, known: Option<&Known>) -> Result<Open<D::Session>, Failure> {
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

/// Says what to do about an answer that was late.
fn advised(failure: Failure) -> Failure {
    if failure.kind != FailureKind::Timeout {
        return failure;
    }
    let text = format!("{}; the polls go on: ask again", failure.text);
    Failure { text: text.into(), ..failure }
}

/// Why nobody asked for a person.
fn all_taken() -> Failure {
    let (places, s) = (PLACES, PATIENCE.as_secs());
    let text = format!("not asked: all {places} connections for questions were in use for {s} s; ask again");
    Failure::new(FailureKind::Timeout, text)
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
