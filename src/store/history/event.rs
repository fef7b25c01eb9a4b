//! An event of the time line: an episode of blocking, a change, a bookmark. `tracker` or the user makes it, the writer
//! keeps it, the screen asks for it. Plain data.

use super::codec::{numbers::Garbled, pack};
use crate::{
    model::{
        base::time::Timestamp,
        poll::statement::TextId,
        timeline::{
            chart::MarkKind,
            event::{Awaited, What},
        },
    },
    vault,
};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// One event.
#[derive(Debug, Clone, PartialEq)]
pub struct Event {
    /// its number in the file, random
    pub no: i64,
    /// uid of the instance; None: of the whole fleet
    pub uid: Option<Arc<str>>,
    /// its kind
    pub kind: MarkKind,
    /// when it began
    pub at: Timestamp,
    /// when it ended; None: it has no length, or it is not over
    pub to: Option<Timestamp>,
    /// its contents; the sentence is made of them
    pub what: What,
    /// of an episode of blocking
    pub episode: Option<Episode>,
}

/// An episode of blocking: the head blocker, its victims, the length, the cost.
/// In files by position: fields are only appended, each with a default; variants keep their names.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Episode {
    /// session id of the head blocker
    pub head: i32,
    /// most sessions blocked at once
    pub peak_victims: u32,
    /// when that was
    pub peak_at: Timestamp,
    /// waiting of all victims together, ms: their waiting when it was first seen, and victims times time since
    pub lost_ms: i64,
    /// longest wait of one victim, ms
    pub longest_ms: i64,
    /// the text of the head's batch
    pub text: Option<TextId>,
    /// bytes of the text that are the statement
    pub statement: Option<(usize, usize)>,
    /// what most victims wait for, in words of a version that kept words
    pub resource: Option<Arc<str>>,
    /// login of the head
    pub login: Option<Arc<str>>,
    /// program of the head
    pub program: Option<Arc<str>>,
    /// database of the head
    pub database: Option<Arc<str>>,
    /// when it was seen last: also its end, if no poll saw the end
    pub seen_at: Timestamp,
    /// what most victims wait for
    pub on: Option<Awaited>,
}

/// The sealed part of an event.
/// In files by position: fields are only appended, each with a default; variants keep their names.
#[derive(Serialize, Deserialize)]
struct Body {
    /// the sentence, in files of the first release; empty in newer ones
    words: Arc<str>,
    #[serde(default)]
    episode: Option<Episode>,
    #[serde(default)]
    what: Option<What>,
}

impl Event {
    /// A note of the user, at an instant, for an instance or the whole fleet.
    pub fn bookmark(uid: Option<Arc<str>>, at: Timestamp, note: &str) -> Self {
        Self {
            no: event_no(),
            uid,
            kind: MarkKind::Bookmark,
            at,
            to: Some(at),
            what: What::Note(note.into()),
            episode: None,
        }
    }

    /// Its sealed part, as bytes.
    pub(super) fn body(&self) -> Vec<u8> {
        pack::bytes(&Body { words: "".into(), episode: self.episode.clone(), what: Some(self.what.clone()) })
    }

    /// Takes its sealed part from bytes.
    pub(super) fn with_body(mut self, plain: &[u8]) -> Result<Self, Garbled> {
        let body: Body = pack::read(plain)?;
        self.what = body.what.unwrap_or_else(|| of_sentence(self.kind, body.words, body.episode.as_ref()));
        self.episode = body.episode;
        Ok(self)
    }
}

impl Episode {
    /// Its description on the time line.
    pub(super) fn what(&self) -> What {
        What::Blocking {
            victims: self.peak_victims,
            head: self.head,
            resource: self.resource.clone(),
            lost_ms: self.lost_ms,
            on: self.on.clone(),
        }
    }

    /// What most victims wait for, in words; None: it is not known.
    pub fn awaited(&self) -> Option<String> {
        self.on.as_ref().map(Awaited::to_string).or_else(|| Some(self.resource.as_deref()?.to_owned()))
    }
}

/// An event of the first release, which kept a sentence, as data where the rest of the event has it.
fn of_sentence(kind: MarkKind, words: Arc<str>, episode: Option<&Episode>) -> What {
    match (kind, episode) {
        (MarkKind::Blocking, Some(episode)) => episode.what(),
        (MarkKind::Bookmark, _) => What::Note(words),
        (MarkKind::Incident, _) => What::Incident(vec![words]),
        _ => What::Sentence(words),
    }
}

/// Checks that the sealed part of an event can be read.
pub(super) fn check_body(plain: &[u8]) -> Result<(), Garbled> {
    pack::read::<Body>(plain).map(drop)
}

/// A number for a new event: random, so that two processes can write events without asking each other.
pub(super) fn event_no() -> i64 {
    let bytes = vault::random_id().map(|id| *id.as_bytes()).unwrap_or_default();
    let mut number = [0; 8];
    number.copy_from_slice(&bytes[..8]);
    i64::from_le_bytes(number) & i64::MAX
}
