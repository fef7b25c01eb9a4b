//! Errors of the vault: it did not open, or it refused a record. Each sentence says the way out; none holds a secret, a
//! passphrase or the content of a record.

use crate::model::inventory::record::RecordId;
use std::path::PathBuf;

/// A failure of the vault. Never transient: trying again without following the sentence fails again.
#[derive(Debug, thiserror::Error)]
pub enum VaultError {
    /// The passphrase opens none of the passphrase slots.
    #[error(
        "the passphrase opens no key slot of this vault: check caps lock and keyboard layout, or open it with \
         another slot (`--key-file FILE`)"
    )]
    WrongPassphrase,
    /// A new passphrase with fewer characters than [`super::MIN_PASSPHRASE_CHARS`].
    #[error("the passphrase has {has} characters: take at least {least}, several words make a good one")]
    WeakPassphrase {
        /// characters given
        has: usize,
        /// characters needed
        least: usize,
    },
    /// Nothing that opens the vault without a question was found.
    #[error("the vault is locked: {0}")]
    Locked(String),
    /// The vault has no slot of the kind that was asked for.
    #[error(
        "this vault has no {wanted} slot, only: {has}. Open it with one of those, then `dbtop vault slot add`"
    )]
    NoSuchSlot {
        /// the kind asked for, in words
        wanted: &'static str,
        /// the kinds that are there, in words
        has: String,
    },
    /// A key file or credential that is well-formed but belongs to another vault, or its slot was removed.
    #[error("the key of {} opens no slot of this vault: it belongs to another tenant, or its slot was removed. \
             Open the vault with another slot and add this key with `dbtop vault slot add key-file FILE`", path.display())]
    WrongKey {
        /// where the key was read
        path: PathBuf,
    },
    /// The key file does not exist.
    #[error("there is no key file {}: check the path in --key-file or DBTOP_KEY_FILE, or open the vault with its \
             passphrase", path.display())]
    NoKeyFile {
        /// the missing file
        path: PathBuf,
    },
    /// The key file may be read by others.
    #[error("the key file {} has mode {mode:04o}, so others may read it: run `chmod 600 {}`", path.display(), quoted(path))]
    WideKeyFile {
        /// the file
        path: PathBuf,
        /// its permission bits
        mode: u32,
    },
    /// The key file belongs to somebody else.
    #[error("the key file {} belongs to user {owner}, not to you: run `sudo chown \"$(id -un)\" {}`, or take your own key file",
            path.display(), quoted(path))]
    ForeignKeyFile {
        /// the file
        path: PathBuf,
        /// user id of its owner
        owner: u32,
    },
    /// The file is there, but it is not a key file as `dbtop vault init --key-file` writes it.
    #[error("{} is no key file of dbtop ({why}): make one with `dbtop vault slot add key-file FILE` with a new name, or \
             bring this one back from a copy", path.display())]
    BadKeyFile {
        /// the file
        path: PathBuf,
        /// what is wrong with it
        why: &'static str,
    },
    /// The operating system refused to read or write the key file.
    #[error("{doing} the key file {}: {source}", path.display())]
    KeyFileIo {
        /// `reading` or `writing`
        doing: &'static str,
        /// the file
        path: PathBuf,
        /// what the system said
        source: std::io::Error,
    },
    /// No keyring can be reached: the usual case over SSH and in containers.
    #[error(
        "no keyring can be reached here ({why}). Over SSH that is usual: open the vault with its passphrase, or with \
             `--key-file FILE`"
    )]
    NoKeyring {
        /// what the system said
        why: String,
    },
    /// The keyring answers, but has no key of this vault.
    #[error("the keyring ({keychain}) holds no key of this vault{}: open it with the passphrase or `--key-file FILE`, then \
             renew the slot with `dbtop vault slot add keyring`", if *forgets { " (it forgets at logout or reboot)" } else { "" })]
    EmptyKeyring {
        /// the keyring's name
        keychain: &'static str,
        /// true for the kernel's keyring
        forgets: bool,
    },
    /// A slot is opened by a program, and none is named.
    #[error(
        "a key slot of this vault is opened by a program and none is named: set [vault] unwrap = [\"program\", \"argument\"]"
    )]
    NoUnwrap,
    /// The program that unwraps a key did not give it.
    #[error(
        "{program} ([vault] unwrap) did not unwrap the key: {why}. Try it by hand, or open the vault with another slot"
    )]
    Unwrap {
        /// its name
        program: String,
        /// the first line of its complaint, or what happened
        why: String,
    },
    /// A newer dbtop wrote it.
    #[error(
        "{what} was written by a newer dbtop (format {found}, this one knows up to {known}): upgrade dbtop"
    )]
    Newer {
        /// what was read
        what: &'static str,
        /// the format's number
        found: u8,
        /// the newest known number
        known: u8,
    },
    /// A slot's bytes changed since they were written.
    #[error(
        "key slot {slot} is damaged: open the vault with another slot and remove this one (`dbtop vault slot remove`), or \
             restore the tenant from a backup (`dbtop tenant restore`)"
    )]
    DamagedSlot {
        /// the slot's short name, or its place in the file
        slot: String,
    },
    /// The slot opens, but its data key was not made by somebody who knew this slot's secret or an older key of it.
    #[error(
        "key slot {slot} carries a data key of unknown origin: somebody exchanged the vault's file. Do not type secrets \
             into it; restore the tenant from a backup (`dbtop tenant restore`)"
    )]
    ForeignKey {
        /// the slot's short name
        slot: String,
    },
    /// A record that was altered, moved, replayed, cut off, or sealed with another key.
    #[error("record {} of table {table} is refused: it was altered, moved or damaged. Restore it from a backup \
             (`dbtop tenant restore`)", id.short())]
    Refused {
        /// the table
        table: String,
        /// the record
        id: RecordId,
    },
    /// Removing the slot would leave none, or none that outlives a reboot.
    #[error(
        "this is the last slot that outlives a reboot: first add a passphrase or a key file (`dbtop vault slot add`)"
    )]
    LastSlot,
    /// The first slot would be the kernel's keyring.
    #[error(
        "the only keyring here is the kernel's, which forgets at reboot: make the vault with a passphrase or a key file \
             first, then `dbtop vault slot add keyring`"
    )]
    ForgetfulFirst,
    /// There is no such slot.
    #[error("there is no key slot {0}: `dbtop vault slot list` names them")]
    UnknownSlot(String),
    /// A part of the cryptography refused to work: the system has no random numbers, or a text is beyond all limits.
    #[error("{0}")]
    Unable(&'static str),
}

/// The path as one word of a shell command.
fn quoted(path: &std::path::Path) -> String {
    let text = path.display().to_string();
    let plain = |c: char| c.is_ascii_alphanumeric() || "/._-+:@%".contains(c);
    if !text.is_empty() && text.chars().all(plain) {
        text
    } else {
        format!("'{}'", text.replace('\'', r"'\''"))
    }
}
