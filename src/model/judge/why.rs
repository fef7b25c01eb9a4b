//! Why an instance is not well, as data: names and figures in fields of their own. The rules of `score` make it, history keeps
//! it, and `Display` makes the sentence when somebody is shown it. Nothing reads a sentence back: `timeline::scrub` asks
//! [`Why::each_name_mut`] where the names are.
//!
//! A time in it is told by the reader's clock: [`Why::told`].
//!
//! What grows with time (`for 6m`, `10 s ago`) is kept as coarsely as it is told, so that a verdict is another one only when
//! it reads otherwise.

mod full;
mod names;
mod parts;
mod spell;

use crate::model::{
    base::{
        failure::{FailureKind, Obstacle},
        figure::{counted, limit},
        time::Timestamp,
        zone::{UTC, Zone},
    },
    inventory::record::Pause,
    poll::space::Grown,
};
pub use parts::{CpusInUse, Holder, Since, Trouble, Workers};
use serde::{Deserialize, Serialize};
pub use spell::Told;
use spell::{At, Clock, Maybe, grouped, known, others, pct, size, span, wait};
use std::{fmt, sync::Arc, time::Duration};

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
        /// what is not configured, and what to do; None: it is another failure
        #[serde(default)]
        missing: Option<Arc<str>>,
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
    /// CPU of SQL Server
    Cpu {
        /// its share of what it may run on, as the column CPU tells it
        pct: f64,
        /// for so long, ms
        busy_ms: Option<i64>,
        /// or for longer: nobody remembers more
        at_least: bool,
        /// and what other processes use of the machine
        other_pct: Option<f64>,
        /// the CPUs, where it may not run on all of them
        #[serde(default)]
        cpus: Option<CpusInUse>,
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
    /// tasks that could run and have no CPU
    Runnable {
        /// so many
        tasks: i64,
        /// on so many schedulers
        schedulers: i64,
        /// of which they wait for so many alone
        #[serde(default)]
        busy: Option<i64>,
    },
    /// everybody on the machine was told that memory runs low
    MachineMemoryLow,
    /// little memory of the machine is free
    MemoryFree {
        /// so much, KB
        free_kb: i64,
        /// %
        pct: f64,
    },
    /// SQL Server aims at less memory than it may take
    MemoryTarget {
        /// at this, KB
        target_kb: i64,
        /// of this, KB
        allowed_kb: i64,
    },
    /// tempdb fills
    TempdbFilling {
        /// and is full in so long, ms
        full_in_ms: i64,
        /// free, %
        free_pct: f64,
        /// the session that holds most of it
        holder: Option<Holder>,
    },
    /// a transaction log is full, or fills
    Log {
        /// of this database
        database: Option<Arc<str>>,
        /// it is full in so long, ms
        full_in_ms: Option<i64>,
        /// free, % of what it may take
        free_pct: f64,
        /// what keeps it from being used again
        reuse_wait: Option<Arc<str>>,
        /// the session whose transaction that is
        session: Option<i32>,
    },
    /// a volume fills
    VolumeFilling {
        /// where it is mounted
        mount: Option<Arc<str>>,
        /// it is full in so long, ms
        full_in_ms: i64,
        /// free, %
        free_pct: f64,
        /// what grew there, where that is known
        #[serde(default)]
        grown: Option<Grown>,
    },
    /// a Query Store is full and records nothing
    StoreFull {
        /// that of this database
        database: Option<Arc<str>>,
        /// so many others, too
        more: u32,
    },
    /// a Query Store should record and does not, though it has room
    StoreStopped {
        /// that of this database
        database: Option<Arc<str>>,
        /// it is in error, and not only read-only
        is_broken: bool,
        /// bits that say why it is read-only
        reason: Option<i64>,
        /// so many others, too
        more: u32,
    },
    /// a plan cannot be forced any more
    PlanForcing {
        /// in this database
        database: Option<Arc<str>>,
        /// that of this query, by its number in the store
        query_id: i64,
        /// it failed so often since the poll before
        failures: i64,
        /// why the last time, by the server's number
        reason: Option<i64>,
        /// so many others, too
        more: u32,
    },
    /// one database file is slow
    SlowFile {
        /// database id, file id
        ids: (i32, i32),
        /// of this database
        database: Option<Arc<str>>,
        /// logical name
        file: Option<Arc<str>>,
        /// it is its writes that are slow, not its reads
        writes: bool,
        /// an average one takes so long, ms
        ms: f64,
    },
    /// an I/O of a database file is not done
    StalledIo {
        /// database id, file id
        ids: (i32, i32),
        /// of this database
        database: Option<Arc<str>>,
        /// logical name
        file: Option<Arc<str>>,
        /// it is so old, ms
        oldest_ms: i64,
        /// so many are in flight there
        pending: Option<i64>,
    },
    /// a data file cannot grow any more
    CannotGrow {
        /// database id, file id
        ids: (i32, i32),
        /// of this database
        database: Option<Arc<str>>,
        /// logical name
        file: Option<Arc<str>>,
        /// the volume that has too little room; None: its own limit is in the way
        mount: Option<Arc<str>>,
        /// by so much it would grow, KB; 0: it is told not to grow
        next_kb: i64,
        /// for so much there is room, KB
        room_kb: i64,
        /// it grew so often within a day
        grew: u32,
        /// free inside of it, %, where its database told
        #[serde(default)]
        inside_pct: Option<f64>,
    },
    /// tempdb is full, and somebody holds much of it
    TempdbHeld {
        /// free, %
        free_pct: f64,
        /// the session that holds most of it
        holder: Holder,
    },
}

impl fmt::Display for Why {
    /// The sentence for nobody in particular, such as a log: times say that they are UTC.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.fmt_in(f, Clock::Alone(&UTC))
    }
}

impl Why {
    /// The sentence for a person, with times by their clock.
    pub const fn told<'a>(&'a self, zone: &'a Zone) -> Told<'a> {
        Told(self, Clock::Beside(zone))
    }

    /// The same where no clock stands beside it: a time says its zone.
    pub const fn told_alone<'a>(&'a self, zone: &'a Zone) -> Told<'a> {
        Told(self, Clock::Alone(zone))
    }

    /// Its sentence has a time in it, so that it depends on the zone.
    pub const fn has_time(&self) -> bool {
        matches!(
            self,
            Self::Down { since: Some(_), missing: None, .. }
                | Self::NoDataSince(_)
                | Self::Jobs { at: Some(_), .. }
        )
    }

    /// The sentence, as short as a cell wants it: `14 sessions blocked 312 s by 88 (sleeping)`.
    fn fmt_in(&self, f: &mut fmt::Formatter<'_>, clock: Clock<'_>) -> fmt::Result {
        let told = |since| At(since, clock);
        match self {
            Self::Sentence(text) => f.write_str(text),
            Self::Paused { pause, left_ms } => {
                write!(f, "{}{}", pause.words(), Maybe(" for ", left_ms.map(span), ""))
            }
            // What is to be done comes first; since when is no help.
            Self::Down { missing: Some(what), .. } => f.write_str(what),
            Self::Down { kind, number, obstacle, since, missing: None } => {
                down(f, *kind, *number, *obstacle, since.map(told))
            }
            Self::NoDataSince(since) => write!(f, "no data since {}", told(*since)),
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
            Self::Cpu { pct: own, busy_ms, at_least, other_pct, cpus } => {
                let busy = Maybe(if *at_least { " for over " } else { " for " }, busy_ms.map(span), "");
                write!(f, "CPU {}{}{busy}", pct(*own), Maybe(" of ", *cpus, ""))?;
                write!(f, "{}", Maybe(", other processes ", other_pct.map(pct), ""))
            }
            Self::Runnable { tasks, schedulers, busy } => {
                let of = counted(usize::try_from(*schedulers).unwrap_or_default(), "CPU");
                write!(f, "{} tasks wait for {}{of}", grouped(*tasks), Maybe("", *busy, " of "))
            }
            Self::Waits { name, ms_per_s, workers } => {
                // The name of the wait says already what is free; a row has room for 43 columns.
                let free = Maybe("; ", workers.map(|w| w.free("")), "");
                write!(f, "{name} waits {}/s{free}", wait(*ms_per_s))
            }
            Self::Workers(workers) => f.write_str(&workers.free(" workers")),
            Self::Blocked { sessions, longest_ms, by, status } => {
                write!(f, "{} blocked {}", counted(*sessions as usize, "session"), wait(*longest_ms as f64))?;
                write!(f, " by {by}{}", Maybe(" (", status.as_deref(), ")"))
            }
            Self::PageReads(ms) => write!(f, "page reads take {}", wait(*ms)),
            Self::LogFlushes(ms) => write!(f, "log flushes take {}", wait(*ms)),
            Self::Deadlocks(n) => write!(f, "{} in 15 min", counted(*n as usize, "deadlock")),
            Self::Database { name, state, more } => {
                write!(f, "database {} is {state}{}", known(name.as_deref()), others(*more))
            }
            Self::Replica { .. }
            | Self::StoreFull { .. }
            | Self::StoreStopped { .. }
            | Self::PlanForcing { .. } => self.fmt_database(f),
            Self::Jobs { failed, name, at } => jobs(f, *failed, known(name.as_deref()), *at, clock),
            Self::Volume { .. }
            | Self::Tempdb(_)
            | Self::TempdbHeld { .. }
            | Self::TempdbFilling { .. }
            | Self::Log { .. }
            | Self::VolumeFilling { .. }
            | Self::CannotGrow { .. } => self.fmt_space(f),
            Self::SlowFile { .. } | Self::StalledIo { .. } => self.fmt_file(f),
            Self::Memory { .. }
            | Self::MemoryLow
            | Self::MachineMemoryLow
            | Self::MemoryFree { .. }
            | Self::MemoryTarget { .. }
            | Self::Grants(_)
            | Self::PageLife { .. } => self.fmt_memory(f),
        }
    }
}

impl Why {
    /// The reasons about reads and writes of one file.
    fn fmt_file(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::SlowFile { database, file, writes, ms, .. } => {
                let what = if *writes { "writes" } else { "reads" };
                let (database, file) = (known(database.as_deref()), known(file.as_deref()));
                write!(f, "{what} of {database}/{file} take {}", wait(*ms))
            }
            Self::StalledIo { database, file, oldest_ms, pending, .. } => {
                let (database, file) = (known(database.as_deref()), known(file.as_deref()));
                write!(f, "an I/O of {database}/{file} hangs for {}", wait(*oldest_ms as f64))?;
                write!(f, "{}", Maybe(", ", pending.filter(|n| *n > 1), " in flight"))
            }
            _ => Ok(()),
        }
    }

    /// The reasons about memory.
    fn fmt_memory(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Memory { pct: used, is_low } => {
                write!(
                    f,
                    "memory {} of the machine{}",
                    pct(*used),
                    if *is_low { ", running low" } else { "" }
                )
            }
            Self::MemoryLow => f.write_str("physical memory low"),
            Self::MachineMemoryLow => f.write_str("memory of the machine low"),
            Self::MemoryFree { free_kb, pct: free } => {
                write!(f, "{} memory free, {} of the machine", size(*free_kb), pct(*free))
            }
            Self::MemoryTarget { target_kb, allowed_kb } => {
                write!(f, "memory target {} of {} allowed", size(*target_kb), size(*allowed_kb))
            }
            Self::Grants(1) => f.write_str("1 query waits for a memory grant"),
            Self::Grants(n) => write!(f, "{n} queries wait for a memory grant"),
            Self::PageLife { now_s, best_s } => {
                // Whole seconds: there is no tenth of one.
                let told = |s: i64| limit(Duration::from_secs(s.max(0).unsigned_abs()));
                write!(f, "page life {}, was {}", told(*now_s), told(*best_s))
            }
            _ => Ok(()),
        }
    }
}

fn down(
    f: &mut fmt::Formatter<'_>,
    kind: FailureKind,
    number: Option<i32>,
    obstacle: Option<Obstacle>,
    since: Option<At<'_>>,
) -> fmt::Result {
    let word = match kind {
        FailureKind::Timeout | FailureKind::Unreachable => "unreachable",
        kind => kind.words(),
    };
    let how = match (kind, obstacle) {
        (FailureKind::Timeout, _) => " (timed out)",
        (FailureKind::Unreachable, Some(Obstacle::Refused)) => " (refused)",
        (FailureKind::Unreachable, Some(Obstacle::NoRoute)) => " (no route)",
        (_, Some(Obstacle::HungUp)) => " (hung up)",
        _ => "",
    };
    write!(f, "{word}{}{}{how}", Maybe(" (", number, ")"), Maybe(" since ", since, ""))
}

fn jobs(
    f: &mut fmt::Formatter<'_>,
    failed: u32,
    name: &str,
    at: Option<Timestamp>,
    clock: Clock<'_>,
) -> fmt::Result {
    let at = at.map(|at| At(Since { at, is_dated: false }, clock));
    match failed {
        0 | 1 => f.write_str("job failed")?,
        n => write!(f, "{n} jobs failed")?,
    }
    write!(f, ": {name}{}", Maybe(" at ", at, ""))
}

#[cfg(test)]
mod tests;
