//! Sealing and unsealing of records, and the sources of keys. `store` seals and opens rows with a [`Sealer`] and keeps
//! [`Slot`]s; `command` brings the [`Opener`]. Nothing in here knows files of tenants, SQLite or the screen, and nothing
//! prints or logs. The formats, the parameters and what they do not protect stand in `docs/security.md`.
//!
//! All functions block: key derivation takes half a second on purpose, and a desktop's keyring may ask a person.

mod error;
mod harden;
mod key_file;
mod keyring;
mod keys;
mod passphrase;
mod seal;
mod slot;
mod slot_bytes;
mod unwrap;

pub use error::VaultError;
pub use harden::{Hardened, harden};
pub use passphrase::{Cost, MIN_PASSPHRASE_CHARS, check_passphrase};
pub use seal::{OVERHEAD_BYTES, Place, RECORD_VERSION, Sealer, history_key};
pub use unwrap::MAX_WRAPPED_BYTES;

pub use slot::{MAX_LABEL_BYTES, SLOT_VERSION, Slot, SlotKind};

use crate::model::{
    base::secret::Secret,
    inventory::record::{RecordId, TenantUid},
};
use std::path::PathBuf;

/// The secret that opens a vault, or that a new slot is made for.
#[derive(Clone)]
pub enum Opener {
    /// a passphrase, typed
    Passphrase(Secret),
    /// a key file; a new slot makes the file if there is none yet
    KeyFile(PathBuf),
    /// a key that systemd hands over in this file; opens slots of key files, too
    Credential(PathBuf),
    /// the operating system's keyring
    Keyring,
    /// a program that unwraps a key, without a shell: the program and its arguments
    Command {
        /// `[vault] unwrap`
        argv: Vec<String>,
        /// the wrapped key of a new slot; to open, each slot has its own
        wrapped: Vec<u8>,
    },
}

/// The secrets that may open a vault without a question. Values, so that tests need no environment.
#[derive(Debug, Clone, Default)]
pub struct Env {
    /// `--key-file`, else `DBTOP_KEY_FILE`
    pub key_file: Option<PathBuf>,
    /// `$CREDENTIALS_DIRECTORY/dbtop-<slug>`, if there is such a file
    pub credential: Option<PathBuf>,
    /// `[vault] unwrap`: the program that unwraps keys, and its arguments; empty: there is none
    pub unwrap: Vec<String>,
    /// true: try keyring slots
    pub keyring: bool,
}

impl Env {
    /// From the environment of the process, for the tenant of this slug. `key_file` is the one of the command line, `unwrap` that of the
    /// configuration.
    pub fn of_process(slug: &str, key_file: Option<PathBuf>, unwrap: &[String]) -> Self {
        let set = |name| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
        let credential = set("CREDENTIALS_DIRECTORY").map(|folder| folder.join(format!("dbtop-{slug}")));
        Self {
            key_file: key_file.or_else(|| set("DBTOP_KEY_FILE")),
            credential: credential.filter(|path| path.exists()),
            unwrap: unwrap.to_vec(),
            keyring: true,
        }
    }
}

/// A random identity for a record or a slot.
///
/// # Errors
/// [`VaultError::Unable`] without random numbers.
pub fn random_id() -> Result<RecordId, VaultError> {
    keys::random().map(RecordId::from_bytes)
}

/// A random identity for a tenant.
///
/// # Errors
/// [`VaultError::Unable`] without random numbers.
pub fn random_tenant() -> Result<TenantUid, VaultError> {
    keys::random().map(TenantUid::from_bytes)
}

/// Makes the first data key of a tenant and its first slot. `cost` matters for a passphrase only; None: calibrated.
///
/// # Errors
/// As [`add_slot`]; [`VaultError::ForgetfulFirst`] where the only keyring is the kernel's.
pub fn create(
    tenant: &TenantUid,
    opener: &Opener,
    label: &str,
    cost: Option<Cost>,
) -> Result<(Sealer, Slot), VaultError> {
    let sealer = fresh(tenant, 1)?;
    let slot = add_slot(&sealer, opener, label, cost)?;
    if slot.kind().is_lasting() {
        return Ok((sealer, slot));
    }
    forget(tenant, &slot);
    Err(VaultError::ForgetfulFirst)
}

/// Makes another slot for the open vault. Touches no record. `cost` as in [`create`].
///
/// # Errors
/// [`VaultError::WeakPassphrase`], those of key files and keyrings, [`VaultError::Unable`].
pub fn add_slot(
    sealer: &Sealer,
    opener: &Opener,
    label: &str,
    cost: Option<Cost>,
) -> Result<Slot, VaultError> {
    let (id, salt) = (random_id()?, keys::random()?);
    let tenant = sealer.tenant();
    let none = Cost::default();
    let (kind, cost, key) = match opener {
        Opener::Passphrase(passphrase) => {
            check_passphrase(passphrase)?;
            let cost = cost.unwrap_or_else(Cost::calibrated);
            (SlotKind::Passphrase, cost, cost.stretch(passphrase.reveal().as_bytes(), &salt)?)
        }
        Opener::KeyFile(path) => (SlotKind::KeyFile, none, key_file::read_or_create(path)?),
        // Made on the administrator's machine, where it is a key file still.
        Opener::Credential(path) => (SlotKind::Credential, none, key_file::read_or_create(path)?),
        Opener::Keyring => {
            let mut last = VaultError::NoKeyring { why: "this system has none".to_owned() };
            let made = keyring::kinds_here().into_iter().find_map(|kind| {
                keyring::create(kind, tenant, &id).map(|key| (kind, none, key)).map_err(|e| last = e).ok()
            });
            made.ok_or(last)?
        }
        Opener::Command { argv, wrapped } => {
            if !(1..=MAX_WRAPPED_BYTES).contains(&wrapped.len()) {
                return Err(VaultError::Unable(
                    "a wrapped key has 1 byte to 16 KB: name the file that holds it",
                ));
            }
            (SlotKind::Command, none, unwrap::key(argv, wrapped, &salt, unwrap::PATIENCE)?)
        }
    };
    let wrapped = match opener {
        Opener::Command { wrapped, .. } => wrapped.clone(),
        _ => Vec::new(),
    };
    Slot::new(sealer, (kind, label), (id, salt, cost), wrapped, &key)
}

/// Opens a vault.
///
/// # Errors
/// A sentence for each case: see [`VaultError`].
pub fn unlock(tenant: &TenantUid, slots: &[Slot], opener: &Opener) -> Result<Sealer, VaultError> {
    match opener {
        Opener::Passphrase(passphrase) => {
            let fitting = of_kinds(slots, &[SlotKind::Passphrase], "passphrase")?;
            let secret = |slot: &Slot| slot.cost().stretch(passphrase.reveal().as_bytes(), slot.salt());
            first_open(tenant, &fitting, secret)?.ok_or(VaultError::WrongPassphrase)
        }
        Opener::KeyFile(path) | Opener::Credential(path) => {
            let guard = match opener {
                Opener::Credential(_) => key_file::Guard::Systemd,
                _ => key_file::Guard::Mode,
            };
            let key = key_file::read(path, guard)?;
            // The same key may come as a file here and from systemd there.
            let fitting = of_kinds(slots, &[SlotKind::KeyFile, SlotKind::Credential], "key-file")?;
            first_open(tenant, &fitting, |_| Ok(key.clone()))?
                .ok_or_else(|| VaultError::WrongKey { path: path.clone() })
        }
        Opener::Command { argv, .. } => {
            let fitting = of_kinds(slots, &[SlotKind::Command], "command")?;
            let secret = |slot: &Slot| unwrap::key(argv, slot.wrapped(), slot.salt(), unwrap::PATIENCE);
            first_open(tenant, &fitting, secret)?.ok_or_else(|| VaultError::Unwrap {
                program: argv.first().cloned().unwrap_or_default(),
                why: "what it gave is not the secret of this vault's slot".to_owned(),
            })
        }
        Opener::Keyring => {
            let fitting = of_kinds(slots, &[SlotKind::Keyring, SlotKind::KernelKeyring], "keyring")?;
            let secret = |slot: &Slot| keyring::read(slot.kind(), tenant, slot.id());
            first_open(tenant, &fitting, secret)?
                .ok_or_else(|| VaultError::NoKeyring { why: "its key is of another vault".to_owned() })
        }
    }
}

/// Opens a vault without a question, by key file, credential, program or keyring, in this order. A key file or a credential that was
/// given and does not open the vault is an error: it must not be ignored silently.
///
/// # Errors
/// [`VaultError::Locked`] if a passphrase must be asked for; else as [`unlock`].
pub fn unlock_any(tenant: &TenantUid, slots: &[Slot], env: &Env) -> Result<Sealer, VaultError> {
    if let Some(path) = &env.key_file {
        return unlock(tenant, slots, &Opener::KeyFile(path.clone()));
    }
    if let Some(path) = &env.credential {
        return unlock(tenant, slots, &Opener::Credential(path.clone()));
    }
    let mut reasons = Vec::new();
    if slots.iter().any(|slot| slot.kind() == SlotKind::Command) {
        match unlock(tenant, slots, &Opener::Command { argv: env.unwrap.clone(), wrapped: Vec::new() }) {
            Ok(sealer) => return Ok(sealer),
            // A KMS may be out of reach; another slot may open.
            Err(e) => reasons.push(e.to_string()),
        }
    }
    if env.keyring {
        match unlock(tenant, slots, &Opener::Keyring) {
            Ok(sealer) => return Ok(sealer),
            Err(VaultError::NoSuchSlot { .. }) => {}
            Err(e @ (VaultError::NoKeyring { .. } | VaultError::EmptyKeyring { .. })) => {
                reasons.push(e.to_string());
            }
            Err(e) => return Err(e),
        }
    }
    let way = if slots.iter().any(|slot| slot.kind() == SlotKind::Passphrase) {
        "give its passphrase, or `--key-file FILE` (or DBTOP_KEY_FILE) in scripts"
    } else {
        "give `--key-file FILE` or set DBTOP_KEY_FILE"
    };
    reasons.insert(0, way.to_owned());
    Err(VaultError::Locked(reasons.join("; ")))
}

/// A new data key, and every slot of `slots` for it. No secret is asked for. The caller seals all records anew and replaces
/// all slots in one transaction; a slot that is not in `slots` stays outside for good.
///
/// # Errors
/// [`VaultError::LastSlot`] if no slot of `slots` outlives a reboot; [`VaultError::DamagedSlot`] if one cannot be read;
/// [`VaultError::Unable`].
pub fn rotate(sealer: &Sealer, slots: &[Slot]) -> Result<(Sealer, Vec<Slot>), VaultError> {
    check_remaining(slots)?;
    let next = fresh(sealer.tenant(), sealer.generation() + 1)?;
    let slots = slots.iter().map(|slot| slot.reseal(sealer, &next)).collect::<Result<_, _>>()?;
    Ok((next, slots))
}

/// The slots without the one whose id begins with `id` (in hexadecimal, 4 digits at least), and that one. The key in the
/// keyring, if it is one of those, is forgotten by [`forget`] when the removal is saved.
///
/// # Errors
/// [`VaultError::UnknownSlot`], [`VaultError::LastSlot`].
pub fn without_slot(slots: &[Slot], id: &str) -> Result<(Vec<Slot>, Slot), VaultError> {
    let matches = |slot: &&Slot| id.len() >= 4 && slot.id().to_string().starts_with(id);
    let mut found = slots.iter().filter(matches);
    let (Some(removed), None) = (found.next(), found.next()) else {
        return Err(VaultError::UnknownSlot(id.to_owned()));
    };
    let remaining: Vec<Slot> = slots.iter().filter(|slot| slot.id() != removed.id()).cloned().collect();
    check_remaining(&remaining)?;
    Ok((remaining, removed.clone()))
}

/// Takes the key of a removed slot out of the keyring. True if there was one.
pub fn forget(tenant: &TenantUid, slot: &Slot) -> bool {
    matches!(slot.kind(), SlotKind::Keyring | SlotKind::KernelKeyring)
        && keyring::forget(slot.kind(), tenant, slot.id())
}

/// The keyrings that this system may have, and whether each can be reached here and now.
pub fn keyrings() -> Vec<(SlotKind, Result<(), VaultError>)> {
    keyring::reach()
}

fn fresh(tenant: &TenantUid, generation: u64) -> Result<Sealer, VaultError> {
    Sealer::new(*tenant, generation, |data_key| keys::fill(data_key))
}

fn check_remaining(slots: &[Slot]) -> Result<(), VaultError> {
    if slots.iter().any(|slot| slot.kind().is_lasting()) { Ok(()) } else { Err(VaultError::LastSlot) }
}

/// The slots of some kinds, at least one.
fn of_kinds<'a>(
    slots: &'a [Slot],
    kinds: &[SlotKind],
    wanted: &'static str,
) -> Result<Vec<&'a Slot>, VaultError> {
    let fitting: Vec<&Slot> = slots.iter().filter(|slot| kinds.contains(&slot.kind())).collect();
    if fitting.is_empty() {
        let mut has: Vec<&str> = slots.iter().map(|slot| slot.kind().name()).collect();
        has.sort_unstable();
        has.dedup();
        let has = if has.is_empty() { "none at all".to_owned() } else { has.join(", ") };
        return Err(VaultError::NoSuchSlot { wanted, has });
    }
    Ok(fitting)
}

/// Opens the first slot that opens. After a failure of one the next is tried; the failure is returned if none opens.
fn first_open(
    tenant: &TenantUid,
    slots: &[&Slot],
    secret: impl Fn(&Slot) -> Result<keys::Key, VaultError>,
) -> Result<Option<Sealer>, VaultError> {
    let mut failure = None;
    for slot in slots {
        match secret(slot).and_then(|secret| slot.open(tenant, &secret)) {
            Ok(Some(sealer)) => return Ok(Some(sealer)),
            Ok(None) => {}
            Err(e) => failure = failure.or(Some(e)),
        }
    }
    failure.map_or(Ok(None), Err)
}
