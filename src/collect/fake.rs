//! A driver made of behaviours, for tests of the collector under paused time.

use super::driver::{Driver, Session};
use crate::{
    model::{
        base::{
            failure::{Failure, FailureKind},
            secret::Secret,
        },
        inventory::{
            address::Endpoint,
            instance::{InstanceInfo, Target},
            record::{Auth, PollSettings, SecretRef},
        },
        poll::{
            Sample, State,
            activity::Activity,
            cost::CostSample,
            cpu::SchedulerSample,
            databases::DatabaseRow,
            demand::{Demand, Found},
            headline::HeadlineSample,
            id::ProbeId,
            reading::Unavailable,
        },
    },
    probe::{Known, Lane, Polled, ProbeContext, probe},
};
use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
    time::Duration,
};
use tokio::{
    sync::watch,
    time::{Instant, sleep},
};

/// How an instance behaves now.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Act {
    /// answers after this many ms
    Answer(u64),
    /// TCP connects, then nothing
    BlackHole,
    /// TCP takes four seconds to connect, then nothing
    Sluggish,
    /// TCP never connects
    NoRoute,
    /// connection refused
    Refuse,
    /// login refused
    WrongPassword,
    /// lets us in, then every poll runs into its deadline
    Silent,
    /// the next poll finds the connection closed
    Closed,
    /// lets us in, but the login may see nothing
    NoRight,
    /// answers, and its counters are ahead by this
    Ahead(i64),
    /// answers, and the details take so many ms of CPU; everything else takes 10 a poll
    Costly(i64),
    /// answers, and each probe of the on-demand lane takes so many ms of CPU
    Heavy(i64),
    /// answers, and the polls learn what another connection would ask first
    Telling,
    /// answers, and has counted so many deadlocks
    Deadlocks(i64),
    /// the same, but they cannot be read
    Unreadable(i64),
    /// answers; a sixth of tempdb is free, which is a warning
    Full,
    /// the task panics
    Bug,
}

/// The probes that were asked of an instance, and when.
pub type Asked = (String, Instant, Vec<ProbeId>);

/// The driver. Cloned into the collector; the test keeps one to change behaviours.
#[derive(Clone)]
pub struct Fake {
    acts: Arc<watch::Sender<HashMap<String, Act>>>,
    pub asked: Arc<Mutex<Vec<Asked>>>,
    pub logins: Arc<Mutex<Vec<(String, Instant)>>>,
    pub demanded: Arc<Mutex<Vec<(String, Instant, Demand)>>>,
    /// whether `archive` was wanted, when what goes over the lane was polled
    pub wanted: Arc<Mutex<Vec<bool>>>,
}

impl Fake {
    pub fn new() -> Self {
        Self {
            acts: Arc::new(watch::Sender::new(HashMap::new())),
            asked: Arc::default(),
            logins: Arc::default(),
            demanded: Arc::default(),
            wanted: Arc::default(),
        }
    }

    /// From now on the instance behaves like this; without a word it answers after 5 ms.
    pub fn set(&self, name: &str, act: Act) {
        self.acts.send_modify(|acts| {
            acts.insert(name.to_owned(), act);
        });
    }

    fn act(&self, name: &str) -> Act {
        self.acts.borrow().get(name).copied().unwrap_or(Act::Answer(5))
    }

    /// Times of the polls of an instance that asked for a probe, s since `start`.
    pub fn polls(&self, name: &str, probe: ProbeId, start: Instant) -> Vec<f64> {
        let asked = self.asked.lock().unwrap();
        let of_it = asked.iter().filter(|(n, _, due)| n == name && due.contains(&probe));
        of_it.map(|(_, at, _)| (*at - start).as_secs_f64()).collect()
    }
}

/// Names of the probes that go over the on-demand lane.
pub fn heavy() -> impl Iterator<Item = String> {
    ProbeId::ALL.into_iter().filter(|id| probe(*id).lane == Lane::OnDemand).map(|id| id.name().to_owned())
}

/// Polled over its connection alone: what would be due over the on-demand lane is switched off, so that a test can count logins.
pub fn target(name: &str) -> Target {
    let poll = Arc::new(PollSettings { probes_off: heavy().collect(), ..PollSettings::default() });
    Target {
        info: Arc::new(InstanceInfo { poll, ..InstanceInfo::named(name) }),
        endpoint: Endpoint { host: name.to_owned(), port: None, instance: None },
        auth: Auth::Sql { user: "dbtop".to_owned(), secret: SecretRef::Stored(Secret::new("x".to_owned())) },
        action: None,
        database: None,
        ca_file: None,
        host_in_certificate: None,
        read_only_intent: false,
        multi_subnet_failover: false,
    }
}

fn failure(kind: FailureKind) -> Failure {
    Failure::new(kind, "as the test says")
}

/// A session: a name and the driver to ask how it behaves.
pub struct FakeSession {
    fake: Fake,
    name: String,
    open: bool,
    batches: i64,
    cpu_ms: i64,
}

impl Driver for Fake {
    type Dialed = String;
    type Session = FakeSession;

    async fn dial(&self, target: &Target, within: Duration) -> Result<String, Failure> {
        let name = target.info.id.to_string();
        match self.act(&name) {
            Act::NoRoute => {
                sleep(within).await;
                Err(failure(FailureKind::Timeout))
            }
            Act::Refuse => Err(failure(FailureKind::Unreachable)),
            Act::Sluggish => {
                sleep(Duration::from_secs(4)).await;
                Ok(name)
            }
            _ => Ok(name),
        }
    }

    async fn login(
        &self,
        name: String,
        _: &Target,
        _: &Secret,
        within: Duration,
    ) -> Result<FakeSession, Failure> {
        self.logins.lock().unwrap().push((name.clone(), Instant::now()));
        match self.act(&name) {
            Act::BlackHole | Act::Sluggish => {
                sleep(within).await;
                Err(failure(FailureKind::Timeout))
            }
            Act::WrongPassword => Err(failure(FailureKind::Login)),
            _ => {
                sleep(Duration::from_millis(2)).await;
                Ok(FakeSession { fake: self.clone(), name, open: true, batches: 0, cpu_ms: 0 })
            }
        }
    }
}

impl Session for FakeSession {
    async fn prepare(&mut self, _: &mut ProbeContext) -> Result<(), Failure> {
        Ok(())
    }

    async fn poll(&mut self, due: &[ProbeId], context: &mut ProbeContext) -> Vec<Polled> {
        self.fake.asked.lock().unwrap().push((self.name.clone(), Instant::now(), due.to_vec()));
        if due.iter().any(|id| probe(*id).lane == Lane::OnDemand) {
            self.fake.wanted.lock().unwrap().push(context.wants_database("archive"));
        }
        let (ms, closes) = match self.fake.act(&self.name) {
            Act::Answer(ms) => (ms, None),
            Act::Deadlocks(count) | Act::Unreadable(count) => {
                if due.contains(&ProbeId::Headline) {
                    context.hear_of_deadlocks(Some(count));
                }
                (5, None)
            }
            Act::Telling => {
                context.introduce(Known::default());
                if due.contains(&ProbeId::Headline) {
                    context.hear_of_deadlocks(Some(0));
                }
                (5, None)
            }
            Act::NoRight | Act::Costly(_) | Act::Heavy(_) | Act::Ahead(_) | Act::Full => (5, None),
            Act::Closed => {
                self.fake.set(&self.name, Act::Answer(5));
                (0, Some(FailureKind::Unreachable))
            }
            Act::Bug => panic!("as the test says"),
            _ => (5_000, Some(FailureKind::Timeout)),
        };
        sleep(Duration::from_millis(ms)).await;
        self.batches += 1_000;
        self.open = closes.is_none();
        let polled = due
            .iter()
            .map(|probe| Polled { probe: *probe, took_ms: ms as u32, outcome: self.outcome(*probe, closes) })
            .collect();
        // A session's figures grow when the batch is over.
        self.cpu_ms += match self.fake.act(&self.name) {
            Act::Heavy(cpu_ms) if due.iter().any(|id| probe(*id).lane == Lane::OnDemand) => cpu_ms,
            Act::Costly(cpu_ms) if due.contains(&ProbeId::Waits) => 10 + cpu_ms,
            _ => 10,
        };
        polled
    }

    async fn demand(&mut self, demand: Demand, _: &mut ProbeContext) -> Result<Found, Failure> {
        self.fake.demanded.lock().unwrap().push((self.name.clone(), Instant::now(), demand));
        if !self.open {
            return Err(failure(FailureKind::Unreachable));
        }
        let (ms, closes) = match self.fake.act(&self.name) {
            Act::Answer(ms) => (ms, None),
            Act::Heavy(_) | Act::Telling => (5, None),
            Act::Closed => {
                self.fake.set(&self.name, Act::Answer(5));
                (0, Some(FailureKind::Unreachable))
            }
            _ => (20_000, Some(FailureKind::Timeout)),
        };
        sleep(Duration::from_millis(ms)).await;
        self.open = closes.is_none();
        self.cpu_ms += 90;
        closes.map_or_else(|| Ok(Found::Waits(Vec::new())), |kind| Err(failure(kind)))
    }

    fn is_open(&self) -> bool {
        self.open
    }
}

impl FakeSession {
    fn outcome(&self, probe: ProbeId, closes: Option<FailureKind>) -> Result<Sample, Unavailable> {
        if let Some(kind) = closes {
            return Err(Unavailable::Failed(failure(kind)));
        }
        if self.fake.act(&self.name) == Act::NoRight {
            return Err(Unavailable::NoRight("VIEW SERVER STATE".into()));
        }
        let ahead = if let Act::Ahead(by) = self.fake.act(&self.name) { by } else { 0 };
        Ok(match probe {
            ProbeId::Headline => Sample::Headline(Box::new(HeadlineSample {
                connections: Some(9),
                batches: Some(self.batches + ahead),
                tempdb_size_kb: Some(6_000),
                tempdb_free_kb: Some(if self.fake.act(&self.name) == Act::Full { 1_000 } else { 5_000 }),
                ..HeadlineSample::default()
            })),
            ProbeId::Activity => Sample::Activity(Activity::default()),
            ProbeId::Blocking => Sample::Blocking { tasks: Vec::new(), sessions: Vec::new() },
            ProbeId::Waits => Sample::Waits(Vec::new()),
            ProbeId::Cost => Sample::Cost(CostSample {
                session_id: Some(51),
                cpu_ms: Some(self.cpu_ms),
                ..CostSample::default()
            }),
            ProbeId::Databases => {
                let row = |name: &str| DatabaseRow { name: Some(name.into()), ..DatabaseRow::default() };
                let rows =
                    ["tempdb", "Sales", "archive"].map(row).into_iter().chain([DatabaseRow::default()]);
                Sample::Known(State::Databases(Arc::new(rows.collect())))
            }
            ProbeId::Deadlocks if matches!(self.fake.act(&self.name), Act::Unreadable(_)) => {
                return Err(Unavailable::Failed(failure(FailureKind::Server)));
            }
            ProbeId::Deadlocks => Sample::Known(State::Deadlocks(Arc::default())),
            ProbeId::Memory | ProbeId::Logs | ProbeId::Availability | ProbeId::Volumes | ProbeId::Jobs => {
                return Err(Unavailable::NotHere("the test".into()));
            }
            _ => Sample::Schedulers(SchedulerSample::default()),
        })
    }
}
