//! Availability groups, as the instance sees them.

use super::{
    id::{Emit, Metric, ProbeId, whole},
    names::{Field, Kind, Visit, maybe},
    outcome::Outcome,
};
use serde::{Deserialize, Serialize};
use std::{collections::BTreeMap, sync::Arc};

/// One availability replica's database, as this instance sees it.
/// In files by position: fields are only appended, each with a default; variants keep their names.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct ReplicaRow {
    /// group name
    pub group: Option<Arc<str>>,
    /// database
    pub database: Option<Arc<str>>,
    /// replica's server name
    pub replica: Option<Arc<str>>,
    /// local to this instance
    pub is_local: Option<bool>,
    /// role of the replica: `PRIMARY` …
    pub role: Option<Arc<str>>,
    /// `SYNCHRONIZED`, `SYNCHRONIZING`, `NOT SYNCHRONIZING` …
    pub state: Option<Arc<str>>,
    /// data movement is suspended
    pub suspended: Option<bool>,
    /// seconds behind the primary
    pub lag_s: Option<i64>,
    /// log not sent yet, KB
    pub send_queue_kb: Option<i64>,
    /// log not redone yet, KB
    pub redo_queue_kb: Option<i64>,
}

impl ReplicaRow {
    /// What its series are called: `group/replica/database`.
    pub fn series_key(&self) -> String {
        let [group, replica, database] =
            [&self.group, &self.replica, &self.database].map(|name| name.as_deref().unwrap_or("?"));
        format!("{group}/{replica}/{database}")
    }
}

impl Outcome for Vec<ReplicaRow> {
    fn points(&self, _probe: ProbeId, emit: Emit<'_>) {
        // A group may list a database twice; the worse counts.
        let mut worst: BTreeMap<String, [Option<i64>; 3]> = BTreeMap::new();
        for row in self {
            let known = worst.entry(row.series_key()).or_default();
            let now = [row.lag_s, row.send_queue_kb, row.redo_queue_kb];
            for (known, now) in known.iter_mut().zip(now) {
                *known = (*known).max(now);
            }
        }
        for (key, [lag, send, redo]) in worst {
            emit(Metric::ReplicaLag, &key, whole(lag));
            emit(Metric::SendQueue, &key, whole(send));
            emit(Metric::RedoQueue, &key, whole(redo));
        }
    }

    fn each_name_mut(&mut self, visit: Visit<'_>) {
        for row in self {
            maybe(visit, Field::Name(Kind::Group), &mut row.group);
            maybe(visit, Field::Name(Kind::Database), &mut row.database);
            maybe(visit, Field::Name(Kind::Host), &mut row.replica);
        }
    }

    fn cut(&mut self, most: usize) {
        self.truncate(most);
    }

    fn rows(&self) -> usize {
        self.len() * 2
    }
}
