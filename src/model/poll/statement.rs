//! Statements and their texts. A text is shared by all that show it, and known by an id made of its content.

use serde::{Deserialize, Serialize};
use std::{
    hash::{DefaultHasher, Hash, Hasher},
    sync::Arc,
};

/// Identity of a text: a hash of its content. History keeps a text once, whoever ran it.
///
/// Two `SipHash`es of the standard library, which does not promise the same ones for ever: if they change, texts are kept
/// once more, no more harm is done.
/// In files by position: fields are only appended, each with a default; variants keep their names.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct TextId(pub u64, pub u64);

/// A statement's text, fetched once per handle and shared by all rows that run it. Serialized it is its identity alone:
/// whoever keeps rows keeps their texts apart.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "TextId", into = "TextId")]
pub struct SqlText {
    id: TextId,
    /// the whole batch or module, control characters removed (newline and tab stay), cut at the probe's cap
    pub batch: Arc<str>,
    /// length on the server in characters, if longer than what is here
    pub full_chars: Option<u64>,
    /// object id, if it belongs to a module
    pub object_id: Option<i32>,
    /// the module is encrypted: no text
    pub encrypted: bool,
}

impl SqlText {
    /// A text; see the fields.
    pub fn new(batch: Arc<str>, full_chars: Option<u64>, object_id: Option<i32>, encrypted: bool) -> Self {
        let half = |seed: u8| {
            let mut hasher = DefaultHasher::new();
            (seed, &*batch, full_chars, object_id, encrypted).hash(&mut hasher);
            hasher.finish()
        };
        Self { id: TextId(half(0), half(1)), batch, full_chars, object_id, encrypted }
    }

    /// The identity under which it is kept.
    pub const fn id(&self) -> TextId {
        self.id
    }

    /// The text of which only the identity was known.
    pub(in crate::model) fn with_batch(self, batch: Arc<str>) -> Self {
        Self { batch, ..self }
    }

    /// True for a text of which only the identity was read so far.
    pub fn is_lost(&self) -> bool {
        self.batch.is_empty() && *self == Self::from(self.id)
    }
}

impl From<TextId> for SqlText {
    fn from(id: TextId) -> Self {
        Self { id, batch: Arc::from(""), full_chars: None, object_id: None, encrypted: false }
    }
}

impl From<SqlText> for TextId {
    fn from(text: SqlText) -> Self {
        text.id
    }
}

/// The statement within a batch: byte range into [`SqlText::batch`], already on character borders.
/// In files by position: fields are only appended, each with a default; variants keep their names.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Statement {
    /// the batch
    pub text: Arc<SqlText>,
    /// start byte
    pub start: usize,
    /// end byte, exclusive
    pub end: usize,
}

impl Statement {
    /// The text to be copied: the statement, or the batch if its range is off; None if neither is known.
    pub fn to_copy(&self) -> Option<&str> {
        [self.as_str(), &*self.text.batch].into_iter().find(|text| !text.is_empty())
    }

    /// The statement alone; empty if the range is off.
    pub fn as_str(&self) -> &str {
        self.text.batch.get(self.start..self.end).unwrap_or("")
    }
}
