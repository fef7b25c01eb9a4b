//! From bytes to text: byte order marks, UTF-8, the UTF-16 that Windows programs write, with its mark or without, and XML that
//! declares a byte a character. Nothing is replaced: what cannot be read is an error.

use super::FileProblem;
use std::borrow::Cow;

/// The largest cell, bytes: a larger one comes from a broken quote.
pub const MAX_CELL_BYTES: usize = 64 * 1024;

/// Decodes a file.
pub fn decode(bytes: &[u8]) -> Result<Cow<'_, str>, FileProblem> {
    match bytes {
        [0xff, 0xfe, rest @ ..] => utf16(rest, u16::from_le_bytes),
        [0xfe, 0xff, rest @ ..] => utf16(rest, u16::from_be_bytes),
        [0xef, 0xbb, 0xbf, rest @ ..] => utf8(rest),
        // The mark was lost on the way: every other byte of what begins in ASCII is 0.
        [one, 0, two, 0, ..] if *one != 0 && *two != 0 => utf16(bytes, u16::from_le_bytes),
        [0, one, 0, two, ..] if *one != 0 && *two != 0 => utf16(bytes, u16::from_be_bytes),
        _ => utf8(bytes).or_else(|problem| latin_1(bytes).ok_or(problem)),
    }
}

/// XML that declares ISO 8859-1 or Windows-1252, as editors of Windows save it: each byte is a character. Those in which the two
/// differ are not read.
fn latin_1(bytes: &[u8]) -> Option<Cow<'_, str>> {
    let head = bytes.strip_prefix(b"<?xml")?.split(|byte| *byte == b'>').next()?;
    let head = str::from_utf8(head).ok()?.to_ascii_lowercase();
    let declares = ["iso-8859-1", "windows-1252"].iter().any(|name| head.contains(name));
    let is_same = |byte: &u8| !(0x80..0xa0).contains(byte);
    (declares && bytes.iter().all(is_same)).then(|| bytes.iter().copied().map(char::from).collect())
}

fn utf8(bytes: &[u8]) -> Result<Cow<'_, str>, FileProblem> {
    str::from_utf8(bytes).map(Cow::Borrowed).map_err(|e| {
        let line = bytes.iter().take(e.valid_up_to()).filter(|b| **b == b'\n').count() + 1;
        FileProblem {
            line,
            reason: "a character is not UTF-8: save the file as UTF-8 (Excel: \"CSV UTF-8\")".into(),
        }
    })
}

fn utf16(bytes: &[u8], unit: fn([u8; 2]) -> u16) -> Result<Cow<'_, str>, FileProblem> {
    let (pairs, rest) = bytes.as_chunks::<2>();
    let text: Result<String, _> = char::decode_utf16(pairs.iter().map(|pair| unit(*pair))).collect();
    match text {
        Ok(text) if rest.is_empty() => Ok(Cow::Owned(text)),
        _ => Err(FileProblem {
            line: 1,
            reason: "the file is cut short or is not UTF-16: save it as UTF-8".into(),
        }),
    }
}

/// The starts of the lines of a text, to find the line of a place.
pub struct Lines(Vec<usize>);

impl Lines {
    /// The starts of the lines of `text`.
    pub fn of(text: &str) -> Self {
        Self(text.bytes().enumerate().filter(|(_, byte)| *byte == b'\n').map(|(at, _)| at).collect())
    }

    /// The line of a place, from 1.
    pub fn at(&self, place: usize) -> usize {
        self.0.partition_point(|end| *end < place) + 1
    }
}

/// Splits a list at `;`. A backslash takes the next character as it is.
pub fn split_list(text: &str) -> Vec<String> {
    let (mut items, mut item) = (Vec::new(), String::new());
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        match c {
            '\\' => item.extend(chars.next().or(Some('\\'))),
            ';' => items.push(std::mem::take(&mut item)),
            c => item.push(c),
        }
    }
    items.push(item);
    items.iter().map(|item| item.trim().to_owned()).filter(|item| !item.is_empty()).collect()
}

/// Joins what [`split_list`] splits.
pub fn join_list<'a>(items: impl IntoIterator<Item = &'a str>) -> String {
    let mut out = String::new();
    for item in items {
        if !out.is_empty() {
            out.push_str("; ");
        }
        for c in item.chars() {
            if matches!(c, ';' | '\\') {
                out.push('\\');
            }
            out.push(c);
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_encoding_of_windows() {
        for bytes in [&b"\xef\xbb\xbfn\xc3\xa4"[..], b"n\xc3\xa4", b"\xff\xfen\0\xe4\0", b"\xfe\xff\0n\0\xe4"]
        {
            assert_eq!(decode(bytes).unwrap(), "n\u{e4}");
        }
        for bytes in [&b"n\0a\0\xe4\0"[..], b"\0n\0a\0\xe4"] {
            assert_eq!(decode(bytes).unwrap(), "na\u{e4}", "its mark was lost");
        }
        for name in ["iso-8859-1", "Windows-1252"] {
            let mut xml = format!("<?xml version='1.0' encoding='{name}'?><a>").into_bytes();
            xml.extend(b"\xe4</a>");
            assert!(decode(&xml).unwrap().ends_with("<a>\u{e4}</a>"), "{name}");
            xml.extend(b"\x80");
            assert!(decode(&xml).is_err(), "the two differ there, and nothing is guessed");
        }
        assert!(decode(b"<?xml version='1.0'?><a>\xe4</a>").is_err(), "nobody said what it is");
        assert_eq!(decode(b"a\nb\n\xe4").unwrap_err().line, 3);
        assert!(decode(b"\xff\xfen").is_err());
    }

    #[test]
    fn places_have_lines() {
        let lines = Lines::of("a\nb\n\nc");
        assert_eq!([0, 1, 2, 4, 5].map(|at| lines.at(at)), [1, 1, 2, 3, 4]);
    }

    #[test]
    fn lists_survive() {
        let items = ["a", "b;c", r"d\e", "f g"];
        assert_eq!(split_list(&join_list(items)), items);
        assert_eq!(split_list(" ; a ;; b\\"), ["a", "b\\"]);
    }
}
