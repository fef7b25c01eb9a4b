//! One tenant's file, locked and unlocked. [`Tenants`](super::Tenants) opens it; `inventory` reads
//! its records, `change` writes them, `audit` reads its log. Dropping the [`Tenant`] locks it again and wipes its keys.

use super::{
    Damage, StoreError,
    header::{Header, Plain},
    home::{self, check_mode},
    lock::{PATIENCE, WriteLock},
    schema,
};
use crate::{
    model::{
        base::time::Timestamp,
        inventory::record::{Limits, Slug, TenantUid},
    },
    vault::{self, Env, Opener, Sealer, Slot, SlotKind, VaultError},
};
use rusqlite::Connection;
use std::path::{Path, PathBuf};

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
    instances: u64,
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
        let instances = connection
            .query_row("SELECT count(*) FROM record WHERE kind = 'instance' AND deleted = 0", [], |row| {
                row.get::<_, i64>(0)
            })
            .map_err(StoreError::sqlite("counting the instances of", &path))? as u64;
        Ok(Self { slug, folder, uid: plain.tenant, slots, unreadable, suspended, instances })
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

    /// Instances by the rows of the file, which are countable without a key.
    pub const fn instances(&self) -> u64 {
        self.instances
    }

    /// Bytes of all its files.
    pub fn size_bytes(&self) -> u64 {
        home::size(&self.folder)
    }

    /// Bytes of its history. None: there is none.
    pub fn history_bytes(&self) -> Option<u64> {
        home::history_size(&self.folder)
    }

    /// When its files were written last. None: the system does not say.
    pub fn used(&self) -> Option<Timestamp> {
        home::written_last(&self.folder)
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
        self.opened(sealer)
    }

    /// Unlocks it without a question: key file, credential, keyring.
    ///
    /// # Errors
    /// Those of [`vault::unlock_any`], and of opening the file.
    pub fn unlock_any(&self, env: &Env) -> Result<Tenant, StoreError> {
        self.opened(vault::unlock_any(&self.uid, &self.slots, env))
    }

    fn opened(&self, sealer: Result<Sealer, VaultError>) -> Result<Tenant, StoreError> {
        let mut tenant = Tenant::open(self, sealer.map_err(|e| self.reason(e))?)?;
        tenant.take_notes();
        Ok(tenant)
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

    /// Its folder.
    pub fn folder(&self) -> &Path {
        &self.folder
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

    /// Its limits.
    ///
    /// # Errors
    /// The file cannot be read; [`StoreError::Damaged`] if the header cannot be trusted.
    pub fn limits(&self) -> Result<Limits, StoreError> {
        let damaged = |damage| StoreError::Damaged { slug: self.slug.to_string(), damage };
        self.header()?.map(|header| header.limits).map_err(damaged)
    }

    /// One more connection to the same tenant, with a copy of its keys: for a thread that works on it for long.
    ///
    /// # Errors
    /// The file cannot be opened; [`StoreError::KeyChanged`].
    pub fn again(&self) -> Result<Self, StoreError> {
        self.plain()?;
        let locked = LockedTenant::look(self.slug.clone(), self.folder.clone())?;
        Self::open(&locked, self.sealer.clone())
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
