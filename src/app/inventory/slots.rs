//! The key slots of the vault: as a list, and every change of them. The same for the pane of the screen, which the inventory service
//! answers, and for `dbtop vault`. Blocks for as long as Argon2id and the disk take.

use crate::{
    model::base::{age::Moment, error::with_causes, time::Timestamp},
    protocol::{NewKey, Refusal, SlotChange, SlotLine, VaultList, old_key_days},
    store::{StoreError, Tenant, clock::moment, current_author},
    vault::{MAX_WRAPPED_BYTES, Opener, Sealer, Slot, SlotKind},
};
use std::{fs::File, io::Read, path::Path};

/// The age of a tenant's data key, ms; None: it is not known. A step of the clock is no age (`model::base::age`).
///
/// # Errors
/// The file cannot be read.
pub fn key_age_ms(tenant: &Tenant, now: Moment) -> Result<Option<u64>, StoreError> {
    let Some(made) = tenant.keyed()? else { return Ok(None) };
    Ok(Some(aged(tenant.ages(now)?, tenant.newest_entry()?, now.wall).ms_since(made)))
}

/// The time by which the key is judged. Where no program keeps running nobody looks at the clock for long, but the log goes on: that is
/// enough for a warning that does no harm.
fn aged(believed: Timestamp, newest: Option<Timestamp>, now: Timestamp) -> Timestamp {
    newest.map_or(believed, |newest| believed.max(newest.min(now)))
}

/// The warning about a data key of this age; None: it is young enough.
pub fn old_key(age_ms: u64) -> Option<String> {
    old_key_days(age_ms)
        .map(|days| format!("the data key is {days} days old: a new one is made by `dbtop vault rotate`"))
}

/// The wrapped key in a file.
///
/// # Errors
/// It cannot be read, or is longer than a wrapped key.
pub fn wrapped(file: &Path) -> std::io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    File::open(file)?.take(MAX_WRAPPED_BYTES as u64 + 1).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// The slots as they are now.
///
/// # Errors
/// The file cannot be read.
pub fn list(tenant: &Tenant) -> Result<VaultList, StoreError> {
    let sealer = tenant.sealer();
    let slots = tenant.slots()?.iter().map(|slot| line(sealer, slot)).collect();
    Ok(VaultList { slots, generation: sealer.generation(), key_age_ms: key_age_ms(tenant, moment())? })
}

fn line(sealer: &Sealer, slot: &Slot) -> SlotLine {
    let kind = slot.kind();
    SlotLine {
        id: slot.id().short(),
        kind: kind.name(),
        label: slot.label(sealer).ok(),
        generation: slot.generation(),
        memory_kib: (kind == SlotKind::Passphrase).then(|| slot.cost().memory_kib),
        is_lasting: kind.is_lasting(),
        is_portable: matches!(kind, SlotKind::Passphrase | SlotKind::KeyFile),
    }
}

/// Carries a change out. Returns what was done, in words.
///
/// # Errors
/// A key that is none, the last slot, another process that writes.
pub fn change(tenant: &mut Tenant, change: SlotChange, unwrap: &[String]) -> Result<String, Refusal> {
    let author = current_author();
    let (field, done) = match change {
        SlotChange::Add { key, label } => {
            let (field, opener) = match key {
                NewKey::Passphrase(passphrase) => ("passphrase", Opener::Passphrase(passphrase)),
                NewKey::KeyFile(file) => ("file", Opener::KeyFile(file)),
                NewKey::Credential(file) => ("file", Opener::Credential(file)),
                NewKey::Keyring => ("kind", Opener::Keyring),
                NewKey::Command(file) => {
                    let unread = |e| Refusal {
                        field: Some("file"),
                        words: format!("reading {}: {e}", file.display()),
                    };
                    let wrapped = wrapped(&file).map_err(unread)?;
                    ("file", Opener::Command { argv: unwrap.to_vec(), wrapped })
                }
            };
            let made = tenant.add_slot(&author, &opener, &label, None);
            (Some(field), made.map(|slot| added(&slot)))
        }
        SlotChange::Remove { id, rotate: true } => {
            let done = tenant.rotate(&author, Some(&id));
            (None, done.map(|()| format!("slot {id} removed, and a new data key made that it never knew")))
        }
        SlotChange::Remove { id, rotate: false } => {
            let done = tenant.remove_slot(&author, &id);
            let words = "who kept a copy of the data key can still read the file, a new key locks them out";
            (None, done.map(|_| format!("slot {id} removed: {words}")))
        }
        SlotChange::Rotate => {
            let done = tenant.rotate(&author, None);
            let generation = tenant.sealer().generation();
            (None, done.map(|()| format!("data key {generation} is made: all slots open it as before")))
        }
    };
    done.map_err(|e| Refusal { field, words: with_causes(&e) })
}

fn added(slot: &Slot) -> String {
    let words = format!("slot {} added", slot.id().short());
    if slot.kind() == SlotKind::KernelKeyring {
        return format!("{words}: the kernel's keyring of the login session, which forgets at reboot");
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    use crate::{
        model::inventory::record::Slug,
        store::{Home, Tenants},
    };
    use std::time::Duration;

    const DAY_MS: u64 = 86_400_000;

    #[test]
    fn a_data_key_older_than_a_year_is_a_warning() {
        let after = |days: u64| old_key(days * DAY_MS);
        assert_eq!((after(0), after(365)), (None, None));
        assert!(after(366).is_some_and(|words| words.contains("366 days") && words.contains("vault rotate")));
    }

    #[test]
    fn a_data_key_gets_old_without_a_program_that_keeps_running() {
        let day = |days: i64| Timestamp::from_ms(days * DAY_MS as i64);
        let age = |believed, newest, now| {
            aged(day(believed), Some(day(newest)), day(now)).ms_since(day(0)) / DAY_MS
        };
        assert_eq!(age(1, 400, 401), 400, "the log has an entry of that day");
        assert_eq!(age(1, 2, 401), 2, "nobody has written since: the clock may have jumped");
        assert_eq!(age(1, 400, 3), 3, "the entry is of a clock that was ahead");
        assert_eq!(age(500, 400, 401), 500);
        assert!(old_key(age(1, 400, 401) * DAY_MS).is_some());
        assert_eq!(aged(day(7), None, day(9)), day(7));
    }

    #[test]
    fn a_clock_that_jumps_makes_no_data_key_old_until_it_has_gone_evenly() {
        let folder = tempfile::tempdir().unwrap();
        let tenants = Tenants::open(&Home::at(&folder.path().join("home"))).unwrap();
        let key = Opener::KeyFile(folder.path().join("key"));
        let slug = Slug::parse("acme").unwrap();
        let tenant = tenants.create(&slug, &key, "test", None, &current_author()).unwrap();
        let made: Timestamp = tenant.keyed().unwrap().unwrap();
        let ago = |days: i64| {
            let now = Moment { wall: made.plus_ms(days * DAY_MS as i64), up: Duration::from_mins(1) };
            key_age_ms(&tenant, now).unwrap().unwrap() / DAY_MS
        };
        assert_eq!([ago(0), ago(400), ago(-400)], [0, 0, 0]);
        assert_eq!(list(&tenant).unwrap().key_age_ms.map(|ms| ms / DAY_MS), Some(0));
    }
}
