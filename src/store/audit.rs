//! The audit log: entries that are only ever added, each sealed, each with the SHA-256 of the one before. Every change
//! writes it, in its own transaction; `dbtop audit` reads it.
//!
//! The plain text of an entry is `SHA-256 of the plain text of the one before (32) | JSON`; the first one has zeros. The
//! chain runs over plain texts, not over sealed bytes, so a rotation that seals all entries anew does not change it, and a
//! hash that was kept elsewhere stays comparable. The header holds number and hash of the last entry, so a log that was
//! cut short is noticed. A whole file replaced by an older copy is noticed only by a hash that was kept elsewhere.

use super::{StoreError, anchor::Anchor, header::Header, home::hex, tenant::Tenant};
use crate::{
    model::{
        base::time::Timestamp,
        inventory::record::{About, AuditEntry, RecordId, TenantUid},
    },
    vault::{Place, Sealer},
};
use rusqlite::{Connection, params};
use sha2::{Digest, Sha256};
use std::path::Path;
use zeroize::Zeroizing;

const TABLE: &str = "audit";
/// The version of an entry's content.
pub(super) const VERSION: u32 = 1;
const HASH: usize = 32;
/// Entries that are read at once.
const SLICE: usize = 4_000;

/// A choice of entries. Empty: all.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AuditFilter {
    /// this action only: `add`, `edit`, …
    pub action: Option<String>,
    /// this kind of entity only (`instance`), or what has or had this name in any case, under all its names
    pub entity: Option<String>,
    /// what has or had this name only, in any case, under all its names
    pub name: Option<String>,
    /// this text anywhere in it, in any case: who, action, entity, name, what changed, why not
    pub search: Option<String>,
    /// not before
    pub from: Option<Timestamp>,
    /// before
    pub until: Option<Timestamp>,
    /// the newest of them, this many
    pub last: Option<usize>,
}

/// A choice that is followed from the newest entry to the oldest.
struct Choice<'f> {
    filter: &'f AuditFilter,
    entity: Option<About>,
    name: Option<About>,
}

impl<'f> Choice<'f> {
    fn new(filter: &'f AuditFilter) -> Self {
        let about = |name: &Option<String>| name.as_deref().map(About::named);
        Self { entity: about(&filter.entity), name: about(&filter.name), filter }
    }

    /// What it learns who had a name from; None: it asks for no name.
    fn named(&mut self) -> Option<impl FnMut(&AuditEntry)> {
        let mut named: Vec<&mut About> = [&mut self.entity, &mut self.name].into_iter().flatten().collect();
        (!named.is_empty())
            .then_some(move |entry: &AuditEntry| named.iter_mut().for_each(|about| about.learn(entry)))
    }

    fn keeps(&mut self, entry: &AuditEntry) -> bool {
        let filter = self.filter;
        let is = |wanted: &Option<String>, found: &str| {
            wanted.as_ref().is_none_or(|wanted| found.to_lowercase() == wanted.to_lowercase())
        };
        // Both are asked of every entry: they follow renames.
        let of_entity = self.entity.as_mut().is_none_or(|about| about.takes(entry));
        let of_name = self.name.as_mut().is_none_or(|about| about.takes(entry));
        of_name
            && (of_entity || is(&filter.entity, &entry.entity))
            && is(&filter.action, &entry.action)
            && filter.search.as_ref().is_none_or(|text| entry.has_text(text))
            && filter.from.is_none_or(|from| entry.at >= from)
            && filter.until.is_none_or(|until| entry.at < until)
    }
}

/// Some entries next to each other.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AuditSlice {
    /// those that could be read, the newest first
    pub entries: Vec<AuditEntry>,
    /// so many stand there, read or not
    pub read: u64,
    /// older ones stand below this number; None: these were the oldest
    pub older: Option<u64>,
}

/// The end of the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AuditHead {
    /// number of entries
    pub entries: u64,
    /// SHA-256 of the last one; zeros without entries
    pub hash: [u8; HASH],
}

impl AuditHead {
    /// The hash in hexadecimal.
    pub fn hash_hex(&self) -> String {
        hex(&self.hash)
    }
}

/// The result of a verification.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditCheck {
    /// entries that were read and fit
    pub good: u64,
    /// the end of the log
    pub head: AuditHead,
    /// what stands for entries that were removed by their age
    pub anchor: Option<Anchor>,
    /// the first bad entry and the reason; None: the log is whole
    pub bad: Option<(u64, &'static str)>,
}

/// Adds an entry, and notes it in the header as the new end of the log.
pub(super) fn append(
    connection: &Connection,
    sealer: &Sealer,
    header: &mut Header,
    entry: &AuditEntry,
    path: &Path,
) -> Result<(), StoreError> {
    let failed = || StoreError::sqlite("writing the audit log of", path);
    let mut plain = Zeroizing::new(Vec::with_capacity(512));
    plain.extend_from_slice(&header.head);
    serde_json::to_writer(&mut *plain, entry)
        .map_err(|e| failed()(rusqlite::Error::ToSqlConversionFailure(Box::new(e))))?;
    let id = entry_id(entry.seq);
    let blob = sealer.seal(&place(sealer.tenant(), &id, VERSION), &plain)?;
    connection
        .prepare_cached("INSERT INTO audit VALUES (?1, ?2, ?3)")
        .and_then(|mut put| put.execute(params![entry.seq as i64, VERSION, blob]))
        .map_err(failed())?;
    header.entries = entry.seq;
    header.head = Sha256::digest(&plain).into();
    Ok(())
}

/// An entry's number as an identity, which binds the entry to its place in the log.
pub(super) fn entry_id(seq: u64) -> RecordId {
    let mut bytes = [0; 16];
    bytes[8..].copy_from_slice(&seq.to_be_bytes());
    RecordId::from_bytes(bytes)
}

/// The number of the last entry of the audit log; 0: there is none.
pub(super) fn last_entry(connection: &Connection, path: &Path) -> Result<u64, StoreError> {
    connection
        .query_row("SELECT coalesce(max(seq), 0) FROM audit", [], |row| row.get::<_, i64>(0))
        .map(|seq| seq as u64)
        .map_err(StoreError::sqlite("reading the audit log of", path))
}

/// The place that an entry is sealed for.
pub(super) const fn place<'a>(tenant: &'a TenantUid, id: &'a RecordId, version: u32) -> Place<'a> {
    Place { tenant, table: TABLE, id, revision: 1, schema: version }
}

impl Tenant {
    /// The entries that pass the filter, oldest first. Entries that cannot be read are left out: [`Tenant::verify_audit`]
    /// names the first.
    ///
    /// # Errors
    /// The file cannot be read.
    pub fn audit(&self, filter: &AuditFilter) -> Result<Vec<AuditEntry>, StoreError> {
        self.plain()?;
        let mut choice = Choice::new(filter);
        if let Some(mut learn) = choice.named() {
            let mut next = Some(u64::MAX);
            while let Some(before) = next {
                let slice = self.audit_before(before, SLICE)?;
                slice.entries.iter().for_each(&mut learn);
                next = slice.older;
            }
        }
        let (mut found, mut next) = (Vec::new(), Some(u64::MAX));
        let most = filter.last.unwrap_or(usize::MAX);
        while let Some(before) = next.filter(|_| found.len() < most) {
            let slice = self.audit_before(before, SLICE)?;
            found.extend(slice.entries.into_iter().filter(|entry| choice.keeps(entry)));
            next = slice.older;
        }
        found.truncate(most);
        found.reverse();
        Ok(found)
    }

    /// At most so many entries below a number, the newest first: a part of the log that is read in a moment.
    ///
    /// # Errors
    /// The file cannot be read.
    pub fn audit_before(&self, before: u64, most: usize) -> Result<AuditSlice, StoreError> {
        let failed = || StoreError::sqlite("reading the audit log of", &self.path);
        let mut statement = self
            .connection
            .prepare_cached(
                "SELECT seq, version, sealed FROM audit WHERE seq < ?1 ORDER BY seq DESC LIMIT ?2",
            )
            .map_err(failed())?;
        let limits = params![i64::try_from(before).unwrap_or(i64::MAX), most as i64];
        let mut rows = statement.query(limits).map_err(failed())?;
        let mut slice = AuditSlice::default();
        let mut last = None;
        while let Some(row) = rows.next().map_err(failed())? {
            last = Some(row.get::<_, i64>(0).map_err(failed())? as u64);
            slice.read += 1;
            let entry = self.entry(row).and_then(|plain| serde_json::from_slice(plain.get(HASH..)?).ok());
            slice.entries.extend(entry);
        }
        slice.older = last.filter(|_| slice.read == most as u64);
        Ok(slice)
    }

    /// The end of the log, by the header: to be kept where nobody who can write the file can write.
    ///
    /// # Errors
    /// The file cannot be read; [`StoreError::Damaged`] if the header cannot be trusted.
    pub fn audit_head(&self) -> Result<AuditHead, StoreError> {
        self.header()?
            .map(|header| AuditHead { entries: header.entries, hash: header.head })
            .map_err(|damage| StoreError::Damaged { slug: self.slug.to_string(), damage })
    }

    /// The number of entries that are there: all but those that were removed by their age.
    ///
    /// # Errors
    /// As [`Tenant::audit_head`].
    pub fn audit_entries(&self) -> Result<u64, StoreError> {
        let damaged = |damage| StoreError::Damaged { slug: self.slug.to_string(), damage };
        let header = self.header()?.map_err(damaged)?;
        Ok(header.entries - header.anchor.map_or(0, |anchor| anchor.entries).min(header.entries))
    }

    /// Follows the chain from the first entry to the last.
    ///
    /// # Errors
    /// The file cannot be read. A broken chain is no error: it is in [`AuditCheck::bad`].
    pub fn verify_audit(&self) -> Result<AuditCheck, StoreError> {
        let failed = || StoreError::sqlite("reading the audit log of", &self.path);
        let transaction = self.connection.unchecked_transaction().map_err(failed())?;
        let header = self.header()?;
        let anchor = match &header {
            Ok(header) => header.anchor,
            // What the first entry says of the one before it, so that the rest can be followed.
            Err(_) => self.found_anchor()?,
        };
        let start = anchor.map_or(0, |anchor| anchor.entries);
        let mut head = AuditHead { entries: start, hash: anchor.map_or([0; HASH], |anchor| anchor.hash) };
        let mut statement = transaction
            .prepare_cached("SELECT seq, version, sealed FROM audit ORDER BY seq")
            .map_err(failed())?;
        let mut rows = statement.query([]).map_err(failed())?;
        let check = |head: AuditHead, bad| AuditCheck { good: head.entries - start, head, anchor, bad };
        let bad = |head: AuditHead, at: u64, why| Ok(check(head, Some((at, why))));
        while let Some(row) = rows.next().map_err(failed())? {
            let seq = row.get::<_, i64>(0).map_err(failed())? as u64;
            let next = head.entries + 1;
            if seq <= start {
                return bad(head, seq, "it was removed by its age and is there again");
            }
            if seq != next {
                return bad(head, next, "it is not there");
            }
            let Some(plain) = self.entry(row) else {
                return bad(head, next, "it was altered, or moved from another place");
            };
            if plain.get(..HASH) != Some(&head.hash[..]) {
                return bad(head, next, "it does not follow on the entry before it");
            }
            head = AuditHead { entries: next, hash: Sha256::digest(&plain).into() };
        }
        match header {
            Err(_) => {
                bad(head, head.entries + 1, "the header was altered: it is unknown whether the log ends here")
            }
            Ok(header) if header.entries > head.entries => bad(head, head.entries + 1, "it is not there"),
            Ok(header) if header.entries < head.entries => {
                bad(head, header.entries + 1, "the header does not know of it")
            }
            Ok(header) if header.head != head.hash => {
                bad(head, head.entries, "it is not the entry that was written there")
            }
            Ok(_) => Ok(check(head, None)),
        }
    }

    /// The plain text of a row of the log, if its seal fits.
    fn entry(&self, row: &rusqlite::Row<'_>) -> Option<Zeroizing<Vec<u8>>> {
        let id = entry_id(row.get::<_, i64>(0).ok()? as u64);
        let sealed = row.get_ref(2).ok()?.as_blob().ok()?;
        self.sealer.open(&place(self.sealer.tenant(), &id, row.get(1).ok()?), sealed).ok()
    }

    /// When an entry was written, and the SHA-256 of its plain text.
    pub(super) fn dated(&self, row: &rusqlite::Row<'_>) -> Option<(Timestamp, [u8; HASH])> {
        let plain = self.entry(row)?;
        let entry: AuditEntry = serde_json::from_slice(plain.get(HASH..)?).ok()?;
        Some((entry.at, Sha256::digest(&plain).into()))
    }

    /// The anchor by the rows: the entry before the first one that is there. None: it is number 1, or cannot be read.
    pub(super) fn found_anchor(&self) -> Result<Option<Anchor>, StoreError> {
        let found = self.connection.query_row(
            "SELECT seq, version, sealed FROM audit ORDER BY seq LIMIT 1",
            [],
            |row| Ok((row.get::<_, i64>(0)? as u64, self.entry(row), self.dated(row))),
        );
        let (seq, plain, dated) = match found {
            Ok(found) => found,
            Err(rusqlite::Error::QueryReturnedNoRows) => return Ok(None),
            Err(e) => return Err(StoreError::sqlite("reading the audit log of", &self.path)(e)),
        };
        let (Some(plain), Some((at, _)), true) = (plain, dated, seq > 1) else { return Ok(None) };
        let hash = plain.get(..HASH).and_then(|hash| <[u8; HASH]>::try_from(hash).ok());
        Ok(hash.map(|hash| Anchor { entries: seq - 1, hash, at, removed: at }))
    }

    /// The end of the log by its rows: the last one that can be read. For repairing a header that cannot be read.
    pub(super) fn found_head(&self) -> Result<AuditHead, StoreError> {
        let entries = last_entry(&self.connection, &self.path)?;
        let plain = self.connection.query_row(
            "SELECT seq, version, sealed FROM audit WHERE seq = ?1",
            [entries as i64],
            |row| Ok(self.entry(row)),
        );
        let hash = plain.ok().flatten().map_or([0; HASH], |plain| Sha256::digest(&plain).into());
        Ok(AuditHead { entries, hash })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::inventory::record::{Author, Outcome};

    #[test]
    fn a_choice_of_entries_keeps_what_every_part_of_it_keeps() {
        let entry = AuditEntry {
            seq: 7,
            at: Timestamp::from_ms(1_000),
            author: Author { user: "Mira".into(), ..Author::default() },
            action: "edit".into(),
            entity: "instance".into(),
            name: "Sales-01".into(),
            outcome: Outcome::Refused("it is locked".into()),
            detail: "address".into(),
            id: None,
        };
        let text = |text: &str| Some(text.to_owned());
        let time = |ms| Some(Timestamp::from_ms(ms));
        let all = AuditFilter::default;
        let kept = [
            all(),
            AuditFilter { action: text("EDIT"), entity: text("instance"), name: text("sales-01"), ..all() },
            AuditFilter { entity: text("SALES-01"), ..all() },
            AuditFilter { search: text("mira"), ..all() },
            AuditFilter { search: text("Locked"), ..all() },
            AuditFilter { from: time(1_000), until: time(1_001), ..all() },
        ];
        for filter in kept {
            assert!(Choice::new(&filter).keeps(&entry), "{filter:?}");
        }
        let left_out = [
            AuditFilter { action: text("add"), ..all() },
            AuditFilter { action: text("edit"), entity: text("group"), ..all() },
            AuditFilter { action: text("edit"), name: text("sales"), ..all() },
            AuditFilter { name: text("instance"), ..all() },
            AuditFilter { action: text("edit"), search: text("crm"), ..all() },
            AuditFilter { action: text("edit"), from: time(1_001), ..all() },
            AuditFilter { action: text("edit"), until: time(1_000), ..all() },
        ];
        for filter in left_out {
            assert!(!Choice::new(&filter).keeps(&entry), "{filter:?}");
        }
    }
}
