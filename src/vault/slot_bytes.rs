//! A slot as bytes and back. The layout stands in docs/security.md. The checksum at the end is no protection: it tells a
//! damaged slot from a wrong passphrase, before half a second of key derivation.

use super::{
    Cost, SLOT_VERSION, Slot, SlotKind, VaultError,
    slot::{FIRST_VERSION, Identity, MAX_LABEL_BYTES, SEALED_KEY_LEN},
    unwrap::MAX_WRAPPED_BYTES,
};
use crate::model::inventory::record::RecordId;
use sha2::{Digest, Sha256};

const CHECKSUM_LEN: usize = 8;
const IDENTITY_LEN: usize = 1 + 1 + 16 + 32 + 12 + 32 + 8;
/// The length of everything but the sealed label.
const FIXED_LEN: usize = IDENTITY_LEN + 32 + 8 + 32 + 2 * SEALED_KEY_LEN + 32 + CHECKSUM_LEN;
const MAX_LEN: usize = FIXED_LEN + MAX_LABEL_BYTES + super::OVERHEAD_BYTES;
/// The longest slot with a wrapped key: its length and its bytes stand behind the identity of format 1.
const MAX_WRAPPED_LEN: usize = MAX_LEN + 4 + MAX_WRAPPED_BYTES;

impl Identity {
    pub(super) fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(MAX_LEN);
        let version = if self.wrapped.is_empty() { FIRST_VERSION } else { SLOT_VERSION };
        bytes.extend_from_slice(&[version, self.kind.number()]);
        bytes.extend_from_slice(self.id.as_bytes());
        bytes.extend_from_slice(&self.salt);
        for number in [self.cost.memory_kib, self.cost.passes, self.cost.lanes] {
            bytes.extend_from_slice(&number.to_be_bytes());
        }
        bytes.extend_from_slice(&self.public);
        bytes.extend_from_slice(&self.anchor_generation.to_be_bytes());
        if !self.wrapped.is_empty() {
            bytes.extend_from_slice(&(self.wrapped.len() as u32).to_be_bytes());
            bytes.extend_from_slice(&self.wrapped);
        }
        bytes
    }
}

impl Slot {
    /// The slot as `store` keeps it.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = self.identity.to_bytes();
        bytes.extend_from_slice(&self.proof);
        bytes.extend_from_slice(&self.generation.to_be_bytes());
        bytes.extend_from_slice(&self.ephemeral);
        bytes.extend_from_slice(&self.sealed_key);
        bytes.extend_from_slice(&self.anchor);
        bytes.extend_from_slice(&self.endorsement);
        bytes.extend_from_slice(&self.label);
        bytes.extend_from_slice(&checksum(&bytes));
        bytes
    }

    /// Reads what [`Slot::to_bytes`] made.
    ///
    /// # Errors
    /// [`VaultError::Newer`] by the first byte; else [`VaultError::DamagedSlot`], with the slot's short name where it can
    /// still be read.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, VaultError> {
        match bytes.first() {
            Some(&found) if found > SLOT_VERSION => {
                return Err(VaultError::Newer { what: "a key slot", found, known: SLOT_VERSION });
            }
            Some(&FIRST_VERSION) if (FIXED_LEN..=MAX_LEN).contains(&bytes.len()) => {}
            Some(&SLOT_VERSION) if (FIXED_LEN..=MAX_WRAPPED_LEN).contains(&bytes.len()) => {}
            _ => return Err(damaged(bytes)),
        }
        let (body, sum) = bytes.split_at(bytes.len() - CHECKSUM_LEN);
        if checksum(body) != sum {
            return Err(damaged(bytes));
        }
        read(body).ok_or_else(|| damaged(bytes))
    }
}

/// Reads a body of at least the fixed length. None for an unknown kind.
fn read(body: &[u8]) -> Option<Slot> {
    let has_wrapped = body.first() == Some(&SLOT_VERSION);
    let mut rest = body.get(1..)?;
    let kind = SlotKind::from_number(u8::from_be_bytes(take(&mut rest)?))?;
    let id = RecordId::from_bytes(take(&mut rest)?);
    let salt = take(&mut rest)?;
    let cost = Cost {
        memory_kib: u32::from_be_bytes(take(&mut rest)?),
        passes: u32::from_be_bytes(take(&mut rest)?),
        lanes: u32::from_be_bytes(take(&mut rest)?),
    };
    let public = take(&mut rest)?;
    let anchor_generation = u64::from_be_bytes(take(&mut rest)?);
    let wrapped = if has_wrapped { block(&mut rest)? } else { Vec::new() };
    Some(Slot {
        identity: Identity { kind, id, salt, cost, public, anchor_generation, wrapped },
        proof: take(&mut rest)?,
        generation: u64::from_be_bytes(take(&mut rest)?),
        ephemeral: take(&mut rest)?,
        sealed_key: take(&mut rest)?,
        anchor: take(&mut rest)?,
        endorsement: take(&mut rest)?,
        label: rest.to_vec(),
    })
}

/// The bytes behind their length: at least one.
fn block(rest: &mut &[u8]) -> Option<Vec<u8>> {
    let length = u32::from_be_bytes(take(rest)?) as usize;
    let (block, after) =
        rest.split_at_checked(length).filter(|_| (1..=MAX_WRAPPED_BYTES).contains(&length))?;
    *rest = after;
    Some(block.to_vec())
}

fn take<const N: usize>(rest: &mut &[u8]) -> Option<[u8; N]> {
    let (taken, after) = rest.split_first_chunk()?;
    *rest = after;
    Some(*taken)
}

fn checksum(body: &[u8]) -> [u8; CHECKSUM_LEN] {
    let sum = Sha256::digest(body);
    std::array::from_fn(|at| sum[at])
}

fn damaged(bytes: &[u8]) -> VaultError {
    let id = bytes.get(2..).and_then(<[u8]>::first_chunk::<16>);
    let slot = id.map_or_else(|| "(unreadable)".to_owned(), |id| RecordId::from_bytes(*id).short());
    VaultError::DamagedSlot { slot }
}
