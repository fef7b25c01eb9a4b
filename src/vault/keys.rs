//! Keys in memory, and the functions that make them: random numbers, HKDF and HMAC with SHA-256. The rest of `vault` gets
//! keys from here only, so that each is wiped when it is dropped.

use super::VaultError;
use hkdf::Hkdf;
use hmac::{Hmac, KeyInit, Mac};
use region::LockGuard;
use sha2::Sha256;
use zeroize::{Zeroize, Zeroizing};

/// A 256-bit key that is wiped when dropped. Short-lived: a key that lives longer belongs into [`Locked`].
pub(super) type Key = Zeroizing<[u8; 32]>;

/// Random bytes of the operating system.
///
/// # Errors
/// [`VaultError::Unable`] if the system has none.
pub(super) fn random<const N: usize>() -> Result<[u8; N], VaultError> {
    let mut bytes = [0; N];
    fill(&mut bytes)?;
    Ok(bytes)
}

/// A random key.
///
/// # Errors
/// As [`random`].
pub(super) fn random_key() -> Result<Key, VaultError> {
    let mut key = Key::default();
    fill(key.as_mut_slice())?;
    Ok(key)
}

/// Fills with random bytes.
///
/// # Errors
/// As [`random`].
pub(super) fn fill(bytes: &mut [u8]) -> Result<(), VaultError> {
    getrandom::fill(bytes)
        .map_err(|_| VaultError::Unable("the operating system does not supply random numbers"))
}

/// HKDF-SHA256 (RFC 5869), extract and expand: one 32-byte key from `secret`. The parts of `info` must have fixed lengths
/// or hold them.
pub(super) fn derive(salt: &[u8], secret: &[u8], info: &[&[u8]]) -> Key {
    let mut key = Key::default();
    // The only error of `expand` is an output beyond 255 blocks; this is one block.
    let _ = Hkdf::<Sha256>::new(Some(salt), secret).expand_multi_info(info, key.as_mut_slice());
    key
}

/// HKDF-SHA256, expand only: for a `key` that is uniform already.
pub(super) fn expand(key: &[u8; 32], info: &[&[u8]]) -> Key {
    let mut out = Key::default();
    if let Ok(hkdf) = Hkdf::<Sha256>::from_prk(key) {
        let _ = hkdf.expand_multi_info(info, out.as_mut_slice());
    }
    out
}

/// HMAC-SHA256 over `parts`, each preceded by its length, so that no two lists of parts have the same input.
pub(super) fn mac(key: &[u8; 32], parts: &[&[u8]]) -> [u8; 32] {
    keyed(key, parts).finalize().into_bytes().into()
}

/// True if `found` is [`mac`] of the parts. Takes the same time wherever they differ.
pub(super) fn is_mac(key: &[u8; 32], parts: &[&[u8]], found: &[u8]) -> bool {
    keyed(key, parts).verify_slice(found).is_ok()
}

fn keyed(key: &[u8; 32], parts: &[&[u8]]) -> Hmac<Sha256> {
    // HMAC fills a short key with zeros to one block of the hash (RFC 2104), so this is no other key.
    let mut block = Zeroizing::new([0; 64]);
    block[..key.len()].copy_from_slice(key);
    let mut mac = <Hmac<Sha256> as KeyInit>::new(&(*block).into());
    for part in parts {
        mac.update(&(part.len() as u64).to_be_bytes());
        mac.update(part);
    }
    mac
}

/// A page of its own, so that unlocking one value never unlocks its neighbour.
#[repr(align(4096))]
struct Page<T>(T);

/// A value in memory that is kept out of swap where the system allows it, and wiped when dropped.
pub(super) struct Locked<T: Zeroize> {
    // Dropped before the page: unlock, then free.
    guard: Option<LockGuard>,
    page: Box<Page<T>>,
}

impl<T: Zeroize + Default> Locked<T> {
    /// An empty value on a locked page. Fill it in place ([`Locked::get_mut`]), so that no copy stays behind elsewhere.
    pub(super) fn empty() -> Self {
        let page = Box::new(Page(T::default()));
        // The system refuses beyond RLIMIT_MEMLOCK and in some containers; the key is then as safe as other memory.
        let guard = region::lock(std::ptr::from_ref(page.as_ref()), size_of::<Page<T>>()).ok();
        Self { guard, page }
    }
}

impl<T: Zeroize> Locked<T> {
    pub(super) fn get(&self) -> &T {
        &self.page.0
    }

    pub(super) fn get_mut(&mut self) -> &mut T {
        &mut self.page.0
    }

    /// True if the page cannot be swapped out.
    pub(super) fn is_locked(&self) -> bool {
        self.guard.is_some()
    }
}

impl<T: Zeroize> Drop for Locked<T> {
    fn drop(&mut self) {
        self.page.0.zeroize();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 5869, appendix A.1: the first 32 bytes of its 42; they do not depend on the length that is asked for.
    #[test]
    fn the_rfc_gets_its_key() {
        let salt: Vec<u8> = (0..=12).collect();
        let info: Vec<u8> = (0xf0..=0xf9).collect();
        let wanted = [
            0x3c, 0xb2, 0x5f, 0x25, 0xfa, 0xac, 0xd5, 0x7a, 0x90, 0x43, 0x4f, 0x64, 0xd0, 0x36, 0x2f, 0x2a,
            0x2d, 0x2d, 0x0a, 0x90, 0xcf, 0x1a, 0x5a, 0x4c, 0x5d, 0xb0, 0x2d, 0x56, 0xec, 0xc4, 0xc5, 0xbf,
        ];
        assert_eq!(*derive(&salt, &[0x0b; 22], &[&info]), wanted);
        let (first, second) = info.split_at(3);
        assert_eq!(*derive(&salt, &[0x0b; 22], &[first, second]), wanted);
    }

    #[test]
    fn parts_cannot_be_shifted_into_each_other() {
        let key = [7; 32];
        assert_ne!(mac(&key, &[b"ab", b"c"]), mac(&key, &[b"a", b"bc"]));
        assert_ne!(mac(&key, &[b"ab"]), mac(&key, &[b"ab", b""]));
        let mut found = mac(&key, &[b"ab"]);
        assert!(is_mac(&key, &[b"ab"], &found));
        found[31] ^= 1;
        assert!(!is_mac(&key, &[b"ab"], &found) && !is_mac(&key, &[b"ab"], &found[..31]));
    }

    #[test]
    fn a_key_page_is_its_own_and_random_numbers_differ() {
        let (one, two) = (Locked::<[u8; 32]>::empty(), Locked::<[u8; 32]>::empty());
        let page = |locked: &Locked<[u8; 32]>| std::ptr::from_ref(locked.get()).addr() / 4096;
        assert_ne!(page(&one), page(&two));
        assert_eq!(std::ptr::from_ref(one.get()).addr() % 4096, 0);
        assert_ne!(random::<16>().unwrap(), random::<16>().unwrap());
    }
}
