//! Writing: one transaction in which records, their table of contents, the audit log and the header change together. Made
//! by [`Tenant::change`](super::Tenant::change); dropping it without a commit changes nothing.

use super::{
    StoreError, audit,
    contents::{Contents, Line},
    header::Header,
    inventory::{Entry, Reader, Which, name_tag},
    kind::{Kind, Stored, StoredInstance, VERSION},
};
use crate::{
    model::{
        base::{secret::Secret, time::Timestamp},
        inventory::record::{
            AuditEntry, Author, FilterRecord, GroupRecord, InstanceRecord, LabelRecord, Outcome, RecordId,
        },
    },
    vault::{self, Place, Sealer},
};
use rusqlite::{OptionalExtension, Transaction, params};
use std::path::Path;

/// Conflicts of identity only: a taken name must fail, and must not replace the other record.
const UPSERT: &str = "INSERT INTO record VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7) ON CONFLICT(id) DO UPDATE SET
    revision = ?3, version = ?4, deleted = ?5, tag = ?6, sealed = ?7";

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
}

/// A change of a tenant's records, not yet committed.
pub struct Change<'t> {
    pub(super) transaction: Transaction<'t>,
    pub(super) sealer: &'t Sealer,
    pub(super) path: &'t Path,
    pub(super) header: Header,
    author: &'t Author,
    now: Timestamp,
    /// by kind; None: not read yet
    contents: [Option<Contents>; Kind::ALL.len()],
    attempt: Option<Attempt>,
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
        let stored = self.stored(record, &[])?;
        self.insert("add", &stored, "")
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
        let before = self.one::<StoredInstance>(id, Which::Live)?;
        let known = before.as_ref().map_or(&[][..], |entry| &entry.record.group_ids);
        let stored = self.stored(record, known)?;
        let detail = before.as_ref().map_or_else(
            || "replaced a damaged record".to_owned(),
            |entry| {
                let mut changed = audit::difference(&entry.record, &stored);
                let secrets =
                    |stored: &StoredInstance| -> Vec<Secret> { stored.record.secrets().cloned().collect() };
                let (old, new) = (secrets(&entry.record), secrets(&stored));
                if !old.iter().map(Secret::reveal).eq(new.iter().map(Secret::reveal)) {
                    changed.push_str(if changed.is_empty() { "password" } else { ", password" });
                }
                changed
            },
        );
        self.update(id, revision, &stored, detail)
    }

    /// Adds a group, a label or a saved filter.
    ///
    /// # Errors
    /// As [`Change::add_instance`].
    pub fn add<R: Plain>(&mut self, record: &R) -> Result<RecordId, StoreError> {
        self.attempting("add", R::KIND.as_str(), &record.name());
        self.insert("add", record, "")
    }

    /// Changes a group, a label or a saved filter that was read at `revision`. Returns its new revision.
    ///
    /// # Errors
    /// As [`Change::edit_instance`]; [`StoreError::LabelRename`].
    pub fn edit<R: Plain>(&mut self, id: RecordId, revision: u64, record: &R) -> Result<u64, StoreError> {
        self.attempting("edit", R::KIND.as_str(), &record.name());
        let before = self.one::<R>(id, Which::Live)?;
        if R::KIND == Kind::Label && before.as_ref().is_some_and(|entry| entry.record.name() != record.name())
        {
            return Err(StoreError::LabelRename(record.name()));
        }
        let detail = before.as_ref().map_or_else(
            || "replaced a damaged record".to_owned(),
            |entry| audit::difference(&entry.record, record),
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
        let entry = AuditEntry {
            seq: self.header.entries + 1,
            at: self.now,
            author: self.author.clone(),
            action: action.to_owned(),
            entity: entity.to_owned(),
            name: name.to_owned(),
            outcome,
            detail: detail.to_owned(),
        };
        audit::append(&self.transaction, self.sealer, &mut self.header, &entry, self.path)
    }

    pub(super) fn log_refused(&mut self, attempt: &Attempt, error: &StoreError) -> Result<(), StoreError> {
        let outcome = Outcome::Refused(error.to_string());
        self.log(attempt.action, attempt.entity, &attempt.name, outcome, "")
    }

    /// Notes the next attempt, for the audit log if it is refused.
    pub(super) fn attempting(&mut self, action: &'static str, entity: &'static str, name: &str) {
        self.attempt = Some(Attempt { action, entity, name: name.to_owned() });
    }

    /// Gives up without changing anything. Returns the last attempt, if there was one.
    pub(super) fn abandon(self) -> Option<Attempt> {
        self.attempt
    }

    pub(super) fn commit(mut self) -> Result<(), StoreError> {
        for kind in Kind::ALL {
            let at = kind as usize;
            let Some(contents) = self.contents[at].take() else { continue };
            if contents.revision == self.header.contents[at] {
                continue;
            }
            self.header.contents[at] = contents.revision;
            write_contents(&self.transaction, self.sealer, kind, &contents, self.path)?;
        }
        self.header.write(&self.transaction, self.sealer, self.path)?;
        self.transaction.commit().map_err(StoreError::sqlite("writing", self.path))
    }

    fn reader(&self) -> Reader<'_> {
        Reader { connection: &self.transaction, path: self.path, sealer: self.sealer, damage: Vec::new() }
    }

    fn contents(&mut self, kind: Kind) -> Result<&mut Contents, StoreError> {
        let at = kind as usize;
        if self.contents[at].is_none() {
            let mut reader = self.reader();
            let read = reader.contents(Some(&self.header), kind)?;
            let damage = reader.damage.pop();
            let contents = match (read, damage) {
                (Some(contents), _) => contents,
                (None, Some(damage)) => {
                    let slug = self.path.parent().and_then(Path::file_name).unwrap_or_default();
                    return Err(StoreError::Damaged { slug: slug.to_string_lossy().into_owned(), damage });
                }
                (None, None) => Contents::default(),
            };
            self.contents[at] = Some(contents);
        }
        Ok(self.contents[at].get_or_insert_default())
    }

    /// The contents of a kind, to change them, with the next revision.
    fn contents_mut(&mut self, kind: Kind) -> Result<&mut Contents, StoreError> {
        let written = self.header.contents[kind as usize];
        let contents = self.contents(kind)?;
        contents.revision = written + 1;
        Ok(contents)
    }

    fn line(&mut self, kind: Kind, id: RecordId) -> Result<Line, StoreError> {
        let missing = || StoreError::NotFound { kind: kind.as_str(), name: id.short() };
        self.contents(kind)?.lines.get(&id).cloned().ok_or_else(missing)
    }

    fn one<R: Stored>(&mut self, id: RecordId, which: Which) -> Result<Option<Entry<R>>, StoreError> {
        self.contents(R::KIND)?;
        let Some(contents) = &self.contents[R::KIND as usize] else { return Ok(None) };
        self.reader().one(&id, Some(contents), which)
    }

    /// The record of this name that is not deleted.
    fn find<R: Stored>(&self, name: &str) -> Result<Option<RecordId>, StoreError> {
        self.transaction
            .prepare_cached("SELECT id FROM record WHERE kind = ?1 AND tag = ?2 AND deleted = 0")
            .and_then(|mut one| {
                let tag = name_tag::<R>(self.sealer, name);
                one.query_row(params![R::KIND.as_str(), tag], |row| row.get(0)).optional()
            })
            .map(|id| id.map(RecordId::from_bytes))
            .map_err(StoreError::sqlite("reading", self.path))
    }

    /// An instance with the identities of its groups. Groups and labels that it names are made if need be. Deleted groups
    /// keep it as a member, for when they are restored.
    fn stored(&mut self, record: &InstanceRecord, before: &[RecordId]) -> Result<StoredInstance, StoreError> {
        record.validate()?;
        let mut group_ids = Vec::with_capacity(record.groups.len());
        for name in &record.groups {
            let id = if let Some(id) = self.find::<GroupRecord>(name)? {
                id
            } else {
                let group = GroupRecord { name: name.clone(), description: String::new() };
                self.insert("add", &group, "")?
            };
            if !group_ids.contains(&id) {
                group_ids.push(id);
            }
        }
        for id in before {
            let deleted = self.contents(Kind::Group)?.lines.get(id).is_some_and(|line| line.deleted);
            if deleted && !group_ids.contains(id) {
                group_ids.push(*id);
            }
        }
        for (key, value) in &record.labels {
            let label = LabelRecord::new(key, value);
            if self.find::<LabelRecord>(&label.name())?.is_none() {
                self.insert("add", &label, "")?;
            }
        }
        let mut record = record.clone();
        record.groups.clear();
        Ok(StoredInstance { record, group_ids })
    }

    fn insert<R: Stored>(&mut self, action: &str, record: &R, detail: &str) -> Result<RecordId, StoreError> {
        record.validate()?;
        let name = record.name();
        if self.find::<R>(&name)?.is_some() {
            return Err(StoreError::NameTaken { kind: R::KIND.as_str(), name });
        }
        let id = vault::random_id()?;
        self.write(id, 1, false, record)?;
        self.log(action, R::KIND.as_str(), &name, Outcome::Done, detail)?;
        Ok(id)
    }

    fn update<R: Stored>(
        &mut self,
        id: RecordId,
        revision: u64,
        record: &R,
        detail: String,
    ) -> Result<u64, StoreError> {
        record.validate()?;
        let (kind, name) = (R::KIND.as_str(), record.name());
        let line = self.line(R::KIND, id)?;
        if line.deleted {
            return Err(StoreError::NotFound { kind, name });
        }
        if line.revision != revision {
            return Err(StoreError::Stale { kind, name });
        }
        if self.find::<R>(&name)?.is_some_and(|other| other != id) {
            return Err(StoreError::NameTaken { kind, name });
        }
        self.write(id, revision + 1, false, record)?;
        let detail = if line.name == name { detail } else { format!("was {}; {detail}", line.name) };
        self.log("edit", kind, &name, Outcome::Done, &detail)?;
        Ok(revision + 1)
    }

    fn set_deleted<R: Stored>(&mut self, id: RecordId, deleted: bool) -> Result<(), StoreError> {
        let kind = R::KIND.as_str();
        let line = self.line(R::KIND, id)?;
        if line.deleted == deleted {
            return Err(StoreError::NotFound { kind, name: line.name });
        }
        let which = if deleted { Which::Live } else { Which::Deleted };
        let Some(entry) = self.one::<R>(id, which)? else {
            if deleted {
                return self.drop_damaged(R::KIND, id, &line.name);
            }
            return Err(StoreError::NotFound { kind, name: line.name });
        };
        if !deleted && self.find::<R>(&line.name)?.is_some() {
            return Err(StoreError::NameTaken { kind, name: line.name });
        }
        self.write(id, line.revision + 1, deleted, &entry.record)?;
        let action = if deleted { "remove" } else { "restore" };
        self.log(action, kind, &line.name, Outcome::Done, "")
    }

    /// Takes a record that cannot be read out of the file.
    pub(super) fn drop_damaged(&mut self, kind: Kind, id: RecordId, name: &str) -> Result<(), StoreError> {
        self.transaction
            .execute("DELETE FROM record WHERE id = ?1", [id.as_bytes()])
            .map_err(StoreError::sqlite("writing", self.path))?;
        self.contents_mut(kind)?.lines.remove(&id);
        self.log("remove", kind.as_str(), name, Outcome::Done, "the record was damaged and is gone for good")
    }

    fn strip_label(&mut self, label: &LabelRecord) -> Result<(), StoreError> {
        self.contents(Kind::Instance)?;
        let instances = self
            .reader()
            .records::<StoredInstance>(self.contents[Kind::Instance as usize].as_ref(), Which::Live)?;
        for Entry { id, revision, mut record } in instances {
            let carries = |(key, value): (&String, &String)| {
                LabelRecord::new(key, value).name().to_lowercase() == label.name().to_lowercase()
            };
            if record.record.labels.iter().any(carries) {
                record.record.labels.remove(&label.key);
                self.update(id, revision, &record, format!("without label {}", label.name()))?;
            }
        }
        Ok(())
    }

    fn write<R: Stored>(
        &mut self,
        id: RecordId,
        revision: u64,
        deleted: bool,
        record: &R,
    ) -> Result<(), StoreError> {
        let kind = R::KIND.as_str();
        let place = Place { tenant: self.sealer.tenant(), table: kind, id: &id, revision, schema: VERSION };
        let failed = || StoreError::sqlite("writing", self.path);
        let plain = record.encode().ok_or_else(|| failed()(rusqlite::Error::InvalidQuery))?;
        let sealed = self.sealer.seal(&place, &plain)?;
        let tag = name_tag::<R>(self.sealer, &record.name());
        self.transaction
            .prepare_cached(UPSERT)
            .and_then(|mut put| {
                put.execute(params![id.as_bytes(), kind, revision as i64, VERSION, deleted, tag, sealed])
            })
            .map_err(failed())?;
        let line = Line { revision, deleted, name: record.name() };
        self.contents_mut(R::KIND)?.lines.insert(id, line);
        Ok(())
    }
}

/// Records without parts that live elsewhere: groups, labels, saved filters.
pub trait Plain: Stored + serde::Serialize {}

impl Plain for GroupRecord {}
impl Plain for LabelRecord {}
impl Plain for FilterRecord {}

/// Seals and writes the table of contents of a kind.
pub(super) fn write_contents(
    transaction: &Transaction<'_>,
    sealer: &Sealer,
    kind: Kind,
    contents: &Contents,
    path: &Path,
) -> Result<(), StoreError> {
    let place = Contents::place(sealer.tenant(), kind, contents.revision);
    let blob = sealer.seal(&place, &contents.encode())?;
    transaction
        .execute(
            "INSERT OR REPLACE INTO contents VALUES (?1, ?2, ?3)",
            params![kind.as_str(), contents.revision as i64, blob],
        )
        .map(|_| ())
        .map_err(StoreError::sqlite("writing", path))
}
