//! Readings, instances, texts and events to bytes and back: MessagePack, as arrays, so a field that a newer version appends
//! has its default in older bytes. No files here.

use super::numbers::Garbled;
use crate::model::{
    base::time::Timestamp,
    inventory::{
        instance::{Fingerprint, InstanceId, InstanceInfo, TlsMode},
        record::LabelColor,
    },
    poll::statement::{SqlText, TextId},
    timeline::record::Recorded,
};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use std::sync::Arc;
use zstd::bulk::Compressor;

/// To bytes. No bytes if the value cannot be encoded, which no type here causes.
pub fn bytes(what: &impl Serialize) -> Vec<u8> {
    rmp_serde::to_vec(what).unwrap_or_default()
}

/// From bytes.
pub fn read<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Garbled> {
    rmp_serde::from_slice(bytes).map_err(|_| Garbled)
}

/// A reading, from bytes.
pub fn happened(bytes: &[u8]) -> Result<Recorded, Garbled> {
    read(bytes)
}

/// The kept part of an instance: the fields that the screen shows. The way it is polled is not history.
/// In files by position: fields are only appended, each with a default; variants keep their names.
#[derive(Default, Serialize, Deserialize)]
#[serde(default)]
struct Portrait {
    name: Arc<str>,
    address: Arc<str>,
    groups: Vec<Arc<str>>,
    labels: Vec<(Arc<str>, Arc<str>)>,
    colors: Vec<LabelColor>,
    /// 0 verify, 1 pin, 2 strict, 3 insecure, 4 login only, 5 off
    tls: u8,
    pin: Vec<u8>,
    tag: Option<Arc<str>>,
    added_at: Option<Timestamp>,
}

/// An instance, to bytes.
pub fn info_bytes(info: &InstanceInfo) -> Vec<u8> {
    let (tls, pin) = match info.tls {
        TlsMode::Verify => (0, Vec::new()),
        TlsMode::Pin(pin) => (1, pin.0.to_vec()),
        TlsMode::Strict => (2, Vec::new()),
        TlsMode::Insecure => (3, Vec::new()),
        TlsMode::LoginOnly => (4, Vec::new()),
        TlsMode::Off => (5, Vec::new()),
    };
    bytes(&Portrait {
        name: info.id.as_str().into(),
        address: info.address.clone(),
        groups: info.groups.clone(),
        labels: info.labels.clone(),
        colors: info.colors.clone(),
        tls,
        pin,
        tag: info.tag.clone(),
        added_at: info.added_at,
    })
}

/// An instance, from bytes.
pub fn info(uid: Arc<str>, bytes: &[u8]) -> Result<InstanceInfo, Garbled> {
    let portrait: Portrait = read(bytes)?;
    let tls = match (portrait.tls, <[u8; 32]>::try_from(portrait.pin)) {
        (0, _) => TlsMode::Verify,
        (1, Ok(pin)) => TlsMode::Pin(Fingerprint(pin)),
        (2, _) => TlsMode::Strict,
        (3, _) => TlsMode::Insecure,
        (4, _) => TlsMode::LoginOnly,
        (5, _) => TlsMode::Off,
        _ => return Err(Garbled),
    };
    Ok(InstanceInfo {
        id: InstanceId::new(portrait.name),
        uid,
        address: portrait.address,
        groups: portrait.groups,
        labels: portrait.labels,
        tls,
        poll: Arc::default(),
        tag: portrait.tag,
        colors: portrait.colors,
        added_at: portrait.added_at,
    })
}

/// The packed part of a text.
/// In files by position: fields are only appended, each with a default; variants keep their names.
#[derive(Serialize, Deserialize)]
struct Words {
    batch: Arc<str>,
    full_chars: Option<u64>,
    object_id: Option<i32>,
    encrypted: bool,
}

/// A text is at most this long once unpacked, bytes: far more than a probe brings.
const MAX_TEXT: usize = 8 << 20;

/// Packs texts with memory that is allocated once: allocating it for each takes longer than a text itself.
#[derive(Default)]
pub struct TextPress(Option<Compressor<'static>>);

impl TextPress {
    const LEVEL: i32 = 6;

    /// A text, to packed bytes.
    pub fn bytes(&mut self, text: &SqlText) -> std::io::Result<Vec<u8>> {
        let plain = bytes(&Words {
            batch: text.batch.clone(),
            full_chars: text.full_chars,
            object_id: text.object_id,
            encrypted: text.encrypted,
        });
        let compressor = match &mut self.0 {
            Some(compressor) => compressor,
            none => none.insert(Compressor::new(Self::LEVEL)?),
        };
        compressor.compress(&plain)
    }
}

/// A text, from packed bytes.
pub fn text(packed: &[u8]) -> Result<SqlText, Garbled> {
    let room = zstd::zstd_safe::get_frame_content_size(packed).ok().flatten().ok_or(Garbled)?;
    let room = usize::try_from(room).ok().filter(|room| *room <= MAX_TEXT).ok_or(Garbled)?;
    let plain = zstd::bulk::decompress(packed, room).map_err(|_| Garbled)?;
    let words: Words = read(&plain)?;
    Ok(SqlText::new(words.batch, words.full_chars, words.object_id, words.encrypted))
}

/// The id of a text as a column has it.
pub fn text_id(id: TextId) -> [u8; 16] {
    let mut bytes = [0; 16];
    bytes[..8].copy_from_slice(&id.0.to_le_bytes());
    bytes[8..].copy_from_slice(&id.1.to_le_bytes());
    bytes
}
