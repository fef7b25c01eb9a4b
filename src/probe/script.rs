//! A script, the right that it needs, and when it is part of a poll. Data; used by all of `probe`.

use std::borrow::Cow;

/// The right that a script needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Needs {
    /// none
    Nothing,
    /// VIEW SERVER STATE; from 2022 on VIEW SERVER PERFORMANCE STATE is enough
    Performance,
    /// VIEW SERVER STATE; from 2022 on VIEW SERVER SECURITY STATE is enough
    Security,
    /// VIEW ANY DEFINITION
    Definition,
    /// SELECT on the job tables of msdb
    MsdbJobs,
    /// ALTER TRACE: to read the file of a trace
    Trace,
}

impl Needs {
    /// The right's name on a server of major version `major` (16 = 2022).
    pub const fn right(self, major: Option<i32>) -> &'static str {
        let new = matches!(major, Some(16..));
        match self {
            Self::Nothing => "none",
            Self::Performance if new => "VIEW SERVER PERFORMANCE STATE",
            Self::Security if new => "VIEW SERVER SECURITY STATE",
            Self::Performance | Self::Security => "VIEW SERVER STATE",
            Self::Definition => "VIEW ANY DEFINITION",
            Self::MsdbJobs => "SELECT on msdb job tables",
            Self::Trace => "ALTER TRACE",
        }
    }
}

/// What a row of a script is about. A server may tell a thing twice: what a view joins moves while it is read, a job has a row
/// for each target server, a file one for each of its volume's readers. Decoders get each thing once, so none may forget
/// it: the first row with a key counts ([`batch::Sets::of`](super::batch::Sets::of)). No script says DISTINCT for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Key {
    /// the answer has one row
    OneRow,
    /// these columns tell it from others; a row in which all of them are NULL is taken for itself
    By(&'static [&'static str]),
}

/// One script: one SELECT, one result set whose first column is named `dbtop_<name>`.
#[derive(Debug, Clone, Copy)]
pub struct Script {
    /// file name without folder and ending; of one over another view a name of its own
    pub name: &'static str,
    /// the file; what is sent is in [`Self::sql`]
    pub text: &'static str,
    /// another view of the same shape that is asked in place of the one that the file names
    pub over: Option<Over>,
    /// its right
    pub needs: Needs,
    /// what its rows are about
    pub key: Key,
    /// its parameters; all scripts of a batch share them
    pub takes: Takes,
}

/// The parameters of a script.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Takes {
    /// none, or such as only who asks it knows
    Nothing,
    /// the server's clock at the last poll of queries, and how many rows are wanted
    Since,
    /// the same of the last poll of modules; alone in its batch
    SinceModules,
    /// the server's clock at the newest growth of a file that was told, and the file of the trace that was read last
    GrowthsSince,
    /// that all databases are meant
    AllDatabases,
    /// which files with events of this kind are read, and from where on; or the session whose memory is read
    Recorded(Event),
}

impl Takes {
    /// The kind of events that is read out of a session.
    pub(super) const fn recorded(self) -> Option<Event> {
        match self {
            Self::Recorded(event) => Some(event),
            _ => None,
        }
    }
}

/// A view in place of another one. The head of the file has a line `-- Over:` with each, for the T-SQL gate (`tests/expand_scripts.sh`).
#[derive(Debug, Clone, Copy)]
pub struct Over {
    /// the script whose file it is
    pub file: &'static str,
    /// the view that the file names
    pub there: &'static str,
    /// the view that is asked
    pub view: &'static str,
}

impl Script {
    /// The same question to another view, under a name of its own.
    pub(super) const fn over(self, name: &'static str, there: &'static str, view: &'static str) -> Self {
        Self { name, over: Some(Over { file: self.name, there, view }), ..self }
    }

    /// The text with its head, as it is asked.
    pub fn sql(&self) -> Cow<'static, str> {
        let Some(Over { file, there, view }) = self.over else { return Cow::Borrowed(self.text) };
        let text = self.text.replace(&format!("{there} AS"), &format!("{view} AS"));
        let text = text.replace(&format!("/* dbtop:{file} */"), &format!("/* dbtop:{} */", self.name));
        Cow::Owned(text.replace(&format!("AS dbtop_{file},"), &format!("AS dbtop_{},", self.name)))
    }

    /// The same with parameters.
    pub(super) const fn taking(self, takes: Takes) -> Self {
        Self { takes, ..self }
    }
}

/// The script of `tsql/probe/NAME.sql`, its right, and `one row` or `by` the columns that tell its rows apart.
macro_rules! script {
    ($name:literal, $needs:ident, one row) => {
        $crate::probe::script::script!($name, $needs, $crate::probe::script::Key::OneRow)
    };
    ($name:literal, $needs:ident, by $($column:literal)+) => {
        $crate::probe::script::script!($name, $needs, $crate::probe::script::Key::By(&[$($column),+]))
    };
    ($name:literal, $needs:ident, $key:expr) => {
        $crate::probe::script::Script {
            name: $name,
            text: include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/tsql/probe/", $name, ".sql")),
            over: None,
            needs: $crate::probe::script::Needs::$needs,
            key: $key,
            takes: $crate::probe::script::Takes::Nothing,
        }
    };
}
pub(super) use script;

/// What is read out of sessions of Extended Events.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Event {
    /// a report of a deadlock
    Deadlock,
    /// a file grew or shrank
    Growth,
}

impl Event {
    /// The script with the sessions and their targets.
    pub(super) const fn sessions(self) -> &'static str {
        match self {
            Self::Deadlock => "deadlock_source",
            Self::Growth => "growth_source",
        }
    }

    /// The script that reads files.
    pub(super) const fn files(self) -> &'static str {
        match self {
            Self::Deadlock => "deadlocks",
            Self::Growth => "growth_events",
        }
    }

    /// What its name ends in.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Deadlock => "xml_deadlock_report",
            Self::Growth => "database_file_size_change",
        }
    }
}

/// When a script is part of a poll. All conditions of a part must hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum When {
    /// the instance is on screen
    Focused,
    /// this object or column exists, by the capabilities script
    Has(&'static str),
    /// it does not, and the capabilities are known
    Lacks(&'static str),
    /// in a second round trip, if the probe finds it worth one
    SecondTrip,
    /// events of this kind are read from files
    InFile(Event),
    /// they are read from the memory of a session
    InMemory(Event),
}
