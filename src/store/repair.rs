//! Repair of a damaged tenant: records that cannot be trusted are taken out and named in the audit log, and the tables of
//! contents and the header are written anew over the rest. Called by `dbtop tenant repair`, when a person asks for it.

use super::{
    Damage, StoreError,
    change::{Change, write_contents},
    clock::now,
    contents::{Contents, Line},
    header::{Header, Plain},
    inventory::{Reader, Which},
    kind::{Kind, Stored, StoredInstance},
    tenant::Tenant,
};
use crate::model::inventory::record::{Author, FilterRecord, GroupRecord, LabelRecord, Outcome, RecordId};
use rusqlite::{Connection, OptionalExtension, TransactionBehavior};
use std::path::Path;

impl Tenant {
    /// Takes out damaged records; the rest can be changed again. Broken audit entries stay as evidence, and the log goes on
    /// behind them. Returns the damage; without any nothing is done.
    ///
    /// # Errors
    /// [`StoreError::Busy`]; the file cannot be written.
    pub fn repair(&mut self, author: &Author) -> Result<Vec<Damage>, StoreError> {
        let _lock = self.write_lock()?;
        let mut damage = self.inventory()?.damage;
        for more in self.deleted()?.damage {
            if !damage.contains(&more) {
                damage.push(more);
            }
        }
        if damage.is_empty() {
            return Ok(damage);
        }
        let (found, found_anchor) = (self.found_head()?, self.found_anchor()?);
        let failed = || StoreError::sqlite("repairing", &self.path);
        let transaction =
            self.connection.transaction_with_behavior(TransactionBehavior::Immediate).map_err(failed())?;
        let plain = Plain::read(&transaction, &self.path)?;
        let whole = plain.open(&self.sealer).ok();
        let mut header = Header { revision: plain.revision, suspended: plain.suspended, ..Header::empty() };
        header.limits = whole.as_ref().map_or(header.limits, |whole| whole.limits);
        header.keyed = whole.as_ref().and_then(|whole| whole.keyed);
        header.anchor = whole.as_ref().map_or(found_anchor, |whole| whole.anchor);
        (header.entries, header.head) = (found.entries, found.hash);
        if let Some(whole) = whole.as_ref().filter(|whole| whole.entries == found.entries) {
            header.head = whole.head;
        }
        // One revision further than any before, so that a later replay is noticed.
        let revision = newest(&transaction, whole.as_ref(), &self.path)? + 1;
        for kind in Kind::ALL {
            let mut reader = Reader {
                connection: &transaction,
                path: &self.path,
                sealer: &self.sealer,
                damage: Vec::new(),
            };
            let listed = reader.contents(whole.as_ref(), kind)?;
            let mut kept = match kind {
                Kind::Instance => keep::<StoredInstance>(&reader, listed.as_ref())?,
                Kind::Group => keep::<GroupRecord>(&reader, listed.as_ref())?,
                Kind::Label => keep::<LabelRecord>(&reader, listed.as_ref())?,
                Kind::Filter => keep::<FilterRecord>(&reader, listed.as_ref())?,
            };
            kept.revision = revision;
            write_contents(&transaction, &self.sealer, kind, &kept, &self.path)?;
            header.contents[kind as usize] = revision;
        }
        transaction
            .execute("DELETE FROM record WHERE kind NOT IN ('instance', 'group', 'label', 'filter')", [])
            .map_err(failed())?;
        let mut change = Change::new(transaction, &self.sealer, &self.path, header, author, now());
        for Damage { kind, name, .. } in &damage {
            change.log(
                "repair",
                kind,
                name,
                Outcome::Done,
                "it was damaged; what could not be read is gone",
            )?;
        }
        change.commit()?;
        self.generation = self.sealer.generation();
        Ok(damage)
    }
}

fn newest(connection: &Connection, whole: Option<&Header>, path: &Path) -> Result<u64, StoreError> {
    let written = connection
        .query_row("SELECT max(revision) FROM contents", [], |row| row.get::<_, Option<i64>>(0))
        .optional()
        .map_err(StoreError::sqlite("repairing", path))?;
    let vouched = whole.and_then(|header| header.contents.iter().max().copied()).unwrap_or(0);
    Ok(vouched.max(written.flatten().unwrap_or(0) as u64))
}

/// The table of contents of the records of a kind that can be trusted; the others are deleted.
fn keep<R: Stored>(reader: &Reader<'_>, listed: Option<&Contents>) -> Result<Contents, StoreError> {
    let failed = || StoreError::sqlite("repairing", reader.path);
    let rows: Vec<(i64, Vec<u8>)> = reader
        .connection
        .prepare_cached("SELECT rowid, CAST(id AS BLOB) FROM record WHERE kind = ?1")
        .and_then(|mut all| {
            all.query_map([R::KIND.as_str()], |row| Ok((row.get(0)?, row.get(1)?)))?.collect()
        })
        .map_err(failed())?;
    let mut kept = Contents::default();
    for (row, id) in rows {
        let id = <[u8; 16]>::try_from(id).ok().map(RecordId::from_bytes);
        let mut line = None;
        for which in [Which::Live, Which::Deleted] {
            let Some(id) = id else { break };
            if let Some(entry) = reader.one::<R>(&id, listed, which)? {
                let deleted = which == Which::Deleted;
                line = Some((id, Line { revision: entry.revision, deleted, name: entry.record.name() }));
            }
        }
        match line {
            Some((id, line)) => drop(kept.lines.insert(id, line)),
            None => drop(
                reader.connection.execute("DELETE FROM record WHERE rowid = ?1", [row]).map_err(failed())?,
            ),
        }
    }
    Ok(kept)
}
