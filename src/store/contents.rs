//! The table of contents of one kind: identity, revision and name of every record, sealed as one. It tells a lost, replayed
//! or slipped-in record from a good one, and names a record that cannot be opened any more. Every change rewrites it in its
//! transaction; its own revision stands in the header.

use super::kind::Kind;
use crate::{
    model::inventory::record::{RecordId, TenantUid},
    vault::Place,
};
use std::collections::BTreeMap;
use zeroize::Zeroizing;

/// The format that this program writes.
const FORMAT: u32 = 1;

/// The entry of a record in the table of contents.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Line {
    pub revision: u64,
    pub deleted: bool,
    pub name: String,
}

/// The table of contents of a kind.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Contents {
    pub revision: u64,
    pub lines: BTreeMap<RecordId, Line>,
}

impl Contents {
    pub fn encode(&self) -> Zeroizing<Vec<u8>> {
        let mut plain = Zeroizing::new(Vec::with_capacity(self.lines.len() * 64));
        for (id, line) in &self.lines {
            let name = line.name.as_bytes();
            plain.extend_from_slice(id.as_bytes());
            plain.extend_from_slice(&line.revision.to_le_bytes());
            plain.push(u8::from(line.deleted));
            // Names were checked to be far shorter than this.
            let length = name.len().min(usize::from(u16::MAX));
            plain.extend_from_slice(&(length as u16).to_le_bytes());
            plain.extend_from_slice(&name[..length]);
        }
        plain
    }

    pub fn decode(revision: u64, mut plain: &[u8]) -> Option<Self> {
        let mut lines = BTreeMap::new();
        while !plain.is_empty() {
            let (id, rest) = plain.split_first_chunk::<16>()?;
            let (at, rest) = rest.split_first_chunk::<8>()?;
            let (deleted, rest) = rest.split_first()?;
            let (length, rest) = rest.split_first_chunk::<2>()?;
            let (name, rest) = rest.split_at_checked(usize::from(u16::from_le_bytes(*length)))?;
            let name = String::from_utf8_lossy(name).into_owned();
            let line = Line { revision: u64::from_le_bytes(*at), deleted: *deleted != 0, name };
            lines.insert(RecordId::from_bytes(*id), line);
            plain = rest;
        }
        Some(Self { revision, lines })
    }

    /// The place that it is sealed for.
    pub fn place(tenant: &TenantUid, kind: Kind, revision: u64) -> Place<'_> {
        const NOBODY: RecordId = RecordId::from_bytes([0; 16]);
        let table = match kind {
            Kind::Instance => "contents of instance",
            Kind::Group => "contents of group",
            Kind::Label => "contents of label",
            Kind::Filter => "contents of filter",
        };
        Place { tenant, table, id: &NOBODY, revision, schema: FORMAT }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_survives_and_a_cut_is_seen() {
        let mut contents = Contents { revision: 3, lines: BTreeMap::new() };
        for (at, name) in ["a", "ü-2", ""].iter().enumerate() {
            let line = Line { revision: at as u64 + 9, deleted: at == 1, name: (*name).to_owned() };
            contents.lines.insert(RecordId::from_bytes([at as u8; 16]), line);
        }
        let plain = contents.encode();
        assert_eq!(Contents::decode(3, &plain), Some(contents));
        assert_eq!(Contents::decode(3, &plain[..plain.len() - 1]), None);
    }
}
