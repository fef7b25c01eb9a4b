//! A batch as the simulated server gets it: the sender, its rights and parameters, and the instance at that moment. And the
//! form of an answer to one of our scripts.

use super::table::Table;
use crate::sim::{
    backend::{Param, ServerMessage, Session},
    world::{
        moment::Moment,
        rights::{Grant, Rights},
    },
};

/// A batch's sender and circumstances.
pub struct Asked<'a> {
    /// the instance now
    pub moment: &'a Moment<'a>,
    /// rights of the login
    pub rights: Rights,
    /// the login
    pub session: &'a Session,
    /// cost of our session so far
    pub own: Own,
    /// real connections to this instance
    pub connected: i64,
    /// parameters
    pub params: &'a [Param],
    /// ends a session; the error if it cannot
    pub kill: &'a dyn Fn(i64) -> Result<(), ServerMessage>,
    /// grants a right, in the named database; the error if it cannot
    pub grant: &'a dyn Fn(&Grant, &str) -> Result<(), ServerMessage>,
}

/// A script by its name, and the function that answers it.
pub type Answer = (&'static str, fn(&Asked<'_>) -> Table);

/// The resources that a session has used.
#[derive(Debug, Clone, Copy, Default)]
pub struct Own {
    /// CPU µs
    pub cpu_us: i64,
    /// pages
    pub logical_reads: i64,
    /// login, ms since the simulator's start
    pub login_ms: i64,
}
