//! The header of a tenant's file: the tenant's identity, its key slots and, sealed, the values that any change of the file
//! must change too, so that a change behind dbtop's back is noticed. Read at unlock and in every transaction that writes;
//! rewritten at its end.

use super::{Damage, Harm, StoreError, anchor::Anchor, kind::Kind};
use crate::{
    model::{
        base::time::Timestamp,
        inventory::record::{Limits, RecordId, TenantUid},
    },
    vault::{Place, Sealer, Slot},
};
use rusqlite::{Connection, OptionalExtension, params};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::path::Path;

const FORMAT: u32 = 1;
const NOBODY: RecordId = RecordId::from_bytes([0; 16]);

/// The part that is readable without the key.
pub(super) struct Plain {
    pub tenant: TenantUid,
    pub generation: u64,
    pub revision: u64,
    pub suspended: bool,
    sealed: Vec<u8>,
    /// as `vault` wrote them
    pub slots: Vec<Vec<u8>>,
}

/// The sealed part, which vouches for the rest of the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Header {
    pub revision: u64,
    pub suspended: bool,
    pub limits: Limits,
    /// of the contents, in the order of [`Kind::ALL`]
    pub contents: [u64; Kind::ALL.len()],
    /// entries in the audit log
    pub entries: u64,
    /// SHA-256 of the last of them
    pub head: [u8; 32],
    /// what stands for entries that were removed by their age
    pub anchor: Option<Anchor>,
    /// when the data key was made; None: by a version that did not note it
    pub keyed: Option<Timestamp>,
}

/// In files by name: fields and variants keep their names, a new field has a default.
#[derive(Serialize, Deserialize)]
struct Body {
    suspended: bool,
    slots: [u8; 32],
    contents: [u64; Kind::ALL.len()],
    entries: u64,
    head: [u8; 32],
    #[serde(default)]
    limits: Limits,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    anchor: Option<Anchor>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    keyed_ms: Option<Timestamp>,
}

impl Plain {
    pub fn read(connection: &Connection, path: &Path) -> Result<Self, StoreError> {
        let failed = || StoreError::sqlite("reading the header of", path);
        let slots = connection
            .prepare_cached("SELECT slot FROM slot ORDER BY at")
            .and_then(|mut all| all.query_map([], |row| row.get(0))?.collect::<Result<Vec<Vec<u8>>, _>>())
            .map_err(failed())?;
        connection
            .prepare_cached("SELECT tenant, generation, revision, suspended, sealed FROM header")
            .and_then(|mut one| {
                one.query_row([], |row| {
                    Ok(Self {
                        tenant: TenantUid::from_bytes(row.get(0)?),
                        generation: row.get::<_, i64>(1)? as u64,
                        revision: row.get::<_, i64>(2)? as u64,
                        suspended: row.get(3)?,
                        sealed: row.get(4)?,
                        slots,
                    })
                })
                .optional()
            })
            .map_err(failed())?
            .ok_or_else(|| StoreError::NotOurs { path: path.to_owned() })
    }

    /// The readable key slots. An unreadable one opens nothing and is left out.
    pub fn slots(&self) -> Vec<Slot> {
        self.slots.iter().filter_map(|bytes| Slot::from_bytes(bytes).ok()).collect()
    }

    /// Opens the sealed part.
    pub fn open(&self, sealer: &Sealer) -> Result<Header, Damage> {
        let damage = || Damage { kind: "header", name: String::new(), harm: Harm::Header };
        let plain = sealer.open(&place(&self.tenant, self.revision), &self.sealed).map_err(|_| damage())?;
        let body: Body = serde_json::from_slice(&plain).map_err(|_| damage())?;
        if body.slots != digest(&self.slots) || body.suspended != self.suspended {
            return Err(damage());
        }
        Ok(Header {
            revision: self.revision,
            suspended: body.suspended,
            limits: body.limits,
            contents: body.contents,
            entries: body.entries,
            head: body.head,
            anchor: body.anchor,
            keyed: body.keyed_ms,
        })
    }
}

impl Header {
    /// The sealed part of an empty tenant.
    pub const fn empty() -> Self {
        let limits = Limits { max_instances: None, max_history_bytes: None };
        let contents = [0; Kind::ALL.len()];
        Self {
            revision: 0,
            suspended: false,
            limits,
            contents,
            entries: 0,
            head: [0; 32],
            anchor: None,
            keyed: None,
        }
    }

    /// Writes it as the next revision, over the slots that are in the file now.
    pub fn write(&mut self, connection: &Connection, sealer: &Sealer, path: &Path) -> Result<(), StoreError> {
        let failed = || StoreError::sqlite("writing the header of", path);
        self.revision += 1;
        let slots = connection
            .prepare_cached("SELECT slot FROM slot ORDER BY at")
            .and_then(|mut all| all.query_map([], |row| row.get(0))?.collect::<Result<Vec<Vec<u8>>, _>>())
            .map_err(failed())?;
        let body = Body {
            suspended: self.suspended,
            slots: digest(&slots),
            contents: self.contents,
            entries: self.entries,
            head: self.head,
            limits: self.limits,
            anchor: self.anchor,
            keyed_ms: self.keyed,
        };
        let json = serde_json::to_vec(&body)
            .map_err(|e| failed()(rusqlite::Error::ToSqlConversionFailure(Box::new(e))))?;
        let blob = sealer.seal(&place(sealer.tenant(), self.revision), &json)?;
        connection
            .prepare_cached("INSERT OR REPLACE INTO header VALUES (1, ?1, ?2, ?3, ?4, ?5)")
            .and_then(|mut put| {
                put.execute(params![
                    sealer.tenant().as_bytes(),
                    sealer.generation() as i64,
                    self.revision as i64,
                    self.suspended,
                    blob
                ])
            })
            .map_err(failed())?;
        Ok(())
    }
}

fn place(tenant: &TenantUid, revision: u64) -> Place<'_> {
    Place { tenant, table: "header", id: &NOBODY, revision, schema: FORMAT }
}

/// The hash over number, lengths and bytes of the slots.
fn digest(slots: &[Vec<u8>]) -> [u8; 32] {
    let mut hash = Sha256::new();
    hash.update((slots.len() as u64).to_le_bytes());
    for slot in slots {
        hash.update((slot.len() as u64).to_le_bytes());
        hash.update(slot);
    }
    hash.finalize().into()
}

#[cfg(test)]
mod tests {
    use super::digest;

    #[test]
    fn slots_that_were_moved_cut_or_changed_have_another_hash() {
        let of =
            |slots: &[&str]| digest(&slots.iter().map(|slot| slot.as_bytes().to_vec()).collect::<Vec<_>>());
        let all = [
            &["ab", "c"][..],
            &["a", "bc"],
            &["c", "ab"],
            &["abc"],
            &["ab", "c", ""],
            &["ab", "d"],
            &[],
            &[""],
        ];
        for (n, one) in all.iter().enumerate() {
            assert_eq!(of(one), of(one));
            for other in &all[n + 1..] {
                assert_ne!(of(one), of(other), "{one:?} and {other:?}");
            }
        }
    }
}
