//! The order of rows: sorted by a key a row, stable, unknown values last.

use crate::model::base::filter::Value;
use std::cmp::Ordering;

/// The value that rows are sorted by. Unknown values come last, whichever the direction.
#[derive(Debug, Clone, PartialEq)]
pub enum SortKey {
    /// not known
    None,
    /// a number
    Number(f64),
    /// a text, in lower case
    Text(String),
}

impl From<Option<Value<'_>>> for SortKey {
    fn from(v: Option<Value<'_>>) -> Self {
        match v {
            Some(Value::Text(t)) => Self::Text(t.to_ascii_lowercase()),
            Some(v) => v.figure().filter(|n| !n.is_nan()).map_or(Self::None, Self::Number),
            None => Self::None,
        }
    }
}

/// Sorts row numbers by a key, stable, unknown values last.
pub fn sort_rows(order: &mut [u32], descending: bool, mut key: impl FnMut(u32) -> SortKey) {
    let mut keyed: Vec<(SortKey, u32)> = order.iter().map(|i| (key(*i), *i)).collect();
    keyed.sort_by(|(a, _), (b, _)| {
        let known = match (a, b) {
            (SortKey::None, SortKey::None) => return Ordering::Equal,
            (SortKey::None, _) => return Ordering::Greater,
            (_, SortKey::None) => return Ordering::Less,
            (SortKey::Number(a), SortKey::Number(b)) => a.total_cmp(b),
            (SortKey::Text(a), SortKey::Text(b)) => a.cmp(b),
            (SortKey::Number(_), SortKey::Text(_)) => Ordering::Less,
            (SortKey::Text(_), SortKey::Number(_)) => Ordering::Greater,
        };
        if descending { known.reverse() } else { known }
    });
    for (slot, (_, i)) in order.iter_mut().zip(keyed) {
        *slot = i;
    }
}
