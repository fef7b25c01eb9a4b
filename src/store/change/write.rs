//! The rows behind a change: each write seals the record, and keeps table of contents, audit log and header in step.

use super::Change;
use crate::{
    model::inventory::record::{AuditEntry, GroupRecord, InstanceRecord, LabelRecord, Outcome, RecordId},
    store::{
        StoreError,
        contents::{Contents, Line},
        inventory::{Entry, Reader, Which, name_tag},
        kind::{Kind, Stored, StoredInstance, VERSION},
    },
    vault::{self, Place, Sealer},
};
use rusqlite::{OptionalExtension, Transaction, params};
use std::path::Path;

/// Conflicts of identity only: a taken name must fail, and must not replace the other record.
const UPSERT: &str = "INSERT INTO record VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7) ON CONFLICT(id) DO UPDATE SET
    revision = ?3, version = ?4, deleted = ?5, tag = ?6, sealed = ?7";

impl Change<'_> {
    pub(in crate::store) fn commit(mut self) -> Result<(), StoreError> {
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

    pub(super) fn reader(&self) -> Reader<'_> {
        Reader { connection: &self.transaction, path: self.path, sealer: self.sealer, damage: Vec::new() }
    }

    pub(super) fn contents(&mut self, kind: Kind) -> Result<&mut Contents, StoreError> {
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
    pub(super) fn contents_mut(&mut self, kind: Kind) -> Result<&mut Contents, StoreError> {
        let written = self.header.contents[kind as usize];
        let contents = self.contents(kind)?;
        contents.revision = written + 1;
        Ok(contents)
    }

    pub(super) fn line(&mut self, kind: Kind, id: RecordId) -> Result<Line, StoreError> {
        let missing = || StoreError::NotFound { kind: kind.as_str(), name: id.short() };
        self.contents(kind)?.lines.get(&id).cloned().ok_or_else(missing)
    }

    pub(super) fn one<R: Stored>(
        &mut self,
        id: RecordId,
        which: Which,
    ) -> Result<Option<Entry<R>>, StoreError> {
        self.contents(R::KIND)?;
        let Some(contents) = &self.contents[R::KIND as usize] else { return Ok(None) };
        self.reader().one(&id, Some(contents), which)
    }

    /// The record of this name that is not deleted.
    pub(super) fn find<R: Stored>(&self, name: &str) -> Result<Option<RecordId>, StoreError> {
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
    pub(super) fn stored(
        &mut self,
        record: &InstanceRecord,
        before: &[RecordId],
    ) -> Result<StoredInstance, StoreError> {
        record.validate()?;
        let mut group_ids = Vec::with_capacity(record.groups.len());
        for name in &record.groups {
            let id = if let Some(id) = self.find::<GroupRecord>(name)? {
                id
            } else {
                let group = GroupRecord { name: name.clone(), description: String::new() };
                self.insert("add", &group, &[])?
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
            self.refuse_other_spelling(key, &[])?;
            let label = LabelRecord::new(key, value);
            if self.find::<LabelRecord>(&label.name())?.is_none() {
                self.insert("add", &label, &[])?;
            }
        }
        let mut record = record.clone();
        record.groups.clear();
        Ok(StoredInstance { record, group_ids })
    }

    /// Holds a key to the spelling that is there ([`LabelRecord::check_spelling`]), but for that of labels that go out.
    fn refuse_other_spelling(&mut self, key: &str, leaving: &[RecordId]) -> Result<(), StoreError> {
        let lines = &self.contents(Kind::Label)?.lines;
        let live = lines.iter().filter(|(id, line)| !line.deleted && !leaving.contains(id));
        let keys = live.filter_map(|(_, line)| Some(line.name.split_once('=')?.0));
        Ok(LabelRecord::check_spelling(key, keys)?)
    }

    /// `leaving`: labels that go out in the same change.
    pub(super) fn insert<R: Stored>(
        &mut self,
        action: &str,
        record: &R,
        leaving: &[RecordId],
    ) -> Result<RecordId, StoreError> {
        record.validate()?;
        record.check_new_name()?;
        let name = record.name();
        if self.find::<R>(&name)?.is_some() {
            return Err(StoreError::NameTaken { kind: R::KIND.as_str(), name });
        }
        if R::KIND == Kind::Label {
            self.refuse_other_spelling(name.split_once('=').map_or(&*name, |(key, _)| key), leaving)?;
        }
        self.refuse_one_more(R::KIND)?;
        let id = vault::random_id()?;
        self.write(id, 1, false, record)?;
        self.log_of(Some(id), (action, R::KIND.as_str(), &name), Outcome::Done, "")?;
        Ok(id)
    }

    /// Holds the tenant to its limit of instances.
    fn refuse_one_more(&mut self, kind: Kind) -> Result<(), StoreError> {
        let Some(most) = self.header.limits.max_instances.filter(|_| kind == Kind::Instance) else {
            return Ok(());
        };
        let there = self.contents(kind)?.lines.values().filter(|line| !line.deleted).count();
        if there < most as usize { Ok(()) } else { Err(StoreError::TooMany { most, there }) }
    }

    pub(super) fn update<R: Stored>(
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
        if line.name.to_lowercase() != name.to_lowercase() {
            record.check_new_name()?;
        }
        self.write(id, revision + 1, false, record)?;
        let detail = if line.name == name { detail } else { AuditEntry::renamed(&line.name) + &detail };
        self.log_of(Some(id), ("edit", kind, &name), Outcome::Done, &detail)?;
        Ok(revision + 1)
    }

    pub(super) fn set_deleted<R: Stored>(&mut self, id: RecordId, deleted: bool) -> Result<(), StoreError> {
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
        if !deleted {
            self.refuse_one_more(R::KIND)?;
        }
        self.write(id, line.revision + 1, deleted, &entry.record)?;
        let action = if deleted { "remove" } else { "restore" };
        self.log_of(Some(id), (action, kind, &line.name), Outcome::Done, "")
    }

    /// Takes a record that cannot be read out of the file.
    pub(in crate::store) fn drop_damaged(
        &mut self,
        kind: Kind,
        id: RecordId,
        name: &str,
    ) -> Result<(), StoreError> {
        self.transaction
            .execute("DELETE FROM record WHERE id = ?1", [id.as_bytes()])
            .map_err(StoreError::sqlite("writing", self.path))?;
        self.contents_mut(kind)?.lines.remove(&id);
        let gone = "the record was damaged and is gone for good";
        self.log_of(Some(id), ("remove", kind.as_str(), name), Outcome::Done, gone)
    }

    pub(super) fn strip_label(&mut self, label: &LabelRecord) -> Result<(), StoreError> {
        self.contents(Kind::Instance)?;
        let instances = self
            .reader()
            .records::<StoredInstance>(self.contents[Kind::Instance as usize].as_ref(), Which::Live)?;
        for Entry { id, revision, mut record } in instances {
            let carries = |(key, value): (&String, &String)| {
                LabelRecord::new(key, value).name().to_lowercase() == label.name().to_lowercase()
            };
            let found = record.record.labels.iter().find(|label| carries(*label)).map(|(key, _)| key.clone());
            if let Some(key) = found {
                record.record.labels.remove(&key);
                let detail = format!("label {key}: {} → none", label.value);
                self.update(id, revision, &record, detail)?;
            }
        }
        Ok(())
    }

    pub(super) fn write<R: Stored>(
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

/// Seals and writes the table of contents of a kind.
pub(in crate::store) fn write_contents(
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
