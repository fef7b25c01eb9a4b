//! Changes of the inventory: one instance, many, or fewer. Each is one transaction, with its entries in the audit log. The same
//! for the screen's dialogs, which the inventory service answers, and for the sub-commands.

use crate::{
    model::{
        base::error::with_causes,
        inventory::{
            instance::InstanceId,
            record::{Auth, BulkChange, InstanceRecord, SecretRef},
        },
    },
    protocol::Refusal,
    store::{Entry, Inventory, Kind, StoreError, Tenant, current_author},
};
use anyhow::Context;
use std::collections::HashMap;

/// The instance of this name.
///
/// # Errors
/// There is none.
pub fn named<'i>(inventory: &'i Inventory, name: &str) -> anyhow::Result<&'i Entry<InstanceRecord>> {
    inventory
        .instance(name)
        .with_context(|| format!("no instance is called {name}: see `dbtop instance list`"))
}

/// The field of a refusal that is a question: the server is watched with another login already.
pub const SECOND_LOGIN: &str = "second-login";

/// Refuses an address that another instance has with the same login: the server would be watched twice, however the two are written
/// ([`InstanceRecord::place`]). With another login it is a question, whose yes is `second_login`; both stand in the inventory then. Who keeps
/// place and login is asked nothing: an older version may have taken both ([`InstanceRecord::is_where`]).
///
/// # Errors
/// Another instance has it; the field is [`SECOND_LOGIN`] if it has another login.
pub fn refuse_twin(
    inventory: &Inventory,
    record: &InstanceRecord,
    own: Option<&str>,
    second_login: bool,
) -> Result<(), Refusal> {
    let before = own.and_then(|own| inventory.instance(own));
    if before.is_some_and(|entry| entry.record.is_where(record)) {
        return Ok(());
    }
    let place = record.place();
    let is_at = |other: &InstanceRecord| other.place() == place;
    let is_own = |other: &InstanceRecord| own.is_some_and(|own| other.name == own);
    let at = || inventory.instances.iter().map(|entry| &entry.record).filter(|other| is_at(other));
    let is_there = at().any(is_own);
    let others = || at().filter(|other| !is_own(other));
    if let Some(twin) = others().find(|other| other.auth.is_login_of(&record.auth)) {
        let words = format!("{} is at {} already: it would be watched twice", twin.name, twin.address());
        return Err(Refusal { field: Some("host"), words });
    }
    match others().next() {
        Some(twin) if !is_there && !second_login => {
            let login = twin.auth.user().unwrap_or_else(|| twin.auth.kind());
            let words = format!("{} watches {} already, with the login {login}", twin.name, twin.address());
            Err(Refusal { field: Some(SECOND_LOGIN), words })
        }
        _ => Ok(()),
    }
}

/// Adds an instance.
///
/// # Errors
/// The record is not valid, or its name is taken.
pub fn add(tenant: &mut Tenant, record: &InstanceRecord) -> Result<(), StoreError> {
    tenant.change(&current_author(), |change| change.add_instance(record)).map(drop)
}

/// Saves changed records, all of them or none.
///
/// # Errors
/// One is not valid, or another process changed it first.
pub fn save(
    tenant: &mut Tenant,
    changed: &[(Entry<InstanceRecord>, InstanceRecord)],
) -> Result<(), StoreError> {
    tenant.change(&current_author(), |change| {
        changed.iter().try_for_each(|(old, new)| change.edit_instance(old.id, old.revision, new).map(drop))
    })
}

/// Takes instances out, all of them or none.
///
/// # Errors
/// Another process changed one first.
pub fn remove(tenant: &mut Tenant, entries: &[&Entry<InstanceRecord>]) -> Result<(), StoreError> {
    tenant.change(&current_author(), |change| {
        entries.iter().try_for_each(|entry| change.remove(Kind::Instance, entry.id))
    })
}

/// Brings a removed instance back. Returns its name as it is written.
///
/// # Errors
/// None of this name was removed, or the name is taken by now.
pub fn restore(tenant: &mut Tenant, name: &str) -> anyhow::Result<String> {
    let deleted = tenant.deleted()?;
    let entry = deleted.instance(name).with_context(|| {
        format!("no removed instance is called {name}: see `dbtop instance list --removed`")
    })?;
    let (id, name) = (entry.id, entry.record.name.clone());
    tenant.change(&current_author(), |change| change.restore(Kind::Instance, id))?;
    Ok(name)
}

/// Saves the record of a form: a new one, or an instance's, with its revision when the form was opened. Passwords
/// that are stored and that the form left empty stay as they are.
///
/// # Errors
/// Its address is another's, it is not valid, or the instance is gone or was changed meanwhile.
pub fn save_form(
    tenant: &mut Tenant,
    inventory: &Inventory,
    record: &mut InstanceRecord,
    of: Option<&(InstanceId, u64)>,
    second_login: bool,
) -> Result<(), Refusal> {
    let own = of.map(|(id, _)| id.as_str());
    refuse_twin(inventory, record, own, second_login)?;
    let Some((id, revision)) = of else {
        record.added_at = None;
        return add(tenant, record).map_err(refusal);
    };
    let Some(entry) = inventory.instance(id.as_str()) else {
        return Err(refused(&format!("{id} is not in the inventory any more")));
    };
    keep_secrets(record, &entry.record);
    let old = Entry { revision: *revision, ..entry.clone() };
    save(tenant, &[(old, record.clone())]).map_err(refusal)
}

/// Changes many at once, all of them or none. Returns how many are different now.
///
/// # Errors
/// One is gone, or is not valid with the change.
pub fn bulk(
    tenant: &mut Tenant,
    inventory: &Inventory,
    ids: &[InstanceId],
    change: &BulkChange,
) -> Result<usize, Refusal> {
    let mut changed = Vec::new();
    for entry in found(inventory, ids)? {
        let mut after = entry.record.clone();
        change.apply(&mut after);
        after.validate().map_err(|e| Refusal { field: Some(e.field), words: e.problem })?;
        if after != entry.record {
            changed.push((entry.clone(), after));
        }
    }
    save(tenant, &changed).map_err(|e| refused(&with_causes(&e)))?;
    Ok(changed.len())
}

/// Takes these out, all of them or none.
///
/// # Errors
/// One is gone already.
pub fn remove_all(tenant: &mut Tenant, inventory: &Inventory, ids: &[InstanceId]) -> Result<(), Refusal> {
    remove(tenant, &found(inventory, ids)?).map_err(refusal)
}

/// The records of these instances, all or none. Thousands may be marked, so each is looked up in a table made once.
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

pub(super) fn refused(words: &str) -> Refusal {
    Refusal { field: None, words: words.to_owned() }
}

pub(super) fn refusal(error: StoreError) -> Refusal {
    match error {
        StoreError::Invalid(e) => Refusal { field: Some(e.field), words: e.problem },
        e @ StoreError::NameTaken { .. } => Refusal { field: Some("name"), words: e.to_string() },
        e => refused(&e.to_string()),
    }
}

/// Stored passwords that the form left empty stay as they are.
pub fn keep_secrets(record: &mut InstanceRecord, before: &InstanceRecord) {
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::inventory::record::RecordId;

    #[test]
    fn twins_of_an_older_version_can_be_edited_and_no_new_one_is_made() {
        let entry = |name: &str, host: &str, port| {
            let record = InstanceRecord { port, ..InstanceRecord::new(name, host, Auth::Kerberos) };
            Entry { id: RecordId::from_bytes([name.as_bytes()[0]; 16]), revision: 1, record }
        };
        let instances = vec![entry("a", "h", None), entry("b", "h.", Some(1433)), entry("c", "i", None)];
        let inventory = Inventory { instances, ..Inventory::default() };
        let edited = |name: &str, change: &dyn Fn(&mut InstanceRecord)| {
            let mut record = inventory.instance(name).unwrap().record.clone();
            change(&mut record);
            refuse_twin(&inventory, &record, Some(name), false).map_err(|refusal| refusal.field)
        };
        for name in ["a", "b"] {
            assert_eq!(edited(name, &|r| r.notes = "new".into()), Ok(()));
            assert_eq!(edited(name, &|r| r.host = "H".into()), Ok(()), "the same place, written otherwise");
        }
        assert_eq!(edited("c", &|r| r.host = "h".into()), Err(Some("host")));
        assert_eq!(edited("a", &|r| r.host = "i".into()), Err(Some("host")));
    }
}
