//! The key slots of the vault: as a list, and every change of them. The same for the pane of the screen, which the inventory service
//! answers, and for `dbtop vault`. Blocks for as long as Argon2id and the disk take.

use crate::{
    model::base::error::with_causes,
    protocol::{NewKey, Refusal, SlotChange, SlotLine, VaultList},
    store::{StoreError, Tenant, current_author},
    vault::{Opener, Sealer, Slot, SlotKind},
};

/// The slots as they are now.
///
/// # Errors
/// The file cannot be read.
pub fn list(tenant: &Tenant) -> Result<VaultList, StoreError> {
    let sealer = tenant.sealer();
    let slots = tenant.slots()?.iter().map(|slot| line(sealer, slot)).collect();
    Ok(VaultList { slots, generation: sealer.generation() })
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
pub fn change(tenant: &mut Tenant, change: SlotChange) -> Result<String, Refusal> {
    let author = current_author();
    let (field, done) = match change {
        SlotChange::Add { key, label } => {
            let (field, opener) = match key {
                NewKey::Passphrase(passphrase) => ("passphrase", Opener::Passphrase(passphrase)),
                NewKey::KeyFile(file) => ("file", Opener::KeyFile(file)),
                NewKey::Credential(file) => ("file", Opener::Credential(file)),
                NewKey::Keyring => ("kind", Opener::Keyring),
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
