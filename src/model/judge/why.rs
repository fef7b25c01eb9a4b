//! Why an instance is not well, as data: names and figures in fields of their own. The rules of `score` make it, history keeps
//! it, and `Display` makes the sentence when somebody is shown it. Nothing reads a sentence back: `timeline::scrub` asks
//! [`Why::each_name_mut`] where the names are.
//!
//! What grows with time (`for 6m`, `10 s ago`) is kept as coarsely as it is told, so that a verdict is another one only when
//! it reads otherwise.

use crate::model::{
    base::{
        failure::{FailureKind, Obstacle},
        figure::{counted, push_clock, push_date, push_grouped, push_pct, push_span, push_wait},
        time::Timestamp,
    },
    inventory::record::Pause,
    poll::names::{Field, Kind, Visit, Where, maybe},
};
use serde::{Deserialize, Serialize};
use std::{fmt, sync::Arc};

/// The content of a reason.
/// In files by position: fields are only appended, each with a default; variants keep their names.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Why {
    /// a sentence of a version that kept sentences: nobody can tell which words in it are names
    Sentence(Arc<str>),
    /// it is not polled because somebody said so
    Paused {
        /// who wants what
        pause: Pause,
        /// for so long still, ms
        left_ms: Option<i64>,
    },
    /// no connection
    Down {
        /// the class of the failure
        kind: FailureKind,
        /// SQL Server's error number
        number: Option<i32>,
        /// what stood in the way
        obstacle: Option<Obstacle>,
        /// since when
        since: Option<Since>,
    },
    /// a connection, but no answer
    NoDataSince(Since),
    /// nobody has asked yet
    NotPolled,
    /// the first answer is not there yet
    FirstPoll,
    /// this right is missing
    Needs(Arc<str>),
    /// polls stopped coming
    Silent {
        /// so long ago, ms
        ms: i64,
        /// the last one failed
        failed: Option<FailureKind>,
    },
    /// polls come without counters
    NoCounters(FailureKind),
    /// polls come with nothing in them
    AllNull,
    /// it is not in the inventory any more
    Gone,
    /// the instance was started
    Restarted {
        /// so long ago, ms
        ms: i64,
    },
    /// CPU of the machine
    Cpu {
        /// in use
        pct: f64,
        /// for so long, ms
        busy_ms: Option<i64>,
        /// or for longer: nobody remembers more
        at_least: bool,
        /// of which other processes
        other_pct: Option<f64>,
    },
    /// waits of a type that are trouble by themselves
    Waits {
        /// the type
        name: Arc<str>,
        /// waiting, ms a second
        ms_per_s: f64,
        /// the workers that are left, if that is what it waits for
        workers: Option<Workers>,
    },
    /// workers run out
    Workers(Workers),
    /// a chain of blocking
    Blocked {
        /// its victims
        sessions: u32,
        /// the longest wait, ms
        longest_ms: i64,
        /// session id of the head
        by: i32,
        /// what the head does
        status: Option<Arc<str>>,
    },
    /// memory of the machine
    Memory {
        /// in use
        pct: f64,
        /// SQL Server was told that it runs low
        is_low: bool,
    },
    /// SQL Server was told that memory runs low
    MemoryLow,
    /// queries that wait for a memory grant
    Grants(i64),
    /// page life fell
    PageLife {
        /// to this, s
        now_s: i64,
        /// from this, s
        best_s: i64,
    },
    /// an average page read, ms
    PageReads(f64),
    /// an average flush of the log, ms
    LogFlushes(f64),
    /// deadlocks in 15 minutes
    Deadlocks(u32),
    /// a volume is full
    Volume {
        /// where it is mounted
        mount: Option<Arc<str>>,
        /// free
        free_pct: f64,
    },
    /// tempdb is full; free, %
    Tempdb(f64),
    /// a database that cannot be used
    Database {
        /// its name
        name: Option<Arc<str>>,
        /// its state
        state: Arc<str>,
        /// so many others cannot, either
        more: u32,
    },
    /// a database of an availability group
    Replica {
        /// its name
        database: Option<Arc<str>>,
        /// on which server
        replica: Option<Arc<str>>,
        /// what is wrong with it
        trouble: Trouble,
        /// with so many others, too
        more: u32,
    },
    /// Agent jobs failed
    Jobs {
        /// so many
        failed: u32,
        /// the newest
        name: Option<Arc<str>>,
        /// when
        at: Option<Timestamp>,
    },
}

/// An instant, told with its date if that was a day ago when it was told.
/// In files by position: fields are only appended, each with a default; variants keep their names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Since {
    /// the instant
    pub at: Timestamp,
    /// with its date
    pub is_dated: bool,
}

/// Workers of an instance.
/// In files by position: fields are only appended, each with a default; variants keep their names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Workers {
    /// so many do nothing
    pub free: i64,
    /// so many may be
    pub of: i64,
}

/// What is wrong with a database of an availability group.
/// In files by position: fields are only appended, each with a default; variants keep their names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Trouble {
    /// somebody or something stopped its movement of data
    Suspended,
    /// it is not synchronizing
    NotSynchronizing,
    /// it is so many seconds behind
    Behind(i64),
}

impl Since {
    /// As it is told now.
    pub fn told(at: Timestamp, now: Timestamp) -> Self {
        Self { at, is_dated: now.ms_since(at) >= 86_400_000 }
    }
}

/// A figure, as the writers of `base::figure` spell it.
struct Spelled<T>(fn(&mut String, T), T);

impl<T: Copy> fmt::Display for Spelled<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut out = String::new();
        (self.0)(&mut out, self.1);
        f.write_str(&out)
    }
}

const fn pct(value: f64) -> Spelled<f64> {
    Spelled(push_pct, value)
}

const fn wait(ms: f64) -> Spelled<f64> {
    Spelled(push_wait, ms)
}

const fn grouped(value: i64) -> Spelled<i64> {
    Spelled(push_grouped, value)
}

const fn span(ms: i64) -> Spelled<i64> {
    Spelled(push_span, ms)
}

const fn clock(at: Timestamp) -> Spelled<Timestamp> {
    Spelled(push_clock, at)
}

/// A text if there is one, between two others.
struct Maybe<T>(&'static str, Option<T>, &'static str);

impl<T: fmt::Display> fmt::Display for Maybe<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.1.as_ref().map_or(Ok(()), |found| write!(f, "{}{found}{}", self.0, self.2))
    }
}

/// A name, where the server told it.
fn known(name: Option<&str>) -> &str {
    name.unwrap_or("?")
}

/// `, +3` if there are more than the one that is named.
fn others(more: u32) -> Maybe<u32> {
    Maybe(", +", (more > 0).then_some(more), "")
}

impl fmt::Display for Since {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{}{}",
            Maybe("", self.is_dated.then_some(Spelled(push_date, self.at)), " "),
            clock(self.at)
        )
    }
}

impl fmt::Display for Why {
    /// The sentence, as short as a cell wants it: `14 sessions blocked 312 s by 88 (sleeping)`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sentence(text) => f.write_str(text),
            Self::Paused { pause, left_ms } => {
                write!(f, "{}{}", pause.words(), Maybe(" for ", left_ms.map(span), ""))
            }
            Self::Down { kind, number, obstacle, since } => down(f, *kind, *number, *obstacle, *since),
            Self::NoDataSince(since) => write!(f, "no data since {since}"),
            Self::NotPolled => f.write_str("not polled yet"),
            Self::FirstPoll => f.write_str("first poll under way"),
            Self::Needs(right) => write!(f, "needs {right}"),
            Self::Silent { ms, failed } => {
                let why = Maybe(" (", failed.map(FailureKind::words), ")");
                write!(f, "no data for {}{why}", wait(*ms as f64))
            }
            Self::NoCounters(kind) => write!(f, "no counters ({})", kind.words()),
            Self::AllNull => f.write_str("no figures: every counter is NULL"),
            Self::Gone => f.write_str("no longer in the inventory"),
            Self::Restarted { ms } => write!(f, "restarted {} ago", wait(*ms as f64)),
            Self::Cpu { pct: all, busy_ms, at_least, other_pct } => {
                let busy = Maybe(if *at_least { " for over " } else { " for " }, busy_ms.map(span), "");
                write!(f, "CPU {}{busy}{}", pct(*all), Maybe(", other processes ", other_pct.map(pct), ""))
            }
            Self::Waits { name, ms_per_s, workers } => {
                // The name of the wait says already what is free; a row has room for 43 columns.
                write!(
                    f,
                    "{name} waits {}/s{}",
                    wait(*ms_per_s),
                    Maybe("; ", workers.map(|w| w.free("")), "")
                )
            }
            Self::Workers(workers) => f.write_str(&workers.free(" workers")),
            Self::Blocked { sessions, longest_ms, by, status } => {
                write!(f, "{} blocked {}", counted(*sessions as usize, "session"), wait(*longest_ms as f64))?;
                write!(f, " by {by}{}", Maybe(" (", status.as_deref(), ")"))
            }
            Self::Memory { pct: used, is_low } => {
                write!(
                    f,
                    "memory {} of the machine{}",
                    pct(*used),
                    if *is_low { ", running low" } else { "" }
                )
            }
            Self::MemoryLow => f.write_str("physical memory low"),
            Self::Grants(1) => f.write_str("1 query waits for a memory grant"),
            Self::Grants(n) => write!(f, "{n} queries wait for a memory grant"),
            Self::PageLife { now_s, best_s } => {
                write!(f, "page life {} s, was {} s", grouped(*now_s), grouped(*best_s))
            }
            Self::PageReads(ms) => write!(f, "page reads take {}", wait(*ms)),
            Self::LogFlushes(ms) => write!(f, "log flushes take {}", wait(*ms)),
            Self::Deadlocks(n) => write!(f, "{} in 15 min", counted(*n as usize, "deadlock")),
            Self::Volume { mount, free_pct } => {
                write!(f, "volume {} {} free", known(mount.as_deref()).trim_end_matches('\\'), pct(*free_pct))
            }
            Self::Tempdb(free_pct) => write!(f, "tempdb {} free", pct(*free_pct)),
            Self::Database { name, state, more } => {
                write!(f, "database {} is {state}{}", known(name.as_deref()), others(*more))
            }
            Self::Replica { database, replica, trouble, more } => {
                write!(
                    f,
                    "{} on {} {trouble}{}",
                    known(database.as_deref()),
                    known(replica.as_deref()),
                    others(*more)
                )
            }
            Self::Jobs { failed, name, at } => jobs(f, *failed, known(name.as_deref()), *at),
        }
    }
}

fn down(
    f: &mut fmt::Formatter<'_>,
    kind: FailureKind,
    number: Option<i32>,
    obstacle: Option<Obstacle>,
    since: Option<Since>,
) -> fmt::Result {
    let word = match kind {
        FailureKind::Timeout | FailureKind::Unreachable => "unreachable",
        kind => kind.words(),
    };
    let how = match (kind, obstacle) {
        (FailureKind::Timeout, _) => " (timed out)",
        (FailureKind::Unreachable, Some(Obstacle::Refused)) => " (refused)",
        (FailureKind::Unreachable, Some(Obstacle::NoRoute)) => " (no route)",
        _ => "",
    };
    write!(f, "{word}{}{}{how}", Maybe(" (", number, ")"), Maybe(" since ", since, ""))
}

fn jobs(f: &mut fmt::Formatter<'_>, failed: u32, name: &str, at: Option<Timestamp>) -> fmt::Result {
    match failed {
        0 | 1 => f.write_str("job failed")?,
        n => write!(f, "{n} jobs failed")?,
    }
    write!(f, ": {name}{}", Maybe(" at ", at.map(clock), ""))
}

impl Workers {
    fn free(self, what: &str) -> String {
        format!("{} of {}{what} free", grouped(self.free), grouped(self.of))
    }
}

impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Suspended => f.write_str("suspended"),
            Self::NotSynchronizing => f.write_str("not synchronizing"),
            Self::Behind(s) => write!(f, "{} behind", wait(*s as f64 * 1000.0)),
        }
    }
}

impl Why {
    /// The places of names.
    pub fn each_name_mut(&mut self, visit: Visit<'_>) {
        match self {
            // Any word of an old sentence may be a name.
            Self::Sentence(text) => visit(Field::Message, text),
            Self::Needs(right) => visit(Field::Words(Where::Ours), right),
            Self::Blocked { status, .. } => maybe(visit, Field::Words(Where::Theirs), status),
            Self::Volume { mount, .. } => maybe(visit, Field::Name(Kind::Volume), mount),
            Self::Database { name, .. } => maybe(visit, Field::Name(Kind::Database), name),
            Self::Replica { database, replica, .. } => {
                maybe(visit, Field::Name(Kind::Database), database);
                maybe(visit, Field::Name(Kind::Host), replica);
            }
            Self::Jobs { name, .. } => maybe(visit, Field::Name(Kind::Job), name),
            Self::Paused { .. }
            | Self::Down { .. }
            | Self::NoDataSince(_)
            | Self::NotPolled
            | Self::FirstPoll
            | Self::Silent { .. }
            | Self::NoCounters(_)
            | Self::AllNull
            | Self::Gone
            | Self::Restarted { .. }
            | Self::Cpu { .. }
            | Self::Waits { .. }
            | Self::Workers(_)
            | Self::Memory { .. }
            | Self::MemoryLow
            | Self::Grants(_)
            | Self::PageLife { .. }
            | Self::PageReads(_)
            | Self::LogFlushes(_)
            | Self::Deadlocks(_)
            | Self::Tempdb(_) => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const AT: Timestamp = Timestamp::from_ms(1_795_168_000_000);

    /// Every reason with the sentence that the version before said of it.
    fn told() -> Vec<(Why, &'static str)> {
        let mut all = told_of_polls();
        all.extend(told_of_figures());
        all.extend(told_of_things());
        all
    }

    fn told_of_polls() -> Vec<(Why, &'static str)> {
        let since = |is_dated| Since { at: AT, is_dated };
        let down = |kind, number, obstacle| Why::Down { kind, number, obstacle, since: Some(since(false)) };
        vec![
            (Why::Sentence("3 blocked by 7".into()), "3 blocked by 7"),
            (Why::Paused { pause: Pause::Stopped, left_ms: None }, "stopped"),
            (Why::Paused { pause: Pause::Maintenance, left_ms: Some(60_000) }, "in maintenance for 1m"),
            (down(FailureKind::Timeout, None, None), "unreachable since 09:46:40 (timed out)"),
            (
                down(FailureKind::Unreachable, None, Some(Obstacle::NoRoute)),
                "unreachable since 09:46:40 (no route)",
            ),
            (
                down(FailureKind::Unreachable, None, Some(Obstacle::Refused)),
                "unreachable since 09:46:40 (refused)",
            ),
            (down(FailureKind::Login, Some(18456), None), "login refused (18456) since 09:46:40"),
            (Why::NoDataSince(since(true)), "no data since 2026-11-20 09:46:40"),
            (Why::NotPolled, "not polled yet"),
            (Why::FirstPoll, "first poll under way"),
            (Why::Needs("VIEW SERVER STATE".into()), "needs VIEW SERVER STATE"),
            (Why::Silent { ms: 76_000, failed: None }, "no data for 76 s"),
            (Why::Silent { ms: 76_000, failed: Some(FailureKind::Timeout) }, "no data for 76 s (timed out)"),
            (Why::NoCounters(FailureKind::Protocol), "no counters (bad answer)"),
            (Why::AllNull, "no figures: every counter is NULL"),
            (Why::Gone, "no longer in the inventory"),
            (Why::Restarted { ms: 10_000 }, "restarted 10 s ago"),
        ]
    }

    fn told_of_figures() -> Vec<(Why, &'static str)> {
        let some = |text: &str| Some(Arc::<str>::from(text));
        vec![
            (Why::Cpu { pct: 97.0, busy_ms: None, at_least: false, other_pct: None }, "CPU 97 %"),
            (
                Why::Cpu { pct: 97.0, busy_ms: Some(360_000), at_least: false, other_pct: Some(20.0) },
                "CPU 97 % for 6m, other processes 20 %",
            ),
            (
                Why::Cpu { pct: 97.0, busy_ms: Some(840_000), at_least: true, other_pct: None },
                "CPU 97 % for over 14m",
            ),
            (
                Why::Waits { name: "RESOURCE_SEMAPHORE".into(), ms_per_s: 1500.0, workers: None },
                "RESOURCE_SEMAPHORE waits 1.5 s/s",
            ),
            (
                Why::Waits {
                    name: "THREADPOOL".into(),
                    ms_per_s: 15.0,
                    workers: Some(Workers { free: 2, of: 1472 }),
                },
                "THREADPOOL waits 15 ms/s; 2 of 1,472 free",
            ),
            (Why::Workers(Workers { free: 0, of: 512 }), "0 of 512 workers free"),
            (
                Why::Blocked { sessions: 14, longest_ms: 312_000, by: 88, status: some("sleeping") },
                "14 sessions blocked 312 s by 88 (sleeping)",
            ),
            (
                Why::Blocked { sessions: 1, longest_ms: 40_000, by: 88, status: None },
                "1 session blocked 40 s by 88",
            ),
            (Why::Memory { pct: 91.2, is_low: false }, "memory 91 % of the machine"),
            (Why::Memory { pct: 91.2, is_low: true }, "memory 91 % of the machine, running low"),
            (Why::MemoryLow, "physical memory low"),
            (Why::Grants(1), "1 query waits for a memory grant"),
            (Why::Grants(3), "3 queries wait for a memory grant"),
            (Why::PageLife { now_s: 180, best_s: 4200 }, "page life 180 s, was 4,200 s"),
            (Why::PageReads(25.0), "page reads take 25 ms"),
            (Why::LogFlushes(25.0), "log flushes take 25 ms"),
            (Why::Deadlocks(1), "1 deadlock in 15 min"),
            (Why::Deadlocks(2), "2 deadlocks in 15 min"),
        ]
    }

    fn told_of_things() -> Vec<(Why, &'static str)> {
        let some = |text: &str| Some(Arc::<str>::from(text));
        let replica =
            |trouble, more| Why::Replica { database: some("crm"), replica: some("SQL2"), trouble, more };
        vec![
            (Why::Volume { mount: some("E:\\Payroll\\"), free_pct: 2.14 }, "volume E:\\Payroll 2.1 % free"),
            (Why::Volume { mount: None, free_pct: 2.14 }, "volume ? 2.1 % free"),
            (Why::Tempdb(4.0), "tempdb 4 % free"),
            (
                Why::Database { name: some("crm"), state: "SUSPECT".into(), more: 0 },
                "database crm is SUSPECT",
            ),
            (Why::Database { name: None, state: "EMERGENCY".into(), more: 3 }, "database ? is EMERGENCY, +3"),
            (replica(Trouble::Suspended, 0), "crm on SQL2 suspended"),
            (replica(Trouble::NotSynchronizing, 2), "crm on SQL2 not synchronizing, +2"),
            (replica(Trouble::Behind(45), 0), "crm on SQL2 45 s behind"),
            (Why::Jobs { failed: 1, name: some("Backup"), at: Some(AT) }, "job failed: Backup at 09:46:40"),
            (Why::Jobs { failed: 3, name: None, at: None }, "3 jobs failed: ?"),
        ]
    }

    #[test]
    fn a_reason_is_told_as_it_always_was() {
        for (why, wanted) in told() {
            assert_eq!(why.to_string(), wanted, "{why:?}");
        }
    }

    /// A name in a place that nobody visits would leave the house.
    #[test]
    fn every_text_from_a_server_is_visited() {
        let ours = ["SUSPECT", "EMERGENCY", "THREADPOOL", "RESOURCE_SEMAPHORE"];
        for (mut why, _) in told() {
            why.each_name_mut(&mut |_, text| *text = "x".into());
            let data = format!("{why:?}");
            let texts = data.split('"').skip(1).step_by(2);
            let left: Vec<&str> = texts.filter(|text| *text != "x" && !ours.contains(text)).collect();
            assert!(left.is_empty(), "{left:?} in {data}");
        }
    }
}
