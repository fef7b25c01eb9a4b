//! One tenant's file, locked and unlocked. [`Tenants`](super::Tenants) opens it; [`Tenant::inventory`] reads,
//! [`Tenant::change`] writes. Dropping the [`Tenant`] locks it again and wipes its keys.

use super::{
    Damage, Harm, StoreError,
    change::{Change, Setting},
    header::{Header, Plain},
    home::check_mode,
    inventory::{Inventory, Which, read},
    lock::{PATIENCE, WriteLock},
    schema,
};
use crate::{
    model::{
        base::time::Timestamp,
        inventory::record::{Author, Slug, TenantUid},
    },
    vault::{self, Env, Opener, Sealer, Slot, SlotKind, VaultError},
};
use rusqlite::{Connection, TransactionBehavior};
use std::{
    path::{Path, PathBuf},
    time::SystemTime,
};

/// The name of a tenant's file in its folder.
pub(super) const FILE: &str = "inventory.db";
const LOCK: &str = "tenant.lock";

/// The part of a tenant that is readable without a key: its identity, and its key slots.
#[derive(Clone)]
pub struct LockedTenant {
    slug: Slug,
    folder: PathBuf,
    uid: TenantUid,
    slots: Vec<Slot>,
    /// unreadable slots, as they stand in the file
    unreadable: Vec<Vec<u8>>,
    suspended: bool,
}

impl LockedTenant {
    /// Reads the tenant in `folder` without a key; its file must be of the newest version.
    pub(super) fn look(slug: Slug, folder: PathBuf) -> Result<Self, StoreError> {
        let path = folder.join(FILE);
        let connection = schema::open(&path)?;
        let found = schema::version(&connection, &path)?;
        let known = schema::STEPS.len() as u32;
        if found > known {
            return Err(StoreError::Newer { path, found, known });
        }
        let plain = Plain::read(&connection, &path)?;
        let (slots, suspended) = (plain.slots(), plain.suspended);
        let unreadable = plain.slots.into_iter().filter(|bytes| Slot::from_bytes(bytes).is_err()).collect();
        Ok(Self { slug, folder, uid: plain.tenant, slots, unreadable, suspended })
    }

    /// Its name.
    pub const fn slug(&self) -> &Slug {
        &self.slug
    }

    /// Its identity.
    pub const fn uid(&self) -> &TenantUid {
        &self.uid
    }

    /// Its folder.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Its key slots.
    pub fn slots(&self) -> &[Slot] {
        &self.slots
    }

    /// True if it is suspended. While the tenant is locked this cannot be trusted.
    pub const fn is_suspended(&self) -> bool {
        self.suspended
    }

    /// Unlocks it. Blocks while the key is derived: half a second for a passphrase.
    ///
    /// # Errors
    /// Those of [`vault::unlock`], and of opening the file.
    pub fn unlock(&self, opener: &Opener) -> Result<Tenant, StoreError> {
        let sealer = vault::unlock(&self.uid, &self.slots, opener);
        Tenant::open(self, sealer.map_err(|e| self.reason(e))?)
    }

    /// Unlocks it without a question: key file, credential, keyring.
    ///
    /// # Errors
    /// Those of [`vault::unlock_any`], and of opening the file.
    pub fn unlock_any(&self, env: &Env) -> Result<Tenant, StoreError> {
        let sealer = vault::unlock_any(&self.uid, &self.slots, env);
        Tenant::open(self, sealer.map_err(|e| self.reason(e))?)
    }

    /// The reason why it did not open. If no slot fits and one is unreadable, that one is the reason.
    fn reason(&self, error: VaultError) -> VaultError {
        let fits_none = match &error {
            VaultError::NoSuchSlot { .. } | VaultError::WrongKey { .. } => true,
            // If there is a passphrase slot, the caller asks for the passphrase next.
            VaultError::Locked(_) => !self.slots.iter().any(|slot| slot.kind() == SlotKind::Passphrase),
            _ => false,
        };
        let unreadable = || self.unreadable.iter().find_map(|bytes| Slot::from_bytes(bytes).err());
        fits_none.then(unreadable).flatten().unwrap_or(error)
    }
}

/// An unlocked tenant: a connection and the keys. One owner; it is not shared between threads.
pub struct Tenant {
    pub(super) slug: Slug,
    pub(super) folder: PathBuf,
    pub(super) path: PathBuf,
    pub(super) connection: Connection,
    pub(super) sealer: Sealer,
    /// as it stood in the file when it was unlocked
    pub(super) generation: u64,
}

impl Tenant {
    pub(super) fn open(locked: &LockedTenant, sealer: Sealer) -> Result<Self, StoreError> {
        let path = locked.folder.join(FILE);
        for ending in ["", "-wal", "-shm"] {
            let file = locked.folder.join(format!("{FILE}{ending}"));
            if file.exists() {
                check_mode(&file, 0o600)?;
            }
        }
        let connection = schema::open(&path)?;
        let generation = Plain::read(&connection, &path)?.generation;
        let (slug, folder) = (locked.slug.clone(), locked.folder.clone());
        Ok(Self { slug, folder, path, connection, sealer, generation })
    }

    /// Its name.
    pub const fn slug(&self) -> &Slug {
        &self.slug
    }

    /// Its identity.
    pub const fn uid(&self) -> &TenantUid {
        self.sealer.tenant()
    }

    /// Its open vault, to show labels of slots and whether keys are locked in memory.
    pub const fn sealer(&self) -> &Sealer {
        &self.sealer
    }

    /// Its file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Its key slots, as they stand in the file now.
    ///
    /// # Errors
    /// The file cannot be read.
    pub fn slots(&self) -> Result<Vec<Slot>, StoreError> {
        Ok(self.plain()?.slots())
    }

    /// True if it is suspended: nothing is polled and nothing but `resume` changes it.
    ///
    /// # Errors
    /// The file cannot be read.
    pub fn is_suspended(&self) -> Result<bool, StoreError> {
        Ok(self.plain()?.suspended)
    }

    /// A number that changes when another connection changes the file, and stays when this one does (`PRAGMA
    /// data_version`).
    ///
    /// # Errors
    /// The file cannot be read.
    pub fn data_version(&self) -> Result<i64, StoreError> {
        self.connection
            .query_row("PRAGMA data_version", [], |row| row.get(0))
            .map_err(StoreError::sqlite("reading", &self.path))
    }

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
        let transaction = self
            .connection
            .transaction_with_behavior(TransactionBehavior::Immediate)
            .map_err(StoreError::sqlite("changing", &self.path))?;
        let plain = Plain::read(&transaction, &self.path)?;
        if plain.generation != self.generation {
            return Err(StoreError::KeyChanged(self.slug.to_string()));
        }
        let damaged = |damage| StoreError::Damaged { slug: self.slug.to_string(), damage };
        let header = plain.open(&self.sealer).map_err(damaged)?;
        if last_entry(&transaction, &self.path)? != header.entries {
            let harm = Harm::Log;
            return Err(damaged(Damage { kind: "audit", name: format!("after {}", header.entries), harm }));
        }
        if header.suspended && setting == Setting::Active {
            return Err(StoreError::Suspended(self.slug.to_string()));
        }
        Ok(Change::new(transaction, &self.sealer, &self.path, header, author, now()))
    }

    /// The header and its sealed part, if the data key was not changed meanwhile.
    pub(super) fn plain(&self) -> Result<Plain, StoreError> {
        let plain = Plain::read(&self.connection, &self.path)?;
        if plain.generation == self.generation {
            Ok(plain)
        } else {
            Err(StoreError::KeyChanged(self.slug.to_string()))
        }
    }

    /// Opens the sealed part of the header; an error if it cannot be trusted.
    pub(super) fn header(&self) -> Result<Result<Header, Damage>, StoreError> {
        Ok(self.plain()?.open(&self.sealer))
    }

    pub(super) fn write_lock(&self) -> Result<WriteLock, StoreError> {
        WriteLock::take(&self.folder.join(LOCK), &format!("tenant {}", self.slug), PATIENCE)
    }
}

/// The lock of the tenant in `folder`, for a caller that has not opened the tenant.
pub(super) fn lock_of(folder: &Path, slug: &Slug) -> Result<WriteLock, StoreError> {
    WriteLock::take(&folder.join(LOCK), &format!("tenant {slug}"), PATIENCE)
}

/// The number of the last entry of the audit log; 0: there is none.
pub(super) fn last_entry(connection: &Connection, path: &Path) -> Result<u64, StoreError> {
    connection
        .query_row("SELECT coalesce(max(seq), 0) FROM audit", [], |row| row.get::<_, i64>(0))
        .map(|seq| seq as u64)
        .map_err(StoreError::sqlite("reading the audit log of", path))
}

/// The clock of this machine.
pub(super) fn now() -> Timestamp {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    Timestamp::from_ms(since.map_or(0, |since| since.as_millis() as i64))
}
