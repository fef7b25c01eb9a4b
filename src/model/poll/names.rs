//! Names in what is polled: what kinds there are, and how a place where one may stand is shown to who hides them. The file of
//! each probe says where its names are, `judge::why` those of a reason; `timeline::scrub` hides them.

use std::sync::Arc;

/// The kind of thing that a name belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Kind {
    /// a monitored instance
    Instance,
    /// a machine, by name
    Host,
    /// an IP address
    Address,
    /// a domain of machines or logins
    Domain,
    /// a login or a user
    Login,
    /// a program that connects
    Program,
    /// a database
    Database,
    /// an Agent job, or a step of one
    Job,
    /// a group of instances, or the value of a label
    Group,
    /// where a volume is mounted
    Volume,
    /// a database file, or where it is
    File,
    /// the identity of an instance in history
    Uid,
}

impl Kind {
    /// The word that stand-ins begin with.
    pub(in crate::model) const fn word(self) -> &'static str {
        match self {
            Self::Instance => "instance",
            Self::Host => "host",
            Self::Address => "address",
            Self::Domain => "domain",
            Self::Login => "login",
            Self::Program => "program",
            Self::Database => "database",
            Self::Job => "job",
            Self::Group => "group",
            Self::Volume => "volume",
            Self::File => "file",
            Self::Uid => "uid",
        }
    }
}

/// Where a text comes from: how hard it is searched.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Where {
    /// words that dbtop made, with names in them
    Ours,
    /// words of a server, a driver or a person: what is quoted in them goes, too
    Theirs,
    /// a statement
    Code,
}

/// The kind of text in a place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Field {
    /// a name and nothing else
    Name(Kind),
    /// words in which names may be
    Words(Where),
    /// what an Agent job said, a person wrote or a version kept that made sentences: anything may be in it
    Message,
}

/// Is shown a place and its text, and may change it.
pub type Visit<'a> = &'a mut dyn FnMut(Field, &mut Arc<str>);

/// Shows a place that may be empty.
pub fn maybe(visit: Visit<'_>, field: Field, text: &mut Option<Arc<str>>) {
    if let Some(text) = text {
        visit(field, text);
    }
}
