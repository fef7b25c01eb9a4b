//! Result sets to samples: one decoder per probe, named in the registry. Every column may be NULL, missing, negative or
//! hostile; then a field is None, or a row without identity is left out. Nothing here may panic, invent a zero, or keep
//! a text that was not made harmless.

mod activity;
mod blocking;
mod instance;
mod load;
mod storage;

pub use activity::agent_job;
pub(super) use activity::decode as activity;
pub(super) use blocking::{decode as blocking, is_blocked};
pub(super) use instance::{databases, properties, rights};
pub(super) use load::{cost, cpu_ring, headline, memory, schedulers, waits};
pub(super) use storage::{availability, jobs, volumes};

use super::batch::Sets;
use crate::{
    model::{
        failure::{Failure, FailureKind},
        reading::Unavailable,
    },
    tds::{ResultSet, Row},
};

/// The single row of a set that must have one.
///
/// # Errors
/// An empty or missing set, in words.
fn one<'a>(sets: &'a Sets, name: &str) -> Result<Row<'a>, Unavailable> {
    many(sets, name)?.next().ok_or_else(|| lacking("row", name))
}

/// The rows of a set that must be there, if only empty.
///
/// # Errors
/// A missing set, in words.
fn many<'a>(sets: &'a Sets, name: &str) -> Result<impl Iterator<Item = Row<'a>>, Unavailable> {
    sets.get(name).map(ResultSet::rows).ok_or_else(|| lacking("result set", name))
}

fn lacking(what: &str, name: &str) -> Unavailable {
    Unavailable::Failed(Failure::new(FailureKind::Protocol, format!("the server gave no {what} for {name}")))
}

/// All rows of a set; none if it was not asked for or failed.
fn all<'a>(sets: &'a Sets, name: &str) -> impl Iterator<Item = Row<'a>> {
    sets.get(name).into_iter().flat_map(ResultSet::rows)
}

#[cfg(test)]
pub(super) mod fixture {
    //! Sets for the decoders' tests.

    use super::Sets;
    use crate::tds::{Cell, ResultSet};

    /// A set named `name`, its columns and rows without the tag.
    pub fn set(name: &str, columns: &[&str], rows: Vec<Vec<Cell>>) -> ResultSet {
        let tag = format!("dbtop_{name}");
        let columns = std::iter::once(tag).chain(columns.iter().map(|c| (*c).to_owned())).collect();
        let rows = rows.into_iter().map(|r| std::iter::once(Cell::Int(1)).chain(r).collect()).collect();
        ResultSet { columns, rows, complete: true }
    }

    /// Several sets as an answer.
    pub fn sets(sets: Vec<ResultSet>) -> Sets {
        Sets::of(sets)
    }

    /// A text cell.
    pub fn text(s: &str) -> Cell {
        Cell::Text(s.to_owned())
    }
}
