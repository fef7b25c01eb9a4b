//! Sessions, requests and their texts, as the activity and blocking probes see them. Names and texts in here are
//! already sanitized: `probe` does it while decoding.

use super::time::Timestamp;
use serde::{Deserialize, Serialize};
use std::{
    hash::{DefaultHasher, Hash, Hasher},
    sync::Arc,
};

/// Identity of a text: a hash of its content. History keeps a text once, whoever ran it.
///
/// Two `SipHash`es of the standard library, which does not promise the same ones for ever: if they change, texts are kept
/// once more, no more harm is done.
/// In files by position: fields are only appended, each with a default; variants keep their names.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct TextId(pub u64, pub u64);

/// A statement's text, fetched once per handle and shared by all rows that run it. Serialized it is its identity alone:
/// whoever keeps rows keeps their texts apart.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "TextId", into = "TextId")]
pub struct SqlText {
    id: TextId,
    /// the whole batch or module, control characters removed (newline and tab stay), cut at the probe's cap
    pub batch: Arc<str>,
    /// length on the server in characters, if longer than what is here
    pub full_chars: Option<u64>,
    /// object id, if it belongs to a module
    pub object_id: Option<i32>,
    /// the module is encrypted: no text
    pub encrypted: bool,
}

impl SqlText {
    /// A text; see the fields.
    pub fn new(batch: Arc<str>, full_chars: Option<u64>, object_id: Option<i32>, encrypted: bool) -> Self {
        let half = |seed: u8| {
            let mut hasher = DefaultHasher::new();
            (seed, &*batch, full_chars, object_id, encrypted).hash(&mut hasher);
            hasher.finish()
        };
        Self { id: TextId(half(0), half(1)), batch, full_chars, object_id, encrypted }
    }

    /// What it is kept under.
    pub const fn id(&self) -> TextId {
        self.id
    }

    /// True for a text of which only the identity was read so far.
    pub fn is_lost(&self) -> bool {
        self.batch.is_empty() && *self == Self::from(self.id)
    }
}

impl From<TextId> for SqlText {
    fn from(id: TextId) -> Self {
        Self { id, batch: Arc::from(""), full_chars: None, object_id: None, encrypted: false }
    }
}

impl From<SqlText> for TextId {
    fn from(text: SqlText) -> Self {
        text.id
    }
}

/// The statement within a batch: byte range into [`SqlText::batch`], already on character borders.
/// In files by position: fields are only appended, each with a default; variants keep their names.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Statement {
    /// the batch
    pub text: Arc<SqlText>,
    /// start byte
    pub start: usize,
    /// end byte, exclusive
    pub end: usize,
}

impl Statement {
    /// The statement alone; empty if the range is off.
    pub fn as_str(&self) -> &str {
        self.text.batch.get(self.start..self.end).unwrap_or("")
    }
}

/// Memory grant of a request.
/// In files by position: fields are only appended, each with a default; variants keep their names.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Grant {
    /// requested KB
    pub requested_kb: Option<i64>,
    /// granted KB; None while queueing
    pub granted_kb: Option<i64>,
    /// used KB
    pub used_kb: Option<i64>,
    /// waiting for it, ms
    pub waited_ms: Option<i64>,
}

/// One running request of a user session, or a sleeping session that holds a transaction (then `command` is None).
/// In files by position: fields are only appended, each with a default; variants keep their names.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Request {
    /// session id
    pub session_id: i32,
    /// request id within the session (MARS)
    pub request_id: Option<i32>,
    /// `running`, `suspended`, `runnable`, `sleeping` …
    pub status: Option<Arc<str>>,
    /// `SELECT`, `BACKUP DATABASE` …
    pub command: Option<Arc<str>>,
    /// database name, or `db 7` if the name is hidden from us
    pub database: Option<Arc<str>>,
    /// login
    pub login: Option<Arc<str>>,
    /// client host
    pub host: Option<Arc<str>>,
    /// client program; Agent jobs decoded into `job`
    pub program: Option<Arc<str>>,
    /// client address
    pub address: Option<Arc<str>>,
    /// Agent job step, such as `job 6F9619FF-… step 2`, decoded from the program name
    pub job: Option<Arc<str>>,
    /// start of the session (identity: session ids are reused)
    pub login_at: Option<Timestamp>,
    /// start of the request; for a sleeper the end of its last one
    pub started_at: Option<Timestamp>,
    /// elapsed time of the request, ms; for a sleeper the time since its last request
    pub elapsed_ms: Option<i64>,
    /// CPU ms so far
    pub cpu_ms: Option<i64>,
    /// logical reads, pages
    pub logical_reads: Option<i64>,
    /// physical reads, pages
    pub reads: Option<i64>,
    /// writes, pages
    pub writes: Option<i64>,
    /// rows returned
    pub rows: Option<i64>,
    /// wait now
    pub wait_type: Option<Arc<str>>,
    /// for how long, ms
    pub wait_ms: Option<i64>,
    /// the wait before
    pub last_wait_type: Option<Arc<str>>,
    /// raw wait resource
    pub wait_resource: Option<Arc<str>>,
    /// tasks of this request that wait
    pub waiting_tasks: Option<i32>,
    /// who blocks it (negative ids: see [`crate::model::session::special_blocker`])
    pub blocked_by: Option<i32>,
    /// how many it blocks, directly or not (filled by the fold)
    pub blocks: u32,
    /// memory grant
    pub grant: Option<Grant>,
    /// degree of parallelism
    pub dop: Option<i32>,
    /// open transactions
    pub open_transactions: Option<i32>,
    /// start of the oldest transaction
    pub transaction_at: Option<Timestamp>,
    /// log bytes of its transactions
    pub log_bytes: Option<i64>,
    /// isolation level in words
    pub isolation: Option<Arc<str>>,
    /// percent complete, only for commands that report it
    pub percent: Option<f64>,
    /// estimated completion, ms
    pub eta_ms: Option<i64>,
    /// tempdb pages allocated so far by session and tasks
    pub tempdb_alloc_pages: Option<i64>,
    /// tempdb pages held now
    pub tempdb_now_pages: Option<i64>,
    /// query hash
    pub query_hash: Option<u64>,
    /// the statement; None until its text came or if there is none
    pub statement: Option<Statement>,
    /// CPU ms since the previous poll of the same request (filled by the fold)
    pub cpu_delta_ms: Option<i64>,
    /// logical reads since the previous poll (filled by the fold)
    pub reads_delta: Option<i64>,
}

/// What a negative blocking session id means (documented values of `blocking_session_id`).
pub const fn special_blocker(id: i32) -> Option<&'static str> {
    match id {
        -2 => Some("orphaned distributed transaction"),
        -3 => Some("deferred recovery transaction"),
        -4 => Some("latch owner in transition"),
        -5 => Some("latch owner not tracked"),
        _ => None,
    }
}

/// Sessions by state, for the header of the activity pane.
/// In files by position: fields are only appended, each with a default; variants keep their names.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct SessionCounts {
    /// user sessions
    pub total: Option<i64>,
    /// running or with a request
    pub active: Option<i64>,
    /// sleeping
    pub sleeping: Option<i64>,
    /// sleeping with an open transaction
    pub sleeping_open: Option<i64>,
}

/// One poll of the activity of an instance.
/// In files by position: fields are only appended, each with a default; variants keep their names.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Activity {
    /// requests, longest first
    pub requests: Vec<Request>,
    /// session counts
    pub sessions: SessionCounts,
    /// true when the login sees only its own session (no VIEW SERVER STATE and no error from the server)
    pub only_own: bool,
    /// rows beyond the probe's cap that were left out
    pub left_out: u32,
}

/// The lock or page that someone waits for, decoded from the raw resource.
/// In files by position: fields are only appended, each with a default; variants keep their names.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Resource {
    /// `KEY`, `PAGE`, `RID`, `OBJECT`, `DATABASE`, `METADATA`, `APPLICATION`, `latch` …
    pub kind: Arc<str>,
    /// database name or `db 7`
    pub database: Option<Arc<str>>,
    /// schema.object.index where resolved, else ids
    pub object: Option<Arc<str>>,
    /// key hash, file:page:slot, or other rest
    pub detail: Option<Arc<str>>,
    /// lock mode that the owner holds, if the server tells it
    pub held_mode: Option<Arc<str>>,
    /// what to ask the server for to learn the object's name, on demand
    pub target: Option<ResourceTarget>,
}

/// The ids behind a [`Resource`].
/// In files by position: fields are only appended, each with a default; variants keep their names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum ResourceTarget {
    /// a table, view or procedure
    Object {
        /// database
        database_id: i64,
        /// object
        object_id: i64,
    },
    /// an index or heap, or a partition of it
    Hobt {
        /// database
        database_id: i64,
        /// heap or B-tree
        hobt_id: i64,
    },
    /// a page
    Page {
        /// database
        database_id: i64,
        /// file
        file_id: i64,
        /// page
        page_id: i64,
    },
}
