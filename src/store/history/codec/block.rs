//! The readings of an instance over a quarter of an hour as one blob: a list of its contents, then the encoded readings in
//! pieces compressed with zstd. The block begins with a *keyframe*, the newest of each kind before it, so this block alone
//! has the state at any moment within it. The writer makes it, the reader takes it apart. `pack` knows the bytes of a
//! reading.

use super::numbers::{Bytes, Garbled, put, put_signed};
use std::collections::BTreeMap;
use zstd::bulk::{Compressor, Decompressor};

const FORMAT: u8 = 1;
/// More readings than this are split over two blocks.
pub const MAX_ENTRIES: usize = 1 << 14;
/// And more bytes.
pub const MAX_BYTES: usize = 16 << 20;
/// The level of zstd: higher ones cost more than they save here (`docs/performance.md`).
const LEVEL: i32 = 5;
/// Readings of so long share a piece, ms. For the state at one moment only the pieces with its readings are unpacked.
const PIECE_MS: i64 = 5 * 60_000;

/// One reading: its kind (`crate::model::timeline::record::Slot`), its time (ms since 1970), encoded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    pub slot: u8,
    pub at: i64,
    pub bytes: Vec<u8>,
}

#[derive(Debug, Clone, Copy)]
struct Line {
    slot: u8,
    at: i64,
    piece: usize,
    from: usize,
    length: usize,
}

/// A block with its list read, and its pieces not unpacked.
pub struct Block<'a> {
    lines: Vec<Line>,
    /// packed bytes, and the number of bytes when unpacked
    pieces: Vec<(&'a [u8], usize)>,
}

/// Packs and unpacks pieces with memory that is allocated once: allocating it for each takes longer than a short piece
/// itself.
#[derive(Default)]
pub struct Press {
    encoder: Option<Compressor<'static>>,
    decoder: Option<Decompressor<'static>>,
    plain: Vec<u8>,
}

impl Press {
    fn pack(&mut self, plain: &[u8]) -> std::io::Result<Vec<u8>> {
        let encoder = match &mut self.encoder {
            Some(encoder) => encoder,
            none => none.insert(Compressor::new(LEVEL)?),
        };
        encoder.compress(plain)
    }

    /// Unpacks all `whole` bytes: a piece is one block of zstd, which has no half.
    fn unpack(&mut self, packed: &[u8], whole: usize) -> Result<&[u8], Garbled> {
        let decoder = match &mut self.decoder {
            Some(decoder) => decoder,
            none => none.insert(Decompressor::new().map_err(|_| Garbled)?),
        };
        self.plain.clear();
        self.plain.reserve(whole);
        let done = decoder.decompress_to_buffer(packed, &mut self.plain).map_err(|_| Garbled)?;
        if done == whole { Ok(&self.plain) } else { Err(Garbled) }
    }
}

/// Writes a block. `keyframe` comes before `entries`, both in order of time; together at most [`MAX_ENTRIES`].
pub fn encode(keyframe: &[Entry], entries: &[Entry], with: &mut Press) -> std::io::Result<Vec<u8>> {
    let mut pieces: Vec<Vec<u8>> = vec![Vec::new()];
    let mut list = Vec::new();
    let mut before = 0;
    let first = entries.first().map_or(0, |entry| entry.at);
    let all = keyframe.iter().map(|entry| (0, entry)).chain(
        entries.iter().map(|entry| (1 + ((entry.at - first) / PIECE_MS).clamp(0, 255) as usize, entry)),
    );
    let mut piece = 0;
    for (wanted, entry) in all {
        let next = if wanted > piece {
            piece = wanted;
            pieces.push(Vec::new());
            1
        } else {
            0
        };
        list.push(entry.slot);
        put_signed(&mut list, entry.at.wrapping_sub(before));
        put(&mut list, (entry.bytes.len() as u64) << 1 | next);
        before = entry.at;
        if let Some(piece) = pieces.last_mut() {
            piece.extend_from_slice(&entry.bytes);
        }
    }
    let mut out = vec![FORMAT];
    put(&mut out, (keyframe.len() + entries.len()) as u64);
    put(&mut out, pieces.len() as u64);
    out.extend_from_slice(&list);
    let packed: Vec<Vec<u8>> = pieces.iter().map(|piece| with.pack(piece)).collect::<Result<_, _>>()?;
    for (piece, packed) in pieces.iter().zip(&packed) {
        put(&mut out, piece.len() as u64);
        put(&mut out, packed.len() as u64);
    }
    for packed in packed {
        out.extend_from_slice(&packed);
    }
    Ok(out)
}

impl<'a> Block<'a> {
    /// Reads the list.
    pub fn read(blob: &'a [u8]) -> Result<Self, Garbled> {
        let mut from = Bytes(blob);
        if from.byte()? != FORMAT {
            return Err(Garbled);
        }
        let count = from.count(2 * MAX_ENTRIES)?;
        let pieces = from.count(512)?;
        let mut lines = Vec::with_capacity(count.min(blob.len()));
        let (mut at, mut piece, mut place) = (0_i64, 0_usize, 0_usize);
        for _ in 0..count {
            let slot = from.byte()?;
            at = at.wrapping_add(from.signed()?);
            let length = from.count(2 * MAX_BYTES + 1)?;
            if length & 1 == 1 {
                piece += 1;
                place = 0;
            }
            let length = length >> 1;
            lines.push(Line { slot, at, piece, from: place, length });
            place += length;
        }
        let sizes = (0..pieces)
            .map(|_| Ok((from.count(2 * MAX_BYTES)?, from.count(blob.len())?)))
            .collect::<Result<Vec<_>, Garbled>>()?;
        let pieces = sizes
            .into_iter()
            .map(|(unpacked, packed)| Ok((from.take(packed)?, unpacked)))
            .collect::<Result<Vec<_>, Garbled>>()?;
        let fits = |line: &Line| {
            pieces.get(line.piece).is_some_and(|(_, unpacked)| line.from + line.length <= *unpacked)
        };
        if lines.iter().all(fits) { Ok(Self { lines, pieces }) } else { Err(Garbled) }
    }

    /// The newest of every slot at or before `at` (ms), oldest first.
    pub fn newest_at(&self, at: i64, with: &mut Press) -> Result<Vec<Entry>, Garbled> {
        let mut newest: BTreeMap<u8, Line> = BTreeMap::new();
        for line in self.lines.iter().filter(|line| line.at <= at) {
            newest.insert(line.slot, *line);
        }
        let mut lines: Vec<Line> = newest.into_values().collect();
        lines.sort_by_key(|line| (line.piece, line.from, line.at, line.slot));
        self.unpack(&lines, with)
    }

    /// The readings later than `after` and not later than `until` (ms), the keyframe included.
    pub fn between(&self, after: i64, until: i64, with: &mut Press) -> Result<Vec<Entry>, Garbled> {
        self.between_of(None, (after, until), with)
    }

    /// The same, of one slot alone if `slot` names it: what stands in pieces without it is not unpacked.
    pub fn between_of(
        &self,
        slot: Option<u8>,
        (after, until): (i64, i64),
        with: &mut Press,
    ) -> Result<Vec<Entry>, Garbled> {
        let wanted =
            |line: &&Line| line.at > after && line.at <= until && slot.is_none_or(|slot| slot == line.slot);
        self.unpack(&self.lines.iter().filter(wanted).copied().collect::<Vec<_>>(), with)
    }

    /// Unpacks lines that are in order, each piece once.
    fn unpack(&self, lines: &[Line], with: &mut Press) -> Result<Vec<Entry>, Garbled> {
        let mut found = Vec::with_capacity(lines.len());
        for group in lines.chunk_by(|one, other| one.piece == other.piece) {
            let (packed, whole) = *self.pieces.get(group[0].piece).ok_or(Garbled)?;
            let plain = with.unpack(packed, whole)?;
            for line in group {
                let bytes = plain.get(line.from..line.from + line.length).ok_or(Garbled)?.to_vec();
                found.push(Entry { slot: line.slot, at: line.at, bytes });
            }
        }
        Ok(found)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn any_entries() -> impl Strategy<Value = Vec<Entry>> {
        let entry = (0_u8..6, 1_i64..120_000, prop::collection::vec(any::<u8>(), 0..40));
        prop::collection::vec(entry, 0..50).prop_map(|list| {
            let mut at = 1_900_000_000_000;
            list.into_iter()
                .map(|(slot, step, bytes)| {
                    at += step;
                    Entry { slot, at, bytes }
                })
                .collect()
        })
    }

    proptest! {
        #[test]
        fn a_block_tells_each_moment(all in any_entries(), cut: prop::sample::Index, when: prop::sample::Index) {
            let cut = cut.index(all.len() + 1);
            let (keyframe, entries) = all.split_at(cut);
            let blob = encode(keyframe, entries, &mut Press::default()).unwrap();
            let block = Block::read(&blob).unwrap();
            prop_assert_eq!(block.between(i64::MIN, i64::MAX, &mut Press::default()).unwrap(), all.clone());
            for slot in 0..6 {
                let own: Vec<Entry> = all.iter().filter(|entry| entry.slot == slot).cloned().collect();
                let found = block.between_of(Some(slot), (i64::MIN, i64::MAX), &mut Press::default());
                prop_assert_eq!(found.unwrap(), own);
            }
            if !all.is_empty() {
                let at = all[when.index(all.len())].at;
                let mut wanted: BTreeMap<u8, Entry> = BTreeMap::new();
                for entry in all.iter().filter(|entry| entry.at <= at) {
                    wanted.insert(entry.slot, entry.clone());
                }
                let mut wanted: Vec<Entry> = wanted.into_values().collect();
                wanted.sort_by_key(|entry| entry.at);
                prop_assert_eq!(block.newest_at(at, &mut Press::default()).unwrap(), wanted);
            }
        }

        #[test]
        fn a_damaged_block_is_no_panic(all in any_entries(), at: prop::sample::Index, byte: u8) {
            let mut blob = encode(&all, &[], &mut Press::default()).unwrap();
            let at = at.index(blob.len());
            blob[at] = byte;
            for blob in [&blob[..], &blob[..at]] {
                if let Ok(block) = Block::read(blob) {
                    let _ = block.between(i64::MIN, i64::MAX, &mut Press::default());
                }
            }
        }
    }

    #[test]
    fn a_size_that_lies_is_refused_before_memory_is_taken() {
        let blob =
            encode(&[], &[Entry { slot: 1, at: 5, bytes: vec![7; 100] }], &mut Press::default()).unwrap();
        assert!(Block::read(&blob).is_ok());
        let mut lying = vec![FORMAT];
        put(&mut lying, u64::MAX);
        assert!(Block::read(&lying).is_err());
    }

    #[test]
    fn five_minutes_are_a_piece_and_a_stretch_ends_with_its_end() {
        let first = 1_900_000_000_000;
        let entry = |ms: i64| Entry { slot: 1, at: first + ms, bytes: vec![7; 9] };
        let keyframe = [entry(-PIECE_MS * 9)];
        let entries = [0, PIECE_MS - 1, PIECE_MS, PIECE_MS * 3].map(entry);
        let with = &mut Press::default();
        let blob = encode(&keyframe, &entries, with).unwrap();
        let block = Block::read(&blob).unwrap();
        let pieces: Vec<_> = block.lines.iter().map(|line| line.piece).collect();
        assert_eq!(pieces, [0, 1, 1, 2, 3], "what is shown is unpacked, and little more");
        let mut times = |after: i64, until: i64| {
            let found = block.between(first + after, first + until, with).unwrap();
            found.iter().map(|entry| entry.at - first).collect::<Vec<_>>()
        };
        assert_eq!(times(0, PIECE_MS), [PIECE_MS - 1, PIECE_MS]);
        assert_eq!(times(-1, 0), [0]);
        assert_eq!(times(PIECE_MS, PIECE_MS), [0; 0]);
        assert_eq!(times(PIECE_MS * 3, i64::MAX - first), [0; 0]);
    }
}
