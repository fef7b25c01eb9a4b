//! The task of one instance: connect, poll what is due, tell what came, try again after failures. It owns the
//! connection, the time-table and all that is known of the server for asking; it shares nothing but permits and
//! counters.
//!
//! How a failure is told: a poll that gave nothing and broke the connection is a failed link, said at once with its
//! reason. A connection that had worked and was closed from the other side (an idle disconnect) is made anew without a
//! word first. After a failed link, the link is up again with the first good sample, not with the login: a server that
//! lets us in and never answers stays down.

use super::{
    connect,
    driver::{Driver, Session},
    focus::Focus,
    limiter::{CostLimiter, Pace, budget::Rule},
    live_config::LiveConfig,
    permits::Priority,
    retry::{Attempt, Retry},
    schedule::{Schedule, is_heavy},
    secrets::SecretCell,
    shared::{Due, Heavy, Shared},
};
use crate::{
    model::{
        base::{
            age::AgeClock,
            failure::{Failure, FailureKind},
            time::Timestamp,
        },
        fold::update::Update,
        inventory::{instance::Target, record::PollSettings},
        poll::{Sample, State, id::ProbeId, link::Link, reading::Unavailable},
    },
    probe::{Heard, Polled, ProbeContext, descriptor::Worth, probe},
};
use std::{sync::Arc, time::Duration};
use tokio::{
    sync::{
        mpsc::error::TrySendError,
        oneshot::{self, error::TryRecvError},
        watch,
    },
    time::{Instant, sleep, sleep_until},
};
use tracing::Instrument;

/// Longest wait before a broken but answering connection is made anew.
const RECONNECT_SPREAD: Duration = Duration::from_millis(500);
/// An instance that rests reads the clock at least this often.
const LONGEST_REST_MS: u64 = 60_000;
/// After a pause the instances come back within this time.
const RESUME_SPREAD: Duration = Duration::from_secs(2);

/// The wishes of the manager for an instance; the newest wins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Control {
    /// how closely somebody looks
    pub focus: Focus,
    /// no polls
    pub paused: bool,
    /// grows with each "refresh now"
    pub refreshes: u64,
    /// what the instance's record and labels say about polling it
    pub poll: Arc<PollSettings>,
    /// who goes first when permits are scarce
    pub priority: Priority,
    /// the collector's settings
    pub live: Arc<LiveConfig>,
}

impl Control {
    /// Neither on the screen nor paused.
    pub const fn new(poll: Arc<PollSettings>, live: Arc<LiveConfig>) -> Self {
        let priority = Priority::Usual;
        Self { focus: Focus::Fleet, paused: false, refreshes: 0, poll, priority, live }
    }

    /// The newest permits, and our place in the line for them.
    fn way_in(&self) -> (Arc<LiveConfig>, Priority) {
        (Arc::clone(&self.live), self.priority)
    }
}

/// Why a connection ended.
enum End {
    /// no answer: the link is down
    Failed(Failure),
    /// it answered, or had answered and was closed: connect again, nothing is wrong yet
    Again,
}

pub(super) struct Instance<D> {
    pub target: Arc<Target>,
    pub shared: Arc<Shared<D>>,
    pub secret: SecretCell,
    pub control: watch::Receiver<Control>,
    schedule: Schedule,
    context: ProbeContext,
    retry: Retry,
    /// the control that was carried out last
    obeyed: Control,
    /// the time-table begins anew with the next connection
    fresh: bool,
    /// polls so far: with the instance it names a poll in the log
    rounds: u64,
    limiter: CostLimiter,
    /// how a reading over the on-demand lane goes that is made when there is news
    reading: Option<oneshot::Receiver<Heard>>,
    /// by which time maintenance ends: not by a step of the clock
    age: AgeClock,
}

impl<D: Driver> Instance<D> {
    pub fn new(
        target: Arc<Target>,
        shared: Arc<Shared<D>>,
        secret: SecretCell,
        control: watch::Receiver<Control>,
    ) -> Self {
        let first = control.borrow().clone();
        let age = AgeClock::resume(None, None, shared.moment());
        let schedule = Schedule::new(&first.live.settings, Arc::clone(&first.poll), Instant::now());
        let context = ProbeContext::new(shared.clock);
        Self {
            target,
            shared,
            secret,
            control,
            schedule,
            context,
            retry: Retry::default(),
            obeyed: Control::new(first.poll, first.live),
            fresh: true,
            rounds: 0,
            limiter: CostLimiter::default(),
            reading: None,
            age,
        }
    }

    /// Runs until it is dropped. `delay`: before the first connect, so that many do not start in one moment. Not of `self`, which
    /// would stand in an instance's task twice (<https://github.com/rust-lang/rust/issues/62958>).
    pub async fn run(&mut self, delay: Duration) {
        sleep(delay).await;
        loop {
            self.while_paused().await;
            match self.life().await {
                End::Again => sleep(RECONNECT_SPREAD.mul_f64(fastrand::f64())).await,
                End::Failed(failure) => {
                    self.fresh = true;
                    let wait = self.retry.failed(failure.is_transient(), fastrand::f64());
                    let info = &self.target.info;
                    let why = info.log_words(&failure);
                    tracing::info!(instance = info.log_name(), why, ?wait, "link down");
                    let now = (self.shared.clock)();
                    let next_at = now.plus_ms(i64::try_from(wait.as_millis()).unwrap_or(i64::MAX));
                    self.link(Link::Down { failure, attempts: self.retry.failures(), next_at }).await;
                    self.wait_for_next_attempt(wait).await;
                }
            }
        }
    }

    /// One connection from dial to its end.
    async fn life(&mut self) -> End {
        if self.retry.failures() == 0 && self.fresh {
            self.link(Link::Connecting).await;
        }
        // Boxed, as the poll below: what a connect and a poll need would stay in an instance's task for life.
        match Box::pin(self.connect()).await {
            Ok(session) => self.serve(session).await,
            Err(failure) => {
                self.shared.meter.error(failure.kind);
                End::Failed(failure)
            }
        }
    }

    async fn connect(&mut self) -> Result<D::Session, Failure> {
        // The newest, which a connect may be the first to see.
        let way_in = self.control.borrow().way_in();
        connect::connect(&self.shared, &self.target, &self.secret, way_in, &mut self.context).await
    }

    /// Polls what is due until the connection ends.
    async fn serve(&mut self, mut session: D::Session) -> End {
        let shared = Arc::clone(&self.shared);
        let _connected = shared.meter.connection();
        let now = Instant::now();
        if std::mem::take(&mut self.fresh) {
            self.schedule.connected(&self.obeyed.live.settings, now, fastrand::f64());
        } else {
            self.schedule.resume(now);
        }
        self.limiter.begin();
        let mut told = self.retry.failures() == 0;
        if told {
            self.link(Link::Up).await;
        }
        self.tell_what_is_off().await;
        self.tell_what_comes().await;
        let mut answered = false;
        loop {
            self.obey().await;
            if self.is_resting() {
                // Nobody knows for how long: the server is not to keep a connection for us.
                self.link(Link::Idle).await;
                return End::Again;
            }
            let mut due = self.next_round().await;
            self.hand_over(&mut due);
            if due.is_empty() {
                continue;
            }
            self.limiter.ask(self.obeyed.focus.is_close(), &mut due);
            let mut polled = self.poll(&mut session, &due).await;
            let ok = polled.iter().any(|p| p.outcome.is_ok());
            if ok {
                self.retry.succeeded();
            }
            let open = session.is_open();
            if !told && (ok || open) {
                told = true;
                self.link(Link::Up).await;
            }
            let failure = (!open).then(|| broken_by(&polled));
            let closed_by_server =
                failure.as_ref().is_some_and(|f| f.kind == FailureKind::Unreachable) && answered && !ok;
            if closed_by_server {
                // Nothing was asked, so everything stays due.
                return End::Again;
            }
            self.mind_cost(&due, &mut polled).await;
            self.report(polled).await;
            let settings = &self.obeyed.live.settings;
            let skipped = self.schedule.done(&due, settings, Instant::now(), fastrand::f64());
            shared.meter.skipped(skipped);
            answered |= ok;
            match failure {
                Some(_) if ok => return End::Again,
                Some(failure) => return End::Failed(failure),
                None => {}
            }
        }
    }

    /// The probes to poll now; waits for the next due time or a change of the control. Empty: look again.
    async fn next_round(&mut self) -> Vec<ProbeId> {
        if self.obeyed.paused {
            self.while_paused().await;
            return Vec::new();
        }
        let now = Instant::now();
        let due = self.schedule.due(now);
        if due.is_empty() {
            let next = self.schedule.wake();
            tokio::select! {
                () = sleep_until(next) => {}
                _ = self.control.changed() => {}
            }
            return due;
        }
        match self.retry.next_attempt() {
            Attempt::Full => due,
            // Half open: one cheap question. The probes that it leaves out stay due.
            Attempt::Trial => vec![ProbeId::Headline],
        }
    }

    /// Hands what is due over the on-demand lane to it. What is not worth asking, and what it cannot take, stays due.
    fn hand_over(&mut self, due: &mut Vec<ProbeId>) {
        self.hear_of_reading();
        let heavy: Vec<ProbeId> = due.extract_if(.., |id| is_heavy(*id)).collect();
        let (worth, others): (Vec<ProbeId>, Vec<ProbeId>) =
            heavy.into_iter().partition(|id| probe(*id).worth.is_now(&self.context));
        self.schedule.wait_for_round(&others);
        if worth.is_empty() {
            return;
        }
        let told_ms = |id: ProbeId| if probe(id).worth.ages() { self.schedule.every_ms(id) } else { 0 };
        let probes = worth.iter().map(|id| (*id, told_ms(*id))).collect();
        let instance = self.target.info.id.clone();
        tracing::debug!(instance = self.target.info.log_name(), probes = ?worth, "handed over to the on-demand lane");
        let (heard, reading) = oneshot::channel();
        let heard = worth.iter().any(|id| is_news(*id)).then_some(heard);
        let has_news = heard.is_some();
        let focused = self.obeyed.focus.is_on_screen();
        let known = self.context.known().map(Box::new);
        let due = Due { focused, probes, known, failures: self.context.failures(), heard };
        if self.shared.heavy.try_send(Heavy { instance, due }).is_err() {
            self.schedule.wait_for_round(&worth);
        } else {
            if has_news {
                self.reading = Some(reading);
            }
            for id in &worth {
                self.context.handed_over(*id);
            }
            let settings = &self.obeyed.live.settings;
            self.schedule.done(&worth, settings, Instant::now(), fastrand::f64());
        }
    }

    /// Hears how the last reading went. One that nobody made has failed.
    fn hear_of_reading(&mut self) {
        let how = match self.reading.as_mut().map(oneshot::Receiver::try_recv) {
            Some(Ok(how)) => how,
            Some(Err(TryRecvError::Closed)) => Heard::Failed,
            Some(Err(TryRecvError::Empty)) | None => return,
        };
        self.reading = None;
        self.context.heard(how);
    }

    async fn poll(&mut self, session: &mut D::Session, due: &[ProbeId]) -> Vec<Polled> {
        let planned = self.schedule.next();
        let (live, priority) = self.control.borrow().way_in();
        let permit = live.queries.acquire(priority).await;
        let started = Instant::now();
        let on_time = Duration::from_millis(u64::from(self.schedule.every_ms(ProbeId::Headline)) / 10);
        let meter = &self.shared.meter;
        meter.start_delay(started.saturating_duration_since(planned), on_time, due.len());
        let _flight = meter.flight();
        self.rounds += 1;
        // All that is said on the way has the instance and the number of the poll with it.
        let span = tracing::error_span!("poll", instance = self.target.info.log_name(), poll = self.rounds);
        let polled = Box::pin(permit.run(session.poll(due, &mut self.context)).instrument(span)).await;
        meter.took(started.elapsed());
        polled
    }

    /// Sends samples to the reducer. A full queue means that it, or the store behind it, cannot keep up: we wait, which slows
    /// polling down, and it is counted.
    async fn report(&self, polled: Vec<Polled>) {
        let at = (self.shared.clock)();
        let (mut ok, mut failed) = (0, 0);
        for Polled { probe, took_ms, mut outcome } in polled {
            if let Ok(Sample::Known(State::Databases(rows))) = &mut outcome {
                Arc::make_mut(rows).retain(|row| {
                    row.name.as_deref().is_none_or(|name| self.obeyed.poll.wants_database(name))
                });
            }
            tracing::debug!(
                instance = self.target.info.log_name(),
                poll = self.rounds,
                probe = probe.name(),
                took_ms,
                problem = outcome.as_ref().err().map(tracing::field::display),
                "polled"
            );
            match &outcome {
                Ok(_) => ok += 1,
                Err(Unavailable::Failed(failure)) => {
                    failed += 1;
                    self.shared.meter.error(failure.kind);
                }
                Err(_) => {}
            }
            let every_ms = self.schedule.every_ms(probe);
            let instance = self.target.info.id.clone();
            let update = Update::Polled { instance, probe, at, took_ms, every_ms, outcome };
            if let Err(TrySendError::Full(update)) = self.shared.updates.try_send(update) {
                self.shared.meter.waited();
                self.send(update).await;
            }
        }
        self.shared.meter.polled(ok, failed);
    }

    /// Holds what was polled against the budget, writes what came of it into the sample of the cost, and slows down or
    /// speeds up.
    async fn mind_cost(&mut self, due: &[ProbeId], polled: &mut [Polled]) {
        let settings = &self.obeyed.live.settings;
        let (focused, now) = (self.obeyed.focus.is_close(), Instant::now());
        let rule = Rule {
            limit: settings.budget(focused),
            details_every: Duration::from_millis(self.schedule.every_ms(ProbeId::Waits).into()),
        };
        let pace = Pace { focused, rule, info: &self.target.info, meter: &self.shared.meter };
        if let Some(slowed) = self.limiter.take(pace, due, polled, now) {
            let paces = self.schedule.slow(slowed, settings, now);
            self.tell_paces(paces).await;
        }
    }

    /// Carries out what changed in the control.
    async fn obey(&mut self) {
        let wanted = self.control.borrow_and_update().clone();
        let now = Instant::now();
        let settings = &wanted.live.settings;
        if wanted.live != self.obeyed.live {
            let paces = self.schedule.take_settings(settings, now, fastrand::f64());
            self.tell_paces(paces).await;
        }
        if wanted.poll != self.obeyed.poll {
            let paces = self.schedule.take_poll(Arc::clone(&wanted.poll), settings, now);
            self.tell_paces(paces).await;
            self.tell_what_is_off().await;
        }
        if wanted.focus != self.obeyed.focus {
            let is_close = wanted.focus.is_close();
            if is_close != self.obeyed.focus.is_close() {
                self.context.set_focused(is_close);
                self.limiter.begin();
                let paces = self.schedule.slow(self.limiter.slowed(is_close, settings), settings, now);
                self.tell_paces(paces).await;
            }
            let paces = self.schedule.focus(wanted.focus, settings, now);
            self.tell_paces(paces).await;
        }
        if wanted.refreshes != self.obeyed.refreshes {
            self.schedule.refresh(now);
            self.context.wanted_anew();
        }
        if self.obeyed.paused && !wanted.paused {
            self.schedule.resume(now + RESUME_SPREAD.mul_f64(fastrand::f64()));
        }
        self.obeyed = wanted;
    }

    /// Waits while polling is paused or the instance rests. Maintenance ends by itself.
    async fn while_paused(&mut self) {
        loop {
            let wanted = self.control.borrow_and_update().clone();
            let now = self.believed_now();
            if !wanted.paused && wanted.poll.paused(now).is_none() {
                return;
            }
            let left = wanted.poll.maintenance_until.map_or(0, |until| until.ms_since(now));
            let look =
                Duration::from_millis(if left == 0 { LONGEST_REST_MS } else { left.min(LONGEST_REST_MS) });
            if matches!(tokio::time::timeout(look, self.control.changed()).await, Ok(Err(_))) {
                return std::future::pending().await;
            }
        }
    }

    async fn tell_paces(&self, paces: Vec<(ProbeId, u32)>) {
        for (probe, every_ms) in paces.into_iter().filter(|(id, _)| probe(*id).worth.ages()) {
            let instance = self.target.info.id.clone();
            let at = (self.shared.clock)();
            self.send(Update::Pace { instance, probe, at, every_ms }).await;
        }
    }

    /// A probe that is switched off says so, instead of growing old.
    async fn tell_what_is_off(&self) {
        let at = (self.shared.clock)();
        for probe in self.schedule.off() {
            let instance = self.target.info.id.clone();
            let outcome = Err(Unavailable::SwitchedOff("this instance's settings".into()));
            let every_ms = self.schedule.every_ms(probe);
            self.send(Update::Polled { instance, probe, at, took_ms: 0, every_ms, outcome }).await;
        }
    }

    /// What is asked for the first time within an hour says when, instead of being unknown.
    async fn tell_what_comes(&self) {
        let now = (self.shared.clock)();
        for (probe, wait) in self.schedule.to_come(Instant::now()) {
            let instance = self.target.info.id.clone();
            let wait_ms = i64::try_from(wait.as_millis()).unwrap_or(i64::MAX);
            self.send(Update::Due { instance, probe, at: now.plus_ms(wait_ms) }).await;
        }
    }

    /// Stopped or in maintenance by its own settings.
    fn is_resting(&mut self) -> bool {
        let now = self.believed_now();
        self.control.borrow().poll.paused(now).is_some()
    }

    /// The time by which maintenance ends.
    fn believed_now(&mut self) -> Timestamp {
        self.age.judge(self.shared.moment()).ages
    }

    /// Sleeps until the next attempt; "refresh now" cuts it short.
    async fn wait_for_next_attempt(&mut self, wait: Duration) {
        let until = Instant::now() + wait;
        let refreshes = self.obeyed.refreshes;
        loop {
            tokio::select! {
                () = sleep_until(until) => return,
                changed = self.control.changed() => {
                    if changed.is_err() {
                        return std::future::pending().await;
                    }
                    if self.control.borrow_and_update().refreshes != refreshes {
                        return;
                    }
                }
            }
        }
    }

    async fn link(&self, link: Link) {
        let at = (self.shared.clock)();
        self.send(Update::Link { instance: self.target.info.id.clone(), at, link }).await;
    }

    async fn send(&self, update: Update) {
        // The reducer outlives the tasks; if it does not, there is nobody left to tell.
        let _ = self.shared.updates.send(update).await;
    }
}

/// It is read when there is news of it.
fn is_news(id: ProbeId) -> bool {
    matches!(probe(id).worth, Worth::News(_))
}

/// The failure that a round ended with.
pub(super) fn broken_by(polled: &[Polled]) -> Failure {
    let failed = |p: &Polled| match &p.outcome {
        Err(Unavailable::Failed(f)) => Some(f.clone()),
        _ => None,
    };
    polled
        .iter()
        .find_map(failed)
        .unwrap_or_else(|| Failure::new(FailureKind::Unreachable, "the connection was closed during a poll"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        collect::{
            fake::{Fake, target},
            secrets::Secrets,
        },
        model::poll::{Sample, cpu::SchedulerSample},
    };

    #[tokio::test(start_paused = true)]
    async fn a_full_queue_makes_polling_wait_and_loses_nothing() {
        let meter = Arc::new(crate::collect::meter::Meter::default());
        let live = Arc::new(LiveConfig::new(crate::collect::Settings::default(), None, &meter));
        let (updates, mut taken) = tokio::sync::mpsc::channel(2);
        let (heavy, _due) = tokio::sync::mpsc::channel(1);
        let shared = Arc::new(Shared {
            heavy,
            driver: Fake::new(),
            clock: Timestamp::default,
            up: Duration::default,
            meter: Arc::clone(&meter),
            updates,
        });
        let target = target("a");
        let none = Arc::new(|_: &_| Ok(crate::model::base::secret::Secret::new(String::new())));
        let secret = Secrets::new(none, Timestamp::default).cell(&target.auth);
        let (_hold, control) = watch::channel(Control::new(Arc::default(), live));
        let instance = Instance::new(Arc::new(target), shared, secret, control);
        let sample = |_| Polled {
            probe: ProbeId::Schedulers,
            took_ms: 1,
            outcome: Ok(Sample::Schedulers(SchedulerSample::default())),
        };
        let reader = async {
            let mut came = Vec::new();
            for _ in 0..6 {
                sleep(Duration::from_secs(1)).await;
                came.extend(taken.recv().await);
            }
            came
        };
        let poll = async {
            instance.report((0..5).map(sample).collect()).await;
            instance.link(Link::Up).await;
        };
        let ((), came) = tokio::join!(poll, reader);
        let stats = meter.read(crate::collect::meter::Process::default(), 0);
        assert_eq!((stats.polls_ok, stats.samples_waited), (5, 3));
        assert_eq!(came.iter().filter(|u| matches!(u, Update::Polled { .. })).count(), 5);
        assert!(matches!(came.last(), Some(Update::Link { .. })), "in order");
    }
}
