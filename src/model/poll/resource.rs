//! The resource that someone waits for: decodes `wait_resource` of a request and `resource_description` of a waiting task.
//!
//! The shapes are those that Microsoft documents for `sys.dm_os_waiting_tasks` and `sys.dm_exec_requests`. Names of
//! objects need a question to the server and are not had here; [`ResourceTarget`] says what to ask for. Never panics:
//! whatever cannot be read is kept as [`Resource::detail`].

use super::{
    databases::DatabaseRow,
    names::{Field, Kind, Visit, Where, maybe},
    reading::Unavailable,
};
use crate::model::base::text::sanitize_line;
use serde::{Deserialize, Serialize};
use std::{fmt::Write as _, sync::Arc};

/// Longest raw text that is looked at, and longest rest that is kept.
const MAX_CHARS: usize = 512;

/// Names by database id, for showing `orders` instead of `db 7`.
#[derive(Debug, Clone, Copy, Default)]
pub struct DatabaseNames<'a>(pub &'a [DatabaseRow]);

impl DatabaseNames<'_> {
    /// The name, or `db 7`; 32767 is the hidden resource database.
    pub fn name(&self, id: i64) -> Arc<str> {
        let known = self.0.iter().find(|d| i64::from(d.id) == id).and_then(|d| d.name.clone());
        known.unwrap_or_else(|| match id {
            32_767 => "resource database".into(),
            _ => format!("db {id}").into(),
        })
    }
}

/// Decodes either spelling. None for an empty text.
pub fn decode(raw: &str, names: DatabaseNames<'_>) -> Option<Resource> {
    let raw = &*sanitize_line(raw, MAX_CHARS);
    if raw.is_empty() {
        return None;
    }
    let by_name = raw
        .split_once(": ")
        .or_else(|| raw.split_once(':'))
        .filter(|(kind, _)| !kind.is_empty() && kind.bytes().all(|b| b.is_ascii_uppercase() || b == b'_'));
    Some(if let Some((kind, rest)) = by_name {
        wait_resource(kind, rest.trim(), names)
    } else if let Some(latch) = page_latch(raw, names) {
        latch
    } else {
        description(raw, names)
    })
}

/// Joins what the two spellings of the same wait say: the description knows the lock mode, the resource the key.
#[must_use]
pub fn merge(first: Option<Resource>, second: Option<Resource>) -> Option<Resource> {
    match (first, second) {
        (Some(a), Some(b)) if a.kind == b.kind => Some(Resource {
            kind: a.kind,
            database: a.database.or(b.database),
            object: a.object.or(b.object),
            detail: b.detail.or(a.detail),
            held_mode: a.held_mode.or(b.held_mode),
            target: a.target.or(b.target),
            unnamed: a.unnamed.or(b.unnamed),
        }),
        (a, b) => a.or(b),
    }
}

/// `KEY: 7:72057594043105280 (8194443284a0)` and its relatives: kind, then numbers by colons, then a rest.
fn wait_resource(kind: &str, rest: &str, names: DatabaseNames<'_>) -> Resource {
    let (numbers, tail) = leading_numbers(rest);
    let mut r = Resource { kind: kind.into(), ..Resource::default() };
    let first = numbers.first().copied();
    let second = numbers.get(1).copied();
    let database = first.or_else(|| value(rest, "database_id"));
    r.database = database.map(|id| names.name(id));
    r.detail = (!tail.is_empty()).then(|| strip_parens(tail).into());
    match (kind, first, second) {
        ("KEY" | "HOBT" | "ALLOCATION_UNIT", Some(db), Some(hobt)) => r.set_hobt(db, hobt),
        ("PAGE" | "EXTENT" | "RID", Some(db), Some(file)) => {
            r.set_page(db, file, numbers.get(2).copied(), numbers.get(3).copied());
        }
        ("OBJECT" | "TAB", Some(db), Some(object)) => r.set_object(db, object),
        ("FILE", Some(_), Some(file)) => r.detail = Some(format!("file {file}").into()),
        ("METADATA", ..) => r.detail = Some(after_database(rest).into()),
        _ => {}
    }
    r
}

/// `2:1:1`: a page that a latch protects; the allocation pages of a file have names.
fn page_latch(raw: &str, names: DatabaseNames<'_>) -> Option<Resource> {
    let (numbers, tail) = leading_numbers(raw);
    let [db, file, page] = numbers[..] else { return None };
    if !tail.is_empty() && !tail.starts_with('(') {
        return None;
    }
    let mut r = Resource { kind: "PAGE".into(), database: Some(names.name(db)), ..Resource::default() };
    r.set_page(db, file, Some(page), None);
    Some(r)
}

/// `keylock hobtid=… dbid=… id=… mode=X associatedObjectId=…` and everything else of `dm_os_waiting_tasks`.
fn description(raw: &str, names: DatabaseNames<'_>) -> Resource {
    let (word, rest) = raw.split_once(' ').unwrap_or((raw, ""));
    let mut r = Resource {
        database: value(rest, "dbid").map(|id| names.name(id)),
        held_mode: word_after(rest, "mode").map(Into::into),
        ..Resource::default()
    };
    let db = value(rest, "dbid").unwrap_or_default();
    let number = |key| value(rest, key);
    let kind = match word {
        "keylock" | "hobtlock" | "allocunitlock" => {
            if let Some(hobt) = number("hobtid").or_else(|| number("associatedObjectId")) {
                r.set_hobt(db, hobt);
            }
            match word {
                "keylock" => "KEY",
                "hobtlock" => "HOBT",
                _ => "ALLOCATION_UNIT",
            }
        }
        "pagelock" | "ridlock" | "extentlock" => {
            if let Some(file) = number("fileid") {
                r.set_page(db, file, number("pageid"), number("slot"));
            }
            match word {
                "pagelock" => "PAGE",
                "ridlock" => "RID",
                _ => "EXTENT",
            }
        }
        "objectlock" => {
            if let Some(object) = number("objid") {
                r.set_object(db, object);
            }
            "OBJECT"
        }
        "databaselock" => "DATABASE",
        "filelock" => {
            r.detail = number("fileid").map(|f| format!("file {f}").into());
            "FILE"
        }
        "metadatalock" => {
            r.detail = Some(strip_ids(rest).into());
            "METADATA"
        }
        "applicationlock" => {
            r.detail = word_after(rest, "hash").map(Into::into);
            "APPLICATION"
        }
        "xactlock" => {
            r.detail = Some(strip_ids(rest).into());
            "XACT"
        }
        "exchangeEvent" => {
            r.detail = word_after(rest, "WaitType").or_else(|| word_after(rest, "id")).map(Into::into);
            "exchange"
        }
        "threadpool" => "worker thread",
        "External" => {
            r.detail = word_after(rest, "ExternalResource").map(Into::into);
            "external"
        }
        _ => {
            r.detail = Some(raw.into());
            if rest.starts_with('(') { "latch" } else { "other" }
        }
    };
    r.kind = kind.into();
    r
}

impl Resource {
    fn set_hobt(&mut self, database_id: i64, hobt_id: i64) {
        self.target = Some(ResourceTarget::Hobt { database_id, hobt_id });
        self.object = self.id_words().map(Into::into);
    }

    fn set_object(&mut self, database_id: i64, object_id: i64) {
        self.target = Some(ResourceTarget::Object { database_id, object_id });
        self.object = self.id_words().map(Into::into);
    }

    /// `hobt 72057594043105280`, `object 245575913`: what stands for the name of an object until that is learned.
    fn id_words(&self) -> Option<String> {
        match self.target? {
            ResourceTarget::Hobt { hobt_id, .. } => Some(format!("hobt {hobt_id}")),
            ResourceTarget::Object { object_id, .. } => Some(format!("object {object_id}")),
            ResourceTarget::Page { .. } => None,
        }
    }

    /// True if the object has an id and its name is not known.
    pub fn is_nameless(&self) -> bool {
        self.object.is_some() && self.object.as_deref() == self.id_words().as_deref()
    }

    fn set_page(&mut self, database_id: i64, file_id: i64, page: Option<i64>, slot: Option<i64>) {
        let mut text = format!("{file_id}");
        for n in [page, slot].into_iter().flatten() {
            let _ = write!(text, ":{n}");
        }
        if let Some(name) = page.and_then(allocation_page) {
            let _ = write!(text, " {name}");
        }
        self.detail = Some(text.into());
        self.target = page.map(|page_id| ResourceTarget::Page { database_id, file_id, page_id });
    }
}

/// Pages that every file has at fixed places: page free space every 8,088 pages, allocation maps every 511,232 (the
/// intervals of Microsoft's page architecture guide).
const fn allocation_page(page: i64) -> Option<&'static str> {
    match page {
        0 => Some("file header"),
        1 => Some("PFS"),
        2 => Some("GAM"),
        3 => Some("SGAM"),
        p if p > 0 && p % 511_232 == 0 => Some("GAM"),
        p if p > 1 && (p - 1) % 511_232 == 0 => Some("SGAM"),
        p if p > 0 && p % 8_088 == 0 => Some("PFS"),
        _ => None,
    }
}

/// `7:1:104 rest` to ([7, 1, 104], "rest"). At most four numbers.
fn leading_numbers(text: &str) -> (Vec<i64>, &str) {
    let mut numbers = Vec::with_capacity(4);
    let mut rest = text;
    while numbers.len() < 4 {
        let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
        let Ok(n) = rest[..digits].parse() else { break };
        numbers.push(n);
        rest = &rest[digits..];
        match rest.strip_prefix(':') {
            Some(more) if more.starts_with(|c: char| c.is_ascii_digit()) => rest = more,
            Some(more) => {
                rest = more;
                break;
            }
            None => break,
        }
    }
    (numbers, rest.trim())
}

/// The word after `key=` or `key = `.
fn word_after<'a>(text: &'a str, key: &str) -> Option<&'a str> {
    let mut from = 0;
    while let Some(found) = text.get(from..)?.find(key) {
        let start = from + found;
        let end = start + key.len();
        let at_border = text[..start].chars().next_back().is_none_or(|c| !c.is_alphanumeric());
        if let Some(rest) = text[end..].trim_start().strip_prefix('=')
            && at_border
        {
            return rest.split_whitespace().next();
        }
        from = end;
    }
    None
}

fn value(text: &str, key: &str) -> Option<i64> {
    let word = word_after(text, key)?;
    let digits = word.bytes().take_while(u8::is_ascii_digit).count();
    word[..digits].parse().ok()
}

/// The text that follows `database_id = 7` in a metadata resource.
fn after_database(rest: &str) -> &str {
    let Some((_, tail)) = rest.split_once("database_id") else { return rest };
    tail.trim_start_matches(|c: char| c == '=' || c == ',' || c.is_ascii_digit() || c.is_whitespace())
}

/// A description without the parts that say nothing to a person.
fn strip_ids(rest: &str) -> String {
    let noise = ["dbid=", "id=", "mode=", "associatedObjectId="];
    let words: Vec<_> = rest.split_whitespace().filter(|w| !noise.iter().any(|n| w.starts_with(n))).collect();
    words.join(" ")
}

fn strip_parens(text: &str) -> &str {
    text.strip_prefix('(').and_then(|t| t.strip_suffix(')')).unwrap_or(text)
}

/// The lock or page that someone waits for, decoded from the raw resource.
/// In files by position: fields are only appended, each with a default; variants keep their names.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Resource {
    /// `KEY`, `PAGE`, `RID`, `OBJECT`, `DATABASE`, `METADATA`, `APPLICATION`, `latch` …
    pub kind: Arc<str>,
    /// database name or `db 7`
    pub database: Option<Arc<str>>,
    /// schema.object.index where resolved, else ids
    pub object: Option<Arc<str>>,
    /// key hash, file:page:slot, or other rest
    pub detail: Option<Arc<str>>,
    /// lock mode that the owner holds, if the server tells it
    pub held_mode: Option<Arc<str>>,
    /// what to ask the server for to learn the object's name, on demand
    pub target: Option<ResourceTarget>,
    /// why the object's name could not be had; None: it was, or it was not asked for yet
    pub unnamed: Option<Unavailable>,
}

/// The ids behind a [`Resource`].
/// In files by position: fields are only appended, each with a default; variants keep their names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum ResourceTarget {
    /// a table, view or procedure
    Object {
        /// database
        database_id: i64,
        /// object
        object_id: i64,
    },
    /// an index or heap, or a partition of it
    Hobt {
        /// database
        database_id: i64,
        /// heap or B-tree
        hobt_id: i64,
    },
    /// a page
    Page {
        /// database
        database_id: i64,
        /// file
        file_id: i64,
        /// page
        page_id: i64,
    },
}

impl Resource {
    /// The places of names.
    pub(super) fn each_name_mut(&mut self, visit: Visit<'_>) {
        maybe(visit, Field::Name(Kind::Database), &mut self.database);
        maybe(visit, Field::Words(Where::Code), &mut self.object);
        maybe(visit, Field::Words(Where::Code), &mut self.detail);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn show(raw: &str) -> String {
        let rows = [DatabaseRow { id: 7, name: Some("orders".into()), ..DatabaseRow::default() }];
        let Some(r) = decode(raw, DatabaseNames(&rows)) else { return "nothing".into() };
        let part = |p: &Option<Arc<str>>| p.as_deref().unwrap_or("-").to_owned();
        format!(
            "{}|{}|{}|{}|{}",
            r.kind,
            part(&r.database),
            part(&r.object),
            part(&r.detail),
            part(&r.held_mode)
        )
    }

    #[test]
    fn resources_of_requests() {
        for (raw, expected) in [
            ("KEY: 7:72057594043105280 (8194443284a0)", "KEY|orders|hobt 72057594043105280|8194443284a0|-"),
            ("PAGE: 7:1:104", "PAGE|orders|-|1:104|-"),
            ("PAGE: 7:1:104 ", "PAGE|orders|-|1:104|-"),
            ("RID: 7:1:104:0", "RID|orders|-|1:104:0|-"),
            ("OBJECT: 7:245575913:0", "OBJECT|orders|object 245575913|-|-"),
            ("OBJECT: 7:245575913:0 [COMPILE]", "OBJECT|orders|object 245575913|[COMPILE]|-"),
            ("DATABASE: 7", "DATABASE|orders|-|-|-"),
            ("DATABASE: 9:0", "DATABASE|db 9|-|-|-"),
            ("FILE: 7:1", "FILE|orders|-|file 1|-"),
            (
                "METADATA: database_id = 7 COMPRESSED_FRAGMENT(object_id = 24)",
                "METADATA|orders|-|COMPRESSED_FRAGMENT(object_id = 24)|-",
            ),
            (
                "APPLICATION: 7:0:[nightly load]:(8b8ec41a)",
                "APPLICATION|orders|-|[nightly load]:(8b8ec41a)|-",
            ),
            ("2:1:1", "PAGE|db 2|-|1:1 PFS|-"),
            ("2:3:511232", "PAGE|db 2|-|3:511232 GAM|-"),
            ("", "nothing"),
        ] {
            assert_eq!(show(raw), expected, "{raw}");
        }
    }

    #[test]
    fn descriptions_of_waiting_tasks() {
        for (raw, expected) in [
            (
                "keylock hobtid=72057594043105280 dbid=7 id=lock1f mode=X associatedObjectId=72057594043105280",
                "KEY|orders|hobt 72057594043105280|-|X",
            ),
            (
                "pagelock fileid=1 pageid=104 dbid=7 subresource=FULL id=lock2 mode=IX associatedObjectId=9",
                "PAGE|orders|-|1:104|IX",
            ),
            (
                "ridlock fileid=1 pageid=104 dbid=7 id=lock3 mode=X associatedObjectId=9",
                "RID|orders|-|1:104|X",
            ),
            (
                "objectlock lockPartition=0 objid=245575913 subresource=FULL dbid=7 id=lock4 mode=Sch-M associatedObjectId=245575913",
                "OBJECT|orders|object 245575913|-|Sch-M",
            ),
            (
                "applicationlock hash=nightly8b8ec41a databasePrincipalId=0 dbid=7 id=lock5 mode=X",
                "APPLICATION|orders|-|nightly8b8ec41a|X",
            ),
            ("databaselock subresource=FULL dbid=7 id=lock6 mode=S", "DATABASE|orders|-|-|S"),
            ("exchangeEvent id=Pipe1f WaitType=e_waitPipeNewRow nodeId=3", "exchange|-|-|e_waitPipeNewRow|-"),
            ("threadpool id=scheduler1f", "worker thread|-|-|-|-"),
            ("ACCESS_METHODS_DATASET_PARENT (000000)", "latch|-|-|ACCESS_METHODS_DATASET_PARENT (000000)|-"),
            ("Mutex", "other|-|-|Mutex|-"),
        ] {
            assert_eq!(show(raw), expected, "{raw}");
        }
    }

    #[test]
    fn both_spellings_of_one_wait_are_joined() {
        let names = DatabaseNames(&[]);
        let r = merge(
            decode("keylock hobtid=5 dbid=7 id=lock1f mode=X associatedObjectId=5", names),
            decode("KEY: 7:5 (8194443284a0)", names),
        );
        let r = r.expect("both are known");
        assert_eq!((r.held_mode.as_deref(), r.detail.as_deref()), (Some("X"), Some("8194443284a0")));
        assert_eq!(r.target, Some(ResourceTarget::Hobt { database_id: 7, hobt_id: 5 }));
        assert!(r.is_nameless());
        assert!(!Resource { object: Some("dbo.orders".into()), ..r }.is_nameless());
    }

    proptest! {
        #[test]
        fn never_panics(raw in any::<String>()) {
            if let Some(r) = decode(&raw, DatabaseNames(&[])) {
                prop_assert!(r.detail.is_none_or(|d| d.chars().all(|c| !c.is_control())));
            }
        }

        #[test]
        fn never_panics_on_what_looks_right(
            kind in "(KEY|PAGE|RID|OBJECT|METADATA|keylock|ridlock|objectlock|)",
            colon in "(: |:| |)",
            rest in "[0-9:= a-z()æ\u{202e}]{0,40}(dbid=[0-9]{0,30})?( mode=)?",
        ) {
            let _ = decode(&format!("{kind}{colon}{rest}"), DatabaseNames(&[]));
        }
    }
}
