//! Numbers to bytes and back, with every length bounded before anything is allocated. All blobs of the history are made of them.
//! The codecs of this folder call it. It knows nothing of the meaning.
//!
//! | value | form |
//! |---|---|
//! | whole number | LEB128: seven bits a byte, lowest first |
//! | signed number | zigzag, then LEB128 |
//! | bytes | their length, then they |
//! | column of numbers | [`put_column`]: constant, small steps, or `pco`, whichever is smallest |

pub use crate::model::base::leb128::{Bytes, Garbled, put, put_signed};
use pco::{ChunkConfig, standalone};

/// No column of ours has more numbers: 2 h of one poll a second are 7,200.
pub const MAX_COLUMN: usize = 1 << 17;
/// The level of `pco`: beyond it the files hardly get smaller (`docs/performance.md`).
const PCO_LEVEL: usize = 8;
/// Below this many numbers the header of `pco` costs more than it gains.
const PCO_FROM: usize = 24;

/// Appends bytes with their length.
pub fn put_bytes(out: &mut Vec<u8>, bytes: &[u8]) {
    put(out, bytes.len() as u64);
    out.extend_from_slice(bytes);
}

const CONSTANT: u8 = 0;
const STEPS: u8 = 1;
const PCO: u8 = 2;

/// Appends a column. It does not carry its count: the reader must know it. `quick`: without `pco`, for a column that is
/// written anew soon.
pub fn put_column(out: &mut Vec<u8>, numbers: &[i64], quick: bool) {
    let Some(first) = numbers.first() else { return };
    if numbers.iter().all(|number| number == first) {
        out.push(CONSTANT);
        put_signed(out, *first);
        return;
    }
    let mut steps = Vec::with_capacity(numbers.len() * 2);
    let mut before = 0_i64;
    for number in numbers {
        put_signed(&mut steps, number.wrapping_sub(before));
        before = *number;
    }
    let config = ChunkConfig::default().with_compression_level(PCO_LEVEL);
    let packed = (!quick && numbers.len() >= PCO_FROM)
        .then(|| standalone::simple_compress(numbers, &config).ok())
        .flatten()
        .filter(|packed| packed.len() < steps.len());
    out.push(if packed.is_some() { PCO } else { STEPS });
    put_bytes(out, &packed.unwrap_or(steps));
}

/// Reads a column of `count` numbers.
pub fn column(from: &mut Bytes<'_>, count: usize) -> Result<Vec<i64>, Garbled> {
    if count == 0 {
        return Ok(Vec::new());
    }
    if count > MAX_COLUMN {
        return Err(Garbled);
    }
    match from.byte()? {
        CONSTANT => Ok(vec![from.signed()?; count]),
        STEPS => {
            let mut steps = Bytes(from.bytes()?);
            if steps.0.len() < count {
                return Err(Garbled);
            }
            let mut number = 0_i64;
            (0..count)
                .map(|_| {
                    number = number.wrapping_add(steps.signed()?);
                    Ok(number)
                })
                .collect()
        }
        PCO => {
            let mut numbers = vec![0_i64; count];
            let progress = standalone::simple_decompress_into(from.bytes()?, &mut numbers);
            match progress {
                Ok(progress) if progress.n_processed == count && progress.finished => Ok(numbers),
                _ => Err(Garbled),
            }
        }
        _ => Err(Garbled),
    }
}

/// A sum over bytes that tells a torn or flipped page from a good one. Not cryptography: it does not stop a forger.
pub fn checksum(bytes: &[u8]) -> u64 {
    // The multiplier is the 64-bit FNV prime; the rotation brings high bits down, so that every bit of a word counts.
    const PRIME: u64 = 0x0000_0100_0000_01b3;
    let mut sum = 0xcbf2_9ce4_8422_2325 ^ bytes.len() as u64;
    let (words, rest) = bytes.as_chunks::<8>();
    for word in words {
        sum = (sum ^ u64::from_le_bytes(*word)).wrapping_mul(PRIME).rotate_left(29);
    }
    for byte in rest {
        sum = (sum ^ u64::from(*byte)).wrapping_mul(PRIME).rotate_left(29);
    }
    sum.wrapping_mul(PRIME) ^ (sum >> 31)
}

/// `plain` behind its [`checksum`].
pub fn checked(plain: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(plain.len() + 8);
    out.extend_from_slice(&checksum(plain).to_le_bytes());
    out.extend_from_slice(plain);
    out
}

/// The bytes that [`checked`] took, if the sum still fits.
pub fn unchecked(bytes: &[u8]) -> Result<&[u8], Garbled> {
    let (sum, plain) = bytes.split_first_chunk::<8>().ok_or(Garbled)?;
    if u64::from_le_bytes(*sum) == checksum(plain) { Ok(plain) } else { Err(Garbled) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn round(numbers: &[i64], quick: bool) -> Vec<i64> {
        let mut out = Vec::new();
        put_column(&mut out, numbers, quick);
        let mut bytes = Bytes(&out);
        let found = column(&mut bytes, numbers.len()).unwrap();
        assert!(bytes.0.is_empty());
        found
    }

    fn any_column() -> impl Strategy<Value = Vec<i64>> {
        prop_oneof![
            prop::collection::vec(any::<i64>(), 0..300),
            prop::collection::vec(-50_i64..50, 0..300),
            (any::<i64>(), 0_usize..300).prop_map(|(number, count)| vec![number; count]),
        ]
    }

    proptest! {
        #[test]
        fn a_column_comes_back(numbers in any_column(), quick: bool) {
            prop_assert_eq!(round(&numbers, quick), numbers);
        }

        #[test]
        fn garbage_is_an_error_or_numbers_but_never_a_panic(bytes: Vec<u8>, count in 0_usize..2000) {
            if let Ok(numbers) = column(&mut Bytes(&bytes), count) {
                prop_assert_eq!(numbers.len(), count);
            }
        }

        #[test]
        fn a_flipped_bit_in_a_packed_column_is_no_panic(
            numbers in prop::collection::vec(-500_i64..500, 30..300), at: prop::sample::Index, bit in 0_u8..8,
        ) {
            let mut out = Vec::new();
            put_column(&mut out, &numbers, false);
            let at = at.index(out.len());
            out[at] ^= 1 << bit;
            let _ = column(&mut Bytes(&out), numbers.len());
            prop_assert_ne!(checksum(&out), { out[at] ^= 1 << bit; checksum(&out) });
        }
    }

    #[test]
    fn a_count_beyond_the_bound_allocates_nothing() {
        assert_eq!(column(&mut Bytes(&[CONSTANT, 0]), MAX_COLUMN + 1), Err(Garbled));
        assert_eq!(Bytes(&[0xff, 0xff, 0xff, 0xff, 0x0f]).bytes(), Err(Garbled));
        assert_eq!(Bytes(&[0xff; 11]).number(), Err(Garbled));
    }

    #[test]
    fn flat_and_noisy_columns_are_small() {
        let mut flat = Vec::new();
        put_column(&mut flat, &[7; 720], false);
        assert!(flat.len() <= 3);
        let noisy: Vec<i64> = (0..720_i64).map(|n| 400 + (n * 7919) % 37).collect();
        let mut out = Vec::new();
        put_column(&mut out, &noisy, false);
        assert!(out.len() < 720, "{}", out.len());
    }

    #[test]
    fn a_sum_sees_swapped_words_and_missing_ends() {
        let plain: Vec<u8> = (0..64).collect();
        let mut swapped = plain.clone();
        swapped.rotate_left(8);
        assert_ne!(checksum(&plain), checksum(&swapped));
        let checked = checked(&plain);
        assert_eq!(unchecked(&checked), Ok(&plain[..]));
        assert_eq!(unchecked(&checked[..checked.len() - 1]), Err(Garbled));
        assert_eq!(unchecked(&[1, 2, 3]), Err(Garbled));
    }

    #[test]
    fn a_column_of_another_length_is_refused() {
        for quick in [true, false] {
            let numbers: Vec<i64> = (0..3_000).map(|n| n * n % 7_919).collect();
            let mut out = Vec::new();
            put_column(&mut out, &numbers, quick);
            assert_eq!(column(&mut Bytes(&out), 3_000).unwrap(), numbers);
            for wrong in [3_001, 30_000] {
                assert!(column(&mut Bytes(&out), wrong).is_err(), "{wrong}, quick: {quick}");
            }
        }
        let mut packed = Vec::new();
        put_column(&mut packed, &(0..3_000).map(|n| n * n % 7_919).collect::<Vec<_>>(), false);
        assert_eq!(packed[0], PCO);
        assert!(column(&mut Bytes(&packed), 2_999).is_err());
        let mut same = Vec::new();
        put_column(&mut same, &[5, 5], false);
        assert!(column(&mut Bytes(&same), MAX_COLUMN).is_ok());
        assert!(column(&mut Bytes(&same), MAX_COLUMN + 1).is_err(), "memory is not for who asks for it");
    }

    #[test]
    fn a_checksum_is_what_it_was_in_files_of_before_and_sees_every_bit() {
        const OF_BEFORE: [u64; 3] =
            [12_638_153_118_042_066_454, 10_335_619_067_117_271_581, 7_591_888_897_961_556_089];
        let bytes: Vec<u8> = (0..29).collect();
        let sum = checksum(&bytes);
        assert_eq!([checksum(b""), checksum(b"dbtop"), sum], OF_BEFORE);
        for bit in 0..bytes.len() * 8 {
            let mut other = bytes.clone();
            other[bit / 8] ^= 1 << (bit % 8);
            assert_ne!(checksum(&other), sum, "bit {bit}");
        }
        assert_ne!(checksum(&bytes[..28]), sum);
    }
}
