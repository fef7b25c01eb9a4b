//! PRELOGIN: the client's offer, this server's answer, and the encryption that follows from both.
//!
//! Pure; `connection` calls it before any TLS (or inside it, for TDS 8.0).

use bytes::{BufMut, BytesMut};

use super::read::{Malformed, Reader};

/// The encryption of an instance, as "Force Encryption" and the certificate decide it on a real server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum EncryptionPolicy {
    /// encrypts what the client asks for, at least the login; TDS 8.0 too
    #[default]
    Optional,
    /// encrypts everything; a client that cannot is turned away; TDS 8.0 too
    Required,
    /// has no TLS at all
    NotSupported,
    /// only TDS 8.0: TLS comes first, a PRELOGIN in clear is turned away
    Strict,
}

/// The agreed encryption.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Encryption {
    /// none, even for the login
    None,
    /// for the login only
    LoginOnly,
    /// for the whole connection
    Full,
    /// client and server want what the other refuses: answer, then close
    Refused,
}

const VERSION: u8 = 0;
const ENCRYPTION: u8 = 1;
const INSTANCE: u8 = 2;
const THREAD: u8 = 3;
const MARS: u8 = 4;
const FED_AUTH_REQUIRED: u8 = 6;
const TERMINATOR: u8 = 0xff;

const OFF: u8 = 0;
const ON: u8 = 1;
const NOT_SUPPORTED: u8 = 2;
const REQUIRED: u8 = 3;

/// The client's PRELOGIN, as far as it matters here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Prelogin {
    encryption: u8,
    fed_auth: bool,
}

/// Reads a client's PRELOGIN.
///
/// # Errors
/// [`Malformed`] if the option table points outside the message.
pub fn parse(body: &[u8]) -> Result<Prelogin, Malformed> {
    let mut table = Reader::new(body);
    let mut prelogin = Prelogin { encryption: NOT_SUPPORTED, fed_auth: false };
    loop {
        let option = table.u8()?;
        if option == TERMINATOR {
            return Ok(prelogin);
        }
        let (offset, length) = (usize::from(table.u16_be()?), usize::from(table.u16_be()?));
        let data =
            body.get(offset..offset + length).ok_or(Malformed("PRELOGIN option outside the message"))?;
        match (option, data) {
            (ENCRYPTION, [level, ..]) => prelogin.encryption = *level,
            (FED_AUTH_REQUIRED, _) => prelogin.fed_auth = true,
            _ => {}
        }
    }
}

/// The answer's ENCRYPTION byte, and the encryption after it (MS-TDS 2.2.6.5). `inside_tls` is TDS 8.0.
fn negotiate(client: u8, policy: EncryptionPolicy, inside_tls: bool) -> (u8, Encryption) {
    // Only the low bits are a level: TDS 7.4 clients may set 0x80 for client certificates.
    let client = client & 0x0f;
    match (policy, client) {
        _ if inside_tls => (client.min(REQUIRED), Encryption::Full),
        (EncryptionPolicy::NotSupported, ON | REQUIRED) => (NOT_SUPPORTED, Encryption::Refused),
        (EncryptionPolicy::NotSupported, _) => (NOT_SUPPORTED, Encryption::None),
        (EncryptionPolicy::Strict, _) | (EncryptionPolicy::Required, NOT_SUPPORTED) => {
            (REQUIRED, Encryption::Refused)
        }
        (_, ON | REQUIRED) => (ON, Encryption::Full),
        (EncryptionPolicy::Required, _) => (REQUIRED, Encryption::Full),
        (EncryptionPolicy::Optional, OFF) => (OFF, Encryption::LoginOnly),
        (EncryptionPolicy::Optional, _) => (NOT_SUPPORTED, Encryption::None),
    }
}

/// Writes the answer and returns the agreed encryption. `version` is the backend's four bytes.
pub fn answer(
    client: Prelogin,
    policy: EncryptionPolicy,
    inside_tls: bool,
    version: [u8; 4],
    out: &mut BytesMut,
) -> Encryption {
    let (level, agreed) = negotiate(client.encryption, policy, inside_tls);
    let version = [version[0], version[1], version[2], version[3], 0, 0];
    let mut options: Vec<(u8, &[u8])> = vec![
        (VERSION, &version),
        (ENCRYPTION, std::slice::from_ref(&level)),
        (INSTANCE, &[0]),
        (THREAD, &[]),
    ];
    options.push((MARS, &[0]));
    if client.fed_auth {
        options.push((FED_AUTH_REQUIRED, &[1]));
    }
    let mut offset = options.len() * 5 + 1;
    for (option, data) in &options {
        out.put_u8(*option);
        out.put_u16(offset as u16);
        out.put_u16(data.len() as u16);
        offset += data.len();
    }
    out.put_u8(TERMINATOR);
    for (_, data) in &options {
        out.extend_from_slice(data);
    }
    agreed
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn levels_follow_the_specification() {
        use EncryptionPolicy::{NotSupported, Optional, Required, Strict};
        let cases = [
            (OFF, Optional, (OFF, Encryption::LoginOnly)),
            (ON, Optional, (ON, Encryption::Full)),
            (REQUIRED, Optional, (ON, Encryption::Full)),
            (NOT_SUPPORTED, Optional, (NOT_SUPPORTED, Encryption::None)),
            (OFF, Required, (REQUIRED, Encryption::Full)),
            (NOT_SUPPORTED, Required, (REQUIRED, Encryption::Refused)),
            (OFF, NotSupported, (NOT_SUPPORTED, Encryption::None)),
            (ON, NotSupported, (NOT_SUPPORTED, Encryption::Refused)),
            (ON, Strict, (REQUIRED, Encryption::Refused)),
        ];
        for (client, policy, expected) in cases {
            assert_eq!(negotiate(client, policy, false), expected, "client {client}, {policy:?}");
        }
    }

    #[test]
    fn the_answer_is_a_prelogin_itself() {
        let mut out = BytesMut::new();
        let client = Prelogin { encryption: ON, fed_auth: true };
        answer(client, EncryptionPolicy::Required, false, [16, 0, 0x10, 0x5c], &mut out);
        assert_eq!(parse(&out).unwrap(), client);
    }

    #[test]
    fn an_option_outside_the_message_is_refused() {
        assert!(parse(&[1, 0, 90, 0, 1, 0xff]).is_err());
    }

    proptest! {
        #[test]
        fn random_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
            let _ = parse(&bytes);
        }
    }
}
