//! The events of the time line, as data. `store::history` makes and keeps it; a sentence is made here, when somebody is shown
//! it, and nothing reads a sentence back: names stand in fields of their own, where `scrub` finds them.

use crate::model::{
    base::{
        failure::Failure,
        figure::{counted, size, wait},
        zone::Zone,
    },
    judge::{health::Level, why::Why},
    poll::{
        names::{Field, Kind, Visit, Where, maybe},
        resource::Resource,
    },
};
use serde::{Deserialize, Serialize};
use std::{fmt, sync::Arc};

/// Changes that a sentence names; more are counted.
const NAMED: usize = 5;

/// The content of an event. `Display` makes the sentence.
/// In files by position: fields are only appended, each with a default; variants keep their names.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum What {
    /// a sentence of a version that kept sentences: nobody can tell which words in it are names
    Sentence(Arc<str>),
    /// what a person wrote
    Note(Arc<str>),
    /// an episode of blocking, as far as it has come
    Blocking {
        /// most sessions blocked at once
        victims: u32,
        /// session id of the head blocker
        head: i32,
        /// what most wait for, in words of a version that kept words
        resource: Option<Arc<str>>,
        /// waiting of all victims together, ms
        lost_ms: i64,
        /// what most wait for
        #[serde(default)]
        on: Option<Awaited>,
    },
    /// so many deadlocks
    Deadlocks(u64),
    /// another verdict, of a version that kept sentences
    Health {
        /// the level before
        before: Level,
        /// the level now
        after: Level,
        /// its reasons, the heaviest first
        reasons: Vec<Arc<str>>,
    },
    /// the connection was lost
    Lost(Failure),
    /// what is not as it was
    Changes(Vec<Change>),
    /// nobody was collecting for so long, ms
    Gap(i64),
    /// an incident, of a version that kept sentences: why it was kept, one reason after another
    Incident(Vec<Arc<str>>),
    /// another verdict
    Verdict {
        /// the level before
        before: Level,
        /// the level now
        after: Level,
        /// its reasons, the heaviest first
        reasons: Vec<Why>,
    },
    /// an incident: why it was kept, one cause after another
    Kept(Vec<Cause>),
    /// a database file grew by itself, once or several times one after another
    Grown {
        /// of which database
        database: Option<Arc<str>>,
        /// its logical name
        file: Option<Arc<str>>,
        /// so often
        times: u32,
        /// by so much in all, KB
        by_kb: Option<i64>,
        /// the longest of them, ms
        longest_ms: Option<i64>,
    },
    /// deadlocks of one pattern, as their reports tell them
    Reported {
        /// how many
        count: u64,
        /// the kind in words: `key lookup`
        kind: Arc<str>,
        /// what deadlocks of the pattern have in common
        fingerprint: u64,
        /// what they were about: tables with their database
        objects: Vec<Arc<str>>,
        /// the session that was rolled back last
        session_id: Option<i64>,
        /// its login
        login: Option<Arc<str>>,
    },
}

/// Why an incident is kept.
/// In files by position: fields are only appended, each with a default; variants keep their names.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Cause {
    /// the verdict became this, for no reason that is known
    Level(Level),
    /// the heaviest reason of a verdict
    Verdict(Why),
    /// a person pressed the key
    ByHand,
    /// what a person wrote
    Note(Arc<str>),
    /// a sentence of a version that kept sentences
    Sentence(Arc<str>),
}

/// What the victims of a chain wait for: a lock, a page.
/// In files by position: fields are only appended, each with a default; variants keep their names.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Awaited {
    /// `KEY`, `PAGE` …
    pub kind: Arc<str>,
    /// in which database
    pub database: Option<Arc<str>>,
    /// schema, object and index where they are known, else numbers
    pub object: Option<Arc<str>>,
}

/// One thing that is not as it was.
/// In files by position: fields are only appended, each with a default; variants keep their names.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Change {
    /// what kind of thing
    pub what: Subject,
    /// which, where there are several: a database, a right, an option
    pub name: Option<Arc<str>>,
    /// how it was; None: it was not there
    pub before: Option<Arc<str>>,
    /// how it is; None: it is not there any more
    pub after: Option<Arc<str>>,
}

/// The kind of thing that changed.
/// In files by name: fields and variants keep their names, a new field has a default.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Subject {
    /// the server's name
    ServerName,
    /// the machine's name
    Machine,
    /// a figure or a word that the server tells of itself, such as its version; `name` says which
    Property,
    /// an option of the server; `name` says which
    Setting,
    /// the instance was started anew
    Restart,
    /// a right of our login
    Right,
    /// a database; before and after are its states
    Database,
    /// the plan of a query; before and after are its hashes
    Plan,
    /// the Query Store of a database; before and after are its states
    QueryStore,
    /// a query that became slower; before and after are its average durations
    Regression,
}

impl Change {
    /// Of a thing by itself.
    pub const fn of(what: Subject, before: Arc<str>, after: Arc<str>) -> Self {
        Self { what, name: None, before: Some(before), after: Some(after) }
    }

    /// Of one of several.
    pub fn named(
        what: Subject,
        name: impl Into<Arc<str>>,
        before: Option<Arc<str>>,
        after: Option<Arc<str>>,
    ) -> Self {
        Self { what, name: Some(name.into()), before, after }
    }
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = self.name.as_deref().unwrap_or("");
        match self.what {
            Subject::ServerName => f.write_str("server name")?,
            Subject::Machine => f.write_str("machine")?,
            Subject::Property | Subject::Setting => f.write_str(name)?,
            Subject::Restart => return f.write_str("restarted"),
            Subject::Right => write!(f, "right {name}")?,
            Subject::Database => write!(f, "database {name}")?,
            Subject::Plan => write!(f, "plan of {name}")?,
            Subject::QueryStore => write!(f, "Query Store of {name}")?,
            Subject::Regression => write!(f, "{name} became slower,")?,
        }
        match (&self.before, &self.after, self.what) {
            (Some(before), Some(after), _) => write!(f, " {before} → {after}"),
            (None, _, Subject::Right) => f.write_str(" gained"),
            (_, None, Subject::Right) => f.write_str(" lost"),
            (None, _, _) => f.write_str(" is new"),
            (_, None, _) => f.write_str(" is gone"),
        }
    }
}

impl Awaited {
    /// The part of a resource that the time line tells.
    pub fn of(resource: &Resource) -> Self {
        Self {
            kind: resource.kind.clone(),
            database: resource.database.clone(),
            object: resource.object.clone(),
        }
    }

    /// The places of names.
    pub fn each_name_mut(&mut self, visit: Visit<'_>) {
        maybe(visit, Field::Name(Kind::Database), &mut self.database);
        maybe(visit, Field::Words(Where::Code), &mut self.object);
    }
}

impl fmt::Display for Awaited {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.kind)?;
        match self.object.as_ref().or(self.database.as_ref()).filter(|thing| !thing.is_empty()) {
            Some(thing) => write!(f, " {thing}"),
            None => Ok(()),
        }
    }
}

/// A part of an event that may have a time in it, for a person whose clock shows times of a zone.
struct In<'a, T>(&'a T, &'a Zone);

impl fmt::Display for In<'_, Why> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.told(self.1).fmt(f)
    }
}

impl fmt::Display for In<'_, Cause> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Cause::Verdict(why) => why.told(self.1).fmt(f),
            other => other.fmt(f),
        }
    }
}

impl fmt::Display for Cause {
    /// For nobody in particular: times say that they are UTC.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Level(level) => f.write_str(level.word()),
            Self::Verdict(why) => why.fmt(f),
            Self::ByHand => f.write_str("kept by hand"),
            Self::Note(text) | Self::Sentence(text) => f.write_str(text),
        }
    }
}

/// All of them, with the same between each two.
fn joined<T: fmt::Display>(f: &mut fmt::Formatter<'_>, all: &[T], between: &str) -> fmt::Result {
    for (nth, one) in all.iter().enumerate() {
        write!(f, "{}{one}", if nth == 0 { "" } else { between })?;
    }
    Ok(())
}

fn verdict<T: fmt::Display>(
    f: &mut fmt::Formatter<'_>,
    before: Level,
    after: Level,
    reasons: &[T],
) -> fmt::Result {
    let colon = if reasons.is_empty() { "" } else { ": " };
    write!(f, "{} → {}{colon}", before.word(), after.word())?;
    joined(f, reasons, "; ")
}

/// An event for a person whose clock shows times of a zone.
pub struct Told<'a>(&'a What, &'a Zone);

impl What {
    /// The sentence for a person, with times by their clock.
    pub const fn told<'a>(&'a self, zone: &'a Zone) -> Told<'a> {
        Told(self, zone)
    }
}

impl fmt::Display for Told<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let zone = self.1;
        match self.0 {
            What::Verdict { before, after, reasons } => {
                let reasons: Vec<_> = reasons.iter().map(|why| In(why, zone)).collect();
                verdict(f, *before, *after, &reasons)
            }
            What::Kept(causes) => {
                let causes: Vec<_> = causes.iter().map(|cause| In(cause, zone)).collect();
                joined(f, &causes, " · ")
            }
            other => other.fmt(f),
        }
    }
}

impl fmt::Display for What {
    /// One line for nobody in particular: times say that they are UTC.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sentence(text) | Self::Note(text) => f.write_str(text),
            Self::Blocking { victims, head, resource, lost_ms, on } => {
                write!(f, "{} blocked by session {head}", counted(*victims as usize, "session"))?;
                match (on, resource) {
                    (Some(on), _) => write!(f, " on {on}")?,
                    (None, Some(resource)) => write!(f, " on {resource}")?,
                    (None, None) => {}
                }
                write!(f, ", {} lost", wait(*lost_ms as f64))
            }
            Self::Deadlocks(1) => f.write_str("1 deadlock"),
            Self::Deadlocks(count) => write!(f, "{count} deadlocks"),
            Self::Reported { count, kind, objects, session_id, login, .. } => {
                write!(f, "{}: {kind}", counted(usize::try_from(*count).unwrap_or(usize::MAX), "deadlock"))?;
                if !objects.is_empty() {
                    f.write_str(" on ")?;
                    joined(f, objects, ", ")?;
                }
                match (session_id, login) {
                    (Some(session), Some(login)) => write!(f, "; rolled back: session {session} ({login})"),
                    (Some(session), None) => write!(f, "; rolled back: session {session}"),
                    (None, _) => Ok(()),
                }
            }
            Self::Health { before, after, reasons } => verdict(f, *before, *after, reasons),
            Self::Verdict { before, after, reasons } => verdict(f, *before, *after, reasons),
            Self::Lost(failure) => failure.fmt(f),
            Self::Changes(changes) => {
                joined(f, changes.get(..NAMED).unwrap_or(changes), "; ")?;
                match changes.len().checked_sub(NAMED) {
                    Some(more @ 1..) => write!(f, "; and {more} more"),
                    _ => Ok(()),
                }
            }
            Self::Gap(ms) => write!(f, "nobody was collecting for {}", wait(*ms as f64)),
            Self::Incident(reasons) => joined(f, reasons, " · "),
            Self::Kept(causes) => joined(f, causes, " · "),
            Self::Grown { database, file, times, by_kb, longest_ms } => {
                f.write_str(file.as_deref().unwrap_or("a file"))?;
                if let Some(database) = database {
                    write!(f, " of {database}")?;
                }
                f.write_str(" grew")?;
                if *times > 1 {
                    write!(f, " {times} times")?;
                }
                if let Some(kb) = by_kb {
                    write!(f, " by {}", size(*kb as f64 * 1024.0))?;
                }
                match longest_ms {
                    Some(ms) if *times > 1 => write!(f, ", the longest took {}", wait(*ms as f64)),
                    Some(ms) => write!(f, " in {}", wait(*ms as f64)),
                    None => Ok(()),
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reported_deadlocks_are_told_by_pattern_object_and_victim() {
        let told = |count, session_id, login: Option<&str>| {
            What::Reported {
                count,
                kind: "key lookup".into(),
                fingerprint: 7,
                objects: vec!["orders.dbo.Order".into()],
                session_id,
                login: login.map(Into::into),
            }
            .to_string()
        };
        let whole = "2 deadlocks: key lookup on orders.dbo.Order; rolled back: session 62 (report)";
        assert_eq!(told(2, Some(62), Some("report")), whole);
        assert_eq!(told(1, None, None), "1 deadlock: key lookup on orders.dbo.Order");
    }

    #[test]
    fn a_change_is_told_by_what_became_of_it() {
        let word = |text: &str| Some(Arc::from(text));
        let say = |what, name: &str, before, after| Change::named(what, name, before, after).to_string();
        assert_eq!(say(Subject::Database, "crm", None, word("ONLINE")), "database crm is new");
        assert_eq!(say(Subject::Database, "crm", word("ONLINE"), None), "database crm is gone");
        assert_eq!(
            say(Subject::Database, "crm", word("ONLINE"), word("SUSPECT")),
            "database crm ONLINE → SUSPECT"
        );
        assert_eq!(say(Subject::Right, "CONTROL", None, word("held")), "right CONTROL gained");
        assert_eq!(say(Subject::Right, "CONTROL", word("held"), None), "right CONTROL lost");
        assert_eq!(say(Subject::Property, "CPUs", word("8"), word("16")), "CPUs 8 → 16");
        assert_eq!(say(Subject::Plan, "dbo.p", word("0x1"), word("0x2")), "plan of dbo.p 0x1 → 0x2");
        let slower = say(Subject::Regression, "dbo.p", word("4.0 ms"), word("84 ms"));
        assert_eq!(slower, "dbo.p became slower, 4.0 ms → 84 ms");
        let grown = |times, longest_ms| What::Grown {
            database: word("orders"),
            file: word("orders_log"),
            times,
            by_kb: Some(65_536),
            longest_ms,
        };
        assert_eq!(grown(1, Some(320)).to_string(), "orders_log of orders grew by 64 MB in 320 ms");
        let thrice = "orders_log of orders grew 3 times by 64 MB, the longest took 320 ms";
        assert_eq!(grown(3, Some(320)).to_string(), thrice);
        assert_eq!(grown(1, None).to_string(), "orders_log of orders grew by 64 MB");
        let many = vec![Change::of(Subject::Machine, "a".into(), "b".into()); 7];
        assert!(What::Changes(many).to_string().ends_with("machine a → b; and 2 more"));
    }
}
