//! Key slots and the data key of an unlocked tenant. Adding and removing slots touches no record; a rotation seals every
//! record anew in one transaction, all or nothing.

use super::{
    AuditFilter, Damage, Harm, StoreError, audit,
    change::{Setting, write_contents},
    history_key,
    inventory::Reader,
    kind::Kind,
    tenant::Tenant,
};
use crate::{
    model::{
        base::time::Timestamp,
        inventory::record::{AuditEntry, Author, Outcome},
    },
    vault::{self, Cost, Opener, Place, Sealer, Slot},
};
use rusqlite::{Transaction, params};
use std::path::Path;

impl Tenant {
    /// When the data key was made; of a version that did not note it, by the audit log. None: nothing tells.
    ///
    /// # Errors
    /// The file cannot be read.
    pub fn keyed(&self) -> Result<Option<Timestamp>, StoreError> {
        let noted = self.header()?.ok().and_then(|header| header.keyed);
        if noted.is_some() {
            return Ok(noted);
        }
        let made = |entry: &AuditEntry| {
            entry.outcome == Outcome::Done
                && ((entry.action == "rotate" && entry.entity == "vault")
                    || (entry.action == "create" && entry.seq == 1))
        };
        Ok(self.audit(&AuditFilter::default())?.iter().rev().find(|entry| made(entry)).map(|entry| entry.at))
    }

    /// Adds a key slot. `cost` is for passphrases; None: calibrated.
    ///
    /// # Errors
    /// Those of [`vault::add_slot`] and of [`Tenant::change`].
    pub fn add_slot(
        &mut self,
        author: &Author,
        opener: &Opener,
        label: &str,
        cost: Option<Cost>,
    ) -> Result<Slot, StoreError> {
        let slot = vault::add_slot(&self.sealer, opener, label, cost)?;
        let bytes = slot.to_bytes();
        let name = format!("{} {}", slot.kind().name(), slot.id().short());
        let _lock = self.write_lock()?;
        self.change_locked(author, Setting::Any, |change| {
            change.attempting("add", "slot", &name);
            change
                .transaction
                .execute("INSERT INTO slot(slot) VALUES (?1)", [&bytes])
                .map_err(StoreError::sqlite("writing", change.path))?;
            change.log("add", "slot", &name, Outcome::Done, label)
        })?;
        Ok(slot)
    }

    /// Takes away the key slot whose id starts like this. A person with its key and a copy of the file can still open the
    /// copy; a person who copied the data key can open this file until [`Tenant::rotate`] locks them out.
    ///
    /// # Errors
    /// [`vault::VaultError::UnknownSlot`], [`vault::VaultError::LastSlot`]; those of [`Tenant::change`].
    pub fn remove_slot(&mut self, author: &Author, id: &str) -> Result<Slot, StoreError> {
        let _lock = self.write_lock()?;
        let (_, removed) = vault::without_slot(&self.slots()?, id)?;
        let name = format!("{} {}", removed.kind().name(), removed.id().short());
        self.change_locked(author, Setting::Any, |change| {
            change.attempting("remove", "slot", &name);
            change
                .transaction
                .execute("DELETE FROM slot WHERE slot = ?1", [removed.to_bytes()])
                .map_err(StoreError::sqlite("writing", change.path))?;
            change.log("remove", "slot", &name, Outcome::Done, "")
        })?;
        vault::forget(self.uid(), &removed);
        Ok(removed)
    }

    /// Makes a new data key: seals every record and entry anew, and seals the new key to every slot without its secret. One
    /// transaction: after an interruption the tenant is as it was. `without`: the start of the id of a slot that gets no new
    /// key.
    ///
    /// # Errors
    /// [`StoreError::RotateDamaged`] if there is a record that cannot be sealed anew; those of [`vault::rotate`] and of
    /// [`Tenant::change`].
    pub fn rotate(&mut self, author: &Author, without: Option<&str>) -> Result<(), StoreError> {
        let _lock = self.write_lock()?;
        self.refuse_damage()?;
        let all = self.slots()?;
        let (remaining, removed) = match without {
            Some(id) => {
                vault::without_slot(&all, id).map(|(remaining, removed)| (remaining, Some(removed)))?
            }
            None => (all, None),
        };
        let (next, slots) = vault::rotate(&self.sealer, &remaining)?;
        let clock = self.clock_left();
        self.reseal(author, &next, &slots, removed.as_ref())?;
        self.generation = next.generation();
        self.sealer = next;
        self.reseal_clock(clock);
        if let Some(slot) = removed {
            vault::forget(self.uid(), &slot);
        }
        self.sweep_old_copies();
        Ok(())
    }

    fn reseal(
        &mut self,
        author: &Author,
        next: &Sealer,
        slots: &[Slot],
        removed: Option<&Slot>,
    ) -> Result<(), StoreError> {
        let path = self.path.clone();
        let failed = || StoreError::sqlite("re-sealing", &path);
        let mut change = self.begin(author, Setting::Any)?;
        if let Some(slot) = removed {
            let name = format!("{} {}", slot.kind().name(), slot.id().short());
            change.log("remove", "slot", &name, Outcome::Done, "with a rotation of the data key")?;
        }
        let generation = format!("generation {}", next.generation());
        change.log("rotate", "vault", &generation, Outcome::Done, "")?;
        let (transaction, header, old) = (&change.transaction, &mut change.header, change.sealer);
        for kind in Kind::ALL {
            reseal_kind(transaction, kind, (old, next), header.contents[kind as usize], &path)?;
        }
        let first = header.anchor.map_or(1, |anchor| anchor.entries + 1);
        reseal_audit(transaction, first..=header.entries, (old, next), &path)?;
        header.keyed = Some(change.now);
        history_key::reseal(transaction, (old, next), &path)?;
        transaction.execute("DELETE FROM slot", []).map_err(failed())?;
        for slot in slots {
            transaction.execute("INSERT INTO slot(slot) VALUES (?1)", [slot.to_bytes()]).map_err(failed())?;
        }
        header.write(transaction, next, &path)?;
        change.transaction.commit().map_err(failed())
    }

    fn refuse_damage(&self) -> Result<(), StoreError> {
        let mut damage = self.inventory()?.damage;
        damage.extend(self.deleted()?.damage);
        damage.dedup();
        if let Some(first) = damage.first().cloned() {
            return Err(StoreError::RotateDamaged {
                slug: self.slug.to_string(),
                damaged: damage.len(),
                first,
            });
        }
        Ok(())
    }

    /// Removes data that is sealed with the old key from SQLite's log, and copies that a migration left. A failure loses
    /// nothing: the next checkpoint does it.
    fn sweep_old_copies(&self) {
        let _ = self.connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()));
        let _ = self.connection.execute_batch("PRAGMA incremental_vacuum");
        super::tenants::remove_copies(&self.folder);
    }
}

fn reseal_kind(
    transaction: &Transaction<'_>,
    kind: Kind,
    keys: (&Sealer, &Sealer),
    revision: u64,
    path: &Path,
) -> Result<(), StoreError> {
    let failed = || StoreError::sqlite("re-sealing", path);
    let (old, next) = keys;
    let mut reader = Reader { connection: transaction, path, sealer: old, damage: Vec::new() };
    let Some(contents) = reader.contents(None, kind)? else { return Ok(()) };
    for (id, line) in &contents.lines {
        let (version, sealed): (u32, Vec<u8>) = transaction
            .prepare_cached("SELECT version, sealed FROM record WHERE id = ?1")
            .and_then(|mut one| one.query_row([id.as_bytes()], |row| Ok((row.get(0)?, row.get(1)?))))
            .map_err(failed())?;
        let place = Place {
            tenant: old.tenant(),
            table: kind.as_str(),
            id,
            revision: line.revision,
            schema: version,
        };
        let sealed = next.seal(&place, &old.open(&place, &sealed)?)?;
        let tag = next.tag(kind.as_str(), &line.name.to_lowercase());
        transaction
            .prepare_cached("UPDATE record SET tag = ?2, sealed = ?3 WHERE id = ?1")
            .and_then(|mut put| put.execute(params![id.as_bytes(), tag, sealed]))
            .map_err(failed())?;
    }
    if revision > 0 {
        write_contents(transaction, next, kind, &contents, path)?;
    }
    Ok(())
}

fn reseal_audit(
    transaction: &Transaction<'_>,
    entries: std::ops::RangeInclusive<u64>,
    (old, next): (&Sealer, &Sealer),
    path: &Path,
) -> Result<(), StoreError> {
    let failed = || StoreError::sqlite("re-sealing the audit log of", path);
    for seq in entries {
        let found = transaction.prepare_cached("SELECT version, sealed FROM audit WHERE seq = ?1").and_then(
            |mut one| {
                one.query_row([seq as i64], |row| Ok((row.get::<_, u32>(0)?, row.get::<_, Vec<u8>>(1)?)))
            },
        );
        let id = audit::entry_id(seq);
        let plain = found.ok().and_then(|(version, sealed)| {
            let place = audit::place(old.tenant(), &id, version);
            Some((version, old.open(&place, &sealed).ok()?))
        });
        let Some((version, plain)) = plain else {
            let slug = path.parent().and_then(Path::file_name).unwrap_or_default();
            return Err(StoreError::RotateDamaged {
                slug: slug.to_string_lossy().into_owned(),
                damaged: 1,
                first: Damage { kind: "audit entry", name: seq.to_string(), harm: Harm::Broken },
            });
        };
        let sealed = next.seal(&audit::place(next.tenant(), &id, version), &plain)?;
        transaction
            .prepare_cached("UPDATE audit SET sealed = ?2 WHERE seq = ?1")
            .and_then(|mut put| put.execute(params![seq as i64, sealed]))
            .map_err(failed())?;
    }
    Ok(())
}
