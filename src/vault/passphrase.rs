//! A passphrase to a key: Argon2id (RFC 9106), with a cost that is measured on this machine and stored in the slot.

use super::{VaultError, keys::Key};
use crate::model::secret::Secret;
use argon2::{Algorithm, Argon2, Block, Params, Version};
use std::time::{Duration, Instant};
use zeroize::Zeroizing;

/// The fewest characters of a new passphrase (NIST SP 800-63B asks for 15 where a password is the only factor, and for 8
/// beside another one; here the other one is access to the file).
pub const MIN_PASSPHRASE_CHARS: usize = 12;

/// How long one try should take.
const TARGET: Duration = Duration::from_millis(500);
/// The least memory of a new slot: the second recommended choice of RFC 9106, 4.
const LEAST_MEMORY_KIB: u32 = 64 * 1024;
/// The most that calibration takes: a jump host with little memory must open the vault, too.
const MOST_MEMORY_KIB: u32 = 256 * 1024;
/// The passes that RFC 9106 takes with 64 MiB.
const PASSES: u32 = 3;
/// A slot that wants more than this is not of our making; opening it would take the machine's memory or hours.
const LIMIT: Cost = Cost { memory_kib: 4 * 1024 * 1024, passes: 1000, lanes: 64 };

/// Argon2id's parameters: what one try at a passphrase costs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Cost {
    /// memory in KiB
    pub memory_kib: u32,
    /// passes over the memory
    pub passes: u32,
    /// independent lanes; computed one after another
    pub lanes: u32,
}

impl Cost {
    /// The cost of about half a second here and now, never less than 64 MiB and one pass. Takes about 0.2 s to find.
    pub fn calibrated() -> Self {
        let probe = Self { memory_kib: LEAST_MEMORY_KIB, passes: 1, lanes: 4 };
        let started = Instant::now();
        // The result is of no interest, and failure (no memory) shows as no time taken: the least cost is right then.
        let _ = probe.stretch(b"how fast is it here", &[0; 32]);
        Self::fitting(started.elapsed())
    }

    /// From the time of one pass over the least memory: first the passes of the RFC, then more memory, then more passes.
    fn fitting(one_pass: Duration) -> Self {
        let affordable = TARGET.as_secs_f64() / one_pass.as_secs_f64().max(0.001);
        let passes = (affordable as u32).clamp(1, PASSES);
        let memory = affordable / f64::from(passes) * f64::from(LEAST_MEMORY_KIB);
        // Whole MiB: a round number in a list is easier to compare.
        let memory_kib = (memory as u32 / 1024 * 1024).clamp(LEAST_MEMORY_KIB, MOST_MEMORY_KIB);
        let spent = f64::from(memory_kib) / f64::from(LEAST_MEMORY_KIB);
        let passes = ((affordable / spent) as u32).clamp(passes, 50);
        Self { memory_kib, passes, lanes: 4 }
    }

    /// Next to nothing: for tests, which open hundreds of vaults.
    #[doc(hidden)]
    pub const fn trifling_for_tests() -> Self {
        Self { memory_kib: 8, passes: 1, lanes: 1 }
    }

    /// Argon2id, version 0x13, 32 bytes.
    ///
    /// # Errors
    /// [`VaultError::Unable`] for parameters beyond all reason or without memory.
    pub(super) fn stretch(&self, passphrase: &[u8], salt: &[u8]) -> Result<Key, VaultError> {
        let within =
            self.memory_kib <= LIMIT.memory_kib && self.passes <= LIMIT.passes && self.lanes <= LIMIT.lanes;
        let params = Params::new(self.memory_kib, self.passes, self.lanes, Some(32)).ok().filter(|_| within);
        let params = params.ok_or(VaultError::Unable(
            "the passphrase slot asks for an absurd cost: it is damaged. Open the vault with another slot or restore the tenant \
             from a backup (`dbtop tenant restore`)",
        ))?;
        let mut blocks = Vec::new();
        blocks.try_reserve_exact(params.block_count()).map_err(|_| {
            VaultError::Unable("there is too little free memory for the passphrase slot of this vault: free some, or open it with a key file")
        })?;
        blocks.resize(params.block_count(), Block::default());
        let mut blocks = Zeroizing::new(blocks);
        let mut key = Key::default();
        Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
            .hash_password_into_with_memory(passphrase, salt, key.as_mut_slice(), blocks.as_mut_slice())
            .map_err(|_| VaultError::Unable("the passphrase cannot be used: it is longer than 4 GiB"))?;
        Ok(key)
    }
}

/// Refuses a passphrase that is too short for a new slot.
///
/// # Errors
/// [`VaultError::WeakPassphrase`].
pub fn check_passphrase(passphrase: &Secret) -> Result<(), VaultError> {
    let has = passphrase.reveal().chars().count();
    if has < MIN_PASSPHRASE_CHARS {
        return Err(VaultError::WeakPassphrase { has, least: MIN_PASSPHRASE_CHARS });
    }
    Ok(())
}
