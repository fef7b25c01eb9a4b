//! Statements without literals and comments: literals become `?`, comments go, blanks and names stay. Called by the report
//! on incidents. Unlike [`super::normalize`] this keeps lines and indents, so that a person can still read the statement,
//! and maps each place of the old text to its place in the new one.

use super::lexer::{self, Kind, Token};

/// A text without its literals.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Blanked {
    /// the new text
    pub text: String,
    /// first byte of each piece: of the old text, of the new one; in order
    places: Vec<(usize, usize)>,
}

impl Blanked {
    /// The place in the new text of a byte of the old one. A byte within a replaced piece maps to the start of that piece.
    pub fn place(&self, old: usize) -> usize {
        let after = self.places.partition_point(|(start, _)| *start <= old);
        match self.places.get(after.wrapping_sub(1)) {
            Some((start, new)) if *start == old => *new,
            // Within a piece: its end is the closest place that there is.
            _ => self.places.get(after).map_or(self.text.len(), |(_, new)| *new),
        }
    }
}

/// `text` with literals as `?` (`'?'`, `N'?'`) and without comments. `renamed` are the names in it that must go, in order:
/// first byte, length in bytes, replacement. A keyword is no name.
pub fn blank(text: &str, renamed: &[(usize, usize, &str)]) -> Blanked {
    let mut out = Blanked { text: String::with_capacity(text.len()), places: Vec::new() };
    let mut names = renamed.iter().peekable();
    // The end of the name that was written last: it may reach over several tokens.
    let mut done = 0;
    for token in lexer::tokens(text) {
        out.places.push((token.start, out.text.len()));
        if let Some(stand_in) = stand_in(&token) {
            // The tail of a replaced name, such as the 07 of web-07, needs no replacement of its own.
            if token.start >= done {
                out.text.push_str(stand_in);
            }
            continue;
        }
        let mut at = token.start.max(done);
        while let Some((start, len, name)) = names.next_if(|(start, _, _)| *start < token.end()) {
            if *start < at || token.kind == Kind::Keyword {
                continue;
            }
            out.text.push_str(text.get(at..*start).unwrap_or(""));
            out.text.push_str(name);
            at = start + len;
            done = at;
        }
        out.text.push_str(text.get(at..token.end()).unwrap_or(""));
    }
    out
}

/// The replacement of a literal or a comment; None: the token stays.
fn stand_in(token: &Token<'_>) -> Option<&'static str> {
    Some(match token.kind {
        Kind::Text if token.text.starts_with('\'') => "'?'",
        Kind::Text => "N'?'",
        Kind::Number | Kind::Binary => "?",
        // A comment may be all that separates two words.
        Kind::Comment => " ",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn literals_and_comments_go_and_lines_stay() {
        let text = "SELECT a, -1.5e3, $9.99, 0xAF /* Bob's */\nFROM t -- of Bob\nWHERE n = N'it''s' AND m='x\ny' AND [o'b] = 7";
        assert_eq!(
            blank(text, &[]).text,
            "SELECT a, -?, ?, ?  \nFROM t  \nWHERE n = N'?' AND m='?' AND [o'b] = ?"
        );
        assert_eq!(blank("SELECT 'never closed", &[]).text, "SELECT '?'");
        assert_eq!(blank("SELECT/*x*/a", &[]).text, "SELECT a");
    }

    #[test]
    fn names_go_where_they_are_code_and_not_where_they_are_gone_already() {
        let text = "SELECT * FROM [web-07].x, web-07 WHERE h = 'web-07' -- web-07";
        let at: Vec<usize> = text.match_indices("web-07").map(|(at, _)| at).collect();
        let names: Vec<(usize, usize, &str)> = at.iter().map(|at| (*at, 6, "host-1")).collect();
        assert_eq!(blank(text, &names).text, "SELECT * FROM [host-1].x, host-1 WHERE h = '?'  ");
    }

    #[test]
    fn a_statement_is_found_again() {
        let text = "SELECT 'one and a half' ; UPDATE t SET a = 12345 ; SELECT 2";
        let blanked = blank(text, &[]);
        let (start, end) = (text.find("UPDATE").unwrap(), text.find(" ; SELECT 2").unwrap());
        let (start, end) = (blanked.place(start), blanked.place(end));
        assert_eq!(&blanked.text[start..end], "UPDATE t SET a = ?");
        assert_eq!(blanked.place(text.len()), blanked.text.len());
    }

    proptest! {
        #[test]
        fn no_text_breaks_it(text in r"([a-z0-9 '\[\]().,=<>@*/é-]|\n){0,40}", place in 0_usize..50) {
            let blanked = blank(&text, &[]);
            let place = blanked.place(place);
            prop_assert!(blanked.text.is_char_boundary(place));
            let digits = lexer::code(&blanked.text).any(|t| t.kind == Kind::Number);
            prop_assert!(!digits, "{}", blanked.text);
        }
    }
}
