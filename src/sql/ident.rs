//! Names and literals: quoting them into T-SQL, and reading multi-part names out of it.
//!
//! Called wherever a name or a text from outside becomes part of a statement. Values travel as parameters whenever
//! the statement allows it; this file is for the places where it does not.

use std::{borrow::Cow, fmt};

use thiserror::Error;

use super::lexer::{self, Kind};

/// `name` as a quoted identifier: `a]b` becomes `[a]]b]`.
pub fn quote_name(name: &str) -> String {
    format!("[{}]", name.replace(']', "]]"))
}

/// `text` as a national string literal: `it's` becomes `N'it''s'`.
pub fn quote_text(text: &str) -> String {
    format!("N'{}'", text.replace('\'', "''"))
}

/// The name that a token spells: without its brackets or double quotes, inner doubling undone.
/// An unclosed name ends with the text.
pub fn unquote(spelled: &str) -> Cow<'_, str> {
    let (inner, close, doubled) = if let Some(inner) = spelled.strip_prefix('[') {
        (inner, ']', "]]")
    } else if let Some(inner) = spelled.strip_prefix('"') {
        (inner, '"', "\"\"")
    } else {
        return Cow::Borrowed(spelled);
    };
    let inner = inner.strip_suffix(close).unwrap_or(inner);
    if inner.contains(close) {
        Cow::Owned(inner.replace(doubled, &close.to_string()))
    } else {
        Cow::Borrowed(inner)
    }
}

/// A name of one to four parts, such as `msdb.dbo.sysjobs`. A part left out (`msdb..sysjobs`) is None.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub struct ObjectName {
    /// Linked server.
    pub server: Option<String>,
    /// Database.
    pub database: Option<String>,
    /// Schema.
    pub schema: Option<String>,
    /// The object itself.
    pub object: String,
}

impl ObjectName {
    /// Puts parts together, in the order in which they are written; empty parts count as left out.
    /// None if there are no parts, more than four, or the last one is empty.
    pub fn from_parts(parts: Vec<String>) -> Option<Self> {
        if parts.len() > 4 {
            return None;
        }
        let mut parts = parts.into_iter().rev();
        let object = parts.next().filter(|object| !object.is_empty())?;
        let mut next = || parts.next().filter(|part| !part.is_empty());
        let (schema, database, server) = (next(), next(), next());
        Some(Self { server, database, schema, object })
    }
}

impl fmt::Display for ObjectName {
    /// As the server prints it in error 208: the parts as they are, joined by dots.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut begun = false;
        for part in [&self.server, &self.database, &self.schema] {
            if let Some(part) = part {
                write!(f, "{part}.")?;
                begun = true;
            } else if begun {
                f.write_str(".")?;
            }
        }
        f.write_str(&self.object)
    }
}

/// The reason why a text is not a multi-part name.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum NameError {
    /// Something stands where a name or a dot belongs.
    #[error("reading the name {text:?}: {found:?} does not belong there; quote it as [name]")]
    Unexpected {
        /// the whole text
        text: String,
        /// the token in the way
        found: String,
    },
    /// No object, or more than four parts.
    #[error("reading the name {text:?}: it needs one to four parts, the last of them not empty")]
    Parts {
        /// the whole text
        text: String,
    },
}

/// Reads a name such as `sys.databases`, `[my db]..[t]` or `"a"."b"`. Reserved words must be quoted, as on a server.
///
/// # Errors
/// [`NameError`] if the text is anything but one to four names joined by dots.
pub fn parse_name(text: &str) -> Result<ObjectName, NameError> {
    let mut parts = vec![String::new()];
    let mut after_name = false;
    for token in lexer::code(text) {
        match token.kind {
            Kind::Punct if token.text == "." => {
                parts.push(String::new());
                after_name = false;
            }
            Kind::Name | Kind::QuotedName if !after_name && token.closed => {
                if let Some(last) = parts.last_mut() {
                    *last = unquote(token.text).into_owned();
                }
                after_name = true;
            }
            _ => return Err(NameError::Unexpected { text: text.into(), found: token.text.into() }),
        }
    }
    ObjectName::from_parts(parts).ok_or_else(|| NameError::Parts { text: text.into() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn quoting_cannot_be_broken_out_of() {
        assert_eq!(quote_name("a]b"), "[a]]b]");
        assert_eq!(quote_text("x'; DROP TABLE t --"), "N'x''; DROP TABLE t --'");
    }

    #[test]
    fn names_of_one_to_four_parts_are_read_and_printed() {
        for text in ["t", "sys.databases", "msdb.dbo.sysjobs", "msdb..sysjobs", "srv.db.s.t", "srv...t"] {
            assert_eq!(parse_name(text).unwrap().to_string(), text);
        }
        let name = parse_name("[my db] . \"a\"\"b\".[c]]d]").unwrap();
        assert_eq!(name.database.as_deref(), Some("my db"));
        assert_eq!(name.schema.as_deref(), Some("a\"b"));
        assert_eq!(name.object, "c]d");
    }

    #[test]
    fn what_is_not_a_name_is_refused_with_the_reason() {
        for text in ["", ".", "a.", "a b", "a.b.c.d.e", "select", "a;b", "[a", "1", "a.@b"] {
            assert!(parse_name(text).is_err(), "{text}");
        }
        assert_eq!(
            parse_name("a b").unwrap_err().to_string(),
            "reading the name \"a b\": \"b\" does not belong there; quote it as [name]"
        );
    }

    proptest! {
        #[test]
        fn a_quoted_name_is_one_token_that_reads_back(name in r#"[\PC\]\["']{1,12}"#) {
            let quoted = quote_name(&name);
            prop_assert_eq!(parse_name(&quoted).unwrap().object, name);
        }

        #[test]
        fn a_quoted_text_is_one_closed_token(text in r"[\PC'\n]{0,20}") {
            let quoted = quote_text(&text);
            let all: Vec<_> = lexer::tokens(&quoted).collect();
            prop_assert!(all.len() == 1 && all[0].closed);
        }
    }
}
