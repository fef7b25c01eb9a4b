//! The small tokens of an answer: ERROR and INFO, ENVCHANGE, DONE and its relatives, LOGINACK, return values.
//!
//! Each function appends one whole token; `answer` and `login` decide which.

use bytes::{BufMut, BytesMut};

use super::types::COLLATION;
use crate::sim::backend::ServerMessage;

/// DONE status: more results follow.
pub const DONE_MORE: u16 = 0x0001;
/// DONE status: the statement failed.
pub const DONE_ERROR: u16 = 0x0002;
/// DONE status: the row count is valid.
pub const DONE_COUNT: u16 = 0x0010;
/// DONE status: acknowledges an attention.
pub const DONE_ATTENTION: u16 = 0x0020;

/// The statement class that DONE names for a SELECT.
pub const COMMAND_SELECT: u16 = 0xc1;

/// The kind of a DONE token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DoneKind {
    /// ends a statement of a batch
    Batch = 0xfd,
    /// ends a procedure
    Procedure = 0xfe,
    /// ends a statement within a procedure
    InProcedure = 0xff,
}

/// Appends a DONE token of the given kind.
pub fn put_done(out: &mut BytesMut, kind: DoneKind, status: u16, command: u16, rows: u64) {
    out.put_u8(kind as u8);
    out.put_u16_le(status);
    out.put_u16_le(command);
    out.put_u64_le(rows);
}

/// Appends RETURNSTATUS, the return value of a procedure.
pub fn put_return_status(out: &mut BytesMut, status: i32) {
    out.put_u8(0x79);
    out.put_i32_le(status);
}

/// Appends RETURNVALUE, an output parameter: `typed` is its TYPE_INFO and its value.
pub fn put_return_value(out: &mut BytesMut, ordinal: u16, name: &str, typed: &[u8]) {
    out.put_u8(0xac);
    out.put_u16_le(ordinal);
    put_b_varchar(out, name);
    out.put_u8(1);
    out.put_u32_le(0);
    out.put_u16_le(0);
    out.put_slice(typed);
}

/// Appends ERROR (class > 10) or INFO.
pub fn put_message(out: &mut BytesMut, message: &ServerMessage, server: &str) {
    let mut body = BytesMut::new();
    body.put_i32_le(message.number);
    body.put_u8(message.state);
    body.put_u8(message.class);
    put_us_varchar(&mut body, &message.text);
    put_b_varchar(&mut body, server);
    put_b_varchar(&mut body, "");
    body.put_u32_le(message.line);
    out.put_u8(if message.class > 10 { 0xaa } else { 0xab });
    out.put_u16_le(body.len() as u16);
    out.put_slice(&body);
}

/// Appends ENVCHANGE 1 (database) and the INFO that goes with it.
pub fn put_database(out: &mut BytesMut, new: &str, old: &str, server: &str) {
    put_env_texts(out, 1, new, old);
    put_message(out, &info(5701, 2, format!("Changed database context to '{new}'.")), server);
}

/// Appends ENVCHANGE 2 (language) and the INFO that goes with it.
pub fn put_language(out: &mut BytesMut, server: &str) {
    put_env_texts(out, 2, "us_english", "");
    put_message(out, &info(5703, 1, "Changed language setting to us_english.".to_owned()), server);
}

/// Appends ENVCHANGE 4 (packet size).
pub fn put_packet_size(out: &mut BytesMut, new: usize, old: usize) {
    put_env_texts(out, 4, &new.to_string(), &old.to_string());
}

/// Appends ENVCHANGE 7 (collation).
pub fn put_collation(out: &mut BytesMut) {
    put_env_bytes(out, 7, &COLLATION, &[]);
}

/// Appends ENVCHANGE 8 (transaction begun): the new value is its descriptor.
pub fn put_transaction_begun(out: &mut BytesMut, descriptor: u64) {
    put_env_bytes(out, 8, &descriptor.to_le_bytes(), &[]);
}

/// Appends ENVCHANGE 9 (committed) or 10 (rolled back): the old value is the descriptor.
pub fn put_transaction_ended(out: &mut BytesMut, committed: bool, descriptor: u64) {
    put_env_bytes(out, if committed { 9 } else { 10 }, &[], &descriptor.to_le_bytes());
}

/// Appends ENVCHANGE 18, the acknowledgement of a reset connection.
pub fn put_reset_done(out: &mut BytesMut) {
    put_env_bytes(out, 18, &[], &[]);
}

/// Appends LOGINACK: the TDS version (as its big-endian bytes read) and the server's version.
pub fn put_login_ack(out: &mut BytesMut, tds_version: u32, server_version: [u8; 4]) {
    let mut body = BytesMut::new();
    body.put_u8(1);
    body.put_u32(tds_version);
    put_b_varchar(&mut body, "Microsoft SQL Server");
    body.put_slice(&server_version);
    out.put_u8(0xad);
    out.put_u16_le(body.len() as u16);
    out.put_slice(&body);
}

/// Appends FEATUREEXTACK for the extensions that are acknowledged: UTF-8 collations, and a bearer token that was taken.
pub fn put_feature_acks(out: &mut BytesMut, utf8: bool, token: bool) {
    out.put_u8(0xae);
    if token {
        out.put_slice(&[0x02, 0, 0, 0, 0]);
    }
    if utf8 {
        out.put_slice(&[0x0a, 1, 0, 0, 0, 1]);
    }
    out.put_u8(0xff);
}

fn info(number: i32, state: u8, text: String) -> ServerMessage {
    ServerMessage { number, class: 10, state, text, line: 1 }
}

fn put_env_texts(out: &mut BytesMut, kind: u8, new: &str, old: &str) {
    let mut body = BytesMut::new();
    body.put_u8(kind);
    put_b_varchar(&mut body, new);
    put_b_varchar(&mut body, old);
    put_env(out, &body);
}

fn put_env_bytes(out: &mut BytesMut, kind: u8, new: &[u8], old: &[u8]) {
    let mut body = BytesMut::new();
    body.put_u8(kind);
    body.put_u8(new.len() as u8);
    body.put_slice(new);
    body.put_u8(old.len() as u8);
    body.put_slice(old);
    put_env(out, &body);
}

fn put_env(out: &mut BytesMut, body: &[u8]) {
    out.put_u8(0xe3);
    out.put_u16_le(body.len() as u16);
    out.put_slice(body);
}

/// Appends a `B_VARCHAR`: a count byte, then UTF-16 units; cut at 255 units.
pub fn put_b_varchar(out: &mut BytesMut, text: &str) {
    let units: Vec<u16> = text.encode_utf16().take(255).collect();
    out.put_u8(units.len() as u8);
    for unit in units {
        out.put_u16_le(unit);
    }
}

/// A 16-bit count, then UTF-16 units; cut at the 2,047 units that a server message may have.
fn put_us_varchar(out: &mut BytesMut, text: &str) {
    let units: Vec<u16> = text.encode_utf16().take(2047).collect();
    out.put_u16_le(units.len() as u16);
    for unit in units {
        out.put_u16_le(unit);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn severity_decides_between_error_and_info() {
        for (class, token) in [(0, 0xab), (10, 0xab), (11, 0xaa), (16, 0xaa)] {
            let message = ServerMessage { number: 208, class, state: 1, text: "x".into(), line: 1 };
            let mut out = BytesMut::new();
            put_message(&mut out, &message, "s");
            assert_eq!(out[0], token);
            assert_eq!(usize::from(u16::from_le_bytes([out[1], out[2]])), out.len() - 3);
        }
    }

    #[test]
    fn giant_texts_keep_the_token_length_true() {
        let message = ServerMessage { number: 1, class: 16, state: 1, text: "x".repeat(100_000), line: 1 };
        let mut out = BytesMut::new();
        put_message(&mut out, &message, &"s".repeat(1000));
        assert_eq!(usize::from(u16::from_le_bytes([out[1], out[2]])), out.len() - 3);
    }
}
