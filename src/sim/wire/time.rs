//! Date and time values as TDS sends them, from and to nanoseconds since 1970-01-01.

use crate::sim::backend::{ColumnType, Value};

const NS_PER_SECOND: i128 = 1_000_000_000;
const NS_PER_DAY: i128 = 86_400 * NS_PER_SECOND;
const NS_PER_MINUTE: i128 = 60 * NS_PER_SECOND;
/// Days from 0001-01-01 to 1970-01-01.
const DAYS_FROM_YEAR_1: i128 = 719_162;
/// Days from 1900-01-01 to 1970-01-01.
const DAYS_FROM_1900: i128 = 25_567;
/// 9999-12-31, the last day of `date`, in days from 0001-01-01.
const LAST_DAY: i128 = 3_652_058;
/// 1753-01-01, the first day of `datetime`, in days from 1900-01-01.
const FIRST_DATETIME_DAY: i128 = -53_690;

/// The bytes of a value without its length byte; None if `kind` is no date or time or cannot hold the value.
pub fn encode(kind: ColumnType, local_ns: i128, offset_min: i16) -> Option<Vec<u8>> {
    match kind {
        ColumnType::Date => date(local_ns),
        ColumnType::Time(scale) => Some(time(local_ns, scale)),
        ColumnType::DateTime2(scale) => Some([time(local_ns, scale), date(local_ns)?].concat()),
        ColumnType::DateTimeOffset(scale) => {
            let utc_ns = local_ns - i128::from(offset_min) * NS_PER_MINUTE;
            let offset = offset_min.to_le_bytes().to_vec();
            Some([time(utc_ns, scale), date(utc_ns)?, offset].concat())
        }
        ColumnType::DateTime => {
            // Ticks of 1/300 s since 1900, rounded; the last tick of a day may round up into the next one.
            let ticks = (local_ns * 3 + NS_PER_SECOND / 200).div_euclid(NS_PER_SECOND / 100);
            let ticks_per_day = 86_400 * 300;
            let day = ticks.div_euclid(ticks_per_day) + DAYS_FROM_1900;
            let in_range = (FIRST_DATETIME_DAY..=LAST_DAY - DAYS_FROM_YEAR_1 + DAYS_FROM_1900).contains(&day);
            let day = i32::try_from(day).ok().filter(|_| in_range)?;
            let tick = ticks.rem_euclid(ticks_per_day) as u32;
            Some([day.to_le_bytes(), tick.to_le_bytes()].concat())
        }
        ColumnType::SmallDateTime => {
            let minutes = (local_ns + NS_PER_MINUTE / 2).div_euclid(NS_PER_MINUTE);
            let day = u16::try_from(minutes.div_euclid(1440) + DAYS_FROM_1900).ok()?;
            Some([day.to_le_bytes(), (minutes.rem_euclid(1440) as u16).to_le_bytes()].concat())
        }
        _ => None,
    }
}

fn date(ns: i128) -> Option<Vec<u8>> {
    let day = ns.div_euclid(NS_PER_DAY) + DAYS_FROM_YEAR_1;
    (0..=LAST_DAY).contains(&day).then(|| (day as u32).to_le_bytes()[..3].to_vec())
}

/// Bytes of a time of day with this many decimals.
fn time_bytes(scale: u8) -> usize {
    match scale {
        0..=2 => 3,
        3..=4 => 4,
        _ => 5,
    }
}

/// Nanoseconds of one unit of this scale.
fn unit_ns(scale: u8) -> i128 {
    10_i128.pow(9 - u32::from(scale.min(7)))
}

fn time(ns: i128, scale: u8) -> Vec<u8> {
    let units = ns.rem_euclid(NS_PER_DAY) / unit_ns(scale);
    (units as u64).to_le_bytes()[..time_bytes(scale)].to_vec()
}

/// Reads the bytes of a parameter of TDS type `token`; None for lengths that the type does not have.
pub fn decode(token: u8, scale: u8, bytes: &[u8]) -> Option<Value> {
    let value = |local_ns, offset_min| Some(Value::Time { local_ns, offset_min });
    match (token, bytes.len()) {
        (0x28, 3) => value(decode_date(bytes), 0),
        (0x29, 3..=5) => value(decode_time(bytes, scale), 0),
        (0x2a, 6..=8) => {
            let (time, date) = bytes.split_at(bytes.len() - 3);
            value(decode_date(date) + decode_time(time, scale), 0)
        }
        (0x2b, 8..=10) => {
            let (time, rest) = bytes.split_at(bytes.len() - 5);
            let offset = i16::from_le_bytes([rest[3], rest[4]]);
            let utc_ns = decode_date(&rest[..3]) + decode_time(time, scale);
            value(utc_ns + i128::from(offset) * NS_PER_MINUTE, offset)
        }
        (_, 8) => {
            let (day, tick) = bytes.split_at(4);
            let day = i128::from(little_endian(day) as u32 as i32) - DAYS_FROM_1900;
            value(day * NS_PER_DAY + i128::from(little_endian(tick)) * NS_PER_SECOND / 300, 0)
        }
        (_, 4) => {
            let (day, minute) = bytes.split_at(2);
            let day = i128::from(little_endian(day)) - DAYS_FROM_1900;
            value(day * NS_PER_DAY + i128::from(little_endian(minute)) * NS_PER_MINUTE, 0)
        }
        _ => None,
    }
}

fn little_endian(bytes: &[u8]) -> u64 {
    bytes.iter().rev().fold(0, |sum, byte| sum << 8 | u64::from(*byte))
}

fn decode_date(bytes: &[u8]) -> i128 {
    (i128::from(little_endian(bytes)) - DAYS_FROM_YEAR_1) * NS_PER_DAY
}

fn decode_time(bytes: &[u8], scale: u8) -> i128 {
    i128::from(little_endian(bytes)) * unit_ns(scale)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn known_days() {
        assert_eq!(encode(ColumnType::Date, 0, 0), Some(719_162_u32.to_le_bytes()[..3].to_vec()));
        assert_eq!(encode(ColumnType::DateTime, 0, 0), Some(vec![0xdf, 0x63, 0, 0, 0, 0, 0, 0]));
        // 23:59:59.999 rounds up to midnight of the next day.
        assert_eq!(
            encode(ColumnType::DateTime, NS_PER_DAY - 1_000_000, 0),
            Some(vec![0xe0, 0x63, 0, 0, 0, 0, 0, 0])
        );
    }

    #[test]
    fn days_outside_a_type_do_not_fit() {
        assert_eq!(encode(ColumnType::Date, -720_000 * NS_PER_DAY, 0), None);
        assert_eq!(encode(ColumnType::DateTime, -100_000 * NS_PER_DAY, 0), None);
        assert_eq!(encode(ColumnType::SmallDateTime, -26_000 * NS_PER_DAY, 0), None);
    }

    proptest! {
        #[test]
        fn what_is_encoded_is_decoded(
            ticks in -600_000_000_000_000_000_i64..2_500_000_000_000_000_000,
            offset in -840_i16..=840,
        ) {
            let local_ns = i128::from(ticks) * 100;
            let expected = Some(Value::Time { local_ns, offset_min: offset });
            if let Some(bytes) = encode(ColumnType::DateTimeOffset(7), local_ns, offset) {
                prop_assert_eq!(decode(0x2b, 7, &bytes), expected);
            }
        }

        #[test]
        fn any_bytes_decode_without_panic(token in 0x20_u8..0x70, scale: u8, bytes in prop::collection::vec(any::<u8>(), 0..12)) {
            let _ = decode(token, scale, &bytes);
        }
    }
}
