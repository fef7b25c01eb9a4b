//! How blobs stand in the file: sealed with the history's key where there is one, else behind a sum that shows damage.
//! Names, readings, texts and events go through here; the numbers of charts are never sealed (`docs/security.md` says why)
//! but always have the sum. Called by everything in this folder that reads or writes rows.

use super::numbers::{Garbled, checked, unchecked};
use crate::{
    model::inventory::record::RecordId,
    vault::{Place, Sealer},
};

/// The format of the contents of blobs, bound to each seal.
const SCHEMA: u32 = 1;

/// The row that a blob belongs to. The seal is bound to it: a blob that was moved to another row does not open.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Of {
    /// names and address of an instance, since (ms)
    Info(u32, i64),
    /// the key of a series
    Series(u32),
    /// a reading in the write buffer, of an instance, when (ms)
    Buffered(u32, i64),
    /// the block of an instance that starts then (ms)
    State(u32, i64),
    /// a text by its id
    Text([u8; 16]),
    /// an event of an instance (0: of none) that starts then (ms)
    Event(u32, i64),
    /// the word that tells the right key from a wrong one
    Check,
}

impl Of {
    const fn table(self) -> &'static str {
        match self {
            Self::Info(..) => "history info",
            Self::Series(_) => "history series",
            Self::Buffered(..) => "history hot",
            Self::State(..) => "history state",
            Self::Text(_) => "history text",
            Self::Event(..) => "history event",
            Self::Check => "history check",
        }
    }

    fn id(self) -> RecordId {
        let (instance, at) = match self {
            Self::Text(id) => return RecordId::from_bytes(id),
            Self::Info(instance, at)
            | Self::Buffered(instance, at)
            | Self::State(instance, at)
            | Self::Event(instance, at) => (instance, at),
            Self::Series(series) => (series, 0),
            Self::Check => (0, 0),
        };
        let mut id = [0; 16];
        id[..4].copy_from_slice(&instance.to_le_bytes());
        id[8..].copy_from_slice(&at.to_le_bytes());
        RecordId::from_bytes(id)
    }
}

/// Where a blob lies: sealed for one row, it opens for no other.
fn place<'a>(sealer: &'a Sealer, of: Of, id: &'a RecordId) -> Place<'a> {
    Place { tenant: sealer.tenant(), table: of.table(), id, revision: 0, schema: SCHEMA }
}

/// Seals and opens blobs. Cheap to clone: the keys are shared.
#[derive(Clone, Default)]
pub struct Blobs {
    sealer: Option<Sealer>,
}

impl Blobs {
    /// With the history's key, or in the open.
    pub const fn new(sealer: Option<Sealer>) -> Self {
        Self { sealer }
    }

    /// True with a key.
    pub const fn sealed(&self) -> bool {
        self.sealer.is_some()
    }

    /// A blob for its row.
    pub fn close(&self, of: Of, plain: &[u8]) -> Result<Vec<u8>, crate::vault::VaultError> {
        match &self.sealer {
            None => Ok(checked(plain)),
            Some(sealer) => sealer.seal(&place(sealer, of, &of.id()), plain),
        }
    }

    /// Opens a blob that [`Blobs::close`] made for the same row.
    pub fn open(&self, of: Of, blob: &[u8]) -> Result<Vec<u8>, Garbled> {
        match &self.sealer {
            None => unchecked(blob).map(<[u8]>::to_vec),
            Some(sealer) => {
                let plain = sealer.open(&place(sealer, of, &of.id()), blob).map_err(|_| Garbled)?;
                Ok(plain.to_vec())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{model::inventory::record::TenantUid, vault};

    #[test]
    fn a_blob_opens_in_its_own_row_only_and_shows_nothing() {
        let tenant = TenantUid::from_bytes([5; 16]);
        let sealer = Sealer::of_history(tenant, &vault::history_key().unwrap()).unwrap();
        let blobs = Blobs::new(Some(sealer));
        let blob = blobs.close(Of::Buffered(3, 17), b"a secret text").unwrap();
        assert!(!blob.windows(6).any(|part| part == b"secret"));
        assert_eq!(blobs.open(Of::Buffered(3, 17), &blob).unwrap(), b"a secret text");
        for other in [Of::Buffered(3, 18), Of::Buffered(4, 17), Of::State(3, 17)] {
            assert_eq!(blobs.open(other, &blob), Err(Garbled));
        }
        let stranger = Sealer::of_history(tenant, &vault::history_key().unwrap()).unwrap();
        assert_eq!(Blobs::new(Some(stranger)).open(Of::Buffered(3, 17), &blob), Err(Garbled));
        assert_eq!(Blobs::default().open(Of::Buffered(3, 17), &blob), Err(Garbled));
    }

    #[test]
    fn without_a_key_damage_is_seen() {
        let blobs = Blobs::default();
        let mut blob = blobs.close(Of::Check, b"fine").unwrap();
        assert_eq!(blobs.open(Of::Check, &blob).unwrap(), b"fine");
        blob[9] ^= 1;
        assert_eq!(blobs.open(Of::Check, &blob), Err(Garbled));
    }
}
