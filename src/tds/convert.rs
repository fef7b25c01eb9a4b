//! The driver's values as our cells. Every wire value has a cell; a date that does not fit is NULL.

use super::Cell;
use tiberius::{ColumnData, time};

/// Days from 0001-01-01 to 1970-01-01.
const DAYS_TO_EPOCH: i64 = 719_162;
/// Days from 1900-01-01 to 1970-01-01.
const DAYS_1900_TO_EPOCH: i64 = 25_567;
const DAY_MS: i64 = 86_400_000;

/// The cell of one value.
pub(super) fn cell(data: ColumnData<'static>) -> Cell {
    known(data).unwrap_or(Cell::Null)
}

fn known(data: ColumnData<'static>) -> Option<Cell> {
    Some(match data {
        ColumnData::U8(n) => Cell::Int(n?.into()),
        ColumnData::I16(n) => Cell::Int(n?.into()),
        ColumnData::I32(n) => Cell::Int(n?.into()),
        ColumnData::I64(n) => Cell::Int(n?),
        ColumnData::F32(f) => Cell::Float(f?.into()),
        ColumnData::F64(f) => Cell::Float(f?),
        ColumnData::Bit(b) => Cell::Bool(b?),
        ColumnData::String(s) => Cell::Text(s?.into_owned()),
        ColumnData::Xml(x) => {
            let text = x?.into_owned().into_string();
            Cell::Text(text.strip_prefix('\u{feff}').map(str::to_owned).unwrap_or(text))
        }
        ColumnData::Guid(g) => Cell::Text(g?.hyphenated().encode_upper(&mut [0; 36]).to_owned()),
        ColumnData::Binary(b) => Cell::Bytes(b?.into_owned()),
        ColumnData::Numeric(n) => numeric(n?),
        ColumnData::DateTime(t) => {
            let t = t?;
            // 1/300 s since midnight.
            Cell::Local(
                (i64::from(t.days()) - DAYS_1900_TO_EPOCH) * DAY_MS
                    + i64::from(t.seconds_fragments()) * 10 / 3,
            )
        }
        ColumnData::SmallDateTime(t) => {
            let t = t?;
            // Minutes since midnight.
            Cell::Local(
                (i64::from(t.days()) - DAYS_1900_TO_EPOCH) * DAY_MS
                    + i64::from(t.seconds_fragments()) * 60_000,
            )
        }
        ColumnData::Time(t) => Cell::Local(time_ms(t?)),
        ColumnData::Date(d) => Cell::Local(date_ms(d?)),
        ColumnData::DateTime2(t) => Cell::Local(datetime2_ms(t?)),
        // On the wire the time is UTC, and the offset only says where it was meant.
        ColumnData::DateTimeOffset(t) => {
            Cell::Instant { utc_ms: datetime2_ms(t?.datetime2()), offset_min: t?.offset() }
        }
    })
}

fn numeric(n: tiberius::numeric::Numeric) -> Cell {
    match (n.scale(), i64::try_from(n.value())) {
        (0, Ok(whole)) => Cell::Int(whole),
        (scale, _) => Cell::Float(n.value() as f64 / 10f64.powi(scale.into())),
    }
}

fn date_ms(d: time::Date) -> i64 {
    (i64::from(d.days()) - DAYS_TO_EPOCH) * DAY_MS
}

fn time_ms(t: time::Time) -> i64 {
    let per_s = 10u64.saturating_pow(t.scale().into()).max(1);
    i64::try_from(u128::from(t.increments()) * 1_000 / u128::from(per_s)).unwrap_or(0)
}

fn datetime2_ms(t: time::DateTime2) -> i64 {
    date_ms(t.date()).saturating_add(time_ms(t.time()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use tiberius::{numeric::Numeric, time::*};

    const NOON_2020: i64 = 1_577_880_000_000; // 2020-01-01 12:00

    #[test]
    fn every_kind_of_time_is_milliseconds_since_1970() {
        let datetime = DateTime::new(43_829, 12 * 3600 * 300);
        assert_eq!(cell(ColumnData::DateTime(Some(datetime))), Cell::Local(NOON_2020));
        let small = SmallDateTime::new(43_829, 12 * 60);
        assert_eq!(cell(ColumnData::SmallDateTime(Some(small))), Cell::Local(NOON_2020));
        let two = DateTime2::new(Date::new(737_424), Time::new(12 * 3600 * 10_000_000, 7));
        assert_eq!(cell(ColumnData::DateTime2(Some(two))), Cell::Local(NOON_2020));
        let offset = DateTimeOffset::new(two, -330);
        assert_eq!(
            cell(ColumnData::DateTimeOffset(Some(offset))),
            Cell::Instant { utc_ms: NOON_2020, offset_min: -330 }
        );
    }

    #[test]
    fn hostile_times_and_decimals_do_not_panic() {
        cell(ColumnData::DateTime(Some(DateTime::new(i32::MIN, u32::MAX))));
        cell(ColumnData::Time(Some(Time::new(u64::MAX, u8::MAX))));
        assert_eq!(cell(ColumnData::Numeric(Some(Numeric::new_with_scale(12_345, 2)))), Cell::Float(123.45));
        assert_eq!(cell(ColumnData::Numeric(Some(Numeric::new_with_scale(7, 0)))), Cell::Int(7));
        assert_eq!(cell(ColumnData::I32(None)), Cell::Null);
    }
}
