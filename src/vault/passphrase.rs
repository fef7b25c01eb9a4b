//! A passphrase to a key: Argon2id (RFC 9106), with a cost that is measured on this machine and stored in the slot.

use super::{VaultError, keys::Key};
use crate::model::base::secret::Secret;
use argon2::{Algorithm, Argon2, Block, Params, Version};
use std::time::{Duration, Instant};
use zeroize::Zeroizing;

/// The fewest characters of a new passphrase (NIST SP 800-63B asks for 15 where a password is the only factor, and for 8
/// beside another one; here the other one is access to the file).
pub const MIN_PASSPHRASE_CHARS: usize = 12;

/// The time that one try should take.
const TARGET: Duration = Duration::from_millis(500);
/// The smallest memory of a new slot: the second recommended choice of RFC 9106, 4.
const LEAST_MEMORY_KIB: u32 = 64 * 1024;
/// The largest memory that calibration chooses: a jump host with little memory must open the vault, too.
const MOST_MEMORY_KIB: u32 = 256 * 1024;
/// The passes that RFC 9106 recommends with 64 MiB.
const PASSES: u32 = 3;
/// The largest cost that is accepted: dbtop makes no such slot, and opening it would take all memory or hours.
const LIMIT: Cost = Cost { memory_kib: 4 * 1024 * 1024, passes: 1000, lanes: 64 };

/// Argon2id's parameters: the cost of one try at a passphrase.
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
    /// The cost of about half a second on this machine, never less than 64 MiB and one pass. Finding it takes about 0.2 s.
    pub fn calibrated() -> Self {
        let probe = Self { memory_kib: LEAST_MEMORY_KIB, passes: 1, lanes: 4 };
        let started = Instant::now();
        // The hash is not needed. A failure (no memory) takes no time, and the smallest cost is right then.
        let _ = probe.stretch(b"how fast is it here", &[0; 32]);
        Self::fitting(started.elapsed())
    }

    /// From the time of one pass over the smallest memory: first the passes of the RFC, then more memory, then more passes.
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

    /// The smallest cost there is: for tests, which open hundreds of vaults.
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
            "the passphrase slot asks for an absurd cost: it is damaged. Open the vault with another slot, or restore the \
             tenant from a backup (`dbtop tenant restore`)",
        ))?;
        run(&Argon2::new(Algorithm::Argon2id, Version::V0x13, params), passphrase, salt)
    }
}

/// Argon2 in memory that is wiped afterwards; the crate frees its own memory without wiping it.
fn run(argon2: &Argon2<'_>, passphrase: &[u8], salt: &[u8]) -> Result<Key, VaultError> {
    let count = argon2.params().block_count();
    let mut blocks = Zeroizing::new(Vec::new());
    blocks.try_reserve_exact(count).map_err(|_| {
        VaultError::Unable(
            "there is too little free memory for this passphrase slot: free some, or open the vault with a key file",
        )
    })?;
    blocks.resize(count, Block::default());
    let mut key = Key::default();
    argon2
        .hash_password_into_with_memory(passphrase, salt, key.as_mut_slice(), blocks.as_mut_slice())
        .map_err(|_| VaultError::Unable("the passphrase is too long: 4 GiB at most"))?;
    Ok(key)
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

#[cfg(test)]
mod tests {
    use super::*;
    use argon2::{AssociatedData, ParamsBuilder};
    use std::fmt::Write;

    fn hex(bytes: &[u8]) -> String {
        bytes.iter().fold(String::new(), |mut text, byte| {
            let _ = write!(text, "{byte:02x}");
            text
        })
    }

    /// RFC 9106, 5.3. It has a secret and associated data, which slots do not use.
    #[test]
    fn the_rfc_gets_its_tag() {
        let data = AssociatedData::new(&[4; 12]).unwrap();
        let params =
            ParamsBuilder::new().m_cost(32).t_cost(3).p_cost(4).data(data).output_len(32).build().unwrap();
        let argon2 = Argon2::new_with_secret(&[3; 8], Algorithm::Argon2id, Version::V0x13, params).unwrap();
        let tag = run(&argon2, &[1; 32], &[2; 16]).unwrap();
        assert_eq!(hex(tag.as_slice()), "0d640df58d78766c08c037a34a8b53c9d01ef0452d75b65eb52520e96b01e659");
    }

    /// The vectors of the reference implementation (test.c), through the function that slots use.
    #[test]
    fn the_reference_gets_its_keys() {
        for (memory_kib, passes, lanes, wanted) in [
            (65536, 2, 1, "09316115d5cf24ed5a15a31a3ba326e5cf32edc24702987c02b6566f61913cf7"),
            (256, 2, 1, "9dfeb910e80bad0311fee20f9c0e2b12c17987b4cac90c2ef54d5b3021c68bfe"),
            (256, 2, 2, "6d093c501fd5999645e0ea3bf620d7b8be7fd2db59c20d9fff9539da2bf57037"),
        ] {
            let key = Cost { memory_kib, passes, lanes }.stretch(b"password", b"somesalt").unwrap();
            assert_eq!(hex(key.as_slice()), wanted, "{memory_kib} KiB, {passes} passes, {lanes} lanes");
        }
    }

    #[test]
    fn the_cost_follows_the_machine_and_never_falls_below_the_floor() {
        let fitting = |ms| Cost::fitting(Duration::from_millis(ms));
        assert_eq!(fitting(60_000), Cost { memory_kib: 65536, passes: 1, lanes: 4 });
        assert_eq!(fitting(250), Cost { memory_kib: 65536, passes: 2, lanes: 4 });
        assert_eq!(fitting(166), Cost { memory_kib: 65536, passes: 3, lanes: 4 });
        let fast = fitting(50);
        assert!(fast.memory_kib > 200_000 && fast.passes == 3, "{fast:?}");
        assert_eq!(fitting(10), Cost { memory_kib: 262_144, passes: 12, lanes: 4 });
        for ms in 0..2000 {
            let cost = fitting(ms);
            assert!(cost.memory_kib >= LEAST_MEMORY_KIB && cost.passes >= 1 && cost.lanes == 4);
            assert!(cost.memory_kib <= MOST_MEMORY_KIB && cost.passes <= 50, "{ms}: {cost:?}");
        }
    }

    #[test]
    fn an_absurd_cost_is_refused_at_once() {
        for cost in [
            Cost { memory_kib: u32::MAX, passes: 1, lanes: 1 },
            Cost { memory_kib: 64, passes: u32::MAX, lanes: 1 },
            Cost { memory_kib: 64, passes: 1, lanes: 0 },
            Cost::default(),
        ] {
            let refused = cost.stretch(b"x", &[0; 32]).err().unwrap().to_string();
            assert!(refused.contains("damaged"), "{refused}");
        }
    }

    #[test]
    fn short_passphrases_are_refused_with_a_number() {
        let check = |text: &str| check_passphrase(&Secret::new(text.to_owned()));
        assert!(check("correct horse").is_ok());
        assert!(check("äöüäöüäöüäöü").is_ok(), "characters, not bytes");
        let refused = check("äöüäöüäöüäö").unwrap_err().to_string();
        assert_eq!(
            refused,
            "the passphrase has 11 characters: take at least 12, several words make a good one"
        );
    }
}
