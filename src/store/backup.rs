//! A tenant as one encrypted file, and back: on this machine or another, with any of its key slots. For `dbtop tenant
//! backup` and `restore`.
//!
//! The file is `dbtop-backup` | format (4) | tenant (16) | backup (16) | number of slots (4) | slots (length (4), bytes) |
//! number of parts (4) | parts (length (4), sealed bytes); numbers are little endian. The first part is JSON: the tenant's
//! name and when it was made; the others are the tenant's file in pieces of 1 MiB. Each part is sealed for its number, the
//! number of parts and this backup, so none can be left out, moved, or taken from another backup.

use super::{
    StoreError,
    change::Setting,
    clock::now,
    home::{private_file, whole_file},
    lock::WriteLock,
    schema,
    tenant::{FILE, LockedTenant, Tenant},
    tenants::{Tenants, uid_of},
};
use crate::{
    model::{
        base::time::Timestamp,
        inventory::record::{Author, Outcome, RecordId, Slug, TenantUid},
    },
    vault::{self, Place, Sealer, Slot, SlotKind},
};
use rusqlite::MAIN_DB;
use serde::{Deserialize, Serialize};
use std::{
    fs::File,
    io::{BufReader, BufWriter, Read, Write},
    path::{Path, PathBuf},
};

const MAGIC: &[u8; 12] = b"dbtop-backup";
const FORMAT: u32 = 1;
const PIECE: usize = 1 << 20;
/// The largest count and length that is accepted: more would be an attempt to fill the memory.
const MAX_SLOTS: u32 = 256;
const MAX_PART: u32 = 2 << 20;

/// A written backup.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BackupMade {
    /// its file
    pub path: PathBuf,
    /// its size
    pub size_bytes: u64,
    /// false: no slot of it can be opened on another machine
    pub portable: bool,
    /// why the audit log does not tell of it; None: it does
    pub unlogged: Option<String>,
}

/// In files by name: fields and variants keep their names, a new field has a default.
#[derive(Serialize, Deserialize)]
struct About {
    slug: String,
    made_at_ms: Timestamp,
}

/// The part of a backup that is readable without a key.
pub struct BackupFile {
    path: PathBuf,
    uid: TenantUid,
    id: RecordId,
    slots: Vec<Slot>,
    parts: u32,
    rest: BufReader<File>,
}

impl Tenant {
    /// Writes the whole tenant into one file, which must not be there yet. It appears when it is complete. Then comes the entry of the
    /// audit log, which so never tells of a file that is not there; a failure is an entry, too. The file has no entry of itself.
    ///
    /// # Errors
    /// The file is there already or cannot be written; [`StoreError::Busy`]; as [`Tenant::change`] if the keys or the header cannot be
    /// trusted.
    pub fn backup(&mut self, to: &Path, author: &Author) -> Result<BackupMade, StoreError> {
        // From here to the entry no other process changes the tenant.
        let _lock: WriteLock = self.write_lock()?;
        drop(self.begin(author, Setting::Any)?);
        let slots = self.slots()?;
        let carried = |slot: &Slot| matches!(slot.kind(), SlotKind::Passphrase | SlotKind::KeyFile);
        let portable = slots.iter().any(carried);
        let slug = self.slug.to_string();
        let written = whole_file(to, |part| self.write_backup(part, &slots));
        let outcome = written.as_ref().map_or_else(|e| Outcome::Refused(e.to_string()), |_| Outcome::Done);
        let logged = self
            .change_locked(author, Setting::Any, |change| change.log("backup", "tenant", &slug, outcome, ""));
        let size_bytes = written?;
        let unlogged = logged.err().map(|error| error.to_string());
        Ok(BackupMade { path: to.to_owned(), size_bytes, portable, unlogged })
    }

    fn with_lock<T>(
        &mut self,
        work: impl FnOnce(&mut Self) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let _lock: WriteLock = self.write_lock()?;
        work(self)
    }

    fn write_backup(&mut self, path: &Path, slots: &[Slot]) -> Result<u64, StoreError> {
        let failed = || StoreError::io("writing the backup", path);
        let unreadable = StoreError::sqlite("reading the whole of", &self.path);
        // A copy, which the tenant seals piece by piece.
        let data = self.connection.serialize(MAIN_DB).map_err(unreadable)?.to_vec();
        let pieces: Vec<&[u8]> = data.chunks(PIECE).collect();
        let parts = pieces.len() as u32 + 1;
        let id = vault::random_id()?;
        let mut file = BufWriter::new(private_file(path)?);
        let mut head = Vec::from(*MAGIC);
        head.extend_from_slice(&FORMAT.to_le_bytes());
        head.extend_from_slice(self.uid().as_bytes());
        head.extend_from_slice(id.as_bytes());
        head.extend_from_slice(&(slots.len() as u32).to_le_bytes());
        for slot in slots {
            let bytes = slot.to_bytes();
            head.extend_from_slice(&(bytes.len() as u32).to_le_bytes());
            head.extend_from_slice(&bytes);
        }
        head.extend_from_slice(&parts.to_le_bytes());
        file.write_all(&head).map_err(failed())?;
        let about = serde_json::to_vec(&About { slug: self.slug.to_string(), made_at_ms: now() })
            .map_err(|e| failed()(e.into()))?;
        for (at, piece) in std::iter::once(&about[..]).chain(pieces).enumerate() {
            let sealed = self.sealer.seal(&place(self.uid(), &id, at as u32, parts), piece)?;
            file.write_all(&(sealed.len() as u32).to_le_bytes()).map_err(failed())?;
            file.write_all(&sealed).map_err(failed())?;
        }
        let file = file.into_inner().map_err(|e| failed()(e.into_error()))?;
        file.metadata().map(|meta| meta.len()).map_err(failed())
    }
}

impl BackupFile {
    /// Reads a backup without a key.
    ///
    /// # Errors
    /// [`StoreError::Backup`] if it is none, [`StoreError::Newer`].
    pub fn open(path: &Path) -> Result<Self, StoreError> {
        let file = File::open(path).map_err(StoreError::io("opening the backup", path))?;
        let mut rest = BufReader::new(file);
        let cut = |_| bad(path, "it is no backup of dbtop, or its start is missing");
        let mut magic = [0; MAGIC.len()];
        rest.read_exact(&mut magic).map_err(cut)?;
        if magic != *MAGIC {
            return Err(bad(path, "it is no backup of dbtop"));
        }
        let found = number(&mut rest).map_err(cut)?;
        if found > FORMAT {
            return Err(StoreError::Newer { path: path.to_owned(), found, known: FORMAT });
        }
        let (mut uid, mut id) = ([0; 16], [0; 16]);
        rest.read_exact(&mut uid).and_then(|()| rest.read_exact(&mut id)).map_err(cut)?;
        let count = number(&mut rest).map_err(cut)?;
        if count > MAX_SLOTS {
            return Err(bad(path, "its list of key slots is damaged"));
        }
        let mut slots = Vec::new();
        for _ in 0..count {
            let bytes = block(&mut rest).map_err(cut)?;
            // A slot that cannot be read opens nothing; another one may open it.
            slots.extend(Slot::from_bytes(&bytes));
        }
        let parts = number(&mut rest).map_err(cut)?;
        let (uid, id) = (TenantUid::from_bytes(uid), RecordId::from_bytes(id));
        Ok(Self { path: path.to_owned(), uid, id, slots, parts, rest })
    }

    /// The tenant in it.
    pub const fn uid(&self) -> &TenantUid {
        &self.uid
    }

    /// The slots that open it.
    pub fn slots(&self) -> &[Slot] {
        &self.slots
    }

    fn part(&mut self, at: u32, sealer: &Sealer) -> Result<zeroize::Zeroizing<Vec<u8>>, StoreError> {
        let damaged =
            |path: &Path| bad(path, &format!("part {at} of {} is missing or was altered", self.parts));
        let bytes = block(&mut self.rest).map_err(|_| damaged(&self.path))?;
        let place = place(&self.uid, &self.id, at, self.parts);
        sealer.open(&place, &bytes).map_err(|_| damaged(&self.path))
    }
}

impl Tenants {
    /// Brings a tenant back from a backup, under the name it had or another, and unlocked by `sealer`
    /// (`vault::unlock` of [`BackupFile::uid`] and [`BackupFile::slots`]). All or nothing. Damage from before the backup is
    /// still there.
    ///
    /// # Errors
    /// [`StoreError::Backup`], [`StoreError::TenantExists`], [`StoreError::SameTenant`].
    pub fn restore(
        &self,
        mut backup: BackupFile,
        sealer: Sealer,
        slug: Option<Slug>,
        author: &Author,
    ) -> Result<Tenant, StoreError> {
        let _lock = self.provision()?;
        let about: Option<About> = serde_json::from_slice(&backup.part(0, &sealer)?).ok();
        let had = about.as_ref().and_then(|about| Slug::parse(&about.slug).ok());
        let slug = slug.or(had).ok_or_else(|| bad(&backup.path, "it names no tenant: give a name"))?;
        self.refuse_taken(&slug)?;
        self.refuse_same(&backup)?;
        let folder = self.temporary()?;
        let path = folder.join(FILE);
        let failed = || StoreError::io("restoring", &path);
        let mut file = BufWriter::new(private_file(&path)?);
        for at in 1..backup.parts {
            let piece = backup.part(at, &sealer)?;
            file.write_all(&piece).map_err(failed())?;
        }
        if backup.rest.read(&mut [0]).map_err(failed())? != 0 {
            return Err(bad(&backup.path, "there is something behind its end"));
        }
        file.flush().map_err(failed())?;
        drop(file);
        let mut connection = schema::open(&path)?;
        schema::migrate(&mut connection, &path, schema::STEPS)?;
        drop(connection);
        let mut tenant = Tenant::open(&LockedTenant::look(slug.clone(), folder.clone())?, sealer.clone())?;
        if *tenant.uid() != uid_of(&path)? {
            return Err(bad(&backup.path, "it holds another tenant than it says"));
        }
        // The rest is restored even if the log cannot be written because of a damaged header.
        let entry = tenant.with_lock(|tenant| {
            tenant.change_locked(author, Setting::Any, |change| {
                change.log("restore", "tenant", slug.as_str(), Outcome::Done, "from a backup")
            })
        });
        if let Err(error) = entry
            && !matches!(error, StoreError::Damaged { .. })
        {
            return Err(error);
        }
        drop(tenant);
        let folder = self.install(&folder, &slug)?;
        Tenant::open(&LockedTenant::look(slug, folder)?, sealer)
    }

    /// Two copies of one tenant would take each other's records for their own.
    fn refuse_same(&self, backup: &BackupFile) -> Result<(), StoreError> {
        for slug in self.slugs()? {
            if uid_of(&self.folder.join(slug.as_str()).join(FILE)).is_ok_and(|uid| uid == backup.uid) {
                return Err(StoreError::SameTenant {
                    path: backup.path.clone(),
                    uid: backup.uid.short(),
                    slug: slug.to_string(),
                });
            }
        }
        Ok(())
    }
}

fn bad(path: &Path, problem: &str) -> StoreError {
    StoreError::Backup { path: path.to_owned(), problem: problem.to_owned() }
}

const fn place<'a>(tenant: &'a TenantUid, id: &'a RecordId, at: u32, parts: u32) -> Place<'a> {
    Place { tenant, table: "backup", id, revision: at as u64, schema: parts }
}

fn number(from: &mut impl Read) -> std::io::Result<u32> {
    let mut bytes = [0; 4];
    from.read_exact(&mut bytes)?;
    Ok(u32::from_le_bytes(bytes))
}

fn block(from: &mut impl Read) -> std::io::Result<Vec<u8>> {
    let length = number(from)?;
    if length > MAX_PART {
        return Err(std::io::ErrorKind::InvalidData.into());
    }
    let mut bytes = vec![0; length as usize];
    from.read_exact(&mut bytes)?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        store::{AuditFilter, Home, current_author},
        vault::Opener,
    };

    #[test]
    fn a_backup_whose_entry_cannot_be_written_is_there_and_says_so() {
        let folder = tempfile::tempdir().unwrap();
        let tenants = Tenants::open(&Home::at(&folder.path().join("home"))).unwrap();
        let (key, slug) = (Opener::KeyFile(folder.path().join("key")), Slug::parse("acme").unwrap());
        let mut tenant = tenants.create(&slug, &key, "test", None, &current_author()).unwrap();
        let full = "CREATE TEMP TRIGGER no_room BEFORE INSERT ON main.audit BEGIN SELECT RAISE(ABORT, 'no room'); END";
        tenant.connection.execute_batch(full).unwrap();
        let file = folder.path().join("acme.dbtop-backup");
        let made = tenant.backup(&file, &current_author()).unwrap();
        assert!(made.unlogged.as_ref().is_some_and(|why| why.contains("no room")), "{made:?}");
        assert_eq!(std::fs::metadata(&file).unwrap().len(), made.size_bytes);
        let entries = tenant.audit(&AuditFilter::default()).unwrap();
        assert!(entries.iter().all(|entry| entry.action != "backup"), "{entries:?}");
    }
}
