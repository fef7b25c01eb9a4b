//! A tenant as one encrypted file, and back: on this machine or another, with any of its key slots. For `dbtop tenant
//! backup` and `restore`.
//!
//! The file is `dbtop-backup` | format (4) | tenant (16) | backup (16) | number of slots (4) | slots (length (4), bytes) |
//! number of parts (4) | parts (length (4), sealed bytes); numbers are little endian. The first part is JSON: the tenant's
//! name, when it was made, and how many of the other parts are the tenant's file; the rest are its history (format 2). All are
//! pieces of 1 MiB. Each part is sealed for its number, the number of parts and this backup, so none can be left out, moved,
//! or taken from another backup.
//!
//! The history is copied first, by `VACUUM INTO`, beside the backup: one read transaction, so it is of one instant while a collector
//! writes on. SQLite's backup interface would begin anew with each of the collector's commits, once a second, and would
//! copy free pages, too. Then the tenant's file is read under its lock, which is held for that moment only. The copy needs the room
//! of the history once more until it is sealed; the disk is asked before.

use super::{
    StoreError,
    change::Setting,
    clock::now,
    history::Reader,
    home::{HISTORY_FILE, free_bytes, hex, private_file, whole_file},
    lock::WriteLock,
    schema,
    tenant::{FILE, LockedTenant, Tenant},
    tenants::{Tenants, uid_of},
};
use crate::{
    model::{
        base::{time::Timestamp, zone::UTC},
        inventory::record::{Author, Outcome, RecordId, Slug, TenantUid},
    },
    vault::{self, Place, Sealer, Slot, SlotKind},
};
use rusqlite::MAIN_DB;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::{
    fs::{self, File},
    io::{BufReader, BufWriter, Read, Write},
    path::{Path, PathBuf},
};

const MAGIC: &[u8; 12] = b"dbtop-backup";
/// 1 had no history.
const FORMAT: u32 = 2;
const PIECE: usize = 1 << 20;
/// Room beside the parts: for lengths, seals and SQLite's own.
const SPARE_BYTES: u64 = 16 << 20;
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
    /// of the history in it; None: there is none yet
    pub history_bytes: Option<u64>,
    /// of the whole file, in hexadecimal: the audit log has it, too
    pub sha256: String,
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
    /// parts of the tenant's file; None: all of them
    #[serde(default)]
    tenant_parts: Option<u32>,
}

/// How far a backup or its restore has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Progress {
    /// the history is being copied: so many bytes
    Copying(u64),
    /// so many bytes are done
    Done {
        /// these
        bytes: u64,
        /// of these
        of: u64,
    },
}

/// Hears of progress, once a piece.
pub type Tell<'a> = &'a mut dyn FnMut(Progress);

/// The part of a backup that is readable without a key.
pub struct BackupFile {
    path: PathBuf,
    uid: TenantUid,
    id: RecordId,
    slots: Vec<Slot>,
    parts: u32,
    rest: Hashing<BufReader<File>>,
}

/// A file that goes when this is dropped.
struct Scratch(PathBuf);

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.0);
    }
}

/// Hashes all that is written, or read.
struct Hashing<W> {
    inner: W,
    hash: Sha256,
    bytes: u64,
}

impl<T> Hashing<T> {
    fn new(inner: T) -> Self {
        Self { inner, hash: Sha256::new(), bytes: 0 }
    }
}

impl<R: Read> Read for Hashing<R> {
    fn read(&mut self, bytes: &mut [u8]) -> std::io::Result<usize> {
        let read = self.inner.read(bytes)?;
        self.hash.update(&bytes[..read]);
        self.bytes += read as u64;
        Ok(read)
    }
}

impl<W: Write> Write for Hashing<W> {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        let written = self.inner.write(bytes)?;
        self.hash.update(&bytes[..written]);
        self.bytes += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        self.inner.flush()
    }
}

/// Size and SHA-256 of a written backup.
type Written = (u64, String);

impl Tenant {
    /// Writes the whole tenant and its history into one file, which must not be there yet. It appears when it is complete. Then comes the
    /// entry of the audit log, which so never tells of a file that is not there; a failure is an entry, too. The file has no entry of
    /// itself. A collector may write the history meanwhile.
    ///
    /// # Errors
    /// The file is there already or cannot be written; the disk has no room for it; [`StoreError::Busy`]; as [`Tenant::change`] if the
    /// keys or the header cannot be trusted.
    pub fn backup(&mut self, to: &Path, author: &Author, tell: Tell<'_>) -> Result<BackupMade, StoreError> {
        // Refused before anything is copied.
        self.with_lock(|tenant| tenant.begin(author, Setting::Any).map(drop))?;
        let slots = self.slots()?;
        let carried = |slot: &Slot| matches!(slot.kind(), SlotKind::Passphrase | SlotKind::KeyFile);
        let portable = slots.iter().any(carried);
        let mut history_bytes = None;
        let written = self.copy_history(to, tell).and_then(|history| {
            history_bytes = history.as_ref().map(|(_, bytes)| *bytes);
            let history = history.as_ref().map(|(copy, bytes)| (copy.0.as_path(), *bytes));
            whole_file(to, |part| self.write_backup(part, history, tell))
        });
        let slug = self.slug.to_string();
        let (outcome, detail) = match &written {
            Ok((size, sha256)) => (Outcome::Done, format!("{size} bytes, SHA-256 {sha256}")),
            Err(e) => (Outcome::Refused(e.to_string()), String::new()),
        };
        let logged = self.note(author, ("backup", "tenant", &slug), outcome, &detail);
        let (size_bytes, sha256) = written?;
        let unlogged = logged.err().map(|error| error.to_string());
        Ok(BackupMade { path: to.to_owned(), size_bytes, history_bytes, sha256, portable, unlogged })
    }

    fn with_lock<T>(
        &mut self,
        work: impl FnOnce(&mut Self) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let _lock: WriteLock = self.write_lock()?;
        work(self)
    }

    /// Copies the history beside the backup, as it is at one instant. None: there is none.
    fn copy_history(&self, to: &Path, tell: Tell<'_>) -> Result<Option<(Scratch, u64)>, StoreError> {
        let history = self.folder.join(HISTORY_FILE);
        if !history.exists() {
            return Ok(None);
        }
        if to.exists() {
            return Err(StoreError::io("writing", to)(std::io::ErrorKind::AlreadyExists.into()));
        }
        let bytes = fs::metadata(&history).map_err(StoreError::io("reading", &history))?.len();
        // The copy, and the backup that is made of it.
        refuse_full(folder_of(to), 2 * bytes + SPARE_BYTES, to)?;
        tell(Progress::Copying(bytes));
        let key = self.stored_history_key()?.map(|key| Sealer::of_history(*self.uid(), &key)).transpose()?;
        let mut name = to.as_os_str().to_owned();
        name.push(format!(".history-{}.part", vault::random_id()?.short()));
        let copy = Scratch(PathBuf::from(name));
        let bytes = Reader::open(&history, key)?.backup(&copy.0)?;
        Ok(Some((copy, bytes)))
    }

    fn write_backup(
        &mut self,
        path: &Path,
        history: Option<(&Path, u64)>,
        tell: Tell<'_>,
    ) -> Result<Written, StoreError> {
        let failed = || StoreError::io("writing the backup", path);
        // From here no other process changes the tenant, until its file is in memory. A copy, which the tenant seals piece by piece.
        let (data, slots) = self.with_lock(|tenant| {
            let unreadable = StoreError::sqlite("reading the whole of", &tenant.path);
            let data = tenant.connection.serialize(MAIN_DB).map_err(unreadable)?.to_vec();
            Ok((data, tenant.slots()?))
        })?;
        let pieces = |bytes: u64| bytes.div_ceil(PIECE as u64) as u32;
        let tenant_parts = pieces(data.len() as u64);
        let history_bytes = history.map_or(0, |(_, bytes)| bytes);
        let of = data.len() as u64 + history_bytes;
        let parts = 1 + tenant_parts + pieces(history_bytes);
        let id = vault::random_id()?;
        let file = BufWriter::new(private_file(path)?);
        let mut file = Hashing::new(file);
        file.write_all(&head(self.uid(), &id, &slots, parts)).map_err(failed())?;
        let slug = self.slug.to_string();
        let about = About { slug, made_at_ms: now(), tenant_parts: Some(tenant_parts) };
        let about = serde_json::to_vec(&about).map_err(|e| failed()(e.into()))?;
        let mut at = 0;
        let mut seal = |piece: &[u8]| {
            let sealed = self.sealer.seal(&place(self.sealer.tenant(), &id, at, parts), piece)?;
            at += 1;
            file.write_all(&(sealed.len() as u32).to_le_bytes()).map_err(failed())?;
            file.write_all(&sealed).map_err(failed())
        };
        std::iter::once(&about[..]).chain(data.chunks(PIECE)).try_for_each(&mut seal)?;
        if let Some((copy, _)) = history {
            let unread = || StoreError::io("reading the copy of the history at", copy);
            let mut copy = File::open(copy).map_err(unread())?;
            let (mut piece, mut bytes) = (vec![0; PIECE], data.len() as u64);
            for left in (1..=pieces(history_bytes)).rev() {
                let last = history_bytes - u64::from(pieces(history_bytes) - 1) * PIECE as u64;
                let piece = if left == 1 { &mut piece[..last as usize] } else { &mut piece[..] };
                copy.read_exact(piece).map_err(unread())?;
                seal(piece)?;
                bytes += piece.len() as u64;
                tell(Progress::Done { bytes, of });
            }
        }
        file.flush().map_err(failed())?;
        Ok((file.bytes, hex(&file.hash.finalize())))
    }
}

fn head(uid: &TenantUid, id: &RecordId, slots: &[Slot], parts: u32) -> Vec<u8> {
    let mut head = Vec::from(*MAGIC);
    head.extend_from_slice(&FORMAT.to_le_bytes());
    head.extend_from_slice(uid.as_bytes());
    head.extend_from_slice(id.as_bytes());
    head.extend_from_slice(&(slots.len() as u32).to_le_bytes());
    for slot in slots {
        let bytes = slot.to_bytes();
        head.extend_from_slice(&(bytes.len() as u32).to_le_bytes());
        head.extend_from_slice(&bytes);
    }
    head.extend_from_slice(&parts.to_le_bytes());
    head
}

fn folder_of(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

impl BackupFile {
    /// Reads a backup without a key.
    ///
    /// # Errors
    /// [`StoreError::Backup`] if it is none, [`StoreError::Newer`].
    pub fn open(path: &Path) -> Result<Self, StoreError> {
        let file = File::open(path).map_err(StoreError::io("opening the backup", path))?;
        let mut rest = Hashing::new(BufReader::new(file));
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

    /// The name that the tenant had; None: the backup names none. Reads the first part, so that it is asked of a file opened for this alone.
    ///
    /// # Errors
    /// The part is damaged.
    pub fn name(mut self, sealer: &Sealer) -> Result<Option<Slug>, StoreError> {
        let about: Option<About> = serde_json::from_slice(&self.part(0, sealer)?).ok();
        Ok(about.and_then(|about| Slug::parse(&about.slug).ok()))
    }

    /// Writes these parts into a new file and brings it to the disk.
    fn unpack(
        &mut self,
        parts: std::ops::Range<u32>,
        path: &Path,
        sealer: &Sealer,
        tell: Tell<'_>,
    ) -> Result<(), StoreError> {
        let failed = || StoreError::io("restoring", path);
        let mut file = private_file(path)?;
        for at in parts {
            file.write_all(&self.part(at, sealer)?).map_err(failed())?;
            let bytes = |parts: u32| u64::from(parts) * PIECE as u64;
            tell(Progress::Done { bytes: bytes(at + 1), of: bytes(self.parts) });
        }
        file.sync_all().map_err(failed())
    }

    /// Where a tenant came from, once all of it was read: for the audit log.
    fn origin(self, about: Option<&About>) -> String {
        let made = about.map_or_else(|| "no date".to_owned(), |about| UTC.instant(about.made_at_ms));
        let (path, sha256) = (self.path.display(), hex(&self.rest.hash.finalize()));
        format!("from the backup {path} of {made}, {} bytes, SHA-256 {sha256}", self.rest.bytes)
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
    /// (`vault::unlock` of [`BackupFile::uid`] and [`BackupFile::slots`]), with its history. All or nothing. Damage from before the
    /// backup is still there.
    ///
    /// # Errors
    /// [`StoreError::Backup`], [`StoreError::TenantExists`], [`StoreError::SameTenant`].
    pub fn restore(
        &self,
        mut backup: BackupFile,
        sealer: Sealer,
        slug: Option<Slug>,
        author: &Author,
        tell: Tell<'_>,
    ) -> Result<Tenant, StoreError> {
        let _lock = self.provision()?;
        let about: Option<About> = serde_json::from_slice(&backup.part(0, &sealer)?).ok();
        let had = about.as_ref().and_then(|about| Slug::parse(&about.slug).ok());
        let slug = slug.or(had).ok_or_else(|| bad(&backup.path, "it names no tenant: give a name"))?;
        self.refuse_taken(&slug)?;
        self.refuse_second(&backup.uid, &backup.path)?;
        let size = fs::metadata(&backup.path).map_err(StoreError::io("reading", &backup.path))?.len();
        refuse_full(&self.folder, size + SPARE_BYTES, &self.folder)?;
        let folder = self.temporary()?;
        let path = folder.join(FILE);
        let tenant_parts = about.as_ref().and_then(|about| about.tenant_parts).unwrap_or(backup.parts - 1);
        let history = 1 + tenant_parts;
        backup.unpack(1..history, &path, &sealer, tell)?;
        if history < backup.parts {
            backup.unpack(history..backup.parts, &folder.join(HISTORY_FILE), &sealer, tell)?;
        }
        if backup.rest.read(&mut [0]).map_err(StoreError::io("reading", &backup.path))? != 0 {
            return Err(bad(&backup.path, "there is something behind its end"));
        }
        let mut connection = schema::open(&path)?;
        schema::migrate(&mut connection, &path, schema::STEPS)?;
        drop(connection);
        let mut tenant = Tenant::open(&LockedTenant::look(slug.clone(), folder.clone())?, sealer.clone())?;
        if *tenant.uid() != uid_of(&path)? {
            return Err(bad(&backup.path, "it holds another tenant than it says"));
        }
        tenant.check_history(&backup.path)?;
        let detail = backup.origin(about.as_ref());
        // The rest is restored even if the log cannot be written because of a damaged header.
        let entry = tenant.with_lock(|tenant| {
            tenant.change_locked(author, Setting::Any, |change| {
                change.log("restore", "tenant", slug.as_str(), Outcome::Done, &detail)
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
}

impl Tenant {
    /// The history that came with a backup must be one, and open with the tenant's key.
    fn check_history(&self, backup: &Path) -> Result<(), StoreError> {
        let history = self.folder.join(HISTORY_FILE);
        if !history.exists() {
            return Ok(());
        }
        let key = self.stored_history_key()?.map(|key| Sealer::of_history(*self.uid(), &key)).transpose()?;
        Reader::open(&history, key).map(drop).map_err(|e| bad(backup, &format!("its history: {e}")))
    }
}

/// Refuses to begin where the disk has less room than this.
fn refuse_full(folder: &Path, needed: u64, of: &Path) -> Result<(), StoreError> {
    match free_bytes(folder) {
        Some(free) if free < needed => Err(StoreError::NoRoom { path: of.to_owned(), needed, free }),
        _ => Ok(()),
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
        let made = tenant.backup(&file, &current_author(), &mut |_| {}).unwrap();
        assert!(made.unlogged.as_ref().is_some_and(|why| why.contains("no room")), "{made:?}");
        assert_eq!(fs::metadata(&file).unwrap().len(), made.size_bytes);
        let entries = tenant.audit(&AuditFilter::default()).unwrap();
        assert!(entries.iter().all(|entry| entry.action != "backup"), "{entries:?}");
    }

    #[test]
    fn a_list_of_slots_is_read_up_to_the_most_that_there_may_be_and_no_further() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.dbtop-backup");
        let opened = |count: u32| {
            let mut file = head(&TenantUid::from_bytes([1; 16]), &RecordId::from_bytes([2; 16]), &[], 7);
            // Slots that nobody can read, so long as is said.
            file.truncate(file.len() - 8);
            file.extend_from_slice(&count.to_le_bytes());
            (0..count).for_each(|_| file.extend_from_slice(&[3, 0, 0, 0, 1, 2, 3]));
            file.extend_from_slice(&7_u32.to_le_bytes());
            fs::write(&path, file).unwrap();
            BackupFile::open(&path).map(|file| (file.slots().len(), file.parts)).map_err(|e| e.to_string())
        };
        assert_eq!([opened(0), opened(MAX_SLOTS)], [Ok((0, 7)), Ok((0, 7))]);
        assert!(opened(MAX_SLOTS + 1).is_err_and(|e| e.contains("list of key slots is damaged")));
    }

    #[cfg(unix)]
    #[test]
    fn a_disk_with_less_room_than_is_needed_is_refused_before_anything_is_written() {
        let (folder, of) = (tempfile::tempdir().unwrap(), Path::new("the.dbtop-backup"));
        assert!(refuse_full(folder.path(), 1, of).is_ok());
        let refused = refuse_full(folder.path(), u64::MAX, of).unwrap_err();
        assert!(matches!(refused, StoreError::NoRoom { needed: u64::MAX, .. }), "{refused}");
        assert!(refused.to_string().contains("the.dbtop-backup"), "{refused}");
        assert!(refuse_full(Path::new("/no/such/folder"), u64::MAX, of).is_ok(), "it does not say");
    }
}
