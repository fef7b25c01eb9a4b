//! Parts that the whole fold shares: how a poll came, the texts of the whole fleet, the limits, and who is told.

use crate::model::{base::time::Timestamp, timeline::record::Record};
use foldhash::fast::RandomState;
use std::{collections::HashSet, sync::Arc};

/// Rows of one poll that are kept; a server that sends more is broken or hostile.
pub(super) const MAX_ROWS: usize = 5_000;

/// Different wait types that share one text; beyond that each poll keeps its own.
const MAX_NAMES: usize = 8_192;

/// When and how a sample came.
#[derive(Debug, Clone, Copy)]
pub(super) struct Poll {
    /// when the answer was there
    pub at: Timestamp,
    /// round trip, ms
    pub took_ms: u32,
    /// interval now, ms
    pub every_ms: u32,
}

/// The records for history; None: nobody wants it.
pub(super) type Keep = Option<Vec<Record>>;

/// One text for each wait type of the whole fleet: 500 instances name the same few hundred.
#[derive(Debug, Default)]
pub(super) struct Names(HashSet<Arc<str>, RandomState>);

impl Names {
    /// The known text that is the same.
    pub fn share(&mut self, name: &Arc<str>) -> Arc<str> {
        if let Some(known) = self.0.get(name) {
            return Arc::clone(known);
        }
        if self.0.len() < MAX_NAMES {
            self.0.insert(Arc::clone(name));
        }
        Arc::clone(name)
    }
}

/// The first rows of a poll, as many as are kept.
pub(super) fn cut<T>(mut rows: Vec<T>) -> Vec<T> {
    rows.truncate(MAX_ROWS);
    rows
}
