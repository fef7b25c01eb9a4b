//! The T-SQL lexer: text into tokens that tile it exactly.
//!
//! Zero-copy and total: any text has tokens, an unclosed one runs to the end of the text, and the cost is linear. Used
//! by every other file of `sql`. It knows spelling only: what a name means is for [`super::highlight`] and
//! [`super::names`] to say.

use super::words;

/// The kind of a token, by its spelling alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// A run of spaces, tabs, line ends and other blank characters.
    Whitespace,
    /// `-- …` up to the line end, or `/* … */` with nesting.
    Comment,
    /// A reserved word of T-SQL, in any case.
    Keyword,
    /// A regular identifier that is not reserved: `name`, `#temp`, `$action`.
    Name,
    /// `[name]` or `"name"`, with `]]` and `""` inside.
    QuotedName,
    /// `@name` or `@@name`.
    Variable,
    /// `12`, `1.5`, `.5`, `1e-3`, `$9.99`.
    Number,
    /// `'text'` or `N'text'`, with `''` inside.
    Text,
    /// `0x…`.
    Binary,
    /// `+`, `<>`, `+=` and so on.
    Operator,
    /// `(`, `)`, `,`, `;`, `.`, `:`, `::`.
    Punct,
    /// One character that T-SQL has no use for.
    Other,
}

/// One token with its place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Token<'a> {
    /// Its kind.
    pub kind: Kind,
    /// Its text, quotes and all.
    pub text: &'a str,
    /// Its first byte within the whole text.
    pub start: usize,
    /// The line on which it starts, from 1, counting `\n` as the server does.
    pub line: u32,
    /// False if the text ends inside of this string, quoted name or block comment.
    pub closed: bool,
}

impl Token<'_> {
    /// The first byte after the token.
    pub fn end(&self) -> usize {
        self.start + self.text.len()
    }

    /// True for whitespace and comments, which mean nothing to the server.
    pub fn is_blank(&self) -> bool {
        matches!(self.kind, Kind::Whitespace | Kind::Comment)
    }

    /// True for a regular or a quoted name.
    pub fn is_name(&self) -> bool {
        matches!(self.kind, Kind::Name | Kind::QuotedName)
    }

    /// True for the unquoted word `word` (reserved or not), in any case.
    pub fn is_word(&self, word: &str) -> bool {
        matches!(self.kind, Kind::Keyword | Kind::Name) && self.text.eq_ignore_ascii_case(word)
    }

    /// True for the punctuation or operator `symbol`.
    pub fn is_symbol(&self, symbol: &str) -> bool {
        matches!(self.kind, Kind::Punct | Kind::Operator) && self.text == symbol
    }

    /// True for a number, a string or a binary literal.
    pub fn is_literal(&self) -> bool {
        matches!(self.kind, Kind::Number | Kind::Text | Kind::Binary)
    }
}

/// All tokens of `text`, in order and without gaps.
pub fn tokens(text: &str) -> Tokens<'_> {
    Tokens { text, at: 0, line: 1 }
}

/// The tokens of `text` that mean something: without whitespace and comments.
pub fn code(text: &str) -> impl Iterator<Item = Token<'_>> {
    tokens(text).filter(|token| !token.is_blank())
}

/// Iterator over the tokens of a text; made by [`tokens`].
#[derive(Debug, Clone)]
pub struct Tokens<'a> {
    text: &'a str,
    at: usize,
    line: u32,
}

impl<'a> Iterator for Tokens<'a> {
    type Item = Token<'a>;

    fn next(&mut self) -> Option<Token<'a>> {
        let rest = self.text.get(self.at..)?;
        let Span { kind, len, closed } = scan(rest)?;
        let text = rest.get(..len)?;
        let token = Token { kind, text, start: self.at, line: self.line, closed };
        self.at += len;
        let line_ends = text.bytes().filter(|&byte| byte == b'\n').count();
        self.line = self.line.saturating_add(u32::try_from(line_ends).unwrap_or(u32::MAX));
        Some(token)
    }
}

/// A token before it has a place: its kind and length in bytes.
struct Span {
    kind: Kind,
    len: usize,
    closed: bool,
}

fn span(kind: Kind, len: usize) -> Span {
    Span { kind, len, closed: true }
}

/// The first token of `rest`; None when `rest` is empty.
fn scan(rest: &str) -> Option<Span> {
    let first = rest.chars().next()?;
    let second = rest.as_bytes().get(1).copied().unwrap_or(0);
    Some(match first {
        c if is_space(c) => span(Kind::Whitespace, run(rest, is_space)),
        '-' if second == b'-' => span(Kind::Comment, rest.find('\n').unwrap_or(rest.len())),
        '/' if second == b'*' => block_comment(rest),
        '\'' => quoted(rest, Kind::Text, 1, b'\''),
        'n' | 'N' if second == b'\'' => quoted(rest, Kind::Text, 2, b'\''),
        '"' => quoted(rest, Kind::QuotedName, 1, b'"'),
        '[' => quoted(rest, Kind::QuotedName, 1, b']'),
        '@' => span(Kind::Variable, run(rest, is_name_part)),
        '0' if second.eq_ignore_ascii_case(&b'x') => {
            span(Kind::Binary, 2 + run(&rest[2..], |c| c.is_ascii_hexdigit()))
        }
        '0'..='9' => span(Kind::Number, number(rest)),
        '.' if second.is_ascii_digit() => span(Kind::Number, number(rest)),
        '$' if second.is_ascii_digit() => span(Kind::Number, 1 + number(&rest[1..])),
        c if is_name_start(c) => {
            let len = run(rest, is_name_part);
            span(if words::is_reserved(&rest[..len]) { Kind::Keyword } else { Kind::Name }, len)
        }
        ':' if second == b':' => span(Kind::Punct, 2),
        '(' | ')' | ',' | ';' | '.' | ':' => span(Kind::Punct, 1),
        '<' | '>' | '=' | '!' | '+' | '-' | '*' | '/' | '%' | '&' | '|' | '^' | '~' => {
            span(Kind::Operator, operator(first, second))
        }
        c => span(Kind::Other, c.len_utf8()),
    })
}

/// Bytes at the start of `text` whose characters satisfy `belongs`.
fn run(text: &str, belongs: impl Fn(char) -> bool) -> usize {
    text.find(|c| !belongs(c)).unwrap_or(text.len())
}

fn is_space(c: char) -> bool {
    c.is_whitespace() || c.is_ascii_control() || c == '\u{feff}'
}

fn is_name_start(c: char) -> bool {
    c.is_alphabetic() || matches!(c, '_' | '#' | '$')
}

fn is_name_part(c: char) -> bool {
    c.is_alphanumeric() || matches!(c, '_' | '#' | '$' | '@')
}

/// A text that opens with `open_len` bytes and ends at a `close` that is not doubled.
fn quoted(rest: &str, kind: Kind, open_len: usize, close: u8) -> Span {
    let bytes = rest.as_bytes();
    let mut at = open_len;
    while at < bytes.len() {
        if bytes[at] != close {
            at += 1;
        } else if bytes.get(at + 1) == Some(&close) {
            at += 2;
        } else {
            return span(kind, at + 1);
        }
    }
    Span { kind, len: rest.len(), closed: false }
}

/// `/* … */`, nested as the server nests them.
fn block_comment(rest: &str) -> Span {
    let bytes = rest.as_bytes();
    let (mut at, mut depth) = (2, 1_usize);
    while at < bytes.len() {
        match (bytes[at], bytes.get(at + 1)) {
            (b'*', Some(b'/')) => {
                depth -= 1;
                at += 2;
                if depth == 0 {
                    return span(Kind::Comment, at);
                }
            }
            (b'/', Some(b'*')) => {
                depth += 1;
                at += 2;
            }
            _ => at += 1,
        }
    }
    Span { kind: Kind::Comment, len: rest.len(), closed: false }
}

/// Bytes of a number: digits, a fraction, an exponent.
fn number(rest: &str) -> usize {
    let digits = |from: usize| run(&rest[from..], |c| c.is_ascii_digit());
    let mut len = digits(0);
    if rest[len..].starts_with('.') {
        len += 1;
        len += digits(len);
    }
    let bytes = rest.as_bytes();
    if bytes.get(len).is_some_and(|e| e.eq_ignore_ascii_case(&b'e')) {
        let sign = usize::from(matches!(bytes.get(len + 1), Some(b'+' | b'-')));
        if bytes.get(len + 1 + sign).is_some_and(u8::is_ascii_digit) {
            len += 1 + sign;
            len += digits(len);
        }
    }
    len
}

/// Bytes of an operator: two for a comparison or a compound assignment, else one.
fn operator(first: char, second: u8) -> usize {
    match (first, second) {
        ('<' | '>' | '!' | '+' | '-' | '*' | '/' | '%' | '&' | '|' | '^', b'=')
        | ('<' | '!', b'>')
        | ('!', b'<')
        | ('|', b'|') => 2,
        _ => 1,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn kinds(text: &str) -> Vec<(Kind, &str)> {
        code(text).map(|token| (token.kind, token.text)).collect()
    }

    #[test]
    fn a_query_splits_into_its_words() {
        use Kind::{Binary, Keyword, Name, Number, Operator, Punct, QuotedName, Text, Variable};
        let expected = [
            (Keyword, "SELECT"),
            (Name, "r"),
            (Punct, "."),
            (QuotedName, "[a]]b]"),
            (Punct, ","),
            (Text, "N'it''s'"),
            (Punct, ","),
            (Binary, "0x1F"),
            (Punct, ","),
            (Number, "1.5e-3"),
            (Keyword, "FROM"),
            (Name, "#t"),
            (Keyword, "where"),
            (QuotedName, "\"x\"\"y\""),
            (Operator, "<>"),
            (Variable, "@@spid"),
        ];
        let text = "SELECT r.[a]]b], N'it''s', 0x1F, 1.5e-3 FROM #t where \"x\"\"y\"<>@@spid";
        assert_eq!(kinds(text), expected);
    }

    #[test]
    fn comments_nest_and_hide_what_they_hold() {
        assert_eq!(kinds("/* a /* 'b */ c */ 1 -- ' 2\n3"), [(Kind::Number, "1"), (Kind::Number, "3")]);
    }

    #[test]
    fn what_is_not_closed_runs_to_the_end() {
        for text in ["'abc'' ", "N'x", "[a]] b", "\"a", "/* /* */"] {
            let all: Vec<_> = tokens(text).collect();
            assert_eq!(all.len(), 1, "{text}");
            assert!(!all[0].closed, "{text}");
        }
        assert!(tokens("'' [] \"\" /**/ N''''").all(|token| token.closed));
    }

    #[test]
    fn numbers_end_where_a_name_begins() {
        assert_eq!(
            kinds("1a .5 2. $9.5 1e 0x"),
            [
                (Kind::Number, "1"),
                (Kind::Name, "a"),
                (Kind::Number, ".5"),
                (Kind::Number, "2."),
                (Kind::Number, "$9.5"),
                (Kind::Number, "1"),
                (Kind::Name, "e"),
                (Kind::Binary, "0x"),
            ]
        );
    }

    #[test]
    fn lines_are_counted_through_strings_and_comments() {
        let lines: Vec<_> = code("a /*\n*/ b '\n\n' c").map(|token| (token.text, token.line)).collect();
        assert_eq!(lines, [("a", 1), ("b", 2), ("'\n\n'", 2), ("c", 4)]);
    }

    #[test]
    fn two_megabytes_of_anything_are_read_to_the_end() {
        for unit in ["(", "'", "/*", "[", "a ", "\u{1b}[2J", "é", "--", "\0", "1e", "@"] {
            let text = unit.repeat(2_000_000 / unit.len());
            assert_eq!(tokens(&text).map(|token| token.text.len()).sum::<usize>(), text.len(), "{unit:?}");
        }
    }

    proptest! {
        #[test]
        fn tokens_tile_any_text(text in r#"([\PC\n\r\t]|['"\[\]/*@#$.eExXnN0-9;<>=!:-]){0,60}"#) {
            let mut at = 0;
            for token in tokens(&text) {
                prop_assert_eq!(token.start, at);
                prop_assert!(!token.text.is_empty());
                at = token.end();
            }
            prop_assert_eq!(at, text.len());
        }

        #[test]
        fn every_list_of_words_survives_being_joined(words in proptest::collection::vec("[a-z]{1,8}", 0..20)) {
            let text = words.join(" ");
            prop_assert_eq!(code(&text).map(|token| token.text).collect::<Vec<_>>(), words);
        }
    }
}
