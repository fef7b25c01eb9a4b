//! Splits a script into batches at `GO`, as the tools of SQL Server do.
//!
//! `GO` is no T-SQL: it is a word of the client tools, alone on its line, with an optional count. It is found by
//! token, so one inside a string or a comment does not count. Called by everything that runs scripts.

use super::lexer::{self, Kind, Token};

/// One batch of a script.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Batch<'a> {
    /// Its text, with the line ends and comments in it.
    pub text: &'a str,
    /// The line of the script on which `text` starts, from 1.
    pub first_line: u32,
    /// The number of times to send it (`GO 5`); 1 without a number.
    pub times: u32,
}

/// The batches of `script` in order. Batches with nothing but blanks and comments are left out.
pub fn split(script: &str) -> Vec<Batch<'_>> {
    let mut batches = Vec::new();
    let (mut from, mut from_line) = (0, 1);
    let mut tokens = lexer::tokens(script).peekable();
    let (mut line_is_empty, mut has_code) = (true, false);
    while let Some(token) = tokens.next() {
        if line_is_empty && token.is_word("GO") {
            let rest = script.get(token.end()..).unwrap_or_default();
            if let Some((times, rest_len)) = separator_rest(rest) {
                if has_code {
                    let text = script.get(from..token.start).unwrap_or_default();
                    batches.push(Batch { text, first_line: from_line, times });
                }
                from = token.end() + rest_len;
                while tokens.next_if(|next| next.start < from && next.end() <= from).is_some() {}
                from_line = token.line;
                (line_is_empty, has_code) = (true, false);
                continue;
            }
        }
        has_code |= !token.is_blank();
        line_is_empty = ends_on_an_empty_line(&token, line_is_empty);
    }
    if has_code {
        batches.push(Batch { text: script.get(from..).unwrap_or_default(), first_line: from_line, times: 1 });
    }
    batches
}

/// Reads the rest of a line after `GO`: blanks, a count, a `--` comment. Returns the count and the bytes up to the line
/// end; None if anything else stands there.
fn separator_rest(rest: &str) -> Option<(u32, usize)> {
    let line = rest.split('\n').next().unwrap_or_default();
    let mut times = None;
    for token in lexer::tokens(line) {
        match token.kind {
            Kind::Whitespace => {}
            Kind::Comment if token.text.starts_with("--") => {}
            Kind::Number if times.is_none() => times = Some(token.text.parse().ok()?),
            _ => return None,
        }
    }
    Some((times.unwrap_or(1), line.len()))
}

/// True if only blanks follow `token` on its line.
fn ends_on_an_empty_line(token: &Token<'_>, was_empty: bool) -> bool {
    match token.kind {
        Kind::Whitespace => was_empty || token.text.contains('\n'),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(script: &str) -> Vec<(&str, u32, u32)> {
        split(script).into_iter().map(|b| (b.text.trim(), b.first_line, b.times)).collect()
    }

    #[test]
    fn go_alone_on_its_line_ends_a_batch() {
        assert_eq!(
            texts("select 1\nGO\nselect 2\n  go 3 -- thrice\r\nselect 4"),
            [("select 1", 1, 1), ("select 2", 2, 3), ("select 4", 4, 1)]
        );
    }

    #[test]
    fn go_elsewhere_is_just_text() {
        for script in [
            "select 'a\nGO\nb'",
            "/*\nGO\n*/ select 1",
            "select 1 GO",
            "select 1 as\nGO.x",
            "select 1\nGO;",
            "select 1\nGO GO",
            "select 1\nGOTO x",
            "select 1\n[GO]",
            "select 1\nGO 99999999999999",
        ] {
            assert_eq!(split(script).len(), 1, "{script}");
            assert_eq!(split(script)[0].text, script);
        }
    }

    #[test]
    fn empty_batches_are_left_out() {
        assert_eq!(texts("GO\nGO\n-- only words\nGO\nselect 1\nGO\n\n"), [("select 1", 4, 1)]);
        assert!(split(" \n ").is_empty());
    }
}
