//! Health: a score from 0 to 100 with its reasons. The rules live in `score`, what a reason says in `why`; thresholds are
//! configuration.

pub use super::limits::Thresholds;
use super::why::Why;
use crate::model::{base::zone::Zone, poll::names::Visit};
use serde::{Deserialize, Serialize};
use std::{
    borrow::Cow,
    sync::{Arc, OnceLock},
};

/// How bad it is. Ordered: worse is greater.
/// In files by name: fields and variants keep their names, a new field has a default.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
pub enum Level {
    /// ● nothing to do
    Ok,
    /// ○ not enough rights to tell; ◌ until the first verdict
    #[default]
    Unknown,
    /// ▲ look at it
    Warning,
    /// ✖ act
    Critical,
    /// ✖ without a good poll for `offline_after_s`
    Offline,
}

impl Level {
    /// In one word, as exit codes, JSON and events use it.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Warning => "warning",
            Self::Critical => "critical",
            Self::Offline => "offline",
            Self::Unknown => "unknown",
        }
    }
}

/// The topic of a reason: the screen makes a link of it.
/// In files by position: fields are only appended, each with a default; variants keep their names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Topic {
    /// connection, login, TLS
    Link,
    /// a right is missing
    Rights,
    /// CPU
    Cpu,
    /// memory, page life, grants
    Memory,
    /// waits, poison included
    Waits,
    /// blocking; the head blocker's session id
    Blocking(i32),
    /// one request; its session id
    Session(i32),
    /// deadlocks
    Deadlocks,
    /// workers and schedulers
    Workers,
    /// tempdb
    Tempdb,
    /// volumes and files
    Storage,
    /// databases that are suspect, in emergency or waiting for recovery
    Databases,
    /// availability groups
    Availability,
    /// Agent jobs
    Jobs,
    /// the instance restarted
    Restart,
    /// I/O latency
    Io,
    /// it is not in the inventory (any more): a state of the past
    Inventory,
    /// transaction logs
    Log,
    /// Query Store
    QueryStore,
}

/// One reason. Its sentence is made when it is first shown.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(from = "StoredReason", into = "StoredReason")]
pub struct Reason {
    /// how bad
    pub level: Level,
    /// about what
    pub topic: Topic,
    /// points taken from the score
    pub points: u8,
    why: Why,
    said: OnceLock<Box<str>>,
}

/// A reason as it is written.
/// In files by position: fields are only appended, each with a default; variants keep their names.
#[derive(Serialize, Deserialize)]
struct StoredReason {
    level: Level,
    topic: Topic,
    points: u8,
    /// the sentence, in files of the first release; empty in newer ones
    text: Arc<str>,
    #[serde(default)]
    why: Option<Why>,
}

impl Reason {
    /// A reason that nobody was shown yet.
    pub const fn new(level: Level, topic: Topic, points: u8, why: Why) -> Self {
        Self { level, topic, points, why, said: OnceLock::new() }
    }

    /// What it says, as data.
    pub const fn why(&self) -> &Why {
        &self.why
    }

    /// What it says to a person whose clock shows times of this zone.
    pub fn told(&self, zone: &Zone) -> Cow<'_, str> {
        if self.why.has_time() { self.why.told(zone).to_string().into() } else { self.text().into() }
    }

    /// The same where no clock stands beside it: a time says its zone.
    pub fn told_alone(&self, zone: &Zone) -> Cow<'_, str> {
        if self.why.has_time() { self.why.told_alone(zone).to_string().into() } else { self.text().into() }
    }

    /// What it says to nobody in particular: a time in it says that it is UTC.
    pub fn text(&self) -> &str {
        self.said.get_or_init(|| self.why.to_string().into())
    }

    /// It says that nobody has answered yet.
    pub const fn is_before_the_first(&self) -> bool {
        matches!(self.why, Why::NotPolled | Why::FirstPoll)
    }

    /// The places of names.
    pub fn each_name_mut(&mut self, visit: Visit<'_>) {
        self.said = OnceLock::new();
        self.why.each_name_mut(visit);
    }
}

impl PartialEq for Reason {
    /// Whether somebody was shown it makes no difference.
    fn eq(&self, other: &Self) -> bool {
        (self.level, self.topic, self.points, &self.why)
            == (other.level, other.topic, other.points, &other.why)
    }
}

impl From<StoredReason> for Reason {
    fn from(stored: StoredReason) -> Self {
        let why = stored.why.unwrap_or(Why::Sentence(stored.text));
        Self::new(stored.level, stored.topic, stored.points, why)
    }
}

impl From<Reason> for StoredReason {
    fn from(reason: Reason) -> Self {
        let (text, why) = match reason.why {
            Why::Sentence(text) => (text, None),
            why => (Arc::default(), Some(why)),
        };
        Self { level: reason.level, topic: reason.topic, points: reason.points, text, why }
    }
}

/// The verdict on one instance.
/// In files by position: fields are only appended, each with a default; variants keep their names.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Health {
    /// 0 (dead) to 100 (fine); None if unknown
    pub score: Option<u8>,
    /// worst level of the reasons
    pub level: Level,
    /// heaviest first
    pub reasons: Vec<Reason>,
}

impl Health {
    /// Nobody has answered yet: there was no verdict before.
    pub fn is_before_the_first(&self) -> bool {
        self.reasons.iter().any(Reason::is_before_the_first)
    }
}
