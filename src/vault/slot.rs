//! A key slot: the data key, sealed to one passphrase, key file, credential or keyring. `store` keeps the bytes of each
//! slot as they are; nobody else reads them.
//!
//! The slot's secret is the source of an X25519 key pair (RFC 7748) and an authentication key (HKDF). The data key is
//! sealed to the public key, so that a rotation can seal a new data key to every remaining slot without asking for any
//! secret. Since everybody can seal to a public key, the slot also proves the origin of its data key: see `Slot::reseal`.

use super::{
    Cost, Place, Sealer, VaultError,
    keys::{self, Key},
    seal,
};
use crate::model::inventory::record::{RecordId, TenantUid};
use x25519_dalek::{PublicKey, StaticSecret};

/// The newest format of a slot that this program reads.
pub const SLOT_VERSION: u8 = 2;
/// The format of labels, and of slots that carry no wrapped key.
pub(super) const FIRST_VERSION: u8 = 1;
/// The longest label of a slot.
pub const MAX_LABEL_BYTES: usize = 200;

/// A sealed key: its 32 bytes and the tag.
pub(super) const SEALED_KEY_LEN: usize = 48;

/// The kinds of secrets that open a slot.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SlotKind {
    /// a passphrase, by Argon2id
    Passphrase,
    /// a file of `dbtop vault init --key-file`
    KeyFile,
    /// such a key, handed over by systemd (`$CREDENTIALS_DIRECTORY`)
    Credential,
    /// the keyring of a Linux desktop (Secret Service)
    Keyring,
    /// the Linux kernel's keyring of the login session; it forgets at reboot at the latest
    KernelKeyring,
    /// a program that unwraps the key which the slot carries: a KMS, HashiCorp Vault, a TPM (`[vault] unwrap`)
    Command,
}

impl SlotKind {
    const ALL: [(Self, u8, &'static str); 6] = [
        (Self::Passphrase, 1, "passphrase"),
        (Self::KeyFile, 2, "key-file"),
        (Self::Credential, 3, "credential"),
        (Self::Keyring, 4, "keyring"),
        (Self::KernelKeyring, 5, "kernel-keyring"),
        (Self::Command, 6, "command"),
    ];

    /// One word, for lists and `-o json`.
    pub fn name(self) -> &'static str {
        Self::ALL.iter().find(|(kind, ..)| *kind == self).map_or("", |(.., name)| name)
    }

    /// Its name in a sentence.
    pub(super) fn words(self) -> &'static str {
        match self {
            Self::KernelKeyring => "the kernel's, of the login session",
            Self::Keyring => "the desktop's",
            other => other.name(),
        }
    }

    /// True if it outlives logout and reboot.
    pub fn is_lasting(self) -> bool {
        self != Self::KernelKeyring
    }

    pub(super) fn number(self) -> u8 {
        Self::ALL.iter().find(|(kind, ..)| *kind == self).map_or(0, |(_, number, _)| *number)
    }

    pub(super) fn from_number(number: u8) -> Option<Self> {
        Self::ALL.iter().find(|(_, known, _)| *known == number).map(|(kind, ..)| *kind)
    }
}

/// One key slot. Plain data: safe to store, useless without its secret.
#[derive(Clone, PartialEq, Eq)]
pub struct Slot {
    /// The fixed part; never changes.
    pub(super) identity: Identity,
    /// The proof by the secret: of this identity, and of the data key of the anchor's generation.
    pub(super) proof: [u8; 32],
    /// The generation of the data key. A rotation replaces this field and all that follow.
    pub(super) generation: u64,
    /// Public half of the key pair that sealed the data key.
    pub(super) ephemeral: [u8; 32],
    pub(super) sealed_key: [u8; SEALED_KEY_LEN],
    /// The anchor: the data key that the proof is about, sealed with the current one.
    pub(super) anchor: [u8; SEALED_KEY_LEN],
    /// The proof by the anchor: of the current data key.
    pub(super) endorsement: [u8; 32],
    /// Sealed, so that only an open vault can say it.
    pub(super) label: Vec<u8>,
}

/// The part of a slot that a rotation leaves as it is.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Identity {
    pub(super) kind: SlotKind,
    pub(super) id: RecordId,
    pub(super) salt: [u8; 32],
    pub(super) cost: Cost,
    pub(super) public: [u8; 32],
    pub(super) anchor_generation: u64,
    /// The wrapped key of a slot that a program opens; else empty.
    pub(super) wrapped: Vec<u8>,
}

/// The two keys made from a slot's secret.
struct SlotKeys {
    private: StaticSecret,
    auth: Key,
}

impl SlotKeys {
    /// `secret` is uniform (a random key, or Argon2id's output).
    fn of(tenant: &TenantUid, id: &RecordId, salt: &[u8; 32], secret: &[u8; 32]) -> Self {
        let master = keys::derive(salt, secret, &[b"dbtop slot v1", tenant.as_bytes(), id.as_bytes()]);
        let private = StaticSecret::from(*keys::expand(&master, &[b"dbtop slot x25519"]));
        Self { private, auth: keys::expand(&master, &[b"dbtop slot auth"]) }
    }
}

impl Slot {
    /// A new slot for the sealer's data key.
    pub(super) fn new(
        sealer: &Sealer,
        (kind, label): (SlotKind, &str),
        (id, salt, cost): (RecordId, [u8; 32], Cost),
        wrapped: Vec<u8>,
        secret: &[u8; 32],
    ) -> Result<Self, VaultError> {
        if label.len() > MAX_LABEL_BYTES {
            return Err(VaultError::Unable("the label of a key slot may have 200 bytes at most"));
        }
        let keys = SlotKeys::of(sealer.tenant(), &id, &salt, secret);
        let public = PublicKey::from(&keys.private).to_bytes();
        let anchor_generation = sealer.generation();
        let mut slot = Self {
            identity: Identity { kind, id, salt, cost, public, anchor_generation, wrapped },
            proof: [0; 32],
            generation: 0,
            ephemeral: [0; 32],
            sealed_key: [0; SEALED_KEY_LEN],
            anchor: [0; SEALED_KEY_LEN],
            endorsement: [0; 32],
            label: Vec::new(),
        };
        slot.proof = keys::mac(&keys.auth, &[&slot.identity.proved(sealer.tenant(), sealer.data_key())]);
        slot.seal_to(sealer, sealer.data_key(), label)?;
        Ok(slot)
    }

    /// The slot for a `new` data key, made with the `old` one only: no secret is needed.
    ///
    /// The slot's secret once proved an *anchor*: the data key of the generation in which the slot was made. The anchor
    /// endorses every later data key, and travels along, sealed with it. Opening a slot checks the proof with the secret
    /// and the endorsement with the anchor. So a stranger who can write the file and, like everybody, can seal to the
    /// public keys of the slots, cannot bring in a data key of their own.
    pub(super) fn reseal(&self, old: &Sealer, new: &Sealer) -> Result<Self, VaultError> {
        let label = self.label(old)?;
        let anchor = self.open_anchor(old).ok_or_else(|| self.damaged())?;
        let mut slot = self.clone();
        slot.seal_to(new, &anchor, &label)?;
        Ok(slot)
    }

    fn seal_to(&mut self, sealer: &Sealer, anchor: &[u8; 32], label: &str) -> Result<(), VaultError> {
        let (tenant, data_key) = (sealer.tenant(), sealer.data_key());
        self.generation = sealer.generation();
        let ephemeral = StaticSecret::from(*keys::random_key()?);
        self.ephemeral = PublicKey::from(&ephemeral).to_bytes();
        let wrap = self.wrap_key(&ephemeral, self.identity.public).ok_or_else(|| self.damaged())?;
        let bound = self.identity.bound(tenant, self.generation);
        self.sealed_key = seal_key(&wrap, &bound, data_key)?;
        self.anchor = seal_key(&self.anchor_key(data_key), &bound, anchor)?;
        self.endorsement = keys::mac(&endorsing_key(anchor), &[&self.identity.endorsed(sealer)]);
        self.label = sealer.seal(&self.label_place(tenant), label.as_bytes())?;
        Ok(())
    }

    /// Opens the slot with its secret. `Ok(None)`: the secret is not this slot's.
    ///
    /// # Errors
    /// [`VaultError::DamagedSlot`], [`VaultError::ForeignKey`].
    pub(super) fn open(&self, tenant: &TenantUid, secret: &[u8; 32]) -> Result<Option<Sealer>, VaultError> {
        let keys = SlotKeys::of(tenant, &self.identity.id, &self.identity.salt, secret);
        if PublicKey::from(&keys.private).to_bytes() != self.identity.public {
            return Ok(None);
        }
        let wrap = self.wrap_key(&keys.private, self.ephemeral).ok_or_else(|| self.damaged())?;
        let bound = self.identity.bound(tenant, self.generation);
        let sealer = Sealer::new(*tenant, self.generation, |data_key| {
            if open_key(&wrap, &bound, &self.sealed_key, data_key) { Ok(()) } else { Err(self.damaged()) }
        })?;
        let foreign = || VaultError::ForeignKey { slot: self.identity.id.short() };
        let anchor = self.open_anchor(&sealer).ok_or_else(foreign)?;
        let proved = keys::is_mac(&keys.auth, &[&self.identity.proved(tenant, &anchor)], &self.proof);
        let endorsed =
            keys::is_mac(&endorsing_key(&anchor), &[&self.identity.endorsed(&sealer)], &self.endorsement);
        if proved && endorsed { Ok(Some(sealer)) } else { Err(foreign()) }
    }

    /// The kind of secret that opens it.
    pub const fn kind(&self) -> SlotKind {
        self.identity.kind
    }

    /// Its identity.
    pub const fn id(&self) -> &RecordId {
        &self.identity.id
    }

    /// The generation of the data key that it holds.
    pub const fn generation(&self) -> u64 {
        self.generation
    }

    /// The salt of its key derivation.
    pub(super) const fn salt(&self) -> &[u8; 32] {
        &self.identity.salt
    }

    /// The wrapped key that a program unwraps; empty for other kinds.
    pub(super) fn wrapped(&self) -> &[u8] {
        &self.identity.wrapped
    }

    /// The cost of one try at its passphrase; zeros for other kinds.
    pub const fn cost(&self) -> &Cost {
        &self.identity.cost
    }

    /// The label that its maker gave it. It is sealed, so only an open vault can say it.
    ///
    /// # Errors
    /// [`VaultError::DamagedSlot`].
    pub fn label(&self, sealer: &Sealer) -> Result<String, VaultError> {
        let plain =
            sealer.open(&self.label_place(sealer.tenant()), &self.label).map_err(|_| self.damaged())?;
        Ok(String::from_utf8_lossy(&plain).into_owned())
    }

    fn label_place<'a>(&'a self, tenant: &'a TenantUid) -> Place<'a> {
        let schema = u32::from(FIRST_VERSION);
        Place { tenant, table: "slot", id: &self.identity.id, revision: self.generation, schema }
    }

    fn damaged(&self) -> VaultError {
        VaultError::DamagedSlot { slot: self.identity.id.short() }
    }

    /// The key that seals the data key: used once, since the ephemeral key is. None for a public key with which everybody
    /// computes the same secret (RFC 7748, 6.1).
    fn wrap_key(&self, ours: &StaticSecret, theirs: [u8; 32]) -> Option<Key> {
        let shared = ours.diffie_hellman(&PublicKey::from(theirs));
        let salt = [self.ephemeral, self.identity.public].concat();
        shared.was_contributory().then(|| keys::derive(&salt, shared.as_bytes(), &[b"dbtop slot wrap v1"]))
    }

    /// The key that seals the anchor: one for each slot and data key, so used once.
    fn anchor_key(&self, data_key: &[u8; 32]) -> Key {
        keys::expand(data_key, &[b"dbtop anchor v1", self.identity.id.as_bytes()])
    }

    fn open_anchor(&self, sealer: &Sealer) -> Option<Key> {
        let mut anchor = Key::default();
        let bound = self.identity.bound(sealer.tenant(), self.generation);
        open_key(&self.anchor_key(sealer.data_key()), &bound, &self.anchor, &mut anchor).then_some(anchor)
    }
}

impl Identity {
    /// The associated data that the sealed keys of the slot are bound to.
    fn bound(&self, tenant: &TenantUid, generation: u64) -> Vec<u8> {
        let mut bound = b"dbtop slot v1".to_vec();
        bound.extend_from_slice(tenant.as_bytes());
        bound.extend_from_slice(&self.to_bytes());
        bound.extend_from_slice(&generation.to_be_bytes());
        bound
    }

    /// The bytes that the slot's secret proves.
    fn proved(&self, tenant: &TenantUid, anchor: &[u8; 32]) -> Vec<u8> {
        let mut proved = b"dbtop slot proof v1".to_vec();
        proved.extend_from_slice(&self.bound(tenant, self.anchor_generation));
        proved.extend_from_slice(&*commitment(anchor));
        proved
    }

    /// The bytes that the anchor proves.
    fn endorsed(&self, sealer: &Sealer) -> Vec<u8> {
        let mut endorsed = b"dbtop slot endorsement v1".to_vec();
        endorsed.extend_from_slice(&self.bound(sealer.tenant(), sealer.generation()));
        endorsed.extend_from_slice(&*commitment(sealer.data_key()));
        endorsed
    }
}

/// The stand-in for a data key in a proof.
fn commitment(data_key: &[u8; 32]) -> Key {
    keys::expand(data_key, &[b"dbtop commitment v1"])
}

fn endorsing_key(anchor: &[u8; 32]) -> Key {
    keys::expand(anchor, &[b"dbtop endorse v1"])
}

/// Seals 32 bytes with a key that seals nothing else: the nonce may be zero.
fn seal_key(key: &[u8; 32], bound: &[u8], plain: &[u8; 32]) -> Result<[u8; SEALED_KEY_LEN], VaultError> {
    let mut sealed = [0; SEALED_KEY_LEN];
    let (text, tag) = sealed.split_at_mut(32);
    text.copy_from_slice(plain);
    tag.copy_from_slice(&seal::encrypt(key, &[0; 12], bound, text)?);
    Ok(sealed)
}

/// Opens into `plain`. Returns false, and leaves zeros there, if the key does not fit.
fn open_key(key: &[u8; 32], bound: &[u8], sealed: &[u8; SEALED_KEY_LEN], plain: &mut [u8; 32]) -> bool {
    let (text, tag) = sealed.split_at(32);
    plain.copy_from_slice(text);
    let fits = seal::decrypt(key, &[0; 12], bound, plain, tag);
    if !fits {
        plain.fill(0);
    }
    fits
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bytes<const N: usize>(hex: &str) -> [u8; N] {
        std::array::from_fn(|at| u8::from_str_radix(&hex[2 * at..2 * at + 2], 16).unwrap())
    }

    /// RFC 7748, 6.1.
    #[test]
    fn alice_and_bob_share_the_secret_of_the_rfc() {
        let alice =
            StaticSecret::from(bytes("77076d0a7318a57d3c16c17251b26645df4c2f87ebc0992ab177fba51db92c2a"));
        let bob: [u8; 32] = bytes("de9edb7d7b7dc1b4d35b61c2ece435373f8343c85b78674dadfc7e146f882b4f");
        assert_eq!(
            PublicKey::from(&alice).to_bytes(),
            bytes("8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a")
        );
        assert_eq!(
            alice.diffie_hellman(&PublicKey::from(bob)).to_bytes(),
            bytes("4a5d9d5ba4ce2de1728e3bf480350f25e07e21c947d19e3376f09b3c1e161742")
        );
    }

    fn sealer(generation: u64, key: u8) -> Sealer {
        let fill = |data_key: &mut [u8; 32]| {
            data_key.fill(key);
            Ok(())
        };
        Sealer::new(TenantUid::from_bytes([1; 16]), generation, fill).unwrap()
    }

    fn slot(sealer: &Sealer, secret: &[u8; 32]) -> Slot {
        let id = RecordId::from_bytes([9; 16]);
        Slot::new(sealer, (SlotKind::KeyFile, "label"), (id, [8; 32], Cost::default()), Vec::new(), secret)
            .unwrap()
    }

    #[test]
    fn a_stranger_who_knows_the_public_keys_cannot_bring_a_data_key() {
        let (tenant, secret) = (TenantUid::from_bytes([1; 16]), [5; 32]);
        let ours = sealer(1, 0xaa);
        let slot = slot(&ours, &secret);
        let theirs = sealer(2, 0xbb);
        // The stranger seals their own key to the slot's public key, with everything that the file holds and an anchor
        // of their own.
        let mut forged = slot.clone();
        forged.seal_to(&theirs, theirs.data_key(), "label").unwrap();
        assert!(matches!(forged.open(&tenant, &secret), Err(VaultError::ForeignKey { .. })));
        // Also with the anchor's own generation.
        let mut forged = slot.clone();
        let theirs = sealer(1, 0xbb);
        forged.seal_to(&theirs, theirs.data_key(), "label").unwrap();
        assert!(matches!(forged.open(&tenant, &secret), Err(VaultError::ForeignKey { .. })));
        // An honest rotation opens, also the second one, which endorses by the first anchor.
        let next = sealer(2, 0xcc);
        let turned = slot.reseal(&ours, &next).unwrap();
        assert_eq!(turned.open(&tenant, &secret).unwrap().unwrap().generation(), 2);
        let third = sealer(3, 0xdd);
        let turned = turned.reseal(&next, &third).unwrap();
        let opened = turned.open(&tenant, &secret).unwrap().unwrap();
        assert_eq!((opened.generation(), opened.data_key()), (3, &[0xdd; 32]));
        assert_eq!(turned.label(&opened).unwrap(), "label");
    }

    #[test]
    fn a_public_key_that_shares_with_everybody_is_refused() {
        let ours = sealer(1, 0xaa);
        let mut slot = slot(&ours, &[5; 32]);
        slot.ephemeral = [0; 32];
        let tenant = TenantUid::from_bytes([1; 16]);
        assert!(matches!(slot.open(&tenant, &[5; 32]), Err(VaultError::DamagedSlot { .. })));
    }

    #[test]
    fn a_slot_of_this_format_opens_for_ever() {
        let golden: Vec<u8> = (0..GOLDEN.len())
            .step_by(2)
            .map(|at| u8::from_str_radix(&GOLDEN[at..at + 2], 16).unwrap())
            .collect();
        let slot = Slot::from_bytes(&golden).unwrap();
        let opened = slot.open(&TenantUid::from_bytes([1; 16]), &[5; 32]).unwrap().unwrap();
        assert_eq!((opened.generation(), opened.data_key()), (7, &[0xaa; 32]));
        assert_eq!(slot.label(&opened).unwrap(), "label");
        assert_eq!(slot.kind(), SlotKind::KeyFile);
    }

    /// Made by another program (Python, from docs/security.md alone).
    const GOLDEN: &str = "0102090909090909090909090909090909090808080808080808080808080808080808080808080808080808080808080808\
        000000000000000000000000f76648b4f631d0b51cc981b960942e484a9301e6a216d6abcc53c5a4fbd63f79000000000000\
        000289a7d66e06ba7a013d38987491b08bfde863ba5da3c7291dd6a69baf3f8520040000000000000007f5b2d6e60f9477e3\
        10c2982daaa6c9136c108a1777c5947e448fa37d68174557e54ab08af2ac92f251014f7c1a0a35a60d18a22db01e48f233f0\
        e39babb7aef09a1cc706f7395be61e94c4fcd2c82051f6753f5a38880555c98a75e48d6791c6eb9f0e31fdae9b7cca6299db\
        64faa7878c194d7e03796ee7070b50d2b5d3aecf3d7ff5bb8492203bbedf089b8e13d05c2160b80bff96a3270672dc9ea719\
        dea001000102030405060708090a0b7780cfb47c4c533757cc7cdcd0baa740a6a8d5a9ade42748f76dfca14f";
}
