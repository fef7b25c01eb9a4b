//! The key that a tenant's history is sealed with. It is random, made when it is first asked for, and kept in the tenant's
//! file, sealed with the data key. A rotation seals it anew without changing it, so history stays readable and need not be
//! written again. Backups have it, as it is in the file. Rotation is in `keys`.

use super::{Damage, Harm, StoreError, change::Setting, tenant::Tenant};
use crate::{
    model::inventory::record::{Author, Outcome, RecordId, TenantUid},
    vault::{self, Place, Sealer},
};
use rusqlite::{Connection, OptionalExtension};
use std::path::Path;
use zeroize::Zeroizing;

const SCHEMA: u32 = 1;
const NOBODY: RecordId = RecordId::from_bytes([0; 16]);

impl Tenant {
    /// The vault of this tenant's history. The first call makes the key and notes that in the audit log.
    ///
    /// # Errors
    /// [`StoreError::Damaged`] if the key is there and does not open: nothing is put in its place, since the history would be
    /// lost with it; those of [`Tenant::change`] when it is made.
    pub fn history_key(&mut self, author: &Author) -> Result<Sealer, StoreError> {
        if let Some(key) = self.stored_history_key()? {
            return Ok(Sealer::of_history(*self.uid(), &key)?);
        }
        let _lock = self.write_lock()?;
        // Another process may have made it while this one waited for the lock.
        if let Some(key) = self.stored_history_key()? {
            return Ok(Sealer::of_history(*self.uid(), &key)?);
        }
        let key = vault::history_key()?;
        self.change_locked(author, Setting::Any, |change| {
            change.attempting("add", "history key", "");
            write(&change.transaction, change.sealer, &key, change.path)?;
            change.log("add", "history key", "", Outcome::Done, "")
        })?;
        Ok(Sealer::of_history(*self.uid(), &key)?)
    }

    pub(super) fn stored_history_key(&self) -> Result<Option<Zeroizing<[u8; 32]>>, StoreError> {
        // Through the header, so that a rotation by another process is noticed before a good key looks damaged.
        self.plain()?;
        read(&self.connection, &self.sealer, &self.path)?
            .transpose()
            .map_err(|damage| StoreError::Damaged { slug: self.slug.to_string(), damage })
    }
}

/// Seals the key anew, if there is one. A key that does not open is an error: it must not be lost.
pub(super) fn reseal(
    connection: &Connection,
    (old, next): (&Sealer, &Sealer),
    path: &Path,
) -> Result<(), StoreError> {
    match read(connection, old, path)? {
        None => Ok(()),
        Some(Ok(key)) => write(connection, next, &key, path),
        Some(Err(first)) => {
            let slug = path.parent().and_then(Path::file_name).unwrap_or_default();
            Err(StoreError::RotateDamaged { slug: slug.to_string_lossy().into_owned(), damaged: 1, first })
        }
    }
}

type Found = Option<Result<Zeroizing<[u8; 32]>, Damage>>;

fn read(connection: &Connection, sealer: &Sealer, path: &Path) -> Result<Found, StoreError> {
    let found: Option<Vec<u8>> = connection
        .query_row("SELECT sealed FROM history", [], |row| row.get(0))
        .optional()
        .map_err(StoreError::sqlite("reading the key of the history in", path))?;
    Ok(found.map(|blob| {
        let plain = sealer.open(&place(sealer.tenant()), &blob).ok();
        let key = plain.and_then(|plain| <[u8; 32]>::try_from(plain.as_slice()).ok().map(Zeroizing::new));
        key.ok_or_else(|| Damage { kind: "history", name: "key".to_owned(), harm: Harm::Broken })
    }))
}

fn write(connection: &Connection, sealer: &Sealer, key: &[u8; 32], path: &Path) -> Result<(), StoreError> {
    let blob = sealer.seal(&place(sealer.tenant()), key)?;
    connection
        .execute("INSERT OR REPLACE INTO history VALUES (1, ?1)", [blob])
        .map(drop)
        .map_err(StoreError::sqlite("writing the key of the history to", path))
}

const fn place(tenant: &TenantUid) -> Place<'_> {
    Place { tenant, table: "history", id: &NOBODY, revision: 1, schema: SCHEMA }
}
