//! Requests after the login: SQL batches, remote procedure calls, transaction manager requests.
//!
//! Pure decoding; `connection` acts on the result. Parameters become backend values in `param`.

use bytes::Bytes;

use super::{
    param,
    read::{Malformed, Reader, utf16_lossy},
};
use crate::sim::backend::{Param, Value};

/// A procedure by its number (MS-TDS 2.2.6.6) or by its name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Procedure {
    /// `sp_cursor` and its relatives, 1 to 9
    Cursor,
    /// `sp_executesql`
    ExecuteSql,
    /// `sp_prepare`
    Prepare,
    /// `sp_execute`
    Execute,
    /// `sp_prepexec`
    PrepExec,
    /// `sp_unprepare`
    Unprepare,
    /// any other, as the client wrote it
    Named(String),
}

/// One parameter of a call.
#[derive(Debug, Clone, PartialEq)]
pub struct CallParam {
    /// name and value
    pub param: Param,
    /// an output parameter: its TYPE_INFO and value as the client sent them
    pub by_ref: Option<Bytes>,
}

/// One remote procedure call.
#[derive(Debug, Clone, PartialEq)]
pub struct Call {
    /// the procedure
    pub procedure: Procedure,
    /// its parameters in order
    pub params: Vec<CallParam>,
}

/// A transaction manager request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Transaction {
    /// begin
    Begin,
    /// commit, and begin the next one
    Commit {
        /// begin the next one at once
        and_begin: bool,
    },
    /// roll back, and begin the next one
    Rollback {
        /// begin the next one at once
        and_begin: bool,
    },
    /// set a savepoint
    Save,
    /// distributed transactions
    Unsupported,
}

/// The text of a SQL batch.
///
/// # Errors
/// [`Malformed`] if its headers do not fit.
pub fn batch(body: &[u8]) -> Result<String, Malformed> {
    let mut reader = Reader::new(body);
    reader.skip_all_headers()?;
    Ok(utf16_lossy(reader.rest()))
}

/// The calls of an RPC request; one message may hold several.
///
/// # Errors
/// [`Malformed`] for a stream that ends early or a parameter type that is not served.
pub fn rpc(body: &Bytes) -> Result<Vec<Call>, Malformed> {
    let mut reader = Reader::new(body);
    reader.skip_all_headers()?;
    let mut calls = vec![];
    while !reader.is_empty() {
        calls.push(call(&mut reader, body)?);
    }
    if calls.is_empty() { Err(Malformed("RPC without a procedure")) } else { Ok(calls) }
}

/// Reads one call up to the end of the message or the flag that separates calls.
fn call(reader: &mut Reader<'_>, body: &Bytes) -> Result<Call, Malformed> {
    let procedure = procedure(reader)?;
    reader.u16()?;
    let mut params = vec![];
    loop {
        match reader.rest().first() {
            None => break,
            // Separators between calls: execute, or do not execute. Both are longer than any name may be.
            Some(0xff | 0xfe) => {
                reader.u8()?;
                break;
            }
            Some(_) => {
                let name = reader.b_varchar()?;
                let status = reader.u8()?;
                let typed = reader.rest();
                let value = param::decode(reader)?;
                let used = &typed[..typed.len() - reader.rest().len()];
                let by_ref = (status & 1 != 0).then(|| body.slice_ref(used));
                params.push(CallParam { param: Param { name, value }, by_ref });
            }
        }
    }
    Ok(Call { procedure, params })
}

fn procedure(reader: &mut Reader<'_>) -> Result<Procedure, Malformed> {
    let units = reader.u16()?;
    if units == u16::MAX {
        return Ok(match reader.u16()? {
            1..=9 => Procedure::Cursor,
            10 => Procedure::ExecuteSql,
            11 => Procedure::Prepare,
            12 => Procedure::Execute,
            13 => Procedure::PrepExec,
            15 => Procedure::Unprepare,
            other => Procedure::Named(format!("procedure number {other}")),
        });
    }
    let name = utf16_lossy(reader.take(usize::from(units) * 2)?);
    let plain = name.replace(['[', ']'], "").to_lowercase();
    let plain = plain.rsplit('.').next().unwrap_or(&plain);
    Ok(match plain {
        "sp_executesql" => Procedure::ExecuteSql,
        "sp_prepare" => Procedure::Prepare,
        "sp_execute" => Procedure::Execute,
        "sp_prepexec" => Procedure::PrepExec,
        "sp_unprepare" => Procedure::Unprepare,
        cursor if cursor.starts_with("sp_cursor") => Procedure::Cursor,
        _ => Procedure::Named(name),
    })
}

/// A transaction manager request.
///
/// # Errors
/// [`Malformed`] if it ends early.
pub fn transaction(body: &[u8]) -> Result<Transaction, Malformed> {
    let mut reader = Reader::new(body);
    reader.skip_all_headers()?;
    let kind = reader.u16()?;
    let mut and_begin = || -> Result<bool, Malformed> {
        let _name = reader.b_varchar()?;
        Ok(reader.u8()? & 1 != 0)
    };
    Ok(match kind {
        5 => Transaction::Begin,
        7 => Transaction::Commit { and_begin: and_begin()? },
        8 => Transaction::Rollback { and_begin: and_begin()? },
        9 => Transaction::Save,
        _ => Transaction::Unsupported,
    })
}

/// The names in a declaration list such as `@P1 int, @name nvarchar(4000)`, in order.
pub fn declared_names(declarations: &str) -> Vec<String> {
    let mut depth = 0;
    let top_level_commas = |c: char| {
        match c {
            '(' => depth += 1,
            ')' => depth -= 1,
            _ => {}
        }
        c == ',' && depth == 0
    };
    declarations
        .split(top_level_commas)
        .filter_map(|one| one.split_whitespace().next())
        .filter(|name| name.starts_with('@'))
        .map(str::to_owned)
        .collect()
}

/// Names positional values after their declaration.
pub fn named_values(values: &[CallParam], names: &[String]) -> Vec<Param> {
    let with_name = |(index, value): (usize, &CallParam)| {
        let mut param = value.param.clone();
        if param.name.is_empty() {
            param.name = names.get(index).cloned().unwrap_or_default();
        }
        param
    };
    values.iter().enumerate().map(with_name).collect()
}

/// A character parameter's text; empty for NULL or another type.
pub fn text_of(param: Option<&CallParam>) -> &str {
    match param.map(|call| &call.param.value) {
        Some(Value::Text(text)) => text,
        _ => "",
    }
}

/// An integer parameter; None for NULL or another type.
pub fn int_of(param: Option<&CallParam>) -> Option<i32> {
    match param.map(|call| &call.param.value) {
        Some(Value::Int(value)) => i32::try_from(*value).ok(),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn sample() -> Vec<u8> {
        // sp_executesql by number, N'ab', then a bigint NULL passed by reference.
        let mut body = vec![4, 0, 0, 0, 0xff, 0xff, 10, 0, 0, 0];
        body.extend([0, 0, 0xe7, 8, 0, 9, 4, 0xd0, 0, 0x34, 4, 0, b'a', 0, b'b', 0]);
        body.extend([2, b'@', 0, b'x', 0, 1, 0x26, 8, 0]);
        body
    }

    #[test]
    fn a_call_with_an_output_parameter() {
        let calls = rpc(&Bytes::from(sample())).unwrap();
        assert_eq!(calls[0].procedure, Procedure::ExecuteSql);
        assert_eq!(text_of(calls[0].params.first()), "ab");
        assert_eq!(calls[0].params[1].param, Param { name: "@x".into(), value: Value::Null });
        assert_eq!(calls[0].params[1].by_ref.as_deref(), Some(&[0x26, 8, 0][..]));
    }

    #[test]
    fn several_calls_in_one_message() {
        let mut body = sample();
        body.push(0xff);
        body.extend_from_slice(&sample()[4..]);
        assert_eq!(rpc(&Bytes::from(body)).unwrap().len(), 2);
    }

    #[test]
    fn procedures_are_known_by_name_in_any_spelling() {
        let name = "[sys].SP_ExecuteSQL";
        let mut body = vec![4, 0, 0, 0, name.len() as u8, 0];
        body.extend(name.encode_utf16().flat_map(u16::to_le_bytes));
        body.extend([0, 0]);
        assert_eq!(rpc(&Bytes::from(body)).unwrap()[0].procedure, Procedure::ExecuteSql);
    }

    #[test]
    fn declarations_give_positional_values_their_names() {
        assert_eq!(declared_names("@P1 decimal(10,2),@b nvarchar(max) OUTPUT , "), ["@P1", "@b"]);
        assert_eq!(declared_names(""), [""; 0]);
    }

    proptest! {
        #[test]
        fn random_and_mutated_requests_never_panic(
            noise in prop::collection::vec(any::<u8>(), 0..300),
            flips in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..8),
        ) {
            let _ = (batch(&noise), rpc(&Bytes::from(noise.clone())), transaction(&noise));
            let mut bytes = sample();
            for (index, byte) in flips {
                let at = index.index(bytes.len());
                bytes[at] = byte;
            }
            let _ = rpc(&Bytes::from(bytes));
        }
    }
}
