//! Values that clients send as RPC parameters: TYPE_INFO and value, in all common types.
//!
//! Table-valued parameters, CLR types and the obsolete short types are refused with a readable error.

use super::{
    read::{Malformed, Reader, utf16_lossy},
    text::from_cp1252,
    time,
    types::mixed_endian,
};
use crate::sim::backend::Value;

/// A length that stands for "(max)" in a TYPE_INFO.
const MAX: u16 = u16::MAX;
const PLP_NULL: u64 = u64::MAX;
/// The bit of a collation that says UTF-8.
const COLLATION_UTF8: u32 = 1 << 26;

/// Reads a TYPE_INFO and the value behind it.
///
/// # Errors
/// [`Malformed`] if it ends early or the type is not served.
pub fn decode(reader: &mut Reader<'_>) -> Result<Value, Malformed> {
    let token = reader.u8()?;
    match token {
        0x1f => Ok(Value::Null),
        0x30 | 0x32 | 0x34 | 0x38 | 0x3a..=0x3e | 0x7a | 0x7f => {
            let bytes = reader.take(fixed_bytes(token))?;
            scalar(token, 0, bytes)
        }
        0x24 | 0x26 | 0x68 | 0x6d..=0x6f => {
            reader.u8()?;
            short_value(reader, token, 0)
        }
        0x28 => short_value(reader, token, 0),
        0x29..=0x2b => {
            let scale = reader.u8()?;
            short_value(reader, token, scale)
        }
        0x6a | 0x6c => {
            reader.take(3)?;
            short_value(reader, token, 0)
        }
        0xa5 | 0xad | 0xa7 | 0xaf | 0xe7 | 0xef => long_value(reader, token),
        0x22 | 0x23 | 0x63 => old_lob(reader, token),
        0xf1 => {
            if reader.u8()? != 0 {
                reader.b_varchar()?;
                reader.b_varchar()?;
                reader.us_varchar()?;
            }
            Ok(plp(reader)?.map_or(Value::Null, |bytes| Value::Text(utf16_lossy(&bytes))))
        }
        0xf4 => {
            Ok(plp(reader)?.map_or(Value::Null, |bytes| Value::Text(String::from_utf8_lossy(&bytes).into())))
        }
        0x62 => variant(reader),
        _ => Err(Malformed("a parameter of a type that the simulator does not serve")),
    }
}

fn fixed_bytes(token: u8) -> usize {
    match token {
        0x30 | 0x32 => 1,
        0x34 => 2,
        0x3c | 0x3d | 0x3e | 0x7f => 8,
        _ => 4,
    }
}

/// A length byte (0: NULL), then the value.
fn short_value(reader: &mut Reader<'_>, token: u8, scale: u8) -> Result<Value, Malformed> {
    let length = usize::from(reader.u8()?);
    let bytes = reader.take(length)?;
    if bytes.is_empty() { Ok(Value::Null) } else { scalar(token, scale, bytes) }
}

/// The value of a type that is neither text nor binary.
fn scalar(token: u8, scale: u8, bytes: &[u8]) -> Result<Value, Malformed> {
    let bad = Malformed("a parameter whose length does not fit its type");
    Ok(match (token, bytes) {
        (0x32 | 0x68, [bit]) => Value::Bool(*bit != 0),
        (0x30 | 0x26, [byte]) => Value::Int(i64::from(*byte)),
        (0x34 | 0x26, [a, b]) => Value::Int(i64::from(i16::from_le_bytes([*a, *b]))),
        (0x38 | 0x26, [a, b, c, d]) => Value::Int(i64::from(i32::from_le_bytes([*a, *b, *c, *d]))),
        (0x7f | 0x26, _) => Value::Int(i64::from_le_bytes(bytes.try_into().map_err(|_| bad)?)),
        (0x3b | 0x6d, [a, b, c, d]) => Value::Float(f64::from(f32::from_le_bytes([*a, *b, *c, *d]))),
        (0x3e | 0x6d, _) => Value::Float(f64::from_le_bytes(bytes.try_into().map_err(|_| bad)?)),
        (0x7a | 0x6e, [a, b, c, d]) => Value::Scaled(i128::from(i32::from_le_bytes([*a, *b, *c, *d]))),
        (0x3c | 0x6e, _) => {
            // The high half comes first.
            let halves: [u8; 8] = bytes.try_into().map_err(|_| bad)?;
            Value::Scaled(i128::from(i64::from_le_bytes(halves).rotate_left(32)))
        }
        (0x6a | 0x6c, [sign, magnitude @ ..]) if magnitude.len() <= 16 => {
            let value = magnitude.iter().rev().fold(0_u128, |sum, byte| sum << 8 | u128::from(*byte));
            let value = i128::try_from(value).map_err(|_| bad)?;
            Value::Scaled(if *sign == 0 { -value } else { value })
        }
        (0x24, _) => Value::Guid(mixed_endian(bytes.try_into().map_err(|_| bad)?)),
        _ => time::decode(token, scale, bytes).ok_or(bad)?,
    })
}

/// Text and binary with a 16-bit length, or in parts for `(max)`.
fn long_value(reader: &mut Reader<'_>, token: u8) -> Result<Value, Malformed> {
    let max = reader.u16()?;
    let collation = if matches!(token, 0xa5 | 0xad) { 0 } else { collation(reader)? };
    let bytes = if max == MAX {
        plp(reader)?
    } else {
        match reader.u16()? {
            MAX => None,
            length => Some(reader.take(usize::from(length))?.to_vec()),
        }
    };
    Ok(bytes.map_or(Value::Null, |bytes| long_bytes(token, collation, bytes)))
}

fn collation(reader: &mut Reader<'_>) -> Result<u32, Malformed> {
    let info = reader.u32()?;
    reader.u8()?;
    Ok(info)
}

fn long_bytes(token: u8, collation: u32, bytes: Vec<u8>) -> Value {
    match token {
        0xa5 | 0xad | 0x22 => Value::Bytes(bytes),
        0xe7 | 0xef | 0x63 => Value::Text(utf16_lossy(&bytes)),
        _ if collation & COLLATION_UTF8 != 0 => Value::Text(String::from_utf8_lossy(&bytes).into()),
        _ => Value::Text(from_cp1252(&bytes)),
    }
}

/// `text`, `ntext` and `image` as parameters: a 32-bit length, no text pointer.
fn old_lob(reader: &mut Reader<'_>, token: u8) -> Result<Value, Malformed> {
    reader.u32()?;
    let collation = if token == 0x22 { 0 } else { collation(reader)? };
    match reader.u32()? {
        u32::MAX => Ok(Value::Null),
        length => Ok(long_bytes(token, collation, reader.take(length as usize)?.to_vec())),
    }
}

/// A value sent in parts; None is NULL.
fn plp(reader: &mut Reader<'_>) -> Result<Option<Vec<u8>>, Malformed> {
    if reader.u64()? == PLP_NULL {
        return Ok(None);
    }
    let mut bytes = vec![];
    loop {
        match reader.u32()? as usize {
            0 => return Ok(Some(bytes)),
            length => bytes.extend_from_slice(reader.take(length)?),
        }
    }
}

fn variant(reader: &mut Reader<'_>) -> Result<Value, Malformed> {
    reader.u32()?;
    let total = reader.u32()? as usize;
    if total == 0 {
        return Ok(Value::Null);
    }
    let mut inner = Reader::new(reader.take(total)?);
    let base = inner.u8()?;
    let props = usize::from(inner.u8()?);
    let props = inner.take(props)?;
    match base {
        0xa5 | 0xad | 0xa7 | 0xaf | 0xe7 | 0xef => {
            let collation = Reader::new(props).u32().unwrap_or_default();
            Ok(long_bytes(base, collation, inner.rest().to_vec()))
        }
        _ => scalar(base, props.first().copied().unwrap_or_default(), inner.rest()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sim::{
        backend::ColumnType,
        wire::types::{put_type_info, put_value},
    };
    use bytes::BytesMut;
    use proptest::prelude::*;

    fn there_and_back(kind: ColumnType, value: &Value) -> Value {
        let mut out = BytesMut::new();
        put_type_info(&mut out, kind);
        put_value(&mut out, kind, value);
        let mut reader = Reader::new(&out);
        let value = decode(&mut reader).unwrap();
        assert!(reader.is_empty(), "{kind:?} leaves bytes behind");
        value
    }

    #[test]
    fn every_type_that_is_sent_can_be_received() {
        let noon = Value::Time { local_ns: 1_700_000_040_000_000_000, offset_min: 0 };
        let text = Value::Text("Grüße €".into());
        let cases = [
            (ColumnType::Bit, Value::Bool(true)),
            (ColumnType::TinyInt, Value::Int(255)),
            (ColumnType::SmallInt, Value::Int(-2)),
            (ColumnType::Int, Value::Int(i64::from(i32::MIN))),
            (ColumnType::BigInt, Value::Int(i64::MIN)),
            (ColumnType::Real, Value::Float(0.5)),
            (ColumnType::Float, Value::Float(-1e300)),
            (ColumnType::Decimal(38, 4), Value::Scaled(-(10_i128.pow(38) - 1))),
            (ColumnType::Money, Value::Scaled(-123_456_789_012)),
            (ColumnType::SmallMoney, Value::Scaled(-5)),
            (ColumnType::VarChar(20), text.clone()),
            (ColumnType::VarCharMax, text.clone()),
            (ColumnType::NVarChar(20), text.clone()),
            (ColumnType::NVarCharMax, Value::Text(String::new())),
            (ColumnType::VarBinary(9), Value::Bytes(vec![0, 255])),
            (ColumnType::VarBinaryMax, Value::Bytes(vec![7; 9000])),
            (ColumnType::DateTime2(7), noon.clone()),
            (ColumnType::DateTime, noon.clone()),
            (ColumnType::SmallDateTime, noon),
            (ColumnType::Guid, Value::Guid(*b"0123456789abcdef")),
            (ColumnType::Variant, Value::Int(3)),
            (ColumnType::Variant, text),
        ];
        for (kind, value) in cases {
            assert_eq!(there_and_back(kind, &value), value, "{kind:?}");
            assert_eq!(there_and_back(kind, &Value::Null), Value::Null, "{kind:?}");
        }
    }

    proptest! {
        #[test]
        fn any_bytes_decode_without_panic(bytes in prop::collection::vec(any::<u8>(), 0..80)) {
            let _ = decode(&mut Reader::new(&bytes));
        }
    }
}
