//! The points of one row of the write buffer as bytes: the numbers of series in rising order, each with a whole number of steps.
//! The writer encodes them; sealing, charts and the check decode them.

use super::numbers::{Bytes, Garbled, put, put_signed};
use crate::model::{poll::id::ProbeId, timeline::record::Slot};

/// Series and steps, to bytes. The series are in rising order.
pub fn encode(points: &[(u32, i64)]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(points.len() * 4);
    let mut before = 0;
    for (series, steps) in points {
        put(&mut bytes, u64::from(series - before));
        put_signed(&mut bytes, *steps);
        before = *series;
    }
    bytes
}

/// Series and steps, from bytes.
pub fn decode(bytes: &[u8]) -> Result<Vec<(u32, i64)>, Garbled> {
    let (mut from, mut series, mut points) = (Bytes(bytes), 0_u32, Vec::new());
    while !from.0.is_empty() {
        let step = u32::try_from(from.number()?).map_err(|_| Garbled)?;
        series = series.checked_add(step).ok_or(Garbled)?;
        points.push((series, from.signed()?));
    }
    Ok(points)
}

/// The probe whose polls are the times of the points of a row.
pub fn probe_of(slot: u8) -> Option<ProbeId> {
    match Slot::from_code(slot)? {
        Slot::Health => Some(ProbeId::Headline),
        Slot::Value(probe) => Some(probe),
        Slot::Link | Slot::Problem(_) | Slot::Pace(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn points_come_back() {
        let points = [(3, 2), (4, -1), (900, i64::MAX)];
        assert_eq!(decode(&encode(&points)).unwrap(), points);
    }

    #[test]
    fn points_that_lie_about_their_number_are_refused() {
        assert!(decode(&[0xff]).is_err());
        assert!(decode(&[0xff, 0xff, 0xff, 0xff, 0xff, 0x0f, 0]).is_err());
        assert_eq!(decode(&[3, 4, 1, 1]).unwrap(), [(3, 2), (4, -1)]);
    }
}
