//! The classes of tokens that a highlighter colours.
//!
//! Called by the panes that show statement texts. One pass, no allocation, so a caller may stop after the part that
//! fits its window. It knows no colours: the theme maps a [`Class`] to a style.

use super::{
    lexer::{self, Kind, Token, Tokens},
    words,
};

/// The class of a token, as a reader sees it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Class {
    /// Blanks and characters without a meaning.
    Plain,
    /// A comment.
    Comment,
    /// A reserved word, or a word that acts as one in its place.
    Keyword,
    /// A system data type.
    Type,
    /// A name before `(`, or a reserved word that is called like one (`COALESCE`, `LEFT`).
    Function,
    /// An object that the server ships: `sys.…`, `INFORMATION_SCHEMA.…`, `dm_…`, `sp_…`, `xp_…`.
    System,
    /// Any other name.
    Name,
    /// `@x`, `@@x`.
    Variable,
    /// A string literal.
    Text,
    /// A number or binary literal.
    Number,
    /// Operators and punctuation.
    Operator,
}

/// The tokens of `text` with their classes, in order and without gaps.
pub fn classify(text: &str) -> Classified<'_> {
    Classified { text, tokens: lexer::tokens(text), after_dot: false, after_schema: false }
}

/// Iterator made by [`classify`].
#[derive(Debug, Clone)]
pub struct Classified<'a> {
    text: &'a str,
    tokens: Tokens<'a>,
    /// the last code token was a dot
    after_dot: bool,
    /// the last name was `sys` or `INFORMATION_SCHEMA`
    after_schema: bool,
}

impl<'a> Iterator for Classified<'a> {
    type Item = (Class, Token<'a>);

    fn next(&mut self) -> Option<Self::Item> {
        let token = self.tokens.next()?;
        let class = match token.kind {
            Kind::Whitespace | Kind::Other => Class::Plain,
            Kind::Comment => Class::Comment,
            Kind::Keyword | Kind::Name | Kind::QuotedName => self.name(&token),
            Kind::Variable => Class::Variable,
            Kind::Text => Class::Text,
            Kind::Number | Kind::Binary => Class::Number,
            Kind::Operator | Kind::Punct => Class::Operator,
        };
        if !token.is_blank() {
            self.after_dot = token.is_symbol(".");
        }
        Some((class, token))
    }
}

impl Classified<'_> {
    fn name(&mut self, token: &Token<'_>) -> Class {
        let of_the_server = self.after_dot && self.after_schema;
        self.after_schema = !of_the_server && is_system_schema(token.text);
        let next = self.next_visible(token.end());
        if token.kind == Kind::Keyword && !self.after_dot {
            return if next == Some('(') && is_called(token.text) { Class::Function } else { Class::Keyword };
        }
        if of_the_server || self.after_schema || has_system_prefix(token.text) {
            return Class::System;
        }
        if token.kind == Kind::QuotedName || self.after_dot || next == Some('.') {
            return if next == Some('(') { Class::Function } else { Class::Name };
        }
        if words::is_type(token.text) {
            return Class::Type;
        }
        if words::is_soft_keyword(token.text) {
            return Class::Keyword;
        }
        if next == Some('(') { Class::Function } else { Class::Name }
    }

    /// The first character from `at` that is not blank.
    fn next_visible(&self, at: usize) -> Option<char> {
        self.text.get(at..)?.chars().find(|c| !c.is_whitespace())
    }
}

fn is_system_schema(name: &str) -> bool {
    let name = name.trim_matches(['[', ']', '"']);
    name.eq_ignore_ascii_case("sys") || name.eq_ignore_ascii_case("information_schema")
}

fn has_system_prefix(name: &str) -> bool {
    let name = name.trim_start_matches(['[', '"']);
    ["dm_", "sp_", "xp_", "fn_", "sysjob"]
        .iter()
        .any(|prefix| name.get(..prefix.len()).is_some_and(|start| start.eq_ignore_ascii_case(prefix)))
}

/// Reserved words that are functions when a parenthesis follows.
fn is_called(word: &str) -> bool {
    ["COALESCE", "CONVERT", "TRY_CONVERT", "NULLIF", "LEFT", "RIGHT", "IDENTITY"]
        .iter()
        .any(|function| function.eq_ignore_ascii_case(word))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn classes(text: &str) -> Vec<(Class, &str)> {
        classify(text)
            .filter(|(_, token)| token.kind != Kind::Whitespace)
            .map(|(class, token)| (class, token.text))
            .collect()
    }

    #[test]
    fn a_query_is_coloured_by_meaning() {
        use Class::{Comment, Function, Keyword, Name, Number, Operator, System, Text, Type, Variable};
        assert_eq!(
            classes("SELECT ISNULL(r.type, N'x') FROM sys.dm_x AS r CROSS APPLY f (@a) -- c"),
            [
                (Keyword, "SELECT"),
                (Function, "ISNULL"),
                (Operator, "("),
                (Name, "r"),
                (Operator, "."),
                (Name, "type"),
                (Operator, ","),
                (Text, "N'x'"),
                (Operator, ")"),
                (Keyword, "FROM"),
                (System, "sys"),
                (Operator, "."),
                (System, "dm_x"),
                (Keyword, "AS"),
                (Name, "r"),
                (Keyword, "CROSS"),
                (Keyword, "APPLY"),
                (Function, "f"),
                (Operator, "("),
                (Variable, "@a"),
                (Operator, ")"),
                (Comment, "-- c"),
            ]
        );
        assert_eq!(
            classes("CAST(0x1 AS nvarchar(4))"),
            [
                (Function, "CAST"),
                (Operator, "("),
                (Number, "0x1"),
                (Keyword, "AS"),
                (Type, "nvarchar"),
                (Operator, "("),
                (Number, "4"),
                (Operator, ")"),
                (Operator, ")"),
            ]
        );
    }

    #[test]
    fn left_is_a_function_only_when_called() {
        assert_eq!(classes("LEFT (x")[0].0, Class::Function);
        assert_eq!(classes("LEFT JOIN x")[0].0, Class::Keyword);
    }

    #[test]
    fn the_column_after_a_system_object_is_a_name() {
        let classes = classes("sys.dm_os_wait_stats.wait_type, master.[sys].objects, x");
        assert_eq!(classes[4], (Class::Name, "wait_type"));
        assert_eq!(classes[6], (Class::Name, "master"));
        assert_eq!(classes[8], (Class::System, "[sys]"));
        assert_eq!(classes[10], (Class::System, "objects"));
        assert_eq!(classes[12], (Class::Name, "x"));
    }
}
