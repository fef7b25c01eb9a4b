//! When to ask: one task an instance, a reducer that folds what they say, a manager that starts and ends them.
//!
//! `app::session` and `command::once` start it with [`start`]. Its state comes out of [`Collector::snapshots`]; [`Command`]s
//! go in. The way of a sample: [`instance`](self) task → bounded channel → reducer ([`crate::model::fold::Fleet`]) → `watch`.
//!
//! Each channel, and what happens when it is full:
//!
//! | channel | capacity | when full |
//! |---|---|---|
//! | updates to the reducer | 4,096 | who sends waits; samples are counted (`samples_waited`): polling slows down |
//! | readings to the store | its own | they wait in the reducer; beyond 8,192 it takes no updates |
//! | snapshots | 1 (`watch`) | the newest wins |
//! | control of an instance | 1 (`watch`) | the newest wins |
//! | questions on demand | 8 an instance | who asks is told so |
//! | probes for the on-demand lane | 1,024 | they stay due |
//! | how a reading over the lane went | 1 (`oneshot`) | it is one word; dropped without it: the reading is made again |
//! | commands | 64 | the sender waits, or tries again with the next key |
//!
//! Nothing in here knows about screens, files or T-SQL.

mod clock;
mod connect;
mod driver;
mod flight_recorder;
mod focus;
mod histogram;
mod instance;
mod lane;
mod limiter;
mod live_config;
mod manager;
mod meter;
mod permits;
mod places;
mod reducer;
mod retry;
mod schedule;
mod secrets;
mod settings;
mod shared;
mod token;

pub use driver::{Driver, Session, Tds};
pub use histogram::Totals;
pub use lane::{Asked, Told, Word};
pub use places::PLACES;
pub use reducer::Recorder;
pub use retry::{Attempt, Backoff, Retry};
pub use secrets::{Resolver, SecretCell, Secrets};
pub use settings::Settings;

use self::{
    live_config::LiveConfig,
    manager::{Inbox, Manager},
    meter::Meter,
    reducer::Reducer,
    shared::Shared,
};
use crate::{
    model::{
        fold::{Fleet, snapshot::FleetSnapshot, update::Update},
        inventory::instance::{InstanceId, Target},
    },
    tds::Roots,
};
use std::{sync::Arc, time::Duration};
use tokio::{
    sync::{mpsc, watch},
    task::JoinHandle,
};
use tokio_util::sync::{CancellationToken, DropGuard};

/// Updates that may wait for the reducer: several seconds of a fleet of 2,000.
const UPDATES: usize = 4_096;
/// Instances with probes for the on-demand lane that may wait for the manager; they stay due if it is full.
const HEAVY: usize = 1_024;
/// Commands that may wait for the manager.
const COMMANDS: usize = 64;
/// Shutdown takes no longer.
const SHUTDOWN_WITHIN: Duration = Duration::from_secs(3);

/// A request to the collector, from the screen or from `once`.
#[derive(Clone)]
pub enum Command {
    /// exactly these instances are on the screen: they are polled faster
    Focus(Vec<InstanceId>),
    /// exactly these are on screens of other processes, which follow this one: they are polled as fast
    Watched(Vec<InstanceId>),
    /// poll these now, whatever their time-table says; none named: all. Cuts the wait after a failure short
    Refresh(Vec<InstanceId>),
    /// stop polling (connections stay), or go on
    Pause(bool),
    /// a question to one instance, over a connection of its own
    Ask(Box<Asked>),
    /// the inventory changed: tasks start and end; instances that stay keep their connections and histories
    Inventory(Vec<Target>),
    /// the configuration changed: intervals, limits and thresholds are in force at once for what is polled next;
    /// connections and histories stay. The clock and how often snapshots are published stay as they were
    Settings(Box<Settings>),
    /// another process polls: end all tasks, connections too, and fold what [`Collector::feed`] brings; or poll again
    Follow(bool),
}

/// A running collector. Dropping it ends it without waiting.
pub struct Collector {
    /// the newest snapshot; the first one holds the inventory, not polled yet
    pub snapshots: watch::Receiver<Arc<FleetSnapshot>>,
    /// see [`Command`]
    pub commands: mpsc::Sender<Command>,
    /// see [`Gauge`]
    pub gauge: Gauge,
    /// the way to the reducer for what history remembers. Weak: who feeds does not keep the reducer alive
    pub feed: mpsc::WeakSender<Update>,
    tasks: [JoinHandle<()>; 2],
    end: DropGuard,
}

/// Figures for a collector without a screen: whether it lives, and its figures since the start.
#[derive(Clone)]
pub struct Gauge(Arc<Meter>);

impl Gauge {
    /// Grows by one with each second that the reducer lives through; the same number for several seconds: it hangs.
    pub fn ticks(&self) -> u64 {
        self.0.ticks()
    }

    /// Round trips of whole polls since the start.
    pub fn latency(&self) -> Totals {
        self.0.latency().totals()
    }
}

/// Starts polling real servers. `resolver` fetches passwords and may block; `roots` is what the operating system trusts.
/// `recorder` takes what history keeps. Must be called within a tokio runtime.
pub fn start(
    targets: Vec<Target>,
    settings: Settings,
    resolver: Resolver,
    roots: Roots,
    recorder: Option<Recorder>,
) -> Collector {
    start_with(targets, settings, resolver, Tds::new(roots), recorder)
}

/// As [`start`], over any driver.
pub fn start_with<D: Driver>(
    targets: Vec<Target>,
    settings: Settings,
    resolver: Resolver,
    driver: D,
    recorder: Option<Recorder>,
) -> Collector {
    let meter = Arc::new(Meter::default());
    let (updates, taken) = mpsc::channel(UPDATES);
    let (commands, wishes) = mpsc::channel(COMMANDS);
    let mut fleet = Fleet::new(settings.thresholds.clone());
    if recorder.is_some() {
        fleet.keep();
    }
    if !settings.charts {
        fleet.remember_only_judged();
    }
    fleet.apply(Update::Inventory(targets.iter().map(|t| Arc::clone(&t.info)).collect()));
    let (publish, snapshots) = watch::channel(fleet.snapshot((settings.clock)()));
    let (clock, up, publish_every) = (settings.clock, settings.up, settings.publish_every);
    let live = Arc::new(LiveConfig::new(settings, None, &meter));
    let feed = updates.downgrade();
    let (heavy, due) = mpsc::channel(HEAVY);
    let shared = Shared { driver, clock, up, meter: Arc::clone(&meter), heavy, updates };
    let end = CancellationToken::new();
    let secrets = Secrets::new(resolver, clock);
    let manager = Manager::new(Arc::new(shared), live, secrets, snapshots.clone(), recorder.is_some());
    let gauge = Gauge(Arc::clone(&meter));
    let reducer = Reducer { fleet, recorder, snapshots: publish, meter, clock, up, publish_every };
    let tasks = [
        tokio::spawn(manager.run(targets, Inbox { commands: wishes, heavy: due }, end.clone())),
        tokio::spawn(reducer.run(taken)),
    ];
    Collector { snapshots, commands, gauge, feed, tasks, end: end.drop_guard() }
}

impl Collector {
    /// Ends all tasks and folds what they left. False if that took longer than three seconds.
    pub async fn shutdown(self) -> bool {
        drop(self.end);
        let all = async {
            for task in self.tasks {
                // A task that panicked has ended, too.
                let _ = task.await;
            }
        };
        tokio::time::timeout(SHUTDOWN_WITHIN, all).await.is_ok()
    }
}

#[cfg(test)]
mod fake;
#[cfg(test)]
mod tests;
