//! The manager: starts and ends instance tasks as the inventory says, and passes commands on. One task; owns all
//! handles.

use super::{
    Command,
    clock::Sleep,
    driver::Driver,
    flight_recorder::FlightRecorder,
    focus::Focus,
    instance::{Control, Instance},
    lane::{Job, Lanes, Round},
    live_config::LiveConfig,
    permits::Priority,
    secrets::Secrets,
    settings::Settings,
    shared::{Heavy, Shared},
};
use crate::model::{
    base::failure::{Failure, FailureKind},
    fold::{snapshot::FleetSnapshot, update::Update},
    inventory::instance::{InstanceId, Target},
    judge::health::Level,
    poll::link::Link,
};
use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
    time::Duration,
};
use tokio::{
    sync::{mpsc, watch},
    task::{AbortHandle, Id, JoinError, JoinSet},
    time::{Instant, MissedTickBehavior},
};
use tokio_util::sync::CancellationToken;

/// How often it is looked who is in trouble.
const RANK_EVERY: Duration = Duration::from_secs(2);
/// A task that panicked is started again after this.
const AFTER_PANIC: Duration = Duration::from_secs(30);

struct Running {
    target: Arc<Target>,
    control: watch::Sender<Control>,
    abort: AbortHandle,
}

/// What the manager hears.
pub(super) struct Inbox {
    pub commands: mpsc::Receiver<Command>,
    pub heavy: mpsc::Receiver<Heavy>,
}

pub(super) struct Manager<D> {
    shared: Arc<Shared<D>>,
    /// what is asked on demand
    lanes: Lanes<D>,
    live: Arc<LiveConfig>,
    secrets: Secrets,
    tasks: JoinSet<()>,
    running: HashMap<InstanceId, Running>,
    focused: HashSet<InstanceId>,
    /// on the screens of processes that follow us
    watched: HashSet<InstanceId>,
    /// None: nothing is kept
    recorder: Option<FlightRecorder>,
    paused: bool,
    /// while another process polls: what we would
    waiting: Option<Vec<Target>>,
    snapshots: watch::Receiver<Arc<FleetSnapshot>>,
}

impl<D: Driver> Manager<D> {
    /// `snapshots` tell who is in trouble; `records`: history is kept.
    pub fn new(
        shared: Arc<Shared<D>>,
        live: Arc<LiveConfig>,
        secrets: Secrets,
        snapshots: watch::Receiver<Arc<FleetSnapshot>>,
        records: bool,
    ) -> Self {
        Self {
            lanes: Lanes::new(Arc::clone(&shared)),
            shared,
            live,
            secrets,
            tasks: JoinSet::new(),
            running: HashMap::new(),
            focused: HashSet::new(),
            watched: HashSet::new(),
            recorder: records.then(FlightRecorder::default),
            paused: false,
            waiting: None,
            snapshots,
        }
    }

    /// Runs until it is cancelled; then ends all tasks, whatever they wait for.
    pub async fn run(
        mut self,
        targets: Vec<Target>,
        Inbox { mut commands, mut heavy }: Inbox,
        cancel: CancellationToken,
    ) {
        self.take_targets(targets);
        let mut sleep = Sleep::since((self.shared.clock)(), Instant::now());
        let mut rank = tokio::time::interval(RANK_EVERY);
        rank.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                biased;
                () = cancel.cancelled() => break,
                _ = rank.tick() => {
                    if let Some(asleep) = sleep.slept((self.shared.clock)(), Instant::now()) {
                        self.wake(asleep);
                    }
                    self.rank();
                }
                Some(command) = commands.recv() => self.carry_out(command).await,
                Some(due) = heavy.recv() => self.poll_over_lane(due),
                Some(ended) = self.tasks.join_next_with_id() => self.note_end(ended).await,
            }
        }
        self.tasks.shutdown().await;
        self.lanes.shutdown().await;
    }

    /// The machine slept: what is on the screen is from before, and nobody waits for the interval's end.
    fn wake(&self, asleep: Duration) {
        tracing::warn!(
            seconds = asleep.as_secs(),
            "this machine slept, or its clock was set: polling all now"
        );
        for running in self.running.values() {
            running.change(|c| c.refreshes += 1);
        }
    }

    /// A critical instance goes first from now on, whatever its labels say; and an unwell one is recorded in detail.
    fn rank(&mut self) {
        let fleet = Arc::clone(&self.snapshots.borrow());
        if let Some(recorder) = &mut self.recorder {
            recorder.look(&fleet, self.live.settings.recorder_instances, Instant::now());
            self.set_focus();
        }
        for instance in &fleet.instances {
            let Some(running) = self.running.get(instance.id()) else { continue };
            let priority = Priority::of(&running.target.info, instance.health.level);
            if running.control.borrow().priority != priority {
                running.change(|c| c.priority = priority);
            }
        }
    }

    async fn carry_out(&mut self, command: Command) {
        match command {
            Command::Focus(ids) => {
                self.focused = ids.into_iter().collect();
                self.set_focus();
            }
            Command::Watched(ids) => {
                self.watched = ids.into_iter().collect();
                self.set_focus();
            }
            Command::Refresh(ids) => {
                let all = ids.is_empty();
                for (_, running) in self.running.iter().filter(|(id, _)| all || ids.contains(id)) {
                    running.change(|c| c.refreshes += 1);
                }
            }
            Command::Pause(paused) => {
                self.paused = paused;
                for running in self.running.values() {
                    running.change(|c| c.paused = paused);
                }
            }
            Command::Inventory(targets) => {
                let infos = targets.iter().map(|t| Arc::clone(&t.info)).collect();
                // The reducer outlives the manager.
                let _ = self.shared.updates.send(Update::Inventory(infos)).await;
                self.take_targets(targets);
            }
            Command::Ask(asked) => self.ask_over_lane(asked.instance.clone(), Job::Asked(asked)),
            Command::Settings(settings) => self.take_settings(*settings).await,
            Command::Follow(true) if self.waiting.is_none() => {
                let running = std::mem::take(&mut self.running).into_values();
                self.waiting = Some(running.map(|r| Target::clone(&r.target)).collect());
                self.tasks.shutdown().await;
            }
            Command::Follow(false) => {
                if let Some(targets) = self.waiting.take() {
                    self.take_targets(targets);
                }
            }
            Command::Follow(true) => {}
        }
    }

    fn poll_over_lane(&mut self, due: Heavy) {
        // It may be gone by now, and asks no more then.
        let Some(running) = self.running.get(&due.instance) else { return };
        let (budget, control) = (self.live.settings.lane_budget, running.control.subscribe());
        self.ask_over_lane(due.instance, Job::Probes(Box::new(Round { due: due.due, budget, control })));
    }

    /// A process that follows another one asks by itself: its lanes are its own.
    fn ask_over_lane(&mut self, instance: InstanceId, job: Job) {
        let running = self.running.get(&instance);
        let priority = running.map_or(Priority::Usual, |running| running.control.borrow().priority);
        let target = match (running, &self.waiting) {
            (Some(running), _) => Some(Arc::clone(&running.target)),
            (None, Some(waiting)) => {
                let found = waiting.iter().find(|target| target.info.id == instance);
                found.map(|target| Arc::new(target.clone()))
            }
            (None, None) => None,
        };
        let Some(target) = target else {
            let text = format!("{instance} is not polled: nothing can be asked of it");
            return self.lanes.refuse(instance, job, Failure::new(FailureKind::Config, text));
        };
        let secret = self.secrets.cell(&target.auth);
        self.lanes.ask(instance, job, &target, secret, (Arc::clone(&self.live), priority));
    }

    /// On a screen of this process or another one, or recorded in detail.
    fn focus_of(&self, id: &InstanceId) -> Focus {
        if self.focused.contains(id) || self.watched.contains(id) {
            Focus::OnScreen
        } else if self.recorder.as_ref().is_some_and(|recorder| recorder.holds(id)) {
            Focus::Recorded
        } else {
            Focus::Fleet
        }
    }

    fn set_focus(&self) {
        for (id, running) in &self.running {
            let focus = self.focus_of(id);
            if running.control.borrow().focus != focus {
                running.change(|c| c.focus = focus);
            }
        }
    }

    /// Tells the reducer and every task; nothing is started anew.
    async fn take_settings(&mut self, settings: Settings) {
        if settings.thresholds != self.live.settings.thresholds {
            let thresholds = Box::new(settings.thresholds.clone());
            let _ = self.shared.updates.send(Update::Thresholds(thresholds)).await;
        }
        self.live = Arc::new(LiveConfig::new(settings, Some(&self.live), &self.shared.meter));
        for running in self.running.values() {
            running.change(|c| c.live = Arc::clone(&self.live));
        }
    }

    /// Ends what is not wanted any more or is reached in another way now, starts what is new.
    fn take_targets(&mut self, targets: Vec<Target>) {
        if let Some(waiting) = &mut self.waiting {
            *waiting = targets;
            return;
        }
        let mut before = std::mem::take(&mut self.running);
        let gap = self.live.settings.start_gap;
        let mut delay = Duration::ZERO;
        for target in targets {
            let id = target.info.id.clone();
            if self.running.contains_key(&id) {
                continue;
            }
            match before.remove(&id) {
                Some(running) if running.target.is_reached_like(&target) => {
                    running.change(|c| c.poll = Arc::clone(&target.info.poll));
                    self.running.insert(id, Running { target: Arc::new(target), ..running });
                }
                old => {
                    if let Some(old) = old {
                        old.abort.abort();
                    }
                    self.start(Arc::new(target), delay);
                    delay += gap;
                }
            }
        }
        for running in before.values() {
            running.abort.abort();
        }
        let running = &self.running;
        self.lanes.retain(|id| running.contains_key(id));
    }

    fn start(&mut self, target: Arc<Target>, delay: Duration) {
        let id = target.info.id.clone();
        let first = Control {
            focus: self.focus_of(&id),
            paused: self.paused,
            priority: Priority::of(&target.info, Level::Unknown),
            ..Control::new(Arc::clone(&target.info.poll), Arc::clone(&self.live))
        };
        let (control, listen) = watch::channel(first);
        let secret = self.secrets.cell(&target.auth);
        let mut instance = Instance::new(Arc::clone(&target), Arc::clone(&self.shared), secret, listen);
        let abort = self.tasks.spawn(async move { instance.run(delay).await });
        self.running.insert(id, Running { target, control, abort });
    }

    /// An instance's task never ends by itself. If it panicked, that is told like any failure, and it starts anew.
    async fn note_end(&mut self, ended: Result<(Id, ()), JoinError>) {
        let Err(error) = ended else { return };
        if !error.is_panic() {
            return;
        }
        let of_task = |r: &&Running| r.abort.id() == error.id();
        let Some(target) = self.running.values().find(of_task).map(|r| Arc::clone(&r.target)) else { return };
        tracing::error!(
            instance = target.info.log_name(),
            "the task of an instance panicked; this is a bug in dbtop"
        );
        let text = "polling it met a bug in dbtop; the log says more";
        let now = (self.shared.clock)();
        let link = Link::Down {
            failure: Failure::new(FailureKind::Protocol, text),
            attempts: 1,
            next_at: now.plus_ms(i64::try_from(AFTER_PANIC.as_millis()).unwrap_or(i64::MAX)),
        };
        let _ =
            self.shared.updates.send(Update::Link { instance: target.info.id.clone(), at: now, link }).await;
        self.start(target, AFTER_PANIC);
    }
}

impl Running {
    fn change(&self, change: impl FnOnce(&mut Control)) {
        self.control.send_if_modified(|control| {
            let before = control.clone();
            change(control);
            *control != before
        });
    }
}
