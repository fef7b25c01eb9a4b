//! Entries of the audit log as rows, and as a file of CSV or JSON: for `dbtop audit` and for the export from the screen.

use crate::model::{
    base::{text, time::Timestamp},
    inventory::record::{AuditEntry, Outcome},
};
use chrono::{DateTime, SecondsFormat, Utc};

/// The columns. New ones are added at the end: scripts read CSV by place.
pub const COLUMNS: [&str; 12] = [
    "seq",
    "at_utc",
    "user",
    "tty",
    "ssh_client",
    "action",
    "entity",
    "name",
    "outcome",
    "reason",
    "detail",
    "login",
];
/// The longest text of a cell.
const WIDEST: usize = 1_000;

/// Text files that entries are written into.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AuditFormat {
    /// a line each, with a head
    Csv,
    /// a list of objects
    Json,
}

impl AuditFormat {
    /// By the end of a file's name.
    pub fn of_extension(extension: &str) -> Option<Self> {
        match extension.to_ascii_lowercase().as_str() {
            "csv" => Some(Self::Csv),
            "json" => Some(Self::Json),
            _ => None,
        }
    }
}

/// A time as RFC 3339, UTC; None: no calendar has it.
pub fn shown(at: Timestamp) -> Option<String> {
    DateTime::<Utc>::from_timestamp_millis(at.ms()).map(|at| at.to_rfc3339_opts(SecondsFormat::Millis, true))
}

/// The texts of an entry behind its number, in the order of [`COLUMNS`]. None: there is none.
pub fn texts(entry: &AuditEntry) -> [Option<String>; COLUMNS.len() - 1] {
    let clean = |text: &str| text::sanitize_line(text, WIDEST).to_string();
    let some = |text: Option<&str>| text.filter(|text| !text.is_empty()).map(clean);
    let (outcome, reason) = match &entry.outcome {
        Outcome::Done => ("done", None),
        Outcome::Refused(why) => ("refused", Some(why.as_str())),
    };
    [
        shown(entry.at),
        Some(clean(&entry.author.user)),
        some(entry.author.tty.as_deref()),
        some(entry.author.ssh_client.as_deref()),
        Some(clean(&entry.action)),
        Some(clean(&entry.entity)),
        Some(clean(&entry.name)),
        Some(outcome.to_owned()),
        some(reason),
        some(Some(&entry.detail)),
        some(entry.author.login.as_deref()),
    ]
}

/// Entries as a file.
///
/// # Errors
/// They cannot be written, in words.
pub fn write(format: AuditFormat, entries: &[AuditEntry]) -> Result<Vec<u8>, String> {
    match format {
        AuditFormat::Csv => csv(entries).map_err(|e| e.to_string()),
        AuditFormat::Json => {
            let row = |entry: &AuditEntry| {
                let texts = texts(entry).into_iter().map(serde_json::Value::from);
                let values = std::iter::once(serde_json::Value::from(entry.seq)).chain(texts);
                COLUMNS.iter().map(|name| (*name).to_owned()).zip(values).collect::<serde_json::Map<_, _>>()
            };
            let rows: Vec<_> = entries.iter().map(row).collect();
            serde_json::to_vec_pretty(&rows).map_err(|e| e.to_string())
        }
    }
}

fn csv(entries: &[AuditEntry]) -> Result<Vec<u8>, csv::Error> {
    let mut out = csv::Writer::from_writer(Vec::new());
    out.write_record(COLUMNS)?;
    // A spreadsheet reads a text that starts with one of these as a formula.
    let is_formula = |text: &String| text.starts_with(['=', '+', '-', '@', '\t', '\r']);
    let safe = |text: String| if is_formula(&text) { format!("'{text}") } else { text };
    for entry in entries {
        let texts = texts(entry).into_iter().map(|text| safe(text.unwrap_or_default()));
        out.write_record(std::iter::once(entry.seq.to_string()).chain(texts))?;
    }
    out.into_inner().map_err(|e| e.into_error().into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::inventory::record::Author;

    #[test]
    fn a_file_has_every_field_and_no_formula() {
        let author =
            Author { user: "root (0)".into(), login: Some("mira (1000)".into()), ..Author::default() };
        let entry = AuditEntry {
            seq: 7,
            at: Timestamp::from_ms(1),
            author,
            action: "edit".into(),
            entity: "group".into(),
            name: "=cmd|x".into(),
            outcome: Outcome::Refused("a \"taken\" name".into()),
            detail: String::new(),
            id: None,
        };
        let text = String::from_utf8(write(AuditFormat::Csv, std::slice::from_ref(&entry)).unwrap()).unwrap();
        let row = "7,1970-01-01T00:00:00.001Z,root (0),,,edit,group,'=cmd|x,refused,\"a \"\"taken\"\" name\",,mira (1000)";
        assert_eq!(text.lines().nth(1), Some(row));
        let json: serde_json::Value =
            serde_json::from_slice(&write(AuditFormat::Json, &[entry]).unwrap()).unwrap();
        assert_eq!((&json[0]["seq"], &json[0]["login"]), (&7.into(), &"mira (1000)".into()));
        assert_eq!(json[0]["detail"], serde_json::Value::Null);
        assert!(shown(Timestamp::from_ms(i64::MAX)).is_none(), "a hostile time is no panic");
    }
}
