//! The state that the instances of one simulator share: the fleet, the time, the troubles, and the plans of batches that
//! were seen before. Changes go through a watch channel, and the newest wins: readers borrow it for the length of one
//! answer and hold nothing.

use super::{
    answer::plan::{Plan, Sender},
    clock::Clock,
    scenario::{Cut, Scenario},
    world::{
        Fleet, Killed, Script,
        moment::Moment,
        rights::{Login, Rights},
    },
};
use std::{
    collections::HashMap,
    hash::{DefaultHasher, Hash, Hasher},
    sync::{Arc, atomic::AtomicU64},
};
use tokio::sync::watch;

/// The most plans that are kept; beyond that all are forgotten, as a server does under memory pressure.
const MAX_PLANS: usize = 512;
/// The longest batch whose plan is kept, bytes.
const MAX_PLAN_BYTES: usize = 64 * 1024;
/// The most killed sessions that are remembered.
const MAX_KILLED: usize = 256;

/// The one login that the instances know.
#[derive(Clone)]
pub struct Credentials {
    /// name
    pub user: String,
    /// password
    pub password: String,
}

/// See the module.
pub struct State {
    /// the instances
    pub fleet: Fleet,
    /// the time
    pub clock: Clock,
    /// the login
    pub credentials: Credentials,
    /// logins beside it
    pub logins: Vec<Login>,
    /// rights that GRANT has changed, by instance and login
    granted: watch::Sender<HashMap<(usize, String), Rights>>,
    story: watch::Sender<Story>,
    plans: watch::Sender<HashMap<u64, Arc<Plan>>>,
    /// questions that clients have cancelled
    pub cancelled: AtomicU64,
}

/// A scenario, and its changes so far.
#[derive(Debug, Clone, Default)]
struct Story {
    scenario: Scenario,
    script: Arc<Script>,
}

impl State {
    /// A fleet at the beginning of a scenario.
    pub fn new(
        fleet: Fleet,
        clock: Clock,
        credentials: Credentials,
        logins: Vec<Login>,
        scenario: Scenario,
    ) -> Self {
        let script = Arc::new(Script::compile(&scenario, &fleet));
        let (story, _) = watch::channel(Story { scenario, script });
        let (plans, _) = watch::channel(HashMap::new());
        let (granted, _) = watch::channel(HashMap::new());
        let cancelled = AtomicU64::new(0);
        Self { fleet, clock, credentials, logins, granted, story, plans, cancelled }
    }

    /// True if a login knows its password.
    pub fn knows(&self, user: &str, password: &str) -> bool {
        let main = &self.credentials;
        let listed = self.logins.iter().any(|login| login.user == user && login.password == password);
        listed || (main.user == user && main.password == password)
    }

    /// The rights of a login on the instance at `index`: granted or listed ones, else those of the moment.
    pub fn rights(&self, index: usize, user: &str, moment: &Moment<'_>) -> Rights {
        let granted = self.granted.borrow().get(&(index, user.to_owned())).copied();
        let listed = || self.logins.iter().find(|login| login.user == user).map(|login| login.rights);
        granted.or_else(listed).unwrap_or_else(|| moment.rights())
    }

    /// From now on a login has these rights on the instance at `index`.
    pub fn set_rights(&self, index: usize, user: &str, rights: Rights) {
        self.granted.send_modify(|granted| {
            granted.insert((index, user.to_owned()), rights);
        });
    }

    /// The troubles, now and at other times.
    pub fn script(&self) -> Arc<Script> {
        Arc::clone(&self.story.borrow().script)
    }

    /// Changes the scenario; the change gets the time since the simulator's start, in ms.
    pub fn change(&self, change: impl FnOnce(&Scenario, i64) -> Scenario) {
        let now_ms = self.clock.now_ms();
        self.story.send_modify(|story| {
            story.scenario = change(&story.scenario, now_ms);
            let killed = story.script.killed.clone();
            let mut script = Script::compile(&story.scenario, &self.fleet);
            script.killed = killed;
            story.script = Arc::new(script);
        });
    }

    /// A simulated session was killed; `ends` is the event that it caused.
    pub fn kill(&self, killed: Killed, ends: Option<Cut>) {
        if let Some(cut) = ends {
            self.change(|scenario, _| {
                let mut scenario = scenario.clone();
                scenario.cuts.push(cut);
                scenario
            });
        }
        self.story.send_modify(|story| {
            let mut script = Script::clone(&story.script);
            script.killed.push(killed);
            let surplus = script.killed.len().saturating_sub(MAX_KILLED);
            script.killed.drain(..surplus);
            story.script = Arc::new(script);
        });
    }

    /// The plan of a batch, from memory or made now.
    pub fn plan(&self, text: &str, sender: &Sender<'_>) -> Arc<Plan> {
        if text.len() > MAX_PLAN_BYTES {
            return Arc::new(Plan::of(text, sender));
        }
        let mut hasher = DefaultHasher::new();
        (text, sender.version, sender.hosting, sender.rights, sender.user, sender.database).hash(&mut hasher);
        let key = hasher.finish();
        if let Some(plan) = self.plans.borrow().get(&key) {
            return Arc::clone(plan);
        }
        let plan = Arc::new(Plan::of(text, sender));
        self.plans.send_modify(|plans| {
            if plans.len() >= MAX_PLANS {
                plans.clear();
            }
            plans.insert(key, Arc::clone(&plan));
        });
        plan
    }
}
