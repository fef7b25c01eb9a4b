//! Changes that the screen asks for: one instance, many, or fewer. Each is one transaction and in the audit log, as if
//! the sub-command had made it.

use super::Keeper;
use crate::{
    command::instance::{refuse_twin, save},
    model::{
        base::{error::with_causes, secret::Secret},
        inventory::{
            instance::InstanceId,
            record::{Auth, BulkChange, InstanceRecord, SecretRef},
        },
    },
    store::{Entry, Inventory, Kind, StoreError, current_author},
    tui::effect::{FormData, Refusal, Reply},
};
use std::collections::{HashMap, HashSet};

const LOCKED: &str = "the inventory is locked: nothing was changed";

impl Keeper {
    pub(super) fn form(&mut self, ids: &[InstanceId]) {
        let Some(open) = &self.open else { return };
        let inventory = &open.inventory;
        let ids: HashSet<&str> = ids.iter().map(InstanceId::as_str).collect();
        let asked = |entry: &&Entry<InstanceRecord>| ids.contains(entry.record.name.as_str());
        let hidden = |entry: &Entry<InstanceRecord>| {
            let mut record = entry.record.clone();
            record.secrets_mut().for_each(|secret| *secret = Secret::new(String::new()));
            (record, entry.revision)
        };
        let data = FormData {
            of: inventory.instances.iter().filter(asked).map(hidden).collect(),
            names: inventory.instances.iter().map(|e| e.record.name.clone()).collect(),
            groups: inventory.groups.iter().map(|e| e.record.name.clone()).collect(),
            labels: inventory.labels.iter().map(|e| e.record.name()).collect(),
        };
        self.say(Reply::Form(Box::new(data)));
    }

    pub(super) fn save(&mut self, mut record: InstanceRecord, of: Option<&(InstanceId, u64)>) {
        let name = record.name.clone();
        let done = self.try_save(&mut record, of);
        self.finish(done.map(|()| format!("saved {name}")));
    }

    fn try_save(
        &mut self,
        record: &mut InstanceRecord,
        of: Option<&(InstanceId, u64)>,
    ) -> Result<(), Refusal> {
        let Some(open) = &mut self.open else { return Err(refused(LOCKED)) };
        let own = of.map(|(id, _)| id.as_str());
        refuse_twin(&open.inventory, record, own)
            .map_err(|e| Refusal { field: Some("host"), words: e.to_string() })?;
        let Some((id, revision)) = of else {
            let added = open.tenant.change(&current_author(), |change| change.add_instance(record));
            return added.map(drop).map_err(refusal);
        };
        let Some(entry) = open.inventory.instance(id.as_str()) else {
            return Err(refused(&format!("{id} is not in the inventory any more")));
        };
        keep_secrets(record, &entry.record);
        let id = entry.id;
        let edited =
            open.tenant.change(&current_author(), |change| change.edit_instance(id, *revision, record));
        edited.map(drop).map_err(refusal)
    }

    pub(super) fn bulk(&mut self, ids: &[InstanceId], change: &BulkChange) {
        let done = self.try_bulk(ids, change);
        self.finish(done.map(|changed| match changed {
            0 => "nothing to change: they are so already".to_owned(),
            1 => "changed 1 instance".to_owned(),
            n => format!("changed {n} instances"),
        }));
    }

    fn try_bulk(&mut self, ids: &[InstanceId], change: &BulkChange) -> Result<usize, Refusal> {
        let Some(open) = &mut self.open else { return Err(refused(LOCKED)) };
        let mut changed = Vec::new();
        for entry in found(&open.inventory, ids)? {
            let mut after = entry.record.clone();
            change.apply(&mut after);
            after.validate().map_err(|e| Refusal { field: Some(e.field), words: e.problem })?;
            if after != entry.record {
                changed.push((entry.clone(), after));
            }
        }
        save(&mut open.tenant, &changed).map_err(|e| refused(&with_causes(&*e)))?;
        Ok(changed.len())
    }

    pub(super) fn remove(&mut self, ids: &[InstanceId]) {
        let done = self.try_remove(ids);
        self.finish(done.map(|()| match ids {
            [one] => format!("removed {one}: `dbtop instance restore {one}` brings it back"),
            many => {
                format!("removed {} instances: `dbtop instance restore NAME` brings one back", many.len())
            }
        }));
    }

    fn try_remove(&mut self, ids: &[InstanceId]) -> Result<(), Refusal> {
        let Some(open) = &mut self.open else { return Err(refused(LOCKED)) };
        let found = found(&open.inventory, ids)?;
        let removed = open.tenant.change(&current_author(), |change| {
            found.iter().try_for_each(|entry| change.remove(Kind::Instance, entry.id))
        });
        removed.map_err(refusal)
    }

    /// Says what came of a change; the collector hears of it before the screen does.
    fn finish(&mut self, done: Result<String, Refusal>) {
        if done.is_ok() {
            self.load(false);
        }
        self.say(Reply::Saved(done));
    }
}

/// The records of these instances, all or none. Thousands may be marked, so that each is looked up in a table made once.
fn found<'i>(
    inventory: &'i Inventory,
    ids: &[InstanceId],
) -> Result<Vec<&'i Entry<InstanceRecord>>, Refusal> {
    let named: HashMap<&str, &Entry<InstanceRecord>> =
        inventory.instances.iter().map(|entry| (entry.record.name.as_str(), entry)).collect();
    let one = |id: &InstanceId| {
        let gone = || refused(&format!("{id} is not in the inventory any more: nothing was changed"));
        named.get(id.as_str()).copied().ok_or_else(gone)
    };
    ids.iter().map(one).collect()
}

fn refused(words: &str) -> Refusal {
    Refusal { field: None, words: words.to_owned() }
}

fn refusal(error: StoreError) -> Refusal {
    match error {
        StoreError::Invalid(e) => Refusal { field: Some(e.field), words: e.problem },
        e @ StoreError::NameTaken { .. } => Refusal { field: Some("name"), words: e.to_string() },
        e => refused(&e.to_string()),
    }
}

/// Stored passwords that the form left empty stay as they are.
pub(super) fn keep_secrets(record: &mut InstanceRecord, before: &InstanceRecord) {
    keep(&mut record.auth, Some(&before.auth));
    if let Some(action) = &mut record.action {
        keep(action, before.action.as_ref());
    }
}

fn keep(auth: &mut Auth, before: Option<&Auth>) {
    if let Some(SecretRef::Stored(new)) = auth.secret_mut()
        && new.reveal().is_empty()
        && let Some(SecretRef::Stored(old)) = before.and_then(Auth::secret)
    {
        *new = old.clone();
    }
}
