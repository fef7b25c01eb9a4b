//! The only module that knows SQLite: a tenant's inventory and audit log in one file, sealed record by record. `command`
//! opens tenants and changes them, `report` reads history. It never logs, prints or asks, and it blocks: call it off the
//! async threads.
//!
//! | file | what it owns |
//! |---|---|
//! | `home` | the folders of dbtop and their modes |
//! | `tenants` | making, listing, renaming, deleting, migrating tenants |
//! | `tenant` | one tenant's file, locked and unlocked |
//! | `inventory`, `change` | reading and writing records; `kind` and `contents` say what is sealed |
//! | `audit` | the log of every change |
//! | `keys` | key slots, rotation of the data key |
//! | `backup`, `repair` | one file to carry away; keeping the rest of a damaged tenant |
//! | `clock` | the clocks of this machine, for those who judge ages |
//! | `schema`, `header`, `lock` | tables and migrations; the values that vouch for the file; one writer at a time |
//!
//! Nothing readable reaches the disk: names are found by an HMAC, all else is in sealed columns. No function takes rows of
//! two tenants: a [`Tenant`] is one connection with one key, and a record opens at its own place only.

mod audit;
mod author;
mod backup;
mod change;
pub mod clock;
mod contents;
mod damage;
mod error;
mod header;
pub mod history;
mod history_key;
mod home;
mod inventory;
mod keys;
mod kind;
mod lock;
mod repair;
pub mod schema;
mod tenant;
mod tenants;

pub use audit::{AuditCheck, AuditFilter, AuditHead};
pub use author::current_author;
pub use backup::{BackupFile, BackupMade};
pub use change::{Change, Plain};
pub use damage::{Damage, Harm};
pub use error::StoreError;
pub use home::Home;
pub use inventory::{Entry, Inventory};
pub use kind::{Kind, Stored};
pub use tenant::{LockedTenant, Tenant};
pub use tenants::{Listed, Migrated, Tenants};
