//! Names of what is on the screen: which pane, which row. Plain values that everything in `tui` may use; nothing in here
//! knows how a pane or a row looks. A pane is one row here and one line in `tui/pane/mod.rs`, where it is made.

use crate::model::{
    base::time::Timestamp, inventory::instance::InstanceId, judge::health::Topic,
    poll::wait_class::WaitCategory,
};
use std::sync::Arc;

/// What panes are about; an empty `:` lists them by it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Subject {
    /// instances and their health
    Fleet,
    /// what runs, waits and blocks
    Sessions,
    /// memory, databases, files
    Resources,
    /// what is watched, and how
    Inventory,
}

impl Subject {
    /// All, in the order of that list.
    pub const ALL: [Self; 4] = [Self::Fleet, Self::Sessions, Self::Resources, Self::Inventory];

    /// Its name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Fleet => "fleet",
            Self::Sessions => "sessions",
            Self::Resources => "resources",
            Self::Inventory => "inventory",
        }
    }
}

/// Everything about a pane outside of its own file.
#[derive(Debug, Clone, Copy)]
pub struct PaneRow {
    /// name in tabs, titles and the palette
    pub name: &'static str,
    /// the key that opens it; None: it has none of its own
    pub key: Option<&'static str>,
    /// what that key does: one line, no final stop
    pub help: &'static str,
    /// what it is about
    pub subject: Subject,
    /// its word behind `:`, and other words for it
    pub word: Option<(&'static str, &'static str)>,
    /// its rows are parts of instances: it has the keys of `Context::Parts`
    pub has_parts: bool,
    /// it has charts over a time line: it has the keys of `Context::Charts`
    pub has_charts: bool,
    /// its rows are things of the inventory: it has the keys of `Context::Records`
    pub has_records: bool,
}

/// Makes the type, the list and the rows of the same text, so that no pane can lack one.
macro_rules! panes {
    ($($(#[$doc:meta])* $pane:ident $row:tt)*) => {
        /// The panes.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum PaneId {
            $($(#[$doc])* $pane,)*
        }

        impl PaneId {
            /// All, in the order of the help; tabs are in this order, too.
            pub const ALL: [Self; [$(Self::$pane),*].len()] = [$(Self::$pane),*];

            /// Its row.
            pub const fn row(self) -> PaneRow {
                match self {
                    $(Self::$pane => PaneRow $row,)*
                }
            }
        }
    };
}

panes! {
    /// all instances in scope
    Fleet {
        name: "Fleet",
        key: Some("1"),
        help: "Fleet, or the instance in scope",
        subject: Subject::Fleet,
        word: Some(("fleet", "all instances")),
        has_parts: false,
        has_charts: false,
        has_records: false,
    }
    /// one instance: takes the place of the fleet while it is in scope
    Instance { name: "Instance", key: None, help: "", subject: Subject::Fleet, word: None, has_parts: false, has_charts: true, has_records: false }
    /// active requests
    Activity {
        name: "Activity",
        key: Some("2"),
        help: "Activity: what runs now",
        subject: Subject::Sessions,
        word: Some(("activity", "what runs now")),
        has_parts: true,
        has_charts: false,
        has_records: false,
    }
    /// wait statistics
    Waits {
        name: "Waits",
        key: Some("3"),
        help: "Waits: what is waited for",
        subject: Subject::Sessions,
        word: Some(("waits", "what is waited for")),
        has_parts: true,
        has_charts: true,
        has_records: false,
    }
    /// blocking chains
    Blocking {
        name: "Blocking",
        key: Some("4"),
        help: "Blocking: who blocks whom",
        subject: Subject::Sessions,
        word: Some(("blocking", "who blocks whom")),
        has_parts: true,
        has_charts: false,
        has_records: false,
    }
    /// deadlocks
    Deadlocks {
        name: "Deadlocks",
        key: None,
        help: "",
        subject: Subject::Sessions,
        word: Some(("deadlocks", "which deadlocks recur, and their pictures")),
        has_parts: true,
        has_charts: true,
        has_records: false,
    }
    /// queries of the plan cache
    Queries {
        name: "Queries",
        key: Some("5"),
        help: "Queries: which query costs what",
        subject: Subject::Sessions,
        word: Some(("queries", "which query costs what: CPU, time, reads, plans")),
        has_parts: true,
        has_charts: true,
        has_records: false,
    }
    /// procedures, triggers and functions
    Modules {
        name: "Modules",
        key: None,
        help: "",
        subject: Subject::Sessions,
        word: Some(("modules", "which procedure, trigger or function costs what")),
        has_parts: true,
        has_charts: false,
        has_records: false,
    }
    /// what Query Store recorded
    QueryStore {
        name: "Query Store",
        key: None,
        help: "",
        subject: Subject::Sessions,
        word: Some(("querystore", "queries that regressed, vary, have forced plans; how full stores are")),
        has_parts: true,
        has_charts: false,
        has_records: false,
    }
    /// database files
    Storage {
        name: "Storage",
        key: Some("6"),
        help: "Storage: how fast files are read and written",
        subject: Subject::Resources,
        word: Some(("storage", "how fast files are read and written")),
        has_parts: true,
        has_charts: true,
        has_records: false,
    }
    /// databases
    Databases {
        name: "Databases",
        key: None,
        help: "",
        subject: Subject::Resources,
        word: Some(("databases", "state, size, recovery model and owner of each")),
        has_parts: true,
        has_charts: false,
        has_records: false,
    }
    /// sessions that hold tempdb
    Tempdb {
        name: "tempdb",
        key: None,
        help: "",
        subject: Subject::Resources,
        word: Some(("tempdb", "who holds tempdb, its version stores, contention")),
        has_parts: true,
        has_charts: true,
        has_records: false,
    }
    /// transaction logs
    TxLog {
        name: "Transaction logs",
        key: None,
        help: "",
        subject: Subject::Resources,
        word: Some(("txlog", "how full transaction logs are, and who holds them")),
        has_parts: true,
        has_charts: true,
        has_records: false,
    }
    /// memory clerks
    Memory {
        name: "Memory",
        key: None,
        help: "",
        subject: Subject::Resources,
        word: Some(("memory", "who holds the memory of the server")),
        has_parts: true,
        has_charts: true,
        has_records: false,
    }
    /// memory grants
    Grants {
        name: "Grants",
        key: None,
        help: "",
        subject: Subject::Resources,
        word: Some(("grants", "who waits for memory grants, and who holds them")),
        has_parts: true,
        has_charts: true,
        has_records: false,
    }
    /// groups of the inventory
    Groups {
        name: "Groups",
        key: None,
        help: "",
        subject: Subject::Inventory,
        word: Some(("groups", "members, health and description; make, change, delete")),
        has_parts: false,
        has_charts: false,
        has_records: true,
    }
    /// labels of the inventory
    Labels {
        name: "Labels",
        key: None,
        help: "",
        subject: Subject::Inventory,
        word: Some(("labels", "colours and who carries them; rename, make one, delete")),
        has_parts: false,
        has_charts: false,
        has_records: true,
    }
    /// saved filters of the inventory
    Filters {
        name: "Filters",
        key: None,
        help: "",
        subject: Subject::Inventory,
        word: Some(("filters", "saved ones: use, save, change, delete")),
        has_parts: false,
        has_charts: false,
        has_records: true,
    }
    /// the audit log
    Audit {
        name: "Audit",
        key: None,
        help: "",
        subject: Subject::Inventory,
        word: Some(("audit", "who changed what, and when")),
        has_parts: false,
        has_charts: false,
        has_records: false,
    }
    /// the settings
    Settings {
        name: "Settings",
        key: None,
        help: "",
        subject: Subject::Inventory,
        word: Some(("settings", "every option, its origin, and what it means; edit it")),
        has_parts: false,
        has_charts: false,
        has_records: false,
    }
    /// the tenants of this machine
    Tenants {
        name: "Tenants",
        key: None,
        help: "",
        subject: Subject::Inventory,
        word: Some(("tenants", "watch another one; make, rename, limit, suspend, back up, delete, bring back")),
        has_parts: false,
        has_charts: false,
        has_records: true,
    }
    /// the key slots
    Vault {
        name: "Vault",
        key: None,
        help: "",
        subject: Subject::Inventory,
        word: Some(("vault", "its key slots: add, remove, make a new data key")),
        has_parts: false,
        has_charts: false,
        has_records: true,
    }
}

impl PaneId {
    /// Name in tabs, titles and the palette.
    pub const fn name(self) -> &'static str {
        self.row().name
    }

    /// The panes that have a tab: each that has a key. The fleet's is shared with the instance.
    pub fn tabs() -> impl Iterator<Item = Self> {
        Self::ALL.into_iter().filter(|pane| pane.row().key.is_some())
    }
}

/// The field that requests are grouped by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GroupBy {
    /// database
    Database,
    /// login
    Login,
    /// program, or job
    Program,
    /// client host
    Host,
    /// query hash
    Hash,
    /// instance
    Instance,
}

/// The identity of a row wherever it is: selection and marks use it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum RowKey {
    /// an instance
    Instance(InstanceId),
    /// a request or session: instance, session id, request id
    Session(InstanceId, i32, i32),
    /// a database: instance, database id
    Database(InstanceId, i32),
    /// a database file: instance, database id, file id
    File(InstanceId, i32, i32),
    /// the transaction log of a database, by its name
    Log(InstanceId, Arc<str>),
    /// a volume of an instance, by its mount point
    Volume(InstanceId, Arc<str>),
    /// a growth of a file of an instance: when, and the file's name
    Growth(InstanceId, Timestamp, Arc<str>),
    /// a type of memory clerk of an instance
    Clerk(InstanceId, Arc<str>),
    /// a query of an instance: its hash
    Query(InstanceId, u64),
    /// a query of a Query Store: instance, database id, query id, its hash
    Stored(InstanceId, i32, i64, Option<u64>),
    /// a procedure, trigger or function: instance, database id, object id
    Module(InstanceId, i32, i32),
    /// a pattern of deadlocks of an instance: its fingerprint
    Deadlock(InstanceId, u64),
    /// a wait type of an instance, or of all together
    Wait(Option<InstanceId>, Arc<str>),
    /// a wait category
    Category(WaitCategory),
    /// an entry of the audit log, by its number
    Entry(u64),
    /// a group of rows by name
    Group(Arc<str>),
    /// the reason number n of the instance in scope
    Reason(usize),
    /// an instance, by what a reason of this topic is about
    Evidence(InstanceId, Topic),
}

impl RowKey {
    /// The instance that it belongs to.
    pub const fn instance(&self) -> Option<&InstanceId> {
        match self {
            Self::Instance(id)
            | Self::Session(id, ..)
            | Self::Database(id, _)
            | Self::File(id, ..)
            | Self::Log(id, _)
            | Self::Volume(id, _)
            | Self::Growth(id, ..)
            | Self::Clerk(id, _)
            | Self::Query(id, _)
            | Self::Stored(id, ..)
            | Self::Module(id, ..)
            | Self::Deadlock(id, _)
            | Self::Evidence(id, _)
            | Self::Wait(Some(id), _) => Some(id),
            Self::Wait(None, _) | Self::Category(_) | Self::Group(_) | Self::Entry(_) | Self::Reason(_) => {
                None
            }
        }
    }
}
