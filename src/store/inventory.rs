//! Reading a tenant's records: every row is compared with the table of contents, opened and decoded. A record that cannot
//! be trusted is left out and named; the others are read. Called by [`Tenant`] and by changes.

use super::{
    Damage, Harm, StoreError,
    audit::last_entry,
    contents::Contents,
    header::Header,
    kind::{Kind, Stored, StoredInstance, VERSION},
    tenant::Tenant,
};
use crate::{
    model::inventory::record::{FilterRecord, GroupRecord, InstanceRecord, LabelRecord, RecordId},
    vault::{Place, Sealer},
};
use rusqlite::{Connection, OptionalExtension};
use std::{collections::HashMap, path::Path};

/// A record with its identity and revision. A change needs both: a revision that is not the newest is refused.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry<T> {
    /// identity
    pub id: RecordId,
    /// counts its changes, from 1
    pub revision: u64,
    /// the record
    pub record: T,
}

/// The records of one tenant, sorted by name.
#[derive(Clone, Default)]
pub struct Inventory {
    /// instances
    pub instances: Vec<Entry<InstanceRecord>>,
    /// groups
    pub groups: Vec<Entry<GroupRecord>>,
    /// labels
    pub labels: Vec<Entry<LabelRecord>>,
    /// saved filters
    pub filters: Vec<Entry<FilterRecord>>,
    /// records that could not be trusted
    pub damage: Vec<Damage>,
}

impl Inventory {
    /// The instance of this name, in any case.
    pub fn instance(&self, name: &str) -> Option<&Entry<InstanceRecord>> {
        let name = name.to_lowercase();
        self.instances.iter().find(|entry| entry.record.name.to_lowercase() == name)
    }

    /// The group of this name, in any case.
    pub fn group(&self, name: &str) -> Option<&Entry<GroupRecord>> {
        let name = name.to_lowercase();
        self.groups.iter().find(|entry| entry.record.name.to_lowercase() == name)
    }

    /// The label, in any case.
    pub fn label(&self, key: &str, value: &str) -> Option<&Entry<LabelRecord>> {
        let name = format!("{key}={value}").to_lowercase();
        self.labels.iter().find(|entry| entry.record.name().to_lowercase() == name)
    }

    /// The saved filter of this name, in any case.
    pub fn filter(&self, name: &str) -> Option<&Entry<FilterRecord>> {
        let name = name.to_lowercase();
        self.filters.iter().find(|entry| entry.record.name.to_lowercase() == name)
    }
}

/// The records that are opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Which {
    Live,
    Deleted,
}

impl Tenant {
    /// All records that are not deleted, and the damaged ones.
    ///
    /// # Errors
    /// The file cannot be read at all, or its data key was changed meanwhile. Damaged records are no error: they are in
    /// [`Inventory::damage`].
    pub fn inventory(&self) -> Result<Inventory, StoreError> {
        read(self, Which::Live)
    }

    /// All deleted records, which can be restored.
    ///
    /// # Errors
    /// As [`Tenant::inventory`].
    pub fn deleted(&self) -> Result<Inventory, StoreError> {
        read(self, Which::Deleted)
    }
}

/// Reads a tenant in one transaction, so that half of another writer's change is never seen.
fn read(tenant: &Tenant, which: Which) -> Result<Inventory, StoreError> {
    let transaction =
        tenant.connection.unchecked_transaction().map_err(StoreError::sqlite("reading", &tenant.path))?;
    let mut damage = Vec::new();
    let header = match tenant.header()? {
        Ok(header) => {
            if last_entry(&transaction, &tenant.path)? != header.entries {
                damage.push(Damage {
                    kind: "audit",
                    name: format!("after {}", header.entries),
                    harm: Harm::Log,
                });
            }
            Some(header)
        }
        Err(broken) => {
            damage.push(broken);
            None
        }
    };
    let mut reader = Reader { connection: &transaction, path: &tenant.path, sealer: &tenant.sealer, damage };
    let groups = reader.kind::<GroupRecord>(header.as_ref(), which)?;
    // An instance shows the groups that are there; the same holds for a deleted instance.
    let names: HashMap<RecordId, String> = match which {
        Which::Live => groups.iter().map(|entry| (entry.id, entry.record.name.clone())).collect(),
        Which::Deleted => {
            let live = reader.quietly(|reader| reader.kind::<GroupRecord>(header.as_ref(), Which::Live))?;
            live.into_iter().map(|entry| (entry.id, entry.record.name)).collect()
        }
    };
    let instances = reader.kind::<StoredInstance>(header.as_ref(), which)?;
    let labels = reader.kind::<LabelRecord>(header.as_ref(), which)?;
    let filters = reader.kind::<FilterRecord>(header.as_ref(), which)?;
    let instances = instances
        .into_iter()
        .map(|Entry { id, revision, record }| Entry { id, revision, record: record.shown(&names) })
        .collect();
    Ok(Inventory { instances, groups, labels, filters, damage: reader.damage })
}

impl StoredInstance {
    /// An instance with the names of its groups.
    fn shown(self, names: &HashMap<RecordId, String>) -> InstanceRecord {
        let mut record = self.record;
        record.groups = self.group_ids.iter().filter_map(|id| names.get(id).cloned()).collect();
        record
    }
}

/// Reads records within a transaction and gathers the damaged ones.
pub(super) struct Reader<'a> {
    pub connection: &'a Connection,
    pub path: &'a Path,
    pub sealer: &'a Sealer,
    pub damage: Vec<Damage>,
}

/// A row of the table `record` with its sealed column.
struct Row {
    id: RecordId,
    revision: u64,
    version: u32,
    deleted: bool,
    tag: Vec<u8>,
    sealed: Vec<u8>,
}

impl Reader<'_> {
    fn quietly<T>(&mut self, work: impl FnOnce(&mut Self) -> T) -> T {
        let known = self.damage.len();
        let result = work(self);
        self.damage.truncate(known);
        result
    }

    /// The table of contents of a kind. If it is broken, notes the damage and returns None.
    pub fn contents(&mut self, header: Option<&Header>, kind: Kind) -> Result<Option<Contents>, StoreError> {
        let row: Option<(i64, Vec<u8>)> = self
            .connection
            .prepare_cached("SELECT revision, sealed FROM contents WHERE kind = ?1")
            .and_then(|mut one| {
                one.query_row([kind.as_str()], |row| Ok((row.get(0)?, row.get(1)?))).optional()
            })
            .map_err(StoreError::sqlite("reading", self.path))?;
        let vouched = header.map(|header| header.contents[kind as usize]);
        let contents = match row {
            None if vouched.is_none_or(|revision| revision == 0) => Some(Contents::default()),
            Some((revision, sealed)) if vouched.is_none_or(|vouched| vouched == revision as u64) => {
                let place = Contents::place(self.sealer.tenant(), kind, revision as u64);
                let plain = self.sealer.open(&place, &sealed).ok();
                plain.and_then(|plain| Contents::decode(revision as u64, &plain))
            }
            _ => None,
        };
        if contents.is_none() {
            let harm = Harm::Contents;
            self.damage.push(Damage { kind: kind.as_str(), name: String::new(), harm });
        }
        Ok(contents)
    }

    /// All records of a kind, sorted by name.
    pub fn kind<R: Stored>(
        &mut self,
        header: Option<&Header>,
        which: Which,
    ) -> Result<Vec<Entry<R>>, StoreError> {
        let contents = self.contents(header, R::KIND)?;
        self.records(contents.as_ref(), which)
    }

    /// The records that `contents` lists; all that can be opened if it is None.
    pub fn records<R: Stored>(
        &mut self,
        contents: Option<&Contents>,
        which: Which,
    ) -> Result<Vec<Entry<R>>, StoreError> {
        let failed = || StoreError::sqlite("reading", self.path);
        let mut statement = self
            .connection
            .prepare_cached("SELECT id, revision, version, deleted, tag, sealed FROM record WHERE kind = ?1")
            .map_err(failed())?;
        let mut rows = statement.query([R::KIND.as_str()]).map_err(failed())?;
        let mut entries = Vec::with_capacity(contents.map_or(0, |contents| contents.lines.len()));
        let (mut seen, mut damage) = (0, Vec::new());
        let mut met = std::collections::HashSet::new();
        while let Some(row) = rows.next().map_err(failed())? {
            let Ok(row) = Row::read(row) else {
                continue; // missing records are noted below
            };
            if contents.is_some_and(|contents| contents.lines.contains_key(&row.id)) {
                seen += 1;
                met.insert(row.id);
            }
            match self.open::<R>(&row, contents, which) {
                Ok(Some(entry)) => entries.push((entry.record.name().to_lowercase(), entry)),
                Ok(None) => {}
                Err((name, harm)) => damage.push(Damage { kind: R::KIND.as_str(), name, harm }),
            }
        }
        if let Some(contents) = contents.filter(|contents| contents.lines.len() != seen) {
            let missing = contents.lines.iter().filter(|(id, _)| !met.contains(id));
            damage.extend(missing.map(|(_, line)| Damage {
                kind: R::KIND.as_str(),
                name: line.name.clone(),
                harm: Harm::Missing,
            }));
        }
        self.damage.extend(damage);
        entries.sort_by(|a, b| a.0.cmp(&b.0));
        Ok(entries.into_iter().map(|(_, entry)| entry).collect())
    }

    fn open<R: Stored>(
        &self,
        row: &Row,
        contents: Option<&Contents>,
        which: Which,
    ) -> Result<Option<Entry<R>>, (String, Harm)> {
        let line = contents.map(|contents| contents.lines.get(&row.id));
        let name = || line.flatten().map_or_else(|| row.id.short(), |line| line.name.clone());
        match line {
            Some(None) => return Err((name(), Harm::Unexpected)),
            Some(Some(line)) if line.revision != row.revision || line.deleted != row.deleted => {
                return Err((name(), Harm::Replayed));
            }
            _ => {}
        }
        if row.version > VERSION {
            return Err((name(), Harm::Newer));
        }
        if row.deleted != (which == Which::Deleted) {
            return Ok(None);
        }
        let place = Place {
            tenant: self.sealer.tenant(),
            table: R::KIND.as_str(),
            id: &row.id,
            revision: row.revision,
            schema: row.version,
        };
        let plain = self.sealer.open(&place, &row.sealed).map_err(|_| (name(), Harm::Broken))?;
        let record = R::decode(&plain).ok_or_else(|| (name(), Harm::Broken))?;
        if row.tag != name_tag::<R>(self.sealer, &record.name()) {
            return Err((name(), Harm::Broken));
        }
        Ok(Some(Entry { id: row.id, revision: row.revision, record }))
    }

    /// One record, if it can be trusted.
    pub fn one<R: Stored>(
        &self,
        id: &RecordId,
        contents: Option<&Contents>,
        which: Which,
    ) -> Result<Option<Entry<R>>, StoreError> {
        let row = self
            .connection
            .prepare_cached("SELECT id, revision, version, deleted, tag, sealed FROM record WHERE id = ?1")
            .and_then(|mut one| one.query_row([id.as_bytes()], |row| Ok(Row::read(row))).optional())
            .map_err(StoreError::sqlite("reading", self.path))?;
        let Some(Ok(row)) = row else { return Ok(None) };
        Ok(self.open::<R>(&row, contents, which).ok().flatten())
    }
}

impl Row {
    fn read(row: &rusqlite::Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self {
            id: RecordId::from_bytes(row.get(0)?),
            revision: row.get::<_, i64>(1)? as u64,
            version: row.get(2)?,
            deleted: row.get(3)?,
            tag: row.get(4)?,
            sealed: row.get(5)?,
        })
    }
}

/// The blind index of a name: the same for names that differ in case only.
pub(super) fn name_tag<R: Stored>(sealer: &Sealer, name: &str) -> [u8; 32] {
    sealer.tag(R::KIND.as_str(), &name.to_lowercase())
}
