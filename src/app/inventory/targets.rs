//! The targets of a sealed inventory. Used by the inventory service and by the sub-commands that poll.

use crate::{
    model::inventory::{
        instance::{InstanceInfo, Target},
        record::{Auth, InstanceRecord, LabelColor, RecordId},
    },
    store::Inventory,
};
use std::sync::Arc;

/// The targets, each instance with the settings of its labels under its own; and warnings: damaged records, and
/// instances that this version cannot reach.
pub fn targets(inventory: &Inventory) -> (Vec<Target>, Vec<String>) {
    let mut notes: Vec<String> = inventory.damage.iter().map(ToString::to_string).collect();
    let mut targets = Vec::with_capacity(inventory.instances.len());
    for entry in &inventory.instances {
        let record = &entry.record;
        let poll = inventory
            .labels
            .iter()
            .filter(|label| record.labels.get(&label.record.key) == Some(&label.record.value))
            .fold(record.poll.clone(), |poll, label| poll.over(&label.record.poll));
        let target = if poll == record.poll {
            Target::try_from(record)
        } else {
            Target::try_from(&InstanceRecord { poll, ..record.clone() })
        };
        match target {
            Ok(target) => {
                let tag = Some(log_tag(entry.id).into());
                let colors = record.labels.iter().map(|(key, value)| color(inventory, key, value)).collect();
                let uid = entry.id.to_string().into();
                let info = InstanceInfo { uid, tag, colors, ..InstanceInfo::clone(&target.info) };
                targets.push(Target { info: Arc::new(info), ..target });
            }
            Err(error) => notes.push(format!("{}: {error}; it is left out", record.name)),
        }
    }
    (targets, notes)
}

/// The colour of a label; names of labels are sorted and few.
fn color(inventory: &Inventory, key: &str, value: &str) -> LabelColor {
    let labels = inventory.labels.iter().map(|entry| &entry.record);
    let label = labels.into_iter().find(|label| label.key == key && label.value == value);
    label.map_or_else(|| LabelColor::for_label(key, value), |label| label.color)
}

/// The name of a sealed instance in the log: the start of its record's random identity.
pub fn log_tag(id: RecordId) -> String {
    id.to_string().chars().take(8).collect()
}

/// The owner of a secret, for the question: `dbtop (sql)`.
pub fn whose(auth: &Auth) -> String {
    format!("{} ({})", auth.who(), auth.kind())
}
