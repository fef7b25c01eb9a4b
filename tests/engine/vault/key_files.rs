//! Key files and credentials: made once, for their owner only, and refused in words.
#![cfg(unix)]

use super::{TENANT, open_vault, sentence};
use dbtop::vault::{Env, Opener, Slot, SlotKind, add_slot, unlock, unlock_any};
use std::{
    fs,
    os::unix::fs::{PermissionsExt, symlink},
    path::{Path, PathBuf},
};

struct Stage {
    folder: tempfile::TempDir,
    slots: Vec<Slot>,
}

fn stage() -> Stage {
    let folder = tempfile::tempdir().unwrap();
    let (sealer, first) = open_vault();
    let slot = add_slot(&sealer, &Opener::KeyFile(folder.path().join("key")), "job", None).unwrap();
    Stage { folder, slots: vec![first, slot] }
}

impl Stage {
    fn key(&self) -> PathBuf {
        self.folder.path().join("key")
    }

    fn refusal(&self, path: &Path) -> String {
        sentence(unlock(&TENANT, &self.slots, &Opener::KeyFile(path.to_owned())))
    }
}

fn set_mode(path: &Path, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

#[test]
fn a_key_file_is_one_line_for_its_owner() {
    let stage = stage();
    let text = fs::read_to_string(stage.key()).unwrap();
    assert!(text.starts_with("dbtop-key-v1:") && text.ends_with('\n') && text.len() == 13 + 64 + 1);
    assert_eq!(fs::metadata(stage.key()).unwrap().permissions().mode() & 0o7777, 0o600);
    assert!(unlock(&TENANT, &stage.slots, &Opener::KeyFile(stage.key())).is_ok());
    set_mode(&stage.key(), 0o400);
    assert!(unlock(&TENANT, &stage.slots, &Opener::KeyFile(stage.key())).is_ok());
}

#[test]
fn a_file_that_others_may_read_is_refused_with_the_command_that_mends_it() {
    let stage = stage();
    for mode in [0o640, 0o604, 0o660, 0o644, 0o610, 0o601] {
        set_mode(&stage.key(), mode);
        let told = stage.refusal(&stage.key());
        assert!(told.contains(&format!("mode {mode:04o}")), "{told}");
        assert!(told.ends_with(&format!("run `chmod 600 {}`", stage.key().display())), "{told}");
    }
    let spaced = stage.folder.path().join("my key's");
    fs::rename(stage.key(), &spaced).unwrap();
    assert!(stage.refusal(&spaced).contains(r"my key'\''s'`"), "{}", stage.refusal(&spaced));
}

#[test]
fn an_existing_key_file_is_used_and_never_overwritten() {
    let stage = stage();
    let before = fs::read(stage.key()).unwrap();
    let (sealer, _) = open_vault();
    let second = add_slot(&sealer, &Opener::KeyFile(stage.key()), "second tenant", None).unwrap();
    assert_eq!(fs::read(stage.key()).unwrap(), before);
    assert!(unlock(&TENANT, &[second], &Opener::KeyFile(stage.key())).is_ok());
    // Somebody else's file is not taken for a key.
    let other = stage.folder.path().join("notes.txt");
    fs::write(&other, "hello").unwrap();
    set_mode(&other, 0o600);
    let told = sentence(add_slot(&sealer, &Opener::KeyFile(other.clone()), "x", None));
    assert!(told.contains("is no key file of dbtop"), "{told}");
    assert_eq!(fs::read(&other).unwrap(), b"hello");
    // A link that leads nowhere is not followed.
    let link = stage.folder.path().join("link");
    symlink(stage.folder.path().join("elsewhere"), &link).unwrap();
    let told = sentence(add_slot(&sealer, &Opener::KeyFile(link), "x", None));
    assert!(told.starts_with("writing the key file"), "{told}");
    assert!(!stage.folder.path().join("elsewhere").exists());
}

#[test]
fn each_kind_of_wrong_file_has_its_sentence() {
    let stage = stage();
    let whole = fs::read_to_string(stage.key()).unwrap();
    let file = stage.folder.path().join("bad");
    for (text, why) in [
        (whole[..40].to_owned(), "cut off"),
        (format!("{}0\n", whole.trim()), "cut off or has too much"),
        (whole.replacen("v1:", "v9:", 1), "does not start with"),
        (format!("{}xy", &whole[..75]), "hexadecimal"),
        ("x".repeat(6000), "does not start with"),
        (String::new(), "does not start with"),
    ] {
        fs::write(&file, text).unwrap();
        set_mode(&file, 0o600);
        let told = stage.refusal(&file);
        assert!(told.contains(why) && told.contains("is no key file of dbtop"), "{told}");
    }
    fs::write(&file, [0xff; 77]).unwrap();
    assert!(stage.refusal(&file).contains("it is no text"));
    assert!(stage.refusal(stage.folder.path()).contains("no regular file"));
    assert!(stage.refusal(&stage.folder.path().join("none")).starts_with("there is no key file"));
    // A key of another vault.
    let (sealer, _) = open_vault();
    let other = stage.folder.path().join("other");
    add_slot(&sealer, &Opener::KeyFile(other.clone()), "x", None).unwrap();
    assert!(stage.refusal(&other).contains("belongs to another tenant"));
}

#[test]
fn a_refusal_never_shows_the_key() {
    let stage = stage();
    let whole = fs::read_to_string(stage.key()).unwrap();
    let digits = &whole[13..77];
    fs::write(stage.key(), format!("{whole}{whole}")).unwrap();
    let told = stage.refusal(&stage.key());
    assert!(!told.contains(&digits[..8]), "{told}");
}

#[test]
fn systemd_hands_the_same_key_over() {
    let stage = stage();
    // systemd shows 0440 where an access list lets the service read.
    let credential = stage.folder.path().join("dbtop-prod");
    fs::copy(stage.key(), &credential).unwrap();
    set_mode(&credential, 0o440);
    let env = Env { credential: Some(credential.clone()), ..Env::default() };
    assert!(unlock_any(&TENANT, &stage.slots, &env).is_ok());
    // A slot of its own kind is made with the key in plain, which must not be open to others then.
    let (sealer, _) = open_vault();
    let told = sentence(add_slot(&sealer, &Opener::Credential(credential.clone()), "unit", None));
    assert!(told.contains("chmod 600"), "{told}");
    let slot = add_slot(&sealer, &Opener::Credential(stage.key()), "unit", None).unwrap();
    assert_eq!(slot.kind(), SlotKind::Credential);
    assert!(unlock(&TENANT, std::slice::from_ref(&slot), &Opener::KeyFile(stage.key())).is_ok());
    assert!(unlock_any(&TENANT, &[slot], &env).is_ok());
    set_mode(&credential, 0o444);
    assert!(sentence(unlock_any(&TENANT, &stage.slots, &env)).contains("chmod 600"));
}
