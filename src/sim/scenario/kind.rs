//! The kinds of trouble, and the meaning of their `amount`.

use serde::Deserialize;
use std::fmt;

/// A kind of trouble.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// nothing: a place holder in scripts
    Calm,
    /// a sleeping session holds a transaction open and `amount` sessions queue up behind it, three levels deep
    BlockingStorm,
    /// SQL Server burns `amount` % of all CPUs
    CpuStorm,
    /// a read takes `amount` ms
    IoStall,
    /// all workers are busy: batches and logins wait `amount` ms for one
    Threadpool,
    /// one session fills tempdb; after five minutes `amount` % of it is used
    TempdbFill,
    /// one transaction fills the log of a database that may not grow; after five minutes `amount` % of it is used
    LogFill,
    /// SQL Server may run on `amount` schedulers only, and they are saturated
    CpuLimit,
    /// `amount` queries queue for a memory grant
    GrantQueue,
    /// one query holds `amount` % of the memory for grants and uses next to nothing of it
    GrantHog,
    /// a read of one data file takes `amount` ms, while all others are fast
    IoSlowFile,
    /// a data file grows every `amount` seconds, until its volume has no room for the next time
    Autogrowth,
    /// a session sleeps with a transaction open that holds the log of a database; after five minutes `amount` % of it is used
    LogHold,
    /// a session sleeps in a snapshot that holds the version store; after five minutes `amount` % of tempdb is it
    VersionStoreHold,
    /// `amount` deadlocks a minute
    Deadlocks,
    /// one deadlock recurs, `amount` times a minute: a reader goes from an index to its table, a writer the other way
    DeadlockPattern,
    /// a query gets a plan that takes `amount` times the CPU and the reads
    PlanRegression,
    /// the Query Store of a database fills; with 100 it is full after five minutes and turns read-only, with more sooner
    QueryStoreFull,
    /// forcing a plan fails `amount` times an hour, since an index of it was dropped
    PlanForceFailure,
    /// the index that a query needs is gone: it scans, with `amount` times the CPU and the reads
    MissingIndex,
    /// a query runs by a plan that was compiled for a value with few rows: for most values it takes `amount` times the CPU
    ParameterSniffing,
    /// connections are refused
    Down,
    /// connections are accepted and never answered
    BlackHole,
    /// every packet is `amount` ms late
    SlowNetwork,
    /// what is asked on demand, of plans and of single sessions, is answered `amount` ms late
    LateAnswers,
    /// the login is refused (18456)
    LoginRefused,
    /// the login lacks VIEW SERVER STATE and everything like it
    NoRights,
    /// the service restarts and is away for `amount` seconds; the end of the event does not matter
    Restart,
    /// an Agent job has failed
    FailedJob,
    /// a volume fills up: after an hour `amount` % are free
    DiskFill,
    /// a secondary replica falls behind by `amount` seconds a minute
    AgLag,
    /// a secondary replica that reverts: `amount` GB of log wait to be sent to it, and its lag is not known
    AgQueue,
    /// all hostile data below up to `HostileClock`
    Hostile,
    /// `amount` sessions wait for latches, as they do for milliseconds on every busy server
    Latches,
    /// escape sequences and control characters in names
    HostileNames,
    /// a query text of `amount` MB, broken UTF-16, control characters
    HostileTexts,
    /// NULL in every column
    HostileNulls,
    /// a blocking cycle, and a session that blocks itself
    HostileCycle,
    /// negative waits, counters and durations
    HostileNegative,
    /// elapsed times that wrapped, durations longer than the server is up
    HostileDurations,
    /// the server's clock goes back by `amount` seconds every other minute
    HostileClock,
    /// the connection is cut in the middle of a row
    HostileCut,
    /// a result that never ends
    HostileEndless,
}

impl Kind {
    /// All, for scripts and tests.
    pub const ALL: [Self; 43] = [
        Self::Calm,
        Self::BlockingStorm,
        Self::CpuStorm,
        Self::IoStall,
        Self::Threadpool,
        Self::TempdbFill,
        Self::LogFill,
        Self::CpuLimit,
        Self::GrantQueue,
        Self::GrantHog,
        Self::IoSlowFile,
        Self::Autogrowth,
        Self::LogHold,
        Self::VersionStoreHold,
        Self::Deadlocks,
        Self::DeadlockPattern,
        Self::PlanRegression,
        Self::QueryStoreFull,
        Self::PlanForceFailure,
        Self::MissingIndex,
        Self::ParameterSniffing,
        Self::Down,
        Self::BlackHole,
        Self::SlowNetwork,
        Self::LateAnswers,
        Self::LoginRefused,
        Self::NoRights,
        Self::Restart,
        Self::FailedJob,
        Self::DiskFill,
        Self::AgLag,
        Self::AgQueue,
        Self::Latches,
        Self::Hostile,
        Self::HostileNames,
        Self::HostileTexts,
        Self::HostileNulls,
        Self::HostileCycle,
        Self::HostileNegative,
        Self::HostileDurations,
        Self::HostileClock,
        Self::HostileCut,
        Self::HostileEndless,
    ];

    /// The amount of an event without one.
    pub const fn usual_amount(self) -> f64 {
        match self {
            Self::BlockingStorm => 14.0,
            Self::CpuStorm | Self::TempdbFill | Self::LogFill => 97.0,
            Self::QueryStoreFull => 100.0,
            Self::PlanForceFailure => 30.0,
            Self::CpuLimit => 4.0,
            Self::AgQueue => 50.0,
            Self::IoStall => 180.0,
            Self::Threadpool => 1_500.0,
            Self::GrantQueue => 9.0,
            Self::GrantHog => 85.0,
            Self::IoSlowFile => 240.0,
            Self::LogHold => 70.0,
            Self::Deadlocks | Self::Latches => 6.0,
            Self::Autogrowth | Self::PlanRegression => 20.0,
            Self::MissingIndex => 25.0,
            Self::ParameterSniffing => 15.0,
            Self::SlowNetwork => 250.0,
            Self::LateAnswers => 30_000.0,
            Self::Restart => 12.0,
            Self::DeadlockPattern | Self::DiskFill | Self::HostileTexts => 2.0,
            Self::AgLag | Self::VersionStoreHold => 40.0,
            Self::HostileClock => 90.0,
            _ => 1.0,
        }
    }

    /// True for the kinds that `hostile` stands for.
    pub const fn is_part_of_hostile(self) -> bool {
        matches!(
            self,
            Self::HostileNames
                | Self::HostileTexts
                | Self::HostileNulls
                | Self::HostileCycle
                | Self::HostileNegative
                | Self::HostileDurations
                | Self::HostileClock
        )
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // the derived name in the notation of the file: BlackHole -> black_hole
        let mut name = String::new();
        for c in format!("{self:?}").chars() {
            if c.is_uppercase() && !name.is_empty() {
                name.push('_');
            }
            name.extend(c.to_lowercase());
        }
        f.pad(&name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_is_read_by_the_name_that_it_prints() {
        for kind in Kind::ALL {
            let toml = format!("[[event]]\non = '*'\nkind = '{kind}'");
            let scenario = super::super::Scenario::from_toml(&toml, 0).unwrap();
            assert_eq!(scenario.events[0].kind, kind);
        }
    }

    #[test]
    fn the_manual_names_every_kind_with_its_usual_amount() {
        let manual = include_str!("../../../docs/simulator.md");
        for kind in Kind::ALL.into_iter().filter(|k| *k != Kind::Calm) {
            let row = manual.lines().find(|l| l.starts_with(&format!("| `{kind}` |")));
            let usual = row.and_then(|r| r.split('|').nth(4)).unwrap_or("no row").trim();
            let matters = !usual.is_empty();
            assert!(!matters || usual == kind.usual_amount().to_string(), "{kind}: {usual}");
            assert!(matters || (kind.usual_amount() - 1.0).abs() < 1e-9, "{kind} has an amount");
        }
    }
}
