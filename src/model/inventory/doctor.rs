//! The findings of the permission doctor for one login on one instance: each right, and for each that is missing what is lost and the
//! smallest script that closes it. Made by `probe::doctor`; shown by the screen and printed by `dbtop doctor`. The
//! scripts are for a person to copy: dbtop never runs them.

use super::instance::InstanceId;
use std::{fmt::Write as _, sync::Arc};

/// A kind of right, whatever its name on a version.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Right {
    /// state of the server: waits, memory, sessions of others
    Performance,
    /// addresses and logins of connections
    Security,
    /// names of objects in all databases
    Definition,
    /// the job tables of msdb
    Jobs,
    /// to enter every database
    Databases,
    /// to read the files of traces
    Trace,
}

impl Right {
    /// All, in the order of the columns.
    pub const ALL: [Self; 6] =
        [Self::Performance, Self::Security, Self::Definition, Self::Jobs, Self::Databases, Self::Trace];

    /// Its column's head, and its name in JSON.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Performance => "performance",
            Self::Security => "security",
            Self::Definition => "definition",
            Self::Jobs => "jobs",
            Self::Databases => "databases",
            Self::Trace => "trace",
        }
    }
}

/// One cell of the matrix.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cell {
    /// the pane does not use it
    NotUsed,
    /// this server has no such thing, so nothing is lost
    NotHere,
    /// held
    Held,
    /// missing: a hole
    Missing,
    /// the server did not say
    Unknown,
}

impl Cell {
    /// As it is shown and written.
    pub const fn word(self) -> &'static str {
        match self {
            Self::NotUsed => "",
            Self::NotHere => "n/a",
            Self::Held => "yes",
            Self::Missing => "MISSING",
            Self::Unknown => "unknown",
        }
    }
}

/// One row of the matrix.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// `waits`, `activity`, …
    pub pane: &'static str,
    /// a cell for each of [`Right::ALL`]
    pub cells: [Cell; Right::ALL.len()],
}

/// A right that is missing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hole {
    /// its kinds: one grant may close two
    pub closes: Vec<Right>,
    /// its name on this version: `VIEW SERVER STATE`
    pub name: &'static str,
    /// the panes that want it
    pub panes: Vec<&'static str>,
    /// what the login cannot do without it: `cannot see failed Agent jobs`
    pub lost: String,
    /// the smallest script that gives it, for somebody who may; batches are separated by `GO`
    pub script: Arc<str>,
}

/// The whole finding.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnosis {
    /// of which instance
    pub instance: InstanceId,
    /// the login as the server knows it
    pub login: Arc<str>,
    /// a row for each pane
    pub rows: Vec<Row>,
    /// what is missing, most important first; empty: nothing
    pub holes: Vec<Hole>,
}

impl Diagnosis {
    /// The things that a person should know before running the scripts, for logins that come through a Windows group.
    pub fn hint(&self) -> Option<&'static str> {
        let windows = self.login.contains('\\') && !self.holes.is_empty();
        windows.then_some("if this login comes in through a Windows group, grant to the group instead")
    }

    /// All scripts as one, with a line of words before each. None: nothing is missing.
    pub fn script(&self) -> Option<String> {
        if self.holes.is_empty() {
            return None;
        }
        let mut whole = String::new();
        for hole in &self.holes {
            let _ = write!(whole, "-- {}: {}\n{}", hole.name, hole.lost, hole.script);
        }
        Some(whole)
    }
}
