//! The operating system's keyring: 32 random bytes for each slot, under the service `dbtop` and the ids of tenant and slot,
//! so that not even the keyring learns a name.
//!
//! On Linux that is the Secret Service where a desktop has one (through zbus; no D-Bus library of C), else the kernel's
//! keyring of the login session, which SSH has, too. A desktop's keyring may ask a person and never answer, so all calls
//! run on a thread of their own, with a limit.

use super::{
    SlotKind, VaultError,
    keys::{self, Key},
};
use crate::model::inventory::record::{RecordId, TenantUid};
use keyring_core::{CredentialStore, Error};
use std::{
    sync::{Arc, mpsc},
    thread,
    time::Duration,
};
use zeroize::Zeroizing;

const SERVICE: &str = "dbtop";
/// A person may have to unlock the desktop's keyring first.
const LIMIT: Duration = Duration::from_mins(1);

/// Opens the store of one kind of keyring.
type Connect = fn() -> Result<Arc<CredentialStore>, Error>;

/// The keyrings to try for a new slot, best first.
pub(super) fn kinds_here() -> Vec<SlotKind> {
    if !cfg!(target_os = "linux") {
        return Vec::new();
    }
    let desktop = ["DISPLAY", "WAYLAND_DISPLAY"].iter().any(|name| std::env::var_os(name).is_some());
    desktop.then_some(SlotKind::Keyring).into_iter().chain([SlotKind::KernelKeyring]).collect()
}

/// Tests whether each keyring of this system can be reached, by keeping a key in it for a moment.
pub(super) fn reach() -> Vec<(SlotKind, Result<(), VaultError>)> {
    let nobody = TenantUid::from_bytes([0; 16]);
    let reach = |kind| {
        let id = keys::random().map(RecordId::from_bytes)?;
        let made = create(kind, &nobody, &id).map(drop);
        forget(kind, &nobody, &id);
        made
    };
    kinds_here().into_iter().map(|kind| (kind, reach(kind))).collect()
}

/// Puts a new random key into the keyring of `kind` and reads it back.
///
/// # Errors
/// [`VaultError::NoKeyring`].
pub(super) fn create(kind: SlotKind, tenant: &TenantUid, slot: &RecordId) -> Result<Key, VaultError> {
    create_in(connect_of(kind), kind, tenant, slot)
}

/// The key of a slot.
///
/// # Errors
/// [`VaultError::NoKeyring`], [`VaultError::EmptyKeyring`].
pub(super) fn read(kind: SlotKind, tenant: &TenantUid, slot: &RecordId) -> Result<Key, VaultError> {
    read_in(connect_of(kind), kind, tenant, slot)
}

/// Forgets the key of a slot that was removed. True if it was there.
pub(super) fn forget(kind: SlotKind, tenant: &TenantUid, slot: &RecordId) -> bool {
    let user = user(tenant, slot);
    ask(move || connect_of(kind)()?.build(SERVICE, &user, None)?.delete_credential()).is_ok()
}

fn create_in(
    connect: Connect,
    kind: SlotKind,
    tenant: &TenantUid,
    slot: &RecordId,
) -> Result<Key, VaultError> {
    let key = keys::random_key()?;
    let (user, secret) = (user(tenant, slot), Zeroizing::new(key.to_vec()));
    ask(move || connect()?.build(SERVICE, &user, None)?.set_secret(&secret))
        .map_err(|e| failure(kind, &e))?;
    // Some containers accept a key and forget it at once.
    let kept = read_in(connect, kind, tenant, slot)?;
    if *kept == *key {
        Ok(key)
    } else {
        Err(VaultError::NoKeyring { why: "it gave back another key".to_owned() })
    }
}

fn read_in(connect: Connect, kind: SlotKind, tenant: &TenantUid, slot: &RecordId) -> Result<Key, VaultError> {
    let user = user(tenant, slot);
    let secret = ask(move || connect()?.build(SERVICE, &user, None)?.get_secret().map(Zeroizing::new))
        .map_err(|e| failure(kind, &e))?;
    let bytes = <&[u8; 32]>::try_from(secret.as_slice())
        .map_err(|_| VaultError::NoKeyring { why: "its entry for this vault is not of dbtop".to_owned() })?;
    let mut key = Key::default();
    key.copy_from_slice(bytes);
    Ok(key)
}

fn user(tenant: &TenantUid, slot: &RecordId) -> String {
    format!("{tenant}/{slot}")
}

/// Runs `work` on a thread of its own: it may wait for a person, so it may not block a thread of the async runtime.
fn ask<T: Send + 'static>(work: impl FnOnce() -> Result<T, Error> + Send + 'static) -> Result<T, Error> {
    // Room for one answer; after the limit nobody waits for it any more.
    let (sender, answer) = mpsc::sync_channel(1);
    let started = thread::Builder::new().name("keyring".to_owned()).spawn(move || {
        let _ = sender.send(work());
    });
    match started {
        Ok(_) => answer
            .recv_timeout(LIMIT)
            .unwrap_or_else(|_| Err(Error::NoStorageAccess("it gave no answer within 60 s".into()))),
        Err(e) => Err(Error::PlatformFailure(e.into())),
    }
}

fn failure(kind: SlotKind, error: &Error) -> VaultError {
    match error {
        Error::NoEntry => VaultError::EmptyKeyring { keychain: kind.words(), forgets: !kind.is_lasting() },
        // The bytes that some variants carry are left out.
        Error::NoStorageAccess(e) | Error::PlatformFailure(e) => VaultError::NoKeyring { why: e.to_string() },
        Error::NotSupportedByStore(why) => VaultError::NoKeyring { why: why.clone() },
        _ => VaultError::NoKeyring { why: "its answer cannot be read".to_owned() },
    }
}

fn connect_of(kind: SlotKind) -> Connect {
    match kind {
        #[cfg(target_os = "linux")]
        SlotKind::KernelKeyring => || Ok(linux_keyutils_keyring_store::Store::new()?),
        #[cfg(target_os = "linux")]
        SlotKind::Keyring => || Ok(zbus_secret_service_keyring_store::Store::new()?),
        _ => || Err(Error::NotSupportedByStore("this system has no such keyring".to_owned())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use keyring_core::mock;
    use std::sync::LazyLock;

    static MEMORY: LazyLock<Arc<CredentialStore>> = LazyLock::new(|| mock::Store::new().unwrap());

    #[expect(clippy::unnecessary_wraps, reason = "others of this type fail")]
    fn memory() -> Result<Arc<CredentialStore>, Error> {
        Ok(Arc::clone(&MEMORY))
    }

    fn nowhere() -> Result<Arc<CredentialStore>, Error> {
        Err(Error::NoStorageAccess("no such bus".into()))
    }

    fn broken() -> Result<Arc<CredentialStore>, Error> {
        panic!("a bug in a keyring");
    }

    const TENANT: TenantUid = TenantUid::from_bytes([1; 16]);

    #[test]
    fn each_slot_has_its_own_key_and_a_missing_one_says_what_to_do() {
        let (one, two) = (RecordId::from_bytes([2; 16]), RecordId::from_bytes([3; 16]));
        let kind = SlotKind::KernelKeyring;
        let key = create_in(memory, kind, &TENANT, &one).unwrap();
        assert_eq!(read_in(memory, kind, &TENANT, &one).unwrap(), key);
        let empty = read_in(memory, kind, &TENANT, &two).err().unwrap().to_string();
        assert!(empty.contains("forgets at logout") && empty.contains("--key-file"), "{empty}");
    }

    #[test]
    fn without_a_keyring_the_way_out_is_named() {
        let id = RecordId::from_bytes([2; 16]);
        for connect in [nowhere, broken] {
            let missing = create_in(connect, SlotKind::Keyring, &TENANT, &id).err().unwrap().to_string();
            assert!(missing.starts_with("no keyring can be reached here"), "{missing}");
            assert!(missing.contains("Over SSH") && missing.contains("passphrase"), "{missing}");
        }
    }

    /// The real keyring, if the machine has one: containers often do not.
    #[test]
    fn the_kernel_keeps_a_key_or_says_that_it_does_not() {
        let (kind, id) = (SlotKind::KernelKeyring, crate::vault::random_id().unwrap());
        match create(kind, &TENANT, &id) {
            Ok(key) => {
                assert_eq!(read(kind, &TENANT, &id).unwrap(), key);
                assert!(forget(kind, &TENANT, &id));
                assert!(matches!(read(kind, &TENANT, &id), Err(VaultError::EmptyKeyring { .. })));
            }
            Err(e) => assert!(e.to_string().contains("--key-file"), "{e}"),
        }
    }
}
