//! Makes text from a server harmless before anyone keeps it. Called by `tds` (error messages) and `probe` (names and
//! statements); the screen relies on it and strips nothing itself.

use std::sync::Arc;

/// One line of at most `max_chars` characters, trimmed: control characters, escape sequences' introducers and
/// characters that reorder or hide others are removed, line breaks and tabs become spaces. An ellipsis marks a cut.
pub fn sanitize_line(raw: &str, max_chars: usize) -> Arc<str> {
    let raw = raw.trim();
    if raw.len() <= max_chars && raw.bytes().all(|b| (b' '..=b'~').contains(&b)) {
        return raw.into();
    }
    let mut out = String::with_capacity(raw.len().min(max_chars * 4 + 4));
    let mut chars = raw.chars().filter_map(|c| match c {
        '\n' | '\r' | '\t' | '\u{2028}' | '\u{2029}' => Some(' '),
        c if is_harmful(c) => None,
        c => Some(c),
    });
    out.extend(chars.by_ref().take(max_chars));
    if chars.next().is_some() {
        out.pop();
        out.push('…');
    }
    out.trim().into()
}

/// True for characters that a terminal obeys instead of showing, or that make text read as what it is not: C0 and C1
/// controls, bidirectional overrides and isolates, zero-width characters, tags. Newline and tab count as harmful here;
/// callers that keep them ask for them first.
pub const fn is_harmful(c: char) -> bool {
    matches!(c,
        '\0'..='\u{1f}'
        | '\u{7f}'..='\u{9f}'
        | '\u{ad}'
        | '\u{61c}'
        | '\u{180e}'
        | '\u{200b}'..='\u{200f}'
        | '\u{2028}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}'
        | '\u{feff}'
        | '\u{fff9}'..='\u{fffb}'
        | '\u{e0000}'..='\u{e007f}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_text_is_trimmed_only() {
        assert_eq!(&*sanitize_line("  SQLPRD-014  ", 40), "SQLPRD-014");
        assert_eq!(&*sanitize_line("Größe ▲", 40), "Größe ▲");
    }

    #[test]
    fn escape_sequences_lose_what_makes_them_work() {
        assert_eq!(&*sanitize_line("\u{1b}[31mred\u{1b}]0;x\u{7}\u{9b}2J", 40), "[31mred]0;x2J");
        assert_eq!(&*sanitize_line("a\u{202e}b\u{200b}c", 40), "abc");
        assert_eq!(&*sanitize_line("one\r\ntwo\tthree", 40), "one  two three");
    }

    #[test]
    fn a_long_line_is_cut_with_a_mark() {
        assert_eq!(&*sanitize_line(&"x".repeat(50), 10), format!("{}…", "x".repeat(9)));
        assert_eq!(&*sanitize_line(&"é".repeat(10), 10), "é".repeat(10));
    }
}
