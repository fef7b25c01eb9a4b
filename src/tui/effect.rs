//! What the screen asks of the rest of the program, and what comes back. `command` carries effects out.
//!
//! Polling is asked for directly ([`Effect::Focus`], [`Effect::Refresh`]). Everything about the inventory is a
//! [`Request`] to its keeper, who alone has the keys: the screen holds no record but the one in the open form, and of its
//! passwords only what was just typed. Questions about the past are [`Request`]s, too; each has a ticket that comes back
//! with the answer, and an answer to a question that is not open any more is dropped.

use crate::model::{
    base::{failure::Failure, secret::Secret, time::Timestamp},
    fold::snapshot::FleetSnapshot,
    inventory::{
        check::ConnectionReport,
        doctor::Diagnosis,
        instance::InstanceId,
        record::{BulkChange, InstanceRecord, Slug},
    },
    judge::health::Level,
    timeline::chart::{ChartData, ChartQuery, Mark},
};
use std::sync::Arc;

/// A wish of the screen. The channel holds [`EFFECTS`]; when it is full, [`Effect::Focus`] is sent again with the next
/// frame (only the newest one matters) and the others are dropped with a word to the user.
pub enum Effect {
    /// these instances are being looked at: poll them fast, all others at fleet pace
    Focus(Vec<InstanceId>),
    /// poll these instances now
    Refresh(Vec<InstanceId>),
    /// something about the inventory or its history
    Ask(Box<Request>),
}

/// A wish to the keeper of the inventory, or to history.
pub enum Request {
    /// open the vault: with a passphrase, or with what needs no question
    Unlock(Option<Secret>),
    /// make the first vault, which this passphrase opens
    CreateVault(Secret),
    /// forget the keys; polling goes on
    Lock,
    /// the answer to [`Reply::Password`]; None: it is not given
    Password(Option<Secret>),
    /// what a form needs: of these instances, or for a new one
    Form(Vec<InstanceId>),
    /// try a connection
    Test {
        /// comes back with the answer
        ticket: u64,
        /// how to connect. Secrets that are stored and empty are those of `of`
        record: Box<InstanceRecord>,
        /// which instance is edited; None: it is new
        of: Option<InstanceId>,
    },
    /// the test is not wanted any more
    StopTest,
    /// save an instance
    Save {
        /// as it shall be. Secrets that are stored and empty stay as they are
        record: Box<InstanceRecord>,
        /// which instance this is, and its revision when the form was opened; None: it is new
        of: Option<(InstanceId, u64)>,
    },
    /// change many at once
    Bulk {
        /// which ones
        ids: Vec<InstanceId>,
        /// how
        change: Box<BulkChange>,
    },
    /// take these out of the inventory; `dbtop instance restore` brings them back
    Remove(Vec<InstanceId>),
    /// which tenants there are
    Tenants,
    /// watch another tenant
    Switch(Slug),
    /// what the logins of these instances may not see; none named: of all
    Doctor(Vec<InstanceId>),
    /// the doctor is not wanted any more
    StopDoctor,
    /// the fleet as it was. Answered by [`Reply::Past`] or [`Reply::NoHistory`]. There is one such question at a time
    At {
        /// comes back with the answer
        ticket: u64,
        /// when
        at: Timestamp,
    },
    /// the screen shows the present again
    Live,
    /// series over a longer time. Answered by [`Reply::Chart`] or [`Reply::NoHistory`]
    Chart {
        /// comes back with the answer
        ticket: u64,
        /// what
        query: ChartQuery,
    },
    /// events. Answered by [`Reply::Marks`] or [`Reply::NoHistory`]
    Marks {
        /// comes back with the answer
        ticket: u64,
        /// those that end later than this, or have not ended
        from: Timestamp,
        /// those that begin before this
        to: Timestamp,
        /// of these; none named: of the whole fleet
        instances: Vec<InstanceId>,
    },
    /// instances as they were, to be compared with what is on the screen, which stays. Answered by [`Reply::Compared`] or
    /// [`Reply::NoHistory`]
    Compare {
        /// comes back with the answer
        ticket: u64,
        /// when
        at: Timestamp,
        /// which
        instances: Vec<InstanceId>,
    },
    /// put a bookmark on the time line. Answered by [`Reply::Bookmarked`] or [`Reply::NoHistory`]
    Bookmark {
        /// when
        at: Timestamp,
        /// what for
        note: String,
        /// for these; none named: for the whole fleet
        instances: Vec<InstanceId>,
    },
    /// all bookmarks and incidents. Answered by [`Reply::Marks`] or [`Reply::NoHistory`]
    Bookmarks {
        /// comes back with the answer
        ticket: u64,
    },
    /// keep what the flight recorder holds of these, and the minutes to come, as an incident
    Freeze(Vec<InstanceId>),
    /// how fast the store grows. Answered by [`Reply::Growth`], some seconds later if it is large
    Growth,
}

impl Request {
    /// True for questions about the past: they are answered by history, not by the keeper.
    pub const fn is_history(&self) -> bool {
        matches!(
            self,
            Self::At { .. }
                | Self::Live
                | Self::Chart { .. }
                | Self::Marks { .. }
                | Self::Compare { .. }
                | Self::Bookmark { .. }
                | Self::Bookmarks { .. }
                | Self::Freeze(_)
                | Self::Growth
        )
    }

    /// The ticket of a question about the past.
    pub const fn ticket(&self) -> Option<u64> {
        match self {
            Self::At { ticket, .. }
            | Self::Chart { ticket, .. }
            | Self::Marks { ticket, .. }
            | Self::Bookmarks { ticket }
            | Self::Compare { ticket, .. } => Some(*ticket),
            _ => None,
        }
    }
}

/// How the inventory stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum VaultState {
    /// there is none to keep: a demo, or a file that is written by hand
    Plain,
    /// no tenant was made yet
    Absent,
    /// there are several, and none was named
    Choose,
    /// being opened
    Opening,
    /// its keys are not in memory
    Locked {
        /// a passphrase opens it; else what opened it before
        by_passphrase: bool,
        /// why it is not open, where that needs a word: a wrong passphrase, a damaged header
        why: Option<String>,
    },
    /// its keys are in memory
    Open,
}

/// A line of the list of tenants.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TenantLine {
    /// its name
    pub slug: Slug,
    /// `open`, `locked`, `suspended`, or what is wrong with it
    pub state: String,
    /// it can be switched to
    pub usable: bool,
}

/// What a form needs to know.
#[derive(Clone, Default)]
pub struct FormData {
    /// the instances asked for, each with its revision; stored passwords are empty
    pub of: Vec<(InstanceRecord, u64)>,
    /// all names that are taken
    pub names: Vec<String>,
    /// all groups
    pub groups: Vec<String>,
    /// all labels, as `key=value`
    pub labels: Vec<String>,
}

/// Why something was not saved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// the field to mend, as [`crate::model::inventory::record::RecordError`] names it
    pub field: Option<&'static str>,
    /// why
    pub words: String,
}

/// An answer for the user.
pub enum Reply {
    /// one line, shown above the footer for some seconds
    Message {
        /// colours it
        level: Level,
        /// the line
        text: String,
    },
    /// sentences that must be read: damaged records, instances left out
    Notes(Vec<String>),
    /// how the vault stands now, and whose it is
    Vault {
        /// first crumb: the tenant, `demo`, a file's name
        tenant: String,
        /// how it stands
        state: VaultState,
    },
    /// a password or token is to be typed
    Password {
        /// whose: `dbtop (sql)`
        who: String,
        /// the first instance that wants it
        wanted_by: InstanceId,
    },
    /// see [`Request::Form`]
    Form(Box<FormData>),
    /// see [`Request::Test`]
    Tested {
        /// of which test
        ticket: u64,
        /// the connection, step by step
        report: Box<ConnectionReport>,
        /// None: it was not reached
        rights: Option<Result<Diagnosis, Failure>>,
    },
    /// a save, a bulk change or a removal was carried out, or why not
    Saved(Result<String, Refusal>),
    /// see [`Request::Tenants`]
    Tenants(Vec<TenantLine>),
    /// the doctor has examined one more
    Examined {
        /// which one
        instance: InstanceId,
        /// what was found
        rights: Result<Diagnosis, Failure>,
        /// so many are left
        left: usize,
    },
    /// see [`Request::At`]
    Past {
        /// of which question
        ticket: u64,
        /// the fleet at that instant, its sparklines' minutes before it included
        snapshot: Arc<FleetSnapshot>,
        /// that instant
        at: Timestamp,
        /// the first and the last instant that history knows
        oldest: Timestamp,
        /// see `oldest`
        newest: Timestamp,
        /// what is missing because the file is damaged there: `15 min of sqlprd-014`
        damaged: Vec<String>,
    },
    /// see [`Request::Chart`]
    Chart {
        /// of which question
        ticket: u64,
        /// the series
        data: ChartData,
    },
    /// see [`Request::Marks`]
    Marks {
        /// of which question
        ticket: u64,
        /// in the order of time
        marks: Vec<Mark>,
    },
    /// see [`Request::Compare`]
    Compared {
        /// of which question
        ticket: u64,
        /// the instances as they were
        snapshot: Arc<FleetSnapshot>,
    },
    /// see [`Request::Bookmark`]
    Bookmarked(Mark),
    /// a question about the past cannot be answered
    NoHistory {
        /// of which question; None: it had no ticket
        ticket: Option<u64>,
        /// why, in words
        why: String,
    },
    /// who polls, if it is another process: `attached · collector pid 4711, 500/500`; None: this one
    Collector(Option<String>),
    /// what history suffers from, in two words (`disk full`), for as long as nothing is kept; None: it is kept
    Store(Option<&'static str>),
    /// what the store does, every second, whoever writes it; None: nothing is kept, or nobody says
    Stored(Option<StoreNow>),
    /// what the newest whole day added to the store, bytes; None: there is none yet
    Growth(Option<u64>),
}

/// What the store does, for F12.
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
    /// things lost since the start, for the disk failed for too long
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

/// Capacity that the channel of effects should have: more wishes than a person has between two frames.
pub const EFFECTS: usize = 16;

/// Capacity that the channel of replies should have; a sender waits when it is full.
pub const REPLIES: usize = 64;
