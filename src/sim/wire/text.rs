//! Character values: UTF-16 units for `nvarchar`, code page 1252 for `varchar`.

use bytes::{BufMut, BytesMut};

use crate::sim::backend::Value;

/// Code page 1252 from 0x80 to 0x9f (five of them are not assigned); all other bytes are Latin-1.
const CP1252: [Option<char>; 32] = [
    Some('€'),
    None,
    Some('‚'),
    Some('ƒ'),
    Some('„'),
    Some('…'),
    Some('†'),
    Some('‡'),
    Some('ˆ'),
    Some('‰'),
    Some('Š'),
    Some('‹'),
    Some('Œ'),
    None,
    Some('Ž'),
    None,
    None,
    Some('‘'),
    Some('’'),
    Some('“'),
    Some('”'),
    Some('•'),
    Some('–'),
    Some('—'),
    Some('˜'),
    Some('™'),
    Some('š'),
    Some('›'),
    Some('œ'),
    None,
    Some('ž'),
    Some('Ÿ'),
];

/// Appends UTF-16, little-endian.
pub fn put_str(out: &mut BytesMut, text: &str) {
    out.reserve(text.len() * 2);
    for unit in text.encode_utf16() {
        out.put_u16_le(unit);
    }
}

/// Appends a character value as UTF-16, little-endian; None and nothing appended for other values.
pub fn put_utf16(out: &mut BytesMut, value: &Value) -> Option<()> {
    match value {
        Value::Text(text) => put_str(out, text),
        Value::Utf16(units) => {
            for unit in units {
                out.put_u16_le(*unit);
            }
        }
        _ => return None,
    }
    Some(())
}

/// Appends a character value in code page 1252, with `?` for characters that it does not have; None and nothing appended
/// for other values.
pub fn put_cp1252(out: &mut BytesMut, value: &Value) -> Option<()> {
    match value {
        Value::Text(text) => out.extend(text.chars().map(to_cp1252)),
        Value::Utf16(units) => {
            let chars = char::decode_utf16(units.iter().copied());
            out.extend(chars.map(|unit| unit.map_or(b'?', to_cp1252)));
        }
        _ => return None,
    }
    Some(())
}

fn to_cp1252(c: char) -> u8 {
    match u32::from(c) {
        code @ (0..0x80 | 0xa0..0x100) => code as u8,
        code => {
            let assigned = CP1252.iter().position(|entry| *entry == Some(c));
            // The bytes without a character stand for the C1 control of the same number.
            let control = (0x80..0xa0).contains(&code).then(|| (code - 0x80) as usize);
            assigned
                .or(control.filter(|index| CP1252[*index].is_none()))
                .map_or(b'?', |index| 0x80 + index as u8)
        }
    }
}

/// Bytes in code page 1252 as text.
pub fn from_cp1252(bytes: &[u8]) -> String {
    bytes
        .iter()
        .map(|byte| match byte {
            0x80..0xa0 => CP1252[usize::from(byte - 0x80)].unwrap_or(char::from(*byte)),
            other => char::from(*other),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cp1252(value: &Value) -> Vec<u8> {
        let mut out = BytesMut::new();
        put_cp1252(&mut out, value).unwrap();
        out.to_vec()
    }

    #[test]
    fn every_byte_survives_the_way_there_and_back() {
        let all: Vec<u8> = (0..=255).collect();
        assert_eq!(cp1252(&Value::Text(from_cp1252(&all))), all);
    }

    #[test]
    fn what_the_code_page_lacks_becomes_a_question_mark() {
        assert_eq!(cp1252(&Value::Text("a日€".into())), [b'a', b'?', 0x80]);
        assert_eq!(cp1252(&Value::Utf16(vec![0xd800, 0x42])), b"?B");
    }
}
