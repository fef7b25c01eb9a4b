//! Columns and values as bytes: TYPE_INFO, COLMETADATA, ROW and NBCROW.
//!
//! A value that does not fit its column is sent as NULL, as the seam promises.

use bytes::{BufMut, BytesMut};

use super::{text, time, tokens::put_b_varchar};
use crate::sim::backend::{Column, ColumnType, Value};

/// SQL_Latin1_General_CP1_CI_AS, the collation of every column and of the session.
pub const COLLATION: [u8; 5] = [0x09, 0x04, 0xd0, 0x00, 0x34];

const COLMETADATA: u8 = 0x81;
const ROW: u8 = 0xd1;
const NBCROW: u8 = 0xd2;
const PLP_NULL: u64 = u64::MAX;
/// The longest sql_variant, in bytes, as SQL Server announces it.
const VARIANT_MAX_BYTES: u32 = 8009;

/// The largest precision whose value fits in each storage length, without the sign byte.
const DECIMAL_BYTES: [(u8, u8); 4] = [(9, 4), (19, 8), (28, 12), (38, 16)];

fn decimal_bytes(precision: u8) -> u8 {
    DECIMAL_BYTES.iter().find(|(digits, _)| precision <= *digits).map_or(16, |(_, bytes)| *bytes)
}

/// Appends COLMETADATA.
pub fn put_columns(out: &mut BytesMut, columns: &[Column]) {
    out.put_u8(COLMETADATA);
    out.put_u16_le(columns.len() as u16);
    for column in columns {
        out.put_u32_le(0);
        out.put_u16_le(u16::from(column.nullable));
        put_type_info(out, column.kind);
        put_b_varchar(out, &column.name);
    }
}

/// Appends a TYPE_INFO. All types are sent in their nullable form.
pub fn put_type_info(out: &mut BytesMut, kind: ColumnType) {
    match kind {
        ColumnType::Bit => out.put_slice(&[0x68, 1]),
        ColumnType::TinyInt => out.put_slice(&[0x26, 1]),
        ColumnType::SmallInt => out.put_slice(&[0x26, 2]),
        ColumnType::Int => out.put_slice(&[0x26, 4]),
        ColumnType::BigInt => out.put_slice(&[0x26, 8]),
        ColumnType::Real => out.put_slice(&[0x6d, 4]),
        ColumnType::Float => out.put_slice(&[0x6d, 8]),
        ColumnType::Decimal(p, s) => out.put_slice(&[0x6a, decimal_bytes(p) + 1, p, s]),
        ColumnType::Money => out.put_slice(&[0x6e, 8]),
        ColumnType::SmallMoney => out.put_slice(&[0x6e, 4]),
        ColumnType::Char(n) => put_character_type(out, 0xaf, n),
        ColumnType::VarChar(n) => put_character_type(out, 0xa7, n),
        ColumnType::VarCharMax => put_character_type(out, 0xa7, u16::MAX),
        ColumnType::NChar(n) => put_character_type(out, 0xef, n.saturating_mul(2)),
        ColumnType::NVarChar(n) => put_character_type(out, 0xe7, n.saturating_mul(2)),
        ColumnType::NVarCharMax => put_character_type(out, 0xe7, u16::MAX),
        ColumnType::Binary(n) => put_binary_type(out, 0xad, n),
        ColumnType::VarBinary(n) => put_binary_type(out, 0xa5, n),
        ColumnType::VarBinaryMax => put_binary_type(out, 0xa5, u16::MAX),
        ColumnType::Date => out.put_u8(0x28),
        ColumnType::Time(scale) => out.put_slice(&[0x29, scale.min(7)]),
        ColumnType::SmallDateTime => out.put_slice(&[0x6f, 4]),
        ColumnType::DateTime => out.put_slice(&[0x6f, 8]),
        ColumnType::DateTime2(scale) => out.put_slice(&[0x2a, scale.min(7)]),
        ColumnType::DateTimeOffset(scale) => out.put_slice(&[0x2b, scale.min(7)]),
        ColumnType::Guid => out.put_slice(&[0x24, 16]),
        ColumnType::Xml => out.put_slice(&[0xf1, 0]),
        ColumnType::Variant => {
            out.put_u8(0x62);
            out.put_u32_le(VARIANT_MAX_BYTES);
        }
    }
}

fn put_character_type(out: &mut BytesMut, token: u8, max_bytes: u16) {
    put_binary_type(out, token, max_bytes);
    out.put_slice(&COLLATION);
}

fn put_binary_type(out: &mut BytesMut, token: u8, max_bytes: u16) {
    out.put_u8(token);
    out.put_u16_le(max_bytes);
}

/// Appends a ROW, or an NBCROW when its bitmap is shorter than the NULLs that it replaces. A row that is too short is
/// filled with NULL, one that is too long is cut.
pub fn put_row(out: &mut BytesMut, columns: &[Column], row: &[Value]) {
    let value = |index: usize| row.get(index).unwrap_or(&Value::Null);
    let nulls = (0..columns.len()).filter(|index| *value(*index) == Value::Null).count();
    if nulls <= columns.len().div_ceil(8) {
        out.put_u8(ROW);
        for (index, column) in columns.iter().enumerate() {
            put_value(out, column.kind, value(index));
        }
        return;
    }
    out.put_u8(NBCROW);
    let mut bitmap = vec![0_u8; columns.len().div_ceil(8)];
    for index in (0..columns.len()).filter(|index| *value(*index) == Value::Null) {
        bitmap[index / 8] |= 1 << (index % 8);
    }
    out.put_slice(&bitmap);
    for (index, column) in columns.iter().enumerate() {
        if *value(index) != Value::Null {
            put_value(out, column.kind, value(index));
        }
    }
}

/// Appends one value in the form that its column's type has in a ROW.
pub fn put_value(out: &mut BytesMut, kind: ColumnType, value: &Value) {
    let start = out.len();
    if encode(out, kind, value).is_none() {
        out.truncate(start);
        put_null(out, kind);
    }
}

fn put_null(out: &mut BytesMut, kind: ColumnType) {
    match kind {
        ColumnType::VarCharMax | ColumnType::NVarCharMax | ColumnType::VarBinaryMax | ColumnType::Xml => {
            out.put_u64_le(PLP_NULL);
        }
        ColumnType::Char(_)
        | ColumnType::VarChar(_)
        | ColumnType::NChar(_)
        | ColumnType::NVarChar(_)
        | ColumnType::Binary(_)
        | ColumnType::VarBinary(_) => out.put_u16_le(u16::MAX),
        ColumnType::Variant => out.put_u32_le(0),
        _ => out.put_u8(0),
    }
}

/// Appends the value; `None` if it does not fit, and then the appended bytes are rubbish.
fn encode(out: &mut BytesMut, kind: ColumnType, value: &Value) -> Option<()> {
    match (kind, value) {
        (ColumnType::Bit, Value::Bool(v)) => out.put_slice(&[1, u8::from(*v)]),
        (ColumnType::TinyInt, Value::Int(v)) => put_short(out, &u8::try_from(*v).ok()?.to_le_bytes()),
        (ColumnType::SmallInt, Value::Int(v)) => put_short(out, &i16::try_from(*v).ok()?.to_le_bytes()),
        (ColumnType::Int, Value::Int(v)) => put_short(out, &i32::try_from(*v).ok()?.to_le_bytes()),
        (ColumnType::BigInt, Value::Int(v)) => put_short(out, &v.to_le_bytes()),
        (ColumnType::Real, Value::Float(v)) => put_short(out, &(*v as f32).to_le_bytes()),
        (ColumnType::Float, Value::Float(v)) => put_short(out, &v.to_le_bytes()),
        (ColumnType::Decimal(precision, _), Value::Scaled(v)) => put_decimal(out, precision, *v)?,
        (ColumnType::Money, Value::Scaled(v)) => {
            let bytes = i64::try_from(*v).ok()?.to_le_bytes();
            out.put_u8(8);
            out.put_slice(&bytes[4..]);
            out.put_slice(&bytes[..4]);
        }
        (ColumnType::SmallMoney, Value::Scaled(v)) => put_short(out, &i32::try_from(*v).ok()?.to_le_bytes()),
        (ColumnType::Guid, Value::Guid(v)) => put_short(out, &mixed_endian(v)),
        (ColumnType::Variant, value) => put_variant(out, value)?,
        (_, Value::Text(_) | Value::Utf16(_)) => put_text(out, kind, value)?,
        (_, Value::Bytes(v)) => put_bytes(out, kind, v)?,
        (_, Value::Time { local_ns, offset_min }) => {
            put_short(out, &time::encode(kind, *local_ns, *offset_min)?);
        }
        _ => return None,
    }
    Some(())
}

/// A length byte, then the bytes.
fn put_short(out: &mut BytesMut, bytes: &[u8]) {
    out.put_u8(bytes.len() as u8);
    out.put_slice(bytes);
}

fn put_decimal(out: &mut BytesMut, precision: u8, value: i128) -> Option<()> {
    let limit = 10_u128.checked_pow(u32::from(precision)).filter(|_| (1..=38).contains(&precision))?;
    let size = decimal_bytes(precision);
    let magnitude = Some(value.unsigned_abs()).filter(|magnitude| *magnitude < limit)?;
    out.put_u8(size + 1);
    out.put_u8(u8::from(value >= 0));
    out.put_slice(&magnitude.to_le_bytes()[..usize::from(size)]);
    Some(())
}

/// The first three groups of a GUID are little-endian on the wire.
pub fn mixed_endian(guid: &[u8; 16]) -> [u8; 16] {
    let g = guid;
    [g[3], g[2], g[1], g[0], g[5], g[4], g[7], g[6], g[8], g[9], g[10], g[11], g[12], g[13], g[14], g[15]]
}

fn put_text(out: &mut BytesMut, kind: ColumnType, value: &Value) -> Option<()> {
    let narrow = |out: &mut BytesMut| text::put_cp1252(out, value);
    let wide = |out: &mut BytesMut| text::put_utf16(out, value);
    match kind {
        ColumnType::Char(n) => put_long(out, usize::from(n), b" ", narrow),
        ColumnType::VarChar(n) => put_long(out, usize::from(n), &[], narrow),
        ColumnType::VarCharMax => put_plp(out, narrow),
        ColumnType::NChar(n) => put_long(out, usize::from(n) * 2, b" \0", wide),
        ColumnType::NVarChar(n) => put_long(out, usize::from(n) * 2, &[], wide),
        ColumnType::NVarCharMax => put_plp(out, wide),
        ColumnType::Xml => put_plp(out, |out| {
            // SQL Server sends XML with its byte order mark.
            out.put_u16_le(0xfeff);
            wide(out)
        }),
        _ => None,
    }
}

fn put_bytes(out: &mut BytesMut, kind: ColumnType, bytes: &[u8]) -> Option<()> {
    let all = |out: &mut BytesMut| {
        out.put_slice(bytes);
        Some(())
    };
    match kind {
        ColumnType::Binary(n) => put_long(out, usize::from(n), &[0], all),
        ColumnType::VarBinary(n) => put_long(out, usize::from(n), &[], all),
        ColumnType::VarBinaryMax => put_plp(out, all),
        _ => None,
    }
}

/// A 16-bit length, then the bytes that `put` appends, filled up to `max` bytes with `fill` if there is one.
fn put_long(
    out: &mut BytesMut,
    max: usize,
    fill: &[u8],
    put: impl FnOnce(&mut BytesMut) -> Option<()>,
) -> Option<()> {
    let start = out.len();
    out.put_u16_le(0);
    put(out)?;
    let missing = (start + 2 + max).checked_sub(out.len())?;
    if !fill.is_empty() {
        out.extend(fill.iter().copied().cycle().take(missing));
    }
    let length = (out.len() - start - 2) as u16;
    out[start..start + 2].copy_from_slice(&length.to_le_bytes());
    Some(())
}

/// Partially length-prefixed: the total, one chunk with the bytes that `put` appends, the terminator.
fn put_plp(out: &mut BytesMut, put: impl FnOnce(&mut BytesMut) -> Option<()>) -> Option<()> {
    let start = out.len();
    out.put_u64_le(0);
    out.put_u32_le(0);
    put(out)?;
    let length = out.len() - start - 12;
    if length == 0 {
        // No chunk at all: its length is the terminator.
        return Some(());
    }
    out[start..start + 8].copy_from_slice(&(length as u64).to_le_bytes());
    out[start + 8..start + 12].copy_from_slice(&(length as u32).to_le_bytes());
    out.put_u32_le(0);
    Some(())
}

/// A `sql_variant`: total length, base type, its properties, the value without a length.
fn put_variant(out: &mut BytesMut, value: &Value) -> Option<()> {
    let (base, props, data): (u8, Vec<u8>, Vec<u8>) = match value {
        Value::Null => return None,
        Value::Bool(v) => (0x32, vec![], vec![u8::from(*v)]),
        Value::Int(v) => match i32::try_from(*v) {
            Ok(small) => (0x38, vec![], small.to_le_bytes().to_vec()),
            Err(_) => (0x7f, vec![], v.to_le_bytes().to_vec()),
        },
        Value::Float(v) => (0x3e, vec![], v.to_le_bytes().to_vec()),
        Value::Scaled(v) => {
            let mut data = vec![u8::from(*v >= 0)];
            data.extend(v.unsigned_abs().to_le_bytes());
            (0x6c, vec![38, 0], data)
        }
        Value::Text(_) | Value::Utf16(_) => {
            let mut data = BytesMut::new();
            text::put_utf16(&mut data, value)?;
            let max = u16::try_from(data.len()).ok().filter(|bytes| *bytes <= 8000)?;
            (0xe7, [&COLLATION[..], &max.to_le_bytes()].concat(), data.to_vec())
        }
        Value::Bytes(v) => {
            let max = u16::try_from(v.len()).ok().filter(|bytes| *bytes <= 8000)?;
            (0xa5, max.to_le_bytes().to_vec(), v.clone())
        }
        Value::Time { local_ns, offset_min: 0 } => {
            (0x2a, vec![7], time::encode(ColumnType::DateTime2(7), *local_ns, 0)?)
        }
        Value::Time { local_ns, offset_min } => {
            (0x2b, vec![7], time::encode(ColumnType::DateTimeOffset(7), *local_ns, *offset_min)?)
        }
        Value::Guid(v) => (0x24, vec![], mixed_endian(v).to_vec()),
    };
    out.put_u32_le((2 + props.len() + data.len()) as u32);
    out.put_u8(base);
    out.put_u8(props.len() as u8);
    out.put_slice(&props);
    out.put_slice(&data);
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bytes(kind: ColumnType, value: &Value) -> Vec<u8> {
        let mut out = BytesMut::new();
        put_value(&mut out, kind, value);
        out.to_vec()
    }

    #[test]
    fn each_family_has_its_own_null() {
        assert_eq!(bytes(ColumnType::BigInt, &Value::Null), [0]);
        assert_eq!(bytes(ColumnType::NVarChar(9), &Value::Null), [0xff, 0xff]);
        assert_eq!(bytes(ColumnType::NVarCharMax, &Value::Null), [0xff; 8]);
        assert_eq!(bytes(ColumnType::Variant, &Value::Null), [0, 0, 0, 0]);
    }

    #[test]
    fn what_does_not_fit_becomes_null() {
        assert_eq!(bytes(ColumnType::TinyInt, &Value::Int(256)), [0]);
        assert_eq!(bytes(ColumnType::Int, &Value::Text("1".into())), [0]);
        assert_eq!(bytes(ColumnType::VarChar(2), &Value::Text("abc".into())), [0xff, 0xff]);
        assert_eq!(bytes(ColumnType::Decimal(3, 1), &Value::Scaled(1000)), [0]);
        assert_eq!(bytes(ColumnType::Decimal(0, 0), &Value::Scaled(0)), [0]);
    }

    #[test]
    fn money_has_its_halves_swapped_and_decimals_their_sign_in_front() {
        assert_eq!(
            bytes(ColumnType::Money, &Value::Scaled(0x0102_0304_0506_0708)),
            [8, 4, 3, 2, 1, 8, 7, 6, 5]
        );
        assert_eq!(bytes(ColumnType::Decimal(5, 2), &Value::Scaled(-258)), [5, 0, 2, 1, 0, 0]);
    }

    #[test]
    fn fixed_character_types_are_filled_with_spaces() {
        assert_eq!(bytes(ColumnType::Char(3), &Value::Text("€".into())), [3, 0, 0x80, b' ', b' ']);
        assert_eq!(bytes(ColumnType::NChar(2), &Value::Text("x".into())), [4, 0, b'x', 0, b' ', 0]);
    }

    #[test]
    fn a_row_of_nulls_is_sent_as_a_bitmap() {
        let column = Column { name: String::new(), kind: ColumnType::Int, nullable: true };
        let columns = vec![column; 9];
        let mut out = BytesMut::new();
        put_row(&mut out, &columns, &[Value::Int(7)]);
        assert_eq!(out.to_vec(), [NBCROW, 0xfe, 0x01, 4, 7, 0, 0, 0]);
        out.clear();
        put_row(&mut out, &columns, &vec![Value::Int(7); 8]);
        assert_eq!(out[0], ROW);
    }
}
