//! The only module that knows SQLite: a tenant's inventory and audit log in one file, sealed record by record; its history in
//! another. `app::inventory` opens tenants, and `command` changes them, too; `app::history` writes history; `report` reads
//! it. It never logs, prints or asks, and it blocks: call it off the async threads.
//!
//! | file | what it owns |
//! |---|---|
//! | `home` | the folders of dbtop and their modes |
//! | `tenants`, `trash` | making, listing, renaming, migrating tenants; deleting them, and bringing them back for 30 days |
//! | `tenant` | one tenant's file, locked and unlocked |
//! | `inventory`, `change` | reading and writing records; `kind` and `contents` say what is sealed |
//! | `audit`, `author` | the log of every change; the person who made it |
//! | `keys`, `history_key` | key slots, rotation of the data key; the key that history is sealed with |
//! | `history` | the past of every instance, in a file of its own |
//! | `backup`, `repair` | one file to carry away; keeping the rest of a damaged tenant |
//! | `clock`, `disk` | the clocks of this machine, for those who judge ages; what its disks say of themselves |
//! | `damage`, `error` | records that cannot be trusted; errors, with the way out |
//! | `schema`, `header`, `lock` | tables and migrations; the values that vouch for the file; one writer at a time |
//!
//! Nothing readable reaches the disk: names are found by an HMAC, all else is in sealed columns. No function takes rows of
//! two tenants: a [`Tenant`] is one connection with one key, and a record opens at its own place only.
//!
//! # A tenant on disk
//!
//! `<data>/tenants/<slug>/` holds `inventory.db` (SQLite, WAL) and `tenant.lock` (the id of the process that writes, no more).
//! Every record, name, colour and audit entry is in a sealed column; beside it stand only what SQLite must sort and find by:
//! a random id, a revision, a deleted flag, an HMAC of the name. `store::schema` has the tables.
//!
//! - One change is one transaction of records, *contents*, audit log and header (`store::change`). *Contents* is one sealed
//!   list per kind with id, revision and name of every record: it tells a lost, replayed or slipped-in record from a good
//!   one, and names a record that cannot be opened. The header vouches for the revisions of the contents, the key slots and
//!   the end of the audit log. A whole file replaced by an older copy is not noticed, except by a hash of the audit log kept
//!   elsewhere (`dbtop audit head`).
//! - A damaged record is refused and named; the others stay readable. A broken header or contents can be read past, but
//!   nothing is written over it until somebody says `repair`.
//! - The audit log is a chain over *plain texts*: a rotation seals entries anew and the chain stays what it was.
//! - Groups are in an instance by id: renaming one touches no member, deleting and restoring one keeps them.
//! - A rotation seals everything anew in one transaction and then empties SQLite's log, which still had the old seals.
//!   Backups and copies made before it still open with the old keys.
//! - Making, renaming, restoring and deleting a tenant is one rename of a folder. Leftovers (`.tmp-…`) are swept.
//! - SQLite runs with `synchronous=FULL` here: inventories change rarely, and a password said to be saved is saved.

mod anchor;
mod audit;
mod author;
mod backup;
mod change;
pub mod clock;
mod contents;
mod damage;
mod difference;
pub mod disk;
mod error;
mod header;
pub mod history;
mod history_key;
mod home;
mod inventory;
mod keys;
mod kind;
mod lock;
mod notes;
mod prune;
mod repair;
pub mod schema;
mod tenant;
mod tenants;
mod trash;

#[cfg(test)]
mod tests;

pub use anchor::Anchor;
pub use audit::{AuditCheck, AuditFilter, AuditHead, AuditSlice};
pub use author::current_author;
pub use backup::{BackupFile, BackupMade, Progress, Tell};
pub use change::{Change, Plain};
pub use damage::{Damage, Harm};
pub use error::StoreError;
pub use home::{HISTORY_FILE, Home, file_sha256, sha256};
pub use inventory::{Entry, Inventory};
pub use kind::{Kind, Stored};
pub use prune::{AuditAge, Pruned};
pub use tenant::{LockedTenant, Tenant};
pub use tenants::{Listed, Migrated, Tenants};
pub use trash::{Deleted, KEPT_DAYS, Purge};
