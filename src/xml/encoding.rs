//! Which encoding a document really has, and what a tool wrapped around it. The declaration of an encoding is asked last: a text
//! that went through a database or an editor keeps the declaration of the encoding that it had before.

use std::borrow::Cow;

/// The document as text. What is no text in its encoding becomes U+FFFD; the rest stays readable.
pub(super) fn decode(bytes: &[u8]) -> Cow<'_, str> {
    match bytes {
        [0xef, 0xbb, 0xbf, rest @ ..] => String::from_utf8_lossy(rest),
        [0xff, 0xfe, rest @ ..] => wide(rest, u16::from_le_bytes),
        [0xfe, 0xff, rest @ ..] => wide(rest, u16::from_be_bytes),
        // Without a mark: XML begins with `<` or a blank, and every other byte of it is 0 in UTF-16.
        [_, 0, ..] => wide(bytes, u16::from_le_bytes),
        [0, _, ..] => wide(bytes, u16::from_be_bytes),
        _ => match std::str::from_utf8(bytes) {
            Ok(text) => Cow::Borrowed(text),
            // Each byte is a character there; of Windows-1252 only quotes and dashes are other ones.
            Err(_) if declares_single_bytes(bytes) => {
                bytes.iter().copied().map(char::from).collect::<String>().into()
            }
            Err(_) => String::from_utf8_lossy(bytes),
        },
    }
}

/// True if the first line declares ISO 8859-1 or Windows-1252, which editors of Windows write.
fn declares_single_bytes(bytes: &[u8]) -> bool {
    let first = String::from_utf8_lossy(bytes.get(..200).unwrap_or(bytes)).to_ascii_lowercase();
    let declared = first.split_once("encoding=").map_or("", |(_, rest)| rest);
    let name: String = declared.chars().skip(1).take_while(|c| !matches!(c, '"' | '\'' | '?')).collect();
    matches!(name.as_str(), "iso-8859-1" | "latin1" | "windows-1252" | "cp1252")
}

/// The document that a text holds which a tool wrapped: a cell of CSV, quotes and all, or escaped (`&lt;`). Other texts stay.
pub(super) fn unwrapped(text: &str) -> Cow<'_, str> {
    let trimmed = text.trim_start_matches('\u{feff}').trim();
    if let Some(inside) = trimmed.strip_prefix('"').filter(|inside| inside.trim_start().starts_with('<')) {
        let inside = inside.strip_suffix('"').unwrap_or(inside);
        // A cell doubles each quote in it.
        let doubled =
            inside.contains("\"\"") && inside.matches("\"\"").count() * 2 == inside.matches('"').count();
        return if doubled { inside.replace("\"\"", "\"").into() } else { inside.into() };
    }
    if trimmed.starts_with("&lt;") {
        return unescaped(trimmed).into();
    }
    text.into()
}

/// A text with its entities resolved, one by one: what is none stays as it stands, so that one does not spoil the rest.
pub(super) fn unescaped(raw: &str) -> String {
    let mut out = String::with_capacity(raw.len());
    let mut rest = raw;
    while let Some((before, after)) = rest.split_once('&') {
        out.push_str(before);
        let known = after
            .split_once(';')
            .filter(|(name, _)| name.len() <= 10)
            .and_then(|(name, more)| Some((entity(name)?, more)));
        rest = if let Some((c, more)) = known {
            out.push(c);
            more
        } else {
            out.push('&');
            after
        };
    }
    out.push_str(rest);
    out
}

/// The character of an entity without its signs: `lt`, `#65`, `#x41`.
fn entity(name: &str) -> Option<char> {
    if let Some(number) = name.strip_prefix('#') {
        let code = match number.strip_prefix(['x', 'X']) {
            Some(hex) => u32::from_str_radix(hex, 16),
            None => number.parse(),
        };
        return Some(
            char::from_u32(code.ok()?).filter(|c| *c != '\0').unwrap_or(char::REPLACEMENT_CHARACTER),
        );
    }
    quick_xml::escape::resolve_predefined_entity(name)?.chars().next()
}

/// True for UTF-32, with its mark or without: nothing that writes plans writes it, and as UTF-16 it would end after a character.
pub(super) const fn is_utf32(bytes: &[u8]) -> bool {
    matches!(bytes, [0xff, 0xfe, 0, 0, ..] | [0, 0, 0xfe, 0xff, ..] | [_, 0, 0, 0, ..] | [0, 0, 0, _, ..])
}

fn wide(bytes: &[u8], unit: fn([u8; 2]) -> u16) -> Cow<'static, str> {
    let units = bytes.chunks_exact(2).map(|pair| unit([pair[0], pair[1]]));
    char::decode_utf16(units).map(|c| c.unwrap_or(char::REPLACEMENT_CHARACTER)).collect::<String>().into()
}
