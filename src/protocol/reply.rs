//! Replies: answers to requests, and news that nobody asked for.

use super::{
    DemandWord, List,
    history::{Answer, StoreNow},
    inventory::{FormData, Refusal, VaultState},
    settings::Settings,
};

use crate::model::{
    base::{failure::Failure, time::Timestamp},
    fold::snapshot::FleetSnapshot,
    inventory::{check::ConnectionReport, doctor::Diagnosis, instance::InstanceId},
    judge::health::Level,
    timeline::chart::Mark,
};
use std::sync::Arc;

/// A reply to the screen.
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
    /// see [`crate::protocol::InventoryRequest::Form`]
    Form(Box<FormData>),
    /// see [`crate::protocol::InventoryRequest::Test`]
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
    /// see [`crate::protocol::InventoryRequest::List`]
    List(List),
    /// see [`crate::protocol::InventoryRequest::Settings`]
    Settings(Box<Settings>),
    /// the doctor has examined one more
    Examined {
        /// which one
        instance: InstanceId,
        /// what was found
        rights: Result<Diagnosis, Failure>,
        /// so many are left
        left: usize,
    },
    /// see [`crate::protocol::HistoryRequest::At`]
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
    /// see [`crate::protocol::HistoryRequest::Ask`] and [`crate::protocol::HistoryRequest::Bookmarks`]
    Answer {
        /// of which question
        ticket: u64,
        /// it
        answer: Answer,
    },
    /// see [`crate::protocol::HistoryRequest::Compare`]
    Compared {
        /// of which question
        ticket: u64,
        /// the instances as they were
        snapshot: Arc<FleetSnapshot>,
    },
    /// see [`crate::protocol::DemandRequest::Ask`]
    Demanded {
        /// of which question
        ticket: u64,
        /// what is told of it
        word: DemandWord,
    },
    /// see [`crate::protocol::HistoryRequest::Bookmark`]
    Bookmarked(Mark),
    /// a question about the past cannot be answered
    NoHistory {
        /// of which question; None: it had no ticket
        ticket: Option<u64>,
        /// why, in words
        why: String,
    },
    /// the polling process, if it is another one: `attached · collector pid 4711, 500/500`; None: this one
    Collector(Option<String>),
    /// the trouble of history in two words (`disk full`), for as long as nothing is kept; None: it is kept
    Store(Option<&'static str>),
    /// what the store does, every second, whoever writes it; None: nothing is kept, or nobody says
    Stored(Option<StoreNow>),
    /// what the newest whole day added to the store, bytes; None: there is none yet
    Growth(Option<u64>),
}
