//! TDS packets: the 8-byte header, requests put together from their packets, answers cut into packets.
//!
//! Pure bytes, no I/O; `link` moves them over the socket.

use bytes::{Buf, BufMut, Bytes, BytesMut};

/// Bytes of a packet header.
pub const HEADER_BYTES: usize = 8;
/// The size of packets until LOGIN7 asks for another.
pub const DEFAULT_PACKET_BYTES: usize = 4096;
/// The longest request that is accepted; a longer one closes the connection.
pub const MAX_MESSAGE_BYTES: usize = 16 << 20;

/// Status bit: the last packet of a message.
const END_OF_MESSAGE: u8 = 0x01;
/// Status bit: the client gave the message up while it was sending it.
const IGNORE: u8 = 0x02;
/// Status bits: reset the session before the request (the second keeps an open transaction).
const RESET_CONNECTION: u8 = 0x08 | 0x10;

/// The packet types that clients and servers use (MS-TDS 2.2.3.1.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// SQL batch
    Batch,
    /// remote procedure call
    Rpc,
    /// server's answer
    Answer,
    /// cancel the running request
    Attention,
    /// rows of a bulk load
    BulkLoad,
    /// transaction manager request
    Transaction,
    /// LOGIN7
    Login,
    /// PRELOGIN, and TLS records while the handshake lasts
    Prelogin,
    /// a known or unknown type that this server does not serve
    Other(u8),
}

impl Kind {
    fn from_byte(byte: u8) -> Self {
        match byte {
            0x01 => Self::Batch,
            0x03 => Self::Rpc,
            0x04 => Self::Answer,
            0x06 => Self::Attention,
            0x07 => Self::BulkLoad,
            0x0e => Self::Transaction,
            0x10 => Self::Login,
            0x12 => Self::Prelogin,
            other => Self::Other(other),
        }
    }
}

/// The packet type of answers.
pub const TYPE_ANSWER: u8 = 0x04;
/// The packet type of PRELOGIN and of wrapped TLS records.
pub const TYPE_PRELOGIN: u8 = 0x12;

/// One whole request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// kind of request
    pub kind: Kind,
    /// its bytes without packet headers
    pub body: Bytes,
    /// the client gave it up while sending it
    pub ignored: bool,
    /// the session is to be reset first
    pub reset: bool,
}

/// The client's bytes are not a packet stream, or too long.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BadPacket {
    /// a header with a length below its own 8 bytes
    #[error("client sent a packet header with the impossible length {0}")]
    Length(u16),
    /// a message over [`MAX_MESSAGE_BYTES`]
    #[error("client sent a request over {MAX_MESSAGE_BYTES} bytes")]
    TooLong,
    /// packets of different types in one message
    #[error("client mixed packet types within a request")]
    Mixed,
}

/// Puts requests together from the bytes that arrive.
#[derive(Debug, Default)]
pub struct Inbox {
    raw: BytesMut,
    kind: Option<u8>,
    body: BytesMut,
    reset: bool,
}

impl Inbox {
    /// The buffer to which newly read bytes are appended.
    pub fn raw(&mut self) -> &mut BytesMut {
        &mut self.raw
    }

    /// True while little is waiting, so that more should be read.
    pub fn wants_more(&self) -> bool {
        self.raw.len() < 1 << 16
    }

    /// The next whole message, or None until more bytes arrive.
    ///
    /// # Errors
    /// [`BadPacket`]: the connection cannot be understood any more and must be closed.
    pub fn next(&mut self) -> Result<Option<Message>, BadPacket> {
        while let Some(packet_bytes) = self.whole_packet()? {
            let (kind, status) = (self.raw[0], self.raw[1]);
            if *self.kind.get_or_insert(kind) != kind {
                return Err(BadPacket::Mixed);
            }
            let mut packet = self.raw.split_to(packet_bytes);
            packet.advance(HEADER_BYTES);
            if self.body.len() + packet.len() > MAX_MESSAGE_BYTES {
                return Err(BadPacket::TooLong);
            }
            if self.body.is_empty() {
                self.body = packet;
            } else {
                self.body.extend_from_slice(&packet);
            }
            self.reset |= status & RESET_CONNECTION != 0;
            if status & END_OF_MESSAGE != 0 {
                self.kind = None;
                return Ok(Some(Message {
                    kind: Kind::from_byte(kind),
                    body: std::mem::take(&mut self.body).freeze(),
                    ignored: status & IGNORE != 0,
                    reset: std::mem::take(&mut self.reset),
                }));
            }
        }
        Ok(None)
    }

    /// True if the next packet is an attention and no other request has begun before it. It is taken out.
    pub fn take_attention(&mut self) -> bool {
        let found = self.kind.is_none()
            && self.raw.first() == Some(&0x06)
            && matches!(self.whole_packet(), Ok(Some(_)));
        found && matches!(self.next(), Ok(Some(Message { kind: Kind::Attention, .. })))
    }

    /// The length of the packet at the front, if it is there in full.
    fn whole_packet(&self) -> Result<Option<usize>, BadPacket> {
        let Some(header) = self.raw.first_chunk::<HEADER_BYTES>() else {
            return Ok(None);
        };
        let length = u16::from_be_bytes([header[2], header[3]]);
        if usize::from(length) < HEADER_BYTES {
            return Err(BadPacket::Length(length));
        }
        Ok((self.raw.len() >= usize::from(length)).then_some(usize::from(length)))
    }
}

/// Writes a header for `body_bytes` of answer.
pub fn put_header(out: &mut BytesMut, kind: u8, last: bool, body_bytes: usize, spid: i16, id: u8) {
    out.put_u8(kind);
    out.put_u8(if last { END_OF_MESSAGE } else { 0 });
    out.put_u16((body_bytes + HEADER_BYTES) as u16);
    out.put_i16(spid);
    out.put_u8(id);
    out.put_u8(0);
}

#[cfg(test)]
pub mod tests {
    use super::*;
    use proptest::prelude::*;

    /// A request cut into packets, as a client sends it.
    pub fn framed(kind: u8, body: &[u8], packet_bytes: usize) -> Vec<u8> {
        let mut out = BytesMut::new();
        let chunk = packet_bytes - HEADER_BYTES;
        let count = body.len().div_ceil(chunk).max(1);
        for index in 0..count {
            let part = &body[index * chunk..body.len().min((index + 1) * chunk)];
            put_header(&mut out, kind, index + 1 == count, part.len(), 0, index as u8);
            out.extend_from_slice(part);
        }
        out.to_vec()
    }

    #[test]
    fn a_length_below_the_header_is_refused() {
        let mut inbox = Inbox::default();
        inbox.raw().extend_from_slice(&[1, 1, 0, 7, 0, 0, 0, 0]);
        assert_eq!(inbox.next(), Err(BadPacket::Length(7)));
    }

    #[test]
    fn a_request_over_the_limit_is_refused_before_it_is_stored() {
        let mut inbox = Inbox::default();
        let mut packet = BytesMut::new();
        put_header(&mut packet, 1, false, 65_000, 0, 0);
        packet.resize(65_008, 0);
        let refused = (0..400).find_map(|_| {
            inbox.raw().extend_from_slice(&packet);
            inbox.next().err()
        });
        assert_eq!(refused, Some(BadPacket::TooLong));
    }

    #[test]
    fn attention_is_seen_only_where_a_message_may_start() {
        let mut inbox = Inbox::default();
        inbox.raw().extend_from_slice(&framed(6, &[], 4096)[..5]);
        assert!(!inbox.take_attention());
        inbox.raw().extend_from_slice(&framed(6, &[], 4096)[5..]);
        assert!(inbox.take_attention());
        assert!(!inbox.take_attention());
    }

    proptest! {
        #[test]
        fn any_split_of_the_stream_gives_the_same_messages(
            bodies in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..900), 1..4),
            packet_bytes in 16_usize..600,
            cuts in prop::collection::vec(1_usize..300, 1..40),
        ) {
            let stream: Vec<u8> = bodies.iter().flat_map(|b| framed(1, b, packet_bytes)).collect();
            let (mut inbox, mut seen, mut at) = (Inbox::default(), Vec::new(), 0);
            for cut in cuts.iter().cycle() {
                let end = stream.len().min(at + cut);
                inbox.raw().extend_from_slice(&stream[at..end]);
                at = end;
                while let Some(message) = inbox.next().unwrap() {
                    seen.push(message.body.to_vec());
                }
                if at == stream.len() { break; }
            }
            prop_assert_eq!(seen, bodies);
        }

        #[test]
        fn random_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..2000)) {
            let mut inbox = Inbox::default();
            inbox.raw().extend_from_slice(&bytes);
            let _ = inbox.take_attention();
            while let Ok(Some(_)) = inbox.next() {}
        }
    }
}
