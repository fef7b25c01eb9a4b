//! A tenant and its history into one encrypted file: for `dbtop tenant backup` and for `:backup` on the screen. Blocks for as long as the disk
//! takes.

use crate::{
    app::clock,
    model::{
        base::{time::Timestamp, zone::UTC},
        inventory::record::Slug,
    },
    store::{BackupMade, Home, StoreError, Tell, Tenant, current_author},
};
use std::path::{Path, PathBuf};

/// Said where no slot of the backup opens on another machine.
const NOT_PORTABLE: &str = "no slot in it opens on another machine: add a passphrase or a key file (`dbtop vault slot add`) and back up again";

/// What a backup lacks, in the words that follow its file's name; empty: nothing.
pub fn lacks(made: &BackupMade) -> Vec<String> {
    let unlogged = made.unlogged.as_ref().map(|why| format!("the audit log does not tell of it: {why}"));
    let not_portable = (!made.portable).then(|| NOT_PORTABLE.to_owned());
    unlogged.into_iter().chain(not_portable).collect()
}

/// Backs a tenant up into this file, or into one of its own name and time in dbtop's folder of backups.
///
/// # Errors
/// The file is there already or cannot be written; another process writes the tenant.
pub fn backup(tenant: &mut Tenant, file: Option<&Path>, tell: Tell<'_>) -> Result<BackupMade, StoreError> {
    let file = place(tenant, file)?;
    tenant.backup(&file, &current_author(), tell)
}

/// The file that a backup goes into: this one, or one of its own name and time in dbtop's folder of backups.
///
/// # Errors
/// dbtop's folder cannot be made.
pub fn place(tenant: &Tenant, file: Option<&Path>) -> Result<PathBuf, StoreError> {
    Ok(match file {
        Some(file) => file.to_owned(),
        None => Home::find()?.backups()?.join(name(tenant.slug(), clock::now())),
    })
}

/// `acme-2026-11-20-133000.dbtop-backup`, in UTC: names sort by time.
fn name(slug: &Slug, at: Timestamp) -> PathBuf {
    let (mut name, mut clock) = (format!("{slug}-"), String::new());
    UTC.push_date(&mut name, at);
    UTC.push_clock(&mut clock, at);
    name.push('-');
    name.extend(clock.chars().filter(|c| *c != ':'));
    name.push_str(".dbtop-backup");
    name.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_says_whose_and_when() {
        let slug = Slug::parse("acme").unwrap();
        let named = name(&slug, Timestamp::from_ms(1_795_181_400_000));
        assert_eq!(named, PathBuf::from("acme-2026-11-20-133000.dbtop-backup"));
    }
}
