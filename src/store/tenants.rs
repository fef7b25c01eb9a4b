//! All tenants of this machine: each has a folder, a file and a data key of its own. Making, renaming and deleting one is a
//! rename of a folder, all or nothing; leftovers of a killed process are swept. Nothing here reads records, and nothing
//! reads two tenants.

use super::{
    StoreError,
    change::Setting,
    clock::now,
    header::{Header, Plain},
    home::{Home, check_mode, private_file, private_folder, sync_folder},
    lock::{PATIENCE, WriteLock},
    schema,
    tenant::{FILE, LockedTenant, Tenant, lock_of},
};
use crate::{
    model::{
        base::text,
        inventory::record::{Author, Limits, Outcome, Slug},
    },
    vault::{self, Cost, Opener},
};
use std::{
    fs,
    path::{Path, PathBuf},
};

/// The prefix of folders that are being made or removed; no slug starts like this.
pub(super) const TEMPORARY: &str = ".tmp-";
/// The extension of copies of a file from before a migration.
const COPY: &str = "inventory.before-";

/// The tenants of this machine.
#[derive(Debug, Clone)]
pub struct Tenants {
    pub(super) folder: PathBuf,
}

/// A line of the list of tenants.
#[derive(Clone)]
pub struct Listed {
    /// its name
    pub slug: Slug,
    /// the part that is readable without a key
    pub tenant: Result<LockedTenant, std::sync::Arc<StoreError>>,
}

/// The result of a migration of one tenant.
#[derive(Debug)]
pub struct Migrated {
    /// its name
    pub slug: Slug,
    /// true: it was of an older version and has the newest now
    pub outcome: Result<bool, StoreError>,
}

impl Tenants {
    /// The tenants below a home; makes the folder if it is not there.
    ///
    /// # Errors
    /// [`StoreError::Wide`] if others can enter the folder.
    pub fn open(home: &Home) -> Result<Self, StoreError> {
        Ok(Self { folder: home.tenants()? })
    }

    /// The names of all tenants, sorted.
    ///
    /// # Errors
    /// The folder cannot be read.
    pub fn slugs(&self) -> Result<Vec<Slug>, StoreError> {
        let failed = || StoreError::io("reading", &self.folder);
        let mut slugs = Vec::new();
        for entry in fs::read_dir(&self.folder).map_err(failed())? {
            let entry = entry.map_err(failed())?;
            let slug = entry.file_name().to_str().and_then(|name| Slug::parse(name).ok());
            slugs.extend(slug.filter(|_| entry.path().join(FILE).exists()));
        }
        slugs.sort();
        Ok(slugs)
    }

    /// All tenants, sorted by name. One that cannot be read is listed with the reason.
    ///
    /// # Errors
    /// The folder cannot be read.
    pub fn list(&self) -> Result<Vec<Listed>, StoreError> {
        let look = |slug: Slug| Listed { tenant: self.get(&slug).map_err(Into::into), slug };
        Ok(self.slugs()?.into_iter().map(look).collect())
    }

    /// One tenant, locked. A file of an older version is migrated first.
    ///
    /// # Errors
    /// [`StoreError::NoTenant`], [`StoreError::Wide`], [`StoreError::Newer`], or the file cannot be read.
    pub fn get(&self, slug: &Slug) -> Result<LockedTenant, StoreError> {
        let folder = self.folder_of(slug)?;
        migrate_file(&folder, slug, schema::STEPS)?;
        LockedTenant::look(slug.clone(), folder)
    }

    /// Makes a tenant with its first key slot, unlocked. All or nothing: it is built in a folder beside the others and
    /// renamed when it is on disk.
    ///
    /// # Errors
    /// [`StoreError::TenantExists`]; those of [`vault::create`].
    pub fn create(
        &self,
        slug: &Slug,
        opener: &Opener,
        label: &str,
        cost: Option<Cost>,
        author: &Author,
    ) -> Result<Tenant, StoreError> {
        let _lock = self.provision()?;
        self.refuse_taken(slug)?;
        let uid = vault::random_tenant()?;
        let (sealer, slot) = vault::create(&uid, opener, label, cost)?;
        let folder = self.temporary()?;
        let path = folder.join(FILE);
        drop(private_file(&path)?);
        let connection = schema::create(&path)?;
        connection
            .execute("INSERT INTO slot(slot) VALUES (?1)", [slot.to_bytes()])
            .map_err(StoreError::sqlite("making", &path))?;
        Header { keyed: Some(now()), ..Header::empty() }.write(&connection, &sealer, &path)?;
        drop(connection);
        let look = |folder: &Path| LockedTenant::look(slug.clone(), folder.to_owned());
        let mut tenant = Tenant::open(&look(&folder)?, sealer.clone())?;
        tenant.change(author, |change| {
            change.log("create", "tenant", slug.as_str(), Outcome::Done, slot.kind().name())
        })?;
        drop(tenant);
        let folder = self.install(&folder, slug)?;
        Tenant::open(&look(&folder)?, sealer)
    }

    /// Suspends a tenant: nothing is polled and nothing is changed until it is resumed.
    ///
    /// # Errors
    /// Those of [`Tenant::change`].
    pub fn suspend(&self, tenant: &mut Tenant, author: &Author) -> Result<(), StoreError> {
        set_suspended(tenant, author, true)
    }

    /// Resumes a suspended tenant.
    ///
    /// # Errors
    /// Those of [`Tenant::change`].
    pub fn resume(&self, tenant: &mut Tenant, author: &Author) -> Result<(), StoreError> {
        set_suspended(tenant, author, false)
    }

    /// Renames a tenant; returns it unlocked under its new name. The audit log has the entry before it happens.
    ///
    /// # Errors
    /// [`StoreError::TenantExists`], [`StoreError::Busy`].
    pub fn rename(&self, mut tenant: Tenant, to: &Slug, author: &Author) -> Result<Tenant, StoreError> {
        let _lock = self.provision()?;
        self.refuse_taken(to)?;
        let _writer = tenant.write_lock()?;
        let detail = format!("to {to}");
        let slug = tenant.slug().to_string();
        tenant.change_locked(author, Setting::Any, |change| {
            change.log("move", "tenant", &slug, Outcome::Done, &detail)
        })?;
        let (from, sealer) = (tenant.folder.clone(), tenant.sealer.clone());
        // The file is closed first: SQLite finds its log by the old path.
        drop(tenant);
        let folder = self.install(&from, to)?;
        Tenant::open(&LockedTenant::look(to.clone(), folder)?, sealer)
    }

    /// Migrates every tenant to the newest version. One that fails stays as it was; the others go on.
    ///
    /// # Errors
    /// The folder cannot be read.
    pub fn migrate_all(&self) -> Result<Vec<Migrated>, StoreError> {
        self.migrate_with(schema::STEPS)
    }

    /// [`Tenants::migrate_all`] with other steps than the released ones, for tests.
    ///
    /// # Errors
    /// The folder cannot be read.
    #[doc(hidden)]
    pub fn migrate_with(&self, steps: &[&str]) -> Result<Vec<Migrated>, StoreError> {
        let migrate = |slug: Slug| {
            let outcome = self.folder_of(&slug).and_then(|folder| migrate_file(&folder, &slug, steps));
            Migrated { slug, outcome }
        };
        Ok(self.slugs()?.into_iter().map(migrate).collect())
    }

    pub(super) fn refuse_taken(&self, slug: &Slug) -> Result<(), StoreError> {
        let path = self.folder.join(slug.as_str());
        if !path.exists() {
            return Ok(());
        }
        if path.join(FILE).exists() {
            return Err(StoreError::TenantExists(slug.to_string()));
        }
        Err(StoreError::Leftover { holds: holds(&path), path })
    }

    /// The lock for making, renaming and deleting tenants. Sweeps the leftovers of a killed process.
    pub(super) fn provision(&self) -> Result<WriteLock, StoreError> {
        let lock = WriteLock::take(&self.folder.join(".lock"), "the list of tenants", PATIENCE)?;
        for entry in fs::read_dir(&self.folder).into_iter().flatten().flatten() {
            if entry.file_name().to_string_lossy().starts_with(TEMPORARY) {
                let _ = fs::remove_dir_all(entry.path());
            }
        }
        Ok(lock)
    }

    /// A new folder to build a tenant in.
    pub(super) fn temporary(&self) -> Result<PathBuf, StoreError> {
        let folder = self.folder.join(format!("{TEMPORARY}{}", vault::random_id()?));
        private_folder(&folder)?;
        Ok(folder)
    }

    /// Puts a folder with closed files in its place, once they are on disk.
    pub(super) fn install(&self, from: &Path, slug: &Slug) -> Result<PathBuf, StoreError> {
        let to = self.folder.join(slug.as_str());
        let path = from.join(FILE);
        fs::File::open(&path).and_then(|file| file.sync_all()).map_err(StoreError::io("writing", &path))?;
        sync_folder(from)?;
        fs::rename(from, &to).map_err(StoreError::io("making the tenant's folder", &to))?;
        sync_folder(&self.folder)?;
        Ok(to)
    }

    pub(super) fn folder_of(&self, slug: &Slug) -> Result<PathBuf, StoreError> {
        let folder = self.folder.join(slug.as_str());
        let path = folder.join(FILE);
        if !path.exists() {
            let known = self.slugs()?.iter().map(Slug::to_string).collect();
            return Err(StoreError::NoTenant { name: slug.to_string(), known });
        }
        check_mode(&folder, 0o700)?;
        check_mode(&path, 0o600)?;
        Ok(folder)
    }
}

impl Tenant {
    /// Limits it from now on; what it has already stays.
    ///
    /// # Errors
    /// As [`Tenant::change`].
    pub fn set_limits(&mut self, limits: Limits, author: &Author) -> Result<(), StoreError> {
        let slug = self.slug.to_string();
        let _lock = self.write_lock()?;
        self.change_locked(author, Setting::Any, |change| {
            let detail = format!("{} → {limits}", change.header.limits);
            change.header.limits = limits;
            change.log("limit", "tenant", &slug, Outcome::Done, &detail)
        })
    }
}

fn set_suspended(tenant: &mut Tenant, author: &Author, suspended: bool) -> Result<(), StoreError> {
    let slug = tenant.slug().to_string();
    let _lock = tenant.write_lock()?;
    tenant.change_locked(author, Setting::Any, |change| {
        if change.header.suspended == suspended {
            return Ok(());
        }
        change.header.suspended = suspended;
        let action = if suspended { "suspend" } else { "resume" };
        change.log(action, "tenant", &slug, Outcome::Done, "")
    })
}

/// Migrates one file to the version of `steps`. The old file stays beside it until the next migration or rotation.
fn migrate_file(folder: &Path, slug: &Slug, steps: &[&str]) -> Result<bool, StoreError> {
    let path = folder.join(FILE);
    let mut connection = schema::open(&path)?;
    let found = schema::version(&connection, &path)?;
    if found as usize == steps.len() {
        return Ok(false);
    }
    if found as usize > steps.len() {
        return Err(StoreError::Newer { path, found, known: steps.len() as u32 });
    }
    let _lock = lock_of(folder, slug)?;
    remove_copies(folder);
    let copy = folder.join(format!("{COPY}{}", steps.len()));
    drop(private_file(&copy)?);
    connection
        .execute("VACUUM INTO ?1", [copy.to_string_lossy()])
        .map_err(StoreError::sqlite("copying before the migration", &copy))?;
    let done = schema::migrate(&mut connection, &path, steps);
    if !matches!(done, Ok(true)) {
        remove_copies(folder);
    }
    done
}

/// What is in a folder that holds no tenant, in words.
fn holds(path: &Path) -> String {
    const NAMED: usize = 3;
    if !path.is_dir() {
        return "it is a file".to_owned();
    }
    let all = fs::read_dir(path).into_iter().flatten().flatten();
    let mut names: Vec<String> = all.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    let first: Vec<String> =
        names.iter().take(NAMED).map(|name| text::sanitize_line(name, 60).to_string()).collect();
    match names.len() {
        0 => "it is empty".to_owned(),
        n if n > NAMED => format!("only {} and {} more", first.join(", "), n - NAMED),
        _ => format!("only {}", first.join(", ")),
    }
}

/// Removes the copies that migrations left.
pub(super) fn remove_copies(folder: &Path) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        if entry.file_name().to_string_lossy().starts_with(COPY) {
            let _ = fs::remove_file(entry.path());
        }
    }
}

/// The identity of the tenant in a file, read without a key.
pub(super) fn uid_of(path: &Path) -> Result<crate::model::inventory::record::TenantUid, StoreError> {
    Ok(Plain::read(&schema::open(path)?, path)?.tenant)
}
