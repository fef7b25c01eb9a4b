//! Names and texts of a plan: sanitized, unquoted, and of a length that is kept. Shared by the files that read its parts.

use crate::{model::base::text::sanitize_line, plan::Object, sql::ident, xml::Element};

/// A statement's text in a plan ends near 4,000 characters; a dispatcher or a hand-made file may have more.
pub(super) const MAX_TEXT: usize = 64_000;
/// A predicate as SQL Server writes it repeats full names: the longest of the public plans has 4,100 characters.
pub(super) const MAX_DETAIL: usize = 8_000;
pub(super) const MAX_NAME: usize = 512;
/// Parts of a list, such as columns of an index or parameters: a table has no more columns.
pub(super) const MAX_PARTS: usize = 1_024;

/// A name or a number's text on one line.
pub(super) fn line(raw: &str) -> String {
    sanitize_line(raw, MAX_NAME).to_string()
}

pub(super) fn name(element: Element<'_>, attribute: &str) -> String {
    line(element.get(attribute).unwrap_or_default())
}

pub(super) fn some(element: Element<'_>, attribute: &str) -> Option<String> {
    Some(name(element, attribute)).filter(|text| !text.is_empty())
}

/// `[Order]` in a plan is the quoted name; the quotes are taken off.
pub(super) fn unquoted(raw: &str) -> String {
    line(&ident::unquote(raw))
}

/// A temporary table without what makes its name unique: `#Old` of `#Old______…____00000000000C`.
fn temporary(name: String) -> String {
    match name.strip_prefix('#').and_then(|rest| rest.find("____")) {
        Some(at) => name.chars().take(at + 1).collect(),
        None => name,
    }
}

/// The names in the attributes of an `Object`, a missing index or statistics.
pub(super) fn object(element: Element<'_>) -> Object {
    let part = |attribute: &str| unquoted(element.get(attribute).unwrap_or_default());
    Object {
        database: part("Database"),
        schema: part("Schema"),
        table: temporary(part("Table")),
        index: part("Index"),
        alias: part("Alias"),
        storage: part("Storage"),
        kind: part("IndexKind"),
    }
}
