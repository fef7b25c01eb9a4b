//! A home in a temporary folder, a key file, and tenants with a few telling instances: for the tests of the store.

use dbtop::{
    model::{
        base::secret::Secret,
        inventory::record::{Auth, Author, InstanceRecord, SecretRef, Slug},
    },
    store::{Home, LockedTenant, StoreError, Tenant, Tenants},
    vault::Opener,
};
use std::path::{Path, PathBuf};

pub struct Stage {
    pub folder: tempfile::TempDir,
    pub tenants: Tenants,
}

impl Stage {
    pub fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let tenants = Tenants::open(&Home::at(&folder.path().join("home"))).unwrap();
        Self { folder, tenants }
    }

    pub fn home(&self) -> PathBuf {
        self.folder.path().join("home")
    }

    /// A key that is no part of the home.
    pub fn key(&self) -> Opener {
        Opener::KeyFile(self.folder.path().join("key"))
    }

    pub fn create(&self, name: &str) -> Tenant {
        self.tenants.create(&slug(name), &self.key(), "test", None, &author()).unwrap()
    }

    pub fn locked(&self, name: &str) -> LockedTenant {
        self.tenants.get(&slug(name)).unwrap()
    }

    pub fn open(&self, name: &str) -> Tenant {
        self.locked(name).unlock(&self.key()).unwrap()
    }

    pub fn database(&self, name: &str) -> PathBuf {
        self.home().join("tenants").join(name).join("inventory.db")
    }

    /// The file as somebody without the key could open it.
    pub fn sqlite(&self, name: &str) -> rusqlite::Connection {
        rusqlite::Connection::open(self.database(name)).unwrap()
    }
}

pub fn slug(name: &str) -> Slug {
    Slug::parse(name).unwrap()
}

pub fn author() -> Author {
    Author {
        login: None,
        user: "mira-the-dba (1000)".into(),
        tty: Some("/dev/pts/3".into()),
        ssh_client: Some("192.0.2.77 5000 22".into()),
    }
}

pub fn instance(name: &str) -> InstanceRecord {
    let secret = SecretRef::Stored(Secret::new(format!("Passw0rd-of-{name}")));
    let mut record = InstanceRecord::new(
        name,
        format!("{name}.db.internal"),
        Auth::Sql { user: format!("login_{name}"), secret },
    );
    record.notes = format!("Call Olga about {name}");
    record
}

pub fn add(tenant: &mut Tenant, names: &[&str]) {
    tenant
        .change(&author(), |change| {
            for name in names {
                change.add_instance(&instance(name))?;
            }
            Ok::<_, StoreError>(())
        })
        .unwrap();
}

pub fn names(tenant: &Tenant) -> Vec<String> {
    tenant.inventory().unwrap().instances.into_iter().map(|entry| entry.record.name).collect()
}

/// Everything damaged, as `kind name`.
pub fn damage(tenant: &Tenant) -> Vec<String> {
    tenant.inventory().unwrap().damage.iter().map(|d| format!("{} {}", d.kind, d.name)).collect()
}

/// Every file below a folder.
pub fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap().flatten() {
        if entry.path().is_dir() {
            found.extend(files(&entry.path()));
        } else {
            found.push(entry.path());
        }
    }
    found
}
