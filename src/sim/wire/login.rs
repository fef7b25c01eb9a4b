//! LOGIN7: the client's request, and the tokens of a successful login.
//!
//! Pure; the backend checks the login.

use bytes::BytesMut;

use super::{
    packet::DEFAULT_PACKET_BYTES,
    read::{Malformed, Reader, utf16_lossy},
    tokens,
};
use crate::sim::backend::{LoginAttempt, Session};

/// TDS 7.4, the newest version with a LOGIN7 number of this shape.
const TDS_7_4: u32 = 0x7400_0004;
/// TDS 7.3B (SQL Server 2008 R2), the oldest version that is served: it brought NBCROW.
const TDS_7_3B: u32 = 0x730b_0003;
/// TDS 8.0 as clients write it.
const TDS_8_0: u32 = 0x0800_0000;

const FEATURE_UTF8: u8 = 0x0a;
const FEATURE_FED_AUTH: u8 = 0x02;
/// The library of FEDAUTH that sends its token with the login.
const SECURITY_TOKEN: u8 = 1;
const FEATURES_END: u8 = 0xff;

/// A parsed LOGIN7.
#[derive(Debug, Clone)]
pub struct Login {
    /// for the backend
    pub attempt: LoginAttempt,
    /// the agreed size of packets from now on
    pub packet_bytes: usize,
    /// the version to acknowledge
    tds_version: u32,
    /// the client asked for UTF-8 support
    utf8: bool,
}

/// Reads LOGIN7 (MS-TDS 2.2.6.4).
///
/// # Errors
/// [`Malformed`] for anything that is not a LOGIN7 of TDS 7.3B or newer.
pub fn parse(body: &[u8]) -> Result<Login, Malformed> {
    let mut fixed = Reader::new(body);
    fixed.u32()?;
    let tds_version = match fixed.u32()? {
        TDS_8_0 => TDS_8_0,
        version if version >= TDS_7_3B => version.min(TDS_7_4),
        _ => return Err(Malformed("LOGIN7 of a TDS version before 7.3B")),
    };
    let packet_bytes = match fixed.u32()? as usize {
        0 => DEFAULT_PACKET_BYTES,
        asked => asked.clamp(512, 32_767),
    };
    fixed.take(12)?;
    let (_flags1, _flags2, types, flags3) = (fixed.u8()?, fixed.u8()?, fixed.u8()?, fixed.u8()?);
    fixed.take(8)?;
    let mut field = || -> Result<&[u8], Malformed> {
        let (offset, units) = (usize::from(fixed.u16()?), usize::from(fixed.u16()?));
        slice(body, offset, units * 2)
    };
    let (host, user, password, program) = (field()?, field()?, field()?, field()?);
    let _server_name = field()?;
    let extension = fixed.rest().get(..4).ok_or(Malformed("LOGIN7 ends in its field table"))?;
    fixed.take(4)?;
    let mut field = || -> Result<&[u8], Malformed> {
        let (offset, units) = (usize::from(fixed.u16()?), usize::from(fixed.u16()?));
        slice(body, offset, units * 2)
    };
    let (_library, _language, database) = (field()?, field()?, field()?);
    let Features { utf8, token } =
        if flags3 & 0x10 == 0 { Features::default() } else { features(body, extension)? };
    Ok(Login {
        attempt: LoginAttempt {
            user: utf16_lossy(user),
            password: reveal(password),
            database: utf16_lossy(database),
            program: utf16_lossy(program),
            host: utf16_lossy(host),
            read_only: types & 0x20 != 0,
            token,
        },
        packet_bytes,
        tds_version,
        utf8,
    })
}

/// The extensions that are understood here.
#[derive(Debug, Clone, Default)]
struct Features {
    utf8: bool,
    token: Option<String>,
}

fn slice(body: &[u8], offset: usize, length: usize) -> Result<&[u8], Malformed> {
    // Clients may leave anything in the offset of an empty field.
    if length == 0 {
        return Ok(&[]);
    }
    body.get(offset..offset + length).ok_or(Malformed("LOGIN7 field outside the message"))
}

/// Undoes the obfuscation of the password: each byte has its halves swapped and is then XORed with 0xa5.
fn reveal(password: &[u8]) -> String {
    let plain: Vec<u8> = password.iter().map(|byte| (byte ^ 0xa5).rotate_left(4)).collect();
    utf16_lossy(&plain)
}

/// Walks the feature extension block, which `extension` (an offset and a length) leads to by one more pointer.
fn features(body: &[u8], extension: &[u8]) -> Result<Features, Malformed> {
    let offset = usize::from(Reader::new(extension).u16()?);
    let pointer = Reader::new(slice(body, offset, 4)?).u32()? as usize;
    let mut block = Reader::new(body.get(pointer..).ok_or(Malformed("LOGIN7 features outside the message"))?);
    let mut found = Features::default();
    loop {
        match block.u8()? {
            FEATURES_END => return Ok(found),
            feature => {
                found.utf8 |= feature == FEATURE_UTF8;
                let length = block.u32()? as usize;
                let data = block.take(length)?;
                if feature == FEATURE_FED_AUTH {
                    found.token = Some(token(data)?);
                }
            }
        }
    }
}

/// FEDAUTH with a security token: the library and an echo, the token's length in bytes, the token in UTF-16.
fn token(data: &[u8]) -> Result<String, Malformed> {
    let mut data = Reader::new(data);
    if data.u8()? >> 1 != SECURITY_TOKEN {
        return Err(Malformed("a kind of federated login other than a security token"));
    }
    let length = data.u32()? as usize;
    Ok(utf16_lossy(data.take(length)?))
}

/// Appends the answer to a successful login, but for the final DONE.
pub fn put_welcome(out: &mut BytesMut, login: &Login, session: &Session, version: [u8; 4], server: &str) {
    tokens::put_database(out, &session.database, "master", server);
    tokens::put_collation(out);
    tokens::put_language(out, server);
    tokens::put_login_ack(out, login.tds_version, version);
    tokens::put_packet_size(out, login.packet_bytes, DEFAULT_PACKET_BYTES);
    let token = login.attempt.token.is_some();
    if login.utf8 || token {
        tokens::put_feature_acks(out, login.utf8, token);
    }
}

#[cfg(test)]
pub mod tests {
    use super::*;
    use bytes::BufMut;
    use proptest::prelude::*;

    /// A LOGIN7 as a client writes it, with a feature block that asks for session recovery and UTF-8.
    pub fn login7(user: &str, password: &str) -> Vec<u8> {
        let mut out = BytesMut::new();
        let mut data = BytesMut::new();
        out.put_u32_le(0);
        out.put_u32_le(TDS_7_4);
        out.put_u32_le(8000);
        out.put_slice(&[0; 12]);
        out.put_slice(&[0xe0, 0x03, 0x20, 0x10]);
        out.put_slice(&[0; 8]);
        let obfuscate = |b: u8| b.rotate_left(4) ^ 0xa5;
        let fields = ["host", user, password, "app", "srv", "", "lib", "", "db"];
        for (index, text) in fields.iter().enumerate() {
            out.put_u16_le((94 + data.len()) as u16);
            if index == 5 {
                out.put_u16_le(4);
                data.put_u32_le(0);
                continue;
            }
            out.put_u16_le(text.encode_utf16().count() as u16);
            for byte in text.encode_utf16().flat_map(u16::to_le_bytes) {
                data.put_u8(if index == 2 { obfuscate(byte) } else { byte });
            }
        }
        out.resize(94, 0);
        let features = (94 + data.len()) as u32;
        let at = 5 * 4 + 36;
        let extension = usize::from(u16::from_le_bytes([out[at], out[at + 1]])) - 94;
        data[extension..extension + 4].copy_from_slice(&features.to_le_bytes());
        out.extend_from_slice(&data);
        out.put_slice(&[1, 0, 0, 0, 0, FEATURE_UTF8, 0, 0, 0, 0, FEATURES_END]);
        let length = (out.len() as u32).to_le_bytes();
        out[..4].copy_from_slice(&length);
        out.to_vec()
    }

    #[test]
    fn all_fields_are_read_and_the_password_is_clear() {
        let login = parse(&login7("sa", "Pä$$wörd 日")).unwrap();
        assert_eq!(login.attempt.user, "sa");
        assert_eq!(login.attempt.password, "Pä$$wörd 日");
        assert_eq!((login.attempt.host.as_str(), login.attempt.program.as_str()), ("host", "app"));
        assert_eq!(login.attempt.database, "db");
        assert!(login.attempt.read_only && login.utf8);
        assert_eq!(login.packet_bytes, 8000);
    }

    #[test]
    fn an_old_version_is_refused() {
        let mut old = login7("sa", "x");
        old[4..8].copy_from_slice(&0x7209_0002_u32.to_le_bytes());
        assert!(parse(&old).is_err());
    }

    proptest! {
        #[test]
        fn random_and_mutated_logins_never_panic(
            noise in prop::collection::vec(any::<u8>(), 0..300),
            flips in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..12),
            cut in any::<prop::sample::Index>(),
        ) {
            let _ = parse(&noise);
            let mut bytes = login7("sa", "secret");
            for (index, byte) in flips {
                let at = index.index(bytes.len());
                bytes[at] = byte;
            }
            let _ = parse(&bytes);
            bytes.truncate(cut.index(bytes.len()));
            let _ = parse(&bytes);
        }
    }
}
