//! What leaves dbtop as a file, or comes in as one: written for its owner alone, never over another one, and told by the audit log with
//! its scope, its period and its SHA-256.

use crate::{
    model::{
        base::{time::Timestamp, zone::UTC},
        inventory::record::{AuditEntry, Outcome},
    },
    store::{StoreError, Tenant, current_author, sha256},
};
use anyhow::Context;
use std::{fs, io::Write, path::Path};

/// An export, or another file that was dealt with, for the audit log.
#[derive(Debug, Clone, Copy)]
pub struct Exported<'a> {
    /// its kind: `instance`, `incident`, `recording`, `audit`, `cost`
    pub what: &'a str,
    /// which of them, in words: `40 instances without passwords`
    pub scope: &'a str,
    /// of this stretch of time
    pub period: Option<(Timestamp, Timestamp)>,
    /// into this file; None: standard output
    pub file: Option<&'a Path>,
    /// of what was written, in hexadecimal
    pub sha256: &'a str,
}

impl Exported<'_> {
    /// Writes the entry.
    ///
    /// # Errors
    /// As [`Tenant::note`].
    pub fn note(&self, tenant: &mut Tenant) -> Result<(), StoreError> {
        self.note_as("export", tenant)
    }

    /// Writes the entry of something else that is done with a file: `backup`, `restore`, `import`.
    ///
    /// # Errors
    /// As [`Tenant::note`].
    pub fn note_as(&self, action: &str, tenant: &mut Tenant) -> Result<(), StoreError> {
        let name = self.file.map_or_else(|| "-".to_owned(), |file| file.display().to_string());
        tenant.note(&current_author(), (action, self.what, &name), Outcome::Done, &self.detail())
    }

    fn detail(&self) -> String {
        let mut detail = self.scope.to_owned();
        if let Some((from, to)) = self.period {
            for (word, at) in [("; from ", from), (" to ", to)] {
                detail.push_str(word);
                UTC.push_moment(&mut detail, at);
            }
            detail.push_str(" UTC");
        }
        detail.extend(["; SHA-256 ", self.sha256]);
        detail
    }
}

/// Notes that these entries of the audit log were exported, with the time that they are from. Returns how many, in words.
///
/// # Errors
/// As [`Tenant::note`].
pub fn of_entries(
    tenant: &mut Tenant,
    entries: &[AuditEntry],
    file: Option<&Path>,
    sha256: &str,
) -> Result<String, StoreError> {
    let times = || entries.iter().map(|entry| entry.at);
    let period = times().min().zip(times().max());
    let scope = match entries.len() {
        1 => "1 entry".to_owned(),
        n => format!("{n} entries"),
    };
    Exported { what: "audit", scope: &scope, period, file, sha256 }.note(tenant)?;
    Ok(scope)
}

/// Writes a new file that only its owner may read. Returns its SHA-256.
///
/// # Errors
/// The file is there already, or cannot be written.
pub fn write_private(file: &Path, bytes: &[u8]) -> anyhow::Result<String> {
    let mut options = fs::File::options();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut open = options
        .open(file)
        .with_context(|| format!("making {}: name a file that is not there yet", file.display()))?;
    let written = open.write_all(bytes).and_then(|()| open.sync_all());
    if written.is_err() {
        // Half a file would pass for a whole one.
        let _ = fs::remove_file(file);
    }
    written.with_context(|| format!("writing {}", file.display()))?;
    Ok(sha256(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_says_scope_period_and_checksum() {
        let at = Timestamp::from_ms(1_795_181_400_000);
        let exported = Exported {
            what: "incident",
            scope: "@prod, scrubbed",
            period: Some((at, at.plus_ms(60_000))),
            file: None,
            sha256: "ab12",
        };
        let words = "@prod, scrubbed; from 2026-11-20 13:30:00 to 2026-11-20 13:31:00 UTC; SHA-256 ab12";
        assert_eq!(exported.detail(), words);
    }

    #[cfg(unix)]
    #[test]
    fn a_file_is_private_and_never_over_another() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("x.csv");
        let hash = write_private(&file, b"abc").unwrap();
        assert_eq!(hash, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
        assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
        assert!(write_private(&file, b"x").unwrap_err().to_string().contains("not there yet"));
        assert_eq!(fs::read(&file).unwrap(), b"abc");
    }
}
