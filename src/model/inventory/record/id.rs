//! Identities: of a record, of a tenant, and a tenant's name on disk. Made by `store`, which has the random numbers.

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use std::{fmt, str::FromStr};

/// Identity of a record within its tenant: 16 random bytes, never reused. Names may change, this does not.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RecordId([u8; 16]);

/// Identity of a tenant: 16 random bytes. Kept by a backup; the slug may differ from machine to machine.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TenantUid([u8; 16]);

macro_rules! sixteen_bytes {
    ($name:ident) => {
        impl $name {
            /// From its bytes.
            pub const fn from_bytes(bytes: [u8; 16]) -> Self {
                Self(bytes)
            }

            /// Its bytes.
            pub const fn as_bytes(&self) -> &[u8; 16] {
                &self.0
            }

            /// The first four bytes in hex, for messages.
            pub fn short(&self) -> String {
                let [a, b, c, d, ..] = self.0;
                format!("{a:02x}{b:02x}{c:02x}{d:02x}")
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{self}")
            }
        }

        impl FromStr for $name {
            type Err = &'static str;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                from_hex(text).map(Self).ok_or("an id is 32 hexadecimal digits")
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
                to.collect_str(self)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
                let text = <std::borrow::Cow<'de, str>>::deserialize(from)?;
                text.parse().map_err(de::Error::custom)
            }
        }
    };
}

sixteen_bytes!(RecordId);
sixteen_bytes!(TenantUid);

fn from_hex(text: &str) -> Option<[u8; 16]> {
    let digits: Vec<u8> = text.chars().map(|c| c.to_digit(16).map(|d| d as u8)).collect::<Option<_>>()?;
    let mut bytes = [0; 16];
    if digits.len() != 32 {
        return None;
    }
    for (byte, pair) in bytes.iter_mut().zip(digits.chunks_exact(2)) {
        *byte = pair.iter().fold(0, |value, digit| value << 4 | digit);
    }
    Some(bytes)
}

/// A tenant's name: 3 to 50 of a–z, 0–9 and hyphens, none at either end. It is a folder's name on every platform.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(transparent)]
pub struct Slug(String);

/// Why a text is no slug.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SlugError {
    /// too short or too long
    #[error("tenant name {0:?} has {1} characters: take 3 to 50")]
    Length(String, usize),
    /// something else than a–z, 0–9, hyphen
    #[error("tenant name {0:?} has {1:?} in it: take a to z, 0 to 9 and hyphens")]
    Character(String, char),
    /// a hyphen where none may be
    #[error("tenant name {0:?} starts or ends with a hyphen: take a letter or a digit there")]
    Hyphen(String),
}

impl Slug {
    /// Checks a text.
    ///
    /// # Errors
    /// [`SlugError`] says what to change.
    pub fn parse(text: &str) -> Result<Self, SlugError> {
        let length = text.chars().count();
        if !(3..=50).contains(&length) {
            return Err(SlugError::Length(text.to_owned(), length));
        }
        let allowed = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        if let Some(other) = text.chars().find(|c| !allowed(*c)) {
            return Err(SlugError::Character(text.to_owned(), other));
        }
        if text.starts_with('-') || text.ends_with('-') {
            return Err(SlugError::Hyphen(text.to_owned()));
        }
        Ok(Self(text.to_owned()))
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Slug {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl FromStr for Slug {
    type Err = SlugError;

    fn from_str(text: &str) -> Result<Self, SlugError> {
        Self::parse(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_survive_hex() {
        let id = RecordId::from_bytes(std::array::from_fn(|i| i as u8 * 17));
        assert_eq!(id.to_string(), "00112233445566778899aabbccddeeff");
        assert_eq!(id.to_string().parse(), Ok(id));
        assert_eq!(id.short(), "00112233");
        for bad in ["", "00", "zz112233445566778899aabbccddeeff", "é0112233445566778899aabbccddee"] {
            assert!(bad.parse::<RecordId>().is_err(), "{bad}");
        }
    }

    #[test]
    fn slugs_are_folder_names() {
        for good in ["abc", "prod-eu-1", "000", &"a".repeat(50)] {
            assert_eq!(Slug::parse(good).map(|s| s.to_string()), Ok(good.to_owned()));
        }
        for bad in
            ["", "ab", &"a".repeat(51), "Prod", "a_b", "../x", "a b", "-ab", "ab-", "äbc", "a/b", "con."]
        {
            assert!(Slug::parse(bad).is_err(), "{bad}");
        }
    }
}
