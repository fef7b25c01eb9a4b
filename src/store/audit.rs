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
        inventory::record::{AuditEntry, RecordId, TenantUid},
    },
    vault::{Place, Sealer},
};
use rusqlite::{Connection, params};
use serde::Serialize;
use sha2::{Digest, Sha256};
use std::path::Path;
use zeroize::Zeroizing;

const TABLE: &str = "audit";
/// The version of an entry's content.
pub(super) const VERSION: u32 = 1;
const HASH: usize = 32;

/// A choice of entries. Empty: all.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AuditFilter {
    /// this action only: `add`, `edit`, …
    pub action: Option<String>,
    /// this kind of entity only (`instance`), or this name in any case
    pub entity: Option<String>,
    /// this name only, in any case
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

impl AuditFilter {
    fn keeps(&self, entry: &AuditEntry) -> bool {
        let is = |wanted: &Option<String>, found: &[&str]| {
            wanted
                .as_ref()
                .is_none_or(|wanted| found.iter().any(|found| found.to_lowercase() == wanted.to_lowercase()))
        };
        is(&self.action, &[&entry.action])
            && is(&self.entity, &[&entry.entity, &entry.name])
            && is(&self.name, &[&entry.name])
            && self.search.as_ref().is_none_or(|text| entry.has_text(text))
            && self.from.is_none_or(|from| entry.at >= from)
            && self.until.is_none_or(|until| entry.at < until)
    }
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
        let failed = || StoreError::sqlite("reading the audit log of", &self.path);
        let mut statement = self
            .connection
            .prepare_cached("SELECT seq, version, sealed FROM audit ORDER BY seq DESC")
            .map_err(failed())?;
        let mut rows = statement.query([]).map_err(failed())?;
        let mut found = Vec::new();
        while found.len() < filter.last.unwrap_or(usize::MAX) {
            let Some(row) = rows.next().map_err(failed())? else { break };
            let entry = self.entry(row).and_then(|plain| serde_json::from_slice(plain.get(HASH..)?).ok());
            found.extend(entry.filter(|entry| filter.keeps(entry)));
        }
        found.reverse();
        Ok(found)
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

/// The differences between two versions of a record, in words: short values in full, others by name. Records never
/// serialize secrets, so none can get here.
pub(super) fn difference(before: &impl Serialize, after: &impl Serialize) -> String {
    use serde_json::{Map, Value};
    let fields = |record: Option<Value>| match record {
        Some(Value::Object(mut fields)) => match fields.remove("record") {
            Some(Value::Object(inner)) => inner.into_iter().chain(fields).collect::<Map<_, _>>(),
            _ => fields,
        },
        _ => Map::new(),
    };
    let short = |value: &Value| match value {
        Value::Null => Some("none".to_owned()),
        Value::String(text) if text.len() <= 60 => Some(text.clone()),
        Value::Bool(_) | Value::Number(_) => Some(value.to_string()),
        _ => None,
    };
    let (before, after) =
        (fields(serde_json::to_value(before).ok()), fields(serde_json::to_value(after).ok()));
    let mut names: Vec<&String> = before.keys().chain(after.keys()).collect();
    names.sort_unstable();
    names.dedup();
    let changed = names.into_iter().filter_map(|name| {
        let (old, new) = (before.get(name).unwrap_or(&Value::Null), after.get(name).unwrap_or(&Value::Null));
        match (old == new, short(old), short(new)) {
            (true, ..) => None,
            (false, Some(old), Some(new)) => Some(format!("{name}: {old} → {new}")),
            // People know groups by their names, and their ids not at all.
            _ => Some(name.replace("group_ids", "groups")),
        }
    });
    changed.collect::<Vec<_>>().join(", ")
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
            assert!(filter.keeps(&entry), "{filter:?}");
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
            assert!(!filter.keeps(&entry), "{filter:?}");
        }
    }

    #[test]
    fn a_change_is_told_field_by_field_and_what_stayed_is_not() {
        use serde_json::json;
        let before = json!({ "record": { "address": "sql-1", "port": 1433, "labels": ["a"] }, "note": null });
        let after = json!({ "record": { "address": "sql-2", "port": 1433, "labels": ["b"] }, "note": "new" });
        assert_eq!(difference(&before, &after), "address: sql-1 → sql-2, labels, note: none → new");
        assert_eq!(difference(&after, &after), "");
        let of = |ids: &[u8]| serde_json::json!({ "group_ids": ids });
        assert_eq!(difference(&of(&[1]), &of(&[])), "groups", "in the words of the screen");
    }
}
