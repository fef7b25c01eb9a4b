//! Writing: one transaction in which records, their table of contents, the audit log and the header change together. Made
//! by [`Tenant::change`]; dropping it without a commit changes nothing. `write` holds the rows.

mod write;

pub(super) use write::write_contents;

use super::{
    Damage, Harm, StoreError, audit,
    clock::now,
    contents::Contents,
    difference::{changed_passwords, difference},
    header::{self, Header},
    inventory::Which,
    kind::{Kind, Stored, StoredInstance},
    tenant::Tenant,
};
use crate::{
    model::{
        base::time::Timestamp,
        inventory::record::{
            AuditEntry, Author, FilterRecord, GroupRecord, InstanceRecord, LabelRecord, Outcome, RecordId,
        },
    },
    vault::Sealer,
};
use rusqlite::{Transaction, TransactionBehavior};
use std::path::Path;

/// The tenants that a change may be made to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Setting {
    /// a tenant that is not suspended
    Active,
    /// any
    Any,
}

/// The last attempt, for the audit log.
pub(super) struct Attempt {
    action: &'static str,
    entity: &'static str,
    name: String,
    id: Option<RecordId>,
}

/// A change of a tenant's records, not yet committed.
pub struct Change<'t> {
    pub(super) transaction: Transaction<'t>,
    pub(super) sealer: &'t Sealer,
    pub(super) path: &'t Path,
    pub(super) header: Header,
    author: &'t Author,
    pub(super) now: Timestamp,
    /// by kind; None: not read yet
    contents: [Option<Contents>; Kind::ALL.len()],
    attempt: Option<Attempt>,
}

impl Tenant {
    /// Changes records: all that `work` does, with its audit entries, in one transaction; nothing if it fails. A refused
    /// attempt is an entry of the audit log, too. One writer at a time: waits up to 5 s for another process.
    ///
    /// # Errors
    /// Those of `work`; [`StoreError::Busy`], [`StoreError::KeyChanged`], [`StoreError::Suspended`],
    /// [`StoreError::Damaged`] if the header cannot be trusted.
    pub fn change<T>(
        &mut self,
        author: &Author,
        work: impl FnOnce(&mut Change<'_>) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let _lock = self.write_lock()?;
        self.change_locked(author, Setting::Active, work)
    }

    /// Writes an entry into the audit log for an action that changes no record here: what (action, kind and name of what it was done
    /// to), how it went, and details without any secret. A suspended tenant takes it, too.
    ///
    /// # Errors
    /// As [`Tenant::change`].
    pub fn note(
        &mut self,
        author: &Author,
        (action, entity, name): (&str, &str, &str),
        outcome: Outcome,
        detail: &str,
    ) -> Result<(), StoreError> {
        let _lock = self.write_lock()?;
        self.change_locked(author, Setting::Any, |change| change.log(action, entity, name, outcome, detail))
    }

    /// [`Tenant::change`] for a caller that holds the lock already.
    pub(super) fn change_locked<T>(
        &mut self,
        author: &Author,
        setting: Setting,
        work: impl FnOnce(&mut Change<'_>) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let mut change = self.begin(author, setting)?;
        match work(&mut change) {
            Ok(value) => change.commit().map(|()| value),
            Err(error) => {
                if let Some(attempt) = change.abandon() {
                    // The error names the refused attempt; a failure to write the log must not hide it.
                    let _ = self.begin(author, Setting::Any).and_then(|mut change| {
                        change.log_refused(&attempt, &error)?;
                        change.commit()
                    });
                }
                Err(error)
            }
        }
    }

    pub(super) fn begin<'t>(
        &'t mut self,
        author: &'t Author,
        setting: Setting,
    ) -> Result<Change<'t>, StoreError> {
        self.remember_first(now());
        let transaction = self
            .connection
            .transaction_with_behavior(TransactionBehavior::Immediate)
            .map_err(StoreError::sqlite("changing", &self.path))?;
        let plain = header::Plain::read(&transaction, &self.path)?;
        if plain.generation != self.generation {
            return Err(StoreError::KeyChanged(self.slug.to_string()));
        }
        let damaged = |damage| StoreError::Damaged { slug: self.slug.to_string(), damage };
        let header = plain.open(&self.sealer).map_err(damaged)?;
        if audit::last_entry(&transaction, &self.path)? != header.entries {
            let harm = Harm::Log;
            return Err(damaged(Damage { kind: "audit", name: format!("after {}", header.entries), harm }));
        }
        if header.suspended && setting == Setting::Active {
            return Err(StoreError::Suspended(self.slug.to_string()));
        }
        Ok(Change::new(transaction, &self.sealer, &self.path, header, author, now()))
    }
}

impl<'t> Change<'t> {
    pub(super) fn new(
        transaction: Transaction<'t>,
        sealer: &'t Sealer,
        path: &'t Path,
        header: Header,
        author: &'t Author,
        now: Timestamp,
    ) -> Self {
        let contents = [const { None }; Kind::ALL.len()];
        Self { transaction, sealer, path, header, author, now, contents, attempt: None }
    }

    /// Adds an instance. Groups and labels that are not there yet appear by themselves.
    ///
    /// # Errors
    /// [`StoreError::Invalid`], [`StoreError::NameTaken`].
    pub fn add_instance(&mut self, record: &InstanceRecord) -> Result<RecordId, StoreError> {
        self.attempting("add", Kind::Instance.as_str(), &record.name);
        let mut stored = self.stored(record, &[])?;
        // A file that was exported says since when it is watched; a time to come is none.
        let now = self.now;
        stored.record.added_at = record.added_at.filter(|at| (1..=now.ms()).contains(&at.ms())).or(Some(now));
        self.insert("add", &stored, &[])
    }

    /// Changes an instance that was read at `revision`. Returns its new revision.
    ///
    /// # Errors
    /// [`StoreError::Stale`] if somebody else changed it since, [`StoreError::NotFound`], and as
    /// [`Change::add_instance`].
    pub fn edit_instance(
        &mut self,
        id: RecordId,
        revision: u64,
        record: &InstanceRecord,
    ) -> Result<u64, StoreError> {
        self.attempting("edit", Kind::Instance.as_str(), &record.name);
        self.attempting_on(id);
        let before = self.one::<StoredInstance>(id, Which::Live)?;
        let known = before.as_ref().map_or(&[][..], |entry| &entry.record.group_ids);
        let mut stored = self.stored(record, known)?;
        stored.record.added_at = before.as_ref().and_then(|entry| entry.record.record.added_at);
        let detail = match &before {
            None => "replaced a damaged record".to_owned(),
            Some(entry) => {
                let fields = difference(&self.in_words(&entry.record)?, &self.in_words(&stored)?);
                let passwords = changed_passwords(&entry.record.record, &stored.record);
                let changed = Some(fields).filter(|fields| !fields.is_empty()).into_iter().chain(passwords);
                changed.collect::<Vec<_>>().join(", ")
            }
        };
        self.update(id, revision, &stored, detail)
    }

    /// An instance with the names of its groups, as people know it.
    fn in_words(&mut self, stored: &StoredInstance) -> Result<InstanceRecord, StoreError> {
        let lines = &self.contents(Kind::Group)?.lines;
        let live = stored.group_ids.iter().filter_map(|id| lines.get(id)).filter(|line| !line.deleted);
        let groups = live.map(|line| line.name.clone()).collect();
        Ok(InstanceRecord { groups, ..stored.record.clone() })
    }

    /// Adds a group, a label or a saved filter.
    ///
    /// # Errors
    /// As [`Change::add_instance`].
    pub fn add<R: Plain>(&mut self, record: &R) -> Result<RecordId, StoreError> {
        self.attempting("add", R::KIND.as_str(), &record.name());
        self.insert("add", record, &[])
    }

    /// Adds a label in the place of others, which are removed in the same change: their spelling of its key binds it no more.
    ///
    /// # Errors
    /// As [`Change::add_instance`].
    pub fn add_label_for(
        &mut self,
        record: &LabelRecord,
        leaving: &[RecordId],
    ) -> Result<RecordId, StoreError> {
        self.attempting("add", Kind::Label.as_str(), &record.name());
        self.insert("add", record, leaving)
    }

    /// Changes a group, a label or a saved filter that was read at `revision`. Returns its new revision.
    ///
    /// # Errors
    /// As [`Change::edit_instance`]; [`StoreError::LabelRename`].
    pub fn edit<R: Plain>(&mut self, id: RecordId, revision: u64, record: &R) -> Result<u64, StoreError> {
        self.attempting("edit", R::KIND.as_str(), &record.name());
        self.attempting_on(id);
        let before = self.one::<R>(id, Which::Live)?;
        // Instances carry its text: written in another case it stays the same label.
        let is_other =
            |entry: &super::Entry<R>| entry.record.name().to_lowercase() != record.name().to_lowercase();
        if R::KIND == Kind::Label && before.as_ref().is_some_and(is_other) {
            return Err(StoreError::LabelRename(record.name()));
        }
        let detail = before.as_ref().map_or_else(
            || "replaced a damaged record".to_owned(),
            |entry| difference(&entry.record, record),
        );
        self.update(id, revision, record, detail)
    }

    /// Deletes a record so that it can be restored. A label is taken off every instance that carries it. A damaged record
    /// is gone for good.
    ///
    /// # Errors
    /// [`StoreError::NotFound`].
    pub fn remove(&mut self, kind: Kind, id: RecordId) -> Result<(), StoreError> {
        let line = self.line(kind, id)?;
        self.attempting("remove", kind.as_str(), &line.name);
        self.attempting_on(id);
        match kind {
            Kind::Instance => self.set_deleted::<StoredInstance>(id, true),
            Kind::Group => self.set_deleted::<GroupRecord>(id, true),
            Kind::Filter => self.set_deleted::<FilterRecord>(id, true),
            Kind::Label => {
                if let Some(entry) = self.one::<LabelRecord>(id, Which::Live)? {
                    self.strip_label(&entry.record)?;
                }
                self.set_deleted::<LabelRecord>(id, true)
            }
        }
    }

    /// Brings a deleted record back.
    ///
    /// # Errors
    /// [`StoreError::NotFound`]; [`StoreError::NameTaken`] if another one has its name now.
    pub fn restore(&mut self, kind: Kind, id: RecordId) -> Result<(), StoreError> {
        let line = self.line(kind, id)?;
        self.attempting("restore", kind.as_str(), &line.name);
        self.attempting_on(id);
        match kind {
            Kind::Instance => self.set_deleted::<StoredInstance>(id, false),
            Kind::Group => self.set_deleted::<GroupRecord>(id, false),
            Kind::Filter => self.set_deleted::<FilterRecord>(id, false),
            Kind::Label => self.set_deleted::<LabelRecord>(id, false),
        }
    }

    /// Writes an entry of its own into the audit log, for an action that changes no record here.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn log(
        &mut self,
        action: &str,
        entity: &str,
        name: &str,
        outcome: Outcome,
        detail: &str,
    ) -> Result<(), StoreError> {
        self.log_of(None, (action, entity, name), outcome, detail)
    }

    /// Writes the entry of a change of this record.
    pub(super) fn log_of(
        &mut self,
        id: Option<RecordId>,
        (action, entity, name): (&str, &str, &str),
        outcome: Outcome,
        detail: &str,
    ) -> Result<(), StoreError> {
        let entry = AuditEntry {
            seq: self.header.entries + 1,
            at: self.now,
            author: self.author.clone(),
            action: action.to_owned(),
            entity: entity.to_owned(),
            name: name.to_owned(),
            outcome,
            detail: detail.to_owned(),
            id,
        };
        audit::append(&self.transaction, self.sealer, &mut self.header, &entry, self.path)
    }

    pub(super) fn log_refused(&mut self, attempt: &Attempt, error: &StoreError) -> Result<(), StoreError> {
        let outcome = Outcome::Refused(error.to_string());
        self.log_of(attempt.id, (attempt.action, attempt.entity, &attempt.name), outcome, "")
    }

    /// Notes the next attempt, for the audit log if it is refused.
    pub(super) fn attempting(&mut self, action: &'static str, entity: &'static str, name: &str) {
        self.attempt = Some(Attempt { action, entity, name: name.to_owned(), id: None });
    }

    /// Notes what record the attempt is about.
    fn attempting_on(&mut self, id: RecordId) {
        if let Some(attempt) = &mut self.attempt {
            attempt.id = Some(id);
        }
    }

    /// Gives up without changing anything. Returns the last attempt, if there was one.
    pub(super) fn abandon(self) -> Option<Attempt> {
        self.attempt
    }
}

/// Records without parts that live elsewhere: groups, labels, saved filters.
pub trait Plain: Stored + serde::Serialize {}

impl Plain for GroupRecord {}
impl Plain for LabelRecord {}
impl Plain for FilterRecord {}
