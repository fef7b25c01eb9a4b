//! Sealing of records with the data key. `store` calls it for every row that it writes and reads.
//!
//! A sealed record is `version (1) | nonce (12) | ciphertext | tag (16)`: AES-256-GCM with a random nonce (NIST SP
//! 800-38D, 8.2.2). Each record has a key of its own, derived from the data key, the table and the record's id, so the
//! limit of 2^32 random nonces a key holds for the revisions of one record, not for a tenant's life.

use super::{
    VaultError,
    keys::{self, Key, Locked},
};
use crate::model::inventory::record::{RecordId, TenantUid};
use aes_gcm::{Aes256Gcm, KeyInit, Nonce, aead::AeadInOut};
use std::sync::Arc;
use zeroize::{Zeroize, Zeroizing};

/// The newest format of a sealed record that this program reads, and the one that it writes.
pub const RECORD_VERSION: u8 = 1;

const NONCE_LEN: usize = 12;
const TAG_LEN: usize = 16;

/// Bytes that sealing adds to a record.
pub const OVERHEAD_BYTES: usize = 1 + NONCE_LEN + TAG_LEN;

/// The place of a record. It is not stored with the record but bound to it: a record opens at its own place only.
#[derive(Debug, Clone, Copy)]
pub struct Place<'a> {
    /// the tenant
    pub tenant: &'a TenantUid,
    /// the table, 255 bytes at most
    pub table: &'a str,
    /// the record
    pub id: &'a RecordId,
    /// counts the changes of the record, so that an older version of it is refused
    pub revision: u64,
    /// the version of the record's own schema
    pub schema: u32,
}

/// The keys of one generation of one tenant. They stand on a page of their own.
#[derive(Default)]
pub(super) struct Keys {
    pub(super) data: [u8; 32],
    seal: [u8; 32],
    tag: [u8; 32],
}

impl Zeroize for Keys {
    fn zeroize(&mut self) {
        self.data.zeroize();
        self.seal.zeroize();
        self.tag.zeroize();
    }
}

/// An open vault: seals and opens records of one tenant. Cloning shares the keys; they are wiped with the last clone.
/// No `Debug`: nothing in here may be printed.
#[derive(Clone)]
pub struct Sealer {
    tenant: TenantUid,
    generation: u64,
    keys: Arc<Locked<Keys>>,
}

impl Sealer {
    /// From a data key; `fill` writes it to its final place.
    pub(super) fn new(
        tenant: TenantUid,
        generation: u64,
        fill: impl FnOnce(&mut [u8; 32]) -> Result<(), VaultError>,
    ) -> Result<Self, VaultError> {
        let mut keys = Locked::<Keys>::empty();
        let all = keys.get_mut();
        fill(&mut all.data)?;
        all.seal.copy_from_slice(&*keys::expand(&all.data, &[b"dbtop seal v1"]));
        all.tag.copy_from_slice(&*keys::expand(&all.data, &[b"dbtop tag v1"]));
        Ok(Self { tenant, generation, keys: Arc::new(keys) })
    }

    /// The vault of a tenant's history: a key of its own ([`history_key`]), which the tenant keeps sealed and no rotation
    /// changes, so that years of history need not be sealed anew. Its generation is 0: no record of the inventory opens with
    /// it, and nothing of history with a data key.
    ///
    /// # Errors
    /// None today; making of keys may fail.
    pub fn of_history(tenant: TenantUid, key: &[u8; 32]) -> Result<Self, VaultError> {
        Self::new(tenant, 0, |data| {
            data.copy_from_slice(key);
            Ok(())
        })
    }

    /// The tenant whose records it opens.
    pub const fn tenant(&self) -> &TenantUid {
        &self.tenant
    }

    /// Counts the data keys of the tenant, from 1.
    pub const fn generation(&self) -> u64 {
        self.generation
    }

    /// True if the keys cannot be swapped out.
    pub fn is_memory_locked(&self) -> bool {
        self.keys.is_locked()
    }

    pub(super) fn data_key(&self) -> &[u8; 32] {
        &self.keys.get().data
    }

    /// Seals `plain` for its place: [`OVERHEAD_BYTES`] longer.
    ///
    /// # Errors
    /// [`VaultError::Unable`] without random numbers or beyond 64 GiB; [`VaultError::Refused`] if the place is of another
    /// tenant.
    pub fn seal(&self, place: &Place<'_>, plain: &[u8]) -> Result<Vec<u8>, VaultError> {
        if *place.tenant != self.tenant {
            return Err(refused(place));
        }
        let nonce: [u8; NONCE_LEN] = keys::random()?;
        let mut sealed = Vec::with_capacity(plain.len() + OVERHEAD_BYTES);
        sealed.push(RECORD_VERSION);
        sealed.extend_from_slice(&nonce);
        sealed.extend_from_slice(plain);
        let tag = encrypt(&self.record_key(place), &nonce, &self.bound(place), &mut sealed[1 + NONCE_LEN..])?;
        sealed.extend_from_slice(&tag);
        Ok(sealed)
    }

    /// Opens what [`Sealer::seal`] made for the same place.
    ///
    /// # Errors
    /// [`VaultError::Newer`] by the version byte; [`VaultError::Refused`] for everything else that is wrong.
    pub fn open(&self, place: &Place<'_>, sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, VaultError> {
        match sealed.first() {
            Some(&found) if found > RECORD_VERSION => {
                return Err(VaultError::Newer { what: "a sealed record", found, known: RECORD_VERSION });
            }
            Some(&RECORD_VERSION) if sealed.len() >= OVERHEAD_BYTES && *place.tenant == self.tenant => {}
            _ => return Err(refused(place)),
        }
        let (nonce, rest) = sealed[1..].split_at(NONCE_LEN);
        let (text, tag) = rest.split_at(rest.len() - TAG_LEN);
        let mut plain = Zeroizing::new(text.to_vec());
        if decrypt(&self.record_key(place), nonce, &self.bound(place), &mut plain, tag) {
            Ok(plain)
        } else {
            Err(refused(place))
        }
    }

    /// A blind index: the same text has the same tag within one domain and generation. Without the data key nobody can tell
    /// the text of a tag, or test a text against it. HMAC-SHA256.
    pub fn tag(&self, domain: &str, text: &str) -> [u8; 32] {
        keys::mac(&self.keys.get().tag, &[b"text", domain.as_bytes(), text.as_bytes()])
    }

    fn record_key(&self, place: &Place<'_>) -> Key {
        // The table comes last: it alone has no fixed length.
        keys::expand(&self.keys.get().seal, &[b"record", place.id.as_bytes(), place.table.as_bytes()])
    }

    /// The associated data of a record.
    fn bound(&self, place: &Place<'_>) -> Vec<u8> {
        let mut bound = Vec::with_capacity(80);
        bound.extend_from_slice(b"dbtop record");
        bound.push(RECORD_VERSION);
        bound.extend_from_slice(self.tenant.as_bytes());
        bound.extend_from_slice(place.id.as_bytes());
        bound.extend_from_slice(&place.revision.to_be_bytes());
        bound.extend_from_slice(&place.schema.to_be_bytes());
        bound.extend_from_slice(&self.generation.to_be_bytes());
        bound.extend_from_slice(place.table.as_bytes());
        bound
    }
}

/// A new random key for [`Sealer::of_history`], wiped when dropped.
///
/// # Errors
/// [`VaultError::Unable`] without random numbers.
pub fn history_key() -> Result<Zeroizing<[u8; 32]>, VaultError> {
    keys::random_key()
}

fn refused(place: &Place<'_>) -> VaultError {
    VaultError::Refused { table: place.table.to_owned(), id: *place.id }
}

/// AES-256-GCM in place; returns the tag.
pub(super) fn encrypt(
    key: &[u8; 32],
    nonce: &[u8; NONCE_LEN],
    bound: &[u8],
    text: &mut [u8],
) -> Result<[u8; TAG_LEN], VaultError> {
    Aes256Gcm::new(&(*key).into())
        .encrypt_inout_detached(&Nonce::from(*nonce), bound, text.into())
        .map(Into::into)
        .map_err(|_| VaultError::Unable("a record is longer than AES-GCM allows (64 GiB)"))
}

/// AES-256-GCM in place. Returns false, and leaves an unusable text, if anything does not fit.
pub(super) fn decrypt(key: &[u8; 32], nonce: &[u8], bound: &[u8], text: &mut [u8], tag: &[u8]) -> bool {
    let (Ok(nonce), Ok(tag)) = (<[u8; NONCE_LEN]>::try_from(nonce), <[u8; TAG_LEN]>::try_from(tag)) else {
        return false;
    };
    Aes256Gcm::new(&(*key).into())
        .decrypt_inout_detached(&Nonce::from(nonce), bound, text.into(), &tag.into())
        .is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bytes(hex: &str) -> Vec<u8> {
        let digit = |at: usize| u8::from_str_radix(&hex[at..at + 2], 16).unwrap();
        (0..hex.len()).step_by(2).map(digit).collect()
    }

    /// The vectors for 256-bit keys and 96-bit nonces of McGrew and Viega's GCM submission to NIST (cases 13, 14 and 16),
    /// which SP 800-38D refers to: key, nonce, associated data, plain text, cipher text, tag.
    const VECTORS: [[&str; 6]; 3] = [
        [
            "0000000000000000000000000000000000000000000000000000000000000000",
            "000000000000000000000000",
            "",
            "",
            "",
            "530f8afbc74536b9a963b4f1c4cb738b",
        ],
        [
            "0000000000000000000000000000000000000000000000000000000000000000",
            "000000000000000000000000",
            "",
            "00000000000000000000000000000000",
            "cea7403d4d606b6e074ec5d3baf39d18",
            "d0d1c8a799996bf0265b98b5d48ab919",
        ],
        [
            "feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308",
            "cafebabefacedbaddecaf888",
            "feedfacedeadbeeffeedfacedeadbeefabaddad2",
            "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a72\
             1c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39",
            "522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa\
             8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a0abcc9f662",
            "76fc6ece0f4e1768cddf8853bb2d551b",
        ],
    ];

    #[test]
    fn nist_gets_its_cipher_texts() {
        for vector in VECTORS {
            let [key, nonce, bound, plain, cipher, tag] = vector.map(bytes);
            let key: [u8; 32] = key.try_into().unwrap();
            let nonce: [u8; 12] = nonce.try_into().unwrap();
            let mut text = plain.clone();
            assert_eq!(encrypt(&key, &nonce, &bound, &mut text).unwrap().as_slice(), tag);
            assert_eq!(text, cipher);
            assert!(decrypt(&key, &nonce, &bound, &mut text, &tag));
            assert_eq!(text, plain);
            let mut forged = tag.clone();
            forged[0] ^= 0x80;
            assert!(!decrypt(&key, &nonce, &bound, &mut cipher.clone(), &forged));
        }
    }

    #[test]
    fn a_record_of_this_format_opens_for_ever() {
        let tenant = TenantUid::from_bytes([1; 16]);
        let sealer = Sealer::new(tenant, 3, |key| {
            key.fill(2);
            Ok(())
        })
        .unwrap();
        let id = RecordId::from_bytes([4; 16]);
        let place = Place { tenant: &tenant, table: "instance", id: &id, revision: 5, schema: 6 };
        let golden = bytes(GOLDEN);
        assert_eq!(sealer.open(&place, &golden).unwrap().as_slice(), b"the format of 2026");
    }

    /// Made by another program (Python) with the layout of docs/security.md.
    const GOLDEN: &str =
        "01000102030405060708090a0bf121cd44cf82ddb8adb894847257b85656c3dacdef16f03601b5f0be413769cdb079";
}
