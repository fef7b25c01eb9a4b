//! PRELOGIN (MS-TDS 2.2.6.5), done by us instead of by the driver: it decides about TLS, and TLS is ours. Used by
//! `secure`. Pure but for [`read`]. The server is not trusted yet: its bytes are hostile.

use std::io;
use tokio::io::{AsyncRead, AsyncReadExt};

/// Bytes of a packet's header.
pub(super) const HEADER_BYTES: usize = 8;
/// Packet type of PRELOGIN, and of TLS records that travel in packets.
pub(super) const TYPE_PRELOGIN: u8 = 0x12;
/// Packet type of every answer.
const TYPE_ANSWER: u8 = 0x04;
const END_OF_MESSAGE: u8 = 1;
/// The longest PRELOGIN that is accepted, bytes.
const MAX_ANSWER_BYTES: usize = 4096;

const VERSION: u8 = 0;
const ENCRYPTION: u8 = 1;
const INSTANCE: u8 = 2;
const THREAD: u8 = 3;
const MARS: u8 = 4;
const FED_AUTH_REQUIRED: u8 = 6;
const TERMINATOR: u8 = 0xFF;

const ON: u8 = 1;
const NOT_SUPPORTED: u8 = 2;
const REQUIRED: u8 = 3;

/// Our own version as clients write it; servers ignore it.
const CLIENT_VERSION: [u8; 6] = [16, 0, 0, 0, 0, 0];

/// The packet that asks for encryption of everything. `token`: the login will be by a bearer token.
pub(super) fn ask(token: bool) -> Vec<u8> {
    let mut options: Vec<(u8, &[u8])> = vec![
        (VERSION, &CLIENT_VERSION),
        (ENCRYPTION, &[ON]),
        (INSTANCE, &[0]),
        (THREAD, &[0; 4]),
        (MARS, &[0]),
    ];
    if token {
        options.push((FED_AUTH_REQUIRED, &[1]));
    }
    let mut payload = Vec::new();
    let mut offset = options.len() * 5 + 1;
    for (option, value) in &options {
        payload.push(*option);
        payload.extend((offset as u16).to_be_bytes());
        payload.extend((value.len() as u16).to_be_bytes());
        offset += value.len();
    }
    payload.push(TERMINATOR);
    payload.extend(options.iter().flat_map(|(_, value)| *value));
    packet(TYPE_PRELOGIN, &payload)
}

fn packet(kind: u8, payload: &[u8]) -> Vec<u8> {
    let mut packet = header(kind, payload.len()).to_vec();
    packet.extend_from_slice(payload);
    packet
}

/// The header of a packet that is a whole message.
pub(super) fn header(kind: u8, payload_bytes: usize) -> [u8; HEADER_BYTES] {
    let [high, low] = u16::try_from(payload_bytes + HEADER_BYTES).unwrap_or(u16::MAX).to_be_bytes();
    [kind, END_OF_MESSAGE, high, low, 0, 0, 0, 0]
}

/// A server's answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Reply {
    payload: Vec<u8>,
    /// where the encryption level stands in it
    encryption_at: usize,
}

/// Reads the answer to [`ask`].
///
/// # Errors
/// `InvalidData` for anything that is not such an answer.
pub(super) async fn read(from: &mut (impl AsyncRead + Unpin)) -> io::Result<Reply> {
    let mut payload = Vec::new();
    loop {
        let mut head = [0; HEADER_BYTES];
        from.read_exact(&mut head).await?;
        let length = usize::from(u16::from_be_bytes([head[2], head[3]]));
        let (true, Some(bytes)) = (head[0] == TYPE_ANSWER, length.checked_sub(HEADER_BYTES)) else {
            return Err(not_tds());
        };
        let start = payload.len();
        if start + bytes > MAX_ANSWER_BYTES {
            return Err(not_tds());
        }
        payload.resize(start + bytes, 0);
        from.read_exact(&mut payload[start..]).await?;
        if head[1] & END_OF_MESSAGE != 0 {
            return Reply::parse(payload).ok_or_else(not_tds);
        }
    }
}

fn not_tds() -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, "the first answer is not TDS; is this a SQL Server?")
}

impl Reply {
    fn parse(payload: Vec<u8>) -> Option<Self> {
        let mut at = 0;
        let encryption_at = loop {
            match payload.get(at..at + 5) {
                Some([ENCRYPTION, high, low, _, _]) => break usize::from(u16::from_be_bytes([*high, *low])),
                Some([option, ..]) if *option != TERMINATOR => at += 5,
                _ => return None,
            }
        };
        payload.get(encryption_at)?;
        Some(Self { payload, encryption_at })
    }

    /// True if the server encrypts everything, as it was asked to.
    pub(super) fn encrypts(&self) -> bool {
        matches!(self.payload.get(self.encryption_at), Some(&(ON | REQUIRED)))
    }

    /// The answer as the driver gets it: without encryption, which happens below the driver.
    pub(super) fn for_driver(mut self) -> Vec<u8> {
        if let Some(level) = self.payload.get_mut(self.encryption_at) {
            *level = NOT_SUPPORTED;
        }
        packet(TYPE_ANSWER, &self.payload)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn answer(level: u8) -> Vec<u8> {
        let mut answer = ask(false);
        answer[0] = TYPE_ANSWER;
        let at = answer.len() - 7;
        assert_eq!(answer[at], ON);
        answer[at] = level;
        answer
    }

    #[tokio::test]
    async fn the_servers_level_is_seen_and_hidden_from_the_driver() {
        for (level, encrypts) in [(0, false), (ON, true), (NOT_SUPPORTED, false), (REQUIRED, true)] {
            let reply = read(&mut &*answer(level)).await.unwrap();
            assert_eq!(reply.encrypts(), encrypts, "{level}");
            assert_eq!(reply.for_driver(), answer(NOT_SUPPORTED));
        }
    }

    #[tokio::test]
    async fn an_answer_may_come_in_several_packets() {
        let whole = answer(ON);
        let (first, second) = whole[HEADER_BYTES..].split_at(9);
        let mut wire = packet(TYPE_ANSWER, first);
        wire[1] = 0;
        wire.extend(packet(TYPE_ANSWER, second));
        assert!(read(&mut &*wire).await.unwrap().encrypts());
    }

    #[tokio::test]
    async fn other_protocols_are_recognised() {
        for other in
            [&b"SSH-2.0-OpenSSH_9.6\r\n"[..], b"HTTP/1.1 400 Bad Request\r\n", &[4, 1, 0, 3, 0, 0, 0, 0]]
        {
            assert_eq!(read(&mut &*other).await.unwrap_err().kind(), io::ErrorKind::InvalidData);
        }
    }

    proptest! {
        #[test]
        fn random_answers_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            if let Some(reply) = Reply::parse(bytes) {
                reply.encrypts();
                reply.for_driver();
            }
        }
    }
}
