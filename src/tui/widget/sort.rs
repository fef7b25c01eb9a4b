//! The order of rows: sorted by a key a row, stable, unknown values last.
//!
//! 100,000 rows are sorted while somebody holds a key down. So what is compared are whole numbers beside the place of their row, and
//! not texts: a text becomes its rank among all, and one that many rows have is read once.

use crate::model::base::filter::Value;
use std::{
    collections::HashMap,
    hash::{BuildHasher as _, RandomState},
    ops::Range,
};

/// Places of texts that are remembered; a power of two.
const PLACES: usize = 4_096;

/// The keys of rows, one after another.
#[derive(Debug, Default)]
pub struct Keys {
    numbers: Vec<(u64, u32)>,
    /// number of the text, row
    texts: Vec<(u64, u32)>,
    unknown: Vec<u32>,
    known: Texts,
    rows: u32,
}

impl Keys {
    /// The key of the next row. Exactly one is added for each row.
    pub fn add(&mut self, value: Option<Value<'_>>) {
        let row = self.rows;
        self.rows += 1;
        match value {
            Some(Value::Text(text)) => self.texts.push((u64::from(self.known.number(text)), row)),
            Some(value) => match value.figure().filter(|n| !n.is_nan()) {
                Some(figure) => self.numbers.push((ordered(figure), row)),
                None => self.unknown.push(row),
            },
            None => self.unknown.push(row),
        }
    }

    /// The rows in order.
    fn sorted(mut self, descending: bool) -> impl Iterator<Item = u32> {
        let ranks = self.known.ranks();
        for (key, _) in &mut self.texts {
            *key = ranks.get(*key as usize).copied().unwrap_or(0).into();
        }
        let (mut first, mut second) = (self.numbers, self.texts);
        for keyed in [&mut first, &mut second] {
            if descending {
                for (key, _) in keyed.iter_mut() {
                    *key = !*key;
                }
            }
            // The place of the row beside its key makes any order a stable one.
            keyed.sort_unstable();
        }
        if descending {
            std::mem::swap(&mut first, &mut second);
        }
        first.into_iter().chain(second).map(|(_, row)| row).chain(self.unknown)
    }
}

/// A whole number in the order of the figures.
const fn ordered(figure: f64) -> u64 {
    let bits = figure.to_bits();
    if bits >> 63 == 1 { !bits } else { bits | (1 << 63) }
}

/// Different texts in lower case, each with a number.
#[derive(Debug)]
struct Texts {
    /// all of them, one behind the other
    all: String,
    of: Vec<Range<usize>>,
    by_hash: HashMap<u64, u32>,
    /// the text that was last seen at an address: rows share texts
    places: Vec<(usize, u32)>,
    hasher: RandomState,
}

impl Default for Texts {
    fn default() -> Self {
        let (by_hash, hasher) = (HashMap::new(), RandomState::new());
        Self { all: String::new(), of: Vec::new(), by_hash, places: Vec::new(), hasher }
    }
}

impl Texts {
    fn get(&self, number: u32) -> Option<&str> {
        self.all.get(self.of.get(number as usize)?.clone())
    }

    fn is(&self, number: u32, text: &str) -> bool {
        self.get(number).is_some_and(|known| known.len() == text.len() && known.eq_ignore_ascii_case(text))
    }

    fn number(&mut self, text: &str) -> u32 {
        if self.places.is_empty() {
            self.places = vec![(0, 0); PLACES];
        }
        let address = text.as_ptr() as usize;
        let place = ((address >> 3) ^ (address >> 15)) & (PLACES - 1);
        // Another text may stand there by now: it is compared all the same.
        if let Some((at, number)) = self.places.get(place)
            && *at == address
            && self.is(*number, text)
        {
            return *number;
        }
        let number = self.by_content(text);
        if let Some(slot) = self.places.get_mut(place) {
            *slot = (address, number);
        }
        number
    }

    fn by_content(&mut self, text: &str) -> u32 {
        let from = self.all.len();
        self.all.push_str(text);
        let Some(added) = self.all.get_mut(from..) else { return 0 };
        added.make_ascii_lowercase();
        let hash = self.hasher.hash_one(&*added);
        if let Some(number) = self.by_hash.get(&hash).copied()
            && self.is(number, text)
        {
            self.all.truncate(from);
            return number;
        }
        // Two texts of one hash: the other keeps it, and equal ones have one rank in the end.
        let number = self.of.len() as u32;
        self.of.push(from..self.all.len());
        self.by_hash.entry(hash).or_insert(number);
        number
    }

    /// The rank of each text; equal ones have the same.
    fn ranks(&self) -> Vec<u32> {
        let mut order: Vec<(&str, u32)> =
            (0..self.of.len() as u32).map(|n| (self.get(n).unwrap_or(""), n)).collect();
        order.sort_unstable();
        let mut ranks = vec![0; order.len()];
        let (mut rank, mut last) = (0, None);
        for (text, number) in order {
            if last.is_some_and(|last| last != text) {
                rank += 1;
            }
            last = Some(text);
            if let Some(slot) = ranks.get_mut(number as usize) {
                *slot = rank;
            }
        }
        ranks
    }
}

/// Sorts row numbers by a key, stable, unknown values last. `key` adds that of the row which it is called with.
pub fn sort_rows(order: &mut [u32], descending: bool, mut key: impl FnMut(u32, &mut Keys)) {
    let mut keys = Keys::default();
    for row in &*order {
        key(*row, &mut keys);
    }
    let sorted: Vec<u32> =
        keys.sorted(descending).filter_map(|place| order.get(place as usize).copied()).collect();
    for (slot, row) in order.iter_mut().zip(sorted) {
        *slot = row;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::cmp::Ordering;

    #[derive(Debug, Clone)]
    enum Cell {
        Unknown,
        Figure(f64),
        Text(String),
    }

    fn value(cell: &Cell) -> Option<Value<'_>> {
        match cell {
            Cell::Unknown => None,
            Cell::Figure(n) => Some(Value::Number(*n)),
            Cell::Text(t) => Some(Value::Text(t)),
        }
    }

    /// As it is said in words: by figure, then by text in lower case; what is not known last.
    fn by_words(a: &Cell, b: &Cell, descending: bool) -> Ordering {
        let rank = |cell: &Cell| match cell {
            Cell::Figure(n) if !n.is_nan() => 0,
            Cell::Text(_) => 1,
            _ => 2,
        };
        let known = match (a, b) {
            _ if rank(a) == 2 || rank(b) == 2 => return rank(a).max(1).cmp(&rank(b).max(1)),
            (Cell::Figure(a), Cell::Figure(b)) => a.total_cmp(b),
            (Cell::Text(a), Cell::Text(b)) => a.to_ascii_lowercase().cmp(&b.to_ascii_lowercase()),
            _ => rank(a).cmp(&rank(b)),
        };
        if descending { known.reverse() } else { known }
    }

    fn cell() -> impl Strategy<Value = Cell> {
        prop_oneof![
            Just(Cell::Unknown),
            Just(Cell::Figure(f64::NAN)),
            any::<f64>().prop_map(Cell::Figure),
            prop_oneof![Just(-0.0), Just(0.0), Just(7.0)].prop_map(Cell::Figure),
            "[abAB é]{0,3}".prop_map(Cell::Text),
        ]
    }

    proptest! {
        #[test]
        fn rows_are_in_the_order_that_is_said_in_words(
            cells in proptest::collection::vec(cell(), 0..60),
            descending in any::<bool>(),
        ) {
            let mut order: Vec<u32> = (0..cells.len() as u32).rev().collect();
            let mut wanted = order.clone();
            wanted.sort_by(|a, b| by_words(&cells[*a as usize], &cells[*b as usize], descending));
            sort_rows(&mut order, descending, |n, keys| keys.add(value(&cells[n as usize])));
            prop_assert_eq!(order, wanted);
        }
    }

    #[test]
    fn a_text_at_the_place_of_another_one_is_not_taken_for_it() {
        let texts = ["delta", "alpha", "omega", "alpha"];
        let mut order: Vec<u32> = (0..4).collect();
        // One buffer, so that each of them stands at the same address.
        let mut buffer = String::with_capacity(16);
        sort_rows(&mut order, false, |n, keys| {
            buffer.clear();
            buffer.push_str(texts[n as usize]);
            keys.add(Some(Value::Text(&buffer)));
        });
        assert_eq!(order, [1, 3, 0, 2]);
    }
}
