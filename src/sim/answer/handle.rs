//! SQL handles. A handle holds everything that is needed to find its text again, because nothing is remembered.

use crate::sim::world::{
    moment::Moment,
    texts::{Filled, TEXTS},
    trouble::{HOSTILE_TEXT, hostile_text},
    work::TextRef,
};

/// The text that a handle stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Handle {
    /// the text
    pub text: TextRef,
    /// the database in which it runs
    pub database_id: i32,
}

/// A text as a server returns it.
#[derive(Debug, Clone)]
pub struct ServerText {
    /// UTF-16, perhaps broken
    pub units: Vec<u16>,
    /// object id of a module
    pub object_id: Option<i32>,
}

/// The place in a handle after its type, three zeros, and the object id or a part of the hash.
const PAYLOAD: usize = 4;
/// Length of a handle.
const LENGTH: usize = 44;

impl Handle {
    /// The 44 bytes: type 2 for a batch or 3 for a module.
    pub fn bytes(self, moment: &Moment<'_>) -> Vec<u8> {
        let module = TEXTS.get(usize::from(self.text.template)).is_some_and(|t| t.proc.is_some());
        let mut bytes = vec![if module { 3 } else { 2 }, 0, 0, 0];
        // a module's text does not depend on numbers, nor do the others' handles depend on the session
        let variant = if module { 0 } else { self.text.variant };
        bytes.extend(self.text.template.to_be_bytes());
        bytes.extend(variant.to_be_bytes());
        bytes.push(self.database_id as u8);
        let dice = moment.profile.dice.of("handle").at(i64::from(self.text.template)).at(i64::from(variant));
        bytes.extend(dice.at(i64::from(self.database_id)).bytes::<15>());
        bytes.resize(LENGTH, 0);
        bytes
    }

    /// Reads a handle that this instance made; None for other bytes.
    pub fn from_bytes(bytes: &[u8], moment: &Moment<'_>) -> Option<Self> {
        let &[a, b, c, d, database] = bytes.get(PAYLOAD..PAYLOAD + 5)? else { return None };
        let text = TextRef { template: u16::from_be_bytes([a, b]), variant: u16::from_be_bytes([c, d]) };
        let handle = Self { text, database_id: i32::from(database) };
        (handle.bytes(moment) == bytes).then_some(handle)
    }

    /// The filled text with the range of its running statement; None for the hostile one.
    pub fn fill(self, moment: &Moment<'_>) -> Option<Filled> {
        let database = moment.profile.database(self.database_id).map_or("master", |d| d.name.as_str());
        let template = TEXTS.get(usize::from(self.text.template))?;
        let variant = if template.proc.is_some() { 0 } else { self.text.variant };
        Some(template.fill(moment.profile.theme, database, variant))
    }

    /// The text as the server has it.
    pub fn server_text(self, moment: &Moment<'_>) -> ServerText {
        if self.text.template == HOSTILE_TEXT {
            return ServerText { units: hostile_text(self.text.variant), object_id: None };
        }
        let units = self.fill(moment).map_or_else(Vec::new, |f| f.text.encode_utf16().collect());
        let module = TEXTS.get(usize::from(self.text.template)).is_some_and(|t| t.proc.is_some());
        let object_id = module.then(|| 900_000_000 + i32::from(self.text.template) * 1_117);
        ServerText { units, object_id }
    }

    /// statement_start_offset and statement_end_offset.
    pub fn offsets(self, moment: &Moment<'_>) -> (i32, i32) {
        self.fill(moment).map_or((0, -1), |f| (f.start, f.end))
    }
}
