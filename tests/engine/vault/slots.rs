//! Slots are added, removed and rotated; a removed slot stays locked out; damage is told from a wrong passphrase.

use super::{CHEAP, TENANT, id, open_vault, passphrase, sentence};
use dbtop::{
    model::inventory::record::TenantUid,
    vault::{
        self, Cost, Env, Opener, Place, Slot, SlotKind, VaultError, add_slot, rotate, unlock, unlock_any,
        without_slot,
    },
};
use proptest::prelude::*;

#[test]
fn every_slot_opens_the_same_vault() {
    let folder = tempfile::tempdir().unwrap();
    let file = Opener::KeyFile(folder.path().join("key"));
    let (sealer, first) = open_vault();
    let second = add_slot(&sealer, &passphrase("another passphrase"), "colleague", CHEAP).unwrap();
    let third = add_slot(&sealer, &file, "backup job", None).unwrap();
    let slots = [first, second, third];
    let (id, text) = (id(5), b"the same record");
    let place = Place { tenant: &TENANT, table: "instance", id: &id, revision: 1, schema: 1 };
    let record = sealer.seal(&place, text).unwrap();
    for opener in [passphrase("correct horse battery"), passphrase("another passphrase"), file] {
        let opened = unlock(&TENANT, &slots, &opener).unwrap();
        assert_eq!(opened.open(&place, &record).unwrap().as_slice(), text);
        assert_eq!(opened.generation(), 1);
        let labels: Vec<String> = slots.iter().map(|slot| slot.label(&opened).unwrap()).collect();
        assert_eq!(labels, ["mine", "colleague", "backup job"]);
    }
    assert_eq!(
        slots.each_ref().map(Slot::kind),
        [SlotKind::Passphrase, SlotKind::Passphrase, SlotKind::KeyFile]
    );
}

#[test]
fn labels_do_not_stand_in_the_file() {
    let (sealer, _) = open_vault();
    let slot = add_slot(&sealer, &passphrase("another passphrase"), "laptop of Maria", CHEAP).unwrap();
    let bytes = slot.to_bytes();
    assert!(!bytes.windows(5).any(|window| window == b"Maria"));
    let refused = sentence(add_slot(&sealer, &passphrase("another passphrase"), &"x".repeat(201), CHEAP));
    assert!(refused.contains("200 bytes"), "{refused}");
}

#[test]
fn a_wrong_passphrase_says_what_to_try() {
    let (_, slot) = open_vault();
    let refused = sentence(unlock(&TENANT, &[slot], &passphrase("Correct Horse Battery")));
    assert!(refused.contains("caps lock") && refused.contains("--key-file"), "{refused}");
}

#[test]
fn a_kind_without_a_slot_names_the_kinds_that_are_there() {
    let (_, slot) = open_vault();
    let refused = sentence(unlock(&TENANT, &[slot], &Opener::Keyring));
    assert!(refused.starts_with("this vault has no keyring slot, only: passphrase"), "{refused}");
    let refused = sentence(unlock(&TENANT, &[], &passphrase("x")));
    assert!(refused.contains("none at all"), "{refused}");
}

#[test]
fn a_slot_of_another_tenant_does_not_open() {
    let (_, slot) = open_vault();
    let other = TenantUid::from_bytes([9; 16]);
    assert!(matches!(
        unlock(&other, &[slot], &passphrase("correct horse battery")),
        Err(VaultError::WrongPassphrase)
    ));
}

#[test]
fn a_removed_slot_stays_outside_after_a_rotation() {
    let (old, kept) = open_vault();
    let removed = add_slot(&old, &passphrase("of the colleague"), "leaver", CHEAP).unwrap();
    let (remaining, gone) = without_slot(&[kept, removed.clone()], &removed.id().to_string()[..8]).unwrap();
    assert_eq!(gone.id(), removed.id());
    let (new, slots) = rotate(&old, &remaining).unwrap();
    assert_eq!((new.generation(), slots.len()), (2, 1));
    let id = id(5);
    let place = Place { tenant: &TENANT, table: "instance", id: &id, revision: 1, schema: 1 };
    let sealed = new.seal(&place, b"after the leaver left").unwrap();

    // With the passphrase: no slot of the file fits.
    let leaver = passphrase("of the colleague");
    assert!(matches!(unlock(&TENANT, &slots, &leaver), Err(VaultError::WrongPassphrase)));
    // With a copy of the old slot, or the old data key itself: an old generation, which opens nothing new.
    let copy = unlock(&TENANT, &[removed], &leaver).unwrap();
    for held in [&copy, &old] {
        assert!(matches!(held.open(&place, &sealed), Err(VaultError::Refused { .. })));
        assert!(slots[0].label(held).is_err());
    }
    // Who stayed opens it with the passphrase that was not asked for during the rotation.
    let opened = unlock(&TENANT, &slots, &passphrase("correct horse battery")).unwrap();
    assert_eq!(opened.open(&place, &sealed).unwrap().as_slice(), b"after the leaver left");
    assert_eq!(slots[0].label(&opened).unwrap(), "mine");
}

#[test]
fn many_rotations_lose_no_slot() {
    let folder = tempfile::tempdir().unwrap();
    let file = Opener::KeyFile(folder.path().join("key"));
    let (mut sealer, slot) = open_vault();
    let mut slots = vec![slot];
    for round in 2..12 {
        if round == 5 {
            slots.push(add_slot(&sealer, &file, "late", None).unwrap());
        }
        (sealer, slots) = rotate(&sealer, &slots).unwrap();
        slots = slots.iter().map(|slot| Slot::from_bytes(&slot.to_bytes()).unwrap()).collect();
        let opened = unlock(&TENANT, &slots, &passphrase("correct horse battery")).unwrap();
        assert_eq!(opened.generation(), round);
    }
    assert_eq!(unlock(&TENANT, &slots, &file).unwrap().generation(), 11);
}

#[test]
fn the_last_slot_cannot_be_removed_and_an_unknown_one_is_named() {
    let (sealer, slot) = open_vault();
    let only = slot.id().to_string();
    assert!(sentence(without_slot(std::slice::from_ref(&slot), &only)).contains("dbtop vault slot add"));
    assert!(sentence(without_slot(std::slice::from_ref(&slot), "ffff0000")).contains("ffff0000"));
    assert!(sentence(without_slot(std::slice::from_ref(&slot), "")).contains("slot list"));
    assert!(sentence(without_slot(std::slice::from_ref(&slot), &only[..3])).contains("slot list"));
    assert!(matches!(rotate(&sealer, &[]), Err(VaultError::LastSlot)));
}

#[test]
fn damage_is_told_from_a_wrong_passphrase() {
    let (_, slot) = open_vault();
    let bytes = slot.to_bytes();
    assert!(Slot::from_bytes(&bytes).is_ok_and(|read| read == slot));
    for at in 0..bytes.len() {
        for bit in 0..8 {
            let mut forged = bytes.clone();
            forged[at] ^= 1 << bit;
            let told = Slot::from_bytes(&forged).err().unwrap().to_string();
            if at == 0 && forged[0] > 1 {
                assert!(told.contains("a key slot was written by a newer dbtop"), "{told}");
            } else {
                assert!(told.contains("is damaged") && told.contains("another slot"), "{told}");
            }
        }
    }
    for length in 0..bytes.len() {
        assert!(Slot::from_bytes(&bytes[..length]).is_err(), "{length}");
    }
    assert!(Slot::from_bytes(&[0; 5000]).is_err());
}

#[test]
fn the_vault_opens_with_the_slots_that_are_whole() {
    let (sealer, one) = open_vault();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("key");
    let two = add_slot(&sealer, &Opener::KeyFile(file.clone()), "two", None).unwrap();
    // Another slot of the same kind that fails does not stand in the way.
    let cost = Cost { memory_kib: u32::MAX, passes: 1, lanes: 1 };
    let mut absurd = one.to_bytes();
    absurd[50..54].copy_from_slice(&cost.memory_kib.to_be_bytes());
    let absurd = with_checksum(absurd);
    let slots = [Slot::from_bytes(&absurd).unwrap(), one, two];
    assert!(unlock(&TENANT, &slots, &passphrase("correct horse battery")).is_ok());
    let told = sentence(unlock(&TENANT, &slots[..1], &passphrase("correct horse battery")));
    assert!(told.contains("damaged"), "{told}");
    assert!(unlock(&TENANT, &slots, &Opener::KeyFile(file)).is_ok());
}

/// A forger can make the checksum right again.
fn with_checksum(mut bytes: Vec<u8>) -> Vec<u8> {
    use sha2::{Digest, Sha256};
    let body = bytes.len() - 8;
    let sum = Sha256::digest(&bytes[..body]);
    bytes[body..].copy_from_slice(&sum[..8]);
    bytes
}

#[test]
fn without_a_question_the_way_to_open_is_named() {
    let (sealer, one) = open_vault();
    let told = sentence(unlock_any(&TENANT, std::slice::from_ref(&one), &Env::default()));
    assert!(told.contains("passphrase") && told.contains("DBTOP_KEY_FILE"), "{told}");
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("key");
    let two = add_slot(&sealer, &Opener::KeyFile(path.clone()), "two", None).unwrap();
    let env = Env { key_file: Some(path), ..Env::default() };
    assert!(unlock_any(&TENANT, &[one.clone(), two.clone()], &env).is_ok());
    // A key file that was named and is not there is no reason to try something else.
    let env = Env { key_file: Some(folder.path().join("nothing")), ..Env::default() };
    assert!(sentence(unlock_any(&TENANT, &[one, two.clone()], &env)).contains("there is no key file"));
    let told = sentence(unlock_any(&TENANT, &[two], &Env::default()));
    assert!(!told.contains("passphrase") && told.contains("DBTOP_KEY_FILE"), "{told}");
}

#[test]
fn a_weak_passphrase_makes_no_slot() {
    let (sealer, _) = open_vault();
    assert!(sentence(add_slot(&sealer, &passphrase("hunter2"), "x", CHEAP)).contains("at least 12"));
    assert!(vault::create(&TENANT, &passphrase(""), "x", CHEAP).is_err());
}

proptest! {
    /// Whoever rewrites the slot, checksum and all: it opens with nothing but what was sealed, and never panics.
    #[test]
    fn a_forged_slot_never_opens(at in 1_usize..386, flip in 1_u8..=255) {
        let (sealer, slot) = open_vault();
        let mut forged = slot.to_bytes();
        let body = forged.len() - 8;
        let at = at.min(body - 1);
        forged[at] ^= flip;
        if let Ok(slot) = Slot::from_bytes(&with_checksum(forged)) {
            // A kind that cannot be told by the bytes alone is bound to them, too.
            match unlock(&TENANT, std::slice::from_ref(&slot), &passphrase("correct horse battery")) {
                Ok(opened) => {
                    prop_assert_eq!(opened.generation(), sealer.generation());
                    prop_assert!(slot.label(&opened).is_err(), "only the label may be hurt: byte {}", at);
                }
                Err(e) => prop_assert!(e.to_string().len() > 20),
            }
        }
    }

    #[test]
    fn garbage_is_no_slot(bytes in prop::collection::vec(any::<u8>(), 0..500)) {
        prop_assert!(Slot::from_bytes(&bytes).is_err());
    }
}

/// A small program that "unwraps": it turns letters to capitals.
#[cfg(unix)]
fn program(folder: &std::path::Path, body: &str) -> Vec<String> {
    use std::os::unix::fs::PermissionsExt;
    let (new, path) = (folder.join("new"), folder.join("unwrap.sh"));
    std::fs::write(&new, format!("#!/bin/sh\n{body}\n")).unwrap();
    std::fs::set_permissions(&new, std::fs::Permissions::from_mode(0o700)).unwrap();
    std::fs::rename(&new, &path).unwrap();
    vec![path.to_str().unwrap().to_owned()]
}

#[cfg(unix)]
#[test]
fn a_program_opens_its_slot_with_the_wrapped_key_that_the_slot_carries() {
    let folder = tempfile::tempdir().unwrap();
    let (sealer, first) = open_vault();
    let argv = program(folder.path(), "tr a-z A-Z");
    let wrapped = b"a key that a kms has wrapped".to_vec();
    let opener = Opener::Command { argv: argv.clone(), wrapped: wrapped.clone() };
    let slot = add_slot(&sealer, &opener, "kms", None).unwrap();
    let slot = Slot::from_bytes(&slot.to_bytes()).unwrap();
    assert_eq!((slot.kind(), slot.label(&sealer).unwrap().as_str()), (SlotKind::Command, "kms"));
    assert!(slot.to_bytes().windows(wrapped.len()).any(|window| window == wrapped));
    let slots = [first, slot];
    let env = Env { unwrap: argv.clone(), ..Env::default() };
    assert_eq!(unlock_any(&TENANT, &slots, &env).unwrap().generation(), 1);
    // A rotation asks for no secret, and the program opens the new key.
    let (next, slots) = rotate(&sealer, &slots).unwrap();
    assert_eq!(next.generation(), 2);
    assert_eq!(unlock_any(&TENANT, &slots, &env).unwrap().generation(), 2);
    // Another secret, a program that fails, none at all: each says so, and the passphrase still opens.
    let wrong = program(folder.path(), "tr a-z B");
    let refused = sentence(unlock_any(&TENANT, &slots, &Env { unwrap: wrong, ..Env::default() }));
    assert!(
        refused.contains("is not the secret of this vault") && refused.contains("passphrase"),
        "{refused}"
    );
    let failing = program(folder.path(), "echo no network >&2; exit 2");
    let refused = sentence(unlock_any(&TENANT, &slots, &Env { unwrap: failing, ..Env::default() }));
    assert!(refused.contains("code 2: no network"), "{refused}");
    let refused = sentence(unlock_any(&TENANT, &slots, &Env::default()));
    assert!(refused.contains("[vault] unwrap"), "{refused}");
    assert!(unlock(&TENANT, &slots, &passphrase("correct horse battery")).is_ok());
    // Another wrapped key in its place is noticed.
    let mut bytes = slots[1].to_bytes();
    let at = bytes.windows(3).position(|window| window == b"kms").unwrap_or(120);
    bytes[at] ^= 1;
    assert!(Slot::from_bytes(&bytes).is_err());
    let none = Opener::Command { argv, wrapped: Vec::new() };
    assert!(sentence(add_slot(&sealer, &none, "", None)).contains("1 byte to 16 KB"));
}
