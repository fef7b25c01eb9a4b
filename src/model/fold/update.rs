//! The updates that travel from the collector to the fold.

use super::stats::CollectorStats;
use crate::model::{
    base::time::Timestamp,
    inventory::instance::{InstanceId, InstanceInfo},
    judge::health::Thresholds,
    poll::{Sample, id::ProbeId, link::Link, reading::Unavailable},
    timeline::{history::History, record::Record},
};
use std::sync::Arc;

/// One update on its way to the fold.
#[derive(Debug, Clone)]
pub enum Update {
    /// the inventory (at start and when it changes), in order
    Inventory(Vec<Arc<InstanceInfo>>),
    /// the link of an instance changed
    Link {
        /// whose
        instance: InstanceId,
        /// when
        at: Timestamp,
        /// to what
        link: Link,
    },
    /// the interval of a probe changed before its next poll
    Pace {
        /// whose
        instance: InstanceId,
        /// which probe
        probe: ProbeId,
        /// when
        at: Timestamp,
        /// interval from now on, ms
        every_ms: u32,
    },
    /// the first answer of a probe comes later than the first polls
    Due {
        /// whose
        instance: InstanceId,
        /// which probe
        probe: ProbeId,
        /// when it is asked
        at: Timestamp,
    },
    /// history returns what was kept, in the order of time for each instance
    Remembered(Box<Record>),
    /// and the last fifteen minutes of an instance before that
    History {
        /// whose
        instance: InstanceId,
        /// its series
        history: Arc<History>,
    },
    /// a probe ended
    Polled {
        /// whose
        instance: InstanceId,
        /// which probe
        probe: ProbeId,
        /// when the answer was there, by our clock
        at: Timestamp,
        /// round trip, ms
        took_ms: u32,
        /// interval at which it is polled now, ms
        every_ms: u32,
        /// what came
        outcome: Result<Sample, Unavailable>,
    },
    /// the collector's own figures
    Stats(CollectorStats),
    /// health is judged by these from now on
    Thresholds(Box<Thresholds>),
}
