//! The questions and answers of a history as data: the options of an engine, the results of a reader. Another engine than
//! `sqlite` would have the same ones. Nothing here knows how a history is kept.

use super::codec::rollup::Tier;
use crate::model::{
    base::time::Timestamp,
    inventory::instance::InstanceId,
    timeline::{
        chart::{ChartLine, MarkKind},
        history::History,
        record::Record,
    },
};
use std::sync::Arc;

/// How history is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Options {
    /// points as they were measured, days
    pub raw_days: u32,
    /// states, which every pane needs, days
    pub state_days: u32,
    /// roll-ups of 5 minutes, days
    pub five_min_days: u32,
    /// roll-ups of an hour, days
    pub hour_days: u32,
    /// roll-ups of a day, days
    pub day_days: u32,
    /// events, days
    pub events_days: u32,
    /// the file is never larger, bytes: the oldest readings and points go first
    pub max_bytes: u64,
    /// readings that wait for the disk take about so many bytes at most
    pub backlog_bytes: usize,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            raw_days: 30,
            state_days: 14,
            five_min_days: 90,
            hour_days: 400,
            day_days: 1825,
            events_days: 400,
            max_bytes: 20 << 30,
            backlog_bytes: 64 << 20,
        }
    }
}

/// The result of a commit.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Committed {
    /// readings
    pub rows: u64,
    /// points of these readings
    pub points: u64,
}

/// The result of sealing.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct SealedNow {
    /// state blocks written
    pub blocks: u64,
    /// chunks written
    pub chunks: u64,
    /// the budget ran out: call it again
    pub more: bool,
}

/// The result of cleaning up.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Cleaned {
    /// rows deleted because of their age
    pub old: u64,
    /// rows deleted because of the cap
    pub evicted: u64,
    /// the budget ran out: call it again
    pub more: bool,
}

/// States or readings, and the parts that cannot be read.
#[derive(Debug, Default)]
pub struct Past {
    /// in the order of time for each instance
    pub kept: Vec<Record>,
    /// the damaged parts, in words: they are missing above
    pub damaged: Vec<String>,
}

/// Readings since a cursor.
#[derive(Debug, Default)]
pub struct Followed {
    /// in the order in which they were written
    pub kept: Vec<Record>,
    /// the cursor for the next call
    pub cursor: i64,
    /// some are sealed already: build the screen anew from [`States::at`](super::States::at)
    pub missed: bool,
    /// there are more: call it again at once
    pub more: bool,
}

/// One series of a chart, and the source of its figures.
#[derive(Debug, Clone, PartialEq)]
pub struct Drawn {
    /// the buckets that the screen draws
    pub line: ChartLine,
    /// the roll-up; None: as measured
    pub tier: Option<Tier>,
    /// chunks, roll-ups or rows that could not be read: their time is a gap
    pub damaged: u32,
}

impl Drawn {
    /// The source of its figures, in words.
    pub const fn tier_words(&self) -> &'static str {
        match self.tier {
            None => "as measured",
            Some(Tier::FiveMinutes) => "min, avg, max of 5 min",
            Some(Tier::Hour) => "min, avg, max of 1 h",
            Some(Tier::Day) => "min, avg, max of 1 day",
        }
    }
}

/// Which series of the quarter of an hour before the instant are wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Recent {
    /// those that the fleet list and the verdicts need
    OfTheList,
    /// every one: takes about ten times as long
    All,
}

/// A part of the fleet at an instant.
#[derive(Debug)]
pub struct Remembered {
    /// its states
    pub past: Past,
    /// the series of the quarter of an hour before
    pub histories: Vec<(InstanceId, History)>,
}

/// Which events are wanted; the default is all of them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct EventFilter {
    /// of these instances, and of the whole fleet; empty: of all
    pub uids: Vec<Arc<str>>,
    /// of these kinds; empty: of all
    pub kinds: Vec<MarkKind>,
}

/// The part of a history that is copied.
#[derive(Debug, Clone)]
pub struct Stretch {
    /// uids; empty: all
    pub uids: Vec<Arc<str>>,
    /// from
    pub from: Timestamp,
    /// and until
    pub to: Timestamp,
}

/// The result of a copy.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Copied {
    /// instances
    pub instances: u64,
    /// readings of them
    pub readings: u64,
    /// events
    pub events: u64,
    /// the parts that cannot be read and are missing, in words
    pub damaged: Vec<String>,
    /// instances that were left out: the target has readings of them at that time already
    pub left_out: Vec<String>,
}

/// One kind of row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TierStats {
    /// such as `points as measured`
    pub name: &'static str,
    /// rows
    pub rows: u64,
    /// their contents: readings or points; buckets are not counted
    pub items: Option<u64>,
    /// bytes of their contents
    pub bytes: u64,
    /// the time of the oldest contents
    pub oldest: Option<Timestamp>,
    /// the time of the newest contents
    pub newest: Option<Timestamp>,
}

/// A whole history.
#[derive(Debug, Clone, PartialEq)]
pub struct StoreStats {
    /// instances
    pub instances: u64,
    /// series
    pub series: u64,
    /// by kind
    pub tiers: Vec<TierStats>,
    /// the file, bytes
    pub file_bytes: u64,
    /// the free part of it, bytes
    pub free_bytes: u64,
    /// points that are kept as they were measured
    pub points: u64,
    /// bytes of a point in sealed chunks; None: there are none
    pub bytes_a_point: Option<f64>,
    /// bytes that the newest day added; None: there is no whole day yet
    pub growth_a_day_bytes: Option<u64>,
    /// the tables' version
    pub version: u32,
    /// names, readings, texts and events are sealed
    pub sealed: bool,
}

impl StoreStats {
    /// Days until the file reaches `max_bytes` if it grows as it did and nothing became too old; None: it does not grow.
    pub fn days_until(&self, max_bytes: u64) -> Option<f64> {
        let growth = self.growth_a_day_bytes.filter(|growth| *growth > 0)?;
        let used = self.file_bytes.saturating_sub(self.free_bytes);
        Some(max_bytes.saturating_sub(used) as f64 / growth as f64)
    }
}

/// The result of a check.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Checked {
    /// rows that were read
    pub rows: u64,
    /// the number of problems
    pub problems: u64,
    /// the first of them, in words
    pub words: Vec<String>,
}
