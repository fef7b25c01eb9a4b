//! Deadlocks as SQL Server reports them: who waited for what, who held it, and in which kind of deadlock.
//!
//! It owns the reading of a report (`read`), the cycles in it (`cycle`), its pattern and fingerprint (`pattern`), and its
//! picture in lines (`lines`). Pure: no file, no server, no screen. `command::deadlock` calls it; panes draw what it returns.
//! Every text in it is sanitized: reports come from servers and from files of others.

pub mod cycle;
pub mod lean;
pub mod lines;
pub mod pattern;
mod read;
pub mod session;
#[cfg(test)]
mod tests;

pub use crate::xml::decoded;

use crate::{model::base::time::Timestamp, xml::XmlError};
use serde::Serialize;

/// Bytes of one document of reports.
pub const MAX_BYTES: usize = crate::xml::LIMITS.bytes;

/// Why a text is no report of a deadlock.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DeadlockError {
    /// It is no XML that can be read.
    #[error(transparent)]
    Xml(#[from] XmlError),
    /// It is XML, but has no deadlock in it; the name of its outermost element.
    #[error("it is XML, but no deadlock is in it: it begins with <{0}>")]
    None(String),
}

/// One deadlock.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Deadlock {
    /// When the event was written; a bare graph has no time.
    pub at: Option<Timestamp>,
    /// Who was rolled back: ids of processes. None, one or several.
    pub victims: Vec<String>,
    /// The tasks in it, in the order of the report.
    pub processes: Vec<Process>,
    /// What they held and waited for; each once.
    pub resources: Vec<Resource>,
    /// True if the report ends in the middle of it: tasks and resources may be missing.
    pub is_cut: bool,
}

/// A task of a session.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Process {
    /// Its id in the report.
    pub id: String,
    /// The session.
    pub spid: Option<u64>,
    /// The task within a parallel query.
    pub ecid: Option<u64>,
    /// Its login.
    pub login: String,
    /// Its host.
    pub host: String,
    /// Its program.
    pub program: String,
    /// The database in which it runs, which need not be that of the lock.
    pub database: String,
    /// `read committed`, without the number behind it.
    pub isolation: String,
    /// Deadlock priority.
    pub priority: i64,
    /// Bytes of log that it would have to roll back.
    pub log_used: u64,
    /// How long it waited, in milliseconds.
    pub wait_ms: Option<u64>,
    /// What it waited for, in the server's words.
    pub wait_resource: String,
    /// The kind of its transaction: `user_transaction`, `UPDATE`.
    pub transaction: String,
    /// Its number on the server; none is used twice.
    pub transaction_id: Option<u64>,
    /// Its calls, the innermost first.
    pub frames: Vec<Frame>,
    /// What the client sent.
    pub input: String,
}

/// A call.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Frame {
    /// The procedure, function or trigger; empty for a batch.
    pub module: String,
    /// The line in it.
    pub line: Option<u64>,
    /// The statement; empty where the server no longer had it.
    pub text: String,
    /// `0x…`, on Azure.
    pub query_hash: String,
}

impl Process {
    /// Where it was: the innermost call that is known.
    pub fn place(&self) -> Option<&Frame> {
        self.frames.iter().find(|frame| !frame.module.is_empty()).or_else(|| self.frames.first())
    }

    /// What it ran: the innermost statement that is known, else what the client sent.
    pub fn statement(&self) -> &str {
        let known = self.frames.iter().map(|frame| frame.text.as_str()).find(|text| !text.is_empty());
        known.unwrap_or(&self.input)
    }
}

/// A resource: its owners and those who wait for it.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Resource {
    /// The kind, as the report names it: `keylock`, `exchangeEvent`.
    pub kind: String,
    /// What tells it from others of its kind.
    pub id: String,
    /// `orders.dbo.Order`; empty if unknown.
    pub object: String,
    /// The kind of lock that a transaction stands for, where transactions are locked in place of what they changed. Empty for others.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub under: String,
    /// What else tells which one it is, of kinds that belong to no table: a database, the kind of metadata, the page, what a thread
    /// waits for. Empty for others.
    pub about: String,
    /// The index; empty if unknown.
    pub index: String,
    /// The mode in which it is held, by the report.
    pub mode: String,
    /// Who holds it.
    pub owners: Vec<Holder>,
    /// Who waits for it.
    pub waiters: Vec<Holder>,
}

/// A task and the mode of its lock.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize)]
pub struct Holder {
    /// The id of its process.
    pub process: String,
    /// `S`, `X`, `RangeS-U` …; empty for what has no modes.
    pub mode: String,
    /// True for one that holds a weaker lock of the resource already.
    pub converts: bool,
}

impl Resource {
    /// The kind in words: `key`, `page`, `row of a heap`. An unknown kind is its own name.
    pub fn word(&self) -> &str {
        let known = KINDS.iter().find(|(kind, _)| self.kind.eq_ignore_ascii_case(kind));
        known.map_or(&self.kind, |(_, word)| word)
    }

    /// What it is, in one line: `key of orders.dbo.Order PK_Order`, `database orders`.
    pub fn name(&self) -> String {
        let mut name = self.word().to_owned();
        for (link, part) in [(" of ", &self.object), (" ", &self.index), (" ", &self.about)] {
            if !part.is_empty() {
                name.push_str(link);
                name.push_str(part);
            }
        }
        name
    }

    /// True for a resource of this kind, or for a transaction that stands for one.
    pub fn is(&self, kind: &str) -> bool {
        self.kind.eq_ignore_ascii_case(kind) || self.under.eq_ignore_ascii_case(kind)
    }
}

/// The kinds of resources that reports have, and their words.
const KINDS: [(&str, &str); 16] = [
    ("keylock", "key"),
    ("pagelock", "page"),
    ("ridlock", "row"),
    ("objectlock", "table"),
    ("hobtlock", "heap or index"),
    ("allocunitlock", "allocation unit"),
    ("extentlock", "extent"),
    ("filelock", "file"),
    ("databaselock", "database"),
    ("applicationlock", "application lock"),
    ("metadatalock", "metadata"),
    ("xactlock", "transaction"),
    ("exchangeEvent", "exchange"),
    ("SyncPoint", "exchange"),
    ("threadpool", "worker thread"),
    ("waitfor", "WAITFOR"),
];
