//! The key slots of the vault on the screen, and their changes.

use crate::model::base::secret::Secret;
use std::path::PathBuf;

/// The slots. See [`crate::protocol::InventoryRequest::List`].
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct VaultList {
    /// each opens the vault by itself
    pub slots: Vec<SlotLine>,
    /// the data key is the so-manieth
    pub generation: u64,
    /// how old the data key is, by a clock that is believed, ms; None: not known
    pub key_age_ms: Option<u64>,
}

/// A data key older than this should be renewed.
const OLD_KEY_DAYS: u64 = 365;

/// The days of a data key of this age, ms, if it is one that should be renewed: a year is allowed.
pub fn old_key_days(age_ms: u64) -> Option<u64> {
    Some(age_ms / 86_400_000).filter(|days| *days > OLD_KEY_DAYS)
}

/// A slot.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SlotLine {
    /// start of its identity
    pub id: String,
    /// `passphrase`, `key-file`, …
    pub kind: &'static str,
    /// what it is called; None: that cannot be read
    pub label: Option<String>,
    /// the data key that it opens is the so-manieth
    pub generation: u64,
    /// memory of Argon2id, KiB, where it is a passphrase
    pub memory_kib: Option<u32>,
    /// it is still there after a logout and a reboot
    pub is_lasting: bool,
    /// it opens on another machine, too
    pub is_portable: bool,
}

/// The key of a new slot.
pub enum NewKey {
    /// a passphrase
    Passphrase(Secret),
    /// this file, which is made if it is not there
    KeyFile(PathBuf),
    /// this file of systemd
    Credential(PathBuf),
    /// the operating system's keyring
    Keyring,
    /// what a program makes of the wrapped key in this file
    Command(PathBuf),
}

/// A change of the slots. Answered by [`crate::protocol::Reply::Saved`], and by the list as it is then.
pub enum SlotChange {
    /// one more
    Add {
        /// its key
        key: NewKey,
        /// what it is called
        label: String,
    },
    /// one less
    Remove {
        /// start of its identity
        id: String,
        /// make a new data key that it never knew, too
        rotate: bool,
    },
    /// make a new data key
    Rotate,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_data_key_is_old_after_a_year() {
        assert_eq!([0, 365, 366].map(|days: u64| old_key_days(days * 86_400_000)), [None, None, Some(366)]);
    }
}
