//! The data of a form on the screen: records without their passwords, and the names that are taken.

use crate::{
    model::{
        base::secret::Secret,
        inventory::{instance::InstanceId, record::InstanceRecord},
    },
    protocol::FormData,
    store::{Entry, Inventory},
};
use std::collections::HashSet;

/// The data of a form for these instances; without any, for a new one.
pub(super) fn data(inventory: &Inventory, ids: &[InstanceId]) -> FormData {
    let ids: HashSet<&str> = ids.iter().map(InstanceId::as_str).collect();
    let asked = |entry: &&Entry<InstanceRecord>| ids.contains(entry.record.name.as_str());
    let hidden = |entry: &Entry<InstanceRecord>| {
        let mut record = entry.record.clone();
        record.secrets_mut().for_each(|secret| *secret = Secret::new(String::new()));
        (record, entry.revision)
    };
    FormData {
        of: inventory.instances.iter().filter(asked).map(hidden).collect(),
        names: inventory.instances.iter().map(|e| e.record.name.clone()).collect(),
        groups: inventory.groups.iter().map(|e| e.record.name.clone()).collect(),
        labels: inventory.labels.iter().map(|e| e.record.name()).collect(),
    }
}
