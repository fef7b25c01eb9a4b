//! The sentences of reasons about what is full: volumes, data files, tempdb, transaction logs, Query Stores and what these cannot do any more.
//! Called by `why`.

use super::{
    Holder, Why,
    spell::{Maybe, known, others, pct, size, span},
};
use crate::model::poll::{
    query_store::{failure_words, readonly_words},
    volumes::key_of,
};
use std::fmt;

impl Why {
    /// The reasons about what is full.
    pub(super) fn fmt_space(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Volume { mount, free_pct } => {
                write!(f, "volume {} {} free", key_of(known(mount.as_deref())), pct(*free_pct))
            }
            Self::TempdbFilling { full_in_ms, free_pct, holder } => {
                write!(f, "tempdb full in {}, ", span(*full_in_ms))?;
                match holder {
                    Some(by) => write!(f, "{by}"),
                    None => write!(f, "{} free", pct(*free_pct)),
                }
            }
            Self::TempdbHeld { free_pct, holder } => write!(f, "tempdb {} free, {holder}", pct(*free_pct)),
            Self::Log { database, full_in_ms, free_pct, reuse_wait, session } => {
                write!(f, "log of {} ", known(database.as_deref()))?;
                match full_in_ms {
                    Some(ms) => write!(f, "full in {}", span(*ms))?,
                    None => write!(f, "{} free", pct(*free_pct))?,
                }
                match (session, reuse_wait) {
                    (Some(session), _) => write!(f, ", session {session} holds it"),
                    (None, Some(wait)) => write!(f, ", waits for {wait}"),
                    (None, None) => Ok(()),
                }
            }
            Self::VolumeFilling { mount, full_in_ms, free_pct, grown } => {
                write!(f, "volume {} full in {}, ", key_of(known(mount.as_deref())), span(*full_in_ms))?;
                match grown {
                    Some(grown) => {
                        let file = Maybe("/", grown.file.as_deref(), "");
                        write!(f, "{}{file} ", known(grown.database.as_deref()))?;
                        write!(f, "grew {}{}", size(grown.by_kb), others(grown.more))
                    }
                    None => write!(f, "{} free", pct(*free_pct)),
                }
            }
            Self::CannotGrow { database, file, mount, next_kb, room_kb, grew, inside_pct, .. } => {
                write!(f, "{}/{} ", known(database.as_deref()), known(file.as_deref()))?;
                match (*next_kb, mount) {
                    (..=0, _) => f.write_str("does not grow")?,
                    (_, Some(_)) => write!(f, "cannot grow {}, {} free", size(*next_kb), size(*room_kb))?,
                    (_, None) => {
                        write!(f, "cannot grow {}, {} to its limit", size(*next_kb), size(*room_kb))?;
                    }
                }
                write!(f, "{}", Maybe(", ", inside_pct.map(pct), " free in it"))?;
                write!(f, "{}", Maybe(", grew ", (*grew > 0).then_some(*grew), "x within a day"))
            }
            Self::Tempdb(free_pct) => write!(f, "tempdb {} free", pct(*free_pct)),
            _ => Ok(()),
        }
    }

    /// The reasons about a database on a replica, and its Query Store.
    pub(super) fn fmt_database(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Replica { database, replica, trouble, more } => {
                write!(
                    f,
                    "{} on {} {trouble}{}",
                    known(database.as_deref()),
                    known(replica.as_deref()),
                    others(*more)
                )
            }
            Self::StoreFull { database, more } => {
                write!(f, "Query Store of {} is full: read-only{}", known(database.as_deref()), others(*more))
            }
            Self::StoreStopped { database, is_broken, reason, more } => {
                let state = if *is_broken { "in error" } else { "read-only" };
                let why = Maybe(": ", reason.and_then(readonly_words), "");
                write!(f, "Query Store of {} is {state}{why}{}", known(database.as_deref()), others(*more))
            }
            Self::PlanForcing { database, query_id, failures, reason, more } => {
                let why = Maybe(": ", reason.and_then(failure_words), "");
                let of = known(database.as_deref());
                write!(f, "forced plan of query {query_id} in {of} failed {failures}x{why}{}", others(*more))
            }
            _ => Ok(()),
        }
    }
}

impl fmt::Display for Holder {
    /// `session 60 holds 71 %`, or what its transaction keeps: `session 60 keeps versions, 71 %`
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let what = if self.versions { "keeps versions," } else { "holds" };
        write!(f, "session {} {what} {}", self.session, pct(self.pct))
    }
}
