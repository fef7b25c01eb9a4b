//! Makes text from a server harmless before anyone keeps it. Called by `tds` (error messages) and `probe` (names and
//! statements); the screen relies on it and strips nothing itself.

use std::{borrow::Cow, sync::Arc};

/// One line of at most `max_chars` characters, trimmed: a name, an error message, a cell. Line breaks and tabs become
/// spaces; escape sequences and characters that hide or reorder others are removed. An ellipsis marks a cut.
pub fn sanitize_line(raw: &str, max_chars: usize) -> Arc<str> {
    let raw = raw.trim();
    if raw.len() <= max_chars && raw.bytes().all(|b| (b' '..=b'~').contains(&b)) {
        return raw.into();
    }
    let (mut out, cut) = clean(raw, max_chars, false);
    if cut {
        out.pop();
        out.push('…');
    }
    out.trim().into()
}

/// Text of several lines: SQL. All kinds of line breaks become `\n`; these and tabs stay, what [`sanitize_line`]
/// removes goes. At most `max_chars`, without a mark: the caller knows the full length. To keep a position within the
/// text, clean what is before and what is after it by themselves.
pub fn sanitize_block(raw: &str, max_chars: usize) -> Cow<'_, str> {
    let fine = |b: u8| matches!(b, b' '..=b'~' | b'\n' | b'\t');
    if raw.len() <= max_chars && raw.bytes().all(fine) {
        return Cow::Borrowed(raw);
    }
    Cow::Owned(clean(raw, max_chars, true).0)
}

/// True for characters that a terminal obeys instead of showing, or that make text read as what it is not: C0 and C1
/// controls, bidirectional overrides and isolates, zero-width and filler characters, tags. Newline and tab count as
/// harmful here; callers that keep them ask for them first.
pub const fn is_harmful(c: char) -> bool {
    matches!(c,
        '\0'..='\u{1f}'
        | '\u{7f}'..='\u{9f}'
        | '\u{ad}'
        | '\u{34f}'
        | '\u{61c}'
        | '\u{115f}'..='\u{1160}'
        | '\u{17b4}'..='\u{17b5}'
        | '\u{180b}'..='\u{180e}'
        | '\u{200b}'..='\u{200f}'
        | '\u{2028}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}'
        | '\u{3164}'
        | '\u{feff}'
        | '\u{ffa0}'
        | '\u{fff0}'..='\u{fffb}'
        | '\u{e0000}'..='\u{e0fff}')
}

fn clean(raw: &str, max_chars: usize, block: bool) -> (String, bool) {
    let mut out = String::with_capacity(raw.len().min(max_chars.saturating_mul(4)));
    let mut rest = raw.chars();
    let mut chars = 0;
    while let Some(c) = rest.next() {
        let keep = match c {
            '\u{1b}' => {
                skip_escape(&mut rest);
                continue;
            }
            '\u{9b}' => {
                skip_csi(&mut rest);
                continue;
            }
            '\r' => {
                if rest.as_str().starts_with('\n') {
                    continue;
                }
                '\n'
            }
            '\u{85}' | '\u{2028}' | '\u{2029}' | '\u{b}' | '\u{c}' => '\n',
            c => c,
        };
        let keep = match keep {
            '\n' | '\t' if block => keep,
            '\n' | '\t' => ' ',
            c if is_harmful(c) => continue,
            c => c,
        };
        if chars == max_chars {
            return (out, true);
        }
        out.push(keep);
        chars += 1;
    }
    (out, false)
}

/// After ESC: drops the introducer. Only a colour or cursor sequence loses its parameters with it; what a title or
/// device string carries stays as plain text, so that nothing can be hidden from the reader inside one.
fn skip_escape(rest: &mut std::str::Chars<'_>) {
    let mut ahead = rest.clone();
    match ahead.next() {
        Some('[') => {
            *rest = ahead;
            skip_csi(rest);
        }
        Some(']' | 'P' | '_' | '^' | 'X' | '\\' | '7' | '8' | 'c' | '=' | '>') => *rest = ahead,
        Some('(' | ')' | '#' | '%' | ' ') => {
            ahead.next();
            *rest = ahead;
        }
        _ => {}
    }
}

/// After a CSI introducer: drops parameters (at most 32) and the final letter. Anything else stays.
fn skip_csi(rest: &mut std::str::Chars<'_>) {
    let mut ahead = rest.clone();
    for _ in 0..32 {
        match ahead.next() {
            Some('\u{20}'..='\u{3f}') => {}
            Some('\u{40}'..='\u{7e}') => {
                *rest = ahead;
                return;
            }
            _ => return,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn plain_text_is_trimmed_only() {
        assert_eq!(&*sanitize_line("  SQLPRD-014  ", 40), "SQLPRD-014");
        assert_eq!(&*sanitize_line("Größe ▲ 日本", 40), "Größe ▲ 日本");
    }

    #[test]
    fn escape_sequences_go_and_what_they_carry_stays_readable() {
        assert_eq!(&*sanitize_line("a\x1b[31;1mred\x1b[0m b", 99), "ared b");
        assert_eq!(&*sanitize_line("a\u{9b}2Jb", 99), "ab");
        assert_eq!(
            &*sanitize_line("\x1b]0;DROP TABLE x\x07!", 99),
            "0;DROP TABLE x!",
            "a title must not hide text"
        );
        assert_eq!(&*sanitize_line("abc\u{202e}fed\u{200b}\u{feff}\u{ad}", 99), "abcfed");
        assert_eq!(&*sanitize_line("one\r\ntwo\tthree\rfour", 99), "one two three four");
        assert_eq!(&*sanitize_line("\x1b", 99), "");
        assert_eq!(&*sanitize_line("\x1b[", 99), "");
    }

    #[test]
    fn sql_keeps_its_lines() {
        assert_eq!(sanitize_block("select 1\r\n\tfrom t\rgo\u{2028}x\0", 99), "select 1\n\tfrom t\ngo\nx");
        assert!(matches!(sanitize_block("select 1\n", 99), Cow::Borrowed(_)), "clean text is not copied");
        assert_eq!(sanitize_block(&"x".repeat(3_000_000), 1000).len(), 1000);
    }

    #[test]
    fn a_long_line_is_cut_with_a_mark() {
        assert_eq!(&*sanitize_line(&"x".repeat(50), 10), format!("{}…", "x".repeat(9)));
        assert_eq!(&*sanitize_line(&"é".repeat(10), 10), "é".repeat(10));
    }

    proptest! {
        #[test]
        fn nothing_harmful_survives(raw in any::<String>(), max in 0usize..50) {
            let line = sanitize_line(&raw, max);
            prop_assert!(!line.chars().any(is_harmful));
            prop_assert!(line.chars().count() <= max.max(1));
            let block = sanitize_block(&raw, max);
            prop_assert!(!block.chars().any(|c| is_harmful(c) && c != '\n' && c != '\t'));
            prop_assert!(block.chars().count() <= max);
            prop_assert_eq!(&*sanitize_block(&block, max), &*block);
        }
    }
}
