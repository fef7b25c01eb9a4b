//! Requests to the history service, and the figures of its store.

use crate::model::{
    base::time::Timestamp,
    inventory::instance::InstanceId,
    timeline::{
        chart::{ChartData, ChartQuery, Mark},
        forecast::Outlook,
        gathered::Gathered,
        reach, spent,
    },
};
use std::sync::Arc;

/// A question about the past, or a note to be written into it. [`crate::protocol::Reply::NoHistory`] may answer any of them.
pub enum HistoryRequest {
    /// the fleet as it was. Answered by [`crate::protocol::Reply::Past`]. There is one such question at a time
    At {
        /// comes back with the answer
        ticket: u64,
        /// when
        at: Timestamp,
    },
    /// what a pane draws of the past. Answered by [`crate::protocol::Reply::Answer`]
    Ask {
        /// comes back with the answer
        ticket: u64,
        /// what
        query: Query,
    },
    /// instances as they were, to be compared with what is on the screen, which stays. Answered by [`crate::protocol::Reply::Compared`]
    Compare {
        /// comes back with the answer
        ticket: u64,
        /// when
        at: Timestamp,
        /// which
        instances: Vec<InstanceId>,
    },
    /// put a bookmark on the time line. Answered by [`crate::protocol::Reply::Bookmarked`]
    Bookmark {
        /// when
        at: Timestamp,
        /// what for
        note: String,
        /// for these; none named: for the whole fleet
        instances: Vec<InstanceId>,
    },
    /// all bookmarks and incidents. Answered by [`Answer::Marks`]
    Bookmarks {
        /// comes back with the answer
        ticket: u64,
    },
    /// keep what the flight recorder holds of these, and the minutes to come, as an incident
    Freeze(Vec<InstanceId>),
    /// how fast the store grows. Answered by [`crate::protocol::Reply::Growth`], some seconds later if it is large
    Growth,
}

impl HistoryRequest {
    /// The ticket of a question.
    pub const fn ticket(&self) -> Option<u64> {
        match self {
            Self::At { ticket, .. }
            | Self::Ask { ticket, .. }
            | Self::Bookmarks { ticket }
            | Self::Compare { ticket, .. } => Some(*ticket),
            Self::Bookmark { .. } | Self::Freeze(_) | Self::Growth => None,
        }
    }
}

/// A question of a pane. The screen asks it once, keeps the answer by it, and asks for no other thing in between: two that are
/// equal have the same answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Query {
    /// series over a longer time. Answered by [`Answer::Chart`]
    Chart(ChartQuery),
    /// events of an instance. Answered by [`Answer::Marks`]
    Marks {
        /// whose; those of the whole fleet are among them
        instance: InstanceId,
        /// those that end later than this, or have not ended
        from: Timestamp,
        /// those that begin before this
        to: Timestamp,
    },
    /// when an instance was not reachable. Answered by [`Answer::Reach`]
    Reach {
        /// whose
        instance: InstanceId,
        /// what ends later than this
        from: Timestamp,
        /// what begins before this
        to: Timestamp,
    },
    /// when volumes are full, by what was in use of them day by day. Answered by [`Answer::Outlooks`]
    Outlooks {
        /// which, by their instances and mount points
        of: Vec<(InstanceId, Arc<str>)>,
        /// the end of the last day
        to: Timestamp,
    },
    /// what requests of these instances did. Answered by [`Answer::Samples`] as it is read, the newest first: several times
    Samples {
        /// whose
        instances: Arc<[InstanceId]>,
        /// first instant
        from: Timestamp,
        /// end
        to: Timestamp,
        /// length of a slot, ms
        slot_ms: i64,
    },
    /// what the queries of these instances cost. Answered by [`Answer::Spent`] as it is read, the newest first: several times
    Spent {
        /// whose
        instances: Arc<[InstanceId]>,
        /// first instant
        from: Timestamp,
        /// end
        to: Timestamp,
    },
}

/// The answer to a [`Query`].
#[derive(Debug, Clone, PartialEq)]
pub enum Answer {
    /// when each volume is full, in the order in which they were asked for
    Outlooks(Vec<Outlook>),
    /// the series
    Chart(ChartData),
    /// events in the order of time
    Marks(Vec<Mark>),
    /// outages, and what is known of that time
    Reach(reach::Facts),
    /// what was seen at work, so far
    Samples(Arc<Gathered>),
    /// what queries cost, as far as it was read
    Spent(Arc<spent::Told>),
}

impl Answer {
    /// More of it comes.
    pub fn is_partial(&self) -> bool {
        match self {
            Self::Samples(gathered) => gathered.read_pct < 100,
            Self::Spent(told) => told.read_pct < 100,
            _ => false,
        }
    }
}

/// The figures of the store, for F12.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct StoreNow {
    /// things written in the last second
    pub rows_per_s: f64,
    /// numbers for charts in them
    pub points_per_s: f64,
    /// the newest commit; None: none yet
    pub committed_at: Option<Timestamp>,
    /// things that wait for the disk
    pub backlog: u64,
    /// things lost since the start because the disk failed for too long
    pub lost: u64,
    /// the files, bytes
    pub size_bytes: u64,
    /// their cap, bytes; 0: not known
    pub max_bytes: u64,
}

impl StoreNow {
    /// Days until the cap, if each adds `growth_bytes` and nothing becomes too old. None: it does not grow, or there is no cap.
    pub fn days_left(&self, growth_bytes: u64) -> Option<f64> {
        let left = self.max_bytes.saturating_sub(self.size_bytes) as f64;
        (growth_bytes > 0 && self.max_bytes > 0).then(|| left / growth_bytes as f64)
    }
}
