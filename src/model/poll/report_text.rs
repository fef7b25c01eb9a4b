//! The report of a deadlock, packed while it lies in memory: whole ones are long, and each instance keeps dozens. Serialized it is its
//! identity, as every statement is: whoever keeps rows keeps their texts apart.

use super::statement::{SqlText, Statement, TextId};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// The level of zstd: higher ones save little in XML.
const LEVEL: i32 = 3;

/// A report.
/// In files by position: fields are only appended, each with a default; variants keep their names.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(from = "Statement", into = "Statement")]
pub struct ReportText {
    id: TextId,
    start: usize,
    end: usize,
    text: Kept,
}

/// The same text, however each is kept.
impl PartialEq for ReportText {
    fn eq(&self, other: &Self) -> bool {
        (self.id, self.start, self.end, self.is_lost()) == (other.id, other.start, other.end, other.is_lost())
    }
}

impl Eq for ReportText {}

/// How the text is kept.
#[derive(Debug, Clone)]
enum Kept {
    /// as others hold it, too; or none, where only the identity is known
    Plain(Arc<SqlText>),
    /// packed, with its length
    Packed(Arc<[u8]>, usize),
}

impl ReportText {
    /// A report that a server told. What cannot be packed stays as it is.
    pub fn packed(text: &str) -> Self {
        let plain = SqlText::new(text.into(), None, None, false);
        let id = plain.id();
        let kept = match zstd::bulk::compress(text.as_bytes(), LEVEL) {
            Ok(packed) => Kept::Packed(packed.into(), text.len()),
            Err(_) => Kept::Plain(Arc::new(plain)),
        };
        Self { id, start: 0, end: text.len(), text: kept }
    }

    /// The report, unpacked.
    pub fn statement(&self) -> Statement {
        let text = match &self.text {
            Kept::Plain(text) => Arc::clone(text),
            Kept::Packed(packed, bytes) => {
                let plain =
                    zstd::bulk::decompress(packed, *bytes).ok().and_then(|b| String::from_utf8(b).ok());
                let lost = SqlText::from(self.id);
                Arc::new(match plain {
                    Some(plain) => lost.with_batch(plain.into()),
                    None => lost,
                })
            }
        };
        Statement { text, start: self.start, end: self.end }
    }

    /// The identity under which history keeps it.
    pub const fn id(&self) -> TextId {
        self.id
    }

    /// True where only the identity is known.
    pub fn is_lost(&self) -> bool {
        matches!(&self.text, Kept::Plain(text) if text.is_lost())
    }

    /// Keeps the identity alone.
    pub fn forget(&mut self) {
        self.text = Kept::Plain(Arc::new(SqlText::from(self.id)));
    }

    /// The bytes of memory that its text takes.
    pub fn held_bytes(&self) -> usize {
        match &self.text {
            Kept::Plain(text) => text.batch.len(),
            Kept::Packed(packed, _) => packed.len(),
        }
    }
}

impl From<Statement> for ReportText {
    fn from(statement: Statement) -> Self {
        let Statement { text, start, end } = statement;
        Self { id: text.id(), start, end, text: Kept::Plain(text) }
    }
}

/// What is written of it: its identity, for which nothing is unpacked.
impl From<ReportText> for Statement {
    fn from(report: ReportText) -> Self {
        Self { text: Arc::new(SqlText::from(report.id)), start: report.start, end: report.end }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_report_comes_back_as_it_was_and_takes_less_room_meanwhile() {
        let text = "<process id=\"é\" spid=\"62\"/>".repeat(4_000);
        let mut report = ReportText::packed(&text);
        assert!(report.held_bytes() * 20 < text.len(), "{}", report.held_bytes());
        assert_eq!(report.statement().as_str(), text);
        assert_eq!(report.statement().text.id(), SqlText::new(text.as_str().into(), None, None, false).id());
        assert_eq!(ReportText::from(report.statement()).statement(), report.statement());
        report.forget();
        assert!(report.is_lost() && report.statement().text.is_lost() && report.held_bytes() == 0);
    }

    #[test]
    fn it_is_written_as_a_statement_is() {
        let text = "<deadlock/>";
        let (plain, report) = (SqlText::new(text.into(), None, None, false), ReportText::packed(text));
        let statement = Statement { text: Arc::new(plain), start: 0, end: text.len() };
        let [one, other] = [serde_json::to_string(&statement), serde_json::to_string(&report)];
        assert_eq!(one.unwrap(), other.unwrap());
    }
}
