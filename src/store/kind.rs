//! The kinds of records, and the plain text of each before it is sealed. Called by reading and writing; nothing in here
//! touches a file.
//!
//! A record's plain text is `count (1) | count × (length (4, little endian) | secret) | JSON`. Secrets stand apart because
//! records never serialize them ([`model::inventory::record`](crate::model::inventory::record)). They are read straight into
//! [`Secret`]s, and the buffer is wiped.

use crate::model::{
    base::secret::Secret,
    inventory::record::{FilterRecord, GroupRecord, InstanceRecord, LabelRecord, RecordError, RecordId},
};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use zeroize::Zeroizing;

/// The version of the records' content that this program writes, and the newest that it reads. Fields with defaults do
/// not need a new one.
pub(super) const VERSION: u32 = 1;

/// The kind of a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// a SQL Server instance
    Instance,
    /// a group
    Group,
    /// a label
    Label,
    /// a saved filter
    Filter,
}

impl Kind {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Instance, Self::Group, Self::Label, Self::Filter];

    /// Its name, in the file, in the audit log and in messages.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Instance => "instance",
            Self::Group => "group",
            Self::Label => "label",
            Self::Filter => "filter",
        }
    }
}

/// A record that can be sealed. Implemented here and nowhere else.
pub trait Stored: Sized + Serialize + DeserializeOwned + sealed::Sealed {
    /// Its kind.
    const KIND: Kind;
    /// Its name: unique, in any case, among the records of its kind that are not deleted.
    fn name(&self) -> String;
    /// Checks it.
    ///
    /// # Errors
    /// The first error.
    fn validate(&self) -> Result<(), RecordError>;
    /// Checks what is asked of a name that is given anew; one that is there already stays.
    ///
    /// # Errors
    /// The first error.
    fn check_new_name(&self) -> Result<(), RecordError> {
        Ok(())
    }
    /// As plain text, to be sealed at once. Most records have no secrets.
    #[doc(hidden)]
    fn encode(&self) -> Option<Zeroizing<Vec<u8>>> {
        encode(self, [].iter())
    }
    /// From plain text.
    #[doc(hidden)]
    fn decode(plain: &[u8]) -> Option<Self> {
        decode(plain).map(|(record, _)| record)
    }
}

mod sealed {
    pub trait Sealed {}
}

/// An instance as it is sealed: groups by identity, so that a group can be renamed, and deleted and restored, without
/// touching its members.
/// In files by name: fields and variants keep their names, a new field has a default.
#[derive(Clone, Serialize, Deserialize)]
pub struct StoredInstance {
    pub(super) record: InstanceRecord,
    pub(super) group_ids: Vec<RecordId>,
}

impl sealed::Sealed for StoredInstance {}
impl sealed::Sealed for GroupRecord {}
impl sealed::Sealed for LabelRecord {}
impl sealed::Sealed for FilterRecord {}

impl Stored for StoredInstance {
    const KIND: Kind = Kind::Instance;

    fn name(&self) -> String {
        self.record.name.clone()
    }

    fn validate(&self) -> Result<(), RecordError> {
        self.record.validate()
    }

    fn encode(&self) -> Option<Zeroizing<Vec<u8>>> {
        encode(self, self.record.secrets())
    }

    fn decode(plain: &[u8]) -> Option<Self> {
        let (mut stored, secrets) = decode::<Self>(plain)?;
        let mut secrets = secrets.into_iter();
        for place in stored.record.secrets_mut() {
            *place = secrets.next()?;
        }
        secrets.next().is_none().then_some(stored)
    }
}

impl Stored for GroupRecord {
    const KIND: Kind = Kind::Group;

    fn name(&self) -> String {
        self.name.clone()
    }

    fn validate(&self) -> Result<(), RecordError> {
        Self::validate(self)
    }

    fn check_new_name(&self) -> Result<(), RecordError> {
        Self::check_new_name(self)
    }
}

impl Stored for LabelRecord {
    const KIND: Kind = Kind::Label;

    fn name(&self) -> String {
        Self::name(self)
    }

    fn validate(&self) -> Result<(), RecordError> {
        Self::validate(self)
    }
}

impl Stored for FilterRecord {
    const KIND: Kind = Kind::Filter;

    fn name(&self) -> String {
        self.name.clone()
    }

    fn validate(&self) -> Result<(), RecordError> {
        Self::validate(self)
    }
}

fn encode<'a>(
    record: &impl Serialize,
    secrets: impl Iterator<Item = &'a Secret> + Clone,
) -> Option<Zeroizing<Vec<u8>>> {
    let length: usize = secrets.clone().map(|secret| 4 + secret.reveal().len()).sum();
    // Reserved at its full size before the secrets: growing later would leave copies of them behind.
    let mut plain = Zeroizing::new(Vec::with_capacity(length + 1024));
    plain.push(u8::try_from(secrets.clone().count()).ok()?);
    for secret in secrets {
        let text = secret.reveal().as_bytes();
        plain.extend_from_slice(&u32::try_from(text.len()).ok()?.to_le_bytes());
        plain.extend_from_slice(text);
    }
    let json = Zeroizing::new(serde_json::to_vec(record).ok()?);
    if plain.capacity() - plain.len() < json.len() {
        let mut larger = Zeroizing::new(Vec::with_capacity(plain.len() + json.len()));
        larger.extend_from_slice(&plain);
        plain = larger;
    }
    plain.extend_from_slice(&json);
    Some(plain)
}

fn decode<T: DeserializeOwned>(plain: &[u8]) -> Option<(T, Vec<Secret>)> {
    let (count, mut rest) = plain.split_first()?;
    let mut secrets = Vec::with_capacity(usize::from(*count));
    for _ in 0..*count {
        let (length, after) = rest.split_first_chunk::<4>()?;
        let (text, after) = after.split_at_checked(u32::from_le_bytes(*length) as usize)?;
        secrets.push(Secret::new(str::from_utf8(text).ok()?.to_owned()));
        rest = after;
    }
    Some((serde_json::from_slice(rest).ok()?, secrets))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::inventory::record::{Auth, SecretRef};

    #[test]
    fn an_instance_of_an_older_version_was_added_nobody_knows_when() {
        let record = InstanceRecord::new("a", "h", Auth::Kerberos);
        let plain = StoredInstance { record, group_ids: Vec::new() }.encode().unwrap();
        assert!(!String::from_utf8_lossy(&plain).contains("added_at"), "as an older version wrote it");
        assert_eq!(StoredInstance::decode(&plain).unwrap().record.added_at, None);
    }

    #[test]
    fn secrets_survive_though_they_never_serialize() {
        let stored = |text: &str| SecretRef::Stored(Secret::new(text.into()));
        let mut record =
            InstanceRecord::new("a", "h", Auth::Sql { user: "u".into(), secret: stored("p\u{e4}ß\n\0\"") });
        record.action = Some(Auth::Ntlm { user: "v".into(), secret: stored(&"x".repeat(5000)) });
        let sealed = StoredInstance { record, group_ids: vec![RecordId::from_bytes([7; 16])] };
        let plain = sealed.encode().unwrap();
        let back = StoredInstance::decode(&plain).unwrap();
        assert!(back.record == sealed.record && back.group_ids == sealed.group_ids);
        for end in 0..plain.len() {
            assert!(StoredInstance::decode(&plain[..end]).is_none(), "cut at {end}");
        }
    }

    #[test]
    fn a_group_without_a_name_is_refused() {
        assert!(Stored::validate(&GroupRecord::default()).is_err());
        let named = GroupRecord { name: "night".into(), ..GroupRecord::default() };
        assert!(Stored::validate(&named).is_ok());
    }
}
