//! The key slots of the vault on the screen, and their changes.

use crate::model::base::{secret::Secret, time::Timestamp};
use std::path::PathBuf;

/// The slots. See [`crate::protocol::InventoryRequest::List`].
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct VaultList {
    /// each opens the vault by itself
    pub slots: Vec<SlotLine>,
    /// the data key is the so-manieth
    pub generation: u64,
    /// when the data key was made; None: not known
    pub keyed: Option<Timestamp>,
}

/// A data key older than this should be renewed.
const OLD_KEY_DAYS: i64 = 365;

/// The age in days of a data key that was made at this time, if it is one that should be renewed: a year is allowed.
pub fn old_key_days(made: Timestamp, now: Timestamp) -> Option<i64> {
    Some(now.ms_since(made) as i64 / 86_400_000).filter(|days| *days > OLD_KEY_DAYS)
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
        let made = Timestamp::from_ms(1_700_000_000_000);
        let after = |days: i64| old_key_days(made, made.plus_ms(days * 86_400_000));
        assert_eq!([after(-1), after(0), after(365), after(366)], [None, None, None, Some(366)]);
    }
}
